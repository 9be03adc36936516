"""Law 3 with PyTorch as the judge, for every type of layer: outputs, and every gradient, equal autograd in double precision.

The layers of a random network are worked out by PyTorch's own: conv2d, RNN, LSTM, GRU, scaled_dot_product_attention, layer_norm …
(`LAYERS` of models.py).
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import CASES, LAYERS, Maker, Network, Run
from oracles import close, law

from handcalc.core.evaluation import Evaluation
from handcalc.core.graph import Graph
from handcalc.layers import FILES
from handcalc.loading.loader import loads
from handcalc.models import build
from handcalc.training import network as trained
from handcalc.training.trainer import Trainer

torch = pytest.importorskip("torch")
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore:Using padding='same'")]  # of kernels of even size


# --- the law ----------------------------------------------------------------------------------------------------------


def array(graph: Graph, evaluation: Evaluation, name: str) -> Any:
    """All cells of a quantity."""
    found = np.full([axis.size for axis in graph[name].axes], np.nan)
    for place in graph.positions(name):
        found[place] = float(evaluation[name, place])
    return found


def test_every_type_is_compared() -> None:
    assert {*LAYERS} == {*FILES}


@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
@law(40)
def test_as_autograd(kind: str, data: Any) -> None:
    network: Network = CASES[kind](Maker(data.draw))
    problem = network.problem()
    model = build(problem)
    graph, known = model.graph, Evaluation(model.graph)
    names = [quantity.name for quantity in graph if quantity.kind in ("weight", "bias") and not quantity.stage]
    run = Run({name: torch.tensor(array(graph, known, name), dtype=torch.double, requires_grad=True) for name in names})

    words = np.issubdtype(network.inputs.dtype, np.integer)
    inputs = torch.tensor(network.inputs) if words else torch.tensor(network.inputs, dtype=torch.double, requires_grad=True)
    first = network.layers[0].get("type", "")
    plain = "conv" in first and inputs.ndim == (3 if first.endswith("1d") else 4) - 1
    run.outputs.append(inputs[:, None] if plain else inputs)
    for place, layer in enumerate(network.layers, 1):
        source = run.outputs[problem.layers[place - 1].taken(place)[0]]
        run.outputs.append(LAYERS[layer.get("type", "dense")](layer, place, source, run))

    out = array(graph, known, f"out{len(network.layers)}") if f"out{len(network.layers)}" in graph else None
    goals = [[t.numerator / t.denominator for t in sample.targets or ()] for sample in problem.samples]
    losses = 0.5 * ((run.outputs[-1].flatten(1) - torch.tensor(goals, dtype=torch.double)) ** 2).sum(1)
    mean = problem.conventions.sample_reduction == "mean"
    loss = losses.mean() if mean else losses.sum()
    loss.backward()
    assert close(float(known["loss", ()]), float(loss.detach()), 1e-10), f"{network}"
    if out is not None and network.layers[-1].get("type") not in ("rnn", "lstm", "gru"):
        assert np.allclose(out.ravel(), run.outputs[-1].detach().numpy().ravel(), rtol=1e-10, atol=1e-12), f"{network}"

    own = mean and "grad.loss" not in graph and not words  # grad.x is each sample's own
    expected = {name: tensor.grad for name, tensor in run.parameters.items()}
    if not words:
        expected["x"] = inputs.grad * (len(problem.samples) if own else 1)
    compared = 0
    for name, judged in expected.items():
        got = array(graph, known, "grad." + name)
        for place, value in zip(
            np.ndindex(got.shape), (judged if judged is not None else torch.zeros(got.shape)).reshape(got.shape).ravel()
        ):
            assert close(float(got[place]), float(value), 1e-10), f"{network}\ngrad.{name}{place}: {got[place]}, autograd {float(value)}"
            compared += 1
    assert compared


@pytest.mark.parametrize("kind", ["lstm", "gru"])
def test_the_matrices_of_a_recurrent_module_can_be_typed_as_they_are(kind: str) -> None:
    """weight_ih_l0, weight_hh_l0, bias_ih_l0 and bias_hh_l0, gates below each other in PyTorch's order."""
    torch.manual_seed(5)
    module = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](2, 3, dtype=torch.double)
    keys = {"input_weights": "weight_ih_l0", "hidden_weights": "weight_hh_l0", "bias": "bias_ih_l0", "hidden_bias": "bias_hh_l0"}
    layer = {"type": kind, "neurons": 3, **{key: getattr(module, name).tolist() for key, name in keys.items()}}
    inputs = np.random.default_rng(6).normal(size=(4, 2))
    problem = loads(json.dumps({"inputs": inputs.tolist(), "layers": [layer | ({"reset_after": True} if kind == "gru" else {})]}))
    evaluation = Evaluation(build(problem).graph)
    expected = module(torch.tensor(inputs))[0].detach().numpy()
    assert np.allclose([[evaluation["out1", (time + 1, unit)] for unit in range(3)] for time in range(4)], expected, rtol=1e-12)


# --- shares of classes for every token ----------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [1, 2.5])
@pytest.mark.parametrize("samples", [1, 3])
def test_cross_entropy_averaged_over_tokens(samples: int, temperature: float) -> None:
    """PyTorch's CrossEntropyLoss of a sequence, with numbers of classes as targets."""
    draw = np.random.default_rng(samples)
    inputs, weights = np.round(draw.normal(size=(samples, 4, 3)), 2), np.round(draw.normal(size=(5, 3)), 2)
    classes = draw.integers(0, 5, (samples, 4))
    layer = {"neurons": 5, "weights": weights.tolist(), "activation": {"softmax": {"temperature": temperature}}}
    text = [{"inputs": rows.tolist(), "targets": [int(one) for one in goals]} for rows, goals in zip(inputs, classes)]
    problem = loads(json.dumps({"samples": text, "layers": [layer], "loss": "mean_cross_entropy", "learning_rate": 0.1}))
    kernel = torch.tensor(weights, requires_grad=True)
    logits = torch.tensor(inputs) @ kernel.T / temperature
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), torch.tensor(classes).flatten())
    loss.backward()
    graph = build(problem).graph
    known = Evaluation(graph)
    assert close(float(known["loss", ()]), float(loss.detach()), 1e-10)
    assert np.allclose(array(graph, known, "grad.W1"), kernel.grad.numpy(), rtol=1e-10, atol=1e-14)


# --- running means ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [None, 3], ids=["batch", "mini-batches"])
@pytest.mark.parametrize("maps", [False, True], ids=["features", "maps"])
def test_training_and_predicting_with_running_means(maps: bool, size: int | None) -> None:
    """Three epochs, then predictions in evaluation mode."""
    draw = np.random.default_rng(8)
    shape, channels = ((2, 3, 2) if maps else (4,)), 2 if maps else 4
    inputs, goals = np.round(draw.normal(size=(6, *shape)), 2), np.round(draw.normal(size=(6, 1)), 2)
    kernel = np.round(draw.normal(size=(1, int(np.prod(shape)))), 2)
    norm = {"type": "batch_norm", "weights": [1.1, 0.9, 0.7, 1.3][:channels], "bias": [0.1, -0.2, 0, 0.3][:channels]}
    norm |= {"running_mean": [0.0] * channels, "running_var": [1.0] * channels}
    layers = [norm, *([{"type": "flatten"}] if maps else []), {"neurons": 1, "weights": kernel.tolist(), "bias": [0.2]}]
    samples = [{"inputs": one.tolist(), "targets": goal.tolist()} for one, goal in zip(inputs, goals)]
    training = {"training": {"mode": "mini_batch", "batch_size": size}} if size else {}
    trainer = Trainer(loads(json.dumps({"samples": samples, "layers": layers, "learning_rate": 0.05, **training})))
    trainer.advance(3 * trainer.epoch)

    own = (torch.nn.BatchNorm2d if maps else torch.nn.BatchNorm1d)(channels, dtype=torch.double)
    dense = torch.nn.Linear(kernel.shape[1], 1, dtype=torch.double)
    with torch.no_grad():
        for parameter, value in ((own.weight, norm["weights"]), (own.bias, norm["bias"]), (dense.weight, kernel), (dense.bias, [0.2])):
            parameter.copy_(torch.tensor(value, dtype=torch.double))
    network = torch.nn.Sequential(own, torch.nn.Flatten(), dense)
    descent = torch.optim.SGD(network.parameters(), lr=0.05)
    data, targets = torch.tensor(inputs), torch.tensor(goals)
    for start in [*range(0, 6, size or 6)] * 3:
        batch = slice(start, start + (size or 6))
        descent.zero_grad()
        (0.5 * ((network(data[batch]) - targets[batch]) ** 2).sum(1).mean()).backward()
        descent.step()
    values = trainer.values()
    for name, judged in (("running_mean1", own.running_mean), ("running_var1", own.running_var)):
        assert [values[name, (place,)] for place in range(channels)] == pytest.approx(judged.tolist(), rel=1e-12), name
    network.eval()
    expected = network(data).detach().numpy()
    assert np.allclose([trained.Network(trainer).predict(one.ravel().tolist()) for one in inputs], expected, rtol=1e-12)
    assert np.allclose(trained.Network(trainer).outputs_of(trainer.problem.samples), expected, rtol=1e-12)
    assert np.allclose(trained.Network(trainer).outputs([one.ravel().tolist() for one in inputs]), expected, rtol=1e-12)


# --- conventions --------------------------------------------------------------------------------------------------------


@given(data=st.data())
@law(40)
def test_the_largest_share_a_gradient_as_in_amax(data: Any) -> None:
    """Windows of few different numbers, so that many are the largest; padding is never one of them."""
    make = Maker(data.draw)
    window, stride = (make.size(1, 3), make.size(2, 3)), (make.size(1, 3), make.size(1, 3))
    padding = (make.size(0, window[0] - 1), make.size(0, window[1] - 1))
    shape = tuple(one + make.size(0, 3) for one in window)
    numbers = make.random.integers(-1, 2, (2, *shape))
    layer = {"type": "max_pool", "kernel_size": list(window), "stride": list(stride), "padding": list(padding)}
    problem = Network(numbers.astype(float), [layer], {"conventions": {"max_ties": "split"}, "sample_reduction": "sum"}).problem()
    graph = build(problem).graph
    known = Evaluation(graph)
    inputs = torch.tensor(numbers, dtype=torch.double, requires_grad=True)
    wide = torch.nn.functional.pad(inputs[:, None], (padding[1],) * 2 + (padding[0],) * 2, value=-1e9)
    pooled = wide.unfold(2, window[0], stride[0]).unfold(3, window[1], stride[1]).amax((-1, -2))
    goals = torch.tensor([[t.numerator / t.denominator for t in sample.targets or ()] for sample in problem.samples], dtype=torch.double)
    (0.5 * (pooled.flatten(1) - goals) ** 2).sum().backward()
    assert np.allclose(array(graph, known, "grad.x"), inputs.grad, rtol=1e-10, atol=1e-12), f"{numbers}, {layer}"
