"""Reading `tasks:`, what is asked of the student and what it is worth.

- `add_tasks(item, problem)` is the problem with its tasks and its marking scheme.

Which steps a task means is not known here: that needs the worked solution. To add a share of the marks: a field in
`MarkingScheme`, and one in SECTIONS["tasks"] (problem/fields.py).
"""

from __future__ import annotations

from handcalc.core.order import PHASES
from handcalc.loading.rounding import digits
from handcalc.problem.fields import read_section
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import MarkingScheme, Problem, Task
from handcalc.problem.spellings import PHASE_WORDS
from handcalc.problem.values import Section


def add_tasks(item: FileNode, problem: Problem) -> Problem:
    """The problem with what is asked: a list of tasks, or a mapping with the scheme for all of them."""
    if item.kind not in ("mapping", "sequence"):
        item.fail("expected a list [a, b, …] or a mapping {example}, found {found}", example="{ask: [a, b], marks: 1}", found=item.shown)
        return problem
    part = read_section(item, "tasks", "ask")
    scheme = _scheme(item, part, Task(""))
    tasks = [task for entry in _entries(item, part) for task in _tasks(entry, scheme)]
    _refuse_repeated(tasks)
    marking = MarkingScheme(**part.read(MarkingScheme._fields))
    return problem.replace(tasks=tuple(task for task, _ in tasks), marking=marking)


def _scheme(item: FileNode, part: Section, general: Task) -> Task:
    """Marks and digits of a mapping; what it does not say is as in the general scheme."""
    decimals, significant = digits(item, part)
    if decimals is None and significant is None:
        decimals, significant = general.decimals, general.significant
    return Task("", part.value("marks", general.marks), decimals, significant)


def _entries(item: FileNode, part: dict[str, FileNode]) -> list[FileNode]:
    """What stands under `ask`: a list, or one thing."""
    if "ask" not in part:
        item.fail("ask is missing: give an id, a symbol, a pattern, a phase, or a list of them")
        return []
    return (part["ask"].sequence() or []) if part["ask"].kind == "sequence" else [part["ask"]]


def _tasks(item: FileNode, scheme: Task) -> list[tuple[Task, FileNode]]:
    """The tasks of one entry, each with its place: a text, or a mapping with marks and digits of its own."""
    if item.kind != "mapping":
        return _task(item, scheme)
    part = read_section(item, "task")
    own = _scheme(item, part, scheme)
    return [task for entry in _entries(item, part) for task in _task(entry, own)]


def _task(item: FileNode, scheme: Task) -> list[tuple[Task, FileNode]]:
    asked = (item.stands_for(PHASES, PHASE_WORDS) if item.kind == "text" else None) or item.typed.strip()
    if not asked:
        item.fail("expected an id, a symbol, a pattern or a phase, found {found}", found=item.shown)
        return []
    return [(scheme.replace(ask=asked, line=item.place[0]), item)]


def _refuse_repeated(tasks: list[tuple[Task, FileNode]]) -> None:
    first: dict[str, Task] = {}
    for task, item in tasks:
        if first.setdefault(task.ask, task) is not task:
            item.fail("{found} is asked twice; first in line {line}", found=item.shown, line=first[task.ask].line)
