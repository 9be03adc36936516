"""What the tests of pages whose numbers change share.

- `edited(problem, edits, …)` is the solution of a shipped problem with other numbers given for some cells.
- `some_edits(program, random)` are such numbers, as somebody types them.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from random import Random

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Number
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.render.formats.page.program import LiveProgram


def literal(text: str) -> Number:
    """A number as the loader reads one that is typed."""
    value = Fraction(text)
    text = text if value else text.removeprefix("-")
    return Number(value.numerator, value.denominator, text)


def edited(problem: str, edits: Mapping[Cell, str], rounding: Rounding | None = None, iterations: int = 1) -> Derivation:
    """The solution of a shipped problem in which cells are given other numbers."""
    found = derive(load(problem), rounding, iterations)
    numbers = {wanted: literal(text) for wanted, text in edits.items()}
    for graph in {found.at(number).graph for number in range(1, iterations + 1)}:
        _give(graph, numbers)
    return Derivation(  # whose rounds are worked out from these numbers
        found.graph, found.rounding, found.updated, found.loss, iterations, found.basis, lambda: found.header, found.carried
    )


def _give(graph: Graph, numbers: Mapping[Cell, Number]) -> None:
    for name in {name for name, _ in numbers if name in graph}:
        before = graph[name].givens
        if before is not None:
            own = {place: number for (quantity, place), number in numbers.items() if quantity == name}
            graph.redefine(graph[name].replace(givens=lambda place, own=own, before=before: own.get(place) or before(place)))


def some_edits(program: LiveProgram, random: Random, count: int = 2) -> dict[Cell, str]:
    """Numbers of a few digits for a few given cells, half of them with the other sign."""
    cells = [wanted for wanted in program.given if wanted not in program.owner[wanted].fixed]
    return {wanted: _typed(program.owner[wanted].given_value(wanted), random) for wanted in random.sample(cells, min(count, len(cells)))}


def _typed(given: Number | None, random: Random) -> str:
    assert given is not None
    value = given.numerator / given.denominator
    near = random.choice((value * random.uniform(0.5, 1.5), -value, random.uniform(-2, 2), random.randint(-2, 2)))
    return random.choice((f"{near:.2f}", f"{near:.3g}" if abs(near) > 1e-3 else "0.5"))
