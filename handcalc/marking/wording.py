"""How a report says things: verdicts as a sign, a word and a tone, steps and answers as items, marks as numbers.

- `VERDICTS_SHOWN` has a record for each verdict, and one for a mistake that was made before; `look_of(answer)` is that of an answer.
- `step_item(cell)`, `step_name(answer)`, `given(answer)`: a step and an answer, in one sign; `decimal(marks)` is a number of marks.
- `joined(parts)` is a list in the reader's language, `listed(parts)` its beginning, and how many there are more.
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.errors import Message, Template
from handcalc.marking.marked import Marked
from handcalc.marking.typed import LENGTH_LIMIT, typed
from handcalc.marking.workbook import base, iteration
from handcalc.render.items import Digits, Item, Name, Plain, Toned
from handcalc.render.reading import Reading

LISTED = 6  # steps that are named, of many
LONGEST_ANSWER = 22  # letters of an answer in a table
LONGEST_LINE = 12  # of a line that could not be read, beside it


class Look(Record):
    """A verdict as a report shows it: its word, its sign, the sign in ASCII, and its tone."""

    word: Template
    sign: str
    ascii: str
    tone: str = ""

    def marked(self, ascii: bool) -> str:
        """The sign."""
        return self.ascii if ascii else self.sign


VERDICTS_SHOWN: dict[str, Look] = {
    "correct": Look("correct", "✓", "+", "right"),
    "rounded": Look("right, rounded", "✓", "+", "right"),
    "convention": Look("by another convention", "✓", "+", "right"),
    "imprecise": Look("too few digits", "~", "~", "few"),
    "last_digit": Look("last digit off", "~", "~", "few"),
    "follow_through": Look("follows", "→", ">", "follows"),
    "mistake": Look("wrong", "✗", "x", "wrong"),
    "repeated": Look("same mistake", "✗", "x", "wrong"),
    "wrong": Look("wrong", "✗", "x", "wrong"),
    "missing": Look("not answered", "·", "."),
    "unreadable": Look("unreadable", "?", "?", "wrong"),
}


def look_of(answer: Marked) -> Look:
    """How the verdict on an answer is shown."""
    return VERDICTS_SHOWN["repeated" if answer.verdict == "mistake" and answer.because_of else answer.verdict]


def toned(text: Message | Plain, tone: str) -> Message | Plain | Toned:
    """Words in a tone, if there is one."""
    return Toned(text, tone) if tone else text


# --- steps and answers ------------------------------------------------------------------------------------------------


def step_item(step: Cell) -> Name | Message:
    """A step in a table, in a sentence or before an equation."""
    number, name = iteration(step), Name(Ref(*base(step)))
    return name if number == 1 else Message("#{number}:{step}", number=number, step=name)


def step_name(answer: Marked) -> Item:
    """The step of an answer, or what the student wrote for it."""
    return Plain(shortened(answer.id, LONGEST_LINE)) if answer.cell is None else step_item(answer.cell)


def given(answer: Marked, reading: Reading, length: int = LENGTH_LIMIT) -> Item:
    """The answer, in the sign of the symbol that `step_name` puts before it; length: letters there is room for."""
    other = answer.cell is not None and reading.turned(base(answer.cell)) != answer.turned
    return as_typed(answer.given, other, length)


def as_typed(text: str, other: bool, length: int = LENGTH_LIMIT) -> Item:
    """A number or a formula as typed; other: with the other sign."""
    number = typed(text)
    if number is not None and len(number.plain) < length and (other or number.plain == text):
        return Digits(Shown(number.negated().plain if other else number.plain))
    return Plain(shortened(f"-({text})" if other and text else text, length))


def shortened(text: str, length: int = LONGEST_ANSWER) -> str:
    """A text of a student's that has to fit beside others."""
    return text if len(text) <= length else text[: length - 1] + "…"


# --- numbers and lists ------------------------------------------------------------------------------------------------


def decimal(value: float, comma: bool = False) -> str:
    """Marks, with as few decimals as they need."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return text.replace(".", ",") if comma else text


def joined(parts: Sequence[Item]) -> Item:
    """The parts one after the other, as a list in the reader's language."""
    whole = parts[0]
    for part in parts[1:]:
        whole = Message("{first}, {next}", first=whole, next=part)
    return whole


def listed(parts: Sequence[Item], most: int = LISTED) -> Item:
    """The first of many parts, and how many more there are."""
    if len(parts) <= most:
        return joined(parts)
    return Message("{steps} and {count} more", steps=joined(parts[:most]), count=len(parts) - most)
