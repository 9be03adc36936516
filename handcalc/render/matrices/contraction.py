"""Sums and products of forms: what is added, what is multiplied entry by entry, what is contracted.

- `contraction(reader, expr)`: Σ over products. Scalars in front, equal directions ⊙, summed directions by matrix products, a vector along
  one direction of a matrix as diag(v)·A, sums over a family as Σ.
- `added(terms)`, `elementwise(operator, left, right)`.

A factor such as [i = j] − p_j, in the derivative of softmax, is multiplied out as far as need be: with the factor before it, which makes
diag(p) − p·pᵀ, or with all, where the sum over i then disappears.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handcalc.core.expr import Delta, Expr, Negation, Product, Sum, Total, add, mul, neg, reindex, total, walk
from handcalc.core.index import Index
from handcalc.render.matrices.forms import MatrixNode, MatrixReader, is_scalar, letters, negated, ones, oriented, times, transposed
from handcalc.render.matrices.windows import windowed

# --- sums and quotients ---------------------------------------------------------------------------------------------


def added(terms: list[MatrixNode | None]) -> MatrixNode | None:
    """A sum; a bias vector is added to every column or row."""
    forms = [term for term in terms if term is not None]
    if len(forms) < len(terms):
        return None
    widest = max(forms, key=lambda form: len(letters(form)))
    fitting = [_along(form, widest) for form in forms]
    if None in fitting or any(form.operator == "identity" for form in forms) and any(letters(form) != letters(widest) for form in forms):
        return None
    return MatrixNode("sum", tuple(fitting), widest.rows, widest.columns)


def _along(form: MatrixNode, wide: MatrixNode) -> MatrixNode | None:
    """A form with the directions of a wider one, or a vector along one of them, the same for all rows or columns."""
    fitting = oriented(form, wide.rows, wide.columns)
    if fitting is None and len(letters(form)) == 1:
        (letter,) = letters(form)
        if letter == wide.columns:
            return oriented(form, "", letter)
        if letter == wide.rows:
            return oriented(form, letter, "")
    return fitting


def elementwise(operator: str, left: MatrixNode | None, right: MatrixNode | None) -> MatrixNode | None:
    """Entry by entry; a quotient also by a vector, the same for all rows or columns."""
    if left is None or right is None:
        return None
    if is_scalar(left) or is_scalar(right):
        wide = right if is_scalar(left) else left
        return MatrixNode(operator, (left, right), wide.rows, wide.columns)
    if operator == "hadamard" and letters(left) != letters(right):
        return None
    fitting = _along(right, left)
    if fitting is None:
        return None
    first = left.parts if left.operator == operator == "hadamard" else (left,)
    return MatrixNode(operator, (*first, fitting), left.rows, left.columns)


# --- Σ over products ------------------------------------------------------------------------------------------------


def contraction(reader: MatrixReader, expr: Expr) -> MatrixNode | None:
    """Σ over a product, or None."""
    summed: list[Index] = []
    while isinstance(expr, Total):
        summed.append(expr.index)
        if isinstance(expr.body, Sum):
            return added([reader.read(_over(summed, term)) for term in expr.body.terms])
        if isinstance(expr.body, Negation):
            found = reader.read(_over(summed, expr.body.operand))
            return found and negated(found)
        expr = expr.body
    factors = list(expr.factors) if isinstance(expr, Product) else [expr]
    own = [index for index in summed if index.letter not in reader.members]
    found = windowed(reader, factors, own) or _product(reader, factors, own) or _spread(reader, factors, own)
    if found is None:
        return None
    for index in reversed([index for index in summed if index.letter in reader.members]):
        found = MatrixNode("total", (index, found), found.rows, found.columns)
    return found


def _over(summed: list[Index], expr: Expr) -> Expr:
    for index in reversed(summed):
        expr = total(index, expr)
    return expr


def _product(reader: MatrixReader, factors: list[Expr], summed: list[Index]) -> MatrixNode | None:
    forms = [reader.read(factor) for factor in factors]
    if None in forms:
        return None
    return multiplied([form for form in forms if form is not None], {_joined(reader, index): index.axis.size for index in summed})


def _joined(reader: MatrixReader, index: Index) -> str:
    """The direction that an index counts along; of several counted through as one, it is named by all."""
    return next((",".join(group) for group in reader.groups if index.letter in group), index.letter)


def multiplied(forms: list[MatrixNode], sizes: dict[str, int]) -> MatrixNode | None:
    """The product of forms, summed over the directions that have a size here."""
    scalars = [form for form in forms if is_scalar(form)]
    wide = [form for form in forms if not is_scalar(form)]
    if not wide:
        if sizes:
            return None
        return scalars[0] if len(scalars) == 1 else MatrixNode("scale", tuple(scalars))
    while len(wide) > 1:
        joined = next(_pairs(wide, sizes), None)
        if joined is None:
            return None
        scalars += [form for form in joined if is_scalar(form)]  # a vector that was summed by itself
        wide = [form for form in joined if not is_scalar(form)]
    if not wide:
        return scalars[0] if len(scalars) == 1 else MatrixNode("scale", tuple(scalars))
    result = wide[0]
    for letter in sorted(letters(result) & set(sizes)):  # summed over, but in one factor only: times a vector of ones
        result = _summed(result, letter, sizes[letter])
    return MatrixNode("scale", (*scalars, result), result.rows, result.columns) if scalars else result


def _summed(form: MatrixNode, letter: str, size: int) -> MatrixNode:
    if form.operator == "product" and form.rows == letter:
        return times(transposed(ones(size, letter)), form)
    return times(form if form.columns == letter else transposed(form), ones(size, letter))


def _pairs(forms: list[MatrixNode], sizes: dict[str, int]) -> Iterator[list[MatrixNode]]:
    """The ways to make fewer factors, or fewer directions: the best first."""
    summed = set(sizes)
    pairs = [(one, other) for one in range(len(forms)) for other in range(one + 1, len(forms))]

    def put(one: int, other: int, result: MatrixNode) -> list[MatrixNode]:
        return [*forms[:one], result, *(form for place, form in enumerate(forms) if place > one and place != other)]

    for one, other in pairs:  # equal directions: entry by entry
        if letters(forms[one]) == letters(forms[other]):
            result = elementwise("hadamard", forms[one], forms[other])
            if result is not None:
                yield put(one, other, result)
    for one, other in pairs:  # one direction that is summed and in no third factor: a product of matrices
        shared = letters(forms[one]) & letters(forms[other])
        if len(shared) == 1 and shared <= summed and sum(1 for form in forms if shared <= letters(form)) == 2:
            (letter,) = shared
            first = forms[one] if forms[one].columns == letter else transposed(forms[one])
            second = forms[other] if forms[other].rows == letter else transposed(forms[other])
            yield put(one, other, times(first, second))
    for one, form in enumerate(forms):  # summed, and in no other factor
        for letter in sorted(letters(form) & summed):
            if sum(1 for other in forms if letter in letters(other)) == 1:
                yield [*forms[:one], _summed(form, letter, sizes[letter]), *forms[one + 1 :]]
    yield from _scaled(forms, put)


def _scaled(forms: list[MatrixNode], put: Callable[[int, int, MatrixNode], list[MatrixNode]]) -> Iterator[list[MatrixNode]]:
    """A vector along one direction of a matrix: diag(v)·A or A·diag(v); then vectors of two directions: a·bᵀ."""
    pairs = [(one, other) for one in range(len(forms)) for other in range(one + 1, len(forms))]
    for one, other in pairs:
        for vector, matrix in ((one, other), (other, one)):
            if len(letters(forms[vector])) == 1 and letters(forms[vector]) < letters(forms[matrix]):
                (letter,) = letters(forms[vector])
                diagonal = MatrixNode("diagonal", (_bare(forms[vector]),), letter, letter)
                form = forms[matrix]
                if form.operator == "identity":
                    yield put(one, other, diagonal.replace(rows=form.rows, columns=form.columns))
                else:
                    yield put(one, other, times(diagonal, form) if form.rows == letter else times(form, diagonal))
    for one, other in pairs:
        if len(letters(forms[one])) == len(letters(forms[other])) == 1:
            row = forms[one] if forms[one].rows else transposed(forms[one])
            column = forms[other] if forms[other].columns else transposed(forms[other])
            yield put(one, other, times(row, column))


def _bare(vector: MatrixNode) -> MatrixNode:
    """A vector as it is written alone, for diag(v)."""
    return vector.parts[0] if vector.operator == "transpose" else vector


# --- factors with [i = j] -------------------------------------------------------------------------------------------


def _spread(reader: MatrixReader, factors: list[Expr], summed: list[Index]) -> MatrixNode | None:
    """With a factor [i = j] − p_j multiplied out: with the one before it, then with all."""
    for place, factor in enumerate(factors):
        if place and isinstance(factor, Sum) and any(isinstance(node, Delta) for node in walk(factor)):
            inside = added([reader.read(_terms(factors[place - 1], term)) for term in factor.terms])
            rest = [reader.read(other) for other in (*factors[: place - 1], *factors[place + 1 :])]
            if inside is not None and None not in rest:
                sizes = {index.letter: index.axis.size for index in summed}
                found = multiplied([*(form for form in rest if form is not None), inside], sizes)
                if found is not None:
                    return found
            terms = [_resolved(_over(summed, mul(*factors[:place], term, *factors[place + 1 :]))) for term in factor.terms]
            return reader.read(add(*terms))
    return None


def _terms(factor: Expr, term: Expr) -> Expr:
    return neg(mul(factor, term.operand)) if isinstance(term, Negation) else mul(factor, term)


def _resolved(expr: Expr) -> Expr:
    """Σ_i a_i·[i = j] is a_j."""
    if isinstance(expr, Negation):
        return neg(_resolved(expr.operand))
    if not isinstance(expr, Total):
        return expr
    body = _resolved(expr.body)
    factors = body.factors if isinstance(body, Product) else (body,)
    for place, factor in enumerate(factors):
        if isinstance(factor, Delta) and expr.index in (factor.left, factor.right):
            other = factor.right if factor.left == expr.index else factor.left
            return reindex(mul(*factors[:place], *factors[place + 1 :]), {expr.index.letter: other})
    return total(expr.index, body)
