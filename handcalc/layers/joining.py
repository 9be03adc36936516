"""Layers that put together what is there already: an activation by itself, outputs side by side, the weights of another layer.

- activation: out = f(x), after pooling, normalisation or a sum; softmax along the last direction.
- concatenate: what comes in, and behind it the outputs of earlier layers, along the features (of maps: along the channels):
  out[k] = x[k] + y[k − n], where a number outside its range is not there, so that every out is one number. Source: PyTorch's cat,
  U-Net and DenseNet.
- multiply: what comes in times the output of an earlier layer, number by number: out = x·y. Where one of both has one number for every
  feature (channel) only, or one for all features, it is a factor for all places there are. Source: Dauphin et al., 2017 (gated linear
  units); Hu et al., 2018 (squeeze and excitation).
- tied: net[k] = Σ_j W[k,j]·x[j] + b[k], or Σ_j W[j,k]·x[j] + b[k] with `transposed`, with the W of an earlier dense layer, or of an
  embedding, whose gradient is the sum over both places. Source: Hinton and Salakhutdinov, 2006 (autoencoders); Press and Wolf, 2017.

Shapes: the sample axis in front; W as in dense.py.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Ref, add, mul, total
from handcalc.core.index import Axis, Index, Position
from handcalc.errors import Message, ProblemError
from handcalc.layers.activations import activations
from handcalc.layers.dense import activated, add_activation, shared_terms
from handcalc.layers.layertype import ACTIVATION, BIAS, EARLIER, MAPS_FIRST, NAMES, LayerOption, LayerType
from handcalc.layers.site import Site, letter, reindexed, shifted
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, features, names_of, spelled, unnamed
from handcalc.problem.values import FLAG

# --- reading ----------------------------------------------------------------------------------------------------------


def read_activation(incoming: Incoming) -> Layer | None:
    """activation: of every number that comes in, or along the last direction."""
    if "activation" not in incoming.found:
        incoming.entry.fail("the key {key} is missing", key="activation")
        return None
    axes = unnamed(incoming.axes)
    chosen = activations(incoming.found["activation"], ())
    return Layer(names_of(axes), chosen, type="activation", axes=axes) if chosen else None


def read_concatenate(incoming: Incoming) -> Layer | None:
    """concatenate: all directions but that of the features must agree."""
    item = incoming.found.get("from")
    if item is None:
        incoming.entry.fail("the key {key} is missing", key="from")
        return None
    parts = (item.sequence() or []) if item.kind == "sequence" else [item]
    places = [place for part in parts if (place := incoming.earlier_layer(part)) is not None]
    if len(places) < max(len(parts), 1):
        return None
    along = features(incoming.axes)
    sizes = [incoming.axes[along].size]
    for place, part in zip(places, parts):
        other = incoming.earlier[place]
        if len(other) != len(incoming.axes) or _without(other, along) != _without(incoming.axes, along):
            text = "layer {layer} (concatenate) puts {other} of layer {place} behind {found}: only the features may differ"
            part.fail(text, layer=incoming.number, other=spelled(other), place=place, found=spelled(incoming.axes))
            return None
        sizes.append(other[along].size)
    axes = unnamed(incoming.axes)
    axes = (*axes[:along], axes[along].replace(size=sum(sizes)), *axes[along + 1 :])
    return Layer(names_of(axes), type="concatenate", axes=axes, options={"from": tuple(places), "sizes": tuple(sizes)})


def _without(axes: tuple[Axis, ...], along: int) -> list[int]:
    return [axis.size for place, axis in enumerate(axes) if place != along]


def read_multiply(incoming: Incoming) -> Layer | None:
    """multiply: both outputs have the same shape, or one of them is spread over the other."""
    place = incoming.named_layer("from")
    if place is None:
        return None
    other = incoming.earlier[place]
    whole = next((one for one, part in ((incoming.axes, other), (other, incoming.axes)) if _spreads(part, one)), None)
    if whole is None:
        text = (
            "layer {layer} (multiply): {found} times {other} of layer {place}: they need the same shape, or one a number for every feature"
        )
        incoming.found["from"].fail(text, layer=incoming.number, other=spelled(other), place=place, found=spelled(incoming.axes))
        return None
    axes = unnamed(whole)
    return Layer(names_of(axes), type="multiply", axes=axes, options={"from": place})


def _spreads(part: tuple[Axis, ...], whole: tuple[Axis, ...]) -> bool:
    """Whether numbers are there for every place of others, or for every feature, or for every place but the features."""
    if len(part) == len(whole):
        return all(one.size in (1, other.size) for one, other in zip(part, whole))
    return len(part) == 1 and part[0].size == whole[features(whole)].size


def read_tied(incoming: Incoming) -> Layer | None:
    """tied: on the features of every time or token."""
    place = incoming.named_layer("from", 1)
    turned = "transposed" in incoming.found and bool(incoming.found["transposed"].flag())
    if place is None or not incoming.neurons:
        return None
    shape = _matrix_of(incoming, place)
    wanted = shape[::-1] if turned else shape
    found = (len(incoming.neurons), incoming.axes[-1].size)
    if found != wanted:
        text = "the weights of layer {place} are for {units} neurons and {inputs} inputs here, found {neurons} and {sources}"
        values = {"units": wanted[0], "inputs": wanted[1], "neurons": found[0], "sources": found[1]}
        incoming.entry.fail(text, place=place, **values)
        return None
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    bias = incoming.tensor("bias", "bias", (unit,))
    chosen = activations(incoming.found.get("activation"), incoming.neurons)
    options = {"from": place, "transposed": turned}
    axes = (*incoming.axes[:-1], unit)
    return Layer(incoming.neurons, chosen, type="tied", axes=axes, tensors=(bias,) if bias else (), options=options)


def _matrix_of(incoming: Incoming, place: int) -> tuple[int, ...]:
    """Rows and columns of the weights of an earlier layer: as they are given, else those of a dense layer."""
    layer = incoming.layers[place - 1]
    given = [tensor.axes for tensor in layer.tensors if (tensor.kind, tensor.role) == ("weight", "")]
    before = incoming.earlier[layer.taken(place)[0]]
    axes = given[0] if given and len(given[0]) == 2 else (incoming.earlier[place][-1], before[-1])
    return tuple(axis.size for axis in axes)


# --- building ---------------------------------------------------------------------------------------------------------


def add_own_activation(site: Site) -> Ref:
    """out = f(what comes in)."""
    if len(site.incoming) != len(site.layer.axes):
        text = "layer {layer} (activation) comes after a flatten layer; put it before that"
        raise ProblemError(Message(text, layer=site.place))
    index = (*site.batch, *site.outgoing)
    unit = index[-1]
    inner = Index(unit.letter + "'", unit.axis)
    family = site.at(*site.outgoing[:-1], inner)
    return site.output(index, activated(site.layer.activations[0], site.source, family, unit, inner))


def add_concatenate(site: Site) -> Ref:
    """The sum of references that are each somewhere else."""
    along = features(site.layer.axes)
    index = site.outgoing
    terms: list[Expr] = []
    before = 0
    for source, size in zip((site.source, *(site.outputs[place] for place in site.layer.options["from"])), site.layer.options["sizes"]):
        places: list[Position] = [*index]
        places[along] = shifted(-before, (1, index[along]))
        terms.append(reindexed(source, site.replace(source=source).incoming, tuple(places)))
        before += size
    return site.output((*site.batch, *index), add(*terms))


def add_multiply(site: Site) -> Ref:
    """x·y; the one with fewer numbers is spread over the other."""
    other = site.outputs[site.layer.options["from"]]
    free = [one.incoming for one in (site, site.replace(source=other))]
    largest = next((one for one in free if len(one) == len(site.layer.axes)), None)
    if largest is None or not all(len(one) in (1, len(largest)) for one in free):
        text = "layer {layer} (multiply) comes after a flatten layer; put it before that"
        raise ProblemError(Message(text, layer=site.place))
    index = tuple(Index(one.letter, axis) for one, axis in zip(largest, site.layer.axes))
    factors = (reindexed(one, own, _places(own, index)) for one, own in zip((site.source, other), free))
    return site.output((*site.batch, *index), mul(*factors))


def _places(own: tuple[Index, ...], index: tuple[Index, ...]) -> tuple[Position, ...]:
    """Where the factor for a place stands: the only number along a direction, or the one of its feature."""
    if len(own) < len(index):
        return (index[features(tuple(one.axis for one in index))],)
    return tuple(0 if mine.axis.size == 1 < one.axis.size else one for mine, one in zip(own, index))


def add_tied(site: Site) -> Ref:
    """With the weights of another layer."""
    place = site.layer.options["from"]
    weight = site.graph.in_layer(place, "weight")
    if not weight or len(site.graph[weight].axes) != 2:
        text = "layer {layer} (tied) needs the weights of a dense or embedding layer, which layer {place} is not"
        raise ProblemError(Message(text, layer=site.place, place=place))
    unit = Index(letter(site.place), site.layer.axes[-1])
    summed = site.incoming[-1]
    entry = Ref(weight, (summed, unit) if site.layer.options["transposed"] else (unit, summed))
    edges = {place[::-1] if site.layer.options["transposed"] else place: of for place, of in site.graph[weight].shared.items()}
    net: Expr = add(total(summed, mul(entry, site.source)), *shared_terms(edges, unit, (summed,), site.source))
    if site.has("bias"):
        net = add(net, site.parameter("bias", "", unit))
    return add_activation(site, (*site.batch, *site.incoming[:-1], unit), net)


# --- types ------------------------------------------------------------------------------------------------------------

OWN_ACTIVATION = LayerType("activation", "activation", (ACTIVATION,), read_activation, add_own_activation, first=MAPS_FIRST)
CONCATENATE = LayerType(
    "concatenate",
    "concatenation",
    (
        ("from", {"anyOf": [EARLIER, {"type": "array", "items": EARLIER}]},
         "the layer whose output is put behind what comes in, or several; 0: the inputs", "[0, 1]"),
    ),
    read_concatenate,
    add_concatenate,
    first=MAPS_FIRST,
)  # fmt: skip
MULTIPLY = LayerType(
    "multiply",
    "product",
    (("from", EARLIER, "the layer by whose output what comes in is multiplied, number by number; 0: the inputs", "1"),),
    read_multiply,
    add_multiply,
    first=MAPS_FIRST,
    options=(LayerOption("from", "times the output of layer"),),
    spellings=("mul", "product", "elementwise_product", "hadamard", "gate", "逐元素乘", "逐元素相乘", "逐元素乘积", "哈达玛积", "门控"),
)
TIED = LayerType(
    "tied",
    "fully connected, with shared weights",
    (
        ("neurons", NAMES, "names of the neurons, or their number", "[y1, y2]"),
        ("from", {**EARLIER, "minimum": 1}, "the dense or embedding layer whose weights it has", "1"),
        ("transposed", FLAG, "whether rows and columns of its weights are exchanged", "true"),
        ACTIVATION,
        BIAS,
    ),
    read_tied,
    add_tied,
    options=(LayerOption("from", "weights of layer"), LayerOption("transposed", "The weights are transposed.")),
    has_neurons=True,
)
TYPES = (OWN_ACTIVATION, CONCATENATE, MULTIPLY, TIED)
