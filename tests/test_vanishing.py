"""0·ln 0 counts as 0, and so does the slope of such a term; ln 0 and 0/0 elsewhere stay errors."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handcalc import check, derive, loads, render, train
from handcalc.arrays.straightline import Straight
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.errors import EvaluationError
from handcalc.models import build
from handcalc.models.model import Model

GIVEN = {
    "inputs": [1],
    "targets": [1, 0, 0],
    "layers": [{"neurons": ["a", "b", "c"], "activation": "softmax"}],
    "given": {"out.a": 0.9, "out.b": 0.1, "out.c": 0},
    "loss": "cross_entropy",
}
STEP = {
    "samples": [{"inputs": [1], "targets": [1]}, {"inputs": [-2], "targets": [0]}],
    "layers": [{"neurons": ["y"], "activation": "step", "weights": [[1]]}],
    "loss": "binary_cross_entropy",
}
NOTE = "0·ln 0 counts as 0, and so does the slope of such a term."


def problem(keys: dict[str, Any]) -> Any:
    return loads(json.dumps(keys))


def values(keys: dict[str, Any], *names: str) -> list[float]:
    derivation = derive(problem(keys))
    return [float(derivation.value(name)) for name in names]


def test_a_class_that_is_not_it_may_have_the_probability_0() -> None:
    assert values(GIVEN, "loss.c", "grad.out.c", "grad.net.c", "grad.out.a", "grad.net.a") == pytest.approx([0, 0, 0, -1 / 0.9, -0.1])


def test_right_steps_cost_nothing() -> None:
    assert values(STEP, "loss", "loss.y@1", "grad.out.y@1", "grad.out.y@2") == [0, 0, -1, 1]


def test_the_entropy_of_one_class_is_0() -> None:
    given = {"given": {"p": 1, "q": 0}, "equations": {"S": "-(p*ln(p) + q*ln(q))", "half": "1/2*(q*log2(q) + p)"}}
    assert values(given, "S", "half") == [0, 0.5]


def test_the_page_says_so_once_and_only_there() -> None:
    assert render(derive(problem(GIVEN))).count(NOTE) == render(derive(problem(STEP))).count(NOTE) == 1
    assert NOTE not in render(derive(problem({**GIVEN, "given": {"out.a": 0.8, "out.b": 0.1, "out.c": 0.1}})))


def test_answers_are_marked_with_it() -> None:
    marking = check(problem(GIVEN), {"loss.c": "0", "grad.out.c": "0", "loss": "0.10536"})
    assert [answer.verdict for answer in marking.answers] == ["correct"] * 3


WITHOUT: list[tuple[dict[str, Any], str]] = [
    ({**GIVEN, "targets": [0, 0, 1]}, "loss"),
    ({**STEP, "samples": [{"inputs": [1], "targets": [0]}]}, "loss"),
    ({"given": {"a": 0, "b": 0}, "equations": {"y": "a/b"}}, "y"),
    ({"given": {"a": 0}, "equations": {"y": "a + ln(a)"}}, "y"),
    ({"given": {"a": 0, "b": -1}, "equations": {"y": "a*ln(b)"}}, "y"),
    ({"given": {"a": 0}, "equations": {"y": "a*(1/a)"}}, "y"),
    ({"given": {"p": 0, "q": 1}, "parameters": ["p"], "equations": {"E": "q*p*ln(p)"}, "minimize": "E", "learning_rate": 1}, "grad.p"),
]


@pytest.mark.parametrize(
    ("keys", "name"), WITHOUT, ids=[f"{name} of {list(keys)[0]} {place}" for place, (keys, name) in enumerate(WITHOUT)]
)
def test_everything_else_without_a_value_is_still_an_error(keys: dict[str, Any], name: str) -> None:
    with pytest.raises(EvaluationError):
        values(keys, name)


SURE = {
    "samples": [{"inputs": [60, 1], "targets": [1, 0]}, {"inputs": [-2, -50], "targets": [0, 0]}],
    "layers": [{"neurons": 2, "activation": "sigmoid", "weights": [[1, 0], [0, -800]], "bias": [0.1, -0.2]}],
    "learning_rate": 0.1,
}


@pytest.mark.parametrize("loss", ["binary_cross_entropy", "mean_binary_cross_entropy"])
def test_programs_of_training_go_on(loss: str) -> None:
    """An output that is as good as 1, or 0, in floats; straight lines and arrays come to the numbers of the cells."""
    keys = {**SURE, "loss": loss, "samples": [SURE["samples"][0], {**SURE["samples"][1], "targets": [0, 1]}]}
    model = build(problem(keys))
    known = Evaluation(model.graph)
    wanted = {cell: float(known[model.updated[cell[0]], cell[1]]) for name in model.updated for cell in cells_of(model, name)}
    straight = Straight(model.graph, model.updated, model.loss)
    assert straight.values(straight.run(straight.start(lambda cell: float(known[cell])), [()])[0]) == pytest.approx(wanted, rel=1e-12)
    arrays = Vectorised(model.graph, model.updated, model.loss)
    after, found, _ = arrays.run(arrays.start(lambda cell: float(known[cell])), [()])
    assert arrays.values(after) == pytest.approx(wanted, rel=1e-11, abs=1e-13)
    assert found == pytest.approx(float(known[model.loss, ()]), rel=1e-12)
    assert train(problem(keys), epochs=3).loss < found


def cells_of(model: Model, name: str) -> list[Cell]:
    return [(name, place) for place in model.graph.positions(name)]
