"""δ = −∂E/∂net is a convention where the weights move the right way, else a mistake; numbers in single precision are right.

The numbers are those Matt Mazur published for his network (A Step by Step Backpropagation Example, 2015), and a question of a Chinese
examination with f(x) = max(1, x), two inputs 1 and 0, all thresholds 0, η = 1.
"""

from __future__ import annotations

import pytest

from handcalc.loading.loader import load, loads
from handcalc.marking.audit import audit
from handcalc.marking.check import check

EXAMINATION = """
inputs: {x1: 1, x2: 0}
targets: {z: 1}
layers:
  - neurons: [y1, y2]
    activation: max(1, z)
    weights: {w11: [x1, y1, 0], w12: [x2, y1, 2], w21: [x1, y2, 2], w22: [x2, y2, 1]}
  - neurons: [z]
    activation: max(1, z)
    weights: {T1: [y1, z, 1], T2: [y2, z, 1]}
loss: half_squared_error
learning_rate: 1
"""
PUBLISHED = {"out.z": "3", "loss": "2", "grad.net.z": "-2", "grad.net.y1": "0", "grad.net.y2": "-2", "new.T1": "-1", "new.T2": "-3"}
ERRORS = {"grad.net.o1": "-0.138498562", "grad.net.o2": "0.038098236"}


def test_the_sheet_of_an_examination_is_right() -> None:
    marked = check(loads(EXAMINATION), PUBLISHED).answers
    by_convention = {"grad.net.z", "grad.net.y2"}
    assert {found.id: found.verdict for found in marked} == {id: "convention" if id in by_convention else "correct" for id in PUBLISHED}
    assert {found.id for found in marked if found.note} == by_convention and all(found.marks == 1 for found in marked)
    assert {number.status for number in audit(loads(EXAMINATION), PUBLISHED).numbers} == {"exact"}


def test_errors_in_the_other_sign_with_right_weights_are_right() -> None:
    marked = check(load("mazur-2-2-2"), ERRORS | {"new.w5": "0.35891648", "new.w6": "0.408666186"}).answers
    assert [found.verdict for found in marked] == ["convention"] * 2 + ["correct"] * 2
    assert {found.conventions for found in marked[:2]} == {("error_sign",)}
    assert [str(found.expected)[0] for found in marked[:2]] == ["-", "0"]


@pytest.mark.parametrize(
    "rest",
    [
        {},  # nothing says that the sign is meant
        {"new.w5": "0.44108352", "new.w6": "0.491333814"},  # the weights went up where they go down
        {"new.w5": "0.35891648", "grad.net.h1": "0.0087"},  # two signs on one sheet; right: 0.00877
    ],
)
def test_else_the_sign_is_wrong(rest: dict[str, str]) -> None:
    marked = check(load("mazur-2-2-2"), ERRORS | rest).answers
    assert all(found.verdict in ("mistake", "wrong", "follow_through") for found in marked[:2])


@pytest.mark.parametrize(
    ("answer", "right"),
    [("0.75136510", True), ("0.7513655", False), ("0.751366", False), ("0.7513650655746460", True), ("0.7513650912345678", False)],
)
def test_single_precision(answer: str, right: bool) -> None:
    """out.o1 = 0.751365069…; in single precision the eighth digit may be off, or all digits of such a number are printed."""
    (found,) = check(load("mazur-2-2-2"), {"out.o1": answer}).answers
    assert (found.verdict == "correct") == right
    assert (found.note is not None) == right
