"""Text → expression: the grammar, spellings, symbols of a notation, exact errors, limits; hostile text is only text."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law

from handcalc.core.binding import bind
from handcalc.core.derivative import differentiate
from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum, number, references
from handcalc.core.formula import DEPTH_LIMIT, LENGTH_LIMIT, FormulaError, any_name, names, parse
from handcalc.core.functions import FUNCTIONS
from handcalc.core.instance import evaluate

A, B, C, X = Ref("a"), Ref("b"), Ref("c"), Ref("x")
TWO, THREE = Number(2), Number(3)


def grouped(expr: Expr) -> str:
    """The expression with every bracket written: how it was read."""
    match expr:
        case Number(above, below, text):
            return text or (f"{above}" if below == 1 else f"{above}/{below}")
        case Ref(name, places):
            return name + "".join(f"_{place}" for place in places)
        case Sum(terms):
            return "(" + " + ".join(map(grouped, terms)) + ")"
        case Product(factors):
            return "(" + "*".join(map(grouped, factors)) + ")"
        case Negation(inner):
            return f"(-{grouped(inner)})"
        case Quotient(above, below):
            return f"({grouped(above)}/{grouped(below)})"
        case Power(base, exponent):
            return f"({grouped(base)}^{grouped(exponent)})"
        case Call(name, arguments):
            return f"{name}({', '.join(map(grouped, arguments))})"
    raise AssertionError(expr)


# --- grammar ----------------------------------------------------------------------------------------------------------

# as typed → how it is read
READ = {
    # precedence
    "a + b*c": "(a + (b*c))",
    "a*b + c": "((a*b) + c)",
    "(a + b)*c": "((a + b)*c)",
    "a*b^2": "(a*(b^2))",
    "(a*b)^2": "((a*b)^2)",
    "a + b + c": "(a + b + c)",
    "a - b - c": "(a + (-b) + (-c))",
    "a - (b - c)": "(a + (-(b + (-c))))",
    "a/b/c": "((a/b)/c)",
    "a/b*c": "((a/b)*c)",
    "a*b/c": "((a*b)/c)",
    "a*b*c": "(a*b*c)",
    "a/(b*c)": "(a/(b*c))",
    "1/2*a": "(1/2*a)",  # a fraction of two whole numbers is one literal
    "3/6": "(3/6)",
    "0.5/2": "(0.5/2)",
    "1/2/4": "(1/2/4)",
    "a/1/2": "((a/1)/2)",
    "1/2^a": "(1/(2^a))",
    "1/0": "(1/0)",
    "-1/2": "((-1)/2)",
    # the minus sign binds weaker than powers, stronger than products
    "-a^2": "(-(a^2))",
    "(-a)^2": "((-a)^2)",
    "-a*b": "((-a)*b)",
    "a*-b": "(a*(-b))",
    "-a + b": "((-a) + b)",
    "--a": "(-(-a))",
    "a - -b": "(a + (-(-b)))",
    "+a": "a",
    "a*+b": "(a*b)",
    "-2": "(-2)",
    # powers
    "a^b^c": "(a^(b^c))",
    "a^-2": "(a^(-2))",
    "a^-b^2": "(a^(-(b^2)))",
    "2^3^2": "(2^(3^2))",
    "a^2*b": "((a^2)*b)",
    "a^(1/2)": "(a^1/2)",
    # calls
    "sigmoid(z)": "sigmoid(z)",
    "max(0, 1 - t*o)": "max(0, (1 + (-(t*o))))",
    "exp(-z)^2": "(exp((-z))^2)",
    "2*sin(a)*b": "(2*sin(a)*b)",
    "relu'(z, 0)": "relu'(z, 0)",
    "pi*a": "(pi()*a)",
    "pi": "pi()",
    # a function's name without brackets is a name like any other
    "max + 1": "(max + 1)",
    # literals keep their digits
    "0.10*a": "(0.10*a)",
    "1e-3": "1e-3",
    "1.5E+2": "1.5E+2",
    ".5": ".5",
    "5.": "5.",
    "2e": None,
    # white space
    "  a+b ": "(a + b)",
    "a\t*\nb": "(a*b)",
    # spellings
    "a·b": "(a*b)",
    "a×b": "(a*b)",
    "a÷b": "(a/b)",
    "a−b": "(a + (-b))",
    "−a": "(-a)",
    "a**2": "(a^2)",
    "a²": "(a^2)",
    "a³ + b": "((a^3) + b)",
    "(a + b)²": "((a + b)^2)",
    "3²": "(3^2)",
    "a²b": None,
    "-a²": "(-(a^2))",
    "2^a²": "(2^(a^2))",
    "（a，b）": None,
    "（a＋b）×c": "((a + b)*c)",
    "max（a，b）": "max(a, b)",
    # names
    "net_h1": "net_h1",
    "θ3": "θ3",
    "权重*2": "(权重*2)",
    "w'": "w'",
    "x̄*2": "(x̄*2)",
    "sinx": "sinx",
    "a1b2": "a1b2",
}


@pytest.mark.parametrize("text", [text for text, read in READ.items() if read])
def test_read_as(text: str) -> None:
    got = grouped(parse(text, any_name))
    assert got == READ[text], f"{text}: read as {got}, expected {READ[text]}"


@pytest.mark.parametrize("text", [text for text, read in READ.items() if read is None])
def test_not_read(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text, any_name)


def test_the_tree_is_as_written() -> None:
    """Nothing is tidied: a difference is a sum with a negation; but ½ is a literal."""
    assert parse("1/2*(a - b)^2", any_name) == Product((Number(1, 2), Power(Sum((A, Negation(B))), TWO)))
    assert parse("-0.10", any_name) == Negation(number("0.10"))


VALUES = {"2 + 3*4": 14, "2^3^2": 512, "-2^2": -4, "2²³": 64, "8/4/2": 1, "7 - 2 - 1": 4, "2^-1": 0.5, "1/2/4": 0.125}


@pytest.mark.parametrize("text", VALUES)
def test_value(text: str) -> None:
    got = evaluate(parse(text, any_name), lambda ref: None)
    assert got == VALUES[text], f"{text}: got {got}, expected {VALUES[text]}"


@pytest.mark.parametrize("name", [record.name for record in FUNCTIONS.values() if not record.family])
def test_every_function_can_be_typed(name: str) -> None:
    arguments = FUNCTIONS[name].arguments
    text = f"{name}({', '.join(arguments)})" if arguments else name
    assert parse(text, any_name) == Call(name, tuple(map(Ref, arguments)))


# --- names ------------------------------------------------------------------------------------------------------------

SYMBOLS = {
    "w5": Ref("W", (0, 0)),
    "w5+": Ref("new.W", (0, 0)),
    "w50": Ref("W", (9, 9)),
    "dE/dw5": Ref("grad.W", (0, 0)),
    "W1[2,1]": Ref("W", (1, 0)),
    "W1[2,1]+": Ref("new.W", (1, 0)),
    "δ_o1": Ref("grad.net", (0,)),
    "out_h1": Ref("out", (0,)),
    "E": Ref("loss"),
    "exp": Ref("exponent"),
    "σ'(net)": Ref("local"),
}

LOOKED_UP = {
    "w5": "W_0_0",
    "w5+": "new.W_0_0",
    "w5 + 1": "(W_0_0 + 1)",
    "w5+1": "(W_0_0 + 1)",
    "w5+ + 1": "(new.W_0_0 + 1)",
    "w5+w50": "(W_0_0 + W_9_9)",
    "w5+(1)": "(W_0_0 + 1)",
    "w5+ - w5": "(new.W_0_0 + (-W_0_0))",
    "w50": "W_9_9",
    "dE/dw5": "grad.W_0_0",
    "2*dE/dw5": "(2*grad.W_0_0)",
    "E/w5": "(loss/W_0_0)",
    "W1[2,1]*out_h1": "(W_1_0*out_0)",
    "W1[2,1]+": "new.W_1_0",
    "δ_o1*out_h1": "(grad.net_0*out_0)",
    "exp(E)": "exp(loss)",
    "exp*2": "(exponent*2)",
    "σ'(net)*2": "(local*2)",
    " w5 ": "W_0_0",
}


@pytest.mark.parametrize("text", LOOKED_UP)
def test_symbols_of_a_notation(text: str) -> None:
    got = grouped(parse(text, names(SYMBOLS)))
    assert got == LOOKED_UP[text], f"{text}: read as {got}, expected {LOOKED_UP[text]}"


UNKNOWN = {"w51": "w51", "dE/dw51": "dE", "xw5": "xw5", "out_h12": "out_h12", "w5'": "w5'", "a + w6": "a"}


@pytest.mark.parametrize("text", UNKNOWN)
def test_a_symbol_is_no_part_of_a_longer_name(text: str) -> None:
    with pytest.raises(FormulaError) as raised:
        parse(text, names(SYMBOLS))
    assert str(raised.value) == f'unknown name "{UNKNOWN[text]}"'


def test_no_symbols_at_all() -> None:
    assert parse("2*3", names({})) == Product((TWO, THREE))
    with pytest.raises(FormulaError, match='unknown name "a"'):
        parse("a", names({}))


# --- errors -----------------------------------------------------------------------------------------------------------

# text → message, column
ERRORS = {
    "": ("empty formula", 1),
    "   ": ("empty formula", 1),
    "a +": ("the formula ends too early", 4),
    "a*": ("the formula ends too early", 3),
    "-": ("the formula ends too early", 2),
    "a^": ("the formula ends too early", 3),
    "sin(": ("the formula ends too early", 5),
    "(a + b": ('expected ")", found …', 7),
    "(a b)": ('expected ")", found "b"', 4),
    "max(a; b)": ('expected ")", found ";"', 6),
    "a)": ('")" is not expected here', 2),
    "a b": ('"b" is not expected here', 3),
    "2 a": ('"a" is not expected here', 3),
    "2(a)": ('"(" is not expected here', 2),
    "a(2)": ('"(" is not expected here', 2),
    "*a": ('"*" is not expected here', 1),
    "a + * b": ('"*" is not expected here', 5),
    "a^^2": ('"^" is not expected here', 3),
    "()": ('")" is not expected here', 2),
    "sin()": ('")" is not expected here', 5),
    "a, b": ('"," is not expected here', 2),
    "a = b": ('"=" is not expected here', 3),
    "a $ b": ('"$" is not expected here', 3),
    "a  [1]": ('"[" is not expected here', 4),
    "0x10": ('"x10" is not expected here', 2),
    "1_000": ('"_000" is not expected here', 2),
    "a.b": ('"." is not expected here', 2),
    "²": ('"²" is not expected here', 1),
    "a²³²x": ('"x" is not expected here', 5),
    "1e999": ("not a number this program can hold", 1),
    "a + 1e-999": ("not a number this program can hold", 5),
    "softmax(a)": ("softmax takes a whole layer: name it as the activation instead", 1),
    "1 + logsumexp(a, b)": ("logsumexp takes a whole layer: name it as the activation instead", 5),
    "sin(a, b)": ("sin takes 1 arguments, not 2", 1),
    "2*max(a)": ("max takes 2 arguments, not 1", 3),
    "leaky_relu(a, b, c)": ("leaky_relu takes 2 arguments, not 3", 1),
}


@pytest.mark.parametrize("text", ERRORS)
def test_error(text: str) -> None:
    message, column = ERRORS[text]
    with pytest.raises(FormulaError) as raised:
        parse(text, any_name)
    got = (str(raised.value), raised.value.column)
    assert got == (message, column), f"{text!r}: got {got}, expected {(message, column)}"


def test_unknown_names_are_errors_where_they_stand() -> None:
    with pytest.raises(FormulaError) as raised:
        parse("z + sigmod(z)", lambda name: Ref(name) if name == "z" else None)
    error = raised.value
    assert (str(error), error.column) == ('unknown name "sigmod"', 5)
    assert (error.template, error.values) == ('unknown name "{found}"', {"found": "sigmod"}), "for translation"


def test_an_error_is_a_value_error() -> None:
    assert issubclass(FormulaError, ValueError)


# --- limits -----------------------------------------------------------------------------------------------------------

DEEP: dict[str, Callable[[int], str]] = {
    "brackets": lambda depth: "(" * depth + "x" + ")" * depth,
    "signs": lambda depth: "-" * depth + "x",
    "plus signs": lambda depth: "+" * depth + "x",
    "powers": lambda depth: "2^" * depth + "x",
    "calls": lambda depth: "sin(" * depth + "x" + ")" * depth,
    "quotients": lambda depth: "/".join("x" * depth),
    "squares": lambda depth: "x" + "²" * depth,
    "quotients of products": lambda depth: "x" + "/x*x" * depth,
}


@pytest.mark.parametrize("case", DEEP)
@pytest.mark.parametrize("depth", [61, 350])
def test_depth_is_bounded(case: str, depth: int) -> None:
    with pytest.raises(FormulaError) as raised:
        parse(DEEP[case](depth), any_name)
    assert str(raised.value) == f"nested more than {DEPTH_LIMIT} deep"


@pytest.mark.parametrize("case", DEEP)
def test_depth_below_the_limit_is_read(case: str) -> None:
    expr = parse(DEEP[case](25), any_name)
    assert X in references(expr)


def test_the_deepest_formula_leaves_room_on_the_stack() -> None:
    """Accepted formulas, their derivatives and second derivatives work 300 frames below the recursion limit."""
    deepest = ["1 + 2*-sin(" * 14 + "x" + ")" * 14, "x" + "/x*x" * 29, "/".join("x" * 59)]

    def below(frames: int, expr: Expr) -> None:
        if frames:
            return below(frames - 1, expr)
        slope = differentiate(expr, X)
        evaluate(slope, lambda ref: 1.5)
        assert hash(bind(slope, {}, lambda quantity, places: True)) == hash(bind(slope, {}, lambda quantity, places: True))

    for text in deepest:
        below(max(sys.getrecursionlimit() - 700, 0), parse(text, any_name))


def test_length_is_bounded() -> None:
    parse("1" + "+1" * (LENGTH_LIMIT // 2 - 1), any_name)
    with pytest.raises(FormulaError) as raised:
        parse("1" * (LENGTH_LIMIT + 1), any_name)
    assert (str(raised.value), raised.value.column) == (f"longer than {LENGTH_LIMIT} characters", LENGTH_LIMIT)


def test_many_terms_are_not_deep() -> None:
    expr = parse(" + ".join(["x*x"] * 300), any_name)
    assert evaluate(differentiate(expr, X), lambda ref: 1.0) == 600


# --- hostile text -----------------------------------------------------------------------------------------------------

HOSTILE = [
    "__import__('os').system('true')",
    "().__class__.__bases__",
    "lambda: 0",
    "x if x else y",
    "[x for x in y]",
    "exec(x)",
    "eval('1')",
    "open('/etc/passwd')",
    "{0.__class__}",
    "{found}",
    "%s",
    "x; y",
    "x\x00y",
    "x # y",
    "\\u0041",
    "'x'",
    '"x"',
    "x := 2",
    "9**9**9**",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_python_is_not_executed(text: str) -> None:
    with pytest.raises(FormulaError):
        parse(text, lambda name: Ref(name) if len(name) == 1 else None)


def test_a_power_tower_is_only_a_tree() -> None:
    """Nothing is computed when a formula is read."""
    assert grouped(parse("9^9^9^9^9", any_name)) == "(9^(9^(9^(9^9))))"


def outcome(text: str) -> Expr | FormulaError:
    try:
        return parse(text, any_name)
    except FormulaError as error:
        return error


@given(st.text(max_size=60))
@law(500)
def test_any_text_is_a_formula_or_an_error(text: str) -> None:
    check(text)


STRINGS = ["**", "sin(", "max(", "exp(", "softmax(", "pi", "1e", "e-3", "relu'", "leaky_relu(", "0.10", "1e999"]
PIECES = st.sampled_from([*"xyzab0123456789()+-*/^,.²³·×−'[]_ ", *STRINGS])


@given(st.lists(PIECES, max_size=30).map("".join))
@law(1000)
def test_formula_like_text_is_a_formula_or_an_error(text: str) -> None:
    check(text)


def check(text: str) -> None:
    found = outcome(text)
    if isinstance(found, FormulaError):
        assert 1 <= found.column <= len(text) + 1, f"{text!r}: column {found.column} of {len(text)}"
        assert str(found), f"{text!r}: no message"
    else:
        again = outcome(grouped(found).replace("pi()", "pi"))
        assert isinstance(again, Expr) and grouped(again) == grouped(found), f"{text!r}: {grouped(found)} reads as {again}"
