"""Convolution and transposed convolution of maps.

- Convolution: net[f,r,c] = Σ_d Σ_u Σ_v W[f,d,u,v]·x[d, s·r + e·u − p, s·c + e·v − p] + b[f], out = f(net), with stride s, padding p
  and dilation e; outside the input x is 0. It is a cross-correlation; by `conventions: {convolution: flipped}` the kernel is turned
  round, W[f,d,K−1−u,K−1−v]. In one direction (conv1d) without r and u.
  In groups a filter sees the channels of its own group only: the sum is over the channels d of a group g, x[w·g + d, …].
- Transposed: net[f,r,c] = Σ_d Σ_r' Σ_c' W[d,f, r + p − s·r', c + p − s·c']·x[d,r',c'] + b[f]. In one direction (conv_transpose1d)
  without r and r'.

Shapes (the sample axis in front): x (channel, row, column), W (filter, channel, row, column), b (filter); transposed W
(channel, filter, row, column). The channel of x and W is not there for a plain image.
Size along one direction: ⌊(n + p − d·(k − 1) − 1)/s⌋ + 1 with kernel k, stride s, dilation d and p zeros added on both sides together;
transposed: (n − 1)·s − p + k + o with output padding o, which adds places at the end.
padding: same is what TensorFlow has: a size of ⌈n/s⌉, transposed n·s, and where the zeros are odd, one more at the end.
Source: PyTorch's Conv2d, ConvTranspose2d; TensorFlow's padding; Goodfellow, Bengio, Courville, chapter 9.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Ref, add, delta, mul
from handcalc.core.index import Axis, Index, Position
from handcalc.layers.activations import activations
from handcalc.layers.dense import add_activation
from handcalc.layers.layertype import ACTIVATION, ARRAY, BIAS, COUNT, MAPS_FIRST, NAMES, WHOLE, LayerOption, LayerType, Row, Said
from handcalc.layers.site import Site, index_of, shifted, totals
from handcalc.layers.windows import (
    INSIDE,
    MOVES,
    PADDING,
    PAIR,
    SPACE,
    STRIDE,
    ZEROS,
    Before,
    Padding,
    by,
    numbers_along,
    padding_of,
    sides,
)
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Axes, Incoming, check_size, names_of, nested, numbers

# --- reading ----------------------------------------------------------------------------------------------------------


def read_convolution(incoming: Incoming) -> Layer | None:
    """conv2d and conv1d: kernels, one map per filter."""
    space = SPACE if incoming.kind == "conv2d" else SPACE[1:]
    groups = _groups(incoming)
    kernel = _kernel(incoming, space, groups=groups) if groups else None
    if kernel is None or not _fills(incoming, kernel.axes[0], groups):
        return None
    stride, dilation = (numbers_along(incoming, key, 1, space) for key in ("stride", "dilation"))
    padding = padding_of(incoming, space, sides(kernel.axes, space), stride, dilation)
    if stride is None or dilation is None or padding is None:
        return None
    return _maps(incoming, kernel, kernel.axes[0], stride, dilation, padding)


def _groups(incoming: Incoming) -> int:
    """How many groups of channels there are, each with filters of its own; 0 after an error."""
    item = incoming.found.get("groups")
    if item is None:
        return 1
    channels = incoming.axes[0].size if incoming.axes[0].role == "channel" else 1
    groups = item.whole(1, channels) or 0
    return groups if groups and _parted(item, channels, groups) else 0


def _parted(item: FileNode, channels: int, groups: int) -> bool:
    if channels % groups:
        item.fail("{channels} channels cannot be parted into {groups} groups of the same size", channels=channels, groups=groups)
    return channels % groups == 0


def _fills(incoming: Incoming, filters: Axis, groups: int) -> bool:
    """Whether every group has as many filters."""
    return groups == 1 or _parted(incoming.found["groups"], filters.size, groups)


def read_transposed(incoming: Incoming) -> Layer | None:
    """conv_transpose2d and conv_transpose1d: every number of the input spreads a kernel over the output."""
    space = SPACE if incoming.kind == "conv_transpose2d" else SPACE[1:]
    kernel = _kernel(incoming, space, transposed=True)
    if kernel is None:
        return None
    stride, width = numbers_along(incoming, "stride", 1, space), sides(kernel.axes, space)
    padding = padding_of(incoming, space, width, stride, (1, 1), transposed=True)
    if stride is None or padding is None:
        return None
    added = _added(incoming, space, width, stride)
    return None if added is None else _maps(incoming, kernel, kernel.axes[-1 - len(space)], stride, (1, 1), padding, added)


def _added(incoming: Incoming, space: tuple[str, ...], width: list[int], stride: Before) -> Before | None:
    """The places that are added at the end of a transposed convolution; None after an error."""
    item = incoming.found.get("output_padding")
    if item is None:
        same = "padding" in incoming.found and incoming.found["padding"].typed == "same"
        return tuple(max(s - k, 0) if same else 0 for k, s in zip(width, stride))
    added = numbers_along(incoming, "output_padding", 0, space, 0)
    if added is not None and any(one >= s for one, s in zip(added, stride)):
        item.fail("output_padding must be smaller than the stride")
        return None
    return added


def _maps(
    incoming: Incoming,
    kernel: Tensor,
    filters: Axis,
    stride: Before,
    dilation: Before,
    padding: Padding,
    added: Before | None = None,
) -> Layer | None:
    """The layer: sizes of its maps, bias, activation; added: places at the end of a transposed convolution."""
    space = tuple(axis.role for axis in incoming.axes if axis.role in SPACE)
    lengths, width = sides(incoming.axes, space), sides(kernel.axes, space)
    sizes = [
        (n + before + after - d * (k - 1) - 1) // s + 1 if added is None else (n - 1) * s - before - after + k + added[along]
        for along, (n, k, s, d, (before, after)) in enumerate(zip(lengths, width, stride, dilation, padding))
    ]
    if min(sizes) < 1:
        incoming.entry.fail("the kernel is larger than its input: {kernel} on {input}", kernel=by(width), input=by(lengths))
        return None
    axes = (filters, *(Axis(role, one) for role, one in zip(space, sizes)))
    if not check_size(incoming.entry, axes):
        return None
    tensors = [kernel]
    bias = incoming.tensor("bias", "bias", (filters,))
    if bias is not None:
        tensors.append(bias)
    groups = max(_groups(incoming), 1)
    options = {"window": tuple(width), "stride": stride, "padding": tuple(padding), "dilation": dilation, "groups": groups}
    options["output_padding"] = added
    chosen = activations(incoming.found.get("activation"), ())
    return Layer(names_of(axes), chosen, type=incoming.kind, axes=axes, tensors=tuple(tensors), options=options)


def _kernel(incoming: Incoming, space: tuple[str, ...], transposed: bool = False, groups: int = 1) -> Tensor | None:
    """The kernels. Numbers as deep as the input has directions, and one deeper for several filters (and for the one channel of a plain
    image, as PyTorch has it); in groups a kernel has the channels of its own group."""
    item = incoming.found.get("weights")
    if item is None:
        incoming.entry.fail("weights are missing")
        return None
    channels = tuple(axis.replace(size=axis.size // groups) for axis in incoming.axes[: len(incoming.axes) - len(space)])
    read = _shape(item)
    if read is None:
        return None
    shape, bare = read, len(incoming.axes)
    if len(shape) == bare + 2 and not channels and shape[not transposed] == 1 and item.kind == "sequence":
        shape = (*shape[: not transposed], *shape[1 + (not transposed) :])
    if len(shape) == bare:
        shape = (shape[0], 1, *shape[1:]) if transposed and channels else (1, *shape)
    if len(shape) != bare + 1:
        text = "{found} numbers deep, expected {bare} (one kernel) or {wanted} (several) for {axes}"
        item.fail(text, found=len(read), bare=bare, wanted=bare + 1, axes=" × ".join(axis.role for axis in incoming.axes))
        return None
    count = shape[1] if transposed and channels else shape[0]
    filters = Axis("channel", count, _filters(incoming, count))
    places = tuple(Axis(role, one) for role, one in zip(space, shape[-len(space) :]))
    axes: Axes = (*channels, filters, *places) if transposed else (filters, *channels, *places)
    values = numbers(item, tuple(axis.size for axis in axes), f"W{incoming.number}") if item.kind == "sequence" else None
    if values is None and item.kind != "sequence":
        return incoming.tensor("weights", "weight", axes)
    return Tensor("weight", axes, values, key="weights") if values is not None else None


def _shape(item: FileNode) -> tuple[int, ...] | None:
    if item.kind == "mapping":
        from handcalc.problem.arrays import shape_of

        return shape_of(item)
    found = nested(item)
    return found[0] if found else None


def _filters(incoming: Incoming, count: int) -> tuple[str, ...]:
    """Names of the filters: as typed, else f1, f2 … (f1_1 … where there are several convolutions)."""
    item = incoming.found.get("filters")
    if item is not None and item.kind == "sequence":
        called = tuple(name for part in item.sequence() or () if (name := part.name()))
        for name, part in zip(called, item.sequence() or ()):
            incoming.names.neuron(name, part, True)
        if len(called) == count:
            return called
        item.fail("one name per kernel is expected: {wanted}, found {found}", wanted=count, found=len(called))
    elif item is not None and item.whole(1, 10_000) not in (None, count):
        item.fail("one name per kernel is expected: {wanted}, found {found}", wanted=count, found=item.shown)
    stem = "f" if incoming.number == 1 else f"f{incoming.number}_"
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


# --- building ---------------------------------------------------------------------------------------------------------


def add_convolution(site: Site) -> Ref:
    """net = Σ W·x + b over the window, out = f(net)."""
    filters, *space = (index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes)
    kernel = _kernel_index(site, filters)
    inside = kernel[len(kernel) - len(space) :]
    options = site.layer.options
    channels = _channels(site)
    places = _places(space, inside, options["stride"], options["dilation"], options["padding"])
    weight = site.parameter("weight", "", *kernel)
    if site.conventions.convolution == "flipped":
        turned = [shifted(index.axis.size - 1, (-1, index)) for index in inside]
        weight = Ref(weight.quantity, (*kernel[: len(kernel) - len(space)], *turned))
    net = totals((*channels, *inside), mul(weight, site.at(*channels, *places)))
    if options["groups"] > 1:
        net = _grouped(site, weight, kernel, places)
    return _mapped(site, (*site.batch, filters, *space), filters, net)


def _grouped(site: Site, weight: Ref, kernel: tuple[Index, ...], places: list[Position]) -> Expr:
    """A filter of group g, k·g + m, sees the channels w·g + d of that group only."""
    filters, channel, *inside = kernel
    groups = site.layer.options["groups"]
    if filters.axis.size == groups:  # one filter for each, as in a depthwise convolution
        own = site.at(shifted(0, (channel.axis.size, filters), (1, channel)), *places)
        return totals((channel, *inside), mul(weight, own))
    group, member = Index("g", Axis("head", groups)), Index("m", Axis("channel", filters.axis.size // groups))
    chosen = delta(filters, shifted(0, (member.axis.size, group), (1, member)))
    seen = site.at(shifted(0, (channel.axis.size, group), (1, channel)), *places)
    return totals((group, member, channel, *inside), mul(chosen, weight, seen))


def add_transposed(site: Site) -> Ref:
    """net = Σ W·x + b, every input spreading the kernel."""
    filters, *space = (index_of(axis, "f" if axis.role == "channel" else "") for axis in site.layer.axes)
    own = [Index(index.letter + "'", index.axis) for index in site.incoming[len(site.incoming) - len(space) :]]
    channels = _channels(site)
    options = site.layer.options
    inside = [
        shifted(before, (1, index), (-step, source))
        for index, source, step, (before, _) in zip(space, own, options["stride"], options["padding"])
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
            letters.append(Index(INSIDE[axis.role], axis))
    return tuple(letters)


def _channels(site: Site) -> tuple[Index, ...]:
    """The index over the channels that come in, if there are any."""
    return tuple(index_of(index.axis) for index in site.incoming if index.axis.role == "channel")


def _mapped(site: Site, index: tuple[Index, ...], filters: Index, net: Expr) -> Ref:
    if site.has("bias"):
        net = add(net, site.parameter("bias", "", filters))
    return add_activation(site, index, net)


def _places(space: list[Index], inside: tuple[Index, ...], stride: Before, dilation: Before, padding: Padding) -> list[Position]:
    """s·r + e·u − p along every direction."""
    moves = zip(space, inside, stride, dilation, padding)
    return [shifted(-before, (step, index), (wide, inner)) for index, inner, step, wide, (before, _) in moves]


# --- types ------------------------------------------------------------------------------------------------------------


_DILATION: Row = ("dilation", PAIR, "distance between the numbers that a kernel looks at", "2")
_GROUPS: Row = ("groups", COUNT, "groups of channels, each with kernels of its own; as many as channels: depthwise", "2")
_TOLD = (MOVES, ZEROS, LayerOption("dilation", "dilation", plain=1), LayerOption("groups", "groups of channels", plain=1))
_TAKEN_AWAY: Row = (
    "padding",
    PADDING[1],
    "rows and columns that are taken away around the output: a number, [rows, columns], or {top, bottom, left, right}; same: so many that "
    "the size is that of the input times the stride",
    "1",
)
_ADDED: Row = (
    "output_padding",
    {"anyOf": [WHOLE, {"type": "array", "items": WHOLE, "minItems": 1, "maxItems": 2}]},
    "rows and columns that are added at the end of the output, where the size would be that of several inputs; fewer than the stride",
    "1",
)
_SPREADS = (
    MOVES,
    LayerOption("padding", "places taken away around the output", plain=0),
    LayerOption("output_padding", "places added at the end of the output", plain=0),
)
_LAID = (
    Said("convolution", "cross_correlation", "The kernel is laid over the input as it is (cross-correlation)."),
    Said("convolution", "flipped", "The kernel is turned round before it is laid over the input (convolution)."),
)


def _kernels(size: str) -> tuple[Row, Row]:
    return (
        ("filters", NAMES, "names of the kernels, or their number", "[edge, blob]"),
        ("weights", ARRAY, f"the kernels, {size}", "[[1, 0, -1], [1, 0, -1], [1, 0, -1]]"),
    )


CONV2D = LayerType(
    "conv2d",
    "convolution",
    (
        *_kernels("filter × channel × row × column; without filter for one kernel, without channel for a plain image"),
        BIAS, ACTIVATION, STRIDE, PADDING, _DILATION, _GROUPS,
    ),
    read_convolution,
    add_convolution,
    takes=(SPACE, ("channel", *SPACE)),
    first=MAPS_FIRST,
    options=_TOLD,
    conventions=_LAID,
    spellings=("conv", "convolution", "convolutional", "convolution2d", "卷积", "卷积层", "二维卷积"),
)  # fmt: skip
CONV1D = LayerType(
    "conv1d",
    "convolution",
    (
        *_kernels("filter × channel × column; without filter for one kernel, without channel for a plain row"),
        BIAS, ACTIVATION, STRIDE, PADDING, _DILATION, _GROUPS,
    ),
    read_convolution,
    add_convolution,
    takes=(SPACE[1:], ("channel", *SPACE[1:])),
    first=(("column",), ("channel", "column")),
    options=_TOLD,
    conventions=_LAID,
    spellings=("convolution1d", "一维卷积"),
)  # fmt: skip
_SPREAD = (BIAS, ACTIVATION, STRIDE, _TAKEN_AWAY, _ADDED)
CONV_TRANSPOSE2D = LayerType(
    "conv_transpose2d",
    "transposed convolution",
    (*_kernels("channel × filter × row × column; shorter as for conv2d"), *_SPREAD),
    read_transposed,
    add_transposed,
    takes=(SPACE, ("channel", *SPACE)),
    first=MAPS_FIRST,
    options=_SPREADS,
    spellings=("transposed_convolution", "conv2d_transpose", "deconv", "deconvolution", "转置卷积", "反卷积"),
)
CONV_TRANSPOSE1D = LayerType(
    "conv_transpose1d",
    "transposed convolution",
    (*_kernels("channel × filter × column; shorter as for conv1d"), *_SPREAD),
    read_transposed,
    add_transposed,
    takes=(SPACE[1:], ("channel", *SPACE[1:])),
    first=(("column",), ("channel", "column")),
    options=_SPREADS,
    spellings=("conv1d_transpose", "一维转置卷积", "一维反卷积"),
)
TYPES = (CONV2D, CONV1D, CONV_TRANSPOSE2D, CONV_TRANSPOSE1D)
