"""Scripts that confirm a solution in a framework: every shipped problem that one has runs and asserts; a wrong number is noticed."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from models import CASES, Maker
from oracles import law
from shipping import loaded, some

from handcalc import loads
from handcalc.bridges.confirming import FRAMEWORKS, confirmation
from handcalc.cli import group
from handcalc.cli.confirming import NAMES
from handcalc.errors import ModelError
from handcalc.loading.loader import shipped

JUDGES = ("torch", "numpy", "keras", "sklearn")  # that are installed where the tests run
LEAST = {"torch": 101, "numpy": 101, "keras": 47, "sklearn": 5}  # shipped problems that each can express


def expressed(framework: str) -> list[tuple[str, str]]:
    """(problem, script) of all that a framework can express."""
    found = []
    for name in shipped():
        try:
            found.append((name, confirmation(loaded(name), framework)))
        except ModelError as error:
            assert "cannot be written for" in str(error)
    return found


@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")  # Keras, of a network without parameters
@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras on PyTorch
@pytest.mark.parametrize("framework", some(list(JUDGES), ["numpy"]))
def test_every_shipped_problem_is_confirmed(framework: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("torch" if framework == "keras" else framework)
    pytest.importorskip(framework)
    scripts = expressed(framework)
    assert len(scripts) >= LEAST[framework]
    for name, script in scripts:
        exec(compile(script, name, "exec"), {})
    assert capsys.readouterr().out.count("numbers agree") >= 3 * len(scripts)


SHORT = 8_000  # letters of a script whose complex steps do not take long

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


BRANCHES = [
    """
inputs: [[1, 0.5], [0.2, -0.3], [0.7, 0.1], [-0.4, 0.6], [0.3, 0.9]]
targets: [1, 0]
layers:
  - {name: source, type: slice, tokens: [1, 3]}
  - {type: slice, from: 0, tokens: [4, 5]}
  - type: attention
    keys_from: source
    mask: [[1, 0, 1], [0, 1, 1]]
    query_weights: [[0.7, 1.2], [1.3, -0.5]]
    key_weights: [[0.5, 1.2], [0.9, 0.3]]
    value_weights: [[0.1, 0.2], [0.3, -0.2]]
  - {neurons: 2, activation: {softmax: {temperature: 0.5}}, weights: [[0.6, -0.3], [0.2, 0.5]], bias: [0.1, -0.15]}
loss: mean_cross_entropy
learning_rate: 0.5
""",
    """
samples:
  - {inputs: [0.5, -0.3], targets: [0.4, 0.1]}
  - {inputs: [0.2, 0.9], targets: [0.3, 0.6]}
layers:
  - {name: content, neurons: 2, activation: tanh, weights: [[0.1, 0.2], [-0.2, 0.4]], bias: [0.1, 0.0]}
  - {name: gate, from: 0, neurons: 2, activation: sigmoid, weights: [[0.3, -0.1], [0.5, 0.2]], bias: [0.2, -0.1]}
  - {type: multiply, from: content}
learning_rate: 0.5
""",
]


@pytest.mark.parametrize("problem", BRANCHES, ids=["attention", "gate"])
@pytest.mark.parametrize("framework", some(["torch", "numpy"], ["numpy"]))
def test_branches(problem: str, framework: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Slices, products, attention of another sequence, and shares of classes for every token."""
    pytest.importorskip(framework)
    script = confirmation(loads(problem), framework)
    exec(compile(script, "confirm", "exec"), {})
    assert "new.W" in capsys.readouterr().out
    assert framework != "torch" or " * " in script or "scaled_dot_product_attention" in script


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


SAME_WEIGHT = """
inputs: {u: 1, v: 2}
targets: [1]
layers: [{neurons: [o], weights: {a: [u, o, 1], b: [v, o, a]}}]
loss: squared_error
learning_rate: 0.1
"""
FROM_ABOVE = """
inputs: [0.5, -1]
layers:
  - {neurons: [h, k], activation: tanh, weights: [[0.1, 0.4], [-0.3, 0.2]], bias: [0.1, 0.2]}
  - {neurons: [o, p], activation: sigmoid, weights: [[0.3, -0.2], [0.7, 0.1]]}
given: {grad.out.o: 0.3, grad.out.p: -0.2}
learning_rate: 0.1
"""
WRITTEN_OUT = {  # what frameworks have no layers, no loss or no optimiser for
    "the same weight": (SAME_WEIGHT, "new.W1"),
    "gradients from above": (FROM_ABOVE, "new.W1"),
    "error: direct": (text().replace("loss: half_squared_error", "error: direct"), "new.W1"),
    "a missing edge": (SAME_WEIGHT.replace("o]", "o, p]", 1).replace("[1]", "[1, 0]").replace("[v, o, a]", "[v, p, 3]"), "grad.W1"),
    "one sample an update": (text(more="training: {mode: online}\n"), "new.W1"),
    "penalties": (text(more="regularization: {l2: 0.1, l1: 0.01}\n"), "data_loss"),
    "clipping": (text(more="optimizer: adam\nclipping: {norm: 0.1}\nweight_decay: 0.1\n"), "new.W1"),
    "schedule": (text(more="schedule: {exponential: {factor: 0.9}}\noptimizer: rmsprop\n"), "new.W1"),
    "gelu": (text("gelu", more="optimizer: adagrad\n"), "new.W1"),
}


@pytest.mark.parametrize("framework", some(["torch", "numpy"], ["numpy"]))
def test_what_is_written_out(framework: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(framework)
    for name, (problem, last) in WRITTEN_OUT.items():
        exec(compile(confirmation(loads(problem), framework), name, "exec"), {})
        assert f"{last}: " in capsys.readouterr().out, name


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES)
@given(data=st.data())
@law(1)
def test_random_networks_of_every_type_of_layer(kind: str, data: Any) -> None:
    """In PyTorch's own layers where it has them, and written out; a small one with the slopes that complex steps give."""
    pytest.importorskip("torch")
    problem = CASES[kind](Maker(data.draw)).problem()
    with contextlib.redirect_stdout(io.StringIO()):
        for framework in ("torch", "numpy"):
            script = confirmation(problem, framework)
            if framework == "torch" or len(script) < SHORT:
                exec(compile(script, kind, "exec"), {})


KERAS_TYPES = (
    "dense",
    "activation",
    "flatten",
    "conv1d",
    "conv2d",
    "max_pool",
    "avg_pool",
    "rnn",
    "lstm",
    "gru",
    "batch_norm",
    "layer_norm",
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The model does not have any trainable weights")
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("kind", [kind for kind in KERAS_TYPES if kind in CASES])
@given(data=st.data())
@law(5)
def test_random_networks_in_keras(kind: str, data: Any) -> None:
    """Those that Keras has layers for; what it has not is refused."""
    os.environ["KERAS_BACKEND"] = "torch"
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(ModelError):
        exec(compile(confirmation(CASES[kind](Maker(data.draw)).problem(), "keras"), kind, "exec"), {})


RECURRENT = """
samples: [{inputs: [[0.5], [-0.3], [0.8]], targets: [0.3]}, {inputs: [[0.1], [0.9], [-0.7]], targets: [-0.2]}]
layers:
  - {type: KIND, neurons: 2, WEIGHTS, returns: last}
  - {neurons: 1, weights: [[0.4, -0.6]], bias: 0.1}
loss: half_squared_error
learning_rate: 0.5
optimizer: {momentum: {momentum: 0.9}}
"""
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:__array__ implementation")
@pytest.mark.parametrize("reverse", ["false", "true"])
@pytest.mark.parametrize("kind", GATES)
def test_recurrence_in_keras(kind: str, reverse: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With a state before the first time; both directions."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    pytest.importorskip("torch")
    pytest.importorskip("keras")
    rows = 2 * GATES[kind]
    own = {
        "input_weights": [[0.1 * row - 0.3] for row in range(rows)],
        "hidden_weights": [[0.2 - 0.05 * row, 0.1 * row - 0.2] for row in range(rows)],
        "bias": [0.05 * row for row in range(rows)],
        "initial_state": [0.3, -0.2],
    }
    weights = ", ".join(f"{key}: {value}" for key, value in own.items()) + f", reverse: {reverse}"
    exec(compile(confirmation(loads(RECURRENT.replace("KIND", kind).replace("WEIGHTS", weights)), "keras"), kind, "exec"), {})
    said = capsys.readouterr().out
    assert said.count("new.Wh") == GATES[kind] and "out1: 12 numbers" in said and "loss" in said


def test_pytorch_has_layers_of_its_own() -> None:
    """Not written out number by number."""
    for name in ("prachub-bptt", "gomez-lstm", "gru-backward", "two-heads", "d2l-layer-norm", "dropout-batch-norm"):
        assert "together(" not in confirmation(loaded(name), "torch"), name


REFUSED = {
    ("numpy", text(more="conventions: {hidden_error_weights: updated}\n")): "hidden_error_weights: updated cannot be written for numpy",
    ("torch", text(more='given: {"out.h1@1": 0.5}\n')): "a number given for out.h1@1 cannot be written for torch",
    ("keras", text(more="optimizer: adam\n")): "adam cannot be written for Keras",
    ("sklearn", text(more="regularization: {l2: 0.1}\n")): "regularization cannot be written for sklearn",
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
