"""The drawing of a problem of equations: its computation graph, from what is given to what is minimised.

- `equations(derivation, reading, iteration, values, gradients)` answers the diagram.

columns.py says where everything stands. What belongs to the backward phase alone is no node: gradients are a row of
the box of their quantity.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.derivation import Derivation
from handcalc.errors import Message
from handcalc.render.diagram.columns import Table, Uses, columns, heights, order, route
from handcalc.render.diagram.model import Diagram, Edge, Formula, Item, Node, Point, Row, framed
from handcalc.render.diagram.plan import Plan
from handcalc.render.reading import Reading

NODES_LIMIT = 60  # quantities of a drawing that can be read
WIDEST = 760.0  # a drawing that would be wider goes from top to bottom instead of from left to right
PADDING = 8.0  # inside a box
COLUMNS_APART = {False: 48.0, True: 36.0}  # from left to right; from top to bottom
BOXES_APART = {False: 20.0, True: 26.0}  # in a column
LINE_ROOM = 16.0  # that an edge needs where it passes through a column


def equations(derivation: Derivation, reading: Reading, iteration: int, values: bool, gradients: bool) -> Diagram | None:
    """The computation graph, the reading in UNICODE; None where there are too many quantities."""
    plan = Plan(derivation, reading, iteration, values, values and gradients)
    names = [quantity.name for quantity in derivation.graph if quantity.kind in ("given", "variable") and not quantity.stage]
    if not 0 < len(names) <= NODES_LIMIT:
        return None
    uses = {name: [other for other in _uses(derivation, name) if other in names] for name in names}
    table = order(columns(uses), uses)
    boxes = {name: _box(plan, name) for name in names}
    drawn = _drawn(uses, table, boxes, False)
    if drawn.width > WIDEST:
        drawn = min(drawn, _drawn(uses, table, boxes, True), key=lambda found: found.width)
    captions = (Message("Iteration {number}", number=iteration),) if derivation.iterations > 1 else ()
    return drawn.replace(captions=captions, iteration=iteration)


def _uses(derivation: Derivation, name: str) -> list[str]:
    graph = derivation.graph
    return [] if graph[name].definition is None else [cell[0] for cell in graph.uses((name, ()))]


def _box(plan: Plan, name: str) -> Node:
    """symbol = formula, the value, the gradient; around the point 0, 0."""
    quantity, cell = plan.derivation.graph[name], (name, ())
    rows: list[Row] = []
    if quantity.definition is None:
        rows.append((plan.parameter(cell),))
    else:
        rows.append((Formula(cell, plan.reading.formula(cell)),))
        rows += [(Item(cell, named=False),)] if plan.computed else []
    gradient = plan.gradient(cell)
    rows += [(gradient,)] if gradient else []
    label = plan.label("values", tuple(rows))
    kind = "loss" if name == plan.derivation.loss else quantity.kind
    return Node(kind, 0, 0.0, 0.0, label.width + 2 * PADDING, label.height + 1.5 * PADDING, cell, name, (label,))


# --- places -----------------------------------------------------------------------------------------------------------


def _drawn(uses: Uses, table: Table, boxes: Mapping[str, Node], downwards: bool) -> Diagram:
    """The boxes in their columns and the edges between them; downwards: columns are rows, from top to bottom."""
    home = {name: route(table, name, name)[-1][1] for name in uses}
    long, broad = ({name: _size(box, turned) for name, box in boxes.items()} for turned in (downwards, not downwards))
    at_home = set(home.items())
    rooms = {spot: broad[spot[0]] + BOXES_APART[downwards] if spot in at_home else LINE_ROOM for spots in table for spot in spots}
    across = heights(table, uses, rooms)
    lengths = [max(long[name] for name in uses if home[name] == column) for column in range(len(table))]
    starts = [sum(lengths[:column]) + COLUMNS_APART[downwards] * column for column in range(len(table))]
    middles = {name: (starts[column] + lengths[column] / 2, across[name, column]) for name, column in home.items()}
    numbers = {name: number for number, name in enumerate(uses)}
    edges = []
    for target, used in uses.items():
        courses: dict[str, list[Point]] = {}
        for source in used:
            courses[source] = [(middles[source][0] + long[source] / 2, middles[source][1])]
            for spot in route(table, source, target)[1:-1]:
                courses[source] += [(starts[spot[1]], across[spot]), (starts[spot[1]] + lengths[spot[1]], across[spot])]
        arriving = sorted(courses, key=lambda source: (courses[source][-1][1], numbers[source]))
        along, middle = middles[target]
        for source, points in courses.items():
            share = (arriving.index(source) + 1) / (len(arriving) + 1) - 0.5
            points.append((along - long[target] / 2, middle + share * broad[target]))
            turned = tuple(_turned(point, downwards) for point in points)
            edges.append(Edge("use", numbers[source], numbers[target], (target, ()), turned))
    nodes = tuple(boxes[name].moved(*_turned(middles[name], downwards)).replace(column=home[name]) for name in uses)
    return framed(Diagram(nodes, tuple(edges), 0.0, 0.0, downwards=downwards))


def _size(box: Node, downwards: bool) -> float:
    """How long a box is in the direction of the drawing."""
    return box.height if downwards else box.width


def _turned(point: Point, downwards: bool) -> Point:
    return (point[1], point[0]) if downwards else point
