"""Leaps over many updates: the numbers of an evaluation that walks them, to the last bit (arrays/exactline.py)."""

from __future__ import annotations

import json

import pytest
from shipping import solved, some

from handcalc import derive, load, loads
from handcalc.arrays.exactline import ExactLine
from handcalc.cli import main
from handcalc.core.evaluation import Evaluation
from handcalc.loading.loader import shipped
from handcalc.marking import audit

UPDATES = 12
TRAINED = [name for name in shipped() if solved(name).updated and not solved(name).graph.fixed]
QUICK = ("mazur-2-2-2", "perceptron-or", "adam-logistic", "micrograd-readme", "gomez-lstm", "softmax-cross-entropy", "hinge-margin")


@pytest.mark.parametrize("name", some(TRAINED, QUICK))
def test_a_leap_is_a_walk(name: str) -> None:
    """Fractions stay fractions, and floats are the same to the last bit."""
    derivation = derive(load(name), by_cells=True)
    graph = derivation.graph
    pairs = [((old, place), (new, place)) for old, new in derivation.carried.items() for place in graph.positions(old)]
    values = [derivation.evaluation.precise(new) for _, new in pairs]
    walked = list(values)
    for _ in range(UPDATES):
        known = Evaluation(graph, None, {old: value for (old, _), value in zip(pairs, walked)})
        walked = [known.precise(new) for _, new in pairs]
    leapt = ExactLine(graph, pairs).run(values, UPDATES)
    assert [(type(one), one) for one in leapt] == [(type(one), one) for one in walked]


def test_where_there_is_no_number_there_is_none() -> None:
    layers = "[{neurons: 1, activation: 'exp(z)', weights: [[1]], bias: [0]}]"
    derivation = derive(loads(f"inputs: [1]\ntargets: [9]\nlayers: {layers}\nloss: squared_error\nlearning_rate: 10\n"), by_cells=True)
    pairs = [((old, place), (new, place)) for old, new in derivation.carried.items() for place in derivation.graph.positions(old)]
    with pytest.raises((ArithmeticError, ValueError)):
        ExactLine(derivation.graph, pairs).run([derivation.evaluation.precise(new) for _, new in pairs], 100)


def test_far_numbers_are_leapt_to(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """As many evaluations for iteration 3,000 as for 100; the number is that of training."""
    made: list[object] = []
    whole = audit.Evaluation
    monkeypatch.setattr(audit, "Evaluation", lambda *arguments: made.append(arguments) or whole(*arguments))
    counts = []
    for number in (100, 3000):
        made.clear()
        with pytest.raises(SystemExit):
            main(["audit", "mazur-2-2-2", "--number", f"#{number}:loss=0.5", "--format", "json"])
        counts.append(len(made))
        found = json.loads(capsys.readouterr().out)
    with pytest.raises(SystemExit):
        main(["train", "mazur-2-2-2", "--iterations", "2999", "--format", "json"])
    assert counts[0] == counts[1] < 40
    assert found["numbers"][0]["value"] == json.loads(capsys.readouterr().out)["loss"]
