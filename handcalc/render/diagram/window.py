"""The drawing of one number of a map: the window over what comes in, the kernel, and where the result goes.

- `window(derivation, reading, wanted, iteration, values)` answers the diagram; render/windows.py finds the window in the definition.

What is outside a map is drawn dashed, as the zero it stands for. The map of the result is filled up to the number that is worked out,
where that is little work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Ref, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.errors import Message
from handcalc.render.diagram.boxes import COMPUTED_LIMIT, PlannedBox, boxed
from handcalc.render.diagram.flow import arranged
from handcalc.render.diagram.model import Diagram, Node
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.squares import FIRST, SIDE_LIMIT, Spots, Squares, beside
from handcalc.render.reading import Reading
from handcalc.render.windows import KERNELS, has_window, used_in


def window(derivation: Derivation, reading: Reading, wanted: Cell, iteration: int, values: bool) -> Diagram | None:
    """The maps that a cell uses and its own, the reading in UNICODE; None where it is worked out place by place."""
    graph = derivation.graph
    if not has_window(graph, graph[wanted[0]]):
        return None
    plan = Plan(derivation, reading, iteration, values, False)
    chosen = set(_chosen(plan, wanted)) if values else set()
    boxes, maps = {}, used_in(graph, wanted)
    for name, (used, outside) in maps.items():
        marks = dict.fromkeys((*used, *outside), "window") | dict.fromkeys(chosen.intersection(used), "chosen")
        boxes[name] = _box(plan, graph[name], marks, used)
    small = sum(len(used) for used, _ in maps.values()) * graph[wanted[0]].size <= COMPUTED_LIMIT
    boxes[""] = _box(plan, graph[wanted[0]], {wanted: "result"}, [wanted], lambda one: one[1] <= wanted[1] if small else one == wanted)
    drawn = arranged({name: [] for name in boxes if name} | {"": [name for name in boxes if name]}, boxes)
    return drawn.replace(captions=tuple(_captions(drawn)), iteration=iteration, about=wanted)


def _captions(drawn: Diagram) -> Iterator[Message]:
    kinds = {label.kind for label in drawn.labels}
    if "outside" in kinds:
        yield Message("Outside the map there are zeros.")
    if "chosen" in kinds:
        yield Message("The largest number of the window is marked.")


def _chosen(plan: Plan, wanted: Cell) -> Iterator[Cell]:
    """The largest of what a maximum chooses from; of equal ones the first, or all where they share the gradient.

    Of a gradient: what the maxima chose whose gradients it uses, for there they go.
    """
    graph, evaluation = plan.derivation.graph, plan.derivation.iteration(plan.iteration).evaluation
    shared = plan.derivation.header.conventions.get("max_ties") == "split"
    for one in _maxima(graph, wanted):
        for node in walk(graph.instance(one)):
            if isinstance(node, Call) and node.function == "max":
                cells = [cell(argument) for argument in node.arguments if isinstance(argument, Ref)]
                largest = [other for other in cells if evaluation[other] == evaluation[one]]
                yield from largest if shared else largest[:1]


def _maxima(graph: Graph, wanted: Cell) -> list[Cell]:
    """The cell itself, or those whose gradients a gradient is worked out from."""
    if graph[wanted[0]].kind != "gradient":
        return [wanted]
    found = []
    for used in (one for cells, _ in used_in(graph, wanted).values() for one in cells):
        of = graph[used[0]].of if graph[used[0]].kind == "gradient" else None
        base = graph.at(of, used) if of is not None else None
        if base is not None and graph[base[0]].definition is not None and graph.given_value(base) is None:
            found.append(base)
    return found


def _box(plan: Plan, quantity: Quantity, marks: dict[Cell, str], used: list[Cell], numbered: Callable[[Cell], bool] | None = None) -> Node:
    """A map with its squares marked: those grids, and of a large one those rows and columns, that have marks."""
    fixed = {"sample": used[0][1][0]} if quantity.sampled else {}
    squares = Squares(plan, quantity, fixed, marks)
    free = squares.free
    places = tuple(dict.fromkeys(tuple(one[1][number] for number in free[:-2]) for one in used))
    sides = [_spots(quantity.axes[number].size, {one[1][number] for one in marks}) for number in free[-2:]]
    rows, columns = (range(1), *sides)[-2:] if len(sides) > 1 or quantity.axes[free[-1]].role == "column" else (sides[0], range(1))
    squares = squares.replace(places=places, rows=rows, columns=columns, numbered=numbered)
    kind = "weights" if quantity.kind in KERNELS else "given" if quantity.definition is None else "answer" if numbered else "variable"
    return boxed(PlannedBox((quantity.name,), kind), beside(squares.grids()), used[0])


def _spots(size: int, marked: set[int]) -> Spots:
    """The places along a side: all, and those outside that are marked; of a long side what is near the marked ones."""
    first, last = min(0, *marked), max(size - 1, *marked)
    if last - first < SIDE_LIMIT + 2:
        return range(first, last + 1)
    low, high = max(first, min(marked) - 1), min(last, max(marked) + 1)
    if high - low >= SIDE_LIMIT + 2:
        return [*range(low, low + FIRST), None, high]
    return [*([None] if low > first else []), *range(low, high + 1), *([None] if high < last else [])]
