"""Several answers that are the right ones times one factor: `same_factors(definitions, answers, wrong, size)`.

A denominator, a scale or a count that is wrong in the same way on several lines; the factor itself may be any number. New values are
compared by what they moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from math import inf, isfinite, log2

from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.follow import unit
from handcalc.marking.slipnumbers import number_of, worked_from
from handcalc.marking.typed import Typed

CERTAIN = 6.0  # bits by which it must beat coincidence
PLAIN = (0.0, 1.0, -1.0)  # factors that say something else: nothing was worked out, the number is right, its sign is lost


class SameFactor(Record):
    """A factor, between two bounds, and the answers that are so many times the right ones, in the order of the sheet."""

    low: float
    high: float
    answers: tuple[Cell, ...]

    def number(self) -> str:
        """The factor in as many digits as both bounds have."""
        middle = (self.low + self.high) / 2
        digits = next((digits for digits in range(1, 12) if f"{self.low:.{digits}g}" != f"{self.high:.{digits}g}"), 12) - 1
        return f"{middle:.{max(digits, 2)}g}"


def same_factors(
    definitions: Definitions, answers: Mapping[Cell, Typed], wrong: Sequence[Cell], size: Callable[[Cell, Typed], float]
) -> list[SameFactor]:
    """The factors that several wrong answers of one kind share, the most common ones first."""
    bounds: dict[str, dict[Cell, list[tuple[float, float]]]] = {}
    others = {cell: typed.value for cell, typed in answers.items()}
    for wanted in wrong:
        bounds.setdefault(definitions.book.quantity(wanted).kind, {})[wanted] = [*_bounds(definitions, others, wanted, answers[wanted])]
    found = []
    for group in bounds.values():
        while (best := _most_common(group)) is not None:
            bits = sum(bits_of(answers[wanted], size(wanted, answers[wanted])) for wanted in best.answers[1:])
            if bits - log2(len(group) ** 2) < CERTAIN:
                break
            found.append(best)
            for wanted in best.answers:
                del group[wanted]
    return found


def _bounds(definitions: Definitions, others: Mapping[Cell, float], wanted: Cell, typed: Typed) -> Iterator[tuple[float, float]]:
    """Between what factors an answer is the right number: the one from the student's own, and the one from right numbers."""
    book, half = MistakenBook(definitions, NONE), unit(typed) / 2
    own = Evaluation(book, None, {cell: value for cell, value in others.items() if cell != wanted})
    before = definitions.book.before(wanted) if definitions.book.quantity(wanted).kind == "updated" else None
    start = number_of(own, before) if before is not None else 0.0
    for run in (own, Evaluation(book)):
        right = worked_from(run, definitions.right(wanted), wanted) - start
        if isfinite(right) and right != 0:
            yield tuple(sorted(((typed.value - start - half) / right, (typed.value - start + half) / right)))  # type: ignore[misc]


def _most_common(group: Mapping[Cell, list[tuple[float, float]]]) -> SameFactor | None:
    """The factor that most of some answers have in common, of several the nearest."""
    best: SameFactor | None = None
    for low in sorted(low for ranges in group.values() for low, _ in ranges):
        shared = {wanted: min((high for least, high in ranges if least <= low <= high), default=-inf) for wanted, ranges in group.items()}
        members = tuple(wanted for wanted, high in shared.items() if high > low)
        high = min((shared[wanted] for wanted in members), default=low)
        if len(members) > max(1, len(best.answers) if best else 1) and not any(low <= plain <= high for plain in PLAIN):
            best = SameFactor(low, high, members)
    return best
