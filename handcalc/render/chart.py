"""A curve drawn with letters, for terminals: braille dots, or stars where there is only ASCII.

- `curve(points, width, height, ascii)` gives the lines, with the numbers of both axes. Where the heights span more than
  two powers of ten, their axis is logarithmic.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Points = Sequence[tuple[float, float]]
LOGARITHMIC = 100  # highest over lowest
_BLANK = 0x2800  # the braille letter without dots
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # row → left and right dot


def curve(points: Points, width: int, height: int = 10, ascii: bool = False) -> list[str]:
    """The lines of a curve through points with rising first numbers; at most `width` columns."""
    low, high = min(y for _, y in points), max(y for _, y in points)
    labels = [f"{high:.3g}", f"{low:.3g}"]
    if low > 0 and high > LOGARITHMIC * low:
        points = [(x, math.log(y)) for x, y in points]
        low, high = math.log(low), math.log(high)
    margin = max(map(len, labels)) + 1
    columns = max(width - margin - 1, 8)
    across, down = (1, 1) if ascii else (2, 4)
    grid = [[0] * columns for _ in range(height)]
    for x, y in _dense(points, columns * across):
        row = round((high - y) / (high - low) * (height * down - 1)) if high > low else height * down - 1
        dot = 1 if ascii else _DOTS[row % down][x % across]
        grid[row // down][x // across] |= dot
    lines = []
    for place, row_of_dots in enumerate(grid):
        label = labels[0] if place == 0 else labels[1] if place == height - 1 else ""
        text = "".join((" *"[bool(dots)] if ascii else chr(_BLANK + dots) if dots else " ") for dots in row_of_dots)
        lines.append((label.rjust(margin - 1) + (" |" if ascii else " │") + text).rstrip())
    first, last = f"{points[0][0]:g}", f"{points[-1][0]:g}"
    lines.append(" " * margin + ("+" if ascii else "└") + ("-" if ascii else "─") * columns)
    lines.append(" " * (margin + 1) + first + last.rjust(columns - len(first)))
    return lines


def _dense(points: Points, count: int) -> list[tuple[int, float]]:
    """(column, height) for every column of dots, on straight lines between the points."""
    start, end = points[0][0], points[-1][0]
    if end == start:
        return [(0, points[0][1])]
    found: list[tuple[int, float]] = []
    place = 0
    for column in range(count):
        x = start + (end - start) * column / (count - 1)
        while place + 2 < len(points) and points[place + 1][0] < x:
            place += 1
        (left, below), (right, above) = points[place], points[place + 1]
        share = min(max((x - left) / (right - left), 0.0), 1.0) if right > left else 0.0
        y = below + (above - below) * share
        if math.isfinite(y):
            found.append((column, y))
    return found
