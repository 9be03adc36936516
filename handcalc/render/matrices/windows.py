"""Shifted indices: a kernel laid over data is a cross-correlation (⋆), one turned round a convolution (∗).

- `windowed(reader, factors, summed)`: Σ_u k[u]·x[s·r + e·u − p] is x ⋆ k with stride s, dilation e and padding p, in one direction or
  in two; Σ_u a[u]·b[s·r − e·u + p] is a ∗ b. A family (channels) is not its business.

Nothing is known of layers: the kernel is the factor whose places are the summed indices, the data the one with the shifted places; the
gradient of a kernel is x ⋆ δ, that of an input δ ∗ k. Where the free index counts backwards (r' − r), the roles are exchanged, or the
result is turned by 180°.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Ref, reindex
from handcalc.core.index import Affine, Index, Position, affine, position
from handcalc.core.record import Record
from handcalc.render.matrices.forms import MatrixNode, MatrixReader, Window, is_scalar, letters, oriented


class Shift(Record):
    """A place stride·free + spread·inside + offset: along a free and a summed index."""

    stride: int
    free: Index
    spread: int
    inside: Index
    offset: int


def windowed(reader: MatrixReader, factors: list[Expr], summed: list[Index]) -> MatrixNode | None:
    """The factors as a correlation or a convolution, or None where no place is shifted."""
    factors, summed = _exchanged(reader, _forwards(factors, summed), summed)
    data = next((factor for factor in factors if isinstance(factor, Ref) and _mixed(reader, factor)), None)
    if data is None:
        return None
    shifts = _shifts(reader, data, summed)
    over = reader.reference(data, {axis: shift.free.letter for axis, shift in shifts.items()})
    forms = [reader.read(factor) for factor in factors if factor is not data]
    others = [form for form in forms if form is not None]
    inside = {shift.free.letter: shift.inside.letter for shift in shifts.values()}
    if over is None or len(others) < len(forms) or not inside or letters(over) != {*inside}:
        return None
    kernel, scalars = _kernel(others, over, inside)
    result = _laid(reader, over, kernel, list(shifts.values())) if kernel is not None else None
    if result is None or not scalars:
        return result
    return MatrixNode("scale", (*scalars, result), result.rows, result.columns)


def _shifts(reader: MatrixReader, data: Ref, summed: list[Index]) -> dict[int, Shift]:
    """The shifted places of the data by their axes; none where one is no shift, or an index is summed without one."""
    found = {axis: shift for axis in _mixed(reader, data) if (shift := _shift(data.indices[axis], summed)) is not None}
    whole = len(found) == len(_mixed(reader, data)) and {shift.inside for shift in found.values()} == {*summed}
    return found if whole else {}


def _kernel(forms: list[MatrixNode], over: MatrixNode, inside: dict[str, str]) -> tuple[MatrixNode | None, list[MatrixNode]]:
    """What lies over the data, with the directions of the data, and single numbers; None where there is more, or no such thing."""
    kernels = [form for form in forms if letters(form) == {*inside.values()}]
    scalars = [form for form in forms if is_scalar(form)]
    if len(kernels) != 1 or len(scalars) + 1 < len(forms):
        return None, scalars
    return oriented(kernels[0], inside.get(over.rows, ""), inside.get(over.columns, "")), scalars


def _forwards(factors: list[Expr], summed: list[Index]) -> list[Expr]:
    """The factors with a summed index that counts a kernel backwards, as K − 1 − u, counted the other way."""
    places = {place for factor in factors if isinstance(factor, Ref) for place in factor.indices}
    for index in summed:
        backwards = Affine(((-1, index),), index.axis.size - 1)
        if backwards in places:
            factors = [reindex(factor, {index.letter: backwards}) for factor in factors]
    return factors


def _exchanged(reader: MatrixReader, factors: list[Expr], summed: list[Index]) -> tuple[list[Expr], list[Index]]:
    """Where both factors have shifted places, one along the rows and one along the columns: the same sums with all shifts in the second.

    Σ_u a[u]·b[r − u] is Σ_s a[r − s]·b[s].
    """
    mixed = [factor for factor in factors if isinstance(factor, Ref) and _mixed(reader, factor)]
    for axis in _mixed(reader, mixed[0]) if len(mixed) == 2 else ():
        place = mixed[0].indices[axis]
        shift = _shift(place, summed)
        if shift is None or shift.spread != -1:
            return factors, summed
        counted = Index(shift.free.letter + "'" * (1 + sum(shift.free.letter + "'" == index.letter for index in summed)),
                        reader.graph[mixed[0].quantity].axes[axis])  # fmt: skip
        inside = position({shift.free: shift.stride, counted: -1}, shift.offset)
        factors = [reindex(factor, {shift.inside.letter: inside}) for factor in factors]
        summed = [counted if index == shift.inside else index for index in summed]
    return factors, summed


def _mixed(reader: MatrixReader, data: Ref) -> list[int]:
    """The axes along which the places are shifted."""
    return [axis for axis, place in enumerate(data.indices) if isinstance(place, Affine) and not reader.fixed(place)]


def _shift(place: Position, summed: list[Index]) -> Shift | None:
    terms = affine(place).terms
    inside = [(factor, index) for factor, index in terms if index in summed]
    free = [(factor, index) for factor, index in terms if index not in summed]
    if len(inside) != 1 or len(free) != 1:
        return None
    return Shift(*free[0], *inside[0], affine(place).constant)


def _laid(reader: MatrixReader, over: MatrixNode, kernel: MatrixNode, shifts: list[Shift]) -> MatrixNode | None:
    """What Σ_u kernel[u]·over[stride·r + spread·u + offset] is called."""
    rows, columns = over.rows, over.columns
    signs = {(shift.stride > 0, shift.spread > 0) for shift in shifts}
    if len(signs) > 1:
        return None
    ((forwards, along),) = signs
    if not forwards and along and all(shift.stride == -1 and shift.spread == 1 for shift in shifts):
        windows = [Window(1, 1, -shift.offset) for shift in shifts]  # counted along the data instead: the roles are exchanged
        return MatrixNode("correlation", (kernel, over, *windows), rows, columns)
    windows = [Window(abs(shift.stride), abs(shift.spread), _first(shift)) for shift in shifts]
    if along:
        result = MatrixNode("correlation", (over, kernel, *windows), rows, columns)
    elif _is_weight(reader, kernel) and all(window.spread == 1 for window in windows):
        result = MatrixNode("convolution", (over, kernel, *windows), rows, columns)  # the same with its factors exchanged
    else:
        result = MatrixNode("convolution", (kernel, over, *windows), rows, columns)
    return result if forwards else MatrixNode("turned", (result,), rows, columns)


def _first(shift: Shift) -> int:
    """The offset of the first place; of the last, where the free index counts backwards."""
    return shift.offset if shift.stride > 0 else shift.offset + shift.stride * (shift.free.axis.size - 1)


def _is_weight(reader: MatrixReader, form: MatrixNode) -> bool:
    return form.operator == "name" and reader.graph[form.parts[0]].kind in ("weight", "updated")
