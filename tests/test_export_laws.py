"""Laws over all exporters: every number is the JSON's, a worksheet gives nothing away, hostile texts stay text, same bytes."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exports import HOSTILE, Line, derivation, filled, formulas, hostile_problem, line, lines, number, plain, sources, tables, written

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Number
from handcalc.core.rounding import Rounding
from handcalc.problem.loader import shipped
from handcalc.problem.schema import NOTATION_NAMES
from handcalc.render.blocks import Equation, Table, Value
from handcalc.render.report import FORMATS, Chapter, Style, dialect_of, export
from handcalc.render.views import VIEWS

READ = ("markdown", "latex", "notebook", "plain", "terminal", "typst")  # formats whose lines are read back
TABLES = ("markdown", "latex", "notebook", "plain", "typst")
TEXT = [format.name for format in FORMATS.values() if not format.binary]
SOME = ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy", "xigua-thresholds", "micrograd-readme", "fausett-bipolar")


def shown(found: Derivation, **style: Any) -> dict[str, str]:
    """id → printed number, as the JSON has it."""
    return {step["id"]: step["shown"] for step in json.loads(written(found, "json", **style))["steps"]}


def chapter(found: Derivation, format: str, **style: Any) -> Chapter:
    return Chapter(found, dialect_of(format), Style(**style))


# --- reading back -----------------------------------------------------------------------------------------------------

FORMULAS = {
    r"w_{1} = \frac{1}{3} \approx -0{,}5": ("w_{1}", "-0.5"),
    r"a &= b \\" + "\n" + r"&\approx 1.2 \times 10^{-4}": ("a", "1.2e-4"),
    "out_h1 = σ(net_h1) ≈ 7.58×10⁻¹⁰": ("out_h1", "7.58e-10"),
    "E ~= -1/3": ("E", "-1/3"),
    r"E = -\frac{1}{3}": ("E", "-1/3"),
    'w_(5) = - "a" approx 2,5 times 10^(12)': ("w_(5)", "2.5e12"),
    r"\delta = \underline{\hspace{4em}}": (r"\delta", ""),
    r"\delta = w_{1}": (r"\delta", ""),
    r"x = 2 \cdot 3": ("x", ""),
    "x = 0,5·3 = 1,5": ("x", "1.5"),
}


@pytest.mark.parametrize("formula", FORMULAS)
def test_numbers_are_read_back(formula: str) -> None:
    assert line(formula) == Line(*FORMULAS[formula])


LINES = {
    "markdown": "```math\na = 1 \\tag{1}\n```\n\n```math\nb = c\n```\n\n```math\n\\begin{aligned}\nd &= e \\\\\n&= 2\n\\end{aligned} \\tag{2}\n```",
    "latex": "\\[\n  a = 1 \\tag{1}\n\\]\n\n\\[\n  b = c\n\\]\n\n\\begin{align*}\n  d &= e \\tag{2} \\\\\n  &= 2\n\\end{align*}",
    "notebook": json.dumps(
        {"cells": [{"cell_type": "markdown", "source": ["$$\n", "a = 1 \\tag{1}\n", "$$\n", "\n", "$$\n", "d = 2 \\tag{2}\n", "$$"]}]}
    ),
    "plain": "(1)    a = 1\n\nb = c\n  (2)    d = e\n         = 2\n",
    "typst": '#worked(1, 0, "a = $3$", $a$, ($= 1$,))\n#worked(none, 0, "b", $b$, ($= c$,))\n#worked(2, 1, "d (", $d_("h$1")$, ($= e$,), ($=$, $2$,))',
}


@pytest.mark.parametrize("format", LINES)
def test_lines_are_read_back(format: str) -> None:
    found = lines(format, LINES[format])
    assert {count: part.number for count, part in found.items()} == {1: "1", 2: "2"} and found[1].left == "a" and found[2].left[0] == "d"


CELLS = {
    "markdown": "| a | $b$ |\n| --- | ---: |\n| x\\|y | $0{,}5$ |\n",
    "latex": "\\begin{tabular}{lr}\n\\toprule\na & $b$ \\\\\n\\midrule\nx\\|y & $0{,}5$ \\\\\n\\bottomrule\n\\end{tabular}",
    "typst": '#listing((false, true,), ("a", m("b", $b$)), (\n  ("x\\\\|y", (m("0,5", $0","5$), $0$),),\n))',
}


@pytest.mark.parametrize("format", CELLS)
def test_tables_are_read_back(format: str) -> None:
    ((head, row),) = tables(format, CELLS[format])
    assert [cell.strip('"') for cell in head] == ["a", "b"] and row[1] == "0.5" and len(row) == 2


def test_split_tables_are_put_together() -> None:
    parts = [["a", "b"], ["1", "2"]], [["a", "c"], ["1", "3"]], [["a", "b"], ["4", "5"]], [["a", "c"], ["4", "6"]]
    assert filled(2, 3, iter(parts)) == [["1", "2", "3"], ["4", "5", "6"]]
    assert filled(0, 2, iter([[["a", "b"]]])) == []


# --- every number is the JSON's ---------------------------------------------------------------------------------------


def check_numbers(found: Derivation, format: str, language: str = "en", **style: Any) -> None:
    text, expected = written(found, format, language, pictures=False, **style), shown(found, **style)
    read, part = lines(format, text), chapter(found, format, **style)
    worked = {block.number: block for block in part.blocks() if isinstance(block, Equation) and block.step}
    assert {*read} == {*worked}
    for count, block in worked.items():
        assert block.step is not None
        wanted = plain(expected[found.step_id(*block.step)])
        constant = isinstance(found.graph.instance(block.step[0]), Number)  # printed as it is typed
        assert read[count].number == wanted or (constant and value(read[count].number) == value(wanted)), block.step
    if format in TABLES:
        parts = iter(tables(format, text))
        for table in (block for block in part.blocks() if isinstance(block, Table)):
            check_table(table, filled(len(table.rows), len(table.columns), parts), found, expected)
        assert next(parts, None) is None


def check_table(table: Table, cells: list[list[str]], found: Derivation, expected: dict[str, str]) -> None:
    for row, texts in zip(table.rows, cells, strict=True):
        for item, text in zip(row, texts, strict=True):
            if isinstance(item, Value):
                assert number(text.strip()) == plain(expected[found.step_id(item.cell, item.iteration)]), (item, text)


def value(digits: str) -> float:
    above, _, below = digits.partition("/")
    return float(above) / float(below or 1)


@pytest.mark.parametrize("format", READ)
@pytest.mark.parametrize("problem", shipped())
def test_every_number_is_that_of_the_json(problem: str, format: str) -> None:
    check_numbers(derivation(problem), format)


STYLES: dict[str, dict[str, Any]] = {
    "zh-comma": {"language": "zh", "comma": True},
    "nielsen-full": {"notation": "nielsen", "detail": "full"},
    "zhou-both": {"notation": "zhou", "form": "both"},
    "ng-brief": {"notation": "ng", "detail": "brief"},
}


@pytest.mark.slow
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("format", READ)
@pytest.mark.parametrize("problem", shipped())
def test_every_number_is_that_of_the_json_in_every_style(problem: str, format: str, style: str) -> None:
    rounding = {"zh-comma": Rounding(decimals=4, significant=None), "ng-brief": Rounding(exact=True)}.get(style)
    check_numbers(derivation(problem, 2, rounding), format, **STYLES[style])


# --- a worksheet gives nothing away -----------------------------------------------------------------------------------

DOCUMENTS = [format.name for format in FORMATS.values() if format.document and not format.binary]


def secrets(found: Derivation, **style: Any) -> set[str]:
    """The digits of every computed number that are no given ones; of four digits at least, so that they are none by chance."""
    steps = json.loads(written(found, "json", **style))["steps"]
    given = {digits(step["shown"]) for step in steps if step["phase"] == "given" and step["iteration"] == 1}
    computed = {digits(step["shown"]) for step in steps if step["formula"] is not None}
    return {text for text in computed - given if len(text.replace(".", "").strip("0")) >= 4}


def digits(shown: str) -> str:
    return plain(shown).removeprefix("-").partition("e")[0]


def seen(format: str, text: str) -> set[str]:
    """The numbers that can be read somewhere in a report, also in its drawings and in what a program in it uses."""
    images = (base64.b64decode(data).decode() for data in re.findall(r"base64,([A-Za-z0-9+/=]+)", text))
    whole = "\n".join([text, *images])
    whole = re.sub(r'(<(?:path|rect|circle|line|svg|g|text|tspan)\b[^>]*?)(?: (?:[a-z-]+)=\\?"[^">]*")*', r"\1", whole)
    return {*re.findall(r"\d+(?:\.\d+)?", plain(whole))}


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "key"])
@pytest.mark.parametrize("format", DOCUMENTS)
@pytest.mark.parametrize("problem", [*SOME[:2], *(pytest.param(problem, marks=pytest.mark.slow) for problem in shipped())])
def test_a_worksheet_gives_nothing_away(problem: str, format: str, view: str) -> None:
    found = derivation(problem)
    assert not secrets(found) & seen(format, written(found, format, view=view))


@pytest.mark.parametrize("format", DOCUMENTS)
def test_what_is_given_away_is_found(format: str) -> None:
    found = derivation("mazur-2-2-2")
    assert len(secrets(found) & seen(format, written(found, format))) > 20


def test_a_later_iteration_gives_nothing_away() -> None:
    """Its parameters are results, though they are given for it."""
    found = derivation("mazur-2-2-2", 2)
    assert {"0.358916"} <= secrets(found)
    for format in DOCUMENTS:
        for view in VIEWS:
            assert view == "key" or not secrets(found) & seen(format, written(found, format, view=view, form="both", detail="full")), format


@pytest.mark.parametrize("format", READ)
@pytest.mark.parametrize("problem", SOME)
def test_a_line_has_the_same_number_in_every_view(problem: str, format: str) -> None:
    found = derivation(problem)
    key, *others = ({count: part.left for count, part in lines(format, written(found, format, view=view)).items()} for view in VIEWS)
    assert len(key) > 5 and all(other == key for other in others)


# --- formulas that others read ----------------------------------------------------------------------------------------

KATEX = """
const katex = require(process.argv[1] + "/katex");
const formulas = JSON.parse(require("fs").readFileSync(0, "utf8"));
const wrong = {};
for (const [formula, displayMode] of formulas)
  try { katex.renderToString(formula, {displayMode, strict: "error", throwOnError: true, trust: false}); }
  catch (error) { wrong[formula] = String(error); }
console.log(JSON.stringify(wrong));
"""


def refused(wanted: set[tuple[str, bool]]) -> dict[str, str]:
    """The formulas (and whether they are displayed) that KaTeX does not take, with its reasons."""
    modules = Path(os.environ.get("HANDCALC_NODE_MODULES", "node_modules")).absolute()
    if not (modules / "katex").is_dir():
        pytest.skip("katex is not installed: npm install katex, or name its node_modules in HANDCALC_NODE_MODULES")
    try:
        asked = json.dumps(sorted(wanted))
        done = subprocess.run(["node", "-e", KATEX, str(modules)], input=asked.encode(), capture_output=True, check=True)
    except FileNotFoundError:
        pytest.skip("node is not installed")
    answered = json.loads(done.stdout)
    assert isinstance(answered, dict)
    return answered


def spelled(format: str, text: str) -> Iterator[tuple[str, bool]]:
    """Every formula of a report, and whether it is displayed."""
    for formula in formulas(format, text):
        yield (f"\\begin{{align*}}{formula}\\end{{align*}}" if "&" in formula and "aligned" not in formula and "matrix" not in formula else formula), True
    rest = re.sub(r"```math\n.*?\n```|\$\$\n.*?\n\$\$|\\\$|</?span>", "", sources(format, text), flags=re.DOTALL)
    yield from ((formula, False) for formula in re.findall(r"\$([^$\n]+)\$", rest))


@pytest.mark.slow
def test_katex_takes_every_formula() -> None:
    """In the strict mode, and so do VS Code and others that use it; with notations, languages, views and forms of all kinds."""
    wanted: set[tuple[str, bool]] = set()
    for problem in shipped():
        found = derivation(problem)
        for place, notation in enumerate(NOTATION_NAMES):
            style: dict[str, Any] = {"notation": notation, "form": ("scalar", "both")[place % 2], "comma": place % 3 == 0, "pictures": False}
            view, language = list(VIEWS)[place % len(VIEWS)], ("en", "zh")[place % 2]
            for format in ("markdown", "notebook") if place % 4 else ("latex",):
                wanted.update(spelled(format, written(found, format, language, view=view, **style)))
    for text in HOSTILE:
        wanted.update(spelled("markdown", written(hostile_problem(text), "markdown")))
    assert len(wanted) > 5000
    assert not refused(wanted)


@pytest.mark.slow
def test_katex_refuses_what_is_wrong() -> None:
    assert {*refused({(r"\frac{1}", True), ("中", False), ("a_1", False), ("é", True)})} == {r"\frac{1}", "中", "é"}
