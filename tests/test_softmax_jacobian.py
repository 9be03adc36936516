"""The matrix of the derivatives of softmax as a step, and classes of tokens in arrays."""

from __future__ import annotations

from pathlib import Path

import pytest

from handcalc import derive, gradcheck, loads
from handcalc.errors import ProblemError
from handcalc.marking.check import check
from handcalc.render import render
from handcalc.render.matrices.reading import matrix_form
from handcalc.training.trainer import Trainer

SOFTMAX = """
inputs: [1, 2]
targets: [0, 1, 0]
layers:
  - {neurons: [a, b, c], activation: ACTIVATION, weights: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]}
loss: half_squared_error
learning_rate: 0.1
"""


@pytest.mark.parametrize(
    "words", ["softmax: {jacobian: true}", "softmax: {jacobian: true, temperature: 2}", "log_softmax: {jacobian: true}"]
)
def test_it_is_the_derivative_of_every_output_by_every_net_input(words: str) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    derivation = derive(loads(SOFTMAX.replace("ACTIVATION", f"{{{words}}}")))
    net = torch.tensor([0.5, -0.5, 1.7], dtype=torch.double)
    function = torch.log_softmax if "log" in words else torch.softmax
    right = torch.autograd.functional.jacobian(lambda z: function(z / (2 if "temperature" in words else 1), 0), net)
    found = [[float(derivation.value(f"jacobian.{one}.{other}")) for other in "abc"] for one in "abc"]
    assert found == [pytest.approx(row, rel=1e-10, abs=1e-13) for row in right.tolist()]


def test_nothing_else_changes() -> None:
    with_it, without = (SOFTMAX.replace("ACTIVATION", words) for words in ("{softmax: {jacobian: true}}", "softmax"))
    assert gradcheck(loads(with_it)).ok
    trainers = [Trainer(loads(text)) for text in (with_it, without)]
    for trainer in trainers:
        trainer.advance(5)
    assert trainers[0].parameters() == trainers[1].parameters()
    assert "jacobian" not in str(render(derive(loads(without)), "json"))


def test_its_matrix_form_and_its_answers() -> None:
    problem = loads(SOFTMAX.replace("ACTIVATION", "{softmax: {jacobian: true}}"))
    derivation = derive(problem)
    name = next(quantity.name for quantity in derivation.graph if quantity.role == "jacobian")
    form = matrix_form(derivation.graph, derivation.graph[name])
    assert form is not None and [part.operator for part in form.right.parts] == ["diagonal", "negative"]
    marking = check(problem, {"jacobian.a.b": "-0.0167", "J_a,a": "0.1678", "jacobian.b.b": "0.5"})
    assert [answer.verdict for answer in marking.answers] == ["correct", "correct", "wrong"]


# --- classes of tokens ------------------------------------------------------------------------------------------------

TOKENS = """
data: {file: tokens.npz, inputs: x, targets: TARGETS}
layers:
  - {type: embedding, weights: [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]}
  - {neurons: [a, b, c], activation: softmax, weights: [[1, 0], [0, 1], [1, 1]]}
loss: mean_cross_entropy
learning_rate: 0.1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    numpy = pytest.importorskip("numpy")
    words, classes = numpy.array([[0, 1, 2, 1], [2, 2, 0, 1], [1, 0, 0, 2]]), numpy.array([[1, 2, 1, 0], [2, 0, 1, 1], [0, 0, 2, 1]])
    shares = numpy.eye(3)[classes]
    numpy.savez(
        tmp_path / "tokens.npz", x=words, classes=classes, shares=shares, few=classes[:, :3], halves=classes + 0.5, beyond=classes + 9
    )
    return tmp_path


def test_a_class_for_every_token_in_an_array(folder: Path) -> None:
    typed = "samples:\n  - {inputs: [0, 1, 2, 1], targets: [1, 2, 1, 0]}\n  - {inputs: [2, 2, 0, 1], targets: [2, 0, 1, 1]}\n"
    typed += "  - {inputs: [1, 0, 0, 2], targets: [0, 0, 2, 1]}\n" + TOKENS[TOKENS.index("layers") :]
    trainers = [Trainer(loads(TOKENS.replace("TARGETS", name), folder=folder)) for name in ("classes", "shares")] + [Trainer(loads(typed))]
    for trainer in trainers:
        trainer.advance(3)
    losses = [trainer.loss() for trainer in trainers]
    assert losses[:2] == pytest.approx(losses[2:] * 2, rel=1e-12)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("few", "one target per output is expected: 12"),
        ("halves", r"one target per output is expected: 3 \(a, b, c\), found 4"),
        ("beyond", r"one target per output is expected: 3 \(a, b, c\), found 4"),
    ],
)
def test_what_are_no_classes_of_tokens_is_refused(name: str, message: str, folder: Path) -> None:
    with pytest.raises(ProblemError, match=message):
        loads(TOKENS.replace("TARGETS", name), folder=folder)
