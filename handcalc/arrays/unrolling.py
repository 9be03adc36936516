"""A recurrence unrolled: a quantity for every time, so that it can be computed array after array.

- `recurs(graph)` says whether there is one; `unrolled(graph)` is a graph without cycles; where nothing recurs, the graph itself. Given
  quantities stay whole. Raises NotVectorised where a formula sees all times at once, as an attention over states does.
- `at_time(graph, cell)` is a cell of the graph as the unrolled one calls it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handcalc.core.expr import ZERO, Expr, Ref, Total, add, reindex, rewrite
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity

CLOCKS = ("time", "token")  # roles of axes along which there is a quantity for each place: tokens are times of a recurrence


class NotVectorised(Exception):
    """A formula that has no form on whole arrays: missing edges, one index in two places."""


def unrolled(graph: Graph) -> Graph:
    """The same quantities; each with a time axis and a definition as one for every time, called name@time."""
    if not recurs(graph):
        return graph
    result = Graph()
    for quantity in graph:
        for part in _parts(graph, quantity):
            result.given(part)
    return result


def recurs(graph: Graph) -> bool:
    """Whether something is defined by its own earlier places: given at the start, and defined."""
    return any(quantity.starts for quantity in graph)


def at_time(graph: Graph, wanted: Cell) -> Cell:
    """A cell of a graph, as it is called in the unrolled one."""
    clock = _clock(graph[wanted[0]]) if recurs(graph) else None
    if clock is None:
        return wanted
    return _key(wanted[0], wanted[1][clock]), (*wanted[1][:clock], *wanted[1][clock + 1 :])


def _key(name: str, time: int) -> str:
    """The key of a quantity at one time."""
    return f"{name}@{time}"


def _clock(quantity: Quantity) -> int | None:
    """Which axis is time (or counts tokens), of a quantity that is unrolled."""
    clocks = [place for place, axis in enumerate(quantity.axes) if axis.role in CLOCKS]
    return clocks[0] if clocks and quantity.definition is not None else None


def _parts(graph: Graph, quantity: Quantity) -> Iterator[Quantity]:
    clock = _clock(quantity)
    if quantity.definition is None:
        yield quantity
    elif clock is None:
        yield _changed(quantity, lambda formula: _at_times(graph, formula))
    else:
        for time in range(quantity.axes[clock].size):
            yield _at(graph, quantity, clock, time)


def _at(graph: Graph, quantity: Quantity, clock: int, time: int) -> Quantity:
    """A quantity at one time."""
    axes, index = (entries[:clock] + entries[clock + 1 :] for entries in (quantity.axes, quantity.index))
    part = quantity.replace(name=_key(quantity.name, time), axes=axes, index=index, of=None, through=None, wrt=None, terms=(), givens=None)
    if quantity.givens is not None and quantity.givens((0,) * clock + (time,) + (0,) * (len(axes) - clock)) is not None:
        given = quantity.givens
        return part.replace(definition=None, givens=lambda place: given((*place[:clock], time, *place[clock:])))
    assert quantity.definition is not None
    return _changed(part, lambda formula: _at_times(graph, reindex(formula, {quantity.index[clock].letter: time})))


def _changed(quantity: Quantity, change: Callable[[Expr], Expr]) -> Quantity:
    """The same with other formulas."""
    assert quantity.definition is not None
    cases = {place: change(formula) for place, formula in (quantity.cases or {}).items()}
    return quantity.replace(definition=change(quantity.definition), cases=cases or None)


def _at_times(graph: Graph, formula: Expr) -> Expr:
    """A formula whose references are to quantities at one time each."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Total) and node.index.axis.role in CLOCKS:
            return add(*(_at_times(graph, reindex(node.body, {node.index.letter: time})) for time in range(node.index.axis.size)))
        if isinstance(node, Ref):
            quantity = graph[node.quantity]
            clock = _clock(quantity)
            if clock is None:
                return None
            time = node.indices[clock]
            if not isinstance(time, int):
                raise NotVectorised(f"{node.quantity} at every time at once")
            if not 0 <= time < quantity.axes[clock].size:
                return ZERO
            rest = tuple(place for number, place in enumerate(node.indices) if number != clock)
            return Ref(_key(node.quantity, time), rest)
        return None

    return rewrite(formula, change)
