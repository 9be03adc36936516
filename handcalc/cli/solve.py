"""handcalc solve."""

from __future__ import annotations

import os
import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import SCREEN, Settings, document_options, format_option, output_options, reading_options, rounding_options
from handcalc.cli.output import Wish, page_for, save, whole
from handcalc.cli.troubles import troubles
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem
from handcalc.render.report import FORMATS, Chapter, export, reported


@click.command(cls=Translated)
@click.argument("file")
@document_options
@format_option(FORMATS)
@click.option("--picture", is_flag=True, help="Draw the network, also on a terminal.")
@reading_options
@rounding_options
@output_options
def command(file: str, picture: bool, settings: Settings) -> None:
    """Print the complete worked solution of a problem.

    FILE is a problem file, - for standard input, or the name of a shipped problem (handcalc list problems).

    Example: handcalc solve mazur-2-2-2 --decimals 4 --only backward
    """
    problem = load(file)
    with troubles(problem, settings.notation):
        _solve(file, problem, picture, settings)


def _solve(file: str, problem: Problem, picture: bool, settings: Settings) -> None:
    wish = Wish.of(settings, problem, file).in_format_of_output([*FORMATS])
    settings = wish.settings
    derivation = derive(problem, settings.rounding(problem), settings.iterations)
    screen = settings.format in SCREEN
    style = settings.style().replace(numbers=not screen or settings.view != "key", pictures=not screen or picture)
    if screen and not settings.output:
        from handcalc.render.formats.terminal import show

        chapter = Chapter(derivation, wish.dialect(), style)
        page = page_for(sys.stdout, settings.plain)
        with whole(page):  # a step without a value is no half page
            show(chapter.blocks(), chapter.reading, wish.translate, page)
        return
    if settings.format == "json":
        from handcalc.render.formats.jsonform import pieces

        wish.write_pieces(pieces(reported((derivation,), settings.format, style)))
        return
    name = os.path.splitext(os.path.basename(settings.output))[0] if settings.output else ""
    save(export((derivation,), settings.format, style, wish.language, name), settings.output, settings.force, wish.inputs)
