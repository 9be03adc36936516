"""Mistakes of weight decay."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import MINUS_ONE, ZERO, Expr, Number, add, mul, neg, sub
from handcalc.marking.mistakes.entry import BIASES, Mistake, Place, Rule, Variant
from handcalc.marking.mistakes.exchanging import (
    FROM_GRADIENT,
    gradients,
    number_of,
    parameter,
    put,
    putting,
    with_decay,
)


def _decay_apart(amount: Callable[[Place], Expr]) -> Variant:
    """g = ∂E/∂w, and amount·w taken off in the update"""

    def apart(place: Place, formula: Expr) -> Expr | None:
        here = parameter(place)
        if here is None or formula == ZERO or not _decays(place):
            return None
        return add(put(place, formula, {"weight_decay": ZERO}), neg(mul(amount(place), here)))

    return {"state.decayed": decay_forgotten, "change": apart}


def _has_decay(place: Place) -> bool:
    return bool(place.graph.in_layer(0, "hyper", "weight_decay"))


def _decays(place: Place) -> bool:
    """Whether there is weight decay for this parameter."""
    bias = place.quantity.of is not None and place.graph[place.quantity.of.quantity].kind in BIASES
    return _has_decay(place) and (place.book.problem.conventions.bias_decay or not bias)


decay_forgotten = putting({"weight_decay": ZERO})  # g = ∂E/∂w


def _factor(factor: Number) -> Variant:
    """g = ∂E/∂w + factor·λ·w"""
    rule = putting({"weight_decay": lambda place, ref: mul(factor, ref)})
    return {"state.decayed": rule, "change": rule}


def _unless_the_same(variant: Variant) -> Variant:
    """Not with optimisers for which decay comes to the same inside the gradient and apart from it."""

    def limited(rule: Rule) -> Rule:
        return lambda place, formula: rule(place, formula) if place.optimiser not in ("sgd", "adamw") else None

    return {role: limited(rule) for role, rule in variant.items()}


def decay_in_gradient(place: Place, formula: Expr) -> Expr | None:
    """m = β·m + (1 − β)·(∂E/∂w + λ·w) where decay stands apart"""
    here = parameter(place)
    if place.optimiser != "adamw" or here is None or not _decays(place):
        return None
    if place.quantity.kind == "change":
        return put(place, formula, {"weight_decay": ZERO})
    return put(place, formula, gradients(with_decay))


def decay_of_bias(place: Place, formula: Expr) -> Expr | None:
    """g = ∂E/∂b + λ·b"""
    here = parameter(place)
    if (
        here is None
        or formula == ZERO
        or place.kind(here) not in BIASES
        or _decays(place)
        or not place.graph.in_layer(0, "hyper", "weight_decay")
    ):
        return None
    if place.optimiser == "adamw":
        return sub(formula, mul(place.rate, number_of(place, "weight_decay"), here)) if place.quantity.kind == "change" else None
    return put(place, formula, gradients(with_decay))


DECAY = (
    Mistake(
        "decay-forgotten",
        "Weight decay is forgotten",
        "The weight was updated as if there were no weight decay.\nλ·w belongs to the update of every weight.",
        ({"state.decayed": decay_forgotten, "change": decay_forgotten},),
    ),
    Mistake(
        "weight-decay-form",
        "Weight decay has the wrong factor or sign",
        "λ·w was taken twice, by half, with the other sign, or without the learning rate.\n"
        "It is added to the gradient, and like the gradient it is multiplied by η.",
        (_decay_apart(lambda place: number_of(place, "weight_decay")), _factor(Number(2)), _factor(Number(1, 2)), _factor(MINUS_ONE)),
    ),
    Mistake(
        "bias-decayed",
        "Weight decay is applied to a bias",
        "The bias was decayed as well.\nHere only the weights are.",
        (dict.fromkeys(FROM_GRADIENT, decay_of_bias),),
    ),
    Mistake(
        "decay-at-wrong-place",
        "Weight decay is taken at the wrong place",
        "λ·w was taken apart from the gradient, or put into it.\n"
        "It is part of the gradient that the optimiser sees; only AdamW takes it apart from the averages.",
        (
            _unless_the_same(_decay_apart(lambda place: mul(place.rate, number_of(place, "weight_decay")))),
            dict.fromkeys(("state.moment1", "state.moment2", "change"), decay_in_gradient),
        ),
    ),
)
