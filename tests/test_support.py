"""A wrong number is not right because some rounding could lead to it: what the digits of a sheet support, and what they do not."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from shipping import some, thinned

from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads
from handcalc.marking.answers import sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.check import Checker, check

HALVES = """
inputs: [2, 3]
targets: [10]
layers:
  - {neurons: [h1, h2], weights: [[0.5, 0.5], [1.5, -0.5]]}
  - {neurons: [o], weights: [[2, 3]]}
loss: half_squared_error
"""
WHOLE = """
inputs: [1, 2]
targets: [10]
layers:
  - {neurons: 2, activation: relu, weights: [[1, 2], [-1, 1]], bias: [1, 0]}
  - {neurons: 2, activation: relu, weights: [[1, 1], [2, -1]], bias: [0, 1]}
  - {neurons: 1, weights: [[1, 2]], bias: [0]}
loss: half_squared_error
"""
TWO_PATHS = """
given: {wx: 2, x1: 3, x2: 1, wy: 2, y: 20}
equations: {h: wx*x1, z: wy*h + wx*x2, E: (y - z)^2/2}
minimize: E
parameters: [wx, wy]
learning_rate: 0.1
"""
ZERO_SUM = """
inputs: [1]
targets: [1]
layers:
  - {neurons: 2, activation: sigmoid, weights: [[1], [2]]}
  - {neurons: 1, activation: sigmoid, weights: [[0.5, -0.5]]}
loss: half_squared_error
learning_rate: 0.5
"""


def verdicts(text: str, id: str, numbers: Iterable[int]) -> dict[int, str]:
    """What is said of every whole number, as the only answer of a sheet."""
    checker = Checker(loads(text))
    return {number: checker.mark(sheet_of({id: str(number)})).answers[0].verdict for number in numbers}


@pytest.mark.parametrize(
    ("text", "id", "right"),
    [
        (HALVES, "grad.net.h1", -1),
        pytest.param(WHOLE, "net.o1", 31, marks=pytest.mark.slow),
        (WHOLE, "grad.net.h2_2", 42),
        pytest.param(WHOLE, "grad.net.h1_1", 105, marks=pytest.mark.slow),
        (TWO_PATHS, "grad.wx", -42),
    ],
)
def test_where_the_right_number_is_whole_only_it_is_right(text: str, id: str, right: int) -> None:
    found = verdicts(text, id, [*range(right - 4, right + 5), *range(right - 60, right + 61, 15)])
    assert found.pop(right) == "correct"
    assert set(found.values()) <= {"wrong", "mistake"}


@pytest.mark.parametrize(
    ("id", "near"), thinned([pytest.param("out.h1", {2, 3}), pytest.param("loss", {0}), pytest.param("grad.net.o", {-1})], 3)
)
def test_a_rounding_that_nothing_supports_has_too_few_digits_at_most(id: str, near: set[int]) -> None:
    found = verdicts(HALVES, id, range(-12, 13))
    assert {number for number, verdict in found.items() if verdict not in ("wrong", "mistake")} <= near
    assert set(found.values()) <= {"wrong", "mistake", "imprecise", "correct"}


@pytest.mark.parametrize(("id", "answer"), [("net.h1", "0.3"), ("grad.net.o1", "0.2")])
def test_one_digit_alone_is_imprecise(id: str, answer: str) -> None:
    assert check(load("mazur-2-2-2"), {id: answer}).answers[0].verdict == "imprecise"


def test_a_rounding_that_is_declared_is_one() -> None:
    sheet = {"answers": {"net.h1": "0.4"}, "rounding": {"decimals": 1}}
    assert check(load("mazur-2-2-2"), sheet_of(sheet)).answers[0].verdict in ("correct", "rounded")


def test_whole_numbers_between_broken_ones_are_meant_exactly() -> None:
    found = check(loads(HALVES), {"grad.net.o": "-0.5", "grad.net.h1": "-2"})
    assert [answer.verdict for answer in found.answers][1] in ("wrong", "mistake")


def test_a_printed_zero_is_not_the_right_number_cut_off() -> None:
    printed = {"net.h1": "0.3775", "out.h1": "0.593269992", "out.o1": "0", "grad.w5": "0", "new.w5": "0", "grad.net.o1": "0"}
    status = {number.id: number.status for number in audit(load("mazur-2-2-2"), printed).numbers}
    assert {status[id] for id in ("net.h1", "out.h1")} <= {"exact", "rounded"}
    assert not {status[id] for id in ("out.o1", "grad.w5", "new.w5", "grad.net.o1")} & {"exact", "rounded", "truncated", "carried"}


@pytest.mark.parametrize(("id", "printed"), [("net.o2", "1.204"), ("out.o1", "0.7"), ("loss", "0.2")])
def test_a_number_far_from_the_right_one_is_not_cut_off(id: str, printed: str) -> None:
    (found,) = audit(load("mazur-2-2-2"), {id: printed}).numbers
    right = found.ours or 0.0
    assert (found.status in ("exact", "rounded", "truncated")) == (abs(float(printed) - right) < 10.0 ** -len(printed.partition(".")[2]))


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        (ZERO_SUM, {"w1+": "0.9"}),
        (ZERO_SUM.replace("0.5, -0.5", "0, 0"), {"w1+": "0.9"}),
        (ZERO_SUM.replace("0.5, -0.5", "1, -1"), {"grad.net.h1": "0.5", "grad.net.h2": "0.25"}),
    ],
)
def test_a_mistake_that_has_no_value_ends_nothing(text: str, answers: dict[str, str]) -> None:
    assert {answer.verdict for answer in check(loads(text), answers).answers} <= {"wrong", "mistake", "follow_through"}
    assert len(audit(loads(text), answers).numbers) == len(answers)


@pytest.mark.parametrize("id", some(["#3:b1", "rate", "i1", "#2:w1", "target.o1"], ["i1"]))
def test_a_wrong_given_number_ends_nothing(id: str) -> None:
    answers = {id: "0.451", "#3:net.h1": "0.3711"}
    found = check(load("mazur-2-2-2"), answers)
    assert found.answers[0].verdict in ("wrong", "mistake")
    assert len(audit(load("mazur-2-2-2"), answers).numbers) == 2


def test_a_whole_number_that_follows_from_a_wrong_one_is_right_for_it() -> None:
    """x = 2, η = 0.4: Δx = −0.4·4 = −1.6; without the rate −4, and then x⁺ = 2 − 4 = −2."""
    answers = {"delta.x": "-4", "new.x": "-2"}
    text = "given: {x: 2}\nequations: {E: x^2}\nminimize: E\nparameters: [x]\nlearning_rate: 0.4\n"
    first, second = check(loads(text), answers).answers
    assert (first.verdict, first.hints, second.verdict) == ("wrong", ("rate-forgotten",), "follow_through")


CUT_OFF = ["zhou-alice", "mazur-2-2-2", "adam-logistic", "gru-backward", "conv-pool-dense"]


def test_few_cut_off_numbers_show_that_all_are() -> None:
    """No number is rounded up; a wrong one beside them changes nothing."""
    problem = load("mazur-2-2-2")
    solution = derive(problem, Rounding(4, None, True, "truncate"))
    sheet = {id: solution[id].shown.plain for id in ("net.h1", "net.h2", "out.h1", "out.h2", "net.o1", "net.o2", "out.o1", "out.o2")}
    assert set(check(problem, sheet).summary) <= {"correct", "rounded"}
    assert set(check(problem, sheet | {"new.w5": "0.7213"}).summary) <= {"correct", "rounded", "wrong"}


@pytest.mark.parametrize("places", [4, pytest.param(5, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CUT_OFF)
def test_a_solution_cut_off_at_every_step_is_right(name: str, places: int) -> None:
    """Every result cut off, and worked on with; new parameters in one line, as the solution has them. Nothing is declared."""
    problem = load(name)
    solution = derive(problem, Rounding(places, None, True, "truncate"))
    printed = {step.id: step.shown.plain for step in solution.steps() if step.phase != "given"}
    assert set(check(problem, printed).summary) <= {"correct", "rounded"}


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [("0.59327", "correct"), ("0.59328", "last_digit"), ("0.59326", "rounded"), ("0.59329", "wrong")],
)
def test_one_unit_of_the_last_digit_has_too_few_digits(answer: str, verdict: str) -> None:
    """out.h1 = 0.593269992…, cut off 0.59326."""
    (found,) = check(load("mazur-2-2-2"), {"out.h1": answer}).answers
    assert found.verdict == verdict
    assert (found.note is not None) == (verdict == "last_digit")
