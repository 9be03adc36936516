"""`%load_ext handcalc`, and then `%handcalc` and `%%handcalc`: a problem in a cell, solved and shown; why, check, train on it.

- `register(shell)` hands the magic to an IPython shell. `COMMANDS` is the table: word → its command; a cell without a word is solved.

Each command reads its own line as the command of that name does in a shell, and answers a `MagicAnswer`. To add one: a click command that
answers a `MagicAnswer`, and its line in `COMMANDS`. The last problem of a notebook is the one that is meant where none is named.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Container, Mapping
from typing import Any

import click

from handcalc.cli.help import Translated, speak
from handcalc.cli.options import Settings, detail_option, digits_options, document_options, reading_options, rounding_options
from handcalc.cli.output import say
from handcalc.cli.troubles import troubles
from handcalc.deriving import derive
from handcalc.errors import HandcalcError, Message
from handcalc.language import choose, translator
from handcalc.loading.loader import load, loads
from handcalc.marking.answers import from_arguments, read_sheet, sheet_in
from handcalc.marking.check import Checker
from handcalc.notebooks.bundles import explained, marked, solved, trained
from handcalc.notebooks.pageview import HEIGHT, page_bundle
from handcalc.problem.schema import Problem

NAME = "handcalc"
CELL = "cell"  # where a message says that something stands
MISSING = Message("there is no problem yet; begin with a cell %%handcalc that has one, or with %handcalc solve FILE")


class MagicAnswer:
    """What a magic answers: the value (a derivation, a marking, a training), and what a notebook shows of it, MIME type → content."""

    def __init__(self, value: Any, shown: Mapping[str, Any]) -> None:
        self.value = value
        self._shown = shown

    def _repr_mimebundle_(self, include: Container[str] | None = None, exclude: Container[str] | None = None) -> dict[str, Any]:
        return dict(self._shown)


class Session:
    """What a notebook has so far: its last problem. cell: the text of the cell that is being read, None in a line of its own."""

    def __init__(self) -> None:
        self.problem: Problem | None = None
        self.cell: str | None = None

    def read(self, file: str | None) -> Problem:
        """The problem in the cell, in a file, or the last one."""
        if self.cell is not None:
            self.problem = loads(self.cell, CELL, os.curdir)
        elif file is not None:
            self.problem = load(file)
        return self.last()

    def last(self) -> Problem:
        """The last problem. Raises HandcalcError where there is none."""
        if self.problem is None:
            raise HandcalcError(MISSING)
        return self.problem


def _session() -> Session:
    session: Session = click.get_current_context().obj
    return session


# --- commands -------------------------------------------------------------------------------------------------------------


@click.command(cls=Translated)
@click.argument("file", required=False)
@document_options
@click.option("--picture", is_flag=True, help="Draw the network, also on a terminal.")
@reading_options
@rounding_options
def solve(file: str | None, picture: bool, settings: Settings) -> MagicAnswer:
    """Solve the problem in this cell, or in FILE, and show it."""
    problem = _session().read(file)
    with troubles(problem, settings.notation):
        found = derive(problem, settings.rounding(problem), settings.iterations)
        given = not (settings.detail == "brief" or settings.no_given)
        style = settings.style().replace(numbers=False, pictures=picture, given=given)
        return MagicAnswer(found, solved(found, style, settings.language(problem.language)).bundle())


@click.command(cls=Translated)
@click.argument("step")
@detail_option
@reading_options
@rounding_options
def why(step: str, settings: Settings) -> MagicAnswer:
    """Explain one quantity of the last problem: everything it depends on."""
    problem = _session().last()
    with troubles(problem, settings.notation):
        found = derive(problem, settings.rounding(problem))
        return MagicAnswer(found, explained(found, step, settings.style(), settings.language(problem.language)).bundle())


@click.command(cls=Translated)
@click.argument("answers", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Show right answers as well.")
@digits_options("The sheet was worked with N decimal places.", "The sheet was worked with N significant digits.")
@reading_options
def check(answers: tuple[str, ...], everything: bool, settings: Settings) -> MagicAnswer:
    """Mark answers to the last problem: lines ID = VALUE in this cell, ID=VALUE in the line, or a file."""
    session = _session()
    problem = session.last()
    with troubles(problem, settings.notation):
        checker = Checker(problem, settings.notation, settings.digits())
        if session.cell is not None:
            sheet = sheet_in(session.cell.encode(), CELL)
            sheet = sheet.replace(name="" if sheet.name == CELL else sheet.name)
        elif len(answers) == 1 and "=" not in answers[0]:
            sheet = read_sheet(answers[0])
        else:
            sheet = from_arguments(answers)
        marking = checker.mark(sheet)
        desk = checker.desk_for(sheet)
        return MagicAnswer(marking, marked(marking, desk, everything, settings.style(), settings.language(problem.language)).bundle())


@click.command(cls=Translated)
@click.option("--iterations", type=click.IntRange(1), metavar="N", help="So many updates.")
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="So often through all samples.")
@reading_options
def train(iterations: int | None, epochs: int | None, settings: Settings) -> MagicAnswer:
    """Train the last problem, and show how it went."""
    from handcalc.training.train import train_on
    from handcalc.training.trainer import Trainer

    problem = _session().last()
    with troubles(problem, settings.notation):
        trainer = Trainer(problem)
        found = train_on(trainer, iterations, epochs)
        return MagicAnswer(found, trained(found, trainer, settings.style(), settings.language(problem.language)).bundle())


@click.command(cls=Translated)
@click.argument("file", required=False)
@click.option("--height", type=click.IntRange(100, 10_000), default=HEIGHT, metavar="PIXELS", help="How high the page is.")
@document_options
@reading_options
@rounding_options
def page(file: str | None, height: int, settings: Settings) -> MagicAnswer:
    """Show the page of the problem in this cell, in FILE, or of the last one, to go through."""
    problem = _session().read(file)
    with troubles(problem, settings.notation):
        found = derive(problem, settings.rounding(problem), settings.iterations)
        return MagicAnswer(found, page_bundle(found, settings.style(), settings.language(problem.language), height))


COMMANDS = {"solve": solve, "why": why, "check": check, "train": train, "page": page}
BRIEF = ("solve", "why", "check", "train")  # which show little where nothing else is asked for


# --- the magic ------------------------------------------------------------------------------------------------------------


def register(shell: Any) -> None:
    """Let an IPython shell know %handcalc and %%handcalc. What a cell does wrong is said in words, and nothing is raised."""
    session = Session()
    speak(choose())

    def handcalc(line: str, cell: str | None = None) -> MagicAnswer | None:
        session.cell = None if cell is None else "\n" + cell  # so that its lines have the numbers that a notebook shows
        return _in_words(lambda: _carried_out(session, line))

    handcalc.__doc__ = __doc__
    shell.register_magic_function(handcalc, "line_cell", NAME)


def _carried_out(session: Session, line: str) -> MagicAnswer | None:
    """What a line asks for."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    known = bool(words) and words[0] in COMMANDS
    name = words[0] if known else "solve"
    defaults = {"detail": "brief"} if name in BRIEF else {}
    found = COMMANDS[name].main(words[known:], f"%{NAME} {name}", standalone_mode=False, obj=session, default_map=defaults)
    return found if isinstance(found, MagicAnswer) else None  # help has been printed


def _in_words(work: Callable[[], MagicAnswer | None]) -> MagicAnswer | None:
    """What some work gives, or in words why it gives nothing."""
    try:
        return work()
    except click.ClickException as error:
        error.show()
    except HandcalcError as error:
        translate = translator(choose())
        for message in error.messages:
            say(message.text(translate), sys.stderr)
    return None
