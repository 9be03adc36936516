"""Readings of an expression at one place: `bind` writes a general formula out, `evaluate` gives an instance its value.

Binding and evaluating are the inner loops of the program, so the most frequent nodes are tested first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handcalc.core.expr import (
    ONE,
    REBUILD,
    ZERO,
    Call,
    Delta,
    Entry,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Total,
    add,
    children,
)
from handcalc.core.functions import function
from handcalc.core.index import Index, Position

# --- binding: from the general formula to one cell's ------------------------------------------------------------------

Present = Callable[[str, tuple[int, ...]], bool]


def bind(expr: Expr, indices: Mapping[str, int], present: Present) -> Expr:
    """The instance of a general formula at concrete indices.

    Totals are written out term by term; a reference to a cell that does not exist (a missing edge, a place outside
    the range of a shifted index) is zero, so its term disappears.
    """
    kind = type(expr)
    if kind is Number:
        return expr
    if kind is Ref:
        places = tuple([_concrete(place, indices) for place in expr.indices])  # type: ignore[attr-defined]
        name = expr.quantity  # type: ignore[attr-defined]
        return Ref(name, places) if present(name, places) else ZERO
    if isinstance(expr, Total):
        letter, inner = expr.index.letter, dict(indices)
        terms = []
        for place in range(expr.index.axis.size):
            inner[letter] = place
            terms.append(bind(expr.body, inner, present))
        return add(*terms)
    if isinstance(expr, Entry):
        inner = dict(indices)
        arguments = []
        for place in range(expr.index.axis.size):
            inner[expr.index.letter] = place
            arguments.append(bind(expr.body, inner, present))
        return Call(expr.function, tuple(arguments), _concrete(expr.at, indices))
    if isinstance(expr, Delta):
        return ONE if _concrete(expr.left, indices) == _concrete(expr.right, indices) else ZERO
    return REBUILD[kind](expr, [bind(part, indices, present) for part in children(expr)])


def _concrete(place: Position, indices: Mapping[str, int]) -> int:
    if isinstance(place, int):
        return place
    if isinstance(place, Index):
        return indices[place.letter]
    return place.constant + sum(coefficient * indices[index.letter] for coefficient, index in place.terms)


# --- values -----------------------------------------------------------------------------------------------------------

EXACT_LIMIT = 2000  # digits of a fraction; beyond, floats go on
Value = Any  # a float, or a Fraction where the problem is worked exactly
Lookup = Callable[[Ref], Value]


def evaluate(expr: Expr, lookup: Lookup, exact: bool = False) -> Value:
    """The value of an instance: floats, or fractions with `exact`, as long as the functions used are rational.

    Raises ArithmeticError or ValueError where a function is not defined or overflows.
    """
    kind = type(expr)
    if kind is Ref:
        return lookup(expr)  # type: ignore[arg-type]
    if kind is Product:
        result = evaluate(expr.factors[0], lookup, exact)  # type: ignore[attr-defined]
        for factor in expr.factors[1:]:  # type: ignore[attr-defined]
            result = result * evaluate(factor, lookup, exact)
        return result
    if kind is Sum:
        result = evaluate(expr.terms[0], lookup, exact)  # type: ignore[attr-defined]
        for term in expr.terms[1:]:  # type: ignore[attr-defined]
            result = result + evaluate(term, lookup, exact)
        return result
    return _EVALUATE[kind](expr, lookup, exact)


def _number_value(expr: Number, lookup: Lookup, exact: bool) -> Value:
    if exact:
        from fractions import Fraction

        return Fraction(expr.numerator, expr.denominator)
    return expr.numerator / expr.denominator


def _power_value(expr: Power, lookup: Lookup, exact: bool) -> Value:
    base, exponent = evaluate(expr.base, lookup, exact), evaluate(expr.exponent, lookup, exact)
    if base == 0 and exponent < 0:
        raise ZeroDivisionError("0 to a negative power")
    if not isinstance(base, float):
        base = shorter(base, abs(exponent))
    result = base ** (int(exponent) if exponent == int(exponent) and abs(exponent) < 1000 else exponent)
    if isinstance(result, complex):
        raise ValueError("a negative number to a broken power")
    return result


def shorter(value: Value, times: Value = 1) -> Value:
    """An exact value, as a float once writing it (so many times over) would take more than EXACT_LIMIT digits.

    Raises OverflowError where no float is as large.
    """
    number = float(value)
    size = max(int(value.numerator).bit_length(), int(value.denominator).bit_length())
    return number if size * times > 3.3 * EXACT_LIMIT else value


def _call_value(expr: Call, lookup: Lookup, exact: bool) -> Value:
    record = function(expr.function)
    values = [evaluate(argument, lookup, exact) for argument in expr.arguments]
    result = record.value(values, expr.at) if record.family else record.value(*values)
    return _number_value(Number(result), lookup, exact) if isinstance(result, int) else result


_EVALUATE: dict[type[Expr], Callable[[Any, Lookup, bool], Value]] = {
    Number: _number_value,
    Negation: lambda e, lookup, exact: -evaluate(e.operand, lookup, exact),
    Quotient: lambda e, lookup, exact: evaluate(e.above, lookup, exact) / evaluate(e.below, lookup, exact),
    Power: _power_value,
    Call: _call_value,
}
