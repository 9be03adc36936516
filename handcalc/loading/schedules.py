"""Reading `schedule:`, how the learning rate changes with the updates, or the epochs, that are done.

- `add_schedule(item, problem)` is the problem with its schedule; `updates_per_epoch(problem)` counts t in epochs.
- `SCHEDULES` has the formulas: `rate` is the learning rate at the start, t what is counted, from 0.

To add a schedule, add its line here and to the keys of `schedule` in datakeys.py.
"""

from __future__ import annotations

from handcalc.core import formula
from handcalc.core.expr import Expr, Number, Ref, number, rewrite, walk
from handcalc.core.record import Record
from handcalc.problem.fields import choices, keys
from handcalc.problem.reader import Item
from handcalc.problem.schema import Problem


class Schedule(Record):
    """η of an update: a formula in `rate`, the learning rate at the start, and t, which counts so many updates as one, from 0."""

    name: str
    formula: Expr
    updates: int = 1


NAMES = ("rate", "t")

# schedule → its formula, and its numbers with their usual values (PyTorch's); "" must be given
SCHEDULES: dict[str, tuple[str, dict[str, str]]] = {
    "step": ("rate*factor^floor(t/every)", {"every": "", "factor": "0.1"}),
    "exponential": ("rate*factor^t", {"factor": ""}),
    "inverse_time": ("rate/(1 + decay*t)", {"decay": ""}),
    "cosine": ("lowest + (rate - lowest)*(1 + cos(pi*min(t, iterations)/iterations))/2", {"iterations": "", "lowest": "0"}),
    "linear": ("rate*(start + (end - start)*min(t, iterations)/iterations)", {"iterations": "", "start": "1/3", "end": "1"}),
}
COUNTS = ("every", "iterations")  # whole numbers
FREE = ("lowest", "start", "end")  # may be 0


def batch_size(problem: Problem) -> int:
    """The samples of one update."""
    training = problem.training
    return {"online": 1, "mini_batch": training.batch_size}.get(training.mode, 0) or len(problem.samples)


def updates_per_epoch(problem: Problem) -> int:
    """How many updates go through all samples."""
    return -(-len(problem.samples) // batch_size(problem)) if problem.samples else 1


def add_schedule(item: Item, problem: Problem) -> Problem:
    """The problem with its schedule: {name: {numbers}}, with `per` or without, or a formula."""
    if problem.learning_rate is None:
        item.fail("a schedule needs a learning_rate to start from")
    if item.kind != "mapping":
        return _with(problem, "formula", _typed(item), False)
    part = item.section(keys("schedule"))
    per = part["per"].choice(choices("schedule", "per")) if "per" in part else None
    named = [(key, inner) for key, inner in part.items() if key != "per"]
    if len(named) != 1:
        item.fail("expected one schedule such as {example}", example="{step: {every: 10, factor: 0.5}}")
        return problem
    (name, inner), *_ = named
    return _with(problem, name, _typed(inner) if name == "formula" else _named(name, inner), per == "epoch")


def _with(problem: Problem, name: str, found: Expr | None, by_epoch: bool) -> Problem:
    epoch = updates_per_epoch(problem) if by_epoch else 1
    return problem.replace(schedule=Schedule(name, found, epoch)) if found is not None else problem


def _typed(item: Item) -> Expr | None:
    """A formula in the learning rate and t."""
    text = item.text()
    if text in SCHEDULES:
        item.fail("expected numbers, such as {example}", example=f"{{{text}: {{{', '.join(f'{key}: …' for key in SCHEDULES[text][1])}}}}}")
        return None
    found = item.formula(NAMES) if text is not None else None
    if found is not None and Ref("rate") not in walk(found):
        item.fail("the formula of a schedule must use {name}, the learning rate at the start; found {found}", name="rate", found=item.shown)
    return found


def _named(name: str, item: Item) -> Expr | None:
    """The formula of a schedule with its numbers in it; None after an error."""
    text, numbers = SCHEDULES[name]
    part = item.section(numbers)
    values: dict[str, Number | None] = {}
    for key, usual in numbers.items():
        if key in part:
            values[key] = _number(key, part[key])
        elif usual:
            values[key] = number(usual)
        elif item.kind == "mapping":
            item.fail("{key} is missing", key=key)
    known = {key: value for key, value in values.items() if value is not None}
    if len(known) < len(numbers):
        return None
    return rewrite(formula.parse(text, formula.any_name), lambda node: known.get(node.quantity) if isinstance(node, Ref) else None)


def _number(key: str, item: Item) -> Number | None:
    if key in COUNTS:
        count = item.whole(1, 100_000_000)
        return None if count is None else Number(count)
    found = item.number(positive=key not in FREE)
    if found is not None and found.numerator < 0:
        item.fail("expected a number that is not below 0, found {found}", found=item.shown)
        return None
    return found
