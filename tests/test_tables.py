"""The table of hypotheses: what it holds is what one hypothesis after the other gives, however cells need each other."""

from __future__ import annotations

import math
import random
import sys

import pytest

from handcalc.core.evaluation import Evaluation
from handcalc.errors import EvaluationError
from handcalc.loading.loader import load, loads
from handcalc.marking import conventions
from handcalc.marking.check import Checker, check
from handcalc.marking.components import components
from handcalc.marking.definitions import Definitions, MistakenBook
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.table import HypothesisTable
from handcalc.marking.workbook import Workbook

PROBLEMS = ("mazur-2-2-2", "prachub-bptt", "adam-logistic", "resnet-block")  # of which the pairs of the first and last go round in circles
CHAIN = "given: {x0: 0.5, w: 0.9}\nequations: {%s, E: (x%d - 1)^2}\nminimize: E\nparameters: [w]\nlearning_rate: 0.1"


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_table_has_what_each_hypothesis_gives(problem: str) -> None:
    definitions = Definitions(Workbook(load(problem)))
    cells = definitions.book.cells()
    hypotheses, chooser = Hypotheses(definitions, cells), random.Random(problem)
    for known in (hypotheses.single, hypotheses.pairs()):
        table = HypothesisTable(definitions, known)
        for number in chooser.sample(range(len(known)), min(12, len(known))):
            run = Evaluation(MistakenBook(definitions, known[number]))
            for wanted in chooser.sample(cells, min(12, len(cells))):
                found = float(table[wanted][number])
                try:
                    assert math.isclose(found, float(run[wanted]), rel_tol=1e-9, abs_tol=1e-12)
                except EvaluationError:
                    assert not math.isfinite(found)


def test_a_long_chain_is_worked_without_recursion(monkeypatch: pytest.MonkeyPatch) -> None:
    last = 170
    problem = loads(CHAIN % (", ".join(f"x{number + 1}: tanh(w*x{number})" for number in range(last)), last))
    definitions = Checker(problem).desk().definitions
    rows = Hypotheses(definitions, definitions.book.cells()[-3:]).single[:40]
    monkeypatch.setattr(sys, "setrecursionlimit", None)
    assert len(HypothesisTable(definitions, rows)[definitions.book.find(f"x{last}")]) == len(rows)


def test_a_table_of_places_is_small() -> None:
    """A mistake at one place leaves most cells alone."""
    definitions = Definitions(Workbook(load("mazur-2-2-2")))
    cells = definitions.book.cells()
    rows = Hypotheses(definitions, cells).single
    table = HypothesisTable(definitions, rows)
    assert all(len(table[wanted]) == len(rows) for wanted in cells)
    held = sum(len(found.rows) for _, team in table._teams for found in team._values.values())
    assert held < 0.5 * len(cells) * len(rows)


@pytest.mark.parametrize(
    ("needs", "together"),
    [
        ({"a": "b", "b": "c", "c": ""}, ["c", "b", "a"]),
        ({"a": "bc", "b": "d", "c": "d", "d": ""}, ["d", "b", "c", "a"]),
        ({"a": "b", "b": "c", "c": "b"}, ["bc", "a"]),
        ({"a": "b", "b": "cd", "c": "be", "d": "", "e": "e"}, ["e", "d", "bc", "a"]),
        ({"a": "a"}, ["a"]),
        ({"a": "b", "b": "c", "c": "a"}, ["abc"]),
    ],
)
def test_nodes_that_need_each_other_come_together(needs: dict[str, str], together: list[str]) -> None:
    found = ["".join(sorted(nodes)) for nodes in components("a", needs.__getitem__)]
    assert sorted(found) == sorted(together)
    for place, nodes in enumerate(found):
        known = set("".join(found[: place + 1]))
        assert all(known.issuperset(needs[node]) for node in nodes), "each after what it needs"


def test_only_conventions_of_sheets_are_worked_out_for_a_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    worked: list[str] = []
    original = conventions._Worked.__init__

    def counted(own: conventions._Worked, convention: conventions.OtherConvention, book: Workbook) -> None:
        worked.append(convention.name)
        original(own, convention, book)

    monkeypatch.setattr(conventions._Worked, "__init__", counted)
    check(load("mazur-2-2-2"), {"new.w5": "0.37", "out.h1": "0.61"})
    assert worked
    assert set(worked) <= set(conventions.ON_SHEETS)
