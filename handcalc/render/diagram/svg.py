"""A diagram as SVG: one self-contained element, without scripts, style sheets or anything from outside.

- `svg(diagram, reading, translate)` is the text of the element.

Colours and fonts are presentation attributes, so that readers without CSS see them; everything has a class, so that a
page can restyle it. `data-step` of an element and `data-cell` of a number are ids of steps. Colours are those of looks.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handcalc.core.quantity import Cell
from handcalc.errors import Message
from handcalc.language import Translate, wrapped
from handcalc.render.diagram.boxes import words_width
from handcalc.render.diagram.looks import INK, LINES, NODES, PAPER, SECOND, SQUARES, STROKES
from handcalc.render.diagram.model import Diagram, Edge, Label, Node, Point
from handcalc.render.diagram.typesetting import FONT, LINE, SCRIPT, Span, Spans, in_unicode, neuron_name, row_spans, symbol_spans, width
from handcalc.render.dialects import symbol
from handcalc.render.items import title_item
from handcalc.render.reading import Reading
from handcalc.render.typeset import xml_text

FONTS = "'Libertinus Serif','New Computer Modern','Latin Modern Roman','STIX Two Text','Times New Roman','Noto Serif CJK SC',serif"
NAME, SMALLEST = 16.0, 8.0  # size of the name in a neuron
SMALL = 12.0  # size of captions
SHIFTS = {2: -0.46, 1: -0.38, 0: 0.0, -1: 0.2, -2: 0.3}  # how far powers and indices stand below the line, in em
ARROW = 7.0  # length of an arrow's head
MARGIN = 10.0  # beside and above captions
CAPTION_WIDTH = 360.0  # the least width of captions
LARGE = 1000.0  # a drawing with grids that is wider cannot be read beside a text: a page may show a part of it
LETTER = 0.5  # em of an average letter of a caption


def svg(diagram: Diagram, reading: Reading, translate: Translate) -> str:
    """The drawing as an <svg> element."""
    return _NetworkPicture(diagram, in_unicode(reading), translate).text()


class _NetworkPicture:
    """One drawing being written."""

    def __init__(self, diagram: Diagram, reading: Reading, translate: Translate) -> None:
        self.diagram = diagram
        self.reading = reading
        self.translate = translate

    def text(self) -> str:
        """Title, lines, nodes, labels, captions."""
        diagram = self.diagram
        captions = list(self.captions())
        wide, high = max(diagram.width, CAPTION_WIDTH), diagram.height + (len(captions) * LINE + MARGIN if captions else 0.0)
        left = (wide - diagram.width) / 2
        title, large = self.title(), " large" if wide > LARGE and any(label.square for label in diagram.labels) else ""
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="handcalc-diagram{large}" role="img" aria-label="{xml_text(title)}"'
            f' viewBox="0 0 {short(wide)} {short(high)}" width="{short(wide)}" height="{short(high)}"'
            f' font-family="{FONTS}" font-size="{short(FONT)}" fill="{INK}">',
            f"<title>{xml_text(title)}</title>",
            f'<rect class="paper" width="{short(wide)}" height="{short(high)}" fill="{PAPER}"/>',
            f'<g text-anchor="middle" transform="translate({short(left)} 0)">' if left else '<g text-anchor="middle">',
            *map(self.edge, diagram.edges),
            *(part for node in diagram.nodes for part in self.node(node)),
            "</g>",
            *(
                f'<text class="{name}" x="{short(MARGIN)}" y="{short(diagram.height + (place + 0.9) * LINE)}" font-size="{short(SMALL)}"'
                f' fill="{colour}">{xml_text(line)}</text>'
                for place, (name, colour, line) in enumerate(captions)
            ),
            "</svg>",
        ]
        return "\n".join(parts)

    def title(self) -> str:
        """What the drawing is, then the problem's title."""
        header = self.reading.derivation.header
        found = drawing_name(self.reading, self.diagram.about).text(self.translate)
        title = title_item(header.title, header.title_zh)
        text = title.text(self.translate) if isinstance(title, Message) else title.text
        return f"{found}: {text}" if text else found

    def captions(self) -> Iterator[tuple[str, str, str]]:
        """Class, colour and text of every line below the drawing."""
        columns = int((max(self.diagram.width, CAPTION_WIDTH) - 2 * MARGIN) / (SMALL * LETTER))
        for message in self.diagram.captions:
            yield from (("caption", INK, line) for line in wrapped(message.text(self.translate), columns))
        legend = legend_of(self.diagram, self.reading)
        if legend:
            yield from (("legend", SECOND, line) for line in wrapped(legend.text(self.translate), columns))

    def step(self, cell: Cell) -> str:
        """The id of a cell's step, as an attribute."""
        return xml_text(self.reading.derivation.step_id(cell, self.diagram.iteration))

    # --- parts ---

    def edge(self, edge: Edge) -> str:
        """A line with the labels along it; a bias on the line is a group of its own."""
        kind = "link" if edge.kind == "link" else "edge"
        line = f'<path class="line" d="{_path(edge, self.diagram)}" fill="none" {STROKES[stroke_of(edge)].svg}/>'
        head = _arrow(edge, self.diagram) if edge.kind == "use" else ""
        own = "".join(self.label(label, False) for label in edge.labels if label.step is None)
        others: dict[Cell, str] = {}
        for label in edge.labels:
            if label.step is not None:
                others[label.step] = others.get(label.step, "") + self.label(label, False)
        biases = "".join(f'<g class="bias" data-step="{self.step(cell)}">{text}</g>' for cell, text in others.items())
        return f'<g class="{kind}" data-step="{self.step(edge.cell)}">{line}{head}{own}</g>{biases}'

    def node(self, node: Node) -> Iterator[str]:
        """A neuron, a box, or the dots for what is left out; then its bias."""
        if node.cell is None:
            more = Message("{count} more", count=node.left_out).text(self.translate)
            yield (
                f'<g class="node more"><text x="{short(node.x)}" y="{short(node.y)}" font-size="22">⋮</text>'
                f'<text x="{short(node.x)}" y="{short(node.y + LINE)}" font-size="{short(SMALL)}">'
                f"{xml_text(more)}</text></g>"
            )
            return
        own = "".join(self.label(label, node.round) for label in node.labels if label.step is None and not label.square)
        words = "".join(self.words(node))
        yield f'<g class="node {node.kind}" data-step="{self.step(node.cell)}">{self.shape(node)}{words}{own}</g>'
        for label in sorted(node.labels, key=lambda label: SQUARES[label.kind].over if label.square else 0):
            if label.kind == "neuron":
                yield self.neuron(label, node)
            elif label.square:
                yield self.square(label)
            elif label.step is not None:
                stem = (label.y + label.height / 2, node.y - node.height / 2)
                line = f'<path class="line" d="M{short(node.x)} {short(stem[0])}V{short(stem[1])}" {STROKES["edge"].svg}/>'
                yield f'<g class="bias" data-step="{self.step(label.step)}">{line}{self.label(label)}</g>'

    def shape(self, node: Node) -> str:
        """A circle with the neuron's name, or a box."""
        look = NODES[node.kind]
        style = f'class="shape" fill="{look.paper}" stroke="{look.line}" stroke-width="1.5"'
        if not node.round:
            corner = f'x="{short(node.x - node.width / 2)}" y="{short(node.y - node.height / 2)}"'
            dashed = ' stroke-dasharray="4 3"' if look.dashed else ""
            return f'<rect {corner} width="{short(node.width)}" height="{short(node.height)}" rx="7" {style}{dashed}/>'
        spans = symbol_spans(neuron_name(node.name, (node.width - 8) / SMALLEST))
        size = min(NAME, (node.width - 8) / max(width(spans), 1.0))
        hint = f"<title>{xml_text(node.name)}</title>" if len(node.name) > 4 else ""
        circle = f'<circle cx="{short(node.x)}" cy="{short(node.y)}" r="{short(node.width / 2)}" {style}/>'
        return hint + circle + self.typeset(spans, node.x, node.y + 0.3 * size, size, 'class="name"')

    def words(self, node: Node) -> Iterator[str]:
        """The words at the top of a box, its titles bold."""
        for place, message in enumerate(node.words):
            text = message.text(self.translate)
            size = min(SMALL, SMALL * (node.width - 8) / words_width(text, place < node.titles))
            y = node.y - node.height / 2 + (place + 0.9) * LINE
            weight = ' font-weight="bold"' if place < node.titles else ""
            style = f'font-size="{short(size)}"{weight}'
            yield f'<text class="words" x="{short(node.x)}" y="{short(y)}" {style}>{xml_text(text)}</text>'

    def square(self, label: Label) -> str:
        """A square of a grid with its numbers."""
        look = SQUARES[label.kind]
        corner = f'x="{short(label.x - label.width / 2)}" y="{short(label.y - label.height / 2)}"'
        dashed = ' stroke-dasharray="3 2"' if look.dashed else ""
        size = f'width="{short(label.width)}" height="{short(label.height)}"'
        style = f'{size} fill="{look.paper}" stroke="{look.line}"{dashed}'
        step = f' data-step="{self.step(label.step)}"' if label.step is not None else ""
        return f'<g class="cell {label.kind}"{step}><rect {corner} {style}/>{self.label(label, False)}</g>'

    def neuron(self, label: Label, node: Node) -> str:
        """A neuron in a box, with its name."""
        look = NODES[node.kind]
        spans = row_spans(label.rows[0], self.reading, self.diagram.iteration)
        size = min(NAME, (label.width - 8) / max(width(spans), 1.0))
        step = f' data-step="{self.step(label.step)}"' if label.step is not None else ""
        style = f'class="shape" fill="{look.paper}" stroke="{look.line}" stroke-width="1.5"'
        circle = f'<circle cx="{short(label.x)}" cy="{short(label.y)}" r="{short(label.width / 2)}" {style}/>'
        name = self.typeset(spans, label.x, label.y + 0.3 * size, size, 'class="name"')
        return f'<g class="{node.kind} neuron"{step}>{circle}{name}</g>'

    def label(self, label: Label, halo: bool = True) -> str:
        """The rows of a label; halo: on paper of their own, for labels that lines may run under."""
        top = label.y - label.height / 2
        turn = f' transform="rotate({short(label.angle)} {short(label.x)} {short(label.y)})"' if round(label.angle, 1) else ""
        written = ""
        for place, row in enumerate(label.rows):
            spans, y = row_spans(row, self.reading, self.diagram.iteration), top + place * label.line
            wide = width(spans) * FONT
            if halo:
                box = f'x="{short(label.x - wide / 2)}" y="{short(y + 1)}" width="{short(wide)}" height="{short(label.line - 1)}"'
                written += f'<rect class="halo" {box} fill="{PAPER}"{turn}/>'
            written += self.typeset(spans, label.x, y + label.line / 2 + 0.26 * FONT, FONT, f'class="{label.kind}"{turn}')
        return written

    def typeset(self, spans: Spans, x: float, y: float, size: float, style: str) -> str:
        """A row of text around x with its line at y."""
        written = letters(spans, size, self.marks)
        own = "" if short(size) == short(FONT) else f' font-size="{short(size)}"'
        return f'<text {style} x="{short(x)}" y="{short(y)}"{own}>{written}</text>'

    def marks(self, span: Span) -> dict[str, str]:
        """Attributes of letters: numbers carry the id of their step."""
        return {
            "class": ("number gradient" if span.gradient else "number") if span.cell else "gradient" if span.gradient else "",
            "data-cell": self.step(span.cell) if span.cell else "",
        }


def letters(spans: Spans, size: float, marks: Callable[[Span], dict[str, str]] = lambda span: {}) -> str:
    """What stands in a <text> element: letters with their indices; marks: further attributes of a run of letters."""
    written, level = "", 0.0
    for span in spans:
        wanted = SHIFTS[span.shift] * size
        attributes = marks(span) | {
            "dx": short(-span.back * size) if span.back else "",
            "dy": short(wanted - level) if round(wanted - level, 2) else "",
            "font-size": short(size * SCRIPT) if span.shift else "",
            "font-style": "italic" if span.italic else "",
            "fill": SECOND if span.gradient else "",
        }
        inside = "".join(f' {name}="{value}"' for name, value in attributes.items() if value)
        written += f"<tspan{inside}>{xml_text(span.text)}</tspan>" if inside else xml_text(span.text)
        level = wanted
    return written


def drawing_name(reading: Reading, about: Cell | None) -> Message:
    """What a drawing is called; about: the cell whose window it is."""
    if about is not None:
        return Message("What {quantity} is worked out from", quantity=reading.derivation.graph.cell_id(about))
    return Message("Drawing of the network") if reading.derivation.header.sizes else Message("Computation graph")


def stroke_of(edge: Edge) -> str:
    """How an edge is drawn: edge, crowded (one of many, without its numbers) or link."""
    return edge.kind if edge.kind == "link" else "edge" if edge.labels or edge.kind == "use" else "crowded"


def legend_of(diagram: Diagram, reading: Reading) -> Message | None:
    """What the second colour means, None where it is not used."""
    if not diagram.gradients:
        return None
    error = symbol(reading.notation.objective, reading.dialect)
    if any(label.square for label in diagram.labels):
        return Message("In this colour: gradients, the derivatives of {error} by the number above them.", error=error)
    if reading.derivation.header.sizes:
        return Message("In this colour: gradients, the derivatives of {error} by the weight or bias beside them.", error=error)
    return Message("In this colour: gradients, the derivatives of {error} by the quantity in the same box.", error=error)


# --- lines ------------------------------------------------------------------------------------------------------------


def short(number: float) -> str:
    """A length, as short as it can be."""
    return f"{round(number, 1) + 0:.1f}".removesuffix(".0")


def _path(edge: Edge, diagram: Diagram) -> str:
    """The line of an edge."""
    path = "M" + _point(edge.points[0])
    for piece in diagram.curve(edge):
        path += "C" + " ".join(map(_point, piece)) if len(piece) == 3 else "L" + _point(piece)
    return path


def _point(point: Point) -> str:
    return f"{short(point[0])} {short(point[1])}"


def _arrow(edge: Edge, diagram: Diagram) -> str:
    """The head of an arrow at the end of an edge."""
    half = short(ARROW / 2)
    (x, y), (right, down) = edge.points[-2:]
    upright = diagram.downwards if x != right and y != down else x == right  # a curve ends in the direction of the drawing
    sides = f"l-{half} -{short(ARROW)}h{short(ARROW)}z" if upright else f"l-{short(ARROW)} -{half}v{short(ARROW)}z"
    return f'<path class="head" d="M{_point(edge.points[-1])}{sides}" fill="{LINES}"/>'
