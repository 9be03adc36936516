"""Laws over all exporters: every number is the JSON's, a worksheet gives nothing away, hostile texts stay text, same bytes."""

from __future__ import annotations

import base64
import csv
import io
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from exports import (
    HOSTILE,
    NUMBERED,
    TABULAR,
    Line,
    blocks_of,
    derivation,
    filled,
    formulas,
    handmade,
    hostile_problem,
    line,
    lines,
    number,
    plain,
    sources,
    tables,
    written,
)
from markdown_it import MarkdownIt
from shipping import EACH, in_turn, some

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Number
from handcalc.core.rounding import Rounding
from handcalc.errors import printable
from handcalc.loading.loader import shipped
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render.blocks import Equation, Table, Value
from handcalc.render.report import FORMATS, Chapter, Style, dialect_of, export
from handcalc.render.views import VIEWS

READ, TABLES = tuple(NUMBERED), tuple(TABULAR)  # formats whose lines and tables are read back
OTHERWISE = {"html", "slides", "svg"}  # documents that are read in tests of their own
TEXT = [format.name for format in FORMATS.values() if not format.binary]
SOME = ("mazur-2-2-2", "zhou-four-people", "xigua-thresholds", "micrograd-readme")
PROBLEMS = some(shipped(), SOME)


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


def test_every_document_is_read_back() -> None:
    assert {*READ} | OTHERWISE == {format.name for format in FORMATS.values() if format.document and not format.binary}


LINES = {
    "markdown": "$$\na = 1 \\tag{1}\n$$\n\n```math\nb = c\n```\n\n$$\n\\begin{aligned}\nd &= e \\\\\n&= 2\n\\end{aligned} \\tag{2}\n$$",
    "latex": "\\[\n  a = 1 \\tag{1}\n\\]\n\\[\n  b = c\n\\]\n\\begin{align*}\n  d &= e \\tag{2} \\\\\n  &= 2\n\\end{align*}",
    "notebook": json.dumps(
        {"cells": [{"cell_type": "markdown", "source": ["$$\n", "a = 1 \\tag{1}\n", "$$\n", "\n", "$$\n", "d = 2 \\tag{2}\n", "$$"]}]}
    ),
    "plain": "(1)    a = 1\n\nb = c\n  (2)    d = e\n         = 2\n",
    "typst": '#worked(1, 0, "a = $3$", $a$, ($= 1$,))\n#worked(none, 0, "b", $b$, ($= c$,))\n'
    '#worked(2, 1, "d (", $d_("h$1")$, ($= e$,), ($=$, $2$,))',
}


@pytest.mark.parametrize("format", LINES)
def test_lines_are_read_back(format: str) -> None:
    found = lines(format, LINES[format])
    assert {count: part.number for count, part in found.items()} == {1: "1", 2: "2"} and found[1].left == "a" and found[2].left[0] == "d"


CELLS = {
    "markdown": "| a | $b$ |\n| --- | ---: |\n| x\\|y | $0{,}5$ |\n",
    "latex": "\\begin{tabular}{ld{1.2}}\n\\toprule\na & $b$ \\\\\n\\midrule\nx\\&y & 0,5\\tall \\\\\n\\bottomrule\n\\end{tabular}",
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
    worked = {block.number: block for block in part.blocks() if isinstance(block, Equation) and block.number}
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
@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_number_is_that_of_the_json(problem: str, format: str) -> None:
    check_numbers(derivation(problem), format)


STYLES: dict[str, dict[str, Any]] = {
    "zh-comma": {"language": "zh", "comma": True},
    "nielsen-full": {"notation": "nielsen", "detail": "full"},
    "zhou-both": {"notation": "zhou", "form": "both"},
    "ng-brief": {"notation": "ng", "detail": "brief"},
}


@pytest.mark.slow
@pytest.mark.parametrize(("problem", "format", "style"), in_turn(len(STYLES), EACH, READ, [*STYLES]))
def test_every_number_is_that_of_the_json_in_every_style(problem: str, format: str, style: str) -> None:
    rounding = {"zh-comma": Rounding(decimals=4, significant=None), "ng-brief": Rounding(exact=True)}.get(style)
    check_numbers(derivation(problem, 2, rounding), format, **STYLES[style])


# --- a worksheet gives nothing away -----------------------------------------------------------------------------------

DOCUMENTS = [format.name for format in FORMATS.values() if format.document and not format.binary]
WITHHELD = [view for view in VIEWS if view != "key"]


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
    text = re.sub(r"data:font/woff2;base64,[A-Za-z0-9+/=]+", "", text)  # letters, no numbers
    images = (base64.b64decode(data).decode() for data in re.findall(r"base64,([A-Za-z0-9+/=]+)", text))
    whole = "\n".join([text, *images])
    whole = re.sub(r'(<(?:path|rect|circle|line|svg|g|text|tspan)\b[^>]*?)(?: (?:[a-z-]+)=\\?"[^">]*")*', r"\1", whole)
    return {*re.findall(r"\d+(?:\.\d+)?", plain(whole))}


@pytest.mark.parametrize(("problem", "format", "view"), in_turn(len(WITHHELD), some(shipped(), SOME[:1]), DOCUMENTS, WITHHELD))
def test_a_worksheet_gives_nothing_away(problem: str, format: str, view: str) -> None:
    found = derivation(problem)
    assert not secrets(found) & seen(format, written(found, format, view=view))


@pytest.mark.parametrize("format", DOCUMENTS)
def test_what_is_given_away_is_found(format: str) -> None:
    found = derivation("mazur-2-2-2")
    assert len(secrets(found) & seen(format, written(found, format))) > 20


@pytest.mark.slow
def test_a_later_iteration_gives_nothing_away() -> None:
    """Its parameters are results, though they are given for it."""
    found = derivation("mazur-2-2-2", 2)
    assert {"0.358916"} <= secrets(found)
    for format in DOCUMENTS:
        text = written(found, format, view="formulas", form="both", detail="full")
        assert not secrets(found) & seen(format, text), format


@pytest.mark.parametrize(("problem", "format", "view"), in_turn(len(WITHHELD), some(shipped(), SOME[:1]), READ, WITHHELD))
def test_a_line_has_the_same_number_in_every_view(problem: str, format: str, view: str) -> None:
    """As in the key."""
    found = derivation(problem)
    texts = (written(found, format, view=one, pictures=False) for one in ("key", view))
    key, other = ({count: part.left for count, part in lines(format, text).items()} for text in texts)
    assert len(key) > 1 and other == key


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
        several = "\\\\\n" in formula and "aligned" not in formula
        yield (f"\\begin{{align*}}{formula}\\end{{align*}}" if several else formula), True
    rest = re.sub(r"```math\n.*?\n```|\$\$\n.*?\n\$\$|\\\$|</?span>", "", sources(format, text), flags=re.DOTALL)
    yield from ((formula, False) for formula in re.findall(r"\$([^$\n]+)\$", rest))


@pytest.mark.slow
def test_katex_takes_every_formula() -> None:
    """In the strict mode, and so do VS Code and others that use it; with notations, languages, views and forms of all kinds: every problem
    in every notation, and in every format, which take turns."""
    wanted: set[tuple[str, bool]] = set()
    formats = ("markdown", "notebook", "latex")
    for row, problem in enumerate(shipped()):
        found = derivation(problem)
        for place, notation in enumerate(NOTATION_NAMES):
            form, view, language = ("scalar", "both")[place % 2], [*VIEWS][place % len(VIEWS)], ("en", "zh")[place % 2]
            style, format = Style(notation, place % 3 == 0, form=form, view=view, pictures=False), formats[(row + place) % len(formats)]
            content = export((found,), format, style, language).content
            assert isinstance(content, str)
            wanted.update(spelled(format, content))
    for text in HOSTILE:
        wanted.update(spelled("markdown", written(hostile_problem(text), "markdown") + handmade(blocks_of(text), "markdown")))
    assert len(wanted) > 5000
    assert not refused(wanted)


@pytest.mark.slow
def test_katex_refuses_what_is_wrong() -> None:
    assert {*refused({(r"\frac{1}", True), ("中", False), ("a_1", False), ("é", True)})} == {r"\frac{1}", "中", "é"}


# --- Markdown as GitHub reads it --------------------------------------------------------------------------------------

# what GitHub does not allow in formulas, or takes for something else before it sees a formula
REFUSED = r"\\(operatorname|def|newcommand|renewcommand|require|href|url|html\w*|style|class|unicode|color|begingroup|\\$)"


@pytest.mark.parametrize("form, view", [("both", "key"), ("scalar", "cloze")])
@pytest.mark.parametrize("problem", EACH)
def test_markdown_is_what_github_reads(problem: str, form: str, view: str) -> None:
    text = written(derivation(problem), "markdown", "zh", form=form, view=view, notation="zhou", fences=True)
    tokens = MarkdownIt().enable("table").parse(text)
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert kinds <= {"heading", "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td", "fence"}
    assert all(token.info == "math" and not re.search(REFUSED, token.content) for token in tokens if token.type == "fence")
    for token in tokens:
        if token.type == "inline":
            inside = re.findall(r"\$(?! )([^$]*[^ $])\$(?!\d)", token.content.replace(r"\$", ""))
            assert not any(re.search(REFUSED + "|[<>`|]", formula) for formula in inside)
            assert token.content.replace(r"\$", "").count("$") == 2 * len(inside)
            if not inside:
                assert {child.type for child in token.children or []} <= {"text", "text_special", "softbreak"}


# --- LaTeX as an engine reads it --------------------------------------------------------------------------------------

TOO_WIDE = 4.0  # points


def complaints(engine: str, text: str, folder: Path) -> list[str]:
    """What an engine says against a document: errors, missing letters, lines that are too wide."""
    if shutil.which(engine) is None:
        pytest.skip(f"{engine} is not installed")
    (folder / "report.tex").write_text(text, "utf-8")
    command = [engine, "-interaction=nonstopmode", "-no-shell-escape", "report.tex"]
    for _ in range(2):  # the second time with the table of contents
        done = subprocess.run(command, cwd=folder, capture_output=True, env={**os.environ, "max_print_line": "1000"})
    log = (folder / "report.log").read_text("utf-8", "replace")
    found = re.findall(r"^(?:!|Missing character|LaTeX Warning: (?!Label|There were|Font)).*", log, re.MULTILINE)
    for wide in re.finditer(r"^Overfull \\hbox \(([\d.]+)pt.*", log, re.MULTILINE):
        found += [wide[0]] if float(wide[1]) > TOO_WIDE else []
    return found if done.returncode == 0 or found else [f"exit code {done.returncode}"]


@pytest.mark.slow
def test_complaints_are_found(tmp_path: Path) -> None:
    text = "\\documentclass{article}\\begin{document}%s\\end{document}"
    assert not complaints("pdflatex", text % "a", tmp_path)
    for wrong in (r"\undefined", r"\noindent\hbox to 19cm{\hss}", "$"):
        assert complaints("pdflatex", text % wrong, tmp_path)


ENGLISH = ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy", "micrograd-readme", "fausett-bipolar", "han-kamber-3-2-1")
PRINTED: dict[str, tuple[str, str, tuple[str, ...], dict[str, Any]]] = {
    "key": ("pdflatex", "en", ENGLISH, {"form": "both"}),
    "worksheet": ("pdflatex", "en", ENGLISH, {"view": "worksheet", "form": "both"}),
    "full": ("pdflatex", "en", ENGLISH[:2], {"notation": "nielsen", "detail": "full", "form": "both"}),
    "formulas": ("pdflatex", "en", ENGLISH[:3], {"view": "formulas", "notation": "zhou"}),
    "cloze": ("pdflatex", "en", ENGLISH, {"view": "cloze", "notation": "ng", "form": "both"}),
    "chinese": ("xelatex", "zh", ("chinese-homework", "xigua-thresholds", "mazur-2-2-2"), {"comma": True, "form": "both"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PRINTED)
def test_latex_compiles(name: str, tmp_path: Path) -> None:
    engine, language, problems, style = PRINTED[name]
    iterations = 2 if name == "full" else 1
    text = written(tuple(derivation(problem, iterations) for problem in problems), "latex", language, **style)
    assert not complaints(engine, text, tmp_path)


@pytest.mark.slow
def test_all_problems_compile(tmp_path: Path) -> None:
    problems = tuple(derivation(problem) for problem in shipped())
    assert not complaints("xelatex", written(problems, "latex", pictures=False), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("words, engine", [("Żółć ąę «é» ñ ß đ", "pdflatex"), ("Обратное", "xelatex"), ("斎藤康毅 ゼロ", "xelatex")])
def test_letters_of_other_scripts_are_printed(words: str, engine: str, tmp_path: Path) -> None:
    document = handmade(blocks_of(words), "latex")
    assert isinstance(document, str) and not complaints(engine, document, tmp_path)


@pytest.mark.slow
def test_hostile_texts_compile(tmp_path: Path) -> None:
    """As titles, sources and in every kind of block; no command of theirs is run."""
    given = written(tuple(map(hostile_problem, HOSTILE)), "latex", only=("given",))
    assert not complaints("xelatex", given, tmp_path)
    document = handmade([block for text in HOSTILE for block in blocks_of(text)], "latex")
    assert isinstance(document, str) and not complaints("pdflatex", document, tmp_path)


# --- hostile texts in every format ------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Elements and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))


def shape(format: str, content: str | bytes) -> Any:
    """What a reader sees in a document besides its words; the same whatever the words are."""
    assert isinstance(content, str)
    if format == "html":
        tags = Tags()
        tags.feed(content)
        return tags.found
    if format == "svg":
        return [(element.tag, sorted(element.attrib)) for element in ElementTree.fromstring(content).iter()]
    if format == "notebook":
        return [(cell["cell_type"], len(cell["source"])) for cell in json.loads(content)["cells"]]
    if format == "typst":
        return re.findall(r"#[a-z.]+|\$", re.sub(r"\"(?:[^\"\\]|\\.)*\"", "", content, flags=re.DOTALL))
    if format == "csv":
        return [len(row) for row in csv.reader(io.StringIO(content))]
    if format == "json":
        return [sorted(step) for step in json.loads(content)["steps"]]
    return [len(line) > 0 for line in content.split("\n")]


@pytest.mark.parametrize("only", [("given",), pytest.param((), marks=pytest.mark.slow)], ids=["what is given", "all"])
@pytest.mark.parametrize("format", TEXT)
@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::9]))
def test_a_hostile_text_changes_no_more_than_another(text: str, format: str, only: tuple[str, ...]) -> None:
    """A title as long, of letters only, gives a document of the same shape."""
    harmless = "".join(letter if letter.isalnum() or letter in " ." else "x" for letter in printable(text))
    found, other = (written(hostile_problem(title), format, pictures=format == "svg", only=only) for title in (text, harmless))
    assert shape(format, found) == shape(format, other)
    if FORMATS[format].document and format != "svg":
        assert shape(format, handmade(blocks_of(text), format)) == shape(format, handmade(blocks_of(harmless), format))


@pytest.mark.slow
@pytest.mark.parametrize("format", [format.name for format in FORMATS.values() if format.binary])
def test_hostile_texts_in_files_of_bytes(format: str) -> None:
    pytest.importorskip(FORMATS[format].library)
    pytest.importorskip("typst")
    assert export(tuple(hostile_problem(text, "b_") for text in HOSTILE), format, Style(only=("given",))).content
    assert all(handmade(blocks_of(text), format) for text in HOSTILE)


# --- the same bytes ---------------------------------------------------------------------------------------------------

HASHES = """
import sys
from hashlib import sha256
from handcalc.deriving import derive
from handcalc.loading.loader import loads, shipped
from handcalc.render.report import Style, export
for format in sys.argv[1:]:
    names = ("mazur-2-2-2",) if format == "svg" else ("tiny-linear-neuron", "xigua-thresholds")
    problems = [derive(loads(shipped()[name].read_text("utf-8"), name)) for name in names]
    exported = export(problems, format, Style("zhou", form="both"), "zh", "name")
    print(format, sha256((exported.content + repr(exported.beside)).encode()).hexdigest())
"""


@pytest.mark.slow
def test_the_same_bytes_every_time() -> None:
    """In two processes that order sets in different ways, far from each other in the world."""
    found = []
    for seed, zone in (("1", "UTC"), ("2", "Asia/Shanghai")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": "C"}
        command = [sys.executable, "-c", HASHES, *TEXT]
        found.append(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.split("\n"))
    assert found[0] == found[1] and len(found[0]) == len(TEXT) + 1
