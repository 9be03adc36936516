"""Training: 10,000 updates of the 2-2-2 example, and 784-50-10 in batches of 100, against the same loops by hand.

A ratio is the time of a peer over ours, runs that take turns in one process; code generation counts as ours.
Peers: NumPy as a tutorial writes it, and PyTorch (eager, double precision, one process) where it is installed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from handcalc.arrays.vectorised import Vectorised
from handcalc.loading.loader import load, loads
from handcalc.models import build
from handcalc.training.trainer import Trainer

COLUMNS = ("handcalc", "peer", "ratio", "target")
ROUNDS = 10_000
BATCHES = 200
on_the_clock = pytest.mark.benchmark(timer=time.perf_counter)  # libraries that compute on all cores: seconds that pass


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


PROBLEM = load("mazur-2-2-2")


def small_handcalc() -> float:
    """Everything from the problem on: graph, chain rule, code, run."""
    trainer = Trainer(PROBLEM)
    trainer.advance(ROUNDS)
    return trainer.parameters()["w1"]


def small_numpy() -> float:
    x, t = np.array([0.05, 0.10]), np.array([0.01, 0.99])
    first, second = np.array([[0.15, 0.20], [0.25, 0.30]]), np.array([[0.40, 0.45], [0.50, 0.55]])
    for _ in range(ROUNDS):
        hidden = sigmoid(first @ x + 0.35)
        output = sigmoid(second @ hidden + 0.60)
        delta = (output - t) * output * (1 - output)
        back = (second.T @ delta) * hidden * (1 - hidden)
        second = second - 0.5 * np.outer(delta, hidden)
        first = first - 0.5 * np.outer(back, x)
    return float(first[0, 0])


def small_torch(rounds: int = ROUNDS // 10) -> float:
    """A tenth of the rounds; the time is multiplied."""
    import torch

    x, t = torch.tensor([0.05, 0.10], dtype=torch.double), torch.tensor([0.01, 0.99], dtype=torch.double)
    first = torch.tensor([[0.15, 0.20], [0.25, 0.30]], dtype=torch.double, requires_grad=True)
    second = torch.tensor([[0.40, 0.45], [0.50, 0.55]], dtype=torch.double, requires_grad=True)
    optimiser = torch.optim.SGD([first, second], lr=0.5)
    for _ in range(rounds):
        optimiser.zero_grad()
        output = torch.sigmoid(second @ torch.sigmoid(first @ x + 0.35) + 0.60)
        (0.5 * ((t - output) ** 2).sum()).backward()
        optimiser.step()
    return float(first[0, 0].detach())


class Large:
    """784-50-10, softmax and cross-entropy, batches of 100, with the same numbers for everybody."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        self.inputs = draw.random((100, 784))
        self.targets = np.eye(10)[draw.integers(0, 10, 100)]
        self.first, self.second = draw.normal(size=(50, 784)) * 0.05, draw.normal(size=(10, 50)) * 0.1

    def handcalc(self) -> float:
        zeros = {count: ", ".join(["0"] * count) for count in (10, 50, 784)}
        problem = loads(f"""
samples: [{{inputs: [{zeros[784]}], targets: [{zeros[10]}]}}, {{inputs: [{zeros[784]}], targets: [{zeros[10]}]}}]
layers:
  - {{neurons: 50, activation: sigmoid, weights: [{", ".join([f"[{zeros[784]}]"] * 50)}], bias: [{zeros[50]}]}}
  - {{neurons: 10, activation: softmax, weights: [{", ".join([f"[{zeros[50]}]"] * 10)}], bias: [{zeros[10]}]}}
loss: softmax_cross_entropy
learning_rate: 0.1
""")
        problem = problem.replace(samples=problem.samples[:1] * 100)
        model = build(problem)
        program = Vectorised(model.graph, model.updated, model.loss, ("x", "t"))
        self.run = lambda: program.run(self.state, [(self.inputs, self.targets)] * BATCHES)
        self.state = (self.first, np.zeros(50), self.second, np.zeros(10))
        return 0.0

    def numpy(self) -> float:
        first, second = self.first.T.copy(), self.second.T.copy()
        bias1, bias2 = np.zeros(50), np.zeros(10)
        for _ in range(BATCHES):
            hidden = sigmoid(self.inputs @ first + bias1)
            net = hidden @ second + bias2
            powers = np.exp(net - net.max(axis=1, keepdims=True))
            output = powers / powers.sum(axis=1, keepdims=True)
            loss = -np.sum(self.targets * np.log(output)) / 100
            delta = (output - self.targets) / 100
            back = (delta @ second.T) * hidden * (1 - hidden)
            second -= 0.1 * (hidden.T @ delta)
            bias2 -= 0.1 * delta.sum(axis=0)
            first -= 0.1 * (self.inputs.T @ back)
            bias1 -= 0.1 * back.sum(axis=0)
        return float(loss)

    def torch(self) -> float:
        import torch

        first = torch.tensor(self.first, requires_grad=True)
        second = torch.tensor(self.second, requires_grad=True)
        bias1 = torch.zeros(50, dtype=torch.double, requires_grad=True)
        bias2 = torch.zeros(10, dtype=torch.double, requires_grad=True)
        inputs, targets = torch.tensor(self.inputs), torch.tensor(self.targets)
        optimiser = torch.optim.SGD([first, second, bias1, bias2], lr=0.1)
        for _ in range(BATCHES):
            optimiser.zero_grad()
            net = torch.sigmoid(inputs @ first.T + bias1) @ second.T + bias2
            loss = torch.nn.functional.cross_entropy(net, targets)
            loss.backward()
            optimiser.step()
        return float(loss.detach())


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> Large:
    """The large network, ready to run: its problem is one long text."""
    monkeypatch.setenv("HANDCALC_MAX_BYTES", "10000000")
    monkeypatch.setenv("HANDCALC_MAX_VALUES", "10000000")
    network = Large()
    network.handcalc()
    return network


def bench_small_numpy(compare: Callable[..., None]) -> None:
    assert abs(small_handcalc() - small_numpy()) < 1e-12
    compare(f"2-2-2, {ROUNDS} updates, NumPy", small_handcalc, small_numpy, at_least=10)


def bench_small_torch(compare: Callable[..., None]) -> None:
    pytest.importorskip("torch")
    compare(f"2-2-2, {ROUNDS} updates, PyTorch", small_handcalc, small_torch, at_least=50, times=10)


@on_the_clock
def bench_large_numpy(compare: Callable[..., None], large: Large) -> None:
    _, loss, _ = large.run()
    assert abs(loss - large.numpy()) < 1e-9
    compare(f"784-50-10, {BATCHES} batches of 100, NumPy", large.run, large.numpy, at_least=1 / 1.1)


@on_the_clock
def bench_large_torch(compare: Callable[..., None], large: Large) -> None:
    pytest.importorskip("torch")
    compare(f"784-50-10, {BATCHES} batches of 100, PyTorch", large.run, large.torch, at_least=1)
