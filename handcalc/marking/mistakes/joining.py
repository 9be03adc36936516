"""Mistakes where two outputs are multiplied number by number: gates."""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import Expr, Product, Ref, references
from handcalc.marking.mistakes.entry import Mistake, Place, Rule


def _factor(number: int) -> Rule:
    """out = x for out = x·y"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return formula.factors[number] if place.type == "multiply" and isinstance(formula, Product) and len(formula.factors) == 2 else None

    return rule


def own_factor(place: Place, formula: Expr) -> Expr | None:
    """∂(x·y)/∂x = x"""
    of = place.quantity.of
    if of is None or not any(place.type_of(place.graph[ref.quantity].layer) == "multiply" for ref in _gradients(place, formula)):
        return None
    return place.swap(formula, lambda ref: Ref(of.quantity, place.cell[1]), "out", "input")


def _gradients(place: Place, formula: Expr) -> Iterator[Ref]:
    """The gradients of outputs that a formula uses."""
    return (ref for ref in references(formula) if place.graph[ref.quantity].kind == "gradient")


GATES = (
    Mistake(
        "gate-forgotten",
        "One factor of a product is left out",
        "Only one of the two outputs went on.\nEvery number is the product of both, the gate and what goes through it.",
        ({"out": _factor(0)}, {"out": _factor(1)}),
    ),
    Mistake(
        "own-factor-sent-back",
        "The derivative of a product is taken to be the factor itself",
        "The error was multiplied by the factor that it goes back to.\nIt is multiplied by the other one: the derivative of x·y by x is y.",
        ({"grad.out": own_factor},),
    ),
)
