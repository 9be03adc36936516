"""The data of updates: the numbers of their samples as a program takes them.

- `Feed(problem, graph, arrays)` has the row of every batch.
- `data_of(graph)` names inputs and targets.
- `as_arrays(samples, shapes)` are inputs and targets as arrays, whatever the samples are; `shapes_in(graph)` their axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from handcalc.core.graph import Graph
from handcalc.problem.dataset import Dataset, Samples
from handcalc.problem.schema import Problem

Shapes = tuple[tuple[int, ...], tuple[int, ...]]  # sizes of the axes of inputs and of targets, without the sample


class Feed:
    """The samples of a problem as data; arrays: whether the program takes arrays, else rows of numbers."""

    def __init__(self, problem: Problem, graph: Graph, arrays: bool) -> None:
        self.samples = problem.samples
        self.arrays = arrays
        self._shapes = shapes_in(graph)
        self._in_columns = not graph.inputs
        self._rows: tuple[Any, Any] = ((), ())
        if self.samples and not isinstance(self.samples, Dataset):
            parts = numbers_of(self.samples, "inputs"), numbers_of(self.samples, "targets")
            self._rows = as_arrays(self.samples, self._shapes) if arrays else parts

    def row(self, batch: Sequence[int]) -> Any:
        """The data of some samples as a program takes them; a single sample has no sample axis."""
        chosen = batch[0] if len(batch) == 1 else batch
        if isinstance(self.samples, Dataset):
            return shaped(self.samples.rows(chosen), self._shapes)
        inputs, targets = self._rows
        if self._in_columns:
            return tuple(chain.from_iterable(zip(*(inputs[place] for place in batch))))
        if self.arrays:
            return inputs[chosen], targets[chosen]
        return tuple(chain.from_iterable([inputs[place] for place in batch] + [targets[place] for place in batch]))


def numbers_of(samples: Samples, part: str) -> list[list[float]]:
    """The `inputs` or `targets` of every sample."""
    if isinstance(samples, Dataset):
        found: list[list[float]] = samples.rows()[part == "targets"].tolist()
        return found
    return [[literal.numerator / literal.denominator for literal in getattr(sample, part) or ()] for sample in samples]


def data_of(graph: Graph) -> tuple[str, ...]:
    """The quantities that every sample has numbers for: inputs and targets, "" where there are none; in equations, names of their own."""
    own = tuple(quantity.name for quantity in graph if quantity.role == "column")
    return own or (graph.inputs, graph.targets)


def shapes_in(graph: Graph) -> Shapes:
    """The axes of inputs and targets in a graph; () where there are none."""
    inputs, targets = (graph[name].axes if name else () for name in (graph.inputs, graph.targets))
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
