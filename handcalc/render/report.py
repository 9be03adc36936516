"""Reports: one or several worked solutions as a file in one of the formats.

- `Style` says how a solution is wanted, `chapter(derivation, format, style)` is one solution in that style.
- `export(derivations, format, style, language)` is what is written: text, or bytes where the format is binary.

FORMATS is the table of formats. To add one, add its record, and a module with a function `document(report)` in formats/.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING

from handcalc.core.derivation import Asked, Derivation, Step
from handcalc.core.expr import Total, walk
from handcalc.core.order import PHASES
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message, OutputError, UnknownIdError
from handcalc.language import Translate
from handcalc.render.answerfields import AnswerFields
from handcalc.render.dialects import PLAIN, UNICODE, Dialect
from handcalc.render.lookup import split
from handcalc.render.reading import Reading, read
from handcalc.render.views import VIEWS, View, numbered, viewed
from handcalc.stages import PRINT, stage

if TYPE_CHECKING:
    from handcalc.render.blocks import Block

NUMBERS_LIMIT = 1_500_000  # in the formulas of a file that has every step
LONGEST_SUM = 12  # terms of a sum that documents show without leaving some out


class Format(Record):
    """A format of files.

    doc: what it is for, as the documentation says it; suffix: the ending of its files, none where it is for terminals only; dialect:
    that of its formulas; module: in formats/; begins: the first bytes of every file; screen: it may be read on a terminal as it is;
    binary: bytes, no text; document: made of blocks; clicked: its steps can be; told: with sentences between its lines, unless they are
    not wanted; library: what it needs besides, and extra: what to install for it; rank: place where texts list endings.
    """

    name: str
    doc: str
    dialect: str
    module: str
    suffix: str = ""
    begins: bytes = b""
    screen: bool = False
    binary: bool = False
    document: bool = True
    clicked: bool = False
    told: bool = False
    library: str = ""
    extra: str = ""
    rank: int = 0


FORMATS = {
    format.name: format
    for format in (
        Format(
            "terminal",
            "what a terminal shows; as a file, Unicode and 100 columns",
            dialect="unicode",
            module="terminal",
            screen=True,
        ),
        Format(
            "plain",
            "ASCII, with formulas in the syntax that problem files use",
            dialect="plain",
            module="terminal",
            suffix=".txt",
            begins=b"== ",
            screen=True,
            rank=9,
        ),
        Format(
            "markdown",
            "blogs, Pandoc, Obsidian, Zhihu; formulas between dollars, or GitHub's blocks with `--fences`; drawings are SVG files",
            dialect="latex",
            module="markdown",
            suffix=".md",
            begins=b"# ",
            told=True,
            rank=5,
        ),
        Format(
            "latex",
            "any engine, with amsmath, booktabs and TikZ; xelatex or lualatex where there is Chinese (ctex)",
            dialect="latex",
            module="latex",
            suffix=".tex",
            begins=b"\\documentclass",
            told=True,
            rank=4,
        ),
        Format(
            "html",
            "one page to read, project, click through and print; needs nothing else",
            dialect="mathml",
            module="html",
            suffix=".html",
            begins=b"<!DOCTYPE html>",
            clicked=True,
            rank=1,
        ),
        Format(
            "slides",
            "a page with one step a slide, to project: arrow keys, `f` for full screen; prints one slide a page",
            dialect="mathml",
            module="slides",
            suffix=".slides.html",
            begins=b"<!DOCTYPE html>",
            told=True,
            rank=12,
        ),
        Format(
            "pdf",
            "to hand in and print; no TeX needed",
            dialect="typst",
            module="pdf",
            suffix=".pdf",
            begins=b"%PDF-",
            binary=True,
            told=True,
            library="typst",
            extra="pdf",
            rank=2,
        ),
        Format(
            "typst",
            "what the PDF is made from, to change by hand",
            dialect="typst",
            module="typst",
            suffix=".typ",
            begins=b"#let ",
            told=True,
            rank=10,
        ),
        Format(
            "notebook",
            "Jupyter, Colab, VS Code: every step as a formula and as Python that computes it",
            dialect="latex",
            module="notebook",
            suffix=".ipynb",
            begins=b'{\n "cells"',
            rank=6,
        ),
        Format(
            "word",
            "real equations, to change in Word or LibreOffice",
            dialect="omml",
            module="word",
            suffix=".docx",
            begins=b"PK",
            binary=True,
            told=True,
            library="docx",
            extra="word",
            rank=3,
        ),
        Format(
            "svg",
            "the drawing of the network alone",
            dialect="unicode",
            module="svg",
            suffix=".svg",
            begins=b"<svg ",
            rank=11,
        ),
        Format(
            "csv",
            "a row for each step, for a spreadsheet",
            dialect="plain",
            module="csvform",
            suffix=".csv",
            begins=b"id,phase",
            document=False,
            rank=7,
        ),
        Format(
            "json",
            "for programs, see [the command line](cli.md#json)",
            dialect="plain",
            module="jsonform",
            suffix=".json",
            begins=b'{\n "handcalc": 1',
            document=False,
            rank=8,
        ),
    )
}


def endings(most: int | None = None) -> str:
    """The endings of files as a text lists them, what people hand in and print first; most: so many of them."""
    files = sorted((format for format in FORMATS.values() if format.suffix), key=lambda format: format.rank)
    return " ".join(format.suffix for format in files[:most])


class Style(Record):
    """How a solution is wanted: notation ("" for its own), decimal comma, detail, form, phases and ids (all, if none),
    view (of VIEWS), whether lines are numbered, the network is drawn, and the given data are shown; results: a word of RESULTS where
    only a table of the results is wanted; fences: equations in Markdown as fenced blocks, which GitHub reads best; lines: as in
    `Options`; prose: the same, None where the format decides; student: whose sheet it is."""

    notation: str = ""
    comma: bool = False
    detail: str = "normal"
    form: str = "scalar"
    only: tuple[str, ...] = ()
    view: str = "key"
    numbers: bool = True
    pictures: bool = True
    given: bool = True
    results: str = ""
    fences: bool = False
    lines: bool = False
    prose: bool | None = None
    student: str = ""


class Chapter:
    """One worked solution in a style and in the dialect of a format."""

    def __init__(self, derivation: Derivation, dialect: Dialect, style: Style) -> None:
        longest = 0 if style.detail == "full" else LONGEST_SUM
        self.derivation = derivation
        self.style = style
        self.reading: Reading = read(derivation, style.notation, dialect, style.comma, longest)
        self.view: View = VIEWS[style.view]

    @cached_property
    def selected(self) -> tuple[tuple[str, ...], tuple[tuple[Cell, int], ...]]:
        """Phases and cells that are wanted. Raises UnknownIdError."""
        words = [word for text in self.style.only for word in split(text)]
        phases = tuple(word for word in words if word in PHASES)
        cells: list[tuple[Cell, int]] = []
        for word in words:
            if is_pattern(word) and not (found := self._fitting(word, everywhere=not word.startswith("#"))):
                raise UnknownIdError(Message("no step fits {found}; --ids lists the ids of the steps", found=f'"{word}"'))
            if word not in PHASES:
                cells += found if is_pattern(word) else [self.reading.find(word)]
        patterns = any(map(is_pattern, words))  # then one iteration after the other
        return phases, tuple(sorted(cells, key=lambda wanted: wanted[1]) if patterns else cells)

    @cached_property
    def asked(self) -> dict[tuple[Cell, int], Asked]:
        """The steps that the problem asks for, with their tasks. Raises UnknownIdError for a task that is none."""
        found: dict[tuple[Cell, int], Asked] = {}
        for task in self.derivation.header.tasks:
            several = task.ask in PHASES or is_pattern(task.ask)
            for wanted in self._fitting(task.ask) if several else [self.reading.find(task.ask)]:
                found.setdefault(wanted, task)
        return found

    def _fitting(self, word: str, everywhere: bool = False) -> list[tuple[Cell, int]]:
        """The steps of a phase, or with an id that fits a pattern, of all iterations; everywhere: the ids are those of any iteration."""
        derivation = self.derivation
        steps = (step for number in range(1, derivation.iterations + 1) for step in derivation.steps(number))
        ids = ((step, step.id.removeprefix(f"#{step.iteration}:") if everywhere else step.id) for step in steps)
        return [(step.cell, step.iteration) for step, id in ids if step.phase == word or fits(id, word) or fits(step.id, word)]

    def blocks(self) -> Iterator[Block]:
        """The document."""
        from handcalc.render.options import Options
        from handcalc.render.solution import solution

        style = self.style
        asked = self.asked if self.view.asks else None
        options = Options(style.detail, style.form, *self.selected, style.pictures, asked, style.given, style.results, style.lines)
        options = options.replace(prose=bool(style.prose), student=style.student)
        blocks: Iterable[Block] = solution(self.derivation, self.reading, options)
        if style.numbers:
            blocks = numbered(blocks)
        return viewed(blocks, self.view, self.derivation, asked or {})

    def steps(self) -> Iterator[Step]:
        """The steps that are wanted, in reading order; phases before single ids. Raises OutputError where there are too many."""
        return (self.derivation.at(iteration).step(wanted, iteration) for wanted, iteration in self.wanted())

    def wanted(self) -> Iterator[tuple[Cell, int]]:
        """The cells of these steps, with their rounds."""
        phases, cells = self.selected
        derivation = self.derivation
        wanted = [group for group in derivation.groups() if group.phase in phases or not self.style.only]
        quantities = {group.quantity.name: group.quantity for group in wanted}.values()
        if sum(map(_numbers, quantities)) * derivation.iterations > NUMBERS_LIMIT:
            count = sum(quantity.size for quantity in quantities)
            raise OutputError(Message("{count} steps are too many for one file; choose some with --only", count=count))
        for iteration in range(1, derivation.iterations + 1):
            for group in wanted:
                yield from (((group.quantity.name, place), iteration) for place in derivation.at(iteration).places(group))
        yield from cells


class Page(Chapter):
    """Other blocks than those of a solution, in the same formats."""

    def __init__(self, reading: Reading, blocks: Iterable[Block], style: Style) -> None:
        self.derivation = reading.derivation
        self.style = style
        self.view = VIEWS[style.view]
        self.reading = reading
        self._blocks = tuple(blocks)

    def blocks(self) -> Iterator[Block]:
        """The document."""
        return iter(self._blocks)


def _numbers(quantity: Quantity) -> int:
    """About how many numbers the formulas of a quantity's cells have together: as many terms as their sums."""
    sums = [node.index.axis.size for node in walk(quantity.definition) if isinstance(node, Total)] if quantity.definition else []
    return quantity.size * max(sums, default=1)


class Report(Record):
    """Chapters in a language, to be written by a format; name: that of the file, without its ending, where there is one; fields: of each
    chapter, what is known of the numbers that are written into it, where they are checked in the file itself."""

    chapters: tuple[Chapter, ...]
    translate: Translate
    language: str = "en"
    name: str = ""
    fields: tuple[AnswerFields, ...] = ()


class Exported(Record):
    """What a report is written as: the content of its file, and files beside it (drawings, arrays) by name."""

    content: str | bytes
    beside: Mapping[str, str | bytes]


def dialect_of(format: str) -> Dialect:
    """The dialect a format's formulas are spelled in."""
    key = FORMATS[format].dialect
    if key in (PLAIN.key, UNICODE.key):
        return PLAIN if key == PLAIN.key else UNICODE
    from handcalc.render.typeset import TYPESET

    return TYPESET[key]


def check_view(format: str, view: str) -> None:
    """Whether a format has a view. Raises OutputError."""
    if VIEWS[view].asks and not FORMATS[format].document:
        raise OutputError(Message("{format} is the whole solution, with every number; it has no view {view}", format=format, view=view))


def export(
    derivations: Iterable[Derivation],
    format: str,
    style: Style,
    language: str = "en",
    name: str = "",
    fields: tuple[AnswerFields, ...] = (),
) -> Exported:
    """A report in a format; name: of its file, without the ending; fields: see `Report`. Raises OutputError where a library or a font is
    missing."""
    return written(reported(derivations, format, style, language, name, fields), format)


def reported(
    derivations: Iterable[Derivation],
    format: str,
    style: Style,
    language: str = "en",
    name: str = "",
    fields: tuple[AnswerFields, ...] = (),
) -> Report:
    """What a format is to write. Raises OutputError where the format does not have the view."""
    from handcalc.language import translator

    wanted = FORMATS[format]
    check_view(format, style.view)
    style = style.replace(lines=wanted.clicked, prose=wanted.told if style.prose is None else style.prose)
    chapters = tuple(Chapter(derivation, dialect_of(format), style) for derivation in derivations)
    return Report(chapters, translator(language) if wanted.document else str, language, name, fields)


def written(report: Report, format: str) -> Exported:
    """A report in a format. Raises OutputError where a library or a font is missing."""
    wanted = FORMATS[format]
    try:
        with stage(PRINT):
            module = import_module("handcalc.render.formats." + wanted.module)
            return Exported(module.document(report), module.beside(report) if hasattr(module, "beside") else {})
    except ImportError as error:
        if not wanted.library or error.name is None or error.name.split(".")[0] != wanted.library:
            raise
        need = Message("{format} needs a library that is not installed: pip install 'handcalc[{extra}]'", format=format, extra=wanted.extra)
        raise OutputError(need) from None
