"""A given number misread once and used so everywhere: `misreading(definitions, answers, wrong, size)`.

One wrong answer alone tells little of it (slipnumbers.py); several that all come out with one other number in its place do, where no
right answer was worked from the number as it is given.
"""

from __future__ import annotations

from collections import Counter
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
from handcalc.marking.slipnumbers import SlipNumbers
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
    ways = {wanted: frozenset(definitions.between(wanted, answers)) for wanted in answers}
    worked = _Worked(definitions, answers)
    found = [one for given in _givens(definitions, ways, wrong) for one in _readings(worked, ways, wrong, given)]
    tried = max(len(found), 1)
    best = max(found, key=lambda one: len(one.answers), default=None)
    if best is None or sum(len(one.answers) == len(best.answers) for one in found) > 1:
        return None
    bits = sum(bits_of(answers[wanted], size(wanted, answers[wanted])) for wanted in best.answers)
    return best if bits - log2(tried * _count(definitions, best.given)) >= CERTAIN else None


def as_read(found: Misreading, reading: Reading) -> Message:
    """What a given number was read as."""
    return Message("as if {symbol} were {number}", symbol=reading.symbol(Ref(*base(found.given))), number=f"{found.read:.12g}")


class _Worked:
    """The answers worked from the others, with other given numbers."""

    def __init__(self, definitions: Definitions, answers: Mapping[Cell, Typed]) -> None:
        self.definitions = definitions
        self.answers = answers
        self._numbers = SlipNumbers(definitions, answers)
        self._runs: dict[Cell, tuple[Evaluation, list[Cell]]] = {}

    def fitting(self, wanted: Cell, given: Cell, reads: list[float]) -> list[float]:
        """Those of some numbers which, in the place of a given one, make an answer what it is."""
        if wanted not in self._runs:
            others = {cell: typed.value for cell, typed in self.answers.items() if cell != wanted}
            run = Evaluation(MistakenBook(self.definitions, NONE), None, others)
            self._runs[wanted] = run, self._numbers.lines_to(wanted, run)
        run, lines = self._runs[wanted]
        values = self._numbers.worked_on(wanted, run, lines, given, reads)
        return [read for read, value in zip(reads, values) if fits(value, self.answers[wanted])]


Ways = Mapping[Cell, Collection[Cell]]  # answer → what it is worked from, as far as the next answers


def _givens(definitions: Definitions, ways: Ways, wrong: Collection[Cell]) -> list[Cell]:
    """The given numbers that several wrong answers are worked from, with no other answer between."""
    count = Counter(used for wanted in wrong for used in ways[wanted] if definitions.book.given_value(used) is not None)
    return sorted((used for used, times in count.items() if times >= FEWEST), key=definitions.book.cell_id)[:MOST]


def _readings(worked: _Worked, ways: Ways, wrong: Collection[Cell], given: Cell) -> Iterator[Misreading]:
    """What a number may have been read as, so that all wrong answers from it come out, and no right one does without."""
    users = [wanted for wanted in ways if wanted != given and given in ways[wanted]]
    spoiled = tuple(wanted for wanted in users if wanted in wrong)
    reads = _others(worked.definitions, given)
    for wanted in (*spoiled, *(other for other in users if other not in spoiled)):
        reads = worked.fitting(wanted, given, reads) if reads else []
    yield from (Misreading(given, read, spoiled) for read in reads)


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
