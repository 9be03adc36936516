"""What `generate:` says: from which numbers an exercise is drawn again, and what must hold of them.

- `Generating` is the section; `NumberRange` how numbers are drawn, `Requirement` one line of `require`.
- `CONDITIONS` are the words of `require`: those that `nice` stands for, in the order in which they are asked.

Their checks are in exercises/conditions.py. To add one, add its record here and its check there.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.expr import Number
from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.problem.comparisons import Comparison

NICE = "nice"
DIFFERENT = Number(8, 10, "0.8")
TRIES = 500

SEEDS = "seeds"  # numbers with which others are drawn
ROLES: dict[str, tuple[str, ...]] = {  # word → the kinds of quantities whose given numbers it means
    "inputs": ("input", "given"),
    "targets": ("target",),
    "weights": ("weight",),
    "biases": ("bias", "threshold"),
    "learning_rate": ("rate",),
    SEEDS: (),
}

CONDITIONS: Mapping[str, Template] = {
    "no_saturation": "no unit such as a sigmoid is saturated: its slope is at least 0.1",
    "alive": "every ReLU is above 0 for some sample, but for those under dead",
    "off_kinks": "no net input of a ReLU is 0, and no largest number is there twice",
    "loss_falls": "the update makes the loss smaller",
    "readable": "every answer that is asked shows two significant digits, or is exact",
    "no_ties": "no answer that is asked ends in 5 just behind the digits asked",
    "distinct": "answers that are asked differ from each other and from the numbers given",
    "sound": "no weights add up to 0, and no output is its target",
    "visible": "no mistake is hidden that other numbers would show",
}


class NumberRange(Record):
    """How some numbers are drawn.

    name: a name, a pattern or a role; "" for all; how: like (as the number that is there), keep, range or choose;
    numbers: of a range from, to and step, else those to choose from; excluded: those that are not taken; line: of the file.
    """

    name: str = ""
    how: str = "like"
    numbers: tuple[Number, ...] = ()
    excluded: tuple[Number, ...] = ()
    line: int = 0


class Requirement(Record):
    """One line of `require`: a word of CONDITIONS or `nice`; off: one of nice that is not asked; or a comparison."""

    text: str
    word: str = ""
    off: bool = False
    comparison: Comparison | None = None
    line: int = 0


class Generating(Record):
    """What `generate:` says; dead: the units that are meant to be dead; different: the share of asked answers in which variants differ."""

    ranges: tuple[NumberRange, ...] = ()
    require: tuple[Requirement, ...] = (Requirement(NICE, NICE),)
    dead: tuple[str, ...] = ()
    different: Number = DIFFERENT
    tries: int = TRIES
    line: int = 0
