"""Blocks → terminal: colours only where there is a terminal, ASCII where there is no Unicode, nothing cut off.

- `show(blocks, reading, translate, page)` prints; `page_on(stream)` makes the page.

An equation is broken before = or ≈, as late as can be; where one part alone is too wide, inside it (breaking.py). Files and pipes have
lines of FILE_WIDTH. Narrow tables stand side by side (sidebyside.py), wide ones are split by columns.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import IO, TYPE_CHECKING

from handcalc.errors import Message
from handcalc.language import Translate, wrapped
from handcalc.render.blocks import Block, Chart, Equation, Grid, Heading, Paragraph, Picture, Table, Titled, chunks, narrowed
from handcalc.render.formats.air import Together, apart, laid
from handcalc.render.formats.common import drawn, is_numeric, number_columns
from handcalc.render.formats.sidebyside import NarrowTable, rows_of, side_by_side
from handcalc.render.formats.styled import Line, TableColumn, cell_len
from handcalc.render.formats.textequations import TextEquations, style_of
from handcalc.render.formats.textpage import FILE_WIDTH, Screen, TextPage
from handcalc.render.items import Blank, Item
from handcalc.render.reading import Reading

if TYPE_CHECKING:
    from handcalc.render.report import Report

# where a matrix equation may be broken: the better, the smaller
_BREAKS = {"=": 0, "≈": 0, "+": 1, "-": 1, "·": 2, "⊙": 2, "⋆": 2, "∗": 2, "/": 2}
NARROWEST = 20  # columns that COLUMNS may ask for
BESIDE = (2, 3, 4)  # levels of headings that have formulas beside them
BETWEEN = "    "  # between formulas in one line
SLOT = 25  # columns of a short line, or a multiple
RULE_WIDTH = 72  # columns of a heading with its rule


def _same(before: Block | None, block: Equation) -> bool:
    """Whether two lines are of one quantity."""
    return isinstance(before, Equation) and before.step is not None and block.step is not None and before.step[0][0] == block.step[0][0]


def page_on(stream: IO[str] | None = None, plain: bool = False, colours: bool | None = None) -> TextPage:
    """The page of a solution: no colour unless it is a terminal that wants it, or colours says so; as wide as the terminal."""
    target = stream or sys.stdout
    columns = os.environ.get("COLUMNS", "")
    width = int(columns) if columns.isdigit() and int(columns) >= NARROWEST else FILE_WIDTH
    terminal = getattr(target, "isatty", lambda: False)()
    if terminal or colours and not plain:
        from handcalc.render.formats.console import console_of

        return Screen(console_of(target, None if terminal else width, False if plain else colours))
    return TextPage(target, width)


def document(report: Report) -> str:
    """The report as a file: no colours, 100 columns."""
    stream = io.StringIO()
    for chapter in report.chapters:
        show(chapter.blocks(), chapter.reading, report.translate, page_on(stream, plain=True))
    return stream.getvalue()


def show(blocks: Iterable[Block], reading: Reading, translate: Translate, page: TextPage) -> None:
    """Print a document."""
    writer = _TerminalWriter(reading, translate, page)
    for are_lines, group in groupby(laid(blocks, BESIDE), lambda part: isinstance(part, Equation)):
        if are_lines:
            writer.equations([part for part in group if isinstance(part, Equation)])
            continue
        for part in group:
            match part:
                case Together(equations, beside):
                    writer.formulas(equations, beside)
                case tuple():
                    writer.tables(part)
                case _:
                    writer.write(part)


class _TerminalWriter(TextEquations):
    def write(self, block: Block) -> None:
        """One block; air before a table, after it, and between one quantity's lines and the next's."""
        if not isinstance(block, Heading) and apart(self.before, block):
            self.page.print()
        before, self.before = self.before, block
        match block:
            case Heading():
                self.page.heading(self.heading(block, before))
            case Paragraph(text):
                for line in wrapped(self.spell(text), self.page.width):
                    self.line(Line(line, style_of(text)))
            case Equation():
                self.equations([block])
            case Grid(parts):
                self.grid(parts)
            case Picture():
                self.picture(block)
            case Chart():
                self.chart(block)

    def tables(self, narrow: Sequence[Titled]) -> None:
        """Tables that follow each other, with their titles: side by side where they have room."""
        found = []
        for title, table in narrow:
            head = Line(self.spell(title.text), "bold") if title else None
            found.append(NarrowTable(head, self.table(table), table))
        for row in rows_of(found, min(self.page.width, FILE_WIDTH)):
            if any(column.title for column in row) or apart(self.before, row[0].table):
                self.page.print()
            for line in side_by_side(row):
                self.line(line)
            self.before = row[-1].table

    def picture(self, block: Picture) -> None:
        """The network as a drawing of letters."""
        drawing = drawn(block, self.reading)
        if drawing is not None:
            from handcalc.render.diagram.text import drawing as in_letters

            self.page.print()
            for line in in_letters(drawing, self.reading, self.translate, self.page.width).splitlines():
                self.line(Line(self.spelled(line)))

    def chart(self, block: Chart) -> None:
        """A plot as a drawing of letters."""
        from handcalc.render.plot.letters import drawing as in_letters

        for line in in_letters(block.plot, self.reading, self.translate, min(self.page.width, FILE_WIDTH)):
            self.line(Line(self.spelled(line)))

    def heading(self, block: Heading, before: Block | None, beside: int = 0) -> Line:
        """A heading with air before it, but for one right below another; the higher ones in a rule that leaves room for so many columns."""
        text, level = self.spell(block.text), block.level
        if before and not (isinstance(before, Heading) and level > before.level > 1):
            self.page.print()
        rule = ({1: "=", 2: "-"} if self.ascii else {1: "═", 2: "─"}).get(level, "")
        line = Line(rule * 2 + " " * bool(rule)).append(text, "bold")
        room = min(self.page.width - beside, RULE_WIDTH // (2 if beside else 1)) - line.cell_len - 1
        return line.append(" " * (room > 0 and bool(rule)) + rule * max(room, 0))

    # --- formulas ---

    def equations(self, blocks: Sequence[Equation]) -> None:
        """Lines that follow each other; short ones of one quantity beside each other, where they have no number and no label."""
        row, most = Line(), min(self.page.width, FILE_WIDTH)
        for block in blocks:
            air = apart(self.before, block)
            lines = [*self.equation(block)]
            short = block.step is not None and len(lines) == 1 and not (block.number or block.label or block.reasons)
            if row.parts and short and not air and _same(self.before, block):
                wide = lines[0].cell_len - 2 * block.indent
                place = 2 * block.indent + -(-(row.cell_len + len(BETWEEN) - 2 * block.indent) // SLOT) * SLOT
                if place + wide <= most:
                    row.append(" " * (place - row.cell_len))
                    for text, style in lines[0].parts[bool(block.indent) :]:
                        row.append(text, style)
                    continue
            if row.parts:
                self.line(row)
            if air:
                self.page.print()
            row = lines.pop() if short else Line()
            for line in lines:
                self.line(line)
            self.before = block
        if row.parts:
            self.line(row)

    def formulas(self, blocks: Sequence[Equation], beside: Heading | Paragraph | None) -> None:
        """General formulas and given numbers, as many in a line as have room; the first beside what stands above them."""
        line, most = Line(), min(self.page.width, FILE_WIDTH)
        if isinstance(beside, Heading):
            line = self.heading(beside, self.before, len(BETWEEN) + cell_len(self.formula(blocks[0])))
            self.before = beside
        elif beside:
            if apart(self.before, beside):
                self.page.print()
            *lines, last = wrapped(self.spell(beside.text), most)
            for text in lines:
                self.line(Line(text))
            line = Line(last)
            self.before = beside
        for block in blocks:
            text = self.formula(block)
            if line.parts and line.cell_len + len(BETWEEN) + cell_len(text) <= most:
                line.append(BETWEEN).append(text, "dim")
                continue
            if line.parts:
                self.line(line)
                line = Line()
            if cell_len(text) > most:
                self.write(block)
            else:
                if apart(self.before, block):
                    self.page.print()
                line = Line(text, "dim")
            self.before = block
        if line.parts:
            self.line(line)
        self.before = blocks[-1]

    # --- tables ---

    def table(self, block: Table) -> list[Line]:
        """The lines of a table, in parts where it is too wide; then how much is not shown."""
        lines: list[Line] = []
        headings = [self.spell(column) for column in block.columns]
        columns = [self.column([row[place] for row in block.rows]) for place in range(len(headings))]
        numeric = number_columns(block)
        widths = [max([cell_len(heading), *(cell_len(cell) for cell in column)]) for heading, column in zip(headings, columns)]

        def gap(place: int, text: str) -> str:
            return " " * (widths[place] - cell_len(text)) + text if numeric[place] else text

        wrapped_column = len(widths) - 1 if block.wraps else -1
        for part, chunk in enumerate(chunks(narrowed(widths, self.page.width) if block.wraps else widths, self.page.width)):
            if part:
                lines.append(Line())
            headings_shown = [gap(place, headings[place]) for place in chunk]
            rows = [
                [(gap(place, columns[place][row]), style_of(block.rows[row][place])) for place in chunk] for row in range(len(block.rows))
            ]
            named = [TableColumn(heading, place == wrapped_column) for heading, place in zip(headings_shown, chunk)]
            lines += self.page.table(named, rows, self.ascii)
        if block.omitted:
            lines.append(Line(self.spell(Message("… {count} more {count:row is|rows are} not shown", count=block.omitted))))
        if block.hidden:
            lines.append(Line(self.spell(Message("… {count} more {count:column is|columns are} not shown", count=block.hidden))))
        return lines

    def column(self, items: Sequence[Item]) -> list[str]:
        """The cells of a column; numbers are padded so that their points stand below each other."""
        texts = [self.spell(item) for item in items]
        if not is_numeric(items) or any(isinstance(item, Blank) for item in items):
            return texts
        point = "," if self.reading.comma else "."
        tails = [len(text) - text.index(point) if point in text else 0 for text in texts]
        return [text + " " * (max(tails) - tail) for text, tail in zip(texts, tails)]

    def grid(self, parts: Sequence[str | Item | tuple[tuple[Item, ...], ...]]) -> None:
        """A matrix equation: rows side by side, brackets drawn."""
        boxes = [self.matrix(part) if isinstance(part, tuple) else [self.operator(part)] for part in parts]
        high = self.reading.dialect.high
        for sign, exponent in zip(boxes, boxes[1:]):
            if sign == ["^"] and all(letter in high for letter in exponent[0]):
                sign[0], exponent[0] = "", "".join(high[letter] for letter in exponent[0])
        height = max(map(len, boxes))
        lines = [""] * height
        for rows in boxes:
            width = max(map(cell_len, rows))
            top = (height - len(rows)) // 2
            for place in range(height):
                text = rows[place - top] if 0 <= place - top < len(rows) else ""
                lines[place] += text + " " * (width - cell_len(text))
        if max(map(cell_len, lines)) + 2 > self.page.width:
            place = self._broken(parts, [max(map(cell_len, rows)) for rows in boxes])
            if place:
                self.grid(parts[:place])
                self.grid(parts[place:])
                return
        for text in lines:
            self.line(Line("  " + text.rstrip()))

    def _broken(self, parts: Sequence[str | Item | tuple[tuple[Item, ...], ...]], widths: list[int]) -> int:
        """Where a matrix equation too wide for a line is broken best: before a relation, else a term, else a factor; as late as can be."""
        depth = used = 0
        related = False  # the first relation stays beside the name
        places: dict[tuple[int, int], int] = {}
        for place, (part, width) in enumerate(zip(parts, widths)):
            sign = part if isinstance(part, str) else ""
            rank = _BREAKS.get(sign, -1) if place and (related or sign not in ("=", "≈")) else -1
            if rank >= 0 and (used + 2 <= self.page.width or (depth, rank) not in places):
                places[depth, rank] = place
            related = related or sign in ("=", "≈")
            depth += (sign == "(") - (sign == ")")
            used += width
        return places[min(places)] if places else 0

    def operator(self, part: str | Item) -> str:
        """A sign between matrices with the air it needs, or an item."""
        if not isinstance(part, str):
            return self.spell(part)
        tight = {"ᵀ": "^T" if self.ascii else "ᵀ", "(": "(", ")": ")", ",": ", ", "^": "^", "−": "-"}
        sign = {"⊙": ".*", "·": "*", "⋆": "star", "∗": "conv", "≈": "~="}.get(part, part) if self.ascii else part
        return tight.get(part, f" {sign} ")

    def matrix(self, rows: tuple[tuple[Item, ...], ...]) -> list[str]:
        columns = [self.column([row[place] for row in rows]) for place in range(len(rows[0]))]
        widths = [max(map(cell_len, column)) for column in columns]
        texts = [
            "  ".join(" " * (width - cell_len(column[row])) + column[row] for column, width in zip(columns, widths))
            for row in range(len(rows))
        ]
        if self.ascii or len(rows) == 1:
            return [f"[ {text} ]" for text in texts]
        left, right = ["⎡", *"⎢" * (len(rows) - 2), "⎣"], ["⎤", *"⎥" * (len(rows) - 2), "⎦"]
        return [f"{a} {text} {b}" for a, text, b in zip(left, texts, right)]
