"""Narrow tables on a terminal side by side: the weights of all layers in one view.

- `rows_of(columns, width)` are those that have room beside each other; `side_by_side(row)` are the lines of some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from handcalc.core.record import Record
from handcalc.render.blocks import Table
from handcalc.render.formats.styled import Line

APART = 6  # columns between two tables


class NarrowTable(Record):
    """A table as lines, and its title."""

    title: Line | None
    lines: list[Line]
    table: Table

    @cached_property
    def width(self) -> int:
        """Of its longest line."""
        return max(line.cell_len for line in (self.title or Line(), *self.lines))


def rows_of(columns: Iterable[NarrowTable], width: int) -> Iterator[list[NarrowTable]]:
    """As many columns in each row as have room."""
    row: list[NarrowTable] = []
    used = 0
    for column in columns:
        if row and used + column.width > width:
            yield row
            row, used = [], 0
        row.append(column)
        used += column.width + APART
    if row:
        yield row


def side_by_side(row: Sequence[NarrowTable]) -> Iterator[Line]:
    """The lines of a row, titles above their tables."""
    titled = any(column.title for column in row)
    columns = [[column.title or Line(), *column.lines] if titled else column.lines for column in row]
    for place in range(max(map(len, columns))):
        line = Line()
        for own, lines in zip(row, columns):
            part = lines[place] if place < len(lines) else Line()
            for text, style in part.parts:
                line.append(text, style)
            line.append(" " * (own.width + APART - part.cell_len))
        yield line.rstrip()
