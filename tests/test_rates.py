"""Learning rates of layers and of single parameters, and schedules as steps of every iteration."""

from __future__ import annotations

import json
import re

import pytest

from handcalc import check, derive, loads, render
from handcalc.core.rounding import Rounding
from handcalc.errors import ProblemError
from handcalc.loading.loader import shipped
from handcalc.problem.schema import Problem
from handcalc.training.trainer import Trainer

RATES = "{others: 0.5, layer1: 0.1, b1: 0.2, w5: 0.01}"
CONVOLUTION = """
inputs: [[1, 2, 0], [0, 1, 3], [2, 1, 1]]
targets: [1]
layers:
  - {type: conv2d, weights: [[1, 0.5], [-0.5, 0.2]], activation: tanh}
  - {type: flatten}
  - {neurons: 1, activation: identity, weights: [[0.1, 0.2, 0.3, 0.4]]}
loss: half_squared_error
learning_rate: {others: 0.5, layer1: 0.1, "W3[1,2]": 0.25}
"""


def mazur(rates: str = RATES, more: str = "") -> Problem:
    text = shipped()["mazur-2-2-2"].read_text(encoding="utf-8")
    return loads(re.sub("learning_rate: .*", f"learning_rate: {rates}", text).replace("biases: false", "biases: true") + more)


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_each_parameter_moves_at_its_own_rate(optimizer: str) -> None:
    """As with one rate for all, but for the length of the step."""
    own = derive(mazur(more=f"optimizer: {optimizer}\n"), Rounding())
    for name, rate in {"w1": 0.1, "w4": 0.1, "b1": 0.2, "w5": 0.01, "w6": 0.5, "b2": 0.5}.items():
        alike = derive(mazur(str(rate), f"optimizer: {optimizer}\n"), Rounding())
        assert float(own[f"new.{name}"].value) == pytest.approx(float(alike[f"new.{name}"].value), rel=1e-14), name
    assert own["rate.w5"].shown.plain == "0.01" and own["rate.w6"].shown.plain == "0.5" and own["rate"].shown.plain == "0.5"


def test_training_and_marking() -> None:
    problem = mazur(more="schedule: {step: {every: 2, factor: 0.1}}\n")
    derivation, trainer = derive(problem, Rounding(), 5), Trainer(problem)
    for number in range(1, 5):
        trainer.advance(1)
        known = derivation.iteration(number + 1).evaluation
        assert trainer.values() == pytest.approx({cell: float(known[cell]) for cell in trainer.values()}, rel=1e-12, abs=1e-15)
    steps = [step for step in derive(problem, Rounding(decimals=5, carry=True)).steps() if step.formula is not None]
    assert {answer.verdict for answer in check(problem, {step.id: step.shown.plain for step in steps}).answers} <= {"correct", "rounded"}
    squared = float(derivation["w5"].value) - 0.01**2 * float(derivation["grad.w5"].value)
    forgotten = float(derivation["w5"].value) - float(derivation["grad.w5"].value)
    for wrong, slug in ((squared, "rate-twice"), (forgotten, "rate-forgotten")):
        (found,) = check(problem, {"new.w5": f"{wrong:.8f}"}).answers
        assert found.verdict == "mistake" and slug in {name for names in (found.mistakes, *found.alternatives) for name in names}


def test_other_layers() -> None:
    derivation = derive(loads(CONVOLUTION))
    changes = {
        step.id: (float(step.value), float(derivation[step.id.replace("delta", "grad")].value))
        for step in derivation.steps()
        if step.kind == "change"
    }
    for name, (change, gradient) in changes.items():
        rate = 0.25 if name == "delta.W3[1,2]" else 0.1 if "W1" in name else 0.5
        assert change == pytest.approx(-rate * gradient, rel=1e-12), name


def test_a_schedule_over_three_iterations() -> None:
    """Half the rate after every update: a step with its reason in every iteration, of the own rates too."""
    text = str(render(derive(mazur(more="schedule: {step: {every: 1, factor: 0.5}}\n"), iterations=3), "terminal"))
    for said in (
        "η = η₀·0.5^⌊nᵒˡᵈ⌋ = 0.5·0.5^⌊0⌋ = 0.5",
        "0.5·0.5^⌊1⌋ = 0.25",
        "0.5·0.5^⌊2⌋ = 0.125",
        "η_w5 = η_w5,0·0.5^⌊nᵒˡᵈ⌋ = 0.01·0.5^⌊2⌋ = 0.0025",
    ):
        assert said in text, said


def test_every_format() -> None:
    derivation = derive(mazur())
    assert all(render(derivation, format) for format in ("plain", "html", "latex", "notebook", "csv"))
    ids = {step["id"] for step in json.loads(str(render(derivation, "json")))["steps"]}
    assert {"rate", "rate.w5", "rate.b1"} <= ids and "rate.b2" not in ids


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ("{layer1: 0.1}", "others is missing"),
        ("{others: 0.1, layer3: 0.1}", 'there is no parameter "layer3"'),
        ("{others: 0.1, w9: 0.1}", 'there is no parameter "w9"'),
        ("{others: -1}", "expected a number"),
    ],
)
def test_errors(rates: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        mazur(rates)
