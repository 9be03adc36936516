"""The script that confirms a network in scikit-learn: one partial_fit of a multi-layer perceptron from the problem's numbers.

- `sklearn_script(setup)` is its text. What MLPRegressor and MLPClassifier cannot be is refused by name.
"""

from __future__ import annotations

from typing import Any

from handcalc.bridges.confirmcode import COMPARISON
from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.network import reject
from handcalc.bridges.writing import shortest
from handcalc.errors import Message
from handcalc.problem.schema import Layer, Problem

_ACTIVATIONS = {"identity": "identity", "sigmoid": "logistic", "tanh": "tanh", "relu": "relu"}
# (last activation, loss) → class and what answers for the outputs
_KINDS = {
    ("identity", "half_squared_error"): ("MLPRegressor", "model.predict(x)"),
    ("sigmoid", "binary_cross_entropy"): ("MLPClassifier", "model.predict_proba(x)[:, 1]"),
    ("softmax", "cross_entropy"): ("MLPClassifier", "model.predict_proba(x)"),
}


def sklearn_script(setup: Setup) -> str:
    """The script. Raises ModelError."""
    problem, graph = setup.problem, setup.graph
    kind, outputs = _kind(problem)
    sizes = [len(layer.neurons) for layer in problem.layers]
    hidden = {layer.activations[0].name for layer in problem.layers[:-1]} or {"identity"}
    if len(hidden) > 1 or not hidden <= {*_ACTIVATIONS}:
        _cannot(Message("{names} in hidden layers", names=", ".join(sorted(hidden))))
    samples = len(problem.samples)
    rate = problem.learning_rate
    assert rate is not None
    settings = f'solver="sgd", alpha=0.0, momentum=0.0, nesterovs_momentum=False, batch_size={samples}, shuffle=False, max_iter=1'
    targets, classes = _targets(setup, kind)
    lines = [
        "import numpy as np", f"from sklearn.neural_network import {kind}", *COMPARISON, f"x = {_array(setup, graph.inputs, samples)}",
        f"y = {targets}",
        f"model = {kind}(hidden_layer_sizes={sizes[:-1]!r}, activation={_ACTIVATIONS[next(iter(hidden))]!r}, "
        f"learning_rate_init={rate.numerator / rate.denominator!r}, {settings})",
        f"model.partial_fit(x, y{classes})  # makes the arrays",
    ]  # fmt: skip
    for number in range(1, len(sizes) + 1):
        weight, bias = graph.in_layer(number, "weight"), graph.in_layer(number, "bias")
        lines.append(f"model.coefs_[{number - 1}][...] = {_array(setup, weight, sizes[number - 1])}.T")
        lines.append(f"model.intercepts_[{number - 1}][...] = np.array([{_numbers(setup, bias)}])")
    lines.append(_same("outputs", outputs, setup, graph.in_layer(len(sizes), "out")))
    lines.append(f"model.partial_fit(x, y{classes})")
    factor = f" * {sizes[-1]}" if kind == "MLPRegressor" else ""
    lines.append(_same("loss", f"np.array(model.loss_{factor})", setup, "loss"))
    for number in range(1, len(sizes) + 1):
        for key, found in (("weight", f"model.coefs_[{number - 1}].T"), ("bias", f"model.intercepts_[{number - 1}]")):
            name = graph.in_layer(number, key)
            lines.append(_same(f"new.{name}", found, setup, graph.updated(name)))
    return "\n".join(lines) + "\n"


def _kind(problem: Problem) -> tuple[str, str]:
    """The class of the model, and what answers for its outputs. Raises ModelError."""
    for number, layer in enumerate(problem.layers, 1):
        if layer.type != "dense" or len(layer.activations) != 1:
            _cannot(Message("layer {number} (type: {type})", number=number, type=layer.type))
        if not _own_biases(layer):
            _cannot(Message("layer {number} without a bias of its own for every neuron", number=number))
    loss = problem.loss
    if loss is None or problem.learning_rate is None:
        _cannot(Message("a problem without a loss and a learning rate"))
        raise AssertionError
    found = _KINDS.get((problem.layers[-1].activations[0].name, loss.name))
    if found is None or loss.weights or loss.target is not None or found[0] == "MLPClassifier" and len(problem.layers[-1].neurons) == 2:
        _cannot(Message("{loss} with {name}", loss=loss.name, name=problem.layers[-1].activations[0].name))
        raise AssertionError
    if problem.optimizer.name != "sgd" or problem.optimizer.numbers or not problem.trained_biases:
        _cannot(Message("an optimiser with numbers of its own, or biases that are not trained"))
    if problem.conventions.sample_reduction != "mean":
        _cannot("sample_reduction: sum")
    return found


def _own_biases(layer: Layer) -> bool:
    bias = layer.bias
    return bias is not None and not bias.threshold and (bias.form == "neuron" or bias.form == "shared" and len(layer.neurons) == 1)


def _targets(setup: Setup, kind: str) -> tuple[str, str]:
    """The targets as typed, and the argument that names the classes. Raises ModelError."""
    samples, numbers = len(setup.problem.samples), setup.numbers(setup.graph.targets)
    outputs = len(numbers) // samples
    if kind == "MLPRegressor":
        return f"np.array([{', '.join(map(shortest, numbers))}]).reshape({samples}, {outputs})" + (".ravel()" if outputs == 1 else ""), ""
    rows = [numbers[start : start + outputs] for start in range(0, len(numbers), outputs)]
    if any(one not in (0, 1) for one in numbers) or outputs > 1 and any(sum(row) != 1 for row in rows):
        _cannot(Message("targets that are no classes"))
    found = [int(row[0]) if outputs == 1 else row.index(1) for row in rows]
    return f"np.array({found!r})", f", classes={list(range(max(outputs, 2)))!r}"


def _array(setup: Setup, name: str, rows: int) -> str:
    numbers = setup.numbers(name)
    size = 1
    for one in setup.shape(name):
        size *= one
    if len(numbers) != size:
        _cannot(Message("missing edges ({name})", name=name))
    return f"np.array([{', '.join(map(shortest, numbers))}]).reshape({rows}, -1)"


def _numbers(setup: Setup, name: str) -> str:
    return ", ".join(map(shortest, setup.numbers(name)))


def _same(label: str, found: str, setup: Setup, name: str) -> str:
    return f'same("{label}", {found}, [{_numbers(setup, name)}])'


def _cannot(what: str | Message) -> Any:
    reject("{what} cannot be written for {framework}", what=what, framework="scikit-learn")
