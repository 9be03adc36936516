"""Law 3 with PyTorch as the judge: gradients of random dense networks equal autograd in double precision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from networks import ACTIVATIONS, FUSED_SMOOTHED, LOSSES, NETWORKS, SMOOTHED, Dense, Network
from oracles import close, law

from handcalc.core.evaluation import Evaluation
from handcalc.loading.loader import loads
from handcalc.models import build

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow

Tensor = Any
F = torch.nn.functional

# the same names as in networks.py, as PyTorch has them
TORCH_ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "sigmoid": torch.sigmoid,
    "bipolar_sigmoid": lambda z: 2 * torch.sigmoid(z) - 1,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": F.leaky_relu,
    "{elu: {alpha: 0.5}}": lambda z: F.elu(z, 0.5),
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "identity": lambda z: z,
    "relu6": F.relu6,
    "hard_sigmoid": lambda z: F.relu6(z + 3) / 6,  # the slope of F.hardsigmoid is 1/6 as a 32-bit float
    "hard_tanh": F.hardtanh,
    "gelu_tanh": lambda z: F.gelu(z, approximate="tanh"),
    "{swish: {beta: 1.5}}": lambda z: z * torch.sigmoid(1.5 * z),
    "mish": F.mish,
    "softsign": F.softsign,
    "z^3/10 + 1": lambda z: z**3 / 10 + 1,
}

# the loss of every sample: (out, net, target) → (sample,)
TORCH_LOSSES: dict[str, Callable[[Tensor, Tensor, Tensor], Tensor]] = {
    "half_squared_error": lambda o, z, t: 0.5 * F.mse_loss(o, t, reduction="none").sum(1),
    "squared_error": lambda o, z, t: F.mse_loss(o, t, reduction="none").sum(1),
    "mean_squared_error": lambda o, z, t: F.mse_loss(o, t, reduction="none").mean(1),
    "cross_entropy": lambda o, z, t: F.cross_entropy(z, t, reduction="none"),
    "mean_cross_entropy": lambda o, z, t: F.cross_entropy(z, t, reduction="none"),
    "mean_negative_log_likelihood": lambda o, z, t: F.cross_entropy(z, t, reduction="none"),
    "softmax_cross_entropy": lambda o, z, t: F.cross_entropy(z, t, reduction="none"),
    "binary_cross_entropy": lambda o, z, t: F.binary_cross_entropy(o, t, reduction="none").sum(1),
    "absolute_error": lambda o, z, t: F.l1_loss(o, t, reduction="none").sum(1),
    "huber": lambda o, z, t: F.huber_loss(o, t, reduction="none").sum(1),
    "mean_binary_cross_entropy": lambda o, z, t: F.binary_cross_entropy(o, t, reduction="none").mean(1),
    "mean_absolute_error": lambda o, z, t: F.l1_loss(o, t, reduction="none").mean(1),
    "mean_huber": lambda o, z, t: F.huber_loss(o, t, reduction="none").mean(1),
    "negative_log_likelihood": lambda o, z, t: F.cross_entropy(z, t, reduction="none"),
    "kl_divergence": lambda o, z, t: F.kl_div(o.log(), t, reduction="none").sum(1),
    "log_cosh": lambda o, z, t: torch.log(torch.cosh(t - o)).sum(1),
    "cosine": lambda o, z, t: 1 - F.cosine_similarity(o, t, dim=1),
    SMOOTHED: lambda o, z, t: F.cross_entropy(z, t, reduction="none", label_smoothing=0.2),
    FUSED_SMOOTHED: lambda o, z, t: F.cross_entropy(z, t, reduction="none", label_smoothing=0.2),
    "{binary_cross_entropy: {positive_weight: 3}}": lambda o, z, t: F.binary_cross_entropy_with_logits(
        z, t, reduction="none", pos_weight=torch.tensor(3.0)
    ).sum(1),
    "hinge": lambda o, z, t: F.relu(1 - t * o).sum(1),
    "multiclass_hinge": lambda o, z, t: ((1 - t) * F.relu(o - (t * o).sum(1, keepdim=True) + 1)).sum(1),
    "sqrt(1 + (o - t)^2) - 1": lambda o, z, t: (torch.sqrt(1 + (o - t) ** 2) - 1).sum(1),
}


def layer(dense: Dense, source: Tensor, weights: Tensor, bias: Tensor) -> tuple[Tensor, Tensor]:
    """(net, out) of one layer."""
    present = torch.tensor(~np.isnan(dense.weights), dtype=torch.double)
    added = (bias * present).sum(1) if dense.form == "connection" else bias
    net = F.linear(source, weights * present) + dense.sign * added
    if dense.softmax:
        return net, torch.log_softmax(net, 1) if dense.activations == ("log_softmax",) else torch.softmax(net, 1)
    chosen = dense.activations * len(dense.weights) if len(dense.activations) == 1 else dense.activations
    return net, torch.stack([TORCH_ACTIVATIONS[name](net[:, unit]) for unit, name in enumerate(chosen)], 1)


def autograd(network: Network) -> dict[str, Any]:
    """parameter → its gradient, an array."""
    parameters: dict[str, Tensor] = {}
    source = torch.tensor(network.inputs, dtype=torch.double)
    for place, dense in enumerate(network.layers, 1):
        parameters[f"W{place}"] = torch.tensor(np.nan_to_num(dense.weights), dtype=torch.double, requires_grad=True)
        parameters[f"b{place}"] = torch.tensor(dense.bias, dtype=torch.double, requires_grad=True)
        net, source = layer(dense, source, parameters[f"W{place}"], parameters[f"b{place}"])
    losses = TORCH_LOSSES[network.loss](source, net, torch.tensor(network.targets, dtype=torch.double))
    (losses.mean() if network.reduction == "mean" else losses.sum()).backward()
    return {name: tensor.grad.numpy() for name, tensor in parameters.items()}


def test_every_activation_and_loss_is_compared() -> None:
    assert set(TORCH_ACTIVATIONS) == set(ACTIVATIONS)
    assert set(TORCH_LOSSES) == {*LOSSES, "softmax_cross_entropy"}


@given(NETWORKS)
@law(200)
def test_random_networks_match_autograd(network: Network) -> None:
    expected, text = autograd(network), network.yaml()
    graph = build(loads(text)).graph
    evaluation, compared = Evaluation(graph), 0
    for quantity in graph:
        if quantity.name in expected:
            for place in graph.positions(quantity.name):
                got, value = float(evaluation["grad." + quantity.name, place]), float(expected[quantity.name][place])
                assert close(got, value, 1e-10), f"{text}\ngrad.{quantity.name}{place}: got {got}, expected {value}"
                compared += 1
    assert compared >= sum(int((~np.isnan(dense.weights)).sum()) for dense in network.layers)


@given(NETWORKS)
@law(20)
def test_numpy_matches_autograd(network: Network) -> None:
    """The oracle of tests/test_chainrule.py is right itself."""
    expected = autograd(network)
    for (name, place), value in network.gradients().items():
        judged = float(expected[name][place])
        assert close(value, judged, 1e-10), f"{network.yaml()}\n{name}{place}: NumPy {value}, autograd {judged}"
