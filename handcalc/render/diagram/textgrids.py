"""A diagram of boxes with squares as lines of text for a terminal.

- `grids(diagram, reading, translate, width)` is the text.

Every box is its words, what it uses, and its grids side by side, those of gradients beside those of numbers:

    Layer 2: max pooling
    2×2 (rows×columns)
    out⁽²⁾ ◀── out⁽¹⁾

      out⁽²⁾_r,c    δ⁽²⁾_r,c
      │ 1.8  1 │    │ 0.1  0 │
      │ 0.5  2 │    │ 0    0 │

What belongs to a window stands in [ ], what is the largest of it with a star.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import Ref
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.language import Translate, wrapped
from handcalc.render.diagram.lettering import Lettering, columns_of, padded
from handcalc.render.diagram.looks import SQUARES
from handcalc.render.diagram.model import CellItem, Content, Diagram, Label, Node, Sign, Title
from handcalc.render.dialects import symbol
from handcalc.render.reading import Reading
from handcalc.render.symbols import typed

APART = "   "  # between grids


class Signs(Record):
    """The signs that lines are drawn with: the sides of a grid, an arrow from what is used, dots."""

    side: str
    arrow: str
    dots: str
    across: str


SIGNS = {"unicode": Signs("│", "◀──", "⋮", "…"), "plain": Signs("|", "<--", ":", "...")}


def grids(diagram: Diagram, reading: Reading, translate: Translate, width: int) -> str:
    """The drawing as text, no line longer than `width` columns."""
    text = _GridLettering(diagram, reading, translate, width, SIGNS["plain" if reading.dialect.ascii else "unicode"])
    return "\n".join(map(text.fitting, text.lines())).rstrip("\n")


class _GridLettering(Lettering):
    """A drawing of boxes with squares."""

    def __init__(self, diagram: Diagram, reading: Reading, translate: Translate, width: int, signs: Signs) -> None:
        super().__init__(diagram, reading, translate, width, signs.across)
        self.signs = signs

    def lines(self) -> Iterator[str]:
        """Box after box, then what must be said."""
        single = self.diagram.about is not None  # a window: all its maps in a row
        if single:
            yield from self.beside([block for node in self.diagram.nodes for labels in _grids(node) for block in self.blocks(labels)])
        for number, node in enumerate(() if single else self.diagram.nodes):
            if node.cell is None:
                yield f"  {self.signs.dots} {self.said(Message('{count} more', count=node.left_out))}"
                yield ""
                continue
            for message in node.words:
                yield from wrapped(self.said(message), self.width)
            if not node.labels:
                yield ""
                continue
            used = [self.diagram.nodes[edge.source] for edge in self.diagram.edges if edge.target == number]
            names = [name for source in used if source.cell for name in self.names(source)]
            if names:
                yield from wrapped(f"{self.names(node)[-1]} {self.signs.arrow} {', '.join(names)}", self.width)
            if node.words or names:
                yield ""
            yield from self.beside([block for labels in _grids(node) for block in self.blocks(labels)])
        for message in self.diagram.captions:
            yield from wrapped(self.said(message), self.width)

    def names(self, node: Node) -> list[str]:
        """What a box is called: the symbol of its last grid, or of several parameters those of all."""
        titles = [label.rows[0][0] for label in node.labels if label.kind == "title"]
        found = [self.reading.symbol(title.reference) for title in titles if isinstance(title, Title)]
        if not found and node.cell is not None:  # neurons
            quantity = self.reading.graph[node.cell[0]]
            return [self.reading.symbol(Ref(quantity.name, quantity.index), bare=True)]
        return found if node.kind == "weights" else found[-1:]

    # --- grids ---

    def blocks(self, labels: list[Label]) -> Iterator[list[str]]:
        """The numbers of a grid, then their gradients, each as lines under the symbol."""
        title, *squares = labels
        if title.kind == "neuron":
            yield self.neuron(title, *squares)
            return
        content = title.rows[0][0]
        if not isinstance(content, Title):  # grids that are left out
            yield ["", self.text(title, False)]
            return
        name = content.reference
        gradients = any(_is_gradient(row[0]) for label in squares for row in label.rows)
        numbers = any(label.square and not _is_gradient(row[0]) for label in squares for row in label.rows)
        if numbers or not gradients:
            known = numbers or len(squares) == 1
            yield from self.parted(self.reading.symbol(name, bare=not content.sampled), squares if known else squares[:0], False)
        if gradients:
            yield from self.parted(
                self.reading.symbol(Ref(self.reading.graph.gradient(name.quantity), name.indices), bare=True), squares, True
            )

    def neuron(self, circle: Label, *others: Label) -> list[str]:
        """(y)  net_y = 0.32, and so on below."""
        sign = circle.rows[0][0]
        assert isinstance(sign, Sign)
        name = f"({symbol(typed(sign.text), self.reading.dialect)})  "
        found = []
        for label in others:
            for row in label.rows:
                item = row[0]
                if isinstance(item, CellItem):
                    symbols = [self.reading.symbol(Ref(*item.cell), bare=True)]
                    symbols += [self.reading.number(item.cell, self.diagram.iteration)] if item.numbered else []
                    found.append(" = ".join(symbols))
                else:
                    found.append(self.text(label, False))
        return [(" " * columns_of(name) if place else name) + line for place, line in enumerate(found)]

    def parted(self, name: str, squares: list[Label], gradient: bool) -> Iterator[list[str]]:
        """A grid, in parts where it is wider than a line; dots for one without numbers."""
        if not squares:
            yield [name, f"{self.signs.side} {self.signs.across} {self.signs.side}"]
        tops, lefts = sorted({label.y for label in squares}), sorted({label.x for label in squares})
        texts = {(label.y, label.x): self.text(label, gradient) for label in squares}
        if any(map(_mark, squares)):
            bare = {(label.y, label.x) for label in squares if not _mark(label)}
            texts = {key: f" {text} " if key in bare else text for key, text in texts.items()}
        widths = [max((columns_of(texts[key]) for key in texts if key[1] == x), default=0) for x in lefts]
        start = 0
        while start < len(lefts):
            end = start + 1
            while end < len(lefts) and sum(widths[start : end + 1]) + 2 * (end + 1 - start) + 4 <= self.width - 2:
                end += 1
            rows = []
            for y in tops:
                cells = [self.aligned(texts.get((y, x), ""), wide) for x, wide in zip(lefts[start:end], widths[start:end])]
                rows.append(f"{self.signs.side} {'  '.join(cells)} {self.signs.side}")
            yield [name, *rows]
            start = end

    @staticmethod
    def aligned(text: str, wide: int) -> str:
        """A number to the right."""
        return " " * (wide - columns_of(text)) + text

    def text(self, label: Label, gradient: bool) -> str:
        """A square as text: its number or its gradient, in the brackets of its mark."""
        if not label.square:
            content = label.rows[0][0]
            sign = content.text if isinstance(content, Sign) else ""
            return self.signs.dots if sign == "⋮" else self.signs.across if sign == "…" else sign
        rows = [row[0] for row in label.rows if _is_gradient(row[0]) is gradient]
        if not rows:
            return "" if gradient else _mark(label).format(" ")
        content = rows[0]
        number = self.reading.number(content.cell, self.diagram.iteration) if isinstance(content, CellItem) else content.text  # type: ignore[union-attr]
        return (_mark(label) or "{}").format(number)

    def beside(self, blocks: list[list[str]]) -> Iterator[str]:
        """As many blocks side by side as a line has room for."""
        line: list[list[str]] = []
        for block in blocks:
            if line and sum(max(map(columns_of, one)) + len(APART) for one in (*line, block)) + 2 > self.width + len(APART):
                yield from self.joined(line)
                line = []
            line.append(block)
        if line:
            yield from self.joined(line)

    def joined(self, blocks: list[list[str]]) -> Iterator[str]:
        """Blocks in a row, then an empty line."""
        widths = [max(map(columns_of, block)) for block in blocks]
        for place in range(max(map(len, blocks))):
            yield "  " + APART.join(padded(block[place] if place < len(block) else "", wide) for block, wide in zip(blocks, widths))
        yield ""


def _grids(node: Node) -> list[list[Label]]:
    """The labels of a box, a list for each of its grids; each begins with its title."""
    found: list[list[Label]] = []
    for label in node.labels:
        if label.kind in ("title", "more", "neuron") or not found:
            found.append([])
        found[-1].append(label)
    return found


def _mark(label: Label) -> str:
    """What is put around the number of a square."""
    return SQUARES[label.kind].mark if label.square else ""


def _is_gradient(content: Content) -> bool:
    return isinstance(content, CellItem) and content.gradient
