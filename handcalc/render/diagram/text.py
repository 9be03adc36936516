"""A diagram as lines of text for a terminal.

- `drawing(diagram, reading, translate, width)` is the text; ASCII where the reading is in PLAIN, else Unicode.

Every neuron is drawn with the edges that lead into it, layer by layer:

    i1 ── w1 = 0.15  ∂E/∂w1 = 0.000438568 ──┐          net_h1 = 0.3775
    i2 ── w2 = 0.20  ∂E/∂w2 = 0.000877135 ──┼──▶ (h1)  out_h1 = 0.593270
          b1 = 0.35  ∂E/∂b1 = 0.0187256   ──┘          δ_h1 = 0.00877135

Where a line has no room for that, everything has a line of its own. Drawings with squares are written by textgrids.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import Ref
from handcalc.core.record import Record
from handcalc.errors import Message, printable
from handcalc.language import Translate, wrapped
from handcalc.render.diagram.lettering import Lettering, columns_of, padded
from handcalc.render.diagram.model import CellItem, Diagram, Formula, Label, Node, Row, Sign
from handcalc.render.diagram.typesetting import in_unicode
from handcalc.render.dialects import symbol
from handcalc.render.document import layer_title
from handcalc.render.reading import Reading
from handcalc.render.symbols import typed


class Pen(Record):
    """The signs that lines are drawn with; joints: of the upright line at its first, middle and last row, and alone.

    crossing: the same where the line to the neuron leaves it.
    """

    line: str
    joints: tuple[str, str, str, str]
    crossings: tuple[str, str, str, str]
    arrow: str
    dots: str
    ellipsis: str


PENS = {
    "unicode": Pen("─", ("┐", "┤", "┘", "─"), ("┬", "┼", "┴", "─"), "▶", "⋮", "…"),
    "plain": Pen("-", ("+", "+", "+", "-"), ("+", "+", "+", "-"), ">", ":", "..."),
}
APART = "  "


def drawing(diagram: Diagram, reading: Reading, translate: Translate, width: int) -> str:
    """The drawing as text, no line longer than `width` columns."""
    plain = reading.dialect.ascii
    if any(label.square for label in diagram.labels):
        from handcalc.render.diagram.textgrids import grids

        return grids(diagram, reading if plain else in_unicode(reading), translate, width)
    text = _NeuronLettering(diagram, reading if plain else in_unicode(reading), translate, width, PENS["plain" if plain else "unicode"])
    return "\n".join(map(text.fitting, text.lines()))


class _NeuronLettering(Lettering):
    """A drawing of neurons, or of a computation graph."""

    def __init__(self, diagram: Diagram, reading: Reading, translate: Translate, width: int, pen: Pen) -> None:
        super().__init__(diagram, reading, translate, width, pen.ellipsis)
        self.pen = pen

    def lines(self) -> Iterator[str]:
        """Column after column, then what must be said."""
        shown = ""
        for column in sorted({node.column for node in self.diagram.nodes}):
            members = [(number, node) for number, node in enumerate(self.diagram.nodes) if node.column == column]
            title = self.title(members[0][1])
            if title and str(title) != shown:  # the loss stands with the targets
                yield self.said(title)
                shown = str(title)
            drawn = [self.bracket(number, node) for number, node in members]
            if any(columns_of(printable(line)) > self.width for lines in drawn for line in lines):
                drawn = [self.listed(number, node) for number, node in members]
            apart = [""] if max(map(len, drawn)) > 1 else []
            yield from (line for lines in drawn for line in (*lines, *apart))
            yield from [] if apart else [""]
        for message in self.diagram.captions:
            yield from wrapped(self.said(message), self.width)

    def title(self, first: Node) -> Message | None:
        """The heading of a column; equations have none."""
        if first.kind == "input":
            return Message("Inputs")
        if first.kind in ("hidden", "output"):
            return layer_title(self.reading, first.column)
        return Message("Error") if first.kind in ("target", "loss") and self.reading.derivation.header.sizes else None

    # --- one neuron ---

    def bracket(self, number: int, node: Node) -> list[str]:
        """The edges that lead into a node, joined, and its values."""
        if node.left_out:
            return [f"{APART}{self.pen.dots} {self.said(Message('{count} more', count=node.left_out))}"]
        left, right = self.arriving(number, node), self.values(node)
        name = f"({self.name(node)}){APART}" if node.round else ""
        blank = " " * columns_of(name)
        if not left:
            return [f"{APART}{blank if place else name}{value}" for place, value in enumerate(right or [""])]
        rows = [APART + row + self.pen.line * 2 for row in self.aligned(left)]
        middle, centre = (len(left) - 1) // 2, (len(right) - 1) // 2
        found = []
        for row in range(-max(middle, centre), max(len(left) - middle, len(right) - centre)):
            place, value = middle + row, centre + row
            start = rows[place] + self.joint(place, len(left), row == 0) if 0 <= place < len(left) else " " * (columns_of(rows[0]) + 1)
            arrow = f"{self.pen.line * 2}{self.pen.arrow} {name}" if row == 0 else " " * 4 + blank
            found.append(start + arrow + (right[value] if 0 <= value < len(right) else ""))
        return found

    def aligned(self, rows: list[tuple[str, list[str]]]) -> list[str]:
        """Sources, lines and texts below one another."""
        sources = max(columns_of(source) for source, _ in rows)
        count = max(len(texts) for _, texts in rows)
        widths = [max(columns_of(texts[place]) if place < len(texts) else 0 for _, texts in rows) for place in range(count)]
        found = []
        for source, texts in rows:
            start = padded(source, sources) + (f" {self.pen.line * 2}" if source else "   " if sources else "")
            cells = [padded(texts[place] if place < len(texts) else "", wide) for place, wide in enumerate(widths)]
            found.append(start + (" " + APART.join(cells) + " " if texts else self.pen.line * (sum(widths) + 2 * count) if source else ""))
        return found

    def joint(self, place: int, count: int, crossing: bool) -> str:
        """The sign at a row of the upright line."""
        kind = 3 if count == 1 else 0 if place == 0 else 2 if place == count - 1 else 1
        return (self.pen.crossings if crossing else self.pen.joints)[kind]

    def arriving(self, number: int, node: Node) -> list[tuple[str, list[str]]]:
        """Source and texts of every edge into a node, then of its bias; nothing for edges without their numbers."""
        found = []
        for edge in self.diagram.edges:
            source = self.diagram.nodes[edge.source]
            if edge.target == number and (edge.labels or edge.kind != "weight"):
                found.append((self.name(source), self.items(edge.labels)))
        return found + [("", self.items((label,))) for label in node.labels if label.kind == "bias"]

    def listed(self, number: int, node: Node) -> list[str]:
        """The same, with as many texts on a line as it has room for."""
        if node.left_out:
            return self.bracket(number, node)
        found = [f"{APART}({self.name(node)})"] if node.round else []
        for source, texts in self.arriving(number, node):
            line = 2 * APART + (f"{source} {self.pen.line * 2}" if source else "")
            blank = " " * columns_of(line)
            for text in texts:
                if columns_of(line) + columns_of(text) + 2 > self.width and line.strip() and line != blank:
                    found.append(line)
                    line = blank
                line += APART + text
            found.append(line)
        return [*found, *(2 * APART + value for value in self.values(node))]

    # --- texts ---

    def name(self, node: Node) -> str:
        """The name of a neuron; of a box, the symbol of what is last in it, gradients apart."""
        if node.round:
            return symbol(typed(node.name), self.reading.dialect)
        said = [row[0] for row in node.labels[0].rows]
        cells = [one.cell for one in said if isinstance(one, Formula) or isinstance(one, CellItem) and not one.gradient]
        return self.reading.symbol(Ref(*cells[-1]), bare=True)

    def values(self, node: Node) -> list[str]:
        """The rows of a node's values; a formula and its value are one row."""
        rows = [row for label in node.labels if label.kind == "values" for row in label.rows]
        found: list[str] = []
        for before, row in zip((None, *rows), rows):
            text, whole = self.row(row), before is not None and isinstance(before[0], Formula) and not before[0].index
            if isinstance(row[0], CellItem) and not row[0].named and not row[0].gradient and whole:
                found[-1] += f" = {text}"
            else:
                found.append(text)
        return found

    def items(self, labels: tuple[Label, ...]) -> list[str]:
        """The texts of some labels."""
        return [self.row(row) for label in labels for row in label.rows]

    def row(self, row: Row) -> str:
        """symbol = number, or symbol = formula; gradients always with their symbol, for want of a colour."""
        texts = []
        for content in row:
            if isinstance(content, Sign):
                texts.append(content.text)
                continue
            assert isinstance(content, (CellItem, Formula))
            if isinstance(content, Formula):
                name = self.reading.symbol(content.reference, bare=True)
                texts.append(name if content.expr is None else f"{name} = {self.reading.symbolic(content.expr)}")
                continue
            name = self.reading.symbol(Ref(*content.cell), bare=not content.sampled)
            number = self.reading.number(content.cell, self.diagram.iteration) if content.numbered else ""
            named = content.named or content.gradient
            texts.append(" = ".join(filter(None, (name if named else "", number))))
        return APART.join(texts)
