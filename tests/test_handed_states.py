"""Recurrent layers in both directions with one key, and states that one layer hands on to another: as the layers that they stand for,
as PyTorch, saved as they were typed."""

from __future__ import annotations

import random
from typing import Any

import pytest
from shipping import some

from handcalc import derive, gradcheck, loads
from handcalc.errors import ProblemError
from handcalc.loading.saving import with_parameters
from handcalc.training.trainer import Trainer

GATES = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate"), "rnn": ("",)}
TIMES = "inputs: [[1, 0.5], [0.2, -0.3], [0.4, 0.1], [0.7, -0.2]]\n"


def numbers(chooser: random.Random, rows: int, columns: int) -> list[list[float]]:
    return [[round(chooser.uniform(-0.9, 0.9), 2) for _ in range(columns)] for _ in range(rows)]


def cell(chooser: random.Random, kind: str, units: int, inputs: int) -> dict[str, Any]:
    """The parameters of one direction, gates below each other."""
    gates = len(GATES[kind])
    found = {"input_weights": numbers(chooser, gates * units, inputs), "hidden_weights": numbers(chooser, gates * units, units)}
    return {**found, "bias": numbers(chooser, 1, gates * units)[0]}


def written(keys: dict[str, Any]) -> str:
    """Keys of a layer in brackets."""
    parts = [f"{key}: {{{written(value)}}}" if isinstance(value, dict) else f"{key}: {value}" for key, value in keys.items()]
    return ", ".join(parts).replace("'", "").replace("True", "true")


def problem(*layers: dict[str, Any]) -> str:
    lines = "".join(f"  - {{{written(layer)}}}\n" for layer in layers)
    return TIMES + "layers:\n" + lines + "loss: half_squared_error\nlearning_rate: 0.5\n"


def gradients(text: str) -> dict[str, float]:
    derivation = derive(loads(text))
    graph = derivation.graph
    return {
        graph.cell_id((name, place)): float(derivation.evaluation[graph.gradient(name), place])
        for name in derivation.updated
        for place in graph.positions(name)
    }


# --- both directions --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("last", [False, True])
@pytest.mark.parametrize("kind", GATES)
def test_both_directions_are_two_layers_and_a_concatenate(kind: str, last: bool) -> None:
    chooser = random.Random(kind)
    forward, backward = cell(chooser, kind, 2, 2), cell(chooser, kind, 2, 2)
    returns = {"returns": "last"} if last else {}
    dense = {"neurons": "[y]", "weights": numbers(chooser, 1, 4)}
    targets = "targets: [0.4]\n" if last else "targets: [[0.4], [0.1], [0.2], [0.3]]\n"
    short = problem({"type": kind, "neurons": "[a, b]", "bidirectional": True, **returns, **forward, "backward": backward}, dense)
    long = problem(
        {"type": kind, "neurons": "[a_back, b_back]", "reverse": True, **returns, **backward},
        {"type": kind, "neurons": "[a, b]", "from": 0, **returns, **forward},
        {"type": "concatenate", "from": 1},
        dense,
    )
    assert gradients(targets + short) == gradients(targets + long)


def test_a_layer_after_one_in_both_directions_is_counted_as_in_the_file() -> None:
    text = (
        TIMES
        + """
targets: [[1], [1], [0], [1]]
layers:
  - {type: rnn, neurons: [h], bidirectional: true, input_weights: [[0.4, 1]], hidden_weights: [[0.6]],
     backward: {input_weights: [[0.5, 0.2]], hidden_weights: [[-0.3]]}}
  - {neurons: [k], weights: [[0.3, 0.4]]}
  - {neurons: [y], from: 1, weights: [[0.8, -0.5]]}
  - {type: residual, from: 2}
"""
    )
    assert [layer.type for layer in loads(text).layers] == ["rnn", "rnn", "concatenate", "dense", "dense", "residual"]
    assert loads(text).layers[4].taken(5) == (3,)
    assert loads(text).layers[5].taken(6) == (5, 4)


def test_it_is_saved_as_it_was_typed() -> None:
    text = (
        TIMES
        + """
targets: [1]
layers:
  - type: gru
    name: reader
    units: 1                      # of each direction
    bidirectional: true
    returns: last
    input_weights: [[0.4, 1], [0.1, 0.2], [0.3, -0.4]]
    hidden_weights: [[0.6], [0.2], [-0.1]]
    backward: {input_weights: [[0.5, 0.2], [0.1, 0.6], [0.2, 0.9]], hidden_weights: [[-0.3], [0.1], [0.7]]}
  - {neurons: [y], activation: sigmoid, weights: [[0.8, -0.5]]}
loss: binary_cross_entropy
learning_rate: 0.5
"""
    )
    trainer = Trainer(loads(text))
    trainer.advance(3)
    again = with_parameters(text, loads(text), trainer.whole.graph, trainer.values())
    assert "# of each direction" in again and again.count("bidirectional") == 1
    assert Trainer(loads(again)).loss() == pytest.approx(trainer.loss(), rel=1e-12)
    assert [layer.name for layer in loads(text).layers] == ["reader_backward", "reader_forward", "reader", "dense1"]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("bidirectional: true", "the key backward is missing"),
        ("bidirectional: false, backward: {}", "backward: goes with bidirectional: true"),
        ("bidirectional: true, reverse: true, backward: {}", "reverse: does not go with bidirectional: true"),
        ("bidirectional: true, backward: {foo: 1}", "foo: unknown key"),
    ],
)
def test_what_is_wrong_with_it_is_said(keys: str, message: str) -> None:
    layer = f"  - {{type: rnn, neurons: [h], {keys}, input_weights: [[0.4, 1]], hidden_weights: [[0.6]]}}\n"
    with pytest.raises(ProblemError, match=message):
        loads(TIMES + "layers:\n" + layer)


# --- states that are handed on ----------------------------------------------------------------------------------------


def handed(kind: str, seed: int, **keys: Any) -> str:
    """An encoder of the first two times, and a decoder of the other two."""
    chooser = random.Random(f"{kind} {seed}")
    starts: dict[str, Any] = {"initial_state": {"from": "encoder"}}
    if kind == "lstm":
        starts["initial_cell"] = {"from": "encoder"}
    if kind == "gru":
        keys["reset_after"] = starts["reset_after"] = True  # as in PyTorch
    return "targets: [[0.4], [0.1]]\n" + problem(
        {"type": "slice", "tokens": [1, 2]},
        {"name": "encoder", "type": kind, "neurons": "[a, b]", **cell(chooser, kind, 2, 2), **keys},
        {"type": "slice", "from": 0, "tokens": [3, 4]},
        {
            "name": "decoder",
            "type": kind,
            "neurons": "[c, d]",
            **starts,
            **cell(chooser, kind, 2, 2),
            **({"reverse": True} if seed % 2 else {}),
        },
        {"neurons": "[y]", "weights": numbers(chooser, 1, 2)},
    )


@pytest.mark.parametrize("kind", some(GATES, ["rnn"]))
def test_gradients_go_through_a_state_that_is_handed_on(kind: str) -> None:
    for seed, reverse in enumerate((False, True, True, False)):
        assert gradcheck(loads(handed(kind, seed, reverse=reverse))).ok


@pytest.mark.slow
@pytest.mark.parametrize("kind", GATES)
def test_as_pytorch(kind: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    for seed in range(0, 8, 2):
        text = handed(kind, seed)
        problem = loads(text)
        chooser = random.Random(f"{kind} {seed}")
        tensors, modules = {}, []
        for number in (2, 4):
            keys = cell(chooser, kind, 2, 2)
            module = getattr(torch.nn, kind.upper())(2, 2).double()
            own = {"weight_ih_l0": keys["input_weights"], "weight_hh_l0": keys["hidden_weights"], "bias_ih_l0": keys["bias"]}
            for name, values in own.items():
                getattr(module, name).data = torch.tensor(values, dtype=torch.double)
                tensors[number, name] = getattr(module, name)
            module.bias_hh_l0.data.zero_()
            modules.append(module)
        inputs = torch.tensor([[1, 0.5], [0.2, -0.3], [0.4, 0.1], [0.7, -0.2]], dtype=torch.double)
        _, state = modules[0](inputs[:2])
        states, _ = modules[1](inputs[2:], state)
        outputs = states @ torch.tensor(numbers(chooser, 1, 2), dtype=torch.double).T
        (((outputs - torch.tensor([[0.4], [0.1]], dtype=torch.double)) ** 2).sum() / 2).backward()
        found = gradients(text)
        letters = {"lstm": "ifgo", "gru": "rzn", "rnn": [""]}[kind]
        for (number, name), tensor in tensors.items():
            stem = {"weight_ih_l0": "Wx", "weight_hh_l0": "Wh", "bias_ih_l0": "b"}[name]
            for row, values in enumerate(tensor.grad.reshape(tensor.shape[0], -1).tolist()):
                for column, value in enumerate(values):
                    place = f"{row % 2 + 1}" + f",{column + 1}" * (stem != "b")
                    assert found[f"{stem}{letters[row // 2]}{number}[{place}]"] == pytest.approx(value, rel=1e-10, abs=1e-12)
        assert len(problem.layers) == 5


def test_another_layer_may_give_the_state() -> None:
    text = (
        TIMES
        + """
targets: [0.3]
layers:
  - {name: start, type: slice, tokens: 1}
  - {name: first, neurons: [a, b], activation: tanh, weights: [[0.3, 0.2], [0.1, -0.4]]}
  - {type: rnn, from: 0, neurons: [h, k], returns: last, initial_state: {from: first}, input_weights: [[0.4, 1], [0.2, 0.3]],
     hidden_weights: [[0.6, 0.1], [-0.2, 0.5]]}
  - {neurons: [y], weights: [[0.8, -0.5]]}
learning_rate: 0.1
"""
    )
    assert gradcheck(loads(text)).ok
    trainer = Trainer(loads(text))
    before = trainer.loss()
    trainer.advance(20)
    assert trainer.loss() < before


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("initial_state: {from: a}", r"layer 1 puts out time × neuron = 4×2, and a state of 1 neuron is expected"),
        ("initial_state: {from: b}", "there is no layer"),
        ("initial_state: {form: a}", "unknown key"),
        ("truncate: 1, initial_state: {from: a}", "truncate: does not go with a state that another layer hands on"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(keys: str, message: str) -> None:
    text = TIMES + "layers:\n  - {name: a, type: rnn, neurons: 2, input_weights: [[0.4, 1], [1, 1]], hidden_weights: [[0.6, 1], [1, 1]]}\n"
    with pytest.raises(ProblemError, match=message):
        loads(text + f"  - {{type: rnn, neurons: [h], {keys}, input_weights: [[0.4, 1]], hidden_weights: [[0.6]]}}\n")


def test_only_a_cell_is_handed_on_as_one() -> None:
    text = TIMES + "layers:\n  - {name: a, type: rnn, neurons: 1, input_weights: [[0.4, 1]], hidden_weights: [[0.6]]}\n"
    gates = "input_weights: [[1], [1], [1], [1]], hidden_weights: [[1], [1], [1], [1]]"
    with pytest.raises(ProblemError, match="layer 1 has no cell to hand on"):
        loads(text + f"  - {{type: lstm, neurons: [h], initial_cell: {{from: a}}, {gates}}}\n")
