"""Plots as data, as SVG and as letters: axes and their numbers, level lines and areas, marks in their places."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as some
from oracles import law
from rich.cells import cell_len

from handcalc.deriving import derive
from handcalc.errors import Message
from handcalc.loading.loader import load
from handcalc.render import read
from handcalc.render.blocks import Plain
from handcalc.render.dialects import PLAIN, UNICODE
from handcalc.render.plot.letters import drawing
from handcalc.render.plot.levels import HeightMap, Point, grid, level_lines, outline
from handcalc.render.plot.looks import CLASSES, SHAPES, STYLES, TONES
from handcalc.render.plot.model import Area, Marks, Plot, Scale, Series, fitted, inside, powers, round_numbers, tick
from handcalc.render.plot.svg import svg
from handcalc.render.reading import Reading

READING = read(derive(load("mazur-2-2-2")))
ASCII = read(derive(load("mazur-2-2-2")), dialect=PLAIN)
SVG = "{http://www.w3.org/2000/svg}"


def axis(low: float, high: float, name: str = "x", logarithmic: bool = False) -> Scale:
    return Scale((Plain(name),), low, high, logarithmic)


def plot(*series: Series, across: Scale | None = None, up: Scale | None = None, **fields: object) -> Plot:
    return Plot(Message("loss"), across or axis(0, 10), up or axis(0, 5, "y"), tuple(series), **fields)


def curve(*points: Point, style: str = "first", name: str = "") -> Series:
    return Series((points,), style, (Plain(name),) if name else ())


# --- axes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0, 10, [0, 2, 4, 6, 8, 10]),
        (-0.12, 0.31, [-0.1, 0, 0.1, 0.2, 0.3]),
        (0.298371, 0.298379, [0.298372, 0.298374, 0.298376, 0.298378]),
        (3e-15, 8e-15, [3e-15, 4e-15, 5e-15, 6e-15, 7e-15, 8e-15]),
        (-7e8, 1.2e9, [-5e8, 0, 5e8, 1e9]),
    ],
)
def test_round_numbers(low: float, high: float, numbers: list[float]) -> None:
    assert round_numbers(low, high) == numbers


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.5, 2000, [1, 10, 100, 1000]),
        (1e-13, 1e-1, [1e-12, 1e-10, 1e-8, 1e-6, 1e-4, 1e-2]),
        (0.15, 3, [0.2, 0.5, 1, 2]),
        (1e-300, 1e300, [1e-300, 1e-200, 1e-100, 1, 1e100, 1e200, 1e300]),
    ],
)
def test_powers(low: float, high: float, numbers: list[float]) -> None:
    assert powers(low, high) == numbers


@pytest.mark.parametrize(
    ("low", "high", "logarithmic", "texts"),
    [
        (0, 1, False, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]),
        (0, 2.5e6, False, ["0.0", "0.5×10⁶", "1.0×10⁶", "1.5×10⁶", "2.0×10⁶", "2.5×10⁶"]),
        (1e-13, 1e-1, True, ["10⁻¹²", "10⁻¹⁰", "10⁻⁸", "10⁻⁶", "10⁻⁴", "0.01"]),
        (2e-7, 3e-6, True, ["2×10⁻⁷", "5×10⁻⁷", "10⁻⁶", "2×10⁻⁶"]),
        (0.31, 0.44, True, ["0.35", "0.40"]),
    ],
)
def test_numbers_of_an_axis(low: float, high: float, logarithmic: bool, texts: list[str]) -> None:
    assert [tick(shown, READING) for _, shown in axis(low, high, "x", logarithmic).ticks()] == texts


def test_numbers_with_a_decimal_comma() -> None:
    reading = read(READING.derivation, comma=True)
    assert [tick(shown, reading) for _, shown in axis(0, 1).ticks()][1] == "0,2"


FINITE = some.floats(-1e12, 1e12).filter(lambda number: number == 0 or abs(number) > 1e-9)


@law(200)
@given(low=FINITE, span=some.floats(1e-6, 1e9), logarithmic=some.booleans())
def test_every_axis_has_a_few_numbers_that_are_what_they_say(low: float, span: float, logarithmic: bool) -> None:
    high = low + span * max(abs(low), 1e-3)
    found = axis(abs(low) or 1, (abs(low) or 1) * (1 + span), "x", True) if logarithmic else axis(low, high)
    ticks = found.ticks()
    assert 2 <= len(ticks) <= 8
    assert [number for number, _ in ticks] == sorted({number for number, _ in ticks})
    assert len({shown.plain for _, shown in ticks}) == len(ticks)
    for number, shown in ticks:
        assert -1e-6 < found.share(number) < 1 + 1e-6
        assert shown.value == pytest.approx(number, rel=1e-6, abs=1e-9 * abs(high - low))


@pytest.mark.parametrize(
    ("numbers", "logarithmic"),
    [
        ([1, 50], False),
        ([1, 101], True),
        ([0, 1e6], False),
        ([-1, 1e6], False),
        ([1e-9, 1], True),
        ([0, 1e-5, 1], True),
        ([0, 4], False),
        ([], False),
    ],
)
def test_axes_are_logarithmic_where_numbers_span_much(numbers: list[float], logarithmic: bool) -> None:
    found = fitted((), numbers)
    assert found.logarithmic == logarithmic
    assert all(0 < found.share(number) < 1 for number in numbers if number or not logarithmic)


@pytest.mark.parametrize("numbers", [[3.0], [0.0], [-2.0, -2.0], [1, math.inf, math.nan]])
@pytest.mark.parametrize("logarithmic", [True, False])
def test_an_axis_for_one_number(numbers: list[float], logarithmic: bool) -> None:
    found = fitted((), numbers, logarithmic)
    assert found.low < numbers[0] < found.high and found.ticks()


def test_an_axis_through_all_floats() -> None:
    found = fitted((), [5e-324, 1e-300, 1, 1e300])
    assert found.logarithmic and 2 <= len(found.ticks()) <= 8
    assert 0 < found.share(1e-300) < found.share(1) < found.share(1e300) < 1


@law(50)
@given(share=some.floats(0, 1))
def test_places_and_numbers(share: float) -> None:
    for one in (axis(-3, 5), axis(1e-5, 1e3, "x", True)):
        assert one.share(one.at(share)) == pytest.approx(share, abs=1e-9)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ([(0, 0), (10, 5)], [[(0, 0), (1, 1)]]),
        ([(-10, 2.5), (20, 2.5)], [[(0, 0.5), (1, 0.5)]]),
        (
            [(2, 1), (4, 10), (6, 1)],
            [[(0.2, 0.2), (pytest.approx(0.2 + 0.2 * 4 / 9), 1)], [(pytest.approx(0.6 - 0.2 * 4 / 9), 1), (0.6, 0.2)]],
        ),
        ([(1, 1), (math.nan, 1), (3, 1), (4, 1)], [[(0.1, 0.2)], [(0.3, 0.2), (0.4, 0.2)]]),
        ([(11, 0), (12, 4)], []),
        ([(5, 5)], [[(0.5, 1)]]),
        ([], []),
    ],
)
def test_what_lies_between_the_axes(line: Sequence[Point], parts: list[list[Point]]) -> None:
    assert [list(part) for part in inside(tuple(line), axis(0, 10), axis(0, 5))] == parts


# --- level lines --------------------------------------------------------------------------------------------------------


def values(function: object) -> object:
    return lambda points: [function(x, y) for x, y in points]  # type: ignore[operator]


def enclosed(line: Sequence[Point]) -> float:
    """The area that a closed line goes round anticlockwise."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(line, line[1:])) / 2


FUNCTIONS = {
    "a bowl": lambda x, y: x * x + y * y,
    "a saddle": lambda x, y: x * y,
    "a wave": lambda x, y: math.sin(3 * x) * math.cos(2 * y),
    "a plane": lambda x, y: 0.3 * x - 0.7 * y + 0.1,
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("level", [-0.5, 0.0, 0.3, 1.2])
def test_level_lines_lie_on_the_level(name: str, level: float) -> None:
    function = FUNCTIONS[name]
    field = grid((-2, -1.5), (2, 1.5), 61, values(function))
    for exact, tolerance in ((None, 5e-3), (values(function), 1e-5)):
        lines = level_lines(field, level, exact)
        assert all(abs(function(x, y) - level) < tolerance for line in lines for x, y in line)
        for line in lines:
            assert line[0] == line[-1] or all(abs(x) == 2 or abs(y) == 1.5 for x, y in (line[0], line[-1])), "ends in the middle"


def test_a_circle() -> None:
    """x² + y² = 1 is one closed line around an area of π; the larger values are outside, at its left."""
    bowl = FUNCTIONS["a bowl"]
    (line,) = level_lines(grid((-2, -2), (2, 2), 81, values(bowl)), 1.0, values(bowl))
    assert line[0] == line[-1] and -enclosed(line) == pytest.approx(math.pi, rel=1e-2)
    outside = outline(grid((-2, -2), (2, 2), 81, values(lambda x, y: x * x + y * y - 1)))
    assert sum(map(enclosed, outside)) == pytest.approx(16 - math.pi, rel=1e-2) and max(map(len, outside)) < 300


def test_a_step_is_found_where_it_is() -> None:
    """Interpolated, a step lies in the middle between two places; the function itself says where it is."""
    step = values(lambda x, y: float(x + y > 0.123))
    field = grid((-1, -1), (1, 1), 21, step)
    assert max(abs(x + y - 0.123) for line in level_lines(field, 0.5) for x, y in line) > 0.01
    assert max(abs(x + y - 0.123) for line in level_lines(field, 0.5, step) for x, y in line) < 1e-6


def test_places_without_a_value_have_no_lines() -> None:
    field = grid((-2, -2), (2, 2), 41, values(lambda x, y: math.nan if x < 0 else y))
    assert all(x >= 0 for line in (*level_lines(field, 0.5), *outline(field)) for x, _ in line)
    assert level_lines(field, 9.0) == () and not math.isfinite(field.at(-1, 0)) and field.at(1, 0.31) == pytest.approx(0.31)
    assert math.isnan(field.at(3, 0)) and math.isnan(field.at(0, -2.1))


def is_inside(point: Point, lines: Sequence[Sequence[Point]]) -> bool:
    """Whether a point is inside closed lines, by the even-odd rule."""
    x, y = point
    crossings = 0
    for (x1, y1), (x2, y2) in (pair for line in lines for pair in zip(line, line[1:])):
        crossings += (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1)
    return crossings % 2 == 1


@law(150)
@given(rows=some.lists(some.lists(some.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 3.0]), min_size=4, max_size=4), min_size=4, max_size=4))
def test_an_outline_is_around_what_is_not_negative(rows: list[list[float]]) -> None:
    """On any grid: closed lines; every place beside a corner of the grid is inside where the corner is."""
    places = tuple(map(float, range(4)))
    field = HeightMap(places, places, tuple(map(tuple, rows)))
    lines = outline(field)
    assert all(line[0] == line[-1] for line in lines)
    for row in range(4):
        for column in range(4):
            beside = (column + (0.01 if column < 3 else -0.01), row + (0.02 if row < 3 else -0.02))
            if rows[row][column] != 0:
                assert is_inside(beside, lines) == (rows[row][column] > 0), (rows, column, row)


# --- SVG --------------------------------------------------------------------------------------------------------------


def parsed(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(text)


def paths(root: ElementTree.Element, name: str) -> list[str]:
    return [element.get("d", "") for element in root.iter(SVG + "path") if element.get("class", "") == name]


def starts(path: str) -> list[Point]:
    """Where the parts of a path begin."""
    return [(float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)", path)]


def frame(root: ElementTree.Element) -> tuple[float, float, float, float]:
    """Left, bottom, width and height of the box between the axes."""
    box = next(element for element in root.iter(SVG + "rect") if element.get("class") == "frame")
    left, top, wide, high = (float(box.get(name, "")) for name in ("x", "y", "width", "height"))
    return left, top + high, wide, high


def words(root: ElementTree.Element, name: str = "") -> list[str]:
    return ["".join(one.itertext()) for one in root.iter(SVG + "text") if one.get("class", "").startswith(name)]


def test_marks_stand_in_their_places() -> None:
    points = ((0.0, 0.0), (10.0, 5.0), (2.5, 1.0), (2.5, 1.0), (11.0, 1.0))
    root = parsed(svg(plot(marks=(Marks(points, "circle"),)), READING, str))
    left, bottom, wide, high = frame(root)
    (path,) = paths(root, "marks circle")
    places = [(0.0, 0.0), (1.0, 1.0), (0.25, 0.2)]  # each once, and none outside
    for found, (x, y) in zip(starts(path), places, strict=True):
        assert found == (pytest.approx(left + x * wide, abs=0.06), pytest.approx(bottom - y * high, abs=0.06))


def test_numbers_stand_beside_their_lines() -> None:
    root = parsed(svg(plot(curve((1, 1), (9, 4)), up=axis(1e-6, 1, "y", True)), READING, str))
    left, bottom, wide, _ = frame(root)
    ticks = [one for one in root.iter(SVG + "text") if one.get("class") == "tick across"]
    for one in ticks:
        assert float(one.get("x", "")) == pytest.approx(left + float("".join(one.itertext())) / 10 * wide, abs=0.06)
    assert words(root, "tick up") == ["10⁻⁶", "10⁻⁵", "10⁻⁴", "0.001", "0.01", "0.1", "1"]
    assert words(root, "axis") == ["x", "y"] and len(ticks) == 6


def test_two_axes_and_a_legend() -> None:
    both = plot(curve((0, 0), (10, 5), name="one"), Series((((0.0, 0.0), (10.0, 80.0)),), "second", (Plain("two"),), right=True))
    root = parsed(svg(both.replace(right=axis(0, 100, "z")), READING, str))
    assert words(root, "legend") == ["one", "two"] and words(root, "axis") == ["x", "y", "z"]
    assert words(root, "tick right") == ["0", "20", "40", "60", "80", "100"]
    left, bottom, wide, high = frame(root)
    (path,) = paths(root, "series second")
    end = path.split("L")[-1].split()
    assert [float(number) for number in end] == pytest.approx([left + wide, bottom - 0.8 * high], abs=0.11)


HOSTILE = "<b>&\"'</text><script>\x1b[31m\u202e" + "很长" * 40


@pytest.mark.parametrize("reading", [READING, ASCII], ids=["unicode", "plain"])
def test_names_are_text_only(reading: Reading) -> None:
    """A picture stays well formed and no name is wider than it; letters stay in 80 columns without control characters."""
    name = (Plain(HOSTILE),)
    field = grid((0, 0), (10, 5), 11, values(lambda x, y: x - 5))
    found = Plot(
        Message("loss"), Scale(name, 0, 10), Scale(name, 0, 5), (curve((0, 0), (9, 5), name=HOSTILE + "1"),),
        (Marks(((1.0, 1.0),), "cross", name),), (Area(field, outline(field), name, 1),), note=name,
    )  # fmt: skip
    text = svg(found, reading, str)
    root = parsed(text)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= {"svg", "title", "rect", "path", "text", "tspan"}
    assert len(words(root, "legend")) == 3 and all(len(one) <= 31 + 12 for one in words(root))
    assert "\x1b" not in text and "\u202e" not in text and "<script" not in text
    lines = drawing(found, reading, str, 80)
    assert max(map(cell_len, lines)) <= 80 and all(line.isprintable() for line in lines)


def test_chinese_letters_have_a_font_of_their_own() -> None:
    text = svg(plot(curve((0, 1), (1, 2), name="损失 loss")), READING, str)
    assert re.search(r"""<tspan font-family="'Noto Serif CJK SC'[^"]*">损失</tspan> loss""", text)
    assert "CJK SC',serif" not in svg(plot(curve((0, 1), (1, 2), name="loss")), READING, str).split("\n", 1)[1]


def test_a_picture_is_the_same_every_time() -> None:
    field = grid((0, 0), (10, 5), 31, values(FUNCTIONS["a wave"]))
    made = [plot(*(Series(level_lines(field, level), "level", label=(Plain(str(level)),)) for level in (-0.5, 0.2, 0.7))) for _ in range(2)]
    assert svg(made[0], READING, str) == svg(made[1], READING, str)
    assert {"-0.5", "0.2", "0.7"} >= {*words(parsed(svg(made[0], READING, str)), "label")} != set()


def test_everything_has_a_look_of_its_own() -> None:
    assert len({SHAPES[name].letter for name in CLASSES}) == len(CLASSES) == 6
    assert len({SHAPES[name].path for name in SHAPES}) == len(SHAPES)
    assert len({(style.colour, style.dashes) for style in STYLES.values()}) == len(STYLES)
    assert len({tone.shade for tone in TONES}) == len({tone.ascii for tone in TONES}) == len({tone.paper for tone in TONES}) == len(TONES)


def grey(colour: str) -> float:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_areas_can_be_told_apart_in_grey() -> None:
    shades = sorted(grey(tone.paper) for tone in TONES[:4])
    assert min(right - left for left, right in zip(shades, shades[1:])) > 8 and shades[0] > 150
    assert all(grey(tone.paper) - grey(tone.ink) > 90 for tone in TONES)


# --- letters ----------------------------------------------------------------------------------------------------------


def test_a_curve_in_letters() -> None:
    assert drawing(plot(curve((0, 5), (10, 0)), rows=6), ASCII, str, 30) == [
        "y",
        " 5+***",
        "  |   *****",
        "  |        ******",
        "  |              *****",
        "  |                   *****",
        " 0+                        ***",
        "  ++----+----+-----+----+----+",
        "   0    2    4     6    8   10",
        "                x",
    ]


def test_a_curve_in_dots() -> None:
    lines = drawing(plot(curve((0, 0), (10, 5))), READING, str, 80)
    dots = [line[4:] for line in lines if "│" in line or "┤" in line]
    assert all(set(line) <= {" ", *map(chr, range(0x2800, 0x2900))} for line in dots)
    begins = [len(line) - len(line.lstrip()) for line in dots]
    assert begins == sorted(begins, reverse=True) and max(map(len, lines)) <= 80


def test_one_point_is_drawn() -> None:
    only = plot(curve((5, 2.5)))
    assert sum("⠀" < letter <= "⣿" for letter in "".join(drawing(only, READING, str, 40))) == 1
    assert "h0" in paths(parsed(svg(only, READING, str)), "series first")[0]


@pytest.mark.parametrize("reading", [READING, ASCII], ids=["unicode", "plain"])
def test_areas_and_marks_in_letters(reading: Reading) -> None:
    field = grid((0, 0), (10, 5), 41, values(lambda x, y: x - 5))
    marks = (Marks(((1.0, 4.9), (9.0, 0.1)), "circle", (Plain("a"),)), Marks(((9.0, 0.1), (6.0, 2.4)), "cross", (Plain("b"),), 1))
    lines = drawing(plot(marks=marks, areas=(Area(field, outline(field), (Plain("b"),), 1),), rows=9), reading, str, 43)
    shade = "." if reading is ASCII else "░"
    assert max(map(len, lines)) <= 43
    for line in lines[1:10]:
        assert set(line[3:23]) <= {" ", "o"} and set(line[24:43]) <= {shade, "x", "&"}
    assert lines[1][7] == "o" and "x" in lines[5] and "&" in lines[9] and "several in one place" in lines[-1]
    assert lines[-1].startswith(f"{shade}x{shade} b   o a")


def test_a_second_axis_is_a_second_drawing() -> None:
    both = plot(curve((0, 0), (10, 5), name="one"), Series((((0.0, 90.0), (10.0, 10.0)),), "second", (Plain("two"),), right=True))
    lines = drawing(both.replace(right=axis(0, 100, "z")), READING, str, 60)
    assert lines.index("y") < lines.index("z") and "one" not in "".join(lines)
    upper, lower = (max(line for line in part if "⠀" < line[-1:] <= "⣿") for part in (lines[: lines.index("z")], lines[lines.index("z") :]))
    assert upper and lower


def test_dashes_tell_lines_apart() -> None:
    lines = drawing(plot(curve((0, 1), (10, 1), name="a"), curve((0, 4), (10, 4), style="second", name="b")), READING, str, 60)
    counts = [sum("⠀" < letter <= "⣿" for letter in line) for line in lines[:-1]]
    assert sorted(counts)[-1] > 1.5 * sorted(counts)[-2] > 0 and lines[-1] == "⠒⠒⠒ a   ⠒ ⠒ b"


def test_level_lines_have_letters_in_ascii() -> None:
    field = grid((0, 0), (10, 5), 31, values(lambda x, y: x))
    levels = tuple(
        Series(level_lines(field, float(level)), "level", (Plain("loss"),) * (level == 2), (Plain(str(level)),)) for level in (2, 5, 8)
    )
    lines = drawing(plot(*levels), ASCII, str, 60)
    assert lines[-1] == "loss: a 2, b 5, c 8"
    assert all(re.fullmatch(r"[ \d|+]+a +b +c", line) for line in lines[1:11])
    assert drawing(plot(*levels), READING, str, 60)[-1] == "⠒⠒⠒ loss: 2, 5, 8"


def test_dialects_decide() -> None:
    assert (READING.dialect, ASCII.dialect) == (UNICODE, PLAIN)
