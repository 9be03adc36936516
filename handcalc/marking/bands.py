"""What legitimate rounding can make of a number: interval arithmetic over the steps' own expressions.

- `Band(low, high)` is an interval that adds, multiplies and divides; `BANDS` computes expressions in it.
- `Grain` is how coarsely a sheet is rounded; `Grain.widened(band)` is what a band becomes when its number may, or may not,
  be rounded before it is used again.

The bounds are those of the real numbers between rounded operands, up to the rounding of floats themselves.
"""

from __future__ import annotations

import math
from typing import Any

from handcalc.core.functions import Function
from handcalc.core.instance import Arithmetic, apply
from handcalc.core.record import Record

VAGUE = 100.0  # how many times one end of a divisor may be the other: what is divided by mere rounding may be anything
NOISE = 1e-12  # relative error of floats that is no rounding of the student's
STEPS = 4  # points inside a band at which a function is looked at besides its ends and kinks
FINER = 6  # digits more that somebody may round to; what more than these do cannot be seen


class Band:
    """All numbers from low to high."""

    __slots__ = ("high", "low")

    def __init__(self, low: float, high: float) -> None:
        self.low = low
        self.high = high

    def __repr__(self) -> str:
        return f"Band({self.low!r}, {self.high!r})"

    def __neg__(self) -> Band:
        return Band(-self.high, -self.low)

    def __add__(self, other: Any) -> Band:
        right = band(other)
        return Band(self.low + right.low, self.high + right.high)

    __radd__ = __add__

    def __mul__(self, other: Any) -> Band:
        right = band(other)
        return _hull(self.low * right.low, self.low * right.high, self.high * right.low, self.high * right.high)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Band:
        right = band(other)
        if right.low <= 0 <= right.high or right.high > VAGUE * right.low > 0 or right.low < VAGUE * right.high < 0:
            return ANYTHING
        return self * Band(1 / right.high, 1 / right.low)

    def __rtruediv__(self, other: Any) -> Band:
        return band(other) / self

    def __and__(self, other: Band) -> Band:
        """What both have in common; the nearest end where they have nothing."""
        low, high = max(self.low, other.low), min(self.high, other.high)
        return Band(low, high) if low <= high else Band(high, low)

    def __or__(self, other: Band) -> Band:
        """The smallest band around both."""
        return Band(min(self.low, other.low), max(self.high, other.high))

    @property
    def width(self) -> float:
        """From low to high."""
        return self.high - self.low

    def has(self, value: float, slack: float = 0.0) -> bool:
        """Whether a number is inside, or not farther outside than the slack."""
        noise = NOISE * max(abs(value), abs(self.low) if math.isfinite(self.low) else 0.0)
        return self.low - slack - noise <= value <= self.high + slack + noise


ANYTHING = Band(-math.inf, math.inf)


def band(value: Any) -> Band:
    """A number as a band."""
    return value if isinstance(value, Band) else Band(value, value)


def _hull(*values: float) -> Band:
    if any(math.isnan(value) for value in values):  # 0 times infinity
        return ANYTHING
    return Band(min(values), max(values))


def _power(base: Any, exponent: Any) -> Any:
    low, high, power = band(base).low, band(base).high, band(exponent)
    if power.low != power.high:
        return _call_on([band(base), power], lambda a, n: a**n, ())
    if low < 0 < high:
        return _call_on([band(base)], lambda a: a**power.low, (0.0,))
    return _call_on([band(base)], lambda a: a**power.low, ())


def _call(record: Function, values: list[Any], at: int) -> Any:
    bands = [band(value) for value in values]
    if not bands:
        return apply(record, [], at)
    if record.family:
        return _family(record, bands, at)
    return _call_on(bands, lambda *numbers: apply(record, list(numbers), at), tuple(float(kink) for kink in record.kinks))


def _family(record: Function, bands: list[Band], at: int) -> Band:
    """An entry of softmax, or its logarithm, grows with its own argument and falls with the others; a sum of powers grows with all."""
    sign = [1 if record.name == "logsumexp" or place == at else -1 for place in range(len(bands))]
    lows = [band.low if grows > 0 else band.high for band, grows in zip(bands, sign)]
    highs = [band.high if grows > 0 else band.low for band, grows in zip(bands, sign)]
    if not all(map(math.isfinite, (*lows, *highs))):
        return ANYTHING
    return _hull(float(apply(record, lows, at)), float(apply(record, highs, at)))


def _call_on(bands: list[Band], value: Any, kinks: tuple[float, ...]) -> Band:
    """The hull of a function over a box, from its corners, kinks and points between; boxes here are small."""
    if not all(math.isfinite(band.low) and math.isfinite(band.high) for band in bands):
        return ANYTHING
    grid = [_points(band, kinks) for band in bands]
    found = []
    for place, points in enumerate(grid):
        others = [points[0] for points in grid], [points[-1] for points in grid]
        for other in others:
            for point in points:
                try:
                    found.append(float(value(*other[:place], point, *other[place + 1 :])))
                except (ArithmeticError, ValueError, TypeError):
                    return ANYTHING
    return _hull(*found)


def _points(of: Band, kinks: tuple[float, ...]) -> list[float]:
    if of.low == of.high:
        return [of.low]
    step = (of.high - of.low) / STEPS
    inside = [of.low + step * number for number in range(1, STEPS)]
    return [of.low, *inside, *(kink for kink in kinks if of.low < kink < of.high), of.high]


BANDS = Arithmetic(lambda literal: literal.numerator / literal.denominator, _power, _call)


class Grain(Record):
    """How coarsely numbers may have been rounded between two answers: to decimals, to significant digits, or either.

    cut: whether they may have been cut off instead; finer: whether to more digits as well.
    """

    decimals: int | None = None
    significant: int | None = None
    cut: bool = False
    finer: bool = False

    def widened(self, of: Band) -> Band:
        """A band, and what rounding makes of the numbers in it."""
        if not (math.isfinite(of.low) and math.isfinite(of.high)):
            return of
        result = self._widened(of, 0)
        for more in range(1, FINER + 1) if self.finer else ():
            found = self._widened(of, more)
            if found.low == of.low == of.high == found.high:
                break  # it has no more digits
            result = result | found
        return result

    def _widened(self, of: Band, more: int) -> Band:
        """With so many digits more."""
        result = of
        if self.decimals is not None:
            result = result | self._rounded(of, self.decimals + more)
        if self.significant is not None:
            result = result | Band(
                self._rounded(of, _places(of.low, self.significant) + more).low,
                self._rounded(of, _places(of.high, self.significant) + more).high,
            )
        return result

    def _rounded(self, of: Band, places: int) -> Band:
        if places > 300:
            return of
        scale = 10.0**places
        low, high = of.low * scale, of.high * scale
        if max(abs(low), abs(high)) > 1e15:
            return of
        slack = 1e-9
        down, up = math.ceil(low - 0.5 - slack), math.floor(high + 0.5 + slack)
        if self.cut:
            down, up = min(down, math.trunc(low)), max(up, math.trunc(high))
        return Band(down / scale, up / scale)


def _places(value: float, significant: int) -> int:
    return significant - 1 - math.floor(math.log10(abs(value))) if value else 400
