"""The sign of δ on a sheet: many books have δ = −∂E/∂net, and add η·δ·x to the weight.

- `is_error(definitions, cell)`: whether a cell is such a term.
- `with_sign_of_errors(definitions, reads)`: where all error terms of a sheet are the negatives of the right ones, and its weights move
  the right way, that is its convention: its error terms are read in the sheet's sign. Answers those, and the convention of each.
"""

from __future__ import annotations

from handcalc.core.quantity import Cell
from handcalc.errors import EvaluationError
from handcalc.marking.conventions import ERROR_SIGN, OtherConvention
from handcalc.marking.definitions import Definitions
from handcalc.marking.follow import unit
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration, on_sheet

ERRORS = ("net", "out", "part")  # what an error term is the derivative by
LOOSE = 0.05  # relative difference of a number worked with rounded ones
VISIBLE = 2  # units of the last digit by which a weight must move to tell the signs apart


def with_sign_of_errors(definitions: Definitions, reads: list[ReadAnswer]) -> tuple[list[ReadAnswer], dict[Cell, OtherConvention]]:
    """The answers, with error terms in the sign that the sheet has for them."""
    typed = {read.cell: read.typed for read in reads if read.cell is not None and read.typed is not None}
    book = definitions.book
    gradients = {wanted: number for wanted, number in typed.items() if book.quantity(wanted).kind == "gradient" and number.above}
    errors = {wanted: number for wanted, number in gradients.items() if is_error(definitions, wanted)}
    if all(_is_negative(definitions, *gradient) for gradient in gradients.items()):
        errors = gradients  # every gradient on the sheet is that of -E
    moves = [right for wanted, number in typed.items() if (right := _moves_right(definitions, wanted, number)) is not None]
    if not (errors and moves and all(moves) and all(_is_negative(definitions, *error) for error in errors.items())):
        return reads, {}
    convention = OtherConvention(ERROR_SIGN, "", definitions.book.problem)

    def in_sign(read: ReadAnswer) -> ReadAnswer:
        if read.cell not in errors or read.typed is None:
            return read
        return read.replace(typed=read.typed.negated(), turned=not read.turned, trouble=read.trouble or convention.title)

    return list(map(in_sign, reads)), dict.fromkeys(errors, convention)


def is_error(definitions: Definitions, wanted: Cell) -> bool:
    """Whether a cell is an error term, δ."""
    quantity = definitions.book.quantity(wanted)
    return quantity.kind == "gradient" and quantity.of is not None and definitions.book.graph[quantity.of.quantity].kind in ERRORS


def _is_negative(definitions: Definitions, wanted: Cell, number: Typed) -> bool:
    """Whether an answer is the negative of the right number, or of one worked with rounded ones."""
    value = _value(definitions, wanted)
    return number.value * value < 0 and abs(number.value + value) <= LOOSE * abs(value) + unit(number)


def _moves_right(definitions: Definitions, wanted: Cell, number: Typed) -> bool | None:
    """Whether a change or a new parameter goes the right way; None where the answer is neither, or does not show it."""
    quantity = definitions.book.quantity(wanted)
    if quantity.kind not in ("change", "updated") or quantity.of is None:
        return None
    before = 0.0
    if quantity.kind == "updated":
        before = _value(definitions, (on_sheet(iteration(wanted), quantity.of.quantity), base(wanted)[1]))
    move = _value(definitions, wanted) - before
    if abs(move) < VISIBLE * unit(number):
        return None
    return abs(number.value - before - move) <= LOOSE * abs(move) + unit(number)


def _value(definitions: Definitions, wanted: Cell) -> float:
    try:
        return float(definitions.values[wanted])
    except EvaluationError:
        return float("nan")
