"""The hand calculation of a few steps of training, with the bounds of a precision: what a framework's numbers are held against.

- `Working(problem, trace)` is a problem beside a trace; `working.step(number)` has its values and bands; `working.differences()` are the
  numbers of the trace outside their bands, in the order in which they were computed.
- `Change` says how a step went wrong: it turns the gradients of a step into others, and goes on with them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from handcalc.bridges.alignment import Alignment, align
from handcalc.bridges.bounds import UNITS, Bounds
from handcalc.bridges.network import reject
from handcalc.bridges.trace import Trace, TracedStep
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.loading.schedules import updates_per_epoch
from handcalc.marking.bands import Band
from handcalc.models import build
from handcalc.problem.schema import Problem

PHASES = ("start", "input", "forward", "loss", "gradient", "update")  # in the order in which a step has them


class Difference(Record):
    """A number of a framework that is outside its bounds: in which step and phase, where, its value and ours, how far it may be off."""

    step: int
    phase: str
    where: str
    id: str
    found: float | None
    expected: float
    bound: float


Gradients = Mapping[Cell, float]


class Change(Record):
    """What may have happened to the gradients of a step: from them and those that the step before had in the end to others; factor: of the
    loss; loss: whether the loss is compared."""

    gradients: Callable[[Gradients, Gradients], Gradients] | None = None
    factor: float = 1.0
    loss: bool = True


class Working:
    """A problem beside a trace."""

    def __init__(self, problem: Problem, trace: Trace, change: Change | None = None) -> None:
        if updates_per_epoch(problem) > 1:
            reject("the problem has several updates in an epoch; a step is compared with a problem that has its samples only")
        self.trace = trace
        self.problem = problem
        self._model = build(problem)
        self.graph = self._model.graph.at_once
        self.alignment: Alignment = align(problem, self.graph, trace)
        self._change = change or Change()
        self._unit = UNITS.get(trace.dtype, UNITS["float32"])
        self._steps: list[tuple[Evaluation, Bounds]] = []
        self._gradients: list[Gradients] = []

    def step(self, number: int) -> tuple[Evaluation, Bounds]:
        """Values and bands of a step, from 1."""
        while len(self._steps) < number:
            self._steps.append(self._next())
        return self._steps[number - 1]

    def _next(self) -> tuple[Evaluation, Bounds]:
        replaced: dict[Cell, Any] = {}
        start: dict[Cell, Band] = {}
        if self._steps:
            evaluation, bounds = self._steps[-1]
            for old, new in self._model.carried.items():
                for place in self.graph.positions(new):
                    replaced[old, place] = evaluation[new, place]
                    start[old, place] = bounds[new, place]
        plain = Evaluation(self.graph, None, replaced)
        if self._change.gradients is not None:
            before = self._gradients[-1] if self._gradients else {}
            cells = [cell for one in self.alignment.parameters.values() for cell in map(self._gradient, one) if cell is not None]
            changed = self._change.gradients({cell: float(plain[cell]) for cell in cells}, before)
            first = Bounds(plain, self._unit, start)
            for cell, value in changed.items():
                room = max(first[cell].width, 0.0) * max(1.0, abs(self._change.factor)) + 8 * self._unit * abs(value)
                replaced[cell], start[cell] = value, Band(value - room, value + room)
            self._gradients.append(changed)
            plain = Evaluation(self.graph, None, replaced)
        return plain, Bounds(plain, self._unit, start)

    def _gradient(self, cell: Cell) -> Cell | None:
        name = self.graph.gradient(cell[0])
        return (name, cell[1]) if name else None

    def _updated(self, cell: Cell) -> Cell:
        return self.graph.updated(cell[0]) or cell[0], cell[1]

    def differences(self) -> Iterator[Difference]:
        """Every number outside its bounds, step after step."""
        for number, step in enumerate(self.trace.steps, 1):
            yield from self._of_step(number, step)

    @property
    def compared(self) -> int:
        """How many numbers there are to compare."""
        return sum(1 for number, step in enumerate(self.trace.steps, 1) for _ in self._pairs(number, step))

    def _of_step(self, number: int, step: TracedStep) -> Iterator[Difference]:
        _, bounds = self.step(number)
        for phase, where, cell, found, factor in self._pairs(number, step):
            band = bounds[cell]
            low, high = sorted((band.low * factor, band.high * factor))
            if found is None or not low <= found <= high:  # a nan is nowhere
                expected = float(self.step(number)[0][cell]) * factor
                yield Difference(number, phase, where, self.graph.cell_id(cell), found, expected, max(high - expected, expected - low))

    def _pairs(self, number: int, step: TracedStep) -> Iterator[tuple[str, str, Cell, float | None, float]]:
        """(phase, name in the framework, cell, the framework's number, factor of ours)."""
        if number == 1:
            yield from _each("start", step.before, self.alignment.parameters)
        inputs = tuple((self.graph.inputs, place) for place in self.graph.positions(self.graph.inputs)) if self.graph.inputs else ()
        if step.inputs is not None:
            yield from _each("input", {"inputs": step.inputs}, {"inputs": inputs})
        yield from _each("forward", step.outputs, self.alignment.outputs)
        if step.loss is not None and self._model.loss and self._change.loss:
            yield "loss", "loss", (self._model.loss, ()), step.loss, self._change.factor
        gradients = {name: [self._gradient(cell) for cell in cells] for name, cells in self.alignment.parameters.items()}
        wanted = {name: tuple(cell for cell in cells if cell) for name, cells in reversed(gradients.items())}
        yield from _each("gradient", step.gradients, wanted)
        if self._model.updated:
            yield from _each(
                "update", step.after, {name: tuple(map(self._updated, cells)) for name, cells in self.alignment.parameters.items()}
            )


def _each(
    phase: str, arrays: Mapping[str, Any], cells: Mapping[str, tuple[Cell, ...]]
) -> Iterator[tuple[str, str, Cell, float | None, float]]:
    for name, wanted in cells.items():
        if name not in arrays or not wanted:
            continue
        values = arrays[name]
        flat = [None] * len(wanted) if values is None else [float(one) for one in values.reshape(-1)]
        if len(flat) != len(wanted):
            text = "{name} has {found} numbers in the step, {wanted} in the problem"
            reject(text, name=name, found=len(flat), wanted=len(wanted))
        for cell, value in zip(wanted, flat):
            yield phase, name, cell, value, 1.0
