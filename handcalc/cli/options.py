"""Options that several commands share. Each group is a decorator; what they say reaches the command as one record, `settings`.

- `document_options`, `reading_options`, `rounding_options`, `digits_options(…)`, `output_options`, `force_option`, `format_option(…)`.
- `Settings` has what they said, and what follows from it: `settings.rounding(problem)`, `settings.translator(…)`, `settings.style()`.
- `gathered(name, record, *options)` makes such a decorator; a command with many options of its own has records of its own.

A new shared option is a field of `Settings` and a line in a group.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from gettext import gettext
from typing import Any

import click

from handcalc.core.order import PHASES
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Template
from handcalc.language import LANGUAGES, Translate, choose, translator
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.schema import Problem
from handcalc.problem.spellings import PHASE_WORDS, WORDS, Spellings, meanings
from handcalc.render.options import DETAILS, FORMS
from handcalc.render.report import Style
from handcalc.render.views import VIEWS

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]

USUAL = "terminal"  # the format where none was chosen
SCREEN = (USUAL, "plain")  # formats that are shown as a terminal shows them


class SpelledChoice(click.Choice):  # type: ignore[type-arg]  # generic in new versions of click only
    """One of some words, in any spelling."""

    def __init__(self, words: Iterable[str], spellings: Spellings = WORDS) -> None:
        super().__init__([*words])
        self._spellings = spellings

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        found = meanings(str(value), self.choices, self._spellings)
        return super().convert(found[0] if len(found) == 1 else value, param, ctx)


class Phase(click.ParamType):  # type: ignore[type-arg]  # generic in new versions of click only
    """A phase in any spelling, or whatever else is typed."""

    name = "phase"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        found = meanings(str(value), PHASES, PHASE_WORDS)
        return found[0] if len(found) == 1 else str(value)


class Settings(Record):
    """What the shared options of a command say; those that it has not, or that were not given, are as they stand here."""

    only: tuple[str, ...] = ()
    detail: str = "normal"
    form: str = "scalar"
    view: str = "key"
    no_given: bool = False
    answers: bool = False
    ids: bool = False
    fences: bool = False
    prose: bool | None = None
    iterations: int = 1
    notation: str = ""
    lang: str | None = None
    comma: bool = False
    decimals: int | None = None
    significant: int | None = None
    carry: bool = False
    format: str = USUAL
    output: str | None = None
    force: bool = False

    @property
    def plain(self) -> bool:
        """Whether only ASCII is wanted."""
        return self.format == "plain"

    def digits(self) -> Rounding | None:
        """So many digits as were asked for; None if they were not. Raises UsageError."""
        if self.decimals is not None and self.significant is not None:
            typed = [name for name in ("decimals", "significant") if _is_typed(name)]
            if len(typed) == 1:  # the other is what is wanted where nothing is said
                return Rounding(self.decimals, None) if typed == ["decimals"] else Rounding(None, self.significant)
            raise click.UsageError(gettext("give --decimals or --significant, not both"))
        return None if self.decimals is None and self.significant is None else Rounding(self.decimals, self.significant)

    def rounding(self, problem: Problem) -> Rounding:
        """The problem's rounding, changed by the command line."""
        rounding = problem.rounding or Rounding()
        digits = self.digits()
        if digits:
            rounding = rounding.replace(decimals=digits.decimals, significant=digits.significant, overrides=())
        return rounding.replace(carry=True) if self.carry else rounding

    def language(self, *languages: str | None) -> str:
        """The language asked for, else the first of these, else the locale's."""
        return choose(self.lang, *languages)

    def translator(self, *languages: str | None) -> Translate:
        """The function that translates into the language."""
        return translator(self.language(*languages))

    def style(self) -> Style:
        """How a solution is wanted."""
        results = "ids" if self.ids else "values" if self.answers else ""
        style = Style(self.notation, self.comma, self.detail, self.form, self.only, self.view)
        return style.replace(given=not self.no_given, results=results, fences=self.fences, prose=self.prose)


def _is_typed(option: str) -> bool:
    """Whether an option stands on the command line, and is no preference."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE


class FileName(click.ParamType):  # type: ignore[type-arg]
    """The name of a file, completed by the shell. (click.Path would load the catalogue of texts at every start.)"""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


def gathered(name: str, record: type[Record], *options: Decorator) -> Decorator:
    """A decorator for these options: what they say reaches the command as a record under a name.

    Several decorators with one name make one record. An option that is not given leaves the field as the record has it.
    """

    def decorate(function: Command) -> Command:
        @wraps(function)
        def command(**given: Any) -> Any:
            said = {field: given.pop(field) for field in fields}
            changes = {field: value for field, value in said.items() if value is not None}
            given[name] = given[name].replace(**changes) if name in given else record(**changes)
            return function(**given)

        for option in reversed(options):
            option(command)
        parameters: list[click.Parameter] = command.__click_params__  # type: ignore[attr-defined]
        fields = [str(parameter.name) for parameter in parameters[-len(options) :]]
        return command

    return decorate


def settings_from(*options: Decorator) -> Decorator:
    """A decorator for options that are fields of `Settings`."""
    return gathered("settings", Settings, *options)


_detail = click.option(
    "--detail",
    type=click.Choice(list(DETAILS)),
    default="normal",
    help="How much is worked out line by line.",
    show_default=True,
)
_force = click.option("--force", is_flag=True, help="Overwrite an existing file.")

document_options = settings_from(
    click.option(
        "--only",
        multiple=True,
        metavar="PHASE|ID",
        type=Phase(),
        help="Only these phases (given, forward, error, backward, update) or steps, such as grad.w5 or 'grad.*'; may be repeated.",
    ),
    _detail,
    click.option(
        "--form",
        type=click.Choice(FORMS),
        default="scalar",
        help="Scalar formulas, matrices, or both.",
        show_default=True,
    ),
    click.option(
        "--view",
        type=click.Choice(list(VIEWS)),
        default="key",
        help="The worked solution, a worksheet with blanks (with formulas, if wanted), or a cloze with gaps.",
        show_default=True,
    ),
    click.option("--no-given", is_flag=True, help="Leave out the given data and conventions."),
    click.option("--answers", is_flag=True, help="Only the results, in short tables."),
    click.option("--ids", is_flag=True, help="The same with the ids of the steps, as --only and sheets take them."),
    click.option(
        "--prose/--no-prose",
        default=None,
        help="Sentences between the lines: where it goes next, why a gradient is 0, small or huge. Documents to print have them.",
    ),
    click.option("--fences", is_flag=True, help="In Markdown, equations in ```math blocks, which GitHub reads best."),
    click.option("--iterations", type=click.IntRange(1, 1000), default=1, metavar="N", help="So many updates, one after the other."),
)

detail_option = settings_from(_detail)

reading_options = settings_from(
    click.option(
        "--notation",
        type=SpelledChoice(NOTATION_NAMES),
        metavar="NAME",
        envvar="HANDCALC_NOTATION",
        help="Notation of a textbook (see: handcalc list notations).",
    ),
    click.option("--lang", type=SpelledChoice(LANGUAGES), envvar="HANDCALC_LANG", help="Language of the report."),
    click.option("--decimal-comma", "comma", is_flag=True, help="Write 0,5 instead of 0.5."),
)


def language_option(help: Template = "Language of the report.") -> Decorator:
    """--lang, with its help."""
    return settings_from(click.option("--lang", type=SpelledChoice(LANGUAGES), envvar="HANDCALC_LANG", help=help))


def digits_options(decimals: Template = "Show N decimal places.", significant: Template = "Show N significant digits.") -> Decorator:
    """--decimals, --significant, with their help."""
    return settings_from(
        click.option("--decimals", type=click.IntRange(0, 15), metavar="N", envvar="HANDCALC_DECIMALS", help=decimals),
        click.option("--significant", type=click.IntRange(1, 17), metavar="N", help=significant),
    )


def rounding_options(function: Command) -> Command:
    """--decimals, --significant, --carry."""
    carry = click.option("--carry", is_flag=True, help="Round each result before it is used again, as on paper.")
    return digits_options()(settings_from(carry)(function))


force_option = settings_from(_force)
output_options = settings_from(click.option("-o", "--output", type=FileName(), help="Write to a file."), _force)


def format_option(formats: Iterable[str]) -> Decorator:
    """--format, one of these."""
    return settings_from(
        click.option("--format", type=click.Choice(list(formats)), default=USUAL, help="Output format.", show_default=True)
    )
