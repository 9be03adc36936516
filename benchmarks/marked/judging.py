"""Sheets whose truth is known, what the program says of them, and tables of that.

- `Sheet`: answers, and what is known of them; `judge(sheet)` adds what is said: a `Judged`.
- `table(title, columns, rows)` and `share(part, whole)` are how figures are printed; `told(judged)` is a sheet in words, to be
  worked again by anybody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from handcalc.marking.answers import sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.marked import Marked, Marking
from handcalc.marking.table import HypothesisTable
from marked.exercises import Exercise, exercise

RIGHT = ("correct", "rounded")
ACCUSED = ("wrong", "mistake", "follow_through", "unreadable")


class Sheet(NamedTuple):
    """One sheet. row: of the table it is counted in; wrong: the ids of the answers that are wrong; named: the slugs of a mistake
    that say what was done; how: the same in words; audited: judged as a published solution instead; following: the ids of the answers
    that follow from wrong ones; exact: the wrong number before it was rounded, if it is known."""

    row: str
    problem: str
    answers: Mapping[str, str]
    wrong: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    how: str = ""
    audited: bool = False
    following: tuple[str, ...] = ()
    exact: float | None = None


class Said(NamedTuple):
    """What is said of one answer; of an audit, its status is the verdict. numbers: those that the mistakes named would give."""

    id: str
    given: str
    verdict: str
    mistakes: tuple[str, ...] = ()
    alternatives: tuple[tuple[str, ...], ...] = ()
    hints: tuple[str, ...] = ()
    expected: str = ""
    because_of: str = ""
    numbers: tuple[float, ...] = ()

    @property
    def slugs(self) -> tuple[str, ...]:
        """All mistakes that it is called."""
        return tuple(dict.fromkeys((*self.mistakes, *(slug for slugs in self.alternatives for slug in slugs))))

    def __str__(self) -> str:
        names = " or ".join(" + ".join(slugs) for slugs in (self.mistakes, *self.alternatives) if slugs)
        hints = f"perhaps {', '.join(self.hints)}" if self.hints else ""
        because = f"because of {self.because_of}" if self.because_of else ""
        told = " ".join(part for part in (self.verdict, names, hints, because) if part)
        return f"{self.id} = {self.given} (right is {self.expected}): {told}"


class Judged(NamedTuple):
    """A sheet and what is said of its answers."""

    sheet: Sheet
    said: tuple[Said, ...]

    def of_wrong(self) -> list[Said]:
        """What is said of the wrong answers."""
        return [said for said in self.said if said.id in self.sheet.wrong]

    def of_others(self) -> list[Said]:
        """What is said of the other answers."""
        return [said for said in self.said if said.id not in self.sheet.wrong]


def judge(sheet: Sheet) -> Judged:
    """What the program says of a sheet."""
    own = exercise(sheet.problem)
    try:
        if sheet.audited:
            judged = audit(own.problem, sheet.answers).numbers
            said = [Said(n.id, n.printed, n.status, n.explanation, n.alternatives, (), repr(n.ours), n.because_of) for n in judged]
        else:
            marking = own.checker.mark(sheet_of(sheet.answers))
            numbers = _numbers(own, marking, sheet.wrong) if sheet.exact is not None else {}
            said = [_said(answer)._replace(numbers=numbers.get(answer.id, ())) for answer in marking.answers]
    except Exception as error:  # noqa: BLE001  (a crash is a finding; the other sheets are to be judged all the same)
        said = [Said(id, text, "crash", (repr(error),)) for id, text in sheet.answers.items()]
    return Judged(sheet, tuple(said))


def _said(answer: Marked) -> Said:
    return Said(
        answer.id,
        answer.given,
        answer.verdict,
        answer.mistakes,
        answer.alternatives,
        answer.hints,
        answer.expected,
        answer.because_of,
    )


def _numbers(own: Exercise, marking: Marking, ids: tuple[str, ...]) -> dict[str, tuple[float, ...]]:
    """What the mistakes that explain a sheet would give, to all digits."""
    if marking.explanation is None:
        return {}
    table = HypothesisTable(own.checker.desk().definitions, (marking.explanation.hypothesis, *marking.explanation.alternatives))
    return {answer.id: tuple(map(float, table[answer.cell])) for answer in marking.answers if answer.cell and answer.id in ids}


# --- tables ----------------------------------------------------------------------------------------------------------------


def share(part: int, whole: int) -> str:
    """A count, and what part of another it is."""
    return f"{part} ({part / whole:.1%})" if whole else "–"


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Lines of a table whose first column is names."""
    lines = [columns, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(columns))]
    printed = [
        [text.rjust(width) if place else text.ljust(width) for place, (text, width) in enumerate(zip(line, widths))] for line in lines
    ]
    return "\n".join([title, *("  " + "  ".join(line).rstrip() for line in printed), ""])


def told(judged: Judged, most: int = 8) -> str:
    """A sheet in words: what was done, all that was typed, and what is said of the answers that it is about."""
    sheet = judged.sheet
    about = [said for said in judged.said if said.id in sheet.wrong or said.verdict not in (*RIGHT, "exact", "carried", "imprecise")]
    answers = ", ".join(f"{id}: {text}" for id, text in sheet.answers.items())
    lines = [f"  {sheet.problem}, {sheet.row}" + (f": {sheet.how}" if sheet.how else ""), f"    {{{answers}}}"]
    lines += [f"    {said}" for said in about[:most]]
    return "\n".join(lines + [f"    and {len(about) - most} more"] * (len(about) > most))
