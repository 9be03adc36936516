"""The time that marking takes: whole processes, and a class. Needs `os.wait4`, so no Windows.

The figures are medians of runs that take turns; each is also given as so many times that of `import handcalc`, and of an interpreter
that does nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from random import Random
from statistics import median

from processes import Cost, run

from handcalc.marking.answers import sheet_of
from marked import ROOT, chance, honest, slips
from marked.exercises import Exercise, exercise
from marked.judging import table
from marked.slipkinds import SLIPS

TITLE = "Time of marking"
COLUMNS = ("what", "wall", "CPU", "× import handcalc", "× empty process")
RUNS, BRIEF_RUNS = 9, 3
CLASS, BRIEF_CLASS = 500, 100
CHECK = """
import os
from handcalc.cli import main
try:
    main()
except SystemExit as end:
    os._exit(end.code if end.code != 1 else 0)  # 1: something on the sheet is wrong
"""
EMPTY, IMPORT = ("an empty process", ""), ("import handcalc", "import handcalc")
CHECKS = {
    "check one wrong number, mazur-2-2-2": ("mazur-2-2-2", "grad.w5=0.7"),
    "check one wrong number, zhou-four-people": ("zhou-four-people", "grad.W1[1,1]=0.7"),
}


def figures(brief: bool) -> str:
    """The table."""
    if not hasattr(os, "wait4"):
        return f"{TITLE}: needs os.wait4, which this system does not have\n"
    os.chdir(ROOT)  # so that processes find the program of this checkout
    count = CLASS if not brief else BRIEF_CLASS
    with tempfile.TemporaryDirectory() as folder:
        for number, answers in enumerate(class_of(count)):
            lines = "\n".join(f"{id} = {text}" for id, text in answers.items())
            Path(folder, f"student{number:03d}.txt").write_text(lines, encoding="utf-8")
        jobs: dict[str, Callable[[], Cost]] = {name: _process(code) for name, code in (EMPTY, IMPORT)}
        jobs |= {name: _process(CHECK, "check", problem, "--answer", answer) for name, (problem, answer) in CHECKS.items()}
        costs: dict[str, list[Cost]] = {name: [] for name in jobs}
        for _ in range(1 + (BRIEF_RUNS if brief else RUNS)):
            for name, job in jobs.items():
                costs[name].append(job())
        name = f"check a class of {count}, mazur-2-2-2"
        costs[name] = [_process(CHECK, "check", "mazur-2-2-2", folder)()]
    rows = [_row(name, found[1:] or found, costs) for name, found in costs.items()]
    seconds = marked(count)
    rows.append((f"the same {count} in one process, marking only", f"{seconds:.2f} s", "", "", ""))
    return table(TITLE, COLUMNS, rows)


def _process(code: str, *arguments: str) -> Callable[[], Cost]:
    return lambda: run(code, *arguments)


def _row(name: str, found: list[Cost], costs: dict[str, list[Cost]]) -> tuple[str, ...]:
    wall, cpu = (median(column) for column in list(zip(*found))[:2])
    ratios = (f"{wall / median(cost.wall for cost in costs[other][1:]):.1f}" for other, _ in (IMPORT, EMPTY))
    return (name, f"{wall:.3f} s", f"{cpu:.3f} s", *ratios)


def class_of(count: int) -> list[dict[str, str]]:
    """A class: two of five are honest, two made a slip, one wrote anything."""
    chooser, problem = Random(1), "mazur-2-2-2"
    kinds = [
        [sheet.answers for sheet in honest.sheets(problem, count // len(honest.HABITS) + 1, chooser) if not sheet.audited],
        [sheet.answers for sheet in slips.sheets(problem, count // len(SLIPS) + 1, chooser)],
        [sheet.answers for sheet in chance.sheets(problem, count // len(chance.DIGITS) + 1, chooser)],
    ]
    two = count * 2 // 5
    chosen = chain.from_iterable(chooser.sample(kind, part) for kind, part in zip(kinds, (two, two, count - 2 * two)))
    return [dict(answers) for answers in chosen]


def marked(count: int) -> float:
    """Seconds that marking a class takes in one process."""
    sheets = [sheet_of(answers) for answers in class_of(count)]
    fresh = Exercise(exercise("mazur-2-2-2").problem)
    started = time.perf_counter()
    for sheet in sheets:
        fresh.checker.mark(sheet)
    return time.perf_counter() - started
