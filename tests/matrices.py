"""Reads matrix equations as they are printed, with NumPy: what stands on a line is computed, and no form behind it.

`lines(derivation, reading, quantity)`; of a `Line`, `left()` and then `right()` are arrays; letters are looked up in the derivation,
numbers in brackets are what they show in full precision. · is a product of matrices or with a number, ⊙ and / go entry by entry,
⋆ and ∗ are loops over windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from handcalc.core.binding import bind
from handcalc.core.derivation import Derivation
from handcalc.core.expr import reindex
from handcalc.core.functions import function
from handcalc.core.index import shift_index
from handcalc.core.instance import evaluate
from handcalc.core.quantity import Quantity, cell
from handcalc.render.blocks import MISSING, FunctionName, GridPart, Numeric, Plain, Summed, Symbolic, Value, Whole
from handcalc.render.matrices import MatrixForm, signed_form
from handcalc.render.matrices.forms import MatrixNode, Window
from handcalc.render.matrices.layout import equation, members, numbers, whole
from handcalc.render.matrices.reading import counted_through
from handcalc.render.reading import Reading

Array = Any
PRODUCTS = ("·", "⊙", "/", "⋆", "∗")


def lines(derivation: Derivation, reading: Reading, quantity: Quantity) -> Iterator[tuple[dict[str, int], Line, Line]]:
    """The equation of every member of a quantity's family, with letters and with numbers, if it has a matrix form."""
    form = signed_form(reading, quantity)
    if form is not None:
        parts = equation(form.left, form.right, whole)
        for places in members(derivation.graph, form):
            numeric = numbers(reading, form, places)
            yield places, Line(derivation, reading, parts, form, places), Line(derivation, reading, numeric, form, places)


def nodes(form: MatrixNode) -> Iterator[MatrixNode]:
    """Every node of a form."""
    yield form
    for part in form.parts:
        if isinstance(part, MatrixNode):
            yield from nodes(part)


class Ones:
    """A column of as many ones as are needed, or a row."""

    def __init__(self, is_row: bool = False) -> None:
        self.is_row = is_row

    @property
    def T(self) -> Ones:  # noqa: N802, as of an array
        return Ones(not self.is_row)

    def summed(self, other: Array, before: bool) -> Array:
        """1ᵀ·A, A·1; a·1ᵀ and 1·aᵀ are a, the same for every column or row."""
        return other.sum(axis=0 if before else 1, keepdims=True) if self.is_row == before else other


class Line:
    """One printed equation; places: of the family that is meant."""

    def __init__(
        self, derivation: Derivation, reading: Reading, parts: tuple[GridPart, ...], form: MatrixForm, places: dict[str, int]
    ) -> None:
        self.derivation = derivation
        self.reading = reading
        self.windows = form.windows
        self.sizes = {node.parts[0].letter: node.parts[0].axis.size for node in nodes(form.right) if node.operator == "total"}
        self.rows = reading.notation.data.get("vectors") == "rows"
        first, *others = [place for place, part in enumerate(parts) if part in ("=", "≈")]
        self.sides = parts[:first], parts[first + 1 : others[0] if others else None], parts[others[0] + 1 :] if others else ()
        self.parts: tuple[GridPart, ...] = ()
        self.place = 0
        self.family = places
        self.shape: tuple[int, ...] = ()

    def left(self) -> Array:
        """What stands before the sign; of a line with numbers, what stands after the last."""
        found = self._read(self.sides[2] or self.sides[0])
        self.shape = found.shape
        return found

    def holds(self, near: float) -> bool:
        """Whether both sides are equal: at every place with a number, in letters at every place that has one."""
        left, right = self.left(), self.right()
        result = self.sides[2][-1] if self.sides[2] else None
        rows = result if isinstance(result, tuple) else ()
        there = np.array([[item != MISSING for item in row] for row in rows]) if rows else np.not_equal(left, 0)
        return np.allclose(left[there], right[there], rtol=near, atol=1e-14)

    def right(self) -> Array:
        """What it is equal to."""
        return np.broadcast_to(self._read(self.sides[1]), self.shape)

    def _read(self, parts: tuple[GridPart, ...]) -> Array:
        self.parts, self.place = parts, 0
        found = self._sum()
        assert self.place == len(parts), f"not read: {parts[self.place :]}"
        return found

    def _next(self) -> GridPart | None:
        return self.parts[self.place] if self.place < len(self.parts) else None

    def _take(self) -> GridPart:
        self.place += 1
        return self.parts[self.place - 1]

    # --- grammar ---

    def _sum(self) -> Array:
        found = self._signed()
        while self._next() in ("+", "-"):
            sign = 1 if self._take() == "+" else -1
            found = found + sign * self._signed()
        return found

    def _signed(self) -> Array:
        if self._next() == "−":
            self._take()
            return -self._term()
        return self._term()

    def _term(self) -> Array:
        part = self._next()
        if isinstance(part, Summed):
            self._take()
            start, total = self.place, 0
            for place in range(self.sizes[part.letter]):
                self.place = start
                self.family = {**self.family, part.letter: place}
                total = total + self._term()
            del self.family[part.letter]
            return total
        found = self._factor()
        while self._next() in PRODUCTS:
            found = self._joined(str(self._take()), found, self._factor())
        return found

    def _factor(self) -> Array:
        found = self._atom()
        while self._next() in ("ᵀ", "^"):
            if self._take() == "ᵀ":
                found = found.T
            else:
                found = found ** self._atom()
                assert self._next() != "^", "a power of a power without brackets"
        return found

    def _atom(self) -> Array:
        part = self._take()
        match part:
            case "(":
                found = self._sum()
                assert self._take() == ")"
                return found
            case FunctionName(name):
                assert self._take() == "("
                arguments = [self._sum()]
                while self._next() == ",":
                    self._take()
                    arguments.append(self._sum())
                assert self._take() == ")"
                return self._called(name, arguments)
            case Plain("1"):
                return Ones()
            case Symbolic(expr) | Numeric(expr):
                known = bind(reindex(expr, self.family), {}, self.derivation.graph.present)
                return np.array(evaluate(known, lambda ref: self.derivation.evaluation[cell(ref)]))
            case Value():
                return np.array([[self._shown(part)]])
            case Whole(name, places):
                return self._whole(name, places)
            case tuple():
                return np.array([[self._shown(item) for item in row] for row in part])
        raise AssertionError(part)

    def _joined(self, sign: str, left: Array, right: Array) -> Array:
        if sign in ("⋆", "∗"):
            return (correlation if sign == "⋆" else convolution)(left, right, self._both(), self.shape)
        if isinstance(left, Ones) or isinstance(right, Ones):
            return left.summed(right, True) if isinstance(left, Ones) else right.summed(left, False)
        if sign == "·" and left.size > 1 and right.size > 1:
            return left @ right
        return left / right if sign == "/" else left * right

    def _both(self) -> tuple[Window, Window]:
        """How a kernel lies along the rows and along the columns."""
        alone = Window(1, 1, 0)
        first, second = (*self.windows, alone)[:2]
        return (alone, first) if self.rows and len(self.windows) == 1 else (first, second)

    # --- atoms ---

    def _called(self, name: str, arguments: list[Array]) -> Array:
        match name:
            case "diag":
                return np.diag(arguments[0].ravel())
            case "rot180":
                return np.flip(arguments[0], [axis for axis, size in enumerate(arguments[0].shape) if size > 1])
            case "flatten":
                return arguments[0]
            case "softmax":
                axis = 1 if arguments[0].shape[1] > 1 else 0
                powers = np.exp(arguments[0] - arguments[0].max())
                return powers / powers.sum(axis=axis, keepdims=True)
        usual = [float(text) for text in function(name).defaults] if len(arguments) == 1 else []
        if name == "max'" and len(arguments) == 2:  # which of two equal numbers is the larger is not printed
            usual = [0.0]
        return np.vectorize(lambda *values: float(function(name).value(*values, *usual)), otypes=[float])(*arguments)

    def _shown(self, item: Any) -> float:
        if isinstance(item, Plain):
            assert item == MISSING
            return 0
        assert isinstance(item, Value)
        return float(self.derivation.evaluation[item.cell]) * (-1 if self.reading.turned(item.cell) else 1)

    def _whole(self, name: str, places: tuple[Any, ...]) -> Array:
        """A quantity, or the member of its family that is meant; nothing, 0, outside its axes."""
        graph, sign = self.derivation.graph, -1 if self.reading.turned((name, ())) else 1
        axes = graph[name].axes
        whole = np.zeros([axis.size for axis in axes])
        for place in graph.positions(name):
            whole[place] = sign * self.derivation.evaluation[name, place]
        fixed = tuple(slice(None) if place is None else shift_index(place, self.family) for place in places)
        outside = any(not isinstance(place, slice) and not 0 <= place < axis.size for place, axis in zip(fixed, axes))
        found = np.zeros([axis.size for axis, place in zip(axes, fixed) if isinstance(place, slice)]) if outside else whole[fixed]
        merged = counted_through(graph, graph[name])
        if found.ndim > 1 and merged and places[-1] is None:
            found = found.reshape(found.shape[: found.ndim - merged] + (-1,))
        elif found.ndim > 2:  # counted through, flatten( )
            apart = graph[name].kind == "path" or (graph[name].sampled and places[0] is None)
            found = found.reshape((len(found), -1) if apart else -1)
        elif found.ndim == 2 and isinstance(self._before(), FunctionName) and self._before().name == "flatten":  # type: ignore[union-attr]
            found = found.reshape(-1)
        if found.ndim == 2:
            return found.T if self.reading.notation.rows_are_sources(graph[name]) and places[0] is None else found
        samples = [axis.role for axis, place in zip(axes, fixed) if isinstance(place, slice)] == ["sample"]
        return found.reshape((1, -1) if self.rows and not samples else (-1, 1))

    def _before(self) -> GridPart | None:
        return self.parts[self.place - 3] if self.place > 2 else None


def correlation(data: Array, kernel: Array, windows: tuple[Window, ...], shape: tuple[int, ...]) -> Array:
    """out[r, c] = Σ_u Σ_v kernel[u, v]·data[s·r + e·u + o, s'·c + e'·v + o'], 0 outside."""
    return _laid(kernel, data, windows, 1, shape)


def convolution(first: Array, second: Array, windows: tuple[Window, ...], shape: tuple[int, ...]) -> Array:
    """out[r, c] = Σ_u Σ_v first[u, v]·second[s·r − e·u + o, s'·c − e'·v + o'], 0 outside."""
    return _laid(first, second, windows, -1, shape)


def _laid(inner: Array, outer: Array, windows: tuple[Window, ...], sign: int, shape: tuple[int, ...]) -> Array:
    result = np.zeros(shape)
    for place in np.ndindex(*shape):
        for inside in np.ndindex(*inner.shape):
            at = [w.stride * one + sign * w.spread * other + w.offset for w, one, other in zip(windows, place, inside)]
            if all(0 <= one < size for one, size in zip(at, outer.shape)):
                result[place] += inner[inside] * outer[tuple(at)]
    return result
