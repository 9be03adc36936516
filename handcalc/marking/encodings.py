"""The text in the bytes of a sheet, whatever program wrote it.

- `text_of(data, name)` reads UTF-8, UTF-16 with a mark, GB18030 and Latin-1 as Windows has it, in that order: the first that decodes,
  and whose letters are plausible. `encoded_text(data, name)` says as well how it was written.

Nothing is guessed from statistics. GB18030 is what it is where its letters are those of Chinese texts and of formulas: bytes of
Latin-1 make rare ones of it.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from handcalc.core.record import Record
from handcalc.errors import Message, ProblemError

_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_COMMON = 0.9  # the share of a Chinese text's letters that are in GB 2312 or in formulas
_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x85"


class EncodedText(Record):
    """A text, its encoding, and the mark of bytes before it."""

    text: str
    encoding: str
    mark: bytes = b""


def text_of(data: bytes, name: str) -> str:
    """The text. Raises ProblemError where there is none."""
    return encoded_text(data, name).text


def encoded_text(data: bytes, name: str) -> EncodedText:
    """The text, and how it was written. Raises ProblemError where there is none."""
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return EncodedText(_decoded(data[len(mark) :], encoding, name), encoding, mark)
    try:
        return EncodedText(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        pass
    for encoding, plausible in _GUESSED:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if plausible(text) and all(letter.isprintable() or letter in _BREAKS or ord(letter) > 0xFF for letter in text):
            return EncodedText(text, encoding)
    raise ProblemError(_no_text(name))


def _decoded(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError:
        raise ProblemError(_no_text(name)) from None


def _no_text(name: str) -> Message:
    return Message("this is no text; save it as text in UTF-8, as CSV, or as an Excel (.xlsx) or Word (.docx) file", f"{name}: ")


def _is_chinese(text: str) -> bool:
    """Whether the letters beyond ASCII are those of Chinese and of formulas."""
    letters = [letter for letter in text if letter > "\x7f"]
    return sum(map(_is_common, letters)) >= _COMMON * len(letters)


def _is_common(letter: str) -> bool:
    if "\u2070" <= letter <= "\u209f" or "\u2200" <= letter <= "\u22ff" or letter in "²³¹½⁄":  # powers, indices, operators
        return True
    try:
        return len(letter.encode("gb2312")) == 2
    except UnicodeEncodeError:
        return False


def _any(text: str) -> bool:
    return True


_GUESSED: tuple[tuple[str, Callable[[str], bool]], ...] = (("gb18030", _is_chinese), ("cp1252", _any), ("latin-1", _any))
