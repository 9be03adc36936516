"""Large data sets: loading 10,000 samples of 784 inputs, explaining a weight, and training 784-50-10 in batches of 100.

The first table is of whole processes. The second compares an update of `Trainer`, with the batch taken from the file's array, with
the same loop in NumPy by hand; medians of runs that take turns in one process.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from measure import handcalc, row, run, title

from handcalc.problem.loader import load
from handcalc.study.train import Trainer

SAMPLES, WIDTH = 10_000, 784
UPDATES, RUNS = 500, 7
LOAD = "import sys; from handcalc import load; load(sys.argv[1])"
NETWORK = """
layers:
  - {neurons: 50, activation: sigmoid, weights: {random: xavier, seed: 1}, bias: zeros}
  - {neurons: 10, activation: softmax, weights: {random: xavier, seed: 1}, bias: zeros}
loss: softmax_cross_entropy
learning_rate: 0.1
training: {mode: mini_batch, batch_size: 100, order: shuffled, seed: 1}
"""
FORMS = {
    "NPZ of floats": "data: {file: digits.npz, inputs: x, targets: t}",
    "NPZ of bytes": "data: {file: digits.npz, inputs: pixels, targets: t, scale: 255}",
    "CSV": "data: {file: digits.csv, inputs: p0..p783, targets: {classes: label}, scale: 255}",
}


def write(folder: Path) -> dict[str, Path]:
    """The data, and a problem for each form of it."""
    draw = np.random.default_rng(1)
    pixels, kinds = draw.integers(0, 256, (SAMPLES, WIDTH), dtype=np.uint8), draw.integers(0, 10, SAMPLES)
    np.savez(folder / "digits.npz", x=pixels / 255, pixels=pixels, t=kinds)
    heading = ",".join(["label", *(f"p{place}" for place in range(WIDTH))])
    np.savetxt(folder / "digits.csv", np.column_stack([kinds, pixels]), "%d", ",", header=heading, comments="")
    problems = {}
    for number, (name, text) in enumerate(FORMS.items()):
        problems[name] = folder / f"{number}.yaml"
        problems[name].write_text(text + NETWORK, "utf-8")
    return problems


def by_hand(trainer: Trainer) -> Any:
    """The same updates as a tutorial writes them, from the same start, on floats that are ready in memory."""
    inputs, targets = trainer.problem.samples.rows()  # type: ignore[attr-defined]
    first, bias1, second, bias2 = (np.array(part) for part in trainer.state)
    first, second, draw = first.T.copy(), second.T.copy(), np.random.default_rng(0)

    def advance(count: int) -> None:
        nonlocal first, bias1, second, bias2
        for update in range(count):
            if update % (SAMPLES // 100) == 0:
                order = draw.permutation(SAMPLES)
            chosen = order[update % 100 * 100 :][:100]
            x, t = inputs[chosen], targets[chosen]
            hidden = 1 / (1 + np.exp(-(x @ first + bias1)))
            net = hidden @ second + bias2
            powers = np.exp(net - net.max(axis=1, keepdims=True))
            delta = (powers / powers.sum(axis=1, keepdims=True) - t) / 100
            back = (delta @ second.T) * hidden * (1 - hidden)
            second -= 0.1 * (hidden.T @ delta)
            bias2 -= 0.1 * delta.sum(axis=0)
            first -= 0.1 * (x.T @ back)
            bias1 -= 0.1 * back.sum(axis=0)

    return advance


def main() -> None:
    """Print seconds, memory and ratios."""
    with tempfile.TemporaryDirectory() as folder:
        problems = write(Path(folder))
        title(f"{SAMPLES} samples of {WIDTH} inputs", ("seconds", "target", "peak MB", "target"))
        run(LOAD, str(problems["NPZ of bytes"]))
        for name, problem in problems.items():
            cost = run(LOAD, str(problem))
            row(f"load, {name}", f"{cost.wall:.2f}", "≤ 4" if name == "CSV" else "≤ 1", f"{cost.peak:.0f}", "≤ 300")
        cost = handcalc("why", str(problems["NPZ of bytes"]), "W1[3,17]")
        row("why FILE W1[3,17], batch of 100", f"{cost.wall:.2f}", "≤ 5", f"{cost.peak:.0f}", "≤ 300")
        title(f"{UPDATES} updates, medians of {RUNS} runs that take turns", ("handcalc", "NumPy", "ratio", "target"))
        for name, problem in problems.items():
            if name == "CSV":
                continue
            trainer = Trainer(load(problem))
            other = by_hand(trainer)
            times: tuple[list[float], list[float]] = ([], [])
            for _ in range(RUNS):
                for spent, advance in zip(times, (trainer.advance, other)):
                    started = time.perf_counter()
                    advance(UPDATES)
                    spent.append(time.perf_counter() - started)
            ratio = median(ours / theirs for ours, theirs in zip(*times))
            row(name, *(f"{median(spent) * 1000:.0f} ms" for spent in times), f"{ratio:.2f}", "≤ 1.1")


if __name__ == "__main__":
    sys.exit(main())
