"""What a user always wants: a file, variables, colours; sentences between the lines."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from pathlib import Path

import pytest
from shipping import solved

from handcalc.cli import main
from handcalc.deriving import derive
from handcalc.errors import Message
from handcalc.loading.loader import loads
from handcalc.render.blocks import Paragraph
from handcalc.render.report import Chapter, Style, dialect_of


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    out, err = capsys.readouterr()
    return int(str(ended.value.code)), out, err


@pytest.fixture(autouse=True)
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HANDCALC_NOTATION", "HANDCALC_LANG", "HANDCALC_DECIMALS", "LC_ALL", "LC_MESSAGES", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("HANDCALC_CONFIG", str(tmp_path / "handcalc.toml"))


def settings(tmp_path: Path, text: str) -> None:
    (tmp_path / "handcalc.toml").write_text(text, "utf-8")


SOLVE = ("solve", "mazur-2-2-2", "--only", "error")


def test_a_file_is_as_typed_on_every_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings(tmp_path, 'notation = "nielsen"\nlang = "zh"\ndecimals = 3\n')
    _, out, _ = run(capsys, *SOLVE)
    assert "C₁ = " in out and "≈ 0.275" in out and "误差" in out
    _, out, _ = run(capsys, *SOLVE, "--lang", "en", "--notation", "mazur", "--significant", "4")
    assert "E_o1 = " in out and "≈ 0.2748" in out and "Error" in out


def test_a_variable_beats_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    settings(tmp_path, 'notation = "nielsen"\nlang = "zh"\n')
    monkeypatch.setenv("HANDCALC_NOTATION", "zhou")
    monkeypatch.setenv("HANDCALC_LANG", "en")
    monkeypatch.setenv("HANDCALC_DECIMALS", "2")
    _, out, _ = run(capsys, *SOLVE)
    assert "ŷ₁" in out and "Error" in out and "≈ 0.27" in out


WRONG = {
    'notatoin = "zhou"': 'unknown key notatoin, did you mean "notation"?',
    "decimals = [1]": "decimals must be a whole number",
    "decimals = true": "decimals must be a whole number",
    "lang = 1": "lang must be a word",
    "notation = ": "this is no TOML",
    'notation = "zzz"': "zzz",
    "decimals = 99": "99",
    'color = "green"': "green",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_file_is_told(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings(tmp_path, text)
    code, out, err = run(capsys, *SOLVE)
    assert code == 2 and out == "" and WRONG[text] in err


def test_a_value_that_was_not_typed_is_told_with_its_place(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings(tmp_path, 'notation = "zzz"')
    assert run(capsys, *SOLVE)[2].endswith(f"This value is from {tmp_path / 'handcalc.toml'}.\n")
    monkeypatch.setenv("HANDCALC_DECIMALS", "two")
    assert run(capsys, *SOLVE, "--notation", "zhou")[2].endswith("This value is from HANDCALC_DECIMALS.\n")
    assert "from" not in run(capsys, *SOLVE, "--notation", "yyy", "--decimals", "2")[2]


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "handcalc.toml").mkdir()
    code, out, err = run(capsys, *SOLVE)
    assert (code, out) == (2, "") and err.startswith(f"{tmp_path / 'handcalc.toml'}: cannot be read: this is a folder")


def test_colours_are_on_request(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients in one colour, general formulas pale; the same text in any case."""
    import re

    arguments = ("solve", "mazur-2-2-2", "--only", "backward")
    _, plain, _ = run(capsys, *arguments)
    _, never, _ = run(capsys, *arguments, "--color", "never")
    _, always, _ = run(capsys, *arguments, "--color", "always")
    assert "\x1b" not in plain and never == plain
    assert "\x1b[31m∂E/∂out_o1\x1b[0m" in always and "\x1b[2m∂E/∂out_k = out_k - target_k\x1b[0m" in always
    assert re.sub(r"\x1b\[[0-9;]*m", "", always) == plain
    settings(tmp_path, 'color = "always"')
    assert run(capsys, *arguments)[1] == always


@pytest.mark.parametrize("arguments", [["--pager"], []])
def test_a_pager_on_request(arguments: list[str], tmp_path: Path) -> None:
    """In a terminal of its own; the pager marks what it was given, which has colours as on the terminal itself."""
    pty = pytest.importorskip("pty", reason="pseudo-terminals are of Unix")
    ours, theirs = pty.openpty()
    pager = tmp_path / "pager"
    pager.write_text(
        "#!/bin/sh\nwhile IFS= read -r line; do printf 'paged: %s\\n' \"$line\"; done\n", "utf-8"
    )  # no program beside the shell
    pager.chmod(0o755)
    environment = {**os.environ, "PAGER": str(pager), "TERM": "xterm", "LANG": "C.UTF-8"}
    command = [sys.executable, "-m", "handcalc", *SOLVE, *arguments]
    ended = subprocess.run(command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment, timeout=60, check=False)
    written = b""
    while select.select([ours], [], [], 0.3)[0]:  # while the other end is open: what was written may still be on its way
        written += os.read(ours, 100_000)
    os.close(theirs)
    os.close(ours)
    shown = written.decode()
    assert ended.returncode == 0, ended.stderr
    assert shown.count("paged: ") == (len(shown.splitlines()) if arguments else 0)
    assert "E_total" in shown and "\x1b[" in shown


def test_a_pager_is_for_terminals(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *SOLVE, "--pager") == run(capsys, *SOLVE)


SENTENCES = {
    "mazur-2-2-2": ("each neuron collects from all 2 neurons",),
    "nielsen-saturated-neuron": ("is saturated",),
    "quiz-from-the-middle": ("is below 0: ReLU puts out 0 there",),
}


@pytest.mark.parametrize("problem", SENTENCES)
def test_sentences_follow_from_the_numbers(problem: str) -> None:
    def told(prose: bool) -> str:
        chapter = Chapter(solved(problem), dialect_of("plain"), Style(prose=prose))
        return " ".join(block.text.text() for block in chapter.blocks() if isinstance(block, Paragraph) and isinstance(block.text, Message))

    assert all(sentence in told(True) and sentence not in told(False) for sentence in SENTENCES[problem])


def test_prose_is_an_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Now the error goes back" in run(capsys, "solve", "mazur-2-2-2", "--prose")[1]
    assert "Now the error goes back" not in run(capsys, "solve", "mazur-2-2-2")[1]


def test_documents_have_prose_unless_it_is_not_wanted(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Now the error goes back" in run(capsys, "solve", "mazur-2-2-2", "--format", "latex")[1]
    assert "Now the error goes back" not in run(capsys, "solve", "mazur-2-2-2", "--format", "latex", "--no-prose")[1]


def test_an_exploded_gradient_is_told() -> None:
    text = "inputs: [30]\ntargets: [0]\nlayers: [{neurons: [y], weights: [[40]]}]\nloss: half_squared_error\n"
    chapter = Chapter(derive(loads(text)), dialect_of("plain"), Style(prose=True))
    assert any(
        "has exploded" in block.text.text()
        for block in chapter.blocks()
        if isinstance(block, Paragraph) and isinstance(block.text, Message)
    )
