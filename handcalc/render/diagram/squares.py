"""Grids of numbers in a drawing, rows over columns as on squared paper: maps, kernels, scores, the units of a layer.

- `Squares(plan, quantity, …)` lays them out: `cells(place)` is what one grid shows, `grid(place)` its labels.
- `beside(grids)` puts several into a row, `leading(…)` says which there are of numbers with more than two directions.

Of long sides the first places and the last are drawn, with dots between. A square holds its number and below it, in the second
colour, the gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, product
from math import prod

from handcalc.core.expr import Ref
from handcalc.core.index import Axis, Index, Position
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.record import Record
from handcalc.render.diagram.model import CellItem, Label, Row, Sign, Title
from handcalc.render.diagram.plan import Plan
from handcalc.render.diagram.typesetting import LINE, added, measured

SIDE_LIMIT = 7  # rows or columns of a grid that are all drawn; of more the first and the last
FIRST = 5  # drawn of more, besides the last
GRIDS_LIMIT = 4  # grids of one quantity that are all drawn
FEW = 3  # drawn of more
PADDING = 10.0  # in a square, beside its number
HEIGHT = 4.0  # in a square, more than its rows
NARROWEST = 20.0  # of a square
GAP = 16.0  # for the dots of what is left out
TITLE = 21.0  # for the symbol above a grid
BESIDE = 14.0  # between grids

ENDS = ("error", "loss_term", "loss")  # kinds whose gradients, 1 mostly, are not drawn

Place = tuple[int, ...]
Spots = Sequence[int | None]  # places along a side; None where some are left out


class Patch(Record):
    """Labels in a box with its left upper corner at 0, 0."""

    labels: tuple[Label, ...]
    width: float
    height: float


def _along(axis: Axis) -> Spots:
    """The places along an axis that are drawn."""
    return [None if spot is None else axis.places[spot] for spot in spots(axis.size)]


def spots(size: int) -> Spots:
    """The places along a side of that size that are drawn."""
    return range(size) if size <= SIDE_LIMIT else [*range(FIRST), None, size - 1]


class Squares(Record):
    """A quantity whose numbers are drawn. fixed: role → the place along axes that are not drawn (the sample, the time);
    marks: cell → the kind of its square; places: the grids that are drawn, rows, columns: their places, none: as many as fit (also
    places outside the map); numbered: whether the number of a cell is
    drawn, none: every one."""

    plan: Plan
    quantity: Quantity
    fixed: Mapping[str, int] = {}
    marks: Mapping[Cell, str] = {}
    places: tuple[Place, ...] | None = None
    rows: Spots | None = None
    columns: Spots | None = None
    numbered: Callable[[Cell], bool] | None = None

    # --- places ---

    @property
    def free(self) -> tuple[int, ...]:
        """The numbers of the axes that are drawn."""
        return tuple(number for number, axis in enumerate(self.quantity.axes) if axis.role not in self.fixed)

    def leading(self) -> list[Place]:
        """The places along the directions before the last two."""
        count = self._count()
        found: Iterable[Place] = product(*(self.quantity.axes[number].places for number in self.free[:-2]))
        return list(islice(found if self.places is None else self.places, count if count <= GRIDS_LIMIT else FEW))

    def left_out(self) -> int:
        """How many grids are not drawn."""
        count = self._count()
        return count - FEW if count > GRIDS_LIMIT else 0

    def _count(self) -> int:
        return prod(self.quantity.axes[number].size for number in self.free[:-2]) if self.places is None else len(self.places)

    def whole(self, inner: Mapping[int, Position]) -> tuple[Position, ...]:
        """A place along all axes from one along some: the others are fixed."""
        return tuple(inner.get(number, self.fixed.get(axis.role, 0)) for number, axis in enumerate(self.quantity.axes))

    def sides(self) -> tuple[Spots, Spots]:
        """Rows and columns; a single direction goes down, that of a map across."""
        sizes = [self.quantity.axes[number] for number in self.free[-2:]]
        if len(sizes) < 2:
            flat = not sizes or sizes[0].role == "column"
            alone: Spots = _along(sizes[0]) if sizes else range(1)
            return (range(1), self.columns or alone) if flat else (self.rows or alone, range(1))
        return self.rows or _along(sizes[0]), self.columns or _along(sizes[1])

    def at(self, place: Place, row: int, column: int) -> Cell:
        """The cell of a square."""
        axes = self.free
        last = (row, column) if len(axes) > 1 else (column,) if len(self.sides()[0]) == 1 and self._flat() else (row,)
        inner: dict[int, Position] = {**dict(zip(axes[:-2], place)), **dict(zip(axes[-2:], last))}
        return cell(Ref(self.quantity.name, self.whole(inner)))

    def _flat(self) -> bool:
        axes = self.free
        return not axes or self.quantity.axes[axes[-1]].role == "column"

    def title(self, place: Place) -> Ref:
        """What a grid is called: with its general indices, or by its only cell."""
        rows, columns = self.sides()
        if len(rows) == len(columns) == 1:
            return Ref(*self.at(place, 0, 0))
        inner: dict[int, Position] = dict(zip(self.free[:-2], place))
        letters: tuple[Index, ...] = self.quantity.index
        return Ref(self.quantity.name, self.whole(inner | {number: letters[number] for number in self.free[-2:]}))

    # --- drawing ---

    def grids(self) -> list[Patch]:
        """Every grid of the quantity that is drawn."""
        return [self.grid(place) for place in self.leading()]

    def grid(self, place: Place) -> Patch:
        """The symbol and the squares below it."""
        plan, (rows, columns) = self.plan, self.sides()
        inside = [[None if r is None or c is None else self.rows_of(self.at(place, r, c)) for c in columns] for r in rows]
        texts = [content for line in inside for content in line if content]
        wide = max([NARROWEST, *(measured(content, plan.reading, plan.iteration)[0] + PADDING for content in texts)])
        lines = max([1, *map(len, texts)])
        high = max([LINE, *(measured(content, plan.reading, plan.iteration)[1] / len(content) for content in texts)]) * lines + HEIGHT
        title: tuple[Row, ...] = ((Title(self.title(place), self.quantity.kind == "loss"),),)
        title_width = measured(title, plan.reading, plan.iteration)[0]
        widths, heights = ([GAP if spot is None else size for spot in side] for side, size in ((columns, wide), (rows, high)))
        total = max(added(widths), title_width)
        left, top = (total - added(widths)) / 2, TITLE
        labels = [Label("title", total / 2, LINE / 2, title_width, LINE, title)]
        y = top
        for r, line, tall in zip(rows, inside, heights):
            x = left
            for c, content, broad in zip(columns, line, widths):
                labels += self._square(place, r, c, content, (x + broad / 2, y + tall / 2, broad, tall), len(rows), len(columns))
                x += broad
            y += tall
        return Patch(tuple(labels), total, y)

    def _square(
        self,
        place: Place,
        row: int | None,
        column: int | None,
        content: tuple[Row, ...] | None,
        box: tuple[float, ...],
        high: int,
        wide: int,
    ) -> Iterator[Label]:
        x, y, broad, tall = box
        if row is None or column is None:
            shown = row is None and column == self.sides()[1][wide // 2] or column is None and row == self.sides()[0][high // 2]
            if shown:
                yield Label("gap", x, y, min(broad, GAP), min(tall, LINE), ((Sign("⋮" if row is None else "…"),),))
            return
        cell = self.at(place, row, column)
        kind = self.marks.get(cell, "square")
        there = self.plan.derivation.graph.listed(*cell)
        if self._outside(row, column):
            yield Label("outside" if kind == "window" else "padding", x, y, broad, tall, ((Sign("0"),),))
        else:
            yield Label(kind, x, y, broad, tall, content or (), step=cell if there else None)

    def _outside(self, row: int, column: int) -> bool:
        """Whether a square is outside the map."""
        sizes = [self.quantity.axes[number].size for number in self.free[-2:]]
        last = (row, column) if len(sizes) > 1 else (column,) if self._flat() else (row,)
        return not all(0 <= place < size for place, size in zip(last, sizes))

    def rows_of(self, cell: Cell) -> tuple[Row, ...]:
        """The number of a cell and its gradient."""
        plan, graph = self.plan, self.plan.derivation.graph
        if not graph.listed(*cell) or self.numbered is not None and not self.numbered(cell):
            return ()
        rows: list[Row] = []
        known = plan.computed or graph.given_value(cell) is not None and (plan.iteration == 1 or cell[0] not in plan.derivation.carried)
        if known:
            rows.append((CellItem(cell, named=False),))
        gradient = (graph.gradient(cell[0]), cell[1])
        if plan.gradients and graph[cell[0]].kind not in ENDS and gradient[0] and graph.listed(*gradient):
            rows.append((CellItem(gradient, named=False, gradient=True),))
        return tuple(rows)


def beside(blocks: Sequence[Patch], apart: float = BESIDE) -> Patch:
    """Some blocks in a row, in the middle of its height."""
    high = max(block.height for block in blocks)
    labels: list[Label] = []
    x = 0.0
    for block in blocks:
        labels += [label.moved(x, (high - block.height) / 2) for label in block.labels]
        x += block.width + apart
    return Patch(tuple(labels), x - apart, high)


def below(blocks: Sequence[Patch], apart: float = BESIDE / 2) -> Patch:
    """Some blocks below one another, in the middle of their width."""
    wide = max(block.width for block in blocks)
    labels: list[Label] = []
    y = 0.0
    for block in blocks:
        labels += [label.moved((wide - block.width) / 2, y) for label in block.labels]
        y += block.height + apart
    return Patch(tuple(labels), wide, y - apart)
