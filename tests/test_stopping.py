"""When training ends by itself: by hand, in both engines and all modes, and at no cost where nobody asked."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import NETWORK, quadratic, refusals

from handcalc import load, loads
from handcalc.arrays.vectorised import Vectorised
from handcalc.cli import main
from handcalc.training import trainer as training
from handcalc.training.train import train, train_on
from handcalc.training.trainer import Trainer

# x = 2·0.8ᵏ after k updates, so E = 4·0.64ᵏ and the gradient is 4·0.8ᵏ
QUADRATIC = quadratic(0.1) + "training: {epochs: 500, stop: %s}\n"


def least(test: Any) -> int:
    """The first number of updates for which something holds."""
    return next(count for count in range(10_000) if test(count))


RULES: list[tuple[str, str, int]] = [
    ("{gradient: 1e-3}", "gradient", least(lambda k: 4 * 0.8**k <= 1e-3)),
    ("{change: 1e-6}", "change", least(lambda k: k and 4 * 0.64 ** (k - 1) - 4 * 0.64**k <= 1e-6)),
    ("{change: 1e-6, patience: 5}", "change", 4 + least(lambda k: k and 4 * 0.64 ** (k - 1) - 4 * 0.64**k <= 1e-6)),
    ("{loss: 1e-3}", "loss", least(lambda k: 4 * 0.64**k <= 1e-3)),
    ("{loss: 1e-3, change: 1e-6, gradient: 1e-9}", "loss", least(lambda k: 4 * 0.64**k <= 1e-3)),
    ("{loss: 1e-9, gradient: 1e-3}", "gradient", least(lambda k: 4 * 0.8**k <= 1e-3)),
    ("{gradient: 5}", "gradient", 0),
    ("{loss: 4}", "loss", 0),
    ("{change: 1e-300, gradient: 1e-300}", "iterations", 500),
]


@pytest.mark.parametrize(("stop", "reason", "updates"), RULES, ids=[rule[0] for rule in RULES])
@pytest.mark.parametrize("every", [None, 1, 7])
def test_by_hand(stop: str, reason: str, updates: int, every: int | None) -> None:
    """However often the history is written."""
    found = train(loads(QUADRATIC % stop), every=every)
    assert (found.stopped, found.iterations) == (reason, updates)
    assert found.loss == pytest.approx(4 * 0.64**updates) and found.history[-1] == (updates, found.loss)


@pytest.mark.parametrize("mode", ["batch", "online", "mini_batch, batch_size: 2"])
@pytest.mark.parametrize("arrays", [False, True])
@pytest.mark.parametrize("rule", ["change", "gradient"])
def test_they_look_after_every_epoch(mode: str, arrays: bool, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first epoch after which the loss of all samples, or its gradient by central differences, is small enough."""
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0 if arrays else 10**6)
    limit = {"change": 2e-4, "gradient": 0.05}[rule]
    text = NETWORK + f"training: {{mode: {mode}, epochs: 400, stop: {{{rule}: {limit}}}}}\n"
    trainer = Trainer(loads(text))
    found = train_on(trainer)
    assert isinstance(trainer._engine, Vectorised) == arrays
    assert found.stopped == rule and 0 < found.iterations < 400 * trainer.epoch and found.iterations % trainer.epoch == 0
    other = Trainer(loads(text))
    before, seen = other.loss(), []
    while other.done < found.iterations:
        other.advance(other.epoch)
        seen.append(abs(other.loss() - before) if rule == "change" else other.gradient_norm())
        before = other.loss()
    assert seen[-1] <= limit < min(seen[:-1])


def test_the_norm_is_that_of_all_samples() -> None:
    problem = loads(NETWORK + "training: {mode: online}\n")
    trainer = Trainer(problem)
    trainer.advance(4)
    steps = []
    for cell, value in trainer.values().items():
        sides = []
        for shift in (1e-6, -1e-6):
            state = list(trainer.state)
            state[trainer._engine.state.index(cell)] = value + shift  # type: ignore[arg-type]
            sides.append(trainer._engine.loss(tuple(state)))
        steps.append((sides[0] - sides[1]) / 2e-6)
    assert trainer.gradient_norm() == pytest.approx(math.hypot(*steps), rel=1e-7)


def test_what_is_frozen_does_not_count() -> None:
    text = NETWORK + "update: {biases: false, frozen: ['W1[1,1]', 'W1[1,2]', 'W1[2,1]', 'W1[2,2]', 'W2[1,1]']}\n"
    trainer = Trainer(loads(text + "training: {epochs: 5000, stop: {gradient: 1e-3}}\n"))
    step = trainer.next_step()
    assert trainer.gradient_norm() == pytest.approx(abs(float(step.value("grad.W2[1,2]"))))
    found = train_on(trainer)
    assert found.stopped == "gradient" and found.iterations < 5000


def test_clipping_has_a_norm_of_its_own() -> None:
    trainer = Trainer(loads(NETWORK + "clipping: {norm: 0.001}\ntraining: {epochs: 20, stop: {gradient: 1e-6}}\n"))
    assert trainer.gradient_norm() == pytest.approx(float(trainer.next_step().value("norm"))) and train_on(trainer).stopped == "iterations"


def test_samples_in_arrays(tmp_path: Path) -> None:
    draw = np.random.default_rng(1)
    x, kinds = draw.normal(size=(300, 20)), draw.integers(0, 3, 300)
    np.savez(tmp_path / "d.npz", x=x, t=kinds)
    text = """
data: {file: d.npz, inputs: x, targets: t}
layers: [{neurons: 3, activation: softmax, weights: {random: he, seed: 1}, bias: zeros}]
loss: softmax_cross_entropy
learning_rate: 0.5
training: {mode: mini_batch, batch_size: 50, epochs: 100, stop: {gradient: 0.1}}
"""
    trainer = Trainer(loads(text, folder=tmp_path))
    whole = Trainer(trainer.problem.replace(samples=tuple(trainer.problem.samples)))
    assert trainer.gradient_norm() == pytest.approx(whole.gradient_norm(), rel=1e-12)
    found = train_on(trainer)
    assert found.stopped == "gradient" and found.iterations % 6 == 0 and trainer.gradient_norm() <= 0.1


def test_nobody_looks_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand updates run in as many pieces as the history has."""
    calls: dict[str, int] = {"advance": 0, "loss": 0}
    for name in calls:
        plain = getattr(Trainer, name)

        def counted(self: Trainer, *arguments: Any, name: str = name, plain: Any = plain) -> Any:
            calls[name] += 1
            return plain(self, *arguments)

        monkeypatch.setattr(Trainer, name, counted)
    found = train(load("mazur-2-2-2"), 10_000)
    assert calls == {"advance": 200, "loss": 201} and found.stopped == "iterations"
    assert "gradient_norm" not in Trainer(load("mazur-2-2-2")).whole.graph


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    assert ended.value.code == 0
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("stop", "told"), [("{change: 1e-6}", "the loss hardly changes any more"), ("{gradient: 1e-3}", "the gradient is small enough")]
)
def test_the_command_says_why(stop: str, told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = tmp_path / "p.yaml"
    problem.write_text(QUADRATIC % stop, encoding="utf-8")
    assert told in run(capsys, "train", str(problem), "--lang", "en")
    assert json.loads(run(capsys, "train", str(problem), "--format", "json"))["stopped"] == stop[1:].split(":")[0]


WRONG = [
    ("{change: 0}", 'training.stop.change: expected a number above 0, found "0"'),
    ("{gradient: x}", 'training.stop.gradient: expected a number, found "x"'),
    ("{patience: 3}", "training.stop.patience: goes with change only"),
    ("{change: 1, patience: 0}", 'training.stop.patience: expected a whole number from 1 to 1000000, found "0"'),
    ("{slope: 1}", "training.stop.slope: unknown key; known are loss, change, gradient, patience"),
]


@pytest.mark.parametrize(("text", "wanted"), WRONG)
def test_wrong(text: str, wanted: str) -> None:
    assert refusals(QUADRATIC % text) == [wanted]
