"""Quizzes, whatever platform they are for: questions, the numbers they ask, which answers are right, and what is said of others.

- `question(source, wish)` is the question of one problem, `questions(sources, wish)` those of many; a `Quiz` is some of them.
- `AskedNumber.accepted` are the answers that have full marks: the printed one, and what legitimate rounding makes of it
  (`Worked.tolerance`); `AskedNumber.slips` the wrong ones that say which mistake was made.
- `report(quiz)` is what became of every mistake, as data.

Nothing here knows a platform: exercises/quizzes/ writes a `Quiz` for each. No tolerance is guessed: what is accepted is the half unit
of the last digit asked, and what rounding on the way can give. A mistake whose answer is accepted has no feedback, and is reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from functools import partial
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import HandcalcError, Message, OutputError, ProblemError
from handcalc.exercises.asked import AskedDigits, Exercise, Worked
from handcalc.exercises.hidden import Candidates, Form, Mistakes
from handcalc.exercises.intervals import SLACK, Interval, accepted, around, unit_of
from handcalc.exercises.quiztext import QuestionText, QuizTable, inert
from handcalc.exercises.wronganswers import INSIDE, Dropped, WrongAnswers
from handcalc.language import Translate, title_in, translator
from handcalc.loading.loader import load
from handcalc.marking.interpret import UNASKED
from handcalc.marking.mistakes import MISTAKES
from handcalc.processes import in_processes, processors

USUAL_FEEDBACK = 6  # wrong answers of a number that say which mistake was made
CHUNK = 4  # problems handed to a process at once
PER_PROCESS = 8  # problems that a process must have to pay for its start
SMALLEST_UNIT = Decimal("1e-13")  # Moodle takes numbers that are nearer to each other for the same

RIGHT = Message("Right.")
ROUNDED = Message("Right, with rounding on the way.")
OTHERWISE = Message("Not right, and none of the frequent slips.")


class NamedSlip(Record):
    """A wrong answer, with the digits asked, that says which mistake was made, or which two; feedback: what is said."""

    forms: tuple[Form, ...]
    answer: str
    interval: Interval
    feedback: str


class AskedNumber(Record):
    """A number that a question asks: its id, what the question calls it, the digits asked, its marks.

    answer: as it is printed; unit: of its last digit; wide: everything that has full marks; inside: mistakes that change the number,
    but not so much that it would not be accepted; hints: from what it depends on to the numbers put in; working: its line in the
    solution.
    """

    id: str
    name: str
    digits: AskedDigits
    marks: Fraction
    answer: str
    unit: Decimal
    wide: Interval
    slips: tuple[NamedSlip, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    inside: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    working: str = ""

    @property
    def printed(self) -> Interval:
        """Half a unit around the printed answer."""
        return around(self.answer, self.unit)

    @property
    def accepted(self) -> tuple[Interval, ...]:
        """The intervals with full marks: around the printed answer; everything that rounding on the way may give, if that is more."""
        own = self.printed
        return (own,) if own.holds(self.wide, self.unit * SLACK) else (own, self.wide)

    @property
    def may_be_zero(self) -> bool:
        """Whether 0 would have full marks."""
        return self.wide.has(Decimal(0))

    def told(self, translate: Translate) -> list[tuple[Interval, int, str]]:
        """Every interval with its percentage and feedback; the first that has an answer decides."""
        right = [(interval, 100, text.text(translate)) for interval, text in zip(self.accepted, (RIGHT, ROUNDED))]
        return right + [(slip.interval, 0, slip.feedback) for slip in self.slips]


class Question(Record):
    """The question of one problem: the code that stands in its text, what is given, a drawing (SVG, or nothing), the numbers asked.

    group: what it is filed under; digest: of the manifest, or of the problem.
    """

    code: str
    group: str
    title: str
    digest: str
    language: str
    text: tuple[str | QuizTable, ...]
    drawing: str
    numbers: tuple[AskedNumber, ...]

    @property
    def translate(self) -> Translate:
        """The function that translates into its language."""
        return translator(self.language)


class QuizSource(Record):
    """A problem to make a question of; language, notation: those of its manifest, where it has one."""

    path: str
    code: str
    group: str
    digest: str
    language: str = ""
    notation: str = ""


class QuizWish(Record):
    """How questions are wanted; what is not said is as the problem, or the manifest, has it. feedback: wrong answers of a number that
    are told."""

    feedback: int = USUAL_FEEDBACK
    hints: bool = False
    language: str = ""
    notation: str = ""
    digits: AskedDigits | None = None
    carry: bool = False


class Quiz(Record):
    """Questions for one file; per: whether an item is a variant with all its numbers, or one number; category: a path, or ""."""

    questions: tuple[Question, ...]
    per: str = "variant"
    category: str = ""

    @property
    def items(self) -> int:
        """How many questions a platform counts."""
        return len(self.questions) if self.per == "variant" else sum(len(one.numbers) for one in self.questions)

    def path(self, group: str) -> tuple[str, ...]:
        """The category of a group of questions, from the top."""
        parts = [part.strip() for part in self.category.split("/") if part.strip()]
        return tuple(parts) if parts else ("handcalc", group)

    def groups(self) -> dict[str, list[Question]]:
        """The questions by what they are filed under."""
        found: dict[str, list[Question]] = {}
        for one in self.questions:
            found.setdefault(one.group, []).append(one)
        return found


# --- one question -----------------------------------------------------------------------------------------------------


def question(source: QuizSource, wish: QuizWish) -> Question:
    """The question of a problem. Raises HandcalcError."""
    try:
        return _Maker(source, wish).question()
    except HandcalcError as error:
        where = f"{source.path}: "
        raise ProblemError(*(one if one.where else Message(one.template, where, **one.values) for one in error.messages)) from None


class _Maker:
    """Makes the question of one problem."""

    def __init__(self, source: QuizSource, wish: QuizWish) -> None:
        self.source, self.wish = source, wish
        problem = load(source.path)
        notation = wish.notation or source.notation
        self.exercise = Exercise(problem, wish.digits, wish.carry, notation)
        self.worked = Worked(self.exercise)
        self.language = wish.language or source.language or problem.language or "en"
        self.translate = translator(self.language)
        failed = self.worked.solves()
        if failed is not None:
            raise failed
        self.wrong = WrongAnswers(Mistakes(self.worked, Candidates(self.exercise)))
        self.text = QuestionText(self.exercise, notation, self.translate)

    def question(self) -> Question:
        source, text = self.source, self.text
        numbers = tuple(self.number(wanted, digits) for wanted, digits in self.exercise.asked.items())
        if not numbers:
            raise ProblemError(Message("nothing is asked"))
        title = title_in(self.translate, self.exercise.problem.title, self.exercise.problem.title_zh)
        return Question(source.code, source.group, title, source.digest, self.language, text.blocks(), text.drawing(), numbers)

    def number(self, wanted: Cell, digits: AskedDigits) -> AskedNumber:
        """One number that is asked."""
        exact, answer = self.worked.number(wanted), self.worked.shown[wanted]
        unit = unit_of(exact, digits)
        wide = accepted(self.worked, wanted, digits)
        expected, dropped = self.wrong.of(wanted, digits, wide, self.wish.feedback)
        slips = tuple(NamedSlip(one.forms, one.answer, one.interval, self._told(one.slugs)) for one in expected)
        inside = tuple(dict.fromkeys(one.form.slug for one in dropped if one.because == INSIDE))
        marks = self.exercise.desk.interpreter.tasks.get(wanted, UNASKED).marks
        hints = self.text.hints(wanted) if self.wish.hints else ()
        worth = Fraction(marks.numerator, marks.denominator)
        name, working = self.text.name(wanted), self.text.working(wanted)
        return AskedNumber(self.exercise.id(wanted), name, digits, worth, answer, unit, wide, slips, dropped, inside, hints, working)

    def _told(self, slugs: Sequence[str]) -> str:
        """What is said of a wrong answer: the catalogue's two lines, of either mistake."""
        lines = ("\n".join(line.text(self.translate) for line in MISTAKES[slug].explanation_lines) for slug in slugs)
        told = list(dict.fromkeys(map(inert, lines)))
        if len(told) == 1:
            return told[0]
        return inert(Message("Either: {first} Or: {second}", first=told[0], second=told[1]).text(self.translate))


# --- many -------------------------------------------------------------------------------------------------------------


def questions(sources: Sequence[QuizSource], wish: QuizWish) -> list[Question]:
    """The questions of many problems, in their order; in several processes where that pays. Raises all errors together."""
    count = min(processors(), len(sources) // PER_PROCESS)
    ended = OutputError(Message("a process that wrote sheets ended; is there enough memory?"))
    found = list(in_processes(partial(_question_or_error, wish=wish), sources, count, ended, CHUNK))
    messages = [message for one in found if isinstance(one, tuple) for message in one]
    if messages:
        raise ProblemError(*messages)
    return [one for one in found if isinstance(one, Question)]


def _question_or_error(source: QuizSource, wish: QuizWish) -> Question | tuple[Message, ...]:
    try:
        return question(source, wish)
    except HandcalcError as error:
        return error.messages


# --- as data ----------------------------------------------------------------------------------------------------------


def warnings(questions: Iterable[Question]) -> list[Message]:
    """The numbers for which somebody who made a mistake, or typed 0, has full marks."""
    return [message for asking in questions for number in asking.numbers for message in _warnings(asking.code, number)]


def _warnings(code: str, number: AskedNumber) -> Iterator[Message]:
    if number.unit < SMALLEST_UNIT:
        yield Message("{name} of {code}: platforms cannot tell {answer} from 0", name=number.name, code=code, answer=number.answer)
    if number.inside:
        yield _warning(code, number)


def _warning(code: str, number: AskedNumber) -> Message:
    values: dict[str, Any] = {"name": number.name, "code": code, "answer": number.answer}
    if len(number.inside) == 1:
        return Message("{name} of {code}: a mistake gives {answer} too: {named}", named=number.inside[0], **values)
    return Message("{name} of {code}: {count} mistakes give {answer}", count=len(number.inside), **values)


def report(quiz: Quiz, warned: Iterable[str]) -> dict[str, Any]:
    """What became of every mistake of every number."""
    numbers = [
        {
            "code": asking.code,
            "id": number.id,
            "answer": number.answer,
            "low": float(number.wide.low),
            "high": float(number.wide.high),
            "feedback": [form.json for slip in number.slips for form in slip.forms],
            "dropped": [{**one.form.json, "because": one.because} for one in number.dropped],
        }
        for asking in quiz.questions
        for number in asking.numbers
    ]
    return {"handcalc": 1, "questions": quiz.items, "numbers": numbers, "warnings": [*warned]}
