"""Targets that are classes: which one a sample belongs to, and how many samples a network classifies right.

- `classes_of(targets)` are the `Classes`, None where targets are other numbers.

Targets and outputs are rows of numbers; arrays of them are looked at as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from handcalc.core.record import Record

RANGES = ((0, 1), (-1, 1))  # no and yes


class Classes(Record):
    """Classes of samples: two for one output, below and above the middle of its two targets; else one for each output.

    low, high: the two numbers; targets: of every sample (sample, unit); each: the class of every sample, none where a sample
    may have several of the outputs.
    """

    low: float
    high: float
    targets: Any
    each: Sequence[int]

    @property
    def middle(self) -> float:
        """Where an output is neither."""
        return (self.low + self.high) / 2

    def of(self, row: Sequence[float]) -> int:
        """The class that outputs say, or targets: the largest of several, or the side of the middle; −1 where there is none."""
        if any(value != value for value in row):
            return -1
        return row.index(max(row)) if len(row) > 1 else int(row[0] > self.middle)

    def right(self, outputs: Sequence[Sequence[float]]) -> int:
        """How many samples are classified right; where they may have several outputs, with every output on its side."""
        if _is_array(outputs):
            return int(self._right_in(outputs).sum())
        if self.each:
            return sum(map(int.__eq__, map(self.of, outputs), self.each))
        return sum(self._sides(answer) == self._sides(target) for answer, target in zip(outputs, self.targets))

    def _right_in(self, outputs: Any) -> Any:
        """Of every sample of an array, whether it is classified right."""
        import numpy

        sides = outputs > self.middle
        if not self.each:
            same = sides == (numpy.asarray(self.targets) > self.middle)
        elif outputs.shape[1] > 1:
            same = (outputs.argmax(axis=1) == numpy.asarray(self.each))[:, None]
        else:
            same = sides == numpy.asarray(self.each)[:, None]
        return same.all(axis=1) & ~numpy.isnan(outputs).any(axis=1)

    def _sides(self, row: Sequence[float]) -> list[bool | None]:
        return [None if value != value else value > self.middle for value in row]


def classes_of(targets: Sequence[Sequence[float]]) -> Classes | None:
    """The classes of some samples: every target is one of two numbers of RANGES, and both occur."""
    if _is_array(targets):
        return _classes_in(targets)
    rows = tuple(tuple(map(float, row)) for row in targets)
    numbers = sorted({value for row in rows for value in row})
    if tuple(numbers) not in RANGES or len(rows) < 2:
        return None
    low, high = numbers
    found = Classes(low, high, rows, ())
    decided = len(rows[0]) == 1 or all(row.count(high) == 1 for row in rows)
    return found.replace(each=tuple(map(found.of, rows))) if decided else found


def _classes_in(targets: Any) -> Classes | None:
    """The classes of an array (sample, unit)."""
    import numpy

    low, high = targets.min(initial=numpy.inf), targets.max(initial=-numpy.inf)
    if (low, high) not in RANGES or len(targets) < 2 or not ((targets == low) | (targets == high)).all():
        return None
    found = Classes(float(low), float(high), targets, ())
    if targets.shape[1] == 1:
        return found.replace(each=(targets[:, 0] > found.middle).astype(int).tolist())
    decided = ((targets == high).sum(axis=1) == 1).all()
    return found.replace(each=targets.argmax(axis=1).tolist()) if decided else found


def _is_array(rows: Any) -> bool:
    return hasattr(rows, "ndim")
