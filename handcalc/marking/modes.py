"""How a student rounds: found from the digits of a sheet, or declared in it.

- `Modes(book)` works the solution in a rounding, once for all sheets: `values(rounding)` before and after rounding.
- `plausible(answers, declared)` are the roundings a sheet may have been worked in; `grain_of(…)` how coarsely numbers that
  no answer was asked for may have been rounded.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.rounding import DIGITS_LIMIT, Rounding
from handcalc.errors import EvaluationError
from handcalc.marking.bands import Grain
from handcalc.marking.follow import fits
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import InOneLine, Workbook

TIES = ("half_up", "half_even", "truncate")
MOST_DECIMALS = 15
ENOUGH = 3  # answers with decimals that show a habit
SPREAD = 2  # digits that one number of a sheet may have more than another that it is worked from
FEWEST = 2  # digits that whole numbers are thought to have where no other number shows how many


class Modes:
    """The solution of a problem worked with rounding, each way once."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self._runs: dict[tuple[Rounding, bool, bool], Evaluation] = {}

    def reproduces(self, rounding: Rounding, answers: Mapping[Cell, Typed], early: bool = False) -> bool:
        """Whether every answer is what comes out in a rounding; early: or what it was before the last rounding."""
        either = (False, True) if rounding.carry else (False,)
        ways = product(either if self.book.has_steps else (False,), either)
        return any(self._gives(self._run(rounding, *way), rounding, answers, early) for way in ways)

    def _run(self, rounding: Rounding, outputs: bool, updates: bool) -> Evaluation:
        """The solution in a rounding; outputs of softmax, and new parameters, are worked out by their steps, or in one line."""
        found = self._runs.get((rounding, outputs, updates))
        if found is None:
            found = Evaluation(InOneLine(self.book, updates, outputs) if outputs or updates else self.book, rounding)
            self._runs[rounding, outputs, updates] = found
        return found

    def _gives(self, run: Evaluation, rounding: Rounding, answers: Mapping[Cell, Typed], early: bool) -> bool:
        cut = rounding.ties == "truncate"
        try:
            return all(
                fits(float(run[wanted]), typed, cut) or (early and fits(float(run.unrounded[wanted]), typed, cut))
                for wanted, typed in answers.items()
            )
        except EvaluationError:
            return False

    def found(self, answers: Mapping[Cell, Typed], declared: Rounding | None) -> Rounding | None:
        """The first plausible rounding in which the solution gives every answer."""
        tried = [rounding for rounding in plausible(answers, declared) if self.book.small or not rounding.carry]
        return next((rounding for rounding in tried if self.reproduces(rounding, answers)), None)

    def early(self, answers: Mapping[Cell, Typed]) -> Rounding | None:
        """A coarser rounding than the answers show that explains all of them: results were rounded too early."""
        for places in range(max(_places(answers), default=0) - 1, 0, -1):
            rounding = Rounding(places, None, True)
            if self.reproduces(rounding, answers, early=True):
                return rounding
        for significant in range(max(_significant(answers), default=0) - 1, 0, -1):
            rounding = Rounding(None, significant, True)
            if self.reproduces(rounding, answers, early=True):
                return rounding
        return None


def mixes_digits(answers: Mapping[Cell, Typed]) -> bool:
    """Whether answers have now more, now fewer digits, both decimals and significant ones."""
    broken = [typed for typed in answers.values() if typed.places and typed.places > 0]
    return len({typed.places for typed in broken}) > 1 < len({typed.significant for typed in broken})


def _places(answers: Mapping[Cell, Typed]) -> list[int]:
    return [min(max(typed.places, 0), MOST_DECIMALS) for typed in answers.values() if typed.places is not None]


def _significant(answers: Mapping[Cell, Typed]) -> list[int]:
    """Significant digits typed; the zeros at the end of a whole number may be none."""
    return [min(_shown_digits(typed), DIGITS_LIMIT) for typed in answers.values() if typed.places is not None and typed.above]


def _shown_digits(typed: Typed) -> int:
    return len(str(abs(typed.above)).rstrip("0")) if typed.places is not None and typed.places <= 0 else typed.significant


def plausible(answers: Mapping[Cell, Typed], declared: Rounding | None) -> Iterator[Rounding]:
    """Full precision shown with these digits, then the same digits carried; with each way to treat a 5."""
    if declared is not None:
        yield declared.replace(carry=False)
        yield declared.replace(carry=True)
        return
    places, significant = max(_places(answers), default=None), max(_significant(answers), default=None)
    roundings = []
    if places is not None:
        roundings.append(Rounding(places, None))
    if significant is not None:
        roundings.append(Rounding(None, significant))
    if _uniform(answers) == "significant":
        roundings.reverse()
    for ties in TIES:
        for carry in (False, True):
            yield from (rounding.replace(carry=carry, ties=ties) for rounding in roundings)


def _uniform(answers: Mapping[Cell, Typed]) -> str:
    """decimals or significant where all answers have the same number of one and not of the other, else nothing."""
    broken = [typed for typed in answers.values() if typed.places and typed.places > 0 and "." in typed.plain]
    places, significant = {typed.places for typed in broken}, {typed.significant for typed in broken}
    if len(broken) < ENOUGH or (len(places) > 1) == (len(significant) > 1):
        return ""
    return "significant" if len(places) > 1 else "decimals"


def as_meant(answers: Mapping[Cell, Typed], declared: Rounding | None) -> dict[Cell, Typed]:
    """The answers with the precision they were meant to have, where the digits alone do not tell.

    3 between numbers of four digits is 3.000, not anything that rounds to it; 12350 between them has four digits, not five.
    """
    decimals = max(_places(answers), default=0)
    broken = [typed.significant for typed in answers.values() if typed.places]
    whole = [_shown_digits(typed) for typed in answers.values() if typed.places == 0]
    significant = max(FEWEST, *(broken or whole), 0)
    if declared is not None:
        decimals, significant = max(decimals, declared.decimals or 0), declared.significant or significant
        if declared.decimals == 0:
            return dict(answers)
    return {wanted: _as_meant(typed, decimals or FEWEST, significant) for wanted, typed in answers.items()}


def _as_meant(typed: Typed, decimals: int, significant: int) -> Typed:
    if typed.places != 0:
        return typed
    digits = len(str(abs(typed.above)))
    if digits < significant:
        return typed.replace(places=min(decimals, significant - digits) if typed.above else decimals)
    zeros = digits - _shown_digits(typed)
    return typed.replace(places=-min(zeros, digits - significant))


def grain_of(answers: Mapping[Cell, Typed], declared: Rounding | None, cut: bool = False) -> Grain:
    """How coarsely a sheet is rounded: as declared, else as its digits say."""
    if declared is not None:
        return Grain(declared.decimals, declared.significant if declared.decimals is None else None, declared.ties == "truncate")
    uniform = _uniform(answers)
    places = None if uniform == "significant" else max(_places(answers), default=None)
    significant = None if uniform == "decimals" else max(_significant(answers), default=None)
    if places is not None and significant is not None:
        significant = _fewest(answers, significant)
    return Grain(places, significant, cut)


def _fewest(answers: Mapping[Cell, Typed], most: int) -> int:
    """The significant digits that numbers on the way may have had: the fewest of the sheet."""
    broken = [typed.significant for typed in answers.values() if typed.places and typed.places > 0 and typed.significant >= ENOUGH]
    return max(min(broken), ENOUGH, most - SPREAD) if broken else most
