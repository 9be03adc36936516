"""Initial values drawn at random with a seed: `{random: xavier, seed: 1}`; the same numbers on every machine.

- `drawn(item, count, stream, inputs, neurons)` is the `Drawn` array of such a mapping: `floats(seed)`, `numbers(seed)` as if they were
  typed, `given()` those of the seed that is there.

Every array has a stream of its own, that of Python's generator seeded with a text such as "1 W2": seed 1, weights of layer 2. Its
`random()` is the same in all versions of Python. A normal number is √(−2 ln u)·cos(2πv) of two of them (Box and Muller, 1958).
Numbers are rounded to `DIGITS` significant digits, which hides the last bits in which logarithms differ between machines. They are
given numbers like those that are typed: printed with all their digits, whatever results are rounded to.

The rules are in problem/words.py.
"""

from __future__ import annotations

import math

from handcalc.core import formula
from handcalc.core.expr import ONE, Number, number
from handcalc.core.instance import evaluate
from handcalc.core.record import Record
from handcalc.problem.fields import RANDOM
from handcalc.problem.reader import FileNode
from handcalc.problem.spellings import of
from handcalc.problem.values import read_entries
from handcalc.problem.words import INITIAL

DIGITS = 6
FARTHEST = {"even": 1, "normal": 9}  # no number that is drawn is larger: √(2·53·ln 2) is 8.6


class Drawn(Record):
    """An array that is drawn: its name, how its numbers are spread, how wide and how many; the seed and where that stands in the text."""

    name: str
    spread: str
    width: float
    count: int
    seed: int
    start: int
    end: int

    def floats(self, seed: int) -> list[float]:
        """The numbers of a seed."""
        return [float(f"{self.width * one:.{DIGITS}g}") for one in _numbers(self.spread, self.count, f"{seed} {self.name}")]

    def numbers(self, seed: int) -> list[Number]:
        """The same as if they were typed: plain decimals."""
        from decimal import Decimal

        return [number(format(Decimal(repr(value)), "f")) for value in self.floats(seed)]

    def given(self, item: FileNode) -> list[Number]:
        """Those of its own seed, which the file is told of."""
        found = self.numbers(self.seed)
        if item.source.numbers is not None:
            item.source.drawn |= {id(one): (self, place) for place, one in enumerate(found)}
        return found


def drawn(item: FileNode, count: int, stream: str, inputs: int, neurons: int) -> Drawn | None:
    """So many numbers; stream: the name of the array; None after an error."""
    part = read_entries(item, RANDOM["properties"])
    rule = part["random"].choice(INITIAL, of(INITIAL)) if "random" in part else None
    scale, seed = part.value("scale", None if "scale" in part else ONE), part.value("seed")
    if not item.within_limit(count, "drawn", "more than {limit} numbers to draw; put them into an NPZ file, or set {variable}"):
        return None
    if "seed" not in part:
        item.fail("the seed is missing: a whole number, with which everybody draws the same")
    if rule is None or scale is None or seed is None or not count:
        return None
    sizes = {"inputs": inputs, "neurons": neurons}
    wide = evaluate(formula.parse(INITIAL[rule].wide, formula.any_name), lambda name: float(sizes[name.quantity]))
    wide = wide * scale.numerator / scale.denominator
    mark = part["seed"].node
    found = Drawn(stream, INITIAL[rule].spread, wide, count, seed, mark.start_mark.index, mark.end_mark.index)
    if not math.isfinite(wide * FARTHEST[found.spread]):
        part.get("scale", item).fail("a number that is drawn is too large; give a smaller scale")
        return None
    return found


def _numbers(spread: str, count: int, seed: str) -> list[float]:
    """Normal numbers with a standard deviation of 1, or even ones from −1 to 1."""
    from random import Random

    draw = Random(seed).random
    if spread == "even":
        return [2 * draw() - 1 for _ in range(count)]
    return [math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw()) for _ in range(count)]
