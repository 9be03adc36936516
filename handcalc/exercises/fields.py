"""Worksheets that check themselves: which numbers are right, nearly right, or show a mistake, worked out before.

- `Fields(problem, reading, …)` answers a field for each step (render/answerfields.py).

Of every step: the right number to any digits, what rounding on the way may give, one unit of the last digit more or less, and what the
likeliest mistakes give. A page compares numbers as they are typed: it can say nothing of what follows from an earlier wrong answer,
which `handcalc check` sees. A hash hides a number from a glance only: there are not many of four digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import copy
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cached_property
from hashlib import sha256

from handcalc.core.quantity import Cell
from handcalc.errors import EvaluationError, Message, ProblemError, Template
from handcalc.exercises.asked import MOST, USUAL, AskedDigits, Exercise, Worked
from handcalc.exercises.hidden import Candidates, Mistakes
from handcalc.exercises.intervals import EXACT, accepted
from handcalc.exercises.wronganswers import WrongAnswers
from handcalc.marking.blank import sheet_name
from handcalc.marking.conventions import conventional
from handcalc.marking.interpret import UNASKED
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.workbook import on_sheet
from handcalc.problem.schema import Problem
from handcalc.render.answerfields import AnswerField, Reason
from handcalc.render.reading import Reading

FIELDS_MOST = 800  # of a page: each takes a kilobyte or two
MISTAKES_MOST = 12  # of a number that are told
ROUNDED_MOST = 60  # numbers that rounding on the way may give; of more, those that are nearest
LEVELS = (AskedDigits(USUAL), *(AskedDigits(significant=count) for count in (4, 5, 6)))  # to work with, where nothing says how many
SIGN = "sign-lost"
PRECISE = 2  # significant digits that are enough then
FINER = 6  # digits more than are asked that are looked at
KEY = 12  # letters of a hash
_SAID: dict[str, Template] = {
    "correct": "Right.",
    "rounded": "Right, with rounding on the way.",
    "imprecise": "Right, but with too few digits.",
    "last_digit": "One unit of the last digit away from the right number.",
}


class Fields:
    """The fields of one problem; reading: that of the worksheet; digits, carry: asked of all numbers; hashed: numbers do not stand there
    as they are. Raises ProblemError where too much is asked."""

    def __init__(
        self, problem: Problem, reading: Reading, digits: AskedDigits | None = None, carry: bool = False, hashed: bool = True
    ) -> None:
        exercise = Exercise(problem, digits, carry)
        self.exercise = exercise
        count = len(exercise.desk.interpreter.tasks) or sum(quantity.size for quantity in exercise.book.graph)
        if count > FIELDS_MOST:
            text = "{count} answers are asked, {limit} at most; say under tasks which"
            raise ProblemError(Message(text, f"{problem.path}: ", count=count, limit=FIELDS_MOST))
        self.worked = Worked(exercise)
        self.reading = reading
        self.asked = digits
        self.rounding = reading.derivation.rounding
        self.salt = sha256(problem.title.encode()).hexdigest()[:8] if hashed else ""
        scheme = problem.marking
        self.shares: Mapping[str, float] = {
            "correct": 1.0,
            "convention": 1.0,
            "rounded": scheme.rounded.numerator / scheme.rounded.denominator,
            "imprecise": scheme.imprecise.numerator / scheme.imprecise.denominator,
            "last_digit": scheme.imprecise.numerator / scheme.imprecise.denominator,
        }
        self.head: tuple[str, ...] = (problem.title,) if problem.title else ()
        self._everywhere = Mistakes(self.worked, Candidates(exercise))
        self._reasons: dict[tuple[str, str], int] = {}
        self._list: list[Reason] = []

    def reasons(self) -> list[Reason]:
        """What may be said of an answer to one of the fields asked for so far."""
        return self._list

    def field(self, wanted: Cell, iteration: int) -> AnswerField | None:
        """That of a step; None where it has no number."""
        own = on_sheet(iteration, wanted[0]), wanted[1]
        try:
            return self._field(wanted, own)
        except (EvaluationError, InvalidOperation):  # of 10^60 nobody writes the digits
            return None

    def _field(self, wanted: Cell, own: Cell) -> AnswerField:
        exercise, value = self.exercise, self.worked.number(own)
        interpreter = exercise.desk.interpreter
        task = interpreter.tasks.get(own, UNASKED)
        told = exercise.desk.asked_digits(own, task)
        asked = self.asked or (AskedDigits(*told) if told is not None else None)
        wanted_digits = [asked] if asked else [level for level in LEVELS if _places(level, value) > -math.log10(abs(value) or 1.0)]
        levels = [level for level in wanted_digits if _places(level, value) <= MOST] or [AskedDigits(USUAL)]
        name, sign = sheet_name(exercise.desk, own), -1 if self.reading.turned(wanted) else 1
        known: dict[str, int] = {}
        for number, verdict, why in self._numbers(own, value, levels, asked is not None):
            reason = self._reason(verdict, why.removeprefix("~"))
            known.setdefault(self._key(exercise.id(own), number * sign), ~reason if why.startswith("~") else reason)
        digits = asked or AskedDigits(self.rounding.decimals, self.rounding.significant)
        said = Message("{count} {count:decimal|decimals}", count=digits.decimals) if digits.decimals is not None else Message(
            "{count} significant digits", count=digits.significant or 1
        )  # fmt: skip
        flip = (sign < 0) != interpreter.find(name)[1]
        places = max(_places(level, value) for level in levels)
        before = tuple(exercise.ids(one for one in self._before(own) if one in self._blanks))
        return AnswerField(exercise.id(own), name, flip, places, said, task.marks.numerator / task.marks.denominator, known, before)

    def _numbers(self, own: Cell, value: float, levels: list[AskedDigits], asked: bool) -> Iterator[tuple[Decimal, str, str]]:
        """Numbers as they may be typed, each with its verdict, the first that a number has; and the mistake that gives it, behind ~ where
        it is made at earlier steps too."""
        exact = Decimal(repr(value))
        fewest, most = (edge(_places(level, value) for level in levels) for edge in (min, max))
        for count in range(min(fewest, 1), most + FINER + 1):
            typed = _rounded(exact, count)
            enough = count >= fewest if asked else count >= USUAL or abs(typed.scaleb(count)) >= 10 ** (PRECISE - 1)
            if count or _same(typed, value):
                yield typed, "correct" if enough or _same(typed, value) else "imprecise", ""
        wides = {level: accepted(self.worked, own, level) for level in levels}
        for level, wide in wides.items():
            places = _places(level, value)
            middle, unit = _rounded(exact, places), Decimal(1).scaleb(-places)
            if _same(middle, value):
                continue  # where the number ends with these digits, only it is right
            near = (EXACT.add(middle, unit * step) for count in range(1, ROUNDED_MOST // 2) for step in (count, -count))
            yield from ((number, "rounded", "") for number in near if wide.has(number))
            yield from ((EXACT.add(middle, unit * step), "last_digit", "") for step in (1, -1))
        counts = range(max(fewest - 1, 1), most + 3)
        yield from ((-_rounded(exact, count), "mistake", SIGN) for count in counts if value)
        for mistakes in (self._made_at(own), self._everywhere):
            forms, values = mistakes.forms, mistakes.values(own)
            for wrong in WrongAnswers(mistakes).of(own, levels[0], wides[levels[0]], MISTAKES_MOST)[0]:
                made = Decimal(repr(float(values[forms.index(wrong.forms[0])])))
                mark = "~" * (mistakes is self._everywhere)
                yield from ((_rounded(made, count), self._verdict(wrong.slugs), mark + "+".join(wrong.slugs)) for count in counts)

    def _made_at(self, own: Cell) -> Mistakes:
        """Mistakes that are made at a step, or at one before it that nobody writes down, and nowhere else."""
        candidates = copy(self._everywhere.candidates)
        candidates.near = frozenset({own, *(one for one in self._before(own) if one not in self._blanks)})
        return Mistakes(self.worked, candidates)

    @cached_property
    def _blanks(self) -> frozenset[Cell]:
        """The steps that are written down: the tasks, else all."""
        return frozenset(self.exercise.desk.interpreter.tasks or self.exercise.cells)

    def _before(self, own: Cell) -> dict[Cell, None]:
        """A step's inputs, and theirs as long as nobody writes them down."""
        found: dict[Cell, None] = {}
        for current in (pending := [own]):
            for used in self.exercise.definitions.uses(current):
                if used not in found:
                    found[used] = None
                    pending += [] if used in self._blanks else [used]
        return found

    def _verdict(self, slugs: tuple[str, ...]) -> str:
        allowed = self.exercise.problem.marking.conventions == "allow"
        return "convention" if allowed and conventional(slugs) is not None else "mistake"

    def _reason(self, verdict: str, slugs: str) -> int:
        """Which of the reasons it is."""
        if (verdict, slugs) not in self._reasons:
            self._reasons[verdict, slugs] = len(self._list)
            self._list.append(Reason(verdict, Message(_SAID[verdict]) if verdict in _SAID else _told(verdict, slugs.split("+"))))
        return self._reasons[verdict, slugs]

    def _key(self, id: str, number: Decimal) -> str:
        """A number with its digits, 5933e-4, as it is or hashed with the step that it belongs to."""
        sign, figures, exponent = number.as_tuple()
        assert isinstance(exponent, int)
        whole = int("".join(map(str, figures))) * (10 ** max(exponent, 0)) * (-1 if sign else 1)
        plain = f"{whole}e{min(exponent, 0)}"
        return sha256(f"{self.salt}|{id}|{plain}".encode()).hexdigest()[:KEY] if self.salt else plain


def _told(verdict: str, slugs: list[str]) -> Message:
    """What the catalogue says of a mistake, or of either of two."""
    made = [MISTAKES[slug] for slug in slugs]
    if verdict == "convention":
        return Message("Right by another convention: {title}", title=Message(made[0].name))
    if len(made) == 1:
        return Message(made[0].explanation)
    return Message("Either: {first} Or: {second}", first=Message(made[0].explanation), second=Message(made[1].explanation))


def _places(digits: AskedDigits, value: float) -> int:
    """The decimals that are asked of a number; negative for whole tens."""
    return -round(math.log10(digits.unit(value)))


def _rounded(number: Decimal, places: int) -> Decimal:
    return number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP, EXACT)


def _same(number: Decimal, value: float) -> bool:
    return abs(float(number) - value) <= 1e-9 * abs(value)
