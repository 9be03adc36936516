"""Texts with gaps: of formulas that are alike, and of the names of cells.

- `template(printed, slashed, dialect)` is the `Template` of what is printed with any names for its references.
- `spelling(spell, axes, merged, one_by_one)` spells the cells of a quantity as a function does that takes its time.

Texts are escaped as in JSON.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from itertools import product
from math import prod

from handcalc.core.expr import Ref
from handcalc.core.index import Axis
from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.render.dialects import Dialect, bracketed

Place = tuple[int, ...]
Spell = Callable[[Place], str]
GAP = re.compile("\ue000([0-9]+)\ue001/?")
GAPS = 60  # of more there is no template
WORD = re.compile(r"\w+|\W")
FEW = 100  # cells that are spelled one by one
KEPT = 20_000  # cells of a quantity whose names are kept
TRIED = 256  # places at which what was learned is compared


def escaped(text: str) -> str:
    """A text as it stands in JSON between quotation marks."""
    return json_text(text)[1:-1]


# --- formulas ---------------------------------------------------------------------------------------------------------


class Template(Record):
    """A text with a gap, %s, for each of some numbered cells; slashed: whether what is put there has a /; around: what stands around it
    where it has a sign."""

    text: str
    numbers: tuple[int, ...]
    slashed: tuple[bool, ...]
    around: tuple[tuple[str, str], ...]

    def filled(self, names: list[str]) -> str:
        """The text with names in its gaps; "" where one is of another form."""
        for place, name in enumerate(names):
            if ("/" in name) != self.slashed[place]:
                return ""
            if name[0] == "-":
                if self.slashed[place]:
                    return ""
                before, after = self.around[place]
                names[place] = before + name + after
        return self.text % tuple(names)


def template(printed: Callable[[Callable[[Ref], str]], str], slashed: Callable[[int], bool], dialect: Dialect) -> Template | None:
    """The template of what is printed with a name for each reference, whose place is the number of a cell; slashed: whether its name
    has a /. None where names decide more than whether there are brackets around them."""

    def text(signed: Collection[int]) -> tuple[str, list[int]]:
        asked: list[int] = []

        def name(ref: Ref) -> str:
            asked.append(ref.places[0])
            gap = len(asked) - 1
            return "-" * (gap in signed) + f"\ue000{gap}\ue001" + "/" * slashed(asked[gap])

        return printed(name), asked

    whole, asked = text(())
    gaps = [int(gap) for gap in GAP.findall(whole)]
    if len(gaps) > GAPS or len({*gaps}) < len(gaps):
        return None
    marks = {gap: f"\ue000{gap}\ue001" + "/" * slashed(asked[gap]) for gap in gaps}
    first, last = bracketed("\n", dialect).split("\n")
    around: dict[int, tuple[str, str]] = {}
    for gap in gaps:
        found = text({gap})[0]
        around[gap] = ("", "") if found == whole.replace(marks[gap], "-" + marks[gap]) else (first, last)
        if found != whole.replace(marks[gap], f"{around[gap][0]}-{marks[gap]}{around[gap][1]}"):
            return None
    every = whole
    for gap in gaps:
        every = every.replace(marks[gap], f"{around[gap][0]}-{marks[gap]}{around[gap][1]}")
    if every != text(gaps)[0]:
        return None
    literal = "%s".join(escaped(part).replace("%", "%%") for part in GAP.split(whole)[::2])
    return Template(
        literal, tuple([asked[gap] for gap in gaps]), tuple([slashed(asked[gap]) for gap in gaps]), tuple([around[gap] for gap in gaps])
    )


# --- names of cells -----------------------------------------------------------------------------------------------------


def spelling(spell: Spell, axes: tuple[Axis, ...], merged: int, one_by_one: bool, around: str = "") -> Spell:
    """The same spelling, escaped, with marks around it: learned from some places where there are many, else kept."""
    size = prod(len(axis.places) for axis in axes)
    found = None if one_by_one or size <= FEW else _learned(spell, axes, merged, around)
    if found is not None and size > KEPT:
        return found
    return SpelledOnce(found or (lambda place: around + escaped(spell(place)) + around)).__getitem__


class SpelledOnce(dict[Place, str]):
    """Spellings, each made when it is first asked for."""

    def __init__(self, spell: Spell) -> None:
        self._spell = spell

    def __missing__(self, place: Place) -> str:
        self[place] = found = self._spell(place)
        return found


def _learned(spell: Spell, axes: tuple[Axis, ...], merged: int, around: str) -> Spell | None:
    """A spelling as words, each of which depends on the place along one axis, or along those that are numbered as one; None where it is
    something else. It is compared with what it was learned from at places whose words are of every form."""
    apart = len(axes) - merged
    groups = [slice(number, number + 1) for number in range(apart)] + [slice(apart, len(axes))] * bool(merged)
    base = tuple([axis.places[0] for axis in axes])
    words = WORD.findall(spell(base))
    owned: dict[int, tuple[slice, dict[Place, str]]] = {}
    tried: list[list[Place]] = []
    for group in groups:
        forms: dict[tuple[tuple[int, bool], ...], Place] = {}
        columns: dict[Place, list[str]] = {}
        for part in product(*(axis.places for axis in axes[group])):
            columns[part] = WORD.findall(spell((*base[: group.start], *part, *base[group.stop :])))
            if len(columns[part]) != len(words):
                return None
            forms.setdefault(tuple([(len(word), word.isdigit()) for word in columns[part]]), part)
        for number, word in enumerate(words):
            if any(column[number] != word for column in columns.values()):
                if number in owned:
                    return None
                owned[number] = group, {part: escaped(column[number]) for part, column in columns.items()}
        tried.append([*forms.values()])
    text = around + "".join("%s" if number in owned else escaped(word).replace("%", "%%") for number, word in enumerate(words)) + around
    gaps = [owned[number] for number in sorted(owned)]
    single = [(group.start, {part[0]: word for part, word in words.items()}) for group, words in gaps if group.stop == group.start + 1]

    def learned(place: Place) -> str:
        return text % tuple([words[place[group]] for group, words in gaps])

    def quickly(place: Place) -> str:
        return text % tuple([words[place[axis]] for axis, words in single])

    samples = [tuple(one for part in parts for one in part) for parts in product(*tried)]
    found = quickly if len(single) == len(gaps) else learned
    return found if len(samples) <= TRIED and all(found(place) == around + escaped(spell(place)) + around for place in samples) else None
