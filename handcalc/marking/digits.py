"""Numbers written down wrong, digit by digit: texts → the numbers they might have become.

A new way to miswrite a number is one function here, and its line in slips.py or slipnumbers.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import floor, isfinite, log10

OTHERS = "123456789"


def written(value: float, places: int) -> str:
    """A number with so many decimals."""
    return f"{value:.{max(places, 0)}f}"


def decimals_of(value: float, significant: int) -> int:
    """The decimals that show so many significant digits of a number."""
    return significant - 1 - int(f"{value:e}".partition("e")[2])


def exchanged(text: str) -> Iterator[float]:
    """The number with two digits beside each other exchanged, also over the point."""
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    for one, other in zip(places, places[1:]):
        if text[one] != text[other]:
            letters = list(text)
            letters[one], letters[other] = letters[other], letters[one]
            yield float("".join(letters))


def dropped(text: str) -> Iterator[float]:
    """The number without one of its digits, but the last, and zeros before the first."""
    places = _figures(text)
    others = (float(text[:place] + text[place + 1 :]) for place in places[:-1])
    yield from (other for other in others if other)


def doubled(text: str) -> Iterator[float]:
    """The number with one of its digits twice."""
    yield from (float(text[:place] + text[place] + text[place:]) for place in _figures(text))


def another(text: str) -> Iterator[float]:
    """The number with another digit in the place of one, but for zeros before the first."""
    for place in _figures(text):
        yield from (float(text[:place] + digit + text[place + 1 :]) for digit in OTHERS if digit != text[place])


def is_one_off(text: str, other: str) -> bool:
    """Whether two numbers as written differ in one digit."""
    return len(text) == len(other) and sum(one != two for one, two in zip(text, other)) == 1


def _figures(text: str) -> list[int]:
    """Where the digits are, from the first that is not 0."""
    first = next((place for place, letter in enumerate(text) if letter in OTHERS), len(text))
    return [place for place in range(first, len(text)) if text[place].isdigit()]


def is_one_digit(off: float, unit: float) -> bool:
    """Whether a difference has only one digit that is not 0, as far as a unit shows: 0.0003, but not 0.00037."""
    if not isfinite(off) or off < unit / 2:
        return False
    place = 10.0 ** floor(log10(off))
    return abs(off - round(off / place) * place) <= unit
