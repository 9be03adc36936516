"""Where a layer is built: the graph, what comes in, and small helpers that every builder uses.

- `Site` is handed to a builder; `Site.parameter` defines given tensors; a builder answers the reference to its output,
  a quantity called `out` and the layer's number.
- `letter`, `sample_index`, `totals`, `shifted`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product

from handcalc.core.expr import Expr, Ref, number, reindex, total
from handcalc.core.graph import Graph, Quantity
from handcalc.core.index import Axis, Index, Position, affine, position
from handcalc.core.record import Record
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Conventions, Layer, Problem

HELD = "held_"  # begins the names of copies that no gradient goes through
LOWEST = number("-1e9")  # stands for −∞: nothing is smaller, and e to its power is 0
LETTERS = "ijklmnpq"
SPACE = {"channel": "d", "row": "r", "column": "c", "time": "t", "token": "t", "head": "h", "unit": "j", "input": "i"}


class Site(Record):
    """A layer to be built: place: its number from 1; source: the reference to what comes in; merged: how many of its directions at
    the end are the features of a dense layer (all after a flatten); outputs: the references to all earlier outputs, inputs first."""

    graph: Graph
    layer: Layer
    place: int
    source: Ref
    merged: int
    outputs: tuple[Ref, ...]
    conventions: Conventions

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

    def at(self, *places: Position) -> Ref:
        """What comes in, at other places than its own free indices."""
        return reindexed(self.source, self.incoming, places)

    def has(self, name: str) -> bool:
        """Whether a parameter of that name is given."""
        return any(tensor.name == name for tensor in self.layer.tensors)

    def parameter(self, name: str, *index: Index) -> Ref:
        """A given tensor of the layer as a quantity, with these index letters."""
        tensor = next(tensor for tensor in self.layer.tensors if tensor.name == name)
        self.graph.given(Quantity(name, tensor.kind, tensor.axes, index, givens=tensor.get, layer=self.place))
        return Ref(name, index)

    def part(
        self, name: str, index: tuple[Index, ...], formula: Expr, kind: str = "part", cases: Mapping[tuple[int, ...], Expr] | None = None
    ) -> Ref:
        """A quantity that the layer works out on the way, such as a query; its name gets the layer's number."""
        axes = tuple(i.axis for i in index)
        self.graph.define(Quantity(f"{name}{self.place}", kind, axes, index, formula, cases or None, prefix=name, layer=self.place))
        return Ref(f"{name}{self.place}", index)

    def output(self, index: tuple[Index, ...], formula: Expr) -> Ref:
        """The layer's output."""
        return self.part("out", index, formula, "out")


def reindexed(reference: Ref, free: tuple[Index, ...], places: tuple[Position, ...]) -> Ref:
    """A reference with its free indices replaced."""
    found = reindex(reference, {index.letter: place for index, place in zip(free, places)})
    assert isinstance(found, Ref)
    return found


def letter(layer: int) -> str:
    """Index letter of a layer: i for the inputs, j for the first layer after them, …"""
    return LETTERS[layer] if layer < len(LETTERS) else f"{LETTERS[layer % len(LETTERS)]}{layer // len(LETTERS)}"


def sample_index(problem: Problem) -> tuple[Index, ...]:
    """The index over samples, or none where there is one sample only."""
    if len(problem.samples) < 2:
        return ()
    return (Index("s", Axis("sample", len(problem.samples), sample_names(problem.samples))),)


def index_of(axis: Axis, letter: str = "") -> Index:
    """An index along an axis, with the usual letter of its role."""
    return Index(letter or SPACE[axis.role], axis)


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
