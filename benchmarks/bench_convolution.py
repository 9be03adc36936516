"""A 28×28 image through 8 kernels of 5×5, ReLU, max pooling and a dense layer of 10, in batches of 32.

A ratio is how many times PyTorch's time ours takes (eager, double precision), runs that take turns in one process.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from handcalc.loading.loader import loads
from handcalc.training.trainer import Trainer

COLUMNS = ("handcalc", "peer", "ratio", "target")
STEPS, BATCH = 20, 32

pytestmark = pytest.mark.benchmark(timer=time.perf_counter)  # libraries that compute on all cores: seconds that pass


class Network:
    """The same numbers for both."""

    def __init__(self) -> None:
        draw = np.random.default_rng(1)
        self.images = draw.random((BATCH, 28, 28)).round(4)
        self.targets = np.eye(10)[draw.integers(0, 10, BATCH)]
        self.kernels = (draw.normal(size=(8, 5, 5)) * 0.1).round(4)
        self.weights = (draw.normal(size=(10, 1152)) * 0.05).round(4)
        samples = "".join(
            f"  - {{inputs: {image.tolist()}, targets: {target.tolist()}}}\n" for image, target in zip(self.images, self.targets)
        )
        self.trainer = Trainer(
            loads(f"""
samples:
{samples}layers:
  - {{type: conv2d, weights: {self.kernels.tolist()}, bias: 0, activation: relu}}
  - {{type: max_pool, kernel_size: 2}}
  - {{type: flatten}}
  - {{neurons: 10, weights: {self.weights.tolist()}, bias: zeros}}
loss: softmax_cross_entropy
learning_rate: 0.1
""")
        )

    def handcalc(self) -> float:
        self.trainer.advance(STEPS)
        return self.trainer.loss()

    def torch(self) -> Callable[[], float]:
        import torch

        layers = torch.nn
        network = layers.Sequential(
            layers.Conv2d(1, 8, 5), layers.ReLU(), layers.MaxPool2d(2), layers.Flatten(), layers.Linear(1152, 10)
        ).double()
        with torch.no_grad():
            network[0].weight.copy_(torch.tensor(self.kernels)[:, None])
            network[4].weight.copy_(torch.tensor(self.weights))
            for layer in (network[0], network[4]):
                layer.bias.zero_()
        images, targets = torch.tensor(self.images)[:, None], torch.tensor(self.targets)
        optimiser = torch.optim.SGD(network.parameters(), lr=0.1)

        def steps() -> float:
            for _ in range(STEPS):
                optimiser.zero_grad()
                layers.functional.cross_entropy(network(images), targets).backward()
                optimiser.step()
            return float(layers.functional.cross_entropy(network(images), targets).detach())

        return steps


def bench_convolution_torch(compare: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")
    monkeypatch.setenv("HANDCALC_MAX_BYTES", "10000000")
    monkeypatch.setenv("HANDCALC_MAX_VALUES", "10000000")
    network = Network()
    steps = network.torch()
    assert abs(network.handcalc() - steps()) < 1e-9
    compare(f"convolution, {STEPS} batches of {BATCH}, PyTorch", network.handcalc, steps, at_most=1.2)
