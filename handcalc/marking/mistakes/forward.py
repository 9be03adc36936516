"""Mistakes of the forward pass: net inputs, activations, softmax."""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.definitions import definition
from handcalc.core.expr import ONE, ZERO, Call, Expr, Number, Power, Quotient, Ref, add, call, div, mul, neg, rewrite, sub
from handcalc.marking.mistakes.entry import BIASES, SOURCES, Mistake, Place, Rule

# --- net inputs -------------------------------------------------------------------------------------------------------


def bias_forgotten(place: Place, formula: Expr) -> Expr | None:
    """z = Σwx"""
    return place.swap(formula, lambda ref: ZERO, *BIASES)


def bias_subtracted(place: Place, formula: Expr) -> Expr | None:
    """z = Σwx − b; a threshold added: z = Σwx + θ"""
    return place.swap(formula, neg, *BIASES)


def bias_times_input(place: Place, formula: Expr) -> Expr | None:
    """z = Σwx + b·x₁"""
    source = place.first(formula, *SOURCES)
    return place.swap(formula, lambda ref: mul(ref, source), *BIASES) if source else None


def transposed(place: Place, formula: Expr) -> Expr | None:
    """z_k = Σ_j w_jk x_j, where W is square"""
    return place.swap(formula, place.turned, "weight")


def _in_first(place: Place, formula: Expr) -> Expr | None:
    return None if place.is_last else transposed(place, formula)


def _in_last(place: Place, formula: Expr) -> Expr | None:
    return transposed(place, formula) if place.is_last else None


# --- activations ------------------------------------------------------------------------------------------------------


def _function(change: Callable[[Call], Expr | None], *names: str) -> Rule:
    """A rule that changes calls of these functions."""

    def rule(place: Place, formula: Expr) -> Expr | None:
        return rewrite(formula, lambda node: change(node) if isinstance(node, Call) and node.function in names else None)

    return rule


def _written_out(node: Call, power: Callable[[Expr], Expr]) -> Expr | None:
    """The definition of a function with another power in the place of e^x."""
    whole = definition(node.function, node.arguments, node.at)
    if whole is None:
        return None
    return rewrite(whole, lambda part: power(part.arguments[0]) if isinstance(part, Call) and part.function == "exp" else None)


def _exp(exponent: Expr) -> Expr:
    return call("exp", exponent)


exponent_sign = _function(lambda node: _written_out(node, lambda z: _exp(neg(z))), "sigmoid", "bipolar_sigmoid", "silu")
parenthesis_lost = _function(lambda node: add(ONE, _exp(neg(node.arguments[0]))), "sigmoid")
ten_for_e = _function(
    lambda node: _written_out(node, lambda z: Power(Number(10), z)), "sigmoid", "bipolar_sigmoid", "silu", "tanh", "softmax"
)
ten_in_step = _function(lambda node: Power(Number(10), node.arguments[0]), "exp")
tan_for_tanh = _function(lambda node: call("tan", node.arguments[0]), "tanh")
tan_of_degrees = _function(lambda node: call("tan", mul(node.arguments[0], call("pi"), Number(1, 180))), "tanh")
tanh_half_angle = _function(lambda node: sub(mul(Number(2), call("sigmoid", node.arguments[0])), ONE), "tanh")


def _net(place: Place, formula: Expr) -> Ref | None:
    """The neuron's own net input"""
    found = place.first(formula, "net")
    return place.same(found.quantity) if found and place.quantity.kind in ("out", "part") else None


def hidden_activation_skipped(place: Place, formula: Expr) -> Expr | None:
    """h = z"""
    return None if place.is_last else _net(place, formula)


def output_activation_skipped(place: Place, formula: Expr) -> Expr | None:
    """o = z"""
    return _net(place, formula) if place.is_last else None


def _slope_one(place: Place, formula: Expr) -> Expr | None:
    """σ' = 1 at the output"""
    return ONE if place.is_last else None


def activation_twice(place: Place, formula: Expr) -> Expr | None:
    """h = σ(σ(z))"""
    if isinstance(formula, Call) and formula.function in ("softmax", "log_softmax"):
        return None
    return place.swap(formula, lambda ref: formula, "net")


def negative_kept(place: Place, formula: Expr) -> Expr | None:
    """max(z, 0) → z; a leak forgotten: max(z, 0)"""

    def change(node: Call) -> Expr | None:
        return node.arguments[0] if node.function == "relu" else call("relu", node.arguments[0])

    return _function(change, "relu", "leaky_relu")(place, formula)


def _slope_of_kept(place: Place, formula: Expr) -> Expr | None:
    """ReLU' = 1; without the leak ReLU'"""

    def change(node: Call) -> Expr | None:
        return ONE if node.function == "relu'" else call("relu'", node.arguments[0], ZERO)

    return _function(change, "relu'", "leaky_relu'")(place, formula)


# --- softmax ----------------------------------------------------------------------------------------------------------

without_exponent = _function(lambda node: div(node.arguments[node.at], add(*node.arguments)), "softmax")
negative_exponent = _function(lambda node: _written_out(node, lambda z: _exp(neg(z))), "softmax")
without_power = _function(lambda node: node.arguments[0], "exp")
negative_power = _function(lambda node: _exp(neg(node.arguments[0])), "exp")
softmax_twice = _function(
    lambda node: node.replace(arguments=tuple(node.replace(at=place) for place in range(len(node.arguments)))), "softmax"
)
without_temperature = _function(lambda node: _undivided(node), "softmax", "log_softmax", "exp")
sigmoid_for_softmax = _function(lambda node: call("sigmoid", node.arguments[node.at]), "softmax")


def _undivided(node: Call) -> Expr | None:
    """A function of z for one of z/T"""
    changed = tuple(one.above if isinstance(one, Quotient) and isinstance(one.below, Number) else one for one in node.arguments)
    return node.replace(arguments=changed) if changed != node.arguments else None


def softmax_along(*roles: str) -> Rule:
    """p_sk = e^z_sk / Σ over another direction than k: the samples, the tokens"""

    def rule(place: Place, formula: Expr) -> Expr | None:
        axes, places, terms = place.quantity.axes, place.cell[1], place.first(formula)
        along = next((number for number, axis in enumerate(axes[:-1]) if axis.role in roles), None)
        if along is None or terms is None or not (isinstance(formula, Call) and formula.function == "softmax"):
            return None
        powers = [_exp(Ref(terms.quantity, (*places[:along], other, *places[along + 1 :]))) for other in range(axes[along].size)]
        return div(powers[places[along]], add(*powers))

    return rule


FORWARD = (
    Mistake(
        "bias-forgotten",
        "The bias is forgotten",
        "The net input was computed without the bias.\nIt is the weighted sum of the inputs plus the bias.",
        ({"net": bias_forgotten},),
    ),
    Mistake(
        "bias-subtracted",
        "The bias has the wrong sign",
        "The bias was subtracted (or a threshold added).\nA bias is added to the weighted sum; only a threshold is subtracted.",
        ({"net": bias_subtracted},),
    ),
    Mistake(
        "bias-times-input",
        "The bias is multiplied by an input",
        "The bias was multiplied by an input.\nIt stands alone, as if its input were 1.",
        ({"net": bias_times_input},),
    ),
    Mistake(
        "first-weights-transposed",
        "The weights into the hidden layer are transposed",
        "The weight from j to k was used for the way from k to j.\nEach neuron uses the weights of its own incoming connections.",
        ({"net": _in_first},),
    ),
    Mistake(
        "output-weights-transposed",
        "The weights into the output layer are transposed",
        "The weight from j to k was used for the way from k to j.\nEach neuron uses the weights of its own incoming connections.",
        ({"net": _in_last},),
    ),
    Mistake(
        "exponent-sign",
        "The exponent has the wrong sign",
        "The sigmoid was computed with e^(+z).\nIt is 1/(1 + e^(-z)), which grows with z.",
        ({"out": exponent_sign},),
    ),
    Mistake(
        "sigmoid-parenthesis-lost",
        "The bracket of the sigmoid is lost",
        "1/1 + e^(-z) was computed.\nThe whole sum 1 + e^(-z) is below the fraction line, so a sigmoid is never above 1.",
        ({"out": parenthesis_lost},),
    ),
    Mistake(
        "ten-for-e",
        "10 is used for e",
        "A power of 10 was computed (the key 10^x for e^x).\nThe base is e = 2.71828…",
        ({"out": ten_for_e}, {"step.exp": ten_in_step}),
    ),
    Mistake(
        "hidden-activation-skipped",
        "The activation of the hidden layer is left out",
        "The net input was passed on as the output of the hidden neuron.\nThe activation function is applied to it first.",
        ({"out": hidden_activation_skipped},),
    ),
    Mistake(
        "output-activation-skipped",
        "The activation of the output layer is left out",
        "The net input was taken as the output, and no derivative of the activation.\nThe activation function is applied to it first.",
        ({"out": output_activation_skipped, "local": _slope_one}, {"out": output_activation_skipped}),
    ),
    Mistake(
        "activation-twice",
        "The activation is applied twice",
        "The activation function was applied to a value that was already activated.\nIt is applied once, to the net input.",
        ({"out": activation_twice},),
    ),
    Mistake(
        "tan-for-tanh",
        "tan is used for tanh",
        "The tangent was computed (of radians or of degrees).\ntanh is the hyperbolic tangent, which lies between -1 and 1.",
        ({"out": tan_for_tanh}, {"out": tan_of_degrees}),
    ),
    Mistake(
        "tanh-half-angle",
        "tanh is computed from the sigmoid of z",
        "2·sigmoid(z) - 1 was computed.\ntanh(z) is 2·sigmoid(2z) - 1.",
        ({"out": tanh_half_angle},),
    ),
    Mistake(
        "relu-negative-kept",
        "A negative net input is kept by ReLU",
        "The negative net input was passed on (or the leak below 0 was forgotten).\nReLU is 0 there; leaky ReLU is the slope times z.",
        ({"out": negative_kept}, {"out": negative_kept, "local": _slope_of_kept}),
    ),
    Mistake(
        "softmax-without-exponent",
        "The exponential of softmax is missing or has the wrong sign",
        "z over the sum of z, or e^(-z), was computed.\nSoftmax is e^z over the sum of all e^z.",
        ({"out": without_exponent}, {"out": negative_exponent}, {"step.exp": without_power}, {"step.exp": negative_power}),
    ),
    Mistake(
        "softmax-wrong-axis",
        "Softmax runs over the samples",
        "The powers were divided by their sum over the samples.\nThe outputs of one sample sum to 1.",
        ({"out": softmax_along("sample")},),
    ),
    Mistake(
        "softmax-twice",
        "Softmax is applied twice",
        "Softmax was applied to probabilities.\nIt is applied once, to the net inputs.",
        ({"out": softmax_twice},),
    ),
    Mistake(
        "temperature-forgotten",
        "The temperature of softmax is forgotten",
        "The powers were taken of z itself.\nEvery z is divided by the temperature first.",
        ({"out": without_temperature}, {"step.exp": without_temperature}),
    ),
    Mistake(
        "sigmoid-for-softmax",
        "A sigmoid is used for softmax",
        "Each output was computed alone, by a sigmoid.\nSoftmax divides e^z by the sum over all outputs, which then sum to 1.",
        ({"out": sigmoid_for_softmax},),
    ),
)
