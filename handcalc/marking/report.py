"""A marked sheet as a document, and as JSON.

- `report(desk, marking, reading)` gives the blocks: the result, what went wrong and its right lines, then the answers that are not
  right in a table; `everything`: all answers.
- `as_json(marking)` is the object of the contract, `all_right(marking, tasks)` says whether nothing is wrong.

A mistake is explained once, at the first answer it spoils: its name, the wrong formula worked to the student's number, and the right
line beneath it, both in the student's own earlier numbers. The right number of a line and that of the table are one (studentlines.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, Template
from handcalc.marking.definitions import NONE, Hypothesis
from handcalc.marking.desk import Desk
from handcalc.marking.interpret import READ_AS_NEW
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.studentlines import StudentLines
from handcalc.marking.wording import LONGEST_ANSWER, decimal, given, joined, listed, look_of, step_item, step_name, toned
from handcalc.render.blocks import Block, Digits, Equation, Heading, Item, Paragraph, Plain, Table, Toned
from handcalc.render.formats.jsonform import rounding
from handcalc.render.items import title_item
from handcalc.render.reading import Reading

WRONG_LINES = 12  # wrong answers without a name that are worked
FOLLOWING = 3  # answers that follow from a wrong one, in a table of what is not right
WORKSHEET = 8  # answers that a sheet has which is filled in and not a few numbers, and more than three quarters of what a blank one asks

# phase → what to practise
_PRACTICE: dict[str, Template] = {
    "given": "copying the given numbers",
    "forward": "the forward pass",
    "error": "the error",
    "backward": "the backward pass",
    "update": "the update",
}

_MADE, _YOURS, _RIGHT = Toned(Message("made"), "wrong"), Toned(Message("yours"), "wrong"), Toned(Message("right"), "right")


def report(desk: Desk, marking: Marking, reading: Reading, everything: bool = False) -> Iterator[Block]:
    """The whole report on one sheet; everything: right answers and what follows from wrong ones as well."""
    return _MarkingReport(desk, marking, reading, everything).blocks()


class _MarkingReport:
    def __init__(self, desk: Desk, marking: Marking, reading: Reading, everything: bool) -> None:
        self.desk = desk
        self.marking = marking
        self.reading = reading
        self.everything = everything
        self.lines = StudentLines(desk, marking, reading)
        self.numbers: dict[str, int] = {}  # slug → the number under which it is explained

    def blocks(self) -> Iterator[Block]:
        """Title, result, what went wrong, the table, what is not there."""
        yield Heading(1, title_item(self.desk.problem.title or self.desk.problem.path, self.desk.problem.title_zh))
        if self.marking.name not in ("", "-"):
            yield Paragraph(Message("Answers of {name}", name=self.marking.name))
        yield from self._result()
        yield from self._mistakes()
        yield from self._slips()
        yield from self._unnamed()
        yield from self._answers()
        yield from self._absent()

    # --- result ---

    def _result(self) -> Iterator[Block]:
        marking = self.marking
        if not marking.answers:
            yield Paragraph(Message("The sheet holds no answer."))
            return
        got, worth = (decimal(value, self.reading.comma) for value in marking.marks)
        tone = "right" if marking.score == 1 else "strong"
        yield Paragraph(Toned(Message("{marks} of {worth} marks ({percent})", marks=got, worth=worth, percent=percent(marking)), tone))
        notes = {answer.conventions: answer.note for answer in marking.answers if answer.verdict == "convention" and answer.note}
        if notes:
            yield Paragraph(Message("By another convention: {notes}.", notes=joined([*notes.values()])))
        topics = self._topics()
        if topics:
            yield Paragraph(Message("To practise: {topics}.", topics=joined(topics)))
        if marking.rounding is not None:
            yield Paragraph(_mode(marking.rounding))

    def _topics(self) -> list[Message]:
        spoiled = [a for a in self.marking.answers if a.verdict in ("mistake", "wrong") and a.cell and not a.because_of]
        phases = dict.fromkeys(self._origin(answer) for answer in spoiled)
        return [Message(_PRACTICE[phase]) for phase in _PRACTICE if phase in phases]

    def _origin(self, answer: Marked) -> str:
        """The phase in which an answer went wrong."""
        assert answer.cell is not None
        where = self._where(answer.cell, answer.mistakes[0], self.lines.made) if answer.mistakes else None
        return self.desk.book.phase(where or answer.cell)

    # --- what went wrong ---

    def _mistakes(self) -> Iterator[Block]:
        """The mistakes that explain the sheet."""
        for slug in self.lines.made.slugs:
            answers = [answer for answer in self.marking.answers if slug in answer.mistakes and answer.cell]
            if answers and slug not in self.numbers:
                yield from self._headed(slug)
                yield from self._made(slug, answers)

    def _headed(self, slug: str) -> Iterator[Block]:
        """The name of a mistake, and what it is."""
        self.numbers[slug] = len(self.numbers) + 1
        mistake = MISTAKES[slug]
        yield Heading(2, Message("{number}. {name}", number=self.numbers[slug], name=Message(mistake.name)))
        yield Paragraph(reduce(lambda before, after: Message("{before} {after}", before=before, after=after), mistake.explanation_lines))

    def _made(self, slug: str, answers: list[Marked]) -> Iterator[Block]:
        """The wrong line and the right one."""
        first = answers[0]
        assert first.cell is not None
        hypothesis = self.lines.made
        where = self._where(first.cell, slug, hypothesis)
        if where is not None and self.desk.book.quantity(where).kind == "change":
            where = first.cell  # the change is written out in the line of the new parameter
        if where is not None:
            yield self.lines.line(_MADE, where, hypothesis)
        if where is not None and where != first.cell:
            yield self.lines.line(_RIGHT, where, NONE)
        if where != first.cell:
            yield self.lines.line(Toned(Message("so"), "wrong"), first.cell, hypothesis if where is not None else None)
        yield from self._right(first)
        rest = [step_item(answer.cell) for answer in answers[1:] if answer.cell]
        if rest:
            yield Paragraph(Message("The same in {steps}.", steps=listed(rest)))
        yield from self._alternatives(first)

    def _where(self, wanted: Cell, slug: str, hypothesis: Hypothesis) -> Cell | None:
        """The step nearest to an answer in which a mistake was made, with no other answer between; rather one of which it changes the
        number."""
        definitions = self.desk.definitions
        made = [
            current
            for current in definitions.between(wanted, self.lines.answers, hypothesis)
            if any(form.mistake.slug == slug and form in definitions.wrong(current) for form in hypothesis.at(current))
        ]
        return next((current for current in made if self.lines.moves(current, hypothesis)), made[0] if made else None)

    def _alternatives(self, first: Marked) -> Iterator[Block]:
        explanation = self.marking.explanation
        if not first.alternatives or explanation is None:
            return
        for slugs in first.alternatives:
            yield Paragraph(Message("Or: {name}. The numbers cannot tell.", name=joined([Message(MISTAKES[slug].name) for slug in slugs])))
        telling = self.desk.telling(explanation, self.lines.answers)
        if telling is not None:
            yield Paragraph(Message("The value of {step} would tell.", step=step_item(telling)))

    def _slips(self) -> Iterator[Block]:
        """Slips on single lines: what was done, the answer, and the right line."""
        spoiled: dict[str, list[Marked]] = {}
        for answer in self.marking.answers:
            if answer.verdict == "mistake" and answer.cell and not {*self.lines.made.slugs} & {*answer.mistakes}:
                spoiled.setdefault(answer.mistakes[0], []).append(answer)
        for slug, answers in spoiled.items():
            yield from self._headed(slug)
            begun = [answer for answer in answers if not answer.because_of]
            for answer in begun[:WRONG_LINES]:
                yield from self._wrong_line(answer)
            if again := [step_item(answer.cell) for answer in answers if answer.because_of and answer.cell]:
                yield Paragraph(Message("The same in {steps}.", steps=listed(again)))

    def _unnamed(self) -> Iterator[Block]:
        wrong = [answer for answer in self.marking.answers if answer.verdict == "wrong" and answer.cell and not answer.unworked]
        if wrong:
            yield Heading(2, Message("Wrong, and not known why"))
        for answer in wrong[:WRONG_LINES]:
            yield from self._wrong_line(answer)
            if answer.hints:
                names = reduce(_either, (Message(MISTAKES[slug].name) for slug in answer.hints))
                yield Paragraph(Message("Perhaps: {name}; this number alone is too little to be sure.", name=names))
        if len(wrong) > WRONG_LINES:
            yield Paragraph(Message("… {count} more", count=len(wrong) - WRONG_LINES))

    def _wrong_line(self, answer: Marked) -> Iterator[Block]:
        assert answer.cell is not None
        if answer.made is not None:
            yield self.lines.line(_MADE, answer.cell, None, answer.made)
        else:
            yield Equation(step_item(answer.cell), (("=", given(answer, self.reading)),), 1, _YOURS)
        yield from self._right(answer)

    def _right(self, answer: Marked) -> Iterator[Block]:
        """The right line of an answer; where the student's own numbers make another result than that of the solution, it says so."""
        assert answer.cell is not None
        yield self.lines.line(_RIGHT, answer.cell, None)
        if self.lines.differs(answer):
            numbers: dict[str, Any] = {"number": Digits(self.lines.right(answer)), "other": Digits(self.lines.solution(answer))}
            own = [*map(step_item, self.lines.own_numbers(answer))]
            if own:
                template = "With your {steps} it should be {number} ({other} with all right numbers)."
                yield Paragraph(Message(template, steps=listed(own, 3), **numbers))
            else:
                yield Paragraph(Message("With your rounded numbers it should be {number} ({other} unrounded).", **numbers))

    # --- the table ---

    def _answers(self) -> Iterator[Block]:
        """The table of what was answered, how many are not in it, and what there is to say about those that are."""
        answers = self.marking.answers
        shown = [answer for answer in answers if answer.verdict != "missing" and (self.everything or not self._is_left_out(answer))]
        if shown and self.everything:
            yield Heading(2, Message("All answers"))
        rows = [answer for answer in shown if answer.verdict != "unreadable" or answer.worth]
        if rows:
            yield self._table(rows)
        right = sum(answer.verdict in RIGHT and answer.worth > 0 for answer in answers if answer not in shown)
        follow = sum(answer.verdict == "follow_through" for answer in answers if answer not in shown)
        yield from map(Paragraph, _hidden(right, follow))
        noted: dict[str, list[Marked]] = {}
        for answer in shown:
            if answer.note is not None:
                noted.setdefault(READ_AS_NEW if answer.note.template == READ_AS_NEW else str(answer.note), []).append(answer)
        for alike in noted.values():
            note = alike[0].note
            assert note is not None
            if len(alike) > 1 and note.template == READ_AS_NEW:
                note = Message("written like the given one; another number, so read as the updated one")
            steps = [Plain(answer.id) if answer.cell is None else step_item(answer.cell) for answer in alike]
            yield Paragraph(note if note.where else Message("{step}: {note}", step=listed(steps), note=note))  # where: a line says itself

    def _is_left_out(self, answer: Marked) -> bool:
        if answer.verdict == "follow_through":
            return answer.marks == answer.worth and self.marking.summary["follow_through"] > FOLLOWING
        return answer.verdict in RIGHT

    def _table(self, answers: list[Marked]) -> Table:
        columns = (Message("step"), Message("answer"), Message("right"), Message("verdict"), Message("marks"), Message("remark"))
        return Table(columns, tuple(map(self._row, answers)), wraps=True)

    def _row(self, answer: Marked) -> tuple[Item, ...]:
        look = look_of(answer)
        is_wrong = answer.cell is not None and answer.verdict in ("mistake", "wrong", "imprecise", "unreadable")
        right = Digits(self.lines.right(answer)) if is_wrong else Plain("")
        verdict = Message("{sign} {verdict}", sign=look.marked(self.reading.dialect.ascii), verdict=Message(look.word))
        marks = Plain("/".join(decimal(value, self.reading.comma) for value in (answer.marks, answer.worth)))
        return step_name(answer), given(answer, self.reading, LONGEST_ANSWER), right, toned(verdict, look.tone), marks, self._remark(answer)

    def _remark(self, answer: Marked) -> Item:
        if answer.verdict == "mistake":
            places = [Plain(str(self.numbers[slug])) for slug in answer.mistakes if slug in self.numbers]
            return Message("see {numbers}", numbers=joined(places))
        if answer.because_of:
            return Message("after {step}", step=step_item(self.desk.book.find(answer.because_of)))
        own = self.lines.own_numbers(answer) if answer.verdict in ("wrong", "unreadable") else ()
        return Message("with your {steps}", steps=listed([*map(step_item, own)], 1)) if own else Plain("")

    # --- what is not there ---

    def _absent(self) -> Iterator[Block]:
        """Steps that were asked or left blank, and those of a whole worksheet that are not on it."""
        missing = [answer.cell for answer in self.marking.answers if answer.verdict == "missing" and answer.cell]
        if missing:
            yield Paragraph(Message("Not answered: {steps}.", steps=listed([*map(step_item, missing)])))
        left_out = self._left_out()
        if left_out:
            yield Paragraph(Message("Not on the sheet: {steps}.", steps=listed([*map(step_item, left_out)])))

    def _left_out(self) -> list[Cell]:
        """What a blank sheet asks and this one has not, where it is one; nothing where the exercise says what it asks."""
        if self.desk.problem.tasks or len(self.lines.marked) < WORKSHEET:
            return []
        asked = self.desk.interpreter.default()
        left_out = [wanted for wanted in asked if wanted not in self.lines.marked]
        return left_out if 4 * len(left_out) < len(asked) else []


def _either(first: Message, second: Message) -> Message:
    return Message("{first}; or: {second}", first=first, second=second)


def percent(marking: Marking) -> str:
    """The share of the marks that was earned; 100 % and 0 % only where it is all or nothing."""
    share = 100 * marking.score
    return f"{min(max(round(share), 1), 99) if 0 < share < 100 else share:.0f} %"


def _hidden(right: int, follow: int) -> Iterator[Message]:
    """How many answers are not in the table."""
    if right == 1:
        yield Message("1 right answer is not shown (--all).")
    elif right:
        yield Message("{count} right answers are not shown (--all).", count=right)
    if follow:
        yield Message(
            "{count} {count:answer that follows from a wrong one is|answers that follow from a wrong one are} not shown (--all).",
            count=follow,
        )


def _mode(rounding: Rounding) -> Message:
    """How the student rounded."""
    if rounding.decimals is not None:
        digits = Message("{count} {count:decimal|decimals}", count=rounding.decimals)
    else:
        digits = Message("{count} significant digits", count=rounding.significant)
    if rounding.carry:
        return Message("Rounding: {digits}, carried on.", digits=digits)
    return Message("Rounding: {digits}, full precision inside.", digits=digits)


# --- JSON -------------------------------------------------------------------------------------------------------------


def as_json(marking: Marking) -> dict[str, Any]:
    """The object of the contract."""
    got, worth = marking.marks
    return {
        "name": marking.name,
        "summary": marking.summary,
        "score": round(marking.score, 6),
        "marks": {"got": got, "of": worth},
        "rounding": None if marking.rounding is None else rounding(marking.rounding),
        "answers": [_answer(answer) for answer in marking.answers],
    }


def _answer(answer: Marked) -> dict[str, Any]:
    found = {"id": answer.id, "given": answer.given, "expected": answer.expected or None, "verdict": answer.verdict, "marks": answer.marks}
    return found | filled(
        mistakes=answer.mistakes,
        alternatives=answer.alternatives,
        hints=answer.hints,
        because_of=answer.because_of,
        note=answer.note,
        conventions=answer.conventions,
    )


def filled(**known: Any) -> dict[str, Any]:
    """The keys of an answer that have something to say."""
    return {key: _plain(value) for key, value in known.items() if value}


def _plain(value: Any) -> Any:
    return [*map(_plain, value)] if isinstance(value, tuple) else str(value)


def all_right(marking: Marking, tasks: bool) -> bool:
    """Whether nothing is wrong: something answered, every answer right, and no task left out."""
    verdicts = [answer.verdict for answer in marking.answers]
    allowed = RIGHT if tasks else (*RIGHT, "missing")
    return any(verdict in RIGHT for verdict in verdicts) and all(verdict in allowed for verdict in verdicts)
