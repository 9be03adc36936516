"""Benchmarks print figures and the targets beside them, as tables at the end of `pytest benchmarks`.

- `figures(name, *columns)` adds a line to the table of a module, whose title is the first line of its docstring and whose
  columns are its COLUMNS.
- `compare(name, ours, peer, at_least=20)` times two functions that take turns, and adds a line with the ratio: how many times
  faster than the peer ours is (at_least), or how many times its time ours takes (at_most).
- `share` and `seed`: the options `--share`, of the sheets that are marked, and `--seed`.
- `few(count)` is the count, or 1 with `--tiny`, which runs everything once: to see that it runs, not how fast.

A figure that misses its target is printed with an exclamation mark (targets.py); nothing fails, for machines differ. Whole processes
are measured by processes.py. Libraries compute on one thread.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from statistics import median
from types import ModuleType
from typing import Any

import pytest
from targets import at_least as least
from targets import at_most as most

for library in ("OMP", "OPENBLAS", "MKL"):  # before any of them is imported
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

TABLES = pytest.StashKey[dict[ModuleType, list[tuple[str, ...]]]]()
WARM_UP = 2  # runs that do not count


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--share`, `--seed` and `--tiny`."""
    parser.addoption("--tiny", action="store_true", help="everything once and small: does it still run?")
    parser.addoption("--share", type=float, default=0.1, help="of the sheets of bench_diagnosis.py, from 0 to 1")
    parser.addoption("--seed", type=int, default=1, help="of the sheets of bench_diagnosis.py")


@pytest.fixture
def share(request: pytest.FixtureRequest) -> float:
    """The share of the sheets that are marked."""
    return 0.001 if request.config.getoption("--tiny") else float(request.config.getoption("--share"))


@pytest.fixture
def few(request: pytest.FixtureRequest) -> Callable[[int], int]:
    """few(count): so many, but 1 with --tiny."""
    tiny = request.config.getoption("--tiny")
    return lambda count: 1 if tiny else count


@pytest.fixture
def seed(request: pytest.FixtureRequest) -> int:
    """What random choices depend on."""
    return int(request.config.getoption("--seed"))


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[..., None]:
    """figures(name, *columns): a line of the module's table."""
    rows = request.config.stash.setdefault(TABLES, {}).setdefault(request.module, [])
    return lambda name, *columns: rows.append((name, *columns))


@pytest.fixture
def compare(benchmark: Any, figures: Callable[..., None], few: Callable[[int], int]) -> Callable[..., None]:
    """compare(name, ours, peer, …): both times, and the median of the ratios of the pairs; columns: ours, peer, ratio, target.

    rounds: pairs; times: what the peer's time is multiplied by, where it does only a part of the work; fresh: called before
    each run of the peer, not timed.
    """

    def compared(
        name: str,
        ours: Callable[[], Any],
        peer: Callable[[], Any],
        at_least: float = 0,
        at_most: float = 0,
        rounds: int = 5,
        times: float = 1,
        fresh: Callable[[], Any] = lambda: None,
    ) -> None:
        timer, theirs = benchmark._timer, list[float]()

        def turn() -> None:
            fresh()
            started = timer()
            peer()
            theirs.append((timer() - started) * times)

        benchmark.pedantic(ours, setup=turn, rounds=few(rounds), warmup_rounds=few(WARM_UP))
        own = benchmark.stats.stats.data
        pairs = list(zip(own, theirs[-len(own) :]))
        ratio = median(other / mine for mine, other in pairs) if at_least else median(mine / other for mine, other in pairs)
        benchmark.extra_info["ratio"] = ratio
        target = least(ratio, at_least) if at_least else most(ratio, at_most)
        figures(name, *(f"{1000 * median(column):.4g} ms" for column in zip(*pairs)), f"{ratio:.3g}", target)

    return compared


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The tables."""
    for module, rows in config.stash.get(TABLES, {}).items():
        terminalreporter.write_line(f"\n{(module.__doc__ or '').splitlines()[0]}")
        for name, *columns in (("", *module.COLUMNS), *rows):
            terminalreporter.write_line(f"  {name:<40}" + "".join(f" {column:>11}" for column in columns))
