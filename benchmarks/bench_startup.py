"""Start-up: a solved 2-2-2 network against an interpreter that only imports the libraries such a command needs, to a pipe.

Whole processes in pairs, A B A B …, after a warm-up; the figure is the median of the ratios of the pairs.
"""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import pytest
from processes import Cost, handcalc, run
from targets import at_most

COLUMNS = ("command", "imports", "ratio", "target")
PAIRS = 21
PROBLEM = "mazur-2-2-2"

# what is measured: arguments, what a bare interpreter imports instead, the ratio aimed at
CASES = (
    ((), "import click, ruamel.yaml", 1.75),
    (("--format", "json"), "import click, ruamel.yaml", 1.3),
)


def pairs(arguments: tuple[str, ...], imports: str, count: int) -> list[tuple[Cost, Cost]]:
    """Costs of the command and of the bare interpreter, side by side."""
    for _ in range(min(count, 2)):
        handcalc("solve", PROBLEM, *arguments), run(imports)
    return [(handcalc("solve", PROBLEM, *arguments), run(imports)) for _ in range(count)]


@pytest.mark.parametrize(("arguments", "imports", "target"), CASES)
def bench_solve(figures: Callable[..., None], few: Callable[[int], int], arguments: tuple[str, ...], imports: str, target: float) -> None:
    found = pairs(arguments, imports, few(PAIRS))
    for kind in ("wall", "cpu"):
        ours = [getattr(cost, kind) for cost, _ in found]
        bare = [getattr(cost, kind) for _, cost in found]
        ratio = median(a / b for a, b in zip(ours, bare))
        name = " ".join(("solve", PROBLEM, *arguments)) + ", " + kind
        figures(name, f"{median(ours) * 1000:.0f} ms", f"{median(bare) * 1000:.0f} ms", f"{ratio:.2f}", at_most(ratio, target))
