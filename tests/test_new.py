"""`handcalc new`: every template can be solved, in every language, from every way of writing sizes, activations and losses."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from shipping import some

from handcalc.cli import main
from handcalc.cli.new import sizes_of
from handcalc.cli.templates import TEMPLATES
from handcalc.core.functions import ACTIVATIONS
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.models.doubts import doubts
from handcalc.problem.schema import Problem
from handcalc.problem.words import LOSSES


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Everything is written here."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def new(*options: str, lang: str = "en") -> Problem:
    """The problem that is written."""
    with pytest.raises(SystemExit) as ended:
        main(["new", "p.yaml", "--force", "--lang", lang, *options])
    assert ended.value.code == 0
    return load("p.yaml")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("name", ["softmax", *TEMPLATES])
def test_template_can_be_solved(name: str, lang: str, folder: Path) -> None:
    problem = new("--template", name, "--seed", "3", lang=lang)
    steps = list(derive(problem).steps())
    assert {"forward", "backward", "update"} <= {step.phase for step in steps}
    assert doubts(problem) == ()
    text = (folder / "p.yaml").read_text("utf-8")
    comments = [line for line in text.split("\n") if line.lstrip().startswith("#")]
    assert len(comments) >= 3
    assert text.isascii() if lang == "en" else True


@pytest.mark.parametrize("name", some(["softmax", *TEMPLATES], ["softmax", "cnn"]))
def test_languages_and_seeds(name: str) -> None:
    english, chinese = (new("--template", name, lang=lang).replace(path="", title="") for lang in ("en", "zh"))
    assert english == chinese != new("--template", name, "--seed", "2").replace(path="", title="")


@pytest.mark.parametrize("sizes", ["2-3-1", "2,3,1", "2x3x1", "2 3 1", "2, 3, 1", "2X3X1", "２－３－１", "2，3，1", "2×3×1", "2–3–1"])
def test_sizes(sizes: str) -> None:
    assert sizes_of(sizes) == [2, 3, 1]


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("relu", ["relu", "relu", "relu"]),
        ("Relu,Sigmoid", ["relu", "relu", "sigmoid"]),
        ("tanh，softmax", ["tanh", "tanh", "softmax"]),
        ("softmax", ["sigmoid", "sigmoid", "softmax"]),
        ("对率函数,leaky-relu,linear", ["sigmoid", "leaky_relu", "identity"]),
    ],
)
def test_activation_of_each_layer(typed: str, wanted: list[str]) -> None:
    problem = new("--layers", "2-2-2-2", "--activation", typed)
    assert [layer.activations[0].name for layer in problem.layers] == wanted


@pytest.mark.parametrize(
    ("options", "wanted"),
    [((), ["sigmoid", "softmax"]), (("--layers", "2-3"), ["softmax"]), (("--activation", "relu"), ["relu", "softmax"])],
)
def test_template_of_classes(options: tuple[str, ...], wanted: list[str]) -> None:
    assert [layer.activations[0].name for layer in new("--template", "Softmax", *options).layers] == wanted


def test_editors_know_the_schema(folder: Path) -> None:
    new("--layers", "2-2-1")
    assert (folder / "p.yaml").read_text("utf-8").startswith("# yaml-language-server: $schema=handcalc.schema.json\n# ")


def test_softmax_has_one_bias_per_neuron() -> None:
    problem = new("--layers", "2-3", "--activation", "softmax")
    bias = problem.layers[-1].bias
    assert bias is not None and bias.form == "neuron" and problem.loss is not None and problem.loss.name == "cross_entropy"


LAST = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "softmax_cross_entropy": "softmax", "hinge": "identity"}


@pytest.mark.parametrize("loss", some(LOSSES, ["binary_cross_entropy", "hinge"]))
def test_loss(loss: str) -> None:
    problem = new("--layers", "2-2-2", "--activation", f"tanh,{LAST.get(loss, 'sigmoid')}", "--loss", loss.replace("_", "-"))
    assert problem.loss is not None and problem.loss.name == loss
    assert doubts(problem) == ()


@pytest.mark.parametrize("activation", some(ACTIVATIONS, ["sigmoid", "step"]))
def test_targets_can_be_reached(activation: str) -> None:
    for seed in "12":
        assert doubts(new("--layers", "2-2-2", "--activation", f"tanh,{activation}", "--seed", seed)) == ()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--layers", "2-3-1", "--activation", "relu,tanh,relu,tanh"], "one for each layer: 2, found 4"),
        (["--layers", "2-3-1", "--activation", "sigmod"], '"sigmod" is no activation; known are sigmoid'),
        (["--layers", "2/3/1"], "such as 2-3-2; found"),
        (["--layers", "2-1", "--activation", "identity", "--loss", "bce", "--seed", "2"], "needs ln("),
        (["--template", "cnn", "--layers", "2-1"], "go with dense layers, not with --template cnn"),
    ],
)
def test_what_cannot_be_written_is_not(options: list[str], said: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["new", "p.yaml", *options, "--lang", "en"])
    assert ended.value.code == 2 and said in re.sub(r"\s+", " ", capsys.readouterr().err)
    assert not list(folder.iterdir())


@pytest.mark.parametrize("typed", ["", "Mine\n2-2-1\n"])
def test_an_input_that_ends_before_all_is_answered(
    typed: str, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    with pytest.raises(SystemExit) as ended:
        main(["new", "p.yaml", "--lang", "en"])
    assert ended.value.code == 2 and "the input ended before this was answered" in capsys.readouterr().err
    assert not list(folder.iterdir())
