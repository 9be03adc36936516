"""Laws 1, 4, 9 and 10 over every shipped problem, some harder ones, and every notation.

What is printed is what is computed: a printed formula is read back and evaluated, with symbols and with numbers; a
matrix form is computed with NumPy; a general formula with its indices put in is the instance; two notations differ in
letters and signs only; and whatever is printed can be looked up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from math import isclose
from typing import Any

import pytest
from shipping import LAYERED, OTHERS, at_once, thinned

from handcalc.core.binding import bind
from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Expr, Power, Ref, references, walk
from handcalc.core.formula import Resolver, names, parse
from handcalc.core.functions import FUNCTIONS
from handcalc.core.index import affine
from handcalc.core.instance import FRACTIONS, evaluate
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.rounding import Rounding
from handcalc.core.vanishing import vanishing, zero_or
from handcalc.deriving import derive
from handcalc.errors import EvaluationError
from handcalc.loading.loader import loads, shipped
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render import read
from handcalc.render.dialects import PLAIN, UNICODE
from handcalc.render.matrices import matrix_form
from handcalc.render.notation import profile
from handcalc.render.reading import Reading
from handcalc.render.typeset import TYPESET


def _wide(inputs: int, units: int) -> str:
    """A problem with more weights than are numbered w1, w2 …, and places of two digits."""
    rows = [[f"0.{unit}{place:02}" for place in range(inputs)] for unit in range(units)]
    lines = (
        f"inputs: [{', '.join(f'0.{place:02}' for place in range(inputs))}]",
        "targets: [1, 0]",
        "layers:",
        f"  - {{neurons: {units}, activation: silu, weights: [{', '.join('[' + ', '.join(row) + ']' for row in rows)}]}}",
        f"  - {{neurons: 2, activation: softmax, weights: [{['0.1'] * units}, {['-0.2'] * units}], bias: [0.3, -0.3]}}",
        "loss: cross_entropy",
        "learning_rate: 0.1",
    )
    return "\n".join(lines)


# What the shipped problems do not have: deep, wide, unnamed, numbered, sparse, batches, odd functions.
HARDER = {
    "deep": """
        inputs: [0.5, -1.5, 2]
        targets: [0.2, -0.4]
        layers:
          - {neurons: 3, activation: relu, weights: [[0.1, -0.2, 0.3], [-0.4, 0.5, 0.6], [0.7, 0.8, -0.9]], bias: [0.1, -0.2, 0.3]}
          - {neurons: 2, activation: {leaky_relu: {slope: 0.1}}, weights: [[0.11, -0.12, 0.13], [-0.14, 0.15, 0.16]], bias: 0.05}
          - {neurons: 2, activation: softplus, weights: [[0.5, -0.6], [0.7, 0.8]], threshold: [0.25, -0.35]}
        loss: mean_squared_error
        learning_rate: 0.3""",
    "digits": """
        inputs: {1: 1, 2: 0, 3: 1}
        targets: {6: 1}
        layers:
          - {neurons: [4, 5], activation: sigmoid, weights: [[0.2, 0.4, -0.5], [-0.3, 0.1, 0.2]], threshold: {θ4: [4, -0.4], θ5: [5, 0.2]}}
          - {neurons: [6], activation: bipolar_sigmoid, weights: [[-0.3, -0.2]], bias: {θ6: [6, 0.1]}}
        loss: squared_error
        learning_rate: 0.9""",
    "autoencoder": """
        samples:
          - {name: first, inputs: {x1: 0.1, x2: 0.9}, targets: {x1: 0.1, x2: 0.9}}
          - {name: second, inputs: {x1: 0.8, x2: 0.3}, targets: {x1: 0.8, x2: 0.3}}
        layers:
          - {neurons: [h], activation: tanh, weights: [[0.4, -0.6]], bias: {b: 0.1}}
          - {neurons: [x1, x2], activation: sigmoid, weights: [[0.5], [-0.7]]}
        loss: binary_cross_entropy
        learning_rate: 1""",
    "wide": _wide(10, 10),
    "sparse": """
        inputs: {a: 0.3, b: -0.7}
        targets: {y: 0.6, z: -0.2}
        layers:
          - neurons: [p, q, r]
            activation: [elu, gelu, z/(1 + z^2)]
            weights: {u: [a, p, 0.4], v: [b, q, -0.5], s: [a, r, 0.6], c: [b, r, 0.7]}
            bias: {bu: [a, p, 0.01], bv: [b, q, -0.02], bs: [a, r, 0.03], bc: [b, r, 0.04]}
          - neurons: [y, z]
            activation: [tanh, identity]
            weights: {k: [p, y, -0.8], m: [q, y, 0.9], n: [r, z, 1.1]}
            bias: [0.2, -0.1]
        loss: huber
        learning_rate: 0.2
        update: {frozen: [u, n]}""",
    "fused": """
        samples:
          - {inputs: [1, 2], targets: [1, 0, 0]}
          - {inputs: [-1, 0.5], targets: [0, 0.5, 0.5]}
        layers:
          - {neurons: 2, activation: relu, weights: [[0.5, -0.5], [0.25, 0.75]], bias: [0, 0.1]}
          - {neurons: 3, activation: softmax, weights: [[0.1, 0.2], [0.3, 0.4], [-0.5, 0.6]], bias: [0.1, 0.2, 0.3]}
        loss: cross_entropy
        learning_rate: 0.5
        conventions: {softmax_loss: fused, sample_reduction: sum, relu_at_zero: 0.5}""",
    "online": """
        samples:
          - {inputs: [1, -1], targets: [1]}
          - {inputs: [0, 2], targets: [0]}
        layers:
          - {neurons: 2, activation: sigmoid, weights: [[0.1, -0.2], [0.3, 0.4]], bias: 0.5}
          - {neurons: 1, activation: tanh, weights: [[-0.6, 0.7]], bias: 0.8}
        loss: half_squared_error
        learning_rate: 0.25
        training: {mode: online}
        conventions: {hidden_error_weights: updated, weight_numbering: by_source}""",
    "equations": """
        given: {x: 0.5, y: -1.25, w_1: 2, "θ": 0.75}
        equations:
          p: w_1*x - θ/y
          q: sqrt(p^2 + 1) - ln(abs(y) + 1)
          r: max(p, q)*min(x, y) - relu(-y)
          s: exp(-x)^2/(1 + erf(q))
          total: -(r - s)^2 + 2^x - 1/3
        minimize: total
        parameters: [w_1, θ]
        learning_rate: 0.1""",
}  # fmt: skip
PROBLEMS = [*shipped(), *HARDER]

FULL = Rounding(significant=17)  # shows what is computed, but for the last digit
CARRIED = [Rounding(decimals=4, significant=None, carry=True), Rounding(significant=3, carry=True)]
NEAR = 1e-9

# One notation for each combination of signs and rule of updating: numbers put in depend on nothing else.
SIGNS = {tuple(str(profile(name)[key]) for key in ("delta_sign", "bias_sign", "update")): name for name in reversed(NOTATION_NAMES)}


def pairs(notations: Iterable[str], share: int) -> pytest.MarkDecorator:
    """All pairs of a problem and a notation; one of so many is quick, so that each problem is read in some and each notation reads some."""
    cases = [
        pytest.param(problem, notation, marks=pytest.mark.slow if problem in OTHERS or (row + column) % share else [])
        for row, problem in enumerate(PROBLEMS)
        for column, notation in enumerate(notations)
    ]
    return pytest.mark.parametrize(("problem", "notation"), at_once(cases))


every_problem = pytest.mark.parametrize("problem", thinned([*PROBLEMS], 3))
every_pair = pairs(NOTATION_NAMES, 6)
every_sign = pairs(SIGNS.values(), 3)


@cache
def derivation(problem: str, rounding: Rounding = Rounding()) -> Derivation:  # noqa: B008, a frozen record
    """A problem worked out; six significant digits shown, nothing carried on, whatever the problem says."""
    text = HARDER[problem] if problem in HARDER else shipped()[problem].read_text(encoding="utf-8")
    return derive(loads(text, problem), rounding)


@cache
def plain(problem: str, notation: str) -> Reading:
    """A problem in a notation, in ASCII."""
    return read(derivation(problem), notation, PLAIN)


@cache
def cells(problem: str) -> tuple[Cell, ...]:
    """Every cell of a problem."""
    graph = derivation(problem).graph
    return tuple((quantity.name, place) for quantity in graph for place in graph.positions(quantity.name))


def lines(problem: str, reading: Reading) -> Iterator[tuple[Cell, Expr]]:
    """Every cell with a formula, and the formula in this notation."""
    for wanted in cells(problem):
        formula = reading.formula(wanted)
        if formula is not None:
            yield wanted, formula


def signed(reading: Reading, wanted: Cell) -> Any:
    """A cell's value in the sign of the notation's letter."""
    return reading.derivation.evaluation[wanted] * (-1 if reading.turned(wanted) else 1)


def symbols(reading: Reading) -> Resolver:
    """What reads a printed formula: symbol → cell."""
    return names({text: Ref(*found) for text, found in reading.symbols().items()})


def numeric_value(text: str, exact: bool = False) -> Any:
    """The value of a text without symbols."""
    return evaluate(parse(text, names({})), _no_symbol, exact)


def _no_symbol(reference: Ref) -> Any:
    raise AssertionError(f"{reference} in a formula with numbers put in")


def rational(expr: Expr) -> bool:
    """Whether an expression has an exact value in fractions."""
    return not any(
        isinstance(node, Call) and not FUNCTIONS[node.function].rational or isinstance(node, Power) and isinstance(node.exponent, Call)
        for node in walk(expr)
    )


# --- law 1: every printed formula parses back and evaluates to the same value ---------------------------------------------


@every_pair
def test_printed_formulas_have_the_value_of_the_step(problem: str, notation: str) -> None:
    reading = plain(problem, notation)
    resolve = symbols(reading)
    bad = []
    for wanted, formula in lines(problem, reading):
        text = reading.symbolic(formula)
        value = evaluate(parse(text, resolve), lambda reference: signed(reading, cell(reference)))
        if not isclose(value, signed(reading, wanted), rel_tol=NEAR, abs_tol=1e-14):
            bad.append(f"{reading.symbol(Ref(*wanted))} = {text} is {value!r}, not {signed(reading, wanted)!r}")
    assert not bad, "\n".join(bad)


@every_sign
def test_numbers_put_in_give_the_value(problem: str, notation: str) -> None:
    """With 17 digits shown, a line with numbers gives the value itself."""
    reading = read(derivation(problem, FULL), notation, PLAIN)
    bad = []
    for wanted, formula in lines(problem, reading):
        text = reading.numeric(formula)
        if not isclose(numeric_value(text), signed(reading, wanted), rel_tol=NEAR, abs_tol=1e-14):
            bad.append(f"{reading.symbol(Ref(*wanted))} = {text} is {numeric_value(text)!r}, not {signed(reading, wanted)!r}")
    assert not bad, "\n".join(bad)


@every_problem
def test_equal_signs_are_true(problem: str) -> None:
    """`=` before a number or before a line with numbers says that the printed digits are exact."""
    reading = read(derivation(problem), dialect=PLAIN)
    bad = []
    for wanted in cells(problem):
        shown, value = reading.shown(wanted), signed(reading, wanted)
        if shown.exact and not isclose(shown.value, value, rel_tol=1e-12):
            bad.append(f"{reading.symbol(Ref(*wanted))} = {shown.plain}, but it is {value!r}")
    for wanted, formula in lines(problem, reading):
        if reading.exact_inputs(formula):
            text = reading.numeric(formula)
            if not isclose(numeric_value(text), signed(reading, wanted), rel_tol=1e-12, abs_tol=1e-15):
                bad.append(f"{reading.symbol(Ref(*wanted))} = {text}, but it is {signed(reading, wanted)!r}")
    assert not bad, "\n".join(bad)


@every_problem
def test_named_factors_follow_the_graph(problem: str) -> None:
    """In ∂E/∂out · ∂out/∂net · ∂net/∂w every quantity depends on the next one: also at times and places that are counted apart."""
    found, reading = derivation(problem), plain(problem, "")
    bad = []

    def follow(above: Cell, below: Cell) -> bool:
        """At once, or by way of parts that have no slope of their own, as the sum of softmax."""
        used = found.graph.uses(above)
        parts = [part for part in used if found.graph[part[0]].kind not in ("net", "out") and found.graph.given_value(part) is None]
        return below in used or any(follow(part, below) for part in parts)

    for wanted in cells(problem):
        if found.graph[wanted[0]].kind in ("gradient", "path") and found.graph.given_value(wanted) is None:
            pairs = [(above, below) for above, below in reading.chain(found.step(wanted)) if above is not None]
            bad += [f"{wanted}: ∂{above}/∂{below}" for above, below in pairs if not follow(above, below)]
    assert not bad, "\n".join(bad)


# --- law 9: in carry mode every printed line reproduces --------------------------------------------------------------------


# Problems where a rounded output of exactly 1 has no logarithm: their loss and what follows from it cannot be computed.
UNDEFINED = ("deeplearning-ai-logistic",)


@pytest.mark.parametrize("rounding", CARRIED, ids=["4 decimals", "3 significant digits"])
@every_sign
def test_carried_lines_reproduce(problem: str, notation: str, rounding: Rounding) -> None:
    """The printed numbers of a line, calculated exactly and rounded, give the printed result."""
    reading = read(derivation(problem, rounding), notation, PLAIN)
    bad = []
    lost = 0
    for wanted, formula in lines(problem, reading):
        try:
            text, printed = reading.numeric(formula), reading.number(wanted)
        except EvaluationError as error:
            assert str(error).startswith(("loss.a@", "grad.out.a@")), error
            lost += 1
            continue
        exact = rational(parse(text, names({})))
        value = vanishing(parse(text, names({})), _no_symbol, FRACTIONS, derivation(problem, rounding).graph.is_slope(wanted), zero_or)
        again = rounding.shown(value if exact else float(value), exact).plain
        if Fraction(again) != Fraction(printed):
            bad.append(f"{reading.symbol(Ref(*wanted))} = {text} is {again}, not {printed}")
    assert not bad, "\n".join(bad)
    assert (lost > 0) == (problem in UNDEFINED)


# --- law 10: a general formula with its indices put in is the instance ------------------------------------------------------


@every_pair
def test_general_formulas_become_the_instances(problem: str, notation: str) -> None:
    reading = plain(problem, notation)
    graph = reading.graph
    seen = 0
    bad = []
    for wanted, formula in lines(problem, reading):
        quantity = graph[wanted[0]]
        general = reading.general(quantity)
        if general is None or quantity.formula(wanted[1]) is not quantity.definition:
            continue
        letters = {index.letter: place for index, place in zip(quantity.index, wanted[1])}
        bound, printed = reading.symbolic(bind(general, letters, graph.present)), reading.symbolic(formula)
        seen += 1
        if bound != printed:
            bad.append(f"{reading.symbol(Ref(*wanted))}: {reading.symbolic(general)} becomes {bound}, printed is {printed}")
    assert not bad, "\n".join(bad)
    assert seen


@every_problem
def test_general_formulas_use_their_own_letters(problem: str) -> None:
    """No index of a general formula is free but those of its quantity."""
    graph = derivation(problem).graph
    for quantity in graph:
        if quantity.definition is not None:
            bound = {node.index.letter for node in walk(quantity.definition) if hasattr(node, "index")}
            used = {index.letter for ref in references(quantity.definition) for place in ref.indices for _, index in affine(place).terms}
            assert used <= bound | {index.letter for index in quantity.index}, quantity.name


@every_problem
def test_a_general_formula_does_not_depend_on_what_was_printed_before(problem: str) -> None:
    """Two indices of one letter may count from different numbers: the t of the states, from 0, and that of the gates."""
    found = derivation(problem)
    used = read(found, "mazur", UNICODE)
    for quantity in found.graph:
        general = used.general(quantity)
        if general is not None:
            assert used.symbolic(general) == read(found, "mazur", UNICODE).symbolic(general), quantity.name


# --- law 4, the rest of it in test_matrices.py ---------------------------------------------------------------------------


def dense_parts(graph: Any) -> Iterator[Quantity]:
    """Net inputs, outputs and gradients of weights whose layer has one activation and no bias per connection."""
    for quantity in graph:
        base = graph[quantity.of.quantity] if quantity.of is not None else quantity
        connection = f"b{quantity.layer}" in graph and len(graph[f"b{quantity.layer}"].axes) == 2
        gradient = quantity.kind == "gradient" and base.kind == "weight" and not quantity.sampled
        if (quantity.kind in ("net", "out") and not connection or gradient) and not quantity.cases:
            yield quantity


@pytest.mark.parametrize("problem", [problem for problem in PROBLEMS if problem not in LAYERED])
def test_dense_layers_have_a_matrix_form(problem: str) -> None:
    """Images and sequences have three directions and more."""
    graph = derivation(problem).graph
    spread = {graph.gradient(one.quantity) for quantity in graph for one in quantity.shared.values()}  # weights of several edges
    assert not [one.name for one in dense_parts(graph) if one.name not in spread and matrix_form(graph, one) is None]
    assert list(dense_parts(graph)) or "net1" not in graph or problem == "sparse"


# --- notations: letters and signs, never other numbers -------------------------------------------------------------------


@every_pair
def test_symbols_are_distinct(problem: str, notation: str) -> None:
    """Two cells never share a symbol, in no dialect."""
    found = derivation(problem)
    for dialect in (PLAIN, UNICODE, *TYPESET.values()):
        reading = read(found, notation, dialect)
        owner: dict[str, Cell] = {}
        for wanted in cells(problem):
            text = reading.symbol(Ref(*wanted))
            assert owner.setdefault(text, wanted) == wanted, (
                f"{text} is {found.graph.cell_id(owner[text])} and {found.graph.cell_id(wanted)}"
            )


@every_problem
def test_every_id_can_be_looked_up(problem: str) -> None:
    reading = read(derivation(problem))
    for wanted in some(cells(problem)):
        name = reading.graph.cell_id(wanted)
        assert reading.find(name) == (wanted, 1) == reading.find(f"#1:{name}"), name


@every_pair
def test_every_symbol_can_be_looked_up(problem: str, notation: str) -> None:
    """As printed in the terminal and in ASCII, whatever the reading is printed in."""
    ascii, unicode = plain(problem, notation), read(derivation(problem), notation, UNICODE)
    for wanted in some(cells(problem)):
        texts = ascii.symbol(Ref(*wanted)), unicode.symbol(Ref(*wanted))
        assert [ascii.find(text) for text in texts] == [(wanted, 1)] * 2, texts


def some(many: tuple[Cell, ...], limit: int = 40) -> tuple[Cell, ...]:
    """All of them, or about so many evenly spread."""
    return many[:: max(1, len(many) // limit)]


@every_pair
def test_notations_differ_in_letters_and_signs_only(problem: str, notation: str) -> None:
    found = derivation(problem)
    reading, ours = plain(problem, notation), plain(problem, "mazur")
    for wanted in cells(problem):
        name = found.graph.cell_id(wanted)
        assert reading.number(wanted).removeprefix("-") == ours.number(wanted).removeprefix("-"), name
        assert reading.shown(wanted).value == signed_shown(reading, wanted), name
        assert (reading.formula(wanted) is None) == (ours.formula(wanted) is None), name
    for wanted, formula in lines(problem, reading):
        cells_used = {cell(reference) for reference in references(formula)}
        expected = {cell(reference) for reference in references(found.graph.instance(wanted))}
        if reading.delta_rule and found.graph[wanted[0]].kind in ("change", "updated"):
            continue  # Δw = η·δ·x with the gradient put in; law 1 says that its value is the same
        assert cells_used == expected, found.graph.cell_id(wanted)


def signed_shown(reading: Reading, wanted: Cell) -> float:
    """The number the solution prints, in the sign of the notation's letter."""
    return reading.derivation.shown(wanted).value * (-1 if reading.turned(wanted) else 1)


# notation → the sign of its error term
ERROR_SIGNS = {name: -1 if name in ("zhou", "han", "negnevitsky", "mitchell") else 1 for name in NOTATION_NAMES if name != "heaton"}


@pytest.mark.parametrize("notation", ERROR_SIGNS)
def test_the_sign_of_the_error_term(notation: str) -> None:
    """The trap every reader falls into: the same number, two signs."""
    reading = read(derivation("mazur-2-2-2", Rounding(significant=4)), notation, PLAIN)
    for name, digits in (("grad.net.o1", "0.1385"), ("grad.net.h1", "0.008771")):
        found, _ = reading.find(name)
        assert reading.number(found) == ("-" if ERROR_SIGNS[notation] < 0 else "") + digits
    for name in ("grad.out.h1", "grad.w5", "new.w5", "local.out.h1", "path.o1.h1"):
        assert not reading.turned(reading.find(name)[0]), name


# --- the problems here are as hard as they say ---------------------------------------------------------------------------

HARD: dict[str, Callable[[Derivation], bool]] = {
    "deep": lambda d: "net3" in d.graph,
    "digits": lambda d: d.graph.find("net.4") is not None and d.graph.find("θ6") is not None,
    "autoencoder": lambda d: d.graph.find("x1@first") is not None and d.graph.find("out.x1@second") is not None,
    "wide": lambda d: d.graph["W1"].axes[1].size == 10 and d.graph.find("W1[10,10]") is not None,
    "sparse": lambda d: d.graph["out1"].cases is not None and len(d.graph["b1"].axes) == 2,
    "fused": lambda d: any(isinstance(node, Call) for node in walk(d.graph.instance(("loss@", (0,))))),
    "online": lambda d: any(ref.quantity == "new.W2" for ref in references(d.graph.instance(("grad.out1", (0,))))),
    "equations": lambda d: d.graph.find("grad.θ") is not None,
}


@pytest.mark.parametrize("problem", HARDER)
def test_harder_problems_are_harder(problem: str) -> None:
    assert HARD[problem](derivation(problem))
