"""The empty answer sheet of a problem: every step that is asked, one a line, to be filled in and checked.

- `blank_sheet(desk, form)` in the forms "text" and "csv"; what it writes, answers.py reads.
"""

from __future__ import annotations

import csv
import io

from handcalc.core.rounding import Rounding
from handcalc.errors import printable
from handcalc.marking.check import Desk

FORMS = ("text", "csv")


def blank_sheet(desk: Desk, form: str = "text") -> str:
    """The tasks of the problem, else the steps of a usual exercise; each with nothing behind it."""
    asked = [*desk.interpreter.tasks] or desk.interpreter.default()
    ids = [desk.book.cell_id(cell) for cell in asked]
    lines = [f"# {printable(desk.problem.title)}"] if desk.problem.title else []
    lines.append("# name: ")
    if desk.problem.rounding is not None:
        lines.append(f"# rounding: {_digits(desk.problem.rounding)}")
    if form == "csv":
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("id", "answer"))
        writer.writerows((name, "") for name in ids)
        return "\n".join(lines) + "\n" + stream.getvalue()
    width = max(map(len, ids), default=0)
    return "\n".join([*lines, "", *(f"{name:<{width}} = " for name in ids)]) + "\n"


def _digits(rounding: Rounding) -> str:
    text = f"{rounding.decimals} decimals" if rounding.decimals is not None else f"{rounding.significant} significant"
    return text + (", carry" if rounding.carry else "")
