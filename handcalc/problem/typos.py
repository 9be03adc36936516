"""What is wrong with the punctuation of a problem file, in the line where it is wrong.

- `reason(text, line)` is what a YAML reader stumbled over, at or before a line: a blank that is missing after a colon, an equals sign,
  a bracket that is not closed.
- `joined(key, …)` is that of an entry which is legal YAML, but not what was meant: `{x1:1.0}`, `{x1: 1,5}`.

A slip that YAML readers report elsewhere, or not at all, is added here.
"""

from __future__ import annotations

import re
from typing import Any

from handcalc.errors import Message, Template, printable

_BACK = 3  # lines above the one that is reported
_JOINED = r"\s*(?:- )*([^\s:,\[\]{}#\"']+):([^\s:/].*)"
_EQUALS = r"\s*(?:- )*([^\s:=,\[\]{}#\"']+)\s*=\s*([^=].*)"
# a line → what is wrong with it
_LINES: tuple[tuple[str, Template], ...] = (
    (_JOINED, "a blank is missing after the colon: write {example}"),
    (_EQUALS, "a key is followed by a colon, not by =: write {example}"),
)
_PAIRS = {"]": "[", "}": "{"}


def reason(text: str, line: int) -> tuple[int, Message] | None:
    """The line, from 1, and what is wrong there; None where nothing is known."""
    lines = text.splitlines()
    for number in range(max(1, line - _BACK), min(line, len(lines)) + 1):
        for pattern, template in _LINES:
            found = re.match(pattern, lines[number - 1])
            if found:
                return number, Message(template, example=_example(found[1], found[2]))
    return _bracket(text)


def joined(pairs: list[tuple[Any, Any]]) -> tuple[Any, Message] | None:
    """The first entry of a mapping that is none, with what is wrong; None where all are. pairs: nodes of keys and values."""
    for place, (key, value) in enumerate(pairs):
        below = isinstance(value.value, str) and value.style is None and value.start_mark.line > key.end_mark.line
        if below and (found := re.match(_JOINED, value.value)):
            return value, Message("a blank is missing after the colon: write {example}", example=_example(found[1], found[2].split()[0]))
        if value.value != "" or not isinstance(key.value, str) or key.style is not None:
            continue
        name, colon, rest = key.value.partition(":")
        if colon and name and rest:
            return key, Message("a blank is missing after the colon: write {example}", example=_example(name, rest))
        before = pairs[place - 1][1] if place else None
        if before is not None and key.value.isdecimal() and re.fullmatch(r"[-+]?\d+", str(before.value)):
            whole = f"{before.value},{key.value}"
            return key, Message("{found} is two numbers: write a decimal point", found=f'"{printable(whole)[:40]}"')
    return None


def _example(key: str, value: str) -> str:
    return printable(f"{key}: {value.strip()}"[:40])


def _bracket(text: str) -> tuple[int, Message] | None:
    """The first bracket that is not closed, or closes nothing."""
    opened: list[tuple[str, int]] = []
    quote = ""
    for number, line in enumerate(text.splitlines(), 1):
        before = " "
        for letter in line:
            if quote:
                quote = "" if letter == quote else quote
            elif letter in "\"'" and before in " [{,:":
                quote = letter
            elif letter == "#" and before == " ":
                break
            elif letter in "[{":
                opened.append((letter, number))
            elif letter in "]}":
                if not opened or opened[-1][0] != _PAIRS[letter]:
                    return number, Message("the bracket {found} closes nothing", found=letter)
                opened.pop()
            before = letter
    return (opened[0][1], Message("the bracket {found} is not closed", found=opened[0][0])) if opened else None
