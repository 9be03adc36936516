"""Recurrent layers with gates.

- lstm: gates i, f, o = σ(net), candidate g = tanh(net), cell c[t] = f[t]·c[t−1] + i[t]·g[t], out[t] = o[t]·tanh(c[t]).
  With peepholes p the gates see the cell as well: net_i and net_f + p·c[t−1], net_o + p·c[t]; coupled, f = 1 − i has no net input.
- gru: gates r, z = σ(net), candidate n = tanh(net of x and r·out[t−1]), out[t] = (1 − z)·n + z·out[t−1]; by options the reset gate
  acts after the product (PyTorch), or z keeps the new state: (1 − z)·out[t−1] + z·n.

Shapes as in recurrent.py; gates (time, unit). Parameters of all gates may be typed as one matrix, the gates below each other in the order
of GATES (weight_ih_l0 and so on).
Activations other than σ and tanh are given as in Keras: `activation` of candidate and cell, `gate_activation` for its
recurrent_activation.
Source: Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000; peepholes of Gers and Schmidhuber, 2000; coupled
gates as in Greff et al., 2017; Cho et al., 2014; PyTorch's LSTM, GRU (one bias for input and state together, unless the GRU has a
hidden_bias).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from handcalc.core.expr import ONE, Call, Expr, Ref, add, mul, sub
from handcalc.core.index import Axis
from handcalc.core.quantity import Letter
from handcalc.layers.activations import applied, one_activation
from handcalc.layers.layertype import ARRAY, BIAS, FUNCTION, ROWS, LayerOption, LayerType, OptionWord, Row
from handcalc.layers.recurrent import (
    DIRECTION,
    HELD,
    HIDDEN,
    INPUT,
    NEURONS,
    RETURNS,
    REVERSE,
    START,
    STARTS_FROM,
    STATE,
    STRETCH,
    TANH,
    TIMES,
    TRUNCATE,
    Recurrence,
    both_ways,
    layer_of,
    parameters,
    states,
)  # fmt: skip
from handcalc.layers.site import Site
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Activation, Layer, Tensor
from handcalc.problem.shapes import Incoming
from handcalc.problem.values import FLAG, Shape

# type → its gates as typed, with the letter in the names of their parameters (Wxi1, Whi1, bi1)
GATES = {
    "lstm": {"input": "i", "forget": "f", "candidate": "g", "output": "o"},
    "gru": {"reset": "r", "update": "z", "candidate": "n"},
}

STARTS = {"lstm": {"initial_state": "start", "initial_cell": "start_cell"}, "gru": {"initial_state": "start"}}

# --- keys -------------------------------------------------------------------------------------------------------------

PEEPHOLE = "peephole"
SEEING = {"input": "before", "forget": "before", "output": "now"}  # gate of an LSTM → which cell it may see
GATE: tuple[Row, ...] = (
    INPUT, HIDDEN, BIAS, ("hidden_bias", ARRAY, "a second bias, inside the reset (gru with reset_after)", "[0, 0]"),
    (PEEPHOLE, ARRAY, "a weight of the own cell for every neuron (lstm; not of the candidate)", "[0.1, 0.2]"),
)  # fmt: skip
_SIGMOID = Activation("sigmoid", Call("sigmoid", (Ref("z"),)))
_USUAL = {"activation": TANH, "gate_activation": _SIGMOID}
_GATE_FUNCTION: Row = ("gate_activation", FUNCTION, "activation of the gates (Keras's recurrent_activation)", "hard_sigmoid")
_TOLD = (LayerOption("activation", "activation"), LayerOption("gate_activation", "activation of the gates"))
_GATE_KEYS = tuple(key for key, *_ in GATE)
_MATRICES = tuple(key for key in _GATE_KEYS if key != PEEPHOLE)
_CELL: Row = ("initial_cell", START, "cell before the first time, or a row of it for every sample; {from: layer}: the last of that"
              " layer; 0 if not given", "[0, 0]")  # fmt: skip


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
    coupled = "coupled" in incoming.found and incoming.found["coupled"].flag() is True
    gates = {name: letter for name, letter in GATES[incoming.kind].items() if not (coupled and name == "forget")}
    tensors = list(_gates(incoming, gates))
    options: dict[str, object] = {key: one_activation(incoming.found[key]) for key in _USUAL if key in incoming.found}
    options = {**dict.fromkeys(_USUAL), **options, "coupled": coupled}
    if incoming.kind == "gru":
        after = "reset_after" in incoming.found and incoming.found["reset_after"].flag() is True
        kept = incoming.found["update_keeps"].choice(("old", "new")) if "update_keeps" in incoming.found else "old"
        options |= {"reset_after": after, "update_keeps": kept}
        if any(tensor.key == "hidden_bias" for tensor in tensors) and not after:
            incoming.found.get("gates", incoming.entry).fail("hidden_bias goes with reset_after: true only")
    return layer_of(incoming, [*tensors, *states(incoming, STARTS[incoming.kind])], (), options)


def _gates(incoming: Incoming, gates: Mapping[str, str]) -> Iterator[Tensor]:
    """The parameters of every gate: each by itself, or all in one matrix."""
    item = incoming.found.get("gates")
    together = [key for key in _MATRICES if key in incoming.found]
    if item is not None and together:
        incoming.found[together[0]].fail("the weights of the gates are given twice: under {first} and under {second}",
                                         first="gates", second=together[0])  # fmt: skip
    elif item is not None:
        parts = item.section(tuple(gates))
        for name, letter in gates.items():
            if name not in parts:
                item.fail("the {gate} gate is missing", gate=name)
            else:
                own = parts[name].section(_GATE_KEYS)
                yield from parameters(incoming, own, parts[name], letter, name)
                yield from _peephole(incoming, own, letter, name)
    elif together:
        for tensor in parameters(incoming, incoming.found, incoming.entry, gates=len(gates)):
            for place, letter in enumerate(gates.values()):
                part = tensor.rows(place * len(incoming.neurons), len(incoming.neurons))
                yield part.replace(role=tensor.role + letter)
    elif incoming.names.given:  # they may be unknown
        for name, letter in gates.items():
            yield from parameters(incoming, {}, incoming.entry, letter, name)
    else:
        incoming.entry.fail("the key {key} is missing", key="gates")


def _peephole(incoming: Incoming, found: dict[str, FileNode], letter: str, gate: str) -> Iterator[Tensor]:
    """The weights with which a gate sees the cell."""
    if PEEPHOLE not in found:
        return
    if incoming.kind != "lstm" or gate not in SEEING:
        found[PEEPHOLE].fail("the {gate} gate of {type} has no peephole", gate=gate, type=incoming.kind)
    tensor = incoming.tensor(PEEPHOLE, "weight", (Axis("unit", len(incoming.neurons)),), f"c{letter}", found)
    if tensor is not None:
        yield tensor.replace(gate=gate)


# --- building ---------------------------------------------------------------------------------------------------------


def add_lstm(site: Site) -> Ref:
    """Three gates, a candidate, the cell, the state."""
    cell = Recurrence(site)
    late = site.has("weight", "co")  # the output gate sees the cell of its own time

    def made(name: str, seen: Expr | None = None) -> Ref:
        """A gate, or the candidate; seen: the cell that it may see through a peephole."""
        net = cell.net(name)
        if seen is not None and site.has("weight", f"c{name}"):
            net = add(net, mul(site.parameter("weight", f"c{name}", cell.unit), seen))
        return _gate(site, cell, name, net)

    before = cell.before(cell.unit, "cell")
    entering = made("i", before)
    kept = site.part("gate_f", cell.index, sub(ONE, entering)) if site.layer.options["coupled"] else made("f", before)
    candidate = made("g")
    leaving = None if late else made("o")
    now = cell.now(cell.state("cell", add(mul(entering, candidate), mul(kept, before)), "start_cell"))
    leaving = leaving or made("o", now)
    return cell.answer(cell.state("out", mul(leaving, applied(_function(site, "activation"), now)), "start"))


def _gate(site: Site, cell: Recurrence, name: str, net: Expr) -> Ref:
    """f(net) of a gate; candidates have an activation of their own."""
    before = site.part(f"net_{name}", cell.index, net)
    key = "activation" if name in "gn" else "gate_activation"
    return site.part(f"gate_{name}", cell.index, applied(_function(site, key), before))


def _function(site: Site, key: str) -> Activation:
    """The activation that was chosen, or the usual one."""
    chosen: Activation | None = site.layer.options[key]
    return chosen or _USUAL[key]


def add_gru(site: Site) -> Ref:
    """Two gates, a candidate, the state."""
    cell = Recurrence(site)
    gate: dict[str, Ref] = {}
    for name in ("r", "z"):
        gate[name] = _gate(site, cell, name, cell.net(name))
    if site.layer.options["reset_after"]:
        whole = cell.net("n", state_factor=gate["r"])
    else:
        reset = Ref(gate["r"].quantity, (*site.batch, cell.time, cell.other))
        whole = cell.net("n", mul(reset, cell.before(cell.other)))
    gate["n"] = _gate(site, cell, "n", whole)
    old, new = cell.before(cell.unit), gate["n"]
    first, second = (new, old) if site.layer.options["update_keeps"] == "old" else (old, new)
    return cell.answer(cell.state("out", add(mul(sub(ONE, gate["z"]), first), mul(gate["z"], second)), "start"))


# --- types ------------------------------------------------------------------------------------------------------------


def _letters(kind: str) -> dict[str, Letter]:
    """Letters of the net inputs of gates, and of gates."""
    letters = GATES[kind].values()
    return {f"net_{one}": Letter("net", one) for one in letters} | {f"gate_{one}": Letter(one) for one in letters} | {"held_out": HELD}


_LSTM_KEYS = (
    NEURONS,
    *_gates_and_matrices("lstm"),
    ROWS,
    ("activation", FUNCTION, "activation of the candidate, and of the cell on its way out; tanh if not given", "identity"),
    _GATE_FUNCTION,
    ("coupled", FLAG, "the forget gate is 1 minus the input gate, and has no weights", "false"),
    STATE,
    _CELL,
    RETURNS,
    TRUNCATE,
    REVERSE,
)
_GRU_KEYS = (
    NEURONS,
    *_gates_and_matrices("gru"),
    ROWS,
    ("activation", FUNCTION, "activation of the candidate; tanh if not given", "relu"),
    _GATE_FUNCTION,
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
    REVERSE,
)
LSTM = LayerType(
    "lstm",
    "LSTM",
    (*_LSTM_KEYS, *both_ways("lstm")),
    read_gated,
    add_lstm,
    sections={"gate": GATE},
    takes=(("time", ""), ("token", "")),
    first=TIMES,
    letters=_letters("lstm") | {"cell": Letter("c"), "held_cell": Letter("c", "held")},
    options=(*_TOLD, LayerOption("coupled", "The forget gate is 1 minus the input gate."), DIRECTION, STRETCH, STARTS_FROM),
    has_neurons=True,
    is_recurrent=True,
    spellings=("long_short_term_memory", "长短期记忆", "长短期记忆网络"),
)
GRU = LayerType(
    "gru",
    "GRU",
    (*_GRU_KEYS, *both_ways("gru")),
    read_gated,
    add_gru,
    sections={"gate": GATE},
    takes=(("time", ""), ("token", "")),
    first=TIMES,
    letters=_letters("gru"),
    options=(
        *_TOLD,
        LayerOption("reset_after", "The reset gate acts after the product with the hidden weights."),
        LayerOption(
            "update_keeps", "what the update gate keeps", choices=(OptionWord("old", "the old state"), OptionWord("new", "the new state"))
        ),
        DIRECTION,
        STRETCH,
        STARTS_FROM,
    ),
    has_neurons=True,
    is_recurrent=True,
    spellings=("gated_recurrent_unit", "门控循环单元"),
)
TYPES = (LSTM, GRU)
