"""Loading 10,000 samples of 784 inputs, and explaining one weight in a batch of 100, as whole processes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bench_data import BATCH, FORMS, SAMPLES, write
from processes import Cost, handcalc, run
from targets import at_most

COLUMNS = ("seconds", "target", "peak MB", "target")
LOAD = "import sys; from handcalc import load; load(sys.argv[1])"
WEIGHT = "W1[3,17]"
MEGABYTES = 300  # aimed at


def told(figures: Callable[..., None], name: str, cost: Cost, seconds: int) -> None:
    figures(name, f"{cost.wall:.2f}", at_most(cost.wall, seconds), f"{cost.peak:.0f}", at_most(cost.peak, MEGABYTES))


@pytest.mark.parametrize("form", FORMS)
def bench_load(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path, form: str) -> None:
    problem = str(write(tmp_path, form, few(SAMPLES)))
    *_, cost = (run(LOAD, problem) for _ in range(few(2)))  # the first finds no bytecode
    told(figures, f"load, {form}", cost, seconds=4 if form == "CSV" else 1)


def bench_why(figures: Callable[..., None], few: Callable[[int], int], tmp_path: Path) -> None:
    problem = str(write(tmp_path, "NPZ of bytes", max(few(SAMPLES), BATCH)))
    *_, cost = (handcalc("why", problem, WEIGHT) for _ in range(few(2)))
    told(figures, f'why FILE "{WEIGHT}"', cost, seconds=5)
