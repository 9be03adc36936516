"""The page: well formed, complete without scripts, from nowhere else; every number is the solution's, every text a text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from exports import HOSTILE, derivation, hostile_problem, written
from pages import Element, Page, data_of, number_in, opened, unpacked
from shipping import EACH, some
from test_javascript import NODE, needs_node

from handcalc.core.expr import Expr, Ref, add, div, mul, neg, number
from handcalc.core.order import PHASES
from handcalc.core.rounding import Rounding, Shown
from handcalc.deriving import derive
from handcalc.errors import Message, printable
from handcalc.language import translator
from handcalc.loading.loader import loads, shipped
from handcalc.render import read
from handcalc.render.blocks import Block, Equation, Grid, Heading, Paragraph, Plain, Symbolic, Table
from handcalc.render.dialects import symbol
from handcalc.render.formats import html
from handcalc.render.formats.html import embedded, scripts
from handcalc.render.formats.page import asset
from handcalc.render.formats.page.data import DECIMALS, EXPLAINED_LIMIT
from handcalc.render.formats.page.lean import lean, packed
from handcalc.render.formats.page.mathml import PageFormulas, broken, power_of_ten
from handcalc.render.formats.page.program import LiveProgram
from handcalc.render.givens import rounding_note
from handcalc.render.printer import Printer
from handcalc.render.report import Chapter, Report, Style, dialect_of
from handcalc.render.symbols import Derivative, Symbol, typed
from handcalc.render.typeset import MATHML
from handcalc.render.why import ends, uses

PROBLEMS = ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy", "xigua-thresholds", "micrograd-readme")
VIEWS = ("worksheet", "formulas", "cloze")


@cache
def text_of(
    problem: str, language: str = "en", view: str = "key", iterations: int = 1, form: str = "scalar", detail: str = "normal"
) -> str:
    return written(derivation(problem, iterations), "html", language, view=view, form=form, detail=detail)


@cache
def page(problem: str, view: str = "key", iterations: int = 1, form: str = "scalar", detail: str = "normal") -> Element:
    return Page(text_of(problem, "en", view, iterations, form, detail)).root


@cache
def shown(problem: str, iterations: int = 1) -> dict[str, str]:
    """Step → its number, as the JSON has it."""
    steps = json.loads(written(derivation(problem, iterations), "json"))["steps"]
    return {step["id"]: step["shown"] for step in steps}


# --- well formed ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(shipped(), ("xigua-thresholds",)))
def test_pages(problem: str) -> None:
    """Well formed, from nowhere else, and with the numbers of the solution: in formulas, tables, drawings, and lines of explanations."""
    text = text_of(problem, form="both")
    found = page(problem, form="both")
    check_markup(opened(text), found)
    check_sources(text, found)
    wanted = shown(problem)
    numbers = found.all(data_cell="")
    assert len(numbers) > 10
    wrong = [
        (number.attributes["data-cell"], number_in(number))
        for number in numbers
        if number_in(number) != wanted[number.attributes["data-cell"]]
    ]
    assert not wrong


def check_markup(text: str, found: Element) -> None:
    """MathML and SVG are XML; every id is there once, every link leads to one; tables are tables."""
    parts = re.findall(r"<math\b.*?</math>|<svg\b.*?</svg>", text, re.DOTALL)
    assert len(parts) > 20
    for part in parts:
        ElementTree.fromstring(part)
    names = [element.attributes["id"] for element in found.all(id="")]
    assert len(set(names)) == len(names) and all(name and not re.search(r"\s", name) for name in names)
    assert {link.attributes["href"] for link in found.all("a")} <= {"#" + name for name in names}
    assert len(found.all("main")) == len(found.all("h1")) == len(found.all("nav")) == 1
    assert all(table.all("thead") and table.all("th", scope="col") for table in found.all("table"))
    rows = [[cell for cell in row.inside if isinstance(cell, Element)] for row in found.all("tr")]
    assert rows and all(rows)


def check_sources(text: str, found: Element) -> None:
    """Nothing is loaded, nothing has a style or a script of its own."""
    for element in found:
        for name, value in element.attributes.items():
            assert name not in ("style", "srcset", "action", "background") and not name.startswith("on"), name
            assert name not in ("src", "href", "xlink:href", "data") or value.startswith("#"), value
    assert {element.tag for element in found}.isdisjoint({"link", "img", "iframe", "object", "embed", "base", "form", "image", "use"})
    assert set(re.findall(r"https?://[^\"'\s<]*", re.sub(r"<(title|p|h1|text)\b.*?</\1>|<svg [^>]*>", "", text, flags=re.DOTALL))) <= {
        "http://www.w3.org/1998/Math/MathML",
        "http://www.w3.org/2000/svg",
    }


def test_the_policy_allows_its_own_style_and_script_only() -> None:
    found = page("mazur-2-2-2")
    (policy,) = (meta.attributes["content"] for meta in found.all("meta") if meta.attributes.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules["default-src"] == rules["base-uri"] == rules["form-action"] == "'none'"
    (style,) = found.all("style")
    (script,) = (script for script in found.all("script") if not script.attributes)
    (program,) = found.all("script", class_="program")
    assert len(found.all("script")) == 3
    for name, parts in (("style-src", (style,)), ("script-src", (script, program))):
        assert rules[name].split() == [f"'sha256-{b64encode(sha256(part.text.encode()).digest()).decode()}'" for part in parts]


def test_style_and_script_ask_for_nothing() -> None:
    """Texts are put in as texts, and nothing is evaluated or fetched."""
    assert not re.search(r"url\(|@import|https?:", asset("page.css"))
    assert set(re.findall(r"https?://[^\"'\s]*", scripts(True))) == {"http://www.w3.org/1998/Math/MathML", "http://www.w3.org/2000/svg"}
    script = scripts(True)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp|import\(", script)
    assert "</" not in script and "<!--" not in script and "</" not in asset("page.css")


def test_same_bytes() -> None:
    """Whatever the order of hashes is."""
    script = (
        "import sys; from exports import derivation, written; from hashlib import sha256\n"
        "for problem in ('zhou-four-people', 'micrograd-readme'): print(sha256(written(derivation(problem), 'html').encode()).hexdigest())"
    )
    folder = Path(__file__).parent
    found = {
        subprocess.run(
            [sys.executable, "-c", script],
            capture_output=True,
            text=True,
            check=True,
            cwd=folder,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1 and len(found.pop().split()) == 2


# --- complete ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[:1]))
def test_numbers_of_later_rounds(problem: str) -> None:
    wanted = shown(problem, 2)
    numbers = page(problem, iterations=2).all(data_cell="")
    assert any(number.attributes["data-cell"].startswith("#2:") for number in numbers) or not derivation(problem).updated
    assert all(number_in(number) == wanted[number.attributes["data-cell"]] for number in numbers)


@pytest.mark.parametrize("detail", some(["normal", "full"], ["normal"]))
@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[::2]))
def test_every_worked_line_is_there(problem: str, detail: str) -> None:
    """In order, with its id, its number, and its left side."""
    found = derivation(problem)
    chapter = Chapter(found, dialect_of("html"), Style(lines=True, detail=detail))
    wanted = [(found.step_id(*block.step), block.number) for block in chapter.blocks() if isinstance(block, Equation) and block.step]
    (text,) = page(problem, detail=detail).all("div", class_="text")
    lines = text.all("div", class_="step")
    assert len(lines) > 5
    assert [(line.attributes["data-step"], int(line.all("a", class_="place")[0].text.strip("()"))) for line in lines] == wanted
    assert all(line.attributes["id"] == "_".join(line.attributes["data-step"].split()) for line in lines)
    assert all(len(line.all(class_="left")) == 1 and line.all(class_="right")[0].all("span") for line in lines)


@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[::2]))
def test_every_other_block_is_there(problem: str) -> None:
    chapter = Chapter(derivation(problem), dialect_of("html"), Style(lines=True, form="both"))
    blocks = list(chapter.blocks())
    found = page(problem, form="both")
    assert sum(isinstance(block, Table) for block in blocks) <= len(found.all("table"))
    assert sum(isinstance(block, Grid) for block in blocks) == len(found.all(class_="grid"))
    assert sum(isinstance(block, Heading) for block in blocks) == len(found.all("main")[0].all(id="")) - 2 - len(found.all(class_="place"))
    texts = {element.text for element in found.all("p")}
    words = [block.text for block in blocks if isinstance(block, Paragraph) and isinstance(block.text, Message)]
    assert {word.text() for word in words if not any(isinstance(value, Symbolic) for value in word.values.values())} <= texts
    assert all(any(word.template.rpartition("}")[2] in text for text in texts) for word in words)


def test_points_stand_below_one_another() -> None:
    """Number and unseen digits together are equally long after the point in every column."""
    for problem in ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy"):
        for table in page(problem).all("table"):
            rows = [row.all("td", class_="number") for row in table.all("tr")[1:]]
            for column in zip(*rows):
                tails = [_tail(cell.text, cell.attributes.get("data-gap", "")) for cell in column]
                assert len(set(tails)) == 1, tails


def _tail(number: str, gap: str) -> tuple[int, bool, bool]:
    """How many digits there are after the point of a number and in its gap; whether there is a point, and a power of ten."""
    digits, power, _ = number.partition("×10")
    zeros, unseen, _ = gap.partition("\u205f×")
    assert not (power and unseen)
    return len(digits.partition(".")[2]) + zeros.count("0"), "." in digits + zeros, bool(power or unseen)


def test_a_power_of_ten_leaves_room_below_it() -> None:
    text = written(derivation("mazur-2-2-2", rounding=Rounding(decimals=2, significant=None)), "html")
    assert any("\u205f×\u205f10⁻" in cell.attributes.get("data-gap", "") for cell in Page(text).root.all("td"))
    assert any(number_in(cell).endswith("e-4") for cell in Page(text).root.all("td"))


def test_chinese_pages_are_chinese() -> None:
    text = text_of("chinese-homework", "zh")
    found = Page(text).root
    assert found.all("html")[0].attributes["lang"] == "zh"
    headings = [element.text for element in found if re.fullmatch(r"h[1-6]", element.tag)]
    assert len(headings) > 5 and not any(re.search(r"[A-Za-z]{3}", heading) for heading in headings)


def test_several_problems_are_chapters() -> None:
    """With contents first; ids of one are not those of another."""
    problems = ("mazur-2-2-2", "micrograd-readme", "mazur-2-2-2")
    found = Page(written(tuple(map(derivation, problems)), "html")).root
    chapters = found.all("article")
    links = [link.attributes["href"] for link in found.all("nav")[0].all("a")]
    assert links == ["#" + chapter.attributes["id"] for chapter in chapters] and len(chapters) == 3
    names = [element.attributes["id"] for element in found.all(id="")]
    assert len(set(names)) == len(names)
    assert len(found.all("h1")) == 1 and [len(chapter.all("h2")) for chapter in chapters] == [1, 1, 1]
    parts = [("aside", "panel"), ("script", "data"), ("script", "program")]
    assert all([len(chapter.all(tag, class_=kind)) for tag, kind in parts] == [1, 1, 1] for chapter in chapters)
    assert len(found.all("style")) == 1


def test_only_some_steps() -> None:
    """Single lines have no title, and still are gone through and explained."""
    found = Page(written(derivation("mazur-2-2-2"), "html", only=("net.h1", "out.h1", "net.h1"))).root
    lines = found.all("div", class_="text")[0].all("div", class_="step")
    assert [line.attributes["id"] for line in lines] == ["net.h1", "out.h1", "net.h1-2"]
    data = data_of(found)
    assert [data["ids"][step] for step in data["lines"]] == ["net.h1", "out.h1"] and not found.all("nav")


# --- where lines end --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("problem", EACH)
def test_breaking_a_formula_changes_nothing(problem: str) -> None:
    """The pieces together are the formula, and each is well formed."""
    found = derivation(problem)
    reading = read(found, "", MATHML)
    for step in found.steps():
        formula = reading.formula(step.cell)
        if formula is not None:
            whole = reading.symbolic(formula)
            pieces = re.findall(r"<math>(.*?)</math>", broken(whole), re.DOTALL)
            together = "".join(pieces)
            assert _loose(together) == _loose(whole)
            for piece in pieces:
                ElementTree.fromstring(f"<math>{piece}</math>")


def _loose(formula: str) -> str:
    """Without rows, which are opened where a line may end inside them, and without what a browser sees."""
    return re.sub(r"</?m(row|n|text)>| form=\"\w+\"", "", formula)


A, B, C = Ref("a"), Ref("b"), Ref("c")
BROKEN: dict[str, Expr] = {
    "a|+b|−c": add(A, B, neg(C)),
    "a·b|+c": add(mul(A, B), C),
    "a|·b|·c": mul(A, B, C),
    "[a|·b|·c]|+a": add(mul(A, B, C), A),
    "a|[·(b|+c)]": mul(A, add(B, C)),
    "a|[+2|[·(b|−c)]]": add(A, mul(number(2), add(B, neg(C)))),
    "ab+c": div(A, add(B, C)),
}


@pytest.mark.parametrize("wanted", BROKEN)
def test_lines_end_before_signs_and_factors(wanted: str) -> None:
    written = broken(Printer(MATHML, lambda ref: f"<mi>{ref.quantity}</mi>").text(BROKEN[wanted]))
    plain = written.replace("</math> <", "</math>|<").replace("</span> <", "</span>|<")
    plain = plain.replace("<span>", "[").replace("</span>", "]")
    assert re.sub(r"<[^>]*>", "", plain) == wanted


# --- without repetitions ----------------------------------------------------------------------------------------------

LEAN = {
    "<msub><mi>w</mi><mrow><mn>1</mn><mtext>,</mtext><mn>2</mn></mrow></msub>": "<msub><mi>w</mi><mtext>1,2</mtext></msub>",
    '<mi>a</mi><mo form="infix">+</mo><mi>b</mi>': "<mi>a</mi><mo>+</mo><mi>b</mi>",
    '<mo form="infix">+</mo><mi>b</mi>': '<mo form="infix">+</mo><mi>b</mi>',
    '<msqrt><mrow><mo form="prefix">−</mo><mi>b</mi></mrow></msqrt>': "<msqrt><mrow><mo>−</mo><mi>b</mi></mrow></msqrt>",
    '<mo>·</mo><mrow data-cell="x"><mn>0.5</mn></mrow>': '<mo>·</mo><mn data-cell="x">0.5</mn>',
    '<msup><mrow><mrow data-cell="x"><mn>0.5</mn></mrow></mrow><mn>2</mn></msup>': (
        '<msup><mrow><mn data-cell="x">0.5</mn></mrow><mn>2</mn></msup>'
    ),
    "<mfrac><mrow><msub><mi>a</mi><mi>i</mi></msub></mrow><mrow><mi>b</mi></mrow></mfrac>": (
        "<mfrac><msub><mi>a</mi><mi>i</mi></msub><mi>b</mi></mfrac>"
    ),
}


@pytest.mark.parametrize("formula", LEAN)
def test_lean_formulas(formula: str) -> None:
    assert lean(formula) == LEAN[formula]


@pytest.mark.parametrize("problem", some((*PROBLEMS, "gomez-lstm", "gan-discriminator"), PROBLEMS[:1]))
def test_lines_that_only_explanations_show_come_back(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of examples and of what differs from them, each is made as it was written."""
    lines: list[str] = []

    def noted(hidden: Iterator[str], examples: dict[str, str]) -> dict[str, Any]:
        lines.extend(hidden)
        return packed(lines, examples)

    monkeypatch.setattr(html, "packed", noted)
    root = Page(written(derivation(problem), "html")).root
    again = [line for template in root.all("template") for line in template.all("div", class_="step")]
    assert [*map(_tree, again)] == [_tree(Page(line).root.all("div")[0]) for line in lines]
    assert lines


def test_texts_that_look_like_packed_tags_come_back() -> None:
    line = '<div class="line"><b data-step="{|}">a|b {c| &lt;d&gt; } &amp; é</b></div>'
    for made in unpacked(packed([line, line], {}), {}):
        assert _tree(made) == _tree(Page(line).root.all("div")[0])


def _tree(element: Element) -> object:
    return element.tag, element.attributes, [part if isinstance(part, str) else _tree(part) for part in element.inside]


@pytest.mark.parametrize("problem", some(shipped(), ("small-gpt", "mazur-2-2-2")))
def test_pages_are_small(problem: str) -> None:
    assert len(text_of(problem).encode()) <= 400_000


def test_long_pages_have_everything_in_letters() -> None:
    """Every line, heading and table of a packed chapter stands in the page as it is without scripts; of two drawings, the one with more."""
    text = text_of("small-gpt")
    letters, whole = Page(text, packed=True).root, Page(text).root
    (body,) = letters.all("div", class_="plain")
    assert not body.all("math") and len(whole.all("math")) > 3000
    lines = [line.text for line in body.all("div", class_="line")]
    numbers = [line.text.split(")")[0] for line in whole.all("a", class_="place")]
    assert (
        [line.split(")")[0] for line in lines if line.startswith("(")] == numbers == [f"({place}" for place in range(1, len(numbers) + 1)]
    )
    terminal = written(derivation("small-gpt"), "terminal").splitlines()
    shown = {line.replace(" ", "") for line in terminal if re.search(r"\(\d+\) .* = .* ≈ .* ≈ \S+$", line)}
    assert len(shown) > 50 and shown <= {line.replace(" ", "") for line in lines}
    for tag in ("h2", "h3", "tr", "td"):
        assert len(body.all(tag)) == len(whole.all("div", class_="text")[0].all(tag)), tag


# --- views ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[:1]))
def test_blank_sheets_give_nothing_away(problem: str, view: str) -> None:
    """No computed number is in them, seen or unseen."""
    found = page(problem, view)
    graph = derivation(problem).graph
    for element in found.all(data_cell=""):
        cell = graph.find(element.attributes["data-cell"])
        assert cell is not None and graph.given_value(cell) is not None, element.attributes
    assert len(found.all(class_="blank")) >= len(found.all("div", class_="step")) > 5
    assert not found.all("template")
    if view == "worksheet":
        assert not found.all("script", class_="data") and not found.all(class_="panel")
    else:
        data = data_of(found)
        assert "phases" not in data and "numbers" not in data


def test_a_cloze_does_not_light_up_what_is_left_out() -> None:
    found = page("mazur-2-2-2", "cloze")
    data = data_of(found)
    inputs = {data["ids"][int(step)]: [data["ids"][used] for used in used] for step, used in data["uses"].items()}
    assert inputs["net.h1"] == ["w1", "w2", "i2", "b1"]  # i1 is the gap of line 1


# --- what the script reads --------------------------------------------------------------------------------------------


def explanations(data: dict[str, Any], folder: Path) -> dict[int, list[int]]:
    """What the script shows of each line and of everything drawn."""
    starts = sorted({*data["lines"], *data["elements"].values()})
    functions = asset("page.js").split("// --- what the object leaves out")[1].split("\n", 1)[1].split("// --- one chapter")[0]
    path = folder / "explained.js"
    path.write_text(
        f"{functions}\nconst data = {json.dumps(data)};\n"
        f"console.log(JSON.stringify({starts}.map((start) => [start, explained(data, start)]).filter(([, steps]) => steps)));",
        "utf-8",
    )
    assert NODE
    return dict(json.loads(subprocess.run([NODE, path], capture_output=True, text=True, check=True).stdout))


@needs_node
@pytest.mark.parametrize("problem", PROBLEMS)
def test_explanations(problem: str, tmp_path: Path) -> None:
    """Everything a step depends on comes before it, phase by phase, has a line on the page, and it comes last."""
    found = derivation(problem)
    whole = page(problem)
    data = data_of(whole)
    lines = {line.attributes["data-step"] for line in whole.all("div", class_="step")}
    drawn = {element.attributes["data-step"] for element in whole.all("figure")[-1].all("g", data_step="")}
    place = {step: number for number, step in enumerate(data["ids"])}
    phase_of = {step: name for name, steps in data["phases"].items() for step in steps}
    explained = {data["ids"][int(start)]: [data["ids"][step] for step in order] for start, order in explanations(data, tmp_path).items()}
    assert {data["ids"][step] for step in data["lines"]} <= set(explained) and drawn <= set(explained)
    reading = read(found)
    used = {step.id: {found.step_id(wanted) for wanted in uses(reading, step.cell)} for step in found.steps()}
    for start, order in explained.items():
        cell, _ = found.find(start)
        assert set(order) <= lines
        assert [order[-1]] == [found.step_id(end) for end in ends(found, cell)][-1:]
        phases = [found[step].phase for step in order]
        assert phases == sorted(phases, key=PHASES.index)
        assert [phase_of[place[step]] for step in order] == phases
        before: set[str] = set()
        for step in order:
            assert used[step] <= before, (start, step)
            before.add(step)
        needed = {found.step_id(end) for end in ends(found, cell)}
        for step in reversed(order):
            needed |= used[step] if step in needed else set()
        assert needed == set(order), start


@needs_node
def test_why_a_weight(tmp_path: Path) -> None:
    data = data_of(page("mazur-2-2-2"))
    order = [data["ids"][step] for step in explanations(data, tmp_path)[data["ids"].index("w1")]]
    assert order == [
        *("i1", "i2", "w1", "w2", "w3", "w4", "b1", "w5", "w6", "w7", "w8", "b2", "target.o1", "target.o2", "rate"),
        *("net.h1", "out.h1", "net.h2", "out.h2", "net.o1", "out.o1", "net.o2", "out.o2"),
        *("grad.out.o1", "local.out.o1", "grad.net.o1", "path.o1.h1", "grad.out.o2", "local.out.o2", "grad.net.o2", "path.o2.h1"),
        *("grad.out.h1", "local.out.h1", "grad.net.h1", "grad.w1", "new.w1"),
    ]


def test_elements_of_the_drawing() -> None:
    """Each step is shown at what is drawn of it."""
    data = data_of(page("mazur-2-2-2"))
    places = {data["ids"][int(step)]: data["ids"][element] for step, element in data["elements"].items()}
    wanted = {
        "net.h1": "out.h1", "out.h1": "out.h1", "grad.net.h1": "out.h1", "local.out.h1": "out.h1", "grad.out.h1": "out.h1",
        "path.o1.h1": "out.h1", "after.net.h1": "out.h1", "w5": "w5", "grad.w5": "w5", "new.w5": "w5", "b1": "b1", "grad.b1": "b1",
        "loss.o1": "target.o1", "after.loss.o1": "target.o1", "loss": "loss", "after.loss": "loss", "i1": "i1",
    }  # fmt: skip
    assert {step: places.get(step) for step in wanted} == wanted and "rate" not in places
    several = data_of(page("zhou-four-people"))
    places = {several["ids"][int(step)]: several["ids"][element] for step, element in several["elements"].items()}
    assert places["net.h1@Bob"] == "out.h1@Alice" and places["loss@Bob"] == places["loss.o1@Alice"] == "loss"
    graph = data_of(page("micrograd-readme"))
    places = {graph["ids"][int(step)]: graph["ids"][element] for step, element in graph["elements"].items()}
    assert places["grad.e1"] == places["e1"] == "e1"


@pytest.mark.parametrize("problem", some(shipped(), PROBLEMS[::2]))
def test_other_decimals_are_those_of_the_command(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The numbers and relations of every choice are those of the solution derived with it, in pages that have no program to say so."""
    assert not {"numbers", "program"} <= data_of(page(problem)).keys()
    monkeypatch.setattr(LiveProgram, "of", lambda _: None)
    found = derivation(problem)
    root = Page(written(found, "html")).root
    data = data_of(root)
    if found.rounding.carry:
        assert "numbers" not in data
        return
    own = found.rounding
    printed = {element.attributes["data-cell"]: number_in(element) for element in root.all(data_cell="")}
    texts = {data["ids"][int(step)]: numbers for step, numbers in data.get("numbers", {}).items()}
    for place, count in enumerate((None, *DECIMALS)):
        rounding = own if count is None else own.replace(decimals=count, significant=None, overrides=())
        other = derive(loads(shipped()[problem].read_text("utf-8"), problem), rounding)
        reading = read(other)
        wanted = {step.id: reading.shown(step.cell) for step in other.steps()}
        for name, own_number in printed.items():
            text = texts[name][place] if name in texts else "=" + own_number
            assert (text.removeprefix("="), text.startswith("=")) == (wanted[name].plain, wanted[name].exact)
        assert "notes" not in data or data["notes"][place] == rounding_note(other).text()


@pytest.mark.parametrize("problem", PROBLEMS)
def test_relations_say_what_decides_them(problem: str) -> None:
    found = derivation(problem)
    data = data_of(page(problem))
    inputs = {data["ids"][int(step)]: [data["ids"][used] for used in inputs] for step, inputs in data["uses"].items()}
    count = 0
    for line in page(problem).all("div", class_="step"):
        step = line.attributes["data-step"]
        for relation in line.all("mo", data_exact=""):
            decide = [step] if relation.attributes["data-exact"] == "result" else inputs.get(step, ())
            assert relation.text == ("=" if all(found[name].shown.exact for name in decide) else "≈"), step
            count += 1
    assert count > 20


def test_a_carried_rounding_is_chosen_by_the_program_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where results are rounded on the way, other decimals are another calculation."""
    rounding = Rounding(decimals=4, significant=None, carry=True)
    data = data_of(Page(written(derivation("mazur-2-2-2", rounding=rounding), "html")).root)
    assert data["program"]["carry"] and len(data["notes"]) == 1 + len(data["decimals"])
    monkeypatch.setattr(LiveProgram, "of", lambda _: None)
    found = Page(written(derivation("mazur-2-2-2", rounding=Rounding(decimals=4, significant=None, carry=True)), "html")).root
    assert {"numbers", "decimals", "program"}.isdisjoint(data_of(found)) and "phases" in data_of(found)


@needs_node
def test_large_networks_are_explained_by_the_lines_of_the_report(tmp_path: Path) -> None:
    matrix = [[round(0.01 * (row - column), 2) for column in range(12)] for row in range(12)]
    found = derive(
        loads(
            f"inputs: {[0.1] * 12}\ntargets: {[1] * 12}\nlayers:\n"
            + f"  - {{neurons: 12, activation: sigmoid, weights: {matrix}}}\n" * 2
            + "loss: half_squared_error\nlearning_rate: 0.5\n",
            "large",
        )
    )
    assert sum(1 for _ in found.steps()) > EXPLAINED_LIMIT
    text = written(found, "html")
    data = data_of(Page(text).root)
    assert "more" in data and len(text) < 2_000_000
    lines = set(data["lines"])
    assert all(len(set(order) - lines) <= 2 for order in explanations(data, tmp_path).values())


# --- hostile texts ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [("given",), pytest.param((), marks=pytest.mark.slow)], ids=["what is given", "all"])
@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_texts_stay_text(text: str, only: tuple[str, ...]) -> None:
    for view in ("key", "worksheet"):
        written_page = written(hostile_problem(text), "html", view=view, only=only)
        assert all(letter.isprintable() or letter in "\n\u2003\u205f" for letter in written_page)
        found = Page(written_page).root
        assert found.all("h1")[0].text == found.all("title")[0].text == printable(text)
        assert printable(text) in [paragraph.text.removeprefix("Source: ") for paragraph in found.all("p")]
        check_tags(found, 1)


KNOWN = {
    *re.findall(
        r"\w+",
        """
    html head meta title style body a header main article div p span nav ol li button aside details summary label input output section
    fieldset legend select option
    h1 h2 h3 h4 h5 table thead tbody tr th td figure template script math mrow mi mn mo mtext mfrac msup msub msubsup munder mover
    msqrt mspace mtable mtr mtd svg g path text tspan rect circle
    """,
    )
}


def check_tags(found: Element, chapters: int) -> None:
    """No more scripts than a page has, and no elements that it never has."""
    programs, data = len(found.all("script", class_="program")), len(found.all("script", class_="data"))
    assert len(found.all("script")) == 1 + data + programs and programs <= data <= chapters
    assert {element.tag for element in found} - {""} <= KNOWN


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_names_in_symbols_are_text(text: str) -> None:
    for name in (typed(text), Symbol("w", text), Symbol("w", "1", text), Symbol("w", sample=text), Derivative(Symbol("E"), typed(text))):
        spelled = symbol(name, MATHML)
        found = ElementTree.fromstring(f"<math>{spelled}</math>")
        assert {element.tag for element in found.iter()} <= {"math", "mrow", "mi", "mn", "mo", "mtext", "mfrac", "msub", "msup", "msubsup"}
        letters = re.sub(r"[\s′'_]", "", printable(text))
        assert letters in re.sub(r"[\s′'_]", "", "".join(found.itertext()))


@pytest.mark.parametrize("text", some(HOSTILE, HOSTILE[::4]))
def test_hostile_words_in_every_kind_of_block(text: str) -> None:
    """Also where this program's own problems have no words of the user's."""

    class Handmade(Chapter):
        def blocks(self) -> Iterator[Block]:
            yield Heading(3, Plain(text))
            yield Paragraph(Message("Source: {source}", source=text))
            yield Equation(Plain(text), (("=", Plain(text)),), label=Message("Source: {source}", source=text))
            yield Table((Plain(text), Plain("b")), ((Plain(text), Plain(text)),), omitted=2, hidden=3)
            yield Grid((Plain(text), "=", ((Plain(text), Plain("0")), (Plain(text), Plain("1")))))

    chapter = Handmade(derivation("mazur-2-2-2"), dialect_of("html"), Style(lines=True))
    whole = html.document(Report((chapter,), translator("en")))
    found = Page(whole).root
    check_tags(found, 1)
    assert [element.text for element in found.all("th")] == [printable(text), "b", printable(text)]
    assert "2 more rows" in found.text and "3 more columns" in found.text
    assert found.all(class_="grid")[0].text.count(printable(text)) == 3


def test_data_cannot_end_its_script() -> None:
    text = embedded({"</script><!--": ["&amp;\u2028\u2029", "<b>"]})
    assert not re.search(r"[<>&\u2028\u2029]", text)
    assert json.loads(text) == {"</script><!--": ["&amp;\u2028\u2029", "<b>"]}


def test_power_of_ten() -> None:
    assert power_of_ten(Shown("1.2", -14)) == "\u205f×\u205f10⁻¹⁴" and power_of_ten(Shown("1.2")) == ""


def test_a_symbolic_line() -> None:
    """The page of a formula, letter by letter."""
    chapter = Chapter(derivation("mazur-2-2-2"), dialect_of("html"), Style(lines=True))
    line = PageFormulas(chapter.reading, str).line(Equation(Plain("a"), (("=", Symbolic(add(Ref("rate"), neg(Ref("rate"))))),)))
    assert line == (
        '<div class="left"><math><mtext>a</mtext></math></div> <div class="right"><span>'
        '<math><mo>=</mo><mi>η</mi></math> <math><mo form="infix">−</mo><mi>η</mi></math></span></div>'
    )
