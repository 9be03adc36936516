"""The whole file format: the sections of problem/fields.py, and those of every type of layer.

- `sections()` are all of them by name, for the documentation; `json_schema()` is the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handcalc.layers import layer_types
from handcalc.problem import jsonschema
from handcalc.problem.fields import SECTIONS
from handcalc.problem.values import Key

Sections = dict[str, tuple[Key, ...]]


def layer_sections() -> Sections:
    """What may stand in an entry of `layers`, by the section's name: that of its type unless it has another."""
    return {one.section or one.word: tuple(Key(*row) for row in one.rows) for one in layer_types()}


def sections() -> Sections:
    """Every section of a problem file."""
    own = layer_sections()
    entry = {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in own]}
    for one in layer_types():
        own |= {name: tuple(Key(*row) for row in rows) for name, rows in one.sections.items()}
    whole = tuple(key.replace(shape={"type": "array", "items": entry}) if key.key == "layers" else key for key in SECTIONS["problem"])
    return {**SECTIONS, "problem": whole, **own}


def json_schema(translate: Callable[[str], str] = str) -> dict[str, Any]:
    """The file format as a JSON Schema (draft 2020-12), with descriptions in the language of `translate`."""
    return jsonschema.json_schema(sections(), translate)
