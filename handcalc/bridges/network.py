"""A network as it comes from a framework, before it is a problem: layers with the keys of the problem file, and arrays.

- `BroughtNetwork` and `BroughtLayer` are the neutral record that every source makes and writing.py turns into a problem.
- `Wishes` is what the user says beside the file: inputs, loss, activations …
- `dense(…)`, `with_activation(layers, …)` make layers; `checked(array, name)` refuses what is no finite number; `reject(…)` raises.

Layouts: a matrix stays as the framework has it, with `weight_rows: inputs` where a row belongs to an input (Keras, scikit-learn), without
where it belongs to a neuron (PyTorch).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from handcalc.core.record import Record
from handcalc.errors import Message, ModelError, Template
from handcalc.problem.limits import limit, raised_by

OPEN = "?"  # the activation of a layer whose file does not say it


class BroughtLayer(Record):
    """A layer: the keys of its entry in the problem file, numbers as arrays.

    origin: what the framework calls it; parameters: key → the names of the framework's parameters, added where there are several.
    """

    keys: Mapping[str, Any]
    origin: str = ""
    parameters: Mapping[str, tuple[str, ...]] = {}

    @property
    def type(self) -> str:
        """The word of its type."""
        return str(self.keys.get("type", "dense"))


class BroughtNetwork(Record):
    """Layers in order; remarks: what is different here, for comments in the file; entry: how many directions one sample has, 0 where
    that is not known; keys: other keys of the problem that the source says, such as a loss."""

    layers: tuple[BroughtLayer, ...]
    title: str = ""
    remarks: tuple[Message, ...] = ()
    entry: int = 0
    keys: Mapping[str, Any] = {}
    channels_last: bool = False


class Wishes(Record):
    """What the user says beside the file; "" or None where nothing was said.

    inputs, targets: nested lists of numbers or of typed numbers; rows: to what a row of a matrix belongs (a word of `weight_rows`);
    order: names of layers in order.
    """

    inputs: Any = None
    targets: Any = None
    loss: str = ""
    learning_rate: str = ""
    optimizer: str = ""
    activations: tuple[str, ...] = ()
    rows: str = ""
    order: tuple[str, ...] = ()


# how many directions one sample has where the first layer is of a type; 1 for others
ENTRIES = {
    "conv2d": 3, "conv_transpose2d": 3, "upsample": 3, "max_pool": 3, "avg_pool": 3, "global_avg_pool": 3, "global_max_pool": 3,
    "conv1d": 2, "conv_transpose1d": 2, "max_pool1d": 2, "avg_pool1d": 2, "rnn": 2, "lstm": 2, "gru": 2,
}  # fmt: skip


def reject(template: Template, where: str = "", **values: Any) -> NoReturn:
    """Raise a ModelError."""
    raise ModelError(Message(template, f"{where}: " if where else "", **values))


def dense(
    weights: Any, bias: Any, origin: str, names: tuple[str, str], activation: str = "identity", by_input: bool = False
) -> BroughtLayer:
    """A dense layer; names: of its weights and biases in the framework."""
    size = weights.shape[1] if by_input else weights.shape[0]
    keys: dict[str, Any] = {"neurons": int(size), "activation": activation, "weights": weights}
    if by_input:
        keys["weight_rows"] = "inputs"
    parameters = {"weights": (names[0],)}
    if bias is not None:
        keys["bias"] = bias
        parameters["bias"] = (names[1],)
    return BroughtLayer(keys, origin, parameters)


TAKES_ACTIVATION = ("dense", "conv2d", "conv1d", "conv_transpose2d", "conv_transpose1d", "residual", "tied")


def with_activation(layers: list[BroughtLayer], activation: Any, origin: str) -> None:
    """Put an activation on the last layer where that has none yet, else after it, as a layer of its own."""
    last = layers[-1] if layers else None
    if last is not None and last.type in TAKES_ACTIVATION and last.keys.get("activation", "identity") == "identity":
        layers[-1] = last.replace(keys={**last.keys, "activation": activation}, origin=f"{last.origin}, {origin}")
    elif activation != "identity":
        layers.append(BroughtLayer({"type": "activation", "activation": activation}, origin))


def checked(array: Any, name: str, where: str = "") -> Any:
    """An array of finite numbers. Raises ModelError."""
    import numpy

    if array.dtype.kind not in "fiub" or array.dtype.kind == "f" and not numpy.isfinite(array).all():
        reject("{name} holds something that is no finite number", where, name=name)
    return array


def check_bytes(size: int, where: str, kind: str = "model_bytes") -> None:
    """An error where something has more bytes than is allowed. Raises ModelError."""
    if size > limit(kind):
        reject("larger than {limit} bytes; set {variable} to raise the limit", where, limit=limit(kind), variable=raised_by(kind))


def entry_of(layers: Sequence[BroughtLayer]) -> int:
    """How many directions one sample has."""
    return next((ENTRIES.get(layer.type, 1) for layer in layers if layer.type not in ("activation", "batch_norm", "layer_norm")), 0)
