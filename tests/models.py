"""Random networks of every type of layer: as a problem file, and in PyTorch, for the laws on gradients.

- `CASES[type]` is a strategy: a `Network` in which a layer of that type stands among others that go with it.
- `Network.problem()` is the problem.
- `LAYERS[type](layer, place, source, run)` is the output of a layer in PyTorch.
- `FULL[type]` are inputs, and layers that have every key of parameters of a type, for the tests of saving.

Sizes and options are drawn, numbers come from a seed; they are far from kinks and ties where there are some.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import numpy as np
from hypothesis import strategies as st

from handcalc.loading.loader import loads
from handcalc.problem.schema import Problem

Array = Any  # numpy.ndarray
Tensor = Any
Draw = Callable[[st.SearchStrategy[Any]], Any]
Layer = dict[str, Any]
Layers = list[Layer]


class Later:
    """A module that is imported when something of it is first used: not every machine has PyTorch."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __getattr__(self, key: str) -> Any:
        return getattr(import_module(self.name), key)


torch, F = Later("torch"), Later("torch.nn.functional")


@dataclass(frozen=True)
class Network:
    """inputs: (sample, …); layers as in a problem file; outputs: their shape; keys: other keys of the problem."""

    inputs: Array
    layers: Layers
    keys: Mapping[str, Any]

    def problem(self) -> Problem:
        """The problem, with targets for what the last layer puts out."""
        outputs = loads(self._text(None)).layers[-1].axes
        shape = (len(self.inputs), *(axis.size for axis in outputs))
        return loads(self._text(np.round(np.random.default_rng(7).uniform(-1, 1, shape), 2)))

    def _text(self, targets: Array | None) -> str:
        whole = np.issubdtype(self.inputs.dtype, np.integer)
        samples = [{"inputs": entry.tolist() if not whole else [int(word) for word in entry]} for entry in self.inputs]
        if targets is not None:
            samples = [{**sample, "targets": goal.tolist()} for sample, goal in zip(samples, targets)]
        return json.dumps({"samples": samples, "layers": self.layers, "learning_rate": 0.1, "input_gradients": not whole, **self.keys})


class Maker:
    """Draws sizes and options, and makes numbers."""

    def __init__(self, draw: Draw) -> None:
        self.draw = draw
        self.random = np.random.default_rng(draw(st.integers(0, 10**6)))

    def size(self, low: int = 1, high: int = 3) -> int:
        return int(self.draw(st.integers(low, high)))

    def one(self, *values: Any) -> Any:
        return self.draw(st.sampled_from(values))

    def numbers(self, *shape: int) -> list[Any]:
        found: list[Any] = np.round(self.random.uniform(-1, 1, shape), 2).tolist()
        return found

    def inputs(self, *shape: int) -> Array:
        """Samples of a shape, 1 or 2 of them, no two numbers of one close to each other."""
        count = self.size(1, 2)
        size = int(np.prod(shape))
        spaced = (np.arange(size) - size / 2) * 0.23 + 0.05
        return np.round(np.stack([self.random.permutation(spaced).reshape(shape) for _ in range(count)]), 2)

    def dense(self, inputs: int, units: int = 2, activation: str = "") -> dict[str, Any]:
        found: dict[str, Any] = {"neurons": units, "weights": self.numbers(units, inputs), "bias": self.numbers(units)}
        return {**found, "activation": activation} if activation else found

    def maybe(self, key: str, value: Any) -> dict[str, Any]:
        """A key that is there or not."""
        return {key: value} if self.one(True, False) else {}


def network(make: Maker, inputs: Array, *layers: dict[str, Any]) -> Network:
    keys = make.one({}, {"sample_reduction": "sum"})
    return Network(inputs, list(layers), keys)


# --- maps -------------------------------------------------------------------------------------------------------------


PADDINGS = (0, 0, 1, [1, 0], [[1, 0], [0, 2]], {"left": 2, "bottom": 1})


def conv2d(make: Maker) -> Network:
    """One or two convolutions, then perhaps a dense layer."""
    channels, filters = make.size(0, 2), make.size(1, 2)
    groups = 2 if channels == 2 and make.one(True, False) else 1
    filters, own = filters * groups, channels // groups
    kernel = (make.size(1, 3), make.size(1, 3))
    dilation = make.one(1, 1, 2)
    padding, stride = make.one(*PADDINGS, "same"), make.one(1, 1, 2, [1, 2])
    rows, columns = ((one - 1) * dilation + make.size(1, 3) for one in kernel)
    layer = {
        "type": "conv2d",
        "weights": make.numbers(filters, *([own] if channels else []), *kernel),
        **({"groups": groups} if groups > 1 else {}),
        "activation": make.one("tanh", "sigmoid", "identity"),
        "stride": stride,
        "padding": padding,
        "dilation": dilation,
        **make.maybe("bias", make.numbers(filters)),
    }
    return _then(make, make.inputs(*([channels] if channels else []), rows, columns), layer)


def _then(make: Maker, inputs: Array, *layers: dict[str, Any]) -> Network:
    """Perhaps with flatten and a dense layer after it."""
    if make.one(True, False):
        return network(make, inputs, *layers)
    axes = loads(json.dumps({"inputs": inputs[0].tolist(), "layers": layers})).layers[-1].axes
    size = int(np.prod([axis.size for axis in axes]))
    return network(make, inputs, *layers, {"type": "flatten"}, make.dense(size, 2, "tanh"))


def conv1d(make: Maker) -> Network:
    channels, filters, kernel = make.size(0, 2), make.size(1, 2), make.size(1, 3)
    layer = {
        "type": "conv1d",
        "weights": make.numbers(filters, *([channels] if channels else []), kernel),
        "stride": make.one(1, 2, 3),
        "padding": make.one(0, 1, [2, 0], {"right": 1}, "same"),
        "dilation": make.one(1, 1, 2),
        "activation": make.one("tanh", "identity"),
        **make.maybe("bias", make.numbers(filters)),
    }
    wide = (kernel - 1) * layer["dilation"] + 1
    return _then(make, make.inputs(*([channels] if channels else []), wide + make.size(0, 2)), layer)


def conv_transpose1d(make: Maker) -> Network:
    channels, filters, kernel = make.size(0, 2), make.size(1, 2), make.size(2, 3)
    shape = ([channels, filters] if channels else [filters], [channels] if channels else [])
    layer = {
        "type": "conv_transpose1d",
        "weights": make.numbers(*shape[0], kernel),
        "activation": make.one("tanh", "identity"),
        **make.one({"stride": 1}, {"stride": 2, "output_padding": 1}, {"stride": 3, "padding": "same"}, {"padding": [1, 0]}),
        **make.maybe("bias", make.numbers(filters)),
    }
    return _then(make, make.inputs(*shape[1], make.size(2, 4)), layer)


def conv_transpose2d(make: Maker) -> Network:
    channels, filters = make.size(0, 2), make.size(1, 2)
    kernel = (make.size(2, 3), make.size(2, 3))
    shape = ([channels, filters] if channels else [filters], [channels] if channels else [])
    layer = {
        "type": "conv_transpose2d",
        "weights": make.numbers(*shape[0], *kernel),
        "stride": make.one(1, 2, [2, 1]),
        "padding": make.one(0, 0, [0, 1], [[1, 0], [0, 1]], "same"),
        "activation": make.one("tanh", "identity"),
        **make.maybe("bias", make.numbers(filters)),
    }
    if layer["stride"] == 2 and layer["padding"] != "same":
        layer |= make.maybe("output_padding", make.one(1, [1, 0]))
    return _then(make, make.inputs(*shape[1], make.size(2, 3), make.size(2, 3)), layer)


def upsample(make: Maker) -> Network:
    """Of maps or of rows, before a convolution."""
    rows = make.one(True, True, False)
    channels = make.size(0, 2) if rows else 0
    shape = [*([channels] if channels else []), *([make.size(1, 2)] if rows else []), make.size(1, 3)]
    scale = make.one(1, 2, 3, *([[1, 2], [3, 1]] if rows else []))
    return _then(make, make.inputs(*shape), {"type": "upsample", "scale": scale})


def pool(kind: str) -> Callable[[Maker], Network]:
    def made(make: Maker) -> Network:
        channels, window = make.size(0, 2), [make.size(1, 2), make.size(1, 3)]
        layer = {"type": kind, "kernel_size": window, **make.maybe("stride", make.one(1, 2, [1, 2]))}
        if min(window) > 1:
            layer["padding"] = make.one(0, 1, [0, 1], {"top": 1, "right": 1})
            layer |= make.maybe("count_include_pad", make.one(True, False)) if kind == "avg_pool" else {}
        inputs = make.inputs(*([channels] if channels else []), *(one + make.size(0, 2) for one in window))
        return _then(make, inputs, layer)

    return made


def pool1d(kind: str) -> Callable[[Maker], Network]:
    def made(make: Maker) -> Network:
        channels, window = make.size(0, 2), make.size(2, 3)
        layer = {"type": kind, "kernel_size": window, **make.maybe("stride", make.one(1, 2)), "padding": make.one(0, 1, [1, 0])}
        return _then(make, make.inputs(*([channels] if channels else []), window + make.size(0, 3)), layer)

    return made


def flatten(make: Maker) -> Network:
    rows, columns = make.size(1, 3), make.size(1, 3)
    return network(make, make.inputs(rows, columns), {"type": "flatten"}, make.dense(rows * columns, make.size(), "sigmoid"))


# --- recurrence -------------------------------------------------------------------------------------------------------


def _recurrent(make: Maker, layer: Callable[[int, int], dict[str, Any]]) -> Network:
    """The layer, perhaps twice, after or beside each other, and a dense layer on all times or on the last."""
    times, features, units = make.size(1, 3), make.size(), make.size()
    first = layer(features, units)
    second = [layer(units, units)] if make.one(True, False, False) else []
    last = (second or [first])[-1]
    last |= {"returns": make.one("all", "last"), **make.maybe("reverse", True)}
    beside = []
    if make.one(True, False, False):
        back = {"from": 0, "returns": last["returns"], "reverse": True}
        beside = [layer(features, units) | back, {"type": "concatenate", "from": 1 + len(second)}]
    dense = [make.dense(units * (2 if beside else 1), make.size(1, 2))] if make.one(True, False) else []
    inputs = make.inputs(times, features)
    for key in ("initial_state", "initial_cell"):
        if key in first and len(inputs) > 1 and make.one(True, False):
            first[key] = make.numbers(len(inputs), units)  # every sample has its own
    return network(make, inputs, first, *second, *beside, *dense)


def _gate(make: Maker, features: int, units: int, turned: bool, *biases: str) -> dict[str, Any]:
    matrices = {"input_weights": (units, features), "hidden_weights": (units, units)}
    found: dict[str, Any] = {key: make.numbers(*(shape[::-1] if turned else shape)) for key, shape in matrices.items()}
    for key in biases:
        found |= make.maybe(key, make.numbers(units))
    return found


def rnn(make: Maker) -> Network:
    def layer(features: int, units: int) -> dict[str, Any]:
        turned = make.one(True, False)
        found = {"type": "rnn", "neurons": units, **_gate(make, features, units, turned, "bias")}
        found |= {"weight_rows": "inputs"} if turned else {}
        return {**found, **make.maybe("initial_state", make.numbers(units))}

    return _recurrent(make, layer)


def gated(kind: str, gates: tuple[str, ...]) -> Callable[[Maker], Network]:
    def made(make: Maker) -> Network:
        def layer(features: int, units: int) -> dict[str, Any]:
            turned = make.one(True, False)
            found: dict[str, Any] = {"type": kind, "neurons": units, **make.maybe("initial_state", make.numbers(units))}
            after = kind == "gru" and make.one(True, False)
            extra = {"candidate": ("hidden_bias",)} if after else {}
            coupled = kind == "lstm" and make.one(False, False, True)
            own = [gate for gate in gates if not (coupled and gate == "forget")]
            found["gates"] = {gate: _gate(make, features, units, turned, "bias", *extra.get(gate, ())) for gate in own}
            found |= {"coupled": True} if coupled else {}
            for key, words in (("activation", ("identity", "sigmoid")), ("gate_activation", ("tanh", "identity"))):
                found |= make.maybe(key, make.one(*words)) if make.one(True, False) else {}
            for gate in own if kind == "lstm" and make.one(True, False, False) else ():
                found["gates"][gate] |= make.maybe("peephole", make.numbers(units)) if gate != "candidate" else {}
            found |= {"weight_rows": "inputs"} if turned else {}
            if kind == "lstm":
                return {**found, **make.maybe("initial_cell", make.numbers(units))}
            return {**found, "reset_after": after, "update_keeps": make.one("old", "new")}

        return _recurrent(make, layer)

    return made


# --- tokens -----------------------------------------------------------------------------------------------------------


def attention(make: Maker) -> Network:
    tokens, features = make.size(1, 3), make.size(1, 3)
    heads, turned = make.size(1, 2), make.one(True, False)
    width, depth = make.size(1, 2) * heads, make.size(1, 2) * heads
    layer: dict[str, Any] = {"type": "attention", "heads": heads}
    plain = heads == 1 and make.one(True, False, False)
    for part, rows in (("query", width), ("key", width), ("value", depth)):
        if not plain:
            layer[f"{part}_weights"] = make.numbers(*((features, rows) if turned else (rows, features)))
            layer |= make.maybe(f"{part}_bias", make.numbers(rows))
    depth = features if plain else depth
    if make.one(True, heads > 1, False):
        out = make.size(1, 2)
        layer["output_weights"] = make.numbers(*((depth, out) if turned else (out, depth)))
        layer |= make.maybe("output_bias", make.numbers(out))
    layer |= {"weight_rows": "inputs"} if turned else {}
    layer |= make.one({}, {"scale": False}, {"scale": 0.3})
    if make.one(True, False, False):
        return _looking_elsewhere(make, layer, tokens, features)
    layer |= make.one({}, {"mask": "causal"}, {"mask": _mask(make, tokens, tokens)})
    return network(make, make.inputs(tokens, features), layer)


def _looking_elsewhere(make: Maker, layer: Layer, tokens: int, features: int) -> Network:
    """Keys and values of another part of the inputs, through an encoder of tokens or times; it may have more or fewer than there are
    queries."""
    keys = make.size(1, 3)
    weights = make.numbers(features, features)
    dense = {"neurons": features, "weights": weights, "activation": "tanh"}
    recurrent = {"type": "rnn", "neurons": features, "input_weights": weights, "hidden_weights": weights}
    layer |= {"keys_from": make.one(2, "encoder")} | make.one({}, {"mask": "causal"}, {"mask": _mask(make, tokens, keys)})
    return network(make, make.inputs(keys + tokens, features), {"type": "slice", "tokens": [1, keys]},
                   {"name": "encoder", **make.one(dense, recurrent)},
                   {"type": "slice", "from": 0, "tokens": [keys + 1, keys + tokens]}, layer)  # fmt: skip


def _mask(make: Maker, queries: int, keys: int) -> list[list[int]]:
    """Every query sees one key at least."""
    seen = make.random.integers(0, 2, (queries, keys))
    seen[np.arange(queries), np.arange(queries) % keys] = 1
    found: list[list[int]] = seen.tolist()
    return found


def block(make: Maker) -> Network:
    """embedding, positions, attention, residual, layer norm, dense: a transformer block."""
    words, features, tokens = make.size(2, 4), make.size(1, 3), make.size(1, 3)
    inputs = make.random.integers(0, words, (make.size(1, 2), tokens))
    if make.one(True, False, False):
        return _of_two(make, make.random.integers(0, words, (len(inputs), tokens + 2)), words, features, tokens)
    matrices = {f"{part}_weights": make.numbers(features, features) for part in ("query", "key", "value")}
    return Network(inputs, [
        {"type": "embedding", "weights": make.numbers(words, features)},
        {"type": "positional_encoding", **make.one({}, {"base": 100}, {"weights": make.numbers(tokens, features)})},
        {"type": "attention", **matrices, "mask": "causal"},
        {"type": "residual", "from": make.one(1, 2), **make.maybe("activation", "tanh")},
        {"type": "layer_norm", "weights": make.numbers(features), "bias": make.numbers(features), "epsilon": 0.1},
        make.dense(features, 2, "sigmoid"),
    ], {})  # fmt: skip


def _of_two(make: Maker, inputs: Array, words: int, features: int, tokens: int) -> Network:
    """Some words are looked up for a recurrence, others for a mean, and both for one answer; positions come in between."""
    recurrent = {"type": "rnn", "neurons": 2, "input_weights": make.numbers(2, features), "hidden_weights": make.numbers(2, 2)}
    return Network(inputs, [
        {"type": "slice", "tokens": [1, tokens]},
        {"type": "embedding", "weights": make.numbers(words, features)},
        {**recurrent, "returns": "last"},
        {"type": "slice", "tokens": [tokens + 1, tokens + 2], "from": 0},
        {"type": "embedding", "weights": make.numbers(words, features)},
        {"type": "positional_encoding", "base": 100},
        {"type": "global_avg_pool"},
        {"type": "concatenate", "from": 3},
        make.dense(2 + features, 2, "sigmoid"),
    ], {})  # fmt: skip


def layer_norm(make: Maker) -> Network:
    tokens, features = make.size(1, 3), make.size(2, 4)
    layer = {"type": "layer_norm", **make.maybe("weights", make.numbers(features)), **make.maybe("bias", make.numbers(features))}
    return network(make, make.inputs(tokens, features), layer | make.maybe("epsilon", 0.01), make.dense(features))


def batch_norm(make: Maker) -> Network:
    """Of features, or of the channels of maps; two samples at least where there is nothing else to average over."""
    maps = make.one(True, False)
    features = make.size(1, 3)
    layer = {"type": "batch_norm", **make.maybe("weights", make.numbers(features)), **make.maybe("bias", make.numbers(features))}
    layer |= make.maybe("epsilon", 0.01)
    if make.one(True, False):
        layer |= {"running_mean": make.numbers(features), "running_var": np.abs(make.numbers(features)).tolist()}
        layer |= make.one({}, {"momentum": 0.3}, {"mode": "eval"})
    if maps:
        return network(make, make.inputs(features, 2, 2), layer)
    inputs = np.round(make.random.uniform(-1, 1, (make.size(2, 4), 3)), 2)
    return network(make, inputs, make.dense(3, features), layer, make.dense(features, 2, "tanh"))


def dropout(make: Maker) -> Network:
    size = make.size(2, 4)
    layer = {"type": "dropout", "mask": make.random.integers(0, 2, size).tolist(), **make.maybe("share", 0.25)}
    return network(make, make.inputs(3), make.dense(3, size, "sigmoid"), layer, make.dense(size))


def residual(make: Maker) -> Network:
    """Perhaps with a projection of what is added, of features or of channels."""
    size, inputs = make.size(), make.size()
    layer = {"type": "residual", "from": make.one(0, 1), **make.maybe("activation", "tanh")}
    if make.one(True, False):
        return network(make, make.inputs(size), make.dense(size, size, "tanh"), make.dense(size, size, "sigmoid"), layer)
    layer |= {"from": 0, "weights": make.numbers(size, inputs), **make.maybe("bias", make.numbers(size))}
    if make.one(True, False):
        return network(make, make.inputs(inputs), make.dense(inputs, size, "tanh"), layer)
    kernel = {"type": "conv2d", "weights": make.numbers(size, inputs, 1, 1), "stride": 1, "padding": 0, "dilation": 1}
    return network(make, make.inputs(inputs, 2, 2), kernel, layer)


# --- what is put together ---------------------------------------------------------------------------------------------


def activation(make: Maker) -> Network:
    """After pooling, or along features."""
    if make.one(True, False):
        pooling = {"type": "avg_pool", "kernel_size": [2, 1]}
        return _then(make, make.inputs(2, 2, 2), pooling, {"type": "activation", "activation": make.one("tanh", "sigmoid", "softmax")})
    size = make.size(2, 3)
    last = {"type": "activation", "activation": make.one("softmax", "tanh", {"softmax": {"temperature": make.one(0.5, 2)}})}
    return network(make, make.inputs(2), make.dense(2, size), last, *([make.dense(size)] if make.one(True, False) else []))


def concatenate(make: Maker) -> Network:
    """Features, of tokens too, or channels; the inputs enter later."""
    size, other = make.size(), make.size()
    places = make.one(0, [0], [0, 1], [1, 1, 0])
    layer = {"type": "concatenate", "from": places}
    wide = size + (other if places in (0, [0]) else other + size if places == [0, 1] else other + 2 * size)
    if make.one(True, False):
        kernel = {"type": "conv2d", "weights": make.numbers(size, other, 1, 1), "stride": 1, "padding": 0, "dilation": 1}
        after = {**kernel, "weights": make.numbers(2, wide, 1, 1)}
        return network(make, make.inputs(other, 1, 2), {**kernel, "activation": "tanh"}, layer, after)
    inputs = make.inputs(2, other) if make.one(True, False) else make.inputs(other)
    return network(make, inputs, make.dense(other, size, "tanh"), layer, make.dense(wide, 2, "sigmoid"))


def multiply(make: Maker) -> Network:
    """Gates of features, of tokens, of channels, and one gate for all features; branches from one trunk."""
    size, other = make.size(), make.size(1, 2)
    kind = make.one("gate", "channels", "single", "branches")
    if kind == "channels":
        kernel = {"type": "conv2d", "weights": make.numbers(size, other, 1, 1), "stride": 1, "padding": 0, "dilation": 1}
        gate = make.dense(size, size, "sigmoid")
        return _then(make, make.inputs(other, 2, 2), kernel, {"type": "global_avg_pool"}, gate, {"type": "multiply", "from": 1})
    if kind == "branches":
        kernel = {"type": "conv2d", "stride": 1, "padding": 0, "dilation": 1, "activation": "tanh"}
        return _then(make, make.inputs(other, 2, 2), {**kernel, "name": "trunk", "weights": make.numbers(size, other, 1, 1)},
                     {**kernel, "weights": make.numbers(2, size, 1, 1)},
                     {**kernel, "weights": make.numbers(1, size, 3, 3), "padding": 1, "from": "trunk"},
                     {"type": "multiply", "from": "trunk", "input_from": make.one(1, 3) if size == 1 else 1},
                     {"type": "concatenate", "from": [2, 3]})  # fmt: skip
    inputs = make.inputs(2, other) if kind == "single" or make.one(True, False) else make.inputs(other)
    gate = make.dense(other, 1 if kind == "single" else size, "sigmoid") | {"from": 0}
    return network(make, inputs, make.dense(other, size, "tanh"), gate, {"type": "multiply", "from": 1}, make.dense(size))


def slicing(make: Maker) -> Network:
    """Tokens, one token, features, rows; what is left is seen by nothing."""
    tokens, size = make.size(2, 3), make.size(2, 3)
    key = make.one("tokens", "features", "rows", "times")
    layer = {"type": "slice", key: make.one(1, 2, [1, 2], [2, 2])}
    if key == "rows":
        return _then(make, make.inputs(2, 2, 2), layer | {key: make.one([1, 2], [2, 2])})
    if key == "times":
        recurrent = {"type": "rnn", "neurons": size, "input_weights": make.numbers(size, 2), "hidden_weights": make.numbers(size, size)}
        return network(make, make.inputs(tokens, 2), recurrent, layer, make.dense(size))
    wide = 2 if layer[key] == [1, 2] else 1
    if key == "features" and make.one(True, False):
        return network(make, make.inputs(size), layer | {key: [1, 2]}, make.dense(2, size), {"type": "concatenate", "from": 0},
                       make.dense(2 * size))  # fmt: skip
    if key == "features":
        layer[key] = make.one([1, 2], [2, 2])
        wide = layer[key][1] - layer[key][0] + 1
    return network(make, make.inputs(tokens, size), layer, make.dense(wide if key == "features" else size))


def transposing(make: Maker) -> Network:
    """Of tokens and their features, of times and neurons, or of a map without channels; a dense layer sees the new rows."""
    tokens, size = make.size(1, 3), make.size(1, 3)
    kind = make.one("tokens", "times", "map")
    if kind == "map":
        return _then(make, make.inputs(4), make.dense(4, 2 * size, "tanh"), {"type": "reshape", "shape": [2, size]}, {"type": "transpose"})
    recurrent = {"type": "rnn", "neurons": size, "input_weights": make.numbers(size, 2), "hidden_weights": make.numbers(size, size)}
    before = [recurrent] if kind == "times" else []
    inputs = make.inputs(tokens, 2 if before else size)
    return network(make, inputs, *before, {"type": "transpose"}, make.dense(tokens, 2, "tanh"))


def reshaping(make: Maker) -> Network:
    """Of inputs or of neurons, with or without channels, perhaps before a transposed convolution."""
    sizes = [make.size(1, 2) for _ in range(make.size(2, 3))]
    count = int(np.prod(sizes))
    dense = [make.dense(2, count, "tanh")] if make.one(True, False) else []
    layers = [*dense, {"type": "reshape", "shape": sizes}]
    if len(sizes) == 3 and make.one(True, False):
        layers.append({"type": "conv_transpose2d", "weights": make.numbers(sizes[0], 1, 2, 2), "stride": 2, "padding": 0})
    return _then(make, make.inputs(2 if dense else count), *layers)


def tied(make: Maker) -> Network:
    size, inputs, turned = make.size(), make.size(), make.one(True, False)
    inputs = inputs if turned else size
    layer = {"type": "tied", "from": 1, "neurons": inputs if turned else size, "transposed": turned, "activation": "tanh"}
    values = make.inputs(2, inputs) if make.one(True, False) else make.inputs(inputs)
    return network(make, values, make.dense(inputs, size, "sigmoid"), layer | make.maybe("bias", make.numbers(inputs if turned else size)))


def rms_norm(make: Maker) -> Network:
    tokens, features = make.size(1, 3), make.size(2, 4)
    layer = {"type": "rms_norm", "epsilon": 0.01, **make.maybe("weights", make.numbers(features))}
    return network(make, make.inputs(tokens, features), layer, make.dense(features))


def channel_norm(kind: str) -> Callable[[Maker], Network]:
    def made(make: Maker) -> Network:
        groups, width = make.size(1, 2), make.size(1, 2)
        channels = groups * width
        layer = {"type": kind, "epsilon": 0.01, **({"groups": groups} if kind == "group_norm" else {})}
        layer |= make.maybe("weights", make.numbers(channels)) | make.maybe("bias", make.numbers(channels))
        return _then(make, make.inputs(channels, make.size(1, 2), 2), layer)

    return made


def global_pool(kind: str) -> Callable[[Maker], Network]:
    def made(make: Maker) -> Network:
        if make.one(True, False, False):
            size, tokens = make.size(), make.size(1, 3)
            recurrent = {"type": "rnn", "neurons": size, "input_weights": make.numbers(size, 2), "hidden_weights": make.numbers(size, size)}
            first = make.one(make.dense(2, size, "tanh"), recurrent)
            return network(make, make.inputs(tokens, 2), first, {"type": kind}, make.dense(size))
        channels = make.size(0, 3)
        inputs = make.inputs(*([channels] if channels else []), make.size(1, 3), make.size(1, 2))
        return network(make, inputs, {"type": kind}, make.dense(channels or 1))

    return made


# --- pieces -----------------------------------------------------------------------------------------------------------


def prelu(make: Maker) -> Network:
    """One slope for all, one for each feature, or one for each channel."""
    kind = make.one("shared", "features", "channels")
    layer = {"type": "prelu", "slope": 0.3 if kind == "shared" else make.numbers(3)}
    if kind == "channels":
        return network(make, make.inputs(3, 2, 2), layer)
    return network(make, make.inputs(3), layer, make.dense(3))


def maxout(make: Maker) -> Network:
    """Biases keep the pieces of a neuron far from ties."""
    units, pieces, features = make.size(), make.size(2, 3), make.size()
    layer = {"type": "maxout", "neurons": units, "weights": make.numbers(units, pieces, features)}
    layer["bias"] = [make.random.permutation(2.0 * np.arange(pieces)).tolist() for _ in range(units)]
    return network(make, make.inputs(features), layer, make.dense(units, 2, "tanh"))


# type → how a network with it is made
CASES: dict[str, Callable[[Maker], Network]] = {
    "prelu": prelu,
    "maxout": maxout,
    "conv2d": conv2d,
    "conv1d": conv1d,
    "conv_transpose2d": conv_transpose2d,
    "conv_transpose1d": conv_transpose1d,
    "upsample": upsample,
    "max_pool": pool("max_pool"),
    "avg_pool": pool("avg_pool"),
    "max_pool1d": pool1d("max_pool1d"),
    "avg_pool1d": pool1d("avg_pool1d"),
    "flatten": flatten,
    "rnn": rnn,
    "lstm": gated("lstm", ("input", "forget", "candidate", "output")),
    "gru": gated("gru", ("reset", "update", "candidate")),
    "embedding": block,
    "positional_encoding": block,
    "attention": attention,
    "layer_norm": layer_norm,
    "batch_norm": batch_norm,
    "rms_norm": rms_norm,
    "instance_norm": channel_norm("instance_norm"),
    "group_norm": channel_norm("group_norm"),
    "global_avg_pool": global_pool("global_avg_pool"),
    "global_max_pool": global_pool("global_max_pool"),
    "dropout": dropout,
    "residual": residual,
    "activation": activation,
    "concatenate": concatenate,
    "multiply": multiply,
    "slice": slicing,
    "transpose": transposing,
    "reshape": reshaping,
    "tied": tied,
}


# --- every key of parameters ------------------------------------------------------------------------------------------

_RANDOM = np.random.default_rng(5)


def _numbers(*shape: int) -> Any:
    return np.round(_RANDOM.uniform(-1, 1, shape), 2).tolist()


def _gates_below(kind: str, blocks: int, biases: tuple[str, ...], **keys: Any) -> Layer:
    """Weights of all gates below each other."""
    rows = 2 * blocks
    given = {key: _numbers(rows) for key in biases}
    return {"type": kind, "neurons": 2, "input_weights": _numbers(rows, 3), "hidden_weights": _numbers(rows, 2), **given, **keys}


def _gates_apart(kind: str, gates: tuple[str, ...], biases: dict[str, tuple[str, ...]], **keys: Any) -> Layer:
    """Weights of every gate by itself."""

    def gate(name: str) -> Layer:
        own = {key: _numbers(2) for key in ("bias", *biases.get(name, ()))}
        return {"input_weights": _numbers(2, 3), "hidden_weights": _numbers(2, 2), **own}

    return {"type": kind, "neurons": 2, "gates": {name: gate(name) for name in gates}, **keys}


def _heads(**keys: Any) -> Layer:
    parts = ("query", "key", "value")
    given = {f"{part}_weights": _numbers(4, 3) for part in parts} | {f"{part}_bias": _numbers(4) for part in parts}
    return {"type": "attention", "heads": 2, **given, "output_weights": _numbers(2, 4), "output_bias": _numbers(2), **keys}


def _normalised(kind: str, size: int, **keys: Any) -> Layer:
    return {"type": kind, "weights": _numbers(size), "bias": _numbers(size), "epsilon": 0.1, **keys}


SAVED_DENSE = {"neurons": 2, "activation": "tanh", "weights": _numbers(2, 3), "bias": _numbers(2)}
_IMAGES, _ROWS, _TABLE = _numbers(2, 2, 4, 4), _numbers(2, 4, 3), _numbers(3, 3)  # samples first
_STATES = {"running_mean": _numbers(2), "running_var": [0.8, 1.2]}
_GATES_OF = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate")}
# type → the inputs, and layers that have every key of parameters of that type between them; each in a network of its own
FULL: dict[str, tuple[Any, list[list[Layer]]]] = {
    "dense": (_TABLE, [[SAVED_DENSE], [{**SAVED_DENSE, "bias": None, "threshold": _numbers(2)}]]),
    "prelu": (_TABLE, [[{"type": "prelu", "slope": _numbers(3)}], [{"type": "prelu", "slope": 0.25}]]),
    "maxout": (_TABLE, [[{"type": "maxout", "neurons": 2, "weights": _numbers(2, 3, 3), "bias": _numbers(2, 3)}]]),
    "conv2d": (_IMAGES, [[{"type": "conv2d", "weights": _numbers(3, 2, 2, 3), "bias": _numbers(3), "activation": "tanh"}]]),
    "conv1d": (_ROWS, [[{"type": "conv1d", "weights": _numbers(2, 4, 2), "bias": _numbers(2)}]]),
    "conv_transpose2d": (_IMAGES, [[{"type": "conv_transpose2d", "weights": _numbers(2, 3, 2, 2), "bias": _numbers(3), "stride": 2}]]),
    "conv_transpose1d": (_ROWS, [[{"type": "conv_transpose1d", "weights": _numbers(4, 2, 2), "bias": _numbers(2)}]]),
    "upsample": (_IMAGES, [[{"type": "upsample", "scale": 2}]]),
    "max_pool": (_IMAGES, [[{"type": "max_pool", "kernel_size": 2}]]),
    "max_pool1d": (_ROWS, [[{"type": "max_pool1d", "kernel_size": 2}]]),
    "avg_pool1d": (_ROWS, [[{"type": "avg_pool1d", "kernel_size": 2}]]),
    "avg_pool": (_IMAGES, [[{"type": "avg_pool", "kernel_size": 2}]]),
    "flatten": (_IMAGES, [[{"type": "flatten"}, {"neurons": 2, "weights": _numbers(2, 32), "bias": _numbers(2)}]]),
    "rnn": (_ROWS, [[_gates_below("rnn", 1, ("bias",))]]),
    "lstm": (_ROWS, [[_gates_below("lstm", 4, ("bias", "hidden_bias"))], [_gates_apart("lstm", _GATES_OF["lstm"], {})],
                    [_gates_apart("lstm", _GATES_OF["lstm"][:1] + _GATES_OF["lstm"][2:],
                                  {"input": ("peephole",), "output": ("peephole",)}, coupled=True)]]),
    "gru": (_ROWS, [[_gates_below("gru", 3, ("bias", "hidden_bias"), reset_after=True)],
                   [_gates_apart("gru", _GATES_OF["gru"], {"candidate": ("hidden_bias",)}, reset_after=True)]]),
    "embedding": ([[0, 2, 1], [3, 0, 0]], [[{"type": "embedding", "weights": _numbers(5, 2)}]]),
    "positional_encoding": (_ROWS, [[{"type": "positional_encoding"}], [{"type": "positional_encoding", "weights": _numbers(4, 3)}]]),
    "attention": (_ROWS, [[_heads()]]),
    "layer_norm": (_ROWS, [[_normalised("layer_norm", 3)]]),
    "batch_norm": (_TABLE, [[SAVED_DENSE, _normalised("batch_norm", 2, **_STATES, momentum=0.3)]]),
    "rms_norm": (_ROWS, [[{"type": "rms_norm", "weights": _numbers(3)}]]),
    "instance_norm": (_IMAGES, [[_normalised("instance_norm", 2)]]),
    "group_norm": (_IMAGES, [[_normalised("group_norm", 2, groups=1)]]),
    "global_avg_pool": (_IMAGES, [[{"type": "global_avg_pool"}]]),
    "global_max_pool": (_IMAGES, [[{"type": "global_max_pool"}]]),
    "dropout": (_TABLE, [[SAVED_DENSE, {"type": "dropout", "mask": [1, 0]}]]),
    "residual": (_TABLE, [[SAVED_DENSE, {"type": "residual", "from": 0, "weights": _numbers(2, 3), "bias": _numbers(2)}]]),
    "activation": (_TABLE, [[SAVED_DENSE, {"type": "activation", "activation": "tanh"}]]),
    "concatenate": (_TABLE, [[SAVED_DENSE, {"type": "concatenate", "from": 0}]]),
    "multiply": (_TABLE, [[SAVED_DENSE, {**SAVED_DENSE, "from": 0}, {"type": "multiply", "from": 1}]]),
    "slice": (_ROWS, [[{"type": "slice", "tokens": [1, 2]}, SAVED_DENSE]]),
    "transpose": (_numbers(2, 3, 4), [[{"type": "transpose"}, SAVED_DENSE]]),
    "reshape": (_TABLE, [[{"type": "reshape", "shape": [1, 3]}]]),
    "tied": (_TABLE, [[SAVED_DENSE, {"type": "tied", "from": 1, "neurons": 3, "transposed": True, "bias": _numbers(3)}]]),
}  # fmt: skip


# === in PyTorch ===

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda z: z,
    "tanh": lambda z: torch.tanh(z),
    "sigmoid": lambda z: torch.sigmoid(z),
    "softmax": lambda z: torch.softmax(z, -1),
}


@dataclass
class Run:
    """Parameters by their names in the graph, and all outputs so far, inputs first."""

    parameters: dict[str, Tensor]
    outputs: list[Tensor] = field(default_factory=list)

    def bias(self, name: str, size: int) -> Tensor:
        """A bias, 0 where there is none."""
        found = self.parameters.get(name)
        return torch.zeros(size, dtype=torch.double) if found is None else found


def _activated(layer: Layer, net: Tensor) -> Tensor:
    chosen = layer.get("activation", "identity")
    if isinstance(chosen, dict):
        return torch.softmax(net / chosen["softmax"]["temperature"], -1)
    return ACTIVATIONS[chosen](net)


# --- maps -------------------------------------------------------------------------------------------------------------


def _pair(value: Any) -> tuple[int, int]:
    return (value[0], value[1]) if isinstance(value, list) else (value, value)


def conv2d_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{place}"]
    groups = layer.get("groups", 1)
    kernel = kernel.reshape(len(kernel), source.shape[1] // groups, *kernel.shape[-2:])
    stride, dilation = _pair(layer["stride"]), _pair(layer["dilation"])
    wide = F.pad(source, _around(layer["padding"], source.shape[-2:], kernel.shape[-2:], stride, dilation))
    return _activated(layer, F.conv2d(wide, kernel, run.parameters.get(f"b{place}"), stride, 0, dilation, groups))


def _around(padding: Any, sizes: Any, kernel: Any, stride: Any, dilation: Any) -> list[int]:
    """Zeros as F.pad has them: left, right, top, bottom; `same` by the rule in TensorFlow's documentation."""
    if padding == "same":
        total = []
        for size, own, step, spread in zip(sizes, kernel, stride, dilation):
            wide = (own - 1) * spread + 1
            total.append(max(wide - step if size % step == 0 else wide - size % step, 0))
        sides = [(one // 2, one - one // 2) for one in total]
    elif isinstance(padding, dict):
        named = [("top", "bottom"), ("left", "right")][-len(sizes) :]
        sides = [(padding.get(before, 0), padding.get(after, 0)) for before, after in named]
    elif len(sizes) == 1 and isinstance(padding, list):
        sides = [(padding[0], padding[1])]
    else:
        sides = [_pair(one) for one in _pair(padding)][-len(sizes) :]
    return [one for pair in reversed(sides) for one in pair]


def conv1d_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{place}"]
    kernel = kernel.reshape(len(kernel), source.shape[1], kernel.shape[-1])
    stride, dilation = layer["stride"], layer["dilation"]
    wide = F.pad(source, _around(layer["padding"], source.shape[-1:], kernel.shape[-1:], (stride,), (dilation,)))
    return _activated(layer, F.conv1d(wide, kernel, run.parameters.get(f"b{place}"), stride, 0, dilation))


def conv_transpose2d_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{place}"]
    kernel = kernel.reshape(source.shape[1], -1, *kernel.shape[-2:])
    bias, stride, padding = run.parameters.get(f"b{place}"), _pair(layer["stride"]), layer["padding"]
    if padding == "same" or isinstance(padding[0] if isinstance(padding, list) else 0, list):
        added = _pair(layer.get("output_padding", 0))
        return _activated(layer, _cut(F.conv_transpose2d(source, kernel, None, stride), padding, source.shape[-2:], stride, bias, added))
    added = _pair(layer.get("output_padding", 0))
    return _activated(layer, F.conv_transpose2d(source, kernel, bias, stride, _pair(padding), added))


def _cut(whole: Tensor, padding: Any, sizes: Any, stride: Any, bias: Tensor | None, added: Any = (0, 0)) -> Tensor:
    """What is left where places are taken away around a transposed convolution; same: the size of the input times the stride."""
    for axis, step in enumerate(stride, 2):
        size, goal = whole.shape[axis], sizes[axis - 2] * step
        before, after = (max(size - goal, 0) // 2, 0) if padding == "same" else _pair(padding[axis - 2])
        wide = goal if padding == "same" else size - before - after + added[axis - 2]
        missing = max(before + wide - size, 0)
        ends = F.pad(whole, [0, 0] * (whole.ndim - 1 - axis) + [0, missing])
        whole = ends.narrow(axis, before, wide)
    return whole if bias is None else whole + bias.reshape(-1, *[1] * (whole.ndim - 2))


def conv_transpose1d_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{place}"]
    kernel = kernel.reshape(source.shape[1], -1, kernel.shape[-1])
    stride, padding, bias = layer.get("stride", 1), layer.get("padding", 0), run.parameters.get(f"b{place}")
    if padding:
        plain = F.conv_transpose1d(source, kernel, None, stride)
        return _activated(layer, _cut(plain, padding if padding == "same" else [padding], source.shape[-1:], (stride,), bias))
    return _activated(layer, F.conv_transpose1d(source, kernel, bias, stride, 0, layer.get("output_padding", 0)))


def upsample_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    directions = min(source.ndim - 1, 2)
    for axis, one in enumerate(_pair(layer["scale"])[-directions:], source.ndim - directions):
        source = source.repeat_interleave(one, axis)
    return source


def _pooled(kind: str) -> Callable[[Layer, int, Tensor, Run], Tensor]:
    def pooled(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
        window, own = tuple(layer["kernel_size"]), {key: layer[key] for key in ("count_include_pad",) if key in layer}
        stride, padding = _pair(layer["stride"]) if "stride" in layer else window, layer.get("padding", 0)
        if not isinstance(padding, dict):
            return getattr(F, kind)(source, window, stride, _pair(padding), **own)
        sides = _around(padding, (1, 1), window, stride, (1, 1))
        if kind == "max_pool2d":
            return F.max_pool2d(F.pad(source, sides, value=-1e9), window, stride)
        wide, inside = (F.avg_pool2d(F.pad(one, sides), window, stride) for one in (source, torch.ones_like(source)))
        return wide if own.get("count_include_pad", True) else wide / inside

    return pooled


def _pooled_rows(kind: str) -> Callable[[Layer, int, Tensor, Run], Tensor]:
    def pooled(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
        wide = F.pad(source, _around(layer["padding"], (1,), (1,), (1,), (1,)), value=-1e9 if kind == "max_pool1d" else 0)
        return getattr(F, kind)(wide, layer["kernel_size"], layer.get("stride"))

    return pooled


def flatten_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return source.flatten(1)


def dense_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{place}"]
    return _activated(layer, F.linear(source, kernel.reshape(len(kernel), -1), run.parameters.get(f"b{place}")))


# --- recurrence -------------------------------------------------------------------------------------------------------


def _module(kind: str, gates: tuple[str, ...], layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    """PyTorch's RNN, LSTM or GRU with our weights, gates below each other."""
    weights = {}
    for name, stem in (("weight_ih_l0", "Wx"), ("weight_hh_l0", "Wh")):
        weights[name] = torch.cat([run.parameters[f"{stem}{gate}{place}"] for gate in gates])
    units = weights["weight_hh_l0"].shape[1]
    for name, stem in (("bias_ih_l0", "b"), ("bias_hh_l0", "bh")):
        weights[name] = torch.cat([run.bias(f"{stem}{gate}{place}", units) for gate in gates])
    module = getattr(torch.nn, kind)(source.shape[-1], units, batch_first=True, dtype=torch.double)
    start = _state(layer, "initial_state", units, source)[None]
    begin = (start, _state(layer, "initial_cell", units, source)[None]) if kind == "LSTM" else start
    return _answer(layer, torch.func.functional_call(module, weights, (source, begin))[0])


def _state(layer: Layer, key: str, units: int, source: Tensor) -> Tensor:
    return torch.tensor(layer.get(key, [0.0] * units), dtype=torch.double).expand(len(source), units).contiguous()


def _answer(layer: Layer, states: Tensor) -> Tensor:
    if layer.get("returns") == "last":
        return states[:, -1]
    return states.flip(1) if layer.get("reverse") else states


def _in_order(layer: Layer, source: Tensor) -> Tensor:
    """What a recurrent layer reads, in the order in which it does."""
    return source.flip(1) if layer.get("reverse") else source


def rnn_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    source = _in_order(layer, source)
    return _module("RNN", ("",), layer, place, source, run)


def _functions(layer: Layer) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """That of the candidate (and the cell), and that of the gates."""
    return ACTIVATIONS[layer.get("activation", "tanh")], ACTIVATIONS[layer.get("gate_activation", "sigmoid")]


def lstm_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    """PyTorch's where it is that variant, else the formulas of Gers and Schmidhuber, 2000."""
    source = _in_order(layer, source)
    changed = {"activation", "gate_activation", "coupled"} & layer.keys()
    if changed or any("peephole" in gate for gate in layer.get("gates", {}).values()):
        return _lstm_by_hand(layer, place, source, run)
    return _module("LSTM", ("i", "f", "g", "o"), layer, place, source, run)


def _lstm_by_hand(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    units = len(run.parameters[f"Whi{place}"])
    bent, squashed = _functions(layer)
    state, cell = (_state(layer, key, units, source) for key in ("initial_state", "initial_cell"))
    states = []

    def net(letter: str, now: Tensor, seen: Tensor) -> Tensor:
        wx, wh = (run.parameters[f"{stem}{letter}{place}"] for stem in ("Wx", "Wh"))
        whole = F.linear(now, wx, run.bias(f"b{letter}{place}", units)) + F.linear(state, wh)
        return whole + run.bias(f"Wc{letter}{place}", units) * seen

    for now in source.unbind(1):
        entering = squashed(net("i", now, cell))
        kept = 1 - entering if layer.get("coupled") else squashed(net("f", now, cell))
        cell = entering * bent(net("g", now, cell)) + kept * cell
        state = squashed(net("o", now, cell)) * bent(cell)
        states.append(state)
    return _answer(layer, torch.stack(states, 1))


def gru_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    """PyTorch's where it is that variant, else the formulas of Cho et al., 2014."""
    source = _in_order(layer, source)
    bent, squashed = _functions(layer)
    plain = not {"activation", "gate_activation"} & layer.keys()
    if plain and layer["reset_after"] and layer["update_keeps"] == "old":
        return _module("GRU", ("r", "z", "n"), layer, place, source, run)
    units = len(run.parameters[f"Whr{place}"])
    state, states = _state(layer, "initial_state", units, source), []

    def gate(letter: str, now: Tensor) -> tuple[Tensor, Tensor]:
        wx, wh = (run.parameters[f"{stem}{letter}{place}"] for stem in ("Wx", "Wh"))
        hidden = F.linear(state, wh, run.bias(f"bh{letter}{place}", units))
        return F.linear(now, wx, run.bias(f"b{letter}{place}", units)), hidden

    for now in source.unbind(1):
        reset, update = (squashed(sum(gate(letter, now))) for letter in "rz")
        inputs, hidden = gate("n", now)
        if not layer["reset_after"]:
            hidden = F.linear(reset * state, run.parameters[f"Whn{place}"])
        candidate = bent(inputs + (reset * hidden if layer["reset_after"] else hidden))
        new, old = (1 - update, update) if layer["update_keeps"] == "old" else (update, 1 - update)
        state = new * candidate + old * state
        states.append(state)
    return _answer(layer, torch.stack(states, 1))


# --- tokens -----------------------------------------------------------------------------------------------------------


def embedding_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return F.embedding(source, run.parameters[f"W{place}"])


def positional_encoding_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    if "weights" in layer:
        return source + run.parameters[f"W{place}"]
    tokens, features = source.shape[1:]
    pairs = torch.arange(features, dtype=torch.double) // 2 * 2
    angles = torch.arange(tokens, dtype=torch.double)[:, None] / layer.get("base", 10000) ** (pairs / features)
    even = torch.arange(features) % 2 == 0
    return source + torch.where(even, torch.sin(angles), torch.cos(angles))


def attention_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    tokens, heads = source.shape[1], layer.get("heads", 1)
    parts = []
    looked = source if "keys_from" not in layer else run.outputs[2]
    for letter, own in zip("qkv", (source, looked, looked)):
        weights, bias = run.parameters.get(f"W{letter}{place}"), run.parameters.get(f"b{letter}{place}")
        made = own if weights is None else F.linear(own, weights.flatten(0, -2), None if bias is None else bias.flatten())
        parts.append(made.unflatten(-1, (heads, -1)).transpose(1, 2))
    mask = layer.get("mask")
    seen = torch.ones(tokens, looked.shape[1]).tril().bool() if mask == "causal" else None if mask is None else torch.tensor(mask).bool()
    scale = layer.get("scale")
    found = F.scaled_dot_product_attention(*parts, attn_mask=seen, scale=1.0 if scale is False else scale)
    found = found.transpose(1, 2).flatten(2)
    out = run.parameters.get(f"Wo{place}")
    return found if out is None else F.linear(found, out.flatten(1), run.parameters.get(f"bo{place}"))


# --- normalisation ----------------------------------------------------------------------------------------------------


def layer_norm_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    parameters = run.parameters.get(f"W{place}"), run.parameters.get(f"b{place}")
    return F.layer_norm(source, source.shape[-1:], *parameters, layer.get("epsilon", 1e-5))


def batch_norm_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    parameters = run.parameters.get(f"W{place}"), run.parameters.get(f"b{place}")
    evaluated = layer.get("mode") == "eval"
    running = [torch.tensor(layer[key], dtype=torch.double) if evaluated else None for key in ("running_mean", "running_var")]
    return F.batch_norm(source, *running, *parameters, training=not evaluated, eps=layer.get("epsilon", 1e-5))


def rms_norm_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return F.rms_norm(source, source.shape[-1:], run.parameters.get(f"W{place}"), layer["epsilon"])


def group_norm_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    """With one group for each channel it is instance normalisation; PyTorch has no gradient with a bias and no weight."""
    scale = run.parameters.get(f"W{place}", torch.ones(source.shape[1], dtype=torch.double))
    return F.group_norm(source, layer.get("groups", source.shape[1]), scale, run.parameters.get(f"b{place}"), layer["epsilon"])


def global_avg_pool_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return source.mean(1) if _are_rows(source, run) else source.mean((-2, -1)).reshape(len(source), -1)


def global_max_pool_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return source.amax(1) if _are_rows(source, run) else source.amax((-2, -1)).reshape(len(source), -1)


def _are_rows(source: Tensor, run: Run) -> bool:
    """Whether there are tokens or times with features, which an earlier layer made."""
    return source.ndim == 3 and len(run.outputs) > 1


def dropout_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return source * torch.tensor(layer["mask"]) / (1 - layer.get("share", 0))


def residual_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    other = run.outputs[layer["from"]]
    if "weights" in layer:
        bias = run.parameters.get(f"b{place}")
        other = F.linear(other.movedim(_features(source), -1), run.parameters[f"W{place}"], bias).movedim(-1, _features(source))
    return _activated(layer, source + other)


def _features(source: Tensor) -> int:
    """The direction of features: of channels where there are maps."""
    return 1 if source.ndim == 4 else -1


def activation_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return _activated(layer, source)


def concatenate_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    places = layer["from"] if isinstance(layer["from"], list) else [layer["from"]]
    return torch.cat([source, *(run.outputs[one] for one in places)], _features(source))


def multiply_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    other = run.outputs[1]  # what the networks above multiply by
    if source.ndim == 2 and other.ndim == 4:
        source = source[:, :, None, None]
    return source * other


def slice_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    key = next(key for key in ("tokens", "times", "features", "rows", "columns") if key in layer)
    along = {"tokens": 1, "times": 1, "features": _features(source), "rows": -2, "columns": -1}[key]
    found = layer[key]
    if isinstance(found, int):
        return source.select(along, found - 1)
    return source.narrow(along, found[0] - 1, found[-1] - found[0] + 1)


def transpose_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return torch.transpose(source, 1, 2)


def reshape_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return source.reshape(-1, *layer["shape"])


def tied_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    kernel = run.parameters[f"W{layer['from']}"]
    return _activated(layer, F.linear(source, kernel.T if layer["transposed"] else kernel, run.parameters.get(f"b{place}")))


# --- pieces -----------------------------------------------------------------------------------------------------------


def prelu_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    return F.prelu(source, run.parameters[f"Wslope{place}"].reshape(-1))


def maxout_in_torch(layer: Layer, place: int, source: Tensor, run: Run) -> Tensor:
    made = torch.einsum("...i,jmi->...jm", source, run.parameters[f"W{place}"])
    return (made + run.parameters.get(f"b{place}", torch.tensor(0.0))).amax(-1)


LAYERS: dict[str, Callable[[Layer, int, Tensor, Run], Tensor]] = {
    "prelu": prelu_in_torch,
    "maxout": maxout_in_torch,
    "dense": dense_in_torch,
    "conv2d": conv2d_in_torch,
    "conv1d": conv1d_in_torch,
    "conv_transpose2d": conv_transpose2d_in_torch,
    "conv_transpose1d": conv_transpose1d_in_torch,
    "upsample": upsample_in_torch,
    "max_pool": _pooled("max_pool2d"),
    "avg_pool": _pooled("avg_pool2d"),
    "max_pool1d": _pooled_rows("max_pool1d"),
    "avg_pool1d": _pooled_rows("avg_pool1d"),
    "flatten": flatten_in_torch,
    "rnn": rnn_in_torch,
    "lstm": lstm_in_torch,
    "gru": gru_in_torch,
    "embedding": embedding_in_torch,
    "positional_encoding": positional_encoding_in_torch,
    "attention": attention_in_torch,
    "layer_norm": layer_norm_in_torch,
    "batch_norm": batch_norm_in_torch,
    "rms_norm": rms_norm_in_torch,
    "instance_norm": group_norm_in_torch,
    "group_norm": group_norm_in_torch,
    "global_avg_pool": global_avg_pool_in_torch,
    "global_max_pool": global_max_pool_in_torch,
    "dropout": dropout_in_torch,
    "residual": residual_in_torch,
    "activation": activation_in_torch,
    "concatenate": concatenate_in_torch,
    "multiply": multiply_in_torch,
    "slice": slice_in_torch,
    "transpose": transpose_in_torch,
    "reshape": reshape_in_torch,
    "tied": tied_in_torch,
}
