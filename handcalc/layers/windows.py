"""Windows that move over maps: their keys, how they move, and what padding is around the input.

Shared by convolutions (maps.py) and poolings (pooling.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.errors import Message
from handcalc.layers.layertype import COUNT, WHOLE, LayerOption, Row
from handcalc.problem.reader import FileNode
from handcalc.problem.shapes import Axes, Incoming
from handcalc.problem.values import Shape

SPACE = ("row", "column")
INSIDE = {"row": "u", "column": "v"}  # letters inside a window
Before = tuple[int, ...]
Padding = list[tuple[int, int]]

SIDES = {"row": ("top", "bottom"), "column": ("left", "right")}

PAIR: Shape = {"anyOf": [COUNT, {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 2}]}
AROUND: Shape = {"type": "object", "properties": {side: WHOLE for sides in SIDES.values() for side in sides}, "additionalProperties": False}
STRIDE: Row = ("stride", PAIR, "how far the window moves: a number, or rows and columns", "2")
PADDING: Row = (
    "padding",
    {"anyOf": [WHOLE, {"type": "array"}, AROUND, {"enum": ["valid", "same"]}]},
    "rows and columns of zeros around the input: a number, [rows, columns], or of each side {top, bottom, left, right}; valid: none; "
    "same: so many that the size stays (that of the input divided by the stride, rounded up)",
    "1",
)

MOVES = LayerOption("stride", "stride", plain=1)
ZEROS = LayerOption("padding", "zeros around the input", plain=0)


def by(sizes: list[int]) -> str:
    """2×3."""
    return "×".join(map(str, sizes))


def sides(axes: Axes, space: tuple[str, ...]) -> list[int]:
    """The sizes along rows and columns."""
    return [axis.size for axis in axes[-len(space) :]]


def numbers_along(incoming: Incoming, key: str, default: int, space: tuple[str, ...], least: int = 1) -> Before | None:
    """A number for each direction; None after an error."""
    pair = incoming.pair(key, default, least)
    return pair and pair[-len(space) :]


def padding_of(
    incoming: Incoming,
    space: tuple[str, ...],
    window: Sequence[int],
    stride: Before | None,
    dilation: Before | None,
    transposed: bool = False,
) -> Padding | None:
    """(zeros before, zeros after) in every direction; None after an error. In a transposed convolution places are taken away instead."""
    item = incoming.found.get("padding")
    word = item.stands_for(("valid", "same")) if item is not None and item.kind == "text" else None
    if item is None or word == "valid":
        return [(0, 0)] * len(space)
    if word == "same":
        lengths = [0] * len(space) if transposed else sides(incoming.axes, space)
        wide = zip(lengths, window, stride or (), dilation or ())
        spare = [k - s if transposed else (-(-n // s) - 1) * s + d * (k - 1) + 1 - n for n, k, s, d in wide]
        return [(max(one, 0) // 2, max(one, 0) - max(one, 0) // 2) for one in spare]
    if item.kind == "mapping":
        found = item.section(side for role in space for side in SIDES[role])
        return _whole([[found.get(side) for side in SIDES[role]] for role in space])
    parts = (item.sequence() or []) if item.kind == "sequence" else [item]
    if len(parts) == 4:
        item.fail("four numbers have another order in every library: write {example}", example="{top: 1, bottom: 0, left: 1, right: 0}")
        return None
    if len(parts) == 2 and len(space) == 1:
        return _whole([list(parts)])
    if len(parts) not in (1, len(space)):
        item.fail("expected one number or two, found {found}", found=Message("{count} entries", count=len(parts)))
        return None
    around = [_around(part) for part in parts]
    return _whole([one for one in around if one] * (len(space) // len(parts))) if all(around) else None


def _around(item: FileNode) -> list[FileNode | None] | None:
    """A number for both sides of a direction, or [before, after]; None after an error."""
    parts = (item.sequence() or []) if item.kind == "sequence" else [item, item]
    if len(parts) != 2:
        item.fail("expected [before, after], found {found}", found=Message("{count} entries", count=len(parts)))
        return None
    return [*parts]


def _whole(around: list[list[FileNode | None]]) -> Padding | None:
    """The numbers of both sides of every direction; None after an error."""
    read = [[0 if item is None else item.whole(0, 1000) for item in pair] for pair in around]
    sizes = [(before, after) for before, after in read if before is not None and after is not None]
    return sizes if len(sizes) == len(read) else None
