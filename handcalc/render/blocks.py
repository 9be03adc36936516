"""The blocks of a document: headings, paragraphs, lines, tables, drawings. They hold items (items.py), never finished text.

An exporter asks its `Reading` for the text of an item in its own dialect, and its translator for that of a message. The names of
items.py are here as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.items import MISSING as MISSING
from handcalc.render.items import Blank as Blank
from handcalc.render.items import Digits as Digits
from handcalc.render.items import Equal as Equal
from handcalc.render.items import Factors as Factors
from handcalc.render.items import FunctionName as FunctionName
from handcalc.render.items import Item as Item
from handcalc.render.items import Name as Name
from handcalc.render.items import Numeric as Numeric
from handcalc.render.items import Plain as Plain
from handcalc.render.items import Put as Put
from handcalc.render.items import Ratio as Ratio
from handcalc.render.items import Summed as Summed
from handcalc.render.items import Symbolic as Symbolic
from handcalc.render.items import Toned as Toned
from handcalc.render.items import Value as Value
from handcalc.render.items import Whole as Whole
from handcalc.render.items import phrase as phrase
from handcalc.render.items import spell as spell

if TYPE_CHECKING:
    from handcalc.render.plot.model import Plot


class Heading(Record):
    """A heading; level 1 is the title of the document."""

    level: int
    text: Item


class Paragraph(Record):
    """A sentence or two."""

    text: Item


class Equation(Record):
    """left = right = right …; each with its relation, = or ≈; label: what stands before it.

    step: the cell and iteration whose line this is; number: what the line is called by, 0 for none; reasons: why each part
    follows from the one before; then each has a line of its own.
    """

    left: Item
    right: tuple[tuple[str, Item], ...]
    indent: int = 0
    label: Message | Toned | None = None
    step: tuple[Cell, int] | None = None
    number: int = 0
    reasons: tuple[Message, ...] = ()


class Table(Record):
    """Columns and rows; omitted: how many rows are not there; hidden: how many columns are not; wraps: the last column holds words
    that may go on in a further line of their cell."""

    columns: tuple[Item, ...]
    rows: tuple[tuple[Item, ...], ...]
    omitted: int = 0
    hidden: int = 0
    wraps: bool = False


Rows = tuple[tuple[Item, ...], ...]
GridPart = str | Item | Rows  # an operator, an item, or a matrix of items


class Grid(Record):
    """A matrix equation."""

    parts: tuple[GridPart, ...]


class Picture(Record):
    """A drawing of the network or of the computation graph; values, gradients: whether computed numbers are in it.

    window: not None where it is the drawing of the numbers of maps that one cell is worked out from.
    """

    iteration: int = 1
    values: bool = True
    gradients: bool = True
    window: Cell | None = None


class Chart(Record):
    """A plot, drawn with letters."""

    plot: Plot


WORD_WIDTH = 8  # letters of a column whose words may go on in a further line

Block = Heading | Paragraph | Equation | Table | Grid | Picture | Chart


def narrowed(widths: list[int], limit: int) -> list[int]:
    """The widths of columns side by side, the last as wide as there is room for it, but not less than a word."""
    room = limit - 2 - sum(widths[:-1]) - 3 * (len(widths) - 1)
    return [*widths[:-1], min(widths[-1], max(room, WORD_WIDTH))]


def chunks(widths: list[int], limit: int) -> list[list[int]]:
    """Columns that fit side by side; the first column begins every part."""
    chunks, current, used = [], [0], widths[0]
    for place in range(1, len(widths)):
        if used + widths[place] + 3 > limit - 2 and len(current) > 1:
            chunks.append(current)
            current, used = [0], widths[0]
        current.append(place)
        used += widths[place] + 3
    return [*chunks, current]


TITLE = 3  # level of the heading of a table; with iterations, one deeper
Titled = tuple[Heading | None, Table]


def runs(blocks: Iterable[Block]) -> Iterator[Block | tuple[Titled, ...]]:
    """Every block by itself, but for tables: those that nothing but their titles stands between come together."""
    tables: list[Titled] = []
    title: Heading | None = None
    for block in blocks:
        if isinstance(block, Table):
            tables.append((title, block))
            title = None
            continue
        is_title = isinstance(block, Heading) and block.level in (TITLE, TITLE + 1)
        if tables and (title is not None or not is_title):
            yield tuple(tables)
            tables = []
        if title is not None:
            yield title
        title = block if isinstance(block, Heading) and is_title else None
        if title is None:
            yield block
    if tables:
        yield tuple(tables)
    if title is not None:
        yield title
