"""One update as NumPy code, made from the general formulas of the graph; for large networks.

- `Vectorised(graph, updated, loss, data)` is the program: `run(state, rows, stop)` as in straightline.py, where a state
  is an array for each parameter and a row of data an array for each quantity in `data`; `source` is its text.

A formula becomes code over arrays whose axes are called by its index letters: Σ_j w_kj·out_sj is a matrix product because
j is summed and s and k are not; what stands beside each other is spread over the letters it lacks. The text is made of
names made here, numbers and the functions of `NUMPY`; nothing that a user wrote is in it.

A function is written as its definition in core/functions.py; `NUMPY` names the primitives, and what has neither is computed
number by number.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from handcalc.core.expr import (
    Call,
    Delta,
    Entry,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Total,
    references,
    reindex,
    rewrite,
)
from handcalc.core.functions import definition, function
from handcalc.core.graph import Cell, Graph, Quantity
from handcalc.core.index import Index
from handcalc.render.matrixform import softmax

Arrays = tuple[Any, ...]

# what NumPy calls the functions that are not written in simpler ones; the laws compare each with its record
NUMPY = {name: name for name in ("exp", "log", "log10", "log2", "sqrt", "abs", "sin", "cos", "tan", "tanh", "sign", "floor")} | {
    "ln": "log",
    "max": "maximum",
    "min": "minimum",
}


class NotVectorised(Exception):
    """A formula that has no form on whole arrays: cases of single cells, missing edges, shifted indices."""


class Piece:
    """Code for an array, and the letters of its axes in order; scale: numbers it is still to be multiplied by."""

    __slots__ = ("text", "letters", "scale")

    def __init__(self, text: str, letters: tuple[str, ...] = (), scale: tuple[str, ...] = ()) -> None:
        self.text = text
        self.letters = letters
        self.scale = scale

    def along(self, letters: tuple[str, ...]) -> str:
        """The code of the same array with these axes, of size 1 where it has none."""
        own = [letter for letter in letters if letter in self.letters]
        text = self.text
        if tuple(own) != self.letters:
            order = tuple(self.letters.index(letter) for letter in own)
            text = f"{text}.T" if order == (1, 0) else f"{text}.transpose({order})"
        if own and own != list(letters[letters.index(own[0]) :]):  # NumPy spreads over what stands before
            text = f"{text}[{', '.join(':' if letter in own else 'None' for letter in letters)}]"
        return f"({' * '.join((*self.scale, text))})" if self.scale else text


class _Writer:
    """Writes the formulas of one graph."""

    def __init__(self, graph: Graph, names: dict[str, str]) -> None:
        self.graph = graph
        self.names = names
        self.order: tuple[str, ...] = ()  # the letters of the quantity that is written
        self.scales: dict[str, tuple[str, ...]] = {}  # numbers that quantities are still to be multiplied by

    def write(self, expr: Expr) -> Piece:
        """Code for an expression."""
        match expr:
            case Number():
                value = expr.numerator / expr.denominator
                return Piece(repr(value) if value >= 0 else f"({value!r})")
            case Ref(name, indices):
                return Piece(self.names[name], tuple(_letter(index) for index in indices), self.scales.get(name, ()))
            case Negation(operand):
                inner = self.write(operand)
                return Piece(f"(-{inner.text})", inner.letters, inner.scale)
            case Sum(terms):
                return self.sum(terms)
            case Product(factors):
                return self.product([self.write(factor) for factor in factors])
            case Quotient(above, below):
                return self.beside([self.write(above), self.write(below)], " / ")
            case Power(base, exponent):
                return self.beside([self.write(base), self.write(exponent)], " ** ")
            case Total():
                return self.total(expr)
            case Call(name, arguments):
                return self.call(name, arguments)
            case Entry():
                return self.entry(expr)
            case Delta(left, right):
                assert isinstance(left, Index)
                return Piece(f"np.eye({left.axis.size})", (_letter(left), _letter(right)))
        raise NotVectorised(type(expr).__name__)

    def sum(self, terms: tuple[Expr, ...]) -> Piece:
        signs = [" - " if isinstance(term, Negation) else " + " for term in terms]
        pieces = [self.write(term.operand if isinstance(term, Negation) else term) for term in terms]
        letters = _union(pieces)
        text = "".join(sign + piece.along(letters) for sign, piece in zip(signs, pieces))
        return Piece(f"({text.removeprefix(' + ').strip()})", letters)

    def beside(self, pieces: list[Piece], sign: str) -> Piece:
        letters = _union(pieces)
        return Piece(f"({sign.join(piece.along(letters) for piece in pieces)})", letters)

    def product(self, pieces: list[Piece]) -> Piece:
        """Arrays one by one; the numbers among them stay apart until the array is used."""
        wide = [piece for piece in pieces if piece.letters]
        if not wide:
            return self.beside(pieces, " * ")
        scale = tuple(text for piece in pieces for text in (*piece.scale, *([] if piece.letters else [piece.text])))
        bare = [Piece(piece.text, piece.letters) for piece in wide]
        inner = bare[0] if len(bare) == 1 else self.beside(bare, " * ")
        return Piece(inner.text, inner.letters, scale)

    def total(self, expr: Total) -> Piece:
        """A sum over indices: matrix products where two factors share a summed letter, else the sum along the axes."""
        summed: list[str] = []
        body: Expr = expr
        while isinstance(body, Total):
            summed.append(body.index.letter)
            body = body.body
        if isinstance(body, Sum):
            return self.sum(tuple(_totals(expr, term) for term in body.terms))
        if isinstance(body, Negation):
            inner = self.write(_totals(expr, body.operand))
            return Piece(f"(-{inner.text})", inner.letters, inner.scale)
        pieces = [self.write(factor) for factor in (body.factors if isinstance(body, Product) else (body,))]
        scale = tuple(text for piece in pieces for text in (*piece.scale, *([] if piece.letters else [piece.text])))
        wide = [Piece(piece.text, piece.letters) for piece in pieces if piece.letters]
        while len(wide) > 1:
            wide[:2] = [self.multiplied(wide[0], wide[1], [letter for letter in summed if not any(letter in p.letters for p in wide[2:])])]
        result = wide[0]
        for letter in [letter for letter in summed if letter in result.letters]:
            axis = result.letters.index(letter)
            result = Piece(f"{result.text}.sum(axis={axis})", tuple(left for left in result.letters if left != letter))
        return Piece(result.text, result.letters, scale)

    def multiplied(self, left: Piece, right: Piece, summed: list[str]) -> Piece:
        shared = [letter for letter in left.letters if letter in right.letters]
        if len(shared) == 1 and shared[0] in summed and len(left.letters) == len(right.letters) == 2:
            letter = shared[0]
            rows = next(one for one in left.letters if one != letter)
            columns = next(one for one in right.letters if one != letter)
            if columns in self.order and rows in self.order and self.order.index(columns) < self.order.index(rows):
                left, right, rows, columns = right, left, columns, rows  # so that the result need not be turned round
            first, second = (rows, letter), (letter, columns)
            return Piece(f"({left.along(first)} @ {right.along(second)})", (rows, columns))
        return self.product([left, right])

    def call(self, name: str, arguments: tuple[Expr, ...]) -> Piece:
        record = function(name)
        if name not in NUMPY and record.definition and not record.family:
            written = definition(name, arguments)
            assert written is not None
            return self.write(written)
        pieces = [self.write(argument) for argument in arguments]
        letters = _union(pieces)
        texts = [piece.along(letters) for piece in pieces]
        if name in NUMPY:
            return Piece(f"np.{NUMPY[name]}({', '.join(texts)})", letters)
        return Piece(f"each[{name!r}]({', '.join(texts)})", letters)

    def entry(self, expr: Entry) -> Piece:
        """softmax or logsumexp over one axis of a family."""
        body = self.write(expr.body)
        axis = body.letters.index(expr.index.letter)
        text = f"{expr.function}({body.along(body.letters)}, {axis})"
        if expr.function == "softmax":
            return Piece(text, tuple(_letter(expr.at) if letter == expr.index.letter else letter for letter in body.letters))
        return Piece(text, tuple(letter for letter in body.letters if letter != expr.index.letter))


def _letter(index: Any) -> str:
    if not isinstance(index, Index):
        raise NotVectorised("a shifted or fixed index")
    return index.letter


def _union(pieces: Iterable[Piece]) -> tuple[str, ...]:
    """The letters of all, those of the widest first."""
    found: dict[str, None] = {}
    for piece in sorted(pieces, key=lambda piece: -len(piece.letters)):
        found |= dict.fromkeys(piece.letters)
    return tuple(found)


def _totals(expr: Total, body: Expr) -> Expr:
    return Total(expr.index, _totals(expr.body, body)) if isinstance(expr.body, Total) else Total(expr.index, body)


# --- programs ---------------------------------------------------------------------------------------------------------


class Vectorised:
    """A graph's update as a function of the parameters and of the data, all of them arrays.

    updated: parameter (or memory) → what it becomes; loss: the quantity that is watched; data: quantities of each row.
    Raises NotVectorised where a formula has no form on arrays.
    """

    def __init__(self, graph: Graph, updated: Mapping[str, str], loss: str, data: Sequence[str] = ()) -> None:
        import numpy

        self.graph = graph
        self._quiet = numpy.errstate
        self.state = tuple(updated)
        self.update, self._update = compiled(graph, self.state, data, [loss, *updated.values()])
        self.watch, self._watch = compiled(graph, self.state, data, [loss])

    def start(self, value: Callable[[Cell], float]) -> Arrays:
        """The state with these values. Raises NotVectorised where a cell is missing."""
        return tuple(_array(self.graph, self.graph[name], value) for name in self.state)

    def values(self, state: Arrays) -> dict[Cell, float]:
        """Cell → value of a state."""
        pairs = zip(self.state, state)
        return {(name, place): float(array[place]) for name, array in pairs for place in self.graph.positions(name)}

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
    surroundings = {"np": numpy, "softmax": softmax, "logsumexp": _logsumexp, "each": each, **constants}
    found: dict[str, Any] = {}
    exec(compile(source, "<arrays>", "exec"), surroundings, found)
    program: Callable[..., Arrays] = found["program"]
    return source, program


def _program(graph: Graph, names: dict[str, str], wanted: list[str], constants: dict[str, Any], states: int, data: int) -> str:
    names = dict(names)
    lines: list[str] = []
    writer = _Writer(graph, names)
    for name in wanted:
        _define(graph, name, writer, lines, constants, wanted)
    unpack = [f"    {_tuple('p', states)} = state"] * bool(states) + [f"    {_tuple('d', data)} = row"] * bool(data)
    return "\n".join(["def program(state, row):", *unpack, *lines, f"    return ({', '.join(names[name] for name in wanted)},)"])


def _tuple(letter: str, count: int) -> str:
    return "(" + "".join(f"{letter}{number}, " for number in range(count)) + ")"


def _define(graph: Graph, wanted: str, writer: _Writer, lines: list[str], constants: dict[str, Any], results: list[str]) -> None:
    """The lines a quantity needs that are not there yet, and its own; a gradient that is no result waits for its scale."""
    pending = [wanted]
    while pending:
        name = pending[-1]
        if name in writer.names:
            pending.pop()
            continue
        quantity = graph[name]
        if quantity.definition is None:
            writer.names[name] = f"k{len(constants)}"
            found = _array(graph, quantity, lambda cell: _given(graph, cell))
            constants[writer.names[name]] = found if quantity.axes else float(found)
            continue
        if quantity.cases:
            raise NotVectorised(f"cases of {name}")
        formula = rewrite(quantity.definition, lambda node: put_in(graph, node))
        missing = [ref.quantity for ref in references(formula) if ref.quantity not in writer.names]
        if missing:
            pending.extend(reversed(missing))
            continue
        writer.order = tuple(index.letter for index in quantity.index)
        piece = writer.write(formula)
        if quantity.kind == "gradient" and name not in results and piece.letters:
            writer.scales[name] = piece.scale
            piece = Piece(piece.text, piece.letters)
        writer.names[name] = f"q{len(writer.names)}"
        lines.append(f"    {writer.names[name]} = {piece.along(writer.order)}")


def put_in(graph: Graph, node: Expr) -> Expr | None:
    """The definition of one path, or of what has three directions, in place of its name: only the sum is a product of matrices."""
    if not isinstance(node, Ref):
        return None
    quantity = graph[node.quantity]
    if quantity.definition is None or (quantity.kind != "path" and len(quantity.axes) < 3):
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
    places = list(graph.positions(quantity.name))
    if len(places) != math.prod(shape):
        raise NotVectorised(f"missing cells of {quantity.name}")
    found = numpy.empty(shape)
    for place in places:
        found[place] = value((quantity.name, place))
    return found


def _named(source: str) -> list[str]:
    import re

    return sorted(set(re.findall(r"each\['([^']*'?)'\]", source)) | set(re.findall(r'each\["([^"]*)"\]', source)))


def _logsumexp(z: Any, axis: int) -> Any:
    """ln Σ e^z, without overflow."""
    import numpy

    top = z.max(axis=axis, keepdims=True)
    return (top + numpy.log(numpy.exp(z - top).sum(axis=axis, keepdims=True))).squeeze(axis)
