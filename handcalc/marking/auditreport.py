"""An audit as a document, and as JSON.

- `report(problem, found, reading)` gives the blocks: a table of all numbers, then what explains those that differ.
- `as_json(found)` is the object of the contract.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from handcalc.core.rounding import Rounding
from handcalc.errors import Message, Template
from handcalc.marking.audit import Audit, Judged
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.report import filled
from handcalc.marking.wording import as_typed, joined, step_item
from handcalc.marking.workbook import base
from handcalc.problem.schema import Problem
from handcalc.render.blocks import Block, Digits, Heading, Item, Paragraph, Plain, Table
from handcalc.render.items import title_item
from handcalc.render.reading import Reading

SHOWN = Rounding(None, 9)  # digits of our number beside a printed one

# status → the word in a table
_LABELS: dict[str, Template] = {
    "exact": "exact",
    "rounded": "rounded",
    "carried": "carried",
    "truncated": "cut off",
    "convention": "convention",
    "mistake": "mistake",
    "follows": "follows",
    "unexplained": "unexplained",
}


def report(problem: Problem, found: Audit, reading: Reading) -> Iterator[Block]:
    """The whole report on a published solution."""
    yield Heading(1, title_item(problem.title or problem.path, problem.title_zh))
    columns = (Message("step"), Message("printed"), Message("ours"), Message("status"), Message("explanation"))
    places = {slug: place for place, slug in enumerate(_slugs(found), 1)}
    yield Table(columns, tuple(_row(number, reading, places) for number in found.numbers), wraps=True)
    for number in found.numbers:
        if number.note is not None:
            yield Paragraph(Message("{step}: {note}", step=_step(number, reading), note=number.note))
    for slug, place in places.items():
        mistake = MISTAKES[slug]
        yield Heading(2, Message("{number}. {name}", number=place, name=Message(mistake.name)))
        for line in mistake.explanation_lines:
            yield Paragraph(line)
        concerned = [_step(number, reading) for number in found.numbers if any(slug in slugs for slugs in _explanations(number))]
        yield Paragraph(Message("Numbers: {steps}.", steps=joined(concerned)))
    yield Heading(2, Message("Result"))
    for status, count in found.summary.items():
        yield Paragraph(Message("{count} × {status}", count=count, status=Message(_LABELS[status])))


def _explanations(number: Judged) -> Iterator[tuple[str, ...]]:
    """The mistakes that may have been made: those of the explanation, then others that the numbers cannot tell from them."""
    if number.status == "mistake":
        yield from filter(None, (number.explanation, *number.alternatives))


def _slugs(found: Audit) -> list[str]:
    """The mistakes that are explained below the table."""
    return [*dict.fromkeys(slug for number in found.numbers for slugs in _explanations(number) for slug in slugs)]


def _step(number: Judged, reading: Reading) -> Item:
    """A step as it is printed; of a later iteration, and where there is none, as it was typed."""
    return Plain(number.id) if _is_far(number, reading) else step_item(number.cell)  # type: ignore[arg-type]


def _is_far(number: Judged, reading: Reading) -> bool:
    """Whether the solution has no such step, or only a later iteration has it."""
    return number.cell is None or number.iteration > 1 or base(number.cell)[0] not in reading.derivation.graph


def _row(number: Judged, reading: Reading, places: Mapping[str, int]) -> tuple[Item, ...]:
    far = _is_far(number, reading)
    other = not far and reading.turned(base(number.cell)) != number.turned  # type: ignore[arg-type]
    ours: Item = Plain("")
    if number.ours is not None and number.status not in ("exact", "rounded"):
        ours = Digits(SHOWN.shown(-number.ours if other else number.ours))
    return _step(number, reading), as_typed(number.printed, other), ours, Message(_LABELS[number.status]), _explanation(number, places)


def _explanation(number: Judged, places: Mapping[str, int]) -> Item:
    if number.because_of:
        return Message("after {step}", step=number.because_of)
    made = [" + ".join(str(places[slug]) for slug in slugs) for slugs in _explanations(number)]
    if made:
        return Message("see {numbers}", numbers=" / ".join(made))
    names = [" + ".join(slugs) for slugs in (number.explanation, *number.alternatives) if slugs]
    return Plain(" / ".join(names))


def as_json(found: Audit) -> dict[str, Any]:
    """The object of the contract."""
    return {"summary": found.summary, "numbers": [_number(number) for number in found.numbers]}


def _number(number: Judged) -> dict[str, Any]:
    found = {"id": number.id, "printed": number.printed, "status": number.status, "value": number.ours}
    return found | filled(explanation=number.explanation, alternatives=number.alternatives, because_of=number.because_of, note=number.note)
