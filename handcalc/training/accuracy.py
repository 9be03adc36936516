"""How often a trained network is right.

- `outputs(trainer, samples, most)` is what it answers to samples, `share_right(trainer, samples)` how many answers are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from handcalc.arrays.feeding import numbers_of
from handcalc.core.evaluation import Evaluation
from handcalc.models import build
from handcalc.problem.dataset import Samples
from handcalc.training.classes import classes_of

if TYPE_CHECKING:
    from handcalc.training.train import Trainer

Rows = Sequence[Sequence[float]]


def outputs(trainer: Trainer, samples: Samples, most: int | None = None) -> Rows:
    """The outputs for every sample (or for the first ones), in the order of their targets, with the parameters as they are."""
    if not trainer.straight and trainer.whole.graph["x"].sampled:
        rows: list[list[float]] = trainer.answers.outputs(trainer.state, samples)[:most].tolist()
        return rows
    model = trainer.answering if samples is trainer.problem.samples else build(trainer.evaluated.replace(samples=samples))
    known = Evaluation(model.graph, None, trainer.values())
    count = len(samples) if most is None else min(most, len(samples))
    return [[float(known[cell]) for cell in model.answers(place)] for place in range(count)]


def share_right(trainer: Trainer, samples: Samples) -> float | None:
    """The share of samples that are classified right; None where their targets are no classes."""
    if not trainer.problem.layers or len(trainer.problem.layers[-1].axes) != 1:
        return None
    classes = classes_of(numbers_of(samples, "targets"))
    return classes.right(outputs(trainer, samples)) / len(samples) if classes else None
