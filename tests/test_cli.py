"""The command line as users meet it: the real entry point in a process of its own, and in-process sweeps over every problem."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy
import pytest
from rich.cells import cell_len
from shipping import KINDS, own_letters, some
from sites import modules

from handcalc import __version__, render
from handcalc.cli import COMMANDS, main
from handcalc.core.functions import ACTIVATIONS, FUNCTIONS
from handcalc.deriving import derive
from handcalc.layers.sections import json_schema
from handcalc.loading.loader import load, loads, shipped
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.problem.words import LOSSES

ESCAPE = "\x1b"
PROBLEMS = list(shipped())


class Run:
    """What a command did: its code, and what it wrote."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err


def handcalc(*arguments: str, cwd: Path | None = None, stdin: str | None = None, **environment: Any) -> Run:
    """`python -m handcalc …` with pipes, in the C.UTF-8 locale unless told otherwise."""
    command = [sys.executable, "-m", "handcalc", *arguments]
    found = subprocess.run(command, capture_output=True, cwd=cwd, env=surroundings(environment), input=(stdin or "").encode(), check=False)
    return Run(found.returncode, found.stdout.decode(), found.stderr.decode())


def surroundings(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a test: this one, without what changes the output."""
    ours = {
        key: value
        for key, value in os.environ.items()
        if key not in ("COLUMNS", "LANG", "LANGUAGE", "NO_COLOR", "FORCE_COLOR", "PYTHONIOENCODING")
    }
    kept = {key: value for key, value in ours.items() if not key.startswith(("LC_", "HANDCALC_"))}
    return {**kept, "LC_ALL": "C.UTF-8", **changes}


@pytest.fixture(autouse=True)
def same_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """In-process runs see the same environment as the others."""
    for key in set(os.environ) - set(surroundings({})):
        monkeypatch.delenv(key)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


def inside(capsys: pytest.CaptureFixture[str], *arguments: str) -> Run:
    """The same without a process: for sweeps over many problems."""
    with pytest.raises(SystemExit) as ended:
        main(list(arguments))
    out, err = capsys.readouterr()
    assert isinstance(ended.value.code, int)
    return Run(ended.value.code, out, err)


# --- help, and mistakes in the command line --------------------------------------------------------------------------------


def test_alone_it_says_what_to_do() -> None:
    run = handcalc()
    assert (run.code, run.err) == (0, "")
    for line in re.findall(r"^  handcalc (.+?)  ", run.out, re.MULTILINE):
        assert line.split()[0] in (*COMMANDS, "--help"), line
    assert "handcalc solve mazur-2-2-2" in run.out


def test_version() -> None:
    assert handcalc("--version").out == handcalc("-V").out == f"handcalc {__version__}\n"


def test_help_is_a_command_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert inside(capsys, "help", "solve").out == inside(capsys, "solve", "--help").out
    assert inside(capsys, "help").out == inside(capsys, "--help").out
    assert inside(capsys, "help", "slove").code == 2


def test_a_problem_from_standard_input() -> None:
    text = shipped()["mazur-2-2-2"].read_bytes()
    command = [sys.executable, "-m", "handcalc", "solve", "-", "--format", "csv"]
    run = subprocess.run(command, input=text, capture_output=True, env=surroundings({}), check=False)
    assert (
        run.returncode == 0
        and run.stdout.decode("utf-8").splitlines() == handcalc("solve", "mazur-2-2-2", "--format", "csv").out.splitlines()
    )
    run = subprocess.run(command, input=b"inputs: [1]\nlayers: {", capture_output=True, env=surroundings({}), check=False)
    assert run.returncode == 2 and run.stderr.startswith(b"stdin:2: ")
    command = [sys.executable, "-m", "handcalc", "train", "-", "--iterations", "2", "--save", "saved.yaml"]
    run = subprocess.run(command, input=text, capture_output=True, env=surroundings({}), check=False)
    assert run.returncode == 2 and b"it needs a file, not standard input" in run.stderr


def test_brief_leaves_no_number_out(capsys: pytest.CaptureFixture[str]) -> None:
    """A shared bias has one gradient, the loss one number: they stand in a table, too."""
    run = inside(capsys, "solve", "mazur-2-2-2", "--detail", "brief")
    steps = json.loads(inside(capsys, "solve", "mazur-2-2-2", "--format", "json").out)["steps"]
    told = {step["id"]: step["shown"] for step in steps if step["phase"] in ("forward", "error", "backward")}
    missing = [id for id, shown in told.items() if shown not in run.out and not id.startswith("path.")]
    assert {"grad.b1", "grad.b2", "loss"} <= told.keys() and not missing


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_ends_with_an_example(command: str, flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, *filter(None, (command, flag)))
    assert (run.code, run.err) == (0, "")
    description = [part.strip() for part in run.out.split("Options:")[0].split("\n\n") if part.strip()]
    examples = [part for part in description if part.startswith("Example: ")]
    assert len(examples) == 1 and examples[0].startswith(
        f"Example: handcalc {command or 'solve'} ".rstrip() + ("" if command == "schema" else " ")
    )
    assert command == "" or description[-1] == examples[0]


@pytest.mark.parametrize("command", some(["", *COMMANDS], {"", *COMMANDS} - {"generate"}))
def test_the_examples_of_the_help_work(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    example = re.search(r"Example: handcalc (.*)", inside(capsys, *filter(None, (command, "-h"))).out)
    assert example
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))
    numpy.savez("model.npz", W1=[[0.2, 0.4]], b1=[0.1])  # for import
    monkeypatch.setenv("HANDCALC_NODE_MODULES", str(modules(tmp_path)))  # for site
    run = inside(capsys, *example[1].split(" > ")[0].split())
    assert run.code == (1 if command == "practice" else 0), run.err  # nothing typed, so no step reached


def test_help_fits_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        for line in inside(capsys, command, "-h").out.splitlines():
            assert len(line) <= 100 or "|" in line, f"{command}: {line}"


# command line → what the message says
WRONG = [
    ("slove mazur-2-2-2", 'no command "slove", did you mean "solve"?'),
    ("lst", 'did you mean "list"?'),
    ("solve", "FILE"),
    ("solve mazur-2-2-2 extra", "extra"),
    ("solve mazur-2-2-2 --fromat json", "--format"),
    ("solve mazur-2-2-2 --notations zhou", "--notation"),
    ("solve mazur-2-2-2 --notation zho", "'zhou'"),
    ("solve mazur-2-2-2 --format pdff", "json"),
    ("solve mazur-2-2-2 --decimals 16", "0<=x<=15"),
    ("solve mazur-2-2-2 --decimals x", "integer"),
    ("solve mazur-2-2-2 --significant 0", "1<=x<=17"),
    ("solve mazur-2-2-2 --decimals 3 --significant 3", "not both"),
    ("solve mazur-2-2-2 --iterations 0", "1<=x"),
    ("solve mazur-2-2-2 --only grad.w55", 'no step "grad.w55", did you mean "grad.w5"?'),
    ("solve mazur-2-2-2 --only #2:loss", 'no step "#2:loss"'),
    ("solve mazur-2-2", 'mazur-2-2: there is no such file, and no shipped problem of that name, did you mean "mazur-2-2-2"?'),
    ("solve ./mazur-2-2-2", "there is no such file"),
    ("why mazur-2-2-2", "STEP"),
    ("why mazur-2-2-2 gard.w1", 'did you mean "grad.w1"?'),
    ("why mazur-2-2-2 #0:w1", "no step"),
    ("list notatoins", "notations"),
    ("new", "FILE"),
    ("new x.yaml --layers 2-x", 'found "2-x"'),
    ("new x.yaml --layers 2-0-1", "from 1 to 20"),
    ("new x.yaml --layers 2-2 --activation sigmod", "sigmoid"),
    ("new x.yaml --layers 2-2 --learning-rate nan", "above 0"),
    ("new x.yaml --layers 2-2 --learning-rate -1", "above 0"),
    ("--nope", "--nope"),
]


@pytest.mark.parametrize(("line", "said"), WRONG, ids=[line for line, _ in WRONG])
def test_wrong_command_lines(
    line: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = inside(capsys, *line.split())
    assert (run.code, run.out) == (2, "")
    assert said in run.err and "Traceback" not in run.err
    assert not list(tmp_path.iterdir())


# --- exit codes ------------------------------------------------------------------------------------------------------------


def test_exit_codes() -> None:
    assert handcalc("solve", "micrograd-readme").code == 0
    assert handcalc("solve", "no-such-problem").code == 2
    assert handcalc("nothing").code == 2


def test_an_internal_error_is_code_3(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> None:
        raise RuntimeError("the cat\nate it")

    monkeypatch.setattr("handcalc.cli.solve.derive", broken)
    run = inside(capsys, "solve", "mazur-2-2-2")
    assert run.code == 3
    assert "internal error" in run.err and "RuntimeError" in run.err and "HANDCALC_DEBUG" in run.err and "Traceback" not in run.err
    monkeypatch.setenv("HANDCALC_DEBUG", "1")
    with pytest.raises(RuntimeError):
        main(["solve", "mazur-2-2-2"])


def test_interrupted(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("handcalc.cli.solve.derive", interrupted)
    run = inside(capsys, "solve", "mazur-2-2-2")
    assert run.code == 130 and "Traceback" not in run.err


# --- commands --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(PROBLEMS, KINDS[::3]))
def test_every_shipped_problem_is_solved(problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "solve", problem, "--detail", "full", "--form", "both", "--iterations", "2", "--lang", "en")
    assert (run.code, run.err) == (0, "")
    derivation = derive(load(problem))
    for name in ("loss", "after.loss"):
        cell = derivation.graph.find(name)
        assert cell is None or derivation.shown(cell).digits in run.out
    assert "Iteration 2" in run.out


def test_solve_shows_the_famous_numbers() -> None:
    run = handcalc("solve", "mazur-2-2-2", "--decimals", "9")
    for number in ("0.593269992", "0.751365070", "0.298371109", "0.082167041", "0.358916480", "0.149780716", "0.291027774"):
        assert number in run.out


@pytest.mark.slow
def test_a_shipped_problem_from_another_folder(tmp_path: Path) -> None:
    assert handcalc("solve", "zhou-neuron", cwd=tmp_path).out == handcalc("solve", "zhou-neuron.yaml", cwd=tmp_path).out != ""
    (tmp_path / "zhou-neuron").write_text("given: {mine: 2}\nequations: {f: mine^2}\nminimize: f\n", "utf-8")
    assert "mine" in handcalc("solve", "zhou-neuron", cwd=tmp_path).out  # a file comes before a shipped problem


def test_a_problem_with_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "my exercises, 第一 [week]"
    folder.mkdir()
    (folder / "a b.yaml").write_bytes(shipped()["zhou-neuron"].read_bytes())
    assert handcalc("solve", str(folder / "a b.yaml")).out == handcalc("solve", "zhou-neuron").out


def test_a_pattern_means_the_steps_of_every_iteration(capsys: pytest.CaptureFixture[str]) -> None:
    def lines(*only: str) -> list[str]:
        words = [word for one in only for word in ("--only", one)]
        return inside(capsys, "solve", "mazur-2-2-2", *words, "--iterations", "3", "--lang", "en").out.strip().split("\n")

    every = lines("new.w?", "grad.w5")
    places = [every.index(f"Iteration {number}") for number in (1, 2, 3)]
    assert places[0] == 0 and [later - earlier for earlier, later in zip(places, places[1:])] == [11, 10]
    assert sorted(lines("#2:new.w?")) == sorted(every[places[1] + 1 : places[2] - 1])
    assert len(lines("new.w5")) == 1


def test_only_and_detail(capsys: pytest.CaptureFixture[str]) -> None:
    everything = inside(capsys, "solve", "mazur-2-2-2").out
    backward = inside(capsys, "solve", "mazur-2-2-2", "--only", "backward").out
    assert "Forward pass" in everything and "Forward pass" not in backward and "Backward pass" in backward
    line = inside(capsys, "solve", "mazur-2-2-2", "--only", "grad.w5").out
    assert [text for text in line.splitlines() if text] and "0.0821670" in line and len(line.splitlines()) <= 5
    sizes = [len(inside(capsys, "solve", "shared-bias-2-3-2", "--detail", detail).out) for detail in ("brief", "normal", "full")]
    assert sizes == sorted(set(sizes))


@pytest.mark.parametrize("form", ["scalar", "matrix", "both"])
def test_forms(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "solve", "mazur-2-2-2", "--form", form)
    assert ("⎡" in run.out) == (form != "scalar")
    assert ("net_h1 = w1·i1" in run.out) == (form != "matrix")


def test_iterations(capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "solve", "mazur-2-2-2", "--iterations", "3", "--detail", "brief", "--decimals", "9")
    assert [f"Iteration {number}" in run.out for number in (1, 2, 3, 4)] == [True, True, True, False]
    assert f"{derive(load('mazur-2-2-2'), iterations=3).value('#3:after.loss'):.9f}" in run.out


@pytest.mark.parametrize("notation", NOTATION_NAMES)
def test_notations(notation: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "solve", "mazur-2-2-2", "--notation", notation)
    assert run.code == 0 and "0.138499" in run.out
    assert ("δ = −∂E/∂net" in run.out) == (notation in ("zhou", "han", "negnevitsky", "mitchell"))


def test_decimal_comma(capsys: pytest.CaptureFixture[str]) -> None:
    comma, point = (inside(capsys, "solve", "mazur-2-2-2", "--only", "forward", *option).out for option in (["--decimal-comma"], []))
    assert "0,3775" in comma and "0.3775" not in comma and "0.3775" in point


# what to ask about mazur-2-2-2 → what the answer holds
WHY = [
    ("grad.w1", ["0.000438568", "net_h1", "out_o1", "∂E/∂out_h1|o2"]),
    ("w1", ["0.000438568", "0.149781"]),
    ("w1+", ["0.149781"]),
    ("δ_o1", ["0.138499"]),
    ("delta_o1", ["0.138499"]),
    ("dE/dw5", ["0.0821670"]),
    ("∂E/∂w5", ["0.0821670"]),
    ("net_h1", ["0.3775"]),
    ("after.loss", ["0.291028"]),
    ("i1", ["0.05"]),
    ("#2:loss", ["0.291028"]),
]


@pytest.mark.parametrize(("step", "held"), WHY, ids=[step for step, _ in WHY])
def test_why(step: str, held: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "why", "mazur-2-2-2", step)
    assert (run.code, run.err) == (0, "")
    assert all(text in run.out for text in held)


def test_why_leaves_out_what_does_not_matter(capsys: pytest.CaptureFixture[str]) -> None:
    run = inside(capsys, "why", "mazur-2-2-2", "net.h1")
    assert "w1·i1" in run.out and "w3" not in run.out and "out_o1" not in run.out


@pytest.mark.parametrize("notation", NOTATION_NAMES)
def test_why_explains_every_symbol_it_uses(notation: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Whatever a line of it uses has a line, or a row of the given data, above it."""
    run = inside(capsys, "why", "mazur-2-2-2", "w1", "--notation", notation)
    known: set[str] = set()
    for kind, line in parts_of(run.out):
        symbol = line.split()[0] if line.split() else ""
        if kind == "formula" and not line.lstrip().startswith(("=", "≈")):
            used = {text for part in line.split(" = ")[1:] for text in re.findall(r"Δ[^·+ ]+", part)}
            assert used <= known, f"{line}: {used - known} is not explained"
        known.add(symbol)
    assert "0.149781" in run.out


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    everything = {
        "problems": shipped(),
        "notations": NOTATION_NAMES,
        "activations": ACTIVATIONS,
        "functions": FUNCTIONS,
        "losses": [*LOSSES],
        "commands": COMMANDS,
        "conventions": [],
    }
    for what, names in everything.items():
        run = inside(capsys, "list", what)
        assert (run.code, run.err) == (0, "")
        listed = {line.split()[0] for line in run.out.splitlines() if line.startswith("  ")}
        assert set(names) <= listed and listed
        assert all(len(line.split()) > 1 for line in run.out.splitlines()), f"{what}: a line without an explanation"
    assert all(f"{name}:" in inside(capsys, "list").out for name in ("problems", "notations", "conventions"))


def test_schema() -> None:
    import json

    run = handcalc("schema")
    assert json.loads(run.out) == json.loads(json.dumps(json_schema()))
    assert handcalc("schema", PYTHONHASHSEED="7").out == run.out


# --- bad files -------------------------------------------------------------------------------------------------------------

# file name, content → the message after the file's name
BAD = [
    ("empty.yaml", b"", ": the file is empty"),
    ("blank.yaml", b"# nothing\n\n", ": the file is empty"),
    ("binary.yaml", b"\x7fELF\x02\x01\x01\x00\xb0\xff\xfe", ":1: not a text in UTF-8"),
    ("nul.yaml", b"title: a\x00b\n", ":1: not valid YAML"),
    ("bracket.yaml", b"inputs: [1, 2\ntargets: [1]\n", ":1: not valid YAML: the bracket"),
    ("tab.yaml", b"inputs: [1]\n\ttargets: [1]\n", ":2: not valid YAML: a tab"),
    ("tag.yaml", b"title: !!python/object/apply:os.system [ls]\n", ":1: tags such as"),
    ("loop.yaml", b"layers: &a [*a]\n", ":1: an alias contains itself"),
    ("list.yaml", b"- 1\n- 2\n", ":1: expected"),
    ("key.yaml", b"given: {x: 1}\nequatons: {}\nequations: {f: x}\n", ':2: equatons: unknown key, did you mean "equations"?'),
    (
        "activation.yaml",
        b"inputs: [1]\nlayers:\n  - neurons: [o]\n    activation: sigmod\n    weights: [[1]]\n",
        ":4: layers[0].activation",
    ),
    ("shape.yaml", b"inputs: [1, 2]\nlayers:\n  - neurons: [o]\n    weights: [[1]]\n", ":4: layers[0].weights: W1 is 1"),
    ("number.yaml", b"inputs: [0,5, x]\nlayers: [{neurons: 1, weights: [[1, 1, 1]]}]\n", ":1: inputs[2]"),
    ("formula.yaml", b"given: {x: 1}\nequations:\n  f: x*\n", ":3: equations.f"),
    ("unknown.yaml", b"given: {x: 1}\nequations:\n  f: x*y\n", ":3: equations.f"),
    ("data.yaml", b"data: nowhere.csv\ninputs: [a]\ntargets: [b]\nlayers: [{neurons: 1, weights: [[1]]}]\n", ":1: data"),
]


@pytest.mark.parametrize(("name", "content", "said"), BAD, ids=[name for name, _, _ in BAD])
def test_bad_files(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line for each mistake, with file and line, and nothing else."""
    (tmp_path / name).write_bytes(content)
    monkeypatch.chdir(tmp_path)
    run = inside(capsys, "solve", name)
    assert (run.code, run.out) == (2, "")
    assert run.err.startswith(name + said), run.err
    assert all(re.match(rf"{re.escape(name)}(:\d+)?: .", line) for line in run.err.splitlines()), run.err
    assert "Traceback" not in run.err and "Error:" not in run.err


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    assert handcalc("solve", "folder", cwd=tmp_path).err == "folder: this is a folder; give a file\n"
    assert handcalc("solve", "a/b.yaml", cwd=tmp_path).err == "a/b.yaml: there is no such file\n"


def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text("inputs: [1]\n", "utf-8")
    secret.chmod(0)
    if os.access(secret, os.R_OK):
        secret = Path("/proc/self/mem")  # the administrator may read everything, but not this
    if not secret.exists():
        pytest.skip("nothing here is unreadable")
    run = handcalc("solve", str(secret))
    assert run.code == 2 and run.err.startswith(f"{secret}: cannot be read: ") and "Traceback" not in run.err


@pytest.mark.parametrize(
    ("formula", "said"), [("ln(x - 5)", "only a number above 0"), ("1/(x - 2)", "divided by 0"), ("exp(1000*x)", "overflow")]
)
def test_numbers_that_do_not_exist(formula: str, said: str, tmp_path: Path) -> None:
    """The message names the first step without a value."""
    (tmp_path / "bad.yaml").write_text(f"given: {{x: 2}}\nequations: {{a: x + 1, b: {formula}, c: b + 1}}\nminimize: c\n", "utf-8")
    run = handcalc("solve", "bad.yaml", cwd=tmp_path)
    assert run.code == 2 and run.err.startswith("bad.yaml:2: b ") and said in run.err and len(run.err.splitlines()) == 1


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        "inputs: [a]\nlearning_rte: 1\nlayers:\n  - {neurons: [o], activation: tnh, weights: [[1]]}\n", "utf-8"
    )
    assert [line.split(": ")[0] for line in handcalc("solve", "x.yaml", cwd=tmp_path).err.splitlines()] == [
        "x.yaml:1",
        "x.yaml:2",
        "x.yaml:4",
    ]


HOSTILE_NAME = "\x1b[31mred\x07\u202e.yaml"


def test_hostile_names_are_made_visible(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (
        ("solve", HOSTILE_NAME),
        ("why", "mazur-2-2-2", HOSTILE_NAME),
        (HOSTILE_NAME,),
        ("solve", "mazur-2-2-2", "--only", HOSTILE_NAME),
    ):
        run = inside(capsys, *arguments)
        assert run.code == 2 and ESCAPE not in run.err and "\x07" not in run.err and "\u202e" not in run.err, arguments


def test_hostile_titles_are_made_visible(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(
        'title: "[bold]a[/bold] \\e[31m \\a \\u202e"\ngiven: {x: 1}\nequations: {f: x}\nminimize: f\n', "utf-8"
    )
    run = handcalc("solve", "x.yaml", cwd=tmp_path)
    assert run.code == 0 and "[bold]a[/bold]" in run.out and not set(run.out) & {ESCAPE, "\x07", "\u202e"}


# --- pipes and encodings ---------------------------------------------------------------------------------------------------


ENVIRONMENTS = [{}, {"TERM": "xterm-256color"}, {"FORCE_COLOR": "1"}, {"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CLICOLOR_FORCE": "1"}]


@pytest.mark.slow
@pytest.mark.parametrize("environment", some(ENVIRONMENTS, [{"FORCE_COLOR": "1"}]))
def test_no_escape_codes_in_pipes(environment: dict[str, Any]) -> None:
    plain = handcalc("solve", "mazur-2-2-2")
    assert ESCAPE not in plain.out and "∂E/∂w5" in plain.out
    assert handcalc("solve", "mazur-2-2-2", **environment).out == plain.out
    for arguments in (("why", "mazur-2-2-2", "w5"), ("list",), ("-h",)):
        assert ESCAPE not in handcalc(*arguments, **environment).out


@pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")
@pytest.mark.parametrize(
    "command",
    some(
        ["solve mazur-2-2-2 --detail full --iterations 30", "solve mazur-2-2-2", "solve mazur-2-2-2 --format json", "list", "schema"],
        ["solve mazur-2-2-2 --detail full --iterations 30", "list"],
    ),
)
def test_a_broken_pipe_is_quiet(command: str) -> None:
    """`handcalc … | head -1`: no message, and not the code of a failure."""
    process = subprocess.Popen(
        [sys.executable, "-m", "handcalc", *command.split()], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=surroundings({})
    )
    assert process.stdout is not None
    process.stdout.read(1)
    process.stdout.close()
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, b"")


def test_the_c_locale() -> None:
    run = handcalc("solve", "mazur-2-2-2", LC_ALL="C")
    assert run.code == 0 and run.out == handcalc("solve", "mazur-2-2-2").out


BARE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.mark.parametrize("environment", some([{"PYTHONIOENCODING": "ascii"}, BARE], [BARE]))
@pytest.mark.parametrize(
    "arguments",
    [
        ["solve", "mazur-2-2-2", "--detail", "full", "--form", "both"],
        ["why", "han-kamber-3-2-1", "grad.θ5"],
        ["list", "conventions"],
        ["list", "losses"],
        ["-h"],
        [],
    ],
)
def test_ascii_where_there_is_nothing_else(arguments: list[str], environment: dict[str, Any]) -> None:
    """No character is lost: there is an ASCII spelling for everything handcalc itself prints."""
    if "grad.θ5" in arguments and "PYTHONUTF8" in environment:
        arguments = ["why", "han-kamber-3-2-1", "grad.net.5"]  # such a command line cannot be typed there
    run = handcalc(*arguments, **environment)
    assert run.code == 0 and run.out.isascii() and run.err == ""
    assert "?" not in run.out.replace("?]", "]")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_plain_format_is_ascii(problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    """But for what the user wrote: title, source, and names."""
    run = inside(capsys, "solve", problem, "--format", "plain", "--lang", "en", "--detail", "full")
    found = load(problem)
    assert {letter for letter in run.out if not letter.isascii()} <= own_letters(problem) | {*found.title, *found.source}
    assert ("?" in found.title + found.source or "?" not in run.out) and run.code == 0


def test_utf8_mode_off_and_other_encodings() -> None:
    assert "δ" in handcalc("solve", "mazur-2-2-2", PYTHONUTF8="1").out
    run = subprocess.run(
        [sys.executable, "-m", "handcalc", "solve", "mazur-2-2-2"],
        capture_output=True,
        env=surroundings({"PYTHONIOENCODING": "latin-1"}),
        check=False,
    )
    assert run.returncode == 0 and b"?" not in run.stdout and run.stdout.isascii()


# --- width -----------------------------------------------------------------------------------------------------------------

RELATION = re.compile(r"(^|\s)(=|≈|~=)\s")


BREAK = re.compile(r"·\S|, | [-+≈=] ")  # where a line can be broken: not in an address, nor in one long name


def parts_of(text: str) -> Iterator[tuple[str, str]]:
    """(kind, line) of every line of a solution: rule, formula or other (headings, tables and sentences)."""
    for line in text.splitlines():
        if re.fullmatch(r"[═─=+ -]*", line):
            yield "rule", line
        elif line.startswith(("══", "==")):
            yield "other", line  # the title, whatever is in it
        elif line.endswith(" is 1 where that is so, else 0."):
            yield "other", line
        elif line[0] == " ":
            yield "formula" if RELATION.search(line) else "other", line
        else:  # general formulas stand beside each other, and beside the heading above them
            for part in re.split(r" {4,}", re.sub(r"^[═─]{2} | [═─]+(?= |$)", "", line)):
                yield "formula" if RELATION.search(part) else "other", part


def balanced(line: str) -> bool:
    """Whether every bracket that opens in a line closes in it."""
    depth = 0
    for letter in line:
        depth += (letter in "([") - (letter in ")]")
        if depth < 0:
            return False
    return depth == 0


WORKED = "forward,error,backward,update"


@pytest.mark.parametrize("columns", some([80, 120], [80]))
@pytest.mark.parametrize("problem", PROBLEMS)
def test_lines_of_formulas_and_tables(
    problem: str, columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a pipe a formula breaks before = and ≈, and where a part alone is too wide at operators and commas."""
    monkeypatch.setenv("COLUMNS", str(columns))
    run = inside(capsys, "solve", problem, "--only", WORKED, "--detail", "full")
    kinds: list[tuple[str, str]] = []
    assert all(cell_len(line) <= columns or not BREAK.search(line.strip()) for line in run.out.splitlines()), run.out
    for kind, line in parts_of(run.out):
        if kinds and kinds[-1][0] == "formula" and line[:6].isspace() and not RELATION.match(line.lstrip()):
            kinds[-1] = "formula", kinds[-1][1] + line.strip()  # the rest of a part
        else:
            kinds.append((kind, line))
    for kind, line in kinds:
        if kind == "formula":
            assert balanced(line), line
            assert RELATION.match(line.lstrip() + " ") or re.match(r"\s*(given: )?\S+( [≈=] |$)", line), line
            assert not re.search(r"[-+*/·.,(]$", line), line
    assert sum(kind == "formula" for kind, _ in kinds) > 0


@pytest.mark.parametrize("problem", PROBLEMS)
def test_given_data_fit_in_forty_columns(problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    run = inside(capsys, "solve", problem, "--only", "given")
    unbreakable = max(map(cell_len, run.out.replace("\n", " ").split()))
    assert all(cell_len(line) <= max(40, unbreakable) for line in run.out.splitlines()), run.out


def wide_problem(samples: int, inputs: int) -> str:
    """A problem whose tables are wider than any screen."""
    rows = "".join(f"  - {{inputs: {[f'{row}.{place:02}12345' for place in range(inputs)]}, targets: [1]}}\n" for row in range(samples))
    layer = f"{{neurons: 1, activation: tanh, weights: [{['0.01'] * inputs}]}}"
    return f"samples:\n{rows}layers: [{layer}]\nloss: squared_error\nlearning_rate: 1\n"


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_wide_tables_are_split(columns: int, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part begins with the names of the rows, and no column is lost."""
    (tmp_path / "wide.yaml").write_text(wide_problem(3, 12), "utf-8")
    monkeypatch.setenv("COLUMNS", str(columns))
    run = inside(capsys, "solve", str(tmp_path / "wide.yaml"), "--only", "given")
    heads = [line.split() for line in run.out.splitlines() if line.startswith("sample ")]
    assert len(heads) > 1
    assert [name for head in heads for name in head[1:]] == [*(f"x{place}" for place in range(1, 13)), "target_o1"]
    assert all(cell_len(line) <= columns for line in run.out.splitlines())
    for row in range(3):
        numbers = [text for line in run.out.splitlines() if line.split()[:1] == [str(row + 1)] for text in line.split()[1:]]
        assert numbers == [*(f"{row}.{place:02}12345" for place in range(12)), "1"]


def test_silly_widths_do_no_harm(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    usual = inside(capsys, "solve", "mazur-2-2-2").out
    for columns in ("0", "-5", "abc", "1", "", "99999999"):
        monkeypatch.setenv("COLUMNS", columns)
        run = inside(capsys, "solve", "mazur-2-2-2")
        assert run.code == 0 and (run.out == usual or columns == "99999999"), columns


# --- a terminal ------------------------------------------------------------------------------------------------------------


def in_terminal(*arguments: str, columns: int = 80, **environment: str) -> str:
    """What a user sees in a terminal so wide."""
    pty, fcntl, termios = (pytest.importorskip(name) for name in ("pty", "fcntl", "termios"))
    import struct

    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    command = [sys.executable, "-m", "handcalc", *arguments]
    process = subprocess.Popen(
        command, stdout=theirs, stdin=theirs, stderr=theirs, env=surroundings({"TERM": "xterm-256color", **environment})
    )
    os.close(theirs)
    chunks = []
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    os.close(ours)
    assert process.wait(60) == 0
    return b"".join(chunks).decode().replace("\r\n", "\n")


def test_a_terminal_gets_colour_and_its_own_width() -> None:
    shown = in_terminal("solve", "mazur-2-2-2", columns=80)
    assert ESCAPE in shown
    text = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert ESCAPE not in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert all(balanced(line) for kind, line in parts_of(text) if kind == "formula")
    assert ESCAPE not in in_terminal("solve", "mazur-2-2-2", "--format", "plain") and "\x1b[3" not in in_terminal(
        "solve", "mazur-2-2-2", NO_COLOR="1"
    )


@pytest.mark.parametrize("columns", some([50, 80, 132], [50]))
def test_long_formulas_break_before_signs(columns: int, tmp_path: Path) -> None:
    """In a narrow terminal a sum of many terms goes on in the next line, before a + or − that no bracket encloses."""
    (tmp_path / "wide.yaml").write_text(
        wide_problem(1, 12).replace("samples:\n  - {inputs:", "inputs:").replace(", targets: [1]}", "\ntargets: [1]"), "utf-8"
    )
    text = re.sub(
        r"\x1b\[[0-9;]*m", "", in_terminal("solve", str(tmp_path / "wide.yaml"), "--only", "net.o1", "--detail", "full", columns=columns)
    )
    assert all(cell_len(line) <= columns and balanced(line) for line in text.splitlines())
    joined = re.sub(r"\s+", " ", text)
    assert " + ".join(f"w{place}·x{place}" for place in range(1, 13)) in joined


def test_the_c_locale_in_a_terminal_is_ascii() -> None:
    assert in_terminal("solve", "mazur-2-2-2", LC_ALL="C").isascii()


# --- languages -------------------------------------------------------------------------------------------------------------

HEADINGS = ("Given", "Forward pass", "Error", "Backward pass", "Update", "After the update")


@pytest.mark.parametrize("problem", some(PROBLEMS, KINDS[::3]))
def test_chinese(problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    english, chinese = (inside(capsys, "solve", problem, "--lang", language, "--detail", "brief") for language in ("en", "zh"))
    assert not [line for kind, line in parts_of(chinese.out) if kind == "other" and line in HEADINGS]
    assert [line for kind, line in parts_of(english.out) if kind == "other" and line in HEADINGS]
    formulas = [[line for kind, line in parts_of(run.out) if kind == "formula"] for run in (english, chinese)]
    formulas[1] = [line.replace("：", ":") for line in formulas[1]]  # i = 1, 3:
    worked = [[line for line in lines if not re.search(r"[一-鿿]|[a-z]{2,} [a-z]{2,}|\.$", line)] for lines in formulas]
    assert worked[0] == worked[1], "formulas do not depend on the language"
    assert worked[0] or load(problem).equations


def test_how_the_language_is_chosen(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def is_chinese(*arguments: str, LC_ALL: str = "C.UTF-8") -> bool:
        monkeypatch.setenv("LC_ALL", LC_ALL)
        return "已知" in inside(capsys, "solve", *arguments).out

    assert is_chinese("xigua-thresholds") and not is_chinese("xigua-thresholds", "--lang", "en")
    assert is_chinese("mazur-2-2-2", "--lang", "zh") and is_chinese("mazur-2-2-2", LC_ALL="zh_CN.UTF-8")
    assert not is_chinese("mazur-2-2-2") and not is_chinese("mazur-2-2-2", LC_ALL="de_DE.UTF-8")
    assert not is_chinese("mazur-2-2-2", "--lang", "en", LC_ALL="zh_CN.UTF-8")


def test_messages_in_chinese(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("solve", "nowhere", "--lang", "zh"), ("why", "mazur-2-2-2", "nothing", "--lang=zh"), ("solve", "--lang", "zh")):
        run = inside(capsys, *arguments)
        assert run.code == 2 and re.search("[一-鿿]", run.err), run.err


# --- new -------------------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_new_same_seed_same_bytes(tmp_path: Path) -> None:
    for name, options in (("a.yaml", ()), ("b.yaml", ()), ("c.yaml", ("--seed", "2"))):
        run = handcalc("new", name, "--layers", "2-3-2", *options, cwd=tmp_path)
        assert (run.code, run.out) == (0, "") and f"handcalc solve {name}" in run.err
    first, second, third = ((tmp_path / name).read_bytes() for name in ("a.yaml", "b.yaml", "c.yaml"))
    assert first == second != third


@pytest.mark.parametrize("activation", some(ACTIVATIONS, ACTIVATIONS[::9]))
def test_new_files_solve(activation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = str(tmp_path / "new.yaml")
    for layers in ("1-1", "2-3-2", "3-2-4-1"):
        assert inside(capsys, "new", file, "--layers", layers, "--activation", activation, "--learning-rate", "0.25", "--force").code == 0
        problem = load(file)
        assert [len(problem.inputs), *(len(layer.neurons) for layer in problem.layers)] == [int(size) for size in layers.split("-")]
        assert problem.layers[-1].activations[0].name == activation
        derivation = derive(problem)
        assert derivation.value("rate") == 0.25 and len(list(derivation.steps())) > 10
    assert inside(capsys, "solve", file, "--detail", "brief").code == 0


def test_new_in_chinese_is_the_same_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    for language in ("en", "zh"):
        assert inside(capsys, "new", f"{language}.yaml", "--layers", "2-3-2", "--lang", language).code == 0
    english, chinese = ((tmp_path / f"{language}.yaml").read_text("utf-8") for language in ("en", "zh"))
    assert english.isascii() and re.search("[一-鿿]", chinese)
    assert load("en.yaml").replace(path="") == load("zh.yaml").replace(path="")


def test_new_asks(tmp_path: Path) -> None:
    run = handcalc("new", "asked.yaml", cwd=tmp_path, stdin='It\'s: my "first" one #1\n2-2-1\ntanh\n0.1\n')
    assert (run.code, run.out.strip(" ")) == (0, "")  # older versions of click write a space for each question
    problem = load(tmp_path / "asked.yaml")
    assert (problem.title, len(problem.layers), problem.layers[0].activations[0].name) == ('It\'s: my "first" one #1', 2, "tanh")
    assert "0.1" in handcalc("solve", "asked.yaml", cwd=tmp_path).out


def test_new_takes_defaults_and_asks_again(tmp_path: Path) -> None:
    assert handcalc("new", "default.yaml", cwd=tmp_path, stdin="\n\n\n\n").code == 0
    assert len(load(tmp_path / "default.yaml").layers) == 2
    assert handcalc("new", "again.yaml", cwd=tmp_path, stdin="t\n2-1\nsigmod\nsigmoid\nfast\n0.5\n").code == 0
    assert load(tmp_path / "again.yaml").layers[0].activations[0].name == "sigmoid"


def test_new_without_answers_writes_nothing(tmp_path: Path) -> None:
    run = handcalc("new", "nothing.yaml", cwd=tmp_path)
    assert run.code != 0 and "Traceback" not in run.err and not list(tmp_path.iterdir())


def test_new_never_overwrites_without_force(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("precious", "utf-8")
    run = handcalc("new", "mine.yaml", "--layers", "2-2", cwd=tmp_path)
    assert run.code == 2 and "--force" in run.err and mine.read_text("utf-8") == "precious"
    assert handcalc("new", "mine.yaml", "--layers", "2-2", "--force", cwd=tmp_path).code == 0
    assert load(mine).layers
    assert {path.name for path in tmp_path.iterdir()} == {"mine.yaml"}


# --- -o --------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", some(["terminal", "plain"], ["terminal"]))
def test_output_to_a_file(form: str, tmp_path: Path) -> None:
    target = tmp_path / "solution.txt"
    run = handcalc("solve", "xigua-thresholds", "--format", form, "-o", str(target))
    assert (run.code, run.out) == (0, "")
    assert target.read_text("utf-8") == handcalc("solve", "xigua-thresholds", "--format", form).out
    assert handcalc("solve", "xigua-thresholds", "--format", form, "-o", str(target), PYTHONIOENCODING="ascii").code == 2
    assert handcalc("solve", "xigua-thresholds", "--format", form, "-o", str(target), "--force", PYTHONIOENCODING="ascii").code == 0
    assert "西瓜" in target.read_text("utf-8")


@pytest.mark.parametrize("command", ["solve", "audit", "train", "gradcheck", "derive", "lint"])
def test_the_ending_of_the_output_says_the_format(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    more = {"audit": ["--number", "out.h1=0.5933"], "derive": ["grad.w1"], "train": ["--iterations", "2"]}.get(command, [])
    target = tmp_path / "out.json"
    assert inside(capsys, command, "mazur-2-2-2", *more, "-o", str(target)).code in (0, 1)  # 1: findings of lint
    assert isinstance(json.loads(target.read_text("utf-8")), dict)
    run = inside(capsys, command, "mazur-2-2-2", *more, "-o", str(tmp_path / "out.json"), "--format", "plain", "--force")
    assert run.code == 2 and "the ending stands for json, but --format says plain" in run.err
    if command != "solve":
        run = inside(capsys, command, "mazur-2-2-2", *more, "-o", str(tmp_path / "out.docx"))
        assert run.code == 2 and "this command has no format with this ending" in run.err and not (tmp_path / "out.docx").exists()


# --- the helpers -----------------------------------------------------------------------------------------------------------


def test_helpers_find_what_they_look_for() -> None:
    assert balanced("a·(b + c[1]) = 2") and not balanced("a·(b +") and not balanced("c) = 1")
    text = "── Forward pass ──\nLayer 1    net = w·x    y = z\n  net = w·x ≈ 2\n      = 3\nquantity   value\n────────────────\nx 1"
    kinds = ["other", "other", "formula", "formula", "formula", "formula", "other", "rule", "other"]
    assert [kind for kind, _ in parts_of(text)] == kinds
    assert [line for _, line in parts_of(text)][:3] == ["Forward pass", "Layer 1", "net = w·x"]


def test_columns_that_are_left_out_are_counted() -> None:
    """Inputs of two samples: 24 are shown, and the table says that three are not."""
    numbers = ", ".join(["0.5"] * 27)
    samples = "samples:\n" + f"  - {{inputs: [{numbers}], targets: [1]}}\n" * 2
    text = render(derive(loads(samples + f"layers:\n  - {{neurons: 1, weights: [[{numbers}]]}}\n")))
    assert "… 3 more columns are not shown" in text
    assert "columns are not shown" not in render(
        derive(loads(samples.replace(numbers, "0.5, 0.5") + "layers:\n  - {neurons: 1, weights: [[1, 2]]}\n"))
    )
