"""A marked sheet as Gradescope's results.json, which an autograder leaves in /autograder/results.

- `as_results(marking, translate)` is the object: the marks, and a test for each answer.
- `unread(messages, translate)` is that of a sheet that could not be read.

It has no column of right numbers, for a sheet may be handed in again.
Source: Gradescope's autograder specification, https://gradescope-autograders.readthedocs.io/en/latest/specs/
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from handcalc.errors import Message, printable
from handcalc.language import Translate
from handcalc.marking.marked import RIGHT, Marked, Marking
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.wording import decimal, look_of

PASSED = (*RIGHT, "follow_through")  # verdicts with nothing to do again


def as_results(marking: Marking, translate: Translate = str) -> dict[str, Any]:
    """The object for one sheet: its marks are the sum of those of its tests."""
    got, worth = marking.marks
    text = Message("{marks} of {worth} marks", marks=decimal(got, False), worth=decimal(worth, False))
    tests = [_test(answer, str(number), translate) for number, answer in enumerate(marking.answers, 1)]
    return {"score": got, "output": text.text(translate), "output_format": "text", "tests": tests}


def unread(messages: Iterable[Message], translate: Translate = str) -> dict[str, Any]:
    """The object for a sheet that could not be read."""
    return {"score": 0.0, "output": "\n".join(message.text(translate) for message in messages), "output_format": "text", "tests": []}


def _test(answer: Marked, number: str, translate: Translate) -> dict[str, Any]:
    """An answer as a test: what was answered, and what is said of it."""
    parts = [translate(look_of(answer).word)]
    parts += [translate(MISTAKES[slug].name) for slug in answer.mistakes]
    parts += [answer.note.text(translate)] if answer.note is not None else []
    return {
        "name": printable(answer.id),
        "name_format": "text",
        "number": number,
        "score": answer.marks,
        "max_score": answer.worth,
        "status": "passed" if answer.verdict in PASSED else "failed",
        "output": "\n".join(filter(None, (printable(answer.given), *parts))),
        "output_format": "text",
        "extra_data": {"verdict": answer.verdict, "mistakes": [*answer.mistakes]},
    }
