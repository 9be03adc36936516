"""Diagnosis: how many simulated students' mistakes are named, how many honest sheets are accused, and how long marking takes.

Sheets ask δ, gradients and new parameters of the shipped problems, to four significant digits; the students are those of
tests/students.py. Same seed, same sheets. `--share 1` takes all of them, not only a tenth.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

from processes import run
from targets import at_least, at_most

from handcalc.loading.loader import load, loads, shipped

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from students import NETWORKS, Exercise, is_named, notebooks, trained  # noqa: E402

COLUMNS = ("sheets", "", "figure", "target")
Figures = Callable[..., None]
ONE, TWO = 100, 60  # sheets with one mistake at one place, or with two mistakes, of each problem
HONEST, NONSENSE = 10_000, 1_500  # sheets of all problems
CLASS = 500  # sheets of a class
ACCUSED = {"wrong", "mistake", "follow_through", "unreadable"}

PAIR = ("bias-subtracted", "hidden-derivative-forgotten")  # of a sheet that only a search through pairs explains
CHECK = """
import os
from handcalc.cli import main
try:
    main()
except SystemExit as end:
    os._exit(end.code if end.code != 1 else 0)  # 1: something on the sheet is wrong
"""


@cache
def exercise(problem: str) -> Exercise:
    """A shipped problem, whatever digits it asks for."""
    return Exercise(load(problem).replace(rounding=None))


def spread(sheets: float) -> list[str]:
    """The problems that have a sheet, if each has so many: all, or so many of them that there is one sheet of each."""
    return trained()[:: round(1 / min(max(sheets, 0.01), 1))]


def seeded(seed: int, problem: str) -> random.Random:
    """Choices that depend on the seed and the problem only."""
    return random.Random(f"{seed} {problem}")


# --- mistakes -----------------------------------------------------------------------------------------------------------


def outcomes(places: str, sheets: float | None, seed: int) -> tuple[Counter[str], int]:
    """What was said of sheets with known mistakes, and on how many problems; sheets: of each problem."""
    found: Counter[str] = Counter()
    problems = 0
    for problem in trained() if sheets is None else spread(sheets):
        own, before = exercise(problem), found.total()
        rows = own.mistakes(places)
        most = len(rows) if sheets is None else max(int(sheets), 1)
        if len(rows) > most:
            rows = seeded(seed, problem).sample(rows, most)
        found.update(own.outcome(made, answers)[0] for made, answers in own.with_mistakes(rows))
        problems += found.total() > before
    return found, problems


def named(figures: Figures, name: str, places: str, sheets: float | None, target: float, seed: int) -> None:
    """The share of sheets whose mistakes were named, alone or in a tie; and how many were called something else."""
    found, problems = outcomes(places, sheets, seed)
    share = (found["named"] + found["tie"]) / found.total()
    figures(f"named, {name}", f"{found.total()}", f"{problems} problems", f"{share:.2%}", at_least(100 * share, 100 * target, "%"))
    figures("  in a tie with as few mistakes", "", "", f"{found['tie'] / found.total():.2%}")
    figures("  called by another name", "", "", f"{found['misnamed'] / found.total():.2%}")


def bench_everywhere(figures: Figures, share: float, seed: int) -> None:
    named(figures, "one mistake at all places", "all", None if share == 1 else 40 * share, 0.97, seed)


def bench_on_paper(figures: Figures, few: Callable[[int], int]) -> None:
    """Mistakes made in plain Python, which shares nothing with the checker."""
    said = []
    for network, paper in islice(NETWORKS.items(), few(len(NETWORKS))):
        own = Exercise(loads(paper.yaml()))
        for digits in (3, 4, 6)[: few(3)]:
            said += [is_named(slug, own.mark(answers)) for slug, answers in notebooks(network, ("grad", "new"), digits)]
    figures(
        "named, made in plain Python",
        f"{len(said)}",
        f"{few(len(NETWORKS))} problems",
        f"{sum(said) / len(said):.2%}",
        at_least(100 * sum(said) / len(said), 97, "%"),
    )


def bench_one_place(figures: Figures, share: float, seed: int) -> None:
    named(figures, "one mistake at one place", "one", ONE * share, 0.90, seed)


def bench_two_mistakes(figures: Figures, share: float, seed: int) -> None:
    named(figures, "two mistakes at all places", "two", TWO * share, 0.85, seed)


# --- right sheets and nonsense --------------------------------------------------------------------------------------------


def honest_sheets(count: int, seed: int, drops_zeros: bool) -> Iterator[bool]:
    """Whether each of these right sheets was accused."""
    problems = list(shipped())
    choosers = {problem: seeded(seed, problem) for problem in problems}
    while count > 0:
        for problem in problems:
            sheet = exercise(problem).rounded(choosers[problem], drops_zeros)
            if sheet is not None and count > 0:
                count -= 1
                yield bool(ACCUSED & set(exercise(problem).mark(sheet).summary))


def bench_honest(figures: Figures, share: float, seed: int) -> None:
    """Sheets that were rounded at every step."""
    for name, count, drops in (("accused, rounded at every step", HONEST, False), ("accused, and zeros dropped", HONEST // 4, True)):
        found = list(honest_sheets(max(int(count * share), 1), seed, drops))
        figures(name, f"{len(found)}", "", f"{sum(found)}", at_most(sum(found), 0))


def bench_nonsense(figures: Figures, share: float, seed: int) -> None:
    """Sheets with any number in one place."""
    verdicts: Counter[str] = Counter()
    sheets = NONSENSE * share / len(trained())
    for problem in spread(sheets):
        own, chooser = exercise(problem), seeded(seed, problem)
        for _ in range(max(int(sheets), 1)):
            found = own.with_nonsense(chooser)
            if found is not None:
                verdicts[next(answer.verdict for answer in own.mark(found[1]).answers if answer.cell == found[0])] += 1
    total = verdicts.total()
    figures(
        "nonsense called a mistake",
        f"{total}",
        "",
        f"{verdicts['mistake'] / total:.2%}",
        at_most(100 * verdicts["mistake"] / total, 1, "%"),
    )
    figures("  taken for right", "", "", f"{(verdicts['correct'] + verdicts['rounded']) / total:.2%}")


# --- time ---------------------------------------------------------------------------------------------------------------


def bench_process(figures: Figures, few: Callable[[int], int]) -> None:
    """One sheet that needs a search through pairs, as a whole process."""
    own = exercise("mazur-2-2-2")
    made = next(pair for pair in own.mistakes("two") if pair.slugs == PAIR)
    (answers,) = (answers for _, answers in own.with_mistakes([made]))
    arguments = [argument for name, typed in answers.items() for argument in ("--answer", f"{name}={typed}")]
    costs = [run(CHECK, "check", "mazur-2-2-2", *arguments) for _ in range(few(7))][-5:]
    wall = median(cost.wall for cost in costs)
    figures("a sheet with two mistakes, a process", "1", "", f"{wall:.2f} s", at_most(wall, 1, " s"))
    figures("  CPU time", "", "", f"{median(cost.cpu for cost in costs):.2f} s")


def bench_a_class(figures: Figures, share: float, seed: int) -> None:
    """A class: some are right, some rounded, some made one or two mistakes, some wrote anything."""
    own, chooser, count = Exercise(load("mazur-2-2-2")), random.Random(seed), max(int(CLASS * share), 1)
    made = own.mistakes("all") + chooser.sample(own.mistakes("one"), 100) + chooser.sample(own.mistakes("two"), 100)
    wrong = [answers for _, answers in own.with_mistakes(chooser.sample(made, min(int(count * 0.4), len(made))))]
    sheets: list[Any] = list(wrong)
    while len(sheets) < count:
        sheets += [own.key(), own.rounded(chooser), (own.with_nonsense(chooser) or (None, own.key()))[1]]
    fresh = Exercise(load("mazur-2-2-2"))
    started = time.perf_counter()
    for sheet in sheets[:count]:
        fresh.mark(sheet)
    spent = time.perf_counter() - started
    figures("a class on one problem", f"{count}", "", f"{spent:.1f} s", at_most(spent, 10 * share, " s"))
