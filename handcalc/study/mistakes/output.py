"""Mistakes in the error and at the output layer."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, Call, Expr, Number, Power, Product, Ref, Sum, add, call, div, mul, neg, references, rewrite, sub
from handcalc.study.mistakes.entry import Mistake, Place, Rule

CROSS_ENTROPY = ("cross_entropy", "softmax_cross_entropy")

# --- the loss ---------------------------------------------------------------------------------------------------------


def _last_out(place: Place, unit: int) -> Ref | None:
    return place.at(f"out{place.book.last}", unit)


def _outputs(place: Place) -> range:
    return range(place.units(place.book.last))


def _terms(place: Place, formula: Expr) -> list[tuple[Expr, Expr]]:
    """(factor, error) of each squared loss term factor·error² that a loss adds up; nothing for other losses."""
    found: list[tuple[Expr, Expr]] = []
    for ref in references(formula):
        if place.kind(ref) == "loss_term":
            match place.formula(ref):
                case Power(base, Number(2)):
                    found.append((ONE, base))
                case Product((Number() as factor, Power(base, Number(2)))):
                    found.append((factor, base))
    return found


def square_of_sum(place: Place, formula: Expr) -> Expr | None:
    """E = ½(Σe)²"""
    terms = _terms(place, formula)
    return mul(terms[0][0], Power(add(*(error for _, error in terms)), Number(2))) if len(terms) > 1 else None


def absolute_error(place: Place, formula: Expr) -> Expr | None:
    """E = Σ|e|"""
    terms = _terms(place, formula)
    return add(*(call("abs", error) for _, error in terms)) if terms else None


def root_error(place: Place, formula: Expr) -> Expr | None:
    """E = √(1/n Σe²)"""
    terms = _terms(place, formula)
    return call("sqrt", mul(Number(1, len(terms)), add(*(Power(error, Number(2)) for _, error in terms)))) if terms else None


def _only_term(which: int) -> Rule:
    """E = the loss term of one output"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        found = [ref for ref in references(formula) if place.kind(ref) == "loss_term"]
        return found[which] if len(found) > 1 else None

    return rule


def error_from_delta(place: Place, formula: Expr) -> Expr | None:
    """E = ½Σδ²"""
    terms = _terms(place, formula)
    deltas = [place.at(f"grad.net{place.book.last}", unit) for unit in _outputs(place)]
    if not terms or None in deltas:
        return None
    return add(*(mul(terms[0][0], Power(delta, Number(2))) for delta in deltas if delta is not None))


def _scaled(factor: Callable[[int], Number], *, half: bool = True) -> Rule:
    """A rule that multiplies by a number that depends on the count of outputs; only for the loss ½Σ(t − o)²."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        if place.loss != "half_squared_error" or (place.quantity.kind == "gradient" and not place.is_last):
            return None
        found = factor(len(_outputs(place)))
        return None if found == ONE else mul(found, formula)

    return rule


def _in_loss(rule: Rule) -> Rule:
    """The rule on the loss of one sample, not on the mean of samples."""

    def only(place: Place, formula: Expr) -> Expr | None:
        inside = any(place.kind(ref) == "loss_term" for ref in references(formula))
        return rule(place, formula) if inside else None

    return only


twice = _scaled(lambda outputs: Number(2))
over_n = _scaled(lambda outputs: Number(1, outputs) if outputs > 1 else ONE)
two_over_n = _scaled(lambda outputs: Number(2, outputs) if outputs % 2 else Number(1, outputs // 2) if outputs > 2 else ONE)


def _of_entropy(change: Callable[[Place, Expr], Expr | None], *losses: str) -> Rule:
    def rule(place: Place, formula: Expr) -> Expr | None:
        sums = place.quantity.name in ("loss", "loss@") and not any(place.kind(ref) == "loss" for ref in references(formula))
        return change(place, formula) if place.loss in losses and sums else None

    return rule


entropy_sign = _of_entropy(lambda place, formula: neg(formula), *CROSS_ENTROPY, "binary_cross_entropy")
entropy_mean = _of_entropy(
    lambda place, formula: mul(Number(1, len(_outputs(place))), formula) if len(_outputs(place)) > 1 else None, *CROSS_ENTROPY
)


def _binary(place: Place, formula: Expr) -> Expr | None:
    """E = −Σ(t ln p + (1 − t) ln(1 − p))"""
    parts: list[Expr] = []
    for unit in _outputs(place):
        out, target = _last_out(place, unit), place.at("t", unit)
        if out is None or target is None or place.activation(place.book.last, unit) != "softmax":
            return None
        parts.append(add(mul(target, call("ln", out)), mul(sub(ONE, target), call("ln", sub(ONE, out)))))
    return neg(add(*parts))


binary_formula = _of_entropy(_binary, *CROSS_ENTROPY)


def _logarithm(base: int) -> Rule:
    """log₁₀ or log₂ for ln"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        def change(node: Expr) -> Expr | None:
            if isinstance(node, Call) and node.function in ("ln", "log"):
                return call(f"log{base}", *node.arguments)
            return None

        if any(isinstance(ref, Call) and ref.function == "logsumexp" for ref in _nodes(formula)):
            return div(formula, call("ln", Number(base)))
        return rewrite(formula, change)

    return rule


def _nodes(expr: Expr) -> list[Expr]:
    from handcalc.core.expr import walk

    return list(walk(expr))


# --- where the backward pass starts ------------------------------------------------------------------------------------


def error_sign_flipped(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂o = t − o"""
    start = "grad.out" if f"grad.out{place.book.last}" in place.graph else "grad.net"
    return neg(formula) if place.is_last and place.quantity.name.startswith(start) else None


def loss_for_error(place: Place, formula: Expr) -> Expr | None:
    """∂E/∂o = ½e²"""
    return place.at("loss_term", *place.own) if place.is_last else None


# --- the derivative of the output ----------------------------------------------------------------------------------------


def at_output(rule: Rule) -> Rule:
    """The rule in the output layer only."""
    return lambda place, formula: rule(place, formula) if place.is_last else None


def derivative_forgotten(place: Place, formula: Expr) -> Expr | None:
    """δ = ∂E/∂out"""
    return place.swap(formula, lambda ref: ONE, "local")


def derivative_from_net(place: Place, formula: Expr) -> Expr | None:
    """σ'(z) written with z for y: z(1 − z)"""
    return place.swap(formula, lambda ref: place.at(f"net{place.layer}", *place.own), "out")


def _activated(place: Place, value: Expr) -> Expr:
    """f(value), f being the neuron's activation."""
    out = place.at(f"out{place.layer}", *place.own)
    return value if out is None else place.swap(place.formula(out), lambda ref: value, "net")


def _slope_at(place: Place, slope: Expr, value: Expr) -> Expr:
    """f'(value)"""
    changed = {"out": _activated(place, value), "net": value}
    return place.swap(slope, lambda ref: changed[place.kind(ref)], "out", "net")


def derivative_of_activated(place: Place, formula: Expr) -> Expr | None:
    """σ'(o) = σ(o)(1 − σ(o))"""
    out = place.at(f"out{place.layer}", *place.own)
    return None if out is None else _slope_at(place, formula, out)


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
    return place.swap(formula, lambda ref: place.at("t", *place.own), "out")


def _slope(place: Place) -> Expr | None:
    local = place.at(f"local.out{place.layer}", *place.own)
    return None if local is None else place.formula(local)


def _incoming(place: Place) -> Ref | None:
    return place.at(f"grad.out{place.layer}", *place.own)


def slope_of_error(place: Place, formula: Expr) -> Expr | None:
    """δ = e(1 − e), e = ∂E/∂out"""
    slope, error = _slope(place), _incoming(place)
    return None if slope is None or error is None else place.swap(slope, lambda ref: error, "out", "net")


def slope_at_error(place: Place, formula: Expr) -> Expr | None:
    """δ = σ'(∂E/∂out)"""
    slope, error = _slope(place), _incoming(place)
    return None if slope is None or error is None else _slope_at(place, slope, error)


def extra_derivative(place: Place, formula: Expr) -> Expr | None:
    """δ = (p − t)·p(1 − p)"""
    out, target = _last_out(place, place.own[-1]), place.at("t", *place.own)
    name = place.activation(place.layer, place.own[-1])
    fits = (name, place.loss) in (("sigmoid", "binary_cross_entropy"), *(("softmax", loss) for loss in CROSS_ENTROPY))
    if out is None or target is None or not fits:
        return None
    return mul(sub(out, target), out, sub(ONE, out))


def diagonal_only(place: Place, formula: Expr) -> Expr | None:
    """δ = −t/p · p(1 − p)"""
    if place.activation(place.layer, place.own[-1]) != "softmax" or place.loss not in CROSS_ENTROPY:
        return None
    kept = [ref for ref in references(formula) if place.kind(ref) == "path" and ref.indices[-2] == ref.indices[-1]]
    if kept:
        return kept[0]
    out, target = _last_out(place, place.own[-1]), place.at("t", *place.own)
    return None if out is None or target is None else neg(mul(target, sub(ONE, out)))


# --- tanh and ReLU ----------------------------------------------------------------------------------------------------


def _tanh(change: Callable[[Ref, Ref], Expr]) -> Rule:
    """A rule on the slope of tanh, from out and net."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        out, net = place.at(f"out{place.layer}", *place.own), place.at(f"net{place.layer}", *place.own)
        known = out is not None and net is not None and place.activation(place.layer, place.own[-1]) == "tanh"
        return change(out, net) if known else None  # type: ignore[arg-type]

    return rule


def _square(value: Expr) -> Expr:
    return Power(value, Number(2))


def _relu(change: Callable[[Ref, Ref, Ref], Expr]) -> Rule:
    """A rule on δ of a ReLU neuron, from ∂E/∂out, out and net."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        error, out, net = _incoming(place), place.at(f"out{place.layer}", *place.own), place.at(f"net{place.layer}", *place.own)
        if error is None or out is None or net is None or place.activation(place.layer, place.own[-1]) != "relu":
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
        "half-forgotten",
        "The factor 1/2 of the error is forgotten",
        "The error was taken without its factor 1/2, or the 2 of the derivative was kept.\nWith 1/2 in the error, its derivative is o - t.",
        ({"loss_term": twice, "grad.out": twice}, {"loss_term": twice}, {"grad.out": twice}),
    ),
    Mistake(
        "mean-for-half",
        "The error is averaged over the outputs",
        "1/n stood beside 1/2, so the derivative became (o - t)/n.\nHere the error is the sum over the outputs.",
        ({"loss": _in_loss(over_n), "grad.out": over_n}, {"loss": _in_loss(over_n)}, {"grad.out": over_n}),
    ),
    Mistake(
        "two-over-n",
        "2/n stands in place of 1",
        "The mean over the outputs was taken in place of 1/2, so the derivative became 2(o - t)/n.\nHere the error is half the sum.",
        ({"loss": _in_loss(two_over_n), "grad.out": two_over_n}, {"loss": _in_loss(two_over_n)}, {"grad.out": two_over_n}),
    ),
    Mistake(
        "square-of-sum",
        "The errors are added before squaring",
        "The errors of the outputs were added and then squared.\nEach is squared first, so that errors of different signs do not cancel.",
        ({"loss": square_of_sum},),
    ),
    Mistake(
        "absolute-or-root-error",
        "Another error measure is used",
        "The absolute error or the root of the mean square was computed.\nThe error asked for is the sum of the loss terms.",
        ({"loss": absolute_error}, {"loss": root_error}),
    ),
    Mistake(
        "one-output-only",
        "Only one output is in the total error",
        "The loss term of one output was taken as the total.\nThe total error adds the terms of all outputs.",
        ({"loss": _only_term(0)}, {"loss": _only_term(-1)}),
    ),
    Mistake(
        "error-from-delta",
        "The total error is computed from the error terms",
        "The δ of the outputs were squared.\nThe error compares outputs with targets; δ already contains the activation's derivative.",
        ({"loss": error_from_delta},),
    ),
    Mistake(
        "error-sign-flipped",
        "The error has the wrong sign",
        "t - o was used as the gradient and then subtracted: the error grows.\nThe gradient at the output is o - t.",
        ({"grad.out": error_sign_flipped, "grad.net": error_sign_flipped},),
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
        ({"grad.net": at_output(slope_of_error)}, {"grad.net": at_output(slope_at_error)}),
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
        ({"grad.net": at_output(extra_derivative)},),
    ),
    Mistake(
        "softmax-diagonal-only",
        "Only the diagonal of softmax's derivative is used",
        "Each output was differentiated by its own net input only.\nEvery softmax output depends on every net input; the sum gives p - t.",
        ({"grad.net": at_output(diagonal_only)},),
    ),
    Mistake(
        "log-base",
        "The logarithm has another base",
        "The logarithm to base 10 or 2 was computed.\nCross-entropy uses the natural logarithm.",
        tuple({"loss_term": _logarithm(base), "loss": _logarithm(base)} for base in (10, 2)),
    ),
    Mistake(
        "cross-entropy-sign-or-mean",
        "Cross-entropy without its minus, or averaged over classes",
        "The minus was forgotten, or the sum divided by the number of classes.\nIt is -Σ t·ln(o).",
        ({"loss": entropy_sign}, {"loss": entropy_mean}),
    ),
    Mistake(
        "binary-formula-on-softmax",
        "The formula for two classes is used on softmax",
        "(1 - t)·ln(1 - p) was added for every class.\nWith softmax only the terms t·ln(p) are added.",
        ({"loss": binary_formula},),
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
