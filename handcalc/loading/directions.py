"""Recurrent layers in both directions, `bidirectional: true`: read as the two layers and the `concatenate` that they stand for.

- `in_both(entries)` are the entries of `layers` so written out, and for every entry of the file, from 1, the number of the layer whose
  output it is; `written_out(entries)` are the parts of a loaded file in which the parameters of these layers stand.

First the layer that goes backwards, with what stands under `backward` and whatever is no parameter of the other; then the one that goes
forwards, on the same inputs; then the states of both side by side, those of the forward layer first, as in PyTorch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from typing import Any

from handcalc.layers import layer_type
from handcalc.layers.recurrent import BACKWARD, BIDIRECTIONAL, OWN_KEYS
from handcalc.loading.layers import kind_of
from handcalc.problem.reader import FileNode
from handcalc.problem.spellings import KEYS, meanings

Entries = list[tuple[Any, Any]]  # keys and values of a mapping, as the parser has them


def in_both(entries: list[FileNode]) -> tuple[list[FileNode], tuple[int, ...]]:
    """The entries with three for each layer in both directions; number in the file → number of the layer."""
    result: list[FileNode] = []
    numbers = [0]
    for entry in entries:
        result += _written_out(entry, result, len(numbers) - 1) or [entry]
        numbers.append(len(result))
    return result, tuple(numbers)


def _written_out(entry: FileNode, before: list[FileNode], above: int) -> list[FileNode]:
    """The three entries of a layer in both directions; none for any other, or after an error."""
    wish = entry.entry(BIDIRECTIONAL)
    kind = kind_of(entry) if wish else ""
    if wish is None or not kind or not layer_type(kind).is_recurrent:
        return []
    other = entry.entry(BACKWARD)
    if not wish.flag():
        if other is not None:
            other.fail("goes with bidirectional: true")
        return []
    if other is None or other.mapping() is None:
        (other or entry).fail("the key {key} is missing", key=BACKWARD)
        return []
    if (reverse := entry.entry("reverse")) is not None:
        reverse.fail("does not go with bidirectional: true")
        return []

    def made(text: str) -> Any:
        found = copy(wish.key)
        found.value = text
        return found

    def entry_of(parts: Entries) -> FileNode:
        node = copy(entry.node)
        node.value = parts
        return FileNode(node, entry.path, entry.source, entry.key)

    def without(*keys: str) -> Entries:
        return [(key, value) for key, value in entry.node.value if not (isinstance(key.value, str) and meanings(key.value, keys, KEYS))]

    named = entry.entry("name")
    stem = layer_type(kind).stem
    usual = f"{stem}{1 + sum(layer_type(one).stem == stem for part in before if (one := kind_of(part)))}"
    backward = f"{named.typed}_backward" if named and named.typed else usual
    source = [] if entry.entry("from") else [(made("from"), made(str(above)))]
    own = without(BIDIRECTIONAL, BACKWARD, "name")
    again = tuple(key.value for key, _ in other.node.value if isinstance(key.value, str))
    shared = without(BIDIRECTIONAL, BACKWARD, "name", "neurons", *OWN_KEYS, *again)
    neurons = [] if other.entry("neurons") else _neurons(entry, made)
    called = [(made("name"), made(backward))] if named else []
    first = [*shared, *called, (made("reverse"), made("true")), *neurons, *other.node.value]
    second = [*own, *([(made("name"), made(f"{named.typed}_forward"))] if named else []), *source]
    third = [(made("type"), made("concatenate")), *([(named.key, named.node)] if named else []), (made("from"), made(backward))]
    return [entry_of(parts) for parts in (first, second, third)]


def _neurons(entry: FileNode, made: Any) -> Entries:
    """The neurons of the layer that goes backwards, where nobody named them: as many; h_back for h."""
    item = entry.entry("neurons")
    if item is None:
        return []
    if item.kind != "sequence":
        return [(item.key, item.node)]
    names = copy(item.node)
    names.value = [made(f"{part.typed}_back") for part in item.sequence() or ()]
    return [(item.key, names)]


def written_out(entries: Iterable[Any]) -> Iterator[Any]:
    """The part of a file for every layer, nothing for a layer that is written nowhere."""
    for entry in entries:
        if isinstance(entry, dict) and str(entry.get(BIDIRECTIONAL, "")).lower() == "true":
            yield from (entry[BACKWARD], entry, {})
        else:
            yield entry
