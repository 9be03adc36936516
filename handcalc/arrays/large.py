"""Worked solutions of many samples: the numbers come from whole arrays, the steps cell by cell as ever.

- `derive(problem, rounding, iterations)` is that of handcalc/derive.py, with arrays where there are many cells.
- `kind_of(problem, model, rounding)` makes the derivation of a model, large or small; `check_size(problem, graph)` is for whoever
  needs every cell by itself.

A loss of a hundred samples needs every neuron of all of them: millions of products, of which a reader sees twenty. So an
`ArrayEvaluation` computes a quantity as one array the first time one of its cells is wanted, with the program that training
uses (vectorised.py). A step is still the instance of its general formula; only nobody computes the others one by one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import product
from typing import Any

from handcalc.arrays.unrolling import unrolled
from handcalc.core.derivation import Derivation, Iteration
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Entry, Expr, Number, Power, references, rewrite, walk
from handcalc.core.functions import function
from handcalc.core.graph import Cell, Graph, Quantity
from handcalc.core.instance import Value
from handcalc.core.rounding import Rounding
from handcalc.derive import check_iterations, model_of, work_out
from handcalc.errors import EvaluationError, Message, ProblemError, UnknownIdError
from handcalc.models.model import Model
from handcalc.problem.dataset import Dataset
from handcalc.problem.schema import Problem

LARGE_CELLS = 500_000  # of a graph; above, quantities are computed as arrays
ARRAY_CELLS = 2_000_000  # of one quantity; above, such as a gradient of every sample, it is computed cell by cell

Make = Callable[..., Derivation]


def derive(problem: Problem, rounding: Rounding | None = None, iterations: int = 1) -> Derivation:
    """The worked solution of a problem, `iterations` updates long; any number of samples.

    rounding: instead of the problem's own. Steps are computed on demand; a step without a finite value raises
    EvaluationError when it is asked for. Raises ProblemError where there are too many samples to round or to work in fractions.
    """
    check_iterations(problem, iterations)
    model = model_of(problem)
    return work_out(problem, model, rounding, iterations, kind_of(problem, model, rounding))


def kind_of(problem: Problem, model: Model, rounding: Rounding | None = None) -> Make:
    """What makes the derivation of a model."""
    cells = _cells(model.graph)
    if cells <= LARGE_CELLS or unrolled(model.graph) is not model.graph:  # what recurs is computed cell by cell
        return Derivation
    chosen = rounding or problem.rounding or Rounding()
    if chosen.carry or chosen.exact:
        message = "{count} numbers are too many to round on the way, or to work in fractions; take fewer samples, or full precision"
        raise ProblemError(Message(message, _where(problem), count=cells))
    return partial(LargeDerivation, _data(problem, model.graph))


def check_size(problem: Problem, graph: Graph) -> None:
    """Whether every cell can be worked by itself, also with many samples. Raises ProblemError."""
    cells = _cells(graph)
    if cells > LARGE_CELLS and "x" in graph and graph["x"].sampled:
        message = "{count} numbers are too many to work one by one; take fewer samples at a time, as with training: {example}"
        raise ProblemError(Message(message, _where(problem), count=cells, example="{mode: mini_batch, batch_size: 2}"))


def _cells(graph: Graph) -> int:
    return sum(map(_size, graph))


def _where(problem: Problem) -> str:
    return f"{problem.path}: " if problem.path else ""


def _data(problem: Problem, graph: Graph) -> dict[str, Any]:
    """The inputs and targets that are arrays already."""
    count = graph["x"].axes[0].size if "x" in graph and graph["x"].sampled else 0
    if not isinstance(problem.samples, Dataset) or not count:
        return {}
    from handcalc.arrays.feeding import as_arrays, shapes_in

    inputs, targets = as_arrays(problem.samples[:count], shapes_in(graph))
    return {"x": inputs, "t": targets}


class LargeDerivation(Derivation):
    """A derivation whose evaluations are by arrays; data: given quantities that are arrays already; the rest as there."""

    def __init__(self, data: Mapping[str, Any], *arguments: Any) -> None:
        super().__init__(*arguments)
        self._data = data
        self._rounds = {1: Iteration(ArrayEvaluation(self.graph, self.rounding, self.evaluation.replaced, data))}

    def iteration(self, number: int) -> Iteration:
        """The round with that number."""
        if number not in self._rounds:
            latest = max(known for known in self._rounds if known <= number)
            current = self._rounds[latest].evaluation
            for following in range(latest + 1, number + 1):
                replaced = dict(self._feed(following))
                for parameter, new in self.carried.items():
                    replaced |= {(parameter, place): current[new, place] for place in self.graph.positions(parameter)}
                current = ArrayEvaluation(self.graph, self.rounding, replaced, self._data)
            self._rounds[number] = Iteration(current)
        return self._rounds[number]

    def find(self, text: str) -> tuple[Cell, int]:
        """The cell and iteration of an id, looked for in its sample only. Raises UnknownIdError."""
        head, colon, rest = text.partition(":") if text.startswith("#") else ("#1", ":", text)
        number = int(head[1:]) if head[1:].isascii() and head[1:].isdigit() and len(head) < 9 else 0
        labels = rest.split("@")[1:]
        for quantity in self.graph if colon and 1 <= number <= max(self.iterations, 1) else ():
            if quantity.sampled == bool(labels) and rest.startswith((quantity.prefix, quantity.name)):
                for place in _places(quantity, labels):
                    if self.graph.present(quantity.name, place) and self.graph.cell_id((quantity.name, place)) == rest:
                        return (quantity.name, place), number
        raise UnknownIdError(Message("there is no step {found}", found=f'"{text}"'))


def _places(quantity: Quantity, labels: list[str]) -> Iterator[tuple[int, ...]]:
    """The places of a quantity; with samples, those of the one that is named."""
    axes = quantity.axes
    samples = [place for place in range(axes[0].size) if axes[0].label(place) == labels[0]] if quantity.sampled else []
    if samples or not quantity.sampled:
        yield from product(*([samples] if samples else []), *(range(axis.size) for axis in axes[len(samples) :]))


class ArrayEvaluation(Evaluation):
    """Values of a graph's cells in full precision, computed a quantity at a time; data: arrays of given quantities."""

    def __init__(self, graph: Graph, rounding: Rounding, replaced: Mapping[Cell, Value], data: Mapping[str, Any]) -> None:
        super().__init__(graph, rounding, replaced)
        self._graph = graph
        self._replaced = {name for name, _ in replaced}
        self._arrays = {name: array for name, array in data.items() if name not in self._replaced}
        self._fraction: dict[str, bool] = {}

    def __getitem__(self, wanted: Cell) -> Value:
        """The value of a cell. Raises EvaluationError where it is no finite number."""
        if wanted not in self.values:
            name, place = wanted
            if self._is_whole(self._graph[name]):
                value = float(self._array(name)[place])
                if not math.isfinite(value):
                    raise EvaluationError(self._reason(wanted, OverflowError()))
                self.values[wanted] = self.unrounded[wanted] = value
            else:
                for used in () if self.literal(wanted) is not None else self._graph.uses(wanted):
                    self[used]
                super().__getitem__(wanted)
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
        return quantity.definition is not None and not quantity.cases and _size(quantity) <= ARRAY_CELLS

    def _array(self, wanted: str) -> Any:
        """The array of a quantity; it and all that it needs are computed once."""
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
                    self._arrays[name] = _spread(quantity, program, tuple(self._arrays[used] for used in needed))
        return self._arrays[wanted]

    def _filled(self, quantity: Quantity) -> Any:
        """An array from single cells; 0 where there is no cell, as in a formula."""
        import numpy

        found = numpy.zeros(tuple(axis.size for axis in quantity.axes))
        for place in self._graph.positions(quantity.name):
            found[place] = float(self[quantity.name, place])
        return found


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
