"""Nearest-neighbour upsampling: every number of a map becomes a block of equal numbers.

out[f,r,c] = Σ_r' Σ_c' Σ_u Σ_v [r = s·r' + u]·[c = s·c' + v]·x[f,r',c'], with u and v from 0 to s − 1: of all terms one is left.

Shapes (the sample axis in front): x (channel, row, column), or without channel, or in one direction; out the same, s times as wide.
Source: PyTorch's Upsample with mode nearest, Keras' UpSampling2D.
"""

from __future__ import annotations

from handcalc.core.expr import Ref, delta, mul
from handcalc.core.index import Axis, Index
from handcalc.layers.layertype import ROWS_FIRST, LayerOption, LayerType
from handcalc.layers.site import Site, index_of, shifted, totals
from handcalc.layers.windows import INSIDE, PAIR, SPACE, numbers_along, sides
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, check_size, names_of, unnamed


def read_upsampling(incoming: Incoming) -> Layer | None:
    """upsample: how many rows and columns every number becomes."""
    space = tuple(axis.role for axis in incoming.axes if axis.role in SPACE)
    if "scale" not in incoming.found:
        incoming.entry.fail("the key {key} is missing", key="scale")
        return None
    scale = numbers_along(incoming, "scale", 1, space)
    if scale is None:
        return None
    sizes = [size * one for size, one in zip(sides(incoming.axes, space), scale)]
    axes = (*unnamed(incoming.axes[: -len(space)]), *(Axis(role, one) for role, one in zip(space, sizes)))
    return Layer(names_of(axes), type="upsample", axes=axes, options={"scale": scale}) if check_size(incoming.entry, axes) else None


def add_upsampling(site: Site) -> Ref:
    """out[r] = Σ_r' Σ_u [r = s·r' + u]·x[r']."""
    scale = site.layer.options["scale"]
    index = [index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes]
    channels, space = index[: -len(scale)], index[-len(scale) :]
    own = [Index(inner.letter + "'", inner.axis) for inner in site.incoming[-len(scale) :]]
    inside = [Index(INSIDE[along.axis.role], Axis(along.axis.role, one)) for along, one in zip(space, scale)]
    same = [delta(along, shifted(0, (one, source), (1, inner))) for along, one, source, inner in zip(space, scale, own, inside)]
    return site.output((*site.batch, *index), totals((*own, *inside), mul(*same, site.at(*channels, *own))))


UPSAMPLE = LayerType(
    "upsample",
    "upsampling",
    (("scale", PAIR, "how many times as many rows and columns: a number, or rows and columns", "2"),),
    read_upsampling,
    add_upsampling,
    takes=(SPACE, ("channel", *SPACE), ("channel", "column"), ("column",)),
    first=ROWS_FIRST,
    options=(LayerOption("scale", "scale"),),
    spellings=("upsampling", "upsampling1d", "upsampling2d", "upsampling_nearest2d", "nearest", "上采样", "上采样层", "最近邻上采样"),
)
TYPES = (UPSAMPLE,)
