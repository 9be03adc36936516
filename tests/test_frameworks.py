"""Law: a network that is brought from a framework has the framework's outputs, loss, gradients and new values.

The judges are the frameworks themselves: PyTorch, scikit-learn, ONNX's reference evaluator, Keras.
"""

from __future__ import annotations

import json
from pathlib import Path

import keras_models
import numpy as np
import onnx_graphs
import pytest
from frameworks import MODULES, Result, compared, criterion, optimiser, torch_step
from shipping import some

from handcalc import from_keras, from_sklearn, from_torch
from handcalc.bridges.network import Wishes
from handcalc.bridges.sources import read_model
from handcalc.bridges.torchmodule import brought
from handcalc.bridges.writing import problem_of
from handcalc.errors import ModelError

SINGLE = {"norm": 1e-3}  # differences of numbers that are nearly equal
SEEDS = some(list(range(30)), [0])


@pytest.mark.parametrize("double", some([True, False], [True]))
@pytest.mark.parametrize("kind", MODULES)
@pytest.mark.parametrize("seed", SEEDS)
def test_a_module_of_torch(seed: int, kind: str, double: bool) -> None:
    torch = pytest.importorskip("torch")
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    module, shape = MODULES[kind](random)
    dtype = torch.double if double else torch.float32
    module.to(dtype)
    inputs = torch.tensor(np.round(random.uniform(-1, 1, (3, *shape)), 2), dtype=dtype)
    loss, optimizer = criterion(random), optimiser(random, module.parameters())
    first = module(inputs)
    size = (first[0] if isinstance(first, tuple) else first).shape
    targets = torch.tensor(np.round(random.uniform(0, 1, size), 2), dtype=dtype)
    for part in module.modules():
        if hasattr(part, "reset_running_stats"):
            part.reset_running_stats()
    problem = from_torch(module, inputs, targets, loss, optimizer)
    parameters = {(number, key): names for number, layer in enumerate(brought(module).layers, 1) for key, names in layer.parameters.items()}
    assert (
        compared(problem, torch_step(module, inputs, targets, loss, optimizer, parameters), 1e-10 if double else SINGLE.get(kind, 4e-6)) > 4
    )


def test_classes_of_torch() -> None:
    """CrossEntropyLoss takes numbers of classes, and has the softmax in it."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(3)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh(), torch.nn.Linear(4, 3)).double()
    inputs, targets = torch.rand(4, 3, dtype=torch.double), torch.tensor([0, 2, 1, 1])
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1)
    problem = from_torch(module, inputs, targets, loss, 0.1)
    value = loss(module(inputs), targets)
    value.backward()
    gradients = {(1, "weights"): module[0].weight.grad, (2, "bias"): module[2].bias.grad}
    assert compared(problem, Result(torch.softmax(module(inputs), 1).detach(), float(value.detach()), gradients), 1e-10) == 12 + 1 + 12 + 3


# --- scikit-learn -------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_a_perceptron_of_scikit_learn(seed: int, tmp_path: Path) -> None:
    """After one step of its own training from the same weights; from the object, and through NPZ and JSON."""
    neural = pytest.importorskip("sklearn.neural_network")
    random = np.random.default_rng(seed)
    classes = bool(seed % 2)
    model = (neural.MLPClassifier if classes else neural.MLPRegressor)(
        hidden_layer_sizes=[int(one) for one in random.integers(1, 4, random.integers(1, 3))],
        activation=["logistic", "tanh", "relu", "identity"][seed % 4],
        solver="sgd", alpha=0, momentum=0, nesterovs_momentum=False, learning_rate_init=0.1, batch_size=3, shuffle=False, random_state=seed,
    )  # fmt: skip
    inputs = np.round(random.uniform(-1, 1, (3, 2)), 2)
    labels = np.array([0, 1, 2 if seed % 3 else 1])
    goals = labels if classes else np.round(random.uniform(-1, 1, (3, 2)), 2)
    model.partial_fit(inputs, goals, **({"classes": sorted({*labels.tolist()})} if classes else {}))
    targets = labels[:, None] if classes and model.n_outputs_ == 1 else goals
    problem = from_sklearn(model, inputs, targets, 0.1)
    arrays = {f"coefs_{place}": array for place, array in enumerate(model.coefs_)}
    arrays |= {f"intercepts_{place}": array for place, array in enumerate(model.intercepts_)}
    words = {"activation": model.activation, "out_activation": model.out_activation_}
    np.savez(tmp_path / "model.npz", **arrays, **words)
    listed = {"coefs": [one.tolist() for one in model.coefs_], "intercepts": [one.tolist() for one in model.intercepts_], **words}
    (tmp_path / "model.json").write_text(json.dumps(listed), "utf-8")
    outputs = model.predict_proba(inputs) if classes else model.predict(inputs)
    outputs = outputs[:, 1:] if classes and model.n_outputs_ == 1 else outputs
    for name in ("model.npz", "model.json"):
        read = problem_of(read_model(str(tmp_path / name), Wishes()), Wishes(inputs, targets, "", "0.1"))
        assert read.layers == problem.layers and read.loss == problem.loss
    model.partial_fit(inputs, goals)
    updated = {(place, "weights"): array.T for place, array in enumerate(model.coefs_, 1)}
    updated |= {(place, "bias"): array for place, array in enumerate(model.intercepts_, 1)}
    loss = None if not classes else float(model.loss_)
    assert compared(problem, Result(outputs, loss, {}, updated), 1e-10) > 6


# --- ONNX -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_a_graph_of_onnx(seed: int, tmp_path: Path) -> None:
    """Outputs as ONNX's reference evaluator has them."""
    onnx = pytest.importorskip("onnx")
    from onnx.reference import ReferenceEvaluator

    model, inputs, turned = onnx_graphs.made(np.random.default_rng(seed), seed)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    expected = ReferenceEvaluator(model).run(None, {"x": inputs})[0]
    problem = problem_of(read_model(str(path), Wishes()), Wishes(inputs=np.moveaxis(inputs, 0, 1) if turned else inputs))
    expected = expected[:, 0].swapaxes(0, 1) if expected.ndim == 4 else expected[0] if expected.ndim == 3 and turned else expected
    assert compared(problem, Result(expected), 2e-6) > 0


# --- Keras --------------------------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")  # of Keras's own: old formats, NumPy's new ways
@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_a_model_of_keras(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outputs and gradients, from the object and from both kinds of files."""
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    keras, torch = pytest.importorskip("keras"), pytest.importorskip("torch")
    random = np.random.default_rng(seed)
    keras.utils.set_random_seed(seed)
    model, shape = keras_models.made(keras, random, seed)
    inputs = np.round(random.uniform(-1, 1, (2, *shape)), 2).astype("float32")
    outputs = model(inputs)
    targets = np.round(random.uniform(0, 1, outputs.shape), 2).astype("float32")
    problem = from_keras(model, inputs, targets, "mean_squared_error", 0.1)
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        read = problem_of(read_model(str(tmp_path / name), Wishes()), Wishes(inputs, targets, "mean_squared_error", "0.1"))
        assert read.layers == problem.layers
    loss = ((outputs - torch.tensor(targets)) ** 2).mean()
    loss.backward()
    last = model.layers[-1]
    gradients = {(len(problem.layers), "bias"): last.bias.value.grad.numpy()}
    assert compared(problem, Result(outputs.detach().numpy(), float(loss.detach()), gradients), 4e-6) > 3


# --- safetensors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16", "bfloat16"])
def test_a_file_that_safetensors_wrote(dtype: str, tmp_path: Path) -> None:
    torch, writer = pytest.importorskip("torch"), pytest.importorskip("safetensors.torch")
    torch.manual_seed(1)
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Tanh(), torch.nn.Linear(2, 1)).to(getattr(torch, dtype))
    writer.save_file(module.state_dict(), tmp_path / "model.safetensors")
    read = problem_of(read_model(str(tmp_path / "model.safetensors"), Wishes()), Wishes([1, 2, 3], activations=("tanh", "identity")))
    assert read.layers == from_torch(module, [1, 2, 3]).layers


def test_what_is_not_known_is_named() -> None:
    """A module of one's own says in Python what its parts are used for; a function has a name."""
    torch = pytest.importorskip("torch")

    class Net(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc1, self.fc2 = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)

    with pytest.raises(ModelError, match=r"put them together as they are: nn\.Sequential\(model\.fc1, model\.fc2, …\)"):
        from_torch(Net(), [0.5, 0.3], [1.0], torch.nn.MSELoss(), 0.1)
    with pytest.raises(ModelError, match="^mse_loss is no loss that is known here; known are MSELoss"):
        from_torch(torch.nn.Linear(2, 1), [0.5, 0.3], [1.0], torch.nn.functional.mse_loss, 0.1)
