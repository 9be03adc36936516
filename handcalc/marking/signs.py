"""What δ is on a sheet: many books have δ = −∂E/∂net, and add η·δ·x to the weight; some divide it by the number of samples already, or
leave the 2 of a square to the update.

- `is_error(definitions, cell)`: whether a cell is such a term.
- `as_errors_are_meant(definitions, reads)`: where all error terms of a sheet are the right ones times one factor, such as −1, and its
  weights move as they should, that is its convention: its error terms are read so. Answers those, and the convention of each.
"""

from __future__ import annotations

from handcalc.core.expr import MINUS_ONE, ONE, Number
from handcalc.core.quantity import Cell
from handcalc.marking.conventions import ERROR_SCALE, ERROR_SIGN, OtherConvention
from handcalc.marking.definitions import Definitions
from handcalc.marking.follow import unit
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.slipnumbers import number_of
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration, on_sheet

ERRORS = ("net", "out", "part")  # what an error term is the derivative by
FACTORS = (ONE, MINUS_ONE, *(Number(sign * a, b) for n in range(2, 11) for a, b in ((n, 1), (1, n)) for sign in (1, -1)))  # of error terms
SEVERAL = 2  # error terms that tell of another factor than a sign
LAST = 2  # units of their last digits that they may be off by then
ENOUGH = 3  # significant digits of an error term that tell of a factor
LOOSE = 0.05  # relative difference of a number worked with rounded ones
VISIBLE = 2  # units of the last digit by which a weight must move to tell the signs apart


def as_errors_are_meant(definitions: Definitions, reads: list[ReadAnswer]) -> tuple[list[ReadAnswer], dict[Cell, OtherConvention]]:
    """The answers, with error terms as the sheet has them."""
    typed = {read.cell: read.typed for read in reads if read.cell is not None and read.typed is not None}
    book = definitions.book
    moves = [right for wanted, number in typed.items() if (right := moves_right(definitions, wanted, number)) is not None]
    if not (moves and all(moves)):
        return reads, {}
    gradients = {wanted: number for wanted, number in typed.items() if book.quantity(wanted).kind == "gradient" and number.above}
    groups: list[list[Cell]] = [[*gradients]]  # every gradient of a sheet may be that of -E
    if gradients and not all(_is_times(definitions, MINUS_ONE, *gradient) for gradient in gradients.items()):
        errors = [wanted for wanted in gradients if _of(definitions, wanted) in ERRORS]
        groups = [[wanted for wanted in errors if _of(definitions, wanted) == kind] for kind in ERRORS]
        groups = [group for group in groups if any(gradients[wanted].significant >= ENOUGH for wanted in group)]
        if all(_is_times(definitions, MINUS_ONE, wanted, gradients[wanted]) for wanted in errors):
            groups = [errors]
        others = [wanted for wanted in gradients if _of(definitions, wanted) not in ERRORS]
        if not all(_is_times(definitions, ONE, wanted, gradients[wanted]) for wanted in others):
            groups = [group for group in groups if all(_is_times(definitions, MINUS_ONE, wanted, gradients[wanted]) for wanted in group)]
    meant: dict[Cell, OtherConvention] = {}
    scaled: dict[Cell, Number] = {}
    for group in filter(None, groups):
        possible = FACTORS if len(group) >= SEVERAL else FACTORS[:2]
        factor = next((one for one in possible if all(_is_times(definitions, one, wanted, gradients[wanted]) for wanted in group)), ONE)
        if factor != ONE:
            known = OtherConvention(*((ERROR_SIGN, "") if factor == MINUS_ONE else (ERROR_SCALE, _spelled(factor))), book.problem)
            meant |= dict.fromkeys(group, known)
            scaled |= dict.fromkeys(group, factor)

    def as_meant(read: ReadAnswer) -> ReadAnswer:
        if read.cell not in meant or read.cell is None or read.typed is None:
            return read
        said = read.trouble or meant[read.cell].title
        if scaled[read.cell] == MINUS_ONE:
            return read.replace(typed=read.typed.negated(), turned=not read.turned, trouble=said)
        return read.replace(typed=read.typed.divided(scaled[read.cell]), trouble=said)

    return list(map(as_meant, reads)), meant


def is_error(definitions: Definitions, wanted: Cell) -> bool:
    """Whether a cell is an error term, δ."""
    return _of(definitions, wanted) in ERRORS


def _of(definitions: Definitions, wanted: Cell) -> str:
    """The kind of what a gradient is by; "" of other answers."""
    quantity = definitions.book.quantity(wanted)
    return definitions.book.graph[quantity.of.quantity].kind if quantity.kind == "gradient" and quantity.of is not None else ""


def _is_times(definitions: Definitions, factor: Number, wanted: Cell, number: Typed) -> bool:
    """Whether an answer is so many times the right number, or one worked with rounded ones; other factors than a sign are many, so that
    hardly a last digit may be another."""
    value = factor.numerator / factor.denominator * number_of(definitions.values, wanted)
    slack = LOOSE * abs(value) + unit(number) if factor in FACTORS[:2] else LAST * unit(number)
    return number.value * value > 0 and abs(number.value - value) <= slack


def _spelled(factor: Number) -> str:
    return f"{factor.numerator}/{factor.denominator}" if factor.denominator > 1 else str(factor.numerator)


def moves_right(definitions: Definitions, wanted: Cell, number: Typed) -> bool | None:
    """Whether a change or a new parameter goes the right way; None where the answer is neither, or does not show it."""
    quantity = definitions.book.quantity(wanted)
    if quantity.kind not in ("change", "updated") or quantity.of is None:
        return None
    before = 0.0
    if quantity.kind == "updated":
        before = number_of(definitions.values, (on_sheet(iteration(wanted), quantity.of.quantity), base(wanted)[1]))
    move = number_of(definitions.values, wanted) - before
    if abs(move) < VISIBLE * unit(number):
        return None
    return abs(number.value - before - move) <= LOOSE * abs(move) + unit(number)


def is_near(value: float, number: Typed) -> bool:
    """Whether an answer may be this number, worked with rounded ones."""
    return abs(number.value - value) <= LOOSE * abs(value) + unit(number)
