"""Names that are usual whatever the notation: z_h1 and a_h1 of a neuron, ŷ of the only output, dw5 of a gradient, h_2 of a state.

They are read where a name means nothing in the notation of a problem. To add one: a line in `usual_names`.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity

OF_LOSS = ("Loss", "Cost", "cost", "Error", "error", "L", "J", "C", "损失", "误差", "代价")
OF_ONE = {"net": ("z", "net"), "out": ("a", "out")}  # kind → letters and words of a neuron
STATES = {"cell": "c", **{f"gate_{letter}": letter for letter in "ifogrzn"}}  # role → letter, of a recurrent layer
ROLES = {"moment1": "m", "moment2": "v", "corrected1": "mhat", "corrected2": "vhat", "velocity": "v"}  # of what an optimiser remembers


def usual_names(graph: Graph, quantity: Quantity, cell: Cell) -> Iterator[str]:
    """What a cell may be called, without its sample and its time."""
    if quantity.stage:
        return
    core, of = graph.core(cell), quantity.of
    if of is None:
        yield from OF_LOSS if quantity.kind == "loss" else ()
        for word in OF_ONE.get(quantity.kind, ()):
            yield word + core
            yield from (word,) if _is_only(graph, quantity) else ()
        if quantity.kind == "out" and quantity is _outs(graph)[-1] and _is_only_unit(quantity):
            yield from ("yhat", "ŷ")
    elif quantity.kind == "gradient" and quantity.role != "second":
        base = graph.at(of, cell)
        kind = graph[base[0]].kind
        yield from (f"d{letter}{graph.core(base)}" for letter in (("z",) if kind == "net" else ("",)))
        if kind == "net" and _is_only(graph, graph[base[0]]):
            yield from ("delta", "dz")
    elif quantity.role in ROLES:
        yield f"{ROLES[quantity.role]}{graph.core(graph.at(of, cell))}"


def timed_name(graph: Graph, quantity: Quantity, cell: Cell) -> str:
    """What a number of a recurrent layer of one unit may be called with its time: h_2, c_2, i_2; nothing for any other."""
    times = [place + axis.first for axis, place in zip(quantity.axes, cell[1]) if axis.role == "time"]
    if quantity.stage or quantity.of is not None or not times or quantity.sampled or not _is_only_unit(quantity):
        return ""
    letter = STATES.get(quantity.role, "h" if quantity is _outs(graph)[0] else "y" if quantity is _outs(graph)[-1] else "")
    return f"{letter}{times[0]}" if letter else ""


def _outs(graph: Graph) -> list[Quantity]:
    """What layers give, in their order."""
    return [quantity for quantity in graph if quantity.kind == "out" and quantity.of is None and not quantity.stage]


def _is_only_unit(quantity: Quantity) -> bool:
    """Whether a quantity has one number at each sample and time."""
    return all(axis.size == 1 or axis.role in ("sample", "time") for axis in quantity.axes)


def _is_only(graph: Graph, quantity: Quantity) -> bool:
    """Whether the network has one neuron."""
    return _is_only_unit(quantity) and sum(other.kind == quantity.kind and not other.stage and other.of is None for other in graph) == 1
