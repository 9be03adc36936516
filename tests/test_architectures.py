"""Law 3 for the shipped problems of whole architectures: written once more with PyTorch's own functions, in double precision.

Every architecture is a function of its parameters to the loss. Compared are the loss, every gradient, every new parameter, and the loss
after the update.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from oracles import close
from shipping import solved

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.slow
F = torch.nn.functional

Tensor = Any
Parameters = Mapping[str, Tensor]


def tensor(numbers: Any) -> Tensor:
    return torch.tensor(numbers, dtype=torch.double)


# --- the architectures --------------------------------------------------------------------------------------------------


def small_gpt(p: Parameters) -> Tensor:
    x = F.embedding(torch.tensor([2, 0]), p["W1"]) + p["W2"]
    normal = F.rms_norm(x, (3,), eps=1e-5)
    query, key, value = (F.linear(normal, p[f"W{part}4"].reshape(2, 3)).T[:, :, None] for part in "qkv")  # (head, token, 1)
    heads = F.scaled_dot_product_attention(query, key, value, is_causal=True)
    x = x + F.linear(heads[:, :, 0].T, p["Wo4"].reshape(3, 2))
    x = x + F.linear(F.gelu(F.linear(F.rms_norm(x, (3,), eps=1e-5), p["W7"])), p["W8"])
    logits = F.linear(F.rms_norm(x, (3,), eps=1e-5), p["W1"])
    return F.cross_entropy(logits, torch.tensor([0, 1]), reduction="sum")


def resnet_block(p: Parameters) -> Tensor:
    x = tensor([[[[1, 0.5], [-1, 2]]]])
    found = F.conv2d(F.relu(F.conv2d(x, p["W1"], p["b1"], padding=1)), p["W2"], p["b2"], padding=1)
    logit = F.linear(F.relu(found + x).mean((2, 3)), p["W5"], p["b5"])
    return F.binary_cross_entropy_with_logits(logit, tensor([[1.0]]), reduction="sum")


def u_shaped_skip(p: Parameters) -> Tensor:
    down = F.relu(F.conv2d(tensor([[[[1, 0], [0.5, -1]]]]), p["W1"], p["b1"]))
    middle = F.relu(F.conv2d(F.max_pool2d(down, 2), p["W3"], p["b3"]))
    up = F.conv_transpose2d(middle, p["W4"], p["b4"], stride=2)
    logits = F.conv2d(torch.cat([up, down], 1), p["W6"], p["b6"])
    return F.binary_cross_entropy_with_logits(logits, tensor([[[[1, 0], [1, 0]]]]), reduction="sum")


def squeeze_and_excitation(p: Parameters) -> Tensor:
    maps = F.relu(F.conv2d(tensor([[[[1, 0.5], [-1, 2]]]]), p["W1"], p["b1"]))
    gate = torch.sigmoid(F.linear(F.relu(F.linear(maps.mean((2, 3)), p["W3"], p["b3"])), p["W4"], p["b4"]))
    logit = F.linear((maps * gate[:, :, None, None]).mean((2, 3)), p["W7"], p["b7"])
    return F.binary_cross_entropy_with_logits(logit, tensor([[1.0]]), reduction="sum")


def cross_attention(p: Parameters) -> Tensor:
    words = tensor([[1, 0], [0.5, -1], [0, 1], [1, 1], [-0.5, 0.5]])
    read = torch.tanh(F.linear(words[:3], p["W2"], p["b2"]))
    query, key, value = F.linear(words[3:], p["Wq4"]), F.linear(read, p["Wk4"]), F.linear(read, p["Wv4"])
    found = F.scaled_dot_product_attention(query[None], key[None], value[None])[0]
    return 0.5 * ((found - tensor([[0.5, 0.2], [0.1, -0.3]])) ** 2).sum()


def bag_of_words(p: Parameters) -> Tensor:
    return F.cross_entropy(F.linear(p["W1"][[0, 1, 0, 3]].mean(0), p["W3"]), torch.tensor(2))


def variational_autoencoder(p: Parameters) -> Tensor:
    x = tensor([0.8, -0.4])
    mean, log_variance = p["a1"] * x[0] + p["a2"] * x[1] + p["a0"], p["s1"] * x[0] + p["s2"] * x[1] + p["s0"]
    code = torch.distributions.Normal(mean, torch.exp(log_variance / 2))
    z = code.loc + code.scale * 0.5
    again = torch.stack([p["d1"] * z + p["c1"], p["d2"] * z + p["c2"]])
    return F.mse_loss(again, x, reduction="sum") / 2 + torch.distributions.kl_divergence(code, torch.distributions.Normal(0.0, 1.0))


def seq2seq_attention(p: Parameters) -> Tensor:
    first = torch.tanh(p["wx"])
    states = torch.stack([first, torch.tanh(-0.5 * p["wx"] + p["wh"] * first)])
    own, loss = states[1], tensor(0.0)
    for before, target in ((0.0, 0.6), (0.6, -0.2)):
        own = torch.tanh(p["vy"] * before + p["vs"] * own)
        context = torch.softmax(own * states, 0) @ states
        loss = loss + (target - (p["o"] * torch.tanh(p["uc"] * context + p["us"] * own) + p["b"])) ** 2 / 2
    return loss


def gan_discriminator(p: Parameters) -> Tensor:
    hidden = torch.tanh(F.linear(tensor([[1.5], [0.1]]), p["W1"], p["b1"]))
    return F.binary_cross_entropy_with_logits(F.linear(hidden, p["W2"], p["b2"].reshape(1)), tensor([[1.0], [0.0]]), reduction="sum")


def gan_generator(p: Parameters) -> Tensor:
    hidden = torch.tanh(F.linear(F.linear(tensor([0.5]), p["W1"], p["b1"].reshape(1)), p["W2"], p["b2"]))
    return F.softplus(-F.linear(hidden, p["W3"], p["b3"].reshape(1))).sum()


def contrastive_pair(p: Parameters) -> Tensor:
    matrix = torch.stack([torch.stack([p["w1"], p["w2"]]), torch.stack([p["v1"], p["v2"]])])
    one, other = torch.tanh(matrix @ tensor([0.8, -0.2])), torch.tanh(matrix @ tensor([0.4, 0.5]))
    return F.relu(1 - torch.linalg.vector_norm(one - other)) ** 2 / 2


def bidirectional_rnn(p: Parameters) -> Tensor:
    module = torch.nn.RNN(1, 1, num_layers=2, bidirectional=True, dtype=torch.double)
    weights = {}
    for layer, places in enumerate(((2, 1), (5, 4))):
        for place, suffix in zip(places, ("", "_reverse")):
            names = {"weight_ih": f"Wx{place}", "weight_hh": f"Wh{place}", "bias_ih": f"b{place}"}
            weights |= {f"{name}_l{layer}{suffix}": p[own].reshape(1, -1) if name != "bias_ih" else p[own] for name, own in names.items()}
            weights[f"bias_hh_l{layer}{suffix}"] = torch.zeros(1, dtype=torch.double)
    states = torch.func.functional_call(module, weights, (tensor([[1.0], [-0.5], [0.8]]),))[0]
    logits = F.linear(states, p["W7"], p["b7"].reshape(1))
    return F.binary_cross_entropy_with_logits(logits, tensor([[1.0], [0.0], [1.0]]), reduction="sum")


def sgd(rate: float) -> Callable[[list[Tensor]], Any]:
    return lambda parameters: torch.optim.SGD(parameters, lr=rate)


def adamw(parameters: list[Tensor]) -> Any:
    return torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.1)


ARCHITECTURES = {
    "small-gpt": (small_gpt, adamw),
    "resnet-block": (resnet_block, sgd(0.5)),
    "u-shaped-skip": (u_shaped_skip, sgd(0.5)),
    "squeeze-and-excitation": (squeeze_and_excitation, sgd(0.5)),
    "cross-attention": (cross_attention, sgd(0.1)),
    "continuous-bag-of-words": (bag_of_words, sgd(0.5)),
    "variational-autoencoder": (variational_autoencoder, sgd(0.1)),
    "seq2seq-attention": (seq2seq_attention, sgd(0.1)),
    "gan-discriminator": (gan_discriminator, sgd(0.5)),
    "gan-generator": (gan_generator, sgd(0.5)),
    "bidirectional-rnn": (bidirectional_rnn, sgd(0.5)),
    "contrastive-pair": (contrastive_pair, sgd(0.5)),
}


# --- the law ------------------------------------------------------------------------------------------------------------


def array(name: str, quantity: str) -> Any:
    """All cells of a quantity of a shipped problem."""
    derivation = solved(name)
    found = np.full([axis.size for axis in derivation.graph[quantity].axes], np.nan)
    for place in derivation.graph.positions(quantity):
        found[place] = float(derivation.evaluation[quantity, place])
    return found


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_whole_step_as_in_pytorch(name: str) -> None:
    loss_of, optimizer = ARCHITECTURES[name]
    graph, trained = solved(name).graph, solved(name).updated
    parameters = {
        quantity.name: torch.tensor(array(name, quantity.name), requires_grad=True)
        for quantity in graph
        if quantity.kind in ("weight", "bias") and not quantity.stage or quantity.name in trained
    }
    loss = loss_of(parameters)
    loss.backward()
    minimised = "E" if "E" in graph else "loss"
    assert close(float(solved(name).value(minimised)), float(loss.detach()), 1e-10)
    for parameter, judged in parameters.items():
        assert np.allclose(array(name, graph.gradient(parameter)), judged.grad.numpy(), rtol=1e-10, atol=1e-12), parameter
    optimizer([parameters[one] for one in trained]).step()
    for one in trained:
        assert np.allclose(array(name, trained[one]), parameters[one].detach().numpy(), rtol=1e-10, atol=1e-12), one
    assert close(float(solved(name).value(f"after.{minimised}")), float(loss_of(parameters).detach()), 1e-10)
