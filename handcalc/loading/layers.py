"""Reading layers: names of neurons, then every layer by the reader of its type (handcalc/layers).

- `neuron_names` comes first (targets and edges refer to names), then `build`.
"""

from __future__ import annotations

from handcalc.layers import FILES, layer_type, spellings
from handcalc.problem.fields import ROWS_OF
from handcalc.problem.limits import limit
from handcalc.problem.names import Names
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer
from handcalc.problem.shapes import Axes, Incoming
from handcalc.problem.spellings import KEYS, meanings

TOO_MANY = "more than {limit} neurons; set {variable} to raise the limit"


def layer_items(item: FileNode) -> list[FileNode]:
    """The entries of `layers`; none after an error."""
    if item.kind == "mapping":
        item.fail("layers are a list: write - before the first key of each layer")
        return []
    entries = item.sequence()
    if entries is not None and not entries:
        item.fail("there is no layer")
    few = item.within_limit(len(entries or ()), "layers", "more than {limit} layers; set {variable} to raise the limit")
    typed = [_is_type(entry) for entry in entries or ()] if few else []
    return (entries if few and not any(typed) else None) or []


def _home(key: str) -> str:
    """Where what is typed in a layer, and belongs elsewhere, is written."""
    return "learning_rate: {others: …, layer1: …}" if key in ("learning_rate", *KEYS["learning_rate"]) else ""


def _is_type(entry: FileNode) -> bool:
    """Whether an entry is the word of a type, or has it in the place of a key; an error that says how it is written."""
    if entry.entry("type") is not None or entry.kind == "mapping" and len(entry.node.value) != 1:
        return False
    word = entry.node.value[0][0].value if entry.kind == "mapping" else entry.typed
    found = meanings(word, FILES, spellings()) if isinstance(word, str) and word else ()
    if len(found) == 1:
        entry.fail("a layer is written with its type as {example}", example=f"{{type: {found[0]}, …}}")
    return len(found) == 1


def kind_of(entry: FileNode) -> str:
    """The word after `type:` of a layer, in whatever spelling; dense where there is none, "" for unknown words, which are errors of
    `neuron_names`."""
    item = entry.entry("type")
    if item is None or item.kind == "null":
        return "dense"
    if item.kind != "text" or item.typed in FILES:
        return item.typed
    return item.stands_for(FILES, spellings()) or ""


def neuron_names(entries: list[FileNode], names: Names) -> list[tuple[str, ...]]:
    """Names of the neurons of each layer; a count makes h1 … (o1 … in the last layer; with several hidden layers h1_1, h2_1 …).

    Layers of types without neurons have none.
    """
    result = []
    hidden_layers = sum(_has_neurons(kind_of(entry)) for entry in entries[:-1])
    for place, entry in enumerate(entries):
        hidden = place < len(entries) - 1
        kind, typed = kind_of(entry), entry.entry("type")
        if not kind and typed is not None:
            typed.choice(FILES, spellings())
        item = entry.entry("neurons") if not kind or _has_neurons(kind) else None
        own: tuple[str, ...] = ()
        if item is None:
            if entry.kind == "mapping" and _has_neurons(kind):
                entry.fail("neurons are missing: give their names or their number")
        elif item.kind == "sequence":
            parts = item.sequence() or []
            if not parts:
                item.fail("there is no neuron")
            item.within_limit(len(parts), "neurons", TOO_MANY)
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


def _count(item: FileNode) -> int:
    digits = item.typed
    if not digits.lstrip("+-").isdigit():
        item.fail("expected names such as [h1, h2] or a number of neurons, found {found}", found=item.shown)
        return 0
    if digits.isdecimal() and not item.within_limit(int(digits[:10]), "neurons", TOO_MANY):
        return 0
    return item.whole(1, limit("neurons")) or 0


def build(
    entries: list[FileNode],
    neurons: list[tuple[str, ...]],
    axes: Axes,
    names: Names,
    samples: int = 1,
    numbers: tuple[int, ...] = (),
) -> tuple[Layer, ...]:
    """The layers, each seeing the axes of what comes before; the first the inputs'. Fewer after an error of shape. numbers: as in
    `Incoming`."""
    result: list[Layer] = []
    outputs = [axes]
    called = tuple(_called(entries))
    for place, (entry, own) in enumerate(zip(entries, neurons), 1):
        kind = kind_of(entry)
        if not kind:
            return tuple(result)
        found = entry.section((key for key, *_ in layer_type(kind).rows), _home)
        if entry.kind != "mapping":
            continue
        if "weight_rows" in found:
            found["weight_rows"].choice(ROWS_OF)
        if not outputs[-1]:
            return tuple(result)
        above = tuple(outputs), own, names, samples, tuple(result), called
        incoming = Incoming(place, entry, found, outputs[-1], *above, numbers=numbers)
        chosen = found.get(layer_type(kind).source_key)
        elsewhere = None if chosen is None else incoming.earlier_layer(chosen)
        source = len(outputs) - 1 if elsewhere is None else elsewhere  # place - 1, if none before is in error
        incoming = incoming.replace(axes=outputs[source], source=source)
        takes = layer_type(kind).takes
        layer = layer_type(kind).read(incoming) if not takes or incoming.wants(*takes) else None
        if layer is None:
            return tuple(result)
        if source != place - 1:
            layer = layer.replace(options={**layer.options, "source": source})
        result.append(layer)
        outputs.append(layer.axes)
    if len(result) == len(entries):
        _check_used(entries, result)
    return tuple(layer.replace(name=name) for layer, name in zip(result, _layer_names(entries, names)))


def _check_used(entries: list[FileNode], layers: list[Layer]) -> None:
    """An error where no other layer takes what a layer puts out."""
    used = {place for number, layer in enumerate(layers, 1) for place in layer.taken(number)}
    for number, entry in enumerate(entries[:-1], 1):
        if number not in used:
            entry.fail("nothing takes the output of layer {number}; only that of the last layer is compared with targets", number=number)


def _called(entries: list[FileNode]) -> list[str]:
    """What every layer is called: by its own name, else by its type with a number."""
    stems = [layer_type(kind).stem if (kind := kind_of(entry)) else "" for entry in entries]
    usual = [f"{stem}{stems[: place + 1].count(stem)}" for place, stem in enumerate(stems)]
    typed = [named.typed if (named := entry.entry("name")) else "" for entry in entries]
    return [own or default for own, default in zip(typed, usual)]


def _layer_names(entries: list[FileNode], names: Names) -> list[str]:
    """The name of every layer: its own, else its type with a number; an error where it is taken."""
    stems = [layer_type(kind_of(entry)).stem for entry in entries]
    usual = [f"{stem}{stems[: place + 1].count(stem)}" for place, stem in enumerate(stems)]
    items = [entry.section((key for key, *_ in layer_type(kind_of(entry)).rows), _home).get("name") for entry in entries]
    found = [default if item is None else item.name() or default for item, default in zip(items, usual)]
    for place, (item, name) in enumerate(zip(items, found)):
        other = found.index(name) if found.count(name) > 1 else place
        if item is not None and name in names.bare:
            item.fail('"{name}" is the name of an input or a parameter too', name=name)
        elif item is not None and (other < place or name in usual[:place] + usual[place + 1 :]):
            item.fail('another layer is called "{name}"', name=name)
    return found
