"""Which numbers of a framework's step are which numbers of the solution.

- `align(problem, graph, trace)` answers an `Alignment`: for every module the cells of its output, for every parameter its cells.

Modules are taken in order, and the layers of the problem in order; both must be of the same types. Activations, flattening and dropout may
be there on one side only: what they change shows in the numbers.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.bridges.cells import cells_by_key
from handcalc.bridges.network import reject
from handcalc.bridges.torchmodule import ACTIVATIONS, MODULES
from handcalc.bridges.trace import Trace
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.layers.activations import IDENTITY
from handcalc.problem.schema import Problem

# module → the type of layer it is; those that are not here change no numbers, or are activations
TYPES = {
    "Linear": "dense", "Conv1d": "conv1d", "Conv2d": "conv2d", "ConvTranspose2d": "conv_transpose2d",
    "ConvTranspose1d": "conv_transpose1d", "Upsample": "upsample", "MaxPool2d": "max_pool",
    "AvgPool2d": "avg_pool", "AdaptiveAvgPool2d": "global_avg_pool", "AdaptiveMaxPool2d": "global_max_pool", "BatchNorm1d": "batch_norm",
    "BatchNorm2d": "batch_norm", "LayerNorm": "layer_norm", "RMSNorm": "rms_norm", "GroupNorm": "group_norm",
    "InstanceNorm2d": "instance_norm", "Embedding": "embedding", "RNN": "rnn", "LSTM": "lstm", "GRU": "gru",
}  # fmt: skip
KEYS = {  # parameter of a module → the key of the layer
    "weight": "weights", "bias": "bias", "weight_ih_l0": "input_weights", "weight_hh_l0": "hidden_weights", "bias_ih_l0": "bias",
    "bias_hh_l0": "hidden_bias",
}  # fmt: skip
PASSED_OVER = ("activation", "flatten", "transpose", "reshape", "dropout")  # layers that need no module of their own


class Alignment(Record):
    """Cells of outputs by module, and of parameters by name, in the order of the framework's arrays; layers: module → number of its layer;
    left: parameters of the problem that no parameter of the module is."""

    outputs: Mapping[str, tuple[Cell, ...]]
    parameters: Mapping[str, tuple[Cell, ...]]
    layers: Mapping[str, int]
    left: tuple[str, ...] = ()


def align(problem: Problem, graph: Graph, trace: Trace) -> Alignment:
    """The alignment. Raises ModelError where modules and layers are not of the same types."""
    outputs: dict[str, tuple[Cell, ...]] = {}
    layers: dict[str, int] = {}
    number, activated = 0, set[int]()  # layers whose activation has had its module, or that have none
    for module in trace.modules:
        kind = TYPES.get(module.kind)
        if kind is not None:
            number = _next(problem, number, kind, module.name)
            if all(one == IDENTITY for one in problem.layers[number - 1].activations):
                activated.add(number)
            layers[module.name] = number
            outputs[module.name] = _cells(graph, number, ("net", "out"))
        elif module.kind in ACTIVATIONS and number:
            if number in activated and problem.layers[number : number + 1] and problem.layers[number].type == "activation":
                number += 1
            activated.add(number)
            outputs[module.name] = _cells(graph, number, ("out",))
        elif module.kind not in MODULES and module.kind not in ACTIVATIONS:
            reject("{found} is no module that is known here", found=f"{module.name}: {module.kind}")
    keys = cells_by_key(problem, graph)
    parameters: dict[str, tuple[Cell, ...]] = {}
    for name in trace.trained:
        owner, _, own = name.rpartition(".")
        key = (layers.get(owner, 0), KEYS.get(own, ""))
        if key in keys:
            parameters[name] = tuple(keys.pop(key))
    rest = next(
        (problem.layers[place] for place in range(number, len(problem.layers)) if problem.layers[place].type not in PASSED_OVER), None
    )
    if rest is not None:
        reject("the problem goes on with layer {layer}, but no module is left", layer=rest.name or rest.type)
    return Alignment(outputs, parameters, layers, tuple(graph.cell_id(cells[0]) for cells in keys.values()))


def _next(problem: Problem, number: int, kind: str, name: str) -> int:
    """The number of the next layer, which must be of a type."""
    while number < len(problem.layers) and problem.layers[number].type in PASSED_OVER:
        number += 1
    found = problem.layers[number].type if number < len(problem.layers) else "–"
    if found != kind:
        reject("the module {name} is a layer of type {kind}, but the problem goes on with {found}", name=name, kind=kind, found=found)
    return number + 1


def _cells(graph: Graph, number: int, kinds: tuple[str, ...]) -> tuple[Cell, ...]:
    """The cells of a layer's output, without the state before the first time."""
    name = next((found for kind in kinds if (found := graph.in_layer(number, kind))), "")
    if not name:
        return ()
    axes = graph[name].axes
    started = [place for place, axis in enumerate(axes) if axis.role == "time"]
    places = (place for place in graph.positions(name) if not any(axes[one].along(place[one]) in ("t0", "0") for one in started))
    return tuple((name, place) for place in places)
