"""From the general formula to one cell's: `bind` writes it out.

It is done in two steps: what concerns all cells of a formula once (`Binding.writer`, and `picker` for places), which answers what writes
it out for cell after cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from handcalc.core.expr import ONE, REBUILD, ZERO, Call, Delta, Entry, Expr, Number, Product, Ref, Total, add, children, mul
from handcalc.core.index import Index, Position, affine

Place = tuple[int, ...]
Writer = Callable[[Place], Expr]  # place of the indices → the formula written out there
Along = Callable[[Index, Expr, Sequence[str]], Callable[[Place], Iterable[int]]]  # place → those of an index where a body can be something
Present = Callable[[str, Place], bool]


class Binding:
    """What formulas are written out with. letters: those of their indices; family: quantity → place → the reference to its cell there,
    ZERO where there is none; along: the places that a total need not be written out without."""

    def __init__(self, letters: tuple[str, ...], family: Callable[[str], Writer], along: Along) -> None:
        self.letters, self.family, self.along = letters, family, along

    def writer(self, expr: Expr) -> Writer:
        """What writes a general formula out at any places of its indices.

        Totals are written out term by term; a reference to a cell that does not exist (a missing edge, a place outside
        the range of a shifted index) is zero, so its term disappears.
        """
        return _WRITERS[type(expr)](self, expr)

    def parts(self, expr: Expr) -> list[Writer]:
        """The same of the parts of a node."""
        return [self.writer(part) for part in children(expr)]

    def body(self, expr: Total | Entry) -> Writer:
        """The same of what is summed; the place of the sum's own index is the last one."""
        return Binding((*self.letters, expr.index.letter), self.family, self.along).writer(expr.body)


def everywhere(index: Index, body: Expr, letters: Sequence[str]) -> Callable[[Place], Iterable[int]]:
    """All places of an index."""
    return lambda place: index.axis.places


def bind(expr: Expr, indices: Mapping[str, int], present: Present, along: Along = everywhere) -> Expr:
    """The instance of a general formula at concrete indices."""

    def family(name: str) -> Writer:
        return lambda place: Ref(name, place) if present(name, place) else ZERO

    return Binding(tuple(indices), family, along).writer(expr)(tuple(indices.values()))


def picker(positions: tuple[Position, ...], letters: Sequence[str]) -> Callable[[Place], Place]:
    """What tells the places that positions are from those of their indices."""
    slots = {letter: number for number, letter in enumerate(letters)}
    own = [slots[one.letter] for one in positions if type(one) is Index]
    if len(own) == len(positions):
        first = own[0] if own else 0
        in_a_row = len(own) < 2 or own == [*range(first, first + len(own))]
        return itemgetter(slice(first, first + len(own))) if in_a_row else itemgetter(*own)
    rows = [(one.constant, [(factor, slots[index.letter]) for factor, index in one.terms]) for one in map(affine, positions)]
    return lambda place: tuple([constant + sum([factor * place[slot] for factor, slot in terms]) for constant, terms in rows])


def _node(binding: Binding, expr: Expr) -> Writer:
    parts, rebuild = binding.parts(expr), REBUILD[type(expr)]
    return lambda place: rebuild(expr, [part(place) for part in parts])


def _reference(binding: Binding, expr: Ref) -> Writer:
    cell, at = binding.family(expr.quantity), picker(expr.indices, binding.letters)
    return lambda place: cell(at(place))


def _product(binding: Binding, expr: Product) -> Writer:
    parts = binding.parts(expr)
    deltas = [part for part, factor in zip(parts, expr.factors) if type(factor) is Delta]

    def write(place: Place) -> Expr:
        for agree in deltas:
            if agree(place) is ZERO:
                return ZERO  # most windows do not have a place: the rest of their terms need not be written
        return mul(*[part(place) for part in parts])

    return write


def _total(binding: Binding, expr: Total) -> Writer:
    places, body = binding.along(expr.index, expr.body, binding.letters), binding.body(expr)
    return lambda place: add(*[body((*place, one)) for one in places(place)])


def _entry(binding: Binding, expr: Entry) -> Writer:
    places, at, body = expr.index.axis.places, picker((expr.at,), binding.letters), binding.body(expr)
    return lambda place: Call(expr.function, tuple([body((*place, one)) for one in places]), *at(place))


def _delta(binding: Binding, expr: Delta) -> Writer:
    left, right = picker((expr.left,), binding.letters), picker((expr.right,), binding.letters)
    return lambda place: ONE if left(place) == right(place) else ZERO


_WRITERS: dict[type[Expr], Callable[[Binding, Any], Writer]] = {
    **dict.fromkeys(REBUILD, _node),
    Number: lambda binding, expr: lambda place: expr,
    Ref: _reference,
    Product: _product,
    Total: _total,
    Entry: _entry,
    Delta: _delta,
}
