"""What somebody has practised: a box for every kind of step and mistake, in one small file.

- `Boxes(path)` reads the file; `boxes.wrong(key)` puts a box back to the first, `boxes.right(key)` moves it one further, up to the
  fifth (Leitner's boxes, 1972); each writes the file, whole or not at all. Without a path nothing is kept.
- `key(kind, slug)` names a box: `grad.net/updated-weights-in-backward`; `OTHER` stands for whatever has no name.
- `state_path()` is where the file is; `today()` is the date, which tests replace.

A file that cannot be read is put aside, and said so: `boxes.warnings`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.disk.reading import contents, reason
from handcalc.disk.writing import put_aside, replace_own
from handcalc.errors import Message

VERSION = 1
FIRST, LAST = 1, 5
OTHER = "other"
ASIDE = ".bad"
LIMIT = 10_000_000  # bytes of the file


class Box(Record):
    """How well something is known. box: 1 to 5; right, wrong: how often it was; last: the date, YYYY-MM-DD."""

    box: int = FIRST
    right: int = 0
    wrong: int = 0
    last: str = ""

    @property
    def json(self) -> dict[str, Any]:
        """As data."""
        return {"box": self.box, "right": self.right, "wrong": self.wrong, "last": self.last}


def key(kind: str, slug: str) -> str:
    """The name of a box."""
    return f"{kind}/{slug}"


def today() -> str:
    """The date as it is written into boxes."""
    return date.today().isoformat()


def state_path(environment: Mapping[str, str] = os.environ) -> str:
    """The file of the boxes: in XDG_STATE_HOME, else in ~/.local/state."""
    home = environment.get("XDG_STATE_HOME", "")
    base = home if os.path.isabs(home) else os.path.join(os.path.expanduser("~"), ".local", "state")
    return os.path.join(base, "handcalc", "practice.json")


class Boxes:
    """The boxes of one file, read again before each change, so that two who practise at once lose nothing."""

    def __init__(self, path: str | None, date: Callable[[], str] | None = None) -> None:
        self.path = path
        self.warnings: list[Message] = []
        self._today = date or today
        self._found: dict[str, Box] = {}
        self._read()

    def all(self) -> dict[str, Box]:
        """Every box by its key."""
        return dict(self._found)

    def weakest(self) -> list[str]:
        """The keys of boxes that are not in the last one: the lowest first, of those the longest ago."""
        left = [name for name, box in self._found.items() if box.box < LAST]
        return sorted(left, key=lambda name: (self._found[name].box, self._found[name].last, name))

    def wrong(self, name: str) -> None:
        """It went wrong: back into the first box."""
        self._change(name, lambda box: box.replace(box=FIRST, wrong=box.wrong + 1))

    def right(self, name: str, further: bool = True) -> None:
        """It went right: into the next box; further: unless it took several tries, or a hint."""
        self._change(name, lambda box: box.replace(box=min(box.box + further, LAST), right=box.right + 1))

    def _change(self, name: str, change: Callable[[Box], Box]) -> None:
        self._read()
        self._found[name] = change(self._found.get(name, Box())).replace(last=self._today())
        self._write()

    # --- the file ---

    def _read(self) -> None:
        """The boxes as they are in the file; one that is no such file is put aside."""
        if self.path is None or not os.path.lexists(self.path):
            return
        try:
            self._found = _boxes(json.loads(contents(self.path, LIMIT)))
        except OSError as error:
            self._lose(Message("cannot be read: {reason}; nothing is kept", f"{self.path}: ", reason=reason(error)))
        except (ValueError, RecursionError):
            aside = self.path + ASIDE
            try:
                put_aside(self.path, aside)
            except OSError as error:
                self._lose(Message("cannot be written: {reason}; nothing is kept", f"{self.path}: ", reason=error.strerror or str(error)))
                return
            self.warnings.append(Message("this is no file of practice; it is now {file}", f"{self.path}: ", file=aside))

    def _write(self) -> None:
        if self.path is None:
            return
        data = {"handcalc": VERSION, "boxes": {name: self._found[name].json for name in sorted(self._found)}}
        try:
            replace_own(json_text(data, indent=1) + "\n", self.path)
        except OSError as error:
            self._lose(Message("cannot be written: {reason}; nothing is kept", f"{self.path}: ", reason=error.strerror or str(error)))

    def _lose(self, warning: Message) -> None:
        """Go on without the file."""
        self.path = None
        self.warnings.append(warning)


def _boxes(data: Any) -> dict[str, Box]:
    """The boxes of a file. Raises ValueError where it is no such file."""
    if not isinstance(data, dict) or data.get("handcalc") != VERSION or not isinstance(data.get("boxes"), dict):
        raise ValueError("no boxes")
    return {name: _box(found) for name, found in data["boxes"].items()}


def _box(found: Any) -> Box:
    if not isinstance(found, dict) or {*found} != {"box", "right", "wrong", "last"} or not _is_date(found["last"]):
        raise ValueError("no box")
    counts = [found["box"], found["right"], found["wrong"]]
    if not all(type(count) is int and count >= 0 for count in counts) or not FIRST <= found["box"] <= LAST:
        raise ValueError("no box")
    return Box(found["box"], found["right"], found["wrong"], found["last"])


def _is_date(text: Any) -> bool:
    return isinstance(text, str) and date.fromisoformat(text).isoformat() == text
