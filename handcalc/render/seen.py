"""Which general formulas a reader has seen: layers that share one have it printed once.

- `Seen()`; `told.first(quantity, graph)`: whether its formula was not told before, but for the layer and the letters of its indices;
  `told.first_bracket()`: whether no bracket [i = j] was; `told.first_vanished()`: whether 0·ln 0 was not.
"""

from __future__ import annotations

import re
from collections.abc import Hashable

from handcalc.core.expr import Entry, Ref, Total, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity
from handcalc.render.dialects import PLAIN
from handcalc.render.printer import Printer
from handcalc.render.symbols import place_text


class Seen:
    """General formulas as patterns: quantities by what they are and how many layers away, indices by the order in which they come."""

    def __init__(self) -> None:
        self._kinds: dict[Hashable, int] = {}
        self._seen: set[str] = set()
        self._brackets = False
        self._vanished = False

    def first_bracket(self) -> bool:
        """Whether no formula before had a bracket [i = j]."""
        first, self._brackets = not self._brackets, True
        return first

    def first_vanished(self) -> bool:
        """Whether no term before was 0 although a factor of it has no value."""
        first, self._vanished = not self._vanished, True
        return first

    def first(self, quantity: Quantity, graph: Graph) -> bool:
        """Whether the formula of a quantity is a new one; of those that belong to no layer it always is."""
        if not quantity.layer or quantity.definition is None or quantity.cases:
            return True
        pattern = self._pattern(quantity, graph)
        new = pattern not in self._seen
        self._seen.add(pattern)
        return new

    def _pattern(self, quantity: Quantity, graph: Graph) -> str:
        def kind(found: Quantity | None) -> Hashable:
            if found is None:
                return ()
            of = graph[found.of.quantity] if found.of else None
            through = graph[found.through.quantity] if found.through else None
            away = found.layer - quantity.layer if found.layer else None
            axes = tuple(axis.role for axis in found.axes)
            return found.kind, found.role, found.stage, found.letter, away, axes, kind(of), kind(through)

        def name(reference: Ref) -> str:
            named = graph[reference.quantity]
            number = self._kinds.setdefault(kind(named), len(self._kinds))
            return f"<{number}>[{', '.join(place_text(place, axis.first) for place, axis in zip(reference.indices, named.axes))}]"

        assert quantity.definition is not None
        printer = Printer(PLAIN, name)
        text = f"{name(Ref(quantity.name, quantity.index))} = {printer.text(quantity.definition)}"
        inside = [node.index for node in walk(quantity.definition) if isinstance(node, (Total, Entry))]
        letters = dict.fromkeys(index.letter for index in (*quantity.index, *inside))
        for number, letter in enumerate(letters):
            text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(letter)}(?![A-Za-z0-9])", f"@{number}", text)
        return text
