"""Operators of an ONNX graph: their attributes, and the activations among them.

- `OnnxNode` is an operator: `.kind`, `.inputs`, `.outputs`, `get(attribute, usual)`, `wrong(option)`.
- `ACTIVATIONS` are the operators that are activations here, with what they are called in a problem file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from handcalc.bridges.network import reject


class OnnxNode:
    """An operator: its kind, names and attributes."""

    def __init__(self, node: Any, path: str) -> None:
        self.kind = str(node.op_type)
        self.domain = "" if node.domain in ("", "ai.onnx") else str(node.domain)
        self.name = str(node.name or (node.output[0] if node.output else ""))
        self.inputs = list(node.input)
        self.outputs = list(node.output) or [""]
        self._node = node
        self._path = path

    def get(self, key: str, usual: Any = None) -> Any:
        """An attribute: a number, a list or a text."""
        from onnx import helper

        for attribute in self._node.attribute:
            if attribute.name == key:
                found = helper.get_attribute_value(attribute)
                return (
                    found.decode("utf-8", "replace")
                    if isinstance(found, bytes)
                    else list(found)
                    if isinstance(found, Sequence) and not isinstance(found, str)
                    else found
                )
        return usual

    def tensor(self) -> Any:
        """The value of a Constant."""
        from onnx import TensorProto

        found = self.get("value")
        if not isinstance(found, TensorProto):
            self.wrong("value")
        return found

    def input(self, place: int) -> str:
        """The name of an input, "" where it is left out."""
        return self.inputs[place] if place < len(self.inputs) else ""

    def wrong(self, option: str) -> Any:
        """The operator has a setting that is not known here. Raises ModelError."""
        reject(
            "the operator {found} ({name}) with this {option} is not known here", self._path, found=self.kind, name=self.name, option=option
        )


def single(value: float) -> Any:
    """A 32-bit number of an attribute in its fewest digits."""
    import numpy

    return numpy.float32(value)


def _number(value: float) -> str:
    return repr(float(str(single(value))))


def _hard_sigmoid(node: OnnxNode) -> Any:
    slope, shift = node.get("alpha", 0.2), node.get("beta", 0.5)
    if abs(slope - 1 / 6) < 1e-6 and shift == 0.5:
        return "hard_sigmoid"
    return f'"max(0, min(1, {_number(slope)}*z + {_number(shift)}))"'


def _along(name: str) -> Callable[[OnnxNode], Any]:
    return lambda node: name if node.get("axis", -1) in (-1, 1) else node.wrong("axis")


ACTIVATIONS: dict[str, Callable[[OnnxNode], Any]] = {
    "Identity": lambda node: "identity",
    "Dropout": lambda node: "identity",
    "Relu": lambda node: "relu",
    "Sigmoid": lambda node: "sigmoid",
    "Tanh": lambda node: "tanh",
    "LeakyRelu": lambda node: {"leaky_relu": {"slope": _number(node.get("alpha", 0.01))}},
    "Elu": lambda node: {"elu": {"alpha": _number(node.get("alpha", 1.0))}},
    "Gelu": lambda node: "gelu_tanh" if node.get("approximate", "none") == "tanh" else "gelu",
    "Mish": lambda node: "mish",
    "Softplus": lambda node: "softplus",
    "Softsign": lambda node: "softsign",
    "HardSigmoid": _hard_sigmoid,
    "Softmax": _along("softmax"),
    "LogSoftmax": _along("log_softmax"),
}
