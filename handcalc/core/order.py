"""Reading order: phase by phase, every quantity after what it uses, and what recurs in time one time after the other.

- `groups(graph)` is the list of what tables show; `phase(quantity)` says where a quantity's steps belong.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.expr import Number, Ref, walk
from handcalc.core.graph import Graph
from handcalc.core.index import affine
from handcalc.core.quantity import Quantity
from handcalc.core.record import Record

# phase → the kinds of quantities whose steps belong to it (re-computations after an update belong to the update).
_KINDS = {
    "given": ("input", "target", "weight", "bias", "threshold", "rate", "given", "hyper", "memory"),
    "forward": ("net", "out", "part", "step", "variable"),
    "error": ("error", "loss_term", "loss"),
    "backward": ("local", "path", "gradient"),
    "update": ("state", "change", "updated"),
}
PHASES = tuple(_KINDS)
_PHASE = {kind: phase for phase, kinds in _KINDS.items() for kind in kinds}

Uses = dict[str, list[tuple[str, int]]]


class Group(Record):
    """The cells of one quantity, or of one quantity at one time: what one table shows."""

    quantity: Quantity
    phase: str
    time: int | None = None

    def holds(self, place: tuple[int, ...]) -> bool:
        """Whether a place of the quantity belongs here."""
        return self.time is None or self.time in times(self.quantity, place)


def times(quantity: Quantity, place: tuple[int, ...]) -> set[int]:
    """The times of a place of a quantity."""
    return {position + axis.first for axis, position in zip(quantity.axes, place) if axis.role == "time"}


def phase(quantity: Quantity) -> str:
    """given, forward, error, backward or update."""
    if quantity.kind == "input" and quantity.definition and not quantity.stage:
        return "forward"  # worked out of the data
    return "update" if quantity.stage == "after" or quantity.kind == "rate" and quantity.definition else _PHASE[quantity.kind]


def groups(graph: Graph) -> list[Group]:
    """Quantities in reading order: each after those it uses; those that use each other through time together, time after time."""
    shown = [quantity for quantity in graph if not _is_seed(graph, quantity) and graph.needed(quantity.name)]
    ordered = _weights_first(graph, sorted(shown, key=lambda quantity: PHASES.index(phase(quantity))))
    uses = {quantity.name: list(_uses(graph, quantity)) for quantity in ordered}
    rounds = _recurring(uses)
    result: list[Group] = []
    done: set[str] = set()

    def place(name: str) -> None:
        if name in done:
            return
        together = rounds.get(name, [name])
        done.update(together)
        for member in together:
            for used, _ in uses[member]:
                if used in uses and used not in together:
                    place(used)
        result.extend(_in_time(graph, together, uses) if name in rounds else [Group(graph[name], phase(graph[name]))])

    for quantity in ordered:
        place(quantity.name)
    return result


def _is_seed(graph: Graph, quantity: Quantity) -> bool:
    """∂E/∂E = 1 and ∂E/∂E_o = 1 of a network start the chain rule and are put in where they are used."""
    always = isinstance(quantity.definition, Number) and all(name != quantity.name for name, _ in graph.fixed)
    return always and _is_gradient_of(graph, quantity, "loss", "loss_term")


def _weights_first(graph: Graph, ordered: list[Quantity]) -> list[Quantity]:
    """Within a layer, ∂E/∂W before ∂E/∂b (they were defined backwards)."""
    result: list[Quantity] = []
    for quantity in ordered:
        place = len(result)
        if _is_gradient_of(graph, quantity, "weight"):
            while place and result[place - 1].layer == quantity.layer and _is_gradient_of(graph, result[place - 1], "bias", "threshold"):
                place -= 1
        result.insert(place, quantity)
    return result


def _is_gradient_of(graph: Graph, quantity: Quantity, *kinds: str) -> bool:
    return quantity.kind == "gradient" and quantity.of is not None and graph[quantity.of.quantity].kind in kinds


def _uses(graph: Graph, quantity: Quantity) -> Iterator[tuple[str, int]]:
    """(quantity used, how much later it is): −1 for h[t−1] in the definition of h[t]; 0 where time plays no part."""
    own = {index.letter: axis.first for index, axis in zip(quantity.index, quantity.axes) if axis.role == "time"}
    for formula in [quantity.stepwise] if quantity.stepwise else quantity.formulas:
        for node in walk(formula):
            if isinstance(node, Ref) and node.quantity in graph:
                shift = 0
                for axis, position in zip(graph[node.quantity].axes, map(affine, node.indices)):
                    if axis.role == "time" and own and [index.letter for _, index in position.terms] == list(own):
                        shift = position.constant + axis.first - own[position.terms[0][1].letter]
                yield node.quantity, shift


def _recurring(uses: Uses) -> dict[str, list[str]]:
    """name → all names that it uses and that use it, where there is a way round through time."""

    def reached(start: str) -> set[str]:
        found, pending = set[str](), [start]
        while pending:
            fresh = {used for used, _ in uses.get(pending.pop(), ())} - found
            found |= fresh
            pending += fresh
        return found

    below = {name: reached(name) for name in uses} if any(shift for used in uses.values() for _, shift in used) else {}
    return {name: [other for other in uses if other in below[name] and name in below[other]] for name in below if name in below[name]}


def _in_time(graph: Graph, together: list[str], uses: Uses) -> Iterator[Group]:
    """A recurrence, one time after the other (backwards where it uses later times); at one time in the order of use."""
    ordered: dict[str, None] = {}

    def place(name: str) -> None:
        for used, shift in uses[name]:
            if used in together and not shift and used != name and used not in ordered:
                place(used)
        ordered[name] = None

    for name in together:
        place(name)
    backwards = any(shift > 0 for name in together for used, shift in uses[name] if used in together)
    clocks = [axis for name in together for axis in graph[name].axes if axis.role == "time"]
    for time in sorted({axis.first + number for axis in clocks for number in range(axis.size)}, reverse=backwards):
        yield from (Group(graph[name], phase(graph[name]), time) for name in ordered)
