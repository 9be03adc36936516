"""Mistakes of weights and biases that are used at many places: in every window, at every time, for every token."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import Expr, Number, Ref, Sum, add, mul, references
from handcalc.marking.mistakes.entry import BIASES, Mistake, Place, Rule, Variant


def bias_per_product(place: Place, formula: Expr) -> Expr | None:
    """Σ (w·x + b)"""
    weights = [ref for ref in references(formula) if place.kind(ref) == "weight"]
    biases = [ref.quantity for ref in references(formula) if place.kind(ref) in BIASES]
    if len(weights) < 2 or len({*biases}) != len(biases):
        return None
    return place.swap(formula, lambda ref: mul(Number(len(weights)), ref), *BIASES)


def of_one(along: tuple[str, ...], pick: Callable[[int], int]) -> Rule:
    """∂E/∂w from one of the places, times or tokens at which the weight is used; pick: its number from their count."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        used = _varying(place, formula, along)
        if not used or not isinstance(formula, Sum):
            return None
        sizes = place.graph[_only(formula.terms[0]).quantity].axes
        kept = (term for term in formula.terms if all(_only(term).indices[axis] == pick(sizes[axis].size) for axis in used))
        return add(*kept)

    return rule


def mean_of(along: tuple[str, ...]) -> Rule:
    """∂E/∂w averaged over the places at which the weight is used"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        used = _varying(place, formula, along)
        return mul(Number(1, len(formula.terms)), formula) if used and isinstance(formula, Sum) else None

    return rule


def _only(term: Expr) -> Ref:
    """The one reference of a term of a gradient: a path, or the gradient of a net input."""
    return references(term)[0]


def _varying(place: Place, formula: Expr, along: tuple[str, ...]) -> list[int]:
    """The axes of these roles along which the terms of a sum differ; none where they come from several layers."""
    if not isinstance(formula, Sum) or place.quantity.kind != "gradient":
        return []
    found = [_only(term) for term in formula.terms]
    if len({ref.quantity for ref in found}) > 1:
        return []
    axes = place.graph[found[0].quantity].axes
    return [n for n, axis in enumerate(axes) if axis.role in along and len({ref.indices[n] for ref in found}) > 1]


def shared(*along: str) -> tuple[Variant, ...]:
    """The gradient of a shared weight from the first place, from the last, or averaged."""
    rules = (of_one(along, lambda count: 0), of_one(along, lambda count: count - 1), mean_of(along))
    return tuple({"grad.weight": rule, "grad.bias": rule} for rule in rules)


SHARING = (
    Mistake(
        "bias-per-product",
        "The bias is added once for every product",
        "The bias was added to every product of the weighted sum.\nIt is added once, to the sum.",
        ({"net": bias_per_product},),
    ),
    Mistake(
        "gradient-of-one-window",
        "The gradient of a kernel is taken from one window",
        "The gradient came from the first or last window only, or was averaged.\n"
        "A kernel is used at every window, so its gradients are added up over all of them.",
        shared("row", "column"),
    ),
    Mistake(
        "gradient-of-one-time",
        "The gradient of a shared weight is taken from one time",
        "The gradient came from the first or last time only, or was averaged.\n"
        "The weights are the same at every time, so their gradients are added up over all of them.",
        shared("time"),
    ),
    Mistake(
        "gradient-of-one-token",
        "The gradient of a shared weight is taken from one token",
        "The gradient came from the first or last token only, or was averaged.\n"
        "The weights are the same for every token, so their gradients are added up over all of them.",
        shared("token"),
    ),
)
