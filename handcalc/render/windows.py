"""Which numbers are worked out from a window over a map: those of convolutions and pooling, and of their gradients.

- `has_window(graph, quantity)` says so of a quantity, `used_in(graph, wanted)` which cells a cell uses, of every map.

Both are read from the definitions: no rule of stride, padding or dilation is written here.
"""

from __future__ import annotations

from handcalc.core.binding import bind
from handcalc.core.expr import references
from handcalc.core.graph import Graph
from handcalc.core.index import Position
from handcalc.core.quantity import Cell, Quantity, cell

SPACE = ("row", "column")
KERNELS = ("weight", "bias", "threshold")


def is_map(quantity: Quantity) -> bool:
    """Whether it has rows or columns of a map."""
    return any(axis.role in SPACE for axis in quantity.axes)


def has_window(graph: Graph, quantity: Quantity) -> bool:
    """Whether its cells are worked out from several places of a map, not place by place."""
    if not is_map(quantity) or quantity.definition is None or quantity.kind in ("path", "local"):
        return False
    formulas = [quantity.definition]
    for ref in references(quantity.definition):
        path = graph.quantities.get(ref.quantity)
        if path is not None and path.kind == "path" and path.definition is not None:
            formulas.append(path.definition)
    used = [ref for formula in formulas for ref in references(formula) if ref.quantity in graph]
    maps = [ref for ref in used if is_map(graph[ref.quantity]) and graph[ref.quantity].kind not in (*KERNELS, "path")]
    own = _in_space(quantity, quantity.index)
    return any(_in_space(graph[ref.quantity], ref.indices) != own for ref in maps)


def _in_space(quantity: Quantity, places: tuple[Position, ...]) -> list[Position]:
    """The rows and columns among some positions."""
    return [place for axis, place in zip(quantity.axes, places) if axis.role in SPACE]


def used_in(graph: Graph, wanted: Cell) -> dict[str, tuple[list[Cell], list[Cell]]]:
    """Map → the cells that a cell uses, and the places outside the map that its formula would use, where there is nothing.

    Maps come before kernels; of a sum over paths, what is used on the paths.
    """
    inside: dict[str, dict[Cell, None]] = {}
    outside: dict[str, dict[Cell, None]] = {}
    opened = [(one, graph[one[0]]) for one in _opened(graph, wanted)]
    for one, _ in opened:
        for used in graph.uses(one):
            if is_map(graph[used[0]]) and graph[used[0]].kind != "path":
                inside.setdefault(used[0], {})[used] = None
    open_ended = {name for name in inside if graph[name].kind not in KERNELS}
    for one, quantity in opened:  # once more, with what is outside the maps: kernels lie over it too
        general, letters = quantity.formula(one[1]), {index.letter: place for index, place in zip(quantity.index, one[1])}
        assert general is not None
        for used in map(cell, references(bind(general, letters, lambda name, place: name in open_ended or graph.present(name, place)))):
            if used[0] in inside:
                (inside if graph.present(*used) else outside).setdefault(used[0], {})[used] = None
    maps = sorted(inside, key=lambda name: graph[name].kind in KERNELS)
    return {name: (list(inside[name]), list(outside.get(name, ()))) for name in maps}


def _opened(graph: Graph, wanted: Cell) -> list[Cell]:
    """The cell itself, or the paths that it is the sum of."""
    if graph[wanted[0]].definition is None or graph.given_value(wanted) is not None:
        return []
    paths = [used for used in graph.uses(wanted) if graph[used[0]].kind == "path"]
    return paths or [wanted]
