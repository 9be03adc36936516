"""A 28×28 image through 8 kernels of 5×5, ReLU, max pooling and a dense layer of 10: all steps as JSON, and why one weight is what it is.

Whole processes. 215,000 steps, 86 MB of JSON.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy
from processes import handcalc
from targets import at_most

COLUMNS = ("CPU seconds", "target", "peak MB", "target")
WEIGHT = "W1[1,1,1]"


def write(folder: Path, size: int) -> Path:
    """The problem, of an image of a size."""
    draw = numpy.random.default_rng(1)
    inputs = draw.random((size, size)).round(4).tolist()
    kernels = (draw.normal(size=(8, 5, 5)) * 0.1).round(4).tolist()
    weights = (draw.normal(size=(10, 8 * ((size - 4) // 2) ** 2)) * 0.05).round(4).tolist()
    problem = folder / "windows.yaml"
    problem.write_text(
        f"""
inputs: {inputs}
targets: {[1] + [0] * 9}
layers:
  - {{type: conv2d, weights: {kernels}, bias: 0, activation: relu}}
  - {{type: max_pool, kernel_size: 2}}
  - {{type: flatten}}
  - {{neurons: 10, weights: {weights}, bias: zeros}}
loss: softmax_cross_entropy
learning_rate: 0.1
""",
        "utf-8",
    )
    return problem


def bench_windows(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    problem = str(write(tmp_path, 8 if few(2) == 1 else 28))
    for name, seconds, megabytes, *command in (
        ("JSON of all steps", 8, 420, "solve", problem, "--format", "json"),
        (f'why FILE "{WEIGHT}"', 1, 200, "why", problem, WEIGHT),
    ):
        handcalc("why", problem, WEIGHT)
        cost = handcalc(*map(str, command))
        figures(name, f"{cost.cpu:.2f}", at_most(cost.cpu, seconds), f"{cost.peak:.0f}", at_most(cost.peak, megabytes))
