"""Which mistakes the answers asked would show: those that are hidden, tied, or change nothing at all.

- `Mistakes(worked)` works every form of every mistake on the numbers of an exercise: `hidden`, `tied`, `inert`, `inside(step)`.
- `shown_by(form)` and `ask_also` say what to ask in addition, `decimals_for(form)` and `digits_needed` with how many digits.

A mistake is hidden where it changes some number of the solution, but every asked answer stays within what legitimate rounding allows
(`Worked.tolerance`). Two are tied where all asked answers have the same digits. Nothing here knows one mistake from another.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from copy import copy
from functools import cached_property
from itertools import combinations
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.exercises.asked import MOST, USUAL, AskedDigits, Exercise, Worked
from handcalc.marking.definitions import Definitions, Hypothesis, MadeMistake, MistakeForm
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.table import HypothesisRows, HypothesisTable

Array = Any  # numpy.ndarray
SAME = 1e-9  # how near two numbers are, of themselves, that are the same in full precision
NOTHING = 1e-15


class Form(Record):
    """One form of one mistake, or two mistakes together; number: which form, from 1, where the mistake has several, else 0."""

    slug: str
    number: int = 0
    other: Form | None = None

    @property
    def json(self) -> dict[str, Any]:
        """As data: {"mistake": slug, "form": number}."""
        own: dict[str, Any] = {"mistake": self.slug, **({"form": self.number} if self.number else {})}
        return own | ({"with": self.other.json} if self.other else {})

    @property
    def slugs(self) -> frozenset[str]:
        """The mistakes it is made of."""
        return frozenset({self.slug}) | (self.other.slugs if self.other else frozenset())


class Candidates:
    """The mistakes that can be made in an exercise, each everywhere: sorted out once for all its numbers.

    reaching: whether a form changes the definition of anything that an asked answer is made from; else no numbers can show it;
    touched: the steps whose definition a form changes.
    """

    def __init__(self, exercise: Exercise, pairs: bool = False) -> None:
        hypotheses = Hypotheses(exercise.definitions, exercise.cells)
        below = all_below(exercise.definitions, exercise.asked)
        self.near = hypotheses.near
        self.touched = {form_of(form): frozenset(cells) for form, cells in hypotheses.touched.items()}
        touched = sorted((form for form in hypotheses.touched if not form.mistake.single), key=lambda form: form.order)
        rows = [Hypothesis((MadeMistake(form),)) for form in touched]
        forms = [form_of(form) for form in touched]
        if pairs:
            both = hypotheses.pairs()
            rows += both
            forms += [form_of(first.form).replace(other=form_of(second.form)) for first, second in (row.parts for row in both)]
        self.exercise = exercise
        self.forms = tuple(forms)
        self.reaching = tuple(any(_reaches(part.form, hypotheses, below) for part in row.parts) for row in rows)
        self.rows = HypothesisRows(exercise.definitions, tuple(rows))

    def some(self, places: Sequence[int]) -> Candidates:
        """Only some of them."""
        found = copy(self)
        found.forms = tuple(self.forms[place] for place in places)
        found.rows = HypothesisRows(self.exercise.definitions, tuple(self.rows.rows[place] for place in places))
        return found


def all_below(definitions: Definitions, cells: Iterable[Cell]) -> set[Cell]:
    """Some steps, and all that they are made from."""
    found = {*cells}
    pending = list(found)
    while pending:
        new = [used for used in definitions.uses(pending.pop()) if used not in found]
        found.update(new)
        pending += new
    return found


def _reaches(form: MistakeForm, hypotheses: Hypotheses, below: set[Cell]) -> bool:
    return not below.isdisjoint(hypotheses.touched[form])


def form_of(form: MistakeForm) -> Form:
    """A form of the catalogue, numbered."""
    mistake = form.mistake
    own = form.variant + 1 if form.variant >= 0 else len(mistake.variants) + 1
    return Form(mistake.slug, own if len(mistake.variants) + (mistake.across is not None) > 1 else 0)


class Mistakes:
    """What every mistake does to the numbers of an exercise; places: the numbers of forms in `candidates.forms`."""

    def __init__(self, worked: Worked, candidates: Candidates | None = None) -> None:
        self.worked = worked
        self.exercise = worked.exercise
        self.candidates = candidates or Candidates(worked.exercise)
        self.forms = self.candidates.forms
        self._table = HypothesisTable(worked.definitions, self.candidates.rows, near=self.candidates.near)
        self._values: dict[Cell, Array] = {}
        self._shown: dict[tuple[Cell, AskedDigits], Array] = {}

    # --- what they do ---

    def values(self, wanted: Cell) -> Array:
        """The number of a step under each form."""
        if wanted not in self._values:
            self._values[wanted] = self._table[wanted]
        return self._values[wanted]

    def changed(self, wanted: Cell) -> Array:
        """Under which forms a step has another number, in full precision."""
        import numpy

        right, found = self.worked.number(wanted), self.values(wanted)
        with numpy.errstate(all="ignore"):
            near = numpy.abs(found - right) <= SAME * numpy.maximum(numpy.abs(found), abs(right)) + NOTHING
        return ~near

    def shown(self, wanted: Cell, digits: AskedDigits) -> Array:
        """Under which forms the number of a step, rounded, is one that rounding cannot give."""
        import numpy

        key = (wanted, digits)
        if key not in self._shown:
            band = self.worked.tolerance(wanted, digits)
            found = self.rounded(wanted, digits)
            slack = digits.unit(self.worked.number(wanted)) * 1e-6
            with numpy.errstate(all="ignore"):
                outside = ~((found >= band.low - slack) & (found <= band.high + slack))
            self._shown[key] = outside & self.changed(wanted)
        return self._shown[key]

    def rounded(self, wanted: Cell, digits: AskedDigits) -> Array:
        """The number of a step under each form, with the digits asked."""
        import numpy

        found = self.values(wanted)
        with numpy.errstate(all="ignore"):
            if digits.decimals is not None:
                scale: Any = 10.0**digits.decimals
            else:
                size = numpy.floor(numpy.log10(numpy.where(found == 0, 1.0, numpy.abs(found))))
                scale = 10.0 ** ((digits.significant or 1) - 1 - size)
            return numpy.sign(found) * numpy.floor(numpy.abs(found) * scale + 0.5 + SAME) / scale

    # --- hidden, tied, inert ---

    @cached_property
    def seen(self) -> Array:
        """Under which forms some asked answer leaves its tolerance."""
        return self._any(self.shown(wanted, digits) for wanted, digits in self.exercise.asked.items())

    @cached_property
    def changes(self) -> Array:
        """Which steps a form changes, by (step, form)."""
        import numpy

        cells = self.exercise.cells
        return numpy.array([self.changed(wanted) for wanted in cells]) if cells else numpy.zeros((0, len(self.forms)), dtype=bool)

    def _any(self, parts: Iterable[Array]) -> Array:
        import numpy

        found = numpy.zeros(len(self.forms), dtype=bool)
        for part in parts:
            found = found | part
        return found

    @cached_property
    def hidden(self) -> tuple[int, ...]:
        """The forms that change some number of the solution, but none of those asked as far as it is asked."""
        if self.seen.all():
            return ()
        moved = self.changes.any(axis=0)
        return tuple(place for place in range(len(self.forms)) if moved[place] and not self.seen[place])

    @cached_property
    def inert(self) -> tuple[int, ...]:
        """The forms that could be made here, but change no number of the solution."""
        moved = self.changes.any(axis=0)
        return tuple(place for place in range(len(self.forms)) if not moved[place] and not self.seen[place])

    def changed_by(self, place: int) -> list[Cell]:
        """The steps that a form changes, in document order."""
        return [wanted for wanted, changed in zip(self.exercise.cells, self.changes[:, place]) if changed]

    def inside(self, wanted: Cell) -> list[str]:
        """The mistakes that change a step, but stay within what rounding allows."""
        found = self.changed(wanted) & ~self.shown(wanted, self.exercise.asked[wanted])
        return list(dict.fromkeys(form.slug for form, inside in zip(self.forms, found) if inside))

    @cached_property
    def _alike(self) -> list[list[int]]:
        """The forms whose asked answers have the same digits, by document; those that change nothing left out."""
        columns = [self.rounded(wanted, digits) for wanted, digits in self.exercise.asked.items()]
        groups: dict[tuple[float, ...], list[int]] = {}
        still = {*self.inert}
        for place in range(len(self.forms)):
            numbers = tuple(float(column[place]) + 0.0 for column in columns)
            if place not in still and not any(map(math.isnan, numbers)):
                groups.setdefault(numbers, []).append(place)
        return [group for group in groups.values() if len({self.forms[place].slugs for place in group}) > 1]

    @cached_property
    def tied(self) -> list[list[int]]:
        """The forms of several mistakes that give the same asked digits."""
        hidden = {*self.hidden}
        groups = [[place for place in group if place not in hidden] for group in self._alike]
        return [group for group in groups if len({self.forms[place].slugs for place in group}) > 1]

    # --- what to ask ---

    @cached_property
    def further(self) -> tuple[Cell, ...]:
        """The steps that could be asked as well."""
        return tuple(wanted for wanted in self.exercise.cells if wanted not in self.exercise.asked)

    @cached_property
    def _gains(self) -> Array:
        """What asking a step more would show or split, by (step, aim)."""
        import numpy

        digits = self.exercise.digits
        hidden = list(self.hidden)
        pairs = [pair for group in self._alike for pair in combinations(group, 2) if self.forms[pair[0]].slugs != self.forms[pair[1]].slugs]
        first, second = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        rows = []
        for wanted in self.further:
            rounded = self.rounded(wanted, digits)
            rows.append(numpy.concatenate([self.shown(wanted, digits)[hidden], rounded[first] != rounded[second]]))
        return numpy.array(rows, dtype=bool) if rows else numpy.zeros((0, len(hidden) + len(pairs)), dtype=bool)

    @cached_property
    def ask_also(self) -> tuple[Cell, ...]:
        """Further steps that show every hidden mistake and split every tie, as far as any can: the one that does most, and so on."""
        gains = self._gains
        if not gains.size:
            return ()
        left, found = gains.any(axis=0), []
        while left.any():
            best = int((gains & left).sum(axis=1).argmax())
            found.append(best)
            left = left & ~gains[best]
        return tuple(self.further[place] for place in sorted(found))

    def splits(self) -> bool:
        """Whether some tie could be split by asking more."""
        return bool(self._gains[:, len(self.hidden) :].any())

    def shown_by(self, place: int) -> list[Cell]:
        """The steps of `ask_also` that show a hidden form; none where no step does."""
        digits = self.exercise.digits
        return [wanted for wanted in self.ask_also if self.shown(wanted, digits)[place]]

    @cached_property
    def _decimals(self) -> dict[int, int]:
        """Hidden form → the fewest decimals with which the asked answers show it."""
        found: dict[int, int] = {}
        for count in range(self.fewest, MOST + 1):
            left = [place for place in self.hidden if place not in found]
            if not left:
                break
            seen = self._any(self.shown(wanted, AskedDigits(count)) for wanted in self.exercise.asked)
            found |= {place: count for place in left if seen[place]}
        return found

    @property
    def fewest(self) -> int:
        """The decimals that are asked now."""
        asked = [digits.decimals for digits in self.exercise.asked.values()]
        return max((count for count in asked if count is not None), default=USUAL)

    def decimals_for(self, place: int) -> int | None:
        """The decimals with which the asked answers show a hidden form; None where they never do."""
        return self._decimals.get(place)

    @property
    def digits_needed(self) -> int | None:
        """The decimals with which nothing is hidden; None where something is with any."""
        if len(self._decimals) < len(self.hidden):
            return None
        return max((self.fewest, *self._decimals.values()))
