"""The file format as a JSON Schema, made from the table of its keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handcalc.problem.values import Key


def json_schema(sections: Mapping[str, tuple[Key, ...]]) -> dict[str, Any]:
    """Sections of the file format, of which `problem` is the whole file, as a JSON Schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "handcalc problem",
        **_properties(sections["problem"]),
        "$defs": {name: _properties(keys) for name, keys in sections.items() if name != "problem"},
    }


def _properties(keys: tuple[Key, ...]) -> dict[str, Any]:
    """A section as an object with known keys only; a word such as "0.5" may also be typed as the number."""
    properties: dict[str, Any] = {}
    for key in keys:
        shape = dict(key.shape)
        if "enum" in shape:
            shape["enum"] = [*shape["enum"], *(float(word) for word in shape["enum"] if word.replace(".", "").isdigit())]
        properties[key.key] = {"description": key.doc, **shape, **({"examples": [key.example]} if key.example else {})}
    return {"type": "object", "additionalProperties": False, "properties": properties}
