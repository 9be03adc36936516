"""How well marking judges sheets: `python benchmarks/sheets.py`, from a checkout, with nothing but handcalc's own requirements.

Sheets whose truth is known are marked, and every measurement prints a table: honest students (none may be accused), wrong numbers
drawn by lot (none may be named), slips of any calculation (all should be named), and the time that marking takes. Same options, same
sheets, however many processes work: a change of marking/ is measured by running this before and after it. The parts are in marked/.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from types import ModuleType

from marked import chance, honest, slips, speed
from marked.exercises import EQUATIONS, FAMILIES, FIRST, PROBLEMS, TWIN
from marked.judging import Judged, judge, told

MEASUREMENTS: dict[str, ModuleType] = {"honest": honest, "chance": chance, "slips": slips}
BRIEF = 6  # times fewer sheets of a problem


def arguments() -> argparse.Namespace:
    """What is asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("measurement", nargs="*", help=f"of {', '.join((*MEASUREMENTS, 'speed'))}; all without")
    parser.add_argument("--brief", action="store_true", help="one problem of each family, and fewer sheets: a minute instead of ten")
    parser.add_argument("--sheets", type=int, metavar="N", help="about so many sheets of each measurement")
    parser.add_argument("--problem", action="append", metavar="NAME", help="only this problem, or this family; may be repeated")
    parser.add_argument("--details", nargs="?", type=int, const=3, metavar="N", help="also N misjudged sheets of every kind (3)")
    parser.add_argument("--seed", type=int, default=1, help="other sheets")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    found = parser.parse_args()
    known = {*MEASUREMENTS, "speed"}
    if unknown := [name for name in found.measurement if name not in known]:
        parser.error(f"no measurement {unknown[0]}; there are {', '.join(sorted(known))}")
    named = {*PROBLEMS, *FAMILIES, *(name + TWIN for name in EQUATIONS)}
    if unknown := [name for name in found.problem or () if name not in named]:
        parser.error(f"no problem or family {unknown[0]}; there are {'; '.join(sorted(named))}")
    if found.brief and not found.problem:
        found.problem = list(FIRST)
    return found


def chosen(problem: str, only: list[str] | None) -> bool:
    """Whether a problem is asked for, by its name or its family's."""
    return not only or problem in only or any(problem in FAMILIES.get(name, ()) for name in only)


def judged(task: tuple[str, str, int, int]) -> list[Judged]:
    """The sheets of one problem, marked; they depend on the seed, the measurement and the problem only."""
    measurement, problem, count, seed = task
    return [judge(sheet) for sheet in MEASUREMENTS[measurement].sheets(problem, count, random.Random(f"{seed} {measurement} {problem}"))]


def measure(names: list[str], asked: argparse.Namespace) -> None:
    """The tables of measurements, each as soon as it is there."""
    with ProcessPoolExecutor(asked.jobs) as pool:
        waiting = []
        for name in names:
            part = MEASUREMENTS[name]
            count = asked.sheets or part.SHEETS // (BRIEF if asked.brief else 1)
            tasks = [(name, problem, each, asked.seed) for problem, each in part.tasks(count) if chosen(problem, asked.problem)]
            waiting.append((part, pool.map(judged, tasks)))
        for part, results in waiting:
            started = time.perf_counter()
            found = [one for sheets in results for one in sheets]
            write(part.figures(found))
            if asked.details:
                write_details(part, found, asked.details)
            write(f"{len(found)} sheets, {time.perf_counter() - started:.0f} s\n")


def write_details(part: ModuleType, found: list[Judged], most: int) -> None:
    """Some of the misjudged sheets of every kind."""
    kinds: Counter[str] = Counter()
    rows: dict[str, list[str]] = {}
    for kind, one in part.misjudged(found):
        kinds[kind] += 1
        if kinds[kind] <= most:
            rows.setdefault(kind, []).append(told(one))
    for kind, sheets in rows.items():
        write("\n".join([f"{kind}: {kinds[kind]}", *sheets, ""]))


def write(text: str) -> None:
    """A text on the terminal, at once."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> None:
    """All that is asked."""
    asked = arguments()
    names = asked.measurement or [*MEASUREMENTS, "speed"]
    measure([name for name in MEASUREMENTS if name in names], asked)
    if "speed" in names:
        write(speed.figures(asked.brief))


if __name__ == "__main__":
    main()
