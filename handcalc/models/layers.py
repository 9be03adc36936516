"""The forward pass of a network: inputs, then layer after layer, each built by its type (handcalc/layers)."""

from __future__ import annotations

from handcalc.core.expr import Ref
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.quantity import Quantity
from handcalc.layers import layer_type
from handcalc.layers.site import Site, index_of, letter, sample_index
from handcalc.problem.dataset import Dataset, givens
from handcalc.problem.schema import Problem


def add_inputs(graph: Graph, problem: Problem) -> Ref:
    """Define the inputs x[s,i], x[s,row,column] …; answers the reference to them."""
    sample = sample_index(problem)
    plain = len(problem.axes) == 1
    own = tuple(Index(letter(0), axis) if plain else index_of(axis) for axis in problem.axes)
    index = (*sample, *own)
    inputs = Quantity("x", "input", tuple(i.axis for i in index), index)
    if problem.standard:
        from handcalc.models.standard import add_standard  # rarely there, so nobody else waits for it

        graph.define(inputs.replace(definition=add_standard(graph, problem, problem.standard, index)))
    else:
        known = isinstance(problem.samples, Dataset) or any(sample.inputs for sample in problem.samples)
        values = givens(problem.samples, "inputs", tuple(axis.size for axis in problem.axes), problem.batch) if known else None
        graph.given(inputs.replace(givens=values))
    return Ref("x", index)


def add_layers(graph: Graph, problem: Problem) -> Ref:
    """Define every layer; answers the reference to the network's outputs."""
    source = add_inputs(graph, problem)
    outputs, merges = [source], [False]
    for place, layer in enumerate(problem.layers, 1):
        kind, before = layer_type(layer.type), layer.taken(place)[0]
        last = place == len(problem.layers)
        site = Site(graph, layer, place, outputs[before], 1, tuple(outputs), problem.conventions, kind.letters, last)
        if merges[before]:
            site = site.replace(merged=len(site.incoming))
        outputs.append(kind.build(site))
        merges.append(kind.merges)
    return outputs[-1]
