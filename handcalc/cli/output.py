"""What commands print or write: where it goes, in which letters, and never over a file unasked.

- `write(content, output, force, inputs)` writes to a file or to stdout, `save` what was exported with the files beside it.
- `Wish` is how a report is wanted and where it goes: `wish.show(blocks, derivation)`, `wish.write_json(data)`, `wish.page(…)`.
- `whole(page)`: what is printed on it meanwhile comes out in the end.
- `dialect_for(stream)`, `page_for(stream)`, `fits(text, stream)`: what a stream can show; `say(text)` is a line of it.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

from handcalc.cli.endings import format_of
from handcalc.cli.options import SCREEN, USUAL, Settings
from handcalc.cli.preferences import colours
from handcalc.core.record import Record
from handcalc.disk import writing
from handcalc.errors import Message, OutputError, printable
from handcalc.language import Translate, translator
from handcalc.render.dialects import PLAIN, UNICODE, Dialect, spelled_in_ascii
from handcalc.render.report import LONGEST_SUM
from handcalc.stages import PRINT, stage

if TYPE_CHECKING:
    from handcalc.core.derivation import Derivation
    from handcalc.problem.schema import Problem
    from handcalc.render.blocks import Block
    from handcalc.render.formats.textpage import TextPage
    from handcalc.render.reading import Reading
    from handcalc.render.report import Exported


def dialect_for(stream: IO[str]) -> Dialect:
    """Unicode where the stream can show it."""
    from handcalc.render.formats.textpage import has_unicode

    locale = next((value for name in ("LC_ALL", "LC_CTYPE", "LANG") if (value := os.environ.get(name))), "")
    ascii_terminal = locale in ("C", "POSIX") and stream.isatty()
    return UNICODE if has_unicode(stream) and not ascii_terminal else PLAIN


def page_for(stream: IO[str], plain: bool = False) -> TextPage:
    """The page a document is printed on; a terminal gets the width it has."""
    from handcalc.render.formats.terminal import page_on

    return page_on(stream, plain, colours())


@contextmanager
def whole(page: TextPage) -> Iterator[None]:
    """What is printed on a page meanwhile comes out in the end, or, where something goes wrong, not at all."""
    from handcalc.render.formats.styled import Letters

    target, kept = page.file, Letters(page.encoding)
    page.file = kept
    try:
        with stage(PRINT):
            yield
    finally:
        page.file = target
    target.write(kept.getvalue())


def write(content: str | bytes | Iterable[str], output: str | None, force: bool, inputs: tuple[str, ...] = ()) -> None:
    """To a file, as disk/writing.py has it; else to stdout."""
    if output is not None:
        writing.write(content, output, force, inputs)
        if sys.stderr is not None and sys.stderr.isatty():
            from gettext import gettext

            say(gettext("written: {file}").format(file=printable(output)), sys.stderr)
    elif isinstance(content, str):
        sys.stdout.write(content)
    elif not isinstance(content, bytes):
        with writing.spooled(content) as pieces:
            sys.stdout.writelines(pieces)
    elif sys.stdout.isatty():
        raise OutputError(Message("this format is nothing for a terminal; give a file with -o"))
    else:
        sys.stdout.buffer.write(content)


def save(exported: Exported, output: str | None, force: bool, inputs: tuple[str, ...]) -> None:
    """What was exported, and the files beside it; nothing is written if one of them may not be."""
    files = {output: exported.content}
    if output is not None:
        folder = os.path.dirname(output)
        files |= {os.path.join(folder, name): content for name, content in exported.beside.items()}
        for name in files:
            writing.check_target(str(name), force, inputs)
    for name, content in files.items():
        write(content, name, force, inputs)


class Wish(Record):
    """How a report is wanted: what the options say, the language, and the files that are read."""

    settings: Settings
    language: str
    inputs: tuple[str, ...] = ()

    @classmethod
    def of(cls, settings: Settings, problem: Problem, *inputs: str) -> Wish:
        """The wish for a report on a problem that was read from the first of these files."""
        return cls(settings, settings.language(problem.language), (inputs[0], problem.path, *inputs[1:]))

    @property
    def translate(self) -> Translate:
        """The function that translates into the language. The catalogue is loaded when it is first asked for."""
        return translator(self.language)

    def write(self, content: str | bytes | Iterable[str], target: str | None = None) -> None:
        """To a file; to the output that was asked for, if none is named."""
        write(content, target or self.settings.output, self.settings.force, self.inputs)

    def in_format_of_output(self, formats: Sequence[str]) -> Wish:
        """The same with the format, of these, that the ending of the output stands for. Raises OutputError where it is another one's."""
        settings = self.settings
        format = format_of(settings.output, formats, None if settings.format == USUAL else settings.format, USUAL)
        return self.replace(settings=settings.replace(format=format))

    def check(self, target: str) -> None:
        """Whether a file may be written. Raises OutputError."""
        writing.check_target(target, self.settings.force, self.inputs)

    def write_pieces(self, pieces: Iterable[str]) -> None:
        """JSON that may be too long to be kept, whole or not at all; pieces of it are escaped where the output has other letters only."""
        from handcalc.disk.jsontext import in_ascii

        with stage(PRINT):
            self.write(pieces if self.settings.output else (piece if fits(piece, sys.stdout) else in_ascii(piece) for piece in pieces))

    def write_json(self, data: dict[str, Any]) -> None:
        """Data as JSON, escaped where the output has other letters only."""
        from handcalc.disk.jsontext import in_ascii
        from handcalc.render.formats.jsonform import dumps

        with stage(PRINT):
            text = dumps(data)
        self.write(text if self.settings.output or fits(text, sys.stdout) else in_ascii(text))

    def dialect(self) -> Dialect:
        """The spelling of formulas in text, as the output can show it."""
        if self.settings.plain:
            return PLAIN
        return UNICODE if self.settings.output else dialect_for(sys.stdout)

    def reading(self, derivation: Derivation) -> Reading:
        """The derivation in the notation, spelled as the output can show it."""
        from handcalc.render import read

        return read(derivation, self.settings.notation, self.dialect(), self.settings.comma, LONGEST_SUM)

    def page(
        self,
        read: Callable[[Dialect], Reading],
        blocks: Callable[[Reading], Iterable[Block]],
        data: Callable[[Reading], dict[str, Any]] | None = None,
    ) -> None:
        """A page of its own in the form that is wanted; read: in a dialect; data: as JSON, where that is one of the formats."""
        from handcalc.render.report import Page, Report, Style, dialect_of, written

        format = self.settings.format
        if format == "json" and data is not None:
            self.write_json(data(read(PLAIN)))
        elif format in SCREEN:
            reading = read(self.dialect())
            self._show(blocks(reading), reading)
        else:
            reading = read(dialect_of(format))
            page = Page(reading, blocks(reading), Style(comma=self.settings.comma))
            self.write(written(Report((page,), self.translate, self.language), format).content)

    def show(self, blocks: Callable[[Reading], Iterable[Block]], derivation: Derivation) -> None:
        """Blocks as a terminal shows them, there or in the file."""
        reading = self.reading(derivation)
        self._show(blocks(reading), reading)

    def _show(self, blocks: Iterable[Block], reading: Reading) -> None:
        from handcalc.render.formats.terminal import show

        stream = io.StringIO() if self.settings.output else sys.stdout
        page = page_for(stream, self.settings.plain)
        with whole(page):
            show(blocks, reading, self.translate, page)
        if isinstance(stream, io.StringIO):
            self.write(stream.getvalue())


def fits(text: str, stream: IO[str]) -> bool:
    """Whether a stream's encoding has every letter of a text."""
    try:
        text.isascii() or text.encode(getattr(stream, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def say(text: str, stream: IO[str] | None = None) -> None:
    """A line of text, spelled in ASCII where the stream has no other letters (click would write UTF-8 to it)."""
    target = stream or sys.stdout
    target.write((text if fits(text, target) else spelled_in_ascii(text)) + "\n")
