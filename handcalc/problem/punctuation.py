"""Full-width punctuation of a problem file, as a Chinese or Japanese keyboard types it, becomes what YAML reads.

- `half_width(text)` is the text with it: `x1：0.5，x2：1` in brackets, `标题：…` at the start of a line, 【…】, “…”.

Only what is punctuation is changed: nothing inside quotation marks, comments or texts of several lines, and nothing in a text that
stands alone after its key, such as a title. Digits and signs of numbers are read in full width anyway. Lines keep their numbers.
"""

from __future__ import annotations

import re

_OPEN = {"[": "[", "{": "{", "【": "[", "［": "[", "｛": "{"}
_CLOSE = {"]": "]", "}": "}", "】": "]", "］": "]", "｝": "}"}
_COMMAS = "，；、"
_QUOTES = {"“": "”", "”": "”", "‘": "’", "「": "」", "『": "』", "＂": "＂"}
_MARKS = frozenset("：　＃－") | {*_OPEN, *_CLOSE, *_COMMAS, *_QUOTES} - {*"[]{}"}
_ITEM = r"(\s*(?:[-－]\s+|－(?=[^\s\d.．]))*)"
_NAME = r"""[^\s:：,，\[\]{}【】#"'“”][^:：,，\[\]{}【】#"']*?|"[^"]*"|'[^']*'|“[^”]*”"""
_KEY = rf"{_ITEM}({_NAME})\s*(：|:(?=\s|$))\s*"
_BLOCK = r"(?:^|.*\s)[|>][-+0-9]*\s*(?:#.*)?$"


def half_width(text: str) -> str:
    """The same file in half-width punctuation, line by line."""
    if text.isascii() or not _MARKS & set(text):
        return text
    writer = _Writer()
    return "".join(map(writer.line, text.splitlines(keepends=True)))


class _Writer:
    """Where the reader is between two lines: inside how many brackets, or in a text of several lines."""

    def __init__(self) -> None:
        self.depth = 0  # of brackets
        self.rounded = 0  # round ones, whose commas belong to a formula
        self.quote = ""  # the closing mark of a text that is open
        self.margin: int | None = None  # the indentation of a key with a text of several lines
        self.column: int | None = None  # of a key with a text that may go on, further to the right

    def line(self, line: str) -> str:
        """One line, with its end."""
        if self.depth or self.quote:
            return self.inside(line)
        indentation = len(line) - len(line.lstrip())
        if self.margin is not None and (not line.strip() or indentation > self.margin):
            return line
        self.margin = None
        if line.lstrip().startswith(("#", "＃")):
            return line.replace("＃", "#", 1).replace("　", "  ") if line.lstrip().startswith("＃") else line
        found = re.match(_KEY, line)
        begun = found or re.match(_ITEM, line)
        assert begun is not None  # an item may be nothing
        before = re.sub(r"－(?!\s)", "- ", begun[1]).replace("　", "  ").replace("－", "-")
        if self.column is not None and not before.strip() and len(before) > self.column:
            return line
        self.column = None
        column = len(before)
        if found:
            key = f'"{found[2][1:-1]}"' if found[2][0] == "“" else found[2]
            before += key + ": "
        rest = line[begun.end() :]
        if re.match(_BLOCK, rest.rstrip("\r\n")):
            self.margin = indentation
        if not rest.strip():
            return before.rstrip(" ") + (line[len(line.rstrip("\r\n")) :]) if found else line.replace("　", "  ")
        if rest[0] in _OPEN or rest[0] in "\"'" or (rest[0] in _QUOTES and _whole(rest)):
            return before + self.inside(rest)
        self.column = column if found and rest[0] not in "#＃|>&" else None
        return before + re.sub(r"(^|(?<=\s))＃(?=\s)", "#", rest, count=1)

    def inside(self, text: str) -> str:
        """What stands in brackets or quotation marks, and what follows it on the line."""
        result, start = "", not self.quote  # start: whether a text may begin here
        for place, letter in enumerate(text):
            following = text[place + 1 : place + 2]
            if self.quote:
                closes = letter == self.quote
                result += '"' if closes and letter in _QUOTES.values() else letter
                self.quote = "" if closes else self.quote
                continue
            if letter in "#＃" and (not result or result[-1].isspace()):
                return result + "#" + text[place + 1 :]
            if start and (letter in "\"'" or letter in _QUOTES):
                self.quote = _QUOTES.get(letter, letter)
                result += '"' if letter in _QUOTES else letter
            else:
                result += self.mark(letter, following)
            start = letter in _COMMAS or letter in ",:：" or letter in _OPEN or (start and letter.isspace())
        return result

    def mark(self, letter: str, following: str) -> str:
        """One letter outside quotation marks."""
        space = "" if following.isspace() else " "
        self.rounded = max(0, self.rounded + (letter in "(（") - (letter in ")）"))
        if letter in _OPEN:
            self.depth += 1
            return _OPEN[letter]
        if letter in _CLOSE:
            self.depth = max(0, self.depth - 1)
            return _CLOSE[letter]
        if letter in _COMMAS and not self.rounded:
            return "," + space
        return ":" + space if letter == "：" else " " if letter == "　" else letter


def _whole(rest: str) -> bool:
    """Whether a text is in quotation marks as a whole, without others inside; a comment may follow."""
    inside, closing, after = rest[1:].partition(_QUOTES[rest[0]])
    return closing != "" and not set(inside) & {'"', "\\"} and re.fullmatch(r"\s*|\s+[#＃].*\s*", after) is not None
