"""Auditing a published solution: where each printed number comes from.

- `audit(problem, published)` answers an `Audit`: for every printed number one of `STATUSES`, and what explains it.

A printed number stands for itself: it may have been computed by a program from unrounded numbers, or carried on from those
printed before it. So each is compared with the right number, then with what follows from the printed ones; what is left is
explained by a mistake in the whole page, by another convention, by a mistake in this number alone, or by a miscounted iteration.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from handcalc.arrays.exactline import ExactLine
from handcalc.core.evaluation import Evaluation
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.deriving import check_iterations
from handcalc.errors import EvaluationError, Message, ProblemError, UnknownIdError
from handcalc.loading.schedules import updates_per_epoch
from handcalc.marking.answers import Answer, Sheet, sheet_of
from handcalc.marking.conventions import OtherConvention, SheetSoFar, conventional
from handcalc.marking.definitions import NONE, Definitions, Hypothesis, MistakenBook
from handcalc.marking.desk import Desk, firm, formula_value
from handcalc.marking.diagnosis import MARGIN, Slips, bits_of
from handcalc.marking.elsewhere import as_terms_are_meant
from handcalc.marking.follow import Follow, fits, unit
from handcalc.marking.history import SheetHistory
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.interpret import ReadAnswer
from handcalc.marking.misreadings import Misreading, as_read, misreading
from handcalc.marking.modes import as_meant
from handcalc.marking.signs import as_errors_are_meant
from handcalc.marking.slips import LineSlips
from handcalc.marking.support import Support
from handcalc.marking.table import HypothesisTable
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import Workbook, base, iteration, iteration_of
from handcalc.problem.schema import Problem

# status → what it says of a printed number
STATUSES = {
    "exact": "equal to the right number",
    "rounded": "the right number, rounded",
    "carried": "right for the rounded numbers printed before it",
    "truncated": "the right number, cut off instead of rounded",
    "convention": "right under another convention",
    "mistake": "explained by a mistake",
    "follows": "right for a wrong number printed before it",
    "unexplained": "not explained",
}

FEW = 20  # iterations that are walked rather than leapt over
NEAR = 20  # iterations of which every number is followed; later ones are compared only
SINGLE_MARGIN = 6.0  # bits by which one number alone must be too exact for coincidence
CUT_UNITS = 2  # of the last digit, that a number carried on and cut off may be from the right one
TRIED_FAR = 300  # iterations up to which every mistake is tried on a later number, not only those found before


class Judged(Record):
    """One printed number: status, what explains it (mistakes or conventions), other explanations, where it began; ours.

    turned: printed under a letter that stands for the negative, so both printed and ours are in its sign.
    """

    id: str
    printed: str
    status: str
    explanation: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    because_of: str = ""
    ours: float | None = None
    note: Message | None = None
    cell: Cell | None = None
    iteration: int = 1
    turned: bool = False


class Audit(Record):
    """The numbers of a published solution in their order."""

    numbers: tuple[Judged, ...]

    @property
    def summary(self) -> dict[str, int]:
        """status → how many numbers have it."""
        found = [number.status for number in self.numbers]
        return {status: found.count(status) for status in STATUSES if status in found}


def audit(problem: Problem, published: Mapping[str, Any] | Sheet, notation: str = "") -> Audit:
    """Every printed number of a published solution (id → as printed), explained as far as it can be."""
    return _Auditor(problem, sheet_of(published), notation).audit()


class _Auditor:
    def __init__(self, problem: Problem, sheet: Sheet, notation: str) -> None:
        self.problem = problem
        iterations = [iteration_of(answer.id) for answer in sheet.answers]
        near = [number for number in iterations if number <= NEAR]
        self.desk = Desk(problem.replace(tasks=()), notation, max(near, default=1))
        self.book = self.desk.book
        check_iterations(problem, self.book.graph, self.book.updated, max(iterations, default=1))
        self.sheet = sheet
        self.chosen: dict[Cell, OtherConvention] = {}
        self.elsewhere: dict[Cell, OtherConvention] = {}
        self.found: list[Hypothesis] = []
        self.misread: Misreading | None = None
        self.slips: LineSlips | None = None
        self._far: dict[Hypothesis, dict[int, Evaluation]] = {}
        self._of_samples: dict[Graph, Definitions] = {self.book.graph: self.desk.definitions}

    def audit(self) -> Audit:
        """The near numbers together, then each of the later ones."""
        reads = [self._read(answer) for answer in self.desk.interpreter.answers(self.sheet)]
        errors, _ = as_errors_are_meant(self.desk.definitions, [read for read in reads if not _is_far(read)])
        meant, self.elsewhere = as_terms_are_meant(self.desk.definitions, errors, self.desk.biases_apart)
        near = self._near(meant)
        return Audit(tuple(self._later(read) if _is_far(read) else next(near) for read in reads))

    def _read(self, answer: Answer) -> ReadAnswer:
        if iteration_of(answer.id) <= NEAR:
            return formula_value(self.desk, self.desk.interpreter.read_one(answer))
        head, rest = answer.id.split(":", 1)
        read = self.desk.interpreter.read_one(answer.replace(id=rest))
        return read.replace(answer=answer)

    # --- numbers of the first iterations ---

    def _near(self, reads: list[ReadAnswer]) -> Iterator[Judged]:
        first: dict[Cell, Typed] = {}
        for read in self.desk.in_order(reads):
            if read.cell is not None and read.typed is not None:
                first.setdefault(read.cell, read.typed)
        desk, support = self.desk, Support(self.desk.definitions, first, self.sheet.rounding)
        meant = first | {wanted: typed for wanted, typed in as_meant(first, self.sheet.rounding).items() if not typed.above}
        typed_as_meant = [
            read.replace(typed=meant[read.cell]) if read.cell and read.typed and read.typed == first.get(read.cell) else read
            for read in reads
        ]
        first = meant
        right = frozenset(wanted for wanted, typed in first.items() if desk.is_right(wanted, typed, support))
        cut = frozenset(wanted for wanted, typed in first.items() if wanted not in right and self._is_cut(wanted, typed, support))
        found, follow = desk.rounding_of(first, self.sheet.rounding, right | cut, support)
        slips = desk.slips(first, right | cut, [wanted for wanted in first if found or follow.accepts(wanted)], support)
        sizes = self._sizes(first)
        self.chosen = desk.conventions.find(SheetSoFar(first, right, slips, follow.grain, sizes), published=True) if slips else {}
        slips = tuple(wanted for wanted in slips if wanted not in self.chosen)
        settled = right | cut | frozenset(self.chosen)
        page = Slips(first, settled, slips, follow, sizes, firm(right, follow))
        explanation = self.desk.diagnoser.explain(page) if slips else None
        explanation = explanation if explanation is not None and explanation.sure else None
        story = SheetHistory(self.desk.definitions, first, settled, slips, follow, explanation, support)
        if explanation is not None:
            self.found.append(explanation.hypothesis)
        unexplained = [wanted for wanted in slips if explanation is None or wanted in explanation.left]
        self.misread = misreading(desk.definitions, first, unexplained, desk.size)
        self.slips = LineSlips(desk.definitions, first, desk.size)
        for read in typed_as_meant:
            yield self._judged(read, story)

    def _is_cut(self, wanted: Cell, typed: Typed, support: Support) -> bool:
        """Whether a number is the right one, cut off at digits that say something."""
        return fits(float(self.desk.right[wanted]), typed, cut=True) and self.desk.stands(wanted, support)

    def _is_carried_and_cut(self, wanted: Cell, typed: Typed, story: SheetHistory) -> bool:
        """Whether a number follows from numbers cut off on the way, and is nearly the right one."""
        near = typed.above != 0 and abs(typed.value - float(self.desk.right[wanted])) <= CUT_UNITS * unit(typed)
        return near and Follow(self.desk.definitions, story.answers, story.follow.grain.replace(cut=True)).accepts(wanted)

    def _sizes(self, answers: Mapping[Cell, Typed]) -> dict[Cell, float]:
        """How large a number may be: as large as the largest of its kind, if it is not near the right one."""
        largest: dict[str, float] = {}
        for wanted, typed in answers.items():
            kind = self.book.quantity(wanted).kind
            largest[kind] = max(largest.get(kind, 0.0), self.desk.size(wanted, typed))
        rooms = {wanted: self.desk.room(wanted, typed) for wanted, typed in answers.items()}
        near = {wanted for wanted, typed in answers.items() if rooms[wanted] < self.desk.size(wanted, typed)}
        return {wanted: rooms[wanted] if wanted in near else largest[self.book.quantity(wanted).kind] for wanted in answers}

    def _judged(self, read: ReadAnswer, story: SheetHistory) -> Judged:
        known = Judged(read.answer.id, read.answer.text, "unexplained", note=read.trouble, cell=read.cell, turned=read.turned)
        if read.cell is None or read.typed is None:
            return known
        wanted, typed = read.cell, read.typed
        value = float(self.desk.right[wanted])
        known = known.replace(ours=-value if read.turned else value)
        if self.desk.is_right(wanted, typed, story.support):
            if wanted in self.elsewhere:
                return known.replace(status="convention", explanation=(self.elsewhere[wanted].name,))
            if not fits(value, typed) and story.follow.accepts(wanted) and story.has_earlier(wanted):
                return known.replace(status="carried")  # and no sign of single precision
            exact = typed.value == value or (self.desk.right.rational(wanted) and abs(typed.value - value) <= 1e-13 * abs(value))
            return known.replace(status="exact" if exact else "rounded")
        cut = self._is_cut(wanted, typed, story.support)
        if story.answers[wanted] == typed:
            if wanted in self.chosen:
                chosen = self.chosen[wanted]
                return known.replace(status="convention", explanation=(chosen.name,), note=known.note or chosen.title)
            if cut and story.follow.accepts(wanted) and story.has_earlier(wanted):
                return known.replace(status="carried")
            verdict = story.verdict(wanted)
            if verdict in ("rounded", "imprecise", "follow_through"):
                began = story.because_of(wanted)
                return known.replace(status="follows" if began else "carried", because_of=self.book.cell_id(began) if began else "")
            if verdict == "mistake":
                slugs, others = story.mistakes(wanted)
                alone = self._everywhere(wanted, typed) if len(slugs) > 1 else []
                if alone and slugs not in [row.slugs for row in alone]:
                    self.found += alone[:1]
                    return _explained(known, alone)
                custom = conventional(slugs)
                if custom is not None:
                    note = known.note or Message(custom.on_this_sheet)
                    return known.replace(status="convention", explanation=(custom.convention,), note=note)
                return known.replace(status="mistake", explanation=slugs, alternatives=others)
            cut = cut or self._is_carried_and_cut(wanted, typed, story)
        return known.replace(status="truncated") if cut else self._alone(known, wanted, typed, story)

    # --- one number by itself ---

    def _alone(self, known: Judged, wanted: Cell, typed: Typed, story: SheetHistory) -> Judged:
        """A mistake that gives just this number, or another iteration."""
        found = self._everywhere(wanted, typed)
        if not found and self._is_neighbour(wanted, typed):
            return known.replace(status="mistake", explanation=("iteration-miscounted",))
        found = found or self._fitting(Hypotheses(self.desk.definitions, (wanted,)).pairs(), wanted, typed)
        self.found += found[:1]
        return _explained(known, found) if found else self._slipped(known, wanted, story)

    def _slipped(self, known: Judged, wanted: Cell, story: SheetHistory) -> Judged:
        """A slip on the line of a number, or a given number that was misread everywhere."""
        if self.misread is not None and wanted in self.misread.answers:
            note = known.note or as_read(self.misread, self.desk.interpreter.reading)
            return known.replace(status="mistake", explanation=("number-misread",), note=note)
        slip = self.slips.explain(wanted) if self.slips is not None and wanted in self.slips.answers else None
        if slip is None or not slip.sure:
            return known.replace(note=known.note or self.desk.written_wrong(wanted, story.answers, story.right))
        return known.replace(status="mistake", explanation=(slip.slug,), alternatives=tuple((other,) for other in slip.others))

    def _everywhere(self, wanted: Cell, typed: Typed) -> list[Hypothesis]:
        """The single mistakes that, made everywhere, give a number in full precision."""
        rows = Hypotheses(self.desk.definitions, (wanted,)).single
        return self._fitting(tuple(row for row in rows if row.rank == 0), wanted, typed)

    def _is_neighbour(self, wanted: Cell, typed: Typed) -> bool:
        """Whether a number is that of the iteration before or after."""
        name, number = self.book.graph.cell_id(base(wanted)), iteration(wanted)
        for other in (number - 1, number + 1):
            value = _value(self.problem, other, name) if other > 0 else None
            if value is not None and fits(value, typed) and self._bits(wanted, typed) > SINGLE_MARGIN:
                return True
        return False

    def _fitting(self, rows: tuple[Hypothesis, ...], wanted: Cell, typed: Typed) -> list[Hypothesis]:
        """The hypotheses that give a number, if there are so few of them that it is no coincidence."""
        from math import log2

        if not rows or self._bits(wanted, typed) < log2(len(rows)) + SINGLE_MARGIN:
            return []
        values = HypothesisTable(self.desk.definitions, rows)[wanted]
        return [row for row, value in zip(rows, values) if row.parts and fits(float(value), typed)]

    def _bits(self, wanted: Cell, typed: Typed) -> float:
        return bits_of(typed, self.desk.size(wanted, typed))

    # --- numbers of later iterations ---

    def _later(self, read: ReadAnswer) -> Judged:
        """A number after so many iterations: the right one, a mistake found before, or an iteration miscounted."""
        number = iteration_of(read.answer.id)
        known = Judged(read.answer.id, read.answer.text, "unexplained", note=read.trouble, cell=read.cell, turned=read.turned)
        known = known.replace(iteration=number)
        if read.cell is None or read.typed is None:
            return known
        typed, plain = read.typed, base(read.cell)
        value = self._value_at(NONE, number, plain)
        known = known.replace(ours=-value if read.turned else value)
        if fits(value, typed):
            return known.replace(status="rounded")
        if fits(value, typed, cut=True):
            return known.replace(status="truncated")
        if self._bits(plain, typed) <= SINGLE_MARGIN + MARGIN:
            return known
        if any(fits(self._value_at(NONE, other, plain), typed) for other in (number - 1, number + 1)):
            return known.replace(status="mistake", explanation=("iteration-miscounted",))
        tried = dict.fromkeys(self.found)
        if number <= TRIED_FAR:
            tried |= dict.fromkeys(row for row in Hypotheses(self.desk.definitions, (plain,)).single if row.rank == 0 and row.parts)
        found = [row for row in tried if fits(self._value_at(row, number, plain), typed)]
        return _explained(known, found) if found else known

    def _value_at(self, hypothesis: Hypothesis, number: int, wanted: Cell) -> float:
        """A number of an iteration, under a hypothesis; not a number where there is none."""
        try:
            return float(self._run(hypothesis, number)[wanted])
        except EvaluationError:
            return float("nan")

    def _run(self, hypothesis: Hypothesis, number: int) -> Evaluation:
        """The evaluation of an iteration, from the latest one before it that is kept."""
        runs = self._far.setdefault(hypothesis, {})
        if number not in runs:
            start = max((known for known in runs if known < number), default=0)
            current = runs.get(start)
            for count in range(start + 1, number + 1):
                book = MistakenBook(self._definitions(count), hypothesis)
                if current is None:
                    carried: list[Any] = []
                elif count == start + 2 and (leap := self._leap(book, current, number - 1 - count)) is not None:
                    runs[number - 1] = Evaluation(book, None, dict(zip(self._carried, leap)))
                    return self._run(hypothesis, number)
                else:
                    carried = [current[new] for new in self._carried.values()]
                current = Evaluation(book, None, dict(zip(self._carried, carried)))
                if count + 1 >= number:
                    runs[count] = current
        return runs[number]

    @cached_property
    def _carried(self) -> dict[Cell, Cell]:
        """What is carried from one iteration to the next, and what it becomes."""
        return {(old, place): (new, place) for old, new in self.book.carried.items() for place in self.book.graph.positions(old)}

    def _leap(self, book: MistakenBook, current: Evaluation, count: int) -> tuple[float, ...] | None:
        """What is carried into the iteration so many after the next; None where it must be walked: there are few, samples change, or some
        number is none."""
        if count < FEW or updates_per_epoch(self.problem) > 1:
            return None
        try:
            return ExactLine(book, [*self._carried.items()], float).run([current[new] for new in self._carried.values()], count)
        except (ArithmeticError, ValueError):
            return None

    def _definitions(self, number: int) -> Definitions:
        """The definitions of an iteration as if it were the first; those of the same samples are shared."""
        graph = self.book.derivation.at(number).graph
        if graph not in self._of_samples:
            self._of_samples[graph] = Definitions(Workbook(self.problem, first=number))
        return self._of_samples[graph]


def _is_far(read: ReadAnswer) -> bool:
    return iteration_of(read.answer.id) > NEAR


def _explained(known: Judged, found: list[Hypothesis]) -> Judged:
    sets = list(dict.fromkeys(row.slugs for row in found))
    return known.replace(status="mistake", explanation=sets[0], alternatives=tuple(sets[1:]))


def _value(problem: Problem, number: int, name: str) -> float | None:
    """The number of a cell in an iteration; None where there is none, as after the only update."""
    try:
        book = Workbook(problem, number)
        return float(Evaluation(book)[book.find(f"#{number}:{name}")])
    except (UnknownIdError, EvaluationError, ProblemError):
        return None
