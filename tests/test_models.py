"""Law 3 and law 4 for every type of layer: gradients are derivatives, and every evaluation comes to the same.

Random networks of models.py: the derivative along a random direction of all parameters and inputs against central differences;
straight-line code and arrays against cells; PyTorch's autograd in double precision (slow) for every single gradient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from models import CASES, Maker, Network
from oracles import central, close, law
from shipping import some

from handcalc.arrays.straightline import Straight
from handcalc.arrays.unrolling import NotVectorised
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.layers import FILES
from handcalc.models import build
from handcalc.models.model import Model

FEW, MANY = 4, 25  # examples of each type, in the quick run and in the slow one


def test_every_type_is_here() -> None:
    assert set(CASES) == {*FILES} - {"dense"}


def moved(model: Model) -> list[Cell]:
    """The cells gradients are taken by: parameters, and inputs where their gradients are wanted."""
    names = [*model.updated, *(["x"] if "grad.x" in model.graph else [])]
    return [(name, place) for name in names for place in model.graph.positions(name)]


def check_gradients(network: Network) -> None:
    """The derivative along a random direction."""
    problem = network.problem()
    model = build(problem)
    known = Evaluation(model.graph)
    cells = moved(model)
    weights = np.random.default_rng(11).choice([-1.0, 1.0], len(cells)) * np.random.default_rng(12).uniform(0.5, 1, len(cells))
    share = 1.0 if "grad.loss" in model.graph or problem.conventions.sample_reduction == "sum" else 1 / len(problem.samples)

    def along(distance: float) -> float:
        replaced = {one: float(known[one]) + distance * float(weight) for one, weight in zip(cells, weights)}
        return float(Evaluation(model.graph, None, replaced)["loss", ()])

    # grad.x is each sample's own where samples do not mix
    slopes = [float(known["grad." + one[0], one[1]]) * (share if one[0] == "x" else 1.0) for one in cells]
    got, expected = sum(slope * float(weight) for slope, weight in zip(slopes, weights)), central(along, 0.0)
    assert close(got, expected, 1e-6), f"{network}\ngot {got}, expected {expected}"


def check_programs(network: Network) -> None:
    """Straight lines and arrays give the numbers of the cells, but for rounding errors."""
    model = build(network.problem())
    known, carried = Evaluation(model.graph), {**model.updated, **model.memory}
    if not carried:  # nothing is trained
        return
    straight = Straight(model.graph, carried, model.loss)
    expected = {cell: float(known[carried[cell[0]], cell[1]]) for cell in straight.state}
    begin = straight.start(lambda cell: float(known[cell]))
    assert straight.values(straight.run(begin, [()])[0]) == pytest.approx(expected, rel=1e-12, abs=1e-15)
    try:
        arrays = Vectorised(model.graph, carried, model.loss)
    except NotVectorised as error:  # attention over the states of a recurrence
        assert "at every time at once" in str(error)
        return
    start = arrays.start(lambda cell: float(known[cell]))
    after, loss, _ = arrays.run(start, [()])
    assert close(loss, float(known[model.loss, ()]), 1e-12)
    for cell, value in arrays.values(after).items():
        assert value == pytest.approx(expected[cell], rel=1e-11, abs=1e-13), f"{network}\n{cell}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", some(CASES, list(CASES)[::3]))
@given(data=st.data())
@law(FEW)
def test_gradients_and_programs(kind: str, data: Any) -> None:
    made = CASES[kind](Maker(data.draw))
    check_gradients(made)
    check_programs(made)


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
@law(MANY)
def test_gradients_and_programs_of_many(kind: str, data: Any) -> None:
    made = CASES[kind](Maker(data.draw))
    check_gradients(made)
    check_programs(made)
