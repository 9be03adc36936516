"""Blocks → Markdown: $…$ in a line and in a cell, $$ around equations, or the fenced `math` blocks of GitHub where they are wanted.

- `document(report)` is the file, `beside(report)` the drawings that it shows.
- `Markdown(formulas).block(block)` are the paragraphs of one block; notebooks write some of them in another way.
- `escaped(text)` is a text that means itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from handcalc.errors import Message, printable
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Picture, Table
from handcalc.render.formats.common import drawn, is_text, number_columns, remarks, title_of
from handcalc.render.formats.maths import LatexFormulas
from handcalc.render.formats.printed import picture_name
from handcalc.render.items import Item, phrase
from handcalc.render.report import Report

ESCAPES = {letter: "\\" + letter for letter in "\\`*_[]{}#|~$"} | {"<": "&lt;", ">": "&gt;", "&": "&amp;"}
_REFUSED = (r"\operatorname", r"\mathrm")  # a command GitHub does not allow, and the one that looks like it


def document(report: Report) -> str:
    """The whole file; several problems have a list of contents. Drawings are files beside it, see `beside`."""
    parts: list[str] = []
    drawings = 0
    for chapter in report.chapters:
        writer = Markdown(LatexFormulas(chapter.reading, report.translate), chapter.style.fences)
        for block in chapter.blocks():
            if not isinstance(block, Picture):
                parts += writer.block(block)
            elif report.name and drawn(block, chapter.reading) is not None:
                drawings += 1
                parts.append(f"![{writer.words(picture_name(chapter.reading, block))}]({_address(_file(report, drawings))})")
    if len(report.chapters) > 1:
        parts.insert(0, _contents(report))
    return "\n\n".join(parts) + "\n"


def beside(report: Report) -> dict[str, str]:
    """The drawings: name of a file → SVG. None where the report has no name of its own."""
    from handcalc.render.diagram.svg import svg

    found: dict[str, str] = {}
    for chapter in report.chapters if report.name else ():
        for block in chapter.blocks():
            if isinstance(block, Picture):
                drawing = drawn(block, chapter.reading)
                if drawing is not None:
                    found[_file(report, len(found) + 1)] = svg(drawing, chapter.reading, report.translate)
    return found


def _file(report: Report, number: int) -> str:
    """The name of a drawing's file."""
    return f"{report.name}-drawing-{number}.svg"


def _address(name: str) -> str:
    """The address of a file beside this one; letters of other scripts stay."""
    from urllib.parse import quote

    return "".join(letter if not letter.isascii() and letter.isprintable() else quote(letter, errors="surrogateescape") for letter in name)


def escaped(text: str) -> str:
    """A text that means itself in Markdown, on one line."""
    return "".join(ESCAPES.get(letter, letter) for letter in printable(text))


def _contents(report: Report) -> str:
    """# Contents, and a line for each problem that leads to its heading as GitHub names it."""
    seen: dict[str, int] = {}
    lines = []
    for chapter in report.chapters:
        title = LatexFormulas(chapter.reading, report.translate).text(title_of(chapter))
        anchor = re.sub(r"[^\w\- ]", "", printable(title).lower()).replace(" ", "-")
        seen[anchor] = seen.get(anchor, -1) + 1
        lines.append(f"- [{escaped(title)}](#{anchor}{f'-{seen[anchor]}' if seen[anchor] else ''})")
    return f"# {escaped(Message('Contents').text(report.translate))}\n\n" + "\n".join(lines)


class Markdown:
    """Writes blocks; fences: equations in the `math` blocks of GitHub. `escaped` is what notebooks do in another way."""

    def __init__(self, formulas: LatexFormulas, fences: bool = False) -> None:
        self.formulas = formulas
        self.fences = fences

    def block(self, block: Block) -> Iterator[str]:
        """The paragraphs of a block that is no drawing."""
        match block:
            case Heading(level, text):
                yield "#" * level + " " + self.words(text)
            case Paragraph(text):
                yield self.paragraph(text)
            case Equation():
                yield self.display(formula(self.formulas.equation(block), block.number))
            case Grid(parts):
                yield self.display(formula(self.formulas.grid(parts)))
            case Table(columns, rows):
                lines = [[self.words(item) for item in row] for row in (columns, *rows)]
                lines.insert(1, ["---:" if number else "---" for number in number_columns(block)])
                yield "\n".join("| " + " | ".join(line) + " |" for line in lines)
                for remark in remarks(block):
                    yield self.paragraph(remark)

    def paragraph(self, item: Item) -> str:
        """A text that does not begin like a list or a line below a heading."""
        return re.sub(r"^(\d+(?=[.)])|(?=[-+=]))", r"\1\\", self.words(item))

    def words(self, item: Item) -> str:
        """An item between words: escaped, or a formula."""
        if isinstance(item, Message):
            pieces = phrase(item, self.formulas.translate)
            return "".join(self.escaped(piece) if isinstance(piece, str) else self.words(piece) for piece in pieces)
        return self.escaped(self.formulas.text(item)) if is_text(item) else f"${self.formulas.formula(item).replace(*_REFUSED)}$"

    def escaped(self, text: str) -> str:
        """A text that means itself."""
        return escaped(text)

    def display(self, formula: str) -> str:
        """A formula of its own."""
        return f"```math\n{formula}\n```" if self.fences else f"$$\n{formula}\n$$"


def formula(lines: list[str], number: int = 0) -> str:
    """The lines of an equation as one formula, with its number."""
    inside = lines[0] if len(lines) == 1 else "\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}"
    return inside.replace(*_REFUSED) + (f" \\tag{{{number}}}" if number else "")
