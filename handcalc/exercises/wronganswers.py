"""The wrong answers to expect: what the likeliest mistakes give, with the digits asked.

- `WrongAnswers(mistakes)`; `.of(step, digits, accepted, most)` are the likeliest that are not accepted, those with the same answer
  together, and what became of all others that change the number.
- `expected_slips(mistakes)` are the few that a key lists of every number asked.
"""

from __future__ import annotations

import math
from decimal import Decimal

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.exercises.asked import EXACT_MOST, AskedDigits, Exercise
from handcalc.exercises.hidden import Form, Mistakes
from handcalc.exercises.intervals import Interval, accepted, around, unit_of

SLIPS = 2  # of each number asked, in a key
NAMED_TOGETHER = 2  # mistakes with the same answer that are named
INSIDE, TIE, LIMIT = "inside tolerance", "tie", "limit"


class WrongAnswer(Record):
    """A wrong answer, with the digits asked, and the mistake that gives it, or two of those that do."""

    forms: tuple[Form, ...]
    answer: str
    interval: Interval

    @property
    def slugs(self) -> tuple[str, ...]:
        """The mistakes."""
        return tuple(dict.fromkeys(form.slug for form in self.forms))


class ExpectedSlip(Record):
    """A line for whoever marks by hand: the step asked, its right number, a wrong one, and the mistakes that give it."""

    wanted: Cell
    right: str
    wrong: str
    slugs: tuple[str, ...]


class Dropped(Record):
    """A form of a mistake that has no feedback of its own, and why."""

    form: Form
    because: str


class WrongAnswers:
    """What the mistakes of an exercise give."""

    def __init__(self, mistakes: Mistakes) -> None:
        self.mistakes = mistakes
        self.exercise: Exercise = mistakes.exercise

    def of(self, wanted: Cell, digits: AskedDigits, accepted: Interval, most: int) -> tuple[tuple[WrongAnswer, ...], tuple[Dropped, ...]]:
        """Those of a step, the likeliest first, so many at most; and all other mistakes that change it. accepted: what counts as right."""
        forms, values = self.mistakes.forms, self.mistakes.values(wanted)
        changed, shown = self.mistakes.changed(wanted), self.mistakes.shown(wanted, digits)
        dropped: list[Dropped] = []
        groups: dict[str, list[int]] = {}
        for place in self._likeliest(wanted):
            value = float(values[place])
            if not changed[place] or not math.isfinite(value):
                continue
            answer = digits.shown(value) if abs(value) < EXACT_MOST else ""
            if not answer:
                dropped.append(Dropped(forms[place], LIMIT))
            elif not shown[place] or accepted.has(Decimal(answer)):
                dropped.append(Dropped(forms[place], INSIDE))
            else:
                groups.setdefault(answer, []).append(place)
        found: list[WrongAnswer] = []
        for answer, places in groups.items():
            because = LIMIT if len(found) >= most else ""
            because = because or TIE * any(other.interval.has(Decimal(answer)) for other in found)
            named = () if because else tuple(dict.fromkeys(forms[place].slug for place in places))[:NAMED_TOGETHER]
            kept = tuple(forms[place] for place in places if forms[place].slug in named)
            dropped += [Dropped(forms[place], because or TIE) for place in places if forms[place] not in kept]
            if kept:
                value = float(values[places[0]])
                found.append(WrongAnswer(kept, answer, around(answer, unit_of(value, digits))))
        return tuple(found), tuple(dropped)

    def _likeliest(self, wanted: Cell) -> list[int]:
        """The forms in the order in which they are looked for: first those that are made at the step itself, then those before it,
        whose numbers are asked earlier; among equals as the catalogue has them."""
        far = _distances(self.exercise, wanted)
        touched = self.mistakes.candidates.touched
        most = len(far)
        order = [min((far.get(cell, most) for cell in touched[form]), default=most) for form in self.mistakes.forms]
        return sorted(range(len(order)), key=lambda place: (order[place], place))


def expected_slips(mistakes: Mistakes) -> tuple[ExpectedSlip, ...]:
    """The likeliest wrong answers of each number that is asked."""
    worked, wrong = mistakes.worked, WrongAnswers(mistakes)
    found: list[ExpectedSlip] = []
    for wanted, digits in mistakes.exercise.asked.items():
        answers, _ = wrong.of(wanted, digits, accepted(worked, wanted, digits), SLIPS)
        found += (ExpectedSlip(wanted, worked.shown[wanted], one.answer, one.slugs) for one in answers)
    return tuple(found)


def _distances(exercise: Exercise, wanted: Cell) -> dict[Cell, int]:
    """How many steps before a step each of those is that it is made from."""
    found = {wanted: 0}
    for current in (pending := [wanted]):
        for used in exercise.definitions.uses(current):
            if used not in found:
                found[used] = found[current] + 1
                pending.append(used)
    return found
