"""The file format as a JSON Schema, made from tables of keys such as that of fields.py."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from handcalc.problem.fields import Field


def json_schema(sections: Mapping[str, Iterable[Field]]) -> dict[str, Any]:
    """The file format as a JSON Schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "handcalc problem",
        **_properties(sections["problem"]),
        "$defs": {name: _properties(fields) for name, fields in sections.items() if name != "problem"},
    }


def _properties(fields: Iterable[Field]) -> dict[str, Any]:
    """A section as an object with known keys only; a word such as "0.5" may also be typed as the number."""
    properties: dict[str, Any] = {}
    for field in fields:
        shape = dict(field.shape)
        if "enum" in shape:
            shape["enum"] = [*shape["enum"], *(float(word) for word in shape["enum"] if word.replace(".", "").isdigit())]
        properties[field.key] = {"description": field.doc, **shape, **({"examples": [field.example]} if field.example else {})}
    return {"type": "object", "additionalProperties": False, "properties": properties}
