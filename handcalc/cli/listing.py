"""handcalc list."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from handcalc.cli.help import Translated
from handcalc.cli.options import Settings, language_option
from handcalc.cli.output import say
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.disk.reading import our_text
from handcalc.errors import Template
from handcalc.language import Translate, translator

WHAT: tuple[Template, ...] = ("problems", "notations", "activations", "functions", "losses", "conventions", "mistakes", "commands")
LONGER = ("functions", "mistakes", "commands")  # only if asked for


@click.command(name="list", cls=Translated)
@click.argument("what", type=click.Choice(WHAT), required=False, metavar="[WHAT]")
@language_option()
def command(what: str | None, settings: Settings) -> None:
    """List shipped problems, notations, activations, functions, losses, conventions, mistakes or commands.

    Example: handcalc list problems
    """
    language = settings.language()
    translate = translator(language)
    for kind in WHAT:
        if what != kind and (what or kind in LONGER):
            continue
        if not what:
            say("\n" + translate("{what}:").format(what=translate(kind)))
        rows = list(_rows(kind, language, translate))
        width = max(len(name) for name, _ in rows) + 2
        for name, text in rows:
            say(f"  {name:<{width}}{text}")
    sys.stdout.flush()


def _rows(what: str, language: str, translate: Translate) -> Iterator[tuple[str, str]]:
    from handcalc.loading.loader import shipped, title_in
    from handcalc.problem.fields import SECTIONS
    from handcalc.problem.values import words
    from handcalc.problem.words import LOSSES

    if what == "problems":
        yield from ((name, title_in(our_text(str(path)), language)) for name, path in shipped().items())
    elif what == "notations":
        from handcalc.render.notation import profile, profiles

        yield from ((name, profile(name)["title_zh" if language == "zh" else "title"]) for name in profiles())
    elif what in ("activations", "functions"):
        names = ACTIVATIONS if what == "activations" else tuple(FUNCTIONS)
        yield from ((name, translate(FUNCTIONS[name].doc)) for name in names)
    elif what == "losses":
        for name, loss in LOSSES.items():
            terms = translate(", mean over the outputs") if loss.mean else translate(", summed over the outputs")
            terms += translate(", mean over tokens, times or places") if loss.placewise else ""
            yield name, loss.usual + terms if loss.formula else translate(loss.title)
    elif what == "conventions":
        for key in SECTIONS["conventions"]:
            values = " | ".join(words(key.shape) or ("true", "false"))
            yield key.key, translate("{meaning} ({values})").format(meaning=translate(key.doc), values=values)
    elif what == "mistakes":
        from handcalc.marking.mistakes import MISTAKES

        yield from ((slug, translate(mistake.name)) for slug, mistake in MISTAKES.items())
    else:
        from handcalc.cli import COMMANDS

        yield from ((name, translate(text)) for name, (_, text) in COMMANDS.items())
