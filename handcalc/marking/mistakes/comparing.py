"""Mistakes in losses that compare distributions or directions: smoothed targets, weights of classes, divergence, cosine."""

from __future__ import annotations

from handcalc.core.expr import ONE, Call, Expr, Negation, Product, Quotient, Ref, Sum, add, call, mul, neg, rewrite
from handcalc.marking.mistakes.entry import Mistake, Place, Rule


def not_smoothed(place: Place, formula: Expr) -> Expr | None:
    """s = t"""
    return place.first(formula, "target")


def share_forgotten(place: Place, formula: Expr) -> Expr | None:
    """s = (1 − ε)·t"""
    return formula.terms[0] if isinstance(formula, Sum) else None


def share_not_divided(place: Place, formula: Expr) -> Expr | None:
    """s = (1 − ε)·t + ε"""
    return rewrite(formula, lambda node: node.above if isinstance(node, Quotient) else None)


def class_weight_forgotten(place: Place, formula: Expr) -> Expr | None:
    """c = 1"""
    return place.swap(formula, lambda ref: ONE if place.role(ref) == "class_weight" else None, "hyper")


def _divergence(change: str) -> Rule:
    """A rule that takes another formula of t and o for a term of the divergence."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if not isinstance(formula, Call) or formula.function != "kl":
            return None
        target, out = formula.arguments
        if change == "turned":
            return formula.replace(arguments=(out, target))
        return neg(mul(target, call("ln", out))) if change == "cross" else neg(formula)

    return rule


def similarity(place: Place, formula: Expr) -> Expr | None:
    """E = cos"""
    match formula:
        case Sum((first, Negation(angle))) if first == ONE and _has_sums(place, angle):
            return angle
    return None


def not_divided(place: Place, formula: Expr) -> Expr | None:
    """E = 1 − Σ t·o"""
    match formula:
        case Sum((first, Negation(Quotient(above, below)))) if first == ONE and _has_sums(place, below):
            return add(ONE, neg(above))
    return None


def root_forgotten(place: Place, formula: Expr) -> Expr | None:
    """q = Σ o²"""
    return formula.arguments[0] if isinstance(formula, Call) and formula.function == "sqrt" else None


def right_class_counted(place: Place, formula: Expr) -> Expr | None:
    """E_j = max(0, o_j − r + 1) for every j, the right class too"""
    match formula:
        case Product((_, Call("max") as margin)) if _has_sums(place, margin):
            return margin
    return None


def _has_sums(place: Place, formula: Expr) -> bool:
    found = place.first(formula, "loss_term")
    return isinstance(found, Ref) and place.graph[found.quantity].role != ""


COMPARING = (
    Mistake(
        "smoothing-forgotten",
        "The targets are smoothed only in part, or not at all",
        "The targets went into the loss as they are, or ε was not shared out among all classes.\nThe smoothed target is (1 - ε)·t + ε/n.",
        ({"loss_term.smoothed": not_smoothed}, {"loss_term.smoothed": share_forgotten}, {"loss_term.smoothed": share_not_divided}),
    ),
    Mistake(
        "class-weight-forgotten",
        "The weights of the classes are forgotten",
        "Every class counted the same.\nThe term of each class is multiplied by its weight, in the loss and in its derivative.",
        (
            dict.fromkeys(("loss_term", "loss", "grad.out", "grad.net"), class_weight_forgotten),
            dict.fromkeys(("loss_term", "loss"), class_weight_forgotten),
            dict.fromkeys(("grad.out", "grad.net"), class_weight_forgotten),
        ),
    ),
    Mistake(
        "divergence-turned-round",
        "Another divergence is computed",
        "Targets and outputs were exchanged, the minus was added, or the entropy of the targets was left out.\nIt is the sum of t·ln(t/o).",
        tuple({"loss_term": _divergence(change)} for change in ("turned", "cross", "negative")),
    ),
    Mistake(
        "right-class-counted",
        "The right class is counted among the margins",
        "The margin of the right class over itself is 1, and was added.\nThe sum is over the other classes only.",
        ({"loss_term": right_class_counted},),
    ),
    Mistake(
        "cosine-taken-for-loss",
        "The cosine stands in place of the loss",
        "The cosine of the angle is largest where the vectors agree.\nThe loss is 1 minus the cosine, so that it is 0 there.",
        ({"loss": similarity},),
    ),
    Mistake(
        "lengths-forgotten",
        "The lengths of the vectors are forgotten",
        "The sum of the products was not divided by both lengths, or a length was left without its root.\nThe cosine is Σt·o/(√Σt²·√Σo²).",
        ({"loss": not_divided}, {"loss_term.p": root_forgotten}, {"loss_term.q": root_forgotten}),
    ),
)
