"""handcalc audit."""

from __future__ import annotations

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Wish, output_options, reading_options
from handcalc.language import choose, translator
from handcalc.loading.loader import load

FORMATS = ("terminal", "plain", "json")
FINE = ("exact", "rounded", "carried", "truncated")


@click.command(cls=Translated)
@click.argument("file")
@click.argument("published", type=FileName(), required=False)
@click.option("--number", "pairs", multiple=True, metavar="ID=VALUE", help="A printed number on the command line; may be repeated.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@reading_options
@output_options
def command(
    file: str,
    published: str | None,
    pairs: tuple[str, ...],
    form: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    output: str | None,
    force: bool,
) -> int:
    """Say which printed numbers of a published solution hold, and where the others come from.

    PUBLISHED lists the numbers as a sheet of answers does: YAML (published: {id: value}), CSV, or lines ID = VALUE; - is
    standard input. Exit code 1 says that some number is neither right nor rounded.

    Example: handcalc audit mazur-2-2-2 --number out.h1=0.593269992
    """
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.audit import audit
    from handcalc.marking.auditreport import as_json, report

    problem = load(file)
    translate = translator(choose(lang, problem.language))
    if bool(published) == bool(pairs):
        raise click.UsageError(translate("give a list of printed numbers, or --number ID=VALUE"))
    found = audit(problem, from_arguments(pairs) if pairs else read_sheet(published or "", repeats=True), notation or "")
    code = 0 if all(number.status in FINE for number in found.numbers) else 1
    wish = Wish(form, notation or "", comma, translate, output, force, (file, problem.path, published or ""))
    if form == "json":
        from handcalc.render.formats.jsonform import dumps

        wish.write(dumps(as_json(found)))
        return code
    from handcalc.deriving import derive

    wish.show(lambda reading: report(problem, found, reading), derive(problem))
    return code
