"""Results back from platforms: every row is marked against its own variant, as `check` marks the sheet; what cannot be told is listed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from platformtables import MOODLE, Pupil, canvas, made, moodle, simulated, table, wide
from shipping import some
from test_classroom import run

from handcalc import check, load
from handcalc.exercises.handedout import HandedOut
from handcalc.marking.report import as_json

FEW, MANY = 8, 40  # students; the first have one of each kind


class School(NamedTuple):
    """A folder, the manifest of the variants in it, and a class."""

    folder: Path
    manifest: dict[str, Any]
    pupils: list[Pupil]

    @property
    def path(self) -> Path:
        return self.folder / "set" / "manifest.json"


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> School:
    folder = tmp_path_factory.mktemp("school")
    manifest = made(folder / "set")
    return School(folder, manifest, simulated(folder / "set", manifest, FEW))


@pytest.fixture(scope="module")
def expected(school: School) -> dict[str, dict[str, Any]]:
    """Student → what `check` says of the sheet, against the problem of the variant."""
    return checked(school)


def checked(school: School) -> dict[str, dict[str, Any]]:
    found = {}
    for pupil in school.pupils:
        sheet = {name: pupil.answers.get(name, "").replace("\n", "\\u000a") for name in school.manifest["asked"]}
        found[pupil.id] = as_json(check(load(str(school.folder / "set" / pupil.code / "problem.yaml")), sheet))
    return found


def report(
    capsys: pytest.CaptureFixture[str], school: School, text: str, tmp_path: Path, *options: object, code: int = 1
) -> dict[str, Any]:
    """The report on a table, as data."""
    source = tmp_path / "results.csv"
    source.write_bytes(text.encode())
    ended = run(capsys, school.path, "--from", source, "--format", "json", "--jobs", "1", *options)
    assert ended.code == code, ended.err
    found: dict[str, Any] = json.loads(ended.out) if ended.out else {"err": ended.err}
    return found


def same(found: dict[str, Any], school: School, expected: dict[str, dict[str, Any]], name: str = "name") -> None:
    """Whether every student has the marks and verdicts of `check`."""
    assert len(found["sheets"]) == len(school.pupils) and found["unmatched"] == []
    for sheet, pupil in zip(found["sheets"], school.pupils):
        assert (sheet["name"], sheet["variant"]) == (getattr(pupil, name), pupil.code)
        wanted = expected[pupil.id]
        for key in ("summary", "score", "marks", "rounding"):
            assert sheet[key] == wanted[key], (pupil, key)
        for mine, theirs in zip(sheet["answers"], wanted["answers"], strict=True):
            assert {**mine, "note": ""} == {**theirs, "note": ""}


# --- the same marks as check ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", some(MOODLE, ["de"]))
def test_moodle_responses_are_marked_as_check_does(
    language: str, school: School, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, school, moodle(school.pupils, school.manifest, language), tmp_path)
    same(found, school, expected)
    assert {sheet["matched_by"] for sheet in found["sheets"]} == {"code"}
    assert {sheet["platform_score"] for sheet in found["sheets"]} == {7.25}


@pytest.mark.slow
def test_a_class_of_forty(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = made(tmp_path / "set", 12)
    school = School(tmp_path, manifest, simulated(tmp_path / "set", manifest, MANY))
    wanted = checked(school)
    for language in MOODLE:
        same(report(capsys, school, moodle(school.pupils, manifest, language), tmp_path), school, wanted)
    same(report(capsys, school, canvas(school.pupils, manifest), tmp_path), school, wanted)
    same(report(capsys, school, wide(school.pupils, manifest), tmp_path), school, wanted, "id")


def test_every_kind_of_student_is_in_the_class(school: School, expected: dict[str, Any]) -> None:
    """The comparison above is not one of equal sheets; a slip costs its own mark and no other."""
    by_kind: dict[str, list[Any]] = {}
    for pupil in school.pupils:
        by_kind.setdefault(pupil.kind, []).append(expected[pupil.id])
    worth = len(school.manifest["asked"])
    assert all(sheet["marks"] == {"got": worth, "of": worth} for sheet in (*by_kind["right"], *by_kind["comma"], *by_kind["more digits"]))
    assert all(sheet["summary"] == {"missing": worth} for sheet in by_kind["blank"])
    assert all(sheet["marks"]["got"] < worth for sheet in by_kind["junk"])
    assert all(sheet["marks"]["got"] == worth - 1 for sheet in by_kind["slip"])
    early = by_kind["early slip"][0]
    assert early["marks"]["got"] == worth - 1 and early["summary"]["follow_through"] > 3


@pytest.mark.parametrize("delimiter", some([",", ";", "\t"], [";"]))
def test_a_plain_table(
    delimiter: str, school: School, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    same(report(capsys, school, wide(school.pupils, school.manifest, delimiter), tmp_path), school, expected, "id")


@pytest.mark.slow
def test_canvas_student_analysis(school: School, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, school, canvas(school.pupils, school.manifest), tmp_path)
    same(found, school, expected)
    assert {sheet["platform_score"] for sheet in found["sheets"]} == {12.5}


@pytest.mark.slow
def test_processes_do_not_change_the_report(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = wide(school.pupils, school.manifest)
    assert report(capsys, school, text, tmp_path, "--jobs", "2") == report(capsys, school, text, tmp_path)


# --- which variant ----------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_right_answers_tell_the_variant(
    school: School, expected: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = report(capsys, school, moodle(school.pupils, school.manifest, "fr", "response right"), tmp_path)
    same(found, school, expected)
    assert {sheet["matched_by"] for sheet in found["sheets"]} == {"right_answers"}


def test_without_code_and_right_answers_a_row_is_not_marked(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = report(capsys, school, moodle(school.pupils[:3], school.manifest, "en", "response"), tmp_path, code=2)
    assert found["err"].count("neither a code nor the right answers") == 3
    lines = wide(school.pupils[:2], school.manifest).splitlines()
    lines[2] = lines[2].replace(school.pupils[1].code, "net-AAAAAAA")
    found = report(capsys, school, "\n".join(lines), tmp_path)
    assert [(row["row"], row["name"]) for row in found["unmatched"]] == [(3, "s001")]
    assert "net-AAAAAAA" in found["unmatched"][0]["because"] and len(found["sheets"]) == 1


def test_the_manifest_says_for_whom_a_variant_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = made(tmp_path / "set", students=("s001", "s002", "zoe@school.example"))
    own = School(tmp_path, manifest, [])
    codes = {variant["student"]["id"]: variant["code"] for variant in manifest["variants"]}
    rows = [["Student ID", "E-mail", "Name", *manifest["asked"]]]
    key = {variant["code"]: [answer["shown"] for answer in variant["answers"].values()] for variant in manifest["variants"]}
    rows.append(["s002", "", "", *key[codes["s002"]]])
    rows.append(["", "ZOE@school.example", "", *key[codes["zoe@school.example"]]])
    rows.append(["", "", "s001, Name", *key[codes["s001"]]])
    rows.append(["s009", "", "Nobody", *key[codes["s001"]]])
    found = report(capsys, own, table(rows), tmp_path)
    assert [sheet["variant"] for sheet in found["sheets"]] == [codes[name] for name in ("s002", "zoe@school.example", "s001")]
    assert {sheet["matched_by"] for sheet in found["sheets"]} == {"student"}
    assert all(sheet["score"] == 1 for sheet in found["sheets"])
    assert [row["name"] for row in found["unmatched"]] == ["Nobody"]


def test_codes_are_read_as_people_type_them(school: School) -> None:
    handed = HandedOut.of(str(school.path))
    code = next(iter(handed.variants))
    assert handed.find(code.lower()) == handed.find(f" [{code}] ") == code
    for variant in handed.variants:
        assert handed.find(variant.replace("0", "O").replace("1", "l")) == variant
    assert handed.find("") == handed.find("net") == ""
    assert handed.codes_in(f"[see] [{code}] w1 [0]") == [code]


def test_a_problem_is_its_only_variant(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "wide.csv").write_text("name,new.w5,new.w6\nAnn,0.3589,0.4087\nBob,0.4411,\n")
    ended = run(capsys, "mazur-2-2-2", "--from", tmp_path / "wide.csv", "--format", "json")
    sheets = json.loads(ended.out)["sheets"]
    assert [sheet["matched_by"] for sheet in sheets] == ["only", "only"] and ended.code == 1
    verdicts = [{answer["id"]: answer["verdict"] for answer in sheet["answers"]} for sheet in sheets]
    assert verdicts[0]["new.w5"] == verdicts[0]["new.w6"] == "correct"
    assert verdicts[1]["new.w5"] == "mistake" and verdicts[1]["new.w6"] == verdicts[1]["out.h1"] == "missing"


# --- rows -------------------------------------------------------------------------------------------------------------


def test_who_never_opened_it_is_not_marked(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = moodle(school.pupils[:1], school.manifest)
    text += "Ng,Eve,eve@school.example,s900,-,-,-,-,-,-,-,-,-,-,-\r\n"
    found = report(capsys, school, text, tmp_path)
    assert found["unmatched"] == [{"row": 3, "name": "Eve Ng", "because": "never opened"}]
    assert len(found["sheets"]) == 1
    text = "\r\n".join(line.replace("May 3, 10:00", "-") for line in text.split("\r\n"))
    assert len(report(capsys, school, text, tmp_path)["sheets"]) == 1, "who answered did open it, whatever the table says"


@pytest.mark.parametrize("attempt, marks", [("last", 0), ("first", 3), ("best", 16)])
def test_attempts(attempt: str, marks: int, school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variant = school.manifest["variants"][0]
    shown = {name: answer["shown"] for name, answer in variant["answers"].items()}
    few = {name: text if place < 3 else "" for place, (name, text) in enumerate(shown.items())}
    tries = [few, shown, dict.fromkeys(shown, "")]
    pupils = [Pupil("s1", "Ann", "Ng", variant["code"], answers) for answers in tries]
    assert len(shown) == 16
    found = report(capsys, school, moodle(pupils, school.manifest), tmp_path, "--attempt", attempt, code=0 if attempt == "best" else 1)
    assert [sheet["marks"]["got"] for sheet in found["sheets"]] == [marks]
    in_canvas = canvas(pupils, school.manifest).splitlines()
    numbered = [in_canvas[0], *(line.replace("UTC,1,", f"UTC,{3 - place},", 1) for place, line in enumerate(in_canvas[1:]))]
    found = report(capsys, school, "\n".join(numbered), tmp_path, "--attempt", attempt, code=0 if attempt == "best" else 1)
    assert [sheet["marks"]["got"] for sheet in found["sheets"]] == [{"last": 3, "first": 0, "best": 16}[attempt]]


def test_an_attempt_that_was_not_ended_counts_only_alone(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variant = school.manifest["variants"][0]
    shown = {name: answer["shown"] for name, answer in variant["answers"].items()}
    pupils = [Pupil("s1", "Ann", "Ng", variant["code"], answers) for answers in (shown, dict.fromkeys(shown, ""))]
    head, first, second, *_ = moodle(pupils, school.manifest).split("\r\n")
    second = second.replace("May 3, 10:20", "-")
    found = report(capsys, school, "\r\n".join((head, first, second)), tmp_path, code=0)
    assert [sheet["score"] for sheet in found["sheets"]] == [1]
    found = report(capsys, school, "\r\n".join((head, second)), tmp_path)
    assert [sheet["score"] for sheet in found["sheets"]] == [0]


@pytest.mark.slow
def test_two_of_one_name_are_two_where_they_have_different_variants(
    school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    codes = [variant["code"] for variant in school.manifest["variants"]]
    rows = [["name", "variant", "new.w5"], ["Ann", codes[0], "1"], ["Ann", codes[1], "2"], ["Ann", codes[0], "3"]]
    found = report(capsys, school, table(rows), tmp_path)
    given = [next(answer["given"] for answer in sheet["answers"] if answer["id"] == "new.w5") for sheet in found["sheets"]]
    assert given == ["2", "3"], "the second of the same variant is another attempt"
    (tmp_path / "grades.csv").write_text("name,mark\nAnn,5\n")
    target = tmp_path / "filled.csv"
    found = report(capsys, school, table(rows), tmp_path, "--gradebook", tmp_path / "grades.csv", "--column", "mark", "-o", target)
    assert found["gradebook"]["not_found"] == ["Ann", "Ann"] and target.read_bytes() == (tmp_path / "grades.csv").read_bytes()


@pytest.mark.slow
def test_a_variant_that_is_gone_costs_its_own_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = made(tmp_path / "set")
    codes = [variant["code"] for variant in manifest["variants"]]
    (tmp_path / "set" / codes[0] / "problem.yaml").unlink()
    rows = [["student", "variant", *manifest["asked"]]]
    rows += [[f"s{place}", code, *(["0.5"] * len(manifest["asked"]))] for place, code in enumerate(codes[:2])]
    sheets = report(capsys, School(tmp_path, manifest, []), table(rows), tmp_path)["sheets"]
    assert "no such file" in sheets[0]["error"] and "marks" in sheets[1] and sheets[0]["variant"] == codes[0]


def test_a_translation_that_loses_the_answers_is_named(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Canadian French once had `Partie {$a->i}: {$a->réponse}`, which Moodle cannot fill in."""
    text = moodle(school.pupils[:2], school.manifest, "fr")
    lost = "; ".join(f"Partie {number}: {{$a->réponse}}" for number in range(1, 17))
    kept, changed = text.split("\r\n")[1:3]
    start = changed.index('"partie 1')
    changed = changed[: start + 1] + lost + changed[changed.index('"', start + 1) :]
    found = report(capsys, school, "\r\n".join((text.split("\r\n")[0], kept, changed)), tmp_path)
    assert len(found["sheets"]) == 1 and "unreadable export" in found["unmatched"][0]["because"]


def test_columns_are_what_map_says(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variant = school.manifest["variants"][1]
    shown = [variant["answers"][name]["shown"] for name in ("new.w5", "new.w6")]
    said = "--map", "Which paper?=variant", "--map", "Who=student", "--map", "Q=new.w5,new.w6"
    text = table([["Who", "Q", "Which paper?"], ["s7", f"part 1: {shown[0]}; part 2: {shown[1]}", variant["code"]]])
    found = report(capsys, school, text, tmp_path, *said)
    sheet = found["sheets"][0]
    assert (sheet["name"], sheet["variant"], sheet["matched_by"], sheet["marks"]["got"]) == ("s7", variant["code"], "map", 2)
    assert "no column" in report(capsys, school, text, tmp_path, "--map", "R=new.w5", code=2)["err"]
    assert "no step" in report(capsys, school, text, tmp_path, "--map", "Q=new.w99", code=2)["err"]
    assert "expected" in report(capsys, school, text, tmp_path, "--map", "Q", code=2)["err"]
    assert "--map" in report(capsys, school, text, tmp_path, "--platform", "table", code=2)["err"]


def test_headings_of_forms_name_the_answers(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A question may be around the id; the points that a form puts beside it are no second answer."""
    variant = school.manifest["variants"][2]
    shown = variant["answers"]["new.w5"]["shown"]
    text = table(
        [["姓名", "版本", "3. What is new.w5 (4 decimals)?", "Points - new.w5", "总分"], ["王芳", variant["code"], shown, "0", "5 / 9"]]
    )
    sheet = report(capsys, school, text, tmp_path)["sheets"][0]
    assert (sheet["name"], sheet["marks"]["got"], sheet["platform_score"]) == ("王芳", 1, 5)


def test_a_question_for_each_number(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Known by what the question asks for, by its right answer, else by the order where all are there."""
    variant = school.manifest["variants"][0]
    shown = {name: answer["shown"] for name, answer in variant["answers"].items()}
    asked = school.manifest["asked"]
    handed = HandedOut.of(str(school.path))
    assert handed.step_of(f"[{variant['code']}] new.w5, out.h1 and x1 are numbers. out.h2 = ? (4 decimals)") == "out.h2"
    assert handed.step_of("new.w5 or new.w6") == handed.step_of("Timestamp") == ""
    for form in ("asks", "right", "order"):
        order = asked if form == "order" else [*reversed(asked)]
        head = [f"{word} {number + 1}" for number in range(len(asked)) for word in ("Question", "Response", "Right answer")]
        cells: list[str] = []
        for name in order:
            text = f"[{variant['code']}] " + (f"w1 = 0.3; {name} = ? (4 decimals)" if form == "asks" else "a number")
            cells += [text, shown[name].replace(".", ","), shown[name].replace(".", ",") if form == "right" else "?"]
        text = table([["Last name", "First name", "Email address", *head], ["Ng", "Ann", "a@x.org", *cells]])
        assert report(capsys, school, text, tmp_path, code=0)["sheets"][0]["score"] == 1, form
    lost = table(
        [["Last name", "First name", "Email address", *head[:3]], ["Ng", "Ann", "a@x.org", f"[{variant['code']}] a number", "3", "?"]]
    )
    assert "--map" in report(capsys, school, lost, tmp_path, code=2)["err"]


def test_blanks_of_canvas_in_one_cell(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    variant = school.manifest["variants"][0]
    typed = [answer["shown"].replace(".", "\\,") for answer in variant["answers"].values()]
    typed[2] = ""
    head = ["name", "id", "sis_id", "submitted", f"77: [{variant['code']}] fill in", "16.0", "score"]
    text = table([head, ["Ann", "1", "s1", "2025", ",".join(typed), "15", "15"], ["Bob", "2", "s2", "", "", "", ""]])
    found = report(capsys, school, text, tmp_path)
    assert found["sheets"][0]["summary"] == {"correct": 15, "missing": 1}
    assert [row["because"] for row in found["unmatched"]] == ["never opened"]


def test_a_symbol_for_the_negative_is_not_taken_for_the_id(school: School) -> None:
    handed = HandedOut.of("mazur-2-2-2", "zhou")
    assert handed.step_of("−g_1 = ? (4 decimals)") == "grad.net.o1" and handed.step_of("g_1") == handed.step_of("g_1 = ?") == ""


# --- hostile cells ----------------------------------------------------------------------------------------------------

HOSTILE = ('=HYPERLINK("x")', '}~#<&"]]>\\', "中文\u202eabc", "a\nb", "@SUM(1)", "<script>alert(1)</script>", "../../etc")


def test_hostile_names_and_cells_are_inert(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = school.manifest["variants"][0]["code"]
    asked = school.manifest["asked"]
    pupils = [Pupil(name, name, "", code, {asked[0]: name, asked[4]: name}) for name in HOSTILE]
    source = tmp_path / "results.csv"
    source.write_bytes(wide(pupils, school.manifest).encode())
    handed_back = tmp_path / "back"
    out = {}
    for format in ("json", "csv", "markdown"):
        ended = run(capsys, school.path, "--from", source, "--format", format)
        assert ended.code == 1 and ended.err == ""
        out[format] = ended.out
    assert len(json.loads(out["json"])["sheets"]) == len(HOSTILE)
    assert not any(cell.startswith(("=", "@")) for line in out["csv"].splitlines() for cell in line.replace('"', "").split(","))
    assert "\u202e" not in "".join(out.values()) and "<script>" not in out["markdown"]
    ended = run(capsys, school.path, "--from", source, "--feedback-dir", handed_back)
    written = [*handed_back.iterdir()]
    assert len(written) == len(HOSTILE) and {path.suffix for path in written} == {".html"}
    assert not any("<script>alert" in path.read_text("utf-8") for path in written)
    assert {path.name for path in tmp_path.iterdir()} == {"results.csv", "back"}


@pytest.mark.parametrize("text", ["", "\n", 'a,"b\n1,2', "\x00\x01\x02", "name\nAnn\n", "a" * 100])
def test_what_is_no_table_is_an_error(text: str, school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "results.csv" in report(capsys, school, text, tmp_path, code=2)["err"]


def test_options_that_do_not_go_together(school: School, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = tmp_path / "wide.csv"
    source.write_text(wide(school.pupils[:1], school.manifest))
    for options in (
        ("--platform", "moodle"),
        ("--from", source, "--column", "x"),
        ("--from", source, "--gradebook", source),
        ("--from", source, "--blank"),
        ("--from", source, "--anonymous"),
    ):
        assert run(capsys, school.path, *options).code == 2
    assert "generate" in run(capsys, tmp_path, "--from", source).err
