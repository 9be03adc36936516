"""The lines of a cell worked wrong, as formulas: `WrongLines(definitions, answers)`; wronglines.py has those that a line alone tells.

Every method yields (slug, formula) for one answer, and `formulas` those of all. What they give is in slipnumbers.py.
"""

from __future__ import annotations

from collections.abc import Container

from handcalc.core.expr import Call, Expr, Ref, references
from handcalc.core.quantity import Cell, cell
from handcalc.marking.definitions import Definitions
from handcalc.marking.workbook import apart, base, beside, iteration, on_sheet
from handcalc.marking.wronglines import Lines, exchanges, partners, slopes_of, stages, variants, with_others

LETTERS = 24  # letters before a line of equations


class WrongLines:
    """The wrong lines of the answers of one sheet."""

    def __init__(self, definitions: Definitions, answers: Container[Cell]) -> None:
        self.definitions = definitions
        self.answers = answers

    def formulas(self, wanted: Cell) -> Lines:
        """Every line worked wrong, with its slug."""
        kinds = (self.variants, self.stages, self.partners, self.slopes, self.ahead, self.exchanges, self.letters, self.neighbours)
        for lines in kinds:
            yield from lines(wanted)

    def own(self, wanted: Cell) -> Expr:
        """What an answer is worked from: where its line is another number's name only, as E for the only output, the line of that."""
        expr = self.definitions.right(wanted)
        while isinstance(expr, Ref) and cell(expr) not in self.answers and not self.is_given(cell(expr)):
            expr = self.definitions.right(cell(expr))
        return expr

    def is_given(self, wanted: Cell) -> bool:
        """Whether a number is given."""
        return self.definitions.book.given_value(wanted) is not None

    def variants(self, wanted: Cell) -> Lines:
        """A term or factor too many, too few or with another sign …"""
        yield from variants(self.own(wanted))

    def stages(self, wanted: Cell) -> Lines:
        """A number that was taken a step too early; what is remembered is of the iteration before, which is no step of this one."""
        if self.definitions.book.quantity(wanted).kind != "memory":
            yield from stages(self.own(wanted), self.definitions.uses, self._kind)
        if not self.definitions.book.last:
            yield from self._arguments(wanted)

    def _arguments(self, wanted: Cell) -> Lines:
        """z in the place of y = f(z), in equations: of one letter, or of all that are made by this function."""
        expr = self.own(wanted)
        functions: dict[str, dict[Ref, Expr]] = {}
        for ref in references(expr):
            match None if self.is_given(cell(ref)) else self.definitions.right(cell(ref)):
                case Call(function, (Ref() as argument,)):
                    functions.setdefault(function, {})[ref] = argument
        for alike in functions.values():
            for others in (*({ref: argument} for ref, argument in alike.items()), alike):
                yield "step-left-out", with_others(expr, others)

    def partners(self, wanted: Cell) -> Lines:
        """Of a gradient, its own number in the place of the other factor."""
        quantity = self.definitions.book.quantity(wanted)
        if quantity.kind == "gradient" and quantity.of is not None:
            name, place = self.definitions.book.graph.at(quantity.of, base(wanted))
            yield from partners(self.own(wanted), Ref(on_sheet(iteration(wanted), name), place))

    def slopes(self, wanted: Cell) -> Lines:
        """The slope of another function in the place of a neuron's."""
        expr, book = self.own(wanted), self.definitions.book
        for ref in references(expr):
            quantity = book.quantity(cell(ref))
            if quantity.kind == "local" and quantity.of is not None:
                name, place = book.graph.at(quantity.of, base(cell(ref)))
                for slope in slopes_of(Ref(on_sheet(iteration(cell(ref)), name), place)):
                    yield "slope-exchanged", with_others(expr, {ref: slope})

    def ahead(self, wanted: Cell) -> Lines:
        """A parameter that has been updated before its turn."""
        expr, book = self.own(wanted), self.definitions.book
        for ref in references(expr):
            new = book.graph.updated(base(cell(ref))[0]) if book.quantity(wanted).kind == "gradient" else ""
            if new:
                yield "updated-too-early", with_others(expr, {ref: Ref(on_sheet(iteration(cell(ref)), new), cell(ref)[1])})

    def exchanges(self, wanted: Cell) -> Lines:
        """Two of its numbers in each other's place."""
        yield from exchanges(self.own(wanted), self.is_given)

    def letters(self, wanted: Cell) -> Lines:
        """The number of another letter in the place of one, in equations: of what stands before it, and is not on the line."""
        if self.definitions.book.last:
            return
        expr, used = self.own(wanted), self.definitions.uses(wanted)
        others = [other for other in self.definitions.between(wanted, ())[1:LETTERS] if other not in used]
        for ref in references(expr):
            for other in others:
                if self._kind(other) == self._kind(cell(ref)):
                    yield "other-letter-used", with_others(expr, {ref: Ref(*other)})

    def neighbours(self, wanted: Cell) -> Lines:
        """A number next to one of its numbers."""
        yield from self._others(wanted, True)

    def alike(self, wanted: Cell) -> Lines:
        """Another number of the same quantity, which is not the next."""
        yield from self._others(wanted, False)

    def crossed(self, wanted: Cell) -> Lines:
        """Two of its numbers exchanged, which are beside each other."""
        expr, book = self.own(wanted), self.definitions.book
        used = references(expr)
        for first in used:
            (name, place), graph = base(cell(first)), book.of_round(iteration(cell(first)))
            for other in beside(graph, name, place):
                second = Ref(first.quantity, other)
                if place < other and second in used:
                    slug = "neighbour-used" if not self.is_given(cell(first)) else "value-miscopied"
                    yield slug, with_others(expr, {first: second, second: first})

    def _others(self, wanted: Cell, near: bool) -> Lines:
        expr, book = self.own(wanted), self.definitions.book
        for ref in references(expr):
            (name, place), graph = base(cell(ref)), book.of_round(iteration(cell(ref)))
            slug = "neighbour-used" if not self.is_given(cell(ref)) else "value-miscopied"
            for other in beside(graph, name, place) if near else apart(graph, name, place):
                yield slug, with_others(expr, {ref: Ref(ref.quantity, other)})

    def _kind(self, one: Cell) -> str:
        """The kind of a number; of a gradient, also of what."""
        quantity = self.definitions.book.quantity(one)
        of = self.definitions.book.graph[quantity.of.quantity].kind if quantity.of is not None else ""
        return f"{quantity.kind} {of}"
