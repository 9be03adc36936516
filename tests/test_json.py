"""`solve --format json`: the contract of docs (DESIGN section 11), key by key, over every shipped problem."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import zip_longest
from math import isclose, isfinite
from pathlib import Path
from typing import Any

import pytest
from shipping import loaded, some

from handcalc.cli import main
from handcalc.core.order import PHASES
from handcalc.core.quantity import KINDS
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.disk import writing
from handcalc.errors import OutputError
from handcalc.loading.loader import load, loads, shipped
from handcalc.models.model import forget
from handcalc.problem.schema import Conventions
from handcalc.render import render
from handcalc.render.formats import jsonform
from handcalc.render.report import Style, reported

TOP = ["handcalc", "title", "conventions", "rounding", "steps", "loss"]
STEP = ["id", "phase", "kind", "symbol", "formula", "substituted", "value", "shown", "inputs"]
OPTIONAL = ["contributions", "given", "sign", "sample"]
CONVENTIONS = ["bias_update", *Conventions._fields]
PROBLEMS = list(shipped())

Json = dict[str, Any]


def handcalc(*arguments: str, cwd: Path | None = None, **environment: Any) -> subprocess.CompletedProcess[bytes]:
    """The real command, in a process of its own."""
    command = [sys.executable, "-m", "handcalc", *arguments]
    return subprocess.run(command, capture_output=True, cwd=cwd, env={**os.environ, **environment}, check=False)


def inside(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """The same without a process: where nothing of it matters."""
    streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", newline="\n") for _ in range(2)]
    redirected = contextlib.redirect_stdout(streams[0]), contextlib.redirect_stderr(streams[1])
    with contextlib.chdir(cwd or os.curdir), redirected[0], redirected[1], pytest.raises(SystemExit) as ended:
        main([*arguments])
    for stream in streams:
        stream.flush()
    return subprocess.CompletedProcess(arguments, int(ended.value.code or 0), *(stream.buffer.getvalue() for stream in streams))


@cache
def solved(problem: str, iterations: int = 1, notation: str = "", rounding: Rounding | None = None) -> Json:
    """The JSON of a shipped problem, read back."""
    found: Json = json.loads(render(derive(load(problem), rounding, iterations), "json", notation), parse_constant=_no_constant)
    return found


def _no_constant(text: str) -> Any:
    raise AssertionError(f"{text} is no JSON")


def steps(document: Json) -> dict[str, Json]:
    """Steps by id."""
    return {step["id"]: step for step in document["steps"]}


# --- shape ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", PROBLEMS)
def test_keys_and_kinds_of_values(problem: str) -> None:
    document = solved(problem)
    assert list(document) == TOP
    assert document["handcalc"] == 1
    assert document["title"] == load(problem).title
    assert list(document["conventions"]) == CONVENTIONS
    assert list(document["loss"]) == ["before", "after"]
    for step in document["steps"]:
        optional = [key for key in OPTIONAL if key in step]
        assert list(step) == [*STEP, *optional, "iteration"], step["id"]
        assert step["phase"] in PHASES and step["kind"] in KINDS, step
        assert type(step["value"]) is float and isfinite(step["value"]), step
        assert (step["formula"] is None) == (step["substituted"] is None) == (step["inputs"] == []) or step["formula"], step
        assert all(isinstance(step[key], str) and step[key] for key in ("id", "symbol", "shown")), step
        assert step["iteration"] == 1
        assert step.get("sign", -1) == -1


@pytest.mark.parametrize("problem", PROBLEMS)
def test_ids_are_unique_and_inputs_come_earlier(problem: str) -> None:
    document = solved(problem, 2)
    seen: set[str] = set()
    for step in document["steps"]:
        assert step["id"] not in seen
        assert set(step["inputs"]) <= seen, f"{step['id']}: {set(step['inputs']) - seen} not before it"
        through = {part["through"] for part in step.get("contributions", ())}
        assert through <= {other["id"] for other in document["steps"]} or load(problem).fixed  # ∂E/∂net may be given without net
        seen.add(step["id"])


@pytest.mark.parametrize("problem", PROBLEMS)
def test_phases_come_in_order(problem: str) -> None:
    """But where the error goes back through updated weights: what is used comes first."""
    for iteration in (1, 2) if load(problem).conventions.hidden_error_weights == "old" else ():
        order = [PHASES.index(step["phase"]) for step in solved(problem, 2)["steps"] if step["iteration"] == iteration]
        assert order == sorted(order) and order


@pytest.mark.parametrize("problem", PROBLEMS)
def test_values_are_full_precision_and_shown_are_their_digits(problem: str) -> None:
    document = solved(problem, 1, "", Rounding(significant=5))
    derivation = derive(load(problem), Rounding(significant=5))
    for step in document["steps"]:
        assert step["value"] == float(derivation.value(step["id"])), step["id"]
        sign = step.get("sign", 1)
        close = abs(float(step["shown"]) * sign - step["value"]) <= abs(step["value"]) * 0.5001e-4
        assert close or step["formula"] is None and float(step["shown"]) * sign == step["value"], step


@pytest.mark.parametrize("problem", PROBLEMS)
def test_contributions_sum_to_the_value(problem: str) -> None:
    found = [step for step in solved(problem)["steps"] if "contributions" in step]
    for step in found:
        assert all(list(part) == ["through", "upstream", "local", "value"] for part in step["contributions"])
        assert isclose(sum(part["value"] for part in step["contributions"]), step["value"], rel_tol=1e-9, abs_tol=1e-15), step
    assert found or load(problem).loss is None or "zhou-predict" in problem or load(problem).loss.form == "direct"  # type: ignore[union-attr]


def test_contributions_name_paths() -> None:
    step = steps(solved("mazur-2-2-2"))["grad.out.h1"]
    assert [part["through"] for part in step["contributions"]] == ["net.o1", "net.o2"]
    assert [(part["upstream"], part["local"]) for part in step["contributions"]] == [("delta_o1", "w5"), ("delta_o2", "w7")]
    assert isclose(step["contributions"][0]["value"], 0.05539942465142279, rel_tol=1e-12)


# --- iterations, samples, losses -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", [one for one in PROBLEMS if loaded(one).training.mode != "mini_batch"])  # whose samples change
def test_iterations_repeat_the_steps_with_a_prefix(problem: str) -> None:
    document = solved(problem, 3)
    by_round = {number: [step for step in document["steps"] if step["iteration"] == number] for number in (1, 2, 3)}
    for first, second, third in zip_longest(*by_round.values()):
        assert (second["id"], third["id"]) == (f"#2:{first['id']}", f"#3:{first['id']}")
        assert second["inputs"] == [f"#2:{name}" for name in first["inputs"]]
        assert [part["through"] for part in second.get("contributions", ())] == [
            f"#2:{p['through']}" for p in first.get("contributions", ())
        ]
    assert len(document["steps"]) == 3 * len(by_round[1]) > 0


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_round_starts_where_the_last_one_ended(problem: str) -> None:
    found = steps(solved(problem, 2, "", Rounding()))
    updated = [name.removeprefix("new.") for name in found if name.startswith("new.")]
    for name in updated:
        assert found[f"#2:{name}"]["value"] == found[f"new.{name}"]["value"]
    assert bool(updated) == (load(problem).learning_rate is not None or bool(load(problem).rules))


@pytest.mark.parametrize("problem", PROBLEMS)
def test_samples(problem: str) -> None:
    given = load(problem)
    first = {"batch": len(given.samples), "mini_batch": given.training.batch_size}.get(given.training.mode, 0)
    names = [sample.name for sample in given.samples[:first]] if len(given.samples) > 1 else []
    for step in solved(problem)["steps"]:
        along = step["id"].split("@")[1:]
        assert step.get("sample") == next((name for name in along if name in names), None), step["id"]
    assert not names or {step.get("sample") for step in solved(problem)["steps"]} == {*names, None}


@pytest.mark.parametrize("problem", PROBLEMS)
def test_loss_before_and_after(problem: str) -> None:
    document = solved(problem, 2)
    found = steps(document)
    before, after = document["loss"]["before"], document["loss"]["after"]
    name = load(problem).minimize or "loss"
    assert before == (found[name]["value"] if name in found else None)
    assert after == (found[f"#2:after.{name}"]["value"] if f"#2:after.{name}" in found else None)
    if problem in ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy"):
        assert after < before


@pytest.mark.slow
def test_there_is_something_to_test() -> None:
    """Samples, losses, updates, signs and all kinds occur among the shipped problems."""
    everything = [step for problem in PROBLEMS for step in solved(problem, 1)["steps"]]
    assert set(KINDS) == {step["kind"] for step in everything}
    assert {step["phase"] for step in everything} == set(PHASES)
    assert any("sign" in step for step in everything) and any("sample" in step for step in everything)


# --- options ---------------------------------------------------------------------------------------------------------------

# rounding → its object
ROUNDINGS = [
    (Rounding(), {"significant": 6, "carry": False, "ties": "half_up"}),
    (Rounding(decimals=4, significant=None, carry=True), {"decimals": 4, "carry": True, "ties": "half_up"}),
    (Rounding(significant=3, ties="truncate"), {"significant": 3, "carry": False, "ties": "truncate"}),
    (Rounding(exact=True), {"significant": 6, "carry": False, "ties": "half_up", "exact": True}),
    (
        Rounding(overrides=(("grad.*", None, 3), ("out.*", 2, None))),
        {"significant": 6, "carry": False, "ties": "half_up", "overrides": {"grad.*": {"significant": 3}, "out.*": {"decimals": 2}}},
    ),
]


@pytest.mark.parametrize(("rounding", "expected"), ROUNDINGS)
def test_rounding_object(rounding: Rounding, expected: Json) -> None:
    assert solved("mazur-2-2-2", 1, "", rounding)["rounding"] == expected


def test_overrides_count() -> None:
    found = steps(solved("mazur-2-2-2", 1, "", ROUNDINGS[-1][0]))
    assert [found[name]["shown"] for name in ("grad.w5", "out.h1", "net.o1")] == ["0.0822", "0.59", "1.10591"]


def test_notations_change_symbols_and_signs_but_no_values() -> None:
    mazur, zhou = steps(solved("mazur-2-2-2")), steps(solved("mazur-2-2-2", 1, "zhou"))
    assert list(mazur) == list(zhou)
    assert all(mazur[name]["value"] == zhou[name]["value"] for name in mazur)
    step = zhou["grad.net.o1"]
    assert (step["symbol"], step["shown"], step["sign"]) == ("g_1", "-0.138499", -1)
    assert "sign" not in mazur["grad.net.o1"] and mazur["grad.net.o1"]["shown"] == "0.138499"


# --only … → ids
ONLY: list[tuple[list[str], Callable[[Json], bool]]] = [
    (["--only", "forward"], lambda step: step["phase"] == "forward"),
    (["--only", "forward,update"], lambda step: step["phase"] in ("forward", "update")),
    (["--only", "error", "--only", "given"], lambda step: step["phase"] in ("error", "given")),
    (["--only", "grad.w5"], lambda step: step["id"] == "grad.w5"),
    (["--only", "dE/dw5"], lambda step: step["id"] == "grad.w5"),
    (["--only", "w1+", "--only", "net_h1"], lambda step: step["id"] in ("new.w1", "net.h1")),
]


@pytest.mark.parametrize(("options", "kept"), ONLY, ids=[" ".join(options) for options, _ in ONLY])
def test_only(options: list[str], kept: Callable[[Json], bool]) -> None:
    found = json.loads(inside("solve", "mazur-2-2-2", "--format", "json", *options).stdout)
    expected = [step for step in solved("mazur-2-2-2")["steps"] if kept(step)]
    assert sorted(found["steps"], key=lambda step: step["id"]) == sorted(expected, key=lambda step: step["id"])
    assert expected and [found[key] for key in TOP if key != "steps"] == [solved("mazur-2-2-2")[key] for key in TOP if key != "steps"]


def test_only_of_a_later_iteration() -> None:
    found = json.loads(inside("solve", "mazur-2-2-2", "--format", "json", "--iterations", "3", "--only", "#3:loss").stdout)
    assert [step["id"] for step in found["steps"]] == ["#3:loss"]
    assert found["steps"][0] == steps(solved("mazur-2-2-2", 3))["#3:loss"]


def test_options_reach_the_json() -> None:
    options = ("--decimals", "3", "--carry", "--notation", "nielsen", "--iterations", "2")
    found = json.loads(inside("solve", "mazur-2-2-2", "--format", "json", *options).stdout)
    assert found == solved("mazur-2-2-2", 2, "nielsen", Rounding(decimals=3, significant=None, carry=True))


# --- bytes -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(["mazur-2-2-2", "zhou-four-people", "xigua-thresholds"], ["mazur-2-2-2"]))
def test_the_same_bytes_whatever_the_hash_seed(problem: str) -> None:
    runs = [handcalc("solve", problem, "--format", "json", "--iterations", "2", PYTHONHASHSEED=seed) for seed in ("0", "1", "4242")]
    assert {run.returncode for run in runs} == {0} and all(run.stderr == b"" for run in runs)
    assert len({run.stdout for run in runs}) == 1
    assert runs[0].stdout.decode("utf-8") == render(derive(load(problem), iterations=2), "json")


@pytest.mark.slow
def test_the_same_bytes_whatever_the_terminal() -> None:
    plain = handcalc("solve", "xigua-thresholds", "--format", "json")
    environments: list[dict[str, Any]] = [{"LC_ALL": "C"}, {"COLUMNS": "40"}, {"PYTHONUTF8": "1"}, {"NO_COLOR": "1"}, {"FORCE_COLOR": "1"}]
    for environment in environments:
        assert handcalc("solve", "xigua-thresholds", "--format", "json", **environment).stdout == plain.stdout, environment
    assert "西瓜".encode() in plain.stdout


def test_a_large_solution_is_written_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    """The text is the same, and no more formulas are kept than those of the last steps."""
    monkeypatch.setattr(jsonform, "TOGETHER", 10)
    forget()
    derivation = derive(load("mazur-2-2-2"))
    pieces, kept = [], 0
    for piece in jsonform.pieces(reported([derivation], "json", Style())):
        pieces.append(piece)
        kept = max(kept, len(derivation.graph.known.steps))
    assert len(pieces) > 50 and 0 < kept <= 10
    assert "".join(pieces) == render(derive(load("mazur-2-2-2")), "json")


def test_of_a_long_text_nothing_comes_out_before_all_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where it is too long for memory, and where there is no room for it."""

    def failing() -> Iterator[str]:
        yield "beginning"
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writing, "SPOOLED", 4)
    with writing.spooled(["one\n", "two ≈ 2\n", "three"]) as lines:
        assert [*lines] == ["one\n", "two ≈ 2\n", "three"]
    with pytest.raises(OutputError, match="No space left"), writing.spooled(failing()):
        raise AssertionError("nothing may be asked for")


UNWANTED = """
import sys
from handcalc.cli import main
try:
    main(["solve", "mazur-2-2-2", "--format", "json"])
except SystemExit:
    print(sorted({"tempfile", "numpy", "handcalc.arrays.arraycode"} & {*sys.modules}), file=sys.stderr)
"""


def test_json_imports_nothing_that_it_does_not_need() -> None:
    """The code of array programs is for large networks, and files without a name for long texts."""
    done = subprocess.run([sys.executable, "-c", UNWANTED], capture_output=True, text=True)
    assert done.stdout.startswith("{") and done.stderr == "[]\n"


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [["solve", "xigua-thresholds", "--only", "loss"], ["audit", "mazur-2-2-2", "--number", "δ_o1=0.1385"]]
)
def test_nothing_is_lost_where_there_is_only_ascii(arguments: list[str]) -> None:
    everywhere, ascii = (handcalc(*arguments, "--format", "json", PYTHONIOENCODING=encoding) for encoding in ("utf-8", "ascii"))
    assert ascii.stdout.isascii() and not everywhere.stdout.isascii()
    assert json.loads(ascii.stdout) == json.loads(everywhere.stdout)


HOSTILE = 'a\u0000b \u202e <script>alert(1)</script> "quoted" back\\slash \x1b[31m \' ${x}'


def test_hostile_titles_stay_json() -> None:
    problem = loads("given: {x: 2}\nequations: {f: x^2}\nminimize: f\n").replace(title=HOSTILE)
    assert json.loads(render(derive(problem), "json"))["title"] == HOSTILE


# --- files -----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def problem_file(tmp_path: Path) -> Path:
    """A copy of a shipped problem."""
    copy = tmp_path / "problem.yaml"
    copy.write_bytes(shipped()["mazur-2-2-2"].read_bytes())
    return copy


def test_output_file(problem_file: Path) -> None:
    target = problem_file.parent / "out.json"
    run = handcalc("solve", "problem.yaml", "--format", "json", "-o", "out.json", cwd=problem_file.parent)
    assert (run.returncode, run.stdout) == (0, b"")
    assert target.read_bytes() == handcalc("solve", str(problem_file), "--format", "json").stdout
    assert stat.S_IMODE(target.stat().st_mode) == 0o666 & ~_umask()
    assert {path.name for path in problem_file.parent.iterdir()} == {"problem.yaml", "out.json"}


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def test_an_existing_file_needs_force(problem_file: Path) -> None:
    target = problem_file.parent / "out.json"
    target.write_text("precious", "utf-8")
    arguments = ("solve", str(problem_file), "--format", "json", "-o", str(target))
    run = inside(*arguments)
    assert run.returncode == 2 and b"--force" in run.stderr and str(target).encode() in run.stderr
    assert target.read_text("utf-8") == "precious"
    assert inside(*arguments, "--force").returncode == 0
    assert json.loads(target.read_text("utf-8"))["handcalc"] == 1


@pytest.mark.parametrize("how", ["same", "dotted", "link", "hard link"])
def test_the_input_is_never_overwritten(problem_file: Path, how: str) -> None:
    before = problem_file.read_bytes()
    target = {"same": problem_file, "dotted": problem_file.parent / "." / "problem.yaml"}.get(how, problem_file.parent / "other.json")
    if how == "link":
        target.symlink_to(problem_file)
    if how == "hard link":
        target.hardlink_to(problem_file)
    run = inside("solve", str(problem_file), "--format", "json", "-o", str(target), "--force")
    assert run.returncode == 2 and run.stdout == b"" and b"Traceback" not in run.stderr
    assert problem_file.read_bytes() == before


def test_a_shipped_problem_is_never_overwritten(tmp_path: Path) -> None:
    source = shipped()["mazur-2-2-2"]
    before = source.read_bytes()
    try:
        run = inside("solve", "mazur-2-2-2", "--format", "json", "-o", str(source), "--force", cwd=tmp_path)
        assert run.returncode == 2
        assert source.read_bytes() == before
    finally:
        source.write_bytes(before)


@pytest.mark.parametrize("target", ["missing/out.json", ".", "problem.yaml/out.json"])
def test_places_that_cannot_be_written(problem_file: Path, target: str) -> None:
    run = inside("solve", "problem.yaml", "--format", "json", "-o", target, cwd=problem_file.parent)
    assert run.returncode == 2 and target.encode() in run.stderr and b"Traceback" not in run.stderr
    assert len(run.stderr.splitlines()) == 1
    assert {path.name for path in problem_file.parent.iterdir()} == {"problem.yaml"}


def test_a_failure_leaves_no_file(problem_file: Path) -> None:
    """Whole or not at all: an error while solving does not touch the file of before."""
    problem_file.write_text("given: {x: -1}\nequations: {f: ln(x)}\nminimize: f\n", "utf-8")
    target = problem_file.parent / "out.json"
    target.write_text("precious", "utf-8")
    run = inside("solve", str(problem_file), "--format", "json", "-o", str(target), "--force")
    assert run.returncode == 2 and b"f needs ln(x), but x = -1" in run.stderr
    assert target.read_text("utf-8") == "precious"
    assert {path.name for path in problem_file.parent.iterdir()} == {"problem.yaml", "out.json"}


@pytest.mark.skipif(sys.platform == "win32", reason="needs the limit on file sizes of POSIX")
def test_a_full_disk_leaves_the_file_of_before(problem_file: Path) -> None:
    """A write that fails half-way leaves neither a broken nor a temporary file."""
    target = problem_file.parent / "out.json"
    target.write_text("precious", "utf-8")
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)); from handcalc.cli import main; main(sys.argv[1:])"
    )
    command = [sys.executable, "-c", script, "solve", str(problem_file), "--format", "json", "-o", str(target), "--force"]
    run = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}, check=False)
    assert run.returncode == 2, run.stderr
    assert target.read_text("utf-8") == "precious"
    assert {path.name for path in problem_file.parent.iterdir()} == {"problem.yaml", "out.json"}
