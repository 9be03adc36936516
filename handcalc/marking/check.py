"""Marking a student's hand calculation: the questions asked of every answer, in order.

- `Checker(problem)` marks sheets of one problem: `Checker.mark(sheet)` answers a `Marking`; `check(problem, answers)`
  does both.

1. Readable, and a step of the solution?  2. Right in full precision, to the digits typed?  3. Right in the student's rounding?
4. Right for the student's own earlier numbers?  5. Explained by a mistake, together with the rest of the sheet?
Rounding is a mode and interval arithmetic, never a tolerance.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import log2
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.marking.answers import Sheet, sheet_of
from handcalc.marking.conventions import OtherConvention, SheetSoFar
from handcalc.marking.definitions import FORMS, Hypothesis, MadeMistake
from handcalc.marking.desk import Desk, firm, formula_value
from handcalc.marking.diagnosis import SURE, Explanation, Slips
from handcalc.marking.elsewhere import as_terms_are_meant
from handcalc.marking.follow import Follow
from handcalc.marking.history import SheetHistory
from handcalc.marking.marked import Marking
from handcalc.marking.modes import as_meant
from handcalc.marking.signs import as_errors_are_meant
from handcalc.marking.slips import misplaced_answers
from handcalc.marking.support import Support
from handcalc.marking.typed import Typed
from handcalc.marking.unworked import copied_values, same_everywhere
from handcalc.marking.verdicts import Reasons, Verdicts
from handcalc.marking.workbook import iteration_of
from handcalc.problem.schema import Problem

ITERATIONS_LIMIT = 50  # iterations of a sheet that is marked
EARLY = 8  # roundings that are tried: decimals and significant digits
ROUNDED_TOO_EARLY = Hypothesis(tuple(MadeMistake(form) for form in FORMS if form.mistake.slug == "rounded-too-early"))


class Checker:
    """Marks sheets of one problem; what does not depend on a sheet is worked out once.

    like: a checker of what may be the same exercise with other numbers, such as another variant; what it knows of formulas is not
    worked out again.
    """

    def __init__(self, problem: Problem, notation: str = "", rounding: Rounding | None = None, like: Checker | None = None) -> None:
        self.problem = problem
        self.notation = notation
        self.rounding = rounding
        self._desks: dict[int, Desk] = {}
        self._known = dict(like._desks) if like is not None else {}

    def desk(self, iterations: int = 1) -> Desk:
        """What is needed to mark a sheet that goes so many iterations far."""
        if iterations not in self._desks:
            made = self._desks[iterations] = Desk(self.problem, self.notation, iterations)
            if iterations in self._known:
                made.learn(self._known.pop(iterations))
        return self._desks[iterations]

    def desk_for(self, sheet: Sheet) -> Desk:
        """The desk for the iterations that a sheet and the tasks speak of."""
        asked = [*(iteration_of(answer.id) for answer in sheet.answers), *(iteration_of(task.ask) for task in self.problem.tasks)]
        asked += [self._iteration(answer.names) for answer in sheet.answers if answer.names]
        return self.desk(min(max(asked, default=1), ITERATIONS_LIMIT))

    def _iteration(self, names: tuple[str, ...]) -> int:
        """The iteration that several names speak of, if none of them is a step of the first; of samples with a round each, of any."""
        if self.problem.training.mode != "batch":
            return max(map(iteration_of, names))
        known = self.desk().interpreter.is_step
        if any(iteration_of(name) == 1 and known(name) for name in names):
            return 1
        return next((iteration_of(name) for name in names if known(name.partition(":")[2])), 1)

    def mark(self, sheet: Sheet) -> Marking:
        """One sheet, marked."""
        return mark(self.desk_for(sheet), sheet.replace(rounding=sheet.rounding or self.rounding))


def check(problem: Problem, answers: Mapping[str, Any] | Sheet, notation: str = "") -> Marking:
    """A student's answers (id → number as typed), marked."""
    return Checker(problem, notation).mark(sheet_of(answers))


def mark(desk: Desk, sheet: Sheet) -> Marking:
    """The questions, in order."""
    reads, turned = as_errors_are_meant(desk.definitions, [formula_value(desk, read) for read in desk.interpreter.read(sheet)])
    reads, elsewhere = as_terms_are_meant(desk.definitions, reads, desk.biases_apart)
    typed = {read.cell: read.typed for read in desk.in_order(reads) if read.cell and read.typed}
    answers, support = as_meant(typed, sheet.rounding), Support(desk.definitions, typed, sheet.rounding)
    right = frozenset(wanted for wanted, typed in answers.items() if desk.is_right(wanted, typed, support))
    found, follow = desk.rounding_of(answers, sheet.rounding, right, support)
    copied = copied_values(desk, answers, support, follow)
    right -= copied
    open_still = [wanted for wanted in answers if wanted not in right | copied]
    accepted = {wanted for wanted in open_still if found or follow.accepts(wanted) or desk.follows_exactly(wanted, answers)}
    accepted |= desk.right_beside_slips(answers, right | accepted).intersection(open_still)
    last = frozenset(wanted for wanted in answers if wanted not in right | accepted and desk.is_last_digit(wanted, support, follow))
    slips = desk.slips(answers, right, accepted, support)
    if len(slips) == 1 and last.issuperset(slips):  # several may have a reason
        slips = ()
    idle = same_everywhere(desk, answers, right, slips, support)
    right, slips = right - idle, tuple(wanted for wanted in answers if wanted in idle or wanted in slips)
    conventions = _conventions(desk, answers, right, slips, follow)
    right, slips = right | conventions.keys(), tuple(wanted for wanted in slips if wanted not in conventions)
    rooms = {wanted: desk.room(wanted, typed) for wanted, typed in answers.items()}
    unworked = idle | copied
    worked = {wanted: typed for wanted, typed in answers.items() if wanted not in unworked}
    thought = tuple(wanted for wanted in slips if wanted not in unworked)
    misplaced, maybe = _explained(desk, Slips(worked, right, thought, follow, rooms, firm(right, follow)))
    misplaced |= dict.fromkeys(copied, "old-value-given")
    explanation = maybe.replace(left=maybe.left | unworked) if maybe is not None and maybe.sure else None
    unexplained = {*slips} - {*misplaced} if explanation is None else explanation.left - copied
    loose = desk.roughly_right(answers, slips, support) & unexplained if sheet.rounding is None else frozenset()
    slips = tuple(wanted for wanted in slips if wanted not in unexplained or wanted not in last | loose)
    loose |= {wanted for wanted in accepted if support.is_far(wanted) and not desk.follows_exactly(wanted, answers)}
    story = SheetHistory(desk.definitions, answers, right, slips, follow, explanation, support, last, loose)
    rounding = found or sheet.rounding
    marked = Verdicts(desk, answers, rounding).all(reads, story, Reasons(misplaced, maybe, conventions | turned | elsewhere, idle))
    return Marking(sheet.name, marked, rounding, explanation).in_context(desk)


def _conventions(
    desk: Desk, answers: Mapping[Cell, Typed], right: frozenset[Cell], slips: tuple[Cell, ...], follow: Follow
) -> dict[Cell, OtherConvention]:
    """The answers that another convention makes right, where that is allowed."""
    if not slips or desk.problem.marking.conventions != "allow":
        return {}
    sizes = {wanted: desk.size(wanted, typed) for wanted, typed in answers.items()}
    return desk.conventions.find(SheetSoFar(answers, right, slips, follow.grain, sizes))


def _explained(desk: Desk, sheet: Slips) -> tuple[dict[Cell, str], Explanation | None]:
    """The slips that are right numbers in a wrong place, if no one mistake explains the whole sheet; and what explains the others."""
    misplaced = misplaced_answers(desk.definitions, sheet.answers, sheet.slips)
    whole = desk.diagnoser.explain(sheet) if misplaced else None
    if whole is not None and not whole.left and len(whole.hypothesis.slugs) == 1:
        return {}, whole
    judged = {wanted: typed for wanted, typed in sheet.answers.items() if wanted not in misplaced}
    slips = tuple(wanted for wanted in sheet.slips if wanted not in misplaced)
    return misplaced, _explanation(desk, sheet.replace(answers=judged, slips=slips)) if slips else None


def _explanation(desk: Desk, sheet: Slips) -> Explanation | None:
    found = desk.diagnoser.explain(sheet)
    tells = any(sheet.answers[wanted].above for wanted in sheet.slips)
    if (found is None or found.left) and tells and desk.book.small and desk.modes.early(sheet.answers):
        return Explanation(ROUNDED_TOO_EARLY, (), frozenset(), sum(map(sheet.bits, sheet.slips)) >= SURE + log2(EARLY))
    return found
