"""handcalc why."""

from __future__ import annotations

import sys

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, detail_option, reading_options, rounding_options
from handcalc.cli.output import dialect_for, page_for, whole
from handcalc.cli.troubles import troubles
from handcalc.core.derivation import Derivation
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.problem.schema import Problem


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
    problem = load(file)
    iteration = 1
    head = step[1:].split(":", 1)[0] if step.startswith("#") else ""
    if head.isascii() and head.isdigit() and len(head) < 7:
        iteration = max(int(head), 1)
    with troubles(problem, settings.notation):
        derivation = derive(problem, settings.rounding(problem), iteration)
        _explain(derivation, step, problem, settings)


def _explain(derivation: Derivation, step: str, problem: Problem, settings: Settings) -> None:
    """Print the explanation of a step, whole or not at all."""
    from handcalc.render import read
    from handcalc.render.formats.terminal import show
    from handcalc.render.report import LONGEST_SUM
    from handcalc.render.why import explanation

    reading = read(derivation, settings.notation, dialect_for(sys.stdout), settings.comma, 0 if settings.detail == "full" else LONGEST_SUM)
    wanted, number = reading.find(step)
    blocks = explanation(derivation, reading, wanted, number, settings.detail)
    page = page_for(sys.stdout)
    with whole(page):
        show(blocks, reading, settings.translator(problem.language), page)
