"""One quantity explained: the steps it depends on, in reading order, ending with itself.

- `explanation(derivation, reading, wanted, …)` is the document.
- `ends(derivation, wanted)`, `uses(reading, wanted)`, `dependencies(uses, ends)`, `by_phase(derivation, cells)` and
  `phase_title(name)` are its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.index import Axis
from handcalc.core.order import PHASES, phase
from handcalc.core.quantity import Cell
from handcalc.errors import Message, Template
from handcalc.render.blocks import Block, Heading, Paragraph, Picture, Table
from handcalc.render.items import Name, Value
from handcalc.render.lines import worked
from handcalc.render.options import DETAILS
from handcalc.render.reading import Reading
from handcalc.render.windows import has_window

SAMPLES_LIMIT = 20  # samples that are all followed
_TITLES: dict[str, Template] = {
    "given": "Given",
    "forward": "Forward pass",
    "error": "Error",
    "backward": "Backward pass",
    "update": "Update",
}
NOTHING_NEEDED = Message("It is given; nothing else is needed for it.")


def explanation(derivation: Derivation, reading: Reading, wanted: Cell, iteration: int, detail: str) -> Iterator[Block]:
    """Everything a cell depends on, phase by phase; a parameter is explained up to its gradient and update."""
    derivation, reading = derivation.at(iteration), reading.at(iteration)
    last = ends(derivation, wanted)
    yield Heading(1, Name(Ref(*wanted)))
    one = _only_sample(derivation, last)
    if one is not None:
        axis, sample = one
        message = "Of the {count} samples only {sample} is followed; the others go the same way."
        yield Paragraph(Message(message, count=axis.size, sample=axis.label(sample)))
    order = dependencies(lambda current: _followed(derivation, uses(reading, current), one), last)
    for name, inside in by_phase(derivation, order).items():
        yield Heading(2, phase_title(name))
        yield from _phase(derivation, reading, name, inside, last, iteration, detail)
    if order == [wanted]:
        yield Paragraph(NOTHING_NEEDED)


def _only_sample(derivation: Derivation, last: list[Cell]) -> tuple[Axis, int] | None:
    """The sample that is followed where there are too many for all: that of the cell itself, else the first."""
    found = next((quantity for quantity in derivation.graph if quantity.sampled), None)
    if found is None or found.axes[0].size <= SAMPLES_LIMIT:
        return None
    return found.axes[0], next((place[0] for name, place in last if derivation.graph[name].sampled), found.axes[0].places[0])


def _followed(derivation: Derivation, used: list[Cell], one: tuple[Axis, int] | None) -> list[Cell]:
    """The cells that are followed further."""
    return [cell for cell in used if one is None or not derivation.graph[cell[0]].sampled or cell[1][0] == one[1]]


def phase_title(name: str) -> Message:
    """What a phase is called."""
    return Message(_TITLES[name])


def _phase(
    derivation: Derivation, reading: Reading, name: str, cells: list[Cell], ends: list[Cell], iteration: int, detail: str
) -> Iterator[Block]:
    """Givens as a table, steps as worked lines; of very many the nearest to the end."""
    limit = DETAILS[detail].explained
    if name == "given":
        shown = cells[: 3 * limit]
        rows = tuple((Name(Ref(*current)), Value(current, iteration)) for current in shown)
        yield Table((Message("quantity"), Message("value")), rows, len(cells) - len(shown))
        return
    shown = cells[-limit:]
    if len(shown) < len(cells):
        yield Paragraph(
            Message(
                "{count} {count:step before these is|steps before these are} not shown; --detail full shows all.",
                count=len(cells) - len(shown),
            )
        )
    for current in shown:
        yield worked(derivation, reading, current, iteration, indent=0 if current in ends else 1)
        if current in ends and has_window(derivation.graph, derivation.graph[current[0]]):
            yield Picture(iteration, window=current)


# --- what depends on what ---------------------------------------------------------------------------------------------


def ends(derivation: Derivation, wanted: Cell) -> list[Cell]:
    """Where the explanation of a cell ends: with itself; that of a parameter with its gradient and its update."""
    name, graph = wanted[0], derivation.graph
    if graph[name].definition is None and graph.gradient(name):
        found = [(end, wanted[1]) for end in (graph.gradient(name), graph.updated(name)) if end]
        return [end for end in found if end not in graph.left_out] or [wanted]
    return [wanted]


def uses(reading: Reading, wanted: Cell) -> list[Cell]:
    """The cells in the formula of a cell as it is printed."""
    return [*reading.uses(wanted)]


def dependencies(uses: Callable[[Cell], Iterable[Cell]], ends: list[Cell]) -> list[Cell]:
    """The ends and the cells they depend on, each after what it uses."""
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
        pending.extend((used, False) for used in reversed(list(uses(current))) if used not in opened)
    return list(order)


def by_phase(derivation: Derivation, cells: list[Cell]) -> dict[str, list[Cell]]:
    """Phase → cells, in the order of a document; given ones as they were defined."""
    place = {quantity.name: number for number, quantity in enumerate(derivation.graph)}
    found: dict[str, list[Cell]] = {}
    for current in cells:
        name = "given" if derivation.graph.given_value(current) is not None else phase(derivation.graph[current[0]])
        found.setdefault(name, []).append(current)
    if "given" in found:
        found["given"].sort(key=lambda current: (place[current[0]], current[1]))
    return {name: found[name] for name in PHASES if name in found}
