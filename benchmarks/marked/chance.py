"""Wrong numbers drawn by lot: hardly any may be named, and none taken for right.

One to three on a sheet with nothing else, and on a sheet whose other answers are right. What is drawn is more than one in a hundred,
more than two units of its last digit, and three times farther away from the right number than who carries as many digits comes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from handcalc.core.quantity import Cell
from handcalc.errors import HandcalcError
from marked.exercises import PROBLEMS, exercise
from marked.judging import ACCUSED, RIGHT, Judged, Said, Sheet, share, table
from marked.paper import Digits, Paper

TITLE = "Wrong numbers drawn by lot"
COLUMNS = ("sheet", "numbers", "named", "hinted", "accepted", "imprecise", "follows", "crashed", "others accused")
SHEETS = 1600
DIGITS = (2, 3, 4, 5)
ALONE, AMONG = "alone", "among right ones"
OTHERS = (5, 30)  # right answers on a sheet, from and to
APART, UNITS, ROUNDED = 0.01, 2.0, 3.0
TRIES = 100


def tasks(count: int) -> list[tuple[str, int]]:
    """The problems, and how many sheets of every number of digits each is to have."""
    return [(name, max(round(count / len(PROBLEMS) / len(DIGITS) / 2), 1)) for name in PROBLEMS]


def sheets(problem: str, count: int, chooser: Random) -> Iterator[Sheet]:
    """So many sheets of every number of digits, with other answers and without."""
    own = exercise(problem)
    cells = list(own.ids)
    for digits in DIGITS:
        written = Digits(digits, significant=True)
        carried = Paper(own.graph, keep=written.keep)
        for among in (False, True) * count:
            places = chooser.sample(cells, min(chooser.randint(1, 3), len(cells)))
            drawn = {wanted: _drawn(own.value(wanted), _rounded(carried, wanted), written, chooser) for wanted in places}
            wrong = {wanted: text for wanted, text in drawn.items() if text}
            others = [wanted for wanted in cells if wanted not in wrong]
            if not wrong or among and len(others) < OTHERS[0]:
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


def _rounded(carried: Paper, wanted: Cell) -> float:
    """The number of who carries rounded ones; not a number where that leaves nothing to divide by."""
    try:
        return float(carried[wanted])
    except HandcalcError:
        return float("nan")


def _drawn(value: float, rounded: float, digits: Digits, chooser: Random) -> str:
    """A number as written that is not the right one; "" where rounding on the way can give almost anything."""
    least = max(APART * abs(value), ROUNDED * abs(rounded - value))  # the first, where the second is not a number
    for _ in range(TRIES):
        drawn = {
            "any": chooser.uniform(-1, 1),
            "off": (abs(value) or 1) * chooser.uniform(-2, 2),
            "near": value * chooser.uniform(0.7, 1.4),
        }[chooser.choice(["any", "off", "near"])]
        number = digits.of(drawn)
        unit = 10.0 ** int(number.as_tuple().exponent)
        if number and abs(float(number) - value) > max(least, UNITS * unit):
            return digits.write(drawn)
    return ""


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
        count(("crash",)),
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
