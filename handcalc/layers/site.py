"""Where a layer is built: the graph, what comes in, and small helpers that every builder uses.

- `Site` is handed to a builder; `Site.parameter` defines given tensors, `Site.part` what is worked out on the way; a builder answers the
  reference to its output, a quantity of the kind `out`.
- `letter`, `sample_index`, `totals`, `shifted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from handcalc.core.expr import Entry, Expr, Ref, number, reindex, total
from handcalc.core.graph import Graph
from handcalc.core.index import ROLES, Axis, Index, Position, affine, position
from handcalc.core.quantity import Givens, Letter, Quantity
from handcalc.core.record import Record
from handcalc.layers.softmax import STEPPED, add_steps
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Conventions, Layer, Problem, Tensor
from handcalc.problem.shapes import is_single

LOWEST = number("-1e9")  # stands for −∞: nothing is smaller, and e to its power is 0
LETTERS = "ijklmnpq"


class Site(Record):
    """A layer to be built: place: its number from 1; source: the reference to what comes in; merged: how many of its directions at
    the end are the features of a dense layer (all after a flatten); outputs: the references to all earlier outputs, inputs first;
    letters: those of its type; last: whether no layer comes after it."""

    graph: Graph
    layer: Layer
    place: int
    source: Ref
    merged: int
    outputs: tuple[Ref, ...]
    conventions: Conventions
    letters: Mapping[str, Letter]
    last: bool = False

    @property
    def batch(self) -> tuple[Index, ...]:
        """The index over samples, if there is one."""
        return tuple(i for i in self.source.indices[:1] if isinstance(i, Index) and i.axis.role == "sample")

    @property
    def incoming(self) -> tuple[Index, ...]:
        """The free indices of what comes in, without the sample's."""
        return tuple(index for place in self.source.indices[len(self.batch) :] for _, index in affine(place).terms)

    @property
    def outgoing(self) -> tuple[Index, ...]:
        """The same letters along the axes of the layer's own output, which has the same shape."""
        return tuple(Index(index.letter, axis) for index, axis in zip(self.incoming, self.layer.axes))

    def written(self, role: str) -> Letter:
        """How a part is written."""
        if role not in self.letters:
            raise KeyError(f"the layer type {self.layer.type} has no letter for its part {role}")
        return self.letters[role]

    def name(self, role: str) -> str:
        """What the layer calls a quantity in the graph, also before it is there."""
        return f"{role}{self.place}"

    def at(self, *places: Position) -> Ref:
        """What comes in, at other places than its own free indices."""
        return reindexed(self.source, self.incoming, places)

    def beside(self, other: Ref) -> Ref:
        """An earlier output at the places of what comes in; the channel of a plain image may be there in one of them only."""
        free, own = self.replace(source=other).incoming, self.incoming
        if len(free) != len(own):
            rest = iter([index for index in own if not is_single(index.axis)])
            return reindexed(other, free, tuple(0 if is_single(index.axis) else next(rest) for index in free))
        return reindexed(other, free, own)

    def tensor(self, kind: str, role: str = "") -> Tensor | None:
        """What is given for the layer with a kind and a role."""
        return next((tensor for tensor in self.layer.tensors if (tensor.kind, tensor.role) == (kind, role)), None)

    def has(self, kind: str, role: str = "") -> bool:
        """Whether there is such a tensor."""
        return self.tensor(kind, role) is not None

    def parameter(self, kind: str, role: str, *index: Index) -> Ref:
        """A given tensor of the layer as a quantity, with these index letters."""
        tensor = self.tensor(kind, role)
        assert tensor is not None, f"layer {self.place} has no {kind} {role}"
        own = role in self.letters or kind == "input"
        letter = self.written(role) if own else Letter(tensor.letter, role) if role else None
        name, shape = self.name(tensor.stem), (tensor.axes, index)
        givens = None if tensor.values is None else tensor.get
        self.graph.given(Quantity(name, kind, *shape, givens=givens, layer=self.place, role=role, letter=letter, saved=tensor.key))
        return Ref(name, index)

    def data(self, role: str, index: tuple[Index, ...], givens: Givens, layer: int | None = None) -> Ref:
        """Numbers that are known beforehand, such as a mask or positions; layer: another than the site's, 0 for what the inputs are."""
        name, axes = self.name(role), tuple(i.axis for i in index)
        number = self.place if layer is None else layer
        self.graph.given(Quantity(name, "input", axes, index, givens=givens, layer=number, role=role, letter=self.written(role)))
        return Ref(name, index)

    def part(
        self,
        role: str,
        index: tuple[Index, ...],
        formula: Expr,
        cases: Mapping[tuple[int, ...], Expr] | None = None,
        givens: Givens | None = None,
        held: bool = False,
        stepwise: Expr | None = None,
    ) -> Ref:
        """A quantity that the layer works out on the way, such as a query; net and out are the kinds of that name. stepwise: its formula
        once more, over steps; softmax has its own."""
        kind, name, axes = (role if role in ("net", "out") else "part"), self.name(role), tuple(i.axis for i in index)
        own = ("", None) if kind == role else (role, self.written(role))
        quantity = Quantity(name, kind, axes, index, formula, cases or None, givens, role, layer=self.place, held=held, stepwise=stepwise)
        if isinstance(formula, Entry) and formula.function in STEPPED and self.conventions.softmax != "at_once":
            shifted = self.conventions.softmax == "shifted"
            quantity = quantity.replace(stepwise=add_steps(self.graph, self.place, index, formula, self.last, shifted))
        self.graph.define(quantity.replace(role=own[0], letter=own[1]))
        return Ref(name, index)

    def step(self, role: str, index: tuple[Index, ...], formula: Expr) -> Ref:
        """What only the lines of a part go through: no gradient does."""
        name, axes = self.name(role), tuple(i.axis for i in index)
        self.graph.define(Quantity(name, "step", axes, index, formula, prefix=name, role=role, layer=self.place, letter=Letter(role)))
        return Ref(name, index)

    def output(self, index: tuple[Index, ...], formula: Expr, cases: Mapping[tuple[int, ...], Expr] | None = None) -> Ref:
        """The layer's output."""
        return self.part("out", index, formula, cases)


def reindexed(reference: Ref, free: tuple[Index, ...], places: tuple[Position, ...]) -> Ref:
    """A reference with its free indices replaced."""
    found = reindex(reference, {index.letter: place for index, place in zip(free, places)})
    assert isinstance(found, Ref)
    return found


def letter(layer: int) -> str:
    """Index letter of a layer: i for the inputs, j for the first layer after them, …"""
    return LETTERS[layer] if layer < len(LETTERS) else f"{LETTERS[layer % len(LETTERS)]}{layer // len(LETTERS)}"


def sample_index(problem: Problem) -> tuple[Index, ...]:
    """The index over samples, or none where there is never more than one."""
    batch = problem.batch
    if batch.alone if batch else len(problem.samples) < 2:
        return ()
    names, part = (batch.names, batch.places) if batch else (sample_names(problem.samples), ())
    return (Index("s", Axis("sample", len(problem.samples), names, part=part)),)


def index_of(axis: Axis, letter: str = "") -> Index:
    """An index along an axis, with the usual letter of its role."""
    return Index(letter or ROLES[axis.role].letter, axis)


def totals(indices: tuple[Index, ...], body: Expr) -> Expr:
    """Σ over several indices."""
    for index in reversed(indices):
        body = total(index, body)
    return body


def places(axes: tuple[Axis, ...]) -> Iterator[tuple[int, ...]]:
    """Every place, in the order in which numbers of such axes are listed."""
    return product(*(range(axis.size) for axis in axes))


def shifted(constant: int, *terms: tuple[int, Index]) -> Position:
    """coefficient·index + … + constant."""
    return position({index: coefficient for coefficient, index in terms}, constant)
