"""The derivative of an expression with respect to one reference: one rule per node, in a table.

- `differentiate(expr, target)`; the slopes of functions are formulas in functions.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handcalc.core.expr import (
    ONE,
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
    call,
    delta,
    div,
    mul,
    neg,
    number,
    power,
    reindex,
    sub,
    total,
    walk,
)
from handcalc.core.functions import function, partial, put
from handcalc.core.index import Index, affine


def differentiate(expr: Expr, target: Ref) -> Expr:
    """∂expr/∂target, tidied lightly: exact literals folded, signs outward, nothing reordered.

    An index summed in `expr` and used by `target` is free in the result: it names the one term that is meant.
    """
    if expr == target:
        return ONE
    return _DERIVATIVE[type(expr)](expr, target)


def _product(expr: Product, target: Ref) -> Expr:
    terms = []
    for place, factor in enumerate(expr.factors):
        slope = differentiate(factor, target)
        terms.append(mul(*expr.factors[:place], slope, *expr.factors[place + 1 :]))
    return add(*terms)


def _quotient(expr: Quotient, target: Ref) -> Expr:
    above, below = differentiate(expr.above, target), differentiate(expr.below, target)
    first = div(above, expr.below)
    if below == ZERO:
        return first
    return sub(first, mul(div(expr.above, power(expr.below, number(2))), below))


def _power(expr: Power, target: Ref) -> Expr:
    base, exponent = differentiate(expr.base, target), differentiate(expr.exponent, target)
    terms = []
    if base != ZERO:
        lower = sub_one(expr.exponent)
        terms.append(mul(expr.exponent, power(expr.base, lower), base))
    if exponent != ZERO:
        terms.append(mul(expr, call("ln", expr.base), exponent))
    return add(*terms)


def sub_one(exponent: Expr) -> Expr:
    """n − 1, folded where n is a literal."""
    if isinstance(exponent, Number):
        return Number(exponent.numerator - exponent.denominator, exponent.denominator)
    return sub(exponent, ONE)


def _call(expr: Call, target: Ref) -> Expr:
    terms = []
    for place, argument in enumerate(expr.arguments):
        slope = differentiate(argument, target)
        if slope != ZERO:
            terms.append(mul(partial(expr.function, place, expr.arguments, expr), slope))
    return add(*terms)


def _total(expr: Total, target: Ref) -> Expr:
    slope = differentiate(expr.body, target)
    return slope if expr.index in letters_of(target) else total(expr.index, slope)


def _entry(expr: Entry, target: Ref) -> Expr:
    slope = differentiate(expr.body, target)
    if slope == ZERO:
        return ZERO
    record = function(expr.function)
    member = expr.replace(function=record.member, at=expr.index)
    # the summed index of the family now names member k; inside the family it is renamed
    taken = {index.letter for index in (*every_index(expr), *letters_of(target))}
    inner = Index(unused(expr.index.letter, taken), expr.index.axis)
    body = reindex(expr.body, {expr.index.letter: inner})
    yk = member.replace(index=inner, body=body)
    y = expr.replace(index=inner, body=body)
    same = delta(expr.at, expr.index) if expr.at != -1 else ZERO
    slope = mul(put(record.partials[0], {"y": y, "yk": yk, "same": same}), slope)
    return slope if expr.index in letters_of(target) else total(expr.index, slope)


_DERIVATIVE: dict[type[Expr], Callable[[Any, Ref], Expr]] = {
    Number: lambda e, target: ZERO,
    Ref: lambda e, target: ZERO,
    Delta: lambda e, target: ZERO,
    Sum: lambda e, target: add(*(differentiate(term, target) for term in e.terms)),
    Negation: lambda e, target: neg(differentiate(e.operand, target)),
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Total: _total,
    Entry: _entry,
}


def letters_of(reference: Ref) -> set[Index]:
    return {index for place in reference.indices for _, index in affine(place).terms}


def every_index(expr: Expr) -> list[Index]:
    """Every index of an expression, free or summed."""
    found: dict[Index, None] = {}
    for node in walk(expr):
        if isinstance(node, Ref):
            found |= dict.fromkeys(letters_of(node))
        elif isinstance(node, (Total, Entry)):
            found[node.index] = None
    return sorted(found, key=lambda index: index.letter)


def unused(letter: str, taken: set[str]) -> str:
    """The letter with as many primes as it takes to be a new one."""
    while letter in taken:
        letter += "'"
    return letter
