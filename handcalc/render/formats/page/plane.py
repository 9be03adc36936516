"""What a page knows of the plane of two inputs, where its script (maps.js) shows what a network answers.

- `Plane.of(program, reading)` is it, or None: for networks of two inputs and a few outputs, whose samples are worked out one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from handcalc.core.expr import Ref
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, Quantity
from handcalc.core.record import Record
from handcalc.errors import printable
from handcalc.render.diagram.typesetting import in_unicode
from handcalc.render.formats.page.program import LiveProgram
from handcalc.render.reading import Reading

MOST_OUTPUTS = 4  # that have a colour each


class Plane(Record):
    """inputs and outputs: cells of the first sample; samples: the inputs and the targets of each, none where there are no targets."""

    inputs: tuple[Cell, ...]
    outputs: tuple[Cell, ...]
    samples: tuple[tuple[tuple[Cell, ...], tuple[Cell, ...]], ...]

    @classmethod
    def of(cls, program: LiveProgram) -> Plane | None:
        """The plane of a program."""
        graph = program.graphs[0]
        output = _answers(graph)
        if len(program.graphs) > 1 or output is None or not graph.inputs:
            return None
        rows = [tuple(_row(graph, name)) for name in (graph.inputs, output, graph.targets) if name]
        inputs, outputs, *targets = rows
        if not inputs or not outputs:  # where outputs are given, or inputs are left out
            return None
        (own, answers), others = (inputs[0], outputs[0]), [cell for row in inputs[1:] for cell in row]
        role = graph[graph.inputs].axes[-1].role
        if role != "input" or len(own) != 2 or not 1 <= len(answers) <= MOST_OUTPUTS or not {*own} <= {*program.given}:
            return None
        needed = _needed(graph, answers)
        if not needed.issuperset(own) or needed.intersection(others):
            return None
        wanted = targets[0] if targets and len(targets[0]) == len(inputs) and len(targets[0][0]) == len(answers) else ((),) * len(inputs)
        return cls(own, answers, tuple(zip(inputs, wanted)))

    def data(self, program: LiveProgram, reading: Reading) -> dict[str, Any]:
        """The same in numbers of the program, and how inputs and outputs are called."""
        spelled = in_unicode(reading)

        def numbers(cells: tuple[Cell, ...]) -> list[int]:
            return [program.numbers[one] for one in cells]

        names = [[printable(spelled.symbol(Ref(*one), bare=True)) for one in cells] for cells in (self.inputs, self.outputs)]
        return {
            "inputs": numbers(self.inputs),
            "outputs": numbers(self.outputs),
            "samples": [[numbers(own), numbers(targets)] for own, targets in self.samples],
            "names": names,
        }


def _answers(graph: Graph) -> str | None:
    """The last output of a forward pass."""
    found = [quantity for quantity in graph if quantity.kind == "out" and not quantity.stage and _is_row(quantity)]
    return max(found, key=lambda quantity: quantity.layer).name if found else None


def _is_row(quantity: Quantity) -> bool:
    return len(quantity.axes) == 1 + quantity.sampled


def _row(graph: Graph, name: str) -> Iterator[tuple[Cell, ...]]:
    """The cells of each sample."""
    rows: dict[Any, list[Cell]] = {}
    for place in graph.positions(name):
        rows.setdefault(place[0] if graph[name].sampled else 0, []).append((name, place))
    return map(tuple, rows.values())


def _needed(graph: Graph, cells: tuple[Cell, ...]) -> set[Cell]:
    """Everything that cells are made of."""
    found: set[Cell] = set()
    pending = [*cells]
    while pending:
        current = pending.pop()
        if current not in found:
            found.add(current)
            pending.extend(graph.uses(current) if graph.given_value(current) is None else ())
    return found
