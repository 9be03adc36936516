"""Rows of a class in a file of JSON Lines: written as they come, and read again by the run that goes on.

- `opened(path, about, inputs)` is the file for one run: `known(path, data)` is the row of a sheet that is in it, `keep(path, data, row)`
  adds one; about: `marked_with(problem, …)`.
- `as_line(row)`, `from_line(data)`: a row as data, and back, with nothing lost that a report on a class shows.

The first line says what the sheets are marked against; another problem, notation, rounding or version is another file. A line that is
no whole row, because a machine stopped while it was written or somebody changed it, is a sheet that is marked again; so is a sheet that has
changed since.
"""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import Any

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.disk.jsontext import json_text
from handcalc.disk.reading import opened as opened_to_read
from handcalc.disk.reading import reason
from handcalc.disk.writing import appending
from handcalc.errors import HandcalcError, Message, Template
from handcalc.marking.classroom import StudentRow
from handcalc.marking.marked import VERDICTS, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.problem.schema import Problem

VERSION = 1  # of these lines
LINE_LIMIT = 50_000_000  # bytes of one
KEYS = {"sheet", "sha256", "row", "check"}
ALWAYS = ("id", "given", "verdict", "marks", "worth")  # fields of an answer that a line has; others where they say something
_PLACE = re.compile(r"\{(\w*)([^{}]*)\}")


class RowFile:
    """The rows that are in a file, and what adds one."""

    def __init__(self, found: Mapping[str, Mapping[str, Any]], add: Callable[[str], None]) -> None:
        self._found = found
        self._add = add

    def known(self, path: str, data: bytes) -> StudentRow | None:
        """The row of a sheet that was marked before, and is the same now."""
        found = self._found.get(_shown(path))
        return from_line(found["row"]) if found is not None and found["sha256"] == _sha(data) else None

    def has(self, path: str) -> bool:
        """Whether there is a row of a sheet, which may have changed since."""
        return _shown(path) in self._found

    def keep(self, path: str, data: bytes, row: StudentRow) -> None:
        """Remember a row."""
        line = as_line(row)
        self._add(_line({"sheet": _shown(path), "sha256": _sha(data), "row": line, "check": _check(line)}))


@contextmanager
def opened(path: str, about: Mapping[str, Any], inputs: tuple[str, ...] = ()) -> Iterator[RowFile]:
    """The file for one run; about: what every row depends on besides its sheet. Raises HandcalcError where it is of something else."""
    head = {"handcalc_rows": VERSION, **about}
    found: dict[str, Mapping[str, Any]] = {}
    begun, whole = False, True
    for line in _lines(path):
        whole = line.endswith(b"\n")
        data = _data(line)
        if not begun and data != head:
            template = "this file has not the rows of these sheets with this problem, notation, rounding and version; give another name"
            raise HandcalcError(Message(template, f"{path}: "))
        if begun and isinstance(data, dict) and data.keys() == KEYS and data["check"] == _check(data["row"]):
            found[str(data["sheet"])] = data
        begun = True
    with appending(path, inputs, own=True) as add:
        if not begun:
            add(_line(head))
        elif not whole:
            add("\n")
        yield RowFile(found, add)


def marked_with(problem: Problem, notation: str, rounding: Rounding | None, anonymous: bool) -> dict[str, Any]:
    """What every row depends on besides its sheet, as the first line has it."""
    from handcalc import __version__

    whole = sha256(pickle.dumps(problem.replace(path=""))).hexdigest()  # with all that it reads from other files
    said = {"title": problem.title, "problem": whole, "notation": notation, "anonymous": anonymous}
    return said | {"handcalc": __version__, "rounding": None if rounding is None else [*rounding.__dict__.values()]}


def _lines(path: str) -> Iterator[bytes]:
    """The lines of a file, if it is there. Raises HandcalcError."""
    try:
        with opened_to_read(path) as file:
            while line := file.readline(LINE_LIMIT):
                yield line
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise HandcalcError(Message("cannot be read: {reason}", f"{path}: ", reason=reason(error))) from None


def _data(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _line(data: Mapping[str, Any]) -> str:
    return json_text(data, separators=(",", ":")) + "\n"


def _check(row: Any) -> str:
    """What tells a row that was changed or cut off from one that was written."""
    return _sha(_line(row).encode())[:16]


def _sha(data: bytes) -> str:
    return sha256(data).hexdigest()


def _shown(path: str) -> str:
    """A path as text, which it may not be."""
    return path.encode("utf-8", "backslashreplace").decode()


# --- rows as data ---------------------------------------------------------------------------------------------------------


def as_line(row: StudentRow) -> dict[str, Any]:
    """A row as data."""
    found: dict[str, Any] = {"name": row.name, "path": row.path, "called": row.called}
    if row.marking is None:
        return found | {"trouble": [*map(_message, row.trouble)]}
    marking, rounding = row.marking, row.marking.rounding
    found |= {"as": marking.name, "score": round(marking.score, 6), "rounding": None if rounding is None else dict(rounding.__dict__)}
    return found | {"answers": [*map(_answer, marking.answers)]}


def _answer(answer: Marked) -> dict[str, Any]:
    found = {name: value for name, value in answer.__dict__.items() if name in ALWAYS or value}
    return found | ({"note": _message(answer.note)} if answer.note else {})


def _message(message: Message) -> dict[str, Any]:
    values = {name: _message(value) if isinstance(value, Message) else value for name, value in message.values.items()}
    return {"text": message.template, "where": message.where, "values": values}


def from_line(data: Any) -> StudentRow | None:
    """The row; None where the data are none."""
    try:
        row = StudentRow(data["name"], data["path"], called=data["called"])
        if "trouble" in data:
            return row.replace(trouble=tuple(map(_from_message, data["trouble"])))
        rounding = None if data["rounding"] is None else Rounding(**{name: _tuples(value) for name, value in data["rounding"].items()})
        return row.replace(marking=Marking(data["as"], tuple(map(_from_answer, data["answers"])), rounding))
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _from_answer(data: Mapping[str, Any]) -> Marked:
    answer = Marked(**{name: _tuples(value) for name, value in data.items() if name != "note"})
    if answer.verdict not in VERDICTS or not MISTAKES.keys() >= {*answer.mistakes}:
        raise ValueError
    return answer.replace(note=_from_message(data["note"])) if "note" in data else answer


class SavedMessage(Record):
    """A message as it stands in a row: a text that handcalc printed, and what it was filled with."""

    text: Template
    where: str
    values: Mapping[str, Any]


def _from_message(data: Mapping[str, Any]) -> Message:
    """A message, which may only be filled as ours are: by name, and with nothing that a format could do besides."""
    saved = SavedMessage(**{name: data[name] for name in ("text", "where", "values")})
    values = {name: _from_message(value) if isinstance(value, Mapping) else value for name, value in saved.values.items()}
    if any(name not in values or how for name, how in _PLACE.findall(saved.text)):
        raise ValueError
    return Message(saved.text, saved.where, **values)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value
