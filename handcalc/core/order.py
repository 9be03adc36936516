"""Reading order: phase by phase, every quantity after what it uses, and what recurs in time one time after the other.

- `groups(graph)` is the list of what tables show; `phase(quantity)` says where a quantity's steps belong.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import Number, Ref, walk
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import affine
from handcalc.core.record import Record

PHASES = ("given", "forward", "error", "backward", "update")

# kind of a quantity → the phase its steps belong to (re-computations after an update belong to the update).
_PHASE = {
    "input": "given",
    "target": "given",
    "weight": "given",
    "bias": "given",
    "threshold": "given",
    "rate": "given",
    "given": "given",
    "hyper": "given",
    "memory": "given",
    "net": "forward",
    "out": "forward",
    "part": "forward",
    "variable": "forward",
    "error": "error",
    "loss_term": "error",
    "loss": "error",
    "local": "backward",
    "path": "backward",
    "gradient": "backward",
    "state": "update",
    "change": "update",
    "updated": "update",
}


class Group(Record):
    """The cells of one quantity, or of one quantity at one time: what one table shows."""

    quantity: Quantity
    phase: str
    time: int | None = None

    def holds(self, place: tuple[int, ...]) -> bool:
        """Whether a place of the quantity belongs here."""
        return self.time is None or any(
            axis.role == "time" and position + axis.first == self.time for axis, position in zip(self.quantity.axes, place)
        )


def phase(quantity: Quantity) -> str:
    """given, forward, error, backward or update."""
    return "update" if quantity.stage == "after" else _PHASE[quantity.kind]


def groups(graph: Graph) -> list[Group]:
    """Quantities in reading order."""
    shown = [quantity for quantity in graph if not _is_seed(quantity)]
    ordered = _weights_first(sorted(shown, key=lambda quantity: PHASES.index(phase(quantity))))
    return list(_in_time(graph, _after_uses(graph, ordered)))


def _is_seed(quantity: Quantity) -> bool:
    """∂E/∂E = 1 and ∂E/∂E_o = 1 start the chain rule and are put in where they are used."""
    constant = isinstance(quantity.definition, Number)
    return quantity.kind == "gradient" and constant and quantity.of is not None and quantity.of.quantity.startswith("loss")


def _weights_first(ordered: list[Quantity]) -> list[Quantity]:
    """Within a layer, ∂E/∂W before ∂E/∂b (they were defined backwards)."""
    result: list[Quantity] = []
    for quantity in ordered:
        place = len(result)
        if quantity.kind == "gradient" and quantity.of is not None and quantity.of.quantity.startswith("W"):
            while place and _is_bias_gradient(result[place - 1], quantity.layer):
                place -= 1
        result.insert(place, quantity)
    return result


def _is_bias_gradient(quantity: Quantity, layer: int) -> bool:
    return quantity.kind == "gradient" and quantity.layer == layer and quantity.of is not None and quantity.of.quantity.startswith("b")


def _after_uses(graph: Graph, ordered: list[Quantity]) -> list[Quantity]:
    """The same order, but each quantity after those it uses (at the same time, where it uses an earlier or later one)."""
    result: dict[str, Quantity] = {}
    open_names: set[str] = set()

    def place(quantity: Quantity) -> None:
        if quantity.name in result or quantity.name in open_names:
            return
        open_names.add(quantity.name)
        for used, shift in _uses(graph, quantity):
            if used in names and not shift:
                place(graph[used])
        result[quantity.name] = quantity

    names = {quantity.name for quantity in ordered}
    for quantity in ordered:
        place(quantity)
    return list(result.values())


def _uses(graph: Graph, quantity: Quantity) -> Iterator[tuple[str, int]]:
    """(quantity used, how much later it is): −1 for h[t−1] in the definition of h[t]; 0 where time plays no part."""
    own = {index.letter: axis.first for index, axis in zip(quantity.index, quantity.axes) if axis.role == "time"}
    for formula in (quantity.definition, *(quantity.cases or {}).values()):
        for node in walk(formula) if formula is not None else ():
            if isinstance(node, Ref) and node.quantity in graph:
                shift = 0
                for axis, position in zip(graph[node.quantity].axes, map(affine, node.indices)):
                    if axis.role == "time" and own and [index.letter for _, index in position.terms] == list(own):
                        shift = position.constant + axis.first - own[position.terms[0][1].letter]
                yield node.quantity, shift


def _in_time(graph: Graph, ordered: list[Quantity]) -> Iterator[Group]:
    """Groups in this order; quantities that use each other through time come together, one time after the other."""
    uses = {quantity.name: list(_uses(graph, quantity)) for quantity in ordered}

    def reached(start: str) -> set[str]:
        found, pending = set[str](), [start]
        while pending:
            fresh = {used for used, _ in uses.get(pending.pop(), ())} - found
            found |= fresh
            pending += fresh
        return found

    below = {name: reached(name) for name in uses if any(shift for _, shift in uses[name])}
    done: set[str] = set()
    for quantity in ordered:
        entry = next((name for name in below if name in below[name] and quantity.name in below[name]), "")
        round_trip = [other for other in ordered if entry and other.name in below[entry] and entry in reached(other.name)]
        if quantity not in round_trip:
            yield Group(quantity, phase(quantity))
        elif quantity.name not in done:
            done |= {other.name for other in round_trip}
            backwards = any(shift > 0 for other in round_trip for used, shift in uses[other.name] if used in done)
            times = {axis.first + place for other in round_trip for axis in other.axes if axis.role == "time" for place in range(axis.size)}
            for time in sorted(times, reverse=backwards):
                yield from (Group(other, phase(other), time) for other in round_trip)
