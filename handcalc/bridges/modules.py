"""Networks of running programs → problems: `from_torch`, `from_keras`, `from_sklearn`.

Each takes the framework's own object, inputs and targets as arrays or lists (one sample or several), and what is minimised and how; each
answers a `Problem`, which `derive`, `check`, `export` and all others take.
"""

from __future__ import annotations

from typing import Any

from handcalc.bridges.network import BroughtNetwork, Wishes, reject, with_activation
from handcalc.bridges.writing import problem_of
from handcalc.problem.schema import Problem


def from_torch(module: Any, inputs: Any, targets: Any = None, loss: Any = None, optimizer: Any = None) -> Problem:
    """The problem of a PyTorch module: an nn.Sequential of modules that handcalc has, or one of them.

    inputs, targets: tensors, arrays or lists, of one sample or several; targets may be numbers of classes with CrossEntropyLoss.
    loss: a criterion such as nn.MSELoss(), or a loss as in a problem file; optimizer: a torch.optim optimiser that has made no update, or a
    learning rate. A sigmoid or softmax that is inside the loss stands in the last layer of the problem. Raises ModelError.
    """
    from handcalc.bridges.torchmodule import brought

    return problem_of(*torch_network(brought(module), inputs, targets, loss, optimizer))


def torch_network(network: BroughtNetwork, inputs: Any, targets: Any, loss: Any, optimizer: Any) -> tuple[BroughtNetwork, Wishes]:
    """A network of PyTorch with what is minimised and how, and the numbers for it."""
    from handcalc.bridges.torchmodule import loss_of, optimizer_of

    wishes = Wishes(inputs=as_numbers(inputs), targets=as_numbers(targets))
    keys: dict[str, Any] = {}
    if isinstance(loss, str):
        keys["loss"] = loss
    elif loss is not None:
        word, reduction, activation, remarks = loss_of(loss, _outputs(network, wishes))
        keys |= {"loss": word, "sample_reduction": reduction}
        layers = list(network.layers)
        if activation:
            with_activation(layers, activation, type(loss).__name__)
        network = network.replace(layers=tuple(layers), remarks=(*network.remarks, *remarks))
    if isinstance(optimizer, (int, float)):
        keys["learning_rate"] = optimizer
    elif optimizer is not None:
        keys |= optimizer_of(optimizer)
    return network.replace(keys={**network.keys, **keys}), wishes


def from_keras(model: Any, inputs: Any, targets: Any = None, loss: str = "", learning_rate: float | None = None) -> Problem:
    """The problem of a Keras model, Sequential or a chain of layers. loss: as in a problem file. Inputs are as for the model.
    Raises ModelError."""
    from handcalc.bridges.keraslayers import brought_of_model

    return problem_of(brought_of_model(model), _wishes(inputs, targets, loss, learning_rate))


def from_sklearn(model: Any, inputs: Any, targets: Any = None, learning_rate: float | None = None) -> Problem:
    """The problem of a fitted MLPClassifier, MLPRegressor or linear model of scikit-learn. The loss is the model's own, as its gradient has
    it; targets: numbers, or classes as ones and zeros (numbers of classes with a softmax). Raises ModelError."""
    from handcalc.bridges.sklearnmodel import attributes
    from handcalc.bridges.statedict import read_arrays

    arrays, words = attributes(model)
    if "model" not in words and float(model.alpha) > 0 and targets is not None and learning_rate is not None:
        reject("alpha is not 0: its αW/n is a penalty; write it into the problem (regularization), or use alpha=0")
    network = read_arrays(arrays, words, Wishes(), "")
    return problem_of(network.replace(title=type(model).__name__), _wishes(inputs, targets, "", learning_rate))


def _wishes(inputs: Any, targets: Any, loss: str, learning_rate: float | None) -> Wishes:
    rate = repr(learning_rate) if learning_rate is not None else ""
    return Wishes(inputs=as_numbers(inputs), targets=as_numbers(targets), loss=loss, learning_rate=rate)


def as_numbers(values: Any) -> Any:
    """Lists as they are, tensors and arrays as arrays."""
    if values is None or isinstance(values, (list, tuple, int, float)):
        return values
    if hasattr(values, "detach"):
        values = values.detach().cpu().numpy()
    import numpy

    return numpy.asarray(values)


def _outputs(network: BroughtNetwork, wishes: Wishes) -> int:
    """n, the outputs of one sample, from the problem without targets."""
    from math import prod

    bare = problem_of(network.replace(keys={}), wishes.replace(targets=None))
    return prod(axis.size for axis in bare.layers[-1].axes) or len(bare.layers[-1].neurons)
