"""Growth: the cost of a cell in a large dense network over that in a small one.

It should grow with the number of cells only; the time of the small network is multiplied by how many times as many the large
one has. A cell is one quantity of the solution: a net input, a derivative, a path, an updated weight. Two figures: deriving
and evaluating every cell, and making every step of the solution (formula, printed number, contributions) as well.
"""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from handcalc.core.derivation import Derivation
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.models import model
from handcalc.problem.schema import Problem

COLUMNS = ("large", "small", "ratio", "target")
SMALL, LARGE = (3, 3, 2), (34, 33, 33)  # neurons: about 100 and about 10,000 cells
TINY = (5, 4, 3)  # a large one with --tiny


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


def fresh(problem: Problem) -> Derivation:
    """The derivation of a shape that was not seen before: of small ones the formulas are remembered, of large ones never."""
    model.forget()
    return derive(problem)


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


@pytest.mark.parametrize("work", [evaluated, worked])
def bench_a_cell(compare: Callable[..., None], few: Callable[[int], int], work: Callable[[Derivation], int]) -> None:
    small, large = problem(SMALL), problem(LARGE if few(2) > 1 else TINY)
    times = work(fresh(large)) / work(fresh(small))
    name = f"{work.__name__}, {times:.0f} × as many cells"
    compare(name, lambda: work(fresh(large)), lambda: work(fresh(small)), at_most=1.5, times=times)
