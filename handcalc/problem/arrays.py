"""Large weights, biases and inputs from CSV, NPY or NPZ files beside the problem. Nothing is unpickled.

- `read_array` and `read_row` read a value `{file: …}`; an `Array` makes numbers when they are asked for. The files: arrayfiles.py.
- `whole(givens)` is the array that given numbers are taken from one by one, for whoever wants all of them.
"""

from __future__ import annotations

from typing import Any

from handcalc.core.expr import Number, number
from handcalc.errors import Message
from handcalc.problem.arrayfiles import load_array
from handcalc.problem.reader import FileNode


class Array:
    """Parameters by place, held as an array; a number is made when it is asked for."""

    def __init__(self, values: Any) -> None:
        self.values = values
        self._made: dict[tuple[int, ...], Number] = {}

    def get(self, place: tuple[int, ...]) -> Number | None:
        """The number at a place; nobody typed it, so it has no digits of its own and is shown rounded."""
        found = self._made.get(place)
        if found is None:
            found = self._made[place] = untyped(float(self.values[place]))
        return found

    def rows(self, start: int, count: int) -> Array:
        """Some of its rows."""
        return Array(self.values[start : start + count])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and self.values.shape == other.values.shape and bool((self.values == other.values).all())

    def __hash__(self) -> int:
        return hash(self.values.shape)


def whole(givens: Any) -> Any:
    """The array behind `Array.get`; None where numbers come from anywhere else."""
    source = getattr(givens, "__self__", None)
    return source.values if isinstance(source, Array) else None


def untyped(value: float) -> Number:
    """A number that nobody typed."""
    return number(repr(value)).replace(text="")


def as_array(rows: Any) -> Array:
    """Numbers that were worked out here."""
    import numpy

    return Array(numpy.array(rows))


def read_array(item: FileNode, shape: tuple[int, ...], transposed: bool = False) -> Array | None:
    """`{file: net.npz, array: W1}` or `{file: w1.csv}`, of a given shape; transposed: one row per input."""
    values = _load(item)
    if values is None:
        return None
    if transposed:
        values = values.T
    if (
        len(shape) == 1
        and values.size == shape[0]
        or len(shape) == 2
        and values.ndim == 1
        and 1 in shape
        and values.size == shape[0] * shape[1]
    ):
        values = values.reshape(shape)
    if values.shape != shape:
        found, wanted = (spelled(size[::-1] if transposed else size) for size in (values.shape, shape))
        item.fail("the array is {found}, expected {wanted}", found=found, wanted=wanted)
        return None
    return Array(values)


def shape_of(item: FileNode) -> tuple[int, ...] | None:
    """The shape of the array in a file; None after an error."""
    values = _load(item)
    return tuple(values.shape) if values is not None else None


def read_row(item: FileNode) -> tuple[Number, ...]:
    """The inputs of one sample from a file."""
    values = _load(item)
    if values is None:
        return ()
    if values.size == 0:
        item.fail("there is no input")
    if not item.within_limit(values.size, "neurons", "more than {limit} inputs; set {variable} to raise the limit"):
        return ()
    return tuple(number(repr(float(value))) for value in values.reshape(-1))


def spelled(shape: tuple[int, ...]) -> str | Message:
    """The size of an array."""
    return "×".join(map(str, shape)) if shape else Message("a single number")


def _load(item: FileNode) -> Any:
    """The array that {file: …, array: …} names, or None after an error."""
    found = item.section(("file", "array"))
    if "file" not in found:
        item.fail("the file's name is missing")
        return None
    return load_array(item, found["file"].text() or "", found["array"].text() or "" if "array" in found else "")
