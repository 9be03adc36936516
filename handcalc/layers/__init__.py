"""Types of layers: one record for each (layertype.py), one file for a family of them.

- `layer_type(word)` is the record of a type. The file of its family is imported when it is named, so a problem of dense layers loads
  nothing of attention; `layer_types()` are all records, in the order of the documentation.
- `spellings()` is what else they are called in problem files.
- `evaluating(problem)` is a problem as it predicts, `mixes_samples(problem)` whether an answer depends on other samples.

To add a type: its record in the `TYPES` of a file here, and its line in `FILES`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from handcalc.layers.layertype import LayerType
    from handcalc.problem.schema import Layer, Problem
    from handcalc.problem.spellings import Spellings

# word after `type:` → the file with its record
FILES = {
    "dense": "dense",
    "prelu": "pieces",
    "maxout": "pieces",
    "conv2d": "maps",
    "conv1d": "maps",
    "conv_transpose2d": "maps",
    "conv_transpose1d": "maps",
    "max_pool": "pooling",
    "avg_pool": "pooling",
    "max_pool1d": "pooling",
    "avg_pool1d": "pooling",
    "upsample": "upsampling",
    "global_avg_pool": "pooling",
    "global_max_pool": "pooling",
    "flatten": "pooling",
    "rnn": "recurrent",
    "lstm": "gates",
    "gru": "gates",
    "embedding": "embedding",
    "positional_encoding": "embedding",
    "attention": "attention",
    "layer_norm": "normalisation",
    "batch_norm": "normalisation",
    "rms_norm": "norms",
    "instance_norm": "norms",
    "group_norm": "norms",
    "dropout": "normalisation",
    "residual": "normalisation",
    "activation": "joining",
    "concatenate": "joining",
    "multiply": "joining",
    "slice": "slicing",
    "transpose": "shaping",
    "reshape": "shaping",
    "tied": "joining",
}

_types: dict[str, LayerType] = {}


def layer_type(word: str) -> LayerType:
    """The record of a type."""
    if word not in _types:
        if word not in FILES:
            raise KeyError(f"there is no layer type {word}: FILES of handcalc/layers has no line for it")
        _types.update({one.word: one for one in import_module(f"handcalc.layers.{FILES[word]}").TYPES})
    if word not in _types:
        raise KeyError(f"handcalc/layers/{FILES[word]}.py has no record of the layer type {word} in its TYPES")
    return _types[word]


def layer_types() -> tuple[LayerType, ...]:
    """The records of all types."""
    return tuple(map(layer_type, FILES))


def spellings() -> Spellings:
    """What else the types are called in problem files."""
    return {one.word: one.spellings for one in layer_types()}


def evaluating(problem: Problem) -> Problem:
    """The same problem for prediction, such as batch normalisation with running mean and variance; itself where nothing is different."""
    layers = tuple(map(_predicting, problem.layers))
    return problem if layers == problem.layers else problem.replace(layers=layers)


def _predicting(layer: Layer) -> Layer:
    change = layer_type(layer.type).predicting
    return change(layer) if change else layer


def mixes_samples(problem: Problem) -> bool:
    """Whether an answer depends on the other samples."""
    return any((mixes := layer_type(layer.type).mixes_samples) is not None and mixes(layer) for layer in problem.layers)
