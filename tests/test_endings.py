"""What the ending of an output stands for is the same in every command, and what it cannot stand for is refused."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy
import pytest

from handcalc.cli import COMMANDS, main

# command → what it needs besides -o; the folder is where it runs
LINES = {
    "solve": ("solve", "mazur-2-2-2"),
    "why": ("why", "mazur-2-2-2", "w5"),
    "export": ("export", "mazur-2-2-2"),
    "check": ("check", "mazur-2-2-2", "--answer", "loss=0.3"),
    "check --blank": ("check", "mazur-2-2-2", "--blank"),
    "audit": ("audit", "mazur-2-2-2", "--number", "loss=0.3"),
    "lint": ("lint", "mazur-2-2-2"),
    "generate": ("generate", "mazur-2-2-2", "-n", "1", "--seed", "a"),
    "train": ("train", "mazur-2-2-2", "--iterations", "2"),
    "gradcheck": ("gradcheck", "mazur-2-2-2"),
    "derive": ("derive", "sigmoid"),
    "import": ("import", "model.npz", "--inputs", "1,2", "--activations", "sigmoid"),
    "new": ("new", "p.yaml", "--layers", "2-1"),
    "site": ("site",),
}
FOLDERS = ("generate", "site")


def ended(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as end:
        main([*arguments])
    assert isinstance(end.value.code, int)
    return end.value.code, capsys.readouterr().err


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    numpy.savez("model.npz", **{"0.weight": numpy.ones((1, 2)), "0.bias": numpy.ones(1)})
    return tmp_path


def test_every_command_that_writes_is_tried() -> None:
    writing = {
        name
        for name, (module, _) in COMMANDS.items()
        if any(option.name in ("output", "outputs") or "-o" in option.opts for option in import_module(module).command.params)
    }
    assert writing == {name.split()[0] for name in LINES}


@pytest.mark.parametrize("name", [name for name in LINES if name not in FOLDERS])
def test_unknown_endings_are_refused_with_those_that_are_known(name: str, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, said = ended(capsys, *LINES[name], "-o", "w.xyz")
    assert code == 2 and said.startswith("w.xyz: this command has no format with this ending; known are .")
    assert not (folder / "w.xyz").exists()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_is_not_called_like_a_file(name: str, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, said = ended(capsys, *LINES[name], "-o", "w.pdf")
    assert code == 2 and "this command writes a folder; give a name without the ending of a file" in said
    assert not (folder / "w.pdf").exists()


def test_a_format_that_is_said_needs_no_ending(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert ended(capsys, *LINES["why"], "-o", "w.xyz", "--format", "plain")[0] == 0 and (folder / "w.xyz").read_text().isascii()
    assert ended(capsys, *LINES["why"], "-o", "w")[0] == 0 and (folder / "w").exists()
    assert ended(capsys, *LINES["solve"], "-o", "w.txt")[0] == 0 and "δ" in (folder / "w.txt").read_text()
    assert ended(capsys, *LINES["lint"], "-o", "w.sarif")[0] == 1 and "sarif" in (folder / "w.sarif").read_text()
    assert ended(capsys, *LINES["lint"], "-o", "s.json", "--format", "sarif")[0] == 1 and "sarif" in (folder / "s.json").read_text()


@pytest.mark.parametrize(("format", "name", "meant"), [("pdf", "w.txt", "plain"), ("plain", "w.html", "html"), ("html", "w.json", "json")])
def test_an_ending_and_another_format(format: str, name: str, meant: str, capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    code, said = ended(capsys, *LINES["solve"], "-o", name, "--format", format)
    assert (code, said) == (2, f"{name}: the ending stands for {meant}, but --format says {format}\n") and not (folder / name).exists()
