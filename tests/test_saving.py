"""Saving: the trained problem is the same file with other numbers; solving it goes on where training ended."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from shipping import loaded, solved

from handcalc import derive, load, loads
from handcalc.cli import main
from handcalc.core.rounding import Rounding
from handcalc.loading.loader import shipped
from handcalc.loading.saving import with_parameters
from handcalc.training.trainer import Trainer


def trainable(name: str) -> bool:
    return loaded(name).learning_rate is not None and bool(solved(name).loss)


@pytest.mark.parametrize("name", [name for name in shipped() if trainable(name)])
def test_a_saved_problem_goes_on_where_training_ended(name: str) -> None:
    path = shipped()[name]
    trainer = Trainer(load(name))
    trainer.advance(3 * trainer.epoch)
    text = with_parameters(path.read_text("utf-8"), trainer.problem, trainer.whole.graph, trainer.values())
    again = loads(text, name)
    derivation = derive(again, Rounding())
    for cell, value in trainer.values().items():
        if cell[0] in trainer.whole.updated:
            assert float(derivation.evaluation[cell]) == value, cell
    before = load(name)
    changed = {"layers", "given", "tables", "fixed", "path"}
    assert {key: getattr(again, key) for key in again._fields if key not in changed} == {
        key: getattr(before, key) for key in before._fields if key not in changed
    }
    comments = {line.strip() for line in path.read_text("utf-8").splitlines() if line.strip().startswith("#")}
    assert comments <= {line.strip() for line in text.splitlines()}


FORMS = [
    "weights: [[0.1, 0.2], [0.3, 0.4]], bias: 0.5",
    "weights: [[0.1, 0.2], [0.3, 0.4]], weight_rows: inputs, bias: [0.5, 0.6]",
    "weights: [[0.1, 0.2], [0.3, 0.4]], bias: {b: 0.5}",
    "weights: {1: [x1, n1, 0.1], w2: [x2, n1, 0.2], w3: [x1, n2, 0.3]}, bias: {p: [n1, 0.5], q: [n2, 0.6]}",
    "weights: {u: [x1, n1, 0.1], v: [x2, n2, 0.2]}, bias: {p: [x1, n1, 0.5], q: [x2, n2, 0.6]}",
    "weights: [[0.1, 0.2], [0.3, 0.4]], threshold: [0.5, -0.6]",
    "weights: {file: w.npz, array: W}, bias: {file: w.npz, array: b}",
    "weights: {file: w.npz, array: W}, weight_rows: inputs",
]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_parameters(form: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "w.npz", W=np.array([[0.1, 0.2], [0.3, 0.4]]), b=np.array([0.5, 0.6]))
    text = f"inputs: [1, 2]\ntargets: [0, 1]\nlayers:\n  - {{neurons: [n1, n2], activation: sigmoid, {form}}}\nlearning_rate: 0.5\n"
    problem = loads(text, folder=tmp_path)
    trainer = Trainer(problem)
    trainer.advance(2)
    again = Trainer(loads(with_parameters(text, problem, trainer.whole.graph, trainer.values())))
    assert again.parameters() == trainer.parameters() and again.parameters() != Trainer(problem).parameters()


@pytest.mark.parametrize("weights", ["[0.1, 0.2]", "[[0.1, 0.2]]"])
def test_one_neuron(weights: str) -> None:
    text = f"inputs: [1, 2]\ntargets: [1]\nlayers:\n  - {{neurons: 1, activation: sigmoid, weights: {weights}}}\nlearning_rate: 0.5\n"
    trainer = Trainer(loads(text))
    trainer.advance(1)
    again = Trainer(loads(with_parameters(text, trainer.problem, trainer.whole.graph, trainer.values())))
    assert again.parameters() == trainer.parameters()


def test_the_command_saves(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "trained.yaml"
    for expected in (0, 2):  # the second time the file exists
        with pytest.raises(SystemExit) as ended:
            main(["train", "mazur-2-2-2", "--iterations", "50", "--save", str(target)])
        assert ended.value.code == expected
    assert "--force" in capsys.readouterr().err
    trainer = Trainer(load("mazur-2-2-2"))
    trainer.advance(50)
    assert Trainer(load(str(target))).parameters() == trainer.parameters()
