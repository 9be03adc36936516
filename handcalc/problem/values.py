"""What a key of the file may hold, said once: its shape is a JSON Schema, and values are read by it.

- `word`, `whole`, `number`, `several`, `either`, `mapping`, `section` and the constants make shapes; a `Key` is a key with its shape,
  meaning and example.
- `value(node, shape)` reads a word of a list, a number in a range, a flag, a text, or a list of those. What is more than that
  (weights, formulas, data) has a reader of its own in loading/.
- `Section` is a mapping of the file whose keys are read by their shapes: `part.value("epochs", 0)`.

To add a shape that is read so, add its constructor and its line in `value`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.problem.reader import WIDE_NUMBER, FileNode
from handcalc.problem.spellings import KEYS, Spellings

Shape = Mapping[str, Any]

TEXT: Shape = {"type": "string"}
LINE: Shape = {"type": ["string", "number", "boolean"]}  # whatever stands there, as it was typed
NAME: Shape = {"type": ["string", "integer"]}
NUMBER: Shape = {"type": ["number", "string"], "pattern": f"^({WIDE_NUMBER})$"}  # 0.10 is a number; 1/3 is one as well
FLAG: Shape = {"type": "boolean"}
NULL: Shape = {"type": "null"}
OBJECT: Shape = {"type": "object"}
LIST: Shape = {"type": "array"}

# the ends of a range in a JSON Schema → what the reader of numbers calls them
ENDS = {"minimum": "least", "exclusiveMinimum": "above", "maximum": "most", "exclusiveMaximum": "below"}


class Key(Record):
    """One key: what it may hold, what it means, an example as typed."""

    key: str
    shape: Shape
    doc: Template
    example: str = ""


# --- shapes -----------------------------------------------------------------------------------------------------------


def word(*words: str) -> Shape:
    """One of some words."""
    return {"enum": [*words]}


def whole(least: int, most: int) -> Shape:
    """A whole number from least to most."""
    return {"type": "integer", "minimum": least, "maximum": most}


def number(**ends: int) -> Shape:
    """A number in a range; its ends are called as in `ENDS`."""
    return {**NUMBER, **{schema: ends[end] for schema, end in ENDS.items() if end in ends}}


def several(shape: Shape, count: int = 0, most: int = 0) -> Shape:
    """A list: of so many entries, or of so many to most."""
    return {**LIST, "items": shape, **({"minItems": count, "maxItems": most or count} if count else {})}


def either(*shapes: Shape) -> Shape:
    """One of several shapes."""
    return {"anyOf": [*shapes]}


def named(shape: Shape) -> Shape:
    """A mapping of names to values of one shape."""
    return {**OBJECT, "additionalProperties": shape}


def mapping(shapes: Mapping[str, Shape], *required: str, one: bool = False) -> Shape:
    """A mapping with known keys; one: with exactly one of them."""
    needed: dict[str, Any] = {"required": [*required]} if required else {"minProperties": 1, "maxProperties": 1} if one else {}
    return {**OBJECT, "properties": dict(shapes), **needed, "additionalProperties": False}


def section(name: str) -> Shape:
    """A section of the format, with a table of its own."""
    return {"$ref": f"#/$defs/{name}"}


def words(shape: Shape) -> tuple[str, ...]:
    """The words of a shape; none where it is no list of words."""
    return tuple(dict.fromkeys(map(str, shape.get("enum", ()))))


# numbers that several keys hold
ABOVE_0 = number(above=0)
FROM_0 = number(least=0)
SHARE = number(least=0, most=1)
INNER_SHARE = number(above=0, below=1)
BELOW_1 = number(least=0, below=1)
COUNT = whole(1, 1_000_000)
UPDATES = whole(1, 100_000_000)
SEED_MOST = 1_000_000_000
SEED = whole(0, SEED_MOST)


# --- reading ----------------------------------------------------------------------------------------------------------


def value(node: FileNode, shape: Shape) -> Any:
    """The value of a node by its shape: a text, Number, int or bool, or a tuple of those; None after an error."""
    if "enum" in shape:
        return node.choice(words(shape))
    kind = shape.get("type")
    if kind == "integer":
        return node.whole(shape["minimum"], shape["maximum"])
    if kind == "boolean":
        return node.flag()
    if kind == NUMBER["type"]:
        return node.number(**{end: shape[schema] for schema, end in ENDS.items() if schema in shape})
    if kind in (TEXT["type"], LINE["type"], NAME["type"]):
        return node.text()
    if kind == "array" and "items" in shape:
        parts = node.sequence()
        found = tuple(value(part, shape["items"]) for part in parts or ())
        return None if parts is None or None in found else found
    raise TypeError(f"{node.path}: the shape {shape} is more than a value")


class Section(dict[str, FileNode]):
    """The entries of a mapping by key, with the shapes by which they are read."""

    def __init__(self, nodes: Mapping[str, FileNode], shapes: Mapping[str, Shape]) -> None:
        super().__init__(nodes)
        self.shapes = shapes

    def value(self, key: str, usual: Any = None) -> Any:
        """The value of a key; the usual one where it is not given, or after an error."""
        found = value(self[key], self.shapes[key]) if key in self else None
        return usual if found is None else found

    def read(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those keys that are given and right."""
        return {key: found for key in keys if (found := self.value(key)) is not None}

    def inside(self, key: str) -> Section:
        """The mapping with known keys that a key holds; empty where it is not given."""
        return read_entries(self.get(key), self.shapes[key]["properties"])


def read_entries(
    node: FileNode | None, shapes: Mapping[str, Shape], home: Callable[[str], str] = str, spellings: Spellings = KEYS
) -> Section:
    """The entries of a mapping with known keys, unknown ones being errors that say where they belong; none where there is no mapping."""
    return Section(node.section(shapes, home, spellings) if node else {}, shapes)
