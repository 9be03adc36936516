"""Auditing published solutions: every number of tests/published is told apart as its file says, and the known slips are found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from shipping import some

from handcalc.deriving import derive
from handcalc.errors import ProblemError
from handcalc.loading.loader import load, loads, shipped
from handcalc.marking.answers import Answer, Sheet, read_sheet
from handcalc.marking.audit import STATUSES, Judged, audit
from handcalc.marking.auditreport import as_json

FOLDER = Path(__file__).parent / "published"
FILES = {path.stem: path.read_text("utf-8") for path in sorted(FOLDER.glob("*.yaml"))}
QUICK = sorted(FILES.keys() - {"mazur-2-2-2", "mazur-zh-typo"})[::6]  # not those with numbers of the 10,000th iteration
pytestmark = pytest.mark.every

# what the source's file says of a number → what the audit may say
AGREE = {
    "full": ("exact", "rounded"),
    "rounding-carried": ("carried",),
    "truncated": ("truncated",),
    "erratum": ("mistake", "convention", "unexplained", "follows"),
    "follows-erratum": ("follows", "mistake"),
}

Row = Mapping[str, Any]


def problem_text(content: Mapping[str, Any]) -> str:
    if "file" in content:
        content = YAML(typ="safe", pure=True).load(shipped()[content["file"]])
    return json.dumps(content, ensure_ascii=False)


def printed(row: Row) -> str:
    """The value as printed, in the sign of the id."""
    text: str = row["value"]
    if row.get("sign", 1) == 1:
        return text
    return text[1:] if text.startswith("-") else "-" + text


@cache
def judged(name: str) -> list[tuple[Row, Judged]]:
    """The rows of a file that name a step, each with what the audit says."""
    content = YAML(typ="safe", pure=True).load(FILES[name])
    found: list[tuple[Row, Judged]] = []
    for key, problem in content["problems"].items():
        rows = [row for row in content["published"] if "id" in row and "needs" not in row and row.get("problem", "main") == key]
        sheet = Sheet(name, tuple(Answer(row["id"], printed(row)) for row in rows))
        found += zip(rows, audit(loads(problem_text(problem)), sheet).numbers, strict=True)
    return found


@pytest.mark.parametrize("name", some(FILES, QUICK))
def test_published_numbers(name: str) -> None:
    wrong = [
        (row["id"], row["value"], row["status"], found.status) for row, found in judged(name) if found.status not in AGREE[row["status"]]
    ]
    assert not wrong


@pytest.mark.parametrize("name", some((name for name, text in FILES.items() if "mistake: " in text), ["melfm-mazur-notes"]))
def test_named_mistakes_are_found(name: str) -> None:
    """Where the file knows the mistake, the audit finds it, or that the number follows from one."""
    missed = [
        (row["id"], row["mistake"], found.status, found.explanation)
        for row, found in judged(name)
        if "mistake" in row
        and row["mistake"] != "value-miscopied"
        and found.status != "follows"
        and row["mistake"] not in found.explanation
    ]
    assert not missed


def test_most_numbers_are_right() -> None:
    """So that the law above says that nothing right is doubted."""
    assert sum(text.count("status: full") for text in FILES.values()) > 400


# --- the best-known page, and the others the slips of which are known -------------------------------------------------

PAGE = {
    "net.h1": "0.3775",
    "out.h1": "0.593269992",
    "path.o2.h1": "-0.019049119",
    "loss": "0.2983",
    "new.w5": "0.35891648",
    "after.loss": "0.291027924",
}


def test_the_most_copied_page() -> None:
    found = {number.id: number for number in audit(load("mazur-2-2-2"), PAGE).numbers}
    assert [found[name].status for name in PAGE] == ["exact", "rounded", "carried", "truncated", "rounded", "mistake"]
    assert found["after.loss"].explanation == ("updated-weights-used",)


@pytest.mark.slow
def test_the_most_copied_page_after_ten_thousand_rounds() -> None:
    later = {"#10000:after.loss": "0.0000351085", "#10000:after.out.o1": "0.015912196", "#10000:after.out.o2": "0.984065734"}
    found = {number.id: number.explanation for number in audit(load("mazur-2-2-2"), PAGE | later).numbers}
    assert found["#10000:after.loss"] == ("iteration-miscounted",)
    assert found["#10000:after.out.o1"] == found["#10000:after.out.o2"] == ("updated-weights-used",)


def test_a_given_number_that_was_misread_on_a_page() -> None:
    found = audit(load("mazur-2-2-2"), {"net.h1": "0.4450", "net.h2": "0.5050"}).numbers
    assert [(number.explanation, str(number.note)) for number in found] == [(("number-misread",), "as if i1 were 0.5")] * 2


@pytest.mark.parametrize(
    ("problem", "numbers", "wanted"),
    [
        ("mazur-2-2-2", {"after.loss": "0.285750887"}, ("convention", ("bias_update",))),
        ("mazur-2-2-2", {"out.o1": "-0.75136507"}, ("mistake", ("sign-lost",))),
        pytest.param("mazur-2-2-2", {"#2:after.loss": "0.275943289"}, ("mistake", ("iteration-miscounted",)), marks=pytest.mark.slow),
        pytest.param("mazur-2-2-2", {"after.loss": "0.123456789"}, ("unexplained", ()), marks=pytest.mark.slow),
        ("zhou-alice", {"grad.w1": "0.0215"}, ("rounded", ())),
    ],
)
def test_single_numbers(problem: str, numbers: dict[str, str], wanted: tuple[str, tuple[str, ...]]) -> None:
    (number,) = audit(load(problem), numbers).numbers
    assert (number.status, number.explanation) == wanted, f"ours: {number.ours}"


def test_every_status_is_described() -> None:
    assert all(STATUSES.values()) and {status for statuses in AGREE.values() for status in statuses} == set(STATUSES)


def test_json_and_repeated_ids(tmp_path: Path) -> None:
    path = tmp_path / "page.yaml"
    path.write_text("published:\n  - {id: out.h1, value: 0.593269992}\n  - {id: out.h1, printed: 0.59}\n  - {id: g9, value: 1}\n", "utf-8")
    told = as_json(audit(load("mazur-2-2-2"), read_sheet(path, repeats=True)))
    assert [(number["id"], number["printed"], number["status"]) for number in told["numbers"]] == [
        ("out.h1", "0.593269992", "rounded"),
        ("out.h1", "0.59", "rounded"),
        ("g9", "1", "unexplained"),
    ]
    assert "there is no step" in told["numbers"][2]["note"]


BATCHES = """
samples: [{inputs: [1], targets: [0]}, {inputs: [2], targets: [1]}, {inputs: [3], targets: [1]}]
layers: [{neurons: 1, activation: sigmoid, weights: [[0.5]], bias: [0.1]}]
loss: half_squared_error
learning_rate: 0.5
training: {mode: mini_batch, batch_size: 2}
"""


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["sgd", "momentum"])
def test_mini_batches_of_later_iterations(optimizer: str) -> None:
    """Each is judged with its own samples, near and far, and what the optimiser remembers."""
    problem = loads(BATCHES + f"optimizer: {optimizer}\n")
    right = derive(problem, iterations=31)
    ids = ("loss", "out.o1@1", "#2:loss", "#2:out.o1@3", "#3:grad.b1[1]", "#30:loss", "#31:new.b1[1]")
    found = audit(problem, {name: f"{float(right[name].value):.5f}" for name in ids} | {"#29:new.b1[1]": "0.12345"})
    assert [number.status for number in found.numbers] == ["rounded"] * 7 + ["unexplained"]
    wrong = audit(problem, {"#2:out.o1@3": f"{float(right['#3:out.o1@1'].value):.5f}", "#2:out.o1@1": "0.6"})
    assert [number.status for number in wrong.numbers] == ["unexplained", "unexplained"]


def test_a_page_with_one_update_has_no_numbers_of_the_next() -> None:
    """A number given in the place of a result would not change with the weights."""
    layer = "layers: [{neurons: [y], weights: [[0.3, 0.4]]}]\n"
    problem = loads(f"inputs: [1, 2]\ntargets: {{y: 1}}\n{layer}learning_rate: 0.1\ngiven: {{net.y: 1.5}}\n")
    assert [found.status for found in audit(problem, {"new.W1[1,1]": "0.91234"}).numbers] == ["unexplained"]
    for iteration in (2, 60):
        with pytest.raises(ProblemError, match="there is one update only"):
            audit(problem, {f"#{iteration}:W1[1,1]": "0.25"})
