"""Reading convolutions, poolings and flatten: kernels, and the size of the maps they make.

Size along one direction (PyTorch's Conv2d, MaxPool2d, ConvTranspose2d):
⌊(n + p − d·(k − 1) − 1)/s⌋ + 1 with kernel k, stride s, dilation d and p zeros added on both sides together; transposed:
(n − 1)·s − p + k.
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.core.index import Axis
from handcalc.layers.activations import activations
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Axes, Incoming, check_size, names_of, nested, numbers, unnamed

SPACE = ("row", "column")
Before = tuple[int, ...]
Padding = list[tuple[int, int]]


def convolution(incoming: Incoming) -> Layer | None:
    """conv2d and conv1d: kernels, one map per filter."""
    space = SPACE if incoming.kind == "conv2d" else SPACE[1:]
    if not incoming.wants(space, ("channel", *space)):
        return None
    kernel = _kernel(incoming, space)
    if kernel is None:
        return None
    stride, dilation = (_along(incoming, key, 1, space) for key in ("stride", "dilation"))
    padding = _padding(incoming, space, _sides(kernel.axes, space), stride, dilation)
    if stride is None or dilation is None or padding is None:
        return None
    return _maps(incoming, kernel, kernel.axes[0], stride, dilation, padding)


def transposed(incoming: Incoming) -> Layer | None:
    """conv_transpose2d: every number of the input spreads a kernel over the output."""
    if not incoming.wants(SPACE, ("channel", *SPACE)):
        return None
    kernel = _kernel(incoming, SPACE, transposed=True)
    if kernel is None:
        return None
    stride, dilation = _along(incoming, "stride", 1, SPACE), (1, 1)
    padding = _padding(incoming, SPACE, _sides(kernel.axes, SPACE), stride, dilation)
    if stride is None or padding is None:
        return None
    return _maps(incoming, kernel, kernel.axes[-3], stride, dilation, padding, transposed=True)


def _maps(
    incoming: Incoming, kernel: Tensor, filters: Axis, stride: Before, dilation: Before, padding: Padding, transposed: bool = False
) -> Layer | None:
    """The layer: sizes of its maps, bias, activation."""
    space = tuple(axis.role for axis in incoming.axes if axis.role in SPACE)
    sides, width = _sides(incoming.axes, space), _sides(kernel.axes, space)
    sizes = [
        (n - 1) * s - 2 * before + k if transposed else (n + before + after - d * (k - 1) - 1) // s + 1
        for n, k, s, d, (before, after) in zip(sides, width, stride, dilation, padding)
    ]
    if min(sizes) < 1:
        incoming.entry.fail("the kernel is larger than its input: {kernel} on {input}", kernel=_by(width), input=_by(sides))
        return None
    axes = (filters, *(Axis(role, one) for role, one in zip(space, sizes)))
    if not check_size(incoming.entry, axes):
        return None
    tensors = [kernel]
    bias = incoming.tensor("bias", "bias", (filters,))
    if bias is not None:
        tensors.append(bias)
    options = {"stride": stride, "padding": tuple(before for before, _ in padding), "dilation": dilation}
    chosen = activations(incoming.found.get("activation"), ())
    return Layer(names_of(axes), chosen, type=incoming.kind, axes=axes, tensors=tuple(tensors), options=options)


def _by(sizes: list[int]) -> str:
    return "×".join(map(str, sizes))


def _sides(axes: Axes, space: tuple[str, ...]) -> list[int]:
    """The sizes along rows and columns."""
    return [axis.size for axis in axes[-len(space) :]]


def _along(incoming: Incoming, key: str, default: int, space: tuple[str, ...]) -> Before | None:
    """A number for each direction; None after an error."""
    pair = incoming.pair(key, default)
    return pair and pair[-len(space) :]


def _kernel(incoming: Incoming, space: tuple[str, ...], transposed: bool = False) -> Tensor | None:
    """The kernels. Numbers as deep as the input has directions, and one deeper for several filters."""
    item = incoming.found.get("weights")
    if item is None:
        incoming.entry.fail("weights are missing")
        return None
    channels = incoming.axes[: len(incoming.axes) - len(space)]
    read = _shape(item)
    if read is None:
        return None
    shape, bare = read, len(incoming.axes)
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


def _padding(
    incoming: Incoming, space: tuple[str, ...], window: Sequence[int], stride: Before | None, dilation: Before | None
) -> Padding | None:
    """(zeros before, zeros after) in every direction; None after an error."""
    item = incoming.found.get("padding")
    word = item.node.value if item is not None and item.kind == "text" else ""
    if item is not None and word == "same":
        if any(one > 1 for one in stride or ()):
            item.fail("padding: same goes with stride 1 only")
        wide = [d * (k - 1) for d, k in zip(dilation or (), window)]
        return [(one // 2, one - one // 2) for one in wide]
    if item is None or word == "valid":
        return [(0, 0)] * len(space)
    pair = incoming.pair("padding", 0, 0)
    return pair and [(one, one) for one in pair[-len(space) :]]


def pooling(incoming: Incoming) -> Layer | None:
    """max_pool and avg_pool: a window that moves by its own size, unless a stride is given."""
    if not incoming.wants(SPACE, ("channel", *SPACE), ("channel", "column"), ("column",)):
        return None
    space = tuple(axis.role for axis in incoming.axes if axis.role in SPACE)
    if "kernel_size" not in incoming.found:
        incoming.entry.fail("the key {key} is missing", key="kernel_size")
        return None
    window = _along(incoming, "kernel_size", 2, space)
    stride = _along(incoming, "stride", 1, space) if "stride" in incoming.found else window
    padding = _padding(incoming, space, window or (), stride, (1,) * len(space))
    if window is None or stride is None or padding is None:
        return None
    counts = incoming.found["count_include_pad"].flag() is not False if "count_include_pad" in incoming.found else True
    if (incoming.kind == "max_pool" or not counts) and any(max(around) >= one for one, around in zip(window, padding)):
        incoming.found["padding"].fail("the padding must be smaller than the window, or a window sees nothing else")
        return None
    sides = _sides(incoming.axes, space)
    sizes = [(n + before + after - k) // s + 1 for n, k, s, (before, after) in zip(sides, window, stride, padding)]
    if min(sizes) < 1:
        incoming.entry.fail("the window is larger than its input: {kernel} on {input}", kernel=_by(list(window)), input=_by(sides))
        return None
    axes = (*unnamed(incoming.axes[: -len(space)]), *(Axis(role, one) for role, one in zip(space, sizes)))
    options = {"window": window, "stride": stride, "padding": tuple(padding), "left_out": not counts and any(map(any, padding))}
    return Layer(names_of(axes), type=incoming.kind, axes=axes, options=options)


def flatten(incoming: Incoming) -> Layer | None:
    """All numbers in one row: the next dense layer sees every one of them."""
    names = names_of(incoming.axes)
    return Layer(names, type="flatten", axes=(Axis("input", len(names), names),))
