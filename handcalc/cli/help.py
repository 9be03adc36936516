"""Help and errors of the command line in the reader's language. Nothing is translated before it is asked for.

- `speak(language)` makes gettext.gettext, which click uses for its own texts, answer in a language.
- `Translated` is the class of every command.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Iterable, Mapping
from io import StringIO
from typing import Any

import click

from handcalc.language import CATALOGUES, FOLDER, wrapped

# marks of click's own sentences, which it puts together itself → what they are between Chinese words
_MARKS = (("。 ", "。"), ("', '", "”、“"), ("'.", "'。"))


def speak(language: str) -> None:
    """Let everything that click prints be in a language."""
    gettext.bindtextdomain("handcalc", FOLDER)
    gettext.textdomain("handcalc" if language in CATALOGUES else "messages")
    os.environ["LANGUAGE"] = CATALOGUES.get(language, language)


def show(error: click.ClickException) -> None:
    """An error of a command line as click shows it, in the punctuation of the language."""
    text = StringIO()
    error.show(text)
    click.echo(_punctuated(text.getvalue()), nl=False, err=True)


def _punctuated(text: str) -> str:
    """Sentences with Chinese marks, if they are Chinese."""
    if not re.search("[\u4e00-\u9fff]", text):
        return text
    for english, chinese in _MARKS:
        text = text.replace(english, chinese)
    return re.sub(r"'([^']*)'", r"“\1”", text)


class Formatter(click.HelpFormatter):
    """Breaks lines by columns, where click counts characters."""

    def write_heading(self, heading: str) -> None:
        self.write(" " * self.current_indent + gettext.gettext("{heading}:").format(heading=heading) + "\n")

    def write_text(self, text: str) -> None:
        super().write_text("\n\n".join(_broken(part, self.width - self.current_indent) for part in text.split("\n\n")))

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        rows = list(rows)
        width = self.width - min(max(len(name) for name, _ in rows), col_max) - col_spacing - 2
        super().write_dl([(name, _broken(text, width)) for name, text in rows], col_max, col_spacing)


def _broken(text: str, width: int) -> str:
    return "\n".join(("\b", *wrapped(text, width)))


def _metavars() -> dict[str, str]:
    """What click writes of options and commands in a line of usage → the same in the language."""
    return {"[OPTIONS]": gettext.gettext("[OPTIONS]"), "[COMMAND] [ARGS]...": gettext.gettext("[COMMAND] [ARGS]...")}


class HelpOption(click.Option):
    """-h, --help: click's own asks gettext for its text at every start."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        self.help = gettext.gettext("Show this message and exit.")
        return super().get_help_record(ctx)


def _show_help(ctx: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(ctx.get_help(), color=ctx.color)
        ctx.exit()


class Translated(click.Command):
    """A command whose description and options are translated when help is asked for; values: what its description has places for."""

    def __init__(self, *arguments: Any, values: Mapping[str, str] | None = None, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.values = values

    def get_usage(self, ctx: click.Context) -> str:
        ctx.formatter_class = Formatter
        return super().get_usage(ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        pieces = super().collect_usage_pieces(ctx)
        return [_metavars().get(piece, piece) for piece in pieces]

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        names = self.get_help_option_names(ctx)
        return HelpOption([*names], is_flag=True, is_eager=True, expose_value=False, callback=_show_help) if names else None

    def get_help(self, ctx: click.Context) -> str:
        from copy import copy
        from inspect import cleandoc

        ctx.formatter_class = Formatter
        twin = copy(self)
        description = self.help or self._kept()
        if description:
            paragraphs = (" ".join(part.split("\n")) for part in cleandoc(description).split("\n\n"))
            twin.help = "\n\n".join(map(gettext.gettext, paragraphs))
            twin.help = twin.help.format(**self.values) if self.values else twin.help
        twin.params = [copy(parameter) for parameter in self.params]
        for option in twin.params:
            if isinstance(option, click.Option) and option.help:
                option.help = gettext.gettext(option.help)
        return super(Translated, twin).get_help(ctx)

    def _kept(self) -> str:
        """The description as it stands in the file, where Python was started without the texts of functions (-OO)."""
        import ast
        from inspect import unwrap

        from handcalc.disk.reading import our_text

        if self.callback is None:
            return ""
        code = unwrap(self.callback).__code__
        found = (node for node in ast.walk(ast.parse(our_text(code.co_filename))) if isinstance(node, ast.FunctionDef))
        return next((ast.get_docstring(node) or "" for node in found if node.name == code.co_name), "")
