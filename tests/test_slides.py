"""Slides: one step each, all of a solution, with a drawing that shows what is known so far; nothing is loaded."""

from __future__ import annotations

import re
from functools import cache

import pytest
from exports import derivation, written
from pages import Element, Page, number_in
from shipping import some

from handcalc.render.blocks import Block, Equation, Heading, Paragraph, Plain, Table
from handcalc.render.formats.page import asset
from handcalc.render.formats.slides import MOST, ROWS, parted
from handcalc.render.report import Chapter, Style, dialect_of

PROBLEMS = ("mazur-2-2-2", "conv-pool-dense", "micrograd-readme", "gomez-lstm", "zhou-four-people")


@cache
def deck(problem: str, language: str = "en") -> str:
    return written(derivation(problem), "slides", language)


@cache
def slides(problem: str) -> list[Element]:
    return Page(deck(problem)).root.all("section", class_="slide")


@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[:2]))
def test_every_step_has_a_slide(problem: str) -> None:
    """In the order of the solution, and with the number that it works out."""
    found = derivation(problem)
    chapter = Chapter(found, dialect_of("slides"), Style(prose=True))
    steps = [block.step for block in chapter.blocks() if isinstance(block, Equation) and block.step]
    shown = [slide for slide in slides(problem) if "step" in slide.attributes["class"].split()]
    assert len(shown) == len(steps)
    for slide, step in zip(shown, steps):
        (line,) = slide.all("div", class_="step")
        results = line.all(data_cell=found.step_id(*step))  # none where the definition is the number itself, as in ∂g/∂g = 1
        shown_number = number_in(results[-1]) if results else number_in(line).rpartition("=")[2].strip()
        assert shown_number == found.shown(*step).plain
    numbers = [int(slide.attributes["id"][1:]) for slide in slides(problem)]
    assert numbers == [*range(1, len(numbers) + 1)]


@pytest.mark.parametrize("problem", some(PROBLEMS, PROBLEMS[:1]))
def test_drawings_show_what_is_known(problem: str) -> None:
    """A number of the drawing waits for the slide that works it out; what is lit are parts of that drawing."""
    text = deck(problem)
    rules = {
        int(number): int(before) for number, before in re.findall(r'\[data-n="(\d+)"\]\{fill-opacity:calc\(var\(--k\) - (\d+)\)\}', text)
    }
    assert rules and all(before == number - 1 for number, before in rules.items())
    root = Page(text).root
    assert {int(element.attributes["data-n"]) for element in root.all(data_n="")} == {*rules}
    names = {element.attributes["id"] for element in root if "id" in element.attributes}
    uses = [use.attributes["href"] for use in root.all("use")]
    assert uses and all(use.startswith("#") and use[1:] in names for use in uses)
    for number in range(1, len(slides(problem)) + 1):
        assert f"#s{number}{{--k:{number}}}" in text


def test_a_neuron_is_lit_and_its_number_known() -> None:
    text = deck("mazur-2-2-2")
    slide = next(one for one in slides("mazur-2-2-2") if one.all(data_cell="net.h1") and one.all("div", class_="step"))
    own = [use.attributes["href"][1:] for use in slide.all("use", class_="own")]
    parts = {name: part for name in own for part in Page(text).root.all("svg", id=name)}
    numbers = [element.text for part in parts.values() for element in part.all(data_n=slide.attributes["id"][1:])]
    given = [element.text for element in Page(text).root.all("tspan", class_="number") if "data-n" not in element.attributes]
    assert {"0.05", "0.15", "0.40", "0.60", "0.01"} <= {*given} and "0.3775" not in given
    assert numbers == ["0.3775"] and len(slide.all("use", class_="used")) >= 4


def test_long_tables_and_lists_are_parted() -> None:
    row = (Plain("a"), Plain("b"))
    table = Table((Plain("x"), Plain("y")), (row,) * (2 * ROWS + 1), omitted=3)
    blocks: list[Block] = [Heading(1, Plain("t")), Heading(2, Plain("Given")), table, *[Paragraph(Plain("p"))] * (MOST + 1)]
    title, *others = parted(blocks)
    assert title.title and [len(slide.blocks) for slide in others] == [1, 1, 1, MOST, 1]
    tables = [block for slide in others for block in slide.blocks if isinstance(block, Table)]
    assert [len(one.rows) for one in tables] == [ROWS, ROWS, 1] and [one.omitted for one in tables] == [0, 0, 3]


def test_nothing_is_loaded_or_evaluated() -> None:
    text = deck("mazur-2-2-2", "zh")
    assert not re.search(r"(?:src|href)=\"(?!#)", text) and "default-src 'none'" in text and ' style="' not in text
    assert not re.search(r"innerHTML|document\.write|\beval\b|new Function|fetch\(|XMLHttp|import\(", asset("slides.js"))
    assert "前向传播" in text and 'lang="zh"' in text


@pytest.mark.parametrize("view", ["worksheet", "cloze"])
def test_blank_slides_give_nothing_away(view: str) -> None:
    found = derivation("mazur-2-2-2")
    root = Page(written(found, "slides", view=view)).root
    assert all(number_in(element) for element in root.all("mn", data_cell=""))
    cells = {element.attributes["data-cell"] for element in root.all(data_cell="")}
    assert cells.isdisjoint({"net.h1", "out.o1", "grad.w5", "new.w5"}) or view == "cloze"
