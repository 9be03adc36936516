"""Activations with parameters of their own, made of straight pieces.

- prelu: out = max(0, x) + a·min(0, x), with one slope a for all, or one for each feature or channel.
- maxout: z[j,u] = Σ_i W[j,u,i]·x[i] + b[j,u], out[j] = the largest z[j,u]; every neuron has k pieces.

Shapes: prelu as what comes in, a () or (feature); maxout x (input), W (unit, piece, input), b (unit, piece), z (unit, piece), out (unit).
Source: He et al., 2015, and PyTorch's nn.PReLU; Goodfellow et al., 2013.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Ref, add, call, mul
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import ARRAY, BIAS, NAMES, LayerType
from handcalc.layers.site import Site, letter, totals
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Axes, Incoming, depth, names_of, nested, spelled, unnamed

# --- reading ----------------------------------------------------------------------------------------------------------


def read_prelu(incoming: Incoming) -> Layer | None:
    """A number is one slope for all, a list has one for each feature or channel."""
    item, axes = incoming.found.get("slope"), unnamed(incoming.axes)
    shared = item is not None and depth(item) == 0
    slope = incoming.needed("slope", "weight", () if shared else (_feature(axes),), "slope")
    return Layer(names_of(axes), type="prelu", axes=axes, tensors=(slope,)) if slope else None


def _feature(axes: Axes) -> Axis:
    """The channels of maps, else the features at the end."""
    return axes[0] if axes[0].role == "channel" else axes[-1]


def read_maxout(incoming: Incoming) -> Layer | None:
    """Pieces below each other in every neuron; how many there are is seen from the weights."""
    if any(axis.role in ("channel", "row", "column") for axis in incoming.axes):
        text = "maps come in ({found}); put a flatten layer between them and a maxout layer"
        incoming.entry.fail(text, found=spelled(incoming.axes))
        return None
    if "weights" not in incoming.found or not incoming.neurons:
        incoming.needed("weights", "weight", ())
        return None
    item = incoming.found["weights"]
    found = nested(item)
    if found is None or len(found[0]) != 3:
        if found is not None:
            item.fail("expected a list for every neuron with a row of weights for each of its pieces, such as {example}",
                      example="[[[0.1, 0.2], [0.3, -0.1]]]")  # fmt: skip
        return None
    if found[0][1] < 2:
        item.fail("maxout needs at least two pieces for each neuron; with one it is a dense layer")
        return None
    unit, piece = Axis("unit", len(incoming.neurons), incoming.neurons), Axis("piece", found[0][1])
    bare = unit.replace(labels=())
    read = [
        incoming.tensor("weights", "weight", (bare, piece, incoming.axes[-1].replace(labels=()))),
        incoming.tensor("bias", "bias", (bare, piece)),
    ]
    if read[0] is None:
        return None
    axes = (*unnamed(incoming.axes[:-1]), unit)
    shown = incoming.neurons if len(axes) == 1 else names_of(axes)
    return Layer(shown, type="maxout", axes=axes, tensors=tuple(tensor for tensor in read if tensor), options={"piece": piece})


# --- building ---------------------------------------------------------------------------------------------------------


def add_prelu(site: Site) -> Ref:
    """Every number by itself."""
    index = site.outgoing
    tensor = site.tensor("weight", "slope")
    feature = next(one for one in (index[0], index[-1]) if one.axis.role == "channel" or one is index[-1])
    slope = site.parameter("weight", "slope", *([feature] if tensor and tensor.axes else []))
    return site.output((*site.batch, *index), call("leaky_relu", site.source, slope))


def add_maxout(site: Site) -> Ref:
    """Every piece is a neuron without an activation; the largest goes on."""
    *before, source = site.incoming
    unit, piece = Index(letter(site.place), site.layer.axes[-1]), Index("u", site.layer.options["piece"])
    weight = site.parameter("weight", "", unit, piece, source)
    whole: Expr = totals((source,), mul(weight, site.source))
    if site.has("bias"):
        whole = add(whole, site.parameter("bias", "", unit, piece))
    made = site.part("piece", (*site.batch, *before, unit, piece), whole)
    pieces = [Ref(made.quantity, (*site.batch, *before, unit, place)) for place in range(piece.axis.size)]
    return site.output((*site.batch, *before, unit), call("max", *pieces) if len(pieces) > 1 else pieces[0])


# --- types ------------------------------------------------------------------------------------------------------------

PRELU = LayerType(
    "prelu",
    "rectifier with a trained slope",
    (("slope", ARRAY, "slope below 0, trained: a number for all, or a list with one for each feature or channel", "0.25"),),
    read_prelu,
    add_prelu,
    first=(("input",), ("token", "input"), ("channel", "row", "column")),
    letters={"slope": Letter("a")},
)
MAXOUT = LayerType(
    "maxout",
    "maxout",
    (
        ("neurons", NAMES, "names of the neurons, or their number", "[h1, h2]"),
        ("weights", ARRAY, "for every neuron a row of weights for each of its pieces", "[[[0.1, 0.2], [0.3, -0.1]]]"),
        BIAS,
    ),
    read_maxout,
    add_maxout,
    letters={"piece": Letter("z")},
    has_neurons=True,
)
TYPES = (PRELU, MAXOUT)
