"""The results alone: one short table for each phase, of the numbers that the solution works out.

- `results(derivation, reading, options, iteration)` are the tables of one round; with the ids of the steps, where those are asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.order import PHASES, Group
from handcalc.core.quantity import Cell
from handcalc.errors import Message, Template
from handcalc.render.blocks import TITLE, Block, Heading, Table
from handcalc.render.items import Item, Name, Plain, Value
from handcalc.render.options import Options
from handcalc.render.reading import Reading
from handcalc.render.tables import count

MOST = 1000  # rows of one quantity
HIGH = 14  # and of one table
TITLES: dict[str, Template] = {
    "given": "Given",
    "forward": "Forward pass",
    "error": "Error",
    "backward": "Backward pass",
    "update": "Update",
}


def results(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """The numbers of one round, phase by phase."""
    for phase in PHASES:
        groups = [group for group in derivation.groups() if group.phase == phase]
        if groups and options.wants(phase) and (phase != "given" or options.phases):
            yield Heading(TITLE, Message(TITLES[phase]))
            yield from _tables(derivation, reading, options, iteration, groups)


def _tables(derivation: Derivation, reading: Reading, options: Options, iteration: int, groups: list[Group]) -> Iterator[Table]:
    """The numbers of one phase, in tables that stand side by side."""
    rows: list[tuple[Item, ...]] = []
    omitted = 0
    for group in groups:
        places = list(islice(derivation.places(group), MOST))
        omitted += count(derivation, group) - len(places)
        for place in places:
            wanted = (group.quantity.name, place)
            row: tuple[Item, ...] = (Name(Ref(*wanted)), Value(wanted, iteration))
            if options.results == "ids":
                row = (_called(derivation, reading, wanted, iteration), *row)
            rows.append(row)
    head: tuple[Item, ...] = (Message("quantity"), Message("value"))
    columns = (Message("id"), *head) if options.results == "ids" else head
    parts = [tuple(rows[start : start + HIGH]) for start in range(0, len(rows), HIGH)]
    for part in parts:
        yield Table(columns, part, omitted if part is parts[-1] else 0)


def _called(derivation: Derivation, reading: Reading, wanted: Cell, iteration: int) -> Item:
    """The id of a step; its letter where that stands for the negative, so that a sheet takes the number beside it."""
    return Name(Ref(*wanted)) if reading.turned(wanted) else Plain(derivation.step_id(wanted, iteration))
