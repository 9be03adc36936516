"""Training: the generated program is the graph but for rounding errors; published runs; when it ends; what is printed."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from pathlib import Path

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from shipping import solved

from handcalc import derive, load, loads
from handcalc.cli import main
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError, ProblemError
from handcalc.loading.loader import shipped
from handcalc.models import doubts
from handcalc.problem.arrays import Array
from handcalc.problem.dataset import Dataset
from handcalc.problem.schema import Problem
from handcalc.render import read
from handcalc.render.blocks import Table
from handcalc.training.classes import classes_of
from handcalc.training.network import Network
from handcalc.training.report import CELLS, report
from handcalc.training.train import train, train_on
from handcalc.training.trainer import Trainer

ROUNDS = 6


TRAINABLE = [name for name in shipped() if solved(name).updated]


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_program_is_the_graph(name: str) -> None:
    """All evaluations agree: the straight line and the derivation, round after round, online and in one batch."""
    problem = load(name)
    derivation = derive(problem, Rounding(), ROUNDS + 1)
    trainer = Trainer(problem)
    for done in range(1, ROUNDS + 1):
        trainer.advance(1)
        known = derivation.iteration(done + 1).evaluation
        assert trainer.values() == pytest.approx({cell: float(known[cell]) for cell in trainer.values()}, rel=1e-12, abs=1e-15), done
        assert trainer.done == done


@pytest.mark.parametrize("name", TRAINABLE)
def test_the_next_step_is_worked_with_the_numbers_of_training(name: str) -> None:
    problem = load(name)
    trainer, other = Trainer(problem), Trainer(problem)
    trainer.advance(3)
    step = trainer.next_step(Rounding())
    other.advance(4)
    new = {cell: float(step.evaluation[step.carried[cell[0]], cell[1]]) for cell in other.values()}
    assert new == pytest.approx(other.values(), rel=1e-12, abs=1e-15)


def test_there_are_problems_to_train() -> None:
    assert len(TRAINABLE) >= 20 and {"mazur-2-2-2", "zhou-four-people", "linear-y-ax-b"} <= {*TRAINABLE}


# --- published runs ---------------------------------------------------------------------------------------------------


def test_ten_thousand_rounds_of_the_best_known_example() -> None:
    """Matt Mazur prints 0.0000351085 "after 10,000"; it is the error the last of them begins with."""
    trainer = Trainer(load("mazur-2-2-2"))
    trainer.advance(9999)
    assert float(f"{trainer.loss():.6g}") == 0.0000351085
    trainer.advance(1)
    outputs = [trainer.next_step()[name].value for name in ("out.o1", "out.o2")]
    assert [round(value, 3) for value in outputs] == [0.016, 0.984]


def four_people(seed: int, mode: str = "online") -> Problem:
    draw = random.Random(seed)
    w = [draw.gauss(0, 1) for _ in range(9)]
    return loads(f"""
samples:
  - {{name: Alice, inputs: [-2, -1], targets: [1]}}
  - {{name: Bob, inputs: [25, 6], targets: [0]}}
  - {{name: Charlie, inputs: [17, 4], targets: [0]}}
  - {{name: Diana, inputs: [-15, -6], targets: [1]}}
layers:
  - {{neurons: [h1, h2], activation: sigmoid, weights: [[{w[0]!r}, {w[1]!r}], [{w[2]!r}, {w[3]!r}]], bias: [{w[6]!r}, {w[7]!r}]}}
  - {{neurons: [o1], activation: sigmoid, weights: [[{w[4]!r}, {w[5]!r}]], bias: [{w[8]!r}]}}
loss: mean_squared_error
learning_rate: 0.1
training: {{mode: {mode}}}
""")


@pytest.mark.parametrize("seed", range(5))
def test_four_people(seed: int) -> None:
    """victorzhou.com, "Machine Learning for Beginners": 1,000 epochs online at rate 0.1; Emily (−7, −3) comes to about 0.95, Frank
    (20, 2) to about 0.04. The tutorial's start is random and without a seed, so several are tried."""
    trainer = Trainer(four_people(seed))
    assert trainer.epoch == 4
    trainer.advance(4000)
    (emily,), (frank,) = Network(trainer).predict((-7, -3)), Network(trainer).predict((20, 2))
    assert 0.92 < emily < 0.98 and 0.02 < frank < 0.08
    assert trainer.loss() < 0.01


def test_a_line() -> None:
    """y = a·x + b, adjusted again and again."""
    found = train(load("linear-y-ax-b"), 2000)
    assert found.loss < 1e-9 and found.history[0][1] > 1


GATES = """
samples:
  - {name: "00", inputs: [0, 0], targets: [%d]}
  - {name: "01", inputs: [0, 1], targets: [%d]}
  - {name: "10", inputs: [1, 0], targets: [%d]}
  - {name: "11", inputs: [1, 1], targets: [%d]}
layers: [{neurons: 1, activation: step, weights: [[0.3, -0.1]], threshold: 0.2}]
error: direct
learning_rate: 0.1
training: {mode: online, epochs: 30}
"""


def perceptron(targets: tuple[int, ...], epochs: int) -> tuple[list[Fraction], int]:
    """Weights, threshold and the number of updates, by hand; ends after an epoch without an error."""
    w, theta, tenth = [Fraction(3, 10), Fraction(-1, 10)], Fraction(2, 10), Fraction(1, 10)
    for epoch in range(1, epochs + 1):
        for x, t in zip(((0, 0), (0, 1), (1, 0), (1, 1)), targets):
            e = t - (w[0] * x[0] + w[1] * x[1] - theta >= 0)
            w = [weight + tenth * e * one for weight, one in zip(w, x)]
            theta -= tenth * e
        if all(t == (w[0] * a + w[1] * b - theta >= 0) for (a, b), t in zip(((0, 0), (0, 1), (1, 0), (1, 1)), targets)):
            return [*w, theta], 4 * epoch
    return [*w, theta], 4 * epochs


@pytest.mark.parametrize("targets", [(0, 0, 0, 1), (0, 1, 1, 1), (0, 1, 1, 0)], ids=["AND", "OR", "XOR"])
def test_perceptrons(targets: tuple[int, ...]) -> None:
    """AND from Negnevitsky's start (table 6.3: learned in the fifth epoch), OR; XOR is never learned."""
    trainer = Trainer(loads(GATES % targets))
    found = train_on(trainer)
    weights, updates = perceptron(targets, 30)
    assert list(found.parameters.values()) == pytest.approx([*map(float, weights)], abs=1e-12) and found.iterations == updates
    learned = targets != (0, 1, 1, 0)
    assert (found.loss == 0) == learned and found.stopped == ("loss" if learned else "iterations")
    answers = [Network(trainer).predict(inputs)[0] for inputs in ((0, 0), (0, 1), (1, 0), (1, 1))]
    assert sum((t - answer) ** 2 for t, answer in zip(targets, answers)) == 2 * found.loss


@pytest.mark.parametrize("activation", ["bipolar_step", "2*step(z) - 1"])
def test_perceptrons_with_targets_of_1_and_minus_1(activation: str) -> None:
    """An activation without a slope follows the perceptron rule, however it is written."""
    signs = (-1, -1, -1, 1)
    found = train_on(Trainer(loads(GATES.replace("activation: step", f"activation: {activation}") % signs)))
    w, theta, tenth = [Fraction(3, 10), Fraction(-1, 10)], Fraction(2, 10), Fraction(1, 10)
    for _ in range(found.iterations // 4):
        for x, t in zip(((0, 0), (0, 1), (1, 0), (1, 1)), signs):
            e = t - (1 if w[0] * x[0] + w[1] * x[1] - theta >= 0 else -1)
            w = [weight + tenth * e * one for weight, one in zip(w, x)]
            theta -= tenth * e
    assert list(found.parameters.values()) == pytest.approx([*map(float, w), float(theta)], abs=1e-12)
    assert found.loss == 0 and found.stopped == "loss" and found.iterations > 4


# --- how samples become updates ---------------------------------------------------------------------------------------

BATCHES = """
samples: [{inputs: [1, 2], targets: [1]}, {inputs: [2, -1], targets: [0]}, {inputs: [-1, 1], targets: [1]}]
layers: [{neurons: 1, activation: sigmoid, weights: [[0.1, -0.2]], bias: 0.3}]
loss: binary_cross_entropy
learning_rate: 0.5
"""


def test_mini_batches() -> None:
    """Two samples, then the one that is left, then two again: each an update with the mean of its own gradients."""
    trainer = Trainer(loads(BATCHES + "training: {mode: mini_batch, batch_size: 2}"))
    assert trainer.epoch == 2
    weights, bias = [0.1, -0.2], 0.3
    data = [((1, 2), 1), ((2, -1), 0), ((-1, 1), 1)]
    for batch in (data[:2], data[2:], data[:2]):
        errors = [1 / (1 + math.exp(-(weights[0] * x[0] + weights[1] * x[1] + bias))) - t for x, t in batch]
        gradients = [sum(e * x[place] for e, (x, _) in zip(errors, batch)) / len(batch) for place in range(2)]
        weights = [w - 0.5 * g for w, g in zip(weights, gradients)]
        bias -= 0.5 * sum(errors) / len(batch)
        trainer.advance(1)
        assert list(trainer.values().values()) == pytest.approx([*weights, bias], rel=1e-12)


def test_shuffling_has_a_seed() -> None:
    text = BATCHES + "training: {mode: online, order: shuffled, seed: %d}"
    runs = [train(loads(text % seed), epochs=5).parameters for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]


# --- when it ends -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["batch", "online"])
def test_a_loss_that_is_small_enough_ends_it(mode: str) -> None:
    text = BATCHES + f"training: {{mode: {mode}, stop: {{loss: 0.2}}, epochs: 5000}}"
    found = train(loads(text))
    assert found.stopped == "loss" and found.loss <= 0.2 and 0 < found.iterations < 5000
    before = Trainer(loads(text))
    before.advance(found.iterations - before.epoch)
    assert before.loss() > 0.2


def test_history() -> None:
    found = train(load("mazur-2-2-2"), 25, every=10)
    assert [count for count, _ in found.history] == [0, 10, 20, 25] and found.stopped == "iterations"
    assert found.history[-1] == (25, found.loss)
    assert len(train(load("mazur-2-2-2"), 5000).history) <= 202
    assert train(four_people(1), epochs=3).iterations == 12


def test_divergence_is_an_error() -> None:
    text = "given: {x: 3}\nequations: {f: x^2}\nminimize: f\nparameters: [x]\nlearning_rate: 10\n"
    with pytest.raises(EvaluationError, match="smaller learning_rate"):
        train(loads(text), 2000)


def test_nothing_to_train() -> None:
    with pytest.raises(ProblemError, match="nothing to train"):
        train(load("zhou-feedforward"))


def test_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C keeps what is done."""
    trainer = Trainer(load("mazur-2-2-2"))
    advance = trainer.advance

    def stopped(count: int, stop: float) -> bool:
        if trainer.done >= 20:
            raise KeyboardInterrupt
        return advance(count, stop)

    monkeypatch.setattr(trainer, "advance", stopped)
    found = train_on(trainer, 100, every=10)
    assert found.stopped == "interrupted" and found.iterations == 20 and found.history[-1][0] == 20


# --- the command ------------------------------------------------------------------------------------------------------


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_json(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "mazur-2-2-2", "--iterations", "30", "--every", "15", "--format", "json"))
    assert list(found) == ["iterations", "loss", "parameters", "history", "stopped"]
    assert found["iterations"] == 30 and [count for count, _ in found["history"]] == [0, 15, 30]
    assert set(found["parameters"]) == {f"w{number}" for number in range(1, 9)}
    assert found["loss"] == train(load("mazur-2-2-2"), 30).loss


@pytest.mark.parametrize(
    ("targets", "accuracy"),
    [
        ("[0] [1] [1] [1]", [0.75, 1.0]),  # one output: above or below the middle
        ("[-1] [1] [1] [1]", [0.75, 1.0]),
        ("[1,0] [0,1] [0,1] [0,1]", None),  # softmax below
        ("[0] [2] [1] [1]", []),  # no classes
        ("[1] [1] [1] [1]", []),  # one class only
    ],
)
def test_accuracy(targets: str, accuracy: list[float] | None) -> None:
    """The history of accuracy beside that of the loss, where targets are classes; each share is that of the predictions."""
    rows = targets.split()
    count = len(json.loads(rows[0]))
    activation = "tanh" if "[-1]" in rows else "sigmoid" if count == 1 else "softmax"
    samples = "".join(f"  - {{inputs: {inputs}, targets: {row}}}\n" for inputs, row in zip(("[0, 0]", "[0, 1]", "[1, 0]", "[1, 1]"), rows))
    weights = "[[1, 1]]" if count == 1 else "[[1, 1], [0.5, 0.4]]"
    layers = f"layers: [{{neurons: {count}, activation: {activation}, weights: {weights}, bias: {[0.1] * count}}}]\n"
    trainer = Trainer(loads(f"samples:\n{samples}{layers}loss: squared_error\nlearning_rate: 0.5\n"))
    found = train_on(trainer, 200, every=50)
    if accuracy == []:
        assert found.accuracy == () and Network(trainer).accuracy() is None
        return
    assert [count for count, _ in found.accuracy] == [count for count, _ in found.history] == [0, 50, 100, 150, 200]
    again = Trainer(trainer.problem)
    for count, share in found.accuracy:
        again.advance(count - again.done)
        answers = [Network(again).predict(inputs) for inputs in ((0, 0), (0, 1), (1, 0), (1, 1))]
        wanted = [json.loads(row) for row in rows]
        middle = 0 if activation == "tanh" else 0.5
        right = [a.index(max(a)) == t.index(max(t)) if len(t) > 1 else (a[0] > middle) == (t[0] > middle) for a, t in zip(answers, wanted)]
        assert share == sum(right) / 4, count
    assert accuracy is None or [found.accuracy[0][1], found.accuracy[-1][1]] == accuracy


def test_samples_with_several_outputs_are_right_where_all_of_them_are() -> None:
    found = classes_of([[1, 1], [0, 1], [0, 0]])
    assert found is not None and found.each == ()
    assert found.right([[0.9, 0.6], [0.9, 0.6], [0.1, 0.2]]) == 2
    assert found.right([[math.nan, 0.6], [0.1, 0.6], [0.1, math.nan]]) == 1


@given(st.data(), st.integers(1, 3), st.integers(0, 6), st.sampled_from([(0, 1), (-1, 1), (0, 2)]))
@law(60)
def test_classes_in_arrays_are_those_in_rows(data: st.DataObject, width: int, count: int, pair: tuple[int, int]) -> None:
    def drawn(numbers: tuple[float, ...]) -> list[list[float]]:
        return data.draw(st.lists(st.lists(st.sampled_from(numbers), min_size=width, max_size=width), min_size=count, max_size=count))

    targets, outputs = drawn(pair), drawn((-1.0, 0.0, 0.25, 0.5, 0.75, 1.0, math.nan))
    rows, arrays = classes_of(targets), classes_of(numpy.array(targets, float).reshape(count, width))
    assert (rows is None) == (arrays is None)
    if rows is not None and arrays is not None:
        assert (rows.low, rows.high, [*rows.each]) == (arrays.low, arrays.high, [*arrays.each])
        assert {found.right(answers) for found in (rows, arrays) for answers in (outputs, numpy.array(outputs))} == {rows.right(outputs)}


@pytest.mark.parametrize("classes", ["some", "none"])
def test_loss_and_accuracy_are_read_off_in_one_pass(classes: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of samples that are arrays: every point of the history reads each sample once; the numbers are those of a pass each."""
    drawn, read = numpy.random.default_rng(1), list[slice]()
    targets = drawn.integers(0, 3, 40) if classes != "none" else drawn.random((40, 3))
    numpy.savez(tmp_path / "d.npz", x=drawn.random((40, 60)), t=targets)
    layers = "[{neurons: 30, activation: tanh, weights: {random: he, seed: 1}}, {neurons: 3, weights: {random: he, seed: 2}}]"
    text = f"data: {{file: d.npz, inputs: x, targets: t}}\nlayers: {layers}\nloss: squared_error\nlearning_rate: 0.01\n"
    trainer = Trainer(loads(text, "p.yaml", tmp_path))
    network = Network(trainer)
    assert not trainer.straight and network.standing() == (trainer.loss(), network.accuracy())
    assert (network.accuracy() is None) == (classes == "none")
    monkeypatch.setattr("handcalc.arrays.passes.NUMBERS_AT_ONCE", 15 * 60)
    plain, rows = network.standing(), Dataset.rows
    monkeypatch.setattr(Dataset, "rows", lambda self, places=slice(None): read.append(places) or rows(self, places))
    assert network.standing() == plain and [part.start for part in read] == [0, 15, 30]


def test_arrays_stay_arrays(tmp_path: Path) -> None:
    """Weights and samples of a training become numbers one by one only where they are printed, and targets where they are checked."""
    drawn = numpy.random.default_rng(1)
    numpy.savez(tmp_path / "d.npz", x=drawn.integers(0, 256, (300, 60), dtype=numpy.uint8), t=drawn.integers(0, 3, 300))
    layers = "[{neurons: 30, activation: tanh, weights: {random: he, seed: 1}}, {neurons: 3, weights: {random: he, seed: 2}}]"
    text = f"data: {{file: d.npz, inputs: x, targets: t, scale: 255}}\nlayers: {layers}\nloss: squared_error\nlearning_rate: 0.01\n"
    trainer = Trainer(loads(text, "p.yaml", tmp_path))
    found = train_on(trainer, 3)
    samples, weights = trainer.problem.samples, trainer.problem.layers[0].weights
    assert isinstance(samples, Dataset) and isinstance(weights, Array) and len(found.parameters) == 1800 + 90
    assert not samples._made and not weights._made
    derivation = derive(trainer.problem)
    assert not samples._made, "nobody has asked for its header"
    assert derivation.header.samples and len(samples._made) == doubts.SAMPLES * 3 and not weights._made
    blocks = list(report(trainer, found, read(derivation)))
    assert len(weights._made) == CELLS == max(len(block.rows) for block in blocks if isinstance(block, Table))
    assert len(samples._made) < doubts.SAMPLES * 3 + CELLS * (60 + 3)


def test_many_answers_are_single_answers() -> None:
    """Straight-line code and arrays give what an evaluation gives; a place without a value is not a number."""
    for name in ("zhou-four-people", "softmax-cross-entropy", "xigua-thresholds", "perceptron-or"):
        trainer = Trainer(load(name))
        trainer.advance(3)
        rows = [[random.Random(seed).uniform(-2, 2) for _ in trainer.problem.inputs] for seed in range(5)]
        assert [list(row) for row in Network(trainer).outputs(rows)] == [Network(trainer).predict(row) for row in rows], name
    text = "inputs: [1]\ntargets: [1]\nlayers: [{neurons: 1, activation: ln(z), weights: [[1]]}]\nloss: squared_error\nlearning_rate: 0.1\n"
    answers = [row[0] for row in Network(Trainer(loads(text))).outputs([[-1], [1], [0]])]
    assert answers[1] == 0 and math.isnan(answers[0]) and math.isnan(answers[2])


def test_report(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = printed(capsys, "zhou-four-people", "--epochs", "200", "--predict", "-7,-3", "--decimals", "4")
    assert "Right: 4 of 4 samples." in text and "Diana" in text and "New inputs" in text and "200 updates" in text
    assert max(map(len, text.splitlines())) <= 100
    file = tmp_path / "history.csv"
    printed(capsys, "mazur-2-2-2", "--iterations", "4", "--format", "csv", "-o", str(file))
    assert file.read_text("utf-8").splitlines()[:2] == ["iteration,loss", "0,0.2983711087600027"]


def test_the_history_has_an_accuracy_only_where_there_are_classes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, "zhou-four-people", "--iterations", "300", "--every", "100", "--format", "csv").splitlines()
    assert lines[0] == "iteration,loss,accuracy" and [line.split(",")[0::2] for line in lines[1:]] == [
        ["0", "0.5"], ["100", "0.5"], ["200", "1.0"], ["300", "1.0"],
    ]  # fmt: skip
    found = json.loads(printed(capsys, "zhou-four-people", "--iterations", "300", "--every", "100", "--format", "json"))
    assert list(found) == ["iterations", "loss", "parameters", "history", "stopped", "accuracy"]
    assert all(len(point) == 2 for point in found["history"]) and found["accuracy"] == [[0, 0.5], [100, 0.5], [200, 1.0], [300, 1.0]]
    table = printed(capsys, "zhou-four-people", "--iterations", "300", "--every", "100", "--lang", "en")
    assert "iteration        loss   accuracy" in table and "accuracy" not in printed(
        capsys, "mazur-2-2-2", "--iterations", "20", "--lang", "en"
    )


def test_show_step(capsys: pytest.CaptureFixture[str]) -> None:
    """The complete hand calculation of one update; its first numbers are those that training has come to."""
    text = printed(capsys, "mazur-2-2-2", "--show-step", "10000", "--significant", "6")
    assert "0.0000351085" in text and "w5⁺ = w5 - η · ∂E/∂w5" in text


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        (["zhou-feedforward"], "nothing to train"),
        (["mazur-2-2-2", "--predict", "1"], "expected 2 numbers"),
        (["mazur-2-2-2", "--iterations", "5", "--epochs", "5"], "not both"),
    ],
)
def test_errors(arguments: list[str], found: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["train", *arguments])
    assert ended.value.code == 2 and found in capsys.readouterr().err
