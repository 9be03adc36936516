"""Boxes of quantities with their numbers in squares: what layers.py and unrolled.py put onto the paper.

- `plan_of(…)` says what is shown, `planned(…)` which quantities are one box and what uses what; `box(plan, planned, …)` draws one.

Nothing here knows a type of layer. What is worked out place by place from one quantity of the same layer, as out from net, stands
with it in one box; parameters of the same formula stand together, and so do targets and loss.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref, Total, references, walk
from handcalc.core.index import ROLES, Affine, affine
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.diagram.model import Label, Node, Sign
from handcalc.render.diagram.neurons import units
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.squares import GAP, Patch, Squares, below, beside
from handcalc.render.diagram.typesetting import LINE, Span, width
from handcalc.render.document import layer_title
from handcalc.render.givens import layer_details
from handcalc.render.reading import Reading

COMPUTED_LIMIT = 5000  # products in one forward pass that a drawing may wait for
PADDING = 8.0  # inside a box
WORDS_FONT = 12.0  # size of the words of a box
PARAMETERS = ("weight", "bias", "threshold")
ERRORS = ("target", "error", "loss_term", "loss")
FORWARD = ("input", *PARAMETERS, "net", "out", "part", *ERRORS)

Fixed = Callable[[Quantity], Mapping[str, int]]  # the places along axes of a quantity that are not drawn, by their role


class PlannedBox(Record):
    """A box to be: the quantities in it, its last one giving it its cell; kind: of the node; deep: so many stand below one another;
    words, so many titles first; also: quantities that are the same as others of the box, and not drawn."""

    names: tuple[str, ...]
    kind: str
    deep: int = 1
    words: tuple[Message, ...] = ()
    titles: int = 1
    also: tuple[str, ...] = ()


# --- what is shown ----------------------------------------------------------------------------------------------------


def plan_of(derivation: Derivation, reading: Reading, iteration: int, values: bool, gradients: bool) -> Plan:
    """The plan of a drawing of layers; numbers are only worked out where the network is small."""
    small = sum(_products(quantity) for quantity in forward(derivation)) <= COMPUTED_LIMIT
    return Plan(derivation, reading, iteration, values and small, values and gradients and small)


def forward(derivation: Derivation) -> list[Quantity]:
    """The quantities that are drawn: of the forward pass and the error, without what the inputs are worked out of."""
    graph = derivation.graph
    before: set[str] = set()
    pending = [graph.inputs] if graph.inputs else []
    while pending:
        used = {ref.quantity for ref in used_by(graph[pending.pop()])} - before
        before |= used
        pending += used
    drawn = (quantity for quantity in graph if quantity.kind in FORWARD and not quantity.stage and quantity.name not in before)
    return [quantity for quantity in drawn if graph.needed(quantity.name)]


def _products(quantity: Quantity) -> int:
    """How many terms all cells of a quantity have."""
    if quantity.definition is None:
        return 0
    sums = [node.index.axis.size for node in walk(quantity.definition) if isinstance(node, Total)]
    return quantity.size * prod(sums)


def mixes_samples(derivation: Derivation) -> bool:
    """Whether a layer works on all samples together: then all of them are drawn."""
    layers = [quantity for quantity in forward(derivation) if quantity.layer and quantity.kind not in ERRORS]
    nodes = (node for quantity in layers for formula in quantity.formulas for node in walk(formula))
    return any(isinstance(node, Total) and node.index.axis.role == "sample" for node in nodes)


def _is_penalty(quantity: Quantity, used: Quantity) -> bool:
    """Whether it is a loss that uses a parameter itself: no arrow tells that, for every weight would have one."""
    return quantity.kind in ERRORS and used.kind in PARAMETERS


def used_by(quantity: Quantity) -> list[Ref]:
    """The references of its general formula."""
    return list(dict.fromkeys(ref for formula in quantity.formulas for ref in references(formula)))


# --- which quantities are one box -------------------------------------------------------------------------------------


def planned(derivation: Derivation, reading: Reading) -> dict[str, PlannedBox]:
    """The boxes of a network, by the name of their last quantity."""
    quantities = {quantity.name: quantity for quantity in forward(derivation)}
    consumers: dict[str, list[str]] = {name: [] for name in quantities}
    for name, quantity in quantities.items():
        for used in {ref.quantity for ref in used_by(quantity)} & consumers.keys():
            if not _is_penalty(quantity, quantities[used]):
                consumers[used].append(name)
    found: dict[str, PlannedBox] = {}
    errors = tuple(name for name, quantity in quantities.items() if quantity.kind in ERRORS)
    together: dict[tuple[str, ...], list[str]] = {}
    for name, quantity in quantities.items():
        if quantity.kind in PARAMETERS:
            together.setdefault(tuple(consumers[name]), []).append(name)
        elif quantity.kind not in ERRORS and not any(name == _joined(quantities, consumers, user) for user in consumers[name]):
            found[name] = _chained(derivation, reading, quantities, consumers, quantity)
    found |= {names[-1]: PlannedBox(tuple(names), "weights") for names in together.values()}
    if errors:
        found[errors[-1]] = PlannedBox(errors, "loss", words=(Message("Error"),))
    return {name: found[name] for name in quantities if name in found}


def _chained(
    derivation: Derivation, reading: Reading, quantities: Mapping[str, Quantity], consumers: Mapping[str, list[str]], last: Quantity
) -> PlannedBox:
    """The box of a quantity and of those that stand with it, each worked out from the one before; what is copied is drawn once."""
    chain = [last.name]
    while before := _joined(quantities, consumers, chain[0]):
        chain.insert(0, before)
    copied = {copy.quantity for name in quantities if (copy := _copied(quantities, name)) is not None}
    same = tuple(name for name in chain if name in copied)
    shown = tuple(name for name in chain if name not in copied)
    answer = derivation.graph.in_layer(len(derivation.header.kinds), "out")
    kind = "given" if last.definition is None else "answer" if last.name == answer else "variable"
    titles, words = _words(derivation, reading, last)
    return PlannedBox(shown, kind, len(shown), (*titles, *words), len(titles), same)


def _copied(quantities: Mapping[str, Quantity], name: str) -> Ref | None:
    """What a quantity is a copy of, place by place; a gate or candidate without an activation is drawn like the others."""
    definition = quantities[name].definition
    is_copy = isinstance(definition, Ref) and quantities[name].kind != "part" and _beside(quantities, name)
    return definition if isinstance(definition, Ref) and is_copy else None


def _joined(quantities: Mapping[str, Quantity], consumers: Mapping[str, list[str]], name: str) -> str:
    """The quantity that stands in one box with another, before it: from which alone it is worked out, and nothing else is."""
    before = _beside(quantities, name)
    return before if before and _alone(quantities, consumers[before], name) else ""


def _alone(quantities: Mapping[str, Quantity], consumers: list[str], one: str) -> bool:
    """Whether nothing but one quantity, and the error, uses what these use."""
    return all(name == one or quantities[name].kind in ERRORS for name in consumers)


def _beside(quantities: Mapping[str, Quantity], name: str) -> str:
    """The quantity from which one is worked out place by place, in the same layer; "" where there is none."""
    quantity = quantities[name]
    others = [ref for ref in used_by(quantity) if ref.quantity in quantities and quantities[ref.quantity].kind not in PARAMETERS]
    if len(others) != 1 or quantity.kind in ERRORS:
        return ""
    source = quantities[others[0].quantity]
    same = len(source.axes) == len(quantity.axes) and all(
        affine(place) == Affine(((1, index),), axis.first - other.first)  # the same printed place
        for place, index, axis, other in zip(others[0].indices, quantity.index, quantity.axes, source.axes)
    )
    return source.name if same and source.layer == quantity.layer and source.definition is not None else ""


def uses(derivation: Derivation, found: Mapping[str, PlannedBox]) -> dict[str, list[str]]:
    """Box → the boxes that its formulas use; inputs in another form (words as zeros and ones) use the inputs."""
    home = {name: key for key, part in found.items() for name in (*part.names, *part.also)}
    result: dict[str, list[str]] = {}
    inputs = derivation.graph.inputs
    for key, part in found.items():
        members = list(map(derivation.graph.__getitem__, (*part.names, *part.also)))
        used = ((quantity, ref.quantity) for quantity in members for ref in used_by(quantity))
        seen = [name for user, name in used if name in derivation.graph and not _is_penalty(user, derivation.graph[name])]
        result[key] = list(dict.fromkeys(home[name] for name in seen if name in home and home[name] != key))
        if part.kind == "given" and key != inputs and not members[0].layer and inputs in found:
            result[key] = [inputs]
    return result


# --- words ------------------------------------------------------------------------------------------------------------


def _words(derivation: Derivation, reading: Reading, quantity: Quantity) -> tuple[list[Message], list[Message]]:
    """What a box says of inputs and outputs of layers: titles, those of layers that compute nothing first; then shape and options."""
    header, graph = derivation.header, derivation.graph
    roles = tuple(axis.role for axis in quantity.axes if axis.role != "sample")
    layer = quantity.layer
    if quantity.name == graph.inputs:
        return [Message("Inputs")], [shape(header.shapes[0], roles)]
    if quantity.name != graph.in_layer(layer, "out"):
        return [], []
    first = layer
    while first > 1 and not graph.in_layer(first - 1, "out"):
        first -= 1
    return [layer_title(reading, number) for number in range(first, layer + 1)], [
        shape(header.shapes[layer], roles),
        *layer_details(header, layer),
    ]


def shape(sizes: tuple[int, ...], roles: tuple[str, ...]) -> Message:
    """1×2×3 (channels × rows × columns), or units: 3."""
    named = [Message(ROLES[role].several) for role in roles[len(roles) - len(sizes) :]]
    axes = named[0]
    for name in named[1:]:
        axes = Message("{several} × {others}", several=axes, others=name)
    if len(named) == 1:
        return Message("{option}: {value}", option=axes, value=sizes[0])
    return Message("{sizes} ({axes})", sizes="×".join(map(str, sizes)), axes=axes)


# --- drawing ----------------------------------------------------------------------------------------------------------


def box(plan: Plan, part: PlannedBox, fixed: Fixed, column: int = 0, most: int = 0) -> Node:
    """The node of a part around the point 0, 0: its words, then its grids, at most so many beside one another (0: all)."""
    graph = plan.derivation.graph
    members = [graph[name] for name in part.names]
    if all(quantity.kind in ("net", "out") and _is_column(quantity, fixed(quantity)) for quantity in members):
        return boxed(part, units(plan, members, fixed(members[-1])), _cell(plan, members[-1], fixed), column)
    blocks = [beside(_grids(plan, graph[name], fixed)) for name in part.names]
    stacks = [below(blocks[start : start + part.deep]) for start in range(0, len(blocks), part.deep)]
    rows = range(0, len(stacks), most or len(stacks))
    inside = below([beside(stacks[start : start + (most or len(stacks))]) for start in rows])
    return boxed(part, inside, _cell(plan, graph[part.names[-1]], fixed), column)


def _is_column(quantity: Quantity, fixed: Mapping[str, int]) -> bool:
    """Whether its only direction is that of the units of a layer, apart from a sample that is not drawn."""
    sample = "sample" if "sample" in fixed else ""
    return quantity.definition is not None and [axis.role for axis in quantity.axes if axis.role != sample] == ["unit"]


def boxed(part: PlannedBox, inside: Patch, cell: Cell, column: int = 0) -> Node:
    """A box around some labels, around the point 0, 0."""
    words = part.words
    wide = max([inside.width, *(words_width(message.text(), place < part.titles) for place, message in enumerate(words))]) + 2 * PADDING
    head = len(words) * LINE + (PADDING / 2 if words else 0.0)
    high = inside.height + head + 1.5 * PADDING
    labels = tuple(label.moved(-inside.width / 2, head + 0.75 * PADDING - high / 2) for label in inside.labels)
    return Node(part.kind, column, 0.0, 0.0, wide, high, cell, labels=labels, words=words, titles=part.titles)


def words_width(text: str, bold: bool) -> float:
    """How wide the words of a box are."""
    return width((Span(text),)) * WORDS_FONT * (1.12 if bold else 1.0)


def _grids(plan: Plan, quantity: Quantity, fixed: Fixed) -> list[Patch]:
    """The grids of a quantity; dots for those that are left out."""
    squares = Squares(plan, quantity, fixed(quantity))
    found = squares.grids()
    if squares.left_out():
        more = Label("more", GAP / 2, LINE / 2, GAP, LINE, ((Sign("…"),),))
        found.append(Patch((more,), GAP, LINE))
    return found


def _cell(plan: Plan, quantity: Quantity, fixed: Fixed) -> Cell:
    """The first cell of a quantity."""
    squares = Squares(plan, quantity, fixed(quantity))
    first = squares.at(squares.leading()[0], 0, 0)
    return first if plan.derivation.graph.listed(*first) else (quantity.name, next(plan.derivation.graph.positions(quantity.name)))
