"""Blocks → a piece of something else, such as what a notebook shows below a cell: without a head, a script, or ids of its own.

- `FRAGMENTS` is the table: MIME type → the dialect of its formulas and what writes it; `fragment(chapter, language, kind)` is one text.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

from handcalc.core.record import Record
from handcalc.language import translator
from handcalc.render.blocks import Block, Chart, Equation, Grid, Heading, Picture
from handcalc.render.dialects import UNICODE, Dialect
from handcalc.render.formats.html import Article
from handcalc.render.formats.latex import LatexWriter
from handcalc.render.formats.markdown import Markdown
from handcalc.render.formats.maths import LatexFormulas
from handcalc.render.formats.page import asset
from handcalc.render.formats.terminal import show
from handcalc.render.formats.textpage import FILE_WIDTH, TextPage
from handcalc.render.items import Blank, Item
from handcalc.render.report import Chapter, Report
from handcalc.render.typeset import LATEX, MATHML

LOWER = 2  # levels that headings stand below those of a page of their own


class Fragment(Record):
    """A kind of text: the dialect of its formulas, and what writes the chapter of a report."""

    dialect: Dialect
    write: Callable[[Report], str]


def fragment(chapter: Callable[[Dialect], Chapter], language: str, kind: str) -> str:
    """A chapter as a piece of text; chapter: made for a dialect; kind: of FRAGMENTS."""
    wanted = FRAGMENTS[kind]
    return wanted.write(Report((chapter(wanted.dialect),), translator(language), language))


def _plain(report: Report) -> str:
    """As a file of the terminal's has it, without the empty lines around it."""
    (chapter,) = report.chapters
    stream = io.StringIO()
    show(chapter.blocks(), chapter.reading, report.translate, TextPage(stream, FILE_WIDTH))
    return stream.getvalue().strip("\n")


def _markdown(report: Report) -> str:
    """The paragraphs, with formulas between dollars."""
    (chapter,) = report.chapters
    writer = Markdown(LatexFormulas(chapter.reading, report.translate), chapter.style.fences)
    blocks = (block.replace(level=block.level + LOWER) if isinstance(block, Heading) else block for block in chapter.blocks())
    return "\n\n".join(part for block in blocks if not isinstance(block, (Picture, Chart)) for part in writer.block(block))


# --- HTML -----------------------------------------------------------------------------------------------------------------


class _HtmlPiece(Article):
    """Writes blocks as in a page; several pieces may stand in one document, so nothing has an id."""

    def block(self, block: Block) -> Iterator[str]:
        if isinstance(block, Chart):
            from handcalc.render.plot.svg import svg

            yield f"<figure>\n{svg(block.plot, self.chapter.reading, self.translate)}</figure>"
            return
        yield from super().block(block)

    def heading(self, level: int, text: Item) -> str:
        tag = f"h{min(level + LOWER, 6)}"
        return f"<{tag}>{self.formulas.words(text)}</{tag}>"

    def line(self, block: Equation, numbered: bool = False) -> str:
        kind = "step" if block.step else "worked" if block.indent else "general"
        return f'<div class="line {kind}">{self.formulas.line(block)}</div>'


def _html(report: Report) -> str:
    """An element with its own style, which reaches nothing outside it."""
    (chapter,) = report.chapters
    writer = _HtmlPiece(chapter, report, 1)
    inside = "\n".join(part for block in chapter.blocks() for part in writer.block(block))
    return f'<style>\n{asset("fragment.css")}</style>\n<div class="handcalc" lang="{report.language}">\n{inside}\n</div>'


# --- LaTeX ----------------------------------------------------------------------------------------------------------------


class _LatexPiece(LatexWriter):
    """Writes blocks with what amsmath and booktabs have, and without commands of our own."""

    def between(self, before: Block | None, block: Block) -> str:
        if before is None:
            return ""
        return "\n" if isinstance(block, (Equation, Grid)) and isinstance(before, (Equation, Grid)) else "\n\n"

    def block(self, block: Block) -> Iterator[str]:
        if not isinstance(block, (Picture, Chart)):
            yield from super().block(block)

    def aligned(self, before: int, after: int) -> str:
        return "r"

    def digits(self, item: Item) -> str:
        return f"${self.formulas.formula(item)}$" if not isinstance(item, Blank) else ""


def _latex(report: Report) -> str:
    """The paragraphs, for a document that has amsmath and booktabs."""
    (chapter,) = report.chapters
    return _LatexPiece(chapter, report).chapter(False)


FRAGMENTS = {
    "text/plain": Fragment(UNICODE, _plain),
    "text/html": Fragment(MATHML, _html),
    "text/markdown": Fragment(LATEX, _markdown),
    "text/latex": Fragment(LATEX, _latex),
}
