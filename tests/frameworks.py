"""Random networks of frameworks, and what the frameworks make of them, for the laws on imports.

- `Result` holds outputs, loss, gradients and new values by layer and key, as arrays; `compared(problem, result, tolerance)` asserts that
  the problem's solution has the same numbers, and answers how many there were.
- `TORCH` are modules with their inputs, by name; `torch_result(module, …)` is one step of training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np

from handcalc.bridges.cells import Key, cells_by_key
from handcalc.core.evaluation import Evaluation
from handcalc.models import build
from handcalc.problem.schema import Problem

Array = Any
Random = np.random.Generator


@dataclass(frozen=True)
class Result:
    """What a framework says; gradients and new values by layer and key, with a row per neuron."""

    outputs: Array
    loss: float | None = None
    gradients: Mapping[Key, Array] = field(default_factory=dict)
    updated: Mapping[Key, Array] = field(default_factory=dict)


def compared(problem: Problem, result: Result, tolerance: float) -> int:
    """How many numbers were compared; an AssertionError names the first that differ.

    A gradient may be a small rest of large terms, such as that of a bias, a sum over all places: errors are of the size of the
    largest gradient, whatever is left of it in one array.
    """
    graph = build(problem).graph
    known = Evaluation(graph)
    cells = cells_by_key(problem, graph)

    def same(wanted: list[tuple[str, tuple[int, ...]]], expected: Array, what: str, largest: float = 0) -> int:
        found, judged = np.array([float(known[cell]) for cell in wanted]), np.asarray(expected, dtype=float).ravel()
        assert found.size == judged.size > 0, f"{what}: {found.size} numbers, expected {judged.size}"
        scale = max(float(np.abs(judged).max()), largest)
        assert (np.abs(found - judged) <= tolerance * scale).all(), f"{what}: {found} expected {judged}"
        return found.size

    last = graph.in_layer(len(problem.layers), "out")
    places = [place for place in graph.positions(last) if not _start(graph[last], place)]
    count = same([(last, place) for place in places], result.outputs, "outputs")
    if result.loss is not None:
        count += same([("loss", ())], [result.loss], "loss")
    largest = max((float(np.abs(np.asarray(expected)).max()) for expected in result.gradients.values()), default=0.0)
    for key, expected in result.gradients.items():
        count += same([(graph.gradient(name), place) for name, place in cells[key]], expected, f"gradient of {key}", largest)
    for key, expected in result.updated.items():
        count += same([(graph.updated(name), place) for name, place in cells[key]], expected, f"new {key}")
    return count


def _start(quantity: Any, place: tuple[int, ...]) -> bool:
    """The state before the first time."""
    return any(axis.role == "time" and axis.along(one) in ("0", "t0") for axis, one in zip(quantity.axes, place))


# --- PyTorch ------------------------------------------------------------------------------------------------------------


class Later:
    """A module that is imported when something of it is first used."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, key: str) -> Any:
        return getattr(import_module(self.name), key)


torch, nn = Later("torch"), Later("torch.nn")


def _activation(random: Random) -> Any:
    made = (nn.ReLU, nn.Sigmoid, nn.Tanh, nn.LeakyReLU, nn.ELU, nn.GELU, nn.SiLU, nn.Softplus, nn.Mish, nn.Softsign)
    return made[random.integers(len(made))]()


def dense_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    sizes = [int(one) for one in random.integers(1, 5, random.integers(2, 5))]
    parts = [
        part for one, two in zip(sizes, sizes[1:]) for part in (nn.Linear(one, two, bias=bool(random.integers(4))), _activation(random))
    ]
    return nn.Sequential(*(parts if random.integers(2) else parts[:-1])), (sizes[0],)


def conv_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    channels, filters = int(random.integers(1, 3)), int(random.integers(1, 4))
    pool = nn.MaxPool2d(2) if random.integers(2) else nn.AvgPool2d(2)
    parts = [nn.Conv2d(channels, filters, 3, padding=int(random.integers(2))), _activation(random), pool, nn.Flatten()]
    side = (5 + 2 * parts[0].padding[0] - 2) // 2
    return nn.Sequential(*parts, nn.Linear(filters * side * side, 2)), (channels, 5, 5)


def spread_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    channels, filters, flat = int(random.integers(1, 3)), int(random.integers(1, 3)), bool(random.integers(2))
    kind = nn.ConvTranspose1d if flat else nn.ConvTranspose2d
    parts = [kind(channels, filters, 3, stride=2, padding=1, output_padding=int(random.integers(2))), _activation(random)]
    side = 3 + parts[0].output_padding[0]  # of 2
    parts += [nn.Upsample(scale_factor=2)] if flat else []
    return nn.Sequential(*parts, nn.Flatten(), nn.Linear(filters * (2 * side if flat else side**2), 2)), (
        channels,
        2,
        *([] if flat else [2]),
    )


def decoding_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    channels, rows, columns = (int(random.integers(1, 3)) for _ in range(3))
    parts = [nn.Linear(2, channels * rows * columns), _activation(random), nn.Unflatten(1, (channels, rows, columns))]
    return nn.Sequential(*parts, nn.ConvTranspose2d(channels, 1, 2, stride=2), nn.Flatten(), nn.Linear(4 * rows * columns, 2)), (2,)


def norm_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    size = int(random.integers(3, 5))
    norm = nn.LayerNorm(size) if random.integers(2) else nn.BatchNorm1d(size)
    module = nn.Sequential(nn.Linear(3, size, bias=False), norm, _activation(random), nn.Linear(size, 2))
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.uniform_(0.5, 1.5)
    return module, (3,)


def recurrent_module(random: Random) -> tuple[Any, tuple[int, ...]]:
    kind = ("LSTM", "GRU", "RNN")[random.integers(3)]
    return getattr(nn, kind)(2, int(random.integers(1, 4)), batch_first=True), (3, 2)


MODULES: dict[str, Callable[[Random], tuple[Any, tuple[int, ...]]]] = {
    "dense": dense_module, "conv": conv_module, "norm": norm_module, "recurrent": recurrent_module, "spread": spread_module,
    "decoding": decoding_module,
}  # fmt: skip


def optimiser(random: Random, parameters: Any) -> Any:
    made = (
        lambda: torch.optim.SGD(parameters, 0.1),
        lambda: torch.optim.SGD(parameters, 0.1, momentum=0.9, weight_decay=0.01),
        lambda: torch.optim.SGD(parameters, 0.1, momentum=0.8, nesterov=True),
        lambda: torch.optim.Adam(parameters, 0.01),
        lambda: torch.optim.AdamW(parameters, 0.01),
        lambda: torch.optim.RMSprop(parameters, 0.01),
        lambda: torch.optim.Adagrad(parameters, 0.01),
    )
    return made[random.integers(len(made))]()


def criterion(random: Random) -> Any:
    made = (nn.MSELoss(), nn.MSELoss(reduction="sum"), nn.L1Loss(), nn.HuberLoss(), nn.SmoothL1Loss(beta=0.5), nn.BCEWithLogitsLoss())
    return made[random.integers(len(made))]


def torch_step(module: Any, inputs: Any, targets: Any, loss: Any, optimizer: Any, parameters: Mapping[Key, tuple[str, ...]]) -> Result:
    """One step of training; parameters: which of the module stand under a key."""
    outputs = module(inputs)
    outputs = outputs[0] if isinstance(outputs, tuple) else outputs
    value = loss(outputs, targets)
    optimizer.zero_grad()
    value.backward()
    named = dict(module.named_parameters())
    gradients = {key: named[names[0]].grad.numpy().copy() for key, names in parameters.items()}
    optimizer.step()
    updated = {key: named[names[0]].detach().numpy() for key, names in parameters.items() if len(names) == 1}
    inside = torch.sigmoid if "Logits" in type(loss).__name__ else (lambda z: z)
    return Result(inside(outputs).detach().numpy(), float(value.detach()), gradients, updated)
