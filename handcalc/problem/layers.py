"""Reading layers: neurons, activations, and the three ways to write weights and biases.

- `neuron_names` comes first (targets and edges refer to names), then `build`.
"""

from __future__ import annotations

from typing import Any

from handcalc.core.expr import Call, Expr, Number, Ref, number
from handcalc.core.functions import ACTIVATIONS, function
from handcalc.problem.reader import Item, is_name, near
from handcalc.problem.schema import Activation, Bias, Layer, Matrix, keys

NEURON_LIMIT = 5000  # neurons of one layer
SOFTMAX = Activation("softmax")
IDENTITY = Activation("identity", Ref("z"))


def neuron_names(entries: list[Item]) -> list[tuple[str, ...]]:
    """Names of the neurons of each layer; a count makes h1 … (o1 … in the last layer; layers from the second hidden one on are told apart)."""
    result = []
    for place, entry in enumerate(entries):
        found = entry.mapping() or {} if entry.kind == "mapping" else {}
        item = found.get("neurons")
        names: tuple[str, ...] = ()
        if item is None:
            entry.fail("neurons are missing: give their names or their number")
        elif item.kind == "sequence":
            names = tuple(name for part in item.sequence() or () if (name := part.name()))
            if not names:
                item.fail("there is no neuron")
        else:
            count = item.whole(1, NEURON_LIMIT) or 0
            last = place == len(entries) - 1
            many = len(entries) > 2 and not last
            stem = "o" if last else f"h{place + 1}_" if many else "h"
            names = tuple(f"{stem}{position + 1}" for position in range(count))
        result.append(names)
    return result


def build(entries: list[Item], neurons: list[tuple[str, ...]], inputs: tuple[str, ...]) -> tuple[Layer, ...]:
    """The layers, each seeing the names of the one before."""
    result = []
    sources = inputs
    every = [*inputs, *(name for names in neurons for name in names)]
    for place, (entry, names) in enumerate(zip(entries, neurons)):
        found = entry.section(keys("layer"))
        if "type" in found:
            found["type"].choice(("dense",))
        activations = _activations(found.get("activation"), names)
        weights, weight_names = _weights(entry, found, names, sources, every, place)
        bias = _bias(found, names, sources, place)
        result.append(Layer(names, activations, weights, weight_names, bias))
        sources = names
    return tuple(result)


# --- activations ------------------------------------------------------------------------------------------------------


def _activations(item: Item | None, names: tuple[str, ...]) -> tuple[Activation, ...]:
    if item is None:
        return (IDENTITY,)
    if item.kind != "sequence":
        one = _activation(item)
        return (one,) if one else ()
    several = [_activation(part) for part in item.sequence() or ()]
    if len(several) != len(names):
        item.fail("one activation per neuron is expected: {wanted}, found {found}", wanted=len(names), found=len(several))
    known = tuple(activation for activation in several if activation)
    if len(known) > 1 and SOFTMAX in known:
        if set(known) == {SOFTMAX}:
            return (SOFTMAX,)
        item.fail("softmax takes the whole layer; give it alone")
    return known


def _activation(item: Item) -> Activation | None:
    options: dict[str, Item] = {}
    if item.kind == "mapping":
        entries = item.mapping() or {}
        if len(entries) != 1:
            item.fail("expected one activation such as {example}", example="{leaky_relu: {slope: 0.01}}")
            return None
        name, inner = next(iter(entries.items()))
        if name not in ACTIVATIONS:
            item.fail("unknown activation {found}{near}; known are {known}", found=f'"{name}"', near=near(name, ACTIVATIONS), known=", ".join(ACTIVATIONS))
            return None
        options = inner.section(function(name).arguments[1:])
    else:
        text = item.text()
        if text is None:
            return None
        name = text
        if name not in ACTIVATIONS:
            if is_name(name) and name != "z":
                item.fail("unknown activation {found}{near}; known are {known}", found=item.shown, near=near(name, ACTIVATIONS), known=", ".join(ACTIVATIONS))
                return None
            written = item.formula({"z"})
            return Activation(name, written) if written is not None else None
    record = function(name)
    if record.family:
        return Activation(name)
    if name == "identity":
        return IDENTITY
    arguments: list[Expr] = [Ref("z")]
    for key, default in zip(record.arguments[1:], record.defaults):
        arguments.append((options[key].number() if key in options else None) or number(default))
    return Activation(name, Call(name, tuple(arguments)))


# --- weights ----------------------------------------------------------------------------------------------------------

Names = dict[tuple[int, ...], str]


def _weights(entry: Item, found: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...], every: list[str], place: int) -> tuple[Any, Names]:
    item = found.get("weights")
    if item is None:
        entry.fail("weights are missing")
        return None, {}
    if item.kind == "sequence":
        return _matrix(item, found, names, sources, place)
    if item.kind != "mapping":
        item.fail("expected named edges {example}, a matrix [[…], …], or a file", example="{w1: [from, to, value]}")
        return None, {}
    edges = item.mapping() or {}
    if "file" in edges and edges["file"].kind == "text":
        return _from_file(item, found, names, sources), {}
    return _edges(item, edges, names, sources, every)


def _edges(item: Item, edges: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...], every: list[str]) -> tuple[Any, Names]:
    rows: list[list[Number | None]] = [[None] * len(sources) for _ in names]
    called: Names = {}
    for name, edge in edges.items():
        if not is_name(name):
            edge.fail("a name has letters, digits and _ only (at most 40), found {found}", found=f'"{name[:40]}"')
            continue
        parts = edge.sequence()
        if parts is None:
            continue
        if len(parts) != 3:
            edge.fail("an edge is [from, to, value], found {count} entries", count=len(parts))
            continue
        source, target, value = parts[0].text(), parts[1].text(), parts[2].number()
        start = _place(parts[0], source, sources, every)
        end = _place(parts[1], target, names, every)
        if start is None or end is None:
            continue
        if rows[end][start] is not None:
            edge.fail("the edge from {source} to {target} is there already", source=source, target=target)
        rows[end][start] = value
        called[end, start] = name
    return Matrix(tuple(map(tuple, rows))), called


def _place(item: Item, name: str | None, known: tuple[str, ...], every: list[str]) -> int | None:
    if name is None:
        return None
    if name in known:
        return known.index(name)
    shown = ", ".join(known[:8]) + (" …" if len(known) > 8 else "")
    if name in every:
        item.fail("{found} is in another layer; here one of {known} is expected", found=item.shown, known=shown)
    else:
        item.fail("there is no neuron {found}{near}; here one of {known} is expected", found=item.shown, near=near(name, known), known=shown)
    return None


def _matrix(item: Item, found: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...], place: int) -> tuple[Any, Names]:
    lines = [row.sequence() if row.kind == "sequence" else [row] for row in item.sequence() or ()]
    if lines and all(row.kind == "text" for row in item.sequence() or ()):  # one neuron: a plain list is its row
        lines = [item.sequence()] if len(names) == 1 else lines
    rows = [[value.number() for value in line or ()] for line in lines]
    by_input = "weight_rows" in found and found["weight_rows"].choice(("neurons", "inputs")) == "inputs"
    if not names or not sources:
        return None, {}
    wanted = (len(sources), len(names)) if by_input else (len(names), len(sources))
    widths = {len(row) for row in rows}
    if len(rows) != wanted[0] or widths != {wanted[1]}:
        shape = f"{len(rows)}×{'/'.join(map(str, sorted(widths)))}"
        item.fail(
            "the weight matrix W{layer} is {shape}, expected {rows}×{columns}: {neurons} neurons, {inputs} inputs, one row per {row}",
            layer=place + 1,
            shape=shape,
            rows=wanted[0],
            columns=wanted[1],
            neurons=len(names),
            inputs=len(sources),
            row="input" if by_input else "neuron",
        )
        return None, {}
    called: Names = {}
    if "weight_names" in found:
        called = _matrix_names(found["weight_names"], wanted, by_input)
    if by_input:
        rows = [list(column) for column in zip(*rows)]
    return Matrix(tuple(map(tuple, rows))), called


def _matrix_names(item: Item, wanted: tuple[int, int], by_input: bool) -> Names:
    lines = [row.sequence() if row.kind == "sequence" else [row] for row in item.sequence() or ()]
    if wanted[0] == 1 and len(lines) == wanted[1] and all(row.kind == "text" for row in item.sequence() or ()):
        lines = [item.sequence() or []]
    if len(lines) != wanted[0] or any(len(line or ()) != wanted[1] for line in lines):
        item.fail("the names must have the shape of the weights, {rows}×{columns}", rows=wanted[0], columns=wanted[1])
        return {}
    called: Names = {}
    for row, line in enumerate(lines):
        for column, cell in enumerate(line or ()):
            name = cell.name()
            if name:
                called[(column, row) if by_input else (row, column)] = name
    return called


def _from_file(item: Item, found: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...]) -> Any:
    from handcalc.problem.arrays import read_array

    by_input = "weight_rows" in found and found["weight_rows"].choice(("neurons", "inputs")) == "inputs"
    return read_array(item, (len(names), len(sources)), by_input)


# --- biases -----------------------------------------------------------------------------------------------------------


def _bias(found: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...], place: int) -> Bias | None:
    if "bias" in found and "threshold" in found:
        found["threshold"].fail("give bias or threshold, not both")
    threshold = "threshold" in found
    item = found.get("threshold") or found.get("bias")
    if item is None:
        return None
    if item.kind == "text":
        value = item.number()
        return Bias("shared", {(): value}, {}, threshold) if value else None
    if item.kind == "sequence":
        values = [part.number() for part in item.sequence() or ()]
        if len(values) != len(names):
            item.fail("one number per neuron is expected: {wanted}, found {found}", wanted=len(names), found=len(values))
        return Bias("neuron", {(position,): value for position, value in enumerate(values)}, {}, threshold)
    entries = item.mapping() or {}
    if "file" in entries and entries["file"].kind == "text":
        from handcalc.problem.arrays import read_array

        array = read_array(item, (len(names),), False)
        return Bias("neuron", array, {}, threshold) if array is not None else None
    return _named_bias(item, entries, names, sources, threshold)


def _named_bias(item: Item, entries: dict[str, Item], names: tuple[str, ...], sources: tuple[str, ...], threshold: bool) -> Bias | None:
    values: dict[tuple[int, ...], Number | None] = {}
    called: Names = {}
    forms = set()
    for name, entry in entries.items():
        if not is_name(name):
            entry.fail("a name has letters, digits and _ only (at most 40), found {found}", found=f'"{name[:40]}"')
            continue
        where: tuple[int, ...] | None
        if entry.kind == "text":
            where, value = (), entry.number()
        else:
            parts = entry.sequence() or []
            if len(parts) not in (2, 3):
                entry.fail("a bias is a number, [to, value] or [from, to, value]")
                continue
            value = parts[-1].number()
            to = _place(parts[-2], parts[-2].text(), names, [*names, *sources])
            source = _place(parts[0], parts[0].text(), sources, [*names, *sources]) if len(parts) == 3 else 0
            if to is None or source is None:
                continue
            where = (to, source) if len(parts) == 3 else (to,)
        if where in values:
            entry.fail("there is a bias for this place already")
        forms.add(len(where))
        values[where] = value
        called[where] = name
    if len(forms) > 1 or (forms == {0} and len(values) > 1):
        item.fail("give one shared bias, or one kind of places: [to, value] or [from, to, value]")
        return None
    if not forms:
        return None
    return Bias({0: "shared", 1: "neuron", 2: "connection"}[forms.pop()], values, called, threshold)
