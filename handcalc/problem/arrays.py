"""Large weights and inputs from CSV or NPZ files beside the problem. Nothing is unpickled."""

from __future__ import annotations

from typing import Any

from handcalc.core.expr import Number, number
from handcalc.problem.reader import Item, near, shown_path


class Array:
    """Parameters by place, held as an array; a number is made when it is asked for."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def get(self, place: tuple[int, ...]) -> Number | None:
        """The number at a place."""
        return number(repr(float(self.values[place])))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Array) and self.values.shape == other.values.shape and bool((self.values == other.values).all())

    def __hash__(self) -> int:
        return hash(self.values.shape)


def read_array(item: Item, shape: tuple[int, ...], transposed: bool) -> Array | None:
    """`{file: net.npz, array: W1}` or `{file: w1.csv}`, of a given shape; transposed: one row per input."""
    values = _load(item)
    if values is None:
        return None
    if transposed:
        values = values.T
    if len(shape) == 1:
        values = values.reshape(-1)
    if values.ndim == 1 and len(shape) == 2 and 1 in shape:
        values = values.reshape(shape)
    if values.shape != shape:
        wanted = "×".join(map(str, shape))
        item.fail("the array is {found}, expected {wanted}", found="×".join(map(str, values.shape)), wanted=wanted)
        return None
    return Array(values)


def read_row(item: Item) -> tuple[Number, ...]:
    """The inputs of one sample from a file."""
    values = _load(item)
    return () if values is None else tuple(number(repr(float(value))) for value in values.reshape(-1))


def _load(item: Item) -> Any:
    import numpy

    found = item.section(("file", "array"))
    name = found["file"].text() or ""
    path = item.source.folder / name
    try:
        if path.suffix == ".npz":
            with numpy.load(path, allow_pickle=False) as archive:
                wanted = found["array"].text() if "array" in found else archive.files[0]
                if wanted not in archive.files:
                    item.fail("{file} has no array {found}{near}", file=name, found=f'"{wanted}"', near=near(wanted or "", archive.files))
                    return None
                values = archive[wanted]
        elif path.suffix == ".npy":
            values = numpy.load(path, allow_pickle=False)
        else:
            values = numpy.loadtxt(path, delimiter=",", ndmin=2)
    except FileNotFoundError:
        item.fail("there is no file {found}", found=shown_path(path))
        return None
    except (OSError, ValueError, KeyError, IndexError, MemoryError, EOFError) as error:
        item.fail("{file} cannot be read: {reason}", file=name, reason=str(error).split("\n")[0][:80])
        return None
    if values.dtype.kind not in "fiub" or not numpy.isfinite(values).all():
        item.fail("{file} holds something that is no finite number", file=name)
        return None
    return values
