"""Options of layers: truncated back-propagation through time, layouts of matrices, padding of max pooling, gradients of inputs."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from shipping import some

from handcalc import check
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.deriving import derive
from handcalc.disk.reading import inside_only
from handcalc.errors import ProblemError
from handcalc.loading.loader import loads
from handcalc.loading.saving import with_parameters
from handcalc.models import build
from handcalc.render import read, render
from handcalc.render.blocks import Equation, Paragraph, Table, Value, spell
from handcalc.render.options import Options
from handcalc.render.solution import solution
from handcalc.render.why import by_phase, dependencies, uses
from handcalc.training.network import Network
from handcalc.training.report import report
from handcalc.training.train import train_on
from handcalc.training.trainer import Trainer

Tree = dict[str, Any]


def solved(tree: Tree) -> Derivation:
    return derive(loads(json.dumps(tree)))


def array(derivation: Derivation, name: str) -> Any:
    """All cells of a quantity."""
    found = np.full([axis.size for axis in derivation.graph[name].axes], np.nan)
    for place in derivation.graph.positions(name):
        found[place] = float(derivation.evaluation[name, place])
    return found


def gradients(derivation: Derivation) -> dict[str, Any]:
    """Of every parameter."""
    names = [quantity.name for quantity in derivation.graph if quantity.kind in ("weight", "bias") and not quantity.stage]
    return {name: array(derivation, f"grad.{name}") for name in names}


# --- truncated back-propagation through time --------------------------------------------------------------------------

TIMES, UNITS = 5, 2
DRAW = np.random.default_rng(4)
INPUTS, TARGETS = (np.round(DRAW.uniform(-1, 1, (TIMES, size)), 2).tolist() for size in (2, 1))


def gate() -> Tree:
    shapes = {"input_weights": (UNITS, 2), "hidden_weights": (UNITS, UNITS), "bias": (UNITS,)}
    return {key: np.round(DRAW.uniform(-1, 1, shape), 2).tolist() for key, shape in shapes.items()}


LAYERS: dict[str, Tree] = {
    "rnn": {"type": "rnn", **gate()},
    "lstm": {"type": "lstm", "gates": {name: gate() for name in ("input", "forget", "candidate", "output")}},
    "gru": {"type": "gru", "gates": {name: gate() for name in ("reset", "update", "candidate")}},
    "gru, reset after": {"type": "gru", "reset_after": True, "gates": {name: gate() for name in ("reset", "update", "candidate")}},
}


def recurrent(kind: str, times: slice, **keys: Any) -> Tree:
    layer = {**LAYERS[kind], "neurons": UNITS, **keys}
    dense = {"neurons": 1, "weights": [[0.7, -0.4]], "bias": [0.1]}
    return {"inputs": INPUTS[times], "targets": TARGETS[times], "layers": [layer, dense]}


@pytest.mark.parametrize("stretch", some([1, 2, 3, 4], [2]))
@pytest.mark.parametrize("kind", LAYERS)
def test_truncated_is_the_sum_over_stretches(kind: str, stretch: int) -> None:
    """Each stretch is a problem of its own that begins in the state where the last one ended."""
    whole = solved(recurrent(kind, slice(0, TIMES), truncate=stretch))
    states = {"initial_state": array(whole, "out1")} | ({"initial_cell": array(whole, "cell1")} if kind == "lstm" else {})
    expected: dict[str, Any] = {}
    for start in range(0, TIMES, stretch):
        given = {key: found[start].tolist() for key, found in states.items()}
        part = gradients(solved(recurrent(kind, slice(start, start + stretch), **given)))
        expected = {name: expected.get(name, 0) + value for name, value in part.items()}
    for name, value in gradients(whole).items():
        assert np.allclose(value, expected[name], rtol=1e-12, atol=1e-14), name


@pytest.mark.slow
@pytest.mark.parametrize("kind", LAYERS)
def test_a_long_stretch_truncates_nothing(kind: str) -> None:
    full = solved(recurrent(kind, slice(0, TIMES)))
    truncated = solved(recurrent(kind, slice(0, TIMES), truncate=TIMES))
    assert [step.id for step in full.steps()] == [step.id for step in truncated.steps()]
    shorter = gradients(solved(recurrent(kind, slice(0, TIMES), truncate=TIMES - 1)))
    assert any(not np.allclose(value, shorter[name]) for name, value in gradients(full).items())


# --- initial states ---------------------------------------------------------------------------------------------------

OWN = {"initial_state": [[0.3, -0.6], [0.7, 0.1], [-0.2, 0.4]]}
CELLS = {"initial_cell": [[0.1, 0.2], [-0.5, 0.3], [0.9, -0.8]]}
GOALS = [TARGETS, TARGETS[::-1], [[0.5 * one for one in row] for row in TARGETS]]


def of_samples(kind: str, *places: int) -> Tree:
    """Some of three samples with states of their own; one sample has its state as a plain list."""
    tree, given = recurrent(kind, slice(0, TIMES)), OWN | (CELLS if kind == "lstm" else {})
    chosen = {key: [rows[place] for place in places] for key, rows in given.items()}
    layers = [tree["layers"][0] | {key: rows if len(rows) > 1 else rows[0] for key, rows in chosen.items()}, *tree["layers"][1:]]
    inputs = [np.roll(INPUTS, place, 0).tolist() for place in places]
    samples = [{"inputs": one, "targets": GOALS[place]} for one, place in zip(inputs, places)]
    return {"samples": samples, "layers": layers, "sample_reduction": "sum", "learning_rate": 0.1}


@pytest.mark.parametrize("kind", LAYERS)
def test_every_sample_may_have_its_own_initial_state(kind: str) -> None:
    """Gradients are the sum of those of the samples alone."""
    together, alone = solved(of_samples(kind, 0, 1, 2)), [solved(of_samples(kind, place)) for place in range(3)]
    for name, value in gradients(together).items():
        assert np.allclose(value, sum(gradients(one)[name] for one in alone), rtol=1e-12, atol=1e-14), name
    assert array(together, "out1")[:, 0].tolist() == OWN["initial_state"]


def test_training_goes_on_from_the_own_states() -> None:
    problem = loads(json.dumps(of_samples("lstm", 0, 1, 2)))
    trainer = Trainer(problem)
    trainer.advance(1)
    expected = derive(problem).evaluation
    for cell, value in trainer.values().items():
        assert value == pytest.approx(float(expected[f"new.{cell[0]}", cell[1]]), rel=1e-12, abs=1e-15), cell
    with pytest.raises(ProblemError, match="initial states of every sample"):
        Network(trainer).predict([0.0] * len(problem.inputs))


def test_own_states_go_with_all_samples_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However few of them are worked at a time."""
    monkeypatch.setattr("handcalc.arrays.passes.NUMBERS_AT_ONCE", 1)
    monkeypatch.setattr("handcalc.training.trainer.STRAIGHT_CELLS", 0)
    tree = of_samples("rnn", 0, 1, 2)
    tree["layers"][0]["returns"] = "last"
    samples = [{**sample, "targets": sample["targets"][-1]} for sample in tree.pop("samples")]
    arrays = {key: np.array([np.ravel(sample[key]) for sample in samples]) for key in ("inputs", "targets")}
    np.savez(tmp_path / "d.npz", **arrays)
    data = {"data": {"file": "d.npz", "inputs": "inputs", "targets": "targets"}, "input_shape": [TIMES, 2]}
    trainer = Trainer(loads(json.dumps({**tree, **data}), folder=tmp_path))
    assert not trainer.straight
    assert trainer.loss() == pytest.approx(solved({**tree, "samples": samples}).value("loss"), rel=1e-12)


def test_the_table_of_a_time_has_the_states_of_that_time() -> None:
    derivation = solved(of_samples("rnn", 0, 1, 2))
    tables = [block for block in solution(derivation, read(derivation), Options()) if isinstance(block, Table)]
    times = [
        {
            axis.along(place)
            for value in row
            for axis, place in zip(derivation.graph[value.cell[0]].axes, value.cell[1])
            if axis.role == "time"
        }
        for table in tables
        for row in [[value for value in table.rows[0] if isinstance(value, Value)]]
        if any(value.cell[0] == "out1" for value in row)
    ]
    assert times == [{f"t{time}"} for time in range(TIMES + 1)]


def test_a_state_that_is_given_is_no_step_of_why() -> None:
    derivation = solved(of_samples("lstm", 0, 1, 2))
    wanted = ("out1", (1, 1, 0))
    found = by_phase(derivation, dependencies(lambda cell: uses(read(derivation), cell), [wanted]))
    states = {("out1", (1, 0, 0)), ("out1", (1, 0, 1)), ("cell1", (1, 0, 0))}
    assert states <= set(found["given"]) and not states & set(found["forward"])


# --- layouts ----------------------------------------------------------------------------------------------------------


def turned(tree: Tree) -> Tree:
    """The same layer with a row per input."""
    matrices = ("input_weights", "hidden_weights", "query_weights", "key_weights", "value_weights", "output_weights")
    return {
        key: turned(value) if isinstance(value, dict) else np.transpose(value).tolist() if key in matrices else value
        for key, value in tree.items()
    }


def together(layer: Tree) -> Tree:
    """The same recurrent layer with its gates below each other."""
    gates = list(layer["gates"].values())
    rest = {key: value for key, value in layer.items() if key != "gates"}
    return rest | {key: np.concatenate([gate[key] for gate in gates]).tolist() for key in gates[0]}


@pytest.mark.slow
@pytest.mark.parametrize("by_input", [False, True], ids=["rows of neurons", "rows of inputs"])
@pytest.mark.parametrize("kind", [kind for kind in LAYERS if "gates" in LAYERS[kind]])
def test_gates_may_be_one_matrix(kind: str, by_input: bool) -> None:
    tree = recurrent(kind, slice(0, 2))
    first, *rest = tree["layers"]
    one = turned(together(first)) | {"weight_rows": "inputs"} if by_input else together(first)
    assert list(solved(tree).steps()) == list(solved({**tree, "layers": [one, *rest]}).steps())


def test_gates_of_a_file_may_be_one_matrix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree = recurrent("lstm", slice(0, 2))
    first, *rest = tree["layers"]
    one = together(first)
    np.savez("lstm.npz", **{key: np.array(one[key]) for key in ("input_weights", "hidden_weights", "bias")})
    one |= {key: {"file": "lstm.npz", "array": key} for key in ("input_weights", "hidden_weights", "bias")}
    with inside_only(False):
        values = [[step.value for step in solved(each).steps()] for each in (tree, {**tree, "layers": [one, *rest]})]
    assert values[0] == values[1]


ATTENTION = {
    "type": "attention",
    "heads": 2,
    "query_weights": [[1, 2], [3, 4], [5, 6], [7, 8]],
    "key_weights": [[0.1, 0], [0, 0.2], [0.3, 0], [0, 0.4]],
    "value_weights": [[1, -1], [2, 0.5]],
    "output_weights": [[1, 2], [3, 4], [5, 6]],
}


@pytest.mark.parametrize("kind", [*LAYERS, "attention"])
def test_a_row_may_belong_to_an_input(kind: str) -> None:
    tree = {"inputs": INPUTS, "layers": [ATTENTION]} if kind == "attention" else recurrent(kind, slice(0, 2))
    first, *rest = tree["layers"]
    other = solved({**tree, "layers": [{**turned(first), "weight_rows": "inputs"}, *rest]})
    ours = solved({**tree, "layers": [{**first, "weight_rows": "neurons"}, *rest]})
    assert [(step.id, step.value) for step in ours.steps()] == [(step.id, step.value) for step in other.steps()]


def test_attention_without_matrices() -> None:
    """Queries, keys and values are the inputs, as with identity matrices."""
    identity = {f"{part}_weights": [[1, 0], [0, 1]] for part in ("query", "key", "value")}
    bare, other = ({"inputs": INPUTS, "layers": [{"type": "attention", **keys}]} for keys in ({}, identity))
    assert np.allclose(array(solved(bare), "out1"), array(solved(other), "out1"), rtol=1e-14)
    assert "query1" not in solved(bare).graph


def test_heads_without_a_matrix_stand_one_behind_the_other() -> None:
    """As with an identity matrix that mixes them."""
    layer = {key: value for key, value in ATTENTION.items() if key != "output_weights"}
    targets = [[1, 0]] * len(INPUTS)
    bare, mixed = (
        solved({"inputs": INPUTS, "targets": targets, "layers": [{**layer, **keys}], "learning_rate": 0.1})
        for keys in ({}, {"output_weights": [[1, 0], [0, 1]]})
    )
    assert np.allclose(array(bare, "out1"), array(mixed, "out1"), rtol=1e-14)
    assert np.allclose(array(bare, "new.Wq1"), array(mixed, "new.Wq1"), rtol=1e-12)


@pytest.mark.parametrize("scale", [True, 0.5])
def test_attention_has_its_unscaled_scores(scale: bool | float) -> None:
    """dot = q·k is a step, which the lines of scores go through and no gradient does; scores that are not scaled have no other."""
    layer = {"type": "attention", "query_weights": [[2, 0], [0, 1]], "scale": scale}
    tree = {"inputs": INPUTS, "targets": INPUTS, "layers": [layer], "input_gradients": True}
    found, bare = solved(tree), solved({**tree, "layers": [{**layer, "scale": False}]})
    inputs = np.array(INPUTS)
    assert np.allclose(array(found, "dot1"), (inputs * [2, 1]) @ inputs.T, rtol=1e-14)
    assert np.allclose(array(found, "score1"), array(found, "dot1") * (0.5 if scale == 0.5 else 0.5**0.5), rtol=1e-14)
    assert found["score1[2,3]"].inputs == (found.find("dot1[2,3]")[0],)
    assert "dot1" not in bare.graph and not any(step.id.startswith("grad.dot1") for step in found.steps())
    assert [answer.verdict for answer in check(loads(json.dumps(tree)), {"dot1[2,3]": found["dot1[2,3]"].shown.plain}).answers] == [
        "correct"
    ]


# --- pooling ----------------------------------------------------------------------------------------------------------


def test_padding_is_never_the_largest() -> None:
    derivation = solved({"inputs": [[-3, -2], [-4, -1]], "layers": [{"type": "max_pool", "kernel_size": 2, "padding": 1, "stride": 1}]})
    assert array(derivation, "out1").tolist() == [[-3, -2, -2], [-3, -1, -1], [-4, -1, -1]]


def test_padding_counts_as_zeros_in_a_mean() -> None:
    derivation = solved({"inputs": [[4, 8]], "layers": [{"type": "avg_pool", "kernel_size": [1, 2], "padding": [0, 1], "stride": 1}]})
    assert array(derivation, "out1").tolist() == [[2, 6, 4]]


def test_padding_may_not_count_in_a_mean() -> None:
    layer = {"type": "avg_pool", "kernel_size": 2, "padding": 1, "stride": 2, "count_include_pad": False}
    tree = {"inputs": [[4, 8, 1], [2, 6, 5], [0, 1, 7]], "targets": [[0, 0], [0, 0]], "layers": [layer], "input_gradients": True}
    derivation = solved(tree)
    assert array(derivation, "out1").tolist() == [[4, 4.5], [1, 4.75]]
    assert array(derivation, "counted1").tolist() == [[1, 2], [2, 4]]
    assert array(derivation, "grad.x").tolist() == [[4, 2.25, 2.25], [0.5, 4.75 / 4, 4.75 / 4], [0.5, 4.75 / 4, 4.75 / 4]]
    assert "counted1" not in solved({**tree, "layers": [{**layer, "padding": 0, "stride": 1}]}).graph


ZEROS = "zeros around the input"

# layer, what is told of its options
TOLD: list[tuple[Tree, list[tuple[str, str]]]] = [
    ({"type": "avg_pool", "kernel_size": 2, "padding": 1, "count_include_pad": False},
     [("window", "2×2"), ("stride", "2×2"), (ZEROS, "1×1"), ("The zeros around the input do not count in the mean.", "")]),
    ({"type": "avg_pool", "kernel_size": 2, "padding": 0, "count_include_pad": False}, [("window", "2×2"), ("stride", "2×2")]),
    ({"type": "avg_pool", "kernel_size": 2, "stride": 1, "padding": "same"}, [("window", "2×2"), (ZEROS, "(0+1)×(0+1)")]),
    ({"type": "conv2d", "weights": [[1, 2]], "padding": [0, 1], "dilation": 2}, [(ZEROS, "0×1"), ("dilation", "2×2")]),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "told"), TOLD)
def test_options_that_are_told(layer: Tree, told: list[tuple[str, str]]) -> None:
    (about,) = solved({"inputs": [[1, 2, 3], [4, 5, 6]], "layers": [layer]}).header.about
    assert [(option.words, option.value) for option in about.options] == told


def test_where_the_reset_gate_acts_is_told() -> None:
    (about, _) = solved(recurrent("gru, reset after", slice(0, 2))).header.about
    told = [(option.words, str(option.value)) for option in about.options]
    assert ("what the update gate keeps", "the old state") in told
    assert ("The reset gate acts after the product with the hidden weights.", "") in told


# window, shares of an upstream gradient of 1 (split): of n that are the largest each has 1/n
TIES = [
    ([[2, 1], [0, 2]], [[1 / 2, 0], [0, 1 / 2]]),
    ([[2, 2], [0, 2]], [[1 / 3, 1 / 3], [0, 1 / 3]]),
    ([[2, 2], [2, 2]], [[1 / 4, 1 / 4], [1 / 4, 1 / 4]]),
    ([[1, 2, 2]], [[0, 1 / 2, 1 / 2]]),
    ([[3, 2, 2]], [[1, 0, 0]]),
]


@pytest.mark.parametrize(("window", "shares"), TIES, ids=str)
def test_the_largest_share_a_gradient(window: list[list[int]], shares: list[list[float]]) -> None:
    layer = {"type": "max_pool", "kernel_size": [len(window), len(window[0])]}
    tree = {"inputs": window, "targets": [[max(map(max, window)) - 1]], "layers": [layer], "input_gradients": True}
    split = solved({**tree, "conventions": {"max_ties": "split"}})
    assert np.allclose(array(split, "grad.x"), shares, rtol=1e-15)
    first = array(solved(tree), "grad.x")
    assert first.sum() == 1 and first.ravel()[np.argmax(window)] == 1
    for place in split.graph.positions("grad.x"):  # what a step says of its parts is what it comes to
        parts = split.contributions(("grad.x", place))
        assert math.isclose(sum(float(part.value) for part in parts), split.evaluation["grad.x", place], abs_tol=1e-15)


def test_shares_are_the_same_on_arrays() -> None:
    layers = [{"type": "conv2d", "weights": [[1]]}, {"type": "max_pool", "kernel_size": [2, 3], "stride": 1}]
    tree = {"inputs": [[1, 2, 2, 0], [2, 2, 1, 2], [0, 2, 2, 2]], "targets": [[[1, 0], [4, 3]]], "layers": layers, "learning_rate": 1}
    model = build(loads(json.dumps({**tree, "conventions": {"max_ties": "split"}})))
    known = Evaluation(model.graph)
    arrays = Vectorised(model.graph, model.updated, model.loss)
    ((found,), _, _) = arrays.run(arrays.start(lambda cell: float(known[cell])), [()])
    assert found[0, 0, 0] == pytest.approx(float(known["new.W1", (0, 0, 0)]), rel=1e-14)


# formula of three numbers that are equal, the gradient by each
SHARED = [
    ("max(a, b, c)", (1 / 3, 1 / 3, 1 / 3)),
    ("min(a, b, c)", (1 / 3, 1 / 3, 1 / 3)),
    ("max(max(a, b), c)", (1 / 4, 1 / 4, 1 / 2)),
    ("min(a, max(b, c))", (1 / 2, 1 / 4, 1 / 4)),
    ("max(a, min(a, b, c))", (1 / 2 + 1 / 6, 1 / 6, 1 / 6)),
    ("max(a, b, c)^2", (4 / 3, 4 / 3, 4 / 3)),
]


@pytest.mark.parametrize(("formula", "gradient"), SHARED)
def test_shares_of_nested_maxima(formula: str, gradient: tuple[float, ...]) -> None:
    given = {"a": 2, "b": 2, "c": 2}
    tree = {"given": given, "equations": {"f": formula}, "minimize": "f", "parameters": list(given), "learning_rate": 1}
    found = solved({**tree, "conventions": {"max_ties": "split"}})
    assert [float(found.value(f"grad.{name}")) for name in given] == pytest.approx(gradient, rel=1e-15)


# --- batch normalisation ----------------------------------------------------------------------------------------------

ROWS = [[1.0, 2.0], [3.0, -1.0], [0.0, 1.0]]
NORM = {"type": "batch_norm", "running_mean": [0.5, -1], "running_var": [2, 1], "momentum": 0.2}


def test_running_means_are_carried_on() -> None:
    derivation = derive(loads(json.dumps({"samples": [{"inputs": row} for row in ROWS], "layers": [NORM]})))
    rows = np.array(ROWS)
    assert array(derivation, "new.running_mean1") == pytest.approx(0.8 * np.array([0.5, -1]) + 0.2 * rows.mean(0), rel=1e-14)
    assert array(derivation, "new.running_var1") == pytest.approx(0.8 * np.array([2, 1]) + 0.2 * rows.var(0, ddof=1), rel=1e-14)
    assert derivation["new.running_mean1[2]"].phase == "update"


def test_evaluation_takes_the_running_means() -> None:
    """Of one sample as well."""
    derivation = solved({"inputs": ROWS[0], "layers": [{**NORM, "mode": "eval"}]})
    assert array(derivation, "out1") == pytest.approx((np.array(ROWS[0]) - [0.5, -1]) / np.sqrt(np.array([2, 1]) + 1e-5), rel=1e-14)
    assert not {"mean1", "new.running_mean1"} & {quantity.name for quantity in derivation.graph}


def in_training(**keys: Any) -> Tree:
    dense = {"neurons": 1, "weights": [[0.3, -0.2]], "bias": [0.1]}
    samples = [{"inputs": row, "targets": [number / 2]} for number, row in enumerate(ROWS)]
    return {"samples": samples, "layers": [{"type": "batch_norm", **keys}, dense], "learning_rate": 0.1}


def test_a_second_iteration_goes_on_from_the_running_means() -> None:
    problem = loads(json.dumps(in_training(**NORM)))
    first, second = (derive(problem, iterations=2).iteration(number).evaluation for number in (1, 2))
    trainer = Trainer(problem)
    trainer.advance(2)
    for place in ((0,), (1,)):
        assert second["running_mean1", place] == first["new.running_mean1", place] != first["running_mean1", place]
        assert trainer.values()["running_var1", place] == pytest.approx(float(second["new.running_var1", place]), rel=1e-14)


@pytest.mark.parametrize("cells", [0, 3000], ids=["arrays", "cells"])
def test_prediction_takes_the_running_means(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the same problem in evaluation; without running means a single input has no answer."""
    monkeypatch.setattr("handcalc.training.trainer.STRAIGHT_CELLS", cells)
    trainer = Trainer(loads(json.dumps(in_training(**NORM))))
    assert trainer.straight == bool(cells)
    evaluated = derive(loads(json.dumps(in_training(**NORM, mode="eval") | {"training": {"mode": "online"}}))).evaluation
    assert Network(trainer).predict(ROWS[0]) == [pytest.approx(float(evaluated["out2", (0,)]), rel=1e-14)]
    expected = [pytest.approx(Network(trainer).predict(row), rel=1e-14) for row in ROWS]
    assert list(Network(trainer).outputs_of(trainer.problem.samples)) == expected
    assert [list(row) for row in Network(trainer).outputs(ROWS)] == expected
    with pytest.raises(ProblemError, match="a single input has no answer"):
        Network(Trainer(loads(json.dumps(in_training())))).predict(ROWS[0])


def test_one_number_has_no_unbiased_variance() -> None:
    tree = in_training(**NORM) | {"training": {"mode": "online"}}
    with pytest.raises(ProblemError, match="a batch of one number"):
        solved(tree)


def test_running_means_are_saved() -> None:
    tree = in_training(**NORM)
    trainer = Trainer(loads(json.dumps(tree)))
    trainer.advance(3)
    again = loads(with_parameters(json.dumps(tree), trainer.problem, trainer.whole.graph, trainer.values()))
    graph, known = trainer.whole.graph, Trainer(again).values()
    assert {name for name, _ in known} >= {graph.in_layer(1, "input", role) for role in ("running_mean", "running_var")}
    for cell, value in trainer.values().items():
        assert known[cell] == pytest.approx(value, rel=1e-15)


# --- positions --------------------------------------------------------------------------------------------------------


def test_positions_are_worked_out() -> None:
    """Given are only numbers that are counted; a feature at an odd place, from 0, has the cosine."""
    derivation = solved({"inputs": [[0] * 4] * 3, "layers": [{"type": "positional_encoding", "base": 100}]})
    lines = read(derivation)
    written = {place: lines.numeric(derivation.graph.instance(("position1", place))) for place in ((2, 2), (2, 3))}
    assert written == {(2, 2): "sin(2/100^(2·1/4))", (2, 3): "cos(2/100^(2·1/4))"}
    assert float(derivation.evaluation["position1", (2, 2)]) == math.sin(0.2)
    assert {q.name: array(derivation, q.name).tolist() for q in derivation.graph if q.layer == 1 and q.definition is None} == {
        "place1": [0, 1, 2],
        "pair1": [0, 0, 1, 1],
    }


def test_formulas_of_places_are_told_once_each() -> None:
    derivation = solved({"inputs": [[0] * 6] * 2, "layers": [{"type": "positional_encoding"}]})
    reading = read(derivation)
    told = [
        spell(block.label, reading, str)
        for block in solution(derivation, reading, Options())
        if isinstance(block, Equation) and block.label
    ]
    assert told == ["i = 1, 3, 5:", "i = 2, 4, 6:"]


# --- gradients of inputs ----------------------------------------------------------------------------------------------

NETWORK: Tree = {"inputs": {"a": 1, "b": -2}, "targets": [0.5], "layers": [{"neurons": 1, "weights": [[2, 3]]}]}


def test_gradients_of_inputs() -> None:
    derivation = solved({**NETWORK, "input_gradients": True, "learning_rate": 0.1})
    assert derivation.value("grad.a") == 2 * (2 - 6 - 0.5) and derivation.value("grad.b") == 3 * (2 - 6 - 0.5)
    assert "new.x" not in derivation.graph
    assert "grad.x" not in solved(NETWORK).graph and "grad.x" not in solved({**NETWORK, "input_gradients": False}).graph


def test_gradients_of_inputs_of_every_sample() -> None:
    samples = [{"inputs": [1, 2], "targets": [1]}, {"inputs": [3, -1], "targets": [0]}]
    derivation = solved({"samples": samples, "layers": [{"neurons": 1, "weights": [[2, 3]]}], "input_gradients": True})
    assert array(derivation, "grad.x").tolist() == [[14, 21], [6, 9]]


# --- what is told -----------------------------------------------------------------------------------------------------

CUT = {"type": "rnn", "neurons": 1, "input_weights": [[0.5]], "hidden_weights": [[0.2]], "truncate": 1}
TWO = [{"inputs": [[1], [2]], "targets": [[1], [0]]}, {"inputs": [[3], [1]], "targets": [[0], [1]]}]
RECURRENT = {"type": "rnn", "neurons": 2, "input_weights": [[0.5], [0.1]], "hidden_weights": [[0.2, 0.1], [0.1, 0.3]]}
POOL = {"type": "max_pool", "kernel_size": 2, "padding": 1, "stride": 1}


@pytest.mark.parametrize(
    ("problem", "told", "not_told"),
    [
        ({"samples": TWO, "layers": [CUT]}, ["times that the error goes back: 1", "A state marked held"], []),
        ({"inputs": [[1, 2], [3, 4]], "layers": [POOL]}, ["places around the input that are never the largest: 1×1"], ["zeros"]),
        ({"inputs": [[1, 2], [3, 4]], "layers": [{**POOL, "type": "avg_pool"}]}, ["zeros around the input: 1×1"], []),
    ],
)
def test_what_is_given_says_how_a_layer_works(problem: Tree, told: list[str], not_told: list[str]) -> None:
    derivation = solved(problem)
    reading = read(derivation)
    text = "\n".join(str(block.text) for block in solution(derivation, reading, Options()) if isinstance(block, Paragraph))
    assert all(one in text for one in told) and not any(one in text for one in not_told), text


def test_columns_of_samples_tell_the_time_unless_a_heading_does() -> None:
    derivation = solved({"samples": TWO, "layers": [CUT], "learning_rate": 0.1})
    reading = read(derivation)
    tables = [
        [spell(column, reading, str) for column in block.columns]
        for block in solution(derivation, reading, Options())
        if isinstance(block, Table) and spell(block.columns[0], reading, str) == "sample"
    ]
    assert ["sample", *(f"out_o1⁺[t={time}]" for time in range(3))] in tables
    assert ["sample", "out^held_o1", "net_o1", "out_o1"] in tables, "below a heading with the time"
    assert all(len({*columns}) == len(columns) for columns in tables)


def test_gaps_stand_below_the_digits_of_their_column() -> None:
    last = [{**RECURRENT, "returns": "last"}, {"neurons": 1, "weights": [[1, 20]]}]
    problem = {"inputs": [[1], [2]], "targets": [1], "layers": last}
    text = str(render(solved(problem), detail="brief"))
    lines = text.splitlines()
    tables = [lines[place : place + 3] for place, line in enumerate(lines) if line.startswith("t0") and "–" in line]
    assert tables
    for gaps, *numbers in tables:
        points = {line.index(".") for line in numbers}
        assert len(points) == 1 and gaps.index("–") == points.pop() - 1


def test_maps_that_are_left_out_are_counted() -> None:
    layer = {"type": "conv2d", "weights": [[[number]] for number in range(11)]}
    derivation = solved({"inputs": [[1, 2], [3, 4]], "layers": [layer]})
    reading = read(derivation)
    notes = {
        detail: [str(block.text) for block in solution(derivation, reading, Options(detail=detail)) if isinstance(block, Paragraph)]
        for detail in ("brief", "normal", "full")
    }
    assert "… 7 more tables are not shown" in notes["brief"] and "… 3 more tables are not shown" in notes["normal"]
    left = {detail: sum("more tables" in note for note in found) for detail, found in notes.items()}
    assert left["full"] < left["normal"], "of given kernels only"


def test_columns_of_predictions_tell_the_time() -> None:
    trainer = Trainer(loads(json.dumps({"samples": TWO, "layers": [CUT], "learning_rate": 0.1})))
    reading = read(solved({"samples": TWO, "layers": [CUT], "learning_rate": 0.1}))
    asked = report(trainer, train_on(trainer, 1), reading, asked=[(1.0, 2.0)])
    tables = [[spell(column, reading, str) for column in block.columns] for block in asked if isinstance(block, Table)]
    answers = ["out_o1[t=1]", "out_o1[t=2]"]
    assert ["sample", *answers, "target_o1[t=1]", "target_o1[t=2]"] in tables
    assert ["x₁[t=1]", "x₁[t=2]", *answers] in tables


# --- errors -----------------------------------------------------------------------------------------------------------

RNN = """samples: [{inputs: [[1]], targets: [1]}, {inputs: [[2]], targets: [3]}]
layers: [{type: rnn, neurons: 1, input_weights: [[1]], hidden_weights: [[1]], initial_state: STATE, returns: last}]"""

# problem as YAML → the whole message
WRONG = [
    ("inputs: [[1]]\nlayers: [{type: rnn, neurons: 1, input_weights: [[1]], hidden_weights: [[1]], weight_rows: inpts}]",
     'problem:2: layers[0].weight_rows: unknown value "inpts", did you mean "inputs"?'),
    ("inputs: [[1, 2]]\nlayers: [{type: rnn, neurons: 1, input_weights: [[1, 2, 3]], hidden_weights: [[1]], weight_rows: inputs}]",
     "problem:2: layers[0].input_weights: Wx1 (feature, neuron) is 1×3, expected 2×1"),
    ("inputs: [[1]]\nlayers: [{type: rnn, neurons: 1, input_weights: [[1]], hidden_weights: [[1]], truncate: 0}]",
     'problem:2: layers[0].truncate: expected a whole number from 1 to 1000000, found "0"'),
    ("inputs: [[1]]\nlayers: [{type: lstm, neurons: 1, bias: 1, gates: {}}]",
     "problem:2: layers[0].bias: the weights of the gates are given twice: under gates and under bias"),
    ("inputs: [[1]]\nlayers: [{type: lstm, neurons: 1}]", "problem:2: layers[0]: the key gates is missing"),
    ("inputs: [[1]]\nlayers: [{type: gru, neurons: 1, input_weights: [[1], [2]], hidden_weights: [[1], [2], [3]]}]",
     "problem:2: layers[0].input_weights: Wx1 (neuron, feature) is 2×1, expected 3×1"),
    ("inputs: [[1]]\nlayers: [{type: gru, neurons: 1, input_weights: [[1], [2], [3]]}]",
     "problem:2: layers[0]: the key hidden_weights is missing"),
    (RNN.replace("STATE", "[1, 2]"), "problem:2: layers[0].initial_state: initial_state (neuron) is 2, expected 1"),
    (RNN.replace("STATE", "[[1], [2], [3]]"), "problem:2: layers[0].initial_state: initial_state (sample, neuron) is 3×1, expected 2×1"),
    (RNN.replace("STATE", "[[1, 2], [2, 3]]"), "problem:2: layers[0].initial_state: initial_state (sample, neuron) is 2×2, expected 2×1"),
    (RNN.replace("STATE", "[[1], [2, 3]]"), "problem:2: layers[0].initial_state: rows of different lengths: 1, 2"),
    (RNN.replace("STATE", "[[1], [2]]") + "\ntraining: {mode: online}",
     "problem:3: training: initial states of every sample go with mode: batch only; or give one state for all samples"),
    (RNN.replace("STATE", "[[1], [2]]") + "\ntest: [{inputs: [[1]], targets: [1]}]",
     "problem:3: test: initial states of every sample leave none to test with; give one state for all samples"),
    ("inputs: [1, 2]\nlayers: [{type: batch_norm, running_mean: [0, 0]}]",
     "problem:2: layers[0]: running_mean and running_var go together"),
    ("inputs: [1, 2]\nlayers: [{type: batch_norm, running_mean: [0, 0], running_var: [1]}]",
     "problem:2: layers[0].running_var: running_var (feature) is 1, expected 2"),
    ("inputs: [1, 2]\nlayers: [{type: batch_norm, mode: eval}]",
     "problem:2: layers[0].mode: goes with running_mean and running_var only"),
    ("inputs: [1, 2]\nlayers: [{type: batch_norm, running_mean: [0, 0], running_var: [1, 1], momentum: 2}]",
     'problem:2: layers[0].momentum: expected a number from 0 to 1, found "2"'),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: max_pool, kernel_size: 2, padding: 2}]",
     "problem:2: layers[0].padding: the padding must be smaller than the window, or a window sees nothing else"),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: avg_pool, kernel_size: 2, padding: 2, count_include_pad: false}]",
     "problem:2: layers[0].padding: the padding must be smaller than the window, or a window sees nothing else"),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: avg_pool, kernel_size: 2, count_include_pad: never}]",
     'problem:2: layers[0].count_include_pad: expected true or false, found "never"'),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: conv2d, weights: [[1]], dilation: 0}]",
     'problem:2: layers[0].dilation: expected a whole number from 1 to 1000, found "0"'),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: conv_transpose2d, weights: [[1]], padding: full}]",
     'problem:2: layers[0].padding: expected a whole number from 0 to 1000, found "full"'),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: max_pool, kernel_size: 2, stride: [1, 2, 3]}]",
     "problem:2: layers[0].stride: expected one number or two, found 3 entries"),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: avg_pool, kernel_size: 2, stride: 0}]",
     'problem:2: layers[0].stride: expected a whole number from 1 to 1000, found "0"'),
    ("inputs: [[1, 2], [3, 4]]\ntargets: [1]\nlayers: [{type: maxpol, kernel_size: 2}, {neurons: 1, weights: [[1]]}]",
     'problem:3: layers[0].type: unknown value "maxpol", did you mean "max_pool"?'),
    ("inputs: [1, 2]\nlayers: [{type: [dense], neurons: 1, weights: [[1, 2]]}]",
     "problem:2: layers[0].type: expected a text, found […]"),
    ("inputs: [1, 2]\nlayers: [{type: dropout, mask: [1, 0.5]}]",
     "problem:2: layers[0].mask: a mask has ones and zeros only, found 0.5"),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: attention, mask: [[1, 0.5], [1, 1]]}]",
     "problem:2: layers[0].mask: a mask has ones and zeros only, found 0.5"),
    ("inputs: [[1, 2], [3, 4]]\nlayers: [{type: attention, mask: [[1, 0], [0, 0]]}]",
     "problem:2: layers[0].mask: token 2 sees nothing: a row of the mask needs a 1"),
    ("inputs: [1, 2]\nlayers: [{type: batch_norm, running_mean: [0, 0], running_var: [-1, 1]}]",
     "problem:2: layers[0].running_var: a variance is never below 0"),
    ("inputs: [1, 2]\nlayers: [{type: layer_norm, epsilon: -1}]",
     'problem:2: layers[0].epsilon: expected 0 or a number above it, found "-1"'),
    ("inputs: [[1, 2]]\nlayers: [{type: attention, heads: 2, query_weights: [[1, 2], [1, 2], [1, 2]]}]",
     "problem:2: layers[0].query_weights: 3 features cannot be shared by 2 heads"),
    ("layers: [{type: attention}]\ngiven: {query1: [[1, 0], [0, 1]], key1: [[1, 1], [0, 1]], value1: [[1, 2], [3, 4]]}",
     "problem:1: layers[0]: layer 1 (attention) takes token × … | time × …, but feature = 1 comes in; "
     "input_shape: [3, 2] is the size of unknown inputs"),
    ("given: {a: 1}\nequations: {f: a}\ninput_gradients: true", "problem:3: input_gradients: does not go with equations"),
    ("given: {a: 1}\nequations: {f: a}\nminimize: f\nparameters: [a]\nlearning_rate: 1\noptimizer: {momentum: {epsilon_inside: true}}",
     "problem:6: optimizer.momentum.epsilon_inside: unknown key; known are momentum, dampening"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ProblemError) as error:
        loads(text)
    assert str(error.value) == message


def test_one_head_needs_no_weights_but_two_do() -> None:
    with pytest.raises(ProblemError, match="query_weights"):
        solved({"inputs": INPUTS, "layers": [{"type": "attention", "heads": 2}]})
    with pytest.raises(ProblemError, match="value_weights"):
        solved({"inputs": INPUTS, "layers": [{"type": "attention", "value_bias": [1, 1]}]})
