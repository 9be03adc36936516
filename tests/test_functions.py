"""Law 2 over the table of functions: every derivative against central differences and SymPy, every definition."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import product

import pytest
import sympy
from oracles import SYMPY, central, close, precise, symbol, to_sympy
from shipping import some, thinned

from handcalc.core.binding import bind
from handcalc.core.definitions import definition, partial
from handcalc.core.derivative import differentiate
from handcalc.core.expr import Call, Entry, Expr, Number, Ref, call, number, walk
from handcalc.core.formula import any_name, parse
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS, Function, function
from handcalc.core.index import Axis, Index
from handcalc.core.instance import evaluate

SCALAR = [record for record in FUNCTIONS.values() if not record.family]
SMOOTH = [record for record in SCALAR if record.arguments]
FAMILY = [record for record in FUNCTIONS.values() if record.family]
RANGES = {("huber", "d"): (0.1, 0.8)}  # arguments with a range of their own: a width is positive
POINTS = 12


def name(record: Function) -> str:
    return record.name


def points(record: Function) -> list[dict[Ref, float]]:
    """Seeded points of the safe range, away from the kinks and from ties."""
    chooser = random.Random(record.name)
    found: list[dict[Ref, float]] = []
    while len(found) < POINTS:
        values = [chooser.uniform(*RANGES.get((record.name, argument), record.safe)) for argument in record.arguments]
        corners = [abs(value - kink) for value, kink in product(values[:1], record.kinks)]
        ties = [abs(abs(values[0]) - abs(other)) for other in values[1:]]
        if min([*corners, *ties], default=1.0) > 0.02:
            found.append({Ref(argument): value for argument, value in zip(record.arguments, values)})
    return found


def at(expr: Expr, values: dict[Ref, float]) -> float:
    return float(evaluate(expr, values.__getitem__))


def slope(y: Expr, values: dict[Ref, float], argument: Ref) -> float:
    """∂y/∂argument by central differences."""
    return central(lambda x: at(y, {**values, argument: x}), values[argument])


# --- derivatives ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", some(SMOOTH, SMOOTH[::3]), ids=name)
def test_partials_match_central_differences(record: Function) -> None:
    arguments = [Ref(argument) for argument in record.arguments]
    y = Call(record.name, tuple(arguments))
    for values in points(record):
        for place, argument in enumerate(arguments):
            got = at(partial(record.name, place, arguments, y), values)
            expected = slope(y, values, argument)
            assert close(got, expected, 1e-8), f"∂{record.name}/∂{argument.quantity} at {values}: got {got}, expected {expected}"


@pytest.mark.parametrize("record", some(SMOOTH, SMOOTH[::4]), ids=name)
def test_partials_match_sympy(record: Function) -> None:
    arguments = [Ref(argument) for argument in record.arguments]
    y = Call(record.name, tuple(arguments))
    for place, argument in enumerate(arguments):
        ours = to_sympy(partial(record.name, place, arguments, y))
        theirs = sympy.diff(to_sympy(y), symbol(argument))
        for values in points(record):
            got, expected = precise(ours, values), precise(theirs, values)
            assert abs(got - expected) < 1e-30, f"∂{record.name}/∂{argument.quantity} at {values}: got {got}, expected {expected}"


@pytest.mark.parametrize("record", thinned([*SCALAR], 3), ids=name)
def test_value_matches_sympy(record: Function) -> None:
    y = Call(record.name, tuple(map(Ref, record.arguments)))
    for values in points(record) if record.arguments else [{}]:
        got, expected = at(y, values), float(precise(to_sympy(y), values))
        assert close(got, expected, 1e-14), f"{record.name} at {values}: got {got}, expected {expected}"


def test_sympy_knows_every_function() -> None:
    assert set(SYMPY) == set(FUNCTIONS)


def test_number_of_partials_is_number_of_arguments() -> None:
    wrong = [record.name for record in FUNCTIONS.values() if len(record.partials) != len(record.arguments)]
    assert not wrong


# --- functions of a whole family ---------------------------------------------------------------------------------------


def entries() -> list[Ref]:
    return [Ref("z", (place,)) for place in range(3)]


@pytest.mark.parametrize("record", FAMILY, ids=name)
@pytest.mark.parametrize("entry, member", [*product(range(3), range(3))])
def test_family_derivative_matches_sympy(record: Function, entry: int, member: int) -> None:
    """The general derivative of f(z)_k with respect to z_m, bound to concrete k and m, is SymPy's."""
    axis = Axis("unit", 3)
    k, inner = Index("k", axis), Index("m", axis)
    whole = Entry(record.name, k if "same" in record.partials[0] else -1, inner, Ref("z", (inner,)))
    slope = differentiate(whole, Ref("z", (inner,)))  # m, summed in the function, now names the member
    got_formula = bind(slope, {"k": entry, "m": member}, lambda quantity, places: True)
    y = bind(whole, {"k": entry}, lambda quantity, places: True)
    theirs = sympy.diff(to_sympy(y), symbol(Ref("z", (member,))))
    for values in points_of_family(record.name):
        got, expected = precise(to_sympy(got_formula), values), precise(theirs, values)
        assert abs(got - expected) < 1e-30, f"∂{record.name}_{entry}/∂z_{member} at {values}: got {got}, expected {expected}"


@pytest.mark.parametrize("record", FAMILY, ids=name)
def test_family_value_matches_sympy(record: Function) -> None:
    for place, values in product(range(3), points_of_family(record.name)):
        y = Call(record.name, tuple(entries()), place)
        got, expected = at(y, values), float(precise(to_sympy(y), values))
        assert close(got, expected, 1e-14), f"{record.name}[{place}] at {values}: got {got}, expected {expected}"


def points_of_family(seed: str) -> list[dict[Ref, float]]:
    chooser = random.Random(seed)
    return [{entry: chooser.uniform(-3, 3) for entry in entries()} for _ in range(4)]


# --- definitions, exact values, defaults --------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [record for record in SCALAR if record.definition], ids=name)
def test_definition_equals_value(record: Function) -> None:
    arguments = [Ref(argument) for argument in record.arguments]
    written = definition(record.name, arguments)
    assert written is not None
    for values in points(record):
        got, expected = at(written, values), at(Call(record.name, tuple(arguments)), values)
        assert close(got, expected, 1e-12), f"{record.name} at {values}: definition {got}, value {expected}"


@pytest.mark.parametrize("record", FAMILY, ids=name)
def test_family_definition_equals_value(record: Function) -> None:
    for place, values in product(range(3), points_of_family(record.name)):
        written = definition(record.name, entries(), place)
        assert written is not None
        got, expected = at(written, values), at(Call(record.name, tuple(entries()), place), values)
        assert close(got, expected, 1e-14), f"{record.name}[{place}] at {values}: definition {got}, value {expected}"


@pytest.mark.parametrize("record", [record for record in SCALAR if not record.definition], ids=name)
def test_primitives_have_no_definition(record: Function) -> None:
    assert definition(record.name, [Ref(argument) for argument in record.arguments]) is None


@pytest.mark.parametrize("record", [record for record in SCALAR if record.definition], ids=name)
def test_definition_uses_other_functions_only(record: Function) -> None:
    written = definition(record.name, [Ref(argument) for argument in record.arguments])
    assert written is not None
    used = {node.function for node in walk(written) if isinstance(node, Call)}
    assert record.name not in used


@pytest.mark.parametrize("record", [record for record in SCALAR if record.exact_at], ids=name)
def test_exact_at_is_exact(record: Function) -> None:
    """An exact value is rational: in SymPy, and equal to ours."""
    for x in record.exact_at:
        expected = sympy.nsimplify(SYMPY[record.name](sympy.Integer(x)))
        assert expected.is_rational, f"{record.name}({x}) = {expected}"
        assert record.value(x) == float(expected), f"{record.name}({x}): got {record.value(x)}, expected {expected}"


NOT_EXACT = [("exp", 1), ("ln", 2), ("sqrt", 2), ("sigmoid", 1), ("tanh", 1), ("softplus", 0)]


@pytest.mark.parametrize("found, x", NOT_EXACT, ids=[f"{found}({x})" for found, x in NOT_EXACT])
def test_irrational_values_are_not_listed_as_exact(found: str, x: int) -> None:
    assert x not in FUNCTIONS[found].exact_at


@pytest.mark.parametrize("record", [record for record in SCALAR if record.defaults], ids=name)
def test_defaults_fill_the_last_arguments(record: Function) -> None:
    required = len(record.arguments) - len(record.defaults)
    short = parse(f"{record.name}({', '.join(record.arguments[:required])})", any_name)
    assert short == Call(record.name, (*map(Ref, record.arguments[:required]), *map(number, record.defaults)))


DEFAULTS = {
    "leaky_relu(-2)": -0.02,
    "elu(-1)": math.expm1(-1),
    "huber(3)": 2.5,
    "huber(0.5)": 0.125,
    "relu'(0)": 0,
    "max'(2, 2)": 1,
}


@pytest.mark.parametrize("text", DEFAULTS)
def test_value_with_defaults(text: str) -> None:
    assert evaluate(parse(text, any_name), lambda ref: None) == DEFAULTS[text]


# --- fractions, limits, errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("record", [record for record in SCALAR if record.rational], ids=name)
def test_rational_functions_work_on_fractions(record: Function) -> None:
    for values in points(record):
        fractions = [Fraction(value).limit_denominator(1000) for value in values.values()]
        got = record.value(*fractions)
        assert isinstance(got, (Fraction, int)), f"{record.name}{fractions}: got {got!r}"
        assert close(float(got), float(record.value(*map(float, fractions))), 1e-14)


POWERS = {"log10(1000)": 3, "log10(100000)": 5, "log2(8)": 3, "log2(1024)": 10, "sqrt(144)": 12}


@pytest.mark.parametrize("text", POWERS)
def test_whole_logarithms_and_roots_are_whole(text: str) -> None:
    got = evaluate(parse(text, any_name), lambda ref: None)
    assert got == POWERS[text], f"{text}: got {got}, expected {POWERS[text]}"


# exact values at the places where a function switches, one row each
SWITCHES = {
    "relu(0)": 0,
    "relu'(0, 1)": 1,
    "relu'(0, 0.5)": 0.5,
    "leaky_relu(0, 0.1)": 0,
    "relu6(6)": 6,
    "relu6'(6)": 0,
    "relu6'(0)": 0,
    "relu6'(3)": 1,
    "hard_sigmoid(-3)": 0,
    "hard_sigmoid(0)": 0.5,
    "hard_sigmoid'(3)": 0,
    "hard_tanh(-5)": -1,
    "hard_tanh'(1)": 0,
    "hard_tanh'(0)": 1,
    "bipolar_step(0)": 1,
    "bipolar_step(-1e-9)": -1,
    "leaky_relu'(0, 0.1)": 0.1,
    "elu(0, 1)": 0,
    "elu'(0, 2)": 2,
    "step(0)": 1,
    "step(-1e-9)": 0,
    "sign(0)": 0,
    "sign(-3)": -1,
    "abs(-3)": 3,
    "max(2, 2)": 2,
    "max'(2, 2, 0)": 0,
    "max'(2, 2, 0.5)": 0.5,
    "max'(3, 2, 0.5)": 1,
    "max'(1, 2, 0.5)": 0,
    "kl(0, 0.3)": 0,
    "huber(1, 1)": 0.5,
    "huber(-1, 1)": 0.5,
}


@pytest.mark.parametrize("text", SWITCHES)
def test_value_at_a_switch(text: str) -> None:
    got = evaluate(parse(text, any_name), lambda ref: None)
    assert got == SWITCHES[text], f"{text}: got {got}, expected {SWITCHES[text]}"


FAR = {
    "sigmoid(1000)": 1.0,
    "sigmoid(-1000)": 0.0,
    "sigmoid(-705)": math.exp(-705),
    "bipolar_sigmoid(1000)": 1.0,
    "bipolar_sigmoid(-1000)": -1.0,
    "softplus(1000)": 1000.0,
    "softplus(-1000)": 0.0,
    "softplus(-40)": math.exp(-40),
    "silu(1000)": 1000.0,
    "silu(-1000)": 0.0,
    "gelu(1000)": 1000.0,
    "gelu(-1000)": 0.0,
    "gelu_tanh(1000)": 1000.0,
    "gelu_tanh(-1000)": 0.0,
    "swish(1000, 2)": 1000.0,
    "swish(-1000, 2)": 0.0,
    "mish(1000)": 1000.0,
    "mish(-1000)": 0.0,
    "softsign(1e9)": 1 - 1e-9,
    "elu(-1000)": -1.0,
    "log_cosh(-1000)": 1000 - math.log(2),
    "tanh(1000)": 1.0,
}


@pytest.mark.parametrize("text", FAR)
def test_stable_far_from_zero(text: str) -> None:
    got = evaluate(parse(text, any_name), lambda ref: None)
    assert close(got, FAR[text], 1e-15), f"{text}: got {got}, expected {FAR[text]}"


@pytest.mark.parametrize("shift", [-1000, 0, 1000])
def test_softmax_and_logsumexp_do_not_overflow(shift: int) -> None:
    numbers = tuple(Number(shift + place) for place in range(3))
    whole = sum(math.exp(place) for place in range(3))
    for place in range(3):
        got = evaluate(Call("softmax", numbers, place), lambda ref: None)
        assert close(got, math.exp(place) / whole, 1e-15), f"softmax[{place}] at {shift}: got {got}"
    got = evaluate(Call("logsumexp", numbers), lambda ref: None)
    assert close(got, shift + math.log(whole), 1e-15), f"logsumexp at {shift}: got {got}"


def test_a_slope_of_elu_does_not_overflow() -> None:
    """Only the branch that counts is computed: e^1000 is not."""
    assert function("elu'").value(1000.0, 1) == 1


def test_unknown_function_is_named() -> None:
    with pytest.raises(KeyError, match="^'sigmoyd'$"):
        function("sigmoyd")
    with pytest.raises(KeyError, match="^'sigmoyd'$"):
        call("sigmoyd", Ref("z"))
    with pytest.raises(KeyError, match="^'sigmoyd'$"):
        evaluate(Call("sigmoyd", (Number(1),)), lambda ref: None)


def test_no_activation_is_lost() -> None:
    """Problem files name them."""
    named = (
        "sigmoid bipolar_sigmoid tanh relu leaky_relu elu relu6 hard_sigmoid hard_tanh gelu gelu_tanh silu swish mish softsign "
        "softplus identity step bipolar_step sign softmax log_softmax"
    )
    assert {*named.split()} <= {*ACTIVATIONS}


def test_every_function_says_what_it_is() -> None:
    """Documented, and only with names that its formulas know."""
    for record in SCALAR:
        if record.name.endswith("'"):
            continue
        assert record.doc or record.name in ("pi",), f"{record.name} has no doc"
    for record in SCALAR:
        allowed = {*record.arguments, "y"}
        for text in (*record.partials, *filter(None, [record.definition])):
            used = {node.quantity for node in walk(parse(text, any_name)) if isinstance(node, Ref)}
            assert used <= allowed, f"{record.name}: {text} uses {used - allowed}"
