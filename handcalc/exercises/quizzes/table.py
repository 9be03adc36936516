"""A quiz as a plain table: a row for each number, to paste into the template that a site has.

- `document(quiz)` is the file.

Columns: kind of question, question (the blank is ____), answers that are right (with ; between them), explanation, marks. Sites that
compare texts need every spelling: with a point and with a comma, and all numbers of the digits asked that legitimate rounding gives.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from decimal import Decimal

from handcalc.errors import Message
from handcalc.exercises.quiz import AskedNumber, Question, Quiz
from handcalc.exercises.quiztext import QuizTable, asked_text
from handcalc.exercises.quizzes.markup import marks
from handcalc.language import translator
from handcalc.render.formats.csvform import harmless

BLANK = "____"
SPELLED = 9  # numbers that a cell lists
HEADS = (Message("kind of question"), Message("question"), Message("right answers"), Message("what to say"), Message("worth"))
KIND = Message("fill in the blank")


def document(quiz: Quiz) -> str:
    """The whole file; with a byte order mark where it has other letters than ASCII, by which spreadsheets know UTF-8."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    translate = quiz.questions[0].translate if quiz.questions else translator("en")
    writer.writerow(head.text(translate) for head in HEADS)
    for one in quiz.questions:
        writer.writerows(_row(one, number) for number in one.numbers)
    text = stream.getvalue()
    return "\ufeff" * (not text.isascii()) + text


def _row(question: Question, number: AskedNumber) -> list[str]:
    translate = question.translate
    digits = asked_text(number.digits).text(translate)
    text = " ".join([f"[{question.code}]", *_words(question), f"{number.name} = {BLANK} ({digits})"])
    told = [number.working, *(f"{slip.answer}: {slip.feedback}" for slip in number.slips)]
    return [harmless(KIND.text(translate)), harmless(text), ";".join(spellings(number)), harmless(" | ".join(told)), marks(number)]


def _words(question: Question) -> Iterator[str]:
    """What is given, on one line."""
    for one in question.text:
        if isinstance(one, QuizTable):
            head = [" | ".join(one.columns)] if one.columns else []
            yield "; ".join([*head, *(" | ".join(row) for row in one.rows)]) + "."
        else:
            yield one


def spellings(number: AskedNumber) -> list[str]:
    """Every way to type a right answer with the digits asked: the printed one first, then those near it."""
    printed = Decimal(number.answer)
    near = [printed + sign * step * number.unit for step in range(1, SPELLED) for sign in (1, -1)]
    others = [one for one in near if number.wide.has(one)][: SPELLED - 1]
    found = [number.answer, *(format(one.quantize(min(number.unit, Decimal(1))), "f") for one in others)]
    return list(dict.fromkeys(way for text in found for way in _ways(text)))


def _ways(text: str) -> Iterator[str]:
    sign, size = ("-", text[1:]) if text.startswith("-") else ("", text)
    for way in (text, sign + size.removeprefix("0") if size.startswith("0.") else text):
        yield from (way, way.replace(".", ","))
