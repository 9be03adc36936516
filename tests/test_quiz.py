"""Quiz files: every right answer has full marks, every legitimately rounded one too, every slip is told; names do nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import pytest
import quizreaders
from click.testing import CliRunner
from quizreaders import Item, graded
from shipping import loaded, some

from handcalc.cli import group
from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.quiz import Question, Quiz, QuizSource, QuizWish, question, report
from handcalc.exercises.quizzes import QUIZ_FORMATS, written
from handcalc.loading.loader import shipped
from handcalc.marking.bands import Band
from handcalc.marking.definitions import FORMS, Definitions, Hypothesis, MadeMistake, MistakenBook
from handcalc.marking.mistakes import MISTAKES

MAZUR, GRAPH = "mazur-2-2-2", "micrograd-readme"
NAMES = some(shipped(), (MAZUR, GRAPH, "xigua-thresholds"))
READERS: dict[str, Callable[[Any], list[Item]]] = {
    "moodle": lambda content: quizreaders.moodle(content)[1],
}


@cache
def asking(name: str, hints: bool = False) -> Question:
    """The question of a shipped problem."""
    return question(QuizSource(name, name, name, "0" * 64), QuizWish(hints=hints))


def items(quiz: Quiz, format: str) -> list[Item]:
    """The numbers of a quiz as a platform reads them."""
    return READERS[format](written(quiz, format))


def wanted(quiz: Quiz) -> list[Any]:
    """The numbers of a quiz, in order."""
    return [number for one in quiz.questions for number in one.numbers]


def run(*arguments: str, code: int = 0) -> Any:
    """The command; what it prints to standard error."""
    done = CliRunner().invoke(group, ["export", *arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    assert (done.return_value or 0) == code, done.output
    return done.stderr


# --- what is accepted -------------------------------------------------------------------------------------------------


def rounded_sheets(name: str) -> Iterator[list[float]]:
    """Sheets of people who round every result before they use it, to the digits asked or to more; and of one who does not round."""
    exercise = Exercise(loaded(name))
    least = max(digits.decimals or 4 for digits in exercise.asked.values())
    for decimals in range(least, least + 3):
        carrying = Evaluation(exercise.book, Rounding(decimals, carry=True))
        yield [round(float(carrying[cell]), decimals) for cell in exercise.asked]
        yield [round(Worked(exercise).number(cell), decimals) for cell in exercise.asked]


def refused(name: str, format: str = "moodle", per: str = "variant") -> list[str]:
    """The ids of numbers that somebody rounded legitimately and has no full marks for."""
    quiz = Quiz((asking(name),), per)
    read, numbers = items(quiz, format), wanted(quiz)
    assert len(read) == len(numbers)
    sheets = [*rounded_sheets(name), [float(number.answer) for number in numbers]]
    return sorted({number.id for sheet in sheets for item, number, typed in zip(read, numbers, sheet) if graded(item, typed)[0] != 100})


FORMATS = [(format, per) for format, one in QUIZ_FORMATS.items() if format in READERS and one.zero for per in one.per]


@pytest.mark.parametrize("name", NAMES)
def test_right_and_legitimately_rounded_answers_have_full_marks(name: str) -> None:
    for format, per in FORMATS:
        assert refused(name, format, per) == []


def test_an_exporter_that_drops_the_tolerance_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worked, "tolerance", lambda self, cell, digits: Band(self.number(cell), self.number(cell)))
    asking.cache_clear()
    assert refused(GRAPH)
    asking.cache_clear()


@pytest.mark.parametrize("name", NAMES)
def test_every_slip_is_told_and_nothing_wrong_is_right(name: str) -> None:
    one = asking(name)
    for format, per in FORMATS:
        quiz = Quiz((one,), per)
        for item, number in zip(items(quiz, format), wanted(quiz)):
            for slip in number.slips:
                assert graded(item, float(slip.answer)) == (0, slip.feedback), (format, number.id, slip)
            low, high = float(number.wide.low), float(number.wide.high)
            unit = float(number.unit)
            wrong = [low - unit * step for step in (0.01, 1, 7)] + [high + unit * step for step in (0.01, 1, 7)] + [0.0, 1e9, -1e9]
            assert all(graded(item, typed)[0] == 0 for typed in wrong if not low <= typed <= high)
            assert item.code == one.code


@pytest.mark.parametrize("name", some(shipped(), (MAZUR,)))
def test_slips_are_what_the_mistakes_give(name: str) -> None:
    """Worked out again from wrong definitions, one form after the other; the report accounts for every mistake that changes a number."""
    one, exercise = asking(name), Exercise(loaded(name))
    definitions, right = Definitions(exercise.book), Worked(exercise)
    found = report(Quiz((one,)), [])["numbers"]
    for form in FORMS:
        if form.mistake.single:
            continue
        wrong = Evaluation(MistakenBook(definitions, Hypothesis((MadeMistake(form),))))
        for cell, number, entry in zip(exercise.asked, one.numbers, found):
            try:
                value = float(wrong[cell])
            except HandcalcError:
                continue
            told = [slip for slip in number.slips if any(_is(form, one) for one in slip.forms)]
            listed = {part["mistake"] for part in (*entry["feedback"], *entry["dropped"])}
            if abs(value - right.number(cell)) > 1e-6 * max(abs(value), 1e-9) and abs(value) < 1e12:
                assert form.mistake.slug in listed, (form.mistake.slug, entry["id"])
            for slip in told:
                assert abs(value - float(slip.answer)) <= float(number.unit) * 0.51
                first = MISTAKES[form.mistake.slug].explanation.split("\n")[0]
                assert first.replace('"', "”") in slip.feedback


def _is(form: Any, other: Any) -> bool:
    from handcalc.exercises.hidden import form_of

    found: bool = form_of(form) == other
    return found


def test_what_is_dropped_is_reported() -> None:
    """The example of the contract: mistakes that stay within the tolerance of a new weight have no feedback there."""
    found = {entry["id"]: entry for entry in report(Quiz((asking(MAZUR),)), [])["numbers"]}
    first = found["new.w1"]
    assert first["answer"] == "0.1498" and first["low"] < 0.14978072 - 0.00005 < 0.14985 < first["high"]
    inside = {entry["mistake"] for entry in first["dropped"] if entry["because"] == "inside tolerance"}
    assert {"first-weights-transposed", "updated-weights-used"} <= inside
    assert {entry["because"] for entry in first["dropped"]} == {"inside tolerance", "tie", "limit"}
    assert not inside & {entry["mistake"] for entry in first["feedback"]}
    assert [slip.answer for slip in asking(MAZUR).numbers[13].slips][0] == "0.4411"


def test_few_wrong_answers_are_told_where_few_are_wanted() -> None:
    for count in (0, 2):
        found = question(QuizSource(MAZUR, "a", "a", "d"), QuizWish(feedback=count))
        assert {len(number.slips) for number in found.numbers} == {count}
        assert all(number.dropped for number in found.numbers)
