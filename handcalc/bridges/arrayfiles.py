"""Files of named arrays: safetensors, NPZ, JSON. Every size is checked before anything is unpacked; nothing is unpickled.

- `read_safetensors(path, wishes)`, `read_npz(path, wishes)`, `read_json(path, wishes)` answer a network.

A safetensors file is a header of JSON, whose length stands in the first 8 bytes, and raw numbers; each entry of the header has a type, a
shape and two offsets, which must agree with each other and with the file (format of Hugging Face's safetensors, 2022).
"""

from __future__ import annotations

import json
from math import prod
from typing import Any

from handcalc.bridges.network import BroughtNetwork, Wishes, check_bytes, checked, reject
from handcalc.bridges.statedict import read_arrays

HEADER_LIMIT = 1_000_000  # bytes of the header of a safetensors file
MOST_ARRAYS = 1000
_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1", "U8": "|u1"}


def read_safetensors(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in a safetensors file. Raises ModelError."""
    data = _contents(path)
    size = int.from_bytes(data[:8], "little")
    if len(data) < 8 or size > len(data) - 8 or size > HEADER_LIMIT:
        text = "no safetensors file, or a damaged one: its header would have {size} bytes, the file has {found}"
        reject(text, path, size=size, found=len(data))
    header = _json(data[8 : 8 + size], path)
    if not isinstance(header, dict) or len(header) > MOST_ARRAYS:
        reject("the header is no list of arrays", path)
    body = memoryview(data)[8 + size :]
    arrays = {name: _tensor(name, entry, body, path) for name, entry in header.items() if name != "__metadata__"}
    return read_arrays(arrays, {}, wishes, path)


def _tensor(name: str, entry: Any, body: memoryview, path: str) -> Any:
    import numpy

    entry = entry if isinstance(entry, dict) else {}
    kind, shape, offsets = entry.get("dtype"), entry.get("shape"), entry.get("data_offsets")
    if kind not in _TYPES:
        reject("{name} has numbers of type {found}; known are {known}", path, name=name, found=str(kind)[:40], known=", ".join(_TYPES))
    whole = isinstance(shape, list) and isinstance(offsets, list) and all(type(one) is int and one >= 0 for one in (*shape, *offsets))
    if not whole or len(offsets) != 2 or len(shape) > 8 or not offsets[0] <= offsets[1] <= len(body):
        reject("{name}: shape and offsets do not fit the file", path, name=name)
    item = numpy.dtype(_TYPES[kind])
    if prod(shape) * item.itemsize != offsets[1] - offsets[0]:
        reject("{name}: shape and offsets do not fit the file", path, name=name)
    found = numpy.frombuffer(body[offsets[0] : offsets[1]], item).reshape(shape)
    if kind == "BF16":  # the upper half of a 32-bit float
        found = (found.astype("<u4") << 16).view("<f4")
    return checked(found, name, path)


def read_npz(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in an NPZ file; single words in it, such as scikit-learn's activation, are read too. Raises ModelError."""
    import io
    import zipfile

    import numpy

    arrays, words = {}, {}
    try:
        with zipfile.ZipFile(io.BytesIO(_contents(path))) as archive:
            members = archive.infolist()
            check_bytes(sum(member.file_size for member in members), path)
            if len(members) > MOST_ARRAYS:
                reject("more than {limit} arrays", path, limit=MOST_ARRAYS)
            for member in members:
                with archive.open(member) as file:
                    packed = io.BytesIO(file.read(member.file_size + 1))
                name = member.filename.removesuffix(".npy")
                check_bytes(_announced(packed), path)
                found = numpy.lib.format.read_array(packed, allow_pickle=False)
                if found.dtype.kind == "U" and found.size == 1:
                    words[name] = str(found.reshape(-1)[0])
                else:
                    arrays[name] = checked(found, name, path)
    except (
        zipfile.BadZipFile,
        ValueError,
        OSError,
        EOFError,
        NotImplementedError,
        RuntimeError,
        MemoryError,
        KeyError,
        SyntaxError,
    ) as error:
        reason = str(error).split("\n")[0][:100]
        reject("no NPZ file of plain numbers, or a damaged one ({reason})", path, reason=reason or type(error).__name__)
    return read_arrays(arrays, words, wishes, path)


def _announced(packed: Any) -> int:
    """How many bytes an array in an NPY file will have, from its header."""
    import numpy

    version = numpy.lib.format.read_magic(packed)
    reader = numpy.lib.format.read_array_header_1_0 if version == (1, 0) else numpy.lib.format.read_array_header_2_0
    shape, _, kind = reader(packed)
    packed.seek(0)
    return prod(shape) * int(kind.itemsize)


def read_json(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in a JSON file: arrays by name, as lists, and words; `coefs`, `intercepts` may be lists of arrays. Raises ModelError."""
    import numpy

    content = _json(_contents(path), path)
    if not isinstance(content, dict):
        reject("arrays by name are expected, as {example}", path, example='{"0.weight": [[…]], "0.bias": […]}')
    arrays, words = {}, {}
    for name, value in content.items():
        if isinstance(value, str):
            words[name] = value
            continue
        for key, part in _numbered(name, value):
            try:
                arrays[key] = checked(numpy.array(part, dtype=float), key, path)
            except (ValueError, TypeError, OverflowError):
                reject("{name} is no array of numbers", path, name=key)
    return read_arrays(arrays, words, wishes, path)


def _numbered(name: str, value: Any) -> list[tuple[str, Any]]:
    """coefs: [A, B] is coefs_0: A, coefs_1: B."""
    word = name.rstrip("_")
    if word in ("coefs", "intercepts") and isinstance(value, list):
        return [(f"{word}_{place}", part) for place, part in enumerate(value)]
    return [(name, value)]


def _json(data: bytes, path: str) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        reject("not valid JSON: {reason}", path, reason=str(error).split("\n")[0][:100])


def _contents(path: str) -> bytes:
    from handcalc.problem.files import contents

    return contents(path, "model_bytes")
