r"""Blocks → a LaTeX document that every engine compiles: article with amsmath and booktabs, ctex where there is Chinese.

- `document(blocks, reading, translate)` is the file; the reading must be in the dialect LATEX.

Nothing of a user's is a command in it: all words go through `latex_text`. Tables wider or longer than a page are split.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.render.blocks import Block, Equation, Grid, Heading, Item, Paragraph, Table, Value, chunks
from handcalc.render.dialects import latex_text
from handcalc.render.maths import Formulas, is_text, width
from handcalc.render.reading import Reading

TABLE_WIDTH = 66  # letters of a table beside each other
TABLE_HEIGHT = 40  # rows of a table on a page

_SECTIONS = {1: "section*", 2: "subsection*", 3: "subsubsection*"}
_CHINESE = re.compile("[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]")
_BEFORE = r"""\documentclass{article}
%s\usepackage{amsmath}
\usepackage{booktabs}
\setlength{\parindent}{0pt}
\setlength{\parskip}{4pt}
\setcounter{MaxMatrixCols}{40}
\allowdisplaybreaks
\begin{document}
"""
_CTEX = "% compile with xelatex or lualatex\n\\usepackage{ctex}\n"


def document(blocks: Iterable[Block], reading: Reading, translate: Translate) -> str:
    """The whole file."""
    formulas = Formulas(reading, translate)
    body = "\n\n".join(text for block in blocks for text in _block(block, formulas))
    return _BEFORE % (_CTEX if _CHINESE.search(body) else "") + "\n" + body + "\n\n\\end{document}\n"


def _block(block: Block, formulas: Formulas) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield rf"\{_SECTIONS[level]}{{{_words(text, formulas)}}}"
        case Paragraph(text):
            yield _words(text, formulas)
        case Equation():
            yield _display(formulas.equation(block))
        case Grid(parts):
            yield _display(formulas.grid(parts))
        case Table():
            yield from _tables(block, formulas)


def _words(item: Item, formulas: Formulas) -> str:
    """An item between words: escaped, or a formula."""
    return latex_text(formulas.text(item)) if is_text(item) else f"${formulas.formula(item)}$"


def _display(lines: list[str]) -> str:
    if len(lines) == 1:
        return f"\\[\n  {lines[0]}\n\\]"
    return "\\begin{align*}\n  " + " \\\\\n  ".join(lines) + "\n\\end{align*}"


def _tables(block: Table, formulas: Formulas) -> Iterator[str]:
    """The table, in parts that fit on a page; then what is not shown."""
    lines = [[_words(item, formulas) for item in row] for row in (block.columns, *block.rows)]
    widths = [max(width(line[place]) for line in lines) for place in range(len(block.columns))]
    kinds = ["r" if block.rows and all(isinstance(row[place], Value) for row in block.rows) else "l" for place in range(len(widths))]
    for start in range(1, max(len(lines), 2), TABLE_HEIGHT):
        for chunk in chunks(widths, TABLE_WIDTH):
            heading, *rows = (
                " & ".join(line[place] for place in chunk) + r" \\" for line in (lines[0], *lines[start : start + TABLE_HEIGHT])
            )
            inside = "\n".join([r"\toprule", heading, r"\midrule", *rows, r"\bottomrule"])
            yield f"\\begin{{tabular}}{{{''.join(kinds[place] for place in chunk)}}}\n{inside}\n\\end{{tabular}}"
    if block.omitted:
        yield _words(Message("… {count} more rows are not shown", count=block.omitted), formulas)
    if block.hidden:
        yield _words(Message("… {count} more columns are not shown", count=block.hidden), formulas)
