"""Updates with samples of their own, one after the other or in mini-batches: solved, marked and written as they are trained."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from shipping import some
from variants import generator

from handcalc import check, derive, loads, render
from handcalc.arrays import large
from handcalc.cli import main
from handcalc.core.rounding import Rounding
from handcalc.errors import UnknownIdError
from handcalc.exercises.draw import Draws
from handcalc.marking.mistakes import MISTAKES
from handcalc.problem.schema import Problem
from handcalc.render import read
from handcalc.render.blocks import Picture
from handcalc.render.formats.common import drawn
from handcalc.render.report import FORMATS
from handcalc.training.trainer import Trainer

SAMPLES = """
samples:
  - {name: A, inputs: {x1: 1, x2: 0.5}, targets: {y: 1}}
  - {name: B, inputs: {x1: 0.2, x2: -1}, targets: {y: 0}}
  - {name: C, inputs: {x1: -0.7, x2: 2}, targets: {y: 1}}
  - {name: D, inputs: {x1: 0.4, x2: 0.3}, targets: {y: 0}}
  - {name: E, inputs: {x1: -1.5, x2: 0.6}, targets: {y: 1}}
loss: half_squared_error
learning_rate: 0.5
"""
DENSE = """
layers:
  - {neurons: [h1, h2], activation: tanh, weights: [[0.1, 0.4], [-0.3, 0.2]], bias: [0.1, 0]}
  - {neurons: [y], activation: sigmoid, weights: [[0.5, -0.6]], bias: {b: 0.2}}
"""
NORMALISED = """
layers:
  - {neurons: [h1, h2], activation: identity, weights: [[0.1, 0.4], [-0.3, 0.2]]}
  - {type: batch_norm, weights: [1, 1], bias: [0, 0.1]}
  - {neurons: [y], activation: sigmoid, weights: [[0.5, -0.6]], bias: {b: 0.2}}
"""
MODES = ["online", "mini_batch, batch_size: 2", "mini_batch, batch_size: 3", "mini_batch, batch_size: 4", "mini_batch, batch_size: 9"]
OPTIMISERS = ["sgd", "momentum", "adam"]


def batches(mode: str = "mini_batch, batch_size: 2", layers: str = DENSE, more: str = "") -> Problem:
    return loads(SAMPLES + layers + f"training: {{mode: {mode}}}\n{more}")


@pytest.mark.parametrize("order", ["given", "shuffled, seed: 3"])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("optimizer", some(OPTIMISERS, OPTIMISERS[1:2]))
def test_solving_is_training(mode: str, order: str, optimizer: str) -> None:
    """Round after round over more than two epochs, a smaller last batch with them, the numbers are those of training."""
    problem = batches(f"{mode}, order: {order}", more=f"optimizer: {optimizer}\n")
    derivation, trainer = derive(problem, Rounding(), 12), Trainer(problem)
    for number in range(1, 13):
        trainer.advance(1)
        round = derivation.iteration(number).evaluation
        ours = {old: float(round[derivation.carried[old[0]], old[1]]) for old in trainer.values()}
        assert ours == pytest.approx(trainer.values(), rel=1e-12, abs=1e-14), number


@pytest.mark.parametrize("size", some([2, 3], [2]))
def test_normalised_over_a_batch(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean and variance are those of the batch's own samples, of one that is left over as well; cells and arrays agree."""
    problem, rounds = batches(f"mini_batch, batch_size: {size}", NORMALISED), 4
    cells, trainer = derive(problem, Rounding(), rounds), Trainer(problem)
    trainer.advance(rounds)
    last = cells.iteration(rounds).evaluation
    ours = {old: float(last[cells.carried[old[0]], old[1]]) for old in trainer.values()}
    assert ours == pytest.approx(trainer.values(), rel=1e-9, abs=1e-12)
    monkeypatch.setattr(large, "LARGE_CELLS", 0)
    arrays = derive(problem, Rounding(), rounds)
    for number in range(1, rounds + 1):
        both = zip(arrays.steps(number), cells.steps(number), strict=True)
        assert all(a.id == b.id and float(a.value) == pytest.approx(float(b.value), rel=1e-9, abs=1e-12) for a, b in both)


# --- what is printed --------------------------------------------------------------------------------------------------


def test_names_are_those_of_the_samples() -> None:
    derivation = derive(batches(), iterations=4)
    assert [derivation.basis(number).samples for number in range(1, 5)] == [("A", "B"), ("C", "D"), ("E",), ("A", "B")]
    assert derivation["#2:net.h1@C"].sample == "C" and float(derivation["#2:x2@C"].value) == 2
    assert [derivation.step_id(cell, 2) for cell in derivation["#2:loss"].inputs] == ["#2:loss@C", "#2:loss@D"]
    assert [cell[0] for cell in derivation["#3:loss"].inputs] == ["loss@"]
    assert derivation["#4:net.h1@A"].formula == derivation["net.h1@A"].formula
    steps = [*derivation]
    assert steps[0] == next(derivation.steps(1)) and steps[-1] == [*derivation.steps(4)][-1]
    assert len(steps) == sum(len([*derivation.steps(number)]) for number in range(1, derivation.iterations + 1))
    for wrong in ("net.h1@C", "#2:net.h1@A", "#3:net.h1@D", "#5:loss"):
        with pytest.raises(UnknownIdError):
            derivation.find(wrong)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--lang", "en"])
    assert not ended.value.code
    return capsys.readouterr().out


def test_every_iteration_says_which_samples(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(SAMPLES + DENSE + "training: {mode: mini_batch, batch_size: 2}\n")
    told = run(capsys, "solve", str(tmp_path / "p.yaml"), "--iterations", "3")
    for text in (
        "Iteration 1 (samples A, B)",
        "Iteration 2 (samples C, D)",
        "Iteration 3 (sample E)",
        "after every 2 samples (mini-batches)",
    ):
        assert text in " ".join(told.split())
    second = told.split("Iteration 2")[1].split("Iteration 3")[0]
    assert (
        second.splitlines()[3].split() == ["C", "-0.7", "2", "1"]
        and "[A]" not in second
        and "E_total = ½·(E_total[C] + E_total[D])" in second
    )
    assert "E_total = E_total[E]" in told.split("Iteration 3")[1]
    told = run(capsys, "why", str(tmp_path / "p.yaml"), "#2:grad.b")
    assert "[C]" in told and "[A]" not in told


@pytest.mark.slow
@pytest.mark.parametrize("format", some(list(FORMATS), ["json", "notebook", "html", "csv"]))
def test_every_format_has_every_sample(format: str) -> None:
    derivation = derive(batches(), iterations=3)
    written = render(derivation, format)
    text = written if isinstance(written, str) else ""
    if format in ("json", "csv"):
        assert all(f"#{number}:loss@{name}" in text for number, names in ((2, "CD"), (3, "E")) for name in names)
    assert written and "#2:loss@A" not in text


MAPS = """
samples:
  - {name: P, inputs: [[1, 2, 0], [0, 1, 3], [2, 1, 1]], targets: [1]}
  - {name: Q, inputs: [[0, 1, 1], [1, 0, 2], [1, 2, 0]], targets: [0]}
  - {name: R, inputs: [[2, 0, 1], [1, 1, 0], [0, 1, 2]], targets: [1]}
layers:
  - {type: conv2d, weights: [[1, 0.5], [-0.5, 0.2]], activation: tanh}
  - {type: flatten}
  - {neurons: 1, activation: identity, weights: [[0.1, 0.2, 0.3, 0.4]]}
loss: half_squared_error
learning_rate: 0.1
"""
TIMES = """
samples:
  - {name: P, inputs: [[1], [2]], targets: [1]}
  - {name: Q, inputs: [[0], [1]], targets: [0]}
  - {name: R, inputs: [[2], [-1]], targets: [1]}
layers:
  - {type: rnn, neurons: 2, input_weights: [[0.5], [0.2]], hidden_weights: [[0.1, 0.2], [0.3, 0.1]]}
  - {type: flatten}
  - {neurons: 1, activation: identity, weights: [[0.1, 0.2, 0.3, 0.4]]}
loss: half_squared_error
learning_rate: 0.1
"""


DRAWN = {"maps": MAPS, "times": TIMES, "normalised": SAMPLES + NORMALISED, "dense": SAMPLES + DENSE}


@pytest.mark.parametrize("name", some(DRAWN, ["maps", "times"]))
@pytest.mark.parametrize("mode", ["online", "mini_batch, batch_size: 2"])
def test_drawings_show_samples_of_their_iteration(name: str, mode: str) -> None:
    """Every number in the drawing of a later iteration is one that the iteration has."""
    derivation = derive(loads(DRAWN[name] + f"training: {{mode: {mode}}}\n"), iterations=2)
    reading = read(derivation)
    drawing = drawn(Picture(2), reading)
    assert drawing is not None
    graph = derivation.at(2).graph
    cells = list(drawing.written)
    assert len(cells) > 5 and all(graph.present(*cell) for cell in cells), name
    sampled = {cell[1][0] for cell in cells if graph[cell[0]].sampled}
    assert sampled <= {*(graph[graph.inputs].axes[0].places if graph[graph.inputs].sampled else ())}
    assert render(derivation, "html")


def test_python_computes_it() -> None:
    """The cells of a notebook, run one after the other, have every value."""
    derivation = derive(batches(), iterations=3)
    made: dict[str, object] = {}
    for part in json.loads(str(render(derivation, "notebook")))["cells"]:
        if part["cell_type"] == "code":
            exec("".join(part["source"]), made)
    values = sorted(value for value in made.values() if isinstance(value, float))
    losses = [float(derivation[name].value) for name in ("loss", "#2:loss", "#3:loss", "#2:loss@D")]
    assert all(min(abs(value - loss) for value in values) < 1e-12 for loss in losses)


# --- what is marked ---------------------------------------------------------------------------------------------------


def key(problem: Problem, iterations: int, digits: int = 5) -> dict[str, str]:
    """Every step that is computed, rounded."""
    derivation = derive(problem, iterations=iterations)
    steps = (step for number in range(1, iterations + 1) for step in derivation.steps(number) if step.formula is not None)
    return {step.id: f"{float(step.value):.{digits}f}" for step in steps}


@pytest.mark.parametrize("mode", some(MODES[:3], MODES[1:2]))
def test_the_key_is_right(mode: str) -> None:
    marked = check(batches(mode), key(batches(mode), 3))
    assert {answer.verdict for answer in marked.answers} <= {"correct", "rounded"}


def test_a_slip_in_the_second_batch_is_found_there() -> None:
    """The gradient of the second batch summed instead of averaged; what follows is followed."""
    problem = batches()
    right = derive(problem, iterations=3)
    wrong = key(problem, 1) | {"#2:grad.b": f"{2 * float(right['#2:grad.b'].value):.5f}"}
    new = float(right["#2:b"].value) - 0.5 * 2 * float(right["#2:grad.b"].value)
    found = {answer.id: answer for answer in check(problem, wrong | {"#2:new.b": f"{new:.5f}"}).answers}
    assert found["#2:grad.b"].verdict == "mistake" and found["#2:grad.b"].mistakes[0] in MISTAKES
    assert found["#2:new.b"].verdict in ("mistake", "follow_through")
    assert found["new.b"].verdict == "correct"


def test_the_last_batch_divided_as_if_it_were_full() -> None:
    problem = batches("mini_batch, batch_size: 3")
    right = derive(problem, iterations=2)
    wrong = {"#2:loss": "", "#2:grad.b": "", "#2:grad.W2[1,1]": ""}
    sheet = key(problem, 1) | {name: f"{float(right[name].value) * 2 / 3:.6f}" for name in wrong}
    found = {answer.id: answer for answer in check(problem, sheet).answers}
    assert all("batch-scaling" in found[name].mistakes for name in wrong)


def test_online_for_batch() -> None:
    """The second sample of a mini-batch with weights that the first has changed; shuffled, so they are not the first two of all."""
    problem = batches("mini_batch, batch_size: 2, order: shuffled, seed: 3")
    right = derive(problem)
    first, second = right.basis(1).samples
    assert (first, second) != ("A", "B")

    def changed(name: str) -> float:
        return float(right[name].value) - 0.5 * float(right[f"grad.{name}@{first}"].value)

    inputs = [float(right[f"x{place}@{second}"].value) for place in (1, 2)]
    hidden = [
        math.tanh(changed(f"W1[{unit},1]") * inputs[0] + changed(f"W1[{unit},2]") * inputs[1] + changed(f"b1[{unit}]")) for unit in (1, 2)
    ]
    net = sum(changed(f"W2[1,{unit}]") * hidden[unit - 1] for unit in (1, 2)) + changed("b")
    (found,) = check(problem, {f"net.y@{second}": f"{net:.7f}"}).answers
    assert found.mistakes == ("online-for-batch",)


def test_a_formula_for_a_later_batch() -> None:
    marked = check(
        batches(), {"#2:net.y@C": "h1@C*W2[1,1] + h2@C*W2[1,2] + b", "#2:loss": "(loss@C + loss@D)/2", "loss": "(loss@A + loss@B)"}
    )
    assert [answer.verdict for answer in marked.answers] == ["correct", "correct", "mistake"]


# --- variants -------------------------------------------------------------------------------------------------------

LATER = """\
samples: [{name: A, inputs: {x: 0.3}, targets: {y: 0.1}}, {name: B, inputs: {x: 0.4}, targets: {y: 0.2}},
          {name: C, inputs: {x: 0.7}, targets: {y: 0.5}}]
layers:
  - {neurons: [h], weights: {w1: [x, h, 0.5]}, activation: sigmoid}
  - {neurons: [y], weights: {w2: [h, y, 0.7]}}
learning_rate: {others: 0.3, layer1: 0.2}
generate: {numbers: {learning_rate: {from: 0.1, to: 0.9, step: 0.1}}}
tasks: ["#2:w1", "#2:loss", "#4:w2", "#5:w1"]
"""


@pytest.mark.parametrize("training", ["batch", "online, order: shuffled, seed: 3", "mini_batch, batch_size: 2"])
def test_drawn_numbers_hold_in_every_iteration(training: str, tmp_path: Path) -> None:
    """The numbers of a draw are those of the file that is written, on later sheets and with other samples too."""
    made = generator(f"{LATER}training: {{mode: {training}}}\n", tmp_path)
    numbers = made.template.drawn(Draws("a", "1"), 0)
    derivation = derive(loads(made.template.text_with(numbers)), iterations=5)
    assert len(numbers) == 10 and len({*numbers.values()}) > 5
    for wanted, value in made.worked(numbers).answers.items():
        assert value == float(derivation.value(made.template.exercise.id(wanted)))
