"""The file format as a JSON Schema, made from the table of its keys: with what each means, an example and what it is if it is not given.

- `json_schema(sections, translate)` is the schema, its descriptions in the language of `translate`.
- `usual(section, key)` is the value of a key that is not there; None where there is none.

Keys inside a value, such as the numbers of an optimiser, have no line in that table: `INSIDE` says what they mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ruamel.yaml import YAML

from handcalc.core.expr import Number
from handcalc.core.rounding import Rounding
from handcalc.errors import Template
from handcalc.problem.schema import Conventions, MarkingScheme, Training
from handcalc.problem.values import Key
from handcalc.problem.words import DEFAULT_OPTIMISER, LOSSES, OPTIMISERS, SCHEDULES

# a key inside a value → what it means
INSIDE: dict[str, Template] = {
    "file": "file beside the problem",
    "array": "name of an array in the file",
    "random": "rule by which numbers are drawn",
    "scale": "factor of the numbers drawn",
    "seed": "seed of the numbers drawn",
    "classes": "column with a class for each sample",
    "name": "its name",
    "smoothing": "share of a target that is spread over all classes",
    "class_weights": "a weight for each class",
    "positive_weight": "weight of targets that are 1",
    "delta": "where the square becomes a straight line",
    "momentum": "share of the velocity that stays, μ",
    "dampening": "share of the gradient that the velocity does not take",
    "rho": "share of the mean square that stays, ρ",
    "beta1": "share of the first moment that stays, β₁",
    "beta2": "share of the second moment that stays, β₂",
    "epsilon": "ε, which keeps the quotient finite",
    "epsilon_inside": "whether ε is under the root: √(s + ε)",
    "weight_decay": "λ of weight decay",
    "every": "after so many updates or epochs",
    "factor": "what the learning rate is multiplied by",
    "decay": "how fast the learning rate falls",
    "iterations": "updates or epochs until the end",
    "lowest": "learning rate at the end",
    "start": "factor at the start",
    "end": "factor at the end",
    "from": "smallest number",
    "to": "largest number",
    "step": "distance of the numbers",
    "not": "numbers that are not drawn",
    "choose": "numbers to draw from",
    "loss": "ends when the loss is at most this",
    "change": "ends when the loss changes by less than this",
    "gradient": "ends when the length of the gradient is at most this",
    "patience": "so many updates in a row",
    "decimals": "decimal places",
    "significant": "significant digits",
    "input": "weights and bias of the input gate",
    "forget": "weights and bias of the forget gate",
    "candidate": "weights and bias of the candidate",
    "output": "weights and bias of the output gate",
    "reset": "weights and bias of the reset gate",
    "update": "weights and bias of the update gate",
    "top": "rows above",
    "bottom": "rows below",
    "left": "columns on the left",
    "right": "columns on the right",
}
NUMBERS: Template = "its numbers, where they are not the usual ones"

# section → a record that has what its keys are if they are not given
_RECORDS = {"conventions": Conventions(), "training": Training(), "rounding": Rounding(), "tasks": MarkingScheme()}
_USUAL: dict[tuple[str, str], Any] = {
    ("problem", "optimizer"): DEFAULT_OPTIMISER,
    ("problem", "sample_reduction"): Conventions().sample_reduction,
    ("problem", "input_gradients"): False,
    ("conventions", "bias_update"): True,
    ("update", "biases"): True,
    ("regularization", "form"): "half",
    ("regularization", "biases"): False,
    ("schedule", "per"): "update",
    ("test", "seed"): 0,
    ("tasks", "marks"): 1,
    ("generate", "numbers"): "like",
    ("generate", "require"): "nice",
    ("generate", "different"): 0.8,
    ("generate", "tries"): 500,
    ("batch_norm", "mode"): "train",
    ("layer", "type"): "dense",
}
_OF_LAYERS = {  # keys that mean the same in every layer that has them
    "weight_rows": "neurons", "returns": "all", "reverse": False, "coupled": False, "reset_after": False, "update_keeps": "old",
    "transposed": False, "count_include_pad": True,
}  # fmt: skip


def json_schema(sections: Mapping[str, tuple[Key, ...]], translate: Callable[[str], str] = str) -> dict[str, Any]:
    """Sections of the file format, of which `problem` is the whole file, as a JSON Schema (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "handcalc problem",
        **_properties("problem", sections["problem"], translate),
        "$defs": {name: _properties(name, keys, translate) for name, keys in sections.items() if name != "problem"},
    }


def usual(section: str, key: str) -> Any:
    """What a key is that is not given, as it is typed; None where that is nothing, or depends on other keys."""
    found = _USUAL.get((section, key), _OF_LAYERS.get(key))
    if found is None:
        found = getattr(_RECORDS.get(section), key, None)
    if isinstance(found, Number):
        return found.numerator / found.denominator
    return found if isinstance(found, (str, bool, float)) or (section, key) in _USUAL else None


def _properties(section: str, keys: tuple[Key, ...], translate: Callable[[str], str]) -> dict[str, Any]:
    """A section as an object with known keys only; a word such as "0.5" may also be typed as the number."""
    properties: dict[str, Any] = {}
    for key in keys:
        shape = _told(key.shape, translate, key.key)
        if "enum" in shape:
            shape["enum"] = [*shape["enum"], *(float(word) for word in shape["enum"] if word.replace(".", "").isdigit())]
        value = usual(section, key.key)
        default = {} if value is None else {"default": value}
        examples = {"examples": [_read(key.example)]} if key.example else {}
        properties[key.key] = {"description": translate(key.doc), **shape, **default, **examples}
    return {"type": "object", "additionalProperties": False, "properties": properties}


def _told(shape: Any, translate: Callable[[str], str], word: str = "") -> dict[str, Any]:
    """A shape with what the keys inside it mean; word: the loss, optimiser or schedule whose numbers stand in it."""
    found = dict(shape)
    inside = found.get("properties", {})
    named = inside.get("name", {}).get("enum", ())
    numbers = next((table[one].numbers for one in (*named, word) for table in (LOSSES, OPTIMISERS, SCHEDULES) if one in table), {})
    if inside:
        found["properties"] = {}
        for name, part in inside.items():
            text = translate(NUMBERS) if "anyOf" in part and name in (*LOSSES, *OPTIMISERS) else translate(INSIDE[name])
            default = {"default": _typed(numbers[name])} if numbers.get(name) else {"default": False} if name == "epsilon_inside" else {}
            found["properties"][name] = {"description": text, **_told(part, translate, name), **default}
    if "anyOf" in found:
        found["anyOf"] = [_told(part, translate, word) for part in found["anyOf"]]
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), Mapping):
            found[key] = _told(found[key], translate)
    return found


def _read(text: str) -> Any:
    """An example as the value that it is in a file."""
    return YAML(typ="safe", pure=True).load(text)


def _typed(text: str) -> float | str:
    """A usual number; a fraction stays as it is typed."""
    return text if "/" in text else float(text)
