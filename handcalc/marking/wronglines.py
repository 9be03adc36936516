"""Lines worked wrong, as formulas: `variants(expr)` yields (slug, formula) of every slip in one.

A term or factor too many or too few, another sign, a bracket in a wrong place; `stages(…)` are lines in which a number was taken a step
too early, `partners(…)` those with the wrong factor of a product's slope, `exchanges(…)` those in which two numbers stand in each other's
place. To add one: here, with its share in slipnumbers.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from handcalc.core.definitions import partial
from handcalc.core.expr import (
    ONE,
    Call,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    add,
    call,
    div,
    mul,
    neg,
    power,
    references,
    rewrite,
    sub,
    walk,
)
from handcalc.core.quantity import Cell, cell

Lines = Iterator[tuple[str, Expr]]
HALF = Number(1, 2)
# function → those that are taken for it
OTHERS = {
    "sigmoid": ("tanh", "exp"), "tanh": ("sigmoid", "tan"), "ln": ("log10", "log2"), "log": ("log10", "log2"),
    "sin": ("cos",), "cos": ("sin",),
}  # fmt: skip
ANGLES = ("sin", "cos", "tan")
SLOPED = ("sigmoid", "tanh", "bipolar_sigmoid")  # functions whose slopes are worked from their values
DEGREE = div(call("pi"), Number(180))  # where the calculator is set to degrees
SHORT = 8  # numbers of a line in which two may be exchanged


def variants(expr: Expr) -> Lines:
    """(slug, formula) of every slip on a line: in each of its sums, products, quotients and powers."""
    nodes = [*walk(expr)]
    for node in dict.fromkeys(nodes):
        for slug, other in _slips_of(node):
            yield slug, rewrite(expr, lambda part: other if part == node else None)  # noqa: B023
    yield from (("constant-wrong", mul(factor, expr)) for factor in (Number(2), HALF, Number(-2), neg(HALF)))
    for term in _repeated(part for node in nodes if isinstance(node, Sum) for part in node.terms):
        yield "term-left-out", rewrite(expr, lambda part: _without(part, term))  # noqa: B023


def _repeated(parts: Iterable[Expr]) -> list[Expr]:
    """What stands in several sums, as the mean in every square of a variance."""
    return [part for part, count in Counter(parts).items() if count > 1]


def _without(node: Expr, term: Expr) -> Expr | None:
    kept = tuple(part for part in node.terms if part != term) if isinstance(node, Sum) else ()
    return add(*kept) if isinstance(node, Sum) and len(kept) < len(node.terms) else None


def _slips_of(node: Expr) -> Lines:
    yield from (("slope-exchanged", other) for other in _slopes(node))
    if isinstance(node, Sum):
        if len(node.terms) > 2:
            yield from (("one-term-only", term) for term in node.terms)
        for place, term in enumerate(node.terms):
            rest = (*node.terms[:place], *node.terms[place + 1 :])
            yield "term-left-out", add(*rest)
            yield "term-twice", add(*node.terms, term)
            yield "constant-wrong", add(*node.terms[:place], mul(HALF, term), *node.terms[place + 1 :])
            yield "sign-in-sum", add(*node.terms[:place], neg(term), *node.terms[place + 1 :])
            if isinstance(term, Product) and place + 1 < len(node.terms):
                inside = add(term.factors[-1], *node.terms[place + 1 :])
                yield "bracket-misplaced", add(*node.terms[:place], mul(*term.factors[:-1], inside))
    elif isinstance(node, Product):
        yield from _products(node)
    elif isinstance(node, Quotient):
        yield "factor-left-out", node.above
        yield "factor-left-out", div(ONE, node.below)
        yield "factor-twice", div(node.above, mul(node.below, node.below))
        if isinstance(node.above, Sum):
            yield "bracket-misplaced", add(*node.above.terms[:-1], div(node.above.terms[-1], node.below))
    elif isinstance(node, Call) and node.function in ("max", "min") and len(node.arguments) > 1:
        yield "function-exchanged", call("min" if node.function == "max" else "max", *node.arguments)
        yield "function-exchanged", div(add(*node.arguments), Number(len(node.arguments)))
    elif isinstance(node, Call) and len(node.arguments) == 1:
        (argument,) = node.arguments
        yield "function-left-out", argument
        if isinstance(argument, Negation):
            yield "sign-in-sum", call(node.function, argument.operand)
        if isinstance(argument, Sum):
            yield "bracket-misplaced", add(call(node.function, add(*argument.terms[:-1])), argument.terms[-1])
        yield from (("function-exchanged", call(other, argument)) for other in OTHERS.get(node.function, ()))
        if node.function in ANGLES:
            yield "function-exchanged", call(node.function, mul(DEGREE, argument))
    elif isinstance(node, Power):
        yield from (("factor-left-out", other) for other in (node.base, neg(node.base)))
        if isinstance(node.base, Sum):
            *first, last = node.base.terms
            alone = neg(power(last.operand, node.exponent)) if isinstance(last, Negation) else power(last, node.exponent)
            yield "bracket-misplaced", add(*first, alone)
            yield "bracket-misplaced", add(*(power(term, node.exponent) for term in node.base.terms))


def _slopes(node: Expr) -> Iterator[Expr]:
    """The slope of a function, as it is written with its own value y, exchanged for those of the others, and for y² and 1 - y."""
    used = references(node) if isinstance(node, (Product, Sum, Quotient)) else ()
    if len(used) == 1:
        y = used[0]
        slopes = slopes_of(y)
        if node in slopes:
            yield from (slope for slope in (*slopes, power(y, Number(2)), sub(ONE, y)) if slope != node)


def slopes_of(y: Ref) -> list[Expr]:
    """The slopes of the functions that are taken for each other, each at its value y."""
    return [partial(name, 0, (y,), y) for name in SLOPED]


def _products(node: Product) -> Lines:
    """A factor too many or too few, and a·(b + c) as a·b + c."""
    for place, factor in enumerate(node.factors):
        before, after = node.factors[:place], node.factors[place + 1 :]
        yield "factor-left-out", mul(*before, *after)
        if isinstance(factor, Ref):
            yield "complement-used", mul(*before, sub(ONE, factor), *after)
        if not isinstance(factor, Number):
            yield "factor-twice", mul(*node.factors, factor)
        elif factor.numerator == 1 and factor.denominator > 2:  # 1/n
            counts = (factor.denominator - 1, factor.denominator + 1)
            yield from (("constant-wrong", mul(*before, Number(1, count), *after)) for count in counts)
        if isinstance(factor, Sum):
            yield from (("one-term-only", term) for term in factor.terms if len(factor.terms) > 2)
            first, *middle, last = factor.terms
            yield "bracket-misplaced", add(mul(*before, first), *middle, mul(last, *after))


def stages(expr: Expr, uses: Callable[[Cell], tuple[Cell, ...]], kind: Callable[[Cell], str]) -> Lines:
    """The line with what a number is made from in its place: net for out, the error for δ; one number, or all of its quantity."""
    earlier: dict[tuple[str, str], dict[Ref, Expr]] = {}  # of a quantity, and the one in its place
    for ref in references(expr):
        for name, place in uses(cell(ref)):
            if kind((name, place)) != kind(cell(ref)) and place[-1:] == cell(ref)[1][-1:]:
                earlier.setdefault((ref.quantity, name), {})[ref] = Ref(name, place)
    for alike in earlier.values():
        for ref, other in alike.items():
            yield "step-left-out", with_others(expr, {ref: other})
        if len(alike) > 1:
            yield "step-left-out", with_others(expr, alike)


def partners(expr: Expr, own: Ref) -> Lines:
    """The line of a gradient with what it is the gradient of in the place of one of its numbers: δ·w for δ·x."""
    for ref in references(expr):
        if ref != own:
            yield "own-factor-used", with_others(expr, {ref: own})


def exchanges(expr: Expr, given: Callable[[Cell], bool]) -> Lines:
    """The line with two of its numbers in each other's place; of one quantity only given ones, since the others are `crossed`."""
    used = references(expr)
    for place, first in enumerate(used if len(used) <= SHORT else ()):
        for second in used[place + 1 :]:
            miscopied = given(cell(first)) and given(cell(second))
            if miscopied or first.quantity != second.quantity:
                slug = "value-miscopied" if miscopied else "numbers-exchanged"
                yield slug, with_others(expr, {first: second, second: first})


def with_others(expr: Expr, others: Mapping[Ref, Expr]) -> Expr:
    """A line with other numbers in the place of some."""
    return rewrite(expr, lambda node: others.get(node) if isinstance(node, Ref) else None)
