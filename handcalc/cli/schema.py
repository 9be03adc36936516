"""handcalc schema."""

from __future__ import annotations

import click

from handcalc.cli.help import Translated
from handcalc.layers.sections import json_schema
from handcalc.render.formats.jsonform import dumps


@click.command(cls=Translated)
def command() -> None:
    """Print the JSON Schema of the problem format, for editors that check while you type.

    Example: handcalc schema > handcalc.schema.json
    """
    click.echo(dumps(json_schema()), nl=False)
