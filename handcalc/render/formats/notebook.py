r"""Blocks → a Jupyter notebook (nbformat 4.5): the solution as text and formulas, and after each part its code in Python.

- `document(report)` is the file; `program(chapter)` is the code of a chapter, which python.py writes.

Formulas stand between $$, as every reader of notebooks knows them; a drawing is an image inside a cell of text. Outputs
are those of a run. In views to be filled in, the code has the given numbers and a place for each other one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handcalc.core.order import phase
from handcalc.disk.jsontext import json_text
from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.render.blocks import Block, Equation, Grid, Heading, Picture, Table
from handcalc.render.formats.common import drawn, title_of
from handcalc.render.formats.markdown import ESCAPES, Markdown
from handcalc.render.formats.maths import LatexFormulas
from handcalc.render.formats.printed import picture_name
from handcalc.render.formats.python import At, Program, TooLongError
from handcalc.render.items import Item, Value, spell
from handcalc.render.report import Chapter, Report
from handcalc.render.typeset import xml_text

STEPS_LIMIT = 3000  # steps of a problem that are written as code

_METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}
# $ and \ stand in elements of their own: with what is beside them, readers would take them for the mark of a formula
_ESCAPES = ESCAPES | {letter: f"<span>{ESCAPES[letter]}</span>" for letter in "$\\"}

Cell = dict[str, Any]  # as the format has it


def document(report: Report) -> str:
    """The whole file; several problems have a list of contents."""
    several = len(report.chapters) > 1
    cells = [_contents(report)] if several else []
    for number, chapter in enumerate(report.chapters, 1):
        cells += _NotebookWriter(chapter, report.translate, _anchor(number) if several else "").cells()
    runs = 0
    for number, cell in enumerate(cells, 1):
        cell["id"] = f"cell-{number}"
        if cell.get("execution_count"):
            runs += 1
            cell["execution_count"] = runs
    notebook = {"cells": cells, "metadata": _METADATA, "nbformat": 4, "nbformat_minor": 5}
    return json_text(notebook, indent=1, sort_keys=True) + "\n"


def program(chapter: Chapter) -> Program | None:
    """The steps of a chapter as Python; None where they are too many."""
    derivation = chapter.derivation
    phases, cells = chapter.selected
    kept = [quantity for quantity in derivation.graph if not chapter.style.only or phase(quantity) in phases]
    if sum(quantity.size for quantity in kept) * derivation.iterations + len(cells) > STEPS_LIMIT:
        return None
    try:
        return Program(derivation, ((step.cell, step.iteration) for step in chapter.steps()), chapter.view.asks, STEPS_LIMIT)
    except TooLongError:
        return None


def _contents(report: Report) -> Cell:
    lines = [f"# {_escaped(Message('Contents').text(report.translate))}\n"]
    for number, chapter in enumerate(report.chapters, 1):
        lines.append(f"- [{_escaped(spell(title_of(chapter), chapter.reading, report.translate))}](#{_anchor(number)})")
    return _markdown("\n".join(lines))


def _anchor(number: int) -> str:
    return f"problem-{number}"


def _escaped(text: str) -> str:
    """A text that means itself in a cell of text, on one line."""
    return "".join(_ESCAPES.get(letter, letter) for letter in printable(text))


def _markdown(text: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": text.splitlines(keepends=True)}


def _code(text: str, run: bool, output: str = "") -> Cell:
    """A cell of code; run: it counts as executed and has printed the output."""
    printed = {"name": "stdout", "output_type": "stream", "text": output.splitlines(keepends=True)}
    return {
        "cell_type": "code",
        "execution_count": 1 if run else None,
        "metadata": {},
        "outputs": [printed] if output else [],
        "source": text.splitlines(keepends=True),
    }


class _NotebookMarkdown(Markdown):
    """Markdown as notebooks read it."""

    def escaped(self, text: str) -> str:
        return _escaped(text)


class _NotebookWriter:
    """Writes the cells of one chapter: a cell of text for each heading, and one of code for the steps it shows."""

    def __init__(self, chapter: Chapter, translate: Translate, anchor: str) -> None:
        self.chapter = chapter
        self.translate = translate
        self.anchor = f'<a id="{anchor}"></a>' if anchor else ""
        self.text = _NotebookMarkdown(LatexFormulas(chapter.reading, translate))
        self.program = program(chapter)
        self.steps = self.program.steps if self.program else ()
        self.last = {(wanted[0], iteration): place for place, (wanted, iteration) in enumerate(self.steps)}
        self.wanted = {(step.cell, step.iteration) for step in chapter.steps()} if self.program else set()
        self.written = 0  # so many steps have their code
        self.begun = False

    def cells(self) -> Iterator[Cell]:
        """The whole chapter."""
        section: list[Block] = []
        for block in self.chapter.blocks():
            begins = isinstance(block, Heading) and not all(isinstance(before, Heading) for before in section)
            if begins or isinstance(block, Picture):
                yield from self.section(section)
                section = []
            if isinstance(block, Picture):
                yield from self.picture(block)
            else:
                section.append(block)
        yield from self.section(section)
        if self.program:
            yield from self.before()
            yield from self.code(len(self.steps) - 1, {})
        else:
            yield self.note(Message("The code is left out: the problem has more than {count} steps.", count=STEPS_LIMIT))

    def section(self, blocks: list[Block]) -> Iterator[Cell]:
        """The text below a heading, then the steps up to the last one that is shown in it."""
        shown = [(wanted[0], iteration) for block in blocks for wanted, iteration in _steps(block) if self.computed((wanted, iteration))]
        if shown:
            yield from self.before()
        paragraphs = [text for block in blocks for text in self.text.block(block)]
        if paragraphs:
            yield _markdown("\n\n".join([self.anchor] * bool(self.anchor) + paragraphs))
            self.anchor = ""
        numbers = {block.step: block.number for block in blocks if isinstance(block, Equation) and block.step and block.number}
        yield from self.code(max((self.last[found] for found in shown), default=-1), numbers)

    def picture(self, block: Picture) -> Iterator[Cell]:
        """A drawing as an image: Jupyter takes <svg> out of texts, and does not show it as an output before it is run."""
        drawing = drawn(block, self.chapter.reading)
        if drawing is not None:
            from base64 import b64encode

            from handcalc.render.diagram.svg import svg

            data = b64encode(svg(drawing, self.chapter.reading, self.translate).encode()).decode()
            name = xml_text(picture_name(self.chapter.reading, block).text(self.translate))
            yield _markdown(f'<img alt="{name}" src="data:image/svg+xml;base64,{data}">')

    def computed(self, step: At) -> bool:
        """Whether a step has a line of its own that is no given number."""
        return self.program is not None and (step[0][0], step[1]) in self.last and self.program.computed(step)

    # --- code ---

    def before(self) -> Iterator[Cell]:
        """Once: what the code is, its functions, and the numbers that are given for the first iteration."""
        if self.program is None or self.begun:
            return
        self.begun = True
        given = [self.program.line(step) for step in self.steps if self.is_given(step)]
        example = next(filter(self.program.computed, self.steps), None)
        if example is not None:
            ids = {"name": self.program.name(example), "id": self.chapter.derivation.step_id(*example)}
            if self.program.asked:
                yield self.note(
                    Message("In the code, put a number or a formula in place of each …; the step {id} is called {name} there.", **ids)
                )
            else:
                yield self.note(Message("The code computes the same steps; the step {id} is called {name} there.", **ids))
        between = "\n\n" if self.program.asked else "\n\n\n"
        yield _code(between.join(filter(None, (self.program.setup(), "\n".join(given)))), run=not self.program.asked)

    def is_given(self, step: At) -> bool:
        """Whether a step is among what comes before the first code."""
        return step[1] == 1 and self.program is not None and not self.program.computed(step)

    def code(self, last: int, numbers: dict[At, int]) -> Iterator[Cell]:
        """The steps that have none yet, up to a place; numbers: what their lines in the text are called."""
        if self.program is None:
            return
        steps = [step for step in self.steps[self.written : last + 1] if not self.is_given(step)]
        self.written = max(self.written, last + 1)
        lines = [self.program.line(step, self.called(step, numbers)) for step in steps]
        told = [step for step in steps if step in self.wanted and self.program.computed(step)]
        if self.program.asked or not told:
            if lines:
                yield _code("\n".join(lines), run=not self.program.asked)
            return
        yield _code("\n".join([*lines, self.program.shows(told)]), True, self.program.output(told))

    def called(self, step: At, numbers: dict[At, int]) -> str:
        """The number of a step's line in the text: (5), or -(5) where the letter in that line stands for the negative."""
        return "-" * self.chapter.reading.turned(step[0]) + f"({numbers[step]})" if step in numbers else ""

    def note(self, message: Message) -> Cell:
        """A sentence about the code."""
        return _markdown(_escaped(message.text(self.translate)))


def _steps(block: Block) -> Iterator[At]:
    """The steps whose lines or numbers a block shows."""
    items: list[Item | str] = []
    match block:
        case Equation(right=right, step=step):
            items = [item for _, item in right]
            if step is not None:
                yield step
        case Table(rows=rows):
            items = [item for row in rows for item in row]
        case Grid(parts):
            for part in parts:
                items += [item for row in part for item in row] if isinstance(part, tuple) else [part]
    yield from ((item.cell, item.iteration) for item in items if isinstance(item, Value))
