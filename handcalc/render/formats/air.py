"""What stands beside each other, and where there is air between blocks.

- `laid(blocks, levels)`: general formulas that follow each other, with what they stand beside, as `Together`; tables
  that follow each other; every other block by itself.
- `apart(before, block)`: whether there is air between two blocks.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from itertools import groupby

from handcalc.core.record import Record
from handcalc.render.blocks import Block, Chart, Equation, Grid, Heading, Paragraph, Picture, Table, Titled, runs
from handcalc.render.formats.common import is_given
from handcalc.render.items import Toned


class Together(Record):
    """Formulas that are no steps, and what the first of them stands beside: a heading, or a sentence before given numbers."""

    equations: tuple[Equation, ...]
    beside: Heading | Paragraph | None = None


def laid(blocks: Iterable[Block], levels: Container[int]) -> Iterator[Block | tuple[Titled, ...] | Together]:
    """The parts of a document; levels: of headings that formulas may stand beside."""
    waiting: Heading | Paragraph | None = None
    for are_formulas, group in groupby(runs(blocks), is_formula):
        if are_formulas:
            equations = tuple(block for block in group if isinstance(block, Equation))
            if isinstance(waiting, Paragraph) and not is_given(equations[0]):
                yield waiting
                waiting = None
            yield Together(equations, waiting)
            waiting = None
            continue
        for run in group:
            if waiting:
                yield waiting
            waits = isinstance(run, Heading) and run.level in levels or isinstance(run, Paragraph)
            waiting = run if waits else None  # type: ignore[assignment]
            if not waits:
                yield run
    if waiting:
        yield waiting


def is_formula(block: Block | tuple[Titled, ...]) -> bool:
    """Whether it is a formula and no step: those that follow each other stand in one line."""
    return isinstance(block, Equation) and block.step is None and not block.reasons and block.label is None and not block.indent


def apart(before: Block | None, block: Block) -> bool:
    """Whether there is air before a block that is no heading; before: the block before it, None for the first."""
    if isinstance(before, Grid) and isinstance(block, Grid) and not any(isinstance(part, tuple) for part in before.parts):
        return False  # the same in letters
    if isinstance(before, (Table, Grid, Chart, Picture)):
        return True
    if isinstance(block, Grid) and not any(isinstance(part, tuple) for part in block.parts):
        return not isinstance(before, Heading) and not (isinstance(before, Equation) and before.step is None)
    if isinstance(block, (Table, Grid, Chart)):
        return not isinstance(before, Heading)
    if isinstance(before, Paragraph):
        return isinstance(block, Equation) and not is_formula(block)
    if not isinstance(before, Equation):
        return False
    if isinstance(block, Equation) and before.label and isinstance(block.label, Toned) and block.label.tone == "wrong":
        return True
    return bool(before.reasons) or isinstance(block, Equation) and bool(block.reasons)
