"""The value of an instance: `evaluate`; `compute` in another arithmetic: intervals, many hypotheses at once.

Evaluating is an inner loop of the program, so the most frequent nodes are tested first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum
from handcalc.core.functions import NOISE, Function, function
from handcalc.core.record import Record

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
