"""Marks into an exported gradebook: one column differs, every other byte is as it was; nobody gets a 0 that was not earned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from platformtables import Pupil, made, moodle
from test_classroom import run

from handcalc.errors import OutputError, ProblemError
from handcalc.exercises.gradebook import Filled, Graded, fill
from handcalc.exercises.people import Person
from handcalc.exercises.placed import PlacedTable, read_placed

CANVAS = (
    "\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Essay (771),Backprop (772),Final Score (read only)\r\n"
    ",,,,,Manual Posting,,(read only)\r\n"
    "    Points Possible,,,,,10.0,20.0,(read only)\r\n"
    '"Ng, Ann",9001,s001,ann,"A, ""blue""",5,,71.5\r\n'
    '"Müller, Jörg",9002,s002,jmu,A,EX,"3.5",\r\n'
    '"Ot\nto, Eve",9003,s003,eve,A,,EX,\r\n'
    '"O\'Hara, Zoë",9004,s004,zoe,A,4.25,1,\r\n'
    '"Student, Test",9999,,abc,A,,,\r\n'
)
WORKSHEET = (
    "ID;Vollständiger Name;E-Mail-Adresse;Status;Bewertung;Bestwertung;Bewertung kann geändert werden;"
    "Zuletzt geändert (Bewertung);Feedback als Kommentar\n"
    'Teilnehmer/in1001;Ann Ng;s001@school.example;"Zur Bewertung\nabgegeben";;"100,00";Ja;-;\n'
    'Teilnehmer/in1002;Jörg Müller;s002@school.example;-;;50,00;Ja;-;"<p>alt; ""gut""</p>"\n'
    "Teilnehmer/in1003;Eve Otto;s003@school.example;-;12,50;100,00;Ja;-;"
)


def graded(id: str = "", got: float = 3, worth: float = 4, name: str = "", email: str = "", comment: str = "") -> Graded:
    return Graded(Person((("number", id),) if id else (), email, name), got, worth, comment)


def placed(folder: Path, data: bytes) -> PlacedTable:
    path = folder / "grades.csv"
    path.write_bytes(data)
    return read_placed(str(path))


def filled(folder: Path, data: bytes, column: str | None, *students: Graded) -> Filled:
    return fill(placed(folder, data), column, students)


def without(folder: Path, data: bytes, columns: set[int]) -> bytes:
    """The bytes of a table without what stands in these columns of its rows of students."""
    found = placed(folder, data)
    text, parts, at = found.source.text, [], 0
    for row in found.rows[1:]:
        for place, cell in enumerate(row.cells):
            if place in columns:
                parts.append(text[at : cell.start])
                at = cell.end
    return found.source.mark + "".join((*parts, text[at:])).encode(found.source.encoding)


# --- one column -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["Backprop (772)", "Backprop", "backprop"])
def test_the_gradebook_of_canvas(column: str, tmp_path: Path) -> None:
    students = (graded("s001"), graded("s002", 4, 4), graded("s003"), graded(name="Zoë O'Hara", got=1), graded("s777"))
    data = CANVAS.encode()
    found = filled(tmp_path, data, column, *students)
    expected = CANVAS.replace('blue""",5,,71.5', 'blue""",5,15,71.5').replace('EX,"3.5",', 'EX,"20",').replace("4.25,1,", "4.25,5,")
    assert found.content == expected.encode()
    assert without(tmp_path, found.content, {6}) == without(tmp_path, data, {6})
    assert found.count == 3 and [person.shown for person in found.not_found] == ["s777"]
    assert [(row.line, str(row.because)) for row in found.not_marked] == [(6, "excused"), (9, "no marked answers")]


def test_the_worksheet_of_moodle(tmp_path: Path) -> None:
    students = (graded("s001", email="S001@school.example", comment="3 of 4 marks"), graded(name="Müller, Jörg", comment="=1+1; é"))
    found = filled(tmp_path, WORKSHEET.encode("cp1252"), None, *students)
    expected = WORKSHEET.replace('abgegeben";;"100,00";Ja;-;', 'abgegeben";75;"100,00";Ja;-;3 of 4 marks')
    expected = expected.replace(';-;;50,00;Ja;-;"<p>alt; ""gut""</p>"', ';-;37,5;50,00;Ja;-;"\'=1+1; é"')
    assert found.content == expected.encode("cp1252")
    assert found.count == 2 and [row.line for row in found.not_marked] == [5]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_every_other_byte_stays(encoding: str, delimiter: str, ending: str, tmp_path: Path) -> None:
    rows = ["学号,姓名,成绩,备注", "7,王芳,,", '8,"李 ""四""\n雷","1","好, 很好"', "", "9,张三,2,  空 ", "11"]
    text = ending.join(rows).replace(",", delimiter) + ending * 2
    data = text.encode(encoding)
    found = filled(tmp_path, data, "成绩", graded("7"), graded("9", 2.25, 4))
    assert found.count == 2 and len(found.not_marked) == 2
    assert without(tmp_path, found.content, {2}) == without(tmp_path, data, {2})
    cells = [row.texts[2] for row in placed(tmp_path, found.content).rows if len(row.cells) > 2]
    assert cells == ["成绩", "3", "1", "2,25" if delimiter == ";" else "2.25"]


def test_the_decimal_sign_is_that_of_the_table(tmp_path: Path) -> None:
    for text, mark in (
        ('id,test,mark\n1,"0,5",\n', '"2,5"'),
        ("id;test;mark\n1;0.5;\n", "2.5"),
        ("id;test;mark\n1;;\n", "2,5"),
        ("id\ttest\tmark\n1\t\t\n", "2.5"),
    ):
        assert mark in filled(tmp_path, text.encode(), "mark", graded("1", 2.5)).content.decode().splitlines()[1]


def test_what_cannot_be_read_is_no_zero(tmp_path: Path) -> None:
    """The cell stays as it is where nothing else was right; else the row is named."""
    data = b"id,mark\n1,\n2,\n3,\n"
    nothing, some, wrong = graded("1", 0).replace(unread=2), graded("2", 3).replace(unread=1), graded("3", 0)
    found = filled(tmp_path, data, "mark", nothing, some, wrong)
    assert found.content == b"id,mark\n1,\n2,3\n3,0\n" and found.count == 2
    assert [str(row.because) for row in found.not_marked] == ["2 answers could not be read"]
    assert [(row.line, str(row.because)) for row in found.unread] == [(3, "1 answer could not be read")]
    assert [*found.json()] == ["filled", "not_found", "not_marked", "unread"]


def test_nobody_gets_the_mark_of_another(tmp_path: Path) -> None:
    data = b"id number,name,mark\n1,Ann Ng,\n2,Ann Ng,\n3,Eve Ng,9\n3,Bob,\n"
    found = filled(tmp_path, data, "mark", graded(name="Ann Ng"), graded("4", name="Eve Ng"), graded("3", name="Carl"))
    assert found.content == data and found.count == 0
    assert len(found.not_found) == 3 and len(found.not_marked) == 4


def test_a_column_must_be_one_for_marks(tmp_path: Path) -> None:
    data = CANVAS.replace("Essay (771)", "Backprop (771)").encode()
    for column, words in (
        ("Backprop", "2 columns"),
        ("Backpropp", "did you mean"),
        ("SIS User ID", "who somebody is"),
        ("Student", "who somebody is"),
        (None, "--column"),
    ):
        with pytest.raises(OutputError, match=words):
            filled(tmp_path, data, column, graded("s001"))
    with pytest.raises(ProblemError, match=":2: a quotation mark"):
        filled(tmp_path, b'id,mark\n"1,2\n', "mark")


# --- the whole way ----------------------------------------------------------------------------------------------------


@pytest.fixture
def school(tmp_path: Path) -> dict[str, Any]:
    """A set of variants, and the responses of two students: one slip, and a row without a code."""
    manifest = made(tmp_path / "set")
    variant = manifest["variants"][0]
    shown = {name: answer["shown"] for name, answer in variant["answers"].items()}
    pupils = [
        Pupil("s001", "Ann", "Ng", variant["code"], {**shown, "new.w5": "0.5"}),
        Pupil("s002", "Jörg", "Müller", variant["code"], dict.fromkeys(shown, "")),
        Pupil("s003", "Eve", "Otto", variant["code"], shown),
    ]
    text = moodle(pupils, manifest, families="question response").replace(f"[{variant['code']}] A small", "A small", 3)
    lines = text.split("\r\n")
    for place in (1, 2):
        lines[place] = lines[place].replace("A small", f"[{variant['code']}] A small")
    (tmp_path / "results.csv").write_bytes("\r\n".join(lines).encode())
    return manifest


def test_from_responses_to_the_worksheet(school: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, grades, target = tmp_path / "results.csv", tmp_path / "worksheet.csv", tmp_path / "filled.csv"
    grades.write_bytes(WORKSHEET.encode())
    before = source.read_bytes()
    arguments = (tmp_path / "set", "--from", source, "--gradebook", grades, "-o", target, "--format", "json")
    ended = run(capsys, *arguments, "--feedback-dir", tmp_path / "back")
    report = json.loads(ended.out)
    assert ended.code == 1 and [row["name"] for row in report["unmatched"]] == ["Eve Otto"]
    assert report["gradebook"] == {
        "filled": 2,
        "not_found": [],
        "not_marked": [{"row": 5, "name": "Eve Otto", "because": "no marked answers"}],
        "unread": [],
    }
    rows = [row.texts for row in read_placed(str(target)).rows]
    assert [row[4] for row in rows[1:]] == ["93,75", "0", "12,50"], "15 of 16; seen and left empty; kept"
    assert rows[1][8].startswith("15 of 16 marks")
    assert without(tmp_path, target.read_bytes(), {4, 8}) == without(tmp_path, WORKSHEET.encode(), {4, 8})
    assert (grades.read_bytes(), source.read_bytes()) == (WORKSHEET.encode(), before)
    assert {path.name for path in (tmp_path / "back").iterdir()} == {"Ann Ng.html", "Jörg Müller.html"}
    assert "row 5, Eve Otto: no marked answers" in ended.err and "marks written: 2" in ended.err


def test_no_input_is_written_over(school: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, grades = tmp_path / "results.csv", tmp_path / "worksheet.csv"
    grades.write_bytes(WORKSHEET.encode())
    for target in (grades, source, tmp_path / "set" / "manifest.json"):
        before = target.read_bytes()
        for options in ((), ("--force",)):
            ended = run(capsys, tmp_path / "set" / "manifest.json", "--from", source, "--gradebook", grades, "-o", target, *options)
            assert ended.code == 2 and target.read_bytes() == before
