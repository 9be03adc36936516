"""Honest students: sheets without a mistake, however their numbers were rounded. None may be named, and hardly any accused.

A student works the steps of a solution in an arithmetic and a rounding (paper.py), and writes some or all of them down. To add a
habit: a line in `HABITS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple

from handcalc.core.quantity import Cell
from handcalc.errors import HandcalcError
from marked.exercises import PROBLEMS, Exercise, exercise
from marked.judging import Judged, Sheet, share, table
from marked.paper import CUT, FLOATS, FRACTIONS, TIES, Digits, Paper, as_fraction, rounding_each, single

TITLE = "Honest students"
COLUMNS = ("habit", "sheets", "named", "too early", "accused", "hinted", "imprecise", "crashed")
SHEETS = 2400
ANSWERS = (1, 3, 8, 20, 1000)  # on a sheet, if there are so many
AUDITED = 8  # every so many sheets is also one of a published solution
LARGEST = 999  # denominator of a fraction that is written so
TOO_EARLY = ("rounded-too-early",)  # a mistake, and yet true of who prints more digits than were carried
WRONG = ("wrong", "mistake", "unexplained", "convention", "follows", "follow_through", "unreadable", "crash")


class Student(NamedTuple):
    """The numbers a student has, and how each is written down; how: what is done, in words."""

    numbers: Paper
    write: Callable[[Cell], str]
    how: str


def _carrying(own: Exercise, digits: Digits, chooser: Random, how: str, numbers: Any = FLOATS) -> Student:
    run = Paper(own.graph, numbers, digits.keep, chooser.random() < 0.5)
    return Student(run, lambda wanted: digits.write(run[wanted]), f"{how} {digits.count}, {digits.ties}")


def _at_the_end(own: Exercise, digits: Digits, how: str) -> Student:
    run = Paper(own.graph)
    return Student(run, lambda wanted: digits.write(run[wanted]), f"{how} {digits.count}, {digits.ties}")


def _any(chooser: Random, significant: bool | None = None, ties: Sequence[str] = TIES) -> Digits:
    significant = chooser.random() < 0.5 if significant is None else significant
    return Digits(chooser.randint(2, 5), chooser.choice(ties), significant)


def carries_decimals(own: Exercise, chooser: Random) -> Student:
    return _carrying(own, _any(chooser, False), chooser, "carries decimals")


def carries_significant(own: Exercise, chooser: Random) -> Student:
    return _carrying(own, _any(chooser, True), chooser, "carries significant digits")


def rounds_every_key(own: Exercise, chooser: Random) -> Student:
    digits = _any(chooser)
    return _carrying(own, digits, chooser, f"rounds every operation, significant {digits.significant}", rounding_each(digits.keep))


def carries_now_and_then(own: Exercise, chooser: Random) -> Student:
    digits = _any(chooser)
    run = Paper(own.graph, FLOATS, lambda value: digits.keep(value) if chooser.random() < 0.5 else value)
    return Student(run, lambda wanted: digits.write(run[wanted]), f"carries every other number rounded, {digits}")


def decimals_at_the_end(own: Exercise, chooser: Random) -> Student:
    return _at_the_end(own, _any(chooser, False), "prints decimals")


def significant_at_the_end(own: Exercise, chooser: Random) -> Student:
    return _at_the_end(own, _any(chooser, True), "prints significant digits")


def cuts_every_step(own: Exercise, chooser: Random) -> Student:
    digits = _any(chooser, None, (CUT,))
    return _carrying(own, digits, chooser, f"cuts off every result, significant {digits.significant}")


def cuts_at_the_end(own: Exercise, chooser: Random) -> Student:
    digits = _any(chooser, None, (CUT,))
    return _at_the_end(own, digits, f"cuts off what is printed, significant {digits.significant}")


def mixes_digits(own: Exercise, chooser: Random) -> Student:
    """Every number is rounded to three to five digits, and used so."""
    written: dict[Cell, str] = {}
    run = _Mixed(own.graph)
    run.chooser, run.written = chooser, written
    return Student(run, lambda wanted: (run[wanted], written[wanted])[1], "carries 3 to 5 significant digits, as it comes")


class _Mixed(Paper):
    chooser: Random
    written: dict[Cell, str]

    def _keep(self, current: Cell, value: Any) -> None:
        digits = Digits(self.chooser.randint(3, 5), significant=True)
        self.written[current] = digits.write(value)
        super()._keep(current, digits.keep(value))


def mixes_at_the_end(own: Exercise, chooser: Random) -> Student:
    run, significant = Paper(own.graph), chooser.random() < 0.5

    def write(wanted: Cell) -> str:
        return Digits(chooser.randint(3, 5), significant=significant).write(run[wanted])

    return Student(run, write, f"prints 3 to 5 digits, as it comes, significant {significant}")


def single_precision(own: Exercise, chooser: Random) -> Student:
    run, count = Paper(own.graph, rounding_each(single, single)), chooser.choice((8, 9))
    return Student(run, lambda wanted: Digits(count, significant=True).write(run[wanted]), f"float32, prints {count} digits")


def percents(own: Exercise, chooser: Random) -> Student:
    """What lies between 0 and 1 in percent, or only outputs; everything else with two more decimals."""
    run, count, everything = Paper(own.graph), chooser.randint(0, 3), chooser.random() < 0.5

    def write(wanted: Cell) -> str:
        value = float(run[wanted])
        if 0 < abs(value) < 1 and (everything or own.quantity(wanted).kind == "out"):
            return Digits(count).write(100 * value) + chooser.choice((" %", "%"))
        return Digits(count + 2).write(value)

    return Student(run, write, f"percent with {count} decimals")


def fractions(own: Exercise, chooser: Random) -> Student:
    """Fractions as long as they are short."""
    run = Paper(own.graph, FRACTIONS)
    return Student(run, lambda wanted: as_fraction(run[wanted], LARGEST) or Digits(4).write(run[wanted]), "fractions, else 4 decimals")


HABITS: dict[str, Callable[[Exercise, Random], Student]] = {
    "carries decimals": carries_decimals,
    "carries significant digits": carries_significant,
    "carries now and then": carries_now_and_then,
    "rounds after every operation": rounds_every_key,
    "decimals at the end": decimals_at_the_end,
    "significant digits at the end": significant_at_the_end,
    "cuts off at every step": cuts_every_step,
    "cuts off at the end": cuts_at_the_end,
    "mixed digits, carried": mixes_digits,
    "mixed digits at the end": mixes_at_the_end,
    "float32": single_precision,
    "percent": percents,
    "fractions": fractions,
}


def tasks(count: int) -> list[tuple[str, int]]:
    """The problems, and how many sheets of every habit each is to have."""
    return [(name, max(round(count / len(PROBLEMS) / len(HABITS)), 1)) for name in PROBLEMS]


def sheets(problem: str, count: int, chooser: Random) -> Iterator[Sheet]:
    """So many sheets of every habit; fewer where rounded numbers leave nothing to divide by."""
    own = exercise(problem)
    for habit, student in HABITS.items():
        for number in range(count):
            try:
                works = student(own, chooser)
                size = min(chooser.choice(ANSWERS), len(own.ids))
                asked = sorted(chooser.sample(range(len(own.ids)), size))
                cells = [list(own.ids)[place] for place in asked]
                answers = {own.ids[wanted]: works.write(wanted) for wanted in cells}
            except HandcalcError:
                continue
            yield Sheet(habit, problem, answers, how=works.how)
            if not number % AUDITED:
                yield Sheet("audit: " + habit, problem, answers, how=works.how, audited=True)


# --- figures ------------------------------------------------------------------------------------------------------------------


def is_named(judged: Judged) -> bool:
    """Whether a mistake is named that was not made."""
    return any(said.verdict == "mistake" and said.mistakes != TOO_EARLY for said in judged.said)


def is_too_early(judged: Judged) -> bool:
    """Whether numbers are said to be rounded too early, and nothing worse."""
    return not is_named(judged) and any(said.mistakes == TOO_EARLY for said in judged.said)


def is_accused(judged: Judged) -> bool:
    """Whether anything is said to be wrong."""
    return any(said.verdict in WRONG for said in judged.said)


def figures(found: Sequence[Judged]) -> str:
    """The table."""
    rows = [_row(habit, [one for one in found if one.sheet.row == habit]) for habit in (*HABITS, *("audit: " + name for name in HABITS))]
    checked = [one for one in found if not one.sheet.audited]
    rows += [_row("all", checked), _row("all audits", [one for one in found if one.sheet.audited])]
    return table(f"{TITLE} (named: 0; accused: at most 1 %)", COLUMNS, rows)


def _row(name: str, found: Sequence[Judged]) -> tuple[str, ...]:
    def count(holds: Callable[[Judged], bool]) -> str:
        return share(sum(map(holds, found)), len(found))

    return (
        name,
        str(len(found)),
        count(is_named),
        count(is_too_early),
        count(is_accused),
        count(lambda one: any(said.hints for said in one.said)),
        count(lambda one: any(said.verdict == "imprecise" for said in one.said)),
        count(lambda one: any(said.verdict == "crash" for said in one.said)),
    )


def misjudged(found: Sequence[Judged]) -> Iterator[tuple[str, Judged]]:
    """The sheets that are accused, by what is said."""
    for one in found:
        if is_accused(one):
            said = "named" if is_named(one) else "too early" if is_too_early(one) else "accused"
            yield f"{said}, {one.sheet.row}", one
