"""How far a framework's number may be from the exact one: running error bounds along the solution.

- `Bounds(evaluation, unit)` has for every cell the band that arithmetic of a precision may reach: `bounds[cell]` is a `Band`.

Every operation rounds by one unit at most, relative to the largest of what is added (Higham, Accuracy and Stability of Numerical
Algorithms, 2002). A framework may add in another order and use other formulas of the same value, so each cell has `MORE` to spare.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Product, Ref, Sum, children
from handcalc.core.instance import compute
from handcalc.core.quantity import Cell, cell
from handcalc.marking.bands import ANYTHING, BANDS, Band, band

UNITS = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}  # half the distance from 1 to the next number
MORE = 8
RELATIVE = ("sqrt", "abs", "max", "min", "sign", "relu")  # functions that are worked out without numbers of the size of 1 on the way


class Bounds:
    """Bands of cells, worked out on demand; unit: the rounding of one operation; start: cells that begin with a band, such as parameters
    that an earlier step has made."""

    def __init__(self, evaluation: Evaluation, unit: float, start: Mapping[Cell, Band] | None = None) -> None:
        self._evaluation = evaluation
        self._unit = unit
        self._found: dict[Cell, Band] = dict(start or {})

    def __getitem__(self, wanted: Cell) -> Band:
        """The band of a cell."""
        pending = [wanted]
        while pending:
            current = pending[-1]
            if current in self._found:
                pending.pop()
                continue
            missing = [used for used in self._uses(current) if used not in self._found]
            if missing:
                pending += missing
            else:
                self._found[current] = self._band(current)
                pending.pop()
        return self._found[wanted]

    def _uses(self, current: Cell) -> tuple[Cell, ...]:
        return () if self._evaluation.literal(current) is not None else tuple(self._evaluation.graph.uses(current))

    def _band(self, current: Cell) -> Band:
        value = float(self._evaluation[current])
        if self._evaluation.literal(current) is not None:
            return self._wider(band(value), abs(value), 2)
        expr = self._evaluation.graph.instance(current)
        try:
            found = band(compute(expr, self._known, BANDS))
        except (ArithmeticError, ValueError):
            return ANYTHING
        return self._wider(found | band(value), self._size(expr), _operations(expr) + MORE)

    def _known(self, reference: Ref) -> Any:
        return self._found[cell(reference)]

    def _size(self, expr: Expr) -> float:
        """The largest size of what is added."""
        if isinstance(expr, Sum):
            return math.fsum(self._size(term) for term in expr.terms)
        if isinstance(expr, Product):
            return math.prod(self._size(factor) for factor in expr.factors)
        try:
            found = band(compute(expr, self._known, BANDS))
        except (ArithmeticError, ValueError):
            return math.inf
        least = 1.0 if isinstance(expr, Call) and expr.function not in RELATIVE else 0.0
        return max(abs(found.low), abs(found.high), least)

    def _wider(self, of: Band, size: float, operations: int) -> Band:
        room = size * operations * self._unit
        return Band(of.low - room, of.high + room) if math.isfinite(room) else ANYTHING


def _operations(expr: Expr) -> int:
    return 1 + sum(_operations(part) for part in children(expr))
