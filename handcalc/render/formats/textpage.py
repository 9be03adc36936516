"""What documents of letters are written on: a file or a pipe, or a terminal with its colours.

- `TextPage(file, width)`: `print(line)`, `heading(line)`, `table(columns, rows, ascii)`; `Screen(console)` is that of a terminal.

A page needs no library for lines, and for tables that have room. What a terminal shows is drawn by rich (console.py), and so is a table
or a heading that has to be folded into a line that is too short for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING

from handcalc.render.formats.styled import Letters, Line, Rows, TableColumn, cell_len

if TYPE_CHECKING:
    from rich.console import Console


FILE_WIDTH = 100  # columns when the output goes to a file


def has_unicode(stream: IO[str]) -> bool:
    """Whether a stream can show what formulas need."""
    try:
        "∂δη·≈₁².Σ─".encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


class TextPage:
    """A file or a pipe, without colours."""

    def __init__(self, file: IO[str], width: int) -> None:
        self.file = file
        self.width = width

    @property
    def encoding(self) -> str:
        """Which letters it may have."""
        return (getattr(self.file, "encoding", None) or "utf-8").lower()

    def print(self, line: Line | None = None) -> None:
        """A line, however long."""
        self.file.write((line.plain if line else "") + "\n")

    def heading(self, line: Line) -> None:
        """A line, in several where it is too long."""
        if line.cell_len <= self.width:
            return self.print(line)
        from handcalc.render.formats.console import folded

        for one in folded(self._folding(), line):
            self.print(one)

    def table(self, columns: Sequence[TableColumn], rows: Rows, ascii: bool) -> list[Line]:
        """The lines of a table, without blanks at their ends."""
        texts = [[column.heading for column in columns], *([text for text, _ in row] for row in rows)]
        widths = [max(map(cell_len, column)) for column in zip(*texts)]
        whole = sum(widths) + 3 * len(widths) + (2 * ascii - 1) - 2
        if whole > self.width or not (rows and all(widths)) or not (ascii or self.encoding.startswith("utf")):
            from handcalc.render.formats.console import table

            return table(self._folding(), columns, rows, ascii)
        lines = [self._row(texts[0], widths, ascii), *(self._row(row, widths, ascii) for row in texts[1:])]
        rule = "-+-".join("-" * width for width in widths) if ascii else "─" * whole
        lines.insert(1, f"+{rule}+" if ascii else rule)
        if ascii:
            lines = [lines[1], *lines, lines[1]]
        return [Line(line.rstrip()) for line in "\n".join(lines).rstrip("\n").split("\n")]

    @staticmethod
    def _row(texts: Sequence[str], widths: Sequence[int], ascii: bool) -> str:
        cells = [text + " " * (width - cell_len(text)) for text, width in zip(texts, widths)]
        return "|" + " | ".join(cells) + "|" if ascii else "   ".join(cells)

    def _folding(self) -> Console:
        from handcalc.render.formats.console import console_of

        return console_of(Letters(self.encoding), self.width, False)


class Screen(TextPage):
    """A terminal, as its console shows it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        super().__init__(console.file, console.width)

    def print(self, line: Line | None = None) -> None:
        from handcalc.render.formats.console import text_of

        self.console.file = self.file
        self.console.print(text_of(line or Line()), no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)

    def heading(self, line: Line) -> None:
        from handcalc.render.formats.console import text_of

        self.console.file = self.file
        self.console.print(text_of(line))

    def table(self, columns: Sequence[TableColumn], rows: Rows, ascii: bool) -> list[Line]:
        from handcalc.render.formats.console import table

        self.console.file = self.file
        return table(self.console, columns, rows, ascii)
