"""Why a derivative is what it is: every function and loss has a proof whose every line holds and whose last line is what the
solver uses; so has any formula; a gradient as one expression has its value; and a wrong line is found out."""

from __future__ import annotations

import json
import math
import random
import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import sympy
from hypothesis import assume, given
from oracles import SYMPY, law, precise, symbol
from rich.cells import cell_len
from rich.console import Console
from shipping import some, thinned
from test_expr import EXPRESSIONS, POINT, finite

from handcalc import cli, load
from handcalc.core import formula
from handcalc.core.definitions import partial
from handcalc.core.derivation import Derivation
from handcalc.core.derivative import differentiate
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Number, Ref, mul, references, walk
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.core.instance import evaluate
from handcalc.deriving import derive
from handcalc.errors import DeriveError, EvaluationError, HandcalcError, Message
from handcalc.language import translator
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.words import FUSED, LOSSES
from handcalc.proof import NAMES, SCALAR, functions, losses, prove, rules, symbolic, tables
from handcalc.proof.cases import branches
from handcalc.proof.checking import Refuted, confirmed, taken
from handcalc.proof.closed import Closed, closed_form, size
from handcalc.proof.functions import formula_proof, function_proof
from handcalc.proof.losses import fused_proof, loss_proof
from handcalc.proof.records import Proof, ProofPart
from handcalc.proof.report import reading, report
from handcalc.proof.rules import Blackboard, DerivativeRule, ProofLine, free_letters, is_open, opened, spelled
from handcalc.proof.tables import POSITIVE, KnownLine
from handcalc.render import read
from handcalc.render.blocks import Equal, phrase, spell
from handcalc.render.dialects import PLAIN, UNICODE
from handcalc.render.formats.terminal import show
from handcalc.render.formats.textpage import Screen
from handcalc.render.printer import PRIME, Printer

EACH_ARGUMENT = [(name, place) for name in SCALAR for place in range(len(FUNCTIONS[name].arguments))]
POINTS = 12


def parsed(text: str) -> Expr:
    return formula.parse(text, formula.any_name)


def text(expr: Expr) -> str:
    """An expression as it is typed."""
    return Printer(PLAIN, lambda cell: cell.quantity + "".join(f"_{getattr(place, 'letter', place)}" for place in cell.indices)).text(expr)


def lines(proof: Proof) -> list[ProofLine]:
    return [line for part in proof.parts for line in part.lines]


@cache
def of_function(name: str, place: int) -> Proof:
    call = Call(name, tuple(map(Ref, FUNCTIONS[name].arguments)))
    return confirmed(function_proof(call, Ref(FUNCTIONS[name].arguments[place])))


@cache
def proof_of(name: str) -> Proof:
    return prove(name)


def few(pairs: list[tuple[str, int]]) -> list[Any]:
    """Every sixth in the quick run."""
    return thinned([pytest.param(*pair) for pair in pairs], 6)


# --- functions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, place", few(EACH_ARGUMENT))
def test_every_function_has_a_proof(name: str, place: int) -> None:
    """Every line is shown, and the last is the record's own derivative."""
    proof = of_function(name, place)
    arguments = [Ref(argument) for argument in FUNCTIONS[name].arguments]
    assert proof.result == partial(name, place, arguments, Call(name, tuple(arguments)))
    assert all(len(part.lines) > 0 and not is_open(part.last) for part in proof.parts if part.left == proof.parts[-1].left)
    ways = {line.checked for line in lines(proof)}
    assert ways == {"symbolic"} if name != "huber" else {"symbolic", "numeric"}, ways


@pytest.mark.parametrize("name, place", few(EACH_ARGUMENT))
def test_lines_have_the_values_of_another_definition(name: str, place: int) -> None:
    """At points of each case, every line is the derivative of what the tests know of the function, in pieces."""
    proof = of_function(name, place)
    arguments = [Ref(argument) for argument in FUNCTIONS[name].arguments]
    theirs = sympy.diff(SYMPY[name](*map(symbol, arguments)), symbol(proof.by))
    for part in (part for part in proof.parts if part.left == proof.parts[-1].left):
        for values in points(proof, part):
            expected = float(precise(theirs, values))
            for line in part.lines:
                got = float(evaluate(taken(line.formula, proof.by), values.__getitem__))
                assert math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-12), f"{text(line.formula)} at {values}: {got}, not {expected}"


def points(proof: Proof, part: ProofPart) -> list[dict[Ref, float]]:
    """Points in the case of a part, where the function is defined."""
    chooser, found = random.Random(proof.of), []
    low, high = FUNCTIONS[proof.of].safe
    names = FUNCTIONS[proof.of].arguments
    while len(found) < POINTS:
        values = {
            Ref(name): chooser.uniform(min(low, -high) if proof.of != "ln" and low < 0 or len(names) > 1 else low, high) for name in names
        }
        if FUNCTIONS[proof.of].jumps:
            values = {cell: value * chooser.choice((-1, 1)) for cell, value in values.items()}
        for name in POSITIVE.get(proof.of, ()):
            values[Ref(name)] = abs(values[Ref(name)]) + 0.01
        sides = [
            (evaluate(where.left, values.__getitem__), where.relation, evaluate(where.right, values.__getitem__))
            for where in part.conditions
        ]
        if all((left > right) == (relation == ">") and abs(left - right) > 1e-3 for left, relation, right in sides):
            found.append(values)
    return found


def test_every_name_has_a_proof() -> None:
    assert set(NAMES) == {name for name, record in FUNCTIONS.items() if record.arguments} | {*LOSSES}


SIGMOID = [
    ("(1/(1 + exp(-z)))'", "definition"),
    ("-(1 + exp(-z))'/(1 + exp(-z))^2", "reciprocal rule: (1/u)' = -u'/u^2 with u = 1 + exp(-z)"),
    ("-exp(-z)*(-1)/(1 + exp(-z))^2", "chain rule: (exp(u))' = exp(u)*u' with u = -z"),
    ("exp(-z)/(1 + exp(-z))^2", "simplified"),
    ("1/(1 + exp(-z))*(exp(-z)/(1 + exp(-z)))", "written as a product"),
    ("1/(1 + exp(-z))*((1 + exp(-z) - 1)/(1 + exp(-z)))", "1 added and taken away"),
    ("1/(1 + exp(-z))*(1 - 1/(1 + exp(-z)))", "the fraction taken apart"),
    ("sigmoid(z)*(1 - sigmoid(z))", "1/(1 + exp(-z)) = sigmoid(z)"),
]


def test_the_proof_of_sigmoid() -> None:
    found = said(proof_of("sigmoid"))
    assert found == SIGMOID


def said(proof: Proof) -> list[tuple[str, str]]:
    """Formulas and reasons as they are printed without Unicode."""
    found = as_data(proof)["lines"]
    return [(line["formula"], line["reason"]) for line in found]


def as_data(proof: Proof) -> dict[str, Any]:
    from handcalc.proof.report import as_json

    return as_json(proof, reading(proof, dialect=PLAIN), str)


# function → the case, what it comes to there
CASES = {
    "relu": {"z > 0": "1", "z < 0": "0"},
    "leaky_relu": {"z > 0": "1", "z < 0": "slope"},
    "elu": {"z > 0": "1", "z < 0": "alpha*exp(z)"},
    "relu6": {"z > 6": "0", "z < 6, z > 0": "1", "z < 6, z < 0": "0"},
    "hard_sigmoid": {"z > 3": "0", "z < 3, z > -3": "1/6", "z < 3, z < -3": "0"},
    "hard_tanh": {"z > 1": "0", "z < 1, z > -1": "1", "z < 1, z < -1": "0"},
    "step": {"z > 0": "0", "z < 0": "0"},
    "bipolar_step": {"z > 0": "0", "z < 0": "0"},
    "max": {"a > b": "1", "a < b": "0"},
    "abs": {"x > 0": "sign(x)", "x < 0": "sign(x)"},
    "huber": {"abs(e) > d": "max(-d, min(d, e))", "abs(e) < d": "max(-d, min(d, e))"},
}


@pytest.mark.parametrize("name", thinned([*CASES], 3))
def test_functions_in_pieces_are_worked_case_by_case(name: str) -> None:
    found = {
        ", ".join(f"{text(where.left)} {where.relation} {text(where.right)}" for where in part.conditions): text(part.last)
        for part in of_function(name, 0).parts
    }
    assert found == CASES[name]


# function → where, from below, from above, what is used, whether it jumps, the convention
KINKS = {
    "relu": ("z = 0", "0", "1", "0", False, "relu_at_zero"),
    "leaky_relu": ("z = 0", "slope", "1", "slope", False, ""),
    "elu": ("z = 0", "alpha", "1", "alpha", False, ""),
    "abs": ("x = 0", "-1", "1", "0", False, ""),
    "max": ("a = b", "0", "1", "1", False, "max_ties"),
    "min": ("a = b", "1", "0", "1", False, "max_ties"),
    "step": ("z = 0", "0", "0", "0", True, ""),
    "sign": ("z = 0", "0", "0", "0", True, ""),
    "relu'": ("z = 0", "0", "0", "0", True, ""),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_are_named(name: str) -> None:
    (kink,) = of_function(name, 0).kinks
    where = f"{text(kink.where.left)} {kink.where.relation} {text(kink.where.right)}"
    assert (where, text(kink.below), text(kink.above), text(kink.used), kink.jump, kink.convention) == KINKS[name]


@pytest.mark.parametrize("name", [name for name in SCALAR if len(FUNCTIONS[name].kinks) == 1])
def test_every_kink_is_named_with_the_value_that_is_used(name: str) -> None:
    """Those of the records, with what the record answers there."""
    (kink,) = of_function(name, 0).kinks
    arguments = [Ref(argument) for argument in FUNCTIONS[name].arguments]
    values = {cell: float(FUNCTIONS[name].kinks[0]) if not place else 0.3 for place, cell in enumerate(arguments)}
    used = partial(name, 0, arguments, Call(name, tuple(arguments)))
    assert evaluate(kink.used, values.__getitem__) == evaluate(used, values.__getitem__)


def test_a_function_with_two_kinks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new record needs nothing in the tables; three cases meet at two places."""
    slope = "max'(1, z, 0)*max'(z, -1, 0)"
    hard = Function("hard_tanh", lambda z: max(-1.0, min(1.0, z)), ("z",), (slope,), "max(-1, min(1, z))", "clipped", kinks=(-1, 1))
    monkeypatch.setitem(FUNCTIONS, "hard_tanh", hard)
    proof = confirmed(function_proof(Call("hard_tanh", (Ref("z"),)), Ref("z")))
    found = [
        (", ".join(f"{text(where.left)} {where.relation} {text(where.right)}" for where in part.conditions), part.lines)
        for part in proof.parts
    ]
    assert {case: text(inner[-2].formula) for case, inner in found} == {"z > 1": "0", "z < 1, z > -1": "1", "z < 1, z < -1": "0"}
    assert {(text(kink.where.right), text(kink.below), text(kink.above)) for kink in proof.kinks} == {("1", "1", "0"), ("-1", "0", "1")}


def test_a_new_function_without_steps_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    mish = Function(
        "mish", lambda z: z, ("z",), ("tanh(softplus(z)) + z*(1 - tanh(softplus(z))^2)*sigmoid(z)",), "z*tanh(ln(1 + exp(z)))", "mish"
    )
    monkeypatch.setitem(FUNCTIONS, "mish", mish)
    proof = confirmed(function_proof(Call("mish", (Ref("z"),)), Ref("z")))
    assert all(line.checked for line in lines(proof)) and proof.parts[-1].last == proof.result


@pytest.mark.parametrize("name", ["huber", "gelu", "tanh", "identity"])
def test_no_kink_is_invented(name: str) -> None:
    assert not of_function(name, 0).kinks


def test_a_function_of_names_is_worked_from_its_definition() -> None:
    assert said(prove("sigmoid(x)"))[-1] == ("sigmoid(x)*(1 - sigmoid(x))", "1/(1 + exp(-x)) = sigmoid(x)")
    assert text(prove("huber(u, v)").result) == "max(-v, min(v, u))"
    assert text(prove("huber(u, v)", "v").result) == "max(0, abs(u) - v)"
    assert said(prove("exp(h)"))[0][0] == "exp(h)*((exp(h_0) - 1)/h_0)"  # another letter goes to 0


# --- losses and softmax -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", thinned([*LOSSES, "softmax", "logsumexp", "log_softmax"], 3))
def test_every_loss_has_a_proof(name: str) -> None:
    proof = proof_of(name)
    ways = {line.checked for line in lines(proof)}
    assert ways == ({"symbolic", "numeric"} if "huber" in name or name == "multiclass_hinge" else {"symbolic"}), ways
    assert proof.parts[-1].last == proof.result or not {"hinge", "absolute", "huber"}.isdisjoint(name.split("_"))


@pytest.mark.parametrize("name", thinned([name for name, loss in LOSSES.items() if loss.form != "whole"], 4))
def test_the_last_line_is_the_gradient_of_the_chain_rule(name: str) -> None:
    """At every size, with numbers: the result is the gradient cell of a network with that loss."""
    proof, quantity = proof_of(name), "net1" if name == FUSED else "out1"
    for ground, outputs in zip(proof.grounds, losses.SIZES):
        graph = losses._graph("softmax" if name == FUSED else "identity", name, outputs)
        used = graph.instance((f"grad.{quantity}", (0,)))
        chooser = random.Random(name)
        for _ in range(POINTS):
            numbers = {Ref(kind, (place,)): chooser.uniform(0.05, 0.95) for kind in ("out1", "t", "net1") for place in range(outputs)}
            ours = evaluate(ground.instance(proof.result), numbers.__getitem__)
            if name == FUSED:
                numbers |= layer(numbers, outputs)
            theirs = Evaluation(graph, None, {(ref.quantity, ref.indices): value for ref, value in numbers.items()}).of(used)
            assert math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-12), (name, outputs, numbers)


def layer(numbers: dict[Ref, float], outputs: int) -> dict[Ref, float]:
    """The outputs are softmax of the net inputs; the last target is what is missing to 1."""
    powers = [math.exp(numbers[Ref("net1", (place,))]) for place in range(outputs)]
    found = {Ref("out1", (place,)): power / sum(powers) for place, power in enumerate(powers)}
    return found | {Ref("t", (outputs - 1,)): 1 - sum(numbers[Ref("t", (place,))] for place in range(outputs - 1))}


RESULTS = {
    "half_squared_error": "o_i - t_i",
    "squared_error": "-2*(t_i - o_i)",
    "mean_squared_error": "-2*(t_i - o_i)/n",
    "cross_entropy": "-t_i/o_i",
    "binary_cross_entropy": "(1 - t_i)/(1 - o_i) - t_i/o_i",
    "absolute_error": "-sign(t_i - o_i)",
    "huber": "-max(-1, min(1, t_i - o_i))",
    "mean_absolute_error": "-sign(t_i - o_i)/n",
    "mean_huber": "-max(-1, min(1, t_i - o_i))/n",
    "mean_binary_cross_entropy": "((1 - t_i)/(1 - o_i) - t_i/o_i)/n",
    "negative_log_likelihood": "-t_i",
    "mean_cross_entropy": "-t_i/o_i",
    "mean_negative_log_likelihood": "-t_i",
    "kl_divergence": "-t_i/o_i",
    "log_cosh": "-tanh(t_i - o_i)",
    "cosine": "d*o_i/(p*q^3) - t_i/(p*q)",
    "hinge": "-max'(1 - t_i*o_i, 0, 0)*t_i",
    "multiclass_hinge": "(1 - t_i)*max'(o_i - r + 1, 0, 0) - t_i*(sum_k((1 - t_k)*max'(o_k - r + 1, 0, 0)))",
    "softmax_cross_entropy": "o_i - t_i",
    "softmax": "o_i*([i = j] - o_j)",
    "logsumexp": "o_i",
    "log_softmax": "[i = j] - o_j",
}


@pytest.mark.parametrize("name", RESULTS)
def test_what_it_comes_to(name: str) -> None:
    assert as_data(proof_of(name))["result"] == RESULTS[name]


def test_results_are_those_of_every_loss() -> None:
    assert {*RESULTS} == {*LOSSES, "softmax", "logsumexp", "log_softmax"}


def test_softmax_is_worked_in_both_cases() -> None:
    found = [(line.get("case"), line["formula"]) for line in as_data(proof_of("softmax"))["lines"]]
    assert ("i = j", "o_i*(1 - o_i)") in found and ("i ≠ j", "-o_i*o_j") in found


@pytest.mark.parametrize("notation", NOTATION_NAMES)
def test_losses_in_every_notation(notation: str) -> None:
    """Letters change, and nothing else."""
    for name in ("half_squared_error", "softmax", FUSED):
        proof = proof_of(name)
        own, other = (reading(proof, chosen, UNICODE) for chosen in ("", notation))
        for line in lines(proof):
            for cell in references(line.formula):
                assert other.symbol(cell)
            marks = [re.sub(r"[^-+·/()[\]=Σ]", "", found.symbolic(line.formula)) for found in (own, other)]
            assert marks[0].count("·") == marks[1].count("·"), (name, notation)


# --- rules ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.pattern)
def test_every_rule_is_true(rule: DerivativeRule) -> None:
    """With functions of x for u, v and w, SymPy differentiates the pattern to the result."""
    x = sympy.Symbol("x", positive=True)
    made = {letter: sympy.Function(letter, positive=True)(x) for letter in "uvw"} | {"c": sympy.Symbol("c", positive=True)}
    made |= {letter + "'": made[letter].diff(x) for letter in "uvw"}
    pattern, result = (
        symbolic.to_sympy(parsed(side), symbolic.primitives(), None, lambda ref: made[ref.quantity]) for side in (rule.pattern, rule.result)
    )
    assert sympy.simplify(pattern.diff(x) - result) == 0


def board(by: Ref, expr: Expr) -> Blackboard:
    return Blackboard(by, free_letters({ref.quantity for ref in references(expr)}))


@given(EXPRESSIONS)
@law(120)
def test_lines_of_random_formulas(expr: Expr) -> None:
    """Every line has the value of the derivative, and the last has nothing left to be differentiated."""
    finite(expr)
    for by in references(expr)[:2]:
        found = list(board(by, expr).lines(expr, Message("definition")))
        try:
            expected = float(evaluate(differentiate(expr, by), POINT.__getitem__))
            values = [float(evaluate(taken(line.formula, by), POINT.__getitem__)) for line in found]
        except (ArithmeticError, ValueError):
            assume(False)
        assert not is_open(found[-1].formula)
        for line, got in zip(found, values):
            assert math.isclose(got, expected, rel_tol=1e-7, abs_tol=1e-7), f"∂/∂{by.quantity} {text(expr)}: {text(line.formula)}"


@given(EXPRESSIONS)
@law(25)
def test_random_formulas_are_confirmed(expr: Expr) -> None:
    """Nothing that is true is refuted; what can be compared is."""
    finite(expr)
    assume(references(expr) and sum(1 for _ in walk(expr)) < 15)
    proof = confirmed(formula_proof("", expr, references(expr)[0]), 0)
    assert all(line.checked in ("symbolic", "numeric", "") for line in lines(proof))


# formula → the reasons after the definition, in order
REASONS = {
    "3*x + 2": ["x is there to the first power only"],
    "x^2": ["power rule: (x^2)' = 2*x"],
    "(2*x + 1)^3": ["power rule: (u^3)' = 3*u^2*u' with u = 2*x + 1", "simplified"],
    "x*exp(x)": ["product rule: (x*v)' = v + x*v'", "(exp(x))' = exp(x)", "simplified"],
    "x*ln(x)*sqrt(x)": ["product rule: (x*v*w)' = v*w + x*v'*w + x*v*w'", "ln'(x) = 1/x; (sqrt(x))' = 1/(2*sqrt(x))", "simplified"],
    "x/(1 + x^2)": ["quotient rule: (x/v)' = (v - x*v')/v^2", "power rule: (x^2)' = 2*x", "simplified"],
    "2^x": ["chain rule: (2^x)' = 2^x*ln(2)"],
    "x^x": ["both vary: (x^x)' = x^x*(ln(x) + x/x)", "simplified"],
    "max(x, x^2)": ["chain rule, for each argument", "power rule: (x^2)' = 2*x"],
    "7 + 0*x": ["x is there to the first power only"],
    "ln(u/v)": ["chain rule: ln'(p) = 1/p*p' with p = u/v", "simplified"],
}  # fmt: skip


@pytest.mark.parametrize("formula", REASONS)
def test_reasons(formula: str) -> None:
    found = prove(formula, "" if "v" not in formula else "u", seconds=0)
    assert [reason for _, reason in said(found)][1:] == REASONS[formula]


OWN = {"1/(1 + exp(-z))": "f*(1 - f)", "2/(1 + exp(-z)) - 1": "(1 - f)*(f + 1)/2", "exp(3*x)": "3*f", "1 - exp(-x)": "1 - f"}


@pytest.mark.parametrize("formula", OWN)
def test_in_terms_of_its_own_value(formula: str) -> None:
    found = prove(formula, seconds=0)
    assert len(found.parts) == 2 and text(found.parts[1].last) == OWN[formula]


@pytest.mark.parametrize("formula", ["z/(1 + abs(z))", "exp(-x^2)", "x*exp(x)", "exp(x) + exp(-x)", "a*x"])
def test_no_value_of_its_own(formula: str) -> None:
    assert len(prove(formula, "" if "a" not in formula or "abs" in formula else "x", seconds=0).parts) == 1


def test_letters_of_the_rules_are_free() -> None:
    assert free_letters({"u", "p", "v"})["u"] == "q" and free_letters({"u", "p", "q", "r"})["u"] == "u_0"
    assert len({*free_letters(set()).values()}) == 8


# --- cases ------------------------------------------------------------------------------------------------------------

BRANCHES = {
    "max(0, z)": {"z > 0": "z", "z < 0": "0"},
    "max(0, -z)": {"z < 0": "-z", "z > 0": "0"},
    "abs(x - y)": {"x > y": "x - y", "x < y": "y - x"},
    "max(0, 1 - t*o)": {"t*o > 1": "0", "t*o < 1": "1 - t*o"},
    "relu(z)*step(z)": {"z > 0": "z", "z < 0": "0"},
    "min(a, b) + max(a, b)": {"a > b": "b + a", "a < b": "a + b"},
    "sign(max(2, 3))": {"": "1"},
    "x + 1": {"": "x + 1"},
    "max(x, 0) + max(y, 0)": {"x > 0, y > 0": "x + y", "x > 0, y < 0": "x", "x < 0, y > 0": "y", "x < 0, y < 0": "0"},
}


@pytest.mark.parametrize("case", BRANCHES)
def test_branches(case: str) -> None:
    found = {
        ", ".join(f"{text(where.left)} {where.relation} {text(where.right)}" for where in branch.conditions): text(branch.expr)
        for branch in branches(parsed(case))
    }
    assert found == BRANCHES[case]


# --- a wrong line is caught -------------------------------------------------------------------------------------------


def test_a_wrong_line_in_a_table_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = tables.REARRANGED["tanh"]
    monkeypatch.setitem(tables.REARRANGED, "tanh", (KnownLine("1 - (exp(z) - exp(-z))/(exp(z) + exp(-z))", steps[0].text), steps[1]))
    with pytest.raises(Refuted):
        prove("tanh")


def test_a_wrong_reason_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    *steps, last = tables.REARRANGED["sigmoid"]
    monkeypatch.setitem(tables.REARRANGED, "sigmoid", (*steps, last.replace(fact="2/(1 + exp(-z)) = y")))
    with pytest.raises(Refuted):
        prove("sigmoid")


def test_a_wrong_limit_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    first, last = tables.LIMITS["sin"]
    monkeypatch.setitem(tables.LIMITS, "sin", (first, last.replace(formula="sin(x)*1 + cos(x)*0")))
    with pytest.raises(Refuted):
        prove("sin")


def test_a_wrong_rule_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tuple(rule.replace(result="(u'*v + u*v')/v^2") if rule.pattern == "u/v" else rule for rule in rules.RULES)
    monkeypatch.setattr(rules, "RULES", wrong)
    for name in ("silu", "softmax", "x/(1 + x^2)"):
        with pytest.raises(Refuted):
            prove(name, seconds=0)


def test_a_wrong_derivative_of_a_record_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The proof goes to the record's own form, so a wrong record has no proof."""
    record = FUNCTIONS["bipolar_sigmoid"]
    monkeypatch.setitem(FUNCTIONS, "bipolar_sigmoid", record.replace(partials=("(1 + y)*(1 - y)",)))
    with pytest.raises(Refuted):
        prove("bipolar_sigmoid")


def test_a_gradient_the_solver_does_not_use_is_caught() -> None:
    proof = loss_proof("half_squared_error")
    grounds = tuple(ground.replace(used=parsed("1")) for ground in proof.grounds)
    with pytest.raises(Refuted):
        confirmed(proof.replace(grounds=grounds))


def test_a_wrong_case_is_caught() -> None:
    proof = loss_proof("hinge")
    first, second = proof.parts
    with pytest.raises(Refuted):
        confirmed(proof.replace(parts=(first.replace(conditions=second.conditions), second)))


def test_what_nothing_confirms_is_not_called_checked() -> None:
    found = prove("x^1000000/(x - 1)", seconds=0)
    assert {line.checked for line in lines(found)} == {""}
    assert as_data(found)["lines"][0]["checked"] == "no"
    assert "it could not check the others" in shown(found)


def test_the_user_waits_no_longer_than_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same lines, compared by numbers, where SymPy has no time."""
    monkeypatch.setattr(symbolic.sys, "executable", "/nowhere/python")
    found = prove("sin(x)^2*cos(x)^2*(1 + tanh(x))", seconds=0.1)
    assert {line.checked for line in lines(found)} <= {"symbolic", "numeric"}


def test_lines_are_shown_in_another_process() -> None:
    found = prove("tanh(x)*x", seconds=60)
    assert {line.checked for line in lines(found)} == {"symbolic"}


# --- SymPy and back ---------------------------------------------------------------------------------------------------

BACK = [
    "x^2/2",
    "x*exp(-x)/(1 + y)^2",
    "sqrt(1 + x^2)",
    "-2/(x - 1)^2",
    "abs(x)*sign(y)",
    "ln(x)/x",
    "(1 - x)*y",
    "max(x, 0) + pi",
    "1/3*x - y",
]


@pytest.mark.parametrize("typed", BACK)
def test_from_sympy_and_back(typed: str) -> None:
    expr = parsed(typed)
    found = symbolic.from_sympy(symbolic.to_sympy(expr, symbolic.primitives()), references(expr))
    assert found is not None
    for x, y in ((1.3, 0.7), (-0.4, 2.1)):
        with pytest.MonkeyPatch.context():
            try:
                expected = evaluate(expr, {Ref("x"): x, Ref("y"): y}.__getitem__)
            except ValueError:
                continue
            assert math.isclose(evaluate(found, {Ref("x"): x, Ref("y"): y}.__getitem__), expected)


def test_what_is_no_function_here_does_not_come_back() -> None:
    x = symbolic.symbol(Ref("x"))
    assert symbolic.from_sympy(sympy.gamma(x), (Ref("x"),)) is None
    assert symbolic.from_sympy(x + sympy.Symbol("other"), (Ref("x"),)) is None


SHORTER = {
    "(z - 1 - (z + 1))/(z - 1)^2": "-2/(z - 1)^2",
    "(x/x - ln(x))/x^2": "(1 - ln(x))/x^2",
    "abs(t - o)*(abs(t - o) - abs(t - o)/2)": "(t - o)^2/2",
    "exp(-z)/(1 + exp(-z))^2": None,
    "x^2": None,
}


@pytest.mark.parametrize("typed", SHORTER)
def test_shorter(typed: str) -> None:
    found = symbolic.shorter(parsed(typed))
    assert (found and text(found)) == SHORTER[typed]


def test_a_derivative_to_be_taken_is_taken_by_sympy() -> None:
    expr = opened(parsed("x^2*y"))
    x, y = (symbolic.symbol(Ref(name)) for name in "xy")
    assert symbolic.to_sympy(expr, symbolic.primitives(), Ref("y")) == x**2
    assert symbolic.to_sympy(opened(parsed("x^2*y"), Ref("x")), symbolic.primitives()) == 2 * x * y
    with pytest.raises(KeyError, match=PRIME):
        evaluate(expr, lambda ref: 1.0)


# --- one expression of the given numbers ------------------------------------------------------------------------------

# problem → gradients that no derivative of SymPy is compared with: a convention, or no loss
SOLVED = [
    "mazur-2-2-2",
    "bishop-tanh-regression",
    "micrograd-readme",
    "minimise-x0-x1",
    "relu-sigmoid-bce",
    "hinge-margin",
    "xigua-thresholds",
]
NOT_DIFFERENTIATED = ["mazur-updated-weights", "perceptron-or", "fausett-2-2-1"]


@cache
def solution(name: str) -> Derivation:
    problem = load(name)
    return derive(problem, problem.rounding.replace(carry=False) if problem.rounding else None)


def written(name: str, step: str) -> Closed:
    return closed_form(solution(name), read(solution(name)), step)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*SOLVED, *NOT_DIFFERENTIATED])
def test_gradients_as_one_expression(name: str) -> None:
    """Only given numbers are in it, it has the value of the solution, and it is the derivative that SymPy finds."""
    found = solution(name)
    graph = found.graph
    parameters = [*found.updated] or [quantity.name for quantity in graph if quantity.kind == "given"]
    cells = [
        ("grad." + parameter, place) for parameter in parameters for place in graph.positions(parameter) if "grad." + parameter in graph
    ]
    for wanted in cells[:4]:
        closed = written(name, graph.cell_id(wanted))
        assert all(graph.given_value((ref.quantity, ref.indices)) is not None for ref in references(closed.expr))  # type: ignore[arg-type]
        got = evaluate(closed.expr, lambda ref: float(found.evaluation[ref.quantity, ref.indices]))  # type: ignore[index]
        assert math.isclose(got, found.evaluation[wanted], rel_tol=1e-9, abs_tol=1e-15), graph.cell_id(wanted)
        assert {line.checked for line in closed.lines} <= {"symbolic", "numeric"}
        assert closed.differentiated == (name in SOLVED), graph.cell_id(wanted)
    assert cells


def test_the_lines_of_a_gradient() -> None:
    closed = written("mazur-2-2-2", "w5")
    found = read(solution("mazur-2-2-2"), "", PLAIN)
    assert found.graph.cell_id(closed.wanted) == "grad.w5" and closed.by is not None and found.graph.cell_id(closed.by) == "w5"
    assert [found.symbolic(line.expr) for line in closed.lines][1:6] == [
        "delta_o1*out_h1",
        "dE/dout_o1 * dout_o1/dnet_o1 * out_h1",
        "dE/dout_o1 * out_o1 * (1 - out_o1) * out_h1",
        "(out_o1 - target_o1)*out_o1*(1 - out_o1)*out_h1",
        "(sigmoid(net_o1) - target_o1)*sigmoid(net_o1)*(1 - sigmoid(net_o1))*out_h1",
    ]
    assert {line.checked for line in closed.lines} == {"symbolic"} and closed.differentiated


def test_no_line_is_there_twice() -> None:
    """Where the factors of the chain rule are the formula already, they are one line."""
    for step in ("δ_h1", "w5", "b2", "grad.out.h1"):
        closed = written("mazur-2-2-2", step)
        found = read(solution("mazur-2-2-2"))
        said = [spell(line.item, found, str) for line in closed.lines]
        assert len(set(said)) == len(said) and closed.differentiated


@pytest.mark.parametrize("step", ["net.h1", "out.o1", "loss", "new.w5", "delta.w1", "δ_o1", "w5+"])
def test_any_step_as_one_expression(step: str) -> None:
    closed, found = written("mazur-2-2-2", step), solution("mazur-2-2-2")
    got = evaluate(closed.expr, lambda ref: float(found.evaluation[ref.quantity, ref.indices]))  # type: ignore[index]
    assert math.isclose(got, found.evaluation[closed.wanted], rel_tol=1e-12)


def test_what_is_too_long_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(
        EvaluationError,
        match=r"^after.loss as one expression has [\d]+ names, numbers and signs, 2000 at most; handcalc why shows it step by step$",
    ):
        written("mazur-2-2-2", "after.loss")
    assert size(solution("mazur-2-2-2").graph, ("net1", (0,))) == 8


def test_a_wrong_gradient_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """The graph's own value is not enough: SymPy differentiates the loss."""
    found = derive(load("tiny-linear-neuron"))
    quantity = found.graph["grad.out1"]
    assert quantity.definition is not None
    found.graph.redefine(quantity.replace(definition=mul(Number(2), quantity.definition)))
    with pytest.raises(Refuted):
        closed_form(found, read(found), found.graph.cell_id(("W1", (0, 0))))


# --- as a page --------------------------------------------------------------------------------------------------------


def shown(proof: Proof, width: int = 80, language: str = "en") -> str:
    """The page on a terminal."""
    import io

    stream = io.StringIO()
    page = Screen(Console(file=stream, width=width, force_terminal=True, no_color=True, highlight=False, markup=False))
    show(report(proof), reading(proof), translator(language), page)
    return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue())


@pytest.mark.parametrize("name", some(NAMES, list(NAMES)[::3]))
def test_pages_fit_on_a_terminal(name: str) -> None:
    page = shown(proof_of(name))
    assert all(cell_len(line) <= 80 for line in page.splitlines()), max(page.splitlines(), key=cell_len)
    assert "\1" not in page and "Record" not in page and "Ref(" not in page


def test_the_page_of_relu() -> None:
    assert shown(proof_of("relu")).strip().splitlines() == [
        "══ The derivative of ReLU ══════════════════════════════════════════════",
        "rectified linear unit",
        "ReLU(z) = max(0, z)",
        "",
        "── Where z > 0 ─────────────────────────────────────────────────────────",
        "ReLU'(z) = (max(0, z))'   definition",
        "         = z'             in this case max(0, z) = z",
        "         = 1",
        "",
        "── Where z < 0 ─────────────────────────────────────────────────────────",
        "ReLU'(z) = (max(0, z))'   definition",
        "         = (0)'           in this case max(0, z) = 0",
        "         = 0              z does not occur in it",
        "",
        "SymPy shows symbolically that every line is equal to the one before.",
        "",
        "── Where the cases meet ────────────────────────────────────────────────",
        "At z = 0 the slopes from both sides, 0 and 1, differ: there is no derivative.",
        "handcalc takes 0. The convention relu_at_zero chooses another value.",
    ]


def test_a_reason_stands_beside_its_line_or_beneath() -> None:
    page = shown(proof_of("tanh")).splitlines()
    assert any(re.fullmatch(r"tanh'\(z\) = .*'   +definition", line) for line in page)
    beneath = next(place for place, line in enumerate(page) if line.strip().startswith("quotient rule"))
    assert page[beneath].startswith(" " * 13) and page[beneath - 1].strip()


WHAT = ("softmax",), ("absolute_error",), ("mazur-2-2-2", "b2"), ("sin",)


@pytest.mark.parametrize("form", ["terminal", "plain", "markdown", "latex", "json"])
@pytest.mark.parametrize("what", some(WHAT, WHAT[1:3]), ids=lambda what: what[0])
def test_every_form(what: tuple[str, ...], form: str, capsys: pytest.CaptureFixture[str]) -> None:
    found = run(capsys, *what, "--format", form)
    assert found
    if form == "plain":
        assert found.isascii()
    if form == "latex":
        assert found.count("\\begin{") == found.count("\\end{") and found.count("\\left") == found.count("\\right")
        aligned = re.findall(r"\\begin\{align\*\}(.*?)\\end\{align\*\}", found, re.DOTALL)
        assert all(line.count("&") in (1, 3) for body in aligned for line in body.strip().splitlines())
        assert all("&" not in body for body in re.findall(r"\\\[(.*?)\\\]", found, re.DOTALL))
    if form == "markdown":
        assert found.startswith("# ") and found.count("```") % 2 == 0 and "\\operatorname" not in found
    if form == "json":
        data = json.loads(found)
        assert data["handcalc"] == 1 and {"of", "by", "lines", "result"} <= set(data)
        assert all({"formula", "reason", "checked"} <= set(line) for line in data["lines"])
        assert {line["checked"] for line in data["lines"]} <= {"symbolic", "numeric"}


def test_json_of_a_gradient(capsys: pytest.CaptureFixture[str]) -> None:
    data = json.loads(run(capsys, "mazur-2-2-2", "w5", "--format", "json"))
    assert (data["of"], data["by"], data["shown"], data["differentiated"]) == ("grad.w5", "w5", "0.0821670", True)
    assert math.isclose(data["value"], 0.08216704056423078, rel_tol=1e-12)
    assert data["result"] == data["lines"][-1]["formula"]


def test_formulas_in_sentences() -> None:
    message = Message("{first}; {second}", first=Message("with {u}", u=Equal(Ref("u"), Ref("v"))), second="{braces}")
    assert phrase(message, str) == ["with ", Equal(Ref("u"), Ref("v")), "; {braces}"]
    assert phrase(Message("plain {word}", word="x"), str) == ["plain x"]


def test_two_expressions_that_look_alike() -> None:
    assert spelled(parsed("-(u^2)/c")) == spelled(parsed("-(u^2/c)"))


# --- the command ------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        cli.main(["derive", *arguments, "--lang", "en"])
    out, err = capsys.readouterr()
    assert ended.value.code == code, err
    return out if code == 0 else err.strip().splitlines()[-1]


ERRORS = {
    ("sigmod",): 'there is no function, loss or problem "sigmod", did you mean "sigmoid"?',
    ("cross_entrpy",): 'there is no function, loss or problem "cross_entrpy", did you mean "cross_entropy"?',
    ("mazur-2-2-3",): 'there is no function, loss or problem "mazur-2-2-3", did you mean "mazur-2-2-2"?',
    ("qqqqq",): 'there is no function, loss or problem "qqqqq"',
    ("x+*2",): 'not a formula: "*" is not expected here (column 3)',
    ("softmax(x)",): "not a formula: softmax takes a whole layer: name it as the activation instead (column 1)",
    ("",): "not a formula: empty formula (column 1)",
    ("3+4",): "the formula has no name to differentiate by",
    ("pi",): "the formula has no name to differentiate by",
    ("x*y",): "the formula has the names x, y: choose one, for example --by x",
    ("x*y", "--by", "z"): 'there is no name "z"; there are x, y',
    ("tanh", "--by", "x"): 'there is no name "x"; there are z',
    ("hinge", "--by", "o"): "--by goes with a formula, or a function of several numbers; hinge has one derivative",
    ("+".join("x" * 61),): "more than 60 names and numbers in a formula",
    ("mazur-2-2-2",): "Error: name a step of the problem as well, such as w5",
    ("mazur-2-2-2", "w55"): 'there is no step "w55", did you mean "w5"?',
    ("mazur-2-2-2", "i1"): "i1 is given: there is nothing to put in",
    ("mazur-2-2-2", "w5", "--by", "w5"): "Error: --by goes with a function or a formula; a step of a problem says what it is taken by",
    ("mazur-2-2-9", "w5"): 'mazur-2-2-9: there is no such file, and no shipped problem of that name, did you mean "mazur-2-2-2"?',
}


@pytest.mark.parametrize("arguments", ERRORS, ids=lambda arguments: " ".join(arguments)[:30])
def test_errors(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *arguments, code=2) == ERRORS[arguments]


def test_errors_of_the_api() -> None:
    with pytest.raises(DeriveError, match="did you mean"):
        prove("sigmod")
    assert issubclass(DeriveError, HandcalcError)


def test_it_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "proof.md"
    assert run(capsys, "relu", "--format", "markdown", "-o", str(target)) == ""
    assert target.read_text("utf-8").startswith("# The derivative of")
    assert run(capsys, "relu", "-o", str(target), code=2) == f"{target}: the file exists; use --force to overwrite it"
    run(capsys, "relu", "-o", str(target), "--force")
    assert r"\mathrm{ReLU}(z) = \max(0, z)" in target.read_text("utf-8")


def test_a_notation_gives_the_letters(capsys: pytest.CaptureFixture[str]) -> None:
    assert "∂E/∂o_i" in run(capsys, "half_squared_error")
    assert "∂E/∂out_i" in run(capsys, "half_squared_error", "--notation", "mazur")
    assert "J = -Σ_k y_k·ln(ŷ_k)" in run(capsys, "softmax_cross_entropy", "--notation", "d2l")
    assert "∂J/∂W⁽²⁾₁₁ = " in run(capsys, "mazur-2-2-2", "w5", "--notation", "d2l")


def test_names_of_users_are_harmless(capsys: pytest.CaptureFixture[str]) -> None:
    """A name in a formula is text in every format."""
    found = run(capsys, "w_1*straße + θ", "--by", "straße", "--format", "latex")
    assert "\\begin{document}" in found and found.count("{") == found.count("}")


def test_a_fused_proof_is_of_targets_that_sum_to_one() -> None:
    found = [text(line.formula) for line in fused_proof().parts[0].lines]
    assert any("t_k" in line and "[k = i]" in line for line in found)


def test_functions_are_called_by_their_names() -> None:
    assert functions.function_proof(Call("sigmoid", (Ref("q"),)), Ref("q")).of == "sigmoid"


@pytest.mark.slow
def test_what_sympy_refutes_is_an_error_and_no_proof(capsys: pytest.CaptureFixture[str]) -> None:
    """A huber of negative width: its derivative in the table is for positive ones."""
    assert run(capsys, "huber(x, -1)", code=3) == (
        "SymPy refutes (huber(x, -1))' = max(1, min(-1, x)): a function outside its domain, or an error in handcalc; then please report it"
    )


def test_names_of_all_kinds_in_one_formula() -> None:
    """Letters of the rules, of the formula and primes that a user has taken already."""
    found = prove("u'*f*g*F*G*exp(u*x)", "x", seconds=0)
    assert text(found.definitions[0].left) == "f_0" and "exp(p)" in said(found)[1][1]
    assert {line.checked for line in lines(found)} == {"symbolic"}
