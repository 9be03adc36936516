"""What a teacher who marks by hand has beside the key: the wrong answers to expect, and which mistake gives each.

- `KeyChapter(…, exercise)` is the chapter of a key: the worked solution, then the table of `frequent_slips(exercise, reading)`.

Of large networks there is no such table: their mistakes are not worked out one by one.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.derivation import Derivation
from handcalc.errors import Message, Template
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.hidden import Candidates, Mistakes
from handcalc.exercises.intervals import accepted
from handcalc.exercises.wronganswers import WrongAnswers
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.wording import as_typed, step_item
from handcalc.marking.workbook import base
from handcalc.render.blocks import Block, Heading, Item, Plain, Rows, Table
from handcalc.render.dialects import Dialect
from handcalc.render.reading import Reading
from handcalc.render.report import Chapter, Style

COLUMNS: tuple[Template, ...] = ("quantity", "right", "if it says", "then")
SLIPS = 2  # of each number asked


class KeyChapter(Chapter):
    """The worked solution of an exercise, and the slips to expect."""

    def __init__(self, derivation: Derivation, dialect: Dialect, style: Style, exercise: Exercise) -> None:
        super().__init__(derivation, dialect, style)
        self.exercise = exercise

    def blocks(self) -> Iterator[Block]:
        """The document."""
        yield from super().blocks()
        yield from frequent_slips(self.exercise, self.reading)


def frequent_slips(exercise: Exercise, reading: Reading) -> Iterator[Block]:
    """A table: step, right number, wrong number, what went wrong; the likeliest of each number that is asked.

    Numbers have the sign of the letter that the notation has for the step.
    """
    if not exercise.book.small:
        return
    worked = Worked(exercise)
    wrong = WrongAnswers(Mistakes(worked, Candidates(exercise)))
    rows: list[tuple[Item, ...]] = []
    for wanted, digits in exercise.asked.items():
        found, _ = wrong.of(wanted, digits, accepted(worked, wanted, digits), SLIPS)
        other = reading.turned(base(wanted))
        for one in found:
            name, *names = (Message(MISTAKES[slug].name) for slug in one.slugs)
            for further in names:
                name = Message("{first}; or: {second}", first=name, second=further)
            rows.append((step_item(wanted), as_typed(worked.shown[wanted], other), as_typed(one.answer, other), name))
    if rows:
        yield Heading(2, Message("Frequent slips"))
        yield Table(tuple(map(Message, COLUMNS)), _once(rows), wraps=True)


def _once(rows: list[tuple[Item, ...]]) -> Rows:
    """The rows; a quantity is named, and its number said, in the first of its rows only."""
    return tuple((Plain(""), Plain(""), *row[2:]) if place and row[0] == rows[place - 1][0] else row for place, row in enumerate(rows))
