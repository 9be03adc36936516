"""Ids of paths: `path.o1.h1` says two ends, and two paths may have the same ends.

- `told_apart(graph, path, plain, along)` is the id of a path. The first one defined has the plain id; one after it says what it comes
  through, `path.net.h.h@t1`; where that is taken too, it has primes.

Only paths to the same cell from cells that are called alike are looked at, so an id in a large layer costs what it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handcalc.core.graph import Cell, Graph


def told_apart(graph: Graph, path: Cell, plain: str, along: list[str]) -> str:
    """The id of a path, which no path before it has; along: what it says of sample and time."""
    taken = {graph.cell_id(other) for other in _namesakes(graph, path)}
    if plain in taken:
        through, base = _ends(graph, path)
        plain = "@".join((".".join((graph[path[0]].prefix, graph.stem(through), graph.end(base))), *along))
    while plain in taken:
        plain += "'"
    return plain


def _ends(graph: Graph, path: Cell) -> tuple[Cell, Cell]:
    """The cells a path comes through and goes to."""
    quantity = graph[path[0]]
    assert quantity.of is not None and quantity.through is not None
    return graph.at(quantity.through, path), graph.at(quantity.of, path)


def _namesakes(graph: Graph, path: Cell) -> Iterator[Cell]:
    """The paths defined before one that go to the same cell and come through one that is called the same."""
    through, base = _ends(graph, path)
    end = graph.end(through)
    for name in _paths(graph, base[0]):
        other = graph[name]
        assert other.of is not None and other.through is not None
        if name == path[0] and {*other.index} <= {*other.of.indices, *other.through.indices}:
            return  # each of its cells comes through another one
        if end in _called(graph, other.through.quantity):
            known = dict(zip(other.of.indices, base[1]))
            for place in product(*([known[index]] if index in known else range(axis.size) for index, axis in zip(other.index, other.axes))):
                if (name, place) == path:
                    return
                if graph.present(name, place) and graph.end(graph.at(other.through, (name, place))) == end:
                    yield name, place


def _paths(graph: Graph, name: str) -> list[str]:
    """The quantities that are paths to a quantity, in order."""
    if not graph.known.paths:
        for quantity in graph:
            if quantity.of is not None and quantity.through is not None:
                graph.known.paths.setdefault(quantity.of.quantity, []).append(quantity.name)
    return graph.known.paths[name]


def _called(graph: Graph, name: str) -> set[str]:
    """What paths call the cells of a quantity."""
    found = graph.known.ends.get(name)
    if found is None:
        sizes = (1 if axis.role in ("sample", "time") else axis.size for axis in graph[name].axes)
        found = graph.known.ends[name] = {graph.end((name, place)) for place in product(*map(range, sizes))}
    return found
