"""Parameters of layers that are not dense, and of dense layers after a flatten, put back into the tree of a problem file.

- `put_back(problem, entries, values)` writes the values where the numbers stood: in nested lists of any depth, a plain number for all
  places of a bias, matrices with a row per input. What came from another file is written into this one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from math import prod
from typing import Any

from handcalc.core.graph import Cell
from handcalc.layers.attention import PARTS
from handcalc.layers.recurrent import GATES
from handcalc.problem.schema import RUNNING, Layer, Problem

# key → what the names of its parameters begin with; the letter of a gate and the number of the layer follow
STEMS = (
    {"weights": "W", "bias": "b", "input_weights": "Wx", "hidden_weights": "Wh", "hidden_bias": "bh"}
    | {key: key for key in RUNNING}
    | {f"{part}_{what}": what[0].replace("w", "W") + part[0] for part in (*PARTS, "output") for what in ("weights", "bias")}
)
MATRICES = ("dense", "rnn", "lstm", "gru", "attention")  # types whose weights are matrices
Values = Mapping[tuple[int, ...], float]


def put_back(problem: Problem, entries: Any, values: Mapping[Cell, float]) -> None:
    """Write the values into the entries of `layers`."""
    for number, (layer, entry) in enumerate(zip(problem.layers, entries), 1):
        for section, key, names in _written(layer, entry, number):
            found = _below_each_other([{place: value for (quantity, place), value in values.items() if quantity == name} for name in names])
            if found and (layer.type != "dense" or any(len(place) > 2 for place in found)):
                _put(section, key, found, layer, entry.get("weight_rows") == "inputs")


def _written(layer: Layer, entry: Any, number: int) -> Iterator[tuple[Any, str, list[str]]]:
    """(section, key, names in the graph) of everything that may be trained; gates may be typed in one matrix."""
    gates = GATES.get(layer.type, {"": ""})
    sections = [(entry["gates"][gate], [letter]) for gate, letter in gates.items()] if "gates" in entry else [(entry, [*gates.values()])]
    for section, letters in sections:
        yield from ((section, key, [f"{stem}{letter}{number}" for letter in letters]) for key, stem in STEMS.items() if key in section)


def _below_each_other(parts: list[dict[tuple[int, ...], float]]) -> dict[tuple[int, ...], float]:
    """The values of several arrays of one shape, as one."""
    if len(parts) == 1:
        return parts[0]
    height = 1 + max((row for part in parts for row, *_ in part), default=0)
    return {(place * height + row, *rest): value for place, part in enumerate(parts) for (row, *rest), value in part.items()}


def _put(section: Any, key: str, values: Values, layer: Layer, by_input: bool) -> None:
    sizes = tuple(max(sides) + 1 for sides in zip(*values))
    ordered = [values[place] for place in product(*map(range, sizes))]
    if key.endswith("bias"):
        sizes = (len(ordered),)
    elif layer.type in MATRICES:  # a row for each output, heads below each other
        rows = prod(sizes[:1] if key in ("weights", "output_weights") else sizes[:-1])
        sizes = (rows, len(ordered) // rows)
        if by_input:
            ordered = [ordered[place] for start in range(sizes[1]) for place in range(start, len(ordered), sizes[1])]
            sizes = sizes[::-1]
    if isinstance(section[key], list):
        _fill(section[key], iter(ordered))
    elif len(ordered) == 1 and not isinstance(section[key], dict):
        section[key] = ordered[0]
    else:  # one number for all places, or another file
        section[key] = _nested(ordered, sizes)


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
