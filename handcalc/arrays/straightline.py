"""One update as straight-line Python, made from the graph: an assignment for each cell, in a loop; for small networks.

- `Straight(graph, updated, loss, data)` is the program: `run(state, rows, stop)` goes on from a state, one row of data
  an update; `start(value)` makes a state, `values(state)` says what is in one, `changed(state, values)` puts others there;
  `source(watched)` is its text.
- `answers(name, data)` is a program for a quantity alone, such as the outputs.

An expression becomes code by being computed in an arithmetic of code (`CODE`), so it does the same operations in the
same order as an evaluation does with floats. The text is made of numbers, the names made
here (p0, d0, c0 …) and the functions of core/functions.py; nothing that a user wrote is in it.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import cache, cached_property
from inspect import getsource
from operator import length_hint
from textwrap import dedent
from typing import Any

from handcalc.arrays.noise import decisive
from handcalc.core.expr import Call, Number, Power, Ref, Sum, walk
from handcalc.core.functions import FUNCTIONS, SMALL, Function
from handcalc.core.graph import Graph
from handcalc.core.instance import FLOATS, Arithmetic, compute, settled
from handcalc.core.quantity import Cell, cell
from handcalc.core.vanishing import may_vanish, vanishing

State = tuple[float, ...]


class Code:
    """A piece of a program that is worth a number; its operators write longer pieces. negated: what it is the negative of."""

    __slots__ = ("text", "negated")

    def __init__(self, text: str, negated: str = "") -> None:
        self.text = text
        self.negated = negated

    def __add__(self, other: Code) -> Code:
        if other.negated:
            return Code(f"({self.text} - {other.negated})")
        return Code(f"({self.text} + {other.text})")

    def __mul__(self, other: Code) -> Code:
        return Code(f"({self.text} * {other.text})")

    def __truediv__(self, other: Code) -> Code:
        return Code(f"({self.text} / {other.text})")

    def __neg__(self) -> Code:
        return Code(f"(-{self.text})", self.text)


def _number(literal: Number) -> Code:
    return Code(f"({FLOATS.number(literal)!r})" if literal.numerator < 0 else repr(FLOATS.number(literal)))


def _power(base: Code, exponent: Code) -> Code:
    """What FLOATS.power does; a positive whole exponent needs no care."""
    whole = exponent.text.removesuffix(".0")
    return Code(f"({base.text} ** {whole})" if whole.isdigit() and 0 < int(whole) < 1000 else f"power({base.text}, {exponent.text})")


def _call(record: Function, values: list[Code], at: int) -> Code:
    arguments = ", ".join(value.text for value in values)
    inline = None if record.family else _expression(record.value)
    if inline is not None and all(value.text.isidentifier() for value in values):
        return Code(f"({_put_in(inline, [value.text for value in values])})")
    name = f"f{list(FUNCTIONS).index(record.name)}"
    return Code(f"{name}([{arguments}], {at})" if record.family else f"{name}({arguments})")


@cache
def _expression(function: Callable[..., Any]) -> tuple[tuple[str, ...], ast.expr] | None:
    """The arguments and the one expression of a function of core/functions.py, read from its source, so that a program need
    not call it; None where it is more than that."""
    try:
        found = ast.parse(dedent(getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        return None
    if not isinstance(found, ast.FunctionDef) or len(found.body) != 1 or not isinstance(found.body[0], ast.Return):
        return None
    names = tuple(argument.arg for argument in found.args.args)
    body = found.body[0].value
    used = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)} if body is not None else {""}
    return (names, body) if body is not None and used <= {*names, "math"} else None


def _put_in(inline: tuple[tuple[str, ...], ast.expr], arguments: list[str]) -> str:
    """The text of an expression with other names for its arguments, and with the functions of math by their own names."""
    names, body = inline
    text = ast.unparse(body)
    for name, argument in zip(names, arguments):
        text = re.sub(rf"\b{name}\b", argument, text)
    return text.replace("math.", "")


def _settle(value: Code, terms: list[Code]) -> Code:
    return Code(f"settled({value.text}, {_tuple(term.text for term in terms)})")


CODE = Arithmetic(_number, _power, _call, _settle)


def _zero_or(values: list[Code], logarithms_of: list[Code], otherwise: Callable[[], Code]) -> Code:
    joined = (" or " if logarithms_of else " and ").join(f"{value.text} == 0" for value in values)
    return Code(f"(0.0 if {joined} else {otherwise().text})")


class Straight:
    """A graph's update as a function of the parameters and of a row of data.

    updated: parameter (or memory) → what it becomes; loss: the quantity that is watched; data: the given quantities that
    each row has instead.
    """

    def __init__(self, graph: Graph, updated: Mapping[str, str], loss: str, data: Sequence[str] = ()) -> None:
        self.graph = graph
        self.target: Cell = (loss, ())
        self.data = [(name, place) for name in data for place in graph.positions(name)]
        self.state = tuple((name, place) for name in updated for place in graph.positions(name))
        self.new = [(updated[name], place) for name, place in self.state]
        self.decisive = decisive(graph, updated.values())

    def start(self, value: Callable[[Cell], float]) -> State:
        """The state with these values."""
        return tuple(map(value, self.state))

    def values(self, state: State) -> dict[Cell, float]:
        """Cell → value of a state."""
        return dict(zip(self.state, state))

    def value(self, state: State, wanted: Cell) -> float:
        """The value of one cell of a state."""
        return state[self.state.index(wanted)]

    def changed(self, state: State, values: Mapping[Cell, float]) -> State:
        """The state with other values of some cells."""
        return tuple(values.get(wanted, value) for wanted, value in zip(self.state, state))

    def finite(self, state: State) -> bool:
        """Whether every number of a state is one."""
        return all(map(math.isfinite, state))

    def loss(self, state: State, row: Sequence[float] = ()) -> float:
        """The loss with a state and data."""
        return self.run(state, (row,), math.inf)[1]

    def run(self, state: State, rows: Iterable[Sequence[float]], stop: float = -math.inf) -> tuple[State, float, int]:
        """The state after an update for every row, the loss before the last of them (0 if nobody waits for it), and how many.

        Ends before the first update whose loss is at most `stop`. Raises ArithmeticError or ValueError where a cell has no value.
        """
        if stop > -math.inf:
            return self._watched(state, rows, stop)
        count = length_hint(rows)
        return self._plain(state, rows), 0.0, count

    @cached_property
    def _plain(self) -> Callable[..., State]:
        return _compiled(self.source(False))

    @cached_property
    def _watched(self) -> Callable[..., tuple[State, float, int]]:
        return _compiled(self.source(True))

    def answers(self, wanted: list[Cell], data: Sequence[str]) -> Callable[[State, Iterable[Sequence[float]]], list[tuple[float, ...]]]:
        """A program that gives some cells for each row of data; not a number where a row has no value."""
        given = [(one, place) for one in data for place in self.graph.positions(one)]
        writer = self._writer(wanted, given)
        body = [line for one in wanted for line in writer.lines_for(one)]
        unpack = [f"{_tuple(f'p{number}' for number in range(len(self.state)))} = state"] * bool(self.state)
        unpack += [f"{_tuple(f'd{number}' for number in range(len(given)))} = row"]
        source = ["def run(state, row):", *unpack, *body, f"return {_tuple(writer.names[one] for one in wanted)}"]
        run: Callable[..., tuple[float, ...]] = _compiled("\n    ".join(source))

        def answer(state: State, row: Sequence[float]) -> tuple[float, ...]:
            try:
                return run(state, row)
            except (ArithmeticError, ValueError):
                return (math.nan,) * len(wanted)

        return lambda state, rows: [answer(state, row) for row in rows]

    def _writer(self, wanted: list[Cell], data: Iterable[Cell]) -> _Writer:
        """A writer that knows the names of what a program is given."""
        writer = _Writer(self.graph, wanted, self.decisive)
        writer.names |= {one: f"p{number}" for number, one in enumerate(self.state)}
        writer.names |= {one: f"d{number}" for number, one in enumerate(data)}
        return writer

    def source(self, watched: bool) -> str:
        """The text of the program; watched: with the loss, which is compared with `stop` before each update."""
        writer = self._writer([*([self.target] if watched else []), *self.new], self.data)
        before = _tuple(f"p{number}" for number in range(len(self.state)))
        row = _tuple(f"d{number}" for number in range(len(self.data))) if self.data else "_"
        body = [*writer.lines_for(self.target), f"loss = {writer.names[self.target]}", "if loss <= stop: break"] if watched else []
        for wanted in self.new:
            body += writer.lines_for(wanted)
        body.append(f"{before} = {_tuple(writer.names[wanted] for wanted in self.new)}")
        body += ["count += 1"] if watched else []
        head = f"def run(state, rows{', stop' if watched else ''}):"
        first = ["    count = 0", "    loss = 0.0"] if watched else []
        end = f"    return {before}, loss, count" if watched else f"    return {before}"
        return "\n".join([head, f"    {before} = state", *first, f"    for {row} in rows:", *("        " + line for line in body), end])


def _compiled(source: str) -> Callable[..., Any]:
    functions: dict[str, Any] = {f"f{number}": record.value for number, record in enumerate(FUNCTIONS.values())}
    functions |= {"power": FLOATS.power, "settled": settled, "__builtins__": {}, **vars(math)}
    namespace: dict[str, Any] = {}
    exec(compile(source, "<straight line>", "exec"), functions, namespace)
    found: Callable[..., Any] = namespace["run"]
    return found


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(name + ", " for name in names) + ")"


class _Writer:
    """Writes the assignments of cells; a cell that is used once and only in sums and products stands where it is used."""

    def __init__(self, graph: Graph, wanted: list[Cell], decisive: Collection[str]) -> None:
        self.graph = graph.at_once
        self.decisive = decisive
        self.vanishes = may_vanish(graph)
        self.names: dict[Cell, str] = {}
        self.codes: dict[Cell, Code] = {}
        self.once = self._used_once(wanted)

    def _used_once(self, wanted: list[Cell]) -> set[Cell]:
        uses: dict[Cell, int] = dict.fromkeys(wanted, 2)
        opened = set(wanted)
        pending = list(wanted)
        while pending:
            current = pending.pop()
            if self.graph.given_value(current) is not None:
                continue
            expr = self.graph.instance(current)
            for node in walk(expr):
                if isinstance(node, Ref):
                    uses[cell(node)] = uses.get(cell(node), 0) + 1
                elif isinstance(node, (Call, Power)):  # whose text may have it twice
                    uses |= {cell(inner): 2 for inner in walk(node) if isinstance(inner, Ref)}
            fresh = [used for used in self.graph.uses(current) if used not in opened]
            opened |= {*fresh}
            pending += fresh
        return {found for found, count in uses.items() if count == 1}

    def lines_for(self, wanted: Cell) -> list[str]:
        """The assignments a cell needs that are not there yet, and its own."""
        lines: list[str] = []
        pending = [wanted]
        while pending:
            current = pending[-1]
            given = self.graph.given_value(current)
            known = current in self.names or current in self.codes
            missing = [] if known or given is not None else [one for one in self.graph.uses(current) if not self._known(one)]
            if missing:
                pending.extend(reversed(missing))
                continue
            pending.pop()
            if known:
                continue
            code = _number(given) if given is not None else self._written(current)
            if given is not None or current in self.once:
                self.codes[current] = code
            else:
                self.names[current] = f"c{len(self.names)}"
                lines.append(f"{self.names[current]} = {code.text}")
                lines += self._settled(current) if current[0] in self.decisive else []
        if wanted not in self.names:
            self.names[wanted] = self.codes[wanted].text
        return lines

    def _written(self, current: Cell) -> Code:
        expr = self.graph.instance(current)
        if self.vanishes:
            code: Code = vanishing(expr, self._code, CODE, self.graph.is_slope(current), _zero_or)
        else:
            code = compute(expr, self._code, CODE)
        return code

    def _settled(self, current: Cell) -> list[str]:
        """The line that rids a sum of its noise."""
        expr, name = self.graph.instance(current), self.names[current]
        if not isinstance(expr, Sum):
            return []
        terms = _tuple(compute(term, self._code, CODE).text for term in expr.terms)
        return [f"if -{SMALL} < {name} < {SMALL}: {name} = settled({name}, {terms})"]

    def _known(self, wanted: Cell) -> bool:
        return wanted in self.names or wanted in self.codes

    def _code(self, reference: Ref) -> Code:
        wanted = cell(reference)
        return self.codes[wanted] if wanted in self.codes else Code(self.names[wanted])
