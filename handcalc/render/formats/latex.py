r"""Blocks → a LaTeX document that every engine compiles: article with amsmath and booktabs, ctex where there is Chinese.

- `document(report)` is the file.

Nothing of a user's is a command in it: all words go through `latex_text`. Formulas begin at the left, as one writes them;
tables wider or longer than a page are split.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handcalc.errors import Message
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Picture, Table, chunks, narrowed
from handcalc.render.formats.common import drawn, is_text, number_columns, remarks, title_of
from handcalc.render.formats.maths import LatexFormulas, width
from handcalc.render.formats.printed import is_repetition
from handcalc.render.items import Blank, Item, phrase
from handcalc.render.report import Chapter, Report
from handcalc.render.typeset import LATEX, latex_text

LINE_WIDTH = 72  # letters of a formula beside each other
TABLE_WIDTH = 80  # letters of a table beside each other
ONE_TABLE = 16  # more letters for a table that is not parted
TABLE_HEIGHT = 40  # rows of a table on a page
TALL = 12  # lines of a formula that may be parted at the end of a page
LINE_LENGTH = 30  # em of a line to write on
LONG_WORD = 30  # letters of a word, such as an address, that may be parted at its signs

_SECTIONS = {1: "section*", 2: "subsection*", 3: "subsubsection*"}
_CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")
_COMPLETE = ("Noto Serif CJK SC", "Source Han Serif SC", "SimSun", "Songti SC")  # fonts with more than the usual Chinese letters
_WORLD = ("FreeSerif", "DejaVu Serif", "Noto Serif", "Times New Roman")  # fonts with Greek, Cyrillic and more
_BEFORE = r"""\documentclass[a4paper,fleqn]{article}
%(fonts)s\usepackage[margin=22mm]{geometry}
\usepackage{amsmath}
\usepackage{booktabs}
\usepackage{dcolumn}
%(tikz)s\newcolumntype{d}[1]{D{%(point)s}{%(point)s}{#1}}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt plus 1pt}
\setlength{\mathindent}{0pt}
\setcounter{MaxMatrixCols}{40}
\renewcommand{\arraystretch}{1.25}
\newcommand{\tall}{\rule[-1.5ex]{0pt}{4.3ex}} %% a row with fractions
\newcommand{\room}{\par\vskip0pt plus6\baselineskip\penalty-200\vskip0pt plus-6\baselineskip} %% no formula at the end of a page
\pagestyle{myheadings}
\begin{document}
\raggedright
\setlength{\abovedisplayskip}{%(above)spt plus 2pt}
\setlength{\belowdisplayskip}{4pt plus 2pt}
\setlength{\abovedisplayshortskip}{\abovedisplayskip}
\setlength{\belowdisplayshortskip}{\belowdisplayskip}
"""
_ENGINE = "% compile with xelatex or lualatex\n"
_ACCENTS = "\\usepackage{iftex}\n\\ifpdftex\\usepackage[T1]{fontenc}\\IfFileExists{lmodern.sty}{\\usepackage{lmodern}}{}\\fi\n"
_EXISTS = r"\IfFontExistsTF{%s}{%s{%s}}{%s}"
# the head of a page may be set in the middle of a formula, in which XeTeX looks for no Chinese letters
_ACTIVE = r"\ifdefined\XeTeXinterchartokenstate\XeTeXinterchartokenstate=1 \fi "
_TIKZ = "\\usepackage{tikz}\n"


def document(report: Report) -> str:
    """The whole file; several problems have a table of contents and a page of their own each."""
    several = len(report.chapters) > 1
    body = "\n\n".join(LatexWriter(chapter, report).chapter(several) for chapter in report.chapters)
    if several:
        body = "\\tableofcontents\n\n" + body
    first = report.chapters[0]
    before = _BEFORE % {
        "fonts": "".join(_fonts(body)),
        "tikz": _TIKZ if "{tikzpicture}" in body else "",
        "point": "," if first.style.comma else ".",
        "above": 12 if first.view.room else 2,
    }
    return before + "\n" + body + "\n\n\\end{document}\n"


def _fonts(body: str) -> Iterator[str]:
    """What the letters of the text need: ctex for Chinese, T1 for accents, another font for other scripts."""
    chinese = "".join(_CHINESE.findall(body))
    others = {letter for letter in _CHINESE.sub("", body) if not letter.isascii()}
    if any(letter > "\u024f" for letter in others) or chinese:
        yield _ENGINE
    elif others:
        yield _ACCENTS
    if chinese:
        yield "\\usepackage{ctex}\n"
        if chinese.encode("gb2312", "ignore").decode("gb2312") != chinese:
            yield _first_of(_COMPLETE, r"\setCJKmainfont")
    if any(letter > "\u024f" for letter in others):
        yield "\\usepackage{fontspec}\n" + _first_of(_WORLD, r"\setmainfont")


def _first_of(names: tuple[str, ...], command: str) -> str:
    """The first font that there is becomes the one of the text."""
    text = ""
    for name in reversed(names):
        text = _EXISTS % (name, command, name, text)
    return text + "\n"


class LatexWriter:
    """Writes the blocks of one chapter."""

    def __init__(self, chapter: Chapter, report: Report) -> None:
        self.blocks = (block for block in chapter.blocks() if not is_repetition(block, chapter))
        self.title = title_of(chapter)
        self.formulas = LatexFormulas(chapter.reading, report.translate, LINE_WIDTH)
        self.point = "," if chapter.style.comma else "."
        self.lines = chapter.view.room  # blanks are lines to write on

    def chapter(self, several: bool) -> str:
        """Formulas after each other are one paragraph, so that they stand close together."""
        title = self.words(self.title)
        text = rf"\newpage\addcontentsline{{toc}}{{section}}{{{title}}}" + "\n" if several else ""
        text += rf"\markright{{{_ACTIVE if _CHINESE.search(title) else ''}{title}}}\thispagestyle{{plain}}" + "\n\n"
        before: Block | None = None
        for block in self.blocks:
            parts = "\n\n".join(self.block(block))
            if parts:
                text += self.between(before, block) + parts
                before = block
        return text

    def between(self, before: Block | None, block: Block) -> str:
        """What separates a block from the one before; general formulas stay with the lines after them."""
        if not isinstance(block, (Equation, Grid)):
            return "" if before is None else "\n\n"
        if isinstance(before, (Equation, Grid)) and (not _is_general(block) or _is_general(before)):
            return "\n"
        room = r"\room" * (_is_general(block) and not isinstance(before, Heading))
        return ("" if before is None else "\n\n") + room + "\\noindent\n"

    def block(self, block: Block) -> Iterator[str]:
        """The paragraphs of a block."""
        match block:
            case Heading(level, text):
                yield rf"\{_SECTIONS[level]}{{{self.words(text)}}}"
            case Paragraph(text):
                yield self.words(text)
            case Equation(right=right):
                lines = self.formulas.equation(block)
                if self.lines and right and isinstance(right[-1][1], Blank):
                    lines[-1] = _line_to_write_on(lines[-1])
                yield _display([r"\quad " * bool(block.indent) + lines[0], *lines[1:]], block.number)
            case Grid(parts):
                yield _display(self.formulas.grid(parts))
            case Table():
                yield from self.tables(block)
            case Picture():
                drawing = drawn(block, self.formulas.reading)
                if drawing is not None:
                    from handcalc.render.diagram.tikz import tikz

                    yield "\\begin{center}\n" + tikz(drawing, self.formulas.reading, self.formulas.translate) + "\n\\end{center}"

    def words(self, item: Item) -> str:
        """An item between words: escaped, or a formula."""
        if isinstance(item, Message):
            pieces = phrase(item, self.formulas.translate)
            return "".join(_parted(latex_text(piece)) if isinstance(piece, str) else self.words(piece) for piece in pieces)
        return _parted(latex_text(self.formulas.text(item))) if is_text(item) else f"${self.formulas.formula(item)}$"

    def tables(self, block: Table) -> Iterator[str]:
        """The table, in parts that fit on a page; then what is not shown."""
        numeric = number_columns(block)
        heading = [
            rf"\multicolumn{{1}}{{c}}{{{self.words(item)}}}" if numeric[place] else self.words(item)
            for place, item in enumerate(block.columns)
        ]
        rows = [[self.digits(item) if numeric[place] else self.words(item) for place, item in enumerate(row)] for row in block.rows]
        kinds, widths = [], []
        for place, title in enumerate(block.columns):
            cells = [row[place] for row in rows]
            before, after = (max((_digits(cell, self.point)[side] for cell in cells), default=0) for side in (0, 1))
            kinds.append(self.aligned(before, after) if numeric[place] else "l")
            widths.append(max([width(self.words(title)), *([before + after + 1] if numeric[place] else map(width, cells))]))
        narrow = narrowed(widths, TABLE_WIDTH + ONE_TABLE) if block.wraps else widths
        if narrow != widths:
            widths = narrow
            kinds[-1] = f"p{{{widths[-1] / 2:.1f}em}}"
        for start in range(0, max(len(rows), 1), TABLE_HEIGHT):
            for chunk in [[*range(len(widths))]] if block.wraps else chunks(widths, TABLE_WIDTH):
                first, *others = (
                    " & ".join(line[place] for place in chunk) + r" \\" for line in (heading, *rows[start : start + TABLE_HEIGHT])
                )
                inside = "\n".join([r"\toprule", first, r"\midrule", *others, r"\bottomrule"])
                yield f"\\begin{{tabular}}{{{''.join(kinds[place] for place in chunk)}}}\n{inside}\n\\end{{tabular}}"
        for remark in remarks(block):
            yield self.words(remark)

    def aligned(self, before: int, after: int) -> str:
        """The kind of a column of numbers with so many digits before and after their points."""
        return f"d{{{before}.{after}}}"

    def digits(self, item: Item) -> str:
        """A number in a column that is aligned at its points; a blank that is as high as one writes."""
        text = self.formulas.formula(item).replace("{,}", ",")
        return rf"\multicolumn{{1}}{{c}}{{${text}$\tall}}" if isinstance(item, Blank) else text


def _is_general(block: Block) -> bool:
    return isinstance(block, Equation) and not block.number and not block.indent


def _row(cells: Iterable[str]) -> str:
    """A row of a table, higher where there is a fraction in it."""
    text = " & ".join(cells)
    return text + r"\tall" * (r"\frac" in text) + r" \\"


def _digits(number: str, point: str) -> tuple[int, int]:
    """How many digits' room a number takes before and after its point."""
    if number.startswith(r"\multicolumn"):
        return 4, 3
    before, _, after = number.partition(point)
    return width(before) + before.startswith("-"), width(after) + 2 * (r"\times" in after)


def _parted(text: str) -> str:
    """A text whose very long words may go on in the next line, with lines to write on."""

    def part(found: re.Match[str]) -> str:
        if width(found[0]) < LONG_WORD:
            return found[0]
        return re.sub(r"(?<=[/?=&.-])(?=[A-Za-z0-9])|(?<=[a-z0-9])(?=\\_)", r"\\allowbreak{}", found[0])

    text = re.sub(r"(?:\\_){4,}", lambda found: _rule(len(found[0]) // 4), text)
    return re.sub(rf"[!-~]{{{LONG_WORD},}}", part, text)


def _rule(width: int) -> str:
    return rf"\underline{{\hspace{{{width}em}}}}"


def _display(lines: list[str], number: int = 0) -> str:
    tag = rf" \tag{{{number}}}" if number else ""
    if len(lines) == 1:
        return f"\\[\n  {lines[0]}{tag}\n\\]"
    text = "\\begin{align*}\n  " + " \\\\\n  ".join([lines[0] + tag, *lines[1:]]) + "\n\\end{align*}"
    return text if len(lines) <= TALL else "\\begingroup\\allowdisplaybreaks\n" + text + "\n\\endgroup"


def _line_to_write_on(line: str) -> str:
    """A formula with a long blank at its end."""
    before = line.removesuffix(LATEX.blank)
    return before + _rule(max(min(LINE_LENGTH, (LINE_WIDTH - width(before)) // 2), 4))
