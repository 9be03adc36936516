"""One update as straight-line Python, made from the graph: an assignment for each cell, in a loop; for small networks.

- `Straight(graph, updated, loss, data)` is the program: `run(state, rows, stop)` goes on from a state, one row of data
  an update; `start(value)` makes a state, `values(state)` says what is in one; `source` is its text.

An expression becomes code by being computed in an arithmetic of code (`CODE`), so it does the same operations in the
same order as an evaluation, and its results are the same to the last bit. The text is made of numbers, the names made
here (p0, d0, c0 …) and the functions of core/functions.py; nothing that a user wrote is in it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from handcalc.core.expr import Number
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.core.graph import Cell, Graph, cell
from handcalc.core.instance import FLOATS, Arithmetic, compute

State = tuple[float, ...]
# functions that Python spells shorter than a call of their record does, to the last bit alike
_INLINE = {"identity": "{0}", "relu": "max({0}, 0)"}


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
    if record.name in _INLINE:
        return Code(_INLINE[record.name].format(arguments))
    name = f"f{list(FUNCTIONS).index(record.name)}"
    return Code(f"{name}([{arguments}], {at})" if record.family else f"{name}({arguments})")


CODE = Arithmetic(_number, _power, _call)


class Straight:
    """A graph's update as a function of the parameters and of a row of data.

    updated: parameter (or memory) → what it becomes; loss: the quantity that is watched; data: the given quantities that
    each row has instead.
    """

    def __init__(self, graph: Graph, updated: Mapping[str, str], loss: str, data: Sequence[str] = ()) -> None:
        self.data = [(name, place) for name in data for place in graph.positions(name)]
        self.state = tuple((name, place) for name in updated for place in graph.positions(name))
        new = [(updated[name], place) for name, place in self.state]
        names = {wanted: f"p{number}" for number, wanted in enumerate(self.state)}
        names |= {wanted: f"d{number}" for number, wanted in enumerate(self.data)}
        self.source = _source(graph, names, (loss, ()), new, len(self.state), len(self.data))
        functions: dict[str, Any] = {f"f{number}": record.value for number, record in enumerate(FUNCTIONS.values())}
        functions |= {"power": FLOATS.power, "__builtins__": {"max": max}}
        namespace: dict[str, Any] = {}
        exec(compile(self.source, "<straight line>", "exec"), functions, namespace)
        self._run: Callable[..., tuple[State, float, int]] = namespace["run"]

    def start(self, value: Callable[[Cell], float]) -> State:
        """The state with these values."""
        return tuple(map(value, self.state))

    def values(self, state: State) -> dict[Cell, float]:
        """Cell → value of a state."""
        return dict(zip(self.state, state))

    def finite(self, state: State) -> bool:
        """Whether every number of a state is one."""
        return all(map(math.isfinite, state))

    def loss(self, state: State, row: Sequence[float] = ()) -> float:
        """The loss with a state and data."""
        return self.run(state, (row,), math.inf)[1]

    def run(self, state: State, rows: Iterable[Sequence[float]], stop: float = -math.inf) -> tuple[State, float, int]:
        """The state after an update for every row, the loss before the last of them, and how many there were.

        Ends before the first update whose loss is at most `stop`. Raises ArithmeticError or ValueError where a cell has no value.
        """
        return self._run(state, rows, stop)


def _source(graph: Graph, names: dict[Cell, str], loss: Cell, new: list[Cell], states: int, data: int) -> str:
    lines: list[str] = []
    for wanted in (loss, *new):
        _write(graph, wanted, names, lines)
    before = _tuple(f"p{number}" for number in range(states))
    after = _tuple(names[wanted] for wanted in new)
    row = _tuple(f"d{number}" for number in range(data)) if data else "_"
    cut = next((place + 1 for place, line in enumerate(lines) if line.startswith(names[loss] + " =")), 0)
    body = [*lines[:cut], f"loss = {names[loss]}", "if loss <= stop: break", *lines[cut:], f"{before} = {after}", "count += 1"]
    return "\n".join(
        [
            "def run(state, rows, stop):",
            f"    {before} = state",
            "    count = 0",
            "    loss = None",
            f"    for {row} in rows:",
            *("        " + line for line in body),
            f"    return {before}, loss, count",
        ]
    )


def _tuple(names: Iterable[str]) -> str:
    return "(" + "".join(name + ", " for name in names) + ")"


def _write(graph: Graph, wanted: Cell, names: dict[Cell, str], lines: list[str]) -> None:
    """The assignments a cell needs that are not there yet, and its own."""
    pending = [wanted]
    while pending:
        current = pending[-1]
        given = graph.given_value(current)
        missing = [] if current in names or given is not None else [used for used in graph.uses(current) if used not in names]
        if missing:
            pending.extend(reversed(missing))
            continue
        pending.pop()
        if current in names:
            continue
        if given is not None:
            names[current] = _number(given).text
            continue
        names[current] = f"c{len(lines)}"
        lines.append(f"{names[current]} = {compute(graph.instance(current), lambda ref: Code(names[cell(ref)]), CODE).text}")
