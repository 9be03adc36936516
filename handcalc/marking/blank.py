"""The empty answer sheet of a problem: every step that is asked, one a line, to be filled in and checked.

- `blank_sheet(desk, form, translate, dialect)` in the forms "text" and "csv"; what it writes, forms.py reads.

A step is called by its letter in the notation, so that the number asked for is the one the solution prints; by its id where the
letter could mean another step. Digits and marks are said where they are asked.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import groupby

from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Listing, Message, UnknownIdError, printable
from handcalc.language import Translate, title_in
from handcalc.marking.desk import Desk
from handcalc.marking.interpret import UNASKED
from handcalc.marking.wording import decimal
from handcalc.marking.workbook import base, iteration
from handcalc.render.dialects import UNICODE, Dialect
from handcalc.render.reading import Reading

FORMS = ("text", "csv")


def blank_sheet(desk: Desk, form: str = "text", translate: Translate = str, dialect: Dialect = UNICODE) -> str:
    """The tasks of the problem, else the steps of a usual exercise; each with nothing behind it."""
    return _BlankSheet(desk, translate, dialect).written(form)


def sheet_name(desk: Desk, wanted: Cell) -> str:
    """What a step is called on a sheet: its letter in the problem's notation, or its id."""
    return _BlankSheet(desk, str, UNICODE).name(wanted)


class _BlankSheet:
    def __init__(self, desk: Desk, translate: Translate, dialect: Dialect) -> None:
        self.desk = desk
        self.translate = translate
        interpreter = desk.interpreter
        self.asked = [*interpreter.tasks] or interpreter.default()
        self.reading = Reading(desk.book.derivation, interpreter.reading.notation, dialect)

    def written(self, form: str) -> str:
        """The whole sheet."""
        lines = [*self.head(form), ""] if form == "text" else [*self.head(form)]
        return "\n".join(lines) + "\n" + (self.table() if form == "csv" else "\n".join(self.lines()) + "\n")

    def text(self, message: Message) -> str:
        return message.text(self.translate)

    def head(self, form: str) -> Iterator[str]:
        """Comments: the title, the student's name, the rounding, what to do."""
        problem = self.desk.problem
        if problem.title:
            yield f"# {printable(title_in(self.translate, problem.title, problem.title_zh))}"
        yield self.text(Message("# name:")) + " "
        if problem.rounding is not None:
            yield self.text(_rounding(problem.rounding))
        if form == "csv":
            yield self.text(Message("# Write every answer into its last column; a number or a formula"))
        else:
            yield self.text(Message("# Write every answer behind its =; a number or a formula; working may stand before it: a = 2*3 = 6"))

    def lines(self) -> Iterator[str]:
        """net_h1 = ; before the first of those for which the same digits and marks are asked, which they are."""
        width = max((len(self.name(wanted)) for wanted in self.asked), default=0)
        for remarks, group in groupby(self.asked, self.remarks):
            said = Listing(filter(None, remarks))
            if said.values:
                yield f"# {self.text(said)}"
            for wanted in group:
                yield f"{self.name(wanted):<{width}} = "

    def table(self) -> str:
        """The same as rows; the answer is in the last column, where a decimal comma without quotation marks is noticed."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        more = any(any(self.remarks(wanted)) for wanted in self.asked)
        heading = [Message("id"), *([Message("out of"), Message("digits")] if more else []), Message("answer")]
        writer.writerow(self.text(cell) for cell in heading)
        writer.writerows((self.name(wanted), *(self.remarks(wanted) if more else ()), "") for wanted in self.asked)
        return stream.getvalue()

    def name(self, wanted: Cell) -> str:
        """The letter of a step, where it is found again as this step and in this sign; else its id."""
        plain, number = base(wanted), iteration(wanted)
        letter = f"#{number}:" * (number > 1) + self.reading.symbol(Ref(*plain))
        try:
            found = self.desk.interpreter.find(letter)
        except UnknownIdError:
            found = None
        return letter if found == (wanted, self.reading.turned(plain)) else self.desk.book.cell_id(wanted)

    def remarks(self, wanted: Cell) -> tuple[str, str]:
        """The marks and digits that are asked, where the problem's tasks say so."""
        task = self.desk.interpreter.tasks.get(wanted, UNASKED)
        if task is UNASKED:
            return "", ""
        marks = decimal(task.marks.numerator / task.marks.denominator)
        told = self.text(Message("1 mark") if marks == "1" else Message("{marks} marks", marks=marks))
        digits = self.desk.asked_digits(wanted, task)
        return told, "" if digits is None else self.text(_digits(*digits))


def _rounding(rounding: Rounding) -> Message:
    digits = _digits(rounding.decimals, rounding.significant)
    head = Message("# rounding: {digits}, carry", digits=digits) if rounding.carry else Message("# rounding: {digits}", digits=digits)
    ties = {"truncate": Message("cut off"), "half_even": Message("half to even")}.get(rounding.ties)
    return head if ties is None else Message("{rounding}, {ties}", rounding=head, ties=ties)


def _digits(decimals: int | None, significant: int | None) -> Message:
    if decimals is not None:
        return Message("{count} {count:decimal|decimals}", count=decimals)
    return Message("{count} significant digits", count=significant or 1)
