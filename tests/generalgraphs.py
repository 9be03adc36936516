"""Random graphs of general formulas, for the laws of the chain rule: nothing in them looks like a layer.

- `general_graph(seed)` is a graph whose `loss` depends on given numbers through a few quantities of up to two directions.
- `written(graph)` says its definitions, for the message of a test that fails.

Formulas have sums, products, quotients, functions and nested totals. Places are shifted, turned round, stretched by two and more,
shared by several uses, or constant; some lie outside, where a cell is nothing. Letters are few, so that they are met again as
letters of other quantities, of totals beside each other and of totals inside each other; quantities may use their own earlier places.
"""

from __future__ import annotations

from math import prod
from random import Random

from handcalc.core.expr import Entry, Expr, Number, Ref, add, call, div, mul, neg, number, power, total
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index, Position, position
from handcalc.core.quantity import Quantity
from handcalc.render.dialects import PLAIN
from handcalc.render.printer import Printer
from handcalc.render.symbols import place_text

LETTERS = "ijuv"
STRETCHED = (1, 1, 1, 1, 1, -1, -1, 2, 2, -2, 3)  # coefficients of an index
MOST_TERMS = 60  # of all the totals around one reference
Scope = tuple[Index, ...]


def general_graph(seed: int) -> Graph:
    """One of the graphs; the same for the same seed."""
    return _Maker(seed).graph


def written(graph: Graph) -> str:
    """The definitions of a graph."""

    def name(ref: Ref) -> str:
        return f"{ref.quantity}[{', '.join(place_text(place, 0) for place in ref.indices)}]"

    lines = []
    for quantity in graph:
        left = f"{quantity.kind} {name(Ref(quantity.name, quantity.index))}, {'×'.join(str(axis.size) for axis in quantity.axes)}"
        lines.append(left if quantity.definition is None else f"{left} = {Printer(PLAIN, name).text(quantity.definition)}")
    return "\n".join(lines)


class _Maker:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.graph = Graph()
        self.itself: Quantity | None = None  # a recurrence that is being defined
        for number_of in range(self.random.randint(1, 3)):
            self._given(f"x{number_of}")
        for number_of in range(self.random.randint(0, 3)):
            self._defined(f"y{number_of}")
        self._loss()

    # --- quantities ---

    def _axes(self, least: int, most: int, longest: int) -> tuple[Scope, tuple[Axis, ...]]:
        count = self.random.randint(least, most)
        axes = tuple(Axis("row", self.random.randint(1, longest), first=0) for _ in range(count))
        letters = self.random.sample(LETTERS, count)
        return tuple(map(Index, letters, axes)), axes

    def _given(self, name: str) -> None:
        index, axes = self._axes(0, 2, 5)
        drawn = Random(self.random.random())
        numbers = [number(f"{drawn.choice((-1, 1)) * drawn.uniform(0.2, 1.2):.2f}") for _ in range(prod(axis.size for axis in axes))]
        sizes = [axis.size for axis in axes]

        def value(place: tuple[int, ...]) -> Number:
            count = 0
            for size, one in zip(sizes, place):
                count = count * size + one
            return numbers[count]

        self.graph.given(Quantity(name, "weight", axes, index, givens=value))

    def _defined(self, name: str) -> None:
        index, axes = self._axes(0, 2, 4)
        kind = self.random.choice(("variable", "net", "out", "part"))
        if axes and self.random.random() < 0.3:
            self.itself = Quantity(name, kind, axes, index)
        formula = self._expr(index, 3, 1)
        if self.itself is not None:
            formula = add(formula, mul(self._earlier(index), self._reference(index)))
        if self.random.random() < 0.6:
            formula = call(self.random.choice(("tanh", "sigmoid")), formula)
        self.itself = None
        self.graph.define(Quantity(name, kind, axes, index, formula))

    def _loss(self) -> None:
        """Everything that was defined has a part in it."""
        formulas = [self._expr((), 3, 1)]
        for quantity in list(self.graph):
            if quantity.definition is not None or quantity is next(iter(self.graph)):
                body: Expr = Ref(quantity.name, quantity.index)
                body = mul(body, self._reference(quantity.index)) if self.random.random() < 0.5 else power(body, number(2))
                for letter in quantity.index:
                    body = total(letter, body)
                formulas.append(body)
        self.graph.define(Quantity("loss", "loss", definition=add(*formulas), names={(): ""}))

    # --- formulas ---

    def _expr(self, scope: Scope, depth: int, terms: int) -> Expr:
        """An expression in these indices; terms: of the totals around it."""
        if depth == 0:
            return self._reference(scope)
        again = (scope, depth - 1, terms)
        match self.random.choice(("total", "total", "total", "product", "product", "sum", "call", "quotient", "negative", "entry", "cell")):
            case "total" if (inner := self._inner(scope, terms)) is not None:
                return total(inner, self._expr(_within(scope, inner), depth - 1, terms * inner.axis.size))
            case "entry" if (inner := self._inner(scope, terms)) is not None:
                at = self.random.randrange(inner.axis.size)
                return Entry("softmax", at, inner, self._expr(_within(scope, inner), depth - 1, terms * inner.axis.size))
            case "sum":
                return add(self._expr(*again), self._expr(*again))
            case "product":
                return mul(self._expr(*again), self._expr(*again))
            case "call":
                return call(self.random.choice(("tanh", "sin")), self._expr(*again))
            case "quotient":
                return div(self._expr(*again), add(number(2), power(self._expr(*again), number(2))))
            case "negative":
                return neg(self._expr(*again))
        return self._reference(scope)

    def _inner(self, scope: Scope, terms: int) -> Index | None:
        index = Index(self.random.choice(LETTERS), Axis("row", self.random.randint(1, 4), first=0))
        return index if terms * index.axis.size <= MOST_TERMS else None

    def _reference(self, scope: Scope) -> Ref:
        quantity = self.random.choice([*self.graph])
        return Ref(quantity.name, tuple(self._place(axis.size, scope) for axis in quantity.axes))

    def _earlier(self, index: Scope) -> Ref:
        assert self.itself is not None
        first, *others = self.itself.axes
        before = position({index[0]: 1}, -self.random.randint(1, 2))
        return Ref(self.itself.name, (before, *(self._place(axis.size, index) for axis in others)))

    def _place(self, size: int, scope: Scope) -> Position:
        """A place along an axis of a size; most of them are inside."""
        chosen = self.random.sample(scope, min(len(scope), self.random.choice((0, 1, 1, 1, 2, 2))))
        terms = {index: self.random.choice(STRETCHED) for index in chosen}
        ends = [factor * (index.axis.size - 1) for index, factor in terms.items()]
        low, high = sum(min(end, 0) for end in ends), sum(max(end, 0) for end in ends)
        loose = size - 1 - (high - low)
        start = self.random.randint(min(loose, 0), max(loose, 0)) + self.random.choice((-1, 0, 0, 0, 1))
        return position(terms, start - low)


def _within(scope: Scope, inner: Index) -> Scope:
    """A letter hides the same letter outside."""
    return (*(index for index in scope if index != inner), inner)
