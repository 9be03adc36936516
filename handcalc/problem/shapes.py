"""Shapes: the axes of inputs and of what layers put out, and arrays of numbers read by them.

- `Incoming` is a layer being read: its keys, the axes that come in, those of every earlier output.
- `Incoming.tensor(…)` reads parameters of a given shape, `nested(item)` a list of lists of any shape.
- `names_of(axes)` is a name for every place, in order; `spelled(axes)` a shape as text.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from math import prod

from handcalc.core.expr import ZERO, Number
from handcalc.core.index import ROLES, Axis
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.problem.arrays import read_array, shape_of
from handcalc.problem.fields import ROWS_OF
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.names import Names
from handcalc.problem.reader import FileNode, quoted, suggestion
from handcalc.problem.schema import Layer, Tensor

Axes = tuple[Axis, ...]
Flat = dict[tuple[int, ...], Number]
WEIGHT_ROWS = ("neurons", "inputs")  # what a row of a matrix may belong to


class Incoming(Record):
    """One layer being read: its number from 1, its entry and keys, the axes that come in, the axes of every output so far (inputs
    first), names of its neurons, all names, how many samples there are, the layers so far, the names of all
    layers, the layer whose output comes in; numbers: number of an entry of the file → that of its layer, where they differ."""

    number: int
    entry: FileNode
    found: dict[str, FileNode]
    axes: Axes
    earlier: tuple[Axes, ...]
    neurons: tuple[str, ...]
    names: Names
    samples: int = 1
    layers: tuple[Layer, ...] = ()
    called: tuple[str, ...] = ()
    source: int = 0
    numbers: tuple[int, ...] = ()

    def earlier_layer(self, item: FileNode, least: int = 0) -> int | None:
        """The number of a layer above, given by its number or its name; 0: the inputs. None after an error."""
        above = self.called[: self.number - 1]
        if not item.typed or item.typed.lstrip("+-").isdigit():
            numbers = [number for number in self.numbers or range(self.number) if number < self.number]
            found = item.whole(least, len(numbers) - 1)
            return None if found is None else numbers[found]
        if item.typed in above:
            return above.index(item.typed) + 1
        if item.typed in self.called:
            item.fail("layer {found} is not above layer {number}; the output of a layer comes in only below it", found=quoted(item.typed),
                      number=self.number)  # fmt: skip
        else:
            item.fail("there is no layer {found} above{near}", found=quoted(item.typed), near=suggestion(item.typed, above))
        return None

    def named_layer(self, key: str, least: int = 0) -> int | None:
        """The number of the layer above that a key must name. None after an error."""
        if key not in self.found:
            self.entry.fail("the key {key} is missing", key=key)
            return None
        return self.earlier_layer(self.found[key], least)

    def wants(self, *shapes: tuple[str, ...]) -> bool:
        """Whether what comes in has one of these directions; an error that says which layer, what came in, what was expected."""
        roles = tuple(axis.role for axis in self.axes)
        if any(len(shape) == len(roles) and all(want in (role, "") for want, role in zip(shape, roles)) for shape in shapes):
            return True
        expected = [" × ".join(ROLES[role].one if role else "…" for role in shape) for shape in shapes]
        text = "layer {layer} ({type}) takes {expected}, but {found} comes in"
        if self.number == 1 and self.names.given and len(self.axes) == 1:
            text = "layer {layer} ({type}) takes {expected}, but {found} comes in; input_shape: [3, 2] is the size of unknown inputs"
        self.entry.fail(text, layer=self.number, type=self.kind, expected=" | ".join(expected), found=spelled(self.axes))
        return False

    @property
    def kind(self) -> str:
        """The word after `type:`."""
        return (self.found["type"].text() if "type" in self.found else None) or "dense"

    @property
    def by_input(self) -> bool:
        """Whether a row of a matrix belongs to an input."""
        return "weight_rows" in self.found and self.found["weight_rows"].typed == ROWS_OF[1]

    def tensor(self, key: str, kind: str, axes: Axes, role: str = "", found: dict[str, FileNode] | None = None) -> Tensor | None:
        """Parameters of this shape under a key; None where they are not given, or after an error. A plain number is for all places
        of a bias; a matrix may be typed with a row per input."""
        item = (self.found if found is None else found).get(key)
        if item is None:
            return None
        shape = tuple(axis.size for axis in axes)
        turned = kind == "weight" and len(axes) == 2 and self.by_input
        empty = Tensor(kind, axes, {}, role, key, turned=turned)
        if item.names("file"):
            array = read_array(item, shape, turned)
            return empty.replace(values=array) if array is not None else None
        if item.kind == "text" and kind == "bias":
            value = item.number() or ZERO
            return empty.replace(values=dict.fromkeys(product(*map(range, shape)), value))
        typed = axes[::-1] if turned else axes
        directions = ", ".join(ROLES[axis.role].one for axis in typed)
        name = f"{empty.stem}{self.number}" if empty.letter else key
        values = numbers(item, tuple(axis.size for axis in typed), f"{name} ({directions})")
        if values is not None and turned:
            values = {place[::-1]: value for place, value in values.items()}
        return empty.replace(values=values) if values is not None else None

    def needed(
        self, key: str, kind: str, axes: Axes, role: str = "", found: dict[str, FileNode] | None = None, entry: FileNode | None = None
    ) -> Tensor | None:
        """As `tensor`, with an error where it is not given; weights may be unknown where numbers are given for what follows from them."""
        if kind == "weight" and self.names.given and key not in (self.found if found is None else found):
            return Tensor(kind, axes, None, role, key, turned=len(axes) == 2 and self.by_input)
        if key not in (self.found if found is None else found):
            (entry or self.entry).fail("the key {key} is missing", key=key)
        return self.tensor(key, kind, axes, role, found)

    def pair(self, key: str, default: int, least: int = 1) -> tuple[int, int] | None:
        """A number for rows and columns alike, or [rows, columns]; None after an error."""
        item = self.found.get(key)
        if item is None:
            return default, default
        parts = (item.sequence() or []) if item.kind == "sequence" else [item]
        sizes = [size for part in parts if (size := part.whole(least, 1000)) is not None]
        if len(parts) not in (1, 2):
            item.fail("expected one number or two, found {found}", found=Message("{count} entries", count=len(parts)))
            return None
        return (sizes[0], sizes[-1]) if len(sizes) == len(parts) else None


def nested(item: FileNode) -> tuple[tuple[int, ...], list[FileNode]] | None:
    """The shape of a list of lists, and its entries in order; None after an error (rows of different lengths)."""
    if item.kind != "sequence":
        return (), [item]
    parts = [nested(part) for part in item.sequence() or ()]
    if not parts:
        item.fail("the list is empty")
        return None
    if None in parts:
        return None
    shapes = sorted({part[0] for part in parts if part is not None})
    if len(shapes) > 1:
        item.fail("rows of different lengths: {found}", found=", ".join("×".join(map(str, shape)) or "1" for shape in shapes[:4]))
        return None
    return (len(parts), *shapes[0]), [entry for part in parts if part is not None for entry in part[1]]


def depth(item: FileNode) -> int:
    """How deep the lists of a value are, or how many directions the array of a file has; rows may still be of different lengths."""
    if item.names("file"):
        return len(shape_of(item) or ())
    return 1 + max((depth(part) for part in item.sequence() or ()), default=0) if item.kind == "sequence" else 0


def numbers(item: FileNode, shape: tuple[int, ...], what: str) -> Flat | None:
    """Numbers of a given shape by place; axes of size 1 may be left out. An error where the shape is another."""
    found = nested(item)
    if found is None:
        return None
    size, entries = found
    if [one for one in size if one > 1] != [one for one in shape if one > 1]:
        item.fail("{what} is {found}, expected {wanted}", what=what, found=_sizes(size), wanted=_sizes(shape))
        return None
    return dict(zip(product(*map(range, shape)), (entry.number() or ZERO for entry in entries)))


def all_ones_and_zeros(item: FileNode, found: Iterable[Number]) -> bool:
    """Whether numbers are those of a mask; an error where one is not."""
    other = next((one for one in found if one.numerator not in (0, one.denominator)), None)
    if other is not None:
        item.fail("a mask has ones and zeros only, found {found}", found=f"{other.numerator / other.denominator:g}")
    return other is None


def _sizes(shape: tuple[int, ...]) -> str | Message:
    return "×".join(map(str, shape)) if shape else Message("a single number")


def spelled(axes: Axes) -> str:
    """channel × row × column = 1×4×4."""
    return " × ".join(ROLES[axis.role].one for axis in axes) + " = " + "×".join(str(axis.size) for axis in axes)


def names_of(axes: Axes) -> tuple[str, ...]:
    """A name for every place: f1[2,3] where an axis has labels, else 2,3."""
    return tuple(place_name(axes, place) for place in product(*(range(axis.size) for axis in axes)))


def place_name(axes: Axes, place: tuple[int, ...]) -> str:
    """The name of one place."""
    labels = [axis.labels[one] for axis, one in zip(axes, place) if axis.labels]
    counted = [axis.along(one) for axis, one in zip(axes, place) if not axis.labels]
    return ".".join(labels) + (f"[{','.join(counted)}]" if labels and counted else ",".join(counted))


def unnamed(axes: Axes) -> Axes:
    """The same directions without names: another layer's outputs have those."""
    return tuple(axis.replace(labels=()) for axis in axes)


def is_single(axis: Axis) -> bool:
    """Whether this is the one channel of a plain image, which need not be written."""
    return axis.role == "channel" and axis.size == 1


def same_places(one: Axes, other: Axes) -> bool:
    """Whether two outputs have the same numbers of places, but for the channel of a plain image."""
    first, second = ([axis.size for axis in axes if not is_single(axis)] for axes in (one, other))
    return first == second


def features(axes: Axes) -> int:
    """Which direction has the features of every place: the channels of maps, else the last."""
    return next((place for place, axis in enumerate(axes) if axis.role == "channel"), len(axes) - 1)


def size(axes: Axes) -> int:
    """Number of places."""
    return prod(axis.size for axis in axes)


def check_size(item: FileNode, axes: Axes) -> bool:
    """Whether an output is not too large; an error where it is."""
    if size(axes) > limit("neurons") * 4:
        item.fail("more than {limit} numbers in one layer; set {variable} to raise the limit", limit=limit("neurons") * 4,
                  variable=raised_by("neurons"))  # fmt: skip
        return False
    return True


def input_axes(shape: tuple[int, ...], forms: tuple[tuple[str, ...], ...], labels: tuple[str, ...] = ()) -> Axes:
    """The axes of inputs of a shape; forms: the roles they have by the number of directions. Missing directions have one place."""
    roles = forms[len(shape) - 1]
    sizes = (*shape, *[1] * (len(roles) - len(shape)))
    return tuple(Axis(role, one, labels if len(sizes) == 1 and role == "input" else ()) for role, one in zip(roles, sizes))
