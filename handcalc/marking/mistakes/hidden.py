"""Mistakes on the way back to the hidden layers."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, Expr, Number, Ref, Sum, add, div, mul, references
from handcalc.marking.mistakes.entry import GATE_OF, SOURCES, Mistake, Place, Rule
from handcalc.marking.mistakes.equations import slope_at_argument, slope_forgotten
from handcalc.marking.mistakes.output import (
    derivative_forgotten,
    derivative_from_net,
    only_first_factor,
    only_second_factor,
    slope_at_error,
)

# --- sending the error back: δ·w, path by path ---------------------------------------------------------------------------


def _weights(change: Callable[[Place, Ref], Expr | None]) -> dict[str, Rule]:
    """A variant that changes the weights an error is sent back through."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return place.swap(formula, lambda ref: change(place, ref), "weight")

    return {"path": rule, "grad.out": rule}


def _updated(place: Place, ref: Ref) -> Expr | None:
    """w⁺ for w"""
    return place.at(place.graph.updated(ref.quantity), *ref.places)


def _turned(place: Place, ref: Ref) -> Expr | None:
    """w_jk for w_kj, where W is square"""
    return place.turned(ref)


def _layer_before(place: Place, ref: Ref) -> Expr | None:
    """The weight at the same place of the layer before"""
    before = place.graph[ref.quantity].layer - 1
    return place.at(place.in_layer("weight", layer=before), *ref.places) if before else None


def _share(place: Place, ref: Ref) -> Expr | None:
    """w_kj / Σ_j w_kj"""
    axes = place.graph[ref.quantity].axes
    columns = range(axes[1].size) if len(axes) == 2 else ()
    incoming = [found for column in columns if (found := place.at(ref.quantity, ref.places[0], column))]
    return div(ref, add(*incoming)) if len(incoming) > 1 else None


def raw_error(place: Place, formula: Expr) -> Expr | None:
    """Σ ∂E/∂out·w: the error before the derivative is sent back"""

    def change(ref: Ref) -> Expr | None:
        of = place.graph[ref.quantity].of
        if of is None:
            return None
        net = place.graph[of.quantity]
        if net.kind != "net" and net.role not in GATE_OF:
            return None
        activated = place.in_layer("out" if net.kind == "net" else "part", GATE_OF.get(net.role, ""), net.layer)
        return place.same(place.graph.gradient(activated), ref)

    return place.swap(formula, change, "gradient")


def gradient_for_delta_times_weight(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂w for δ·w"""
    weight = place.first(formula, "weight")
    if weight is None:
        return None
    name = place.graph.related("each", weight.quantity) or place.graph.gradient(weight.quantity)
    return place.at(name, *weight.places)


def _sum(change: Callable[[Place, tuple[Expr, ...]], Expr | None]) -> Rule:
    """A rule on the sum over paths."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return change(place, formula.terms) if isinstance(formula, Sum) and not place.is_last else None

    return rule


def _of_same_number(place: Place, terms: tuple[Expr, ...]) -> Expr | None:
    """The path from the neuron with the same number"""
    for term in terms if len(place.own) == 1 else ():
        refs = references(term)
        if refs and len(refs[0].indices) > 1 and refs[0].indices[-2] == place.own[-1]:
            return term
    return None


# --- δ of a hidden neuron -------------------------------------------------------------------------------------------------


def hidden(rule: Rule) -> Rule:
    """The rule in hidden layers only."""
    return lambda place, formula: None if place.is_last else rule(place, formula)


def _other_layer(step: int) -> Rule:
    """The derivative of a neuron of the next layer or the one before"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        layer = place.layer + step
        local = place.graph.local(place.in_layer("out", layer=layer)) if layer else ""
        return place.at(local, min(place.own[-1], place.units(layer) - 1)) if local else None

    return rule


def derivative_alone(place: Place, formula: Expr) -> Expr | None:
    """δ = σ'"""
    return place.same(place.graph.local(place.in_layer("out")))


def derivative_twice(place: Place, formula: Expr) -> Expr | None:
    """δ = ∂E/∂out·σ'·σ'"""
    local = place.first(formula, "local")
    return mul(formula, local) if local else None


# --- gradients of weights: δ times what comes in ---------------------------------------------------------------------------


def input_twice(place: Place, formula: Expr) -> Expr | None:
    """δ·x²"""
    source = place.first(formula, *SOURCES)
    return mul(formula, source) if source else None


def _sources(change: Callable[[Place, Expr, Ref], Expr | None]) -> Rule:
    """A rule that changes what the error term is multiplied by."""
    return lambda place, formula: place.swap(formula, lambda ref: change(place, formula, ref), *SOURCES)


def _input(place: Place, formula: Expr, ref: Ref) -> Expr | None:
    """x for h"""
    before = place.layer - 2
    if before < 0 or place.units(before) < place.units(before + 1):
        return None
    return place.at(place.in_layer("out", layer=before) if before else place.graph.inputs, ref.places[-1])


def _net(place: Place, formula: Expr, ref: Ref) -> Expr | None:
    """z for h"""
    return place.same(place.graph.in_layer(place.graph[ref.quantity].layer, "net"), ref)


def _own_output(place: Place, formula: Expr, ref: Ref) -> Expr | None:
    """the neuron's own output for its input"""
    delta = place.first(formula, "gradient")
    return place.same(place.in_layer("out"), delta) if delta and not place.is_last else None


def gradient_transposed(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂w_kj = δ_j·h_k"""
    axes = place.quantity.axes[len(place.sample) :]
    if place.quantity.kind != "gradient" or len(axes) != 2 or axes[0].size != axes[1].size:
        return None
    other = place.at(place.quantity.name, *reversed(place.own))
    return place.formula(other) if other else None


HIDDEN = (
    Mistake(
        "updated-weights-used",
        "The error is sent back through updated weights",
        "The new weights were used for the hidden error.\nAll gradients belong to the old weights; everything is updated at once.",
        (_weights(_updated),),
    ),
    Mistake(
        "hidden-derivative-forgotten",
        "The activation's derivative at a hidden neuron is forgotten",
        "The error sent back was taken as δ.\nδ is that error times the derivative of the hidden neuron's activation.",
        ({"grad.net": hidden(derivative_forgotten)}, {"grad.variable": slope_forgotten}),
    ),
    Mistake(
        "hidden-derivative-from-net",
        "The hidden derivative is computed from the net input",
        "net(1 - net) was computed.\nIn the form y(1 - y), y is the output of the neuron, not its net input.",
        ({"local": hidden(derivative_from_net)}, {"grad.variable": slope_at_argument}),
    ),
    Mistake(
        "hidden-derivative-truncated",
        "Part of y(1 - y) is missing at a hidden neuron",
        "Only y, or only 1 - y, was taken.\nThe derivative of the sigmoid is the product y(1 - y).",
        ({"local": hidden(only_first_factor)}, {"local": hidden(only_second_factor)}),
    ),
    Mistake(
        "derivative-of-other-layer",
        "The derivative of another layer is used",
        "The derivative was taken at a neuron of another layer.\nδ of a neuron contains the derivative at that neuron.",
        ({"local": hidden(_other_layer(1))}, {"local": hidden(_other_layer(-1))}),
    ),
    Mistake(
        "sum-over-outputs-forgotten",
        "The sum over the next layer is forgotten",
        "The error of one neuron of the next layer was sent back.\nA hidden neuron gets the errors of all neurons it feeds, added up.",
        tuple({"grad.out": _sum(pick)} for pick in (lambda p, terms: terms[0], lambda p, terms: terms[-1], _of_same_number)),
    ),
    Mistake(
        "mean-over-outputs",
        "The errors sent back are averaged",
        "The sum over the next layer was divided by the number of its neurons.\nThe chain rule adds the paths.",
        ({"grad.out": _sum(lambda place, terms: mul(Number(1, len(terms)), add(*terms)))},),
    ),
    Mistake(
        "output-weights-not-transposed-back",
        "The weights are not transposed on the way back",
        "The sum ran over the incoming weights of one neuron.\nOn the way back it runs over the outgoing weights of the hidden neuron.",
        (_weights(_turned),),
    ),
    Mistake(
        "raw-error-sent-back",
        "The error is sent back without its derivative",
        "∂E/∂out was sent back.\nWhat is sent back is δ, which contains the derivative of the activation.",
        ({"path": raw_error, "grad.out": raw_error},),
    ),
    Mistake(
        "weights-left-out-of-back-sum",
        "The weights are left out on the way back",
        "The error terms were added without their weights.\nEach δ is multiplied by the weight it comes back through.",
        (_weights(lambda place, ref: ONE),),
    ),
    Mistake(
        "gradients-summed-for-delta-times-weight",
        "Gradients of weights are added for δ·w",
        "The gradients of the outgoing weights were added.\nThe hidden error is the sum of δ times the weight itself.",
        ({"path": gradient_for_delta_times_weight, "grad.out": gradient_for_delta_times_weight},),
    ),
    Mistake(
        "first-layer-weights-sent-back",
        "The weights of the wrong layer are used on the way back",
        "The error was sent back through weights of the layer before.\nIt comes back through the weights that lead to the next layer.",
        (_weights(_layer_before),),
    ),
    Mistake(
        "share-of-blame",
        "The error is split by shares of the weights",
        "The error was divided in proportion to the weights.\nThe chain rule multiplies by the weight itself.",
        (_weights(_share),),
    ),
    Mistake(
        "upstream-replaced-by-derivative",
        "The incoming gradient is replaced by the derivative",
        "δ is the activation's derivative alone.\nIt is multiplied by the gradient that comes in.",
        ({"grad.net": hidden(slope_at_error)}, {"grad.net": hidden(derivative_alone)}),
    ),
    Mistake(
        "factor-twice",
        "A factor is taken twice",
        "The derivative, or the input, was multiplied in twice.\nEvery factor of the chain stands once.",
        ({"grad.net": derivative_twice}, {"grad.weight": input_twice}),
    ),
    Mistake(
        "input-for-hidden-output",
        "The input is used for the hidden output",
        "The gradient of a weight was computed with the network's input.\nIt is δ times the output the weight is attached to.",
        ({"grad.weight": _sources(_input)},),
    ),
    Mistake(
        "net-for-hidden-output",
        "The net input is used for the hidden output",
        "The gradient of a weight was computed with a net input.\nIt is δ times the activated output the weight is attached to.",
        ({"grad.weight": _sources(_net)},),
    ),
    Mistake(
        "hidden-output-for-input",
        "A neuron's own output is used for its input",
        "The gradient of a weight was computed with the output of the neuron it leads to.\nIt is δ times what enters through the weight.",
        ({"grad.weight": _sources(_own_output)},),
    ),
    Mistake(
        "gradient-transposed",
        "The gradient matrix is transposed",
        "Row and column of the gradients were exchanged.\nThe gradient of a weight is δ of its target times the output of its source.",
        ({"grad.weight": gradient_transposed},),
    ),
)
