"""Growth: what a cell costs in a small and in a large dense network; the cost should grow with the number of cells only.

A cell is one quantity of the solution: a net input, a derivative, a path, an updated weight. Two figures: deriving and
evaluating every cell, and making every step of the solution (formula, printed number, contributions) as well.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from statistics import median

from measure import row, title

from handcalc.core.derivation import Derivation
from handcalc.derive import derive
from handcalc.problem.loader import loads
from handcalc.problem.schema import Problem

SMALL, LARGE = (3, 3, 2), (34, 33, 33)  # neurons: about 100 and about 10,000 cells
RUNS: dict[tuple[int, ...], int] = {SMALL: 51, LARGE: 5}
TARGET = 1.5  # cost of a cell in the large network over that in the small one


def problem(sizes: tuple[int, ...], seed: int = 1) -> Problem:
    """A dense network with random weights of two decimals."""
    generator = random.Random(seed)

    def numbers(count: int) -> str:
        return "[" + ", ".join(f"{generator.uniform(-0.9, 0.9):.2f}" for _ in range(count)) + "]"

    lines = [f"inputs: {numbers(sizes[0])}", f"targets: {numbers(sizes[-1])}", "layers:"]
    for before, size in zip(sizes, sizes[1:]):
        weights = ", ".join(numbers(before) for _ in range(size))
        lines.append(f"  - {{neurons: {size}, activation: sigmoid, weights: [{weights}], bias: {numbers(size)}}}")
    return loads("\n".join([*lines, "loss: half_squared_error", "learning_rate: 0.5"]))


def evaluated(derivation: Derivation) -> int:
    """Compute every cell; their number."""
    graph, values = derivation.graph, derivation.evaluation
    count = 0
    for quantity in graph:
        for place in graph.positions(quantity.name):
            values[quantity.name, place]
            count += 1
    return count


def worked(derivation: Derivation) -> int:
    """Make every step; their number."""
    return sum(1 for _ in derivation.steps())


def cost(sizes: tuple[int, ...], work: Callable[[Derivation], int]) -> tuple[int, float]:
    """The number of cells, and the median time of deriving and working them."""
    given = problem(sizes)
    count = work(derive(given))
    times = []
    for _ in range(RUNS[sizes]):
        started = time.perf_counter()
        work(derive(given))
        times.append(time.perf_counter() - started)
    return count, median(times)


def main() -> None:
    """Print cost per cell and ratio."""
    title("cells of dense networks", ("cells", "time", "per cell", "ratio", "target"))
    for name, work in (("values", evaluated), ("steps", worked)):
        first = 0.0
        for sizes in (SMALL, LARGE):
            count, seconds = cost(sizes, work)
            each = seconds / count
            ratio = (f"{each / first:.2f}", f"≤ {TARGET}") if first else ()
            first = first or each
            row(f"{name}, {'-'.join(map(str, sizes))}", f"{count}", f"{seconds * 1000:.1f} ms", f"{each * 1e6:.1f} µs", *ratio)


if __name__ == "__main__":
    main()
