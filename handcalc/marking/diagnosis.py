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

from collections.abc import Container, Iterable, Mapping, Sequence
from math import inf, log2
from typing import Any, NamedTuple

from handcalc.arrays.columns import array_library
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.marking.bands import NOISE, Band
from handcalc.marking.definitions import NONE, Definitions, Hypothesis, MistakenBook
from handcalc.marking.follow import SINGLE, Follow, shows_single, unit
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.slipnumbers import worked_from
from handcalc.marking.table import HypothesisRows, HypothesisTable
from handcalc.marking.typed import Typed

MARGIN = 1.0  # bits by which an explanation must beat coincidence, to be a hint
SURE = 1.5  # and to be named
SHORT_LIST = 24  # hypotheses that are followed through a sheet
LOOSE = 4.0  # how far off, in widths of what rounding allows, a hypothesis on the short list may be
MOST_OTHERS = 8  # alternatives; numbers that so many mistakes explain tell nothing
ZERO = 6.0  # bits of a 0 that is wrong: few mistakes give it
MANY = 5  # answers beside which a bare 0 tells something
RARE = 0.12  # mistakes that may be expected to give a number by chance which alone shows one
NEAR = 1.5  # units of the last digit that a number may be off which alone shows a mistake
ROUNDS = 3  # further single mistakes that are looked for after the first


class Explanation(Record):
    """hypothesis: the mistakes made; alternatives: others that the numbers cannot tell from it; left: answers it leaves; sure: or else a
    hint, since the numbers have too few digits."""

    hypothesis: Hypothesis
    alternatives: tuple[Hypothesis, ...]
    left: frozenset[Cell]
    sure: bool = True


class Slips(Record):
    """One sheet to explain: the answers, those that are right as they are, the slips, and the sheet followed without a mistake.

    sizes: how large each answer is, or could be, counted from what it starts from (a new weight from the old one); firm: right
    answers that also follow from the numbers before them, which no mistake was made in.
    """

    answers: Mapping[Cell, Typed]
    right: frozenset[Cell]
    slips: tuple[Cell, ...]
    follow: Follow
    sizes: Mapping[Cell, float]
    firm: frozenset[Cell] = frozenset()

    @property
    def slips_first(self) -> list[Cell]:
        """The answers, the slips before the others: few hypotheses give these, so they may settle it."""
        return [*self.slips, *(wanted for wanted in self.answers if wanted not in self.slips)]

    def bits(self, wanted: Cell) -> float:
        """The bits of an answer that nothing explains; 0.6 between numbers of many digits has one more than it shows."""
        typed = self.answers[wanted]
        most = max(other.significant for other in self.answers.values())
        short = typed.places is not None and typed.significant <= 2 and 2 * typed.significant < most
        return bits_of(typed, self.sizes[wanted]) + (log2(10) if short else 0.0)

    def is_bare(self, wrong: Iterable[Cell], left: Container[Cell]) -> bool:
        """Whether one number of a single digit is all that is explained, which is no proof of anything."""
        explained = [self.answers[wanted] for wanted in wrong if wanted not in left]
        return len(explained) == 1 and explained[0].places is not None and explained[0].significant == 1


class _Trial(Record):
    """A hypothesis tried on a sheet.

    left: answers it does not explain; prior: the bits it takes to say it; bits: those, and what the rest costs; exact:
    every answer is its number in full precision.
    """

    hypothesis: Hypothesis
    left: frozenset[Cell]
    prior: float
    bits: float
    exact: bool = False


class Diagnoser:
    """Explains the sheets of one problem."""

    def __init__(self, definitions: Definitions) -> None:
        self.definitions = definitions
        self._whole = definitions.book.small
        self._known: dict[tuple[Cell, ...], _Candidates] = {}
        self._pairs: _Pairs | None = None

    def learn(self, other: Diagnoser) -> None:
        """Take over the pairs of mistakes of a problem with the same formulas."""
        if self._whole:
            self._pairs = next((found.known_pairs for found in other._known.values()), other._pairs)

    def _candidates(self, asked: tuple[Cell, ...]) -> _Candidates:
        """The hypotheses of the whole problem, made once; of a large one those near a sheet's answers."""
        book = self.definitions.book
        key = () if self._whole else tuple(sorted(asked))
        if key not in self._known:
            cells = [cell for number in range(1, book.iterations + 1) for cell in book.cells(number)] if self._whole else key
            self._known = {key: _Candidates(self.definitions, tuple(cells), self._pairs)}
        return self._known[key]

    def explain(self, sheet: Slips) -> Explanation | None:
        """The simplest mistakes that explain the slips of a sheet better than coincidence."""
        unlike = [typed for wanted, typed in sheet.answers.items() if wanted not in sheet.right]
        if len(sheet.answers) < MANY and not any(typed.above or "." in typed.plain for typed in unlike):
            return None  # a bare 0 tells nothing by itself
        candidates = self._candidates(tuple(sheet.answers))
        coincidence = sum(map(sheet.bits, sheet.slips))
        trials = [_Trial(NONE, frozenset(sheet.slips), 0.0, coincidence)]
        for rows, least in ((candidates.single, _nothing), (candidates.pairs, candidates.least_of_pairs)):
            if _best(trials).left and least(sheet) < min(_best(trials).bits, coincidence - MARGIN):
                trials += _told(sheet, candidates.exactly(sheet, rows()))
                if _best(trials).left:
                    trials += _told(sheet, candidates.followed(sheet, rows()))
        for _ in range(ROUNDS):
            found = _best(trials)
            if not found.left or not found.hypothesis.parts:
                break
            more = _told(sheet, candidates.followed(sheet, candidates.beside(found.hypothesis), found.prior))
            if not more or _best(more).bits >= found.bits - MARGIN * (len(found.hypothesis.parts) + 1):
                break
            trials += more
        best = _shown(_best(trials), trials, sheet)
        others = _alternatives(best, trials)
        if best.bits > coincidence - MARGIN or not best.hypothesis.parts or len(others) > MOST_OTHERS:
            return None
        many = log2(1 + len(best.left))  # so many other wrong answers might have had a name by chance
        explained = [wanted for wanted in sheet.slips if wanted not in best.left]
        sure = best.bits <= coincidence - SURE - many
        if len(explained) == 1:
            sure = sure and self._gives(best, sheet) and candidates.chance(sheet, explained[0]) <= RARE
        return Explanation(best.hypothesis, others, best.left, sure)

    def _gives(self, trial: _Trial, sheet: Slips) -> bool:
        """Whether a trial that explains one number only gives just this, but for its last digit, and not by some rounding on the way."""
        explained = [wanted for wanted in sheet.slips if wanted not in trial.left]
        if trial.exact or len(explained) != 1:
            return True
        wanted, own = explained[0], {cell: typed.value for cell, typed in sheet.answers.items() if cell not in explained}
        book = MistakenBook(self.definitions, trial.hypothesis)
        runs = (Evaluation(book, None, replaced) for replaced in ({}, own))
        typed = sheet.answers[wanted]
        return any(abs(worked_from(run, book.instance(wanted), wanted) - typed.value) <= NEAR * unit(typed) for run in runs)


def _nothing(sheet: Slips) -> float:
    """The bits that it takes at least to choose a single mistake."""
    return 0.0


def bits_of(typed: Typed, size: float) -> float:
    """How many bits a number has that nothing explains: the choices there are for its digits, up to a size."""
    if not typed.above:
        return ZERO + min(max(typed.places or 0, 0), 4) * ("." in typed.plain)
    return max(log2(2 * size / step_of(typed)), 1.0) if size else ZERO


def step_of(typed: Typed) -> float:
    """What a number as typed may be off by at least, to be another: 2 has one digit, whatever it means."""
    return unit(typed) if "." in typed.plain or "e" in typed.plain else max(unit(typed), 1.0)


def _best(trials: Sequence[_Trial]) -> _Trial:
    return min(trials, key=lambda trial: (trial.bits, len(trial.hypothesis.parts), trial.hypothesis.rank))


def _told(sheet: Slips, trials: Iterable[_Trial]) -> list[_Trial]:
    """Those of which there is a wrong answer to every mistake: one number never tells of two."""
    return [trial for trial in trials if len({*trial.hypothesis.slugs}) <= max(len({*sheet.slips} - trial.left), 1)]


def _shown(best: _Trial, trials: Sequence[_Trial], sheet: Slips) -> _Trial:
    """The best trial, without a mistake that nothing but one number of a single digit shows."""
    mistakes = best.hypothesis.slugs
    for slug in mistakes if len(mistakes) > 1 else ():
        fewer = [trial for trial in trials if {*trial.hypothesis.slugs} == {*mistakes} - {slug}]
        if fewer and sheet.is_bare((rest := _best(fewer)).left, best.left):
            return rest
    return best


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


class _Pairs(NamedTuple):
    """Pairs of mistakes that are each made everywhere, sorted for a table."""

    whole: tuple[Hypothesis, ...]
    pairs: tuple[Hypothesis, ...]
    rows: HypothesisRows


class _Candidates:
    """The hypotheses that touch some cells, with their values; pairs: those of another problem with the same formulas."""

    def __init__(self, definitions: Definitions, cells: tuple[Cell, ...], pairs: _Pairs | None = None) -> None:
        self.definitions = definitions
        self._hypotheses = Hypotheses(definitions, cells)
        self.known_pairs = pairs
        self._pairs: tuple[Hypothesis, ...] | None = None
        self._tables: dict[int, HypothesisTable] = {}
        self._rows: dict[int, HypothesisRows] = {}

    def single(self) -> tuple[Hypothesis, ...]:
        """One mistake: everywhere, in one layer, at one place."""
        return self._hypotheses.single

    def pairs(self) -> tuple[Hypothesis, ...]:
        """Two mistakes, both everywhere."""
        if self._pairs is None:
            known, whole = self.known_pairs, self._hypotheses.whole
            alike = known is not None and known.whole == whole
            self._pairs = known.pairs if known is not None and alike else self._hypotheses.pairs()
            rows = known.rows.of(self.definitions) if known is not None and alike else HypothesisRows(self.definitions, self._pairs)
            self._rows[id(self._pairs)] = rows
            self.known_pairs = _Pairs(whole, self._pairs, rows)
        return self._pairs

    def beside(self, known: Hypothesis) -> tuple[Hypothesis, ...]:
        """The known mistakes and one more."""
        others = [row for row in self.single() if row.parts and not set(row.slugs) & set(known.slugs)]
        return tuple(Hypothesis((*known.parts, *row.parts), row.rank + 1) for row in others)

    def _sorted(self, rows: tuple[Hypothesis, ...]) -> HypothesisRows:
        """The hypotheses for a table; those that every sheet is compared with are kept."""
        if id(rows) in self._rows:
            return self._rows[id(rows)]
        found = HypothesisRows(self.definitions, rows)
        if rows is self._hypotheses.single:
            self._rows[id(rows)] = found
        return found

    def chance(self, sheet: Slips, wanted: Cell) -> float:
        """How many single mistakes may be expected to give a number like this one by chance: as many as there are, for one last digit, as
        near to it as it is to the right number; everywhere, or on its own line."""
        numpy = array_library()

        rows, typed = self.single(), sheet.answers[wanted]
        step, own = step_of(typed), sheet.follow.expected(wanted)
        possible = numpy.array([bool(row.at(wanted)) for row in rows])
        for firm in sheet.firm:
            possible &= self._near(self._table(rows)[firm], sheet.answers[firm], LOOSE * unit(sheet.answers[firm]))
        reach = max(abs(typed.value - own.low), abs(typed.value - own.high), step) if own.width < inf else abs(typed.value)
        away = (float(value) - typed.value for value, may in zip(self._table(rows)[wanted], possible) if may)
        places = {round(distance / step) for distance in away if abs(distance) < reach}
        return sum(abs(place) > 1 for place in places) * step / (2 * reach)

    def least_of_pairs(self, sheet: Slips) -> float:
        """The bits that it takes at least to choose a pair: one that moves a slip goes with each of those that move no answer."""
        numpy = array_library()

        rows = self.single()
        whole = numpy.array([bool(row.parts) and row.rank == 0 for row in rows])
        if not self._hypotheses.all_pairs(int(whole.sum())):
            return 0.0
        possible, moved, idle = whole.copy(), numpy.zeros(len(rows), dtype=bool), whole.copy()
        for wanted, typed in sheet.answers.items():
            values, changes = self._table(rows)[wanted], self._moved(self._table(rows)[wanted], sheet.follow.expected(wanted))
            if wanted in sheet.right:
                possible &= self._near(values, typed, unit(typed) / 2)
            if wanted in sheet.slips:
                moved |= changes
            idle &= ~changes
        return log2(max(int((possible & moved).sum()) * int((possible & idle).sum()), 1))

    def _table(self, rows: tuple[Hypothesis, ...]) -> HypothesisTable:
        """The values in full precision."""
        if id(rows) not in self._tables:
            self._tables[id(rows)] = HypothesisTable(self.definitions, self._sorted(rows), near=self._hypotheses.near)
        return self._tables[id(rows)]

    def exactly(self, sheet: Slips, rows: tuple[Hypothesis, ...]) -> list[_Trial]:
        """The hypotheses under which every answer is what comes out in full precision, rounded as typed."""
        if not rows:
            return []
        numpy = array_library()

        table = self._table(rows)
        possible, moved = numpy.ones(len(rows), dtype=bool), numpy.zeros(len(rows), dtype=bool)
        fitting = possible.copy()
        for wanted in sheet.slips_first:
            fits = self._near(table[wanted], sheet.answers[wanted], unit(sheet.answers[wanted]) / 2)
            fitting &= fits
            if not fitting.any():
                return []
            if wanted in sheet.right:
                possible &= fits
            if wanted in sheet.slips:
                moved |= self._moved(table[wanted], sheet.follow.expected(wanted))
        prior = _choice(possible & moved)
        return [_Trial(rows[number], frozenset(), prior, prior, True) for number in numpy.flatnonzero(fitting)]

    def _own_table(self, sheet: Slips, rows: tuple[Hypothesis, ...]) -> HypothesisTable:
        """The values on the student's own numbers, of which one answer alone has none."""
        if len(sheet.answers) == 1:
            return self._table(rows)
        own = {wanted: typed.value for wanted, typed in sheet.answers.items()}
        return HypothesisTable(self.definitions, self._sorted(rows), own, self._hypotheses.near)

    def followed(self, sheet: Slips, rows: tuple[Hypothesis, ...], known: float = 0.0) -> list[_Trial]:
        """The hypotheses nearest to the sheet, each worked along with the student's own numbers.

        known: the bits of what all of them have in common.
        """
        if not rows:
            return []
        numpy = array_library()

        table = self._own_table(sheet, rows)
        score = numpy.zeros(len(rows), dtype=int)
        hit, moved = numpy.zeros(len(rows), dtype=bool), numpy.zeros(len(rows), dtype=bool)
        possible = numpy.ones(len(rows), dtype=bool)
        for place, wanted in enumerate(sheet.slips_first):
            if place == len(sheet.slips) and not hit.any():
                return []
            own, typed = sheet.follow.expected(wanted), sheet.answers[wanted]
            width = min(own.width, abs(typed.value)) if own.width < inf else 0.0
            near = self._near(table[wanted], typed, LOOSE * (unit(typed) + width))
            if wanted in sheet.slips:
                hit |= near
                score += near
                moved |= self._moved(table[wanted], own)
            elif wanted in sheet.firm:
                possible &= near
            elif wanted not in sheet.right:
                score -= ~near
        prior = known + _choice(possible & moved)
        order = sorted(numpy.flatnonzero(hit), key=lambda number: (-score[number], rows[number].rank, number))
        return [self._trial(sheet, rows[number], prior) for number in order[:SHORT_LIST]]

    @staticmethod
    def _near(values: Any, typed: Typed, slack: float) -> Any:
        numpy = array_library()

        with numpy.errstate(all="ignore"):
            return abs(values - typed.value) <= slack + (SINGLE if shows_single(typed) else NOISE) * abs(typed.value)

    @staticmethod
    def _moved(values: Any, own: Band) -> Any:
        """Where a hypothesis gives another number than the right definition."""
        slack = NOISE * max(abs(own.low), abs(own.high)) if own.width < inf else 0.0
        return (values < own.low - slack) | (values > own.high + slack)

    def _trial(self, sheet: Slips, row: Hypothesis, prior: float) -> _Trial:
        follow = Follow(self.definitions, sheet.answers, sheet.follow.grain, row, sheet.follow, self._hypotheses.near)
        left = frozenset(wanted for wanted in sheet.answers if wanted not in sheet.right and not follow.accepts(wanted))
        against = (wanted for wanted in sheet.firm if not follow.accepts(wanted))
        loose = (follow.expected(wanted).width / unit(sheet.answers[wanted]) for wanted in sheet.slips if wanted not in left)
        bits = sum(map(sheet.bits, left)) + sum(map(sheet.bits, against)) + sum(log2(1 + widths) for widths in loose)
        return _Trial(row, left, prior, prior + bits)


def _choice(possible: Any) -> float:
    """The bits it takes to choose one of these hypotheses."""
    return log2(max(int(possible.sum()), 2))
