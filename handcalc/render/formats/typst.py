"""Blocks → a Typst document: A4, ready to print, and complete in itself. The PDF is made from it.

- `document(report)` is the file; `source(report)` the same as a `TypstSource`: in pieces that begin on pages of their own, for Typst keeps
  two thousand times the length of what it sets. Only what is longer than `WHOLE` has more than one.

How it looks is in style.typ; here are calls of its functions. Nothing of a user's is code in it: every word is a string
made by `literal`, every formula spelled by the dialect TYPST.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

from handcalc.core.record import Record
from handcalc.disk.reading import our_text
from handcalc.errors import Message
from handcalc.render.blocks import TITLE, Block, Equation, Grid, Heading, Paragraph, Picture, Table, Titled
from handcalc.render.formats.air import Together, laid
from handcalc.render.formats.common import drawn, number_columns, remarks
from handcalc.render.formats.fonts import families
from handcalc.render.formats.printed import picture_name, title_of_report, without_repetition
from handcalc.render.formats.typstmath import TypstFormulas, literal, string
from handcalc.render.report import Chapter, Report

_JOINED = re.compile(r"f</tspan><tspan[^>]*>(?=[fijl])")  # what fonts have signs of two letters for
SHORT = 12  # rows of tables that stand beside each other
WHOLE = 200_000  # letters that are set at once; Typst needs some 2 kB for each
PIECE = 30_000  # letters of a piece, at least; nearly twice as many where no heading comes
STYLE = os.path.join(os.path.dirname(__file__), "style.typ")
_BREAK = "#pagebreak()"


class TypstPiece(Record):
    """Text that begins on a page of its own; above: the headings that it stands below, none where a chapter begins; titles: those of
    the chapters that begin in it."""

    above: tuple[str, ...]
    titles: tuple[str, ...]
    text: str


class TypstSource(Record):
    """A document in pieces; begin: what stands before its settings; contents: the setting for a table of contents, where there is one."""

    begin: str
    settings: tuple[str, ...]
    contents: str
    pieces: tuple[TypstPiece, ...]

    def whole(self) -> str:
        """All of it."""
        first, *others = self.pieces
        parts = [_BREAK, first.text] if self.contents else [first.text]
        for piece in others:
            parts += ["#pagebreak(weak: true)" if piece.above else _BREAK, piece.text]
        return self._document([self.contents] if self.contents else [], parts)

    def part(self, piece: TypstPiece) -> str:
        """A piece as a document, without what stands above and below all pages; the headings above it have a page before."""
        return self._document(["furniture: false"], [*piece.above, _BREAK, piece.text] if piece.above else [piece.text])

    def frame(self, pages: Iterable[str]) -> str:
        """The document without its pieces: its contents, and pages with nothing but their numbers; pages: the heading with which each
        begins, if a chapter begins there."""
        hidden = [f"#hide[{heading}]" if heading else "" for heading in pages]
        parts = [part for page in hidden for part in (_BREAK, page)]
        return self._document([self.contents] if self.contents else [], parts if self.contents else parts[1:])

    def _document(self, settings: list[str], parts: Iterable[str]) -> str:
        return f"{self.begin}\n#show: report.with({', '.join([*self.settings, *settings])})\n\n" + "\n".join(parts) + "\n"


class _Part(Record):
    """What stands together; level and heading: of the heading that it begins with, where there is one; introduces: whether it belongs
    to what comes after it."""

    text: str
    level: int = 0
    heading: str = ""
    introduces: bool = False


def document(report: Report) -> str:
    """The whole file; several problems have a table of contents and begin on a page of their own."""
    return source(report).whole()


def source(report: Report) -> TypstSource:
    """The same in pieces."""
    chapters = [[*_chapter(chapter, report)] for chapter in report.chapters]
    body = "\n".join(part.text for parts in chapters for part in parts)
    size = PIECE if len(body) > WHOLE else WHOLE
    pieces = tuple(_grouped((piece for parts in chapters for piece in _parted(parts, size)), size))
    title = title_of_report(report)
    settings = [f"title: {literal(title)}", f"language: {literal(report.language)}"]
    settings.append(f"families: ({''.join(literal(family) + ', ' for family in families(title + body))})")
    contents = f"contents: {literal(Message('Contents').text(report.translate))}" if len(report.chapters) > 1 else ""
    digits = max((len(number) for number in re.findall(r"^#worked\((\d+),", body, re.MULTILINE)), default=1)
    widths = f"#let number-width = {3.2 + 1.5 * digits:.1f}mm // of the numbers of lines"
    return TypstSource(f"{widths}\n{our_text(STYLE)}", tuple(settings), contents, pieces)


def _grouped(pieces: Iterable[TypstPiece], size: int) -> Iterator[TypstPiece]:
    """Short chapters that follow each other are one piece."""
    first: TypstPiece | None = None
    for piece in pieces:
        if first and not piece.above and len(first.text) + len(piece.text) <= size:
            first = TypstPiece(first.above, first.titles + piece.titles, f"{first.text}\n{_BREAK}\n{piece.text}")
            continue
        if first:
            yield first
        first = piece
    if first:
        yield first


def _parted(parts: Iterable[_Part], size: int) -> Iterator[TypstPiece]:
    """The pieces of a chapter: each ends before a heading, or somewhere if none comes."""
    above: list[_Part] = []  # the headings that the next part stands below
    headings: list[_Part] = []
    current: list[_Part] = []
    for unit in _units(parts):
        begins = [part for part in unit if part.level]
        above = [part for part in above if not begins or part.level < begins[0].level]
        if sum(len(part.text) for part in current) > (size if begins else 2 * size):
            yield _piece(headings, current)
            headings, current = above, []
        current += unit
        for heading in begins:
            above = [part for part in above if part.level < heading.level] + [heading]
    yield _piece(headings, current)


def _units(parts: Iterable[_Part]) -> Iterator[list[_Part]]:
    """What is not put on different pages: parts with what introduces them."""
    unit: list[_Part] = []
    for part in parts:
        unit.append(part)
        if not part.introduces:
            yield unit
            unit = []
    if unit:
        yield unit


def _piece(above: list[_Part], parts: list[_Part]) -> TypstPiece:
    return TypstPiece(
        tuple(part.heading for part in above),
        tuple(part.heading for part in parts if part.level == 1),
        "\n".join(part.text for part in parts),
    )


def _chapter(chapter: Chapter, report: Report) -> Iterator[_Part]:
    formulas = TypstFormulas(chapter.reading, report.translate, chapter.view.room)
    for is_worked, group in groupby(laid(without_repetition(chapter), (TITLE, TITLE + 1)), lambda part: isinstance(part, Equation)):
        if is_worked:
            lines = (line for part in group if isinstance(part, Equation) for line in _block(part, formulas))
            yield _Part(_called("lines-of", ["\n".join(lines)]))
            continue
        for part in group:
            match part:
                case Together(equations, beside):
                    inside = [f"#worked(none, 0, inside: true, {formulas.equation(block)})" for block in equations]
                    before = [f"#({formulas.content(beside.text)})"] if isinstance(beside, Paragraph) else []
                    title = [*_block(beside, formulas)] if isinstance(beside, Heading) else []
                    level = beside.level if isinstance(beside, Heading) else 0
                    yield _Part(_called("headed" if title else "general", title + before + inside), level, "".join(title), True)
                case tuple():
                    yield _Part(_tables(part, formulas))
                case Heading():
                    line = "".join(_block(part, formulas))
                    yield _Part(line, part.level, line, True)
                case _ if text := "\n".join(_block(part, formulas)):
                    yield _Part(text, introduces=isinstance(part, Paragraph))


def _called(name: str, parts: Iterable[str]) -> str:
    """A call of a function of style.typ with parts of the document."""
    return f"#{name}([\n" + "\n], [\n".join(parts) + "\n])"


def _tables(found: tuple[Titled, ...], formulas: TypstFormulas) -> str:
    """Tables with their titles; short ones beside each other."""
    written = []
    for short, tables in groupby(found, lambda one: len(one[1].rows) <= SHORT and not one[1].wraps):
        parts = ["\n".join(part for block in one if block for part in _block(block, formulas)) for one in tables]
        written += [_called("beside", parts)] if short and len(parts) > 1 else parts
    return "\n".join(written)


def _block(block: Block, formulas: TypstFormulas) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield f"#heading(level: {level}, {formulas.content(text)})"
        case Paragraph(text):
            yield f"#par({formulas.content(text)})"
        case Equation():
            yield f"#worked({block.number or 'none'}, {block.indent}, {formulas.equation(block)})"
        case Grid(parts):
            yield f"#worked(none, 0, {formulas.grid(parts)})"
        case Table():
            yield from _table(block, formulas)
        case Picture():
            drawing = drawn(block, formulas.reading)
            if drawing is not None:
                from handcalc.render.diagram.svg import svg

                name = picture_name(formulas.reading, block).text(formulas.translate)
                yield f"#drawing({literal(name)}, {string(_unjoined(svg(drawing, formulas.reading, formulas.translate)))})"


def _unjoined(drawing: str) -> str:
    """A drawing in which no index is joined to a power that ends in f: Typst would make one sign of both, at the height of the power."""
    return _JOINED.sub("\\g<0>\u200c", drawing)


def _table(block: Table, formulas: TypstFormulas) -> Iterator[str]:
    numeric = number_columns(block)
    rows = [
        "  (" + ", ".join(formulas.aligned(item) if number else formulas.content(item) for item, number in zip(row, numeric)) + ",),"
        for row in block.rows
    ]
    kinds = ", ".join("true" if number else "false" for number in numeric)
    columns = ", ".join(map(formulas.content, block.columns))
    last = "), wraps: true)" if block.wraps else "))"
    yield "\n".join([f"#listing(({kinds},), ({columns},), (", *rows, last])
    for remark in remarks(block):
        yield f"#par({formulas.content(remark)})"
