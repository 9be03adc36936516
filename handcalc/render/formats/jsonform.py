"""A derivation as JSON: the machine-readable solution, with formulas in the plain dialect.

`value` is the step's result before rounding, in the sign of its id (∂E/∂net whatever the notation); `shown`,
`symbol`, `formula` and `substituted` are as printed in the notation. Where a notation's letter stands for the
negative, the step says `"sign": -1`; where its number is given and not worked out, `"given": true`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from handcalc.core.derivation import Derivation, Step
from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.disk.jsontext import json_text
from handcalc.render.formats.jsonsteps import StepLines
from handcalc.render.reading import Reading

if TYPE_CHECKING:
    from handcalc.render.report import Chapter, Report

VERSION = 1
TOGETHER = 1000  # steps of which the formulas are kept


def document(report: Report) -> str:
    """The JSON of the contract; several problems are a list of such objects under "problems"."""
    return "".join(pieces(report))


def pieces(report: Report) -> Iterator[str]:
    """The same piece by piece, so that a large solution is never in memory as a whole."""
    several = len(report.chapters) != 1
    if several:
        yield f'{{"handcalc": {VERSION}, "problems": [\n'
    for place, chapter in enumerate(report.chapters):
        if place:
            yield ",\n"
        yield from _written(chapter)
    yield "\n]}\n" if several else "\n"


def _written(chapter: Chapter) -> Iterator[str]:
    """The object of a solution; every step is text as soon as it is made."""
    derivation, reading = chapter.derivation, chapter.reading
    head = _head(derivation)
    yield _around(head)[0]
    lines: dict[int, StepLines] = {}
    for place, (wanted, iteration) in enumerate(chapter.wanted()):
        if iteration not in lines:
            lines[iteration] = StepLines(derivation, reading, iteration)
        line = lines[iteration].line(wanted) or json_text(step_object(derivation, reading, derivation.step(wanted, iteration)))
        yield (",\n  " if place else "  ") + line
        if place % TOGETHER == TOGETHER - 1:
            derivation.forget()
    yield _around({**head, "loss": loss(derivation)})[1]


def solution(derivation: Derivation, reading: Reading, steps: Iterable[Step]) -> dict[str, Any]:
    """The JSON object of the contract."""
    found = _head(derivation)
    found["steps"] = [step_object(derivation, reading, step) for step in steps]
    return {**found, "loss": loss(derivation)}


def _head(derivation: Derivation) -> dict[str, Any]:
    """What is said before the steps."""
    return {
        "handcalc": VERSION,
        "title": derivation.header.title,
        "conventions": dict(derivation.header.conventions),
        "rounding": rounding(derivation.rounding),
        "steps": [],
    }


def rounding(chosen: Rounding) -> dict[str, Any]:
    """The rounding in force, without what is not set."""
    found: dict[str, Any] = {"decimals": chosen.decimals} if chosen.decimals is not None else {"significant": chosen.significant}
    found |= {"carry": chosen.carry, "ties": chosen.ties}
    if chosen.exact:
        found["exact"] = True
    if chosen.overrides:
        found["overrides"] = {pattern: {"decimals": d} if d is not None else {"significant": s} for pattern, d, s in chosen.overrides}
    return found


def loss(derivation: Derivation) -> dict[str, float | None]:
    """The loss before the first and after the last update."""
    graph, name = derivation.graph, derivation.loss
    before = float(derivation.evaluation[name, ()]) if name else None
    last = derivation.iteration(derivation.iterations).evaluation
    after = float(last[graph.after(name), ()]) if graph.after(name) else None
    return {"before": before, "after": after}


def step_line(reading: Reading, step: Step) -> dict[str, Any]:
    """What the line of a step says."""
    reading = reading.at(step.iteration)
    formula = reading.formula(step.cell) if step.formula is not None else None
    return {
        "id": step.id,
        "phase": step.phase,
        "kind": step.kind,
        "symbol": reading.symbol(Ref(*step.cell)),
        "formula": None if formula is None else reading.symbolic(formula),
        "substituted": None if formula is None else reading.numeric(formula, step.iteration),
        "value": float(step.value),
        "shown": reading.number(step.cell, step.iteration),
    }


def step_object(derivation: Derivation, reading: Reading, step: Step) -> dict[str, Any]:
    """One step."""
    reading = reading.at(step.iteration)

    def name(cell: Cell) -> str:
        return derivation.step_id(cell, step.iteration)

    found = step_line(reading, step) | {"inputs": [name(cell) for cell in step.inputs]}
    if step.contributions:
        found["contributions"] = [
            {
                "through": name(part.through),
                "upstream": reading.symbolic(part.upstream),
                "local": reading.symbolic(part.local),
                "value": float(part.value),
            }
            for part in step.contributions
        ]
    if step.cell in derivation.graph.fixed:
        found["given"] = True
    if reading.turned(step.cell):
        found["sign"] = -1
    if step.sample:
        found["sample"] = step.sample
    found["iteration"] = step.iteration
    return found


def dumps(data: Any) -> str:
    """JSON text, one line per step, the same bytes everywhere."""
    if "steps" not in data:
        return json_text(data, indent=1) + "\n"
    before, after = _around(data)
    return before + ",\n".join(["  " + json_text(step) for step in data["steps"]]) + after + "\n"


def _around(data: dict[str, Any]) -> tuple[str, str]:
    """The text of data before the lines of its steps, and after them."""
    mark = "\u0000"
    before, _, after = json_text({**data, "steps": mark}, indent=1).partition(json_text(mark))
    return before + "[\n", "\n ]" + after
