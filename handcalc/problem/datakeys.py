"""The keys of `data`, `test` and `schedule`, which fields.py puts into the table of all keys.

Their readers are loading/data.py, loading/samples.py and loading/schedules.py.
"""

from __future__ import annotations

from handcalc.problem.values import ABOVE_0, INNER_SHARE, NAME, NUMBER, SEED, TEXT, Key, either, mapping, named, several, word
from handcalc.problem.words import RANGES, SCHEDULES

ONE_HOT = "one_hot"
COLUMNS = either(TEXT, several(NAME))
TARGET_COLUMNS = either(COLUMNS, mapping({"classes": NAME}, "classes"))

DATA_KEYS: dict[str, tuple[Key, ...]] = {
    "data": (
        Key("file", TEXT, "CSV or NPZ file beside the problem", "digits.npz"),
        Key("inputs", COLUMNS, "columns, or an array with a row for each sample", "pixel1..pixel784"),
        Key("targets", TARGET_COLUMNS, "columns, a column of classes, or an array", "{classes: label}"),
        Key("scale", ABOVE_0, "what every input is divided by", "255"),
        Key("codes", named(either(named(NUMBER), several(NAME), word(ONE_HOT))),
            "columns of words: numbers for them, or one_hot: a column for each word, 1 where it stands; a list says their order",
            "{好瓜: {是: 1, 否: 0}, 色泽: one_hot}"),
    ),
    "test": (
        Key("share", INNER_SHARE, "share of the samples that is not trained with", "0.2"),
        Key("seed", SEED, "seed of the draw; 0 if not given", "1"),
        Key("file", TEXT, "another file; if not given, that of the data", "test.csv"),
        Key("inputs", COLUMNS, "its columns or array; as in the data, if not given", "x_test"),
        Key("targets", TARGET_COLUMNS, "its columns or array; as in the data, if not given", "t_test"),
    ),
    "schedule": (
        *(
            Key(name, mapping({key: RANGES[key] for key in schedule.numbers}), schedule.doc, schedule.example)
            for name, schedule in SCHEDULES.items()
        ),
        Key("formula", TEXT, "a formula in rate and t", "rate/(1 + 0.1*t)"),
        Key("per", word("update", "epoch"), "what t counts, from 0", "epoch"),
    ),
}  # fmt: skip
