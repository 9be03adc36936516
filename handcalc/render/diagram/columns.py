"""A directed graph without cycles drawn in columns: which column, in which order, at which height.

- `columns(uses)` puts every name into a column, and a point of each long edge into every column it passes.
- `order(table, uses)` sorts the columns so that few edges cross, `heights(table, uses, sizes)` answers where they stand.

Columns are longest paths; the order is found by barycentres (Sugiyama, Tagawa and Toda, 1981), heights by least
squares: everything as near as possible to its neighbours, nothing nearer to the next than its size asks. Edges that
leave the same name share their points, so that they run together as far as they can.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from handcalc.render.diagram.typesetting import added

Spot = tuple[str, int]  # a name in its column, or where one of its edges passes through another column
Uses = Mapping[str, Sequence[str]]  # name → the names its formula uses
Table = list[list[Spot]]

ORDERINGS, SWEEPS = 12, 60  # passes over the columns
FURTHER = 1.3  # how far a spot goes on its way to the middle of its neighbours: too far, which is faster in the end


def columns(uses: Uses) -> Table:
    """The spots of every column; names come before the names that use them."""
    level: dict[str, int] = {}
    for name, used in uses.items():
        level[name] = 1 + max((level[other] for other in used), default=-1)
    for name, used in uses.items():
        if not used:  # as near as possible to where it is used
            level[name] = min((level[other] for other in uses if name in uses[other]), default=1) - 1
    spots = {(name, level[name]) for name in uses}
    spots |= {(other, column) for name, used in uses.items() for other in used for column in range(level[other], level[name])}
    number = {name: place for place, name in enumerate(uses)}
    table: Table = [[] for _ in range(max(level.values()) + 1)]
    for spot in sorted(spots, key=lambda spot: (number[spot[0]], spot[1])):
        table[spot[1]].append(spot)
    return table


def route(table: Table, source: str, target: str) -> list[Spot]:
    """The spots that an edge runs through."""
    first = min(column for column, spots in enumerate(table) if (source, column) in spots)
    last = min(column for column, spots in enumerate(table) if (target, column) in spots)
    return [*((source, column) for column in range(first, last)), (target, last)]


def links(table: Table, uses: Uses) -> set[tuple[Spot, Spot]]:
    """The pieces of all edges, from column to column."""
    routes = [route(table, other, name) for name, used in uses.items() for other in used]
    return {piece for spots in routes for piece in zip(spots, spots[1:])}


# --- order ------------------------------------------------------------------------------------------------------------


def order(table: Table, uses: Uses) -> Table:
    """The same columns, sorted so that few edges cross."""
    pieces = sorted(links(table, uses))
    before = {spot: [a for a, b in pieces if b == spot] for spots in table for spot in spots}
    after = {spot: [b for a, b in pieces if a == spot] for spots in table for spot in spots}
    current = [list(spots) for spots in table]
    best, fewest = current, crossings(current, pieces)
    for sweep in range(ORDERINGS):
        current = [list(spots) for spots in current]
        forward = sweep % 2 == 0
        for column in range(1, len(current)) if forward else range(len(current) - 2, -1, -1):
            neighbours = before if forward else after
            place = {spot: number for number, spot in enumerate(current[column - 1 if forward else column + 1])}
            here = {spot: number for number, spot in enumerate(current[column])}
            current[column].sort(key=lambda spot: (_mean([place[other] for other in neighbours[spot]], here[spot]), here[spot]))
        count = crossings(current, pieces)
        if count < fewest:
            best, fewest = current, count
    return best


def _mean(numbers: Iterable[float], otherwise: float) -> float:
    found = list(numbers)
    return added(found) / len(found) if found else otherwise


def crossings(table: Table, pieces: Iterable[tuple[Spot, Spot]]) -> int:
    """How many pairs of edges cross."""
    place = {spot: number for spots in table for number, spot in enumerate(spots)}
    ends = [(a[1], place[a], place[b]) for a, b in pieces]
    return sum(
        column == other and (start - other_start) * (end - other_end) < 0
        for number, (column, start, end) in enumerate(ends)
        for other, other_start, other_end in ends[:number]
    )


# --- heights ----------------------------------------------------------------------------------------------------------


def heights(table: Table, uses: Uses, sizes: Mapping[Spot, float]) -> dict[Spot, float]:
    """The middle of every spot; sizes: how much room each needs."""
    pieces = sorted(links(table, uses))
    near: dict[Spot, list[Spot]] = {spot: [] for spots in table for spot in spots}
    for a, b in pieces:
        weight = 4 if a[0] == b[0] else 1  # long edges straight
        near[a] += [b] * weight
        near[b] += [a] * weight
    found: dict[Spot, float] = {}
    for spots in table:
        found |= _apart(spots, dict.fromkeys(spots, 0.0), near, sizes)
    for sweep in range(SWEEPS):
        for spots in table if sweep % 2 == 0 else reversed(table):
            middle = {spot: _mean([found[other] for other in near[spot]], found[spot]) for spot in spots}
            wanted = {spot: found[spot] + FURTHER * (middle[spot] - found[spot]) for spot in spots}
            found |= _apart(spots, wanted, near, sizes)
    return found


def _apart(
    spots: list[Spot], wanted: Mapping[Spot, float], near: Mapping[Spot, list[Spot]], sizes: Mapping[Spot, float]
) -> dict[Spot, float]:
    """The places nearest to those wanted in this order, with room for each size; those with more neighbours move less."""
    offsets = [0.0]
    for spot, following in zip(spots, spots[1:]):
        offsets.append(offsets[-1] + (sizes[spot] + sizes[following]) / 2)
    blocks: list[tuple[float, int, int]] = []  # middle, weight and number of spots that stand as close as they can
    for spot, offset in zip(spots, offsets):
        blocks.append((wanted[spot] - offset, max(len(near[spot]), 1), 1))
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            (middle, weight, count), (other, more, others) = blocks.pop(), blocks.pop()
            blocks.append(((middle * weight + other * more) / (weight + more), weight + more, count + others))
    middles = [middle for middle, _, count in blocks for _ in range(count)]
    return {spot: middle + offset for spot, middle, offset in zip(spots, middles, offsets)}
