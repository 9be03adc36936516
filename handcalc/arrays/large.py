"""Evaluations of many samples: the numbers come from whole arrays.

- `evaluator(problem, graph, rounding, by_cells)` is what makes the evaluations of a derivation, large or small.

A loss of a hundred samples needs every neuron of all of them: millions of products, of which a reader sees twenty. So an
`ArrayEvaluation` computes a quantity as one array the first time one of its cells is wanted, with the program that training
uses (vectorised.py). A step is still the instance of its general formula; only nobody computes the others one by one.

Every derivation asks here, and few are large: what works on arrays is imported when it is needed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from handcalc.arrays.unrolling import recurs
from handcalc.core.derivation import Evaluator
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Entry, Expr, Number, Power, references, rewrite, walk
from handcalc.core.functions import function
from handcalc.core.graph import Graph
from handcalc.core.instance import Value
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.dataset import Dataset
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.schema import Problem

LARGE_CELLS = 500_000  # of a graph; above, quantities are computed as arrays
ARRAY_CELLS = 2_000_000  # of one quantity; above, such as a gradient of every sample, it is computed cell by cell


def evaluator(problem: Problem, graph: Graph, rounding: Rounding, by_cells: bool = False) -> Evaluator:
    """What makes the evaluations of a problem's graph: cell by cell, or by arrays where there are many; what recurs is always
    computed cell by cell. Raises ProblemError where there are too many samples for what is wanted."""
    count = sum(map(_size, graph))
    if count <= LARGE_CELLS:
        return Evaluation
    where = f"{problem.path}: " if problem.path else ""
    sampled = graph.inputs != "" and graph[graph.inputs].sampled
    if by_cells and sampled:
        text = "{count} numbers are too many to work one by one; take fewer samples at a time, as with training: {example}"
        raise ProblemError(Message(text, where, count=count, example="{mode: mini_batch, batch_size: 2}"))
    if by_cells or recurs(graph):
        return Evaluation
    if rounding.carry or rounding.exact:
        text = "{count} numbers are too many to round on the way, or to work in fractions; take fewer samples, or full precision"
        raise ProblemError(Message(text, where, count=count))
    return partial(ArrayEvaluation, data=_data(problem, graph) if sampled else {})


def _data(problem: Problem, graph: Graph) -> dict[str, Any]:
    """The inputs and targets of samples, where they are arrays already."""
    if not isinstance(problem.samples, Dataset):
        return {}
    from handcalc.arrays.feeding import as_arrays, data_of, shapes_in

    return dict(zip(data_of(graph), as_arrays(problem.samples, shapes_in(graph))))


class ArrayEvaluation(Evaluation):
    """Values of a graph's cells in full precision, computed a quantity at a time; data: arrays of given quantities."""

    def __init__(self, graph: Graph, rounding: Rounding, replaced: Mapping[Cell, Value], data: Mapping[str, Any]) -> None:
        super().__init__(graph, rounding, replaced)
        self._graph = graph
        self._replaced = {name for name, _ in (*replaced, *graph.fixed)}
        self._arrays = {name: array for name, array in data.items() if name not in self._replaced}
        self._fraction: dict[str, bool] = {}
        self._edges: dict[str, Any] = {}
        self._whole: dict[str, bool] = {}

    def precise(self, wanted: Cell) -> Value:
        """The value of a cell. Raises EvaluationError where it is no finite number."""
        if wanted not in self.values:
            name, place = wanted
            if name not in self._whole:
                self._whole[name] = self._is_whole(self._graph[name])
            if self._whole[name]:
                value = float(self._array(name)[self._row(name, place)])
                if not math.isfinite(value):
                    raise self._failure(wanted, OverflowError())
                self.values[wanted] = self.unrounded[wanted] = value
            else:
                for used in () if self.literal(wanted) is not None else self._graph.uses(wanted):
                    self.precise(used)
                super().precise(wanted)
        return self.values[wanted]

    def rational(self, wanted: Cell) -> bool:
        """Whether a cell's value is rational, by the formula of its quantity."""
        return self.literal(wanted) is not None or self._is_fraction(wanted[0])

    def _is_fraction(self, name: str) -> bool:
        if name not in self._fraction:
            formulas = self._graph[name].formulas
            self._fraction[name] = all(map(_plain, formulas)) and all(
                self._is_fraction(ref.quantity) for formula in formulas for ref in references(formula)
            )
        return self._fraction[name]

    # --- arrays ---

    def _is_whole(self, quantity: Quantity) -> bool:
        """Whether a quantity is computed as one array."""
        return (
            quantity.definition is not None
            and not quantity.cases
            and quantity.name not in self._replaced
            and _size(quantity) <= ARRAY_CELLS
        )

    def _array(self, wanted: str) -> Any:
        """The array of a quantity; it and all that it needs are computed once."""
        if wanted in self._arrays:
            return self._arrays[wanted]
        from handcalc.arrays.vectorised import compiled, put_in

        pending = [wanted]
        while pending:
            name = pending[-1]
            quantity = self._graph[name]
            if name in self._arrays:
                pending.pop()
            elif quantity.definition is None or quantity.cases or name in self._replaced:
                self._arrays[name] = self._filled(quantity)
            else:
                formula = rewrite(quantity.definition, lambda node: put_in(self._graph, node))
                needed = list(dict.fromkeys(ref.quantity for ref in references(formula)))
                missing = [used for used in needed if used not in self._arrays]
                pending += missing
                if not missing:
                    program = compiled(self._graph, (), needed, [name])[1]
                    found, there = _spread(quantity, program, tuple(self._arrays[used] for used in needed)), self._there(quantity)
                    self._arrays[name] = found if there is None else found * there
        return self._arrays[wanted]

    def _there(self, quantity: Quantity) -> Any:
        """1 where a parameter, or what is derived from it, has a cell and 0 where there is no edge; None where all are there."""
        graph = self._graph
        while quantity.givens is None and quantity.of is not None and quantity.axes == graph[quantity.of.quantity].axes:
            quantity = graph[quantity.of.quantity]
        name = quantity.name
        if quantity.kind not in PARAMETERS or quantity.givens is None:
            return None
        if name not in self._edges:
            places = [*graph.positions(name)]
            self._edges[name] = None if len(places) == _size(quantity) else self._ones(quantity, places)
        return self._edges[name]

    @staticmethod
    def _ones(quantity: Quantity, places: list[tuple[int, ...]]) -> Any:
        import numpy

        found = numpy.zeros(tuple(axis.size for axis in quantity.axes))
        for place in places:
            found[place] = 1
        return found

    def _filled(self, quantity: Quantity) -> Any:
        """An array from single cells; 0 where there is no cell, as in a formula."""
        import numpy

        if _size(quantity) > limit("worked"):
            text = "{count} numbers of one kind are too many for a worked solution; train the network, or set {variable} to raise the limit"
            raise ProblemError(Message(text, count=_size(quantity), variable=raised_by("worked")))
        found = numpy.zeros(tuple(axis.size for axis in quantity.axes))
        for place in self._graph.positions(quantity.name):
            found[self._row(quantity.name, place)] = float(self[quantity.name, place])
        return found

    def _row(self, name: str, place: tuple[int, ...]) -> tuple[int, ...]:
        """Where the number of a cell stands in its array: in the rows of a mini-batch, which has a part of the samples."""
        part = self._graph[name].axes[0].part if place else ()
        return (part.index(place[0]), *place[1:]) if part else place


def _spread(quantity: Quantity, program: Callable[..., Any], row: tuple[Any, ...]) -> Any:
    """What a program gives, along every axis of the quantity, also those its formula does not have."""
    import numpy

    with numpy.errstate(all="ignore"):  # what is not a number is found out when somebody looks at it
        return numpy.broadcast_to(program((), row)[0], tuple(axis.size for axis in quantity.axes))


def _size(quantity: Quantity) -> int:
    return math.prod(axis.size for axis in quantity.axes)


def _plain(expr: Expr) -> bool:
    """Whether a formula of rational numbers is rational."""
    for node in walk(expr):
        if isinstance(node, (Call, Entry)) and not function(node.function).rational:
            return False
        if isinstance(node, Power) and not (isinstance(node.exponent, Number) and node.exponent.denominator == 1):
            return False
    return True
