"""The middle of a worked solution: forward pass, error and backward pass of one round, layer by layer.

- `body(derivation, reading, options, iteration)` is the middle; solution.py is the whole.
- `layer_title(reading, layer)` is what a layer is called in headings.

What a reader sees follows from groups of steps: a general formula, worked lines (lines.py), and a table (tables.py, grids.py) where
there are more cells than worked lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from handcalc.core.derivation import Derivation
from handcalc.core.expr import ZERO, references
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, cell
from handcalc.errors import Listing, Message
from handcalc.render.blocks import Block, Grid, Heading, Paragraph
from handcalc.render.fading import fading
from handcalc.render.grids import directions, grids, in_grids
from handcalc.render.items import Value
from handcalc.render.lines import first_cells, general, left, lines, vanished
from handcalc.render.options import Options
from handcalc.render.pooling import is_pooled, masks
from handcalc.render.prose import prose
from handcalc.render.reading import Reading
from handcalc.render.seen import Seen
from handcalc.render.tables import cell_table, complete, count, listing, sample_table

# kinds that come together in one table of a layer
_TABLES = (("net", "out"), ("loss_term",), ("error",), ("gradient", "local"))


def body(derivation: Derivation, reading: Reading, options: Options, iteration: int, told: Seen) -> Iterator[Block]:
    """Forward, error, backward of one round; told: the general formulas of what came before."""
    for phase, title in (("forward", Message("Forward pass")), ("error", Message("Error")), ("backward", Message("Backward pass"))):
        groups = [group for group in derivation.groups() if group.phase == phase]
        if groups and options.wants(phase):
            yield Heading(2, title)
            for layer, inside in groupby(groups, key=lambda group: group.quantity.layer):
                yield from _layer(derivation, reading, options, iteration, phase, layer, list(inside), told)


def _layer(
    derivation: Derivation,
    reading: Reading,
    options: Options,
    iteration: int,
    phase: str,
    layer: int,
    groups: list[Group],
    told: Seen,
) -> Iterator[Block]:
    """One phase of one layer, 0 for what belongs to none (losses, equations)."""
    firsts = _firsts(groups)
    yield from prose(derivation, options, iteration, phase, layer, groups)
    if layer and phase != "error":
        yield Heading(3, layer_title(reading, layer))
    for time, inside in groupby(groups, key=lambda group: group.time):
        together = list(inside)
        if time is None:
            if together[0] is not groups[0]:  # after those of single times
                yield Heading(3, Message("All times"))
            yield from _together(derivation, reading, options, iteration, together, told)
        else:
            for group in together:
                if group in firsts:
                    yield from general(reading, options, group.quantity, told)
            if any(group.quantity.kind != "path" and any(derivation.places(group)) for group in together):
                yield Heading(3, Message("Time {time}", time=time))
            yield from _together(derivation, reading, options, iteration, together, None)
    if phase == "backward" and any(group.time is not None for group in groups) and options.asked is None:
        yield from fading(derivation, layer, iteration)


def _firsts(groups: list[Group]) -> list[Group]:
    """Of the groups of every time, those that come first: only there is the general formula told."""
    return list({group.quantity.name: group for group in reversed(groups)}.values())


def _together(
    derivation: Derivation, reading: Reading, options: Options, iteration: int, groups: list[Group], told: Seen | None
) -> Iterator[Block]:
    """Groups of one layer (at one time): general formulas (told: None where they were), worked lines, tables of what was not worked."""
    waiting: list[Group] = []
    matrices: set[str] = set()  # quantities of which a matrix has every number
    for group in groups:
        if waiting and _needs_table(derivation, reading, options, group, waiting):
            yield from _tables(derivation, reading, options, iteration, [one for one in waiting if one.quantity.name not in matrices])
            waiting = []
        waiting.append(group)
        if told is not None:
            yield from general(reading, options, group.quantity, told)
        blocks = [*lines(derivation, reading, options, iteration, group)]
        yield from blocks
        if vanished(derivation, options, iteration, group) and (told is None or told.first_vanished()):
            yield Paragraph(Message("0·ln 0 counts as 0, and so does the slope of such a term."))
        if not options.full and not options.lines and len(_in_matrices(blocks, group.quantity.name)) == count(derivation, group):
            matrices.add(group.quantity.name)
    yield from _tables(derivation, reading, options, iteration, [one for one in waiting if one.quantity.name not in matrices])


def _in_matrices(blocks: list[Block], name: str) -> set[Cell]:
    """The cells of a quantity whose numbers stand in matrices."""
    parts = [part for block in blocks if isinstance(block, Grid) for part in block.parts if isinstance(part, tuple)]
    return {item.cell for part in parts for row in part for item in row if isinstance(item, Value) and item.cell[0] == name}


def _needs_table(derivation: Derivation, reading: Reading, options: Options, group: Group, before: list[Group]) -> bool:
    """Whether the lines of a group use numbers of groups before it that have no line: then the tables of those come first."""
    without = {one.quantity.name: one for one in before if one.quantity.kind == "path" or left(derivation, options, one)}
    if not without:
        return False
    told = {first for one in without.values() for first in first_cells(derivation, options, one) if one.quantity.kind != "path"}
    used = [cell(ref) for wanted in first_cells(derivation, options, group) for ref in references(reading.formula(wanted) or ZERO)]
    paths = [one for one in used if derivation.graph[one[0]].kind == "path"]
    used += [cell(ref) for path in paths for ref in references(reading.formula(path) or ZERO)]
    return any(one[0] in without and one not in told and derivation.graph[one[0]].kind != "path" for one in used)


def _tables(derivation: Derivation, reading: Reading, options: Options, iteration: int, groups: list[Group]) -> Iterator[Block]:
    """Tables of what has no lines."""
    further = sum(left(derivation, options, group) for group in groups) if options.asked is None else 0
    if further:
        yield Paragraph(Message("… and {count} more, in the table", count=further))
    tables = [(_kinds(derivation, group), group) for group in groups]
    for kinds in _TABLES:
        yield from _neurons(derivation, options, iteration, [group for shared, group in tables if shared == kinds])
    alone = [group for shared, group in tables if not shared and group.quantity.kind != "path"]
    alone = [group for group in alone if group.quantity.axes or not complete(derivation, options, group)]
    yield from _others(derivation, reading, options, iteration, alone)


def _kinds(derivation: Derivation, group: Group) -> tuple[str, ...]:
    """Those of _TABLES with which a quantity with one cell per neuron shares a table, none where it is no such quantity."""
    quantity = group.quantity
    if group.time is not None or directions(quantity) != 1 or quantity.axes[-1].role != "unit":
        return ()
    if quantity.kind == "gradient" and quantity.of is not None and derivation.graph[quantity.of.quantity].kind not in ("out", "net"):
        return ()
    return next((kinds for kinds in _TABLES if quantity.kind in kinds), ())


def _neurons(derivation: Derivation, options: Options, iteration: int, groups: list[Group]) -> Iterator[Block]:
    """A table of quantities with the same cells, where not every cell was worked."""
    if groups and not complete(derivation, options, groups[0]):
        alike = [group for group in groups if group.quantity.axes == groups[0].quantity.axes]
        if groups[0].quantity.sampled:
            yield sample_table(derivation, options, iteration, alike)
        else:
            yield cell_table(derivation, options, iteration, [group.quantity for group in alike])


def _is_told(derivation: Derivation, options: Options, group: Group) -> bool:
    """Whether lines have all numbers of a grid, so that it would only repeat them."""
    if options.form != "scalar" or options.full or options.lines or not options.limits.cells:
        return False
    return left(derivation, options, group) == 0 and not is_pooled(derivation.graph, group.quantity)


def _others(derivation: Derivation, reading: Reading, options: Options, iteration: int, groups: list[Group]) -> Iterator[Block]:
    """Grids of what has several directions, then one table of all the rest, where not every cell was worked."""
    wide = [group for group in groups if in_grids(derivation, group)]
    for group in wide:
        if _is_told(derivation, options, group):
            continue
        turned = reading.notation.rows_are_sources(group.quantity)
        yield from masks(derivation, options, group, iteration)
        yield from grids(derivation, group.quantity, options.detail, iteration, turned)
    rest = [group for group in groups if group not in wide]
    if all(complete(derivation, options, group) for group in rest):
        return
    sampled = [group for group in rest if group.quantity.sampled]
    if sampled:
        yield sample_table(derivation, options, iteration, sampled)
    single = [group for group in rest if not group.quantity.sampled]
    if single and not (sampled and all(complete(derivation, options, group) for group in single)):
        yield listing(derivation, options, iteration, single)


def layer_title(reading: Reading, layer: int) -> Message:
    """Hidden layer 1 (h1, h2), or output layer (o1, o2)."""
    header = reading.derivation.header
    if not header.plain:
        return Message("Layer {number}: {kind}", number=layer, kind=Message(header.about[layer - 1].title))
    net = reading.graph[reading.graph.in_layer(layer, "net")]
    shown = Listing(net.axes[-1].labels, 6)
    if layer == reading.notation.last:
        return Message("Output layer ({neurons})", neurons=shown)
    if reading.notation.last == 2:
        return Message("Hidden layer ({neurons})", neurons=shown)
    return Message("Hidden layer {number} ({neurons})", number=layer, neurons=shown)
