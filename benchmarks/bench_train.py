"""Training 784-30-10 on 60,000 images of bytes from an NPZ file as a whole process, against NumPy by hand: CPU time.

Both read the file, do 600 updates of 100 samples, and say loss and accuracy of all samples: before and after, or at as many points as a
history has; the first result is one update with both. A ratio is how many times NumPy's time ours takes, processes that take turns.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from processes import handcalc, run
from targets import at_most

COLUMNS = ("handcalc", "NumPy", "ratio", "target", "peak MB", "NumPy")
BATCH, PAIRS = 100, 5
UPDATES = 600
SECONDS = 1.5  # until the first result
NETWORK = f"""
data: {{file: digits.npz, inputs: x, targets: t, scale: 255}}
layers:
  - {{neurons: 30, activation: sigmoid, weights: {{random: xavier, seed: 1}}, bias: zeros}}
  - {{neurons: 10, activation: softmax, weights: {{random: xavier, seed: 1}}, bias: zeros}}
loss: softmax_cross_entropy
learning_rate: 0.1
training: {{mode: mini_batch, batch_size: {BATCH}, order: shuffled, seed: 1}}
"""
BY_HAND = """
import sys
import numpy as np
found = np.load(sys.argv[1])
updates, every, batch = map(int, sys.argv[2:])
inputs, classes = found["x"], found["t"]
draw = np.random.default_rng(1)
first, second = draw.normal(size=(784, 30)) * 814 ** -0.5, draw.normal(size=(30, 10)) * 40 ** -0.5
bias1, bias2 = np.zeros(30), np.zeros(10)

def forward(x):
    hidden = 1 / (1 + np.exp(-(x @ first + bias1)))
    net = hidden @ second + bias2
    powers = np.exp(net - net.max(axis=1, keepdims=True))
    return hidden, powers / powers.sum(axis=1, keepdims=True)

def standing():
    loss = right = 0
    for start in range(0, len(inputs), 2000):
        t = classes[start : start + 2000]
        _, output = forward(inputs[start : start + 2000] / 255)
        loss -= np.log(output[np.arange(len(t)), t]).sum()
        right += (output.argmax(axis=1) == t).sum()
    return loss / len(inputs), right / len(inputs)

print(0, *standing())
for update in range(updates):
    place = update * batch % len(inputs)
    if place == 0:
        order = draw.permutation(len(inputs))
    chosen = order[place:][:batch]
    x = inputs[chosen] / 255
    hidden, output = forward(x)
    delta = (output - np.eye(10)[classes[chosen]]) / batch
    back = (delta @ second.T) * hidden * (1 - hidden)
    second -= 0.1 * (hidden.T @ delta)
    bias2 -= 0.1 * delta.sum(axis=0)
    first -= 0.1 * (x.T @ back)
    bias1 -= 0.1 * back.sum(axis=0)
    if (update + 1) % every == 0:
        print(update + 1, *standing())
"""


@pytest.fixture
def problem(tmp_path: Path, few: Callable[[int], int]) -> Path:
    """The problem and its images, in a folder."""
    draw, samples = np.random.default_rng(1), BATCH * few(UPDATES)
    np.savez(tmp_path / "digits.npz", x=draw.integers(0, 256, (samples, 784), dtype=np.uint8), t=draw.integers(0, 10, samples))
    (tmp_path / "digits.yaml").write_text(NETWORK, "utf-8")
    return tmp_path / "digits.yaml"


@pytest.mark.parametrize(
    ("name", "updates", "points", "target"),
    [("before and after", UPDATES, 1, 1.5), ("20 times", UPDATES, 20, 1.5), ("first result", 1, 1, 0)],
)
def bench_whole_process(
    figures: Callable[..., None], few: Callable[[int], int], problem: Path, name: str, updates: int, points: int, target: float
) -> None:
    count = few(updates)
    every, archive = str(max(count // points, 1)), str(problem.with_name("digits.npz"))
    found = [
        (
            handcalc("train", str(problem), "--iterations", str(count), "--every", every),
            run(BY_HAND, archive, str(count), every, str(BATCH)),
        )
        for _ in range(few(PAIRS))
    ]
    ours, theirs = median(cost.cpu for cost, _ in found), median(cost.cpu for _, cost in found)
    ratio = median(own.cpu / peer.cpu for own, peer in found)
    wanted = at_most(ratio, target) if target else at_most(ours, SECONDS, " s")
    peaks = (max(cost.peak for cost in costs) for costs in zip(*found))
    figures(f"{count} updates, {name}", f"{ours:.2f} s", f"{theirs:.2f} s", f"{ratio:.2f}", wanted, *(f"{peak:.0f}" for peak in peaks))
