"""Builders: each turns a part of a problem into quantities of the one graph.

`build(problem)` defines everything: forward pass, loss, gradients, updates, re-computation. The order of its lines is
the order of the worked solution.
"""

from __future__ import annotations

from collections.abc import Collection

from handcalc.core.chainrule import add_gradients, add_path
from handcalc.core.derivative import differentiate
from handcalc.core.expr import Number, Ref, Total, add, mul, total, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity
from handcalc.layers import layer_type
from handcalc.layers.activations import has_slope
from handcalc.layers.site import sample_index
from handcalc.models import equations, kinks, layers, losses, penalties, updates
from handcalc.models.model import Model, shared
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.schema import Problem

NOT_DIFFERENTIATED = ("input", "target", "rate", "hyper", "memory")


def build(problem: Problem, named: Collection[str] = ()) -> Model:
    """The graph of a problem; named: gradients that formulas have by name, even where they are always the same number."""
    graph, output = Graph(), None
    if problem.layers:
        output = layers.add_layers(graph, problem)
        objective = losses.add_loss(graph, problem, output)
    else:
        objective = equations.add_equations(graph, problem)
    carried = _carried(graph, problem)
    if problem.called:
        from handcalc.models.called import with_parameters  # rarely asked for, so nobody else waits for it

        problem = with_parameters(problem, graph, objective)
    if problem.fixed:
        return _from_the_middle(problem, graph, objective, carried, output, named)
    if not objective and not problem.rules:
        return Model(graph, {}, "", carried, output)
    return shared(problem, graph, lambda formal: _completed(formal, graph, objective, carried, output))


def _from_the_middle(
    problem: Problem, graph: Graph, objective: str, carried: dict[str, str], output: Ref | None, named: Collection[str]
) -> Model:
    """The model with numbers in the place of what would be worked out; without a loss, gradients come from above."""
    from handcalc.models import given  # rarely asked for, so nobody else waits for it

    objective = objective or given.add_upstream(graph, problem, output, _mixes_samples(graph))
    if named:
        model = _completed(problem, graph, objective, carried, output, named)
    else:
        model = shared(problem, graph, lambda formal: _completed(formal, graph, objective, carried, output))
    numbers = given.numbers_of(problem, model)
    always = {name for name, _ in numbers if isinstance(model.graph[name].definition, Number)} - {*named}
    if always:
        return build(problem, always)
    return given.with_numbers(problem, model, numbers, lambda: build(problem.replace(fixed=())))


def _completed(
    problem: Problem, graph: Graph, objective: str, carried: dict[str, str], output: Ref | None, named: Collection[str] = ()
) -> Model:
    """What follows from the forward pass: gradients, updates, re-computation. It sees no numbers of samples and parameters."""
    ahead = updates.look_ahead(graph, problem, _parameters(problem, list(graph)))
    forward = [quantity for quantity in graph if quantity.kind not in ("state", "local")]
    if not objective:
        updated, _ = updates.add_updates(graph, problem, _parameters(problem, forward), {})
        updates.add_after(graph, forward, updated)
        return Model(graph, updated, "", carried, output)
    above = graph[objective].role == "upstream"  # instead of a loss
    if graph[objective].role == "each" and _mixes_samples(graph):
        objective = graph.in_layer(0, "loss")
    gradients = _gradients(graph, problem, objective, named)
    parameters = _parameters(problem, forward)
    direct = graph[objective].kind == "error"
    if direct or graph[objective].axes:
        gradients |= _reductions(graph, problem, gradients, [graph[ahead.get(one.name, one.name)] for one in parameters])
    updated, memory = updates.add_updates(graph, problem, parameters, gradients)
    memory |= carried
    if problem.conventions.hidden_error_weights == "updated":
        updates.use_updated_weights(graph, updated)
    kinks.apply_conventions(graph, problem.conventions)
    if not above:
        updates.add_after(graph, forward, {ahead.get(name, name): new for name, new in updated.items()})
    return Model(graph, updated, "" if direct or above else graph.in_layer(0, "loss") or objective, memory, output)


def _parameters(problem: Problem, forward: list[Quantity]) -> list[Quantity]:
    return [quantity for quantity in forward if quantity.kind in PARAMETERS or quantity.word in problem.parameters]


def _carried(graph: Graph, problem: Problem) -> dict[str, str]:
    """What a layer remembers, such as running means, and what it becomes: in evaluation it stays what it is."""
    roles = ((number, role) for number, layer in enumerate(problem.layers, 1) for role in layer_type(layer.type).carried)
    names = [name for number, role in roles if (name := graph.in_layer(number, "input", role))]
    return {name: graph.related("carried", name) or name for name in names}


def _mixes_samples(graph: Graph) -> bool:
    """Whether an output depends on other samples, as after batch normalisation: then no sample has gradients of its own."""
    formulas = [quantity.definition for quantity in graph if quantity.kind != "loss" and quantity.definition is not None]
    return any(isinstance(node, Total) and node.index.axis.role == "sample" for formula in formulas for node in walk(formula))


def _gradients(graph: Graph, problem: Problem, objective: str, named: Collection[str]) -> dict[str, str]:
    def wanted(quantity: Quantity) -> bool:
        if problem.input_gradients and quantity.name == graph.inputs:
            return True
        return quantity.kind not in NOT_DIFFERENTIATED and quantity.role != "column" and not quantity.held

    if graph[objective].kind != "error":
        return add_gradients(graph, objective, wanted, named=named)
    last = problem.layers[-1].activations
    perceptron = bool(last) and not has_slope(last[0])  # Δw = η·e·x
    start = graph.in_layer(len(problem.layers), "net" if perceptron else "out")
    return add_gradients(graph, start, wanted, losses.direct_gradient(graph, graph[start]))


def _reductions(graph: Graph, problem: Problem, gradients: dict[str, str], parameters: list[Quantity]) -> dict[str, str]:
    """With several samples: the gradient of the whole from each sample's own."""
    sample = sample_index(problem)
    if not sample:
        return {}
    each = problem.minimize or graph.in_layer(0, "loss", "each")
    whole = graph.in_layer(0, "loss", "data") or graph.in_layer(0, "loss")
    if each:
        formula = graph[whole].definition
        assert formula is not None
        share = differentiate(formula, Ref(each, sample))
    else:  # error: direct has no loss to derive it from
        share = losses.sample_share(problem)
    reduced = {}
    found = penalties.defined(graph)
    for parameter in parameters:
        name = gradients.get(parameter.name)
        if name is None:
            continue
        own, apart = graph[name], name + "@"
        graph.rename(name, apart, "each")
        formula = mul(share, total(sample[0], Ref(apart, (*sample, *parameter.index))))
        formula = add(formula, *(add_path(graph, penalty, parameter.name) for penalty in found))
        shape = (parameter.axes, parameter.index)
        graph.define(Quantity(name, "gradient", *shape, formula, prefix="grad", of=own.of, layer=own.layer), after=apart)
        reduced[parameter.name] = name
    return reduced
