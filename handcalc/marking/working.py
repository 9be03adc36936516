"""Working on the line: `net_h1 = 0.5*1.0 + 0.3 = 0.8` has the answer behind its last sign.

- `first_sign(text)` is where a line of a sheet is parted into a step and what is equal to it.
- `result(text)` is the answer in what stands behind that, and a remark where the arithmetic before it gives another number;
  `worked_value(text)` is what that arithmetic comes to.

Only arithmetic of numbers is worked out; names before the last sign are not read. What the numbers of the working may have been
before they were rounded or cut off is taken into account. To read another sign, add it to `_SIGN`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite

from handcalc.core.expr import Number, Ref, number
from handcalc.core.formula import FormulaError, parse
from handcalc.core.instance import compute, evaluate
from handcalc.errors import Message
from handcalc.marking.bands import BANDS, Band, band
from handcalc.marking.follow import unit
from handcalc.marking.typed import Typed, typed

_SIGN = re.compile(r"~=|:=|<-(?!-)|=|＝|[≈≃≅≒≐←]")
_LOOSE = re.compile(r"[∼~]")
_COMMA = re.compile(r"(?<=\d)[,，](?=\d)")
_E = number("2.718281828459045")  # in e^(-0.3775)
LONGEST = 400  # letters of a working that is worked out


def first_sign(text: str, colon: bool = False) -> re.Match[str] | None:
    """The first = or ≈ of a line outside of [ ], as in h[t=2] = 0.5; colon: or the first colon, where that is before it.

    ~ is a sign where there is no other.
    """
    found = next(_signs(text, _SIGN), None)
    if colon:
        found = next(_signs(text, re.compile(f"{_SIGN.pattern}|:|：")), None)
    return found or next(_signs(text, _LOOSE), None)


def _signs(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """The signs outside of square brackets."""
    inside = [(found.start(), found.end()) for found in re.finditer(r"\[[^\[\]]*\]", text)]
    for found in pattern.finditer(text):
        if not any(start <= found.start() < end for start, end in inside):
            yield found


def result(text: str) -> tuple[str, Message | None]:
    """The answer behind the last sign of a text, "" where nothing is there, and what is wrong with the working before it."""
    if typed(text) is not None:
        return text, None
    places = [(0, 0), *((found.start(), found.end()) for found in _signs(text, _SIGN))]
    if len(places) == 1:
        places += [(found.start(), found.end()) for found in _signs(text, _LOOSE)]
    if len(places) == 1:
        return text, None
    parts = [text[end:start].strip() for (_, end), (start, _) in zip(places, [*places[1:], (len(text), 0)])]
    last = typed(parts[-1])
    remarks = [_contradiction(part, last) for part in parts[:-1]] if last is not None else []
    return parts[-1], next((remark for remark in remarks if remark is not None), None)


def worked_value(text: str) -> float | None:
    """What the arithmetic before the last sign of a text comes to; nothing where there is none, or it is a number as it stands."""
    places = [(found.start(), found.end()) for found in _signs(text, _SIGN)]
    starts = [0, *(end for _, end in places)]
    parts = [text[start:end].strip() for start, (end, _) in zip(starts, places)]
    found = [value for part in parts if typed(part) is None and (value := _arithmetic(part)) is not None]
    return found[-1][1] if found else None


def _arithmetic(part: str) -> tuple[Band, float] | None:
    """What arithmetic of numbers comes to: with what they may have been before rounding, and as it stands; nothing if it is none."""
    plain = _COMMA.sub(".", part)
    if not plain or len(plain) > LONGEST or "," in plain:
        return None
    try:
        expr = parse(plain, lambda name: _E if name == "e" else None)
        return band(compute(expr, _nothing, _ROUNDED)), float(evaluate(expr, _nothing))
    except (FormulaError, ArithmeticError, ValueError):
        return None


def _contradiction(part: str, last: Typed) -> Message | None:
    """A remark, where a part is arithmetic of numbers and cannot be the number at the end, however its numbers were rounded."""
    worked = _arithmetic(part)
    if worked is None:
        return None
    found, middle = worked
    possible = _unrounded(last.value, unit(last))
    if (found.low < possible.high and found.high >= possible.low) or not isfinite(middle):
        return None
    return Message("{working} is {value}, not {answer}", working=part[:60], value=f"{middle:.6g}", answer=last.plain)


def _nothing(reference: Ref) -> float:
    raise ValueError(f"{reference.quantity} has no value here")


def _interval(literal: Number) -> Band:
    """What a number of a working may have been before it was rounded or cut off; a whole number is exact."""
    digits = typed(literal.text) if literal.text else None
    return _unrounded(literal.numerator / literal.denominator, unit(digits) if digits is not None and digits.places else 0.0)


def _unrounded(value: float, size: float) -> Band:
    """What a number may have been before it was rounded or cut off at a digit of this size."""
    return Band(value - size / 2, value + size) if value >= 0 else Band(value - size, value + size / 2)


_ROUNDED = BANDS.replace(number=_interval)
