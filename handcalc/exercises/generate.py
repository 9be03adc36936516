"""The same exercise with other numbers: `Generator(template, seed).variant(key)`.

A variant is drawn again until everything that `generate: require:` asks holds; what refused a draw is counted. Draws are worked with
the formulas of the template, so many can be tried; the numbers that are taken are written into the text, loaded and solved as anybody
would. `visible` refuses numbers that hide a mistake which some of `FIXED` draws of the same template show.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property

from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Message, OutputError, ProblemError
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.conditions import RULES, Complaint, comparison_complaints
from handcalc.exercises.draw import Draws
from handcalc.exercises.hidden import Candidates, Mistakes
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.students import Student
from handcalc.exercises.wronganswers import ExpectedSlip, expected_slips
from handcalc.loading.loader import loads
from handcalc.problem.generating import CONDITIONS, NICE, Requirement
from handcalc.problem.schema import Problem

FIXED = 200  # draws that say which mistakes other numbers would show
SOLVES, DIFFERS = "solves", "different"  # what is always asked, besides `require`
VISIBLE = "visible"


class Variant(Record):
    """An exercise with its own numbers; hidden: the mistakes that its answers would not show; near: codes of others that are like it;
    slips: what the key lists, where there is to be one."""

    key: str
    code: str
    text: str
    problem: Problem
    exercise: Exercise
    tries: int
    answers: Mapping[str, tuple[float, str]]
    hidden: tuple[str, ...]
    student: Student | None = None
    near: tuple[str, ...] = ()
    slips: tuple[ExpectedSlip, ...] = ()


class Refused(Record):
    """Why a draw is not taken: the word of the rule, and what it says."""

    word: str
    complaint: Message


class Generator:
    """Draws variants of a template; require: instead of what the template asks; keys: whether the slips to expect are wanted;
    refused: how many draws each rule refused."""

    def __init__(self, template: ExerciseTemplate, seed: str, require: Sequence[Requirement] | None = None, keys: bool = False) -> None:
        self.template = template
        self.seed = seed
        self.exercise = template.exercise
        self.require = _required(template.generating.require if require is None else require)
        self.refused: Counter[str] = Counter()
        self.keys = keys
        self._last: dict[str, Message] = {}
        self._latest: Mistakes | None = None

    def variant(self, key: str, others: Sequence[Variant] = (), student: Student | None = None) -> Variant:
        """The variant of a key; others: those it must differ from. Raises OutputError where no numbers are found."""
        draws = Draws(self.seed, key)
        most = self.template.generating.tries if self.template.varies else 1
        refused: Counter[str] = Counter()
        for attempt in range(most):
            numbers = self.template.drawn(draws, attempt)
            worked = self.worked(numbers)
            found = self.refuses(worked, others)
            if found is None:
                self.refused += refused
                return self._made(draws, numbers, worked, attempt + 1, student)
            refused[found.word] += 1
            self._last[found.word] = found.complaint
        raise OutputError(self._failure(refused, most, len(others)))

    def worked(self, numbers: Mapping[str, str]) -> Worked:
        """The exercise with some numbers."""
        return Worked(self.exercise, self.template.cells(numbers))

    # --- what refuses numbers ---

    def refuses(self, worked: Worked, others: Sequence[Variant] = ()) -> Refused | None:
        """The first rule that numbers break."""
        error = worked.solves()
        if error is not None:
            return Refused(SOLVES, error.messages[0])
        for word, complaint in self._complaints(worked):
            return Refused(word, complaint.message)
        shown = {self.exercise.id(wanted): text for wanted, text in worked.shown.items()}
        twin = next((other for other in others if self._is_near(shown, other)), None)
        if twin is not None:
            return Refused(DIFFERS, Message("it is like {code}", code=twin.code))
        return None

    def broken(self, worked: Worked) -> list[str]:
        """All that numbers break, as `require` says it."""
        return list(dict.fromkeys(word for word, _ in self._complaints(worked)))

    def _complaints(self, worked: Worked) -> Iterator[tuple[str, Complaint]]:
        dead = frozenset(self.template.generating.dead)
        for requirement in self.require:
            if requirement.comparison is not None:
                found = comparison_complaints(worked, requirement)
            elif requirement.word == VISIBLE:
                found = self._hides(worked)
            else:
                found = RULES[requirement.word].complaints(worked, dead)
            yield from ((requirement.text, complaint) for complaint in found)

    def _hides(self, worked: Worked) -> Iterator[Complaint]:
        if not self.exercise.book.small:
            return  # mistakes of a large network are not worked out for every draw
        for place in self._mistakes(worked).hidden:
            if self._fixed.shows(place):
                yield Complaint((), Message("{mistake} is hidden", mistake=self.candidates.forms[place].slug))

    def _mistakes(self, worked: Worked) -> Mistakes:
        """What the mistakes do to some numbers; those asked of last are remembered."""
        if self._latest is None or self._latest.worked is not worked:
            self._latest = Mistakes(worked, self.candidates)
        return self._latest

    @cached_property
    def candidates(self) -> Candidates:
        """The mistakes that can be made in the exercise."""
        return Candidates(self.exercise)

    @cached_property
    def _fixed(self) -> FixedDraws:
        return FixedDraws(self)

    def near(self, variant: Variant, others: Sequence[Variant]) -> tuple[str, ...]:
        """The codes of variants that are like one, though nothing was drawn again for their sake."""
        shown = {name: text for name, (_, text) in variant.answers.items()}
        return tuple(other.code for other in others if other is not variant and self._is_near(shown, other))

    def _is_near(self, shown: Mapping[str, str], other: Variant) -> bool:
        """Whether fewer asked answers differ than must."""
        differing = sum(other.answers[name][1] != text for name, text in shown.items())
        different = self.template.generating.different
        return differing * different.denominator < different.numerator * len(shown)

    # --- what comes out ---

    def _made(self, draws: Draws, numbers: Mapping[str, str], worked: Worked, tries: int, student: Student | None) -> Variant:
        """The variant, loaded and solved from its own text."""
        text = self.template.text_with(numbers)
        problem = self._loaded(text)
        own = Worked(Exercise(problem, notation=self.template.notation))
        answers = {own.exercise.id(wanted): (value, own.shown[wanted]) for wanted, value in own.answers.items()}
        self._check_same(worked, answers)
        hidden, slips = dict[str, None](), tuple[ExpectedSlip, ...]()
        if self.exercise.book.small:
            mistakes = self._mistakes(worked)
            hidden = dict.fromkeys(self.candidates.forms[place].slug for place in mistakes.hidden)
            slips = expected_slips(mistakes) if self.keys else ()
        code = draws.code(self.template.stem)
        return Variant(draws.variant, code, text, problem, own.exercise, tries, answers, tuple(hidden), student, (), slips)

    def _loaded(self, text: str) -> Problem:
        """The problem of a text. Raises OutputError where the notation that is asked for cannot be written into it."""
        try:
            return loads(text, self.template.problem.path, self.template.folder)
        except ProblemError:
            where, notation = f"{self.template.problem.path}: ", self.template.notation
            if notation in ("", self.template.problem.notation):
                raise
            raise OutputError(Message("write the notation into the template: notation: {name}", where, name=notation)) from None

    def _check_same(self, worked: Worked, answers: Mapping[str, tuple[float, str]]) -> None:
        """What was judged must be what is handed out."""
        judged = {self.exercise.id(wanted): shown for wanted, shown in worked.shown.items()}
        if judged != {name: shown for name, (_, shown) in answers.items()}:
            raise AssertionError(f"{self.template.name}: the numbers judged are not those of the text")

    def _failure(self, refused: Counter[str], most: int, made: int) -> Message:
        """Which rule refused most draws, and what to do."""
        word = DIFFERS if refused[DIFFERS] else refused.most_common(1)[0][0]
        count = refused[word]
        where = f"{self.template.problem.path}: "
        if word == DIFFERS and not self.template.varies:
            text = "no number is drawn: all are kept, or come from another file; see generate: numbers"
            return Message(text, where)
        if word == DIFFERS:
            text = (
                "only {made} variants differ in {share} of their answers: {count} of {tries} further draws were like one of them; "
                "widen the ranges, ask for fewer with -n, or lower different"
            )
            share = self.template.generating.different
            return Message(text, where, made=made, count=count, tries=most, share=share.text or f"{share.numerator}/{share.denominator}")
        digits = self.exercise.digits
        if digits.decimals is not None:
            advice = Message(
                "widen the inputs, ask {decimals} {decimals:decimal|decimals}, or allow it under require", decimals=digits.decimals + 1
            )
        else:
            advice = Message("widen the inputs, or allow it under require")
        text = 'no variant after {tries} {tries:try|tries}: "{word}" refused {count} ({reason}): {advice}'
        return Message(text, where, tries=most, word=word, count=count, reason=self._last[word], advice=advice)


class FixedDraws:
    """Which mistakes other numbers show: some draws of the template that are the same for every seed, worked as far as needed."""

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._left = list(range(len(generator.candidates.forms)))  # the forms that no draw has shown yet
        self._candidates = generator.candidates
        self._done = 0
        self._drawn: set[tuple[str, ...]] = set()

    def shows(self, place: int) -> bool:
        """Whether one of the draws shows a form of a mistake."""
        if not self.generator.candidates.reaching[place]:
            return False
        while place in self._left and self._done < FIXED:
            self._next()
        return place not in self._left

    def _next(self) -> None:
        generator = self.generator
        numbers = generator.template.drawn(Draws("", VISIBLE), self._done)
        self._done += 1
        if (drawn := tuple(numbers.values())) in self._drawn:
            return
        self._drawn.add(drawn)
        worked = generator.worked(numbers)
        try:
            seen = Mistakes(worked, self._candidates).seen
        except EvaluationError:
            return
        if seen.any():
            self._left = [place for place, shown in zip(self._left, seen) if not shown]
            self._candidates = generator.candidates.some(self._left)


def _required(lines: Sequence[Requirement]) -> list[Requirement]:
    """The rules that are asked, those of `nice` in their order, then the comparisons."""
    off = {line.word for line in lines if line.off}
    whole = bool(off) or any(line.word == NICE for line in lines)
    words = {line.word for line in lines if line.word and not line.off}
    rules = [Requirement(word, word) for word in CONDITIONS if (whole and word not in off) or word in words]
    return rules + [line for line in lines if line.comparison is not None]
