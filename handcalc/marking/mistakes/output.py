"""Mistakes at the output layer: where the backward pass starts, and the derivatives of activations."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.definitions import partial
from handcalc.core.expr import ONE, ZERO, Call, Delta, Expr, Number, Power, Product, Ref, Sum, add, call, mul, neg, references, rewrite, sub
from handcalc.marking.mistakes.entry import GATE_OF, Mistake, Place, Rule
from handcalc.marking.mistakes.losses import CROSS_ENTROPY

# --- where the backward pass starts ------------------------------------------------------------------------------------


def error_sign_flipped(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂o = t − o"""
    of = place.quantity.of
    start = "out" if place.graph.gradient(place.in_layer("out", layer=place.book.last)) else "net"
    if not place.is_last or of is None or place.graph[of.quantity].kind != start:
        return None
    own, rest = place.from_loss(formula) if start == "out" else (formula, ZERO)
    return add(neg(own), rest)


def loss_for_error(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂o = ½e²"""
    term = place.same(place.in_layer("loss_term")) if place.is_last else None
    return add(term, place.from_loss(formula)[1]) if term else None


# --- the derivative of the output ----------------------------------------------------------------------------------------


def at_output(rule: Rule) -> Rule:
    """The rule in the output layer only."""
    return lambda place, formula: rule(place, formula) if place.is_last else None


def derivative_forgotten(place: Place, formula: Expr) -> Expr | None:
    """δ = ∂E/∂out; of a gate ∂E/∂gate, where the derivative has no name of its own"""
    of = place.quantity.of
    if of is not None and place.role(of) in GATE_OF:
        return place.first(formula, "gradient")
    return place.swap(formula, lambda ref: ONE, "local")


def derivative_from_net(place: Place, formula: Expr) -> Expr | None:
    """σ'(z) written with z for y: z(1 − z)"""
    return place.swap(formula, lambda ref: place.same(place.in_layer("net"), ref), "out")


def _activated(place: Place, value: Expr) -> Expr:
    """f(value), f being the neuron's activation."""
    out = place.same(place.in_layer("out"))
    return value if out is None else place.swap(place.formula(out), lambda ref: value, "net")


def _slope_at(place: Place, slope: Expr, value: Expr) -> Expr:
    """f'(value)"""
    changed = {"out": _activated(place, value), "net": value}
    return place.swap(slope, lambda ref: changed[place.kind(ref)], "out", "net")


def derivative_of_activated(place: Place, formula: Expr) -> Expr | None:
    """σ'(o) = σ(o)(1 − σ(o))"""
    out = place.same(place.in_layer("out"))
    return None if out is None else _slope_at(place, formula, out)


def only_first_factor(place: Place, formula: Expr) -> Expr | None:
    """o(1 − o) → o"""
    match formula:
        case Product((Ref() as first, Sum())):
            return first
    return None


def only_second_factor(place: Place, formula: Expr) -> Expr | None:
    """o(1 − o) → (1 − o)"""
    match formula:
        case Product((Ref(), Sum() as second)):
            return second
    return None


def difference_for_product(place: Place, formula: Expr) -> Expr | None:
    """o(1 − o) → o − (1 − o)"""
    match formula:
        case Product((Ref() as first, Sum() as second)):
            return sub(first, second)
    return None


def derivative_from_target(place: Place, formula: Expr) -> Expr | None:
    """t(1 − t)"""
    return place.swap(formula, lambda ref: place.same(place.graph.targets, ref), "out")


def _slope(place: Place) -> Expr | None:
    local = place.same(place.graph.local(place.in_layer("out")))
    return None if local is None else place.formula(local)


def _incoming(place: Place) -> Ref | None:
    return place.same(place.graph.gradient(place.in_layer("out")))


def slope_of_error(place: Place, formula: Expr) -> Expr | None:
    """δ = e(1 − e), e = ∂E/∂out"""
    slope, error = _slope(place), _incoming(place)
    return None if slope is None or error is None else place.swap(slope, lambda ref: error, "out", "net")


def slope_at_error(place: Place, formula: Expr) -> Expr | None:
    """δ = σ'(∂E/∂out)"""
    slope, error = _slope(place), _incoming(place)
    return None if slope is None or error is None else _slope_at(place, slope, error)


def _cancelled(place: Place) -> tuple[Ref, Ref] | None:
    """(p, t) where the derivative of cross-entropy cancels that of the activation"""
    out, target = place.same(place.in_layer("out")), place.same(place.graph.targets)
    name = place.activation(place.own[-1])
    fits = (name, place.loss) in (("sigmoid", "binary_cross_entropy"), *(("softmax", loss) for loss in CROSS_ENTROPY))
    return (out, target) if out and target and fits else None


def extra_derivative(place: Place, formula: Expr) -> Expr | None:
    """δ = (p − t)·p(1 − p)"""
    found = _cancelled(place)
    return mul(sub(*found), found[0], sub(ONE, found[0])) if found else None


def delta_for_gradient(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂p = p − t"""
    found = _cancelled(place)
    return sub(*found) if found else None


def diagonal_only(place: Place, formula: Expr) -> Expr | None:
    """δ = −t/p · p(1 − p)"""
    if place.activation(place.own[-1]) != "softmax" or place.loss not in CROSS_ENTROPY:
        return None
    kept = [ref for ref in references(formula) if place.kind(ref) == "path" and ref.indices[-2] == ref.indices[-1]]
    if kept:
        return kept[0]
    out, target = place.same(place.in_layer("out")), place.same(place.graph.targets)
    return None if out is None or target is None else neg(mul(target, sub(ONE, out)))


def _beside(change: Rule) -> Rule:
    """A rule for the entries that are not on the diagonal."""
    return lambda place, formula: None if place.own[-2] == place.own[-1] else change(place, formula)


def _agreeing(value: Expr) -> Rule:
    """p_i·(0 − p_j), or p_i·(1 − p_j), for p_i·([i = j] − p_j)"""
    return lambda place, formula: place.rewritten(lambda node: value if isinstance(node, Delta) else None)


# --- tanh and ReLU ----------------------------------------------------------------------------------------------------


def _tanh(change: Callable[[Ref, Ref], Expr]) -> Rule:
    """A rule on the slope of tanh, from out and net."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        out, net = place.same(place.in_layer("out")), place.same(place.in_layer("net"))
        if out is None or net is None or place.activation(place.own[-1]) != "tanh":
            return None
        return change(out, net)

    return rule


def _slope_of(function: str, *others: str) -> Rule:
    """A rule that takes the slope of a function at the output, where it is not the neuron's own function, nor one of the others."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        out = place.same(place.in_layer("out"))
        if out is None or place.activation(place.own[-1]) in (function, "softmax", *others):
            return None
        return partial(function, 0, (out,), out)

    return rule


EXCHANGED = ("sigmoid", "tanh", "relu")  # activations that are taken for each other


def _worked_by(function: str) -> Rule:
    """h = g(z), of another activation"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        own = formula.function if isinstance(formula, Call) and place.quantity.kind == "out" else ""
        return call(function, *formula.arguments) if isinstance(formula, Call) and own in EXCHANGED and own != function else None

    return rule


def _slope_by(function: str) -> Rule:
    """g'(z), of another activation"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        net, out = place.same(place.in_layer("net")), place.same(place.in_layer("out"))
        if net is None or out is None or place.activation(place.own[-1]) not in {*EXCHANGED} - {function}:
            return None
        return partial(function, 0, (net,), out)

    return rule


def _square(value: Expr) -> Expr:
    return Power(value, Number(2))


def _relu(change: Callable[[Ref, Ref, Ref], Expr]) -> Rule:
    """A rule on δ of a ReLU neuron, from ∂E/∂out, out and net."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        error, out, net = _incoming(place), place.same(place.in_layer("out")), place.same(place.in_layer("net"))
        if error is None or out is None or net is None or place.activation(place.own[-1]) != "relu":
            return None
        return change(error, out, net)

    return rule


def _relu_at_zero(value: Number) -> Rule:
    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(node: Expr) -> Expr | None:
            if isinstance(node, Call) and node.function == "relu'":
                return node.replace(arguments=(node.arguments[0], value))
            return None

        return rewrite(formula, change)

    return rule


OUTPUT = (
    Mistake(
        "error-sign-flipped",
        "The error has the wrong sign",
        "t - o was used as the gradient and then subtracted: the error grows.\nThe gradient at the output is o - t.",
        ({"grad.out": error_sign_flipped, "grad.net": error_sign_flipped}, {"error": lambda place, formula: neg(formula)}),
    ),
    Mistake(
        "output-derivative-forgotten",
        "The activation's derivative at the output is forgotten",
        "δ of the output is the error alone.\nIt is ∂E/∂out times the derivative of the activation.",
        ({"grad.net": at_output(derivative_forgotten)},),
    ),
    Mistake(
        "output-derivative-from-net",
        "The output's derivative is computed from the net input",
        "net(1 - net) was computed.\nIn the form y(1 - y), y is the output, not the net input.",
        ({"local": at_output(derivative_from_net)},),
    ),
    Mistake(
        "output-derivative-of-activated",
        "The output's derivative is taken of an activated value",
        "The output was put through the activation once more before y(1 - y).\nThe output itself is y.",
        ({"local": at_output(derivative_of_activated)},),
    ),
    Mistake(
        "output-derivative-truncated",
        "Part of y(1 - y) is missing at the output",
        "1 - y, or y - (1 - y), was computed.\nThe derivative of the sigmoid is the product y(1 - y).",
        ({"local": at_output(only_second_factor)}, {"local": at_output(difference_for_product)}),
    ),
    Mistake(
        "output-derivative-from-target",
        "The output's derivative is computed from the target",
        "t(1 - t) was computed.\nThe derivative is taken at the output of the neuron.",
        ({"local": at_output(derivative_from_target)},),
    ),
    Mistake(
        "derivative-at-error",
        "The derivative is taken at the error",
        "The activation's derivative was taken at ∂E/∂out.\nδ is ∂E/∂out times the derivative at the net input.",
        ({"grad.net": at_output(slope_of_error)}, {"grad.net": at_output(slope_at_error)}, {"local": at_output(slope_of_error)}),
    ),
    Mistake(
        "loss-for-error",
        "The loss is used as the error",
        "The loss term itself was multiplied with the derivative.\nThe chain rule begins with the derivative of the loss.",
        ({"grad.out": loss_for_error},),
    ),
    Mistake(
        "cross-entropy-extra-derivative",
        "Cross-entropy with an extra derivative",
        "p - t was multiplied by p(1 - p).\nWith cross-entropy that factor has cancelled: δ = p - t.",
        ({"grad.net": at_output(extra_derivative)}, {"grad.out": at_output(delta_for_gradient)}),
    ),
    Mistake(
        "softmax-diagonal-only",
        "Only the diagonal of softmax's derivative is used",
        "Each output was differentiated by its own net input only.\nEvery softmax output depends on every net input; the sum gives p - t.",
        ({"grad.net": at_output(diagonal_only)}, {"local.jacobian": _beside(lambda place, formula: ZERO)}),
    ),
    Mistake(
        "softmax-jacobian-wrong",
        "An entry in the matrix of softmax's derivatives is wrong",
        "One rule was used for all entries, or a minus is missing.\nOn the diagonal stands p(1 - p), elsewhere -p·q, q the other one.",
        (
            {"local.jacobian": _beside(lambda place, formula: neg(formula))},
            {"local.jacobian": _agreeing(ZERO)},
            {"local.jacobian": _agreeing(ONE)},
        ),
    ),
    Mistake(
        "tanh-derivative-wrong",
        "The derivative of tanh is wrong",
        "1 + h², -h², 1 - z² or h(1 - h) was computed.\ntanh' = 1 - h², h being the output.",
        (
            {"local": _tanh(lambda out, net: add(ONE, _square(out)))},
            {"local": _tanh(lambda out, net: neg(_square(out)))},
            {"local": _tanh(lambda out, net: sub(ONE, _square(net)))},
            {"local": _tanh(lambda out, net: mul(out, sub(ONE, out)))},
        ),
    ),
    Mistake(
        "slope-of-other-function",
        "The derivative is that of another activation",
        "y(1 - y) belongs to the sigmoid, 1 - y² to tanh.\nEvery activation has a derivative of its own.",
        (
            {"local": _slope_of("sigmoid", "tanh")},
            {"local": _slope_of("tanh")},
        ),
    ),
    Mistake(
        "activation-exchanged",
        "Another activation is used",
        "The output, and its derivative, are those of another activation function.\nThe exercise says which function each layer has.",
        tuple({"out": _worked_by(function), "local": _slope_by(function)} for function in EXCHANGED),
    ),
    Mistake(
        "relu-mask-wrong",
        "The mask of ReLU is wrong",
        "The gradient's own sign decided, or the mask replaced it, or it was multiplied by z.\nThe gradient passes where z > 0, unchanged.",
        (
            {"grad.net": _relu(lambda error, out, net: call("max", error, Number(0)))},
            {"grad.net": _relu(lambda error, out, net: call("relu'", net, Number(0)))},
            {"grad.net": _relu(lambda error, out, net: mul(error, out))},
        ),
    ),
    Mistake(
        "relu-at-zero",
        "The slope of ReLU at 0 differs from the sheet's rule",
        "At exactly 0 another slope was used.\nThe sheet says which slope holds there.",
        tuple({"local": _relu_at_zero(value)} for value in (Number(0), ONE, Number(1, 2))),
    ),
)
