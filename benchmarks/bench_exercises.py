"""Exercises: linting a 2-2-2 network, a hundred variants of it with sheets and keys, 500 rows of results, as whole processes.

All but the first use all processors, so wall time is the figure; the other column is the work that all processes did.
"""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable
from pathlib import Path
from statistics import median

from processes import handcalc

COLUMNS = ("command", "wall", "cpu", "target")
PROBLEM = "mazur-2-2-2"
RUNS = 7
ROWS = 500


def bench_lint(figures: Callable[..., None]) -> None:
    found = [handcalc("lint", "shared-bias-2-3-2") for _ in range(RUNS)]
    figures(
        "lint shared-bias-2-3-2", f"{median(cost.wall for cost in found):.2f} s", f"{median(cost.cpu for cost in found):.2f} s", "< 1 s"
    )


def bench_hundred_variants(figures: Callable[..., None], tmp_path: Path) -> None:
    cost = handcalc("generate", PROBLEM, "-n", "100", "--seed", "a", "-o", str(tmp_path / "set"))
    assert len([*tmp_path.glob("set/*/sheet.html")]) == 100
    figures(f"generate {PROBLEM} -n 100, HTML", f"{cost.wall:.1f} s", f"{cost.cpu:.1f} s", "< 20 s")


def bench_results_of_500_students(figures: Callable[..., None], tmp_path: Path) -> None:
    """Thirty variants, and a variant for each student; a third of the rows right, a third with a wrong number, a third with three."""
    for count in (30, ROWS):
        folder, table = tmp_path / f"set{count}", tmp_path / f"results{count}.csv"
        handcalc("generate", PROBLEM, "-n", str(count), "--seed", "a", "--sheet", "txt", "--key", "txt", "-o", str(folder))
        variants = json.loads((folder / "manifest.json").read_text("utf-8"))["variants"]
        chooser = random.Random(1)
        with table.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(["student", "variant", *variants[0]["answers"]])
            for number in range(ROWS):
                variant = variants[number % count]
                answers = [answer["shown"] for answer in variant["answers"].values()]
                for place in chooser.sample(range(len(answers)), (0, 1, 3)[number % 3]):
                    answers[place] = f"{chooser.uniform(-1, 1):.4f}"
                writer.writerow([f"s{number}", variant["code"], *answers])
        cost = handcalc("check", str(folder), "--from", str(table), "--format", "json", ends_with=1)
        figures(f"check --from, {ROWS} rows, {count} variants", f"{cost.wall:.1f} s", f"{cost.cpu:.1f} s", "< 15 s")
