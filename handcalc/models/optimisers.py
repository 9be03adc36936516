"""Optimisers as quantities of the graph: the change of every parameter and its updated value.

- `add_updates` applies the problem's optimiser to every trained parameter; `OPTIMISERS` is the table.
- `add_after` re-computes the forward pass and the loss with the updated parameters.

SGD: Δw = −η·∂E/∂w, w⁺ = w − η·∂E/∂w. To add an optimiser, write one function that defines its state, the change and
the updated value from parameter, gradient and rate, and add its line to the table.
"""

from __future__ import annotations

from handcalc.core.expr import ZERO, Expr, Ref, mul, neg, rewrite, sub, walk
from handcalc.core.graph import Graph, Quantity
from handcalc.problem.schema import Problem

PARAMETERS = ("weight", "bias", "threshold")


def sgd(graph: Graph, parameter: Quantity, gradient: Ref, rate: Ref) -> dict[str, Expr]:
    """Gradient descent: Δw = −η·g, w⁺ = w − η·g; shapes as the parameter's. Source: Robbins and Monro, 1951."""
    step = mul(rate, gradient)
    return {"delta": neg(step), "new": sub(Ref(parameter.name, parameter.index), step)}


OPTIMISERS = {
    "sgd": sgd,  # plain gradient descent
}


def add_updates(graph: Graph, problem: Problem, parameters: list[Quantity], gradients: dict[str, str]) -> dict[str, str]:
    """Define rate, changes and updated values of what is trained; answers parameter → updated quantity."""
    rate = problem.learning_rate
    if rate is None:
        return {}
    graph.given(Quantity("rate", "rate", givens=lambda place: rate))
    updated = {}
    for parameter in parameters:
        trained = problem.trained_biases or parameter.kind not in ("bias", "threshold")
        frozen = (
            [place for place in graph.positions(parameter.name) if graph.core((parameter.name, place)) in problem.frozen]
            if problem.frozen
            else []
        )
        if not trained or parameter.name not in gradients or (frozen and len(frozen) == len(list(graph.positions(parameter.name)))):
            continue
        here = Ref(parameter.name, parameter.index)
        formulas = OPTIMISERS["sgd"](graph, parameter, Ref(gradients[parameter.name], parameter.index), Ref("rate"))
        for prefix, kind, stays in (("delta", "change", ZERO), ("new", "updated", here)):
            name = f"{prefix}.{parameter.name}"
            cases = dict.fromkeys(frozen, stays) or None
            graph.define(
                Quantity(
                    name, kind, parameter.axes, parameter.index, formulas[prefix], cases, prefix=prefix, of=here, layer=parameter.layer
                )
            )
        updated[parameter.name] = f"new.{parameter.name}"
    return updated


def add_after(graph: Graph, forward: list[Quantity], updated: dict[str, str]) -> None:
    """Copy the forward pass with updated parameters: after.net.h1, …, after.loss."""
    names = dict(updated)
    for quantity in forward:
        formulas = [quantity.definition, *(quantity.cases or {}).values()]
        if quantity.definition is None or not any(
            isinstance(node, Ref) and node.quantity in names for formula in formulas if formula for node in walk(formula)
        ):
            continue
        name = "after." + quantity.name
        base = Ref(quantity.name, quantity.index)
        cases = quantity.cases and {place: _renamed(case, names) for place, case in quantity.cases.items()}
        graph.define(
            quantity.replace(
                name=name, definition=_renamed(quantity.definition, names), cases=cases, prefix="after", of=base, names=None, stage="after"
            )
        )
        names[quantity.name] = name


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
