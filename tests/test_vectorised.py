"""The three evaluations agree: cells, straight-line code, and NumPy code made from the general formulas."""

from __future__ import annotations

import math

import numpy as np
import pytest
from oracles import close
from shipping import loaded, some

from handcalc import load, loads
from handcalc.arrays.arraycode import NUMPY
from handcalc.arrays.noise import without_noise
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


@pytest.mark.parametrize(
    ("kind", "times", "units", "straight"),
    [("simple", 3, 4, True), ("many statements on small arrays", 14, 8, True), ("large arrays", 6, 16, False), ("very many", 60, 8, False)],
)
def test_the_engine_with_less_to_do(kind: str, times: int, units: int, straight: bool) -> None:
    """Chosen by counts, not by a clock; of recurrences also above the cells that are always straight-line code."""
    problem = loads(recurrent(times, units))
    trainer = Trainer(problem)
    cells = sum(quantity.size for quantity in trainer.whole.graph)
    assert trainer.straight == straight and (cells > training.STRAIGHT_CELLS) == (kind != "simple"), cells


@pytest.mark.parametrize("samples", [1, 3])
def test_gradients_of_all_times_are_one_product(samples: int) -> None:
    model = build(loads(recurrent(6, 3, samples)))
    source = Vectorised(model.graph, model.updated, model.loss).update
    assert source.count("stacked(") == 2 * 2 and "windows" not in source and "contract" not in source
    assert source.count("[:, None] *") == (samples == 1)  # the one of the layer above


def recurrent(times: int, units: int, samples: int = 1) -> str:
    """So many times of two inputs, and numbers that all differ."""
    draw = np.random.default_rng(1)
    rows, hidden = draw.random((samples, times, 2)).round(3).tolist(), draw.normal(0, 0.4, (units, units)).round(3).tolist()
    inputs, weights = draw.random((units, 2)).round(3).tolist(), draw.random(units).round(3).tolist()
    names = ", ".join(f"h{number}" for number in range(1, units + 1))
    return f"""
samples: [{", ".join(f"{{inputs: {row}, targets: [1]}}" for row in rows)}]
layers:
  - {{type: rnn, neurons: [{names}], returns: last, input_weights: {inputs}, hidden_weights: {hidden}, bias: {weights}}}
  - {{neurons: 1, activation: sigmoid, weights: [{weights}], bias: [0.1]}}
loss: half_squared_error
learning_rate: 0.1
"""


@pytest.mark.parametrize(
    ("left", "right", "wanted", "each"),
    [
        ("abc", "debfc", "daef", "d"),  # a convolution: kernels, windows
        ("dbghc", "dgahc", "ab", "d"),  # the gradient of something in windows
        ("abcd", "acedf", "bef", "a"),  # the gradient of its kernels
        ("ab", "ab", "a", ""),
        ("ab", "ab", "a", "a"),
        ("sab", "sbc", "sca", ""),
        ("sab", "sbc", "sac", "s"),
        ("abc", "cd", "abd", ""),
    ],
)
def test_sums_of_products(left: str, right: str, wanted: str, each: str) -> None:
    """As Einstein writes them."""
    sizes, draw = dict(zip("abcdefghs", (2, 3, 4, 5, 6, 7, 2, 3, 4))), np.random.default_rng(1)
    first, second = (draw.normal(size=[sizes[letter] for letter in letters]) for letters in (left, right))
    expected = np.einsum(f"{left},{right}->{wanted}", first, second)
    assert LIBRARY["contract"](first, second, (left, right, wanted), each) == pytest.approx(expected, rel=1e-12, abs=1e-13)


def test_windows_are_laid_out_as_they_are_multiplied() -> None:
    """Without a change of any number, once for the outputs and for the gradient of the kernels."""
    seen, array = (None, (0, 0, 0, ((2, 3), (1, 2))), None), np.arange(2 * 6 * 4.0).reshape(2, 6, 4)
    plain, made = LIBRARY["windows"](array, seen), LIBRARY["unfolded"](array, seen, (0, 2, 1, 3))
    assert (plain == made).all() and made.transpose(0, 2, 1, 3).flags.c_contiguous
    model = build(load("conv-pool-dense"))
    source = Vectorised(model.graph, model.updated, model.loss).update
    assert source.count("unfolded(") == 1 and source.count("u0, ") == 2


def test_noise_is_looked_for_where_it_can_be() -> None:
    """Only where a number is so small that terms as large as the largest may leave it."""
    asked = []

    def size() -> float:
        asked.append(1)
        return 1.0

    plain = np.array([0.5, 0, 1e-8])
    assert without_noise(plain, size, lambda: 1e3) is plain and not asked
    assert without_noise(np.array([0.5, 1e-14, 1e-8]), size, lambda: 1.0).tolist() == [0.5, 0, 1e-8] and asked
    assert without_noise(np.array([0.5, 1e-8]), size, lambda: math.nan).tolist() == [0.5, 1e-8] and len(asked) == 2


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
