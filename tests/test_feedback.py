"""Marked sheets as files: the format by the ending, a file for each student, names that are safe, numbers in the place of names."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from test_classroom import NEURON, run, write

from handcalc.cli.check import DOCUMENTS
from handcalc.marking.feedback import file_names, numbers
from handcalc.render.report import FORMATS

BERT = "net.y = 0.6\nout.y = 0.645656\ngrad.w = -0.162137\nnew.w = 0.381068\n"
FILES = {
    "anna.txt": "# name: Anna\nnet.y = 0.7\nout.y = 0.668188\n",
    "bert.txt": "# name: Bert\n" + BERT,
    "again.txt": "# name: Bertha\n" + BERT,
    "zoe.txt": "# name: Anna\nnet.y = 0.65\nZoe Miller = 3\nnet.y: Zoe\nout.y = Zoe\n",
    "notes.pdf": "",
    "max.jpg": "",
    "broken.csv": "Max Meier,bar\n1,2\n",
}
NAMES = re.compile("anna|bert|zoe|miller|max|meier|again|broken", re.IGNORECASE)


@pytest.fixture
def school(tmp_path: Path) -> Path:
    (tmp_path / "neuron.yaml").write_text(NEURON, "utf-8")
    write(tmp_path / "sheets", FILES)
    return tmp_path


# --- one sheet ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["markdown", "latex", "html", "typst"])
@pytest.mark.parametrize("said_by", ["ending", "option"])
def test_a_marked_sheet_as_a_document(format: str, said_by: str, school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = school / "sheets" / "bert.txt"
    if said_by == "ending":
        target = school / f"marked{FORMATS[format].suffix}"
        ended = run(capsys, school / "neuron.yaml", sheet, "-o", target)
        content = target.read_text("utf-8")
        assert ended.out == ""
    else:
        ended = run(capsys, school / "neuron.yaml", sheet, "--format", format)
        content = ended.out
    assert (ended.code, ended.err) == (1, "")
    assert FORMATS[format].begins.decode() in content and "The bias is forgotten" in content and "--all" not in content
    assert "Answers of Bert" in content and len(re.findall(r"(?:→|\$\\to\$) follows", content)) == 3, "a document has every answer"


@pytest.mark.parametrize("format", ["pdf", "word"])
def test_a_marked_sheet_as_a_file_of_bytes(format: str, school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip(FORMATS[format].library)
    target = school / f"marked{FORMATS[format].suffix}"
    assert run(capsys, school / "neuron.yaml", school / "sheets" / "bert.txt", "-o", target).code == 1
    assert target.read_bytes().startswith(FORMATS[format].begins)


def test_json_and_other_endings(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, sheet = school / "neuron.yaml", school / "sheets" / "bert.txt"
    run(capsys, problem, sheet, "-o", school / "a.json")
    assert json.loads((school / "a.json").read_text("utf-8"))["summary"] == {"follow_through": 3, "mistake": 1}
    run(capsys, problem, sheet, "-o", school / "a.log", "--format", "plain")
    assert "The bias is forgotten" in (school / "a.log").read_text("utf-8")
    ended = run(capsys, problem, sheet, "-o", school / "a.html", "--format", "pdf")
    assert ended.code == 2 and "the ending stands for html, but --format says pdf" in ended.err
    ended = run(capsys, problem, sheet, "-o", school / "a.ipynb")
    assert ended.code == 2 and "no format with this ending; known are .txt, .md, .tex, .html, .pdf, .typ, .docx, .json, .csv" in ended.err
    assert not (school / "a.html").exists() and not (school / "a.ipynb").exists()


def test_a_marked_sheet_overwrites_nothing_unasked(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, sheet, target = school / "neuron.yaml", school / "sheets" / "bert.txt", school / "a.html"
    target.write_text("mine", "utf-8")
    assert run(capsys, problem, sheet, "-o", target).code == 2 and target.read_text("utf-8") == "mine"
    assert run(capsys, problem, sheet, "-o", target, "--force").code == 1 and "Bert" in target.read_text("utf-8")
    sheet.rename(school / "bert.md")
    ended = run(capsys, problem, school / "bert.md", "-o", school / "bert.md", "--force")
    assert ended.code == 2 and (school / "bert.md").read_text("utf-8") == FILES["bert.txt"]


def test_all_shows_all(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = (school / "neuron.yaml", school / "sheets" / "anna.txt")
    few, every = run(capsys, *arguments).out, run(capsys, *arguments, "--all").out
    assert "2 right answers are not shown (--all)." in few and "correct" not in few
    assert every.count("correct") == 2 and "--all" not in every


# --- a file for each student --------------------------------------------------------------------------------------------


def test_a_file_for_each_student(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = school / "feedback"
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", folder)
    assert ended.code == 1 and ended.err == f"Feedback: 4 files in {folder}\n"
    assert sorted(path.name for path in folder.iterdir()) == ["again.html", "anna.html", "bert.html", "zoe.html"]
    assert "Answers of Bert<" in (folder / "bert.html").read_text("utf-8")
    assert "The bias is forgotten" in (folder / "again.html").read_text("utf-8")
    assert "Sheets: 5; marked: 4" in ended.out, "the table of the class is there as well"


def test_the_same_files_from_several_processes(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for jobs, name in ((1, "one"), (2, "two")):
        run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", school / name, "--jobs", jobs, "--format", "markdown")
    one, two = ({path.name: path.read_bytes() for path in (school / name).iterdir()} for name in ("one", "two"))
    assert one == two and len(one) == 4 and all(name.endswith(".md") for name in one)


def test_the_format_of_the_files_and_that_of_the_table(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, folder = school / "class.csv", school / "feedback"
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", folder, "--format", "latex", "-o", table)
    assert (ended.code, ended.out) == (1, "")
    assert {path.suffix for path in folder.iterdir()} == {".tex"}
    assert [row["name"] for row in csv.DictReader(io.StringIO(table.read_text("utf-8-sig")))][:2] == ["Bertha", "Anna"]
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", school / "more", "--format", "json")
    assert json.loads(ended.out)["sheets"] and {path.suffix for path in (school / "more").iterdir()} == {".html"}


def test_feedback_overwrites_nothing_unasked(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(school / "feedback", {"zoe.html": "mine"})
    arguments = (school / "neuron.yaml", school / "sheets", "--feedback", folder)
    ended = run(capsys, *arguments)
    assert (ended.code, ended.out) == (2, "") and "zoe.html: the file exists" in ended.err
    assert [path.name for path in folder.iterdir()] == ["zoe.html"], "nothing is written where one file may not be"
    assert run(capsys, *arguments, "--force").code == 1 and "Anna" in (folder / "zoe.html").read_text("utf-8")


def test_feedback_is_not_for_the_folder_of_the_sheets(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", school / "sheets", "--force")
    assert ended.code == 2 and "the sheets are in this folder" in ended.err
    assert {path.name for path in (school / "sheets").iterdir()} == {*FILES}
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", school / "neuron.yaml" / "x")
    assert ended.code == 2 and "cannot be written" in ended.err


def test_feedback_inside_the_folder_of_the_sheets_is_no_skipped_file(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = school / "sheets" / "feedback"
    for _ in range(2):
        out = run(capsys, school / "neuron.yaml", school / "sheets", "--feedback", inside, "--force").out
        assert "Not read, for these are no sheets: max.jpg, notes.pdf." in out


def test_answers_on_the_command_line_have_no_feedback(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for option in (("--feedback", school / "f"), ("--anonymous",)):
        ended = run(capsys, school / "neuron.yaml", "--answer", "net.y=1", *option)
        assert ended.code == 2 and "--feedback, --anonymous, --scheduler and --results go with sheets of answers" in ended.err


SAFE = {
    "ann": "ann.html",
    "李 明": "李 明.html",
    'a/b\\c:d*e?f"g<h>i|j': "a_b_c_d_e_f_g_h_i_j.html",
    "..": "_.html",
    "-rf": "rf.html",
    "con": "con_.html",
    "LPT1.old": "LPT1.old_.html",
    "a\nb\x1b": "a_b_.html",
    "x" * 500: "x" * 120 + ".html",
    "字" * 100: "字" * 40 + ".html",
    "": "_.html",
}


@pytest.mark.parametrize("stem", SAFE)
def test_names_of_files_are_safe(stem: str) -> None:
    assert file_names([stem], ".html") == [SAFE[stem]]


def test_names_of_files_differ() -> None:
    assert file_names(["ann", "Ann", "ann-2", "ann", "a?", "a*"], ".md") == [
        "ann.md",
        "Ann-2.md",
        "ann-2-2.md",
        "ann-3.md",
        "a_.md",
        "a_-2.md",
    ]


# --- names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["terminal", "markdown", "csv", "json", "html"])
def test_no_name_where_none_is_wanted(form: str, school: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(school)
    ended = run(capsys, "neuron.yaml", "sheets", "--anonymous", "--format", form)
    text = ended.out[ended.out.find("<main") : ended.out.find("</main>")] if form == "html" else ended.out
    assert ended.code == 1 and not NAMES.findall(text + ended.err)
    assert all(number in text for number in numbers([f"sheets/{name}" for name in FILES if name[-3:] in ("txt", "csv")]).values())


def test_no_name_in_the_files(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, school / "neuron.yaml", school / "sheets", "--anonymous", "--feedback", school / "files", "--format", "markdown")
    found = {path.stem: path.read_text("utf-8") for path in (school / "files").iterdir()}
    known = numbers([f"sheets/{name}" for name in ("anna.txt", "bert.txt", "again.txt", "zoe.txt", "broken.csv")])
    assert {*found} == {number for path, number in known.items() if "broken" not in path}
    assert all(f"Answers of {number}" in text and not NAMES.search(text) for number, text in found.items())


def test_numbers_stay() -> None:
    """A sheet keeps its number when others come, and wherever the folder is; the order of numbers is not that of names."""
    few = numbers([f"sheets/{name}.txt" for name in ("ann", "bea", "cid", "dan")])
    more = numbers([f"elsewhere/{name}.docx" for name in ("aaa", "ann", "bea", "bob", "cid", "dan", "eve")])
    assert [*few.values()] == [more[path.replace("sheets", "elsewhere").replace("txt", "docx")] for path in few]
    assert [*more.values()] != sorted(more.values())
    many = numbers([f"{place}.txt" for place in range(6000)])
    assert len({*many.values()}) == 6000 and {len(number) for number in many.values()} == {5}


# --- sheets that are alike, files that are none -----------------------------------------------------------------------------


def test_sheets_that_are_alike_and_files_that_are_none(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = run(capsys, school / "neuron.yaml", school / "sheets").out
    assert out.partition("Remarks on the sheets ")[2].splitlines()[1:] == [
        "The same name: anna.txt, zoe.txt.",
        "The same answers: again.txt, bert.txt.",
        "Not read, for these are no sheets: max.jpg, notes.pdf.",
    ]
    write(school / "right", dict.fromkeys(("a.txt", "b.txt"), "net.y = 0.70\nout.y =\n"))
    assert "The same answers, all right: a.txt, b.txt." in run(capsys, school / "neuron.yaml", school / "right").out
    write(school / "blank", dict.fromkeys(("a.txt", "b.txt"), "net.y =\n"))
    assert "The same answers" not in run(capsys, school / "neuron.yaml", school / "blank").out


def test_a_table_for_excel(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """UTF-8 with its mark in a file, none on a stream; every mark is a number; no cell is a formula."""
    write(school / "sheets", {"b.txt": "# name: 李\nnet.y = 0.7\n=1+1 : 2\n@x = 3\n+y = 3\n"})
    table = school / "class.csv"
    stream = run(capsys, school / "neuron.yaml", school / "sheets", "--format", "csv").out
    run(capsys, school / "neuron.yaml", school / "sheets", "-o", table)
    assert table.read_bytes() == b"\xef\xbb\xbf" + stream.encode() and not stream.startswith("\ufeff")
    rows = [*csv.DictReader(io.StringIO(stream))]
    assert {row["net.y marks"] for row in rows} == {"0", "1", ""}
    cells = [cell for row in rows for cell in row.values()]
    assert not [cell for cell in cells if re.match(r"[=+@\t\r-]", cell) and not re.fullmatch(r"-?[\d.]+", cell)]


def test_every_format_of_check_is_one_of_files() -> None:
    assert {*DOCUMENTS} == {name for name, format in FORMATS.items() if format.document and format.suffix} - {
        "plain",
        "notebook",
        "slides",
        "svg",
    }
