"""Training 784-50-10 in batches of 100 from a file of 10,000 samples, against the same loop in NumPy by hand.

A ratio is how many times NumPy's time ours takes, runs that take turns in one process. Ours takes its batches from the array in the
file, NumPy from floats that are ready in memory.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from handcalc.loading.loader import load
from handcalc.training.trainer import Trainer

COLUMNS = ("handcalc", "peer", "ratio", "target")
SAMPLES, WIDTH, BATCH = 10_000, 784, 100
UPDATES = 500
NETWORK = f"""
layers:
  - {{neurons: 50, activation: sigmoid, weights: {{random: xavier, seed: 1}}, bias: zeros}}
  - {{neurons: 10, activation: softmax, weights: {{random: xavier, seed: 1}}, bias: zeros}}
loss: softmax_cross_entropy
learning_rate: 0.1
training: {{mode: mini_batch, batch_size: {BATCH}, order: shuffled, seed: 1}}
"""
FORMS = {
    "NPZ of floats": "data: {file: digits.npz, inputs: x, targets: t}",
    "NPZ of bytes": "data: {file: digits.npz, inputs: pixels, targets: t, scale: 255}",
    "CSV": "data: {file: digits.csv, inputs: p0..p783, targets: {classes: label}, scale: 255}",
}


def write(folder: Path, form: str, samples: int = SAMPLES) -> Path:
    """A problem whose samples are in a file of this form, and the file."""
    draw = np.random.default_rng(1)
    pixels, kinds = draw.integers(0, 256, (samples, WIDTH), dtype=np.uint8), draw.integers(0, 10, samples)
    if form == "CSV":
        heading = ",".join(["label", *(f"p{place}" for place in range(WIDTH))])
        np.savetxt(folder / "digits.csv", np.column_stack([kinds, pixels]), "%d", ",", header=heading, comments="")
    else:
        np.savez(folder / "digits.npz", x=pixels / 255, pixels=pixels, t=kinds)
    problem = folder / "digits.yaml"
    problem.write_text(FORMS[form] + NETWORK, "utf-8")
    return problem


def by_hand(trainer: Trainer, count: int) -> Callable[[], None]:
    """So many updates as a tutorial writes them, from the same start."""
    inputs, targets = trainer.problem.samples.rows()  # type: ignore[attr-defined]
    first, bias1, second, bias2 = (np.array(part) for part in trainer.state)
    first, second, draw = first.T.copy(), second.T.copy(), np.random.default_rng(0)

    def updates() -> None:
        nonlocal first, bias1, second, bias2
        for update in range(count):
            place = update % (len(inputs) // BATCH)
            if place == 0:
                order: Any = draw.permutation(len(inputs))
            chosen = order[place * BATCH :][:BATCH]
            x, t = inputs[chosen], targets[chosen]
            hidden = 1 / (1 + np.exp(-(x @ first + bias1)))
            net = hidden @ second + bias2
            powers = np.exp(net - net.max(axis=1, keepdims=True))
            delta = (powers / powers.sum(axis=1, keepdims=True) - t) / BATCH
            back = (delta @ second.T) * hidden * (1 - hidden)
            second -= 0.1 * (hidden.T @ delta)
            bias2 -= 0.1 * delta.sum(axis=0)
            first -= 0.1 * (x.T @ back)
            bias1 -= 0.1 * back.sum(axis=0)

    return updates


@pytest.mark.benchmark(timer=time.perf_counter)  # NumPy computes on all cores: seconds that pass
@pytest.mark.parametrize("form", [form for form in FORMS if form != "CSV"])  # numbers of a CSV file are floats once it is loaded
def bench_updates_numpy(compare: Callable[..., None], few: Callable[[int], int], tmp_path: Path, form: str) -> None:
    trainer, count = Trainer(load(write(tmp_path, form, max(few(SAMPLES), BATCH)))), few(UPDATES)
    compare(f"{count} updates, {form}, NumPy", lambda: trainer.advance(count), by_hand(trainer, count), at_most=1.1, rounds=7)
