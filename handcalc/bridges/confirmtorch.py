"""What layers write in a script for PyTorch: recurrence, attention, normalisation, by PyTorch's own functions.

- `LAYERS`: type → a function that writes its lines into a script (confirming.py) and names its parameters there. A variant that PyTorch has
  not raises ModelError, and the network is written out number by number.

States of a recurrence begin with the one before the first time, as in the solution.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from handcalc.bridges.confirmsetup import Setup
from handcalc.bridges.network import reject
from handcalc.core.expr import Number
from handcalc.problem.schema import Layer


class TorchScript(Protocol):
    """A script that is being written."""

    setup: Setup
    outputs: dict[int, str]  # layer → what goes on from it, where that is not all of its output

    def parameter(self, number: int, kind: str, role: str = "") -> str: ...
    def source(self, number: int) -> str: ...
    def output(self, number: int) -> str: ...
    def write(self, name: str, formula: str, asserted: bool = True) -> None: ...
    def line(self, text: str) -> None: ...
    def activated(self, number: int, layer: Layer, source: str) -> None: ...
    def typed(self, numbers: list[float], shape: list[int]) -> str: ...


def _refuse(layer: Layer) -> None:
    reject("{what} cannot be written for {framework}", what=f"type: {layer.type}", framework="PyTorch")


def _output(script: TorchScript, number: int, layer: Layer, result: str) -> None:
    """What a layer puts out, through its activation if it has one."""
    if layer.activations:
        script.activated(number, layer, result)
    else:
        script.write(f"out{number}", result)


def _epsilon(layer: Layer) -> float:
    value = layer.options["epsilon"]
    assert isinstance(value, Number)
    return value.numerator / value.denominator


# --- recurrence -------------------------------------------------------------------------------------------------------


def _start(script: TorchScript, name: str) -> str:
    """The states before the first time, a row for each sample."""
    graph = script.setup.graph
    axes = graph[name].axes
    time = next(number for number, axis in enumerate(axes) if axis.role == "time")
    numbers = [float(script.setup.known[name, place]) for place in sorted(graph.positions(name)) if place[time] == 0]
    return script.typed(numbers, [len(numbers) // axes[-1].size, axes[-1].size])


def _of_gates(script: TorchScript, number: int, kind: str, stem: str, gates: str) -> str:
    """The parameters of all gates below each other, with zeros for a gate that has none; None where no gate has."""
    units = script.setup.graph[script.setup.graph.in_layer(number, "out")].axes[-1].size
    found = [script.parameter(number, kind, stem + gate) for gate in gates]
    return f"torch.cat([{', '.join(name or f'torch.zeros({units})' for name in found)}])" if any(found) else "None"


def _loop(script: TorchScript, number: int, layer: Layer, cell: str, parameters: list[str], kept: tuple[str, ...]) -> None:
    """All times, one after the other; kept: the states that go from time to time, the output first."""
    options = layer.options
    if options["reverse"] or options["truncate"] is not None or options["starts_from"]:
        _refuse(layer)
    for name in kept:
        script.line(f"now_{name} = {_start(script, name)}")
        script.line(f"all_{name} = [now_{name}.expand(len({script.source(number)}), -1)]")
    states = ", ".join(f"now_{name}" for name in kept)
    script.line(f"for step in {script.source(number)}.unbind(1):")
    script.line(f"    {states} = torch.{cell}(step, {f'({states})' if len(kept) > 1 else states}, {', '.join(parameters)})")
    for name in kept:
        script.line(f"    all_{name}.append(now_{name})")
    for name in kept:
        script.write(name, f"torch.stack(all_{name}, 1)")
    script.outputs[number] = f"{kept[0]}[:, -1]" if options["last"] else f"{kept[0]}[:, 1:]"


def _rnn(script: TorchScript, number: int, layer: Layer) -> None:
    cell = {"tanh": "rnn_tanh_cell", "relu": "rnn_relu_cell"}.get(layer.activations[0].name if layer.activations else "tanh", "")
    if not cell:
        _refuse(layer)
    names = [script.parameter(number, kind, role) for kind, role in (("weight", "x"), ("weight", "h"), ("bias", ""), ("bias", "h"))]
    bias = [name for name in names[2:] if name]
    _loop(script, number, layer, cell, [*names[:2], *_both(bias)], (script.setup.graph.in_layer(number, "out"),))


def _both(bias: list[str]) -> list[str]:
    """PyTorch's cells have two biases or none."""
    return [bias[0], bias[1] if len(bias) > 1 else f"torch.zeros_like({bias[0]})"] if bias else []


def _usual_gates(layer: Layer) -> None:
    if layer.options["coupled"] or layer.options["activation"] or layer.options["gate_activation"]:
        _refuse(layer)


def _lstm(script: TorchScript, number: int, layer: Layer) -> None:
    _usual_gates(layer)
    graph = script.setup.graph
    weights = [_of_gates(script, number, "weight", stem, "ifgo") for stem in "xh"]
    bias = [one for one in (_of_gates(script, number, "bias", stem, "ifgo") for stem in ("", "h")) if one != "None"]
    kept = (graph.in_layer(number, "out"), graph.in_layer(number, "part", "cell"))
    _loop(script, number, layer, "lstm_cell", [*weights, *_both(bias)], kept)


def _gru(script: TorchScript, number: int, layer: Layer) -> None:
    _usual_gates(layer)
    if not layer.options["reset_after"] or layer.options["update_keeps"] != "old":
        _refuse(layer)
    weights = [_of_gates(script, number, "weight", stem, "rzn") for stem in "xh"]
    inner, outer = (_of_gates(script, number, "bias", stem, "rzn") for stem in ("", "h"))
    bias = [] if inner == outer == "None" else [inner, outer]
    units = script.setup.graph[script.setup.graph.in_layer(number, "out")].axes[-1].size
    bias = [f"torch.zeros({3 * units})" if one == "None" else one for one in bias]
    _loop(script, number, layer, "gru_cell", [*weights, *bias], (script.setup.graph.in_layer(number, "out"),))


# --- tokens -----------------------------------------------------------------------------------------------------------


def _attention(script: TorchScript, number: int, layer: Layer) -> None:
    options, source = layer.options, script.source(number)
    if options["scale"] is not None:
        _refuse(layer)
    made = []
    looked = source if options["keys_from"] is None else script.output(options["keys_from"])
    for role, own in zip("qkv", (source, looked, looked)):
        weight, bias = script.parameter(number, "weight", role), script.parameter(number, "bias", role)
        part = f"F.linear({own}, {weight}.flatten(0, -2)" + (f", {bias}.flatten())" if bias else ")") if weight else own
        made.append(f"{part}.unflatten(-1, ({options['heads']}, -1)).transpose(1, 2)")
    mask = ""
    if options["mask"]:
        queries, keys = (max(place[along] for place in options["mask"]) + 1 for along in (0, 1))
        rows = [[bool(options["mask"][row, column]) for column in range(keys)] for row in range(queries)]
        mask = f", attn_mask=torch.tensor({rows})"
    found = f"F.scaled_dot_product_attention({', '.join(made)}{mask}).transpose(1, 2).flatten(2)"
    weight, bias = script.parameter(number, "weight", "o"), script.parameter(number, "bias", "o")
    _output(script, number, layer, f"F.linear({found}, {weight}.flatten(1){f', {bias}' if bias else ''})" if weight else found)


def _embedding(script: TorchScript, number: int, layer: Layer) -> None:
    script.write(f"out{number}", f"F.embedding({script.source(number)}.long(), {script.parameter(number, 'weight')})")


def _positions(script: TorchScript, number: int, layer: Layer) -> None:
    weight = script.parameter(number, "weight")
    if not weight:
        _refuse(layer)
    script.write(f"out{number}", f"{script.source(number)} + {weight}")


# --- between layers ---------------------------------------------------------------------------------------------------


def _norm(call: str) -> Callable[[TorchScript, int, Layer], None]:
    """Over the features of a sample."""

    def write(script: TorchScript, number: int, layer: Layer) -> None:
        names = [script.parameter(number, kind) or "None" for kind in ("weight", "bias")][: 1 if call == "rms_norm" else 2]
        source = script.source(number)
        _output(script, number, layer, f"F.{call}({source}, {source}.shape[-1:], {', '.join(names)}, {_epsilon(layer)!r})")

    return write


def _batch_norm(script: TorchScript, number: int, layer: Layer) -> None:
    if layer.options["mode"] not in (None, "train"):
        _refuse(layer)
    names = ", ".join(script.parameter(number, kind) or "None" for kind in ("weight", "bias"))
    _output(script, number, layer, f"F.batch_norm({script.source(number)}, None, None, {names}, training=True, eps={_epsilon(layer)!r})")


def _dropout(script: TorchScript, number: int, layer: Layer) -> None:
    mask, kept = script.setup.graph.in_layer(number, "input", "mask"), layer.options["kept"]
    numbers = script.typed(script.setup.numbers(mask), script.setup.shape(mask))
    _output(script, number, layer, f"{script.source(number)} * {numbers} / {kept.numerator / kept.denominator!r}")


def _residual(script: TorchScript, number: int, layer: Layer) -> None:
    if layer.tensors:
        _refuse(layer)
    _output(script, number, layer, f"({script.source(number)} + {script.output(layer.options['from'])})")


def _multiply(script: TorchScript, number: int, layer: Layer) -> None:
    """One number for every channel stands before rows and columns."""
    factors = [script.source(number), script.output(layer.options["from"])]
    shapes = [layer.axes, layer.axes]
    for place, taken in enumerate(layer.taken(number)):
        shapes[place] = script.setup.problem.layers[taken - 1].axes if taken else script.setup.problem.axes
    if any(axis.role == "channel" for axis in layer.axes):
        factors = [f"{one}[..., None, None]" if len(axes) == 1 else one for one, axes in zip(factors, shapes)]
    _output(script, number, layer, " * ".join(factors))


def _slice(script: TorchScript, number: int, layer: Layer) -> None:
    options, source = layer.options, script.source(number)
    start, size = options["first"] - 1, options["last"] - options["first"] + 1
    along = options["along"] + 1  # behind the samples
    call = f"select({along}, {start})" if options["single"] else f"narrow({along}, {start}, {size})"
    script.write(f"out{number}", f"{source}.{call}", asserted=False)


LAYERS: dict[str, Callable[[TorchScript, int, Layer], None]] = {
    "rnn": _rnn, "lstm": _lstm, "gru": _gru, "attention": _attention, "embedding": _embedding, "positional_encoding": _positions,
    "layer_norm": _norm("layer_norm"), "rms_norm": _norm("rms_norm"), "batch_norm": _batch_norm, "dropout": _dropout, "residual": _residual,
    "multiply": _multiply, "slice": _slice,
}  # fmt: skip
