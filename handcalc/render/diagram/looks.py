"""How drawings of networks look: colours and lines of nodes, of squares of grids and of edges, for every format of drawings.

- `NODES`, `SQUARES` and `STROKES` are the tables: kind → its record. INK, LINES, PALE, SECOND and PAPER are colours of all.

To draw another kind of node, square or edge, add its record. Kinds differ in lightness as well, so that they can be told apart in grey.
"""

from __future__ import annotations

from handcalc.core.record import Record

INK, LINES, PALE, SECOND, PAPER = "#1c1c1c", "#5f6368", "#8a8a8a", "#b3261e", "#ffffff"


class NodeLook(Record):
    """A kind of node: its paper and its line; round: a circle; dashed: its line; beside_squares: only in drawings with grids."""

    kind: str
    paper: str
    line: str
    round: bool = False
    dashed: bool = False
    beside_squares: bool = False


class SquareLook(Record):
    """A kind of square of a grid: its paper and its line; over: those with a larger number are drawn over it; dashed: its line;
    mark: what is put around its number in letters."""

    kind: str
    paper: str
    line: str
    over: int
    dashed: bool = False
    mark: str = ""


class Stroke(Record):
    """A kind of edge: attributes of SVG, options of TikZ."""

    kind: str
    svg: str
    tikz: str


NODES = {
    look.kind: look
    for look in (
        NodeLook("input", "#e8f1fb", "#2f6db3", round=True),
        NodeLook("hidden", "#fff3dc", "#b97a10", round=True),
        NodeLook("output", "#e6f4e6", "#2e7d32", round=True),
        NodeLook("target", "#fafafa", "#8a8a8a", dashed=True),
        NodeLook("loss", "#f5eafa", "#7b3f98"),
        NodeLook("given", "#e8f1fb", "#2f6db3"),
        NodeLook("variable", "#fff3dc", "#b97a10"),
        NodeLook("weights", "#f3f3f0", "#8a8a8a", beside_squares=True),
        NodeLook("answer", "#e6f4e6", "#2e7d32", beside_squares=True),
        NodeLook("words", "none", "none", beside_squares=True),
    )
}
SQUARES = {
    look.kind: look
    for look in (
        SquareLook("square", "#ffffff", "#b9b9b4", over=0),
        SquareLook("window", "#ffe9a8", "#b97a10", over=3, mark="[{}]"),
        SquareLook("result", "#bfe3c0", "#2e7d32", over=5, mark="[{}]"),
        SquareLook("chosen", "#ffc766", "#a85b00", over=4, mark="*[{}]"),
        SquareLook("padding", "#f6f6f4", "#8a8a8a", over=1, dashed=True),
        SquareLook("outside", "#fff6dd", "#b97a10", over=2, dashed=True, mark="[{}]"),
    )
}
# an edge, one among many, a line to a target and the loss
STROKES = {
    stroke.kind: stroke
    for stroke in (
        Stroke("edge", svg=f'stroke="{LINES}" stroke-width="1.1"', tikz="handcalcLine"),
        Stroke("crowded", svg=f'stroke="{PALE}" stroke-width="0.6"', tikz="handcalcPale, very thin"),
        Stroke("link", svg=f'stroke="{PALE}" stroke-width="1" stroke-dasharray="4 3"', tikz="handcalcPale, densely dashed"),
    )
}
