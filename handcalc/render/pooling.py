"""Pooling by position: which number of a window is the largest, and what goes where.

- `is_pooled(graph, quantity)`: whether it is the gradient of what windows take the largest of.
- `settled(derivation, formula, iteration)`: its formula with the slopes of max put in: only what arrives is left.
- `is_averaged(graph, quantity)`: the same of the mean; `is_window_path(graph, quantity)`: whether it is what one window sends.
- `told(graph, quantity)` says in words where gradients go, `windows(derivation, …)` where the largest of each window is; `masks(…)` are
  maps with 1 for the largest numbers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from itertools import product

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Expr, Number, Product, Quotient, Ref, Sum, references, rewrite
from handcalc.core.graph import Graph
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.rounding import Shown
from handcalc.errors import Message
from handcalc.render.blocks import Block, Paragraph, Table
from handcalc.render.items import Digits, Item, Name, Plain
from handcalc.render.options import Options

SLOPE = "max'"
WINDOWS_LIMIT = 8  # windows told one by one
SIDE_LIMIT = 16  # rows and columns of a mask


def is_pooled(graph: Graph, quantity: Quantity) -> bool:
    """Whether a quantity is the gradient of numbers of which windows, and nothing else, take the largest."""
    if quantity.kind != "gradient" or quantity.of is None or not quantity.terms:
        return False
    return all(_takes_largest(graph[term.through.quantity], quantity.of.quantity) for term in quantity.terms)


def _takes_largest(quantity: Quantity, of: str) -> bool:
    formula = quantity.definition
    return (
        isinstance(formula, Call)
        and formula.function == "max"
        and all(isinstance(one, Ref) and one.quantity == of for one in formula.arguments)
    )


def settled(derivation: Derivation, formula: Expr, iteration: int) -> Expr:
    """∂E/∂x = ∂E/∂out·max'(x, y) → ∂E/∂out where x is the largest, 0 where it is not."""
    evaluation = derivation.iteration(iteration).evaluation

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Call) and node.function == SLOPE:
            share = Fraction(evaluation.of(node)).limit_denominator(1000)
            return Number(share.numerator, share.denominator)
        return None

    return rewrite(formula, change)


def is_window_path(graph: Graph, quantity: Quantity) -> bool:
    """Whether a quantity is what one window sends to a number that it may take the largest of."""
    if quantity.kind != "path" or quantity.of is None or quantity.through is None:
        return False
    return _takes_largest(graph[quantity.through.quantity], quantity.of.quantity)


def is_averaged(graph: Graph, quantity: Quantity) -> bool:
    """Whether a quantity is the gradient of numbers of which windows, and nothing else, take the mean."""
    if quantity.kind != "gradient" or quantity.of is None or not quantity.terms:
        return False
    return all(_takes_mean(graph[term.through.quantity].definition, quantity.of.quantity) for term in quantity.terms)


def _takes_mean(formula: Expr | None, of: str) -> bool:
    if isinstance(formula, Product) and len(formula.factors) == 2 and isinstance(formula.factors[0], Number):
        formula = formula.factors[1]
    elif isinstance(formula, Quotient):
        formula = formula.above
    else:
        return False
    return isinstance(formula, Sum) and all(isinstance(one, Ref) and one.quantity == of for one in formula.terms)


def told(graph: Graph, quantity: Quantity) -> Paragraph:
    """What holds for every window."""
    name = Name(Ref(quantity.name, quantity.index))
    if is_averaged(graph, quantity):
        text = "{gradient}: the gradient of a window is divided equally among its numbers; what several windows send is added."
        return Paragraph(Message(text, gradient=name))
    text = "{gradient}: the gradient of a window goes to its largest number, the others get 0; what several windows send is added."
    return Paragraph(Message(text, gradient=name))


def windows(derivation: Derivation, options: Options, group: Group, iteration: int) -> Iterator[Block]:
    """Where the largest number of each window is."""
    if options.asked is not None:
        return
    found = [*_windows(derivation, group)]
    for window in found[:WINDOWS_LIMIT]:
        yield Paragraph(_said(derivation.graph, window, _largest(derivation, window, iteration)))
    if len(found) > WINDOWS_LIMIT:
        yield Paragraph(Message("… and {count} more windows, in the table", count=len(found) - WINDOWS_LIMIT))


def masks(derivation: Derivation, options: Options, group: Group, iteration: int) -> Iterator[Table]:
    """How many windows each number is the largest of, on its map; nothing for other gradients than those of max pooling."""
    if options.asked is None and is_pooled(derivation.graph, group.quantity):
        chosen = Counter(one for window in _windows(derivation, group) for one in _largest(derivation, window, iteration))
        yield from _masks(derivation.graph, group.quantity, chosen)


def _windows(derivation: Derivation, group: Group) -> Iterator[Cell]:
    """The windows that send something, those of the first sample."""
    for name in dict.fromkeys(term.through.quantity for term in group.quantity.terms):
        consumer = derivation.graph[name]
        for place in derivation.places(Group(consumer, "forward", group.time)):
            if not consumer.sampled or place[0] == consumer.axes[0].places[0]:
                yield name, place


def _largest(derivation: Derivation, window: Cell, iteration: int) -> list[Cell]:
    """The cells of a window that its gradient goes to: one, or all that are equally large where they share it."""
    evaluation = derivation.iteration(iteration).evaluation
    cells = [cell(ref) for ref in references(derivation.graph.instance(window))]
    values = [evaluation[one] for one in cells]
    found = [one for one, value in zip(cells, values) if value == max(values)]
    return found if derivation.header.conventions["max_ties"] == "split" else found[:1]


def _said(graph: Graph, window: Cell, largest: list[Cell]) -> Message:
    """Of one window."""
    out = Name(Ref(*window))
    if len(largest) > 1:
        return Message("{window}: {count} numbers are equally large and share the gradient.", window=out, count=len(largest))
    name, place = largest[0]
    roles = {axis.role: axis.label(at) for axis, at in zip(graph[name].axes, place)}
    found = Name(Ref(name, place))
    if "row" in roles and "column" in roles:
        text = "{window}: the largest is {largest}, at row {row}, column {column}; the gradient goes there."
        return Message(text, window=out, largest=found, row=roles["row"], column=roles["column"])
    return Message("{window}: the largest is {largest}; the gradient goes there.", window=out, largest=found)


def _masks(graph: Graph, quantity: Quantity, chosen: Counter[Cell]) -> Iterator[Table]:
    """A grid of how many windows each number is the largest of, for every map of the first sample."""
    assert quantity.of is not None
    of = graph[quantity.of.quantity]
    if len(of.axes) - of.sampled < 2:
        return
    *before, rows, columns = of.axes
    leading = [axis.places[:1] if axis.role == "sample" else axis.places for axis in before]
    for place in product(*leading):
        head: list[Item] = [Message("largest, {map}", map=Name(Ref(of.name, (*place, *of.index[-2:]))))]
        head += [Plain(columns.along(number)) for number in range(min(columns.size, SIDE_LIMIT))]
        body: list[tuple[Item, ...]] = []
        for row in range(min(rows.size, SIDE_LIMIT)):
            counts = [chosen[of.name, (*place, row, column)] for column in range(min(columns.size, SIDE_LIMIT))]
            body.append((Plain(rows.along(row)), *(Digits(Shown(str(count))) for count in counts)))
        yield Table(tuple(head), tuple(body), rows.size - len(body), columns.size - len(head) + 1)
