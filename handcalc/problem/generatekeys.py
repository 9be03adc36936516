"""The keys of `generate`, which fields.py puts into the table of all keys; their reader is loading/generating.py."""

from __future__ import annotations

from handcalc.problem.values import (
    ABOVE_0,
    LINE,
    NAME,
    NUMBER,
    SHARE,
    Key,
    Shape,
    either,
    mapping,
    named,
    several,
    whole,
    word,
)

HOW = word("like", "keep")  # as the number that is there, or that number
_CHOICES: Shape = {**several(NUMBER), "minItems": 1}
RANGE_KEYS = {"from": NUMBER, "to": NUMBER, "step": ABOVE_0, "not": several(NUMBER), "choose": _CHOICES}
_RANGE = either(
    mapping({key: RANGE_KEYS[key] for key in ("from", "to", "step", "not")}, "from", "to", "step"),
    mapping({key: RANGE_KEYS[key] for key in ("choose", "not")}, "choose"),
)

GENERATE_KEYS: dict[str, tuple[Key, ...]] = {
    "generate": (
        Key("numbers", either(HOW, named(either(HOW, _RANGE))), "from what numbers are drawn, by name, pattern or role; like if not given",
            "{inputs: {from: 0.1, to: 0.9, step: 0.1}, targets: {choose: [0.01, 0.99]}, w3: keep}"),
        Key("require", either(LINE, several(LINE)), "what must hold: words and comparisons; nice if not given",
            '[nice, "abs(net.*) <= 2"]'),
        Key("dead", several(NAME), "units of a ReLU that are meant to be 0 for every sample", "[h2]"),
        Key("different", SHARE, "share of the asked answers in which two variants must differ; 0.8 if not given", "0.5"),
        Key("tries", whole(1, 1_000_000), "draws for each variant, before it is given up; 500 if not given", "2000"),
    ),
}  # fmt: skip
