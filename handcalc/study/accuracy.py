"""How often a trained network is right.

- `outputs(trainer, samples, most)` is what it answers to samples, `share_right(trainer, samples)` how many answers are right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING

from handcalc.core.evaluation import Evaluation
from handcalc.models import build
from handcalc.problem.dataset import Dataset, Samples
from handcalc.study.classes import classes_of

if TYPE_CHECKING:
    from handcalc.study.train import Trainer

Rows = Sequence[Sequence[float]]


def outputs(trainer: Trainer, samples: Samples, most: int | None = None) -> Rows:
    """The outputs for every sample (or for the first ones), with the parameters as they are."""
    if not trainer.straight and trainer.whole.graph["x"].sampled:
        rows: list[list[float]] = trainer.passes.outputs(trainer.state, samples)[:most].reshape(-1, _width(trainer)).tolist()
        return rows
    own = samples is trainer.problem.samples
    graph = trainer.whole.graph if own else build(trainer.problem.replace(samples=samples)).graph
    known, output = Evaluation(graph, None, trainer.values()), f"out{len(trainer.problem.layers)}"
    places = graph.positions(output)
    width = _width(trainer)
    count = len(samples) if most is None else min(most, len(samples))
    cells = [float(known[output, place]) for place in islice(places, count * width)]
    return [cells[start : start + width] for start in range(0, len(cells), width)]


def _width(trainer: Trainer) -> int:
    """Outputs of one sample."""
    axes = trainer.whole.graph[f"out{len(trainer.problem.layers)}"].axes
    width = 1
    for axis in axes:
        width *= axis.size if axis.role != "sample" else 1
    return width


def share_right(trainer: Trainer, samples: Samples) -> float | None:
    """The share of samples that are classified right; None where their targets are no classes."""
    classes = classes_of(_targets(samples))
    return classes.right(outputs(trainer, samples)) / len(samples) if classes else None


def _targets(samples: Samples) -> Rows:
    if isinstance(samples, Dataset):
        rows: Rows = samples.target_rows().tolist()
        return rows
    return [[target.numerator / target.denominator for target in sample.targets or ()] for sample in samples]
