"""handcalc gradcheck."""

from __future__ import annotations

import math
import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Wish, chosen_rounding, fits, output_options, reading_options
from handcalc.cli.pictures import HERE, check_pictures, draw
from handcalc.cli.progress import progress_bar
from handcalc.language import choose, translator
from handcalc.loading.loader import load

FORMATS = ("terminal", "plain", "json")


@click.command(cls=Translated)
@click.argument("file")
@click.option("--h", "h", type=float, default=1e-4, metavar="H", help="How far a parameter is moved.", show_default=True)
@click.option("--only", multiple=True, metavar="ID", help="Only these: parameters, or anything with a gradient; may be repeated.")
@click.option("--inputs", is_flag=True, help="The gradients by the inputs as well.")
@click.option("--rows", type=click.IntRange(0), default=40, metavar="N", help="So many of each matrix at most; 0: all.", show_default=True)
@click.option("--sweep", is_flag=False, flag_value="", metavar="[ID]", help="The error of one gradient for many h.")
@click.option("--tangent", "tangents", multiple=True, metavar="ID", help="The tangent line along this number; may be repeated.")
@click.option("--plot", type=FileName(), help="Draw the error of --sweep, or the function and its --tangent, as a picture (.svg, .png).")
@click.option("--decimals", type=click.IntRange(0, 15), metavar="N", help="Show N decimal places.")
@click.option("--significant", type=click.IntRange(1, 17), metavar="N", help="Show N significant digits.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@reading_options
@output_options
def command(
    file: str,
    h: float,
    only: tuple[str, ...],
    inputs: bool,
    rows: int,
    sweep: str | None,
    tangents: tuple[str, ...],
    plot: str | None,
    decimals: int | None,
    significant: int | None,
    form: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    output: str | None,
    force: bool,
) -> int:
    """Check the chain rule: every gradient beside numerical differentiation.

    Each parameter is moved a little and the loss is worked out again. Exit code 1 says that some gradient is not the
    derivative.

    Example: handcalc gradcheck mazur-2-2-2 --sweep w5
    """
    from handcalc.training.gradcheck import plots as gradplots
    from handcalc.training.gradcheck.comparing import Differentiation, Tangent
    from handcalc.training.gradcheck.report import as_json, report

    problem = load(file)
    translate = translator(choose(lang, problem.language))
    if not 0 < h < math.inf:
        raise click.UsageError(translate("--h must be a positive number"))
    wish = Wish(form, notation or "", comma, translate, output, force, (file, problem.path))
    if plot:
        if (sweep is not None) + len(tangents) != 1:
            raise click.UsageError(translate("--plot draws one picture: give --sweep or one --tangent"))
        check_pictures((plot,), wish)
    study = Differentiation(problem, chosen_rounding(problem, decimals, significant, False))
    asked = (*only, *((sweep,) if sweep else ()), *tangents)
    gradients, omitted = study.gradients(asked, inputs, rows, notation or "")
    with progress_bar(len(gradients), translate("Checking")) as progress:
        checked = study.check(gradients, h, omitted, progress)
    wanted = [study.find(text, notation or "") for text in tangents]
    lines = [Tangent(row, study.along(row.gradient)) for row in checked.rows if row.gradient in wanted]
    swept = study.sweep(study.find(sweep, notation or "") if sweep else gradients[0]) if sweep is not None and gradients else None
    if plot and plot != HERE and (swept or lines):
        one = swept
        draw(
            lambda reading: gradplots.errors(one, h, reading) if one else gradplots.tangent(lines[0], reading), plot, study.derivation, wish
        )
    if form == "json":
        from handcalc.render.formats.jsonform import dumps, in_ascii

        text = dumps(as_json(checked, wish.reading(study.derivation, sys.stdout), swept, lines))
        wish.write(text if output or fits(text, sys.stdout) else in_ascii(text))
    else:
        wish.show(lambda reading: report(checked, reading, swept, lines), study.derivation)
    return 0 if checked.ok else 1
