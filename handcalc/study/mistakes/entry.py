"""What a mistake is: a wrong definition put in the place of a right one, cell by cell.

- `Mistake` is one entry of the catalogue; each of its `variants` maps the role of a cell (`net`, `grad.out` …) to a
  rule `(place, formula) → wrong formula`, None where the mistake does not occur there.
- `Place` is where a rule is applied: the cell, its layer, and short ways to its neighbours.

A rule sees the definition of one cell as the solution prints it, so it works at any depth, with missing edges and with
one activation per neuron, at every place or at a single one, and after another mistake has been made. It never computes.

Roles: given (a number of the sheet), net, out, loss_term, loss, local, path, grad.out, grad.net, grad.weight, grad.bias,
reduced (the gradient of several samples), state.velocity (and whatever else an optimiser keeps), change, updated, and
after.net (re-computed with the new parameters; the other forward roles hold there too).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from handcalc.core.expr import Expr, Ref, references, rewrite
from handcalc.core.graph import Cell, Graph, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message

if TYPE_CHECKING:
    from handcalc.study.workbook import Workbook

BIASES = ("bias", "threshold")
SOURCES = ("input", "out")


class Place(Record):
    """A cell of the first iteration, and the workbook it is in."""

    book: Workbook
    cell: Cell

    @property
    def graph(self) -> Graph:
        """The graph of the first iteration."""
        return self.book.graph

    @property
    def quantity(self) -> Quantity:
        """The quantity of the cell."""
        return self.graph[self.cell[0]]

    @property
    def layer(self) -> int:
        """The layer of the cell, 1 for the first after the inputs."""
        return self.quantity.layer

    @property
    def is_last(self) -> bool:
        """Whether the cell belongs to the output layer."""
        return self.layer == self.book.last

    @property
    def sample(self) -> tuple[int, ...]:
        """The place on the sample axis, or nothing."""
        return self.cell[1][:1] if self.quantity.sampled else ()

    @property
    def own(self) -> tuple[int, ...]:
        """The places on the other axes."""
        return self.cell[1][len(self.sample) :]

    @property
    def loss(self) -> str:
        """The name of the loss function."""
        return self.book.problem.loss.name if self.book.problem.loss else ""

    @property
    def optimiser(self) -> str:
        """The name of the optimiser."""
        return self.book.problem.optimizer.name

    def activation(self, layer: int, unit: int) -> str:
        """The name of a neuron's activation function."""
        chosen = self.book.problem.layers[layer - 1].activations
        return chosen[unit if len(chosen) > 1 else 0].name

    def units(self, layer: int) -> int:
        """Neurons of a layer; layer 0 has the inputs."""
        return self.graph[f"net{layer}" if layer else "x"].axes[-1].size

    def kind(self, ref: Ref) -> str:
        """The kind of the quantity a reference points at."""
        return self.graph[ref.quantity].kind

    def at(self, name: str, *own: int) -> Ref | None:
        """The cell of a quantity at these places, in the same sample; None where there is none."""
        if name not in self.graph:
            return None
        places = (*(self.sample if self.graph[name].sampled else ()), *own)
        return Ref(name, places) if len(places) == len(self.graph[name].axes) and self.graph.present(name, places) else None

    def beside(self, ref: Ref, step: int) -> Ref | None:
        """The cell of the same quantity that stands so many places further in its row, or in its column of one."""
        axes = self.graph[ref.quantity].axes
        wide = next((place for place in reversed(range(len(axes))) if axes[place].size > 1 and axes[place].role != "sample"), None)
        if wide is None:
            return None
        moved = list(ref.indices)
        moved[wide] += step  # type: ignore[operator]
        places: tuple[int, ...] = tuple(moved)  # type: ignore[arg-type]
        return Ref(ref.quantity, places) if self.graph.present(ref.quantity, places) else None

    def formula(self, ref: Ref) -> Expr:
        """The right definition of another cell."""
        return self.book.instance((ref.quantity, ref.indices))  # type: ignore[arg-type]

    def first(self, expr: Expr, *kinds: str) -> Ref | None:
        """The first reference to a quantity of these kinds."""
        return next((ref for ref in references(expr) if self.kind(ref) in kinds), None)

    def swap(self, expr: Expr, change: Callable[[Ref], Expr | None], *kinds: str) -> Expr:
        """The expression with references to these kinds changed."""
        return rewrite(expr, lambda node: change(node) if isinstance(node, Ref) and self.kind(node) in kinds else None)


Rule = Callable[[Place, Expr], Expr | None]
Variant = Mapping[str, Rule]


class Mistake(Record):
    """One entry of the catalogue.

    slug: public name; name: one line; explanation: two lines for the student, what went wrong and what is right;
    variants: forms it takes, each a table role → rule; across: the same between iterations, on a cell of a later one;
    single: it happens at one place only (a number miscopied).
    """

    slug: str
    name: str
    explanation: str
    variants: tuple[Variant, ...] = ()
    across: Callable[[Workbook, Cell, Expr], Expr | None] | None = None
    single: bool = False

    @property
    def told(self) -> tuple[Message, ...]:
        """The explanation line by line, to be translated as a whole."""
        return tuple(_Line(self.explanation, number) for number in range(self.explanation.count("\n") + 1))


class _Line(Message):
    """One line of a text."""

    def __init__(self, template: str, number: int) -> None:
        super().__init__(template)
        self.number = number

    def text(self, translate: Callable[[str], str] = str) -> str:
        """That line."""
        lines = super().text(translate).split("\n")
        return lines[self.number] if self.number < len(lines) else ""


def role(book: Workbook, wanted: Cell) -> str:
    """The role of a cell of the first iteration."""
    graph = book.graph
    quantity = graph[wanted[0]]
    kind = quantity.kind
    if quantity.stage == "after":
        return "after." + kind
    if quantity.definition is None:
        return "given"
    if kind == "gradient":
        if quantity.name + "@" in graph:
            return "reduced"
        of = graph[quantity.of.quantity].kind if quantity.of else ""
        return "grad." + ("bias" if of in BIASES else of)
    return f"state.{quantity.prefix or quantity.name}" if kind == "state" else kind
