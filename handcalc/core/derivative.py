"""The derivative of an expression with respect to one reference: one rule per node, in a table.

- `differentiate(expr, target)`; the slopes of functions are formulas in functions.py.
- `RAW` instead of `TIDY` gives the derivative as the rules give it, ½·2·(t − o)·(−1): the line before the tidy one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handcalc.core.definitions import partial, put
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
    power,
    reindex,
    sub,
    total,
    walk,
)
from handcalc.core.functions import function
from handcalc.core.index import Index, affine, unused
from handcalc.core.record import Record


class Build(Record):
    """The constructors that results are made with."""

    add: Callable[..., Expr]
    mul: Callable[..., Expr]
    neg: Callable[[Expr], Expr]
    div: Callable[[Expr, Expr], Expr]
    power: Callable[[Expr, Expr], Expr]


def _raw_sum(*terms: Expr) -> Expr:
    kept = tuple(term for term in terms if term != ZERO)
    return ZERO if not kept else kept[0] if len(kept) == 1 else Sum(kept)


def _raw_product(*factors: Expr) -> Expr:
    if ZERO in factors:
        return ZERO
    flat = [part for factor in factors for part in (factor.factors if isinstance(factor, Product) else (factor,))]
    kept = tuple(factor for factor in flat if factor != ONE)
    return ONE if not kept else kept[0] if len(kept) == 1 else Product(kept)


TIDY = Build(add, mul, neg, div, power)  # exact literals folded, signs outward, nothing reordered
# as the rules give it
RAW = Build(_raw_sum, _raw_product, neg, lambda above, below: ZERO if above == ZERO else Quotient(above, below), power)


def differentiate(expr: Expr, target: Ref, build: Build = TIDY) -> Expr:
    """∂expr/∂target.

    An index summed in `expr` and used by `target` is free in the result: it names the one term that is meant.
    """
    if expr == target:
        return ONE
    return _DERIVATIVE[type(expr)](expr, target, build)


def _product(expr: Product, target: Ref, build: Build) -> Expr:
    terms = []
    for place, factor in enumerate(expr.factors):
        slope = differentiate(factor, target, build)
        terms.append(build.mul(*expr.factors[:place], slope, *expr.factors[place + 1 :]))
    return build.add(*terms)


def _quotient(expr: Quotient, target: Ref, build: Build) -> Expr:
    above, below = differentiate(expr.above, target, build), differentiate(expr.below, target, build)
    first = build.div(above, expr.below)
    if below == ZERO:
        return first
    return build.add(first, build.neg(build.mul(build.div(expr.above, build.power(expr.below, Number(2))), below)))


def _power(expr: Power, target: Ref, build: Build) -> Expr:
    base, exponent = differentiate(expr.base, target, build), differentiate(expr.exponent, target, build)
    terms = []
    if base != ZERO:
        terms.append(build.mul(expr.exponent, build.power(expr.base, _less_one(expr.exponent)), base))
    if exponent != ZERO:
        terms.append(build.mul(expr, call("ln", expr.base), exponent))
    return build.add(*terms)


def _less_one(exponent: Expr) -> Expr:
    """n − 1, folded where n is a literal."""
    if isinstance(exponent, Negation) and isinstance(exponent.operand, Number):
        exponent = neg(exponent.operand)
    if isinstance(exponent, Number):
        return Number(exponent.numerator - exponent.denominator, exponent.denominator)
    return sub(exponent, ONE)


def _call(expr: Call, target: Ref, build: Build) -> Expr:
    if function(expr.function).family:
        return _family(expr, target, build)
    terms = []
    for place, argument in enumerate(expr.arguments):
        slope = differentiate(argument, target, build)
        if slope != ZERO:
            terms.append(build.mul(partial(expr.function, place, expr.arguments, expr), slope))
    return build.add(*terms)


def _family(expr: Call, target: Ref, build: Build) -> Expr:
    """A function of a family written out: Σ_k ∂f/∂member k · ∂member k/∂target."""
    record = function(expr.function)
    terms = []
    for place, argument in enumerate(expr.arguments):
        slope = differentiate(argument, target, build)
        if slope != ZERO:
            member = expr.replace(function=record.member, at=place)
            values = {"y": expr, "yk": member, "same": ONE if place == expr.at else ZERO}
            terms.append(build.mul(put(record.partials[0], values), slope))
    return build.add(*terms)


def _total(expr: Total, target: Ref, build: Build) -> Expr:
    slope = differentiate(expr.body, target, build)
    return slope if expr.index in letters_of(target) else total(expr.index, slope)


def _entry(expr: Entry, target: Ref, build: Build) -> Expr:
    slope = differentiate(expr.body, target, build)
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
    slope = build.mul(put(record.partials[0], {"y": y, "yk": yk, "same": same}), slope)
    return slope if expr.index in letters_of(target) else total(expr.index, slope)


_DERIVATIVE: dict[type[Expr], Callable[[Any, Ref, Build], Expr]] = {
    Number: lambda e, target, build: ZERO,
    Ref: lambda e, target, build: ZERO,
    Delta: lambda e, target, build: ZERO,
    Sum: lambda e, target, build: build.add(*(differentiate(term, target, build) for term in e.terms)),
    Negation: lambda e, target, build: build.neg(differentiate(e.operand, target, build)),
    Product: _product,
    Quotient: _quotient,
    Power: _power,
    Call: _call,
    Total: _total,
    Entry: _entry,
}


def letters_of(reference: Ref) -> set[Index]:
    """The indices a reference uses."""
    terms = (((1, place),) if isinstance(place, Index) else affine(place).terms for place in reference.indices)
    return {index for part in terms for _, index in part}


def every_index(expr: Expr) -> list[Index]:
    """Every index of an expression, free or summed."""
    found: dict[Index, None] = {}
    for node in walk(expr):
        if isinstance(node, Ref):
            found |= dict.fromkeys(letters_of(node))
        elif isinstance(node, (Total, Entry)):
            found[node.index] = None
    return sorted(found, key=lambda index: index.letter)
