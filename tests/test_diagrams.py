"""Drawings: every number is the solution's, nothing covers anything else, large layers are cut short, names stay text."""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from functools import cache
from math import cos, hypot, radians, sin
from pathlib import Path

import numpy
import pytest
from shipping import EACH, loaded, own_letters, solved, some
from test_exporters import HOSTILE, faults

from handcalc.core.derivation import Derivation
from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.errors import printable
from handcalc.language import translator
from handcalc.loading.loader import load, loads, shipped
from handcalc.render import read, render
from handcalc.render.diagram import Diagram, Label, Node, diagram
from handcalc.render.diagram.columns import columns, crossings, heights, links, order
from handcalc.render.diagram.lettering import columns_of
from handcalc.render.diagram.looks import NODES, SECOND
from handcalc.render.diagram.model import Box, Point, around
from handcalc.render.diagram.network import COMPUTED_LIMIT, LAYERS_LIMIT
from handcalc.render.diagram.neurons import NEURONS_LIMIT
from handcalc.render.diagram.placing import LabelledLine, place
from handcalc.render.diagram.svg import svg
from handcalc.render.diagram.text import drawing
from handcalc.render.diagram.tikz import tikz
from handcalc.render.diagram.typesetting import FONT, LONGEST_FORMULA, Span, row_spans, width
from handcalc.render.dialects import PLAIN, UNICODE
from handcalc.render.typeset import LATEX

SVG = "{http://www.w3.org/2000/svg}"
SIZES = [(2, 2, 2), (2, 3, 2), (2, 3, 1), (3, 2, 1), (2, 1, 1), (1, 1, 1), (4, 2, 2, 1), (3, 4, 2), (2, 6, 1)]
HIGH = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
DRAWN = list(shipped())
EACH_DRAWN = EACH
DENSE = [name for name in DRAWN if solved(name).header.plain]
LAYERED = [name for name in DENSE if loaded(name).layers]
EQUATIONS = [name for name in DENSE if name not in LAYERED]


@cache
def derivation(problem: str, iterations: int = 1) -> Derivation:
    return derive(loads(shipped()[problem].read_text(encoding="utf-8"), problem), iterations=iterations)


@cache
def network(*sizes: int) -> Derivation:
    """A network with weights from a seed and a bias for each neuron."""
    numbers = random.Random(1)

    def row(count: int) -> str:
        return "[" + ", ".join(f"{numbers.uniform(-1, 1):.2f}" for _ in range(count)) + "]"

    lines = [f"inputs: {row(sizes[0])}", f"targets: {row(sizes[-1])}", "layers:"]
    for before, size in zip(sizes, sizes[1:]):
        weights = ", ".join(row(before) for _ in range(size))
        lines += [f"  - neurons: {size}", "    activation: sigmoid", f"    weights: [{weights}]", f"    bias: {row(size)}"]
    return derive(loads("\n".join([*lines, "loss: half_squared_error", "learning_rate: 0.5", ""]), "network.yaml"))


@cache
def drawn(found: Derivation, notation: str = "", iteration: int = 1, values: bool = True, gradients: bool = True) -> Diagram:
    result = diagram(found, read(found, notation), iteration, values, gradients)
    assert result is not None
    return result


def picture(found: Derivation, notation: str = "", iteration: int = 1, values: bool = True, gradients: bool = True) -> ET.Element:
    return ET.fromstring(svg(drawn(found, notation, iteration, values, gradients), read(found, notation), translator("en")))


def numbers_of(root: ET.Element) -> list[tuple[str, str]]:
    """(data-cell, text) of every number; powers of ten as JSON has them."""
    found = [element for element in root.iter(SVG + "tspan") if "number" in element.get("class", "").split()]
    return [
        (element.get("data-cell", ""), re.sub(r"×10([⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+)", lambda m: "e" + m[1].translate(HIGH), element.text or ""))
        for element in found
    ]


def parts(root: ET.Element, kind: str) -> list[ET.Element]:
    """The groups of a class."""
    return [element for element in root.iter(SVG + "g") if kind in element.get("class", "").split()]


def cells(found: Derivation) -> set[str]:
    """The ids of all cells."""
    return {found.graph.cell_id((quantity.name, place)) for quantity in found.graph for place in found.graph.positions(quantity.name)}


def written(root: ET.Element) -> str:
    return " ".join("".join(element.itertext()) for element in root.iter(SVG + "text"))


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH_DRAWN)
def test_every_number_is_the_solutions(problem: str) -> None:
    found = derivation(problem)
    for notation in ("", "zhou"):
        shown = {step["id"]: step["shown"] for step in json.loads(render(found, "json", notation))["steps"]}
        root = picture(found, notation)
        assert {element.get("data-step", "") for element in root.iter()} - {""} <= cells(found)
        printed = numbers_of(root)
        assert len(printed) > 3
        assert [(name, shown[name]) for name, _ in printed] == printed


def test_later_iterations_have_their_own_numbers_and_ids() -> None:
    for problem in ("linear-y-ax-b", "mazur-2-2-2", "minimise-x0-x1"):
        found = derivation(problem, 2)
        shown = {step["id"]: step["shown"] for step in json.loads(render(found, "json"))["steps"]}
        root = picture(found, iteration=2)
        assert [(name, shown[name]) for name, _ in numbers_of(root)] == numbers_of(root)
        steps = {element.get("data-step", "") for element in root.iter() if element.get("data-step")}
        assert steps and all(step.startswith("#2:") and step in shown for step in steps)
        assert "Iteration 2" in written(root)
    assert "sample P2" in written(picture(derivation("linear-y-ax-b", 2), iteration=2))


def test_mazurs_network_has_all_that_is_asked_for() -> None:
    root = picture(derivation("mazur-2-2-2"))
    names = {name for name, _ in numbers_of(root)}
    neurons = ("h1", "h2", "o1", "o2")
    wanted = {f"{kind}.{neuron}" for kind in ("net", "out", "grad.net") for neuron in neurons}
    wanted |= {name for k in range(1, 9) for name in (f"w{k}", f"grad.w{k}")} | {"b1", "b2", "grad.b1", "grad.b2"}
    assert names == wanted | {"i1", "i2", "target.o1", "target.o2", "loss.o1", "loss.o2", "loss"}
    assert {part.get("data-step") for part in parts(root, "node")} >= {"i1", "i2", *(f"out.{neuron}" for neuron in neurons), "loss"}
    assert {part.get("data-step") for part in parts(root, "edge")} == {f"w{k}" for k in range(1, 9)}
    assert {part.get("data-step") for part in parts(root, "bias")} == {"b1", "b2"}
    coloured = {
        element.get("data-cell", "") for element in root.iter(SVG + "tspan") if element.get("fill") == SECOND and element.get("data-cell")
    }
    assert coloured == {name for name in names if name.startswith("grad.")}
    assert "derivatives of E" in written(root)


@pytest.mark.parametrize("problem", ["mazur-2-2-2", "zhou-four-people", "micrograd-readme", "per-connection-bias-2-3-1"])
def test_only_what_is_wanted_is_shown(problem: str) -> None:
    found = derivation(problem)
    given = {step.id for step in found.steps() if step.phase == "given"}
    without = {name for name, _ in numbers_of(picture(found, values=False))}
    assert without and without <= given
    forward = picture(found, gradients=False)
    assert {name for name, _ in numbers_of(forward)} > without
    assert not any("gradient" in element.get("class", "") for element in forward.iter()) and "derivatives" not in written(forward)


def test_after_an_update_weights_are_no_given_numbers() -> None:
    assert not {name for name, _ in numbers_of(picture(derivation("mazur-2-2-2", 2), iteration=2, values=False))} & {"#2:w1", "#2:w8"}


def test_samples_are_named() -> None:
    text = written(picture(derivation("zhou-four-people")))
    assert "The numbers are those of sample Alice." in text and "all 4 samples" in text
    assert "net_h1[Alice]" not in text and "[Alice]" in text  # only the loss says whose it is, beside that of all


# --- nodes and edges --------------------------------------------------------------------------------------------------


def weights(found: Derivation) -> set[Cell]:
    return {
        (quantity.name, position)
        for quantity in found.graph
        if quantity.kind == "weight"
        for position in found.graph.positions(quantity.name)
    }


@pytest.mark.parametrize("problem", LAYERED)
def test_every_weight_has_an_edge_with_its_number(problem: str) -> None:
    found = derivation(problem)
    result = drawn(found)
    edges = {edge.cell: edge for edge in reversed(result.edges) if edge.kind == "weight"}  # the first, where a weight is shared
    if result.omitted:  # too many inputs to draw them all, and to label what is drawn
        assert edges.keys() < weights(found)
        return
    assert edges.keys() == weights(found) and all(edge.labels for edge in edges.values())
    for (name, (to, source)), edge in edges.items():
        layer = int(name.removeprefix("W"))
        ends = result.nodes[edge.source], result.nodes[edge.target]
        assert [(node.column, node.cell[1][-1] if node.cell else None) for node in ends] == [(layer - 1, source), (layer, to)]
    assert len(result.nodes) >= sum(found.header.sizes[not found.graph.needed(found.graph.inputs) :])
    assert {node.kind for node in result.nodes} <= {look.kind for look in NODES.values() if not look.beside_squares}


def test_missing_edges_are_not_drawn() -> None:
    found = derive(
        loads(
            "inputs: {a: 1, b: 2}\nlayers:\n  - neurons: [c, d]\n    activation: tanh\n    weights: {u: [a, c, 0.5], v: [b, d, 0.25]}\n",
            "sparse.yaml",
        )
    )
    assert {edge.cell for edge in drawn(found).edges} == {("W1", (0, 0)), ("W1", (1, 1))} == weights(found)


@pytest.mark.parametrize("problem", EQUATIONS)
def test_computation_graphs_have_every_quantity_and_every_use(problem: str) -> None:
    found = derivation(problem)
    names = [quantity.name for quantity in found.graph if quantity.kind in ("given", "variable") and not quantity.stage]
    result = drawn(found)
    cells = {name: list(found.graph.positions(name)) for name in names}
    assert [node.cell for node in result.nodes] == [(name, cells[name][0]) for name in names]
    defined = [name for name in names if found.graph[name].definition is not None]
    uses = {(used[0], name) for name in defined for place in cells[name] for used in found.graph.uses((name, place))}
    assert {(names[edge.source], names[edge.target]) for edge in result.edges} == uses
    assert len(result.edges) == len(uses)
    assert all(result.nodes[edge.source].column < result.nodes[edge.target].column for edge in result.edges)
    shown = {name for name, _ in numbers_of(picture(found))}
    gradients = [(f"grad.{name}", place) for name in names if f"grad.{name}" in found.graph for place in cells[name]]
    assert shown == {found.graph.cell_id(cell) for cell in [*((name, place) for name in names for place in cells[name]), *gradients]}


def test_formulas_are_set_with_their_symbols_and_powers() -> None:
    text = written(picture(derivation("micrograd-readme")))
    assert "d1 = a · b + b3" in text.replace("·", " · ").replace("  ", " ") and "e12" in text and "^" not in text
    assert "eneg" in written(picture(derivation("cs231n-neuron")))
    long = derive(loads("given: {a: 1}\nequations: {y: " + " + ".join(["a*a"] * 60) + "}\nminimize: y\n", "long.yaml"))
    row = "".join(span.text for span in row_spans(drawn(long).nodes[1].labels[0].rows[0], read(long), 1))
    assert row.endswith("…") and len(row) <= LONGEST_FORMULA + 6


def test_what_cannot_be_drawn_on_a_page_is_not_drawn() -> None:
    deep = network(*[1] * (LAYERS_LIMIT + 1))
    assert diagram(deep, read(deep)) is None and diagram(network(*[1] * LAYERS_LIMIT), read(network(*[1] * LAYERS_LIMIT)))
    many = "\n".join(f"  q{k}: a + {k}" for k in range(90))
    found = derive(loads(f"given: {{a: 1}}\nequations:\n{many}\n", "many.yaml"))
    assert diagram(found, read(found)) is None


# --- places -----------------------------------------------------------------------------------------------------------


def inside(point: Point, label: Label, slack: float = 0.5) -> bool:
    """Whether a point is inside a label, not only at its border."""
    a, b, _, d = label.corners()
    x, y = point[0] - a[0], point[1] - a[1]
    across, down = ((end[0] - a[0], end[1] - a[1]) for end in (b, d))
    along = (x * across[0] + y * across[1]) / label.width
    beside = (x * down[0] + y * down[1]) / label.height
    return slack < along < label.width - slack and slack < beside < label.height - slack


def points_of(label: Label) -> list[Point]:
    """Points all over a label."""
    a, b, _, d = label.corners()
    return [
        (a[0] + u / 24 * (b[0] - a[0]) + v / 4 * (d[0] - a[0]), a[1] + u / 24 * (b[1] - a[1]) + v / 4 * (d[1] - a[1]))
        for u in range(25)
        for v in range(5)
    ]


def near(a: Box, b: Box) -> bool:
    """Whether upright boxes meet."""
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def course_of(result: Diagram, number: int) -> list[Point]:
    """Points along an edge."""
    edge = result.edges[number]
    found, start = [], edge.points[0]
    for piece in result.curve(edge):
        first, second, end = piece if len(piece) == 3 else (start, piece, piece)  # a straight piece is a curve too
        for step in range(81):
            t, s = step / 80, 1 - step / 80
            shares = (s**3, 3 * s * s * t, 3 * s * t * t, t**3)
            x, y = (sum(share * point[k] for share, point in zip(shares, (start, first, second, end))) for k in (0, 1))
            found.append((x, y))
        start = end
    return found


def rows_of(result: Diagram, found: Derivation, notation: str) -> list[Label]:
    """A label of its own for every row, as wide as its letters."""
    reading, rows = read(found, notation), []
    for label in result.labels:
        for number, row in enumerate(label.rows):
            low = (number + 0.5) * label.line - label.height / 2
            x, y = label.x - low * sin(radians(label.angle)), label.y + low * cos(radians(label.angle))
            wide = FONT * width(row_spans(row, reading, result.iteration))
            rows.append(label.replace(x=x, y=y, width=wide, height=label.line, rows=(row,)))
    return rows


def covered(result: Diagram, found: Derivation, notation: str = "") -> list[str]:
    """What lies on something else, although both are to be read."""
    labels = rows_of(result, found, notation)
    boxes = [around(label.corners()) for label in labels]
    courses = [course_of(result, number) for number in range(len(result.edges))]
    bad = []
    for number, label in enumerate(labels):
        for other, box in zip(labels[:number], boxes):
            if near(box, boxes[number]) and any(
                inside(point, two) for one, two in ((label, other), (other, label)) for point in points_of(one)
            ):
                bad.append(f"{label.kind} {label.rows} on {other.kind} {other.rows}")
        for node in result.nodes:
            if node.round and near(boxes[number], node.boxes()[0]):
                if any(hypot(x - node.x, y - node.y) < node.width / 2 - 1 for x, y in points_of(label)):
                    bad.append(f"{label.kind} {label.rows} on {node.name}")
        for edge, course in zip(result.edges, courses):
            if edge.kind != "link" and near(around(course), boxes[number]) and any(inside(point, label) for point in course):
                bad.append(f"{edge.cell} on {label.rows}")
    for edge, course in zip(result.edges, courses):
        others = (node for number, node in enumerate(result.nodes) if number not in (edge.source, edge.target))
        bad += [f"{edge.cell} on {node.name}" for node in others if any(in_box(point, node) for point in course)]
    squares = [node for node in result.nodes if not node.round]
    return bad + [f"{a.cell} on {b.cell}" for k, a in enumerate(squares) for b in squares[:k] if apart(a, b) < 4]


def in_box(point: Point, node: Node) -> bool:
    return abs(point[0] - node.x) < node.width / 2 - 1 and abs(point[1] - node.y) < node.height / 2 - 1


def apart(a: Node, b: Node) -> float:
    return max(abs(a.x - b.x) - (a.width + b.width) / 2, abs(a.y - b.y) - (a.height + b.height) / 2)


def test_what_is_covered_is_found() -> None:
    found = network(2, 2, 2)
    result = drawn(found)
    assert not covered(result, found)
    node = next(node for node in result.nodes if node.kind == "hidden")
    shifted = node.replace(labels=tuple(label.moved(0.0, -30.0) for label in node.labels))
    assert covered(result.replace(nodes=tuple(shifted if other is node else other for other in result.nodes)), found)
    edge = next(edge for edge in result.edges if edge.labels)
    shifted_edge = edge.replace(labels=tuple(label.moved(0.0, 15.0) for label in edge.labels))
    assert covered(result.replace(edges=tuple(shifted_edge if other is edge else other for other in result.edges)), found)


@pytest.mark.parametrize("sizes", some(SIZES, ((2, 2, 2), (2, 3, 1), (1, 1, 1), (3, 4, 2))), ids=lambda sizes: "-".join(map(str, sizes)))
def test_nothing_covers_anything_in_small_networks(sizes: tuple[int, ...]) -> None:
    for notation in ("mazur", "nielsen"):
        result = drawn(network(*sizes), notation)
        assert all(edge.labels for edge in result.edges if edge.kind == "weight")
        assert covered(result, network(*sizes), notation) == []


WIDE = {"hungyi-lee-lstm": 2200, "bidirectional-rnn": 1600}  # five times, or two states at each of three
TALL = {"transformer-block": 1100}  # more strips one below another, so that each fits the width of a window


@pytest.mark.parametrize("problem", EACH_DRAWN)
def test_nothing_covers_anything_in_the_shipped_problems(problem: str) -> None:
    found = derivation(problem)
    result = drawn(found)
    assert covered(result, found) == []
    assert within(result)
    assert result.width < WIDE.get(problem, 1400) and result.height < TALL.get(problem, 950)


def within(result: Diagram) -> bool:
    """Whether everything is on the paper."""
    corners = [corner for label in result.labels for corner in label.corners()]
    corners += [(node.x + side * node.width / 2, node.y + side * node.height / 2) for node in result.nodes for side in (-1, 1)]
    corners += [point for edge in result.edges for point in edge.points]
    return all(0 <= x <= result.width and 0 <= y <= result.height for x, y in corners)


def test_nothing_is_outside_the_view_box() -> None:
    """Captions too, which the drawing itself does not have."""
    for problem in ("nielsen-saturated-neuron", "zhou-four-people", "cs231n-add-mul"):
        for language in ("en", "zh"):
            found = derivation(problem)
            root = ET.fromstring(svg(drawn(found), read(found), translator(language)))
            left, top, wide, high = map(float, root.get("viewBox", "").split())
            assert (left, top) == (0, 0) and (root.get("width"), root.get("height")) == tuple(root.get("viewBox", "").split()[2:])
            lines = [text for text in root.iter(SVG + "text") if text.get("class") in ("caption", "legend")]
            assert lines
            for text in lines:
                assert 0 < float(text.get("y", "")) < high - 2
                letters = (Span("".join(text.itertext())),)
                assert float(text.get("x", "")) + float(text.get("font-size", "")) * width(letters) < wide


def test_a_label_is_placed_where_there_is_room() -> None:
    crossed = [LabelledLine((0, 0), (300, 0), 60, 20, 20), LabelledLine((110, -50), (110, 50))]
    found = place(crossed, [(0, -30, 60, 30)])
    assert found is not None and found[1] == 0 and (found[0] - 30 > 110 or found[0] + 30 < 110) and found[0] - 30 > 60
    assert place(crossed, [(0, -30, 300, 30)]) is None
    both = [LabelledLine((0, 0), (200, 0), 60, 20, 20), LabelledLine((0, 10), (200, 10), 60, 0, 20)]
    assert place(both, []) is None  # each edge runs through the room of the other's label


def test_columns_follow_uses_and_edges_seldom_cross() -> None:
    uses = {"a": [], "b": [], "c": ["b"], "d": ["a"], "e": ["d"], "f": ["c"], "g": ["e", "f", "a"]}
    table = columns(uses)
    assert [sorted(name for name, _ in spots) for spots in table] == [["a", "b"], ["a", "c", "d"], ["a", "e", "f"], ["g"]]
    pieces = links(table, uses)
    assert crossings(table, pieces) > 0 and crossings(order(table, uses), pieces) == 0


@pytest.mark.parametrize("seed", range(6))
def test_boxes_of_random_graphs_are_apart(seed: int) -> None:
    numbers = random.Random(seed)
    uses: dict[str, list[str]] = {}
    for k in range(24):
        uses[f"q{k}"] = numbers.sample(list(uses), min(len(uses), numbers.randint(0, 3)))
    table = order(columns(uses), uses)
    sizes = {spot: numbers.uniform(10, 60) for spots in table for spot in spots}
    found = heights(table, uses, sizes)
    for spots in table:
        for upper, lower in zip(spots, spots[1:]):
            assert found[lower] - found[upper] >= (sizes[upper] + sizes[lower]) / 2 - 1e-6


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_nothing_covers_anything_in_random_computation_graphs(seed: int) -> None:
    numbers = random.Random(seed)
    names, lines = ["a", "b", "c"], []
    for k in range(14):
        first, second = numbers.sample(names[-6:], 2) if k < 9 else numbers.sample(names, 2)
        lines.append(f"  q{k}: {first}*{second} + tanh({first})")
        names.append(f"q{k}")
    found = derive(loads("given: {a: 0.5, b: -0.3, c: 0.7}\nequations:\n" + "\n".join(lines) + "\nminimize: q13\n", "random.yaml"))
    result = drawn(found)
    assert covered(result, found) == [] and within(result)
    passing = {(edge.source, point[::-1] if result.downwards else point) for edge in result.edges for point in edge.points[1:-1]}
    columns_passed: dict[float, dict[float, int]] = {}
    for source, (along, across) in passing:
        assert columns_passed.setdefault(along, {}).setdefault(across, source) == source
    assert any(columns_passed.values())
    for places in columns_passed.values():
        ordered = sorted(places)
        assert all(after - before > 10 for before, after in zip(ordered, ordered[1:]))


# --- large layers -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Derivation:
    """A 784-100-10 network from an NPZ file."""
    folder, numbers = tmp_path_factory.mktemp("large"), numpy.random.default_rng(1)
    sizes = (784, 100, 10)
    arrays = {f"W{k}": numbers.normal(0, before**-0.5, (size, before)) for k, (before, size) in enumerate(zip(sizes, sizes[1:]), 1)}
    numpy.savez(folder / "weights.npz", **arrays)  # type: ignore[arg-type]
    lines = [f"inputs: {numbers.uniform(0, 1, 784).round(3).tolist()}", f"targets: {[1] + [0] * 9}", "layers:"]
    for layer, size in enumerate(sizes[1:], 1):
        lines += [
            f"  - neurons: {size}",
            "    activation: sigmoid",
            f"    weights: {{file: weights.npz, array: W{layer}}}",
            "    bias: 0.1",
        ]
    (folder / "large.yaml").write_text("\n".join([*lines, "loss: half_squared_error", "learning_rate: 0.5", ""]), "utf-8")
    return derive(load(folder / "large.yaml"))


@pytest.mark.slow
def test_large_layers_are_cut_short_and_say_so(large: Derivation) -> None:
    looked_at: list[Cell] = []
    present = large.graph.present

    def counted(name: str, indices: tuple[int, ...]) -> bool:
        looked_at.append((name, indices))
        return present(name, indices)

    large.graph.present = counted  # type: ignore[method-assign]
    try:
        result = drawn(large)
        text = svg(result, read(large), translator("en"))
        tikz(result, read(large, "", LATEX), translator("en"))
        lines = drawing(result, read(large), translator("en"), 80)
    finally:
        large.graph.present = present  # type: ignore[method-assign]
    assert len(looked_at) < 2000, "only what is drawn is looked at"
    assert not [cell for cell in large.evaluation.values if cell[0].startswith(("net", "out", "loss"))], "nothing is computed"
    for layer, size in enumerate((784, 100, 10)):
        column = [node for node in result.nodes if node.column == layer]
        assert len(column) <= NEURONS_LIMIT and sum(node.left_out or 1 for node in column) == size
        assert [node.name[1:] for node in column if node.cell][-1] == str(size)
    assert result.omitted == 784 - 6 + 100 - 6 + 10 - 6
    for said in ("6 of 784 inputs are drawn.", "6 of 100 neurons of hidden layer 1", "neurons of the output layer", "only given numbers"):
        assert said in text and said in lines
    assert "778 more" in text and "778 more" in lines
    assert {edge.cell[1] for edge in result.edges if edge.cell[0] == "W1"} == {(a, b) for a in (*range(5), 99) for b in (*range(5), 783)}


def test_a_middling_network_is_computed_but_cut_short() -> None:
    found = network(20, 9, 3)
    assert COMPUTED_LIMIT > 20 * 9 + 9 * 9 + 9 * 3 + 3 * 3
    result = drawn(found)
    assert result.gradients and result.omitted == 14 + 3
    assert "net.h9" in {name for name, _ in numbers_of(picture(found))}
    unlabelled = [edge for edge in result.edges if edge.kind == "weight" and not edge.labels]
    assert unlabelled and any("without their numbers" in message.text() for message in result.captions)


# --- hostile names ----------------------------------------------------------------------------------------------------


def hostile(text: str) -> Derivation:
    """A network whose title, neurons, inputs, weights and samples are called by a text, also by one that no file can hold."""
    found = derive(
        loads(
            """
samples:
  - {name: a, inputs: [1, 0], targets: [1, 0]}
  - {name: b, inputs: [0, 1], targets: [0, 1]}
layers:
  - {neurons: 2, activation: sigmoid, weights: [[0.1, 0.2], [0.3, 0.4]], bias: 0.1}
loss: squared_error
learning_rate: 0.5
""",
            "hostile.yaml",
        )
    )
    header = found.header.replace(title=text)
    found._header = lambda: header  # type: ignore[method-assign, assignment]
    for quantity in list(found.graph):
        axes = tuple(axis.replace(labels=tuple(f"{text}{k}" for k in range(axis.size))) if axis.labels else axis for axis in quantity.axes)
        index = tuple(letter.replace(axis=axis) for letter, axis in zip(quantity.index, axes))
        names = {(0, 0): text, (1, 1): text + "w"} if quantity.kind == "weight" else quantity.names
        found.graph.redefine(quantity.replace(axes=axes, index=index, names=names))
    return found


ELEMENTS = {"svg", "title", "rect", "g", "path", "circle", "text", "tspan"}
ATTRIBUTES = {
    *re.findall(
        r"\S+",
        """
    class role aria-label viewBox width height font-family font-size fill x y d stroke stroke-width stroke-dasharray
    data-step data-cell cx cy r rx text-anchor dx dy font-style font-weight transform
    """,
    )
}
COMMANDS = {
    *re.findall(
        r"\S+",
        """
    providecolor resizebox ifdim width linewidth else fi begin end footnotesize draw node textcolor textbackslash ldots
    textasciicircum textasciitilde textless textgreater textbar textendash text mathrm frac partial cdot eta sigma delta
    Delta big vert approx operatorname vdots cdots enspace times hat alpha beta gamma theta
    """,
    )
}


@pytest.mark.parametrize("notations", some([("mazur",), ("zhou",)], [("mazur",)]), ids=lambda notations: notations[0])
@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_names_stay_text(text: str, notations: tuple[str, ...]) -> None:
    found = hostile(text)
    for notation in notations:
        result = drawn(found, notation)
        source = svg(result, read(found, notation), translator("en"))
        root = ET.fromstring(source)
        assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
        assert {name for element in root.iter() for name in element.attrib} <= ATTRIBUTES
        assert root.findtext(SVG + "title") == f"Drawing of the network: {printable(text)}" == root.get("aria-label")
        assert {printable(text), printable(text + "w")} <= {part.get("data-step", "") for part in parts(root, "edge")}
        assert all(letter.isprintable() or letter == "\n" for letter in source)
        latex = tikz(result, read(found, notation, LATEX), translator("en"))
        assert not list(faults(latex)) and {*re.findall(r"\\([A-Za-z]+)", re.sub(r"\\\\", "", latex))} <= COMMANDS
        assert "^^" not in latex and "#" not in re.sub(r"\\#", "", latex) and latex.count(r"\end{tikzpicture}") == 1
        assert all(letter.isprintable() or letter == "\n" for letter in latex)
        for dialect in (PLAIN, UNICODE):
            lines = drawing(result, read(found, notation, dialect), translator("en"), 80).split("\n")
            assert all(line.isprintable() and columns_of(line) <= 80 for line in lines)


@pytest.mark.parametrize("problem", EACH_DRAWN)
def test_svg_stands_alone(problem: str) -> None:
    found = derivation(problem)
    root = picture(found)
    assert {element.tag.removeprefix(SVG) for element in root.iter()} <= ELEMENTS
    assert {name for element in root.iter() for name in element.attrib} <= ATTRIBUTES
    assert root.get("role") == "img" and found.header.title in root.get("aria-label", "")


# --- LaTeX ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH_DRAWN)
def test_tikz_is_well_formed(problem: str) -> None:
    found = derivation(problem)
    for notation in ("", "ng"):
        result, reading = drawn(found, notation), read(found, notation, LATEX)
        text = tikz(result, reading, translator("en"))
        assert not list(faults(text)) and text.count("$") % 2 == 0
        assert {letter for letter in text if not letter.isascii()} <= own_letters(problem)
        rest = text
        for name, _ in numbers_of(picture(found, notation)):
            number = reading.number(*found.find(name))
            assert number in rest, name
        neurons = sum(label.kind == "neuron" for label in result.labels)
        assert text.count(" circle[") == sum(node.round for node in result.nodes) + neurons


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no LaTeX here")
def test_latex_accepts_every_drawing(tmp_path: Path) -> None:
    drawings = [(derivation(problem), notation) for problem in DRAWN if not own_letters(problem) for notation in ("", "nielsen")]
    drawings += [(hostile(text), "mazur") for text in HOSTILE]
    body = [tikz(drawn(found, notation), read(found, notation, LATEX), translator("en")) for found, notation in drawings]
    head = "\\documentclass{article}\n\\usepackage{amsmath}\n\\usepackage{tikz}\n\\begin{document}\n"
    (tmp_path / "all.tex").write_text(head + "\n\n".join(body) + "\n\\end{document}\n", encoding="utf-8")
    command = ["pdflatex", "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", timeout=300)
    assert done.returncode == 0, done.stdout[-2000:]


# --- text -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH_DRAWN)
def test_text_has_every_number_and_keeps_its_width(problem: str) -> None:
    found = derivation(problem)
    result = drawn(found)
    for dialect in (UNICODE, PLAIN):
        reading = read(found, "", dialect)
        for wide in (80, 60, 30):
            text = drawing(result, reading, translator("zh" if dialect is UNICODE else "en"), wide)
            assert max(columns_of(line) for line in text.split("\n")) <= wide
            assert dialect is UNICODE or {letter for letter in text if not letter.isascii()} <= own_letters(problem)
            if wide == 80:
                assert all(reading.number(*found.find(name)) in text for name, _ in numbers_of(picture(found)))


MAZUR = """
Hidden layer (h1, h2)
  i1 -- w1 = 0.15  dE/dw1 = 0.000438568 --+          net_h1 = 0.3775
  i2 -- w2 = 0.20  dE/dw2 = 0.000877135 --+--> (h1)  out_h1 = 0.593270
        b1 = 0.35  dE/db1 = 0.0187256   --+          delta_h1 = 0.00877135
"""


def test_a_neuron_as_text() -> None:
    found = derivation("mazur-2-2-2")
    assert MAZUR in drawing(drawn(found), read(found, "", PLAIN), translator("en"), 80)
    assert "──┼──▶ (h1)  out_h1 = 0.593270" in drawing(drawn(found), read(found), translator("en"), 80)


def test_the_same_drawing_has_the_same_bytes() -> None:
    def everything() -> list[str]:
        texts = []
        for problem in ("mazur-2-2-2", "micrograd-readme"):
            found = derive(loads(shipped()[problem].read_text(encoding="utf-8"), problem))
            result = drawn(found)
            texts += [svg(result, read(found), str), tikz(result, read(found, "", LATEX), str), drawing(result, read(found), str, 80)]
        return texts

    assert everything() == everything()


def test_another_dialect_gives_the_same_drawing() -> None:
    found = derivation("mazur-2-2-2")
    assert diagram(found, read(found, "", LATEX)) == diagram(found, read(found, "", PLAIN)) == drawn(found)
    assert svg(drawn(found), read(found, "", LATEX), str) == svg(drawn(found), read(found), str)
