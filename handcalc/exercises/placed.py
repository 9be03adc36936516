"""A CSV file of which every byte is known: its cells with their places in the text, and the file with some cells changed.

- `read_placed(path)` reads one, in whatever encoding and with whatever delimiter; `PlacedTable.rows` are its cells.
- `PlacedTable.changed(cells)` is the same file, in bytes, with other texts in these cells; all else stays as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from handcalc.core.record import Record
from handcalc.errors import Message, ProblemError
from handcalc.marking.encodings import EncodedText, encoded_text
from handcalc.problem.files import contents, shown_path

DELIMITERS = ",;\t"
_QUOTED = re.compile('"((?:[^"]|"")*)"')
_BREAK = re.compile("\r\n|\r|\n")


class PlacedCell(Record):
    """A cell: its text without quotation marks, from where to where it stands with them, and whether it has some."""

    text: str
    start: int
    end: int
    quoted: bool


class PlacedRow(Record):
    """A row: the line it begins in, and its cells."""

    line: int
    cells: tuple[PlacedCell, ...]

    @property
    def texts(self) -> list[str]:
        """The texts of the cells."""
        return [cell.text for cell in self.cells]

    @property
    def empty(self) -> bool:
        """Whether nothing is in it."""
        return not any(cell.text.strip() for cell in self.cells)


class PlacedTable(Record):
    """A CSV file: its path as shown, its text, what is between its cells, and its rows."""

    name: str
    source: EncodedText
    delimiter: str
    rows: tuple[PlacedRow, ...]

    @property
    def headings(self) -> list[str]:
        """The cells of the first row, without blanks around them."""
        return [text.strip() for text in self.rows[0].texts]

    def changed(self, cells: Mapping[tuple[int, int], str]) -> bytes:
        """The file with other texts in cells (row, column). A cell that had quotation marks keeps them."""
        text, encoding = self.source.text, self.source.encoding
        parts, at = [self.source.mark], 0
        for (row, column), new in sorted(cells.items()):
            cell = self.rows[row].cells[column]
            parts.append(text[at : cell.start].encode(encoding))
            parts.append(self._spelled(new, cell.quoted).encode(encoding, "replace"))
            at = cell.end
        parts.append(text[at:].encode(encoding))
        return b"".join(parts)

    def _spelled(self, text: str, quoted: bool) -> str:
        if quoted or any(letter in text for letter in (self.delimiter, '"', "\n", "\r")):
            return '"' + text.replace('"', '""') + '"'
        return text


def read_placed(path: str) -> PlacedTable:
    """The cells of a CSV file with a row of headings. Raises ProblemError."""
    name = shown_path(path)
    data = contents(path, "document_bytes")
    source = encoded_text(data, name)
    if source.mark + source.text.encode(source.encoding) != data:
        raise ProblemError(Message("its encoding cannot be told; save it as CSV in UTF-8", f"{name}: "))
    delimiter = max(DELIMITERS, key=lambda found: len(next(_rows(source.text, found, name)).cells) if source.text else 0)
    rows = tuple(_rows(source.text, delimiter, name))
    if not rows or rows[0].empty:
        raise ProblemError(Message("expected a row of headings", f"{name}: "))
    return PlacedTable(name, source, delimiter, rows)


def _rows(text: str, delimiter: str, name: str) -> Iterator[PlacedRow]:
    plain = re.compile(f"[^{re.escape(delimiter)}\r\n]*")
    at, line = 0, 1
    while at < len(text):
        cells, first = list[PlacedCell](), line
        while True:
            cell = _cell(text, at, plain, f"{name}:{line}: ")
            cells.append(cell)
            line += len(_BREAK.findall(text, cell.start, cell.end)) if cell.quoted else 0
            at = cell.end
            if text[at : at + 1] != delimiter:
                break
            at += 1
        yield PlacedRow(first, tuple(cells))
        found = _BREAK.match(text, at)
        at = found.end() if found else len(text)
        line += 1


def _cell(text: str, at: int, plain: re.Pattern[str], where: str) -> PlacedCell:
    if text[at : at + 1] != '"':
        found = plain.match(text, at)
        assert found is not None, "nothing is a cell as well"
        return PlacedCell(found[0], at, found.end(), False)
    inside = _QUOTED.match(text, at)
    if inside is None:
        raise ProblemError(Message("a quotation mark without another one to close it", where))
    rest = plain.match(text, inside.end())
    assert rest is not None, "nothing is a rest as well"
    return PlacedCell(inside[1].replace('""', '"') + rest[0], at, rest.end(), True)


def at(cells: Sequence[str], place: int | None) -> str:
    """The text of a cell without blanks around it; nothing where the row or the column is not there."""
    return cells[place].strip() if place is not None and place < len(cells) else ""
