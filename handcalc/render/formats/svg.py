"""The drawing of the network alone, as SVG: with all its numbers, or in a view to be filled in with the given ones.

- `document(report)` is the file.
"""

from __future__ import annotations

from handcalc.errors import Message, OutputError
from handcalc.render.blocks import Picture
from handcalc.render.formats.common import drawn
from handcalc.render.report import Report


def document(report: Report) -> str:
    """The drawing of one problem. Raises OutputError for several, and for a problem with nothing to draw."""
    from handcalc.render.diagram.svg import svg

    if len(report.chapters) != 1:
        raise OutputError(Message("an SVG file is the drawing of one problem; give a folder for several"))
    chapter = report.chapters[0]
    key = not chapter.view.asks
    drawing = drawn(Picture(chapter.derivation.iterations, key, key), chapter.reading)
    if drawing is None:
        raise OutputError(Message("this problem has nothing to draw"))
    return svg(drawing, chapter.reading, report.translate) + "\n"
