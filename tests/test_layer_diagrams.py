"""Drawings of networks with other layers than dense ones, and windows over maps: what is drawn is what the definitions use."""

from __future__ import annotations

from functools import cache

import pytest
from modelproblems import MODELS
from shipping import EACH, LAYERED
from test_diagrams import covered, derivation, drawn, numbers_of, parts, picture, within

from handcalc.core.derivation import Derivation
from handcalc.core.index import ROLES
from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.language import translator
from handcalc.loading.loader import loads
from handcalc.render import read, render
from handcalc.render.diagram import Diagram, Node, diagram, window_of
from handcalc.render.diagram.boxes import words_width
from handcalc.render.diagram.flow import SCREEN
from handcalc.render.diagram.lettering import columns_of
from handcalc.render.diagram.looks import NODES, SQUARES
from handcalc.render.diagram.squares import FEW, SIDE_LIMIT
from handcalc.render.diagram.text import drawing
from handcalc.render.diagram.tikz import tikz
from handcalc.render.diagram.unrolled import TIMES_LIMIT
from handcalc.render.dialects import PLAIN, UNICODE
from handcalc.render.typeset import LATEX
from handcalc.render.windows import KERNELS, has_window

EACH_LAYERED = [param for param in EACH if param.values[0] in LAYERED]
IMAGE = "[[1, 2, 0, 5], [3, 1, 2, 4], [0, 1, 4, 4], [7, 2, 4, 1]]"


@cache
def network(layers: str, inputs: str = IMAGE, rest: str = "") -> Derivation:
    return derive(loads(f"inputs: {inputs}\n{rest}layers:\n{layers}\n", "network.yaml"))


def window(found: Derivation, name: str) -> Diagram:
    result = window_of(found, read(found), found.find(name)[0])
    assert result is not None
    return result


def marked(result: Diagram, *kinds: str) -> set[Cell]:
    return {label.step for label in result.labels if label.kind in kinds and label.step}


def outside(result: Diagram) -> int:
    return sum(label.kind == "outside" for label in result.labels)


def box_of(result: Diagram, name: str) -> int:
    """The number of the box in which a quantity stands, the last where it stands in several."""
    return max(number for number, node in enumerate(result.nodes) for label in node.labels if label.step and label.step[0] == name)


# --- layers -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH_LAYERED)
def test_every_computed_quantity_of_a_small_network_is_drawn(problem: str) -> None:
    found = derivation(problem)
    result = drawn(found)
    shown = {label.step[0] for label in result.labels if label.step}
    for quantity in found.graph:
        drawn_kind = quantity.kind in ("input", "weight", "bias", "out", "part", "target", "loss") and not quantity.stage
        if drawn_kind and found.graph.needed(quantity.name):
            assert quantity.name in shown, quantity.name
    assert {node.kind for node in result.nodes} <= NODES.keys() | {"more"}
    for quantity in found.graph:  # all uses from box to box
        if quantity.kind in ("out", "part") and not quantity.stage and quantity.name in shown and not quantity.name.startswith("held"):
            for place in list(found.graph.positions(quantity.name))[-1:]:
                for name, _ in found.graph.uses((quantity.name, place)):
                    ends = {box_of(result, quantity.name), *([box_of(result, name)] if name in shown else [])}
                    if name in shown and len(ends) == 2 and not any(axis.role == "time" for axis in quantity.axes):
                        assert ends in [{edge.source, edge.target} for edge in result.edges], (quantity.name, name)


@pytest.mark.parametrize("problem", EACH_LAYERED)
def test_words_stand_in_their_box_above_the_grids(problem: str) -> None:
    result = drawn(derivation(problem))
    assert any(node.words for node in result.nodes)
    for node in result.nodes:
        for place, message in enumerate(node.words):
            assert words_width(message.text(), place < node.titles) <= node.width
        top = node.y - node.height / 2 + 16 * len(node.words)
        assert all(label.y - label.height / 2 >= top - 0.1 for label in node.labels)


QUICK = ("strided convolution", "gated unit")
EACH_MODEL = [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in MODELS]


@pytest.mark.parametrize("name", EACH_MODEL)
def test_nothing_covers_anything(name: str) -> None:
    found = derive(loads(MODELS[name], "network.yaml"))
    for result in (drawn(found), drawn(found, values=False)):
        assert covered(result, found) == [] and within(result)
    text = drawing(drawn(found), read(found, "", PLAIN), translator("en"), 80)
    assert text.isascii() and max(map(len, text.split("\n"))) <= 80


WIDE = {"small-gpt"}  # of sixty boxes


@pytest.mark.parametrize("problem", EACH)
def test_drawings_are_no_wider_than_a_screen(problem: str) -> None:
    """In a window of 1400 pixels, with letters of 12 where they are drawn with 12.3."""
    found = diagram(derivation(problem), read(derivation(problem)))
    assert found is None or (found.width > 1.03 * SCREEN) == (problem in WIDE), found.width


def test_squares_have_an_order_and_all_roles_of_axes_are_known() -> None:
    assert sorted(look.over for look in SQUARES.values()) == [*range(len(SQUARES))]
    roles = {axis.role for name in ("conv-pool-dense", "gomez-lstm", "two-heads") for q in derivation(name).graph for axis in q.axes}
    assert roles <= ROLES.keys()


def test_a_residual_connection_goes_around() -> None:
    result = drawn(derivation("transformer-block"))
    edges = {(edge.source, edge.target) for edge in result.edges}
    assert {(box_of(result, "out2"), box_of(result, "out4")), (box_of(result, "out3"), box_of(result, "out4"))} <= edges


def test_attention_is_scores_weights_and_a_mix() -> None:
    result = drawn(derivation("two-heads"))
    edges = {(edge.source, edge.target) for edge in result.edges}
    steps = [("query1", "score1"), ("key1", "score1"), ("score1", "masked1"), ("masked1", "attention1"), ("attention1", "context1")]
    steps += [("value1", "context1"), ("context1", "out1")]
    assert {(box_of(result, source), box_of(result, target)) for source, target in steps} <= edges


def test_layers_that_compute_nothing_are_named_with_the_next() -> None:
    texts = [[message.text() for message in node.words[: node.titles]] for node in drawn(derivation("conv-pool-dense")).nodes]
    assert ["Layer 3: flatten", "Layer 4: fully connected"] in texts


def test_long_sides_and_many_maps_are_cut_short() -> None:
    image = str([[row * column % 5 for column in range(20)] for row in range(20)])
    found = network("  - {type: conv2d, weights: [" + ", ".join(["[[[1, 0], [0, 1]]]"] * 6) + "]}", f"[{image}]")
    result = drawn(found)
    drawn_cells = {label.step for label in result.labels if label.step and label.step[0] == "x"}
    assert len(drawn_cells) == 36 and ("x", (0, 19, 19)) in drawn_cells and ("x", (0, 5, 0)) not in drawn_cells
    assert {label.step[1][0] for label in result.labels if label.step and label.step[0] == "out1"} == {*range(FEW)}
    assert covered(result, found) == [] and within(result)
    assert not found.evaluation.values and any("only given numbers" in message.text() for message in result.captions)
    assert SIDE_LIMIT < 20


# --- times ------------------------------------------------------------------------------------------------------------


def recurrent(times: int, returns: str = "") -> Derivation:
    layers = f"  - {{type: rnn, neurons: 2, input_weights: [[0.5], [0.1]], hidden_weights: [[0.1, 0.2], [0.3, 0.4]]{returns}}}"
    return network(layers, str([[time % 3] for time in range(times)]))


def states(result: Diagram) -> list[Node]:
    return [node for node in result.nodes if any(label.step and label.step[0] == "out1" for label in node.labels)]


@pytest.mark.parametrize("times", [1, 2, TIMES_LIMIT, TIMES_LIMIT + 1, 9])
def test_recurrences_are_unrolled(times: int) -> None:
    found = recurrent(times)
    result = drawn(found)
    boxes = states(result)
    assert len(boxes) == (times if times <= TIMES_LIMIT else 4) + 1
    assert all(before.x < after.x for before, after in zip(boxes, boxes[1:])), "time goes to the right"
    numbers = [result.nodes.index(node) for node in boxes]
    edges = {(edge.source, edge.target) for edge in result.edges}
    drawn_pairs = list(zip(numbers, numbers[1:]))
    if times > TIMES_LIMIT:
        left_out = [number for number, node in enumerate(result.nodes) if node.left_out]
        assert sum(result.nodes[number].left_out for number in left_out) == times + 1 - len(boxes)
        drawn_pairs[-1] = (left_out[0], numbers[-1])
    assert {*drawn_pairs} <= edges
    assert covered(result, found) == [] and within(result)


@pytest.mark.parametrize("stretch", [1, 2])
def test_a_copy_of_the_state_is_handed_on_in_the_drawing(stretch: int) -> None:
    found = recurrent(3, f", truncate: {stretch}")
    result = drawn(found)
    boxes = states(result)
    assert len(boxes) == 4, "one for each time, and one for the beginning"
    assert covered(result, found) == [] and within(result)
    copies = sorted({n for n, node in enumerate(result.nodes) for label in node.labels if label.step and label.step[0] == "held_out1"})
    assert len(copies) == 3
    edges = {(edge.source, edge.target) for edge in result.edges}
    assert {(result.nodes.index(before), copy) for before, copy in zip(boxes, copies)} <= edges, "each comes from the state before"


def test_what_has_no_time_stands_behind_the_last() -> None:
    found = recurrent(3, ", returns: last")
    text = drawing(drawn(found), read(found, "", PLAIN), translator("en"), 80)
    assert "Time 3" in text and text.isascii()
    last = drawn(derivation("gru-backward"))
    number = box_of(last, "loss")
    sources = [last.nodes[edge.source] for edge in last.edges if edge.target == number]
    assert [node.cell for node in sources] == [("out1", (2, 0))]


# --- windows ----------------------------------------------------------------------------------------------------------


def windowed(found: Derivation) -> list[Cell]:
    """The first and the last cell of every quantity with windows."""
    result = []
    for quantity in found.graph:
        if has_window(found.graph, quantity) and not quantity.stage:
            places = list(found.graph.positions(quantity.name))
            result += [(quantity.name, place) for place in dict.fromkeys((places[0], places[-1]))]
    return result


def used(found: Derivation, wanted: Cell) -> set[Cell]:
    """The cells of maps that a cell uses, on the paths of a sum too."""
    direct = found.graph.uses(wanted)
    paths = [cell for cell in direct if found.graph[cell[0]].kind == "path"]
    cells = {cell for path in paths for cell in found.graph.uses(path)} if paths else {*direct}
    return {cell for cell in cells if {"row", "column"} & {axis.role for axis in found.graph[cell[0]].axes}}


@pytest.mark.parametrize("problem", EACH_LAYERED)
def test_windows_mark_what_a_cell_uses(problem: str) -> None:
    found = derivation(problem)
    for wanted in windowed(found):
        reading = read(found)
        result = window_of(found, reading, wanted)
        assert result is not None and covered(result, found) == [] and within(result)
        kernels = {cell for cell in marked(result, "window") if found.graph[cell[0]].kind in KERNELS}
        assert marked(result, "window", "chosen") - kernels == {
            cell for cell in used(found, wanted) if found.graph[cell[0]].kind not in KERNELS
        }
        assert {cell for cell in used(found, wanted) if found.graph[cell[0]].kind in KERNELS} <= kernels
        assert marked(result, "result") == {wanted}
        assert all(found.graph.present(*label.step) for label in result.labels if label.step)
        for dialect in (UNICODE, PLAIN):
            text = drawing(result, read(found, "", dialect), translator("zh" if dialect is UNICODE else "en"), 80)
            assert max(columns_of(line) for line in text.split("\n")) <= 80 and (dialect is UNICODE or text.isascii())
            assert f"[{read(found, '', dialect).number(wanted)}]" in text
        assert tikz(result, read(found, "", LATEX), str).count("fill=handcalcResultPaper") == 1


def cells(rows: object, columns: object) -> set[Cell]:
    return {("x", (row, column)) for row in rows for column in columns}  # type: ignore[attr-defined]


KERNEL = "weights: [[1, 2], [3, 4]]"
# layer, cell → the window in the input, how many of its places are outside
WINDOWS = [
    (f"type: conv2d, {KERNEL}", "net.f1[1,1]", cells((0, 1), (0, 1)), 0),
    (f"type: conv2d, {KERNEL}", "net.f1[3,2]", cells((2, 3), (1, 2)), 0),
    (f"type: conv2d, {KERNEL}, stride: 2", "net.f1[2,2]", cells((2, 3), (2, 3)), 0),
    (f"type: conv2d, {KERNEL}, dilation: 2", "net.f1[1,2]", cells((0, 2), (1, 3)), 0),
    (f"type: conv2d, {KERNEL}, padding: 1", "net.f1[1,1]", cells((0,), (0,)), 3),
    (f"type: conv2d, {KERNEL}, padding: 1", "net.f1[1,3]", cells((0,), (1, 2)), 2),
    ("type: max_pool, kernel_size: 2", "out1[2,1]", cells((2, 3), (0, 1)), 0),
    ("type: avg_pool, kernel_size: [1, 3], stride: 1", "out1[4,2]", cells((3,), (1, 2, 3)), 0),
    (f"type: conv_transpose2d, {KERNEL}", "net.f1[2,2]", cells((0, 1), (0, 1)), 0),
    (f"type: conv_transpose2d, {KERNEL}, stride: 2", "net.f1[4,1]", cells((1,), (0,)), 0),
]


@pytest.mark.parametrize(("layer", "name", "wanted", "beyond"), WINDOWS, ids=[f"{row[0]} {row[1]}" for row in WINDOWS])
def test_windows_lie_where_they_should(layer: str, name: str, wanted: set[Cell], beyond: int) -> None:
    result = window(network(f"  - {{{layer}}}"), name)
    assert {cell for cell in marked(result, "window", "chosen") if cell[0] == "x"} == wanted
    assert outside(result) == beyond


def test_the_kernel_is_laid_over_zeros_too() -> None:
    result = window(network(f"  - {{type: conv2d, {KERNEL}, padding: 1}}"), "net.f1[1,1]")
    assert {cell for cell in marked(result, "window") if cell[0] == "W1"} == {
        ("W1", (0, row, column)) for row in (0, 1) for column in (0, 1)
    }
    assert "Outside the map there are zeros." in [message.text() for message in result.captions]


TIES = "  - {type: max_pool, kernel_size: 2}"


@pytest.mark.parametrize(("convention", "count"), [("first", 1), ("split", 2)])
def test_the_largest_is_marked(convention: str, count: int) -> None:
    rest = f"conventions: {{max_ties: {convention}}}\ntargets: [[1, 2], [3, 4]]\nloss: squared_error\ninput_gradients: true\n"
    result = window(network(TIES, "[[1, 2, 0, 5], [3, 1, 2, 4], [4, 1, 0, 0], [1, 4, 0, 1]]", rest), "out1[2,1]")
    assert len(marked(result, "chosen")) == count and ("x", (2, 0)) in marked(result, "chosen")


def test_the_gradient_goes_to_the_largest() -> None:
    rest = "targets: [[1, 2], [3, 3]]\nloss: squared_error\ninput_gradients: true\n"
    found = network(TIES, IMAGE, rest)
    for place in found.graph.positions("grad.x"):
        result = window_of(found, read(found), ("grad.x", place))
        assert result is not None
        assert (found.evaluation["grad.x", place] != 0) == (("x", place) in marked(result, "chosen"))


def test_the_map_fills_up() -> None:
    found = network(f"  - {{type: conv2d, {KERNEL}}}")
    own = [label for label in window(found, "net.f1[2,1]").labels if label.step and label.step[0] == "net1"]
    assert [bool(label.rows) for label in own] == [True] * 4 + [False] * 5


def test_of_a_large_map_what_is_near_the_window_is_drawn() -> None:
    image = str([[row * column % 5 for column in range(30)] for row in range(30)])
    found = network("  - {type: conv2d, weights: [[1, 2, 3], [3, 4, 5], [6, 7, 8]]}", image)
    result = window(found, "net.f1[15,20]")
    shown = {label.step[1] for label in result.labels if label.step and label.step[0] == "x"}
    assert {row for row, _ in shown} == {*range(13, 18)} and {column for _, column in shown} == {*range(18, 23)}
    assert len(found.evaluation.values) < 200, "of the result, only what is asked is worked out"
    assert covered(result, found) == [] and within(result)


def test_what_is_worked_out_place_by_place_has_no_window() -> None:
    found = derivation("conv-pool-dense")
    for name in ("out.f1[1,1]", "net.y", "x[1,1]", "W1[1,1,1]", "loss", "grad.net.f1[1,1]"):
        assert window_of(found, read(found), found.find(name)[0]) is None, name


SAMPLES = """samples:
  - {inputs: [[[1, 2], [3, 4]], [[0, 1], [1, 0]]], targets: [1, 2]}
  - {inputs: [[[2, 2], [0, 1]], [[5, 1], [1, 3]]], targets: [0, 2]}
layers:
  - {type: conv2d, weights: [[[[1, 2]], [[3, 4]]], [[[0, 1]], [[1, 0]]]], bias: [0.5, 1]}
  - {type: max_pool, kernel_size: [2, 1]}
  - {type: flatten}
  - {neurons: 2, weights: [[1, 2], [3, 4]], activation: sigmoid}
loss: half_squared_error
learning_rate: 0.1
"""


def test_windows_of_several_channels_and_samples() -> None:
    found = derive(loads(SAMPLES, "network.yaml"))
    for wanted in windowed(found):
        sampled = found.graph[wanted[0]].sampled
        result = window_of(found, read(found), wanted)
        assert result is not None and covered(result, found) == []
        assert marked(result, "window", "chosen") == used(found, wanted), wanted
        assert not sampled or {cell[1][0] for cell in marked(result, "window") if found.graph[cell[0]].sampled} == {wanted[1][0]}
    assert {cell[0] for cell in windowed(found)} == {"net1", "out2", "grad.out1", "grad.W1@"}
    assert covered(drawn(found), found) == [] and within(drawn(found))
    assert "sample 1" in " ".join(message.text() for message in drawn(found).captions)


def test_windows_are_in_why_and_in_full_detail_only() -> None:
    found = derivation("d2l-cross-correlation")
    assert "[19]" not in render(found, "terminal") and "[19]" in render(found, "terminal", detail="full")


def test_a_page_has_windows_among_its_lines_and_one_drawing_beside_them() -> None:
    page = render(derivation("d2l-cross-correlation"), "html", detail="full")
    assert isinstance(page, str)
    assert page.count('<figure class="window">') == 2 and page.count('<figure class="drawing"') == 2
    assert "What net.f1[1,1] is worked out from" in page


def test_gradients_stand_below_their_numbers() -> None:
    root = picture(derivation("conv-pool-dense"))
    assert {"grad.W1[1,1,1]", "grad.net.f1[1,1]", "grad.net.y"} <= {name for name, _ in numbers_of(root)}
    assert len(parts(root, "cell")) > 30
