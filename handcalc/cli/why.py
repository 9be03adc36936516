"""handcalc why."""

from __future__ import annotations

import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import chosen_rounding, console_for, dialect_for, reading_options, rounding_options
from handcalc.deriving import derive
from handcalc.language import choose, translator
from handcalc.loading.loader import load
from handcalc.render.options import DETAILS


@click.command(cls=Translated)
@click.argument("file")
@click.argument("step")
@click.option(
    "--detail",
    type=click.Choice(list(DETAILS)),
    default="normal",
    help="How much is worked out line by line.",
    show_default=True,
)
@reading_options
@rounding_options
def command(
    file: str,
    step: str,
    detail: str,
    notation: str | None,
    lang: str | None,
    comma: bool,
    decimals: int | None,
    significant: int | None,
    carry: bool,
) -> None:
    """Explain one quantity: everything it depends on, path by path.

    STEP is an id (grad.w5, net.h1, new.b1), a symbol of the notation (δ_o1, dE/dw5, w5+), or a parameter, whose
    gradient and update are explained.

    Example: handcalc why mazur-2-2-2 grad.w1
    """
    from handcalc.render import read
    from handcalc.render.formats.terminal import show
    from handcalc.render.report import LONGEST_SUM
    from handcalc.render.why import explanation

    problem = load(file)
    iteration = 1
    head = step[1:].split(":", 1)[0] if step.startswith("#") else ""
    if head.isascii() and head.isdigit() and len(head) < 7:
        iteration = max(int(head), 1)
    derivation = derive(problem, chosen_rounding(problem, decimals, significant, carry), iteration)
    reading = read(derivation, notation or "", dialect_for(sys.stdout), comma, 0 if detail == "full" else LONGEST_SUM)
    wanted, number = reading.find(step)
    translate = translator(choose(lang, problem.language))
    show(explanation(derivation, reading, wanted, number, detail), reading, translate, console_for(sys.stdout))
