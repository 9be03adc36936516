"""The drawing of a recurrent network, unrolled in time: a lane for each time, in it a box for each quantity, after those it uses.

- `unrolled(plan, parts, fixed)` is the drawing; `recurs(derivation)` says whether a network is drawn like this.

Time goes to the right, layers go down; arrows from lane to lane are what is handed on. What has no time stands to the right;
parameters, which all times share, below. Boxes that use the same along the same axes, such as the gates of an LSTM, are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.index import affine
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.diagram.boxes import PlannedBox, box, boxed, forward, used_by
from handcalc.render.diagram.flow import PAGE, SCREEN, arranged
from handcalc.render.diagram.model import Diagram, Edge, Node, Point, framed
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.squares import Patch, Squares
from handcalc.render.diagram.typesetting import added

LANES_APART = 50.0  # between lanes
TRACKS_APART = 7.0  # between lines that run up or down between two lanes
ABOVE = 10.0  # a box, for a line that comes from above
BOXES_APART = 22.0  # between parameters, and above them
TIMES_LIMIT = 5  # times that are all drawn; of more the first and the last
FIRST = 3  # drawn of more, besides the last
WORDS_APART = 5.0  # between the words of layers that stand side by side
BESIDE = (0, 2, 1)  # quantities beside one another in a box, fewer where a drawing would be too wide; 0: all of them
PADDING = 20.0  # of a drawing, on both sides together
GAP = 56.0  # for times that are left out

Lane = int  # a printed time; NONE for what has no time
NONE = -1
Spot = tuple[str, Lane]


def recurs(derivation: Derivation) -> bool:
    """Whether a quantity depends on itself at other times."""
    return any(_clock(quantity) is not None and _depends(derivation, quantity.name) for quantity in forward(derivation))


def _depends(derivation: Derivation, name: str) -> bool:
    seen: set[str] = set()
    pending = [name]
    while pending:
        for ref in used_by(derivation.graph[pending.pop()]):
            if ref.quantity == name:
                return True
            if ref.quantity in derivation.graph and ref.quantity not in seen:
                seen.add(ref.quantity)
                pending.append(ref.quantity)
    return False


def _clock(quantity: Quantity) -> int | None:
    """The number of its time axis."""
    return next((number for number, axis in enumerate(quantity.axes) if axis.role == "time"), None)


def unrolled(plan: Plan, parts: Mapping[str, PlannedBox], fixed: Mapping[str, int]) -> Diagram:
    """The whole drawing; where it would be wider than a screen, with fewer quantities beside one another in a box."""
    found = []
    for most in BESIDE:
        drawn = _Unrolled(plan, parts, fixed, most).diagram()
        if drawn.width <= SCREEN:
            return drawn
        found.append(drawn)
    return min(found, key=lambda one: one.width)


class _Pattern(Record):
    """The lane that all others are like: where every box stands, its edges with the boxes at their ends, and its height."""

    places: Mapping[str, Node]
    edges: tuple[tuple[Edge, str, str], ...]
    height: float


class _Unrolled:
    """One drawing being made."""

    def __init__(self, plan: Plan, parts: Mapping[str, PlannedBox], fixed: Mapping[str, int], most: int = 0) -> None:
        self.plan, self.graph, self.alone, self.most = plan, plan.derivation.graph, fixed, most
        self.weights = {key: part for key, part in parts.items() if part.kind == "weights"}
        timed, untimed = self._split({key: part for key, part in parts.items() if key not in self.weights})
        self.timed, self.untimed = self._siblings(timed), untimed
        self.home = {name: key for key, part in {**self.timed, **untimed}.items() for name in (*part.names, *part.also)}
        self.lanes = sorted({time for part in self.timed.values() for name in part.names for time in self._times(name)})
        self.shown = self.lanes if len(self.lanes) <= TIMES_LIMIT + 1 else [*self.lanes[: FIRST + 1], self.lanes[-1]]
        self.nodes: list[Node] = []
        self.numbers: dict[Spot, int] = {}
        self.edges: list[Edge] = []
        self.boxes = {(key, lane): self._box(key, lane) for key in self.timed for lane in self.shown if self._cells(key, lane)}

    # --- what there is ---

    def _times(self, name: str) -> Iterable[Lane]:
        """The printed times of a quantity."""
        quantity = self.graph[name]
        clock = _clock(quantity)
        axis = quantity.axes[clock] if clock is not None else None
        return range(axis.first, axis.first + axis.size) if axis else ()

    def _split(self, parts: Mapping[str, PlannedBox]) -> tuple[dict[str, PlannedBox], dict[str, PlannedBox]]:
        """Parts along time and parts without; one that has both is parted."""
        timed: dict[str, PlannedBox] = {}
        untimed: dict[str, PlannedBox] = {}
        for part in parts.values():
            along = tuple(name for name in part.names if _clock(self.graph[name]) is not None)
            for names, where in ((along, timed), (tuple(name for name in part.names if name not in along), untimed)):
                if names:
                    where[names[-1]] = part.replace(names=names, deep=min(part.deep, len(names)))
            if along and untimed.keys() & {*part.names}:
                untimed[part.names[-1]] = untimed[part.names[-1]].replace(words=())
        return timed, untimed

    def _siblings(self, parts: Mapping[str, PlannedBox]) -> dict[str, PlannedBox]:
        """Parts without words that use the same along the same axes, as one."""
        groups: dict[tuple[object, ...], list[str]] = {}
        for key, part in parts.items():
            quantities = [self.graph[name] for name in part.names]
            used = [(quantity, ref) for quantity in quantities for ref in used_by(quantity) if ref.quantity not in part.names]
            seen = {(ref.quantity, self._later(quantity, ref)) for quantity, ref in used}
            given = {name for name, _ in seen if name in self.graph and self.graph[name].definition is None and name != self.graph.inputs}
            alike = (quantities[-1].layer, part.deep, quantities[-1].axes, frozenset(one for one in seen if one[0] not in given))
            groups.setdefault((key,) if part.words or part.kind != "variable" else alike, []).append(key)
        found = {}
        for keys in groups.values():
            names = tuple(name for key in keys for name in parts[key].names)
            found[keys[-1]] = parts[keys[-1]].replace(names=names)
        return found

    def _later(self, quantity: Quantity, ref: Ref) -> int:
        """How many times later than the quantity what it uses is: −1 for the state before; 0 where there is no time."""
        own, other = _clock(quantity), _clock(self.graph[ref.quantity]) if ref.quantity in self.graph else None
        if own is None or other is None:
            return 0
        return affine(ref.indices[other]).constant + self.graph[ref.quantity].axes[other].first - quantity.axes[own].first

    def _fixed(self, lane: Lane, quantity: Quantity) -> Mapping[str, int]:
        clock = _clock(quantity)
        return self.alone if clock is None else {**self.alone, "time": lane - quantity.axes[clock].first}

    def _cells(self, key: str, lane: Lane) -> list[Cell]:
        """The cells of a box."""
        part = (self.timed if lane != NONE else self.untimed)[key]
        found = []
        for name in (*part.names, *part.also):
            if lane == NONE or lane in self._times(name):
                drawn = Squares(self.plan, self.graph[name], self._fixed(lane, self.graph[name]))
                rows, columns = drawn.sides()
                places = [(row, column) for row in rows for column in columns if row is not None and column is not None]
                found += [drawn.at(place, row, column) for place in drawn.leading() for row, column in places]
        return [cell for cell in found if self.graph.listed(*cell)]

    def _uses(self, key: str, lane: Lane) -> list[Spot]:
        """The boxes that a box uses."""
        found: dict[Spot, None] = {}
        computed = [cell for cell in self._cells(key, lane) if self.graph[cell[0]].definition is not None]
        for cell in computed:
            for used in self.graph.uses(cell) if self.graph.given_value(cell) is None else ():
                if used[0] in self.home:
                    clock = _clock(self.graph[used[0]])
                    time = NONE if clock is None else used[1][clock] + self.graph[used[0]].axes[clock].first
                    found[self.home[used[0]], time] = None
        return [spot for spot in found if spot != (key, lane)]

    # --- the drawing ---

    def diagram(self) -> Diagram:
        """Lanes from left to right, then what has no time; parameters below."""
        pattern = self._pattern()
        beginning = left = self._captions(pattern.places)
        for lane in self.shown:
            left = self._lane(lane, pattern, left)
        tracks: dict[tuple[Lane, Spot, int], float] = {}
        for lane in self.shown:
            for key in pattern.places:
                if (key, lane) in self.numbers:
                    self._handed_on((key, lane), tracks)
        self._without_time(pattern.height)
        self._parameters(beginning)
        return framed(Diagram(tuple(self.nodes), tuple(self.edges), 0.0, 0.0, downwards=True))

    def _pattern(self) -> _Pattern:
        """That of the lane with the most boxes, each as large as the largest of those that stand for the same at other times."""
        full = max(self.shown, key=lambda lane: (sum((key, lane) in self.boxes for key in self.timed), -lane))
        common = {key: self._as_large(key, self.boxes[key, full]) for key in self.timed if (key, full) in self.boxes}
        inside = {key: [used for used, time in self._uses(key, full) if time == full and used in common] for key in common}
        drawn = arranged(inside, common, True)
        ends = [(used, key) for key in inside for used in inside[key]]
        return _Pattern(dict(zip(common, drawn.nodes)), tuple((edge, *pair) for edge, pair in zip(drawn.edges, ends)), drawn.height)

    def _as_large(self, key: str, node: Node) -> Node:
        """A node as large as the largest of those that stand for the same at other times."""
        return _sized(node, [self.boxes[key, lane] for lane in self.shown if (key, lane) in self.boxes])

    def _lane(self, lane: Lane, pattern: _Pattern, left: float) -> float:
        """The boxes of a time and the edges between them; answers where the next lane begins."""
        places = pattern.places
        here = {key: self.boxes[key, lane] for key in places if (key, lane) in self.boxes}
        joined = [
            (edge, used, key) for edge, used, key in pattern.edges if used in here and key in here and (used, lane) in self._uses(key, lane)
        ]
        touched = {key for _, *ends in joined for key in ends}
        here = {key: self._as_large(key, node) if key in touched else node for key, node in here.items()}
        if len(self.shown) < len(self.lanes) and lane == self.shown[-1]:
            hidden = len(self.lanes) - len(self.shown)
            self._add(("", lane), Node("more", 0, left + (GAP - LANES_APART) / 2, pattern.height / 2, 40.0, 40.0, left_out=hidden))
            left += GAP
        start = left - min(places[key].x - node.width / 2 for key, node in here.items())
        for key, node in here.items():
            self._add((key, lane), node.moved(start + places[key].x, places[key].y))
        for edge, used, key in joined:
            self._edge((used, lane), (key, lane), [(start + x, y) for x, y in edge.points])
        return start + max(places[key].x + node.width / 2 for key, node in here.items()) + LANES_APART

    def _box(self, key: str, lane: Lane) -> Node:
        part = self.timed[key]
        names = tuple(name for name in part.names if lane in self._times(name))
        given = all(self.graph.given_value(cell) is not None for cell in self._cells(key, lane))
        words = (Message("Time {time}", time=lane),) if key == self.graph.inputs else ()
        kind = "given" if given and part.kind in ("variable", "answer") else part.kind
        part = part.replace(names=names, kind=kind, words=words, titles=1)
        return box(self.plan, part, lambda quantity: self._fixed(lane, quantity), most=self.most)

    def _add(self, spot: Spot, node: Node) -> None:
        self.numbers[spot] = len(self.nodes)
        self.nodes.append(node)

    def _edge(self, source: Spot, target: Spot, points: list[Point]) -> None:
        cell = self.nodes[self.numbers[target]].cell
        assert cell is not None
        points = [point for point, before in zip(points, [None, *points]) if point != before]
        self.edges.append(Edge("use", self.numbers[source], self.numbers[target], cell, tuple(points)))

    def _captions(self, places: Mapping[str, Node]) -> float:
        """The words of the layers, to the left of their boxes; answers where the lanes begin."""
        told = {key: self.timed[key] for key in places if self.timed[key].words}
        made = {}
        for key, part in told.items():
            cell = next(cell for lane in reversed(self.shown) for cell in self._cells(key, lane))
            made[key] = boxed(part.replace(kind="words"), Patch((), 0.0, 0.0), cell)
        wide = max(node.width for node in made.values())
        for key, node in made.items():
            beside = [one for one in made if abs(places[one].y - places[key].y) < node.height]  # below each other, around the same height
            above = added(made[one].height + WORDS_APART for one in beside[: beside.index(key)])
            whole = sum(made[one].height + WORDS_APART for one in beside) - WORDS_APART
            self.nodes.append(node.moved(wide / 2, places[key].y + above + (node.height - whole) / 2))
        return wide + BOXES_APART

    # --- between lanes ---

    def _handed_on(self, target: Spot, tracks: dict[tuple[Lane, Spot, int], float]) -> None:
        """The edges into a box from other lanes: out of one box to the side of the other lane, up or down between the lanes, into the
        other; out below and in from above where another box of the lane stands before it."""
        end = self.nodes[self.numbers[target]]
        arriving = [source for source in self._uses(*target) if source[1] not in (NONE, target[1])]
        for number, source in enumerate(arriving):
            if source not in self.numbers:
                source = ("", target[1])
            start = self.nodes[self.numbers[source]]
            side = -1 if source[1] != NONE and source[1] > target[1] else 1  # where the other lane is: later, or earlier
            y = end.y + end.height * ((number + 1) / (len(arriving) + 1) - 0.5)
            lane, other = self._standing(target[1]), self._standing(source[1])
            first = min(side * node.x - node.width / 2 for node in lane)
            used = sum(time == target[1] and way == side for time, _, way in tracks)
            track = side * tracks.setdefault((target[1], source, side), first - LANES_APART * 0.3 - TRACKS_APART * used)
            height = start.y if start.cell else y
            points = [(start.x + side * start.width / 2, height), (track, height), (track, y), (end.x - side * end.width / 2, y)]
            if start.cell and any(side * node.x > side * start.x and abs(node.y - height) < node.height / 2 for node in other):
                below = start.y + start.height / 2 + ABOVE
                points[:2] = [(start.x, start.y + start.height / 2), (start.x, below), (track, below)]
            if any(side * node.x < side * end.x and abs(node.y - y) < node.height / 2 for node in lane):
                top, x = end.y - end.height / 2, end.x + end.width * ((number + 1) / (len(arriving) + 1) - 0.5)
                above = top - ABOVE - TRACKS_APART * number
                points[-2:] = [(track, above), (x, above), (x, top)]
            self._edge(source, target, points if height != y or len(points) > 4 else [points[0], points[3]])

    def _standing(self, lane: Lane) -> list[Node]:
        """The boxes of a lane."""
        return [self.nodes[place] for (_, time), place in self.numbers.items() if time == lane and self.nodes[place].cell]

    def _without_time(self, bottom: float) -> None:
        """What has no time, to the right of the lanes, at the height of what it uses."""
        if not self.untimed:
            return
        uses = {key: self._uses(key, NONE) for key in self.untimed}
        boxes = {key: box(self.plan, part, lambda quantity: self.alone) for key, part in self.untimed.items()}
        own = {key: [used for used, lane in spots if lane == NONE] for key, spots in uses.items()}
        drawn = arranged(own, boxes)
        right = max(node.x + node.width / 2 for node in self.nodes) + LANES_APART
        first = next((key for key, spots in uses.items() if any(lane != NONE for _, lane in spots)), next(iter(boxes)))
        beside = [self.nodes[self.numbers[spot]] for spot in uses[first] if spot in self.numbers]
        placed = dict(zip(boxes, drawn.nodes))
        down = (beside[-1].y if beside else bottom / 2) - placed[first].y
        for key, node in placed.items():
            self._add((key, NONE), node.moved(right, down))
        for edge, (source, target) in zip(drawn.edges, [(used, key) for key in own for used in own[key]]):
            self._edge((source, NONE), (target, NONE), [(x + right, y + down) for x, y in edge.points])
        bus = max(node.y + node.height / 2 for node in self.nodes) + BOXES_APART / 2
        for key, spots in uses.items():
            self._out_of_time((key, NONE), [spot for spot in spots if spot[1] != NONE], bus)

    def _out_of_time(self, target: Spot, spots: list[Spot], bus: float) -> None:
        """The edges from lanes to a box without time: out of the last lane to the right, out of those before it below all boxes."""
        end = self.nodes[self.numbers[target]]
        before = end.x - end.width / 2
        track = before - LANES_APART / 2
        last = max((lane for _, lane in spots), default=NONE)
        for spot in spots:
            if spot not in self.numbers:
                continue
            start = self.nodes[self.numbers[spot]]
            if spot[1] != last:
                points = [(start.x, start.y + start.height / 2), (start.x, bus), (track, bus), (track, end.y), (before, end.y)]
            elif start.y == end.y:
                points = [(start.x + start.width / 2, start.y), (before, end.y)]
            else:
                points = [(start.x + start.width / 2, start.y), (track, start.y), (track, end.y), (before, end.y)]
            self._edge(spot, target, points)

    def _parameters(self, left: float) -> None:
        """A row of parameters below everything, in as many rows as the width asks."""
        x, y, high = left, max(node.y + node.height / 2 for node in self.nodes) + 2 * BOXES_APART, 0.0
        right = max(max(node.x + node.width / 2 for node in self.nodes), min(PAGE[0] / PAGE[1] * y, SCREEN - PADDING))
        for part in self.weights.values():
            node = box(self.plan, part, lambda quantity: {})
            if x > left and x + node.width > right:
                x, y, high = left, y + high + BOXES_APART, 0.0
            self.nodes.append(node.moved(x + node.width / 2, y + node.height / 2))
            x, high = x + node.width + BOXES_APART, max(high, node.height)


def _sized(node: Node, alike: list[Node]) -> Node:
    """A node as large as the largest of those that stand for the same at other times, with its content at the top."""
    wide, high = max(other.width for other in alike), max(other.height for other in alike)
    labels = tuple(label.moved(0.0, (node.height - high) / 2) for label in node.labels)
    return node.replace(width=wide, height=high, labels=labels)
