"""What a mistake is: a wrong definition put in the place of a right one, cell by cell.

- `Mistake` is one entry of the catalogue; each of its `variants` maps the role of a cell (`net`, `grad.out` …) to a
  rule `(place, formula) → wrong formula`, None where the mistake does not occur there.
- `Place` is where a rule is applied: the cell, its layer, and short ways to its neighbours; `Place.written` writes the
  general formula out again with other references, for a window that stands elsewhere.

A rule sees the definition of one cell as the solution prints it, so it works at any depth, with missing edges and with
one activation per neuron, at every place or at a single one, and after another mistake has been made. It never computes.

Roles: given (a number of the sheet), net, out, loss_term, loss (of the data, where there are penalties: penalty; with them: penalised;
beside it: reported), local, path.penalty, path, grad.out, grad.net, grad.weight, grad.bias,
reduced (the gradient of several samples), state.velocity (and whatever else an optimiser keeps), change, updated, and
after.net (re-computed with the new parameters; the other forward roles hold there too). What a layer works out on the way has
its own role: part.gate_i, part.score, grad.cell …; a weighted sum among them is a net as well, a value of a function an out
(`LIKE`), and a path to a weight that is used at several places is a grad.weight. So has a part of a loss: loss_term.smoothed; and the
matrix of the derivatives of softmax: local.jacobian.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from handcalc.core.binding import bind
from handcalc.core.expr import ZERO, Expr, Ref, Sum, add, references, rewrite
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import Message, Template
from handcalc.models.penalties import PENALTIES

if TYPE_CHECKING:
    from handcalc.marking.workbook import Workbook

BIASES = ("bias", "threshold")
SOURCES = ("input", "out")

GATES = "ifgorzn"  # input, forget, candidate and output of an LSTM; reset, update and candidate of a GRU
GATE_OF = {f"net_{letter}": f"gate_{letter}" for letter in GATES}  # net input of a gate → the gate
# part of a layer → what the rules for dense layers may take it for
LIKE = {
    **dict.fromkeys(("query", "key", "value", *GATE_OF), "net"),
    **dict.fromkeys(("attention", *GATE_OF.values()), "out"),
}


class Place(Record):
    """A cell of an iteration, called as in the first, and the workbook it is in."""

    book: Workbook
    cell: Cell
    number: int = 1

    @property
    def graph(self) -> Graph:
        """The graph of the iteration."""
        return self.book.of_round(self.number)

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

    @property
    def type(self) -> str:
        """The type of the layer."""
        return self.type_of(self.layer)

    def type_of(self, layer: int) -> str:
        """The type of any layer; nothing for the inputs, and where there are no layers."""
        return self.book.problem.layers[layer - 1].type if layer else ""

    @property
    def options(self) -> Mapping[str, Any]:
        """The layer's options: stride, padding, heads …"""
        return self.book.problem.layers[self.layer - 1].options

    def activation(self, unit: int) -> str:
        """The name of a neuron's activation function."""
        chosen = self.book.problem.layers[self.layer - 1].activations
        return chosen[unit if len(chosen) > 1 else 0].name if chosen else ""

    def units(self, layer: int) -> int:
        """Neurons, or features, of a layer; layer 0 has the inputs."""
        name = self.in_layer("out", layer=layer) if layer else self.graph.inputs
        return self.graph[name].axes[-1].size if name else 0

    def in_layer(self, kind: str, role: str = "", layer: int = 0) -> str:
        """The name of a quantity of this layer or of another, "" where there is none."""
        return self.graph.in_layer(layer or self.layer, kind, role)

    @property
    def rate(self) -> Ref:
        """The learning rate η, that of the parameter where it has one of its own."""
        of = self.quantity.of
        own = self.graph.related("rate", of.quantity) if of else ""
        return Ref(own, self.cell[1]) if own and not self.quantity.sampled else Ref(self.graph.in_layer(0, "rate"))

    @property
    def outputs(self) -> list[Ref]:
        """The targets of this sample, one for every output."""
        name = self.graph.targets
        return [Ref(name, place) for place in self.graph.positions(name) if place[: len(self.sample)] == self.sample] if name else []

    def out_of(self, target: Ref) -> Ref | None:
        """The output that is compared with a target."""
        return self.same(self.in_layer("out", layer=self.book.last), target)

    def from_loss(self, formula: Expr) -> tuple[Expr, Expr]:
        """∂E/∂out in two parts: what comes from the loss itself, and what comes back over later times."""
        terms = formula.terms if isinstance(formula, Sum) else (formula,)
        back = [term for term in terms if any(self._is_way_back(ref) for ref in references(term))]
        return (add(*(term for term in terms if term not in back)), add(*back)) if back else (formula, ZERO)

    def _is_way_back(self, ref: Ref) -> bool:
        quantity = self.graph[ref.quantity]
        if quantity.kind == "path" and quantity.through is not None:
            return self.graph[quantity.through.quantity].kind not in ("loss", "loss_term")
        return quantity.kind == "gradient"

    def is_penalty_path(self, ref: Ref) -> bool:
        """Whether a reference points at what a penalty in the loss adds to a gradient."""
        return is_penalty_path(self.graph, self.graph[ref.quantity])

    def kind(self, ref: Ref) -> str:
        """The kind of the quantity a reference points at; of a part that is like a net or an out, that."""
        return kind(self.graph[ref.quantity])

    def role(self, ref: Ref) -> str:
        """What a reference points at, by its role: mean, gate_i …; by its kind, where that says it."""
        return role(self.graph[ref.quantity])

    def at(self, name: str, *own: int) -> Ref | None:
        """The cell of a quantity at these places, in the same sample; None where there is none."""
        if name not in self.graph:
            return None
        places = (*(self.sample if self.graph[name].sampled else ()), *own)
        return Ref(name, places) if len(places) == len(self.graph[name].axes) and self.graph.present(name, places) else None

    def same(self, name: str, ref: Ref | None = None) -> Ref | None:
        """The cell of a quantity at the places of this cell, or of another; times are compared as they are printed."""
        source, places = self.cell if ref is None else (ref.quantity, ref.places)
        if name not in self.graph or len(self.graph[name].axes) != len(places):
            return None
        axes = zip(places, self.graph[source].axes, self.graph[name].axes)
        moved = tuple(place + own.first - other.first if own.role == "time" else place for place, own, other in axes)
        return Ref(name, moved) if self.graph.present(name, moved) else None

    def time(self, ref: Ref) -> int | None:
        """The time a reference points at, as it is printed."""
        axes = zip(ref.places, self.graph[ref.quantity].axes)
        return next((place + axis.first for place, axis in axes if axis.role == "time"), None)

    def written(self, change: Callable[[Ref], Expr | None]) -> Expr:
        """The general formula with its references changed, written out for this cell."""
        return self.rewritten(lambda node: change(node) if isinstance(node, Ref) else None)

    def rewritten(self, change: Callable[[Expr], Expr | None]) -> Expr:
        """The general formula with any of its parts changed, written out for this cell."""
        general = self.quantity.formula(self.cell[1])
        assert general is not None
        changed = rewrite(general, change)
        letters = {index.letter: place for index, place in zip(self.quantity.index, self.cell[1])}
        return bind(changed, letters, self.graph.present)

    @property
    def right(self) -> Expr:
        """The right definition of the cell itself."""
        return self.book.written(self.cell, self.number, at_once=True)

    def turned(self, ref: Ref) -> Ref | None:
        """A weight of a square matrix with row and column exchanged."""
        sizes = [axis.size for axis in self.graph[ref.quantity].axes]
        places = ref.places[::-1]
        fits = len(sizes) == 2 and sizes[0] == sizes[1] and self.graph.present(ref.quantity, places)
        return Ref(ref.quantity, places) if fits else None

    def beside(self, ref: Ref, step: int) -> Ref | None:
        """The cell of the same quantity that stands so many places further in its row, or in its column of one."""
        axes = self.graph[ref.quantity].axes
        wide = next((place for place in reversed(range(len(axes))) if axes[place].size > 1 and axes[place].role != "sample"), None)
        if wide is None:
            return None
        moved = list(ref.places)
        moved[wide] += step
        places = tuple(moved)
        return Ref(ref.quantity, places) if self.graph.present(ref.quantity, places) else None

    def formula(self, ref: Ref) -> Expr:
        """The right definition of another cell."""
        return self.book.written((ref.quantity, ref.places), self.number, at_once=True)

    def first(self, expr: Expr, *kinds: str) -> Ref | None:
        """The first reference to a quantity of these kinds, or of any."""
        return next((ref for ref in references(expr) if not kinds or self.kind(ref) in kinds), None)

    def swap(self, expr: Expr, change: Callable[[Ref], Expr | None], *kinds: str) -> Expr:
        """The expression with references to these kinds changed."""
        graph = self.graph
        return rewrite(expr, lambda node: change(node) if isinstance(node, Ref) and kind(graph[node.quantity]) in kinds else None)


Rule = Callable[[Place, Expr], Expr | None]
Variant = Mapping[str, Rule]


class Mistake(Record):
    """One entry of the catalogue.

    slug: public name; name: one line; explanation: two lines for the student, what went wrong and what is right;
    variants: forms it takes, each a table role → rule; across: the same between iterations, on a cell of a later one;
    single: it happens at one place only (a number miscopied); convention: the name of the one under which it is none, and on_this_sheet:
    what is then said.
    """

    slug: str
    name: Template
    explanation: Template
    variants: tuple[Variant, ...] = ()
    across: Callable[[Workbook, Cell, Expr], Expr | None] | None = None
    single: bool = False
    convention: str = ""
    on_this_sheet: Template = ""

    @property
    def explanation_lines(self) -> tuple[Message, ...]:
        """The explanation line by line, to be translated as a whole."""
        return tuple(_ExplanationLine(self.explanation, number) for number in range(self.explanation.count("\n") + 1))


class _ExplanationLine(Message):
    """One line of a text."""

    def __init__(self, template: Template, number: int) -> None:
        super().__init__(template)
        self.number = number

    def text(self, translate: Callable[[str], str] = str) -> str:
        """That line."""
        lines = super().text(translate).split("\n")
        return lines[self.number] if self.number < len(lines) else ""


def kind(quantity: Quantity) -> str:
    """The kind of a quantity; of a part of a layer what the rules for dense layers may take it for."""
    return LIKE.get(quantity.role, "part") if quantity.kind == "part" else quantity.kind


def role(quantity: Quantity) -> str:
    """The role of a quantity, or its kind where that says what it is."""
    return quantity.role or quantity.kind


def is_penalty_path(graph: Graph, quantity: Quantity) -> bool:
    """Whether it is what a penalty in the loss adds to a gradient."""
    return quantity.kind == "path" and quantity.through is not None and graph[quantity.through.quantity].role in PENALTIES


def _roles_of_loss(graph: Graph, quantity: Quantity) -> tuple[str, ...]:
    """The roles of a loss: with penalties, what rules know as the loss is that of the data."""
    if quantity.role in PENALTIES:
        return ("penalty",)
    if quantity.role.endswith("reported"):
        return ("reported",)
    return ("penalised",) if not quantity.role and graph.in_layer(0, "loss", "data") else ("loss",)


def roles(book: Workbook, wanted: Cell) -> tuple[str, ...]:
    """The roles of a cell of the first iteration, the most particular first."""
    graph = book.graph
    quantity = graph[wanted[0]]
    if quantity.definition is None or book.given_value(wanted) is not None:
        return ("given",)
    if quantity.stage == "after":
        before = roles(book, (book.earlier[quantity.name], wanted[1]))
        return (*("after." + role for role in before), *before)
    of = graph[quantity.of.quantity] if quantity.of else quantity
    if quantity.kind == "loss":
        return _roles_of_loss(graph, quantity)
    if is_penalty_path(graph, quantity):
        return ("path.penalty",)
    if quantity.kind == "path" and of.kind == "weight":
        return ("path", "grad.weight")
    if quantity.kind == "gradient":
        if graph.related("each", of.name) not in ("", quantity.name):
            return ("reduced",)
        base = "bias" if of.kind in BIASES else kind(of)
        return (f"grad.{of.role}", f"grad.{base}") if of.kind == "part" else (f"grad.{base}",)
    if quantity.kind == "state":
        return (f"state.{quantity.role}",)
    named = quantity.kind in ("part", "step", "loss_term", "local") and quantity.role
    return (f"{quantity.kind}.{quantity.role}", kind(quantity)) if named else (quantity.kind,)
