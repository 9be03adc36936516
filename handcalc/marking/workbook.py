"""The steps a student may answer: the cells of all iterations as one graph.

- `Workbook(problem, iterations)` has the cells of a derivation; `#2:net.h1` is the cell `net1` of sheet 2, written
  `("#2:net1", (0,))`, whose parameters are the updated ones of sheet 1.
- `Workbook.renumbered(numbers)` is the same with other given numbers, as for the variants of an exercise.
- `instance`, `uses`, `given_value`, `cell_id`, `find` are those of a `Graph`, so an `Evaluation` computes it as any other.

Two things differ from the printed solution, because students write them: an updated parameter is w + Δw, and a
parameter that is not trained has an updated value, which is the old one.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import cached_property
from itertools import product
from math import prod

from handcalc.core.derivation import Derivation
from handcalc.core.expr import ZERO, Expr, Number, Ref, add, references, rewrite
from handcalc.core.graph import Graph
from handcalc.core.order import phase
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.models.model import shape_of
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import Problem

SMALL = 2000  # cells, given ones and all iterations counted
ALIKE = 24  # numbers of a quantity, of which each may be taken for another


class Workbook:
    """The cells of a problem over some iterations.

    derivation: the worked solution the right numbers come from; last: number of the layer of the outputs (0: equations).
    """

    def __init__(self, problem: Problem, iterations: int = 1, rounding: Rounding | None = None, first: int = 1) -> None:
        """first: the round that it begins with, with the parameters as they are given."""
        self.derivation: Derivation = derive(problem, rounding, iterations, by_cells=True)
        self.problem = problem
        self._first = first
        self.graph: Graph = self.derivation.at(first).graph
        self.iterations = iterations
        self.last = max((quantity.layer for quantity in self.graph if quantity.kind == "out"), default=0)
        self._graphs: dict[int, Graph] = {}
        self._at_once: dict[int, Graph] = {}
        self._instances: dict[Cell, Expr] = {}
        self._uses: dict[Cell, tuple[Cell, ...]] = {}
        self.updated = dict(self.derivation.updated)
        self.carried = dict(self.derivation.carried)
        self._others: Mapping[Cell, Number] = {}
        self.of_round(1)

    def renumbered(self, numbers: Mapping[Cell, Number]) -> Workbook:
        """The same steps with other given numbers; formulas do not depend on them, so they are shared."""
        found = copy(self)
        found._others = numbers
        return found

    def has_formulas_of(self, other: Workbook) -> bool:
        """Whether two problems differ in their given numbers only, and the same cells are given, and 0; not known of large ones."""
        if not (self.small and other.small and self.iterations == other.iterations):
            return False
        return self._shapes == other._shapes

    @cached_property
    def _shapes(self) -> list[tuple[object, ...]]:
        """What formulas depend on, of every iteration."""
        return [self._described(number) for number in range(1, self.iterations + 1)]

    def _described(self, number: int) -> tuple[object, ...]:
        graph = self.of_round(number)
        cells = ((quantity.name, place) for quantity in graph for place in product(*(axis.places for axis in quantity.axes)))
        given = [(cell, value.numerator == 0) for cell in cells if (value := graph.given_value(cell)) is not None]
        chosen = [(layer.options, layer.activations) for layer in self.problem.layers]
        return shape_of(self.problem, graph), given, chosen, self.problem.training

    def of_round(self, number: int) -> Graph:
        """The graph of an iteration, in which every sample of its update is, and every parameter has an updated value."""
        found = self._graphs.get(number)
        if found is None:
            found = self._graphs[number] = self.derivation.at(self._first + number - 1).graph
            if self.problem.learning_rate is not None:
                self._add_untrained(found)
        return found

    def _add_untrained(self, graph: Graph) -> None:
        for parameter in [q for q in graph if q.kind in PARAMETERS and not graph.updated(q.name) and not q.unknown]:
            here = Ref(parameter.name, parameter.index)
            shape = (parameter.axes, parameter.index)
            layer = parameter.layer
            graph.define(Quantity(f"delta.{parameter.name}", "change", *shape, ZERO, prefix="delta", of=here, layer=layer))
            graph.define(Quantity(f"new.{parameter.name}", "updated", *shape, here, prefix="new", of=here, layer=layer))

    @cached_property
    def later(self) -> dict[str, str]:
        """Quantity → what it is after the update: an updated parameter, or worked out again."""
        worked = {q.of.quantity: q.name for q in self.graph if q.of is not None and q.stage == "after"}
        return {**self.updated, **worked}

    @cached_property
    def earlier(self) -> dict[str, str]:
        """The other way round: what a quantity of after the update was before."""
        return {new: old for old, new in self.later.items()}

    # --- cells ---

    def quantity(self, wanted: Cell) -> Quantity:
        """The quantity of a cell, without its iteration."""
        return self.of_round(iteration(wanted))[base(wanted)[0]]

    def before(self, wanted: Cell) -> Cell | None:
        """The cell that held the number before the update: w for w⁺, net for net after it, and in the iteration before."""
        quantity, number, (name, place) = self.quantity(wanted), iteration(wanted), base(wanted)
        if quantity.kind == "updated" and quantity.of is not None:
            return on_sheet(number, quantity.of.quantity), place
        if quantity.stage == "after":
            return on_sheet(number, self.earlier[name]), place
        there = number > 1 and self.of_round(number - 1).present(name, place)  # not a sample of another mini-batch
        return (on_sheet(number - 1, name), place) if there else None

    def given_value(self, cell: Cell) -> Number | None:
        """The given number of a cell, None where it is computed."""
        if cell in self._others:
            return self._others[cell]
        number, plain = iteration(cell), base(cell)
        return None if number > 1 and plain[0] in self.carried else self.of_round(number).given_value(plain)

    def instance(self, wanted: Cell) -> Expr:
        """The definition of one cell."""
        found = self._instances.get(wanted)
        if found is None:
            number, (name, place) = iteration(wanted), base(wanted)
            if name in self.carried and number > 1:
                found = Ref(on_sheet(number - 1, self.carried[name]), place)
            else:
                found = self.moved(self.written((name, place), number), number)
            self._instances[wanted] = found
        return found

    def is_slope(self, wanted: Cell) -> bool:
        """Whether a cell is a derivative."""
        return self.of_round(iteration(wanted)).is_slope(base(wanted))

    def written(self, plain: Cell, number: int = 1, at_once: bool = False) -> Expr:
        """The definition of one cell of an iteration, over cells named as in the first; at_once: not by its steps, those of softmax."""
        (name, place), graph = plain, self.of_round(number)
        if at_once and graph[name].stepwise:
            graph = self._at_once.get(number) or self._at_once.setdefault(number, graph.at_once)
        quantity = graph[name]
        if not self._is_updated(plain) or quantity.of is None:
            return graph.instance(plain)
        parameter = quantity.of.quantity
        return add(Ref(parameter, place), Ref(graph.change(parameter), place))

    def _is_updated(self, plain: Cell) -> bool:
        """Whether a cell is a parameter that an update changes."""
        quantity = self.graph[plain[0]]
        return quantity.kind == "updated" and not quantity.stage and not isinstance(self.graph.instance(plain), Ref)

    def at_once(self, wanted: Cell) -> Expr:
        """The definition of one cell, where a softmax is worked in one line."""
        number, plain = iteration(wanted), base(wanted)
        if not self.quantity(wanted).stepwise:
            return self.instance(wanted)
        return self.moved(self.written(plain, number, at_once=True), number)

    @property
    def has_steps(self) -> bool:
        """Whether anything is worked in steps that may also be worked in one line."""
        return any(quantity.stepwise for quantity in self.graph)

    def in_one_line(self, wanted: Cell) -> Expr:
        """The definition of one cell, where a new parameter is w − η·∂E/∂w in one line, as solutions print it."""
        plain, number = base(wanted), iteration(wanted)
        if (number > 1 and plain[0] in self.carried) or not self._is_updated(plain):
            return self.instance(wanted)
        return self.moved(self.graph.instance(plain), number)

    def moved(self, expr: Expr, number: int) -> Expr:
        """An expression over the cells of an iteration; parameters that are never updated stay where they are given."""
        if number == 1:
            return expr
        return rewrite(expr, lambda node: Ref(on_sheet(number, node.quantity), node.indices) if isinstance(node, Ref) else None)

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells a definition uses."""
        found = self._uses.get(wanted)
        if found is None:
            found = self._uses[wanted] = tuple(cell(ref) for ref in references(self.instance(wanted)))
        return found

    # --- ids ---

    def cell_id(self, wanted: Cell) -> str:
        """The id of a cell, with its iteration."""
        number = iteration(wanted)
        return (f"#{number}:" if number > 1 else "") + self.of_round(number).cell_id(base(wanted))

    def phase(self, wanted: Cell) -> str:
        """The phase a cell belongs to."""
        return phase(self.quantity(wanted))

    def find(self, text: str) -> Cell:
        """The cell with an id. Raises UnknownIdError."""
        found, number = self.derivation.find(text)
        return on_sheet(number, found[0]), found[1]

    @cached_property
    def small(self) -> bool:
        """Whether all its cells can be looked at."""
        size = sum(prod(axis.size for axis in quantity.axes) for quantity in self.graph)
        return size * self.iterations <= (SMALL if self.iterations == 1 else SMALL // 5)

    def cells(self, number: int = 1) -> list[Cell]:
        """The computed cells of an iteration in reading order."""
        graph, derivation = self.of_round(number), self.derivation.at(self._first + number - 1)
        groups = [group for group in derivation.groups() if group.quantity.definition is not None]
        found = ((group.quantity.name, place) for group in groups for place in derivation.places(group))
        return [(on_sheet(number, name), place) for name, place in found if graph.given_value((name, place)) is None]


class InOneLine:
    """A workbook in which some results are worked out in one line, for an `Evaluation`: what is on the way to them is not rounded.

    updates: new parameters, whose Δw is not rounded before it is added; outputs: those of softmax, whose powers and sum are not.
    """

    def __init__(self, book: Workbook, updates: bool = True, outputs: bool = False) -> None:
        self.book = book
        self.updates = updates
        self.outputs = outputs

    def given_value(self, cell: Cell) -> Number | None:
        """The given number of a cell."""
        return self.book.given_value(cell)

    def instance(self, wanted: Cell) -> Expr:
        """The definition of one cell."""
        if self.outputs and self.book.quantity(wanted).stepwise:
            return self.book.at_once(wanted)
        return self.book.in_one_line(wanted) if self.updates else self.book.instance(wanted)

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells that definition uses."""
        return tuple(cell(ref) for ref in references(self.instance(wanted)))

    def cell_id(self, cell: Cell) -> str:
        """The id of a cell."""
        return self.book.cell_id(cell)

    def is_slope(self, cell: Cell) -> bool:
        """Whether a cell is a derivative."""
        return self.book.is_slope(cell)


class OnSheet(str):
    """The name of a quantity in an iteration after the first; iteration: its number, base: its name in the first."""

    iteration: int
    base: str


def base(wanted: Cell) -> Cell:
    """A cell of an iteration as that of the first."""
    name = wanted[0]
    return (name.base, wanted[1]) if isinstance(name, OnSheet) else wanted


def iteration(wanted: Cell) -> int:
    """The iteration a cell belongs to."""
    name = wanted[0]
    return name.iteration if isinstance(name, OnSheet) else 1


def on_sheet(number: int, name: str) -> str:
    """The name of a quantity in an iteration."""
    if number == 1:
        return name
    made = OnSheet(f"#{number}:{name}")
    made.iteration, made.base = number, name
    return made


def iteration_of(text: str) -> int:
    """The iteration an id speaks of: 3 of #3:net.h1, 1 where it says none that there can be."""
    digits = text[1:].split(":", 1)[0] if text.startswith("#") and ":" in text else ""
    return max(int(digits), 1) if digits.isascii() and digits.isdigit() and len(digits) < 8 else 1


def beside(graph: Graph, name: str, place: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The places next to a place of a quantity."""
    found = [(*place[:axis], place[axis] + step, *place[axis + 1 :]) for axis in range(len(place)) for step in (1, -1)]
    return [one for one in found if graph.present(name, one)]


def apart(graph: Graph, name: str, place: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The other places of a quantity, if they are not many."""
    if graph[name].size > ALIKE:
        return []
    next_to = {place, *beside(graph, name, place)}
    return [one for one in graph.positions(name) if one not in next_to]
