"""Data as JSON: the one place where it is spelled.

- `json_text(data, …)` has every letter as it is, but those that cannot be seen, or that a terminal would obey, as \\u escapes: control
  characters of both kinds, marks that turn the direction of a line, spaces without width, separators of lines.
- `in_ascii(text)` is the same JSON without other letters.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from json import JSONEncoder


def json_text(data: Any, **layout: Any) -> str:
    """JSON; layout: as json.dumps has it."""
    text = _encoder(**layout).encode(data)
    if text.isascii() and "\x7f" not in text or text.replace("\n", "").isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else _escaped(letter) for letter in text)


@cache
def _encoder(**layout: Any) -> JSONEncoder:
    """Made once: a large solution has a hundred thousand texts."""
    from json import JSONEncoder

    return JSONEncoder(ensure_ascii=False, **layout)


def in_ascii(text: str) -> str:
    """The same JSON without other letters."""
    return "".join(letter if letter.isascii() else _escaped(letter) for letter in text)


def _escaped(letter: str) -> str:
    """One letter; beyond 16 bits there are two escapes."""
    units = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[place]:02x}{units[place + 1]:02x}" for place in range(0, len(units), 2))
