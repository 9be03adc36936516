"""Pooling of maps, and flatten.

- Pooling: the largest number, or the mean, of a window. Padding is never the largest; in a mean it counts as zeros, or not at all:
  then the sum is divided by n[r,c] = Σ_u Σ_v in[s·r + u − p, s·c + v − p], in being 1 at every number of the input.
- Global pooling: the largest number, or the mean, of a whole map: one number for each channel; or over all tokens or times: one
  number for each feature.
- Flatten computes nothing: the dense layer after it sees all directions as one.

Shapes (the sample axis in front): x and out (channel, row, column), or without channel, or in one direction.
Size along one direction: ⌊(n + p − k)/s⌋ + 1 with window k, stride s and p places added on both sides together.
Source: PyTorch's MaxPool2d, AvgPool2d, AdaptiveAvgPool2d and AdaptiveMaxPool2d to one place, Flatten.
"""

from __future__ import annotations

from itertools import product
from math import prod

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, div, mul
from handcalc.core.index import Axis, Index, Position
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import MAPS_FIRST, ROWS_FIRST, LayerOption, LayerType, Row
from handcalc.layers.site import LOWEST, Site, index_of, shifted, totals
from handcalc.layers.windows import INSIDE, MOVES, PADDING, PAIR, SPACE, STRIDE, ZEROS, by, numbers_along, padding_of, sides
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Incoming, names_of, unnamed
from handcalc.problem.values import FLAG

_POOLED = (*SPACE, "token", "time")  # directions that global pooling goes along

# --- reading ----------------------------------------------------------------------------------------------------------


def read_pooling(incoming: Incoming) -> Layer | None:
    """max_pool and avg_pool: a window that moves by its own size, unless a stride is given."""
    kind = incoming.kind.removesuffix("1d")  # the same in one direction
    space = tuple(axis.role for axis in incoming.axes if axis.role in SPACE)
    if "kernel_size" not in incoming.found:
        incoming.entry.fail("the key {key} is missing", key="kernel_size")
        return None
    window = numbers_along(incoming, "kernel_size", 2, space)
    stride = numbers_along(incoming, "stride", 1, space) if "stride" in incoming.found else window
    padding = padding_of(incoming, space, window or (), stride, (1,) * len(space))
    if window is None or stride is None or padding is None:
        return None
    counts = incoming.found["count_include_pad"].flag() is not False if "count_include_pad" in incoming.found else True
    if (kind == "max_pool" or not counts) and any(max(around) >= one for one, around in zip(window, padding)):
        incoming.found["padding"].fail("the padding must be smaller than the window, or a window sees nothing else")
        return None
    lengths = sides(incoming.axes, space)
    sizes = [(n + before + after - k) // s + 1 for n, k, s, (before, after) in zip(lengths, window, stride, padding)]
    if min(sizes) < 1:
        incoming.entry.fail("the window is larger than its input: {kernel} on {input}", kernel=by(list(window)), input=by(lengths))
        return None
    axes = (*unnamed(incoming.axes[: -len(space)]), *(Axis(role, one) for role, one in zip(space, sizes)))
    options = {"window": window, "stride": stride, "padding": tuple(padding), "left_out": not counts and any(map(any, padding))}
    return Layer(names_of(axes), type=kind, axes=axes, options=options)


def read_global(incoming: Incoming) -> Layer | None:
    """global_avg_pool and global_max_pool: the channels are features for what comes after; tokens and times have features already."""
    kept = tuple(axis.replace(role="input", labels=()) for axis in incoming.axes if axis.role not in _POOLED)
    axes = kept or (Axis("input", 1),)
    return Layer(names_of(axes), type=incoming.kind, axes=axes)


def read_flatten(incoming: Incoming) -> Layer | None:
    """All numbers in one row: the next dense layer sees every one of them."""
    names = names_of(incoming.axes)
    return Layer(names, type="flatten", axes=(Axis("input", len(names), names),))


# --- building ---------------------------------------------------------------------------------------------------------


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


def add_global(site: Site) -> Ref:
    """out = max or mean of x over all rows and columns, tokens or times."""
    pooled = tuple(index for index in site.incoming if index.axis.role in _POOLED)
    feature = index_of(site.layer.axes[0])
    count = prod(index.axis.size for index in pooled)
    index = (*site.batch, feature)

    def at(*places: Position) -> Ref:
        along = dict(zip(pooled, places))
        return site.at(*(along.get(one, feature) for one in site.incoming))

    if site.layer.type == "global_avg_pool":
        return site.output(index, mul(Number(1, count), totals(pooled, at(*pooled))))
    whole = [at(*place) for place in product(*(range(one.axis.size) for one in pooled))]
    return site.output(index, call("max", *whole) if count > 1 else whole[0])


def _counted(site: Site, space: list[Index]) -> Ref:
    """How many numbers of the input each window sees."""
    options, inner = site.layer.options, site.incoming[len(site.incoming) - len(space) :]
    here = site.data("inside", inner, lambda at: ONE)
    offsets = [Index(INSIDE[along.axis.role], Axis(along.axis.role, wide)) for along, wide in zip(space, options["window"])]
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


# --- types ------------------------------------------------------------------------------------------------------------


_WINDOW: Row = ("kernel_size", PAIR, "size of the window", "2")
_PADDED: Row = (
    "padding",
    PADDING[1],
    "rows and columns around the input, which are never the largest: a number, [rows, columns], or {top, bottom, left, right}; valid: none",
    "1",
)


def _kinds(word: str) -> Row:
    """One section for maps and for rows."""
    return ("type", {"enum": [word, f"{word}1d"]}, "kind of layer", word)


_SIZE = LayerOption("window", "window", plain=0)
_TAKEN = (SPACE, ("channel", *SPACE), ("channel", "column"), ("column",))
_ALL_TAKEN = (*_TAKEN, ("token", ""), ("time", ""))

MAX_POOL = LayerType(
    "max_pool",
    "max pooling",
    (_kinds("max_pool"), _WINDOW, STRIDE, _PADDED),
    read_pooling,
    add_pooling,
    takes=_TAKEN,
    first=ROWS_FIRST,
    letters={"padded": Letter("x", "pad"), "border": Letter("p")},
    options=(_SIZE, MOVES, LayerOption("padding", "places around the input that are never the largest", plain=0)),
    spellings=("max_pool2d", "max_pooling", "max_pooling2d", "最大池化", "最大池化层", "最大汇聚"),
)
AVG_POOL = LayerType(
    "avg_pool",
    "average pooling",
    (
        _kinds("avg_pool"),
        _WINDOW,
        STRIDE,
        PADDING,
        ("count_include_pad", FLAG, "whether the zeros around the input count in the mean", "false"),
    ),
    read_pooling,
    add_pooling,
    takes=_TAKEN,
    first=ROWS_FIRST,
    letters={"inside": Letter("in"), "counted": Letter("n")},
    options=(_SIZE, MOVES, ZEROS, LayerOption("left_out", "The zeros around the input do not count in the mean.")),
    spellings=(
        "avg_pool2d",
        "average_pool",
        "average_pooling",
        "average_pooling2d",
        "mean_pool",
        "mean_pooling",
        "平均池化",
        "平均池化层",
        "平均汇聚",
    ),
)
MAX_POOL1D = MAX_POOL.replace(
    word="max_pool1d",
    section="max_pool",
    takes=_TAKEN[2:],
    first=(("column",), ("channel", "column")),
    spellings=("max_pooling1d", "一维最大池化"),
)
AVG_POOL1D = AVG_POOL.replace(
    word="avg_pool1d",
    section="avg_pool",
    takes=_TAKEN[2:],
    first=(("column",), ("channel", "column")),
    spellings=("average_pooling1d", "average_pool1d", "一维平均池化"),
)
FLATTEN = LayerType(
    "flatten", "flatten", (), read_flatten, add_flatten, first=MAPS_FIRST, merges=True, spellings=("展平", "展平层", "拉平")
)
GLOBAL_AVG_POOL = LayerType(
    "global_avg_pool",
    "global average pooling",
    (),
    read_global,
    add_global,
    takes=_ALL_TAKEN,
    first=ROWS_FIRST,
    spellings=(
        "gap", "global_average_pool", "global_average_pooling", "global_average_pooling1d", "global_average_pooling2d",
        "adaptive_avg_pool2d", "mean_over_tokens", "mean_over_times", "全局平均池化", "全局平均池化层", "全局平均汇聚",
    ),
)  # fmt: skip
GLOBAL_MAX_POOL = LayerType(
    "global_max_pool",
    "global max pooling",
    (),
    read_global,
    add_global,
    takes=_ALL_TAKEN,
    first=ROWS_FIRST,
    spellings=(
        "gmp", "global_max_pooling", "global_max_pooling1d", "global_max_pooling2d", "adaptive_max_pool2d",
        "全局最大池化", "全局最大池化层", "全局最大汇聚",
    ),
)  # fmt: skip
TYPES = (MAX_POOL, AVG_POOL, MAX_POOL1D, AVG_POOL1D, GLOBAL_AVG_POOL, GLOBAL_MAX_POOL, FLATTEN)
