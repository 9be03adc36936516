"""Forward passes of many samples at once: the loss of all of them, and what the network answers.

- `Passes(model, state)` makes the programs; `loss(state, samples)` and `outputs(state, samples)` run them, `loss_and_outputs` both at once.

Samples that are held as arrays are worked some thousand at a time, so that no second copy of all of them is needed: the last
quantities with a sample axis that the loss is made of (the losses of the samples) are put together, then the loss is its own
formula of them. Where a formula mixes samples, as normalisation over a batch does, or samples have initial states of their own, they
are worked all at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from handcalc.arrays.feeding import as_arrays, data_of, shaped, shapes_in
from handcalc.arrays.unrolling import at_time, unrolled
from handcalc.arrays.vectorised import Arrays, compiled
from handcalc.core.expr import Entry, Total, references, walk
from handcalc.core.graph import Graph
from handcalc.models.model import Model
from handcalc.problem.dataset import Dataset, Samples

NUMBERS_AT_ONCE = 200_000  # of the inputs that are worked together: more do not stay in the cache of a processor


class Passes:
    """Programs of a model whose graph has a sample axis; state: the quantities of a state, in order."""

    def __init__(self, model: Model, state: Sequence[str]) -> None:
        graph, loss = unrolled(model.graph), model.loss
        self._cells = [at_time(model.graph, cell) for cell in model.answers()]
        self._outputs = list(dict.fromkeys(name for name, _ in self._cells))
        self._shapes = shapes_in(graph)
        data = data_of(graph)
        own = any(quantity.sampled and quantity.definition is None and quantity.name not in data for quantity in graph)
        self._mixed = own or any(_mixes(graph, name) for name in self._outputs)
        parts = () if self._mixed else tuple(name for name in _uses(graph, loss) if graph[name].sampled)
        self._count = len(parts or [loss])
        self._answers = _quiet(compiled(graph, state, data[:1], self._outputs)[1])
        self._before = _quiet(compiled(graph, state, data, parts or [loss])[1])
        self._both = _quiet(compiled(graph, state, data, [*(parts or [loss]), *self._outputs])[1])
        self._loss = _quiet(compiled(graph, state, parts, [loss])[1]) if parts else None

    def loss(self, state: Arrays, samples: Samples) -> float:
        """The loss of all samples."""
        return self._whole(state, [self._before(state, row) for row in self._summed(samples)])

    def loss_and_outputs(self, state: Arrays, samples: Samples) -> tuple[float, Any]:
        """The loss of all samples, and the outputs, from one pass."""
        import numpy

        found = [self._both(state, row) for row in self._summed(samples)]
        loss = self._whole(state, [arrays[: self._count] for arrays in found])
        return loss, numpy.concatenate([self._stacked(arrays[self._count :]) for arrays in found])

    def _whole(self, state: Arrays, found: Sequence[Arrays]) -> float:
        """The loss from what it is made of, of every piece."""
        import numpy

        if self._loss is None:
            return float(found[0][0])
        return float(self._loss(state, tuple(map(numpy.concatenate, zip(*found))))[0])

    def outputs(self, state: Arrays, samples: Samples, most: int | None = None) -> Any:
        """The outputs by (sample, output), in the order of the targets; of the first samples, where so many are enough."""
        import numpy

        return numpy.concatenate([self._stacked(self._answers(state, (inputs,))) for inputs, _ in self._pieces(samples, most)])[:most]

    def _stacked(self, arrays: Arrays) -> Any:
        """The outputs by (sample, output)."""
        import numpy

        found = dict(zip(self._outputs, arrays))
        return numpy.stack([found[name][(slice(None), *place[1:])] for name, place in self._cells], axis=1)

    def _summed(self, samples: Samples) -> Iterable[tuple[Any, Any]]:
        """Inputs and targets as a loss takes them: all at once, where it is not put together from pieces."""
        return [as_arrays(samples, self._shapes)] if self._loss is None else self._pieces(samples)

    def _pieces(self, samples: Samples, most: int | None = None) -> Iterator[tuple[Any, Any]]:
        """Inputs and targets, so many samples at a time as fit, until there are enough."""
        if self._mixed or not isinstance(samples, Dataset):
            yield as_arrays(samples, self._shapes)
            return
        step = max(NUMBERS_AT_ONCE // samples.inputs.shape[1], 1)
        for start in range(0, len(samples) if most is None else min(most, len(samples)), step):
            yield shaped(samples.rows(slice(start, start + step)), self._shapes)


def _quiet(program: Callable[[Arrays, Any], Arrays]) -> Callable[[Arrays, Any], Arrays]:
    """A program without warnings: what is not a number is found out by whoever asked."""
    import numpy

    def run(state: Arrays, data: Any) -> Arrays:
        with numpy.errstate(all="ignore"):
            return program(state, data)

    return run


def _uses(graph: Graph, name: str) -> list[str]:
    """The quantities in the formulas of a quantity."""
    return list(dict.fromkeys(ref.quantity for formula in graph[name].formulas for ref in references(formula)))


def _mixes(graph: Graph, name: str) -> bool:
    """Whether a quantity of one sample depends on other samples: somewhere on the way to it samples are summed."""
    pending, seen = [name], {name}
    while pending:
        quantity = graph[pending.pop()]
        for node in walk(quantity.definition) if quantity.definition is not None else ():
            if isinstance(node, (Total, Entry)) and node.index.axis.role == "sample":
                return True
        fresh = [used for used in _uses(graph, quantity.name) if used not in seen]
        seen |= {*fresh}
        pending += fresh
    return False
