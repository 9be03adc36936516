"""Random graphs of ONNX, made with its own builder: `made(random, seed)` is a model, its inputs, and whether times come before samples."""

from __future__ import annotations

from typing import Any

import numpy as np

Random = np.random.Generator


class _Graph:
    """Nodes and constants, one after the other."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self.last = "x"

    def constant(self, *shape: int, low: float = -1) -> str:
        from onnx import numpy_helper

        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(self.random.uniform(low, 1, shape).astype("float32"), name))
        return name

    def add(self, kind: str, *constants: str, outputs: tuple[str, ...] = (), **attributes: Any) -> None:
        from onnx import helper

        name = f"t{len(self.nodes)}"
        names = [name if one == "" else one for one in outputs] or [name]
        self.nodes.append(helper.make_node(kind, [self.last, *constants], names, **attributes))
        self.last = name

    def activation(self) -> None:
        kinds = ("Relu", "Sigmoid", "Tanh", "LeakyRelu", "Elu", "Softplus", "Softsign", "HardSigmoid", "Gelu", "Softmax")
        self.add(kinds[self.random.integers(len(kinds))])

    def dense(self, inputs: int, units: int) -> None:
        kind = self.random.integers(3)
        if kind == 0:
            self.add("Gemm", self.constant(units, inputs), self.constant(units), transB=1)
        elif kind == 1:
            self.add("Gemm", self.constant(inputs, units), self.constant(units))
        else:
            self.add("MatMul", self.constant(inputs, units))
            self.add("Add", self.constant(units))

    def model(self, shape: tuple[int, ...]) -> Any:
        from onnx import TensorProto, helper

        values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, sizes) for name, sizes in (("x", shape), (self.last, None))]
        graph = helper.make_graph(self.nodes, "model", values[:1], values[1:], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)


def made(random: Random, seed: int) -> tuple[Any, Any, bool]:
    """(model, inputs, whether times come first)."""
    graph = _Graph(random)
    shape = (_dense, _maps, _recurrent, _norms)[seed % 4](graph)
    return graph.model(shape), np.round(random.uniform(-1, 1, shape), 2).astype("float32"), seed % 4 == 2


def _dense(graph: _Graph) -> tuple[int, ...]:
    sizes = [int(one) for one in graph.random.integers(1, 5, 3)]
    for one, two in zip(sizes, sizes[1:]):
        graph.dense(one, two)
        graph.activation()
    return 2, sizes[0]


# top, left, bottom, right: the same size in each way
ONE_MORE: list[dict[str, Any]] = [{"pads": [1, 1, 1, 1]}, {"pads": [0, 2, 2, 0]}, {"auto_pad": "SAME_UPPER"}]


def _maps(graph: _Graph) -> tuple[int, ...]:
    graph.add("Conv", graph.constant(2, 1, 3, 3), graph.constant(2), **ONE_MORE[graph.random.integers(3)])
    graph.add("Relu")
    graph.add("BatchNormalization", graph.constant(2), graph.constant(2), graph.constant(2), graph.constant(2, low=0.5))
    graph.add("MaxPool" if graph.random.integers(2) else "AveragePool", kernel_shape=[2, 2], strides=[2, 2])
    graph.add("Flatten")
    graph.dense(8, 3)
    return 2, 1, 4, 4


def _recurrent(graph: _Graph) -> tuple[int, ...]:
    kind, gates = (("LSTM", 4), ("GRU", 3), ("RNN", 1))[graph.random.integers(3)]
    units = int(graph.random.integers(1, 4))
    after = {"linear_before_reset": int(graph.random.integers(2))} if kind == "GRU" else {}
    constants = [graph.constant(1, gates * units, size) for size in (2, units)] + [graph.constant(1, 2 * gates * units)]
    graph.add(kind, *constants, hidden_size=units, **after)
    return 3, 2, 2


def _norms(graph: _Graph) -> tuple[int, ...]:
    graph.dense(3, 4)
    graph.add("LayerNormalization", graph.constant(4), graph.constant(4), axis=-1, epsilon=1e-3)
    graph.activation()
    graph.dense(4, 2)
    return 2, 3
