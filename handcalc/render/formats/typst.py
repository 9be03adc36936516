"""Blocks → a Typst document: A4, ready to print, and complete in itself. The PDF is made from it.

- `document(report)` is the file.

How it looks is in style.typ; here are calls of its functions. Nothing of a user's is code in it: every word is a string
made by `literal`, every formula spelled by the dialect TYPST.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import groupby

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
STYLE = os.path.join(os.path.dirname(__file__), "style.typ")


def document(report: Report) -> str:
    """The whole file; several problems have a table of contents and begin on a page of their own."""
    style = our_text(STYLE)
    chapters = ["\n".join(_chapter(chapter, report)) for chapter in report.chapters]
    several = len(chapters) > 1
    body = "\n#pagebreak()\n".join(["", *chapters] if several else chapters)
    title = title_of_report(report)
    settings = [f"title: {literal(title)}", f"language: {literal(report.language)}"]
    settings.append(f"families: ({''.join(literal(family) + ', ' for family in families(title + body))})")
    if several:
        settings.append(f"contents: {literal(Message('Contents').text(report.translate))}")
    digits = max((len(number) for number in re.findall(r"^#worked\((\d+),", body, re.MULTILINE)), default=1)
    widths = f"#let number-width = {3.2 + 1.5 * digits:.1f}mm // of the numbers of lines"
    return f"{widths}\n{style}\n#show: report.with({', '.join(settings)})\n\n{body}\n"


def _chapter(chapter: Chapter, report: Report) -> Iterator[str]:
    formulas = TypstFormulas(chapter.reading, report.translate, chapter.view.room)
    for is_worked, group in groupby(laid(without_repetition(chapter), (TITLE, TITLE + 1)), lambda part: isinstance(part, Equation)):
        if is_worked:
            yield _called("lines-of", ["\n".join(line for part in group if isinstance(part, Equation) for line in _block(part, formulas))])
            continue
        for part in group:
            match part:
                case Together(equations, beside):
                    inside = [f"#worked(none, 0, inside: true, {formulas.equation(block)})" for block in equations]
                    before = [f"#({formulas.content(beside.text)})"] if isinstance(beside, Paragraph) else []
                    title = [*_block(beside, formulas)] if isinstance(beside, Heading) else []
                    yield _called("headed" if title else "general", title + before + inside)
                case tuple():
                    yield _tables(part, formulas)
                case _:
                    yield from _block(part, formulas)


def _called(name: str, parts: Iterable[str]) -> str:
    """A call of a function of style.typ with parts of the document."""
    return f"#{name}([\n" + "\n], [\n".join(parts) + "\n])"


def _tables(found: tuple[Titled, ...], formulas: TypstFormulas) -> str:
    """Tables with their titles; short ones beside each other."""
    parts = ["\n".join(part for block in (title, table) if block for part in _block(block, formulas)) for title, table in found]
    small = len(found) > 1 and all(len(table.rows) <= SHORT and not table.wraps for _, table in found)
    return _called("beside", parts) if small else "\n".join(parts)


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
