"""Blocks → PDF for print: what Typst makes of the document of typst.py.

- `document(report)` is the file.
"""

from __future__ import annotations

from handcalc.render.formats import typst
from handcalc.render.formats.typesetter import pdf
from handcalc.render.report import Report


def document(report: Report) -> bytes:
    """The whole file. Raises OutputError where no font has its letters."""
    return pdf(typst.document(report))
