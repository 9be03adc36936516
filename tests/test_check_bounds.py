"""Marking at the edges: truncated sheets, dropped zeros, divisions by nearly nothing, products rounded before adding."""

from __future__ import annotations

import pytest

from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding
from handcalc.loading.loader import load
from handcalc.marking.check import check
from handcalc.marking.workbook import Workbook

RIGHT = {"correct", "rounded", "imprecise"}

# what it shows → problem, answers, whether they are right
SHEETS = {
    "four digits, cut off and carried on": ("cs231n-neuron", {"ex": "0.3678", "den": "1.367", "f": "0.7310"}, True),
    "zeros at the end dropped": ("fausett-2-2-1", {"delta.v22": "0.000612", "grad.v22": "-0.002448", "delta.v01": "0.002948"}, True),
    "nothing accepts anything": ("deeplearning-ai-logistic", {"grad.net.a@2": "-17"}, False),
    "divided by mere rounding": ("adam-logistic", {"new.b": "-1.512"}, False),
    "products rounded before they are added": ("mazur-2-2-2", {"out.h1": "0.5933", "out.h2": "0.5969", "net.o2": "1.2250"}, True),
    "the same, one unit too far": ("mazur-2-2-2", {"out.h1": "0.5933", "out.h2": "0.5969", "net.o2": "1.2252"}, False),
    "a declared rounding": (
        "mazur-2-2-2",
        {"answers": {"out.h1": "0.59", "grad.w6": "0.08", "new.w5": "0.36"}, "rounding": {"decimals": 2}},
        True,
    ),
}


@pytest.mark.parametrize("name", SHEETS)
def test_sheet(name: str) -> None:
    problem, answers, right = SHEETS[name]
    verdicts = {answer.id: answer.verdict for answer in check(load(problem), answers).answers}
    assert (set(verdicts.values()) <= RIGHT) == right, verdicts


@pytest.mark.slow
@pytest.mark.parametrize("answers", [{"#2:net.h1": "0.37747"}, {"after.loss": "0.2905"}], ids=str)
def test_a_number_that_hardly_moves_is_not_diagnosed(answers: dict[str, str]) -> None:
    """Any value near such a number is what some mistake gives."""
    (answer,) = check(load("mazur-2-2-2"), answers).answers
    assert answer.verdict == "wrong" and not answer.mistakes


@pytest.mark.parametrize("problem", ["mazur-2-2-2", "xigua-thresholds", "softmax-cross-entropy", "bishop-tanh-regression"])
@pytest.mark.parametrize("rounding", [Rounding(4, None, True, "truncate"), Rounding(None, 3, True, "truncate")], ids=str)
def test_a_truncated_key_is_right(problem: str, rounding: Rounding) -> None:
    """Law 5 where every result is cut off before it is used again."""
    book = Workbook(load(problem))
    run = Evaluation(book, rounding)
    answers = {book.cell_id(cell): rounding.replace(carry=False).shown(run[cell], True, padded=True).plain for cell in book.cells()}
    marking = check(load(problem), answers)
    assert {answer.verdict for answer in marking.answers} <= RIGHT, [a for a in marking.answers if a.verdict not in RIGHT]
