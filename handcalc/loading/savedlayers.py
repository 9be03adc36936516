"""Parameters of layers that are not dense, put back into the tree of a problem file.

- `put_back(graph, number, layer, entry, values)` writes the values where the numbers stood: under the key of each tensor, or in its part of
  `gates`, in nested lists of any depth, a plain number for all places of a bias, matrices with a row per input. What came from another
  file is written into this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from handcalc.core.graph import Graph
from handcalc.problem.schema import Layer, Tensor

Values = Mapping[tuple[int, ...], float]


def put_back(graph: Graph, number: int, layer: Layer, entry: Any, values: Mapping[str, Values]) -> set[str]:
    """Write the values of a layer into its entry; answers the names of those that are written."""
    written: set[str] = set()
    for tensors in _together(layer):
        names = [graph.in_layer(number, tensor.kind, tensor.role) for tensor in tensors]
        if all(name in values for name in names):
            first = tensors[0]
            section = entry["gates"][first.gate] if first.gate else entry
            _put(section, first, [value for name, tensor in zip(names, tensors) for value in _ordered(tensor, values[name])])
            written |= {*names}
    return written


def _together(layer: Layer) -> list[list[Tensor]]:
    """The tensors that have a key, those of one key together: gates below each other."""
    found: dict[tuple[str, str], list[Tensor]] = {}
    for tensor in layer.tensors:
        if tensor.key:
            found.setdefault((tensor.gate, tensor.key), []).append(tensor)
    return list(found.values())


def _ordered(tensor: Tensor, values: Values) -> Iterator[float]:
    return (values[place] for place in product(*(range(axis.size) for axis in tensor.axes)))


def _put(section: Any, tensor: Tensor, ordered: list[float]) -> None:
    """Write numbers under the key of a tensor; they may be those of several, one below the other."""
    rest = (tensor.typed or tuple(axis.size for axis in tensor.axes))[1:]
    sizes = (len(ordered) // prod(rest), *rest)
    if tensor.turned:
        ordered = [ordered[place] for start in range(sizes[1]) for place in range(start, len(ordered), sizes[1])]
        sizes = sizes[::-1]
    if isinstance(section[tensor.key], list):
        _fill(section[tensor.key], iter(ordered))
    elif len(ordered) == 1 and not isinstance(section[tensor.key], dict):
        section[tensor.key] = ordered[0]
    else:  # one number for all places, or another file
        section[tensor.key] = _nested(ordered, sizes)


def _fill(written: Any, values: Iterator[float]) -> None:
    """Replace the numbers of nested lists in order."""
    for place, part in enumerate(written):
        if isinstance(part, list):
            _fill(part, values)
        else:
            written[place] = next(values)


def _nested(values: list[float], sizes: tuple[int, ...]) -> Any:
    """Nested lists of a shape, written in brackets."""
    from ruamel.yaml.comments import CommentedSeq

    step = len(values) // sizes[0]
    parts: list[Any] = [_nested(values[start : start + step], sizes[1:]) for start in range(0, len(values), step)] if sizes[1:] else values
    found = CommentedSeq(parts)
    found.fa.set_flow_style()
    return found
