"""The three evaluations agree: cells, straight-line code, and NumPy code made from the general formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import close
from shipping import loaded, some

from handcalc import load, loads
from handcalc.arrays.arraycode import NUMPY
from handcalc.arrays.straightline import Straight
from handcalc.arrays.vectorised import LIBRARY, Vectorised
from handcalc.core.evaluation import Evaluation
from handcalc.core.functions import FUNCTIONS
from handcalc.loading.loader import shipped
from handcalc.models import build
from handcalc.problem.schema import Problem
from handcalc.training import trainer as training
from handcalc.training.network import Network
from handcalc.training.trainer import Trainer


def trained(problem: Problem) -> bool:
    model = build(problem)
    return bool(model.updated and model.loss)


# arrays have no missing edges
PROBLEMS = [name for name in shipped() if trained(loaded(name)) and name != "shared-weight"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_all_three_agree(name: str) -> None:
    model = build(load(name))
    known, carried = Evaluation(model.graph), {**model.updated, **model.memory}
    straight = Straight(model.graph, carried, model.loss)
    begin = straight.start(lambda cell: float(known[cell]))
    (state, _, count), loss = straight.run(begin, [()]), straight.loss(begin)
    expected = {cell: float(known[carried[cell[0]], cell[1]]) for cell in straight.state}
    assert (
        straight.values(state) == pytest.approx(expected, rel=1e-12, abs=1e-15)
        and loss == pytest.approx(float(known[model.loss, ()]))
        and count == 1
    )
    arrays = Vectorised(model.graph, carried, model.loss)
    start = arrays.start(lambda cell: float(known[cell]))
    after, again, count = arrays.run(start, [()])
    assert count == 1 and close(again, loss, 1e-12) and close(arrays.loss(start), loss, 1e-12)
    for cell, value in arrays.values(after).items():
        assert value == pytest.approx(expected[cell], rel=1e-12, abs=1e-14), cell


@pytest.mark.parametrize("name", NUMPY)
def test_functions_on_arrays(name: str) -> None:
    """Each line of the table is its record, also beside a kink."""
    record = FUNCTIONS[name]
    low, high = record.safe
    points = [low + (high - low) * place / 12 for place in range(13)] + ([0.0] if low <= 0 else [])
    seconds = points[::-1] if name in ("max", "min", "max'") else [0.25] * len(points)
    columns = [points, seconds, [0.25] * len(points)][: len(record.arguments)]
    names = [f"a{place}" for place in range(len(columns))]
    code = f"{NUMPY[name]}({', '.join(names)})"
    arrays = {key: np.array(column) for key, column in zip(names, columns)}
    found = np.broadcast_to(eval(code, {"np": np, **LIBRARY, **arrays}), len(points))  # noqa: S307
    expected = [float(record.value(*arguments)) for arguments in zip(*columns)]
    assert found.tolist() == pytest.approx(expected, rel=1e-14)


NETWORK = """
samples: [%s]
layers:
  - {neurons: 6, activation: %s, weights: [%s], bias: [0.1, -0.2, 0.3, 0.05, -0.1, 0.2]}
  - {neurons: 3, activation: softmax, weights: [%s], bias: 0.1}
loss: %s
learning_rate: 0.3
training: {mode: mini_batch, batch_size: 4, order: shuffled, seed: 5}
"""


def network(activation: str, loss: str) -> Problem:
    draw = np.random.default_rng(3)
    targets = ["[1, 0, 0]", "[0, 1, 0]", "[0, 0, 1]"]
    samples = [f"{{inputs: [{', '.join(f'{x:.3f}' for x in draw.normal(size=5))}], targets: {targets[n % 3]}}}" for n in range(10)]
    rows = [[f"[{', '.join(f'{w:.3f}' for w in row)}]" for row in draw.normal(size=shape)] for shape in ((6, 5), (3, 6))]
    return loads(NETWORK % (", ".join(samples), activation, ", ".join(rows[0]), ", ".join(rows[1]), loss))


ACTIVATIONS = ["sigmoid", "tanh", "relu", "gelu", "softplus", "{leaky_relu: {slope: 0.1}}", "z/(1 + abs(z))"]


@pytest.mark.parametrize("activation", some(ACTIVATIONS, ACTIVATIONS[2:3]))
@pytest.mark.parametrize("loss", ["cross_entropy", "softmax_cross_entropy"])
def test_mini_batches_of_both_engines(activation: str, loss: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shuffled batches of 4, 4 and 2 samples, three epochs: arrays and straight lines come to the same."""
    problem = network(activation, loss)
    straight = Trainer(problem)
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0)
    arrays = Trainer(problem)
    assert isinstance(straight._engine, Straight) and isinstance(arrays._engine, Vectorised)
    for trainer in (straight, arrays):
        trainer.advance(9)
    assert straight.epoch == 3 and straight.done == arrays.done == 9
    assert arrays.loss() == pytest.approx(straight.loss(), rel=1e-11)
    for name, value in arrays.parameters().items():
        assert value == pytest.approx(straight.parameters()[name], rel=1e-10, abs=1e-13), name
    assert Network(arrays).predict([0.1] * 5) == pytest.approx(Network(straight).predict([0.1] * 5), rel=1e-10)
    assert arrays.next_step().value("loss") == pytest.approx(float(straight.next_step().value("loss")), rel=1e-10)


def test_matrix_products_are_used() -> None:
    """The sums of a layer are products of matrices, forward and backward; nothing has three directions."""
    model = build(network("sigmoid", "softmax_cross_entropy"))
    source = Vectorised(model.graph, model.updated, model.loss, ("x", "t")).update
    assert source.count("@") == 5 and "[:, :, None]" not in source and "each[" not in source
    assert "e^" not in source and all(not line.strip().startswith("#") for line in source.splitlines())


def test_divergence_in_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0)
    problem = loads(
        "samples: [{inputs: [3], targets: [1]}, {inputs: [5], targets: [2]}]\nlayers: [{neurons: 1, weights: [[1]]}]\n"
        "loss: squared_error\nlearning_rate: 10\n"
    )
    trainer = Trainer(problem)
    assert isinstance(trainer._engine, Vectorised) and math.isfinite(trainer.loss())
    with pytest.raises(Exception, match="smaller learning_rate"):
        trainer.advance(500)
