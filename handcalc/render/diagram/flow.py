"""Boxes in columns, each after those it uses, with curves from box to box.

- `flow(uses, boxes, widest)` is the drawing, `paged(uses, boxes)` one that is parted into strips where it would be too long for a
  page; columns.py says in which column, order and height everything stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.render.diagram.columns import Spot, Uses, columns, heights, order, route
from handcalc.render.diagram.model import Diagram, Edge, Node, Point, framed
from handcalc.render.diagram.typesetting import added

COLUMNS_APART = {False: 48.0, True: 36.0}  # from left to right; from top to bottom
BOXES_APART = {False: 20.0, True: 26.0}  # in a column
LINE_ROOM = 16.0  # that an edge needs where it passes through a column
PAGE = (760.0, 526.0)  # how large a drawing of full size may be on paper: 166 by 115 mm
STRIP_COST = 1.1  # of every strip: how much smaller a drawing may be for one strip less
SCREEN = 1345.0  # how wide a drawing of full size may be in a window of 1400 pixels
SCREEN_COST = 1.3  # of a wider one: how much smaller a drawing may be on paper for being seen whole there
STRIPS_LIMIT = 4  # pieces of a drawing that would be too long
STRIPS_APART, EDGE, TRACKS_APART = 14.0, 12.0, 6.0  # between strips and the lines between them; beside a strip; between lines


def flow(uses: Uses, boxes: Mapping[str, Node], widest: float) -> Diagram:
    """The boxes of some names, each after those it uses, and the edges between them; from top to bottom where that is less wide
    than a drawing that would be wider than `widest`."""
    found = arranged(uses, boxes)
    return found if found.width <= widest else min(found, arranged(uses, boxes, True), key=lambda one: one.width)


def paged(uses: Uses, boxes: Mapping[str, Node]) -> Diagram:
    """The boxes in that direction, and in as many strips beside one another, in which they are largest on a page, and fit a screen."""
    tried = [(arranged(uses, boxes, downwards, strips), strips) for strips in range(1, STRIPS_LIMIT + 1) for downwards in (False, True)]

    def cost(found: tuple[Diagram, int]) -> float:
        drawn, strips = found
        wider = SCREEN_COST if drawn.width > SCREEN else 1.0
        return wider * STRIP_COST**strips * max(drawn.width / PAGE[0], drawn.height / PAGE[1], 1.0)

    return min(tried, key=cost)[0]


def arranged(uses: Uses, boxes: Mapping[str, Node], downwards: bool = False, strips: int = 1) -> Diagram:
    """The boxes in their columns and the edges between them; downwards: columns are rows, from top to bottom; strips: the columns
    are parted into so many pieces, which stand beside one another."""
    table = order(columns(uses), uses)
    home = {name: route(table, name, name)[-1][1] for name in uses}
    long, broad = ({name: _size(box, turned) for name, box in boxes.items()} for turned in (downwards, not downwards))
    at_home = set(home.items())
    rooms = {spot: broad[spot[0]] + BOXES_APART[downwards] if spot in at_home else LINE_ROOM for spots in table for spot in spots}
    across = heights(table, uses, rooms)
    lengths = [max(long[name] for name in uses if home[name] == column) for column in range(len(table))]
    starts = [added(lengths[:column]) + COLUMNS_APART[downwards] * column for column in range(len(table))]
    middles = {name: (starts[column] + lengths[column] / 2, across[name, column]) for name, column in home.items()}
    numbers = {name: number for number, name in enumerate(uses)}
    courses: dict[tuple[str, str], list[tuple[int, Point]]] = {}  # of an edge: the column of each point, and the point
    for target, used in uses.items():
        for source in used:
            course = [(home[source], (middles[source][0] + long[source] / 2, middles[source][1]))]
            for spot in route(table, source, target)[1:-1]:
                course += [(spot[1], (starts[spot[1]] + along, across[spot])) for along in (0.0, lengths[spot[1]])]
            courses[source, target] = course
        arriving = sorted(used, key=lambda source: (courses[source, target][-1][1][1], numbers[source]))
        along, middle = middles[target]
        for place, source in enumerate(arriving, 1):
            share = place / (len(arriving) + 1) - 0.5
            courses[source, target].append((home[target], (along - long[target] / 2, middle + share * broad[target])))
    fold = _Fold(_cut(starts, lengths, strips), starts, lengths, {spot: (across[spot], room) for spot, room in rooms.items()}, courses)
    edges = []
    for target, used in uses.items():
        for source in used:
            points = tuple(_turned(point, downwards) for point in fold.course(source, courses[source, target]))
            edges.append(Edge("use", numbers[source], numbers[target], boxes[target].cell or (target, ()), points))
    places = {name: _turned(fold.at(home[name], middles[name]), downwards) for name in uses}
    nodes = tuple(boxes[name].moved(*places[name]).replace(column=home[name]) for name in uses)
    return framed(Diagram(nodes, tuple(edges), 0.0, 0.0, downwards=downwards))


# --- strips -----------------------------------------------------------------------------------------------------------


def _cut(starts: list[float], lengths: list[float], strips: int) -> list[int]:
    """The first columns of the strips, none of which is longer than need be."""
    longest = (starts[-1] + lengths[-1]) / strips
    while True:
        cuts = [0]
        for column in range(len(starts)):
            if starts[column] + lengths[column] - starts[cuts[-1]] > longest and column > cuts[-1]:
                cuts.append(column)
        if len(cuts) <= strips:
            return cuts
        longest *= 1.05


class _Fold:
    """Where points stand when the columns are parted into strips. rooms: the middle of every spot and its room across; an edge
    from strip to strip goes round: out at the end of one, back between both, and in at the start of the other."""

    def __init__(
        self,
        cuts: list[int],
        starts: list[float],
        lengths: list[float],
        rooms: Mapping[Spot, tuple[float, float]],
        courses: Mapping[tuple[str, str], list[tuple[int, Point]]],
    ) -> None:
        self.cuts, self.starts = cuts, starts
        pieces = list(zip(cuts, [*cuts[1:], len(starts)]))
        self.lengths = [starts[after - 1] + lengths[after - 1] - starts[first] for first, after in pieces]
        self.tracks: list[list[str]] = [[] for _ in cuts]  # after each strip, the sources of the edges that go on
        for (source, _), course in courses.items():
            for (column, _), (following, _) in zip(course, course[1:]):
                here, there = self.strip(column), self.strip(following)
                if here != there and source not in self.tracks[here]:
                    self.tracks[here].append(source)
        self.offsets: list[float] = []  # of each strip
        self.tops: list[float] = []
        bottom = 0.0
        for number, (first, after) in enumerate(pieces):
            inside = [room for (_, column), room in rooms.items() if first <= column < after]
            self.tops.append(bottom)
            self.offsets.append(bottom - min(middle - room / 2 for middle, room in inside))
            bottom = self.offsets[-1] + max(middle + room / 2 for middle, room in inside)
            bottom += 2 * STRIPS_APART + TRACKS_APART * len(self.tracks[number])

    def strip(self, column: int) -> int:
        """The number of a column's strip."""
        return max(number for number, first in enumerate(self.cuts) if first <= column)

    def at(self, column: int, point: Point) -> Point:
        """Where a point of a column stands."""
        strip = self.strip(column)
        return point[0] - self.starts[self.cuts[strip]] if strip else point[0], point[1] + (
            self.offsets[strip] if len(self.cuts) > 1 else 0.0
        )

    def course(self, source: str, points: list[tuple[int, Point]]) -> list[Point]:
        """The points of an edge."""
        found = [self.at(*points[0])]
        for (column, _), (following, point) in zip(points, points[1:]):
            here, there = self.strip(column), self.strip(following)
            end = self.at(following, point)
            if here != there:
                track = self.tracks[here].index(source)
                out, back = self.lengths[here] + EDGE + TRACKS_APART * track, -EDGE - TRACKS_APART * track
                between = self._bottom(here) + STRIPS_APART + TRACKS_APART * track
                found += [(out, found[-1][1]), (out, between), (back, between), (back, end[1])]
            found.append(end)
        return found

    def _bottom(self, strip: int) -> float:
        """Where the paper of a strip ends."""
        return self.tops[strip + 1] - 2 * STRIPS_APART - TRACKS_APART * len(self.tracks[strip])


def _size(box: Node, downwards: bool) -> float:
    """How long a box is in the direction of the drawing."""
    return box.height if downwards else box.width


def _turned(point: Point, downwards: bool) -> Point:
    return (point[1], point[0]) if downwards else point
