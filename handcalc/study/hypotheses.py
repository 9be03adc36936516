"""What a sheet would say if a mistake had been made: every mistake, at all places and at single ones, worked out at once.

- `Hypothesis` is a set of mistakes, each at some places; `Hypotheses(book, cells)` lists those that touch some cells.
- `formula(book, hypothesis, cell)` is the definition under a hypothesis; `Table(…)` has the values of many hypotheses.

A hypothesis is the right graph with some cells defined otherwise; the values of all of them are computed together, cell by
cell, in arrays with one entry per hypothesis. Nothing is evaluated twice for a second sheet of the same problem.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import combinations
from typing import Any

from handcalc.core.expr import Expr, Number, Ref, references, rewrite
from handcalc.core.functions import Function
from handcalc.core.graph import Cell, cell
from handcalc.core.instance import Arithmetic, apply, compute
from handcalc.core.record import Record
from handcalc.study.mistakes import MISTAKES
from handcalc.study.mistakes.entry import Mistake, Place, Rule, role
from handcalc.study.workbook import Workbook, base, iteration

CELLS_LIMIT = 4000  # cells looked at for a diagnosis; a sheet on a larger network is diagnosed by what lies near its answers
PAIRS_LIMIT = 6000

Array = Any  # numpy.ndarray


class Form(Record):
    """One form of one mistake: its place in the catalogue, the mistake, and the number of the variant (−1: across)."""

    order: int
    mistake: Mistake
    variant: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Form) and self.order == other.order

    def __hash__(self) -> int:
        return self.order


class Part(Record):
    """One mistake of a hypothesis. cells: where it is made, None for wherever it can be."""

    form: Form
    cells: frozenset[Cell] | None = None


class Hypothesis(Record):
    """Mistakes made together; rank: how readily it is believed (0: one mistake everywhere)."""

    parts: tuple[Part, ...] = ()
    rank: int = 0

    @property
    def slugs(self) -> tuple[str, ...]:
        """The names of the mistakes."""
        return tuple(part.form.mistake.slug for part in self.parts)

    def at(self, wanted: Cell) -> tuple[Form, ...]:
        """The forms that may change a cell."""
        return tuple(part.form for part in self.parts if part.cells is None or wanted in part.cells)


NONE = Hypothesis()


def _forms() -> tuple[Form, ...]:
    found: list[tuple[Mistake, int]] = []
    for mistake in MISTAKES.values():
        variants = range(-1 if mistake.across else 0, max(len(mistake.variants), 1))
        found.extend((mistake, variant) for variant in variants)
    return tuple(Form(order, mistake, variant) for order, (mistake, variant) in enumerate(found))


FORMS = _forms()


class Definitions:
    """Right and wrong definitions of a workbook's cells, each made once."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self._wrong: dict[Cell, dict[Form, Expr]] = {}
        self._composed: dict[tuple[Cell, tuple[Form, ...]], Expr] = {}

    def right(self, wanted: Cell) -> Expr:
        """The definition of a cell; a given number is its own."""
        value = self.book.given_value(wanted)
        return value if value is not None else self.book.instance(wanted)

    def wrong(self, wanted: Cell) -> dict[Form, Expr]:
        """Form of a mistake → the definition it gives a cell, where it changes it."""
        found = self._wrong.get(wanted)
        if found is None:
            right = self.right(wanted)
            changed = ((form, self._change(wanted, form, right)) for form in FORMS)
            found = self._wrong[wanted] = {form: expr for form, expr in changed if expr is not None and expr != right}
        return found

    def under(self, wanted: Cell, forms: tuple[Form, ...]) -> Expr:
        """The definition of a cell when some mistakes are made there."""
        wrong = self.wrong(wanted)
        made = tuple(form for form in forms if form in wrong)
        if not made:
            return self.right(wanted)
        if len(made) == 1:
            return wrong[made[0]]
        key = (wanted, made)
        if key not in self._composed:
            self._composed[key] = self._compose(wanted, made)
        return self._composed[key]

    def _compose(self, wanted: Cell, forms: tuple[Form, ...]) -> Expr:
        """One mistake after the other; where the second no longer applies, the other way round."""
        for order in (forms, tuple(reversed(forms))):
            expr: Expr | None = self.right(wanted)
            for form in order:
                changed = self._change(wanted, form, expr) if expr is not None else None
                expr = changed if changed is not None and changed != expr else None
            if expr is not None:
                return expr
        return self.wrong(wanted)[forms[0]]

    def _change(self, wanted: Cell, form: Form, expr: Expr) -> Expr | None:
        number, plain = iteration(wanted), base(wanted)
        if form.variant < 0:
            across = form.mistake.across
            return across(self.book, wanted, expr) if across and number > 1 else None
        variant = form.mistake.variants[form.variant] if form.mistake.variants else {}
        name = role(self.book, plain)
        if name == "given" and number > 1 and plain[0] in self.book.updated:
            return None
        rule = variant.get(name)
        if rule is not None:
            return self._within(number, plain, rule, expr)
        rule = variant.get(name.removeprefix("after.")) if name.startswith("after.") else None
        return self._afterwards(number, plain, rule, expr) if rule is not None else None

    def _within(self, number: int, plain: Cell, rule: Rule, expr: Expr) -> Expr | None:
        """The rule on a cell of an iteration, as if it were the first."""
        inside = expr if number == 1 else _renamed(expr, lambda name: name.split(":", 1)[-1])
        changed = rule(Place(self.book, plain), inside)
        return None if changed is None else self.book.moved(changed, number)

    def _afterwards(self, number: int, plain: Cell, rule: Rule, expr: Expr) -> Expr | None:
        """The rule on a re-computed cell: as in the forward pass, with the new parameters."""
        graph, updated = self.book.graph, self.book.updated
        before = {new: name for name, new in updated.items()}
        inside = _renamed(expr, lambda name: before.get(name.split(":", 1)[-1], name.split(":", 1)[-1].removeprefix("after.")))
        changed = rule(Place(self.book, (plain[0].removeprefix("after."), plain[1])), inside)
        if changed is None:
            return None
        later = _renamed(changed, lambda name: f"after.{name}" if f"after.{name}" in graph else updated.get(name, name))
        return self.book.moved(later, number)


class Supposed:
    """A workbook in which some mistakes are made, for an `Evaluation`."""

    def __init__(self, definitions: Definitions, hypothesis: Hypothesis) -> None:
        self.definitions = definitions
        self.hypothesis = hypothesis
        self._instances: dict[Cell, Expr] = {}
        self._uses: dict[Cell, tuple[Cell, ...]] = {}

    def given_value(self, cell: Cell) -> Number | None:
        """The given number of a cell, or the one it was mistaken for."""
        found = self.instance(cell) if self.definitions.book.given_value(cell) is not None else None
        return found if isinstance(found, Number) else None

    def instance(self, cell: Cell) -> Expr:
        """The definition of a cell, as it was made."""
        found = self._instances.get(cell)
        if found is None:
            found = self._instances[cell] = self.definitions.under(cell, self.hypothesis.at(cell))
        return found

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells that definition uses."""
        found = self._uses.get(wanted)
        if found is None:
            found = self._uses[wanted] = tuple(cell(ref) for ref in references(self.instance(wanted)))
        return found

    def cell_id(self, cell: Cell) -> str:
        """The id of a cell."""
        return self.definitions.book.cell_id(cell)


def _renamed(expr: Expr, name: Any) -> Expr:
    return rewrite(expr, lambda node: Ref(name(node.quantity), node.indices) if isinstance(node, Ref) else None)


# --- which hypotheses there are ----------------------------------------------------------------------------------------


class Hypotheses:
    """Every hypothesis that touches what some cells depend on.

    single: no mistake at all (first), then one mistake: everywhere, in one layer, at one place.
    """

    def __init__(self, definitions: Definitions, cells: Iterable[Cell]) -> None:
        self.definitions = definitions
        self.touched: dict[Form, list[Cell]] = {}
        for current in self._reached(cells):
            for form in definitions.wrong(current):
                self.touched.setdefault(form, []).append(current)
        self.single = (NONE, *self._single())

    def _reached(self, cells: Iterable[Cell]) -> Iterable[Cell]:
        """The cells that the given ones depend on, under any definition, nearest first."""
        order: dict[Cell, None] = dict.fromkeys(cells)
        pending = list(order)
        for current in pending:
            if len(order) > CELLS_LIMIT:
                break
            for expr in (self.definitions.right(current), *self.definitions.wrong(current).values()):
                for ref in references(expr):
                    used = cell(ref)
                    if used not in order:
                        order[used] = None
                        pending.append(used)
        return order

    def _single(self) -> Iterable[Hypothesis]:
        for form, cells in sorted(self.touched.items(), key=lambda entry: entry[0].order):
            if not form.mistake.single:
                yield Hypothesis((Part(form),))
            seen = {frozenset(cells)} if not form.mistake.single else set()
            for rank, places in enumerate((self._layers(cells), self._units(cells), self._cells(cells)), 1):
                for group in () if rank == 1 and form.mistake.single else places:
                    if group not in seen:
                        seen.add(group)
                        yield Hypothesis((Part(form, group),), rank)

    def _layers(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        return _grouped(cells, lambda current: self.definitions.book.quantity(current).layer)

    def _units(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        """By neuron or parameter, all samples together."""
        graph = self.definitions.book.graph
        return _grouped(cells, lambda current: (iteration(current), self._is_after(current), graph.core(base(current))))

    def _cells(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        """By neuron or parameter, sample by sample."""
        book = self.definitions.book

        def place(current: Cell) -> Any:
            sample = current[1][:1] if book.quantity(current).sampled else ()
            return iteration(current), self._is_after(current), book.graph.core(base(current)), sample

        return _grouped(cells, place)

    def _is_after(self, current: Cell) -> bool:
        return base(current)[0].startswith("after.")

    def pairs(self) -> tuple[Hypothesis, ...]:
        """Two different mistakes, each everywhere."""
        whole = [found for found in self.single if found.parts and found.rank == 0]
        found: list[Hypothesis] = []
        for first, second in combinations(whole, 2):
            if first.slugs != second.slugs and len(found) < PAIRS_LIMIT:
                found.append(Hypothesis((*first.parts, *second.parts), 5))
        return tuple(found)


def _grouped(cells: list[Cell], key: Any) -> list[frozenset[Cell]]:
    groups: dict[Any, list[Cell]] = {}
    for current in cells:
        groups.setdefault(key(current), []).append(current)
    return [frozenset(group) for group in groups.values()]


# --- their values ------------------------------------------------------------------------------------------------------


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


ARRAYS = Arithmetic(lambda literal: literal.numerator / literal.denominator, _power, _call)


class Table:
    """The values of cells under many hypotheses, one entry each; what cannot be computed is not a number.

    answers: numbers taken from a sheet: what uses such a cell uses the sheet's number, under every hypothesis.
    """

    def __init__(self, definitions: Definitions, rows: tuple[Hypothesis, ...], answers: Mapping[Cell, float] | None = None) -> None:
        import numpy

        self.numpy = numpy
        self.definitions = definitions
        self.rows = rows
        self.answers = answers or {}
        self._all = numpy.arange(len(rows))
        self._values: dict[Cell, tuple[Array, Array]] = {}
        self._grouped: dict[Cell, list[tuple[tuple[Form, ...], Array]]] = {}
        self._busy: dict[Cell, Array] = {}
        self._everywhere: dict[Form, list[int]] = {}
        self._placed: dict[Form, list[tuple[int, frozenset[Cell]]]] = {}
        for number, row in enumerate(rows):
            for part in row.parts:
                if part.cells is None:
                    self._everywhere.setdefault(part.form, []).append(number)
                else:
                    self._placed.setdefault(part.form, []).append((number, part.cells))

    def __getitem__(self, wanted: Cell) -> Array:
        """The values of a cell."""
        with self.numpy.errstate(all="ignore"):
            return self._at(wanted, self._all)

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
        for forms, members in self._groups(wanted):
            group = missing & members & ~done
            inside = self.numpy.flatnonzero(group)
            if inside.size:
                self._busy[wanted] = group if busy is None else group | busy
                values[inside] = compute(self.definitions.under(wanted, forms), lambda ref: self._used(ref, inside), ARRAYS)  # noqa: B023
                done[inside] = True
        if busy is None:
            self._busy.pop(wanted, None)
        else:
            self._busy[wanted] = busy

    def _used(self, ref: Ref, rows: Array) -> Any:
        current = cell(ref)
        return self.answers[current] if current in self.answers else self._at(current, rows)

    def _groups(self, wanted: Cell) -> list[tuple[tuple[Form, ...], Array]]:
        """Which mistakes are made at a cell, and the hypotheses that make them."""
        if wanted not in self._grouped:
            self._grouped[wanted] = list(self._group(wanted))
        return self._grouped[wanted]

    def _group(self, wanted: Cell) -> Iterator[tuple[tuple[Form, ...], Array]]:
        made: dict[int, list[Form]] = {}
        for form in self.definitions.wrong(wanted):
            for number in self._everywhere.get(form, ()):
                made.setdefault(number, []).append(form)
            for number, cells in self._placed.get(form, ()):
                if wanted in cells:
                    made.setdefault(number, []).append(form)
        members: dict[tuple[Form, ...], list[int]] = {}
        for number, forms in made.items():
            members.setdefault(tuple(forms), []).append(number)
        rest = self.numpy.ones(len(self.rows), dtype=bool)
        rest[[*made]] = False
        yield (), rest
        for key, numbers in members.items():
            mask = self.numpy.zeros(len(self.rows), dtype=bool)
            mask[numbers] = True
            yield key, mask
