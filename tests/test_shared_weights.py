"""A weight at several edges: `again: [P, H2, wx]`, or its name in a matrix. Its gradient is the sum over all of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from handcalc import render
from handcalc.core.graph import Graph
from handcalc.deriving import derive
from handcalc.errors import ProblemError
from handcalc.loading.loader import load, loads
from handcalc.loading.saving import with_parameters
from handcalc.marking.check import check
from handcalc.models import build

TWICE = Path(__file__).parent.parent / "problems" / "shared-weight.yaml"

# a convolution with the kernel (a, b), written as a layer; the same as equations
KERNEL = """
inputs: [1, 2, 3]
targets: [1, 0]
layers: [{neurons: 2, activation: sigmoid, weights: [[0.5, -0.25, 0.75], [c, a, b]], weight_names: [[a, b, c], [d, e, f]], bias: 0.3}]
loss: squared_error
learning_rate: 0.1
"""
EQUATIONS = """
given: {a: 0.5, b: -0.25, c: 0.75, k: 0.3}
equations:
  o1: sigmoid(a*1 + b*2 + c*3 + k)
  o2: sigmoid(c*1 + a*2 + b*3 + k)
  E: (1 - o1)^2 + (0 - o2)^2
minimize: E
parameters: [a, b, c, k]
learning_rate: 0.1
"""


def test_the_gradient_is_the_sum_over_both_places() -> None:
    """The numbers of the question, by hand: E = ½(Y − 10)², Y = wy·(wh·wx·X1 + wx·X2)."""
    found = derive(load(str(TWICE)))
    assert [found.value(f"grad.{name}") for name in ("wx", "wh", "wy")] == [-48, -8, -12]
    assert found.value("new.wx") == 0.98 and found.value("after.net.H2") == pytest.approx(1.58 * 0.98 * 2 + 0.98 * 3)


def test_a_matrix_with_names_is_the_equations_it_stands_for() -> None:
    layers, equations = derive(loads(KERNEL)), derive(loads(EQUATIONS))
    for name in ("a", "b", "c"):
        for step in ("grad.", "new."):
            assert layers.value(step + name) == pytest.approx(equations.value(step + name), abs=1e-15)


def test_it_is_saved_once_and_named_where_it_was() -> None:
    problem = loads(KERNEL)
    graph: Graph = build(problem).graph
    values = {cell: number for number, cell in enumerate(((name, place) for name in ("W1", "b1") for place in graph.positions(name)), 1)}
    text = with_parameters(KERNEL, problem, graph, values)
    assert "[[1, 2, 3], [c, a, b]]" in text
    assert derive(loads(text)).value("net.o2") == 3 * 1 + 1 * 2 + 2 * 3 + 4


def test_one_of_two_places_is_named() -> None:
    """As the question has it: two digits are too few to be sure, so it is a hint; with numbers of more digits it is certain."""
    (found,) = check(load(str(TWICE)), {"grad.wx": "-24"}).answers
    assert (found.verdict, found.hints[0]) == ("wrong", "term-left-out")
    (found,) = check(loads(KERNEL), {"grad.a": "0.5290"}).answers  # 2·out_o2²·(1 - out_o2)·x2 alone
    assert (found.verdict, found.mistakes) == ("mistake", ("term-left-out",))


def test_a_new_weight_that_is_not_the_other_is_no_edge_of_its_own() -> None:
    """It is counted once: in the update, in the number of parameters, in a penalty."""
    graph = build(loads(KERNEL)).graph
    assert [*graph.positions("W1")] == [(0, 0), (0, 1), (0, 2)]


def test_a_name_that_is_no_weight_is_an_error() -> None:
    with pytest.raises(ProblemError, match="expected a number"):
        loads(KERNEL.replace("[c, a, b]", "[g, a, b]"))


@pytest.mark.parametrize(
    "matrix", ["[[a, 0.1], [0.2, 0.3]]", "[[b, a], [0.2, 0.3]]", "[[0.5, a], [0.2, b]]"], ids=["itself", "in a circle", "through another"]
)
def test_a_place_without_a_number_is_no_weight(matrix: str) -> None:
    text = f"inputs: [2, 3]\nlayers: [{{neurons: 2, weights: {matrix}, weight_names: [[a, b], [c, d]]}}]"
    with pytest.raises(ProblemError, match='expected a number, or a weight that has one: "[ab]" is none'):
        loads(text)


def test_a_wrong_name_is_told_the_weights_there_are() -> None:
    text = TWICE.read_text("utf-8").replace("H2, wx]", "H2, wX]")
    with pytest.raises(ProblemError, match='"wX" is none, did you mean "wx"'):
        loads(text)


TIED = """
inputs: [2, 3]
targets: [1, 0]
layers:
  - {neurons: 2, activation: sigmoid, weights: %s}
  - {type: tied, from: 1, transposed: %s, neurons: 2, activation: sigmoid}
loss: squared_error
"""


@pytest.mark.parametrize("transposed", ["true", "false"])
def test_a_tied_layer_has_all_edges_of_the_other(transposed: str) -> None:
    shared = derive(loads(TIED % ("[[0.5, 0.2], [a, -0.4]], weight_names: [[a, b], [c, d]]", transposed)))
    written = derive(loads(TIED % ("[[0.5, 0.2], [0.5, -0.4]], weight_names: [[a, b], [c, d]]", transposed)))
    assert shared.value("loss") == pytest.approx(written.value("loss"), abs=1e-15)
    assert shared.value("grad.a") == pytest.approx(written.value("grad.a") + written.value("grad.c"), abs=1e-15)


def test_a_grid_of_weights_has_the_numbers_of_all_edges() -> None:
    text = str(render(derive(loads(TIED % ("[[0.5, 0.2], [a, -0.4]], weight_names: [[a, b], [c, d]]", "true"))), "plain"))
    assert re.search(r"h1 +\| +0\.5 +\| +0\.2\|.*\n.*h2 +\| +0\.5 +\| +-0\.4\|", text)


def test_a_number_is_never_taken_for_the_weight_of_that_name() -> None:
    found = derive(loads("inputs: {x: 3, y: 1}\nlayers: [{neurons: [o], weights: {1: [x, o, 0.5], 2: [y, o, 1]}}]"))
    assert found.value("net.o") == 3 * 0.5 + 1


def test_an_answer_about_a_weight_in_two_layers_after_maps_is_marked() -> None:
    layers = "[{type: flatten}, {neurons: 1, weights: [[0.1, 0.2, a, 0.3]], weight_names: [[a, b, c, d]]}, {neurons: [y], weights: [[a]]}]"
    text = f"inputs: [[1, 2], [3, 4]]\ntargets: [1]\nlayers: {layers}\nloss: half_squared_error"
    (found,) = check(loads(text), {"grad.W2[1,1]": "7"}).answers
    assert found.verdict == "wrong"


def test_an_input_in_a_formula_of_all_samples_has_its_name() -> None:
    samples = "samples: [{inputs: {u: 1, v: 2}}, {inputs: {u: 3, v: 4}}]"
    text = str(render(derive(loads(f"{samples}\nlayers: [{{neurons: [o], weights: {{a: [u, o, 1], b: [v, o, a]}}}}]")), "plain"))
    assert "*a*v[s]" in text and "x_v" not in text
