"""The graph: quantities and their cells (quantities.py), with the ids of cells; ids are made and found here and nowhere else.

- `Graph.cell_id(cell)` is the id of a cell, such as grad.w5 or net.h1@Alice; `Graph.find(id)` is the way back.
- `Graph.core`, `stem`, `end` and `numbered` are parts of ids, for messages and notations.

Ids are made from the names of single cells (neurons, named weights) and from what a quantity is called where its cells have none (W1,
loss). `path.o1.h1` says two ends, and two paths may have the same: the first one defined has the plain id; one after it says what it
comes through, `path.net.h.h@t1`; where that is taken too, it has primes.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from handcalc.core.quantities import Quantities
from handcalc.core.quantity import Cell, Quantity

_CALLED = ("weight", "bias", "threshold", "given", "variable", "rate", "memory", "state")  # by their quantity's word, where nothing else


class Graph(Quantities):
    """Quantities, their cells, and the ids of cells."""

    def core(self, cell: Cell) -> str:
        """The part of an id that says which cell: a neuron's, a parameter's name; without the sample and the time."""
        found = self.known.cores.get(cell)
        if found is None:
            named = (self.quantities[cell[0]].names or {}).get(cell[1])
            found = self.known.cores[cell] = self._unnamed(cell) if named is None else named
        return found

    def _unnamed(self, cell: Cell) -> str:
        """The same for a cell without a name of its own."""
        name, indices = cell
        quantity = self.quantities[name]
        if quantity.of is not None:
            base = self.at(quantity.of, cell)
            if quantity.through is None:
                return self.core(base)
            return self.end(self.at(quantity.through, cell)) + "." + self.end(base)
        labels, numbers = quantity.labels(indices)
        called = quantity.kind in _CALLED or quantity.kind == "hyper" and not quantity.axes
        return (".".join(labels) or quantity.word * (called or bool(numbers))) + (f"[{','.join(numbers)}]" if numbers else "")

    def numbered(self, cell: Cell) -> str:
        """A parameter by its place along every axis, such as W1[2,1], whether or not it has a name of its own."""
        numbers = ",".join(str(place + axis.first) for place, axis in zip(cell[1], self.quantities[cell[0]].axes))
        return f"{self._unnamed(cell).partition('[')[0]}[{numbers}]"

    def stem(self, cell: Cell) -> str:
        """The id without the sample."""
        quantity = self.quantities[cell[0]]
        if quantity.of is None or quantity.through is not None:
            core = self.core(cell)
            bare = quantity.of is None and core.startswith(quantity.word + "[")  # net2[1,3], where there are no neurons
            return core if bare else ".".join(filter(None, (quantity.prefix, core)))
        base = self.at(quantity.of, cell)
        return f"{quantity.prefix}.{self.stem(base)}"

    def cell_id(self, cell: Cell) -> str:
        """The id of a cell, such as grad.w5, net.h1@Alice or net.h1@t2."""
        found = self.known.names.get(cell)
        if found is not None:
            return found
        quantity = self.quantities[cell[0]]
        along = [axis.along(place) for axis, place in zip(quantity.axes, cell[1]) if axis.role in ("sample", "time")]
        found = "@".join((self.stem(cell), *along))
        if quantity.through is not None and _rivals(self, quantity.name):
            found = _told_apart(self, cell, found, along)
        self.known.names[cell] = found
        return found

    def end(self, cell: Cell) -> str:
        """What a path calls the cell it comes from or goes to; several parts have one neuron, they are told by their prefix."""
        is_part = self.quantities[cell[0]].kind in ("part", "step")
        return (self.stem(cell) if is_part else self.core(cell)) or self.quantities[cell[0]].word

    def find(self, text: str) -> Cell | None:
        """The cell with an id, None where there is none. Only quantities with the id's first part are looked through, and of samples
        those that the id names."""
        word, _, numbers = text.rstrip("]").partition("[")
        name = next((quantity.name for quantity in self if numbers and self._spelled(quantity) == word), "")
        if name:  # W1[2,1] or grad.W1[2,1]: the places are in the id
            firsts = [axis.first for axis in self[name].axes] if not self[name].merged else []
            parts = numbers.split(",")
            if len(parts) == len(firsts) and all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
                place = tuple(int(part) - first for part, first in zip(parts, firsts))
                if self.listed(name, place) and self.cell_id((name, place)) == text:
                    return name, place
        for quantity in self:
            if text.startswith((quantity.prefix, quantity.word)):
                for indices in self._named_in(text, quantity):
                    if self.cell_id((quantity.name, indices)) == text:
                        return quantity.name, indices
        return None

    def _spelled(self, quantity: Quantity) -> str:
        """What the ids of a quantity begin with whose cells have no names: W1, grad.W1."""
        return f"{quantity.prefix}.{self._spelled(self[quantity.of.quantity])}" if quantity.of else quantity.word

    def _named_in(self, text: str, quantity: Quantity) -> Iterator[tuple[int, ...]]:
        """The places that an id can mean: it has an @ where there are samples or times, and no name has one."""
        if any(axis.role in ("sample", "time") for axis in quantity.axes) != ("@" in text):
            return iter(())
        if not quantity.sampled:
            return self.positions(quantity.name)
        first, *others = quantity.axes
        samples = [place for place in first.places if "@" + first.label(place) in text]
        places = product(samples, *(range(axis.size) for axis in others))
        return (indices for indices in places if self.listed(quantity.name, indices))


# --- ids of paths -----------------------------------------------------------------------------------------------------


def _told_apart(graph: Graph, path: Cell, plain: str, along: list[str]) -> str:
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
    for name in _rivals(graph, path[0]):
        other = graph[name]
        assert other.of is not None and other.through is not None
        if end in _ends_called(graph, other.through.quantity):
            known = dict(zip(other.of.indices, base[1]))
            for place in product(*([known[index]] if index in known else axis.places for index, axis in zip(other.index, other.axes))):
                if (name, place) == path:
                    return
                if graph.present(name, place) and graph.end(graph.at(other.through, (name, place))) == end:
                    yield name, place


def _rivals(graph: Graph, name: str) -> list[str]:
    """The paths to the same quantity that are defined before one, and itself where several of its cells come through the same cell."""
    if not graph.known.rivals:
        paths: dict[str, list[str]] = {}
        for path in graph:
            if path.of is not None and path.through is not None:
                before = paths.setdefault(path.of.quantity, [])
                several = not {*path.index} <= {*path.of.indices, *path.through.indices}
                graph.known.rivals[path.name] = before + [path.name] * several
                before.append(path.name)
    return graph.known.rivals[name]


def _ends_called(graph: Graph, name: str) -> set[str]:
    """What paths call the cells of a quantity."""
    found = graph.known.ends.get(name)
    if found is None:
        sizes = (1 if axis.role in ("sample", "time") else axis.size for axis in graph[name].axes)
        found = graph.known.ends[name] = {graph.end((name, place)) for place in product(*map(range, sizes))}
    return found
