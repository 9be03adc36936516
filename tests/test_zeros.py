"""What is 0 on paper is 0: in solutions, in training by both programs, and on sheets.

Negnevitsky, Artificial Intelligence (3rd ed.), table 6.3: the perceptron that learns AND meets its threshold exactly in the
eighth step (0.2·1 + 0·1 − 0.2 = 0).
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from click.testing import CliRunner

from handcalc.arrays.straightline import Straight
from handcalc.arrays.vectorised import Vectorised
from handcalc.cli import group
from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker
from handcalc.models import build
from handcalc.training.trainer import Trainer

AND = """
samples: [{inputs: [0, 0], targets: [0]}, {inputs: [0, 1], targets: [0]}, {inputs: [1, 0], targets: [0]}, {inputs: [1, 1], targets: [1]}]
layers: [{neurons: [y], activation: step, weights: {w1: [x1, y, 0.3], w2: [x2, y, -0.1]}, threshold: {theta: 0.2}}]
error: direct
learning_rate: 0.1
training: {mode: online}
update: {frozen: [theta]}
"""

# the error and the weights after each step, from the table
TABLE = """
0 0.3 -0.1, 0 0.3 -0.1, -1 0.2 -0.1, 1 0.3 0, 0 0.3 0, 0 0.3 0, -1 0.2 0, 0 0.2 0, 0 0.2 0, 0 0.2 0, -1 0.1 0, 1 0.2 0.1,
0 0.2 0.1, 0 0.2 0.1, -1 0.1 0.1, 0 0.1 0.1, 0 0.1 0.1, 0 0.1 0.1, 0 0.1 0.1, 0 0.1 0.1
"""


def test_a_threshold_is_met_where_it_is_met_on_paper() -> None:
    derivation = derive(loads(AND), Rounding(), 20)
    for number, row in enumerate(TABLE.split(","), 1):
        error, *weights = row.split()
        shown = [derivation[f"#{number}:{id}" if number > 1 else id].shown.plain for id in ("new.w1", "new.w2")]
        assert shown == weights, number
        out, target = (derivation.iteration(number).evaluation[derivation.find(id)[0]] for id in ("out.y", "target.y"))
        assert target - out == float(error), number
    eighth = derivation["#8:net.y"]
    assert (eighth.value, eighth.shown.plain, eighth.shown.exact) == (0, "0", True)


def test_training_meets_it_too() -> None:
    trainer = Trainer(loads(AND))
    for number, row in enumerate(TABLE.split(","), 1):
        trainer.advance(1)
        found = dict(zip(("w1", "w2"), (value for cell, value in trainer.values().items())))
        assert [*found.values()] == pytest.approx([*map(float, row.split()[1:])], abs=1e-12), number


# a network whose number before the jump is 0, or the same as another, on paper but not in floats
TIES = {
    "step": ("{activation: step, weights: [[0.1, 0.7]], bias: [-0.8]}", "[1, 1]"),
    "sign": ("{activation: sign, weights: [[0.1, 0.2]], bias: [-0.3]}", "[1, 1]"),
    "relu": ("{activation: relu, weights: [[0.1, 0.2]], bias: [-0.3]}", "[1, 1]"),
    "leaky relu": ("{activation: leaky_relu, weights: [[0.1, 0.2]], bias: [-0.3]}", "[1, 1]"),
}


@pytest.mark.parametrize("program", [Straight, Vectorised])
@pytest.mark.parametrize("kind", TIES)
def test_both_programs_take_the_branch_of_the_solution(kind: str, program: Any) -> None:
    layer, inputs = TIES[kind]
    problem = loads(
        f"samples: [{{inputs: {inputs}, targets: [0.25]}}]\nlayers: [{{neurons: 1, {layer[1:]}]\n"
        "loss: half_squared_error\nlearning_rate: 0.5\n"
    )
    model = build(problem)
    known = Evaluation(model.graph)
    net = next(quantity.name for quantity in model.graph if quantity.kind == "net")
    assert [known.precise((net, place)) for place in model.graph.positions(net)] == [Fraction(0)]
    made = program(model.graph, model.updated, model.loss)
    after = made.values(made.run(made.start(lambda cell: float(known[cell])), [()])[0])
    assert after == pytest.approx({cell: float(known[model.updated[cell[0]], cell[1]]) for cell in after}, abs=1e-12)


def test_largest_numbers_that_tie_on_paper_tie() -> None:
    text = (
        "given: {a: 0.1, b: 0.2, c: 0.3}\nequations: {s: a + b, m: 'max(s, c)', f: m*m}\nminimize: f\nparameters: [a, c]\nlearning_rate: 1"
    )
    derivation = derive(loads(text))
    assert derivation.value("grad.a") == pytest.approx(0.6) and derivation.value("grad.c") == 0, "the first of equal ones"


def test_what_floats_lose_is_not_lost() -> None:
    shown = derive(loads("given: {a: 1, b: 1e-17, c: 1e16}\nequations: {p: a + b, q: c + a, r: c*c + a - c*c}"))
    assert [(shown[id].shown.plain, shown[id].shown.exact) for id in "pqr"] == [("1.00000", False), ("1.00000e16", False), ("1", True)]


def test_noise_of_irrational_numbers_is_zero() -> None:
    """The shared bias of softmax: Σ (p − t) is 0, whatever the p."""
    text = (
        "inputs: {x: 0.7}\ntargets: {a: 1, b: 0, c: 0}\nlayers: [{neurons: [a, b, c], activation: softmax, weights: [[0.1], [0.7], [-0.3]],"
        " bias: {b: 0.1}}]\nloss: cross_entropy\nlearning_rate: 0.1\n"
    )
    step = derive(loads(text))["grad.b"]
    assert (step.value, step.shown.plain) == (0, "0")


def test_small_differences_are_kept() -> None:
    derivation = derive(loads("given: {x: 25}\nequations: {y: sigmoid(x), d: 1 - y, e: 'ln(1 - y)'}"))
    assert derivation.value("d") == pytest.approx(1.3887943864771144e-11, rel=1e-4) and derivation.value("e") == pytest.approx(
        -25, rel=1e-4
    )


def test_an_honest_zero_has_full_marks() -> None:
    text = (
        "inputs: {x: 3}\ntargets: {y: 0.3}\nlayers: [{neurons: [y], weights: {w: [x, y, 0.1]}}]\n"
        "loss: half_squared_error\nlearning_rate: 0.1\n"
    )
    found = Checker(loads(text)).mark(sheet_of({"net.y": "0.3", "grad.w": "0", "loss": "0", "grad.out.y": "0", "new.w": "0.1"}))
    assert [answer.verdict for answer in found.answers] == ["correct"] * 5
    derivation = derive(loads(AND), Rounding(), 20)
    sheet = {f"#8:{id}": derivation[f"#8:{id}"].shown.plain for id in ("net.y", "out.y", "new.w1", "new.w2")}
    assert [answer.verdict for answer in Checker(loads(AND)).mark(sheet_of(sheet)).answers] == ["correct"] * 4


def test_no_noise_is_printed(tmp_path: Any) -> None:
    problem = tmp_path / "and.yaml"
    problem.write_text(AND, "utf-8")
    for command in (["solve", str(problem), "--iterations", "20"], ["train", str(problem), "--epochs", "5"]):
        assert "e-1" not in (printed := CliRunner().invoke(group, command).stdout) and "⁻¹" not in printed, command
