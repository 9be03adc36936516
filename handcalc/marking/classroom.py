"""The sheets of a class: which files they are, and marking them, in several processes where that pays.

- `sheets_of(paths)` are the files meant by files and folders; `mark_sheets(problem, paths)` answers a `StudentRow` for each, in order.
- `mark_file(checker, path)` marks one; it takes and answers what can be sent to another process. `prepare(problem, …)` once in
  a process, then `mark_here(path)`, is the same for whatever hands out paths.

What is wrong with one sheet is in its row and stops no other. To read another form of sheet from folders, add its suffix.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, Message
from handcalc.marking.answers import Sheet, read_sheet
from handcalc.marking.check import Checker
from handcalc.marking.marked import Marking
from handcalc.problem.files import shown_path
from handcalc.problem.schema import Problem

SUFFIXES = (".yaml", ".yml", ".csv", ".txt", ".xlsx", ".docx")  # of the sheets in a folder
SHEETS_PER_PROCESS = 40  # fewer are marked sooner than another process has learnt the problem: measured, about 0.3 s
CHUNK = 8  # sheets handed to a process at once, at most


class StudentRow(Record):
    """One sheet of a class: the student's name, the path as shown, and the marking, or else why there is none.

    marking: without the explanation, which is bound to the process that found it.
    """

    name: str
    path: str
    marking: Marking | None = None
    trouble: tuple[Message, ...] = ()


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


def _inside(folder: str) -> list[str]:
    """The sheets in a folder, by name; a link that leads nowhere is one, so that it is missed."""
    try:
        names = sorted(os.listdir(folder))
    except OSError as error:
        reason = error.strerror or str(error)
        raise HandcalcError(Message("cannot be read: {reason}", f"{shown_path(folder)}: ", reason=reason)) from None
    wanted = [name for name in names if not name.startswith((".", "~$")) and name.lower().endswith(SUFFIXES)]
    files = [os.path.join(folder, name) for name in wanted]
    return [file for file in files if os.path.isfile(file) or not os.path.exists(file)]


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


def mark_file(checker: Checker, path: str) -> StudentRow:
    """One sheet, marked, or what is wrong with it. (HANDCALC_DEBUG=1: an internal error ends everything.)"""
    shown = "stdin" if path == "-" else _encodable(shown_path(path))
    name = "stdin" if path == "-" else _encodable(os.path.splitext(os.path.basename(path))[0])
    try:
        sheet = read_sheet(path)
        marking = checker.mark(sheet)
    except HandcalcError as error:
        return StudentRow(name, shown, None, error.messages)
    except Exception as error:  # noqa: BLE001 - one sheet must not cost the others their marks
        if os.environ.get("HANDCALC_DEBUG"):
            raise
        text = "internal error ({kind}: {reason}); please report it. HANDCALC_DEBUG=1 shows where it happened."
        return StudentRow(name, shown, None, (Message(text, f"{shown}: ", kind=type(error).__name__, reason=str(error)[:200]),))
    name = _encodable(sheet.name) if sheet.name != "-" else name
    return StudentRow(name, shown, marking.replace(name=name, explanation=None))


def mark_sheets(
    problem: Problem,
    paths: Sequence[str],
    *,
    notation: str = "",
    rounding: Rounding | None = None,
    jobs: int | None = 1,
    progress: Callable[[int], None] | None = None,
) -> list[StudentRow]:
    """A row for each sheet, in the order of the paths. Raises HandcalcError where the problem's own tasks are wrong.

    jobs: processes; None: as many as there are processors, fewer for a small class. progress: told how many are done.
    """
    checker = Checker(problem, notation, rounding)
    checker.desk_for(Sheet("", ()))
    count = processes(jobs, len(paths)) if "-" not in paths else 1  # another process has no standard input
    marked = _by_processes(checker, paths, count) if count > 1 else (mark_file(checker, path) for path in paths)
    rows = []
    for row in marked:
        rows.append(row)
        if progress is not None:
            progress(len(rows))
    return rows


def processes(jobs: int | None, sheets: int) -> int:
    """How many processes mark so many sheets."""
    if jobs is not None:
        return max(min(jobs, sheets), 1)
    return max(min(_processors(), sheets // SHEETS_PER_PROCESS), 1)


def _processors() -> int:
    """The processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _by_processes(checker: Checker, paths: Sequence[str], count: int) -> Iterator[StudentRow]:
    from concurrent.futures import BrokenExecutor, ProcessPoolExecutor

    known = (checker.problem, checker.notation, checker.rounding)
    chunk = max(min(len(paths) // (4 * count), CHUNK), 1)
    try:
        with ProcessPoolExecutor(count, initializer=_start, initargs=known) as pool:
            yield from pool.map(mark_here, paths, chunksize=chunk)
    except BrokenExecutor:
        raise HandcalcError(Message("a process that marked sheets ended; is there enough memory? --jobs 1 needs least")) from None


# --- in a process of its own ------------------------------------------------------------------------------------------

_own: Checker | None = None


def prepare(problem: Problem, notation: str = "", rounding: Rounding | None = None) -> None:
    """Makes this process one that marks sheets of a problem."""
    global _own
    _own = Checker(problem, notation, rounding)


def _start(problem: Problem, notation: str, rounding: Rounding | None) -> None:
    """The same in a process of the pool, which leaves it to the one that started it to be interrupted."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    prepare(problem, notation, rounding)


def mark_here(path: str) -> StudentRow:
    """One sheet, marked in a process that was prepared."""
    assert _own is not None, "prepare() comes first"
    return mark_file(_own, path)


def _encodable(text: str) -> str:
    """A file name as text: what is no UTF-8 in it is shown as \\udc80."""
    return text.encode("utf-8", "backslashreplace").decode()
