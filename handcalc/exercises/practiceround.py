"""One exercise asked step by step, without a terminal: lines go in, blocks come out.

- `PracticeRound.opening()` and `.question()` are what is asked, `.take(line)` answers a line: a number, a formula, or a word of `COMMANDS`;
  `.over` says that nothing more is asked, `.results` what became of each step.

An answer is marked by check's own engine, on a sheet of all answers so far, so what follows from an earlier wrong number is right. No
number is printed before it is reached, or asked for by the last hint.

To add a command: a method of `PracticeRound`, and its words in `COMMANDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.errors import Message, UnknownIdError
from handcalc.exercises.asked import AskedDigits, Exercise, Worked
from handcalc.exercises.boxes import OTHER, Boxes, key
from handcalc.exercises.ladder import RUNGS, Ladder
from handcalc.exercises.slipsearch import SlipSearch
from handcalc.marking.answers import Answer, Sheet
from handcalc.marking.marked import RIGHT, Marked
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.mistakes.entry import roles
from handcalc.marking.typed import Typed
from handcalc.marking.wording import joined, look_of, step_item, toned
from handcalc.marking.workbook import base, iteration
from handcalc.marking.working import first_sign, result
from handcalc.render.blocks import Block, Paragraph
from handcalc.render.givens import given, rounding_note, title
from handcalc.render.options import Options
from handcalc.render.reading import Reading
from handcalc.render.wordproblem import word_problem

VALUE = max(RUNGS)  # the rung that gives the value away
ENDS = (*RIGHT, "follow_through")  # verdicts that end a step
NEARLY = ("imprecise", "last_digit")  # that end it the second time
EXACT = 1e-9  # relative difference of a number that is exact, however few digits it has
LONGEST = 1000  # letters of a line

Log = Callable[[dict[str, Any]], None]


class PracticeStep(Record):
    """A step that is asked: its cell, id and digits, and its kind, by which it is practised."""

    cell: Cell
    id: str
    digits: AskedDigits
    kind: str


class StepResult(Record):
    """What became of a step. tries: numbers and formulas typed; rung: of the last hint; slips: mistakes named, or OTHER; ended: how,
    right, value or skipped, "" while it is asked."""

    tries: int = 0
    rung: int = 0
    slips: tuple[str, ...] = ()
    ended: str = ""

    @property
    def is_alone(self) -> bool:
        """Whether the first try was right, without a hint."""
        return self.ended == "right" and self.tries == 1 and not self.rung

    @property
    def is_begun(self) -> bool:
        """Whether anything was done about it."""
        return bool(self.tries or self.rung or self.ended)


def kind_of(exercise: Exercise, wanted: Cell) -> tuple[str, ...]:
    """What kind of step it is: net, out, loss, grad.net …, the most particular first; after the update after.net."""
    found = roles(exercise.book, base(wanted))
    return tuple(one for one in found if one.startswith("after.")) or found


class PracticeRound:
    """One exercise with its numbers, asked step by step.

    cells: the steps that are asked; heading: what stands before the givens; hints: the last rung there is; boxes, log: where it is noted.
    """

    def __init__(
        self,
        exercise: Exercise,
        cells: tuple[Cell, ...],
        reading: Reading,
        boxes: Boxes,
        *,
        hints: int = VALUE,
        log: Log | None = None,
        heading: tuple[Block, ...] = (),
    ) -> None:
        self.exercise = exercise
        self.reading = reading
        self.steps = tuple(PracticeStep(one, exercise.id(one), exercise.digits_of(one), kind_of(exercise, one)[0]) for one in cells)
        self.results = [StepResult() for _ in self.steps]
        self.place = 0
        self.quit = False
        self.heading = heading
        self._hints = hints
        self._log = log or (lambda entry: None)
        self._boxes = boxes
        self._search = SlipSearch(Worked(exercise))
        self._moved: set[str] = set()  # boxes that moved in this round: a step further, or back
        self._answers: dict[Cell, Answer] = {}
        self._typed: dict[Cell, Typed] = {}  # numbers on the sheet that are not right
        self._reached: set[Cell] = set()
        self._nearly: set[int] = set()  # places of steps that were asked for once more
        self._why: tuple[Block, ...] = ()
        self.ladder = Ladder(exercise.book, reading, cells, self.known)

    # --- what is asked ---

    @property
    def over(self) -> bool:
        """Whether nothing more is asked."""
        return self.quit or self.place >= len(self.steps)

    @property
    def is_begun(self) -> bool:
        """Whether anything was done in it."""
        return any(found.is_begun for found in self.results)

    @property
    def step(self) -> PracticeStep:
        """The step that is asked."""
        return self.steps[self.place]

    def opening(self) -> Iterator[Block]:
        """What the exercise is, and the numbers given."""
        derivation = self.exercise.book.derivation
        yield from title(derivation.header)
        yield from word_problem(derivation, self.reading)
        yield from self.heading
        note = rounding_note(derivation).template  # of worked solutions; here each step says its digits
        yield from (block for block in given(derivation, self.reading, Options()) if not _says(block, note))

    def question(self) -> Iterator[Block]:
        """The step that is asked, and with how many digits."""
        digits = self.step.digits
        if digits.decimals is not None:
            asked = Message("{count} {count:decimal|decimals}", count=digits.decimals)
        else:
            asked = Message("{count} significant digits", count=digits.significant)
        text = "Step {number} of {count}: {step} (id {id}), {digits}"
        place, count = self.place + 1, len(self.steps)
        yield Paragraph(Message(text, number=place, count=count, step=step_item(self.step.cell), id=self.step.id, digits=asked))

    def known(self, wanted: Cell) -> Shown | None:
        """The number of a step in its own sign: given, reached, or a wrong one that was typed, from which later steps follow; else None.

        That of a wrong formula is not told, since it is made of the right numbers of others.
        """
        book, number, (name, place) = self.exercise.book, iteration(wanted), base(wanted)
        if book.given_value(wanted) is not None or wanted in self._reached:
            return book.derivation.shown((name, place), number)
        if wanted in self._typed:
            return Shown(self._typed[wanted].plain)
        return self.known(book.uses(wanted)[0]) if number > 1 and name in book.carried else None

    # --- what is typed ---

    def take(self, line: str) -> list[Block]:
        """What is said to a line; nothing to an empty one."""
        text = line.strip().lstrip("\ufeff").strip()
        if not text:
            return []
        command = COMMANDS.get(text.lower())
        return [*(command(self) if command else self._try(text))]

    def _try(self, text: str) -> Iterator[Block]:
        """A number or a formula, marked among the answers so far."""
        if len(text) > LONGEST:
            yield Paragraph(Message("The line is too long."))
            return
        answer = self._answer(text)
        if answer is None:
            yield Paragraph(Message("That is another step; {step} is asked.", step=step_item(self.step.cell)))
            return
        step = self.step
        others = [other for wanted, other in self._answers.items() if wanted != step.cell]
        marking = self.exercise.checker.mark(Sheet("", (*others, answer)))
        marked = self._with_digits(next(one for one in marking.answers if one.cell == step.cell))
        if marked.verdict in ("unreadable", "missing"):
            yield Paragraph(marked.note or Message("Neither a number nor a formula; help says what can be typed."))
            return
        self._note(marked, answer)
        self._log({"id": step.id, "given": text, "verdict": marked.verdict, "mistakes": [*marked.mistakes], **self._counts()})
        yield from self._verdict(marked, answer)

    def _with_digits(self, marked: Marked) -> Marked:
        """The answer; one that is right but has fewer digits than the question says is imprecise, also where check asks for none."""
        typed, digits = marked.typed, self.step.digits
        if typed is None or typed.places is None or marked.verdict not in RIGHT:
            return marked
        value = float(self.exercise.desk.right[self.step.cell])
        enough = typed.places >= digits.decimals if digits.decimals is not None else typed.significant >= (digits.significant or 1)
        return marked if enough or abs(typed.value - value) <= EXACT * abs(value) else marked.replace(verdict="imprecise")

    def _answer(self, text: str) -> Answer | None:
        """The answer that a line is, with or without the name of the step; None where it names another one."""
        sign = first_sign(text)
        if sign is not None:
            name = text[: sign.start()].strip()
            try:
                wanted, _ = self.exercise.desk.interpreter.find(name)
            except UnknownIdError:
                pass  # working: the answer stands behind the last sign
            else:
                return Answer(name, text[sign.end() :].strip()) if wanted == self.step.cell else None
        return Answer(self._name(), text)

    def _name(self) -> str:
        """The id of the step, with a minus where the letter that is printed stands for the negative."""
        if not self.reading.turned(base(self.step.cell)):
            return self.step.id
        head, colon, rest = self.step.id.partition(":") if self.step.id.startswith("#") else ("", "", self.step.id)
        return f"{head}{colon}-{rest}"

    def _counts(self) -> dict[str, int]:
        found = self.results[self.place]
        return {"rung": found.rung, "try": found.tries}

    def _note(self, marked: Marked, answer: Answer) -> None:
        """Count a try, and put it on the sheet."""
        found, wanted = self.results[self.place], self.step.cell
        likely = marked.hints if len(marked.hints) == 1 else (OTHER,)  # what it is perhaps is practised as well
        slips = marked.mistakes if marked.verdict == "mistake" else likely if marked.verdict == "wrong" else ()
        fresh = tuple(slug for slug in slips if slug not in found.slips)
        self.results[self.place] = found.replace(tries=found.tries + 1, slips=(*found.slips, *fresh))
        self._answers[wanted] = answer
        self._typed.pop(wanted, None)
        if marked.typed is not None and marked.typed.places is not None and marked.verdict not in (*RIGHT, *NEARLY):
            self._typed[wanted] = marked.typed
        for slug in fresh:
            self._moved.add(key(self.step.kind, slug))
            self._boxes.wrong(key(self.step.kind, slug))

    def _verdict(self, marked: Marked, answer: Answer) -> Iterator[Block]:
        """What is said of a try; a step that is reached is done."""
        look = look_of(marked)
        word = Message(look.word)
        names = [Message(MISTAKES[slug].name) for slug in marked.mistakes]
        said = Message("{verdict}: {mistake}", verdict=word, mistake=joined(names)) if names and not _is_end(marked) else word
        yield Paragraph(toned(Message("{sign} {verdict}", sign=look.marked(self.reading.dialect.ascii), verdict=said), look.tone))
        yield from map(Paragraph, self._remarks(marked, answer))
        self._why = _reasons(marked)
        if _is_end(marked) or (marked.verdict in NEARLY and self.place in self._nearly):
            yield from self._reach(marked)
        elif marked.verdict in NEARLY:
            self._nearly.add(self.place)
            yield Paragraph(Message("Once more, with all the digits asked."))

    def _remarks(self, marked: Marked, answer: Answer) -> Iterator[Message]:
        """What else there is to say, without the number that is asked."""
        for slugs in marked.alternatives if marked.verdict == "mistake" else ():
            yield Message("Or: {name}. The numbers cannot tell.", name=joined([Message(MISTAKES[slug].name) for slug in slugs]))
        for slug in marked.hints:
            yield Message("Perhaps: {name}; this number alone is too little to be sure.", name=Message(MISTAKES[slug].name))
        if result(answer.text)[1] is not None:
            yield Message("The working before it gives another number.")
        elif marked.note is not None:
            yield marked.note
        if marked.verdict == "follow_through" and marked.because_of:
            yield Message("It follows from your {step}.", step=step_item(self.exercise.book.find(marked.because_of)))

    def _reach(self, marked: Marked) -> Iterator[Block]:
        """The step is done: its number, unless the answer follows from a wrong one."""
        wanted = self.step.cell
        if marked.verdict != "follow_through":
            self._reached.add(wanted)
            yield from self.ladder.rung(wanted, VALUE)
            self._why = (self.ladder.worked(wanted),)
        self._end("right")

    def _end(self, how: str) -> None:
        self.results[self.place] = self.results[self.place].replace(ended=how)
        if self.results[self.place].is_alone:
            self._further()
        elif how == "right":
            self._boxes.right(key(self.step.kind, OTHER), further=False)
        self.place += 1

    def _further(self) -> None:
        """The boxes of what went right at once: of the kind of step, and of the mistakes that would have shown."""
        step = self.step
        known = [name for name in self._boxes.all() if name.startswith(f"{step.kind}/")]
        own = key(step.kind, OTHER)
        slugs = {name: name.partition("/")[2] for name in known if name != own}
        shown = [name for name, slug in slugs.items() if slug in MISTAKES and self._search.shows(slug, (step.cell,))]
        for name in (own, *shown):
            if name not in self._moved:
                self._moved.add(name)
                self._boxes.right(name)

    # --- commands ---

    def hint(self) -> Iterator[Block]:
        """The next rung that has something to say."""
        found = self.results[self.place]
        said = self.ladder.rung(self.step.cell, found.rung) if found.rung else ()
        for number in range(found.rung + 1, self._hints + 1):
            if number == VALUE:
                yield from self._give_value()
                return
            blocks = self.ladder.rung(self.step.cell, number)
            if blocks and blocks != said:
                self.results[self.place] = found.replace(rung=number)
                yield from blocks
                return
        yield Paragraph(Message("There are no more hints."))

    def _give_value(self) -> Iterator[Block]:
        """The last rung, which ends the step; only after a try."""
        found, wanted = self.results[self.place], self.step.cell
        if not found.tries:
            yield Paragraph(Message("The next hint is the value. Try first: type a number or a formula."))
            return
        self.results[self.place] = found.replace(rung=VALUE)
        self._answers.pop(wanted, None)
        self._typed.pop(wanted, None)
        self._reached.add(wanted)
        yield from self.ladder.rung(wanted, VALUE)
        self._why = (self.ladder.worked(wanted),)
        self._end("value")

    def why(self) -> Iterator[Block]:
        """What is known of the last answer."""
        yield from self._why or (Paragraph(Message("There is nothing to explain yet; ? gives a hint.")),)

    def skip(self) -> Iterator[Block]:
        """Leave the step; a wrong number that was typed stays, and later ones may follow from it."""
        yield Paragraph(Message("{step} is skipped.", step=step_item(self.step.cell)))
        self._why = ()
        self._end("skipped")

    def leave(self) -> Iterator[Block]:
        """End the session."""
        self.quit = True
        yield from ()

    def help(self) -> Iterator[Block]:
        """What can be typed."""
        yield Paragraph(Message("Type a number, or a formula such as a*b + c."))
        yield Paragraph(Message("? is the next hint, why explains the last answer, skip leaves the step, quit ends, help is this."))


def _is_end(marked: Marked) -> bool:
    """Whether an answer ends its step."""
    return marked.verdict in ENDS


def _says(block: Block, template: str) -> bool:
    """Whether a block is this sentence."""
    return isinstance(block, Paragraph) and isinstance(block.text, Message) and block.text.template == template


def _reasons(marked: Marked) -> tuple[Block, ...]:
    """What was done and what is right, in the words of the mistakes."""
    if marked.verdict == "wrong":
        return (Paragraph(Message("It is not known what went wrong; ? gives a hint.")),)
    slugs = marked.mistakes if marked.verdict == "mistake" else ()
    return tuple(Paragraph(line) for slug in slugs for line in MISTAKES[slug].explanation_lines)


COMMANDS: dict[str, Callable[[PracticeRound], Iterator[Block]]] = {
    **dict.fromkeys(("?", "？", "hint", "提示"), PracticeRound.hint),
    **dict.fromkeys(("why", "为什么", "为何"), PracticeRound.why),
    **dict.fromkeys(("skip", "跳过"), PracticeRound.skip),
    **dict.fromkeys(("quit", "exit", "退出", "结束"), PracticeRound.leave),
    **dict.fromkeys(("help", "帮助"), PracticeRound.help),
}
