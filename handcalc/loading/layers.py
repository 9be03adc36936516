"""Reading layers: names of neurons, then every layer by the reader of its type (handcalc/layers).

- `neuron_names` comes first (targets and edges refer to names), then `build`.
"""

from __future__ import annotations

from handcalc.layers import FILES, layer_type
from handcalc.problem.limits import limit, raised_by
from handcalc.problem.names import Names
from handcalc.problem.reader import Item
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Axes, Incoming


def layer_items(item: Item) -> list[Item]:
    """The entries of `layers`; none after an error."""
    entries = item.sequence()
    if entries is not None and not entries:
        item.fail("there is no layer")
    if entries and len(entries) > limit("layers"):
        item.fail("more than {limit} layers; set {variable} to raise the limit", limit=limit("layers"), variable=raised_by("layers"))
        return []
    return entries or []


def kind_of(entry: Item) -> str:
    """The word after `type:` of a layer; dense where there is none, "" for unknown words, which are errors of
    `neuron_names`."""
    if entry.kind != "mapping":
        return "dense"
    words = [value.value for key, value in entry.node.value if key.value == "type" and value.value != ""]
    if not words:
        return "dense"
    return words[0] if isinstance(words[0], str) and words[0] in FILES else ""


def neuron_names(entries: list[Item], names: Names) -> list[tuple[str, ...]]:
    """Names of the neurons of each layer; a count makes h1 … (o1 … in the last layer; with several hidden layers h1_1, h2_1 …).

    Layers of types without neurons have none.
    """
    result = []
    hidden_layers = sum(_has_neurons(kind_of(entry)) for entry in entries[:-1])
    for place, entry in enumerate(entries):
        hidden = place < len(entries) - 1
        found = entry.mapping() or {} if entry.kind == "mapping" else {}
        kind = kind_of(entry)
        if not kind:
            found["type"].choice(FILES)
        item = found.get("neurons") if not kind or _has_neurons(kind) else None
        own: tuple[str, ...] = ()
        if item is None:
            if entry.kind == "mapping" and _has_neurons(kind):
                entry.fail("neurons are missing: give their names or their number")
        elif item.kind == "sequence":
            parts = item.sequence() or []
            if not parts:
                item.fail("there is no neuron")
            if len(parts) > limit("neurons"):
                _too_many(item)
            called = [(name, part) for part in parts if (name := part.name())]
            for name, part in called:
                names.neuron(name, part, hidden)
            own = tuple(dict.fromkeys(name for name, _ in called))
        else:
            stem = "o" if not hidden else f"h{place + 1}_" if hidden_layers > 1 else "h"
            own = tuple(f"{stem}{position}" for position in range(1, _count(item) + 1))
            for name in own:
                names.neuron(name, item, hidden)
        result.append(own)
    return result


def _has_neurons(kind: str) -> bool:
    return bool(kind) and layer_type(kind).has_neurons


def _count(item: Item) -> int:
    if item.kind != "text" or not item.node.value.lstrip("+-").isdigit():
        item.fail("expected names such as [h1, h2] or a number of neurons, found {found}", found=item.shown)
        return 0
    digits = item.node.value
    if digits.isdecimal() and (len(digits) > 9 or int(digits) > limit("neurons")):
        _too_many(item)
        return 0
    return item.whole(1, limit("neurons")) or 0


def _too_many(item: Item) -> None:
    item.fail("more than {limit} neurons; set {variable} to raise the limit", limit=limit("neurons"), variable=raised_by("neurons"))


def build(entries: list[Item], neurons: list[tuple[str, ...]], axes: Axes, names: Names, samples: int = 1) -> tuple[Layer, ...]:
    """The layers, each seeing the axes of what comes before; the first the inputs'. Fewer after an error of shape."""
    result: list[Layer] = []
    outputs = [axes]
    for place, (entry, own) in enumerate(zip(entries, neurons), 1):
        kind = kind_of(entry)
        if not kind:
            return tuple(result)
        found = entry.section(key for key, *_ in layer_type(kind).rows)
        if entry.kind != "mapping":
            continue
        if not outputs[-1]:
            return tuple(result)
        incoming = Incoming(place, entry, found, outputs[-1], tuple(outputs), own, names, samples)
        takes = layer_type(kind).takes
        layer = layer_type(kind).read(incoming) if not takes or incoming.wants(*takes) else None
        if layer is None:
            return tuple(result)
        result.append(layer)
        outputs.append(layer.axes)
    return tuple(result)
