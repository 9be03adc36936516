"""Whether an exercise is sound: `lint(problem, …)` answers a `LintReport`.

- `LintReport.findings` are what can be improved: numbers that degenerate (conditions.py), mistakes that the answers do not show, ties.
- `as_json(report)` is the object of the contract; `as_sarif(reports)` what code platforms read, `as_annotations(reports)`
  what GitHub shows in pull requests; lintreport.py makes blocks of it.

Where nothing can be found, the exercise is sound. What no number of the solution shows is listed, but is no finding.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import Listing, Message
from handcalc.exercises.asked import AskedDigits, Exercise, Worked
from handcalc.exercises.conditions import RULES
from handcalc.exercises.hidden import Candidates, Mistakes
from handcalc.language import Translate
from handcalc.problem.schema import Problem

SOLVES, HIDDEN, TIED = "solves", "hidden", "tied"  # findings that no rule of conditions.py makes
SHOWN_SLUGS = 6  # mistakes that a message names
SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


class Finding(Record):
    """What is wrong with an exercise: the rule, how bad it is (error, warning, note), the steps, and a message."""

    rule: str
    level: str
    cells: tuple[Cell, ...]
    message: Message


class LintReport:
    """What was found; findings: what can be improved. Raises nothing: an exercise without numbers has one finding, an error."""

    def __init__(self, exercise: Exercise, pairs: bool = False) -> None:
        self.exercise = exercise
        self.worked = Worked(exercise)
        self._pairs = pairs
        self.failed = self.worked.solves()

    @cached_property
    def mistakes(self) -> Mistakes | None:
        """What mistakes would do; None where the exercise has no numbers."""
        return None if self.failed else Mistakes(self.worked, Candidates(self.exercise, self._pairs))

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """What can be improved."""
        if self.failed is not None:
            return (Finding(SOLVES, "error", (), self.failed.messages[0]),)
        return (*number_findings(self.worked), *self._of_mistakes())

    @property
    def ok(self) -> bool:
        """Whether there is nothing to improve."""
        return not self.findings

    def _of_mistakes(self) -> Iterator[Finding]:
        """That asking more, or with more digits, would show a mistake, or tell two from each other."""
        mistakes = self.mistakes
        assert mistakes is not None
        places = [place for place in mistakes.hidden if mistakes.shown_by(place) or mistakes.decimals_for(place) is not None]
        slugs = list(dict.fromkeys(mistakes.forms[place].slug for place in places))
        also = Listing(self.exercise.ids(mistakes.ask_also))
        if slugs:
            named = Listing(slugs, SHOWN_SLUGS)
            count = mistakes.digits_needed
            if also.values and count is not None:
                text = (
                    "{count} {count:mistake does|mistakes do} not show in the answers: {named}; ask also {also}, "
                    "or {decimals} {decimals:decimal|decimals}"
                )
            elif also.values:
                text = "{count} {count:mistake does|mistakes do} not show in the answers: {named}; ask also {also}"
            else:
                text = "{count} {count:mistake does|mistakes do} not show in the answers: {named}; ask more decimals"
            yield Finding(HIDDEN, "warning", mistakes.ask_also, Message(text, count=len(slugs), named=named, also=also, decimals=count))
        if mistakes.splits():
            text = "some mistakes give the same answers; ask also {also} to tell them from each other"
            yield Finding(TIED, "note", mistakes.ask_also, Message(text, also=also))


def lint(problem: Problem, digits: AskedDigits | None = None, carry: bool = False, pairs: bool = False, notation: str = "") -> LintReport:
    """Whether a problem is sound, with its own digits or with others. Raises UnknownIdError for tasks that are none."""
    return LintReport(Exercise(problem, digits, carry, notation), pairs)


def number_findings(worked: Worked) -> Iterator[Finding]:
    """Numbers that degenerate, by the rules of conditions.py."""
    generating = worked.problem.generating
    dead = frozenset(generating.dead) if generating else frozenset()
    for name, rule in RULES.items():
        for complaint in rule.complaints(worked, dead):
            yield Finding(name, rule.level, complaint.cells, complaint.message)


def findings_of_numbers(problem: Problem) -> list[Finding]:
    """What is wrong with the numbers of a problem alone, without a look at mistakes."""
    worked = Worked(Exercise(problem))
    failed = worked.solves()
    return [Finding(SOLVES, "error", (), failed.messages[0])] if failed else list(number_findings(worked))


# --- as data ----------------------------------------------------------------------------------------------------------


def as_json(report: LintReport, translate: Translate = str) -> dict[str, Any]:
    """The object of the contract."""
    exercise, mistakes = report.exercise, report.mistakes
    found: dict[str, Any] = {
        "handcalc": 1,
        "ok": report.ok,
        "asked": exercise.ids(exercise.asked),
        "digits": exercise.digits.json,
    }
    if len({*exercise.asked.values()}) > 1:
        found["digits_of"] = {exercise.id(wanted): digits.json for wanted, digits in exercise.asked.items()}
    found["findings"] = [_finding(report, finding, translate) for finding in report.findings]
    if mistakes is None:
        return found | {"hidden": [], "tied": [], "inert": [], "digits_needed": None, "ask_also": [], "tolerance": {}}
    needed = mistakes.digits_needed
    return found | {
        "hidden": [_hidden(mistakes, place) for place in mistakes.hidden],
        "tied": [[mistakes.forms[place].json for place in group] for group in mistakes.tied],
        "inert": [mistakes.forms[place].json for place in mistakes.inert],
        "digits_needed": None if needed is None else {"decimals": needed},
        "ask_also": exercise.ids(mistakes.ask_also),
        "tolerance": {exercise.id(wanted): _tolerance(report, mistakes, wanted) for wanted in exercise.asked},
    }


def _finding(report: LintReport, finding: Finding, translate: Translate) -> dict[str, Any]:
    ids = report.exercise.ids(finding.cells)
    return {"rule": finding.rule, "level": finding.level, "ids": ids, "message": finding.message.text(translate)}


def _hidden(mistakes: Mistakes, place: int) -> dict[str, Any]:
    exercise = mistakes.exercise
    asked, count = mistakes.shown_by(place), mistakes.decimals_for(place)
    shown_by = {"ask": exercise.ids(asked)} if asked else {"decimals": count} if count is not None else None
    return {**mistakes.forms[place].json, "changes": exercise.ids(mistakes.changed_by(place)), "shown_by": shown_by}


def _tolerance(report: LintReport, mistakes: Mistakes, wanted: Cell) -> dict[str, Any]:
    band = report.worked.tolerance(wanted, report.exercise.asked[wanted])
    return {"low": band.low, "high": band.high, "mistakes_inside": mistakes.inside(wanted)}


def as_sarif(
    reports: Iterable[tuple[str, LintReport]], version: str, translate: Translate = str, errors: Iterable[tuple[str, Message]] = ()
) -> dict[str, Any]:
    """The findings of some files in the format of code platforms (SARIF 2.1.0); errors: what keeps others from being read."""
    found = [*placed(reports), *(Placed(file, line_of(file, wrong), "unreadable", "error", wrong) for file, wrong in errors)]
    results = [
        {
            "ruleId": one.rule,
            "level": one.level,
            "message": {"text": one.message.text(translate)},
            "locations": [
                {"physicalLocation": {"artifactLocation": {"uri": one.file.replace("\\", "/")}, "region": {"startLine": one.line}}}
            ],
            "properties": {"ids": list(one.ids)},
        }
        for one in found
    ]
    rules = [{"id": rule} for rule in dict.fromkeys(one.rule for one in found)]
    driver = {"name": "handcalc", "version": version, "rules": rules}
    return {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}


class Placed(Record):
    """A finding in a line of a file."""

    file: str
    line: int
    rule: str
    level: str
    message: Message
    ids: tuple[str, ...] = ()


def placed(reports: Iterable[tuple[str, LintReport]]) -> Iterator[Placed]:
    """All findings of some files; where no line is known, the first."""
    for file, report in reports:
        line = report.exercise.problem.tasks[0].line if report.exercise.problem.tasks else 1
        for finding in report.findings:
            yield Placed(file, line, finding.rule, finding.level, finding.message, tuple(report.exercise.ids(finding.cells)))


def line_of(file: str, wrong: Message) -> int:
    """The line of an error, which stands after the name of the file; else the first."""
    number = wrong.where.removeprefix(file).removeprefix(":").partition(":")[0].strip()
    return int(number) if number.isascii() and number.isdigit() else 1


def as_annotations(
    reports: Iterable[tuple[str, LintReport]], translate: Translate = str, errors: Iterable[tuple[str, Message]] = ()
) -> str:
    """The findings as commands of GitHub's workflows, a line each, which show them in a pull request."""
    found = [*placed(reports), *(Placed(file, line_of(file, wrong), "unreadable", "error", wrong) for file, wrong in errors)]
    kinds = {"error": "error", "warning": "warning", "note": "notice"}
    lines = []
    for one in found:
        where = f"file={_escaped(one.file, ':,')},line={one.line},title={_escaped('handcalc ' + one.rule, ':,')}"
        lines.append(f"::{kinds[one.level]} {where}::{_escaped(one.message.text(translate))}\n")
    return "".join(lines)


def _escaped(text: str, also: str = "") -> str:
    """As workflow commands want it: % and line ends, in properties : and , too, by their codes."""
    for letter in "%\r\n" + also:
        text = text.replace(letter, f"%{ord(letter):02X}")
    return text
