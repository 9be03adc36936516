"""The results of a class, marked: one report over all variants.

- `mark_results(handed, results, file, …)` marks every row against its own variant, in several processes where that pays.
- `ClassResults` has the marked rows and those that are left out: `json()`, `blocks(reading)`, `best()`.

What one variant needs is worked out once for all its rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, Message
from handcalc.exercises.handedout import HandedOut
from handcalc.exercises.people import Person
from handcalc.exercises.results import AssignedResult, LeftOut, by_student, sheet_of_result
from handcalc.marking.check import Checker
from handcalc.marking.classreport import Gradebook, class_json, class_report
from handcalc.marking.classroom import CHUNK, ENDED, StudentRow, Wanted, mark_read, processes
from handcalc.marking.workbook import Workbook
from handcalc.problem.schema import Problem
from handcalc.processes import in_processes
from handcalc.render.blocks import Block, Heading, Item, Paragraph, Plain, Table
from handcalc.render.reading import Reading

MOST_ROWS = 200  # rows left out that a report lists
FEWEST = 20  # rows of one variant that are handed to a process at once, at least, if there are so many


class MarkedResult(Record):
    """A row of results, and what marking says of it."""

    result: AssignedResult
    row: StudentRow

    @property
    def person(self) -> Person:
        """Whose it is."""
        return self.result.row.person


class ClassResults:
    """The marked rows of a class, and those that are left out."""

    def __init__(self, handed: HandedOut, marked: Sequence[MarkedResult], left: Sequence[LeftOut]) -> None:
        self.handed = handed
        self.marked = tuple(marked)
        self.left = tuple(left)
        problem = handed.first.problem
        self.derivation = Workbook(problem).derivation
        self.book = Gradebook([one.row for one in marked], self.derivation)

    @property
    def all_right(self) -> bool:
        """Whether every row is marked, and all is right."""
        return not self.left and self.book.all_right(True)

    def best(self) -> ClassResults:
        """With the best attempt of everybody, the later of two that are as good."""
        rows = {id(one.result): one for one in self.marked}
        kept = list[MarkedResult]()
        for attempts in by_student([one.result for one in self.marked]):
            tried = [[rows[id(result)] for result in results] for results in attempts]
            kept += max(reversed(tried), key=_share)
        return ClassResults(self.handed, sorted(kept, key=lambda one: one.result.row.line), self.left)

    def json(self) -> dict[str, Any]:
        """The class report as data, with the variant of each row, and the rows that are left out."""
        found = class_json(self.book)
        sheets = []
        for one, sheet in zip(self.marked, found["sheets"]):
            known = {"variant": one.result.code, "matched_by": one.result.matched_by, "platform_score": one.result.row.score}
            sheets.append(sheet | known)
        return found | {"sheets": sheets, "unmatched": [row.json() for row in self.left]}

    def blocks(self, reading: Reading) -> Iterator[Block]:
        """The class report, and the rows that are left out."""
        yield from class_report(self.book, reading)
        if self.left:
            yield Heading(2, Message("Rows that are not marked"))
            columns = (Message("row"), Message("student"), Message("reason"))
            rows: list[tuple[Item, ...]] = [(Plain(str(row.line)), Plain(row.name), row.because) for row in self.left[:MOST_ROWS]]
            yield Table(columns, tuple(rows), wraps=True)
        if len(self.left) > MOST_ROWS:
            yield Paragraph(Message("… {count} more", count=len(self.left) - MOST_ROWS))


def marks_of(results: Sequence[MarkedResult]) -> tuple[float, float]:
    """The marks of the rows that could be marked, and those there were."""
    marks = [one.row.marking.marks for one in results if one.row.marking is not None]
    return sum(got for got, _ in marks), sum(worth for _, worth in marks)


def _share(results: Iterable[MarkedResult]) -> float:
    got, worth = marks_of([*results])
    return got / worth if worth else -1.0


# --- marking ----------------------------------------------------------------------------------------------------------


class _Work(Record):
    """The rows of one variant, as they are sent to another process."""

    problem: Problem
    notation: str
    rounding: Rounding | None
    file: str
    results: tuple[AssignedResult, ...]
    wanted: Wanted | None


def mark_results(
    handed: HandedOut,
    results: Sequence[AssignedResult],
    file: str,
    *,
    rounding: Rounding | None = None,
    jobs: int | None = None,
    wanted: Wanted | None = None,
    progress: Callable[[int], None] | None = None,
) -> list[MarkedResult]:
    """Every row marked, in their order, or what is wrong with it; file: where they are from, as shown."""
    by_code: dict[str, list[AssignedResult]] = {}
    for result in results:
        by_code.setdefault(result.code, []).append(result)
    count = processes(jobs, len(results))
    most = max(len(results) // (4 * count), FEWEST) if count > 1 else len(results)
    work = []
    found: dict[int, MarkedResult] = {}
    for code, rows in by_code.items():
        try:
            problem = handed.problem(code)
        except HandcalcError as error:
            found |= {id(one): MarkedResult(one, StudentRow(one.name, f"{file}:{one.row.line}", None, error.messages)) for one in rows}
            continue
        pieces = (tuple(rows[start : start + most]) for start in range(0, len(rows), most))
        work += [_Work(problem, handed.notation, rounding, file, piece, wanted) for piece in pieces]
    count = min(count, len(work))
    for one, marked in zip(work, in_processes(_mark, work, count, ENDED, CHUNK)):
        found |= {id(result): MarkedResult(result, row) for result, row in zip(one.results, marked)}
        if progress is not None:
            progress(len(found))
    return [found[id(result)] for result in results]


_last: list[Checker] = []  # of this process: the next variant has the same formulas


def _mark(work: _Work) -> list[StudentRow]:
    """The rows of one variant."""
    checker = Checker(work.problem, work.notation, work.rounding, _last[0] if _last else None)
    _last[:] = [checker]
    rows = []
    for result in work.results:
        sheet = sheet_of_result(result, work.file)
        rows.append(mark_read(checker, f"{work.file}:{result.row.line}", lambda: sheet, work.wanted))  # noqa: B023 - it is called at once
    return rows
