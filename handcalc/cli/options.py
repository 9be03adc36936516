"""Options that several commands share, and what follows from them."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable
from gettext import gettext
from typing import IO, TYPE_CHECKING, Any, TypeVar

import click

from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, OutputError
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.schema import Problem
from handcalc.render.dialects import PLAIN, UNICODE, Dialect, spelled_in_ascii
from handcalc.render.options import DETAILS, FORMS
from handcalc.render.report import LONGEST_SUM
from handcalc.render.views import VIEWS

if TYPE_CHECKING:
    from rich.console import Console

    from handcalc.core.derivation import Derivation
    from handcalc.language import Translate
    from handcalc.render.blocks import Block
    from handcalc.render.reading import Reading
    from handcalc.render.report import Exported

Function = TypeVar("Function", bound=Callable[..., Any])


class FileName(click.ParamType):  # type: ignore[type-arg]
    """The name of a file, completed by the shell. (click.Path would load the catalogue of texts at every start.)"""

    name = "path"

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        from click.shell_completion import CompletionItem

        return [CompletionItem(incomplete, type="file")]


def rounding_options(function: Function) -> Function:
    """--decimals, --significant, --carry."""
    for option in (
        click.option("--carry", is_flag=True, help="Round each result before it is used again, as on paper."),
        click.option("--significant", type=click.IntRange(1, 17), metavar="N", help="Show N significant digits."),
        click.option("--decimals", type=click.IntRange(0, 15), metavar="N", help="Show N decimal places."),
    ):
        function = option(function)
    return function


def document_options(function: Function) -> Function:
    """--only, --detail, --form, --view, --iterations."""
    for option in (
        click.option("--iterations", type=click.IntRange(1, 1000), default=1, metavar="N", help="So many updates, one after the other."),
        click.option(
            "--view",
            type=click.Choice(list(VIEWS)),
            default="key",
            help="The worked solution, a worksheet with blanks (with formulas, if wanted), or a cloze with gaps.",
            show_default=True,
        ),
        click.option(
            "--form",
            type=click.Choice(FORMS),
            default="scalar",
            help="Scalar formulas, matrices, or both.",
            show_default=True,
        ),
        click.option(
            "--detail",
            type=click.Choice(list(DETAILS)),
            default="normal",
            help="How much is worked out line by line.",
            show_default=True,
        ),
        click.option(
            "--only",
            multiple=True,
            metavar="PHASE|ID",
            help="Only these phases (given, forward, error, backward, update) or steps, such as grad.w5; may be repeated.",
        ),
    ):
        function = option(function)
    return function


def reading_options(function: Function) -> Function:
    """--notation, --lang, --decimal-comma."""
    for option in (
        click.option("--decimal-comma", "comma", is_flag=True, help="Write 0,5 instead of 0.5."),
        click.option("--lang", type=click.Choice(["en", "zh"]), help="Language of the report."),
        click.option(
            "--notation", type=click.Choice(NOTATION_NAMES), metavar="NAME", help="Notation of a textbook (see: handcalc list notations)."
        ),
    ):
        function = option(function)
    return function


def output_options(function: Function) -> Function:
    """-o, --force."""
    for option in (
        click.option("--force", is_flag=True, help="Overwrite an existing file."),
        click.option("-o", "--output", type=FileName(), help="Write to a file."),
    ):
        function = option(function)
    return function


def chosen_rounding(problem: Problem, decimals: int | None, significant: int | None, carry: bool) -> Rounding:
    """The problem's rounding, changed by the command line."""
    if decimals is not None and significant is not None:
        raise click.UsageError(gettext("give --decimals or --significant, not both"))
    rounding = problem.rounding or Rounding()
    if decimals is not None:
        rounding = rounding.replace(decimals=decimals, significant=None, overrides=())
    if significant is not None:
        rounding = rounding.replace(decimals=None, significant=significant, overrides=())
    return rounding.replace(carry=True) if carry else rounding


def dialect_for(stream: IO[str]) -> Dialect:
    """Unicode where the stream can show it."""
    from handcalc.render.formats.terminal import has_unicode

    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    ascii_terminal = locale in ("C", "POSIX") and stream.isatty()
    return UNICODE if has_unicode(stream) and not ascii_terminal else PLAIN


def console_for(stream: IO[str], plain: bool = False) -> Console:
    """The console a document is printed on; a terminal gets the width it has."""
    from handcalc.render.formats.terminal import terminal_console

    return terminal_console(stream, plain)


def write(content: str | bytes, output: str | None, force: bool, inputs: tuple[str, ...] = ()) -> None:
    """To a file, whole or not at all, never over an input and over another file only with --force; else to stdout."""
    if output is None:
        if isinstance(content, str):
            sys.stdout.write(content)
        elif sys.stdout.isatty():
            raise OutputError(Message("this format is nothing for a terminal; give a file with -o"))
        else:
            sys.stdout.buffer.write(content)
        return
    import tempfile

    check_target(output, force, inputs)
    where = f"{output}: "
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(output) or os.curdir, prefix=".handcalc-")
    except OSError as error:
        raise OutputError(Message("cannot be written: {reason}", where, reason=error.strerror or str(error))) from None
    try:
        with open(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, output)
    except OSError as error:
        os.unlink(temporary)
        raise OutputError(Message("cannot be written: {reason}", where, reason=error.strerror or str(error))) from None


def check_target(output: str, force: bool, inputs: tuple[str, ...]) -> None:
    """Whether a file may be written. Raises OutputError."""
    where = f"{output}: "
    exists = os.path.exists(output)
    if exists and any(os.path.exists(source) and os.path.samefile(source, output) for source in inputs):
        raise OutputError(Message("this is the file that is read; give another name", where))
    if os.path.isdir(output):
        raise OutputError(Message("this is a folder; give a file", where))
    if exists and not force:
        raise OutputError(Message("the file exists; use --force to overwrite it", where))


def save(exported: Exported, output: str | None, force: bool, inputs: tuple[str, ...]) -> None:
    """What was exported, and the files beside it; nothing is written if one of them may not be."""
    files = {output: exported.content}
    if output is not None:
        folder = os.path.dirname(output)
        files |= {os.path.join(folder, name): content for name, content in exported.beside.items()}
        for name in files:
            check_target(str(name), force, inputs)
    for name, content in files.items():
        write(content, name, force, inputs)


class Wish(Record):
    """How a report is wanted: form, notation, decimal comma, language, and where it goes."""

    form: str
    notation: str
    comma: bool
    translate: Translate
    output: str | None
    force: bool
    inputs: tuple[str, ...]

    def write(self, text: str | bytes) -> None:
        """A text to the file that was named, or to standard output."""
        write(text, self.output, self.force, self.inputs)

    def reading(self, derivation: Derivation, stream: IO[str]) -> Reading:
        """The derivation in the notation, spelled as the output can show it."""
        from handcalc.render import read

        dialect = PLAIN if self.form == "plain" else UNICODE if self.output else dialect_for(stream)
        return read(derivation, self.notation, dialect, self.comma, LONGEST_SUM)

    def page(
        self, read: Callable[[Dialect], Reading], blocks: Callable[[Reading], Iterable[Block]], data: Callable[[Reading], dict[str, Any]]
    ) -> None:
        """A page of its own in the form that is wanted; read: in a dialect; data: as JSON."""
        from handcalc.render.formats.terminal import show
        from handcalc.render.report import Page, Report, Style, dialect_of, written

        stream = io.StringIO() if self.output else sys.stdout
        if self.form == "json":
            from handcalc.render.formats.jsonform import dumps

            found = data(read(PLAIN))
            self.write(dumps(found, ascii=not self.output and not fits(dumps(found), sys.stdout)))
        elif self.form in ("terminal", "plain"):
            reading = read(PLAIN if self.form == "plain" else UNICODE if self.output else dialect_for(stream))
            show(blocks(reading), reading, self.translate, console_for(stream, self.form == "plain"))
            if isinstance(stream, io.StringIO):
                self.write(stream.getvalue())
        else:
            reading = read(dialect_of(self.form))
            page = Page(reading, blocks(reading), Style(comma=self.comma))
            self.write(written(Report((page,), self.translate), self.form).content)

    def show(self, blocks: Callable[[Reading], Iterable[Block]], derivation: Derivation) -> None:
        """Blocks as a terminal shows them, there or in the file."""
        from handcalc.render.formats.terminal import show

        stream = io.StringIO() if self.output else sys.stdout
        reading = self.reading(derivation, stream)
        show(blocks(reading), reading, self.translate, console_for(stream, self.form == "plain"))
        if isinstance(stream, io.StringIO):
            self.write(stream.getvalue())


def fits(text: str, stream: IO[str]) -> bool:
    """Whether a stream's encoding has every letter of a text."""
    try:
        text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str, stream: IO[str] | None = None) -> None:
    """A line of text, spelled in ASCII where the stream has no other letters (click would write UTF-8 to it)."""
    target = stream or sys.stdout
    target.write((text if fits(text, target) else spelled_in_ascii(text)) + "\n")


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current
