"""Which mistakes explain a sheet: the hypothesis that leaves least to chance.

- `Diagnoser(definitions)` keeps the hypotheses of one problem and their values; `explain(…)` answers an `Explanation` for one
  sheet, or None where nothing explains it better than coincidence.

A wrong number is either one of those that some mistake gives, or any number at all. Both are counted in bits: a number that
nothing explains costs as many bits as it has digits, a mistake as many as there are mistakes to choose from. The explanation
with the fewest bits wins, if it wins clearly (`MARGIN`); those that leave the same and are as simple are its alternatives.
First everything is compared with the values under each hypothesis alone; where that does not settle it, the sheet is worked
along with the student's own numbers, under the hypotheses that come nearest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf, log2
from typing import Any

from handcalc.core.graph import Cell
from handcalc.core.record import Record
from handcalc.study.bands import NOISE, Grain
from handcalc.study.follow import Follow, unit
from handcalc.study.hypotheses import NONE, Definitions, Hypotheses, Hypothesis, Table
from handcalc.study.typed import Typed

MARGIN = 1.0  # bits by which an explanation must beat coincidence
SHORT_LIST = 24  # hypotheses that are followed through a sheet
LOOSE = 4.0  # how far off, in widths of what rounding allows, a hypothesis on the short list may be
ZERO = 10.0  # bits of a 0 that is wrong: few mistakes give it
ROUNDS = 3  # further single mistakes that are looked for after the first


class Explanation(Record):
    """hypothesis: the mistakes made; alternatives: others that the numbers cannot tell from it; left: answers it leaves."""

    hypothesis: Hypothesis
    alternatives: tuple[Hypothesis, ...]
    left: frozenset[Cell]


class Slips(Record):
    """One sheet to explain: the answers, those that are right as they are, the slips, and how coarsely it is rounded."""

    answers: Mapping[Cell, Typed]
    right: frozenset[Cell]
    slips: tuple[Cell, ...]
    grain: Grain


class _Trial(Record):
    """A hypothesis tried on a sheet: what it leaves unexplained, and the bits that it and the rest cost."""

    hypothesis: Hypothesis
    left: frozenset[Cell]
    bits: float
    exact: bool = False


class Diagnoser:
    """Explains the sheets of one problem."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._known: dict[frozenset[Cell], _Candidates] = {}

    def explain(self, sheet: Slips) -> Explanation | None:
        """The simplest mistakes that explain the slips of a sheet better than coincidence."""
        asked = frozenset(sheet.answers)
        if asked not in self._known:
            self._known[asked] = _Candidates(self.definitions, tuple(sheet.answers))
        candidates = self._known[asked]
        coincidence = sum(bits_of(sheet.answers[slip]) for slip in sheet.slips)
        trials = [_Trial(NONE, frozenset(sheet.slips), coincidence)]
        for rows in (candidates.single, candidates.pairs):
            if _best(trials).left:
                trials += candidates.exactly(sheet, rows())
        if _best(trials).left:
            trials += candidates.followed(sheet, candidates.single())
        if len(_best(trials).left) > 1:
            trials += candidates.followed(sheet, candidates.pairs())
        for _ in range(ROUNDS):
            found = _best(trials)
            if not found.left or not found.hypothesis.parts:
                break
            more = candidates.followed(sheet, candidates.beside(found.hypothesis), len(found.hypothesis.parts))
            if not more or _best(more).bits >= found.bits - MARGIN:
                break
            trials += more
        best = _best(trials)
        if best.bits > coincidence - MARGIN or not best.hypothesis.parts:
            return None
        return Explanation(best.hypothesis, _alternatives(best, trials), best.left)


def bits_of(typed: Typed) -> float:
    """How many bits a number has that nothing explains: the choices there are for its digits."""
    return max(log2(2 * abs(typed.value) / unit(typed)), 1.0) if typed.value else ZERO


def _best(trials: Sequence[_Trial]) -> _Trial:
    return min(trials, key=lambda trial: (trial.bits, len(trial.hypothesis.parts), trial.hypothesis.rank))


def _alternatives(best: _Trial, trials: Iterable[_Trial]) -> tuple[Hypothesis, ...]:
    """One hypothesis for each other set of mistakes that leaves the same, with as few mistakes, and fits as exactly."""
    found: dict[frozenset[str], Hypothesis] = {}
    mine = frozenset(best.hypothesis.slugs)
    for trial in sorted(trials, key=lambda trial: (trial.bits, trial.hypothesis.rank)):
        same = len(trial.hypothesis.parts) == len(best.hypothesis.parts) and trial.left <= best.left and trial.exact >= best.exact
        slugs = frozenset(trial.hypothesis.slugs)
        if same and slugs != mine:
            found.setdefault(slugs, trial.hypothesis)
    return tuple(found.values())


class _Candidates:
    """The hypotheses that touch a set of answers, with their values at them."""

    def __init__(self, definitions: Definitions, asked: tuple[Cell, ...]) -> None:
        self.definitions = definitions
        self.asked = asked
        self._hypotheses = Hypotheses(definitions, asked)
        self._pairs: tuple[Hypothesis, ...] | None = None
        self._tables: dict[int, dict[Cell, Any]] = {}

    def single(self) -> tuple[Hypothesis, ...]:
        """One mistake: everywhere, in one layer, at one place."""
        return self._hypotheses.single

    def pairs(self) -> tuple[Hypothesis, ...]:
        """Two mistakes, both everywhere."""
        if self._pairs is None:
            self._pairs = self._hypotheses.pairs()
        return self._pairs

    def beside(self, known: Hypothesis) -> tuple[Hypothesis, ...]:
        """The known mistakes and one more."""
        others = [row for row in self.single() if row.parts and not set(row.slugs) & set(known.slugs)]
        return tuple(Hypothesis((*known.parts, *row.parts), row.rank + 1) for row in others)

    def exactly(self, sheet: Slips, rows: tuple[Hypothesis, ...]) -> list[_Trial]:
        """The hypotheses under which every answer is what comes out in full precision, rounded as typed."""
        if not rows:
            return []
        import numpy

        if id(rows) not in self._tables:
            table = Table(self.definitions, rows)
            self._tables[id(rows)] = {wanted: table[wanted] for wanted in self.asked}
        values = self._tables[id(rows)]
        fit = numpy.ones(len(rows), dtype=bool)
        for wanted, typed in sheet.answers.items():
            with numpy.errstate(all="ignore"):
                fit &= abs(values[wanted] - typed.value) <= unit(typed) / 2 + NOISE * abs(typed.value)
        return [_Trial(rows[number], frozenset(), self._prior(rows[number]), True) for number in numpy.flatnonzero(fit)]

    def followed(self, sheet: Slips, rows: tuple[Hypothesis, ...], known: int = 0) -> list[_Trial]:
        """The hypotheses nearest to the sheet, each worked along with the student's own numbers."""
        return [self._trial(sheet, row, known) for row in self._short_list(sheet, rows)]

    def _short_list(self, sheet: Slips, rows: tuple[Hypothesis, ...]) -> list[Hypothesis]:
        if not rows:
            return []
        import numpy

        table = Table(self.definitions, rows, {wanted: typed.value for wanted, typed in sheet.answers.items()})
        follow = Follow(self.definitions, sheet.answers, sheet.grain)
        hits = numpy.zeros(len(rows), dtype=int)
        misses = numpy.zeros(len(rows), dtype=int)
        for wanted, typed in sheet.answers.items():
            own = follow.expected(wanted)
            width = min(own.high - own.low, abs(typed.value)) if own.high - own.low < inf else 0.0
            with numpy.errstate(all="ignore"):
                near = abs(table[wanted] - typed.value) <= LOOSE * (unit(typed) + width)
            if wanted in sheet.slips:
                hits += near
            elif wanted not in sheet.right:
                misses += ~near
        score = numpy.array([hit - miss for hit, miss in zip(hits, misses)])
        order = sorted(numpy.flatnonzero(hits > 0), key=lambda number: (-score[number], rows[number].rank, number))
        return [rows[number] for number in order[:SHORT_LIST]]

    def _trial(self, sheet: Slips, row: Hypothesis, known: int) -> _Trial:
        follow = Follow(self.definitions, sheet.answers, sheet.grain, row)
        left = frozenset(wanted for wanted in sheet.answers if wanted not in sheet.right and not follow.accepts(wanted))
        rest = sum(bits_of(sheet.answers[wanted]) for wanted in left)
        return _Trial(row, left, rest + self._prior(row))

    def _prior(self, row: Hypothesis) -> float:
        """The bits it takes to say which mistakes were made, and where."""
        everywhere = sum(1 for other in self.single() if other.rank == 0)
        return sum(log2(everywhere if part.cells is None else len(self.single())) for part in row.parts)
