"""Saving parameters of layers that are not dense: every form in which they may be typed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from handcalc import loads
from handcalc.core.evaluation import Evaluation
from handcalc.loading.saving import saved, with_parameters
from handcalc.models import build

GATE = "{input_weights: [[0.1, 0.2], [0.3, 0.4]], hidden_weights: [[0.5, 0.6], [0.7, 0.8]], bias: [0.1, 0.2]}"
HEADS = "query_weights: [[1, 2], [3, 4], [5, 6], [7, 8]], key_weights: [[1, 2], [3, 4], [5, 6], [7, 8]], query_bias: [1, 2, 3, 4]"
TURNED = "query_weights: [[1, 3, 5, 7], [2, 4, 6, 8]], key_weights: [[1, 3, 5, 7], [2, 4, 6, 8]]"
IMAGE, TIMES = "[[1, 2, 3], [4, 5, 6]]", "[[1, 2], [3, 4], [5, 6]]"

FORMS = [
    (IMAGE, "{type: conv2d, weights: [[0.1, 0.2], [0.3, 0.4]], bias: 0.5}"),
    (IMAGE, "{type: conv2d, weights: [[[0.1, 0.2], [0.3, 0.4]], [[0.5, 0.6], [0.7, 0.8]]], bias: 0.5}"),
    (IMAGE, "{type: conv2d, weights: {file: k.npz, array: K}, bias: {file: k.npz, array: b}}"),
    ("[" + IMAGE + "]", "{type: conv_transpose2d, weights: [[[[0.1, 0.2], [0.3, 0.4]]]]}"),
    ("[1, 2, 3]", "{type: conv1d, weights: [0.1, 0.2]}"),
    (IMAGE, "{type: flatten}, {neurons: 2, weights: [[1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]], bias: [0.1, 0.2]}"),
    (IMAGE, "{type: flatten}, {neurons: 1, weights: [[1], [2], [3], [4], [5], [6]], weight_rows: inputs}"),
    (IMAGE, "{type: flatten}, {neurons: 2, weights: {file: k.npz, array: D}}"),
    (TIMES, "{type: rnn, neurons: 2, input_weights: [[0.1, 0.2], [0.3, 0.4]], hidden_weights: [[0.5, 0.6], [0.7, 0.8]], bias: 0.1}"),
    (TIMES, "{type: rnn, neurons: 1, weight_rows: inputs, input_weights: [[0.1], [0.2]], hidden_weights: [[0.5]]}"),
    (TIMES, f"{{type: lstm, neurons: 2, gates: {{input: {GATE}, forget: {GATE}, candidate: {GATE}, output: {GATE}}}}}"),
    (TIMES, f"{{type: gru, neurons: 2, weight_rows: inputs, gates: {{reset: {GATE}, update: {GATE}, candidate: {GATE}}}}}"),
    (
        TIMES,
        "{type: gru, neurons: 1, input_weights: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]], hidden_weights: [[0.7], [0.8], [0.9]], "
        "bias: [1, 2, 3], hidden_bias: [4, 5, 6], reset_after: true}",
    ),
    (TIMES, "{type: lstm, neurons: 1, weight_rows: inputs, input_weights: {file: k.npz, array: K4}, hidden_weights: [[1, 2, 3, 4]]}"),
    (TIMES, f"{{type: attention, heads: 2, {HEADS}, value_weights: [[1, 2], [3, 4]], output_weights: [[1, 2], [3, 4], [5, 6]]}}"),
    (
        TIMES,
        f"{{type: attention, heads: 2, weight_rows: inputs, {TURNED}, value_weights: [[1, 3], [2, 4]], output_weights: [[1, 3], [2, 4]]}}",
    ),
    (TIMES, "{type: attention, weight_rows: inputs, query_weights: {file: k.npz, array: Q}}"),
    (TIMES, "{type: layer_norm, weights: [1, 2], bias: 0.1}"),
    ("[0, 2]", "{type: embedding, weights: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}"),
]


@pytest.mark.parametrize(("inputs", "layers"), FORMS)
def test_every_number_comes_back(inputs: str, layers: str, tmp_path: Path) -> None:
    """Every parameter is changed, by another amount each."""
    arrays = {
        "K": np.arange(8.0).reshape(2, 2, 2),
        "b": np.array([0.5, 0.6]),
        "D": np.arange(12.0).reshape(2, 6),
        "K4": np.arange(8.0).reshape(2, 4),
    }
    np.savez(tmp_path / "k.npz", **arrays, Q=np.arange(4.0).reshape(2, 2))
    text = f"# a comment\ninputs: {inputs}\nlayers: [{layers}]\n"
    problem = loads(text, folder=tmp_path)
    graph = build(problem).graph
    cells = [(one.name, place) for one in graph if one.kind in ("weight", "bias") for place in graph.positions(one.name)]
    known = Evaluation(graph)
    values = {one: float(known[one]) + number / 64 for number, one in enumerate(cells, 1)}
    again = with_parameters(text, problem, graph, values)
    assert again.startswith("# a comment\n")
    saved = Evaluation(build(loads(again)).graph)
    if "bias: 0.5" in layers and "[[[" in layers or "bias: 0.1" in layers:  # one number for several places became a list
        assert "bias: 0." not in again
    assert cells and {one: float(saved[one]) for one in cells} == values


def test_many_weights_after_maps_have_a_file_of_their_own(tmp_path: Path) -> None:
    """As those of any dense layer: a row for each neuron, all directions counted through."""
    rows = [[round(0.01 * (row - column), 2) for column in range(18)] for row in range(18)]
    np.savez(tmp_path / "k.npz", W=np.arange(4 * 324).reshape(4, 324) / 1000)
    text = f"inputs: {rows}\nlayers:\n  - {{type: flatten}}\n  - {{neurons: 4, weights: {{file: k.npz, array: W}}}}\n"
    problem = loads(text, folder=tmp_path)
    graph = build(problem).graph
    known = Evaluation(graph)
    values = {("W2", place): float(known["W2", place]) + 1 for place in graph.positions("W2")}
    again, arrays = saved(text, problem, graph, values, "new.npz")
    assert "weights: {file: new.npz, array: W2}" in again
    np.testing.assert_allclose(arrays["W2"], np.arange(4 * 324).reshape(4, 324) / 1000 + 1, rtol=1e-15)
