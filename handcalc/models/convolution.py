"""Convolution, transposed convolution and pooling of maps.

- Convolution: net[f,r,c] = Σ_d Σ_u Σ_v W[f,d,u,v]·x[d, s·r + e·u − p, s·c + e·v − p] + b[f], out = f(net), with stride s, padding p
  and dilation e; outside the input x is 0. It is a cross-correlation; by `conventions: {convolution: flipped}` the kernel is turned
  round, W[f,d,K−1−u,K−1−v]. In one direction (conv1d) without r and u.
- Transposed: net[f,r,c] = Σ_d Σ_r' Σ_c' W[d,f, r + p − s·r', c + p − s·c']·x[d,r',c'] + b[f].
- Pooling: the largest number, or the mean, of a window. Padding is never the largest; in a mean it counts as zeros, or not at all:
  then the sum is divided by n[r,c] = Σ_u Σ_v in[s·r + u − p, s·c + v − p], in being 1 at every number of the input.

Shapes (the sample axis in front): x (channel, row, column), W (filter, channel, row, column), b (filter); transposed W
(channel, filter, row, column). The channel of x and W is not there for a plain image.
Source: PyTorch's Conv2d, ConvTranspose2d, MaxPool2d, AvgPool2d; Goodfellow, Bengio, Courville, chapter 9.
"""

from __future__ import annotations

from itertools import product

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, div, mul
from handcalc.core.index import Axis, Index, Position
from handcalc.models.dense import add_activation
from handcalc.models.site import LOWEST, Site, index_of, shifted, totals

WINDOW = {"row": "u", "column": "v"}  # letters inside a kernel


def add_convolution(site: Site) -> Ref:
    """net = Σ W·x + b over the window, out = f(net)."""
    filters, *space = (index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes)
    kernel = _kernel_index(site, filters)
    inside = kernel[len(kernel) - len(space) :]
    options = site.layer.options
    channels = _channels(site)
    places = _window(space, inside, options["stride"], options["dilation"], options["padding"])
    weight = site.parameter("weight", "", *kernel)
    if site.conventions.convolution == "flipped":
        turned = [shifted(index.axis.size - 1, (-1, index)) for index in inside]
        weight = Ref(weight.quantity, (*kernel[: len(kernel) - len(space)], *turned))
    net = totals((*channels, *inside), mul(weight, site.at(*channels, *places)))
    return _mapped(site, (*site.batch, filters, *space), filters, net)


def add_transposed(site: Site) -> Ref:
    """net = Σ W·x + b, every input spreading the kernel."""
    filters, *space = (index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes)
    own = [Index(index.letter + "'", index.axis) for index in site.incoming[len(site.incoming) - len(space) :]]
    channels = _channels(site)
    options = site.layer.options
    inside = [
        shifted(before, (1, index), (-step, source))
        for index, source, step, before in zip(space, own, options["stride"], options["padding"])
    ]
    weight = site.parameter("weight", "", *_kernel_index(site, filters))
    term = mul(Ref(weight.quantity, (*channels, filters, *inside)), site.at(*channels, *own))
    return _mapped(site, (*site.batch, filters, *space), filters, totals((*channels, *own), term))


def _kernel_index(site: Site, filters: Index) -> tuple[Index, ...]:
    """The index letters of the kernels: f, d, u, v."""
    tensor = site.tensor("weight")
    assert tensor is not None
    letters = []
    for axis in tensor.axes:
        if axis.role == "channel":
            letters.append(filters if axis == filters.axis else index_of(axis))
        else:
            letters.append(Index(WINDOW[axis.role], axis))
    return tuple(letters)


def _channels(site: Site) -> tuple[Index, ...]:
    """The index over the channels that come in, if there are any."""
    return tuple(index_of(index.axis) for index in site.incoming if index.axis.role == "channel")


def _mapped(site: Site, index: tuple[Index, ...], filters: Index, net: Expr) -> Ref:
    if site.has("bias"):
        net = add(net, site.parameter("bias", "", filters))
    return add_activation(site, index, net)


def _window(
    space: list[Index], inside: tuple[Index, ...], stride: tuple[int, ...], dilation: tuple[int, ...], padding: tuple[int, ...]
) -> list[Position]:
    """s·r + e·u − p along every direction."""
    return [
        shifted(-before, (step, index), (wide, inner)) for index, inner, step, wide, before in zip(space, inside, stride, dilation, padding)
    ]


def add_pooling(site: Site) -> Ref:
    """out = max or mean of x[s·r + u, s·c + v] over the window."""
    options = site.layer.options
    index = [index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes]
    space = index[len(index) - len(options["window"]) :]
    channels = index[: len(index) - len(space)]
    largest, padding = site.layer.type == "max_pool", options["padding"]
    if largest and any(before or after for before, after in padding):
        site = site.replace(source=_padded(site, padding))
        padding = tuple((0, 0) for _ in padding)
    window: list[Expr] = []
    for offset in product(*map(range, options["window"])):
        places = [shifted(one - before, (step, along)) for along, step, one, (before, _) in zip(space, options["stride"], offset, padding)]
        window.append(site.at(*channels, *places))
    pooled: Expr = window[0]
    if not largest and options["left_out"]:
        pooled = div(add(*window), _counted(site, space))
    elif len(window) > 1:
        pooled = call("max", *window) if largest else mul(Number(1, len(window)), add(*window))
    return site.output((*site.batch, *index), pooled)


def _counted(site: Site, space: list[Index]) -> Ref:
    """How many numbers of the input each window sees."""
    options, inner = site.layer.options, site.incoming[len(site.incoming) - len(space) :]
    here = site.data("inside", inner, lambda at: ONE)
    offsets = [Index(WINDOW[along.axis.role], Axis(along.axis.role, wide)) for along, wide in zip(space, options["window"])]
    steps = zip(space, offsets, options["stride"], options["padding"])
    places = tuple(shifted(-before, (step, along), (1, offset)) for along, offset, step, (before, _) in steps)
    return site.part("counted", tuple(space), totals(tuple(offsets), Ref(here.quantity, places)))


def _padded(site: Site, padding: tuple[tuple[int, int], ...]) -> Ref:
    """The maps with rows and columns around them that are never the largest."""
    channels, inner = site.incoming[: -len(padding)], site.incoming[-len(padding) :]
    space = tuple(
        Index(index.letter, Axis(index.axis.role, index.axis.size + before + after)) for index, (before, after) in zip(inner, padding)
    )

    def outside(place: tuple[int, ...]) -> Number | None:
        within = all(0 <= one - before < index.axis.size for one, index, (before, _) in zip(place, inner, padding))
        return None if within else LOWEST

    border = site.data("border", space, outside)
    moved = [shifted(-before, (1, index)) for index, (before, _) in zip(space, padding)]
    return site.part("padded", (*site.batch, *channels, *space), add(site.at(*channels, *moved), border))


def add_flatten(site: Site) -> Ref:
    """Nothing is computed: the next dense layer sees all directions as one."""
    return site.source
