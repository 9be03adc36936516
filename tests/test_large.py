"""Thousands of samples: arrays and typed samples train alike, solutions by arrays are those by cells, and accuracy in the end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oracles import close
from shipping import loaded, some

from handcalc import check, derive, gradcheck, load, loads
from handcalc.arrays import large, passes
from handcalc.cli import main
from handcalc.core.derivation import Derivation
from handcalc.core.rounding import Rounding
from handcalc.errors import ProblemError, UnknownIdError
from handcalc.loading.loader import shipped
from handcalc.problem import csvfiles
from handcalc.problem.dataset import Dataset
from handcalc.problem.schema import Problem
from handcalc.render import report
from handcalc.training import trainer as training
from handcalc.training.network import Network
from handcalc.training.train import train
from handcalc.training.trainer import Trainer

# --- solutions by arrays ----------------------------------------------------------------------------------------------


def by_arrays(derivation: Derivation) -> bool:
    return isinstance(derivation.evaluation, large.ArrayEvaluation)


def unrounded(name: str) -> bool:
    rounding = loaded(name).rounding or Rounding()
    return not (rounding.carry or rounding.exact)


def recurs(name: str) -> bool:
    """Whether its layers go through time; such problems are worked cell by cell."""
    return any(layer.type in ("rnn", "lstm", "gru") for layer in loaded(name).layers)


@pytest.mark.parametrize("name", [name for name in shipped() if unrounded(name) and not recurs(name)])
def test_arrays_have_the_numbers_of_the_cells(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every step of three rounds: the same formula, inputs and value, whichever evaluation it comes from."""
    problem = load(name)
    rounds = 3
    cells = derive(problem, None, rounds)
    monkeypatch.setattr(large, "LARGE_CELLS", 0)
    arrays = derive(problem, None, rounds)
    assert by_arrays(arrays) and not by_arrays(cells)
    for number in range(1, rounds + 1):
        for ours, theirs in zip(arrays.steps(number), cells.steps(number), strict=True):
            assert close(float(ours.value), float(theirs.value), 1e-12), ours.id
            assert ours.replace(value=0, shown=theirs.shown, contributions=()) == theirs.replace(value=0, contributions=())
            assert [part.through for part in ours.contributions] == [part.through for part in theirs.contributions]
            assert arrays.find(ours.id) == cells.find(theirs.id) == (ours.cell, number)


def test_only_what_is_looked_at_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step of a hundred samples needs the arrays of its ancestors, and the formulas of nothing else."""
    monkeypatch.setattr(large, "LARGE_CELLS", 100_000)
    problem = loads(BATCHES, folder=written(tmp_path, 400))
    derivation = derive(problem)
    assert by_arrays(derivation)
    step = derivation["grad.W1[3,17]"]
    assert len(step.inputs) == 100 and len(derivation.graph.known.instances) == 1
    ours = derivation.basis(1).samples
    other = next(str(number) for number in range(1, 401) if str(number) not in ours)
    assert len(ours) == 100 and derivation[f"net.h3@{ours[99]}"].id == f"net.h3@{ours[99]}"
    trained = Trainer(problem)
    trained.advance(1)
    place = derivation.graph.find("W1[3,17]")
    assert place and close(float(derivation["new.W1[3,17]"].value), trained.value(place), 1e-9), "the batch that training begins with"
    for wrong in ("net.h3", f"net.h3@{other}", "net.h3@401", "net.h3@", "#2:loss", "grad.W1[21,1]", "nothing"):
        with pytest.raises(UnknownIdError):
            derivation.find(wrong)


def test_rounding_on_the_way_is_for_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_CELLS", 100_000)
    problem = loads(BATCHES, folder=written(tmp_path, 400))
    with pytest.raises(ProblemError, match="take fewer samples"):
        derive(problem, Rounding(carry=True))


def test_what_needs_every_cell_is_for_small_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_CELLS", 100_000)
    problem = loads(BATCHES, folder=written(tmp_path, 400))
    for needs in (lambda: check(problem, {"loss": "1"}), lambda: gradcheck(problem)):
        with pytest.raises(ProblemError, match="too many to work one by one; take fewer samples at a time"):
            needs()


# --- training ---------------------------------------------------------------------------------------------------------

CLASSES = 3
WIDTH = 40
BATCHES = """
title: Blobs
data: {file: blobs.npz, inputs: x, targets: t, scale: 2}
test: {inputs: x_test, targets: t_test}
layers:
  - {neurons: 20, activation: tanh, weights: {random: xavier, seed: 1}, bias: zeros}
  - {neurons: 3, activation: softmax, weights: {random: xavier, seed: 1}, bias: zeros}
loss: softmax_cross_entropy
learning_rate: 0.2
training: {mode: mini_batch, batch_size: 100, order: shuffled, seed: 1, epochs: 8}
"""


def blobs(count: int, seed: int) -> tuple[Any, Any]:
    """Points around three centres in forty dimensions, and which."""
    draw = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(CLASSES, WIDTH))
    kinds = draw.integers(0, CLASSES, count)
    return centres[kinds] + draw.normal(size=(count, WIDTH)) * 1.5, kinds


def written(folder: Path, count: int) -> Path:
    x, t = blobs(count, 1)
    x_test, t_test = blobs(200, 2)
    np.savez(folder / "blobs.npz", x=x, t=t, x_test=x_test.astype(np.float32), t_test=t_test)
    return folder


def typed(problem: Problem) -> Problem:
    """The same problem, its samples one by one."""
    return problem.replace(samples=tuple(problem.samples))


@pytest.mark.slow
@pytest.mark.parametrize("mode", some(["batch", "online", "mini_batch, batch_size: 7"], ["mini_batch, batch_size: 7"]))
@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "cross_entropy", "squared_error"])
def test_arrays_train_as_typed_samples_do(mode: str, loss: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two epochs and a half; 13 samples leave a batch of six at the end of each."""
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0)
    monkeypatch.setattr(passes, "NUMBERS_AT_ONCE", 10 * WIDTH)
    text = BATCHES.replace("mini_batch, batch_size: 100, order: shuffled", mode).replace("loss: softmax_cross_entropy", f"loss: {loss}")
    problem = loads(text, folder=written(tmp_path, 13))
    arrays, samples = Trainer(problem), Trainer(typed(problem))
    assert isinstance(arrays.problem.samples, Dataset) and isinstance(samples.problem.samples, tuple)
    for trainer in (arrays, samples):
        trainer.advance(trainer.epoch * 5 // 2)
    assert arrays.loss() == pytest.approx(samples.loss(), rel=1e-12)
    assert list(arrays.parameters().values()) == pytest.approx(list(samples.parameters().values()), rel=1e-10, abs=1e-13)
    assert Network(arrays).accuracy() == Network(samples).accuracy() and Network(arrays).accuracy(problem.test) == Network(
        samples
    ).accuracy(problem.test)
    ours, theirs = arrays.next_step(), samples.next_step()
    assert [group.quantity.name for group in ours.groups()] == [group.quantity.name for group in theirs.groups()]
    assert ours.value("loss") == pytest.approx(float(theirs.value("loss")), rel=1e-12)


@pytest.mark.parametrize("mode", ["batch", "online", "mini_batch, batch_size: 5"])
def test_a_single_row(mode: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0)
    text = BATCHES.replace("mini_batch, batch_size: 100, order: shuffled", mode).replace("test: {inputs: x_test, targets: t_test}\n", "")
    np.savez(tmp_path / "blobs.npz", x=np.ones((1, WIDTH)), t=np.array([2]))
    trainer = Trainer(loads(text, folder=tmp_path))
    before = trainer.loss()
    trainer.advance(3)
    assert trainer.loss() < before and trainer.gradient_norm() > 0 and Network(trainer).predict([1.0] * WIDTH)[2] > 0.3


def test_errors_without_a_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passes, "NUMBERS_AT_ONCE", 10 * WIDTH)
    text = BATCHES.replace("loss: softmax_cross_entropy", "error: direct").replace("softmax,", "sigmoid,").replace("0.2", "0.01")
    problem = loads(text, folder=written(tmp_path, 130))
    arrays, samples = Trainer(problem), Trainer(typed(problem))
    assert arrays.loss() == pytest.approx(samples.loss(), rel=1e-12)


LAYERS = {
    "missing edges": "{neurons: [a, b], weights: {w1: [x1, a, 0.1], w2: [x2, a, -0.3], w3: [x60, b, 0.4]}}",
    "an activation for each": "{neurons: 2, activation: [tanh, sigmoid], weights: {random: xavier, seed: 1}}",
}


@pytest.mark.parametrize("layer", LAYERS)
def test_what_has_no_form_on_arrays_is_worked_cell_by_cell(layer: str, tmp_path: Path) -> None:
    """Missing edges have none; formulas of single places have one. Both give the same as samples that are typed."""
    np.savez(tmp_path / "d.npz", x=np.random.default_rng(3).uniform(-1, 1, (20, 60)), t=np.zeros((20, 2)))
    text = f"data: {{file: d.npz, inputs: x, targets: t}}\nlayers: [{LAYERS[layer]}]\nlearning_rate: 0.1\n"
    problem = loads(text, folder=tmp_path)
    trainer, by_hand = Trainer(problem), derive(typed(problem))
    assert trainer.straight == (layer == "missing edges")
    trainer.advance(1)
    for (name, place), value in trainer.values().items():
        assert value == pytest.approx(float(by_hand.evaluation[f"new.{name}", place]), rel=1e-12, abs=1e-15)


def test_targets_that_do_not_sum_to_one_in_a_later_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program is made from the first batch, whose targets do; it must be right for the others as well."""
    rows = ["[1, 0]", "[0, 1]", "[0.2, 0.2]", "[1, 1]"]
    text = (
        "samples: ["
        + ", ".join(f"{{inputs: [{n}], targets: {row}}}" for n, row in enumerate(rows))
        + "]\n"
        + """
layers: [{neurons: 2, weights: [[0.3], [-0.2]], bias: [0.1, 0.2]}]
loss: softmax_cross_entropy
learning_rate: 0.5
training: {mode: mini_batch, batch_size: 2}
"""
    )
    for cells in (training.STRAIGHT_CELLS, 0):
        monkeypatch.setattr(training, "STRAIGHT_CELLS", cells)
        trainer = Trainer(loads(text))
        trainer.advance(1)
        step = trainer.next_step()  # takes the second batch
        wanted = {cell: float(step.evaluation[step.carried[cell[0]], cell[1]]) for cell in trainer.values()}
        again = Trainer(loads(text))
        again.advance(2)
        assert again.values() == pytest.approx(wanted, rel=1e-12)


def test_a_history_of_many_samples_is_short(tmp_path: Path) -> None:
    found = train(loads(BATCHES, folder=written(tmp_path, 2000)), 400)
    assert 15 <= len(found.history) <= 30 and found.iterations == 400
    assert len(train(loads(BATCHES, folder=tmp_path), 40, every=2).history) == 21


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_accuracy_of_a_test_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = written(tmp_path, 1500) / "blobs.yaml"
    problem.write_text(BATCHES, encoding="utf-8")
    found = json.loads(run(capsys, "train", str(problem), "--format", "json"))
    assert found["test_accuracy"] > 0.95 and found["iterations"] == 8 * 15 and len(found["parameters"]) == 883
    text = run(capsys, "train", str(problem), "--lang", "en")
    assert "of 1500 samples." in text and "Right in the test: " in text and "of 200 samples." in text
    assert "843 more rows" in text and "1460 more rows" in text and "class   answer     output" in text
    assert len(text.splitlines()) < 170


@pytest.mark.slow
def test_commands_on_many_samples(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(large, "LARGE_CELLS", 100_000)
    monkeypatch.setattr(report, "NUMBERS_LIMIT", 100_000)
    problem = written(tmp_path, 1500) / "blobs.yaml"
    problem.write_text(BATCHES, encoding="utf-8")
    first = derive(load(problem)).basis(1).samples[0]  # shuffled, as in training
    solved = run(capsys, "solve", str(problem), "--lang", "en")
    assert f"net_h1[{first}] = W1[1,1]·x1[{first}]" in solved and "… 80 more rows are not shown" in solved
    why = run(capsys, "why", str(problem), "W1[3,17]", "--lang", "en")
    assert f"Of the 100 samples only {first} is followed" in why and f"1/100·(∂E/∂W1[3,17][{first}]" in why and len(why.splitlines()) < 200
    step = run(capsys, "train", str(problem), "--show-step", "20", "--lang", "en")
    assert "…+W1[1,40]·x40[" in "".join(step.split()) and max(map(len, step.splitlines())) < 500
    with pytest.raises(SystemExit):
        main(["solve", str(problem), "--format", "json"])
    assert "steps are too many for one file; choose some with --only" in capsys.readouterr().err
    assert json.loads(run(capsys, "solve", str(problem), "--format", "json", "--only", "loss,grad.b2[1]"))["loss"]["before"] > 0


def test_saving_many_weights(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """They go into an archive beside the new file, which finds the samples where they are."""
    problem = written(tmp_path, 300) / "blobs.yaml"
    problem.write_text(BATCHES.replace("neurons: 20", "neurons: 30"), encoding="utf-8")
    (tmp_path / "sub").mkdir()
    target = tmp_path / "sub" / "trained.yaml"
    run(capsys, "train", str(problem), "--iterations", "5", "--save", str(target))
    again, trainer = Trainer(load(target, safe=False)), Trainer(load(problem))
    trainer.advance(5)
    assert again.parameters() == trainer.parameters() and again.loss() == trainer.loss()
    text = target.read_text("utf-8")
    assert "{file: trained.npz, array: W1}" in text and "file: ../blobs.npz" in text and "random" not in text and len(text) < 5000
    with pytest.raises(SystemExit) as ended:
        main(["train", str(problem), "--iterations", "5", "--save", str(target)])
    assert ended.value.code == 2


# --- a real data set --------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_handwritten_digits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """scikit-learn's digits (1,797 of 8×8, from UCI) as a CSV file with a heading, as people share them."""
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    digits = datasets.load_digits()
    names = [f"pixel{place}" for place in range(64)]
    lines = [",".join([*names, "digit"]), *(",".join([*(f"{x:g}" for x in row), str(t)]) for row, t in zip(digits.data, digits.target))]
    (tmp_path / "digits.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    problem = tmp_path / "digits.yaml"
    problem.write_text("""
title: Handwritten digits
data: {file: digits.csv, scale: 16}
inputs: pixel0..pixel63
targets: {classes: digit}
test: {share: 0.2, seed: 1}
layers:
  - {neurons: 50, activation: relu, weights: {random: he, seed: 1}, bias: zeros}
  - {neurons: 10, activation: softmax, weights: {random: xavier, seed: 1}, bias: zeros}
loss: softmax_cross_entropy
learning_rate: 0.2
training: {mode: mini_batch, batch_size: 100, order: shuffled, seed: 1, epochs: 40}
""", encoding="utf-8")  # fmt: skip
    assert (tmp_path / "digits.csv").stat().st_size > csvfiles.TYPED_BYTES
    found = json.loads(run(capsys, "train", str(problem), "--format", "json"))
    assert found["test_accuracy"] >= 0.95 and found["loss"] < 0.1
