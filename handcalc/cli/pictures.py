"""Pictures that commands draw: files of SVG or PNG, or letters in the report.

- `check_pictures(targets, wish)` says before the work is done whether they can be drawn.
- `draw(plot, target, derivation, wish)` writes one to its file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import click

from handcalc.cli.options import SCREEN
from handcalc.cli.output import Wish
from handcalc.errors import Message, OutputError

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.render.plot.model import Plot
    from handcalc.render.reading import Reading

HERE = "-"  # a target that is no file: in letters, in the report


def check_pictures(targets: Sequence[str], wish: Wish) -> None:
    """Whether pictures can be drawn there. Raises OutputError, or UsageError where letters would stand among data."""
    from handcalc.render.plot import check_picture

    for target in targets:
        if target == HERE and wish.settings.format not in SCREEN:
            raise click.UsageError(wish.translate("- draws in letters, for --format terminal or plain; give a file"))
        if target != HERE:
            check_picture(target)
            wish.check(target)
            if targets.count(target) > 1:
                raise OutputError(Message("two pictures cannot be one file", f"{target}: "))


def draw(plot: Callable[[Reading], Plot], target: str, derivation: Derivation, wish: Wish) -> None:
    """Write a plot to its file. Raises OutputError."""
    from handcalc.render import read
    from handcalc.render.plot import picture

    reading = read(derivation, wish.settings.notation, comma=wish.settings.comma)
    wish.write(picture(plot(reading), target, reading, wish.translate), target)
