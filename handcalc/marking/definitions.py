"""What a step is when mistakes are made: right and wrong definitions of every cell.

- `Hypothesis` is a set of mistakes, each at some places; `Definitions(book).under(cell, forms)` the definition it gives a cell.
- `MistakenBook(definitions, hypothesis)` is the workbook of somebody who makes them, for an `Evaluation`.

A hypothesis is the right graph with some cells defined otherwise; there is no second solver.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from functools import cached_property
from math import nan
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Number, Ref, references, rewrite
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import HandcalcError
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.mistakes.entry import Mistake, Place, Rule, Variant, roles
from handcalc.marking.workbook import Workbook, base, iteration


class MistakeForm(Record):
    """One form of one mistake: its place in the catalogue, the mistake, and the number of the variant (−1: across)."""

    order: int
    mistake: Mistake
    variant: int

    @property
    def variant_rules(self) -> Variant:
        """The rules of this variant, by role."""
        return self.mistake.variants[self.variant] if 0 <= self.variant < len(self.mistake.variants) else {}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MistakeForm) and self.order == other.order

    def __hash__(self) -> int:
        return self.order


class MadeMistake(Record):
    """One mistake of a hypothesis. cells: where it is made, None for wherever it can be."""

    form: MistakeForm
    cells: frozenset[Cell] | None = None


class Hypothesis(Record):
    """Mistakes made together; rank: how readily it is believed (0: one mistake everywhere)."""

    parts: tuple[MadeMistake, ...] = ()
    rank: int = 0

    @property
    def slugs(self) -> tuple[str, ...]:
        """The names of the mistakes."""
        return tuple(dict.fromkeys(part.form.mistake.slug for part in self.parts))

    def at(self, wanted: Cell) -> tuple[MistakeForm, ...]:
        """The forms that may change a cell."""
        return tuple(part.form for part in self.parts if part.cells is None or wanted in part.cells)


NONE = Hypothesis()


def _forms() -> tuple[MistakeForm, ...]:
    found: list[tuple[Mistake, int]] = []
    for mistake in MISTAKES.values():
        variants = range(-1 if mistake.across else 0, max(len(mistake.variants), 1))
        found.extend((mistake, variant) for variant in variants)
    return tuple(MistakeForm(order, mistake, variant) for order, (mistake, variant) in enumerate(found))


FORMS = _forms()


class Definitions:
    """Right and wrong definitions of a workbook's cells, each made once; values: the right ones."""

    def __init__(self, book: Workbook) -> None:
        self.book = book
        self._wrong: dict[Cell, dict[MistakeForm, Expr]] = {}
        self._by_role: dict[tuple[tuple[str, ...], bool], tuple[MistakeForm, ...]] = {}
        self.values = Evaluation(book)
        self._roles: dict[Cell, tuple[str, ...]] = {}
        self._right: dict[Cell, Expr] = {}
        self._uses: dict[Cell, tuple[Cell, ...]] = {}
        self._composed: dict[tuple[Cell, tuple[MistakeForm, ...]], Expr] = {}
        self._wrong_uses: dict[tuple[Cell, tuple[MistakeForm, ...]], tuple[Cell, ...]] = {}

    def renumbered(self, numbers: Mapping[Cell, Number]) -> Definitions:
        """The same with other given numbers: what is known of formulas is kept, but not what is made of given numbers."""
        found = Definitions(self.book.renumbered(numbers))
        found._wrong = {wanted: wrong for wanted, wrong in self._wrong.items() if self.book.given_value(wanted) is None}
        found._by_role, found._composed = self._by_role, dict(self._composed)
        if "late" in self.__dict__:
            found.__dict__["late"] = self.late
        return found

    def learn(self, other: Definitions) -> None:
        """Take over what is known of another workbook's formulas, which must be the same; nothing that is made of given numbers."""
        self._by_role = other._by_role
        self._wrong |= {wanted: wrong for wanted, wrong in other._wrong.items() if self.book.given_value(wanted) is None}
        self._composed |= {key: expr for key, expr in other._composed.items() if self.book.given_value(key[0]) is None}
        self._wrong_uses |= {key: cells for key, cells in other._wrong_uses.items() if self.book.given_value(key[0]) is None}

    def in_next_iteration(self, wanted: Cell) -> float:
        """The number of a cell in the iteration after the last of the sheet; not a number where nothing is trained."""
        try:
            return float(self._later[self._later_book.find(f"#{self.book.iterations + 1}:{self.book.graph.cell_id(base(wanted))}")])
        except HandcalcError:
            return nan

    @cached_property
    def _later_book(self) -> Workbook:
        return Workbook(self.book.problem, self.book.iterations + bool(self.book.updated))

    @cached_property
    def _later(self) -> Evaluation:
        return Evaluation(self._later_book)

    @cached_property
    def late(self) -> frozenset[MistakeForm]:
        """The forms under which some cell uses one that comes after it in the solution."""
        order: dict[Cell, int] = {}
        for number in range(1, self.book.iterations + 1) if self.book.small else ():
            order |= {wanted: len(order) + place for place, wanted in enumerate(self.book.cells(number))}
        found: set[MistakeForm] = set()
        for wanted, place in order.items():
            for form, expr in self.wrong(wanted).items():
                if form not in found and any(order.get(cell(ref), 0) > place for ref in references(expr)):
                    found.add(form)
        return frozenset(found)

    def right(self, wanted: Cell) -> Expr:
        """The definition of a cell; a given number is its own."""
        found = self._right.get(wanted)
        if found is None:
            found = self._right[wanted] = self.book.given_value(wanted) or self.book.instance(wanted)
        return found

    def _at_once(self, wanted: Cell) -> Expr:
        """The definition that rules of mistakes change: in one line, where it is worked in steps."""
        value = self.book.given_value(wanted)
        return value if value is not None else self.book.at_once(wanted)

    def wrong(self, wanted: Cell) -> dict[MistakeForm, Expr]:
        """Form of a mistake → the definition it gives a cell, where it changes it."""
        found = self._wrong.get(wanted)
        if found is None:
            right = self._at_once(wanted)
            changed = ((form, self._change(wanted, form, right)) for form in self._possible(wanted))
            found = self._wrong[wanted] = {form: expr for form, expr in changed if expr is not None and expr != right and self._there(expr)}
        return found

    def _there(self, expr: Expr) -> bool:
        """Whether all that an expression uses is in the solution: nobody used what the problem does not have, or does not work out."""
        graph = self.book.graph
        used = (base(cell(ref)) for ref in references(expr))
        return all(current[0] in graph and (not graph.left_out or current not in graph.left_out) for current in used)

    def _possible(self, wanted: Cell) -> tuple[MistakeForm, ...]:
        """The forms that have a rule for a cell's role."""
        key = self._roles_of(base(wanted)), iteration(wanted) > 1
        if key not in self._by_role:
            found = {*key[0]}
            self._by_role[key] = tuple(form for form in FORMS if found & set(form.variant_rules) or (key[1] and form.variant < 0))
        return self._by_role[key]

    def _roles_of(self, plain: Cell) -> tuple[str, ...]:
        """The roles of a cell of the first iteration."""
        found = self._roles.get(plain)
        if found is None:
            found = self._roles[plain] = roles(self.book, plain)
        return found

    def under(self, wanted: Cell, forms: tuple[MistakeForm, ...]) -> Expr:
        """The definition of a cell when some mistakes are made there."""
        wrong = self.wrong(wanted) if forms else {}
        made = tuple(form for form in forms if form in wrong)
        if not made:
            return self.right(wanted)
        if len(made) == 1:
            return wrong[made[0]]
        key = (wanted, made)
        if key not in self._composed:
            self._composed[key] = self._compose(wanted, made)
        return self._composed[key]

    def between(self, wanted: Cell, answers: Container[Cell], hypothesis: Hypothesis = NONE) -> list[Cell]:
        """A cell and what it depends on under a hypothesis, as far as the nearest answers; nearest first."""
        found = {wanted: None}
        for current in (pending := [wanted]):
            for used in self.uses(current, hypothesis.at(current)):
                if used not in answers and used not in found:
                    found[used] = None
                    pending.append(used)
        return pending

    def uses(self, wanted: Cell, forms: tuple[MistakeForm, ...] = ()) -> tuple[Cell, ...]:
        """The cells that a definition uses when some mistakes are made there; none of a given number."""
        if forms:
            return self._uses_under(wanted, forms)
        found = self._uses.get(wanted)
        if found is None:
            found = self._uses[wanted] = () if self.book.given_value(wanted) is not None else self.book.uses(wanted)
        return found

    def _uses_under(self, wanted: Cell, forms: tuple[MistakeForm, ...]) -> tuple[Cell, ...]:
        key = (wanted, forms)
        found = self._wrong_uses.get(key)
        if found is None:
            found = self._wrong_uses[key] = tuple(map(cell, references(self.under(wanted, forms))))
        return found

    def _compose(self, wanted: Cell, forms: tuple[MistakeForm, ...]) -> Expr:
        """One mistake after the other; where the second no longer applies, the other way round."""
        for order in (forms, tuple(reversed(forms))):
            expr: Expr | None = self._at_once(wanted)
            for form in order:
                changed = self._change(wanted, form, expr) if expr is not None else None
                expr = changed if changed is not None and changed != expr else None
            if expr is not None:
                return expr
        return self.wrong(wanted)[forms[0]]

    def _change(self, wanted: Cell, form: MistakeForm, expr: Expr) -> Expr | None:
        number, plain = iteration(wanted), base(wanted)
        if form.variant < 0:
            across = form.mistake.across
            return across(self.book, wanted, expr) if across and number > 1 else None
        variant = form.variant_rules
        names = self._roles_of(plain)
        if names == ("given",) and number > 1 and plain[0] in self.book.updated:
            return None
        name = next((name for name in names if name in variant), "")
        if not name:
            return None
        afterwards = self.book.graph[plain[0]].stage == "after" and not name.startswith("after.") and names != ("given",)
        return (self._afterwards if afterwards else self._within)(number, plain, variant[name], expr)

    def _within(self, number: int, plain: Cell, rule: Rule, expr: Expr) -> Expr | None:
        """The rule on a cell of an iteration, as if it were the first."""
        inside = expr if number == 1 else _renamed(expr, lambda name: base((name, ()))[0])
        changed = rule(Place(self.book, plain, number), inside)
        return None if changed is None else self.book.moved(changed, number)

    def _afterwards(self, number: int, plain: Cell, rule: Rule, expr: Expr) -> Expr | None:
        """The rule on a re-computed cell: as in the forward pass, with the new parameters."""
        earlier, later = self.book.earlier, self.book.later

        def before(name: str) -> str:
            first = base((name, ()))[0]
            return earlier.get(first, first)

        changed = rule(Place(self.book, (before(plain[0]), plain[1]), number), _renamed(expr, before))
        return None if changed is None else self.book.moved(_renamed(changed, lambda name: later.get(name, name)), number)


class MistakenBook:
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

    def is_slope(self, cell: Cell) -> bool:
        """Whether a cell is a derivative."""
        return self.definitions.book.is_slope(cell)


def _renamed(expr: Expr, name: Any) -> Expr:
    return rewrite(expr, lambda node: Ref(name(node.quantity), node.indices) if isinstance(node, Ref) else None)
