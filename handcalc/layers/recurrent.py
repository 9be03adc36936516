"""Recurrent layers, unrolled in time: out[0] is the given initial state, the states at times 1 … T follow; or, in reverse, out[T+1] is
given and the states at times T … 1 follow, out[t] from out[t+1].

- rnn (Elman): net[t,j] = Σ_i Wx[j,i]·x[t,i] + Σ_k Wh[j,k]·out[t−1,k] + b[j], out[t,j] = f(net[t,j]).
- `parameters`, `states`, `layer_of` read what every recurrence has, and `Recurrence` builds it; lstm and gru are in gates.py.

Shapes (the sample axis in front): x (time, input), Wx (unit, input), Wh (unit, unit), b (unit), out (time, unit); out has one time more,
0 (in reverse T + 1), for the initial state. Matrices are PyTorch's: a row per neuron. Back-propagation through time is the chain rule
over these definitions; truncated, it takes the state at the start of every stretch of k times for a given number.
Source: Elman, 1990; PyTorch's RNN (one bias for input and state together). Two directions side by side: Schuster and Paliwal, 1997.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

from handcalc.core.expr import ZERO, Call, Expr, Number, Ref, add, delta, mul, reindex
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Letter
from handcalc.layers.activations import applied, one_activation
from handcalc.layers.layertype import ACTIVATION, ARRAY, BIAS, COUNT, EARLIER, NAMES, ROWS, LayerOption, LayerType, Roles, Row
from handcalc.layers.site import Site, reindexed, shifted, totals
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Activation, Layer, Tensor
from handcalc.problem.shapes import Incoming, depth, names_of, spelled
from handcalc.problem.values import FLAG, Shape

# --- keys -------------------------------------------------------------------------------------------------------------

NEURONS: Row = ("neurons", NAMES, "names of the neurons of the state, or their number", "[h1, h2]")
RETURNS: Row = ("returns", {"enum": ["all", "last"]}, "the states of all times go on, or only the last", "last")
_FROM: Shape = {"type": "object", "properties": {"from": EARLIER}, "required": ["from"], "additionalProperties": False}
START: Shape = {"anyOf": [ARRAY, _FROM]}
STATE: Row = ("initial_state", START, "state before the first time, or a row of it for every sample; {from: layer}: the last state of that"
              " layer, or its output; 0 if not given", "[0, 0]")  # fmt: skip
TRUNCATE: Row = ("truncate", COUNT, "so many times at most the error goes back; the state is handed on, its gradient not", "1")
REVERSE: Row = ("reverse", FLAG, "whether it goes from the last time to the first", "true")
INPUT: Row = ("input_weights", ARRAY, "one row per neuron, one column per input (PyTorch's weight_ih)", "[[0.5, 0.1], [0.2, 0.3]]")
HIDDEN: Row = ("hidden_weights", ARRAY, "one row per neuron, one column per neuron of the state before (PyTorch's weight_hh)", "[[0.8]]")

BIDIRECTIONAL, BACKWARD = "bidirectional", "backward"
OWN_KEYS = ("gates", "input_weights", "hidden_weights", "bias", "hidden_bias", "initial_state", "initial_cell")  # of one direction


def both_ways(kind: str) -> tuple[Row, ...]:
    """The keys of a layer of this type that goes in both directions."""
    text = "bidirectional: the parameters of the layer that goes from the last time to the first, under the same keys"
    return (
        (
            BIDIRECTIONAL,
            FLAG,
            "whether it goes in both directions: two layers, and their states side by side, the forward ones first",
            "true",
        ),
        (BACKWARD, {"$ref": f"#/$defs/{kind}"}, text, "{input_weights: [[0.5]], hidden_weights: [[-0.3]], bias: [0.1]}"),
    )


TIMES: Roles = (("time", "input"), ("time", "input"))  # inputs of a recurrence
STRETCH = LayerOption("truncate", "times that the error goes back")
DIRECTION = LayerOption("reverse", "It goes from the last time to the first.")
HELD = Letter("out", "held")
STARTS = {"initial_state": "start"}  # key → the role of what is given under it
ALL_STARTS = {**STARTS, "initial_cell": "start_cell"}
STARTS_FROM = LayerOption("starts_from", "begins with the last state of layer")
STATES = {"out": "start", "cell": "start_cell"}  # what goes from time to time → the role of what it starts with
TANH = Activation("tanh", Call("tanh", (Ref("z"),)))


# --- reading ----------------------------------------------------------------------------------------------------------


def read_rnn(incoming: Incoming) -> Layer | None:
    """rnn: one activation of inputs and the state before (Elman network)."""
    if not incoming.neurons:
        return None
    tensors = parameters(incoming, incoming.found, incoming.entry)
    chosen = one_activation(incoming.found.get("activation"), TANH)
    return layer_of(incoming, [*tensors, *states(incoming, STARTS)], (chosen,), {}) if chosen else None


def as_times(axis: Axis) -> Axis:
    """Tokens are times for what goes through them."""
    return axis if axis.role == "time" else Axis("time", axis.size)


def layer_of(incoming: Incoming, tensors: list[Tensor], chosen: tuple[Activation, ...], options: dict[str, object]) -> Layer:
    """The layer: what it puts out, and how far the error goes back."""
    last = "returns" in incoming.found and incoming.found["returns"].choice(("all", "last")) == "last"
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    axes = (unit,) if last else (as_times(incoming.axes[0]), unit)
    shown = incoming.neurons if last else names_of(axes)
    limit = incoming.found["truncate"].whole(1, 1_000_000) if "truncate" in incoming.found else None
    reverse = "reverse" in incoming.found and incoming.found["reverse"].flag() is True
    if reverse and limit:
        incoming.found["truncate"].fail("does not go with reverse")
    options |= {"last": last, "unit": unit, "truncate": limit, "reverse": reverse, **_handed_on(incoming, tensors, limit)}
    return Layer(shown, chosen, type=incoming.kind, axes=axes, tensors=tuple(tensors), options=options)


def parameters(
    incoming: Incoming, found: dict[str, FileNode], entry: FileNode, letter: str = "", gate: str = "", gates: int = 1
) -> list[Tensor]:
    """Wx, Wh and b of one gate, or of so many below each other."""
    unit, feature = Axis("unit", len(incoming.neurons)), incoming.axes[1].replace(labels=())
    rows = Axis("unit", gates * unit.size)
    read = [
        incoming.needed("input_weights", "weight", (rows, feature), f"x{letter}", found, entry),
        incoming.needed("hidden_weights", "weight", (rows, unit), f"h{letter}", found, entry),
        incoming.tensor("bias", "bias", (rows,), letter, found),
        incoming.tensor("hidden_bias", "bias", (rows,), f"h{letter}", found) if "hidden_bias" in found else None,
    ]
    return [tensor.replace(gate=gate) for tensor in read if tensor is not None]


def states(incoming: Incoming, starts: Mapping[str, str]) -> list[Tensor]:
    """What there is before the first time, for all samples or a row for each; 0 where not given. starts: key → role."""
    unit = Axis("unit", len(incoming.neurons), incoming.neurons)
    result = []
    for key, role in starts.items():
        if key in incoming.found and incoming.found[key].kind == "mapping" and not incoming.found[key].names("file"):
            continue  # handed on by a layer
        own = key in incoming.found and incoming.samples > 1 and depth(incoming.found[key]) == 2  # a row for every sample
        axes = (Axis("sample", incoming.samples), unit) if own else (unit,)
        given = incoming.tensor(key, "input", axes, role)
        result.append(given or Tensor("input", (unit,), dict.fromkeys(product(range(unit.size)), ZERO), role))
    return result


def _handed_on(incoming: Incoming, tensors: list[Tensor], limit: int | None) -> dict[str, object]:
    """Which layers hand on the state that this one starts with, and its cell, and whether each goes forwards (1), backwards (−1), or is no
    recurrent one (0); {} where none does."""
    given = {tensor.role for tensor in tensors}
    found: dict[str, tuple[int, int]] = {}
    for key, role in ALL_STARTS.items():
        if key not in incoming.found or role in given:
            continue
        part = incoming.found[key].section(("from",)).get("from")
        place = incoming.earlier_layer(part) if part is not None else None
        if place is None:
            continue
        if limit:
            incoming.found["truncate"].fail("does not go with a state that another layer hands on")
        layer = incoming.layers[place - 1] if place else Layer()
        way = 0 if "reverse" not in layer.options else -1 if layer.options["reverse"] else 1
        if _fits(incoming, incoming.found[key], place, role, layer):
            found[role] = place, way
    return {"starts": tuple((role, way) for role, (_, way) in found.items()), STARTS_FROM.name: tuple(n for n, _ in found.values())}


def _fits(incoming: Incoming, item: FileNode, place: int, role: str, layer: Layer) -> bool:
    """Whether a layer has a state, or a cell, of the right size; an error where it has not."""
    if role != STARTS["initial_state"] and layer.type != incoming.kind:
        item.fail("layer {layer} has no cell to hand on", layer=place)
        return False
    axes, wanted = incoming.earlier[place], len(incoming.neurons)
    if axes and (axes[-1].size != wanted or any(axis.role not in ("time", "token") for axis in axes[:-1]) or len(axes) > 2):
        text = "layer {layer} puts out {found}, and a state of {wanted} {wanted:neuron|neurons} is expected"
        item.fail(text, layer=place, found=spelled(axes), wanted=wanted)
        return False
    return bool(axes)


# --- building ---------------------------------------------------------------------------------------------------------


class Recurrence:
    """The indices of a recurrent layer, and its sums over inputs and over the state before."""

    def __init__(self, site: Site) -> None:
        unit: Axis = site.layer.options["unit"]
        self.site = site
        before, self.feature = site.incoming
        self.time = Index(before.letter, as_times(before.axis))
        self.unit = Index("j", unit)
        self.other = Index("k", unit)
        self.feature = Index("i", self.feature.axis) if self.feature.letter in ("j", "k") else self.feature
        self.index = (*site.batch, self.time, self.unit)
        self.reverse: bool = site.layer.options["reverse"]
        options = site.layer.options
        self.handed = {role: (place, way) for (role, way), place in zip(options["starts"], options[STARTS_FROM.name])}
        self.state_axis = Axis("time", self.time.axis.size + 1, first=1 if self.reverse else 0)
        self.state_index = (*site.batch, Index(self.time.letter, self.state_axis), self.unit)

    def net(self, gate: str, state: Expr | None = None, state_factor: Expr | None = None) -> Expr:
        """Σ Wx·x + Σ Wh·state + b of a gate."""
        site = self.site
        wx = site.parameter("weight", f"x{gate}", self.unit, self.feature)
        inputs = totals((self.feature,), mul(wx, site.at(self.time, self.feature)))
        whole = [inputs, self.hidden(gate, state, state_factor)]
        if site.has("bias", gate):
            whole.append(site.parameter("bias", gate, self.unit))
        return add(*whole)

    def hidden(self, gate: str, state: Expr | None = None, factor: Expr | None = None) -> Expr:
        """Σ_k Wh[j,k]·state[k] (+ hidden bias), times a factor."""
        site = self.site
        wh = site.parameter("weight", f"h{gate}", self.unit, self.other)
        found: Expr = totals((self.other,), mul(wh, state if state is not None else self.before(self.other)))
        if site.has("bias", f"h{gate}"):
            found = add(found, site.parameter("bias", f"h{gate}", self.unit))
        return found if factor is None else mul(factor, found)

    def before(self, unit: Index, name: str = "out") -> Expr:
        """The state of the time before: place t of an axis that begins one earlier (in reverse, of the time after). At the start of a
        stretch of times that the error does not leave, a copy without gradient."""
        site, stretch, times = self.site, self.site.layer.options["truncate"], self.time.axis.size
        if STATES[name] in self.handed:
            state = Ref(site.name(name), (*site.batch, shifted(1 if self.reverse else -1, (1, self.time)), unit))
            begin = times - 1 if self.reverse else 0
            return add(state, mul(delta(self.time, begin), self._start(name, unit)))
        state = Ref(site.name(name), (*site.batch, shifted(1, (1, self.time)) if self.reverse else self.time, unit))
        if stretch is None or stretch >= times:
            return state
        kept = site.graph.in_layer(site.place, "part", f"held_{name}")
        if not kept:
            kept = site.part(f"held_{name}", self.index, Ref(state.quantity, self.index), held=True).quantity
        copy = Ref(kept, state.indices)
        if stretch == 1:
            return copy
        number = Index("m", Axis("input", -(-times // stretch)))  # of the stretch
        place = Index("n", Axis("input", stretch - 1))  # in it, after the first
        first = totals((number,), delta(self.time, shifted(0, (stretch, number))))
        later = totals((number, place), delta(self.time, shifted(1, (stretch, number), (1, place))))
        return add(mul(later, state), mul(first, copy))

    def _start(self, name: str, unit: Index) -> Ref:
        """The last state, or cell, of the layer that hands it on; of another layer its output, or the last row of it."""
        site, (place, way) = self.site, self.handed[STATES[name]]
        out = site.outputs[place]
        if way:
            own = site.graph[out.quantity if name == "out" else site.graph.in_layer(place, "part", name)]
            last = own.axes[len(site.batch)].size - 1 if way > 0 else 0
            return Ref(own.name, (*site.batch, last, unit))
        free = site.replace(source=out).incoming
        return reindexed(out, free, (*(index.axis.size - 1 for index in free[:-1]), unit))

    def state(self, role: str, formula: Expr, start: str) -> Ref:
        """A quantity over times 0 … T, at 0 the given start; in reverse 1 … T + 1; 1 … T where another layer hands the start on."""
        site, first = self.site, self.site.tensor("input", start)
        if start in self.handed:
            return site.part(role, self.index, formula, givens=lambda place: None)
        assert first is not None
        clock, own = len(site.batch), len(first.axes) - 1  # own: whether every sample has its own
        start_place = self.time.axis.size if self.reverse else 0

        def given(place: tuple[int, ...]) -> Number | None:
            return first.get((*place[:own], place[clock + 1])) if place[clock] == start_place else None

        own_time = self.state_index[clock]
        whole = reindex(formula, {self.time.letter: own_time if self.reverse else shifted(-1, (1, own_time))})
        return site.part(role, self.state_index, whole, givens=given)

    def answer(self, out: Ref) -> Ref:
        """The states of all times, or the last one that is worked out."""
        if self.site.layer.options["last"]:
            last = 0 if self.reverse else self.site.graph[out.quantity].axes[len(self.site.batch)].size - 1
            return Ref(out.quantity, (*self.site.batch, last, self.unit))
        return self.now(out)

    def now(self, state: Ref) -> Ref:
        """The state of this time."""
        begins = self.site.graph[state.quantity].axes[len(self.site.batch)].first  # with the first time, or one earlier
        return Ref(state.quantity, (*self.site.batch, self.time if begins else shifted(1, (1, self.time)), self.unit))


def add_rnn(site: Site) -> Ref:
    """out = f(net), net from the inputs and the state before."""
    cell = Recurrence(site)
    net = site.part("net", cell.index, cell.net(""))
    return cell.answer(cell.state("out", applied(site.layer.activations[0], net), "start"))


# --- the type ---------------------------------------------------------------------------------------------------------


RNN = LayerType(
    "rnn",
    "recurrent layer",
    (NEURONS, ACTIVATION, INPUT, HIDDEN, ROWS, BIAS, STATE, RETURNS, TRUNCATE, REVERSE, *both_ways("rnn")),
    read_rnn,
    add_rnn,
    takes=(("time", ""), ("token", "")),
    first=TIMES,
    letters={"held_out": HELD},
    options=(DIRECTION, STRETCH, STARTS_FROM),
    has_neurons=True,
    is_recurrent=True,
    spellings=("simple_rnn", "elman", "vanilla_rnn", "recurrent", "循环", "循环层", "循环神经网络"),
)
TYPES = (RNN,)
