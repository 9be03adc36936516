"""A few whole solutions, byte for byte: what a reader sees, so that no change of it goes unnoticed.

`pytest --update-goldens` writes what is printed now; look at the difference before you keep it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handcalc.cli import main

FOLDER = Path(__file__).parent / "golden"

# file → the command that prints it, in a pipe 80 columns wide
GOLDENS = {
    **{
        f"{problem}.{form}.txt": ["solve", problem, "--format", form]
        for problem in ("mazur-2-2-2", "softmax-cross-entropy", "zhou-four-people", "xigua-thresholds", "micrograd-readme")
        for form in ("terminal", "plain")
    },
    "mazur-2-2-2.json": ["solve", "mazur-2-2-2", "--format", "json"],
    "zhou-four-people.json": ["solve", "zhou-four-people", "--format", "json"],
    "mazur-2-2-2.tex": ["solve", "mazur-2-2-2", "--format", "latex"],
    "mazur-2-2-2.md": ["solve", "mazur-2-2-2", "--format", "markdown"],
}


@pytest.mark.parametrize("name", GOLDENS)
def test_golden(name: str, update_goldens: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("LANG", "LC_MESSAGES", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    monkeypatch.setenv("COLUMNS", "80")
    with pytest.raises(SystemExit) as ended:
        main(GOLDENS[name])
    printed = capsys.readouterr().out.encode("utf-8")
    assert ended.value.code == 0 and len(printed) > 500
    path = FOLDER / name
    if update_goldens:
        FOLDER.mkdir(exist_ok=True)
        path.write_bytes(printed)
    assert path.exists(), f"{path} is missing; pytest --update-goldens writes it"
    assert printed.decode("utf-8") == path.read_bytes().decode("utf-8"), f"handcalc {' '.join(GOLDENS[name])}"


def test_every_golden_is_used(update_goldens: bool) -> None:
    found = {path.name for path in FOLDER.iterdir()}
    assert found == set(GOLDENS), f"not used or missing: {sorted(found ^ set(GOLDENS))}"
