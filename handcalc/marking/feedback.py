"""Handing sheets back: a marked sheet as a file for its student, the names of such files, and numbers in the place of names.

- `Feedback(format, …).written(desk, marking)` is the content of a file, with every answer.
- `file_names(stems, suffix)` are names that every system takes, each once; `numbers(paths)` a number for each sheet.
- `hidden(marking, path, number)`, `hidden_message(…)`: the same without what may be a name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Any
from unicodedata import normalize

from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.language import translator
from handcalc.marking.desk import Desk
from handcalc.marking.marked import Marked, Marking
from handcalc.marking.report import report
from handcalc.render import read
from handcalc.render.report import LONGEST_SUM, Page, Report, Style, dialect_of, written

NAME_BYTES = 120  # of the name of a file, without its ending: file systems take 255
HIDDEN = "…"
FOUR_DIGITS = 4  # of the number of a sheet, at least
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # devices of Windows
_UNSAFE = re.compile(r"[^\w.()+, -]")


class Feedback(Record):
    """How marked sheets are handed back: a format of documents, the language, the notation, and a comma or a point in numbers."""

    format: str = "html"
    language: str = "en"
    notation: str = ""
    comma: bool = False

    def written(self, desk: Desk, marking: Marking) -> str | bytes:
        """The content of one file. Raises OutputError where the format needs what is not there."""
        reading = read(desk.book.derivation, self.notation, dialect_of(self.format), self.comma, LONGEST_SUM)
        page = Page(reading, report(desk, marking, reading, everything=True), Style(comma=self.comma))
        return written(Report((page,), translator(self.language), self.language), self.format).content


# --- names of files ---------------------------------------------------------------------------------------------------


def file_names(stems: Sequence[str], suffix: str) -> list[str]:
    """A name for each, with the ending: letters of all scripts, digits and harmless signs; no two differ only in capitals."""
    taken: set[str] = set()
    names = []
    for stem in stems:
        count, name = 1, _safe(stem)
        while name.casefold() in taken:
            count += 1
            name = f"{_safe(stem)}-{count}"
        taken.add(name.casefold())
        names.append(name + suffix)
    return names


def _safe(stem: str) -> str:
    text = _UNSAFE.sub("_", normalize("NFC", stem)).strip(" .").lstrip("-")
    short = text.encode()[:NAME_BYTES].decode(errors="ignore").rstrip(" .")
    return short + "_" if not short or _RESERVED.fullmatch(short) else short


def stem_of(path: str) -> str:
    """The name of a sheet's file without its ending; stdin for standard input."""
    return "stdin" if path == "-" else os.path.splitext(os.path.basename(path))[0].encode("utf-8", "backslashreplace").decode()


# --- numbers in the place of names ------------------------------------------------------------------------------------


def numbers(paths: Sequence[str]) -> dict[str, str]:
    """Path → number, made from the name of the file, so that a sheet keeps its own when others come."""
    from hashlib import sha256

    digits = FOUR_DIGITS
    while 2 * len(paths) > 9 * 10 ** (digits - 1):
        digits += 1
    first, count = 10 ** (digits - 1), 9 * 10 ** (digits - 1)
    found: dict[str, str] = {}
    taken: set[int] = set()
    for path in sorted(paths, key=lambda path: (stem_of(path), path)):
        place = int.from_bytes(sha256(normalize("NFC", stem_of(path)).casefold().encode()).digest()[:8], "big") % count
        while place in taken:
            place = (place + 1) % count
        taken.add(place)
        found[path] = str(first + place)
    return found


def hidden(marking: Marking, path: str, number: str) -> Marking:
    """A marking under a number, without the words of what could not be read, among which a name may be; path: as messages call it."""

    def without(answer: Marked) -> Marked:
        if answer.cell is not None and answer.verdict != "unreadable":
            return answer
        known = answer if answer.cell else answer.replace(id=HIDDEN)
        return known.replace(given=answer.given and HIDDEN, note=answer.note and hidden_message(answer.note, path, number))

    return marking.replace(name=number, answers=tuple(map(without, marking.answers)))


def hidden_message(message: Message, path: str, number: str) -> Message:
    """A message with a number in the place of the path, without the words it is filled with."""

    def without(value: Any) -> Any:
        if isinstance(value, Message):
            return hidden_message(value, path, number)
        return value and HIDDEN if isinstance(value, str) else value

    where = number + message.where.removeprefix(path) if message.where.startswith(path) else message.where and f"{number}: "
    return Message(message.template, where, **{key: without(value) for key, value in message.values.items()})
