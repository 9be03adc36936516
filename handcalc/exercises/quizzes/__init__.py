"""Files of quizzes: one module a format, each with `document(quiz)`.

- `QUIZ_FORMATS` is the table; `written(quiz, format)` is the content of a file, text or bytes.
- `prepared(quiz, format)` is the quiz without what the format cannot ask, and what is said of that.

To add a format, add its record, and a module with a function `document(quiz)`. markup.py has what several need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from handcalc.core.record import Record
from handcalc.errors import Message, OutputError

if TYPE_CHECKING:
    from handcalc.exercises.quiz import Quiz

VARIANT, NUMBER = "variant", "number"


class QuizFormat(Record):
    """A format. doc: what reads it, as the documentation says it; suffix: the ending of its files; per: what an item may be, the usual
    first; hints: whether it has any; zero: whether a number that may be 0 can be asked. Of formats with one ending, the first is meant
    by it."""

    name: str
    doc: str
    module: str
    suffix: str
    per: tuple[str, ...] = (NUMBER,)
    hints: bool = False
    zero: bool = True


QUIZ_FORMATS = {
    format.name: format
    for format in (
        QuizFormat(
            "moodle",
            "Moodle XML: a question with gaps for each variant, or a question for each number",
            "moodle",
            ".xml",
            per=(VARIANT, NUMBER),
            hints=True,
        ),
        QuizFormat("gift", "GIFT, which Moodle and others import: no drawings, no hints", "gift", ".gift"),
        QuizFormat("canvas", "Canvas, classic and new quizzes: no mistakes, which it would count as right", "canvas", ".zip", zero=False),
        QuizFormat("qti21", "QTI 2.1: ILIAS, OpenOlat, TAO and others", "qti21", ".zip"),
        QuizFormat("qti3", "QTI 3.0", "qti3", ".zip"),
        QuizFormat("table", "a table of questions to paste into the template of a site", "table", ".csv"),
    )
}


def written(quiz: Quiz, format: str) -> str | bytes:
    """The content of a file."""
    content: str | bytes = import_module("handcalc.exercises.quizzes." + QUIZ_FORMATS[format].module).document(quiz)
    return content


def prepared(quiz: Quiz, format: str) -> tuple[Quiz, list[Message]]:
    """The quiz without the numbers that a format cannot ask, and a message for each. Raises OutputError where nothing is left."""
    if QUIZ_FORMATS[format].zero:
        return quiz, []
    left, said = [], []
    for one in quiz.questions:
        said += [
            Message("{name} of {code} is left out: it may be 0, and there what cannot be read counts as 0", name=number.name, code=one.code)
            for number in one.numbers
            if number.may_be_zero
        ]
        numbers = tuple(number for number in one.numbers if not number.may_be_zero)
        left += [one.replace(numbers=numbers)] if numbers else []
    if not left:
        raise OutputError(Message("every number that is asked may be 0, and there what cannot be read counts as 0; ask others under tasks"))
    return quiz.replace(questions=tuple(left)), said
