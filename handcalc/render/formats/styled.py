"""Lines of letters: texts whose parts have styles, how many columns they take, and what a table is made of.

- `Line` is a text whose parts have styles; `cell_len(text)` how many columns a text takes; `Letters(encoding)` a file in memory.

Letters that formulas are made of are known here; how wide others are is asked of rich.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any, Self

from handcalc.core.record import Record

# letters of one column: Latin, Greek and Cyrillic, raised and lowered ones, arrows and signs of formulas, brackets, rules, dots
_NARROW = frozenset(
    chr(place)
    for first, last in (
        (0x20, 0x7E), (0xA0, 0xAC), (0xAE, 0x2FF), (0x370, 0x482), (0x1D2C, 0x1D6A), (0x2010, 0x2027), (0x2030, 0x205E),
        (0x2070, 0x209C), (0x2190, 0x22FF), (0x239B, 0x23B1), (0x2500, 0x25FC), (0x2713, 0x2718), (0x2800, 0x28FF),
    )
    for place in range(first, last + 1)
)  # fmt: skip
_all_narrow = _NARROW.issuperset


def cell_len(text: str) -> int:
    """How many columns a text takes."""
    if text.isascii() or _all_narrow(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


class Line:
    """A text whose parts have styles; `append` makes it longer. A style is one of rich's, "" for none."""

    def __init__(self, text: str = "", style: Any = "") -> None:
        self.parts: list[tuple[str, Any]] = []
        self.append(text, style)

    def append(self, text: str, style: Any = "") -> Self:
        """The same line, with a text behind it."""
        if text:
            self.parts.append((text, style))
        return self

    @property
    def plain(self) -> str:
        """The text without styles."""
        return "".join([text for text, _ in self.parts])

    @property
    def cell_len(self) -> int:
        """How many columns it takes."""
        return cell_len(self.plain)

    def rstrip(self) -> Self:
        """The same line without blanks at its end."""
        while self.parts:
            text, style = self.parts.pop()
            if text.rstrip():
                self.parts.append((text.rstrip(), style))
                break
        return self


class TableColumn(Record):
    """A column of a table; folds: whether its cells may be parted where the table is too wide."""

    heading: str
    folds: bool = False


Rows = Sequence[Sequence[tuple[str, str]]]  # cells and their styles


class Letters(io.StringIO):
    """A text in memory that may have the letters of an encoding."""

    def __init__(self, encoding: str) -> None:
        super().__init__()
        self._encoding = encoding

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Which letters it may have."""
        return self._encoding
