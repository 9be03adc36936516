"""Readings of an expression at one place: `bind` writes a general formula out, `evaluate` gives an instance its value
(`compute` in another arithmetic: intervals, many hypotheses at once).

Binding and evaluating are the inner loops of the program, so the most frequent nodes are tested first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
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
    mul,
)
from handcalc.core.functions import NOISE, Function, function
from handcalc.core.index import Index, Position
from handcalc.core.record import Record

# --- binding: from the general formula to one cell's ------------------------------------------------------------------

Present = Callable[[str, tuple[int, ...]], bool]
Places = Callable[[Index, Expr, Mapping[str, int]], Iterable[int]]  # those of an index where the body of a sum can be something


def everywhere(index: Index, body: Expr, known: Mapping[str, int]) -> Iterable[int]:
    """All places of an index."""
    return index.axis.places


def bind(expr: Expr, indices: Mapping[str, int], present: Present, reached: Places = everywhere) -> Expr:
    """The instance of a general formula at concrete indices.

    Totals are written out term by term; a reference to a cell that does not exist (a missing edge, a place outside
    the range of a shifted index) is zero, so its term disappears. reached: the places that a total need not be written out without.
    """
    if type(expr) is Number:
        return expr
    if type(expr) is Ref:
        places = concrete(expr.indices, indices)
        return Ref(expr.quantity, places) if present(expr.quantity, places) else ZERO
    if type(expr) is Sum:
        return add(*[bind(term, indices, present, reached) for term in expr.terms])
    if type(expr) is Product:
        for factor in expr.factors:
            if type(factor) is Delta and bind(factor, indices, present, reached) is ZERO:
                return ZERO  # most windows do not have a place: the rest of their terms need not be written
        return mul(*[bind(factor, indices, present, reached) for factor in expr.factors])
    if isinstance(expr, Total):
        letter, inner = expr.index.letter, dict(indices)
        terms = []
        for place in reached(expr.index, expr.body, indices):
            inner[letter] = place
            terms.append(bind(expr.body, inner, present, reached))
        return add(*terms)
    if isinstance(expr, Entry):
        inner = dict(indices)
        arguments = []
        for place in expr.index.axis.places:
            inner[expr.index.letter] = place
            arguments.append(bind(expr.body, inner, present, reached))
        return Call(expr.function, tuple(arguments), _concrete(expr.at, indices))
    if isinstance(expr, Delta):
        return ONE if _concrete(expr.left, indices) == _concrete(expr.right, indices) else ZERO
    return REBUILD[type(expr)](expr, [bind(part, indices, present, reached) for part in children(expr)])


def concrete(positions: tuple[Position, ...], indices: Mapping[str, int]) -> tuple[int, ...]:
    """The places that positions are."""
    return tuple([indices[place.letter] if type(place) is Index else _concrete(place, indices) for place in positions])


def _concrete(place: Position, indices: Mapping[str, int]) -> int:
    if isinstance(place, int):
        return place
    if isinstance(place, Index):
        return indices[place.letter]
    found = place.constant
    for coefficient, index in place.terms:  # sum() of a generator takes twice the time
        found += coefficient * indices[index.letter]
    return found


# --- values -----------------------------------------------------------------------------------------------------------

LOGARITHMS = ("ln", "log", "log10", "log2")
EXACT_LIMIT = 2000  # digits of a fraction where fractions are asked for; beyond, floats go on
SHORT = 512  # bits of a fraction where they are not
Value = Any  # a float, or a Fraction where the problem is worked exactly
Lookup = Callable[[Ref], Value]


class Arithmetic(Record):
    """What an expression is computed in: numbers that add, multiply and divide by themselves, and what they cannot.

    number: the value of a literal; power: base and exponent; call: a function of values, `at` choosing the entry;
    settle: what a sum is where a function jumps, from its value and its terms: 0 where it is nothing but their noise.
    """

    number: Callable[[Number], Value]
    power: Callable[[Value, Value], Value]
    call: Callable[[Function, list[Value], int], Value]
    settle: Callable[[Value, list[Value]], Value] = lambda value, terms: value


def evaluate(expr: Expr, lookup: Lookup, exact: bool = False) -> Value:
    """The value of an instance: floats, or fractions with `exact`, as long as the functions used are rational.

    Raises ArithmeticError or ValueError where a function is not defined or overflows.
    """
    return compute(expr, lookup, FRACTIONS if exact else FLOATS)


def compute(expr: Expr, lookup: Lookup, numbers: Arithmetic) -> Value:
    """The value of an instance in any arithmetic."""
    if type(expr) is Ref:
        return lookup(expr)
    if type(expr) is Product:
        first, *others = expr.factors
        result = lookup(first) if type(first) is Ref else compute(first, lookup, numbers)
        for part in others:
            result = result * (lookup(part) if type(part) is Ref else compute(part, lookup, numbers))
        return result
    if type(expr) is Sum:
        first, *others = expr.terms
        result = lookup(first) if type(first) is Ref else compute(first, lookup, numbers)
        for part in others:
            result = result + (lookup(part) if type(part) is Ref else compute(part, lookup, numbers))
        return result
    return _COMPUTE[type(expr)](expr, lookup, numbers)


def _power(base: Value, exponent: Value) -> Value:
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


def short(value: Value) -> Value:
    """A fraction as it is while it is short, as a float beyond. Raises OverflowError where no float is as large."""
    return float(value) if value.numerator.bit_length() + value.denominator.bit_length() > SHORT else value


def _fraction(literal: Number) -> Value:
    from fractions import Fraction

    return Fraction(literal.numerator, literal.denominator)


def apply(record: Function, values: list[Value], at: int) -> Value:
    """A function's value; an int where the function answers one (step, sign)."""
    return record.value(values, at) if record.family else record.value(*values)


def _float_call(record: Function, values: list[Value], at: int) -> Value:
    result = apply(record, values, at)
    return float(result) if isinstance(result, int) else result


def _fraction_call(record: Function, values: list[Value], at: int) -> Value:
    result = apply(record, values, at)
    return _fraction(Number(result)) if isinstance(result, int) else result


def settled(value: Value, terms: Iterable[Value]) -> Value:
    """A sum of floats: 0 where it is nothing but the noise of its terms."""
    return 0.0 if abs(value) <= NOISE * max(map(abs, terms)) else value


def _settle(value: Value, terms: list[Value]) -> Value:
    return settled(value, terms) if isinstance(value, float) else value


FLOATS = Arithmetic(lambda literal: literal.numerator / literal.denominator, _power, _float_call, _settle)
FRACTIONS = Arithmetic(_fraction, _power, _fraction_call, _settle)


def _called(expr: Call, lookup: Lookup, numbers: Arithmetic) -> Value:
    record = function(expr.function)
    values = [compute(argument, lookup, numbers) for argument in expr.arguments]
    if record.jumps and type(expr.arguments[0]) is Sum:
        values[0] = numbers.settle(values[0], [compute(term, lookup, numbers) for term in expr.arguments[0].terms])
    return numbers.call(record, values, expr.at)


_COMPUTE: dict[type[Expr], Callable[[Any, Lookup, Arithmetic], Value]] = {
    Number: lambda e, lookup, numbers: numbers.number(e),
    Negation: lambda e, lookup, numbers: -compute(e.operand, lookup, numbers),
    Quotient: lambda e, lookup, numbers: compute(e.above, lookup, numbers) / compute(e.below, lookup, numbers),
    Power: lambda e, lookup, numbers: numbers.power(compute(e.base, lookup, numbers), compute(e.exponent, lookup, numbers)),
    Call: _called,
}
