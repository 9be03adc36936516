"""What is shown of a solution, and how much: the words of `--detail` and `--form` as tables.

- `Options` say what one document shows; `Options.limits` is how much of it.
- `DETAILS` has a `Detail` for every word of `--detail`; `FORMS` are the words of `--form`.

To add a degree of detail, add a line to `DETAILS`.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core.derivation import Asked
from handcalc.core.quantity import Cell
from handcalc.core.record import Record


class Detail(Record):
    """How much is shown at most.

    lines: worked lines of one quantity; cells: the same of maps and matrices, which have a table; updates: of one parameter in the
    update; updated: updates of which each is worked, if there are no more; after: of a loss and of another quantity, worked out
    again with updated parameters; rows: of one table; changes: rows of the table of updates; grids: of one quantity; explained:
    worked lines of one phase of an explanation.
    """

    lines: int
    cells: int
    updates: int
    updated: int
    after: tuple[int, int]
    rows: int
    changes: int
    grids: int
    explained: int


DETAILS = {
    "brief": Detail(lines=0, cells=0, updates=0, updated=0, after=(4, 0), rows=20, changes=40, grids=4, explained=4),
    "normal": Detail(lines=8, cells=4, updates=1, updated=12, after=(8, 8), rows=20, changes=40, grids=8, explained=12),
    "full": Detail(
        lines=1000, cells=1000, updates=1000, updated=1000, after=(1000, 1000), rows=1000, changes=1000, grids=200, explained=2000
    ),
}
FORMS = ("scalar", "matrix", "both")
RESULTS = ("values", "ids")  # tables of the results alone, the second with the ids of the steps
COLUMNS_LIMIT = 40  # cells of one quantity side by side, in every detail


class Options(Record):
    """What is shown: detail, form, phases or cells (with their iteration) to restrict it to, drawings.

    asked: not None where the reader is to fill it in; the steps that are asked with their tasks, none: all of them; given: whether the
    given data are shown; results: a word of RESULTS where nothing but the results is; lines: whether what paper has in tables is worked
    line by line, as on a page where each step can be clicked; prose: whether there are sentences between the lines; student: who fills it
    in, where that is known.
    """

    detail: str = "normal"
    form: str = "scalar"
    phases: tuple[str, ...] = ()
    cells: tuple[tuple[Cell, int], ...] = ()
    pictures: bool = False
    asked: Mapping[tuple[Cell, int], Asked] | None = None
    given: bool = True
    results: str = ""
    lines: bool = False
    prose: bool = False
    student: str = ""

    def wants(self, phase: str) -> bool:
        """Whether a phase is shown."""
        if phase == "given" and not self.given:
            return False
        return not self.phases or phase in self.phases

    @property
    def limits(self) -> Detail:
        """How much is shown at most."""
        return DETAILS[self.detail]

    @property
    def full(self) -> bool:
        """Whether every number of every sample has a line of its own, with what a reader could do without."""
        return self.detail == "full"
