"""Quantities in order of definition, what belongs together, and the cells of each.

- `Quantities` keeps quantities in the order they were defined: `given`, `define`; it holds no values of its own.
- `RELATIONS` are what one quantity may be to another; `Quantities.related`, `gradient`, `in_layer` … answer them.
- `Quantities.instance(cell)` is the definition of one cell.

graph.py gives cells their ids, evaluation.py their values. Cells are made when asked for, so a layer of a hundred thousand weights costs
only what is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Mapping
from itertools import product
from typing import Self

from handcalc.core.expr import ZERO, Expr, Number, Ref
from handcalc.core.quantity import KINDS, Cell, Quantity
from handcalc.core.workedout import WorkedOut

SMALL = 1000  # places of a quantity; of larger ones no list is kept


# relation → of a quantity, the one that …; a relation is the kind of what is derived, or its role or stage where that says more.
RELATIONS: dict[str, str] = {
    "gradient": "is ∂E/∂ it; with several samples, of the whole loss",
    "each": "is ∂E/∂ it for every sample, or its value for every sample",
    "local": "is the slope of this activation",
    "change": "is Δ of this parameter",
    "updated": "is its value after the update",
    "after": "is it, worked out again with updated parameters",
}


class Quantities:
    """Quantities in order of definition. Adding one twice, or a kind that is not in KINDS, is a programming error.

    Which quantities belong together is asked of the graph, never read from their names: `related(relation, name)` (with a method for each
    of RELATIONS), `in_layer(layer, kind, role)`, `bias(layer)`, `inputs`, `targets`, `errors`. All answer names, "" where there is none.
    """

    def __init__(self) -> None:
        self.quantities: dict[str, Quantity] = {}
        self._known: WorkedOut | None = None
        self.fixed: Mapping[Cell, Number] = {}
        self.left_out: Container[Cell] = ()
        self._related: dict[tuple[str, str], str] = {}
        self._in_layer: dict[tuple[int, str, str], tuple[str, ...]] = {}

    @property
    def known(self) -> WorkedOut:
        """What has been worked out from the formulas."""
        if self._known is None:
            self._known = WorkedOut(self.quantities, bool(self.gradient(self.inputs)))
        return self._known

    def renumbered(self, numbers: Quantities) -> Self:
        """The same formulas with the given numbers of another graph; the places of given cells must be the same.

        The new graph shares what is known; it is forgotten by the one whose formulas change.
        """
        result = type(self)()
        result._known = self.known
        result.quantities = dict(self.quantities)
        result.fixed, result.left_out = self.fixed, self.left_out
        result._related, result._in_layer = dict(self._related), dict(self._in_layer)
        for name, quantity in self.quantities.items():  # a copy, as of a state after the update, has the numbers of what it copies
            source = quantity.of.quantity if quantity.of is not None and quantity.stage else name
            if quantity.givens is not None and source in numbers:
                result.quantities[name] = quantity.replace(givens=numbers[source].givens)
        return result

    @property
    def at_once(self) -> Self:
        """The same graph with every cell worked out by its definition, not by the steps of it."""
        result = self.renumbered(self)
        for quantity in filter(lambda one: one.stepwise, self):
            result.redefine(quantity.replace(stepwise=None))
        return result

    def given(self, quantity: Quantity) -> Quantity:
        """Add a quantity whose cells are given numbers."""
        return self._add(quantity)

    def define(self, quantity: Quantity, after: str = "") -> Quantity:
        """Add a quantity whose cells follow from a definition, at the end of the order or after another."""
        self._add(quantity)
        if after:
            names = [name for name in self.quantities if name != quantity.name]
            names.insert(names.index(after) + 1, quantity.name)
            self.quantities = {name: self.quantities[name] for name in names}
        return quantity

    def fix(self, numbers: Mapping[Cell, Number], left_out: Container[Cell]) -> None:
        """Put given numbers in the place of what cells are worked out to be; left_out: cells that are not listed any more.

        Definitions stay what they are, so slopes through a fixed cell are worked as it says.
        """
        self.fixed, self.left_out = numbers, left_out
        self._known = None

    def redefine(self, quantity: Quantity) -> None:
        """Put another definition in the place of a quantity's: what a convention does."""
        self.quantities = {**self.quantities, quantity.name: quantity}  # a graph that shares what is known goes on with the old ones
        self._known = None

    def rename(self, name: str, new: str, role: str) -> None:
        """Give a quantity another name and role in the same place; nothing may refer to it yet."""
        quantity = self.quantities[name].replace(name=new, role=role)
        self._have([quantity if known == name else other for known, other in self.quantities.items()])

    def remove(self, names: Container[str]) -> None:
        """Take quantities out; nothing may refer to them."""
        self._have([quantity for name, quantity in self.quantities.items() if name not in names])

    def _have(self, quantities: list[Quantity]) -> None:
        self.quantities = {quantity.name: quantity for quantity in quantities}
        self._known, self._related, self._in_layer = None, {}, {}
        for quantity in quantities:
            self._relate(quantity)

    def _add(self, quantity: Quantity) -> Quantity:
        if quantity.name in self.quantities or quantity.kind not in KINDS:
            raise ValueError(f"{quantity.name}: defined twice, or unknown kind {quantity.kind}")
        self.quantities[quantity.name] = quantity
        self._known = None
        self._relate(quantity)
        return quantity

    def _relate(self, quantity: Quantity) -> None:
        """Remember what a quantity is to others."""
        if quantity.of is None:
            where = quantity.layer, quantity.kind, quantity.role
            self._in_layer[where] = (*self._in_layer.get(where, ()), quantity.name)
        else:
            relation = quantity.stage or quantity.role or quantity.kind
            self._related.setdefault((relation, quantity.of.quantity), quantity.name)

    # --- what belongs together ---

    def related(self, relation: str, name: str) -> str:
        """Of a quantity, its gradient, change, velocity …: what has this kind, or this role or stage where it has one."""
        return self._related.get((relation, name), "")

    def gradient(self, name: str) -> str:
        """∂E/∂ a quantity; with several samples, of what they share, the gradient of the whole loss."""
        return self.related("gradient", name)

    def local(self, name: str) -> str:
        """The slope of an activation or a gate."""
        return self.related("local", name)

    def change(self, name: str) -> str:
        """Δ of a parameter."""
        return self.related("change", name)

    def updated(self, name: str) -> str:
        """A parameter after the update."""
        return self.related("updated", name)

    def after(self, name: str) -> str:
        """A quantity of the forward pass, worked out again with updated parameters."""
        return self.related("after", name)

    def in_layer(self, layer: int, kind: str, role: str = "") -> str:
        """The quantity of a layer with a kind and a role: its net, out, weight, a part such as the query; 0: inputs, loss."""
        return next(iter(self._in_layer.get((layer, kind, role), ())), "")

    @property
    def inputs(self) -> str:
        """The inputs of a network."""
        return self.in_layer(0, "input")

    @property
    def targets(self) -> str:
        """The targets of a network."""
        return self.in_layer(0, "target")

    def bias(self, layer: int) -> str:
        """What is added to the net inputs of a layer, its bias, or subtracted from them, its threshold."""
        return self.in_layer(layer, "bias") or self.in_layer(layer, "threshold")

    @property
    def errors(self) -> str:
        """t − o, where it is a quantity of its own."""
        return next((quantity.name for quantity in self if quantity.kind == "error" and not quantity.stage), "")

    def __getitem__(self, name: str) -> Quantity:
        return self.quantities[name]

    def __contains__(self, name: str) -> bool:
        return name in self.quantities

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities.values())

    # --- cells ---

    def positions(self, name: str) -> Iterator[tuple[int, ...]]:
        """The places of a quantity that hold a cell: last axis fastest, or in the order the user named them."""
        quantity, kept = self.quantities[name], self.known.places.get(name)
        if kept is None:
            places, cells, left_out = self.places(quantity), self.known.families[name], self.left_out
            if left_out or name not in self.known.whole:
                places = (at for at in places if cells[at] is not ZERO and not (left_out and (name, at) in left_out))
            if quantity.size > SMALL:
                return places
            kept = self.known.places[name] = list(places)
        return iter(kept)

    def places(self, quantity: Quantity) -> Iterator[tuple[int, ...]]:
        """The places of a quantity in that order, whether or not they hold a cell."""
        named = quantity.names
        sizes = [axis.places for axis in quantity.axes]
        own = quantity.axes[1:] if quantity.sampled else quantity.axes
        if quantity.of is not None and quantity.through is None:
            base = self.quantities[quantity.of.quantity]
            named = base.names if base.axes == own else None
        if quantity.through is not None:
            yield from self.known.reach.cells(quantity.name)
        elif not named or len(named) < 2 or any(len(place) != len(own) for place in named):
            yield from product(*sizes)
        elif quantity.sampled:
            yield from ((sample, *place) for sample in sizes[0] for place in named)
        else:
            yield from named
            if quantity.givens is not None or len(named) < math.prod(axis.size for axis in own):
                yield from (place for place in product(*sizes) if place not in named)

    def present(self, name: str, indices: tuple[int, ...]) -> bool:
        """Whether there is such a cell: inside the axes, and an edge that exists."""
        return self.known.families[name][indices] is not ZERO

    def listed(self, name: str, indices: tuple[int, ...]) -> bool:
        """Whether there is such a cell, and something needs it."""
        return self.present(name, indices) and (not self.left_out or (name, indices) not in self.left_out)

    def needed(self, name: str) -> bool:
        """Whether any cell of a quantity is listed."""
        return not self.left_out or next(self.positions(name), None) is not None

    def given_value(self, cell: Cell) -> Number | None:
        """The given number of a cell, None where it is computed."""
        if cell in self.fixed:
            return self.fixed[cell]
        quantity = self.quantities[cell[0]]
        return quantity.givens(cell[1]) if quantity.givens else None

    def instance(self, cell: Cell) -> Expr:
        """The definition of one cell, totals written out. Raises UnknownNumberError where nobody gave it or what it follows from."""
        return self.known.instances[cell]

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells that the definition of a cell uses, each once, in the order written."""
        return self.known.uses[wanted]

    def is_slope(self, cell: Cell) -> bool:
        """Whether a cell is a derivative."""
        return self.quantities[cell[0]].kind in ("gradient", "path", "local")

    def at(self, reference: Ref, wanted: Cell) -> Cell:
        """What a reference in a quantity's own indices (of, through, a term) is, at one of its cells."""
        return reference.quantity, self.known.at(self.quantities[wanted[0]], reference)(wanted[1])
