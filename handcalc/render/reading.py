"""A derivation read in a notation: every line with that notation's letters and signs, never another mathematics.

- `Reading.formula(cell)`, `symbol(cell)`, `shown(cell)`: the three columns of a step, as expressions and numbers.
- `Reading.general(quantity)`: the general formula; `chain(cell)`: the named factors of a gradient.
- `Reading.find(text)`: a cell from an id, from any symbol of the notation, or from another name (lookup.py).
- `read(derivation, notation, …)` makes one.

Where a letter stands for the negative of a quantity (δ = −∂E/∂net, θ = −b), references become −letter, the line is
negated as a whole, and the constructors pull the signs outward. Delta-rule notations write Δw = η·δ·x with the
gradient put in; not in carry mode, where every line must reproduce from its own rounded numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from functools import cached_property

from handcalc.core.derivation import Derivation, Step
from handcalc.core.expr import Expr, Number, Ref, add, neg, references, reindex, rewrite
from handcalc.core.graph import Graph
from handcalc.core.index import Position, are_places
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.rounding import Shown
from handcalc.errors import AmbiguousIdError, UnknownIdError
from handcalc.render.dialects import TYPED, UNICODE, Dialect, shown, symbol
from handcalc.render.frames import Frames
from handcalc.render.lookup import Found, Lookup
from handcalc.render.notation import Notation, notation_for
from handcalc.render.printer import Printer
from handcalc.render.symbols import Derivative, Symbol

MANY = 2_000  # cells of a graph; of fewer the formulas are made one by one

Factor = tuple[Cell | None, Cell]  # ∂first/∂second; None is E


def read(derivation: Derivation, notation: str = "", dialect: Dialect = UNICODE, comma: bool = False, longest: int = 0) -> Reading:
    """A derivation in a notation: the given one, else the problem's own, else Matt Mazur's. longest: see `Printer`."""
    return Reading(derivation, notation_for(derivation, notation), dialect, comma, longest)


class Reading:
    """A derivation in a notation and a dialect; comma and longest as in `Printer`."""

    def __init__(
        self, derivation: Derivation, notation: Notation, dialect: Dialect = UNICODE, comma: bool = False, longest: int = 0
    ) -> None:
        self.derivation = derivation
        self.graph = derivation.graph
        self.notation = notation
        self.dialect = dialect
        self.comma = comma
        self.longest = longest
        self.lookup = Lookup(derivation, notation)
        self.delta_rule = notation.data["update"] == "delta" and not derivation.rounding.carry
        self._signs = {quantity.name: notation.sign(quantity) for quantity in self.graph}
        self._turning = any(sign < 0 for sign in self._signs.values())
        self._spelled: dict[Cell, str] = {}
        self._typed = dialect in TYPED
        self._numbers: dict[int, dict[Cell, str]] = {}
        self._lookup: Lookup | None = None
        self._rounds: dict[Graph, Reading] = {}

    def at(self, iteration: int) -> Reading:
        """The same reading of the graph of a round, for formulas and places; names and numbers are those of any other."""
        derivation = self.derivation.at(iteration)
        graph = derivation.graph
        if graph is self.graph:
            return self
        if graph not in self._rounds:
            self._rounds[graph] = Reading(derivation, self.notation.on(graph), self.dialect, self.comma, self.longest)
        return self._rounds[graph]

    # --- expressions ---

    def formula(self, wanted: Cell) -> Expr | None:
        """A cell's instance formula in this notation's signs; None for a given number, and for one that nobody gave."""
        if self.graph.given_value(wanted) is not None or self.graph[wanted[0]].unknown:
            return None
        return self._signed(self.graph[wanted[0]], self._put(self.graph[wanted[0]], self.graph.instance(wanted), wanted))

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells in a cell's formula, each once, in the order written; of many cells the formulas are not made."""
        if self.framed:
            is_known = self.graph.given_value(wanted) is not None or self.graph[wanted[0]].unknown
            return () if is_known else self.frames.uses(wanted)
        formula = self.formula(wanted)
        return () if formula is None else tuple(map(cell, references(formula)))

    @cached_property
    def framed(self) -> bool:
        """Whether there are many cells, whose formulas are printed as they are in the graph, so that cells that are alike have a frame."""
        return not self._turning and not self.delta_rule and sum(quantity.size for quantity in self.graph) > MANY

    @cached_property
    def frames(self) -> Frames:
        """The frames of the formulas in the graph."""
        return Frames(self.graph)

    def general(self, quantity: Quantity) -> Expr | None:
        """The general formula of a quantity in this notation's signs."""
        definition = quantity.stepwise or self.definition(quantity)
        return None if definition is None else self._signed(quantity, definition)

    def definition(self, quantity: Quantity) -> Expr | None:
        """The general formula as this notation writes it, before signs: in delta-rule notations with the gradient put in."""
        return None if quantity.definition is None else self._put(quantity, quantity.definition, None)

    def signed(self, expr: Expr) -> Expr:
        """An expression with this notation's letters: −letter where one stands for the negative."""
        if not self._turning:
            return expr
        return rewrite(expr, lambda node: neg(node) if isinstance(node, Ref) and self._signs[node.quantity] < 0 else None)

    def _signed(self, quantity: Quantity, expr: Expr) -> Expr:
        turned = self.signed(expr)
        return neg(turned) if self._signs[quantity.name] < 0 else turned

    def _put(self, quantity: Quantity, expr: Expr, wanted: Cell | None) -> Expr:
        """Delta-rule notations: Δw = η·δ·x, w⁺ = w + Δw."""
        if not self.delta_rule or quantity.of is None or quantity.kind not in ("change", "updated") or expr == quantity.of:
            return expr
        parameter = quantity.of.quantity
        if quantity.kind == "updated":
            places = quantity.index if wanted is None else wanted[1]
            is_frozen = isinstance(expr, Ref)
            return expr if is_frozen else add(Ref(parameter, places), Ref(self.graph.change(parameter), places))

        gradient = self.graph.gradient(parameter)
        if any(name == gradient and (wanted is None or place == wanted[1]) for name, place in self.graph.fixed):
            return expr  # ∂E/∂w is what is known

        def change(node: Expr) -> Expr | None:
            if isinstance(node, Ref) and node.quantity == gradient:
                inner = self.graph[node.quantity]
                whole = inner.definition if wanted is None else self.graph.instance((node.quantity, wanted[1]))
                return self._with_penalties(whole) if whole is not None else None
            return None

        return rewrite(expr, change)

    def _with_penalties(self, expr: Expr) -> Expr:
        """The sum of a gradient; where a penalty in the loss is one of its paths, with what the paths are in their place."""
        paths = [ref for ref in references(expr) if self.graph[ref.quantity].kind == "path"]
        through = (self.graph[ref.quantity].through for ref in paths)
        if all(consumer is None or self.graph[consumer.quantity].kind != "loss" for consumer in through):
            return expr

        def change(node: Expr) -> Expr | None:
            if not isinstance(node, Ref) or node not in paths:
                return None
            path = self.graph[node.quantity]
            if all(isinstance(place, int) for place in node.indices):
                return self.graph.instance(cell(node))
            return path.definition and reindex(path.definition, {i.letter: place for i, place in zip(path.index, node.indices)})

        return rewrite(expr, change)

    # --- text ---

    def symbol(self, reference: Ref, bare: bool = False, timed: bool = False) -> str:
        """The symbol of a cell or of a general reference; bare: without its sample and time; timed: with its time all the same."""
        if bare:
            return symbol(self.notation.name(reference, ("time",) if timed else ()), self.dialect)
        if not are_places(reference.indices):
            return symbol(self.notation.name(reference), self.dialect)  # two indices of one letter may count from different numbers
        wanted = reference.quantity, reference.indices
        found = self._spelled.get(wanted)
        if found is None:
            found = self.lookup.spelled(wanted, self.dialect) if self._typed else symbol(self.notation.name(reference), self.dialect)
            self._spelled[wanted] = found
        return found

    def whole(self, quantity: Quantity, places: tuple[Position | None, ...] = ()) -> str:
        """The name of a whole quantity in a matrix formula, such as W⁽²⁾ or δ⁽¹⁾, or of a member of its family, such as h_t."""
        return symbol(self.notation.whole(quantity, places), self.dialect)

    def turned(self, wanted: Cell) -> bool:
        """Whether this notation's letter for a cell stands for its negative."""
        return self._signs[wanted[0]] < 0

    def shown(self, wanted: Cell, iteration: int = 1) -> Shown:
        """A cell's printed number in this notation's sign."""
        number = self.derivation.shown(wanted, iteration)
        return number.negated() if self._signs[wanted[0]] < 0 else number

    def number(self, wanted: Cell, iteration: int = 1) -> str:
        """A cell's number as text."""
        numbers = self._numbers.setdefault(iteration, {})
        found = numbers.get(wanted)
        if found is None:
            found = shown(self.shown(wanted, iteration), self.dialect, self.comma)
            if self.dialect.linked and self.dialect.typeset:
                found = self.dialect.linked.format(id=self.dialect.typeset.escape(self.derivation.step_id(wanted, iteration)), x=found)
            numbers[wanted] = found
        return found

    def symbolic(self, expr: Expr, gaps: Container[Cell] = ()) -> str:
        """An expression with symbols; gaps: cells left out, to be filled in."""
        names = self._gapped(self.symbol, gaps)
        return Printer(self.dialect, names, False, self.comma, self.longest).text(expr)

    def numeric(self, expr: Expr, iteration: int = 1, gaps: Container[Cell] = ()) -> str:
        """An expression with numbers put in; gaps: cells left out, to be filled in."""
        names = self._gapped(lambda ref: self.number(cell(ref), iteration), gaps)
        return Printer(self.dialect, names, True, self.comma, self.longest).text(expr)

    def _gapped(self, names: Callable[[Ref], str], gaps: Container[Cell]) -> Callable[[Ref], str]:
        return (lambda ref: self.dialect.blank if cell(ref) in gaps else names(ref)) if gaps else names

    def put(self, expr: Expr, numbers: Mapping[Cell, Shown]) -> str:
        """An expression in this notation's signs, with other numbers than the solution's put in; of cells without one letters stay."""

        def number(ref: Ref) -> str:
            found = numbers.get(cell(ref))
            if found is None:
                return self.symbol(ref)
            return self.digits(found.negated() if self.turned(cell(ref)) else found)

        return Printer(self.dialect, number, True, self.comma, self.longest).text(expr)

    def digits(self, number: Shown) -> str:
        """A number as text."""
        return shown(number, self.dialect, self.comma)

    def line(self, wanted: Cell, expr: Expr) -> Expr:
        """What a cell's symbol is equal to, if the cell were defined by another expression."""
        return self._signed(self.graph[wanted[0]], expr)

    def exact_inputs(self, expr: Expr, iteration: int = 1) -> bool:
        """Whether every number put into an expression is exact as shown, or what the computation really uses."""
        if self.derivation.rounding.carry:
            return True
        return all(self.shown(cell(node), iteration).exact for node in references(expr))

    def factors(self, factors: tuple[Factor, ...], negative: bool = False) -> str:
        """A product of named derivatives."""
        return (self.dialect.negative if negative else "") + self.dialect.wide_times.join(map(self.factor, factors))

    def factor(self, factor: Factor) -> str:
        """∂a/∂b as text."""
        above, below = factor
        return self.ratio(None if above is None else Ref(*above), Ref(*below))

    def ratio(self, above: Ref | None, below: Ref) -> str:
        """∂above/∂below as text; above None: the loss."""
        bottom = self.notation.name(below)
        top = self.notation.objective if above is None else self.notation.name(above)
        if isinstance(top, Symbol) and isinstance(bottom, Symbol):
            return symbol(Derivative(top.replace(sample=""), bottom.replace(sample=""), sample=bottom.sample), self.dialect)
        return self.dialect.quotient.format(a=symbol(top, self.dialect), b=symbol(bottom, self.dialect))

    # --- the chain ---

    def chain(self, step: Step) -> tuple[Factor, ...]:
        """The named factors of a gradient that comes through one consumer: ∂E/∂out · ∂out/∂net · ∂net/∂w."""
        if len(step.contributions) != 1 and self.graph[step.cell[0]].kind != "path":
            return ()
        quantity = self.graph[step.cell[0]]
        assert quantity.of is not None
        target = self.graph.at(quantity.of, step.cell)
        through = self.graph.at(quantity.through, step.cell) if quantity.through else step.contributions[0].through
        if not quantity.through and isinstance(step.contributions[0].upstream, Number):
            return ()
        before: tuple[Factor, ...] = ((None, through),)
        consumer = self.graph[through[0]]
        delta = (self.graph.gradient(through[0]), through[1])
        if consumer.kind == "net" and delta not in self.graph.fixed:
            outputs = [part.through for part in self.derivation.step(delta).contributions]
            if len(outputs) == 1 and self.graph.local(outputs[0][0]):
                before = ((None, outputs[0]), (outputs[0], through))
        return (*before, (through, target))

    # --- looking up ---

    def symbols(self) -> dict[str, Cell]:
        """Every symbol of the notation, in every dialect people type, with its cell."""
        return self.lookup.symbols()

    def spellings(self, wanted: Cell) -> Iterator[str]:
        """What people may type for a cell, besides its id."""
        return self.lookup.spellings(wanted)

    def look_up(self, text: str, hint: bool = True) -> Found:
        """What an id, a symbol, or another name for a step means. Raises UnknownIdError with a near match, if that is wanted, or if it may
        mean several."""
        return self.lookup.find(text, hint)

    def list_of(self, text: str, shape: tuple[int, ...]) -> tuple[Found, ...]:
        """The cells of a vector or a matrix by its name, row by row; () where there is none of this name and shape."""
        return self.lookup.list_of(text, shape)

    @cached_property
    def _own_lookup(self) -> Lookup:
        """The names of the problem's own notation."""
        return Lookup(self.derivation, notation_for(self.derivation))

    def find(self, text: str) -> tuple[Cell, int]:
        """The cell and iteration of a word whose sign does not matter; a problem's own notation is understood in any other.

        Raises UnknownIdError.
        """
        try:
            found = self.look_up(text)
        except AmbiguousIdError:
            raise
        except UnknownIdError as error:
            own = self._own_lookup.notation
            if own.data is self.lookup.notation.data and own.own == self.lookup.notation.own:
                raise
            try:
                found = self._own_lookup.find(text)
            except UnknownIdError:
                raise error from None
        return found.cell, found.iteration
