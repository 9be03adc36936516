"""Worksheets that are filled in on the page: what is known of each number, what is said of an answer, and what is saved.

What the page says is compared with `handcalc check`, with node; without it that test is skipped. (In a browser: test_filled_sheets.py.)
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from exports import derivation
from pages import Page
from shipping import loaded
from test_javascript import NODE

from handcalc.cli import main
from handcalc.core.quantity import Cell
from handcalc.exercises.fields import Fields
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker
from handcalc.marking.workbook import base, iteration
from handcalc.render.formats.html import scripts
from handcalc.render.formats.page.sheet import SheetFields
from handcalc.render.items import Blank
from handcalc.render.reading import read
from handcalc.render.report import Style, export
from handcalc.render.views import VIEWS

PROBLEMS = ("hmkcode-linear", "xigua-thresholds")
RIGHT = ("correct", "rounded", "convention")


@cache
def fields_of(problem: str, hashed: bool = True, notation: str = "") -> Fields:
    return Fields(loaded(problem), read(derivation(problem), notation), hashed=hashed)


@cache
def sheet_page(problem: str, view: str = "worksheet", hashed: bool = True, notation: str = "") -> str:
    content = export(
        [derivation(problem)], "html", Style(notation, view=view), "en", "sheet", (fields_of(problem, hashed, notation),)
    ).content
    assert isinstance(content, str)
    return content


def known_of(text: str) -> Any:
    (data,) = Page(text).root.all("script", class_="answers")
    return json.loads(data.text)


@pytest.mark.parametrize("view", [name for name, view in VIEWS.items() if view.asks])
def test_every_step_has_a_field(view: str) -> None:
    root = Page(sheet_page("mazur-2-2-2", view)).root
    lines = [line.attributes["data-step"] for line in root.all("div", class_="step") if line.all("div", class_="right")]
    asked = {field.attributes["data-answer"] for field in root.all("input", class_="answer")}
    text = root.all("div", class_="text")[0]
    assert {line for line in lines if text.all("div", data_step=line)} <= asked | {"delta.b1"} and len(asked) > 50
    assert all(field.attributes["aria-label"] for field in root.all("input", class_="answer"))
    assert not root.all("form") and asked == set(known_of(sheet_page("mazur-2-2-2", view))["fields"])


def test_hashed_numbers_do_not_stand_there() -> None:
    """Plain ones do; either way the blank itself gives nothing away."""
    hashed, plain = sheet_page("mazur-2-2-2"), known_of(sheet_page("mazur-2-2-2", hashed=False))["fields"]
    found = derivation("mazur-2-2-2")
    for step in ("out.h1", "loss", "grad.w5", "new.w5"):
        digits = found[step].shown.digits
        assert digits[:6] not in hashed.split("<main", 1)[1]
        assert f"{digits.replace('.', '').lstrip('0-')[:4]}" in "".join(plain[step][4])


@pytest.mark.parametrize("kind, count", [(None, 1), ("plain", 1), ("none", 0)])
def test_the_teacher_chooses(kind: str | None, count: int, tmp_path: Path) -> None:
    path = tmp_path / "sheet.html"
    options = ["--fields", kind] if kind else []
    with pytest.raises(SystemExit, match="^0$"):
        main(["export", "zhou-neuron", "--view", "worksheet", *options, "-o", str(path)])
    root = Page(path.read_text("utf-8")).root
    assert len(root.all("script", class_="answers")) == count == bool(root.all("input", class_="answer"))
    if kind == "plain":
        assert not known_of(path.read_text("utf-8"))["salt"]


def test_a_page_has_so_many_at_most(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """More are an error where they were asked for, and else a worksheet for paper."""
    command = ["export", "small-gpt", "--view", "worksheet", "--detail", "brief", "--only", "error", "-o", str(tmp_path / "sheet.html")]
    with pytest.raises(SystemExit, match="^2$"):
        main([*command, "--fields", "hashed"])
    assert "say under tasks which" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="^0$"):
        main(command)
    assert not Page((tmp_path / "sheet.html").read_text("utf-8")).root.all("input", class_="answer")


def test_what_has_no_number_has_no_field() -> None:
    """A drawing and a matrix have blanks only."""
    assert not SheetFields(fields_of("zhou-neuron"), str).answer(Blank())


# --- what is said, beside handcalc check ------------------------------------------------------------------------------


def cells_of(fields: Fields) -> list[Cell]:
    book = fields.exercise.desk.book
    return [wanted for wanted in fields.exercise.cells if book.given_value(wanted) is None]


def spelled(key: str) -> str:
    """5933e-4 as somebody types it."""
    whole, _, places = key.partition("e")
    count = -int(places)
    digits = whole.lstrip("-").rjust(count + 1, "0")
    return "-" * whole.startswith("-") + (f"{digits[:-count]}.{digits[-count:]}" if count else digits)


def said(fields: Fields, trials: list[tuple[str, str]], right: dict[str, str], folder: Path) -> list[Any]:
    """What the page says of a number for a step, where all others are right."""
    shown = SheetFields(fields, str)
    for wanted in cells_of(fields):
        shown.answer(Blank((base(wanted), iteration(wanted))))
    values = f"const data = {json.dumps(shown.data())}, right = {json.dumps(right)}, trials = {json.dumps(trials)};"
    judge = "new Answers(data, new Map(Object.entries({ ...right, [id]: text }))).judge(id)"
    script = f"{scripts(False, True).split('const MATHML')[0]}\n{values}\nconsole.log(JSON.stringify(trials.map(([id, text]) => {judge})));"
    path = folder / "script.js"
    path.write_text(script, "utf-8")
    found: list[Any] = json.loads(subprocess.run([str(NODE), path], capture_output=True, text=True, check=True).stdout)
    return found


@pytest.mark.skipif(not NODE, reason="there is no node to run JavaScript with")
@pytest.mark.slow
@pytest.mark.parametrize("problem", PROBLEMS)
def test_the_page_says_what_check_says(problem: str, tmp_path: Path) -> None:
    """Of numbers that are known, and of any: never is one wrong here and right there, and nearly always the verdict is the same. (A sheet
    tells more than one number: how coarsely it is rounded, say.)"""
    random = Random(2)
    fields = fields_of(problem, hashed=False)
    checker: Checker = fields.exercise.checker
    right, trials = {}, []
    for wanted in cells_of(fields):
        field = fields.field(base(wanted), iteration(wanted))
        assert field is not None
        sign = -1 if fields.reading.turned(base(wanted)) else 1
        right[field.id] = fields.exercise.digits_of(wanted).shown(sign * fields.worked.number(wanted))
        four = [spelled(key) for key in field.known if len(key.lstrip("-").partition("e")[0]) >= 4]
        trials += [(field.id, text) for text in random.sample(four, min(2, len(four)))]
        trials.append((field.id, f"{fields.worked.number(wanted) * random.uniform(0.3, 1.8) + 0.01:.5f}"))
    turned = {fields.exercise.id(wanted) for wanted in cells_of(fields) if fields.reading.turned(base(wanted))}

    def in_own_sign(id: str, text: str) -> str:
        return text if id not in turned else text.removeprefix("-") if text.startswith("-") else "-" + text

    count: Counter[tuple[str, str]] = Counter()
    for (id, text), (verdict, _) in zip(trials, said(fields, trials, right, tmp_path)):
        answers = {other: in_own_sign(other, number) for other, number in (right | {id: text}).items()}
        (marked,) = (answer for answer in checker.mark(sheet_of(answers)).answers if answer.id == id)
        assert not (verdict in ("mistake", "wrong") and marked.verdict in RIGHT), (id, text, marked.verdict)
        count[verdict, marked.verdict] += 1
    assert sum(number for (one, other), number in count.items() if one in RIGHT and other not in RIGHT) <= 0.02 * len(trials), count
    assert sum(number for (one, other), number in count.items() if one == other) >= 0.88 * sum(count.values()), count
