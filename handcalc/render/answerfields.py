"""What a page knows of the numbers that are written into a worksheet, so that it can check them itself.

- `AnswerFields` answers an `AnswerField` for a step: which numbers are right, nearly right, or show a mistake, each as a key that means
  one of its `reasons`.

exercises/fields.py makes them; formats show them. Nothing here judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Message


class Reason(Record):
    """What is said of an answer: its verdict, as marking has it, and why."""

    verdict: str
    text: Message | str


class AnswerField(Record):
    """A number to be written.

    id: that of the step; name: what it is called on a sheet; flip: the sheet wants the other sign; places: decimals that are asked,
    negative for whole tens; digits: the same in words; marks: what it is worth; known: key of a number → which of the reasons,
    or ~ of it where that began at an earlier step; before: the steps with fields that it is made from.
    """

    id: str
    name: str
    flip: bool
    places: int
    digits: Message
    marks: float
    known: Mapping[str, int]
    before: tuple[str, ...] = ()


class AnswerFields(Protocol):
    """The fields of a worksheet; salt: what keys are hashed with, nothing where they are plain; shares: verdict → share of the marks;
    head: comments that a sheet begins with."""

    salt: str
    shares: Mapping[str, float]
    head: tuple[str, ...]

    def field(self, wanted: Cell, iteration: int) -> AnswerField | None:
        """That of a step; None where nothing is known of it."""

    def reasons(self) -> list[Reason]:
        """What may be said of an answer to one of the fields asked for so far."""
