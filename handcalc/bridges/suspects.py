"""What may explain that a framework's step differs: a `Cause`, and a `Suspect`, a cause to try on the whole trace.

- `ratio_of(difference)` is the framework's number over ours; `times(factor)` a change of all gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from handcalc.bridges.working import Change, Difference, Gradients, Working
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.problem.schema import Problem


class Cause(Record):
    """What explains a difference: a word for programs, a sentence for people."""

    slug: str
    message: Message


class Suspect(Record):
    """A cause to try: the problem as it would be, or what would happen to the gradients."""

    cause: Cause
    problem: Problem
    change: Change = Change()


Look = Callable[[Working, Difference], Iterator[Suspect]]


def ratio_of(first: Difference) -> float:
    """The framework's number over ours; 0 where there is none."""
    return first.found / first.expected if first.found is not None and first.expected else 0.0


def times(factor: float) -> Callable[[Gradients, Gradients], Gradients]:
    """Every gradient so many times what it is."""
    return lambda own, before: {cell: factor * value for cell, value in own.items()}
