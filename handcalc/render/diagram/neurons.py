"""The nodes of a layered network, each around the point 0, 0: neurons with their values and biases, targets, the loss.

- `column(plan, layer)` is a layer, of which the first neurons and the last are drawn where it is large.
- `units(plan, quantities, fixed)` are the neurons of a layer below one another, for a box of a drawing with grids.
- `targets(plan, outputs)` are the boxes to the right of the outputs; `bias_directions` says whose a bias is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import printable
from handcalc.render.diagram.model import CellItem, Label, Node, Row, Sign
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.squares import GAP, Patch, Squares, spots
from handcalc.render.diagram.typesetting import LINE, name_of, shortened
from handcalc.render.symbols import typed

NEURONS_LIMIT = 8  # neurons of a layer that are all drawn; of a larger one the first and the last
FIRST = 5  # neurons drawn of a larger layer, besides the last
RADIUS = 24.0
SMALL_RADIUS = 17.0  # in a box
BELOW = 5.0  # between a circle and its values
STEM = 7.0  # between a bias and its neuron
PADDING = 8.0  # inside a box

Column = tuple[Node, ...]


def column(plan: Plan, layer: int) -> Column:
    """The neurons of a layer, the inputs being layer 0."""
    graph = plan.derivation.graph
    axis = graph[graph.in_layer(layer, "net") if layer else graph.inputs].axes[-1]
    whole = axis.size <= NEURONS_LIMIT
    places = range(axis.size) if whole else [*range(FIRST), axis.size - 1]
    make = _neuron if layer else _input
    nodes = [make(plan, layer, place, axis.label(place)) for place in places]
    if not whole:
        nodes.insert(-1, Node("more", layer, 0.0, 0.0, 2 * RADIUS, 2 * RADIUS, left_out=axis.size - len(places)))
    return tuple(nodes)


def bias_directions(plan: Plan, layer: int) -> int:
    """0: one bias for the layer, 1: one for each neuron, 2: one for each connection; −1: none."""
    graph = plan.derivation.graph
    bias = graph.bias(layer)
    return len(graph[bias].axes) if bias else -1


def _input(plan: Plan, layer: int, place: int, name: str) -> Node:
    cell = plan.cell(plan.derivation.graph.inputs, place)
    assert cell
    item = plan.parameter(cell).replace(named=name_of(cell, plan.reading) != shortened(typed(name)))
    rows = ((item,),) if item.named or item.numbered else ()
    return Node("input", layer, 0.0, 0.0, 2 * RADIUS, 2 * RADIUS, cell, name, (_below(plan, rows),))


def _neuron(plan: Plan, layer: int, place: int, name: str) -> Node:
    graph = plan.derivation.graph
    net, out = graph.in_layer(layer, "net"), graph.in_layer(layer, "out")
    wanted = (plan.item(net, place), plan.item(out, place), plan.item(graph.gradient(net), place, gradient=True))
    rows = tuple((item,) for item in wanted if item)
    labels = [_below(plan, rows)] if rows else []
    directions = bias_directions(plan, layer)
    bias = plan.cell(graph.bias(layer), *([place] if directions else [])) if directions in (0, 1) else None
    if bias:
        gradient = plan.gradient(bias)
        label = plan.label("bias", ((plan.parameter(bias),), *([(gradient,)] if gradient else [])), bias)
        labels.append(label.moved(0.0, -RADIUS - STEM - label.height / 2))
    kind = "output" if layer == len(plan.derivation.header.sizes) - 1 else "hidden"
    cell = plan.cell(out, place) or plan.cell(net, place) or plan.cell(graph.gradient(net), place)
    return Node(kind, layer, 0.0, 0.0, 2 * RADIUS, 2 * RADIUS, cell, name, tuple(labels))


def _below(plan: Plan, rows: tuple[Row, ...]) -> Label:
    label = plan.label("values", rows)
    return label.moved(0.0, RADIUS + BELOW + label.height / 2)


def targets(plan: Plan, outputs: Column) -> tuple[Column, Column]:
    """A box beside each output, and one for the loss; with one output, all in one box."""
    alone = len(outputs) == 1
    graph = plan.derivation.graph
    losses = (plan.item(quantity.name, sampled=quantity.sampled) for quantity in graph if quantity.kind == "loss" and not quantity.stage)
    term = graph.in_layer(outputs[0].column, "loss_term")
    total = [item for item in losses if item]
    whole = (graph.in_layer(0, "loss"), ())
    boxes = []
    for node in outputs:
        target = plan.cell(graph.targets or term, node.cell[1][-1]) if node.cell else None
        if target is None:
            continue
        place = target[1][-1]
        known = [CellItem(target)] if graph.targets else []
        items = [*known, plan.item(graph.errors, place), plan.item(term, place), *(total if alone else ())]
        kind, cell = ("loss", whole) if alone and total else ("target", target)
        boxes.append(_box(plan, kind, node.column + 1, [item for item in items if item], node.y, cell))
    if alone or not total:
        return tuple(boxes), ()
    return tuple(boxes), (_box(plan, "loss", outputs[0].column + 2, total, (outputs[0].y + outputs[-1].y) / 2, whole),)


def _box(plan: Plan, kind: str, column: int, items: list[CellItem], y: float, cell: Cell) -> Node:
    label = plan.label("values", tuple((item,) for item in items)).moved(0.0, y)
    return Node(kind, column, 0.0, y, label.width + 2 * PADDING, label.height + 1.5 * PADDING, cell, labels=(label,))


def units(plan: Plan, quantities: Sequence[Quantity], fixed: Mapping[str, int]) -> Patch:
    """A circle for every neuron, beside it what the quantities of the layer are there, and the gradient of the first."""
    axis, labels, top, wide = quantities[-1].axes[-1], [], 0.0, 0.0
    for spot in spots(axis.size):
        if spot is None:
            labels.append(Label("gap", SMALL_RADIUS, top + GAP / 2, GAP, LINE, ((Sign("⋮"),),)))
            top += GAP
            continue
        squares = [Squares(plan, quantity, fixed) for quantity in quantities]
        cells = [drawn.at((), spot, 0) for drawn in squares]
        rows: list[Row] = [(CellItem(cell, numbered=plan.computed),) for cell in cells]
        below = (content for row in squares[0].rows_of(cells[0]) for content in row)
        rows += [(item.replace(named=True),) for item in below if isinstance(item, CellItem) and item.gradient]
        values, name = plan.label("values", tuple(rows)), Sign(printable(axis.label(spot)), True)
        high = max(2 * SMALL_RADIUS, values.height) + BELOW
        middle = top + high / 2
        labels.append(Label("neuron", SMALL_RADIUS, middle, 2 * SMALL_RADIUS, 2 * SMALL_RADIUS, ((name,),), step=cells[-1]))
        labels.append(values.moved(2 * SMALL_RADIUS + BELOW + values.width / 2, middle))
        top, wide = top + high, max(wide, 2 * SMALL_RADIUS + BELOW + values.width)
    return Patch(tuple(labels), wide, top)
