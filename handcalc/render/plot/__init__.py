"""Plots: curves, marks and shaded areas between two axes.

- model.py is a plot as data, with the axes and their ticks; levels.py finds level lines and areas on a grid.
- letters.py writes a plot for terminals, svg.py as a picture; `picture(plot, name, …)` is the content of a file.

To add a format of pictures, add its ending to `PICTURES` and its line to `picture`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from handcalc.errors import Message, OutputError

if TYPE_CHECKING:
    from handcalc.language import Translate
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading

PICTURES = (".svg", ".png")
RESOLUTION = 192  # of a PNG: two points for each unit of the SVG


def check_picture(name: str) -> None:
    """Whether a file can be a picture. Raises OutputError where its name says otherwise, or the library for it is missing."""
    if _ending(name) not in PICTURES:
        first, second = PICTURES
        raise OutputError(Message("a picture is a file with the ending {first} or {second}", f"{name}: ", first=first, second=second))
    if _ending(name) == ".png":
        from handcalc.render.formats.typesetter import need

        need("png", "pdf")


def picture(plot: Plot, name: str, reading: Reading, translate: Translate) -> str | bytes:
    """A plot as a file of that name. Raises OutputError as `check_picture`, and where a font is missing."""
    from handcalc.render.plot.svg import svg

    check_picture(name)
    drawing = svg(plot, reading, translate)
    if _ending(name) == ".svg":
        return drawing
    from handcalc.render.formats.typesetter import png

    return png(drawing, RESOLUTION)


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()
