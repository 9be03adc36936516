"""Exchanging quantities of an optimiser for others, by their roles: what the mistakes of updates are made of.

- `putting({role: other})` is a rule; `put` does it to a formula; `gradients(change)` is a change of whatever is taken for the gradient.
- `own(place, role)` is a quantity of the same parameter, `number_of(place, role)` a number such as μ.

The roles are those that models/optimisers.py gives: velocity, square, moment1 …, momentum, beta1 …
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handcalc.core.expr import Expr, Ref, add, mul, neg, rewrite
from handcalc.marking.mistakes.entry import Place, Rule

GRADIENTS = ("gradient", "clipped", "decayed")  # what an optimiser may be given as the gradient
AVERAGES = ("state.square", "state.moment1", "state.moment2", "state.steps")  # what adaptive rates carry on
FROM_GRADIENT = ("state.velocity", "state.square", "state.moment1", "state.moment2", "state.step", "change")

Put = Mapping[str, Expr | Callable[[Place, Ref], Expr]]


def put(place: Place, formula: Expr, changes: Put) -> Expr:
    """The formula with quantities exchanged, by their roles."""

    def change(node: Expr) -> Expr | None:
        if not isinstance(node, Ref):
            return None
        found = changes.get(place.role(node))
        return found if found is None or isinstance(found, Expr) else found(place, node)

    return rewrite(formula, change)


def putting(changes: Put, *optimisers: str) -> Rule:
    """A rule that exchanges quantities, with these optimisers or with any."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return put(place, formula, changes) if not optimisers or place.optimiser in optimisers else None

    return rule


def gradients(change: Expr | Callable[[Place, Ref], Expr]) -> Put:
    """The same for whatever an optimiser is given as the gradient."""
    return dict.fromkeys(GRADIENTS, change)


def own(place: Place, role: str) -> Ref | None:
    """A quantity of the same parameter."""
    of = place.quantity.of
    return place.at(place.graph.related(role, of.quantity), *place.own) if of else None


def number_of(place: Place, role: str) -> Ref:
    """A number of the optimiser."""
    return Ref(place.graph.in_layer(0, "hyper", role))


def negative(place: Place, ref: Ref) -> Expr:
    """−q"""
    return neg(ref)


def times_rate(place: Place, ref: Ref) -> Expr:
    """η·q"""
    return mul(place.rate, ref)


def step(place: Place, ref: Ref) -> Expr:
    """−η·q"""
    return neg(mul(place.rate, ref))


def with_decay(place: Place, ref: Ref) -> Expr:
    """g + λ·w, of the parameter at this place"""
    here = parameter(place)
    return ref if here is None else add(ref, mul(number_of(place, "weight_decay"), here))


def parameter(place: Place) -> Ref | None:
    """The parameter that the cell belongs to."""
    of = place.quantity.of
    return place.at(of.quantity, *place.own) if of else None
