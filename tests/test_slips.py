"""Slips of a single line: each is named from its number, is a hint where the digits are too few, and is not read into chance numbers.

The numbers are worked out by hand from those Matt Mazur published for his network (A Step by Step Backpropagation Example, 2015):
out.h1 = 0.593269992, out.h2 = 0.596884378, net.o1 = 0.4·out.h1 + 0.45·out.h2 + 0.6 = 1.105905967, and a formula of four numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from students import Exercise

from handcalc.cli import main
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import references
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker, check
from handcalc.marking.definitions import FORMS, Definitions
from handcalc.marking.misreadings import misreading
from handcalc.marking.mistakes.anyline import ANY_LINE
from handcalc.marking.slipnumbers import LINES, SlipNumbers, number_of
from handcalc.marking.typed import typed
from handcalc.marking.workbook import Workbook

MAZUR = (Path(__file__).parent.parent / "problems" / "mazur-2-2-2.yaml").read_text(encoding="utf-8")
FOUR_NUMBERS = """
given: {a: 1.3, b: 0.7, c: 2.1, d: 0.9, y: 2}
equations: {p: a*b*c + d, E: (y - p)^2/2}
minimize: E
parameters: [a, d]
learning_rate: 0.1
"""
PARABOLA = """
given: {x: 1.357, w: 0.741, v: 2.183, u: 0.9127, y: 2}
equations: {p: w*x + v*x^2 + u, E: (y - p)^2/2}
minimize: E
parameters: [w, v, u]
learning_rate: 0.1
"""
ONE_OF_THREE = """
inputs: [4]
targets: [0]
layers:
  - {neurons: [z1, z2, z3], activation: relu, weights: [[1], [1], [-1]]}
  - {neurons: [o], activation: sigmoid, weights: [[0.5, 1, 2]]}
loss: half_squared_error
"""
SQUARED = """
given: {w: 2}
equations: {J: (w - 1)^2}
minimize: J
parameters: [w]
learning_rate: 0.1
"""
LOGISTIC = """
samples:
  - {inputs: [1, 3], targets: [1]}
  - {inputs: [2, 2], targets: [0]}
  - {inputs: [-1, -2], targets: [1]}
layers:
  - {neurons: [y], activation: sigmoid, weights: {w1: [x1, y, 0.5], w2: [x2, y, -0.5]}, bias: {b: 0.1}}
loss: binary_cross_entropy
sample_reduction: mean
learning_rate: 0.1
"""
# slug, step, answer
SLIPS = [
    ("sign-lost", "net.o1", "-1.105905967"),
    ("point-moved", "out.h1", "5.93269992"),
    ("point-moved", "out.h1", "0.0593269992"),
    ("digits-exchanged", "out.h1", "0.539269992"),
    ("digit-dropped", "out.h1", "0.59369992"),
    ("number-misread", "net.o1", "1.159625561"),  # w6 = 0.45 as 0.54
    ("neighbour-used", "net.o1", "1.107351722"),  # out.h2 for out.h1
    ("term-left-out", "net.o1", "0.868597970"),
    ("term-twice", "net.o1", "1.343213964"),
    ("factor-left-out", "net.o1", "1.461867962"),  # out.h1 without its weight
    ("old-value-given", "new.w5", "0.4000"),
    ("other-number-given", "grad.w5", "0.35891648"),
    ("other-number-given", "new.w5", "0.082167041"),
    ("slope-exchanged", "local.out.o1", "0.217725266"),  # ½(1 - y²) for y(1 - y)
    ("constant-wrong", "net.h1", "0.755000000"),
    ("own-factor-used", "grad.w5", "0.055399425"),  # δ·w5 for δ·out.h1
    ("bracket-misplaced", "loss.o1", "-0.277274734"),  # ½(t - o²) for ½(t - o)²
]


def test_a_function_that_is_no_activation_of_a_layer() -> None:
    (found,) = check(loads("given: {x: 0.5}\nequations: {y: 2*sin(x)}"), {"y": "1.755165124"}).answers  # the cosine
    assert found.mistakes == ("function-exchanged",)
    (found,) = check(load("mazur-2-2-2"), {"out.h1": "0.360534393"}).answers  # tanh for the sigmoid
    assert found.mistakes == ("activation-exchanged",)


@pytest.mark.parametrize(("slug", "id", "answer"), SLIPS)
def test_a_slip_has_its_name(slug: str, id: str, answer: str) -> None:
    (found,) = check(load("mazur-2-2-2"), {id: answer}).answers
    assert (found.verdict, found.mistakes) == ("mistake", (slug,))


def test_a_number_is_taken_a_step_too_early() -> None:
    """net.h1 and net.h2 for out.h1 and out.h2, which are right; the line as it was worked is told."""
    marked = check(load("mazur-2-2-2"), {"out.h1": "0.59326999", "out.h2": "0.59688438", "net.o1": "0.927625"}).answers[-1]
    assert marked.mistakes == ("step-left-out",)
    assert marked.made is not None and {ref.quantity for ref in references(marked.made)} == {"W2", "net1", "b2"}


def test_a_given_number_is_misread_everywhere() -> None:
    """i1 = 0.05 read as 0.5: both net inputs and what is multiplied with it; it costs once, and is told."""
    wrong = {"net.h1": "0.4450", "net.h2": "0.5050", "out.h1": "0.6094", "out.h2": "0.6236"}
    marked = check(load("mazur-2-2-2"), wrong).answers
    assert [(found.verdict, found.mistakes, found.because_of) for found in marked[:2]] == [
        ("mistake", ("number-misread",), ""), ("mistake", ("number-misread",), "net.h1"),
    ]  # fmt: skip
    assert [found.marks for found in marked] == [0, 1, 1, 1] and str(marked[0].note) == "as if i1 were 0.5"


def test_a_line_set_up_right_and_worked_out_wrong() -> None:
    """The numbers on the line come to 0.3775; the same slip in another calculation is another one."""
    sheet = {"net.h1": "0.15*0.05 + 0.2*0.1 + 0.35 = 0.4775", "net.h2": "0.25*0.05+0.3*0.1+0.35 = 0.4925"}
    marked = check(load("mazur-2-2-2"), sheet).answers
    assert [(found.mistakes, found.marks) for found in marked] == [(("miscalculated",), 0)] * 2


def test_another_learning_rate() -> None:
    """0.05 for 0.5 in both new weights, each w - 0.05·gradient."""
    sheet = {"grad.w5": "0.0822", "grad.w6": "0.0827", "new.w5": "0.3959", "new.w6": "0.4459"}
    marked = check(load("mazur-2-2-2"), sheet).answers
    assert [found.mistakes for found in marked[2:]] == [("number-misread",)] * 2 and str(marked[2].note) == "as if eta were 0.05"


def test_a_bare_zero_names_nothing() -> None:
    for sheet in ({"loss": "0"}, {"grad.net.o1": "0"}, {"out.h1": "0", "out.h2": "0"}):
        assert not any(answer.mistakes or answer.hints or answer.note for answer in check(load("mazur-2-2-2"), sheet).answers)


def test_two_numbers_misread_on_two_lines_are_two_slips() -> None:
    """w1 = 0.15 as 0.51, and on the other line w3 = 0.25 as 0.52: nothing that was misread once explains both."""
    marked = check(load("mazur-2-2-2"), {"net.h1": "0.395500", "net.h2": "0.406000"}).answers
    assert [(found.mistakes, found.because_of, found.marks) for found in marked] == [(("number-misread",), "", 0)] * 2


def test_a_slip_that_is_made_again_costs_nothing_more() -> None:
    """The second term is left out of both net inputs."""
    marked = check(load("mazur-2-2-2"), {"net.h1": "0.357500", "net.h2": "0.362500"}).answers
    assert [(found.mistakes, found.because_of, found.marks) for found in marked] == [
        (("term-left-out",), "", 0), (("term-left-out",), "net.h1", 1),
    ]  # fmt: skip


def test_two_answers_in_each_others_place() -> None:
    marked = check(load("mazur-2-2-2"), {"out.o1": "0.772928465", "out.o2": "0.75136507"}).answers
    assert [(found.verdict, found.mistakes) for found in marked] == [("mistake", ("answers-exchanged",))] * 2
    assert [found.marks for found in marked] == [0, 1], "it is one mistake"


@pytest.mark.parametrize("answer", ["-2.101646167", "4.112720167", "3.927046167"])  # wx = 1.005537, vx² = 4.019883167
def test_one_term_with_the_wrong_sign(answer: str) -> None:
    (found,) = check(loads(PARABOLA), {"p": answer}).answers
    assert (found.verdict, found.mistakes) == ("mistake", ("sign-in-sum",))


def test_a_line_worked_wrong_is_called_as_in_the_catalogue() -> None:
    """Beside a number of three digits, which lets much be explained by rounding, + for − is not just any sign in a sum."""
    found, _ = check(load("mazur-2-2-2"), {"new.w5": "0.4411", "grad.w1": "0.000438"}).answers
    assert (found.verdict, found.mistakes) == ("mistake", ("plus-for-minus",))


GATED = """
given: {z: 0.31, h: 1.427, u: 0.613, v: 2.5, w: 0.8, y: 2}
equations: {a: z*h + (1 - z)*u, b: sin(v)*w, c: a + b, E: (y - c)^2/2 + (v - w)^2*w}
minimize: E
parameters: [v, w]
learning_rate: 0.1
"""
BOWL = """
given: {u: 1.237, v: -0.713}
equations: {f: 0.7*u^2 + u*v + 2*(v + 1)^2}
minimize: f
parameters: [u, v]
learning_rate: 0.1
"""
CELL = """
given: {x: 0.7, c0: 0.45}
equations: {i: 1/(1 + exp(-0.8*x)), f: sigmoid(-0.3*x), g: tanh(1.1*x), c: f*c0 + i*g, o: sigmoid(0.5*x), h: o*tanh(c)}
"""
SHARES = "given: {s: 0.3, u: 1.3}\nequations: {p: exp(s), q: exp(u), a: p/(p + q)}"
NORM = "given: {x: 1.3, y: 0.4, eps: 0.05}\nequations: {s: sqrt(x*y + eps), q: (x + y)^2}"
IN_EQUATIONS = [
    (CELL, "numbers-exchanged", "c", "0.576029"),  # i·c0 + f·g
    (CELL, "other-letter-used", "h", "0.334137"),  # o·tanh(g)
    (CELL, "sign-in-sum", "i", "0.363547"),  # e^(0.8x)
    (NORM, "bracket-misplaced", "s", "0.771110"),  # ε outside of the root
    (NORM, "bracket-misplaced", "q", "1.85000"),  # x² + y²
    (PARABOLA, "one-term-only", "p", "1.005537"),
    (GATED, "complement-used", "a", "1.40760"),  # (1 - z)·h + (1 - z)·u
    (GATED, "function-left-out", "b", "2.0000"),
    (BOWL, "updated-too-early", "grad.v", "2.28312"),  # u⁺ for u
]


@pytest.mark.parametrize(("problem", "slug", "id", "answer"), IN_EQUATIONS)
def test_a_slip_in_an_equation(problem: str, slug: str, id: str, answer: str) -> None:
    (found,) = check(loads(problem), {id: answer}).answers
    assert (found.verdict, found.mistakes) == ("mistake", (slug,))


def test_the_slope_of_another_function() -> None:
    """1 - y² for y(1 - y): a mistake of the whole sheet, not of one line."""
    (found,) = check(load("mazur-2-2-2"), {"local.out.o1": "0.435450532"}).answers
    assert found.mistakes == ("slope-of-other-function",)


SHARED = {
    "same-factor": (
        {"grad.w5": "0.12325", "grad.w6": "0.12400", "grad.w7": "-0.03390", "grad.w8": "-0.03411"},
        "1.5 times the right number",
    ),
    "same-amount": ({"net.h1": "0.6275", "net.h2": "0.6425"}, "0.25 more than the right number"),
}


@pytest.mark.parametrize("slug", SHARED)
def test_several_answers_off_in_the_same_way_have_one_reason(slug: str) -> None:
    """Whatever it is, it costs once."""
    answers, said = SHARED[slug]
    marked = check(load("mazur-2-2-2"), answers).answers
    assert [(answer.mistakes, str(answer.note)) for answer in marked] == [((slug,), said)] * len(marked)
    assert [answer.marks for answer in marked] == [0, *[1] * (len(marked) - 1)]


def test_every_slip_has_a_row() -> None:
    rows = {row[0] for row in SLIPS} | {row[1] for row in IN_EQUATIONS}
    assert rows | {
        "answers-exchanged",
        "other-answer-given",
        "function-exchanged",
        "same-factor",
        "same-amount",
        "sign-in-sum",
        "step-left-out",
        "miscalculated",
    } == {mistake.slug for mistake in ANY_LINE}


@pytest.mark.parametrize(
    ("answer", "slug"),
    [("2.4", "factor-left-out"), ("3.6", "factor-left-out"), ("-1.0", "sign-in-sum")],  # without b; without a; −abc + d
)
def test_few_digits_are_a_hint(answer: str, slug: str) -> None:
    (found,) = check(loads(FOUR_NUMBERS), {"p": answer}).answers
    assert (found.verdict, found.mistakes, found.hints[0]) == ("wrong", (), slug) and len(found.hints) < 3


@pytest.mark.parametrize("answer", ["2.6374", "4.9182", "17.3391", "0.0713"])
def test_chance_numbers_have_no_name(answer: str) -> None:
    (found,) = check(loads(FOUR_NUMBERS), {"p": answer}).answers
    assert (found.verdict, found.mistakes, found.hints) == ("wrong", (), ())


def test_a_slip_that_answers_of_its_kind_refute_has_no_name() -> None:
    """One of four gradients is ten times too large, as if the point had moved; the others are too large by 0.7, 0.6 and 0.8."""
    answers = {"grad.w5": "0.82167", "grad.w6": "0.78267", "grad.w7": "0.57740", "grad.w8": "0.77726"}
    found = check(load("mazur-2-2-2"), answers).answers
    assert {verdict.verdict for verdict in found} == {"wrong"}
    (alone,) = check(load("mazur-2-2-2"), {"grad.w5": "0.82167"}).answers
    assert alone.mistakes == ("point-moved",)


@pytest.mark.parametrize("answer", ["0/5", "w1 - w1", "1e-400", "1/" + "9" * 97])
def test_a_fraction_or_a_formula_that_is_nothing_is_marked(answer: str) -> None:
    """It has no last digit, and no size to compare with."""
    (found,) = check(load("mazur-2-2-2"), {"out.h1": answer}).answers
    assert found.verdict == "wrong"


def test_two_given_numbers_exchanged() -> None:
    """The sheet of somebody who took w1 for w2 and w2 for w1 is right for the problem with the two exchanged."""
    swapped = derive(loads(MAZUR.replace("[i1, h1, 0.15]", "[i1, h1, 0.20]").replace("[i2, h1, 0.20]", "[i2, h1, 0.15]")))
    answers = {id: swapped[id].shown.plain for id in ("net.h1", "out.h1", "grad.w1", "new.w1", "new.w2")}
    marked = check(load("mazur-2-2-2"), answers).answers
    assert {slug for found in marked for slug in found.mistakes} == {"value-miscopied"}
    assert {found.verdict for found in marked} == {"mistake", "follow_through"}


def test_two_numbers_of_a_line_exchanged() -> None:
    """net.o1 = 0.45·out.h1 + 0.4·out.h2 + 0.6; that w5 is right in the update shows that it is a slip of this line."""
    marked = check(load("mazur-2-2-2"), {"net.o1": "1.105725247", "new.w5": "0.35891648"}).answers
    assert marked[0].mistakes == ("value-miscopied",)


def test_a_slip_on_a_sheet_of_many_iterations() -> None:
    """Fifteen have more cells than are tried as a whole; what one answer is made from has not."""
    (right,) = check(loads(MAZUR), {"#15:net.o2": "1.39395"}).answers
    assert right.verdict == "correct"
    (found,) = check(loads(MAZUR), {"#15:net.o2": "1.93395"}).answers
    assert (found.verdict, found.mistakes) == ("mistake", ("digits-exchanged",))


@pytest.mark.parametrize("problem", ["mazur-2-2-2", "prachub-bptt", "negnevitsky-xor"])
def test_what_a_wrong_line_before_leads_to_is_what_the_solution_gives_with_it(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Checker(load(problem)).desk()
    wanted = max(desk.book.cells(), key=lambda cell: len(desk.definitions.between(cell, ())))
    (read,) = desk.interpreter.read(sheet_of({desk.book.cell_id(wanted): "0.123"}))
    assert read.cell is not None
    assert read.typed is not None
    numbers, run = SlipNumbers(desk.definitions, {read.cell: read.typed}), Evaluation(desk.book)
    worked: list[object] = []
    original = Evaluation._keep
    monkeypatch.setattr(Evaluation, "_keep", lambda own, cell, value: (worked.append(cell), original(own, cell, value))[1])
    found = list(numbers.lines_before(wanted, run))
    assert len(worked) <= len(set(worked)), "a step is worked once, whatever is wrong before it"
    monkeypatch.undo()
    before = [cell for cell in desk.definitions.between(wanted, numbers.answers)[1:LINES] if desk.book.given_value(cell) is None]
    expected = [
        (slug, number_of(Evaluation(desk.book, None, {cell: other}), wanted))
        for cell in before
        for slug, other in numbers._wrong(cell, run)
    ]
    assert len(found) > 50
    assert found == [(slug, pytest.approx(other, rel=1e-12, nan_ok=True)) for slug, other in expected]


def test_a_line_as_it_was_made_is_no_part_of_a_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rows are written as they come, and read again, also where a line is told."""
    (tmp_path / "sheets").mkdir()
    for name in ("ann", "bob"):
        (tmp_path / "sheets" / f"{name}.txt").write_text("net.h1 = 0.357500\nnet.h2 = 0.3925\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    printed = []
    for _ in range(2):
        with pytest.raises(SystemExit) as ended:
            main(["check", "mazur-2-2-2", "sheets", "--results", "rows.jsonl", "--format", "json"])
        assert ended.value.code == 1
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and "term-left-out" in printed[0]


def test_a_digit_alone_has_a_hint_at_most() -> None:
    """1 for 2·(2 - 1): the factor that is left out is the likeliest reason, and no other slip gives it."""
    (found,) = check(loads(SQUARED), {"grad.w": "1"}).answers
    assert (found.verdict, found.mistakes, found.hints) == ("wrong", (), ("factor-left-out",))


def test_a_digit_alone_shows_no_second_mistake() -> None:
    """|t - o| for ½(t - o)² is shown by four digits; δ = 1 by itself may be anything."""
    sheet = {"loss": "0.9975", "grad.net.z1": "1"}
    first, second = check(loads(ONE_OF_THREE), sheet).answers
    assert (first.verdict, first.mistakes) == ("mistake", ("absolute-or-root-error",))
    assert (second.verdict, second.mistakes) == ("wrong", ())


def test_a_slip_that_half_of_the_wrong_answers_refute_is_a_hint() -> None:
    """Both new weights have decayed by λ/3, which the exercise does not ask for; one could be a gradient with another factor."""
    first, second = check(loads(LOGISTIC), {"new.w1": "0.46022", "new.w2": "-0.47086", "new.b": "0.11801"}).answers[:2]
    assert (first.verdict, second.verdict) == ("wrong", "wrong")


def test_a_sheet_of_one_number_is_worth_what_is_right_by_chance() -> None:
    """Nobody worked out what is 0, or 0.5, everywhere; what comes of such numbers was not worked out either, and nothing is named."""
    problem = load("mazur-2-2-2")
    steps = [id for id in Exercise(problem).key() if not id.startswith("after")]
    for number in ("0", "0.5", "0.0"):
        marking = check(problem, dict.fromkeys(steps, number))
        assert {answer.verdict for answer in marking.answers} <= {"wrong", "imprecise"}
        assert sum(answer.marks for answer in marking.answers) <= len(steps) / 10
        assert not any(answer.mistakes or answer.hints for answer in marking.answers)


def test_a_neuron_that_is_dead_by_mistake_has_right_zeros() -> None:
    """The zeros follow from a net input with the wrong sign, which is one number of another kind."""
    sheet = {"net.z1": "-4.1", "out.z1": "0", "grad.net.z1": "0", "grad.W1[1,1]": "0", "new.W1[1,1]": "1"}
    marked = check(loads(ONE_OF_THREE.replace("[4]", "[4.1]") + "learning_rate: 0.5\n"), sheet).answers
    assert [answer.marks for answer in marked] == [0, 1, 1, 1, 1]


def test_copied_weights_are_worth_nothing_even_where_rounding_hides_it() -> None:
    """w5 = 0.4 for 0.359 is 0.4 rounded, as if it had been worked out; w6 = 0.45 for 0.409 shows that nothing was updated."""
    marked = check(load("mazur-2-2-2"), {"new.w5": "0.4", "new.w6": "0.45", "new.w7": "0.5"}).answers
    assert [(answer.mistakes, answer.marks) for answer in marked] == [(("old-value-given",), 0)] * 3


ADAM = """
given: {x: 1.5, a: 2}
equations: {f: a*x^2 - 3*x}
minimize: f
parameters: [x]
learning_rate: 0.1
optimizer: {adam: {beta1: 0.9, beta2: 0.99, epsilon: 1e-8}}
"""


def test_right_for_the_own_numbers_where_a_range_has_no_bound() -> None:
    """x⁺ = 1.5 - 0.1·0/(√0 + ε) with the student's own zeros."""
    zeros = {"grad.x": "0", "moment1.x": "0", "moment2.x": "0", "corrected1.x": "0", "corrected2.x": "0", "new.x": "1.500"}
    assert check(loads(ADAM), zeros).answers[-1].marks == 1


def test_a_sign_that_is_lost_where_the_number_is_used_rightly_elsewhere() -> None:
    """Not x2 miscopied as -0.10: it is right in the other net input."""
    sheet = {"net.h1": "0.3775", "net.h2": "0.3925", "grad.net.h1": "0.008771", "grad.net.h2": "0.009954", "grad.w1": "-0.0004386"}
    assert check(load("mazur-2-2-2"), sheet).answers[-1].mistakes == ("sign-lost",)


def test_a_number_is_only_written_down_wrong_if_the_next_was_worked_with_the_right_one() -> None:
    """It has no name, since it may be any number; but it is said."""
    sheet = {"out.o1": "0.2514", "grad.out.o1": "0.7414", "local.out.o1": "0.1868", "grad.net.o1": "0.1385"}
    found = check(load("mazur-2-2-2"), sheet).answers
    assert [answer.verdict for answer in found] == ["wrong", "correct", "correct", "correct"] and found[0].marks == 0
    assert str(found[0].note).endswith("was worked with the right number")


def test_the_number_of_another_step_is_given() -> None:
    found = check(load("mazur-2-2-2"), {"net.h1": "0.37750", "out.h1": "0.59327", "net.o1": "0.59327", "loss": "0.29837"}).answers
    assert [answer.mistakes for answer in found] == [(), (), ("other-answer-given",), ()]
    assert str(found[2].note) == "this is out.h1"


def test_a_digit_in_a_sum_may_be_misread_or_added_wrong() -> None:
    """∂E/∂out_h1 = 0.0553994247 − 0.0190491183 = 0.0363503064, off by 0.000001: no name, which may be false."""
    (found,) = check(load("mazur-2-2-2"), {"grad.out.h1": "0.0363493064"}).answers
    assert (found.verdict, found.mistakes) == ("wrong", ())


def test_the_arguments_of_a_function_are_taken_for_its_values() -> None:
    """s/(s + u) for e^s/(e^s + e^u), with the right powers beside it."""
    marked = check(loads(SHARES), {"p": "1.34986", "q": "3.66930", "a": "0.18750"}).answers
    assert [found.mistakes for found in marked] == [(), (), ("step-left-out",)]


EVERYWHERE = [  # a mistake of all equations alike, which costs once
    ("{p: exp(s), q: exp(u), a: p/(p + q)}", "function-left-out", {"p": "0.3000", "q": "1.3000", "a": "0.18750"}),
    ("{p: sigmoid(s), q: sigmoid(u), a: p*q}", "function-exchanged", {"p": "0.29131", "q": "0.86172", "a": "0.25103"}),  # tanh
    ("{p: sigmoid(-s), q: sigmoid(-u), a: p*q}", "sign-in-sum", {"p": "0.57444", "q": "0.78583", "a": "0.45142"}),
    ("{p: 2*s/sqrt(2), q: 3*u/sqrt(2), a: p*q}", "factor-left-out", {"p": "0.6000", "q": "3.9000", "a": "2.3400"}),
    ("{m: (s + u)/2, v: ((s - m)^2 + (u - m)^2)/2, a: s/v}", "constant-wrong", {"m": "0.8", "v": "0.5000", "a": "0.6000"}),
    ("{p: max(s, u), q: max(2*s, u), a: p*q}", "function-exchanged", {"p": "0.3", "q": "0.6", "a": "0.18"}),
]


@pytest.mark.parametrize(("equations", "slug", "answers"), EVERYWHERE)
def test_a_slip_in_all_equations_is_one_mistake(equations: str, slug: str, answers: dict[str, str]) -> None:
    marking = check(loads(f"given: {{s: 0.3, u: 1.3}}\nequations: {equations}"), answers)
    wrong = [found for found in marking.answers if found.verdict == "mistake"]
    assert {found.mistakes for found in wrong} == {(slug,)} and len(wrong) + sum(
        found.verdict != "mistake" for found in marking.answers
    ) == 3
    assert marking.marks == (2, 3)


EVERYTHING = """
given: {s: 0.3, u: 1.3}
equations:
  {a: exp(-s), b: sigmoid(u), c: tanh(s), d: sqrt(u), f: ln(u), g: log(u), h: sin(s), i: cos(s), j: max(s, u), k: min(s, u), l: s/sqrt(2),
   m: (s + u)/2, n: ((s - m)^2 + (u - m)^2)/2}
"""


def test_every_form_of_a_mistake_in_all_equations_applies() -> None:
    definitions = Definitions(Workbook(loads(EVERYTHING)))
    applied = {form for wanted in definitions.book.cells() for form in definitions.wrong(wanted)}
    wanted = {form for form in FORMS if {*form.variant_rules} == {"variable"}}
    assert len(wanted) > 15 and not [(form.mistake.slug, form.variant) for form in wanted - applied]


def test_what_a_number_was_misread_as_is_worked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line is worked for all the numbers that a given one may be read as together: two wrong answers of 15-18-8 took half a minute."""
    calls = 0
    worked_on = SlipNumbers.worked_on

    def counted(self: SlipNumbers, *arguments: Any) -> list[float]:
        nonlocal calls
        calls += 1
        return worked_on(self, *arguments)

    monkeypatch.setattr(SlipNumbers, "worked_on", counted)
    desk = Checker(load("mazur-2-2-2")).desk()
    answers = {desk.book.find(id): parsed for id, text in (("net.h1", "0.4450"), ("net.h2", "0.5050")) if (parsed := typed(text))}
    found = misreading(desk.definitions, answers, [*answers], desk.size)
    assert found is not None and desk.book.cell_id(found.given) == "i1" and found.read == 0.5
    assert calls <= 2 * 4, "two answers, at most four given numbers of both"
