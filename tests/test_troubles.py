"""A step without a value is named with file, line, numbers and remedy, before anything is printed; what looks like a slip has a note."""

from __future__ import annotations

from pathlib import Path

import pytest
from shipping import loaded, some

from handcalc.cli import main
from handcalc.core.functions import ACTIVATIONS
from handcalc.deriving import derive
from handcalc.errors import EvaluationError
from handcalc.loading.loader import loads, shipped
from handcalc.models.doubts import RULES, doubts, reach
from handcalc.render.report import FORMATS, Style, export

ONE = "inputs: [1, 2]\ntargets: {{y: {target}}}\nlayers:\n  - {{neurons: [y], activation: {activation}, weights: [{weights}]}}\n{rest}"


def network(activation: str = "sigmoid", target: str = "0", weights: str = "[0.5, 1]", rest: str = "loss: bce\n") -> str:
    """One neuron."""
    return ONE.format(activation=activation, target=target, weights=weights, rest=rest)


TROUBLES = [
    ("softmax of one", network("softmax"),
     "4: E_y needs ln(1 - out_y), but out_y = 1: only a number above 0 has a logarithm; softmax over one neuron is always 1: "
     "write sigmoid"),
    ("ReLU", network("relu", "1", "[-1, -1]"),
     "4: E_y needs ln(out_y), but out_y = 0: only a number above 0 has a logarithm; this loss is for outputs between 0 and 1: "
     "take sigmoid or softmax, or another loss"),
    ("a sigmoid that is 1", network(weights="[50, 1]"),
     "4: E_y needs ln(1 - out_y), but out_y = 1: only a number above 0 has a logarithm; the output is too near its end for a "
     "computer's numbers: take smaller weights or inputs"),
    ("carried", network(weights="[4, 1]", rest="loss: bce\nrounding: {decimals: 2, carry: true}\n"),
     "4: E_y needs ln(1 - out_y), but out_y = 1: only a number above 0 has a logarithm; it was rounded on the way: carry more digits"),
    ("division", "given: {x: 2}\nequations:\n  d: x - 2\n  v: (x + 1)/d\n",
     "4: v is divided by d, which is 0: nothing can be divided by 0; take other numbers for x"),
    ("division by a sum", "given: {x: 2}\nequations:\n  v: 1/(x - 2)\n",
     "3: v is divided by x - 2, but x = 2: nothing can be divided by 0; take other numbers for x"),
    ("root", "given: {x: 2}\nequations:\n  a: x - 3\n  f: sqrt(a) + x\n",
     "4: f needs √(a), but a = -1: a number below 0 has no square root; take other numbers for x"),
    ("power", "given: {x: -2}\nequations: {f: x^0.5}\n",
     "2: f needs x^0.5, but x = -2: a number below 0 has no such power; take other numbers for x"),
    ("overflow", "given: {x: 30}\nequations:\n  a: x^2\n  f: exp(a)\n",
     "4: f needs e^a, but a = 900: that is larger than a computer's numbers (overflow); take smaller numbers"),
    ("logarithm", "given: {x: 1, y: 1}\nequations:\n  f: ln(x - y)\n",
     "3: f needs ln(x - y), but x = 1, y = 1: only a number above 0 has a logarithm; take other numbers for x, y"),
    ("Newton's slope", "given: {x: 0}\nequations: {f: x^2 - 2}\nminimize: f\nupdate: {x: x - f/grad.x}\n",
     "3: x⁺ is divided by ∂f/∂x, which is 0: nothing can be divided by 0; take other numbers for x"),
    ("many numbers", network("1/z", weights="[2, -1]", rest="").replace("bce", "half_squared_error"),
     "4: out_y is divided by net_y, which is 0: nothing can be divided by 0; take other numbers for W1[1,1], x1, W1[1,2], x2"),
    ("a cosine", network("identity", "1", "[0, 0]", rest="loss: cosine\n"),
     "5: E_total is divided by p·q, but p = 1, q = 0: nothing can be divided by 0; a list of zeros has no direction: take other "
     "weights or inputs"),
    ("all of a batch alike", "inputs: [1]\ntargets: [1]\nlayers: [{type: batch_norm, epsilon: 0}]\n",
     "3: out⁽¹⁾₁ is divided by √(var₁), but var₁ = 0: nothing can be divided by 0; write epsilon: 1e-5"),
    ("Adagrad", network("identity", "3", "[1, 1]", "learning_rate: 0.1\noptimizer: {adagrad: {epsilon: 0}}\n"),
     "4: w1⁺ is divided by √(s_w1) + ε, but s_w1 = 0, ε = 0: nothing can be divided by 0; write epsilon: 1e-5"),
]  # fmt: skip


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a command."""
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    return int(ended.value.code or 0), *capsys.readouterr()


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in TROUBLES])
def test_trouble_is_told_before_anything_is_printed(
    text: str, wanted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(text, encoding="utf-8")
    code, out, err = run(capsys, "solve", "p.yaml", "--lang", "en")
    expected = f"p.yaml:{wanted}"
    assert (code, out, err) == (2, "", expected + "\n")


def test_trouble_only_after_the_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What is before it is solved; who asks for the step is told why it has no value."""
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(network("exp(z)", "100", rest="learning_rate: 1\n"), encoding="utf-8")
    code, out, err = run(capsys, "solve", "p.yaml", "--lang", "en")
    assert (code, err) == (0, "") and "There are no numbers here: after.out.y: the number is too large (overflow)" in " ".join(out.split())
    code, out, err = run(capsys, "why", "p.yaml", "after.out.y", "--lang", "en")
    wanted = "p.yaml:4: out_y⁺ needs e^(net_y⁺), but net_y⁺ = "
    assert code == 2 and err.startswith(wanted) and err.endswith("(overflow); take a smaller learning_rate\n")


@pytest.mark.parametrize(
    "command", [("why", "p.yaml", "loss"), ("export", "p.yaml", "-o", "p.html"), ("solve", "p.yaml", "--format", "json")]
)
def test_other_commands_tell_it_too(
    command: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(TROUBLES[0][1], encoding="utf-8")
    code, out, err = run(capsys, *command, "--lang", "en")
    assert (code, out, err) == (2, "", f"p.yaml:{TROUBLES[0][2]}\n")
    assert not Path("p.html").exists()


def test_slope_of_a_loss_has_the_remedy_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(TROUBLES[0][1], encoding="utf-8")
    wanted = (
        "p.yaml:4: ∂E/∂out_y is divided by 1 - out_y, but out_y = 1: nothing can be divided by 0; softmax over one neuron is always 1: "
    )
    assert run(capsys, "why", "p.yaml", "grad.out.y", "--lang", "en") == (2, "", wanted + "write sigmoid\n")


def test_training_without_a_loss_to_begin_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    Path("p.yaml").write_text(TROUBLES[0][1] + "learning_rate: 0.1\n", encoding="utf-8")
    assert run(capsys, "train", "p.yaml", "--lang", "en") == (2, "", f"p.yaml:{TROUBLES[0][2]}\n")
    Path("p.yaml").write_text(network("exp(z)", "100", rest="learning_rate: 1\n"), encoding="utf-8")
    assert "training diverges" in run(capsys, "train", "p.yaml", "--lang", "en")[2]
    Path("p.yaml").write_text("given: {x: 1}\nequations: {f: ln(x)}\nminimize: f\nparameters: [x]\nlearning_rate: 2\n", encoding="utf-8")
    assert "a function has no value there" in run(capsys, "train", "p.yaml", "--lang", "en")[2]
    wanted = "p.yaml:2: f needs ln(x), but x = -1: only a number above 0 has a logarithm; take a smaller learning_rate\n"
    assert run(capsys, "solve", "p.yaml", "--iterations", "3", "--lang", "en") == (2, "", wanted)


def test_trouble_in_the_letters_of_a_notation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TROUBLES[0][1], encoding="utf-8")
    _, _, err = run(capsys, "solve", str(path), "--notation", "zhou", "--lang", "en")
    assert "ln(1 - ŷ₁), but ŷ₁ = 1" in err


def test_what_is_not_asked_is_no_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(TROUBLES[0][1], encoding="utf-8")
    assert run(capsys, "solve", str(path), "--only", "net.y") == (0, "net_y = w1·x1 + w2·x2 = 0.5·1 + 1·2 = 2.5\n", "")


def test_an_error_of_the_library_knows_where_it_is() -> None:
    derivation = derive(loads(TROUBLES[0][1]))
    with pytest.raises(EvaluationError) as caught:
        list(derivation.steps())
    assert derivation.graph.cell_id(caught.value.cell) == "loss.y" and caught.value.evaluation is derivation.evaluation


# --- notes ------------------------------------------------------------------------------------------------------------------

TWO = """\
inputs: {x1: 1, x2: 2}
targets: {y: 1}
layers:
  - {neurons: [h1, h2], activation: tanh, weights: {a: [x1, h1, 1], b: [x2, h1, 1], c: [x1, h2, 1], d: [x2, h2, 1]}, bias: 0}
  - {neurons: [y], activation: sigmoid, weights: [[1, 1]]}
"""
NOTES = [
    ("a target that is too large", network(target="5", rest=""), "y never reaches its target 5: sigmoid has no value above 1."),
    ("a target that is too small", network("relu", "-1", rest=""), "y never reaches its target -1: relu has no value below 0."),
    ("a formula", network("z/(1+abs(z))", "2", rest=""), "y never reaches its target 2: z/(1+abs(z)) has no value above 1."),
    ("step", network("step", "-1", rest="error: direct\n"), "y never reaches its target -1: step has no value below 0."),
    ("softmax of one", network("softmax", "1", rest=""), "Softmax over one neuron, as in layer 1, is always 1: sigmoid is meant."),
    ("ln 0 to come", network("relu", "1"), "The loss (binary_cross_entropy) has no value where y is 0, as relu may be."),
    ("cross-entropy of one", network(rest="loss: cross_entropy\n"),
     "With one output, cross_entropy (−t·ln o) says nothing about a target 0: binary_cross_entropy does."),
    ("hinge of shares", network("tanh", "0", rest="loss: hinge\n"), "hinge is for targets −1 and 1: a target 0 says nothing."),
    ("hinge of one class", "inputs: [1]\ntargets: [0, 1]\nlayers: [{neurons: 2, weights: [[1], [2]]}]\nloss: hinge\n",
     "hinge is for targets −1 and 1: a target 0 says nothing. For one of several classes there is multiclass_hinge."),
    ("the book of a notation", network(rest="loss: mean_squared_error\nnotation: zhou\n"),
     "The book of this notation has ½Σ(t − o)², also where it says mean squared error: that is half_squared_error."),
    ("a batch of one", "inputs: [1, 2]\nlayers: [{type: batch_norm, weights: [1, 1]}]\n",
     "batch_norm of one sample: its variance is 0. The numbers of a batch stand under samples."),
    ("rows for samples", "inputs: [[1, 2], [3, 4]]\nlayers: [{neurons: 1, activation: sigmoid, weights: [[1, 1]]}]\n",
     "The rows of inputs are times, or words, of one sample, and their losses are added; several samples stand under samples."),
    ("a row that no window holds", "inputs: [[1, 2], [3, 4], [5, 6]]\nlayers: [{type: max_pool, kernel_size: 2}]\n",
     "Layer 1: the last 1 row is in no window."),
    ("no activation", TWO.replace("activation: tanh, ", ""), "Layer 1 has no activation: its outputs are its net inputs."),
    ("an edge", TWO.replace(", d: [x2, h2, 1]", ""), "There is no weight from x2 to h2; all others are there."),
    ("an input", TWO.replace(", b: [x2, h1, 1]", "").replace(", d: [x2, h2, 1]", ""), "x2 leads nowhere: it has no weight."),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), [pytest.param(*row[1:], id=row[0]) for row in NOTES])
def test_note(text: str, wanted: str) -> None:
    assert [str(found) for found in doubts(loads(text))] == [wanted]


@pytest.mark.parametrize(
    "text",
    [
        TWO,
        TWO.replace("activation: tanh", "activation: identity"),  # said, so meant
        TWO.replace("activation: tanh, ", "").replace("activation: sigmoid, ", ""),  # a linear network
        TWO.replace(", d: [x2, h2, 1]", "").replace("a: [x1, h1, 1], ", ""),  # a sparse one
        network(target="1", rest=""),  # an end of the range: as near as one likes
        network("sign", "-1", rest="loss: hinge\n"),
        network("tanh", "5", rest="loss: t*o\n"),  # an upstream gradient
        network("identity", "5", rest=""),
        network("softplus", "1", rest="loss: cosine\n"),  # a quotient of sums over the outputs
        "given: {x: 2}\nequations: {f: x^2}\n",
    ],
)
def test_no_note(text: str) -> None:
    assert doubts(loads(text)) == ()


def test_every_rule_is_shown_by_a_row() -> None:
    for rule in RULES:
        assert any(list(rule(loads(text))) for _, text, _ in NOTES), rule.__name__


# Problems whose numbers are published as they are, though they look like slips.
MEANT = {"chinese-homework": 1}


@pytest.mark.parametrize("name", some([*shipped()], ["mazur-2-2-2", "chinese-homework", "transformer-block"]))
def test_shipped_problem_has_no_note(name: str) -> None:
    assert len(doubts(loaded(name))) == MEANT.get(name, 0), [str(found) for found in doubts(loaded(name))]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_reach_is_a_range(name: str) -> None:
    activation = loads(network(name, rest="")).layers[0].activations[0]
    low, high = reach(activation)
    assert low is None or high is None or low < high


@pytest.mark.parametrize("format", ["plain", "markdown", "html"])
def test_notes_stand_under_what_is_given_but_on_no_worksheet(format: str) -> None:
    derivation = derive(loads(NOTES[0][1]))
    key = export((derivation,), format, Style(), "en").content
    sheet = export((derivation,), format, Style(view="worksheet"), "en").content
    assert "never reaches its target" in str(key) and "never reaches" not in str(sheet)
    assert FORMATS[format].name == format
