"""The command `handcalc export`: where reports go, what they are, and what is said when they cannot be written."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from shipping import some

from handcalc.cli import main
from handcalc.loading.loader import shipped
from handcalc.render.report import FORMATS

FILES = {format.suffix: format for format in FORMATS.values() if format.suffix}
BAD = "title: bad\ninputs: [1, 2]\nlayers: 3\n"

Export = Callable[..., tuple[int, str, str]]


@pytest.fixture
def export(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Export:
    """Run `handcalc export` in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    def run(*arguments: str) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["export", *arguments])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, printed.out, printed.err

    return run


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def problem(folder: Path, name: str, text: str = "") -> Path:
    """A problem file: a shipped problem, or a text."""
    path = folder / name
    path.write_text(text or shipped()["tiny-linear-neuron"].read_text("utf-8"), "utf-8")
    return path


def needs(suffix: str) -> None:
    """Skip where the library of a format is not installed."""
    for library in (FILES[suffix].library, "typst" * FILES[suffix].binary):
        if library:
            pytest.importorskip(library)


# --- which format -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", FILES)
def test_the_ending_says_the_format(suffix: str, export: Export, tmp_path: Path) -> None:
    needs(suffix)
    assert export("mazur-2-2-2", "-o", "report" + suffix.upper()) == (0, "", "")
    assert (tmp_path / ("report" + suffix.upper())).read_bytes().startswith(FILES[suffix].begins)


def test_every_format_begins_in_its_own_way() -> None:
    assert all(format.begins for format in FILES.values())
    assert len({format.begins for format in FILES.values()}) == len(FILES) - 1  # slides and pages are both HTML


def test_several_files(export: Export, tmp_path: Path) -> None:
    assert export("mazur-2-2-2", "-o", "a.tex", "-o", "b.csv", "-o", "c.md")[0] == 0
    assert names(tmp_path) == ["a.tex", "b.csv", "c-drawing-1.svg", "c-drawing-2.svg", "c.md"]


def test_the_format_may_be_named(export: Export, tmp_path: Path) -> None:
    assert export("mazur-2-2-2", "-o", "report", "--format", "latex")[0] == 0
    assert export("mazur-2-2-2", "-o", "report.data", "--format", "json")[0] == 0
    assert (tmp_path / "report").read_bytes().startswith(FORMATS["latex"].begins)
    assert (tmp_path / "report.data").read_bytes().startswith(FORMATS["json"].begins)


WRONG = {
    "no ending": (["-o", "report"], "report: this command has no format with this ending; known are .txt, .md, .tex,"),
    "unknown ending": (["-o", "report.doc"], "report.doc: this command has no format with this ending; known are .txt, .md, .tex,"),
    "two that disagree": (["-o", "report.pdf", "--format", "html"], "report.pdf: the ending stands for pdf, but --format says html"),
    "no file": ([], "say with -o where it goes, for example -o report.html"),
    "folder without format": (["-o", "folder/"], "say with --format what to write to the folder folder/"),
    "unknown format": (["-o", "a.md", "--format", "markdwon"], "'markdwon' is not one of"),
    "unknown problem": (["-o", "a.md", "nothing-here"], "nothing-here"),
    "unknown step": (["-o", "a.md", "--only", "net.h9"], 'there is no step "net.h9"'),
    "two precisions": (["-o", "a.md", "--decimals", "3", "--significant", "3"], "give --decimals or --significant, not both"),
    "an empty name": (["-o", ""], "this command has no format with this ending"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str, export: Export, tmp_path: Path) -> None:
    arguments, message = WRONG[case]
    code, out, error = export("mazur-2-2-2", *arguments)
    assert (code, out) == (2, "") and message in error and "internal error" not in error and names(tmp_path) == []


def test_help_ends_with_an_example(export: Export) -> None:
    code, out, _ = export("-h")
    assert code == 0 and all(suffix in out for suffix in FILES) and "Example: handcalc export" in out


# --- several problems -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [format.suffix for format in FILES.values() if not format.binary and format.name != "svg"])
def test_several_problems_are_one_report(suffix: str, export: Export, tmp_path: Path) -> None:
    assert export("mazur-2-2-2", "tiny-linear-neuron", "-o", "both" + suffix)[0] == 0
    text = (tmp_path / ("both" + suffix)).read_text("utf-8")
    assert "backpropagation example" in text.replace("back\\-", "back") and "linear neuron" in text


def test_a_folder_of_problems(export: Export, tmp_path: Path) -> None:
    folder = tmp_path / "problems"
    folder.mkdir()
    for name in ("b.yaml", "a.yml", "notes.txt"):
        problem(folder, name)
    assert export("problems", "-o", "all.md")[0] == 0
    assert (tmp_path / "all.md").read_text("utf-8").count("\n## Given\n") == 2
    assert export("problems", "-o", "out/", "--format", "latex")[0] == 0
    assert names(tmp_path / "out") == ["a.tex", "b.tex"]
    (tmp_path / "empty").mkdir()
    code, _, error = export("empty", "-o", "none.md")
    assert code == 2 and "empty: there are no problem files (.yaml) in this folder" in error and "none.md" not in names(tmp_path)


def test_a_folder_gets_every_format(export: Export, tmp_path: Path) -> None:
    for suffix in FILES:
        needs(suffix)
    assert export("tiny-linear-neuron", "-o", "out/", "--format", "all") == (0, "", "")
    expected = {"tiny-linear-neuron" + suffix for suffix in FILES}
    found = {*names(tmp_path / "out")}
    assert expected <= found and all("-drawing-" in name for name in found - expected)


def test_a_name_without_ending_and_several_formats_is_a_folder(export: Export, tmp_path: Path) -> None:
    assert export("tiny-linear-neuron", "-o", "out", "--format", "latex", "--format", "csv")[0] == 0
    assert names(tmp_path / "out") == ["tiny-linear-neuron.csv", "tiny-linear-neuron.tex"]


def test_problems_of_the_same_name(export: Export, tmp_path: Path) -> None:
    for folder in ("x", "y", "z"):
        (tmp_path / folder).mkdir()
        problem(tmp_path / folder, "a.yaml")
    problem(tmp_path, "a-2.yaml")
    assert export("x/a.yaml", "y/a.yaml", "a-2.yaml", "z/a.yaml", "-o", "out/", "--format", "markdown", "--format", "svg")[0] == 0
    expected = [f"a{number}{ending}" for number in ("", "-2", "-3", "-4") for ending in (".md", ".svg")]
    assert [name for name in names(tmp_path / "out") if "drawing" not in name] == sorted(expected)


def test_a_bad_problem_does_not_stop_the_others(export: Export, tmp_path: Path) -> None:
    problem(tmp_path, "good.yaml")
    problem(tmp_path, "bad.yaml", BAD)
    problem(tmp_path, "far.yaml", "given: {a: 1000}\nequations: {y: exp(a)}\nminimize: y\nparameters: [a]\n")
    code, out, error = export("bad.yaml", "far.yaml", "good.yaml", "-o", "out/", "--format", "csv", "--format", "latex")
    assert (code, out) == (2, "") and names(tmp_path / "out") == ["good.csv", "good.tex"]
    assert (
        error.count("bad.yaml:3: layers: ") == 1
        and error.count("far.yaml:2: y needs e^a, but a = 1000: that is larger than a computer's numbers (overflow)") == 1
    )


def test_one_report_of_bad_problems_says_everything(export: Export, tmp_path: Path) -> None:
    problem(tmp_path, "good.yaml")
    problem(tmp_path, "bad.yaml", BAD)
    problem(tmp_path, "worse.yaml", BAD + "colour: red\n")
    code, _, error = export("bad.yaml", "good.yaml", "worse.yaml", "-o", "all.md")
    assert code == 2 and "bad.yaml:3: layers: " in error and "worse.yaml:4: " in error and "all.md" not in names(tmp_path)


def test_a_drawing_of_several_problems(export: Export, tmp_path: Path) -> None:
    code, _, error = export("mazur-2-2-2", "tiny-linear-neuron", "-o", "both.svg")
    assert code == 2 and "an SVG file is the drawing of one problem" in error and names(tmp_path) == []


# --- files that are there ---------------------------------------------------------------------------------------------


def test_nothing_is_overwritten_unless_asked(export: Export, tmp_path: Path) -> None:
    (tmp_path / "a.tex").write_text("mine")
    code, _, error = export("mazur-2-2-2", "-o", "a.tex")
    assert code == 2 and "a.tex: the file exists; use --force to overwrite it" in error and (tmp_path / "a.tex").read_text() == "mine"
    assert export("mazur-2-2-2", "-o", "a.tex", "--force")[0] == 0 and (tmp_path / "a.tex").read_text("utf-8") != "mine"


def test_drawings_are_not_overwritten_either(export: Export, tmp_path: Path) -> None:
    (tmp_path / "a-drawing-2.svg").write_text("mine")
    code, _, error = export("mazur-2-2-2", "-o", "a.md")
    assert code == 2 and "a-drawing-2.svg: the file exists" in error
    assert names(tmp_path) == ["a-drawing-2.svg"] and (tmp_path / "a-drawing-2.svg").read_text() == "mine"
    assert export("mazur-2-2-2", "-o", "a.md", "--force")[0] == 0
    assert (tmp_path / "a-drawing-2.svg").read_text("utf-8").startswith("<svg")
    for name in ("a-drawing-1.svg", "a-drawing-2.svg"):
        assert f"]({name})" in (tmp_path / "a.md").read_text("utf-8")


def test_a_problem_is_never_overwritten(export: Export, tmp_path: Path) -> None:
    path = problem(tmp_path, "a.json")
    before = path.read_text("utf-8")
    code, _, error = export("a.json", "-o", "a.json", "--force")
    assert code == 2 and "a.json: this is the file that is read; give another name" in error and path.read_text("utf-8") == before


def test_a_folder_that_cannot_be_made(export: Export, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    for arguments in (["-o", "file/a.md"], ["-o", "file/", "--format", "csv"]):
        code, _, error = export("mazur-2-2-2", *arguments)
        assert code == 2 and "cannot be written" in error and "internal" not in error
    assert names(tmp_path) == ["file"]


def test_folders_are_made(export: Export, tmp_path: Path) -> None:
    assert export("mazur-2-2-2", "-o", "a/b/c.csv")[0] == 0 and (tmp_path / "a/b/c.csv").exists()


@pytest.mark.parametrize("name", ["a b.md", "解答.md", "résumé#1 (50%).md", "C:\\Users\\me\\report.md", "-x.md"])
def test_names_of_files(name: str, export: Export, tmp_path: Path) -> None:
    """The drawings are found under the names that stand in the text."""
    from urllib.parse import unquote

    from markdown_it import MarkdownIt

    assert export("tiny-linear-neuron", f"--output={name}")[0] == 0
    text = (tmp_path / name).read_text("utf-8")
    images = [child for token in MarkdownIt().parse(text) for child in token.children or [] if child.type == "image"]
    assert images and all(unquote(str(image.attrs["src"])) in names(tmp_path) for image in images)
    assert len(names(tmp_path)) == 1 + len(images)


# --- styles -----------------------------------------------------------------------------------------------------------


def test_options_reach_the_report(export: Export, tmp_path: Path) -> None:
    options = [
        "--view",
        "worksheet",
        "--notation",
        "nielsen",
        "--lang",
        "zh",
        "--decimals",
        "3",
        "--carry",
        "--iterations",
        "2",
        "--decimal-comma",
    ]
    assert export("mazur-2-2-2", "-o", "a.md", *options)[0] == 0
    text = (tmp_path / "a.md").read_text("utf-8")
    assert "z_{1}^{2} = \\underline" in text and "已知" in text and "0{,}15" in text and "3 位小数" in text and "0.15" not in text


@pytest.mark.parametrize("suffix", [format.suffix for format in FILES.values() if not format.document])
def test_what_is_always_the_whole_solution_is_no_worksheet(suffix: str, export: Export, tmp_path: Path) -> None:
    code, _, error = export("tiny-linear-neuron", "-o", "a" + suffix, "-o", "b.md", "--view", "cloze")
    assert code == 2 and f"{FILES[suffix].name} is the whole solution" in error and names(tmp_path) == []


def test_all_formats_of_a_worksheet_are_those_that_have_it(export: Export, tmp_path: Path) -> None:
    for suffix in FILES:
        needs(suffix)
    assert export("tiny-linear-neuron", "-o", "out/", "--format", "all", "--view", "worksheet")[0] == 0
    ends = {name.removeprefix("tiny-linear-neuron") for name in names(tmp_path / "out") if "-drawing-" not in name}
    assert ends == {format.suffix for format in FILES.values() if format.document}


@pytest.mark.parametrize(("name", "slides"), [("slides.html", True), ("a.slides.html", True), ("slides-2.html", False)])
def test_slides_have_an_ending_of_two_words(export: Export, tmp_path: Path, name: str, slides: bool) -> None:
    assert export("tiny-linear-neuron", "-o", name)[0] == 0
    assert (b'<section class="slide' in (tmp_path / name).read_bytes()) == slides


def test_the_language_is_that_of_the_problem(export: Export, tmp_path: Path) -> None:
    assert export("chinese-homework", "-o", "a.md")[0] == 0 and "已知" in (tmp_path / "a.md").read_text("utf-8")
    assert export("chinese-homework", "-o", "b.md", "--lang", "en")[0] == 0 and "## Given" in (tmp_path / "b.md").read_text("utf-8")


# --- libraries and streams --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", [format for format in FORMATS.values() if format.library])
def test_a_missing_library_is_named(format: Any, export: Export, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == format.library or name.endswith(f"formats.{format.module}")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, format.library, None)
    code, _, error = export("tiny-linear-neuron", "-o", "a" + format.suffix)
    assert code == 2 and f"pip install 'handcalc[{format.extra}]'" in error and format.name in error and names(tmp_path) == []
    code, _, error = export("tiny-linear-neuron", "-o", "out/", "--format", format.name, "--format", "csv")
    assert code == 2 and error.count("pip install") == 1 and names(tmp_path / "out") == ["tiny-linear-neuron.csv"]


class Terminal(io.TextIOWrapper):
    """A terminal, as far as a program can tell."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("suffix", [format.suffix for format in FILES.values() if format.binary])
def test_bytes_are_nothing_for_a_terminal(suffix: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    needs(suffix)
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw))
    with pytest.raises(SystemExit) as ended:
        main(["solve", "tiny-linear-neuron", "--format", FILES[suffix].name])
    assert ended.value.code == 2 and raw.getvalue() == b"" and "this format is nothing for a terminal" in capsys.readouterr().err


@pytest.mark.parametrize("locale", some(["C", "POSIX", "C.UTF-8"], ["C"]))
def test_in_a_plain_locale(locale: str, tmp_path: Path) -> None:
    """Files are UTF-8 whatever the locale is; messages come through."""
    environment = {"PATH": os.environ["PATH"], "LC_ALL": locale, "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "handcalc", "export", "chinese-homework", "-o", "解.md", "-o", "a.ipynb", "-o", "b.tex"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    for name in ("解.md", "a.ipynb", "b.tex"):
        assert "已知" in (tmp_path / name).read_bytes().decode("utf-8")
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True)
    assert done.returncode == 2 and b"--force" in done.stderr and b"Traceback" not in done.stderr


def test_the_program_needs_no_home(tmp_path: Path) -> None:
    """Nothing is written but what was asked for."""
    shutil.copy(shipped()["tiny-linear-neuron"], tmp_path / "p.yaml")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "handcalc", "export", "p.yaml", "-o", "a.tex", "-o", "b.ipynb", "-o", "c.html"]
    assert subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True).returncode == 0
    assert names(tmp_path) == ["a.tex", "b.ipynb", "c.html", "p.yaml"]
