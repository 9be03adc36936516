"""Limits and words are said once: the loader and the JSON Schema refuse the same values, whatever stands in the table of keys."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from copy import deepcopy
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from modelproblems import MODELS
from shipping import thinned
from test_schema import NETWORK, RATED, READ, TWO, layer, messages, plain

from handcalc.errors import ProblemError
from handcalc.layers import FILES
from handcalc.layers.sections import sections
from handcalc.loading.loader import loads, shipped
from handcalc.problem.words import LOSSES, OPTIMISERS, SCHEDULES

Path = tuple[str | int, ...]  # from the root of a problem to a value in it
RANGE = {"minimum": -1, "exclusiveMinimum": 0, "maximum": 1, "exclusiveMaximum": 0}  # end → how far from it a number is outside
WEIGHED = {"class_weights": [1]}


def numbers(usual: Mapping[str, str]) -> dict[str, float]:
    """Numbers that go with a word; 9 where none is usual."""
    return {key: float(Fraction(text)) if text else 9 for key, text in usual.items()}


ELSEWHERE = "expected one of|takes .+ of what comes in|known are left, right"  # a key that does not go with the others, or the shape
SIDES = "{top: 0, bottom: 0, left: 0, right: 0}"
WINDOWS = [
    ("conv2d", "[[1, 2], [3, 4]]", "weights: [[[[1, 2], [2, 1]]]]"),
    ("conv1d", "[[1, 2]]", "weights: [[[1, 2]]]"),
    ("conv_transpose2d", "[[1, 2], [3, 4]]", "weights: [[[[1, 2], [2, 1]]]]"),
    ("conv_transpose1d", "[[1, 2]]", "weights: [[[1, 2]]]"),
    ("max_pool", "[[1, 2], [3, 4]]", "kernel_size: 2"),
    ("avg_pool", "[[1, 2], [3, 4]]", "kernel_size: 2"),
]
CELL = "input_weights: [[0.5]], hidden_weights: [[0.1]], bias: [0]"
GATES = {"lstm": ("input", "forget", "candidate", "output"), "gru": ("reset", "update", "candidate")}
RECURRENT = {"rnn": CELL} | {kind: "gates: {" + ", ".join(f"{gate}: {{{CELL}}}" for gate in gates) + "}" for kind, gates in GATES.items()}
HANDED = [("rnn", "initial_state"), ("gru", "initial_state"), ("lstm", "initial_state"), ("lstm", "initial_cell")]
# problems in which a key has everything in it that its shape has: section.key, text
MORE = [
    ("training.stop", TWO + "training: {stop: {loss: 1, change: 1, gradient: 1, patience: 2}}\n"),
    ("rounding.overrides", NETWORK + "rounding: {overrides: {loss: {significant: 9}}}\n"),
    ("generate.numbers", NETWORK + "generate: {numbers: keep}\n"),
    ("generate.numbers", NETWORK + "generate: {numbers: {w: keep}}\n"),
    ("layer.weights", layer("neurons: 1, weights: {random: he, scale: 2, seed: 1}")),
    ("layer.bias", layer("neurons: 1, weights: [[1, 2]], bias: {random: he, scale: 2, seed: 1}")),
    ("layer.threshold", layer("neurons: 1, weights: [[1, 2]], threshold: {random: he, scale: 2, seed: 1}")),
    *((f"{kind}.{key}", f"inputs: [[1], [2]]\nlayers: [{{type: {kind}, neurons: 1, {key}: {{from: 0}}, {RECURRENT[kind]}}}]\n")
      for kind, key in HANDED),
    ("maxout.neurons", "inputs: [1, 2]\nlayers: [{type: maxout, neurons: 1, weights: [[[1, 2], [2, 1]]]}]\n"),
    ("group_norm.groups", "inputs: [[[1]], [[2]]]\nlayers: [{type: group_norm, groups: 2}]\n"),
    ("conv2d.groups", "inputs: [[[1]], [[2]]]\nlayers: [{type: conv2d, groups: 2, weights: [[[[1]]], [[[2]]]]}]\n"),
    ("conv1d.groups", "inputs: [[1], [2]]\nlayers: [{type: conv1d, groups: 2, weights: [[[1]], [[2]]]}]\n"),
    *((f"{kind}.{key}", f"inputs: {data}\nlayers: [{{type: {kind}, {given}, {around}}}]\n")
      for kind, data, given in WINDOWS
      for key, around in (("padding", f"padding: {SIDES}"), ("from", "from: 0"), ("stride", "stride: 1"))),
    ("conv_transpose1d.filters", "inputs: [[1, 2]]\nlayers: [{type: conv_transpose1d, filters: 1, weights: [[[1]]]}]\n"),
    ("conv_transpose1d.output_padding",
     "inputs: [[1, 2]]\nlayers: [{type: conv_transpose1d, stride: 2, output_padding: 1, weights: [[[1, 1]]]}]\n"),
    ("group_norm.from", "inputs: [[[1]], [[2]]]\nlayers: [{type: group_norm, groups: 2, from: 0}]\n"),
    ("instance_norm.from", "inputs: [[[1, 2]], [[2, 3]]]\nlayers: [{type: instance_norm, from: 0}]\n"),
    ("maxout.from", "inputs: [1, 2]\nlayers: [{type: maxout, neurons: 1, weights: [[[1, 2], [2, 1]]], from: 0}]\n"),
    ("prelu.from", "inputs: [1, 2]\nlayers: [{type: prelu, slope: 0.1, from: 0}]\n"),
    ("upsample.scale", "inputs: [[1, 2], [3, 4]]\nlayers: [{type: upsample, scale: [2, 2]}]\n"),
    ("transpose.from", "inputs: [[1, 2], [3, 4]]\nlayers: [{type: transpose, from: 0}]\n"),
    ("reshape.from", "inputs: [1, 2]\nlayers: [{type: reshape, shape: [1, 2], from: 0}]\n"),
    ("reshape.shape", "inputs: [1, 2]\nlayers: [{type: reshape, shape: [1, 2, 1]}]\n"),
    ("upsample.from", "inputs: [[1, 2], [3, 4]]\nlayers: [{type: upsample, scale: 2, from: 0}]\n"),
    ("global_max_pool.from", "inputs: [[[1, 2], [3, 4]]]\nlayers: [{type: global_max_pool, from: 0}]\n"),
    *(("problem.optimizer", NETWORK + f"optimizer: {form}\n") for name, one in OPTIMISERS.items() for form in (
        name, json.dumps({name: numbers(one.numbers)}), json.dumps({"name": name, **numbers(one.numbers)}))),
    *((f"problem.{key}", NETWORK + f"{key}: {json.dumps({name: numbers(one.numbers) | (WEIGHED if one.weighted else {})})}\n")
      for key in ("loss", "report") for name, one in LOSSES.items() if one.numbers),
    *((f"schedule.{name}", RATED + f"schedule: {json.dumps({name: numbers(one.numbers)})}\n")
      for name, one in SCHEDULES.items()),
]  # fmt: skip


def leaves(shape: Mapping[str, Any], path: Path = ()) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Every list of words and every range in a shape, with the way to it; 0 is the first entry of a list."""
    if "enum" in shape or {*RANGE} & {*shape}:
        yield path, shape
    for key, inner in shape.get("properties", {}).items():
        yield from leaves(inner, (*path, key))
    forms = shape.get("anyOf", ())
    for inner in forms:
        if "enum" not in inner or {"type": "string"} not in forms:  # words among others, or formulas, are no limit
            yield from leaves(inner, path)
    if isinstance(shape.get("items"), Mapping):
        yield from leaves(shape["items"], (*path, 0))


def outside(leaf: Mapping[str, Any]) -> list[Any]:
    """Values that a shape does not have."""
    return ["nonsense"] if "enum" in leaf else [leaf[end] + away for end, away in RANGE.items() if end in leaf]


def inside(leaf: Mapping[str, Any]) -> list[Any]:
    """Every word, the ends of a range, or the middle of one that has none."""
    if "enum" in leaf:
        return [*leaf["enum"]]
    ends = [leaf[end] for end in ("minimum", "maximum") if end in leaf]
    return ends if "integer" in leaf["type"] else [*ends, 0.5]


@cache
def trees() -> dict[str, list[Any]]:
    """section.key → problems that use it, as plain data."""
    found: dict[str, list[Any]] = {}
    for key, text, *_ in (*READ, *MORE):
        found.setdefault(key, []).append(plain(text))
    for text in (*MODELS.values(), *(path.read_text("utf-8") for path in shipped().values())):
        if "type:" in text:
            tree = plain(text)
            for section in {entry.get("type") for entry in tree["layers"]} - {None}:
                for key in sections()[section]:
                    found.setdefault(f"{section}.{key.key}", []).append(tree)
    return found


def home(tree: Any, section: str) -> Path:
    """The way to a section in a problem."""
    if section in FILES:
        return ("layers", next(place for place, entry in enumerate(tree["layers"]) if entry.get("type") == section))
    inner: dict[str, Path] = {"problem": (), "sample": ("samples", 0), "layer": ("layers", 0), "task": ("tasks", 0)}
    return inner.get(section, (section,))


def with_value(tree: Any, path: Path, value: Any, inner: bool) -> Any | None:
    """The problem with another value there; None where there is no such place, or (inner) no single value."""
    changed = deepcopy(tree)
    spot = changed
    for step in path[:-1]:
        if not _holds(spot, step):
            return None
        spot = spot[step]
    if not _holds(spot, path[-1]) or inner and isinstance(spot[path[-1]], (dict, list)):
        return None
    spot[path[-1]] = value
    return changed


def _holds(spot: Any, step: str | int) -> bool:
    return isinstance(spot, dict) and step in spot or isinstance(spot, list) and isinstance(step, int) and step < len(spot)


def complaints(tree: Any, also: str = "never") -> str:
    """What the loader says about words and ranges, or something else that comes before them."""
    try:
        loads(json.dumps(tree))
    except ProblemError as error:
        said = r"unknown (value|rule)|expected a (whole )?number|expected one number|is expected, found|expected names such as"
        return "\n".join(str(message) for message in error.messages if re.search(f"{said}|{also}", str(message)))
    return ""


CASES = [
    pytest.param(f"{section}.{key.key}", path, leaf, id=".".join(map(str, (section, key.key, *path))))
    for section, found in sections().items()
    if section != "gate"
    for key in found
    for path, leaf in leaves(key.shape)
]


def places(key: str, path: Path, value: Any) -> list[Any]:
    """The problems that use a key, with a value at a place inside it."""
    section, _, name = key.partition(".")
    found = []
    for tree in trees()[key]:
        way = (*home(tree, section), name)
        changed = with_value(_with_key(tree, way, path[:1] == (0,)), (*way, *path), value, bool(path))
        found += [] if changed is None else [changed]
    return found


def _with_key(tree: Any, way: Path, listed: bool) -> Any:
    """The problem in which there is the key at the end of the way; listed: as a list."""
    changed = deepcopy(tree)
    spot = changed
    for step in way[:-1]:
        spot = spot[step]
    if listed and not isinstance(spot.get(way[-1]), list):
        spot[way[-1]] = [None]
    spot.setdefault(way[-1], None)
    return changed


@pytest.mark.parametrize(("key", "path", "leaf"), thinned(CASES, 5))
def test_values_outside_are_refused_by_both(key: str, path: Path, leaf: Mapping[str, Any]) -> None:
    for value in outside(leaf):
        found = places(key, path, value)
        assert found, "no problem with this place"
        for tree in found:
            assert messages(tree), f"the schema lets {value} pass: {tree}"
            assert complaints(tree, ELSEWHERE), f"the loader lets {value} pass: {tree}"


@pytest.mark.parametrize(("key", "path", "leaf"), thinned(CASES, 5))
def test_values_inside_are_accepted_by_both(key: str, path: Path, leaf: Mapping[str, Any]) -> None:
    for value in inside(leaf):
        found = [tree for tree in places(key, path, value) if not messages(tree)]
        assert found, f"the schema refuses {value}"
        for tree in found:
            assert not complaints(tree), f"the loader refuses {value}: {complaints(tree)}"


def test_values_in_ranges_and_words_are_found() -> None:
    shape = {"anyOf": [{"enum": ["a"]}, {"properties": {"n": {"type": "integer", "minimum": 1}}, "items": {"type": "string"}}]}
    assert [path for path, _ in leaves(shape)] == [(), ("n",)]
    assert [*outside({"type": "integer", "minimum": 1, "maximum": 3})] == [0, 4]
    assert [*inside({"type": "integer", "minimum": 1, "maximum": 3})] == [1, 3]
    assert {path[-1] for path, _ in (case.values[1:] for case in CASES) if path} >= {"patience", "beta1", "every", "seed"}  # type: ignore[misc]
