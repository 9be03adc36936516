"""A derivation as CSV: a row for each step, with what its JSON object says. The reading must be in the dialect PLAIN.

No cell is a formula of a spreadsheet: what could begin one, and is no number, gets a ' before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from handcalc.core.derivation import Derivation, Step
from handcalc.errors import printable
from handcalc.render.jsonform import step_object
from handcalc.render.reading import Reading

COLUMNS = ("id", "phase", "sample", "iteration", "symbol", "formula", "substituted", "value", "shown")
_FORMULA = tuple("=+-@\t\r＝＋－＠")  # what a spreadsheet takes for the beginning of a formula
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?(/\d+)?(e[-+]?\d+)?", re.ASCII)


def document(derivation: Derivation, reading: Reading, steps: Iterable[Step]) -> str:
    """The table."""
    import csv
    from io import StringIO

    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for step in steps:
        found = step_object(derivation, reading, step)
        writer.writerow([_cell(found.get(column)) for column in COLUMNS])
    return stream.getvalue()


def _cell(value: str | float | None) -> str:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else repr(value)


def harmless(text: str) -> str:
    """A cell that no spreadsheet computes, on one line."""
    return ("'" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else "") + printable(text)
