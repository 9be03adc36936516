"""What is wrong with the punctuation of a problem file, in the line where it is wrong.

- `reasons(text, line)` is what a YAML reader stumbled over, at or before a line: a blank that is missing after a colon, an equals sign,
  an indentation, a bracket that is not closed.
- `joined(pairs)` is what is legal YAML, but not what was meant: `{x1:1.0}`, `{x1: 1,5}`, `-neurons: 2`.

A slip that YAML readers report elsewhere, or not at all, is added here: one of a line to `_LINES`, one of an entry to `joined`.
"""

from __future__ import annotations

import re
from typing import Any

from handcalc.errors import Message, Template, printable

_BACK = 3  # lines above the one that is reported
_NAME = r"""[^\s:=,\[\]{}#"']+"""
# a line → what is wrong with it, and how its key and value are found
_LINES: tuple[tuple[str, Template], ...] = (
    (rf"\s*(?:- )*({_NAME}):([^\s:/].*?)(?:\s\S+:.*)?$", "a blank is missing after the colon: write {example}"),
    (rf"[^#\"']*?[{{\[,]\s*({_NAME}):([^\s:/,\]}}][^,}}]*)", "a blank is missing after the colon: write {example}"),
    (
        rf"[^#\"']*?\{{[^\"']*?({_NAME}):\s+([^\"',{{}}\[\]]*\w\[[^,}}\]]*\])",
        "in braces a formula with [ ] needs quotation marks: {example}",
    ),
    (rf"\s*(?:- )*({_NAME})\s*=\s*([^=].*?)(?:\s\S+\s*=.*)?$", "a key is followed by a colon, not by =: write {example}"),
    (r"\s*-([^\W\d]\w*):\s(.*)", "a blank is missing after the dash: write - {example}"),
    (r"\s*([^\W\d]\w*)(\s*)$", "a colon is missing: write {example}"),
)
_ENTRY = r"(\s*(?:- +)*)[^\s#-][^:#]*:(\s+[^\s#].*)?\s*$"
_PAIRS = {"]": "[", "}": "{"}


def reasons(text: str, line: int) -> list[tuple[int, Message]]:
    """The lines, from 1, and what is wrong there; none where nothing is known. What is missing after a colon is said of every line."""
    lines = text.splitlines()
    near = range(max(1, line - _BACK), min(line, len(lines)) + 1)
    first = next(filter(None, (_slip(lines[number - 1]) for number in near)), None)
    if first:
        found = [(number, slip) for number, typed in enumerate(lines, 1) if (slip := _slip(typed))]
        return [(number, slip) for number, slip in found if slip.template == first.template]
    shifted = _shifted(lines, line)
    return [found for found in (shifted or _bracket(text),) if found]


def _slip(line: str) -> Message | None:
    """What is wrong with a line by itself, and an example of what to write."""
    for pattern, template in _LINES:
        found = re.match(pattern, line)
        if found:
            return Message(template, example=_example(found[1], found[2]))
    return None


def _shifted(lines: list[str], line: int) -> tuple[int, Message] | None:
    """A key that stands further to the right than the complete one above it."""
    before = next((number for number in range(min(line - 1, len(lines)), 0, -1) if lines[number - 1].strip()), 0)
    own, above = (re.match(_ENTRY, lines[number - 1]) if 0 < number <= len(lines) else None for number in (line, before))
    if own and above and above[2] and len(own[1]) > len(above[1]):
        return line, Message("the indentation does not fit the lines above")
    return None


def joined(pairs: list[tuple[Any, Any]]) -> tuple[Any, Message] | None:
    """The first entry of a mapping that is none, with what is wrong; None where all are. pairs: nodes of keys and values."""
    for place, (key, value) in enumerate(pairs):
        typed = key.value if isinstance(key.value, str) and key.style is None else ""
        below = isinstance(value.value, str) and value.style is None and value.start_mark.line > key.end_mark.line
        if below and (found := _slip(value.value)):
            return value, found
        if typed[:1] == "-" and typed[1:2].isalpha():
            return key, Message("a blank is missing after the dash: write - {example}", example=_example(typed[1:], "…"))
        if value.value != "" or not typed:
            continue
        name, colon, rest = typed.partition(":")
        if colon and name and rest:
            return key, Message("a blank is missing after the colon: write {example}", example=_example(name, rest))
        before = pairs[place - 1][1] if place else None
        if before is not None and typed.isdecimal() and re.fullmatch(r"[-+]?\d+", str(before.value)):
            return key, Message("{found} is two numbers: write a decimal point", found=f'"{printable(before.value)[:30]},{typed[:10]}"')
    return None


def rejoin(node: Any) -> None:
    """Put formulas together again that YAML has parted at a comma: in [max(0, z), tanh] or {L: max(0, a - b)}, where a round bracket is
    still open, what follows belongs to it."""
    kept: list[Any] = []
    for entry in node.value:
        key, value = entry if isinstance(entry, tuple) else (entry, None)
        last = kept[-1][1] if kept and isinstance(kept[-1], tuple) else kept[-1] if kept else None
        if last is not None and _is_open(last) and _is_word(key) and (value is None or value.value == ""):
            last.value, last.end_mark = f"{last.value}, {key.value}", key.end_mark
        else:
            kept.append(entry)
    node.value[:] = kept


def _is_word(node: Any) -> bool:
    return isinstance(node.value, str) and node.style is None and node.value != ""


def _is_open(node: Any) -> bool:
    return _is_word(node) and node.value.count("(") > node.value.count(")")


def _example(key: str, value: str) -> str:
    """What to write, in short."""
    value = value.strip().split(" ")[0] if len(value) > 30 else value.strip()
    if value.count("[") > value.count("]"):
        value += ", …]"
    return printable(f"{key}: {value}".strip()[:40])


def _bracket(text: str) -> tuple[int, Message] | None:
    """The first bracket or quotation mark that is not closed, or a bracket that closes nothing."""
    opened: list[tuple[str, int]] = []
    quote, begun = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        before = " "
        for letter in line:
            if quote:
                quote = "" if letter == quote else quote
            elif letter in "\"'" and before in " [{,:":
                quote, begun = letter, number
            elif letter == "#" and before == " ":
                break
            elif letter in "[{":
                opened.append((letter, number))
            elif letter in "]}":
                if not opened:
                    return number, Message("the bracket {found} closes nothing", found=letter)
                if opened[-1][0] != _PAIRS[letter]:
                    return opened[-1][1], Message("the bracket {found} is not closed", found=opened[-1][0])
                opened.pop()
            before = letter
    if quote:
        return begun, Message("a quotation mark is not closed")
    return (opened[0][1], Message("the bracket {found} is not closed", found=opened[0][0])) if opened else None
