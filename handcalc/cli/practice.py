"""handcalc practice."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from handcalc.cli.generate import new_seed
from handcalc.cli.help import Translated
from handcalc.cli.options import FileName, Phase, Settings, gathered, reading_options
from handcalc.cli.output import Wish, page_for, say
from handcalc.cli.troubles import troubles
from handcalc.core.record import Record
from handcalc.disk.jsontext import json_text
from handcalc.disk.writing import appending
from handcalc.errors import OutputError

if TYPE_CHECKING:
    from handcalc.exercises.boxes import Boxes
    from handcalc.exercises.practice import Practice
    from handcalc.exercises.practiceround import Log, PracticeRound
    from handcalc.render.blocks import Block
    from handcalc.render.reading import Reading

USUAL = "mazur-2-2-2"  # the exercise of who names none
MOST_HINTS = 5
LINE_LIMIT = 10_000  # bytes of a line that are read
PROMPT = "> "


class PracticeChoices(Record):
    """What is practised, and where it is noted."""

    only: tuple[str, ...] = ()
    focus: str = ""
    seed: str | None = None
    hints: int = MOST_HINTS
    log: str | None = None
    no_state: bool = False


@click.command(cls=Translated)
@click.argument("file", required=False, type=FileName())
@gathered(
    "choices",
    PracticeChoices,
    click.option("--only", multiple=True, metavar="PHASE|ID", type=Phase(), help="Only these phases or steps; may be repeated."),
    click.option("--focus", metavar="MISTAKE|KIND", help="Numbers in which a mistake shows, or only steps of a kind, such as grad.net."),
    click.option("--seed", metavar="TEXT", help="Any text; the same gives the same numbers. A new one, if not given, is printed."),
    click.option("--hints", type=click.IntRange(0, MOST_HINTS), metavar="N", help="The last hint there is: 0 for none, 5 is the value."),
    click.option("--log", type=FileName(), metavar="FILE", help="Append a line of JSON for each try."),
    click.option("--no-state", is_flag=True, help="Neither read nor keep how well things are known."),
)
@reading_options
def command(file: str | None, choices: PracticeChoices, settings: Settings) -> int:
    """Practise an exercise step by step, with hints.

    FILE is a problem file, the name of a shipped problem, or a template, which has new numbers each round. Type a number or a formula;
    ? gives a hint. After a mistake the next round has numbers in which the same mistake shows. Exit code 1 says that a step was skipped,
    or its value shown.

    Example: handcalc practice mazur-2-2-2 --only forward
    """
    from handcalc.exercises.boxes import Boxes, state_path
    from handcalc.exercises.numbers import ExerciseTemplate
    from handcalc.exercises.practice import Practice, PracticeWishes, due

    boxes = Boxes(None if choices.no_state else state_path())
    template = ExerciseTemplate(file if file is not None else USUAL, settings.notation)
    with troubles(template.problem, settings.notation):
        wishes = PracticeWishes(choices.only, choices.focus, choices.hints)
        if file is None and not choices.focus:
            wishes = wishes.replace(focus=due(boxes, template.exercise, wishes))
        wish = Wish.of(settings, template.problem, template.path)
        with _log(choices.log, wish) as log:
            practice = Practice(template, new_seed() if choices.seed is None else choices.seed, wishes, boxes, log)
            _Talk(practice, boxes, wish).all()
    return 0 if practice.succeeded else 1


@contextmanager
def _log(name: str | None, wish: Wish) -> Iterator[Log | None]:
    """What writes a line of JSON at once; nothing where none is wanted."""
    if name is None:
        yield None
        return
    with appending(name, wish.inputs) as add:
        yield lambda entry: add(json_text(entry) + "\n")


class _Talk:
    """The session in lines: a question, an answer, what is said to it."""

    def __init__(self, practice: Practice, boxes: Boxes, wish: Wish) -> None:
        self.practice = practice
        self.boxes = boxes
        self.wish = wish
        self._prompt = sys.stdin is not None and sys.stdin.isatty() and sys.stdout.isatty()

    def all(self) -> None:
        """Round after round, then the summary."""
        self._warn()
        while not self.practice.is_over:
            try:
                found = self.practice.begin(self.wish.reading)
            except OutputError as error:
                if not self.practice.rounds:
                    raise
                for message in error.messages:
                    say(message.text(self.wish.translate), sys.stderr)
                break
            self._show(found.opening(), found.reading)
            if not self._round(found):
                break
        say("")
        self._show(self.practice.summary(), self.practice.rounds[-1].reading)

    def _round(self, found: PracticeRound) -> bool:
        """The steps of a round; whether there is any more input."""
        if len(self.practice.rounds) == 1:
            say("")
            self._show(found.help(), found.reading)
        asked = -1
        while not found.over:
            if found.place != asked:
                say("")
                self._show(found.question(), found.reading)
                asked = found.place
            line = self._line()
            if line is None:
                return False
            for block in found.take(line):
                self._show([block], found.reading)
            self._warn()
        return True

    def _line(self) -> str | None:
        """A line of the input, whatever bytes it has; None at its end."""
        if self._prompt:
            sys.stdout.write(PROMPT)
        sys.stdout.flush()
        data = _bytes()
        if not data:
            if self._prompt:
                say("")
            return None
        rest = data
        while not rest.endswith(b"\n") and rest:  # of a line that never ends the beginning is enough to refuse it
            rest = _bytes()
        return data.decode(errors="replace")

    def _show(self, blocks: Iterable[Block], reading: Reading) -> None:
        from handcalc.render.formats.terminal import show

        show(blocks, reading, self.wish.translate, page_for(sys.stdout))
        sys.stdout.flush()

    def _warn(self) -> None:
        """What became of the file of the boxes."""
        while self.boxes.warnings:
            say(self.boxes.warnings.pop(0).text(self.wish.translate), sys.stderr)


def _bytes() -> bytes:
    """The next bytes of a line of the input; none at its end, or where there is no input."""
    try:
        return sys.stdin.buffer.readline(LINE_LIMIT)
    except (OSError, ValueError, AttributeError):
        return b""
