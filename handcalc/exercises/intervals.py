"""Exact intervals around printed answers: what platforms, which compare in binary, are told to accept.

- `Interval(low, high)`; `around(answer, unit)` is half a unit around a printed answer, `unit_of(value, digits)` that of its last digit.
- `accepted(worked, step, digits)` is all that counts as right.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.exercises.asked import AskedDigits, Worked

SLACK = Decimal("1e-6")  # of half a unit: platforms compare in binary
FINEST = Decimal("1e-8")  # of a unit: how finely bounds are written
EXACT = Context(prec=60)
WHOLE = Context(prec=400)  # of the largest number, to the last digit that may be asked


class Interval(Record):
    """All numbers from low to high; answer: the one that is shown as the right one, where there is one."""

    low: Decimal
    high: Decimal
    answer: str = ""

    @property
    def centre(self) -> Decimal:
        """The number in the middle."""
        return EXACT.divide(EXACT.add(self.low, self.high), Decimal(2))

    @property
    def tolerance(self) -> Decimal:
        """How far the ends are from the middle."""
        return EXACT.divide(EXACT.subtract(self.high, self.low), Decimal(2))

    def holds(self, other: Interval, nearly: Decimal = Decimal(0)) -> bool:
        """Whether another lies in this one; nearly: by how much it may stand out."""
        return self.low <= other.low + nearly and other.high - nearly <= self.high

    def has(self, number: Decimal) -> bool:
        """Whether a number lies in it."""
        return self.low <= number <= self.high


def around(answer: str, unit: Decimal) -> Interval:
    """Half a unit around a printed answer, and a little, because platforms compare in binary."""
    centre, half = Decimal(answer), half_of(unit)
    return Interval(EXACT.subtract(centre, half), EXACT.add(centre, half), answer)


def half_of(unit: Decimal) -> Decimal:
    """Half a unit, and a little."""
    return EXACT.multiply(EXACT.divide(unit, Decimal(2)), 1 + SLACK)


def unit_of(value: float, digits: AskedDigits) -> Decimal:
    """The value of the last digit that is asked of a number."""
    return Decimal(repr(digits.unit(value)))


def accepted(worked: Worked, wanted: Cell, digits: AskedDigits) -> Interval:
    """All that may be answered: half a unit around the number and around the printed answer, and what rounding on the way gives."""
    unit = unit_of(worked.number(wanted), digits)
    band, half = worked.tolerance(wanted, digits), half_of(unit)
    exact, printed = Decimal(worked.number(wanted)), Decimal(digits.shown(worked.answer(wanted)))
    slack = unit * SLACK / 2
    low = min(EXACT.subtract(exact, half), EXACT.subtract(printed, half), EXACT.subtract(Decimal(band.low), slack))
    high = max(EXACT.add(exact, half), EXACT.add(printed, half), EXACT.add(Decimal(band.high), slack))
    finest = unit * FINEST
    return Interval(low.quantize(finest, ROUND_FLOOR, WHOLE), high.quantize(finest, ROUND_CEILING, WHOLE))
