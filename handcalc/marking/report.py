"""A marked sheet as a document, and as JSON.

- `report(desk, marking, notation …)` gives the blocks: a table of all answers, then what went wrong, line by line, then marks.
- `as_json(marking)` is the object of the contract.

For a mistake: its name, the wrong formula worked to the student's number, and the right line beneath it, both in the student's
own earlier numbers. A mistake is explained once, at the first answer it spoils.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Ref, references, rewrite
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import DEFAULT_SIGNIFICANT, Rounding, Shown
from handcalc.errors import EvaluationError, Message, Template
from handcalc.marking.check import Desk
from handcalc.marking.definitions import NONE, Hypothesis, MistakenBook
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.typed import Typed, typed
from handcalc.marking.workbook import base, iteration
from handcalc.render.blocks import Block, Digits, Equation, Heading, Item, Name, Paragraph, Plain, Put, Symbolic, Table
from handcalc.render.formats.jsonform import rounding
from handcalc.render.reading import Reading

LISTED = 6  # further answers named after the first
WRONG_LINES = 12  # wrong answers without a name that are worked

# verdict → the word in a table
_LABELS: dict[str, Template] = {
    "correct": "correct",
    "rounded": "correct (rounded)",
    "convention": "right by another convention",
    "imprecise": "too few digits",
    "last_digit": "last digit off",
    "follow_through": "follows",
    "mistake": "mistake",
    "repeated": "same mistake",
    "wrong": "wrong",
    "missing": "missing",
    "unreadable": "unreadable",
}

# phase → what to practise
_PRACTICE: dict[str, Template] = {
    "given": "reading the exercise",
    "forward": "the forward pass",
    "error": "the error",
    "backward": "the backward pass",
    "update": "the update",
}


def report(desk: Desk, marking: Marking, reading: Reading) -> Iterator[Block]:
    """The whole report on one sheet."""
    return _MarkingReport(desk, marking, reading).blocks()


class _MarkingReport:
    def __init__(self, desk: Desk, marking: Marking, reading: Reading) -> None:
        self.desk = desk
        self.marking = marking
        self.reading = reading
        self.answers: dict[Cell, Typed] = {a.cell: a.typed for a in marking.answers if a.cell and a.typed}
        self.rounding = self._rounding()
        self._runs: dict[Hypothesis, Evaluation] = {}

    def blocks(self) -> Iterator[Block]:
        """Title, table, what went wrong, marks."""
        title = self.desk.problem.title or self.desk.problem.path
        yield Heading(1, Plain(title))
        if self.marking.name not in ("", "-"):
            yield Paragraph(Message("Answers of {name}", name=self.marking.name))
        if self.marking.answers:
            yield self._table()
        else:
            yield Paragraph(Message("The sheet holds no answer."))
        for answer in self.marking.answers:
            if answer.note is not None:  # that of a line which could not be read says itself where it is
                yield Paragraph(answer.note if answer.note.where else Message("{step}: {note}", step=answer.id, note=answer.note))
        yield from self._mistakes()
        yield from self._slips()
        yield from self._unnamed()
        yield from self._summary()

    # --- the table ---

    def _table(self) -> Table:
        columns = (Message("step"), Message("answer"), Message("right"), Message("verdict"), Message("marks"), Message("remark"))
        rows = []
        for answer in self.marking.answers:
            is_shown = answer.cell is not None and answer.verdict not in ("correct", "missing")
            right = Digits(expected(answer, self.reading)) if is_shown else Plain("")
            marks = Plain("/".join(decimal(value, self.reading.comma) for value in (answer.marks, answer.worth)))
            label = Message(_LABELS["repeated" if answer.verdict == "mistake" and answer.because_of else answer.verdict])
            rows.append((step_name(answer, self.reading), Plain(given(answer, self.reading)), right, label, marks, self._remark(answer)))
        return Table(columns, tuple(rows))

    def _remark(self, answer: Marked) -> Item:
        if answer.verdict == "mistake":
            return Plain(", ".join(answer.mistakes) + (" …?" if answer.alternatives else ""))
        if answer.because_of:
            return Message("after {step}", step=self._symbol(answer.because_of))
        return Plain("")

    def _symbol(self, name: str) -> str:
        return symbol(self.desk.book.find(name), self.reading)

    # --- what went wrong ---

    def _mistakes(self) -> Iterator[Block]:
        explanation = self.marking.explanation
        if explanation is None:
            return
        spoiled = {slug: [a for a in self.marking.answers if slug in a.mistakes and a.cell] for slug in explanation.hypothesis.slugs}
        number = 0
        for slug, answers in spoiled.items():
            if answers:
                number += 1
                yield from self._mistake(number, slug, answers)

    def _mistake(self, number: int, slug: str, answers: list[Marked]) -> Iterator[Block]:
        mistake = MISTAKES[slug]
        first = answers[0]
        assert first.cell is not None and self.marking.explanation is not None
        yield Heading(2, Message("{number}. {name} ({slug})", number=number, name=Message(mistake.name), slug=slug))
        for line in mistake.explanation_lines:
            yield Paragraph(line)
        hypothesis = self.marking.explanation.hypothesis
        where = self._where(first.cell, slug, hypothesis)
        if where is not None and self.desk.book.quantity(where).kind == "change":
            where = first.cell  # the change is written out in the line of the new parameter
        if where is not None:
            yield self._line(Message("made"), where, hypothesis)
            yield self._line(Message("right"), where, NONE)
        if where != first.cell:
            yield self._line(Message("so"), first.cell, hypothesis if where is not None else None)
            yield self._line(Message("right"), first.cell, None)
        rest = [self._symbol(answer.id) for answer in answers[1:]]
        if rest:
            more = ", …" if len(rest) > LISTED else ""
            yield Paragraph(Message("The same in {steps}.", steps=", ".join(rest[:LISTED]) + more))
        yield from self._alternatives(first)

    def _where(self, wanted: Cell, slug: str, hypothesis: Hypothesis) -> Cell | None:
        """The step nearest to an answer in which a mistake was made, with no other answer between."""
        definitions = self.desk.definitions
        for current in definitions.between(wanted, self.answers, hypothesis):
            if any(form.mistake.slug == slug and form in definitions.wrong(current) for form in hypothesis.at(current)):
                return current
        return None

    def _alternatives(self, first: Marked) -> Iterator[Block]:
        explanation = self.marking.explanation
        if not first.alternatives or explanation is None:
            return
        for slugs in first.alternatives:
            names = _joined([Message(MISTAKES[slug].name) for slug in slugs])
            yield Paragraph(Message("Or: {name} ({slug}). The numbers cannot tell.", name=names, slug=", ".join(slugs)))
        telling = self.desk.telling(explanation, self.answers)
        if telling is not None:
            yield Paragraph(Message("The value of {step} would tell.", step=self._symbol(self.desk.book.cell_id(telling))))

    def _slips(self) -> Iterator[Block]:
        """Slips on single lines: what was done, the answer, and the right line."""
        known = set(self.marking.explanation.hypothesis.slugs) if self.marking.explanation else set()
        spoiled: dict[str, list[Marked]] = {}
        for answer in self.marking.answers:
            if answer.verdict == "mistake" and answer.cell and not known & {*answer.mistakes}:
                spoiled.setdefault(answer.mistakes[0], []).append(answer)
        for slug, answers in spoiled.items():
            yield Heading(2, Message("{name} ({slug})", name=Message(MISTAKES[slug].name), slug=slug))
            for line in MISTAKES[slug].explanation_lines:
                yield Paragraph(line)
            for answer in answers[:WRONG_LINES]:
                yield from self._wrong_line(answer)

    def _wrong_line(self, answer: Marked) -> Iterator[Block]:
        assert answer.cell is not None
        yield Equation(step_name(answer, self.reading), (("=", Plain(given(answer, self.reading))),))
        yield self._line(Message("right"), answer.cell, None)

    def _unnamed(self) -> Iterator[Block]:
        wrong = [answer for answer in self.marking.answers if answer.verdict == "wrong" and answer.cell]
        if wrong:
            yield Heading(2, Message("Wrong, and not known why"))
        for answer in wrong[:WRONG_LINES]:
            yield from self._wrong_line(answer)
            for slug in answer.hints:
                name = Message(MISTAKES[slug].name)
                yield Paragraph(Message("Perhaps: {name} ({slug}); the digits are too few to be sure.", name=name, slug=slug))
        if len(wrong) > WRONG_LINES:
            yield Paragraph(Message("… {count} more", count=len(wrong) - WRONG_LINES))

    # --- lines ---

    def _line(self, label: Message, wanted: Cell, hypothesis: Hypothesis | None) -> Equation:
        """A step under a hypothesis, with the student's own earlier numbers put in: formula, numbers, result.

        hypothesis: None for the right definition; the student's answer itself is the result where one is supposed.
        """
        supposed = hypothesis or NONE
        run = self._run(supposed if hypothesis is not NONE else self._made())
        expr = self._inlined(wanted, supposed)
        plain = base(wanted)
        line = self.reading.line(plain, rewrite(expr, lambda node: Ref(*base(cell(node))) if isinstance(node, Ref) else None))
        right: list[tuple[str, Item]] = [("=", Symbolic(line))]
        try:
            numbers = {base(used): self._number(used, run) for ref in references(expr) if (used := cell(ref))}
            value = run.of(expr, wanted)
        except EvaluationError:
            return Equation(Name(Ref(*plain)), tuple(right), 1, label)
        right.append(("≈", Put(line, numbers)))
        typed = self.answers.get(wanted)
        made = hypothesis is not None and hypothesis is not NONE and typed is not None
        shown = Shown(typed.plain) if made and typed else self.rounding.shown(value)
        right.append(("=" if shown.exact and made else "≈", Digits(shown.negated() if self.reading.turned(plain) else shown)))
        return Equation(Name(Ref(*plain)), tuple(right), 1, label)

    def _made(self) -> Hypothesis:
        return self.marking.explanation.hypothesis if self.marking.explanation else NONE

    def _inlined(self, wanted: Cell, hypothesis: Hypothesis) -> Expr:
        """A definition with the change Δw written out, unless it was answered."""
        book, definitions = self.desk.book, self.desk.definitions
        expr = definitions.under(wanted, hypothesis.at(wanted))
        if book.quantity(wanted).kind != "updated":
            return expr

        def change(node: Expr) -> Expr | None:
            if isinstance(node, Ref) and cell(node) not in self.answers and book.quantity(cell(node)).kind == "change":
                return definitions.under(cell(node), hypothesis.at(cell(node)))
            return None

        return rewrite(expr, change)

    def _run(self, hypothesis: Hypothesis) -> Evaluation:
        if hypothesis not in self._runs:
            replaced = {wanted: typed.value for wanted, typed in self.answers.items()}
            self._runs[hypothesis] = Evaluation(MistakenBook(self.desk.definitions, hypothesis), None, replaced)
        return self._runs[hypothesis]

    def _number(self, wanted: Cell, run: Evaluation) -> Shown:
        typed = self.answers.get(wanted)
        if typed is not None:
            return Shown(typed.plain)
        given = run.graph.given_value(wanted)
        if given is not None and given.text:
            return Shown(given.text)
        return self.rounding.shown(run[wanted], given is not None)

    def _rounding(self) -> Rounding:
        """The digits numbers between the answers are shown with: as many as the answers have."""
        digits = max((typed.significant for typed in self.answers.values()), default=DEFAULT_SIGNIFICANT)
        return Rounding(None, min(max(digits, 3), DEFAULT_SIGNIFICANT))

    # --- marks ---

    def _summary(self) -> Iterator[Block]:
        marking = self.marking
        yield Heading(2, Message("Result"))
        got, worth = (decimal(value, self.reading.comma) for value in marking.marks)
        percent = f"{100 * marking.score:.0f} %"
        yield Paragraph(Message("{marks} of {worth} marks ({percent})", marks=got, worth=worth, percent=percent))
        if marking.rounding is not None:
            yield Paragraph(_mode(marking.rounding))
        topics = self._topics()
        if topics:
            yield Paragraph(Message("To practise: {topics}.", topics=_joined(topics)))

    def _topics(self) -> list[Message]:
        spoiled = [a for a in self.marking.answers if a.verdict in ("mistake", "wrong") and a.cell and not a.because_of]
        phases = dict.fromkeys(self._origin(answer) for answer in spoiled)
        return [Message(_PRACTICE[phase]) for phase in _PRACTICE if phase in phases]

    def _origin(self, answer: Marked) -> str:
        """The phase in which an answer went wrong."""
        assert answer.cell is not None
        where = self._where(answer.cell, answer.mistakes[0], self._made()) if answer.mistakes else None
        return self.desk.book.phase(where or answer.cell)


def _joined(parts: list[Message]) -> Message:
    """The parts one after the other, as a list in the reader's language."""
    whole = parts[0]
    for part in parts[1:]:
        whole = Message("{first}, {next}", first=whole, next=part)
    return whole


def _mode(rounding: Rounding) -> Message:
    """How the student rounded."""
    if rounding.decimals is not None:
        digits = Message("{count} decimals", count=rounding.decimals)
    else:
        digits = Message("{count} significant digits", count=rounding.significant)
    if rounding.carry:
        return Message("Rounding: {digits}, carried on.", digits=digits)
    return Message("Rounding: {digits}, full precision inside.", digits=digits)


def _shown(text: str) -> Shown:
    digits, _, exponent = text.partition("e")
    return Shown(digits, int(exponent or 0))


def symbol(step: Cell, reading: Reading) -> str:
    """The symbol of a step, with its iteration."""
    number = iteration(step)
    return ("" if number == 1 else f"#{number}:") + reading.symbol(Ref(*base(step)))


def step_item(step: Cell, reading: Reading) -> Item:
    """A step in a table or before an equation."""
    return Name(Ref(*step)) if iteration(step) == 1 else Plain(symbol(step, reading))


def step_name(answer: Marked, reading: Reading) -> Item:
    """The step of an answer, or what the student wrote for it."""
    return Plain(answer.id) if answer.cell is None else step_item(answer.cell, reading)


def given(answer: Marked, reading: Reading) -> str:
    """The answer, in the sign of the symbol that `step_name` puts before it."""
    return turned_text(answer.given, reading) if _other_sign(answer, reading) else answer.given


def expected(answer: Marked, reading: Reading) -> Shown:
    """The right number, in the sign of the same symbol."""
    return _shown(answer.expected).negated() if _other_sign(answer, reading) else _shown(answer.expected)


def _other_sign(answer: Marked, reading: Reading) -> bool:
    """Whether an answer was given under a name of the other sign: under its id, where the letter stands for the negative."""
    return answer.cell is not None and reading.turned(base(answer.cell)) != answer.turned


def turned_text(text: str, reading: Reading) -> str:
    """A number or a formula, as typed, with the other sign."""
    number = typed(text)
    return reading.digits(Shown(number.negated().plain)) if number else f"-({text})" if text else ""


def decimal(value: float, comma: bool = False) -> str:
    """Marks, with as few decimals as they need."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text


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
