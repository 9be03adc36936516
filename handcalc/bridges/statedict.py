"""Arrays by name → dense layers: what safetensors, NPZ and JSON files hold.

- `read_arrays(arrays, words, model)` finds weights and biases by their names: `0.weight` and `0.bias`, `W1` and `b1`, `coefs_0` and
  `intercepts_0`, Keras's `kernel` and `bias`; words: texts that stand beside them, such as scikit-learn's activation.

A file of arrays says neither which activations there are nor how a kernel moves: activations are asked for, everything but dense layers is
refused. Where names do not say the order, or a square matrix does not say whose its rows are, that is asked for too.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import permutations
from typing import Any

from handcalc.bridges.network import OPEN, BroughtLayer, BroughtNetwork, Wishes, dense, entry_of, reject
from handcalc.bridges.sklearnmodel import is_linear, linear_model, mlp
from handcalc.core.record import Record
from handcalc.errors import Message

# how weights and biases are called: a pattern with the layer in it, and whose a row of the matrix is ("" where the name does not say)
_FORMS = (
    (re.compile(r"(?P<layer>.*)coefs_?(?P<end>\d+)"), "weights", "inputs"),  # scikit-learn
    (re.compile(r"(?P<layer>.*)intercepts_?(?P<end>\d+)"), "bias", ""),
    (re.compile(r"(?P<layer>.+)[./]weight"), "weights", "neurons"),  # PyTorch
    (re.compile(r"(?P<layer>.+)[./]kernel"), "weights", "inputs"),  # Keras, Flax
    (re.compile(r"(?P<layer>.+)[./]bias"), "bias", ""),
    (re.compile(r"(?P<layer>[Ww]eight|kernel)"), "weights", ""),
    (re.compile(r"(?P<layer>bias)"), "bias", ""),
    (re.compile(r"[Ww](?:eights?)?_?(?P<end>\d*)"), "weights", ""),  # by hand
    (re.compile(r"[Bb](?:ias(?:es)?)?_?(?P<end>\d*)"), "bias", ""),
)
MOST_ORDERS = 6  # layers whose names say no order, and which are tried in every one


class _Part(Record):
    """Weights and bias of one layer, and their names; rows: whose a row is, as far as the name says it."""

    name: str
    weights: Any = None
    bias: Any = None
    names: tuple[str, str] = ("", "")
    rows: str = ""


def read_arrays(arrays: Mapping[str, Any], words: Mapping[str, str], wishes: Wishes, where: str) -> BroughtNetwork:
    """The network in named arrays. Raises ModelError."""
    if is_linear(arrays):
        return linear_model(arrays, words, where)
    if "coefs_0" in arrays:
        return mlp(arrays, words, where)
    parts = _ordered(_parts(arrays, where), wishes, where)
    rows = _rows(parts, wishes, where)
    layers: list[BroughtLayer] = []
    for part, whose in zip(parts, rows):
        layers.append(dense(part.weights, part.bias, part.names[0], part.names, OPEN, whose == "inputs"))
    _check_chain(parts, rows, where)
    remark = Message("The file says no activations; they were given on import.")
    return BroughtNetwork(tuple(layers), remarks=(remark,), entry=entry_of(layers))


def _parts(arrays: Mapping[str, Any], where: str) -> list[_Part]:
    found: dict[str, _Part] = {}
    for name, array in arrays.items():
        for pattern, key, rows in _FORMS:
            match = pattern.fullmatch(name)
            if match:
                layer = (match.groupdict().get("layer") or "") + (match.groupdict().get("end") or "")
                layer = "" if layer in ("weight", "Weight", "kernel", "bias") else layer
                part = found.get(layer, _Part(layer))
                place = ("weights", "bias").index(key)
                names = (name, part.names[1]) if place == 0 else (part.names[0], name)
                found[layer] = part.replace(**{key: array, "names": names}, **({"rows": rows} if rows else {}))
                break
        else:
            text = "{name} belongs to no dense layer; arrays are called 0.weight and 0.bias, W1 and b1, coefs_0 and intercepts_0. {more}"
            reject(text, where, name=name, more=Message(_ELSEWHERE))
    for part in found.values():
        if part.weights is None:
            reject("{name} has no weights beside it", where, name=part.names[1])
        if part.weights.ndim != 2 or part.bias is not None and part.bias.ndim != 1 and part.bias.size != max(part.bias.shape):
            text = "{name} has {shape}, which is no dense layer. {more}"
            array, name = (part.weights, part.names[0]) if part.weights.ndim != 2 else (part.bias, part.names[1])
            reject(text, where, name=name, shape="×".join(map(str, array.shape)), more=Message(_ELSEWHERE))
    if not found:
        reject("there are no weights in it", where)
    return [part.replace(bias=None if part.bias is None else part.bias.reshape(-1)) for part in found.values()]


_ELSEWHERE = "A file of arrays does not say how other layers work: export the network to ONNX, or use handcalc.from_torch in your program."


def _ordered(parts: list[_Part], wishes: Wishes, where: str) -> list[_Part]:
    """In the order of --order, of the numbers in the names, else in the only one in which sizes fit."""
    if wishes.order:
        known = {part.name: part for part in parts}
        if sorted(wishes.order) != sorted(known):
            text = "--order names each layer once: {known}"
            reject(text, where, known=", ".join(sorted(known)))
        return [known[name] for name in wishes.order]
    if all(re.search(r"\d", part.name) for part in parts) or len(parts) == 1:
        return sorted(
            parts, key=lambda part: [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", part.name)]
        )
    fitting = [order for order in permutations(parts) if _fits(order)] if len(parts) <= MOST_ORDERS else []
    if len(fitting) != 1:
        text = "the names do not say the order of the layers; give it: --order {known}"
        reject(text, where, known=",".join(part.name for part in parts))
    return [*fitting[0]]


def _sides(part: _Part, rows: str) -> tuple[int, int]:
    """(inputs, neurons)."""
    first, second = part.weights.shape
    return (first, second) if rows == "inputs" else (second, first)


def _fits(order: Sequence[_Part]) -> bool:
    sides = [_sides(part, part.rows or "neurons") for part in order]
    return all(before[1] == after[0] for before, after in zip(sides, sides[1:]))


def _rows(parts: list[_Part], wishes: Wishes, where: str) -> list[str]:
    """Whose a row of every matrix is: the name says it, or the bias does, or the layers beside it; else it is asked for."""
    said = {part.rows or wishes.rows or _rows_by_bias(part) for part in parts}
    if said == {""}:
        fitting = [rows for rows in ("neurons", "inputs") if _fits([part.replace(rows=rows) for part in parts])]
        said = {*fitting} if len(fitting) == 1 else said
    decided = said - {""}
    if len(decided) > 1 or not decided:
        text = (
            "does a row of {name} belong to a neuron or to an input? Give --weight-rows neurons (y = W·x) or --weight-rows inputs (y = x·W)"
        )
        reject(text, where, name=next((part.names[0] for part in parts if not part.rows), parts[0].names[0]))
    return [part.rows or decided.copy().pop() for part in parts]


def _rows_by_bias(part: _Part) -> str:
    first, second = part.weights.shape
    if part.bias is None or first == second:
        return ""
    return "neurons" if part.bias.size == first else "inputs" if part.bias.size == second else ""


def _check_chain(parts: Sequence[_Part], rows: Sequence[str], where: str) -> None:
    sides = [_sides(part, whose) for part, whose in zip(parts, rows)]
    for part, (_, neurons) in zip(parts, sides):
        if part.bias is not None and part.bias.size not in (1, neurons):
            reject("{name} has {found} numbers, expected {wanted}", where, name=part.names[1], found=part.bias.size, wanted=neurons)
    for before, after, (_, out), (into, _) in zip(parts, parts[1:], sides, sides[1:]):
        if out != into:
            text = "{before} puts out {out} numbers, but {after} takes {into}; give the order of the layers with --order"
            reject(text, where, before=before.names[0], out=out, after=after.names[0], into=into)
