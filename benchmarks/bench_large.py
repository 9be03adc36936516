"""Explaining one weight of a 784-30-10 network whose weights are in an NPZ file, as a whole process."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
from processes import handcalc
from targets import at_most

COLUMNS = ("seconds", "target", "peak MB", "target")
SIZES = (784, 30, 10)
WEIGHT = "W1[3,17]"
SECONDS, MEGABYTES = 2, 500  # aimed at


def write(folder: Path, seed: int = 1) -> Path:
    """The problem, its weights (NPZ) and inputs (CSV), in a folder."""
    generator = numpy.random.default_rng(seed)
    arrays: dict[str, Any] = {}
    lines = ["title: 784-30-10", "inputs: {file: inputs.csv}", f"targets: {[1] + [0] * (SIZES[-1] - 1)}", "layers:"]
    for layer, (before, size) in enumerate(zip(SIZES, SIZES[1:]), 1):
        arrays[f"W{layer}"] = generator.normal(0, before**-0.5, (size, before))
        bias = generator.normal(0, 0.1, size).round(3).tolist()
        lines += [
            f"  - neurons: {size}",
            "    activation: sigmoid",
            f"    weights: {{file: weights.npz, array: W{layer}}}",
            f"    bias: {bias}",
        ]
    numpy.savez(folder / "weights.npz", **arrays)
    numpy.savetxt(folder / "inputs.csv", generator.uniform(0, 1, (1, SIZES[0])), "%.4f", ",")
    problem = folder / "large.yaml"
    problem.write_text("\n".join([*lines, "loss: half_squared_error", "learning_rate: 0.5"]) + "\n", "utf-8")
    return problem


def bench_why(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    problem = write(tmp_path)
    *_, cost = (handcalc("why", str(problem), WEIGHT) for _ in range(few(2)))  # the first finds no bytecode
    figures(f'why FILE "{WEIGHT}"', f"{cost.wall:.2f}", at_most(cost.wall, SECONDS), f"{cost.peak:.0f}", at_most(cost.peak, MEGABYTES))
