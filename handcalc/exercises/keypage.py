"""What a teacher who marks by hand has beside the key: the wrong answers to expect, and which mistake gives each.

- `KeyChapter(…, slips)` is the chapter of a key: the worked solution, then the table of `frequent_slips(slips, reading)`.

Of large networks there is no such table: their mistakes are not worked out one by one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from handcalc.core.derivation import Derivation
from handcalc.errors import Message, Template
from handcalc.exercises.wronganswers import ExpectedSlip
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.wording import as_typed, step_item
from handcalc.marking.workbook import base
from handcalc.render.blocks import Block, Heading, Item, Plain, Rows, Table
from handcalc.render.dialects import Dialect
from handcalc.render.reading import Reading
from handcalc.render.report import Chapter, Style

COLUMNS: tuple[Template, ...] = ("quantity", "right", "if it says", "then")


class KeyChapter(Chapter):
    """The worked solution of an exercise, and the slips to expect."""

    def __init__(self, derivation: Derivation, dialect: Dialect, style: Style, slips: Sequence[ExpectedSlip]) -> None:
        super().__init__(derivation, dialect, style)
        self.slips = slips

    def blocks(self) -> Iterator[Block]:
        """The document."""
        yield from super().blocks()
        yield from frequent_slips(self.slips, self.reading)


def frequent_slips(slips: Sequence[ExpectedSlip], reading: Reading) -> Iterator[Block]:
    """A table: step, right number, wrong number, what went wrong; numbers have the sign of the letter that stands for the step."""
    rows: list[tuple[Item, ...]] = []
    for slip in slips:
        other = reading.turned(base(slip.wanted))
        name, *names = (Message(MISTAKES[slug].name) for slug in slip.slugs)
        for further in names:
            name = Message("{first}; or: {second}", first=name, second=further)
        rows.append((step_item(slip.wanted), as_typed(slip.right, other), as_typed(slip.wrong, other), name))
    if rows:
        yield Heading(2, Message("Frequent slips"))
        yield Table(tuple(map(Message, COLUMNS)), _once(rows), wraps=True)


def _once(rows: list[tuple[Item, ...]]) -> Rows:
    """The rows; a quantity is named, and its number said, in the first of its rows only."""
    return tuple((Plain(""), Plain(""), *row[2:]) if place and row[0] == rows[place - 1][0] else row for place, row in enumerate(rows))
