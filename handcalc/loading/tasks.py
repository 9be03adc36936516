"""Reading `tasks:`, what is asked of the student and what it is worth.

- `add_tasks(item, problem)` is the problem with its tasks and its marking scheme.

Which steps a task means is not known here: that needs the worked solution. To add a share of the marks: a field in
`Marking`, and one in SECTIONS["tasks"] (problem/fields.py).
"""

from __future__ import annotations

from handcalc.core.expr import Number
from handcalc.loading.settings import digits
from handcalc.problem.fields import keys
from handcalc.problem.reader import Item
from handcalc.problem.schema import Marking, Problem, Task


def add_tasks(item: Item, problem: Problem) -> Problem:
    """The problem with what is asked: a list of tasks, or a mapping with the scheme for all of them."""
    if item.kind not in ("mapping", "sequence"):
        item.fail("expected a list [a, b, …] or a mapping {example}, found {found}", example="{ask: [a, b], marks: 1}", found=item.shown)
        return problem
    part = item.section(keys("tasks")) if item.kind == "mapping" else {"ask": item}
    scheme = _scheme(item, part, Task(""))
    tasks = [task for entry in _entries(item, part) for task in _tasks(entry, scheme)]
    _refuse_repeated(tasks)
    shares = {key: _number(part[key], 1) for key in Marking._fields if key in part}
    marking = Marking(**{key: share for key, share in shares.items() if share is not None})
    return problem.replace(tasks=tuple(task for task, _ in tasks), marking=marking)


def _scheme(item: Item, part: dict[str, Item], general: Task) -> Task:
    """Marks and digits of a mapping; what it does not say is as in the general scheme."""
    marks = _number(part["marks"]) if "marks" in part else None
    decimals, significant = digits(item, part)
    if decimals is None and significant is None:
        decimals, significant = general.decimals, general.significant
    return Task("", general.marks if marks is None else marks, decimals, significant)


def _entries(item: Item, part: dict[str, Item]) -> list[Item]:
    """What stands under `ask`: a list, or one thing."""
    if "ask" not in part:
        item.fail("ask is missing: give an id, a symbol, a pattern, a phase, or a list of them")
        return []
    return (part["ask"].sequence() or []) if part["ask"].kind == "sequence" else [part["ask"]]


def _tasks(item: Item, scheme: Task) -> list[tuple[Task, Item]]:
    """The tasks of one entry, each with its place: a text, or a mapping with marks and digits of its own."""
    if item.kind != "mapping":
        return _task(item, scheme)
    part = item.section(keys("task"))
    own = _scheme(item, part, scheme)
    return [task for entry in _entries(item, part) for task in _task(entry, own)]


def _task(item: Item, scheme: Task) -> list[tuple[Task, Item]]:
    asked = item.node.value.strip() if item.kind == "text" else ""
    if not asked:
        item.fail("expected an id, a symbol, a pattern or a phase, found {found}", found=item.shown)
        return []
    return [(scheme.replace(ask=asked, line=item.place[0]), item)]


def _refuse_repeated(tasks: list[tuple[Task, Item]]) -> None:
    first: dict[str, Task] = {}
    for task, item in tasks:
        if first.setdefault(task.ask, task) is not task:
            item.fail("{found} is asked twice; first in line {line}", found=item.shown, line=first[task.ask].line)


def _number(item: Item, most: int | None = None) -> Number | None:
    """A number from 0 up, or up to most."""
    value = item.number()
    if value is None or value.numerator >= 0 and (most is None or value.numerator <= most * value.denominator):
        return value
    bound = "expected a number of at least 0, found {found}" if most is None else "expected a number from 0 to {most}, found {found}"
    item.fail(bound, most=most, found=item.shown)
    return None
