"""handcalc check."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, digits_options, format_option, output_options, reading_options
from handcalc.cli.output import Wish
from handcalc.core.rounding import Rounding
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.marking.classreport import Gradebook

FORMATS = ("terminal", "plain", "json", "csv", "markdown")


@click.command(cls=Translated)
@click.argument("file")
@click.argument("answers", nargs=-1, type=FileName())
@click.option("--answer", "pairs", multiple=True, metavar="ID=VALUE", help="An answer on the command line; may be repeated.")
@click.option("--blank", is_flag=True, help="Write an empty answer sheet (as text, or with --format csv or -o NAME.csv as a table).")
@digits_options("The sheet was worked with N decimal places.", "The sheet was worked with N significant digits.")
@format_option(FORMATS)
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes for the sheets of a class (as many as processors).")
@reading_options
@output_options
def command(file: str, answers: tuple[str, ...], pairs: tuple[str, ...], blank: bool, jobs: int | None, settings: Settings) -> int:
    """Mark a student's numbers, and say where they went wrong, and why.

    ANSWERS is a sheet (lines ID = VALUE, CSV, YAML, Excel, or a filled-in Word worksheet), or - for standard input; several
    sheets or a folder give a class report. An answer is a number or a formula, working may stand before it. Exit code 1 says
    that something is wrong.

    Example: handcalc check mazur-2-2-2 --answer net.h1=0.3775
    """
    problem = load(file)
    declared = settings.digits()
    wish = Wish.of(settings, problem, file, *answers)
    if blank:
        return _blank(problem, wish)
    if not pairs and not answers:
        raise click.UsageError(wish.translate("give a sheet of answers, --answer ID=VALUE, or --blank"))
    if pairs and answers:
        raise click.UsageError(wish.translate("give a sheet of answers or --answer, not both"))
    if pairs or (len(answers) == 1 and not os.path.isdir(answers[0]) and settings.format not in ("csv", "markdown")):
        return _one(problem, answers, pairs, declared, wish)
    return _class(problem, answers, declared, wish, jobs)


def _blank(problem: Problem, wish: Wish) -> int:
    from handcalc.marking.answers import Sheet
    from handcalc.marking.blank import blank_sheet
    from handcalc.marking.check import Checker

    form = "csv" if wish.settings.format == "csv" or (wish.settings.output or "").lower().endswith(".csv") else "text"
    sheet = blank_sheet(Checker(problem, wish.settings.notation).desk_for(Sheet("", ())), form, wish.translate, wish.dialect())
    mark = "\ufeff" if form == "csv" and wish.settings.output and not sheet.isascii() else ""  # spreadsheets know UTF-8 by it
    wish.write(mark + sheet)
    return 0


def _one(problem: Problem, answers: tuple[str, ...], pairs: tuple[str, ...], declared: Rounding | None, wish: Wish) -> int:
    """One sheet: a report on every answer."""
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.check import Checker
    from handcalc.marking.report import all_right, as_json, report

    checker = Checker(problem, wish.settings.notation, declared)
    sheet = from_arguments(pairs) if pairs else read_sheet(answers[0])
    marking = checker.mark(sheet)
    desk = checker.desk_for(sheet)
    code = 0 if all_right(marking, bool(problem.tasks)) else 1
    if wish.settings.format == "json":
        wish.write_json(as_json(marking))
        return code
    wish.show(lambda reading: report(desk, marking, reading), desk.book.derivation)
    return code


def _class(problem: Problem, answers: tuple[str, ...], declared: Rounding | None, wish: Wish, jobs: int | None) -> int:
    """Several sheets: a table of students and steps."""
    from handcalc.cli.progress import progress_bar
    from handcalc.marking.classreport import Gradebook
    from handcalc.marking.classroom import mark_sheets, sheets_of
    from handcalc.marking.workbook import Workbook

    paths = sheets_of(answers, wish.inputs[:2])
    with progress_bar(len(paths), wish.translate("Marking")) as progress:
        rows = mark_sheets(problem, paths, notation=wish.settings.notation, rounding=declared, jobs=jobs, progress=progress)
    derivation = Workbook(problem).derivation
    book = Gradebook(rows, derivation)
    _write_class(book, derivation, wish.replace(inputs=(*wish.inputs, *paths)))
    return 0 if book.all_right(bool(problem.tasks)) else 1


def _write_class(book: Gradebook, derivation: Derivation, wish: Wish) -> None:
    """The report on a class in the form that is wanted."""
    from handcalc.marking.classreport import as_csv, as_markdown, class_json, class_report

    if wish.settings.format == "csv":
        return wish.write(as_csv(book, wish.settings.comma))
    if wish.settings.format == "json":
        return wish.write_json(class_json(book), visible=True)
    if wish.settings.format == "markdown":
        reading = wish.reading(derivation)
        return wish.write(as_markdown(class_report(book, reading), reading, wish.translate))
    wish.show(lambda reading: class_report(book, reading), derivation)
