"""Boxes in columns, each after those it uses, with curves from box to box.

- `flow(uses, boxes, widest)` is the drawing; columns.py says in which column, order and height everything stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.render.diagram.columns import Uses, columns, heights, order, route
from handcalc.render.diagram.model import Diagram, Edge, Node, Point, framed

COLUMNS_APART = {False: 48.0, True: 36.0}  # from left to right; from top to bottom
BOXES_APART = {False: 20.0, True: 26.0}  # in a column
LINE_ROOM = 16.0  # that an edge needs where it passes through a column



def flow(uses: Uses, boxes: Mapping[str, Node], widest: float) -> Diagram:
    """The boxes of some names, each after those it uses, and the edges between them; from top to bottom where that is less wide
    than a drawing that would be wider than `widest`."""
    found = arranged(uses, boxes)
    return found if found.width <= widest else min(found, arranged(uses, boxes, True), key=lambda one: one.width)


def arranged(uses: Uses, boxes: Mapping[str, Node], downwards: bool = False) -> Diagram:
    """The boxes in their columns and the edges between them; downwards: columns are rows, from top to bottom."""
    table = order(columns(uses), uses)
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
            edges.append(Edge("use", numbers[source], numbers[target], boxes[target].cell or (target, ()), turned))
    nodes = tuple(boxes[name].moved(*_turned(middles[name], downwards)).replace(column=home[name]) for name in uses)
    return framed(Diagram(nodes, tuple(edges), 0.0, 0.0, downwards=downwards))


def _size(box: Node, downwards: bool) -> float:
    """How long a box is in the direction of the drawing."""
    return box.height if downwards else box.width


def _turned(point: Point, downwards: bool) -> Point:
    return (point[1], point[0]) if downwards else point
