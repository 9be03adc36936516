"""Mistakes of normalisation, dropout and residual connections."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from handcalc.core.expr import Call, Expr, Number, Power, Product, Quotient, Ref, Sum, add, call, div, mul, references, rewrite, sub
from handcalc.marking.mistakes.entry import SOURCES, Mistake, Place, Variant

# --- along the wrong direction ------------------------------------------------------------------------------------------


def _kept(place: Place, source: Ref, whole: bool) -> list[int]:
    """The axes along which a wrong mean has its own number: of layer_norm all but tokens (or samples, where there are no tokens),
    of batch_norm the samples; or, whole, the samples only."""
    axes = place.graph[source.quantity].axes
    if whole or place.type == "batch_norm":
        return [number for number, axis in enumerate(axes) if axis.role == "sample"]
    return [number for number in range(len(axes)) if number != len(axes) - 2]


def _group(place: Place, source: Ref, kept: dict[int, int]) -> list[Ref]:
    """The numbers with these places along some axes, and any along the others."""
    axes = place.graph[source.quantity].axes
    ranges = [[kept[number]] if number in kept else range(axis.size) for number, axis in enumerate(axes)]
    there = (places for places in product(*ranges) if place.graph.present(source.quantity, places))
    state = place.graph[source.quantity].starts  # of which what is given at the start is not put out
    return [Ref(source.quantity, places) for places in there if not (state and place.graph.given_value((source.quantity, places)))]


def _mean(cells: list[Ref], power: int = 1) -> Expr:
    return mul(Number(1, len(cells)), add(*(cell if power == 1 else Power(cell, Number(power)) for cell in cells)))


def _along(whole: bool) -> Variant:
    """μ and v over other numbers: of a token over the tokens, or over all tokens and features; of a feature over the features"""

    def normal(place: Place, formula: Expr) -> Expr | None:
        source = place.first(formula, *SOURCES)
        mean = next((ref for ref in references(formula) if place.role(ref) == "mean"), None)
        if source is None or mean is None:
            return None
        cells = _group(place, source, {number: source.places[number] for number in _kept(place, source, whole)})
        if len(cells) < 2 or {*cells} == {*references(place.formula(mean))}:
            return None
        found = {"mean": _mean(cells), "variance": sub(_mean(cells, 2), Power(_mean(cells), Number(2)))}
        return place.swap(formula, lambda ref: found.get(place.role(ref)), "part")

    def moment(place: Place, formula: Expr) -> Expr | None:
        source = place.first(formula, *SOURCES)
        if source is None:
            return None
        kept = {number: source.places[number] for number in _kept(place, source, whole)}
        if kept and not whole:  # the number of the token, or of the feature, is taken for one in the other direction
            kept[max(kept)] = place.cell[1][-1]
        cells = _group(place, source, kept)
        if len(cells) < 2:
            return None
        mean = next((ref for ref in references(formula) if place.role(ref) == "mean"), None)
        if mean is None:
            return _mean(cells)
        return mul(Number(1, len(cells)), add(*(Power(sub(cell, mean), Number(2)) for cell in cells)))

    return {"part.normal": normal, "out": normal, "part.mean": moment, "part.variance": moment}


# --- variance and root --------------------------------------------------------------------------------------------------


def one_less(place: Place, formula: Expr) -> Expr | None:
    """1/(n − 1)·Σ(x − μ)² for 1/n·Σ(x − μ)²"""
    match formula:
        case Product((Number(1, count), Sum() as whole)) if count > 1:
            return mul(Number(1, count - 1), whole)
    return None


def _root(change: Callable[[Expr, Expr], Expr]) -> tuple[Variant, ...]:
    """Another divisor than √(v + ε), from v and ε; and on the way back too"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def root(node: Expr) -> Expr | None:
            match node:
                case Call("sqrt", (Sum((Ref() as variance, Number() as epsilon)),)) if place.role(variance) == "variance":
                    return change(variance, epsilon)
            return None

        return rewrite(formula, root)

    forward = {"part.normal": rule, "out": rule}
    return forward, {**forward, "path": rule, "grad.out": rule}


# --- dropout ------------------------------------------------------------------------------------------------------------


def _share(change: Callable[[Quotient, Number], Expr]) -> tuple[Variant, ...]:
    """m·x/(1 − p) with another divisor; and on the way back too"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def scaled(node: Expr) -> Expr | None:
            if isinstance(node, Quotient) and isinstance(node.below, Number) and any(_is_drawn(place, ref) for ref in references(node)):
                return change(node, node.below)
            return None

        return rewrite(formula, scaled)

    return {"out": rule}, {"out": rule, "path": rule, "grad.out": rule}


def _rest(kept: Number) -> Number:
    """p from 1 − p"""
    return Number(kept.denominator - kept.numerator, kept.denominator)


def _is_drawn(place: Place, ref: Ref) -> bool:
    """Whether a number is of the mask of dropout."""
    quantity = place.graph[ref.quantity]
    return quantity.definition is None and quantity.kind == "input" and place.type_of(quantity.layer) == "dropout"


# --- residual connections -----------------------------------------------------------------------------------------------


def without_skip(place: Place, formula: Expr) -> Expr | None:
    """out = x for out = x + x of an earlier layer"""
    return formula.terms[0] if place.type == "residual" and isinstance(formula, Sum) else None


def without_skip_back(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂x without what comes back past the layers between"""
    if not isinstance(formula, Sum):
        return None
    layers = enumerate(place.book.problem.layers, 1)
    past = [n for n, layer in layers if layer.type == "residual" and layer.options["from"] == place.layer != n - 1]
    return add(*(term for term in formula.terms if _from_layer(place, references(term)[0]) not in past))


def _from_layer(place: Place, ref: Ref) -> int:
    """The layer a term of a gradient comes back from."""
    quantity = place.graph[ref.quantity]
    return place.graph[quantity.through.quantity].layer if quantity.through else quantity.layer


_FORWARD: Variant = {"out": without_skip, "net": without_skip}
_BACK: Variant = {"grad.out": without_skip_back}

NORMALISATION = (
    Mistake(
        "norm-wrong-axis",
        "Normalisation runs along the wrong direction",
        "Mean and variance were taken over other numbers.\n"
        "Layer normalisation takes the features of one token, batch normalisation all samples of one feature.",
        (_along(False), _along(True)),
    ),
    Mistake(
        "variance-of-sample",
        "The variance is divided by n - 1",
        "The squares were divided by their number less 1.\nNormalisation divides by n.",
        ({"part.variance": one_less},),
        convention="variance",
        on_this_sheet="the variance is divided by n − 1 on this sheet",
    ),
    Mistake(
        "norm-epsilon-forgotten",
        "ε of the normalisation is forgotten",
        "The root was taken of the variance alone.\nε is added to the variance under the root.",
        _root(lambda variance, epsilon: call("sqrt", variance)),
    ),
    Mistake(
        "norm-epsilon-outside",
        "ε of the normalisation is outside the root",
        "ε was added after the root was taken.\nIt is added to the variance under the root.",
        _root(lambda variance, epsilon: add(call("sqrt", variance), epsilon)),
    ),
    Mistake(
        "norm-root-forgotten",
        "The root of the variance is forgotten",
        "The difference was divided by the variance.\nIt is divided by the standard deviation, the root of the variance.",
        _root(add),
    ),
    Mistake(
        "dropout-not-scaled",
        "What dropout keeps is not scaled",
        "The numbers that are kept were not divided by 1 - p, or they were divided by p.\nDividing by 1 - p keeps their mean.",
        (*_share(lambda node, kept: node.above), *_share(lambda node, kept: div(node.above, _rest(kept)))),
    ),
    Mistake(
        "residual-forgotten",
        "The residual connection is forgotten",
        "The earlier output was not added, or its way back was left out.\nIt is added, and its gradient is added as well.",
        (_FORWARD, _BACK, {**_FORWARD, **_BACK}),
    ),
)
