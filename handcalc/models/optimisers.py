"""Optimisers as quantities of the graph: what each keeps for every parameter, the change, and the updated value.

- `OPTIMISERS` is the table; updates.py applies one of them to every trained parameter.

An optimiser is a function from a `Rule` to the change Δw and the updated value w⁺. It asks the rule for the gradient,
for numbers such as μ (`rule.hyper`), for what is carried from iteration to iteration (`rule.carried`: the velocity
v from the old one, which is 0 at the start), and for roots √s + ε (`rule.root`; √(s + ε) as in d2l and in Keras by
`epsilon_inside`). Every quantity it defines is a step like any other. To add one, write its function, a line in the
table, and its record with its numbers in problem/words.py.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, ZERO, Expr, Number, Ref, add, call, div, mul, neg, power, sub
from handcalc.core.graph import Graph
from handcalc.core.quantity import Letter, Quantity
from handcalc.problem.schema import Problem
from handcalc.problem.words import DAMPENING

# what an optimiser keeps of a parameter → how it is written
STATES = {
    "velocity": Letter("v"), "square": Letter("s"), "steps": Letter("d"), "step": Letter("u"), "clipped": Letter("g", hat=True),
    "decayed": Letter("g"), "trained": Letter("q"), "moment1": Letter("m"), "moment2": Letter("v"), "corrected1": Letter("m", hat=True),
    "corrected2": Letter("v", hat=True),
}  # fmt: skip
# its numbers, where a notation has no letter for them
NUMBERS = {
    "momentum": Letter("μ"), DAMPENING: Letter("τ"), "rho": Letter("ρ"), "beta1": Letter("β", "1"), "beta2": Letter("β", "2"),
    "epsilon": Letter("ε"),
    "weight_decay": Letter("λ"), "clip_norm": Letter("c"), "clip_value": Letter("c"), "count": Letter("n"), "norm": Letter("G"),
}  # fmt: skip
PARAMETERS = ("weight", "bias", "threshold")
Formulas = tuple[Expr, Expr]  # the change Δw, and the updated value w⁺


class Rule:
    """What an optimiser sees of one parameter: itself, its gradient, the rate, and its own numbers and memories."""

    def __init__(self, graph: Graph, problem: Problem, parameter: Quantity, gradient: Ref, frozen: list[tuple[int, ...]]) -> None:
        self.graph = graph
        self.problem = problem
        self.parameter = parameter
        self.gradient: Expr = gradient
        self.here = Ref(parameter.name, parameter.index)
        self.rate = Ref(graph.in_layer(0, "rate"))
        self.frozen = frozen
        self.memory: dict[str, str] = {}

    def hyper(self, name: str) -> Ref:
        """A number of the optimiser, such as μ or β₁; a given of the problem."""
        value = self.problem.optimizer.numbers[name]
        known = self.graph.in_layer(0, "hyper", name)
        if not known:
            self.graph.given(Quantity(name, "hyper", givens=lambda place: value, role=name, letter=NUMBERS[name]))
        return Ref(known or name)

    def define(self, prefix: str, formula: Expr, kind: str = "state", stays: Expr = ZERO) -> Ref:
        """A quantity of this parameter's shape, such as its velocity; stays: what it is where the parameter is frozen."""
        name = f"{prefix}.{self.parameter.name}"
        shape = (self.parameter.axes, self.parameter.index)
        cases = dict.fromkeys(self.frozen, stays) or None
        role, letter = (prefix, STATES[prefix]) if kind == "state" else ("", None)
        quantity = Quantity(name, kind, *shape, formula, cases, prefix=prefix, of=self.here, layer=self.parameter.layer)
        self.graph.define(quantity.replace(role=role, letter=letter))
        return Ref(name, self.parameter.index)

    def carried(self, prefix: str, formula: Callable[[Ref], Expr]) -> Ref:
        """A quantity that is defined by its own old value, 0 at the start: v = formula(old v)."""
        old = self.old(prefix)
        new = self.define(prefix, formula(old))
        self.memory[old.quantity] = new.quantity
        return new

    def old(self, prefix: str) -> Ref:
        """What is remembered of a quantity of the update before."""
        old = f"old.{prefix}.{self.parameter.name}"
        if old not in self.graph:
            shape = (self.parameter.axes, self.parameter.index)
            quantity = Quantity(
                old, "memory", *shape, givens=lambda place: ZERO, prefix=f"old.{prefix}", of=self.here, layer=self.parameter.layer
            )
            self.graph.given(quantity.replace(role=f"old {prefix}", letter=STATES[prefix]))
        return Ref(old, self.parameter.index)

    def count(self) -> Ref:
        """The number of the iteration, from 1."""
        self.memory |= counted(self.graph)
        return Ref(self.graph.in_layer(0, "state", "count"))

    def root(self, square: Expr) -> Expr:
        """√s + ε, or √(s + ε)."""
        epsilon = self.hyper("epsilon")
        if self.problem.optimizer.epsilon_inside:
            return call("sqrt", add(square, epsilon))
        return add(call("sqrt", square), epsilon)

    @property
    def decays(self) -> bool:
        """Whether weight decay is asked for this parameter; biases have none, unless a convention says so."""
        bias = self.parameter.kind in ("bias", "threshold")
        return "weight_decay" in self.problem.optimizer.numbers and (self.problem.conventions.bias_decay or not bias)

    def step(self, change: Expr) -> Formulas:
        """Δw = −step, w⁺ = w − step."""
        return neg(change), sub(self.here, change)


def counted(graph: Graph) -> dict[str, str]:
    """Define the number of the update, from 1: one more than the number before."""
    if not graph.in_layer(0, "state", "count"):
        graph.given(Quantity("old.count", "memory", givens=lambda place: ZERO, role="old count", letter=NUMBERS["count"]))
        graph.define(Quantity("count", "state", definition=add(Ref("old.count"), ONE), role="count", letter=NUMBERS["count"]))
    return {graph.in_layer(0, "memory", "old count"): graph.in_layer(0, "state", "count")}


# --- the optimisers ---------------------------------------------------------------------------------------------------


def sgd(rule: Rule) -> Formulas:
    """Δw = −η·g. Source: Robbins and Monro, 1951."""
    return rule.step(mul(rule.rate, rule.gradient))


def momentum(rule: Rule) -> Formulas:
    """v = μ·v + g, Δw = −η·v (as frameworks do); as textbooks do: v = μ·v − η·g, Δw = v; with the rate inside: v = μ·v + η·g, Δw = −v;
    as an average: v = μ·v + (1 − μ)·g, Δw = −η·v.

    With dampening τ, (1 − τ)·g takes the place of g; so it does in the first update, where PyTorch has g, unless it is given an
    old velocity. Source: Polyak, 1964; PyTorch's SGD; Goodfellow, Bengio, Courville, algorithm 8.2; Ruder, 2016; Ng's course."""
    mu, form = rule.hyper("momentum"), rule.problem.conventions.momentum_form
    gradient = rule.gradient
    if rule.problem.optimizer.numbers[DAMPENING].numerator:
        gradient = mul(sub(ONE, rule.hyper(DAMPENING)), gradient)
    if form == "textbook":
        velocity = rule.carried("velocity", lambda old: sub(mul(mu, old), mul(rule.rate, gradient)))
        return velocity, add(rule.here, velocity)
    if form == "rate_inside":
        velocity = rule.carried("velocity", lambda old: add(mul(mu, old), mul(rule.rate, gradient)))
        return rule.step(velocity)
    if form == "average":
        gradient = mul(sub(ONE, mu), gradient)
    velocity = rule.carried("velocity", lambda old: add(mul(mu, old), gradient))
    return rule.step(mul(rule.rate, velocity))


def nesterov(rule: Rule) -> Formulas:
    """v = μ·v + g, Δw = −η·(g + μ·v) (as frameworks do); as textbooks do: v = μ·v − η·g, Δw = μ·v − η·g, with the new v.
    Source: Nesterov, 1983; Sutskever et al., 2013; PyTorch's SGD with nesterov."""
    mu = rule.hyper("momentum")
    if rule.problem.conventions.momentum_form == "textbook":
        velocity = rule.carried("velocity", lambda old: sub(mul(mu, old), mul(rule.rate, rule.gradient)))
        change = sub(mul(mu, velocity), mul(rule.rate, rule.gradient))
        return change, add(rule.here, change)
    velocity = rule.carried("velocity", lambda old: add(mul(mu, old), rule.gradient))
    return rule.step(mul(rule.rate, add(rule.gradient, mul(mu, velocity))))


def nesterov_ahead(rule: Rule) -> Formulas:
    """v = μ·v − η·g, Δw = v, where g is the gradient at ŵ = w + μ·v, with the old v: the forward pass is worked there.
    Source: Sutskever et al., 2013; Goodfellow, Bengio, Courville, algorithm 8.3."""
    mu = rule.hyper("momentum")
    velocity = rule.carried("velocity", lambda old: sub(mul(mu, old), mul(rule.rate, rule.gradient)))
    return velocity, add(rule.here, velocity)


def adagrad(rule: Rule) -> Formulas:
    """s = s + g², Δw = −η·g/(√s + ε). Source: Duchi, Hazan, Singer, 2011; PyTorch's Adagrad."""
    square = rule.carried("square", lambda old: add(old, power(rule.gradient, Number(2))))
    return rule.step(div(mul(rule.rate, rule.gradient), rule.root(square)))


def rmsprop(rule: Rule) -> Formulas:
    """s = ρ·s + (1 − ρ)·g², Δw = −η·g/(√s + ε). Source: Tieleman and Hinton, 2012; PyTorch's RMSprop (its alpha is ρ)."""
    square = _average(rule, "square", "rho", power(rule.gradient, Number(2)))
    return rule.step(div(mul(rule.rate, rule.gradient), rule.root(square)))


def adadelta(rule: Rule) -> Formulas:
    """s = ρ·s + (1 − ρ)·g², u = √(d + ε)/√(s + ε)·g with the old d, d = ρ·d + (1 − ρ)·u², Δw = −η·u. Source: Zeiler, 2012;
    PyTorch's Adadelta."""
    square = _average(rule, "square", "rho", power(rule.gradient, Number(2)))
    rho, epsilon = rule.hyper("rho"), rule.hyper("epsilon")
    steps: list[Ref] = []

    def squares(old: Ref) -> Expr:
        ratio = div(call("sqrt", add(old, epsilon)), call("sqrt", add(square, epsilon)))
        steps.append(rule.define("step", mul(ratio, rule.gradient)))
        return add(mul(rho, old), mul(sub(ONE, rho), power(steps[0], Number(2))))

    rule.carried("steps", squares)
    return rule.step(mul(rule.rate, steps[0]))


def adam(rule: Rule) -> Formulas:
    """m = β₁·m + (1 − β₁)·g, v = β₂·v + (1 − β₂)·g², m̂ = m/(1 − β₁ᵗ), v̂ = v/(1 − β₂ᵗ), Δw = −η·m̂/(√v̂ + ε).
    Source: Kingma and Ba, 2015, algorithm 1; PyTorch's Adam. Without bias correction m and v take the place of m̂ and v̂."""
    return rule.step(_adam_step(rule))


def adamw(rule: Rule) -> Formulas:
    """As adam, with the decay of the weights apart from the gradient: w⁺ = w − η·m̂/(√v̂ + ε) − η·λ·w.
    Source: Loshchilov and Hutter, 2019; PyTorch's AdamW."""
    step = _adam_step(rule)
    return rule.step(add(step, mul(rule.rate, rule.hyper("weight_decay"), rule.here)) if rule.decays else step)


def _adam_step(rule: Rule) -> Expr:
    first = _average(rule, "moment1", "beta1", rule.gradient)
    second = _average(rule, "moment2", "beta2", power(rule.gradient, Number(2)))
    if rule.problem.conventions.adam_bias_correction:
        count = rule.count()
        first = rule.define("corrected1", div(first, sub(ONE, power(rule.hyper("beta1"), count))))
        second = rule.define("corrected2", div(second, sub(ONE, power(rule.hyper("beta2"), count))))
    return div(mul(rule.rate, first), rule.root(second))


def _average(rule: Rule, prefix: str, share: str, value: Expr) -> Ref:
    """old·β + (1 − β)·value."""
    beta = rule.hyper(share)
    return rule.carried(prefix, lambda old: add(mul(beta, old), mul(sub(ONE, beta), value)))


OPTIMISERS: dict[str, Callable[[Rule], Formulas]] = {
    "sgd": sgd,  # plain gradient descent
    "momentum": momentum,  # with a velocity
    "nesterov": nesterov,  # the velocity looks ahead, as frameworks have it
    "nesterov_ahead": nesterov_ahead,  # the gradient is taken ahead, as books have it
    "adagrad": adagrad,  # by the root of all squares so far
    "rmsprop": rmsprop,  # by the root of an average of squares
    "adadelta": adadelta,  # without units
    "adam": adam,  # averages of gradients and squares
    "adamw": adamw,  # adam with decay apart
}
