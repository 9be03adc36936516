"""Rounding as taught: decimal arithmetic on the digits of a number, compared with decimal.Decimal."""

from __future__ import annotations

import math
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Context, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from oracles import law

from handcalc.core.expr import Number
from handcalc.core.rounding import DEFAULT_SIGNIFICANT, Rounding, Shown, ratio
from handcalc.deriving import derive
from handcalc.loading.loader import loads

MODES = {"half_up": ROUND_HALF_UP, "half_even": ROUND_HALF_EVEN, "truncate": ROUND_DOWN}


def decimals(places: int, ties: str = "half_up", carry: bool = False) -> Rounding:
    return Rounding(decimals=places, significant=None, ties=ties, carry=carry)


def significant(digits: int, ties: str = "half_up", carry: bool = False) -> Rounding:
    return Rounding(significant=digits, ties=ties, carry=carry)


# --- tables of cases ---------------------------------------------------------------------------------------------------

# value, decimals, ties → as printed
TO_DECIMALS = [
    (2.675, 2, "half_up", "2.68"),  # Python's round gives 2.67
    (2.675, 2, "half_even", "2.68"),
    (2.675, 2, "truncate", "2.67"),
    (2.665, 2, "half_up", "2.67"),
    (2.665, 2, "half_even", "2.66"),
    (-2.675, 2, "half_up", "-2.68"),  # away from zero, as taught
    (-2.665, 2, "half_even", "-2.66"),
    (-2.679, 2, "truncate", "-2.67"),
    (0.5, 0, "half_up", "1"),
    (1.5, 0, "half_even", "2"),
    (2.5, 0, "half_even", "2"),
    (2.5, 0, "half_up", "3"),
    (1.005, 2, "half_up", "1.01"),
    (0.285, 2, "half_up", "0.29"),
    (1.4449, 2, "half_up", "1.44"),
    (9.9996, 3, "half_up", "10.000"),
    (99.995, 2, "half_up", "100.00"),
    (0.1, 4, "half_up", "0.1000"),
    (-0.13613, 4, "half_up", "-0.1361"),
    (123456.789, 1, "half_up", "123456.8"),
    (1.5e20, 2, "half_up", "150000000000000000000.00"),
    # −0 is 0
    (0.0, 4, "half_up", "0"),
    (-0.0, 4, "half_up", "0"),
    # too small for the digits asked: a power of ten instead of 0.0000
    (0.000012345, 4, "half_up", "1.235e-5"),
    (-0.000012345, 4, "half_up", "-1.235e-5"),
    (0.00004999999, 4, "half_up", "5.000e-5"),
    (0.00005, 4, "half_up", "0.0001"),
    (0.00005, 4, "half_even", "5.000e-5"),
    (0.000099999, 4, "truncate", "9.999e-5"),
    (1e-300, 2, "half_up", "1.0e-300"),
]  # fmt: skip

# value, significant digits, ties → as printed
TO_SIGNIFICANT = [
    (0.7513650695523157, 6, "half_up", "0.751365"),
    (0.7513650695523157, 3, "half_up", "0.751"),
    (1.10590596705977, 6, "half_up", "1.10591"),
    (9.9996, 4, "half_up", "10.00"),  # the carry makes no fifth digit
    (-9.9996, 4, "half_up", "-10.00"),
    (0.099996, 4, "half_up", "0.1000"),
    (999.96, 4, "half_up", "1000"),
    (9.9996, 4, "truncate", "9.999"),
    (0.00000999996, 4, "half_up", "1.000e-5"),
    (2.5, 1, "half_up", "3"),
    (2.5, 1, "half_even", "2"),
    (-2.5, 1, "half_up", "-3"),
    (1234, 2, "half_up", "1200"),
    (123456, 4, "half_up", "123500"),
    (999999.6, 6, "half_up", "1000000"),
    (1234567, 6, "half_up", "1.23457e6"),
    (1234567, 8, "half_up", "1234567.0"),
    (6.02214076e23, 4, "half_up", "6.022e23"),
    (0.000438568, 6, "half_up", "0.000438568"),
    (0.0000123456, 6, "half_up", "0.0000123456"),
    (0.00000123456, 6, "half_up", "1.23456e-6"),
    (5e-324, 3, "half_up", "5.00e-324"),
    (1.7976931348623157e308, 3, "half_up", "1.80e308"),
    (0, 6, "half_up", "0"),
]  # fmt: skip


def title(case: tuple[float, int, str, str]) -> str:
    return f"{case[0]!r} to {case[1]}, {case[2]}: {case[3]}"


@pytest.mark.parametrize("case", TO_DECIMALS, ids=title)
def test_shown_to_decimals(case: tuple[float, int, str, str]) -> None:
    value, places, ties, expected = case
    got = decimals(places, ties).shown(value).plain
    assert got == expected, f"{title(case)}: got {got}"


@pytest.mark.parametrize("case", TO_SIGNIFICANT, ids=title)
def test_shown_to_significant_digits(case: tuple[float, int, str, str]) -> None:
    value, digits, ties, expected = case
    got = significant(digits, ties).shown(value).plain
    assert got == expected, f"{title(case)}: got {got}"


def test_decimals_go_before_the_default() -> None:
    assert Rounding(decimals=2).shown(0.7513650695523157).plain == "0.75"


def test_the_default_is_six_significant_digits() -> None:
    assert DEFAULT_SIGNIFICANT == 6
    assert Rounding().shown(1 / 3).plain == "0.333333"
    assert Rounding(significant=None).shown(1 / 3).plain == "0.333333"


# value → (printed where it is rational, printed where it is not): = without padding, ≈ with all digits asked
EXACT = {
    0.25: ("0.25", "0.250000"),
    3.0: ("3", "3.00000"),
    0.1 + 0.2: ("0.3", "0.300000"),  # the noise of floats is not shown
    -0.125: ("-0.125", "-0.125000"),
    100.0: ("100", "100.000"),
    1e6: ("1e6", "1.00000e6"),
    2.5e-7: ("2.5e-7", "2.50000e-7"),
}


@pytest.mark.parametrize("value", EXACT)
def test_exact_numbers_are_not_padded(value: float) -> None:
    exact, rounded = Rounding().shown(value, exact=True), Rounding().shown(value)
    assert (exact.plain, exact.exact) == (EXACT[value][0], True)
    assert (rounded.plain, rounded.exact) == (EXACT[value][1], False)


# rational, but it does not end within the digits asked: ≈
NOT_EXACT = [1 / 3, 0.12345678, 1234567.0, 2 / 3, 0.0000001234567]


@pytest.mark.parametrize("value", NOT_EXACT)
def test_what_is_cut_is_not_exact(value: float) -> None:
    shown = Rounding().shown(value, exact=True)
    assert not shown.exact and shown.value != value


FRACTIONS = {
    "1/8": (Fraction(1, 8), "0.125", True),
    "1/3": (Fraction(1, 3), "0.333333", False),
    "-2/3": (Fraction(-2, 3), "-0.666667", False),
    "7": (Fraction(7), "7", True),
    "0": (Fraction(0), "0", True),
    # sizes that no float holds: they come up when fractions are worked on for a few iterations
    "1 + 10^-400": (Fraction(10**400 + 1, 10**400), "1.00000", False),
    "10^400/3": (Fraction(10**400, 3), "3.33333e399", False),
    "1/(3*10^400)": (Fraction(1, 3 * 10**400), "3.33333e-401", False),
    "5*10^-400": (Fraction(5, 10**400), "5e-400", True),
}


@pytest.mark.parametrize("case", FRACTIONS)
def test_fractions(case: str) -> None:
    value, printed, exact = FRACTIONS[case]
    shown = Rounding(exact=True).shown(value, exact=True)
    assert (shown.plain, shown.exact) == (printed, exact), f"{case}: got {shown}"


# --- carried ------------------------------------------------------------------------------------------------------------

# value, rounding → the number the next step uses: exactly the decimal that is printed
CARRIED = [
    (2.675, decimals(2), "2.68"),
    (-0.001, decimals(2), "0"),
    (0.00004, decimals(4), "0"),
    (9.9996, significant(4), "10"),
    (123456.0, significant(2), "120000"),
    (1.5e20, significant(1), "2e20"),
    (0.5932699921071872, decimals(4), "0.5933"),
    (5e-324, significant(2), "5e-324"),
    (1.79e308, significant(2), "1.8e308"),
    (0.0, significant(3), "0"),
    (Fraction(1, 3), decimals(2), "0.33"),
    (Fraction(-2, 3), significant(3), "-0.667"),
    (1, decimals(2), "1"),
]


@pytest.mark.parametrize("value, rounding, expected", CARRIED)
def test_carried(value: float | Fraction, rounding: Rounding, expected: str) -> None:
    got = rounding.carried(value)
    assert isinstance(got, Fraction) and got == Fraction(expected), f"{value}: got {got!r}, expected {expected}"


def test_rounding_up_beyond_the_largest_float() -> None:
    """Carried numbers are decimals, so there is no largest."""
    problem = loads("given: {x: 1.79e308}\nequations: {f: x*1}\nrounding: {significant: 2, carry: true}")
    assert derive(problem)["f"].shown.plain == "1.8e308"


def test_in_carry_mode_a_lost_number_is_nought() -> None:
    shown = decimals(4, carry=True).shown(0.00001, exact=True)
    assert (shown.plain, shown.exact) == ("0", False)


@given(st.floats(-1e6, 1e6), st.integers(0, 8), st.sampled_from(sorted(MODES)))
@law(300)
def test_carry_mode_prints_what_it_carries(value: float, places: int, ties: str) -> None:
    for rounding in (decimals(places, ties, carry=True), significant(places + 1, ties, carry=True)):
        printed, carried = rounding.shown(value).plain, rounding.carried(value)
        assert Fraction(printed) == carried, f"{value} with {rounding}: printed {printed}, carried {carried}"


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 17), st.sampled_from(sorted(MODES)))
@law(200)
def test_carrying_twice_changes_nothing(value: float, digits: int, ties: str) -> None:
    rounding = significant(digits, ties)
    once = rounding.carried(value)
    assert rounding.carried(once) == once, f"{value} to {digits}: {once!r}, then {rounding.carried(once)!r}"


# --- against decimal.Decimal ---------------------------------------------------------------------------------------------

FLOATS = st.floats(allow_nan=False, allow_infinity=False) | st.decimals(-1000, 1000, places=4).map(float) | st.floats(-20, 20)


@given(FLOATS, st.integers(0, 15), st.sampled_from(sorted(MODES)))
@law(500)
def test_decimals_equal_quantize(value: float, places: int, ties: str) -> None:
    with localcontext(Context(prec=700)):
        expected = Decimal(repr(value)).quantize(Decimal(1).scaleb(-places), rounding=MODES[ties])
    assume(expected != 0)
    got = decimals(places, ties).shown(value).plain
    assert got == f"{expected:f}", f"{value!r} to {places}, {ties}: got {got}, expected {expected:f}"
    assert decimals(places, ties).carried(value) == Fraction(expected)


@st.composite
def near_ties(draw: st.DrawFn) -> tuple[float, int]:
    """A number of a few steps of the machine beside one with a 5 after so many digits, and how many."""
    digits = draw(st.integers(1, 16))
    tie = draw(st.integers(10 ** (digits - 1), 10**digits - 1)) * 10 + 5
    value = float(Decimal(draw(st.sampled_from((tie, -tie)))).scaleb(draw(st.integers(-digits - 6, 2))))
    for _ in range(draw(st.integers(0, 3))):
        value = math.nextafter(value, draw(st.sampled_from((-math.inf, math.inf))))
    return value, digits


@given(near_ties(), st.sampled_from(sorted(MODES)))
@law(1000)
def test_beside_a_tie(case: tuple[float, int], ties: str) -> None:
    value, digits = case
    expected = Context(prec=digits, rounding=MODES[ties], Emin=-10000, Emax=10000).create_decimal(repr(value))
    shown = significant(digits, ties).shown(value)
    assert Decimal(shown.digits).scaleb(shown.exponent) == expected, f"{value!r} to {digits}, {ties}: got {shown.plain}"


@given(FLOATS, st.integers(1, 17), st.sampled_from(sorted(MODES)))
@law(500)
def test_significant_digits_equal_decimal(value: float, digits: int, ties: str) -> None:
    assume(value != 0)
    expected = Context(prec=digits, rounding=MODES[ties], Emin=-10000, Emax=10000).create_decimal(repr(value))
    shown = significant(digits, ties).shown(value)
    got = Decimal(shown.digits).scaleb(shown.exponent)
    assert got == expected, f"{value!r} to {digits}, {ties}: got {shown.plain}, expected {expected}"
    printed = [letter for letter in shown.digits.lstrip("-0.") if letter.isdigit()]
    whole = "." not in shown.digits
    assert len(printed) == digits or (whole and len(printed) >= digits), f"{value!r} to {digits}: {shown.plain} has {len(printed)} digits"


@given(st.fractions(), st.integers(1, 12), st.sampled_from(sorted(MODES)))
@law(300)
def test_fractions_equal_decimal(value: Fraction, digits: int, ties: str) -> None:
    assume(value != 0)
    with localcontext(Context(prec=digits, rounding=MODES[ties])):
        expected = Decimal(value.numerator) / Decimal(value.denominator) if max(map(abs, value.as_integer_ratio())) < 10**digits else None
    assume(expected is not None)
    shown = significant(digits, ties).shown(value)
    assert Decimal(shown.digits).scaleb(shown.exponent) == expected, f"{value} to {digits}, {ties}: got {shown.plain}, expected {expected}"


@given(FLOATS)
@law(200)
def test_ratio_is_the_shortest_spelling(value: float) -> None:
    above, below = ratio(value)
    assert Fraction(above, below) == Fraction(repr(value)), f"{value!r}: got {above}/{below}"


@given(FLOATS, st.integers(1, 17))
@law(200)
def test_exact_means_equal(value: float, digits: int) -> None:
    """Whatever is printed with = is the number, but for the noise of floats."""
    shown = significant(digits).shown(value, exact=True)
    printed, meant = Fraction(shown.plain), Fraction(repr(value))
    same = abs(printed - meant) <= abs(meant) / 10**13
    assert shown.exact == same, f"{value!r} to {digits}: {'=' if shown.exact else '≈'} {shown.plain}"


# --- overrides, typed digits, signs ---------------------------------------------------------------------------------------

OVERRIDDEN = Rounding(decimals=4, significant=None, overrides=(("grad.*", None, 3), ("net.h?", 2, None), ("grad.w5", 1, None)))

OVERRIDES = {
    "grad.w1": "0.0123",
    "grad.w5": "0.0123",  # the first pattern that matches counts
    "net.h1": "0.01",
    "net.h10": "0.0123",
    "out.o1": "0.0123",
    "": "0.0123",
}


@pytest.mark.parametrize("cell_id", OVERRIDES)
def test_overrides(cell_id: str) -> None:
    got = OVERRIDDEN.shown(0.01234, cell_id=cell_id).plain
    assert got == OVERRIDES[cell_id], f"{cell_id}: got {got}, expected {OVERRIDES[cell_id]}"
    assert OVERRIDDEN.carried(0.01234, cell_id) == Fraction(OVERRIDES[cell_id])


TYPED = """
inputs: {a: 0.10, b: 1e-3, c: 3/8, d: -0.50}
targets: {o: 0.990}
layers:
  - {neurons: [o], weights: {w1: [a, o, 2], w2: [b, o, 1.00], w3: [c, o, 0.1234567890], w4: [d, o, 007]}}
rounding: {decimals: 2, carry: true}
"""


def test_typed_digits_are_never_reformatted() -> None:
    derivation = derive(loads(TYPED))
    got = {step.id: step.shown.plain for step in derivation.steps() if step.phase == "given"}
    typed = {"a": "0.10", "b": "1e-3", "c": "3/8", "d": "-0.50", "w1": "2", "w2": "1.00", "w3": "0.1234567890", "w4": "007"}
    assert got == typed | {"target.o": "0.990"}
    assert derivation.value("w3") == Fraction("0.123456789"), "a given number is not rounded, carried or not"


SHOWN = {
    "2.68": 2.68,
    "1.235e-5": 1.235e-5,
    "3/8": 0.375,
    "-0": 0.0,
}


@pytest.mark.parametrize("text", SHOWN)
def test_value_of_printed_digits(text: str) -> None:
    digits, _, exponent = text.partition("e")
    shown = Shown(digits, int(exponent or 0))
    assert (shown.plain, shown.value) == (text, SHOWN[text])


NEGATED = [("2.50", "-2.50"), ("-2.50", "2.50"), ("0", "0"), ("0.00", "0.00"), ("3/8", "-3/8")]


@pytest.mark.parametrize("text, expected", NEGATED)
def test_negated(text: str, expected: str) -> None:
    assert Shown(text, 3).negated() == Shown(expected, 3)


def test_a_typed_number_knows_its_digits() -> None:
    assert Number(1, 10, "0.10").text == "0.10"
