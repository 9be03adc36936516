"""Units: steps that are a function of one other step, such as outputs of neurons and gates; and what kind of function it is.

- `units(book, cells)` finds them in the formulas, whatever they are called and however their activation was typed.

A function is bounded if it is flat far away on both sides, but not between (a sigmoid); a rectifier if it is 0 below some argument and
grows above it.
"""

from __future__ import annotations

from collections.abc import Iterable

from handcalc.core.derivative import differentiate
from handcalc.core.expr import Expr, Ref, references, rewrite
from handcalc.core.instance import FRACTIONS, compute
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import DeriveError
from handcalc.marking.workbook import Workbook

FAR = 40.0  # an argument at which what is bounded is flat
FLAT = 0.01
BETWEEN = 0.25
NEGATIVE = (-FAR, -1.0, -BETWEEN)
KINDS = ("out", "part", "variable")
ARGUMENT = Ref("z")


class Unit(Record):
    """A step that is a function of one other; slope: the derivative, where it has one."""

    cell: Cell
    slope: Expr | None
    is_bounded: bool = False
    is_rectifier: bool = False


def units(book: Workbook, cells: Iterable[Cell]) -> list[Unit]:
    """The bounded units and the rectifiers among some steps, those after the update left out."""
    shapes: dict[Expr, tuple[bool, bool]] = {}
    found = []
    for wanted in cells:
        quantity = book.quantity(wanted)
        formula = book.instance(wanted)
        used = references(formula)
        if quantity.stage or quantity.kind not in KINDS or len(used) != 1 or isinstance(formula, Ref):
            continue
        function = rewrite(formula, lambda node: ARGUMENT if node == used[0] else None)  # noqa: B023
        if function not in shapes:
            shapes[function] = _is_bounded(function), _is_rectifier(function)
        if any(shapes[function]):
            found.append(Unit(wanted, _slope(formula, used[0]), *shapes[function]))
    return found


def _is_bounded(function: Expr) -> bool:
    slope = _slope(function, ARGUMENT)
    low, near, high = (_at(slope, place) for place in (-FAR, BETWEEN, FAR))
    if low is None or near is None or high is None:
        return False
    return abs(low) < FLAT and abs(high) < FLAT < abs(near)


def _is_rectifier(function: Expr) -> bool:
    above = _at(function, FAR)
    return above is not None and above > 0 and all(_at(function, place) == 0 for place in NEGATIVE)


def _slope(formula: Expr, argument: Ref) -> Expr | None:
    try:
        return differentiate(formula, argument)
    except DeriveError:
        return None


def _at(function: Expr | None, place: float) -> float | None:
    """A value of a function of one argument; None where it has none."""
    try:
        return None if function is None else float(compute(function, lambda ref: place, FRACTIONS))
    except (ArithmeticError, ValueError):
        return None
