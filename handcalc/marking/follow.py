"""A sheet worked along with the student's own numbers.

- `Typed numbers` come from answers.py; `Follow(definitions, hypothesis, answers, grain)` says for each answered cell which
  numbers its definition gives on the student's earlier answers (`expected`), and whether the answer is one (`accepts`).

What a step may use for an earlier answer: the number written down, or the unrounded one it came from, as far as that is
known; for a wrong number, anything that rounds to it. What no answer was asked for may have been rounded on the way.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from struct import pack, unpack
from sys import float_info

from handcalc.core.expr import Expr, Ref, Sum, references
from handcalc.core.instance import compute
from handcalc.core.quantity import Cell, cell
from handcalc.marking.bands import ANYTHING, BANDS, NOISE, Band, Grain, band
from handcalc.marking.definitions import NONE, Definitions, Hypothesis
from handcalc.marking.typed import Typed

SINGLE_MOST = 9  # and at most, where it is rounded
SINGLE_DIGITS = 7  # significant digits that a number in single precision has at least
SINGLE = 2.0**-22  # relative error of a few operations in single precision (IEEE 754 binary32: 2⁻²⁴ of one)
EXACT = 1e-9  # how near a fraction such as 3/8 has to be


def unit(typed: Typed) -> float:
    """The value of the last digit typed; of a fraction or a formula nearly nothing, but never 0."""
    return max(10.0**-typed.places if typed.places is not None else 2 * EXACT * (abs(typed.value) or NOISE), float_info.min)


def fits(value: float, typed: Typed, cut: bool = False) -> bool:
    """Whether a number, rounded to the digits typed (up or down at a tie), is the one typed; cut: or cut off there."""
    size = unit(typed)
    slack = NOISE * max(abs(value), abs(typed.value))
    if abs(value - typed.value) <= size / 2 + slack:
        return True
    return cut and 0 <= (value - typed.value) * (1 if value >= 0 else -1) < size * (1 - EXACT)


def is_single(value: float, typed: Typed) -> bool:
    """Whether a number is one worked in single precision: typed with at least seven digits, of which the last may be off."""
    printed = typed.significant <= SINGLE_MOST or _is_single_value(typed.value)
    return printed and shows_single(typed) and abs(value - typed.value) <= SINGLE * abs(value)


def _is_single_value(value: float) -> bool:
    """Whether single precision has this number exactly, as a program prints it that shows all its digits."""
    try:
        return bool(unpack("f", pack("f", value))[0] == value)
    except OverflowError:
        return False


def shows_single(typed: Typed) -> bool:
    """Whether a number has so many digits that single precision shows in them."""
    return typed.significant >= SINGLE_DIGITS


class Follow:
    """One sheet under one hypothesis.

    right: the same sheet without a mistake: an answer that follows from the numbers before it is one nobody made a mistake in;
    near: the cells in which mistakes are made, if not all.
    """

    def __init__(
        self,
        definitions: Definitions,
        answers: Mapping[Cell, Typed],
        grain: Grain,
        hypothesis: Hypothesis = NONE,
        right: Follow | None = None,
        near: frozenset[Cell] | None = None,
    ) -> None:
        self.definitions = definitions
        self.answers = answers
        self.grain = grain
        self.hypothesis = hypothesis
        self.right = right
        self.near = near
        self._own: dict[Cell, Band] = {}
        self._used: dict[Cell, Band] = {}

    def expected(self, wanted: Cell) -> Band:
        """What the definition of a cell gives on the student's earlier answers."""
        pending = [wanted]
        opened: set[Cell] = set()
        while pending:
            current = pending[-1]
            if current in self._own:
                pending.pop()
                continue
            if self.near is not None and self.right is not None and current not in self.near:
                self._own[current], self._used[current] = self.right.expected(current), self.right.used(current)
                continue
            expr = self.definitions.under(current, self.hypothesis.at(current))
            missing = [used for ref in references(expr) if (used := cell(ref)) not in self._own]
            if missing and current not in opened:
                opened.add(current)
                pending.extend(missing)
                continue
            pending.pop()  # what is missing still needs this cell: two mistakes that do not go together
            self._keep(current, ANYTHING if missing else self._value(current, expr))
        return self._own[wanted]

    def _value(self, current: Cell, expr: Expr) -> Band:
        """The band of a definition; the terms of a sum may have been rounded before they were added."""
        own = band(compute(expr, self._operand, BANDS))
        typed = self.answers.get(current)
        if not isinstance(expr, Sum) or (typed is not None and self._fits(own, typed)):
            return own
        terms = (self.grain.widened(band(compute(term, self._operand, BANDS))) for term in expr.terms)
        return own | sum(terms, Band(0.0, 0.0))

    def used(self, wanted: Cell) -> Band:
        """What later steps may use for a cell."""
        self.expected(wanted)
        return self._used[wanted]

    def _operand(self, ref: Ref) -> Band:
        return self._used[cell(ref)]

    def _keep(self, current: Cell, own: Band) -> None:
        self._own[current] = own
        typed = self.answers.get(current)
        if typed is None:
            given = self.definitions.book.given_value(current) is not None
            self._used[current] = own if given else self.grain.widened(own)
            return
        half = unit(typed) / 2
        around = Band(typed.value - half, typed.value + half)
        if self.grain.cut:
            around = around | band(typed.value + 2 * half * (1 if typed.value >= 0 else -1))
        if self._fits(own, typed):
            near = Band(around.low - unit(typed), around.high + unit(typed))  # it may be worked on with a number not the one written
            self._used[current] = band(typed.value) | (own & near) if own is not ANYTHING else around
        elif self.right is not None and self.right.accepts(current):
            self._used[current] = self.right._used[current]
        else:
            self._used[current] = around

    def accepts(self, wanted: Cell) -> bool:
        """Whether the answer to a cell is what its definition can give."""
        return self._fits(self.expected(wanted), self.answers[wanted])

    def _fits(self, own: Band, typed: Typed) -> bool:
        size = unit(typed)
        if own.width == inf:
            return False  # what can give any number explains none
        if own.has(typed.value, size / 2):
            return True
        return self.grain.cut and (fits(own.low, typed, True) or fits(own.high, typed, True))
