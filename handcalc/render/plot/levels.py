"""Level lines and areas of a function known on a grid: marching squares.

- `HeightMap` has the numbers; `level_lines(field, level)` are the lines on which it has a value, `outline(field)` is what
  surrounds the places where it is 0 or more.

In every square of the grid, the part that is at or above the level is a polygon of corners and of crossings on the
edges. A side that two squares share is gone through once in either direction, so what is left after these cancel is the
outline; the sides between two crossings are the level lines. Source: Lorensen and Cline, 1987, in two dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from handcalc.core.record import Record

Point = tuple[float, float]
Line = tuple[Point, ...]
Lines = tuple[Line, ...]
Function = Callable[[Sequence[Point]], Sequence[float]]  # a function that the grid has values of, at other points

HALVINGS = 20  # of an edge, until its crossing is exact enough

_Node = tuple[int, int, int]  # column, row; 0: the corner, 1: the crossing on the edge to the right of it, 2: on that above it
_Side = tuple[_Node, _Node]
_AROUND = ((0, 0), (1, 0), (1, 1), (0, 1))  # the corners of a square, its inside at the left


class HeightMap(Record):
    """Numbers on a grid, values[row][column], NaN where there is none; across and up: the places of columns and rows, rising."""

    across: tuple[float, ...]
    up: tuple[float, ...]
    values: tuple[tuple[float, ...], ...]

    def at(self, x: float, y: float) -> float:
        """The number between four places of the grid, by linear interpolation; NaN outside."""
        column, right = _between(self.across, x)
        row, above = _between(self.up, y)
        if column < 0 or row < 0:
            return math.nan
        low, high = self.values[row], self.values[row + 1]
        below = low[column] + right * (low[column + 1] - low[column])
        return below + above * (high[column] + right * (high[column + 1] - high[column]) - below)


def _between(places: Sequence[float], wanted: float) -> tuple[int, float]:
    """The interval a number lies in, −1 for none, and its share of it."""
    if not places[0] <= wanted <= places[-1]:
        return -1, 0.0
    place = next(place for place, end in enumerate(places[1:]) if wanted <= end)
    return place, (wanted - places[place]) / (places[place + 1] - places[place])


def grid(low: Point, high: Point, count: int, function: Function) -> HeightMap:
    """A function at count × count places between two corners."""
    return grids(low, high, count, lambda points: [function(points)])[0]


def grids(low: Point, high: Point, count: int, functions: Callable[[Sequence[Point]], Sequence[Sequence[float]]]) -> tuple[HeightMap, ...]:
    """Several functions at the same places."""
    across, up = (tuple(low[side] + (high[side] - low[side]) * step / (count - 1) for step in range(count)) for side in (0, 1))
    found = functions([(x, y) for y in up for x in across])
    return tuple(HeightMap(across, up, tuple(tuple(values[row * count : (row + 1) * count]) for row in range(count))) for values in found)


def level_lines(field: HeightMap, level: float, exact: Function | None = None) -> Lines:
    """The lines on which a field has a value, the larger values at their left; exact: the function itself, to find them better."""
    sides = _sides(field, level)
    return _lines(field, level, [side for side in sides if side[0][2] and side[1][2]], exact)


def outline(field: HeightMap, exact: Function | None = None) -> Lines:
    """Closed lines around the places where a field is 0 or more; of points on one straight side of the grid, the ends."""
    found = _lines(field, 0.0, _sides(field, 0.0), exact)
    return tuple(tuple(_without_middles(line)) for line in found)


def _without_middles(line: Line) -> Iterator[Point]:
    line = tuple(point for place, point in enumerate(line) if place == 0 or point != line[place - 1])
    last = len(line) - 1
    for place, point in enumerate(line):
        before, after = line[max(place - 1, 0)], line[min(place + 1, last)]
        if place in (0, last) or not any(before[side] == point[side] == after[side] for side in (0, 1)):
            yield point


# --- squares ----------------------------------------------------------------------------------------------------------


def _sides(field: HeightMap, level: float) -> dict[_Side, None]:
    """The sides that surround the places at or above a level."""
    sides: dict[_Side, None] = {}
    for row in range(len(field.up) - 1):
        for column in range(len(field.across) - 1):
            corners = [(column + right, row + above) for right, above in _AROUND]
            values = [field.values[above][right] for right, above in corners]
            if any(map(math.isnan, values)) or max(values) < level:
                continue
            for polygon in _polygons(corners, [value >= level for value in values], sum(values) / 4 >= level):
                for side in zip(polygon, polygon[1:] + polygon[:1]):
                    if side[::-1] in sides:
                        del sides[side[1], side[0]]
                    else:
                        sides[side] = None
    return sides


def _polygons(corners: list[tuple[int, int]], inside: list[bool], middle: bool) -> list[list[_Node]]:
    """The part of a square that is inside; where only two opposite corners are, the middle says whether it is one part."""
    nodes: list[_Node] = []
    for place, corner in enumerate(corners):
        after = (place + 1) % 4
        if inside[place]:
            nodes.append((*corner, 0))
        if inside[place] != inside[after]:
            nodes.append(_crossing(corner, corners[after]))
    if sum(inside) == 2 and inside[0] == inside[2] and not middle:
        start = 1 if inside[0] else 0
        nodes = nodes[-1:] + nodes[:-1] if start else nodes
        return [nodes[:3], nodes[3:]]
    return [nodes]


def _crossing(one: tuple[int, int], other: tuple[int, int]) -> _Node:
    return (*min(one, other), 1 if one[1] == other[1] else 2)


# --- places -----------------------------------------------------------------------------------------------------------


def _lines(field: HeightMap, level: float, sides: Iterable[_Side], exact: Function | None) -> Lines:
    """Sides joined to lines; open ones begin where no side ends."""
    following: dict[_Node, list[_Node]] = {}
    ends: dict[_Node, int] = {}
    for start, end in sides:
        following.setdefault(start, []).append(end)
        ends[end] = ends.get(end, 0) + 1
    places = _places(field, level, {*following, *ends}, exact)
    found: list[Line] = []
    for node in sorted(following, key=lambda node: (ends.get(node, 0) > 0, node)):
        while following[node]:
            line = [node]
            while following.get(line[-1]):
                line.append(following[line[-1]].pop())
            found.append(tuple(places[one] for one in line))
    return tuple(found)


def _places(field: HeightMap, level: float, nodes: Iterable[_Node], exact: Function | None) -> dict[_Node, Point]:
    """Where corners and crossings are."""
    found: dict[_Node, Point] = {}
    edges: dict[_Node, tuple[Point, Point]] = {}  # crossing → the ends of its edge, that below the level first
    for node in sorted(nodes):
        column, row, kind = node
        here = (field.across[column], field.up[row])
        if not kind:
            found[node] = here
            continue
        right, above = column + (kind == 1), row + (kind == 2)
        there = (field.across[right], field.up[above])
        one, other = field.values[row][column], field.values[above][right]
        edges[node] = (here, there) if one < level else (there, here)
        share = (level - one) / (other - one)
        found[node] = _along(here, there, share)
    if exact is not None and edges:
        found |= _halved(edges, level, exact)
    return found


def _halved(edges: dict[_Node, tuple[Point, Point]], level: float, exact: Function) -> dict[_Node, Point]:
    """Crossings of the function itself, which may be a step."""
    for _ in range(HALVINGS):
        middles = [_along(low, high, 0.5) for low, high in edges.values()]
        values = exact(middles)
        pairs = zip(edges.items(), middles, values)
        edges = {node: (middle, high) if value < level else (low, middle) for (node, (low, high)), middle, value in pairs}
    return {node: _along(low, high, 0.5) for node, (low, high) in edges.items()}


def _along(start: Point, end: Point, share: float) -> Point:
    return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])
