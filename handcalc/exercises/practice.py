"""A session of practice: one exercise after the other, without a terminal.

- `Practice(template, seed, wishes, boxes)`: `practice.begin(reader)` is the next `PracticeRound`, until `practice.is_over`;
  `practice.summary()` and `practice.succeeded` are what came of it.
- `due(boxes, exercise, wishes)` is the mistake that was practised least.

A file that says under `generate` how its numbers are drawn gives a variant each round: the first is that of `generate -n 1` with the
same seed. Another file is asked with its own numbers first, and with drawn ones where a slip was named, a step skipped or a value shown.
After a slip, of `DRAWS` variants the first is taken in whose answers the slip would show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from handcalc.core.derivation import Derivation
from handcalc.core.order import PHASES
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message, OutputError, UnknownIdError, near
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.boxes import OTHER, Boxes
from handcalc.exercises.draw import Draws
from handcalc.exercises.generate import Generator, Variant
from handcalc.exercises.numbers import ExerciseTemplate
from handcalc.exercises.practiceround import VALUE, Log, PracticeRound, StepResult, kind_of
from handcalc.exercises.slipsearch import SlipSearch
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.wording import listed, step_item
from handcalc.problem.reader import quoted
from handcalc.render.blocks import Block, Paragraph
from handcalc.render.lookup import split
from handcalc.render.reading import Reading

DRAWS = 50  # variants that are looked through for one in which a slip shows
MOST_TRIES = 500  # numbers drawn for them in all, where most are refused
NAMED = 8  # mistakes and steps that a summary names

Reader = Callable[[Derivation], Reading]


class PracticeWishes(Record):
    """What is practised. only: phases, ids or patterns; focus: a mistake, or a kind of step; hints: the last rung there is."""

    only: tuple[str, ...] = ()
    focus: str = ""
    hints: int = VALUE

    @property
    def slip(self) -> str:
        """The mistake that is practised."""
        return self.focus if self.focus in MISTAKES else ""


class Practice:
    """The rounds of one session."""

    def __init__(self, template: ExerciseTemplate, seed: str, wishes: PracticeWishes, boxes: Boxes, log: Log | None = None) -> None:
        self.template = template
        self.seed = seed
        self.wishes = wishes
        self.rounds: list[PracticeRound] = []
        self._boxes = boxes
        self._log = log
        self._generator = Generator(template, seed)
        self._variants: list[Variant] = []
        self._slips = [wishes.slip] if wishes.slip else []  # mistakes to be practised
        self._check()

    def _check(self) -> None:
        """Whether there is something to ask. Raises UnknownIdError."""
        exercise, slip = self.template.exercise, self.wishes.slip
        steps = chosen_steps(exercise, self.wishes)
        if not steps:
            raise UnknownIdError(Message("no step of this problem is asked", f"{self.template.problem.path}: "))
        if slip and not SlipSearch(Worked(exercise)).can_show(slip, steps):
            raise UnknownIdError(Message("{mistake} would not show in the steps that are asked", "--focus: ", mistake=slip))

    # --- rounds ---

    @property
    def is_over(self) -> bool:
        """Whether there is no further round."""
        if not self.rounds:
            return False
        last = self.rounds[-1]
        if last.quit or not self.template.varies:
            return True
        return self.template.problem.generating is None and not self._left() and all(one.ended == "right" for one in last.results)

    def _left(self) -> list[str]:
        """The mistakes still to be practised: those named in the last round, and those before."""
        last = self.rounds[-1].results if self.rounds else []
        named = dict.fromkeys(slug for found in last for slug in found.slips if slug != OTHER)
        return [*dict.fromkeys((*self._slips, *named))]

    def begin(self, reader: Reader) -> PracticeRound:
        """The next round; reader: how its derivation is read. Raises OutputError where no numbers are found."""
        self._slips = self._left()
        slip = self._slips.pop(0) if self._slips else ""
        exercise, heading = self._exercise(slip)
        reading = reader(exercise.book.derivation)
        steps = chosen_steps(exercise, self.wishes)
        found = PracticeRound(exercise, steps, reading, self._boxes, hints=self.wishes.hints, log=self._log, heading=heading)
        self.rounds.append(found)
        return found

    def _exercise(self, slip: str) -> tuple[Exercise, tuple[Block, ...]]:
        """An exercise in which a mistake shows, and what is said of it."""
        own = self.template.exercise
        fresh = self.template.problem.generating is not None and self.template.varies
        if not self.rounds and not fresh and (not slip or not self.template.varies or self._shows(Worked(own), slip)):
            return own, ()
        number = len(self.rounds) + 1
        variant, shows = self._drawn(number, slip)
        self._variants.append(variant)
        text = "Round {number}: {code}, drawn with the seed {seed}"
        heading: list[Block] = [Paragraph(Message(text, number=number, code=variant.code, seed=self.seed))]
        if slip:
            name = Message(MISTAKES[slip].name)
            said = Message("With these numbers it shows: {mistake}.", mistake=name)
            heading.append(Paragraph(said if shows else Message("No numbers were found with which it shows: {mistake}.", mistake=name)))
        return variant.exercise, tuple(heading)

    def _drawn(self, number: int, slip: str) -> tuple[Variant, bool]:
        """The variant of a round, and whether a mistake shows in it: the first draw where it does in none."""
        found = first = self._variant(str(number))
        spent = 0
        for draw in range(2, DRAWS + 2) if slip else ():
            numbers = self.template.drawn(Draws(self.seed, found.key), found.tries - 1)
            if self._shows(self._generator.worked(numbers), slip):
                return found, True
            spent += found.tries
            if draw > DRAWS or spent > MOST_TRIES:
                break
            found = self._variant(f"{number}/{draw}")
        return first, False

    def _variant(self, key: str) -> Variant:
        """A variant unlike those before, if there is one; of a file that asks for nothing itself, with any numbers it can be solved with,
        where none are nice. Raises OutputError."""
        try:
            return self._generator.variant(key, self._variants)
        except OutputError:
            if self._variants:
                return self._generator.variant(key)
            if self.template.problem.generating is not None:
                raise
        self._generator = Generator(self.template, self.seed, require=())
        return self._generator.variant(key)

    def _shows(self, worked: Worked, slip: str) -> bool:
        return SlipSearch(worked, self._generator.candidates).shows(slip, chosen_steps(worked.exercise, self.wishes))

    # --- what came of it ---

    @property
    def results(self) -> list[tuple[Cell, StepResult]]:
        """The steps asked in all rounds, with what became of them; a further round counts once something was done in it."""
        begun = [one for place, one in enumerate(self.rounds) if not place or one.is_begun]
        return [(step.cell, found) for one in begun for step, found in zip(one.steps, one.results)]

    @property
    def succeeded(self) -> bool:
        """Whether every step was reached without being told its value."""
        return all(found.ended == "right" for _, found in self.results)

    def summary(self) -> Iterator[Block]:
        """How many steps were reached, and what went wrong."""
        results = self.results
        right, alone = sum(found.ended == "right" for _, found in results), sum(found.is_alone for _, found in results)
        text = "{right} of {count} {count:step|steps} reached, {alone} of them at the first try and without a hint."
        yield Paragraph(Message(text, right=right, count=len(results), alone=alone))
        left = [*dict.fromkeys(wanted for wanted, found in results if found.ended != "right")]
        if left:
            yield Paragraph(Message("Not reached: {steps}.", steps=listed([*map(step_item, left)], NAMED)))
        slips = dict.fromkeys(slug for _, found in results for slug in found.slips if slug != OTHER)
        if slips:
            yield Paragraph(Message("Mistakes: {mistakes}.", mistakes=listed([Message(MISTAKES[slug].name) for slug in slips], NAMED)))


def due(boxes: Boxes, exercise: Exercise, wishes: PracticeWishes) -> str:
    """The mistake in the lowest box that the steps asked may show; nothing where there is none."""
    search, steps = SlipSearch(Worked(exercise)), chosen_steps(exercise, wishes)
    slugs = dict.fromkeys(name.partition("/")[2] for name in boxes.weakest())
    return next((slug for slug in slugs if slug in MISTAKES and search.can_show(slug, steps)), "")


# --- which steps -------------------------------------------------------------------------------------------------------


def chosen_steps(exercise: Exercise, wishes: PracticeWishes) -> tuple[Cell, ...]:
    """The steps that are asked, in the order of the document. Raises UnknownIdError."""
    found = tuple(exercise.asked)
    if wishes.only:
        chosen = {one for text in wishes.only for word in split(text) for one in _fitting(exercise, word)}
        found = tuple(one for one in dict.fromkeys((*exercise.cells, *exercise.asked)) if one in chosen)
    return _of_kind(exercise, found, wishes) if wishes.focus and not wishes.slip else found


def _fitting(exercise: Exercise, word: str) -> list[Cell]:
    """The steps that a phase, a pattern, an id or a symbol means: of the tasks, where there are any. Raises UnknownIdError."""
    if word in PHASES:
        found = _asked(exercise, lambda one: exercise.book.phase(one) == word)
    elif is_pattern(word):
        found = _asked(exercise, lambda one: fits(exercise.id(one), word))
    else:
        wanted = exercise.desk.interpreter.find(word)[0]
        found = _asked(exercise, lambda one: one == wanted)
    if not found:
        raise UnknownIdError(Message("no step that is asked fits {found}", "--only: ", found=quoted(word)))
    return found


def _of_kind(exercise: Exercise, among: Iterable[Cell], wishes: PracticeWishes) -> tuple[Cell, ...]:
    """The steps of a kind. Raises UnknownIdError."""
    found = [one for one in among if wishes.focus in kind_of(exercise, one)]
    if not found and not wishes.only:
        found = _asked(exercise, lambda one: wishes.focus in kind_of(exercise, one))
    if not found:
        kinds = dict.fromkeys(kind for one in exercise.cells for kind in kind_of(exercise, one))
        known, hint = ", ".join(kinds), near(wishes.focus, [*kinds, *MISTAKES])
        text = "there is no mistake and no kind of step {found}{near}; kinds here are {known}"
        raise UnknownIdError(Message(text, "--focus: ", found=quoted(wishes.focus), near=hint, known=known))
    return tuple(found)


def _asked(exercise: Exercise, fits: Callable[[Cell], bool]) -> list[Cell]:
    """The steps of a sort that are asked; where the problem has no tasks and usually none is, of all."""
    found = [one for one in exercise.asked if fits(one)]
    return found if found or exercise.problem.tasks else [one for one in exercise.cells if fits(one)]
