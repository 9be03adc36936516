"""The text of a question, for any platform: what is given, as paragraphs and tables, a drawing, hints, the line of the solution.

- `QuestionText(exercise, notation, translate)`: `blocks()`, `drawing()`, `name(step)`, `hints(step)`, `working(step)`.
- `QuizTable` is a table of words; `inert(text)` is a text without any letter that a platform takes for markup.

Formulas are plain Unicode, for whether a site sets formulas is its own choice. What is given is that of a worksheet (render/givens.py).
A name stands for the number with the sign of its id: where a notation's letter is the negative, with a minus before it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from handcalc.core.expr import Ref, references
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.deriving import derive
from handcalc.errors import Listing, Message, printable
from handcalc.exercises.asked import AskedDigits, Exercise
from handcalc.language import Translate, title_in
from handcalc.marking.workbook import base, iteration
from handcalc.render import read
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Picture, Table
from handcalc.render.dialects import UNICODE
from handcalc.render.formats.common import drawn, remarks
from handcalc.render.givens import given, own_samples
from handcalc.render.items import Item, Name, Numeric, Symbolic, spell
from handcalc.render.lines import general, worked
from handcalc.render.options import Options
from handcalc.render.report import LONGEST_SUM
from handcalc.render.wordproblem import word_problem

NAMED = 8  # names that a hint lists
TYPING = Message("Type every number with a point and without spaces, such as -0.0381 or 1.5e-4; no comma, no fraction.")
_INERT = str.maketrans({
    "{": "(", "}": ")", "~": "∼", "#": "♯", "<": "‹", ">": "›", "\\": "∖", "&": "＆", '"': "”", "$": "＄", "@": "＠", "`": "′",
})  # fmt: skip
_NO_BRACKETS = str.maketrans("()", "  ")


class QuizTable(Record):
    """A table of words; columns: their heads, none for a matrix."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def inert(text: str) -> str:
    """A text on one line, with letters that look alike in the place of those that platforms take for markup."""
    lines = "".join(line + " " * (not line.endswith("。")) for line in text.splitlines())  # Chinese has no blank between sentences
    return printable(" ".join(lines.split())).translate(_INERT)


def asked_text(digits: AskedDigits) -> Message:
    """How many digits are asked, in words."""
    if digits.decimals is not None:
        return Message("{count} {count:decimal|decimals}", count=digits.decimals)
    return Message("{count} significant digits", count=digits.significant or 1)


class QuestionText:
    """The texts of one exercise in a language."""

    def __init__(self, exercise: Exercise, notation: str, translate: Translate) -> None:
        self.exercise = exercise
        self.translate = translate
        rounding = exercise.digits.rounding.replace(carry=exercise.carried is not None)
        iterations = max((iteration(wanted) for wanted in exercise.asked), default=1)
        self.derivation = derive(exercise.problem, rounding, iterations)
        self.reading = read(self.derivation, notation, UNICODE, longest=LONGEST_SUM)

    def words(self, item: Item | str) -> str:
        """An item in plain Unicode."""
        return spell(item, self.reading, self.translate)

    # --- what is given ---

    def blocks(self) -> tuple[str | QuizTable, ...]:
        """The title, what is given, what is agreed, how to type."""
        found: list[Block] = [*word_problem(self.derivation, self.reading)]
        found += given(self.derivation, self.reading, Options(asked={}))
        for number in range(2, self.derivation.iterations + 1):
            found += own_samples(self.derivation, number)
        problem = self.exercise.problem
        title = title_in(self.translate, problem.title, problem.title_zh)
        told = [part for block in found for part in self._block(block)]
        return (*([title] if title else []), *self._equations(), *told, TYPING.text(self.translate))

    def _block(self, block: Block) -> Iterator[str | QuizTable]:
        match block:
            case Paragraph(text):
                yield self.words(text)
            case Equation():
                yield self._line(block)
            case Table(columns, rows):
                yield QuizTable(self._row(columns), tuple(map(self._row, rows)))
                yield from (remark.text(self.translate) for remark in remarks(block))
            case Grid(parts):
                for part in parts:
                    yield QuizTable((), tuple(map(self._row, part))) if isinstance(part, tuple) else self.words(part)
            case Heading(level, text) if level > 2:
                yield self.words(text)
            case _:
                return

    def _row(self, items: Iterable[Item]) -> tuple[str, ...]:
        return tuple(map(self.words, items))

    def _line(self, block: Equation) -> str:
        label = [self.words(block.label)] if block.label is not None else []
        parts = [f"{relation} {self.words(item)}" for relation, item in block.right]
        return " ".join([*label, self.words(block.left), *dict.fromkeys(parts)])

    def _equations(self) -> Iterator[str]:
        """The formulas of a problem that has no layers; worksheets have them in their drawing only."""
        graph = self.derivation.graph
        names = [] if self.exercise.problem.layers else [one for one in graph if one.kind == "variable" and not one.stage]
        for quantity in names:
            formula = self.reading.definition(quantity)
            if formula is not None:
                yield f"{self.words(Name(Ref(quantity.name, quantity.index)))} = {self.words(Symbolic(formula))}"

    def drawing(self) -> str:
        """The drawing with the given numbers, as SVG; nothing where there is nothing to draw."""
        picture = drawn(Picture(1, False, False), self.reading)
        if picture is None:
            return ""
        from handcalc.render.diagram.svg import svg

        return svg(picture, self.reading, self.translate)

    # --- a number ---

    def name(self, wanted: Cell) -> str:
        """What a step is called."""
        number, plain = iteration(wanted), base(wanted)
        reading = self.reading.at(number)
        return "−" * reading.turned(plain) + f"#{number}:" * (number > 1) + reading.symbol(Ref(*plain))

    def hints(self, wanted: Cell) -> tuple[str, ...]:
        """What it depends on; the general formula; its own in letters; with numbers put in. Never its value, not as the one term of a
        sum that is not 0 either."""
        number, plain = iteration(wanted), base(wanted)
        reading = self.reading.at(number)
        formula = reading.formula(plain)
        names = [] if formula is None else [reading.symbol(used) for used in dict.fromkeys(references(formula))]
        lines = [Message("{name} depends on {names}.", name=reading.symbol(Ref(*plain)), names=Listing(names, NAMED)).text(self.translate)]
        lines = lines if names else []
        lines += [self._line(block) for block in general(reading, Options(), reading.graph[plain[0]]) if isinstance(block, Equation)][:1]
        line = worked(self.derivation, self.reading, plain, number)
        for kind in (Symbolic, Numeric):
            lines += [self._line(line.replace(right=(part,))) for part in line.right if isinstance(part[1], kind)][-1:]
        value = self.words(line.right[-1][1])
        return tuple(told for told in dict.fromkeys(lines) if value not in told.translate(_NO_BRACKETS).split())

    def working(self, wanted: Cell) -> str:
        """The line of the solution."""
        return self._line(worked(self.derivation, self.reading, base(wanted), iteration(wanted)))
