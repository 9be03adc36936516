"""The arithmetic of students: the steps of a solution, worked with any rounding.

- `Paper(graph, numbers, keep, by_change)` has the values of a graph's cells. numbers: the arithmetic of a line; keep: what becomes of
  its result before it is used again; by_change: a new parameter is w + Δw, with the change a result of its own.
- `Digits(count, ties, significant)` rounds and cuts off in decimal arithmetic, and spells the number as it is written down.
- `FLOATS`, `FRACTIONS` and `rounding_each(keep)` are arithmetics; `single` is what keeps numbers in single precision.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from fractions import Fraction
from struct import pack, unpack
from typing import Any, NamedTuple

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Ref, add, references
from handcalc.core.graph import Graph
from handcalc.core.instance import FLOATS, FRACTIONS, Arithmetic, apply
from handcalc.core.quantity import Cell, cell
from handcalc.errors import EvaluationError, Message

__all__ = ["CUT", "FLOATS", "FRACTIONS", "TIES", "Digits", "Paper", "as_fraction", "rounding_each", "single", "spelled"]

TIES = (ROUND_HALF_UP, ROUND_HALF_EVEN)
CUT = ROUND_DOWN
SMALLEST, LARGEST = -7, 7  # powers of ten between which a number is written without one
NOISE = 13  # digits of a float without the noise of binary fractions, so that a tie is a tie


class Digits(NamedTuple):
    """So many decimals or significant digits; ties: of the module decimal."""

    count: int
    ties: str = ROUND_HALF_UP
    significant: bool = False

    def of(self, value: float) -> Decimal:
        """A number, rounded."""
        exact = Decimal(f"{value:.{NOISE}g}")
        if not exact or not self.significant:
            return exact.quantize(Decimal(1).scaleb(-self.count), self.ties)
        found = exact.quantize(Decimal(1).scaleb(exact.adjusted() - self.count + 1), self.ties)
        same = found.adjusted() == exact.adjusted()
        return found if same else found.quantize(Decimal(1).scaleb(found.adjusted() - self.count + 1))  # 0.0997 is 0.10, not 0.100

    def keep(self, value: Any) -> float:
        """A number as the next step uses it."""
        return float(self.of(float(value)))

    def write(self, value: Any) -> str:
        """A number as it is written down."""
        found = self.of(float(value))
        return "0" if self.significant and not found else spelled(found)


def spelled(number: Decimal) -> str:
    """A decimal number in digits; very small and very large ones with a power of ten."""
    if not number:
        return f"{abs(number):f}"  # no -0.00
    return f"{number:f}" if SMALLEST < number.adjusted() < LARGEST else f"{number:e}".replace("E", "e")


class Paper(Evaluation):
    """The values of a graph's cells as a student has them."""

    def __init__(
        self,
        graph: Graph,
        numbers: Arithmetic = FLOATS,
        keep: Callable[[Any], Any] | None = None,
        by_change: bool = False,
        replaced: Mapping[Cell, Any] | None = None,
    ) -> None:
        super().__init__(_ByChange(graph) if by_change else graph, None, replaced)
        self.numbers = numbers
        self.keep = keep

    def _keep(self, current: Cell, value: Any) -> None:
        if not math.isfinite(float(value)):
            raise EvaluationError(Message("{step}: the number is too large (overflow)", step=self.graph.cell_id(current)))
        self.values[current] = value if self.keep is None else self.keep(value)


class _ByChange:
    """A graph in which a new parameter is w + Δw."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.given_value, self.cell_id = graph.given_value, graph.cell_id

    def instance(self, wanted: Cell) -> Expr:
        """The definition of one cell."""
        quantity, found = self.graph[wanted[0]], self.graph.instance(wanted)
        if quantity.kind != "updated" or quantity.stage or quantity.of is None or isinstance(found, Ref):
            return found
        old = quantity.of.quantity
        return add(Ref(old, wanted[1]), Ref(self.graph.change(old), wanted[1]))

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells a definition uses."""
        return tuple(cell(ref) for ref in references(self.instance(wanted)))


# --- arithmetics -----------------------------------------------------------------------------------------------------------


def rounding_each(keep: Callable[[float], float], given: Callable[[float], float] = float) -> Arithmetic:
    """Every sum, product, quotient, power and function value is rounded, as with a calculator that is read after every key.

    given: what becomes of the numbers of the problem.
    """

    class Kept(float):
        """A number whose results are rounded."""

        def __add__(self, other: float) -> Kept:
            return kept(float(self) + float(other))

        def __mul__(self, other: float) -> Kept:
            return kept(float(self) * float(other))

        def __truediv__(self, other: float) -> Kept:
            return kept(float(self) / float(other))

        def __neg__(self) -> Kept:
            return Kept(-float(self))

        __radd__, __rmul__ = __add__, __mul__

    def kept(value: Any) -> Kept:
        return Kept(keep(value))

    return Arithmetic(
        lambda literal: Kept(given(literal.numerator / literal.denominator)),
        lambda base, exponent: kept(FLOATS.power(float(base), float(exponent))),
        lambda record, values, at: kept(apply(record, [float(value) for value in values], at)),
    )


def single(value: float) -> float:
    """A number in single precision (float32)."""
    return float(unpack("f", pack("f", value))[0])


def as_fraction(value: Any, largest: int) -> str:
    """A fraction as it is written; "" where it is none, or has more than a denominator up to the largest."""
    return f"{value.numerator}/{value.denominator}" if isinstance(value, Fraction) and 1 < value.denominator <= largest else ""
