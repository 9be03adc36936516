"""Files of Keras: .keras (a ZIP archive with the configuration as JSON and the weights as HDF5) and HDF5 alone.

- `read_keras(path, wishes)`, `read_hdf5(path, wishes)` read them with the library h5py.

Only hard links inside the file are followed, never one to another file, and only arrays of plain numbers are read, after their size.
"""

from __future__ import annotations

import io
import json
import math
import os
import re
import subprocess
import sys
import zipfile
from types import SimpleNamespace
from typing import Any

from handcalc.bridges.keraslayers import KerasLayer, brought, chain_of
from handcalc.bridges.network import BroughtNetwork, Wishes, check_bytes, reject
from handcalc.errors import Message, ModelError
from handcalc.problem.files import contents

DEPTH = 8  # groups in groups
SECONDS = 30  # that reading a file may take
REFUSED = 4  # what the process that reads ends with where it says what is wrong
WEIGHTS, CONFIG = "model.weights.h5", "config.json"


def read_keras(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in a .keras file. Raises ModelError; ImportError where the library is missing."""
    import h5py  # noqa: F401 - missing, it is named before the file is looked at

    try:
        with zipfile.ZipFile(io.BytesIO(contents(path, "model_bytes"))) as archive:
            check_bytes(sum(member.file_size for member in archive.infolist()), path)
            config, weights = (archive.read(name) for name in (CONFIG, WEIGHTS))
    except (zipfile.BadZipFile, KeyError, OSError, ValueError, RuntimeError, NotImplementedError, EOFError) as error:
        reject("no .keras file, or a damaged one ({reason})", path, reason=str(error).split("\n")[0][:100] or type(error).__name__)
    return _read(weights, path, config)


def read_hdf5(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in an HDF5 file that holds its configuration. Raises ModelError; ImportError where the library is missing."""
    return _read(contents(path, "model_bytes"), path, None)


def _read(data: bytes, path: str, config: bytes | None) -> BroughtNetwork:
    return brought(_read_apart(data, path, config), path)


def _read_apart(data: bytes, path: str, configuration: bytes | None) -> list[KerasLayer]:
    """The layers, read by a process of its own: a damaged file may keep the library busy for ever, or end it."""
    import h5py  # noqa: F401 - missing, it is named before the file is looked at
    import numpy

    asked = json.dumps({"path": path, "config": None if configuration is None else len(configuration)}).encode()
    command = [sys.executable, "-P", "-m", "handcalc.bridges.kerasfile"]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    try:
        done = subprocess.run(command, input=asked + b"\n" + (configuration or b"") + data, capture_output=True, timeout=SECONDS, env=paths)
    except subprocess.TimeoutExpired:
        reject("no HDF5 file of Keras, or a damaged one: reading it takes more than {count} seconds", path, count=SECONDS)
    if done.returncode == REFUSED:
        said = SimpleNamespace(**json.loads(done.stdout))
        raise ModelError(Message(said.template, said.where, **said.values))
    if done.returncode:
        reject("no HDF5 file of Keras, or a damaged one ({reason})", path, reason=f"h5py: {done.returncode}")
    described, _, numbers = done.stdout.partition(b"\n")
    place, layers = 0, []
    for kind, config, arrays in json.loads(described):
        read = []
        for spelled, shape in arrays:
            dtype, count = numpy.dtype(spelled), math.prod(shape)
            read.append(numpy.frombuffer(numbers, dtype, count, place).reshape(shape))
            place += count * dtype.itemsize
        layers.append(KerasLayer(kind, config, read))
    return layers


def _hand_over() -> int:
    """What `_read_apart` asks of the other process: the layers as JSON, then their numbers; or what is wrong as JSON."""
    import numpy

    asked, _, data = sys.stdin.buffer.read().partition(b"\n")
    path, count = (json.loads(asked)[key] for key in ("path", "config"))
    try:
        layers = _layers(data[count or 0 :], path, None if count is None else data[:count])
    except ModelError as error:
        (message,) = error.messages
        sys.stdout.buffer.write(
            json.dumps({"template": message.template, "where": message.where, "values": message.values}, default=str).encode()
        )
        return REFUSED
    arrays = [[numpy.ascontiguousarray(array) for array in layer.arrays] for layer in layers]
    described = [(layer.kind, layer.config, [(array.dtype.str, array.shape) for array in own]) for layer, own in zip(layers, arrays)]
    sys.stdout.buffer.write(json.dumps(described).encode() + b"\n" + b"".join(array.tobytes() for own in arrays for array in own))
    return 0


def _layers(data: bytes, path: str, config: bytes | None) -> list[KerasLayer]:
    """The layers of a file with their arrays. Raises ModelError."""
    import h5py

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            text = config if config is not None else file.attrs.get("model_config")
            if text is None:
                reject('the file holds no configuration of the model; save the whole model: model.save("model.keras")', path)
            chain = chain_of(_json(text, path), path)
            reader = _of_container if config is not None else _of_names
            return reader(chain, file, path)
    except (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, MemoryError) as error:
        reject("no HDF5 file of Keras, or a damaged one ({reason})", path, reason=str(error).split("\n")[0][:100] or type(error).__name__)


def _json(text: Any, path: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError, TypeError) as error:
        reject("not valid JSON: {reason}", path, reason=str(error).split("\n")[0][:100])


def _of_container(chain: list[KerasLayer], file: Any, path: str) -> list[KerasLayer]:
    """Keras 3: layers/dense/vars/0 …, groups by class, or by the layer's name."""
    group = _at(file, "layers", path)
    counts: dict[str, int] = {}
    found = []
    for layer in chain:
        word = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", layer.kind))).lower()
        number = counts[word] = counts.get(word, -1) + 1
        own = _at(group, f"{word}_{number}" if number else word, path)
        found.append(layer.replace(arrays=_arrays(own, path)))
    return found


def _of_names(chain: list[KerasLayer], file: Any, path: str) -> list[KerasLayer]:
    """Before Keras 3: model_weights/<layer>/…, in the order of the attribute weight_names."""
    group = _at(file, "model_weights", path)
    found = []
    for layer in chain:
        own = _at(group, layer.name, path)
        names = own.attrs.get("weight_names", ()) if own is not None else ()
        plain = [name.decode("utf-8", "replace") if isinstance(name, bytes) else str(name) for name in names]
        arrays = [array for name in plain if "seed_generator" not in name for array in _arrays(_at(own, name, path), path)]
        found.append(layer.replace(arrays=arrays))
    return found


def _at(group: Any, name: str, path: str) -> Any:
    """A group or an array in a group, by hard links only; None where there is none. Raises ModelError."""
    import h5py

    for part in name.split("/"):
        if group is None or not isinstance(group, h5py.Group):
            return None
        link = group.get(part, getlink=True)
        if link is not None and not isinstance(link, h5py.HardLink):
            reject("{name} is a link to something else, which is not followed", path, name=part[:60])
        group = group[part] if link is not None else None
    return group


def _arrays(group: Any, path: str, depth: int = 0) -> list[Any]:
    """All arrays in a group: those of `vars` by their numbers, then those of what is inside, such as the cell of a recurrence."""
    import h5py

    if isinstance(group, h5py.Dataset):
        return [_array(group, path)]
    if group is None or depth > DEPTH:
        return []
    names = sorted(group, key=lambda name: (not name.isdigit(), int(name) if name.isdigit() else 0, name != "vars", name))
    return [array for name in names if name != "seed_generator" for array in _arrays(_at(group, name, path), path, depth + 1)]


def _array(data: Any, path: str) -> Any:
    """The numbers of an array in this very file. Raises ModelError."""
    if data.dtype.kind not in "fiu" or data.external or data.is_virtual or data.shape is None:
        reject("{name} holds something that is no finite number", path, name=str(data.name)[:60])
    check_bytes(data.size * data.dtype.itemsize, path)
    return data[()]


if __name__ == "__main__":
    sys.exit(_hand_over())
