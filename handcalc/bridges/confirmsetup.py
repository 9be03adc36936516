"""A problem with its model and the numbers of its solution: what scripts for frameworks are written from."""

from __future__ import annotations

from typing import Any

from handcalc.core.graph import Graph
from handcalc.core.record import Record
from handcalc.models.model import Model
from handcalc.problem.schema import Problem


class Setup(Record):
    """A problem with its model, and what its cells come to."""

    problem: Problem
    model: Model
    known: Any

    @property
    def graph(self) -> Graph:
        """The graph of the model."""
        return self.model.graph

    def numbers(self, name: str) -> list[float]:
        """All numbers of a quantity, in order."""
        return [float(self.known[name, place]) for place in sorted(self.graph.positions(name))]

    def shape(self, name: str) -> list[int]:
        """The sizes of its axes, samples first where a network has several."""
        return [axis.size for axis in self.graph[name].axes]
