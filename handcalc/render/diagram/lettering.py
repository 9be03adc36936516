"""What drawings of letters share: how wide a text is on a terminal, and lines that have room there.

- `columns_of(text)`, `padded(text, columns)`.
- `Lettering` is a drawing being written: what it says, in a language and perhaps in ASCII, and lines cut off at its width.
"""

from __future__ import annotations

from unicodedata import east_asian_width

from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.render.diagram.model import Diagram
from handcalc.render.dialects import spelled_in_ascii
from handcalc.render.reading import Reading


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def padded(text: str, columns: int, filling: str = " ") -> str:
    """A text with as much after it as makes it that wide."""
    return text + filling * (columns - columns_of(text))


class Lettering:
    """One drawing being written; ellipsis: the sign for what a line has no room for."""

    def __init__(self, diagram: Diagram, reading: Reading, translate: Translate, width: int, ellipsis: str) -> None:
        self.diagram, self.reading, self.translate = diagram, reading, translate
        self.width, self.ellipsis = width, ellipsis

    def said(self, message: Message) -> str:
        """A message in the reader's language, in ASCII signs where the drawing is."""
        found = printable(message.text(self.translate))
        return spelled_in_ascii(found) if self.reading.dialect.ascii else found

    def fitting(self, line: str) -> str:
        """A line on which nothing is invisible, cut off at the width."""
        line = printable(line).rstrip()
        if columns_of(line) <= self.width:
            return line
        while columns_of(line) > self.width - len(self.ellipsis) and line:
            line = line[:-1]
        return (line + self.ellipsis)[: self.width]
