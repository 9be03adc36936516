"""The drawing of a layered network: one column per layer, then the targets and the loss.

- `network(derivation, reading, iteration, values, gradients)` answers the diagram.

Nothing is looked at but what is drawn, and numbers are only worked out where the whole network is small
(`COMPUTED_LIMIT`). Columns are as far apart as the labels of the edges between them need; rows are pulled apart
(`STRETCHES`) where that makes the drawing smaller, or lets it fit a screen.
neurons.py makes the nodes, placing.py finds room for the labels.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import atan2, degrees

from handcalc.core.derivation import Derivation
from handcalc.core.quantity import Cell
from handcalc.core.quantity import cell as cell_of
from handcalc.errors import Message
from handcalc.render.diagram.flow import SCREEN
from handcalc.render.diagram.model import Box, CellItem, Diagram, Edge, Label, Node, framed
from handcalc.render.diagram.neurons import RADIUS, Column, bias_directions, column, targets
from handcalc.render.diagram.placing import LabelledLine, meets, place
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.typesetting import added, measured
from handcalc.render.givens import iteration_title
from handcalc.render.reading import Reading

LABELS_LIMIT = 16  # edges between two layers with their numbers on them
LAYERS_LIMIT = 12  # layers of a network that can be drawn
COMPUTED_LIMIT = 5000  # products in one forward pass that a drawing may wait for
ROWS_APART = 14.0  # between one neuron's labels and the next neuron's
LIFT = 3.0  # between an edge and its labels
BETWEEN = 16.0  # between the labels of a weight and of a bias on the same edge
COLUMNS_APART = (110.0, 130.0, 150.0, 170.0, 190.0, 215.0, 240.0, 270.0, 300.0, 340.0, 380.0, 420.0, 470.0, 520.0)  # as needed
STEEP = 0.9  # rise of an edge over its run that is avoided where the columns need not be too far apart for it
FARTHEST = 340.0  # that columns are for this, and where labels find no room
STRETCHES = (1.0, 1.12, 1.25, 1.4)  # of the distance between rows, as needed
BOXES_APART = 34.0  # between outputs, targets and the loss beside one another
LINK = 14.0  # between the loss and the boxes above and below it, at least


def network(derivation: Derivation, reading: Reading, iteration: int, values: bool, gradients: bool) -> Diagram | None:
    """The drawing of a layered network, the reading in UNICODE; None where there are too many layers."""
    sizes = derivation.header.sizes
    if len(sizes) > LAYERS_LIMIT:
        return None
    small = sum(before * size + size * size for before, size in zip(sizes, sizes[1:])) <= COMPUTED_LIMIT
    plan = Plan(derivation, reading, iteration, values and small, values and gradients and small)
    graph = derivation.graph
    layers = [column(plan, layer) for layer in range(not graph.needed(graph.inputs), len(sizes))]
    tried = [_arranged(plan, layers, stretch) for stretch in STRETCHES]
    best = min(tried, key=lambda found: (sum(not edge.labels for edge in found.edges), found.width > SCREEN, found.width * found.height))
    return best.replace(captions=tuple(_captions(plan, layers, best, values and not small)))


def _captions(plan: Plan, layers: list[Column], drawn: Diagram, large: bool) -> Iterator[Message]:
    """What the drawing does not say by itself."""
    header, graph = plan.derivation.header, plan.derivation.graph
    samples = graph[graph.inputs].axes[0]
    if header.batch or plan.derivation.iterations > 1:
        yield iteration_title(plan.derivation, plan.iteration)
    if samples.role == "sample":
        yield Message("The numbers are those of sample {sample}.", sample=samples.label(samples.places[0]))
        if drawn.gradients:
            yield Message("The gradients of weights and biases are those of all {count} samples.", count=samples.size)
    for nodes in layers:
        layer = nodes[0].column
        count = sum(node.left_out or 1 for node in nodes)
        shown = sum(node.cell is not None for node in nodes)
        if shown < count:
            yield _left_out(layer, shown, count, layer == len(header.sizes) - 1)
    if not all(edge.labels for edge in drawn.edges if edge.kind == "weight"):
        yield Message("Where there are many weights, they are drawn without their numbers.")
    if large:
        yield Message("The network is large: only given numbers are shown.")


def _left_out(layer: int, shown: int, count: int, last: bool) -> Message:
    if not layer:
        return Message("{shown} of {count} inputs are drawn.", shown=shown, count=count)
    if last:
        return Message("{shown} of {count} neurons of the output layer are drawn.", shown=shown, count=count)
    return Message("{shown} of {count} neurons of hidden layer {number} are drawn.", shown=shown, count=count, number=layer)


# --- arranging --------------------------------------------------------------------------------------------------------


def _arranged(plan: Plan, layers: list[Column], stretch: float) -> Diagram:
    """The whole drawing with its rows pulled apart."""
    nodes: list[Node] = []
    edges: list[Edge] = []
    x = 0.0
    before: Column = ()
    for current in _spread(layers, stretch):
        if before:
            distance, between = _between(plan, current[0].column, before, current, len(nodes) - len(before))
            edges += [edge.moved(x) for edge in between]
            x += distance
        nodes += [node.moved(x) for node in current]
        before = current
    _add_targets(plan, len(nodes) - len(before), nodes, edges)
    omitted = sum(node.left_out for node in nodes)
    return framed(Diagram(tuple(nodes), tuple(edges), 0.0, 0.0, omitted=omitted, iteration=plan.iteration))


def _spread(layers: list[Column], stretch: float) -> list[Column]:
    """Every column over the same height."""
    needed = [max(_reach(node, 1) + _reach(node, -1) for node in nodes) + ROWS_APART for nodes in layers]
    height = max(len(nodes) * apart for nodes, apart in zip(layers, needed)) * stretch
    return [tuple(node.moved(0.0, (row + 0.5) * height / len(nodes)) for row, node in enumerate(nodes)) for nodes in layers]


def _reach(node: Node, side: int) -> float:
    """How far a neuron and its labels reach downwards (1) or upwards (−1)."""
    return max([node.height / 2, *(side * label.y + label.height / 2 for label in node.labels)])


def _half(node: Node) -> float:
    """How far a node and its labels reach to the side."""
    return max([node.width / 2, *(label.width / 2 for label in node.labels)])


def _add_targets(plan: Plan, first: int, nodes: list[Node], edges: list[Edge]) -> None:
    """Boxes to the right of the outputs, whose first has a number among the nodes, and lines from box to box.

    The loss stands between two boxes where it has room, which makes the drawing narrower, else beside them.
    """
    outputs = nodes[first:]
    boxes, loss = targets(plan, tuple(outputs))
    beside = [first + number for number, node in enumerate(outputs) if node.cell]
    for sources, current in (([[number] for number in beside], boxes), ([[*range(len(nodes), len(nodes) + len(boxes))]], loss)):
        if current and current is loss and _between_two(boxes, current[0]):
            x = nodes[-1].x
        elif current:
            x = max(nodes[source].x + _half(nodes[source]) for several in sources for source in several)
            x += BOXES_APART + max(node.width for node in current) / 2
        for several, node in zip(sources, current):
            nodes.append(node.moved(x))
            edges += [_link(source, len(nodes) - 1, nodes) for source in several]


def _between_two(boxes: Column, loss: Node) -> bool:
    """Whether there are two boxes, with room for the loss between them."""
    tops = [node.y - side * node.height / 2 for node, side in zip(boxes, (-1, 1))]
    return len(boxes) == 2 and tops[1] - tops[0] >= loss.height + 2 * LINK


def _link(source: int, target: int, nodes: list[Node]) -> Edge:
    start, end = nodes[source], nodes[target]
    assert end.cell
    if start.x == end.x:
        down = 1 if start.y < end.y else -1
        points = ((start.x, start.y + down * start.height / 2), (end.x, end.y - down * end.height / 2))
    else:
        points = ((start.x + start.width / 2, start.y), (end.x - end.width / 2, end.y))
    return Edge("link", source, target, end.cell, points)


# --- edges ------------------------------------------------------------------------------------------------------------


def _between(plan: Plan, layer: int, sources: Column, ends: Column, first: int) -> tuple[float, list[Edge]]:
    """How far apart two columns are, and the edges between them; without labels where those find no room.

    first: the number of the first source among all nodes.
    """
    weights = dict(_weights(plan, layer, sources, ends))
    labels = {pair: _edge_labels(plan, layer, cell) for pair, cell in weights.items()} if len(weights) <= LABELS_LIMIT else {}
    rise = max((abs(sources[a].y - ends[b].y) for a, b in weights), default=0.0)
    least = max(max(map(_half, sources)) + max(map(_half, ends)), 2 * RADIUS + min(rise / STEEP, FARTHEST))
    left, left_texts, right, right_texts = _circles(sources), _texts(plan, sources), _circles(ends), _texts(plan, ends)

    def edges(distance: float, places: list[float]) -> list[Edge]:
        found = []
        for number, ((a, b), cell) in enumerate(weights.items()):
            line = _line(sources[a], ends[b], distance, labels.get((a, b), []))
            placed = _placed(labels[a, b], line, places[number]) if places else ()
            found.append(Edge("weight", first + a, first + len(sources) + b, cell, (line.start, line.end), placed))
        return found

    for apart in COLUMNS_APART if labels else ():
        distance = max(apart + 2 * RADIUS, least)
        lines = [_line(sources[a], ends[b], distance, labels[a, b]) for a, b in weights]
        texts = [*left_texts, *(_moved(box, distance) for box in right_texts)]
        if any(meets(line, box) for line in lines for box in texts):
            continue
        places = place(lines, [*left, *texts, *(_moved(box, distance) for box in right)])
        if places is not None:
            return distance, edges(distance, places)
    distance = max(least, FARTHEST) if labels else least
    return distance, edges(distance, [])


def _weights(plan: Plan, layer: int, sources: Column, ends: Column) -> Iterator[tuple[tuple[int, int], Cell]]:
    """The weights between neurons that are drawn, by the numbers of both in their columns."""
    weight = plan.derivation.graph.in_layer(layer, "weight")
    shared = plan.derivation.graph[weight].shared
    for b, end in enumerate(ends):
        for a, source in enumerate(sources):
            place = (end.cell[1][-1], source.cell[1][-1]) if source.cell and end.cell else None
            cell = None if place is None else cell_of(shared[place]) if place in shared else plan.cell(weight, *place)
            if cell:
                yield (a, b), cell


def _circles(nodes: Column) -> list[Box]:
    return [node.boxes()[0] for node in nodes]


def _texts(plan: Plan, nodes: Column) -> list[Box]:
    """A box around every row of the labels, which may be less wide than its label."""
    found = []
    for label in (label for node in nodes for label in node.labels):
        for number, row in enumerate(label.rows):
            half, top = measured((row,), plan.reading, plan.iteration)[0] / 2, label.y - label.height / 2 + number * label.line
            found.append((label.x - half, top, label.x + half, top + label.line))
    return found


def _moved(box: Box, right: float) -> Box:
    return box[0] + right, box[1], box[2] + right, box[3]


def _edge_labels(plan: Plan, layer: int, weight: Cell) -> list[Label]:
    """The weight, its gradient, and the bias of the connection with its own, where there is one."""
    bias = plan.cell(plan.derivation.graph.bias(layer), *weight[1]) if bias_directions(plan, layer) == 2 else None
    labels = []
    for cell, kinds, step in ((weight, ("weight", "gradient"), None), (bias, ("bias", "bias"), bias)):
        if cell is not None:
            gradient = plan.gradient(cell)
            labels.append(plan.label(kinds[0], ((plan.parameter(cell),),), step))
            labels += [plan.label(kinds[1], ((gradient,),), step)] if gradient else []
    return labels


def _widths(labels: list[Label]) -> list[float]:
    """The widths of the weight's labels and of the bias's, beside one another."""
    kinds = [[label.width for label in labels if (label.kind == "bias") is bias] for bias in (False, True)]
    return [max(widths) for widths in kinds if widths]


def _line(source: Node, end: Node, distance: float, labels: list[Label]) -> LabelledLine:
    """An edge over a distance, and the room that its labels take above and below it."""
    start, stop = (source.x + RADIUS, source.y), (end.x + distance - RADIUS, end.y)
    if not labels:
        return LabelledLine(start, stop)
    widths = _widths(labels)
    above, below = ([LIFT + label.height for label in labels if _is_gradient(label) is low] for low in (False, True))
    return LabelledLine(start, stop, added(widths) + BETWEEN * (len(widths) - 1), max(above), max(below, default=0.0))


def _placed(labels: list[Label], line: LabelledLine, distance: float) -> tuple[Label, ...]:
    """The labels above and below their edge: first the weight's, then the bias's."""
    angle = degrees(atan2(line.end[1] - line.start[1], line.end[0] - line.start[0]))
    widths = _widths(labels)
    left = distance - line.width / 2
    found = []
    for label in labels:
        second = label.kind == "bias"
        along = left + widths[0] + BETWEEN + widths[1] / 2 if second else left + widths[0] / 2
        x, y = line.at(along, (LIFT + label.height / 2) * (1 if _is_gradient(label) else -1))
        found.append(label.replace(x=x, y=y, angle=angle))
    return tuple(found)


def _is_gradient(label: Label) -> bool:
    content = label.rows[0][0]
    return isinstance(content, CellItem) and content.gradient
