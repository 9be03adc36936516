"""Mistakes on the way back through equations that somebody typed: the same as at a neuron, with variables in the place of layers.

A gradient of a variable is the gradient of what it goes into, times a local derivative; where it goes into a function, y = f(z), that
derivative may be left out, or taken at another number.
"""

from __future__ import annotations

from handcalc.core.expr import Call, Expr, Product, Ref, mul, references
from handcalc.marking.mistakes.entry import Place


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
