"""A plot as data: two axes, and what stands between them. It holds items, never text; svg.py and letters.py write it.

- `Plot` is one drawing of `Series` (lines), `Marks` and `Area`s; what has a name is in the legend.
- `Scale` knows where a number stands and which numbers are printed (`ticks`); `fitted(label, numbers)` makes one.
- `inside(line, across, up)` are the parts of a line that both axes have room for.

Styles of lines, shapes of marks and tones of areas are those of looks.py.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from handcalc.core.record import Record
from handcalc.core.rounding import Shown
from handcalc.errors import Message, printable
from handcalc.render.plot.levels import HeightMap, Line, Lines, Point

if TYPE_CHECKING:
    from handcalc.render.items import Item
    from handcalc.render.reading import Reading

Label = tuple["Item", ...]  # spelled one after the other

LOGARITHMIC = 100  # highest over lowest, from which on an axis is logarithmic if nobody says
MARGIN = 0.04  # of an axis, beyond the numbers it must have room for
LONGEST = 30  # letters of a name
TICKS = 6  # intervals between ticks, at most


class Scale(Record):
    """What it is, and the numbers at its ends, low < high (positive where powers of ten are evenly spaced)."""

    label: Label
    low: float
    high: float
    logarithmic: bool = False

    def share(self, number: float) -> float:
        """Where a number stands: 0 at the low end, 1 at the high one; NaN where there is no such place."""
        if not self.logarithmic:
            return (number - self.low) / (self.high - self.low)
        low, high = math.log10(self.low), math.log10(self.high)
        return (math.log10(number) - low) / (high - low) if number > 0 else math.nan

    def at(self, share: float) -> float:
        """The number that stands there."""
        if not self.logarithmic:
            return self.low + share * (self.high - self.low)
        low, high = math.log10(self.low), math.log10(self.high)
        return math.pow(10.0, low + share * (high - low))

    def ticks(self, most: int = TICKS) -> list[tuple[float, Shown]]:
        """Round numbers along it, and how they are printed."""
        if not self.logarithmic:
            return _printed(round_numbers(self.low, self.high, most))
        found = powers(self.low, self.high, most)
        return [(number, _power(number)) for number in found] if len(found) > 1 else self.replace(logarithmic=False).ticks(most)


class Series(Record):
    """Lines of one style (of STYLES); name: in the legend; label: beside a line; right: along the axis at the right."""

    lines: Lines
    style: str = "first"
    name: Label = ()
    label: Label = ()
    right: bool = False


class Marks(Record):
    """Points of one shape (of SHAPES); tone: their colour, that of an area."""

    points: Line
    shape: str
    name: Label = ()
    tone: int = 0


class Area(Record):
    """Where a field is 0 or more; outline: around it; tone: its colour, a number from 0."""

    field: HeightMap
    outline: Lines
    name: Label = ()
    tone: int = 0


class Plot(Record):
    """title: what it shows; right: a second axis upwards; note: what else is to be said; rows: its height in letters."""

    title: Item
    across: Scale
    up: Scale
    series: tuple[Series, ...] = ()
    marks: tuple[Marks, ...] = ()
    areas: tuple[Area, ...] = ()
    right: Scale | None = None
    note: Label = ()
    rows: int = 10


Named = tuple[Area | Series | Marks, ...]


def named(plot: Plot) -> Iterator[tuple[Named, Label]]:
    """The legend: things with their name, those of one name together; at last the note, which belongs to nothing."""
    found: dict[Label, Named] = {}
    things: Named = (*plot.areas, *plot.series, *plot.marks)
    for thing in things:
        if thing.name:
            found[thing.name] = (*found.get(thing.name, ()), thing)
    yield from ((things, name) for name, things in found.items())
    if plot.note:
        yield (), plot.note


def written(item: Item, text: str) -> str:
    """The text of an item as it stands in a plot: names that users chose are not longer than there is room for."""
    text = printable(text)
    return text if isinstance(item, Message) or len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def tick(shown: Shown, reading: Reading) -> str:
    """A number beside an axis: a power of ten without its factor 1."""
    text = reading.digits(shown)
    return text.removeprefix("1×") if shown.exponent else text


# --- axes -------------------------------------------------------------------------------------------------------------


def fitted(label: Label, numbers: Iterable[float], logarithmic: bool | None = None, margin: float = MARGIN) -> Scale:
    """An axis with room for the numbers that are finite; logarithmic: where nobody says, if those above 0 span LOGARITHMIC and
    none is below. Such an axis has no room for 0."""
    known = [number for number in numbers if math.isfinite(number)]
    positive = [number for number in known if number > 0]
    if logarithmic is None:
        logarithmic = min(known, default=-1.0) >= 0 and bool(positive) and max(positive) > LOGARITHMIC * min(positive)
    if logarithmic and positive:
        ends = math.log10(min(positive)), math.log10(max(positive))
        room = margin * (ends[1] - ends[0]) or 0.5
        return Scale(label, max(math.pow(10.0, ends[0] - room), sys.float_info.min), math.pow(10.0, min(ends[1] + room, 308.0)), True)
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    room = margin * (high - low) if high > low else abs(low) / 2 or 1.0
    return Scale(label, low - room, high + room)


def round_numbers(low: float, high: float, most: int = TICKS) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten, with so many intervals at most."""
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if (high - low) / (power * factor) <= most)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [float(f"{number * step:.12g}") for number in range(first, last + 1)]


def powers(low: float, high: float, most: int = TICKS) -> list[float]:
    """Powers of ten from low to high, with round numbers as exponents if they are many; of a few, 2 and 5 times each as well."""
    if len(list(digits_and_powers(low, high, (1,)))) < 3:
        return list(digits_and_powers(low, high))
    exponents = round_numbers(math.log10(low), math.log10(high), most)
    return [float(f"1e{exponent:.0f}") for exponent in exponents if exponent == round(exponent)]


def digits_and_powers(low: float, high: float, digits: Sequence[float] = (1, 2, 5)) -> Iterator[float]:
    """Some digits times powers of ten, from low to high; both are positive."""
    for exponent in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1):
        for number in (float(f"{digit}e{exponent}") for digit in digits):
            if low * (1 - 1e-9) <= number <= high * (1 + 1e-9):
                yield number


def _printed(numbers: Sequence[float]) -> list[tuple[float, Shown]]:
    """Evenly spaced numbers with equally many decimals, and with a power of ten where they are very large or small."""
    exponent = math.floor(math.log10(max(map(abs, numbers), default=1.0) or 1.0) + 1e-9)
    exponent = 0 if -4 < exponent < 6 else exponent
    scaled = [number / 10.0**exponent + 0.0 for number in numbers]
    step = min((right - left for left, right in zip(scaled, scaled[1:])), default=1.0)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    return [(number, Shown(f"{share:.{decimals}f}", exponent if share else 0)) for number, share in zip(numbers, scaled)]


def _power(number: float) -> Shown:
    """1, 2 or 5 times a power of ten."""
    exponent = math.floor(math.log10(number) + 1e-9)
    if -4 < exponent < 5:
        return Shown(f"{number:.{max(0, -exponent)}f}")
    return Shown(f"{number / 10.0**exponent:.0f}", exponent)


# --- places -----------------------------------------------------------------------------------------------------------


def inside(line: Line, across: Scale, up: Scale) -> Iterator[list[Point]]:
    """The parts of a line that lie between the axes, as shares of both; a number without a place ends a part."""
    places = [(across.share(x), up.share(y)) for x, y in line]
    part: list[Point] = []
    for start, end in zip(places[:1] + places, places):
        kept = _clipped(start, end)
        if part and (kept is None or kept[0] != part[-1]):
            yield part
            part = []
        if kept is not None:
            part += kept if not part and kept[0] != kept[1] else kept[1:]
    if part:
        yield part


def _clipped(start: Point, end: Point) -> tuple[Point, Point] | None:
    """The part of a segment from (0, 0) to (1, 1), None where there is none (Liang and Barsky, 1984)."""
    if not all(map(math.isfinite, (*start, *end))):
        return None
    first, last = 0.0, 1.0
    for side in (0, 1):
        move = end[side] - start[side]
        for room, towards in ((start[side], -move), (1 - start[side], move)):
            if towards == 0:
                if room < 0:
                    return None
            elif towards > 0:
                last = min(last, room / towards)
            else:
                first = max(first, room / towards)
    if first > last:
        return None

    def along(share: float) -> Point:
        if share in (0.0, 1.0):
            return end if share else start
        return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])

    return along(first), along(last)
