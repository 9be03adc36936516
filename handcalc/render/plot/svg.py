"""A plot as SVG: one self-contained element of 640 × 360, without scripts, style sheets or anything from outside.

- `svg(plot, reading, translate)` is its text.

Colours are those of looks.py.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from handcalc.core.quantity import cell
from handcalc.language import Translate
from handcalc.render.diagram.looks import INK, PAPER
from handcalc.render.diagram.svg import FONTS, letters, short
from handcalc.render.diagram.typesetting import Span, Spans, in_unicode, name_of, symbol_spans, width
from handcalc.render.formats.fonts import CHINESE, by_script, has_chinese
from handcalc.render.items import Name, spell
from handcalc.render.plot.levels import Line, Lines, Point
from handcalc.render.plot.looks import SHAPES, STYLES, TONES, Tone
from handcalc.render.plot.model import Area, Label, Marks, Named, Plot, Scale, Series, inside, named, tick, written
from handcalc.render.reading import Reading
from handcalc.render.typeset import xml_text

WIDTH, HEIGHT = 640.0, 360.0
SIZE, SMALL = 13.0, 11.0  # of letters; of the numbers beside level lines
EDGE = 14.0  # around everything
ROW = 20.0  # of the legend
SWATCH = 26.0  # of a name in the legend
GAP = 18.0  # between names
CHINESE_FONTS = ",".join(f"'{family}'" for family in list(CHINESE)[:8]) + ",serif"
GRID, FRAME = "#e2e2e2", "#9a9a9a"
FAR, CLEAR = 34.0, 16.0  # from a number beside a level line to the next one, and to other things


def svg(plot: Plot, reading: Reading, translate: Translate) -> str:
    """The plot as an <svg> element, on lines of its own."""
    return _PlotPicture(plot, in_unicode(reading), translate).text()


class _PlotPicture:
    """One plot being written."""

    def __init__(self, plot: Plot, reading: Reading, translate: Translate) -> None:
        self.plot = plot
        self.reading = reading
        self.translate = translate
        self.left = EDGE + SIZE + 14 + self.widest(plot.up)
        self.right = WIDTH - EDGE - (SIZE + 14 + self.widest(plot.right) if plot.right else 6)
        self.legend = list(self.rows())
        self.top = EDGE + len(self.legend) * ROW
        self.bottom = HEIGHT - EDGE - 2 * SIZE - 14
        self.map = bool(plot.areas) or any(series.style == "level" for series in plot.series)

    def text(self) -> str:
        """Areas, axes, lines, marks, numbers beside level lines, legend."""
        title = spell(self.plot.title, self.reading, self.translate)
        header = self.reading.derivation.header.title
        title = xml_text(f"{title}: {header}" if header else title)
        size = f'viewBox="0 0 {short(WIDTH)} {short(HEIGHT)}" width="{short(WIDTH)}" height="{short(HEIGHT)}"'
        parts = [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="handcalc-plot" role="img" aria-label="{title}" {size}'
            f' font-family="{FONTS}" font-size="{short(SIZE)}" fill="{INK}">',
            f"<title>{title}</title>",
            f'<rect class="paper" width="{short(WIDTH)}" height="{short(HEIGHT)}" fill="{PAPER}"/>',
            *map(self.area, self.plot.areas),
            *self.axes(),
            *map(self.series, self.plot.series),
            *self.numbers(),
            *map(self.marks, self.plot.marks),
            *(part for place, row in enumerate(self.legend) for part in self.names(row, EDGE + place * ROW)),
            "</svg>",
        ]
        return "\n".join(filter(None, parts)) + "\n"

    # --- places ---

    def point(self, x: float, y: float) -> Point:
        """A place between the axes, from the shares of both."""
        return self.left + x * (self.right - self.left), self.bottom - y * (self.bottom - self.top)

    def parts(self, line: Line, right: bool = False) -> list[list[Point]]:
        """The parts of a line that are inside, as places."""
        up = self.plot.right if right and self.plot.right else self.plot.up
        return [[self.point(*place) for place in part] for part in inside(line, self.plot.across, up)]

    def path(self, lines: Lines, right: bool = False) -> str:
        """Lines as the commands of a path; of points that fall together, one."""
        found = ""
        for part in (part for line in lines for part in self.parts(line, right)):
            spelled = [f"{short(x)} {short(y)}" for x, y in part]
            kept = [one for place, one in enumerate(spelled) if place == 0 or one != spelled[place - 1]]
            found += "M" + "L".join(kept) + "h0" * (len(kept) == 1)
        return found

    # --- what is between the axes ---

    def area(self, area: Area) -> str:
        path = self.path(area.outline)
        return f'<path class="area tone{area.tone}" d="{path}" fill="{_tone(area.tone).paper}" fill-rule="evenodd"/>' if path else ""

    def series(self, series: Series) -> str:
        path = self.path(series.lines, series.right)
        return f'<path class="series {series.style}" d="{path}" {_stroke(series.style)}/>' if path else ""

    def marks(self, marks: Marks) -> str:
        """Marks that are inside; of those that fall together, one."""
        places = [part[0] for one in marks.points for part in self.parts((one,))]
        found = dict.fromkeys(f"M{short(x)} {short(y)}" for x, y in places)
        path = "".join(place + SHAPES[marks.shape].path for place in found)
        return f'<path class="marks {marks.shape}" d="{path}" {_ink(marks)}/>' if path else ""

    def numbers(self) -> Iterator[str]:
        """The numbers beside level lines, far from each other and from marks; where there is no such place, none."""
        taken = [(part[0], CLEAR) for marks in self.plot.marks for one in marks.points for part in self.parts((one,))]
        for series in self.plot.series:
            found = [place for line in series.lines for part in self.parts(line) for place in part if self.is_clear(place)]
            if not series.label or not found:
                continue
            best = max(found, key=lambda place: min((math.dist(place, other) - apart for other, apart in taken), default=0.0))
            if all(math.dist(best, other) >= apart for other, apart in taken):
                taken.append((best, FAR))
                spans, (x, y) = self.spans(series.label), best
                wide = width(spans) * SMALL + 2
                corner = f'x="{short(x - wide / 2)}" y="{short(y - SMALL / 2)}"'
                yield f'<rect {corner} width="{short(wide)}" height="{short(SMALL)}" fill="{PAPER}"/>'
                yield self.words(spans, x, y + 0.32 * SMALL, "middle", 'class="label"', SMALL)

    def is_clear(self, place: Point) -> bool:
        """Whether a number at a place would not stand over an axis."""
        x, y = place
        return self.left + CLEAR < x < self.right - CLEAR and self.top + SMALL < y < self.bottom - SMALL

    # --- axes ---

    def axes(self) -> Iterator[str]:
        """Numbers with their lines, the frame, and what the axes are."""
        plot, middle = self.plot, (self.top + self.bottom) / 2
        for x, text in self.ticks(plot.across):
            place = self.point(x, 0)[0]
            yield self.tick(f"M{short(place)} {short(self.bottom)}", f"v-{short(self.bottom - self.top)}", "v4")
            yield self.words(text, place, self.bottom + SIZE + 5, "middle", 'class="tick across"')
        for y, text in self.ticks(plot.up):
            place = self.point(0, y)[1]
            yield self.tick(f"M{short(self.left)} {short(place)}", f"h{short(self.right - self.left)}", "h-4")
            yield self.words(text, self.left - 8, place + 0.32 * SIZE, "end", 'class="tick up"')
        for y, text in self.ticks(plot.right) if plot.right else ():
            place = self.point(0, y)[1]
            yield f'<path d="M{short(self.right)} {short(place)}h4" stroke="{FRAME}"/>'
            yield self.words(text, self.right + 8, place + 0.32 * SIZE, "start", 'class="tick right"')
        corner = f'x="{short(self.left)}" y="{short(self.top)}"'
        size = f'width="{short(self.right - self.left)}" height="{short(self.bottom - self.top)}"'
        yield f'<rect class="frame" {corner} {size} fill="none" stroke="{FRAME}"/>'
        yield self.words(self.spans(plot.across.label), (self.left + self.right) / 2, HEIGHT - EDGE, "middle", 'class="axis"')
        for axis, x in ((plot.up, EDGE + 0.7 * SIZE), (plot.right, WIDTH - EDGE)):
            if axis:
                turn = f'class="axis" transform="rotate(-90 {short(x)} {short(middle)})"'
                yield self.words(self.spans(axis.label), x, middle, "middle", turn)

    def tick(self, start: str, through: str, out: str) -> str:
        """A line through the picture, or a short one where lines have a meaning of their own."""
        return f'<path d="{start}{out}" stroke="{FRAME}"/>' if self.map else f'<path class="grid" d="{start}{through}" stroke="{GRID}"/>'

    def ticks(self, axis: Scale) -> list[tuple[float, Spans]]:
        return [(axis.share(number), (Span(tick(shown, self.reading)),)) for number, shown in axis.ticks()]

    def widest(self, axis: Scale | None) -> float:
        return max((width(text) * SIZE for _, text in self.ticks(axis)), default=0.0) if axis else 0.0

    # --- words ---

    def spans(self, label: Label) -> Spans:
        """Items as letters with their indices."""
        found: list[Span] = []
        for item in label:
            if isinstance(item, Name):
                found += symbol_spans(name_of(cell(item.reference), self.reading, not item.bare))
            else:
                text = written(item, spell(item, self.reading, self.translate))
                found.append(Span(text, len(text) == 1 and text.isascii() and text.isalpha()))
        return tuple(span.replace(text=part) for span in found for part in by_script(span.text))

    def words(self, spans: Spans, x: float, y: float, anchor: str, style: str, size: float = SIZE) -> str:
        own = "" if size == SIZE else f' font-size="{short(size)}"'
        return f'<text {style} x="{short(x)}" y="{short(y)}" text-anchor="{anchor}"{own}>{letters(spans, size, _font)}</text>'

    # --- legend ---

    def rows(self) -> Iterator[list[tuple[Named, Spans]]]:
        """The rows of the legend: what has the same name is drawn over each other."""
        row: list[tuple[Named, Spans]] = []
        used = 0.0
        for things, label in named(self.plot):
            spans = self.spans(label)
            wide = width(spans) * SIZE + GAP + (SWATCH if things else 0)
            if row and used + wide > WIDTH - self.left - EDGE:
                yield row
                row, used = [], 0.0
            row.append((things, spans))
            used += wide
        if row:
            yield row

    def names(self, row: list[tuple[Named, Spans]], top: float) -> Iterator[str]:
        """A row of the legend."""
        x, y = self.left, top + ROW / 2 - 3
        for things, spans in row:
            for thing in things:
                if isinstance(thing, Area):
                    box = f'x="{short(x)}" y="{short(y - 7)}" width="20" height="14"'
                    yield f'<rect {box} fill="{_tone(thing.tone).paper}" stroke="{FRAME}" stroke-width="0.6"/>'
                elif isinstance(thing, Series):
                    yield f'<path d="M{short(x)} {short(y)}h20" {_stroke(thing.style)}/>'
                else:
                    yield f'<path d="M{short(x + 10)} {short(y)}{SHAPES[thing.shape].path}" {_ink(thing)}/>'
            x += SWATCH if things else 0
            yield self.words(spans, x, y + 0.32 * SIZE, "start", 'class="legend"')
            x += width(spans) * SIZE + GAP


def _font(span: Span) -> dict[str, str]:
    """Chinese letters have a font of their own, wherever they stand."""
    return {"font-family": CHINESE_FONTS} if has_chinese(span.text) else {}


def _stroke(style: str) -> str:
    look = STYLES[style]
    dashed = f' stroke-dasharray="{look.dashes}"' if look.dashes else ""
    return f'fill="none" stroke="{look.colour}" stroke-width="{short(look.width)}" stroke-linejoin="round" stroke-linecap="round"{dashed}'


def _tone(tone: int) -> Tone:
    return TONES[tone % len(TONES)]


def _ink(marks: Marks) -> str:
    """How marks are drawn: places of a path in its colour, its start hollow."""
    path = STYLES["path"].colour
    if marks.shape == "dot":
        return f'fill="{path}"'
    if marks.shape in ("start", "end"):
        return f'fill="{PAPER if marks.shape == "start" else path}" stroke="{path}" stroke-width="1.8"'
    ink = _tone(marks.tone).ink
    filled = SHAPES[marks.shape].filled
    return f'fill="{PAPER if filled else "none"}" stroke="{ink}" stroke-width="1.8" stroke-linecap="round"'
