"""Arrays from CSV, NPY or NPZ files beside the problem. Nothing is unpickled, and nothing is read that the limits do not allow.

- `load_array(item, name, wanted)` is the array in a file as floats, whole numbers or truth values, finite; None after an error.

The head of an array is read first: it says how many bytes follow. What is wrong is said in our words, whatever the libraries say.
A new kind of file is a function and a line in `_READERS`.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from math import prod
from typing import IO, Any

from handcalc.disk import reading
from handcalc.errors import Message, Template
from handcalc.problem.csvfiles import allowed
from handcalc.problem.files import shown_path
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.reader import FileNode, listed, literal, near, quoted

_HEAD_LIMIT = 10_000  # bytes of the head of an array
_DAMAGED: Template = "it is damaged, or no NumPy file"
_NO_NUMBERS: Template = "it holds no plain numbers, or is no NumPy file"


class _Refused(Exception):
    """What is wrong with an array. message: in our words."""

    def __init__(self, template: Template, **values: Any) -> None:
        super().__init__(template)
        self.message = Message(template, **values)


class _TooLarge(Exception):
    """More bytes than a limit. kind: of which."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def load_array(item: FileNode, name: str, wanted: str, at: FileNode | None = None) -> Any:
    """The array in a file, or None after an error; at: where the file is named, if elsewhere."""
    place = at or item
    if not allowed(place, name):
        return None
    path = os.path.join(item.source.folder or "", name)
    ending = os.path.splitext(name)[1].lower()
    try:
        import numpy
    except ImportError:
        place.fail("{file} cannot be read: {reason}", file=name, reason=Message("numpy is not installed"))
        return None
    try:
        reading.size(path)
        if ending not in _READERS:
            item.fail("{file} is no .csv, .txt, .npy or .npz file", file=os.path.basename(name))
            return None
        values = _READERS[ending](item, path, wanted)
    except FileNotFoundError:
        place.fail("there is no file {found}", found=f'"{shown_path(os.path.normpath(path))}"')
        return None
    except _TooLarge as error:
        message = "{file} is larger than {limit} bytes; set {variable} to raise the limit"
        place.fail(message, file=name, limit=limit(error.kind), variable=raised_by(error.kind))
        return None
    except _Refused as error:
        place.fail("{file} cannot be read: {reason}", file=name, reason=error.message)
        return None
    except Exception as error:  # noqa: BLE001 - a damaged file makes the reading libraries raise almost anything
        known = isinstance(error, reading.NoFileError) or isinstance(error, OSError) and error.strerror
        place.fail("{file} cannot be read: {reason}", file=name, reason=reading.reason(error) if known else Message(_DAMAGED))
        return None
    if values is not None and (values.dtype.kind not in "fiub" or values.dtype.kind == "f" and not numpy.isfinite(values).all()):
        item.fail("{file} holds something that is no finite number", file=name)
        return None
    return values


# --- texts ------------------------------------------------------------------------------------------------------------------


def _read_text(item: FileNode, path: str, wanted: str) -> Any:
    """The array of a text with commas; a line may end in a remark."""
    import numpy

    data = reading.contents(path, limit("data_bytes"))
    if len(data) > limit("data_bytes"):
        raise _TooLarge("data_bytes")
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _Refused("line {line} is no text in UTF-8; save it with that encoding", line=line) from None
    rows = [line for line in lines if line.split("#")[0].strip()]
    if not rows:
        item.fail("{file} is empty", file=os.path.basename(path))
        return None
    try:
        return numpy.loadtxt(rows, delimiter=",", ndmin=2)
    except ValueError:
        raise _slip(lines) from None


def _slip(lines: list[str]) -> _Refused:
    """The first thing in a text that is no table of numbers."""
    width = None
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split("#")[0].split(",")]
        if cells == [""]:
            continue
        width = len(cells) if width is None else width
        for cell in cells:
            try:
                float(cell)
            except ValueError:
                wrong = literal(cell)
                said = wrong if isinstance(wrong, Message) else Message("expected a number, found {found}", found=quoted(cell))
                return _Refused("line {line}: {reason}", line=number, reason=said)
        if len(cells) != width:
            return _Refused("line {line}: {found} {found:cell|cells}, expected {wanted}", line=number, found=len(cells), wanted=width)
    return _Refused(_DAMAGED)


# --- arrays -----------------------------------------------------------------------------------------------------------------


def _read_single(item: FileNode, path: str, wanted: str) -> Any:
    with reading.opened(path) as file:
        return _array(file, reading.size(path))


def _read_archive(item: FileNode, path: str, wanted: str) -> Any:
    import zipfile

    if reading.size(path) > limit("array_bytes"):
        raise _TooLarge("array_bytes")
    with reading.opened(path) as packed, zipfile.ZipFile(packed) as archive:
        names = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
        name = wanted or (names[0] if names else "")
        file = os.path.basename(path)
        if not wanted and len(names) > 1:
            item.fail("{file} has several arrays; name one of {known}", file=file, known=listed(names[:12]))
            return None
        if name not in names:
            item.fail("{file} has no array {found}{near}", file=file, found=quoted(name), near=near(name, names))
            return None
        with archive.open(f"{name}.npy") as stream:
            return _array(stream, archive.getinfo(f"{name}.npy").file_size)


def _array(file: IO[bytes], size: int) -> Any:
    """The array of a file of so many bytes. Raises _TooLarge, _Refused, or what NumPy raises."""
    import numpy

    if size > limit("array_bytes"):
        raise _TooLarge("array_bytes")
    shape, dtype = _head(file)
    if dtype.hasobject:
        raise _Refused(_NO_NUMBERS)
    if prod(shape) * max(dtype.itemsize, 1) > limit("array_bytes"):
        raise _TooLarge("array_bytes")
    if prod(shape) * dtype.itemsize > size - file.tell():
        raise _Refused("its end is missing")
    file.seek(0)
    values = numpy.lib.format.read_array(file, allow_pickle=False)
    if dtype.kind == "f" and dtype.itemsize != 8:
        with numpy.errstate(over="ignore"):  # what is beyond the largest float is refused as no finite number
            values = values.astype(float)
    return values


def _head(file: IO[bytes]) -> tuple[tuple[int, ...], Any]:
    """The shape and the type of the numbers that an array says it has."""
    import warnings

    from numpy.lib import format

    heads = {(1, 0): format.read_array_header_1_0, (2, 0): format.read_array_header_2_0}
    try:
        version = format.read_magic(file)
        if version not in heads:
            raise _Refused(_NO_NUMBERS)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            shape, _, dtype = heads[version](file, max_header_size=_HEAD_LIMIT)
    except (ValueError, SyntaxError, TypeError, EOFError, MemoryError, RecursionError):
        raise _Refused(_NO_NUMBERS) from None
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise _Refused(_DAMAGED)
    return shape, dtype


_READERS: dict[str, Callable[[FileNode, str, str], Any]] = {
    ".csv": _read_text,
    ".txt": _read_text,
    ".npy": _read_single,
    ".npz": _read_archive,
}
