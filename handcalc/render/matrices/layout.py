"""Matrix forms as blocks: the equation with letters, then with numbers, one for each member of a family.

- `matrix_letters(reading, quantity)`, `matrix_numbers(reading, group, iteration)`; `equation(left, right, leaf)` and
  `numbers(reading, form, places)` are the parts of one `Grid`.
- `signed_form(reading, quantity)` is the form in a notation's manner and signs: −letter where one stands for the negative.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice, product
from math import prod

from handcalc.core.expr import ZERO, number
from handcalc.core.functions import function
from handcalc.core.graph import Graph
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.rounding import Shown
from handcalc.errors import Message
from handcalc.render.blocks import Block, Grid, GridPart, Paragraph, Rows
from handcalc.render.items import MISSING, FunctionName, Item, Numeric, Plain, Summed, Symbolic, Value, Whole
from handcalc.render.matrices.forms import OUTWARD, MatrixNode, at, cells, family, inner, is_scalar, negated, scalar
from handcalc.render.matrices.reading import Manner, MatrixForm, matrix_form
from handcalc.render.reading import Reading

SIZE_LIMIT = 12  # rows or columns of a matrix that is shown with numbers, terms of a sum, members of a family

Leaf = Callable[[MatrixNode], GridPart]

# --- signs ------------------------------------------------------------------------------------------------------------


def manner(reading: Reading) -> Manner:
    """How a notation writes vectors and weights."""
    sources = (quantity.name for quantity in reading.graph if reading.notation.rows_are_sources(quantity))
    return Manner(reading.notation.data.get("vectors") == "rows", frozenset(sources))


def signed_form(reading: Reading, quantity: Quantity) -> MatrixForm | None:
    """The matrix form with a notation's letters: −letter where one stands for the negative."""
    form = matrix_form(reading.graph, quantity, manner(reading), reading.definition(quantity))
    if form is None:
        return None
    right = _signed(form.right, reading)
    return MatrixForm(form.left, negated(right) if reading.turned((quantity.name, ())) else right)


def _signed(form: MatrixNode, reading: Reading) -> MatrixNode:
    if form.operator == "name":
        return negated(form) if reading.turned((form.parts[0], ())) else form
    parts = [_signed(part, reading) if isinstance(part, MatrixNode) else part for part in form.parts]
    if form.operator == "negative":
        return negated(parts[0])
    if form.operator not in OUTWARD:
        return form.replace(parts=tuple(parts))
    negative = [isinstance(part, MatrixNode) and part.operator == "negative" for part in parts]
    result = form.replace(parts=tuple(part.parts[0] if turned else part for part, turned in zip(parts, negative)))
    return negated(result) if sum(negative) % 2 else result


# --- blocks -----------------------------------------------------------------------------------------------------------


def matrix_letters(reading: Reading, quantity: Quantity) -> Iterator[Block]:
    """name = form, where the quantity has a matrix form."""
    form = signed_form(reading, quantity)
    if form is not None:
        yield Grid(equation(form.left, form.right, whole))
        yield from _laid(form)


def matrix_numbers(reading: Reading, group: Group, iteration: int) -> Iterator[Block]:
    """The same with numbers, where it is not too large: an equation for each member of a family."""
    form, graph = signed_form(reading, group.quantity), reading.graph
    if form is not None and _small(graph, form.left) and _small(graph, form.right):
        for places in islice(members(graph, form, group.holds), SIZE_LIMIT):
            yield Grid(numbers(reading, form, places, iteration))


def numbers(reading: Reading, form: MatrixForm, places: dict[str, int], iteration: int = 1) -> tuple[GridPart, ...]:
    """A member of the family with numbers: name = form = value, or ≈ where rounded; what would stand there twice, once."""
    left, right = (at(side, places, reading.graph) for side in (form.left, form.right))
    assert left is not None
    value = _number(reading, left, iteration)
    worked = _layout(right or scalar(ZERO), lambda leaf: _number(reading, leaf, iteration), 0)
    result: list[GridPart] = [value[0][0] if is_scalar(left) and isinstance(value, tuple) else value]
    copied = right is not None and right.operator == "name" and _printed(reading, worked) == _printed(reading, result)
    parts = _layout(left, whole, 0)
    for side in (result,) if copied else (worked, result):
        exact = all(reading.exact_inputs(item.expr, iteration) for item in side if isinstance(item, Numeric))
        if side is result or not reading.derivation.rounding.carry:
            exact = exact and all(number.exact for number in _printed(reading, side))
        parts += ["=" if exact else "≈", *side]
    return tuple(parts)


def _number(reading: Reading, leaf: MatrixNode, iteration: int) -> GridPart:
    """The numbers of a quantity; a number is no matrix, unless it is negative and keeps brackets."""
    if leaf.operator == "scalar":
        return Numeric(leaf.parts[0], iteration)
    rows = _rows(reading.graph, leaf, iteration)
    alone = rows[0][0] if is_scalar(leaf) else None
    negative = isinstance(alone, Value) and reading.shown(alone.cell, iteration).digits.startswith("-")
    return rows if alone is None or negative else alone


def _printed(reading: Reading, parts: list[GridPart]) -> list[Shown]:
    """The printed numbers, row by row."""
    items = [item for part in parts for row in (part if isinstance(part, tuple) else ((part,),)) for item in row]
    return [reading.shown(item.cell, item.iteration) for item in items if isinstance(item, Value)]


def whole(leaf: MatrixNode) -> Item:
    """A quantity by its letter, with the member of the family."""
    if leaf.operator == "scalar":
        return Symbolic(leaf.parts[0])
    name, places = leaf.parts
    return Whole(name, places.fixed)


def members(graph: Graph, form: MatrixForm, holds: Callable[[tuple[int, ...]], bool] = lambda place: True) -> Iterator[dict[str, int]]:
    """The members of the quantity's family that have cells which are computed (and wanted); one without letters if it is no family."""
    name, places = form.left.parts
    indices = family(form.left)
    for chosen in product(*(index.axis.places for index in indices)):
        found = {index.letter: place for index, place in zip(indices, chosen)}
        left = at(form.left, found, graph)
        there = [(name, place) for row in cells(graph, left) for place in row if graph.present(name, place)] if left else []
        if any(graph.given_value(cell) is None and holds(cell[1]) for cell in there) and all(_worked(graph, cell) for cell in there):
            yield found


def _worked(graph: Graph, cell: Cell) -> bool:
    """Whether a number is what its formula gives: not given in its place, nor left out."""
    return cell not in graph.fixed and cell not in graph.left_out


def _small(graph: Graph, form: MatrixNode) -> bool:
    if form.operator == "total" and form.parts[0].axis.size > SIZE_LIMIT:
        return False
    if form.operator == "name":
        axes, places = graph[form.parts[0]].axes, form.parts[1]
        return all(prod(axes[axis].size for axis in chosen) <= SIZE_LIMIT for chosen in (places.rows, places.columns))
    return all(_small(graph, part) for part in inner(form))


def _rows(graph: Graph, leaf: MatrixNode, iteration: int) -> Rows:
    """The numbers of a quantity; – where there is none: no edge, a word that must not be seen."""
    name = leaf.parts[0]

    def item(place: tuple[int, ...]) -> Item:
        return Value((name, place), iteration) if graph.present(name, place) else MISSING

    return tuple(tuple(map(item, row)) for row in cells(graph, leaf))


def _laid(form: MatrixForm) -> Iterator[Block]:
    """What ⋆ or ∗ means here, and how the one lies over the other."""
    if not form.windows:
        return
    correlation = any(node.operator == "correlation" for node in _nodes(form.right))
    strides, spreads, offsets = ([getattr(window, field) for window in form.windows] for field in ("stride", "spread", "offset"))
    plain = {*strides} | {*spreads} == {1} and {*offsets} == {0}
    if correlation and plain:
        yield Paragraph(Message("⋆: cross-correlation."))
    elif correlation:
        padding = _sizes([-offset for offset in offsets])
        yield Paragraph(
            Message(
                "⋆: cross-correlation, stride {stride}, padding {padding}, dilation {dilation}.",
                stride=_sizes(strides),
                padding=padding,
                dilation=_sizes(spreads),
            )
        )
    elif plain:
        yield Paragraph(Message("∗: full convolution."))
    else:
        yield Paragraph(
            Message(
                "∗: convolution, stride {stride}; {cut} left out at the beginning, {zeros} zeros put between the numbers of the first.",
                stride=_sizes(strides),
                cut=_sizes(offsets),
                zeros=_sizes([spread - 1 for spread in spreads]),
            )
        )


def _sizes(numbers: list[int]) -> str:
    return "×".join(map(str, numbers if len({*numbers}) > 1 else numbers[:1]))


def _nodes(form: MatrixNode) -> Iterator[MatrixNode]:
    yield form
    for part in inner(form):
        yield from _nodes(part)


# --- parts ------------------------------------------------------------------------------------------------------------


def equation(left: MatrixNode, right: MatrixNode, leaf: Leaf) -> tuple[GridPart, ...]:
    """left = right."""
    return (*_layout(left, leaf, 0), "=", *_layout(right, leaf, 0))


# operator → precedence and the sign between its parts
_SIGNS = {
    "sum": (1, "+"), "product": (3, "·"), "hadamard": (3, "⊙"), "scale": (3, "·"), "quotient": (3, "/"), "correlation": (3, "⋆"),
    "convolution": (3, "∗"),
}  # fmt: skip
_FUNCTIONS = {"softmax": "softmax", "diagonal": "diag", "turned": "rot180"}


def _layout(form: MatrixNode, leaf: Leaf, least: int) -> list[GridPart]:
    """The parts of a form from left to right; `leaf` answers what stands for a quantity or a single number; least: the precedence
    that needs no brackets."""
    match form.operator:
        case "name":
            return _name(form, leaf)
        case "scalar":
            return [leaf(form)]
        case "ones" | "identity":
            return [Plain("1" if form.operator == "ones" else "I")]
        case "transpose":
            return [*_layout(form.parts[0], leaf, 4), "ᵀ"]
        case "negative":
            parts = ["−", *_layout(form.parts[0], leaf, 3)]  # the sign of one operand; "-" stands between two
            return _bracketed(parts, least > 2)
        case "total":
            parts = [Summed(form.parts[0].letter), *_layout(form.parts[1], leaf, 3)]
            return _bracketed(parts, least > 2)
        case "power":
            base = _layout(form.parts[0], leaf, 4)
            return [*_bracketed(base, form.parts[0].operator in ("transpose", "power")), "^", Symbolic(form.parts[1])]
        case "call":
            return _call(form, leaf)
        case "softmax" | "diagonal" | "turned":
            return [FunctionName(_FUNCTIONS[form.operator]), "(", *_layout(form.parts[0], leaf, 0), ")"]
    return _joined(form, leaf, least)


def _bracketed(parts: list[GridPart], brackets: bool) -> list[GridPart]:
    return ["(", *parts, ")"] if brackets else parts


def _name(form: MatrixNode, leaf: Leaf) -> list[GridPart]:
    """A quantity; a negative number in brackets."""
    name = leaf(form)
    if isinstance(name, tuple) and is_scalar(form):
        return ["(", name[0][0], ")"]
    return [FunctionName("flatten"), "(", name, ")"] if form.parts[1].flat and isinstance(name, Whole) else [name]


def _call(form: MatrixNode, leaf: Leaf) -> list[GridPart]:
    """A function of every entry; a last argument that is its usual one goes without saying for a slope."""
    name, first, *others = form.parts
    usual = [scalar(number(text)) for text in function(name).defaults[-1:]] if name.endswith("'") else []
    if usual and others[-1:] == usual:
        others.pop()
    rest = [piece for argument in others for piece in (",", *_layout(argument, leaf, 0))]
    return [FunctionName(name), "(", *_layout(first, leaf, 0), *rest, ")"]


def _joined(form: MatrixNode, leaf: Leaf, least: int) -> list[GridPart]:
    """Several forms with a sign between them."""
    precedence, sign = _SIGNS[form.operator]
    parts: list[GridPart] = []
    for place, part in enumerate(inner(form)):
        negative = form.operator == "sum" and part.operator == "negative"
        if place:
            parts.append("-" if negative else sign)
        parts.extend(_layout(part.parts[0] if negative and place else part, leaf, precedence + (place > 0 or precedence > 1)))
    return _bracketed(parts, precedence < least)
