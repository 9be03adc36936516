"""Array functions that generated programs call: sums of products, shifted views, functions of a whole family.

- `windows(array, axes)` is the view x[…, s·r + u − p, …] with an axis for r and one for u; outside the array it is 0. `unfolded` is it
  as an array of its own, `sliced` a slice that does for it.
- `diagonal(array, letters)` is the view of axes that go together, as of x[r, j − 2r].
- `contract(left, right, letters)` sums products over the letters that the result lacks; `kronecker` is 1 where places agree,
  `spread` puts r at s·r + c.
- `stacked` puts rows, or matrices, below each other.
- `heaviside` is the slope of ReLU, `largest` the largest of all numbers without their signs.
- `softmax`, `log_softmax` and `logsumexp` without overflow.
"""

from __future__ import annotations

import math
from typing import Any

from handcalc.core.index import Index, Position, affine

__all__ = [
    "contract",
    "diagonal",
    "heaviside",
    "largest",
    "log_softmax",
    "logsumexp",
    "softmax",
    "spread",
    "stacked",
    "unfolded",
    "windows",
]

AxisView = tuple[int, int, int, tuple[tuple[int, int], ...]]  # zeros before and after, first place, (step, size) of the new axes


def window(place: Position, size: int) -> AxisView:
    """How an axis of this size is seen through a place such as 2r + u − 1."""
    terms = [(factor, index.axis.size) for factor, index in affine(place).terms]
    constant = affine(place).constant
    lowest = constant + sum(min(factor * (count - 1), 0) for factor, count in terms)
    highest = constant + sum(max(factor * (count - 1), 0) for factor, count in terms)
    before = max(-lowest, 0)
    return before, max(highest - size + 1, 0), constant + before, tuple(terms)


def sliced(view: AxisView | None) -> str:
    """The same as a slice, where it is one: of a place, or of every so many; "" where it is not."""
    if view is None:
        return ":"
    before, after, start, terms = view
    if before or after or len(terms) > 1 or any(step < 1 for step, _ in terms):
        return ""
    return "".join(f"{start}:{start + step * (count - 1) + 1}:{step}" for step, count in terms) or str(start)


def windows(array: Any, axes: tuple[AxisView | None, ...]) -> Any:
    """The view; None for an axis that stays as it is."""
    import numpy

    if any(axis and (axis[0] or axis[1]) for axis in axes):
        array = numpy.pad(array, [axis[:2] if axis else (0, 0) for axis in axes])
    shape: list[int] = []
    strides: list[int] = []
    start = []
    for axis, size, stride in zip(axes, array.shape, array.strides):
        start.append(slice(axis[2], None) if axis else slice(None))
        shape += [count for _, count in axis[3]] if axis else [size]
        strides += [factor * stride for factor, _ in axis[3]] if axis else [stride]
    return numpy.lib.stride_tricks.as_strided(array[tuple(start)], shape, strides, writeable=False)


def repeated(letters: tuple[str, ...]) -> str:
    """Which of several axes have the same letter, as what einsum takes; "" where none have."""
    own = list(dict.fromkeys(letters))
    return "".join(chr(ord("a") + own.index(letter)) for letter in letters) if len(own) < len(letters) else ""


def diagonal(array: Any, letters: str) -> Any:
    """The view with one axis for every letter: at x[r, …, r, …] for a letter that several axes have."""
    import numpy

    return numpy.einsum(f"{letters}->{''.join(dict.fromkeys(letters))}", array)


def unfolded(array: Any, axes: tuple[AxisView | None, ...], order: tuple[int, ...]) -> Any:
    """The view as an array of its own, whose axes lie in memory in this order."""
    import numpy

    return numpy.ascontiguousarray(windows(array, axes).transpose(order)).transpose([order.index(axis) for axis in range(len(order))])


def contract(left: Any, right: Any, letters: tuple[str, str, str], each: str = "") -> Any:
    """Σ left·right over the letters that the result lacks: as a product of matrices, one for every letter all three share; each: a letter
    for whose every place it is a product of its own."""
    import numpy

    first, second, wanted = letters
    if each and {*first} & {*second} & {*wanted} <= {each}:
        return _by_each(left, right, letters, each)
    if not set(first) & set(second) & set(wanted):
        summed = [letter for letter in first if letter in second]
        found = numpy.tensordot(left, right, ([first.index(letter) for letter in summed], [second.index(letter) for letter in summed]))
        order = [letter for letter in first + second if letter not in summed]
        return found if order == list(wanted) else found.transpose([order.index(letter) for letter in wanted])
    if first == second:
        return (left * right).sum(axis=tuple(axis for axis, letter in enumerate(first) if letter not in wanted))
    return numpy.einsum(f"{first},{second}->{wanted}", left, right, optimize=True)


def _by_each(left: Any, right: Any, letters: tuple[str, str, str], each: str) -> Any:
    first, second, wanted = letters
    summed = [letter for letter in first if letter in second and letter != each and letter not in wanted]
    rows, columns = ([letter for letter in own if letter not in summed and letter != each] for own in (first, second))
    sizes = dict(zip(first + second, left.shape + right.shape))

    def matrices(array: Any, own: str, *parts: list[str]) -> Any:
        there = [each] * (each in own)
        order = [own.index(letter) for letter in (*there, *parts[0], *parts[1])]
        shape = [*(sizes[letter] for letter in there), *(math.prod(sizes[letter] for letter in part) for part in parts)]
        return array.transpose(order).reshape(shape)

    found = matrices(left, first, rows, summed) @ matrices(right, second, summed, columns)
    found = found if each in wanted else found.sum(axis=0)
    order = [*[each] * (each in wanted), *rows, *columns]
    return found.reshape([sizes[letter] for letter in order]).transpose([order.index(letter) for letter in wanted])


def kronecker(left: Position, right: Position) -> tuple[Any, tuple[Index, ...]]:
    """1 where two places agree, else 0, and the indices of its axes."""
    import numpy

    indices = tuple(dict.fromkeys(index for place in (left, right) for _, index in affine(place).terms))
    grid = numpy.indices([index.axis.size for index in indices])
    values = [
        sum((factor * grid[indices.index(index)] for factor, index in affine(place).terms), affine(place).constant)
        for place in (left, right)
    ]
    return (values[0] == values[1]).astype(float), indices


def spread(array: Any, axis: int, places: tuple[int, int, int]) -> Any:
    """An axis spread over a longer one: place r goes to start + step·r, what is outside is left out, elsewhere are zeros."""
    import numpy

    start, step, size = places
    targets = start + step * numpy.arange(array.shape[axis])
    inside = (targets >= 0) & (targets < size)
    found = numpy.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]))
    before: tuple[Any, ...] = (slice(None),) * axis
    if inside.all() and step > 0:
        found[(*before, slice(start, start + step * array.shape[axis], step))] = array
    else:
        found[(*before, targets[inside])] = array[(*before, inside)]
    return found


def heaviside(z: Any, at: Any) -> Any:
    """0 below 0, 1 above, `at` at 0."""
    import numpy

    if numpy.ndim(at) == 0 and at in (0, 1):
        return (numpy.greater_equal if at else numpy.greater)(z, 0).astype(float)
    return numpy.heaviside(z, at)


def largest(array: Any) -> float:
    """The largest absolute value."""
    import numpy

    return float(numpy.abs(array).max(initial=0.0))


def stacked(*arrays: Any) -> Any:
    """Rows, or matrices of as many columns, as one matrix."""
    import numpy

    found = numpy.concatenate(arrays)
    return found if found.ndim > 1 else found.reshape(len(arrays), -1)


def softmax(z: Any, axis: int) -> Any:
    """e^z over Σ e^z along an axis of an array, without overflow."""
    import numpy

    powers = numpy.exp(z - z.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def log_softmax(z: Any, axis: int) -> Any:
    """z − ln Σ e^z along an axis of an array, without overflow."""
    import numpy

    return z - numpy.expand_dims(logsumexp(z, axis), axis)


def logsumexp(z: Any, axis: int) -> Any:
    """ln Σ e^z, without overflow."""
    import numpy

    top = z.max(axis=axis, keepdims=True)
    return (top + numpy.log(numpy.exp(z - top).sum(axis=axis, keepdims=True))).squeeze(axis)
