"""Optimisers: PyTorch's to the last digits over 100 steps; formulas by hand; conventions; frozen weights; iterations."""

from __future__ import annotations

import math
from typing import Any

import pytest

from handcalc import derive, load, loads
from handcalc.core.expr import Ref
from handcalc.core.rounding import Rounding
from handcalc.errors import ProblemError
from handcalc.models.optimisers import OPTIMISERS
from handcalc.problem import words
from handcalc.proof.equivalence import names_of
from handcalc.render import read
from handcalc.render.dialects import PLAIN
from handcalc.training.network import Network
from handcalc.training.trainer import Trainer

STEPS = 100
PROBLEM = """
samples:
  - {inputs: [0.5, -1.2], targets: [0.3, 0.7]}
  - {inputs: [1.5, 0.4], targets: [0.9, 0.1]}
  - {inputs: [-0.7, 0.8], targets: [0.2, 0.6]}
layers:
  - {neurons: 3, activation: tanh, weights: [[0.1, -0.4], [0.7, 0.2], [-0.3, 0.5]], bias: [0.1, -0.2, 0.05]}
  - {neurons: 2, activation: sigmoid, weights: [[0.3, -0.6, 0.2], [-0.5, 0.4, 0.8]], bias: [0.2, -0.1]}
loss: squared_error
"""

# what is written in the problem, and the optimiser of PyTorch with its arguments; decay is for biases too there
CASES: list[tuple[str, str, dict[str, Any]]] = [
    ("optimizer: sgd\nlearning_rate: 0.2", "SGD", {"lr": 0.2}),
    ("optimizer: sgd\nlearning_rate: 0.2\nweight_decay: 0.03", "SGD", {"lr": 0.2, "weight_decay": 0.03}),
    ("optimizer: momentum\nlearning_rate: 0.1", "SGD", {"lr": 0.1, "momentum": 0.9}),
    ("optimizer: {momentum: {momentum: 0.5}}\nlearning_rate: 0.1\nweight_decay: 0.01", "SGD",
     {"lr": 0.1, "momentum": 0.5, "weight_decay": 0.01}),
    ("optimizer: nesterov\nlearning_rate: 0.05", "SGD", {"lr": 0.05, "momentum": 0.9, "nesterov": True}),
    ("optimizer: adagrad\nlearning_rate: 0.1", "Adagrad", {"lr": 0.1}),
    ("optimizer: rmsprop\nlearning_rate: 0.01", "RMSprop", {"lr": 0.01}),
    ("optimizer: {rmsprop: {rho: 0.9}}\nlearning_rate: 0.01", "RMSprop", {"lr": 0.01, "alpha": 0.9}),
    ("optimizer: adadelta\nlearning_rate: 1", "Adadelta", {"lr": 1.0}),
    ("optimizer: adam\nlearning_rate: 0.05", "Adam", {"lr": 0.05}),
    ("optimizer: {name: adam, beta1: 0.8, beta2: 0.99}\nlearning_rate: 0.05\nweight_decay: 0.1", "Adam",
     {"lr": 0.05, "betas": (0.8, 0.99), "weight_decay": 0.1}),
    ("optimizer: adamw\nlearning_rate: 0.05", "AdamW", {"lr": 0.05, "weight_decay": 0.01}),
]  # fmt: skip


def test_every_optimiser_is_compared() -> None:
    assert {*OPTIMISERS} == {*words.OPTIMISERS}
    elsewhere = {name for name, record in words.OPTIMISERS.items() if record.ahead}  # which PyTorch has not
    assert {*OPTIMISERS} - elsewhere == {name for name in OPTIMISERS if any(f"{name}" in text for text, _, _ in CASES)}


@pytest.mark.parametrize("name", words.OPTIMISERS)
def test_every_word_has_a_rule_that_uses_its_numbers(name: str) -> None:
    """No more numbers than are read from a problem, and no fewer."""
    unusual = "".join(f", {number}: 0.5" for number, usual in words.OPTIMISERS[name].numbers.items() if usual == "0")
    text = f"optimizer: {{name: {name}{unusual}}}\n" + ("weight_decay: 0.5\n" if name == "adamw" else "")
    graph = derive(loads(QUADRATIC + text)).graph
    assert {quantity.name for quantity in graph if quantity.kind == "hyper"} >= {*words.OPTIMISERS[name].numbers} - {"weight_decay"}
    assert ("count" in graph) == words.OPTIMISERS[name].counts


def test_a_word_without_a_rule_is_named() -> None:
    problem = loads(QUADRATIC)
    with pytest.raises(KeyError, match="newton"):
        derive(problem.replace(optimizer=problem.optimizer.replace(name="newton")))


@pytest.mark.slow
@pytest.mark.parametrize(("text", "name", "arguments"), CASES, ids=[text.replace("\n", " ") for text, _, _ in CASES])
def test_as_pytorch(text: str, name: str, arguments: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    trainer = Trainer(loads(PROBLEM + text + "\nconventions: {bias_decay: true}\n"))
    start = {cell: value for cell, value in trainer.values().items() if cell[0] in trainer.whole.updated}
    tensors = {}
    for quantity, shape in (("W1", (3, 2)), ("b1", (3,)), ("W2", (2, 3)), ("b2", (2,))):
        values = [value for (found, _), value in start.items() if found == quantity]
        tensors[quantity] = torch.tensor(values, dtype=torch.double).reshape(shape).requires_grad_()
    optimiser = getattr(torch.optim, name)(tensors.values(), **arguments)
    inputs = torch.tensor([[0.5, -1.2], [1.5, 0.4], [-0.7, 0.8]], dtype=torch.double)
    targets = torch.tensor([[0.3, 0.7], [0.9, 0.1], [0.2, 0.6]], dtype=torch.double)
    for _ in range(STEPS):
        optimiser.zero_grad()
        hidden = torch.tanh(inputs @ tensors["W1"].T + tensors["b1"])
        outputs = torch.sigmoid(hidden @ tensors["W2"].T + tensors["b2"])
        ((outputs - targets) ** 2).sum(1).mean().backward()
        optimiser.step()
    trainer.advance(STEPS)
    expected = [float(value) for tensor in tensors.values() for value in tensor.detach().flatten()]
    assert list(trainer.parameters().values()) == pytest.approx(expected, rel=1e-12, abs=1e-13)


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "weight_decay: 0.03", "regularization: {l2: 0.06, biases: true}"])
def test_a_gradient_taken_ahead_as_pytorch_takes_it(more: str) -> None:
    """Goodfellow, Bengio, Courville, algorithm 8.3, with PyTorch's gradients at w + μ·v."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    text = "optimizer: {nesterov_ahead: {momentum: 0.8}}\nlearning_rate: 0.2\n" + more
    trainer = Trainer(loads(PROBLEM + text + "\nconventions: {bias_decay: true}\n"))
    shapes = {"W1": (3, 2), "b1": (3,), "W2": (2, 3), "b2": (2,)}
    start = {name: [value for (found, _), value in trainer.values().items() if found == name] for name in shapes}
    weights = [torch.tensor(start[name], dtype=torch.double).reshape(shape) for name, shape in shapes.items()]
    velocities = [torch.zeros_like(one) for one in weights]
    inputs = torch.tensor([[0.5, -1.2], [1.5, 0.4], [-0.7, 0.8]], dtype=torch.double)
    targets = torch.tensor([[0.3, 0.7], [0.9, 0.1], [0.2, 0.6]], dtype=torch.double)
    for _ in range(STEPS):
        ahead = [(one + 0.8 * velocity).requires_grad_() for one, velocity in zip(weights, velocities)]
        outputs = torch.sigmoid(torch.tanh(inputs @ ahead[0].T + ahead[1]) @ ahead[2].T + ahead[3])
        loss = ((outputs - targets) ** 2).sum(1).mean()
        if "l2" in more:
            loss = loss + 0.03 * sum((one**2).sum() for one in ahead)
        loss.backward()
        decay = 0.03 if "decay" in more else 0
        velocities = [0.8 * v - 0.2 * (one.grad + decay * w) for v, one, w in zip(velocities, ahead, weights)]
        weights = [w + v for w, v in zip(weights, velocities)]
    trainer.advance(STEPS)
    expected = [float(value) for one in weights for value in one.flatten()]
    assert list(trainer.parameters().values()) == pytest.approx(expected, rel=1e-12, abs=1e-13)
    answer = torch.sigmoid(torch.tanh(inputs[0] @ weights[0].T + weights[1]) @ weights[2].T + weights[3])
    assert Network(trainer).predict([0.5, -1.2]) == pytest.approx(answer.tolist(), rel=1e-12)


# --- by hand ----------------------------------------------------------------------------------------------------------

QUADRATIC = "given: {x: 2}\nequations: {f: x^2}\nminimize: f\nparameters: [x]\nlearning_rate: 0.1\n"


def test_a_gradient_taken_ahead() -> None:
    """f = x² at 2, η = 0.1, μ = 0.5, v = −0.4: at 1.8 the slope is 3.6, so v = −0.2 − 0.36 and x = 1.44; then at 1.16."""
    text = "optimizer: {nesterov_ahead: {momentum: 0.5}}\n"
    own = QUADRATIC.replace("{x: 2}", "{x: 2, old.velocity.x: -0.4}") + text
    derivation = derive(loads(own), Rounding(), 2)
    ids = ("ahead.x", "f", "grad.x", "velocity.x", "new.x", "after.f", "#2:ahead.x", "#2:grad.x", "#2:new.x")
    wanted = [1.8, 3.24, 3.6, -0.56, 1.44, 1.44**2, 1.16, 2.32, 1.44 - 0.28 - 0.232]
    assert [float(derivation.value(name)) for name in ids] == pytest.approx(wanted)


@pytest.mark.parametrize(
    ("text", "name", "numbers"),
    [
        ("rmsprop: {decay: 0.9}", "rmsprop", {"rho": 0.9}),
        ("rmsprop: {γ: 0.9, ε: 1e-6}", "rmsprop", {"rho": 0.9, "epsilon": 1e-6}),
        ("momentum: {beta: 0.8}", "momentum", {"momentum": 0.8}),
        ("nag: {gamma: 0.8}", "nesterov", {"momentum": 0.8}),
        ("adam: {b1: 0.8, beta_2: 0.99, eps: 1e-7}", "adam", {"beta1": 0.8, "beta2": 0.99, "epsilon": 1e-7}),
        ("adamw: {wd: 0.02}", "adamw", {"weight_decay": 0.02}),
        ("adagrad: {delta: 1e-7}", "adagrad", {"epsilon": 1e-7}),
    ],
)
def test_numbers_as_people_call_them(text: str, name: str, numbers: dict[str, float]) -> None:
    found = loads(QUADRATIC + f"optimizer: {{{text}}}\n").optimizer
    assert found.name == name
    assert {key: found.numbers[key].numerator / found.numbers[key].denominator for key in numbers} == pytest.approx(numbers)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{adam: {lr: 0.1}}", "write optimizer: adam, learning_rate: …"),
        ("{adam: {weight_decay: 0.1}}", "write optimizer: adam, weight_decay: …"),
        ("{adam: {betas: [0.9, 0.99]}}", "write beta1: …, beta2: …"),
        ("{sgd: {momentum: 0.9}}", "write optimizer: {momentum: {momentum: …}}"),
        ("{momentum: 0.9}", "write {momentum: {momentum: 0.9}}"),
        ("{momentum: {nesterov: true}}", "write optimizer: {nesterov: {momentum: …}}"),
    ],
)
def test_what_frameworks_hand_to_an_optimiser_is_shown_its_place(text: str, hint: str) -> None:
    with pytest.raises(ProblemError) as error:
        loads(QUADRATIC + f"optimizer: {text}\n")
    assert hint in str(error.value)


def values(text: str, iterations: int, *ids: str) -> list[float]:
    derivation = derive(loads(QUADRATIC + text), Rounding(), iterations)
    return [float(derivation.value(name)) for name in ids]


def test_momentum_in_its_three_forms() -> None:
    """f = x² at 2, η = 0.1, μ = 0.5: the gradient is 4, then 2·x."""
    text = "optimizer: {momentum: {momentum: 0.5}}\n"
    assert values(text, 2, "velocity.x", "new.x", "#2:velocity.x", "#2:new.x") == pytest.approx([4, 1.6, 5.2, 1.08])
    textbook = text + "conventions: {momentum_form: textbook}\n"
    assert values(textbook, 2, "velocity.x", "new.x", "#2:velocity.x", "#2:new.x") == pytest.approx([-0.4, 1.6, -0.52, 1.08])
    average = text + "conventions: {momentum_form: average}\n"
    assert values(average, 2, "velocity.x", "new.x", "#2:velocity.x", "#2:new.x") == pytest.approx([2, 1.8, 2.8, 1.52])


def test_nesterov_as_in_textbooks() -> None:
    """The two forms walk the same way, seen from points that are μ·v apart."""
    text = "optimizer: {nesterov: {momentum: 0.5}}\nconventions: {momentum_form: textbook}\n"
    assert values(text, 2, "velocity.x", "new.x") == pytest.approx([-0.4, 2 - 0.2 - 0.4])
    framework = values("optimizer: {nesterov: {momentum: 0.5}}\n", 3, "new.x", "#2:new.x", "#3:new.x")
    assert values(text, 3, "new.x", "#2:new.x", "#3:new.x") == pytest.approx(framework)


def test_adam_without_correction() -> None:
    text = "optimizer: adam\nconventions: {adam_bias_correction: false}\n"
    moment1, moment2 = 0.1 * 4, 0.001 * 16
    assert values(text, 1, "new.x") == pytest.approx([2 - 0.1 * moment1 / (math.sqrt(moment2) + 1e-8)])
    corrected = values("optimizer: adam\n", 2, "corrected1.x", "#2:count", "new.x")
    assert corrected == pytest.approx([4, 2, 2 - 0.1 * 4 / (4 + 1e-8)])


def test_clipping() -> None:
    assert values("clipping: {norm: 1}\n", 1, "norm", "clipped.x", "new.x") == pytest.approx([4, 1, 1.9])
    assert values("clipping: {norm: 5}\n", 1, "clipped.x") == [4]
    assert values("clipping: {value: 0.5}\n", 1, "clipped.x", "new.x") == pytest.approx([0.5, 1.95])


def test_the_norm_is_that_of_all_gradients() -> None:
    derivation = derive(loads(PROBLEM + "learning_rate: 1\nclipping: {norm: 0.01}\n"))
    gradients = [float(step.value) for step in derivation.steps() if step.id.startswith(("grad.W", "grad.b")) and "@" not in step.id]
    clipped = [float(step.value) for step in derivation.steps() if step.id.startswith("clipped.")]
    assert len(gradients) == len(clipped) == 17
    assert derivation.value("norm") == pytest.approx(math.hypot(*gradients)) and math.hypot(*clipped) == pytest.approx(0.01)


def test_decay_is_for_weights() -> None:
    derivation = derive(loads(PROBLEM + "learning_rate: 1\nweight_decay: 0.5\n"))
    assert derivation["decayed.W1[1,2]"].value == pytest.approx(float(derivation["grad.W1[1,2]"].value) - 0.2)
    assert derivation["new.b1[1]"].value == pytest.approx(0.1 - float(derivation["grad.b1[1]"].value))
    assert not [step.id for step in derivation.steps() if step.id.startswith("decayed.b")]


@pytest.mark.parametrize("name", OPTIMISERS)
def test_frozen_weights_stay(name: str) -> None:
    text = PROBLEM + f"learning_rate: 0.1\noptimizer: {name}\nupdate: {{biases: false, frozen: ['W1[1,1]']}}\n"
    derivation = derive(loads(text), Rounding(), 4)
    assert [derivation.value(f"{prefix}new.W1[1,1]") for prefix in ("", "#2:", "#4:")] == [0.1] * 3
    assert derivation.value("delta.W1[1,1]") == 0 and derivation.value("#4:new.W1[1,2]") != -0.4


# optimiser, its numbers, the first step for g = 3 with η = 0.1 and ε = 0.5 under the root
INSIDE = [
    ("adagrad", "", 0.1 * 3 / math.sqrt(9 + 0.5)),
    ("rmsprop", "rho: 0.75, ", 0.1 * 3 / math.sqrt(0.25 * 9 + 0.5)),
    ("adam", "", 0.1 * 3 / math.sqrt(9 + 0.5)),
    ("adamw", "", 0.1 * 3 / math.sqrt(9 + 0.5) + 0.1 * 0.01),
]


@pytest.mark.parametrize(("name", "numbers", "step"), INSIDE)
def test_epsilon_under_the_root(name: str, numbers: str, step: float) -> None:
    text = "given: {w: 1}\nequations: {f: 3*w}\nminimize: f\nparameters: [w]\nlearning_rate: 0.1\noptimizer: {%s: {%sepsilon: 0.5%s}}\n"
    inside, beside = (loads(text % (name, numbers, key)) for key in (", epsilon_inside: true", ""))
    assert derive(inside).value("delta.w") == pytest.approx(-step, rel=1e-12)
    assert derive(beside).value("delta.w") != pytest.approx(-step, rel=1e-3)


# --- letters that are ids -----------------------------------------------------------------------------------------------

ETA = "given: {x: 1, eta: 2}\nequations: {f: eta*x^2}\nminimize: f\nparameters: [x]\nlearning_rate: 0.1"

# problem, notation, the learning rate in ASCII, text → what it is
LETTERS = [
    ("d2l-rmsprop", "mazur", "eta", {"eta": "rate", "epsilon": "epsilon", "ε": "epsilon"}),
    ("d2l-rmsprop", "goodfellow", "rate", {"ε": "rate", "epsilon": "epsilon", "delta": "epsilon", "δ": "epsilon"}),
    ("d2l-rmsprop", "heaton", "rate", {"ε": "rate", "epsilon": "epsilon", "kappa": "epsilon", "κ": "epsilon"}),
    ("deeplearning-ai-momentum", "goodfellow", "epsilon", {"epsilon": "rate", "alpha": "momentum"}),
    (ETA, "mazur", "rate", {"η": "rate", "eta": "eta"}),
]


@pytest.mark.parametrize(("problem", "notation", "rate", "typed"), LETTERS, ids=[f"{row[0][:11]}, {row[1]}" for row in LETTERS])
def test_a_letter_is_written_like_no_other_id(problem: str, notation: str, rate: str, typed: dict[str, str]) -> None:
    """An id means its own cell in every notation; a letter spelled the same gives way to the id of what it stands for."""
    derivation = derive(load(problem) if problem != ETA else loads(ETA))
    reading = read(derivation, notation, PLAIN)
    assert reading.symbol(Ref("rate")) == rate
    assert {text: reading.find(text)[0][0] for text in typed} == typed
    names = names_of(reading)
    assert {text: names[text] for text in typed} == {text: Ref(name) for text, name in typed.items()}
