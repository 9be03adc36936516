"""handcalc derive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, format_option, output_options, reading_options
from handcalc.cli.output import Wish
from handcalc.deriving import derive
from handcalc.language import translator
from handcalc.loading.loader import load, shipped
from handcalc.stages import DERIVE, stage

if TYPE_CHECKING:
    from handcalc.language import Translate
    from handcalc.problem.schema import Problem

FORMATS = ("terminal", "plain", "markdown", "latex", "json")


@click.command(cls=Translated)
@click.argument("what")
@click.argument("step", required=False)
@click.option("--by", metavar="NAME", default="", help="Differentiate by this name, where there are several.")
@format_option(FORMATS)
@reading_options
@output_options
def command(what: str, step: str | None, by: str, settings: Settings) -> None:
    """Show why a derivative is what it is, line by line, each line checked by SymPy.

    WHAT is a function (sigmoid, softmax), a loss (cross_entropy, softmax_cross_entropy) or a formula, such as
    "z/(1+abs(z))". With a problem file as WHAT, and a STEP such as w5, its gradient is written as one expression of the given
    numbers.

    Example: handcalc derive sigmoid
    """
    wish = Wish(settings, settings.language()).in_format_of_output(FORMATS)
    if step is None:
        _proof(what, by, wish)
    elif by:
        raise click.UsageError(wish.translate("--by goes with a function or a formula; a step of a problem says what it is taken by"))
    else:
        problem = load(what)
        _closed(problem, step, Wish.of(wish.settings, problem, what))


def _proof(what: str, by: str, wish: Wish) -> None:
    """Why a derivative is what it is."""
    from handcalc.proof import prove
    from handcalc.proof.report import as_json, reading, report

    if what in shipped() or os.path.isfile(what):
        raise click.UsageError(wish.translate("name a step of the problem as well, such as w5"))
    with stage(DERIVE):
        proof = prove(what, by)
    wish.page(
        lambda dialect: reading(proof, wish.settings.notation, dialect, wish.settings.comma),
        lambda found: report(proof),
        lambda found: as_json(proof, found, _of_data(wish)),
    )


def _closed(problem: Problem, step: str, wish: Wish) -> None:
    """A step as one expression."""
    from handcalc.proof.closed import as_json, closed_form, report
    from handcalc.render import read

    derivation = derive(problem, wish.settings.rounding(problem).replace(carry=False))
    closed = closed_form(derivation, read(derivation, wish.settings.notation), step)
    wish.page(
        lambda dialect: read(derivation, wish.settings.notation, dialect, wish.settings.comma),
        lambda found: report(closed, found),
        lambda found: as_json(closed, found, _of_data(wish)),
    )


def _of_data(wish: Wish) -> Translate:
    """The language of the texts in JSON: English, unless another was asked for."""
    return translator(wish.settings.lang or "en")
