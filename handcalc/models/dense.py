"""Fully connected layers: net[k] = Σ_j W[k,j]·out[j] + b[k], out[k] = f(net[k]).

- `add_dense` defines a layer; `add_activation` the net inputs and outputs of any layer that has both.

Shapes: inputs (sample, input), W (unit, input), b (unit) or () or (unit, input), net and out (sample, unit); the sample
axis is there only with several samples. A missing edge is an absent cell, so its term is not there.
Source: any textbook; the layout is PyTorch's nn.Linear (one row of W per neuron).
"""

from __future__ import annotations

from handcalc.core.expr import Call, Entry, Expr, Ref, add, mul, neg, rewrite
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import Axis, Index, through
from handcalc.models.site import Site, letter, totals
from handcalc.problem.schema import Activation, Layer


def add_dense(site: Site) -> Ref:
    """net = Σ W·source + b, out = f(net). On the last direction of what comes in, or on all of them after a flatten."""
    layer, place, source = site.layer, site.place, site.source
    unit = Index(letter(place), Axis("unit", len(layer.neurons), layer.neurons))
    apart = len(site.incoming) - site.merged
    summed = site.incoming[apart:]
    index = (*site.batch, *site.incoming[:apart], unit)
    axes = (unit.axis, *(Axis("input", i.axis.size, i.axis.labels) if len(summed) == 1 else i.axis for i in summed))
    values = layer.weights.get
    if len(summed) > 1:  # typed as one row of all inputs
        values = lambda at: layer.weights.get((at[0], through((axis.size for axis in axes[1:]), at[1:])))  # noqa: E731
    merged = len(summed) if len(summed) > 1 else 0
    weight = Quantity(
        f"W{place}", "weight", axes, (unit, *summed), givens=values, names=layer.weight_names, layer=place, merged=merged
    )  # fmt: skip
    site.graph.given(weight)
    term = mul(Ref(weight.name, (unit, *summed)), source)
    net = _with_bias(site.graph, layer, place, unit, summed, term)
    return add_activation(site, index, net)


def add_activation(site: Site, index: tuple[Index, ...], net: Expr) -> Ref:
    """Define net and out of a layer, cell by cell; a softmax goes along the last index."""
    place, layer, unit = site.place, site.layer, index[-1]
    axes = tuple(i.axis for i in index)
    site.graph.define(Quantity(f"net{place}", "net", axes, index, net, prefix="net", layer=place))
    before = Ref(f"net{place}", index)
    inner = Index(unit.letter + "'", unit.axis)
    family = Ref(f"net{place}", (*index[:-1], inner))
    formulas = [_activation(activation, before, family, unit, inner) for activation in layer.activations]
    cases: dict[tuple[int, ...], Expr] | None = (
        {(unit_place,): formula for unit_place, formula in enumerate(formulas)} if len(set(formulas)) > 1 else None
    )
    site.graph.define(Quantity(f"out{place}", "out", axes, index, formulas[0], cases, prefix="out", layer=place))
    return Ref(f"out{place}", index)


def _with_bias(graph: Graph, layer: Layer, place: int, unit: Index, summed: tuple[Index, ...], term: Expr) -> Expr:
    """Σ term + b, or Σ (term + b) with a bias on every connection; a threshold is subtracted."""
    bias = layer.bias
    if bias is None:
        return totals(summed, term)
    inputs = summed[0]
    index = {"shared": (), "neuron": (unit,), "connection": (unit, inputs)}[bias.form]
    axes = tuple(Axis("input", i.axis.size, i.axis.labels) if i is inputs else i.axis for i in index)
    kind = "threshold" if bias.threshold else "bias"
    graph.given(Quantity(f"b{place}", kind, axes, index, givens=bias.get, names=bias.names, layer=place))
    added = neg(Ref(f"b{place}", index)) if bias.threshold else Ref(f"b{place}", index)
    if bias.form == "connection":
        return totals(summed, add(term, added))
    return add(totals(summed, term), added)


def _activation(activation: Activation, before: Ref, family: Ref, unit: Index, inner: Index) -> Expr:
    if activation.formula is None:
        return Entry(activation.name, unit, inner, family)
    placed = rewrite(activation.formula, lambda node: before if isinstance(node, Ref) else None)
    return placed.arguments[0] if isinstance(placed, Call) and placed.function == "identity" else placed
