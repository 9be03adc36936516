"""A loss that is a formula of the outputs alone needs no targets; samples whose outputs are given need no inputs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from handcalc import derive, gradcheck, loads, render, train
from handcalc.errors import ProblemError

SQUARES: dict[str, Any] = {
    "samples": [{"inputs": [0.2, 0.4]}, {"inputs": [1, -0.4]}],
    "layers": [{"neurons": 2, "weights": [[0.1, 0.5], [-0.3, 0.8]]}],
    "loss": "o^2",
    "learning_rate": 0.1,
}
GIVEN: dict[str, Any] = {
    "samples": [{"name": "a", "targets": [0, 1]}, {"name": "b", "targets": [1, 0]}],
    "layers": [{"neurons": ["p", "q"], "activation": "softmax"}],
    "given": {"out.p@a": 0.2, "out.q@a": 0.8, "out.p@b": 0.5, "out.q@b": 0.5},
    "loss": "cross_entropy",
}


def problem(keys: dict[str, Any], **others: Any) -> Any:
    return loads(json.dumps({**keys, **others}))


def test_the_square_of_the_outputs() -> None:
    """‖Wx‖² of Stanford's CS231n: ∂/∂W = 2·Wx·xᵀ, ∂/∂x = 2·Wᵀ·Wx."""
    own = problem({**SQUARES, "samples": SQUARES["samples"][:1], "input_gradients": True})
    derivation = derive(own)
    wanted = {
        "loss": 0.116,
        "grad.W1[1,1]": 0.088,
        "grad.W1[1,2]": 0.176,
        "grad.W1[2,1]": 0.104,
        "grad.W1[2,2]": 0.208,
        "grad.x1": -0.112,
        "grad.x2": 0.636,
    }
    assert {name: float(derivation.value(name)) for name in wanted} == pytest.approx(wanted)


def test_it_is_trained_and_its_gradients_are_derivatives() -> None:
    own = problem(SQUARES)
    assert gradcheck(own).ok
    trained = train(own, epochs=20)
    assert trained.loss < trained.history[0][1] / 2


@pytest.mark.parametrize("format", ["terminal", "html", "latex", "json", "typst", "notebook", "svg"])
def test_every_format_goes_without_targets(format: str) -> None:
    assert render(derive(problem(SQUARES)), format)


def test_the_page_says_what_the_loss_is() -> None:
    assert "Loss: o^2." in render(derive(problem(SQUARES)))


@pytest.mark.parametrize("loss", ["(o - t)^2", "half_squared_error", "cross_entropy"])
def test_others_need_targets(loss: str) -> None:
    for key in ("loss", "report"):
        with pytest.raises(ProblemError, match="a loss needs targets"):
            problem(SQUARES, **{key: loss})


def test_probabilities_of_several_samples_are_given() -> None:
    derivation = derive(problem(GIVEN))
    values = [float(derivation.value(name)) for name in ("loss@a", "loss@b", "grad.net.p@a", "grad.net.q@b")]
    assert values == pytest.approx([0.22314355, 0.69314718, 0.2, 0.5])


def test_inputs_of_some_samples_only_are_missing() -> None:
    samples = GIVEN["samples"]
    for some, message in (
        ([{**samples[0], "inputs": [1]}, samples[1]], "samples[1]: inputs are missing"),
        ([samples[0], {**samples[1], "inputs": [1]}], "samples[1].inputs: give inputs for every sample or for none"),
    ):
        with pytest.raises(ProblemError) as found:
            problem(GIVEN, samples=some)
        assert message in str(found.value)


def test_the_size_of_inputs_that_nobody_gave_may_be_said() -> None:
    own = problem(GIVEN, input_shape=[2])
    assert own.inputs == ("x1", "x2") and problem(GIVEN).inputs == ("x1",)
