"""The values of cells under many hypotheses at once.

- `HypothesisTable(definitions, rows)[cell]` is an array with one value for each hypothesis; what cannot be computed is not a number.

Cells are computed when asked for, once for all hypotheses that define them alike.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handcalc.core.expr import Expr, Ref, Sum
from handcalc.core.functions import NOISE, SMALL, Function
from handcalc.core.instance import Arithmetic, apply, compute
from handcalc.core.quantity import Cell, cell
from handcalc.marking.definitions import Definitions, Hypothesis, MistakeForm

Array = Any  # numpy.ndarray
DEPTH = 6000  # calls inside calls: networks of a dozen layers need more than Python's thousand


def _power(above: Any, exponent: Any) -> Any:
    import numpy

    with numpy.errstate(all="ignore"):
        return numpy.power(numpy.asarray(above, dtype=float), exponent)


def _call(record: Function, values: list[Any], at: int) -> Any:
    import numpy

    def one(*numbers: float) -> float:
        try:
            return float(apply(record, list(numbers), at))
        except (ArithmeticError, ValueError):
            return math.nan

    arrays = numpy.broadcast_arrays(*values)
    return numpy.array([one(*numbers) for numbers in zip(*(array.ravel().tolist() for array in arrays))]) if arrays else one()


def _settle(value: Any, terms: list[Any]) -> Any:
    import numpy

    if not numpy.any(numpy.abs(value) < SMALL):
        return value
    return numpy.where(numpy.abs(value) <= NOISE * numpy.max(numpy.abs(numpy.broadcast_arrays(*terms)), axis=0), 0.0, value)


ARRAYS = Arithmetic(lambda literal: literal.numerator / literal.denominator, _power, _call, _settle)


def worked(formula: Expr, used: Callable[[Ref], Any]) -> Any:
    """The values of a formula; a sum of which only the noise of its terms is left is 0. Raises as `compute` does."""
    value = compute(formula, used, ARRAYS)
    return _settle(value, [compute(term, used, ARRAYS) for term in formula.terms]) if isinstance(formula, Sum) else value


class HypothesisTable:
    """The values of cells under many hypotheses, one entry each; what cannot be computed is not a number.

    answers: numbers taken from a sheet: what uses such a cell uses the sheet's number, under every hypothesis.
    near: the cells in which mistakes are made; all others are right.

    Hypotheses that work the cells in another order than the solution (w⁺ sent back) are worked apart from the others: together,
    each would wait for the other's cells.
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
        import numpy

        values = numpy.full(len(self.rows), math.nan)
        for numbers, team in self._teams:
            values[numbers] = team[wanted]
        return values


class HypothesisRows:
    """Hypotheses for a table, sorted out once for all sheets."""

    def __init__(self, definitions: Definitions, rows: tuple[Hypothesis, ...]) -> None:
        self.rows = rows
        teams: dict[frozenset[MistakeForm], list[int]] = {}
        for number, row in enumerate(rows):
            late = definitions.late.intersection(part.form for part in row.parts)
            teams.setdefault(late, []).append(number)
        self.teams = [(numbers, _TeamRows(definitions, tuple(rows[number] for number in numbers))) for numbers in teams.values()]


class _TeamRows:
    """Those that work the cells in one order, by the mistakes they make."""

    def __init__(self, definitions: Definitions, rows: tuple[Hypothesis, ...]) -> None:
        self.definitions = definitions
        self.rows = rows
        self._grouped: dict[Cell, tuple[list[tuple[MistakeForm, ...]], Array]] = {}
        self._everywhere: dict[MistakeForm, list[int]] = {}
        self._placed: dict[MistakeForm, list[tuple[int, frozenset[Cell]]]] = {}
        for number, row in enumerate(rows):
            for part in row.parts:
                if part.cells is None:
                    self._everywhere.setdefault(part.form, []).append(number)
                else:
                    self._placed.setdefault(part.form, []).append((number, part.cells))
        self.miscopied = {cell for row in rows for part in row.parts if part.form.mistake.single for cell in part.cells or ()}

    def groups(self, wanted: Cell) -> tuple[list[tuple[MistakeForm, ...]], Array]:
        """Which mistakes are made at a cell, alone or together (none, first), and which of these each hypothesis makes."""
        if wanted not in self._grouped:
            self._grouped[wanted] = self._group(wanted)
        return self._grouped[wanted]

    def _group(self, wanted: Cell) -> tuple[list[tuple[MistakeForm, ...]], Array]:
        import numpy

        made: dict[int, list[MistakeForm]] = {}
        for form in self.definitions.wrong(wanted):
            for number in self._everywhere.get(form, ()):
                made.setdefault(number, []).append(form)
            for number, cells in self._placed.get(form, ()):
                if wanted in cells:
                    made.setdefault(number, []).append(form)
        places: dict[tuple[MistakeForm, ...], int] = {(): 0}
        owner = numpy.zeros(len(self.rows), dtype=int)
        for number, forms in made.items():
            owner[number] = places.setdefault(tuple(forms), len(places))
        return list(places), owner


class _Team:
    """The same for hypotheses that work the cells in one order."""

    def __init__(
        self,
        definitions: Definitions,
        known: _TeamRows,
        answers: Mapping[Cell, float] | None = None,
        near: frozenset[Cell] | None = None,
    ) -> None:
        import numpy

        self.numpy = numpy
        self.definitions = definitions
        self.known = known
        self.rows = known.rows
        self.answers = answers or {}
        self.near = near
        self._all = numpy.arange(len(self.rows))
        self._values: dict[Cell, tuple[Array, Array]] = {}
        self._busy: dict[Cell, Array] = {}
        self._constant: dict[Cell, float | None] = {}

    def __getitem__(self, wanted: Cell) -> Array:
        """The values of a cell."""
        deepest = sys.getrecursionlimit()
        sys.setrecursionlimit(max(deepest, DEPTH))  # under a mistake a cell may need what is many layers below
        try:
            with self.numpy.errstate(all="ignore"):
                for current in self._below(wanted):
                    self._at(current, self._all)
                return self._at(wanted, self._all)
        finally:
            sys.setrecursionlimit(deepest)

    def _below(self, wanted: Cell) -> Iterator[Cell]:
        """What a cell depends on by right definitions and has no values yet, each after what it uses: so no cell is worked out
        for some hypotheses and then for others again."""
        pending, opened = [wanted], {wanted}
        while pending:
            current = pending[-1]
            missing = [used for used in self.definitions.uses(current) if used not in opened and self._is_worked(used)]
            opened.update(missing)
            pending += missing
            if not missing:
                pending.pop()
                yield current

    def _is_worked(self, current: Cell) -> bool:
        """Whether a cell is still to be worked out here."""
        return current not in self._values and current not in self.answers and not self._is_known(current)

    def _is_known(self, current: Cell) -> bool:
        """Whether a cell has its right value under every hypothesis: a given number, or one far from all mistakes."""
        far = self.near is not None and current not in self.near
        return current not in self.known.miscopied and (far or self.definitions.book.given_value(current) is not None)

    def _at(self, wanted: Cell, rows: Array) -> Array:
        """The values of a cell under some hypotheses."""
        if wanted not in self._values:
            self._values[wanted] = self.numpy.full(len(self.rows), math.nan), self.numpy.zeros(len(self.rows), dtype=bool)
        values, done = self._values[wanted]
        if not done[rows].all():
            self._compute(wanted, rows)
        return values[rows]

    def _compute(self, wanted: Cell, rows: Array) -> None:
        """Fill in a cell under the hypotheses asked for, and under all others that wait for no cell.

        Two hypotheses may need two cells in different orders. Where one needs a cell for itself (two mistakes that do not
        go together), it has no value.
        """
        values, done = self._values[wanted]
        missing = self.numpy.ones(len(self.rows), dtype=bool)
        for waiting in self._busy.values():
            missing &= ~waiting
        missing[rows] = True
        busy = self._busy.get(wanted)
        if busy is not None:
            done |= missing & busy
        made, owner = self.known.groups(wanted)
        for number in self.numpy.unique(owner[missing & ~done]):
            forms, group = made[number], missing & (owner == number) & ~done
            inside = self.numpy.flatnonzero(group)
            if inside.size:
                self._busy[wanted] = group if busy is None else group | busy
                values[inside] = self._worked(wanted, forms, inside)
                done[inside] = True
        if busy is None:
            self._busy.pop(wanted, None)
        else:
            self._busy[wanted] = busy

    def _worked(self, wanted: Cell, forms: tuple[MistakeForm, ...], rows: Array) -> Any:
        """What a definition gives under some hypotheses; no number where it has no value, as of a share of nothing."""

        def used(ref: Ref) -> Any:
            return self._used(ref, rows)

        formula = self.definitions.under(wanted, forms)
        try:
            value = compute(formula, used, ARRAYS)
            if isinstance(formula, Sum) and self.numpy.any(self.numpy.abs(value) < SMALL):
                return _settle(value, [compute(term, used, ARRAYS) for term in formula.terms])
            return value
        except (ArithmeticError, ValueError):
            return math.nan

    def _used(self, ref: Ref, rows: Array) -> Any:
        current = cell(ref)
        if current not in self._constant:
            self._constant[current] = self._alike(current)
        constant = self._constant[current]
        return self._at(current, rows) if constant is None else constant

    def _alike(self, current: Cell) -> float | None:
        """The value that a cell has under every hypothesis; None where they differ."""
        if current in self.answers:
            return self.answers[current]
        return float(self.definitions.values[current]) if self._is_known(current) else None
