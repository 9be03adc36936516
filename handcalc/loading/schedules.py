"""Reading `schedule:`, how the learning rate changes with the updates, or the epochs, that are done.

- `add_schedule(item, problem)` is the problem with its schedule; `updates_per_epoch(problem)` counts t in epochs.

Schedules with a name are in problem/words.py.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Ref, walk
from handcalc.loading.wordnumbers import put_in, word_numbers
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
