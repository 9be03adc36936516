"""ONNX: a graph that is a chain of operators → layers. Another operator is named and refused.

- `read_onnx(path, wishes)` reads the file with the library `onnx`; weights beside the file (external data) are never opened.
- A new operator is a function from an `OnnxNode` and a `_Chain` and its line in `OPERATORS`.

Layouts: Gemm has a row per neuron with transB = 1 and a row per input without; MatMul has a row per input; LSTM has its gates in the order
input, output, forget, cell, GRU update, reset, hidden (operators of ONNX, opset 22).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from typing import Any

from handcalc.bridges.network import (
    BroughtLayer,
    BroughtNetwork,
    Wishes,
    check_bytes,
    checked,
    dense,
    entry_of,
    reject,
    with_activation,
)
from handcalc.bridges.onnxnodes import ACTIVATIONS, OnnxNode, single
from handcalc.problem.files import contents


def read_onnx(path: str, wishes: Wishes) -> BroughtNetwork:
    """The network in an ONNX file. Raises ModelError; ImportError where the library is missing."""
    import onnx

    data = contents(path, "model_bytes")
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # noqa: BLE001 - a damaged file makes the library raise almost anything
        reject("no ONNX file, or a damaged one ({reason})", path, reason=str(error).split("\n")[0][:100] or type(error).__name__)
    graph = model.graph
    chain = _Chain(path, {tensor.name: tensor for tensor in graph.initializer})
    inputs = [value.name for value in graph.input if value.name not in chain.constants]
    if len(inputs) != 1 or len(graph.output) != 1:
        reject("one input and one output are expected, found {inputs} and {outputs}", path, inputs=len(inputs), outputs=len(graph.output))
    chain.places[inputs[0]] = 0
    chain.current = inputs[0]
    for node in graph.node:
        chain.add(OnnxNode(node, path))
    if chain.current != graph.output[0].name:
        reject("the output is not that of the last operator: the graph is no chain", path)
    return BroughtNetwork(tuple(chain.layers), graph.name, (), entry_of(chain.layers))


class _Chain:
    """What has been read so far: constants by name, layers, the name of the tensor that goes on, and after which layer each tensor is."""

    def __init__(self, path: str, constants: Mapping[str, Any]) -> None:
        self.path = path
        self.constants: dict[str, Any] = dict(constants)
        self.layers: list[BroughtLayer] = []
        self.places: dict[str, int] = {}
        self.current = ""

    def add(self, node: OnnxNode) -> None:
        """One operator more. Raises ModelError."""
        if node.kind == "Constant":
            self.constants[node.outputs[0]] = node.tensor()
            return
        operator = OPERATORS.get(node.kind)
        if operator is None or node.domain:
            known = ", ".join(OPERATORS)
            text = "the operator {found} ({name}) is not known here; known are {known}"
            reject(text, self.path, found=f"{node.domain}.{node.kind}".lstrip("."), name=node.name, known=known)
        moving = [name for name in node.inputs if name and name not in self.constants]
        if self.current not in moving or any(name not in self.places for name in moving):
            reject(
                "the operator {found} ({name}) does not go on from the one before: the graph is no chain",
                self.path,
                found=node.kind,
                name=node.name,
            )
        operator(node, self)
        self.current = node.outputs[0]
        self.places[self.current] = len(self.layers)

    def array(self, name: str) -> Any:
        """The numbers of a constant. Raises ModelError."""
        from onnx import TensorProto, numpy_helper

        if name not in self.constants:
            reject("{name} is worked out in the graph; a constant is expected", self.path, name=name)
        tensor = self.constants[name]
        if tensor.data_location == TensorProto.EXTERNAL:
            reject("{name} is in another file, which is not opened; save the model with its weights inside", self.path, name=name)
        check_bytes(prod(tensor.dims) * 8, self.path)
        try:
            found = numpy_helper.to_array(tensor)
        except Exception as error:  # noqa: BLE001 - sizes that do not fit, unknown types
            reject("{name} cannot be read: {reason}", self.path, name=name, reason=str(error).split("\n")[0][:100])
        return checked(found, name, self.path)


# --- dense layers -------------------------------------------------------------------------------------------------------


def _gemm(node: OnnxNode, chain: _Chain) -> None:
    if node.get("transA", 0) or node.get("alpha", 1.0) != 1 or node.get("beta", 1.0) != 1:
        node.wrong("transA, alpha, beta")
    bias = chain.array(node.input(2)).reshape(-1) if node.input(2) else None
    made = dense(_matrix(node, chain), bias, f"{node.name}: Gemm", (node.input(1), node.input(2)), by_input=not node.get("transB", 0))
    chain.layers.append(made)


def _matrix(node: OnnxNode, chain: _Chain) -> Any:
    if node.input(0) in chain.constants:
        node.wrong("order of inputs")
    found = chain.array(node.input(1))
    return found if found.ndim == 2 else node.wrong("weights")


def _matmul(node: OnnxNode, chain: _Chain) -> None:
    chain.layers.append(dense(_matrix(node, chain), None, f"{node.name}: MatMul", (node.input(1), ""), by_input=True))


def _add(node: OnnxNode, chain: _Chain) -> None:
    """A bias after MatMul, or a residual connection."""
    constants = [name for name in node.inputs if name in chain.constants]
    if not constants:
        others = [name for name in node.inputs if name != chain.current] or [chain.current]
        chain.layers.append(BroughtLayer({"type": "residual", "from": chain.places[others[0]]}, f"{node.name}: Add"))
        return
    bias = chain.array(constants[0])
    last = chain.layers[-1] if chain.layers else None
    fits = last is not None and last.type == "dense" and "bias" not in last.keys and last.keys["activation"] == "identity"
    if last is None or not fits or bias.size not in (1, last.keys["neurons"]):
        node.wrong("constant")
        return
    import numpy

    whole = numpy.repeat(bias.reshape(-1), last.keys["neurons"] // bias.size)
    chain.layers[-1] = last.replace(keys={**last.keys, "bias": whole}, parameters={**last.parameters, "bias": (constants[0],)})


# --- maps ---------------------------------------------------------------------------------------------------------------


def _moves(node: OnnxNode, directions: int, stride: int | None = None) -> dict[str, Any]:
    """stride, padding and dilation, as far as they are not the usual ones; stride: the usual one here (None: that of the kernel)."""
    pads = node.get("pads", [0] * 2 * directions)
    if node.get("auto_pad", "NOTSET") not in ("NOTSET", "VALID", "SAME_UPPER") or node.get("ceil_mode", 0):
        node.wrong("padding, ceil_mode")
    keys: dict[str, Any] = {}
    strides = node.get("strides", [1] * directions)
    if stride is None or strides != [stride] * directions:
        keys["stride"] = strides
    if node.get("auto_pad", "NOTSET") == "SAME_UPPER":
        keys["padding"] = "same"
    elif any(pads):
        before, after = pads[:directions], pads[directions:]
        keys["padding"] = before if before == after else [[*pair] for pair in zip(before, after)]
    if any(one != 1 for one in node.get("dilations", [])):
        keys["dilation"] = node.get("dilations")
    return keys


def _conv(node: OnnxNode, chain: _Chain) -> None:
    weights = chain.array(node.input(1))
    directions = weights.ndim - 2
    if directions not in (1, 2):
        node.wrong("kernel")
    keys: dict[str, Any] = {"type": f"conv{directions}d", "weights": weights}
    parameters = {"weights": (node.input(1),)}
    if node.input(2):
        keys["bias"] = chain.array(node.input(2))
        parameters["bias"] = (node.input(2),)
    keys |= _moves(node, directions, 1)
    if node.get("group", 1) != 1:
        keys["groups"] = node.get("group")
    chain.layers.append(BroughtLayer(keys, f"{node.name}: Conv", parameters))


def _pool(node: OnnxNode, chain: _Chain) -> None:
    kernel = node.get("kernel_shape", [])
    if len(kernel) != 2 or any(one != 1 for one in node.get("dilations", [])):
        node.wrong("kernel")
    keys: dict[str, Any] = {"type": "max_pool" if node.kind == "MaxPool" else "avg_pool", "kernel_size": kernel, **_moves(node, 2)}
    if node.kind == "AveragePool" and "padding" in keys and not node.get("count_include_pad", 0):
        keys["count_include_pad"] = False
    chain.layers.append(BroughtLayer(keys, f"{node.name}: {node.kind}"))


def _global_pool(node: OnnxNode, chain: _Chain) -> None:
    kind = "global_max_pool" if node.kind == "GlobalMaxPool" else "global_avg_pool"
    chain.layers.append(BroughtLayer({"type": kind}, f"{node.name}: {node.kind}"))


def _flatten(node: OnnxNode, chain: _Chain) -> None:
    """Flatten, or Reshape to a row for each sample; features stay what they are."""
    if node.kind == "Flatten" and node.get("axis", 1) != 1:
        node.wrong("axis")
    if node.kind == "Reshape" and chain.array(node.input(1)).size != 2:
        node.wrong("shape")
    if chain.layers and _has_places(chain.layers):
        chain.layers.append(BroughtLayer({"type": "flatten"}, f"{node.name}: {node.kind}"))


def _has_places(layers: Sequence[BroughtLayer]) -> bool:
    """Whether what comes out has rows and columns, or times."""
    for layer in reversed(layers):
        if layer.type in ("conv1d", "conv2d", "max_pool", "avg_pool"):
            return True
        if layer.type in ("dense", "flatten", "global_avg_pool", "global_max_pool") or layer.keys.get("returns") == "last":
            return False
        if layer.type in ("rnn", "lstm", "gru"):
            return True
    return False


# --- recurrence ---------------------------------------------------------------------------------------------------------

_GATES = {"LSTM": (0, 2, 3, 1), "GRU": (1, 0, 2), "RNN": (0,)}  # our order, in places of theirs
_USUAL = {"LSTM": ["Sigmoid", "Tanh", "Tanh"], "GRU": ["Sigmoid", "Tanh"], "RNN": ["Tanh"]}


def _recurrent(node: OnnxNode, chain: _Chain) -> None:
    activations = [str(one.decode() if isinstance(one, bytes) else one) for one in node.get("activations", _USUAL[node.kind])]
    if node.get("direction", "forward") != "forward" or node.get("clip") or any(map(node.input, (4, 5, 6, 7))):
        node.wrong("direction, clip, initial state, lengths")
    if activations != _USUAL[node.kind] and (node.kind != "RNN" or activations != ["Relu"]):
        node.wrong("activations")
    matrices = [_gates(chain.array(node.input(place)), node.kind) for place in (1, 2)]
    size = matrices[1].shape[-1]
    keys: dict[str, Any] = {"type": node.kind.lower(), "neurons": size, "input_weights": matrices[0], "hidden_weights": matrices[1]}
    parameters = {"input_weights": (node.input(1),), "hidden_weights": (node.input(2),)}
    after = bool(node.get("linear_before_reset", 0))
    if node.input(3):
        both = chain.array(node.input(3)).reshape(-1)
        half = both.size // 2
        own, hidden = (_gates(part.reshape(1, -1), node.kind) for part in (both[:half], both[half:]))
        keys["bias"] = own if after else own + hidden
        keys |= {"hidden_bias": hidden} if after else {}
    if node.kind == "GRU":
        keys["reset_after"] = after
    if node.kind == "RNN":
        keys["activation"] = activations[0].lower()
    if len(node.outputs) > 1 and not node.outputs[0] and node.outputs[1]:
        keys["returns"] = "last"
        node.outputs = [node.outputs[1]]
    chain.layers.append(BroughtLayer(keys, f"{node.name}: {node.kind}", parameters))


def _gates(array: Any, kind: str) -> Any:
    """The blocks of gates in our order; the direction, of which there is one, left out."""
    import numpy

    blocks = numpy.split(array[0], len(_GATES[kind]))
    return numpy.concatenate([blocks[place] for place in _GATES[kind]])


def _squeeze(node: OnnxNode, chain: _Chain) -> None:
    """The direction of a recurrence."""
    if not chain.layers or chain.layers[-1].type not in ("rnn", "lstm", "gru"):
        node.wrong("input")


def _transpose(node: OnnxNode, chain: _Chain) -> None:
    """Samples before times, or times before samples: here every sample is by itself."""
    if node.get("perm") != [1, 0, 2]:
        node.wrong("perm")


# --- norms, activations -------------------------------------------------------------------------------------------------


def _batch_norm(node: OnnxNode, chain: _Chain) -> None:
    if node.get("training_mode", 0):
        node.wrong("training_mode")
    keys = ("weights", "bias", "running_mean", "running_var")
    found = {key: chain.array(node.input(place)) for place, key in enumerate(keys, 1)}
    parameters = {key: (node.input(place),) for place, key in enumerate(keys[:2], 1)}
    made = {"type": "batch_norm", **found, "epsilon": single(node.get("epsilon", 1e-5)), "mode": "eval"}
    chain.layers.append(BroughtLayer(made, f"{node.name}: BatchNormalization", parameters))


def _layer_norm(node: OnnxNode, chain: _Chain) -> None:
    if node.get("axis", -1) != -1:
        node.wrong("axis")
    keys: dict[str, Any] = {"type": "layer_norm", "weights": chain.array(node.input(1))}
    if node.input(2):
        keys["bias"] = chain.array(node.input(2))
    parameters = {key: (node.input(place),) for place, key in ((1, "weights"), (2, "bias")) if key in keys}
    chain.layers.append(
        BroughtLayer({**keys, "epsilon": single(node.get("epsilon", 1e-5))}, f"{node.name}: LayerNormalization", parameters)
    )


def _activated(node: OnnxNode, chain: _Chain) -> None:
    with_activation(chain.layers, ACTIVATIONS[node.kind](node), f"{node.name}: {node.kind}")


OPERATORS: dict[str, Callable[[OnnxNode, _Chain], None]] = {
    "Gemm": _gemm,
    "MatMul": _matmul,
    "Add": _add,
    "Conv": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_pool,
    "GlobalMaxPool": _global_pool,
    "Flatten": _flatten,
    "Reshape": _flatten,
    "LSTM": _recurrent,
    "GRU": _recurrent,
    "RNN": _recurrent,
    "Squeeze": _squeeze,
    "Transpose": _transpose,
    "BatchNormalization": _batch_norm,
    "LayerNormalization": _layer_norm,
    **dict.fromkeys(ACTIVATIONS, _activated),
}
