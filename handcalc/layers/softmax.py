"""Softmax worked in three steps, as on paper: the powers e^z, their sum, the quotients. A shared denominator is worked once.

- `add_steps(graph, layer, index, softmax, last)` defines the powers and the sum; answers the quotient that every output is.

Shapes: the powers are as many as the outputs, (sample, …, unit); the sum has no unit: (sample, …). Slopes follow softmax itself, whose
derivative p_k·([k = j] − p_j) is in the names of its outputs. Source: any textbook; Saito, Deep Learning from Scratch, 3.5.
"""

from __future__ import annotations

from handcalc.core.expr import Entry, Expr, Ref, call, div, reindex, total
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.quantity import Letter, Quantity


def add_steps(graph: Graph, layer: int, index: tuple[Index, ...], softmax: Entry, last: bool) -> Expr:
    """exp[k] = e^z[k], sum = Σ_k exp[k]; answers exp[k]/sum. Ids: exp.o1 and sum; exp1[2,3] and sum1[2] where places have numbers."""

    def step(role: str, prefix: str, index: tuple[Index, ...], formula: Expr) -> Ref:
        name, axes = f"{role}{layer}", tuple(i.axis for i in index)
        graph.define(Quantity(name, "step", axes, index, formula, prefix=prefix, role=role, layer=layer, letter=Letter(role)))
        return Ref(name, index)

    before, inner = index[:-1], softmax.index
    powers = step("exp", "exp", index, call("exp", reindex(softmax.body, {inner.letter: index[-1]})))
    added = total(inner, Ref(powers.quantity, (*before, inner)))
    return div(powers, step("sum", _word(graph, layer, last), before, added))


def _word(graph: Graph, layer: int, last: bool) -> str:
    """What ids call the sum: `sum` in the last layer, with the layer's number in others, and where an input or parameter is called so."""
    taken = {name for quantity in graph for name in (quantity.names or {}).values()}
    taken |= {label for axis in graph[graph.inputs].axes for label in axis.labels}
    found = "sum" if last and "sum" not in taken else f"sum{layer}"
    while found in taken:
        found += "'"
    return found
