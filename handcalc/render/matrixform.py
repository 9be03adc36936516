"""The matrix form of a quantity, derived from the indices of its general formula; never written by hand.

- `matrix_form(graph, quantity)` turns a general formula over one or two indices into products of matrices:
  Σ_j w_kj·out_j is W·out, δ_k·out_j is δ·outᵀ, Σ_k δ_k·w_kj is Wᵀ·δ, equal indices are ⊙.
- `signed_form` puts it into a notation's signs, `matrix_blocks` shows it with the numbers.

A `Matrix` tree is what is derived; `evaluate` computes it with NumPy, which the laws compare with the cells. Where
a formula has no such form (three free indices, a δ of indices), None is answered and nothing is shown.

How: every reference becomes a matrix whose rows and columns are named by its indices (a vector is a column). A
product of factors is contracted over the summed indices; the free ones must come out as (row, column).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.expr import (
    Call,
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
    neg,
    references,
    reindex,
    rewrite,
    total,
)
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import Index
from handcalc.core.record import Record
from handcalc.render.blocks import Block, FunctionName, Grid, Item, Part, Plain, Rows, Symbolic, Value, Whole
from handcalc.render.reading import Reading

SIZE_LIMIT = 12  # rows or columns of a matrix that is shown with numbers


class Matrix(Record):
    """A node of the matrix form.

    operator: name (a quantity), scalar (a number), ones (a column of ones), transpose, product, hadamard, sum,
    negative, quotient, power, call, softmax (over the rows of a column); rows, columns: the index letters of its directions, "" for size 1.
    """

    operator: str
    parts: tuple[Any, ...]
    rows: str = ""
    columns: str = ""


def matrix_form(graph: Graph, quantity: Quantity) -> Matrix | None:
    """The right side in matrices, or None."""
    if quantity.definition is None or quantity.cases or not 1 <= len(quantity.axes) <= 2:
        return None
    formula = rewrite(quantity.definition, lambda node: _put_in(graph, node))
    if not all(_whole(graph, ref) for ref in references(formula)):
        return None
    letters = [index.letter for index in quantity.index]
    rows, columns = (letters[0], letters[1] if len(letters) > 1 else "")
    found = _form(formula, set(letters))
    return None if found is None else _oriented(found, rows, columns)


def _whole(graph: Graph, ref: Ref) -> bool:
    """Whether the plain indices of a reference go along the whole axes, and not along a part (as the state at earlier times does)."""
    pairs = zip(ref.indices, graph[ref.quantity].axes)
    return all(not isinstance(index, Index) or index.axis.size == axis.size for index, axis in pairs)


def _put_in(graph: Graph, node: Expr) -> Expr | None:
    """The definition of one path, or of one sample's gradient: only their sums have a matrix form."""
    if not isinstance(node, Ref):
        return None
    quantity = graph[node.quantity]
    if quantity.definition is None or not quantity.part_of_sum:
        return None
    places = {index.letter: place for index, place in zip(quantity.index, node.indices)}
    return rewrite(reindex(quantity.definition, places), lambda inner: _put_in(graph, inner))


def _form(expr: Expr, free: set[str]) -> Matrix | None:
    match expr:
        case Number():
            return Matrix("scalar", (expr,))
        case Ref(_, indices):
            return _reference(expr, indices)
        case Negation(operand):
            inner = _form(operand, free)
            return inner and Matrix("negative", (inner,), inner.rows, inner.columns)
        case Sum(terms):
            return _sum([_form(term, free) for term in terms])
        case Product() | Total():
            return _contraction(expr, free)
        case Quotient(above, below):
            return _elementwise("quotient", _form(above, free), _form(below, free))
        case Power(base, Number() as exponent):
            inner = _form(base, free)
            return inner and Matrix("power", (inner, exponent), inner.rows, inner.columns)
        case Call(function, arguments) if arguments:
            inner = _form(arguments[0], free)
            numbers = all(isinstance(argument, Number) for argument in arguments[1:])
            return Matrix("call", (function, inner, *arguments[1:]), inner.rows, inner.columns) if inner and numbers else None
        case Entry("softmax", Index(letter), index, body):
            inner = _form(body, free | {index.letter})
            if inner is None or index.letter not in (inner.rows, inner.columns):
                return None
            rows, columns = (letter if side == index.letter else side for side in (inner.rows, inner.columns))
            return Matrix("softmax", (inner, "rows" if inner.rows == index.letter else "columns"), rows, columns)
    return None


def _reference(expr: Ref, indices: tuple[Any, ...]) -> Matrix | None:
    if len(indices) > 2 or not all(isinstance(index, Index) for index in indices):
        return None
    letters = [index.letter for index in indices]
    return Matrix("name", (expr.quantity,), letters[0] if letters else "", letters[1] if len(letters) > 1 else "")


def _oriented(form: Matrix, rows: str, columns: str) -> Matrix | None:
    """The form with these directions, transposed if need be; () fits everywhere."""
    if (form.rows, form.columns) == (rows, columns):
        return form
    if (form.rows, form.columns) == (columns, rows):
        return _transposed(form)
    return form if not form.rows and not form.columns else None


def _transposed(form: Matrix) -> Matrix:
    if form.operator == "transpose":
        inner: Matrix = form.parts[0]
        return inner
    if form.operator == "product":
        return Matrix("product", tuple(_transposed(part) for part in reversed(form.parts)), form.columns, form.rows)
    if form.operator == "power":  # entry by entry, so the base may be turned as well
        return Matrix("power", (_transposed(form.parts[0]), form.parts[1]), form.columns, form.rows)
    return Matrix("transpose", (form,), form.columns, form.rows)


def _sum(terms: list[Matrix | None]) -> Matrix | None:
    """A sum; a bias vector is added to every column or row."""
    forms = [term for term in terms if term is not None]
    if len(forms) < len(terms):
        return None
    widest = max(forms, key=lambda form: len(form.rows) + len(form.columns))
    oriented = []
    for form in forms:
        fitting = _oriented(form, widest.rows, widest.columns)
        if fitting is None and not form.columns and form.rows == widest.columns:
            fitting = _transposed(form)  # a vector along the columns: the same for every row
        if fitting is None and not (not form.columns and form.rows == widest.rows):
            return None
        oriented.append(fitting or form)
    return Matrix("sum", tuple(oriented), widest.rows, widest.columns)


def _elementwise(operator: str, left: Matrix | None, right: Matrix | None) -> Matrix | None:
    if left is None or right is None:
        return None
    if left.operator == "scalar" or right.operator == "scalar" or not (right.rows or right.columns):
        wide = left if left.rows or left.columns else right
        return Matrix(operator, (left, right), wide.rows, wide.columns)
    fitting = _oriented(right, left.rows, left.columns)
    return fitting and Matrix(operator, (left, fitting), left.rows, left.columns)


def _contraction(expr: Expr, free: set[str]) -> Matrix | None:
    """Σ over products: scalars in front, equal directions ⊙, summed directions contracted by matrix products."""
    sizes: dict[str, int] = {}
    while isinstance(expr, Total):
        sizes[expr.index.letter] = expr.index.axis.size
        if isinstance(expr.body, Sum):
            return _sum([_form(total(expr.index, term), free) for term in expr.body.terms])
        if isinstance(expr.body, Negation):
            return _form(neg(total(expr.index, expr.body.operand)), free)
        expr = expr.body
    summed = set(sizes)
    factors = expr.factors if isinstance(expr, Product) else (expr,)
    forms = [_form(factor, free | summed) for factor in factors]
    if any(form is None for form in forms):
        return None
    scalars = [form for form in forms if form and not form.rows and not form.columns]
    wide = [form for form in forms if form and (form.rows or form.columns)]
    result: Matrix | None = None
    for form in wide:
        result = form if result is None else _multiplied(result, form, summed)
        if result is None:
            return None
    if result is None:
        return scalars[0] if len(scalars) == 1 else None
    for letter in {result.rows, result.columns} & summed - {""}:  # summed over, but in one factor only: times a vector of ones
        if result.columns != letter:
            result = _transposed(result)
        result = Matrix("product", (result, Matrix("ones", (sizes[letter],), letter)), result.rows, "")
    return Matrix("scale", (*scalars, result), result.rows, result.columns) if scalars else result


def _multiplied(left: Matrix, right: Matrix, summed: set[str]) -> Matrix | None:
    """Two factors: contracted over a shared summed index, ⊙ over shared free ones, outer over none."""
    ours, theirs = {left.rows, left.columns} - {""}, {right.rows, right.columns} - {""}
    shared = ours & theirs
    if shared and shared <= summed and len(shared) == 1:
        letter = shared.pop()
        first = left if left.columns == letter else _transposed(left)
        second = right if right.rows == letter else _transposed(right)
        return Matrix("product", (first, second), first.rows, second.columns)
    if ours == theirs:
        return _elementwise("hadamard", left, right)
    if not shared and len(ours) == len(theirs) == 1:
        row = left if left.rows else _transposed(left)
        column = right if right.columns else _transposed(right)
        return Matrix("product", (row, column), row.rows, column.columns)
    return None


# --- signs ------------------------------------------------------------------------------------------------------------

_OUTWARD = ("transpose", "product", "hadamard", "scale", "quotient")  # where the sign of a part is the sign of the whole


def signed_form(reading: Reading, quantity: Quantity) -> Matrix | None:
    """The matrix form with a notation's letters: −letter where one stands for the negative."""
    form = matrix_form(reading.graph, quantity)
    if form is None:
        return None
    turned = _signed(form, reading)
    return _negative(turned) if reading.turned((quantity.name, ())) else turned


def _signed(form: Matrix, reading: Reading) -> Matrix:
    if form.operator == "name":
        return _negative(form) if reading.turned((form.parts[0], ())) else form
    parts = [_signed(part, reading) if isinstance(part, Matrix) else part for part in form.parts]
    if form.operator == "negative":
        return _negative(parts[0])
    negative = form.operator in _OUTWARD and sum(part.operator == "negative" for part in parts) % 2 == 1
    if form.operator in _OUTWARD:
        parts = [part.parts[0] if part.operator == "negative" else part for part in parts]
    result = form.replace(parts=tuple(parts))
    return _negative(result) if negative else result


def _negative(form: Matrix) -> Matrix:
    if form.operator == "negative":
        inner: Matrix = form.parts[0]
        return inner
    return Matrix("negative", (form,), form.rows, form.columns)


# --- values -----------------------------------------------------------------------------------------------------------


def evaluate(form: Matrix, arrays: Any) -> Any:
    """The form computed with NumPy; `arrays(name)` gives a quantity as a matrix, vectors as columns."""
    import numpy

    from handcalc.core.functions import function

    parts = [evaluate(part, arrays) if isinstance(part, Matrix) else part for part in form.parts]
    match form.operator:
        case "name":
            return arrays(form.parts[0])
        case "ones":
            return numpy.ones((parts[0], 1))
        case "scalar":
            return parts[0].numerator / parts[0].denominator
        case "transpose":
            return parts[0].T
        case "product":
            return parts[0] @ parts[1]
        case "hadamard" | "scale":
            result = parts[0]
            for part in parts[1:]:
                result = result * part
            return result
        case "sum":
            return sum(parts[1:], parts[0])
        case "negative":
            return -parts[0]
        case "quotient":
            return parts[0] / parts[1]
        case "power":
            return parts[0] ** (parts[1].numerator / parts[1].denominator)
        case "call":
            rest = [argument.numerator / argument.denominator for argument in parts[2:]]
            return numpy.vectorize(lambda value: float(function(parts[0]).value(value, *rest)))(parts[1])
        case "softmax":
            return softmax(parts[0], 0 if parts[1] == "rows" else 1)
    raise TypeError(f"no value for {form.operator}")


def softmax(z: Any, axis: int) -> Any:
    """e^z over Σ e^z along an axis of an array, without overflow."""
    import numpy

    powers = numpy.exp(z - z.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


# --- blocks -----------------------------------------------------------------------------------------------------------


def matrix_blocks(derivation: Derivation, reading: Reading, quantity: Quantity, iteration: int) -> Iterator[Block]:
    """name = form, then the same with numbers, where the quantity has a matrix form and is not too large."""
    graph = derivation.graph
    form = signed_form(reading, quantity)
    if form is None:
        return
    name = Whole(quantity.name)
    yield Grid((name, "=", *_layout(form, Whole, 0)))
    if _small(graph, form) and all(axis.size <= SIZE_LIMIT for axis in quantity.axes):

        def numbers(inner: str) -> Rows:
            return _rows(graph, graph[inner], iteration)

        yield Grid((name, "≈", *_layout(form, numbers, 0), "≈", _rows(graph, quantity, iteration)))


def _small(graph: Graph, form: Matrix) -> bool:
    if form.operator == "name":
        return all(axis.size <= SIZE_LIMIT for axis in graph[form.parts[0]].axes)
    return all(_small(graph, part) for part in form.parts if isinstance(part, Matrix))


def _rows(graph: Graph, quantity: Quantity, iteration: int) -> Rows:
    sizes = [axis.size for axis in quantity.axes] + [1] * (2 - len(quantity.axes))

    def cell(row: int, column: int) -> Item:
        place = (row, column)[: len(quantity.axes)]
        return Value((quantity.name, place), iteration) if graph.present(quantity.name, place) else Plain("0")

    return tuple(tuple(cell(row, column) for column in range(sizes[1])) for row in range(sizes[0]))


# operator → precedence and the sign between its parts
_SIGNS = {"sum": (1, "+"), "product": (3, "·"), "hadamard": (3, "⊙"), "scale": (3, "·"), "quotient": (3, "/")}


def _layout(form: Matrix, leaf: Callable[[str], Part], least: int) -> list[Part]:
    """The parts of a form from left to right; `leaf` answers what stands for a quantity."""
    match form.operator:
        case "name":
            return [leaf(form.parts[0])]
        case "scalar":
            return [Symbolic(form.parts[0])]
        case "ones":
            return [Plain("1")]
        case "transpose":
            return [*_layout(form.parts[0], leaf, 4), "ᵀ"]
        case "negative":
            parts = ["−", *_layout(form.parts[0], leaf, 3)]  # the sign of one operand; "-" stands between two
            return parts if least <= 2 else ["(", *parts, ")"]
        case "power":
            base = _layout(form.parts[0], leaf, 4)
            return [*(["(", *base, ")"] if form.parts[0].operator == "transpose" else base), "^", Symbolic(form.parts[1])]
        case "call":
            rest = [piece for argument in form.parts[2:] for piece in (",", Symbolic(argument))]
            return [FunctionName(form.parts[0]), "(", *_layout(form.parts[1], leaf, 0), *rest, ")"]
        case "softmax":
            return [FunctionName("softmax"), "(", *_layout(form.parts[0], leaf, 0), ")"]
    precedence, sign = _SIGNS[form.operator]
    parts = []
    for place, part in enumerate(form.parts):
        negative = form.operator == "sum" and part.operator == "negative"
        if place:
            parts.append("-" if negative else sign)
        parts.extend(_layout(part.parts[0] if negative and place else part, leaf, precedence + (place > 0 or precedence > 1)))
    return parts if precedence >= least else ["(", *parts, ")"]
