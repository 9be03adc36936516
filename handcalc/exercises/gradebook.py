"""Marks into the gradebook that a teacher exported: `fill(table, column, students)` writes one column, and leaves every other byte.

- `Graded` is a student with marks and a comment; `Filled` the file, and who was not found or has no mark.

Known are the gradebook of Canvas (its row `Points Possible` says the unit, `Title` is enough for `Title (id)`), the grading worksheet of a
Moodle assignment (it gets the grade and the feedback comment), and any table with ids, addresses or names. Nobody's mark is ever 0
because something could not be read: such a cell stays as it is. To know another worksheet, add its words to `WORKSHEET`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from handcalc.core.record import Record
from handcalc.errors import Message, OutputError, near
from handcalc.exercises.people import Person, PersonColumns, paired
from handcalc.exercises.placed import PlacedTable, at
from handcalc.exercises.results import LeftOut
from handcalc.marking.wording import decimal
from handcalc.problem.reader import quoted
from handcalc.render.formats.csvform import harmless

# what a column of Moodle's grading worksheet is → its headings in English, German, French, Chinese, Spanish
WORKSHEET = {
    "identifier": ("identifier", "id", "identifiant", "标识符", "identificador"),
    "grade": ("grade", "bewertung", "note", "成绩", "calificación"),
    "most": ("maximum grade", "bestwertung", "note maximale", "最高分", "calificación máxima"),
    "changeable": (
        "grade can be changed", "bewertung kann geändert werden", "la note peut être modifiée", "允许更改成绩",
        "la calificación puede ser cambiada",
    ),
    "feedback": (
        "feedback comments", "feedback als kommentar", "feedback par commentaires", "评语反馈", "comentarios de retroalimentación",
    ),
}  # fmt: skip
POINTS = "points possible"
EXCUSED = "ex"
_WITH_ID = re.compile(r"(.*\S)\s*\(\d+\)")
_WITH_COMMA, _WITH_POINT = re.compile(r"-?\d+,\d+"), re.compile(r"-?\d+\.\d+")


class Graded(Record):
    """A student with marks, of so many, and a comment; unread: how many answers could not be read, and so have no marks."""

    person: Person
    got: float
    worth: float
    comment: str = ""
    unread: int = 0


class Filled(Record):
    """The filled file; how many marks were written; students who are not in it; rows that have got no mark, and why; rows that have one
    in which answers do not count because they could not be read."""

    content: bytes
    count: int
    not_found: tuple[Person, ...]
    not_marked: tuple[LeftOut, ...]
    unread: tuple[LeftOut, ...] = ()

    def json(self) -> dict[str, object]:
        """As data, without the file."""
        missing = [person.shown for person in self.not_found]
        left, unread = ([row.json() for row in rows] for rows in (self.not_marked, self.unread))
        return {"filled": self.count, "not_found": missing, "not_marked": left, "unread": unread}


def fill(table: PlacedTable, column: str | None, students: Sequence[Graded]) -> Filled:
    """A gradebook with the marks of students in a column. Raises OutputError where there is no such column."""
    return _Filling(table, column).filled(students)


class _Filling:
    def __init__(self, table: PlacedTable, column: str | None) -> None:
        self.table = table
        headings = table.headings
        words = [" ".join(heading.casefold().split()) for heading in headings]
        worksheet = {kind: place for kind, known in WORKSHEET.items() for place, word in enumerate(words) if word in known}
        self.worksheet = worksheet if {"identifier", "grade", "changeable"} <= worksheet.keys() else {}
        self.columns = PersonColumns(["" if self.worksheet.get("identifier") == place else word for place, word in enumerate(headings)])
        if words[:2] == ["student", "id"]:  # of Canvas, where it is the name
            self.columns.ids = [(kind, place) for kind, place in self.columns.ids if kind]
            self.columns.name = 0
        self.column = self._column(headings, column)
        self.points = self._points()
        self.comma = self._has_comma()

    def _column(self, headings: Sequence[str], wanted: str | None) -> int:
        where = f"{self.table.name}: "
        if wanted is None and "grade" in self.worksheet:
            return self.worksheet["grade"]
        known = ", ".join(heading[:40] for heading in headings[:12])
        if wanted is None:
            raise OutputError(Message("say with --column which column gets the marks; there are {known}", where, known=known))
        for spelled in (str, str.casefold):
            whole = [place for place, heading in enumerate(headings) if spelled(heading) == spelled(wanted.strip())]
            found = whole or [place for place, heading in enumerate(headings) if _titled(heading, spelled(wanted.strip()), spelled)]
            if len(found) > 1:
                raise OutputError(Message("{count} columns are called {found}", where, count=len(found), found=quoted(wanted)))
            if found and found[0] in self.columns.places:
                raise OutputError(
                    Message("the column {found} says who somebody is; name the one for the marks", where, found=quoted(wanted))
                )
            if found:
                return found[0]
        hint = near(wanted, headings)
        text = "there is no column {found}{near}; there are {known}"
        raise OutputError(Message(text, where, found=quoted(wanted), near=hint, known=known))

    def _points(self) -> float | None:
        """The points possible of Canvas, in a row of their own."""
        rows = [row.texts for row in self.table.rows[1:] if at(row.texts, 0).casefold() == POINTS]
        return _number(at(rows[0], self.column)) if rows else None

    def _has_comma(self) -> bool:
        """Whether numbers are written with a comma: as those in the column are, else as most of the table, else as its delimiter says."""
        cells = [(place, text.strip()) for row in self.table.rows[1:] for place, text in enumerate(row.texts)]
        for texts in ([text for place, text in cells if place == self.column], [text for _, text in cells]):
            commas, points = (sum(1 for text in texts if sign.fullmatch(text)) for sign in (_WITH_COMMA, _WITH_POINT))
            if commas != points:
                return commas > points
        return self.table.delimiter == ";"

    # --- rows ---

    def filled(self, students: Sequence[Graded]) -> Filled:
        """The file, and what there is to say."""
        people = {place: self.columns.person(row.texts) for place, row in enumerate(self.table.rows) if place and self._is_student(place)}
        places = [*people]
        pairs = paired([student.person for student in students], [*people.values()])
        students_of = {places[theirs]: students[mine] for mine, theirs in pairs.items()}
        changes: dict[tuple[int, int], str] = {}
        left, unread = list[LeftOut](), list[LeftOut]()
        for place, person in people.items():
            student = students_of.get(place)
            because = self._write(place, student, changes)
            if because is not None:
                left.append(LeftOut(self.table.rows[place].line, person, because))
            elif student is not None and student.unread:
                unread.append(LeftOut(self.table.rows[place].line, person, _unread(student)))
        missing = tuple(student.person for number, student in enumerate(students) if number not in pairs)
        count = sum(column == self.column for _, column in changes)
        return Filled(self.table.changed(changes), count, missing, tuple(left), tuple(unread))

    def _is_student(self, place: int) -> bool:
        texts = self.table.rows[place].texts
        return at(texts, 0).casefold() != POINTS and self.columns.person(texts).known

    def _write(self, place: int, student: Graded | None, changes: dict[tuple[int, int], str]) -> Message | None:
        """Puts the mark of a row among the changes; or says why there is none."""
        texts = self.table.rows[place].texts
        if student is None:
            return Message("no marked answers")
        if self.column >= len(texts):
            return Message("this row is too short")
        if at(texts, self.column).casefold() == EXCUSED:
            return Message("excused")
        if student.unread and not student.got:
            return _unread(student)
        changes[place, self.column] = decimal(self._grade(texts, student), self.comma)
        feedback = self.worksheet.get("feedback")
        if feedback is not None and feedback < len(texts) and student.comment:
            changes[place, feedback] = harmless(student.comment)
        return None

    def _grade(self, texts: Sequence[str], student: Graded) -> float:
        """The mark in the unit of the table: points possible, the maximum grade of the row, else in marks."""
        most = _number(at(texts, self.worksheet.get("most"))) if self.worksheet else self.points
        return student.got if not most or not student.worth else most * student.got / student.worth


def _unread(student: Graded) -> Message:
    return Message("{count} {count:answer|answers} could not be read", count=student.unread)


def _titled(heading: str, wanted: str, spelled: Callable[[str], str]) -> bool:
    """Whether a heading of Canvas is this title with a number behind it."""
    found = _WITH_ID.fullmatch(heading)
    return found is not None and spelled(found[1]) == wanted


def _number(text: str) -> float | None:
    found = re.fullmatch(r"\d+(?:[.,]\d+)?", text)
    return float(text.replace(",", ".")) if found else None
