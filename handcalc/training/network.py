"""What a network in training answers, with the parameters as they are, and how often that is right.

- `Network(trainer)`: `predict(inputs)`, `outputs(inputs)` and `outputs_of(samples)`; `accuracy(samples)`, `classes`.

Batch normalisation answers with the running mean and variance, where they are given; the problem as it predicts is
`evaluating`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from handcalc.arrays.feeding import numbers_of
from handcalc.arrays.passes import Passes
from handcalc.core.evaluation import Evaluation
from handcalc.errors import Message, ProblemError
from handcalc.layers import evaluating, mixes_samples
from handcalc.layers.site import places
from handcalc.loading.standardise import standardised
from handcalc.models import build
from handcalc.models.model import Model
from handcalc.problem.dataset import Dataset, Samples, select
from handcalc.problem.words import IN_PLACE, OPTIMISERS
from handcalc.training.classes import Classes, classes_of
from handcalc.training.trainer import Trainer, watched

_Rows = Sequence[Sequence[float]]


class Network:
    """The network that a trainer trains; it answers with the parameters as they are when it is asked."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.problem = trainer.problem
        evaluated = evaluating(trainer.problem)  # whose samples are standardised already
        if OPTIMISERS[evaluated.optimizer.name].ahead:  # it answers with the parameters as they are
            evaluated = evaluated.replace(optimizer=evaluated.optimizer.replace(name=IN_PLACE))
        self._evaluated = evaluated.replace(standard=None) if evaluated.standard else evaluated

    # --- other inputs ---

    def predict(self, inputs: Sequence[float]) -> list[float]:
        """What the network answers to other inputs. Raises ValueError for a wrong number of them."""
        if len(inputs) != len(self.problem.inputs):
            raise ValueError(f"expected {len(self.problem.inputs)} inputs, found {len(inputs)}")
        if mixes_samples(self._evaluated):
            raise ProblemError(Message("with batch normalisation a single input has no answer"))
        if self.problem.own_states:
            raise ProblemError(Message("with initial states of every sample another input has no answer"))
        model = build(self._evaluated.replace(samples=self.problem.samples[:1]))
        if self.problem.standard:
            inputs = standardised(self.problem.standard, inputs)
        given = {(model.graph.inputs, place): float(value) for place, value in zip(places(self.problem.axes), inputs)}
        known = Evaluation(model.graph.at_once, None, self.trainer.values() | given)
        return [float(known[cell]) for cell in model.answers()]

    def outputs(self, inputs: _Rows) -> list[tuple[float, ...]]:
        """What the network answers to many inputs; not a number where it has no answer."""
        return self._program(self.trainer.state, inputs)

    @cached_property
    def _program(self) -> Callable[[Any, Any], list[tuple[float, ...]]]:
        some = [0] if self.trainer.straight else [0, 0]  # arrays have samples where there are two or more
        model = build(self._evaluated.replace(samples=select(self.problem.samples, some)))
        return self.trainer.program(self._evaluated, some).answers(model.answers(), (model.graph.inputs,))

    # --- samples ---

    def outputs_of(self, samples: Samples, most: int | None = None) -> _Rows:
        """The outputs for every sample (or for the first ones), in the order of their targets."""
        trainer = self.trainer
        if self._on_arrays:
            rows: list[list[float]] = self._array_of(samples, most).tolist()
            return rows
        model = self._model if samples is self.problem.samples else build(self._evaluated.replace(samples=samples))
        known = Evaluation(model.graph.at_once, None, trainer.values())
        count = len(samples) if most is None else min(most, len(samples))
        return [[float(known[cell]) for cell in model.answers(place)] for place in range(count)]

    def _array_of(self, samples: Samples, most: int | None = None) -> Any:
        """The outputs for every sample (or for the first ones) as an array."""
        return self._passes.outputs(self.trainer.state, samples, most)

    @property
    def _on_arrays(self) -> bool:
        """Whether outputs are worked out by arrays."""
        graph = self.trainer.whole.graph
        return not self.trainer.straight and bool(graph[graph.inputs].sampled)

    @property
    def inputs(self) -> _Rows:
        """The inputs of all samples (sample, input)."""
        return numbers_of(self.problem.samples, "inputs")

    @cached_property
    def classes(self) -> Classes | None:
        """The classes that targets are, if they are."""
        return self._classes_of(self.problem.samples)

    def accuracy(self, samples: Samples | None = None) -> float | None:
        """The share of samples (its own, if no others are given) that are classified right; None where targets are no classes."""
        chosen = self.problem.samples if samples is None else samples
        classes = self.classes if chosen is self.problem.samples else self._classes_of(chosen)
        if not classes:
            return None
        return classes.right(self._array_of(chosen) if self._on_arrays else self.outputs_of(chosen)) / len(chosen)

    def standing(self) -> tuple[float, float | None]:
        """The loss of all samples, and their accuracy: where both come from the same arrays, from one pass."""
        trainer, classes = self.trainer, self.classes
        if classes is None or not trainer.in_pieces or self._passes is not trainer.passes:
            return trainer.loss(), self.accuracy()
        loss, outputs = trainer.loss_and_outputs()
        return loss, classes.right(outputs) / len(outputs)

    def _classes_of(self, samples: Samples) -> Classes | None:
        is_row = bool(self.problem.layers) and len(self.problem.layers[-1].axes) == 1
        if not is_row:
            return None
        return classes_of(samples.target_rows() if isinstance(samples, Dataset) else numbers_of(samples, "targets"))

    @cached_property
    def _model(self) -> Model:
        """The model that answers: with running means, where there are some, else that of training."""
        return self.trainer.whole if self._evaluated is self.problem else watched(self._evaluated)

    @cached_property
    def _passes(self) -> Passes:
        """Forward passes of the model that answers."""
        return self.trainer.passes if self._model is self.trainer.whole else Passes(self._model, tuple(self.trainer.whole.carried))
