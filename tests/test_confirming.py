"""Scripts that confirm a solution in a framework: every shipped problem that one has runs and asserts; a wrong number is noticed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from shipping import loaded, some

from handcalc import loads
from handcalc.bridges.confirming import FRAMEWORKS, confirmation
from handcalc.cli import group
from handcalc.cli.confirming import NAMES
from handcalc.errors import ModelError
from handcalc.loading.loader import shipped

JUDGES = ("torch", "numpy", "sklearn")  # that are installed where the tests run
LEAST = {"torch": 37, "numpy": 29, "sklearn": 3}  # shipped problems that each can express


def expressed(framework: str) -> list[tuple[str, str]]:
    """(problem, script) of all that a framework can express."""
    found = []
    for name in shipped():
        try:
            found.append((name, confirmation(loaded(name), framework)))
        except ModelError as error:
            assert "cannot be written for" in str(error)
    return found


@pytest.mark.parametrize("framework", some(list(JUDGES), ["numpy"]))
def test_every_shipped_problem_is_confirmed(framework: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(framework)
    scripts = expressed(framework)
    assert len(scripts) >= LEAST[framework]
    for name, script in scripts:
        exec(compile(script, name, "exec"), {})
    assert capsys.readouterr().out.count("numbers agree") > 3 * len(scripts)


TWO = """
samples:
  - {inputs: [0.5, -0.3], targets: TARGETS}
  - {inputs: [0.2, 0.9], targets: TARGETS}
layers:
  - {neurons: 3, activation: ACTIVATION, weights: [[0.1, 0.4], [-0.3, 0.2], [0.5, -0.6]], bias: [0.1, 0.2, -0.1]}
  - {neurons: 2, activation: LAST, weights: [[0.3, -0.2, 0.5], [0.7, 0.1, -0.4]], bias: [0.05, -0.05]}
loss: LOSS
learning_rate: 0.1
"""


def text(
    activation: str = "tanh", last: str = "sigmoid", loss: str = "half_squared_error", targets: str = "[0.3, 0.6]", more: str = ""
) -> str:
    """A small problem."""
    words = {"ACTIVATION": activation, "LAST": last, "LOSS": loss, "TARGETS": targets}
    found = TWO
    for word, value in words.items():
        found = found.replace(word, value)
    return found + more


VARIANTS = {
    **{f"activation {word}": text(word) for word in (
        "bipolar_sigmoid", "relu", "{leaky_relu: {slope: 0.2}}", "{elu: {alpha: 0.5}}", "relu6", "hard_sigmoid", "hard_tanh", "gelu_tanh",
        "silu", "{swish: {beta: 1.5}}", "mish", "softsign", "softplus", "identity", "[tanh, relu, sigmoid]", "z^3/(1 + abs(z))",
    )},
    **{f"loss {word}": text(loss=word) for word in (
        "squared_error", "mean_squared_error", "binary_cross_entropy", "mean_binary_cross_entropy", "absolute_error",
        "{huber: {delta: 0.2}}", "log_cosh", "hinge", "(t - o)^4", "{binary_cross_entropy: {positive_weight: 3}}",
    )},
    **{f"classes {word}": text("tanh", last, word, "[0, 1]") for last, word in (
        ("softmax", "cross_entropy"), ("softmax", "{cross_entropy: {smoothing: 0.1, class_weights: [1, 2]}}"),
        ("identity", "softmax_cross_entropy"), ("log_softmax", "negative_log_likelihood"),
    )},
    "sum": text(more="sample_reduction: sum\n"),
}  # fmt: skip
OPTIMISERS = {
    word: text(more=f"optimizer: {word}\nweight_decay: 0.1\n")
    for word in ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw")
} | {"biases too": text(more="optimizer: adamw\nweight_decay: 0.1\nconventions: {bias_decay: true}\n")}


@pytest.mark.parametrize("framework", some(["torch", "numpy"], ["numpy"]))
def test_activations_and_losses(framework: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(framework)
    for name, problem in VARIANTS.items():
        exec(compile(confirmation(loads(problem), framework), name, "exec"), {})
    assert capsys.readouterr().out.count("new.W1") == len(VARIANTS)


@pytest.mark.parametrize("last, loss", [("softmax", "cross_entropy"), ("log_softmax", "negative_log_likelihood")])
def test_large_net_inputs_have_a_softmax(last: str, loss: str) -> None:
    pytest.importorskip("numpy")
    layer = f"{{neurons: [a, b], activation: {last}, weights: [[800], [790]]}}"
    problem = f"inputs: [1]\ntargets: [0, 1]\nlayers: [{layer}]\nloss: {loss}\nlearning_rate: 1\n"
    exec(compile(confirmation(loads(problem), "numpy"), "large", "exec"), {})


@pytest.mark.slow
def test_optimisers(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    for name, problem in OPTIMISERS.items():
        exec(compile(confirmation(loads(problem), "torch"), name, "exec"), {})
    assert capsys.readouterr().out.count("new.b2") == len(OPTIMISERS)


@pytest.mark.slow
def test_perceptrons_of_scikit_learn(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    problems = [text(word, "identity") for word in ("tanh", "relu", "sigmoid", "identity")]
    for problem in problems:
        exec(compile(confirmation(loads(problem), "sklearn"), "sklearn", "exec"), {})
    assert capsys.readouterr().out.count("new.b2") == len(problems)


def test_a_wrong_number_is_noticed(tmp_path: Path) -> None:
    """The script as a student runs it, right, and with one digit of a solution changed."""
    script = tmp_path / "confirm.py"
    done = CliRunner().invoke(group, ["export", "mazur-2-2-2", "-o", str(script), "--framework", "numpy"], standalone_mode=False)
    assert done.exception is None
    run: Callable[[], Any] = lambda: subprocess.run([sys.executable, str(script)], capture_output=True, text=True)  # noqa: E731
    right = run()
    assert right.returncode == 0 and "new.W2: 4 numbers agree" in right.stdout
    written = script.read_text("utf-8")
    assert written.count("0.3589164") == 1
    script.write_text(written.replace("0.3589164", "0.3589165"), "utf-8")
    wrong = run()
    assert wrong.returncode == 1 and "AssertionError: new.W2: 0.35891647" in wrong.stderr


SAME_WEIGHT = "inputs: {u: 1, v: 2}\ntargets: [1]\nlayers: [{neurons: [o], weights: {a: [u, o, 1], b: [v, o, a]}}]\nloss: squared_error\n"
REFUSED = {
    ("numpy", SAME_WEIGHT): "edges with the same weight",
    ("numpy", text("gelu")): "erf cannot be written for NumPy",
    ("numpy", text(more="optimizer: adam\n")): "adam cannot be written for numpy",
    ("torch", text(more="regularization: {l2: 0.1}\n")): "regularization cannot be written for torch",
    ("sklearn", text()): "half_squared_error with sigmoid cannot be written for scikit-learn",
}


@pytest.mark.parametrize("case", REFUSED, ids=[message.split(" cannot")[0] for message in REFUSED.values()])
def test_what_cannot_be_expressed_is_refused(case: tuple[str, str]) -> None:
    with pytest.raises(ModelError, match=REFUSED[case]):
        confirmation(loads(case[1]), case[0])


def test_the_command_knows_all_frameworks() -> None:
    assert NAMES == FRAMEWORKS
    done = CliRunner().invoke(group, ["export", "mazur-2-2-2", "-o", "x.html", "--framework", "torch"])
    assert done.exit_code == 2 and "give one FILE, and -o NAME.py" in done.output
