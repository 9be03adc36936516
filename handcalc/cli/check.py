"""handcalc check."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import SCREEN, FileName, Settings, digits_options, format_option, gathered, output_options, reading_options
from handcalc.cli.output import Wish, say
from handcalc.cli.results import HowMarked, ResultsWanted, check_results
from handcalc.cli.troubles import troubles
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.disk.writing import make_folder
from handcalc.errors import HandcalcError, Message, OutputError
from handcalc.language import Translate
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem
from handcalc.stages import MARK, stage

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.marking.classreport import Gradebook
    from handcalc.marking.classroom import StudentRow
    from handcalc.marking.rowfile import RowFile
    from handcalc.render.dialects import Dialect
    from handcalc.render.reading import Reading

DOCUMENTS = ("markdown", "latex", "html", "pdf", "typst", "word")
GRADESCOPE = "gradescope"
FORMATS = ("terminal", "plain", *DOCUMENTS, "json", "csv", GRADESCOPE)
PLATFORMS = ("moodle", "canvas", "table")


class Choices(Record):
    """What else is wanted: every answer, so many processes, a folder for the files that students get, numbers for their names, the
    workers of a scheduler, a file of rows as they come."""

    everything: bool = False
    jobs: int | None = None
    feedback: str | None = None
    anonymous: bool = False
    scheduler: str | None = None
    rows: str | None = None

    @property
    def of_class(self) -> bool:
        """Whether something is wanted that only several sheets have."""
        return bool(self.feedback or self.anonymous or self.scheduler or self.rows)


@click.command(cls=Translated)
@click.argument("file")
@click.argument("answers", nargs=-1, type=FileName())
@click.option("--answer", "pairs", multiple=True, metavar="ID=VALUE", help="An answer on the command line; may be repeated.")
@click.option("--blank", is_flag=True, help="Write an empty answer sheet (as text, or with --format csv or -o NAME.csv as a table).")
@gathered(
    "choices",
    Choices,
    click.option("--all", "everything", is_flag=True, help="Show right answers as well."),
)
@digits_options("The sheet was worked with N decimal places.", "The sheet was worked with N significant digits.")
@format_option(FORMATS)
@gathered(
    "choices",
    Choices,
    click.option(
        "--feedback",
        "--feedback-dir",
        "feedback",
        metavar="FOLDER",
        type=FileName(),
        help="Write a file for each student, in --format (html).",
    ),
    click.option("--anonymous", is_flag=True, help="Numbers instead of the names of a class."),
    click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes for the sheets of a class (as many as processors)."),
    click.option("--scheduler", metavar="tcp://HOST:PORT", help="Mark the sheets of a class on the workers of this Dask scheduler."),
    click.option(
        "--results",
        "rows",
        metavar="FILE.jsonl",
        type=FileName(),
        help="Write each marked sheet of a class at once; the same command goes on where it was interrupted.",
    ),
)
@gathered(
    "results",
    ResultsWanted,
    click.option("--from", "source", metavar="RESULTS.csv", type=FileName(), help="The answers of a class, from a platform or a form."),
    click.option("--platform", type=click.Choice(PLATFORMS), help="Where it is from; else told from its headings."),
    click.option("--map", "maps", multiple=True, metavar='"COLUMN=ID,ID"', help="Which answers a column of it holds; may be repeated."),
    click.option("--attempt", type=click.Choice(("last", "first", "best")), help="Which attempt of a student counts (last)."),
    click.option("--gradebook", metavar="GRADES.csv", type=FileName(), help="A gradebook to fill in; -o is the filled one."),
    click.option("--column", metavar="NAME", help="Its column for the marks; nothing else in it changes."),
)
@reading_options
@output_options
def command(
    file: str,
    answers: tuple[str, ...],
    pairs: tuple[str, ...],
    blank: bool,
    choices: Choices,
    results: ResultsWanted,
    settings: Settings,
) -> int:
    """Mark a student's numbers, and say where they went wrong, and why.

    ANSWERS is a sheet (lines ID = VALUE, CSV, YAML, Excel, or a filled-in Word worksheet), or - for standard input; several
    sheets or a folder give a class report. An answer is a number or a formula, working may stand before it. With --from, FILE is the
    manifest of a set of variants, or its folder. Exit code 1 says that something is wrong.

    Example: handcalc check mazur-2-2-2 --answer net.h1=0.3775
    """
    if results.given:
        return _results(file, bool(answers or pairs or blank), choices, results, settings)
    _check_one_problem(file, settings.translator())
    problem = load(file)
    with troubles(problem, settings.notation):
        declared = settings.digits()
        wish = Wish.of(settings, problem, file, *answers)
        if blank:
            return _blank(problem, wish)
        if not pairs and not answers:
            raise click.UsageError(wish.translate("give a sheet of answers, --answer ID=VALUE, or --blank"))
        if pairs and answers:
            raise click.UsageError(wish.translate("give a sheet of answers or --answer, not both"))
        if pairs and choices.of_class:
            raise click.UsageError(wish.translate("--feedback, --anonymous, --scheduler and --results go with sheets of answers"))
        if choices.jobs and choices.scheduler:
            raise click.UsageError(wish.translate("give --jobs or --scheduler, not both"))
        if choices.feedback is None and settings.format != GRADESCOPE:
            wish = wish.in_format_of_output(FORMATS)
        alone = len(answers) == 1 and not os.path.isdir(answers[0]) and not choices.of_class
        if settings.format == GRADESCOPE:
            if not alone and not pairs:
                raise click.UsageError(wish.translate("--format gradescope is about one sheet, as each submission is marked by itself"))
            return _gradescope(problem, answers, pairs, declared, wish)
        if pairs or (alone and wish.settings.format != "csv"):
            return _one(problem, answers, pairs, declared, choices, wish)
        return _class(problem, answers, declared, choices, wish)


def _check_one_problem(file: str, translate: Translate) -> None:
    """A set of variants is marked from a table of results; a sheet belongs to the problem of one."""
    if os.path.isdir(file) or file.endswith(".json"):
        from handcalc.exercises.quizsources import manifests_of, problems_of

        if manifests_of(file):
            text = "{file} is a set of variants; give --from RESULTS.csv, or the problem of one sheet, such as {example}"
            raise click.UsageError(Message(text, file=file, example=problems_of(file)[0]).text(translate))


def _results(file: str, others: bool, choices: Choices, results: ResultsWanted, settings: Settings) -> int:
    """A table of results, each row against its own variant."""
    translate = settings.translator()
    if results.source is None:
        raise click.UsageError(translate("--platform, --map, --attempt, --gradebook and --column go with --from"))
    if others or choices.anonymous or choices.scheduler or choices.rows or settings.format == GRADESCOPE:
        without = "--from goes without sheets of answers, --answer, --blank, --anonymous, --scheduler, --results and --format gradescope"
        raise click.UsageError(translate(without))
    format = settings.format if settings.format in DOCUMENTS else "html"
    if choices.feedback is not None and settings.format in DOCUMENTS:
        settings = settings.replace(format="terminal")
    return check_results(file, results, HowMarked(choices.jobs, choices.feedback, format), settings, FORMATS)


def _blank(problem: Problem, wish: Wish) -> int:
    from handcalc.marking.answers import Sheet
    from handcalc.marking.blank import blank_sheet
    from handcalc.marking.check import Checker

    form = "csv" if wish.in_format_of_output((*SCREEN, "csv")).settings.format == "csv" else "text"
    sheet = blank_sheet(Checker(problem, wish.settings.notation).desk_for(Sheet("", ())), form, wish.translate, wish.dialect())
    wish.write(_known_to_spreadsheets(sheet, wish) if form == "csv" else sheet)
    return 0


def _known_to_spreadsheets(table: str, wish: Wish) -> str:
    """A table for a file, with the mark by which spreadsheets know UTF-8, where there is anything but ASCII."""
    return "\ufeff" * bool(wish.settings.output and not table.isascii()) + table


def _one(
    problem: Problem, answers: tuple[str, ...], pairs: tuple[str, ...], declared: Rounding | None, choices: Choices, wish: Wish
) -> int:
    """One sheet: a report on what is wrong on a terminal; a document has every answer."""
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.check import Checker
    from handcalc.marking.report import all_right, as_json, report

    checker = Checker(problem, wish.settings.notation, declared)
    sheet = from_arguments(pairs) if pairs else read_sheet(answers[0])
    with stage(MARK):
        marking = checker.mark(sheet)
    desk = checker.desk_for(sheet)
    everything = choices.everything or wish.settings.format not in SCREEN
    wish.page(
        _reads(desk.book.derivation, wish),
        lambda reading: report(desk, marking, reading, everything),
        lambda reading: as_json(marking),
    )
    return 0 if all_right(marking, bool(problem.tasks)) else 1


def _gradescope(problem: Problem, answers: tuple[str, ...], pairs: tuple[str, ...], declared: Rounding | None, wish: Wish) -> int:
    """One sheet as results.json; a sheet that cannot be read has no marks, and says why."""
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.check import Checker
    from handcalc.marking.gradescope import as_results, unread
    from handcalc.marking.report import all_right

    checker = Checker(problem, wish.settings.notation, declared)
    try:
        sheet = from_arguments(pairs) if pairs else read_sheet(answers[0])
    except HandcalcError as error:
        wish.write_json(unread(error.messages, wish.translate))
        return 1
    marking = checker.mark(sheet)
    wish.write_json(as_results(marking, wish.translate))
    return 0 if all_right(marking, bool(problem.tasks)) else 1


def _reads(derivation: Derivation, wish: Wish) -> Callable[[Dialect], Reading]:
    """The derivation in the notation, in any dialect."""
    from handcalc.render import read
    from handcalc.render.report import LONGEST_SUM

    return lambda dialect: read(derivation, wish.settings.notation, dialect, wish.settings.comma, LONGEST_SUM)


# --- a class ----------------------------------------------------------------------------------------------------------


def _class(problem: Problem, answers: tuple[str, ...], declared: Rounding | None, choices: Choices, wish: Wish) -> int:
    """Several sheets: a table of students and steps."""
    from handcalc.cli.progress import progress_bar
    from handcalc.cluster import reached
    from handcalc.marking.classreport import Gradebook
    from handcalc.marking.classroom import Wanted, mark_sheets, no_sheets, sheets_of
    from handcalc.marking.feedback import numbers
    from handcalc.marking.workbook import Workbook

    paths = sheets_of(answers, wish.inputs[:2])
    skipped = no_sheets(answers, (*wish.inputs[:2], *filter(None, (choices.feedback, wish.settings.output))))
    hidden = numbers(paths) if choices.anonymous else {}
    paths = sorted(paths, key=lambda path: hidden[path]) if hidden else paths
    wish = wish.replace(inputs=(*wish.inputs, *paths))
    with ExitStack() as open_until_marked:
        rows = open_until_marked.enter_context(_row_file(problem, declared, choices, wish)) if choices.rows else None
        wish = wish.replace(inputs=(*wish.inputs, choices.rows)) if choices.rows else wish
        files = _Files(choices.feedback, paths, hidden, wish, rows) if choices.feedback else None
        wish = files.wish_for_table() if files else wish
        team = open_until_marked.enter_context(reached(choices.scheduler)) if choices.scheduler else None
        progress = open_until_marked.enter_context(progress_bar(len(paths), wish.translate("Marking")))
        marked = mark_sheets(
            problem,
            paths,
            notation=wish.settings.notation,
            rounding=declared,
            jobs=choices.jobs,
            progress=progress,
            wanted=Wanted(hidden, files.feedback if files else None),
            hand_back=files.write if files else None,
            team=team,
            kept=files or rows,
        )
    derivation = Workbook(problem).derivation
    book = Gradebook(marked, derivation, _called(skipped, choices.anonymous))
    _write_class(book, derivation, wish)
    if files:
        files.say_what_was_written()
    return 0 if book.all_right(bool(problem.tasks)) else 1


def _row_file(problem: Problem, declared: Rounding | None, choices: Choices, wish: Wish) -> AbstractContextManager[RowFile]:
    """The file for the rows of this problem, marked in this way."""
    from handcalc.marking.rowfile import marked_with, opened

    about = marked_with(problem, wish.settings.notation, declared, choices.anonymous)
    return opened(str(choices.rows), about, wish.inputs)


def _called(skipped: Sequence[str], anonymous: bool) -> list[str]:
    """What was no sheet, by its name, or by its kind alone."""
    parts = [(os.path.splitext(os.path.basename(path.rstrip("/"))), "/" * path.endswith("/")) for path in skipped]
    return [*dict.fromkeys(f"*{ending}{folder}" if anonymous else f"{stem}{ending}{folder}" for (stem, ending), folder in parts)]


class _Files:
    """The files for the students: their names, known before anything is marked, so that none is there already.

    rows: those of an earlier run, whose files may be there; a row counts only with its file.
    """

    def __init__(self, folder: str, paths: Sequence[str], numbers: dict[str, str], wish: Wish, rows: RowFile | None = None) -> None:
        from handcalc.marking.feedback import Feedback, file_names, stem_of
        from handcalc.render.report import FORMATS

        settings = wish.settings
        format = settings.format if settings.format in DOCUMENTS else "html"
        stems = [numbers.get(path) or stem_of(path) for path in paths]
        self.folder = folder
        self.wish = wish
        self.rows = rows
        self.feedback = Feedback(format, wish.language, settings.notation, settings.comma)
        self.targets = dict(zip(paths, (os.path.join(folder, name) for name in file_names(stems, FORMATS[format].suffix))))
        self.written = 0
        if any(os.path.isdir(folder) and os.path.samefile(os.path.dirname(path) or os.curdir, folder) for path in paths if path != "-"):
            raise OutputError(Message("the sheets are in this folder; give another one for the feedback", f"{folder}: "))
        for path, target in self.targets.items():
            self._wish(path).check(target)
        if settings.output:
            wish.check(settings.output)
        make_folder(folder)

    def _wish(self, path: str) -> Wish:
        """The wish for a student's file, which is written again where an earlier run has written it."""
        again = self.rows is not None and self.rows.has(path)
        return self.wish.replace(settings=self.wish.settings.replace(force=True)) if again else self.wish

    def known(self, path: str, data: bytes) -> StudentRow | None:
        """The row of an earlier run, if the file for the student is there."""
        return self.rows.known(path, data) if self.rows is not None and os.path.isfile(self.targets[path]) else None

    def keep(self, path: str, data: bytes, row: StudentRow) -> None:
        """Remember a row."""
        if self.rows is not None:
            self.rows.keep(path, data, row)

    def wish_for_table(self) -> Wish:
        """The wish for the table of the class, whose format is that of its file; --format says that of the students' files."""
        settings = self.wish.settings
        if settings.format in DOCUMENTS:
            settings = settings.replace(format="terminal")
        return self.wish.replace(settings=settings).in_format_of_output(FORMATS)

    def write(self, path: str, content: str | bytes) -> None:
        """The file for the student of a sheet."""
        self._wish(path).write(content, self.targets[path])
        self.written += 1

    def say_what_was_written(self) -> None:
        """A line for whoever waits for it."""
        say(
            Message("Feedback: {count} {count:file|files} in {folder}", count=self.written, folder=self.folder).text(self.wish.translate),
            sys.stderr,
        )


def _write_class(book: Gradebook, derivation: Derivation, wish: Wish) -> None:
    """The report on a class in the form that is wanted."""
    from handcalc.marking.classreport import as_csv, as_markdown, class_json, class_report

    if wish.settings.format == "csv":
        return wish.write(_known_to_spreadsheets(as_csv(book, wish.settings.comma, wish.translate), wish))
    if wish.settings.format == "json":
        return wish.write_json(class_json(book))
    if wish.settings.format == "markdown":
        reading = wish.reading(derivation)
        return wish.write(as_markdown(class_report(book, reading), reading, wish.translate))
    wish.page(_reads(derivation, wish), lambda reading: class_report(book, reading), lambda reading: class_json(book))
