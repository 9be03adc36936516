"""The sheets of a class: which files they are, and marking them, in several processes where that pays.

- `sheets_of(paths)` are the files meant by files and folders, `no_sheets(paths)` what else is in these folders;
  `mark_sheets(problem, paths)` answers a `StudentRow` for each sheet, in order.
- `mark_file(checker, path)` marks one, `mark_read(checker, path, read)` one that is read in another way.

What is wrong with one sheet is in its row and stops no other. To read another form of sheet from folders, add its suffix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.disk.reading import names_in
from handcalc.errors import HandcalcError, Message, OutputError
from handcalc.marking.answers import Sheet, read_sheet, sheet_bytes, sheet_in
from handcalc.marking.check import Checker
from handcalc.marking.feedback import Feedback, hidden, hidden_message, stem_of
from handcalc.marking.marked import Marked, Marking
from handcalc.problem.files import shown_path
from handcalc.problem.schema import Problem
from handcalc.processes import Here, Job, Processes, Team, batch_size, in_batches, processors

SUFFIXES = (".yaml", ".yml", ".csv", ".tsv", ".txt", ".xlsx", ".docx", ".ipynb", ".jsonl")  # of the sheets in a folder
SHEETS_PER_PROCESS = 40  # fewer are marked sooner than another process has learnt the problem: measured, about 0.3 s
CHUNK = 8  # rows of a table handed to a process at once, at most
ENDED = HandcalcError(Message("a process that marked sheets ended; is there enough memory? --jobs 1 needs least"))


class StudentRow(Record):
    """One sheet of a class: the student's name, the path as shown, and the marking, or else why there is none.

    marking: without its explanation, the numbers as typed and the lines as made; called: the name, also where the row has a number
    for it; feedback: the marked sheet as a file, where that is wanted.
    """

    name: str
    path: str
    marking: Marking | None = None
    trouble: tuple[Message, ...] = ()
    called: str = ""
    feedback: str | bytes | None = None


class Wanted(Record):
    """What is wanted of every sheet besides its marks: a number in the place of its name (path → number), a file for its student."""

    numbers: Mapping[str, str] = {}
    feedback: Feedback | None = None


# --- which files ------------------------------------------------------------------------------------------------------


def sheets_of(paths: Sequence[str], besides: Iterable[str] = ()) -> list[str]:
    """The files named, each once; of a folder the sheets in it, by name. Raises HandcalcError where there is none.

    besides: files that are no sheets wherever they turn up, such as the problem.
    """
    known = {_identity(path) for path in besides}
    found: dict[object, str] = {}
    errors = []
    for path in paths:
        folder = path != "-" and os.path.isdir(path)
        sheets = {key: file for file in (_inside(path) if folder else [path]) if (key := _identity(file)) not in known}
        if folder and not sheets:
            suffixes = ", ".join(SUFFIXES)
            errors.append(Message("this folder holds no sheet ({suffixes})", f"{shown_path(path)}: ", suffixes=suffixes))
        for key, file in sheets.items():
            found.setdefault(key, file)
    if paths and not found and not errors:
        errors.append(Message("this is the problem; give a sheet of answers", f"{shown_path(paths[0])}: "))
    if errors:
        raise HandcalcError(*errors)
    return [*found.values()]


def no_sheets(paths: Sequence[str], besides: Iterable[str] = ()) -> list[str]:
    """What is in the folders and is no sheet: files with another ending, and folders; not those that are hidden.

    besides: files and folders that nobody would take for a sheet.
    """
    known = {_identity(path) for path in besides}
    folders = [path for path in dict.fromkeys(paths) if path != "-" and os.path.isdir(path)]
    inside = [file for folder in folders for file in _visible(folder) if not _is_sheet(file)]
    return [file + "/" * os.path.isdir(file) for file in inside if _identity(file) not in known]


def _inside(folder: str) -> list[str]:
    """The sheets in a folder, by name."""
    return [file for file in _visible(folder) if _is_sheet(file)]


def _is_sheet(file: str) -> bool:
    """Whether a file is a sheet, by its ending; a link that leads nowhere is one, so that it is missed."""
    return file.lower().endswith(SUFFIXES) and (os.path.isfile(file) or not os.path.exists(file))


def _visible(folder: str) -> list[str]:
    """What is in a folder, by name."""
    return [os.path.join(folder, name) for name in names_in(folder) if not name.startswith((".", "~$"))]


def _identity(path: str) -> object:
    """The same for two paths of one file, as with os.path.samefile."""
    if path == "-":
        return path
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return path
    return (status.st_dev, status.st_ino)


# --- marking ----------------------------------------------------------------------------------------------------------


def _alone(marking: Marking) -> Marking:
    """A marking without what only the process that found it can use, and no report on a class does."""
    return marking.replace(explanation=None, answers=tuple(answer.replace(typed=None, made=None) for answer in marking.answers))


def mark_file(checker: Checker, path: str, wanted: Wanted | None = None) -> StudentRow:
    """One sheet, marked, or what is wrong with it. (HANDCALC_DEBUG=1: an internal error ends everything.)"""
    return mark_read(checker, path, lambda: read_sheet(path), wanted)


def mark_read(checker: Checker, path: str, read: Callable[[], Sheet], wanted: Wanted | None = None) -> StudentRow:
    """The same for a sheet that is read in some other way; path: where it stands."""
    wanted = wanted or Wanted()
    shown = "stdin" if path == "-" else _encodable(shown_path(path))
    number, name = wanted.numbers.get(path, ""), stem_of(path)
    trouble: tuple[Message, ...]
    try:
        sheet = read()
        name = _encodable(sheet.name) if sheet.name != "-" else name
        marking = checker.mark(sheet).replace(name=name)
        if number:
            marking = hidden(marking, shown, number)
        content = wanted.feedback.written(checker.desk_for(sheet), marking) if wanted.feedback else None
        return StudentRow(number or name, number or shown, _alone(marking), called=name, feedback=content)
    except OutputError:
        raise
    except HandcalcError as error:
        trouble = error.messages
    except Exception as error:  # noqa: BLE001 - one sheet must not cost the others their marks
        if os.environ.get("HANDCALC_DEBUG"):
            raise
        text = "internal error ({kind}: {reason}); please report it. HANDCALC_DEBUG=1 shows where it happened."
        trouble = (Message(text, f"{shown}: ", kind=type(error).__name__, reason=str(error)[:200]),)
    if number:
        trouble = tuple(hidden_message(message, shown, number) for message in trouble)
    return StudentRow(number or stem_of(path), number or shown, None, trouble, called=name)


class Kept(Protocol):
    """What remembers rows from one run to the next (rowfile.py)."""

    def known(self, path: str, data: bytes) -> StudentRow | None:
        """The row of a sheet that was marked before, and is the same now."""

    def keep(self, path: str, data: bytes, row: StudentRow) -> None:
        """Remember a row."""


def mark_sheets(
    problem: Problem,
    paths: Sequence[str],
    *,
    notation: str = "",
    rounding: Rounding | None = None,
    jobs: int | None = 1,
    progress: Callable[[int], None] | None = None,
    wanted: Wanted | None = None,
    hand_back: Callable[[str, str | bytes], None] | None = None,
    team: Team | None = None,
    kept: Kept | None = None,
) -> list[StudentRow]:
    """A row for each sheet, in the order of the paths. Raises HandcalcError where the problem's own tasks are wrong.

    jobs: processes; None: as many as there are processors, fewer for a small class. progress: told how many are done; hand_back: given
    the path of a sheet and the file for its student, which no row keeps; team: who marks, instead of processes; kept: rows of an
    earlier run, and of this one for the next.
    """
    checker = Checker(problem, notation, rounding)
    checker.desk_for(Sheet("", ()))
    count = processes(jobs, len(paths)) if "-" not in paths else 1  # standard input is for one
    team = team or (Processes(count) if count > 1 else Here())
    size = batch_size(len(paths), team.size(), team.most)
    known = (checker.problem, checker.notation, checker.rounding, wanted)
    job = Job(_mark_batch, (lambda *known: (checker, wanted)) if isinstance(team, Here) else _marker, known)
    rows: dict[str, StudentRow] = {}
    answers = _Answers()
    numbers = wanted.numbers if wanted is not None else {}

    def done(path: str, row: StudentRow) -> None:
        if hand_back is not None and row.feedback is not None:
            hand_back(path, row.feedback)
        rows[path] = row.replace(feedback=None, marking=row.marking and answers.shared(row.marking))
        if progress is not None:
            progress(len(rows))

    def handed_out() -> Iterator[list[HandedIn]]:
        """The sheets in batches, read when it is their turn; rows that are known are done."""
        batch: list[HandedIn] = []
        for path in paths:
            sheet = handed_in(path)
            row = kept.known(path, sheet.data) if kept is not None and isinstance(sheet.data, bytes) else None
            if row is not None and row.name == numbers.get(path, row.name):
                done(path, row)
                continue
            batch.append(sheet)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    for _, sheets, marked in in_batches(job, handed_out(), team, ENDED):
        for sheet, row in zip(sheets, marked):
            if kept is not None and isinstance(sheet.data, bytes):
                kept.keep(sheet.path, sheet.data, row)
            done(sheet.path, row)
    return [rows[path] for path in paths]


class _Answers:
    """Answers that stand on several sheets, each kept once: so a class of thousands has room."""

    def __init__(self) -> None:
        self._known: dict[object, Marked] = {}

    def shared(self, marking: Marking) -> Marking:
        """The same marking, with the answers that are known."""
        return marking.replace(answers=tuple(map(self._shared, marking.answers)))

    def _shared(self, answer: Marked) -> Marked:
        return self._known.setdefault((answer, type(answer.marks), type(answer.worth)), answer)  # for 1 is 1.0, but not as JSON


def processes(jobs: int | None, sheets: int) -> int:
    """How many processes mark so many sheets."""
    if jobs is not None:
        return max(min(jobs, sheets), 1)
    return max(min(processors(), sheets // SHEETS_PER_PROCESS), 1)


# --- sheets as they are sent to whoever marks them ----------------------------------------------------------------------


class HandedIn(Record):
    """A sheet: its path, and what is in its file, or why that cannot be read."""

    path: str
    data: bytes | HandcalcError


def handed_in(path: str) -> HandedIn:
    """The sheet in a file."""
    try:
        return HandedIn(path, sheet_bytes(path))
    except HandcalcError as error:
        return HandedIn(path, error)


def _marker(problem: Problem, notation: str, rounding: Rounding | None, wanted: Wanted | None) -> tuple[Checker, Wanted | None]:
    """What a process marks with: what does not depend on a sheet is worked out once."""
    return Checker(problem, notation, rounding), wanted


def _mark_batch(marker: tuple[Checker, Wanted | None], sheets: Sequence[HandedIn]) -> list[StudentRow]:
    """Some sheets, marked."""
    checker, wanted = marker
    return [mark_read(checker, sheet.path, lambda: _read(sheet), wanted) for sheet in sheets]  # noqa: B023 - it is called at once


def _read(sheet: HandedIn) -> Sheet:
    if isinstance(sheet.data, HandcalcError):
        raise sheet.data
    return sheet_in(sheet.data, sheet.path)


def _encodable(text: str) -> str:
    """A file name as text: what is no UTF-8 in it is shown as \\udc80."""
    return text.encode("utf-8", "backslashreplace").decode()
