"""Pictures of training and of numerical differentiation: decision boundaries, paths between level lines, errors against h,
tangent lines; in files and in the terminal."""

from __future__ import annotations

import math
import random
import sys
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from rich.cells import cell_len
from shipping import some
from test_plots import frame, parsed, paths, starts, words

from handcalc import load, loads
from handcalc.cli import main
from handcalc.deriving import derive
from handcalc.errors import OutputError, ProblemError, UnknownIdError
from handcalc.problem.schema import Problem
from handcalc.render import read
from handcalc.render.blocks import spell
from handcalc.render.plot import picture
from handcalc.render.plot.model import Plot, Series
from handcalc.render.reading import Reading
from handcalc.training import landscape
from handcalc.training import plots as trainplots
from handcalc.training import train as training
from handcalc.training import trainer as trainers
from handcalc.training.gradcheck.comparing import Differentiation, Tangent
from handcalc.training.gradcheck.plots import errors, tangent
from handcalc.training.landscape import check_inputs, path, regions, two_parameters, valley
from handcalc.training.network import Network
from handcalc.training.train import train_on
from handcalc.training.trainer import Trainer

POINTS = [(-1.0, 0.5), (2.0, 1.0), (0.5, -1.0), (1.5, 2.0)]


def network(layers: str, targets: Sequence[str], more: str = "", points: Sequence[Sequence[float]] = POINTS) -> Problem:
    samples = "".join(f"  - {{inputs: {list(point)}, targets: {target}}}\n" for point, target in zip(points, targets))
    return loads(f"samples:\n{samples}layers:\n{layers}\n{more or 'loss: squared_error'}\nlearning_rate: 0.1\n")


def neuron(activation: str = "sigmoid", more: str = "") -> Problem:
    """One neuron, above the middle where 2·x1 − x2 + 0.3 > 0."""
    targets = [f"[{int(2 * x - y + 0.3 > 0)}]" for x, y in POINTS]
    return network(f"  - {{neurons: 1, activation: {activation}, weights: [[2, -1]], bias: [0.3]}}", targets, more)


THREE = """  - {neurons: 3, activation: tanh, weights: [[1.5, -0.5], [-0.7, 1.2], [0.2, 0.4]], bias: [0.1, -0.2, 0.3]}
  - {neurons: [ape, bee, cat], activation: softmax, weights: [[1, -1, 0.3], [0.2, 1.5, -0.6], [-1.1, 0.1, 0.8]], bias: [0, 0.1, 0]}"""


def reading(problem: Problem, notation: str = "") -> Reading:
    return read(derive(problem), notation)


def texts(plot: Plot, found: Reading) -> list[str]:
    """The legend of a plot, spelled."""
    from handcalc.render.plot.model import named

    return ["".join(spell(item, found, str) for item in label) for _, label in named(plot)]


# --- decision boundaries ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "problem",
    [neuron(), neuron("step", "error: direct"), neuron("identity").replace(), neuron("sigmoid", "loss: binary_cross_entropy")],
    ids=["sigmoid", "step", "identity", "cross-entropy"],
)
def test_the_boundary_of_a_linear_classifier_is_the_line(problem: Problem) -> None:
    trainer = Trainer(problem)
    low, high = regions(trainer)
    middle = 0.3 - (0.5 if problem.layers[0].activations[0].name == "identity" else 0)
    assert high.border and all(abs(2 * x - y + middle) < 1e-5 for line in (*low.border, *high.border) for x, y in line)
    ends = [point for line in high.border for point in (line[0], line[-1])]
    assert len(ends) == 2 and math.dist(*ends) > 3
    for x, y in POINTS:
        assert (high.field.at(x, y) >= 0) == (2 * x - y + middle > 0) != (low.field.at(x, y) >= 0)


def test_every_place_belongs_to_the_largest_output() -> None:
    trainer = Trainer(network(THREE, ["[1, 0, 0]", "[0, 1, 0]", "[0, 0, 1]", "[1, 0, 0]"]))
    found = regions(trainer)
    draw = random.Random(1)
    for _ in range(60):
        point = (draw.uniform(-1.5, 2.5), draw.uniform(-1.5, 2.5))
        answer = Network(trainer).predict(point)
        best, second = sorted(answer)[:-3:-1]
        if best - second > 1e-2:
            assert [region.field.at(*point) > 0 for region in found] == [value == best for value in answer]
    for place, region in enumerate(found):
        for point in [point for line in region.border for point in line][::12]:
            answer = Network(trainer).predict(point)
            others = answer[:place] + answer[place + 1 :]
            assert answer[place] == pytest.approx(max(others), abs=1e-5)


def test_both_engines_draw_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = network(THREE, ["[1, 0, 0]", "[0, 1, 0]", "[0, 0, 1]", "[1, 0, 0]"])
    straight = Trainer(problem)
    monkeypatch.setattr(trainers, "STRAIGHT_CELLS", 0)
    arrays, alone = Trainer(problem), Trainer(problem.replace(samples=problem.samples[:1]))
    assert straight.straight and not arrays.straight and not alone.straight
    for one in (arrays, alone):
        assert Network(one).outputs(POINTS) == [pytest.approx(row, rel=1e-12) for row in Network(straight).outputs(POINTS)]
    changed = {("W1", (0, 1)): 0.25, ("b2", (2,)): -1.0}
    assert arrays.loss_at(changed) == pytest.approx(straight.loss_at(changed), rel=1e-12) != straight.loss()
    assert arrays.loss() == pytest.approx(straight.loss(), rel=1e-12) and arrays.value(("W1", (0, 1))) == -0.5
    assert Network(arrays).accuracy() == Network(straight).accuracy() is not None
    for one, other in zip(regions(straight), regions(arrays)):
        assert one.outline == tuple(tuple(pytest.approx(point, abs=1e-4) for point in line) for line in other.outline)


def test_what_the_picture_of_a_boundary_says() -> None:
    """Inputs along the axes, samples where they are, each class with its mark, in the letters of the notation."""
    problem = neuron()
    found = reading(problem)
    plot = trainplots.boundary(Trainer(problem), found)
    assert texts(plot, found) == ["target_o1 = 0", "target_o1 = 1", "out_o1 = 0.5"]
    root = parsed(str(picture(plot, "x.svg", found, str)))
    assert words(root, "legend") == ["targeto1 = 0", "targeto1 = 1", "outo1 = 0.5"] and words(root, "axis") == ["x1", "x2"]
    left, bottom, wide, high = frame(root)
    drawn = {name: starts(paths(root, f"marks {name}")[0]) for name in ("circle", "cross")}
    for name, own in (
        ("circle", [p for p in POINTS if 2 * p[0] - p[1] + 0.3 <= 0]),
        ("cross", [p for p in POINTS if 2 * p[0] - p[1] + 0.3 > 0]),
    ):
        places = [(left + (x + 1.6) / 4.2 * wide, bottom - (y + 1.6) / 4.2 * high) for x, y in own]
        assert [pytest.approx(place, abs=0.1) for place in places] == drawn[name]
    classes = network(THREE, ["[1, 0, 0]", "[0, 1, 0]", "[0, 0, 1]", "[1, 0, 0]"])
    assert texts(trainplots.boundary(Trainer(classes), reading(classes)), reading(classes)) == ["ape", "bee", "cat", "boundary"]


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (load("perceptron-or"), "perceptron-or.yaml: a decision boundary needs two inputs, found 3"),
        (load("minimise-x0-x1"), "minimise-x0-x1.yaml: a decision boundary needs two inputs, found 0"),
        (load("mazur-2-2-2"), "mazur-2-2-2.yaml: a decision boundary needs classes: targets that are 0 and 1, or -1 and 1"),
        (
            network("  - {neurons: 2, weights: [[1, 0], [0, 1]]}", ["[1, 1]", "[0, 1]", "[0, 0]", "[1, 0]"]),
            "problem: a decision boundary needs one output, or one for each class",
        ),
    ],
    ids=["three inputs", "none", "no classes", "several outputs"],
)
def test_what_has_no_boundary(problem: Problem, message: str) -> None:
    with pytest.raises(ProblemError) as caught:
        check_inputs(Trainer(problem))
    assert str(caught.value).rsplit("/", 1)[-1] == message


# --- the loss over two parameters -----------------------------------------------------------------------------------------


@cache
def bowl() -> Plot:
    problem = load("minimise-x0-x1")
    trainer = Trainer(problem)
    found = train_on(trainer, 12)
    return trainplots.contour(trainer, two_parameters(trainer, reading(problem), None, None), found, reading(problem))


def test_level_lines_of_a_bowl() -> None:
    """f = x0² + x1² on every line, within a share of the distance to the next."""
    levels = [series for series in bowl().series if series.style == "level"]
    numbers = [float(spell(series.label[0], reading(load("minimise-x0-x1")), str)) for series in levels]
    assert len(levels) >= 6 and numbers == sorted(numbers)
    for series, level in zip(levels, numbers):
        assert all(abs(x * x + y * y - level) < 0.02 * level + 0.01 for line in series.lines for x, y in line), level


def test_the_path_is_that_of_gradient_descent() -> None:
    """x ← x − 0.1·2x: each step is 0.8 of the one before; start and end are marked."""
    marks = {marks.shape: marks.points for marks in bowl().marks}
    expected = [(-3 * 0.8**count, 4 * 0.8**count) for count in range(13)]
    assert (*marks["start"], *marks["dot"], *marks["end"]) == tuple(pytest.approx(point) for point in expected)
    (way,) = (series for series in bowl().series if series.style == "path")
    assert way.lines == (tuple(pytest.approx(point) for point in expected),)
    found = reading(load("minimise-x0-x1"))
    assert texts(bowl(), found) == ["level lines of the loss", "updates", "start", "end"]
    root = parsed(str(picture(bowl(), "x.svg", found, str)))
    left, bottom, wide, high = frame(root)
    (begin,) = starts(paths(root, "marks start")[0])
    across, up = bowl().across, bowl().up
    assert begin == pytest.approx((left + across.share(-3) * wide, bottom - up.share(4) * high), abs=0.1)
    assert len(starts(paths(root, "marks dot")[0])) >= 10 and len(words(root, "label")) >= 5


def test_long_paths() -> None:
    """All of the first hundred updates, then some: the places are those of the training."""
    problem = load("zhou-four-people")
    trainer = Trainer(problem)
    cells = two_parameters(trainer, reading(problem), "w5", "b3")
    found = path(problem, cells, 5000)
    assert len(found) <= 202 and len({*found}) > 150
    places = []
    for count in (0, 1, 50, 100):
        trainer.advance(count - trainer.done)
        places.append((trainer.value(cells[0]), trainer.value(cells[1])))
    assert [found[0], found[1], found[50], found[100]] == places
    trainer.advance(5000 - trainer.done)
    assert found[-1] == (trainer.value(cells[0]), trainer.value(cells[1]))


def test_the_loss_over_two_of_many_parameters() -> None:
    """The others stay as they are after training: the field is the loss of the network with the two replaced."""
    problem = load("zhou-four-people")
    trainer = Trainer(problem)
    cells = two_parameters(trainer, reading(problem), "w1", "w6")
    trainer.advance(40)
    seen = valley(trainer, cells, path(problem, cells, 40))
    known = trainer.values()
    for column, row in ((0, 0), (30, 30), (60, 10), (17, 53)):
        x, y = seen.field.across[column], seen.field.up[row]
        values = known | {cells[0]: x, cells[1]: y}
        loss = sum((float(s.targets[0].numerator) - out(values, s.inputs)) ** 2 for s in problem.samples) / 4  # type: ignore[index]
        assert seen.field.values[row][column] == pytest.approx(loss, rel=1e-12)
    assert not seen.alone and seen.levels
    assert "the other parameters as after training" in texts(
        trainplots.contour(trainer, cells, train_on(Trainer(problem), 40), reading(problem)), reading(problem)
    )


def out(values: dict[tuple[str, tuple[int, ...]], float], inputs: Sequence[object]) -> float:
    """A 2-2-1 network by hand."""
    x = [number.numerator / number.denominator for number in inputs]  # type: ignore[attr-defined]
    sigmoid = lambda z: 1 / (1 + math.exp(-z))  # noqa: E731
    hidden = [sigmoid(sum(values["W1", (k, j)] * x[j] for j in (0, 1)) + values["b1", (k,)]) for k in (0, 1)]
    return sigmoid(sum(values["W2", (0, k)] * hidden[k] for k in (0, 1)) + values["b2", (0,)])


def test_letters_that_stand_for_negatives() -> None:
    """θ = −b: its axis goes the other way, and the loss with it."""
    problem = neuron()
    trainer = Trainer(problem)
    plain, turned = reading(problem), reading(problem, "negnevitsky")
    bias = two_parameters(trainer, plain, "W1[1,1]", "b1[1]")
    assert turned.turned(bias[1]) and two_parameters(trainer, turned, "W1[1,1]", "b1[1]") == bias
    found = train_on(trainer, 30)
    one, other = (trainplots.contour(trainer, bias, found, which) for which in (plain, turned))
    assert (other.up.low, other.up.high) == pytest.approx((-one.up.high, -one.up.low))
    for mine, its in zip(one.marks, other.marks):
        assert its.points == tuple((x, pytest.approx(-y)) for x, y in mine.points)
    levels = [{round(x, 6): round(y, 6) for x, y in series.lines[0]} for series in (one.series[0], other.series[0])]
    assert levels[0] and all(levels[1].get(x) == pytest.approx(-y, abs=1e-5) for x, y in levels[0].items())


@pytest.mark.parametrize(
    ("name", "across", "up", "message"),
    [
        (
            "mazur-2-2-2",
            None,
            None,
            "mazur-2-2-2.yaml: 8 parameters are trained; choose two for the contour plot, for example --across w1 --up w2",
        ),
        ("mazur-2-2-2", "w5", "w5", "--across and --up need two different parameters"),
        ("mazur-2-2-2", "w5", "w55", '"w55" is no parameter that is trained, did you mean "w5"?'),
        ("mazur-2-2-2", "b1", "w5", '"b1" is no parameter that is trained'),
        ("mazur-2-2-2", "net.h1", "w5", '"net.h1" is no parameter that is trained'),
    ],
)
def test_what_has_no_contour(name: str, across: str | None, up: str | None, message: str) -> None:
    problem = load(name)
    with pytest.raises((ProblemError, UnknownIdError)) as caught:
        two_parameters(Trainer(problem), reading(problem), across, up)
    assert str(caught.value).rsplit("/", 1)[-1] == message


def test_one_parameter_has_no_contour() -> None:
    problem = loads("given: {x: 3}\nequations: {f: x^2}\nminimize: f\nparameters: [x]\nlearning_rate: 0.1\n")
    with pytest.raises(ProblemError) as caught:
        two_parameters(Trainer(problem), reading(problem), None, None)
    assert str(caught.value) == "problem: a contour plot needs two parameters that are trained, found x"


def test_frozen_parameters_are_none() -> None:
    problem = load("grokking-frozen-weight")
    cells = two_parameters(Trainer(problem), reading(problem), None, None)
    assert [reading(problem).graph.cell_id(cell) for cell in cells] == ["w1", "w2"]
    with pytest.raises(UnknownIdError, match='"w0" is no parameter that is trained'):
        two_parameters(Trainer(problem), reading(problem), "w0", "w2")


def test_parameters_by_id_and_by_symbol() -> None:
    problem = load("zhou-four-people")
    trainer = Trainer(problem)
    for across, up in (("w5", "b3"), ("W2[1,1]", "b2[1]")):
        assert two_parameters(trainer, reading(problem), across, up) == (("W2", (0, 0)), ("b2", (0,)))


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("given: {a: 1, b: 1}\nequations: {f: 3 + 0*a*b}", 0),  # flat
        ("given: {a: 0.1, b: 0.1}\nequations: {f: step(a) + 2*step(b)}", 3),  # a staircase of 0, 1, 2, 3
        ("given: {a: 1, b: 2}\nequations: {f: ln(a) + b^2}", 5),  # no value where a ≤ 0
        ("given: {a: 3, b: 2}\nequations: {f: exp(exp(a)) + b^2}", 5),  # overflows
    ],
)
def test_all_kinds_of_valleys(text: str, levels: int) -> None:
    problem = loads(text + "\nminimize: f\nparameters: [a, b]\nlearning_rate: 1e-12\n")
    trainer = Trainer(problem)
    cells = two_parameters(trainer, reading(problem), None, None)
    plot = trainplots.contour(trainer, cells, train_on(trainer, 3), reading(problem))
    found = [series for series in plot.series if series.style == "level"]
    assert len(found) == levels if levels < 4 else len(found) >= levels
    parsed(str(picture(plot, "x.svg", reading(problem), str)))


# --- numerical differentiation -----------------------------------------------------------------------------------------------


def test_the_v_of_the_errors() -> None:
    """Both axes are logarithmic, every error stands at its h, and the h of the check is marked."""
    study = Differentiation(load("mazur-2-2-2"))
    sweep, found = study.sweep(study.find("w5")), read(study.derivation)
    plot = errors(sweep, 1e-4, found)
    assert plot.across.logarithmic and plot.up.logarithmic and texts(plot, found) == ["h = 0.0001", "forward", "central"]
    for kind, marks in enumerate(plot.marks, 1):
        assert marks.points == tuple((point[0], point[kind]) for point in sweep.points)
    root = parsed(str(picture(plot, "v.svg", found, str)))
    left, bottom, wide, high = frame(root)
    places = starts(paths(root, "marks circle")[0])
    assert len(places) == 13 and all(left <= x <= left + wide and bottom - high <= y <= bottom for x, y in places)
    decades = [right[0] - one[0] for one, right in zip(places, places[1:])]
    assert all(width == pytest.approx(decades[0], abs=0.21) for width in decades)
    lowest = max(range(13), key=lambda place: places[place][1])
    assert sweep.points[lowest][0] == sweep.best(2)[0]
    (guide,) = starts(paths(root, "series guide")[0])
    assert guide[0] == pytest.approx(left + plot.across.share(1e-4) * wide, abs=0.1)


def test_errors_that_are_zero() -> None:
    study = Differentiation(loads("given: {x: 1}\nequations: {f: 2*x}\nminimize: f"))
    plot = errors(study.sweep(study.find("x")), 1e-4, read(study.derivation))
    assert all(not marks.points for marks in plot.marks) and parsed(str(picture(plot, "v.svg", read(study.derivation), str)))


def along(text: str, name: str, notation: str = "") -> Plot:
    study = Differentiation(loads(text))
    gradient = study.find(name)
    (row,) = study.check([gradient]).rows
    return tangent(Tangent(row, study.along(gradient)), read(study.derivation, notation))


def test_a_tangent_line_touches() -> None:
    plot = along("given: {x: 2}\nequations: {f: x^3 - 2*x}\nminimize: f", "x")
    curve, line = plot.series
    assert all(y == pytest.approx(x**3 - 2 * x) for x, y in curve.lines[0]) and len(curve.lines[0]) == 121
    (start, end) = line.lines[0]
    assert (end[1] - start[1]) / (end[0] - start[0]) == pytest.approx(10) and (start[0], end[0]) == (plot.across.low, plot.across.high)
    assert all(y == pytest.approx(4 + 10 * (x - 2)) for x, y in line.lines[0]) and plot.marks[0].points == ((2.0, pytest.approx(4.0)),)


def test_a_function_that_is_not_defined_everywhere() -> None:
    plot = along("given: {x: 1}\nequations: {f: ln(x)}\nminimize: f", "x")
    assert all(x > 0 for line in plot.series[0].lines for x, _ in line)
    hole = along("given: {x: 1}\nequations: {f: 1/x}\nminimize: f", "x")
    assert len(hole.series[0].lines) == 2 and hole.series[0].lines[0][-1][0] < 0 < hole.series[0].lines[1][0][0]


def test_a_kink_has_two_slopes() -> None:
    plot = along("given: {x: 0}\nequations: {f: relu(x) + 2*x}\nminimize: f", "x")
    left, right = plot.series[1].lines
    assert [(end[1] - start[1]) / (end[0] - start[0]) for start, end in (left, right)] == pytest.approx([2, 3])
    assert (
        left[1][0] == 0 == right[0][0] and spell(plot.series[1].name[0], read(derive(load("mazur-2-2-2"))), str) == "slopes of both sides"
    )


def test_a_tangent_along_a_letter_for_the_negative() -> None:
    text = "inputs: [1]\ntargets: [1]\nlayers: [{neurons: 1, activation: sigmoid, weights: [[0.4]], bias: [0.7]}]\n"
    text += "loss: squared_error\nlearning_rate: 1\n"
    plain, turned = along(text, "b1[1]"), along(text, "b1[1]", "negnevitsky")
    for one, other in zip(plain.series, turned.series):
        assert sorted(other.lines[0]) == [pytest.approx((-x, y)) for x, y in sorted(one.lines[0], reverse=True)]
    assert turned.marks[0].points == ((-0.7, pytest.approx(plain.marks[0].points[0][1])),)


# --- the commands -------------------------------------------------------------------------------------------------------------


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output, errors; 80 columns."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        patch.setenv("LC_ALL", "C.UTF-8")
        with pytest.raises(SystemExit) as ended:
            main([*arguments, *([] if "--lang" in arguments else ["--lang", "en"])])
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


FOUR = ("train", "zhou-four-people", "--iterations", "150")
ALL = (
    (*FOUR, "--plot"),
    (*FOUR, "--boundary"),
    (*FOUR, "--across", "w5", "--up", "w6", "--contour"),
    ("train", "minimise-x0-x1", "--iterations", "20", "--contour"),
    ("gradcheck", "mazur-2-2-2", "--sweep", "w5", "--plot"),
    ("gradcheck", "minimise-x0-x1", "--tangent", "x0", "--plot"),
)
every_picture = pytest.mark.parametrize(
    "arguments", some(ALL, (ALL[1], ALL[4])), ids=lambda arguments: f"{arguments[0]} {arguments[1]} {arguments[-1]}"
)


@every_picture
def test_pictures_in_files(arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Well formed, nothing outside, the same bytes again; in Chinese as well."""
    first, second, chinese = (tmp_path / name for name in ("a.svg", "b.SVG", "c.svg"))
    assert [run(capsys, *arguments, str(file))[0] for file in (first, second)] == [0, 0]
    assert first.read_bytes() == second.read_bytes()
    root = parsed(first.read_text("utf-8"))
    left, bottom, wide, high = frame(root)
    assert (root.get("width"), root.get("height")) == ("640", "360") and wide > 480 and high > 200
    assert words(root, "axis") and words(root, "tick across") and words(root, "tick up")
    for element in root.iter():
        for name, most in (("x", 640), ("y", 360)):
            assert 0 <= float(element.get(name, "0")) <= most
    assert run(capsys, *arguments, str(chinese), "--lang", "zh")[0] == 0 and parsed(chinese.read_text("utf-8")) is not None


@every_picture
def test_pictures_as_png(arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice the size of the SVG, and not blank."""
    pytest.importorskip("typst")
    file = tmp_path / "a.png"
    assert run(capsys, *arguments, str(file))[0] == 0
    wide, high, changes = decoded(file.read_bytes())
    assert (wide, high) == (1280, 720) and changes > 15_000


def decoded(png: bytes) -> tuple[int, int, int]:
    """Width and height of a PNG, and how many of its bytes differ from those beside or above them: of a blank one, hardly any."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    place, data, size = 8, b"", (0, 0)
    while place < len(png):
        length, kind = int.from_bytes(png[place : place + 4], "big"), png[place + 4 : place + 8]
        chunk = png[place + 8 : place + 8 + length]
        if kind == b"IHDR":
            size = int.from_bytes(chunk[:4], "big"), int.from_bytes(chunk[4:8], "big")
        data += chunk if kind == b"IDAT" else b""
        place += length + 12
    raw = zlib.decompress(data)
    return *size, len(raw) - raw.count(0)


def test_a_blank_picture_is_one() -> None:
    pytest.importorskip("typst")
    from handcalc.render.formats.typesetter import png

    white = '<svg xmlns="http://www.w3.org/2000/svg" width="640" height="360"><rect width="640" height="360" fill="white"/></svg>'
    assert decoded(png(white, 192))[:2] == (1280, 720) and decoded(png(white, 192))[2] < 8_000


@every_picture
def test_pictures_in_letters(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    for form in ("terminal", "plain"):
        code, out, err = run(capsys, *arguments, "-", "--format", form)
        assert (code, err) == (0, "") and max(map(cell_len, out.splitlines())) <= 80
        assert form == "terminal" or out.replace("²", "").isascii()
    assert any(word in out for word in ("Decision boundary", "path of the updates", "error", "tangent line", "accuracy"))


def test_the_terminal_shows_regions_and_samples(capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, "train", "zhou-four-people", "--iterations", "1000", "--boundary", "-")[1]
    drawing = out[out.index("Decision boundary") :].splitlines()
    assert drawing[-1] == "o target_o1 = 0   ░x░ target_o1 = 1   ⠒⠒⠒ out_o1 = 0.5"
    inside = [line for line in drawing if "│" in line or "┤" in line]
    assert sum(line.count("o") for line in inside) == sum(line.count("x") for line in inside) == 2
    for line in inside:
        for place, letter in enumerate(line):
            if letter in "ox":
                assert line[place - 1] == (" " if letter == "o" else "░")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("train", "zhou-four-people", "--plot", "loss.pdf"), "loss.pdf: a picture is a file with the ending .svg or .png\n"),
        (("train", "zhou-four-people", "--boundary", "loss"), "loss: a picture is a file with the ending .svg or .png\n"),
        (("gradcheck", "mazur-2-2-2", "--sweep", "w5", "--plot", "v.jpg"), "v.jpg: a picture is a file with the ending .svg or .png\n"),
        (("train", "zhou-four-people", "--plot", "a.svg", "--boundary", "a.svg"), "a.svg: two pictures cannot be one file\n"),
        (("train", "zhou-four-people", "--contour", "a.svg", "--across", "w5"), "--across and --up go together, with --contour\n"),
        (("train", "zhou-four-people", "--across", "w5", "--up", "w6"), "--across and --up go together, with --contour\n"),
        (
            ("train", "zhou-four-people", "--boundary", "-", "--format", "json"),
            "- draws in letters, for --format terminal or plain; give a file\n",
        ),
        (
            ("train", "zhou-four-people", "--plot", "a.svg", "--show-step", "2"),
            "--show-step is about one update; it goes without pictures\n",
        ),
        (("gradcheck", "mazur-2-2-2", "--plot", "a.svg"), "--plot draws one picture: give --sweep or one --tangent\n"),
        (
            ("gradcheck", "mazur-2-2-2", "--plot", "a.svg", "--tangent", "w1", "--tangent", "w2"),
            "--plot draws one picture: give --sweep or one --tangent\n",
        ),
        (
            ("gradcheck", "mazur-2-2-2", "--plot", "a.svg", "--tangent", "w1", "--sweep", "w2"),
            "--plot draws one picture: give --sweep or one --tangent\n",
        ),
    ],
)
def test_wrong_pictures(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Said before anything is trained, and nothing is written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(training, "train_on", None)
    code, output, error = run(capsys, *arguments)
    assert (code, output) == (2, "") and error.endswith(message) and list(tmp_path.iterdir()) == []


def test_files_are_not_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "a.svg"
    file.write_text("mine")
    code, _, error = run(capsys, *FOUR, "--boundary", str(file))
    assert code == 2 and "use --force" in error and file.read_text() == "mine"
    assert run(capsys, *FOUR, "--boundary", str(file), "--force")[0] == 0 and file.read_text("utf-8").startswith("<svg")
    own = tmp_path / "own.svg"
    own.write_text("given: {x: 1}\nequations: {f: x^2}\nminimize: f\n")
    code, _, error = run(capsys, "gradcheck", str(own), "--tangent", "x", "--plot", str(own), "--force")
    assert code == 2 and "this is the file that is read" in error


def test_without_typst_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    code, out, error = run(capsys, *FOUR, "--plot", str(tmp_path / "a.png"))
    assert (code, out) == (2, "") and error == "png needs a library that is not installed: pip install 'handcalc[pdf]'\n"
    assert run(capsys, *FOUR, "--plot", str(tmp_path / "a.svg"))[0] == 0


def test_a_picture_needs_a_name() -> None:
    with pytest.raises(OutputError, match="ending .svg or .png"):
        picture(bowl(), "a.gif", reading(load("minimise-x0-x1")), str)


def test_data_and_pictures_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """JSON stays what it is beside a picture."""
    plain = run(capsys, *FOUR, "--format", "json")[1]
    file = tmp_path / "a.svg"
    assert run(capsys, *FOUR, "--format", "json", "--plot", str(file))[1] == plain and file.exists()


def test_history_with_one_and_with_two_curves() -> None:
    one, two = (trainplots.history(train_on(Trainer(load(name)), 60)) for name in ("mazur-2-2-2", "zhou-four-people"))
    assert len(one.series) == 1 and one.right is None and not one.series[0].name
    assert [series.right for series in two.series] == [False, True] and two.right is not None
    assert isinstance(two.series[0], Series) and all(0 <= two.right.share(share) <= 1 for _, share in two.series[1].lines[0])


def test_the_landscape_is_of_bounded_size() -> None:
    assert landscape.MAP**2 <= 12_000 and landscape.GRID**2 <= 4_000
