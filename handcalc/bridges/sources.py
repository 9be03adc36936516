"""Where a network may come from: one record for each kind of file.

- `SOURCES` is the table; `read_model(path, wishes)` reads a file by its ending. Pickles are refused, whatever their ending is.

To add a source: a module with a function from a path and `Wishes` to a `BroughtNetwork`, and its record here.
"""

from __future__ import annotations

import os
from importlib import import_module

from handcalc.bridges.network import BroughtNetwork, Wishes, reject
from handcalc.core.record import Record
from handcalc.disk.reading import contents
from handcalc.errors import Message


class ModelSource(Record):
    """A kind of file: its name, the endings, the module and function that read it, the extra it needs."""

    name: str
    endings: tuple[str, ...]
    module: str
    function: str
    extra: str = ""


class PickledKind(Record):
    """A file that would run what it holds: its endings, and what to type in one's own program instead."""

    endings: tuple[str, ...]
    instead: str


_SOURCES = (
    ModelSource("safetensors", (".safetensors",), "handcalc.bridges.arrayfiles", "read_safetensors"),
    ModelSource("ONNX", (".onnx",), "handcalc.bridges.onnxfile", "read_onnx", "onnx"),
    ModelSource("Keras", (".keras",), "handcalc.bridges.kerasfile", "read_keras", "keras"),
    ModelSource("HDF5 of Keras", (".h5", ".hdf5"), "handcalc.bridges.kerasfile", "read_hdf5", "keras"),
    ModelSource("NPZ", (".npz",), "handcalc.bridges.arrayfiles", "read_npz"),
    ModelSource("JSON", (".json",), "handcalc.bridges.arrayfiles", "read_json"),
)
SOURCES = {ending: source for source in _SOURCES for ending in source.endings}

_TORCH = 'safetensors.torch.save_file(model.state_dict(), "model.safetensors")'
_SKLEARN = (
    'numpy.savez("model.npz", activation=model.activation, out_activation=model.out_activation_, '
    '**{f"coefs_{i}": w for i, w in enumerate(model.coefs_)}, **{f"intercepts_{i}": b for i, b in enumerate(model.intercepts_)})'
)
PICKLES = (
    PickledKind((".pt", ".pth", ".bin", ".ckpt"), _TORCH),
    PickledKind((".pkl", ".pickle", ".joblib", ".sav"), _SKLEARN),
)


def endings() -> str:
    """The endings of all files that can be read."""
    return ", ".join(SOURCES)


def read_model(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in a file. Raises ModelError, or ProblemError where the file cannot be read at all."""
    ending = os.path.splitext(path)[1].lower()
    pickled = next((kind for kind in PICKLES if ending in kind.endings), None)
    if pickled is None and _begins_as_pickle(path):
        pickled = PICKLES[0]
    if pickled is not None:
        text = "a pickle runs what is in it, so it is not opened. In your own program, type: {line}"
        reject(text, path, line=pickled.instead)
    source = SOURCES.get(ending)
    if source is None:
        reject("no known kind of network; known are {known}", path, known=endings())
    try:
        function = getattr(import_module(source.module), source.function)
        found: BroughtNetwork = function(path, wishes)
    except ImportError as error:
        text = "{name} is needed for this file: pip install 'handcalc[{extra}]'"
        reject(text, path, name=error.name or source.extra, extra=source.extra)
    return found.replace(title=found.title or os.path.basename(path), remarks=(_origin(path, source), *found.remarks))


def _origin(path: str, source: ModelSource) -> Message:
    return Message("From {file} ({kind}).", file=os.path.basename(path), kind=source.name)


def _begins_as_pickle(path: str) -> bool:
    """Whether a file begins as pickles of protocol 2 and later do. One that cannot be read says so later."""
    try:
        start = contents(path, 1, typed=True)
    except (OSError, ValueError):
        return False
    return len(start) == 2 and start[0] == 0x80 and 2 <= start[1] <= 5
