"""Marking a student's hand calculation: the questions asked of every answer, in order.

- `Checker(problem)` marks sheets of one problem: `Checker.mark(sheet)` answers a `Marking`; `check(problem, answers)`
  does both.

1. Readable, and a step of the solution?  2. Right in full precision, to the digits typed?  3. Right in the student's rounding?
4. Right for the student's own earlier numbers?  5. Explained by a mistake, together with the rest of the sheet?
Rounding is a mode and interval arithmetic, never a tolerance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from handcalc.core.expr import Ref, neg, references
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.marking.answers import Sheet, sheet_of
from handcalc.marking.bands import NOISE, Grain
from handcalc.marking.conventions import OtherConvention, OtherConventions, SheetSoFar
from handcalc.marking.definitions import FORMS, Definitions, Hypothesis, MadeMistake
from handcalc.marking.diagnosis import Diagnoser, Explanation, Slips
from handcalc.marking.follow import Follow, fits, is_single, unit
from handcalc.marking.history import SheetHistory
from handcalc.marking.interpret import Interpreter, ReadAnswer
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.modes import Modes, as_meant, grain_of, mixes_digits
from handcalc.marking.signs import is_error, with_sign_of_errors
from handcalc.marking.slips import LineSlip, LineSlips, misplaced_answers
from handcalc.marking.support import Support
from handcalc.marking.table import HypothesisTable
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import Workbook, base, iteration, iteration_of, on_sheet
from handcalc.problem.schema import Problem, Task

ROUGH = 3  # significant digits of numbers on the way that make an answer too rough, but not wrong
SEVERAL = 3  # answers that show a rounding together, if all come out in it
ITERATIONS_LIMIT = 50  # iterations of a sheet that is marked
NEAR = 0.015  # relative difference of numbers that rounding on the way, or any small slip, may explain
TELLING = 1e-2  # relative difference of two numbers that tell one mistake from another
ROUNDED_TOO_EARLY = Hypothesis(tuple(MadeMistake(form) for form in FORMS if form.mistake.slug == "rounded-too-early"))
_LIKE = {"last_digit": "imprecise"}  # whose share of the marks a verdict has


class Checker:
    """Marks sheets of one problem; what does not depend on a sheet is worked out once."""

    def __init__(self, problem: Problem, notation: str = "", rounding: Rounding | None = None) -> None:
        self.problem = problem
        self.notation = notation
        self.rounding = rounding
        self._desks: dict[int, Desk] = {}

    def desk(self, iterations: int = 1) -> Desk:
        """What is needed to mark a sheet that goes so many iterations far."""
        if iterations not in self._desks:
            self._desks[iterations] = Desk(self.problem, self.notation, iterations)
        return self._desks[iterations]

    def desk_for(self, sheet: Sheet) -> Desk:
        """The desk for the iterations that a sheet and the tasks speak of."""
        asked = (*(answer.id for answer in sheet.answers), *(task.ask for task in self.problem.tasks))
        return self.desk(min(max(map(iteration_of, asked), default=1), ITERATIONS_LIMIT))

    def mark(self, sheet: Sheet) -> Marking:
        """One sheet, marked."""
        return self.desk_for(sheet).mark(sheet.replace(rounding=sheet.rounding or self.rounding))


def check(problem: Problem, answers: Mapping[str, Any] | Sheet, notation: str = "") -> Marking:
    """A student's answers (id → number as typed), marked."""
    return Checker(problem, notation).mark(sheet_of(answers))


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

    def mark(self, sheet: Sheet) -> Marking:
        """The questions, in order."""
        reads, turned = with_sign_of_errors(self.definitions, [formula_value(self, read) for read in self.interpreter.read(sheet)])
        typed = {read.cell: read.typed for read in self.in_order(reads) if read.cell and read.typed}
        answers, support = as_meant(typed, sheet.rounding), Support(self.definitions, typed, sheet.rounding)
        right = frozenset(wanted for wanted, typed in answers.items() if self.is_right(wanted, typed, support))
        found, follow = self.rounding_of(answers, sheet.rounding, right, support)
        rounding = found or sheet.rounding
        accepted = {wanted for wanted in answers if wanted not in right and (found or follow.accepts(wanted))}
        last = frozenset(wanted for wanted in answers if wanted not in right | accepted and self.is_last_digit(wanted, support))
        slips = self.slips(answers, right, accepted, support)
        if len(slips) == 1 and last.issuperset(slips):  # several may have a reason
            slips = ()
        sizes = {wanted: self.size(wanted, typed) for wanted, typed in answers.items()}
        allowed = slips and self.problem.marking.conventions == "allow"
        conventions = self.conventions.find(SheetSoFar(answers, right, slips, follow.grain, sizes)) if allowed else {}
        right, slips = right | conventions.keys(), tuple(wanted for wanted in slips if wanted not in conventions)
        conventions |= turned
        rooms = {wanted: self.room(wanted, typed) for wanted, typed in answers.items()}
        known = Slips(answers, right, slips, follow, rooms, firm(right, follow))
        misplaced, maybe = self._explained(known)
        explanation = maybe if maybe is not None and maybe.sure else None
        unexplained = {*slips} - {*misplaced} if explanation is None else explanation.left
        loose = unexplained & self.roughly_right(answers, slips, support) if sheet.rounding is None else set()
        slips = tuple(wanted for wanted in slips if wanted not in unexplained or wanted not in last | loose)
        story = SheetHistory(self.definitions, answers, right, slips, follow, explanation, support, last, frozenset(loose))
        marked = tuple(self._marked(read, story, answers, rounding) for read in reads)
        marked = tuple(self._by_convention(answer, conventions) for answer in self._with_slips(marked, answers, misplaced, maybe))
        return Marking(sheet.name, marked, rounding, explanation)

    def rounding_of(
        self, answers: Mapping[Cell, Typed], declared: Rounding | None, right: Collection[Cell], support: Support
    ) -> tuple[Rounding | None, Follow]:
        """The rounding in which the solution gives every answer, if there is one, and what follows from them; where nothing but cutting
        off explains several, they were cut off."""
        found = self.modes.found(answers, declared) if answers else None
        support.is_reproduced = found is not None and len(answers) >= SEVERAL
        if found and not all(wanted in right or self.stands(wanted, support) for wanted in answers):
            found = None
        if found is not None and found.ties == "truncate":
            return found, Follow(self.definitions, answers, grain_of(answers, declared, True))
        plain = Follow(self.definitions, answers, grain_of(answers, declared))
        doubted = [] if found or declared else [wanted for wanted in answers if wanted not in right and not plain.accepts(wanted)]
        if len(doubted) < SEVERAL:
            return found, plain
        cut = Follow(self.definitions, answers, grain_of(answers, declared, True))
        return found, cut if sum(map(cut.accepts, doubted)) >= SEVERAL else plain

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

    def _explained(self, sheet: Slips) -> tuple[dict[Cell, str], Explanation | None]:
        """The slips that are right numbers in a wrong place, if no one mistake explains the whole sheet; and what explains the others."""
        misplaced = misplaced_answers(self.definitions, sheet.answers, sheet.slips)
        whole = self.diagnoser.explain(sheet) if misplaced else None
        if whole is not None and not whole.left and len(whole.hypothesis.slugs) == 1:
            return {}, whole
        judged = {wanted: typed for wanted, typed in sheet.answers.items() if wanted not in misplaced}
        slips = tuple(wanted for wanted in sheet.slips if wanted not in misplaced)
        return misplaced, self._explanation(sheet.replace(answers=judged, slips=slips)) if slips else None

    def is_right(self, wanted: Cell, typed: Typed, support: Support) -> bool:
        """Whether an answer is right in full precision, to the digits typed; where those show the whole number, only it is."""
        value = float(self.right[wanted])
        if support.is_exact(wanted):
            return abs(typed.value - value) <= NOISE * max(abs(value), 1.0)
        return fits(value, typed) or is_single(value, typed)

    def is_last_digit(self, wanted: Cell, support: Support) -> bool:
        """Whether an answer is the right number but for one unit of its last digit."""
        return support.is_last_digit(wanted, float(self.right[wanted]))

    def stands(self, wanted: Cell, support: Support) -> bool:
        """Whether an answer that rounding on the way may explain is right, or has too few digits, but is not wrong."""
        if support.is_supported(wanted):
            return True
        return not support.is_exact(wanted) and (support.is_reproduced or support.is_near(wanted, float(self.right[wanted])))

    def roughly_right(self, answers: Mapping[Cell, Typed], slips: tuple[Cell, ...], support: Support) -> frozenset[Cell]:
        """The answers that come out where what was not asked for was rounded to three digits, where the digits of a sheet are mixed."""
        if not mixes_digits(answers):
            return frozenset()
        follow = Follow(self.definitions, answers, Grain(None, ROUGH))
        return frozenset(wanted for wanted in slips if not support.is_exact(wanted) and answers[wanted].above and follow.accepts(wanted))

    def telling(self, explanation: Explanation, answers: Mapping[Cell, Any]) -> Cell | None:
        """The first step not answered whose value would tell an explanation from its alternatives."""
        import numpy

        rows = (explanation.hypothesis, *explanation.alternatives)
        table = HypothesisTable(self.definitions, rows)
        for wanted in self.book.cells():
            if wanted not in answers:
                values = numpy.sort(table[wanted])
                if (numpy.diff(values) > TELLING * numpy.abs(values[1:])).all():
                    return wanted
        return None

    def size(self, wanted: Cell, typed: Typed) -> float:
        """How large an answer is; of a number that an update has changed, how far it is from the one before, or should be."""
        before = self._before(wanted)
        if before is None:
            return abs(typed.value)
        old = float(self.right[before])
        return max(abs(typed.value - old), abs(float(self.right[wanted]) - old))

    def room(self, wanted: Cell, typed: Typed) -> float:
        """How much there is to explain: how large an answer is; near the right number, where many wrong ones are, how far off it is."""
        size, off = self.size(wanted, typed), max(abs(typed.value - float(self.right[wanted])), unit(typed))
        return off if off < NEAR * size else size

    def _before(self, wanted: Cell) -> Cell | None:
        """The cell that held the number before the update: w for w⁺, net for net after it, and in the iteration before."""
        quantity, number, (name, place) = self.book.quantity(wanted), iteration(wanted), base(wanted)
        if quantity.kind == "updated" and quantity.of is not None:
            return on_sheet(number, quantity.of.quantity), place
        if quantity.stage == "after":
            return on_sheet(number, self.book.earlier[name]), place
        there = number > 1 and self.book.of_round(number - 1).present(name, place)  # not a sample of another mini-batch
        return (on_sheet(number - 1, name), place) if there else None

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

    def _explanation(self, sheet: Slips) -> Explanation | None:
        found = self.diagnoser.explain(sheet)
        if (found is None or found.left) and self.book.small and self.modes.early(sheet.answers):
            return Explanation(ROUNDED_TOO_EARLY, (), frozenset())
        return found

    def _marked(self, read: ReadAnswer, story: SheetHistory, answers: Mapping[Cell, Typed], rounding: Rounding | None) -> Marked:
        """The verdict on one answer."""
        answer = read.answer
        worth = float(read.task.marks.numerator / read.task.marks.denominator) if answer.trouble is None else 0.0
        known = Marked(answer.id, answer.text, "unreadable", read.cell, turned=read.turned or False, note=read.trouble, worth=worth)
        if read.cell is None:
            return known
        known = known.replace(id=self.book.cell_id(read.cell), expected=self._expected(read), typed=read.typed)
        if read.typed is None:
            return known if not read.blank else known.replace(verdict="missing")
        verdict = story.verdict(read.cell)
        if verdict in RIGHT and read.formula is None and not self._precise(read, answers, rounding):
            verdict = "imprecise"
        slugs, others = story.mistakes(read.cell) if verdict == "mistake" else ((), ())
        begun = story.because_of(read.cell)
        note = known.note or self._remark(read.cell, read.typed, verdict)
        known = known.replace(verdict=verdict, mistakes=slugs, alternatives=others, note=note)
        known = known.replace(because_of=self.book.cell_id(begun) if begun else "")
        return known.replace(marks=worth * self._share(known))

    def _with_slips(
        self, marked: tuple[Marked, ...], answers: Mapping[Cell, Typed], misplaced: Mapping[Cell, str], maybe: Explanation | None
    ) -> tuple[Marked, ...]:
        """The answers that no mistake explains, or two at once, with the slip on a single line that does, or that may; maybe: mistakes that
        may explain what no slip does."""
        unexplained = [answer for answer in marked if answer.verdict == "wrong" or len(answer.mistakes) > 1]
        wrong = [answer.cell for answer in unexplained if answer.cell and answer.cell in answers]
        found = {cell: LineSlip(slug, True) for cell, slug in misplaced.items()}
        if self.book.small:
            found |= LineSlips(self.definitions, answers, self.room).explain_all([cell for cell in wrong if cell not in found])

        def explained(answer: Marked) -> Marked:
            slip = found.get(answer.cell) if answer.cell else None
            if maybe is not None and not maybe.sure and answer.verdict == "wrong" and answer.cell not in maybe.left:
                if slip is None or not slip.sure:
                    return answer.replace(hints=maybe.hypothesis.slugs)
            if slip is None or answer.verdict not in ("wrong", "mistake"):
                return answer
            if slip.sure:
                named = answer.replace(verdict="mistake", mistakes=(slip.slug,), alternatives=())
                return named.replace(marks=named.worth * self._share(named))
            return answer.replace(hints=(slip.slug,)) if answer.verdict == "wrong" else answer

        return tuple(map(explained, marked))

    def _by_convention(self, marked: Marked, conventions: Mapping[Cell, OtherConvention]) -> Marked:
        """The answer, or that it is right under another convention."""
        found = conventions.get(marked.cell) if marked.cell else None
        if found is None or marked.verdict not in ("correct", "rounded"):
            return marked
        known = marked.replace(
            verdict="convention", conventions=(found.name,), alternatives=found.mistakes, note=marked.note or found.title
        )
        return known.replace(marks=known.worth * self._share(known))

    def _expected(self, read: ReadAnswer) -> str:
        assert read.cell is not None
        plain, number = base(read.cell), iteration(read.cell)
        shown = self.book.derivation.shown(plain, number)
        return (shown.negated() if read.turned else shown).plain

    def _precise(self, read: ReadAnswer, answers: Mapping[Cell, Typed], rounding: Rounding | None) -> bool:
        """Whether an answer that is right has the digits asked for, or is exact.

        Where none are asked: the digits of its rounding, else two, or as many decimals as the rest of the sheet.
        """
        assert read.cell is not None
        typed, value = answers[read.cell], float(self.right[read.cell])
        asked = self.asked_digits(read.cell, read.task)
        if typed.places is None or abs(typed.value - value) <= 1e-9 * abs(value):
            return True
        if asked is None:
            carried = rounding is not None and rounding.carry
            return carried or typed.significant >= 2 or typed.places >= max(other.places or 0 for other in answers.values())
        decimals, significant = asked
        return typed.places >= decimals if decimals is not None else typed.significant >= (significant or 1)

    def asked_digits(self, wanted: Cell, task: Task) -> tuple[int | None, int | None] | None:
        """The decimals or significant digits that a task or the problem asks of an answer."""
        if task.decimals is not None or task.significant is not None:
            return task.decimals, task.significant
        rounding = self.problem.rounding
        return None if rounding is None else rounding.digits(self.book.cell_id(wanted))

    def _remark(self, wanted: Cell, typed: Typed, verdict: str) -> Message | None:
        if verdict == "last_digit":
            return Message("one unit of the last digit away from the right number")
        if verdict in ("mistake", "wrong") and is_error(self.definitions, wanted) and fits(-float(self.right[wanted]), typed):
            return Message("right if δ = −∂E/∂net: a new weight beside it would tell")
        if verdict not in RIGHT:
            return self._of_given(wanted, typed)
        value = float(self.right[wanted])
        return Message("right in single precision (float32)") if is_single(value, typed) and not fits(value, typed) else None

    def _of_given(self, wanted: Cell, typed: Typed) -> Message | None:
        """A remark on another number for a parameter that is given: the new one has a name of its own."""
        name, place = base(wanted)
        given = self.book.given_value(wanted)
        new = self.book.graph.updated(name)
        if given is None or iteration(wanted) > 1 or not new or fits(float(self.right[wanted]), typed):
            return None
        reading, found = self.interpreter.reading, float(self.right[new, place])
        words = {"old": reading.symbol(Ref(name, place)), "new": reading.symbol(Ref(new, place)), "id": self.book.cell_id((new, place))}
        if fits(found, typed):
            return Message("{old} is given; your number is right for the updated one, {new} (id {id})", **words)
        return Message("{old} is given; the updated one is {new} (id {id})", **words)

    def _share(self, marked: Marked) -> float:
        scheme = self.problem.marking
        if marked.verdict == "convention":
            return float(scheme.conventions == "allow")
        repeated = marked.verdict == "mistake" and marked.because_of != ""
        name = "follow_through" if repeated else _LIKE.get(marked.verdict, marked.verdict)
        share = getattr(scheme, name, None)
        return float(share.numerator / share.denominator) if share is not None else 1.0 if name == "correct" else 0.0


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
