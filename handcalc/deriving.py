"""The pipeline: problem → model (graph) → derivation.

- `derive(problem, rounding, iterations)` is the worked solution of any problem.
- `check_iterations(problem, graph, updated, count)` refuses updates after the first where results are given.
- `of_update(problem, places)` is the problem of one update, with its samples only.

Values come from an evaluation of the graph: cell by cell, or, where there are thousands of samples, by whole arrays
(arrays/large.py chooses). Nothing else of a derivation depends on which. Every update has the samples that it has in training: all,
one after the other, or a mini-batch.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from handcalc.arrays.large import evaluator
from handcalc.core.derivation import Basis, Derivation
from handcalc.core.graph import Graph
from handcalc.core.instance import Value
from handcalc.core.patterns import is_pattern
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError, Message, ProblemError, UnknownIdError
from handcalc.layers.softmax import POWERS
from handcalc.loading.schedules import batch_size, batches, updates_per_epoch
from handcalc.models import build
from handcalc.models.header import header_of
from handcalc.models.model import Model
from handcalc.problem.dataset import sample_names, select
from handcalc.problem.schema import Batch, Problem
from handcalc.stages import DERIVE, stage

LOOKED_AT = 20_000  # cells of a graph; in larger ones nobody looks whether softmax can be worked in steps before it is


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
    finite value raises EvaluationError when it is asked for. Raises ProblemError where there are too many samples to round, to work
    in fractions, or to work by cells.
    """
    with stage(DERIVE):
        return _derived(problem, rounding or problem.rounding or Rounding(), iterations, start, by_cells)


def _derived(problem: Problem, chosen: Rounding, iterations: int, start: Mapping[Cell, Value] | None, by_cells: bool) -> Derivation:
    bases = _Bases(problem, chosen, by_cells)
    model = bases.model(1)
    check_iterations(problem, model.graph, model.updated, iterations)
    header = partial(header_of, problem)
    found = Derivation(model.graph, chosen, model.updated, model.loss, iterations, bases, header, model.memory, start, _meaning)
    if problem.conventions.softmax == "steps" and not has_powers(found):
        conventions = problem.conventions.replace(softmax="shifted")
        return _derived(problem.replace(conventions=conventions), chosen, iterations, start, by_cells)
    if any(not is_pattern(word) for word, *_ in chosen.overrides):
        by_ids = _by_ids(chosen, problem, found)
        if by_ids != chosen:
            return _derived(problem, by_ids, iterations, start, by_cells)
    return found


def _by_ids(rounding: Rounding, problem: Problem, derivation: Derivation) -> Rounding:
    """The rounding with ids in the place of other names of steps. Raises ProblemError with every name that no step has."""
    if updates_per_epoch(problem) > 1:
        return rounding  # a round has steps that others do not have
    told = problem.overridden if problem.rounding and problem.rounding.overrides == rounding.overrides else ()
    overrides, wrong = [], []
    for place, (word, *digits) in enumerate(rounding.overrides):
        try:
            overrides.append((word if is_pattern(word) else derivation.graph.cell_id(derivation.meant(word)[0]), *digits))
        except UnknownIdError as error:
            where = problem.path + told[place] if told else ""
            wrong += [Message(message.template, where, **message.values) for message in error.messages]
    if wrong:
        raise ProblemError(*wrong)
    return rounding.replace(overrides=tuple(overrides))


def _meaning(derivation: Derivation, text: str) -> tuple[Cell, int, bool]:
    """What a word means in the notation of the problem. Raises UnknownIdError."""
    from handcalc.render import read  # only where a word is no id

    found = read(derivation).look_up(text)
    return found.cell, found.iteration, bool(found.turned)


def has_powers(derivation: Derivation) -> bool:
    """Whether the powers of softmax can be written in the forward pass of every round, and after the last update: none is too large, and
    not all of them are 0."""
    for number in range(1, derivation.iterations + 1):
        graph, evaluation = derivation.at(number).graph, derivation.iteration(number).evaluation
        sums = [one.name for one in graph if (one.kind, one.role) == ("step", "sum")]
        if not sums or sum(quantity.size for quantity in graph) > LOOKED_AT:
            return True
        try:
            if not all(evaluation[name, place] for name in sums for place in graph.positions(name)):
                return False
        except EvaluationError as error:
            return error.cell is None or graph[error.cell[0]].role not in POWERS
    return True


def check_iterations(problem: Problem, graph: Graph, updated: Mapping[str, str], count: int) -> None:
    """Raises ProblemError where numbers given in the place of results allow one update only, and more are asked for."""
    if graph.fixed and updated and count > 1:
        from handcalc.models.given import ONE_UPDATE, refuse  # rarely there, so nobody else waits for it

        refuse(problem, graph, ONE_UPDATE)


class _Bases:
    """Round → what it is worked with: the model of its samples. Rounds with the same samples share one."""

    def __init__(self, problem: Problem, rounding: Rounding, by_cells: bool) -> None:
        self._problem = problem
        self._rounding = rounding
        self._by_cells = by_cells
        self._in_parts = updates_per_epoch(problem) > 1
        self._order = batches(problem)
        self._places: list[tuple[int, ...]] = []
        self._made: dict[tuple[int, ...], tuple[Model, Basis]] = {}

    def __call__(self, number: int) -> Basis:
        return self._round(number)[1]

    def model(self, number: int) -> Model:
        """The model of a round."""
        return self._round(number)[0]

    def _round(self, number: int) -> tuple[Model, Basis]:
        while self._in_parts and len(self._places) < number:
            self._places.append(tuple(map(int, next(self._order))))
        places = self._places[number - 1] if self._in_parts else ()
        if places not in self._made:
            problem = of_update(self._problem, places) if places else self._problem
            model = build(problem)
            evaluation = evaluator(problem, model.graph, self._rounding, self._by_cells)
            self._made[places] = model, Basis(model.graph, evaluation, sample_names(problem.samples) if places else ())
        return self._made[places]


def of_update(problem: Problem, places: tuple[int, ...]) -> Problem:
    """The problem with the samples of one update; there is no sample axis where every update has a single one."""
    alone = batch_size(problem) == 1
    batch = Batch(places, sample_names(problem.samples), alone) if not alone or problem.standard else None
    return problem.replace(samples=select(problem.samples, places), batch=batch)
