"""What every optimiser shares: the rate, clipping, decay, what is frozen, and the pass with updated parameters.

- `add_updates` applies the problem's optimiser (optimisers.py) to every trained parameter; `frozen_places` are those that stay.
- `look_ahead` makes the forward pass one of ŵ = w + μ·v, where an optimiser takes its gradient there.
- `add_after` re-computes the forward pass and the loss with the updated parameters; `use_updated_weights` is a convention.
- `gradient_norm` defines what training may watch.
"""

from __future__ import annotations

from handcalc.core.expr import ZERO, Expr, Number, Ref, add, call, div, mul, neg, power, rewrite, total, walk
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.quantity import Quantity
from handcalc.loading.rates import rate_of
from handcalc.models import typed
from handcalc.models.optimisers import NUMBERS, OPTIMISERS, STATES, Rule, counted
from handcalc.problem import words
from handcalc.problem.schema import Problem


def add_updates(
    graph: Graph, problem: Problem, parameters: list[Quantity], gradients: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Define rate, changes and updated values of what is trained; answers parameter → updated quantity, and memory → what
    it becomes."""
    memory = {} if problem.learning_rate is None else _add_rate(graph, problem, problem.learning_rate)
    rules = {rule.name for rule in problem.rules}
    if problem.learning_rate is None and not rules:
        return {}, {}
    trained = [parameter for parameter in parameters if parameter.name in gradients and _is_trained(graph, problem, parameter)]
    norm = _norm(graph, problem, trained, gradients)
    updated = dict(typed.add_rule(graph, problem, rule) for rule in problem.rules)
    for parameter in trained:
        if parameter.word in rules:
            continue
        frozen = frozen_places(graph, problem, parameter)
        rule = Rule(graph, problem, parameter, Ref(gradients[parameter.name], parameter.index), frozen)
        rule.rate = _own_rate(graph, problem, parameter) or rule.rate
        _clip(rule, norm)
        _decay(rule)
        change, new = OPTIMISERS[problem.optimizer.name](rule)
        rule.define("delta", change, "change")
        rule.define("new", new, "updated", rule.here)
        updated[parameter.name] = graph.updated(parameter.name)
        memory |= rule.memory
    return updated, memory


def look_ahead(graph: Graph, problem: Problem, parameters: list[Quantity]) -> dict[str, str]:
    """Put ŵ = w + μ·v, with the old v, in the place of what is trained in every formula, where the optimiser takes its gradient there;
    answers parameter → ŵ. The chain rule goes on through ŵ to w."""
    if not words.OPTIMISERS[problem.optimizer.name].ahead or problem.learning_rate is None:
        return {}
    rules = {rule.name for rule in problem.rules}
    trained = [one for one in parameters if one.word not in rules and _is_trained(graph, problem, one)]
    names = {one.name: f"ahead.{one.name}" for one in trained}
    for quantity in [one for one in graph if one.definition is not None]:
        cases = quantity.cases and {place: _renamed(case, names) for place, case in quantity.cases.items()}
        stepwise = quantity.stepwise and _renamed(quantity.stepwise, names)
        definition = quantity.definition and _renamed(quantity.definition, names)
        graph.redefine(quantity.replace(definition=definition, cases=cases, stepwise=stepwise))
    for one in trained:
        here, frozen = Ref(one.name, one.index), frozen_places(graph, problem, one)
        rule = Rule(graph, problem, one, here, frozen)
        formula = add(here, mul(rule.hyper("momentum"), rule.old("velocity")))
        own = Quantity(names[one.name], "part", one.axes, one.index, formula, dict.fromkeys(frozen, here) or None, prefix="ahead")
        graph.define(own.replace(of=here, role="ahead", layer=one.layer), after=one.name)
    return names


def _add_rate(graph: Graph, problem: Problem, start: Number) -> dict[str, str]:
    """η: given, or by a schedule from η₀ and the number of updates before; answers what is remembered for it."""
    if problem.schedule is None:
        graph.given(Quantity("rate", "rate", givens=lambda place: start))
        return {}
    graph.given(Quantity("rate0", "hyper", givens=lambda place: start, role="rate"))
    memory = counted(graph)
    count: Expr = Ref(graph.in_layer(0, "memory", "old count"))
    if problem.schedule.updates > 1:
        count = call("floor", div(count, Number(problem.schedule.updates)))
    names = {"rate": Ref("rate0"), "t": count}
    formula = rewrite(problem.schedule.formula, lambda node: names.get(node.quantity) if isinstance(node, Ref) else None)
    graph.define(Quantity("rate", "rate", definition=formula))
    return memory


def _own_rate(graph: Graph, problem: Problem, parameter: Quantity) -> Ref | None:
    """The learning rates of a parameter's cells, where some have rates of their own; None where all have that of all others."""
    if not problem.rates:
        return None
    name, usual = parameter.name, problem.learning_rate
    own = {place: rate_of(problem, parameter.layer, parameter.word, graph.core((name, place))) for place in graph.positions(name)}
    if not any(own.values()):
        return None
    here, layer = Ref(name, parameter.index), parameter.layer
    first = Quantity(f"rate.{name}", "rate", parameter.axes, parameter.index, prefix="rate", of=here, layer=layer)
    first = first.replace(givens=lambda place: own.get(place) or usual)
    if problem.schedule is None:
        return Ref(graph.given(first).name, parameter.index)
    start = graph.given(first.replace(name=f"rate0.{name}", kind="hyper", role="rate", prefix="rate0"))
    shared = graph[graph.in_layer(0, "rate")].definition
    assert shared is not None
    begun = Ref(start.name, parameter.index)
    formula = rewrite(shared, lambda node: begun if node == Ref("rate0") else None)
    graph.define(first.replace(givens=None, definition=formula))
    return Ref(first.name, parameter.index)


def _norm(graph: Graph, problem: Problem, parameters: list[Quantity], gradients: dict[str, str]) -> Ref | None:
    """‖g‖ over the gradients of all that is trained, where they are clipped by it."""
    if "clip_norm" not in problem.optimizer.numbers or not parameters:
        return None
    found = [_trained_gradient(graph, problem, parameter, gradients[parameter.name]) for parameter in parameters]
    graph.define(Quantity("norm", "state", definition=_length(found), role="norm", letter=NUMBERS["norm"]))
    return Ref("norm")


def _length(gradients: list[Ref]) -> Expr:
    """√Σ g² over every cell."""
    squares = []
    for gradient in gradients:
        square: Expr = power(gradient, Number(2))
        for index in reversed(gradient.indices):
            assert isinstance(index, Index)
            square = total(index, square)
        squares.append(square)
    return call("sqrt", add(*squares))


def gradient_norm(graph: Graph, problem: Problem, updated: dict[str, str]) -> str:
    """Define √Σ g² over all that is trained, which training may watch; answers its name."""
    found = [_trained_gradient(graph, problem, graph[name], graph.gradient(name)) for name in updated]
    graph.define(Quantity("gradient_norm", "state", definition=_length(found), role="gradient_norm"))
    return "gradient_norm"


def _trained_gradient(graph: Graph, problem: Problem, parameter: Quantity, gradient: str) -> Ref:
    """The gradient of a parameter; where some of its numbers are frozen, with 0 for them, as a quantity of its own."""
    frozen = frozen_places(graph, problem, parameter)
    if not frozen:
        return Ref(gradient, parameter.index)
    name, shape = f"trained.{parameter.name}", (parameter.axes, parameter.index)
    if name not in graph:
        own = Quantity(name, "state", *shape, Ref(gradient, parameter.index), dict.fromkeys(frozen, ZERO), prefix="trained", role="trained")
        graph.define(own.replace(of=Ref(parameter.name, parameter.index), letter=STATES["trained"], layer=parameter.layer))
    return Ref(name, parameter.index)


def frozen_places(graph: Graph, problem: Problem, parameter: Quantity) -> list[tuple[int, ...]]:
    """The places of a parameter that are not trained: all of them where the whole is frozen."""
    if any((part.layer, part.kind, part.role) == (parameter.layer, parameter.kind, parameter.role) for part in problem.frozen_parts):
        return list(graph.positions(parameter.name))
    if not problem.frozen:
        return []
    return [place for place in graph.positions(parameter.name) if graph.core((parameter.name, place)) in problem.frozen]


def _is_trained(graph: Graph, problem: Problem, parameter: Quantity) -> bool:
    """Whether any of its numbers is trained."""
    if parameter.kind in ("bias", "threshold") and not problem.trained_biases:
        return False
    frozen = frozen_places(graph, problem, parameter)
    return not frozen or len(frozen) < len(list(graph.positions(parameter.name)))


def _clip(rule: Rule, norm: Ref | None) -> None:
    """g·c/max(c, ‖g‖), which is g·min(1, c/‖g‖) and holds where ‖g‖ is 0, too; or max(−c, min(c, g)).
    Source: Goodfellow, Bengio, Courville, 10.11.1; Pascanu et al., 2013."""
    if norm is not None:
        limit = rule.hyper("clip_norm")
        share = div(limit, call("max", limit, norm))
        rule.gradient = rule.define("clipped", mul(share, rule.gradient))
    elif "clip_value" in rule.problem.optimizer.numbers:
        limit = rule.hyper("clip_value")
        rule.gradient = rule.define("clipped", call("max", neg(limit), call("min", limit, rule.gradient)))


def _decay(rule: Rule) -> None:
    """Weight decay as part of the gradient (L2): g = ∂E/∂w + λ·w; biases have none, unless a convention says so."""
    if rule.decays and rule.problem.optimizer.name != "adamw":
        rule.gradient = rule.define("decayed", add(rule.gradient, mul(rule.hyper("weight_decay"), rule.here)))


def add_after(graph: Graph, forward: list[Quantity], updated: dict[str, str]) -> None:
    """Copy the forward pass with updated parameters: after.net.h1, …, after.loss."""
    reached = _reached(forward, set(updated))
    moved = [quantity for quantity in forward if quantity.name in reached]
    names = {**updated, **{quantity.name: "after." + quantity.name for quantity in moved}}
    for quantity in moved:
        assert quantity.definition is not None
        base = Ref(quantity.name, quantity.index)
        stepwise = quantity.stepwise and _renamed(quantity.stepwise, names)
        cases = quantity.cases and {place: _renamed(case, names) for place, case in quantity.cases.items()}
        graph.define(
            quantity.replace(
                name=names[quantity.name],
                definition=_renamed(quantity.definition, names),
                cases=cases,
                stepwise=stepwise,
                prefix="after",
                of=base,
                names=None,
                stage="after",
            )
        )


def _reached(forward: list[Quantity], changed: set[str]) -> set[str]:
    """The quantities that follow from changed ones; a recurrence is defined with states that come later in the list."""
    found: set[str] = set()
    while True:
        more = {
            quantity.name
            for quantity in forward
            for formula in quantity.formulas
            if any(isinstance(node, Ref) and node.quantity in changed | found for node in walk(formula))
        }
        if more <= found:
            return found
        found |= more


def _renamed(expr: Expr, names: dict[str, str]) -> Expr:
    return rewrite(expr, lambda node: Ref(names[node.quantity], node.indices) if isinstance(node, Ref) and node.quantity in names else None)


def use_updated_weights(graph: Graph, updated: dict[str, str]) -> None:
    """The convention `hidden_error_weights: updated`: the error is sent back through the already updated weights.

    A rewrite of the gradients of outputs (their paths): ∂E/∂out_h = Σ ∂E/∂net_o · w⁺ instead of w.
    """
    weights = {name: new for name, new in updated.items() if graph[name].kind == "weight"}
    for quantity in list(graph):
        if (
            quantity.kind in ("path", "gradient")
            and quantity.of is not None
            and graph[quantity.of.quantity].kind == "out"
            and quantity.definition
        ):
            changed = quantity.replace(
                definition=_renamed(quantity.definition, weights),
                terms=tuple(term.replace(local=_renamed(term.local, weights)) for term in quantity.terms),
            )
            graph.redefine(changed)
