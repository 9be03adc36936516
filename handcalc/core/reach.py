"""Which places of an index a sum has terms for: those outside of which its body is 0, because no window holds the place there.

- `Reach(quantities)`: `along(index, body, letters)` for one index, `all(indices, body, known)` for several, `cells(name)` for a path;
  `ways(body)` is what they are made of.

∂E/∂x[R] of a window that moves by s is a sum over all windows r, of which only those with s·r + u = R have a term. What an expression
says of its indices is read off once, as ways in which it can be something, each a list of bounds: a δ factor bounds the difference of its
two sides, a cell its places. Every bound is a sum of coefficient·index between two whole numbers, so it says of each index where it can be,
given those that are known; the others are anywhere in their axes. The places answered may be too many, never too few.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import product

from handcalc.core.expr import Delta, Expr, Negation, Product, Ref, Sum, Total
from handcalc.core.index import Index, Position, affine, inside, shift_index
from handcalc.core.quantity import Quantity
from handcalc.core.record import Record


class Bound(Record):
    """low ≤ Σ coefficient·index ≤ high"""

    terms: tuple[tuple[int, Index], ...]
    low: int
    high: int


Ways = tuple[tuple[Bound, ...], ...]  # an expression is something where all the bounds of one of them hold
ANYWHERE: Ways = ((),)


class Reach:
    """What the formulas of some quantities say of their indices. It holds as long as these do."""

    def __init__(self, quantities: Mapping[str, Quantity]) -> None:
        self._quantities = quantities
        self._ways: dict[int, tuple[Expr, Ways]] = {}  # by the node itself, which is kept with them
        self._cells: dict[str, Ways] = {}

    def along(self, index: Index, body: Expr, letters: Sequence[str]) -> Callable[[tuple[int, ...]], Iterable[int]]:
        """What tells the places of an index where an expression can be something from the places of other indices."""
        ways, places = self.ways(body), index.axis.places
        if ways == ANYWHERE:
            return lambda place: places
        return lambda place: _places(index, ways, dict(zip(letters, place)))

    def all(self, indices: Sequence[Index], body: Expr, known: Mapping[str, int]) -> Iterator[tuple[int, ...]]:
        """The places of several indices, the last fastest, where an expression can be something."""
        letters = {index.letter for index in indices}
        return _all(indices, self.ways(body), {letter: place for letter, place in known.items() if letter not in letters})

    def cells(self, name: str) -> Iterator[tuple[int, ...]]:
        """The places of a path that can hold a cell."""
        return _all(self._quantities[name].index, self._path(name), {})

    def ways(self, expr: Expr) -> Ways:
        """What an expression says of its indices."""
        found = self._ways.get(id(expr))
        if found is None:
            found = self._ways[id(expr)] = expr, self._read(expr)
        return found[1]

    def _read(self, expr: Expr) -> Ways:
        match expr:
            case Ref(name, places):
                return self._cell(name, places)
            case Delta(left, right):
                return ((_bound(((1, left), (-1, right)), 0, 0),),)
            case Product(factors):
                return _together([self._read(factor) for factor in factors])
            case Sum(terms):
                ways = tuple(dict.fromkeys(way for term in terms for way in self._read(term)))
                return ANYWHERE if () in ways else ways
            case Negation(operand):
                return self._read(operand)
            case Total(index, body):
                return tuple(tuple(_without(index, bound) for bound in way) for way in self._read(body))
        return ANYWHERE

    def _cell(self, name: str, places: tuple[Position, ...]) -> Ways:
        """A cell is inside its axes; a path is where its formula is something."""
        quantity = self._quantities[name]
        axes = [(place, axis.size - 1) for place, axis in zip(places, quantity.axes) if not axis.part and not inside(place, axis)]
        own = tuple(_bound(((1, place),), 0, last) for place, last in axes)
        if quantity.through is None:
            return (own,)
        at = {index.letter: place for index, place in zip(quantity.index, places)}
        return tuple((*own, *(_bound(_at(bound, at), bound.low, bound.high) for bound in way)) for way in self._path(name))

    def _path(self, name: str) -> Ways:
        """The ways in which there is a cell of a path, in its own indices."""
        if name not in self._cells:
            quantity = self._quantities[name]
            assert quantity.through is not None and quantity.definition is not None
            self._cells[name] = self._read(Product((quantity.through, quantity.definition)))
        return self._cells[name]


def _bound(parts: Iterable[tuple[int, Position]], low: int, high: int) -> Bound:
    """low ≤ Σ coefficient·place ≤ high"""
    terms: dict[Index, int] = {}
    for factor, place in parts:
        own = affine(place)
        low, high = low - factor * own.constant, high - factor * own.constant
        for inner, index in own.terms:
            terms[index] = terms.get(index, 0) + factor * inner
    return Bound(tuple((factor, index) for index, factor in terms.items() if factor), low, high)


def _at(bound: Bound, places: Mapping[str, Position]) -> list[tuple[int, Position]]:
    return [(factor, shift_index(index, places)) for factor, index in bound.terms]


def _together(parts: list[Ways]) -> Ways:
    """The ways of a product: all that its factors say, but of those with several ways the one that has most only."""
    several = max(parts, key=len)
    single = tuple(bound for ways in parts if len(ways) == 1 and ways is not several for bound in ways[0])
    return tuple((*single, *way) for way in several)


def _without(index: Index, bound: Bound) -> Bound:
    """The same of an index that is anywhere in its axis."""
    least, most = _span([term for term in bound.terms if term[1] == index])
    return Bound(tuple(term for term in bound.terms if term[1] != index), bound.low - most, bound.high - least)


def _span(terms: Sequence[tuple[int, Index]]) -> tuple[int, int]:
    """The least and the most that Σ coefficient·index can be."""
    ends = [factor * max(index.axis.part, default=index.axis.size - 1) for factor, index in terms]
    return sum(min(end, 0) for end in ends), sum(max(end, 0) for end in ends)


def _all(indices: Sequence[Index], ways: Ways, known: Mapping[str, int]) -> Iterator[tuple[int, ...]]:
    if ways == ANYWHERE or not indices:
        yield from product(*(index.axis.places for index in indices))
        return
    first, *others = indices
    for place in _places(first, ways, known):
        for rest in _all(others, ways, {**known, first.letter: place}):
            yield place, *rest


def _places(index: Index, ways: Ways, known: Mapping[str, int]) -> Iterable[int]:
    """The places of an index from the first to the last that some way allows."""
    if ways == ANYWHERE or index.axis.part:
        return index.axis.places
    allowed = [found for way in ways if (found := _allowed(index, way, known))]
    return range(min(one.start for one in allowed), max(one.stop for one in allowed)) if allowed else ()


def _allowed(index: Index, way: tuple[Bound, ...], known: Mapping[str, int]) -> range:
    """The places of an index that all bounds allow."""
    first, last = 0, index.axis.size - 1
    for bound in way:
        own = sum(factor for factor, other in bound.terms if other == index)
        fixed = sum(factor * known[other.letter] for factor, other in bound.terms if other != index and other.letter in known)
        least, most = _span([(factor, other) for factor, other in bound.terms if other != index and other.letter not in known])
        low, high = bound.low - fixed - most, bound.high - fixed - least
        if own < 0:
            own, low, high = -own, -high, -low
        if own:
            first, last = max(first, -(-low // own)), min(last, high // own)
        elif not low <= 0 <= high:
            return range(0)
    return range(first, last + 1)
