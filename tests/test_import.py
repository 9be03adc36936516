"""handcalc import: what files hold, what is asked for, what is refused; hostile files end in a message, run nothing, and take no memory."""

from __future__ import annotations

import io
import json
import pickle
import struct
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from handcalc import derive, loads
from handcalc.bridges.sources import SOURCES
from handcalc.cli import group
from handcalc.errors import HandcalcError

W1, B1 = np.array([[0.15, 0.2], [0.25, 0.3]], "float32"), np.array([0.35, 0.35], "float32")
W2, B2 = np.array([[0.4, 0.45]], "float32"), np.array([0.6], "float32")


def tensors(arrays: dict[str, Any], **changed: Any) -> bytes:
    """A safetensors file, by the format's own description."""
    header, body = {}, b""
    for name, array in arrays.items():
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [len(body), len(body) + array.nbytes], **changed}
        body += array.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


STATE = {"0.weight": W1, "0.bias": B1, "2.weight": W2, "2.bias": B2}
DATA = ["--inputs", "0.05,0.10", "--targets", "0.01", "--loss", "half_squared_error", "--learning-rate", "0.5"]


def run(folder: Path, name: str, content: bytes, *options: str) -> tuple[int, str, str]:
    """(exit code, what was written, messages)."""
    (folder / name).write_bytes(content)
    done = CliRunner().invoke(group, ["import", str(folder / name), *options], standalone_mode=False)
    if isinstance(done.exception, HandcalcError):
        return done.exception.exit_code, done.stdout, "\n".join(map(str, done.exception.messages))
    if done.exception is not None:
        raise done.exception
    return 0, done.stdout, done.stderr


def test_a_state_dict(tmp_path: Path) -> None:
    """Digits of 32-bit floats, typed inputs as they are typed, comments on what came from where."""
    code, text, _ = run(tmp_path, "model.safetensors", tensors(STATE), "--activations", "sigmoid,tanh", *DATA)
    assert code == 0
    assert "weights: [[0.15, 0.2], [0.25, 0.3]]" in text and "inputs: [0.05, 0.10]" in text and "# 0.weight" in text
    solution = derive(loads(text))
    hidden = 1 / (1 + np.exp(-(W1.astype(float) @ [0.05, 0.1] + 0.35)))
    assert solution["out.o1"].value == pytest.approx(np.tanh(hidden @ [0.4, 0.45] + 0.6), rel=1e-7)
    assert "new.W1[1,1]" in {step.id for step in solution.steps()}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.npz", npz(**{"0.weight": W1, "0.bias": B1, "2.weight": W2, "2.bias": B2})),
        ("b.npz", npz(W1=W1, b1=B1, W2=W2, b2=B2)),
        ("c.npz", npz(coefs_0=W1.T, intercepts_0=B1, coefs_1=W2.T, intercepts_1=B2)),
        ("d.json", json.dumps({key: array.astype(float).round(2).tolist() for key, array in STATE.items()}).encode()),
        ("e.json", json.dumps({"coefs": [W1.T.astype(float).round(2).tolist(), W2.T.astype(float).round(2).tolist()],
                               "intercepts": [[0.35, 0.35], [0.6]]}).encode()),
    ],
)  # fmt: skip
def test_the_same_network_by_other_names(tmp_path: Path, name: str, content: bytes) -> None:
    options = ["--activations", "sigmoid,tanh", *DATA]
    expected = loads(run(tmp_path, "model.safetensors", tensors(STATE), *options)[1])
    code, text, said = run(tmp_path, name, content, *options)
    assert code == 0, said
    assert derive(loads(text))["loss"].value == pytest.approx(derive(expected)["loss"].value, rel=1e-7)


def test_words_in_an_archive_are_activations(tmp_path: Path) -> None:
    content = npz(coefs_0=W1.T, intercepts_0=B1, coefs_1=W2.T, intercepts_1=B2, activation="relu", out_activation="logistic")
    text = run(tmp_path, "mlp.npz", content, "--inputs", "1,2", "--targets", "1")[1]
    assert [text.count(word) for word in ("activation: relu", "activation: sigmoid", "loss: binary_cross_entropy")] == [1, 1, 1]


def test_large_layers_go_into_an_archive(tmp_path: Path) -> None:
    wide = {"0.weight": np.arange(2000, dtype="float32").reshape(20, 100) / 1e4, "2.weight": np.ones((1, 20), "float32")}
    inputs = ",".join(["0.5"] * 100)
    options = ["--activations", "relu,identity", "--inputs", inputs, "-o", str(tmp_path / "wide.yaml")]
    code, _, said = run(tmp_path, "wide.safetensors", tensors(wide), *options)
    assert code == 0, said
    assert np.load(tmp_path / "wide.npz")["weights1"].shape == (20, 100) and "file: " in (tmp_path / "wide.yaml").read_text("utf-8")
    assert run(tmp_path, "wide.safetensors", tensors(wide), *options)[0] == 2  # never over a file that is there


# --- what is asked for ------------------------------------------------------------------------------------------------

NAMED = {"hidden.weight": W1, "hidden.bias": B1, "out.weight": W2, "out.bias": B2}
SQUARE = {"a.weight": W1, "b.weight": W1}


@pytest.mark.parametrize(
    ("arrays", "options", "message"),
    [
        (STATE, DATA, "the file does not say the activations of 0.weight, 2.weight; give one for each, such as --activations relu,sigmoid"),
        (STATE, ["--activations", "relu,sigmoid"], "the network needs inputs: give them, such as --inputs 0.5,0.3"),
        (STATE, ["--activations", "relu,sigmoid", "--inputs", "1,2", "--targets", "1"], "which loss is minimised? Give --loss"),
        (STATE, ["--activations", "relu,sigmoid", "--inputs", "1,x"], '--inputs: expected numbers with commas between them, found "x"'),
        (SQUARE, ["--activations", "relu,relu", "--inputs", "1,2"], "the names do not say the order of the layers; give it: --order a,b"),
        (
            {"W1": W1},
            ["--activations", "relu", "--inputs", "1,2"],
            "does a row of W1 belong to a neuron or to an input? Give --weight-rows",
        ),
        ({"conv.weight": np.ones((1, 1, 2, 2), "float32")}, DATA, "export the network to ONNX"),
        ({"running_mean": B1}, DATA, "running_mean belongs to no dense layer"),
    ],
)
def test_what_is_missing_is_asked_for(tmp_path: Path, arrays: dict[str, Any], options: list[str], message: str) -> None:
    code, text, said = run(tmp_path, "model.safetensors", tensors(arrays), *options)
    assert code == 2 and not text and message in said


def test_the_order_may_follow_from_the_sizes(tmp_path: Path) -> None:
    backwards = dict(reversed(NAMED.items()))
    text = run(tmp_path, "model.safetensors", tensors(backwards), "--activations", "relu,sigmoid", "--inputs", "1,2")[1]
    assert text.index("hidden.weight") < text.index("out.weight")


# --- hostile files ----------------------------------------------------------------------------------------------------


def peak() -> int:
    """The most memory that this process has had, in kB; 0 where that is not known."""
    try:
        import resource
    except ImportError:  # Windows
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


class _Bomb:
    """Unpickled, it would end the program."""

    def __reduce__(self) -> Any:
        return (exit, (99,))


def _header(text: bytes, size: int | None = None) -> bytes:
    return struct.pack("<Q", len(text) if size is None else size) + text


def _huge_npy() -> bytes:
    """An array that says it has 10 GB, in an archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        text = b"{'descr': '<f4', 'fortran_order': False, 'shape': (50000, 50000), }".ljust(117) + b"\n"
        archive.writestr("W1.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text)
    return stream.getvalue()


def _zip_bomb(*names: str) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, b"\0" * 70_000_000)
    return stream.getvalue()


ENTRY = b'{"0.weight": {"dtype": "F32", "shape": %s, "data_offsets": %s}}'
HOSTILE: dict[str, tuple[str, Callable[[], bytes], str]] = {
    "pickle": ("model.pt", lambda: pickle.dumps(_Bomb()), "safetensors.torch.save_file(model.state_dict()"),
    "joblib": ("model.joblib", lambda: b"", "numpy.savez("),
    "pickle by another name": ("model.npz", lambda: pickle.dumps(_Bomb()), "a pickle runs what is in it"),
    "pickle inside": ("model.npz", lambda: npz(W1=np.array([_Bomb()], dtype=object)), "no NPZ file of plain numbers"),
    "empty": ("model.safetensors", lambda: b"", "no safetensors file"),
    "cut off": ("model.safetensors", lambda: tensors(STATE)[:-5], "shape and offsets do not fit the file"),
    "long header": ("model.safetensors", lambda: _header(b"{}", 10**18), "its header would have 1000000000000000000 bytes"),
    "huge shape": ("model.safetensors", lambda: _header(ENTRY % (b"[50000, 50000]", b"[0, 10000000000]")), "do not fit the file"),
    "lying shape": ("model.safetensors", lambda: _header(ENTRY % (b"[2, 2]", b"[0, 8]")) + b"\0" * 8, "do not fit the file"),
    "negative": ("model.safetensors", lambda: _header(ENTRY % (b"[-1, 2]", b"[0, 8]")) + b"\0" * 8, "do not fit the file"),
    "no list": ("model.safetensors", lambda: _header(b"[[[[" * 5000), "not valid JSON"),
    "type": ("model.safetensors", lambda: tensors(STATE, dtype="C64"), "numbers of type C64"),
    "nan": ("model.safetensors", lambda: tensors({"0.weight": np.full((1, 1), np.nan, "float32")}), "no finite number"),
    "huge npy": ("model.npz", _huge_npy, "larger than 64000000 bytes"),
    "zip bomb": ("model.npz", lambda: _zip_bomb("W1.npy"), "larger than 64000000 bytes"),
    "no zip": ("model.npz", lambda: b"PK\x03\x04nothing", "no NPZ file of plain numbers"),
    "json": ("model.json", lambda: b'{"0.weight": [[1, "import os"]]}', "no array of numbers"),
    "deep json": ("model.json", lambda: b"[" * 100_000, "not valid JSON"),
    "unknown": ("model.xyz", lambda: b"", "no known kind of network; known are .safetensors, .onnx"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_file(tmp_path: Path, case: str) -> None:
    name, made, message = HOSTILE[case]
    content = made()
    before = peak()
    code, text, said = run(tmp_path, name, content, "--activations", "relu", *DATA)
    assert code == 2 and not text and message in said, said
    assert peak() - before < 400_000


def test_every_ending_is_refused_where_there_is_nothing_to_read(tmp_path: Path) -> None:
    for ending, source in SOURCES.items():
        if source.extra:
            pytest.importorskip({"onnx": "onnx", "keras": "h5py"}[source.extra])
        code, _, said = run(tmp_path, "model" + ending, b"nothing", *DATA)
        assert code == 2 and f"model{ending}: " in said


def test_hostile_graphs_of_onnx(tmp_path: Path) -> None:
    """Weights in other files, sizes that lie, operators that are not known, branches."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2]) for name in ("x", "y")]

    def model(weights: Any, *nodes: Any) -> bytes:
        chosen = nodes or (helper.make_node("MatMul", ["x", "W"], ["y"]),)
        graph = helper.make_graph(chosen, "g", values[:1], values[1:], [weights])
        found: bytes = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString()
        return found

    plain = numpy_helper.from_array(W1, "W")
    outside = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[2, 2], data_location=TensorProto.EXTERNAL)
    outside.external_data.add(key="location", value="/etc/passwd")
    huge = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[50000, 50000])
    lying = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[20, 20], raw_data=b"\0" * 16)
    cases = (
        (model(outside), "W is in another file, which is not opened"),
        (model(huge), "larger than 64000000 bytes"),
        (model(lying), "W cannot be read"),
        (
            model(plain, helper.make_node("Einsum", ["x", "W"], ["y"], name="n", equation="ij,jk->ik")),
            "the operator Einsum (n) is not known",
        ),
        (model(plain, helper.make_node("Evil", ["x"], ["y"], domain="evil")), "the operator evil.Evil (y) is not known"),
        (model(plain, helper.make_node("Relu", ["x"], ["a"]), helper.make_node("Relu", ["x"], ["y"])), "the graph is no chain"),
        (model(plain)[:-20], "damaged"),
    )
    for content, message in cases:
        code, _, said = run(tmp_path, "model.onnx", content, "--inputs", "1,2")
        assert code == 2 and message in said, said
    assert onnx


def test_hostile_files_of_keras(tmp_path: Path) -> None:
    """A Lambda, which holds code; links to other files; arrays that lie; weights that are larger than they look."""
    h5py = pytest.importorskip("h5py")

    def keras(entries: list[Any], fill: Callable[[Any], None], bomb: bool = False) -> bytes:
        weights, stream = io.BytesIO(), io.BytesIO()
        with h5py.File(weights, "w") as file:
            fill(file)
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("config.json", json.dumps({"class_name": "Sequential", "config": {"layers": entries}}))
            archive.writestr("model.weights.h5", b"\0" * 70_000_000 if bomb else weights.getvalue())
        return stream.getvalue()

    dense = [{"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "relu"}}]
    code = [{"class_name": "Lambda", "config": {"name": "evil", "function": "gAWV"}}]

    def huge(file: Any) -> None:
        file.create_dataset("layers/dense/vars/0", shape=(50_000, 50_000), dtype="f4", chunks=(100, 100), compression="gzip")

    cases = (
        (keras(code, lambda file: None), "the layer Lambda (evil) is not known here"),
        (keras(dense, lambda file: file.__setitem__("layers", h5py.ExternalLink("/etc/passwd", "/"))), "is a link to something else"),
        (keras(dense, huge), "larger than 64000000 bytes"),
        (keras(dense, lambda file: None), "d has 0 arrays, expected 2"),
        (keras(dense, lambda file: None, bomb=True), "larger than 64000000 bytes"),
    )
    for content, message in cases:
        code_, _, said = run(tmp_path, "model.keras", content, "--inputs", "1,2")
        assert code_ == 2 and message in said, said


@pytest.mark.parametrize(
    ("name", "library", "extra"), [("m.onnx", "onnx", "onnx"), ("m.keras", "h5py", "keras"), ("m.h5", "h5py", "keras")]
)
def test_a_library_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, library: str, extra: str) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    code, _, said = run(tmp_path, name, b"", *DATA)
    assert code == 2 and said.endswith(f"{name}: {library} is needed for this file: pip install 'handcalc[{extra}]'")


def test_somebody_at_a_terminal_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not said: activation, inputs, which are asked again where they are no numbers, targets, loss, learning rate."""
    monkeypatch.setattr("handcalc.cli.importing._is_asked", lambda: True)
    (tmp_path / "m.npz").write_bytes(npz(W1=W2, b1=B2))
    typed = "sigmoid\none\n1,2\n0.5\nmse\n0.1\n"
    done = CliRunner().invoke(group, ["import", str(tmp_path / "m.npz"), "--lang", "en"], input=typed, standalone_mode=False)
    assert done.exception is None
    problem = loads(done.stdout[done.stdout.index("# From") :])
    assert problem.loss is not None and problem.loss.name == "mean_squared_error" and problem.layers[0].activations[0].name == "sigmoid"


def test_a_file_that_keeps_its_library_busy_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One damaged byte can make HDF5 go round for ever; it is read by a process that can be stopped."""
    h5py = pytest.importorskip("h5py")
    stream = io.BytesIO()
    with h5py.File(stream, "w") as file:
        file.attrs["model_config"] = "{}"
    monkeypatch.setattr("handcalc.bridges.kerasfile.SECONDS", 0.001)
    code, _, said = run(tmp_path, "m.h5", stream.getvalue(), "--inputs", "1,2")
    assert code == 2 and "reading it takes more than" in said
