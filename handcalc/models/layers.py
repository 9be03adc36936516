"""The registry of layers, and the forward pass of a network: inputs, then layer after layer.

- `add_layers` defines it; `BUILDERS` is the table: type → a function from a `Site` to the reference of the layer's output.

To add a type: a builder, its line here, its keys in layers/keys.py and its reader in layers.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import Ref
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import Index
from handcalc.models.dense import add_dense
from handcalc.models.site import SPACE, Site, letter, sample_index
from handcalc.problem.dataset import givens
from handcalc.problem.schema import Problem

Builder = Callable[[Site], Ref]


def add_inputs(graph: Graph, problem: Problem) -> Ref:
    """Define the inputs x[s,i], x[s,row,column] …; answers the reference to them."""
    sample = sample_index(problem)
    plain = len(problem.axes) == 1
    own = tuple(Index(letter(0) if plain or axis.role == "input" else SPACE[axis.role], axis) for axis in problem.axes)
    index = (*sample, *own)
    values = givens(problem.samples, "inputs", tuple(axis.size for axis in problem.axes))
    graph.given(Quantity("x", "input", tuple(i.axis for i in index), index, givens=values))
    return Ref("x", index)


def add_layers(graph: Graph, problem: Problem) -> Ref:
    """Define every layer; answers the reference to the network's outputs."""
    source = add_inputs(graph, problem)
    outputs = [source]
    for place, layer in enumerate(problem.layers, 1):
        site = Site(graph, layer, place, source, 1, tuple(outputs), problem.conventions)
        if place > 1 and problem.layers[place - 2].type == "flatten":
            site = site.replace(merged=len(site.incoming))
        source = builder(layer.type)(site)
        outputs.append(source)
    return source


def builder(kind: str) -> Builder:
    """The builder of a type of layer; those of other types than dense are imported when they are needed."""
    if kind == "dense":
        return add_dense
    from handcalc.models import attention, convolution, normalisation, recurrent

    builders: dict[str, Builder] = {
        "conv2d": convolution.add_convolution,
        "conv1d": convolution.add_convolution,
        "conv_transpose2d": convolution.add_transposed,
        "max_pool": convolution.add_pooling,
        "avg_pool": convolution.add_pooling,
        "flatten": convolution.add_flatten,
        "rnn": recurrent.add_rnn,
        "lstm": recurrent.add_lstm,
        "gru": recurrent.add_gru,
        "embedding": attention.add_embedding,
        "positional_encoding": attention.add_positions,
        "attention": attention.add_attention,
        "layer_norm": normalisation.add_layer_norm,
        "batch_norm": normalisation.add_batch_norm,
        "dropout": normalisation.add_dropout,
        "residual": normalisation.add_residual,
    }
    return builders[kind]
