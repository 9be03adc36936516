"""Weights without a name, numbered through as on paper: w1, w2 … layer by layer, in the order they enter a neuron, or leave one.

`numbered(matrices, taken, by_source)` is the one place that says which number a weight has: where it is printed, and where it is typed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TypeVar

from handcalc.core.record import Record

LIMIT = 99  # more places for weights than this are written with indices, not numbered through

Place = tuple[int, ...]
Key = TypeVar("Key", int, str)


class Weights(Record):
    """The weights of one layer: how many places there are, which of them hold one (target, source), and which have names."""

    size: int
    places: Iterable[Place]
    named: Collection[Place]


def numbered(matrices: dict[Key, Weights], taken: Collection[str], by_source: bool) -> dict[tuple[Key, Place], str]:
    """(key, place) → w1, w2 …; a weight with a name counts but has none of these, nor has one whose number is taken as a name."""
    if sum(weights.size for weights in matrices.values()) > LIMIT:
        return {}
    way = -1 if by_source else 1
    places = [(key, place) for key, weights in matrices.items() for place in sorted(weights.places, key=lambda place: place[::way])]
    found = {f"w{count}": (key, place) for count, (key, place) in enumerate(places, 1)}
    return {(key, place): name for name, (key, place) in found.items() if name not in taken and place not in matrices[key].named}
