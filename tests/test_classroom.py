"""Class reports: which files are sheets, one row for each whatever the processes, and the report in every form.

The class is four sheets of a network with one neuron: all right, one mistake, unreadable, left blank.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pickle
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from handcalc.cli import main
from handcalc.cli.progress import progress_bar
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError, Message
from handcalc.loading.loader import load, loads
from handcalc.marking import classroom
from handcalc.marking.check import Checker
from handcalc.marking.classreport import Gradebook, as_csv, as_markdown, class_json, class_report, escaped, harmless
from handcalc.marking.classroom import StudentRow, mark_file, mark_sheets, processes, sheets_of
from handcalc.marking.marked import VERDICTS
from handcalc.marking.report import as_json
from handcalc.marking.wording import VERDICTS_SHOWN
from handcalc.marking.workbook import Workbook
from handcalc.render import read
from handcalc.render.blocks import Equation, Paragraph, Plain
from handcalc.render.items import TONES

NEURON = """\
title: One neuron
inputs: {x: 2}
targets: {y: 1}
layers:
  - {neurons: [y], activation: sigmoid, weights: {w: [x, y, 0.3]}, bias: {b: 0.1}}
loss: half_squared_error
learning_rate: 0.5
"""

SHEETS = {
    "anna.yaml": "name: Anna\nanswers: {new.w: 0.373567, net.y: 0.7, out.y: 0.668188, grad.w: -0.147134}\n",
    "bert.txt": "# name: Bert\nnet.y = 0.6\nout.y = 0.645656\ngrad.w = -0.162137\nnew.w = 0.381068\n",
    "carl.csv": "foo,bar\n1,2\n",
    "dora.txt": "net.y =\nout.y = ____\nloss =\n",
}

PLAIN = """\
== One neuron ==========================================================
Sheets: 4; marked: 3
Average: 58 %

+---------------+-------+-----+-------+-------+---------+-------+-----+
|student        | marks | %   | net_y | out_y | E_total | dE/dw | w+  |
+---------------+-------+-----+-------+-------+---------+-------+-----+
|Anna           | 4/4   | 100 | 1 +   | 1 +   | .       | 1 +   | 1 + |
|Bert           | 3/4   | 75  | 0 xA  | 1 >   | .       | 1 >   | 1 > |
|dora           | 0/3   | 0   | .     | .     | .       | .     | .   |
|right, of 3    |       |     | 1     | 1     | 0       | 1     | 1   |
|marks, average |       |     | 0.33  | 0.67  | 0       | 0.67  | 0.67|
+---------------+-------+-----+-------+-------+---------+-------+-----+

In each column: marks, and + right; ~ right, but too few digits; > right for an earlier wrong
number; x wrong, with the letter of a mistake below; . not answered; ? unreadable

-- Most frequent mistakes ----------------------------------------------
A. The bias is forgotten. Students: 1; first at net_y

-- Sheets that could not be read ---------------------------------------
FOLDER/carl.csv:1: the column "id" is missing; there are foo, bar
FOLDER/carl.csv:1: the column "answer" is missing; there are foo, bar
"""

MARKDOWN = """\
# One neuron

Sheets: 4; marked: 3

Average: 58 %

| student | marks | % | net\\_y | out\\_y | E\\_total | ∂E/∂w | w⁺ |
| --- | --- | --- | --- | --- | --- | --- | --- |
| Anna | 4/4 | 100 | 1 ✓ | 1 ✓ | · | 1 ✓ | 1 ✓ |
| Bert | 3/4 | 75 | 0 ✗A | 1 → | · | 1 → | 1 → |
| dora | 0/3 | 0 | · | · | · | · | · |
| right, of 3 |  |  | 1 | 1 | 0 | 1 | 1 |
| marks, average |  |  | 0.33 | 0.67 | 0 | 0.67 | 0.67 |

In each column: marks, and ✓ right; \\~ right, but too few digits; → right for an earlier wrong number; \
✗ wrong, with the letter of a mistake below; · not answered; ? unreadable

## Most frequent mistakes

A. The bias is forgotten. Students: 1; first at net\\_y

## Sheets that could not be read

FOLDER/carl.csv:1: the column "id" is missing; there are foo, bar

FOLDER/carl.csv:1: the column "answer" is missing; there are foo, bar
"""

CSV = """\
name,file,marks,of,percent,net.y,out.y,loss,grad.w,new.w,net.y marks,out.y marks,loss marks,grad.w marks,new.w marks,\
mistakes,no_step,error
Anna,FOLDER/anna.yaml,4,4,100,correct,correct,,correct,correct,1,1,,1,1,,,
Bert,FOLDER/bert.txt,3,4,75,mistake,follow_through,,follow_through,follow_through,0,1,,1,1,The bias is forgotten,,
carl,FOLDER/carl.csv,,,,,,,,,,,,,,,,"FOLDER/carl.csv:1: the column ""id"" is missing; there are foo, bar; FOLDER/carl.csv:1:\
 the column ""answer"" is missing; there are foo, bar"
dora,FOLDER/dora.txt,0,3,0,missing,missing,missing,,,0,0,0,,,,,
"""


@pytest.fixture
def school(tmp_path: Path) -> Path:
    """A folder with the problem beside the folder of the sheets."""
    (tmp_path / "neuron.yaml").write_text(NEURON, "utf-8")
    write(tmp_path / "sheets", SHEETS)
    return tmp_path


def write(folder: Path, files: dict[str, str]) -> Path:
    """A folder with these files."""
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def marked(folder: Path, jobs: int | None = 1, problem: str = NEURON, **options: Any) -> list[StudentRow]:
    """The rows of a folder."""
    return mark_sheets(loads(problem), sheets_of([str(folder)]), jobs=jobs, **options)


def book_of(rows: Sequence[StudentRow], problem: str = NEURON) -> Gradebook:
    """Rows, counted."""
    return Gradebook(rows, Workbook(loads(problem)).derivation)


def plainly(rows: Sequence[StudentRow]) -> list[Any]:
    """All that rows say, in values that can be compared."""
    return [(row.name, row.path, row.marking and as_json(row.marking), [*map(str, row.trouble)]) for row in rows]


def markdown(rows: Sequence[StudentRow], problem: str = NEURON) -> str:
    """The report as Markdown."""
    reading = read(Workbook(loads(problem)).derivation)
    return as_markdown(class_report(book_of(rows, problem), reading), reading, str)


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> SimpleNamespace:
    """`handcalc check …` in this process: code, out, err."""
    with pytest.raises(SystemExit) as ended:
        main(["check", *map(str, arguments), "--lang", "en"])
    out, err = capsys.readouterr()
    return SimpleNamespace(code=ended.value.code, out=out, err=err)


# --- rows ------------------------------------------------------------------------------------------------------------------


def test_rows(school: Path) -> None:
    rows = marked(school / "sheets")
    assert [(row.name, Path(row.path).name) for row in rows] == [
        ("Anna", "anna.yaml"),
        ("Bert", "bert.txt"),
        ("carl", "carl.csv"),
        ("dora", "dora.txt"),
    ]
    assert [row.marking and row.marking.summary for row in rows] == [
        {"correct": 4},
        {"follow_through": 3, "mistake": 1},
        None,
        {"missing": 3},
    ]
    assert [len(row.trouble) for row in rows] == [0, 0, 2, 0]


def test_the_same_rows_from_any_number_of_processes(school: Path) -> None:
    more = {f"more{number}.txt": f"net.y = 0.{number}\nout.y = 0.64\ngrad.w = 0.{number}\n" for number in range(1, 6)}
    folder = write(school / "sheets", more)
    alone = plainly(marked(folder))
    assert len(alone) == 9
    assert alone == plainly(marked(folder, jobs=2)) == plainly(marked(folder, jobs=30))


def test_what_is_sent_to_processes_can_be_sent(school: Path) -> None:
    checker = pickle.loads(pickle.dumps(Checker(loads(NEURON), "zhou", Rounding(3))))
    row = mark_file(checker, str(school / "sheets" / "bert.txt"))
    assert plainly([pickle.loads(pickle.dumps(row))]) == plainly([row])
    assert row.marking is not None and row.marking.answers[0].mistakes == ("bias-forgotten",)


def test_one_process_hands_on_the_notation_and_the_rounding(school: Path) -> None:
    folder = write(school / "rounded", {"a.txt": "∂E/∂w = -0.1\nnet.y = 0.70\n", "b.txt": "δ_y = -0.1\n"})
    for options in ({}, {"notation": "zhou"}, {"rounding": Rounding(1)}):
        assert plainly(marked(folder, **options)) == plainly(marked(folder, jobs=2, **options))


@pytest.mark.parametrize(
    ("jobs", "sheets", "wanted"),
    [(None, 1, 1), (None, 79, 1), (None, 80, 2), (None, 10_000, 4), (1, 500, 1), (3, 500, 3), (8, 2, 2), (2, 0, 1)],
)
def test_processes(jobs: int | None, sheets: int, wanted: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(classroom, "processors", lambda: 4)
    assert processes(jobs, sheets) == wanted


def test_progress_is_told(school: Path) -> None:
    for jobs in (1, 2):
        told: list[int] = []
        marked(school / "sheets", jobs, progress=told.append)
        assert told == [1, 2, 3, 4]


def test_a_crash_is_trouble_with_one_sheet(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HANDCALC_DEBUG", raising=False)
    mark = Checker.mark

    def broken(self: Checker, sheet: Any) -> Any:
        if sheet.name == "Bert":
            raise RecursionError("too\x1b deep")
        return mark(self, sheet)

    monkeypatch.setattr(Checker, "mark", broken)
    rows = marked(school / "sheets")
    assert [row.marking is None for row in rows] == [False, True, True, False]
    assert "bert.txt: internal error (RecursionError: too\\u001b deep); please report it." in str(rows[1].trouble[0])
    monkeypatch.setenv("HANDCALC_DEBUG", "1")
    with pytest.raises(RecursionError):
        marked(school / "sheets")


@pytest.mark.parametrize("jobs", [1, 2])
def test_wrong_tasks_are_an_error_of_the_problem(school: Path, jobs: int) -> None:
    with pytest.raises(HandcalcError, match='no step fits "grad.v\\*"'):
        marked(school / "sheets", jobs, NEURON + 'tasks: ["grad.v*"]\n')


def test_tasks_of_a_later_iteration(school: Path) -> None:
    rows = marked(school / "sheets", problem=NEURON + 'tasks: ["#2:net.y"]\n')
    assert rows[0].marking is not None and rows[0].marking.answers[-1].id == "#2:net.y"


def test_a_process_that_dies(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(*arguments: Any, **options: Any) -> None:
        raise BrokenProcessPool

    monkeypatch.setattr(ProcessPoolExecutor, "submit", dies)
    with pytest.raises(HandcalcError, match="a process that marked sheets ended"):
        marked(school / "sheets", 2)


# --- which files -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_the_sheets_in_it_by_name(tmp_path: Path) -> None:
    names = ("b.txt", "a.yml", "C.CSV", "10.yaml", "9.yaml", ".hidden.txt", "notes.md", "x.json", "txt", "übung.txt", "李.yaml")
    write(tmp_path, dict.fromkeys(names, "net.y = 1"))
    write(tmp_path / "deeper.txt", {"below.txt": "net.y = 1"})
    assert [Path(path).name for path in sheets_of([str(tmp_path)])] == [
        "10.yaml",
        "9.yaml",
        "C.CSV",
        "a.yml",
        "b.txt",
        "übung.txt",
        "李.yaml",
    ]


def test_files_and_folders_each_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "all", {"a.txt": "net.y = 1", "b.txt": "net.y = 1"})
    other = write(tmp_path / "others", {"c.txt": "net.y = 1"})
    (other / "link.txt").symlink_to(folder / "a.txt")
    (other / "nowhere.txt").symlink_to(other / "gone")
    b, c = str(folder / "b.txt"), str(other / "c.txt")
    found = sheets_of(["-", b, str(folder), "-", c, str(other), str(folder / ".." / "all" / "b.txt"), "missing.txt", "missing.txt"])
    assert found == ["-", b, str(folder / "a.txt"), c, str(other / "nowhere.txt"), "missing.txt"]


def test_a_file_called_like_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write(tmp_path, {"-": "net.y = 1"}))
    assert sheets_of(["-", "./-"]) == ["-", "./-"]


def test_the_problem_is_no_sheet(tmp_path: Path) -> None:
    write(tmp_path, {"neuron.yaml": NEURON, "a.txt": "net.y = 1"})
    problem = str(tmp_path / "neuron.yaml")
    (tmp_path / "link.yaml").symlink_to(problem)
    for paths in ([str(tmp_path)], [problem, str(tmp_path / "a.txt")]):
        assert sheets_of(paths, ["neuron", problem]) == [str(tmp_path / "a.txt")]
    with pytest.raises(HandcalcError, match="neuron.yaml: this is the problem; give a sheet of answers"):
        sheets_of([problem], [problem])


def test_folders_without_sheets_are_errors(tmp_path: Path) -> None:
    full, empty, other = (write(tmp_path / name, {}) for name in ("full", "empty", "other"))
    write(full, {"a.txt": "net.y = 1"})
    write(other, {"neuron.yaml": NEURON, "b.md": ""})
    with pytest.raises(HandcalcError) as failed:
        sheets_of([str(empty), str(full), str(other)], [str(other / "neuron.yaml")])
    assert [*map(str, failed.value.messages)] == [
        f"{folder}: this folder holds no sheet (.yaml, .yml, .csv, .tsv, .txt, .xlsx, .docx, .ipynb, .jsonl)" for folder in (empty, other)
    ]


def test_standard_input_among_sheets(school: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"net.y = 0.7\n")))
    rows = mark_sheets(loads(NEURON), [str(school / "sheets" / "anna.yaml"), "-"], jobs=2)
    assert [(row.name, row.marking and row.marking.score) for row in rows] == [("Anna", 1), ("stdin", 1)] and rows[1].path == "stdin"


def test_a_file_name_that_is_no_text(school: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    try:
        (school / name).write_text("net.y = 0.7", "utf-8")
    except OSError:
        pytest.skip("no such file names here")
    row = mark_file(Checker(loads(NEURON)), str(school / name))
    assert (row.name, row.marking and row.marking.score) == ("caf\\udce9", 1)
    assert row.path.encode() and as_csv(book_of([row])).encode()


# --- the report ------------------------------------------------------------------------------------------------------------

EXACT = {"plain": PLAIN, "markdown": MARKDOWN, "csv": CSV}


@pytest.mark.parametrize("form", EXACT)
def test_the_report(form: str, school: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(school)
    monkeypatch.delenv("COLUMNS", raising=False)
    wanted = EXACT[form].replace("FOLDER", "sheets")
    ended = run(capsys, "neuron.yaml", "sheets", "--format", form)
    assert (ended.out, ended.err, ended.code) == (wanted, "", 1)
    ended = run(capsys, "neuron.yaml", "sheets", "--format", form, "-o", "report.txt")
    assert (ended.out, ended.err, ended.code) == ("", "", 1)
    assert (school / "report.txt").read_text("utf-8") == wanted


def test_the_terminal_report(school: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    out = run(capsys, school / "neuron.yaml", school / "sheets").out
    assert "∂E/∂w" in out and [line.split() for line in out.splitlines() if line.startswith("Bert")] == [
        ["Bert", "3/4", "75", "0", "✗A", "1", "→", "·", "1", "→", "1", "→"]
    ]
    assert "δ" in run(capsys, school / "neuron.yaml", school / "sheets", write(school / "d", {"d.txt": "grad.net.y = 1"})).out


def test_json(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--format", "json")
    found = json.loads(ended.out)
    assert ended.code == 1 and found.keys() == {"sheets", "mistakes", "average"}
    assert found["average"] == round((1 + 0.75 + 0) / 3, 6)
    assert found["mistakes"] == [{"slug": "bias-forgotten", "students": 1, "steps": ["net.y"]}]
    anna, bert, carl, dora = found["sheets"]
    assert [sheet["name"] for sheet in found["sheets"]] == ["Anna", "Bert", "carl", "dora"]
    assert carl == {
        "name": "carl",
        "file": str(school / "sheets" / "carl.csv"),
        "error": "\n".join(map(str, marked(school / "sheets")[2].trouble)),
    }
    assert anna.keys() == bert.keys() == dora.keys() == {"name", "file", "summary", "score", "marks", "rounding", "answers"}
    assert (bert["score"], bert["marks"], bert["summary"]) == (0.75, {"got": 3, "of": 4}, {"follow_through": 3, "mistake": 1})
    assert bert["answers"] == as_json(marked(school / "sheets")[1].marking)["answers"]  # type: ignore[arg-type]


def test_one_sheet_in_a_form_for_classes(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    anna = school / "sheets" / "anna.yaml"
    ended = run(capsys, school / "neuron.yaml", anna, "--format", "csv")
    assert ended.code == 0 and [*csv.DictReader(io.StringIO(ended.out))] == [
        {"name": "Anna", "file": str(anna), "marks": "4", "of": "4", "percent": "100"}
        | {"net.y": "correct", "out.y": "correct", "grad.w": "correct", "new.w": "correct"}
        | {f"{step} marks": "1" for step in ("net.y", "out.y", "grad.w", "new.w")}
        | {"mistakes": "", "no_step": "", "error": ""}
    ]
    second = write(school / "second", {"b.txt": "net.y = 0.7\nout.y = 0.668188\ngrad.w = -0.147134\nnew.w = 0.5\n"})
    assert "Average: 3.5 of 4 marks (88 %)" in run(capsys, school / "neuron.yaml", anna, second).out


def test_every_verdict_has_a_sign() -> None:
    assert {*VERDICTS_SHOWN} - {"repeated"} == {*VERDICTS}
    assert all(look.ascii.isascii() and len(look.ascii) == len(look.sign) == 1 for look in VERDICTS_SHOWN.values())
    assert {look.tone for look in VERDICTS_SHOWN.values()} - {""} <= {*TONES}


def test_steps_are_in_reading_order_and_mistakes_by_students(school: Path) -> None:
    sheets = {
        "a.txt": "#2:net.y = 1\nnew.w = 0.226433\nnew.b = 0.0632165\ngrad.w = -0.147134\nx = 2\nfoo = 1\n",
        "b.txt": "loss = 0.0550497\nnew.w = 0.226433\ngrad.w = -0.147134\n#2:net.y = 5\n",
        "c.txt": "out.y = 0.645656\nnet.y = 0.6\nnet_y = 0.9\n",
    }
    book = book_of(marked(write(school / "other", sheets)))
    assert [book.id(step) for step in book.steps] == ["x", "net.y", "out.y", "loss", "grad.w", "new.w", "new.b", "#2:net.y"]
    assert [book.right(step) for step in book.steps] == [1, 0, 0, 1, 2, 0, 0, 0]
    found = [(mistake.slug, mistake.students, [*map(book.id, mistake.steps)]) for mistake in book.mistakes]
    assert found == [("plus-for-minus", 2, ["new.w"]), ("bias-forgotten", 1, ["net.y"])]
    text = markdown(book.rows)
    assert "| student | marks | % | x | net\\_y | out\\_y | E\\_total | ∂E/∂w | w⁺ | b⁺ | \\#2:net\\_y |" in text
    left = text.partition("## Answers that are no step of the solution\n\n")[2].splitlines()[::2]
    assert left == ['a: foo: there is no step "foo"', "c: net\\_y: this step is answered twice"]


def test_no_sheet_could_be_read(school: Path) -> None:
    rows = marked(write(school / "bad", {"a.txt": "", "b.yaml": "answers: ["}))
    book = book_of(rows)
    assert book.average is None and not book.all_right(False)
    assert class_json(book)["average"] is None and class_json(book)["mistakes"] == []
    assert "| " not in markdown(rows) and "Sheets: 2; marked: 0" in markdown(rows)
    assert len(as_csv(book).splitlines()) == 3
    assert class_json(book_of([])) == {"sheets": [], "mistakes": [], "average": None}


def test_many_messages_about_a_sheet_are_cut(school: Path) -> None:
    text = markdown(marked(write(school / "bad", {"a.txt": "nonsense\n" * 20})))
    assert text.count("expected ID = ANSWER") == 3 and text.endswith("… 17 more\n")


# --- what users write ------------------------------------------------------------------------------------------------------

# text → its cell in a spreadsheet
CELLS = {
    "=cmd|'/c calc'!A1": "'=cmd|'/c calc'!A1",
    "+1": "+1",
    "-1+1": "'-1+1",
    "@SUM(A1)": "'@SUM(A1)",
    "\t=1": "'\\u0009=1",
    "\r=1": "'\\u000d=1",
    "＝1": "'＝1",
    "-": "'-",
    "-３": "'-３",
    "-3": "-3",
    "-0.25": "-0.25",
    "-0,25": "-0,25",
    "-3\n": "'-3\\u000a",
    "0.5": "0.5",
    "a=b": "a=b",
    "": "",
    "\x1b[31mred": "\\u001b[31mred",
}


@pytest.mark.parametrize(("text", "cell"), CELLS.items(), ids=map(ascii, CELLS))
def test_no_cell_is_a_formula(text: str, cell: str) -> None:
    assert harmless(text) == cell


def test_markdown_escapes() -> None:
    assert escaped("|a\\b`c*d_e<f>g[h]i#j&k") == "\\|a\\\\b\\`c\\*d\\_e&lt;f&gt;g\\[h\\]i\\#j&amp;k"
    reading = read(Workbook(loads(NEURON)).derivation)
    lines = {"- x": "\\- x", "+ x": "\\+ x", "12. x": "12\\. x", "3) x": "3\\) x", "===": "\\===", "a - 1. b": "a - 1. b", "-5": "\\-5"}
    for text, wanted in lines.items():
        assert as_markdown([Paragraph(Plain(text))], reading, str) == wanted + "\n"
    with pytest.raises(TypeError, match="no Markdown for Equation"):
        as_markdown([Equation(Plain("a"), ())], reading, str)


HOSTILE = [
    "<script>alert(1)</script>",
    "=cmd|'/c calc'!A1",
    "[bold]x[/bold]",
    "a\x1b[31mb\x9bc\u202ed",
    "| a | b |",
    "[x](javascript:y)",
    "n" * 500,
]


@pytest.mark.parametrize("form", ["terminal", "plain", "csv", "markdown", "json"])
def test_hostile_names(form: str, school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheets = {f"{number}.yaml": json.dumps({"name": name, "answers": {"net.y": 0.7, name: name}}) for number, name in enumerate(HOSTILE)}
    ended = run(capsys, school / "neuron.yaml", write(school / "hostile", sheets), "--format", form)
    assert ended.code == 1 and ended.err == ""
    assert ended.out.replace("\n", "").isprintable(), "no control characters, whatever a sheet says"
    if form == "json":
        assert [sheet["name"] for sheet in json.loads(ended.out)["sheets"]] == HOSTILE
    elif form == "csv":
        names = [row["name"] for row in csv.DictReader(io.StringIO(ended.out))]
        assert names == [HOSTILE[0], "'" + HOSTILE[1], HOSTILE[2], "a\\u001b[31mb\\u009bc\\u202ed", *HOSTILE[4:]]
    elif form == "markdown":
        assert "<" not in ended.out and "&lt;script&gt;" in ended.out
        rows = [line for line in ended.out.splitlines() if line.startswith("| ")]
        assert {line.replace("\\|", "").count("|") for line in rows} == {5}
        assert "](" not in ended.out.replace("\\]", "")
    else:
        assert "[bold]x[/bold]" in ended.out
        table = ended.out.partition("\n\n")[2].partition("\n\n")[0]
        assert max(map(len, table.splitlines())) < 80, "a long name leaves room for the steps"


@pytest.mark.parametrize("form", ["terminal", "plain", "markdown"])
def test_a_hostile_title(form: str, school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem = school / "hostile.yaml"
    problem.write_text(NEURON.replace("One neuron", '"# <b>a\\e[31m\\n\\n[b](c)"'), "utf-8")
    out = run(capsys, problem, school / "sheets", "--format", form).out
    title = "\\# &lt;b&gt;a\\\\u001b\\[31m\\\\u000a\\\\u000a\\[b\\](c)" if form == "markdown" else "# <b>a\\u001b[31m\\u000a\\u000a[b](c)"
    assert title in out and "\x1b" not in out


# --- the command -----------------------------------------------------------------------------------------------------------


def test_exit_codes(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    problem, sheets = school / "neuron.yaml", school / "sheets"
    anna, bert, carl, dora = (sheets / name for name in SHEETS)
    second = write(school / "second", {"a.txt": SHEETS["anna.yaml"].partition("answers: ")[2].strip("{}\n").replace(", ", "\n")})
    assert run(capsys, problem, anna, second).code == 0
    assert run(capsys, problem, anna, bert).code == 1
    assert run(capsys, problem, anna, carl).code == 1
    assert run(capsys, problem, anna, dora).code == 1, "an empty sheet is not all right"
    asked = school / "asked.yaml"
    asked.write_text(NEURON + "tasks: [net.y]\n", "utf-8")
    assert run(capsys, asked, anna, dora).code == 1
    ended = run(capsys, problem, write(school / "empty", {}))
    assert (ended.code, ended.out) == (2, "") and "this folder holds no sheet" in ended.err


def test_a_sheet_is_never_overwritten(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    anna = school / "sheets" / "anna.yaml"
    ended = run(capsys, school / "neuron.yaml", school / "sheets", "--format", "csv", "-o", anna, "--force")
    assert ended.code == 2 and "this is the file that is read" in ended.err
    assert anna.read_text("utf-8") == SHEETS["anna.yaml"]


def test_jobs_and_rounding_of_the_command(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        run(capsys, school / "neuron.yaml", school / "sheets", "--format", "json", "--decimals", "4", "--jobs", jobs).out for jobs in (1, 2)
    ]
    assert lines[0] == lines[1] != run(capsys, school / "neuron.yaml", school / "sheets", "--format", "json").out


def test_a_shipped_problem_and_a_decimal_comma(school: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write(school / "mazur", {"a.txt": "net.h1 = 0.3775\nnet.h2 = 0.4\n", "b.txt": "net.h1 = 0.3775\n"})
    out = run(capsys, "mazur-2-2-2", folder, "--format", "csv", "--decimal-comma").out
    assert [row["marks"] for row in csv.DictReader(io.StringIO(out), delimiter=";")] == ["1,5", "1"]


def test_no_progress_bar_where_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(False)
    monkeypatch.setattr(sys, "stderr", screen)
    with progress_bar(500, "Marking", patience=0) as progress:
        assert progress is None
    assert screen.getvalue() == ""


def test_a_progress_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen(True)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar(21, "批改", patience=0) as progress:
        assert progress is not None
        progress(21)
    assert "21/21" in screen.getvalue() and "批改" in screen.getvalue()


class Screen(io.StringIO):
    """A stream that says whether it is a terminal."""

    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self.terminal = terminal

    def isatty(self) -> bool:
        """Whether it is."""
        return self.terminal


def test_problems_of_a_file_can_be_sent(school: Path) -> None:
    problem = load(school / "neuron.yaml")
    assert pickle.loads(pickle.dumps(problem)) == problem
    assert Message("{a}", a=1).text() == str(pickle.loads(pickle.dumps(Message("{a}", a=1))))
