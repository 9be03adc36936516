"""What a graph holds: quantities, each a family of cells with one general definition, and their cells.

- `Quantity` is the record, `KINDS` the closed list of what a quantity may be; `Term` is one part of a gradient; `Letter` how a quantity
  is written where no notation has a letter for it.
- `cell(reference)` is the cell that a reference with numbers for places points at.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from handcalc.core.expr import Expr, Number, Ref
from handcalc.core.index import Axis, Index, through
from handcalc.core.record import Record

Cell = tuple[str, tuple[int, ...]]
Givens = Callable[[tuple[int, ...]], Number | None]


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
    weight); givens: values of given cells by position, None where there is none; a quantity without both is unknown
    prefix: first part of ids; names: names of single cells
    of: the cell this one is derived from (the base of a gradient, an update …); through: the consumer on a path; wrt: what an
    activation derivative is taken by; terms: the parts of a gradient
    stage: "" or "after"; layer: 1 for the first after the inputs
    merged: so many axes at the end are numbered as one (the inputs of a layer that follows maps)
    letter: how it is written where notations have none for it; saved: the key of the problem file that its numbers stand under
    held: no gradient goes through it; shared: which cells stand at places that have none, the weights of other edges
    stepwise: the definition once more, with names for what it is worked out from (the powers of softmax, their sum): cells are worked
    by it, slopes follow the definition itself
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
    shared: Mapping[tuple[int, ...], Ref] = {}
    id: str = ""
    stepwise: Expr | None = None

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
    def unknown(self) -> bool:
        """Whether nobody gave its numbers, and nothing says what they follow from."""
        return self.definition is None and self.givens is None

    @property
    def sampled(self) -> bool:
        """Whether its first axis is the sample axis."""
        return bool(self.axes) and self.axes[0].role == "sample"

    @property
    def starts(self) -> bool:
        """Whether some of its cells are given and the others worked out from them: a recurrence."""
        return self.definition is not None and self.givens is not None

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
    "step": "e^net_o1 and the sum of them all: what an output is worked out from, though no slope goes through it",
    "error": "t − o of one output",
    "loss_term": "½(t − o)² of one output",
    "loss": "the sum of the loss terms, or the reduction over samples",
    "local": "dout_h1/dnet_h1",
    "path": "one term of a sum over paths",
    "gradient": "∂E/∂ anything",
    "hyper": "a number of an optimiser or a loss, such as μ",
    "memory": "the velocity of w5 before the update",
    "state": "the velocity of w5",
    "change": "Δw5 = −η·∂E/∂w5",
    "updated": "w5 after the update",
}


def cell(reference: Ref) -> Cell:
    """The cell a reference with concrete indices points at."""
    return reference.quantity, reference.places
