"""What happened on a sheet: `SheetHistory` says of every answer whether it is right, where it went wrong first, and what follows."""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.quantity import Cell
from handcalc.marking.definitions import Definitions
from handcalc.marking.diagnosis import Explanation
from handcalc.marking.follow import Follow
from handcalc.marking.support import Support
from handcalc.marking.typed import Typed


class SheetHistory:
    """What happened on a sheet: where it went wrong first, and what follows from it.

    last: answers that are right but for one unit of the last digit; loose: right only if numbers on the way were rounded roughly.
    """

    def __init__(
        self,
        definitions: Definitions,
        answers: Mapping[Cell, Typed],
        right: frozenset[Cell],
        slips: tuple[Cell, ...],
        follow: Follow,
        explanation: Explanation | None,
        support: Support,
        last: frozenset[Cell] = frozenset(),
        loose: frozenset[Cell] = frozenset(),
    ) -> None:
        self.definitions = definitions
        self.support = support
        self.last = last
        self.loose = loose
        self.answers = answers
        self.right = right
        self.slips = frozenset(slips)
        self.follow = follow
        self.explanation = explanation
        self._first: dict[tuple[str, ...], Cell] = {}
        self._made: dict[Cell, tuple[str, ...]] = {}
        for wanted in slips:
            slugs = self._slugs(wanted)
            if slugs:
                self._made[wanted] = slugs
                self._first.setdefault(slugs, wanted)
        self._roots: dict[Cell, Cell | None] = {}
        for wanted in answers:
            self._roots[wanted] = self._root(wanted)

    def verdict(self, wanted: Cell) -> str:
        """The verdict on a readable answer, but for its precision."""
        if wanted in self.right:
            return "correct"
        if wanted in self.slips:
            return "mistake" if wanted in self._made else "wrong"
        if self._roots[wanted] is not None:
            return "follow_through"
        if wanted in self.last:
            return "last_digit"
        return "rounded" if self.support.shows_rounding(wanted) and wanted not in self.loose else "imprecise"

    def mistakes(self, wanted: Cell) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
        """The mistakes made at an answer, and what else they may have been."""
        assert self.explanation is not None
        mine = self._made[wanted]
        whole = self.explanation.hypothesis.slugs
        others = []
        for other in self.explanation.alternatives:
            swapped = tuple(slug for slug in other.slugs if slug not in whole)
            kept = tuple(slug for slug in mine if slug in other.slugs)
            if swapped and len(kept) < len(mine):
                others.append((*kept, *swapped))
        return mine, tuple(dict.fromkeys(others))

    def because_of(self, wanted: Cell) -> Cell | None:
        """The answer with which it began; nothing where this is it."""
        if wanted in self._made:
            first = self._first[self._made[wanted]]
            return None if first == wanted else first
        return None if wanted in self.right or wanted in self.slips else self._roots[wanted]

    def _slugs(self, wanted: Cell) -> tuple[str, ...]:
        """The mistakes made between the answers before a slip and the slip itself."""
        if self.explanation is None or wanted in self.explanation.left:
            return ()
        definitions, hypothesis = self.definitions, self.explanation.hypothesis
        cells = definitions.between(wanted, self.answers, hypothesis)
        found = {form.mistake.slug for current in cells for form in hypothesis.at(current) if form in definitions.wrong(current)}
        return tuple(slug for slug in hypothesis.slugs if slug in found) or hypothesis.slugs

    def has_earlier(self, wanted: Cell) -> bool:
        """Whether another answer comes before this one."""
        definitions = self.definitions
        return any(used in self.answers for current in definitions.between(wanted, self.answers) for used in definitions.uses(current))

    def _root(self, wanted: Cell) -> Cell | None:
        """The first slip that an answer depends on, through what was not asked for."""
        definitions = self.definitions
        for current in definitions.between(wanted, self.answers):
            for used in definitions.uses(current):
                if used in self.slips:
                    return self.because_of(used) or used
                if used in self.answers and used not in self.right and self._roots.get(used) is not None:
                    return self._roots[used]
        return None
