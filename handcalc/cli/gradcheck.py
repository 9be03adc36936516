"""handcalc gradcheck."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Settings, digits_options, format_option, gathered, output_options, reading_options
from handcalc.cli.output import Wish
from handcalc.cli.pictures import HERE, check_pictures, draw
from handcalc.cli.progress import progress_bar
from handcalc.cli.troubles import troubles
from handcalc.core.record import Record
from handcalc.loading.loader import load

if TYPE_CHECKING:
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading

FORMATS = ("terminal", "plain", "json")


class Curves(Record):
    """What is looked at beside the gradients: the error of one ("": the first) for many h, tangent lines, a picture of one of these."""

    sweep: str | None = None
    tangents: tuple[str, ...] = ()
    plot: str | None = None


@click.command(cls=Translated)
@click.argument("file")
@click.option("--h", "h", type=float, default=1e-4, metavar="H", help="How far a parameter is moved.", show_default=True)
@click.option("--only", multiple=True, metavar="ID", help="Only these: parameters, or anything with a gradient; may be repeated.")
@click.option("--inputs", is_flag=True, help="The gradients by the inputs as well.")
@click.option("--rows", type=click.IntRange(0), default=40, metavar="N", help="So many of each matrix at most; 0: all.", show_default=True)
@gathered(
    "curves",
    Curves,
    click.option("--sweep", is_flag=False, flag_value="", metavar="[ID]", help="The error of one gradient for many h."),
    click.option("--tangent", "tangents", multiple=True, metavar="ID", help="The tangent line along this number; may be repeated."),
    click.option(
        "--plot", type=FileName(), help="Draw the error of --sweep, or the function and its --tangent, as a picture (.svg, .png)."
    ),
)
@digits_options()
@format_option(FORMATS)
@reading_options
@output_options
def command(file: str, h: float, only: tuple[str, ...], inputs: bool, rows: int, curves: Curves, settings: Settings) -> int:
    """Check the chain rule: every gradient beside numerical differentiation.

    Each parameter is moved a little and the loss is worked out again. Exit code 1 says that some gradient is not the
    derivative.

    Example: handcalc gradcheck mazur-2-2-2 --sweep w5
    """
    from handcalc.training.gradcheck import plots
    from handcalc.training.gradcheck.comparing import Differentiation, Tangent
    from handcalc.training.gradcheck.report import as_json, report

    problem = load(file)
    with troubles(problem, settings.notation):
        wish = Wish.of(settings, problem, file).in_format_of_output(FORMATS)
        settings = wish.settings
        sweep, tangents = curves.sweep, curves.tangents
        if not 0 < h < math.inf:
            raise click.UsageError(wish.translate("--h must be a positive number"))
        if curves.plot:
            if (sweep is not None) + len(tangents) != 1:
                raise click.UsageError(wish.translate("--plot draws one picture: give --sweep or one --tangent"))
            check_pictures((curves.plot,), wish)
        study = Differentiation(problem, settings.rounding(problem))
        asked = (*only, *((sweep,) if sweep else ()), *tangents)
        gradients, omitted = study.gradients(asked, inputs, rows, settings.notation)
        with progress_bar(len(gradients), wish.translate("Checking")) as progress:
            checked = study.check(gradients, h, omitted, progress)
        wanted = [study.find(text, settings.notation) for text in tangents]
        lines = [Tangent(row, study.along(row.gradient)) for row in checked.rows if row.gradient in wanted]
        swept = study.sweep(study.find(sweep, settings.notation) if sweep else gradients[0]) if sweep is not None and gradients else None

        def picture(reading: Reading) -> Plot:
            return plots.errors(swept, h, reading) if swept else plots.tangent(lines[0], reading)

        if curves.plot and curves.plot != HERE and (swept or lines):
            draw(picture, curves.plot, study.derivation, wish)
        if settings.format == "json":
            wish.write_json(as_json(checked, wish.reading(study.derivation), swept, lines))
        else:
            wish.show(lambda reading: report(checked, reading, swept, lines), study.derivation)
        return 0 if checked.ok else 1
