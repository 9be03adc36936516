"""The worked solution as data: steps in the order a reader meets them, without any display text.

- `Derivation(graph, rounding, …)` gives `groups()` (what a table shows), `steps()`, `step(id)`, `value(id)`.
- `Step` is one cell's line: formula, value, printed number, inputs, contributions.
- Several iterations share the graph: `#2:net.h1` is the same cell with the parameters of the second round.

Steps are made when asked for; a derivation of a large network costs only what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import product
from typing import Any

from handcalc.core.derivative import RAW, differentiate
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import ONE, Expr, Number, Ref, mul, walk
from handcalc.core.graph import Cell, Graph, Quantity, cell
from handcalc.core.index import Index
from handcalc.core.instance import Value, bind
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding, Shown
from handcalc.errors import Message, UnknownIdError

PHASES = ("given", "forward", "error", "backward", "update")

# kind of a quantity → the phase its steps belong to (re-computations after an update belong to the update).
_PHASE = {
    "input": "given",
    "target": "given",
    "weight": "given",
    "bias": "given",
    "threshold": "given",
    "rate": "given",
    "given": "given",
    "hyper": "given",
    "memory": "given",
    "net": "forward",
    "out": "forward",
    "variable": "forward",
    "error": "error",
    "loss_term": "error",
    "loss": "error",
    "local": "backward",
    "path": "backward",
    "gradient": "backward",
    "state": "update",
    "change": "update",
    "updated": "update",
}


class Contribution(Record):
    """One path's part of a gradient: ∂E/∂through times ∂through/∂this, and what it comes to."""

    through: Cell
    upstream: Expr
    local: Expr
    value: Value


class Step(Record):
    """One line of the solution.

    formula: the instance formula, None for a given number; value: its result before rounding; shown: as printed;
    inputs: the cells it uses; contributions: the paths of a gradient; iteration: from 1.
    """

    id: str
    cell: Cell
    phase: str
    kind: str
    formula: Expr | None
    value: Value
    shown: Shown
    inputs: tuple[Cell, ...]
    contributions: tuple[Contribution, ...] = ()
    sample: str = ""
    iteration: int = 1


class Group(Record):
    """The cells of one quantity: what one table shows."""

    quantity: Quantity
    phase: str


class Header(Record):
    """What a report says about the exercise besides its steps.

    sizes: units of each layer, inputs first; loss: its name as typed, "direct" for e = t − o only, "" for none;
    samples: their names; online: one update after each sample; trained_biases: None where there is no bias;
    conventions: every convention in force; tasks: what is asked (an id, a symbol, a pattern or a phase), and its marks.
    """

    title: str = ""
    source: str = ""
    notation: str = ""
    language: str = ""
    sizes: tuple[int, ...] = ()
    activations: tuple[str, ...] = ()
    loss: str = ""
    samples: tuple[str, ...] = ()
    online: bool = False
    trained_biases: bool | None = None
    frozen: tuple[str, ...] = ()
    conventions: Mapping[str, Any] = {}
    tasks: tuple[tuple[str, str], ...] = ()


class Iteration(Record):
    """One round: its values, and its numbers as printed."""

    evaluation: Evaluation
    shown: dict[Cell, Shown]


class Derivation:
    """A graph worked out with one rounding.

    header: what a report says about the exercise; updated: parameter → updated quantity; memory: what an optimiser
    remembers → what it becomes; feed: the replaced data of iteration k (online training), if any.
    """

    def __init__(
        self,
        graph: Graph,
        rounding: Rounding,
        updated: Mapping[str, str] | None = None,
        loss: str = "",
        iterations: int = 1,
        feed: Callable[[int], Mapping[Cell, Value]] | None = None,
        header: Header | None = None,
        memory: Mapping[str, str] | None = None,
    ) -> None:
        self.graph = graph
        self.header = header or Header()
        self.rounding = rounding
        self.updated = dict(updated or {})
        self.carried = {**self.updated, **(memory or {})}
        self.loss = loss
        self.iterations = iterations
        self._feed = feed or (lambda number: {})
        first = dict(self._feed(1))
        self._rounds = {1: Iteration(Evaluation(graph, rounding, first), {})}
        self._groups: list[Group] | None = None

    # --- iterations ---

    def iteration(self, number: int) -> Iteration:
        """The round with that number; its parameters are the updated ones of the round before."""
        found = self._rounds.get(number)
        if found is not None:
            return found
        latest = max(known for known in self._rounds if known <= number)
        current = self._rounds[latest]
        while latest < number:
            latest += 1
            replaced = dict(self._feed(latest))
            for parameter, new in self.carried.items():
                for place in self.graph.positions(parameter):
                    replaced[parameter, place] = current.evaluation[new, place]
            current = Iteration(Evaluation(self.graph, self.rounding, replaced), {})
        self._rounds[number] = current
        return current

    @property
    def evaluation(self) -> Evaluation:
        """The values of the first round."""
        return self._rounds[1].evaluation

    # --- steps ---

    def groups(self) -> list[Group]:
        """Quantities in reading order: phase by phase, every quantity after what it uses."""
        if self._groups is None:
            shown = [q for q in self.graph if not _is_seed(q)]
            ordered = _weights_first(sorted(shown, key=lambda q: PHASES.index(phase(q))))
            self._groups = [Group(q, phase(q)) for q in _after_uses(self.graph, ordered)]
        return self._groups

    def steps(self, iteration: int = 1) -> Iterator[Step]:
        """Every step of a round in reading order."""
        for group in self.groups():
            for place in self.graph.positions(group.quantity.name):
                yield self.step((group.quantity.name, place), iteration)

    def step(self, wanted: Cell, iteration: int = 1) -> Step:
        """The step of one cell."""
        graph, evaluation = self.graph, self.iteration(iteration).evaluation
        quantity = graph[wanted[0]]
        evaluation[wanted]
        given = wanted in evaluation.replaced or graph.given_value(wanted) is not None
        formula = None if given else graph.instance(wanted)
        return Step(
            self.step_id(wanted, iteration),
            wanted,
            phase(quantity),
            quantity.kind,
            formula,
            evaluation.unrounded[wanted],
            self.shown(wanted, iteration),
            () if formula is None else graph.uses(wanted),
            self.contributions(wanted, iteration) if quantity.terms else (),
            quantity.axes[0].label(wanted[1][0]) if quantity.sampled else "",
            iteration,
        )

    def step_id(self, wanted: Cell, iteration: int = 1) -> str:
        """The id of a cell's step: net.h1, in the second iteration #2:net.h1."""
        return ("" if iteration == 1 else f"#{iteration}:") + self.graph.cell_id(wanted)

    def shown(self, wanted: Cell, iteration: int = 1) -> Shown:
        """A cell's number as printed: typed digits for given numbers, else rounded."""
        current = self.iteration(iteration)
        found = current.shown.get(wanted)
        if found is None:
            found = current.shown[wanted] = self.shown_as(wanted, iteration, self.rounding)
        return found

    def shown_as(self, wanted: Cell, iteration: int, rounding: Rounding) -> Shown:
        """A cell's number as another rounding without carry prints it."""
        evaluation = self.iteration(iteration).evaluation
        literal = evaluation.replaced.get(wanted, self.graph.given_value(wanted))
        if isinstance(literal, Number) and (literal.text or literal.denominator == 1):
            return Shown(literal.text or str(literal.numerator))
        evaluation[wanted]
        name = self.graph.cell_id(wanted) if rounding.overrides else ""
        value, rational = evaluation.unrounded[wanted], evaluation.rational(wanted)
        if rational and isinstance(value, float):
            value = float(f"{value:.15g}")  # without the noise of binary fractions, so that a tie is a tie
        return rounding.shown(value, rational, name, evaluation.touched(wanted))

    def contributions(self, wanted: Cell, iteration: int = 1) -> tuple[Contribution, ...]:
        """The paths of a gradient cell, one for each consumer cell that the error comes back through."""
        quantity = self.graph[wanted[0]]
        letters = {index.letter: place for index, place in zip(quantity.index, wanted[1])}
        result = []
        for term in quantity.terms:
            for places in _places(term.over):
                bound = letters | {index.letter: place for index, place in zip(term.over, places)}
                through = bind(term.through, bound, self.graph.present)
                local = bind(term.local, bound, self.graph.present)
                upstream = bind(term.upstream, bound, self.graph.present)
                if isinstance(through, Ref) and not (isinstance(local, Number) and local.numerator == 0):
                    evaluation = self.iteration(iteration).evaluation
                    value = evaluation.of(mul(upstream, local), wanted)
                    result.append(Contribution(cell(through), upstream, local, value))
        return tuple(result)

    def untidied(self, wanted: Cell) -> Expr | None:
        """A derivative as the rules give it, before tidying: ½·2·(t − o)·(−1) for o − t; None where there is no such line.

        Only for slopes and for gradients that come through one consumer with a constant upstream (a loss term), and
        only where it is worth as much as the step's own formula, which a convention may have changed.
        """
        quantity = self.graph[wanted[0]]
        if quantity.wrt is not None and quantity.of is not None:
            consumer, target = self.graph.at(quantity.of, wanted), self.graph.at(quantity.wrt, wanted)
            outside: Expr = ONE
        elif (
            len(quantity.terms) == 1
            and isinstance(quantity.terms[0].upstream, Number)
            and not quantity.terms[0].over
            and quantity.of is not None
        ):
            consumer, target = self.graph.at(quantity.terms[0].through, wanted), self.graph.at(quantity.of, wanted)
            outside = quantity.terms[0].upstream
        else:
            return None
        raw = RAW.mul(outside, differentiate(self.graph.instance(cell(consumer)), target, RAW))
        exact = Evaluation(self.graph, None, self.evaluation.replaced)
        return raw if abs(exact.of(raw, wanted) - exact[wanted]) <= 1e-9 * abs(exact[wanted]) else None

    # --- by id ---

    def find(self, text: str) -> tuple[Cell, int]:
        """The cell and iteration of an id. Raises UnknownIdError."""
        rest, number = text, 1
        if text.startswith("#") and ":" in text:
            head, rest = text[1:].split(":", 1)
            number = int(head) if head.isascii() and head.isdigit() and len(head) < 9 else 0
        found = self.graph.find(rest)
        if found is None or not 1 <= number <= max(self.iterations, 1):
            raise UnknownIdError(Message("there is no step {found}", found=f'"{text}"'))
        return found, number

    def value(self, text: str) -> Value:
        """The value of an id such as net.h1 or #3:loss, before rounding. Raises UnknownIdError, EvaluationError."""
        return self.step(*self.find(text)).value

    def __getitem__(self, text: str) -> Step:
        return self.step(*self.find(text))


def phase(quantity: Quantity) -> str:
    """given, forward, error, backward or update."""
    return "update" if quantity.stage == "after" or quantity.kind == "rate" and quantity.definition else _PHASE[quantity.kind]


def _is_seed(quantity: Quantity) -> bool:
    """∂E/∂E = 1 and ∂E/∂E_o = 1 start the chain rule and are put in where they are used."""
    constant = isinstance(quantity.definition, Number)
    return quantity.kind == "gradient" and constant and quantity.of is not None and quantity.of.quantity.startswith("loss")


def _weights_first(ordered: list[Quantity]) -> list[Quantity]:
    """Within a layer, ∂E/∂W before ∂E/∂b (they were defined backwards)."""
    result: list[Quantity] = []
    for quantity in ordered:
        place = len(result)
        if quantity.kind == "gradient" and quantity.of is not None and quantity.of.quantity.startswith("W"):
            while place and _is_bias_gradient(result[place - 1], quantity.layer):
                place -= 1
        result.insert(place, quantity)
    return result


def _is_bias_gradient(quantity: Quantity, layer: int) -> bool:
    return quantity.kind == "gradient" and quantity.layer == layer and quantity.of is not None and quantity.of.quantity.startswith("b")


def _after_uses(graph: Graph, ordered: list[Quantity]) -> list[Quantity]:
    """The same order, but each quantity after those it uses."""
    result: dict[str, Quantity] = {}
    open_names: set[str] = set()

    def place(quantity: Quantity) -> None:
        if quantity.name in result or quantity.name in open_names:
            return
        open_names.add(quantity.name)
        for formula in (quantity.definition, *(quantity.cases or {}).values()):
            for node in walk(formula) if formula is not None else ():
                if isinstance(node, Ref) and node.quantity in names:
                    place(graph[node.quantity])
        result[quantity.name] = quantity

    names = {quantity.name for quantity in ordered}
    for quantity in ordered:
        place(quantity)
    return list(result.values())


def _places(over: tuple[Index, ...]) -> Iterator[tuple[int, ...]]:
    return product(*(range(index.axis.size) for index in over))
