"""What a drawing shows: which round, which sample, which numbers."""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.render.diagram.model import CellItem, Label, Row
from handcalc.render.diagram.typesetting import measured
from handcalc.render.reading import Reading


class Plan(Record):
    """The reading is in UNICODE. computed: whether computed numbers are shown; gradients: whether those of the backward pass are."""

    derivation: Derivation
    reading: Reading
    iteration: int
    computed: bool
    gradients: bool

    def cell(self, name: str, *places: int) -> Cell | None:
        """A cell of the sample that is drawn, the first; None where there is none, or nothing needs it."""
        graph = self.derivation.graph
        if name not in graph:
            return None
        found = (graph[name].axes[0].places[0], *places) if graph[name].sampled else places
        return (name, found) if graph.listed(name, found) else None

    def item(self, name: str, *places: int, gradient: bool = False, named: bool = True, sampled: bool = False) -> CellItem | None:
        """An item for a computed quantity, None where it is not shown."""
        shown = self.gradients if gradient else self.computed
        cell = self.cell(name, *places) if shown else None
        return CellItem(cell, named, gradient=gradient, sampled=sampled) if cell else None

    def gradient(self, cell: Cell) -> CellItem | None:
        """An item for ∂E/∂cell: its number only."""
        return self.item(self.derivation.graph.gradient(cell[0]), *cell[1], gradient=True, named=False)

    def parameter(self, cell: Cell) -> CellItem:
        """An item for a weight, a bias or an input; what is updated is given in the first round, computed later, and inputs may be computed
        too."""
        given = self.derivation.graph[cell[0]].definition is None
        return CellItem(cell, numbered=self.computed or given and (self.iteration == 1 or cell[0] not in self.derivation.updated))

    def label(self, kind: str, rows: tuple[Row, ...], step: Cell | None = None) -> Label:
        """A label around the point 0, 0."""
        width, height = measured(rows, self.reading, self.iteration)
        return Label(kind, 0.0, 0.0, width, height, rows, step=step)
