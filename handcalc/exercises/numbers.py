"""The numbers of a template: where each stands in its text, what it is, and from what it is drawn.

- `ExerciseTemplate(path)` reads the file; `slots` are the numbers that may be drawn, and seeds with which others are;
  `drawn(draws, attempt)` are new ones, as typed.
- `text_with(numbers)` is the file with these in their places, everything else as it was: comments, layout, order of keys; but it says in
  which notation its sheet is, where that is not the template's.
- `cells(numbers)` are the same for an evaluation: given cell → number.

A number is known by the id of its cell. What it is drawn from is said by `generate: numbers:` (by name, else by pattern, else by
role); what nothing is said of is drawn like the number that is there, but for the learning rate and whatever has no role.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from itertools import product
from typing import Protocol

from handcalc.core.expr import Number, number, references
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message, ProblemError, UnknownIdError
from handcalc.exercises.asked import Exercise
from handcalc.exercises.draw import Draws
from handcalc.loading.loader import file_of, loads_placed
from handcalc.loading.rates import rate_of
from handcalc.loading.schedules import updates_per_epoch
from handcalc.marking.workbook import on_sheet
from handcalc.problem.drawn import DrawnArray
from handcalc.problem.files import read_bytes, shown_path
from handcalc.problem.generating import ROLES, SEEDS, Generating, NumberRange
from handcalc.problem.values import SEED_MOST

KEPT_ROLES = ("learning_rate", "")  # drawn only where the file says how
USUAL_SEEDS = range(1, 10_000)
WHOLE_CHOICES = 3  # so many different whole targets are classes, which are drawn among themselves


class _Choices(Protocol):
    """All that a number may be, as typed."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int, /) -> str: ...


class Slot(Record):
    """A number of the file that may be drawn: from, to, in the text; its name and role; the cells that have it.

    arrays: of a seed, for each cell the array that is drawn with it and the place in that; the cells have those numbers.
    """

    start: int
    end: int
    name: str
    role: str
    number: Number
    cells: tuple[Cell, ...]
    arrays: tuple[tuple[DrawnArray, int], ...] = ()

    def numbers(self, typed: str) -> dict[Cell, Number]:
        """Cell → number, where this is typed."""
        if not self.arrays:
            return dict.fromkeys(self.cells, number(typed))
        drawn = {id(array): array.numbers(int(typed)) for array in {id(one): one for one, _ in self.arrays}.values()}
        return {cell: drawn[id(array)][place] for cell, (array, place) in zip(self.cells, self.arrays)}

    @property
    def value(self) -> Fraction:
        """The number that is there."""
        return Fraction(self.number.numerator, self.number.denominator)


class ExerciseTemplate:
    """A problem file whose numbers are drawn again."""

    def __init__(self, path: str, notation: str = "") -> None:
        self.path = file_of(path)
        self.notation = notation
        self.text = read_bytes(self.path)
        self.name = os.path.basename(self.path)
        self.stem = os.path.splitext(self.name)[0]
        self.folder = os.path.dirname(self.path)
        self._placed = loads_placed(self.text, shown_path(self.path), os.path.dirname(self.path))
        self.problem = self._placed.problem
        self.files = self._placed.files
        self.generating = self.problem.generating or Generating()
        self.exercise = Exercise(self.problem, notation=notation)
        self.book = self.exercise.book
        self._check_names()

    # --- where numbers stand ---

    @cached_property
    def slots(self) -> tuple[Slot, ...]:
        """The numbers of inputs, targets, parameters and the rate, and those given for equations, in the order of the file."""
        found: dict[int, Slot] = {}
        for cell, given in self._given():
            slot = self._slot(cell, given)
            if slot is None:
                continue  # from another file
            known = found.get(slot.start)
            found[slot.start] = known.replace(cells=known.cells + slot.cells, arrays=known.arrays + slot.arrays) if known else slot
        return tuple(found[start] for start in sorted(found))

    def _slot(self, cell: Cell, given: Number) -> Slot | None:
        """The number of the file that a cell has, or the seed that its number is drawn with."""
        if id(given) in self._placed.drawn:
            array, place = self._placed.drawn[id(given)]
            return Slot(array.start, array.end, f"seed.{array.name}", SEEDS, number(str(array.seed)), (cell,), ((array, place),))
        if id(given) in self._placed.numbers:
            own, start, end = self._placed.numbers[id(given)]
            return Slot(start, end, self._name(cell), self._role(cell), own, (cell,))
        return None

    def _given(self) -> Iterator[tuple[Cell, Number]]:
        """Every given cell with its number, on the sheets of all iterations, and of more where only those have all samples.

        Not inputs that no formula uses: an embedding takes other rows of its table for others, which are other formulas.
        """
        for count in range(1, max(self.book.iterations, updates_per_epoch(self.problem)) + 1):
            quantities = list(self.book.of_round(count))
            used = {ref.quantity for quantity in quantities for formula in quantity.formulas for ref in references(formula)}
            for quantity in quantities:
                if quantity.kind == "input" and quantity.name not in used:
                    continue
                for place in product(*(axis.places for axis in quantity.axes)) if quantity.givens and not quantity.stage else ():
                    wanted = on_sheet(count, quantity.name), place
                    value = self._as_read(quantity, wanted)
                    if value is not None:
                        yield wanted, value

    def _as_read(self, quantity: Quantity, wanted: Cell) -> Number | None:
        """The number of a given cell as it was read from this file; the graph may have those of the update from another problem."""
        if quantity.kind not in ("rate", "hyper"):
            return self.book.given_value(wanted)
        if quantity.of is not None:  # a parameter with a rate of its own
            of = self.book.graph[quantity.of.quantity]
            own = rate_of(self.problem, of.layer, of.word, self.book.graph.core((of.name, wanted[1])))
            return own or self.problem.learning_rate
        return self.problem.learning_rate if quantity.kind == "rate" else self.problem.optimizer.numbers.get(quantity.word)

    def _name(self, cell: Cell) -> str:
        return self.book.cell_id(cell)

    def _role(self, cell: Cell) -> str:
        """inputs, targets, weights, biases or learning_rate; "" for whatever else is given. Of equations: weights, if they are trained."""
        quantity = self.book.quantity(cell)
        if quantity.kind == "given" and quantity.word in self.problem.parameters:
            return "weights"
        if quantity.kind == "input" and quantity.role:
            return ""
        return next((role for role, kinds in ROLES.items() if quantity.kind in kinds), "")

    # --- what they are drawn from ---

    def range_of(self, slot: Slot) -> NumberRange:
        """What is said of a number: by its name, else by a pattern, else by its role, else of all."""
        ranges = self.generating.ranges
        if slot.arrays:  # parameters that a seed draws have no numbers of their own in the file
            ranges = tuple(one for one in ranges if one.name in ("", SEEDS) or one.name.startswith("seed."))
        named = next((one for one in ranges if one.name == slot.name or self._named.get(one.name) in slot.cells), None)
        fitting = next((one for one in ranges if is_pattern(one.name) and fits(slot.name, one.name)), None)
        if named or fitting:
            return named or fitting or NumberRange()
        own = next((one for one in ranges if one.name == slot.role and slot.role), None)
        usual = next((one for one in ranges if not one.name), NumberRange())
        return own or (usual.replace(how="keep") if slot.role in KEPT_ROLES else usual)

    @cached_property
    def _named(self) -> dict[str, Cell]:
        """The names under `numbers` that are those of given cells: ids, or letters of the notation."""
        found = {}
        for one in self.generating.ranges:
            if one.name and one.name not in ROLES and not is_pattern(one.name):
                with suppress(UnknownIdError):
                    found[one.name] = self.exercise.desk.interpreter.find(one.name)[0]
        return found

    def _check_names(self) -> None:
        """An error for names that are no numbers of the file. Raises ProblemError."""
        known = {slot.name for slot in self.slots}
        cells = {cell for slot in self.slots if not slot.arrays for cell in slot.cells}
        wrong = []
        for one in self.generating.ranges:
            told = one.name in known or self._named.get(one.name) in cells or one.name in ROLES or not one.name
            if not told and not (is_pattern(one.name) and any(fits(name, one.name) for name in known)):
                where = f"{self.problem.path}:{one.line}: generate.numbers: "
                wrong.append(Message("no number of the file is called {found}; known are {known}", where, found=f'"{one.name}"',
                                     known=", ".join([*ROLES, *sorted(known)][:12])))  # fmt: skip
        if wrong:
            raise ProblemError(*wrong)

    @cached_property
    def _choices(self) -> dict[str, _Choices]:
        """Name of a number → all that it may be, as typed."""
        return {slot.name: self._listed(slot) for slot in self.slots}

    def _listed(self, slot: Slot) -> _Choices:
        wanted = self.range_of(slot)
        if slot.arrays and not all(one.denominator == 1 and 0 <= one.numerator <= SEED_MOST for one in wanted.numbers):
            where = f"{self.problem.path}:{wanted.line}: generate.numbers: "
            raise ProblemError(Message("a seed is a whole number from 0 to {most}", where, most=SEED_MOST))
        if wanted.how == "keep":
            return (slot.number.text or str(slot.number.numerator),)
        if wanted.how == "choose":
            return tuple(_typed(one) for one in wanted.numbers)
        if wanted.how == "range":
            found = _Range(wanted)
            if not len(found):
                where = f"{self.problem.path}:{wanted.line}: generate.numbers: "
                raise ProblemError(Message("there is no number in the range of {name}", where, name=slot.name))
            return found
        return self._like(slot)

    def _like(self, slot: Slot) -> tuple[str, ...]:
        """Numbers with the same decimals, up to the largest of its role, with either sign; 0 only for 0."""
        if slot.arrays:
            return tuple(map(str, USUAL_SEEDS))
        values = [other.value for other in self.slots if other.role == slot.role]
        if self.problem.equations:
            values = [slot.value]  # what stands beside it is something else
        unit, below = _unit(slot.number)
        low, high = min(values), max(values)
        if slot.role == "targets":
            if all(value.denominator == 1 for value in values) and 1 < len({*values}) <= WHOLE_CHOICES:
                return tuple(_spelled(value, 0, 1) for value in sorted({*values}))
            low, high = (min(low, Fraction(0)), max(high, Fraction(0))) if low == high else (low, high)
        elif not (slot.role == "inputs" and all(value.denominator == 1 and value >= 0 for value in values)):
            low, high = -max(abs(low), abs(high)), max(abs(low), abs(high))
        else:
            low = Fraction(0)
        first, last = -(-low // unit), high // unit
        if last - first > STEPS_MOST:  # beside numbers of quite another size it stays what it is
            return (_typed(slot.number),)
        counted = [first + step for step in range(int(last - first) + 1)] if last - first < LIKE_MOST else _spread(int(first), int(last))
        places = _places(slot.number)
        allowed = [count * unit for count in counted if count or not slot.value or slot.role == "targets"]
        return tuple(_spelled(value, places, below) for value in allowed) or (_typed(slot.number),)

    @cached_property
    def _shares(self) -> list[list[Slot]]:
        """The targets of a sample that add up to 1, of which none is drawn otherwise: they only change places."""
        groups: dict[object, list[Slot]] = {}
        for slot in self.slots:
            if slot.role == "targets" and self.range_of(slot).how == "like":
                name, place = slot.cells[0]
                sampled = self.book.quantity(slot.cells[0]).sampled
                groups.setdefault((name, place[:1] if sampled else ()), []).append(slot)
        return [group for group in groups.values() if _are_shares([slot.value for slot in group])]

    # --- drawing ---

    @cached_property
    def varies(self) -> bool:
        """Whether anything is drawn at all."""
        return bool(self._shares) or any(len(choices) > 1 for choices in self._choices.values())

    def drawn(self, draws: Draws, attempt: int) -> dict[str, str]:
        """Name → new number as typed, of an attempt."""
        found = {}
        for slot in self.slots:
            choices = self._choices[slot.name]
            found[slot.name] = choices[draws.index(slot.name, attempt, len(choices))] if len(choices) > 1 else choices[0]
        for group in self._shares:
            order = draws.shuffled([slot.name for slot in group], attempt)
            found |= {slot.name: _typed(group[place].number) for slot, place in zip(group, order)}
        return found

    def text_with(self, numbers: Mapping[str, str]) -> str:
        """The file with other numbers; those that stay as they are keep their spelling."""
        parts, at = [], 0
        for slot in self.slots:
            new = numbers[slot.name]
            if number(new) != slot.number:
                parts += [self.text[at : slot.start], new]
                at = slot.end
        text = "".join((*parts, self.text[at:]))
        return text if self.notation in ("", self.problem.notation) else in_notation(text, self.notation)

    def cells(self, numbers: Mapping[str, str]) -> dict[Cell, Number]:
        """The same as given cells."""
        return {cell: one for slot in self.slots for cell, one in slot.numbers(numbers[slot.name]).items()}


def in_notation(text: str, notation: str) -> str:
    """A problem file that says its notation: whoever marks a sheet with it reads the symbols that are printed there."""
    flow = re.match(r"\s*\{", text)
    if flow:
        return f'{flow[0]}"notation": "{notation}", {text[flow.end() :]}'
    line = f"notation: {notation}"
    changed, count = re.subn(r"^notation[ \t]*:.*$", line, text, count=1, flags=re.MULTILINE)
    return changed if count else f"{text.rstrip()}\n{line}\n"


STEPS_MOST = 10**30  # between the ends of what a number may be, in units of its last digit
LIKE_MOST = 20_000  # different numbers that one may be drawn from, where nothing is said


def _spread(first: int, last: int) -> list[int]:
    """Of very many numbers some that lie evenly, and do not all end alike."""
    return [first + (last - first) * step // (LIKE_MOST - 1) for step in range(LIKE_MOST)]


def _are_shares(values: list[Fraction]) -> bool:
    return len(values) > 1 and sum(values) == 1 and all(0 <= value <= 1 for value in values)


class _Range:
    """The numbers of a range, as typed: with as many decimals as its beginning and its step have. Each is spelled when it is drawn."""

    def __init__(self, wanted: NumberRange) -> None:
        self._start, stop, self._step = (Fraction(one.numerator, one.denominator) for one in wanted.numbers)
        self._places = max(_places(wanted.numbers[0]), _places(wanted.numbers[2]))
        self._below = max(1 if "/" not in one.text else one.denominator for one in wanted.numbers)
        count = (stop - self._start) // self._step + 1
        steps = {(Fraction(one.numerator, one.denominator) - self._start) / self._step for one in wanted.excluded}
        self._excluded = sorted(int(step) for step in steps if step.denominator == 1 and 0 <= step < count)
        self._count = count - len(self._excluded)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int, /) -> str:
        for step in self._excluded:
            index += step <= index
        return _spelled(self._start + index * self._step, self._places, self._below)


def _typed(one: Number) -> str:
    return one.text or (str(one.numerator) if one.denominator == 1 else f"{one.numerator}/{one.denominator}")


def _places(one: Number) -> int:
    """The decimals of a number as it was typed."""
    mantissa, _, power = one.text.lower().partition("e")
    return max(len(mantissa.partition(".")[2]) - int(power or 0), 0) if "/" not in one.text else 0


def _unit(one: Number) -> tuple[Fraction, int]:
    """The value of its last digit, and 1; of a fraction, one part, and how many there are."""
    if "/" in one.text:
        return Fraction(1, one.denominator), one.denominator
    return Fraction(1, 10 ** _places(one)), 1


def _spelled(value: Fraction, places: int, below: int) -> str:
    """A number with so many decimals, or as a fraction with that many parts."""
    if below > 1:
        return f"{int(value * below)}/{below}"
    while (value * 10**places).denominator != 1:
        places += 1
    whole = int(value * 10**places)
    digits = str(abs(whole)).rjust(places + 1, "0")
    return "-" * (whole < 0) + (f"{digits[:-places]}.{digits[-places:]}" if places else digits)
