"""A plot in letters, for terminals: lines of braille dots, or of ASCII letters; areas as shades; marks as letters.

- `drawing(plot, reading, translate, width)` are its lines. Where the plot has a second axis upwards, what belongs to it is a
  second drawing below the first.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.errors import Message
from handcalc.language import Translate, wrapped
from handcalc.render.dialects import spelled_in_ascii
from handcalc.render.formats.styled import cell_len
from handcalc.render.items import spell
from handcalc.render.plot.levels import Point
from handcalc.render.plot.looks import SHAPES, STYLES, TONES
from handcalc.render.plot.model import Area, Label, Marks, Named, Plot, Series, inside, named, tick, written
from handcalc.render.reading import Reading

LEVELS = "abcdefghijklmnpqrstuvw"  # of level lines in ASCII, each its own
BETWEEN = 2.5  # rows from number to number, about
SEVERAL = "&"  # marks of several kinds in one place

DASH = 4  # dots of a dash
_WHOLE, _DASHED = "⠒⠒⠒", "⠒ ⠒"  # lines in the legend

_BLANK = 0x2800  # the braille letter without dots
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))  # row → left and right dot


def drawing(plot: Plot, reading: Reading, translate: Translate, width: int) -> list[str]:
    """The lines of a plot, at most `width` columns."""
    return list(_PlotLettering(plot, reading, translate, width).lines())


class _PlotLettering:
    """One plot being written."""

    def __init__(self, plot: Plot, reading: Reading, translate: Translate, width: int) -> None:
        self.plot = plot
        self.reading = reading
        self.translate = translate
        self.width = width
        self.ascii = reading.dialect.ascii

    def lines(self) -> Iterator[str]:
        """The drawing, or both; what has a name."""
        plot = self.plot
        panels = [plot.replace(series=tuple(series for series in plot.series if not series.right), right=None)]
        if plot.right:
            second = tuple(series.replace(style="first") for series in plot.series if series.right)
            panels.append(Plot(plot.title, plot.across, plot.right, second, rows=plot.rows - 2))
        margin = max((len(text) for panel in panels for _, text in self.ticks(panel)), default=0) + 1
        drawn = [_Panel(self, panel, margin) for panel in panels]
        for panel in drawn:
            yield from panel.lines()
        several = any(SEVERAL in panel.marked.values() for panel in drawn)
        yield from self.legend(several) if len(panels) == 1 else ()

    def ticks(self, panel: Plot) -> list[tuple[float, str]]:
        """The numbers beside the axis upwards, as many as there is room for."""
        return [(number, tick(shown, self.reading)) for number, shown in panel.up.ticks(int(panel.rows / BETWEEN))]

    def text(self, label: Label) -> str:
        """Items as one text."""
        text = "".join(written(item, spell(item, self.reading, self.translate)) for item in label)
        return spelled_in_ascii(text) if self.ascii else text

    def legend(self, several: bool) -> Iterator[str]:
        """Names with what they look like, as many in a line as there is room for."""
        names = [f"{self.sign(things)} {self.text(label)}{self.levels(things)}".strip() for things, label in named(self.plot)]
        names += [f"{SEVERAL} {self.text((Message('several in one place'),))}"] if several else []
        line = ""
        for name in names:
            if line and cell_len(line) + 3 + cell_len(name) > self.width:
                yield from wrapped(line, self.width)
                line = ""
            line += ("   " if line else "") + name
        yield from wrapped(line, self.width) if line else ()

    def sign(self, things: Named) -> str:
        """What things look like: a letter, between the shades of the area with the same name."""
        letters = [self.letter(thing) for thing in things if not isinstance(thing, Area) and not self.lettered(thing)]
        shades = [self.shade(thing) for thing in things if isinstance(thing, Area)]
        shade = shades[0] if shades and shades[0] != " " else ""
        return f"{shade}{([shade, *filter(None, letters)])[-1]}{shade}"

    def levels(self, things: Named) -> str:
        """The numbers of all level lines, where their name stands for them; with their letters, if they have some."""
        if not any(isinstance(thing, Series) and thing.label for thing in things):
            return ""
        found = [series for series in self.plot.series if series.label]
        texts = [(self.letter(series) + " ") * self.lettered(series) + self.text(series.label) for series in found]
        return ": " + ", ".join(texts)

    def letter(self, thing: Series | Marks) -> str:
        if isinstance(thing, Marks):
            return SHAPES[thing.shape].letter
        if self.lettered(thing):
            return LEVELS[[series.label for series in self.plot.series if series.label].index(thing.label) % len(LEVELS)]
        style = STYLES[thing.style]
        return style.letter if self.ascii or not style.letter else _DASHED if style.dotted else _WHOLE

    def lettered(self, thing: Series | Marks) -> bool:
        """Whether a line has a letter of its own: in ASCII, level lines cannot be told apart otherwise."""
        return self.ascii and isinstance(thing, Series) and bool(thing.label)

    def shade(self, area: Area) -> str:
        tone = TONES[area.tone % len(TONES)]
        return tone.ascii if self.ascii else tone.shade


class _Panel:
    """What stands between two axes."""

    def __init__(self, whole: _PlotLettering, plot: Plot, margin: int) -> None:
        self.whole = whole
        self.plot = plot
        self.up = plot.up
        self.margin = margin
        self.columns, self.rows = max(whole.width - margin - 1, 8), plot.rows
        self.across, self.down = (1, 1) if whole.ascii else (2, 4)  # dots in a letter
        self.letters: dict[tuple[int, int], str] = {}  # by row and column
        self.marked: dict[tuple[int, int], str] = {}
        self.dots: dict[tuple[int, int], int] = {}
        self.shades: dict[tuple[int, int], str] = {}

    def lines(self) -> Iterator[str]:
        """What the axis upwards is; the rows with their numbers; the other axis."""
        plot, plain = self.plot, self.whole.ascii
        for area in plot.areas:
            self.fill(area)
        for series in plot.series:
            self.draw(series)
        for marks in plot.marks:
            self.put(marks)
        numbers = {self.cell(0, self.up.share(number))[0]: text for number, text in self.whole.ticks(plot)}
        if self.up.label:
            yield self.whole.text(self.up.label)
        for row in range(self.rows):
            side = ("+" if plain else "┤") if row in numbers else "|" if plain else "│"
            inside = "".join(self.letter(row, column) for column in range(self.columns))
            yield (numbers.get(row, "").rjust(self.margin) + side + inside).rstrip()
        yield from self.foot()

    def foot(self) -> Iterator[str]:
        """The axis to the right, its numbers, and what it is."""
        plain, start = self.whole.ascii, self.margin + 1
        line, numbers = ["-" if plain else "─"] * self.columns, ""
        for number, shown in self.plot.across.ticks():
            _, column = self.cell(self.plot.across.share(number), 0)
            text = tick(shown, self.whole.reading)
            begin = min(start + column - len(text) // 2, start + self.columns - len(text))
            if not numbers or begin > len(numbers):
                numbers = numbers.ljust(begin) + text
                line[column] = "+" if plain else "┬"
        yield " " * self.margin + ("+" if plain else "└") + "".join(line)
        yield numbers
        label = self.whole.text(self.plot.across.label)
        if label:
            yield " " * (start + max((self.columns - cell_len(label)) // 2, 0)) + label

    def letter(self, row: int, column: int) -> str:
        """What stands in a place: a letter, before dots, before a shade."""
        dots = self.dots.get((row, column), 0)
        return self.letters.get((row, column)) or (chr(_BLANK + dots) if dots else self.shades.get((row, column), " "))

    # --- places ---

    def dot(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the dot at a place, from the shares of both axes."""
        return round((1 - y) * (self.rows * self.down - 1)), round(x * (self.columns * self.across - 1))

    def cell(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the letter at a place."""
        row, column = self.dot(x, y)
        return row // self.down, column // self.across

    # --- what is drawn ---

    def fill(self, area: Area) -> None:
        """The shade where the field is 0 or more in the middle of a letter."""
        shade = self.whole.shade(area)
        for row in range(self.rows):
            y = self.up.at(1 - (row + 0.5) / self.rows)
            for column in range(self.columns):
                if area.field.at(self.plot.across.at((column + 0.5) / self.columns), y) >= 0:
                    self.shades[row, column] = shade

    def draw(self, series: Series) -> None:
        """Dots along lines; in ASCII, letters where there are no marks of the same name."""
        letter, dashed = self.whole.letter(series), STYLES[series.style].dotted
        if not letter or self.whole.ascii and any(marks.name == series.name for marks in self.plot.marks):
            return
        for part in (part for line in series.lines for part in inside(line, self.plot.across, self.up)):
            for count, (row, column) in enumerate(self.along(part)):
                if self.whole.ascii:
                    self.letters.setdefault((row, column), letter)
                elif not (dashed and count // DASH % 2):
                    place = row // self.down, column // self.across
                    self.dots[place] = self.dots.get(place, 0) | _DOTS[row % self.down][column % self.across]

    def along(self, part: list[Point]) -> Iterator[tuple[int, int]]:
        """The dots of a line, each next to the one before."""
        row, column = self.dot(*part[0])
        yield row, column
        for end_row, end_column in (self.dot(*place) for place in part[1:]):
            count = max(abs(end_row - row), abs(end_column - column))
            for step in range(1, count + 1):
                yield row + round((end_row - row) * step / count), column + round((end_column - column) * step / count)
            row, column = end_row, end_column

    def put(self, marks: Marks) -> None:
        """Letters; where marks of other kinds are already, that for several, but for the ends of a path."""
        letter = SHAPES[marks.shape].letter
        for part in (part for one in marks.points for part in inside((one,), self.plot.across, self.up)):
            place = self.cell(*part[0])
            others = self.marked.get(place, letter) != letter and marks.shape not in ("start", "end")
            self.letters[place] = self.marked[place] = SEVERAL if others else letter
