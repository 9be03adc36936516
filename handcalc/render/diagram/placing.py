"""Where the labels of edges go: along their edge, clear of every other line, box and label.

- `LabelledLine` is an edge with the size of its label, `place(lines, boxes)` answers the distance of each label from the
  start of its edge, None where there is no room.

Seen from its own edge, everything in the way forbids the label an interval; what is left is searched for places at
which no two labels meet, nearest to `PREFERRED` first.
"""

from __future__ import annotations

from math import hypot

from handcalc.render.diagram.model import Box, Corners, Point

PREFERRED = 0.34  # of the length of an edge
STEP = 4.0  # between the places that are tried
MARGIN = 3.0  # around a label
TRIES = 400  # places tried before a drawing is made larger


class LabelledLine:
    """An edge and its label: how wide it is, and how far it reaches above and below the edge (width 0: no label)."""

    def __init__(self, start: Point, end: Point, width: float = 0.0, above: float = 0.0, below: float = 0.0) -> None:
        self.start, self.end = start, end
        self.width, self.above, self.below = width, above, below
        self.length = hypot(end[0] - start[0], end[1] - start[1])
        self.right, self.down = (end[0] - start[0]) / self.length, (end[1] - start[1]) / self.length

    def along(self, point: Point) -> Point:
        """A point as distance from the start along the edge, and beside it (downwards)."""
        x, y = point[0] - self.start[0], point[1] - self.start[1]
        return x * self.right + y * self.down, y * self.right - x * self.down

    def at(self, distance: float, beside: float = 0.0) -> Point:
        """The way back: a point of the edge, or beside it."""
        return (
            self.start[0] + distance * self.right - beside * self.down,
            self.start[1] + distance * self.down + beside * self.right,
        )

    def corners(self, distance: float) -> Corners:
        """The box of the label at a distance from the start."""
        before, after = distance - self.width / 2, distance + self.width / 2
        return self.at(before, -self.above), self.at(after, -self.above), self.at(after, self.below), self.at(before, self.below)


def place(lines: list[LabelledLine], boxes: list[Box]) -> list[float] | None:
    """A distance for every label (0 where there is none), or None where they cannot all be read."""
    free = [_free(line, lines, boxes) for line in lines]
    order = sorted((index for index, line in enumerate(lines) if line.width), key=lambda index: (len(free[index]), index))
    if any(not free[index] for index in order):
        return None
    chosen: dict[int, float] = {}
    if not _search(order, 0, lines, free, chosen, [TRIES]):
        return None
    return [chosen.get(index, 0.0) for index in range(len(lines))]


def _search(
    order: list[int], depth: int, lines: list[LabelledLine], free: list[list[float]], chosen: dict[int, float], tries: list[int]
) -> bool:
    """Places for the labels from a depth on, the one with the least room first."""
    if depth == len(order):
        return True
    index = order[depth]
    for distance in free[index]:
        tries[0] -= 1
        if tries[0] < 0:
            return False
        corners = lines[index].corners(distance)
        if not any(overlap(corners, lines[other].corners(there)) for other, there in chosen.items()):
            chosen[index] = distance
            if _search(order, depth + 1, lines, free, chosen, tries):
                return True
            del chosen[index]
    return False


# --- room -------------------------------------------------------------------------------------------------------------


def _free(line: LabelledLine, lines: list[LabelledLine], boxes: list[Box]) -> list[float]:
    """Distances at which a label meets no other line and no box, the preferred first."""
    if not line.width:
        return []
    half = line.width / 2 + MARGIN
    outlines = [*([other.start, other.end] for other in lines if other is not line), *map(_outline, boxes)]
    forbidden = [_shadow(line, outline, line.above, line.below) for outline in outlines]
    blocked = [(start - half, end + half) for found in forbidden if found for start, end in [found]]
    places, preferred = [], line.length * PREFERRED
    count = int((line.length - 2 * half) / STEP)
    for number in range(count + 1):
        distance = half + number * STEP
        if all(not start < distance < end for start, end in blocked):
            places.append(distance)
    return sorted(places, key=lambda distance: (abs(distance - preferred), distance))


def _shadow(line: LabelledLine, outline: list[Point], above: float, below: float) -> tuple[float, float] | None:
    """The part of an edge beside which an outline comes as near as a label would be."""
    low, high = -above - MARGIN, below + MARGIN
    points = [line.along(point) for point in outline]
    if all(v <= low for _, v in points) or all(v >= high for _, v in points):
        return None
    reached: list[float] = []
    for (u, v), (other_u, other_v) in zip(points, points[1:]):
        if v == other_v:
            reached += [u, other_u] if low < v < high else []
            continue
        start, end = sorted(((low - v) / (other_v - v), (high - v) / (other_v - v)))
        start, end = max(start, 0.0), min(end, 1.0)
        if start < end:
            reached += [u + start * (other_u - u), u + end * (other_u - u)]
    return (min(reached), max(reached)) if reached else None


def meets(line: LabelledLine, box: Box) -> bool:
    """Whether an edge runs through a box."""
    found = _shadow(line, _outline(box), 0.0, 0.0)
    return found is not None and found[1] > 0 and found[0] < line.length


def _outline(box: Box) -> list[Point]:
    left, top, right, bottom = box
    return [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)]


def overlap(first: Corners, second: Corners) -> bool:
    """Whether two rectangles have more than an edge in common: no straight line parts them."""
    for shape in (first, second):
        for start, end in zip(shape[:2], shape[1:3]):
            across, down = end[0] - start[0], end[1] - start[1]
            mine = [x * across + y * down for x, y in first]
            other = [x * across + y * down for x, y in second]
            scale = hypot(across, down) or 1.0
            if max(mine) <= min(other) + 0.01 * scale or max(other) <= min(mine) + 0.01 * scale:
                return False
    return True
