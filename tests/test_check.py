"""What is said of an answer: every verdict, mistakes and ties, where a slip began, and the marks.

A row is a sheet: id → (answer as typed, what is said of it). What is said is the verdict, then the mistakes with their
alternatives, then the answer with which it began: "mistake half-forgotten or rate-forgotten because new.w5".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import pytest
from students import MAZUR, WRONG, Paper, told

from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding
from handcalc.errors import UnknownIdError
from handcalc.language import translator
from handcalc.loading.loader import load, loads, shipped
from handcalc.marking.answers import read_sheet, sheet_of
from handcalc.marking.check import Checker, check
from handcalc.marking.marked import VERDICTS, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.workbook import Workbook
from handcalc.render.blocks import phrase

Row = Mapping[str, tuple[Any, str]]
Mark = Callable[[str, Mapping[str, Any]], Marking]

# --- problems -----------------------------------------------------------------------------------------------------------

FAMOUS = shipped()["mazur-2-2-2"].read_text(encoding="utf-8")
NEURON = """
    samples:
      - {name: a, inputs: [1], targets: [1]}
      - {name: b, inputs: [2], targets: [0]}
    layers: [{neurons: [o], activation: identity, weights: {w: [x1, o, 0.5]}}]
    loss: half_squared_error
    learning_rate: 0.1
"""
EQUATIONS = """
    given: {x: 2, w: -1, b: 0.5}
    equations: {z: w*x + b, f: sigmoid(z)}
    minimize: f
    parameters: [w, b]
    learning_rate: 0.1
"""
PROBLEMS = {
    "famous": FAMOUS,
    "famous, 4 decimals asked": FAMOUS + "rounding: {decimals: 4}\n",
    "famous, 2 decimals carried": FAMOUS + "rounding: {decimals: 2, carry: true}\n",
    "batch": NEURON,
    "online": NEURON + "    training: {mode: online}\n",
    "equations": EQUATIONS,
    "softmax of two samples": """
        samples:
          - {inputs: [2, 1], targets: [1, 0]}
          - {inputs: [0.5, 3], targets: [0, 1]}
        layers: [{neurons: [p1, p2], activation: softmax, weights: [[1, 0], [0, 1]]}]
        loss: cross_entropy
        learning_rate: 1""",
    "tasks": FAMOUS
    + """
tasks:
  ask: [net.h1, out.h1, {ask: loss, marks: 3, decimals: 3}, grad.w5, {ask: w5+, significant: 3, marks: 2}]
  follow_through: 0.5
  imprecise: 0.25
""",
    "tasks by pattern": FAMOUS + "tasks: ['grad.w?', out.o1]\n",
    "tasks by phase": FAMOUS + "tasks: [error]\n",
}


@cache
def checker(problem: str) -> Checker:
    return Checker(load(problem) if problem in shipped() else loads(PROBLEMS[problem]))


def mark(problem: str, answers: Mapping[str, Any]) -> Marking:
    return checker(problem).mark(sheet_of(answers))


def complaints(problem: str, row: Row, marking: Marking) -> Iterator[str]:
    """Where a marking does not say what a row says."""
    if len(marking.answers) < len(row):
        yield f"{len(marking.answers)} answers marked, of {len(row)}"
    for (name, (typed, expected)), answer in zip(row.items(), marking.answers):
        if told(answer) != expected:
            yield f"{problem}: {name} = {typed!r}: {told(answer)!r}, expected {expected!r}"


def answers_of(row: Row) -> dict[str, Any]:
    return {name: typed for name, (typed, _) in row.items()}


# --- the verdicts -------------------------------------------------------------------------------------------------------

# name → (problem, sheet)
CASES: dict[str, tuple[str, Row]] = {
    # right
    "right to the digits typed": ("famous", {
        "net.h1": ("0.3775", "correct"), "out.h1": ("0.593", "correct"), "out.h2": (".5969", "correct"),
        "grad.w1": ("4.386e-4", "correct"), "new.w1": ("0.14978", "correct"), "net.o1": ("1.105906", "correct")}),
    "the last digit counts": ("famous", {"out.h1": ("0.5933", "correct"), "out.h2": ("0.5967", "wrong"), "loss": ("0.2984", "correct")}),
    "a fraction is exact": ("famous", {"net.h1": ("151/400", "correct"), "net.h2": ("0.3925", "correct"), "out.o1": ("2/3", "wrong")}),
    "three decimals on every step": ("famous", {
        "net.h1": ("0.378", "correct"), "out.h1": ("0.593", "correct"), "out.o1": ("0.751", "correct"),
        "grad.net.o1": ("0.139", "rounded"), "grad.w5": ("0.082", "correct"), "new.w5": ("0.359", "correct")}),
    "cut off instead of rounded": ("famous", {
        "out.h1": ("0.5932", "rounded"), "out.h2": ("0.5968", "rounded"), "out.o1": ("0.7513", "rounded"),
        "out.o2": ("0.7729", "correct")}),
    "two decimals asked and carried": ("famous, 2 decimals carried", {
        "out.h1": ("0.59", "correct"), "loss": ("0.29", "rounded"), "grad.w5": ("0.08", "correct"), "grad.w1": ("0.00", "correct")}),
    "one unit of the last digit": ("famous", {"out.h1": ("0.59328", "last_digit"), "out.h2": ("0.5969", "correct")}),
    # imprecise
    "fewer decimals than asked": ("famous, 4 decimals asked", {
        "out.h1": ("0.59", "imprecise"), "out.h2": ("0.5969", "correct"), "out.o1": ("0.751", "imprecise"),
        "net.h1": ("0.3775", "correct")}),
    "one digit where others have four": ("famous", {
        "out.h1": ("0.5933", "correct"), "out.h2": ("0.6", "imprecise"), "out.o1": ("0.8", "imprecise")}),
    "one digit of a small number": ("famous", {"out.h1": ("0.5933", "correct"), "grad.w1": ("0.0004", "correct")}),
    # follow-through
    "right for a wrong number before": ("famous", {
        "net.h1": ("0.3875", "wrong"), "out.h1": ("0.5957", "follow_through because net.h1"),
        "net.h2": ("0.3925", "correct"), "out.h2": ("0.5969", "correct")}),
    "a slip is reported once": ("famous", {
        "net.h1": ("0.3775", "correct"), "out.h1": ("0.5933", "correct"), "out.h2": ("0.5969", "correct"), "net.o1": ("1.2059", "wrong"),
        "out.o1": ("0.7696", "follow_through because net.o1"), "grad.net.o1": ("0.1347", "follow_through because net.o1"),
        "grad.w5": ("0.0799", "follow_through because net.o1"), "new.w5": ("0.3600", "follow_through because net.o1"),
        "grad.w6": ("0.0804", "follow_through because net.o1"), "new.w6": ("0.4098", "follow_through because net.o1")}),
    "through steps that were not asked": ("famous", {
        "out.o1": ("0.7612", "wrong"), "new.w5": ("0.3595", "follow_through because out.o1"), "grad.w8": ("-0.02274", "correct")}),
    "back to right after a slip": ("famous", {
        "net.o1": ("1.2059", "wrong"), "out.o1": ("0.7514", "correct"), "new.w5": ("0.3589", "correct")}),
    # mistakes
    "two mistakes that give the same weights": ("famous", {
        "new.w5": ("0.3178", "mistake half-forgotten or rate-forgotten"),
        "new.w6": ("0.3673", "mistake half-forgotten or rate-forgotten because new.w5")}),
    "delta tells that it was the rate": ("famous", {
        "grad.net.o1": ("0.1385", "correct"), "new.w5": ("0.3178", "mistake rate-forgotten"),
        "new.w6": ("0.3673", "mistake rate-forgotten because new.w5")}),
    "delta tells that it was the half": ("famous", {
        "grad.net.o1": ("0.2770", "convention loss_scale or half-forgotten or two-over-n"),
        "new.w5": ("0.3178", "convention loss_scale or half-forgotten or two-over-n"),
        "new.w6": ("0.3673", "convention loss_scale or half-forgotten or two-over-n")}),
    "sign of the error, or of the update": ("famous", {
        "new.w5": ("0.4411", "mistake error-sign-flipped or plus-for-minus"),
        "new.w1": ("0.150219", "mistake error-sign-flipped or plus-for-minus because new.w5")}),
    "three mistakes that give the same weights": ("famous", {
        "new.w1": ("0.149890", "mistake mean-for-half or mean-over-outputs or rate-twice"),
        "new.w2": ("0.199781", "mistake mean-for-half or mean-over-outputs or rate-twice because new.w1")}),
    "the bias in every layer": ("famous", {
        "net.h1": ("0.0275", "mistake bias-forgotten"), "net.h2": ("0.0425", "mistake bias-forgotten because net.h1"),
        "out.h1": ("0.5069", "follow_through because net.h1"), "out.h2": ("0.5106", "follow_through because net.h1"),
        "net.o1": ("0.4325", "mistake bias-forgotten because net.h1"), "out.o1": ("0.6065", "follow_through because net.h1")}),
    "a mistake at one neuron only": ("famous", {
        "grad.net.o1": ("0.7414", "mistake output-derivative-forgotten"), "grad.net.o2": ("-0.0381", "correct"),
        "grad.net.h1": ("0.0669", "follow_through because grad.net.o1")}),
    "two mistakes on one sheet": ("famous", {
        "grad.net.o1": ("0.7414", "mistake output-derivative-forgotten"), "grad.w5": ("0.4398", "follow_through because grad.net.o1"),
        "new.w5": ("-0.0398", "mistake rate-forgotten"), "grad.w6": ("0.4425", "follow_through because grad.net.o1"),
        "new.w6": ("0.0075", "mistake rate-forgotten because new.w5")}),
    "a mistake and a slip of its own": ("famous", {
        "loss": ("0.3172", "wrong"), "grad.net.o1": ("0.7414", "mistake output-derivative-forgotten"),
        "grad.net.o2": ("-0.2171", "mistake output-derivative-forgotten because grad.net.o1"),
        "grad.w5": ("0.4398", "follow_through because grad.net.o1")}),
    "the total of one output": ("famous", {
        "loss.o1": ("0.274811", "correct"), "loss.o2": ("0.023560", "correct"), "loss": ("0.274811", "mistake one-output-only")}),
    "updated weights on the way back": ("famous", {
        "new.w5": ("0.3589", "correct"), "grad.net.h1": ("0.007294", "mistake updated-weights-used"),
        "new.w1": ("0.149818", "follow_through because grad.net.h1")}),
    # wrong
    "any number": ("famous", {"net.h1": ("0.3775", "correct"), "out.o1": ("0.61803", "wrong"), "loss": ("0.2984", "correct")}),
    # unreadable and missing
    "neither number nor formula": ("famous", {
        "out.h2": ("0,3,5", "unreadable"), "out.h1": ("?", "unreadable"), "net.h1": ("w1*i1 +", "unreadable"),
        "net.h2": ("__import__('os')", "unreadable"), "out.o1": ("w77", "unreadable")}),
    "no such step": ("famous", {"net.h3": ("1", "unreadable"), "grad.w15": ("1", "unreadable"), "h": ("1", "unreadable")}),
    "left blank": ("famous", {
        "net.h1": (None, "missing"), "net.h2": ("", "missing"), "out.h1": ("____", "missing"), "out.h2": ("0.5969", "correct")}),
    "answered twice": ("famous", {"new.w5": ("0.3589", "correct"), "w5+": ("0.4", "unreadable")}),
    # formulas
    "formulas that are right": ("famous", {
        "grad.net.o1": ("(o1-t1)*o1*(1-o1)", "correct"), "grad.w5": ("-(t1 - out_o1)*out_o1*(1-out_o1)*out_h1", "correct"),
        "new.w5": ("w5 - 0.5*dE/dw5", "correct"), "out.h1": ("1/(1+exp(-net_h1))", "correct"),
        "net.h2": ("0.25*0.05+0.3*0.1+0.35", "correct"),
        "grad.net.h1": ("(δ_o1*w5+δ_o2*w7)*out_h1*(1-out_h1)", "correct")}),
    "formulas that are wrong": ("famous", {
        "grad.net.o2": ("out_o2 - t2", "mistake output-derivative-forgotten"), "loss": ("o1*t1", "wrong")}),
    "a formula with plus for minus": ("famous", {
        "grad.net.o1": ("0.1385", "correct"), "new.w6": ("w6 + 0.5*δ_o1*out_h2", "mistake plus-for-minus")}),
    "a formula without the bias": ("famous", {
        "net.o1": ("w5*out.h1 + w6*out.h2", "mistake bias-forgotten"), "out.o1": ("0.6238", "follow_through because net.o1")}),
    "numbers after a wrong formula": ("famous", {
        "grad.net.o1": ("out_o1 - t1", "mistake output-derivative-forgotten"),
        "grad.w5": ("0.4398", "follow_through because grad.net.o1")}),
    "a formula is right whatever came before": ("famous", {
        "out.o1": ("0.7612", "wrong"), "grad.net.o1": ("(o1-t1)*o1*(1-o1)", "correct")}),
    "a formula without a value": ("famous", {"grad.net.o1": ("o1/(t1-t1)", "unreadable"), "net.h1": ("w1*i1+w2*i2+b1", "correct")}),
    # how numbers and steps are spelled
    "digits and signs of any script": ("famous", {
        "net.h1": ("０．３７７５", "correct"), "grad.net.o2": ("−0.0381", "correct"), "grad.w1": ("4.386×10⁻⁴", "correct"),
        "out.h1": ("0,5933", "correct"), "new.w5": ("≈ 0.3589", "correct"), "out.h2": ("٠٫٥٩٦٩", "correct")}),
    "symbols for ids": ("famous", {
        "net_h1": ("0.3775", "correct"), "out_h1": ("0.5933", "correct"), "δ_o1": ("0.1385", "correct"), "dE/dw5": ("0.0822", "correct"),
        "w5+": ("0.3589", "correct"), "E_total": ("0.2984", "correct"), "∂E/∂w6": ("0.0827", "correct"), "Δw5": ("-0.0411", "correct")}),
    "numbers, not texts": ("famous", {
        "net.h1": (0.3775, "correct"), "out.h1": (0.5933, "correct"), "out.o1": (0.6238, "mistake bias-forgotten")}),
    # error terms that are the negative
    "g = −∂E/∂β": ("xigua-thresholds", {"g_1": ("0.1409", "correct"), "e_1": ("0.0176", "correct"), "new.w11": ("0.5067", "correct")}),
    "g = −∂E/∂β with the other sign": ("xigua-thresholds", {"g_1": ("-0.1409", "mistake error-sign-flipped")}),
    "an id has the sign of ∂E/∂net": ("han-kamber-3-2-1", {
        "grad.net.6": ("-0.1312", "correct"), "err.6": ("0.5261", "correct"), "grad.net.5": ("0.0065", "correct")}),
    "Err = −∂E/∂net": ("han-kamber-3-2-1", {
        "Err_6": ("0.1312", "correct"), "Err_5": ("-0.0065", "correct"), "w46+": ("-0.261", "correct"), "O_6": ("0.474", "correct")}),
    # several samples
    "samples by name": ("zhou-four-people", {
        "net.h1@Alice": ("-3", "correct"), "out.h1@Alice": ("0.0474", "correct"), "net.h1@Eve": ("1", "unreadable"),
        "grad.w1": ("0.00537", "correct"), "new.w1": ("0.9995", "correct")}),
    "a slip in one sample": ("batch", {
        "net.o@a": ("0.5", "correct"), "net.o@b": ("1.25", "wrong"), "grad.w@a": ("-0.500", "correct"),
        "grad.w@b": ("2.500", "follow_through because net.o@b"), "grad.w": ("1.000", "follow_through because net.o@b"),
        "new.w": ("0.400", "follow_through because net.o@b")}),
    "the sum for the mean": ("batch", {
        "grad.w@a": ("-0.5000", "correct"), "grad.w@b": ("2.0000", "correct"),
        "grad.w": ("1.5000", "convention sample_reduction or batch-scaling"),
        "new.w": ("0.3500", "convention sample_reduction or batch-scaling")}),
    "changed after every sample": ("batch", {
        "net.o@a": ("0.5", "correct"), "net.o@b": ("1.1", "mistake online-for-batch"),
        "new.w": ("0.33", "mistake online-for-batch because net.o@b")}),
    # softmax and cross-entropy
    "cross-entropy without its minus": ("dlfs-simplenet", {
        "out.y1": ("0.365413", "correct"), "loss": ("-0.928069", "mistake cross-entropy-sign-or-mean or value-miscopied")}),
    "cross-entropy over the classes": ("dlfs-simplenet", {
        "out.y3": ("0.395317", "correct"), "loss": ("0.309356", "mistake cross-entropy-sign-or-mean")}),
    "both terms of the formula for two classes": ("dlfs-simplenet", {
        "out.y3": ("0.395317", "correct"), "loss": ("1.656327", "mistake binary-formula-on-softmax")}),
    "softmax over the samples": ("softmax of two samples", {
        "net.p1@1": ("2.0000", "correct"), "out.p1@1": ("0.8176", "mistake softmax-wrong-axis"),
        "out.p2@1": ("0.1192", "mistake softmax-wrong-axis because out.p1@1")}),
    "a sign lost in copying": ("famous", {
        "net.h1": ("0.3625", "mistake value-miscopied"), "out.h1": ("0.5896", "follow_through because net.h1"),
        "net.h2": ("0.3925", "correct")}),
    # iterations
    "the next iteration": ("famous", {
        "new.w5": ("0.358916", "correct"), "#2:out.o1": ("0.742088", "correct"), "#2:loss": ("0.291028", "correct"),
        "#2:new.w5": ("0.317354", "correct"), "#3:loss": ("0.283547", "correct")}),
    "a gradient kept from the step before": ("famous", {
        "grad.w5": ("0.082167", "correct"), "new.w5": ("0.358916", "correct"), "#2:out.o1": ("0.742088", "correct"),
        "#2:grad.w5": ("0.165292", "mistake stale-gradient-added"), "#2:new.w5": ("0.276270", "follow_through because #2:grad.w5")}),
    "the old weights once more": ("famous", {
        "new.w5": ("0.358916", "correct"), "#2:net.o1": ("1.105906", "mistake old-weights-in-next-step"),
        "#2:out.o1": ("0.751365", "follow_through because #2:net.o1"),
        "#2:grad.w5": ("0.082167", "mistake old-weights-in-next-step because #2:net.o1")}),
    "a slip goes on into the next iteration": ("famous", {
        "new.w5": ("0.4589", "wrong"), "#2:net.o1": ("1.1162", "follow_through because new.w5")}),
    "online: a step is an iteration": ("online", {
        "net.o": ("0.5", "correct"), "new.w": ("0.55", "correct"), "#2:net.o": ("1.1", "correct"), "#2:new.w": ("0.33", "correct"),
        "#3:net.o": ("0.33", "correct")}),
    "online: the old weight for the second sample": ("online", {
        "new.w": ("0.55", "correct"), "#2:net.o": ("1.0", "mistake old-weights-in-next-step"),
        "#2:new.w": ("0.30", "mistake old-weights-in-next-step because #2:net.o")}),
    # equations
    "equations": ("equations", {
        "z": ("-1.5", "correct"), "f": ("0.1824", "correct"), "grad.w": ("0.2983", "correct"), "new.w": ("-1.0298", "correct")}),
    "equations: a slip": ("equations", {"z": ("-2.5", "wrong"), "f": ("0.0759", "follow_through because z")}),
    "equations: plus for minus": ("equations", {"grad.w": ("0.2983", "correct"), "new.w": ("-0.9702", "mistake plus-for-minus")}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    problem, row = CASES[name]
    found = list(complaints(problem, row, mark(problem, answers_of(row))))
    assert not found, "\n" + "\n".join(found)


def test_every_verdict_has_a_case() -> None:
    said = {expected.split()[0] for _, row in CASES.values() for _, expected in row.values()}
    assert said == set(VERDICTS)


@pytest.mark.parametrize("name", ["right to the digits typed", "a slip is reported once", "two mistakes that give the same weights"])
def test_wrong_rows_are_found(name: str) -> None:
    """A row with another verdict has something to complain about."""
    problem, row = CASES[name]
    changed = {asked: (typed, "wrong" if expected != "wrong" else "correct") for asked, (typed, expected) in row.items()}
    assert len(list(complaints(problem, changed, mark(problem, answers_of(row))))) == len(row)
    assert list(complaints(problem, {**row, "another": ("1", "wrong")}, mark(problem, answers_of(row))))


def test_some_average_other_losses_over_the_outputs() -> None:
    problem = loads("""
        inputs: [1]
        targets: [0.3, 0.2, 0.1]
        layers: [{neurons: [o1, o2, o3], activation: identity, weights: [[1], [0.5], [0.4]]}]
        loss: huber""")
    answers = check(problem, {"loss": "0.111667", "grad.net.o1": "0.233333", "grad.net.o2": "0.1000"}).answers
    assert [(answer.verdict, answer.conventions) for answer in answers] == [("convention", ("loss_scale",))] * 3


def test_a_teacher_may_deny_other_conventions() -> None:
    sheet = {"grad.net.o1": "0.2770", "new.w5": "0.3178"}
    allowed, denied = (
        check(loads(FAMOUS + f"tasks: {{ask: [grad.net.o1, new.w5], conventions: {word}}}\n"), sheet) for word in ("allow", "deny")
    )
    assert [answer.verdict for answer in allowed.answers] == ["convention"] * 2 and allowed.score == 1
    assert [answer.verdict for answer in denied.answers] == ["mistake", "follow_through"] and denied.answers[0].mistakes == (
        "half-forgotten",
    )


# −ln 0.4509 = 0.79651, −log₁₀ 0.34592, −log₂ 1.14912
BASES = ("0.34592", "1.14912")


@pytest.mark.parametrize("loss", BASES)
def test_another_base_of_the_logarithm_is_a_convention(loss: str) -> None:
    problem = load("softmax-cross-entropy")
    (found,) = check(problem, {"loss": loss}).answers
    assert (found.verdict, found.conventions, found.alternatives) == ("convention", ("logarithm",), (("log-base",),))
    denying = problem.replace(marking=problem.marking.replace(conventions="deny"))
    (found,) = check(denying, {"loss": loss}).answers
    assert (found.verdict, found.mistakes) == ("mistake", ("log-base",))


def test_the_variance_of_a_sample_is_a_convention() -> None:
    """Of two samples the squares are divided by 1, not by 2."""
    problem = load("dropout-batch-norm")
    book = Workbook(problem)
    twice = {id: f"{2 * float(Evaluation(book)[book.find(id)]):.5f}" for id in ("variance2[1]", "variance2[2]")}
    assert [found.verdict for found in check(problem, twice).answers] == ["convention"] * 2


# --- the rest of what is said -------------------------------------------------------------------------------------------

# (id, answer) → the note
NOTES = [
    ("net.h", "2", 'there is no step "net.h", did you mean "net.h1"?'),
    ("grad.w15", "1", 'there is no step "grad.w15", did you mean "grad.w5"?'),
    ("momentum", "1", 'there is no step "momentum"'),
    ("out.h2", "0,3,5", 'not a formula: "," is not expected here (column 2)'),
    ("net.h1", "w1*i1 +", "not a formula: the formula ends too early (column 8)"),
    ("out.h2", "w77", 'not a formula: unknown name "w77" (column 1), did you mean "w7"?'),
    ("grad.net.o1", "o1/(t1-t1)", "this formula has no value for the numbers of the problem"),
]


@pytest.mark.parametrize(("asked", "typed", "note"), NOTES)
def test_note(asked: str, typed: str, note: str) -> None:
    (answer,) = mark("famous", {asked: typed}).answers
    assert answer.verdict == "unreadable"
    assert str(answer.note) == note


def test_a_second_answer_to_a_step_says_so() -> None:
    assert mark("famous", {"new.w5": "0.3589", "w5+": "0.3589"}).marks == (1.0, 1.0)
    answers = mark("famous", {"new.w5": "0.3589", "w5+": "0.3590"}).answers
    assert [str(answer.note) for answer in answers] == ["None", "this step is answered twice"]


def test_what_was_expected() -> None:
    answers = mark("famous, 4 decimals asked", {"grad.net.o1": "1", "grad.w1": "1", "net.h1": "1"}).answers
    assert [answer.expected for answer in answers] == ["0.1385", "0.0004", "0.3775"]


def test_expected_has_the_sign_of_the_letter() -> None:
    assert mark("xigua-thresholds", {"g_1": "1"}).answers[0].expected == "0.1409"
    assert mark("xigua-thresholds", {"grad.net.y1": "1"}).answers[0].expected == "-0.1409"


def test_the_notation_of_the_reader() -> None:
    """A sheet may be in another notation than the problem: there δ is the negative."""
    (answer,) = check(load("mazur-2-2-2"), {"g_1": "-0.1385"}, notation="zhou").answers
    assert (answer.verdict, answer.expected) == ("correct", "-0.138499")


def test_the_order_of_a_sheet_does_not_matter() -> None:
    sheet = {"new.w5": "0.3178", "grad.net.o1": "0.2770", "net.o1": "1.1059", "out.o1": "0.7514"}
    forward, backward = mark("famous", sheet), mark("famous", dict(reversed(sheet.items())))
    assert {answer.id: told(answer) for answer in forward.answers} == {answer.id: told(answer) for answer in backward.answers}
    assert [answer.id for answer in forward.answers] == list(sheet)


def test_a_checker_remembers_nothing_of_a_sheet() -> None:
    own = Checker(load("mazur-2-2-2"))
    sheets = [answers_of(row) for name, (problem, row) in CASES.items() if problem == "famous" and "formula" not in name][::4]
    once = [own.mark(sheet_of(sheet)) for sheet in sheets]
    again = [own.mark(sheet_of(sheet)) for sheet in reversed(sheets)]
    assert [list(map(told, marking.answers)) for marking in once] == [list(map(told, marking.answers)) for marking in reversed(again)]


def test_the_empty_sheet() -> None:
    marking = mark("famous", {})
    assert (marking.answers, marking.summary, marking.score) == ((), {}, 1.0)


# --- rounding: found or declared ----------------------------------------------------------------------------------------

# sheet → the rounding it was worked in
ROUNDINGS: list[tuple[dict[str, str], Rounding]] = [
    ({"out.h1": "0.5933", "out.h2": "0.5969", "loss": "0.2984"}, Rounding(4, None)),
    ({"out.h1": "0.5932", "out.h2": "0.5968", "loss": "0.2983"}, Rounding(4, None, ties="truncate")),
    ({"net.o1": "1.106", "grad.w5": "0.08217", "grad.w1": "0.0004386"}, Rounding(None, 4)),
]


@pytest.mark.parametrize(("sheet", "rounding"), ROUNDINGS)
def test_the_rounding_is_found(sheet: dict[str, str], rounding: Rounding) -> None:
    assert mark("famous", sheet).rounding == rounding


CARRIED = {"net.h1": "0.378", "out.h1": "0.593", "out.o1": "0.751", "loss": "0.299", "grad.net.o1": "0.139", "grad.w5": "0.082"}


@pytest.mark.parametrize("declared", [None, {"decimals": 3}, {"decimals": 3, "carry": True}], ids=str)
def test_a_sheet_worked_with_rounded_numbers_is_right(declared: Any) -> None:
    marking = mark("famous", {"answers": CARRIED, "rounding": declared})
    assert marking.summary == {"correct": 4, "rounded": 2} and marking.score == 1
    assert marking.rounding == Rounding(3, None, carry=True)


def test_a_declared_rounding_is_believed() -> None:
    """0.75 of a student who works with four decimals is 0.7500."""
    sheet = {"net.o1": "1.1059", "out.o1": "0.75"}
    assert mark("famous", sheet).summary == {"correct": 2}
    assert mark("famous", {"answers": sheet, "rounding": {"decimals": 4}}).summary == {"correct": 2}


# on the sheet all is right to one decimal → the verdicts, and what is said of the digits
UNTOLD = {"grad.net.h1": "0.0", "grad.net.h2": "0.0", "new.w1": "0.15", "new.w2": "0.2"}


def test_a_number_that_could_be_0_or_the_old_one_proves_nothing() -> None:
    """Nobody can see that 0.0 is 0.0088 rounded, or that 0.15 is not the old weight; among others of three digits it is seen."""
    marking = mark("famous", UNTOLD)
    assert [answer.verdict for answer in marking.answers] == ["imprecise"] * 4
    assert [str(answer.note) for answer in marking.answers[::2]][:2] == [
        "these digits do not tell it from 0", "these digits do not tell it from the old value",
    ]  # fmt: skip
    assert {answer.verdict for answer in mark("famous", UNTOLD | {"loss": "0.298"}).answers} == {"imprecise", "correct"}
    rounded = {"out.h1": "0.593", "out.h2": "0.597", "grad.net.h1": "0.009", "grad.w1": "0.000", "new.w1": "0.150"}
    assert mark("famous", rounded).score == 1


@pytest.mark.parametrize("digits", [Rounding(2, None, True), Rounding(3, None, True), Rounding(None, 2, True)], ids=str)
def test_rounded_too_early(digits: Rounding) -> None:
    """Six decimals of numbers worked out from two or three."""
    book = Workbook(load("mazur-2-2-2"))
    run = Evaluation(book, digits)
    sheet = {}
    for name in ("out.h1", "out.o1", "loss", "grad.net.o1", "grad.w5", "grad.net.h1", "grad.w1"):
        wanted = book.find(name)
        assert run[wanted] is not None
        sheet[name] = f"{float(run.unrounded[wanted]):.6f}"
    marking = mark("famous", sheet)
    assert told(marking.answers[0]) == "mistake rounded-too-early"
    assert {answer.mistakes for answer in marking.answers} == {("rounded-too-early",)}


# --- no tolerance -------------------------------------------------------------------------------------------------------


def near_misses() -> dict[str, dict[str, str]]:
    """Wrong methods whose new hidden weights are all within 1 % of the right ones, with six decimals."""
    names = {f"new.W1[{unit},{source}]": f"new.w{2 * unit + source - 2}" for unit in (1, 2) for source in (1, 2)}
    right = Paper(MAZUR).numbers()
    found = {}
    for slug, wrong in WRONG:
        numbers = Paper(MAZUR, wrong).numbers()
        sheet = {short: f"{numbers[name]:.6f}" for name, short in names.items()}
        if any(numbers[name] != right[name] for name in names) and all(abs(numbers[name] / right[name] - 1) < 0.01 for name in names):
            found.setdefault(slug, sheet)
    return found


def test_a_wrong_method_within_one_percent_is_not_right() -> None:
    """A tolerance of 1 % on the weights would accept nearly every wrong method; here only one gives the same six digits."""
    sheets = near_misses()
    assert len(sheets) >= 34
    accepted = [slug for slug, sheet in sheets.items() if set(mark("famous", sheet).summary) <= {"correct", "rounded", "imprecise"}]
    assert accepted == ["first-weights-transposed"]


def test_the_wrong_methods_within_one_percent_are_named() -> None:
    for slug, sheet in near_misses().items():
        if slug != "first-weights-transposed":
            said = [answer for answer in mark("famous", sheet).answers if answer.verdict != "correct"]
            assert said and all((slug,) in (answer.mistakes, *answer.alternatives) for answer in said), slug


# --- tasks and marks ----------------------------------------------------------------------------------------------------


def test_tasks_have_marks_and_digits() -> None:
    marking = mark("tasks", {"net.h1": "0.3775", "out.h1": "0.5933", "loss": "0.30", "new.w5": "0.359"})
    assert [(answer.id, answer.verdict, answer.marks, answer.worth) for answer in marking.answers] == [
        ("net.h1", "correct", 1, 1),
        ("out.h1", "correct", 1, 1),
        ("loss", "imprecise", 0.75, 3),
        ("new.w5", "correct", 2, 2),
        ("grad.w5", "missing", 0, 1),
    ]
    assert marking.score == 4.75 / 8


def test_follow_through_earns_its_share() -> None:
    marking = mark("tasks", {"net.h1": "0.3875", "out.h1": "0.5957", "loss": "0.298", "grad.w5": "0.082", "new.w5": "0.359"})
    assert [answer.marks for answer in marking.answers] == [0, 0.5, 3, 1, 2]


def test_a_mistake_costs_its_marks_once() -> None:
    """Made again, it counts as following from the first time."""
    marking = mark("famous", {"net.h1": "0.0275", "net.h2": "0.0425", "out.h1": "0.5069"})
    assert [answer.marks for answer in marking.answers] == [0, 1, 1]


def test_tasks_by_pattern_and_phase() -> None:
    weights = [f"grad.w{place}" for place in (5, 6, 7, 8, 1, 2, 3, 4)]
    assert [answer.id for answer in mark("tasks by pattern", {}).answers] == [*weights, "out.o1"]
    assert [answer.id for answer in mark("tasks by phase", {}).answers] == ["loss.o1", "loss.o2", "loss"]
    assert mark("tasks by phase", {}).score == 0


def test_what_is_not_asked_is_marked_too() -> None:
    marking = mark("tasks by phase", {"net.h1": "0.3775"})
    assert [(answer.id, answer.verdict) for answer in marking.answers][0] == ("net.h1", "correct")
    assert marking.summary == {"correct": 1, "missing": 3}


def test_a_task_for_no_step() -> None:
    problem = loads(FAMOUS + "tasks: [net.h7]\n")
    with pytest.raises(UnknownIdError, match="net.h7"):
        check(problem, {})
    with pytest.raises(UnknownIdError, match="no step fits"):
        check(loads(FAMOUS + "tasks: ['nothing.*']\n"), {})


# --- sheets in files ----------------------------------------------------------------------------------------------------


def test_a_sheet_in_chinese(tmp_path: Any) -> None:
    (tmp_path / "sheet.csv").write_text("# 姓名: 小明\n编号,答案\nnet.h1,０．３７７５\nw5+,约0.3178\n", "utf-8")
    marking = checker("famous").mark(read_sheet(tmp_path / "sheet.csv"))
    assert marking.name == "小明"
    assert list(map(told, marking.answers)) == ["correct", "mistake half-forgotten or rate-forgotten"]


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_explanations_are_printed_line_by_line(language: str) -> None:
    translate = translator(language)
    for mistake in MISTAKES.values():
        printed = ["".join(map(str, phrase(line, translate))) for line in mistake.explanation_lines]
        assert printed == translate(mistake.explanation).split("\n")


def test_a_number_written_rounded_and_carried_unrounded() -> None:
    """δ was worked from rounded numbers, and the rest with one that was not: nobody is a unit of the last digit off."""
    marked = check(load("conv-pool-dense"), {"grad.net.y": "-0.420677", "new.W1[1,1,1]": "0.205528"}).answers
    assert {found.verdict for found in marked} <= {"correct", "rounded"}
