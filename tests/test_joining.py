"""An activation by itself, concatenation, tied weights and projected residuals: numbers by hand, and what is refused.

Gradients against PyTorch are in test_models_torch.py, sheets in test_model_mistakes.py.
"""

from __future__ import annotations

import json

import pytest
from small import refusals

from handcalc import derive, load, loads
from handcalc.errors import ProblemError
from handcalc.models import build
from handcalc.training.trainer import Trainer

DENSE = "{neurons: 2, weights: [[1, 2, 3], [4, 5, 6]]}"
MAPS = "inputs: [[1, 2], [3, 4]]\nlayers: [{type: avg_pool, kernel_size: 2}, %s]\n"


def text(layer: str, inputs: str = "[1, 2, 3]") -> str:
    return f"inputs: {inputs}\nlayers: [{DENSE}, {layer}]\n"


def test_numbers_by_hand() -> None:
    beside = derive(loads(text("{type: concatenate, from: [0, 1]}")))
    assert [float(beside.value(f"out2[{place}]")) for place in range(1, 8)] == [14, 32, 1, 2, 3, 14, 32]
    projected = derive(loads(text("{type: residual, from: 0, weights: [[1, 0, 1], [0, 2, 0]], bias: [5, 6]}")))
    assert [float(projected.value(f"out2[{place}]")) for place in (1, 2)] == [14 + 1 + 3 + 5, 32 + 4 + 6]
    turned = derive(loads(text("{type: tied, neurons: 3, from: 1, transposed: true, bias: [1, 2, 3]}")))
    assert [float(turned.value(f"net.o{place}")) for place in (1, 2, 3)] == [14 + 128 + 1, 28 + 160 + 2, 42 + 192 + 3]
    alone = derive(loads(MAPS % "{type: activation, activation: z^2}"))
    assert float(alone.value("out2[1,1]")) == 2.5**2


def test_a_tied_weight_has_one_gradient_and_one_place_in_the_file() -> None:
    problem = load("tied-autoencoder")
    derivation = derive(problem)
    assert [name for name in derivation.updated if derivation.graph[name].kind == "weight"] == ["W1"]
    h1, x1 = float(derivation.value("out.h1")), 0.5
    through = float(derivation.value("grad.net.h1")) * x1, float(derivation.value("grad.net.y1")) * h1
    assert float(derivation.value("grad.W1[1,1]")) == pytest.approx(sum(through), rel=1e-12)
    trainer = Trainer(problem)
    trainer.advance(200)
    assert trainer.loss() < 1e-6 < float(derivation.value("loss"))


def test_the_loss_of_an_activation_on_its_own() -> None:
    """Softmax and cross-entropy in one step need no net inputs of the last layer: they take what comes in."""
    split = f"inputs: [1, 2, 3]\ntargets: [1, 0]\nlayers: [{DENSE}, {{type: activation, activation: softmax}}]\nloss: cross_entropy\n"
    fused = split + "conventions: {softmax_loss: fused}\n"
    assert float(derive(loads(fused)).value("loss")) == pytest.approx(float(derive(loads(split)).value("loss")), rel=1e-12)


ONE, TWO = "row × column = 1×1", "row × column = 2×2"
REFUSED = [
    (text("{type: concatenate}"), ["layers[1]: the key from is missing"]),
    (text("{type: concatenate, from: 2}"), ['layers[1].from: expected a whole number from 0 to 1, found "2"']),
    (
        MAPS % "{type: concatenate, from: 0}",
        [f"layers[1].from: layer 2 (concatenate) puts {TWO} of layer 0 behind {ONE}: only the features may differ"],
    ),
    (text("{type: activation}"), ["layers[1]: the key activation is missing"]),
    (text("{type: residual, from: 1, bias: [1]}"), ["layers[1].bias: goes with weights only"]),
    (text("{type: tied, neurons: 2}"), ["layers[1]: the key from is missing"]),
    (
        text("{type: tied, neurons: 2, from: 1}"),
        ["layers[1]: the weights of layer 1 are for 2 neurons and 3 inputs here, found 2 and 2"],
    ),
]


@pytest.mark.parametrize(("problem", "wanted"), REFUSED)
def test_what_does_not_fit_is_named(problem: str, wanted: list[str]) -> None:
    assert refusals(problem) == wanted


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        ([{"type": "flatten"}, {"type": "activation", "activation": "tanh"}], "comes after a flatten layer"),
        (
            [{"type": "activation", "activation": "tanh"}, {"type": "tied", "neurons": 2, "from": 1}],
            "needs the weights of a dense or embedding layer",
        ),
    ],
)
def test_what_cannot_be_built_is_named(layers: list[object], said: str) -> None:
    problem = loads(json.dumps({"inputs": [[1, 2], [3, 4]], "layers": layers}))
    with pytest.raises(ProblemError, match=said):
        build(problem)
