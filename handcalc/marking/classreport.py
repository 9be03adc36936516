"""What a class did, counted: a table of students and steps, and the mistakes most often made.

- `Gradebook(rows, derivation)` counts; `class_report(book, reading)` gives the blocks, `as_markdown(blocks, …)` their text,
  `as_csv(book)` a row for each student, `class_json(book)` the object of the contract.

A cell shows the marks for a step and the sign of the verdict (wording.py), with the letters of mistakes in the list below. Marks are
of the sheets that could be read. Sheets that are alike, and files that are no sheets, are named. Names and answers are hostile in every
form: shown on one line, escaped, and never a formula of a spreadsheet.
"""

from __future__ import annotations

import os
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.marking.classroom import StudentRow
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.report import all_right, as_json, percent
from handcalc.marking.wording import VERDICTS_SHOWN, decimal, listed, look_of, shortened, step_item, toned
from handcalc.marking.workbook import base, iteration
from handcalc.render.blocks import Block, Heading, Item, Paragraph, Plain, Table, spell
from handcalc.render.dialects import spelled_in_ascii
from handcalc.render.formats.csvform import harmless
from handcalc.render.formats.markdown import escaped
from handcalc.render.items import title_item
from handcalc.render.reading import Reading

NAME_LENGTH = 30  # letters of a name in the table
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # what mistakes are called by in the table
EXPLAINED = ("correct", "imprecise", "follow_through", "wrong", "missing", "unreadable")  # verdicts whose signs are below the table
MOST_SKIPPED = 12  # files that are named, of those that are no sheets
MESSAGES = 3  # messages about a sheet that could not be read


class Frequent(Record):
    """A mistake: how many students made it, and the steps at which they did first, in reading order."""

    slug: str
    students: int
    steps: tuple[Cell, ...]


class Gradebook:
    """The marked sheets of a class: rows as given, steps in reading order, mistakes by how many made them; skipped: no sheets."""

    def __init__(self, rows: Sequence[StudentRow], derivation: Derivation, skipped: Sequence[str] = ()) -> None:
        self.rows = tuple(rows)
        self.skipped = tuple(skipped)
        self.title, self.title_zh = derivation.header.title, derivation.header.title_zh
        self.marked = [(row, row.marking) for row in rows if row.marking is not None]
        self.unread = [row for row in rows if row.marking is None]
        self._ids = {a.cell: a.id for _, marking in self.marked for a in marking.answers if a.cell}
        places = {group.quantity.name: place for place, group in enumerate(derivation.groups())}
        self.steps = sorted(self._ids, key=lambda step: (iteration(step), places.get(base(step)[0], len(places)), step))
        self.mistakes = self._mistakes()

    def id(self, step: Cell) -> str:
        """The id of a step."""
        return self._ids[step]

    def answers(self, marking: Marking) -> dict[Cell, Marked]:
        """The answers of a sheet by step."""
        return {answer.cell: answer for answer in marking.answers if answer.cell}

    def right(self, step: Cell) -> int:
        """How many have a step right."""
        return sum(1 for _, marking in self.marked for a in marking.answers if a.cell == step and a.verdict in RIGHT)

    def marks(self, step: Cell) -> float:
        """The mean of the marks for a step, of all sheets that could be read."""
        return sum(a.marks for _, marking in self.marked for a in marking.answers if a.cell == step) / len(self.marked)

    def alike(self) -> Iterator[Message]:
        """Sheets with one name, and sheets with the same answers: one that was handed in twice, or copied."""
        for sheets in _groups((row.called.casefold(), row) for row in self.rows if row.called):
            yield Message("The same name: {sheets}.", sheets=_files(sheets))
        for sheets in _groups((_answers_of(row.marking), row) for row in self.rows if row.marking is not None):
            right = all(verdict in (*RIGHT, "missing") for verdict in sheets[0].marking.summary)  # type: ignore[union-attr]
            template = "The same answers, all right: {sheets}." if right else "The same answers: {sheets}."
            yield Message(template, sheets=_files(sheets))

    @property
    def average(self) -> float | None:
        """The mean of the scores, from 0 to 1; None where no sheet could be read."""
        return sum(marking.score for _, marking in self.marked) / len(self.marked) if self.marked else None

    def all_right(self, tasks: bool) -> bool:
        """Whether every sheet could be read, and nothing is wrong on any."""
        return not self.unread and all(all_right(marking, tasks) for _, marking in self.marked)

    def _mistakes(self) -> tuple[Frequent, ...]:
        students: dict[str, set[int]] = {}
        steps: dict[str, set[Cell]] = {}
        for number, (_, marking) in enumerate(self.marked):
            for answer in marking.answers:
                for slug in answer.mistakes:
                    students.setdefault(slug, set()).add(number)
                    if answer.cell and not answer.because_of:
                        steps.setdefault(slug, set()).add(answer.cell)
        order = {slug: place for place, slug in enumerate(MISTAKES)}
        slugs = sorted(students, key=lambda slug: (-len(students[slug]), order[slug]))
        return tuple(Frequent(slug, len(students[slug]), tuple(s for s in self.steps if s in steps.get(slug, ()))) for slug in slugs)


def _groups(keyed: Iterable[tuple[Hashable, StudentRow]]) -> list[list[StudentRow]]:
    """The rows that have a key with another one, by key; none where there is nothing to compare."""
    found: dict[Hashable, list[StudentRow]] = {}
    for key, row in keyed:
        if key:
            found.setdefault(key, []).append(row)
    return [rows for rows in found.values() if len(rows) > 1]


def _answers_of(marking: Marking) -> frozenset[tuple[str, str]]:
    """What was answered, without what was left blank."""
    return frozenset((answer.id, answer.given) for answer in marking.answers if answer.given)


def _files(rows: Sequence[StudentRow]) -> Item:
    """Sheets by the names of their files."""
    return listed([Plain(_short(os.path.basename(row.path))) for row in rows])


# --- as a document ----------------------------------------------------------------------------------------------------


def class_report(book: Gradebook, reading: Reading) -> Iterator[Block]:
    """The whole report: students and steps, mistakes, answers without a step, sheets that could not be read."""
    return _ClassReport(book, reading).blocks()


class _ClassReport:
    def __init__(self, book: Gradebook, reading: Reading) -> None:
        self.book = book
        self.reading = reading
        self.ascii = reading.dialect.ascii
        self.letters = {mistake.slug: _letters(place) for place, mistake in enumerate(book.mistakes)}

    def blocks(self) -> Iterator[Block]:
        """Title, table, mistakes, what is left over."""
        book = self.book
        yield Heading(1, title_item(book.title, book.title_zh) if book.title or book.title_zh else Message("Class report"))
        yield from self._result()
        if self.book.marked:
            yield self._table()
            yield self._legend()
        yield from self._frequent()
        yield from self._without_step()
        yield from self._unread()
        yield from self._remarks()

    def _result(self) -> Iterator[Block]:
        marked, average = self.book.marked, self.book.average
        yield Paragraph(Message("Sheets: {count}; marked: {marked}", count=len(self.book.rows), marked=len(marked)))
        if average is None:
            return
        worths = {marking.marks[1] for _, marking in marked}
        share = f"{100 * average:.0f} %"
        if len(worths) > 1:
            yield Paragraph(Message("Average: {percent}", percent=share))
        else:
            got = self._marks(sum(marking.marks[0] for _, marking in marked) / len(marked))
            worth = self._marks(worths.pop())
            yield Paragraph(Message("Average: {marks} of {worth} marks ({percent})", marks=got, worth=worth, percent=share))

    def _marks(self, value: float) -> str:
        return decimal(value, self.reading.comma)

    # --- students and steps ---

    def _table(self) -> Table:
        steps = self.book.steps
        columns = (Message("student"), Message("marks"), Plain("%"), *(step_item(step) for step in steps))
        rows: list[tuple[Item, ...]] = []
        for row, marking in self.book.marked:
            answers = self.book.answers(marking)
            got, worth = map(self._marks, marking.marks)
            signs = (self._cell(answers.get(step)) for step in steps)
            rows.append((Plain(_short(row.name)), Plain(f"{got}/{worth}"), Plain(percent(marking).removesuffix(" %")), *signs))
        right = (Plain(str(self.book.right(step))) for step in steps)
        means = (Plain(self._marks(self.book.marks(step))) for step in steps)
        rows.append((Message("right, of {count}", count=len(rows)), Plain(""), Plain(""), *right))
        rows.append((Message("marks, average"), Plain(""), Plain(""), *means))
        return Table(columns, tuple(rows))

    def _cell(self, answer: Marked | None) -> Item:
        """The marks for a step and the sign of the verdict, with the letters of the mistakes made."""
        if answer is None:
            return Plain(VERDICTS_SHOWN["missing"].marked(self.ascii))
        look = look_of(answer)
        sign = look.marked(self.ascii)
        if answer.verdict == "missing":
            return Plain(sign)
        letters = ",".join(sorted(self.letters[slug] for slug in answer.mistakes)) if answer.verdict == "mistake" else ""
        return toned(Plain(f"{self._marks(answer.marks)} {sign}{letters}"), look.tone)

    def _legend(self) -> Paragraph:
        template = (
            "In each column: marks, and {correct} right; {imprecise} right, but too few digits; {follow_through} right for an earlier "
            "wrong number; {wrong} wrong, with the letter of a mistake below; {missing} not answered; {unreadable} unreadable"
        )
        return Paragraph(Message(template, **{verdict: VERDICTS_SHOWN[verdict].marked(self.ascii) for verdict in EXPLAINED}))

    # --- below the table ---

    def _frequent(self) -> Iterator[Block]:
        if self.book.mistakes:
            yield Heading(2, Message("Most frequent mistakes"))
        for mistake in self.book.mistakes:
            yield Paragraph(
                Message(
                    "{letter}. {name}. Students: {count}; first at {steps}",
                    letter=self.letters[mistake.slug],
                    name=Message(MISTAKES[mistake.slug].name),
                    count=mistake.students,
                    steps=listed([*map(step_item, mistake.steps)]) if mistake.steps else Plain("–"),
                )
            )

    def _without_step(self) -> Iterator[Block]:
        """Answers that are in no column, though they cost marks."""
        found = [(row, answer) for row, marking in self.book.marked for answer in marking.answers if not answer.cell]
        if found:
            yield Heading(2, Message("Answers that are no step of the solution"))
        for row, answer in found:
            note = answer.note or ""
            yield Paragraph(Message("{student}: {step}: {note}", student=_short(row.name), step=_short(answer.id), note=note))

    def _unread(self) -> Iterator[Block]:
        if self.book.unread:
            yield Heading(2, Message("Sheets that could not be read"))
        for row in self.book.unread:
            yield from map(Paragraph, row.trouble[:MESSAGES])
            if len(row.trouble) > MESSAGES:
                yield Paragraph(Message("… {count} more", count=len(row.trouble) - MESSAGES))

    def _remarks(self) -> Iterator[Block]:
        """Sheets that are alike, and what was no sheet."""
        found = [*self.book.alike()]
        if self.book.skipped:
            skipped = listed([Plain(_short(name)) for name in self.book.skipped], MOST_SKIPPED)
            found.append(Message("Not read, for these are no sheets: {files}.", files=skipped))
        if found:
            yield Heading(2, Message("Remarks on the sheets"))
        yield from map(Paragraph, found)


def _letters(place: int) -> str:
    """A, B … Z, AA, AB …"""
    return (_letters(place // len(LETTERS) - 1) if place >= len(LETTERS) else "") + LETTERS[place % len(LETTERS)]


def _short(text: str) -> str:
    """A user's text in a table, which has to fit beside others."""
    return shortened(printable(text), NAME_LENGTH)


# --- Markdown ---------------------------------------------------------------------------------------------------------


def as_markdown(blocks: Iterable[Block], reading: Reading, translate: Translate) -> str:
    """Headings, paragraphs and tables in Markdown, with nothing in a text that means something there."""
    ascii = reading.dialect.ascii

    def text(item: Item) -> str:
        plain = printable(spell(item, reading, translate))
        return escaped(spelled_in_ascii(plain) if ascii else plain)

    parts = []
    for block in blocks:
        match block:
            case Heading(level, item):
                parts.append("#" * level + " " + text(item))
            case Paragraph(item):
                parts.append(re.sub(r"^(\d*)(?=[-+=.)])", r"\1\\", text(item)))
            case Table(columns, rows):
                lines = [[*map(text, columns)], ["---"] * len(columns), *([*map(text, row)] for row in rows)]
                parts.append("\n".join("| " + " | ".join(line) + " |" for line in lines))
            case _:
                raise TypeError(f"no Markdown for {type(block).__name__}")
    return "\n\n".join(parts) + "\n"


# --- CSV --------------------------------------------------------------------------------------------------------------


def as_csv(book: Gradebook, comma: bool = False, translate: Translate = str) -> str:
    """A row for each sheet: name, file, marks, the verdict on each step, the marks for it, mistakes; what belongs to no step; errors.

    comma: in numbers; then a semicolon is between the columns, as spreadsheets expect it where numbers have a comma.
    """
    import csv
    from io import StringIO

    stream = StringIO()
    writer = csv.writer(stream, delimiter=";" if comma else ",", lineterminator="\n")
    ids = [book.id(step) for step in book.steps]
    marks = (f"{name} marks" for name in ids)
    for line in (("name", "file", "marks", "of", "percent", *ids, *marks, "mistakes", "no_step", "error"), *_lines(book, comma, translate)):
        writer.writerow([harmless(text) for text in line])
    return stream.getvalue()


def _lines(book: Gradebook, comma: bool, translate: Translate) -> Iterator[Sequence[str]]:
    for row in book.rows:
        if row.marking is None:
            yield (row.name, row.path, "", "", "", *([""] * 2 * len(book.steps)), "", "", "; ".join(map(str, row.trouble)))
            continue
        answers = book.answers(row.marking)
        got, worth = (decimal(value, comma) for value in row.marking.marks)
        percent = decimal(100 * row.marking.score, comma)
        verdicts = (answers[step].verdict if step in answers else "" for step in book.steps)
        each = (decimal(answers[step].marks, comma) if step in answers else "" for step in book.steps)
        slugs = dict.fromkeys(slug for answer in row.marking.answers for slug in answer.mistakes)
        mistakes = "; ".join(translate(MISTAKES[slug].name) for slug in slugs)
        others = "; ".join(answer.id for answer in row.marking.answers if not answer.cell)
        yield (row.name, row.path, got, worth, percent, *verdicts, *each, mistakes, others, "")


# --- JSON -------------------------------------------------------------------------------------------------------------


def class_json(book: Gradebook) -> dict[str, Any]:
    """The object of the contract."""
    average = book.average
    return {
        "sheets": [_sheet(row) for row in book.rows],
        "mistakes": [{"slug": m.slug, "students": m.students, "steps": [*map(book.id, m.steps)]} for m in book.mistakes],
        "average": None if average is None else round(average, 6),
    }


def _sheet(row: StudentRow) -> dict[str, Any]:
    known = {"name": row.name, "file": row.path}
    if row.marking is None:
        return known | {"error": "\n".join(map(str, row.trouble))}
    return known | as_json(row.marking)
