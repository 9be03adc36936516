"""`handcalc export --framework`: a script that builds the network in a framework and asserts every number."""

from __future__ import annotations

from gettext import gettext

import click

from handcalc.cli.options import Settings
from handcalc.cli.output import write
from handcalc.loading.loader import load

ENDING = ".py"
NAMES = ("torch", "jax", "numpy", "keras", "sklearn")  # those of handcalc/bridges/confirming.py, which would load at every start


framework_option = click.option(
    "--framework", type=click.Choice(NAMES), help="For NAME.py: a script that builds the network there and asserts each number."
)


def write_scripts(files: tuple[str, ...], outputs: tuple[str, ...], framework: str, settings: Settings) -> int:
    """One problem, one script. Raises UsageError, ModelError."""
    from handcalc.bridges.confirming import confirmation

    if len(files) != 1 or len(outputs) != 1 or not outputs[0].endswith(ENDING):
        raise click.UsageError(gettext("--framework writes one script for one problem: give one FILE, and -o NAME.py"))
    problem = load(files[0])
    write(confirmation(problem, framework), outputs[0], settings.force, (files[0], problem.path))
    return 0
