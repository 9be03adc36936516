"""Training: many updates, one after the other, until a rule says stop.

- `train(problem, iterations, epochs, every)` is the whole of it; `Trained` its result.
- `train_on(trainer, …)` does it with a trainer (trainer.py) that can be asked afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.record import Record
from handcalc.problem.dataset import Dataset
from handcalc.problem.schema import Problem
from handcalc.showing import SelfShowing
from handcalc.training.network import Network
from handcalc.training.stopping import Stopping
from handcalc.training.trainer import Trainer

DEFAULT_ITERATIONS = 1000
POINTS = 200  # losses in a history that nobody asked to be longer
FEW_POINTS = 20  # where each of them takes long


class Trained(SelfShowing, Record):
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
    rules, network = Stopping(trainer), Network(trainer)
    history: list[tuple[int, float]] = []
    accuracy: list[tuple[int, float | None]] = []

    def note() -> None:
        loss, share = network.standing()
        history.append((trainer.done, loss))
        accuracy.append((trainer.done, share))

    note()
    stopped = rules.begin(history[0][1])
    try:
        while trainer.done < wanted and not stopped:
            stopped = rules.advance(min(step - trainer.done % step, wanted - trainer.done))
            note()
            if progress:
                progress(trainer.done, wanted, history[-1][1])
    except KeyboardInterrupt:
        stopped = "interrupted"
        note()
    shares = tuple((count, share) for count, share in dict(accuracy).items() if share is not None)
    tested = network.accuracy(trainer.problem.test) if trainer.problem.test else None
    ended = stopped or "iterations"
    found = Trained(trainer.done, history[-1][1], trainer.parameters(), tuple(dict(history).items()), ended, shares, tested)
    return found.in_context(trainer)


def _points(trainer: Trainer, wanted: int) -> int:
    """How many losses a history has. A loss of thousands of samples takes as long as many updates of a few."""
    if not isinstance(trainer.problem.samples, Dataset):
        return POINTS
    return min(max(wanted * trainer.batch_size // (4 * len(trainer.problem.samples)), FEW_POINTS), POINTS)
