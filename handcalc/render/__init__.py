"""From derivation to text: notation, printer, documents, formats.

`render(derivation, format)` is the whole of it in one call; `read` puts a derivation into a notation. report.py has
the table of formats and reports of several problems.
"""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.render.dialects import UNICODE, Dialect
from handcalc.render.notation import notation_for
from handcalc.render.reading import Reading


def read(derivation: Derivation, notation: str = "", dialect: Dialect = UNICODE, comma: bool = False, longest: int = 0) -> Reading:
    """A derivation in a notation: the given one, else the problem's own, else Matt Mazur's. longest: see `Printer`."""
    return Reading(derivation, notation_for(derivation, notation), dialect, comma, longest)


def render(
    derivation: Derivation, format: str = "terminal", notation: str = "", language: str = "en", view: str = "key", detail: str = "normal"
) -> str | bytes:
    """The worked solution in a format of report.FORMATS; bytes for pdf and word.

    view: key, worksheet, formulas or cloze; detail: brief, normal or full. Raises ValueError for a word that is none of
    these, OutputError where a library or a font is missing.
    """
    from handcalc.render.document import WORKED_LIMIT
    from handcalc.render.report import FORMATS, Style, export
    from handcalc.render.views import VIEWS

    for name, word, known in (("format", format, FORMATS), ("view", view, VIEWS), ("detail", detail, WORKED_LIMIT)):
        if word not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}")
    documents = format not in ("terminal", "plain") or view != "key"
    return export((derivation,), format, Style(notation, view=view, detail=detail, numbers=documents, pictures=documents), language).content
