"""What a command says of its stages: with --times how long they took, and on a terminal which of them lasts."""

from __future__ import annotations

import io
import re
import sys
import time
from pathlib import Path

import pytest
from shipping import some

from handcalc.cli import main
from handcalc.cli.progress import progress_bar, training_bar
from handcalc.cli.waiting import Ticker, Times
from handcalc.language import translator
from handcalc.stages import DERIVE, LOAD, PRINT, STAGES, stage, watchers, watching


class Terminal(io.StringIO):
    """Standard error as a terminal."""

    def isatty(self) -> bool:
        """It is one."""
        return True


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, list[str]]:
    with pytest.raises(SystemExit) as ended:
        main([*arguments])
    found = capsys.readouterr()
    assert ended.value.code in (0, 1), found.err
    return found.out, [re.sub(r" +\d+\.\d{3} s$", "", line) for line in found.err.splitlines()]


# command → the stages that it names, in their order
TIMED = {
    "solve mazur-2-2-2": ["load", "derive", "print"],
    "solve mazur-2-2-2 --format json": ["load", "derive", "print"],
    "why mazur-2-2-2 w5": ["load", "derive", "print"],
    "check mazur-2-2-2 --answer loss=0.3": ["load", "derive", "mark", "print"],
    "train mazur-2-2-2 --iterations 2": ["load", "derive", "train", "print"],
    "lint mazur-2-2-2": ["load", "derive", "mark", "print"],
    "audit mazur-2-2-2 --number loss=0.3": ["load", "derive", "mark", "print"],
    "export mazur-2-2-2 -o FOLDER/x.html": ["load", "derive", "print"],
    "export mazur-2-2-2 -o FOLDER/x.pdf": ["load", "derive", "print", "typeset"],
}


@pytest.mark.parametrize("line", some(TIMED, [line for line in TIMED if "lint" not in line and "pdf" not in line]))
def test_times(line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """On standard error; what the command prints is the same."""
    if line.endswith("pdf"):
        pytest.importorskip("typst")
    arguments = line.replace("FOLDER", str(tmp_path)).split()
    out, said = told(capsys, *arguments, "--times")
    assert said == ["start", *TIMED[line], "all"]
    if "FOLDER" not in line:
        assert told(capsys, *arguments) == (out, [])


def test_stages_inside_one_another_are_counted_once() -> None:
    times = Times()
    with watching(times), stage(PRINT):
        time.sleep(0.02)
        with stage(DERIVE):
            time.sleep(0.05)
    found = {line.split()[0]: float(line.split()[1]) for line in times.lines()}
    assert [*found] == ["start", "derive", "print", "all"] and found["derive"] >= 0.05 and 0.02 <= found["print"] < 0.05
    assert found["all"] >= found["start"] + found["derive"] + found["print"] - 0.002 and watchers() == ()


def test_nobody_watches_where_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    seen: list[object] = []
    monkeypatch.setattr("handcalc.cli.waiting.Ticker.begin", lambda *_: seen.append(1))
    assert told(capsys, "solve", "mazur-2-2-2")[1] == [] and seen == []


def test_a_terminal_is_told_what_lasts() -> None:
    screen = Terminal()
    ticker = Ticker(screen, translator("en"), patience=0.05, every=0.01)
    with watching(ticker), stage(PRINT), stage(LOAD):
        _until(lambda: "Reading … 0 s" in screen.getvalue())
    text = screen.getvalue()
    assert text.startswith("\rReading") or text.startswith("\r\rReading")
    assert text.endswith("\r" + " " * 2 * len("Reading … 0 s") + "\r")  # nothing is left
    assert text == screen.getvalue()


def test_what_is_soon_done_is_not_told() -> None:
    screen = Terminal()
    with watching(Ticker(screen, translator("en"), patience=60, every=0.001)), stage(PRINT):
        time.sleep(0.03)
    assert screen.getvalue() == ""


def test_a_bar_takes_the_place_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    screen, line = Terminal(), Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with watching(Ticker(line, translator("en"), patience=0, every=0.001)), stage(DERIVE):
        with progress_bar(3, "Marking", patience=0) as progress:
            assert progress is not None
            progress(1)
            before = line.getvalue()
            time.sleep(0.02)
            assert line.getvalue() == before and "1/3" in screen.getvalue()
        with training_bar("Training", patience=0) as learning:
            assert learning is not None
            learning(5, 10, 0.25)
            assert "5/10" in screen.getvalue() and "0.25" in screen.getvalue()
        _until(lambda: "Working out" in line.getvalue())


def test_no_bar_before_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Terminal()
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_bar(500, "Marking", patience=60) as progress:
        assert progress is not None
        progress(499)
    assert screen.getvalue() == ""


def test_every_stage_has_its_words() -> None:
    assert all(text[0].isupper() and name.isalpha() for name, text in STAGES.items())


def _until(seen: object) -> None:
    """Wait for it, ten seconds at most."""
    assert callable(seen)
    end = time.monotonic() + 10
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.005)
