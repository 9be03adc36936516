"""Reading `schedule:`, how the learning rate changes with the updates, or the epochs, that are done.

- `add_schedule(item, problem)` is the problem with its schedule; `updates_per_epoch(problem)` counts t in epochs.
- `batches(problem)` are the samples of every update.

Schedules with a name are in problem/words.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from handcalc.core.expr import Expr, Ref, walk
from handcalc.loading.wordnumbers import put_in, word_numbers
from handcalc.problem.dataset import Dataset
from handcalc.problem.fields import read_section
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Problem, Schedule
from handcalc.problem.values import Section
from handcalc.problem.words import SCHEDULES

NAMES = ("rate", "t")


def batch_size(problem: Problem) -> int:
    """The samples of one update."""
    training = problem.training
    return {"online": 1, "mini_batch": training.batch_size}.get(training.mode, 0) or len(problem.samples)


def batches(problem: Problem) -> Iterator[Sequence[int]]:
    """The places of the samples of every update, epoch after epoch; the same seed gives the same order everywhere."""
    samples, size = problem.samples, batch_size(problem)
    places: Any = list(range(len(samples)))
    shuffled = _shuffler(problem) if problem.training.order == "shuffled" else None
    while True:
        if shuffled:
            places = shuffled(places)
        for start in range(0, len(places), size):
            yield places[start : start + size]


def _shuffler(problem: Problem) -> Callable[[Any], Any]:
    """What puts places into another order: by keys drawn for an array, whose list would take longer to shuffle than an epoch to
    train."""
    from random import Random

    draw = Random(problem.training.seed)

    def list_shuffled(places: Any) -> Any:
        draw.shuffle(places)
        return places

    def array_shuffled(places: Any) -> Any:
        import numpy

        return numpy.argsort(numpy.frombuffer(draw.randbytes(8 * len(places)), "<u8"), kind="stable")

    return array_shuffled if isinstance(problem.samples, Dataset) else list_shuffled


def updates_per_epoch(problem: Problem) -> int:
    """How many updates go through all samples."""
    return -(-len(problem.samples) // batch_size(problem)) if problem.samples else 1


def add_schedule(item: FileNode, problem: Problem) -> Problem:
    """The problem with its schedule: {name: {numbers}}, with `per` or without, or a formula."""
    if problem.learning_rate is None:
        item.fail("a schedule needs a learning_rate to start from")
    part = read_section(item, "schedule", "formula")
    per = part.value("per")
    named = [key for key in part if key != "per"]
    if len(named) != 1:
        item.fail("expected one schedule such as {example}", example="{step: {every: 10, factor: 0.5}}")
        return problem
    name = named[0]
    found = _typed(part[name]) if name == "formula" else _named(name, part)
    epoch = updates_per_epoch(problem) if per == "epoch" else 1
    return problem.replace(schedule=Schedule(name, found, epoch)) if found is not None else problem


def _typed(item: FileNode) -> Expr | None:
    """A formula in the learning rate and t."""
    text = item.text()
    if text in SCHEDULES:
        numbers = ", ".join(f"{key}: …" for key in SCHEDULES[text].numbers)
        item.fail("expected numbers, such as {example}", example=f"{{{text}: {{{numbers}}}}}")
        return None
    found = item.formula(NAMES) if text is not None else None
    if found is not None and Ref("rate") not in walk(found):
        item.fail("the formula of a schedule must use {name}, the learning rate at the start; found {found}", name="rate", found=item.shown)
    return found


def _named(name: str, part: Section) -> Expr | None:
    """The formula of a schedule with its numbers in it; None after an error."""
    item, schedule, inside = part[name], SCHEDULES[name], part.inside(name)
    numbers = word_numbers(inside, schedule.numbers)
    for key, usual in schedule.numbers.items():
        if not usual and key not in inside and item.kind == "mapping":
            item.fail("{key} is missing", key=key)
    return put_in(schedule.formula, numbers) if len(numbers) == len(schedule.numbers) else None
