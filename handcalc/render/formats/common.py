"""What every typeset format needs: the formula of an item, the parts of an equation, the kinds of a table's columns.

- `Formulas(reading, translate)`: `text(item)`, words that the format escapes; `formula(item)`, an item inside a formula;
  `sides(block)`, the left side of an equation and its parts with their relations.
- `is_text(item)`, `number_columns(table)`, `remarks(table)`, `title_of(chapter)`, `drawn(picture, reading)`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.render.blocks import Equation, Picture, Table
from handcalc.render.items import MISSING, Blank, Digits, Item, Plain, Toned, Value, phrase, spell, title_item
from handcalc.render.reading import Reading
from handcalc.render.report import Chapter

if TYPE_CHECKING:
    from handcalc.render.diagram import Diagram


def is_text(item: Item | str) -> bool:
    """Whether an item is words and no formula."""
    return isinstance(item, (Plain, Toned, Message))


def number_columns(table: Table) -> list[bool]:
    """Which columns hold numbers, and nothing else but marks where there is none."""
    columns = [[row[place] for row in table.rows] for place in range(len(table.columns))]
    return [is_numeric(column) for column in columns]


def is_numeric(column: Sequence[Item]) -> bool:
    """Whether items are numbers, of which some may be missing."""
    kept = [item for item in column if item != MISSING]
    return bool(kept) and all(isinstance(item, (Value, Digits, Blank)) for item in kept)


def remarks(table: Table) -> Iterator[Message]:
    """What a table leaves out."""
    if table.omitted:
        yield Message("… {count} more {count:row is|rows are} not shown", count=table.omitted)
    if table.hidden:
        yield Message("… {count} more {count:column is|columns are} not shown", count=table.hidden)


def is_given(block: Equation) -> bool:
    """Whether it is the number of a name: η = 0.5."""
    return all(isinstance(item, Value) for _, item in block.right)


def title_of(chapter: Chapter) -> Item:
    """What a chapter is called."""
    header = chapter.derivation.header
    return title_item(header.title, header.title_zh) if header.title or header.title_zh else Message("Worked solution")


def drawn(picture: Picture, reading: Reading) -> Diagram | None:
    """The drawing that a block stands for; None where there is nothing to draw."""
    from handcalc.render.diagram import diagram, window_of

    reading = reading.at(picture.iteration)
    if picture.window is not None:
        return window_of(reading.derivation, reading, picture.window, picture.iteration, picture.values)
    return diagram(reading.derivation, reading, picture.iteration, picture.values, picture.gradients)


class Formulas:
    """Spells the items of a document in a typeset dialect."""

    def __init__(self, reading: Reading, translate: Translate) -> None:
        typeset = reading.dialect.typeset
        if typeset is None:
            raise ValueError(f"the dialect {reading.dialect.key} is not typeset")
        self.reading = reading
        self.translate = translate
        self.typeset = typeset

    def text(self, item: Item | str) -> str:
        """The words of a text, not yet escaped."""
        return spell(item, self.reading, self.translate)

    def formula(self, item: Item | str) -> str:
        """An item inside a formula."""
        if isinstance(item, Toned):
            return self.formula(item.text)
        if isinstance(item, Message):
            pieces = phrase(item, self.translate)
            return "".join(self.formula(piece) if not isinstance(piece, str) else piece and self._words(piece) for piece in pieces)
        spelled = self.text(item)
        if not is_text(item):
            return spelled
        return self._words(spelled)

    def _words(self, spelled: str) -> str:
        """Words inside a formula."""
        form = self.typeset.number if spelled.isascii() and spelled.isdigit() else self.typeset.text
        return form.format(x=self.typeset.escape(spelled))

    def sides(self, block: Equation) -> tuple[str, list[tuple[str, str]]]:
        """The left side, and relation and formula of each part on the right; of parts that look alike, the first."""
        parts = [(relation, self.formula(item)) for relation, item in block.right]
        if not block.reasons:
            parts = [part for place, part in enumerate(parts) if place == 0 or part[1] != parts[place - 1][1]]
        return self.formula(block.left), parts
