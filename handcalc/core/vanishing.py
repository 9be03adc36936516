"""0·ln 0 = 0, as textbooks take it: a term of a sum that is 0 by another factor, though its logarithm has no value; and the slope of one,
in which t/o is 0 where both are.

- `vanishing(expr, lookup, numbers, is_slope, choose)` is an instance's value by that rule, in any arithmetic.
- `zeros(expr, is_slope)` are the parts of a term that can make it 0: one of them is enough in a product, all are needed in a quotient.
- `may_vanish(graph)` says whether a graph has such a term at all.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add, mul
from typing import TypeGuard

from handcalc.core.expr import Call, Expr, Negation, Product, Quotient, Sum, walk
from handcalc.core.graph import Graph
from handcalc.core.instance import LOGARITHMS, Arithmetic, Lookup, Value, compute

Choose = Callable[[list[Value], list[Value], Callable[[], Value]], Value]


def vanishing(expr: Expr, lookup: Lookup, numbers: Arithmetic, is_slope: bool, choose: Choose) -> Value:
    """The value of an instance in which 0·ln 0 is 0.

    choose: what a term is, from the values of its `zeros`, those that it has the logarithms of (none: a quotient, whose zeros must all be
    0), and how it is worked out else. Raises ArithmeticError or ValueError where it has no value all the same.
    """
    if isinstance(expr, Sum):
        return reduce(add, [vanishing(term, lookup, numbers, is_slope, choose) for term in expr.terms])
    if isinstance(expr, Negation):
        return -vanishing(expr.operand, lookup, numbers, is_slope, choose)
    found = zeros(expr, is_slope)
    if found:
        arguments = [factor.arguments[0] for factor in expr.factors if _is_logarithm(factor)] if isinstance(expr, Product) else []
        values, logarithms_of = ([compute(part, lookup, numbers) for part in parts] for parts in (found, arguments))
        return choose(values, logarithms_of, lambda: compute(expr, lookup, numbers))
    if isinstance(expr, Product):
        return reduce(mul, [vanishing(factor, lookup, numbers, is_slope, choose) for factor in expr.factors])
    return compute(expr, lookup, numbers)


def zero_or(values: list[Value], logarithms_of: list[Value], otherwise: Callable[[], Value]) -> Value:
    """`choose` of numbers: 0·ln(-1) is nothing all the same."""
    return zero_or_own(values, logarithms_of, otherwise) if all(value >= 0 for value in logarithms_of) else otherwise()


def zero_or_own(values: list[Value], logarithms_of: list[Value], otherwise: Callable[[], Value]) -> Value:
    """`choose` of numbers that are a student's, whose output may be below 0."""
    found = [value for value in values if value == 0]
    return found[0] if len(found) >= (1 if logarithms_of else len(values)) else otherwise()


def may_vanish(graph: Graph) -> bool:
    """Whether there is a product with a logarithm."""
    return any(zeros(node, False) for quantity in graph for formula in quantity.formulas for node in walk(formula))


def zeros(expr: Expr, is_slope: bool) -> tuple[Expr, ...]:
    """The factors beside a logarithm; in a slope both sides of a quotient; nothing for other expressions."""
    if isinstance(expr, Product):
        others = tuple(factor for factor in expr.factors if not _is_logarithm(factor))
        return others if len(others) < len(expr.factors) else ()
    return (expr.above, expr.below) if isinstance(expr, Quotient) and is_slope else ()


def _is_logarithm(expr: Expr) -> TypeGuard[Call]:
    return isinstance(expr, Call) and expr.function in LOGARITHMS
