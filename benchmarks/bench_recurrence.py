"""Training an RNN and an LSTM on one sequence, against PyTorch's modules (eager, double and single precision).

A ratio is the time of PyTorch over ours, runs that take turns in one process; the first updates, for which code is written, do not count.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from handcalc.loading.loader import loads
from handcalc.training.trainer import Trainer

COLUMNS = ("handcalc", "peer", "ratio", "target")
STEPS = 20
CASES = [("rnn", 20, 4, 8), ("rnn", 50, 8, 32), ("lstm", 10, 4, 8), ("lstm", 20, 8, 32)]  # times, inputs, units
GATES = ("input", "forget", "candidate", "output")


class Network:
    """The same numbers for both."""

    def __init__(self, kind: str, times: int, inputs: int, units: int) -> None:
        draw = np.random.default_rng(1)
        self.kind, self.parts = kind, GATES if kind == "lstm" else ("",)
        self.inputs = draw.random((times, inputs)).round(4)
        self.own = {part: draw.normal(0, 0.3, (units, inputs)).round(4) for part in self.parts}
        self.hidden = {part: draw.normal(0, 0.8 * units**-0.5, (units, units)).round(4) for part in self.parts}
        self.bias = {part: draw.normal(0, 0.3, units).round(4) for part in self.parts}
        self.last = draw.normal(0, 0.3, units).round(4)
        self.trainer = Trainer(loads(self.text))

    @property
    def text(self) -> str:
        """The problem."""
        names = ", ".join(f"h{number}" for number in range(1, len(self.last) + 1))
        keys = {"input_weights": self.own, "hidden_weights": self.hidden, "bias": self.bias}
        parts = {part: ", ".join(f"{key}: {numbers[part].tolist()}" for key, numbers in keys.items()) for part in self.parts}
        given = parts.get("") or "gates: {" + ", ".join(f"{part}: {{{numbers}}}" for part, numbers in parts.items()) + "}"
        return f"""
inputs: {self.inputs.tolist()}
targets: [1]
layers:
  - {{type: {self.kind}, neurons: [{names}], returns: last, {given}}}
  - {{neurons: 1, activation: sigmoid, weights: [{self.last.tolist()}], bias: [0]}}
loss: half_squared_error
learning_rate: 0.1
"""

    def handcalc(self) -> float:
        self.trainer.advance(STEPS)
        return self.trainer.loss()

    def torch(self, single: bool) -> Callable[[], float]:
        import torch

        kind = torch.float if single else torch.double
        module = getattr(torch.nn, self.kind.upper())(self.inputs.shape[1], len(self.last)).to(kind)
        above = torch.nn.Linear(len(self.last), 1).to(kind)

        def put(parameter: torch.Tensor, numbers: dict[str, np.ndarray]) -> None:
            parameter.copy_(torch.tensor(np.concatenate([numbers[part] for part in self.parts])))

        with torch.no_grad():
            put(module.weight_ih_l0, self.own)
            put(module.weight_hh_l0, self.hidden)
            put(module.bias_ih_l0, self.bias)
            module.bias_hh_l0.zero_()
            above.weight.copy_(torch.tensor(self.last)[None])
            above.bias.zero_()
        module.bias_hh_l0.requires_grad_(False)  # one bias is enough
        trained = [one for one in (*module.parameters(), *above.parameters()) if one.requires_grad]
        optimiser, inputs = torch.optim.SGD(trained, lr=0.1), torch.tensor(self.inputs, dtype=kind)

        def loss() -> torch.Tensor:
            return 0.5 * ((1 - torch.sigmoid(above(module(inputs)[0][-1]))) ** 2).sum()

        def steps() -> float:
            for _ in range(STEPS):
                optimiser.zero_grad()
                loss().backward()
                optimiser.step()
            return float(loss().detach())

        return steps


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize(("kind", "times", "inputs", "units"), CASES)
def bench_torch(compare: Callable[..., None], kind: str, times: int, inputs: int, units: int, single: bool) -> None:
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    network = Network(kind, times, inputs, units)
    steps = network.torch(single)
    assert abs(network.handcalc() - steps()) < (1e-4 if single else 1e-9)
    compare(f"{kind}, {times} times, {inputs}-{units}, float{32 if single else 64}", network.handcalc, steps, at_least=1)
