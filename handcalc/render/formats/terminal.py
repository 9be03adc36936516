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
from typing import IO, TYPE_CHECKING

from handcalc.errors import Message, printable
from handcalc.language import Translate, is_english, wrapped
from handcalc.render.blocks import Block, Chart, Equation, Grid, Heading, Paragraph, Picture, Table, Titled, chunks, narrowed
from handcalc.render.dialects import spelled_in_ascii
from handcalc.render.formats.air import Together, apart, laid
from handcalc.render.formats.breaking import pieces
from handcalc.render.formats.common import drawn, is_numeric, number_columns
from handcalc.render.formats.sidebyside import NarrowTable, rows_of, side_by_side
from handcalc.render.formats.styled import Line, TableColumn, cell_len
from handcalc.render.formats.textpage import Screen, TextPage
from handcalc.render.items import Blank, Item, Toned, Value, phrase, spell
from handcalc.render.reading import Reading

if TYPE_CHECKING:
    from handcalc.render.report import Report

Part = tuple[str, str, bool]  # of an equation: = or ≈, what is behind it, whether that is its value
NUMBERS = 2  # parts at the end of an equation that are numbers: those put in, and the value
LABEL_WIDTH = 7  # columns of the word before an equation
LEFT_WIDTH = 16  # columns of what stands before the parts of a proof
REASON_WIDTH = 28  # columns of the reasons beside them, at least
# where a matrix equation may be broken: the better, the smaller
_BREAKS = {"=": 0, "≈": 0, "+": 1, "-": 1, "·": 2, "⊙": 2, "⋆": 2, "∗": 2, "/": 2}
_STYLES = {"right": "green", "wrong": "red", "follows": "yellow", "few": "yellow", "strong": "bold"}  # tone → how it looks
NARROWEST = 20  # columns that COLUMNS may ask for
BESIDE = (2, 3, 4)  # levels of headings that have formulas beside them
BETWEEN = "    "  # between formulas in one line
RULE_WIDTH = 72  # columns of a heading with its rule
FILE_WIDTH = 100  # columns when the output goes to a file


def has_unicode(stream: IO[str]) -> bool:
    """Whether a stream can show what formulas need."""
    try:
        "∂δη·≈₁².Σ─".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def page_on(stream: IO[str] | None = None, plain: bool = False) -> TextPage:
    """The page of a solution: no colour unless it is a terminal that wants it; as wide as the terminal."""
    target = stream or sys.stdout
    if getattr(target, "isatty", lambda: False)():
        from handcalc.render.formats.console import console_of

        return Screen(console_of(target, None, not plain))
    columns = os.environ.get("COLUMNS", "")
    return TextPage(target, int(columns) if columns.isdigit() and int(columns) >= NARROWEST else FILE_WIDTH)


def document(report: Report) -> str:
    """The report as a file: no colours, 100 columns."""
    stream = io.StringIO()
    for chapter in report.chapters:
        show(chapter.blocks(), chapter.reading, report.translate, page_on(stream, plain=True))
    return stream.getvalue()


def show(blocks: Iterable[Block], reading: Reading, translate: Translate, page: TextPage) -> None:
    """Print a document."""
    writer = _TerminalWriter(reading, translate, page)
    for part in laid(blocks, BESIDE):
        match part:
            case Together(equations, beside):
                writer.formulas(equations, beside)
            case tuple():
                writer.tables(part)
            case _:
                writer.write(part)


def _style(item: Item | str) -> str:
    """How an item looks on a terminal that has colours."""
    return _STYLES[item.tone] if isinstance(item, Toned) else ""


class _TerminalWriter:
    def __init__(self, reading: Reading, translate: Translate, page: TextPage) -> None:
        self.reading = reading
        self.translate = translate
        self.page = page
        self.ascii = reading.dialect.ascii
        unknown = getattr(page.file, "encoding", None) is None
        # other scripts have a stream of their own
        self.strict = self.ascii and is_english(translate) and (unknown or has_unicode(page.file))
        self.before: Block | None = None

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
                    self.line(Line(line, _style(text)))
            case Equation():
                self.equation(block)
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

    def spell(self, item: Item | str) -> str:
        text = printable(spell(item, self.reading, self.translate))
        return self.spelled(text) if self.ascii and not text.isascii() else text

    def spelled(self, text: str) -> str:
        """A text in the letters that are wanted."""
        return spelled_in_ascii(text, self.strict) if self.ascii else text

    def line(self, text: Line) -> None:
        self.page.print(text)

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

    def formulas(self, blocks: Sequence[Equation], beside: Heading | Paragraph | None) -> None:
        """General formulas and given numbers, as many in a line as have room; the first beside what stands above them."""
        line, most = Line(), min(self.page.width, FILE_WIDTH)
        if isinstance(beside, Heading):
            line = self.heading(beside, self.before, len(BETWEEN) + cell_len(self.formula(blocks[0])))
            self.before = beside
        elif beside:
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

    def formula(self, block: Equation) -> str:
        """A formula in one line."""
        return self.spell(block.left) + "".join(f" {self.relation(relation)} {self.spell(item)}" for relation, item in block.right)

    def proof(self, block: Equation) -> None:
        """One part below the other, its reason beside it; where there is no room for it, beneath."""
        start = "  " * block.indent + self.spell(block.left)
        if cell_len(start) > LEFT_WIDTH:
            self.line(Line(start))
            start = "  " * (block.indent + 1)
        parts = [(f" {self.relation(relation)} ", self.spell(item)) for relation, item in block.right]
        margin = cell_len(start) + 3
        most = self.page.width - margin - REASON_WIDTH
        column = margin + max((cell_len(text) for _, text in parts if cell_len(text) <= most), default=0) + 3
        for (relation, text), reason in zip(parts, block.reasons):
            *before, last = pieces(text, self.page.width - margin)
            line = Line(start + relation)
            for piece in before:
                self.line(line.append(piece))
                line = Line(" " * (margin + 2))
            line.append(last)
            beside = line.cell_len + 3 <= column and not before
            place = column if beside else margin + 4
            words = self.broken(reason, self.page.width - place)
            if beside and words[0]:
                self.line(line.append(" " * (column - line.cell_len)).append(words[0], "dim"))
                words = words[1:]
            else:
                self.line(line)
            for text in filter(None, words):
                self.line(Line(" " * place).append(text, "dim"))
            start = " " * cell_len(start)

    def broken(self, reason: Message, width: int) -> list[str]:
        """A reason in lines; a formula is parted only where it is wider than a line."""
        pieces = [(self.spell(piece), isinstance(piece, str)) for piece in phrase(reason, self.translate)]
        whole = "".join(text if words or cell_len(text) > width else text.replace(" ", "\1") for text, words in pieces)
        return [line.replace("\1", " ") for line in wrapped(whole, width)]

    def equation(self, block: Equation) -> None:
        if block.reasons:
            return self.proof(block)
        label = f"({block.number})" if block.number else self.spell(block.label) if block.label else ""
        left = (label + " " * max(LABEL_WIDTH - cell_len(label), 1) if label else "") + self.spell(block.left)
        parts = [(relation, self.spell(item), isinstance(item, Value)) for relation, item in block.right]
        kept = [part for place, part in enumerate(parts) if place == 0 or part[1] != parts[place - 1][1]]
        start = " " * (2 * block.indent)
        over = cell_len(start + left) + sum(map(self.wide, kept)) - min(self.page.width, FILE_WIDTH)
        tight = [(relation, text.replace(" · ", "·"), final) for relation, text, final in kept]
        if 0 < over <= sum(map(self.wide, kept)) - sum(map(self.wide, tight)):
            kept = tight
        for place, inside in enumerate(self.filled(kept, cell_len(start + left))):
            line = Line(" " * cell_len(start + left))
            if place == 0:
                line = Line(start).append(label, _style(block.label) if block.label else "").append(left[len(label) :])
            for relation, text, final in inside:
                line.append(f" {self.relation(relation)} ")
                for extra, piece in enumerate(pieces(text, self.page.width - cell_len(start + left) - 3)):
                    if extra:
                        self.line(line)
                        line = Line(" " * (cell_len(start + left) + 5))
                    line.append(piece, "bold" if final else "")
            self.line(line)

    def wide(self, part: Part) -> int:
        """How many columns a part of an equation takes."""
        return cell_len(f" {self.relation(part[0])} {part[1]}")

    def filled(self, parts: Sequence[Part], margin: int) -> list[list[Part]]:
        """The parts of an equation in lines that have room for them: in one; in two, numbers below letters; else as many as fit in each."""
        widths = [*map(self.wide, parts)]
        most = min(self.page.width, FILE_WIDTH) - margin
        for place in (0, len(parts) - NUMBERS):
            if place >= 0 and sum(widths[:place]) <= most and sum(widths[place:]) <= most:
                return [[*lines] for lines in (parts[:place], parts[place:]) if lines]
        lines: list[list[Part]] = [[]]
        used = 0
        for part, wide in zip(parts, widths):
            if lines[-1] and used + wide > most:
                lines.append([])
                used = 0
            lines[-1].append(part)
            used += wide
        return lines

    def relation(self, relation: str) -> str:
        return self.reading.dialect.approximately if relation == "≈" else spelled_in_ascii(relation) if self.ascii else relation

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
                [(gap(place, columns[place][row]), _style(block.rows[row][place])) for place in chunk] for row in range(len(block.rows))
            ]
            named = [TableColumn(heading, place == wrapped_column) for heading, place in zip(headings_shown, chunk)]
            lines += self.page.table(named, rows, self.ascii)
        if block.omitted:
            lines.append(Line(self.spell(Message("… {count} more rows are not shown", count=block.omitted))))
        if block.hidden:
            lines.append(Line(self.spell(Message("… {count} more columns are not shown", count=block.hidden))))
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
