"""The pipeline: problem → model (graph) → derivation.

- `derive(problem, rounding, iterations)` is the worked solution of any problem; `check_iterations(problem, count)` says whether it
  can have so many.

Values come from an evaluation of the graph: cell by cell, or, where there are thousands of samples, by whole arrays
(arrays/large.py chooses). Nothing else of a derivation depends on which.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from handcalc.arrays.large import evaluator
from handcalc.core.derivation import Derivation
from handcalc.core.graph import Graph
from handcalc.core.instance import Value
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message, ProblemError
from handcalc.layers.site import places
from handcalc.models import build
from handcalc.models.header import header_of
from handcalc.models.model import Model
from handcalc.problem.schema import Problem


def derive(
    problem: Problem,
    rounding: Rounding | None = None,
    iterations: int = 1,
    *,
    start: Mapping[Cell, Value] | None = None,
    by_cells: bool = False,
) -> Derivation:
    """The worked solution of a problem, `iterations` updates long; any number of samples.

    rounding: instead of the problem's own; start: values of parameters instead of those given, as in the middle of a training;
    by_cells: every number by itself, as whoever replaces single ones needs them. Steps are computed on demand; a step without a
    finite value raises EvaluationError when it is asked for. Raises ProblemError where iterations have no samples to go on with, and
    where there are too many samples to round, to work in fractions, or to work by cells.
    """
    check_iterations(problem, iterations)
    header = header_of(problem)
    model = _model(problem, header.online)
    if model.graph.fixed and model.updated and iterations > 1:
        from handcalc.models.given import ONE_UPDATE, refuse  # rarely there, so nobody else waits for it

        refuse(problem, model.graph, ONE_UPDATE)
    chosen = rounding or problem.rounding or Rounding()
    return Derivation(
        model.graph,
        chosen,
        model.updated,
        model.loss,
        iterations,
        _feed(problem, model.graph, header.online, start or {}),
        header,
        model.memory,
        evaluator(problem, model.graph, chosen, by_cells),
    )


def check_iterations(problem: Problem, count: int) -> None:
    """Raises ProblemError where so many iterations have no samples of their own to go on with."""
    if problem.training.mode == "mini_batch" and count > 1:
        text = "every mini-batch has samples of its own; handcalc train FILE --show-step {number} explains one update"
        raise ProblemError(Message(text, f"{problem.path}: " if problem.path else "", number=count))


def _model(problem: Problem, online: bool) -> Model:
    """The graph of a problem; in online training, that of one sample, which each iteration fills with its own data; with
    mini-batches, that of the first."""
    training = problem.training
    size = 1 if online else training.batch_size if training.mode == "mini_batch" else len(problem.samples)
    return build(problem.replace(samples=problem.samples[:size]))


def _feed(problem: Problem, graph: Graph, online: bool, start: Mapping[Cell, Value]) -> Callable[[int], Mapping[Cell, Value]] | None:
    """The cells that have other values in iteration k: online training sees sample k, round and round; None where nothing does."""
    if not online:
        return (lambda number: start if number == 1 else {}) if start else None

    def feed(number: int) -> Mapping[Cell, Value]:
        sample = problem.samples[(number - 1) % len(problem.samples)]
        data: dict[Cell, Value] = {(graph.inputs, place): value for place, value in zip(places(problem.axes), sample.inputs)}
        data |= {(graph.targets, place): value for place, value in zip(places(problem.layers[-1].axes), sample.targets or ())}
        return {**data, **start} if number == 1 else data

    return feed
