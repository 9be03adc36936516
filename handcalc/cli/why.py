"""handcalc why."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, detail_option, format_option, output_options, reading_options, rounding_options
from handcalc.cli.output import Wish
from handcalc.cli.troubles import troubles
from handcalc.core.derivation import Derivation
from handcalc.deriving import derive
from handcalc.loading.loader import load

if TYPE_CHECKING:
    from handcalc.render.blocks import Block
    from handcalc.render.reading import Reading

FORMATS = ("terminal", "plain", "markdown", "latex", "html", "pdf", "typst", "word")


@click.command(cls=Translated)
@click.argument("file")
@click.argument("step")
@detail_option
@format_option(FORMATS)
@reading_options
@rounding_options
@output_options
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
        wish = Wish.of(settings, problem, file).in_format_of_output(FORMATS)
        derivation = derive(problem, settings.rounding(problem), iteration)
        _explain(derivation, step, wish)


def _explain(derivation: Derivation, step: str, wish: Wish) -> None:
    """Print the explanation of a step, whole or not at all."""
    from handcalc.render import read
    from handcalc.render.report import LONGEST_SUM
    from handcalc.render.why import explanation

    settings = wish.settings
    longest = 0 if settings.detail == "full" else LONGEST_SUM

    def blocks(reading: Reading) -> Iterable[Block]:
        wanted, number = reading.find(step)
        return explanation(derivation, reading, wanted, number, settings.detail)

    wish.page(lambda dialect: read(derivation, settings.notation, dialect, settings.comma, longest), blocks)
