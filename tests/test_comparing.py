"""A step of PyTorch beside the hand calculation: the right step agrees, planted bugs are named, in single precision and in double.

`BUGS` are steps as people write them wrong; each has the cause that is to be named.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from frameworks import nn, torch
from shipping import some

from handcalc import compare, from_torch
from handcalc.bridges.comparing import compare_trace
from handcalc.bridges.modules import torch_network
from handcalc.bridges.torchmodule import brought
from handcalc.bridges.trace import read_trace, trace
from handcalc.bridges.writing import written
from handcalc.cli import group
from handcalc.errors import ModelError
from handcalc.testing import assert_step

pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:Using a target size")  # PyTorch warns of the broadcast that is planted


class Setting:
    """A network, its data, and the problem it comes from; the step is written by the tests."""

    def __init__(self, seed: int, kind: str, double: bool = True, optimizer: str = "sgd") -> None:
        torch.manual_seed(seed)
        dtype = torch.double if double else torch.float32
        last = {"classes": [], "binary": [], "regression": []}[kind]
        outputs = {"classes": 3, "binary": 1, "regression": 1}[kind]
        self.net = nn.Sequential(nn.Linear(3, 4), nn.Sigmoid(), nn.Linear(4, outputs), *last).to(dtype)
        self.inputs = torch.rand(4, 3, dtype=dtype)
        self.targets = torch.tensor([0, 2, 1, 1]) if kind == "classes" else torch.tensor([[0.0], [1], [1], [0]], dtype=dtype)
        self.loss = {"classes": nn.CrossEntropyLoss(), "binary": nn.BCEWithLogitsLoss(), "regression": nn.MSELoss()}[kind]
        made: dict[str, Callable[[], Any]] = {
            "sgd": lambda: torch.optim.SGD(self.net.parameters(), 0.1),
            "momentum": lambda: torch.optim.SGD(self.net.parameters(), 0.1, momentum=0.9),
            "adam": lambda: torch.optim.Adam(self.net.parameters(), 0.01),
            "adamw": lambda: torch.optim.AdamW(self.net.parameters(), 0.01, weight_decay=0.1),
        }
        self.optimizer = made[optimizer]()
        self.problem = from_torch(self.net, self.inputs, self.targets, self.loss, self.optimizer)

    def step(self) -> Any:
        self.optimizer.zero_grad()
        loss = self.loss(self.net(self.inputs), self.targets)
        loss.backward()
        self.optimizer.step()
        return loss

    def other(self, **changes: Any) -> Callable[[], Any]:
        """The step with other parts."""
        for name, value in changes.items():
            setattr(self, name, value)
        return self.step


def zero_grad(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)

    def step() -> Any:
        loss = here.loss(here.net(here.inputs), here.targets)
        loss.backward()
        here.optimizer.step()
        return loss

    return here, step


def summed(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "momentum")
    return here, here.other(loss=nn.CrossEntropyLoss(reduction="sum"))


def softmax_twice(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    here.net.append(nn.Softmax(dim=1))
    return here, here.step


def sigmoid_twice(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "binary", double)
    here.net.append(nn.Sigmoid())
    return here, here.step


def likelihood_of_logits(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, here.other(loss=nn.NLLLoss())


def coupled(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "adamw")
    return here, here.other(optimizer=torch.optim.Adam(here.net.parameters(), 0.01, weight_decay=0.1))


def evaluated(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "regression", double)
    norm = nn.BatchNorm1d(4).to(here.inputs.dtype)
    here.net = nn.Sequential(here.net[0], norm, *here.net[1:])
    here.optimizer = torch.optim.SGD(here.net.parameters(), 0.1)
    here.problem = from_torch(here.net, here.inputs, here.targets, here.loss, here.optimizer)
    here.net.eval()
    return here, here.step


def faster(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, here.other(optimizer=torch.optim.SGD(here.net.parameters(), 0.5))


def frozen(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    here.net[0].weight.requires_grad_(False)
    return here, here.step


def forgotten(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, here.other(optimizer=torch.optim.SGD(here.net[2].parameters(), 0.1))


def broadcast(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "regression", double)
    return here, here.other(targets=here.targets[:, 0])


def other_activation(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    here.net[1] = nn.Tanh()
    return here, here.step


def added(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, here.other(optimizer=torch.optim.SGD(here.net.parameters(), 0.1, maximize=True))


def detached(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)

    def step() -> Any:
        here.optimizer.zero_grad()
        hidden = here.net[1](here.net[0](here.inputs)).detach()
        loss = here.loss(here.net[2](hidden), here.targets)
        loss.backward()
        here.optimizer.step()
        return loss

    return here, step


def no_momentum(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "momentum")
    return here, here.other(optimizer=torch.optim.SGD(here.net.parameters(), 0.1))


def clipped(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, clipping(here, lambda: nn.utils.clip_grad_norm_(here.net.parameters(), 0.05))


def clipped_one_by_one(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "momentum")
    return here, clipping(here, lambda: nn.utils.clip_grad_value_(here.net.parameters(), 0.02))


def clipping(here: Setting, clip: Callable[[], Any]) -> Callable[[], Any]:
    """A step that changes the gradients before the update."""

    def step() -> Any:
        here.optimizer.zero_grad()
        loss = here.loss(here.net(here.inputs), here.targets)
        loss.backward()
        clip()
        here.optimizer.step()
        return loss

    return step


def decaying(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "momentum")
    return here, here.other(optimizer=torch.optim.SGD(here.net.parameters(), 0.1, momentum=0.9, weight_decay=0.03))


def decaying_in_adam(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double, "adam")
    return here, here.other(optimizer=torch.optim.Adam(here.net.parameters(), 0.01, weight_decay=0.1))


def absolute(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "regression", double)
    return here, here.other(loss=nn.L1Loss())


def zero_too_late(seed: int, double: bool) -> tuple[Setting, Callable[[], Any]]:
    here = Setting(seed, "classes", double)
    return here, clipping(here, here.optimizer.zero_grad)


BUGS: dict[str, tuple[Callable[[int, bool], tuple[Setting, Callable[[], Any]]], str]] = {
    "zero_grad": (zero_grad, "zero-grad"),
    "sum": (summed, "reduction"),
    "softmax twice": (softmax_twice, "probabilities-as-logits"),
    "sigmoid twice": (sigmoid_twice, "probabilities-as-logits"),
    "NLLLoss of logits": (likelihood_of_logits, "logits-as-probabilities"),
    "coupled decay": (coupled, "coupled-decay"),
    "eval": (evaluated, "eval-mode"),
    "learning rate": (faster, "learning-rate"),
    "requires_grad": (frozen, "requires-grad"),
    "not in the optimiser": (forgotten, "not-in-optimiser"),
    "broadcast": (broadcast, "broadcast"),
    "activation": (other_activation, "activation"),
    "maximize": (added, "gradient-added"),
    "detach": (detached, "detached"),
    "no momentum": (no_momentum, "optimiser"),
    "norm clipped": (clipped, "clipped"),
    "values clipped": (clipped_one_by_one, "clipped"),
    "weight decay": (decaying, "decay"),
    "weight decay in Adam": (decaying_in_adam, "decay"),
    "L1Loss": (absolute, "other-loss"),
    "zero_grad too late": (zero_too_late, "no-backward"),
}
SEEDS = some([1, 2, 3, 4, 5], [2])


@pytest.mark.parametrize("double", some([True, False], [False]))
@pytest.mark.parametrize(
    "bug", some(list(BUGS), ["zero_grad", "sum", "softmax twice", "coupled decay", "eval", "broadcast", "norm clipped", "weight decay"])
)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_bug_is_named(seed: int, bug: str, double: bool) -> None:
    make, slug = BUGS[bug]
    here, step = make(seed, double)
    found = compare(here.problem, here.net, step)
    assert not found.ok
    assert [cause.slug for cause in found.causes][:1] == [slug], str(found)


@pytest.mark.parametrize("double", some([True, False], [False]))
@pytest.mark.parametrize("optimizer", some(["sgd", "momentum", "adam", "adamw"], ["momentum", "adamw"]))
@pytest.mark.parametrize("kind", some(["classes", "binary", "regression"], ["classes"]))
@pytest.mark.parametrize("seed", SEEDS)
def test_the_right_step_agrees(seed: int, kind: str, optimizer: str, double: bool) -> None:
    here = Setting(seed, kind, double, optimizer)
    found = compare(here.problem, here.net, here.step, steps=3)
    assert found.ok and found.compared > 100, str(found)


def test_a_trace_is_audited_from_its_file(tmp_path: Path) -> None:
    """Written by one program, read by another: the same differences, the same cause."""
    here, step = zero_grad(1, True)
    found = trace(here.net, step, 2)
    text = json.dumps(found.as_json())
    direct, read = compare_trace(here.problem, found), compare_trace(here.problem, read_trace(text, "trace.json"))
    assert direct.differences == read.differences and [one.slug for one in read.causes] == ["zero-grad"]
    problem = tmp_path / "problem.yaml"
    network, wishes = torch_network(brought(Setting(1, "classes").net), here.inputs, here.targets, here.loss, 0.1)
    problem.write_text(written(network, wishes, str, "")[0], "utf-8")
    (tmp_path / "trace.json").write_text(text, "utf-8")
    done = CliRunner().invoke(group, ["audit", str(problem), str(tmp_path / "trace.json"), "--format", "plain"], standalone_mode=False)
    assert done.return_value == 1 and "optimizer.zero_grad() is missing" in done.stdout
    right = json.dumps(trace(Setting(1, "classes").net, lambda: None, 1).as_json())
    assert compare_trace(here.problem, read_trace(right, "trace.json")).causes[0].slug == "no-backward"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"handcalc_trace": 1}', '{"handcalc_trace": 1, "steps": [{}], "modules": [], "parameters": []}']
)
def test_a_damaged_trace(text: str) -> None:
    with pytest.raises(ModelError, match=r"trace\.json: no trace of a step of training"):
        read_trace(text, "trace.json")


def test_the_helper_for_tests() -> None:
    assert_step((right := Setting(3, "classes")).problem, right.net, right.step)
    here, step = summed(3, True)
    with pytest.raises(AssertionError, match=r"4 times those of the problem: the sum over the 4 samples"):
        assert_step(here.problem, here.net, step)


def test_another_network_is_refused() -> None:
    here = Setting(1, "classes")
    with pytest.raises(ModelError, match="layer of type conv2d, but the problem goes on with dense"):
        compare(here.problem, nn.Sequential(nn.Conv2d(1, 1, 1)).double(), lambda: None)
