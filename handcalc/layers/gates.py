"""Recurrent layers with gates.

- lstm: gates i, f, o = σ(net), candidate g = tanh(net), cell c[t] = f[t]·c[t−1] + i[t]·g[t], out[t] = o[t]·tanh(c[t]).
- gru: gates r, z = σ(net), candidate n = tanh(net of x and r·out[t−1]), out[t] = (1 − z)·n + z·out[t−1]; by options the reset gate
  acts after the product (PyTorch), or z keeps the new state: (1 − z)·out[t−1] + z·n.

Shapes as in recurrent.py; gates (time, unit). Parameters of all gates may be typed as one matrix, the gates below each other in the order
of GATES (weight_ih_l0 and so on).
Source: Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000; Cho et al., 2014; PyTorch's LSTM, GRU (one bias for
input and state together, unless the GRU has a hidden_bias).
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import ONE, Ref, add, call, mul, sub
from handcalc.core.quantity import Letter
from handcalc.layers.layertype import ARRAY, BIAS, ROWS, LayerOption, LayerType, OptionWord, Row
from handcalc.layers.recurrent import (
    HELD,
    HIDDEN,
    INPUT,
    NEURONS,
    RETURNS,
    STATE,
    STRETCH,
    TIMES,
    TRUNCATE,
    Recurrence,
    layer_of,
    parameters,
    states,
)  # fmt: skip
from handcalc.layers.site import Site
from handcalc.problem.schema import Layer, Tensor
from handcalc.problem.shapes import Incoming
from handcalc.problem.values import FLAG, Shape

# type → its gates as typed, with the letter in the names of their parameters (Wxi1, Whi1, bi1)
GATES = {
    "lstm": {"input": "i", "forget": "f", "candidate": "g", "output": "o"},
    "gru": {"reset": "r", "update": "z", "candidate": "n"},
}

STARTS = {"lstm": {"initial_state": "start", "initial_cell": "start_cell"}, "gru": {"initial_state": "start"}}

# --- keys -------------------------------------------------------------------------------------------------------------

GATE: tuple[Row, ...] = (
    INPUT, HIDDEN, BIAS, ("hidden_bias", ARRAY, "a second bias, inside the reset (gru with reset_after)", "[0, 0]"),
)  # fmt: skip
_GATE_KEYS = tuple(key for key, *_ in GATE)
_CELL: Row = ("initial_cell", ARRAY, "cell before the first time, or a row of it for every sample; 0 if not given", "[0, 0]")


def _gates_and_matrices(kind: str) -> tuple[Row, ...]:
    """Keys of the parameters of every gate, and of all gates in one matrix."""
    shape: Shape = {"type": "object", "properties": {name: {"$ref": "#/$defs/gate"} for name in GATES[kind]}, "additionalProperties": False}
    text = f"instead of gates: all gates below each other, in the order {', '.join(GATES[kind])} (PyTorch's "
    return (
        ("gates", shape, "weights and bias of every gate", ""),
        ("input_weights", ARRAY, text + "weight_ih)", "{file: lstm.npz, array: weight_ih_l0}"),
        ("hidden_weights", ARRAY, text + "weight_hh)", "{file: lstm.npz, array: weight_hh_l0}"),
        ("bias", ARRAY, text + "bias_ih)", "{file: lstm.npz, array: bias_ih_l0}"),
        ("hidden_bias", ARRAY, text + "bias_hh)", "{file: lstm.npz, array: bias_hh_l0}"),
    )


# --- reading ----------------------------------------------------------------------------------------------------------


def read_gated(incoming: Incoming) -> Layer | None:
    """lstm and gru: weights for each of their gates."""
    if not incoming.neurons:
        return None
    tensors = list(_gates(incoming))
    options: dict[str, object] = {}
    if incoming.kind == "gru":
        after = "reset_after" in incoming.found and incoming.found["reset_after"].flag() is True
        kept = incoming.found["update_keeps"].choice(("old", "new")) if "update_keeps" in incoming.found else "old"
        options = {"reset_after": after, "update_keeps": kept}
        if any(tensor.key == "hidden_bias" for tensor in tensors) and not after:
            incoming.found.get("gates", incoming.entry).fail("hidden_bias goes with reset_after: true only")
    return layer_of(incoming, [*tensors, *states(incoming, STARTS[incoming.kind])], (), options)


def _gates(incoming: Incoming) -> Iterator[Tensor]:
    """The parameters of every gate: each by itself, or all in one matrix."""
    gates, item = GATES[incoming.kind], incoming.found.get("gates")
    together = [key for key in _GATE_KEYS if key in incoming.found]
    if item is not None and together:
        incoming.found[together[0]].fail("the weights of the gates are given twice: under {first} and under {second}",
                                         first="gates", second=together[0])  # fmt: skip
    elif item is not None:
        parts = item.section(tuple(gates))
        for name, letter in gates.items():
            if name not in parts:
                item.fail("the {gate} gate is missing", gate=name)
            else:
                yield from parameters(incoming, parts[name].section(_GATE_KEYS), parts[name], letter, name)
    elif together:
        for tensor in parameters(incoming, incoming.found, incoming.entry, gates=len(gates)):
            for place, letter in enumerate(gates.values()):
                own = tensor.rows(place * len(incoming.neurons), len(incoming.neurons))
                yield own.replace(role=tensor.role + letter)
    else:
        incoming.entry.fail("the key {key} is missing", key="gates")


# --- building ---------------------------------------------------------------------------------------------------------


def add_lstm(site: Site) -> Ref:
    """Three gates, a candidate, the cell, the state."""
    cell = Recurrence(site)
    gate: dict[str, Ref] = {}
    for name, function in (("i", "sigmoid"), ("f", "sigmoid"), ("g", "tanh"), ("o", "sigmoid")):
        net = site.part(f"net_{name}", cell.index, cell.net(name))
        gate[name] = site.part(f"gate_{name}", cell.index, call(function, net))
    kept = mul(gate["f"], cell.before(cell.unit, "cell"))
    now = cell.now(cell.state("cell", add(mul(gate["i"], gate["g"]), kept), "start_cell"))
    return cell.answer(cell.state("out", mul(gate["o"], call("tanh", now)), "start"))


def add_gru(site: Site) -> Ref:
    """Two gates, a candidate, the state."""
    cell = Recurrence(site)
    gate: dict[str, Ref] = {}
    for name in ("r", "z"):
        net = site.part(f"net_{name}", cell.index, cell.net(name))
        gate[name] = site.part(f"gate_{name}", cell.index, call("sigmoid", net))
    if site.layer.options["reset_after"]:
        whole = cell.net("n", state_factor=gate["r"])
    else:
        reset = Ref(gate["r"].quantity, (*site.batch, cell.time, cell.other))
        whole = cell.net("n", mul(reset, cell.before(cell.other)))
    net = site.part("net_n", cell.index, whole)
    gate["n"] = site.part("gate_n", cell.index, call("tanh", net))
    old, new = cell.before(cell.unit), gate["n"]
    first, second = (new, old) if site.layer.options["update_keeps"] == "old" else (old, new)
    return cell.answer(cell.state("out", add(mul(sub(ONE, gate["z"]), first), mul(gate["z"], second)), "start"))


# --- types ------------------------------------------------------------------------------------------------------------


def _letters(kind: str) -> dict[str, Letter]:
    """Letters of the net inputs of gates, and of gates."""
    letters = GATES[kind].values()
    return {f"net_{one}": Letter("net", one) for one in letters} | {f"gate_{one}": Letter(one) for one in letters} | {"held_out": HELD}


LSTM = LayerType(
    "lstm",
    "LSTM",
    (NEURONS, *_gates_and_matrices("lstm"), ROWS, STATE, _CELL, RETURNS, TRUNCATE),
    read_gated,
    add_lstm,
    sections={"gate": GATE},
    takes=(("time", ""),),
    first=TIMES,
    letters=_letters("lstm") | {"cell": Letter("c"), "held_cell": Letter("c", "held")},
    options=(STRETCH,),
    has_neurons=True,
    is_recurrent=True,
    spellings=("long_short_term_memory", "长短期记忆", "长短期记忆网络"),
)
GRU = LayerType(
    "gru",
    "GRU",
    (
        NEURONS,
        *_gates_and_matrices("gru"),
        ROWS,
        ("reset_after", FLAG, "the reset gate acts on the product with the hidden weights (PyTorch), not on the state", "false"),
        (
            "update_keeps",
            {"enum": ["old", "new"]},
            "what a share of 1 of the update gate keeps: the old state (PyTorch), or the new",
            "old",
        ),
        STATE,
        RETURNS,
        TRUNCATE,
    ),
    read_gated,
    add_gru,
    sections={"gate": GATE},
    takes=(("time", ""),),
    first=TIMES,
    letters=_letters("gru"),
    options=(
        LayerOption("reset_after", "The reset gate acts after the product with the hidden weights."),
        LayerOption(
            "update_keeps", "what the update gate keeps", choices=(OptionWord("old", "the old state"), OptionWord("new", "the new state"))
        ),
        STRETCH,
    ),
    has_neurons=True,
    is_recurrent=True,
    spellings=("gated_recurrent_unit", "门控循环单元"),
)
TYPES = (LSTM, GRU)
