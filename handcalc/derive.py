"""The pipeline: problem → model (graph) → derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handcalc.core.derivation import Derivation, Header
from handcalc.core.graph import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.models import Model, build
from handcalc.problem.dataset import sample_names
from handcalc.problem.schema import Problem


def derive(problem: Problem, rounding: Rounding | None = None, iterations: int = 1) -> Derivation:
    """The worked solution of a problem, `iterations` updates long, cell by cell; with many samples take that of study/large.py.

    rounding: instead of the problem's own. Steps are computed on demand; a step without a finite value raises
    EvaluationError when it is asked for.
    """
    check_iterations(problem, iterations)
    return work_out(problem, model_of(problem), rounding, iterations)


def check_iterations(problem: Problem, iterations: int) -> None:
    """Raises ProblemError where iterations have no samples of their own to go on with."""
    if problem.training.mode == "mini_batch" and iterations > 1:
        where = f"{problem.path}: " if problem.path else ""
        text = "every mini-batch has samples of its own; handcalc train FILE --show-step {number} explains one update"
        raise ProblemError(Message(text, where, number=iterations))


def model_of(problem: Problem) -> Model:
    """The graph of a problem; in online training, that of one sample, which each iteration fills with its own data; with
    mini-batches, that of the first."""
    training = problem.training
    size = 1 if _online(problem) else training.batch_size if training.mode == "mini_batch" else len(problem.samples)
    return build(problem.replace(samples=problem.samples[:size]))


def work_out(
    problem: Problem, model: Model, rounding: Rounding | None = None, iterations: int = 1, make: Callable[..., Derivation] = Derivation
) -> Derivation:
    """The derivation of a problem whose model is built already; make: what makes it."""
    chosen = rounding or problem.rounding or Rounding()
    return make(model.graph, chosen, model.updated, model.loss, iterations, data_of(problem), header(problem), model.memory)


def _online(problem: Problem) -> bool:
    return problem.training.mode == "online" and len(problem.samples) > 1


def header(problem: Problem) -> Header:
    """What a report says about a problem besides its steps."""
    layers, chosen = problem.layers, problem.conventions
    return Header(
        title=problem.title,
        source=problem.source,
        notation=problem.notation,
        language=problem.language,
        sizes=(len(problem.inputs), *(len(layer.neurons) for layer in layers)) if layers else (),
        activations=tuple(dict.fromkeys(activation.name for layer in layers for activation in layer.activations)),
        loss=problem.loss.name if problem.loss else "",
        samples=sample_names(problem.samples),
        online=_online(problem),
        trained_biases=problem.trained_biases if any(layer.bias for layer in layers) else None,
        frozen=tuple(sorted(problem.frozen)),
        conventions={"bias_update": problem.trained_biases, **{name: getattr(chosen, name) for name in chosen._fields}},
        tasks=tuple((task.ask, task.marks.text or str(task.marks.numerator)) for task in problem.tasks),
    )


def data_of(problem: Problem) -> Callable[[int], Mapping[Cell, Any]] | None:
    """The data of iteration k where they change: online training sees sample k, round and round."""
    if not _online(problem):
        return None

    def feed(number: int) -> Mapping[Cell, Any]:
        sample = problem.samples[(number - 1) % len(problem.samples)]
        data: dict[Cell, Any] = {("x", (place,)): value for place, value in enumerate(sample.inputs)}
        data |= {("t", (place,)): value for place, value in enumerate(sample.targets or ())}
        return data

    return feed
