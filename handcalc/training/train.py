"""Training: many updates, one after the other, until a rule says stop.

- `train(problem, iterations, epochs, every)` is the whole of it; `Trained` its result.
- `Trainer(problem)` goes on step by step: `advance(count)`, `loss()`, `parameters()`, `predict(inputs)`; `next_step()` is
  the worked solution of the next update. `outputs(inputs)`, `accuracy()` and `loss_at(values)` are for pictures.

Nothing here computes: the updates are a program made from the problem's graph (straightline.py for small networks,
vectorised.py for large ones), and the loss in the history is that of all samples, from the graph of the whole batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from itertools import groupby, islice, repeat
from typing import Any

from handcalc.arrays.arraycode import NotVectorised
from handcalc.arrays.feeding import Feed, as_arrays, numbers_of, shapes_in
from handcalc.arrays.large import kind_of
from handcalc.arrays.passes import DATA, Passes
from handcalc.arrays.straightline import Straight
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.graph import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.derive import header
from handcalc.errors import EvaluationError, Message, ProblemError
from handcalc.layers import evaluating, mixes_samples
from handcalc.layers.site import places
from handcalc.loading.schedules import batch_size, updates_per_epoch
from handcalc.models import build
from handcalc.models.losses import squared_errors
from handcalc.models.model import Model
from handcalc.models.updates import gradient_norm
from handcalc.problem.dataset import Dataset, Samples, select, sum_to_one
from handcalc.problem.schema import Problem
from handcalc.training.accuracy import share_right
from handcalc.training.classes import Classes, classes_of
from handcalc.training.stopping import Stopping

Engine = Straight | Vectorised

DEFAULT_ITERATIONS = 1000
STRAIGHT_CELLS = 3000  # cells of a graph that becomes straight-line code; above, arrays are faster
TOGETHER = 1000  # updates between two looks at Ctrl-C and at numbers that are too large
POINTS = 200  # losses in a history that nobody asked to be longer
FEW_POINTS = 20  # where each of them takes long


class Trained(Record):
    """How a training went.

    iterations: updates done; loss: after the last; parameters: id → value; history: (iteration, loss after so many);
    stopped: why it ended: iterations, loss, change, gradient or interrupted; accuracy: (iteration, share of the samples that are
    right), where targets are classes; test_accuracy: the share of the test samples that are right.
    """

    iterations: int
    loss: float
    parameters: dict[str, float]
    history: tuple[tuple[int, float], ...]
    stopped: str
    accuracy: tuple[tuple[int, float], ...] = ()
    test_accuracy: float | None = None


class Trainer:
    """A problem in training; `done` counts the updates."""

    def __init__(self, problem: Problem) -> None:
        if isinstance(problem.samples, Dataset) and len(problem.samples) == 1:  # which has no sample axis
            problem = problem.replace(samples=tuple(problem.samples))
        self.problem = problem
        self.whole = _model(problem)
        if not self.whole.updated or not self.whole.loss:
            where = f"{problem.path}: " if problem.path else ""
            raise ProblemError(Message("there is nothing to train: targets and a learning_rate are needed", where))
        known = Evaluation(self.whole.graph)
        data = DATA if isinstance(problem.samples, Dataset) else ()
        self._engine, self.state = _engine(self.whole, data, lambda wanted: float(known[wanted]))
        if data and isinstance(self._engine, Straight):  # which has the numbers of all samples in its text
            self.problem = problem = problem.replace(samples=tuple(problem.samples))
            self._engine, self.state = _engine(self.whole, (), lambda wanted: float(known[wanted]))
        self._feed = Feed(problem, self.whole.graph, self.batch_size, isinstance(self._engine, Vectorised))
        self._batches = self._feed.batches()
        self._programs: dict[tuple[int, bool], Engine] = {}
        self.done = 0

    @property
    def direct(self) -> bool:
        """Whether there are errors and no loss: nothing changes any more when all of them are 0."""
        return "watched" in self.whole.graph

    @property
    def straight(self) -> bool:
        """Whether the network is a small one, which runs as straight-line code."""
        return isinstance(self._engine, Straight)

    @property
    def inputs(self) -> Sequence[Sequence[float]]:
        """The inputs of all samples (sample, input)."""
        return numbers_of(self.problem.samples, "inputs")

    @property
    def batch_size(self) -> int:
        """Samples of one update."""
        return batch_size(self.problem)

    @property
    def epoch(self) -> int:
        """Updates in one epoch."""
        return updates_per_epoch(self.problem)

    def advance(self, count: int, stop: float = -math.inf) -> bool:
        """So many updates more; whether a loss of at most `stop` ended them (it is looked at after each epoch).

        Raises EvaluationError where there is no finite value any more.
        """
        if self.epoch == 1:
            return self._run(self._engine, repeat(self._everything(), count), stop) < count
        rest = count
        while rest:
            upto = min(rest, self.epoch - self.done % self.epoch, TOGETHER)
            for _, group in groupby(islice(self._batches, upto), len):
                batches = list(group)
                rows = map(self._feed.row, batches)
                self._run(self._program(batches[0]), rows if self._feed.arrays else list(rows), -math.inf)
            rest -= upto
            if self.done % self.epoch == 0 and stop > -math.inf and self.loss() <= stop:
                return True
        return False

    def loss(self) -> float:
        """The loss of all samples with the parameters as they are."""
        with self._watched():
            if isinstance(self.problem.samples, Dataset):
                return self.passes.loss(self.state, self.problem.samples)
            return self._engine.loss(self.state)

    def value(self, wanted: Cell) -> float:
        """The value of one parameter as it is."""
        return self._engine.value(self.state, wanted)

    def loss_at(self, values: Mapping[Cell, float]) -> float:
        """The loss of all samples with other values of some parameters; not a number where it has none."""
        try:
            found = self._engine.loss(self._engine.changed(self.state, values))
        except (ArithmeticError, ValueError):
            return math.nan
        return found if math.isfinite(found) else math.nan

    def outputs(self, inputs: Sequence[Sequence[float]]) -> list[tuple[float, ...]]:
        """What the network answers to many inputs with the parameters as they are; not a number where it has no answer."""
        return self._answers(self.state, inputs)

    @cached_property
    def _answers(self) -> Callable[[Any, Any], list[tuple[float, ...]]]:
        some = [0] if self.straight else [0, 0]  # arrays have samples where there are two or more
        wanted = build(self.evaluated.replace(samples=select(self.problem.samples, some))).answers()
        return self._program(some, self.evaluated).answers(wanted, ("x",))

    @cached_property
    def classes(self) -> Classes | None:
        """The classes that targets are, if they are."""
        return (
            classes_of(numbers_of(self.problem.samples, "targets"))
            if self.problem.layers and len(self.problem.layers[-1].axes) == 1
            else None
        )

    def gradient_norm(self) -> float:
        """The length of the gradient of the loss of all samples by all that is trained, with the parameters as they are."""
        with self._watched():
            return self._steepness.loss(self.state, self._everything())

    @cached_property
    def _steepness(self) -> Engine:
        carried = {**self.whole.updated, **self.whole.memory}
        watched = gradient_norm(self.whole.graph, self.problem, self.whole.updated)
        return type(self._engine)(self.whole.graph, carried, watched, DATA if isinstance(self.problem.samples, Dataset) else ())

    def _everything(self) -> Any:
        """The data of all samples, where they are not part of the program."""
        samples = self.problem.samples
        return as_arrays(samples, shapes_in(self.whole.graph)) if isinstance(samples, Dataset) else ()

    @cached_property
    def passes(self) -> Passes:
        """Forward passes of many samples, by arrays."""
        return Passes(self.whole, tuple({**self.whole.updated, **self.whole.memory}))

    @cached_property
    def answering(self) -> Model:
        """The model that answers: with running means, where there are some, else that of training."""
        return self.whole if self.evaluated is self.problem else _model(self.evaluated)

    @cached_property
    def answers(self) -> Passes:
        """Forward passes of the model that answers."""
        return self.passes if self.answering is self.whole else Passes(self.answering, tuple({**self.whole.updated, **self.whole.memory}))

    @cached_property
    def evaluated(self) -> Problem:
        """The problem as it predicts."""
        return evaluating(self.problem)

    def accuracy(self, samples: Samples | None = None) -> float | None:
        """The share of samples (its own, if no others are given) that are classified right; None where targets are no classes."""
        return share_right(self, self.problem.samples if samples is None else samples)

    def values(self) -> dict[Cell, float]:
        """Cell → value of every parameter, and of what the optimiser remembers."""
        return self._engine.values(self.state)

    def parameters(self) -> dict[str, float]:
        """id → value of everything that is trained."""
        graph, updated = self.whole.graph, self.whole.updated
        return {graph.cell_id(wanted): value for wanted, value in self.values().items() if wanted[0] in updated}

    def predict(self, inputs: Sequence[float]) -> list[float]:
        """What the network answers to other inputs, with the parameters as they are. Raises ValueError for a wrong number of them."""
        if len(inputs) != len(self.problem.inputs):
            raise ValueError(f"expected {len(self.problem.inputs)} inputs, found {len(inputs)}")
        if mixes_samples(self.evaluated):
            raise ProblemError(Message("with batch normalisation a single input has no answer"))
        if self.problem.own_states:
            raise ProblemError(Message("with initial states of every sample another input has no answer"))
        model = build(self.evaluated.replace(samples=self.problem.samples[:1]))
        replaced = self.values() | {("x", place): float(value) for place, value in zip(places(self.problem.axes), inputs)}
        known = Evaluation(model.graph, None, replaced)
        return [float(known[cell]) for cell in model.answers()]

    def next_step(self, rounding: Rounding | None = None) -> Derivation:
        """The worked solution of the update that comes next."""
        problem = self.problem
        if problem.samples and self.epoch > 1:
            problem = problem.replace(samples=select(problem.samples, next(self._batches)), training=problem.training.replace(mode="batch"))
        model, now = build(problem), self.values()
        chosen = rounding or problem.rounding or Rounding()
        return kind_of(problem, model, chosen)(
            model.graph, chosen, model.updated, model.loss, 1, lambda number: now, header(problem), model.memory
        )

    # --- programs and their data ---

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
        except (ArithmeticError, ValueError):
            text = "training diverges after about {count} iterations: a number is too large; try a smaller learning_rate"
            raise EvaluationError(Message(text, count=self.done)) from None

    def _program(self, batch: Sequence[int], problem: Problem | None = None) -> Engine:
        """The update of so many samples, whose numbers are its data; problem: another than that of training."""
        wanted = len(batch), problem is None or problem is self.problem
        if wanted not in self._programs:
            chosen = _typical(self.problem.samples, batch, self.problem.layers[-1].axes[-1].size)
            model = _model((problem or self.problem).replace(samples=chosen))
            self._programs[wanted] = type(self._engine)(model.graph, {**model.updated, **model.memory}, model.loss, DATA)
        return self._programs[wanted]


def _typical(samples: Samples, batch: Sequence[int], width: int) -> Samples:
    """The samples of a batch; one gives way to one whose targets do not sum to 1, if there is any: it changes the loss's formula,
    and the program is to be right for every batch."""
    chosen = select(samples, batch)
    if sum_to_one(samples, width) or not sum_to_one(chosen, width):
        return chosen
    odd = next(place for place in range(len(samples)) if not sum_to_one(select(samples, [place]), width))
    return select(samples, [odd, *batch[1:]])


def _model(problem: Problem) -> Model:
    """The graph of a problem; where only errors are given, with what is watched instead of a loss."""
    model = build(problem)
    return model.replace(loss=squared_errors(model.graph)) if not model.loss and "err" in model.graph else model


def _engine(model: Model, data: tuple[str, ...], value: Callable[[Cell], float]) -> tuple[Engine, Any]:
    """The program of a model and its state: straight-line code for a small one, whole arrays for a large one."""
    carried = {**model.updated, **model.memory}
    if sum(math.prod(axis.size for axis in quantity.axes) for quantity in model.graph) > STRAIGHT_CELLS:
        with suppress(NotVectorised):
            engine = Vectorised(model.graph, carried, model.loss, data)
            return engine, engine.start(value)
    straight = Straight(model.graph, carried, model.loss, data)
    return straight, straight.start(value)


Progress = Callable[[int, int, float], None]  # told updates done, updates wanted, and the loss


def train(problem: Problem, iterations: int | None = None, epochs: int | None = None, every: int | None = None) -> Trained:
    """Train a problem for so many iterations or epochs (else those of `training:`, else 1,000 iterations).

    every: iterations between two losses of the history. Ends early where `training: {stop: …}` says so. Raises
    ProblemError where there is nothing to train, EvaluationError where it diverges.
    """
    return train_on(Trainer(problem), iterations, epochs, every)


def train_on(
    trainer: Trainer, iterations: int | None = None, epochs: int | None = None, every: int | None = None, progress: Progress | None = None
) -> Trained:
    """As `train`, with a trainer that can be asked afterwards. Ctrl-C ends it and keeps what is done."""
    training = trainer.problem.training
    chosen = epochs if epochs is not None else training.epochs or None
    wanted = iterations if iterations is not None else chosen * trainer.epoch if chosen else DEFAULT_ITERATIONS
    step = every or max(-(-wanted // _points(trainer, wanted)), 1)
    rules = Stopping(trainer)
    history = [(0, trainer.loss())]
    accuracy = [(0, trainer.accuracy())]
    stopped = rules.begin(history[0][1])
    try:
        while trainer.done < wanted and not stopped:
            stopped = rules.advance(min(step - trainer.done % step, wanted - trainer.done))
            history.append((trainer.done, trainer.loss()))
            accuracy.append((trainer.done, trainer.accuracy()))
            if progress:
                progress(trainer.done, wanted, history[-1][1])
    except KeyboardInterrupt:
        stopped = "interrupted"
        history.append((trainer.done, trainer.loss()))
        accuracy.append((trainer.done, trainer.accuracy()))
    shares = tuple((count, share) for count, share in dict(accuracy).items() if share is not None)
    tested = trainer.accuracy(trainer.problem.test) if trainer.problem.test else None
    ended = stopped or "iterations"
    return Trained(trainer.done, history[-1][1], trainer.parameters(), tuple(dict(history).items()), ended, shares, tested)


def _points(trainer: Trainer, wanted: int) -> int:
    """How many losses a history has. A loss of thousands of samples takes as long as many updates of a few."""
    if not isinstance(trainer.problem.samples, Dataset):
        return POINTS
    return min(max(wanted * trainer.batch_size // (4 * len(trainer.problem.samples)), FEW_POINTS), POINTS)
