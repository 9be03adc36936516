"""The command line: thin commands that load, derive, call one consumer and print.

`COMMANDS` lists them, in the order of the help; each is imported when it is called. Errors of users become messages
and exit codes here and nowhere else: 0 all right, 1 wrong answers found, 2 bad command line or bad file, 3 internal
error.
"""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from gettext import gettext
from importlib import import_module
from typing import Any

import click

from handcalc import __version__
from handcalc.cli.help import Translated, show, speak
from handcalc.cli.preferences import COLOURS, origin, preferences, want_colours
from handcalc.disk.reading import inside_only, remembering, stay_inside
from handcalc.errors import HandcalcError, Message, Template
from handcalc.language import LANGUAGES, choose, translator
from handcalc.problem.limits import check_limits
from handcalc.stages import watching

# name → (module, one line of help)
COMMANDS: dict[str, tuple[str, Template]] = {
    "solve": ("handcalc.cli.solve", "Print the complete worked solution of a problem."),
    "why": ("handcalc.cli.why", "Explain one quantity: everything it depends on."),
    "export": ("handcalc.cli.export", "Write worked solutions and worksheets to files: HTML, PDF, Word and others."),
    "check": ("handcalc.cli.check", "Mark a student's numbers: which are right, which are wrong, and why."),
    "audit": ("handcalc.cli.audit", "Say which printed numbers of a published solution hold, and why not."),
    "lint": ("handcalc.cli.lint", "Say whether an exercise is sound, and what it would not show."),
    "generate": ("handcalc.cli.generate", "Set an exercise with other numbers: sheets, keys, a manifest."),
    "practice": ("handcalc.cli.practice", "Practise an exercise step by step, with hints."),
    "train": ("handcalc.cli.train", "Train a network: many updates, the loss, and what it answers."),
    "gradcheck": ("handcalc.cli.gradcheck", "Check the chain rule: every gradient beside numerical differentiation."),
    "derive": ("handcalc.cli.derive", "Show why a derivative is what it is, line by line."),
    "import": ("handcalc.cli.importing", "Make a problem of a trained network: safetensors, ONNX, Keras, scikit-learn, NPZ."),
    "new": ("handcalc.cli.new", "Write a new problem file to start from."),
    "site": ("handcalc.cli.site", "Write a web site that runs handcalc in the browser, with nothing installed."),
    "list": ("handcalc.cli.listing", "List shipped problems, notations, functions and conventions."),
    "schema": ("handcalc.cli.schema", "Print the JSON Schema of the problem format."),
}

HELP = "help"
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

WELCOME: Template = """\
handcalc works out neural-network exercises step by step, as on paper.

  handcalc solve mazur-2-2-2          a complete worked solution (shipped with handcalc)
  handcalc list problems              more exercises to try
  handcalc new my.yaml --layers 2-3-2 write a problem file, then: handcalc solve my.yaml
  handcalc why mazur-2-2-2 w5         where one number comes from
  handcalc export my.yaml -o my.html  a report: {endings}
  handcalc check my.yaml --blank      an answer sheet; filled in: handcalc check my.yaml sheet.txt
  handcalc --help                     all commands
"""

NO_ANSWER: Template = "the input ended before this was answered, so nothing is written; options answer too, see --help"

INTERACTIVE = ("practice",)
WITHOUT_FILES = ("site", "list", "schema", "new")  # commands that read no problem file of a user


SAFE: Template = "Read no files outside the folder of the problem, whatever it names."


def _safe() -> click.Option:
    """The option of all commands that read files which a file names."""

    def decide(context: click.Context, option: click.Parameter, wanted: bool) -> None:
        if wanted:
            stay_inside(True)

    return click.Option(["--safe"], is_flag=True, is_eager=True, expose_value=False, callback=decide, help=SAFE)


COLOR: Template = "Colours: always, never, or where there is a terminal."


def _color() -> click.Option:
    """The option of all commands that says when there are colours."""

    def decide(context: click.Context, option: click.Parameter, word: str) -> None:
        want_colours(word)

    choice = click.Choice(COLOURS)
    return click.Option(["--color"], type=choice, default="auto", is_eager=True, expose_value=False, callback=decide, help=COLOR)


PAGER: Template = "Show it page by page, as $PAGER or less does."


def _pager() -> click.Option:
    """The option of commands that print something long."""

    def decide(context: click.Context, option: click.Parameter, wanted: bool) -> None:
        if wanted and not context.resilient_parsing:
            from handcalc.cli.pager import paged

            context.with_resource(paged())

    return click.Option(["--pager"], is_flag=True, expose_value=False, callback=decide, help=PAGER)


TIMES: Template = "Say on standard error how long reading, working out and writing took."


def _times() -> click.Option:
    """The option of commands that work something out."""

    def decide(context: click.Context, option: click.Parameter, wanted: bool) -> None:
        if wanted:
            from handcalc.cli.output import say
            from handcalc.cli.waiting import Times

            times = Times()
            context.with_resource(watching(times))
            context.call_on_close(lambda: say("\n".join(times.lines()), sys.stderr))

    return click.Option(["--times"], is_flag=True, is_eager=True, expose_value=False, callback=decide, help=TIMES)


def _ticking() -> AbstractContextManager[None]:
    """Meanwhile a terminal is told where a long command is."""
    if sys.stderr is None or not sys.stderr.isatty():
        return nullcontext()
    from handcalc.cli.waiting import Ticker

    return watching(Ticker(sys.stderr, translator(choose())))


class Commands(Translated, click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[cmd_name][0]).command
        if cmd_name not in WITHOUT_FILES and all(option.name != "safe" for option in command.params):
            command.params += [_safe(), _times()]
        if all(option.name != "color" for option in command.params):
            command.params.append(_color())
        if cmd_name not in INTERACTIVE and all(option.name != "pager" for option in command.params):
            command.params.append(_pager())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section(gettext("Commands")):
            formatter.write_dl([(name, gettext(text)) for name, (_, text) in COMMANDS.items()])

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] == HELP:  # handcalc help solve
            args = [*args[1:2], "--help"]
            if len(args) == 1:
                click.echo(ctx.get_help())
                ctx.exit()
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from handcalc.problem.reader import near, quoted

            ctx.fail(Message("there is no command {found}{near}", found=quoted(args[0]), near=near(args[0], COMMANDS)).text(gettext))
        return super().resolve_command(ctx, args)


@click.group(cls=Commands, invoke_without_command=True, context_settings=CONTEXT)
@click.version_option(
    __version__, "-V", "--version", prog_name="handcalc", message="%(prog)s %(version)s", help="Show the version and exit."
)
@click.pass_context
def group(context: click.Context) -> None:
    """Neural-network arithmetic worked out as on paper.

    Example: handcalc solve mazur-2-2-2

    Shell completion: see docs/cli.md, or run  _HANDCALC_COMPLETE=bash_source handcalc
    """
    check_limits()
    context.with_resource(remembering())
    context.with_resource(_ticking())
    context.default_map = dict.fromkeys(COMMANDS, preferences())
    context.with_resource(inside_only(_is_safe()))
    if context.invoked_subcommand is None:
        from handcalc.render.report import endings

        click.echo(translator(choose())(WELCOME).format(endings=endings(6)), nl=False)


def run(interrupted: Any) -> None:
    """The console script: like `main`, but the process ends at once instead of taking every module apart again,
    which costs as long as solving a small problem. interrupted: what is to handle Ctrl-C from now on."""
    import signal

    from handcalc.cli.streams import settle

    code: Any = 130
    try:
        settle()
        signal.signal(signal.SIGINT, interrupted)
        main()
    except SystemExit as exit:
        code = exit.code
        if "coverage" in sys.modules or not isinstance(code, int):
            raise
        sys.stderr.flush()
    except KeyboardInterrupt:
        pass
    os._exit(code)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    arguments = sys.argv[1:] if arguments is None else arguments
    code: Any = 0
    try:
        speak(choose(_language(arguments)))
        code = group.main(arguments, prog_name="handcalc", standalone_mode=False)
        sys.stdout.flush()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        click.echo(err=True)
        code = 130
        if isinstance(error.__context__, EOFError):  # a question of click without an answer, not Ctrl-C
            translate = translator(choose(_language(arguments)))
            click.echo(translate(NO_ANSWER), err=True)
            code = 2
    except click.ClickException as error:
        show(error)
        if origin(error):
            note = Message("This value is from {place}.", place=origin(error))
            click.echo(note.text(translator(choose(_language(arguments)))), err=True)
        code = 2
    except HandcalcError as error:
        from handcalc.cli.output import say

        translate = translator(choose(_language(arguments)))
        for message in error.messages:
            say(message.text(translate), sys.stderr)
        code = error.exit_code
    except OSError as error:  # of the system, not of the program
        from handcalc.cli.output import say
        from handcalc.cli.streams import silence, trouble

        silence(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            say(trouble(error).text(translator(choose(_language(arguments)))), sys.stderr)
            code = 2
    except SystemExit as exit:  # click's own end where nobody reads on; that is no failure, and commands never exit themselves
        code = 0 if exit.code == 1 and "_HANDCALC_COMPLETE" not in os.environ else exit.code
    except ModuleNotFoundError as error:
        from handcalc.cli.output import say

        message = Message("this needs {library}, which is not installed here", library=error.name or "")
        say(message.text(translator(choose(_language(arguments)))), sys.stderr)
        code = 2
    except Exception as error:
        if os.environ.get("HANDCALC_DEBUG"):
            raise
        translate = translator(choose(_language(arguments)))
        text = "internal error ({kind}: {reason}); please report it. HANDCALC_DEBUG=1 shows where it happened."
        click.echo(translate(text).format(kind=type(error).__name__, reason=str(error)[:200]), err=True)
        code = 3
    sys.exit(code if isinstance(code, int) else 0)


def _is_safe() -> bool:
    """Whether the environment wants what --safe says."""
    return os.environ.get("HANDCALC_SAFE", "") not in ("", "0")


def _language(arguments: list[str]) -> str | None:
    """--lang of a command line that could not be carried out, in any spelling; else what is always wanted."""
    for place, argument in enumerate(arguments):
        if argument == "--lang" and place + 1 < len(arguments):
            return _word(arguments[place + 1])
        if argument.startswith("--lang="):
            return _word(argument.removeprefix("--lang="))
    if os.environ.get("HANDCALC_LANG"):
        return _word(os.environ["HANDCALC_LANG"])
    try:
        wanted = preferences().get("lang")
    except (HandcalcError, OSError):  # told when the command begins
        wanted = None
    return _word(wanted) if isinstance(wanted, str) else None


def _word(language: str) -> str:
    if language in LANGUAGES:
        return language
    from handcalc.problem.spellings import WORDS, meanings

    return next(iter(meanings(language, LANGUAGES, WORDS)), language)
