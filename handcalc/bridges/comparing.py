"""A framework's step of training beside the hand calculation.

- `blocks(problem, comparison)` is the report, `as_json(comparison)` the same as data.
- `compare(problem, module, step, steps)` runs the user's own step and compares it; `compare_trace(problem, trace)` compares one that was
  written down. Both answer a `StepComparison`: `.ok`, `.differences`, `.first`, `.causes`, and as text what is wrong.

A number of the framework is right where it is inside the bounds that its precision allows (bounds.py). Where one is not, causes.py looks
for what explains all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from handcalc.bridges.causes import causes_of
from handcalc.bridges.suspects import Cause
from handcalc.bridges.trace import Trace, trace
from handcalc.bridges.working import Difference, Working
from handcalc.core.record import Record
from handcalc.errors import Message, Template
from handcalc.problem.schema import Problem
from handcalc.render.blocks import Block, Heading, Item, Paragraph, Plain, Table
from handcalc.render.items import title_item

MOST = 200  # differences that are kept
SHOWN = 12  # of them in a report

PHASE_WORDS: dict[str, Template] = {
    "start": "the parameters before the step",
    "input": "the inputs",
    "forward": "the forward pass",
    "loss": "the loss",
    "gradient": "the gradients",
    "update": "the parameters after the step",
}


class StepComparison(Record):
    """What a comparison found: how many numbers were compared, those that are out of bounds, and what explains them."""

    compared: int
    differences: tuple[Difference, ...] = ()
    causes: tuple[Cause, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether all numbers are inside their bounds."""
        return not self.differences

    @property
    def first(self) -> Difference | None:
        """The first number that differs."""
        return self.differences[0] if self.differences else None

    def lines(self) -> list[Message]:
        """What to say of it."""
        first = self.first
        if first is None:
            return [Message("All {count} numbers of the step agree with the hand calculation.", count=self.compared), *self.notes]
        text = "Step {step}: the first difference is in {phase}: {id} ({name}) is {found}, by hand {expected} ± {bound}."
        found = Message("missing") if first.found is None else f"{first.found:.9g}"
        values: dict[str, Any] = {"expected": f"{first.expected:.9g}", "bound": f"{first.bound:.1g}", "found": found}
        told = Message(text, step=first.step, phase=Message(PHASE_WORDS[first.phase]), id=first.id, name=first.where, **values)
        count = Message(
            "{wrong} of {count} {count:number|numbers} {wrong:differs|differ}.", wrong=len(self.differences), count=self.compared
        )
        named = [cause.message for cause in self.causes] or [Message("No mistake that is known explains it.")]
        return [told, count, *named, *self.notes]

    def __str__(self) -> str:
        return "\n".join(map(str, self.lines()))


def compare(problem: Problem, module: Any, step: Callable[[], Any], steps: int = 2) -> StepComparison:
    """Run `step()`, your own code for one step of training of a PyTorch module, so many times, and compare what it did.

    The module starts as the problem says; step() may answer the loss. Two steps show what one does not, such as gradients that add up.
    Raises ModelError where the module is another network than the problem's.
    """
    return compare_trace(problem, trace(module, step, steps))


def compare_trace(problem: Problem, found: Trace) -> StepComparison:
    """The comparison of steps that were recorded. Raises ModelError, EvaluationError."""
    working = Working(problem, found)
    differences = tuple(islice(working.differences(), MOST))
    notes = tuple(Message("{id} of the problem is no parameter of the module.", id=name) for name in working.alignment.left)
    causes = causes_of(working, differences) if differences else ()
    return StepComparison(working.compared, differences, causes, notes)


def blocks(problem: Problem, found: StepComparison) -> Iterator[Block]:
    """The report: what is wrong, then the first numbers that differ."""
    yield Heading(1, title_item(problem.title or problem.path, problem.title_zh))
    yield from map(Paragraph, found.lines())
    if found.differences:
        columns = (Message("step"), Message("quantity"), Message("framework"), Message("by hand"), Message("bound"))
        yield Table(columns, tuple(map(_row, found.differences[:SHOWN])), omitted=max(len(found.differences) - SHOWN, 0))


def _row(one: Difference) -> tuple[Item, ...]:
    found: Item = Message("missing") if one.found is None else Plain(f"{one.found:.9g}")
    return Plain(str(one.step)), Plain(one.id), found, Plain(f"{one.expected:.9g}"), Plain(f"{one.bound:.1g}")


def as_json(found: StepComparison) -> dict[str, Any]:
    """The comparison as plain data."""
    rows = [
        {
            "step": one.step,
            "phase": one.phase,
            "id": one.id,
            "where": one.where,
            "found": one.found,
            "expected": one.expected,
            "bound": one.bound,
        }
        for one in found.differences
    ]
    causes = [{"slug": cause.slug, "text": str(cause.message)} for cause in found.causes]
    return {"ok": found.ok, "compared": found.compared, "differences": rows, "causes": causes}
