"""A list of students: `read_students(path)` reads a CSV file, `listed(students, codes)` is the list again, with the code of each.

The column `id` (else the first) says who somebody is, `name` (or 姓名, as in people.py) what is printed; all others are kept. The first
row has the headings.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from handcalc.core.record import Record
from handcalc.errors import Message, ProblemError
from handcalc.exercises.people import NAMES
from handcalc.marking.encodings import text_of
from handcalc.problem.files import contents, shown_path
from handcalc.problem.reader import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

ID, CODE = "id", "variant"
DELIMITERS = ",;\t"


class Student(Record):
    """For whom a variant is: id, the name printed ("" where there is none), and the row of the list."""

    id: str
    name: str = ""
    row: tuple[str, ...] = ()

    @property
    def json(self) -> dict[str, str]:
        """As data."""
        return {"id": self.id, **({"name": self.name} if self.name else {})}

    @property
    def shown(self) -> str:
        """What is printed on the sheet."""
        return self.name or self.id


class StudentList(Record):
    """The students of a file, and its headings."""

    headings: tuple[str, ...]
    students: tuple[Student, ...]


def read_students(path: str) -> StudentList:
    """The students of a CSV file. Raises ProblemError."""
    where = shown_path(path)
    text = text_of(contents(path, "data_bytes"), where)
    rows = [(number, row) for number, row in _rows(text) if any(cell.strip() for cell in row)]
    if len(rows) < 2:
        raise ProblemError(Message("expected a row of headings, such as id,name, and a row for each student", f"{where}: "))
    headings = tuple(cell.strip() for cell in rows[0][1])
    columns = {heading.casefold(): place for place, heading in reversed(list(enumerate(headings)))}
    at, named = columns.get(ID, 0), next((columns[word] for word in NAMES if word in columns), None)
    students: dict[str, Student] = {}
    wrong = []
    for line, row in rows[1:]:
        student = Student(_cell(row, at), _cell(row, named), tuple(row))
        if not student.id:
            wrong.append(Message("a student without {column}", f"{where}:{line}: ", column=headings[at] or ID))
        elif student.id in students:
            wrong.append(Message("the student {found} is there twice", f"{where}:{line}: ", found=quoted(student.id)))
        students[student.id] = student
    if wrong:
        raise ProblemError(*wrong)
    return StudentList(headings, tuple(students.values()))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for row in reader:
        yield reader.line_num, row


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def listed(students: StudentList, codes: Mapping[str, str]) -> str:
    """The list as a table, with a column for the code of each student's variant."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow((*students.headings, CODE))
    width = len(students.headings)
    for student in students.students:
        row = (*student.row, *[""] * width)[:width]
        writer.writerow((*row, codes[student.id]))
    text = stream.getvalue()
    return "\ufeff" * (not text.isascii()) + text
