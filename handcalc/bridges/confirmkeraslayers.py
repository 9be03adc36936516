"""What layers write in a script for Keras: recurrence, normalisation, embeddings, by its own layers.

- `LAYERS`: type → a function that writes its lines into a script (confirmkeras.py). A variant that Keras has not raises ModelError.

Keras has a column for a neuron, and the gates beside each other: of a GRU update, reset, candidate. Its sequences begin with the first
time, not with the state before it, and of the cells of an LSTM it gives the last.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from handcalc.bridges.confirmcode import ArrayCode
from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.network import reject
from handcalc.core.expr import Number
from handcalc.errors import Message
from handcalc.problem.schema import Layer


class KerasScript(Protocol):
    """A script that is being written."""

    setup: Setup
    code: ArrayCode
    network: list[str]
    outputs: dict[int, str]  # layer → what goes on from it, where that is not all of its output
    numbers: list[str]

    def source(self, number: int) -> str: ...
    def add(self, name: str, formula: str, asserted: bool = True, numbers: list[float] | None = None) -> None: ...
    def parameter(self, name: str, found: str) -> str: ...
    def activated(self, number: int, layer: Layer, source: str) -> None: ...
    def activation(self, activation: Any, source: str, layer: Layer) -> str: ...


def _refuse(what: str | Message) -> None:
    reject("{what} cannot be written for {framework}", what=what, framework="Keras")


# --- recurrence -------------------------------------------------------------------------------------------------------

_CLASSES = {"rnn": ("SimpleRNN", ("",)), "lstm": ("LSTM", ("i", "f", "g", "o")), "gru": ("GRU", ("z", "r", "n"))}  # gates as there


def _recurrent(script: KerasScript, number: int, layer: Layer) -> None:
    graph, options = script.setup.graph, layer.options
    kind, gates = _CLASSES[layer.type]
    other = layer.type == "gru" and options["update_keeps"] != "old"
    if options["truncate"] is not None or options.get("coupled") or other or len(layer.activations) > 1:
        _refuse(f"type: {layer.type}")
    units = options["unit"].size
    after = bool(options.get("reset_after"))
    bias = [[graph.in_layer(number, "bias", stem + gate) for gate in gates] for stem in ("", "h")]
    if any(bias[1]) and not after:
        _refuse(Message("layer {number} with two biases", number=number))
    own = [("activation", layer.activations[0] if layer.activations else options.get("activation"))]
    own += [("recurrent_activation", options.get("gate_activation"))]
    words = [f"{key}=lambda z: {script.activation(one, 'z', layer)}" for key, one in own if one is not None]
    words += [f"use_bias={any(map(any, bias))}", "return_sequences=True", "return_state=True"]
    words += [f"reset_after={after}"] * (layer.type == "gru") + ["go_backwards=True"] * options["reverse"]
    script.network.append(f"layer{number} = keras.layers.{kind}({units}, {', '.join(words)})")
    kept = [graph.in_layer(number, "out"), *([graph.in_layer(number, "part", "cell")] if layer.type == "lstm" else [])]
    times = next(axis.size for axis in graph[kept[0]].axes if axis.role == "time")
    start_place, end = (times - 1, 0) if options["reverse"] else (0, times - 1)
    starts = [_at(script, name, start_place) for name in kept]
    arrays = [f"ops.convert_to_tensor({script.code.language.array(one, [-1, units])}, 'float32')" for one in starts]
    start = f", initial_state=[{', '.join(arrays)}]" if any(map(any, starts)) else ""
    script.network.append(f"states{number} = layer{number}({script.source(number)}{start})")
    found = f"ops.flip(states{number}[0], axis=1)" if options["reverse"] else f"states{number}[0]"
    script.add(kept[0], found, numbers=_at(script, kept[0], *(time for time in range(times) if time != start_place)))
    if len(kept) > 1:
        script.add(f"{kept[1]}_last", f"states{number}[2]", numbers=_at(script, kept[1], end))
    if options["last"]:
        script.outputs[number] = f"states{number}[1]"
    _weights(script, number, units, gates, [row for row in bias if any(map(any, bias))][: 1 + after])


def _weights(script: KerasScript, number: int, units: int, gates: tuple[str, ...], bias: list[list[str]]) -> None:
    """What is trained: the kernels of inputs and of states, and rows of biases."""

    def together(names: list[str], place: str, turned: str) -> str:
        found = [f"np.split({place}, {len(gates)})[{own}]" for own in range(len(gates))]
        empty = f"np.zeros(({units}, {units}))" if turned else f"np.zeros({units})"
        arrays = [script.parameter(name, one) if name else empty for name, one in zip(names, found)]
        return f"np.concatenate([{', '.join(arrays)}]){turned}"

    graph, held = script.setup.graph, f"layer{number}.get_weights()"
    made = [
        together([graph.in_layer(number, "weight", stem + gate) for gate in gates], f"{held}[{place}].T", ".T")
        for place, stem in enumerate("xh")
    ]
    rows = [together(names, f"{held}[2]" + (f"[{row}]" if len(bias) > 1 else ""), "") for row, names in enumerate(bias)]
    made += [f"np.stack([{', '.join(rows)}])" if len(rows) > 1 else rows[0]] if rows else []
    script.numbers.append(f"layer{number}.set_weights([{', '.join(made)}])")


def _at(script: KerasScript, name: str, *times: int) -> list[float]:
    """The numbers of some times."""
    time = next(number for number, axis in enumerate(script.setup.graph[name].axes) if axis.role == "time")
    places = sorted(script.setup.graph.positions(name))
    return [float(script.setup.known[name, place]) for place in places if place[time] in times]


# --- others -----------------------------------------------------------------------------------------------------------


def _norm(script: KerasScript, number: int, layer: Layer) -> None:
    graph = script.setup.graph
    epsilon = layer.options["epsilon"]
    assert isinstance(epsilon, Number)
    batch = layer.type == "batch_norm"
    if batch and layer.options["mode"] not in (None, "train"):
        _refuse(f"mode: {layer.options['mode']}")
    found = [graph.in_layer(number, kind) for kind in ("weight", "bias")]
    words = [
        f"epsilon={epsilon.numerator / epsilon.denominator!r}",
        *(f"{key}={bool(name)}" for key, name in zip(("scale", "center"), found)),
    ]
    kind = "BatchNormalization" if batch else "LayerNormalization"
    words += ["axis=1"] if batch and any(axis.role == "channel" for axis in layer.axes) else []
    script.network.append(f"layer{number} = keras.layers.{kind}({', '.join(words)})")
    result = f"layer{number}({script.source(number)}{', training=True' if batch else ''})"
    if layer.activations:
        script.activated(number, layer, result)
    else:
        script.add(f"out{number}", result)
    names = [name for name in found if name]
    arrays = [script.parameter(name, f"layer{number}.get_weights()[{place}]") for place, name in enumerate(names)]
    kept = [f"*layer{number}.get_weights()[{len(names)}:]"] if batch else []
    script.numbers.append(f"layer{number}.set_weights([{', '.join(arrays + kept)}])")


def _embedding(script: KerasScript, number: int, layer: Layer) -> None:
    weight = script.setup.graph.in_layer(number, "weight")
    rows, columns = script.setup.shape(weight)
    script.network.append(f"layer{number} = keras.layers.Embedding({rows}, {columns})")
    script.add(f"out{number}", f"layer{number}(ops.cast({script.source(number)}, 'int32'))")
    script.numbers.append(f"layer{number}.set_weights([{script.parameter(weight, f'layer{number}.get_weights()[0]')}])")


LAYERS: dict[str, Callable[[KerasScript, int, Layer], None]] = {
    "rnn": _recurrent, "lstm": _recurrent, "gru": _recurrent, "batch_norm": _norm, "layer_norm": _norm, "embedding": _embedding,
}  # fmt: skip
