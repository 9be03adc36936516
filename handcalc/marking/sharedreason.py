"""Several answers that are all off in the same way: `shared_reasons(slips, wrong)`.

They are the right ones times one factor, or all have one amount too much: a denominator, a scale, a count or a term that is wrong on
several lines, whatever it is. New values are compared by what they moved. To add another way, a line in `WAYS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, isfinite, log2

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message, Template
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.follow import unit
from handcalc.marking.slipnumbers import number_of
from handcalc.marking.slips import LineSlips
from handcalc.marking.typed import Typed

ROW = 3  # numbers of a row that have a reason of their own
CERTAIN = 6.0  # bits by which it must beat coincidence

Range = tuple[float, float]


class Way(Record):
    """A way to be off. between: of two bounds of an answer and its right number, the bounds of what it is off by; plain: numbers that say
    something else: nothing was worked out, the number is right, its sign is lost; least: the share of the wrong answers of a kind that must
    be off so; said, and said_of_moves where they are new values, which are off in what they moved."""

    slug: str
    said: Template
    said_of_moves: Template
    between: Callable[[float, float, float], Iterator[Range]]
    plain: tuple[float, ...]
    least: float


def _factor(low: float, high: float, right: float) -> Iterator[Range]:
    if right:
        first, second = low / right, high / right
        yield min(first, second), max(first, second)


def _amount(low: float, high: float, right: float) -> Iterator[Range]:
    yield low - right, high - right


WAYS = (
    Way("same-factor", "{number} times the right number", "{number} times the right change", _factor, (0.0, 1.0, -1.0), 0.6),
    Way("same-amount", "{number} more than the right number", "{number} more than the right number", _amount, (0.0,), 1.0),
)


class SharedReason(Record):
    """A way to be off, between two bounds, and the answers that are off so, in the order of the sheet; moved: they are new values."""

    way: Way
    low: float
    high: float
    answers: tuple[Cell, ...]
    moved: bool = False

    def remark(self) -> Message:
        """What is said of each answer, in as many digits as both bounds have."""
        same = (digits for digits in range(11, 1, -1) if f"{self.low:.{digits}g}" == f"{self.high:.{digits}g}")
        number = f"{(self.low + self.high) / 2:.{next(same, 2)}g}"
        return Message(self.way.said_of_moves, number=number) if self.moved else Message(self.way.said, number=number)


def shared_reasons(slips: LineSlips, wrong: Sequence[Cell]) -> list[SharedReason]:
    """The reasons that several wrong answers of one kind share; one for most of them goes first."""
    definitions, answers, size = slips.definitions, slips.answers, slips.size
    kinds: dict[str, list[Cell]] = {}
    for wanted in wrong:
        kinds.setdefault(definitions.book.quantity(wanted).kind, []).append(wanted)
    found = []
    for kind, group in kinds.items():
        rights = {wanted: _moves(slips, wanted) for wanted in group} if len(group) > 1 else {}
        while (best := max(_all_ways(rights, answers), key=lambda one: len(one.answers), default=None)) is not None:
            bits = sum(bits_of(answers[wanted], size(wanted, answers[wanted])) for wanted in best.answers[1:])
            if bits - log2(len(WAYS) * len(group) ** 2) < CERTAIN or not (
                len(best.answers) >= best.way.least * len(group) or _is_row(best.answers, group)
            ):
                break
            found.append(best.replace(moved=kind == "updated"))
            rights = {wanted: numbers for wanted, numbers in rights.items() if wanted not in best.answers}
    return found


def _is_row(found: tuple[Cell, ...], wrong: Sequence[Cell]) -> bool:
    """Whether answers are all that are wrong of some rows, as of the weights of one query."""
    rows = {(wanted[0], wanted[1][:-1]) for wanted in found}
    return len(found) >= ROW * len(rows) and {wanted for wanted in wrong if (wanted[0], wanted[1][:-1]) in rows} == {*found}


def _moves(slips: LineSlips, wanted: Cell) -> list[Range]:
    """What an answer starts from, a new value from the old one, and how far from that it should be."""
    book = slips.definitions.book
    before = book.before(wanted) if book.quantity(wanted).kind == "updated" else None
    start = number_of(slips.definitions.values, before) if before is not None else 0.0
    return [(start, right - start) for right in slips.right_numbers(wanted) if isfinite(right - start)]


def _all_ways(rights: Mapping[Cell, list[Range]], answers: Mapping[Cell, Typed]) -> Iterator[SharedReason]:
    for way in WAYS:
        ranges: dict[Cell, list[Range]] = {}
        for wanted, numbers in rights.items():
            value, half = answers[wanted].value, unit(answers[wanted]) / 2
            ranges[wanted] = [
                between for start, right in numbers for between in way.between(value - half - start, value + half - start, right)
            ]
        if (found := _most_common(way, ranges)) is not None:
            yield found


def _most_common(way: Way, ranges: Mapping[Cell, list[Range]]) -> SharedReason | None:
    """What most of some answers have in common, two at least."""
    best: SharedReason | None = None
    for low in sorted(low for own in ranges.values() for low, _ in own):
        ends = {wanted: min((high for least, high in own if least <= low <= high), default=-inf) for wanted, own in ranges.items()}
        members = tuple(wanted for wanted, high in ends.items() if high > low)
        high = min((ends[wanted] for wanted in members), default=low)
        if len(members) > max(1, len(best.answers) if best else 1) and not any(low <= plain <= high for plain in way.plain):
            best = SharedReason(way, low, high, members)
    return best
