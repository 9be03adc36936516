"""handcalc check MANIFEST --from RESULTS.csv: the answers of a class, each against its own variant.

- `ResultsWanted` is what the options say; `check_results(path, wanted, …)` marks, reports, and fills a gradebook.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from handcalc.cli.endings import check_ending
from handcalc.cli.output import Wish, say
from handcalc.core.record import Record
from handcalc.disk.writing import check_target, make_folder
from handcalc.errors import HandcalcError, Message
from handcalc.language import Translate

if TYPE_CHECKING:
    from handcalc.cli.options import Settings
    from handcalc.exercises.classresults import ClassResults, MarkedResult
    from handcalc.exercises.gradebook import Filled, Graded
    from handcalc.marking.marked import Marked

MOST_NAMES = 20  # that are listed on a terminal, of students and rows without a mark


class ResultsWanted(Record):
    """A table of results, what it is from, what its columns hold, which attempt counts; a gradebook, and its column for the marks."""

    source: str | None = None
    platform: str | None = None
    maps: tuple[str, ...] = ()
    attempt: str | None = None
    gradebook: str | None = None
    column: str | None = None

    @property
    def given(self) -> bool:
        """Whether anything was asked for."""
        return self != ResultsWanted()


class HowMarked(Record):
    """Processes, a folder for the files that students get, and their format."""

    jobs: int | None = None
    folder: str | None = None
    format: str = "html"


def check_results(path: str, wanted: ResultsWanted, how: HowMarked, settings: Settings, formats: Sequence[str]) -> int:
    """The exit code: 0 where all is right. Raises HandcalcError where no row can be marked."""
    from handcalc.exercises.classresults import ClassResults
    from handcalc.exercises.handedout import HandedOut
    from handcalc.exercises.platforms import read_results
    from handcalc.exercises.results import assigned, chosen

    assert wanted.source is not None
    handed = HandedOut.of(path, settings.notation)
    inputs = tuple(filter(None, (path, wanted.source, wanted.gradebook)))
    wish = Wish(settings, settings.language(handed.first.problem.language), inputs)
    _check(wanted, wish)
    if not wanted.gradebook:
        wish = wish.in_format_of_output(formats)
    found, left = assigned(handed, read_results(wanted.source, handed, wanted.platform or "", wanted.maps))
    if not found:
        raise HandcalcError(*[_line(wanted.source, row.line, row.name, row.because) for row in left[:MOST_NAMES]])
    attempt = wanted.attempt or "last"
    results = ClassResults(handed, _marked(handed, chosen(found, attempt), wanted.source, how, wish), left)
    results = results.best() if attempt == "best" else results
    filled = _filled(results, wanted, wish) if wanted.gradebook else None
    if how.folder:
        _write_feedback(results.marked, how, wish)
    _report(results, filled, wish)
    if filled is not None:
        wish.write(filled.content, settings.output)
        _say_filled(filled, str(settings.output), wish.translate)
    return 0 if results.all_right else 1


def _check(wanted: ResultsWanted, wish: Wish) -> None:
    """Whether what is asked for can be written, before anything is marked."""
    if wanted.column is not None and not wanted.gradebook:
        raise click.UsageError(wish.translate("--column goes with --gradebook"))
    if wanted.gradebook:
        check_ending(wish.settings.output, ".csv")
    if wanted.gradebook and not wish.settings.output:
        raise click.UsageError(wish.translate("--gradebook needs -o FILE for the filled one"))
    if wish.settings.output:
        wish.check(wish.settings.output)


def _line(source: str, line: int, name: str, because: Message) -> Message:
    if not name:
        return Message("{reason}", f"{source}:{line}: ", reason=because)
    return Message("{name}: {reason}", f"{source}:{line}: ", name=name, reason=because)


def _marked(handed: Any, results: Sequence[Any], source: str, how: HowMarked, wish: Wish) -> list[MarkedResult]:
    from handcalc.cli.progress import progress_bar
    from handcalc.exercises.classresults import mark_results
    from handcalc.marking.classroom import Wanted
    from handcalc.marking.feedback import Feedback

    settings = wish.settings
    feedback = Feedback(how.format, wish.language, handed.notation, settings.comma) if how.folder else None
    with progress_bar(len(results), wish.translate("Marking")) as progress:
        return mark_results(
            handed, results, source, rounding=settings.digits(), jobs=how.jobs, wanted=Wanted(feedback=feedback), progress=progress
        )


# --- what comes out ---------------------------------------------------------------------------------------------------


def _report(results: ClassResults, filled: Filled | None, wish: Wish) -> None:
    """The report: on the output, or on the screen where the output is a gradebook."""
    from handcalc.marking.classreport import as_csv, as_markdown
    from handcalc.render import read
    from handcalc.render.report import LONGEST_SUM

    settings, notation = wish.settings, results.handed.notation
    if filled is not None:
        wish = wish.replace(settings=settings.replace(output=None))

    def data() -> dict[str, Any]:
        return results.json() | ({"gradebook": filled.json()} if filled is not None else {})

    if settings.format == "csv":
        wish.write(as_csv(results.book, settings.comma, wish.translate))
        for row in results.left[:MOST_NAMES]:
            say(_line(wish.inputs[1], row.line, row.name, row.because).text(wish.translate), sys.stderr)
    elif settings.format == "json":
        wish.write_json(data())
    elif settings.format == "markdown":
        reading = read(results.derivation, notation, wish.dialect(), settings.comma, LONGEST_SUM)
        wish.write(as_markdown(results.blocks(reading), reading, wish.translate))
    else:
        wish.page(
            lambda dialect: read(results.derivation, notation, dialect, settings.comma, LONGEST_SUM), results.blocks, lambda _: data()
        )


def _filled(results: ClassResults, wanted: ResultsWanted, wish: Wish) -> Filled:
    from handcalc.exercises.gradebook import fill
    from handcalc.exercises.placed import read_placed

    assert wanted.gradebook is not None
    return fill(read_placed(wanted.gradebook), wanted.column, _graded(results, wish))


def _graded(results: ClassResults, wish: Wish) -> list[Graded]:
    """Everybody with marks; who has answered several variants has those of all."""
    from handcalc.exercises.classresults import marks_of
    from handcalc.exercises.gradebook import Graded
    from handcalc.exercises.results import by_student

    marked = {id(one.result): one for one in results.marked if one.row.marking is not None}
    students = by_student([one.result for one in marked.values()])
    people = [[marked[id(result)] for attempt in attempts for result in attempt] for attempts in students]
    return [Graded(rows[0].person, *marks_of(rows), _comment(rows, wish), len(_unread(rows))) for rows in people]


def _answers(rows: Sequence[MarkedResult]) -> list[Marked]:
    return [answer for one in rows if one.row.marking is not None for answer in one.row.marking.answers]


def _unread(rows: Sequence[MarkedResult]) -> list[Marked]:
    """The answers that could not be read."""
    return [answer for answer in _answers(rows) if answer.verdict == "unreadable"]


def _comment(rows: Sequence[MarkedResult], wish: Wish) -> str:
    """The marks, and the mistakes by their names, in letters that mean nothing in HTML."""
    from html import escape

    from handcalc.exercises.classresults import marks_of
    from handcalc.marking.mistakes import MISTAKES
    from handcalc.marking.wording import decimal

    got, worth = (decimal(value, wish.settings.comma) for value in marks_of(rows))
    slugs = dict.fromkeys(slug for answer in _answers(rows) if not answer.because_of for slug in answer.mistakes)
    parts = [Message("{marks} of {worth} marks", marks=got, worth=worth).text(wish.translate)]
    parts += [wish.translate(MISTAKES[slug].name) for slug in slugs]
    if unread := _unread(rows):
        parts.append(Message("{count} {count:answer|answers} could not be read", count=len(unread)).text(wish.translate))
    return escape("; ".join(parts), quote=False)


def _say_filled(filled: Filled, output: str, translate: Translate) -> None:
    lines = [Message("{file}: marks written: {count}", file=output, count=filled.count)]
    lines += [Message("not in the gradebook: {name}", name=person.shown) for person in filled.not_found[:MOST_NAMES]]
    lines += [
        Message("left as it is: row {row}, {name}: {reason}", row=row.line, name=row.name, reason=row.because)
        for row in filled.not_marked[:MOST_NAMES]
    ]
    lines += [
        Message("look at row {row}, {name}: {reason}", row=row.line, name=row.name, reason=row.because)
        for row in filled.unread[:MOST_NAMES]
    ]
    more = sum(max(len(found) - MOST_NAMES, 0) for found in (filled.not_found, filled.not_marked, filled.unread))
    if more:
        lines.append(Message("… {count} more", count=more))
    for line in lines:
        say(line.text(translate), sys.stderr)


def _write_feedback(marked: Sequence[MarkedResult], how: HowMarked, wish: Wish) -> None:
    """A file for each student; none where one of them may not be written."""
    from handcalc.marking.feedback import file_names
    from handcalc.render.report import FORMATS

    assert how.folder is not None
    rows = [one for one in marked if one.row.feedback is not None]
    names = file_names([one.result.name for one in rows], FORMATS[how.format].suffix)
    targets = [os.path.join(how.folder, name) for name in names]
    for target in targets:
        check_target(target, wish.settings.force, wish.inputs)
    make_folder(how.folder)
    for one, target in zip(rows, targets):
        wish.write(one.row.feedback or "", target)
    say(Message("Feedback: {count} {count:file|files} in {folder}", count=len(rows), folder=how.folder).text(wish.translate), sys.stderr)
