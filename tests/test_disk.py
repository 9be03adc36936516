"""Files are read and written in one place each: regular ones, bounded, never over what is read; streams may be closed or full."""

from __future__ import annotations

import ast
import json
import os
import re
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shipping import thinned
from test_structure import MODULES, PACKAGE, name, parsed

from handcalc import load, loads
from handcalc.cli import main
from handcalc.disk import reading, writing
from handcalc.disk.jsontext import in_ascii, json_text
from handcalc.errors import HandcalcError, OutputError, ProblemError

NET = "layers: [{neurons: [y], activation: sigmoid, weights: [[0.1, 0.2]]}]\nloss: half_squared_error\nlearning_rate: 0.1\n"
TABLE = "data: %s\ninputs: [a, b]\ntargets: [t]\n" + NET
ROWS = "a,b,t\n1,2,1\n"
WEIGHTS = "inputs: [1, 2]\nlayers: [{neurons: 1, weights: {file: %s}}]\n"

# --- nothing else opens a file ----------------------------------------------------------------------------------------------

OPENERS = {"open", "fdopen", "read_text", "read_bytes", "write_text", "write_bytes", "mkstemp", "mkdtemp", "NamedTemporaryFile"}
CHANGES = {"replace", "rename", "remove", "unlink", "makedirs", "mkdir", "listdir", "scandir", "walk", "chmod", "symlink"}  # of os
LIBRARIES = {"fromfile", "loadtxt", "genfromtxt", "memmap"}  # of NumPy; loadtxt is for lines, which arrayfiles.py has read
MAY = {"handcalc/problem/arrayfiles.py": {"loadtxt"}, "handcalc/problem/csvfiles.py": {"loadtxt"}, "handcalc/cli/streams.py": {"open"}}


SUSPECT = re.compile("|".join((*OPENERS, "os[.]", "shutil", *LIBRARIES, "numpy[.]load")))  # most files need not be parsed


def opening(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, name) of every call that opens, moves or lists files."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id == "open":
            yield node.lineno, "open"
        elif isinstance(called, ast.Attribute):
            owner = called.value.id if isinstance(called.value, ast.Name) else ""
            of_click = isinstance(called.value, ast.Call) and isinstance(called.value.func, ast.Name) and called.value.func.id == "super"
            if (
                (
                    called.attr in OPENERS - {"open"}
                    and not of_click
                    or called.attr == "open"
                    and owner in ("os", "io", "codecs", "path", "Path")
                )
                or owner == "os"
                and called.attr in CHANGES
                or owner == "shutil"
                or owner == "numpy"
                and called.attr in LIBRARIES | {"load"}
            ):
                yield node.lineno, called.attr


def test_nothing_else_opens_files() -> None:
    wrong = [
        f"{name(path)}:{line}: {call}; use handcalc/disk"
        for path in MODULES
        if path.parent != PACKAGE / "disk" and SUSPECT.search(path.read_text("utf-8"))
        for line, call in opening(parsed(path))
        if call not in MAY.get(name(path), ())
    ]
    assert not wrong, "\n".join(wrong)


def test_what_opens_files_is_found() -> None:
    sample = 'open("a")\nos.replace(a, b)\ntext.replace("a", "b")\nPath("a").read_text()\nnumpy.load(a)\narchive.open(a)\nos.listdir(a)\n'
    assert [call for _, call in opening(ast.parse(sample))] == ["open", "replace", "read_text", "load", "listdir"]
    assert [*opening(parsed(PACKAGE / "disk" / "writing.py"))]


# --- reading ------------------------------------------------------------------------------------------------------------------


def written(folder: Path, **files: str) -> Path:
    """A folder with files: p_yaml="…"."""
    for file, text in files.items():
        (folder / file.replace("_", ".")).write_text(text, encoding="utf-8")
    return folder


def refused(folder: Path, text: str, **how: Any) -> str:
    """What is said of a problem in a folder that cannot be read."""
    with pytest.raises(ProblemError) as error:
        loads(text, "p.yaml", folder, **how)
    return str(error.value)


def pipe(path: Path) -> None:
    os.mkfifo(path)


def listening(path: Path) -> None:
    here = os.getcwd()
    os.chdir(path.parent)  # a socket's name is short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(here)


def endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize(("make", "said"), [(pipe, "pipe"), (endless, "device"), (listening, "socket"), (Path.mkdir, "folder")])
@pytest.mark.parametrize("text", [TABLE % "d.csv", WEIGHTS % "d.csv", WEIGHTS % "d.npz", "data: {file: d.npz, inputs: X}\n" + NET])
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_only_regular_files_are_read(make: Any, said: str, text: str, tmp_path: Path) -> None:
    make(tmp_path / ("d.npz" if "d.npz" in text else "d.csv"))
    assert f"this is a {said}" in refused(tmp_path, text, safe=False)


def test_a_sheet_or_problem_that_is_no_file(tmp_path: Path) -> None:
    pipe(tmp_path / "p.yaml")
    endless(tmp_path / "z.yaml")
    for file, said in (("p.yaml", "this is a pipe"), ("z.yaml", "this is a device, which may be larger than any limit")):
        with pytest.raises(ProblemError, match=said):
            load(tmp_path / file)


@pytest.mark.slow
def test_what_the_shell_hands_over_is_read() -> None:
    command = f"{sys.executable} -m handcalc solve <(cat problems/mazur-2-2-2.yaml) --only net.h1"
    found = subprocess.run(["bash", "-c", command], cwd=PACKAGE.parent, capture_output=True, check=True)
    assert "0.3775" in found.stdout.decode()


def test_nothing_outside_the_folder_in_python(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    inside.mkdir()
    written(tmp_path, d_csv=ROWS, w_csv="0.1,0.2\n")
    (inside / "link.csv").symlink_to(tmp_path / "d.csv")
    for text in (TABLE % "../d.csv", TABLE % (tmp_path / "d.csv"), TABLE % "link.csv", WEIGHTS % "../w.csv"):
        assert "it is outside the folder of the problem" in refused(inside, text)
        assert loads(text, "p.yaml", inside, safe=False)
    assert loads(TABLE % "d.csv", "p.yaml", tmp_path) and loads(TABLE % "in/../d.csv", "p.yaml", tmp_path)
    assert "a text of its own has no folder" in refused(None, TABLE % "d.csv")  # type: ignore[arg-type]


def test_safe_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, d_csv=ROWS)
    (tmp_path / "in").mkdir()
    problem = written(tmp_path / "in", p_yaml=TABLE % "../d.csv") / "p.yaml"
    assert ended("solve", str(problem), "--only", "forward") == 0
    assert ended("solve", str(problem), "--safe") == 2 and "outside the folder" in capsys.readouterr().err
    monkeypatch.setenv("HANDCALC_SAFE", "1")
    assert ended("why", str(problem), "loss") == 2
    monkeypatch.setenv("HANDCALC_SAFE", "0")
    assert ended("why", str(problem), "loss") == 0
    assert reading.staying_inside(), "Python stays inside whatever a command did"


SECRETS = [
    (WEIGHTS % "../s.csv", "root:secret,x\n"),
    (TABLE % "../s.csv", "root:secret\nx\n"),
    (TABLE % "../s.csv", "root;secret\n1;2\n"),
    (TABLE % "../s.csv", "secret,secret\n1,2\n"),
    (TABLE % "../s.csv", "a,b,t\n1,secret,3\n"),
    ("data: ../s.csv\ninputs: [a]\ntargets: {classes: b}\nlayers: [{neurons: [p, q], weights: [[1], [2]]}]\n", "a,b\n1,secret\n"),
]


@pytest.mark.parametrize(("text", "content"), SECRETS)
def test_what_stands_outside_is_not_quoted(text: str, content: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    written(tmp_path, s_csv=content)
    said = refused(tmp_path / "in", text, safe=False)
    assert "secret" not in said and "s.csv" in said and "outside the folder" in said
    written(tmp_path / "in", s_csv=content)
    assert "secret" in refused(tmp_path / "in", text.replace("../", "")), "inside it is"


# --- writing ------------------------------------------------------------------------------------------------------------------


def ended(*arguments: str) -> int:
    """The exit code of a command."""
    with pytest.raises(SystemExit) as error:
        main([*arguments])
    return int(str(error.value.code))


@pytest.mark.parametrize(
    "arguments",
    [
        ("solve", "{p}", "--format", "csv", "-o", "{d}", "--force"),
        ("train", "{p}", "--iterations", "1", "--save", "{d}", "--force"),
        ("train", "{p}", "--iterations", "1", "--plot", "{d}", "--force"),
        ("check", "{p}", "--answer", "loss=1", "--format", "csv", "-o", "{d}", "--force"),
        ("check", "{p}", "--blank", "-o", "{d}", "--force"),
        ("export", "{p}", "-o", "{d}", "--force"),
        ("practice", "{p}", "--log", "{d}", "--no-state"),
    ],
    ids=lambda arguments: " ".join(arguments),
)  # fmt: skip
def test_nothing_that_was_read_is_written(arguments: tuple[str, ...], tmp_path: Path) -> None:
    folder = written(tmp_path, p_yaml=TABLE % "d.csv", d_csv=ROWS)
    (tmp_path / "link.csv").symlink_to("d.csv")
    os.link(tmp_path / "d.csv", tmp_path / "hard.csv")
    for target in ("d.csv", "link.csv", "hard.csv"):
        assert ended(*(part.format(p=folder / "p.yaml", d=folder / target) for part in arguments)) == 2
        assert (tmp_path / "d.csv").read_text() == ROWS


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "good").write_text("old")
    os.chmod(tmp_path / "good", 0o640)
    for link, target in (("l1", "good"), ("l2", "new"), ("loop", "loop")):
        (tmp_path / link).symlink_to(target)
    with pytest.raises(OutputError, match="--force"):
        writing.write("x", str(tmp_path / "l1"), False)
    writing.write("x", str(tmp_path / "l1"), True)
    writing.write("y", str(tmp_path / "l2"), False)
    assert (tmp_path / "l1").is_symlink() and (tmp_path / "l2").is_symlink()
    assert (tmp_path / "good").read_text() == "x" and (tmp_path / "new").read_text() == "y"
    assert stat.S_IMODE((tmp_path / "good").stat().st_mode) == 0o640
    with pytest.raises(OutputError):
        writing.write("z", str(tmp_path / "loop"), True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["good", "l1", "l2", "loop", "new"]


def test_only_files_are_replaced(tmp_path: Path) -> None:
    pipe(tmp_path / "pipe")
    (tmp_path / "null").symlink_to("/dev/null")
    for target in ("pipe", "null"):
        for write in (
            lambda path: writing.write("x", path, True),
            lambda path: writing.appending(path, ()).__enter__(),
            lambda path: writing.write_folder({os.path.basename(path): "x"}, os.path.dirname(path), True),
        ):
            with pytest.raises(OutputError, match="pipe or a device"):
                write(str(tmp_path / target))
    with pytest.raises(OSError):
        writing.replace_own("x", str(tmp_path / "null"))
    assert stat.S_ISFIFO((tmp_path / "pipe").lstat().st_mode) and stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_nothing_is_left_after_ctrl_c(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writing.os, "chmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        writing.write("x", str(tmp_path / "a"), False)
    assert [*tmp_path.iterdir()] == []


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def denied(folder: str) -> list[str]:
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(os, "listdir", denied)
    assert ended("export", str(tmp_path), "-o", str(tmp_path / "x.html")) == 2
    assert capsys.readouterr().err == f"{tmp_path}: cannot be read: Permission denied\n"


# --- streams ------------------------------------------------------------------------------------------------------------------

STREAMS = [
    ("solve mazur-2-2-2 --only net.h1 >&-", 2, "standard output is closed; give a file with -o"),
    ("solve mazur-2-2-2 --only net.h1 >/dev/full", 2, "standard output cannot be written: No space left on device"),
    ("solve mazur-2-2-2 --only net.h1 2>&- >/dev/null", 0, ""),
    ("solve mazur-2-2-2 --only net.h1 2>/dev/full >/dev/null", 0, ""),
    ("solve nothing.yaml 2>&-", 2, ""),
    ("check mazur-2-2-2 - <&-", 2, "stdin: cannot be read: standard input is closed"),
    ("solve - <&-", 2, "stdin: cannot be read: standard input is closed"),
    ("list problems >/dev/full", 2, "standard output cannot be written: No space left on device"),
    ("--help >/dev/full", 2, "standard output cannot be written: No space left on device"),
    ("schema >&-", 2, "standard output is closed; give a file with -o"),
    ("solve mazur-2-2-2 --format json | head -c 10 >/dev/null", 0, ""),
    ("new - <&- >&- 2>&-", 2, ""),
]


@pytest.mark.parametrize(("command", "code", "said"), thinned([pytest.param(*row) for row in STREAMS], 5))
def test_streams(command: str, code: int, said: str, tmp_path: Path) -> None:
    first, bar, rest = command.partition(" | ")
    line = f"{sys.executable} -m handcalc {first}" + bar + rest
    found = subprocess.run(
        ["bash", "-c", line + "; exit ${PIPESTATUS[0]}"],
        cwd=tmp_path,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), "LANGUAGE": "en"},
    )
    assert (found.returncode, found.stderr.decode().strip()) == (code, said)


@pytest.mark.slow
def test_ctrl_c_while_starting() -> None:
    """At whatever moment after Python itself has started."""
    script = "import os, signal; print(flush=True); from handcalc.__main__ import main; main()"
    for milliseconds in range(0, 200, 20):
        arguments = [sys.executable, "-c", script, "solve", "mazur-2-2-2"]
        process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=PACKAGE.parent)
        assert process.stdout is not None
        process.stdout.readline()
        try:
            process.wait(milliseconds / 1000 + 0.01)
        except subprocess.TimeoutExpired:
            process.send_signal(2)
        _, said = process.communicate()
        assert process.returncode in (0, 130) and b"Traceback" not in said


def test_help_without_docstrings() -> None:
    command = [sys.executable, "-OO", "-m", "handcalc", "why", "--help"]
    found = subprocess.run(command, cwd=PACKAGE.parent, capture_output=True, check=True, env={**os.environ, "LC_ALL": "C.UTF-8"})
    assert "Example: handcalc why" in found.stdout.decode()


# --- letters --------------------------------------------------------------------------------------------------------------------

UNSEEN = "\x7f\x85\x9b\u200b\u200e\u2028\u2029\u202e\u2066\ufeff\U000e0001"


def test_json_is_inert() -> None:
    for data in (UNSEEN, {"a": [UNSEEN + "é中\u3000"]}, {UNSEEN: 1, "é中": "😀"}):
        for text in (json_text(data), json_text(data, indent=1), in_ascii(json_text(data))):
            assert json.loads(text) == data and text.replace("\n", "").isprintable()
    assert json_text("é中😀") == '"é中😀"' and in_ascii('"😀"') == '"\\ud83d\\ude00"'


@pytest.mark.parametrize("form", ["json", "notebook"])
def test_documents_of_json_are_inert(form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    title = json.dumps("a" + UNSEEN[:-1])
    problem = written(tmp_path, p_yaml=f"title: {title}\ninputs: {{x: 1}}\nlayers: [{{neurons: [y], weights: [[2]]}}]\n") / "p.yaml"
    assert ended("solve", str(problem), "--format", form) == 0
    assert capsys.readouterr().out.replace("\n", "").isprintable()


def test_plain_is_ascii(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (
        "title: é ＝ 中 ﬁ \u0301 😀\ninputs: {é1: 1, 中: 2}\ntargets: [1]\nlayers: [{neurons: [ß], weights: [[2, 3]]}]\nlearning_rate: 1\n"
    )
    problem = written(tmp_path, p_yaml=text + "loss: half_squared_error\n") / "p.yaml"
    for more in ((), ("--picture",), ("--detail", "full", "--form", "both")):
        assert ended("solve", str(problem), "--format", "plain", "--lang", "en", *more) == 0
        found = capsys.readouterr().out
        assert found.isascii() and "e = \\u4e2d fi" in found and "e1" in found


def test_names_in_nobody_can_list(tmp_path: Path) -> None:
    with pytest.raises(HandcalcError, match="cannot be read"):
        reading.names_in(str(tmp_path / "none"))
