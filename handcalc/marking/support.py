"""What lends support to an answer that is not right to its last digit: the digits of the sheet, or nothing.

- `Support(definitions, typed, declared)` knows the answers of a sheet as they were typed.
- `is_exact(cell)`: the right number, and what it is made from, have no more digits than were typed: then only it is right.
- `is_supported(cell)`: somebody declared a rounding, or the digits of the sheet show one; without that an answer that only rounding
  on the way could explain has too few digits at most, if it is near (`is_near`).
- `shows_rounding(cell)`: and there is no doubt about it; with less, as of two digits beside others of two, an answer has too few.
- `is_far(cell)`: the answer is so far from the right number that no rounding shows in it.
- `tells(cell)`: the answer says something of its number. 0 for one that is not 0 does not, nor the old value for a new one, if these
  digits show no difference; it is taken for rounded where others show that the sheet is (`is_telling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite

from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError
from handcalc.marking.definitions import Definitions
from handcalc.marking.follow import fits
from handcalc.marking.typed import Typed

SEVERAL = 3  # answers that show a rounding together, if all come out in it,
TOLD = 2  # and so many of them say something of their numbers
ENOUGH = 3  # significant digits with which a number shows by itself how it was rounded
NEAR = 0.75  # of the unit of its last digit
HABIT = 2  # significant digits of other numbers that show it
ALIKE = 2  # other answers with as many decimals that show it
FAR = 0.03  # of a right number, by which nobody is off who rounds on the way, if not all the sheet shows it
WHOLE = 1e-9  # how far from a whole number one may be


class Support:
    """The answers of a sheet as typed, and the rounding that was declared, if any."""

    def __init__(self, definitions: Definitions, typed: Mapping[Cell, Typed], declared: Rounding | None) -> None:
        self.definitions = definitions
        self.typed = typed
        self.declared = declared
        self.is_reproduced = False  # whether the whole sheet, of several answers, comes out in one rounding

    def is_exact(self, wanted: Cell) -> bool:
        """Whether the right number of a cell, and all that it is made from, end within the decimals typed."""
        typed = self.typed[wanted]
        places = typed.places
        if places is None or (self.declared is not None and self.declared.carry):
            return False
        if self.is_reproduced and places <= 0 and typed.above:  # among others that were rounded so, 1800 may have been 1750
            digits = str(abs(typed.above))
            places = len(digits.rstrip("0")) - len(digits)
        return all(self._ends(current, places) for current in self.definitions.between(wanted, self.typed))

    def _ends(self, current: Cell, places: int) -> bool:
        right = self.definitions.values
        try:
            scaled = float(right[current]) * 10.0**places
        except EvaluationError:
            return False
        return right.rational(current) and abs(scaled) < 1e15 and abs(scaled - round(scaled)) <= WHOLE

    def is_supported(self, wanted: Cell) -> bool:
        """Whether a rounding was declared, or the answer's own digits or those of another show one."""
        own = self.typed[wanted]
        if self.declared is not None or own.places is None or (own.places > 0 and own.significant >= ENOUGH):
            return True
        others = (typed for cell, typed in self.typed.items() if cell != wanted)
        return any(typed.places is not None and typed.places > 0 and typed.significant >= HABIT for typed in others)

    def shows_rounding(self, wanted: Cell) -> bool:
        """Whether it is certain how an answer was rounded: it was declared, the whole sheet comes out so, or its own digits say it."""
        own = self.typed[wanted]
        if self.declared is not None or self.is_reproduced or own.places is None:
            return True
        if own.places <= 0 or own.significant >= ENOUGH:
            return own.places > 0
        return sum(typed.places == own.places and typed.significant >= ENOUGH for typed in self.typed.values()) >= ALIKE

    def is_far(self, wanted: Cell) -> bool:
        """Whether an answer is so far off that a rounding on the way may explain it, but shows in nothing."""
        right = float(self.definitions.values[wanted])
        return not (self.declared or self.is_reproduced) and abs(self.typed[wanted].value - right) > FAR * abs(right)

    def tells(self, wanted: Cell) -> bool:
        """Whether an answer says something of its number: of one that is not 0, 0 does not, nor of a new one the old."""
        book, values, typed = self.definitions.book, self.definitions.values, self.typed[wanted]
        right, before = float(values[wanted]), book.before(wanted) if book.quantity(wanted).kind == "updated" else None
        if typed.significant >= ENOUGH:
            return True
        idle = 0.0 if typed.above == 0 else float(values[before]) if before is not None else None
        return idle is None or typed.value != idle or right == idle

    def is_telling(self, wanted: Cell) -> bool:
        """Whether an answer says something, or others show to how many digits it was rounded."""
        if self.declared is not None or self.tells(wanted):
            return True
        own = self.typed[wanted].places
        others = [self.typed[other] for other in self.typed if other != wanted and self.tells(other)]
        return any(own in (0, typed.places) and typed.significant >= HABIT for typed in others if typed.places)

    def is_last_digit(self, wanted: Cell, value: float) -> bool:
        """Whether an answer of several digits is a number but for one unit of the last of them."""
        typed = self.typed[wanted]
        if typed.places is None or typed.places <= 0 or typed.significant < ENOUGH or self.is_exact(wanted):
            return False
        return isfinite(value) and abs(typed.value - round(value, typed.places)) <= (1 + WHOLE) * 10.0**-typed.places

    def is_near(self, wanted: Cell, value: float) -> bool:
        """Whether an answer has the sign of a number, and is it, cut off or nearly rounded, at the digits typed."""
        typed = self.typed[wanted]
        if typed.places is None or typed.value * value < 0:
            return False
        if not typed.above:  # 0 among numbers of four decimals is 0.0000
            return abs(value) <= NEAR * 10.0 ** -max(other.places or 0 for other in self.typed.values())
        return abs(typed.value - value) <= NEAR * 10.0**-typed.places or (typed.value != 0 and fits(value, typed, True))
