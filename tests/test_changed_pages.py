"""A page whose numbers are changed: it is the page of the problem with those numbers, line by line, in drawings and tables too.

Needs Chromium, as the tests of test_browser.py do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from random import Random
from typing import Any

import pytest
from exports import derivation, written
from liveprograms import edited, some_edits
from pages import Element, Page, number_in
from test_browser import AXE, BROWSER, DRIVER, Browser, Keys, _barriers, _overflow

from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.render.formats.page.program import LiveProgram

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DRIVER or not BROWSER, reason="there is no Chromium with chromedriver"),
]
TYPE = """
for (const [cell, text] of arguments[0]) {
  const field = [...document.querySelectorAll("[data-given]")].find((one) => one.dataset.given === cell);
  field.value = text;
  field.dispatchEvent(new Event("input"));
}
"""
CARRIED = Rounding(decimals=3, significant=None, carry=True)
# problem, notation, rounding, rounds
CASES = (
    ("mazur-2-2-2", "", None, 1),
    ("mazur-2-2-2", "zhou", CARRIED, 2),
    ("xigua-thresholds", "", None, 1),
    ("zhou-neuron", "negnevitsky", None, 1),
    ("mini-batches", "", None, 2),
    ("primelearn-conv-relu-pool", "nielsen", None, 1),
    ("aibyhand-rnn", "", CARRIED, 1),
    ("raschka-simple-attention", "", None, 1),
    ("micrograd-readme", "", None, 1),
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("browser"))
    yield found
    found.driver.quit()


def typed(program: LiveProgram, edits: dict[Cell, str]) -> list[tuple[str, str]]:
    return [(program.owner[wanted].cell_id(wanted), text) for wanted, text in edits.items()]


def content(root: Element) -> dict[str, list[Any]]:
    """Everything with a number in it: lines with their formulas (not where they may be broken), tables, numbers in drawings and in lines
    not seen."""
    (text,) = root.all("div", class_="text")
    lines = [
        (line.attributes["data-step"], re.sub(r"\s", "", line.text))
        for line in text.all("div", class_="line")
        if "data-step" in line.attributes
    ]
    tables = [table for table in text.all("table") if all(cell.all(data_cell="") for cell in table.all("td", class_="number") if cell.text)]
    rows = [row.text for table in tables for row in table.all("tr")]
    numbers = [(place.attributes["data-cell"], number_in(place)) for place in root.all(data_cell="")]
    return {"lines": lines, "tables": rows, "grids": [grid.text for grid in text.all(class_="grid")]} | {"numbers": sorted(set(numbers))}


@pytest.mark.parametrize("problem, notation, rounding, rounds", CASES)
def test_it_is_the_page_of_those_numbers(browser: Browser, problem: str, notation: str, rounding: Rounding | None, rounds: int) -> None:
    found = derivation(problem, rounds, rounding)
    program = LiveProgram.of(found)
    assert program is not None
    random = Random(3)
    browser.show(written(found, "html", notation=notation))
    before = content(now(browser))
    count = 0
    for _ in range(2):
        edits = some_edits(program, random, 5)
        turned = read_signs(browser)
        steps = [(step, opposite(text) if step in turned else text) for step, text in typed(program, edits)]
        browser.run(TYPE, steps)
        if browser.run("return document.querySelector('.trouble').textContent"):
            continue
        count += 1
        wanted = content(Page(written(edited(problem, edits, rounding, rounds), "html", notation=notation)).root)
        own = content(now(browser))
        for name, parts in wanted.items():
            assert own[name] == parts, (name, steps)
        browser.run("document.querySelector('.reset').click()")
        assert content(now(browser)) == before
    assert count and browser.complaints() == []


def now(browser: Browser) -> Element:
    return Page("<html>" + browser.source() + "</html>").root


def read_signs(browser: Browser) -> set[str]:
    """The steps that this notation prints with the other sign."""
    found: list[str] = browser.run("const live = chapters[0].live; return [...live.turned].map((cell) => live.facts.cells[cell])")
    return set(found)


def opposite(text: str) -> str:
    return text.removeprefix("-") if text.startswith("-") or not float(text) else "-" + text


def test_by_keyboard(browser: Browser) -> None:
    """A number is typed, the outcome is said, what it was stands beside the lines; and back."""

    def outcome() -> str:
        return re.sub(r"\s", "", browser.one("[data-result=loss]").text)

    browser.show(written(derivation("mazur-2-2-2"), "html"))
    browser.one(".change summary").send_keys(Keys.ENTER)
    field = browser.one("[data-given=w5]")
    field.send_keys(Keys.CONTROL, "a")
    field.send_keys("-0,9")
    assert outcome() == "Etotal≈0.187662(before:0.298371)"
    browser.one(".comparing").send_keys(Keys.SPACE)
    assert "before" in browser.one("#grad\\.w5 .right").text
    assert not browser.run("return document.querySelector('#net\\\\.h1').matches('.changed')")
    field.send_keys("/x")
    assert field.get_attribute("aria-invalid") == "true" and "-0,9/x" in browser.one(".trouble").text
    assert outcome() == "Etotal≈0.187662(before:0.298371)"  # the last number stays
    browser.one(".reset").send_keys(Keys.ENTER)
    assert field.get_attribute("value") == "0.40" and outcome() == "Etotal≈0.298371"
    assert not browser.one(".trouble").text and "before" not in browser.one("#grad\\.w5").text


def test_a_number_without_a_value_is_named(browser: Browser) -> None:
    browser.show(written(derivation("adam-logistic"), "html"))
    before = content(now(browser))
    browser.run(TYPE, [("b", "-1e300")])
    assert browser.run("return document.querySelector('.trouble').textContent")
    assert content(now(browser))["lines"] == before["lines"]


def test_many_updates(browser: Browser) -> None:
    """The loss after so many is that of the solution with so many rounds, and its weights are numbers to go on with."""
    browser.show(written(derivation("mazur-2-2-2"), "html"))
    browser.run("document.querySelector('.change').open = true")
    browser.run("document.querySelector('.updates').value = 7; document.querySelector('.train').click()")
    found = derive(load("mazur-2-2-2"), iterations=8)
    assert found.shown(("loss", ()), 8).plain in browser.one(".curve p").text
    assert len(browser.one(".curve polyline").get_attribute("points").split()) == 8
    browser.one(".take").click()
    assert number_in(now(browser).all(data_cell="new.w5")[0]) == found["#8:new.w5"].shown.plain


def test_the_loss_over_two_numbers(browser: Browser) -> None:
    """Around the way of the updates; its losses are those of the solution with these numbers."""
    browser.show(written(derivation("mazur-2-2-2"), "html"))
    browser.run("document.querySelector('.change').open = true; document.querySelector('.updates').value = 20")
    browser.one(".train").click()
    choices = browser.run("return [...document.querySelectorAll('.across option')].map((one) => one.textContent)")
    assert choices == [f"w{place}" for place in range(1, 9)]
    places = browser.run(
        "return [...document.querySelectorAll('.surface .way')].map((one) => one.getAttribute('points').split(' ').length)"
    )
    assert places == [21] and "20" in browser.one(".surface p").text
    script = (
        "const live = chapters[0].live, cell = (id) => live.cells.get(id); return live.rounds.surface(live.edits, [cell('w5'), [-1, 2]], "
    )
    found = browser.run(script + "[cell('w8'), [0.5]])")
    solved = derivation("mazur-2-2-2")
    cells = [solved.graph.find(name) for name in ("w5", "w8")]
    wanted = [edited("mazur-2-2-2", dict(zip(cells, numbers))) for numbers in (("-1", "0.5"), ("2", "0.5"))]
    assert found == [[pytest.approx(float(one.evaluation[one.loss, ()]), rel=1e-12) for one in wanted]]
    browser.run("const up = document.querySelector('.up'); up.value = document.querySelector('.across').value")
    browser.run("document.querySelector('.up').dispatchEvent(new Event('change'))")
    assert not browser.run("return document.querySelector('.surface').children.length")
    assert browser.complaints() == []


def test_the_plane_of_two_inputs(browser: Browser) -> None:
    """Its answers are those of the solution to other inputs, with the numbers as they are, as they are changed, after some updates."""
    browser.show(written(derivation("habr-xor"), "html"))
    browser.run("document.querySelector('.change').open = true")
    script = (
        "const live = chapters[0].live, plane = live.plane.facts;"
        "const state = live.course?.states[live.moment] ?? live.rounds.start(live.edits);"
        "return live.rounds.field(live.edits, state, [plane.inputs[0], [-1, 0.5]], [plane.inputs[1], [0.25]], plane.outputs)"
    )

    def answers(edits: dict[str, str], rounds: int = 1) -> list[Any]:
        solved = derivation("habr-xor")
        (one, other), found = ((solved.graph.inputs, (place,)) for place in (0, 1)), []
        weights = {cell: text for name, text in edits.items() if (cell := solved.graph.find(name))}
        for x in ("-1", "0.5"):
            solution = edited("habr-xor", weights)
            last = solution if rounds == 1 else edited("habr-xor", weights, None, rounds)
            carried = last.iteration(rounds).evaluation.replaced
            moved = Evaluation(solution.graph, None, {**carried, one: Fraction(x), other: Fraction("0.25")})
            found.append([pytest.approx(float(moved["out2", (0,)]), rel=1e-12)])
        return [found]

    assert browser.run(script) == answers({})
    weight = derivation("habr-xor").graph.cell_id(("W1", (0, 0)))
    browser.run(TYPE, [(weight, "2.5")])
    assert browser.run(script) == answers({weight: "2.5"}) and "as they are now" in browser.one(".plane").text
    browser.run("document.querySelector('.updates').value = 9; document.querySelector('.train').click()")
    browser.run("const one = document.querySelector('.moments'); one.value = 4; one.dispatchEvent(new Event('input'))")
    assert browser.run(script) == answers({weight: "2.5"}, 5) and "After 4 updates" in browser.one(".plane").text
    assert browser.run("return document.querySelectorAll('.plane .sample').length") == 3  # two in the key
    browser.run(TYPE, [(weight, "0.5")])
    assert not browser.run("return document.querySelector('.curve').children.length")  # updates of other numbers
    assert browser.complaints() == []


@pytest.mark.parametrize("problem, colours", [("softmax-cross-entropy", 3), ("zhou-four-people", 2), ("sklearn-ridge", 1)])
def test_planes_say_what_their_colours_are(browser: Browser, problem: str, colours: int) -> None:
    browser.show(written(derivation(problem), "html", language="zh"), 390, True)
    browser.run("document.querySelector('.change').open = true")
    keys = browser.run("return [...document.querySelectorAll('.plane .key')].map((one) => one.textContent)")
    assert len(keys) == colours
    letters = browser.run(
        "return [...document.querySelectorAll('.plane > svg text')].map((one) => 16 * one.ownerSVGElement.clientWidth / 380)"
    )
    assert min(letters) >= 12 and _overflow(browser) == 0 and browser.complaints() == []


@pytest.mark.parametrize("width, dark", [(1400, False), (800, True), (390, False)])
def test_on_every_screen(browser: Browser, width: int, dark: bool) -> None:
    browser.show(written(derivation("mazur-2-2-2"), "html"), width, dark)
    browser.run(AXE.read_text("utf-8") if AXE.exists() else "axe = {run: async () => ({violations: []})}")
    browser.run("document.querySelector('.change').open = true; document.querySelector('.comparing').click()")
    browser.run(TYPE, [("w5", "-12.25")])
    browser.run("document.querySelector('.train').click()")
    assert _overflow(browser) == 0 and _barriers(browser) == []
