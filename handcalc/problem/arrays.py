"""Large weights, biases and inputs from CSV, NPY or NPZ files beside the problem. Nothing is unpickled.

- `read_array` and `read_row` read a value `{file: …}`, `load_array` the array itself; an `Array` makes numbers when they are asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from handcalc.core.expr import Number, number
from handcalc.errors import Message
from handcalc.problem.files import shown_path
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.reader import FileNode, near, quoted

if TYPE_CHECKING:
    from pathlib import Path


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


def load_array(item: FileNode, name: str, wanted: str, at: FileNode | None = None) -> Any:
    """The array in a file, or None after an error; at: where the file is named, if elsewhere."""
    from pathlib import Path

    place = at or item
    path = Path(item.source.folder) / name
    item.source.files.append(name)
    kind = "array_bytes" if path.suffix in (".npy", ".npz") else "data_bytes"
    try:
        import numpy
    except ImportError:
        place.fail("{file} cannot be read: {reason}", file=name, reason=Message("numpy is not installed"))
        return None
    try:
        if path.stat().st_size > limit(kind):
            raise _TooLarge
        values = _read(item, path, wanted)
    except FileNotFoundError:
        place.fail("there is no file {found}", found=f'"{shown_path(str(path))}"')
        return None
    except _TooLarge:
        message = "{file} is larger than {limit} bytes; set {variable} to raise the limit"
        place.fail(message, file=name, limit=limit(kind), variable=raised_by(kind))
        return None
    except Exception as error:  # noqa: BLE001 - a damaged file makes the reading libraries raise almost anything
        place.fail("{file} cannot be read: {reason}", file=name, reason=_reason(error))
        return None
    if values is not None and (values.dtype.kind not in "fiub" or values.dtype.kind == "f" and not numpy.isfinite(values).all()):
        item.fail("{file} holds something that is no finite number", file=name)
        return None
    return values


class _TooLarge(Exception):
    """An array of more bytes than the limit, unpacked."""


def _reason(error: Exception) -> str | Message:
    text = str(error).split("\n")[0][:100]
    if "pickle" in text:
        return Message("it holds no plain numbers, or is no NumPy file")
    return getattr(error, "strerror", None) or text or type(error).__name__


def _read(item: FileNode, path: Path, wanted: str) -> Any:
    """The array in a file; None after an error. Raises whatever the libraries raise for a damaged file."""
    import numpy

    if path.suffix == ".npy":
        with open(path, "rb") as file:
            return numpy.lib.format.read_array(file, allow_pickle=False)
    if path.suffix == ".npz":
        return _read_archive(item, path, wanted)
    if path.suffix not in (".csv", ".txt"):
        item.fail("{file} is no .csv, .txt, .npy or .npz file", file=path.name)
        return None
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    rows = [line for line in lines if line.split("#")[0].strip()]
    if not rows:
        item.fail("{file} is empty", file=path.name)
        return None
    return numpy.loadtxt(rows, delimiter=",", ndmin=2)


def _read_archive(item: FileNode, path: Path, wanted: str) -> Any:
    import zipfile

    import numpy

    with zipfile.ZipFile(path) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        name = wanted or (names[0] if names else "")
        if not wanted and len(names) > 1:
            item.fail("{file} has several arrays; name one of {known}", file=path.name, known=", ".join(names[:12]))
            return None
        if name not in names:
            item.fail("{file} has no array {found}{near}", file=path.name, found=quoted(name), near=near(name, names))
            return None
        if archive.getinfo(f"{name}.npy").file_size > limit("array_bytes"):
            raise _TooLarge
        with archive.open(f"{name}.npy") as file:
            return numpy.lib.format.read_array(file, allow_pickle=False)
