"""handcalc why."""

from __future__ import annotations

import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, detail_option, reading_options, rounding_options
from handcalc.cli.output import console_for, dialect_for
from handcalc.deriving import derive
from handcalc.loading.loader import load


@click.command(cls=Translated)
@click.argument("file")
@click.argument("step")
@detail_option
@reading_options
@rounding_options
def command(file: str, step: str, settings: Settings) -> None:
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
    derivation = derive(problem, settings.rounding(problem), iteration)
    reading = read(derivation, settings.notation, dialect_for(sys.stdout), settings.comma, 0 if settings.detail == "full" else LONGEST_SUM)
    wanted, number = reading.find(step)
    blocks = explanation(derivation, reading, wanted, number, settings.detail)
    show(blocks, reading, settings.translator(problem.language), console_for(sys.stdout))
