"""Fully connected layers: net[k] = Σ_j W[k,j]·out[j] + b[k], out[k] = f(net[k]).

- `add_inputs` and `add_layers` define the forward pass of a network; `letters` names the indices.

Shapes: inputs (sample, input), W (unit, input), b (unit) or () or (unit, input), net and out (sample, unit); the sample
axis is there only with several samples. A missing edge is an absent cell, so its term is not there.
Source: any textbook; the layout is PyTorch's nn.Linear (one row of W per neuron).
"""

from __future__ import annotations

from handcalc.core.expr import Call, Entry, Expr, Ref, add, mul, neg, rewrite, total
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import Axis, Index
from handcalc.problem.dataset import givens, sample_names
from handcalc.problem.schema import Activation, Layer, Problem

LETTERS = "ijklmnpqrstuvw"


def letter(layer: int) -> str:
    """Index letter of a layer: i for the inputs, j for the first layer after them, …"""
    return LETTERS[layer] if layer < len(LETTERS) else f"{LETTERS[layer % len(LETTERS)]}{layer // len(LETTERS)}"


def sample_index(problem: Problem) -> tuple[Index, ...]:
    """The index over samples, or none where there is one sample only."""
    if len(problem.samples) < 2:
        return ()
    return (Index("s", Axis("sample", len(problem.samples), sample_names(problem.samples))),)


def add_inputs(graph: Graph, problem: Problem) -> Ref:
    """Define the inputs x[s,i]; answers the reference to them."""
    sample = sample_index(problem)
    index = (*sample, Index(letter(0), Axis("input", len(problem.inputs), problem.inputs)))
    values = givens(problem.samples, "inputs", (len(problem.inputs),))
    graph.given(Quantity("x", "input", tuple(i.axis for i in index), index, givens=values))
    return Ref("x", index)


def add_layers(graph: Graph, problem: Problem) -> Ref:
    """Define every layer; answers the reference to the network's outputs."""
    source = add_inputs(graph, problem)
    for place, layer in enumerate(problem.layers, 1):
        source = _layer(graph, layer, place, source)
    return source


def _layer(graph: Graph, layer: Layer, place: int, source: Ref) -> Ref:
    unit = Index(letter(place), Axis("unit", len(layer.neurons), layer.neurons))
    inputs = source.indices[-1]
    assert isinstance(inputs, Index)
    sample = source.indices[:-1]
    index = tuple(i for i in (*sample, unit) if isinstance(i, Index))
    weight = Quantity(
        f"W{place}",
        "weight",
        (unit.axis, Axis("input", inputs.axis.size, inputs.axis.labels)),
        (unit, inputs),
        givens=layer.weights.get,
        names=layer.weight_names,
        layer=place,
    )
    graph.given(weight)
    term = mul(Ref(weight.name, (unit, inputs)), source)
    net = _with_bias(graph, layer, place, unit, inputs, term)
    axes = tuple(i.axis for i in index)
    graph.define(Quantity(f"net{place}", "net", axes, index, net, prefix="net", layer=place))
    before = Ref(f"net{place}", index)
    inner = Index(letter(place) + "'", unit.axis)
    family = Ref(f"net{place}", (*index[:-1], inner))
    formulas = [_activation(activation, before, family, unit, inner) for activation in layer.activations]
    cases: dict[tuple[int, ...], Expr] | None = (
        {(unit_place,): formula for unit_place, formula in enumerate(formulas)} if len(set(formulas)) > 1 else None
    )
    graph.define(Quantity(f"out{place}", "out", axes, index, formulas[0], cases, prefix="out", layer=place))
    return Ref(f"out{place}", index)


def _with_bias(graph: Graph, layer: Layer, place: int, unit: Index, inputs: Index, term: Expr) -> Expr:
    """Σ term + b, or Σ (term + b) with a bias on every connection; a threshold is subtracted."""
    bias = layer.bias
    if bias is None:
        return total(inputs, term)
    index = {"shared": (), "neuron": (unit,), "connection": (unit, inputs)}[bias.form]
    axes = tuple(Axis("input", i.axis.size, i.axis.labels) if i is inputs else i.axis for i in index)
    kind = "threshold" if bias.threshold else "bias"
    graph.given(Quantity(f"b{place}", kind, axes, index, givens=bias.get, names=bias.names, layer=place))
    added = neg(Ref(f"b{place}", index)) if bias.threshold else Ref(f"b{place}", index)
    if bias.form == "connection":
        return total(inputs, add(term, added))
    return add(total(inputs, term), added)


def _activation(activation: Activation, before: Ref, family: Ref, unit: Index, inner: Index) -> Expr:
    if activation.formula is None:
        return Entry(activation.name, unit, inner, family)
    placed = rewrite(activation.formula, lambda node: before if isinstance(node, Ref) else None)
    return placed.arguments[0] if isinstance(placed, Call) and placed.function == "identity" else placed
