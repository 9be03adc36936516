"""A problem in training: updates, one after the other.

- `Trainer(problem)` goes on step by step: `advance(count)`, `loss()`, `parameters()`; `next_step()` is the worked solution of the
  next update, `loss_at(values)` is for pictures. What the network answers is in network.py.

Nothing here computes: the updates are a program made from the problem's graph (arrays/straightline.py for small
networks, arrays/vectorised.py for large ones), and the loss is that of all samples, from the graph of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import groupby, islice, repeat
from typing import Any

from handcalc.arrays.feeding import Feed, as_arrays, data_of, shapes_in
from handcalc.arrays.passes import Passes
from handcalc.arrays.straightline import Straight
from handcalc.arrays.unrolling import NotVectorised
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive, of_update
from handcalc.errors import EvaluationError, Message, ProblemError
from handcalc.loading.schedules import batch_size, batches, updates_per_epoch
from handcalc.models import build
from handcalc.models.given import ONE_UPDATE, refuse
from handcalc.models.losses import last_equation, squared_errors
from handcalc.models.model import Model
from handcalc.models.updates import gradient_norm
from handcalc.problem.dataset import Dataset, Samples, select, sum_to_one
from handcalc.problem.schema import Problem

Engine = Straight | Vectorised

STRAIGHT_CELLS = 3000  # cells of a graph that becomes straight-line code, whatever arrays would take
AT_MOST = 4  # times as many may become some, whose code takes half a second to write,
CELLS_A_STATEMENT = 60  # where arrays have a statement for fewer: so many are worked out in the time that one takes
TOGETHER = 1000  # updates between two looks at Ctrl-C and at numbers that are too large


class Trainer:
    """A problem in training; `done` counts the updates, `state` is what they have come to, `whole` the model of all samples."""

    def __init__(self, problem: Problem) -> None:
        if isinstance(problem.samples, Dataset) and len(problem.samples) == 1:  # which has no sample axis
            problem = problem.replace(samples=tuple(problem.samples))
        self.whole = watched(problem)
        refuse(problem, self.whole.graph, ONE_UPDATE)
        if not self.whole.updated or not self.whole.loss:
            where = f"{problem.path}: " if problem.path else ""
            raise ProblemError(Message("there is nothing to train: targets and a learning_rate are needed", where))
        known = Evaluation(self.whole.graph)
        data = data_of(self.whole.graph) if isinstance(problem.samples, Dataset) else ()
        self._engine, self.state = _engine(self.whole, data, lambda wanted: float(known[wanted]))
        if data and isinstance(self._engine, Straight):  # which has the numbers of all samples in its text
            problem, data = problem.replace(samples=tuple(problem.samples)), ()
            self._engine, self.state = _engine(self.whole, data, lambda wanted: float(known[wanted]))
        self.problem = problem
        self._data: tuple[str, ...] = data  # what a program of all samples is fed with
        self._feed = Feed(problem, self.whole.graph, isinstance(self._engine, Vectorised))
        self._batches = batches(problem)
        self._programs: dict[int, Engine] = {}
        self.done = 0

    @property
    def direct(self) -> bool:
        """Whether there are errors and no loss: nothing changes any more when all of them are 0."""
        return self.whole.graph.in_layer(0, "loss", "watched") != ""

    @property
    def straight(self) -> bool:
        """Whether the network is a small one, which runs as straight-line code."""
        return isinstance(self._engine, Straight)

    @property
    def batch_size(self) -> int:
        """Samples of one update."""
        return batch_size(self.problem)

    @property
    def epoch(self) -> int:
        """Updates in one epoch."""
        return updates_per_epoch(self.problem)

    # --- updates ---

    def advance(self, count: int, stop: float = -math.inf) -> bool:
        """So many updates more; whether a loss of at most `stop` ended them (it is looked at after each epoch).

        Raises EvaluationError where there is no finite value any more.
        """
        if self.epoch == 1:
            return self._run(self._engine, repeat(self._everything, count), stop) < count
        rest = count
        while rest:
            upto = min(rest, self.epoch - self.done % self.epoch, TOGETHER)
            for _, group in groupby(islice(self._batches, upto), len):
                alike = list(group)
                rows = map(self._feed.row, alike)
                self._run(self._program(alike[0]), rows if self._feed.arrays else list(rows), -math.inf)
            rest -= upto
            if self.done % self.epoch == 0 and stop > -math.inf and self.loss() <= stop:
                return True
        return False

    def next_step(self, rounding: Rounding | None = None) -> Derivation:
        """The worked solution of the update that comes next."""
        problem = self.problem
        if problem.samples and self.epoch > 1:
            places = tuple(map(int, next(self._batches)))
            problem = of_update(problem, places).replace(training=problem.training.replace(mode="batch"))
        return derive(problem, rounding, start=self.values())

    def _run(self, program: Engine, rows: Iterable[Any], stop: float) -> int:
        with self._watched():
            self.state, loss, done = program.run(self.state, rows, stop)
            if not (math.isfinite(loss) and program.finite(self.state)):
                raise OverflowError
        self.done += done
        return done

    @contextmanager
    def _watched(self) -> Iterator[None]:
        try:
            yield
        except (ArithmeticError, ValueError) as error:
            if not self.done and not self._data:
                Evaluation(self.whole.graph.at_once).precise((self.whole.loss, ()))  # where there is no loss to begin with, it says why
            text = "training diverges after about {count} iterations: a number is too large; try a smaller learning_rate"
            if not isinstance(error, OverflowError):
                text = (
                    "training ends after about {count} iterations: a function has no value there, such as ln of a negative number; "
                    "try a smaller learning_rate"
                )
            raise EvaluationError(Message(text, count=self.done)) from None

    def _program(self, batch: Sequence[int]) -> Engine:
        """The update of so many samples, whose numbers are its data."""
        if len(batch) not in self._programs:
            self._programs[len(batch)] = self.program(self.problem, batch)
        return self._programs[len(batch)]

    def program(self, problem: Problem, batch: Sequence[int]) -> Engine:
        """The update of a problem with so many samples as there are in a batch, of the same kind as the one in use."""
        layers, samples = self.problem.layers, self.problem.samples
        chosen = _typical(samples, batch, layers[-1].axes[-1].size) if layers else select(samples, batch)
        model = watched(problem.replace(samples=chosen))
        return type(self._engine)(model.graph, model.carried, model.loss, data_of(model.graph))

    # --- how it stands ---

    def values(self) -> dict[Cell, float]:
        """Cell → value of every parameter, and of what the optimiser remembers."""
        return self._engine.values(self.state)

    def value(self, wanted: Cell) -> float:
        """The value of one parameter as it is."""
        return self._engine.value(self.state, wanted)

    def parameters(self) -> dict[str, float]:
        """id → value of everything that is trained."""
        graph, updated = self.whole.graph, self.whole.updated
        return {graph.cell_id(wanted): value for wanted, value in self.values().items() if wanted[0] in updated}

    def loss(self) -> float:
        """The loss of all samples with the parameters as they are."""
        with self._watched():
            return self.passes.loss(self.state, self.problem.samples) if self._data else self._engine.loss(self.state)

    @property
    def in_pieces(self) -> bool:
        """Whether the samples are arrays, of which some thousand are worked at a time."""
        return bool(self._data)

    def loss_and_outputs(self) -> tuple[float, Any]:
        """The loss of all samples that are held as arrays, and the outputs (sample, output), from one pass."""
        with self._watched():
            return self.passes.loss_and_outputs(self.state, self.problem.samples)

    def loss_at(self, values: Mapping[Cell, float]) -> float:
        """The loss of all samples with other values of some parameters; not a number where it has none."""
        try:
            found = self._engine.loss(self._engine.changed(self.state, values))
        except (ArithmeticError, ValueError):
            return math.nan
        return found if math.isfinite(found) else math.nan

    def gradient_norm(self) -> float:
        """The length of the gradient of the loss of all samples by all that is trained, with the parameters as they are."""
        with self._watched():
            return self._steepness.loss(self.state, self._everything)

    @cached_property
    def _steepness(self) -> Engine:
        norm = gradient_norm(self.whole.graph, self.problem, self.whole.updated)
        return type(self._engine)(self.whole.graph, self.whole.carried, norm, self._data)

    @cached_property
    def passes(self) -> Passes:
        """Forward passes of many samples, by arrays."""
        return Passes(self.whole, tuple(self.whole.carried))

    @cached_property
    def _everything(self) -> Any:
        """The data of all samples, where they are not part of the program."""
        return as_arrays(self.problem.samples, shapes_in(self.whole.graph)) if self._data else ()


def _typical(samples: Samples, batch: Sequence[int], width: int) -> Samples:
    """The samples of a batch; one gives way to one whose targets do not sum to 1, if there is any: it changes the loss's formula,
    and the program is to be right for every batch."""
    chosen = select(samples, batch)
    if sum_to_one(samples, width) or not sum_to_one(chosen, width):
        return chosen
    odd = next(place for place in range(len(samples)) if not sum_to_one(select(samples, [place]), width))
    return select(samples, [odd, *batch[1:]])


def watched(problem: Problem) -> Model:
    """The model of a problem; where only errors are given, or rules of updating and nothing is minimised, with what is watched instead
    of a loss: half the squared errors, or the last equation."""
    model = build(problem)
    if problem.rules and not model.loss:
        return model.replace(loss=last_equation(model.graph, problem))
    return model.replace(loss=squared_errors(model.graph)) if not model.loss and model.graph.errors else model


def _engine(model: Model, data: tuple[str, ...], value: Callable[[Cell], float]) -> tuple[Engine, Any]:
    """The program of a model and its state: straight-line code for a small one, whole arrays for a large one; between, where a
    recurrence has many statements on small arrays, what has less to do. Nothing is timed: the last bits of results depend on it."""
    cells = sum(quantity.size for quantity in model.graph)
    if model.graph.inputs and cells > STRAIGHT_CELLS:
        with suppress(NotVectorised):
            engine = Vectorised(model.graph, model.carried, model.loss, data)
            if cells > min(AT_MOST * STRAIGHT_CELLS, CELLS_A_STATEMENT * engine.statements):
                return engine, engine.start(value)
    straight = Straight(model.graph, model.carried, model.loss, data)
    return straight, straight.start(value)
