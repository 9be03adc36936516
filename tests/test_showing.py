"""What notebooks show: derivations, steps, markings and trainings as HTML, Markdown, LaTeX and text; %handcalc and its errors in words."""

from __future__ import annotations

import json
import pickle
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
from exports import HOSTILE, hostile_problem
from pages import Page
from shipping import EACH, loaded, solved

import handcalc
from handcalc.deriving import derive
from handcalc.loading.loader import loads, shipped
from handcalc.notebooks.bundles import SHORT
from handcalc.notebooks.bundles import solved as document_of
from handcalc.notebooks.magics import COMMANDS, MagicAnswer
from handcalc.render.report import Style, export

KINDS = {"text/plain", "text/html", "text/markdown", "text/latex"}
MAZUR = shipped()["mazur-2-2-2"].read_text("utf-8")
NO_VALUE = "given: {x: 0}\nequations: {y: ln(x)}\n"
WRONG = "inputs: [1, 2]\nlayers:\n  - neurons: 2\n    activation: sigmod\n    weights: [[1, 2], [3, 4]]\n"
OWN_COMMANDS = re.compile(r"\\(tall|room)\b|\{d\{")  # of our documents; a piece has to do without them


def bundle(value: Any) -> dict[str, str]:
    found = value._repr_mimebundle_()
    assert isinstance(found, dict)
    return found


def page(text: str) -> Page:
    """A piece of HTML, read as a browser does."""
    found = Page(text)
    assert not [element for element in found.root if "id" in element.attributes], "an id, which may be there twice in a notebook"
    assert not found.root.all("script")
    return found


# --- what shows itself ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EACH)
def test_a_solution_shows_itself(name: str) -> None:
    found = bundle(solved(name))
    assert set(found) == KINDS
    assert page(found["text/html"]).root.all("div", class_="handcalc")
    assert not OWN_COMMANDS.search(found["text/latex"])
    assert len(found["text/plain"].splitlines()) < 400
    title = solved(name).header.title
    assert not title or title in found["text/plain"]


def test_a_solution_is_short_until_more_is_asked_for() -> None:
    short = bundle(solved("mazur-2-2-2"))["text/plain"]
    assert "net_j = Σ_i w_ji·x_i + b1" in short
    assert "0.15·0.05" not in short and "η = 0.5" not in short  # no worked lines, and what is given stands in the cell
    assert "0.15·0.05" in document_of(solved("mazur-2-2-2"), SHORT.replace(detail="full", given=True)).bundle()["text/plain"]


def test_a_very_long_solution_ends_with_a_sentence() -> None:
    found = bundle(derive(loaded("mazur-2-2-2"), iterations=40))
    assert "the rest is not shown" in found["text/plain"].splitlines()[-1]
    assert len(found["text/html"]) < 100_000


def test_a_step_shows_its_line() -> None:
    step = solved("mazur-2-2-2")["new.w5"]
    found = bundle(step)
    assert found["text/plain"] == "w5⁺ = w5 - η · ∂E/∂w5 ≈ 0.40 - 0.5·0.0821670 ≈ 0.358916"
    assert r"w_{5}^{+} = w_{5} - \eta \cdot \frac{\partial E}{\partial w_{5}}" in found["text/latex"] and "$$" in found["text/markdown"]
    assert page(found["text/html"]).root.all("math")
    assert bundle(solved("mazur-2-2-2")["w5"])["text/plain"] == "w5 = 0.40"


def test_a_step_of_a_later_round_shows_its_numbers() -> None:
    found = derive(loaded("mazur-2-2-2"), iterations=2)
    assert bundle(found["#2:new.w5"])["text/plain"] != bundle(found["new.w5"])["text/plain"]


def test_showing_is_no_part_of_a_value() -> None:
    found = solved("mazur-2-2-2")
    step = found["new.w5"]
    assert step == found["new.w5"] == step.replace() and hash(step) == hash(step.replace())
    assert bundle(step.replace()) == {"text/plain": repr(step)}  # nothing is known of its derivation
    assert len(pickle.dumps(step)) < 2000 and pickle.loads(pickle.dumps(step)) == step


def test_a_marked_sheet_shows_itself() -> None:
    found = bundle(handcalc.check(loaded("mazur-2-2-2"), {"net.h1": "0.3775", "out.h1": "0.61"}))
    assert set(found) == KINDS and "1 of 2 marks" in found["text/plain"]
    assert [part.text for part in page(found["text/html"]).root.all("span", class_="wrong")]


def test_a_training_shows_its_curve() -> None:
    found = bundle(handcalc.train(loaded("mazur-2-2-2"), 20))
    assert set(found) == KINDS and "20 updates" in found["text/plain"]
    assert page(found["text/html"]).root.all("svg", class_="handcalc-plot")


def test_kinds_are_asked_for() -> None:
    found = solved("mazur-2-2-2")
    assert set(found._repr_mimebundle_(include={"text/plain"})) == {"text/plain"}
    assert set(found._repr_mimebundle_(exclude={"text/html"})) == KINDS - {"text/html"}


def test_the_language_of_a_problem_is_that_of_what_is_shown() -> None:
    assert "前向传播" in bundle(solved("xigua-thresholds"))["text/plain"]


def test_what_has_no_value_is_said_in_words() -> None:
    found = bundle(derive(loads(NO_VALUE)))
    assert set(found) == {"text/plain"} and "y: the function" in found["text/plain"]


@pytest.mark.parametrize("text", HOSTILE[::4])
def test_hostile_texts_stay_texts(text: str) -> None:
    found = bundle(hostile_problem(text))
    assert {element.tag for element in page(found["text/html"]).root} <= {
        "", "style", "div", "h3", "h4", "h5", "h6", "p", "span", "math", "mrow", "mi", "mn", "mo", "msub", "msup", "msubsup", "mfrac", "a",
        "mtext", "munder", "munderover", "mtable", "mtr", "mtd", "table", "thead", "tbody", "tr", "th", "td", "mover", "mspace", "mstyle",
    }  # fmt: skip
    assert "\x1b" not in "".join(found.values()) and "\u202e" not in "".join(found.values())


# --- %handcalc ------------------------------------------------------------------------------------------------------------


class Shell:
    """As much of IPython's shell as an extension needs."""

    def __init__(self) -> None:
        handcalc.load_ipython_extension(self)

    def register_magic_function(self, function: Callable[..., Any], kind: str, name: str) -> None:
        assert (kind, name) == ("line_cell", "handcalc")
        self.magic = function

    def text(self, line: str, cell: str | None = None) -> str:
        """What is shown, as plain text."""
        found = self.magic(line, cell) if cell is not None else self.magic(line)
        assert isinstance(found, MagicAnswer)
        return bundle(found)["text/plain"]


@pytest.fixture
def shell() -> Shell:
    return Shell()


def test_a_cell_is_solved_and_asked(shell: Shell) -> None:
    assert "o2       1.22492   0.772928" in shell.text("", MAZUR)
    assert "≈ 0.358916" in shell.text("why w5")
    assert "1 of 2 marks" in shell.text("check net_h1=0.3775 out_h1=0.61")
    assert "2 of 3 marks" in shell.text("check", "net_h1 = 0.3775\nw5+ = 0.3589\nw6+ = 0.4917\n")
    assert "30 updates" in shell.text("train --iterations 30")
    assert shell.magic("train --iterations 3").value.iterations == 3
    assert shell.magic("solve").value.value("new.w5") == solved("mazur-2-2-2").value("new.w5")


def test_options_are_those_of_the_commands(shell: Shell) -> None:
    assert "0.15·0.05" in shell.text("--detail normal --only forward", MAZUR)
    assert "前向传播" in shell.text("--lang zh --decimals 3")
    assert "0.378" in shell.text("why net.h1 --decimals 3")
    assert "<svg" in bundle(shell.magic("solve --picture"))["text/html"]


@pytest.mark.parametrize("widgets", [False, True])
def test_the_page_is_in_a_frame(shell: Shell, widgets: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It runs its own script and reaches nothing outside."""
    if widgets:
        pytest.importorskip("anywidget", reason="anywidget is not installed")
    else:
        monkeypatch.setitem(sys.modules, "anywidget", None)
    found = shell.magic("page --height 500", MAZUR)._repr_mimebundle_()
    assert ("application/vnd.jupyter.widget-view+json" in found) == widgets
    (frame,) = Page(found["text/html"]).root.all("iframe")
    assert frame.attributes["sandbox"] == "allow-scripts"
    assert all(word in frame.attributes["style"] for word in ("height:500px", "border-box"))
    assert frame.attributes["srcdoc"] == export((solved("mazur-2-2-2"),), "html", Style(), "en").content


def test_shipped_problems_and_files_are_solved(shell: Shell, tmp_path: Any) -> None:
    (tmp_path / "own problem.yaml").write_text(MAZUR, "utf-8")
    assert shell.text(f"solve '{tmp_path}/own problem.yaml'") == shell.text("solve mazur-2-2-2")
    (tmp_path / "sheet.txt").write_text("net.h1 = 0.3775\n", "utf-8")
    assert "1 of 1 marks" in shell.text(f"check {tmp_path}/sheet.txt")


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("", WRONG, 'cell:5: layers[0].activation: unknown activation "sigmod", did you mean "sigmoid"?'),
        ("why w5", None, "there is no problem yet; begin with a cell %%handcalc that has one, or with %handcalc solve FILE"),
        ("", NO_VALUE, "cell: y needs ln(x), but x = 0"),
        ("solve nowhere", None, "there is no such file, and no shipped problem of that name"),
        ("--detial full", MAZUR, "--detail"),
        ("solve 'open", None, "No closing quotation"),
        ("", "inputs: [1", "cell:"),
    ],
)
def test_errors_are_words(shell: Shell, line: str, cell: str | None, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert (shell.magic(line, cell) if cell is not None else shell.magic(line)) is None
    assert said in capsys.readouterr().err


def test_what_went_wrong_leaves_the_problem_as_it_was(shell: Shell, capsys: pytest.CaptureFixture[str]) -> None:
    shell.text("", MAZUR)
    assert shell.magic("", WRONG) is None and shell.magic("why nothing") is None
    assert 'there is no step "nothing"' in capsys.readouterr().err
    assert "≈ 0.358916" in shell.text("why w5")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(shell: Shell, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.magic(f"{name} --help") is None
    assert f"%handcalc {name}" in capsys.readouterr().out


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_a_notebook_runs() -> None:
    """In a kernel of Jupyter's: every cell shows what it should, in all kinds, and no cell ends with a traceback."""
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    cells = [
        "%load_ext handcalc",
        f"%%handcalc --lang en\n{MAZUR}",
        "%handcalc why w5",
        "%%handcalc check\nnet_h1 = 0.3775\nout_h1 = 0.61",
        "%handcalc train --iterations 20",
        "import handcalc\nderivation = handcalc.derive(handcalc.load('gomez-lstm'))\nderivation",
        "derivation['loss']",
        "handcalc.check(handcalc.load('mazur-2-2-2'), {'net.h1': '0.38'})",
    ]
    wrong = f"%%handcalc\n{WRONG}"
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in (*cells, wrong)])
    executed = nbclient.NotebookClient(nbformat.reads(json.dumps(book), 4), timeout=120, kernel_name="python3").execute()
    nbformat.validate(executed)
    *shown, last = (cell["outputs"] for cell in executed["cells"][1:])
    for outputs in shown:
        (output,) = outputs
        assert output["output_type"] == "execute_result" and set(output["data"]) == KINDS
        page(output["data"]["text/html"])
    assert "".join(output["text"] for output in last).startswith("cell:5: layers[0].activation")
    assert {output["output_type"] for output in last} == {"stream"}
