"""LaTeX, Markdown and CSV: what is the user's stays text, every formula is well formed, every number is the solution's."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from exports import HOSTILE, blocks_of, derivation, handmade, hostile_problem, written
from markdown_it import MarkdownIt  # comes with rich
from shipping import EACH, KINDS, some

from handcalc.cli import main
from handcalc.core.expr import Ref, add, call, div, mul, number, power
from handcalc.core.rounding import Rounding, Shown
from handcalc.deriving import derive
from handcalc.errors import printable
from handcalc.loading.loader import loads, shipped
from handcalc.render import read, render
from handcalc.render.blocks import Equation, Grid, Name, Numeric, Plain, Symbolic, Whole
from handcalc.render.dialects import UNICODE, shown, symbol
from handcalc.render.formats import latex
from handcalc.render.formats.csvform import harmless
from handcalc.render.formats.markdown import escaped
from handcalc.render.formats.maths import LINE_WIDTH, width
from handcalc.render.printer import Printer
from handcalc.render.report import FORMATS, LONGEST_SUM
from handcalc.render.symbols import Derivative, Symbol, typed
from handcalc.render.typeset import LATEX, latex_text

NOTATIONS = ("zhou", "mazur", "ng")


def documents(problem: str, notation: str, format: str, form: str = "both") -> str:
    return written(derivation(problem), format, notation=notation, form=form, pictures=False, numbers=False)


# --- well formed ------------------------------------------------------------------------------------------------------

_ENVIRONMENTS = r"\\(begin|end)\{(\w+\*?)\}"


def faults(text: str) -> Iterator[str]:
    """What TeX would complain about: braces, \\left and \\right, environments, two powers of one base."""
    plain = re.sub(r"\\[\\{}$&#%_]", "", text)
    depth = 0
    for letter in plain:
        depth += (letter == "{") - (letter == "}")
        if depth < 0:
            break
    if depth:
        yield "braces"
    open_brackets = 0
    for side in re.findall(r"\\(left|right)(?![a-z])", plain):
        open_brackets += 1 if side == "left" else -1
        if open_brackets < 0:
            break
    if open_brackets:
        yield "brackets"
    open_environments: list[str] = []
    for side, name in re.findall(_ENVIRONMENTS, plain):
        if side == "begin":
            open_environments.append(name)
        elif not open_environments or open_environments.pop() != name:
            yield f"end of {name}"
    yield from open_environments
    simple = re.sub(r"\{[^{}]*\}", "{}", plain)
    while (simpler := re.sub(r"\{[^{}]+\}", "{}", simple)) != simple:
        simple = simpler
    if re.search(r"\^\{\}(_\{\})?\^|_\{\}(\^\{\})?_|\^\^|\^$", simple):
        yield "two powers or indices of one base"


@pytest.mark.parametrize(
    "text", ["{", "}{", r"\left(", r"\right)\left(", r"\begin{a}", "a^{2}^{3}", "a_{1}^{b}_{2}", r"\frac{a^{b}^{c}}{d}"]
)
def test_faults_are_found(text: str) -> None:
    assert list(faults(text))


def test_good_formulas_have_no_faults() -> None:
    assert not list(faults(r"\left(a_{1}^{b^{c}}\right)^{2} + \{ + \frac{x^{2}}{y_{3}}"))


@pytest.mark.parametrize("notation", NOTATIONS)
@pytest.mark.parametrize("problem", EACH)
def test_every_formula_is_well_formed(problem: str, notation: str) -> None:
    found = derivation(problem)
    reading = read(found, notation, LATEX)
    bad = []
    for quantity in found.graph:
        general = reading.general(quantity)
        texts = [reading.symbolic(general)] if general is not None else []
        for place in found.graph.positions(quantity.name):
            wanted = (quantity.name, place)
            formula = reading.formula(wanted)
            texts += [reading.symbol(Ref(*wanted)), reading.number(wanted)]
            texts += [reading.symbolic(formula), reading.numeric(formula)] if formula is not None else []
        bad += [(text, fault) for text in texts for fault in (*faults(text), *(["bar"] if "|" in text or "<" in text else []))]
    assert not bad


@pytest.mark.parametrize("problem", EACH)
def test_documents_are_well_formed(problem: str) -> None:
    text = documents(problem, "", "latex")
    assert not list(faults(text))
    assert ("ctex" in text) == bool(re.search("[一-龥]", text))
    assert text.startswith("\\documentclass[a4paper,fleqn]{article}\n") and text.endswith("\\end{document}\n")
    assert {*re.findall(r"\\usepackage\{(.*)\}", text)} - {"ctex"} == {"amsmath", "booktabs", "dcolumn"}
    markdown = documents(problem, "", "markdown")
    for block in re.findall(r"^\$\$\n(.*?)\n\$\$$", markdown, re.DOTALL | re.MULTILINE):
        assert not list(faults(block)) and "operatorname" not in block
    rest = re.sub(r"^\$\$\n(.*?)\n\$\$$", "", markdown, flags=re.DOTALL | re.MULTILINE).replace(r"\$", "")
    assert all(line.count("$") % 2 == 0 for line in rest.split("\n"))
    rows = [line for line in rest.split("\n") if line.startswith("|")]
    assert rows and "<" not in markdown


def test_unicode_leaves_latex() -> None:
    """A plain engine has no Greek letters outside formulas."""
    for problem in ("mazur-2-2-2", "zhou-four-people", "xigua-thresholds"):
        for notation in NOTATIONS:
            left = {letter for letter in documents(problem, notation, "latex") if not letter.isascii()}
            assert all(letter >= "\u2e80" for letter in left), left


# --- spelling ---------------------------------------------------------------------------------------------------------

SPELLINGS = {
    "w_{5}": Symbol("w", "5"),
    r"\mathrm{net}_{h1}": Symbol("net", "h1"),
    r"\delta_{kj}^{(l)}": Symbol("δ", "kj", "(l)"),
    r"\Delta w_{1}": Symbol("Δw", "1"),
    r"a_{1}^{(2)+}": Symbol("a", "1", "(2)", "+"),
    r"h_{1}^{\prime}": typed("h_1'"),
    r"\delta_{k^{\prime}}": Symbol("δ", "k'"),
    r"x_{i^{\prime \prime}}": Symbol("x", "i''"),
    r"\mathrm{in}_{\mathrm{a\_b}}": typed("in_a_b"),
    r"\text{权重}_{1}": typed("权重1"),
    r"\hat{y}_{1}[\mathrm{Bob}]": Symbol("ŷ", "1", sample="Bob"),
    r"x[\text{\#1 \textless{}b\textgreater{}}]": Symbol("x", sample="#1 <b>"),
    r"\frac{\partial E}{\partial w_{5}}": Derivative(Symbol("E"), Symbol("w", "5")),
    r"\frac{\partial E}{\partial b}\big\vert_{o_{1}}": Derivative(Symbol("E"), Symbol("b"), Symbol("o", "1")),
}


@pytest.mark.parametrize("spelled", SPELLINGS)
def test_symbols(spelled: str) -> None:
    assert symbol(SPELLINGS[spelled], LATEX) == spelled


def test_numbers() -> None:
    assert shown(Shown("1.2", -4), LATEX) == r"1.2 \times 10^{-4}"
    assert shown(Shown("-0.5"), LATEX, comma=True) == "-0{,}5"
    assert shown(Shown("-1/3"), LATEX) == r"-\frac{1}{3}"
    assert shown(Shown("2e-05"), LATEX) == r"2 \times 10^{-5}"


def test_brackets_only_where_needed() -> None:
    numbers = {"a": r"a^{(2)}", "b": r"1.2 \times 10^{-4}", "c": "c", "d": "-0.5"}
    printer = Printer(LATEX, lambda ref: numbers[ref.quantity])
    a, b, c, d = (Ref(name) for name in "abcd")
    assert printer.text(div(c, mul(c, d))) == r"\frac{c}{c \cdot (-0.5)}"
    assert printer.text(power(a, number(2))) == r"\left(a^{(2)}\right)^{2}"
    assert printer.text(power(b, number(2))) == r"\left(1.2 \times 10^{-4}\right)^{2}"
    assert printer.text(power(c, number(2))) == "c^{2}"
    assert printer.text(power(d, number(2))) == "(-0.5)^{2}"
    assert printer.text(power(div(a, c), number(2))) == r"\left(\frac{a^{(2)}}{c}\right)^{2}"
    assert printer.text(power(call("exp", c), number(2))) == r"\left(e^{c}\right)^{2}"
    assert printer.text(mul(c, div(a, c))) == r"c \cdot \frac{a^{(2)}}{c}"


def test_a_power_of_ten_is_bracketed_in_unicode_too() -> None:
    """1.2×10⁻⁴² would be another number."""
    assert Printer(UNICODE, lambda ref: "1.2×10⁻⁴").text(power(Ref("a"), number(2))) == "(1.2×10⁻⁴)²"


# --- hostile texts ----------------------------------------------------------------------------------------------------


KNOWN = {
    *re.findall(
        r"\w+",
        """
    documentclass usepackage setlength parindent parskip setcounter allowdisplaybreaks begin end section subsection subsubsection
    toprule midrule bottomrule textbackslash textasciicircum textasciitilde textless textgreater textbar textendash ldots text mathrm
    frac partial cdot approx sigma eta sum left right Bigl Bigr Delta delta big vert quad times
    """,
    )
}


def commands(latex: str) -> set[str]:
    return {*re.findall(r"\\([A-Za-z]+)", latex.replace("\\\\", ""))}


@pytest.mark.parametrize("only", [("given",), pytest.param((), marks=pytest.mark.slow)], ids=["what is given", "all"])
@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::9]))
def test_hostile_texts_stay_text(text: str, only: tuple[str, ...]) -> None:
    found = hostile_problem(text)
    for format in FORMATS.values():
        if not format.binary and format.name != "json":
            assert all(letter.isprintable() or letter == "\n" for letter in written(found, format.name, only=only)), format.name
    latex, usual = (written(problem, "latex", only=only) for problem in (found, hostile_problem("harmless")))
    assert rf"\section*{{{latex_text(text)}}}" in latex
    assert commands(latex) <= commands(usual) | KNOWN
    assert not list(faults(latex)) and latex.count(r"\end{document}") == 1 and "^^" not in latex
    for mark in "%#":
        assert re.sub(rf"\\{mark}", "", latex).count(mark) == usual.count(mark)
    assert not re.search(r"\\\\\s*[\[*]", latex)
    check_markdown(written(found, "markdown", only=only), text)
    check_csv(written(found, "csv", only=only))


def check_markdown(written: str, text: str) -> None:
    """Read by another program, it is a heading, paragraphs, tables and code, and the heading is the title."""
    tokens = MarkdownIt().enable("table").parse(written)
    kinds = {token.type.removesuffix("_open").removesuffix("_close") for token in tokens}
    assert kinds <= {"heading", "paragraph", "inline", "table", "thead", "tbody", "tr", "th", "td", "fence"}
    title = next(token for token in tokens if token.type == "inline")
    assert {child.type for child in title.children or []} <= {"text", "text_special"}
    assert "".join(child.content for child in title.children or []) == printable(text).strip()
    assert "<" not in written


def check_csv(written: str) -> None:
    for row in csv.reader(io.StringIO(written)):
        assert all(not cell.startswith(tuple("=+-@\t\r")) or re.fullmatch(r"[-+][\d.,/e+-]+", cell) for cell in row), row


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_words_in_every_kind_of_block(text: str) -> None:
    """Also where this program's own problems have no words of the user's."""
    latex, markdown = (handmade(blocks_of(text), format) for format in ("latex", "markdown"))
    assert not list(faults(latex)) and commands(latex) <= commands(handmade(blocks_of("harmless"), "latex")) | KNOWN
    assert "2 more rows" in latex and "3 more columns" in markdown
    assert sum(line.startswith("|") for line in markdown.split("\n")) == 3 and markdown.count("$$\n") == 4
    table = next(part for part in markdown.split("\n\n") if part.startswith("| "))
    assert all(len(re.findall(r"(?<!\\)\|", line)) == 3 for line in table.split("\n"))


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_names_in_symbols_are_text(text: str) -> None:
    for name in (typed(text), Symbol("w", text), Symbol("w", "1", text), Symbol("w", sample=text), Derivative(Symbol("E"), typed(text))):
        spelled = symbol(name, LATEX)
        assert not list(faults(spelled)) and commands(spelled) <= KNOWN | {"prime"}, spelled
        assert spelled.isprintable() and "|" not in spelled and "<" not in spelled


def test_words_are_escaped() -> None:
    assert latex_text(r"a_b%&#{}~^\ $") == r"a\_b\%\&\#\{\}\textasciitilde{}\textasciicircum{}\textbackslash{} \$"
    assert latex_text("−∂E/∂δ ≈ --") == r"$-$$\partial$E/$\partial$$\delta$ $\approx$ -{}-"
    assert escaped("<a> *b* {c} | $d$") == r"&lt;a&gt; \*b\* \{c\} \| \$d\$"
    assert [harmless(text) for text in ("=1", "-x", "-0.5", "-1.2e-05", "-0,5", "@a", "＝1", "a\n")] == [
        "'=1", "'-x", "-0.5", "-1.2e-05", "-0,5", "'@a", "'＝1", r"a\u000a",
    ]  # fmt: skip


# --- lines and tables -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", ["zhou-four-people", "conv-pool-dense", "gomez-lstm"])
def test_long_equations_are_broken(problem: str) -> None:
    text = documents(problem, "", "latex", "scalar")
    aligned = re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end", text, re.DOTALL)
    assert aligned and all(line.count("&") == 1 for block in aligned for line in block.split(" \\\\\n"))
    single = re.findall(r"\\\[\n(.*?)\n\\\]", text, re.DOTALL)
    assert single and max(map(width, single)) <= latex.LINE_WIDTH + 1  # and the room before it


def test_a_long_sum_is_broken_at_its_terms() -> None:
    terms = [Ref("W1", (0, 0)), Ref("W1", (0, 1)), Ref("W2", (0, 0))] * 12
    total = add(*(mul(term, term) for term in terms))
    latex = handmade([Equation(Name(Ref("rate")), (("=", Symbolic(total)), ("≈", Numeric(total))))], "latex", detail="full")
    assert latex.count(r"&\quad {}+ ") > 4 and not list(faults(latex))
    assert max(map(width, latex.split("\n"))) < 2 * LINE_WIDTH
    inside = mul(number(2), power(total, number(2)))
    latex = handmade([Equation(Name(Ref("rate")), (("=", Symbolic(inside)),))], "latex", notation="nielsen", detail="full")
    assert r"\left(" not in latex and latex.count(r"\Bigl(") == 1 and latex.count(r"&\quad {}+ ") > 4 and not list(faults(latex))


def test_a_longer_sum_is_shortened_where_not_everything_is_wanted() -> None:
    total = add(*(Ref("W1", (place % 2, place // 2 % 2)) for place in range(LONGEST_SUM + 1)))
    latex = handmade([Equation(Name(Ref("rate")), (("=", Symbolic(total)),))], "latex")
    assert latex.count("w_{") == 5 and r"+ \cdots +" in latex and not list(faults(latex))


def test_matrices() -> None:
    cell = Plain("1")
    parts = (Whole("W1"), "ᵀ", "⊙", Whole("x"), "^", cell, "≈", ((cell, cell), (cell, cell)))
    latex = handmade([Grid(parts)], "latex", notation="nielsen")
    assert r"^{\mathsf{T}} \odot " in latex and r"{a^{1}}^{1} \approx \begin{pmatrix} 1 & 1 \\ 1 & 1 \end{pmatrix}" in latex


# --- numbers ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(shipped(), KINDS[::3]))
def test_the_csv_has_the_numbers_of_the_json(problem: str) -> None:
    found = derivation(problem)
    steps: list[dict[str, Any]] = json.loads(written(found, "json"))["steps"]
    table = written(found, "csv")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["shown"] for row in rows] == [step["shown"] for step in steps]
    assert [float(row["value"]) for row in rows] == [step["value"] for step in steps]
    assert [row["id"].removeprefix("'") for row in rows] == [step["id"] for step in steps]
    assert [row["formula"].removeprefix("'") for row in rows] == [step["formula"] or "" for step in steps]
    assert "\r" not in table
    check_csv(table)


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format", ["latex", "markdown", "csv"])
def test_solve_writes_them(format: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "out"
    with pytest.raises(SystemExit) as ended:
        main(["solve", "mazur-2-2-2", "--format", format, "-o", str(file)])
    assert ended.value.code == 0 and not capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["solve", "mazur-2-2-2", "--format", format])
    printed = capsys.readouterr().out
    assert printed == render(derivation("mazur-2-2-2"), format)
    drawings = [f"![Drawing of the network](out-drawing-{number}.svg)\n\n" for number in (1, 2)] if format == "markdown" else []
    kept = file.read_text("utf-8")
    assert all(drawing in kept for drawing in drawings)
    for drawing in drawings:
        kept = kept.replace(drawing, "")
    assert printed == kept and len(list(tmp_path.iterdir())) == 1 + len(drawings)


@pytest.mark.parametrize("format", ["latex", "markdown", "csv"])
def test_only_one_step(format: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["solve", "mazur-2-2-2", "--format", format, "--only", "net.h1", "--decimal-comma"])
    printed = capsys.readouterr().out
    assert ended.value.code == 0 and len(printed.split("\n")) < 33
    assert ("0,3775" if format == "csv" else "0{,}3775") in printed


def test_rounding_in_fractions() -> None:
    """Fractions are set as such."""
    found = derive(loads(shipped()["tiny-linear-neuron"].read_text("utf-8"), "tiny"), Rounding(exact=True))
    assert not list(faults(render(found, "latex")))
