"""Standardised inputs: mean and deviation as steps of every solution, in training, in marking, and for other inputs."""

from __future__ import annotations

import statistics

import pytest
from shipping import some

from handcalc import check, derive, loads, render
from handcalc.core.rounding import Rounding
from handcalc.errors import ProblemError
from handcalc.problem.schema import Problem
from handcalc.training.network import Network
from handcalc.training.trainer import Trainer

AGES, HEIGHTS = [20, 30, 40, 50, 80], [1.6, 1.8, 1.7, 1.9, 1.75]
TEXT = """
samples:
  - {name: A, inputs: {age: 20, height: 1.6}, targets: [1]}
  - {name: B, inputs: {age: 30, height: 1.8}, targets: [0]}
  - {name: C, inputs: {age: 40, height: 1.7}, targets: [1]}
  - {name: D, inputs: {age: 50, height: 1.9}, targets: [0]}
  - {name: E, inputs: {age: 80, height: 1.75}, targets: [0]}
standardize: %s
layers:
  - {neurons: [h1, h2], activation: tanh, weights: [[0.1, 0.4], [-0.3, 0.2]], bias: [0.1, 0]}
  - {neurons: [y], activation: sigmoid, weights: {w1: [h1, y, 0.5], w2: [h2, y, -0.5]}, bias: {b: 0.1}}
loss: binary_cross_entropy
learning_rate: 0.1
training: {mode: %s}
"""


def people(form: str = "population", mode: str = "batch") -> Problem:
    return loads(TEXT % (form, mode))


@pytest.mark.parametrize(("form", "deviation"), [("population", statistics.pstdev), ("sample", statistics.stdev)])
def test_mean_and_deviation_are_steps(form: str, deviation: object) -> None:
    derivation = derive(people(form))
    assert callable(deviation)
    for name, column in (("age", AGES), ("height", HEIGHTS)):
        mean, spread = statistics.fmean(column), deviation(column)
        assert float(derivation[f"mean.{name}"].value) == pytest.approx(mean) and float(
            derivation[f"deviation.{name}"].value
        ) == pytest.approx(spread)
        for sample, value in zip("ABCDE", column):
            assert float(derivation[f"{name}@{sample}"].value) == pytest.approx((value - mean) / spread)
    text = str(render(derivation, "terminal"))
    assert "μ_age = 1/5·(" in text and "(20 - 44)/20.5" in text.replace("20.5913", "20.5") or form == "sample"
    assert "age@A" in {step.id for step in derivation.steps() if step.phase == "forward"}


@pytest.mark.parametrize("mode", ["batch", "online", "mini_batch, batch_size: 2", "online, order: shuffled, seed: 2"])
def test_solving_is_training(mode: str) -> None:
    """In every mode all samples have the same mean, that of all; the key marks itself right."""
    problem = people(mode=mode)
    derivation, trainer = derive(problem, Rounding(), 7), Trainer(problem)
    for number in range(1, 8):
        trainer.advance(1)
        round = derivation.iteration(number).evaluation
        ours = {old: float(round[derivation.carried[old[0]], old[1]]) for old in trainer.values()}
        assert ours == pytest.approx(trainer.values(), rel=1e-12, abs=1e-14), number
    assert [derivation.value(f"#{number}:mean.age") for number in (2, 6)] == [44, 44]
    steps = [step for number in (1, 2) for step in derivation.steps(number) if step.formula is not None]
    marked = check(problem, {step.id: f"{float(step.value):.5f}" for step in steps})
    assert {answer.verdict for answer in marked.answers} <= {"correct", "rounded"}


@pytest.mark.parametrize("format", some(["html", "latex", "notebook", "json"], ["notebook"]))
def test_formats(format: str) -> None:
    assert all(render(derive(people(mode=mode), iterations=2), format) for mode in ("batch", "online", "mini_batch, batch_size: 2"))


def test_a_drawing_of_other_layers() -> None:
    text = TEXT % ("population", "batch")
    text = (
        text.replace("  - {neurons: [y]", "  - {type: batch_norm}\n  - {neurons: [y]")
        .replace("w1: [h1,", "w1: [1,")
        .replace("w2: [h2,", "w2: [2,")
    )
    assert all(render(derive(loads(text)), format) for format in ("html", "terminal"))


def test_other_inputs_have_the_same_mean() -> None:
    trainer = Trainer(people())
    answered, wanted = Network(trainer).predict((30, 1.8)), derive(people())["out.y@B"].value
    assert answered == pytest.approx([float(wanted)])
    kept = loads(TEXT % ("population", "batch") + "test: [{inputs: {age: 30, height: 1.8}, targets: [0]}]\n")
    assert [float(n.numerator / n.denominator) for n in kept.test[0].inputs] == pytest.approx(
        [(30 - 44) / statistics.pstdev(AGES), (1.8 - 1.75) / statistics.pstdev(HEIGHTS)]
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TEXT.replace("age: 30", "age: 20").replace("age: 40", "age: 20").replace("age: 50", "age: 20").replace("age: 80", "age: 20"),
         "all samples have the same age"),
        (TEXT.replace("standardize: %s", "standardize: robust # %s"), "unknown value"),
    ],
)  # fmt: skip
def test_errors(text: str, message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        loads(text % ("population", "batch"))


@pytest.mark.parametrize("mode", ["online", "mini_batch, batch_size: 2"])
def test_a_later_step_and_samples_to_test_with(mode: str) -> None:
    """Each has its own row of the data, not the first one."""
    problem = people(mode=mode)
    trainer = Trainer(problem)
    trainer.advance(2)
    step, solved = trainer.next_step(), derive(problem, None, 3)
    names = [known.id.removeprefix("#3:") for known in solved.steps(3) if known.kind == "out"]
    assert [float(step[name].value) for name in names] == pytest.approx([float(solved[f"#3:{name}"].value) for name in names])
    tested = loads(TEXT % ("population", mode) + "test: [{inputs: {age: 80, height: 1.75}, targets: [0]}]\n")
    network = Network(Trainer(tested))
    assert network.outputs_of(tested.test)[0] == pytest.approx(network.predict((80, 1.75)))
    assert network.outputs_of(tested.samples)[4] == pytest.approx(network.predict((80, 1.75)))
