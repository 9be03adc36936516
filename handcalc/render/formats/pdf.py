"""Blocks → PDF for print: what Typst makes of the document of typst.py.

- `document(report)` is the file. A long one is set in pieces, which take less memory; where the package to join them is missing, at once.
"""

from __future__ import annotations

from handcalc.render.formats import typst
from handcalc.render.formats.joined import can_join, joined
from handcalc.render.formats.typesetter import pdf
from handcalc.render.report import Report


def document(report: Report) -> bytes:
    """The whole file. Raises OutputError where no font has its letters."""
    source = typst.source(report)
    return joined(source) if len(source.pieces) > 1 and can_join() else pdf(source.whole())
