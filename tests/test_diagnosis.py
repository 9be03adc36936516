"""What a number that nothing explains costs, in bits: the ground that every explanation of a sheet has to beat."""

from __future__ import annotations

from math import isclose, log2

import pytest

from handcalc.marking.diagnosis import Slips
from handcalc.marking.typed import Typed, typed

LONG = ("0.751365070", "-12.3456", "0.0359300")  # other answers of a sheet
SHORT = ("0.6", "-0.6", "0.05", "12", "3", "1.5", "2e-3", "70")  # one or two digits that count


def bits(text: str, others: tuple[str, ...], size: float = 4.0) -> float:
    """The bits of a number among others."""
    texts = (text, *others)
    answers = {("y", (place,)): _typed(one) for place, one in enumerate(texts)}
    wanted = ("y", (0,))
    return Slips(answers, frozenset(), (wanted,), None, dict.fromkeys(answers, size)).bits(wanted)  # type: ignore[arg-type]


def _typed(text: str) -> Typed:
    found = typed(text)
    assert found is not None
    return found


def one_digit_more(text: str) -> str:
    """The same number with another 0 behind it."""
    digits, _, power = text.partition("e")
    return (digits + "0" if "." in digits else digits + ".0") + ("e" + power if power else "")


@pytest.mark.parametrize("text", SHORT)
def test_a_short_number_among_long_ones_has_one_digit_more_than_it_shows(text: str) -> None:
    """Who writes seven digits everywhere and 0.6 in one place means 0.60."""
    assert isclose(bits(text, LONG), bits(one_digit_more(text), ()), abs_tol=1e-9)
    assert isclose(bits(text, LONG) - bits(text, ()), log2(10), abs_tol=1e-9)


@pytest.mark.parametrize("text", [*SHORT, *LONG, "3/8", "0.123"])
def test_other_numbers_have_the_digits_they_show(text: str) -> None:
    """Among numbers as short as it is, and where it is long itself, a number costs what it costs alone."""
    others = SHORT if text in SHORT else LONG
    assert isclose(bits(text, others), bits(text, ()), abs_tol=1e-9)


@pytest.mark.parametrize("text", LONG)
def test_each_digit_has_the_bits_of_a_digit(text: str) -> None:
    assert isclose(bits(one_digit_more(text), ()) - bits(text, ()), log2(10), abs_tol=1e-9)
