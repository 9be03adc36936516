"""One update as NumPy code, made from the general formulas of the graph; for large networks.

- `Vectorised(graph, updated, loss, data)` is the program: `run(state, rows, stop)` and the rest as in straightline.py, where a
  state is an array for each parameter and a row of data an array for each quantity in `data`.

How a formula becomes code is in arraycode.py; what recurs in time is unrolled first (unrolling.py).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from handcalc.arrays import arrayviews
from handcalc.arrays.arraycode import Piece, Writer
from handcalc.arrays.noise import decisive, without_noise
from handcalc.arrays.unrolling import NotVectorised, at_time, unrolled
from handcalc.core.expr import (
    Expr,
    Ref,
    references,
    reindex,
    rewrite,
)
from handcalc.core.functions import function
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity
from handcalc.problem.arrays import whole

Arrays = tuple[Any, ...]


LIBRARY = {"without_noise": without_noise} | {name: getattr(arrayviews, name) for name in arrayviews.__all__}  # what programs call

# --- programs ---------------------------------------------------------------------------------------------------------


class Vectorised:
    """A graph's update as a function of the parameters and of the data, all of them arrays.

    updated: parameter (or memory) → what it becomes; loss: the quantity that is watched; data: quantities of each row.
    statements: how many make an update. Raises NotVectorised where a formula has no form on arrays.
    """

    def __init__(self, graph: Graph, updated: Mapping[str, str], loss: str, data: Sequence[str] = ()) -> None:
        import numpy

        self.whole = graph
        self.graph = graph = unrolled(graph)
        self._quiet = numpy.errstate
        self.state = tuple(updated)
        self.update, self._update = compiled(graph, self.state, data, [loss, *updated.values()])
        self.statements = self.update.count("\n")
        self.watch, self._watch = compiled(graph, self.state, data, [loss])

    def start(self, value: Callable[[Cell], float]) -> Arrays:
        """The state that is given; value: of what is not given as an array. Raises NotVectorised where a cell is missing."""
        return tuple(_array(self.whole, self.graph[name], value) for name in self.state)

    def values(self, state: Arrays) -> dict[Cell, float]:
        """Cell → value of a state."""
        pairs = zip(self.state, state)  # every place has a cell, else there would be no program
        return {(name, place): array.item(place) for name, array in pairs for place in self.graph.places(self.graph[name])}

    def value(self, state: Arrays, wanted: Cell) -> float:
        """The value of one cell of a state."""
        return float(state[self.state.index(wanted[0])][wanted[1]])

    def changed(self, state: Arrays, values: Mapping[Cell, float]) -> Arrays:
        """The state with other values of some cells."""
        import numpy

        found = list(state)
        for (name, place), value in values.items():
            number = self.state.index(name)
            found[number] = numpy.array(found[number])
            found[number][place] = value
        return tuple(found)

    def answers(self, wanted: list[Cell], data: Sequence[str]) -> Callable[[Arrays, Any], list[tuple[float, ...]]]:
        """A program that gives some cells, of every sample, for rows of data, any number of them; not a number where there is none."""
        cells = [at_time(self.whole, cell) for cell in wanted]
        quantities = list(dict.fromkeys(name for name, _ in cells))
        program = compiled(self.graph, self.state, data, quantities)[1]
        shapes = [[axis.size for axis in self.graph[one].axes[1:]] for one in data]

        def answer(state: Arrays, rows: Any) -> list[tuple[float, ...]]:
            import numpy

            given = tuple(numpy.asarray(rows, float).reshape(len(rows), *shape) for shape in shapes)
            with self._quiet(all="ignore"):
                found = dict(zip(quantities, program(state, given)))
            columns = [found[name][(slice(None), *place[1:])].tolist() for name, place in cells]
            return list(zip(*columns))

        return answer

    def finite(self, state: Arrays) -> bool:
        """Whether every number of a state is one."""
        import numpy

        return all(bool(numpy.isfinite(array).all()) for array in state)

    def loss(self, state: Arrays, row: Arrays = ()) -> float:
        """The loss with a state and data."""
        with self._quiet(all="ignore"):
            return float(self._watch(state, row)[0])

    def run(self, state: Arrays, rows: Iterable[Arrays], stop: float = -math.inf) -> tuple[Arrays, float, int]:
        """The state after an update for every row, the loss before the last of them, and how many there were."""
        count, loss = 0, math.nan
        update = self._update
        with self._quiet(all="ignore"):  # what is not a number is found out by whoever asked
            for row in rows:
                loss, *new = update(state, row)
                if loss <= stop:
                    break
                state = tuple(new)
                count += 1
        return state, float(loss), count


def compiled(graph: Graph, state: Sequence[str], data: Sequence[str], wanted: Sequence[str]) -> tuple[str, Callable[..., Arrays]]:
    """The program from a state and a row of data to the arrays of some quantities, and its text.

    Raises NotVectorised where a formula has no form on arrays.
    """
    import numpy

    names = {name: f"p{number}" for number, name in enumerate(state)} | {name: f"d{number}" for number, name in enumerate(data)}
    constants: dict[str, Any] = {}  # given quantities that are neither in the state nor data
    source = _program(graph, names, [*wanted], constants, len(state), len(data))
    each = {name: numpy.vectorize(function(name).value, otypes=[float]) for name in _named(source)}
    surroundings = {"np": numpy, **LIBRARY, "each": each, **constants}
    found: dict[str, Any] = {}
    exec(compile(source, "<arrays>", "exec"), surroundings, found)
    program: Callable[..., Arrays] = found["program"]
    return source, program


def _program(graph: Graph, names: dict[str, str], wanted: list[str], constants: dict[str, Any], states: int, data: int) -> str:
    names = dict(names)
    lines: list[str] = []
    writer = Writer(graph, names, constants, lines)
    for name in wanted:
        _define(graph, name, writer, constants, wanted)
    unpack = [f"    {_tuple('p', states)} = state"] * bool(states) + [f"    {_tuple('d', data)} = row"] * bool(data)
    return "\n".join(["def program(state, row):", *unpack, *lines, f"    return ({', '.join(names[name] for name in wanted)},)"])


def _tuple(letter: str, count: int) -> str:
    return "(" + "".join(f"{letter}{number}, " for number in range(count)) + ")"


def _define(graph: Graph, wanted: str, writer: Writer, constants: dict[str, Any], results: list[str]) -> None:
    """The lines a quantity needs that are not there yet, and its own; a gradient that is no result waits for its scale."""
    pending, opened, settled = [wanted], set[str](), decisive(graph)
    while pending:
        name = pending[-1]
        if name in writer.names:
            pending.pop()
            continue
        quantity = graph[name]
        if quantity.definition is not None and quantity.givens is not None:
            raise NotVectorised(f"{name} is partly given")
        if quantity.definition is None:
            writer.names[name] = f"k{len(constants)}"
            found = _array(graph, quantity, lambda cell: _given(graph, cell))
            constants[writer.names[name]] = found if quantity.axes else float(found)
            continue
        formulas = {formula: rewrite(formula, lambda node: put_in(graph, node)) for formula in (quantity.definition, *_others(quantity))}
        missing = [ref.quantity for formula in formulas.values() for ref in references(formula) if ref.quantity not in writer.names]
        if opened & {*missing}:
            raise NotVectorised(f"{name} depends on itself")
        if missing:
            opened.add(name)
            pending.extend(reversed(missing))
            continue
        writer.order = tuple(index.letter for index in quantity.index)
        writer.is_slope = quantity.kind in ("gradient", "path", "local")
        write = writer.settled if name in settled else writer.write
        piece = write(formulas[quantity.definition])
        for other in _others(quantity):
            there = f"k{len(constants)}"
            constants[there] = _holds(quantity, other)
            text = f"np.where({there}, {writer.write(formulas[other]).along(writer.order)}, {piece.along(writer.order)})"
            piece = Piece(text, writer.order)
        lacking = {*writer.order} - {*piece.letters}
        if lacking and (quantity.kind == "out" or quantity.kind == "gradient" and piece.letters):
            # the same along an axis, such as the one feature that a whole map becomes, or what a mean of tokens gives back to each
            sizes = tuple(index.axis.size if index.letter in lacking else 1 for index in quantity.index)
            piece = Piece(f"({piece.along(writer.order)} * np.ones({sizes!r}))", writer.order)
        if quantity.kind == "local" and not piece.letters and quantity.of is not None and quantity.of.quantity in writer.names:
            shape = f"np.shape({writer.names[quantity.of.quantity]})"  # a slope that is the same everywhere, in as many samples
            piece = Piece(f"({piece.along(writer.order)} * np.ones({shape}))", writer.order)
        if quantity.kind == "gradient" and name not in results and piece.letters:
            writer.scales[name] = piece.scale
            piece = Piece(piece.text, piece.letters)
        writer.names[name] = f"q{len(writer.names)}"
        writer.lines.append(f"    {writer.names[name]} = {piece.along(writer.order)}")


def _others(quantity: Quantity) -> list[Expr]:
    """The formulas of single places."""
    return [formula for formula in dict.fromkeys((quantity.cases or {}).values()) if formula != quantity.definition]


def _holds(quantity: Quantity, formula: Expr) -> Any:
    """Where the formula of single places holds, along the last axes."""
    import numpy

    cases = quantity.cases or {}
    found = numpy.zeros([axis.size for axis in quantity.axes[-len(next(iter(cases))) :]], bool)
    for place, case in cases.items():
        found[place] = case == formula
    return found


def put_in(graph: Graph, node: Expr) -> Expr | None:
    """The definition of one path, or of one sample's gradient of a parameter, in place of its name: only the sum is a product of
    matrices."""
    if not isinstance(node, Ref):
        return None
    quantity = graph[node.quantity]
    if quantity.definition is None or not quantity.part_of_sum:
        return None
    inner = reindex(quantity.definition, {index.letter: place for index, place in zip(quantity.index, node.indices)})
    return rewrite(inner, lambda deeper: put_in(graph, deeper))


def _given(graph: Graph, cell: Cell) -> float:
    literal = graph.given_value(cell)
    if literal is None:
        raise NotVectorised(f"a missing cell of {cell[0]}")
    return literal.numerator / literal.denominator


def _array(graph: Graph, quantity: Quantity, value: Callable[[Cell], float]) -> Any:
    import numpy

    shape = tuple(axis.size for axis in quantity.axes)
    given = None if graph.fixed or graph.left_out else whole(quantity.givens)
    if given is not None and given.shape == shape:
        return given.astype(float)
    places = list(graph.positions(quantity.name))
    if len(places) != math.prod(shape) and quantity.kind != "input":  # an input that is not there adds nothing
        raise NotVectorised(f"missing cells of {quantity.name}")
    found = numpy.zeros(shape)
    for place in places:
        found[place] = value((quantity.name, place))
    return found


def _named(source: str) -> list[str]:
    import re

    return sorted(set(re.findall(r"each\['([^']*'?)'\]", source)) | set(re.findall(r'each\["([^"]*)"\]', source)))
