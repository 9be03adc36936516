"""Exercises: linting a 2-2-2 network, a hundred variants of it with sheets and keys, their quiz, 500 rows of results, as whole processes.

All but the first use all processors, so wall time is the figure; the other column is the work that all processes did.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median

from processes import Cost, handcalc
from targets import at_most

COLUMNS = ("command", "wall", "cpu", "target")
PROBLEM = "mazur-2-2-2"
RUNS = 7
ROWS = 500


def told(figures: Callable[..., None], name: str, cost: Cost, seconds: int) -> None:
    figures(name, f"{cost.wall:.2f} s", f"{cost.cpu:.2f} s", at_most(cost.wall, seconds, " s"))


def bench_lint(figures: Callable[..., None], few: Callable[[int], int]) -> None:
    found = [handcalc("lint", "shared-bias-2-3-2") for _ in range(few(RUNS))]
    told(figures, "lint shared-bias-2-3-2", Cost(*map(median, zip(*found))), 1)


def bench_hundred_variants(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    cost = handcalc("generate", PROBLEM, "-n", str(count := few(100)), "--seed", "a", "-o", str(tmp_path / "set"))
    assert len([*tmp_path.glob("set/*/sheet.html")]) == count
    told(figures, f"generate {PROBLEM} -n {count}, HTML", cost, 20)
    manifest = str(tmp_path / "set" / "manifest.json")
    for name in ("quiz.xml", "quiz.zip"):
        told(figures, f"export {count} variants, {name}", handcalc("export", manifest, "-o", str(tmp_path / name)), 20)


def bench_results_of_500_students(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    """Thirty variants, and a variant for each student; a third of the rows right, a third with a wrong number, a third with three."""
    rows = max(few(ROWS), 3)
    for count in (few(30), rows):
        folder, table = tmp_path / f"set{count}", tmp_path / f"results{count}.csv"
        handcalc("generate", PROBLEM, "-n", str(count), "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(folder))
        variants = json.loads((folder / "manifest.json").read_text("utf-8"))["variants"]
        chooser = random.Random(1)
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["student", "variant", *variants[0]["answers"]])
            for number in range(rows):
                variant = variants[number % count]
                answers = [answer["shown"] for answer in variant["answers"].values()]
                for place in chooser.sample(range(len(answers)), (0, 1, 3)[number % 3]):
                    answers[place] = f"{chooser.uniform(-1, 1):.4f}"
                writer.writerow([f"s{number}", variant["code"], *answers])
        cost = handcalc("check", str(folder), "--from", str(table), "--format", "json", ends_with=1)
        told(figures, f"check --from, {rows} rows, {count} variants", cost, 15)
