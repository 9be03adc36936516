"""What matrix forms are made of: the tree `Matrix`, and what is done with a tree whatever it came from.

- `transposed(form)`, `negated(form)`, `oriented(form, rows, columns)`, `letters(form)`.
- `at(form, places, graph)`: the form at places of its family, sums over a family written out, what is zero left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any

from handcalc.core.expr import ONE, ZERO, Expr, reindex
from handcalc.core.graph import Graph
from handcalc.core.index import Index, Position, shift_index
from handcalc.core.record import Record


class Matrix(Record):
    """A node of a matrix form.

    operator and parts: name (a quantity, its `Places`), scalar (an expression without directions), ones (a column of so many), identity,
    diagonal (of a vector), transpose, product, hadamard, scale, sum, negative, quotient, power, call (a function and its
    arguments, entry by entry), softmax (over the rows or columns), total (an index, what is added up over it), correlation and
    convolution (two forms, a `Window` for each direction), turned (by 180°). rows, columns: the index letters of its directions,
    "" for size 1; letters of one direction that counts several axes through are joined by commas.
    """

    operator: str
    parts: tuple[Any, ...]
    rows: str = ""
    columns: str = ""


class Places(Record):
    """Which part of a quantity a matrix is: a place for each axis, None along a direction; the axes that its rows and its columns count;
    flat: maps are counted through as one direction, which the letter of the quantity does not say."""

    fixed: tuple[Position | None, ...] = ()
    rows: tuple[int, ...] = ()
    columns: tuple[int, ...] = ()
    flat: bool = False


class Window(Record):
    """One direction of data ⋆ kernel, out[r] = Σ_u kernel[u]·data[stride·r + spread·u + offset], or of a ∗ b, out[r] =
    Σ_u a[u]·b[stride·r − spread·u + offset]; outside, numbers are 0."""

    stride: int
    spread: int
    offset: int


OUTWARD = ("transpose", "product", "hadamard", "scale", "quotient", "diagonal", "correlation", "convolution", "turned", "total")
# where the sign of a part is the sign of the whole, and a part that is zero makes the whole zero


def inner(form: Matrix) -> list[Matrix]:
    """The parts of a form that are forms."""
    return [part for part in form.parts if isinstance(part, Matrix)]


def letters(form: Matrix) -> set[str]:
    """Its directions."""
    return {form.rows, form.columns} - {""}


def is_scalar(form: Matrix) -> bool:
    """Whether it has no direction."""
    return not form.rows and not form.columns


def scalar(expr: Expr) -> Matrix:
    """A number, or an expression without directions."""
    return Matrix("scalar", (expr,))


def ones(size: int, letter: str) -> Matrix:
    """A column of ones."""
    return Matrix("ones", (size,), letter)


def made(operator: str, *parts: Any, like: Matrix) -> Matrix:
    """A node with the directions of another."""
    return Matrix(operator, parts, like.rows, like.columns)


def times(left: Matrix, right: Matrix) -> Matrix:
    """A·B; products of products are written without brackets."""
    parts = [part for form in (left, right) for part in (form.parts if form.operator == "product" else (form,))]
    return Matrix("product", tuple(parts), left.rows, right.columns)


def negated(form: Matrix) -> Matrix:
    """−A; −(−A) is A, −(A − B) is B − A."""
    if form.operator == "negative":
        found: Matrix = form.parts[0]
        return found
    if form.operator == "sum" and len(form.parts) == 2 and any(part.operator == "negative" for part in form.parts):
        terms = tuple(map(negated, form.parts))
        return form.replace(parts=terms[::-1] if terms[0].operator == "negative" else terms)
    return made("negative", form, like=form)


def transposed(form: Matrix) -> Matrix:
    """Aᵀ; inside a product, and where both ways are the same."""
    parts, rows, columns = form.parts, form.columns, form.rows
    if is_scalar(form):
        return form
    match form.operator:
        case "transpose":
            found: Matrix = parts[0]
            return found
        case "product":
            return Matrix("product", tuple(transposed(part) for part in reversed(parts)), rows, columns)
        case "power":  # entry by entry, so the base may be turned as well
            return Matrix("power", (transposed(parts[0]), parts[1]), rows, columns)
        case "diagonal" | "identity":
            return Matrix(form.operator, parts, rows, columns)
        case "total":
            return Matrix("total", (parts[0], transposed(parts[1])), rows, columns)
        case "sum" if any(_simpler(part) for part in parts):
            return Matrix("sum", tuple(map(transposed, parts)), rows, columns)
        case "scale":
            return Matrix("scale", (*parts[:-1], transposed(parts[-1])), rows, columns)
        case "negative" if _simpler(parts[0]):
            return Matrix("negative", (transposed(parts[0]),), rows, columns)
    return Matrix("transpose", (form,), rows, columns)


def _simpler(form: Matrix) -> bool:
    """Whether its transpose is written inside it."""
    if form.operator in ("negative", "scale"):
        return _simpler(form.parts[-1])
    return form.operator in ("product", "diagonal", "total", "transpose")


def oriented(form: Matrix, rows: str, columns: str) -> Matrix | None:
    """The form with these directions, transposed if need be; a scalar fits everywhere."""
    if (form.rows, form.columns) == (rows, columns):
        return form
    if (form.rows, form.columns) == (columns, rows):
        return transposed(form)
    return form if is_scalar(form) else None


# --- at a place of the family ---------------------------------------------------------------------------------------


def cells(graph: Graph, leaf: Matrix) -> list[list[tuple[int, ...]]]:
    """The places that the rows and columns of a quantity's matrix hold; the family's places must be known."""
    name, places = leaf.parts
    axes = graph[name].axes

    def along(chosen: tuple[int, ...]) -> list[dict[int, int]]:
        return [dict(zip(chosen, found)) for found in product(*(range(axes[axis].size) for axis in chosen))]

    def cell(row: dict[int, int], column: dict[int, int]) -> tuple[int, ...]:
        whole = row | column
        return tuple(whole[axis] if place is None else place for axis, place in enumerate(places.fixed))

    return [[cell(row, column) for column in along(places.columns)] for row in along(places.rows)]


def at(form: Matrix, places: Mapping[str, int], graph: Graph) -> Matrix | None:
    """The form at places of its family; None where it is zero: there is no such cell, as before the first time or after the last."""
    if form.operator == "total":
        index, body = form.parts
        terms = [at(body, {**places, index.letter: place}, graph) for place in range(index.axis.size)]
        return _added(form, [term for term in terms if term is not None])
    if form.operator == "name":
        return _placed(form, places, graph)
    if form.operator == "scalar":
        number = reindex(form.parts[0], places)
        return None if number == ZERO else scalar(number)
    parts = [at(part, places, graph) if isinstance(part, Matrix) else part for part in form.parts]
    kept = [part for part in parts if part is not None]
    if form.operator == "sum":
        return _added(form, kept)
    if len(kept) < len(parts):
        if form.operator in OUTWARD or form.operator == "negative":
            return None
        parts = [scalar(ZERO) if part is None else part for part in parts]
    if form.operator == "scale":
        factors = [part for part in parts if part != scalar(ONE)]
        return factors[0] if len(factors) == 1 else form.replace(parts=tuple(factors))
    return form.replace(parts=tuple(parts))


def _added(form: Matrix, terms: list[Matrix]) -> Matrix | None:
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else Matrix("sum", tuple(terms), form.rows, form.columns)


def _placed(leaf: Matrix, places: Mapping[str, int], graph: Graph) -> Matrix | None:
    name, where = leaf.parts
    fixed = tuple(None if place is None else shift_index(place, places) for place in where.fixed)
    found = leaf.replace(parts=(name, where.replace(fixed=fixed)))
    if any(isinstance(place, int) and not 0 <= place < axis.size for place, axis in zip(fixed, graph[name].axes)):
        return None
    if any(place is not None and not isinstance(place, int) for place in fixed):
        return found
    there = any(graph.present(name, place) for row in cells(graph, found) for place in row)
    return found if there else None


def family(form: Matrix) -> list[Index]:
    """The indices of a quantity's own matrix that are not directions: of time, of channels, of heads."""
    return [place for place in form.parts[1].fixed if isinstance(place, Index)]
