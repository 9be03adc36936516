"""Recurrent layers, unrolled in time: out[0] is the given initial state, the states at times 1 … T follow.

- `add_rnn` (Elman): net[t,j] = Σ_i Wx[j,i]·x[t,i] + Σ_k Wh[j,k]·out[t−1,k] + b[j], out[t,j] = f(net[t,j]).
- `add_lstm`: gates i, f, o = σ(net), candidate g = tanh(net), cell c[t] = f[t]·c[t−1] + i[t]·g[t], out[t] = o[t]·tanh(c[t]).
- `add_gru`: gates r, z = σ(net), candidate n = tanh(net of x and r·out[t−1]), out[t] = (1 − z)·n + z·out[t−1]; by options the
  reset gate acts after the product (PyTorch), or z keeps the new state: (1 − z)·out[t−1] + z·n.

Shapes (the sample axis in front): x (time, input), Wx (unit, input), Wh (unit, unit), b (unit), gates and out (time, unit); out has
one time more, 0, for the initial state. Back-propagation through time is the chain rule over these definitions; truncated, it takes
the state at the start of every stretch of k times for a given number.
Source: Elman, 1990; Hochreiter and Schmidhuber, 1997, with the forget gate of Gers et al., 2000; Cho et al., 2014; PyTorch's RNN, LSTM,
GRU (one bias for input and state together, unless the GRU has a hidden_bias).
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.expr import ONE, Expr, Number, Ref, add, call, delta, mul, reindex, rewrite, sub
from handcalc.core.index import Axis, Index
from handcalc.models.site import Site, shifted, totals

State = Callable[[Index], Expr]  # a factor of the weights of the state, by its index k


class Recurrence:
    """The indices of a recurrent layer, and its sums over inputs and over the state before."""

    def __init__(self, site: Site) -> None:
        unit: Axis = site.layer.options["unit"]
        self.site = site
        self.time, self.feature = site.incoming[0], site.incoming[1]
        self.unit = Index("j", unit)
        self.other = Index("k", unit)
        self.feature = Index("i", self.feature.axis) if self.feature.letter in ("j", "k") else self.feature
        self.index = (*site.batch, self.time, self.unit)
        self.state_axis = Axis("time", self.time.axis.size + 1, first=0)
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
        """The state of the time before: place t of an axis that begins one earlier. At the start of a stretch of times that
        the error does not leave, a copy without gradient."""
        site, stretch, times = self.site, self.site.layer.options["truncate"], self.time.axis.size
        state = Ref(f"{name}{site.place}", (*site.batch, self.time, unit))
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

    def state(self, role: str, formula: Expr, start: str) -> Ref:
        """A quantity over times 0 … T; at 0 the given start."""
        site, first = self.site, self.site.tensor("input", start)
        assert first is not None
        clock, own = len(site.batch), len(first.axes) - 1  # own: whether every sample has its own

        def given(place: tuple[int, ...]) -> Number | None:
            return first.get((*place[:own], place[clock + 1])) if place[clock] == 0 else None

        whole = reindex(formula, {self.time.letter: shifted(-1, (1, self.state_index[clock]))})  # the state's own index t
        return site.part(role, self.state_index, whole, givens=given)

    def answer(self) -> Ref:
        """The states of all times, or the last."""
        site, name = self.site, f"out{self.site.place}"
        if site.layer.options["last"]:
            return Ref(name, (*site.batch, self.time.axis.size, self.unit))
        return Ref(name, (*site.batch, shifted(1, (1, self.time)), self.unit))


def add_rnn(site: Site) -> Ref:
    """out = f(net), net from the inputs and the state before."""
    cell = Recurrence(site)
    net = site.part("net", cell.index, cell.net(""))
    formula = site.layer.activations[0].formula
    assert formula is not None
    placed = rewrite(formula, lambda node: net if isinstance(node, Ref) else None)
    cell.state("out", placed, "start")
    return cell.answer()


def add_lstm(site: Site) -> Ref:
    """Three gates, a candidate, the cell, the state."""
    cell = Recurrence(site)
    gate: dict[str, Ref] = {}
    for name, function in (("i", "sigmoid"), ("f", "sigmoid"), ("g", "tanh"), ("o", "sigmoid")):
        net = site.part(f"net_{name}", cell.index, cell.net(name))
        gate[name] = site.part(f"gate_{name}", cell.index, call(function, net))
    kept = mul(gate["f"], cell.before(cell.unit, "cell"))
    cell.state("cell", add(mul(gate["i"], gate["g"]), kept), "start_cell")
    now = Ref(f"cell{site.place}", (*site.batch, shifted(1, (1, cell.time)), cell.unit))
    cell.state("out", mul(gate["o"], call("tanh", now)), "start")
    return cell.answer()


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
    cell.state("out", add(mul(sub(ONE, gate["z"]), first), mul(gate["z"], second)), "start")
    return cell.answer()
