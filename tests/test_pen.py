"""A student with a pen: every line can be worked with numbers that stand above it, and gives what is printed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from shipping import solved

from handcalc.core.expr import Ref, references
from handcalc.core.quantity import Cell, cell
from handcalc.errors import Message
from handcalc.loading.loader import shipped
from handcalc.render.blocks import Block, Equation, Grid, Paragraph, Table
from handcalc.render.items import Item, Numeric, Value
from handcalc.render.report import Chapter, Style, dialect_of

Known = tuple[Cell, int]
LATER = {"mazur-updated-weights"}  # its errors use weights that the update below them gives


def numbers(item: object) -> Iterator[Known]:
    """The cells whose numbers an item shows."""
    match item:
        case Value(wanted, iteration):
            yield wanted, iteration
        case Numeric(expr, iteration):
            yield from ((cell(ref), iteration) for ref in references(expr))
        case Message():
            for part in item.values.values():
                yield from numbers(part)
        case tuple():
            for part in item:
                yield from numbers(part)


def shown(block: Block) -> Iterator[Known]:
    """The cells whose numbers a block shows."""
    match block:
        case Table(rows=found) | Grid(parts=found):
            yield from numbers(found)
        case Paragraph(text):
            yield from numbers(text)
        case Equation(right=right):
            yield from numbers(tuple(item for _, item in right))
            if block.step is not None:
                yield block.step


def operands(right: tuple[tuple[str, Item], ...]) -> Iterator[Known]:
    """The numbers that are put into the formula of a line."""
    first = next((item for _, item in right if isinstance(item, Numeric)), None)
    return numbers(first)


@pytest.mark.parametrize("problem", sorted(shipped()))
def test_no_number_is_used_before_it_is_printed(problem: str) -> None:
    """But for what an optimiser remembers at first, which is said to be 0, and ones and zeros of words."""
    chapter = Chapter(solved(problem), dialect_of("plain"), Style(pictures=False))
    graph = chapter.derivation.graph
    known: set[Known] = set()
    missing = []
    for block in chapter.blocks():
        for wanted, iteration in operands(block.right) if isinstance(block, Equation) else ():
            quantity = graph[wanted[0]]
            given = quantity.kind == "memory" or quantity.role == "word"
            if (wanted, iteration) not in known and not given:
                missing.append(f"{chapter.reading.symbol(block.left.reference)}: {chapter.reading.symbol(Ref(*wanted))}")  # type: ignore
        known.update(shown(block))
    assert bool(missing) == (problem in LATER), missing[:9]
