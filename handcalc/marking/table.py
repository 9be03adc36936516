"""The values of cells under many hypotheses at once.

- `HypothesisTable(definitions, rows)[cell]` is an array with one value for each hypothesis; what cannot be computed is not a number.

Cells are computed when asked for, once for all hypotheses that define them alike, and only for those under which they are another
number: a mistake at one place changes little of a large network.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from copy import copy
from functools import reduce
from operator import add, and_, or_
from typing import Any, NamedTuple

from handcalc.arrays.columns import array_library
from handcalc.core.expr import Expr, Ref, Sum, walk
from handcalc.core.functions import NOISE, SMALL, Function
from handcalc.core.instance import Arithmetic, apply, compute
from handcalc.core.quantity import Cell, cell
from handcalc.core.vanishing import vanishing, zeros
from handcalc.marking.components import components
from handcalc.marking.definitions import Definitions, Hypothesis, MistakeForm

Array = Any  # numpy.ndarray


def _power(above: Any, exponent: Any) -> Any:
    numpy = array_library()

    with numpy.errstate(all="ignore"):
        return numpy.power(numpy.asarray(above, dtype=float), exponent)


def _call(record: Function, values: list[Any], at: int) -> Any:
    numpy = array_library()

    def one(*numbers: float) -> float:
        try:
            return float(apply(record, list(numbers), at))
        except (ArithmeticError, ValueError):
            return math.nan

    if not values:
        return one()
    arguments = [*zip(*(array.ravel().tolist() for array in numpy.broadcast_arrays(*values)))]
    known = {numbers: one(*numbers) for numbers in set(arguments)}  # most hypotheses change few of them
    return numpy.array([known[numbers] for numbers in arguments])


def _settle(value: Any, terms: list[Any]) -> Any:
    numpy = array_library()

    if not (numpy.absolute(value) < SMALL).any():
        return value
    return numpy.where(numpy.absolute(value) <= NOISE * reduce(numpy.maximum, map(numpy.absolute, terms)), 0.0, value)


ARRAYS = Arithmetic(lambda literal: literal.numerator / literal.denominator, _power, _call, _settle)


def worked(formula: Expr, used: Callable[[Ref], Any], is_slope: bool) -> Any:
    """The values of a formula, of a slope or not; a sum of which only the noise of its terms is left is 0, and so is 0·ln 0. Raises as
    `compute` does."""
    numpy = array_library()

    terms = [compute(term, used, ARRAYS) for term in formula.terms] if isinstance(formula, Sum) else []
    value = reduce(add, terms) if terms else compute(formula, used, ARRAYS)
    known = numpy.isfinite(value)
    if not known.all() and any(zeros(node, is_slope) for node in walk(formula)):
        value = numpy.where(known, value, vanishing(formula, used, ARRAYS, is_slope, _zero_or))
    return _settle(value, terms) if terms else value


def _zero_or(values: list[Any], logarithms_of: list[Any], otherwise: Callable[[], Any]) -> Any:
    numpy = array_library()

    zero = reduce(or_ if logarithms_of else and_, [numpy.asarray(value) == 0 for value in values])
    return numpy.where(reduce(and_, [numpy.asarray(value) >= 0 for value in logarithms_of], zero), 0.0, otherwise())


class HypothesisTable:
    """The values of cells under many hypotheses, one entry each; what cannot be computed is not a number.

    answers: numbers taken from a sheet: what uses such a cell uses the sheet's number, under every hypothesis.
    near: the cells in which mistakes are made; all others are right.

    Hypotheses that work the cells in another order than the solution (w⁺ sent back) are worked apart from the others, which need not
    wait for them.
    """

    def __init__(
        self,
        definitions: Definitions,
        rows: tuple[Hypothesis, ...] | HypothesisRows,
        answers: Mapping[Cell, float] | None = None,
        near: frozenset[Cell] | None = None,
    ) -> None:
        known = rows if isinstance(rows, HypothesisRows) else HypothesisRows(definitions, rows)
        self.rows = known.rows
        self._teams = [(numbers, _Team(definitions, own, answers, near)) for numbers, own in known.teams]

    def __getitem__(self, wanted: Cell) -> Array:
        """The values of a cell."""
        numpy = array_library()

        if len(self._teams) == 1:
            return self._teams[0][1][wanted]
        values = numpy.full(len(self.rows), math.nan)
        for numbers, team in self._teams:
            values[numbers] = team[wanted]
        return values


class HypothesisRows:
    """Hypotheses for a table, sorted out once for all sheets."""

    def __init__(self, definitions: Definitions, rows: tuple[Hypothesis, ...]) -> None:
        numpy = array_library()

        self.rows = rows
        teams: dict[bool, list[int]] = {}
        for number, row in enumerate(rows):
            late = not definitions.late.isdisjoint(part.form for part in row.parts)
            teams.setdefault(late, []).append(number)
        self.teams = [
            (numpy.array(numbers), _TeamRows(definitions, tuple(rows[number] for number in numbers))) for numbers in teams.values()
        ]

    def of(self, definitions: Definitions) -> HypothesisRows:
        """The same for a workbook with the same formulas and other given numbers."""
        found = copy(self)
        found.teams = [(numbers, rows.of(definitions)) for numbers, rows in self.teams]
        return found


class _TeamRows:
    """Those that work the cells in one order, by the mistakes they make."""

    def __init__(self, definitions: Definitions, rows: tuple[Hypothesis, ...]) -> None:
        numpy = array_library()

        self.definitions = definitions
        self.rows = rows
        self._groups: dict[Cell, list[tuple[tuple[MistakeForm, ...], Array]]] = {}
        everywhere: dict[MistakeForm, list[int]] = {}
        placed: dict[Cell, dict[MistakeForm, list[int]]] = {}
        for number, row in enumerate(rows):
            for part in row.parts:
                for current in part.cells or ():
                    placed.setdefault(current, {}).setdefault(part.form, []).append(number)
                if part.cells is None:
                    everywhere.setdefault(part.form, []).append(number)
        self._everywhere = {form: numpy.array(numbers) for form, numbers in everywhere.items()}
        self._placed = {current: {form: numpy.array(numbers) for form, numbers in forms.items()} for current, forms in placed.items()}
        self.miscopied = {cell for row in rows for part in row.parts if part.form.mistake.single for cell in part.cells or ()}

    def of(self, definitions: Definitions) -> _TeamRows:
        """The same for other given numbers."""
        found = copy(self)
        found.definitions = definitions
        found._groups = {wanted: groups for wanted, groups in self._groups.items() if definitions.book.given_value(wanted) is None}
        return found

    def groups(self, wanted: Cell) -> list[tuple[tuple[MistakeForm, ...], Array]]:
        """Mistakes that are made at a cell, alone or together, and the hypotheses that make them there."""
        if wanted not in self._groups:
            self._groups[wanted] = self._group(wanted)
        return self._groups[wanted]

    def _group(self, wanted: Cell) -> list[tuple[tuple[MistakeForm, ...], Array]]:
        numpy = array_library()

        placed = self._placed.get(wanted, {})
        made = [
            (form, rows)
            for form in self.definitions.wrong(wanted)
            for rows in (self._everywhere.get(form), placed.get(form))
            if rows is not None
        ]
        count = numpy.zeros(len(self.rows), dtype=int)
        for _, rows in made:
            count[rows] += 1
        groups = [((form,), alone) for form, rows in made if (alone := rows[count[rows] == 1]).size]
        several: dict[int, tuple[MistakeForm, ...]] = {}
        for form, rows in made:
            for number in rows[count[rows] > 1].tolist():
                several[number] = (*several.get(number, ()), form)
        together: dict[tuple[MistakeForm, ...], list[int]] = {}
        for number in sorted(several):
            together.setdefault(several[number], []).append(number)
        return [*groups, *((forms, numpy.array(numbers)) for forms, numbers in together.items())]


class _Values(NamedTuple):
    """The values of a cell: some hypotheses, in order, and what it is under each of these, and last under all others."""

    rows: Array
    values: Array


class _Definition(NamedTuple):
    """A wrong definition of a cell, what it uses, and the hypotheses under which the cell has it."""

    formula: Expr
    uses: tuple[Cell, ...]
    rows: Array


class _Team:
    """The same for hypotheses that work the cells in one order."""

    def __init__(
        self,
        definitions: Definitions,
        known: _TeamRows,
        answers: Mapping[Cell, float] | None = None,
        near: frozenset[Cell] | None = None,
    ) -> None:
        numpy = array_library()

        self.numpy = numpy
        self.definitions = definitions
        self.known = known
        self.answers = answers or {}
        self.near = near
        self._made: dict[Cell, list[_Definition]] = {}
        self._values: dict[Cell, _Values] = {}
        self._constant: dict[Cell, float | None] = {}

    def __getitem__(self, wanted: Cell) -> Array:
        """The values of a cell."""
        if wanted not in self._values:
            with self.numpy.errstate(all="ignore"):
                for together in components(wanted, self._needed):
                    if len(together) == 1:
                        self._work(*together)
                    else:
                        self._work_together(together)
        found = self._values[wanted]
        values = self.numpy.full(len(self.known.rows), found.values[-1])
        values[found.rows] = found.values[:-1]
        return values

    def _wrong(self, wanted: Cell) -> list[_Definition]:
        """The definitions of a cell under mistakes that are made there."""
        if wanted not in self._made:
            known, made = self.definitions, self.known.groups(wanted)
            self._made[wanted] = [_Definition(known.under(wanted, forms), known.uses(wanted, forms), rows) for forms, rows in made]
        return self._made[wanted]

    def _needed(self, wanted: Cell) -> list[Cell]:
        """The cells a cell uses under any hypothesis that are still to be worked out."""
        used = dict.fromkeys(self.definitions.uses(wanted))
        for wrong in self._wrong(wanted):
            used.update(dict.fromkeys(wrong.uses))
        return [current for current in used if current not in self._values and self._alike(current) is None]

    def _alike(self, current: Cell) -> float | None:
        """The value that a cell has under every hypothesis; None where they may differ."""
        if current not in self._constant:
            value = float(self.definitions.values[current]) if current not in self.answers and self._is_known(current) else None
            self._constant[current] = self.answers.get(current, value)
        return self._constant[current]

    def _is_known(self, current: Cell) -> bool:
        """Whether a cell has its right value under every hypothesis: a given number, or one far from all mistakes."""
        far = self.near is not None and current not in self.near
        return current not in self.known.miscopied and (far or self.definitions.book.given_value(current) is not None)

    def _touched(self, cells: Iterable[Cell]) -> Array:
        """The hypotheses under which one of some cells is defined otherwise, or something that it uses is another number."""
        touched = self.numpy.zeros(len(self.known.rows), dtype=bool)
        for current in cells:
            for used in self.definitions.uses(current):
                if used in self._values and self._alike(used) is None:
                    touched[self._values[used].rows] = True
            for wrong in self._wrong(current):
                touched[wrong.rows] = True
        return self.numpy.flatnonzero(touched)

    def _work(self, wanted: Cell) -> None:
        """Work out a cell that needs none of those that need it."""
        operands = _Operands(self, self._touched((wanted,)))
        values, is_slope = self.numpy.full(operands.size, math.nan), self.definitions.book.is_slope(wanted)
        values[:] = _value(self.definitions.right(wanted), operands.all, is_slope)
        for wrong in self._wrong(wanted):
            inside = operands.places[wrong.rows]
            values[inside] = _value(wrong.formula, operands.some(inside), is_slope)
        self._values[wanted] = _Values(operands.rows, values)
        del self._made[wanted]

    def _work_together(self, cells: list[Cell]) -> None:
        """Work out cells of which one needs another, and under other hypotheses the other way round: each under those for which all that
        it uses is known, until no more is. Where a cell needs itself (two mistakes that do not go together), it has no value."""
        numpy = self.numpy
        operands = _Operands(self, self._touched(cells))
        values = {current: numpy.full(operands.size, math.nan) for current in cells}
        known = {current: numpy.zeros(operands.size, dtype=bool) for current in cells}
        operands.known.update(values)
        tasks = [task for current in self._in_order(cells) for task in self._tasks(current, operands, known)]
        progress = True
        while progress:
            progress = False
            for current, formula, uses, waiting in tasks:
                ready = waiting.copy()
                for used in uses:
                    ready &= known[used]
                inside = numpy.flatnonzero(ready)
                if inside.size:
                    values[current][inside] = _value(formula, operands.some(inside), self.definitions.book.is_slope(current))
                    known[current][inside] = progress = True
                    waiting[inside] = False
            tasks = [task for task in tasks if task[-1].any()]
        for current in cells:
            self._values[current] = _Values(operands.rows, values[current])
            del self._made[current]

    def _in_order(self, cells: list[Cell]) -> list[Cell]:
        """Cells, each after what its right definition uses."""
        left = dict.fromkeys(cells)
        ordered: dict[Cell, None] = {}
        for start in cells:
            if start not in ordered:
                below = components(
                    start, lambda wanted: [used for used in self.definitions.uses(wanted) if used in left and used not in ordered]
                )
                ordered.update(dict.fromkeys(current for together in below for current in together))
        return [*ordered]

    def _tasks(self, wanted: Cell, operands: _Operands, together: Container[Cell]) -> Iterator[tuple[Cell, Expr, list[Cell], Array]]:
        """A cell, each definition that it has, what that uses of some cells, and the hypotheses under which it has it."""
        left = self.numpy.ones(operands.size, dtype=bool)
        for wrong in self._wrong(wanted):
            waiting = self.numpy.zeros(operands.size, dtype=bool)
            waiting[operands.places[wrong.rows]] = True
            left &= ~waiting
            yield wanted, wrong.formula, [current for current in wrong.uses if current in together], waiting
        uses = [current for current in self.definitions.uses(wanted) if current in together]
        yield wanted, self.definitions.right(wanted), uses, left

    def operand(self, current: Cell, operands: _Operands) -> Any:
        """The values of a cell under some hypotheses, or its one value under all."""
        constant = self._alike(current)
        if constant is not None:
            return constant
        found = self._values.get(current)
        if found is None:
            return math.nan  # of the cell itself
        if not found.rows.size:
            return float(found.values[-1])
        values = self.numpy.full(operands.size, found.values[-1])
        inside = operands.places[found.rows]
        values[inside] = found.values[:-1]
        values[-1] = found.values[-1]  # where those of hypotheses that are not among them were put
        return values


class _Operands:
    """What definitions use, under some hypotheses, and last under none; places: hypothesis → its place among them, or else the last."""

    def __init__(self, team: _Team, rows: Array) -> None:
        numpy = array_library()

        self.rows = rows
        self.size = len(rows) + 1
        self.places = numpy.full(len(team.known.rows), len(rows))
        self.places[rows] = numpy.arange(len(rows))
        self.known: dict[Cell, Any] = {}
        self._team = team

    def all(self, ref: Ref) -> Any:
        """The values of a cell under them, or its one value."""
        current = cell(ref)
        if current not in self.known:
            self.known[current] = self._team.operand(current, self)
        return self.known[current]

    def some(self, inside: Array) -> Callable[[Ref], Any]:
        """The same for those at some places."""

        def used(ref: Ref) -> Any:
            found = self.all(ref)
            return found if isinstance(found, float) else found[inside]

        return used


def _value(formula: Expr, used: Callable[[Ref], Any], is_slope: bool) -> Any:
    """What a definition gives; no number where it has no value, as of a share of nothing."""
    try:
        return worked(formula, used, is_slope)
    except (ArithmeticError, ValueError):
        return math.nan
