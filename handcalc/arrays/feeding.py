"""The data of updates: which samples come when, and their numbers as a program takes them.

- `Feed(problem, graph, size, arrays)` has the batches, epoch after epoch, and the row of each.
- `data_of(graph)` names inputs and targets.
- `as_arrays(samples, shapes)` are inputs and targets as arrays, whatever the samples are; `shapes_in(graph)` their axes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from random import Random
from typing import Any

from handcalc.core.graph import Graph
from handcalc.problem.dataset import Dataset, Samples
from handcalc.problem.schema import Problem

Shapes = tuple[tuple[int, ...], tuple[int, ...]]  # sizes of the axes of inputs and of targets, without the sample


class Feed:
    """The samples of a problem as data, `size` at a time; arrays: whether the program takes arrays, else rows of numbers."""

    def __init__(self, problem: Problem, graph: Graph, size: int, arrays: bool) -> None:
        self.samples = problem.samples
        self.size = size
        self.arrays = arrays
        self._shapes = shapes_in(graph)
        self._shuffled = problem.training.order == "shuffled"
        self._random = Random(problem.training.seed)
        self._rows: tuple[Any, Any] = ((), ())
        if self.samples and not isinstance(self.samples, Dataset):
            parts = numbers_of(self.samples, "inputs"), numbers_of(self.samples, "targets")
            self._rows = as_arrays(self.samples, self._shapes) if arrays else parts

    def batches(self) -> Iterator[Sequence[int]]:
        """The places of the samples of every update, epoch after epoch; the same seed gives the same order everywhere."""
        places: Any = list(range(len(self.samples)))
        while True:
            if self._shuffled:
                places = self._order(places)
            for start in range(0, len(places), self.size):
                yield places[start : start + self.size]

    def _order(self, places: Any) -> Any:
        """Another order: by keys drawn for an array, whose list would take longer to shuffle than an epoch to train."""
        if not isinstance(self.samples, Dataset):
            self._random.shuffle(places)
            return places
        import numpy

        keys = numpy.frombuffer(self._random.randbytes(8 * len(places)), "<u8")
        return numpy.argsort(keys, kind="stable")

    def row(self, batch: Sequence[int]) -> Any:
        """The data of some samples as a program takes them; a single sample has no sample axis."""
        chosen = batch[0] if len(batch) == 1 else batch
        if isinstance(self.samples, Dataset):
            return shaped(self.samples.rows(chosen), self._shapes)
        inputs, targets = self._rows
        if self.arrays:
            return inputs[chosen], targets[chosen]
        return tuple(chain.from_iterable([inputs[place] for place in batch] + [targets[place] for place in batch]))


def numbers_of(samples: Samples, part: str) -> list[list[float]]:
    """The `inputs` or `targets` of every sample."""
    if isinstance(samples, Dataset):
        found: list[list[float]] = samples.rows()[part == "targets"].tolist()
        return found
    return [[literal.numerator / literal.denominator for literal in getattr(sample, part) or ()] for sample in samples]


def data_of(graph: Graph) -> tuple[str, str]:
    """The quantities that every sample has numbers for: inputs and targets, "" where there are none."""
    return graph.inputs, graph.targets


def shapes_in(graph: Graph) -> Shapes:
    """The axes of inputs and targets in a graph; () where there are none."""
    inputs, targets = (graph[name].axes if name else () for name in data_of(graph))
    return tuple(axis.size for axis in inputs if axis.role != "sample"), tuple(axis.size for axis in targets if axis.role != "sample")


def shaped(rows: tuple[Any, Any], shapes: Shapes) -> tuple[Any, Any]:
    """Rows of numbers with the axes of the graph."""
    inputs, targets = rows
    return inputs.reshape(*inputs.shape[:-1], *shapes[0]), targets.reshape(*targets.shape[:-1], *shapes[1])


def as_arrays(samples: Samples, shapes: Shapes) -> tuple[Any, Any]:
    """Inputs by (sample, …) and targets by (sample, …)."""
    if isinstance(samples, Dataset):
        return shaped(samples.rows(), shapes)
    import numpy

    inputs, targets = (numpy.array(numbers_of(samples, part)).reshape(len(samples), -1) for part in ("inputs", "targets"))
    return shaped((inputs, targets), shapes)
