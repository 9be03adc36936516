"""Tables of computed numbers: a row for each neuron, for each sample, or for each cell.

- `sample_table(…)`, `cell_table(…)` and `listing(…)` are the three forms.
- `count(derivation, group)` is how many cells there are, so that a table can say how many it leaves out.
- `complete(derivation, options, group)` says whether worked lines show every cell, so that no table is needed.

Numbers with more directions are grids (grids.py).
"""

from __future__ import annotations

from itertools import islice, takewhile
from math import prod

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Message
from handcalc.render.blocks import Rows, Table
from handcalc.render.items import MISSING, Item, Name, Plain, Value
from handcalc.render.options import COLUMNS_LIMIT, Options

Place = tuple[int, ...]
COUNTED = 20_000  # places that are looked at one by one; more of them, without names, come from arrays, in which none is missing


def count(derivation: Derivation, group: Group) -> int:
    """How many cells a group has: not the edges that are missing, and of a recurrence those of its time."""
    axes, of = group.quantity.axes, group.quantity.of
    places = prod(axis.size for axis in axes)
    edges = derivation.graph[of.quantity] if of else group.quantity
    if places <= COUNTED or edges.names:
        return sum(1 for _ in derivation.places(group))
    return places // prod(axis.size for axis in axes if axis.role == "time" and group.time is not None)


def complete(derivation: Derivation, options: Options, group: Group) -> bool:
    """Whether the worked lines show every cell already."""
    if options.form == "matrix" and group.quantity.axes or (group.quantity.sampled and not options.full):
        return False
    limit = options.limits.lines
    return len(list(islice(derivation.places(group), limit + 1))) <= limit


def listing(derivation: Derivation, options: Options, iteration: int, groups: list[Group]) -> Table:
    """One row per cell of quantities with different directions."""
    limit = options.limits.rows
    rows: list[tuple[Item, ...]] = []
    omitted = 0
    for group in groups:
        quantity = group.quantity
        places = list(islice(derivation.places(group), limit))
        rows += [(Name(Ref(quantity.name, place)), Value((quantity.name, place), iteration)) for place in places]
        omitted += count(derivation, group) - len(places)
    return Table((Message("quantity"), Message("value")), tuple(rows), omitted)


def cell_table(derivation: Derivation, options: Options, iteration: int, quantities: list[Quantity]) -> Table:
    """One row per neuron, one column per quantity."""
    first = quantities[0]
    places = list(islice(derivation.graph.positions(first.name), options.limits.rows))
    columns: tuple[Item, ...] = (Message("neuron"), *(Name(Ref(q.name, q.index)) for q in quantities))
    rows: Rows = tuple(
        (Plain(first.axes[-1].label(place[-1])), *(_value(derivation, (q.name, place), iteration) for q in quantities)) for place in places
    )
    return Table(columns, rows, first.size - len(places))


def _value(derivation: Derivation, wanted: Cell, iteration: int) -> Item:
    """The number of a cell, as far as anything needs it."""
    return Value(wanted, iteration) if not derivation.graph.left_out or derivation.graph.listed(*wanted) else MISSING


def sample_table(derivation: Derivation, options: Options, iteration: int, groups: list[Group]) -> Table:
    """One row per sample, one column per quantity and cell."""
    samples = groups[0].quantity.axes[0]
    inner: list[tuple[Quantity, Place]] = []
    hidden = 0
    timed = all(group.time is None for group in groups)  # else a heading tells the time
    for group in groups:
        first = takewhile(lambda place: place[0] == samples.places[0], derivation.places(group))
        places = [place[1:] for place in islice(first, COLUMNS_LIMIT)]
        inner += [(group.quantity, place) for place in places]
        if len(places) == COLUMNS_LIMIT:
            times = 1 if group.time is None else next(axis.size for axis in group.quantity.axes if axis.role == "time")
            hidden += group.quantity.size // samples.size // times - COLUMNS_LIMIT
    names = [Name(Ref(quantity.name, (samples.places[0], *place)), bare=True, timed=timed) for quantity, place in inner]
    shown = min(samples.size, options.limits.rows)
    rows: Rows = tuple(
        (Plain(samples.label(sample)), *(_value(derivation, (quantity.name, (sample, *place)), iteration) for quantity, place in inner))
        for sample in samples.places[:shown]
    )
    return Table((Message("sample"), *names), rows, samples.size - shown, hidden)
