"""Blocks → Markdown with the formulas of GitHub: $…$ in a line and in a cell, fenced `math` blocks for equations.

- `document(blocks, reading, translate)` is the file; the reading must be in the dialect LATEX.
- `escaped(text)` is a text that means itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.render.blocks import Block, Equation, Grid, Heading, Item, Paragraph, Table, Value
from handcalc.render.maths import Formulas, is_text
from handcalc.render.reading import Reading

_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_ESCAPES = str.maketrans({letter: "\\" + letter for letter in "\\`*_[]{}#|~$"} | _ENTITIES)
_REFUSED = (r"\operatorname", r"\mathrm")  # a command GitHub does not allow, and the one that looks like it


def document(blocks: Iterable[Block], reading: Reading, translate: Translate) -> str:
    """The whole file."""
    formulas = Formulas(reading, translate)
    return "\n\n".join(text for block in blocks for text in _block(block, formulas)) + "\n"


def escaped(text: str) -> str:
    """A text that means itself in Markdown, on one line."""
    return printable(text).translate(_ESCAPES)


def _block(block: Block, formulas: Formulas) -> Iterator[str]:
    match block:
        case Heading(level, text):
            yield "#" * level + " " + _words(text, formulas)
        case Paragraph(text):
            yield _paragraph(text, formulas)
        case Equation():
            yield _display(formulas.equation(block))
        case Grid(parts):
            yield _display(formulas.grid(parts))
        case Table(columns, rows, omitted, hidden):
            kinds = [bool(rows) and all(isinstance(row[place], Value) for row in rows) for place in range(len(columns))]
            lines = [[_words(item, formulas) for item in row] for row in (columns, *rows)]
            lines.insert(1, ["---:" if number else "---" for number in kinds])
            yield "\n".join("| " + " | ".join(line) + " |" for line in lines)
            if omitted:
                yield _paragraph(Message("… {count} more rows are not shown", count=omitted), formulas)
            if hidden:
                yield _paragraph(Message("… {count} more columns are not shown", count=hidden), formulas)


def _paragraph(item: Item, formulas: Formulas) -> str:
    """A text that does not begin like a list or a line below a heading."""
    return re.sub(r"^(\d+(?=[.)])|(?=[-+=]))", r"\1\\", _words(item, formulas))


def _words(item: Item, formulas: Formulas) -> str:
    """An item between words: escaped, or a formula."""
    return escaped(formulas.text(item)) if is_text(item) else f"${formulas.formula(item).replace(*_REFUSED)}$"


def _display(lines: list[str]) -> str:
    inside = lines[0] if len(lines) == 1 else "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
    return f"```math\n{inside.replace(*_REFUSED)}\n```"
