"""Numbers given for what would be worked out: what is still needed, and what can still be known.

- `ends(graph)` are the cells that no other uses: what a graph is worked out for.
- `cut(graph, numbers, ends, aims)` puts given numbers in the place of cells and leaves out what nothing needs any more.

A given cell needs nothing. What is worked out in the end is worked out still, if all that it needs is known: it is given, or follows from
what is. A quantity without numbers and without a definition is unknown: inputs or weights that nobody gave. Slopes and gradients go
through a given cell as its definition says.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from handcalc.core.expr import Number
from handcalc.core.graph import Graph
from handcalc.core.order import phase
from handcalc.core.quantity import Cell, Quantity

Wanted = Callable[[Quantity], bool]


class Unknown(Exception):
    """Something that is wanted, and the cell it needs that nobody gave."""

    def __init__(self, wanted: Cell, missing: Cell) -> None:
        super().__init__(wanted, missing)
        self.wanted, self.missing = wanted, missing


def cut(graph: Graph, numbers: Mapping[Cell, Number], ends: Collection[Cell], aims: Wanted) -> None:
    """Put numbers in the place of cells, and list only what is needed for the ends.

    aims: quantities that must be known: Unknown is raised where one is not. Parameters and data that were typed are listed in any case.
    """
    graph.fix(numbers, ())
    known: dict[Cell, Cell | None] = {}
    kept: set[Cell] = set()
    pending, seen = list(ends), set(ends)
    while pending:
        end = pending.pop()
        missing = _missing(graph, end, known)
        if missing is None:
            _keep(graph, end, kept)
        elif aims(graph[end[0]]):
            raise Unknown(end, missing)
        else:  # the gradients on the way to it are wanted as far as they are known
            before = [used for used in _needs(graph, end) if used not in seen and phase(graph[used[0]]) != "forward"]
            seen.update(before)
            pending += [used for used in before if known[used] or _is_worked(graph, used)]
    everything = {(quantity.name, place) for quantity in graph for place in graph.positions(quantity.name)}
    typed = {cell for cell in everything if graph.given_value(cell) is not None and phase(graph[cell[0]]) == "given"}
    graph.fix(numbers, frozenset(everything - kept - typed - numbers.keys()))


def ends(graph: Graph) -> list[Cell]:
    """The cells that no other uses, of those that are worked out."""
    computed = [
        (quantity.name, place)
        for quantity in graph
        if quantity.definition is not None
        for place in graph.positions(quantity.name)
        if graph.given_value((quantity.name, place)) is None
    ]
    used = {one for cell in computed for one in graph.uses(cell) if one != cell}
    return [cell for cell in computed if cell not in used]


def _needs(graph: Graph, cell: Cell) -> Collection[Cell]:
    """What the number of a cell is worked out from; nothing where it is given, or unknown."""
    return () if graph.given_value(cell) is not None or graph[cell[0]].definition is None else graph.uses(cell)


def _is_worked(graph: Graph, cell: Cell) -> bool:
    """Whether a cell is a gradient that more than nothing comes to."""
    return graph[cell[0]].kind == "gradient" and graph.given_value(cell) is None and not isinstance(graph.instance(cell), Number)


def _missing(graph: Graph, wanted: Cell, known: dict[Cell, Cell | None]) -> Cell | None:
    """An unknown cell that a cell needs, None where it can be worked out; known: what has been found out."""
    pending = [wanted]
    while pending:
        current = pending[-1]
        needs = _needs(graph, current)
        more = [used for used in needs if used not in known]
        if current in known or not more:
            pending.pop()
            if current in known:
                continue
            unknown = graph.given_value(current) is None and graph[current[0]].unknown
            known[current] = current if unknown else next((known[used] for used in needs if known[used]), None)
        else:
            pending += more
    return known[wanted]


def _keep(graph: Graph, wanted: Cell, kept: set[Cell]) -> None:
    """Keep a cell and all that it needs."""
    pending = [wanted]
    while pending:
        current = pending.pop()
        if current not in kept:
            kept.add(current)
            pending += _needs(graph, current)
