"""Numbers given for what would be worked out: what is still needed, and what can still be known.

- `ends(graph)` are the cells that no other uses: what a graph is worked out for.
- `cut(graph, numbers, ends, aims, …)` puts given numbers in the place of cells and leaves out what nothing needs any more.

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

GRADIENTS = ("gradient", "path")  # kinds that start the chain rule where there is no loss

Wanted = Callable[[Quantity], bool]


class Unknown(Exception):
    """Something that is wanted, and the cell it needs that nobody gave."""

    def __init__(self, wanted: Cell, missing: Cell) -> None:
        super().__init__(wanted, missing)
        self.wanted, self.missing = wanted, missing


def cut(
    graph: Graph,
    numbers: Mapping[Cell, Number],
    ends: Collection[Cell],
    aims: Wanted,
    from_above: bool = False,
    also: Collection[Cell] = (),
) -> None:
    """Put numbers in the place of cells, and list only what is needed for the ends.

    aims: quantities that must be known: Unknown is raised where one is not, or where nothing is left to work out; from_above: no gradient
    is known but those that given ones come to; also: what is worked out besides, as far as it is known. Parameters and data that were
    typed are listed in any case.
    """
    graph.fix(numbers, ())
    reached = _Reached(graph, numbers, from_above)
    kept: set[Cell] = set()
    unknown: list[Unknown] = []
    pending, seen = list(ends), set(ends)
    while pending:
        end = pending.pop()
        missing = reached.missing(end)
        if missing is None and reached.started(end):
            _keep(graph, end, kept)
            continue
        if missing is not None:
            unknown.append(Unknown(end, missing))
            if aims(graph[end[0]]):
                raise unknown[-1]
        before = [used for used in needs(graph, end) if used not in seen and _is_worked(graph, used)]  # the gradients on the way to it
        seen.update(before)
        pending += before
    for end in also:
        if reached.missing(end) is None:
            _keep(graph, end, kept)
    if unknown and all(graph.given_value(cell) is not None for cell in kept):
        raise unknown[0]
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


def needs(graph: Graph, cell: Cell) -> Collection[Cell]:
    """What the number of a cell is worked out from; nothing where it is given, or unknown."""
    return () if graph.given_value(cell) is not None or graph[cell[0]].definition is None else graph.uses(cell)


def _is_worked(graph: Graph, cell: Cell) -> bool:
    """Whether a cell is a gradient that more than nothing comes to."""
    return graph[cell[0]].kind == "gradient" and graph.given_value(cell) is None and not isinstance(graph.instance(cell), Number)


class _Reached:
    """What cells come from: an unknown number, or a given gradient."""

    def __init__(self, graph: Graph, numbers: Collection[Cell], from_above: bool) -> None:
        self.graph = graph
        self.numbers = {cell for cell in numbers if graph[cell[0]].kind in GRADIENTS}
        self.from_above = from_above
        self._unknown: dict[Cell, Cell | None] = {}
        self._started: dict[Cell, Cell | None] = {}

    def missing(self, wanted: Cell) -> Cell | None:
        """An unknown cell that a cell needs, None where it can be worked out."""
        return self._first(wanted, self._unknown, lambda cell: self.graph.given_value(cell) is None and self.graph[cell[0]].unknown)

    def started(self, wanted: Cell) -> bool:
        """Whether a cell is no gradient and no update, or comes from a given gradient where none comes from a loss."""
        backward = phase(self.graph[wanted[0]]) in ("backward", "update")
        return not self.from_above or not backward or self._first(wanted, self._started, self.numbers.__contains__) is not None

    def _first(self, wanted: Cell, known: dict[Cell, Cell | None], holds: Callable[[Cell], bool]) -> Cell | None:
        """Of what a cell is worked out from, itself included, one for which something holds; known: what has been found out."""
        pending = [wanted]
        while pending:
            current = pending[-1]
            below = needs(self.graph, current)
            more = [used for used in below if used not in known]
            if current in known or not more:
                pending.pop()
                if current not in known:
                    known[current] = current if holds(current) else next((known[used] for used in below if known[used]), None)
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
            pending += needs(graph, current)
