"""From what people type to the cell they mean: an id, or a symbol of a notation in any dialect that is typed.

- `Lookup(derivation, notation)`: `find(text)`, the table `symbols()`, the `spellings(cell)` of one.

Ids go first: a letter of a notation that is written like the id of another cell is no name for its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Message, UnknownIdError, near, printable
from handcalc.render.dialects import TYPED, Dialect, symbol
from handcalc.render.notation import Notation

NUMBERED = ("rate", "hyper")  # kinds whose ids are words, and whose letters are a notation's
SEARCHED_CELLS = 20_000  # cells of one quantity that are found by their symbols; those of a larger one by their ids


class Lookup:
    """The symbols of a notation, as people type them."""

    def __init__(self, derivation: Derivation, notation: Notation) -> None:
        self.derivation, self.graph, self.notation = derivation, derivation.graph, notation

    def find(self, text: str) -> tuple[Cell, int]:
        """The cell and iteration of an id or a symbol. Raises UnknownIdError with a near match."""
        try:
            return self.derivation.find(text)
        except UnknownIdError:
            head, rest = text.split(":", 1) if text.startswith("#") and ":" in text else ("", text)
            found, number = self._meant(rest), _iteration(head)
            if found is not None and 1 <= number <= self.derivation.iterations:
                return found, number
            hint = near(rest, [*self._ids(), *self.symbols()])
            raise UnknownIdError(Message("there is no step {found}{near}", found=f'"{printable(text[:60])}"', near=hint)) from None

    def _meant(self, text: str) -> Cell | None:
        """The cell of a symbol, typed with other signs perhaps than those of its dialect."""
        normal = text.replace(" ", "").replace("−", "-")
        candidates = (normal, normal.replace("⁺", "+"), "∂".join(normal.split("d")) if normal.startswith("d") else normal)
        return next((self.symbols()[candidate] for candidate in candidates if candidate in self.symbols()), None)

    def symbols(self) -> dict[str, Cell]:
        """Every symbol of the notation, in every dialect people type, with its cell."""
        return self._symbols

    @cached_property
    def _symbols(self) -> dict[str, Cell]:
        found: dict[str, Cell] = {}
        for wanted in self._searched():
            for spelled in self.spellings(wanted):
                found.setdefault(spelled, wanted)
        return found

    def spellings(self, wanted: Cell) -> Iterator[str]:
        """What people may type for a cell, besides its id."""
        if self.graph[wanted[0]].kind in ("weight", "bias", "threshold") and wanted[1]:
            yield self.graph.numbered(wanted)  # a named one is also found by its place
        yield from (self.spelled(wanted, dialect) for dialect in TYPED)

    def spelled(self, wanted: Cell, dialect: Dialect) -> str:
        """The symbol of a cell in a dialect that is typed; its id where the symbol would be that of another cell."""
        found = symbol(self.notation.name(Ref(*wanted)), dialect)
        if self.graph[wanted[0]].kind not in NUMBERED:
            return found
        own = self.graph.cell_id(wanted)
        return own if found != own and found in self._taken else found

    @cached_property
    def _taken(self) -> set[str]:
        """Ids that a letter could be written like: those of single numbers, of inputs, and names that users chose."""
        found = {self.graph.cell_id((quantity.name, ())) for quantity in self.graph if not quantity.axes}
        found |= {label for quantity in self.graph if quantity.kind == "input" for axis in quantity.axes for label in axis.labels}
        return found | {name for quantity in self.graph for name in (quantity.names or {}).values()}

    def _searched(self) -> Iterator[Cell]:
        """The cells whose symbols are looked through: not those of quantities with more than anybody looks up by a symbol."""
        searched: list[Quantity] = [quantity for quantity in self.graph if quantity.size <= SEARCHED_CELLS]
        return ((quantity.name, place) for quantity in searched for place in self.graph.positions(quantity.name))

    def _ids(self) -> list[str]:
        return list(map(self.graph.cell_id, self._searched()))


def _iteration(head: str) -> int:
    """The number in #2, 1 where none is said, 0 where it is no number."""
    if not head:
        return 1
    return int(head[1:]) if head[1:].isascii() and head[1:].isdigit() and len(head) < 9 else 0
