"""Named quantities and their cells: one graph for forward pass, error, gradients and updates.

- `Quantity` is a family of cells with one general definition (and exceptions for single cells).
- `Graph` keeps quantities in the order they were defined: `given`, `define`; it holds no values of its own.
- `Graph.instance(cell)` is the definition of one cell, `Graph.cell_id` its id, `Graph.find` the way back.
- evaluation.py gives cells their values.

Cells are made when asked for, so a layer of a hundred thousand weights costs only what is looked at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from handcalc.core.expr import ZERO, Expr, Number, Ref, references
from handcalc.core.index import Axis, Index, shift_index, through
from handcalc.core.instance import bind
from handcalc.core.pathids import told_apart
from handcalc.core.record import Record

Cell = tuple[str, tuple[int, ...]]
Givens = Callable[[tuple[int, ...]], Number | None]
SMALL = 1000  # places of a quantity; of larger ones no list is kept


class Term(Record):
    """One part of a gradient: what reaches a quantity through one consumer.

    through: the consumer's cell; upstream: ∂E/∂consumer; local: ∂consumer/∂quantity; over: indices summed;
    path: the quantity holding upstream·local where the sum has several terms.
    """

    through: Ref
    upstream: Expr
    local: Expr
    over: tuple[Index, ...] = ()
    path: Ref | None = None


class Letter(Record):
    """How a quantity is written where no notation has a letter for it: x̂, or c with "run" above it."""

    base: str
    above: str = ""
    hat: bool = False


class Quantity(Record):
    """A family of cells.

    name: a key of the graph, which means nothing; id: what ids call it where nothing else names a cell, else its name
    kind: net, out, weight, bias, gradient …, a closed list that notation profiles give letters to (KINDS)
    role: what it is among those of its kind: query, gate_i, velocity; "each": of every sample, where another is of the whole
    axes, index: its directions, and the letters of its definition, one each
    definition: the general formula; cases: other formulas for single places along the last axes (one activation per neuron, a frozen
    weight); givens: values of given cells by position, None where there is none
    prefix: first part of ids; names: names of single cells
    of: the cell this one is derived from (the base of a gradient, an update …); through: the consumer on a path; wrt: what an
    activation derivative is taken by; terms: the parts of a gradient
    stage: "" or "after"; layer: 1 for the first after the inputs
    merged: so many axes at the end are numbered as one (the inputs of a layer that follows maps)
    letter: how it is written where notations have none for it; saved: the key of the problem file that its numbers stand under
    held: no gradient goes through it
    """

    name: str
    kind: str
    axes: tuple[Axis, ...] = ()
    index: tuple[Index, ...] = ()
    definition: Expr | None = None
    cases: Mapping[tuple[int, ...], Expr] | None = None
    givens: Givens | None = None
    prefix: str = ""
    names: Mapping[tuple[int, ...], str] | None = None
    of: Ref | None = None
    through: Ref | None = None
    wrt: Ref | None = None
    terms: tuple[Term, ...] = ()
    stage: str = ""
    layer: int = 0
    merged: int = 0
    role: str = ""
    letter: Letter | None = None
    saved: str = ""
    held: bool = False
    id: str = ""

    @property
    def word(self) -> str:
        """What ids call it where its cells have no names of their own: W1, loss, a variable of an equation."""
        return self.id or self.name

    def formula(self, indices: tuple[int, ...]) -> Expr | None:
        """The general formula that holds at a place."""
        if self.cases:
            width = len(next(iter(self.cases)))
            return self.cases.get(indices[len(indices) - width :], self.definition)
        return self.definition

    @property
    def formulas(self) -> list[Expr]:
        """The general formula and those of single places, each once."""
        return [formula for formula in dict.fromkeys((self.definition, *(self.cases or {}).values())) if formula is not None]

    @property
    def size(self) -> int:
        """The number of its places, existing or not."""
        return math.prod(axis.size for axis in self.axes)

    @property
    def sampled(self) -> bool:
        """Whether its first axis is the sample axis."""
        return bool(self.axes) and self.axes[0].role == "sample"

    @property
    def part_of_sum(self) -> bool:
        """Whether it is one path of a gradient, or one sample's gradient of what all samples share."""
        return self.kind == "path" or (self.kind == "gradient" and self.role == "each" and len(self.axes) > 2)

    def numbers(self, indices: tuple[int, ...]) -> tuple[int, ...]:
        """The printed numbers of a place, with merged axes counted through."""
        apart = len(self.axes) - self.merged
        plain = tuple(place + axis.first for axis, place in zip(self.axes[:apart], indices))
        return (*plain, through((axis.size for axis in self.axes[apart:]), indices[apart:]) + 1) if self.merged else plain

    def labels(self, indices: tuple[int, ...]) -> tuple[list[str], list[str]]:
        """The names in a place (h1) and the numbers in it; samples and times apart."""
        if self.kind in ("weight", "bias", "threshold"):
            return [], [str(number) for number in self.numbers(indices)]
        own = [(axis, place) for axis, place in zip(self.axes, indices) if axis.role not in ("sample", "time")]
        labels = [axis.labels[place] for axis, place in own if axis.labels]
        return labels, [axis.label(place) for axis, place in own if not axis.labels]


# kind → an example of what it is; the order is the order of the documentation.
KINDS: dict[str, str] = {
    "input": "i1",
    "target": "the target of o1",
    "weight": "w5, or W1[2,1]",
    "bias": "b1 (added)",
    "threshold": "θ1 (subtracted)",
    "rate": "the learning rate η",
    "given": "a given number of an equations problem",
    "variable": "a quantity of an equations problem",
    "net": "net_h1 = w1·i1 + w2·i2 + b1",
    "out": "out_h1 = σ(net_h1)",
    "part": "a gate, a query, a mean: what a layer works out on the way",
    "error": "t − o of one output",
    "loss_term": "½(t − o)² of one output",
    "loss": "the sum of the loss terms, or the reduction over samples",
    "local": "dout_h1/dnet_h1",
    "path": "one term of a sum over paths",
    "gradient": "∂E/∂ anything",
    "hyper": "a number of an optimiser, such as μ",
    "memory": "the velocity of w5 before the update",
    "state": "the velocity of w5",
    "change": "Δw5 = −η·∂E/∂w5",
    "updated": "w5 after the update",
}


class WorkedOut:
    """What has been worked out from formulas alone, and holds whatever the numbers are."""

    def __init__(self) -> None:
        self.instances: dict[Cell, Expr] = {}
        self.present: dict[Cell, bool] = {}
        self.names: dict[Cell, str] = {}
        self.uses: dict[Cell, tuple[Cell, ...]] = {}
        self.places: dict[str, list[tuple[int, ...]]] = {}
        self.paths: dict[str, list[str]] = {}
        self.ends: dict[str, set[str]] = {}
        self.groups: list[Any] = []  # those of order.py
        self.steps: dict[Cell, Any] = {}  # those of derivation.py, without numbers


# relation → of a quantity, the one that …; a relation is the kind of what is derived, or its role or stage where that says more.
RELATIONS: dict[str, str] = {
    "gradient": "is ∂E/∂ it; with several samples, of the whole loss",
    "each": "is ∂E/∂ it for every sample, or its value for every sample",
    "local": "is the slope of this activation",
    "change": "is Δ of this parameter",
    "updated": "is its value after the update",
    "after": "is it, worked out again with updated parameters",
}


class Graph:
    """Quantities in order of definition. Adding one twice, or a kind that is not in KINDS, is a programming error.

    Which quantities belong together is asked of the graph, never read from their names: `related(relation, name)` (with a method for each
    of RELATIONS), `in_layer(layer, kind, role)`, `bias(layer)`, `inputs`, `targets`, `errors`. All answer names, "" where there is none.
    """

    def __init__(self) -> None:
        self.quantities: dict[str, Quantity] = {}
        self.known = WorkedOut()
        self._related: dict[tuple[str, str], str] = {}
        self._in_layer: dict[tuple[int, str, str], tuple[str, ...]] = {}

    def renumbered(self, numbers: Graph) -> Graph:
        """The same formulas with the given numbers of another graph; the places of given cells must be the same.

        The new graph shares what is known; it is forgotten by the one whose formulas change.
        """
        result = Graph()
        result.known = self.known
        result.quantities = dict(self.quantities)
        result._related, result._in_layer = dict(self._related), dict(self._in_layer)
        for name, quantity in self.quantities.items():  # a copy, as of a state after the update, has the numbers of what it copies
            source = quantity.of.quantity if quantity.of is not None and quantity.stage else name
            if quantity.givens is not None and source in numbers:
                result.quantities[name] = quantity.replace(givens=numbers[source].givens)
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

    def redefine(self, quantity: Quantity) -> None:
        """Put another definition in the place of a quantity's: what a convention does."""
        self.quantities[quantity.name] = quantity
        self.known = WorkedOut()

    def rename(self, name: str, new: str, role: str) -> None:
        """Give a quantity another name and role in the same place; nothing may refer to it yet."""
        quantity = self.quantities[name].replace(name=new, role=role)
        self.quantities = {new if known == name else known: other for known, other in self.quantities.items()}
        self.redefine(quantity)
        self._related, self._in_layer = {}, {}
        for other in self:
            self._relate(other)

    def _add(self, quantity: Quantity) -> Quantity:
        if quantity.name in self.quantities or quantity.kind not in KINDS:
            raise ValueError(f"{quantity.name}: defined twice, or unknown kind {quantity.kind}")
        self.quantities[quantity.name] = quantity
        self.known = WorkedOut()
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
            places = (indices for indices in self._places(quantity) if self.present(name, indices))
            if quantity.size > SMALL:
                return places
            kept = self.known.places[name] = list(places)
        return iter(kept)

    def _places(self, quantity: Quantity) -> Iterator[tuple[int, ...]]:
        named = quantity.names
        sizes = [range(axis.size) for axis in quantity.axes]
        own = quantity.axes[1:] if quantity.sampled else quantity.axes
        if quantity.of is not None and quantity.through is None:
            base = self.quantities[quantity.of.quantity]
            named = base.names if base.axes == own else None
        if not named or len(named) < 2 or any(len(place) != len(own) for place in named):
            yield from product(*sizes)
        elif quantity.sampled:
            yield from ((sample, *place) for sample in sizes[0] for place in named)
        else:
            yield from named
            if quantity.givens is not None or len(named) < math.prod(axis.size for axis in own):
                yield from (place for place in product(*sizes) if place not in named)

    def present(self, name: str, indices: tuple[int, ...]) -> bool:
        """Whether there is such a cell: inside the axes, and an edge that exists."""
        found = self.known.present.get((name, indices))
        if found is None:
            found = self.known.present[name, indices] = self._is_cell(name, indices)
        return found

    def _is_cell(self, name: str, indices: tuple[int, ...]) -> bool:
        quantity = self.quantities[name]
        for place, axis in zip(indices, quantity.axes):
            if not 0 <= place < axis.size:
                return False
        if quantity.definition is None and quantity.givens is not None and quantity.givens(indices) is None:
            return False
        if quantity.of is not None:
            base = self.at(quantity.of, (name, indices))
            start = quantity.kind == "gradient" and self.quantities[base[0]].definition is not None
            if not self.present(*base) or (start and self.given_value(base) is not None):
                return False  # also: of the state that a recurrence starts from, nobody asks the gradient
            if quantity.wrt is not None and not self.present(*self.at(quantity.wrt, (name, indices))):
                return False
            if quantity.through is not None:
                return self.present(*self.at(quantity.through, (name, indices))) and self.instance((name, indices)) != ZERO
        return True

    def given_value(self, cell: Cell) -> Number | None:
        """The given number of a cell, None where it is computed."""
        quantity = self.quantities[cell[0]]
        return quantity.givens(cell[1]) if quantity.givens else None

    def instance(self, cell: Cell) -> Expr:
        """The definition of one cell, totals written out."""
        found = self.known.instances.get(cell)
        if found is None:
            name, indices = cell
            quantity = self.quantities[name]
            general = quantity.formula(indices)
            if general is None:
                raise KeyError(f"{name} is given, not defined")
            letters = {index.letter: place for index, place in zip(quantity.index, indices)}
            found = self.known.instances[cell] = bind(general, letters, self.present)
        return found

    def uses(self, wanted: Cell) -> tuple[Cell, ...]:
        """The cells that the definition of a cell uses, each once, in the order written."""
        found = self.known.uses.get(wanted)
        if found is None:
            found = self.known.uses[wanted] = tuple(map(cell, references(self.instance(wanted))))
        return found

    def at(self, reference: Ref, wanted: Cell) -> Cell:
        """What a reference in a quantity's own indices (of, through, a term) is, at one of its cells."""
        quantity = self.quantities[wanted[0]]
        if reference.indices == quantity.index:
            return reference.quantity, wanted[1]
        places = {index.letter: place for index, place in zip(quantity.index, wanted[1])}
        return cell(Ref(reference.quantity, tuple([shift_index(place, places) for place in reference.indices])))

    # --- ids ---

    def core(self, cell: Cell) -> str:
        """The part of an id that says which cell: a neuron's, a parameter's name; without the sample and the time."""
        name, indices = cell
        quantity = self.quantities[name]
        if quantity.names and indices in quantity.names:
            return quantity.names[indices]
        return self._unnamed(cell)

    def _unnamed(self, cell: Cell) -> str:
        """The same for a cell without a name of its own."""
        name, indices = cell
        quantity = self.quantities[name]
        if quantity.of is not None:
            base = self.at(quantity.of, cell)
            if quantity.through is None:
                return self.core(base)
            return self.end(self.at(quantity.through, cell)) + "." + self.end(base)
        if quantity.kind in ("given", "variable", "rate", "hyper", "memory", "state"):
            return quantity.word
        labels, numbers = quantity.labels(indices)
        given = quantity.kind in ("weight", "bias", "threshold")
        return (".".join(labels) or quantity.word * (given or bool(numbers))) + (f"[{','.join(numbers)}]" if numbers else "")

    def numbered(self, cell: Cell) -> str:
        """A parameter by its place along every axis, such as W1[2,1], whether or not it has a name of its own."""
        numbers = ",".join(str(place + axis.first) for place, axis in zip(cell[1], self.quantities[cell[0]].axes))
        return f"{self._unnamed(cell).partition('[')[0]}[{numbers}]"

    def stem(self, cell: Cell) -> str:
        """The id without the sample."""
        quantity = self.quantities[cell[0]]
        if quantity.of is None or quantity.through is not None:
            core = self.core(cell)
            bare = quantity.of is None and core.startswith(quantity.word + "[")  # net2[1,3], where there are no neurons
            return core if bare else ".".join(filter(None, (quantity.prefix, core)))
        base = self.at(quantity.of, cell)
        return f"{quantity.prefix}.{self.stem(base)}"

    def cell_id(self, cell: Cell) -> str:
        """The id of a cell, such as grad.w5, net.h1@Alice or net.h1@t2."""
        found = self.known.names.get(cell)
        if found is not None:
            return found
        quantity = self.quantities[cell[0]]
        along = [axis.along(place) for axis, place in zip(quantity.axes, cell[1]) if axis.role in ("sample", "time")]
        found = "@".join((self.stem(cell), *along))
        if quantity.through is not None:
            found = told_apart(self, cell, found, along)
        self.known.names[cell] = found
        return found

    def end(self, cell: Cell) -> str:
        """What a path calls the cell it comes from or goes to; several parts have one neuron, they are told by their prefix."""
        is_part = self.quantities[cell[0]].kind == "part"
        return (self.stem(cell) if is_part else self.core(cell)) or self.quantities[cell[0]].word

    def find(self, text: str) -> Cell | None:
        """The cell with an id, None where there is none. Only quantities with the id's first part are looked through, and of samples
        those that the id names."""
        word, _, numbers = text.rstrip("]").partition("[")
        name = next((quantity.name for quantity in self if numbers and self._spelled(quantity) == word), "")
        if name:  # W1[2,1] or grad.W1[2,1]: the places are in the id
            firsts = [axis.first for axis in self[name].axes] if not self[name].merged else []
            parts = numbers.split(",")
            if len(parts) == len(firsts) and all(part.isascii() and part.isdigit() and len(part) < 10 for part in parts):
                place = tuple(int(part) - first for part, first in zip(parts, firsts))
                if self.present(name, place) and self.cell_id((name, place)) == text:
                    return name, place
        for quantity in self:
            if text.startswith((quantity.prefix, quantity.word)):
                for indices in self._named_in(text, quantity):
                    if self.cell_id((quantity.name, indices)) == text:
                        return quantity.name, indices
        return None

    def _spelled(self, quantity: Quantity) -> str:
        """What the ids of a quantity begin with whose cells have no names: W1, grad.W1."""
        return f"{quantity.prefix}.{self._spelled(self[quantity.of.quantity])}" if quantity.of else quantity.word

    def _named_in(self, text: str, quantity: Quantity) -> Iterator[tuple[int, ...]]:
        """The places that an id can mean: it has an @ where there are samples or times, and no name has one."""
        if any(axis.role in ("sample", "time") for axis in quantity.axes) != ("@" in text):
            return iter(())
        if not quantity.sampled:
            return self.positions(quantity.name)
        first, *others = quantity.axes
        samples = [place for place in range(first.size) if "@" + first.label(place) in text]
        places = product(samples, *(range(axis.size) for axis in others))
        return (indices for indices in places if self.present(quantity.name, indices))


def cell(reference: Ref) -> Cell:
    """The cell a reference with concrete indices points at."""
    return reference.quantity, reference.places
