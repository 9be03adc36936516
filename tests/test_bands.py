"""Laws of interval arithmetic: whatever numbers the operands stand for, the result lies in the band.

A function with a turning point is looked at in a few points of a band only, so its band may lack a sixteenth of its height
(`DIPS`). Everything else is a bound, and no wider than the operands make it.
"""

from __future__ import annotations

import math
import random
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP
from itertools import product

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from oracles import law
from students import rounded

from handcalc.core.expr import Call, Expr, Power, Ref, add, call, div, mul, neg, number, references, sub
from handcalc.core.formula import any_name, parse
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.core.instance import compute, evaluate
from handcalc.marking.bands import ANYTHING, BANDS, Band, Grain, band

NOISE = 1e-12  # relative, of floats
# functions that turn between kinks, and the widest band here
DIPS = {
    "gelu": 0.2, "gelu_tanh": 0.2, "silu": 0.2, "swish": 0.2, "mish": 0.2, "log_cosh": 0.2, "kl": 0.2, "sin": 0.2, "cos": 0.2, "huber": 0.2,
}  # fmt: skip
WIDEST = 2.0
RANGES = {
    ("huber", "d"): (0.1, 0.8),
    ("swish", "beta"): (0.1, 2.0),
    ("elu", "alpha"): (0.1, 2.0),
    ("elu'", "alpha"): (0.1, 2.0),
}  # as the functions are used

Box = dict[Ref, Band]
Inside = dict[Ref, float]


def holds(found: Band, value: float, missing: float = 0.0) -> bool:
    """Whether a value is in a band, but for noise; missing: how much of its height the band may lack."""
    slack = NOISE * max(abs(value), 1.0) + (missing * (found.high - found.low) if missing else 0.0)
    return found.low - slack <= value <= found.high + slack


def of_bands(expr: Expr, box: Box) -> Band:
    return band(compute(expr, box.__getitem__, BANDS))


def of_numbers(expr: Expr, inside: Inside) -> float:
    return float(evaluate(expr, inside.__getitem__))


# --- every function on its safe range -------------------------------------------------------------------------------------

SCALAR = [record for record in FUNCTIONS.values() if record.arguments and not record.family]
FAMILY = [record for record in FUNCTIONS.values() if record.family]


def boxes(record: Function, count: int) -> list[tuple[Box, list[Inside]]]:
    """Seeded boxes within the safe range, and numbers in each of them: its corners and some others."""
    chooser = random.Random(record.name)
    found = []
    for _ in range(count):
        box: Box = {}
        for name in record.arguments if not record.family else ("z1", "z2", "z3"):
            low, high = RANGES.get((record.name, name), record.safe)
            start = chooser.uniform(low, high)
            width = chooser.choice([0.0, 1e-4, 0.1, 1.0]) * min(DIPS.get(record.name, WIDEST), high - start)
            box[Ref(name)] = Band(start, start + width)
        corners = [dict(zip(box, values)) for values in product(*((own.low, own.high) for own in box.values()))]
        drawn = [{ref: chooser.uniform(own.low, own.high) for ref, own in box.items()} for _ in range(12)]
        found.append((box, corners + drawn))
    return found


@pytest.mark.parametrize("record", SCALAR, ids=lambda record: record.name)
def test_function(record: Function) -> None:
    expr = Call(record.name, tuple(map(Ref, record.arguments)))
    for box, numbers in boxes(record, 60):
        found = of_bands(expr, box)
        for inside in numbers:
            value = of_numbers(expr, inside)
            assert holds(found, value, 1 / 16 if record.name in DIPS else 0), f"{record.name} of {inside} is {value}, not in {found}"


@pytest.mark.parametrize("record", FAMILY, ids=lambda record: record.name)
def test_function_of_a_family(record: Function) -> None:
    for box, numbers in boxes(record, 40):
        for place in range(len(box)):
            expr = Call(record.name, tuple(box), place)
            found = of_bands(expr, box)
            for inside in numbers:
                assert holds(found, of_numbers(expr, inside)), f"{record.name}[{place}] of {inside}, not in {found}"


def test_functions_that_turn_are_few() -> None:
    """Those that are not listed are bounded strictly; a list that grew would hide a missing kink."""
    turns = {
        "gelu": -0.7517915, "gelu_tanh": -0.7524614, "silu": -1.2784645, "swish": -2.5569290, "mish": -1.1924312, "log_cosh": 0.0,
        "kl": 0.5 / math.e, "sin": math.pi / 2, "cos": 0.0, "huber": 0.0,
    }  # fmt: skip
    assert set(DIPS) == set(turns)
    for name, turn in turns.items():
        first, *others = map(Ref, FUNCTIONS[name].arguments)
        box = {first: Band(turn - 0.3 * DIPS[name], turn + 0.7 * DIPS[name]), **{other: band(0.5) for other in others}}
        value = of_numbers(Call(name, tuple(box)), {first: turn, **dict.fromkeys(others, 0.5)})
        found = of_bands(Call(name, tuple(box)), box)
        assert holds(found, value, 1 / 16) and not holds(found, value), f"{name}: {value}, {found}"


@pytest.mark.parametrize("record", SCALAR, ids=lambda record: record.name)
def test_nothing_is_known_of_an_unbounded_argument(record: Function) -> None:
    box = {Ref(name): ANYTHING for name in record.arguments}
    found = of_bands(Call(record.name, tuple(box)), box)
    assert (found.low, found.high) == (-math.inf, math.inf)


# --- expressions ----------------------------------------------------------------------------------------------------------

CELLS = [Ref("a"), Ref("b"), Ref("c"), Ref("d")]
RISING = ["sigmoid", "tanh", "relu", "softplus", "identity", "step", "erf", "abs"]


def _more(parts: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    two = st.tuples(parts, parts)
    return st.one_of(
        two.map(lambda pair: add(*pair)),
        two.map(lambda pair: sub(*pair)),
        two.map(lambda pair: mul(*pair)),
        two.map(lambda pair: div(*pair)),
        parts.map(neg),
        st.tuples(parts, st.sampled_from(["2", "3", "-1", "-2"])).map(lambda pair: Power(pair[0], number(pair[1]))),
        st.tuples(st.sampled_from(RISING), parts).map(lambda pair: call(*pair)),
        two.map(lambda pair: Call("softmax", pair, 0)),
        two.map(lambda pair: call("max", *pair)),
    )


EXPRESSIONS = st.recursive(st.sampled_from(CELLS) | st.sampled_from(["1", "0.5", "-2", "0"]).map(number), _more, max_leaves=10)
WIDTHS = st.sampled_from([0.0, 1e-6, 5e-4, 0.05, 1.0])


@st.composite
def operands(draw: st.DrawFn) -> tuple[Box, Inside]:
    """A band for every cell, and a number in it: often one of the ends."""
    box, inside = {}, {}
    for ref in CELLS:
        low, width = draw(st.floats(-3, 3)), draw(WIDTHS)
        box[ref] = Band(low, low + width)
        inside[ref] = min(low + width * draw(st.sampled_from([0.0, 1.0]) | st.floats(0, 1)), low + width)
    return box, inside


@given(EXPRESSIONS, operands())
@law(400)
def test_the_value_lies_in_the_band(expr: Expr, drawn: tuple[Box, Inside]) -> None:
    box, inside = drawn
    try:
        value = of_numbers(expr, inside)
    except (ArithmeticError, ValueError):
        assume(False)
    found = of_bands(expr, box)
    size = max([1.0, *(abs(end) for end in (found.low, found.high) if math.isfinite(end))])
    assert found.low - 1e-9 * size <= value <= found.high + 1e-9 * size, f"{expr} of {inside} is {value}, not in {found}"


@given(EXPRESSIONS, st.tuples(*(st.floats(-3, 3) for _ in CELLS)))
@law(200)
def test_exact_operands_give_a_point(expr: Expr, values: tuple[float, ...]) -> None:
    """Nothing is lost where nothing was rounded."""
    inside = dict(zip(CELLS, values))
    try:
        value = of_numbers(expr, inside)
    except (ArithmeticError, ValueError):
        assume(False)
    found = of_bands(expr, {ref: band(number) for ref, number in inside.items()})
    if found.low != -math.inf:  # 1/0 on the way, though the result is defined
        assert found.low == found.high, f"{expr} of {inside}: {found}"
        assert math.isclose(found.low, value, rel_tol=1e-6, abs_tol=1e-9), f"{expr} of {inside}: {found}, {value}"


# In these every cell stands once, so that the ends of the band are reached in corners of the box.
ONCE = [
    "a + b", "a - b", "-a", "a*b", "a*b*c*d", "a/(3.5 + b)", "(a + b)*(c - d)",
    "sigmoid(a)*b", "a*tanh(b + c) - d", "softplus(a)^3", "relu(a) + b",
]  # fmt: skip


@pytest.mark.parametrize("text", ONCE)
def test_the_ends_are_reached(text: str) -> None:
    expr = parse(text, any_name)
    chooser = random.Random(text)
    for _ in range(40):
        box = {ref: Band(low := chooser.uniform(-3, 2), low + chooser.uniform(0, 1)) for ref in references(expr)}
        corners = [of_numbers(expr, dict(zip(box, ends))) for ends in product(*((own.low, own.high) for own in box.values()))]
        found = of_bands(expr, box)
        assert math.isclose(found.low, min(corners), rel_tol=1e-12, abs_tol=1e-12), (box, found)
        assert math.isclose(found.high, max(corners), rel_tol=1e-12, abs_tol=1e-12), (box, found)


def test_a_band_with_zero_below_a_fraction_line_is_anything() -> None:
    for below in (Band(-1, 1), Band(0, 1), Band(-1, 0), band(0.0)):
        found = Band(1, 2) / below
        assert (found.low, found.high) == (-math.inf, math.inf)


def test_a_square_across_zero_begins_at_zero() -> None:
    found = of_bands(parse("a^2", any_name), {Ref("a"): Band(-0.3, 0.2)})
    assert found.low == 0 and math.isclose(found.high, 0.09)


ENDS = st.tuples(st.floats(-10, 10), st.floats(0, 5)).map(lambda pair: Band(pair[0], pair[0] + pair[1]))


@given(ENDS, ENDS, st.floats(0, 1))
def test_union_and_common_part(left: Band, right: Band, share: float) -> None:
    for own in (left, right):
        value = own.low + share * own.width
        assert holds(left | right, value)
        assert holds(left & right, value) or not (holds(left, value) and holds(right, value))
    common = left & right
    assert common.low <= common.high and holds(left | right, common.low) and holds(left | right, common.high)


# value, slack → whether Band(0.5, 0.75) has it
MEMBERS = [(0.5, 0, True), (0.75, 0, True), (0.76, 0, False), (0.49, 0, False), (0.76, 0.01, True), (0.7600001, 0.01, False)]


@pytest.mark.parametrize(("value", "slack", "expected"), MEMBERS)
def test_membership(value: float, slack: float, expected: bool) -> None:
    assert Band(0.5, 0.75).has(value, slack) is expected


# --- rounding on the way --------------------------------------------------------------------------------------------------


LOWS, WIDER = st.floats(-2000, 2000), st.sampled_from([0.0, 1e-5, 3e-3, 0.2, 30.0])


@given(LOWS, WIDER, st.floats(0, 1), st.integers(0, 6), st.integers(1, 7), st.booleans())
@example(0.0, 0.0, 0.0, 2, 3, True)
@example(-0.5, 3.0, 0.5, 0, 1, False)
@example(0.9996, 0.0003, 1.0, 3, 3, False)
@example(2.675, 0.0, 0.0, 2, 3, False)
@law(500)
def test_widened_holds_every_rounding(low: float, width: float, share: float, decimals: int, significant: int, cut: bool) -> None:
    assume(abs(low) > 1e-9 or low == 0)
    value = low + share * width
    assume(low <= value <= low + width)
    for own in ((decimals, None), (None, significant), (decimals, significant)):
        grain = Grain(*own, cut=cut)
        found = grain.widened(Band(low, low + width))
        assert holds(found, value), "a number may also not be rounded"
        for ties in (ROUND_HALF_UP, ROUND_HALF_EVEN, *([ROUND_DOWN] if cut else [])):
            for digits in ((own[0], None), (None, own[1])):
                if digits != (None, None):
                    result = float(rounded(value, *digits, ties))
                    assert holds(found, result), f"{value} becomes {result}, not in {found} ({grain}, {ties})"


@given(st.floats(-100, 100), st.floats(0, 1), st.integers(0, 6))
def test_widened_is_no_wider_than_half_a_unit(low: float, width: float, decimals: int) -> None:
    """Each end moves by half a unit of the last digit at most; the ends of a band are then numbers of so many digits."""
    found = Grain(decimals).widened(Band(low, low + width))
    half = 0.5 * 10.0**-decimals * (1 + 1e-6)
    assert low - half <= found.low <= low and low + width <= found.high <= low + width + half


def test_without_digits_nothing_is_rounded() -> None:
    found = Grain().widened(Band(0.123456789, 0.2))
    assert (found.low, found.high) == (0.123456789, 0.2)
    assert Grain(2).widened(ANYTHING) is ANYTHING
