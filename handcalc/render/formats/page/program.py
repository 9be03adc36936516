"""A derivation as a program of a page: its rounds again, with other numbers, by the same definitions.

- `LiveProgram(derivation).text` is JavaScript that gives each cell a function of the cells before it; `data()` is what there is to know
  beside it: what is given, what goes from round to round, how numbers are printed.
- `LiveProgram.of(derivation)` is that of a page, or None: large networks would make it long.

An expression becomes code by being computed in an arithmetic of code, as in arrays/straightline.py: the operations of an evaluation in
the same order, on the same fractions and floats (numbers.js). Its functions are read from core/functions.py (functions.py). The text is
made of numbers and of names made here; nothing that a user wrote is in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Number, Ref, Sum, walk
from handcalc.core.functions import Function
from handcalc.core.graph import Graph
from handcalc.core.instance import Arithmetic, compute
from handcalc.core.quantity import Cell, cell
from handcalc.core.rounding import DEFAULT_SIGNIFICANT
from handcalc.core.vanishing import vanishing
from handcalc.errors import printable
from handcalc.render.formats.page.functions import javascript, number_of

CELLS_LIMIT = 1000  # of all rounds with graphs of their own
GIVEN_LIMIT = 200  # numbers that may be changed
TEXT_LIMIT = 150_000  # letters of a program


class _Code:
    """A piece of a program that is worth a number; its operators write longer pieces. joined: the operation that it is, and its parts."""

    __slots__ = ("text", "operation")

    def __init__(self, text: str, operation: str = "") -> None:
        self.text = text
        self.operation = operation

    def __add__(self, other: _Code) -> _Code:
        return self._joined("add", other)

    def __mul__(self, other: _Code) -> _Code:
        return self._joined("mul", other)

    def __truediv__(self, other: _Code) -> _Code:
        return _Code(f"div({self.text},{other.text})")

    def __neg__(self) -> _Code:
        return _Code(f"neg({self.text})")

    def _joined(self, operation: str, other: _Code) -> _Code:
        """One call where this is already one of the same kind: a sum of many terms is added up from the left."""
        first = self.text[:-1] if self.operation == operation else f"{operation}({self.text}"
        return _Code(f"{first},{other.text})", operation)


def _number(literal: Number) -> _Code:
    whole = f"{literal.numerator}n"
    return _Code(whole if literal.denominator == 1 else f"Ratio.of({whole}, {literal.denominator}n)")


def _call(record: Function, values: list[_Code], at: int) -> _Code:
    arguments = ",".join(value.text for value in values)
    arguments = f"[{arguments}],{at}" if record.family else arguments
    before = "" if record.rational else "rational," if arguments else "rational"
    return _Code(f"f{number_of(record)}({before}{arguments})")


_CODE = Arithmetic(
    _number,
    lambda base, exponent: _Code(f"power({base.text},{exponent.text})"),
    _call,
    lambda value, terms: _Code(f"settle({','.join([value.text, *(term.text for term in terms)])})"),
)


def _zero_or(values: list[_Code], logarithms_of: list[_Code], otherwise: Callable[[], _Code]) -> _Code:
    zeros, arguments = (",".join(value.text for value in some) for some in (values, logarithms_of))
    return _Code(f"zeroOr([{zeros}],[{arguments}],()=>{otherwise().text})")


class LiveProgram:
    """The program of a derivation. number: that of a cell in the program."""

    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation
        self.rounds = range(1, max(derivation.iterations, 1) + 1)
        self.graphs = list(_graphs(derivation))
        self.owner: dict[Cell, Graph] = {}
        for graph in self.graphs:
            for wanted in cells_of(graph):
                self.owner.setdefault(wanted, graph)
        self.numbers = {wanted: number for number, wanted in enumerate(self.owner)}

    @classmethod
    def of(cls, derivation: Derivation) -> LiveProgram | None:
        """The program of a derivation; None where there are too many numbers, or where they are computed as arrays."""
        small = sum(quantity.size for graph in _graphs(derivation) for quantity in graph) <= CELLS_LIMIT
        if not small or type(derivation.evaluation) is not Evaluation:
            return None
        program = cls(derivation)
        return program if 0 < len(program.given) <= GIVEN_LIMIT and len(program.text) <= TEXT_LIMIT else None

    @cached_property
    def given(self) -> list[Cell]:
        """The given cells that something is worked out from."""
        used = {one for graph in self.graphs for wanted in _worked(graph) for one in graph.uses(wanted)}
        return [wanted for wanted, graph in self.owner.items() if wanted in used and graph.given_value(wanted) is not None]

    @property
    def lasts(self) -> bool:
        """Whether its updates can go on: every round has the same samples."""
        return bool(self.derivation.updated) and len(self.graphs) == 1 and not self.derivation.graph.fixed

    def first_round(self, wanted: Cell) -> int:
        """The first round that a cell is in."""
        return next(number for number in self.rounds if self.derivation.at(number).graph is self.owner[wanted])

    @cached_property
    def text(self) -> str:
        """A function that answers the steps of every graph: pairs of a cell's number and what it is worth, each after what it uses."""
        graphs = ",\n".join("[\n" + ",\n".join(self._steps(graph)) + "\n]" for graph in self.graphs)
        return f"() => {{\n{javascript(self._functions())}\nreturn [{graphs}];\n}}"

    def _functions(self) -> Iterable[str]:
        for graph in self.graphs:
            for wanted in _worked(graph):
                yield from (node.function for node in walk(graph.instance(wanted)) if isinstance(node, Call))

    def _steps(self, graph: Graph) -> Iterable[str]:
        for wanted in _in_order(graph):
            worth = self._worth(graph.instance(wanted))
            again = self._vanishing(graph.instance(wanted), graph.is_slope(wanted))
            yield f"[{self.numbers[wanted]},n=>{f'attempt(()=>{worth},()=>{again})' if '()' in again else worth}]"

    def _vanishing(self, expr: Expr, is_slope: bool) -> str:
        code: _Code = vanishing(expr, self._reference, _CODE, is_slope, _zero_or)
        return code.text

    def _worth(self, expr: Expr) -> str:
        if isinstance(expr, Sum):
            return f"sum({','.join(self._code(term) for term in expr.terms)})"
        return self._code(expr)

    def _code(self, expr: Expr) -> str:
        code: _Code = compute(expr, self._reference, _CODE)
        return code.text

    def _reference(self, reference: Ref) -> _Code:
        return _Code(f"n[{self.numbers[cell(reference)]}]")

    def data(self) -> dict[str, Any]:
        """cells: their ids, in the order of their numbers; rounds: the graph of each; given: of each graph, number → digits, with ~ before
        what nobody typed; start: what the first round begins with instead; uses: what a cell is made of; carried: what becomes of what;
        powers: those of a softmax, which can be too large; and how numbers are printed."""
        derivation, rounding = self.derivation, self.derivation.rounding
        numbers = self.numbers
        carried = [
            [numbers[old, place], numbers[new, place]]
            for old, new in derivation.carried.items()
            for place in derivation.graph.positions(old)
            if (old, place) in numbers and (new, place) in numbers
        ]
        names = {wanted: graph.cell_id(wanted) for wanted, graph in self.owner.items()}
        usual = rounding.digits("")
        digits = {numbers[wanted]: rounding.digits(name) for wanted, name in names.items()} if rounding.overrides else {}
        return {
            "cells": [printable(name) for name in names.values()],
            "rounds": [self.graphs.index(derivation.at(number).graph) for number in self.rounds],
            "given": [{numbers[wanted]: _spelled(given) for wanted, given in _given(graph)} for graph in self.graphs],
            "start": [[numbers[wanted], _carried(value)] for wanted, value in derivation.evaluation.replaced.items()],
            "uses": [
                {numbers[wanted]: [numbers[used] for used in graph.uses(wanted)] for wanted in _worked(graph)} for graph in self.graphs
            ],
            "carried": carried,
            "powers": [number for wanted, number in numbers.items() if self._is_power(wanted)],
            "loss": numbers.get((derivation.loss, ()), -1),
            "decimals": rounding.decimals,
            "significant": None if rounding.decimals is not None else rounding.significant or DEFAULT_SIGNIFICANT,
            "ties": rounding.ties,
            "carry": rounding.carry,
            "exact": rounding.exact,
            "digits": {number: own for number, own in digits.items() if own != usual},
        }

    def _is_power(self, wanted: Cell) -> bool:
        quantity = self.owner[wanted][wanted[0]]
        return (quantity.kind, quantity.role) == ("step", "exp")


def _graphs(derivation: Derivation) -> dict[Graph, None]:
    """The graphs of all rounds, each once."""
    return dict.fromkeys(derivation.at(number).graph for number in range(1, max(derivation.iterations, 1) + 1))


def _spelled(given: Number) -> str:
    """A given number as it was typed; one that nobody typed, as a fraction behind ~."""
    return given.text or (str(given.numerator) if given.denominator == 1 else f"~{given.numerator}/{given.denominator}")


def _carried(value: Any) -> str:
    """What a round begins with, to the last bit."""
    if isinstance(value, Number):
        return _spelled(value)
    return repr(value) if isinstance(value, float) else f"~{value.numerator}/{value.denominator}"


def _given(graph: Graph) -> Iterable[tuple[Cell, Number]]:
    found = ((wanted, graph.given_value(wanted)) for wanted in cells_of(graph))
    return ((wanted, given) for wanted, given in found if given is not None)


def _worked(graph: Graph) -> list[Cell]:
    """The cells that are worked out."""
    return [wanted for wanted in cells_of(graph) if graph.given_value(wanted) is None]


def cells_of(graph: Graph) -> list[Cell]:
    """The cells that have a number."""
    return [
        (quantity.name, place)
        for quantity in graph
        if not quantity.unknown
        for place in graph.positions(quantity.name)
        if (quantity.name, place) not in graph.left_out
    ]


def _in_order(graph: Graph) -> Iterable[Cell]:
    """The cells that are worked out, each after what it uses."""
    done = {wanted for wanted, _ in _given(graph)}
    for start in _worked(graph):
        pending = [start]
        while pending:
            current = pending[-1]
            missing = [] if current in done else [used for used in graph.uses(current) if used not in done]
            if missing:
                pending += reversed(missing)
                continue
            if pending.pop() not in done:
                done.add(current)
                yield current
