"""Keras: the configuration of layers and their arrays → layers.

- `brought(entries, where)` makes a network of `KerasLayer` records; `brought_of_model(model)` of a model in a running program;
  `chain_of(config, where)` are the layers of a model's configuration, which must be a chain.
- A new layer is a function and a line in `LAYERS`; a class that is not there is named and refused, and so is a Lambda, which holds code.

Layouts: a kernel has a row per input; a kernel of a convolution is row × column × channel × filter, maps have their channels last, so that
a flatten gives them in another order; LSTM has its gates in our order, GRU update, reset, candidate (Keras 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from handcalc.bridges.network import BroughtLayer, BroughtNetwork, checked, dense, entry_of, reject, with_activation
from handcalc.core.record import Record

ACTIVATIONS: Mapping[str, Any] = {
    "linear": "identity", "relu": "relu", "sigmoid": "sigmoid", "tanh": "tanh", "softmax": "softmax", "log_softmax": "log_softmax",
    "elu": "elu", "gelu": "gelu", "silu": "silu", "swish": "silu", "mish": "mish", "softplus": "softplus", "softsign": "softsign",
    "relu6": "relu6", "hard_sigmoid": "hard_sigmoid", "hard_tanh": "hard_tanh", "leaky_relu": {"leaky_relu": {"slope": 0.2}},
    "exponential": "exp(z)",
}  # fmt: skip


class KerasLayer(Record):
    """A layer: its class, its configuration, its arrays in the order of get_weights()."""

    kind: str
    config: Mapping[str, Any]
    arrays: Sequence[Any] = ()

    @property
    def name(self) -> str:
        """What the model calls it."""
        return str(self.config.get("name", ""))[:60]


class _Walk:
    """What has been read so far; channels: of the maps that come in, flattened: of maps that were flattened since."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.layers: list[BroughtLayer] = []
        self.channels = 0
        self.flattened = 0

    def add(self, layer: KerasLayer, keys: dict[str, Any], names: Mapping[str, str]) -> None:
        """A layer with its keys; names: key → what Keras calls the parameter."""
        if self.flattened:
            self.wrong(layer, "a layer with maps that were flattened before it")
        parameters = {key: (f"{layer.name}/{name}",) for key, name in names.items() if key in keys}
        self.layers.append(BroughtLayer(keys, f"{layer.name}: {layer.kind}", parameters))

    def activated(self, activation: Any, layer: KerasLayer) -> None:
        """An activation after the last layer."""
        with_activation(self.layers, self.activation(activation, layer), f"{layer.name}: {layer.kind}")

    def activation(self, word: Any, layer: KerasLayer) -> Any:
        """An activation in our words."""
        if word is None:
            return "identity"
        if not isinstance(word, str) or word not in ACTIVATIONS:
            found = (
                word
                if isinstance(word, str)
                else str(word.get("registered_name") or word.get("class_name"))
                if isinstance(word, dict)
                else "?"
            )
            reject("the activation {found} of {name} is not known here", self.where, found=found[:60], name=layer.name)
        return ACTIVATIONS[word]

    def wrong(self, layer: KerasLayer, option: str) -> Any:
        """A setting that is not known here. Raises ModelError."""
        reject("{found} ({name}) with this {option} is not known here", self.where, found=layer.kind, name=layer.name, option=option)

    def need(self, layer: KerasLayer, **usual: Any) -> None:
        """Settings that must be as usual. Raises ModelError."""
        for key, value in usual.items():
            if layer.config.get(key, value) != value:
                self.wrong(layer, key)

    def arrays(self, layer: KerasLayer, *counts: int) -> list[Any]:
        """The arrays, of which there must be so many. Raises ModelError."""
        if len(layer.arrays) not in counts:
            reject("{name} has {found} arrays, expected {wanted}", self.where, name=layer.name, found=len(layer.arrays), wanted=counts[0])
        return [checked(array, layer.name, self.where) for array in layer.arrays]


def brought(entries: Sequence[KerasLayer], where: str = "", title: str = "") -> BroughtNetwork:
    """The network. Raises ModelError, naming a class that is not known."""
    walk = _Walk(where)
    for layer in entries:
        reader = LAYERS.get(layer.kind)
        if reader is None:
            text = "the layer {found} ({name}) is not known here; known are {known}"
            reject(text, where, found=layer.kind[:60], name=layer.name, known=", ".join(LAYERS))
        reader(layer, walk)
    if not walk.layers:
        reject("there is no layer in it", where)
    last = any(layer.type.startswith("conv") or "pool" in layer.type for layer in walk.layers)
    return BroughtNetwork(tuple(walk.layers), title[:60], (), entry_of(walk.layers), channels_last=last)


def brought_of_model(model: Any) -> BroughtNetwork:
    """The network of a model in a running program."""
    config = {"class_name": type(model).__name__, "config": model.get_config()}
    chain = chain_of(config, "")
    weights = {layer.name: layer.get_weights() for layer in model.layers}
    return brought([layer.replace(arrays=weights.get(layer.name, [])) for layer in chain], "", type(model).__name__)


def chain_of(config: Any, where: str) -> list[KerasLayer]:
    """The layers of a configuration in order. Raises ModelError where they are no chain."""
    found = config.get("config") if isinstance(config, dict) else None
    layers = found.get("layers") if isinstance(found, dict) else found  # a list in old versions
    kind = config.get("class_name") if isinstance(config, dict) else None
    if kind not in ("Sequential", "Functional", "Model") or not isinstance(layers, list) or not all(map(_is_layer, layers)):
        reject("a Sequential model, or one that is a chain of layers, is expected", where)
    made = [KerasLayer(str(entry["class_name"]), entry["config"]) for entry in layers]
    if kind != "Sequential":
        for before, (entry, layer) in zip([None, *made], zip(layers, made)):
            sources = set(_sources(entry.get("inbound_nodes"), 0))
            if before is not None and sources != {before.name} or before is None and sources:
                reject("{name} does not go on from the layer before: the model is no chain", where, name=layer.name)
    return made


def _is_layer(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("config"), dict) and isinstance(entry.get("class_name"), str)


def _sources(value: Any, depth: int) -> list[str]:
    """The names of the layers that a node goes on from."""
    if depth > 12:
        return []
    if isinstance(value, dict):
        if isinstance(value.get("keras_history"), (list, tuple)) and value["keras_history"]:
            return [str(value["keras_history"][0])]
        return [name for part in value.values() for name in _sources(part, depth + 1)]
    if isinstance(value, (list, tuple)):
        if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):  # Keras 2
            return [value[0]]
        return [name for part in value for name in _sources(part, depth + 1)]
    return []


# --- layers -------------------------------------------------------------------------------------------------------------


def _input(layer: KerasLayer, walk: _Walk) -> None:
    shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape") or []
    walk.channels = shape[-1] if len(shape) == 4 and isinstance(shape[-1], int) else 0


def _dense(layer: KerasLayer, walk: _Walk) -> None:
    arrays = walk.arrays(layer, 2 if layer.config.get("use_bias", True) else 1)
    kernel = arrays[0]
    if kernel.ndim != 2:
        walk.wrong(layer, "kernel")
    if walk.flattened:  # row × column × channel in theirs, channel × row × column in ours
        if kernel.shape[0] % walk.flattened:
            walk.wrong(layer, "kernel")
        kernel = kernel.reshape(-1, walk.flattened, kernel.shape[1]).transpose(1, 0, 2).reshape(kernel.shape)
        walk.flattened = 0
    bias = arrays[1] if len(arrays) > 1 else None
    names = (f"{layer.name}/kernel", f"{layer.name}/bias")
    walk.layers.append(dense(kernel, bias, f"{layer.name}: Dense", names, by_input=True))
    walk.activated(layer.config.get("activation"), layer)


def _convolution(layer: KerasLayer, walk: _Walk) -> None:
    walk.need(layer, data_format="channels_last", groups=1)
    arrays = walk.arrays(layer, 2 if layer.config.get("use_bias", True) else 1)
    directions = 2 if layer.kind == "Conv2D" else 1
    if arrays[0].ndim != directions + 2:
        walk.wrong(layer, "kernel")
    kernel = arrays[0].transpose((3, 2, 0, 1) if directions == 2 else (2, 1, 0))
    keys: dict[str, Any] = {"type": f"conv{directions}d", "weights": kernel, **_moved(layer, walk, 1)}
    if any(one != 1 for one in _listed(layer.config.get("dilation_rate", 1))):
        keys["dilation"] = _listed(layer.config["dilation_rate"])
    if len(arrays) > 1:
        keys["bias"] = arrays[1]
    walk.add(layer, keys, {"weights": "kernel", "bias": "bias"})
    walk.channels = int(kernel.shape[0])
    walk.activated(layer.config.get("activation"), layer)


def _moved(layer: KerasLayer, walk: _Walk, usual: int | None) -> dict[str, Any]:
    keys: dict[str, Any] = {}
    strides = _listed(layer.config.get("strides") or layer.config.get("pool_size", 1))
    if usual is None or any(one != usual for one in strides):
        keys["stride"] = strides
    if layer.config.get("padding", "valid") == "same":
        keys["padding"] = "same"
    elif layer.config.get("padding", "valid") != "valid":
        walk.wrong(layer, "padding")
    return keys


def _listed(value: Any) -> list[int]:
    return [int(one) for one in value] if isinstance(value, (list, tuple)) else [int(value)]


def _pool(layer: KerasLayer, walk: _Walk) -> None:
    walk.need(layer, data_format="channels_last", padding="valid")
    kind = "max_pool" if layer.kind.startswith("Max") else "avg_pool"
    walk.add(layer, {"type": kind, "kernel_size": _listed(layer.config.get("pool_size", 2)), **_moved(layer, walk, None)}, {})


def _global_pool(layer: KerasLayer, walk: _Walk) -> None:
    walk.need(layer, data_format="channels_last", keepdims=False)
    walk.add(layer, {"type": "global_max_pool" if "Max" in layer.kind else "global_avg_pool"}, {})
    walk.channels = 0


def _flatten(layer: KerasLayer, walk: _Walk) -> None:
    if walk.channels:
        walk.layers.append(BroughtLayer({"type": "flatten"}, f"{layer.name}: Flatten"))
        walk.flattened, walk.channels = walk.channels, 0
    elif walk.layers and walk.layers[-1].type in ("conv1d", "rnn", "lstm", "gru", "embedding"):
        walk.wrong(layer, "input")


_GATES = {"SimpleRNN": ("rnn", (0,)), "LSTM": ("lstm", (0, 1, 2, 3)), "GRU": ("gru", (1, 0, 2))}  # our order, in places of theirs


def _recurrent(layer: KerasLayer, walk: _Walk) -> None:
    import numpy

    walk.need(layer, go_backwards=False, stateful=False, dropout=0.0, recurrent_dropout=0.0, return_state=False)
    kind, order = _GATES[layer.kind]
    arrays = walk.arrays(layer, 3 if layer.config.get("use_bias", True) else 2)

    def gates(array: Any) -> Any:
        blocks = numpy.split(array, len(order), axis=-1)
        return numpy.concatenate([blocks[place] for place in order], axis=-1)

    kernels = [gates(array).T for array in arrays[:2]]
    keys: dict[str, Any] = {"type": kind, "neurons": int(kernels[1].shape[1])}
    keys |= {"activation": walk.activation(layer.config.get("activation", "tanh"), layer)}
    keys |= {"input_weights": kernels[0], "hidden_weights": kernels[1]}
    names = {"input_weights": "kernel", "hidden_weights": "recurrent_kernel", "bias": "bias"}
    if kind != "rnn":
        keys["gate_activation"] = walk.activation(layer.config.get("recurrent_activation", "sigmoid"), layer)
    if kind == "gru":
        keys["reset_after"] = bool(layer.config.get("reset_after", True))
    if len(arrays) > 2:
        bias = gates(arrays[2])
        keys |= {"bias": bias[0], "hidden_bias": bias[1]} if bias.ndim == 2 else {"bias": bias}
    keys["returns"] = "all" if layer.config.get("return_sequences") else "last"
    walk.add(layer, keys, names)


def _batch_norm(layer: KerasLayer, walk: _Walk) -> None:
    if layer.config.get("axis", -1) not in (-1, [-1], 3, [3], 1, [1]):
        walk.wrong(layer, "axis")
    parts = [key for key, flag in (("weights", "scale"), ("bias", "center")) if layer.config.get(flag, True)] + [
        "running_mean",
        "running_var",
    ]
    keys = {"type": "batch_norm", **dict(zip(parts, walk.arrays(layer, len(parts))))}
    walk.add(layer, {**keys, "epsilon": layer.config.get("epsilon", 1e-3), "mode": "eval"}, {"weights": "gamma", "bias": "beta"})


def _layer_norm(layer: KerasLayer, walk: _Walk) -> None:
    parts = [key for key, flag in (("weights", "scale"), ("bias", "center")) if layer.config.get(flag, True)]
    keys = {"type": "layer_norm", **dict(zip(parts, walk.arrays(layer, len(parts))))}
    walk.add(layer, {**keys, "epsilon": layer.config.get("epsilon", 1e-3)}, {"weights": "gamma", "bias": "beta"})


def _embedding(layer: KerasLayer, walk: _Walk) -> None:
    walk.need(layer, mask_zero=False)
    walk.add(layer, {"type": "embedding", "weights": walk.arrays(layer, 1)[0]}, {"weights": "embeddings"})


def _relu(layer: KerasLayer, walk: _Walk) -> None:
    walk.need(layer, max_value=None, threshold=0.0)
    slope = layer.config.get("negative_slope", 0)
    with_activation(walk.layers, {"leaky_relu": {"slope": slope}} if slope else "relu", f"{layer.name}: ReLU")


def _leaky(layer: KerasLayer, walk: _Walk) -> None:
    slope = layer.config.get("negative_slope", layer.config.get("alpha", 0.3))
    with_activation(walk.layers, {"leaky_relu": {"slope": float(slope)}}, f"{layer.name}: LeakyReLU")


LAYERS: dict[str, Callable[[KerasLayer, _Walk], None]] = {
    "InputLayer": _input,
    "Dense": _dense,
    "Conv2D": _convolution,
    "Conv1D": _convolution,
    "MaxPooling2D": _pool,
    "AveragePooling2D": _pool,
    "GlobalAveragePooling2D": _global_pool,
    "GlobalMaxPooling2D": _global_pool,
    "Flatten": _flatten,
    "SimpleRNN": _recurrent,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    "Embedding": _embedding,
    "Activation": lambda layer, walk: walk.activated(layer.config.get("activation"), layer),
    "ReLU": _relu,
    "LeakyReLU": _leaky,
    "Softmax": lambda layer, walk: walk.activated("softmax", layer),
    "Dropout": lambda layer, walk: None,
}
