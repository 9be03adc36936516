"""handcalc solve."""

from __future__ import annotations

import os
import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import (
    chosen_rounding,
    console_for,
    dialect_for,
    document_options,
    fits,
    output_options,
    reading_options,
    rounding_options,
    save,
)
from handcalc.deriving import derive
from handcalc.language import choose, translator
from handcalc.loading.loader import load
from handcalc.render.report import FORMATS, Chapter, Style, export


@click.command(cls=Translated)
@click.argument("file")
@document_options
@click.option("--format", "form_of_output", type=click.Choice(list(FORMATS)), default="terminal", help="Output format.", show_default=True)
@click.option("--picture", is_flag=True, help="Draw the network, also on a terminal.")
@reading_options
@rounding_options
@output_options
def command(
    file: str,
    only: tuple[str, ...],
    detail: str,
    form: str,
    iterations: int,
    view: str,
    form_of_output: str,
    picture: bool,
    notation: str | None,
    lang: str | None,
    comma: bool,
    decimals: int | None,
    significant: int | None,
    carry: bool,
    output: str | None,
    force: bool,
) -> None:
    """Print the complete worked solution of a problem.

    FILE is a problem file, or the name of a shipped problem (handcalc list problems).

    Example: handcalc solve mazur-2-2-2 --decimals 4 --only backward
    """
    problem = load(file)
    derivation = derive(problem, chosen_rounding(problem, decimals, significant, carry), iterations)
    language = choose(lang, problem.language)
    screen = form_of_output in ("terminal", "plain")
    style = Style(notation or "", comma, detail, form, only, view, not screen or view != "key", not screen or picture)
    if not screen or output:
        name = os.path.splitext(os.path.basename(output))[0] if output else ""
        exported = export((derivation,), form_of_output, style, language, name)
        if isinstance(exported.content, str) and form_of_output == "json" and not output and not fits(exported.content, sys.stdout):
            from handcalc.render.formats.jsonform import in_ascii

            exported = exported.replace(content=in_ascii(exported.content))
        save(exported, output, force, (file, problem.path))
        return
    from handcalc.render.dialects import PLAIN
    from handcalc.render.formats.terminal import show

    chapter = Chapter(derivation, PLAIN if form_of_output == "plain" else dialect_for(sys.stdout), style)
    show(chapter.blocks(), chapter.reading, translator(language), console_for(sys.stdout, form_of_output == "plain"))
