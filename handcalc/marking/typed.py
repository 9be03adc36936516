"""Numbers as people type them: `typed(text)` is the number with its digits as typed, a `Typed`; None where it is none.

Read are decimals with point or comma, powers of ten in any spelling, percentages, fractions and mixed ones, and the digits and
signs of any script, after a = or ≈ and before a question mark or a remark in brackets if need be. To read another spelling: a
sign in `_SIGNS`, or its pattern in `_NUMBER`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from unicodedata import decimal, normalize

from handcalc.core.expr import Number, number
from handcalc.core.record import Record

LENGTH_LIMIT = 100
EXPONENT_LIMIT = 300

_FULL_WIDTH = {letter: letter - 0xFEE0 for letter in range(0xFF01, 0xFF5F)}
_SIGNS = _FULL_WIDTH | str.maketrans("−–﹣⁄٫٪", "---/.%")
_RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻", "0123456789+-")
_POWER = r"10\s*\^\s*([+-]?\s*[0-9]+)"
_NUMBER = (
    r"(?:约等于|约为|约|approx(?:imately|\.)?|about|roughly|circa|ca\.|c\.|~=|[=≈~≃≅≒∼])?\s*([+-]?)\s*"
    r"(?:(?:([0-9]+)\s+)?([0-9]+)\s*/\s*([0-9]+)"
    rf"|([0-9]+[.,]?[0-9]*|[.,][0-9]+)(?:[eE]([+-]?[0-9]+)|\s*[×*xX·⋅∙•]\s*{_POWER})?\s*(%)?|{_POWER})"
)
_WORD = r"(?:[0-9]+\s*)?(?:[^\W\d_]{2}|[A-Za-z]\.|[\u4e00-\u9fff])"  # of a remark: rounded, 4 d.p.; a letter alone may be a factor
_UNIT = r"(?:units?|exact(?:ly)?|rounded|approx(?:imately|\.)?|ok|checked|d\.?p\.?|左右|单位|分)"
_REMARK = (
    rf"(?:\s*\(?\s*\?+\s*\)?|\s*\(\s*{_WORD}[^()=*·×^+/]*\)|\s*[✓✔√]"
    rf"|\s*\[\s*{_WORD}[^\[\]=*·×^+/]*\]|\s+{_UNIT})"
)  # 0.37?  0.37 (?)  0.37 (rounded)


class Typed(Record):
    """A number as typed: its exact value above/below, in lowest terms, and how precisely it was given.

    places: decimal places of the last digit, negative left of the point, None for a fraction such as 3/8;
    significant: digits from the first that is not 0; 0 for a fraction.
    """

    text: str
    above: int
    below: int
    places: int | None
    significant: int

    @property
    def value(self) -> float:
        """The number as a float."""
        return self.above / self.below

    @property
    def ratio(self) -> tuple[int, int]:
        """(above, below)"""
        return self.above, self.below

    @property
    def plain(self) -> str:
        """The digits as typed, in ASCII: 0.350, -1.2e-3, 3/8; of a percentage, 0.5933 for 59.33 %."""
        return "".join(_parts(self.text) or ())

    def negated(self) -> Typed:
        """The number with the other sign; the digits stay as they are."""
        turned = self.plain.removeprefix("-") if self.plain.startswith("-") else "-" + self.plain
        return self.replace(text=turned, above=-self.above) if self.above else self

    def divided(self, factor: Number) -> Typed:
        """The number by a factor, as precisely as it was given then; the digits stay as they are."""
        value = number(f"{self.above * factor.denominator}/{self.below * factor.numerator}")
        larger = abs(factor.denominator) // abs(factor.numerator)
        places = None if self.places is None else self.places - (len(str(larger)) if larger > 1 else 0)
        return self.replace(above=value.numerator, below=value.denominator, places=places)

    def less(self, share: Fraction) -> Typed:
        """The number without a share of it; the digits stay as they are."""
        rest = Fraction(self.above, self.below) - share
        return self.replace(above=rest.numerator, below=rest.denominator)


def typed(text: str) -> Typed | None:
    """The number a text is; None where it is none, is longer than 100 characters, or larger than floats are."""
    stripped = text.strip()
    parts = _parts(stripped)
    if parts is None:
        return None
    _, digits, power = parts
    value = number("".join(parts))
    above, below = value.numerator, value.denominator
    if abs(above) >= below * 10**308 or above and above / below == 0:
        return None
    if "/" in digits:
        return Typed(stripped, above, below, None, 0)
    places = len(digits.partition(".")[2]) - int(power[1:] or 0)
    return Typed(stripped, above, below, places, len(digits.replace(".", "").lstrip("0")))


def _parts(text: str) -> tuple[str, str, str] | None:
    """Sign, digits and power of ten of a number, in ASCII: ("-", "1.20", "e-3"); None where it is no number."""
    found = re.fullmatch(f"{_NUMBER}{_REMARK}?", _in_ascii(text)) if len(text) <= LENGTH_LIMIT else None
    if found is None:
        return None
    sign, whole, above, below, digits, *powers = found.groups()
    sign, percent = sign.removeprefix("+"), powers.pop(2)
    if above:
        return (sign, f"{int(whole) * int(below) + int(above) if whole else above}/{below}", "") if int(below) else None
    power = next(("".join(power.split()) for power in powers if power), "")
    if power and abs(int(power)) > EXPONENT_LIMIT:
        return None
    digits = (digits or "1").replace(",", ".")
    return sign, _hundredth(digits) if percent else digits, f"e{int(power)}" if power else ""


def _hundredth(digits: str) -> str:
    """The digits of a percentage as those of a decimal: 59.33 is 0.5933."""
    whole, _, decimals = digits.partition(".")
    whole = whole.rjust(3, "0")
    return f"{whole[:-2]}.{whole[-2:]}{decimals}"


def _in_ascii(text: str) -> str:
    """A text with plain digits and signs, fractions of one sign as 1/2, and every power as ^3 or ^-3."""
    plain = "".join(map(_letter, text)).translate(_SIGNS)
    plain = re.sub("[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]+", lambda raised: "^" + raised[0].translate(_RAISED), plain).replace("**", "^")
    return re.sub(r"\^\s*\(([^()]*)\)", r"^\1", plain).strip()


def _letter(letter: str) -> str:
    digit = decimal(letter, None)
    if digit is not None:
        return str(digit)
    taken_apart = normalize("NFKC", letter) if letter > "\x7f" else letter
    return f" {taken_apart}" if "⁄" in taken_apart and len(taken_apart) > 2 else letter
