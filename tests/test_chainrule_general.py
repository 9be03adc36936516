"""Law 3 for general formulas of any kind: the chain rule asks nothing of a definition but that it is one.

Random graphs (generalgraphs.py) against differences; and sums of cells, where a gradient counts how often each cell is in them.
"""

from __future__ import annotations

import pytest
from generalgraphs import general_graph, written
from oracles import close
from test_chainrule import at, check_gradients, data, gradients, plus

from handcalc.core.chainrule import add_gradients
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, add, mul, total
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index
from handcalc.core.quantity import Cell, Quantity


def check_seeds(seeds: range) -> int:
    """Every gradient of the general graphs of these seeds, against differences; answers how many there were."""
    count = 0
    for seed in seeds:
        graph = general_graph(seed)
        said = written(graph)
        add_gradients(graph, "loss")
        evaluation = Evaluation(graph)
        for quantity, place, base in gradients(graph):
            got, expected = float(evaluation[quantity.name, place]), difference(graph, base, float(evaluation[base]))
            assert close(got, expected, 1e-6), f"seed {seed}\n{said}\ngrad.{base[0]}{base[1]}: got {got}, expected {expected}"
            count += 1
    return count


def difference(graph: Graph, base: Cell, value: float, h: float = 1e-5) -> float:
    """∂loss/∂base by two points, for functions that have slopes of every order and no large ones."""
    high, low = (float(Evaluation(graph, replaced={base: x})["loss", ()]) for x in (value + h, value - h))
    return (high - low) / (2 * h)


@pytest.mark.slow
def test_gradients_of_general_formulas() -> None:
    """Shifted, stretched, shared and summed indices, nested totals, several consumers: nothing is counted twice or outside its range."""
    assert check_seeds(range(120)) > 1200


@pytest.mark.slow
@pytest.mark.parametrize("thousand", [1, 2, 3])
def test_gradients_of_many_general_formulas(thousand: int) -> None:
    assert check_seeds(range(1000 * thousand, 1000 * (thousand + 1))) > 10_000


# --- counting ---------------------------------------------------------------------------------------------------------


def sums(*formulas: Expr) -> Graph:
    """x has four cells; the loss is a sum of formulas."""
    graph = Graph()
    data(graph, "x", "weight", 4)
    graph.define(Quantity("loss", "loss", definition=add(*formulas), names={(): ""}))
    add_gradients(graph, "loss")
    return graph


def over(name: str, size: int) -> Index:
    return Index(name, Axis("row", size))


WINDOWED = total(over("w", 3), total(over("v", 2), at("x", plus(over("w", 3), over("v", 2)))))  # every window of two
SUMMED = total(over("u", 4), at("x", over("u", 4)))
HIDDEN = total(over("u", 2), mul(at("x", over("u", 2)), total(over("u", 3), at("x", over("u", 3)))))  # (x₁ + x₂)·(x₁ + x₂ + x₃)
# what is added up → how often each x is in it
COUNTED = {
    "all": ((SUMMED,), [1, 1, 1, 1]),
    "windows": ((WINDOWED,), [1, 2, 2, 1]),
    "windows and all": ((SUMMED, WINDOWED), [2, 3, 3, 2]),
    "two ranges of one letter": ((SUMMED, total(over("u", 2), at("x", over("u", 2)))), [2, 2, 1, 1]),
    "every second": ((total(over("u", 2), at("x", plus((2, over("u", 2))))),), [1, 0, 1, 0]),
    "stretched windows": ((total(over("w", 2), total(over("v", 2), at("x", plus((2, over("w", 2)), over("v", 2), -1)))),), [1, 1, 1, 0]),
    "turned round, past the end": ((total(over("u", 3), at("x", plus((-1, over("u", 3)), 4))),), [0, 0, 1, 1]),
}


@pytest.mark.parametrize("case", COUNTED)
def test_a_sum_counts_each_cell_as_often_as_it_has_it(case: str) -> None:
    """An index that is solved for stays in its range, and uses of one consumer over different indices stay apart."""
    formulas, times = COUNTED[case]
    evaluation = Evaluation(sums(*formulas))
    assert [float(evaluation["grad.x", (place,)]) for place in range(4)] == times


def test_a_letter_used_again_inside_means_another_index() -> None:
    graph = sums(HIDDEN)
    assert check_gradients(graph) == 1 + 4
