"""Mistakes in equations that somebody typed: the same as at a neuron, with variables in the place of layers.

On the way there a function, a sign before its argument or a divisor may be left out or be another one, in every equation that has it; on
a single line that is a slip (anyline.py). On the way back the gradient of a variable is the gradient of what it goes into, times a local
derivative; where it goes into a function, y = f(z), that derivative may be left out, or taken at another number.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum, call, div, mul, references, rewrite
from handcalc.marking.mistakes.entry import Place, Variant
from handcalc.marking.wronglines import OTHERS

Changed = Callable[[Expr], Expr | None]


def _everywhere(changed: Changed) -> Variant:
    """Every part of an equation that is changed."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        found = rewrite(formula, changed)
        return found if found != formula else None

    return {"variable": rule}


def _left_out(function: str) -> Changed:
    """z for f(z)"""
    return lambda node: node.arguments[0] if isinstance(node, Call) and node.function == function else None


def _exchanged(function: str, other: str) -> Changed:
    """g(z) for f(z)"""
    return lambda node: call(other, *node.arguments) if isinstance(node, Call) and node.function == function else None


def _sign_of_argument(node: Expr) -> Expr | None:
    """f(z) for f(−z)"""
    match node:
        case Call(function, (Negation(argument),)):
            return call(function, argument)
    return None


def _without_root(node: Expr) -> Expr | None:
    """a for a/√n"""
    return node.above if isinstance(node, Quotient) and isinstance(node.below, Call) and not references(node.below) else None


def _one_less(node: Expr) -> Expr | None:
    """Σ(x − m)²/(n − 1) for Σ(x − m)²/n"""
    match node:
        case Quotient(Sum(terms) as squares, Number(count, 1)) if count == len(terms) > 1 and all(isinstance(one, Power) for one in terms):
            return div(squares, Number(count - 1))
    return None


LEFT_OUT = tuple(_everywhere(_left_out(function)) for function in ("exp", "sigmoid", "tanh", "sqrt", "ln"))
TAKEN = tuple((function, other) for function, others in OTHERS.items() for other in others)
EXCHANGED = tuple(_everywhere(_exchanged(*pair)) for pair in (*TAKEN, ("max", "min"), ("min", "max")))
SIGNS = (_everywhere(_sign_of_argument),)
DIVISORS = (_everywhere(_without_root),)
COUNTS = (_everywhere(_one_less),)


def _value_of(place: Place, formula: Expr) -> Ref | None:
    """The variable y = f(z) that the variable z of this gradient goes into, where the gradient's formula has it or f alone."""
    of = place.quantity.of
    if place.book.problem.layers or of is None:
        return None
    gradient = place.first(formula, "gradient")
    through = place.graph[gradient.quantity].of if gradient else None
    if through is None or gradient is None:
        return None
    found = Ref(through.quantity, gradient.places)
    made = place.formula(found) if place.graph.given_value((found.quantity, found.places)) is None else None
    return found if isinstance(made, Call) and any(ref.quantity == of.quantity for ref in references(made)) else None


def slope_at_argument(place: Place, formula: Expr) -> Expr | None:
    """f'(z) written with z for y"""
    value, of = _value_of(place, formula), place.quantity.of
    if value is None or of is None:
        return None
    return place.swap(formula, lambda ref: Ref(of.quantity, place.own) if ref == value else None, place.kind(value))


def slope_forgotten(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂z = ∂E/∂y"""
    if _value_of(place, formula) is None or not isinstance(formula, Product):
        return None
    return mul(*(factor for factor in formula.factors if isinstance(factor, Ref) and place.kind(factor) == "gradient"))
