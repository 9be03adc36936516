"""handcalc schema."""

from __future__ import annotations

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, language_option
from handcalc.layers.sections import json_schema
from handcalc.render.formats.jsonform import dumps


@click.command(cls=Translated)
@language_option("Language of the descriptions.")
def command(settings: Settings) -> None:
    """Print the JSON Schema of the problem format, for editors that check while you type.

    A problem whose first line is `# yaml-language-server: $schema=handcalc.schema.json` is completed and checked by editors with it.

    Example: handcalc schema > handcalc.schema.json
    """
    click.echo(dumps(json_schema(settings.translator())), nl=False)
