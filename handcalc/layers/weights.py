"""Reading weights and biases: named edges, a matrix, or a file; shared, per neuron, named, or per connection.

- `weights(layer)` and `bias(layer)` read the keys of one layer, given as a `DenseEntry`: the layer's items and the names
  around it. An edge that is not there is None in the matrix.
"""

from __future__ import annotations

from typing import Any

from handcalc.core.expr import ZERO, Number
from handcalc.core.record import Record
from handcalc.errors import Listing, Message, Template
from handcalc.layers.initial import drawn
from handcalc.problem.arrays import as_array, read_array
from handcalc.problem.fields import ROWS_OF
from handcalc.problem.names import Names
from handcalc.problem.reader import FileNode, is_name, listed, near, quoted
from handcalc.problem.schema import Bias, EdgeMatrix

TYPED_LIMIT = 1000  # drawn weights that are kept as single numbers; more are an array
ZEROS = "zeros"  # as a bias: one for each neuron, all 0

Place = tuple[int, ...]
Called = dict[Place, str]
Shared = dict[Place, tuple[int, Place]]


class DenseEntry(Record):
    """One layer being read: its number from 1, its entry, its keys, its neurons, what they are connected to, all names."""

    number: int
    entry: FileNode
    found: dict[str, FileNode]
    neurons: tuple[str, ...]
    sources: tuple[str, ...]
    names: Names

    @property
    def by_input(self) -> bool:
        """Whether a row of the matrix belongs to an input."""
        return "weight_rows" in self.found and self.found["weight_rows"].typed == ROWS_OF[1]

    def neuron(self, item: FileNode) -> int | None:
        """The place of a neuron of this layer, named by an item."""
        return _place(item, self.neurons, "there is no neuron {found} in this layer{near}; its neurons are {known}")

    def source(self, item: FileNode) -> int | None:
        """The place of a neuron or input of the layer before, named by an item."""
        return _place(item, self.sources, "there is no input {found} of this layer{near}; its inputs are {known}")


def _place(item: FileNode, known: tuple[str, ...], template: Template) -> int | None:
    name = item.text()
    if name is None or not known:
        return None
    if name in known:
        return known.index(name)
    item.fail(template, found=item.shown, near=near(name, known), known=Listing(known, 8))
    return None


def _is_reversed(layer: DenseEntry, parts: list[FileNode]) -> bool:
    """Whether [to, from, value] was typed; an error that shows the right order."""
    source, to = parts[0].typed, parts[1].typed
    if source in layer.sources and to in layer.neurons or source not in layer.neurons or to not in layer.sources:
        return False
    parts[0].fail("the order is [from, to, value]: write {example}", example=f"[{to}, {source}, {parts[2].typed or '…'}]")
    return True


# --- weights ----------------------------------------------------------------------------------------------------------


def weights(layer: DenseEntry) -> tuple[Any, Called]:
    """The weights of a layer, to be asked by (neuron, input), and their names; None after an error."""
    item = layer.found.get("weights")
    if item is None:
        if not layer.names.given:  # else they may be unknown
            layer.entry.fail("weights are missing")
        return None, {}
    if item.names("file"):
        return _from_file(layer, item)
    if item.names("random"):
        return _random(layer, item)
    if item.kind == "sequence":
        return _matrix(layer, item)
    if item.kind != "mapping":
        item.fail(
            "expected named edges {example}, a matrix [[…], …], or a file; found {found}",
            example="{w1: [from, to, value]}",
            found=item.shown,
        )
        return None, {}
    for key in ("weight_names", "weight_rows"):
        if key in layer.found:
            layer.found[key].fail("goes with a matrix, not with named edges")
    return _edges(layer, item)


def _edges(layer: DenseEntry, item: FileNode) -> tuple[Any, Called]:
    size = len(layer.neurons) * len(layer.sources)
    message = "more than {limit} possible edges; put the weights into a file, or set {variable} to raise the limit"
    if not item.within_limit(size, "edges", message):
        return None, {}
    rows: list[list[Number | None]] = [[None] * len(layer.sources) for _ in layer.neurons]
    called: Called = {}
    shared: Shared = {}
    edges = item.mapping() or {}
    for name, edge in edges.items():
        if edge.named(name):
            layer.names.parameter(name, edge)
        parts = (edge.sequence() or []) if edge.kind == "sequence" else []
        if len(parts) != 3:
            edge.fail(
                "an edge is [from, to, value], found {found}",
                found=edge.shown if not parts else Message("{count} entries", count=len(parts)),
            )
            continue
        if _is_reversed(layer, parts):
            continue
        start, end = layer.source(parts[0]), layer.neuron(parts[1])
        weight = parts[2].typed if _is_word(parts[2]) and parts[2].typed in layer.names.edges else ""
        value = None if weight else _number(layer, parts[2])
        if start is None or end is None or (value is None and not weight):
            continue
        if (end, start) in called:
            edge.fail(
                "there is an edge from {source} to {target} already: {other}",
                source=layer.sources[start],
                target=layer.neurons[end],
                other=called[end, start],
            )
        called[end, start] = name
        if weight:
            shared[end, start] = layer.names.edges[weight]
        else:
            rows[end][start] = value
            layer.names.edges.setdefault(name, (layer.number, (end, start)))
    alone = [neuron for place, neuron in enumerate(layer.neurons) if not any(end == place for end, _ in called)]
    if alone and len(called) == len(edges):  # not after an error
        item.fail("no edge leads to {names}", names=Listing(alone, 8))
    return EdgeMatrix(tuple(map(tuple, rows)), shared), {place: name for place, name in called.items() if place not in shared}


def _matrix(layer: DenseEntry, item: FileNode) -> tuple[Any, Called]:
    by_input = layer.by_input
    wanted = (len(layer.sources), len(layer.neurons)) if by_input else (len(layer.neurons), len(layer.sources))
    lines, edges = _lines(item, wanted), layer.names.edges
    if 0 in wanted:
        return None, {}
    called = _matrix_names(layer, wanted, by_input)
    places = {((column, row) if by_input else (row, column)): value for row, line in enumerate(lines) for column, value in enumerate(line)}
    words = {place: value.typed for place, value in places.items() if _is_word(value)}
    for place in words.keys() & called.keys():  # no weight of its own has its name
        edges.pop(called.pop(place), None)
    named: Shared = {place: edges[word] for place, word in words.items() if word in edges}
    rows = [[None if value.typed in edges and _is_word(value) else _number(layer, value) for value in line] for line in lines]
    widths = sorted({len(row) for row in rows})
    if len(rows) != wanted[0] or widths != [wanted[1]]:
        item.fail(
            "W{layer} is {rows_found}×{columns_found}, expected {rows}×{columns} (neurons: {neurons}, inputs: {inputs}; one row per {row})",
            layer=layer.number,
            rows_found=len(rows),
            columns_found="/".join(map(str, widths)) or "0",
            rows=wanted[0],
            columns=wanted[1],
            neurons=len(layer.neurons),
            inputs=len(layer.sources),
            row=Message("input" if by_input else "neuron"),
        )
        return None, {}
    if by_input:
        rows = [list(column) for column in zip(*rows)]
    return EdgeMatrix(tuple(map(tuple, rows)), named), called


def _is_word(item: FileNode) -> bool:
    """Whether a name stands in the place of a number: a weight may be called 1, but 1 is a number."""
    return is_name(item.typed) and not item.typed[0].isdigit()


def _number(layer: DenseEntry, item: FileNode) -> Number | None:
    """The number of a weight; an error with the weights that may stand in its place where a word does."""
    known = layer.names.edges
    if not known or not _is_word(item):
        return item.number()
    hint = near(item.typed, known) or Message("; known are {known}", known=listed(known))
    item.fail("expected a number, or a weight that has one: {found} is none{near}", found=item.shown, near=hint)
    return None


def _lines(item: FileNode, wanted: tuple[int, int]) -> list[list[FileNode]]:
    """The rows of a matrix; a plain list is its only row, or its only column."""
    entries = item.sequence() or []
    if entries and wanted[0] == 1 and not any(entry.kind == "sequence" for entry in entries):
        return [entries]
    return [(entry.sequence() or []) if entry.kind == "sequence" else [entry] for entry in entries]


def _matrix_names(layer: DenseEntry, wanted: tuple[int, int], by_input: bool) -> Called:
    item = layer.found.get("weight_names")
    if item is None:
        return {}
    lines = _lines(item, wanted)
    if item.kind == "sequence" and (len(lines) != wanted[0] or any(len(line) != wanted[1] for line in lines)):
        item.fail("the names must have the shape of the weights, {rows}×{columns}", rows=wanted[0], columns=wanted[1])
        return {}
    called: Called = {}
    for row, line in enumerate(lines):
        for column, cell in enumerate(line):
            name = cell.name()
            if name:
                layer.names.parameter(name, cell)
                place = (column, row) if by_input else (row, column)
                called[place] = name
                layer.names.edges.setdefault(name, (layer.number, place))
    return called


def _from_file(layer: DenseEntry, item: FileNode) -> tuple[Any, Called]:
    by_input = layer.by_input
    shape = (len(layer.neurons), len(layer.sources))
    if 0 in shape:
        return None, {}
    return read_array(item, shape, by_input), _matrix_names(layer, shape[::-1] if by_input else shape, by_input)


def _random(layer: DenseEntry, item: FileNode) -> tuple[Any, Called]:
    by_input, shape = layer.by_input, (len(layer.neurons), len(layer.sources))
    found = drawn(item, shape[0] * shape[1], f"W{layer.number}", shape[1], shape[0])
    called = _matrix_names(layer, shape[::-1] if by_input else shape, by_input)
    if found is None:
        return None, {}
    if found.count > TYPED_LIMIT:
        return as_array(_rows(found.floats(found.seed), shape[1])), called
    return EdgeMatrix(tuple(map(tuple, _rows(found.given(item), shape[1])))), called


def _rows(numbers: list[Any], width: int) -> list[list[Any]]:
    return [numbers[start : start + width] for start in range(0, len(numbers), width)]


# --- biases -----------------------------------------------------------------------------------------------------------

FORMS = ("shared", "neuron", "connection")  # of a bias, by the number of names before its value


def bias(layer: DenseEntry, edges: Any) -> Bias | None:
    """The bias or threshold of a layer; None where there is none. edges: the weights, for biases on connections."""
    if "bias" in layer.found and "threshold" in layer.found:
        layer.found["threshold"].fail("give bias or threshold, not both")
    threshold = "threshold" in layer.found
    item = layer.found.get("threshold") or layer.found.get("bias")
    if item is None:
        return None
    if item.names("file"):
        array = read_array(item, (len(layer.neurons),))
        return Bias("neuron", array, {}, threshold) if array is not None else None
    if item.names("random"):
        found = drawn(item, len(layer.neurons), f"b{layer.number}", len(layer.sources), len(layer.neurons))
        values = {(place,): one for place, one in enumerate(found.given(item))} if found else None
        return Bias("neuron", values, {}, threshold) if values else None
    if item.kind == "text" and item.stands_for((ZEROS,)):
        return Bias("neuron", dict.fromkeys(((place,) for place in range(len(layer.neurons))), ZERO), {}, threshold)
    if item.kind == "sequence":
        return _bias_list(layer, item, threshold)
    if item.kind == "mapping":
        return _named_bias(layer, item, edges, threshold)
    value = item.number()
    return Bias("shared", {(): value}, {}, threshold) if value is not None else None


def _bias_list(layer: DenseEntry, item: FileNode, threshold: bool) -> Bias:
    values = [part.number() for part in item.sequence() or ()]
    if layer.neurons and len(values) != len(layer.neurons):
        item.fail("one number per neuron is expected: {wanted}, found {found}", wanted=len(layer.neurons), found=len(values))
    return Bias("neuron", {(position,): value for position, value in enumerate(values)}, {}, threshold)


def _named_bias(layer: DenseEntry, item: FileNode, edges: Any, threshold: bool) -> Bias | None:
    values: dict[Place, Number | None] = {}
    called: Called = {}
    entries = item.mapping() or {}
    for name, entry in entries.items():
        if entry.named(name):
            layer.names.parameter(name, entry)
        found = _one_bias(layer, entry, edges)
        if found is None:
            continue
        place, value = found
        if place in values and place:
            entry.fail("there is a bias for this place already: {other}", other=called[place])
        elif values and (not place or len(place) != len(next(iter(values)))):
            entry.fail("give one shared bias, or one kind of places: [to, value] or [from, to, value]")
        else:
            values[place], called[place] = value, name
    if not entries:
        item.fail("expected a name and a value such as {example}", example="{b1: 0.35}")
    return Bias(FORMS[len(next(iter(values)))], values, called, threshold) if values else None


def _one_bias(layer: DenseEntry, entry: FileNode, edges: Any) -> tuple[Place, Number] | None:
    """The place and value of `number`, `[to, value]` or `[from, to, value]`; None after an error."""
    parts = (entry.sequence() or []) if entry.kind == "sequence" else []
    if entry.kind == "text":
        value = entry.number()
        return ((), value) if value is not None else None
    if len(parts) not in (2, 3):
        entry.fail("a bias is a number, [to, value] or [from, to, value], found {found}", found=entry.shown)
        return None
    if len(parts) == 3 and _is_reversed(layer, parts):
        return None
    source = layer.source(parts[0]) if len(parts) == 3 else 0
    to, value = layer.neuron(parts[-2]), parts[-1].number()
    if source is None or to is None or value is None:
        return None
    if len(parts) == 3 and edges is not None and edges.get((to, source)) is None:
        entry.fail(
            "there is no edge from {source} to {target} for this bias",
            source=quoted(layer.sources[source]),
            target=quoted(layer.neurons[to]),
        )
        return None
    return (to, source) if len(parts) == 3 else (to,), value
