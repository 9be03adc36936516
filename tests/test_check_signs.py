"""Marking in every notation: a number in a report stands in the sign of the symbol before it, and is true of that symbol.

Where δ is −∂E/∂net or θ is −b, what was answered under an id is printed under a letter of the other sign; what was answered under the
letter is worked on with as the id's. Ids and JSON do not know of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from math import isclose

import pytest
from shipping import loaded, some, thinned
from students import FOUR, Exercise
from test_laws import SIGNS, numeric_value

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.marking import auditreport
from handcalc.marking.answers import sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.check import Checker
from handcalc.marking.conventions import MISTAKEN
from handcalc.marking.marked import Marking
from handcalc.marking.report import as_json, report
from handcalc.marking.workbook import Workbook, base
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render import read
from handcalc.render.blocks import Equation, Item, Name, Put, Table, spell
from handcalc.render.dialects import PLAIN
from handcalc.render.reading import Reading

PROBLEMS = ["zhou-four-people", "per-connection-bias-2-3-1", "xigua-thresholds"]
WRONG = 1.2345678  # times the right number: no mistake gives it


@cache
def exercise(problem: str) -> Exercise:
    return Exercise(loaded(problem))


@cache
def checker(problem: str, notation: str) -> Checker:
    return Checker(loaded(problem), notation)


def reading_of(problem: str, notation: str) -> Reading:
    return read(checker(problem, notation).desk().book.derivation, notation, PLAIN)


def wrong_answers(problem: str) -> dict[Cell, float]:
    """A wrong number for every third step that is worked out, in its own sign."""
    desk = exercise(problem).desk
    cells = [wanted for wanted in desk.book.cells() if desk.book.graph[wanted[0]].kind in ("net", "gradient", "change", "updated", "bias")]
    chosen = [wanted for wanted in cells if desk.book.graph.given_value(wanted) is None and float(desk.right[wanted])]
    return {wanted: WRONG * float(desk.right[wanted]) for wanted in chosen[::3]}


def sheet_under(problem: str, reading: Reading, by_symbol: bool) -> dict[str, str]:
    """The wrong numbers under the ids, or under the letters of the notation and in their sign."""
    found = {}
    for wanted, value in wrong_answers(problem).items():
        sign = -1 if by_symbol and reading.turned(wanted) else 1
        name = reading.symbol(Ref(*wanted)) if by_symbol else reading.graph.cell_id(wanted)
        found[name] = f"{sign * value:.9g}"
    return found


def number(item: Item, reading: Reading) -> float:
    return numeric_value(spell(item, reading, str)) * 1.0


def half_a_unit(shown: str) -> float:
    """How far a number that was rounded may be from the one that is shown: half of its last digit."""
    digits, _, power = shown.partition("*10^")
    places = len(digits.partition(".")[2])
    return 0.5001 * 10.0 ** (float(power.strip("()") or 0) - places)


# --- what is said of a report -----------------------------------------------------------------------------------------


def untrue_rows(marking: Marking, table: Table, answers: dict[Cell, float], reading: Reading, book: Workbook) -> Iterator[str]:
    """Rows of the table whose numbers are not those of the row's symbol."""
    for answer, row in zip(marking.answers, table.rows):
        assert answer.cell is not None
        label, given, right = row[:3]
        assert isinstance(label, Name) and label.reference == Ref(*answer.cell)
        sign = -1 if reading.turned(base(answer.cell)) else 1
        if not isclose(number(given, reading), sign * answers[answer.cell], rel_tol=1e-7):
            yield f"{spell(label, reading, str)}: given {spell(given, reading, str)}, it was {sign * answers[answer.cell]}"
        shown = spell(right, reading, str)
        if shown:
            others = {wanted: value for wanted, value in answers.items() if wanted != answer.cell}
            wanted = sign * float(Evaluation(book, None, others)[base(answer.cell)])
            if not isclose(numeric_value(shown), wanted, rel_tol=1e-5, abs_tol=half_a_unit(shown)):
                yield f"{spell(label, reading, str)}: right is {wanted} with the numbers of the sheet, not {shown}"


def untrue_lines(blocks: list[Equation], answers: dict[Cell, float], reading: Reading) -> Iterator[str]:
    """Worked lines in which the numbers put in do not give the result, or an answer is not in the sign of its symbol."""
    for line in blocks:
        said = f"{spell(line.left, reading, str)} " + " ".join(f"{sign} {spell(item, reading, str)}" for sign, item in line.right)
        put = next((item for _, item in line.right if isinstance(item, Put)), None)
        if put is not None:
            result = line.right[-1][1]
            near = 1e-5 + half_a_unit(spell(result, reading, str))
            if not isclose(number(put, reading), number(result, reading), rel_tol=2e-3, abs_tol=near):
                yield f"{said}: the numbers give {number(put, reading)}"
        elif isinstance(line.left, Name):
            wanted = (line.left.reference.quantity, line.left.reference.indices)
            sign = -1 if reading.turned(wanted) else 1  # type: ignore[arg-type]
            if not isclose(number(line.right[0][1], reading), sign * answers[wanted], rel_tol=1e-7):  # type: ignore[index]
                yield f"{said}: it was {sign * answers[wanted]}"  # type: ignore[index]


def untrue(problem: str, notation: str, sheet: dict[str, str], answers: dict[Cell, float]) -> list[str]:
    """What is not true of the report on a sheet, whose numbers are these in the sign of the steps."""
    desk, reading = checker(problem, notation).desk(), reading_of(problem, notation)
    marking = checker(problem, notation).mark(sheet_of(sheet))
    blocks = [*report(desk, marking, reading, everything=True)]
    table = next(block for block in blocks if isinstance(block, Table))
    equations = [block for block in blocks if isinstance(block, Equation)]
    assert equations
    return [*untrue_rows(marking, table, answers, reading, desk.book), *untrue_lines(equations, answers, reading)]


every_notation = pytest.mark.parametrize("notation", some(NOTATION_NAMES, ("mazur", "zhou")))
both_names = pytest.mark.parametrize(
    "by_symbol", some([False, True], [True]), ids=lambda by_symbol: "under symbols" if by_symbol else "under ids"
)


@pytest.mark.slow
@both_names
@every_notation
def test_numbers_are_those_of_the_symbol_before_them(notation: str, by_symbol: bool) -> None:
    reading = reading_of("mazur-2-2-2", notation)
    assert not untrue("mazur-2-2-2", notation, sheet_under("mazur-2-2-2", reading, by_symbol), wrong_answers("mazur-2-2-2"))


@both_names
@pytest.mark.parametrize("notation", thinned([*SIGNS.values()], 3))
@pytest.mark.parametrize("problem", some(PROBLEMS, ("xigua-thresholds",)))
def test_numbers_are_those_of_the_symbol_in_other_problems(problem: str, notation: str, by_symbol: bool) -> None:
    """Thresholds, samples, biases of connections."""
    reading = reading_of(problem, notation)
    assert not untrue(problem, notation, sheet_under(problem, reading, by_symbol), wrong_answers(problem))


@pytest.mark.parametrize("notation", SIGNS.values())
def test_lines_of_a_mistake_are_true(notation: str) -> None:
    """The wrong formula with the student's numbers is the student's number, in the sign of the symbol before it."""
    own = exercise("mazur-2-2-2")
    conventions = {(slug,) for slugs in MISTAKEN.values() for slug in slugs}  # under which nothing is wrong
    rows = [row for row in own.mistakes("all") if row.slugs not in conventions]
    for _, answers in own.with_mistakes(rows[:: len(rows) // 8], FOUR):
        values = {own.book.find(name): float(text) for name, text in answers.items()}
        assert not untrue("mazur-2-2-2", notation, answers, values)


@both_names
@pytest.mark.parametrize("notation", thinned([*SIGNS.values()], 3))
def test_printed_numbers_of_an_audit_are_those_of_the_symbol(notation: str, by_symbol: bool) -> None:
    problem, reading = loaded("mazur-2-2-2"), reading_of("mazur-2-2-2", notation)
    answers = wrong_answers("mazur-2-2-2")
    sheet = dict([*sheet_under("mazur-2-2-2", reading, by_symbol).items()][::2])
    found = audit(problem, sheet_of(sheet), notation)
    table = next(block for block in auditreport.report(problem, found, reading) if isinstance(block, Table))
    for one, (label, printed, ours, *_) in zip(found.numbers, table.rows):
        assert one.cell is not None
        assert isinstance(label, Name) and label.reference == Ref(*one.cell)
        sign = -1 if reading.turned(one.cell) else 1
        assert isclose(number(printed, reading), sign * answers[one.cell], rel_tol=1e-7), spell(label, reading, str)
        if spell(ours, reading, str):
            assert isclose(number(ours, reading), sign * float(reading.derivation.evaluation[one.cell]), rel_tol=1e-7)


def test_a_formula_under_an_id_gets_the_sign_of_the_letter() -> None:
    reading = reading_of("mazur-2-2-2", "zhou")
    marking = checker("mazur-2-2-2", "zhou").mark(sheet_of({"grad.net.o1": "out.o1 - target.o1"}))
    table = next(block for block in report(checker("mazur-2-2-2", "zhou").desk(), marking, reading) if isinstance(block, Table))
    assert [spell(item, reading, str) for item in table.rows[0][:3]] == ["g_1", "-(out.o1 - target.o1)", "-0.138499"]


def test_json_keeps_the_sign_of_the_id() -> None:
    marking = checker("mazur-2-2-2", "zhou").mark(sheet_of({"grad.net.o1": "0.2"}))
    (answer,) = as_json(marking)["answers"]
    assert (answer["id"], answer["given"], answer["expected"]) == ("grad.net.o1", "0.2", "0.138499")
