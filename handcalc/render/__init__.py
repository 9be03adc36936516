"""From derivation to text: notation, printer, documents, formats.

`render(derivation, format)` is the whole of it in one call; `read` puts a derivation into a notation. report.py has
the table of formats and reports of several problems.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.render.reading import read

__all__ = ["read", "render"]


def render(
    derivation: Derivation, format: str = "terminal", notation: str = "", language: str = "en", view: str = "key", detail: str = "normal"
) -> str | bytes:
    """The worked solution in a format of report.FORMATS; bytes for pdf and word.

    view: key, worksheet, formulas or cloze; detail: brief, normal or full. Raises ValueError for a word that is none of
    these, OutputError where a library or a font is missing.
    """
    from handcalc.render.options import DETAILS
    from handcalc.render.report import FORMATS, Style, export
    from handcalc.render.views import VIEWS

    for name, word, known in (("format", format, FORMATS), ("view", view, VIEWS), ("detail", detail, DETAILS)):
        if word not in known:
            raise ValueError(f"{name} must be one of {', '.join(known)}")
    documents = not FORMATS[format].screen or VIEWS[view].asks
    return export((derivation,), format, Style(notation, view=view, detail=detail, numbers=documents, pictures=documents), language).content


class _Render(ModuleType):
    """The package is called like the function: `handcalc.render(…)` is `render(…)`, and `handcalc.render.blocks` a module as ever."""

    def __call__(self, *arguments: Any, **named: Any) -> str | bytes:
        return render(*arguments, **named)


sys.modules[__name__].__class__ = _Render
