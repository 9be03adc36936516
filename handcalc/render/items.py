"""Items: what can stand in a formula or a table cell. They hold references and expressions, never text.

- `spell(item, reading, translate)` is the text of one in the dialect and the notation of a `Reading`.
- A message may be filled with items: `phrase(message, translate)` gives its words and its formulas.

To add an item, write its record, and its line in `Item` and in `spell`.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from typing import Any

from handcalc.core.expr import Expr, Ref
from handcalc.core.index import Position
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.errors import Message
from handcalc.language import Bilingual, Translate
from handcalc.render.dialects import function_name, sign, word
from handcalc.render.reading import Factor, Reading


class Name(Record):
    """The symbol of a cell or of a general reference; bare: without its sample and time; timed: with its time all the same."""

    reference: Ref
    bare: bool = False
    timed: bool = False


class Whole(Record):
    """The name of a whole quantity in a matrix formula, such as W, or of a member of its family, such as h_t: a place for each axis,
    None along its rows and columns."""

    quantity: str
    places: tuple[Position | None, ...] = ()


class Summed(Record):
    """Σ over an index, before what is added up."""

    letter: str


class Symbolic(Record):
    """An expression with symbols; gaps: cells left out, to be filled in."""

    expr: Expr
    gaps: tuple[Cell, ...] = ()


class Numeric(Record):
    """An expression with numbers put in; gaps as in Symbolic; rounded: by numbers that were rounded before, so that it is never exact."""

    expr: Expr
    iteration: int = 1
    gaps: tuple[Cell, ...] = ()
    rounded: bool = False


class Put(Record):
    """An expression with a student's numbers put in: cell → number, in the sign of the cell; letters stay for cells without one."""

    expr: Expr
    numbers: Mapping[Cell, Shown]


class Digits(Record):
    """A number as typed or printed."""

    number: Shown


class Value(Record):
    """The number of a cell."""

    cell: Cell
    iteration: int = 1


class Factors(Record):
    """A product of named derivatives, such as ∂E/∂out · ∂out/∂net; negative: with a minus before it."""

    factors: tuple[Factor, ...]
    negative: bool = False


class Ratio(Record):
    """The derivative of one reference by another, ∂net_k/∂w_kj; above: None for the loss."""

    above: Ref | None
    below: Ref


class FunctionName(Record):
    """The name of a function, such as σ."""

    name: str


class Equal(Record):
    """left = right, or in another relation, with symbols."""

    left: Expr
    right: Expr
    relation: str = "="


class Blank(Record):
    """A space to write in; step: the cell and iteration whose number belongs there, where it is one; numbers: how many are written to
    find it, itself with them."""

    step: tuple[Cell, int] | None = None
    numbers: int = 1


class Plain(Record):
    """A text of the user's: a name, a title."""

    text: str


class Toned(Record):
    """Words in one of TONES; formats that have colours show it so. What it means has to be said in the words or by a sign."""

    text: Message | Plain
    tone: str


def title_item(title: str, chinese: str) -> Plain | Message:
    """A title; chinese: what it is in reports in Chinese, if it is another."""
    return Bilingual(title or chinese, chinese) if chinese else Plain(title)


TONES = ("right", "wrong", "follows", "few", "strong")
MISSING = Plain("–")  # where a table of numbers has none

Item = (
    Name | Whole | Summed | Symbolic | Numeric | Put | Digits | Value | Factors | Ratio | FunctionName | Equal | Blank | Plain | Toned
    | Message
)  # fmt: skip


# --- spelling ---------------------------------------------------------------------------------------------------------


def spell(item: Item | str, reading: Reading, translate: Translate) -> str:
    """The text of an item in the reading's dialect and notation."""
    match item:
        case str():
            return item
        case Message():
            return "".join(spell(piece, reading, translate) for piece in phrase(item, translate))
        case Equal(left, right, relation):
            return f"{reading.symbolic(left)} {sign(relation, reading.dialect)} {reading.symbolic(right)}"
        case Plain(text):
            return text
        case Toned(text, _):
            return spell(text, reading, translate)
        case Name(reference, bare, timed):
            return reading.symbol(reference, bare, timed)
        case Whole(quantity, places):
            return reading.whole(reading.graph[quantity], places)
        case Summed(letter):
            return reading.dialect.summed.format(i=word(letter, reading.dialect))
        case Symbolic(expr, gaps):
            return reading.symbolic(expr, gaps)
        case Numeric(expr, iteration, gaps):
            return reading.numeric(expr, iteration, gaps)
        case Blank():
            return reading.dialect.blank
        case Put(expr, numbers):
            return reading.put(expr, numbers)
        case Digits(number):
            return reading.digits(number)
        case Value(cell, iteration):
            return reading.number(cell, iteration)
        case FunctionName(name):
            return function_name(name, reading.dialect)
        case Ratio(above, below):
            return reading.ratio(above, below)
        case Factors(factors, negative):
            return reading.factors(factors, negative)
    raise TypeError(f"no spelling for {type(item).__name__}")


def phrase(message: Message, translate: Translate) -> list[Item | str]:
    """A sentence as pieces: words, and the formulas among what it is filled with."""
    places: list[Item] = []

    def placed(value: Any) -> Any:
        if isinstance(value, Message):
            found = copy(value)  # of its own class: one line of a text stays one
            found.values = {name: placed(inner) for name, inner in value.values.items()}
            return found
        if isinstance(value, Record):
            places.append(value)  # type: ignore[arg-type]
            return _Place(len(places) - 1)
        return value

    text = placed(message).text(translate)
    if not places:
        return [text]
    pieces = text.split(_Place.mark)
    return [places[int(piece)] if number % 2 else piece for number, piece in enumerate(pieces) if piece]


class _Place:
    """Where a formula stands in a text."""

    mark = "\0"

    def __init__(self, number: int) -> None:
        self.number = number

    def __str__(self) -> str:
        return f"{self.mark}{self.number}{self.mark}"
