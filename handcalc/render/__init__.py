"""From derivation to text: notation, printer, documents, exporters.

`render(derivation, format)` is the whole of it in one call; `read` puts a derivation into a notation.
"""

from __future__ import annotations

import io

from handcalc.core.derivation import Derivation
from handcalc.render.dialects import PLAIN, UNICODE, Dialect
from handcalc.render.notation import DEFAULT, Notation, profile
from handcalc.render.reading import Reading

LONGEST_SUM = 12  # terms of a sum that documents show without leaving some out
FORMATS = ("terminal", "plain", "json")  # terminal: Unicode; plain: ASCII; json: for programs


def read(derivation: Derivation, notation: str = "", dialect: Dialect = UNICODE, comma: bool = False, longest: int = 0) -> Reading:
    """A derivation in a notation: the given one, else the problem's own, else Matt Mazur's. longest: see `Printer`."""
    header = derivation.header
    chosen = notation or header.notation or DEFAULT
    own = chosen == header.notation
    by_source = header.conventions.get("weight_numbering") == "by_source"
    return Reading(derivation, Notation(profile(chosen), derivation.graph, derivation.loss, own, by_source), dialect, comma, longest)


def render(derivation: Derivation, format: str = "terminal", notation: str = "", language: str = "en") -> str:
    """The worked solution as text in one of FORMATS. Raises ValueError for another format."""
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}")
    if format == "json":
        from handcalc.render.jsonform import document, dumps

        return dumps(document(derivation, read(derivation, notation, PLAIN)))
    from handcalc.language import translator
    from handcalc.render.document import Options, solution
    from handcalc.render.terminal import show, terminal_console

    reading = read(derivation, notation, PLAIN if format == "plain" else UNICODE, longest=LONGEST_SUM)
    stream = io.StringIO()
    show(solution(derivation, reading, Options()), reading, translator(language), terminal_console(stream, plain=True))
    return stream.getvalue()
