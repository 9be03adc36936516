"""The ladder of hints: what is said of a step, one rung after the other.

- `Ladder(book, reading, asked, known).rung(step, number)` are the blocks of a rung; none where it has nothing to say, such as the general
  formula of a step that is the only one of its kind.
- `RUNGS` names them: 1 what the step needs, 2 the general formula, 3 its own formula in letters, 4 with numbers put in, 5 its value.

Numbers are put in where they are known: given, or reached before. Of other steps letters stay, and steps between that are not asked
have lines of their own, so that no rung but the last has a value that is still to be worked out.

To add a rung: a method that yields blocks, and its line in `RUNGS`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator

from handcalc.core.expr import Expr, Negation, Number, Ref, references
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import Shown
from handcalc.errors import Message
from handcalc.marking.wording import listed, step_item
from handcalc.marking.workbook import Workbook, base, iteration, on_sheet
from handcalc.render.blocks import Block, Equation, Factors, Item, Paragraph, Put, Symbolic, Value
from handcalc.render.lines import general
from handcalc.render.options import Options
from handcalc.render.reading import Reading
from handcalc.render.why import dependencies

BETWEEN = 8  # lines of steps between, before that of the step itself
NAMED = 12  # steps that a step needs, by name


class Ladder:
    """The hints of one exercise; asked: its steps; known: the number of a step, None where it is still to be worked out."""

    def __init__(self, book: Workbook, reading: Reading, asked: Collection[Cell], known: Callable[[Cell], Shown | None]) -> None:
        self.book = book
        self.reading = reading
        self.asked = frozenset(asked)
        self.known = known

    def rung(self, wanted: Cell, number: int) -> tuple[Block, ...]:
        """What a rung says of a step."""
        return tuple(RUNGS[number](self, wanted))

    # --- the rungs ---

    def needs(self, wanted: Cell) -> Iterator[Block]:
        """The steps and given numbers that stand in the formula."""
        used = [step_item(one) for one in self.uses(wanted)]
        if used:
            yield Paragraph(Message("{step} needs {steps}.", step=step_item(wanted), steps=listed(used, NAMED)))

    def general(self, wanted: Cell) -> Iterator[Block]:
        """The formula that holds for all of its kind."""
        reading = self._reading(wanted)
        yield from general(reading, Options(), reading.graph[base(wanted)[0]])

    def letters(self, wanted: Cell) -> Iterator[Block]:
        """Its own formula: the derivatives it is made of, then letters."""
        found = self._formula(wanted)
        if found is not None:
            yield self._line(wanted, (*self._chain(wanted, found), ("=", Symbolic(found))))

    def numbers(self, wanted: Cell) -> Iterator[Block]:
        """Its own formula with the numbers that are known, after those of the steps between that are not."""
        between = [one for one in self._unknown(wanted) if one != wanted]
        if len(between) > BETWEEN:
            yield Paragraph(Message("{count} {count:step before these is|steps before these are} not shown.", count=len(between) - BETWEEN))
        for one in (*between[-BETWEEN:], wanted):
            found = self._formula(one)
            if found is not None:
                yield self._line(one, self.put(one, found, secret=wanted) or (("=", Symbolic(found)),))

    def value(self, wanted: Cell) -> Iterator[Block]:
        """Its number."""
        yield self._line(wanted, (self.result(wanted),))

    # --- a step that is reached ---

    def worked(self, wanted: Cell) -> Block:
        """The whole line of a step that is reached."""
        found = self._formula(wanted)
        right: list[tuple[str, Item]] = [] if found is None else [("=", Symbolic(found))]
        if found is not None:
            right += self.put(wanted, found)
        return self._line(wanted, (*right, self.result(wanted)))

    def result(self, wanted: Cell) -> tuple[str, Item]:
        """The number of a step, as the solution prints it."""
        plain, number = base(wanted), iteration(wanted)
        exact = self.book.derivation.shown(plain, number).exact
        return "=" if exact else "≈", Value(plain, number)

    def put(self, wanted: Cell, formula: Expr, secret: Cell | None = None) -> tuple[tuple[str, Item], ...]:
        """A formula with the numbers that are known, letters for the others; nothing where it is a copy, whose number is the value.

        secret: a step whose number is not put in, also where another step has the same: the ReLU of a positive number.
        """
        number, found = iteration(wanted), {}
        hidden = "" if secret is None else self._size(self.book.derivation.shown(base(secret), iteration(secret)))
        for name, place in map(cell, () if _is_copy(formula) else references(formula)):
            shown = self.known((on_sheet(number, name), place))
            if shown is not None and self._size(shown) != hidden:
                found[name, place] = shown
        exact = all(shown.exact for shown in found.values())
        return (("=" if exact else "≈", Put(formula, found)),) if found else ()

    @staticmethod
    def _size(shown: Shown) -> str:
        return shown.plain.removeprefix("-")

    # --- formulas ---

    def uses(self, wanted: Cell) -> list[Cell]:
        """The steps and given numbers in the formula of a step, as it is printed."""
        number, (name, place) = iteration(wanted), base(wanted)
        if number > 1 and name in self.book.carried:
            return list(self.book.uses(wanted))
        found = self._reading(wanted).formula((name, place))
        return [] if found is None else [(on_sheet(number, used[0]), used[1]) for used in map(cell, references(found))]

    def _unknown(self, wanted: Cell) -> list[Cell]:
        """A step and those it depends on that are neither known nor asked, each after what it uses."""
        return dependencies(lambda one: [used for used in self.uses(one) if used not in self.asked and self.known(used) is None], [wanted])

    def _reading(self, wanted: Cell) -> Reading:
        return self.reading.at(iteration(wanted))

    def _formula(self, wanted: Cell) -> Expr | None:
        if iteration(wanted) > 1 and base(wanted)[0] in self.book.carried:
            return None
        return self._reading(wanted).formula(base(wanted))

    def _chain(self, wanted: Cell, formula: Expr) -> tuple[tuple[str, Item], ...]:
        """The named derivatives that a gradient is the product of."""
        reading, number = self._reading(wanted), iteration(wanted)
        factors = reading.chain(self.book.derivation.at(number).step(base(wanted), number))
        chain = Factors(factors, reading.turned(base(wanted)))
        said = bool(factors) and reading.factors(factors, chain.negative) != reading.symbolic(formula)
        return (("=", chain),) if said else ()

    def _line(self, wanted: Cell, right: tuple[tuple[str, Item], ...]) -> Equation:
        return Equation(step_item(wanted), right, 1)


def _is_copy(formula: Expr) -> bool:
    """Whether a formula with its numbers put in is the value itself."""
    return isinstance(formula.operand if isinstance(formula, Negation) else formula, (Ref, Number))


RUNGS: dict[int, Callable[[Ladder, Cell], Iterator[Block]]] = {
    1: Ladder.needs,
    2: Ladder.general,
    3: Ladder.letters,
    4: Ladder.numbers,
    5: Ladder.value,
}
