"""Exercises: linting a 2-2-2 network, and a hundred variants of it with sheets and keys, as whole processes.

The second uses all processors, so its wall time is the figure; the other column is the work that all processes did.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from processes import handcalc

COLUMNS = ("command", "wall", "cpu", "target")
PROBLEM = "mazur-2-2-2"
RUNS = 7


def bench_lint(figures: Callable[..., None]) -> None:
    found = [handcalc("lint", "shared-bias-2-3-2") for _ in range(RUNS)]
    figures(
        "lint shared-bias-2-3-2", f"{median(cost.wall for cost in found):.2f} s", f"{median(cost.cpu for cost in found):.2f} s", "< 1 s"
    )


def bench_hundred_variants(figures: Callable[..., None], tmp_path: Path) -> None:
    cost = handcalc("generate", PROBLEM, "-n", "100", "--seed", "a", "-o", str(tmp_path / "set"))
    assert len([*tmp_path.glob("set/*/sheet.html")]) == 100
    figures(f"generate {PROBLEM} -n 100, HTML", f"{cost.wall:.1f} s", f"{cost.cpu:.1f} s", "< 20 s")
