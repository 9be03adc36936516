"""Columns of numbers without NumPy: as much of its arithmetic as marking needs, with the same results, for where it is not installed.

- `array_library()` is NumPy, or, where that is not installed, this module: what it offers is called as in NumPy and answers the same.
- `NumberColumn` is what NumPy calls an array of one axis. A column of one number goes with columns of any length, as a single number does.

What NumPy warns of and goes on with gives the same here, without a warning: 1/0 is inf, 0/0 and (-8)^0.5 are nan.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from itertools import compress, pairwise, repeat
from typing import Any

Operation = Callable[[Any, Any], Any]


@cache
def array_library() -> Any:
    """NumPy where it is installed, else this module."""
    try:
        import numpy
    except ImportError:
        return sys.modules[__name__]
    return numpy


class NumberColumn:
    """Numbers, or what is true and false, one below the other."""

    __slots__ = ("values",)
    __hash__ = None  # type: ignore[assignment]  # columns change
    __array_ufunc__ = None  # an array beside it asks it

    def __init__(self, values: Iterable[Any]) -> None:
        self.values = [*values]

    # --- its numbers ---

    def __iter__(self) -> Iterator[Any]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)

    def __bool__(self) -> bool:
        (single,) = self.values
        return bool(single)

    def __float__(self) -> float:
        (single,) = self.values
        return float(single)

    def __repr__(self) -> str:
        return f"NumberColumn({self.values})"

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return len(self.values)

    def tolist(self) -> list[Any]:
        """Its numbers."""
        return [*self.values]

    def copy(self) -> NumberColumn:
        """The same numbers in a column of their own."""
        return NumberColumn(self.values)

    def ravel(self) -> NumberColumn:
        """Itself: it has one axis."""
        return self

    def __getitem__(self, wanted: Any) -> Any:
        """The number at a place, or a column: of a slice, of some places, or of those where something is true."""
        if isinstance(wanted, (int, slice)):
            found = self.values[wanted]
            return NumberColumn(found) if isinstance(wanted, slice) else found
        return NumberColumn(map(self.values.__getitem__, _places(wanted)))

    def __setitem__(self, wanted: Any, content: Any) -> None:
        """Put a number at a place, or numbers, or one, at some places."""
        places = [wanted] if isinstance(wanted, int) else range(len(self))[wanted] if isinstance(wanted, slice) else _places(wanted)
        for place, value in zip(places, _long(content, len(places))):
            self.values[place] = value

    # --- arithmetic, number by number ---

    def __add__(self, other: Any) -> NumberColumn:
        return _each(operator.add, self, other)

    def __sub__(self, other: Any) -> NumberColumn:
        return _each(operator.sub, self, other)

    def __mul__(self, other: Any) -> NumberColumn:
        return _each(operator.mul, self, other)

    def __truediv__(self, other: Any) -> NumberColumn:
        return _quotients(self, other)

    def __radd__(self, other: Any) -> NumberColumn:
        return _each(operator.add, other, self)

    def __rsub__(self, other: Any) -> NumberColumn:
        return _each(operator.sub, other, self)

    def __rmul__(self, other: Any) -> NumberColumn:
        return _each(operator.mul, other, self)

    def __rtruediv__(self, other: Any) -> NumberColumn:
        return _quotients(other, self)

    def __neg__(self) -> NumberColumn:
        return NumberColumn(map(operator.neg, self.values))

    def __abs__(self) -> NumberColumn:
        return NumberColumn(map(operator.abs, self.values))

    # --- comparing, and what is true ---

    def __lt__(self, other: Any) -> NumberColumn:
        return _each(operator.lt, self, other)

    def __le__(self, other: Any) -> NumberColumn:
        return _each(operator.le, self, other)

    def __gt__(self, other: Any) -> NumberColumn:
        return _each(operator.gt, self, other)

    def __ge__(self, other: Any) -> NumberColumn:
        return _each(operator.ge, self, other)

    def __eq__(self, other: object) -> NumberColumn:  # type: ignore[override]
        return _each(operator.eq, self, other)

    def __ne__(self, other: object) -> NumberColumn:  # type: ignore[override]
        return _each(operator.ne, self, other)

    def __and__(self, other: Any) -> NumberColumn:
        return _each(operator.and_, self, other)

    def __or__(self, other: Any) -> NumberColumn:
        return _each(operator.or_, self, other)

    def __invert__(self) -> NumberColumn:
        return NumberColumn(map(operator.not_, self.values))

    def all(self) -> bool:
        """Whether all of it is true."""
        return all(self.values)

    def any(self) -> bool:
        """Whether some of it is true."""
        return any(self.values)

    def sum(self) -> Any:
        """The sum; of what is true, how many."""
        return sum(self.values)

    # --- changing it in place ---

    def __iadd__(self, other: Any) -> NumberColumn:
        return self._put(operator.add, other)

    def __isub__(self, other: Any) -> NumberColumn:
        return self._put(operator.sub, other)

    def __iand__(self, other: Any) -> NumberColumn:
        return self._put(operator.and_, other)

    def __ior__(self, other: Any) -> NumberColumn:
        return self._put(operator.or_, other)

    def _put(self, operation: Operation, other: Any) -> NumberColumn:
        self.values[:] = map(operation, self.values, _long(other, len(self.values)))
        return self


def _places(wanted: Any) -> Sequence[int]:
    """Places that are listed, or those where something is true."""
    listed: Sequence[Any] = wanted.values if isinstance(wanted, NumberColumn) else wanted
    if len(listed) and isinstance(listed[0], bool):
        return [*compress(range(len(listed)), listed)]
    return listed


def _long(content: Any, length: int) -> Iterable[Any]:
    """The numbers of a column, or one number so many times."""
    if not isinstance(content, NumberColumn):
        return repeat(content, length)
    if len(content) == length:
        return content.values
    (single,) = content.values
    return repeat(single, length)


def _length(*parts: Any) -> int:
    """How long columns and numbers are together."""
    lengths = {len(part) for part in parts if isinstance(part, NumberColumn)} or {1}
    (length,) = lengths if len(lengths) == 1 else lengths - {1}
    return length


def _each(operation: Operation, left: Any, right: Any) -> NumberColumn:
    length = _length(left, right)
    return NumberColumn(map(operation, _long(left, length), _long(right, length)))


def _quotients(above: Any, below: Any) -> NumberColumn:
    try:
        return _each(operator.truediv, above, below)
    except ZeroDivisionError:
        return _each(_quotient, above, below)


def _quotient(above: float, below: float) -> float:
    if below:
        return above / below
    return above * math.copysign(math.inf, below)  # 0·inf is nan


# --- what NumPy calls by these names -----------------------------------------------------------------------------------------


def errstate(**_: str) -> AbstractContextManager[None]:
    """There are no warnings."""
    return nullcontext()


def array(values: Iterable[Any]) -> NumberColumn:
    """A column of numbers."""
    return NumberColumn(values)


def asarray(values: Any, dtype: type = float) -> NumberColumn:
    """A column of floats; a number is one of one number."""
    return NumberColumn(map(dtype, values if isinstance(values, (NumberColumn, list, tuple)) else [values]))


def arange(count: int) -> NumberColumn:
    """0, 1, 2 …"""
    return NumberColumn(range(count))


def full(count: int, value: Any) -> NumberColumn:
    """One value so many times."""
    return NumberColumn(repeat(value, count))


def zeros(count: int, dtype: type = float) -> NumberColumn:
    """0, or false, so many times."""
    return full(count, dtype(0))


def ones(count: int, dtype: type = float) -> NumberColumn:
    """1, or true, so many times."""
    return full(count, dtype(1))


def broadcast_to(values: Any, count: int) -> NumberColumn:
    """A column of this length."""
    return NumberColumn(_long(values, count))


def broadcast_arrays(*parts: Any) -> list[NumberColumn]:
    """Columns of the same length."""
    length = _length(*parts)
    return [broadcast_to(part, length) for part in parts]


def where(condition: Any, right: Any, wrong: Any) -> NumberColumn:
    """A number where something is true, another where it is not."""
    length = _length(condition, right, wrong)
    return NumberColumn(r if c else w for c, r, w in zip(_long(condition, length), _long(right, length), _long(wrong, length)))


def absolute(values: Any) -> NumberColumn:
    """Without the signs."""
    return abs(asarray(values))


def isfinite(values: Any) -> NumberColumn:
    """Where there is a number, not inf and not nan."""
    return NumberColumn(map(math.isfinite, asarray(values)))


def maximum(left: Any, right: Any) -> NumberColumn:
    """The larger of two numbers; nan where one of them is."""
    return _each(lambda a, b: a if a >= b or a != a else b, left, right)


def power(base: Any, exponent: Any) -> NumberColumn:
    """base^exponent."""
    return _each(_power, base, exponent)


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return -math.inf if base < 0 and exponent % 2 == 1 else math.inf
    except ValueError:  # 0 to a negative power, or a root of a negative number
        if base:
            return math.nan
        return math.copysign(math.inf, base) if exponent % 2 == 1 else math.inf


def unique(values: NumberColumn) -> NumberColumn:
    """Each number once, in their order."""
    return NumberColumn(sorted({*values}))


def flatnonzero(values: NumberColumn) -> NumberColumn:
    """The places where something is true."""
    return NumberColumn(compress(range(len(values)), values.values))


def sort(values: NumberColumn) -> NumberColumn:
    """The numbers in their order, nan last."""
    return NumberColumn(sorted(values, key=lambda value: (value != value, value)))


def diff(values: NumberColumn) -> NumberColumn:
    """Each number less the one before."""
    return NumberColumn(after - before for before, after in pairwise(values))
