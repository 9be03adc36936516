"""handcalc derive."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Wish, chosen_rounding, output_options, reading_options
from handcalc.deriving import derive
from handcalc.language import choose, translator
from handcalc.loading.loader import load, shipped

if TYPE_CHECKING:
    from handcalc.language import Translate
    from handcalc.problem.schema import Problem

FORMATS = ("terminal", "plain", "markdown", "latex", "json")


@click.command(cls=Translated)
@click.argument("what")
@click.argument("step", required=False)
@click.option("--by", metavar="NAME", default="", help="Differentiate by this name, where there are several.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="terminal", help="Output format.", show_default=True)
@reading_options
@output_options
def command(
    what: str,
    step: str | None,
    by: str,
    form: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    output: str | None,
    force: bool,
) -> None:
    """Show why a derivative is what it is, line by line, each line checked by SymPy.

    WHAT is a function (sigmoid, softmax), a loss (cross_entropy, softmax_cross_entropy) or a formula, such as
    "z/(1+abs(z))". With a problem file as WHAT, and a STEP such as w5, its gradient is written as one expression of the given
    numbers.

    Example: handcalc derive sigmoid
    """
    translate = translator(choose(lang))
    if step is None:
        _proof(what, by, Wish(form, notation or "", comma, translate, output, force, ()), translator(lang or "en"))
    elif by:
        raise click.UsageError(translate("--by goes with a function or a formula; a step of a problem says what it is taken by"))
    else:
        problem = load(what)
        translate = translator(choose(lang, problem.language))
        wish = Wish(form, notation or "", comma, translate, output, force, (what, problem.path))
        _closed(problem, step, wish, translator(lang or "en"))


def _proof(what: str, by: str, wish: Wish, translate: Translate) -> None:
    """Why a derivative is what it is; translate: of the JSON."""
    from handcalc.proof import prove
    from handcalc.proof.report import as_json, reading, report

    if what in shipped() or os.path.isfile(what):
        raise click.UsageError(wish.translate("name a step of the problem as well, such as w5"))
    proof = prove(what, by)
    wish.page(
        lambda dialect: reading(proof, wish.notation, dialect, wish.comma),
        lambda found: report(proof),
        lambda found: as_json(proof, found, translate),
    )


def _closed(problem: Problem, step: str, wish: Wish, translate: Translate) -> None:
    """A step as one expression."""
    from handcalc.proof.closed import as_json, closed_form, report
    from handcalc.render import read

    derivation = derive(problem, chosen_rounding(problem, None, None, False).replace(carry=False))
    closed = closed_form(derivation, read(derivation, wish.notation), step)
    wish.page(
        lambda dialect: read(derivation, wish.notation, dialect, wish.comma),
        lambda found: report(closed, found),
        lambda found: as_json(closed, found, translate),
    )
