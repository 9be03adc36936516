"""CSV files with a heading line: small ones as typed numbers, large ones as arrays.

- `open_csv(item, name)` opens one; `CsvFile.read(columns, words)` are its columns: numbers, and texts such as names or classes.
- A `Column` may say which numbers its words stand for; `CsvFile.words(place)` are the words of one. A missing value is an error.

A file of at most `TYPED_BYTES` keeps the digits of its numbers. A larger one is parsed by NumPy; what NumPy does not read
(quotation marks, fractions, something wrong) is read cell by cell, which finds the line and the column of every mistake.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from io import StringIO, TextIOWrapper
from itertools import chain, islice
from typing import IO, Any, NamedTuple

from handcalc.core.expr import ZERO, Number
from handcalc.disk import reading
from handcalc.errors import Message, ProblemError, Template
from handcalc.problem.files import read_bytes, shipped_folder
from handcalc.problem.limits import limit
from handcalc.problem.reader import FileNode, listed, literal, quoted

TYPED_BYTES = 100_000  # a larger file is held as an array; its numbers have no digits of their own
MISSING = ("", "?", "na", "n/a", "nan", "null", "none", "-", "–", "—", "缺失")  # what a cell without a value holds
_MISSING: Template = "the value is missing; give it, or leave the line out"
ROWS_AT_ONCE = 4096  # of a large file, while it is read

Row = tuple[int, list[str]]  # line and cells
Columns = tuple[Any, list[list[str]]]  # numbers by (row, column), a list of tuples or an array; then the columns of texts


class Column(NamedTuple):
    """A column of numbers: its place, and the number of every word where it holds words."""

    place: int
    codes: Mapping[str, Number] | None = None


class CsvFile(NamedTuple):
    """An open CSV file: where it is named, its path, its name as typed, the heading; rows: those of a small file."""

    item: FileNode
    path: str
    name: str
    heading: list[str]
    rows: list[Row] | None

    def read(self, columns: list[Column], words: list[int], needed: int = -1) -> Columns | None:
        """Some columns as numbers and some as texts, of which one is needed everywhere; None after an error."""
        if self.rows is not None:
            numbers = [tuple(self._cell(line, column, row) for column in columns) for line, row in self.rows]
            return numbers, self._texts(self.rows, words, needed)
        try:
            if any(column.codes for column in columns):
                raise _Odd
            return self._quickly([column.place for column in columns], words)
        except UnicodeDecodeError:
            _content(self.item, self.path)  # says in which line
            return None
        except _Odd:
            return self._carefully(columns, words, needed)

    def words(self, place: int) -> list[str] | None:
        """The words of a column in the order in which they come, each once; None after an error."""
        rows = self.rows
        if rows is None:
            content = _content(self.item, self.path)
            checked = None if content is None else _checked(self.item, self.name, content, limit("rows") + 2)
            rows = checked[1:] if checked is not None else None
        return None if rows is None else list(dict.fromkeys(row[place].strip() for _, row in rows if not _is_missing(row[place])))

    def _cell(self, line: int, column: Column, row: list[str]) -> Number:
        """The number in a cell; 0 after an error."""
        text = row[column.place].strip()
        if column.codes is not None and text in column.codes:
            return column.codes[text]
        if _is_missing(text):
            value: Number | Message = Message(_MISSING)
        elif column.codes is not None:
            value = Message("expected one of {words}, found {found}", words=listed(column.codes), found=quoted(text))
        else:
            value = literal(text)
        if isinstance(value, Number):
            return value
        wordy = self.rows is not None and all(cells[column.place].strip()[:1].isalpha() for _, cells in self.rows)
        if column.codes is None and wordy and not _is_missing(text):  # a column of words, not of numbers with a slip
            example = f"codes: {{{self.heading[column.place]}: {{{text}: 1, …: 0}}}}"
            value = Message("{reason}; if these are words, say in data what they stand for: {example}", reason=value, example=example)
        self._wrong(line, column.place, value)
        return ZERO

    def _wrong(self, line: int, place: int, reason: Message) -> None:
        column = quoted(self.heading[place])
        self.item.fail("{file}, line {line}, column {column}: {reason}", file=self.name, line=line, column=column, reason=reason)

    def _texts(self, rows: list[Row], words: list[int], needed: int) -> list[list[str]]:
        for line, row in rows if needed >= 0 else ():
            if _is_missing(row[needed]):
                self._wrong(line, needed, Message(_MISSING))
        return [[row[place].strip() for _, row in rows] for place in words]

    def _quickly(self, columns: list[int], words: list[int]) -> Columns:
        """All rows, parsed by NumPy. Raises _Odd where that is not enough."""
        import csv

        import numpy

        texts: list[list[str]] = [[] for _ in words]
        parts = []
        with _lines(self.path) as file:
            _filled(csv.reader(file), 1)
            lines = self._plain(file, words, texts)
            try:
                for first in islice(lines, limit("rows") // ROWS_AT_ONCE + 1):
                    some = chain((first,), islice(lines, ROWS_AT_ONCE - 1))
                    read = numpy.loadtxt(some, delimiter=",", usecols=columns, ndmin=2, comments=None)
                    if not numpy.isfinite(read).all():
                        raise _Odd
                    parts.append(_compact(read))
            except UnicodeDecodeError:
                raise
            except ValueError:
                raise _Odd from None
        return numpy.concatenate(parts) if parts else [], texts

    def _plain(self, file: Iterable[str], words: list[int], texts: list[list[str]]) -> Iterator[str]:
        """The lines with something in them; the texts wanted of each are put aside. Raises _Odd for a line that needs more care."""
        commas = len(self.heading) - 1
        for line in file:
            if not line.strip(", \t\r\n"):
                continue
            if line.count(",") != commas or '"' in line:
                raise _Odd
            if words:
                cells = line.split(",")
                for place, found in zip(words, texts):
                    found.append(cells[place].strip())
            yield line

    def _carefully(self, columns: list[Column], words: list[int], needed: int) -> Columns | None:
        """All rows, cell by cell; every mistake is an error."""
        import numpy

        content = _content(self.item, self.path)
        rows = None if content is None else _checked(self.item, self.name, content, limit("rows") + 2)
        if rows is None:
            return None
        cells = [[self._cell(line, column, row) for column in columns] for line, row in rows[1:]]
        numbers = [[cell.numerator / cell.denominator for cell in row] for row in cells]
        return numpy.array(numbers, ndmin=2) if numbers else [], self._texts(rows[1:], words, needed)


class _Odd(Exception):
    """Something in a file that is to be read cell by cell."""


def open_csv(item: FileNode, name: str) -> CsvFile | None:
    """A CSV file beside the problem, or one that comes with handcalc, by its name; None after an error."""
    path = os.path.join(item.source.folder or "", name)
    ours = os.path.join(shipped_folder(), name)
    if os.path.basename(name) == name and not os.path.lexists(path) and os.path.isfile(ours):
        path = ours
    elif not allowed(item, name):
        return None
    try:
        large = TYPED_BYTES < reading.size(path) <= limit("data_bytes")
    except (OSError, ValueError):
        large = False  # reading it says what is wrong
    if large:
        heading = _first_line(path)
        if heading is not None:
            return CsvFile(item, path, name, heading, None) if _is_heading(item, name, heading) else None
    content = _content(item, path)
    rows = None if content is None else _checked(item, name, content, limit("samples") + 2)
    return CsvFile(item, path, name, _cells(rows[0][1]), rows[1:]) if rows else None


def allowed(item: FileNode, name: str) -> bool:
    """Whether a file that is named here may be read; an error where it may not. Of one outside the folder nothing will be quoted."""
    item.source.files.append(name)
    try:
        found = reading.beside(item.source.folder, name)
    except (reading.NoFileError, ValueError) as error:
        item.fail("{file} cannot be read: {reason}", file=name, reason=reading.reason(error))
        return False
    if found.outside:
        item.source.hidden |= {name, os.path.basename(name)}
    return True


def _content(item: FileNode, path: str) -> str | None:
    try:
        return read_bytes(path, "data_bytes", typed=False)
    except ProblemError as error:
        item.fail("{reason}", reason=error.messages[0])
        return None


def _first_line(path: str) -> list[str] | None:
    """The cells of the heading of a large file; None where it needs more care."""
    import csv

    try:
        with _lines(path) as file:
            rows = _filled(csv.reader(file), 1)
    except (csv.Error, UnicodeDecodeError):
        return None
    return _cells(rows[0][1]) if rows else None


def _lines(path: str) -> IO[str]:
    """The lines of a file."""
    return TextIOWrapper(reading.opened(path), encoding="utf-8-sig", newline="")


def _filled(reader: Any, most: int) -> list[Row]:
    """The rows with something in them, each with its line."""
    return list(islice(((reader.line_num, row) for row in reader if any(cell.strip() for cell in row)), most))


def _checked(item: FileNode, name: str, content: str, most: int) -> list[Row] | None:
    """The heading and the rows of a table, every one as long as the heading; None after an error."""
    import csv

    reader = csv.reader(StringIO(content, newline=""))
    try:
        rows = _filled(reader, most)
    except csv.Error as error:
        item.fail("{file}, line {line}: {reason}", file=name, line=reader.line_num, reason=str(error))
        return None
    if not rows:
        item.fail("{file} is empty", file=name)
        return None
    heading = _cells(rows[0][1])
    if not _is_heading(item, name, heading):
        return None
    for line, row in rows:
        if len(row) != len(heading):
            item.fail(
                "{file}, line {line}: {found} {found:cell|cells}, expected {wanted}",
                file=name,
                line=line,
                found=len(row),
                wanted=len(heading),
            )
            return None
    return rows


def _is_heading(item: FileNode, name: str, heading: list[str]) -> bool:
    if len(set(heading)) < len(heading):
        item.fail("{file}: a column name is there twice: {names}", file=name, names=listed(heading))
        return False
    if len(heading) == 1 and ";" in heading[0]:
        item.fail("{file}: columns are separated by commas, found {found}", file=name, found=quoted(heading[0]))
        return False
    return True


def _cells(row: list[str]) -> list[str]:
    return [cell.strip() for cell in row]


def _is_missing(text: str) -> bool:
    return text.strip().lower() in MISSING


def _compact(values: Any) -> Any:
    """Whole numbers from 0 to 255, such as pixels, in a byte each."""
    import numpy

    with numpy.errstate(invalid="ignore"):
        small = values.astype(numpy.uint8)
    return small if (small == values).all() else values
