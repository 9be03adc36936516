"""What matrix forms are made of: the tree `MatrixNode`, and what is done with a tree whatever it came from.

- `transposed(form)`, `negated(form)`, `oriented(form, rows, columns)`, `letters(form)`.
- `at(form, places, graph)`: the form at places of its family, sums over a family written out, what is zero left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import Any, Protocol

from handcalc.core.expr import ONE, ZERO, Expr, Ref, reindex
from handcalc.core.graph import Graph
from handcalc.core.index import Index, Position, shift_index
from handcalc.core.record import Record


class MatrixNode(Record):
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


class MatrixReader(Protocol):
    """What reads a formula as matrices (reading.py has it), for those who take a part of the formula over.

    members: letters that name members of a family; groups: letters of axes that are counted through as one.
    """

    graph: Graph
    members: frozenset[str]
    groups: set[tuple[str, ...]]

    def read(self, expr: Expr) -> MatrixNode | None:
        """An expression in matrices."""

    def reference(self, ref: Ref, windows: dict[int, str] | None = None) -> MatrixNode | None:
        """A quantity, or a member of its family; windows: letters for the axes with shifted places."""

    def fixed(self, place: Position) -> bool:
        """Whether a place says which member of a family is meant."""


OUTWARD = ("transpose", "product", "hadamard", "scale", "quotient", "diagonal", "correlation", "convolution", "turned", "total")
# where the sign of a part is the sign of the whole, and a part that is zero makes the whole zero


def inner(form: MatrixNode) -> list[MatrixNode]:
    """The parts of a form that are forms."""
    return [part for part in form.parts if isinstance(part, MatrixNode)]


def letters(form: MatrixNode) -> set[str]:
    """Its directions."""
    return {form.rows, form.columns} - {""}


def is_scalar(form: MatrixNode) -> bool:
    """Whether it has no direction."""
    return not form.rows and not form.columns


def scalar(expr: Expr) -> MatrixNode:
    """A number, or an expression without directions."""
    return MatrixNode("scalar", (expr,))


def ones(size: int, letter: str) -> MatrixNode:
    """A column of ones."""
    return MatrixNode("ones", (size,), letter)


def made(operator: str, *parts: Any, like: MatrixNode) -> MatrixNode:
    """A node with the directions of another."""
    return MatrixNode(operator, parts, like.rows, like.columns)


def times(left: MatrixNode, right: MatrixNode) -> MatrixNode:
    """A·B; products of products are written without brackets."""
    parts = [part for form in (left, right) for part in (form.parts if form.operator == "product" else (form,))]
    return MatrixNode("product", tuple(parts), left.rows, right.columns)


def negated(form: MatrixNode) -> MatrixNode:
    """−A; −(−A) is A, −(A − B) is B − A."""
    if form.operator == "negative":
        found: MatrixNode = form.parts[0]
        return found
    if form.operator == "sum" and len(form.parts) == 2 and any(part.operator == "negative" for part in form.parts):
        terms = tuple(map(negated, form.parts))
        return form.replace(parts=terms[::-1] if terms[0].operator == "negative" else terms)
    return made("negative", form, like=form)


def transposed(form: MatrixNode) -> MatrixNode:
    """Aᵀ; inside a product, and where both ways are the same."""
    parts, rows, columns = form.parts, form.columns, form.rows
    if is_scalar(form):
        return form
    match form.operator:
        case "transpose":
            found: MatrixNode = parts[0]
            return found
        case "product":
            return MatrixNode("product", tuple(transposed(part) for part in reversed(parts)), rows, columns)
        case "power":  # entry by entry, so the base may be turned as well
            return MatrixNode("power", (transposed(parts[0]), parts[1]), rows, columns)
        case "diagonal" | "identity":
            return MatrixNode(form.operator, parts, rows, columns)
        case "total":
            return MatrixNode("total", (parts[0], transposed(parts[1])), rows, columns)
        case "sum" if any(_simpler(part) for part in parts):
            return MatrixNode("sum", tuple(map(transposed, parts)), rows, columns)
        case "scale":
            return MatrixNode("scale", (*parts[:-1], transposed(parts[-1])), rows, columns)
        case "negative" if _simpler(parts[0]):
            return MatrixNode("negative", (transposed(parts[0]),), rows, columns)
    return MatrixNode("transpose", (form,), rows, columns)


def _simpler(form: MatrixNode) -> bool:
    """Whether its transpose is written inside it."""
    if form.operator in ("negative", "scale"):
        return _simpler(form.parts[-1])
    return form.operator in ("product", "diagonal", "total", "transpose")


def oriented(form: MatrixNode, rows: str, columns: str) -> MatrixNode | None:
    """The form with these directions, transposed if need be; a scalar fits everywhere."""
    if (form.rows, form.columns) == (rows, columns):
        return form
    if (form.rows, form.columns) == (columns, rows):
        return transposed(form)
    return form if is_scalar(form) else None


# --- at a place of the family ---------------------------------------------------------------------------------------


def cells(graph: Graph, leaf: MatrixNode) -> list[list[tuple[int, ...]]]:
    """The places that the rows and columns of a quantity's matrix hold; the family's places must be known."""
    name, places = leaf.parts
    axes = graph[name].axes

    def along(chosen: tuple[int, ...]) -> list[dict[int, int]]:
        return [dict(zip(chosen, found)) for found in product(*(axes[axis].places for axis in chosen))]

    def cell(row: dict[int, int], column: dict[int, int]) -> tuple[int, ...]:
        whole = row | column
        return tuple(whole[axis] if place is None else place for axis, place in enumerate(places.fixed))

    return [[cell(row, column) for column in along(places.columns)] for row in along(places.rows)]


def at(form: MatrixNode, places: Mapping[str, int], graph: Graph) -> MatrixNode | None:
    """The form at places of its family; None where it is zero: there is no such cell, as before the first time or after the last."""
    if form.operator == "total":
        index, body = form.parts
        terms = [at(body, {**places, index.letter: place}, graph) for place in index.axis.places]
        return _added(form, [term for term in terms if term is not None])
    if form.operator == "name":
        return _placed(form, places, graph)
    if form.operator == "scalar":
        number = reindex(form.parts[0], places)
        return None if number == ZERO else scalar(number)
    parts = [at(part, places, graph) if isinstance(part, MatrixNode) else part for part in form.parts]
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


def _added(form: MatrixNode, terms: list[MatrixNode]) -> MatrixNode | None:
    if not terms:
        return None
    return terms[0] if len(terms) == 1 else MatrixNode("sum", tuple(terms), form.rows, form.columns)


def _placed(leaf: MatrixNode, places: Mapping[str, int], graph: Graph) -> MatrixNode | None:
    name, where = leaf.parts
    fixed = tuple(None if place is None else shift_index(place, places) for place in where.fixed)
    found = leaf.replace(parts=(name, where.replace(fixed=fixed)))
    if any(isinstance(place, int) and place not in axis.places for place, axis in zip(fixed, graph[name].axes)):
        return None
    if any(place is not None and not isinstance(place, int) for place in fixed):
        return found
    there = any(graph.present(name, place) for row in cells(graph, found) for place in row)
    return found if there else None


def family(form: MatrixNode) -> list[Index]:
    """The indices of a quantity's own matrix that are not directions: of time, of channels, of heads."""
    return [place for place in form.parts[1].fixed if isinstance(place, Index)]
