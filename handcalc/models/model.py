"""Models: a graph and what the derivation asks of it, and the memory of models that differ in their numbers only.

- `Model`; `shared(problem, graph, complete)` is the model of a graph that has its forward pass; `forget()` empties the memory.
- `shape_of(problem, graph)` is what formulas depend on: those of two problems of one shape are the same.

What follows from a forward pass (the chain rule, updates, the formulas of every cell, their ids and order) does not depend on
the numbers given. Whoever works many problems of one shape, such as sheets of a class or exercises with other numbers, needs
it once: the models of the last few small shapes are kept, and a problem whose forward pass has the same formulas gets its graph from
them, with its own numbers. A model that is kept was completed from the problem without numbers, so it cannot depend on them.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import prod
from typing import Any

from handcalc.core.expr import Entry, Ref, Total, walk
from handcalc.core.graph import Graph
from handcalc.core.index import Position, affine, shift_index
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.core.record import Record
from handcalc.layers.site import places
from handcalc.problem.schema import Problem, Sample

KEPT = 16  # shapes
NUMBERS = (  # fields of a problem that do not change what follows from a forward pass
    "title", "title_zh", "text", "text_zh", "source", "notation", "language", "inputs", "samples", "test", "layers", "loss", "training",
    "rounding", "tasks", "overridden", "marking", "given", "tables", "fixed", "equations", "path", "generating", "encoded",
)  # fmt: skip
SMALL = 2_000  # cells of a forward pass; of larger ones nothing is kept


class Model(Record):
    """A graph and what the derivation asks of it: parameter → updated quantity, the loss ("" if there is none), what
    an optimiser or a layer remembers (a running mean): memory → what it becomes; and what the last layer puts out, with its
    free indices."""

    graph: Graph
    updated: dict[str, str]
    loss: str
    memory: dict[str, str] = {}
    output: Ref | None = None

    @property
    def carried(self) -> dict[str, str]:
        """Everything that is carried from one iteration to the next → what it becomes."""
        return {**self.updated, **self.memory}

    def answers(self, sample: int = 0) -> list[Cell]:
        """The cells of the network's output for a sample, in the order of its targets."""
        assert self.output is not None
        free = [index for place in self.output.indices for _, index in affine(place).terms]
        sampled = free[:1] if free and free[0].axis.role == "sample" else []
        own = [index for index in free if index not in sampled]
        found = []
        for place in places(tuple(index.axis for index in own)):
            bound: dict[str, Position] = {index.letter: one for index, one in zip(own, place)}
            bound |= {index.letter: sample for index in sampled}
            found.append(cell(Ref(self.output.quantity, tuple(shift_index(one, bound) for one in self.output.indices))))
        return found


class Shape(Record):
    """What the formulas of a model depend on: the problem without its numbers, and the forward pass without them."""

    problem: Problem
    forward: list[tuple[Any, ...]]


_KEPT: list[tuple[Shape, Model]] = []  # the one used last is the first


def shared(problem: Problem, graph: Graph, complete: Callable[[Problem], Model]) -> Model:
    """The model of a problem whose forward pass is in the graph; complete: makes it from the problem without numbers."""
    if sum(prod(axis.size for axis in quantity.axes) for quantity in graph) > SMALL:
        return complete(problem)
    shape = shape_of(problem, graph)
    found = next((kept for kept in _KEPT if kept[0] == shape), None) or (shape, complete(shape.problem))
    _KEPT[:] = [found, *(kept for kept in _KEPT if kept is not found)][:KEPT]
    model = found[1]
    return model.replace(graph=model.graph.renumbered(graph))  # never the kept one, which somebody might go on defining


def shape_of(problem: Problem, graph: Graph) -> Shape:
    """What the formulas in a graph depend on: equal for two problems that differ in their numbers only."""
    return Shape(_without_numbers(problem), [_described(quantity) for quantity in graph])


def forget() -> None:
    """Keep nothing, as in a new process."""
    _KEPT.clear()


def _without_numbers(problem: Problem) -> Problem:
    """A problem without titles, data and parameters. What is not taken out here tells shapes apart, so forgetting something costs time,
    never a right number."""
    layers = [layer.replace(weights=None, weight_names={}, bias=None, tensors=(), neurons=(), options={}) for layer in problem.layers]
    data = Problem(samples=tuple([Sample(sample.name, (), None) for sample in problem.samples]), layers=tuple(layers))
    taken_out = {name: getattr(data, name) for name in NUMBERS}
    return problem.replace(**taken_out)


def _described(quantity: Quantity) -> tuple[Any, ...]:
    """All of a quantity but the numbers given for it: of them, only which there are. Names are in their order, which is that of
    the steps; indices are equal by letter, so their axes are told apart."""
    fields = quantity.__dict__ | {"givens": _missing(quantity), "names": list((quantity.names or {}).items())}
    summed = [node.index.axis for formula in quantity.formulas for node in walk(formula) if isinstance(node, (Total, Entry))]
    return (*fields.values(), summed, [index.axis for index in quantity.index])


def _missing(quantity: Quantity) -> list[tuple[int, ...]] | None:
    given = quantity.givens
    return None if given is None else [place for place in product(*(axis.places for axis in quantity.axes)) if given(place) is None]
