"""One quantity explained: the steps it depends on, in reading order, ending with itself."""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.derivation import PHASES, Derivation, phase
from handcalc.core.expr import Ref, references
from handcalc.core.graph import Cell, cell
from handcalc.errors import Message
from handcalc.render.blocks import Block, Heading, Name, Paragraph, Table, Value
from handcalc.render.document import worked
from handcalc.render.reading import Reading

LINES_LIMIT = {"brief": 4, "normal": 12, "full": 2000}  # worked lines of one phase
_TITLES = {"given": "Given", "forward": "Forward pass", "error": "Error", "backward": "Backward pass", "update": "Update"}


def explanation(derivation: Derivation, reading: Reading, wanted: Cell, iteration: int, detail: str) -> Iterator[Block]:
    """Everything a cell depends on, phase by phase; a parameter is explained up to its gradient and update."""
    ends = [wanted]
    quantity = derivation.graph[wanted[0]]
    if quantity.definition is None and "grad." + quantity.name in derivation.graph:
        ends = [(name, wanted[1]) for name in ("grad." + quantity.name, "new." + quantity.name) if name in derivation.graph]
    yield Heading(1, Name(Ref(*wanted)))
    needed, order = _dependencies(reading, ends, wanted)
    for name in PHASES:
        inside = [current for current in order if phase(derivation.graph[current[0]]) == name]
        if inside:
            yield Heading(2, Message(_TITLES[name]))
            yield from _phase(derivation, reading, name, inside, ends, iteration, detail)
    if not needed:
        yield Paragraph(Message("It is given; nothing else is needed for it."))


def _phase(
    derivation: Derivation, reading: Reading, name: str, cells: list[Cell], ends: list[Cell], iteration: int, detail: str
) -> Iterator[Block]:
    """Givens as a table, steps as worked lines; of very many the nearest to the end."""
    limit = LINES_LIMIT[detail]
    if name == "given":
        order = {quantity.name: place for place, quantity in enumerate(derivation.graph)}
        cells = sorted(cells, key=lambda current: (order[current[0]], current[1]))
        shown = cells[: 3 * limit]
        rows = tuple((Name(Ref(*current)), Value(current, iteration)) for current in shown)
        yield Table((Message("quantity"), Message("value")), rows, len(cells) - len(shown))
        return
    shown = cells[-limit:]
    if len(shown) < len(cells):
        yield Paragraph(Message("{count} steps before these are not shown; --detail full shows all.", count=len(cells) - len(shown)))
    for current in shown:
        yield worked(derivation, reading, current, iteration, indent=0 if current in ends else 1)


def _dependencies(reading: Reading, ends: list[Cell], start: Cell) -> tuple[bool, list[Cell]]:
    """The cells the ends depend on as printed, each after what it uses; whether there is anything besides the start."""
    order: dict[Cell, None] = {}
    pending: list[tuple[Cell, bool]] = [(end, False) for end in reversed(ends)]
    opened: set[Cell] = set()
    while pending:
        current, done = pending.pop()
        if done:
            order[current] = None
            continue
        if current in opened:
            continue
        opened.add(current)
        pending.append((current, True))
        formula = reading.formula(current)
        if formula is not None:
            pending.extend((cell(ref), False) for ref in reversed(references(formula)) if cell(ref) not in opened)
    return len(order) > 1 or start not in order, list(order)
