"""0·ln 0 in programs: which formulas may have it, and what must be 0 for a term to be so, as `vanishing` of core/instance.py has it.

- `may_vanish(graph)` says whether a graph has a product with a logarithm, and so needs any of this.
- `zeros(expr, is_slope)` are the parts of a term that make it 0: one of them is enough in a product, all are needed in a quotient.
"""

from __future__ import annotations

from handcalc.core.expr import Call, Expr, Product, Quotient, walk
from handcalc.core.graph import Graph
from handcalc.core.instance import LOGARITHMS


def may_vanish(graph: Graph) -> bool:
    """Whether there is a product with a logarithm."""
    return any(zeros(node, False) for quantity in graph for formula in quantity.formulas for node in walk(formula))


def zeros(expr: Expr, is_slope: bool) -> tuple[Expr, ...]:
    """The factors beside a logarithm; in a slope both sides of a quotient; nothing for other expressions."""
    if isinstance(expr, Product):
        others = tuple(factor for factor in expr.factors if not _is_logarithm(factor))
        return others if len(others) < len(expr.factors) else ()
    return (expr.above, expr.below) if isinstance(expr, Quotient) and is_slope else ()


def _is_logarithm(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function in LOGARITHMS
