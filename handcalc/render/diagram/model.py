"""What a diagram is made of: nodes, edges and labels with their places, holding cells, never text.

- `Diagram` is a drawing of a network (`network.py`), of a computation graph (`equations.py`), of layers of any type
  (`layers.py`, `unrolled.py`) or of a window over maps (`window.py`).
- `CellItem`, `Formula`, `Title` and `Sign` are what a row of a label says; typesetting.py spells them in a notation.

Lengths are units of which a small letter has about 6; x goes to the right, y downwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from math import cos, radians, sin

from handcalc.core.expr import Expr, Ref
from handcalc.core.index import Index
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.diagram.looks import NODES, SQUARES

BORDER = 10.0  # around a drawing

Point = tuple[float, float]
Corners = tuple[Point, Point, Point, Point]
Box = tuple[float, float, float, float]  # left, top, right, bottom


def around(points: Iterable[Point]) -> Box:
    """The upright box around some points."""
    across, down = zip(*points)
    return min(across), min(down), max(across), max(down)


class CellItem(Record):
    """A quantity in a label. named: with its symbol; numbered: with its number; gradient: in the second colour.

    sampled: its symbol says which sample it belongs to.
    """

    cell: Cell
    named: bool = True
    numbered: bool = True
    gradient: bool = False
    sampled: bool = False


class Formula(Record):
    """symbol = formula of a computed quantity; no expression: its symbol only; index: the letters of a general formula."""

    cell: Cell
    expr: Expr | None
    index: tuple[Index, ...] = ()

    @property
    def reference(self) -> Ref:
        """What the symbol stands for."""
        return Ref(self.cell[0], self.index or self.cell[1])


class Title(Record):
    """The symbol of a whole grid, with general indices; sampled: it says which sample it belongs to."""

    reference: Ref
    sampled: bool = False


class Sign(Record):
    """What is no quantity: dots for what is left out, the 0 of padding; name: the name of a neuron."""

    text: str
    name: bool = False


Content = CellItem | Formula | Title | Sign
Row = tuple[Content, ...]


class Label(Record):
    """Rows of text in a box with its centre at x, y, turned by an angle in degrees.

    kind: values, weight, gradient, bias, title, one of `SQUARES` (a square of a grid), gap (what a grid leaves out), more (grids that
    are left out) or neuron (a circle); step: the cell it belongs to, where that is not its node or edge.
    """

    kind: str
    x: float
    y: float
    width: float
    height: float
    rows: tuple[Row, ...]
    angle: float = 0.0
    step: Cell | None = None

    @property
    def line(self) -> float:
        """From row to row."""
        return self.height / max(len(self.rows), 1)

    @property
    def square(self) -> bool:
        """Whether it is a square of a grid, with a border."""
        return self.kind in SQUARES

    def moved(self, right: float, down: float = 0.0) -> Label:
        """The same label at another place."""
        return self.replace(x=self.x + right, y=self.y + down)

    def corners(self) -> Corners:
        """The corners of its box, clockwise from where its text begins."""
        across, down = cos(radians(self.angle)), sin(radians(self.angle))
        half, high = self.width / 2, self.height / 2

        def corner(right: float, low: float) -> Point:
            return self.x + right * across - low * down, self.y + right * down + low * across

        return corner(-half, -high), corner(half, -high), corner(half, high), corner(-half, high)


class Node(Record):
    """A neuron or a quantity.

    kind: input, hidden, output, target, loss, given, weights, variable, answer, or more for neurons left out; column: its layer
    from 0; cell: its output, None for neurons left out; name: a neuron's name; left_out: how many are not drawn here;
    words: what stands at the top of a box, so many titles first. Neurons are circles; others boxes around their values.
    """

    kind: str
    column: int
    x: float
    y: float
    width: float
    height: float
    cell: Cell | None = None
    name: str = ""
    labels: tuple[Label, ...] = ()
    left_out: int = 0
    words: tuple[Message, ...] = ()
    titles: int = 1

    def moved(self, right: float, down: float = 0.0) -> Node:
        """The same node with its labels at another place."""
        return self.replace(x=self.x + right, y=self.y + down, labels=tuple(label.moved(right, down) for label in self.labels))

    def boxes(self) -> list[Box]:
        """What it takes of the paper: itself, then its labels."""
        own = (self.x - self.width / 2, self.y - self.height / 2, self.x + self.width / 2, self.y + self.height / 2)
        return [own, *(around(label.corners()) for label in self.labels)]

    @property
    def round(self) -> bool:
        """Whether it is drawn as a circle."""
        return self.kind != "more" and NODES[self.kind].round


class Edge(Record):
    """A line from one node to another, by their numbers; cell: its weight, or what the formula it leads into defines.

    points: where it runs; kind: weight, use (of a quantity in a formula) or link (from an output to its target and the loss).
    """

    kind: str
    source: int
    target: int
    cell: Cell
    points: tuple[Point, ...]
    labels: tuple[Label, ...] = ()

    def moved(self, right: float, down: float = 0.0) -> Edge:
        """The same edge with its labels at another place."""
        points = tuple((x + right, y + down) for x, y in self.points)
        return self.replace(points=points, labels=tuple(label.moved(right, down) for label in self.labels))

    def boxes(self) -> list[Box]:
        """What it takes of the paper: its line, then its labels."""
        return [around(self.points), *(around(label.corners()) for label in self.labels)]


class Diagram(Record):
    """A drawing.

    captions: what must be said about it; omitted: neurons that are not drawn; gradients: whether some are shown;
    downwards: edges that are curves leave and arrive from above, not from the left; about: the cell whose window it is.
    """

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]
    width: float
    height: float
    captions: tuple[Message, ...] = ()
    omitted: int = 0
    gradients: bool = False
    iteration: int = 1
    downwards: bool = False
    about: Cell | None = None

    def curve(self, edge: Edge) -> list[tuple[Point, Point, Point] | Point]:
        """The pieces of an edge after its first point: where a straight one ends; two control points and the end of a curve."""
        pieces: list[tuple[Point, Point, Point] | Point] = []
        for (x, y), (right, down) in zip(edge.points, edge.points[1:]):
            if edge.kind != "use" or x == right or y == down:
                pieces.append((right, down))
            elif self.downwards:
                pieces.append(((x, (y + down) / 2), (right, (y + down) / 2), (right, down)))
            else:
                pieces.append((((x + right) / 2, y), ((x + right) / 2, down), (right, down)))
        return pieces

    @property
    def labels(self) -> tuple[Label, ...]:
        """Every label of every node, then of every edge."""
        return (*(label for node in self.nodes for label in node.labels), *(label for edge in self.edges for label in edge.labels))

    @property
    def written(self) -> list[Cell]:
        """The cells whose symbols or numbers its labels say."""
        contents = (content for label in self.labels for row in label.rows for content in row)
        return [content.cell for content in contents if isinstance(content, (CellItem, Formula))]


def framed(diagram: Diagram) -> Diagram:
    """The same drawing with its size, and with its left upper corner at (0, 0)."""
    boxes = [*(box for node in diagram.nodes for box in node.boxes()), *(box for edge in diagram.edges for box in edge.boxes())]
    left, top = min(box[0] for box in boxes) - BORDER, min(box[1] for box in boxes) - BORDER
    right, bottom = max(box[2] for box in boxes) + BORDER, max(box[3] for box in boxes) + BORDER
    nodes = tuple(node.moved(-left, -top) for node in diagram.nodes)
    edges = tuple(edge.moved(-left, -top) for edge in diagram.edges)
    shown = any(item.gradient for label in diagram.labels for row in label.rows for item in row if isinstance(item, CellItem))
    return diagram.replace(nodes=nodes, edges=edges, width=right - left, height=bottom - top, gradients=shown)
