"""The whole file format: the sections of problem/fields.py, and those of every type of layer.

- `SECTIONS` has every key; the JSON Schema (`file_schema`) and docs/problem-format.md are made from it.
"""

from __future__ import annotations

from typing import Any

from handcalc.layers.keys import LAYER_KEYS, LAYER_TYPES
from handcalc.problem import fields
from handcalc.problem.jsonschema import json_schema
from handcalc.problem.values import Key, either, section, several

_ANY_LAYER = either(section("layer"), *(section(name) for name in LAYER_TYPES if name != "dense"))

SECTIONS: dict[str, tuple[Key, ...]] = {
    **fields.SECTIONS,
    "problem": tuple(key.replace(shape=several(_ANY_LAYER)) if key.key == "layers" else key for key in fields.SECTIONS["problem"]),
    **{name: tuple(Key(*row) for row in rows) for name, rows in LAYER_KEYS.items()},
}


def file_schema() -> dict[str, Any]:
    """The file format as a JSON Schema."""
    return json_schema(SECTIONS)
