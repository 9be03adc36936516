"""Wherever an id is typed, the names that the problem's notation prints are understood: in the file, and in Python."""

from __future__ import annotations

import json

import pytest
from shipping import some

from handcalc import derive, loads, render
from handcalc.core.derivation import Derivation
from handcalc.errors import ProblemError, UnknownIdError
from handcalc.marking.check import check
from handcalc.problem.fields import NOTATION_NAMES

NET = """
inputs: [0.5, -1]
targets: [1, 0]
layers:
  - {neurons: 2, activation: sigmoid, weights: [[0.1, 0.2], [0.3, 0.4]], bias: [0.1, 0.2]}
  - {neurons: 2, activation: sigmoid, weights: [[0.5, 0.6], [0.7, 0.8]], bias: [0.3, 0.4]}
loss: half_squared_error
"""
ASKED = ("W1[2,1]", "b1[2]", "W2[1,2]", "b2[1]")  # parameters, each of another kind


def net(notation: str, more: str) -> Derivation:
    return derive(loads(f"notation: {notation}\n{NET}{more}\n"))


def printed(notation: str) -> dict[str, str]:
    """Id → symbol, as JSON has them."""
    text = render(net(notation, "learning_rate: 0.5"), "json")
    return {step["id"]: step["symbol"] for step in json.loads(text)["steps"]}


def moved(derivation: Derivation) -> dict[str, float]:
    """Parameter → how far it moves."""
    names = [step.id for step in derivation.steps() if step.kind in ("weight", "bias")]
    ids = {step.id for step in derivation.steps()}
    return {name: float(derivation.value(f"new.{name}") - derivation.value(name)) if f"new.{name}" in ids else 0.0 for name in names}


@pytest.mark.parametrize("notation", some(NOTATION_NAMES, ("mazur", "zhou", "ng", "bishop")))
def test_parameters_are_called_as_they_are_printed(notation: str) -> None:
    """What is not trained, and what has a rate of its own."""
    symbols, usual = printed(notation), moved(net(notation, "learning_rate: 0.5"))
    for id in ASKED:
        still = moved(net(notation, f"learning_rate: 0.5\nupdate: {{frozen: ['{symbols[id]}']}}"))
        assert {name for name in usual if still[name] != usual[name]} == {id} and still[id] == 0
        slow = moved(net(notation, f"learning_rate: {{'{symbols[id]}': 0.1, others: 0.5}}"))
        assert slow == pytest.approx(usual | {id: usual[id] / 5})


@pytest.mark.parametrize("name", ["δ_o1", "w5+", "dE/dw5", "out_h1", "h1", "E_total", "grad.w5"])
def test_digits_of_single_steps_by_printed_names(name: str) -> None:
    usual = net("mazur", "learning_rate: 0.5\nrounding: {decimals: 6}")
    found = net("mazur", f"learning_rate: 0.5\nrounding: {{decimals: 6, overrides: {{'{name}': {{decimals: 3}}}}}}")
    assert [step.id for step in found.steps() if step.shown != usual[step.id].shown] == [usual[name].id]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("update: {frozen: [v_11, 'w^(1)_33', out_h1]}", [
            '9: update.frozen[1]: there is no parameter "w^(1)_33"', '9: update.frozen[2]: there is no parameter "out_h1"']),
        ("learning_rate: {v_33: 0.1, others: 0.5}", ['9: learning_rate.v_33: there is no parameter "v_33"']),
        ("rounding: {overrides: {'grad.*': {decimals: 2}, net.h9: {decimals: 3}}}", [
            '9: rounding.overrides.net.h9: there is no step "net.h9", did you mean "net.h2"?']),
    ],
)  # fmt: skip
def test_names_of_nothing_are_refused(more: str, said: list[str]) -> None:
    """They were passed over in `overrides`."""
    with pytest.raises(ProblemError) as caught:
        net("zhou", more)
    assert str(caught.value).splitlines() == [f"problem:{line}" for line in said]


def test_a_derivation_is_asked_by_printed_names() -> None:
    found = derive(loads(f"notation: zhou\n{NET}learning_rate: 0.5\n"), iterations=2)
    assert (found["g_1"].id, found["#2:g_1"].id, found["net.h1"].id) == ("grad.net.o1", "#2:grad.net.o1", "net.h1")
    assert found["g_1"].value == found.value("grad.net.o1") == -found.value("g_1")  # g is −∂E/∂net
    assert found.value("v_21") == found.value("W1[1,2]")
    with pytest.raises(UnknownIdError, match='there is no step "net.h9", did you mean "net.h2"'):
        found["net.h9"]


def test_digits_asked_under_a_printed_name_are_enough() -> None:
    """Two decimals of δ_o1, four of all others: δ_o2 has too few."""
    problem = loads(f"{NET}learning_rate: 0.5\nrounding: {{decimals: 4, overrides: {{δ_o1: {{decimals: 2}}}}}}\n")
    book = derive(problem)
    sheet = {name: f"{float(book.value(name)):.2f}" for name in ("grad.net.o1", "grad.net.o2")}
    assert [answer.verdict for answer in check(problem, sheet).answers] == ["correct", "imprecise"]


PERCEPTRON = """
inputs: [1, 0]
targets: [1]
layers:
  - {neurons: [HIDDEN], activation: sigmoid, weights: [[0.5, -0.5], [0.2, 0.1]], bias: [0.1, 0.1]}
  - {neurons: [y], activation: step, weights: [[0.5, -0.5]], bias: -0.5}
error: direct
learning_rate: 0.1
"""


def test_an_error_and_neurons_by_their_numbers() -> None:
    problem = loads(PERCEPTRON.replace("HIDDEN", "h1, h2"))
    sheet = {"e": "1", "z1": "0.6", "a_1": "0.645656", "z_3": "-0.464393", "δ1": "-0.114392", "net1": "0.6"}
    answers = check(problem, sheet).answers
    assert {answer.verdict for answer in answers} == {"correct"}
    assert [answer.id for answer in answers][:4] == ["err.y", "net.h1", "out.h1", "net.y"]
    assert check(problem, {"z2": "0.3"}).answers[0].verdict == "unreadable"  # the second neuron, or the second layer
    named = check(loads(PERCEPTRON.replace("HIDDEN", "z1, z2")), {"z1": "0.645656", "net1": "0.6", "误差": "1"}).answers
    assert [answer.id for answer in named] == ["out.z1", "net.z1", "err.y"] and {answer.verdict for answer in named} == {"correct"}


def test_the_error_of_a_sample() -> None:
    samples = "samples: [{inputs: [1], targets: [1]}, {inputs: [2], targets: [0]}]\n"
    layer = "layers: [{neurons: [y], activation: step, weights: [[1]], bias: -1.5}]\n"
    problem = loads(samples + layer + "error: direct\nlearning_rate: 1\n")
    assert [answer.id for answer in check(problem, {"e_1": "1", "e@2": "-1"}).answers] == ["err.y@1", "err.y@2"]
