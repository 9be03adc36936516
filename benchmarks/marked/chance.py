"""Wrong numbers drawn by lot: hardly any may be named, and none taken for right.

One to three on a sheet with nothing else, and on a sheet whose other answers are right. What is drawn is more than one in a hundred,
and more than two units of its last digit, away from the right number.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from marked.exercises import PROBLEMS, exercise
from marked.judging import ACCUSED, RIGHT, Judged, Said, Sheet, share, table
from marked.paper import Digits

TITLE = "Wrong numbers drawn by lot"
COLUMNS = ("sheet", "numbers", "named", "hinted", "accepted", "imprecise", "follows", "others accused")
SHEETS = 1600
DIGITS = (2, 3, 4, 5)
ALONE, AMONG = "alone", "among right ones"
OTHERS = (5, 30)  # right answers on a sheet, from and to
APART, UNITS = 0.01, 2.0


def tasks(count: int) -> list[tuple[str, int]]:
    """The problems, and how many sheets of every number of digits each is to have."""
    return [(name, max(round(count / len(PROBLEMS) / len(DIGITS) / 2), 1)) for name in PROBLEMS]


def sheets(problem: str, count: int, chooser: Random) -> Iterator[Sheet]:
    """So many sheets of every number of digits, with other answers and without."""
    own = exercise(problem)
    cells = list(own.ids)
    for digits in DIGITS:
        written = Digits(digits, significant=True)
        for among in (False, True) * count:
            wrong = {
                wanted: _drawn(own.value(wanted), written, chooser)
                for wanted in chooser.sample(cells, min(chooser.randint(1, 3), len(cells)))
            }
            others = [wanted for wanted in cells if wanted not in wrong]
            if among and len(others) < OTHERS[0]:
                continue
            right = chooser.sample(others, min(chooser.randint(*OTHERS), len(others))) if among else []
            answers = {wanted: written.write(own.value(wanted)) for wanted in right} | wrong
            ordered = sorted(answers, key=cells.index)
            yield Sheet(
                f"{AMONG if among else ALONE}, {digits} digits",
                problem,
                {own.ids[wanted]: answers[wanted] for wanted in ordered},
                tuple(own.ids[wanted] for wanted in wrong),
            )


def _drawn(value: float, digits: Digits, chooser: Random) -> str:
    """A number as written that is not the right one."""
    while True:
        drawn = {
            "any": chooser.uniform(-1, 1),
            "off": (abs(value) or 1) * chooser.uniform(-2, 2),
            "near": value * chooser.uniform(0.7, 1.4),
        }[chooser.choice(["any", "off", "near"])]
        number = digits.of(drawn)
        unit = 10.0 ** int(number.as_tuple().exponent)
        if number and abs(float(number) - value) > max(APART * abs(value), UNITS * unit):
            return digits.write(drawn)


# --- figures ------------------------------------------------------------------------------------------------------------------


def figures(found: Sequence[Judged]) -> str:
    """The table."""
    rows = [_row(f"{place}, {digits} digits", found) for place in (ALONE, AMONG) for digits in DIGITS]
    rows += [_row(f"{place}", found) for place in (ALONE, AMONG)]
    return table(f"{TITLE} (named: at most 1 %; accepted: 0)", COLUMNS, rows)


def _row(name: str, found: Sequence[Judged]) -> tuple[str, ...]:
    own = [one for one in found if one.sheet.row.startswith(name)]
    said = [answer for one in own for answer in one.of_wrong()]
    others = [answer for one in own for answer in one.of_others()]

    def count(verdicts: Sequence[str]) -> str:
        return share(sum(answer.verdict in verdicts for answer in said), len(said))

    return (
        name,
        str(len(said)),
        count(("mistake",)),
        share(sum(bool(answer.hints) for answer in said), len(said)),
        count(RIGHT),
        count(("imprecise",)),
        count(("follow_through",)),
        share(sum(answer.verdict in ACCUSED for answer in others), len(others)),
    )


def misjudged(found: Sequence[Judged]) -> Iterator[tuple[str, Judged]]:
    """The sheets with a wrong answer that is named or accepted, or a right one that is accused."""
    for one in found:
        verdicts = [_judgement(answer) for answer in one.of_wrong()]
        verdicts += ["other accused" for answer in one.of_others() if answer.verdict in ACCUSED]
        for verdict in dict.fromkeys(filter(None, verdicts)):
            yield f"{verdict}, {one.sheet.row}", one


def _judgement(answer: Said) -> str:
    if answer.verdict in RIGHT:
        return "accepted"
    return {"mistake": "named", "follow_through": "follows", "imprecise": "imprecise", "crash": "crash"}.get(answer.verdict, "")
