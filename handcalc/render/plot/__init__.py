"""Plots: curves, marks and shaded areas between two axes.

- model.py is a plot as data, with the axes and their ticks; looks.py how it looks; levels.py finds level lines and areas on a grid.
- letters.py writes a plot for terminals, svg.py as a picture; `picture(plot, name, …)` is the content of a file.

To add a format of pictures, add its record to `PICTURES`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from handcalc.core.record import Record
from handcalc.errors import Message, OutputError

if TYPE_CHECKING:
    from handcalc.language import Translate
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading

RESOLUTION = 192  # of a PNG: two points for each unit of the SVG


def _svg(drawing: str) -> str:
    return drawing


def _png(drawing: str) -> bytes:
    from handcalc.render.formats.typesetter import png

    return png(drawing, RESOLUTION)


class PictureFormat(Record):
    """A format of pictures: the ending of its files, what makes one of a drawing in SVG, and what to install for it."""

    ending: str
    made: Callable[[str], str | bytes]
    extra: str = ""


PICTURES = {format.ending: format for format in (PictureFormat(".svg", _svg), PictureFormat(".png", _png, extra="pdf"))}


def check_picture(name: str) -> None:
    """Whether a file can be a picture. Raises OutputError where its name says otherwise, or the library for it is missing."""
    if _ending(name) not in PICTURES:
        *others, last = PICTURES
        known = {"first": ", ".join(others), "second": last}
        raise OutputError(Message("a picture is a file with the ending {first} or {second}", f"{name}: ", **known))
    wanted = PICTURES[_ending(name)]
    if wanted.extra:
        from handcalc.render.formats.typesetter import need

        need(wanted.ending.removeprefix("."), wanted.extra)


def picture(plot: Plot, name: str, reading: Reading, translate: Translate) -> str | bytes:
    """A plot as a file of that name. Raises OutputError as `check_picture`, and where a font is missing."""
    from handcalc.render.plot.svg import svg

    check_picture(name)
    return PICTURES[_ending(name)].made(svg(plot, reading, translate))


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()
