"""Readers of quiz files by the rules that the platforms' own importers follow, written anew; nothing here uses the writers.

- `moodle(text)`, `gift(text)`, `canvas(content)`, `qti(content)` answer `Item`s: a code, a name, and `Answer`s in the order in which they
  are tried; `graded(item, typed)` is the percentage and the feedback of what somebody types.
- `parts(text)` splits the text of a cloze question.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

CLOZE_NUMBER = re.compile(r"-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eE][-+]?\d+)?")
PHP_NUMERIC = re.compile(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?")
UNESCAPED = r"(?<!\\)"


@dataclass
class Answer:
    """An interval with its percentage and feedback."""

    low: float
    high: float
    percent: float
    feedback: str
    shown: str = ""


@dataclass
class Item:
    """One number that is asked: the text of its question, its answers in order, what is said otherwise, hints."""

    text: str
    answers: list[Answer]
    otherwise: str = ""
    hints: list[str] = field(default_factory=list)
    kind: str = ""
    raw: Any = None

    @property
    def code(self) -> str:
        found = re.search(r"\[([A-Za-z0-9_-]+)\]", self.text)
        assert found, self.text[:200]
        return found[1]


def graded(item: Item, typed: float) -> tuple[float, str]:
    """Percentage and feedback: the first answer whose interval has the number decides."""
    for answer in item.answers:
        slack = 1e-14 * max(1.0, abs(answer.low + answer.high) / 2)
        if answer.low - slack <= typed <= answer.high + slack:
            return answer.percent, answer.feedback
    return 0.0, item.otherwise


def interval(answer: str, tolerance: str) -> tuple[float, float]:
    """Ends in decimals, as they are written."""
    return float(Decimal(answer) - Decimal(tolerance)), float(Decimal(answer) + Decimal(tolerance))


# --- Moodle -----------------------------------------------------------------------------------------------------------


def parts(text: str) -> Iterator[tuple[int, list[str]]]:
    """The gaps of a cloze text: weight, and alternatives; a gap ends at the first } that no backslash stands before."""
    for found in re.finditer(rf"{{(\d*):(?:NUMERICAL|NM):(.*?){UNESCAPED}}}", text, re.DOTALL):
        yield int(found[1] or 1), re.split(rf"{UNESCAPED}~", found[2])


def alternative(text: str) -> Answer | str:
    """An alternative of a gap; a text where it is the one for everything else."""
    found = re.fullmatch(r"(?:=|%(-?\d+(?:[.,]\d*)?)%)?(.+?)(?:#(.*))?", text, re.DOTALL)
    assert found, text
    percent = 100.0 if text.startswith("=") else float(found[1] or 0)
    feedback = html.unescape(re.sub(r"\\([}#])", r"\1", found[3] or ""))
    if found[2] == "*":
        assert not percent
        return feedback
    answer, _, tolerance = found[2].partition(":")
    assert CLOZE_NUMBER.fullmatch(answer) and CLOZE_NUMBER.fullmatch(tolerance), text
    return Answer(*interval(answer, tolerance), percent, feedback, answer)


def moodle(text: str) -> tuple[list[str], list[Item]]:
    """Categories and numbers of a Moodle XML file; numbers of a gap carry those of their question."""
    root = ElementTree.fromstring(text)
    assert root.tag == "quiz"
    categories, items = [], []
    ids: set[tuple[str, str]] = set()
    for question in root:
        kind = question.get("type")
        if kind == "category":
            categories.append(question.findtext("category/text") or "")
            assert question.find("info").get("format")  # type: ignore[union-attr]
            continue
        name, number = question.findtext("name/text") or "", question.findtext("idnumber") or ""
        assert 0 < len(name) <= 255 and (categories[-1], number) not in ids
        ids.add((categories[-1], number))
        files = [file.get("name") for file in question.iterfind("questiontext/file")]
        body = question.findtext("questiontext/text") or ""
        assert all(f"@@PLUGINFILE@@/{file}" in body for file in files)
        hints = [hint.findtext("text") or "" for hint in question.iterfind("hint")]
        items += _cloze(body, hints) if kind == "cloze" else [_numerical(question, body, hints)]
    return categories, items


def _cloze(body: str, hints: list[str]) -> Iterator[Item]:
    for weight, alternatives in parts(body):
        read = [alternative(one) for one in alternatives]
        answers = [one for one in read if isinstance(one, Answer)]
        others = [one for one in read if isinstance(one, str)]
        assert any(one.percent == 100 for one in answers) and weight > 0 and isinstance(read[-1], str)
        yield Item(body, answers, others[0], hints, "cloze", alternatives)


def _numerical(question: ElementTree.Element, body: str, hints: list[str]) -> Item:
    answers, otherwise = [], ""
    for answer in question.iterfind("answer"):
        text, feedback = answer.findtext("text") or "", answer.findtext("feedback/text") or ""
        percent = float(answer.get("fraction") or 0)
        assert percent in (0, 50, 100)
        if text == "*":
            otherwise = html.unescape(feedback)
            continue
        assert PHP_NUMERIC.fullmatch(text), text
        answers.append(Answer(*interval(text, answer.findtext("tolerance") or "0"), percent, html.unescape(feedback), text))
    assert question.get("type") == "numerical" and question.find("units") is None
    return Item(body, answers, otherwise, hints, "numerical")
