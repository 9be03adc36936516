"""The same numbers in another shape.

- transpose: out[i, j] = x[j, i]: rows and columns of a map are exchanged, or tokens and features.
- reshape: out[f, r, c] = x[(R·f + r)·C + c] for R rows and C columns: a row of numbers becomes a map, counted row by row, one channel
  after the other. It undoes flatten, as at the start of a decoder.

Shapes (the sample axis in front): x (n, m) and out (m, n); x (channels·rows·columns) and out (channel, row, column), or without channel.
Source: PyTorch's transpose and Unflatten, Keras' Permute and Reshape.
"""

from __future__ import annotations

from math import prod

from handcalc.core.expr import Ref
from handcalc.core.index import Axis
from handcalc.errors import Message, ProblemError
from handcalc.layers.layertype import COUNT, LayerOption, LayerType
from handcalc.layers.site import Site, index_of, shifted
from handcalc.layers.windows import by
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, names_of, spelled, unnamed

_MAP = ("channel", "row", "column")

# --- reading ----------------------------------------------------------------------------------------------------------


def read_transpose(incoming: Incoming) -> Layer | None:
    """transpose: both directions keep their meaning and exchange their sizes; times are no longer times, but tokens."""
    first, second = unnamed(incoming.axes)
    role = "token" if first.role == "time" else first.role
    axes = (Axis(role, second.size), second.replace(size=first.size))
    return Layer(names_of(axes), type="transpose", axes=axes)


def read_reshape(incoming: Incoming) -> Layer | None:
    """reshape: as many places as numbers come in."""
    if len(incoming.axes) != 1:
        text = "layer {layer} (reshape) takes a row of numbers, such as the neurons of a dense layer, but {found} comes in"
        incoming.entry.fail(text, layer=incoming.number, found=spelled(incoming.axes))
        return None
    item = incoming.found.get("shape")
    if item is None:
        incoming.entry.fail("the key {key} is missing", key="shape")
        return None
    parts = (item.sequence() or []) if item.kind == "sequence" else [item]
    count = incoming.axes[0].size
    if len(parts) not in (2, 3):
        item.fail("expected {rows} or {channels}, found {found}", rows="[rows, columns]", channels="[channels, rows, columns]",
                  found=item.shown)  # fmt: skip
        return None
    sizes = [size for part in parts if (size := part.whole(1, 1000)) is not None]
    if len(sizes) < len(parts):
        return None
    if prod(sizes) != count:
        text = "layer {layer} (reshape): {shape} are {places} numbers, but {count} come in; choose sizes whose product is {count}"
        item.fail(text, layer=incoming.number, shape=by(sizes), places=prod(sizes), count=count)
        return None
    axes = tuple(Axis(role, size) for role, size in zip(_MAP[-len(sizes) :], sizes))
    return Layer(names_of(axes), type="reshape", axes=axes, options={"shape": tuple(sizes)})


# --- building ---------------------------------------------------------------------------------------------------------


def add_transpose(site: Site) -> Ref:
    """out[i, j] = x[j, i]."""
    index = site.outgoing
    return site.output((*site.batch, *index), site.at(*index[::-1]))


def add_reshape(site: Site) -> Ref:
    """out[f, r, c] = x[(R·f + r)·C + c]."""
    if len(site.incoming) != 1:
        text = "layer {layer} (reshape) cannot come after a flatten layer; put a dense layer between them"
        raise ProblemError(Message(text, layer=site.place))
    index = tuple(index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes)
    sizes = site.layer.options["shape"]
    steps = [(prod(sizes[along + 1 :]), one) for along, one in enumerate(index)]
    return site.output((*site.batch, *index), site.at(shifted(0, *steps)))


# --- types ------------------------------------------------------------------------------------------------------------

TRANSPOSE = LayerType(
    "transpose",
    "transpose",
    (),
    read_transpose,
    add_transpose,
    takes=(("row", "column"), ("token", ""), ("time", "")),
    spellings=("permute", "swapaxes", "转置", "转置层"),
)
RESHAPE = LayerType(
    "reshape",
    "reshape",
    (
        (
            "shape",
            {"type": "array", "items": COUNT, "minItems": 2, "maxItems": 3},
            "the map that the numbers become, row by row: [rows, columns] or [channels, rows, columns]",
            "[2, 2]",
        ),
    ),
    read_reshape,
    add_reshape,
    options=(LayerOption("shape", "shape"),),
    spellings=("unflatten", "view", "重塑", "变形", "改变形状"),
)
TYPES = (TRANSPOSE, RESHAPE)
