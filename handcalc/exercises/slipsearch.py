"""Whether a mistake can be made in an exercise, and would show in some of its answers: `SlipSearch(worked)`.

- `can_show(slug, steps)` asks the formulas: whether any numbers could show it there; `shows(slug, steps)` asks these numbers.

Mistakes of single lines, such as a lost sign, can be made anywhere and show everywhere; so, for want of time, can all in a large network.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

from handcalc.core.quantity import Cell
from handcalc.exercises.asked import Worked
from handcalc.exercises.hidden import Candidates, Mistakes, all_below
from handcalc.marking.definitions import MistakeForm
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.mistakes import MISTAKES


class SlipSearch:
    """What the mistakes of the catalogue would do to some numbers of an exercise; worked out when it is first asked."""

    def __init__(self, worked: Worked, candidates: Candidates | None = None) -> None:
        self.worked = worked
        self._candidates = candidates

    def can_show(self, slug: str, steps: Collection[Cell]) -> bool:
        """Whether a mistake changes the definition of any of these steps, or of what they are made from."""
        if self._is_anywhere(slug):
            return True
        below = all_below(self.worked.definitions, steps)
        return any(form.mistake.slug == slug and not below.isdisjoint(cells) for form, cells in self._touched.items())

    def shows(self, slug: str, steps: Collection[Cell]) -> bool:
        """Whether a mistake changes the digits asked of one of these steps by more than rounding may."""
        if self._is_anywhere(slug):
            return True
        found, digits_of = self._mistakes, self.worked.exercise.digits_of
        places = [place for place, form in enumerate(found.forms) if slug in form.slugs]
        return bool(places) and any(found.shown(one, digits_of(one))[places].any() for one in steps)

    def _is_anywhere(self, slug: str) -> bool:
        mistake = MISTAKES[slug]
        return mistake.single or not (mistake.variants or mistake.across) or not self.worked.exercise.book.small

    @cached_property
    def _touched(self) -> dict[MistakeForm, list[Cell]]:
        exercise = self.worked.exercise
        return Hypotheses(exercise.definitions, exercise.cells).touched

    @cached_property
    def _mistakes(self) -> Mistakes:
        return Mistakes(self.worked, self._candidates)
