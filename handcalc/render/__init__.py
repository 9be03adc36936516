"""From derivation to text: notation, printer, documents, exporters.

`render(derivation, format)` is the whole of it in one call; `read` puts a derivation into a notation, `table` and
`export` write the formats that are no text for a screen.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import TYPE_CHECKING

from handcalc.core.derivation import Derivation, Step
from handcalc.language import Translate
from handcalc.render.dialects import LATEX, PLAIN, UNICODE, Dialect
from handcalc.render.notation import DEFAULT, Notation, profile
from handcalc.render.reading import Reading

if TYPE_CHECKING:
    from handcalc.render.blocks import Block

LONGEST_SUM = 12  # terms of a sum that documents show without leaving some out
# terminal: Unicode; plain: ASCII; json: for programs; csv: for spreadsheets; latex, markdown: for documents
FORMATS = ("terminal", "plain", "json", "csv", "latex", "markdown")
EXPORTED = ("latex", "markdown")


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
    if format == "csv":
        return table(derivation, read(derivation, notation, PLAIN))
    from handcalc.language import translator
    from handcalc.render.document import Options, solution

    if format in EXPORTED:
        reading = read(derivation, notation, LATEX, longest=LONGEST_SUM)
        return export(solution(derivation, reading, Options()), reading, translator(language), format)
    from handcalc.render.terminal import show, terminal_console

    reading = read(derivation, notation, PLAIN if format == "plain" else UNICODE, longest=LONGEST_SUM)
    stream = io.StringIO()
    show(solution(derivation, reading, Options()), reading, translator(language), terminal_console(stream, plain=True))
    return stream.getvalue()


def table(derivation: Derivation, reading: Reading, steps: Iterable[Step] | None = None) -> str:
    """The steps as CSV, all of them unless some are given. The reading must be in PLAIN."""
    from handcalc.render.csvform import document

    every = (step for k in range(1, derivation.iterations + 1) for step in derivation.steps(k))
    return document(derivation, reading, every if steps is None else steps)


def export(blocks: Iterable[Block], reading: Reading, translate: Translate, format: str) -> str:
    """A document as a file in one of EXPORTED. The reading must be in LATEX."""
    if format == "latex":
        from handcalc.render.latex import document
    else:
        from handcalc.render.markdown import document
    return document(blocks, reading, translate)
