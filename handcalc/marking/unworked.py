"""Answers that nobody worked out, which earn nothing and explain nothing.

- `same_everywhere(…)`: one number that stands for several quantities, and what comes of it.
- `copied_values(…)`: new values that are the old ones.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from handcalc.core.quantity import Cell
from handcalc.marking.desk import Desk
from handcalc.marking.follow import Follow, fits
from handcalc.marking.slips import is_old
from handcalc.marking.support import Support
from handcalc.marking.typed import Typed

COPIED = 2  # new values that are all the old ones, where none was worked out
IDLE = 3  # quantities for which the same wrong number stands, where nobody worked it out


def copied_values(desk: Desk, answers: Mapping[Cell, Typed], support: Support, follow: Follow) -> frozenset[Cell]:
    """New values that are the old ones, where no new value of the sheet is another, and not all are right, or follow, to the digits typed:
    the update was not worked out."""
    updated = [wanted for wanted in answers if desk.book.quantity(wanted).kind == "updated"]
    unmoved = frozenset(wanted for wanted in updated if is_old(desk.definitions, wanted, answers[wanted]))
    honest = all(fits(float(desk.right[wanted]), answers[wanted], True) or follow.accepts(wanted) for wanted in unmoved)
    if honest or len(unmoved) < max(len(updated), COPIED):
        return frozenset()
    return frozenset(wanted for wanted in unmoved if not (support.is_telling(wanted) and desk.is_right(wanted, answers[wanted], support)))


def same_everywhere(
    desk: Desk, answers: Mapping[Cell, Typed], right: frozenset[Cell], slips: tuple[Cell, ...], support: Support
) -> frozenset[Cell]:
    """The wrong answers of a sheet on which one number stands for several quantities that have others: nobody worked them out, and what
    comes of them was not worked out either."""
    value, count = Counter(answers[wanted].value for wanted in slips).most_common(1)[0] if slips else (0.0, 0)
    alike = [wanted for wanted in slips if answers[wanted].value == value]
    kinds, numbers = {wanted[0] for wanted in alike}, {float(desk.right[wanted]) for wanted in alike}
    if min(count, len(kinds), len(numbers)) < IDLE or 2 * count < len(slips):
        return frozenset()
    alike = [wanted for wanted, typed in answers.items() if typed.value == value]
    return frozenset(wanted for wanted in alike if wanted not in right or not support.tells(wanted))
