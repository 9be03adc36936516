"""The given weights and biases of a dense layer: `weights(derivation, layer)`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Message
from handcalc.render.blocks import Block, Table
from handcalc.render.items import MISSING, Item, Name, Plain, Value
from handcalc.render.tables import count

NUMBERS_LIMIT = 24  # given numbers of one quantity below one another
TARGETS_LIMIT = 4  # neurons beside each other in a table of weights


def weights(derivation: Derivation, layer: int) -> Iterator[Block]:
    """The weights and biases of a dense layer: a row for each source and columns for each neuron, where there are few of them; else a row
    for each weight."""
    graph = derivation.graph
    weight = graph[graph.in_layer(layer, "weight")]
    bias = graph[graph.bias(layer)] if graph.bias(layer) else None
    targets, sources = weight.axes
    if targets.size <= TARGETS_LIMIT and sources.size <= NUMBERS_LIMIT and (bias is None or len(bias.axes) < 2):
        found = _crossed(derivation, weight, bias)
        if found.rows:
            yield found
        return
    limit = NUMBERS_LIMIT
    places = list(islice(graph.positions(weight.name), limit))
    rows: list[tuple[Item, ...]] = []
    edges = {place: (weight.name, place) for place in places} | _shared(weight)
    for place, cell in sorted(edges.items()) if weight.shared else edges.items():
        rows.append((Name(Ref(*cell)), Plain(weight.axes[1].label(place[1])), Plain(weight.axes[0].label(place[0])), Value(cell)))
    omitted = count(derivation, Group(weight, "given")) - len(places)
    if bias is not None:
        places = list(islice(graph.positions(bias.name), limit))
        omitted += count(derivation, Group(bias, "given")) - len(places)
        for place in places:
            labels = [axis.label(position) for axis, position in zip(bias.axes, place)]
            neuron = Plain(labels[0]) if labels else Message("all")
            rows.append((Name(Ref(bias.name, place)), Plain(labels[1] if len(labels) > 1 else "–"), neuron, Value((bias.name, place))))
    columns = (Message("parameter"), Message("from"), Message("to"), Message("value"))
    if rows:
        yield Table(columns, tuple(rows), omitted)


def _shared(weight: Quantity) -> dict[tuple[int, ...], Cell]:
    """The edges that have the weight of another, with its cell."""
    return {place: (one.quantity, one.places) for place, one in weight.shared.items()}


def _crossed(derivation: Derivation, weight: Quantity, bias: Quantity | None) -> Table:
    """Sources below each other, neurons beside each other, with the name and the number of each weight; then the biases."""
    graph = derivation.graph
    targets, sources = weight.axes
    known = {place: (weight.name, place) for place in graph.positions(weight.name)} | _shared(weight)
    columns: list[Item] = [Message("from")]
    for target in targets.places:
        columns += [Plain(targets.label(target)), Message("value")]

    def pair(cell: Cell | None) -> tuple[Item, Item]:
        return (MISSING, MISSING) if cell is None else (Name(Ref(*cell)), Value(cell))

    rows: list[tuple[Item, ...]] = []
    for source in sources.places:
        cells = [known.get((target, source)) for target in targets.places]
        if any(cells):
            rows.append((Plain(sources.label(source)), *(item for cell in cells for item in pair(cell))))
    if bias is not None:
        held = {*graph.positions(bias.name)}
        own = [(bias.name, place) if (place := (target,) * len(bias.axes)) in held else None for target in targets.places]
        if any(own):
            rows.append((Message("bias"), *(item for cell in own for item in pair(cell))))
    return Table(tuple(columns), tuple(rows))
