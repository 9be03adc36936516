"""Which cells of the graph stand under a key of a layer: the way from the arrays of a framework to steps of the solution.

- `cells_by_key(problem, graph)` answers, for every layer (from 1) and key, the cells in the order in which the numbers of an array stand:
  row by row, with a row per neuron.
"""

from __future__ import annotations

from itertools import product

from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.problem.schema import Layer, Problem

Key = tuple[int, str]  # the number of a layer, the key in its entry


def cells_by_key(problem: Problem, graph: Graph) -> dict[Key, list[Cell]]:
    """The cells of every parameter, by layer and key."""
    found: dict[Key, list[Cell]] = {}
    for number, layer in enumerate(problem.layers, 1):
        if layer.weights is not None:
            found |= _dense(graph, number, layer)
        for tensor in layer.tensors:
            name = graph.in_layer(number, tensor.kind, tensor.role)
            if tensor.key and not tensor.gate and name:
                places = product(*(range(axis.size) for axis in tensor.axes))
                found.setdefault((number, tensor.key), []).extend((name, place) for place in places)
    return found


def _dense(graph: Graph, number: int, layer: Layer) -> dict[Key, list[Cell]]:
    weight, bias = graph.in_layer(number, "weight"), graph.bias(number)
    found = {(number, "weights"): [(weight, place) for place in sorted(graph.positions(weight))]}
    if layer.bias is not None and bias:
        found[number, "bias"] = [(bias, place) for place in sorted(graph.positions(bias))]
    return found
