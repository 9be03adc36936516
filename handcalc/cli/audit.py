"""handcalc audit."""

from __future__ import annotations

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, format_option, output_options, reading_options
from handcalc.cli.output import Wish
from handcalc.cli.troubles import troubles
from handcalc.loading.loader import STDIN, load
from handcalc.problem.schema import Problem
from handcalc.stages import MARK, stage

FORMATS = ("terminal", "plain", "json")
FINE = ("exact", "rounded", "carried", "truncated")


@click.command(cls=Translated)
@click.argument("file")
@click.argument("published", type=FileName(), required=False)
@click.option("--number", "pairs", multiple=True, metavar="ID=VALUE", help="A printed number on the command line; may be repeated.")
@format_option(FORMATS)
@reading_options
@output_options
def command(file: str, published: str | None, pairs: tuple[str, ...], settings: Settings) -> int:
    """Say which printed numbers of a published solution hold, and where the others come from.

    PUBLISHED lists the numbers as a sheet of answers does: YAML (published: {id: value}), CSV, or lines ID = VALUE; - is
    standard input. Exit code 1 says that some number is neither right nor rounded.

    A trace of a framework's step of training (JSON, see docs/frameworks.md) is put beside the hand calculation in the same way.

    Example: handcalc audit mazur-2-2-2 --number out.h1=0.593269992
    """
    from handcalc.marking.answers import from_arguments, read_sheet
    from handcalc.marking.audit import audit
    from handcalc.marking.auditreport import as_json, report

    problem = load(file)
    text = _trace(published)
    if text is not None:
        return _audit_trace(problem, text, published or "", Wish.of(settings, problem, file, published or "").in_format_of_output(FORMATS))
    with troubles(problem, settings.notation):
        wish = Wish.of(settings, problem, file, published or "").in_format_of_output(FORMATS)
        settings = wish.settings
        if bool(published) == bool(pairs):
            raise click.UsageError(wish.translate("give a list of printed numbers, or --number ID=VALUE"))
        sheet = from_arguments(pairs) if pairs else read_sheet(published or "", repeats=True)
        with stage(MARK):
            found = audit(problem, sheet, settings.notation)
        code = 0 if all(number.status in FINE for number in found.numbers) else 1
        if settings.format == "json":
            wish.write_json(as_json(found))
            return code
        from handcalc.deriving import derive

        wish.show(lambda reading: report(problem, found, reading), derive(problem))
        return code


def _trace(published: str | None) -> str | None:
    """The text of a trace of a step of training; None where the file is none."""
    if not published or published == STDIN or not published.endswith(".json"):
        return None
    from handcalc.bridges.trace import is_trace
    from handcalc.problem.files import read_bytes

    text = read_bytes(published, "model_bytes")
    return text if is_trace(text) else None


def _audit_trace(problem: Problem, text: str, name: str, wish: Wish) -> int:
    """A framework's step beside the hand calculation."""
    from handcalc.bridges.comparing import as_json, blocks, compare_trace
    from handcalc.bridges.trace import read_trace
    from handcalc.deriving import derive

    with troubles(problem, wish.settings.notation):
        found = compare_trace(problem, read_trace(text, name))
        if wish.settings.format == "json":
            wish.write_json(as_json(found))
        else:
            wish.show(lambda reading: blocks(problem, found), derive(problem))
    return 0 if found.ok else 1
