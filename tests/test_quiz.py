"""Quiz files: every right answer has full marks, every legitimately rounded one too, every slip is told; names do nothing."""

from __future__ import annotations

import csv
import hashlib
import html
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import quizreaders
from click.testing import CliRunner
from quizreaders import Item, graded
from shipping import loaded, some

from handcalc.cli import group
from handcalc.core.evaluation import Evaluation
from handcalc.errors import HandcalcError
from handcalc.exercises.asked import Exercise, Worked
from handcalc.exercises.draw import folded
from handcalc.exercises.intervals import Interval
from handcalc.exercises.quiz import AskedNumber, Question, Quiz, QuizSource, QuizWish, question, report, warnings
from handcalc.exercises.quiztext import inert
from handcalc.exercises.quizzes import QUIZ_FORMATS, prepared, written
from handcalc.loading.loader import shipped
from handcalc.marking.bands import Band
from handcalc.marking.definitions import FORMS, Definitions, Hypothesis, MadeMistake, MistakenBook

MAZUR, GRAPH = "mazur-2-2-2", "micrograd-readme"
NAMES = some(shipped(), (MAZUR, GRAPH, "xigua-thresholds"))
READERS: dict[str, Callable[[Any], list[Item]]] = {
    "moodle": lambda content: quizreaders.moodle(content)[1],
    "gift": lambda content: quizreaders.gift(content)[1],
    "canvas": quizreaders.canvas,
    "qti21": quizreaders.qti,
    "qti3": quizreaders.qti,
}


@cache
def asking(name: str, hints: bool = False) -> Question:
    """The question of a shipped problem."""
    return question(QuizSource(name, folded(name), name, "0" * 64), QuizWish(hints=hints))


def items(quiz: Quiz, format: str) -> list[Item]:
    """The numbers of a quiz as a platform reads them."""
    return READERS[format](written(quiz, format))


def read_by_id(whole: Quiz, format: str) -> dict[str, Item]:
    """The numbers that a format can ask, as a platform reads them; none where it can ask none."""
    try:
        quiz, said = prepared(whole, format)
    except HandcalcError:
        assert all(number.may_be_zero for number in wanted(whole))
        return {}
    read, numbers = items(quiz, format), wanted(quiz)
    assert len(read) == len(numbers) and len(numbers) + len(said) == len(wanted(whole))
    return {number.id: item for item, number in zip(read, numbers)}


def wanted(quiz: Quiz) -> list[Any]:
    """The numbers of a quiz, in order."""
    return [number for one in quiz.questions for number in one.numbers]


def run(*arguments: str, code: int = 0) -> Any:
    """The command; what it prints to standard error."""
    done = CliRunner().invoke(group, ["export", *arguments], standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    assert (done.return_value or 0) == code, done.output
    return done.stderr


# --- what is accepted -------------------------------------------------------------------------------------------------


def rounded_sheets(name: str) -> Iterator[dict[str, float]]:
    """Sheets of people who round every result before they use it, to the digits asked or to more; and of some who round at the end.

    A number that rounding on the way could make anything, such as the logarithm of what is nearly 0, is left out.
    """
    exercise = Exercise(loaded(name))
    worked, asked = Worked(exercise), exercise.digits
    bands = {cell: worked.tolerance(cell, digits) for cell, digits in exercise.asked.items()}
    bounded = [cell for cell, digits in exercise.asked.items() if abs(bands[cell].width / digits.unit(worked.number(cell)) - 1) > 1e-9]
    for more in range(3):
        found = asked.replace(**{key: count + more for key, count in asked.json.items()})
        carrying = Evaluation(exercise.book, found.rounding.replace(carry=True))
        with suppress(HandcalcError):  # the logarithm of a rounded 0
            yield {exercise.id(cell): found.value(float(carrying[cell])) for cell in bounded}
        yield {exercise.id(cell): found.value(worked.number(cell)) for cell in bounded}


def refused(name: str, format: str = "moodle", per: str = "variant") -> list[str]:
    """The ids of numbers that somebody rounded legitimately and has no full marks for."""
    whole = Quiz((asking(name),), per)
    read = read_by_id(whole, format)
    sheets = [*rounded_sheets(name), {number.id: float(number.answer) for number in wanted(whole)}]
    answers = [(id, typed) for sheet in sheets for id, typed in sheet.items() if id in read]
    return sorted({id for id, typed in answers if graded(read[id], typed)[0] != 100})


FORMATS = [(format, per) for format, one in QUIZ_FORMATS.items() if format in READERS for per in one.per]


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_right_and_legitimately_rounded_answers_have_full_marks(name: str) -> None:
    for format, per in FORMATS:
        assert refused(name, format, per) == []


@pytest.mark.parametrize(
    ("of", "name", "dropped"),
    [
        (Worked, "tolerance", lambda self, cell, digits: Band(self.number(cell), self.number(cell))),
        (AskedNumber, "accepted", property(lambda self: (self.printed,))),
        (Interval, "tolerance", property(lambda self: Decimal(0))),
    ],
)
def test_an_exporter_that_drops_the_tolerance_is_found(of: type, name: str, dropped: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asking.cache_clear()
    monkeypatch.setattr(of, name, dropped)
    found = refused(GRAPH)
    monkeypatch.undo()
    asking.cache_clear()
    assert found and not refused(GRAPH)


@pytest.mark.parametrize("name", NAMES)
def test_every_slip_is_told_and_nothing_wrong_is_right(name: str) -> None:
    one = asking(name)
    for format, per in FORMATS:
        whole = Quiz((one,), per)
        read = read_by_id(whole, format)
        for number in (number for number in wanted(whole) if number.id in read):
            item = read[number.id]
            for slip in number.slips:
                percent, feedback = graded(item, float(slip.answer))
                assert percent == 0 and slip.feedback in feedback, (format, number.id, slip)
            low, high = float(number.wide.low), float(number.wide.high)
            assert number.unit > 1e-13 or any("from 0" in str(message) for message in warnings([one])), number.id
            unit = float(number.unit)
            wrong = [low - unit * step for step in (0.01, 1, 7)] + [high + unit * step for step in (0.01, 1, 7)] + [0.0, 1e9, -1e9]
            assert all(graded(item, typed)[0] == 0 for typed in wrong if not low - 2e-14 <= typed <= high + 2e-14)
            assert item.code == one.code


@pytest.mark.parametrize("name", some(shipped(), (MAZUR,)))
def test_slips_are_what_the_mistakes_give(name: str) -> None:
    """Worked out again from wrong definitions, one form after the other; the report accounts for every mistake that changes a number."""
    one, exercise = asking(name), Exercise(loaded(name))
    definitions, right = Definitions(exercise.book), Worked(exercise)
    found = report(Quiz((one,)), [])["numbers"]
    for form in FORMS:
        if form.mistake.single:
            continue
        wrong = Evaluation(MistakenBook(definitions, Hypothesis((MadeMistake(form),))))
        for cell, number, entry in zip(exercise.asked, one.numbers, found):
            try:
                value = float(wrong[cell])
            except HandcalcError:
                continue
            told = [slip for slip in number.slips if any(_is(form, other) for other in slip.forms)]
            listed = {part["mistake"] for part in (*entry["feedback"], *entry["dropped"])}
            if abs(value - right.number(cell)) > 1e-6 * max(abs(value), 1e-9) and abs(value) < 1e12:
                assert form.mistake.slug in listed, (form.mistake.slug, entry["id"])
            for slip in told:
                assert abs(value - float(slip.answer)) <= float(slip.interval.tolerance) * 1.02 + 1e-5 * abs(value)
                line = form.mistake.explanation_lines[0].text(one.translate)
                assert inert(line) in slip.feedback


def _is(form: Any, other: Any) -> bool:
    from handcalc.exercises.hidden import form_of

    found: bool = form_of(form) == other
    return found


def test_what_is_dropped_is_reported() -> None:
    """The example of the contract: mistakes that stay within the tolerance of a new weight have no feedback there."""
    found = {entry["id"]: entry for entry in report(Quiz((asking(MAZUR),)), [])["numbers"]}
    first = found["new.w1"]
    assert first["answer"] == "0.1498" and first["low"] < 0.14978072 - 0.00005 < 0.14985 < first["high"]
    inside = {entry["mistake"] for entry in first["dropped"] if entry["because"] == "inside tolerance"}
    assert {"first-weights-transposed", "updated-weights-used"} <= inside
    assert {entry["because"] for entry in first["dropped"]} == {"inside tolerance", "tie", "limit"}
    assert not inside & {entry["mistake"] for entry in first["feedback"]}
    assert [slip.answer for slip in asking(MAZUR).numbers[13].slips][0] == "0.4411"


@pytest.mark.slow
def test_few_wrong_answers_are_told_where_few_are_wanted() -> None:
    for count in (0, 2):
        found = question(QuizSource(MAZUR, "a", "a", "d"), QuizWish(feedback=count))
        assert {len(number.slips) for number in found.numbers} == {count}
        assert all(number.dropped for number in found.numbers)


def test_canvas_is_asked_nothing_that_may_be_zero() -> None:
    """What Canvas cannot read counts as 0."""
    whole = Quiz((asking(GRAPH),), "number")
    left, said = prepared(whole, "canvas")
    zero = [number.name for number in wanted(whole) if float(number.wide.low) <= 0 <= float(number.wide.high)]
    assert zero and [message.values["name"] for message in said] == zero
    assert all(graded(item, 0.0)[0] == 0 for item in items(left, "canvas"))
    nothing = asking(GRAPH).replace(numbers=tuple(number for number in asking(GRAPH).numbers if number.name in zero))
    with pytest.raises(HandcalcError, match="every number that is asked may be 0"):
        prepared(Quiz((nothing,), "number"), "canvas")


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_no_hint_has_the_value() -> None:
    """Where all terms of a sum but one are 0 the numbers put in would give it away: δ = 0 + 0.3055 + 0."""
    numbers = asking("softmax-cross-entropy", hints=True).numbers
    told = [(number.answer, hint) for number in numbers for hint in number.hints if " + " in hint]
    assert told and not [hint for answer, hint in told if answer in hint.replace("(", " ").replace(")", " ").split()]


def test_hints_go_from_what_it_depends_on_to_the_numbers_put_in() -> None:
    number = next(one for one in asking(MAZUR, True).numbers if one.id == "new.w5")
    assert number.hints[0] == "w5⁺ depends on w5, η, ∂E/∂w5."
    assert number.hints[-1].startswith("w5⁺ ≈ 0.40 - 0.5·0.08") and not any("0.3589" in hint for hint in number.hints)
    for per, count in (("variant", 4), ("number", len(number.hints))):
        found = quizreaders.moodle(str(written(Quiz((asking(MAZUR, True),), per), "moodle")))[1]
        item = found[[one.id for one in asking(MAZUR, True).numbers].index("new.w5")]
        assert len(item.hints) == count and html.escape(number.hints[-1]) in item.hints[-1]
    assert not any(item.hints for item in items(Quiz((asking(MAZUR),)), "moodle"))


def test_the_text_has_everything_that_is_given() -> None:
    for name, parts in ((MAZUR, ("0.15", "0.99", "η = 0.5", "half squared error", "4 decimals")), (GRAPH, ("d1 = a·b + b³", "-4.0"))):
        for format, per in FORMATS:
            text = html.unescape(items(Quiz((asking(name),), per), format)[0].text) if format != "canvas" or name == MAZUR else ""
            assert not text or all(part in text for part in parts), (format, text)
    numbered = Quiz((asking(MAZUR),), "number")
    assert len({item.text for item in items(numbered, "gift")}) == numbered.items == 17


def test_the_letter_of_a_notation_that_is_the_negative_has_a_minus() -> None:
    """The number asked has the sign of its id in every notation."""
    usual = {number.id: number for number in asking(MAZUR).numbers}
    turned = question(QuizSource(MAZUR, "a", "a", "d"), QuizWish(notation="zhou", language="zh"))
    assert {number.id: number.answer for number in turned.numbers} == {name: number.answer for name, number in usual.items()}
    assert {number.name[0] for number in turned.numbers if number.id.startswith("grad.net")} == {"−"}
    assert turned.language == "zh" and any("一" <= letter <= "鿿" for letter in turned.numbers[0].slips[0].feedback)


def test_marks_and_digits_of_tasks(tmp_path: Path) -> None:
    tasks = 'tasks: [{ask: new.w5, marks: 2, decimals: 3}, {ask: loss, marks: 0.5, significant: 3}, {ask: "#2:loss"}]\n'
    path = tmp_path / "own.yaml"
    path.write_text(shipped()[MAZUR].read_text("utf-8") + tasks, "utf-8")
    one = question(QuizSource(str(path), "own", "own", "d"), QuizWish())
    assert [(number.answer, str(number.unit), number.name) for number in one.numbers] == [
        ("0.359", "0.001", "w5⁺"), ("0.298", "0.001", "E_total"), ("0.2910", "0.0001", "#2:E_total"),
    ]  # fmt: skip
    gaps = [weight for weight, _ in quizreaders.parts(str(written(Quiz((one,)), "moodle")))]
    assert gaps == [4, 1, 2]
    assert re.findall(r"<defaultgrade>[\d.]+<", str(written(Quiz((one,), "number"), "moodle"))) == [
        "<defaultgrade>2<",
        "<defaultgrade>0.5<",
        "<defaultgrade>1<",
    ]


def test_the_table_lists_every_spelling_of_what_is_right() -> None:
    content = str(written(Quiz((asking(MAZUR), asking(GRAPH)), "number"), "table"))
    head, *rows = csv.reader(io.StringIO(content.removeprefix("\ufeff")))
    assert head == ["kind of question", "question", "right answers", "what to say", "worth"] and len(rows) == 17 + 20
    by_name = {row[1].rpartition("]")[0] + row[1].rpartition(" = ____")[0].rpartition(" ")[2]: row for row in rows}
    assert by_name[f"[{MAZUR}w5⁺"][2] == "0.3589;0,3589;.3589;,3589"
    right = by_name[f"[{GRAPH}∂g/∂e1"][2].split(";")
    assert right[:2] == ["-6.9417", "-6,9417"] and {"-6.9412", "-6.9416"} <= {*right} and "-6.9411" not in right
    assert "0.4411: " in by_name[f"[{MAZUR}w5⁺"][3]
    assert all(row[2] and "____" in row[1] for row in rows)


# --- names do nothing -------------------------------------------------------------------------------------------------

HOSTILE = '}~#<&"]]>\\ {1:NUMERICAL:=7} \\(x\\) $$y$$ {#1} =cmd @@PLUGINFILE@@ :: // 中文 \u202eabc \u0007'
SAMPLES = """\
title: {title}
source: {title}
samples:
  - {{name: {name}, inputs: [0.7, 0.4], targets: [0.9]}}
  - {{name: second, inputs: [0.3, 0.8], targets: [0.2]}}
layers:
  - {{neurons: [h1, h2], activation: sigmoid, weights: [[0.3, -0.5], [0.8, 0.2]], bias: [0.1, -0.3]}}
  - {{neurons: [y], activation: sigmoid, weights: [[0.4, -0.6]], bias: [0.2]}}
loss: half_squared_error
learning_rate: 0.5
"""


def hostile(folder: Path) -> Question:
    """A question whose title and source mean something to platforms; names have letters only, of any script."""
    path = folder / "hostile.yaml"
    path.write_text(SAMPLES.format(title=json.dumps(HOSTILE), name="中文_1"), "utf-8")
    return question(QuizSource(str(path), "hostile", "}~#<&]]>\\/a", "d"), QuizWish(hints=True))


def test_hostile_names_do_nothing(tmp_path: Path) -> None:
    one = hostile(tmp_path)
    visible = HOSTILE.replace("\u202e", "\\u202e").replace("\u0007", "\\u0007")
    assert any("中文_1" in number.name for number in one.numbers)
    for format, per in FORMATS:
        quiz = Quiz((one,), per)
        read = items(quiz, format)
        assert len(read) == len(one.numbers), format
        for item, number in zip(read, one.numbers):
            assert graded(item, float(number.answer))[0] == 100 and item.code == "hostile"
            text = item.text if item.kind == "qti" else html.unescape(re.sub("<[^>]*>", "", item.text))
            assert visible in text, format
            feedbacks = [answer.feedback for answer in item.answers if answer.percent == 0]
            assert feedbacks == [slip.feedback for slip in number.slips] or format == "canvas"
    categories, _ = quizreaders.moodle(str(written(Quiz((one,)), "moodle")))
    assert categories == ["$course$/top/handcalc/}~#<&]]>\\//a"]
    assert quizreaders.gift(str(written(Quiz((one,)), "gift")))[0] == ["top/handcalc/)∼♯‹＆]]›∖//a"]
    rows = list(csv.reader(io.StringIO(str(written(Quiz((one,)), "table")).removeprefix("\ufeff"))))
    assert not any(cell.startswith(("=", "+", "@")) for row in rows for cell in row)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def variants(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two variants of a network."""
    from variants import net

    folder = tmp_path_factory.mktemp("variants")
    (folder / "net.yaml").write_text(net(numbers="{weights: {from: -0.9, to: 0.9, step: 0.01}}"), "utf-8")
    done = CliRunner().invoke(
        group, ["generate", str(folder / "net.yaml"), "-n", "2", "--seed", "a", "-o", str(folder / "set")], standalone_mode=False
    )
    assert done.exception is None
    return folder / "set"


def test_a_manifest_makes_a_question_a_variant(variants: Path, tmp_path: Path) -> None:
    quiz, told = tmp_path / "quiz.xml", tmp_path / "report.json"
    run(str(variants / "manifest.json"), "-o", str(quiz), "--report", str(told))
    manifest = json.loads((variants / "manifest.json").read_text("utf-8"))
    found = json.loads(told.read_text("utf-8"))
    codes = [variant["code"] for variant in manifest["variants"]]
    categories, read = quizreaders.moodle(quiz.read_text("utf-8"))
    assert categories == ["$course$/top/handcalc/net"] and found["questions"] == 2
    assert list(dict.fromkeys(item.code for item in read)) == codes == list(dict.fromkeys(entry["code"] for entry in found["numbers"]))
    answers = [(code, name, entry["shown"]) for code, one in zip(codes, manifest["variants"]) for name, entry in one["answers"].items()]
    assert [(entry["code"], entry["id"], entry["answer"]) for entry in found["numbers"]] == answers
    assert [item.answers[0].shown for item in read] == [shown for _, _, shown in answers]
    digest = hashlib.sha256((variants / "manifest.json").read_bytes()).hexdigest()
    assert quiz.read_text("utf-8").count(f"handcalc-{digest[:12]}<") == 2
    again = tmp_path / "again.xml"
    run(str(variants), "-o", str(again), "--category", "a/b c")
    assert again.read_text("utf-8").replace("$course$/top/a/b c", "$course$/top/handcalc/net") == quiz.read_text("utf-8")


def test_every_format_is_written_by_its_ending(variants: Path, tmp_path: Path) -> None:
    made = {"quiz.xml": b"<?xml", "quiz.gift": b"// handcalc", "quiz.zip": b"PK", "quiz.csv": b"\xef\xbb\xbfkind of question"}
    run(str(variants), *(part for name in made for part in ("-o", str(tmp_path / name))))
    assert all((tmp_path / name).read_bytes().startswith(start) for name, start in made.items())
    assert "imsqti_xmlv1p2" in quizreaders.archive((tmp_path / "quiz.zip").read_bytes())["imsmanifest.xml"].decode()
    for name in ("qti21", "qti3"):
        run(str(variants), "--quiz", name, "-o", str(tmp_path / f"{name}.zip"))
        files = quizreaders.archive((tmp_path / f"{name}.zip").read_bytes())
        assert len([file for file in files if file.startswith("items/")]) == len(quizreaders.qti((tmp_path / f"{name}.zip").read_bytes()))
        assert b'select="1"' in files["test.xml"]


def test_what_export_wrote_before_is_as_it_was(tmp_path: Path) -> None:
    """A table of steps is one of a quiz only where that is said."""
    steps, asked = tmp_path / "steps.csv", tmp_path / "asked.csv"
    run(MAZUR, "-o", str(steps))
    run(MAZUR, "-o", str(asked), "--quiz", "table")
    assert steps.read_text("utf-8").startswith("id,phase") and "____" in asked.read_text("utf-8")
    run(MAZUR, "-o", str(tmp_path / "page.xml"), "--format", "html")
    assert (tmp_path / "page.xml").read_text("utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-o", "a.html", "--per", "number"], "--per is for quizzes"),
        (["-o", "a.gift", "--per", "variant"], "gift has one question a number"),
        (["-o", "a.gift", "--quiz", "moodle"], "the ending stands for gift, but --quiz says moodle"),
        (["-o", "a.xml", "--decimal-comma"], "decimal points only"),
        (["-o", "a.xml", "--report", "a.xml"], "two of the files to write are the same"),
        (["-o", ".", "--quiz", "moodle"], "a quiz is one file"),
        (["-o", "a.xml", "--quiz", "moodle", "--feedback", "99"], "99"),
    ],
)
def test_wrong_command_lines(arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises((HandcalcError, click.ClickException)) as error:
        run(MAZUR, *arguments)
    assert said in str(error.value.args[0] if not isinstance(error.value, click.ClickException) else error.value.message)
    assert not [*tmp_path.iterdir()]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "own.xml"
    path.write_text(shipped()[MAZUR].read_text("utf-8"), "utf-8")
    for arguments in (["-o", str(path), "--force"], ["-o", str(tmp_path / "a.xml"), "--report", str(path), "--force"]):
        with pytest.raises(HandcalcError, match="this is the file that is read"):
            run(str(path), *arguments)
    (tmp_path / "quiz.xml").write_text("kept")
    with pytest.raises(HandcalcError, match="--force"):
        run(MAZUR, "-o", str(tmp_path / "quiz.xml"), "--report", str(tmp_path / "report.json"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.xml", "quiz.xml"]
    assert (tmp_path / "quiz.xml").read_text() == "kept"


def test_mistakes_that_count_as_right_are_said(tmp_path: Path) -> None:
    said = run(MAZUR, "-o", str(tmp_path / "quiz.xml"), "--report", str(tmp_path / "report.json")).splitlines()
    assert "w1⁺ of mazur-2-2-2: 10 mistakes give 0.1498" in said
    assert "δ_o1 of mazur-2-2-2: a mistake gives 0.1385 too: first-weights-transposed" in said and said[-1].startswith("… and 1 more")
    assert len(json.loads((tmp_path / "report.json").read_text("utf-8"))["warnings"]) == len(said)


def test_files_with_one_name_have_codes_of_their_own(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "own.yaml").write_text(shipped()[MAZUR].read_text("utf-8"), "utf-8")
    run(str(tmp_path / "a" / "own.yaml"), str(tmp_path / "b"), "-o", str(tmp_path / "quiz.gift"))
    assert {item.code for item in quizreaders.gift((tmp_path / "quiz.gift").read_text("utf-8"))[1]} == {"own", "own-2"}


def test_a_problem_that_cannot_be_asked_is_refused(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("inputs: [1, 2]\nlayers:\n  - {neurons: [y], activation: relu, weights: [[0.5, -1]]}\n"
                   "targets: {y: 1}\nloss: binary_cross_entropy\n", "utf-8")  # fmt: skip
    with pytest.raises(HandcalcError) as error:
        run(str(bad), MAZUR, "-o", str(tmp_path / "quiz.xml"))
    assert "bad.yaml" in str(error.value) and not (tmp_path / "quiz.xml").exists()


@pytest.mark.slow
def test_several_processes_make_the_same_questions(monkeypatch: pytest.MonkeyPatch) -> None:
    from handcalc.exercises import quiz

    sources = [QuizSource(name, folded(name), name, "d") for name in (MAZUR, GRAPH, "xigua-thresholds", MAZUR)]
    alone = quiz.questions(sources, QuizWish())
    monkeypatch.setattr(quiz, "PER_PROCESS", 1)
    monkeypatch.setattr(quiz, "processors", lambda: 2)
    assert quiz.questions(sources, QuizWish()) == alone
    with pytest.raises(HandcalcError, match="no such file"):
        quiz.questions([*sources, QuizSource("missing.yaml", "a", "a", "d")], QuizWish())


@pytest.mark.slow
def test_the_same_bytes_everywhere(variants: Path, tmp_path: Path) -> None:
    formats = [("moodle", "xml"), ("gift", "gift"), ("canvas", "zip"), ("qti21", "zip"), ("qti3", "zip"), ("table", "csv")]
    found = []
    for number, changed in enumerate(({"PYTHONHASHSEED": "1", "LC_ALL": "C"}, {"PYTHONHASHSEED": "2", "LC_ALL": "de_DE.UTF-8"})):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, ending in formats:
            subprocess.run(
                [sys.executable, "-m", "handcalc", "export", str(variants), "--quiz", name, "-o", f"{name}.{ending}"],
                check=True, cwd=folder, env={**os.environ, **changed, "PYTHONPATH": os.pathsep.join(sys.path)}, capture_output=True,
            )  # fmt: skip
        found.append({path.name: path.read_bytes() for path in folder.iterdir()})
    assert found[0] == found[1] and len(found[0]) == len(formats)


def test_the_page_names_every_format() -> None:
    page = (Path(__file__).parents[1] / "docs" / "exercises.md").read_text("utf-8")
    assert all(f"| `{name}` | `{one.suffix}` |" in page for name, one in QUIZ_FORMATS.items())
