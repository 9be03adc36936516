"""Many updates one after the other with the numbers of an evaluation, to the last bit: as a program, for numbers of far iterations.

- `ExactLine(cells, carried, read)` is the program: `run(values, count)` are the values after so many updates.

It does what core/evaluation.py does in full precision, with the same operations on the same fractions and floats in the same order: each
cell is a line, made by computing its instance in an arithmetic of code; then it is made shorter, or rid of noise, or refused, as an
evaluation does. Only finding out what comes next, cell by cell and update after update, is done once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import repeat
from math import isfinite
from typing import Any

from handcalc.arrays.straightline import Code
from handcalc.core.evaluation import Cells
from handcalc.core.expr import Number, Ref, Sum
from handcalc.core.functions import SMALL, Function
from handcalc.core.instance import FRACTIONS, Arithmetic, Value, compute, settled, short
from handcalc.core.quantity import Cell, cell


class ExactLine:
    """Updates of what is carried: pairs of a cell and the cell it becomes; read: what is made of a value before it is carried on."""

    def __init__(self, cells: Cells, carried: Sequence[tuple[Cell, Cell]], read: Callable[[Value], Value] = lambda value: value) -> None:
        self._cells = cells
        self._names = {old: f"p{number}" for number, (old, _) in enumerate(carried)}
        self._known: dict[str, Any] = {
            "__builtins__": {}, "type": type, "float": float, "isfinite": isfinite, "short": short, "settled": settled, "read": read,
            "OverflowError": OverflowError, "power": FRACTIONS.power, "call": FRACTIONS.call, "settle": FRACTIONS.settle,
        }  # fmt: skip
        self._numbers = Arithmetic(self._literal, self._power, self._call, self._settle)
        lines = [line for _, new in carried for line in self._lines(new)]
        before, after = (
            _tuple(names) for names in ([*self._names.values()][: len(carried)], (f"read({self._names[new]})" for _, new in carried))
        )
        source = ["def run(state, rounds):", f"    {before} = state", "    for _ in rounds:", *("        " + line for line in lines)]
        exec(compile("\n".join([*source, f"        {before} = {after}", f"    return {before}"]), "<exact line>", "exec"), self._known)

    def run(self, values: Iterable[Value], count: int) -> tuple[Value, ...]:
        """The values after so many updates, in the order of what is carried. Raises ArithmeticError or ValueError where a cell on the
        way has no value."""
        found: tuple[Value, ...] = self._known["run"](tuple(values), repeat(None, count))
        return found

    def _lines(self, wanted: Cell) -> list[str]:
        """The lines of a cell and of those that it uses, but for those that are there."""
        lines: list[str] = []
        pending = [wanted]
        while pending:
            current = pending[-1]
            given = None if current in self._names else self._cells.given_value(current)
            missing = () if current in self._names or given is not None else self._missing(current)
            if missing:
                pending.extend(missing)
                continue
            pending.pop()
            if given is not None:
                self._names[current] = self._constant(short(compute(given, self._reference, FRACTIONS)))
            elif current not in self._names:
                lines += self._line(current)
        return lines

    def _missing(self, wanted: Cell) -> list[Cell]:
        return [used for used in self._cells.uses(wanted) if used not in self._names]

    def _line(self, wanted: Cell) -> list[str]:
        expr, name = self._cells.instance(wanted), f"c{len(self._names)}"
        lines = [f"{name} = {compute(expr, self._reference, self._numbers).text}", f"if type({name}) is float:"]
        lines.append(f"    if not isfinite({name}): raise OverflowError")
        if isinstance(expr, Sum):
            terms = _tuple(compute(term, self._reference, self._numbers).text for term in expr.terms)
            lines.append(f"    if -{SMALL} < {name} < {SMALL}: {name} = settled({name}, {terms})")
        self._names[wanted] = name
        return [*lines, f"else: {name} = short({name})"]

    # --- the arithmetic ---

    def _reference(self, reference: Ref) -> Code:
        return Code(self._names[cell(reference)])

    def _constant(self, value: Any) -> str:
        """The name of something that is always the same."""
        name = f"k{len(self._known)}"
        self._known[name] = value
        return name

    def _literal(self, literal: Number) -> Code:
        return Code(self._constant(FRACTIONS.number(literal)))

    def _power(self, base: Code, exponent: Code) -> Code:
        return Code(f"power({base.text}, {exponent.text})")

    def _call(self, record: Function, values: list[Code], at: int) -> Code:
        return Code(f"call({self._constant(record)}, [{', '.join(value.text for value in values)}], {at})")

    def _settle(self, value: Code, terms: list[Code]) -> Code:
        return Code(f"settle({value.text}, {_tuple(term.text for term in terms)})")


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(name + ", " for name in names) + ")"
