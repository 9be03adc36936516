"""What cells have in common (render/frames.py) is what each of them says by itself."""

from __future__ import annotations

from itertools import product

import pytest
from generalgraphs import general_graph
from shipping import EACH, solved

from handcalc.core.chainrule import add_gradients
from handcalc.core.expr import Expr, Ref, rewrite
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.render.frames import Frames


def filled(formula: Expr, cells: list[Cell]) -> Expr:
    """The formula of a frame with cells for their numbers."""
    return rewrite(formula, lambda node: Ref(*cells[node.places[0]]) if isinstance(node, Ref) else None)


def check(graph: Graph) -> int:
    """Frames of all cells are their formulas, and what they use; how many cells share theirs with others."""
    frames, met, count = Frames(graph), set[int](), 0
    for quantity in graph:
        if frames.whole(quantity.name):
            assert all(graph.present(quantity.name, place) for place in product(*(axis.places for axis in quantity.axes))), quantity.name
        for place in graph.positions(quantity.name):
            wanted = quantity.name, place
            if quantity.definition is not None and graph.given_value(wanted) is None:
                framed = frames.of(wanted)
                assert framed is not None, wanted
                frame, cells = framed
                assert filled(frame.formula, cells) == graph.instance(wanted), wanted
                assert frames.uses(wanted) == graph.uses(wanted), wanted
                met.add(id(frame))
                count += 1
    return count - len(met)


@pytest.mark.parametrize("name", EACH)
def test_frames_are_formulas(name: str) -> None:
    check(solved(name).graph)


def check_seeds(seeds: range) -> int:
    """The same of general graphs: windows that move by two, places that are missing, brackets."""
    shared = 0
    for seed in seeds:
        graph = general_graph(seed)
        add_gradients(graph, "loss")
        shared += check(graph)
    return shared


def test_frames_of_general_graphs() -> None:
    assert check_seeds(range(20)) > 100


@pytest.mark.slow
def test_frames_of_many_general_graphs() -> None:
    assert check_seeds(range(2000, 2300)) > 1500
