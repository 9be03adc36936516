"""Whether a mistake can be made in an exercise, and would show in some of its answers: `SlipSearch(exercise)`.

Mistakes of single lines, such as a lost sign, can be made anywhere and show everywhere; so, for want of time, can all in a large network.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from handcalc.core.quantity import Cell
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.hidden import Mistakes
from handcalc.marking.mistakes import MISTAKES


class SlipSearch:
    """What the mistakes of the catalogue would do to the numbers of one exercise; worked out when it is first asked."""

    def __init__(self, exercise: Exercise) -> None:
        self.exercise = exercise

    @cached_property
    def _mistakes(self) -> Mistakes:
        return Mistakes(Worked(self.exercise))

    def can_be_made(self, slug: str) -> bool:
        """Whether a mistake can be made somewhere in the exercise."""
        mistake = MISTAKES[slug]
        if mistake.single or not (mistake.variants or mistake.across) or not self.exercise.book.small:
            return True
        return any(slug in form.slugs for form in self._mistakes.forms)

    def shows(self, slug: str, cells: Iterable[Cell]) -> bool:
        """Whether a mistake changes the digits asked of one of these steps by more than rounding may."""
        if slug not in MISTAKES or not self.can_be_made(slug):
            return False
        if not self.exercise.book.small:
            return True
        places = [place for place, form in enumerate(self._mistakes.forms) if slug in form.slugs]
        return not places or any(self._mistakes.shown(one, self.exercise.digits_of(one))[places].any() for one in cells)
