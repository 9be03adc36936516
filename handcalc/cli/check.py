"""handcalc check."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Wish, dialect_for, fits, output_options, reading_options
from handcalc.core.rounding import Rounding
from handcalc.language import choose, translator
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem
from handcalc.render.dialects import PLAIN, UNICODE

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.marking.classreport import Gradebook

FORMATS = ("terminal", "plain", "json", "csv", "markdown")


@click.command(cls=Translated)
@click.argument("file")
@click.argument("answers", nargs=-1, type=FileName())
@click.option("--answer", "pairs", multiple=True, metavar="ID=VALUE", help="An answer on the command line; may be repeated.")
@click.option("--blank", is_flag=True, help="Write an empty answer sheet (as text, or with --format csv or -o NAME.csv as a table).")
@click.option("--decimals", type=click.IntRange(0, 15), metavar="N", help="The sheet was worked with N decimal places.")
@click.option("--significant", type=click.IntRange(1, 17), metavar="N", help="The sheet was worked with N significant digits.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@click.option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Processes for the sheets of a class (as many as processors).")
@reading_options
@output_options
def command(
    file: str,
    answers: tuple[str, ...],
    pairs: tuple[str, ...],
    blank: bool,
    decimals: int | None,
    significant: int | None,
    form: str,
    jobs: int | None,
    notation: str | None,
    lang: str | None,
    comma: bool,
    output: str | None,
    force: bool,
) -> int:
    """Mark a student's numbers, and say where they went wrong, and why.

    ANSWERS is a sheet (lines ID = VALUE, CSV, YAML, Excel, or a filled-in Word worksheet), or - for standard input; several
    sheets or a folder give a class report. An answer is a number or a formula, working may stand before it. Exit code 1 says
    that something is wrong.

    Example: handcalc check mazur-2-2-2 --answer net.h1=0.3775
    """
    problem = load(file)
    translate = translator(choose(lang, problem.language))
    if decimals is not None and significant is not None:
        raise click.UsageError(translate("give --decimals or --significant, not both"))
    declared = None if decimals is None and significant is None else Rounding(decimals, None if decimals is not None else significant)
    wish = Wish(form, notation or "", comma, translate, output, force, (file, problem.path, *answers))
    if blank:
        return _blank(problem, wish)
    if not pairs and not answers:
        raise click.UsageError(translate("give a sheet of answers, --answer ID=VALUE, or --blank"))
    if pairs and answers:
        raise click.UsageError(translate("give a sheet of answers or --answer, not both"))
    if pairs or (len(answers) == 1 and not os.path.isdir(answers[0]) and form not in ("csv", "markdown")):
        return _one(problem, answers, pairs, declared, wish)
    return _class(problem, answers, declared, wish, jobs)


def _blank(problem: Problem, wish: Wish) -> int:
    from handcalc.marking.answers import Sheet
    from handcalc.marking.blank import blank_sheet
    from handcalc.marking.check import Checker

    form = "csv" if wish.form == "csv" or (wish.output or "").lower().endswith(".csv") else "text"
    dialect = PLAIN if wish.form == "plain" else UNICODE if wish.output else dialect_for(sys.stdout)
    sheet = blank_sheet(Checker(problem, wish.notation).desk_for(Sheet("", ())), form, wish.translate, dialect)
    mark = "\ufeff" if form == "csv" and wish.output and not sheet.isascii() else ""  # spreadsheets know UTF-8 by it
    wish.write(mark + sheet)
    return 0


def _one(problem: Problem, answers: tuple[str, ...], pairs: tuple[str, ...], declared: Rounding | None, wish: Wish) -> int:
    """One sheet: a report on every answer."""
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.check import Checker
    from handcalc.marking.report import all_right, as_json, report

    checker = Checker(problem, wish.notation, declared)
    sheet = from_arguments(pairs) if pairs else read_sheet(answers[0])
    marking = checker.mark(sheet)
    desk = checker.desk_for(sheet)
    code = 0 if all_right(marking, bool(problem.tasks)) else 1
    if wish.form == "json":
        from handcalc.render.formats.jsonform import dumps

        wish.write(dumps(as_json(marking)))
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
        rows = mark_sheets(problem, paths, notation=wish.notation, rounding=declared, jobs=jobs, progress=progress)
    derivation = Workbook(problem).derivation
    book = Gradebook(rows, derivation)
    _write_class(book, derivation, wish.replace(inputs=(*wish.inputs, *paths)))
    return 0 if book.all_right(bool(problem.tasks)) else 1


def _write_class(book: Gradebook, derivation: Derivation, wish: Wish) -> None:
    """The report on a class in the form that is wanted."""
    from handcalc.marking.classreport import as_csv, as_markdown, class_json, class_report

    if wish.form == "csv":
        return wish.write(as_csv(book, wish.comma))
    if wish.form == "json":
        from handcalc.render.formats.jsonform import dumps

        text = dumps(class_json(book))
        readable = text.replace("\n", "").isprintable() and (wish.output or fits(text, sys.stdout))
        return wish.write(text if readable else dumps(class_json(book), ascii=True))
    if wish.form == "markdown":
        reading = wish.reading(derivation, sys.stdout)
        return wish.write(as_markdown(class_report(book, reading), reading, wish.translate))
    wish.show(lambda reading: class_report(book, reading), derivation)
