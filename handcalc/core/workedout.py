"""What follows from the formulas of a graph alone, and holds whatever the numbers are.

- `WorkedOut` keeps it: the instances of cells, their ids, which cells there are. It is worked out when it is asked for: quantity by
  quantity what concerns all its cells, cell by cell the rest.
- `family` are the cells of one quantity, `Remembered` is the memory of a function.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from handcalc.core.binding import Binding, Place, Writer, picker
from handcalc.core.expr import ZERO, Expr, Ref, references
from handcalc.core.index import Index
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.reach import Reach
from handcalc.errors import Message, UnknownNumberError

Key = TypeVar("Key")
Worth = TypeVar("Worth")


class Remembered(dict[Key, Worth]):
    """What a function answers, worked out when it is asked for the first time."""

    def __init__(self, work_out: Callable[[Key], Worth]) -> None:
        super().__init__()
        self._work_out = work_out

    def __missing__(self, key: Key) -> Worth:
        found = self[key] = self._work_out(key)
        return found


def family(known: WorkedOut, quantity: Quantity) -> Remembered[Place, Expr]:
    """Place → the reference to the cell of a quantity there, ZERO where there is none: outside the axes, or a missing edge."""
    used = [ref for ref in (quantity.of, quantity.wrt, quantity.through) if ref is not None]
    needed = [(known.families[ref.quantity], known.at(quantity, ref)) for ref in used]
    # who does not ask for gradients of inputs does not for that of the state that a recurrence starts from
    recurs = quantity.kind == "gradient" and not known.of_inputs and known.quantities[used[0].quantity].starts
    starts = known.quantities[used[0].quantity].givens if recurs else None

    def is_cell(place: Place) -> bool:
        for one, axis in zip(place, quantity.axes):
            if one not in axis.part if axis.part else not 0 <= one < axis.size:
                return False
        if quantity.definition is None and quantity.givens is not None and quantity.givens(place) is None:
            return False
        if not needed or quantity.name in known.whole:
            return True
        for cells, at in needed:
            if cells[at(place)] is ZERO:
                return False
        if starts and starts(needed[0][1](place)) is not None:
            return False
        return quantity.through is None or known.instances[quantity.name, place] != ZERO

    return Remembered(lambda place: Ref(quantity.name, place) if is_cell(place) else ZERO)


class WorkedOut:
    """What has been worked out; of_inputs: whether there are gradients of inputs."""

    def __init__(self, quantities: Mapping[str, Quantity], of_inputs: bool) -> None:
        self.quantities = quantities
        self.of_inputs = of_inputs
        self.reach = Reach(quantities)
        self.families = Remembered[str, Remembered[Place, Expr]](lambda name: family(self, quantities[name]))
        self.instances = Remembered[Cell, Expr](self._instance)
        self.uses = Remembered[Cell, tuple[Cell, ...]](lambda wanted: tuple(map(cell, references(self.instances[wanted]))))
        self.names: dict[Cell, str] = {}
        self.cores: dict[Cell, str] = {}  # parts of them
        self.places: dict[str, list[Place]] = {}
        self.rivals: dict[str, list[str]] = {}
        self.ends: dict[str, set[str]] = {}
        self.groups: list[Any] = []  # those of order.py
        self.whole: set[str] = set()  # quantities that surely have a cell at every place (render/frames.py)
        self.steps: dict[Cell, Any] = {}  # what steps are made of, but for numbers (derivation.py)
        self.paths: dict[str, list[Any]] = {}  # what writes the contributions to a quantity (derivation.py)
        self._writers: dict[tuple[str, int], Writer] = {}
        self._at: dict[tuple[str, int], tuple[Ref, Callable[[Place], Place]]] = {}

    def writer(self, expr: Expr, index: Sequence[Index]) -> Writer:
        """What writes a formula out at any places of its indices."""
        letters = tuple([one.letter for one in index])
        return Binding(letters, lambda name: self.families[name].__getitem__, self.reach.along).writer(expr)

    def at(self, quantity: Quantity, reference: Ref) -> Callable[[Place], Place]:
        """What tells the place that a reference in a quantity's own indices is at from the place of its cell."""
        key = quantity.name, id(reference)  # the reference is kept with them
        if key not in self._at:
            self._at[key] = reference, picker(reference.indices, [index.letter for index in quantity.index])
        return self._at[key][1]

    def _instance(self, wanted: Cell) -> Expr:
        """The definition of one cell, written out."""
        quantity = self.quantities[wanted[0]]
        general = quantity.stepwise or quantity.formula(wanted[1])
        if quantity.unknown:
            raise UnknownNumberError(Message("{id} is not given", id=quantity.word))
        if general is None:
            raise KeyError(f"{wanted[0]} is given, not defined")
        key = quantity.name, id(general)
        if key not in self._writers:
            self._writers[key] = self.writer(general, quantity.index)
        return self._writers[key](wanted[1])
