"""Axes and indices of families of cells, and shifted indices such as r + u or t − 1.

- `Axis`, `Index`, `Affine`; `ROLES` says what an axis may be.
- `shift_index` puts positions in place of indices, `position` and `affine` convert, `unused` makes a new letter, `are_places` tells
  numbers from indices, `inside` whether a place is always in an axis.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeGuard

from handcalc.core.record import Record
from handcalc.errors import Template


class AxisRole(Record):
    """What an axis may be: the usual letter of an index along it, the word for one of its places, and for what there are several of."""

    letter: str
    one: str
    several: Template


ROLES = {
    "input": AxisRole("i", "feature", "inputs"),
    "unit": AxisRole("j", "neuron", "units"),
    "channel": AxisRole("d", "channel", "channels"),
    "row": AxisRole("r", "row", "rows"),
    "column": AxisRole("c", "column", "columns"),
    "time": AxisRole("t", "time", "times"),
    "token": AxisRole("t", "token", "tokens"),
    "head": AxisRole("h", "head", "heads"),
    "entry": AxisRole("i", "entry", "entries"),
    "piece": AxisRole("u", "piece", "pieces"),
    "sample": AxisRole("s", "sample", "samples"),
}


class Axis(Record):
    """One direction of a family of cells.

    role: one of ROLES; size: number of cells along it;
    labels: their names (empty: numbered); first: the first printed number;
    part: the places that it has, where it is a part of a longer one, as the samples of a mini-batch; labels are then those of the
    longer one.
    """

    role: str
    size: int
    labels: tuple[str, ...] = ()
    first: int = 1
    part: tuple[int, ...] = ()

    @property
    def places(self) -> Sequence[int]:
        """The places along it."""
        return self.part or range(self.size)

    def label(self, position: int) -> str:
        """The name of one position: its label, or its printed number."""
        return self.labels[position] if self.labels else str(position + self.first)

    def along(self, position: int) -> str:
        """What an id says of a sample or a time: Alice, t2."""
        return ("t" if self.role == "time" else "") + self.label(position)


class Index(Record):
    """A symbolic index such as j; its letter is its identity within a definition."""

    letter: str
    axis: Axis

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self.letter == other.letter

    def __hash__(self) -> int:
        return hash(self.letter)


class Affine(Record):
    """A shifted index such as r + u or t − 1, counted from 0: the sum of coefficient·index, plus a constant."""

    terms: tuple[tuple[int, Index], ...]
    constant: int


Position = int | Index | Affine
Substitution = Mapping[str, Position]


def are_places(indices: tuple[Position, ...]) -> TypeGuard[tuple[int, ...]]:
    """Whether positions are the places of a cell: numbers, with no index left."""
    for place in indices:  # noqa: SIM110  asked of every cell; all() takes twice the time
        if type(place) is not int:
            return False
    return True


def through(sizes: Iterable[int], place: Iterable[int]) -> int:
    """The number of a place, from 0, when all are counted through, the last axis fastest."""
    count = 0
    for size, one in zip(sizes, place):
        count = count * size + one
    return count


def affine(position: Position) -> Affine:
    """Any position as an affine one."""
    if isinstance(position, Affine):
        return position
    if isinstance(position, Index):
        return Affine(((1, position),), 0)
    return Affine((), position)


def inside(place: Position, axis: Axis) -> bool:
    """Whether a place is inside an axis wherever its own indices are inside theirs."""
    ends = [(factor * (other.axis.size - 1), 0) for factor, other in affine(place).terms]
    start = affine(place).constant
    return start + sum(map(min, ends)) >= 0 and start + sum(map(max, ends)) < axis.size


def indices(places: Iterable[Position]) -> set[Index]:
    """The indices that positions consist of."""
    return {index for place in places for _, index in affine(place).terms}


def unused(letter: str, taken: set[str]) -> str:
    """The letter with as many primes as it takes to be a new one."""
    while letter in taken:
        letter += "'"
    return letter


def position(terms: Mapping[Index, int], constant: int) -> Position:
    """The simplest position equal to the sum of coefficient·index, plus a constant."""
    kept = tuple((coefficient, index) for index, coefficient in terms.items() if coefficient)
    if not kept:
        return constant
    if len(kept) == 1 and kept[0][0] == 1 and constant == 0:
        return kept[0][1]
    return Affine(kept, constant)


def shift_index(place: Position, substitution: Substitution) -> Position:
    """A position with indices replaced by other positions."""
    if isinstance(place, Index):
        return substitution.get(place.letter, place)
    if isinstance(place, int):
        return place
    terms: dict[Index, int] = {}
    constant = place.constant
    for coefficient, index in place.terms:
        replacement = affine(substitution.get(index.letter, index))
        constant += coefficient * replacement.constant
        for inner, other in replacement.terms:
            terms[other] = terms.get(other, 0) + coefficient * inner
    return position(terms, constant)
