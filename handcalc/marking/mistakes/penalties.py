"""Mistakes with penalties in the loss (regularisation): left out, with another factor, or with the biases in it."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import MINUS_ONE, ONE, ZERO, Call, Expr, Number, Ref, add, mul, rewrite
from handcalc.marking.mistakes.entry import BIASES, Mistake, Place, Rule, Variant
from handcalc.models.penalties import PENALTIES, amount, slope
from handcalc.problem.words import PENALTY_FORMS

GRADIENTS = ("grad.weight", "grad.bias", "reduced")


def _without(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂w = ∂E_data/∂w, E = E_data: without what penalties add"""

    def left_out(node: Expr) -> Expr | None:
        return ZERO if isinstance(node, Ref) and (place.role(node) in PENALTIES or place.is_penalty_path(node)) else None

    found = rewrite(formula, left_out)
    return None if found == formula else found


def _times(number: Number | None) -> Rule:
    """A rule that multiplies by a number; None stands for the number of samples, where λ is divided by it, else for one by it."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        factor = _samples(place) if number is None else number
        return None if factor == ONE else mul(factor, formula)

    return rule


def _samples(place: Place) -> Number:
    """m where λ is divided by it, 1/m where it is not: λ for λ/m, or λ/m for λ"""
    chosen = place.book.problem.regularization
    assert chosen is not None
    return Number(chosen.samples) if PENALTY_FORMS[chosen.form].averaged else Number(1, chosen.samples)


def _factors() -> tuple[Variant, ...]:
    """Twice, half, m times, the other sign: in the gradient, in the loss, or in both."""
    found: list[Variant] = []
    for rule in (_times(Number(2)), _times(Number(1, 2)), _times(None)):
        found += [{"path.penalty": rule}, {"penalty": rule, "path.penalty": rule}, {"penalty": rule}]
    return (*found, {"path.penalty": _times(MINUS_ONE)})


def _bias_in_gradient(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂b with λ·b, or without it where biases are in the penalty; it is added once, not for every sample"""
    of, problem = place.quantity.of, place.book.problem
    if of is None or place.graph[of.quantity].kind not in BIASES or problem.regularization is None or place.sample:
        return None
    if problem.regularization.biases:
        return _without(place, formula)
    bias = place.at(of.quantity, *place.own)
    return add(formula, *(slope(place.graph, problem.regularization, role, bias) for role in _roles(place))) if bias else None


def _bias_in_penalty(place: Place, formula: Expr) -> Expr | None:
    """Σw² with the squares of the biases, or without them where they are in it"""
    graph, chosen = place.graph, place.book.problem.regularization
    assert chosen is not None
    if chosen.biases:
        return place.swap(formula, lambda ref: ZERO, *BIASES)
    role = place.quantity.role
    biases = [Ref(bias.name, at) for bias in graph if bias.kind in BIASES and bias.of is None for at in graph.positions(bias.name)]
    return add(formula, amount(graph, chosen, role, add(*map(PENALTIES[role].of, biases)))) if biases else None


def _roles(place: Place) -> list[str]:
    """The penalties there are."""
    return [role for role in PENALTIES if place.graph.in_layer(0, "loss", role)]


def _slope_of_size(slope: Callable[[Expr], Expr]) -> Rule:
    """λ or λ·w for λ·sign(w)"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(node: Expr) -> Expr | None:
            return slope(node.arguments[0]) if isinstance(node, Call) and node.function == "sign" else None

        found = rewrite(formula, change)
        return None if found == formula else found

    return rule


REGULARISATION = (
    Mistake(
        "penalty-not-in-gradient",
        "The penalty is forgotten in the gradient",
        "The gradient was taken of the data alone.\nWhat the penalty adds, such as λ·w, belongs to ∂E/∂w of every weight in it.",
        (dict.fromkeys(GRADIENTS, _without),),
    ),
    Mistake(
        "penalty-not-in-loss",
        "The penalty is forgotten in the loss",
        "The error of the data was given as the whole loss.\nThe loss is the error of the data and the penalty.",
        ({"penalised": _without},),
    ),
    Mistake(
        "penalty-factor",
        "The penalty has the wrong factor or sign",
        "Its factor was doubled or halved, the number of samples forgotten or put in, or it was subtracted.\n"
        "The sheet says what stands before the sum: λ, λ/2, λ/m or λ/(2m). The derivative of w² is 2w.",
        _factors(),
    ),
    Mistake(
        "bias-in-penalty",
        "The biases are treated against the sheet's rule in the penalty",
        "Biases were penalised although they are not in the sum, or left out although they are.\nThe sheet says what the sum runs over.",
        ({"penalty": _bias_in_penalty, **dict.fromkeys(("grad.bias", "reduced"), _bias_in_gradient)},),
    ),
    Mistake(
        "slope-of-absolute-value",
        "The slope of |w| is not taken as its sign",
        "λ or λ·w was added to the gradient.\nThe slope of |w| is 1 above 0 and -1 below: the L1 penalty adds λ·sign(w).",
        ({"path.penalty": _slope_of_size(lambda weight: ONE)}, {"path.penalty": _slope_of_size(lambda weight: weight)}),
    ),
)
