"""Values of a graph's cells: the one place in the program that computes.

- `Evaluation(graph, rounding, replaced)[cell]` computes on demand, in full precision, with carried rounding, exactly,
  or with some cells taken as given (updated parameters, a student's numbers).
- `precise(cell)` is what the next step uses.

In full precision a number is a fraction as long as it is rational and short, so that 0.3 − 0.1·3 is 0, and a threshold is met
where it is met on paper; whoever asks for it gets a float. Else it is a float, and what is left of a sum when all but its noise
is gone is 0 (`settled` in instance.py). 0·ln 0 is 0, as in textbooks (vanishing.py); `vanished` are the cells where that was so.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from handcalc.core.expr import Call, Expr, Number, Power, Ref, Sum, children
from handcalc.core.functions import SMALL, function
from handcalc.core.instance import FRACTIONS, Lookup, Value, compute, evaluate, settled, short, shorter
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import Rounding
from handcalc.core.vanishing import vanishing, zero_or, zero_or_own
from handcalc.errors import EvaluationError, Message, Template

_FAILED: dict[type, Template] = {OverflowError: "{step}: the number is too large (overflow)", ZeroDivisionError: "{step}: division by zero"}


class Cells(Protocol):
    """What an evaluation asks of a graph."""

    def given_value(self, cell: Cell) -> Number | None: ...
    def instance(self, cell: Cell) -> Expr: ...
    def uses(self, wanted: Cell) -> tuple[Cell, ...]: ...
    def cell_id(self, cell: Cell) -> str: ...
    def is_slope(self, cell: Cell) -> bool: ...


class Evaluation:
    """Values of a graph's cells, computed on demand and kept.

    rounding: in carry mode every result is rounded before it is used; exact: fractions where the functions allow;
    replaced: cells whose value (a number, or a literal with its digits) is taken as given.
    """

    def __init__(self, graph: Cells, rounding: Rounding | None = None, replaced: Mapping[Cell, Value] | None = None) -> None:
        self.graph = graph
        self.rounding = rounding or Rounding()
        self.values: dict[Cell, Value] = {}
        self._found: Mapping[Any, Value] = self.values  # the same, for whoever does not ask whether a reference is a cell
        self.unrounded: dict[Cell, Value] = {} if self.rounding.carry else self.values
        self.replaced = replaced or {}
        self.literals: dict[Cell, Value] = {}  # what is given, of the cells that have a value
        self._fractions = self.rounding.exact or self.rounding.carry  # asked for, of any length; carried ones are decimals: a tie is a tie
        self._shorter = shorter if self._fractions else short
        self.vanished: set[Cell] = set()
        self._rational: dict[Cell, bool] = {}
        self._touched: dict[Cell, bool] = {}

    def __getitem__(self, wanted: Cell) -> Value:
        """The value of a cell: a float, or a fraction where fractions were asked for. Raises EvaluationError naming the first step
        that fails."""
        return self._read(self.precise(wanted))

    def precise(self, wanted: Cell) -> Value:
        """The value of a cell, as the next step uses it. Raises EvaluationError naming the first step that fails."""
        found = self.values.get(wanted)
        return self._worked_out(wanted) if found is None else found

    def _read(self, value: Value) -> Value:
        return value if self._fractions or type(value) is float else float(value)

    def before_rounding(self, wanted: Cell) -> Value:
        """The value of a cell before it is rounded for the next step."""
        if wanted not in self.unrounded:
            self.precise(wanted)
        return self._read(self.unrounded[wanted])

    def literal(self, wanted: Cell) -> Value | None:
        """What is given for a cell, None where it is computed."""
        found = self.replaced.get(wanted) if self.replaced else None
        return self.graph.given_value(wanted) if found is None else found

    def _worked_out(self, wanted: Cell) -> Value:
        pending = [wanted]
        opened: set[Cell] = set()
        while pending:
            current = pending[-1]
            if current in self.values:
                pending.pop()
                continue
            value = self.literal(current)
            if value is not None:
                self.values[current] = self.unrounded[current] = self._given(current, value)
                self.literals[current] = value
                pending.pop()
                continue
            try:
                self.work(current, self.graph.instance(current), self._known)
            except _Missing:
                if current in opened:
                    raise EvaluationError(Message("{step}: depends on itself", step=self.graph.cell_id(current))) from None
                opened.add(current)
                pending.extend(used for used in reversed(self.graph.uses(current)) if used not in self.values)
                continue
            pending.pop()
        return self.values[wanted]

    def work(self, current: Cell, expr: Expr, lookup: Lookup) -> None:
        """Compute a cell by its instance, whose references stand for what lookup finds. Raises EvaluationError where it has no value."""
        try:
            value = compute(expr, lookup, FRACTIONS)
            if type(value) is not float:
                value = self._shorter(value)
            elif type(expr) is Sum and -SMALL < value < SMALL:
                value = settled(value, [compute(term, lookup, FRACTIONS) for term in expr.terms])
        except (ArithmeticError, ValueError) as error:
            value = self._vanishing(expr, current, error, lookup)
        self._keep(current, value)

    def _given(self, current: Cell, value: Value) -> Value:
        if not isinstance(value, Number):
            return value
        try:
            found = compute(value, _nothing, FRACTIONS)
            return found if self._fractions else short(found)
        except OverflowError as error:
            raise self._failure(current, error) from None

    def of(self, expr: Expr, step: Cell | None = None, lookup: Lookup | None = None) -> Value:
        """The value of an expression over cells, or over what lookup finds; where it has none, EvaluationError names the step it is of."""
        try:
            value = self._read(compute(expr, lookup or self._worked, FRACTIONS))
            if isinstance(value, float) and not math.isfinite(value):
                raise OverflowError
            return value
        except (ArithmeticError, ValueError) as error:
            if step is None:
                raise
            return self._read(self._vanishing(expr, step, error, lookup or self._worked))

    def _vanishing(self, expr: Expr, step: Cell, error: Exception, lookup: Lookup) -> Value:
        """The value of an expression that has none, but for a factor 0."""
        try:
            if isinstance(error, OverflowError):
                raise error
            value = vanishing(expr, lookup, FRACTIONS, self.graph.is_slope(step), zero_or_own if self.replaced else zero_or)
        except (ArithmeticError, ValueError):
            raise self._failure(step, error) from None
        self.vanished.add(step)
        return value

    def _known(self, ref: Ref) -> Value:
        try:
            return self._found[ref.quantity, ref.indices]
        except KeyError:
            raise _Missing from None

    def _worked(self, ref: Ref) -> Value:
        found = self._found.get((ref.quantity, ref.indices))
        return self.precise(cell(ref)) if found is None else found

    def _keep(self, current: Cell, value: Value) -> None:
        if isinstance(value, float) and not math.isfinite(value):
            raise self._failure(current, OverflowError())
        if self.rounding.carry:
            self.unrounded[current] = value
            value = self.rounding.carried(value, self.graph.cell_id(current) if self.rounding.overrides else "")
        self.values[current] = value

    def _failure(self, current: Cell, error: Exception) -> EvaluationError:
        template = _FAILED.get(type(error), "{step}: the function is not defined there")
        return EvaluationError(Message(template, step=self.graph.cell_id(current)), cell=current, evaluation=self)

    def rational(self, wanted: Cell) -> bool:
        """Whether a cell's value is rational, so that its decimals may end: no root, power of e … on the way to it."""
        if wanted not in self._rational:
            self.precise(wanted)
        return self._settle(wanted, self._rational, True, not self.rounding.carry, lambda own: self._plain(self.graph.instance(own)))

    def touched(self, wanted: Cell) -> bool:
        """Whether a result was rounded on the way to a cell (carry mode only)."""

        def decide(current: Cell) -> bool:
            return any(self.values[used] != self.unrounded[used] for used in self.graph.uses(current))

        return self.rounding.carry and self._settle(wanted, self._touched, False, True, decide)

    def _settle(self, wanted: Cell, known: dict[Cell, bool], given: bool, passed_on: bool, decide: Callable[[Cell], bool]) -> bool:
        """Decide something about a cell after the cells it uses, without recursion; keep the answers. given: that of given
        numbers; the other answer is passed on to whatever uses the cell."""
        pending, literals = [wanted], self.literals
        while pending:
            current = pending.pop()
            if current in known or current in literals:
                known.setdefault(current, given)
                continue
            inputs = self.graph.uses(current)
            answers = [given if used in literals else known.get(used) for used in inputs]
            if passed_on and (not given) in answers:
                known[current] = not given
            elif None in answers:
                pending += (current, *(used for used in inputs if used not in known))
            else:
                known[current] = decide(current)
        return known[wanted]

    def _plain(self, expr: Expr) -> bool:
        if isinstance(expr, Call):
            record = function(expr.function)
            if not record.rational:
                values = [evaluate(argument, self._known) for argument in expr.arguments]
                return len(values) == 1 and not record.family and values[0] in record.exact_at
        if isinstance(expr, Power) and evaluate(expr.exponent, self._known) % 1 != 0:
            return False
        return all(self._plain(part) for part in children(expr) if type(part) is not Ref)


class _Missing(Exception):
    """A cell is needed that is not computed yet."""


def _nothing(ref: Ref) -> Value:
    raise KeyError(ref)
