"""Rounding as taught: decimal arithmetic on the digits a number is written with, never on binary fractions.

- `Rounding` says how many digits, whether rounded results are carried on, and what happens to ties.
- `Rounding.carried(value, cell_id)` is the value the next step uses in carry mode.
- `Rounding.shown(value, exact, cell_id)` is the number as printed: a `Shown`.

A float stands for its shortest decimal spelling (repr), so 2.675 at two decimals is 2.68, as on paper.
"""

from __future__ import annotations

from typing import Any

from handcalc.core.record import Record

DIGITS_LIMIT = 17  # more than a double holds
DEFAULT_SIGNIFICANT = 6
_CLOSE = 10**13  # a rational result of floats that is off by less than 1/_CLOSE of itself counts as exact


class Shown(Record):
    """A printed number: decimal digits, a power of ten (0: none), and whether it is exact as shown."""

    digits: str
    exponent: int = 0
    exact: bool = True

    def __init__(self, digits: str, exponent: int = 0, exact: bool = True) -> None:
        self.__dict__.update(digits=digits, exponent=exponent, exact=exact)

    @property
    def plain(self) -> str:
        """ASCII spelling, readable by float()."""
        return f"{self.digits}e{self.exponent}" if self.exponent else self.digits

    @property
    def value(self) -> float:
        """What the printed digits say."""
        above, _, below = self.plain.partition("/")
        return float(above) / float(below or 1)

    def negated(self) -> Shown:
        """The same number with the other sign; the digits stay as they are."""
        if self.digits.startswith("-"):
            return self.replace(digits=self.digits[1:])
        return self if self.value == 0 else self.replace(digits="-" + self.digits)


class Rounding(Record):
    """decimals or significant digits (one of them), carry mode, ties, per-id overrides, exact fractions.

    ties: half_up (away from zero, as taught), half_even, truncate.
    overrides: (id pattern, decimals or None, significant or None); the first that matches counts.
    """

    decimals: int | None = None
    significant: int | None = DEFAULT_SIGNIFICANT
    carry: bool = False
    ties: str = "half_up"
    overrides: tuple[tuple[str, int | None, int | None], ...] = ()
    exact: bool = False

    def digits(self, cell_id: str) -> tuple[int | None, int | None]:
        """(decimals, significant) asked of one id."""
        if not self.overrides:
            return self.decimals, self.significant
        from handcalc.core.patterns import fits

        for pattern, decimals, significant in self.overrides:
            if fits(cell_id, pattern):
                return decimals, significant
        return self.decimals, self.significant

    def carried(self, value: Any, cell_id: str = "") -> Any:
        """The rounded value as a fraction: what the next step uses in carry mode."""
        from fractions import Fraction

        decimals, significant = self.digits(cell_id)
        above, below = ratio(value)
        if decimals is None:
            whole, places = _significant(above, below, _magnitude(above, below), significant or DEFAULT_SIGNIFICANT, self.ties)
        else:
            whole, places = _rounded(above, below, decimals, self.ties), decimals
        return Fraction(whole * 10 ** max(-places, 0), 10 ** max(places, 0))

    def shown(self, value: Any, exact: bool = False, cell_id: str = "", padded: bool = False) -> Shown:
        """The number as printed. `exact` says that the value is rational, so that its digits may end; they are then
        not filled up with zeros, unless `padded` (it comes from rounded numbers)."""
        decimals, significant = self.digits(cell_id) if self.overrides else (self.decimals, self.significant)
        if decimals is None and not exact and isinstance(value, float) and self.ties != "truncate":
            text = _far_from_ties(value, significant or DEFAULT_SIGNIFICANT)
            if text:
                return Shown(text, 0, False)
        above, below = ratio(value)
        if above == 0:
            return Shown("0")
        noise = isinstance(value, float)
        if decimals is not None:
            places = decimals
            whole = _rounded(above, below, places, self.ties)
            if whole == 0 and self.carry:
                return Shown("0", exact=False)
            if whole == 0:  # too small for the decimals asked: keep its digits and say the power of ten
                return self._scientific(above, below, max(decimals, 1), exact, noise)
        else:
            significant = significant or DEFAULT_SIGNIFICANT
            size = _magnitude(above, below)
            if size < -5 or size >= max(significant, 6):
                return self._scientific(above, below, significant, exact, noise)
            whole, places = _significant(above, below, size, significant, self.ties)
        text = _spell(whole, places)
        if exact and _same(whole, places, above, below, noise):
            return Shown(text if padded else _stripped(text))
        return Shown(text, 0, False)

    def _scientific(self, above: int, below: int, significant: int, exact: bool, noise: bool) -> Shown:
        whole, places = _significant(above, below, _magnitude(above, below), significant, self.ties)
        text = _spell(whole, significant - 1)
        exponent = significant - 1 - places
        if exact and _same(whole, places, above, below, noise):
            return Shown(_stripped(text), exponent)
        return Shown(text, exponent, exact=False)


def ratio(value: Any) -> tuple[int, int]:
    """A finite number as integers above/below; a float through its shortest spelling."""
    if not isinstance(value, float):
        return int(value.numerator), int(value.denominator)
    text = repr(value)
    if "e" not in text:
        whole, decimals = text.split(".")
        return int(whole + decimals), 10 ** len(decimals)
    mantissa, exponent = text.split("e")
    whole, _, decimals = mantissa.partition(".")
    scale = int(exponent) - len(decimals)
    return (int(whole + decimals) * 10**scale, 1) if scale >= 0 else (int(whole + decimals), 10**-scale)


def _far_from_ties(value: float, significant: int) -> str:
    """A number of middle size, rounded by the machine, which knows no ties but is quick; "" where that may not be right.

    It is right where the shortest spelling has more digits than a tie: no tie lies between it and the binary fraction, for the tie
    would be the shorter spelling.
    """
    if len(repr(value)) < significant + 9:  # with a sign, a point, and up to five zeros before the first digit
        return ""
    size = int(f"{value:.{significant - 1}e}".partition("e")[2])
    return f"{value:.{significant - 1 - size}f}" if -5 < size < min(significant, DEFAULT_SIGNIFICANT) else ""


def _magnitude(above: int, below: int) -> int:
    """The power of ten of the first digit."""
    above = abs(above)
    size = len(str(above)) - len(str(below))
    bigger = above >= below * 10**size if size >= 0 else above * 10**-size >= below
    return size if bigger else size - 1


def _rounded(above: int, below: int, places: int, ties: str) -> int:
    """The integer nearest to above/below·10^places."""
    sign = -1 if above < 0 else 1
    size, unit = (abs(above) * 10**places, below) if places >= 0 else (abs(above), below * 10**-places)
    whole, rest = divmod(size, unit)
    half = 2 * rest - unit
    if ties == "half_up" and half >= 0 or ties == "half_even" and (half > 0 or half == 0 and whole % 2):
        whole += 1
    return sign * whole


def _significant(above: int, below: int, size: int, significant: int, ties: str) -> tuple[int, int]:
    """(whole, places): the number of that size, rounded to so many digits, is whole/10^places; 9.9996 at four digits is 10.00."""
    places = significant - 1 - size
    whole = _rounded(above, below, places, ties)
    return (whole // 10, places - 1) if len(str(abs(whole))) > significant else (whole, places)


def _same(whole: int, places: int, above: int, below: int, noise: bool) -> bool:
    """Whether whole/10^places is above/below; noise: but for that of floats."""
    left: int = whole * below * 10 ** max(-places, 0)
    right: int = above * 10 ** max(places, 0)
    return left == right or (noise and abs(left - right) * _CLOSE <= abs(right))


def _spell(whole: int, places: int) -> str:
    if places <= 0:
        return str(whole * 10**-places)
    digits = str(abs(whole)).rjust(places + 1, "0")
    return ("-" if whole < 0 else "") + digits[:-places] + "." + digits[-places:]


def _stripped(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text
