"""Softmax worked in three steps, as on paper: the powers e^z, their sum, the quotients. A shared denominator is worked once. So is its
logarithm: z − ln of the sum.

- `add_steps(graph, layer, index, softmax, …)` defines the powers and the sum; answers what every output is by them.
- `log_sum(graph, layer, steps)` is ln Σ e^z by the sum that is there.

Shapes: the powers are as many as the outputs, (sample, …, unit); the sum, and the largest z where it is subtracted from each, have no unit:
(sample, …). Slopes follow softmax itself, whose derivative p_k·([k = j] − p_j) is in the names of its outputs.
Source: any textbook; Saito, Deep Learning from Scratch, 3.5, also for the largest.
"""

from __future__ import annotations

from handcalc.core.expr import Entry, Expr, Quotient, Ref, add, call, div, reindex, sub, total
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.quantity import Letter, Quantity

STEPPED = ("softmax", "log_softmax")  # functions of a family that are worked in steps
POWERS = ("exp", "sum", "max")  # roles of those steps


def add_steps(graph: Graph, layer: int, index: tuple[Index, ...], softmax: Entry, last: bool, shifted: bool) -> Expr:
    """exp[k] = e^z[k], sum = Σ_k exp[k]; answers exp[k]/sum, or z[k] − ln sum. shifted: z − max z in the place of z.

    Ids: exp.o1, sum and max; exp1[2,3], sum1[2] and max1[2] where places have numbers.
    """

    def step(role: str, index: tuple[Index, ...], formula: Expr) -> Ref:
        prefix = role if role == "exp" else _word(graph, role, layer, last)
        name, axes = f"{role}{layer}", tuple(i.axis for i in index)
        graph.define(Quantity(name, "step", axes, index, formula, prefix=prefix, role=role, layer=layer, letter=Letter(role)))
        return Ref(name, index)

    before, inner = index[:-1], softmax.index
    own = reindex(softmax.body, {inner.letter: index[-1]})
    if shifted:
        every = [reindex(softmax.body, {inner.letter: place}) for place in range(inner.axis.size)]
        own = sub(own, step("max", before, call("max", *every) if len(every) > 1 else every[0]))
    powers = step("exp", index, call("exp", own))
    whole = step("sum", before, total(inner, Ref(powers.quantity, (*before, inner))))
    return sub(own, call("ln", whole)) if softmax.function == "log_softmax" else div(powers, whole)


def log_sum(graph: Graph, layer: int, steps: Quotient) -> Expr:
    """ln sum; where the largest was subtracted from each, max + ln sum."""
    logarithm, largest = call("ln", steps.below), graph.in_layer(layer, "step", "max")
    return add(Ref(largest, graph[largest].index), logarithm) if largest else logarithm


def _word(graph: Graph, role: str, layer: int, last: bool) -> str:
    """What ids call the sum: `sum` in the last layer, with the layer's number in others, and where an input or parameter is called so."""
    taken = {name for quantity in graph for name in (quantity.names or {}).values()}
    taken |= {label for axis in graph[graph.inputs].axes for label in axis.labels}
    found = role if last and role not in taken else f"{role}{layer}"
    while found in taken:
        found += "'"
    return found
