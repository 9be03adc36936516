"""scikit-learn: multi-layer perceptrons and linear models, from their attributes or from arrays by the same names.

- `attributes(model)` are the arrays and words of an estimator; `mlp` and `linear_model` make a network of them; `is_linear(arrays)`.

Facts (scikit-learn 1.9): `coefs_[i]` has a row per input; `loss_` of a regressor is ½·mean over samples and outputs, but its gradient that
of ½Σ over outputs, mean over samples; a classifier of two classes has one logistic output; alpha is added to the gradient as αW/n.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handcalc.bridges.network import OPEN, BroughtLayer, BroughtNetwork, dense, reject
from handcalc.errors import Message

ACTIVATIONS = {"identity": "identity", "logistic": "sigmoid", "tanh": "tanh", "relu": "relu", "softmax": "softmax"}
LOSS_OF = {"identity": "half_squared_error", "sigmoid": "binary_cross_entropy", "softmax": "cross_entropy"}
_LINEAR = {"LinearRegression": "identity", "Ridge": "identity", "Lasso": "identity", "ElasticNet": "identity", "SGDRegressor": "identity"}
_CLASSIFIERS = ("LogisticRegression",)


def attributes(model: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The arrays and words of a fitted estimator. Raises ModelError for one that is no network."""
    import numpy

    kind = type(model).__name__
    if kind in (*_LINEAR, *_CLASSIFIERS) and hasattr(model, "coef_"):
        return {"coef": numpy.atleast_2d(model.coef_), "intercept": numpy.atleast_1d(model.intercept_)}, {"model": kind}
    if kind in ("MLPClassifier", "MLPRegressor") and hasattr(model, "coefs_"):
        arrays = {f"coefs_{place}": array for place, array in enumerate(model.coefs_)}
        arrays |= {f"intercepts_{place}": array for place, array in enumerate(model.intercepts_)}
        return arrays, {"activation": model.activation, "out_activation": model.out_activation_}
    known = ", ".join(("MLPClassifier", "MLPRegressor", *_LINEAR, *_CLASSIFIERS))
    reject("{found} is no fitted network or linear model of scikit-learn; known are {known}", found=kind, known=known)


def is_linear(arrays: Mapping[str, Any]) -> bool:
    """Whether arrays are those of a linear model."""
    return {name.rstrip("_") for name in arrays} in ({"coef"}, {"coef", "intercept"})


def linear_model(arrays: Mapping[str, Any], words: Mapping[str, str], where: str = "") -> BroughtNetwork:
    """One layer; its activation is asked for where the file does not name the model."""
    import numpy

    found = {name.rstrip("_"): array for name, array in arrays.items()}
    weights = numpy.atleast_2d(found["coef"])
    bias = numpy.atleast_1d(found["intercept"]) if "intercept" in found else None
    kind = words.get("model", "")
    if kind and kind not in (*_LINEAR, *_CLASSIFIERS):
        reject("{found} is no linear model that is known; known are {known}", where, found=kind, known=", ".join((*_LINEAR, *_CLASSIFIERS)))
    activation = _LINEAR.get(kind, OPEN)
    if kind in _CLASSIFIERS:
        activation = "sigmoid" if len(weights) == 1 else "softmax"
    if bias is not None and bias.size == 1 and len(weights) > 1:
        bias = numpy.repeat(bias, len(weights))
    keys = {"loss": LOSS_OF[activation]} if activation in LOSS_OF else {}
    return BroughtNetwork((dense(weights, bias, kind or "coef_", ("coef_", "intercept_"), activation),), kind, entry=1, keys=keys)


def mlp(arrays: Mapping[str, Any], words: Mapping[str, str], where: str = "") -> BroughtNetwork:
    """A multi-layer perceptron; activations are asked for where the file does not say them."""
    layers: list[BroughtLayer] = []
    count = sum(name.startswith("coefs_") for name in arrays)
    for place in range(count):
        name, other = f"coefs_{place}", f"intercepts_{place}"
        if name not in arrays or arrays[name].ndim != 2:
            reject("{name} is missing, or no matrix", where, name=name)
        key = "out_activation" if place == count - 1 else "activation"
        layers.append(dense(arrays[name], arrays.get(other), name, (name, other), _activation(words, key, where), by_input=True))
    keys = {}
    remarks = []
    last = layers[-1].keys["activation"]
    if last in LOSS_OF:
        keys["loss"] = LOSS_OF[last]
        if last == "identity":
            remarks.append(
                Message("scikit-learn's gradient is that of ½Σ(t − o)², averaged over samples; its loss_ is divided by the outputs too.")
            )
    return BroughtNetwork(tuple(layers), "", tuple(remarks), 1, keys)


def _activation(words: Mapping[str, str], key: str, where: str) -> str:
    word = words.get(key) or words.get(key + "_")
    if word is None:
        return OPEN
    if word not in ACTIVATIONS:
        reject("{found} is no activation of scikit-learn; known are {known}", where, found=word, known=", ".join(ACTIVATIONS))
    return ACTIVATIONS[word]
