"""Reading numbers that are given for what would be worked out: `given: {net.h1: 3, grad.out.o1: 0.5}`.

- `given_cells(found, names)` are the entries of `given` that name cells of the solution, each with its place in the file.

A cell is named by the id that a solution prints for it, or by its printed name; a list stands for all cells of a quantity with numbers
in brackets: `query1: [[1, 0], [0, 1]]` is `query1[1,1]: 1` and so on. Which cells there are is not known here: that needs the model.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product

from handcalc.core.expr import Number
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import GivenCell
from handcalc.problem.shapes import nested


def given_cells(entries: Iterable[tuple[str, FileNode]]) -> tuple[GivenCell, ...]:
    """The cells that entries of `given` name, and their numbers."""
    return tuple(cell for name, item in entries for cell in _cells(name, item))


def _cells(name: str, item: FileNode) -> list[GivenCell]:
    """One number, or those of a list by the ids of their places."""
    where = f":{item.place[0]}: {item.path}: "
    if item.kind != "sequence":
        value = item.number()
        return [] if value is None else [GivenCell(name, value, where)]
    found = nested(item)
    if found is None:
        return []
    sizes, parts = found
    stem, at, along = name.partition("@")
    numbers = [part.number() for part in parts]
    places = product(*(range(1, size + 1) for size in sizes))
    ids = [f"{stem}[{','.join(map(str, place))}]{at}{along}" for place in places]
    return [GivenCell(one, value, where, name, sizes) for one, value in zip(ids, numbers) if isinstance(value, Number)]
