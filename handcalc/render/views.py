"""Views of one document: the key as it is, a worksheet with blanks, a cloze with gaps in its formulas.

- `viewed(blocks, view, derivation, asked)` turns the blocks of the key into those of a view; `VIEWS` is the table.
- `numbered(blocks)` gives every worked line its number, the same in every view.

To add a view, write a function from a block of the key to a block (or None, to leave it out), and its record in `VIEWS`.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping

from handcalc.core.derivation import Asked, Derivation
from handcalc.core.expr import Ref, references, walk
from handcalc.core.order import phase
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.blocks import Block, Equation, Grid, GridPart, Heading, Paragraph, Picture, Table
from handcalc.render.items import MISSING, Blank, Factors, Item, Numeric, Symbolic, Value

Rewrite = Callable[[Block, Derivation], Block | None]


class View(Record):
    """A view. rewrite: from a block of the key to one of the view, None to leave it out; asks: something is to be filled in; room: there
    is room to write; formulas: those of the steps are shown."""

    name: str
    doc: str
    rewrite: Rewrite
    asks: bool = True
    room: bool = False
    formulas: bool = True


def numbered(blocks: Iterable[Block]) -> Iterator[Block]:
    """The same blocks; worked lines are counted from 1. A line with a label, such as one that says that a number is given, is none."""
    count = 0
    for block in blocks:
        if isinstance(block, Equation) and block.step is not None and block.label is None:
            count += 1
            block = block.replace(number=count)
        yield block


def viewed(blocks: Iterable[Block], view: View, derivation: Derivation, asked: Mapping[tuple[Cell, int], Asked]) -> Iterator[Block]:
    """The blocks of a view; asked: the only steps that are wanted, if any, with what they are worth. A heading with nothing left under it
    goes, but for the first, the title; so does a drawing that is there already, and a row of a table that asks for nothing new."""
    waiting: list[Heading] = []
    drawn: list[Picture] = []
    first = True
    left = {*asked}
    blank: set[tuple[Cell, int]] = set()
    for block in blocks:
        kept = _only(block, derivation, left) if asked else block
        changed = view.rewrite(kept, derivation) if kept is not None else None
        if isinstance(changed, Table) and not asked:
            changed = _unasked(changed, blank)
        if isinstance(changed, Equation) and changed.right and isinstance(changed.right[-1][1], Blank) and changed.right[-1][1].step:
            blank.add(changed.right[-1][1].step)
        if isinstance(changed, Picture) and view.asks:
            if changed in drawn:
                continue
            drawn.append(changed)
        if isinstance(changed, Heading) and first:
            yield changed
        elif isinstance(changed, Heading):
            waiting = [heading for heading in waiting if heading.level < changed.level]
            waiting.append(changed)
        elif changed is not None:
            yield from waiting
            waiting = []
            yield _worth(changed, asked)
        first = False


# --- the views --------------------------------------------------------------------------------------------------------


def _key(block: Block, derivation: Derivation) -> Block:
    return block


def _worksheet(block: Block, derivation: Derivation) -> Block | None:
    """net_h1 = ______; general formulas are left out, and the drawing has the given numbers only."""
    if isinstance(block, Equation):
        if _is_fixed(block, derivation):
            return None  # it stands among what is given
        if block.step is None:
            return block if _is_given(block) else None
        return block.replace(right=(("=", _room(block)),)) if len(block.right) else block
    if isinstance(block, Paragraph) and _explains_formulas(block):
        return None
    return _blanked(block, derivation)


def _formulas(block: Block, derivation: Derivation) -> Block | None:
    """net_h1 = w1·i1 + w2·i2 + b1 = ______."""
    if isinstance(block, Equation) and _is_fixed(block, derivation):
        return None
    if isinstance(block, Equation) and block.step is not None:
        kept = tuple(part for part in block.right if isinstance(part[1], (Symbolic, Factors)))
        return block.replace(right=(*kept, ("=", _room(block))))
    return block if isinstance(block, Equation) else _blanked(block, derivation)


def _cloze(block: Block, derivation: Derivation) -> Block | None:
    """net_h1 = w1·i1 + ___·i2 + b1 = 0.15·0.05 + ___·0.10 + 0.35 = ______: one operand of each line, in turn, and what is computed."""
    if not isinstance(block, Equation) or block.step is None or _is_fixed(block, derivation):
        return block if isinstance(block, Equation) else _blanked(block, derivation)
    formula = next((item.expr for _, item in reversed(block.right) if isinstance(item, Symbolic)), None)
    operands = list(dict.fromkeys(cell(ref) for ref in references(formula))) if formula is not None else []
    gaps = (operands[block.number % len(operands)],) if len(operands) > 1 else ()
    right = [(relation, _gapped(item, gaps, derivation)) for relation, item in block.right]
    if right and not isinstance(right[-1][1], Blank):  # a formula that is a number already
        right[-1] = (right[-1][0], Blank(block.step))
    return block.replace(right=tuple(right))


VIEWS = {
    view.name: view
    for view in (
        View("key", "everything worked out", _key, asks=False),
        View("worksheet", "given data, and a blank for every step", _worksheet, room=True, formulas=False),
        View("formulas", "a worksheet with the formula of every step", _formulas, room=True),
        View("cloze", "formulas with one operand left out, numbers put in with all computed ones left out", _cloze),
    )
}


# --- parts ------------------------------------------------------------------------------------------------------------


def _room(block: Equation) -> Blank:
    """The blank of a worked line, for the numbers that are put in and for the result."""
    return Blank(block.step, 1 + max((_numbers(item) for _, item in block.right), default=0))


def _numbers(item: Item) -> int:
    """How many numbers are put into a formula."""
    match item:
        case Symbolic(expr) | Numeric(expr):
            return sum(isinstance(node, Ref) for node in walk(expr))
        case Factors(factors):
            return len(factors)
    return 0


def _worth(block: Block, asked: Mapping[tuple[Cell, int], Asked]) -> Block:
    """A line that is asked says how many marks it is worth."""
    last = block.right[-1][1] if isinstance(block, Equation) and block.right else None
    if not isinstance(block, Equation) or not isinstance(last, Blank) or last.step is None or last.step not in asked:
        return block
    marks = asked[last.step].marks
    return block.replace(label=Message("[{marks}]", marks=marks.text or str(marks.numerator)))


def _explains_formulas(block: Paragraph) -> bool:
    """Whether a sentence says what a part of a general formula means."""
    return isinstance(block.text, Message) and any(isinstance(value, Symbolic) for value in block.text.values.values())


def _is_given(block: Equation) -> bool:
    return all(isinstance(item, Value) for _, item in block.right)


def _is_fixed(block: Equation, derivation: Derivation) -> bool:
    """Whether a line is that of a step whose number is given."""
    return block.step is not None and not _is_computed(*block.step, derivation)


def _only(block: Block, derivation: Derivation, left: set[tuple[Cell, int]]) -> Block | None:
    """A block as far as it is about given numbers, or about steps that are asked and have no blank yet: `left`."""
    if isinstance(block, Equation):
        if block.step is None:
            return block
        known = block.step not in left
        left.discard(block.step)
        return None if known else block

    def computed(items: Iterable[Item]) -> list[tuple[Cell, int]]:
        values = [(item.cell, item.iteration) for item in items if isinstance(item, Value)]
        return [value for value in values if _is_computed(*value, derivation)]

    if isinstance(block, Table):
        rows = [row for row in block.rows if not (found := computed(row)) or left & {*found}]
        if block.rows and not rows:
            return None
        kept = tuple(tuple(item if not (found := computed([item])) or found[0] in left else MISSING for item in row) for row in rows)
        left.difference_update(value for row in rows for value in computed(row))
        return block.replace(rows=kept, omitted=0 if len(kept) < len(block.rows) else block.omitted)
    if isinstance(block, Grid):
        found = computed(item for part in block.parts if isinstance(part, tuple) for row in part for item in row)
        return None if found and not left & {*found} else block
    return block


def _unasked(block: Table, blank: Container[tuple[Cell, int]]) -> Table | None:
    """A table without the rows whose result, in their last column, has a blank already; None if there are no others."""
    rows = tuple(row for row in block.rows if not (isinstance(last := row[-1], Blank) and last.step in blank))
    return block.replace(rows=rows) if rows or block.omitted or not block.rows else None


def _gapped(item: Item, gaps: tuple[Cell, ...], derivation: Derivation) -> Item:
    if isinstance(item, Symbolic):
        return item.replace(gaps=gaps)
    if isinstance(item, Numeric):
        return item.replace(gaps=gaps + _computed(item, derivation))
    return Blank((item.cell, item.iteration)) if isinstance(item, Value) else item


def _computed(item: Numeric, derivation: Derivation) -> tuple[Cell, ...]:
    """The cells of an expression with numbers put in that are not given."""
    used = (cell(reference) for reference in references(item.expr))
    return tuple(one for one in used if _is_computed(one, item.iteration, derivation))


def _blanked(block: Block, derivation: Derivation) -> Block | None:
    """A table or a matrix without the numbers that are asked; the drawing that has them is left out."""

    def blank(item: Item) -> Item:
        if isinstance(item, Numeric):  # a number in a matrix equation
            return item.replace(gaps=_computed(item, derivation))
        if isinstance(item, Value) and _is_computed(item.cell, item.iteration, derivation):
            return Blank((item.cell, item.iteration))
        return item

    def part(inside: GridPart) -> GridPart:
        if isinstance(inside, tuple):
            return tuple(tuple(map(blank, row)) for row in inside)
        return inside if isinstance(inside, str) else blank(inside)

    match block:
        case Table(rows=rows):
            return block.replace(rows=tuple(tuple(map(blank, row)) for row in rows))
        case Grid(parts):
            return Grid(tuple(map(part, parts)))
        case Picture(values=True, window=None):
            return None  # the drawing of what is given is there already
    return block


def _is_computed(wanted: Cell, iteration: int, derivation: Derivation) -> bool:
    quantity = derivation.graph[wanted[0]]
    if wanted in derivation.graph.fixed:
        return iteration > 1
    return phase(quantity) != "given" or (iteration > 1 and quantity.name in derivation.carried)
