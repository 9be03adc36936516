"""Sums and paths are made of the places that have something, and of no others (core/reach.py)."""

from __future__ import annotations

from itertools import product

import pytest
from generalgraphs import general_graph, written
from test_chainrule import convolution
from test_expr import everywhere as never_missing

from handcalc.core.binding import bind
from handcalc.core.chainrule import add_gradients
from handcalc.core.expr import ZERO, Ref, total
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index, position
from handcalc.core.quantity import Quantity
from handcalc.deriving import derive
from handcalc.loading.loader import loads


def check_seeds(seeds: range) -> int:
    """Every cell of the general graphs of these seeds is written out as it would be with all places tried; how many paths there were."""
    paths = 0
    for seed in seeds:
        graph = general_graph(seed)
        said = written(graph)
        add_gradients(graph, "loss")
        for quantity in (one for one in graph if one.definition is not None):
            expected = []
            for place in product(*(axis.places for axis in quantity.axes)):
                if graph.present(quantity.name, place):
                    expected.append(place)
                    letters = {index.letter: at for index, at in zip(quantity.index, place)}
                    whole = bind(quantity.definition, letters, graph.present)
                    assert graph.instance((quantity.name, place)) == whole, f"seed {seed}, {quantity.name}{place}\n{said}"
            assert list(graph.positions(quantity.name)) == expected, f"seed {seed}, {quantity.name}\n{said}"
            paths += len(expected) * (quantity.through is not None)
    return paths


def test_nothing_is_left_out_of_general_formulas() -> None:
    assert check_seeds(range(40)) > 400


@pytest.mark.slow
def test_nothing_is_left_out_of_many_general_formulas() -> None:
    assert check_seeds(range(1000, 1600)) > 6000


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_a_number_is_looked_for_in_the_windows_that_hold_it(stride: int) -> None:
    """Of a window of 3 that moves by s, ⌈3/s⌉ at most."""
    graph = convolution(stride=stride)
    add_gradients(graph, "loss")
    gradient, looked = graph["grad.x"], []

    def along(index, body, letters):
        places = graph.known.reach.along(index, body, letters)
        return lambda place: looked.append([*places(place)]) or []

    for place in range(7):
        bind(gradient.definition, {gradient.index[0].letter: place}, never_missing, along)
    assert len(looked) == 7
    assert max(map(len, looked)) <= -(-3 // stride)
    assert sum(map(len, looked)) == 3 * len(graph["net"].axes[0].places)


def test_pooling_asks_for_as_many_cells_as_there_are() -> None:
    """Twice the side has four times as many paths through a pool, and asks four times, not sixteen times, whether there is one."""

    def asked(side: int) -> tuple[int, int]:
        image = [[row * side + column for column in range(side)] for row in range(side)]
        conv, dense = "{type: conv2d, weights: [[1]], bias: 0}", f"{{neurons: 1, weights: [{[1] * (side // 2) ** 2}], bias: [0]}}"
        text = f"inputs: {image}\ntargets: [1]\nlayers: [{conv}, {{type: max_pool, kernel_size: 2}}, {{type: flatten}}, {dense}]\n"
        graph = derive(loads(text + "loss: half_squared_error\nlearning_rate: 1\n")).graph
        name = next(one.name for one in graph if one.through is not None)
        return len([*graph.positions(name)]), len(graph.known.families[name])

    (few, first), (many, second) = asked(4), asked(8)
    assert (few, many) == (16, 64)
    assert second == 4 * first


def test_a_sum_without_bounds_has_all_places() -> None:
    graph, index = Graph(), Index("i", Axis("row", 3))
    graph.given(Quantity("x", "weight", (index.axis,), (index,)))
    assert [*graph.known.reach.along(index, Ref("x", (index,)), ())(())] == [0, 1, 2]
    assert [*graph.known.reach.along(index, Ref("x", (position({index: 1}, 2),)), ())(())] == [0]
    assert [*graph.known.reach.along(index, Ref("x", (position({index: 1}, 3),)), ())(())] == []
    assert bind(total(index, Ref("x", (position({index: 1}, 3),))), {}, graph.present, graph.known.reach.along) == ZERO
