"""What a sheet is marked with: `Desk(problem, notation, iterations)`, a problem worked out, with all that is asked about its answers.

Whether a number is right, how it was rounded, which answers went wrong, how much there is to explain. check.py and audit.py share this
judgement, and ask in their own order.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite, nan
from typing import Any

from handcalc.arrays.columns import array_library
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import neg, references
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, Message
from handcalc.marking.bands import NOISE, Grain
from handcalc.marking.conventions import OtherConventions
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import Diagnoser, Explanation
from handcalc.marking.follow import Follow, fits, is_single, unit
from handcalc.marking.interpret import Interpreter, ReadAnswer
from handcalc.marking.modes import Modes, grain_of, mixes_digits
from handcalc.marking.support import SEVERAL, TOLD, Support
from handcalc.marking.table import HypothesisTable
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import Workbook, base, iteration
from handcalc.problem.schema import Problem, Task

ROUGH = 3  # significant digits of numbers on the way that make an answer too rough, but not wrong
SLIPS = 24  # wrong answers of a sheet beside which right ones are looked for
APART = 5  # units of the last digit by which a number is surely another
ONE_DIGIT = 10  # units of the last digit in one of the digit before it
NEAR = 0.015  # relative difference of numbers that rounding on the way, or any small slip, may explain
TELLING = 1e-2  # relative difference of two numbers that tell one mistake from another

UNIFORM = 6  # answers of which none is rounded up: they were cut off


class Desk:
    """A workbook, and all that is known about it."""

    def __init__(self, problem: Problem, notation: str, iterations: int) -> None:
        self.problem = problem
        self.book = Workbook(problem, iterations)
        self.interpreter = Interpreter(self.book, notation)
        self.definitions = Definitions(self.book)
        self.right = self.definitions.values
        self.modes = Modes(self.book)
        self.diagnoser = Diagnoser(self.definitions)
        self.conventions = OtherConventions(self.definitions)

    def learn(self, other: Desk) -> None:
        """Take over what another desk knows of formulas, where they are the same."""
        if self.book.has_formulas_of(other.book):
            self.definitions.learn(other.definitions)
            self.diagnoser.learn(other.diagnoser)

    def rounding_of(
        self, answers: Mapping[Cell, Typed], declared: Rounding | None, right: Collection[Cell], support: Support
    ) -> tuple[Rounding | None, Follow]:
        """The rounding in which the solution gives every answer, if there is one, and what follows from them; where nothing but cutting
        off explains several, they were cut off."""
        found = self.modes.found(answers, declared) if answers else None
        support.is_reproduced = found is not None and len(answers) >= SEVERAL and sum(map(support.tells, answers)) >= TOLD
        if found and not all(wanted in right or self.stands(wanted, support) for wanted in answers):
            found = None
        if found is not None and found.ties == "truncate":
            return found, Follow(self.definitions, answers, grain_of(answers, declared, True))
        plain = Follow(self.definitions, answers, grain_of(answers, declared))
        doubted = [] if found or declared else [wanted for wanted in answers if wanted not in right and not plain.accepts(wanted)]
        least = 1 if doubted and self._is_cut_off(answers, doubted) else SEVERAL
        if len(doubted) < least:
            return found, plain
        cut = Follow(self.definitions, answers, grain_of(answers, declared, True))
        return found, cut if sum(map(cut.accepts, doubted)) >= least else plain

    def _is_cut_off(self, answers: Mapping[Cell, Typed], doubted: Collection[Cell]) -> bool:
        """Whether none of many answers is what comes out of the numbers before it rounded away from 0, which nobody has who cuts off, and
        a doubted one is that number cut off."""
        exact = Follow(self.definitions, answers, Grain())

        def rounded_up(wanted: Cell, typed: Typed) -> bool:
            own = exact.expected(wanted)
            return fits(own.low, typed) and abs(typed.value) > max(abs(own.low), abs(own.high)) * (1 + NOISE)

        cut = any(fits(exact.expected(wanted).low, answers[wanted], cut=True) for wanted in doubted)
        return cut and len(answers) >= UNIFORM and not any(map(rounded_up, answers, answers.values()))

    def slips(
        self, answers: Mapping[Cell, Typed], right: frozenset[Cell], accepted: Collection[Cell], support: Support
    ) -> tuple[Cell, ...]:
        """The answers with which something went wrong: not those that follow from an earlier wrong one, or that rounding explains."""
        slips: list[Cell] = []
        wrong: set[Cell] = set()  # and what follows from it
        for wanted in (found for found in answers if found not in right):
            before = self.definitions.between(wanted, answers)
            follows = any(used in wrong for current in before for used in self.definitions.uses(current))
            is_slip = wanted not in accepted or not (follows or self.stands(wanted, support))
            if is_slip:
                slips.append(wanted)
            if is_slip or follows:
                wrong.add(wanted)
        return tuple(slips)

    @property
    def biases_apart(self) -> bool:
        """Whether the notation has biases outside of net inputs."""
        return bool(self.interpreter.reading.notation.data.get("biases_apart"))

    def is_right(self, wanted: Cell, typed: Typed, support: Support) -> bool:
        """Whether an answer is right in full precision, to the digits typed, or in single precision; where the digits show the whole
        number, only it is."""
        value = float(self.right[wanted])
        if support.is_exact(wanted) and not is_single(value, typed):
            return abs(typed.value - value) <= NOISE * max(abs(value), 1.0)
        return fits(value, typed) or is_single(value, typed)

    def is_last_digit(self, wanted: Cell, support: Support, follow: Follow) -> bool:
        """Whether an answer is the right number but for one unit of its last digit, or what the student's own numbers make is."""
        return any(support.is_last_digit(wanted, value) for value in (float(self.right[wanted]), follow.expected(wanted).low))

    def stands(self, wanted: Cell, support: Support) -> bool:
        """Whether an answer that rounding on the way may explain is right, or has too few digits, but is not wrong."""
        if support.is_supported(wanted):
            return True
        return not support.is_exact(wanted) and (support.is_reproduced or support.is_near(wanted, float(self.right[wanted])))

    def roughly_right(self, answers: Mapping[Cell, Typed], slips: tuple[Cell, ...], support: Support) -> frozenset[Cell]:
        """The answers that come out where what was not asked for was rounded to three digits, where the digits of a sheet are mixed; an
        answer alone, where that was rounded to one digit fewer than it has, and it has one fewer right."""
        digits = ROUGH
        if len(answers) == 1:
            ((wanted, typed),) = answers.items()
            digits = max(typed.significant - 1, ROUGH)
            if abs(typed.value - float(self.right[wanted])) > ONE_DIGIT * unit(typed):
                return frozenset()
        elif not mixes_digits(answers):
            return frozenset()
        follow = Follow(self.definitions, answers, Grain(None, digits))
        return frozenset(wanted for wanted in slips if not support.is_exact(wanted) and answers[wanted].above and follow.accepts(wanted))

    def telling(self, explanation: Explanation, answers: Mapping[Cell, Any]) -> Cell | None:
        """The first step not answered whose value would tell an explanation from its alternatives."""
        numpy = array_library()

        rows = (explanation.hypothesis, *explanation.alternatives)
        table = HypothesisTable(self.definitions, rows)
        for wanted in self.book.cells():
            if wanted not in answers:
                values = numpy.sort(table[wanted])
                if (numpy.diff(values) > TELLING * numpy.absolute(values[1:])).all():
                    return wanted
        return None

    def follows_exactly(self, wanted: Cell, answers: Mapping[Cell, Typed]) -> bool:
        """Whether an answer is what its line gives on the student's other numbers just as they are typed: 0/√0 with ε is no range."""
        others = {cell: typed.value for cell, typed in answers.items() if cell != wanted}
        return bool(others) and fits(self._worked(wanted, others), answers[wanted])

    def right_beside_slips(self, answers: Mapping[Cell, Typed], accepted: Collection[Cell]) -> frozenset[Cell]:
        """The answers that are what their lines give on what should stand before them, rounded as it is: that was only copied wrong."""
        found: set[Cell] = set()
        mended: dict[Cell, float] = {}
        for wanted, typed in answers.items() if len(answers) - len(accepted) <= SLIPS else ():
            value = typed.value if wanted in accepted else self._worked(wanted, mended)
            if wanted not in accepted and fits(value, typed):
                found.add(wanted)
            mended[wanted] = round(value, typed.places) if isfinite(value) and typed.places is not None else typed.value
        return frozenset(found)

    def written_wrong(self, wanted: Cell, answers: Mapping[Cell, Typed], right: Collection[Cell]) -> Message | None:
        """What is said of a wrong answer that was only written down wrong: a right one was worked with its right number, since with the one
        written its line gives another."""
        others = {cell: typed.value for cell, typed in answers.items()}
        for later in (cell for cell in answers if cell in right):
            if any(wanted in self.definitions.uses(current) for current in self.definitions.between(later, answers)):
                value = self._worked(later, {cell: number for cell, number in others.items() if cell != later})
                if isfinite(value) and abs(value - answers[later].value) > APART * unit(answers[later]):
                    step = self.book.cell_id(later)
                    return Message("only written down wrong: {step} was worked with the right number", step=step)
        return None

    def _worked(self, wanted: Cell, numbers: Mapping[Cell, float]) -> float:
        """What a line gives on some numbers; not a number where it gives none."""
        try:
            return float(Evaluation(MistakenBook(self.definitions, NONE), None, numbers)[wanted])
        except (HandcalcError, ArithmeticError, ValueError):
            return nan

    def size(self, wanted: Cell, typed: Typed) -> float:
        """How large an answer is; of a number that an update has changed, how far it is from the one before, or should be."""
        before = self.book.before(wanted)
        if before is None:
            return abs(typed.value)
        old = float(self.right[before])
        return max(abs(typed.value - old), abs(float(self.right[wanted]) - old))

    def room(self, wanted: Cell, typed: Typed) -> float:
        """How much there is to explain: how large an answer is; near the right number, where many wrong ones are, how far off it is."""
        size, off = self.size(wanted, typed), max(abs(typed.value - float(self.right[wanted])), unit(typed))
        return off if off < NEAR * size else size

    def in_order(self, reads: list[ReadAnswer]) -> list[ReadAnswer]:
        """The answers, each after those it depends on."""
        order: dict[Cell, None] = {}
        for read in reads:
            if read.cell is not None:
                pending: list[tuple[Cell, bool]] = [(read.cell, False)]
                while pending:
                    current, done = pending.pop()
                    if done:
                        order[current] = None
                    elif current not in order:
                        pending.append((current, True))
                        pending.extend((used, False) for used in reversed(self.definitions.uses(current)) if used not in order)
        places = {wanted: place for place, wanted in enumerate(order)}
        return sorted((read for read in reads if read.cell is not None), key=lambda read: places[read.cell])  # type: ignore[index]

    def asked_digits(self, wanted: Cell, task: Task) -> tuple[int | None, int | None] | None:
        """The decimals or significant digits that a task or the problem asks of an answer."""
        if task.decimals is not None or task.significant is not None:
            return task.decimals, task.significant
        rounding = self.book.derivation.rounding if self.problem.rounding is not None else None  # which knows printed names as ids
        return None if rounding is None else rounding.digits(self.book.cell_id(wanted))


def _typed(value: float) -> Typed:
    """The value of a formula, which is exact and shows no digits."""
    return Typed(repr(value), *value.as_integer_ratio(), None, 0)


def firm(right: frozenset[Cell], follow: Follow) -> frozenset[Cell]:
    """The right answers that also follow from the numbers before them on the sheet."""
    return frozenset(wanted for wanted in right if follow.accepts(wanted))


def formula_value(desk: Desk, read: ReadAnswer) -> ReadAnswer:
    """A formula that is equivalent is right; of another one its value is judged, to all its digits."""
    if read.formula is None or read.cell is None:
        return read
    from handcalc.proof.equivalence import judge

    plain, number = base(read.cell), iteration(read.cell)
    formula = neg(read.formula) if read.turned else read.formula
    judgement = judge(desk.book.derivation.at(number), plain, formula)
    if judgement.equivalent:
        proved = judgement.how != "numeric" or not references(formula)
        note = None if proved else Message("equal at random points; not proved in the time there is")
        return read.replace(typed=_typed(float(desk.right[read.cell])), trouble=note)
    try:
        return read.replace(typed=_typed(float(desk.right.of(desk.book.moved(formula, number)))))
    except (ArithmeticError, ValueError):
        return read.replace(trouble=Message("this formula has no value for the numbers of the problem"))
