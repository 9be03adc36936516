"""A report as CSV: a row for each step, with what its line says.

No cell is a formula of a spreadsheet: what could begin one, and is no number, gets a ' before it.
"""

from __future__ import annotations

import re

from handcalc.errors import printable
from handcalc.render.formats.jsonform import step_line
from handcalc.render.report import Report

COLUMNS = ("id", "phase", "sample", "iteration", "symbol", "formula", "substituted", "value", "shown")
_FORMULA = tuple("=+-@\t\r＝＋－＠")  # what a spreadsheet takes for the beginning of a formula
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?(/\d+)?(e[-+]?\d+)?", re.ASCII)


def document(report: Report) -> str:
    """The table; with several problems, its first column says which."""
    import csv
    from io import StringIO

    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    several = len(report.chapters) > 1
    writer.writerow(("problem",) * several + COLUMNS)
    for number, chapter in enumerate(report.chapters, 1):
        title = (harmless(chapter.derivation.header.title or str(number)),) * several
        for step in chapter.steps():
            found = step_line(chapter.reading, step) | {"sample": step.sample, "iteration": step.iteration}
            writer.writerow([*title, *(_cell(found.get(column)) for column in COLUMNS)])
    return stream.getvalue()


def _cell(value: str | float | None) -> str:
    if isinstance(value, str):
        return harmless(value)
    return "" if value is None else repr(value)


def harmless(text: str) -> str:
    """A cell that no spreadsheet computes, on one line."""
    return ("'" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else "") + printable(text)
