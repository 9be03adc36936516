"""A given number misread once and used so everywhere: `misreading(definitions, answers, wrong, size)`.

One wrong answer alone tells little of it (slipnumbers.py); several that all come out with one other number in its place do, where no
right answer was worked from the number as it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from math import log2

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Number, Ref
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.digits import another, doubled, dropped, exchanged
from handcalc.marking.follow import fits
from handcalc.marking.slipnumbers import worked_from
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base
from handcalc.render.reading import Reading

FEWEST = 2  # wrong answers that show it
CERTAIN = 6.0  # bits by which it must beat coincidence
LONGEST = 12  # digits of a number that may be misread
MOST = 400  # given numbers of a problem that are tried


class Misreading(Record):
    """A given number, what it was read as, and the wrong answers that this explains, in the order of the sheet."""

    given: Cell
    read: float
    answers: tuple[Cell, ...]


def misreading(
    definitions: Definitions, answers: Mapping[Cell, Typed], wrong: Collection[Cell], size: Callable[[Cell, Typed], float]
) -> Misreading | None:
    """The one number whose misreading explains all wrong answers that are worked from it, if there is one."""
    found = [one for given in _givens(definitions, answers, wrong) for one in _readings(definitions, answers, wrong, given)]
    tried = max(len(found), 1)
    best = max(found, key=lambda one: len(one.answers), default=None)
    if best is None or sum(len(one.answers) == len(best.answers) for one in found) > 1:
        return None
    bits = sum(bits_of(answers[wanted], size(wanted, answers[wanted])) for wanted in best.answers)
    return best if bits - log2(tried * _count(definitions, best.given)) >= CERTAIN else None


def as_read(found: Misreading, reading: Reading) -> Message:
    """What a given number was read as."""
    return Message("as if {symbol} were {number}", symbol=reading.symbol(Ref(*base(found.given))), number=f"{found.read:.12g}")


def _givens(definitions: Definitions, answers: Mapping[Cell, Typed], wrong: Collection[Cell]) -> Iterator[Cell]:
    """The given numbers that several wrong answers are worked from, with no other answer between."""
    count: dict[Cell, int] = {}
    for wanted in wrong:
        for used in definitions.between(wanted, answers):
            if definitions.book.given_value(used) is not None:
                count[used] = count.get(used, 0) + 1
    yield from [used for used, times in count.items() if times >= FEWEST][:MOST]


def _readings(definitions: Definitions, answers: Mapping[Cell, Typed], wrong: Collection[Cell], given: Cell) -> Iterator[Misreading]:
    """What a number may have been read as, so that all wrong answers from it come out, and no right one does without."""
    users = [wanted for wanted in answers if wanted != given and given in definitions.between(wanted, answers)]
    spoiled = tuple(wanted for wanted in users if wanted in wrong)
    for read in _others(definitions, given):
        if all(_gives(definitions, answers, wanted, given, read) for wanted in (*spoiled, *users)):
            yield Misreading(given, read, spoiled)


def _gives(definitions: Definitions, answers: Mapping[Cell, Typed], wanted: Cell, given: Cell, read: float) -> bool:
    others = {cell: typed.value for cell, typed in answers.items() if cell != wanted}
    run = Evaluation(MistakenBook(definitions, NONE), None, {**others, given: read})
    return fits(worked_from(run, definitions.right(wanted), wanted), answers[wanted])


def _others(definitions: Definitions, given: Cell) -> list[float]:
    """A number with a digit more, less or another, two exchanged, its point moved, or the other sign."""
    value = definitions.book.given_value(given)
    text = (value.text or f"{value.numerator / value.denominator:.12g}") if isinstance(value, Number) else ""
    if not text or {*"e/"} & {*text} or len(text) > LONGEST:
        return []
    number = float(text)
    found = [*another(text), *exchanged(text), *dropped(text), *doubled(text), -number, number * 10, number / 10]
    return [other for other in dict.fromkeys(found) if other not in (0, number)]


def _count(definitions: Definitions, given: Cell) -> int:
    return max(len(_others(definitions, given)), 1)
