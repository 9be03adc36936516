"""Drawings of networks and of computation graphs, with their numbers.

- `window_of(derivation, reading, wanted, …)` is the drawing of one cell's window.
- `diagram(derivation, reading, iteration, values, gradients)` is a drawing as data: nodes, edges and labels with places.
- `svg.svg`, `tikz.tikz` and `text.drawing` write one as SVG, for LaTeX, and as text for a terminal.

network.py draws networks of dense layers, layers.py those of other layers, equations.py problems of equations, window.py the
window of one number over a map. To add a form, write a function of diagram,
reading and translate as in svg.py; symbols, numbers and their widths are in typesetting.py.
"""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.core.quantity import Cell
from handcalc.render.diagram.model import CellItem, Diagram, Edge, Label, Node
from handcalc.render.reading import Reading

__all__ = ["Diagram", "Edge", "CellItem", "Label", "Node", "diagram", "window_of"]


def diagram(derivation: Derivation, reading: Reading, iteration: int = 1, values: bool = True, gradients: bool = True) -> Diagram | None:
    """The drawing of a round; None where there is nothing that can be drawn on a page.

    values: with computed numbers, not only given ones; gradients: with those of the backward pass too.
    """
    from handcalc.render.diagram.equations import equations
    from handcalc.render.diagram.layers import layers
    from handcalc.render.diagram.network import network
    from handcalc.render.diagram.typesetting import in_unicode

    draw = equations if not derivation.header.sizes else network if derivation.header.plain else layers
    return draw(derivation, in_unicode(reading), iteration, values, gradients)


def window_of(derivation: Derivation, reading: Reading, wanted: Cell, iteration: int = 1, values: bool = True) -> Diagram | None:
    """The maps that a cell is worked out from, with the numbers it uses marked; None where it uses no window."""
    from handcalc.render.diagram.typesetting import in_unicode
    from handcalc.render.diagram.window import window

    return window(derivation, in_unicode(reading), wanted, iteration, values)
