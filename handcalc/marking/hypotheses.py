"""Which mistakes may have been made on a sheet: each everywhere, in one layer, at one place; and pairs.

- `Hypotheses(definitions, cells)` lists those that touch what some cells depend on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import combinations, islice
from typing import Any

from handcalc.core.expr import Expr
from handcalc.core.quantity import Cell
from handcalc.marking.definitions import NONE, Definitions, Hypothesis, MadeMistake, MistakeForm
from handcalc.marking.workbook import base, beside, iteration

CELLS_LIMIT = 200  # of a large network: cells near the answers at which mistakes are looked for; all others are taken as right
USES_LIMIT = 200  # and what such a cell may use
PAIRS_LIMIT = 6000
EXCHANGED = 4  # rank of two numbers that are exchanged


class Hypotheses:
    """Every hypothesis that touches what some cells depend on.

    single: no mistake at all (first), then one mistake: everywhere, in one layer, at one place; and two numbers exchanged.
    """

    def __init__(self, definitions: Definitions, cells: Iterable[Cell]) -> None:
        self.definitions = definitions
        self.touched: dict[MistakeForm, list[Cell]] = {}
        self._places: dict[Cell, tuple[int, Any, tuple[int, ...]]] = {}
        reached = list(self._reached(cells))
        self.near = None if definitions.book.small else frozenset(reached)
        for current in reached:
            for form in self._affordable(current):
                self.touched.setdefault(form, []).append(current)
        self.single = (NONE, *self._single(), *self._exchanged())

    def _reached(self, cells: Iterable[Cell]) -> Iterable[Cell]:
        """The cells that the given ones depend on, under any definition, nearest first; given numbers last."""
        book = self.definitions.book
        order: dict[Cell, None] = dict.fromkeys(cells)
        given: dict[Cell, None] = {}
        for current in (pending := list(order)):
            if not book.small and (len(order) > CELLS_LIMIT or len(self.definitions.uses(current)) > USES_LIMIT):
                continue
            for forms in ((), *((form,) for form in self._affordable(current))):
                for used in self.definitions.uses(current, forms):
                    if used in order or used in given:
                        continue
                    if book.given_value(used) is not None:
                        given[used] = None
                    elif book.small or len(self.definitions.uses(used)) <= USES_LIMIT:
                        order[used] = None
                        pending.append(used)
        return [*order, *given]

    def _affordable(self, current: Cell) -> Mapping[MistakeForm, Expr]:
        """The wrong definitions of a cell; on a large network without those that use many cells which the right one does not."""
        wrong, book = self.definitions.wrong(current), self.definitions.book
        if book.small:
            return wrong
        known = {*self.definitions.uses(current)}
        return {form: expr for form, expr in wrong.items() if len({*self.definitions.uses(current, (form,))} - known) <= USES_LIMIT}

    def _single(self) -> Iterable[Hypothesis]:
        for form, cells in sorted(self.touched.items(), key=lambda entry: entry[0].order):
            if not form.mistake.single:
                yield Hypothesis((MadeMistake(form),))
            seen = {frozenset(cells)} if not form.mistake.single else set()
            for rank, places in enumerate((self._layers(cells), self._units(cells), self._cells(cells)), 1):
                for group in () if rank == 1 and form.mistake.single else places:
                    if group not in seen:
                        seen.add(group)
                        yield Hypothesis((MadeMistake(form, group),), rank)

    def _exchanged(self) -> Iterable[Hypothesis]:
        """Two numbers beside each other, each taken for the other."""
        definitions = self.definitions
        copied: dict[Cell, dict[Expr, MistakeForm]] = {}
        for form, cells in self.touched.items():
            for current in cells if form.mistake.single else ():
                copied.setdefault(current, {})[definitions.wrong(current)[form]] = form
        for first, taken in copied.items():
            graph = definitions.book.of_round(iteration(first))
            for second in ((first[0], place) for place in beside(graph, *base(first))):
                ahead, back = taken.get(definitions.right(second)), copied.get(second, {}).get(definitions.right(first))
                if first < second and ahead and back:
                    made = MadeMistake(ahead, frozenset({first})), MadeMistake(back, frozenset({second}))
                    yield Hypothesis(made, EXCHANGED)

    def _layers(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        return _grouped(cells, lambda current: self._place(current)[0])

    def _units(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        """By neuron or parameter, all samples and times together."""
        return _grouped(cells, lambda current: self._place(current)[1])

    def _cells(self, cells: list[Cell]) -> list[frozenset[Cell]]:
        """By neuron or parameter, sample by sample and time by time."""
        return _grouped(cells, lambda current: self._place(current)[1:])

    def _place(self, current: Cell) -> tuple[int, Any, tuple[int, ...]]:
        """The layer of a cell, its neuron or parameter, and its sample and time."""
        if current not in self._places:
            quantity, graph = self.definitions.book.quantity(current), self.definitions.book.graph
            along = tuple(number + axis.first for axis, number in zip(quantity.axes, current[1]) if axis.role in ("sample", "time"))
            unit = iteration(current), quantity.stage == "after", graph.core(base(current))
            self._places[current] = quantity.layer, unit, along
        return self._places[current]

    @cached_property
    def whole(self) -> tuple[Hypothesis, ...]:
        """One mistake, everywhere: what pairs are made of; none on a large network."""
        return tuple(found for found in self.single if found.parts and found.rank == 0) if self.definitions.book.small else ()

    def all_pairs(self, whole: int) -> bool:
        """Whether there are pairs of so many mistakes, and none is left out."""
        return self.definitions.book.small and whole * whole < 2 * PAIRS_LIMIT

    def pairs(self) -> tuple[Hypothesis, ...]:
        """Two different mistakes, each everywhere; none on a large network."""
        named = [(row, row.slugs) for row in self.whole]
        different = (first.parts + second.parts for (first, one), (second, other) in combinations(named, 2) if one != other)
        return tuple(Hypothesis(parts, 5) for parts in islice(different, PAIRS_LIMIT))


def _grouped(cells: list[Cell], key: Any) -> list[frozenset[Cell]]:
    groups: dict[Any, list[Cell]] = {}
    for current in cells:
        groups.setdefault(key(current), []).append(current)
    return [frozenset(group) for group in groups.values()]
