"""How plots look: lines, marks and areas, as pictures and in letters.

- `STYLES` of lines and `SHAPES` of marks are tables, name → record; `TONES` are those of areas and of classes, in their order.

To add a style, a shape or a tone, add its record. Shades differ in lightness, so that they can be told apart in grey as well.
"""

from __future__ import annotations

from handcalc.core.record import Record


class LineStyle(Record):
    """doc: what it is for; colour, width and dashes as SVG has them; letter: in ASCII, none where marks are enough; dotted: dashed
    where lines are dots."""

    name: str
    doc: str
    colour: str
    width: float
    dashes: str = ""
    letter: str = ""
    dotted: bool = False


class MarkShape(Record):
    """doc: what it is for; path: from its middle, as SVG has it; letter: on a terminal; filled: with its colour; of_class: it may stand
    for a class of samples."""

    name: str
    doc: str
    path: str
    letter: str
    filled: bool = True
    of_class: bool = False


class Tone(Record):
    """The paper of an area and the ink of its marks; its shade on a terminal, and in ASCII."""

    paper: str
    ink: str
    shade: str
    ascii: str


STYLES = {
    style.name: style
    for style in (
        LineStyle("first", "a curve", "#1f5fa8", 2.0, letter="*"),
        LineStyle("second", "another curve beside it", "#b5541c", 2.0, "6 3", letter=".", dotted=True),
        LineStyle("level", "lines of equal height, each with its number", "#8fa6bd", 1.0, letter="."),
        LineStyle("boundary", "where one class ends and another begins", "#333333", 1.6, letter="#"),
        LineStyle("path", "the way from place to place", "#b3261e", 1.3),
        LineStyle("guide", "a place on an axis", "#777777", 1.2, "3 3", letter=":", dotted=True),
    )
}
SHAPES = {
    shape.name: shape
    for shape in (
        MarkShape("circle", "a class", "m-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "o", of_class=True),
        MarkShape("cross", "a class", "m-3.6 -3.6l7.2 7.2m0 -7.2l-7.2 7.2", "x", filled=False, of_class=True),
        MarkShape("triangle", "a class", "m0 -4.6l4.4 7.6h-8.8z", "^", of_class=True),
        MarkShape("square", "a class", "m-3.6 -3.6h7.2v7.2h-7.2z", "#", of_class=True),
        MarkShape("diamond", "a class", "m0 -5l4.4 5l-4.4 5l-4.4 -5z", "v", of_class=True),
        MarkShape("plus", "a class", "m-4.6 0h9.2m-4.6 -4.6v9.2", "+", filled=False, of_class=True),
        MarkShape("dot", "places on a path", "m-1.7 0a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0 -3.4 0z", "o"),
        MarkShape("start", "where a path begins", "m-5 0a5 5 0 1 0 10 0a5 5 0 1 0 -10 0z", "S"),
        MarkShape("end", "where it ends", "m-5 -5h10v10h-10z", "E"),
    )
}
CLASSES = tuple(shape.name for shape in SHAPES.values() if shape.of_class)  # in the order of classes
TONES = (
    Tone("#faf6ea", "#8a5a00", shade=" ", ascii=" "),
    Tone("#c9def2", "#124a86", shade="░", ascii="."),
    Tone("#eab98f", "#7a2c00", shade="▒", ascii=":"),
    Tone("#8fbf86", "#123f16", shade="·", ascii="-"),
    Tone("#d9c2ea", "#5c2c7d", shade="╱", ascii="/"),
    Tone("#b9b9b9", "#222222", shade="╲", ascii="\\"),
)
