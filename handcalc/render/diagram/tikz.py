r"""A diagram for LaTeX: a tikzpicture that needs nothing but \usepackage{tikz}.

- `tikz(diagram, reading, translate)` is the text of the picture; the reading must be in LATEX.

Symbols, numbers and formulas are the reading's, between dollar signs; what the user wrote goes through `latex_text` or
the spelling of symbols. The picture is at most as wide as the line. Colours have names that a document can redefine.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import cos, radians, sin

from handcalc.errors import Message
from handcalc.language import Translate
from handcalc.render.diagram.boxes import words_width
from handcalc.render.diagram.looks import LINES, NODES, PALE, SECOND, SQUARES, STROKES, NodeLook, SquareLook
from handcalc.render.diagram.model import Content, Diagram, Edge, Formula, Label, Node, Sign, Title
from handcalc.render.diagram.svg import CAPTION_WIDTH, NAME, SMALL, SMALLEST, legend_of, stroke_of
from handcalc.render.diagram.typesetting import FONT, LINE, LONGEST_FORMULA, in_unicode, name_of, neuron_name, symbol_spans, title_of, width
from handcalc.render.dialects import symbol
from handcalc.render.reading import Reading
from handcalc.render.symbols import typed
from handcalc.render.typeset import LATEX, latex_text

UNIT = 0.69  # points; with labels of footnote size, letters are as large as the drawing expects


def tikz(diagram: Diagram, reading: Reading, translate: Translate) -> str:
    """The drawing as a tikzpicture."""
    lines = [
        *_colours(diagram),
        r"\resizebox{\ifdim\width>\linewidth\linewidth\else\width\fi}{!}{%",
        rf"\begin{{tikzpicture}}[x={UNIT}pt, y=-{UNIT}pt, font=\footnotesize, inner sep=0pt]",
        *(_edge(edge, diagram) for edge in diagram.edges),
        *(line for node in diagram.nodes for line in _node(node, translate)),
        *(line for node in diagram.nodes for label in node.labels for line in _label(label, diagram, reading, node.round)),
        *(line for edge in diagram.edges for label in edge.labels for line in _label(label, diagram, reading, False)),
        *_captions(diagram, reading, translate),
        r"\end{tikzpicture}%",
        "}",
    ]
    return "\n".join(lines)


def _n(number: float) -> str:
    return f"{number:.1f}"


def _at(x: float, y: float) -> str:
    return f"({_n(x)},{_n(y)})"


def _colours(diagram: Diagram) -> Iterator[str]:
    """The colours, unless the document has defined them otherwise."""
    named = {"Second": SECOND, "Line": LINES, "Pale": PALE}
    squares = any(label.square for label in diagram.labels)
    looks: list[NodeLook | SquareLook] = [look for look in NODES.values() if squares or not look.beside_squares]
    looks += SQUARES.values() if squares else ()
    for look in looks:
        if look.paper != "none":
            named |= {look.kind.capitalize(): look.line, look.kind.capitalize() + "Paper": look.paper}
    for name, colour in named.items():
        yield rf"\providecolor{{handcalc{name}}}{{HTML}}{{{colour.removeprefix('#').upper()}}}"


# --- parts ------------------------------------------------------------------------------------------------------------


def _edge(edge: Edge, diagram: Diagram) -> str:
    """The line of an edge."""
    path = _at(*edge.points[0])
    for piece in diagram.curve(edge):
        if len(piece) == 3:
            first, second, end = piece
            path += f" .. controls {_at(*first)} and {_at(*second)} .. {_at(*end)}"
        else:
            path += f" -- {_at(*piece)}"
    return rf"\draw[{STROKES[stroke_of(edge)].tikz}{', -stealth' if edge.kind == 'use' else ''}] {path};"


def _node(node: Node, translate: Translate) -> Iterator[str]:
    """A neuron, a box, or the dots for what is left out."""
    if node.cell is None:
        yield rf"\node at {_at(node.x, node.y)} {{$\vdots$}};"
        more = Message("{count} more", count=node.left_out).text(translate)
        yield rf"\node[anchor=base] at {_at(node.x, node.y + LINE)} {{{latex_text(more)}}};"
        return
    kind = node.kind.capitalize()
    style = f"draw=handcalc{kind}, fill=handcalc{kind}Paper, thick" + (", densely dashed" if NODES[node.kind].dashed else "")
    if not node.round:
        left, top, right, bottom = node.boxes()[0]
        if node.kind != "words":
            yield rf"\draw[{style}, rounded corners=4pt] {_at(left, top)} rectangle {_at(right, bottom)};"
        for place, message in enumerate(node.words):
            text = message.text(translate)
            scale = min(1.0, (node.width - 8) / words_width(text, place < node.titles)) * SMALL / FONT
            words = rf"\textbf{{{latex_text(text)}}}" if place < node.titles else latex_text(text)
            yield rf"\node[anchor=base, scale={scale:.2f}] at {_at(node.x, top + (place + 0.9) * LINE)} {{{words}}};"
        for label in node.labels:
            if label.kind == "neuron":
                yield rf"\draw[{style}] {_at(label.x, label.y)} circle[radius={_n(label.width / 2 * UNIT)}pt];"
        for label in sorted((label for label in node.labels if label.square), key=lambda label: SQUARES[label.kind].over):
            yield _square(label)
        return
    yield rf"\draw[{style}] {_at(node.x, node.y)} circle[radius={_n(node.width / 2 * UNIT)}pt];"
    name = neuron_name(node.name, (node.width - 8) / SMALLEST)
    scale = min(NAME, (node.width - 8) / max(width(symbol_spans(name)), 1.0)) / FONT
    yield rf"\node[scale={scale:.2f}] at {_at(node.x, node.y)} {{${symbol(name, LATEX)}$}};"
    for label in node.labels:
        if label.kind == "bias":
            yield rf"\draw[handcalcLine] {_at(node.x, label.y + label.height / 2)} -- {_at(node.x, node.y - node.height / 2)};"


def _square(label: Label) -> str:
    """The border of a square of a grid."""
    kind = label.kind.capitalize()
    style = f"draw=handcalc{kind}, fill=handcalc{kind}Paper" + (", densely dashed" if SQUARES[label.kind].dashed else "")
    (left, top), _, (right, bottom), _ = label.corners()
    return rf"\draw[{style}] {_at(left, top)} rectangle {_at(right, bottom)};"


def _label(label: Label, diagram: Diagram, reading: Reading, paper: bool) -> Iterator[str]:
    """A node for every row; paper: lines may run under it."""
    across, down = cos(radians(label.angle)), sin(radians(label.angle))
    options = "anchor=base" + (", fill=white" if paper else "") + (f", rotate={_n(-label.angle)}" if round(label.angle, 1) else "")
    for place, row in enumerate(label.rows):
        low = (place + 0.5) * label.line - label.height / 2 + 0.26 * FONT
        text = r"\enspace ".join(_content(content, reading, diagram.iteration) for content in row)
        yield rf"\node[{options}] at {_at(label.x - low * down, label.y + low * across)} {{{text}}};"


def _content(content: Content, reading: Reading, iteration: int) -> str:
    """symbol = number, or symbol = formula; the symbol of a grid; a sign."""
    if isinstance(content, Title):
        return f"${symbol(title_of(content, reading), LATEX)}$"
    if isinstance(content, Sign):
        if content.name:
            return f"${symbol(typed(content.text), LATEX)}$"
        return {"⋮": r"$\vdots$", "…": r"$\cdots$"}.get(content.text) or f"${latex_text(content.text)}$"
    if isinstance(content, Formula):
        parts = [symbol(title_of(Title(content.reference), reading), LATEX)]
        if content.expr is not None:
            short = len(in_unicode(reading).symbolic(content.expr)) <= LONGEST_FORMULA
            parts.append(reading.symbolic(content.expr) if short else LATEX.ellipsis)
        return f"${' = '.join(parts)}$"
    parts = [symbol(name_of(content.cell, reading, content.sampled), LATEX)] if content.named else []
    parts += [reading.number(content.cell, iteration)] if content.numbered else []
    text = f"${' = '.join(parts)}$"
    return rf"\textcolor{{handcalcSecond}}{{{text}}}" if content.gradient else text


def _captions(diagram: Diagram, reading: Reading, translate: Translate) -> Iterator[str]:
    """What must be said, below the drawing."""
    legend = legend_of(diagram, reading)
    texts = [latex_text(message.text(translate)) for message in diagram.captions]
    texts += [rf"\textcolor{{handcalcSecond}}{{{latex_text(legend.text(translate))}}}"] if legend else []
    if texts:
        wide = f"text width={_n(max(diagram.width, CAPTION_WIDTH) * UNIT)}pt"
        joined = r" \\ ".join(texts)
        yield rf"\node[anchor=north west, align=left, {wide}] at {_at(0.0, diagram.height)} {{{joined}}};"
