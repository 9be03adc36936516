"""The worked solution as data: steps in the order a reader meets them, without any display text.

- `Derivation(graph, rounding, …)` gives `groups()` (what a table shows), `steps()`, `step(id)`, `value(id)`.
- `Step` is one cell's line: formula, value, printed number, inputs, contributions.
- Several iterations share the graph: `#2:net.h1` is the same cell with the parameters of the second round. Where rounds have samples
  of their own, each has its `Basis`: the same quantities for other samples. `Derivation.at(number)` is the solution as that round
  has it; the cells of one round have the same ids and names in all.

Steps are made when asked for; a derivation of a large network costs only what is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping
from copy import copy
from functools import cache
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Number, Ref, mul
from handcalc.core.graph import Graph
from handcalc.core.instance import Value
from handcalc.core.order import Group, groups, phase, times
from handcalc.core.quantity import Cell, Quantity, Term, cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding, Shown
from handcalc.errors import Message, Template, UnknownIdError
from handcalc.showing import SelfShowing

NOT_WORKED = "–"  # stands in a drawing for a number that nothing needs, or nobody gave


class Contribution(Record):
    """One path's part of a gradient: ∂E/∂through times ∂through/∂this, and what it comes to."""

    through: Cell
    upstream: Expr
    local: Expr
    value: Value


class Step(SelfShowing, Record):
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


_Blank = tuple[str, Expr | None, tuple[Cell, ...], tuple[Contribution, ...], str]  # phase, formula, inputs, paths, sample


class Told(Record):
    """An option of a layer: what it is called, and what it is; "" where its name says all."""

    words: Template
    value: str | Message


class About(Record):
    """What a report says of how a layer works: its title, the options worth telling, and the size of the window it moves over maps."""

    title: Template
    options: tuple[Told, ...] = ()
    window: str = ""


class Asked(Record):
    """Something asked: an id, a symbol, a pattern or a phase; its marks, and the digits wanted."""

    ask: str
    marks: Number = Number(1)
    decimals: int | None = None
    significant: int | None = None


class Header(Record):
    """What a report says about the exercise besides its steps.

    sizes: units of each layer, inputs first; kinds: the type of each layer; about: how it works; shapes: what it puts out, inputs first;
    notes: sentences on conventions that matter to layers of these types; doubts: on what looks like a slip in the problem;
    loss: its name as typed, "direct" for e = t − o only, "" for none; loss_title: what it is called, or what is said instead;
    samples: their names; batch: of so many an update is made, where not of all; trained_biases: None where there is no bias;
    ruled: parameters whose new values have formulas of their own;
    conventions: every convention in force; tasks: what is asked.
    """

    title: str = ""
    title_zh: str = ""
    text: str = ""
    text_zh: str = ""
    source: str = ""
    notation: str = ""
    language: str = ""
    sizes: tuple[int, ...] = ()
    kinds: tuple[str, ...] = ()
    about: tuple[About, ...] = ()
    shapes: tuple[tuple[int, ...], ...] = ()
    activations: tuple[str, ...] = ()
    loss: str = ""
    loss_title: Message | str = ""
    samples: tuple[str, ...] = ()
    batch: int = 0
    trained_biases: bool | None = None
    ruled: tuple[str, ...] = ()
    frozen: tuple[str, ...] = ()
    conventions: Mapping[str, Any] = {}
    notes: tuple[Message, ...] = ()
    doubts: tuple[Message, ...] = ()
    tasks: tuple[Asked, ...] = ()

    @property
    def plain(self) -> bool:
        """Whether there are dense layers only, or equations."""
        return all(kind == "dense" for kind in self.kinds)


Evaluator = Callable[[Graph, Rounding, Mapping[Cell, Value]], Evaluation]


class Iteration:
    """One round: its values, and its numbers as printed; left_out: cells that have none."""

    def __init__(self, evaluation: Evaluation, left_out: Container[Cell] = ()) -> None:
        self.evaluation = evaluation
        self.left_out = left_out
        self._shown: dict[Cell, Shown] = {}

    def shown(self, wanted: Cell) -> Shown:
        """A cell's number as printed: typed digits for given numbers, else rounded."""
        found = self._shown.get(wanted)
        if found is None:
            found = self._shown[wanted] = self.shown_as(wanted, self.evaluation.rounding)
        return found

    def shown_as(self, wanted: Cell, rounding: Rounding) -> Shown:
        """A cell's number as another rounding without carry prints it."""
        evaluation = self.evaluation
        if wanted in self.left_out:
            return Shown(NOT_WORKED)
        literal = evaluation.literals.get(wanted) if wanted in evaluation.unrounded else evaluation.literal(wanted)
        if isinstance(literal, Number) and (literal.text or literal.denominator == 1):
            return Shown(literal.text or str(literal.numerator))
        name = evaluation.graph.cell_id(wanted) if rounding.overrides else ""
        rational = evaluation.rational(wanted)
        value = evaluation.before_rounding(wanted) if evaluation.rounding.carry else evaluation.precise(wanted)
        if rational and isinstance(value, float):
            value = float(f"{value:.15g}")  # without the noise of binary fractions, so that a tie is a tie
        return rounding.shown(value, rational, name, evaluation.rounding.carry and evaluation.touched(wanted))


class Basis(Record):
    """What a round is worked with: its graph, what makes its evaluation (from graph, rounding and replaced cells), and the names of its
    samples, where every round has its own."""

    graph: Graph
    evaluator: Evaluator = Evaluation
    samples: tuple[str, ...] = ()


class Derivation(SelfShowing):
    """A graph worked out with one rounding.

    header: what makes that of a report; updated: parameter → updated quantity; memory: what an optimiser
    remembers → what it becomes; bases: round → what it is worked with, None where all have the graph; start: cells that have other
    values than those given when the first round begins; look_up: what a word that is no id means (cell, iteration, whether it stands for
    the negative), in the notation of the problem.
    """

    def __init__(
        self,
        graph: Graph,
        rounding: Rounding,
        updated: Mapping[str, str] | None = None,
        loss: str = "",
        iterations: int = 1,
        bases: Callable[[int], Basis] | None = None,
        header: Callable[[], Header] = Header,
        memory: Mapping[str, str] | None = None,
        start: Mapping[Cell, Value] | None = None,
        look_up: Callable[[Derivation, str], tuple[Cell, int, bool]] | None = None,
    ) -> None:
        self.graph = graph
        self._look_up = look_up
        self._header = cache(header)
        self.rounding = rounding
        self.updated = dict(updated or {})
        self.carried = {**self.updated, **(memory or {})}
        self.loss = loss
        self.iterations = iterations
        self._bases = bases
        self._rounds = {1: self._round(1, start or {})}
        self._of_graphs = {graph: self}
        self._at_times: dict[tuple[Graph, str], dict[int, list[tuple[int, ...]]]] = {}

    @property
    def header(self) -> Header:
        """What a report says about the exercise besides its steps; made when it is asked for."""
        return self._header()

    # --- iterations ---

    def basis(self, number: int) -> Basis:
        """What the round with that number is worked with."""
        return self._bases(number) if self._bases else Basis(self.graph)

    def at(self, number: int) -> Derivation:
        """The same derivation with the graph of a round."""
        graph = self.basis(number).graph
        if graph not in self._of_graphs:
            self._of_graphs[graph] = copy(self)
            self._of_graphs[graph].graph = graph
        return self._of_graphs[graph]

    def iteration(self, number: int) -> Iteration:
        """The round with that number; its parameters are the updated ones of the round before."""
        found = self._rounds.get(number)
        if found is not None:
            return found
        latest = max(known for known in self._rounds if known <= number)
        current = self._rounds[latest]
        while latest < number:
            latest += 1
            known, carried = current.evaluation, self.carried.items()
            start = {(old, place): known.precise((new, place)) for old, new in carried for place in self.graph.positions(old)}
            current = self._round(latest, start)
        self._rounds[number] = current
        return current

    def _round(self, number: int, carried: Mapping[Cell, Value]) -> Iteration:
        """A round with these values of what is carried from one to the next."""
        basis = self.basis(number)
        return Iteration(basis.evaluator(basis.graph, self.rounding, carried), basis.graph.left_out)

    @property
    def evaluation(self) -> Evaluation:
        """The values of the first round."""
        return self._rounds[1].evaluation

    # --- steps ---

    def groups(self) -> list[Group]:
        """Quantities in reading order: phase by phase, every quantity after what it uses."""
        known = self.graph.known
        if not known.groups:
            known.groups = groups(self.graph)
        return known.groups

    def places(self, group: Group) -> Iterator[tuple[int, ...]]:
        """The places of a group's cells."""
        quantity = group.quantity
        if group.time is None:
            return self.graph.positions(quantity.name)
        known = self._at_times.setdefault((self.graph, quantity.name), {})
        if not known:  # sorted once for all times, of which there may be thousands
            for place in self.graph.positions(quantity.name):
                for time in times(quantity, place):
                    known.setdefault(time, []).append(place)
        return iter(known.get(group.time, ()))

    def steps(self, iteration: int = 1) -> Iterator[Step]:
        """Every step of a round in reading order."""
        own, current = self.at(iteration), self.iteration(iteration)
        for group in own.groups():
            name = group.quantity.name
            for place in own.graph.positions(name) if group.time is None else own.places(group):
                yield own._made((name, place), iteration, current)

    def forget(self) -> None:
        """Keep values only: steps and formulas are made again where they are asked for again."""
        for known in (graph.known for graph in self._of_graphs):
            for kept in (known.instances, known.uses, known.steps):
                kept.clear()

    def step(self, wanted: Cell, iteration: int = 1) -> Step:
        """The step of one cell."""
        return self.at(iteration)._made(wanted, iteration, self.iteration(iteration)).in_context(self)

    def _made(self, wanted: Cell, number: int, current: Iteration) -> Step:
        """The step of one cell in a round with this graph."""
        graph, evaluation = self.graph, current.evaluation
        phase, formula, inputs, paths, sample = graph.known.steps.get(wanted) or self._blank(wanted)
        value, shown, paths = evaluation.before_rounding(wanted), current.shown(wanted), _valued(paths, wanted, evaluation)
        if wanted in evaluation.replaced:
            formula, inputs = None, ()
        id, kind = self.step_id(wanted, number), graph[wanted[0]].kind
        return Step(id, wanted, phase, kind, formula, value, shown, inputs, paths, sample, number).in_context(self)

    def _blank(self, wanted: Cell) -> _Blank:
        """A step without its numbers, which is the same whatever they are."""
        graph, quantity = self.graph, self.graph[wanted[0]]
        formula = graph.instance(wanted) if graph.given_value(wanted) is None else None
        inputs = () if formula is None else graph.uses(wanted)
        sample = quantity.axes[0].label(wanted[1][0]) if quantity.sampled else ""
        paths = self.paths(wanted) if formula is not None else ()
        blank = graph.known.steps[wanted] = phase(quantity), formula, inputs, paths, sample
        return blank

    def step_id(self, wanted: Cell, iteration: int = 1) -> str:
        """The id of a cell's step: net.h1, in the second iteration #2:net.h1."""
        return ("" if iteration == 1 else f"#{iteration}:") + self.graph.cell_id(wanted)

    def shown(self, wanted: Cell, iteration: int = 1) -> Shown:
        """A cell's number as printed: typed digits for given numbers, else rounded."""
        return self.iteration(iteration).shown(wanted)

    def contributions(self, wanted: Cell, iteration: int = 1) -> tuple[Contribution, ...]:
        """The paths of a gradient cell, one for each consumer cell that the error comes back through."""
        return _valued(self.at(iteration).paths(wanted), wanted, self.iteration(iteration).evaluation)

    def paths(self, wanted: Cell) -> tuple[Contribution, ...]:
        """The contributions to a cell, with their formula, upstream·local, for their value."""
        known, (name, place) = self.graph.known, wanted
        paths = known.paths.get(name)
        if paths is None:
            paths = known.paths[name] = [_path(self.graph, self.graph[name], term) for term in self.graph[name].terms]
        return tuple([found for path in paths for found in path(place)])

    # --- by id ---

    def find(self, text: str) -> tuple[Cell, int]:
        """The cell and iteration of an id. Raises UnknownIdError."""
        rest, number = text, 1
        if text.startswith("#") and ":" in text:
            head, rest = text[1:].split(":", 1)
            number = int(head) if head.isascii() and head.isdigit() and len(head) < 9 else 0
        found = self.at(number).graph.find(rest) if 1 <= number <= max(self.iterations, 1) else None
        if found is None:
            raise UnknownIdError(Message("there is no step {found}", found=f'"{text}"'))
        return found, number

    def meant(self, text: str) -> tuple[Cell, int, bool]:
        """The same of an id or any name that the problem's notation has for it, and whether that stands for the negative of the cell."""
        try:
            return *self.find(text), False
        except UnknownIdError:
            if self._look_up is None or text != text.strip():
                raise
            return self._look_up(self, text)

    def value(self, text: str) -> Value:
        """The value of an id such as net.h1 or #3:loss, or of a printed name such as w5+, in its sign, before rounding.

        Raises UnknownIdError, EvaluationError.
        """
        wanted, number, turned = self.meant(text)
        value = self.step(wanted, number).value
        return -value if turned and value else value

    def __getitem__(self, text: str) -> Step:
        """The step of an id, or of a printed name; the sign of its value is that of the id."""
        return self.step(*self.meant(text)[:2])

    def __iter__(self) -> Iterator[Step]:
        """Every step of all rounds in reading order."""
        return (step for number in range(1, max(self.iterations, 1) + 1) for step in self.steps(number))


def _path(graph: Graph, quantity: Quantity, term: Term) -> Callable[[tuple[int, ...]], Iterator[Contribution]]:
    """What writes the contributions of one term out, at any place of its quantity."""
    index, over, known = (*quantity.index, *term.over), term.over, graph.known
    letters, body = [one.letter for one in quantity.index], term.path or term.through
    through, local, upstream = (known.writer(part, index) for part in (term.through, term.local, term.upstream))

    def write(place: tuple[int, ...]) -> Iterator[Contribution]:
        for places in known.reach.all(over, body, dict(zip(letters, place))) if over else ((),):
            bound = (*place, *places)
            consumer, slope = through(bound), local(bound)
            if isinstance(consumer, Ref) and not (isinstance(slope, Number) and slope.numerator == 0):
                above = upstream(bound)
                yield Contribution(cell(consumer), above, slope, mul(above, slope))

    return write


def _valued(paths: tuple[Contribution, ...], wanted: Cell, evaluation: Evaluation) -> tuple[Contribution, ...]:
    """Contributions with values in the place of their formulas."""
    return tuple([Contribution(one.through, one.upstream, one.local, evaluation.of(one.value, wanted)) for one in paths])
