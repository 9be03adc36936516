"""Reading recurrent layers: weights of inputs and of the state before, one set for every gate, initial states.

Matrices are PyTorch's: a row per neuron; those of all gates may be typed as one, the gates below each other in the order of
GATES (weight_ih_l0 and so on). What comes in is time × feature.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from handcalc.core.expr import ZERO
from handcalc.core.index import Axis
from handcalc.layers.activations import activations
from handcalc.layers.keys import keys
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Activation, Layer, Tensor
from handcalc.problem.shapes import Incoming, depth, names_of

# type → its gates as typed, with the letter in the names of their parameters (Wxi1, Whi1, bi1)
GATES = {
    "lstm": {"input": "i", "forget": "f", "candidate": "g", "output": "o"},
    "gru": {"reset": "r", "update": "z", "candidate": "n"},
}
TANH = "tanh"


def rnn(incoming: Incoming) -> Layer | None:
    """rnn: one activation of inputs and the state before (Elman network)."""
    if not incoming.wants(("time", "")) or not incoming.neurons:
        return None
    tensors = _weights(incoming, "", incoming.found, incoming.entry)
    chosen = activations(incoming.found.get("activation"), ()) if "activation" in incoming.found else (_tanh(),)
    return _layer(incoming, [*tensors, *_states(incoming)], chosen, {})


def _tanh() -> Activation:
    from handcalc.core.expr import Call, Ref

    return Activation(TANH, Call(TANH, (Ref("z"),)))


def gated(incoming: Incoming) -> Layer | None:
    """lstm and gru: weights for each of their gates."""
    if not incoming.wants(("time", "")) or not incoming.neurons:
        return None
    tensors = list(_gates(incoming))
    options: dict[str, object] = {}
    if incoming.kind == "gru":
        after = "reset_after" in incoming.found and incoming.found["reset_after"].flag() is True
        kept = incoming.found["update_keeps"].choice(("old", "new")) if "update_keeps" in incoming.found else "old"
        options = {"reset_after": after, "update_keeps": kept}
        if any(tensor.key == "hidden_bias" for tensor in tensors) and not after:
            incoming.found.get("gates", incoming.entry).fail("hidden_bias goes with reset_after: true only")
    return _layer(incoming, [*tensors, *_states(incoming)], (), options)


def _gates(incoming: Incoming) -> Iterator[Tensor]:
    """The parameters of every gate: each by itself, or all in one matrix."""
    gates, item = GATES[incoming.kind], incoming.found.get("gates")
    together = [key for key in keys("gate") if key in incoming.found]
    if item is not None and together:
        incoming.found[together[0]].fail("the weights of the gates are given twice: under {first} and under {second}",
                                         first="gates", second=together[0])  # fmt: skip
    elif item is not None:
        parts = item.section(tuple(gates))
        for name, letter in gates.items():
            if name not in parts:
                item.fail("the {gate} gate is missing", gate=name)
            else:
                yield from _weights(incoming, letter, parts[name].section(keys("gate")), parts[name])
    elif together:
        for tensor in _weights(incoming, "", incoming.found, incoming.entry, len(gates)):
            for place, letter in enumerate(gates.values()):
                own = tensor.rows(place * len(incoming.neurons), len(incoming.neurons))
                yield own.replace(role=tensor.role + letter)
    else:
        incoming.entry.fail("the key {key} is missing", key="gates")


def _layer(incoming: Incoming, tensors: list[Tensor], chosen: tuple[Activation, ...], options: dict[str, object]) -> Layer:
    last = "returns" in incoming.found and incoming.found["returns"].choice(("all", "last")) == "last"
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    axes = (unit,) if last else (incoming.axes[0], unit)
    shown = incoming.neurons if last else names_of(axes)
    limit = incoming.found["truncate"].whole(1, 1_000_000) if "truncate" in incoming.found else None
    options |= {"last": last, "unit": unit, "truncate": limit}
    return Layer(shown, chosen, type=incoming.kind, axes=axes, tensors=tuple(tensors), options=options)


def _weights(incoming: Incoming, letter: str, found: dict[str, FileNode], entry: FileNode, gates: int = 1) -> list[Tensor]:
    """Wx, Wh and b of one gate, or of so many below each other."""
    unit, feature = Axis("unit", len(incoming.neurons)), incoming.axes[1].replace(labels=())
    rows = Axis("unit", gates * unit.size)
    read = [
        incoming.needed("input_weights", "weight", (rows, feature), f"x{letter}", found, entry),
        incoming.needed("hidden_weights", "weight", (rows, unit), f"h{letter}", found, entry),
        incoming.tensor("bias", "bias", (rows,), letter, found),
        incoming.tensor("hidden_bias", "bias", (rows,), f"h{letter}", found) if "hidden_bias" in found else None,
    ]
    return [tensor for tensor in read if tensor is not None]


def _states(incoming: Incoming) -> list[Tensor]:
    """The state (and cell) before the first time, for all samples or a row for each; 0 where not given."""
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    states = [("initial_state", "start")] + ([("initial_cell", "start_cell")] if incoming.kind == "lstm" else [])
    result = []
    for key, name in states:
        own = key in incoming.found and incoming.samples > 1 and depth(incoming.found[key]) == 2  # a row for every sample
        axes = (Axis("sample", incoming.samples), unit) if own else (unit,)
        given = incoming.tensor(key, "input", axes, name)
        result.append(given or Tensor("input", (unit,), dict.fromkeys(product(range(unit.size)), ZERO), name))
    return result
