"""Windows that move over maps: their keys, how they move, and what padding is around the input.

Shared by convolutions (maps.py) and poolings (pooling.py).
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.layers.layertype import COUNT, WHOLE, LayerOption, Row
from handcalc.problem.shapes import Axes, Incoming
from handcalc.problem.values import Shape

SPACE = ("row", "column")
INSIDE = {"row": "u", "column": "v"}  # letters inside a window
Before = tuple[int, ...]
Padding = list[tuple[int, int]]

PAIR: Shape = {"anyOf": [COUNT, {"type": "array", "items": COUNT, "minItems": 1, "maxItems": 2}]}
STRIDE: Row = ("stride", PAIR, "how far the window moves: a number, or rows and columns", "2")
PADDING: Row = ("padding", {"anyOf": [WHOLE, {"type": "array"}, {"enum": ["valid", "same"]}]},
                "rows and columns of zeros around the input; valid: none; same: so many that the size stays", "1")  # fmt: skip

MOVES = LayerOption("stride", "stride", plain=1)
ZEROS = LayerOption("padding", "zeros around the input", plain=0)


def by(sizes: list[int]) -> str:
    """2×3."""
    return "×".join(map(str, sizes))


def sides(axes: Axes, space: tuple[str, ...]) -> list[int]:
    """The sizes along rows and columns."""
    return [axis.size for axis in axes[-len(space) :]]


def numbers_along(incoming: Incoming, key: str, default: int, space: tuple[str, ...]) -> Before | None:
    """A number for each direction; None after an error."""
    pair = incoming.pair(key, default)
    return pair and pair[-len(space) :]


def padding_of(
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
