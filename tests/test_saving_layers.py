"""Saving the parameters of layers of every type: under every key, and in every form in which they may be typed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from models import FULL, Layer
from shipping import thinned

from handcalc import load, loads
from handcalc.cli import main
from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.layers import FILES, layer_type
from handcalc.layers.layertype import ARRAY, Row
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


# --- under every key --------------------------------------------------------------------------------------------------

CASES = [
    pytest.param(kind, place, id=f"{kind}-{place}", marks=pytest.mark.slow if number % 2 else ())
    for number, (kind, place) in enumerate((kind, place) for kind in FULL for place in range(len(FULL[kind][1])))
]


NOT_TRAINED = {"initial_state", "initial_cell", "mask", "running_mean", "running_var"}  # arrays that training leaves as they are


def arrays(rows: Iterable[Row]) -> set[str]:
    """The keys that hold numbers which training changes."""
    return {key for key, shape, *_ in rows if shape == ARRAY} - NOT_TRAINED


def keys_of(layer: Layer) -> set[str]:
    """Every key of a layer, those inside its gates as well."""
    gates = layer.get("gates", {}).values()
    return {*layer} | {f"gate {key}" for gate in gates for key in gate}


@pytest.mark.parametrize("kind", FILES)
def test_every_key_of_parameters_is_among_the_cases(kind: str) -> None:
    """A type or a key that is new must be told here."""
    record = layer_type(kind)
    wanted = arrays(record.rows) if kind != "dense" else {"weights", "bias", "threshold"}
    wanted |= {
        f"gate {key}"
        for rows in record.sections.values()
        for key in arrays(rows)
        if {"hidden_bias": "gru", "peephole": "lstm"}.get(key, kind) == kind
    }
    given = {key for layers in FULL[kind][1] for layer in layers if layer.get("type", "dense") == kind for key in keys_of(layer)}
    assert wanted <= given


def problem_text(kind: str, place: int) -> str:
    inputs, cases = FULL[kind]
    layers = [{key: value for key, value in layer.items() if value is not None} for layer in cases[place]]
    samples: list[dict[str, Any]] = [{"inputs": sample} for sample in inputs]
    outputs = loads(json.dumps({"samples": samples, "layers": layers})).layers[-1].axes
    for number, sample in enumerate(samples):
        sample["targets"] = np.random.default_rng(number).uniform(-1, 1, [axis.size for axis in outputs]).round(2).tolist()
    return json.dumps({"samples": samples, "layers": layers, "loss": "half_squared_error", "learning_rate": 0.05}, indent=1)


def outputs(derivation: Derivation, iteration: int) -> dict[Cell, float]:
    """The numbers that the last layer puts out."""
    graph, evaluation = derivation.graph, derivation.iteration(iteration).evaluation
    last = max((quantity for quantity in graph if quantity.kind == "out" and not quantity.stage), key=lambda quantity: quantity.layer)
    return {(last.name, place): float(evaluation[last.name, place]) for place in graph.positions(last.name)}


def parameters(derivation: Derivation) -> Iterator[Cell]:
    for quantity in derivation.graph:
        if quantity.kind in ("weight", "bias", "threshold") and not quantity.of:
            yield from ((quantity.name, place) for place in derivation.graph.positions(quantity.name))


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "place"), thinned(CASES, 4))
def test_every_parameter_comes_back_trained(kind: str, place: int, tmp_path: Path) -> None:
    """The saved file is the network after three updates: its outputs before any other update are those of the trained one."""
    file, target = tmp_path / "problem.yaml", tmp_path / "trained.yaml"
    file.write_text(problem_text(kind, place), encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(file), "--iterations", "3", "--save", str(target)])
    if not [*parameters(derive(load(str(file)), Rounding()))]:
        assert ended.value.code == 2, "there is nothing to train"
        return
    assert ended.value.code == 0
    before, after = derive(load(str(file)), Rounding(), iterations=4), derive(load(str(target)), Rounding())
    trained = before.iteration(4).evaluation
    for cell, value in outputs(before, 4).items():
        assert abs(outputs(after, 1)[cell] - value) <= 1e-12, cell
    for cell in parameters(before):
        name, number = before.graph.cell_id(cell), float(after.evaluation[cell])
        assert abs(number - float(trained[cell])) <= 1e-12, f"{name} is {number} in the file, {trained[cell]} after training"
        slopes = [float(before.iteration(round_of).evaluation["grad." + cell[0], cell[1]]) for round_of in (1, 2, 3)]
        changed = number != float(before.evaluation[cell])
        assert changed or max(map(abs, slopes)) < 1e-12, f"{name} is {number} as before; its gradients were {slopes}"
    for name in before.carried.keys() - before.updated.keys():  # what a layer keeps, such as running means
        for where in before.graph.positions(name):
            assert abs(float(after.evaluation[name, where]) - float(trained[name, where])) <= 1e-12, name
