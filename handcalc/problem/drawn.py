"""Numbers that are drawn with a seed, as a file knows them: the text has the seed only (layers/initial.py draws them)."""

from __future__ import annotations

from typing import Protocol

from handcalc.core.expr import Number


class DrawnArray(Protocol):
    """An array of numbers that are drawn: its name, its seed, and from where to where that stands in the text."""

    @property
    def name(self) -> str: ...
    @property
    def seed(self) -> int: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...

    def numbers(self, seed: int) -> list[Number]:
        """Its numbers with a seed."""
        ...
