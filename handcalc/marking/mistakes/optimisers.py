"""Mistakes of optimisers: momentum, adaptive rates, and clipping; those of weight decay are in decay.py."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import MINUS_ONE, ONE, ZERO, Call, Expr, Negation, Number, Power, Ref, Sum, add, call, mul, neg, rewrite, sub, walk
from handcalc.marking.mistakes.decay import DECAY
from handcalc.marking.mistakes.entry import Mistake, Place, Variant
from handcalc.marking.mistakes.exchanging import (
    AVERAGES,
    GRADIENTS,
    gradients,
    negative,
    number_of,
    own,
    put,
    putting,
    step,
    times_rate,
)

# --- momentum ---------------------------------------------------------------------------------------------------------


def _form(place: Place) -> str:
    return place.book.problem.conventions.momentum_form


def _without_share(formula: Expr) -> Expr:
    """(1 − β)·g → g"""
    return rewrite(formula, lambda node: ONE if isinstance(node, Sum) and node.terms[0] == ONE and len(node.terms) == 2 else None)


def share_changed(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v + (1 − μ)·g where it is μ·v + g, and the other way round"""
    if _form(place) == "average" and place.optimiser == "momentum":
        return _without_share(formula)
    return put(place, formula, gradients(lambda place, ref: mul(sub(ONE, number_of(place, "momentum")), ref)))


def velocity_of_the_other_form(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v − η·g for v = μ·v + g, and the other way round"""
    if place.optimiser != "momentum":
        return None
    if _form(place) in ("textbook", "rate_inside"):
        return put(place, formula, {"rate": MINUS_ONE if _form(place) == "textbook" else ONE})
    return put(place, _without_share(formula), gradients(step))


def change_of_the_other_form(place: Place, formula: Expr) -> Expr | None:
    """Δw = v for Δw = −η·v, and the other way round"""
    if place.optimiser != "momentum":
        return None
    others = {"textbook": {"velocity": step}, "rate_inside": {"velocity": times_rate}}
    return put(place, formula, others.get(_form(place), {"rate": MINUS_ONE}))


def plain_step(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η·g for Δw = −η·v"""
    gradient = next((found for role in reversed(GRADIENTS) if (found := own(place, role))), None)
    return neg(mul(place.rate, gradient)) if gradient and own(place, "velocity") and formula != ZERO else None


def old_velocity(place: Place, formula: Expr) -> Expr | None:
    """Δw = −η·(old v)"""
    old = own(place, "old velocity")
    return put(place, formula, {"velocity": old}) if old and place.optimiser == "momentum" else None


def memory_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v = μ·0 + g"""
    return place.swap(formula, lambda ref: ZERO, "memory")


def rate_in_both(place: Place, formula: Expr) -> Expr | None:
    """v = μ·v + η·g and Δw = −η·v; as textbooks: v = μ·v − η·g and Δw = η·v; with the rate inside: v = μ·v + η·g and Δw = −η·v"""
    if _form(place) in ("textbook", "rate_inside"):
        return put(place, formula, {"velocity": times_rate}) if place.quantity.kind == "change" else None
    return put(place, formula, gradients(times_rate)) if place.quantity.kind == "state" else None


# --- adaptive rates ---------------------------------------------------------------------------------------------------


def epsilon_inside(place: Place, formula: Expr) -> Expr | None:
    """√(v + ε) for √v + ε"""

    def change(node: Expr) -> Expr | None:
        match node:
            case Sum((Call("sqrt", (inner,)), Ref() as epsilon)) if place.role(epsilon) == "epsilon":
                return call("sqrt", add(inner, epsilon))
        return None

    return rewrite(formula, change)


def root_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v + ε for √v + ε"""
    return rewrite(formula, lambda node: node.arguments[0] if isinstance(node, Call) and node.function == "sqrt" else None)


def square_forgotten(place: Place, formula: Expr) -> Expr | None:
    """v = β₂·v + (1 − β₂)·g"""
    return rewrite(formula, lambda node: node.base if isinstance(node, Power) else None)


def square_made_positive(place: Place, formula: Expr) -> Expr | None:
    """v = β₂·v + (1 − β₂)·|g|"""
    return rewrite(formula, lambda node: call("abs", node.base) if isinstance(node, Power) else None)


def shares_exchanged(place: Place, formula: Expr) -> Expr | None:
    """m = (1 − β₁)·m + β₁·g"""

    def other(node: Expr) -> Expr | None:
        match node:
            case Sum((Number(1, 1), Negation(Ref() as share))):
                return share
            case Ref() if place.kind(node) == "hyper":
                return sub(ONE, node)
        return None

    return rewrite(formula, other) if any(other(node) is not None for node in walk(formula) if isinstance(node, Sum)) else None


def share_forgotten(place: Place, formula: Expr) -> Expr | None:
    """m = β₁·m + g"""
    return _without_share(formula)


CORRECTED = {"corrected1": "moment1", "corrected2": "moment2"}  # average of Adam → the same before its correction


def uncorrected(place: Place, formula: Expr) -> Expr | None:
    """m̂ = m for m/(1 − β₁ⁿ)"""
    return own(place, CORRECTED[place.quantity.role])


def _other_beta(role: str) -> Callable[[Place, Ref], Expr]:
    return lambda place, ref: number_of(place, role)


EXCHANGED_BETAS = putting({"beta1": _other_beta("beta2"), "beta2": _other_beta("beta1")})


def _uncorrected(*roles: str) -> Variant:
    """Δw = −η·m/(√v + ε), or with one of the two"""

    def raw(place: Place, ref: Ref) -> Expr:
        return own(place, CORRECTED[place.role(ref)]) or ref

    return {"change": putting(dict.fromkeys(roles, raw)), **{f"state.{role}": uncorrected for role in roles}}


def _one_less(place: Place, ref: Ref) -> Expr:
    """n − 1, but at least 1"""
    return call("max", ONE, sub(ref, ONE))


# --- clipping ---------------------------------------------------------------------------------------------------------


def clipped_one_by_one(place: Place, formula: Expr) -> Expr | None:
    """max(−c, min(c, g)) for g·c/max(c, ‖g‖)"""
    gradient, limit = own(place, "gradient"), place.first(formula, "hyper")
    if gradient is None or limit is None or place.role(limit) != "clip_norm":
        return None
    return call("max", neg(limit), call("min", limit, gradient))


def not_ahead(place: Place, formula: Expr) -> Expr | None:
    """w for w + μ·v"""
    return formula.terms[0] if isinstance(formula, Sum) else None


def clipped_always(place: Place, formula: Expr) -> Expr | None:
    """g·c/‖g‖, however short g is"""
    limit = place.first(formula, "hyper")
    if limit is None or place.role(limit) != "clip_norm":
        return None
    return rewrite(formula, lambda node: node.arguments[1] if isinstance(node, Call) and node.function == "max" else None)


def clipping_forgotten(place: Place, formula: Expr) -> Expr | None:
    """g"""
    return own(place, "gradient")


OPTIMISERS = (
    Mistake(
        "momentum-form",
        "The velocity is put together in another way",
        "A sign, the factor 1 - μ or the learning rate is not as in the form of momentum that is asked.\n"
        "The old velocity is multiplied by μ, and the new gradient is added as the sheet writes it.",
        (
            {"state.velocity": putting({"old velocity": negative})},
            {"state.velocity": share_changed},
            {"state.velocity": velocity_of_the_other_form, "change": change_of_the_other_form},
            {"state.velocity": putting(gradients(negative))},
        ),
    ),
    Mistake(
        "velocity-forgotten",
        "The step is taken without the velocity",
        "The weight was moved by its gradient alone.\nWith momentum it is moved by the velocity.",
        ({"change": plain_step},),
    ),
    Mistake(
        "old-velocity-used",
        "The old velocity is used in the update",
        "The weight was moved by the velocity of the step before.\nFirst the velocity is updated; then the new one moves the weight.",
        ({"change": old_velocity},),
    ),
    Mistake(
        "look-ahead-forgotten",
        "Nesterov's look-ahead is forgotten",
        "The step is that of plain momentum.\nNesterov's step is made of the gradient and of μ times the new velocity.",
        ({"change": putting({**gradients(ZERO), "momentum": ONE}, "nesterov")},),
    ),
    Mistake(
        "gradient-not-ahead",
        "The gradient is taken where the weights are",
        "Everything was worked with the weights as they are.\n"
        "Nesterov's gradient is taken where the velocity will have led: first each weight goes on by μ times its old velocity.",
        ({"part.ahead": not_ahead},),
    ),
    Mistake(
        "memory-forgotten",
        "What the optimiser remembers is forgotten",
        "The velocity or the average began at 0 again.\nEvery iteration goes on with what the one before has left.",
        (dict.fromkeys(("state.velocity", *AVERAGES), memory_forgotten),),
    ),
    *DECAY,
    Mistake(
        "average-share-forgotten",
        "The factor 1 - β is forgotten in an average",
        "The new value was added as a whole.\nA running average takes β of the old value and 1 - β of the new one.",
        (dict.fromkeys(AVERAGES, share_forgotten), {"state.moment1": share_forgotten}, {"state.moment2": share_forgotten}),
    ),
    Mistake(
        "average-shares-exchanged",
        "β and 1 - β are exchanged in an average",
        "1 - β of the old value and β of the new one were taken.\nA running average takes β of the old value and 1 - β of the new one.",
        (dict.fromkeys(AVERAGES, shares_exchanged), {"state.moment1": shares_exchanged}, {"state.moment2": shares_exchanged}),
    ),
    Mistake(
        "square-forgotten",
        "The gradient is not squared in its average",
        "The gradient itself was put into the average of squares.\nThat average is made of g².",
        (dict.fromkeys(AVERAGES, square_forgotten), dict.fromkeys(AVERAGES, square_made_positive)),
    ),
    Mistake(
        "betas-exchanged",
        "β₁ and β₂ are exchanged",
        "The average of gradients was made with β₂, that of squares with β₁.\nβ₁ belongs to m, β₂ to v.",
        (
            dict.fromkeys(
                ("state.moment1", "state.moment2", "state.corrected1", "state.corrected2"),
                EXCHANGED_BETAS,
            ),
            dict.fromkeys(("state.moment1", "state.moment2"), EXCHANGED_BETAS),
        ),
    ),
    Mistake(
        "bias-correction-forgotten",
        "The correction of the averages is forgotten",
        "An average was used as it is.\nIt began at 0, so Adam divides it by 1 - βⁿ.",
        (_uncorrected("corrected1", "corrected2"), _uncorrected("corrected1"), _uncorrected("corrected2")),
    ),
    Mistake(
        "count-from-zero",
        "The iterations are counted from 0, or not at all",
        "The correction was that of the iteration before, or always of the first.\nThe first iteration has n = 1, the next n = 2.",
        (
            dict.fromkeys(("state.corrected1", "state.corrected2"), putting({"count": _one_less})),
            dict.fromkeys(("state.corrected1", "state.corrected2"), putting({"count": ONE})),
        ),
    ),
    Mistake(
        "root-forgotten",
        "The root of the squares is forgotten",
        "The step was divided by the squares themselves.\nIt is divided by their root.",
        ({"change": root_forgotten, "state.step": root_forgotten},),
    ),
    Mistake(
        "epsilon-inside-root",
        "ε is put under the root",
        "ε was added before the root was taken.\nThe divisor is the root, plus ε.",
        ({"change": epsilon_inside},),
    ),
    Mistake(
        "clipping-forgotten",
        "Clipping is forgotten",
        "The gradient was used as it is, although it is over the limit.\nIt is brought within the limit first.",
        ({"state.clipped": clipping_forgotten},),
    ),
    Mistake(
        "clipping-form",
        "The gradient is clipped in another way",
        "It was clipped number by number, or also where it is within the limit.\n"
        "Only if the norm of all gradients is over the limit, all of them are multiplied by limit/norm.",
        ({"state.clipped": clipped_one_by_one}, {"state.clipped": clipped_always}),
    ),
)
