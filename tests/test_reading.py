"""What people really write: every printed name is found, every way to write an answer is read, in every kind of file.

Laws over notations and shipped problems; tables of rows for single ways to write.
"""

from __future__ import annotations

import csv
import io
import random
import re
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracles import law
from shipping import at_once, some

from handcalc.cli import group
from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.errors import AmbiguousIdError, HandcalcError, ProblemError, UnknownIdError
from handcalc.language import translator
from handcalc.loading.loader import load, loads, shipped
from handcalc.marking.answers import from_arguments, read_sheet, sheet_of
from handcalc.marking.blank import blank_sheet
from handcalc.marking.check import Checker, check
from handcalc.marking.desk import Desk
from handcalc.marking.encodings import text_of
from handcalc.marking.marked import RIGHT, Marking
from handcalc.marking.typed import typed
from handcalc.marking.working import result
from handcalc.problem.names import printed_weights
from handcalc.render import read
from handcalc.render.dialects import PLAIN, TYPED, UNICODE, shown
from handcalc.render.notation import profiles
from handcalc.render.reading import Reading
from handcalc.render.report import Style, export

FEW = ("mazur-2-2-2", "zhou-four-people", "xigua-thresholds", "han-kamber-3-2-1", "softmax-cross-entropy")
UNNAMED = """
title: Unnamed weights
inputs: {x1: 1.0, x2: 0.5}
targets: {y: 1}
layers:
  - {neurons: [h1, h2], activation: sigmoid, weights: [[0.1, 0.2], [0.3, 0.4]], bias: [0.1, 0.2]}
  - {neurons: [y], activation: sigmoid, weights: [[0.5, 0.6]], bias: {b: 0.3}}
loss: half_squared_error
learning_rate: 0.5
"""
FAMOUS = "mazur-2-2-2"


def few(notations: tuple[str, ...] = ("mazur", "zhou", "mitchell", "nielsen"), in_turn: bool = False) -> list[Any]:
    """(notation, problem): a few of them, and all as slow laws; in_turn: those of FEW in a third of the notations, others in one each."""
    quick = [(notation, problem) for notation in notations for problem in FEW[:3]]
    known = list(profiles())
    wanted = [
        (notation, problem)
        for place, notation in enumerate(known)
        for number, problem in enumerate(shipped())
        if not in_turn or number % len(known) == place or (problem in FEW and (FEW.index(problem) + place) % 3 == 0)
    ]
    return at_once([pytest.param(*one, marks=() if one in quick else pytest.mark.slow) for one in wanted])


@cache
def derivation(problem: str) -> Derivation:
    return derive(loads(UNNAMED) if problem == "unnamed" else load(problem))


@cache
def checker(problem: str, notation: str = "") -> Checker:
    return Checker(loads(UNNAMED) if problem == "unnamed" else load(problem), notation)


def cells(found: Derivation, most: int = 12) -> Iterator[Cell]:
    """The first cells of every quantity."""
    for quantity in found.graph:
        for place, _ in zip(found.graph.positions(quantity.name), range(most)):
            yield quantity.name, place


# --- names ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("notation", "problem"), few())
def test_every_printed_symbol_is_found(notation: str, problem: str) -> None:
    """As the JSON has it, as the plain and the Unicode text have it, and its id: the step itself, in the sign of the notation."""
    found = derivation(problem)
    readings = [read(found, notation, dialect) for dialect in TYPED]
    wrong = []
    for wanted in cells(found):
        for text in dict.fromkeys([found.graph.cell_id(wanted), *(one.symbol(Ref(*wanted)) for one in readings)]):
            try:
                meant = readings[0].look_up(text)
            except AmbiguousIdError as error:
                if found.graph.cell_id(wanted) not in str(error):
                    wrong.append(f"{text}: {error}")
                continue
            letter = text != found.graph.cell_id(wanted)
            if meant.cell != wanted or meant.turned != (letter and readings[0].turned(wanted)):
                wrong.append(f"{text}: {found.graph.cell_id(meant.cell)}, {meant.turned}; it is {found.graph.cell_id(wanted)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(("notation", "problem"), few())
def test_a_symbol_spelled_loosely_is_found_or_has_candidates(notation: str, problem: str) -> None:
    """Without underscores it is the step itself, another whose id or symbol is written just so, or an error that says which."""
    found = derivation(problem)
    reading = read(found, notation, UNICODE)
    exact = {found.graph.cell_id(wanted) for wanted in cells(found, 10_000)} | {*reading.symbols()}
    wrong = []
    for wanted in cells(found, 6):
        symbol = reading.symbol(Ref(*wanted))
        for text in {symbol.replace("_", ""), symbol.replace("_", " "), symbol.replace("⁺", " new"), f" {symbol} "}:
            try:
                meant = reading.look_up(text)
            except AmbiguousIdError as error:
                assert found.graph.cell_id(wanted) in str(error)
                continue
            if meant.cell != wanted and text.strip().replace(" ", "") not in exact:
                wrong.append(f"{text}: {found.graph.cell_id(meant.cell)}, it is {found.graph.cell_id(wanted)}")
    assert not wrong, "\n".join(wrong)


# a name, and the id of what it means; problem and notation before them
NAMES: list[tuple[str, str, str, str]] = [
    (FAMOUS, "", name, id)
    for name, id in [
        ("∂E/∂w5", "grad.w5"), ("dE/dw5", "grad.w5"), ("d E / d w5", "grad.w5"), ("w5+", "new.w5"), ("w5'", "new.w5"), ("w5′", "new.w5"),
        ("w5_new", "new.w5"), ("new w5", "new.w5"), ("w5 new", "new.w5"), ("w5 (new)", "new.w5"), ("w5^+", "new.w5"), ("w₅⁺", "new.w5"),
        ("w_5+", "new.w5"), ("新w5", "new.w5"), ("updated w5", "new.w5"), ("w5^{new}", "new.w5"), ("Δw5", "delta.w5"),
        ("Delta w5", "delta.w5"),
        ("δ_o1", "grad.net.o1"), ("δo1", "grad.net.o1"), ("delta_o1", "grad.net.o1"), ("delta o1", "grad.net.o1"),
        (r"\delta_{o1}", "grad.net.o1"), ("dE/dnet_o1", "grad.net.o1"), ("dE/dnet o1", "grad.net.o1"), ("h1", "out.h1"), ("o2", "out.o2"),
        ("net h1", "net.h1"), ("neth1", "net.h1"), ("net_{h1}", "net.h1"), ("ｎｅｔ＿ｈ１", "net.h1"), ("E", "loss"), ("E_total", "loss"),
        ("Etotal", "loss"), ("E+", "after.loss"), ("E_o1", "loss.o1"), ("t_o1", ""), ("target o1", "target.o1"), ("η", "rate"),
        ("dE/dout_h1", "grad.out.h1"), ("dE/dh1", "grad.out.h1"), ("grad.h1", "grad.out.h1"), ("(12) net_h1", "net.h1"),
        ("- net_h1", "net.h1"),
        ("2) net_h1", "net.h1"), ("∂E/∂out_h1|o2", "path.o2.h1"), ("W1[2,1]", "w3"), ("grad.W1[2,1]", "grad.w3"), ("x", ""), ("w", ""),
        ("net", ""), ("h", ""), ("-net_h1", "net.h1"),
    ]
] + [
    ("unnamed", notation, name, id)
    for notation, name, id in [
        ("", "grad.w1", "grad.W1[1,1]"), ("", "new.w6", "new.W2[1,2]"), ("", "delta.w2", "delta.W1[1,2]"), ("", "w3+", "new.W1[2,1]"),
        ("", "δy", "grad.net.y"), ("", "path.y.h1", "grad.out.h1"), ("", "dE/dout_h1|y", "grad.out.h1"), ("", "grad.b_h1", "grad.b1[1]"),
        ("zhou", "grad.v11", "grad.W1[1,1]"), ("zhou", "∂E/∂v12", "grad.W1[2,1]"), ("zhou", "v11+", "new.W1[1,1]"),
        ("zhou", "γ1+", "new.b1[1]"),
        ("zhou", "θ+", "new.b"), ("zhou", "Δγ_1", "delta.b1[1]"), ("zhou", "grad.θ", "grad.b"), ("zhou", "g_1", "grad.net.y"),
        ("zhou", "gamma1'", "new.b1[1]"), ("nielsen", "w211", "W1[1,1]"), ("nielsen", "w^2_11", "W1[1,1]"), ("nielsen", "C", "loss"),
        ("nielsen", "E", "loss"), ("nielsen", "grad w^2_11", "grad.W1[1,1]"), ("nielsen", "delta^3_1", "grad.net.y"), ("ng", "J", "loss"),
        ("mitchell", "δ_5", "grad.net.y"), ("mitchell", "δ_y", "grad.net.y"), ("zhou", "net_h1", "net.h1"), ("zhou", "h1", "out.h1"),
    ]
]  # fmt: skip


@pytest.mark.parametrize(("problem", "notation", "name", "id"), NAMES)
def test_name(problem: str, notation: str, name: str, id: str) -> None:
    found = derivation(problem)
    reading = read(found, notation)
    if id:
        assert found.graph.cell_id(reading.look_up(name).cell) == id
    else:
        with pytest.raises(UnknownIdError):
            reading.look_up(name)


TURNED = [
    ("zhou", "g_1", True), ("zhou", "grad.net.y", False), ("zhou", "-g_1", False), ("zhou", "-grad.net.y", True), ("mitchell", "δ_y", True),
    ("mitchell", "delta y", True), ("mazur", "δ_y", False), ("mazur", "-δ_y", True), ("zhou", "θ", True), ("zhou", "θ+", True),
    ("zhou", "new.b", False), ("zhou", "grad.θ", True), ("zhou", "grad.b", False), ("zhou", "b", False), ("zhou", "b+", False),
    ("zhou", "w_11", False), ("zhou", "δ_y", None), ("zhou", "-δ_y", None), ("zhou", "b1[1]", False),
]  # fmt: skip


@pytest.mark.parametrize(("notation", "name", "turned"), TURNED)
def test_names_have_a_sign(notation: str, name: str, turned: bool | None) -> None:
    assert read(derivation("unnamed"), notation).look_up(name).turned is turned


def test_a_name_that_has_both_signs_is_told() -> None:
    marking = checker("unnamed", "zhou").mark(sheet_of({"δ_y": "0.05"}))
    assert str(marking.answers[0].note) == '"δ_y" may be grad.net.y or its negative; write the id, or g_1 as in this notation'


def test_an_ambiguous_name_has_its_candidates() -> None:
    twice = "samples: [{name: a, inputs: {x: 1}, targets: {y: 1}}, {name: b, inputs: {x: 2}, targets: {y: 0}}]\nlayers:\n"
    text = twice + "  - {neurons: [y], activation: sigmoid, weights: {w1: [x, y, 0.5]}}\n  - {neurons: [z], weights: {w_1: [y, z, 1]}}\n"
    found = derive(loads(text.replace("targets: {y", "targets: {z") + "loss: squared_error\nlearning_rate: 1\n"))
    with pytest.raises(AmbiguousIdError, match=r'^"w\{1\}" may be one of w1, w_1; write which$'):
        read(found).find("w{1}")
    assert read(found).find("w1")[0][0] == "W1" and read(found).find("w_1")[0][0] == "W2"
    with pytest.raises(AmbiguousIdError):
        read(found).find("new w{1}")
    with pytest.raises(UnknownIdError):
        read(found).find("w1 new w")


def test_a_name_is_understood_wherever_an_id_is(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(UNNAMED + "tasks: [δy, grad.w5, new w5, {ask: h1, marks: 2}]\n", encoding="utf-8")
    outputs = {}
    for name, arguments in {
        "only": ["solve", str(path), "--only", "grad w1", "--only", "w5 new", "--format", "plain"],
        "why": ["why", str(path), "new w5"],
        "gradcheck": ["gradcheck", str(path), "--only", "grad.w5"],
        "blank": ["check", str(path), "--blank"],
        "zhou": ["check", str(path), "--blank", "--notation", "zhou"],
        "worksheet": ["solve", str(path), "--view", "worksheet", "--format", "markdown"],
    }.items():
        done = CliRunner().invoke(group, arguments)
        assert done.exit_code == 0, (name, done.output)
        outputs[name] = done.stdout
    assert [line.split(" ")[0] for line in outputs["only"].splitlines() if line[:1].strip()] == ["dE/dw1", "w5+"]
    assert re.findall("(?m)^(.*?) *= $", outputs["blank"]) == ["δ_y", "∂E/∂w5", "w5⁺", "out_h1"]
    assert re.findall("(?m)^(.*?) *= $", outputs["zhou"]) == ["g₁", "∂E/∂w₁₁", "w₁₁⁺", "b₁"]
    frozen = loads(UNNAMED + "update: {frozen: [w5, w1]}\n")
    assert frozen.frozen == {"W2[1,1]", "W1[1,1]"}
    assert derive(frozen).value("new.W2[1,1]") == 0.5 != derive(frozen).value("new.W2[1,2]")


@pytest.mark.parametrize("conventions", ["", "conventions: {weight_numbering: by_source}\n"])
def test_weights_are_frozen_by_the_names_that_are_printed(conventions: str) -> None:
    problem = loads(UNNAMED + conventions)
    reading = read(derive(problem), "", PLAIN)
    printed = {reading.symbol(Ref(*wanted)): reading.graph.cell_id(wanted) for wanted in cells(reading.derivation)}
    weights = printed_weights(problem)
    assert len(weights) == 6
    assert {name: printed[name] for name in weights} == weights


def test_weights_of_tokens_are_frozen_by_the_names_that_are_printed() -> None:
    """The weights of a dense layer on tokens are those of one token, however many there are."""
    tokens = (
        "inputs: [[1, 2], [3, 4], [5, 6]]\ntargets: [[0], [1], [1]]\nlayers: [{neurons: 1, activation: identity, weights: [[0.5, 0.25]]}]\n"
    )
    problem = loads(tokens + "loss: squared_error\nlearning_rate: 0.5\nupdate: {frozen: [w2]}\n")
    assert printed_weights(problem) == {"w1": "W1[1,1]", "w2": "W1[1,2]"}
    assert derive(problem).value("new.W1[1,2]") == 0.25


@pytest.mark.parametrize("problem", shipped())
def test_shipped_weights_are_called_as_they_are_printed(problem: str) -> None:
    weights = printed_weights(load(problem))
    if weights:
        reading = read(derivation(problem), "", PLAIN)
        printed = {reading.symbol(Ref(*wanted)): reading.graph.cell_id(wanted) for wanted in cells(derivation(problem), 200)}
        assert {name: printed.get(name) for name in weights} == weights


# --- working on the line ----------------------------------------------------------------------------------------------

# what stands behind the first sign, the answer, the remark
WORKINGS: list[tuple[str, str, str]] = [
    ("1.2", "1.2", ""),
    ("0.5*1.0 + 0.3*2 + 0.1 = 1.2", "1.2", ""),
    ("0.741·0.187 ≈ 0.1385", "0.1385", ""),
    ("0.741×0.187 ≈ 0.1387", "0.1387", ""),
    ("0.5*2 = 3", "3", "0.5*2 is 1, not 3"),
    ("w1*x1 + b = 0.5*2 + 1 = 3", "3", "0.5*2 + 1 is 2, not 3"),
    ("w1*x1 + b = 0.5*2 + 2 = 3", "3", ""),
    ("w1*x1 + b", "w1*x1 + b", ""),
    ("2*3 =", "", ""),
    ("= 0.5", "= 0.5", ""),
    ("0,5·2 = 1,0", "1,0", ""),
    ("0,5·2 = 2,0", "2,0", "0,5·2 is 1, not 2.0"),
    ("1/(1 + e^(-0.3775)) ≈ 0.5933", "0.5933", ""),
    ("1/(1 + e^(-0.3775)) ≈ 0.7", "0.7", "1/(1 + e^(-0.3775)) is 0.593270, not 0.7"),
    ("0.1*2 ~= 0.2", "0.2", ""),
    ("0.1*2 ~ 0.2", "0.2", ""),
    ("0.40 − 0.5·0.0821670 ≈ 0.358916 (rounded)", "0.358916 (rounded)", ""),
    ("1/0 = 5", "5", ""),
    ("h[t=1] + 1", "h[t=1] + 1", ""),
    ("2*3 = 6 = 7", "7", "2*3 is 6, not 7"),
    ("0.12 ≈ 0.1", "0.1", ""),
    ("(" * 200 + " = 1", "1", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer", "remark"), WORKINGS)
def test_working(text: str, answer: str, remark: str) -> None:
    found, said = result(text)
    assert (found, str(said or "").replace("0.59327,", "0.593270,")) == (answer, remark)


@given(st.text(max_size=60) | st.text("0123456789.=≈~+-*/()[]e ,", max_size=40))
@law(300)
def test_any_working_has_an_answer(text: str) -> None:
    found, _ = result(text)
    assert found in text


def mark(problem: str, answers: Any, notation: str = "") -> Marking:
    return checker(problem, notation).mark(answers if not isinstance(answers, dict) else sheet_of(answers))


def test_the_answer_is_what_stands_last() -> None:
    marking = mark(
        FAMOUS, {"net.h1": "w1*i1 + … = 0.15*0.05 + 0.20*0.10 + 0.35 = 0.3775", "out.h1": "0.1 + 0.1 = 0.5933", "net.h2": "1*2 ="}
    )
    assert [(answer.given, answer.verdict) for answer in marking.answers] == [("0.3775", "correct"), ("0.5933", "correct"), ("", "missing")]
    assert str(marking.answers[1].note) == "0.1 + 0.1 is 0.2, not 0.5933"


@pytest.mark.parametrize("dialect", TYPED, ids=lambda dialect: dialect.key)
@pytest.mark.parametrize("notation", ["", "zhou", "nielsen", "mitchell"])
def test_the_printed_solution_is_a_right_sheet(notation: str, dialect: Any, tmp_path: Path) -> None:
    """Line by line as `solve` prints it: symbol, formula, numbers put in, result."""
    found = derivation(FAMOUS)
    reading = read(found, notation, dialect)
    lines = []
    for step in found.steps():
        formula = reading.formula(step.cell) if step.formula is not None else None
        if formula is not None:
            parts = [reading.symbol(Ref(*step.cell)), reading.symbolic(formula), reading.numeric(formula), reading.number(step.cell)]
            lines.append(f" {dialect.approximately} ".join([" = ".join(parts[:2]), *parts[2:]]))
    path = tmp_path / "sheet.txt"
    path.write_text("\n".join(lines), encoding="utf-8")
    marking = mark(FAMOUS, read_sheet(path), notation)
    bad = [(one.id, one.given, one.verdict, str(one.note)) for one in marking.answers if one.verdict not in RIGHT or one.note]
    assert len(marking.answers) > 40 and not bad


def test_a_given_weight_is_told_from_the_new_one() -> None:
    marking = mark(FAMOUS, {"w5": "0.3589", "w6": "0.518", "w7": "0.50", "b1": "0.9"})
    assert [str(answer.note or "") for answer in marking.answers] == [
        "w5 is given; read as the updated one, w5+ (id new.w5)",
        "w6 is given; read as the updated one, w6+ (id new.w6)",
        "",
        "b1 is given; read as the updated one, b1+ (id new.b1)",
    ]
    assert [answer.id for answer in marking.answers] == ["new.w5", "new.w6", "w7", "new.b1"] and marking.answers[0].verdict in RIGHT
    assert "w5+" in marking.answers[0].note.text(translator("zh"))  # type: ignore[union-attr]


# --- lines that are no answers ----------------------------------------------------------------------------------------

HEAD = """Name: Nina   Date: 12 May 2026
Class = 5b
学号：2023001

29.11.2026
Sunday, 29 November 2026
# my solution
// working below
% LaTeX
net_h1 = 0.3775
My answer is somewhere else
out_h1 ≈ 0.5933
3) o1: 0.7514
= 5
out_o2 0.77
net_h1 = 0.4
"""


def test_a_bad_line_costs_that_line(tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_text(HEAD, encoding="utf-8")
    sheet = read_sheet(path)
    assert sheet.name == "Nina"
    marking = mark(FAMOUS, sheet)
    told = [(answer.id, answer.verdict, str(answer.note or "").removeprefix(str(path))) for answer in marking.answers]
    assert told == [
        ("net.h1", "correct", ""),
        ("My answer is somewhere else", "unreadable", ':11: expected ID = ANSWER, found "My answer is somewhere else"'),
        ("out.h1", "correct", ""),
        ("out.o1", "correct", ""),
        ("= 5", "unreadable", ':14: an id is missing before the answer "5"'),
        ("out.o2", "correct", ""),
        ("net_h1", "unreadable", ':16: the id "net_h1" is there twice; first in line 10'),
    ]
    assert marking.marks == (4.0, 4.0)


def test_a_heading_may_be_a_step() -> None:
    text = "given: {number: 2}\nequations: {group: number*3}\nminimize: group\n"
    marking = check(loads(text), {"group": "6", "date": "5", "number": "2", "student": "123"})
    assert [(answer.id, answer.verdict) for answer in marking.answers] == [("group", "correct"), ("number", "correct")]
    marking = check(loads(text), {"group": "number*3", "class": "5b", "name": "Nina"})
    assert [(answer.id, answer.verdict) for answer in marking.answers] == [("group", "correct")]
    assert marking.name == "Nina"


@pytest.mark.parametrize(
    "line", ["name: Nina", "Name = Nina", "NAME：Nina", "姓名：Nina", "student: Nina", "Student name: Nina", "name ≈ Nina"]
)
def test_names(line: str, tmp_path: Path) -> None:
    (tmp_path / "s.txt").write_text(f"{line}\na = 1\n", encoding="utf-8")
    (tmp_path / "s.csv").write_text(f"{line.replace('≈', ',')}\nid;answer\na;1\n", encoding="utf-8")
    for name in ("s.txt", "s.csv"):
        sheet = read_sheet(tmp_path / name)
        assert (sheet.name, [(answer.id, answer.text) for answer in sheet.answers]) == ("Nina", [("a", "1")])


def test_arguments_have_working_too() -> None:
    sheet = from_arguments(["net.h1=0.5*1 = 0.5", "h[t=1] = 0.5", "a≈1"])
    assert [(answer.id, answer.text) for answer in sheet.answers] == [("net.h1", "0.5*1 = 0.5"), ("h[t=1]", "0.5"), ("a", "1")]


# --- files ------------------------------------------------------------------------------------------------------------

LINES = "# 姓名：张三\nnet_h1 = 0.3775\nδ_o1 = 0.1385\n∂E/∂w5 ≈ 0.0822\nw5⁺ = 0.3589\nout_h1 = 0.6933 (错)\n"
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "gb18030"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=repr)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_sheets_in_every_encoding_are_marked_alike(encoding: str, ending: str, tmp_path: Path) -> None:
    path = tmp_path / "s.txt"
    path.write_bytes(LINES.replace("\n", ending).encode(encoding))
    sheet = read_sheet(path)
    assert sheet.name == "张三"
    marking = mark(FAMOUS, sheet)
    assert [answer.verdict for answer in marking.answers] == ["correct"] * 4 + ["wrong"]


TEXTS = [
    ("gb18030", "姓名：李明\nδ = 1\n∂E/∂w5⁺ = 2\n"), ("gb18030", "# 第一题的答案，四舍五入\nγ₁ ≈ 3"),
    ("cp1252", "name: Jürgen Weiß\na = 1"),
    ("cp1252", "Schüler: é\nb – 0.5"), ("latin-1", "name: André Müller\nout = ½"), ("cp1252", "# Größe\na = −1".replace("−", "–")),
    ("utf-16-le", "\ufeffa = 1"), ("utf-16-be", "\ufeffδ = 1"), ("latin-1", "név: Zoltán\na = 1"),
    ("latin-1", "# ça va: naïf, Ångström, Ñandú"),
    ("utf-8", "a = 1"), ("utf-8", ""),
]  # fmt: skip


@pytest.mark.parametrize(("encoding", "text"), TEXTS)
def test_encodings_are_known(encoding: str, text: str) -> None:
    assert text_of(text.encode(encoding), "s.txt") == text.removeprefix("\ufeff")


@pytest.mark.parametrize("data", [b"\xff\xfea", b"\x00\x01\x02\xff", bytes(range(128, 256)), b"\x81\x00\xff"])
def test_what_is_no_text_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(ProblemError, match="^s.txt: this is no text; save it as text in UTF-8"):
        text_of(data, "s.txt")


@pytest.mark.parametrize(
    "text",
    ["id,answer\nnet_h1,0.3775\nw5+,0.3589\n", "id;answer\nnet_h1;0,3775\nw5+;0,3589\n",
     "step\tanswer\tnote\nnet_h1\t0,3775\tx\nw5+\t35,89 %\t\n",
     "Name;Nina\n\n步骤;答案\nnet_h1;0.3775\n# remark;\nw5_new;0.3589?\n"],
)  # fmt: skip
def test_tables(text: str, tmp_path: Path) -> None:
    (tmp_path / "s.csv").write_text(text, encoding="utf-8")
    assert mark(FAMOUS, read_sheet(tmp_path / "s.csv")).summary == {"correct": 2}


def test_excel(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl")
    book = openpyxl.Workbook()
    sheet = book.active
    rows = [("Name", "Nina"), (), ("step", "answer", "remark"), ("net_h1", 0.3775), ("δ_o1", "0.1385"), ("out_h1", 0.5933, "rounded"),
            ("# nothing",), ("w5+", "0.5*3 = 0.3589"), ("w6+", None), ("∂E/∂w5", 0.08), ("E", 0.2984)]  # fmt: skip
    for row in rows:
        sheet.append(row)
    sheet["B10"].number_format = "0.0000"
    sheet["B11"].number_format = "0.00%"
    book.save(tmp_path / "s.xlsx")
    found = read_sheet(tmp_path / "s.xlsx")
    assert found.name == "Nina"
    texts = [(answer.id, answer.text) for answer in found.answers]
    assert texts == [("net_h1", "0.3775"), ("δ_o1", "0.1385"), ("out_h1", "0.5933"), ("w5+", "0.5*3 = 0.3589"), ("w6+", ""),
                     ("∂E/∂w5", "0.0800"), ("E", "0.2984")]  # fmt: skip
    assert mark(FAMOUS, found).summary == {"correct": 5, "wrong": 1, "missing": 1}


def test_an_excel_file_without_its_library_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with zipfile.ZipFile(tmp_path / "s.xlsx", "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(ProblemError, match=r"s\.xlsx: Excel needs a library that is not installed: pip install 'handcalc\[excel\]'$"):
        read_sheet(tmp_path / "s.xlsx")


@pytest.mark.parametrize("names", [(), ("a.txt",), ("xl/workbook.xml",), ("word/document.xml",)])
def test_archives_that_are_no_sheets(names: tuple[str, ...], tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "s.docx", "w") as archive:
        archive.writestr("x", "")
        for name in names:
            archive.writestr(name, "<hello")
    if names[:1] == ("xl/workbook.xml",):
        pytest.importorskip("openpyxl")
    if names[:1] == ("word/document.xml",):
        pytest.importorskip("docx")
    with pytest.raises(ProblemError, match="cannot be read|neither an Excel"):
        read_sheet(tmp_path / "s.docx")


def filled(found: Derivation, notation: str, view: str, wrong: int = 0, language: str = "en") -> io.BytesIO:
    """The worksheet of a solution, filled in in Word with its own numbers; the last so many lines wrong."""
    docx = pytest.importorskip("docx")
    pytest.importorskip("typst")
    reading = read(found, notation)
    content = export((found,), "word", Style(notation, view=view, pictures=False), language).content
    document = docx.Document(io.BytesIO(content))
    from handcalc.render.formats.wordparts import step_of

    lines = [p for p in document.paragraphs if p._p.xpath('.//w:pStyle[@w:val="StepToWrite"]')]
    for number, line in enumerate(lines):
        step = step_of(line._p.xpath(".//w:bookmarkStart/@w:name")[0]).replace("-", "")
        cell, iteration = found.find(step)
        line.add_run(shown(reading.shown(cell, iteration), UNICODE) if number < len(lines) - wrong else "77")
    stream = io.BytesIO()
    document.save(stream)
    return stream


@pytest.mark.parametrize("view", some(["worksheet", "formulas"], ["formulas"]))
@pytest.mark.parametrize(("notation", "problem"), few(("zhou",), in_turn=True))
def test_a_worksheet_filled_in_with_word_is_marked(notation: str, problem: str, view: str, tmp_path: Path) -> None:
    """Whatever the notation it was made in, the numbers printed in that notation are right; one wrong number is wrong."""
    found = derivation(problem)
    (tmp_path / "s.docx").write_bytes(filled(found, notation, view, 1).getvalue())
    marking = mark(problem, read_sheet(tmp_path / "s.docx"))
    bad = [answer for answer in marking.answers if answer.verdict not in ("correct", "rounded")]
    assert len(marking.answers) > 1 and len(bad) <= 1 and all(answer.given == "77" for answer in bad), bad


def test_a_worksheet_without_its_bookmarks_is_known_by_its_symbols(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document(filled(derivation(FAMOUS), "", "worksheet"))
    for mark_ in document.element.body.xpath(".//w:bookmarkStart | .//w:bookmarkEnd"):
        mark_.getparent().remove(mark_)
    document.save(tmp_path / "s.docx")
    marking = mark(FAMOUS, read_sheet(tmp_path / "s.docx"))
    assert len(marking.answers) > 40 and {*marking.summary} <= {"correct", "rounded"}, marking.answers


def test_blanks_of_a_worksheet_are_missing(tmp_path: Path) -> None:
    pytest.importorskip("docx")
    content = export((derivation(FAMOUS),), "word", Style(view="formulas", pictures=False), "en").content
    assert isinstance(content, bytes)
    (tmp_path / "s.docx").write_bytes(content)
    assert {*mark(FAMOUS, read_sheet(tmp_path / "s.docx")).summary} == {"missing"}


def test_a_document_with_lines(tmp_path: Path) -> None:
    docx = pytest.importorskip("docx")
    document = docx.Document()
    document.add_heading("Homework 3", 0)
    document.add_paragraph("Name: Nina")
    document.add_paragraph("net_h1 = 0.15*0.05 + 0.2*0.1 + 0.35 = 0.3775\nout_h1 = 0.5933")
    document.add_paragraph("I did not know what to do next.")
    table = document.add_table(2, 2)
    for cell, text in zip([cell for row in table.rows for cell in row.cells], ["step", "answer", "w5+", "0.3589"]):
        cell.text = text
    document.save(tmp_path / "s.docx")
    sheet = read_sheet(tmp_path / "s.docx")
    assert sheet.name == "Nina"
    assert mark(FAMOUS, sheet).summary == {"correct": 3, "unreadable": 1}


# --- the blank sheet --------------------------------------------------------------------------------------------------


def numbers(own: Checker, notation: str) -> list[str]:
    """What the solution prints for the steps of the blank sheet, one after the other."""
    desk = own.desk()
    reading = read(desk.book.derivation, notation)
    return [shown(reading.shown(wanted), UNICODE) for wanted in [*desk.interpreter.tasks] or desk.interpreter.default()]


@pytest.mark.parametrize(("notation", "problem"), few(("zhou", "han", "negnevitsky", "mitchell", "mazur")))
def test_the_key_filled_into_the_blank_sheet_is_right(notation: str, problem: str, tmp_path: Path) -> None:
    """As text or CSV in turn: every notation and every problem as both."""
    own, form = checker(problem, notation), ("text", "csv")[([*profiles()].index(notation) + [*shipped()].index(problem)) % 2]
    lines = blank_sheet(own.desk(), form).splitlines()
    asked = [place for place, line in enumerate(lines) if line.endswith(" = " if form == "text" else ",")]
    key = numbers(own, notation)
    if not key:
        return
    for place, number in zip(asked, key, strict=True):
        lines[place] += number
    (tmp_path / f"s.{form}").write_text("\n".join(lines), encoding="utf-8")
    marking = own.mark(read_sheet(tmp_path / f"s.{form}"))
    assert {*marking.summary} <= {"correct", "rounded"}, [(answer.id, answer.given, answer.expected) for answer in marking.answers]


def test_the_blank_sheet_says_what_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    text = "rounding: {decimals: 4, carry: true}\ntasks: [h1, {ask: [δy, w5+], marks: 2, significant: 3}]\n"
    path.write_text(UNNAMED + text, encoding="utf-8")
    run = CliRunner().invoke
    english = run(group, ["check", str(path), "--blank"]).stdout
    chinese = run(group, ["check", str(path), "--blank", "--lang", "zh"]).stdout
    assert "# 1 mark, 4 decimals\nout_h1 = \n# 2 marks, 3 significant digits\nδ_y    = \nw5⁺    = \n" in english
    assert "# 姓名：" in chinese and "4 位小数" in chinese and "out_h1 = " in chinese
    assert not re.search("[a-z]{3,}", re.sub("(?m)^# Unnamed weights$|^.* = $", "", chinese))
    for text in (english, chinese):
        (tmp_path / "s.txt").write_text(text.replace("name: ", "name: Nina").replace("姓名：", "姓名：Nina"), encoding="utf-8")
        sheet = read_sheet(tmp_path / "s.txt")
        assert sheet.name == "Nina" and len(sheet.answers) == 3 and sheet.rounding is not None
        assert (sheet.rounding.decimals, sheet.rounding.carry) == (4, True)
    for language, heading in (("en", "id,out of,digits,answer"), ("zh", "编号,满分,位数,答案")):
        target = tmp_path / f"{language}.csv"
        done = run(group, ["check", str(path), "--blank", "-o", str(target), "--lang", language])
        assert done.exit_code == 0 and target.read_bytes().startswith(b"\xef\xbb\xbf")
        rows = list(csv.reader(target.read_text("utf-8-sig").splitlines()))
        assert ",".join(next(row for row in rows if len(row) == 4)) == heading
        assert [answer.text for answer in read_sheet(target).answers] == ["", "", ""]


# --- nothing ends in a traceback --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for many sheets."""
    return tmp_path_factory.mktemp("sheets")


PIECES = [
    "=", "≈", ":", "#", "name", "w5", "w5+", "δ_o1", "net_h1", "0.5", "1/0", "%", "(", ")", "[", "]", "\n", "\r\n", ",", ";", "\t", " ",
    "id", "answer", "answers:", "-", "+", "'", '"', "e", "^", "新", "∂E/∂", "{", "}", "grad.", "new", "#2:", "999999999", "\x00", "\ufeff",
]  # fmt: skip
WRITTEN = st.lists(st.sampled_from(PIECES), max_size=40).map("".join)


@given(st.binary(max_size=300) | WRITTEN.map(str.encode) | st.text().map(str.encode))
@settings(law(150), suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_sheet_or_an_error(folder: Path, data: bytes) -> None:
    for name in ("s.txt", "s.csv", "s.xlsx"):
        (folder / name).write_bytes(data)
        try:
            sheet = read_sheet(folder / name)
        except HandcalcError as error:
            assert error.exit_code == 2 and all(str(message).isprintable() for message in error.messages)
            continue
        marking = mark(FAMOUS, sheet)
        assert len(marking.answers) <= len(sheet.answers)


def test_damaged_documents_are_errors(folder: Path) -> None:
    pytest.importorskip("docx")
    chooser = random.Random(5)
    whole = filled(derivation(FAMOUS), "", "worksheet").getvalue()
    for _ in range(25):
        data = bytearray(whole)
        for _ in range(chooser.randint(1, 40)):
            data[chooser.randrange(4, len(data))] = chooser.randrange(256)
        (folder / "s.docx").write_bytes(data[: chooser.randint(10, len(data))])
        with suppress(HandcalcError):
            mark(FAMOUS, read_sheet(folder / "s.docx"))


@cache
def in_two_notations() -> tuple[Reading, Reading]:
    return read(derivation(FAMOUS)), read(derivation(FAMOUS), "zhou")


@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES), max_size=8).map("".join))
@law(200)
def test_any_word_is_a_step_or_an_error(text: str) -> None:
    for reading in in_two_notations():
        try:
            reading.find(text)
        except UnknownIdError as error:
            assert all(str(message).isprintable() for message in error.messages)
    typed(text)


USUAL = {
    "mazur-2-2-2": {"z_h1": "net.h1", "a_h1": "out.h1", "Loss": "loss", "∂L/∂w5": "grad.w5", "dw5": "grad.w5", "dz_h1": "grad.net.h1"},
    "gomez-lstm": {"i_1": "gate_i.o1@t1", "c2": "cell.o1@t2", "h_2": "out.o1@t2"},
}  # fmt: skip


@pytest.mark.parametrize("problem", USUAL)
def test_letters_that_are_usual_elsewhere(problem: str) -> None:
    """What the notation of a problem does not have means what other notations, or other books, mean by it."""
    desk = Desk(load(problem), "", 1)
    assert {word: desk.book.cell_id(desk.interpreter.find(word)[0]) for word in USUAL[problem]} == USUAL[problem]


PROSE = ["Forward pass:", "解：", "Note: I used 4 decimals", "第一步：前向传播", "σ(z) = 1/(1+e^(-z))", "Let f = sigmoid", "检查：正确"]


@pytest.mark.parametrize("line", PROSE)
def test_words_between_the_answers_cost_nothing(line: str, tmp_path: Path) -> None:
    path = tmp_path / "sheet.txt"
    path.write_text(f"{line}\nnet_h1 = 0.3775\n", encoding="utf-8")
    assert [answer.id for answer in check(load("mazur-2-2-2"), read_sheet(path)).answers if answer.worth] == ["net.h1"]
