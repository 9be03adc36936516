"""Sums that decide where a function jumps: 0.3 + 0.1 - 0.4 is 0 on paper, and a program must see it so.

- `decisive(graph)` names the quantities whose noise is taken from them: what jumping functions are given, and where there are such,
  updated parameters.
- `positive(formula)` is how large the terms of a sum are together, as a formula.
- `without_noise(array, size)` puts 0 where a number is nothing but the noise of its terms.

An evaluation needs none of this as long as it has fractions (core/evaluation.py); programs have floats only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from handcalc.core.expr import Call, Expr, Negation, Number, Product, Sum, Total, add, mul, references, total, walk
from handcalc.core.functions import NOISE, SMALL, function
from handcalc.core.graph import Graph


def decisive(graph: Graph, updated: Iterable[str] = ()) -> frozenset[str]:
    """The quantities whose sums decide."""
    calls = [
        node
        for quantity in graph
        for formula in quantity.formulas
        for node in walk(formula)
        if isinstance(node, Call) and function(node.function).jumps
    ]
    found = {reference.quantity for call in calls for argument in call.arguments for reference in references(argument)}
    return frozenset(found | {*updated} if found else ())


def positive(formula: Expr) -> Expr:
    """The formula with every term positive."""
    match formula:
        case Number():
            return Number(abs(formula.numerator), formula.denominator)
        case Negation(operand):
            return positive(operand)
        case Sum(terms):
            return add(*map(positive, terms))
        case Product(factors):
            return mul(*map(positive, factors))
        case Total(index, body):
            return total(index, positive(body))
    return Call("abs", (formula,))


def without_noise(array: Any, size: Callable[[], Any], bound: Callable[[], float]) -> Any:
    """Zeros where numbers are noise; size: that of their terms, asked for only where there are such small ones; bound: what no size is
    above but for rounding."""
    import numpy

    sizes = abs(array)
    small = sizes[(sizes < SMALL) & (array != 0)]
    if not small.size or small.min() > 2 * NOISE * bound():
        return array
    return numpy.where(sizes <= NOISE * size(), 0.0, array)
