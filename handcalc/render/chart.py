"""A curve, drawn with letters for terminals (braille dots, or stars where there is only ASCII), or as SVG.

- `curve(points, width, height, ascii)` gives the lines, with the numbers of both axes.
- `svg_curve(points, across, up)` is a picture with the names of both axes.

Where the heights span more than two powers of ten, their axis is logarithmic.
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
    points, low, high = _scaled(points, low, high)
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


def _scaled(points: Points, low: float, high: float) -> tuple[Points, float, float]:
    """Points, lowest and highest, as logarithms where they span too much."""
    if low > 0 and high > LOGARITHMIC * low:
        return [(x, math.log10(y)) for x, y in points], math.log10(low), math.log10(high)
    return points, low, high


_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _EDGE = 640, 360, 70, 46, 30
_SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" aria-label="{up}">
<rect width="{width}" height="{height}" fill="white"/>
<g font-family="Libertinus Serif, Noto Serif CJK SC, serif" font-size="13" fill="#333">
{marks}
<text x="{middle}" y="{foot}" text-anchor="middle">{across}</text>
<text x="16" y="{side}" text-anchor="middle" transform="rotate(-90 16 {side})">{up}</text>
</g>
<polyline fill="none" stroke="#1f5fa8" stroke-width="2" stroke-linejoin="round" points="{points}"/>
</svg>
"""


def svg_curve(points: Points, across: str, up: str) -> str:
    """A picture of the curve; across, up: what its axes are, as text that is escaped already."""
    plain = [y for _, y in points]
    scaled, low, high = _scaled(points, min(plain), max(plain))
    start, end = points[0][0], points[-1][0]

    def place(x: float, y: float) -> tuple[float, float]:
        right = (x - start) / (end - start) if end > start else 0.0
        height = (y - low) / (high - low) if high > low else 0.0
        return _LEFT + right * (_WIDTH - _LEFT - _EDGE), _HEIGHT - _BOTTOM - height * (_HEIGHT - _BOTTOM - _EDGE)

    marks = []
    for y in _ticks(low, high, scaled is not points):
        _, below = place(start, y)
        label = f"{10**y:.3g}" if scaled is not points else f"{y:.3g}"
        marks.append(f'<path d="M{_LEFT} {below:.1f}H{_WIDTH - _EDGE}" stroke="#ddd"/>')
        marks.append(f'<text x="{_LEFT - 8}" y="{below + 4:.1f}" text-anchor="end">{label}</text>')
    for x in _ticks(start, end, False):
        beside, _ = place(x, low)
        marks.append(f'<text x="{beside:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{x:g}</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*point) for point in scaled))
    sizes = {"width": _WIDTH, "height": _HEIGHT, "middle": (_LEFT + _WIDTH) // 2, "foot": _HEIGHT - 10, "side": (_HEIGHT - _BOTTOM) // 2}
    return _SVG.format(marks="\n".join(marks), across=across, up=up, points=line, **sizes)


def _ticks(low: float, high: float, whole: bool) -> list[float]:
    """Some five round numbers from low to high; whole: powers of ten, if there are enough."""
    if high <= low:
        return [low]
    power = 10 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (1, 2, 5, 10) if (high - low) / (power * factor) <= 6)
    step = max(round(step), 1) if whole and high - low >= 2 else step
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 12) for number in range(first, math.floor(high / step + 1e-9) + 1)]


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
