"""The pipeline: problem → model (graph) → derivation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.graph import Cell
from handcalc.core.rounding import Rounding
from handcalc.models import build
from handcalc.problem.schema import Problem

ITERATION_LIMIT = 1_000_000


def derive(problem: Problem, rounding: Rounding | None = None, iterations: int = 1) -> Derivation:
    """The worked solution of a problem, `iterations` updates long.

    rounding: instead of the problem's own. Steps are computed on demand; a step without a finite value raises
    EvaluationError when it is asked for.
    """
    online = problem.training.mode == "online" and len(problem.samples) > 1
    model = build(problem.replace(samples=problem.samples[:1]) if online else problem)
    chosen = rounding or problem.rounding or Rounding()
    return Derivation(model.graph, chosen, model.updated, model.loss, iterations, _one_after_another(problem) if online else None, problem)


def _one_after_another(problem: Problem) -> Callable[[int], Mapping[Cell, Any]]:
    """Online training: iteration k sees sample k, round and round."""

    def feed(number: int) -> Mapping[Cell, Any]:
        sample = problem.samples[(number - 1) % len(problem.samples)]
        data: dict[Cell, Any] = {("x", (place,)): value for place, value in enumerate(sample.inputs)}
        data |= {("t", (place,)): value for place, value in enumerate(sample.targets or ())}
        return data

    return feed
