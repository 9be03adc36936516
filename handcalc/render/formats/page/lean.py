"""A page without repetitions: formulas without what a browser knows anyway, lines that are like others as what differs in them.

- `lean(formula)` is MathML that looks the same and is shorter.
- `packed(lines, examples)` is lines as examples and what differs from them; `unpacked` of page.js and of tests/pages.py undo it.

A line is taken for a row of pieces: its ids and its texts, in the order of the page; lines with the same tags are like each other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

_INDEX = re.compile(r"(?:<m(?:n|text)>[^<]*</m(?:n|text)>){2,}")  # digits and signs that stand together in an index
_ALONE = re.compile(r"<mrow>(<m[ion][^>]*>[^<]*</m[ion]>|<mtext>[^<]*</mtext>)</mrow>")
_BETWEEN = re.compile(r'(</m\w+>)<mo form="infix">([^<]*</mo><m)')  # that it stands between two is seen
_FIRST = re.compile(r'(<mrow[^>]*>)<mo form="prefix">([^<]*</mo><m)')  # and so is that it stands before the only one
_ROW = re.compile(r"<mrow>(<(m\w+)>(?:(?!</?\2>|</?mrow).)*</\2>)</mrow>")  # around one thing
_NUMBER = re.compile(r"(?<!<msup>)<mrow>(<mn data-cell=[^>]*>[^<]*</mn>)</mrow>")  # the script looks for that of a power
_DIGITS = re.compile(r"<mrow( data-cell=\"[^\"]*\")><mn>([^<]*)</mn></mrow>")
_TAG = re.compile(r'(<[^>"]*(?:"[^"]*"[^>"]*)*>)')
_ID = re.compile(r'(data-cell|data-step)="([^"]*)"')


def lean(formula: str) -> str:
    """A formula without rows around one thing, without the places of signs that a browser sees, its indices in one piece."""
    formula = _INDEX.sub(lambda found: f"<mtext>{re.sub('<[^>]*>', '', found[0])}</mtext>", formula)
    formula = _ROW.sub(r"\1", _NUMBER.sub(r"\1", _DIGITS.sub(r"<mn\1>\2</mn>", _ALONE.sub(r"\1", formula))))
    return _FIRST.sub(r"\1<mo>\2", _BETWEEN.sub(r"\1<mo>\2", formula))


def packed(lines: Iterable[str], examples: Mapping[str, str]) -> dict[str, Any]:
    """like: of each kind of line an example, the id of a line of the page or, in a list, a line spelled with numbers of tags; at: the
    pieces that differ, those that are always the same together; lines: the number of an example, then what differs, parted by tabs.

    examples: id → the lines of the page, without their numbers.
    """
    tags: dict[str, int] = {}
    known: dict[str, tuple[str | list[str], list[str]]] = {}
    for step, line in examples.items():
        shape, pieces = _taken_apart(line)
        known.setdefault(shape, (step, pieces))
    groups: dict[str, list[list[str]]] = {}
    order: list[tuple[str, int]] = []
    for line in lines:
        shape, pieces = _taken_apart(line)
        if shape not in known:
            known[shape] = [_spelled(line, tags)], pieces
        group = groups.setdefault(shape, [])
        order.append((shape, len(group)))
        group.append(pieces)
    places, rows = [], []
    for shape, group in groups.items():
        together: dict[tuple[str, ...], list[int]] = {}
        for place, (own, column) in enumerate(zip(known[shape][1], zip(*group))):
            if {*column} != {own}:
                together.setdefault((own, *column), []).append(place)
        places.append([place if len(place) > 1 else place[0] for place in together.values()])
        rows.append(list(zip(*together))[1:] or [()] * len(group))
    number = {shape: place for place, shape in enumerate(groups)}
    return {
        "like": [known[shape][0] for shape in groups],
        "tags": [*tags],
        "at": places,
        "lines": ["\t".join([str(number[shape]), *rows[number[shape]][place]]) for shape, place in order],
    }


def _spelled(line: str, tags: dict[str, int]) -> str:
    """A line with {number id| and } in the place of tags; tags: those there are, each with its number, tabs in the place of ids."""

    def numbered(tag: re.Match[str]) -> str:
        number = tags.setdefault(_ID.sub('\\1="\t"', tag[1]), len(tags))
        return "{" + " ".join([str(number), *(found[2] for found in _ID.finditer(tag[1]))]) + "|"

    line = re.sub("[{|}]", lambda found: f"&#{ord(found[0])};", line)
    return re.sub(r'<((?:[^>"]|"[^"]*")*)>', numbered, re.sub("</[^>]*>", "}", line))


def _taken_apart(line: str) -> tuple[str, list[str]]:
    """A line without its ids and texts, and these."""
    pieces: list[str] = []

    def taken(text: str) -> str:
        pieces.append(text)
        return "\t"

    parts = [
        _ID.sub(lambda found: f'{found[1]}="{taken(found[2])}"', part) if place % 2 else taken(part) if part.strip() else part
        for place, part in enumerate(_TAG.split(line))
    ]
    return "".join(parts), pieces
