"""The keys of `data`, `test` and `schedule`: each with shape, meaning and example.

fields.py puts them into `SECTIONS`, so that unknown keys, the JSON Schema and the documentation know them. Their readers are
data.py, samples.py and schedules.py.
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": ["number", "string"]}
_WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
_NAME: dict[str, Any] = {"type": ["string", "integer"]}
_COLUMNS: dict[str, Any] = {"anyOf": [_TEXT, {"type": "array", "items": _NAME}]}


def _mapping(shapes: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": shapes, **({"required": [*required]} if required else {}), "additionalProperties": False}


def _numbers(*names: str) -> dict[str, Any]:
    return _mapping(dict.fromkeys(names, _NUMBER))


_TARGETS: dict[str, Any] = {"anyOf": [_COLUMNS, _mapping({"classes": _NAME}, "classes")]}

Row = tuple[str, dict[str, Any], str, str]

DATA_KEYS: dict[str, tuple[Row, ...]] = {
    "data": (
        ("file", _TEXT, "CSV or NPZ file beside the problem", "digits.npz"),
        ("inputs", _COLUMNS, "columns, or an array with a row for each sample", "pixel1..pixel784"),
        ("targets", _TARGETS, "columns, a column of classes, or an array", "{classes: label}"),
        ("scale", _NUMBER, "what every input is divided by", "255"),
    ),
    "test": (
        ("share", {**_NUMBER, "minimum": 0, "maximum": 1}, "share of the samples that is not trained with", "0.2"),
        ("seed", _WHOLE, "seed of the draw; 0 if not given", "1"),
        ("file", _TEXT, "another file; if not given, that of the data", "test.csv"),
        ("inputs", _COLUMNS, "its columns or array; as in the data, if not given", "x_test"),
        ("targets", _TARGETS, "its columns or array; as in the data, if not given", "t_test"),
    ),
    "schedule": (
        ("step", _numbers("every", "factor"), "rate·factor^⌊t/every⌋; factor 0.1 if not given", "{every: 10, factor: 0.5}"),
        ("exponential", _numbers("factor"), "rate·factor^t", "{factor: 0.95}"),
        ("inverse_time", _numbers("decay"), "rate/(1 + decay·t)", "{decay: 0.1}"),
        ("cosine", _numbers("iterations", "lowest"), "half a cosine from rate to lowest, which is 0 if not given", "{iterations: 100}"),
        ("linear", _numbers("iterations", "start", "end"), "from rate·start to rate·end; 1/3 and 1 if not given",
         "{iterations: 5, start: 0.1}"),
        ("formula", _TEXT, "a formula in rate and t", "rate/(1 + 0.1*t)"),
        ("per", {"enum": ["update", "epoch"]}, "what t counts, from 0", "epoch"),
    ),
}  # fmt: skip
