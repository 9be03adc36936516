"""Numbers with several directions as grids, rows over columns, as on squared paper: images, kernels, feature maps, scores.

- `grids(derivation, quantity, …)` is a table for every pair of last directions of a quantity; `directions` how many it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from math import prod

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.order import Group
from handcalc.core.quantity import Quantity, cell
from handcalc.errors import Message
from handcalc.render.blocks import Block, Paragraph, Rows, Table
from handcalc.render.items import MISSING, Item, Name, Plain, Value
from handcalc.render.options import DETAILS

SIDE_LIMIT = 16  # rows and columns of one grid


def directions(quantity: Quantity) -> int:
    """How many directions a quantity has, without the sample's."""
    return len(quantity.axes) - quantity.sampled


def in_grids(derivation: Derivation, group: Group) -> bool:
    """Whether the numbers of a group come as grids, too: those of maps, and of matrices of layers that are not dense."""
    return not derivation.header.plain and directions(group.quantity) > 1 and group.time is None


def grids(derivation: Derivation, quantity: Quantity, detail: str, iteration: int, turned: bool = False) -> Iterator[Block]:
    """A grid for every place of the directions before the last two; of the first sample only, unless everything is wanted. turned: of a
    matrix, a row for each place of its second direction."""
    turned = turned and len(quantity.axes) == 2
    before, (rows, columns) = quantity.axes[:-2], quantity.axes[::-1] if turned else quantity.axes[-2:]
    first = quantity.sampled and detail != "full"
    shared = {place: cell(weight) for place, weight in quantity.shared.items()}
    leading = [axis.places[:1] if first and axis.role == "sample" else axis.places for axis in before]
    for place in islice(product(*leading), DETAILS[detail].grids):
        places = [
            [(column, row) if turned else (*place, row, column) for column in range(min(columns.size, SIDE_LIMIT))]
            for row in range(min(rows.size, SIDE_LIMIT))
        ]
        cells = [[shared.get(at) or (quantity.name, at) for at in line] for line in places]
        corner = Name(Ref(quantity.name, (*place, *quantity.index[-2:])))
        heading: tuple[Item, ...] = (corner, *(Plain(columns.along(number)) for number in range(len(cells[0]))))
        listed = derivation.graph.listed
        body: Rows = tuple(
            (Plain(rows.along(number)), *(Value(one, iteration) if listed(*one) else MISSING for one in line))
            for number, line in enumerate(cells)
        )
        yield Table(heading, body, rows.size - len(cells), columns.size - len(cells[0]))
    more = prod(map(len, leading)) - DETAILS[detail].grids
    if more > 0:
        yield Paragraph(Message("… {count} more tables are not shown", count=more))
