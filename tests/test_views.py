"""Views: what is asked is blank, what is given stays, numbers of lines agree; tasks choose what is asked."""

from __future__ import annotations

import re

import pytest
from exports import written

from handcalc import derive, load, loads, render
from handcalc.core.expr import Number
from handcalc.errors import OutputError, UnknownIdError
from handcalc.loading.loader import shipped
from handcalc.problem.schema import Task
from handcalc.render.blocks import Blank, Equation, Heading, Numeric, Picture, Symbolic, Table, Value
from handcalc.render.dialects import UNICODE
from handcalc.render.items import title_item
from handcalc.render.lookup import split
from handcalc.render.report import Chapter, Style
from handcalc.render.views import VIEWS

TASKS = """
title: Exam
inputs: [0.5, 1.0]
targets: [1]
layers:
  - {neurons: 2, activation: tanh, weights: {w1: [x1, h1, 0.1], w2: [x2, h1, 0.2], w3: [x1, h2, 0.3], w4: [x2, h2, -0.2]}, bias: 0.1}
  - {neurons: 1, activation: sigmoid, weights: {w5: [h1, o1, 0.3], w6: [h2, o1, 0.4]}}
learning_rate: 0.5
tasks: %s
"""


def chapter(name: str, view: str) -> Chapter:
    return Chapter(derive(load(name)), UNICODE, Style(view=view))


def worked(one: Chapter) -> list[Equation]:
    return [block for block in one.blocks() if isinstance(block, Equation) and block.step is not None and block.number]


@pytest.mark.slow
@pytest.mark.parametrize("name", shipped())
def test_the_same_lines_have_the_same_numbers(name: str) -> None:
    key = {(block.step, block.number): block.left for block in worked(chapter(name, "key"))}
    assert key and sorted(number for _, number in key) == list(range(1, len(key) + 1))
    for view in VIEWS:
        assert {(block.step, block.number): block.left for block in worked(chapter(name, view))} == key


@pytest.mark.parametrize("view", [name for name in VIEWS if name != "key"])
@pytest.mark.parametrize("name", ["mazur-2-2-2", "zhou-four-people", "adam-logistic", "micrograd-readme"])
def test_no_computed_number_is_left(name: str, view: str) -> None:
    one = chapter(name, view)
    for block in one.blocks():
        items = [item for _, item in block.right] if isinstance(block, Equation) else []
        items += [item for row in block.rows for item in row] if isinstance(block, Table) else []
        for item in items:
            if isinstance(item, Value):
                assert one.derivation.step(item.cell).phase == "given", item
        if isinstance(block, Equation) and block.step is not None and block.right:
            assert isinstance(block.right[-1][1], Blank)
        if isinstance(block, Picture):
            assert not block.values and not block.gradients


def test_what_each_view_keeps() -> None:
    kinds = {view: {type(item) for block in worked(chapter("mazur-2-2-2", view)) for _, item in block.right} for view in VIEWS}
    assert kinds["worksheet"] == {Blank}
    assert Symbolic in kinds["formulas"] and not {Numeric, Value} & kinds["formulas"]
    assert {Symbolic, Numeric, Blank} <= kinds["cloze"] and Value not in kinds["cloze"]


def test_a_cloze_leaves_out_another_operand_in_turn() -> None:
    lines = worked(chapter("mazur-2-2-2", "cloze"))
    gaps = [item.gaps for block in lines for _, item in block.right if isinstance(item, Symbolic)]
    assert all(len(gap) <= 1 for gap in gaps) and len(set(gaps)) > 15
    text = render(derive(load("mazur-2-2-2")), "plain", view="cloze")
    line = text.partition("(1)")[2].partition("(2)")[0]
    assert line.count("______") == 3 and "0.3775" not in line


def test_a_heading_with_nothing_under_it_goes() -> None:
    one = Chapter(derive(loads(TASKS % "[net.h1]")), UNICODE, Style(view="worksheet"))
    blocks = list(one.blocks())
    assert not any(isinstance(a, Heading) and isinstance(b, Heading) and a.level >= b.level for a, b in zip(blocks, blocks[1:]))
    assert not isinstance(blocks[-1], Heading)


def test_the_title_stays() -> None:
    """Also where a heading of an iteration comes right after it."""
    one = Chapter(derive(load("minimise-x0-x1"), iterations=2), UNICODE, Style(only=("forward",)))
    first, second = [block for block in one.blocks() if isinstance(block, Heading) and block.level == 1][:2]
    assert first.text == title_item(one.derivation.header.title, one.derivation.header.title_zh) and second.text != first.text


def test_what_has_a_blank_is_not_asked_again() -> None:
    """The table of the update has only results that lines ask for; that of the loss has another."""
    blocks = [*chapter("mazur-2-2-2", "worksheet").blocks()]
    last = [row[-1].step for block in blocks if isinstance(block, Table) for row in block.rows if isinstance(row[-1], Blank)]
    lines = {block.step for block in blocks if isinstance(block, Equation)}
    assert last and not lines.intersection(last)
    assert any(isinstance(block, Table) and len(block.columns) == 5 for block in chapter("mazur-2-2-2", "key").blocks())


@pytest.mark.parametrize("view", ["worksheet", "formulas"])
def test_a_blank_says_how_many_numbers_are_written(view: str) -> None:
    """net = w·x + w·x + b, out = σ(net), w⁺ = w - η·g, each with its result."""
    one = chapter("mazur-2-2-2", view)
    found = {one.derivation.step_id(*block.step): block.right[-1][1] for block in worked(one) if block.step}
    numbers = {name: blank.numbers for name, blank in found.items() if isinstance(blank, Blank)}
    assert [numbers[name] for name in ("net.h1", "out.h1", "grad.net.o1", "new.w5")] == [6, 2, 3, 4]


@pytest.mark.parametrize("format", ["csv", "json"])
def test_formats_with_every_number_have_no_views(format: str) -> None:
    with pytest.raises(OutputError, match="no view worksheet"):
        render(derive(load("mazur-2-2-2")), format, view="worksheet")


# --- tasks ------------------------------------------------------------------------------------------------------------


def asked(tasks: str, view: str = "worksheet") -> list[tuple[str, int]]:
    one = Chapter(derive(loads(TASKS % tasks)), UNICODE, Style(view=view))
    return [(one.derivation.step_id(*block.step), block.number) for block in worked(one) if block.step]


@pytest.mark.parametrize(
    ("tasks", "ids"),
    [
        ("[net.h1, w5+]", ["net.h1", "new.w5"]),
        ("[out.*]", ["out.h1", "out.h2", "out.o1"]),
        ("[error]", ["loss.o1", "loss"]),
        ("[{ask: δ_o1, marks: 2}]", ["grad.net.o1"]),
    ],
)
def test_only_what_is_asked(tasks: str, ids: list[str]) -> None:
    found = asked(tasks)
    assert [name for name, _ in found] == ids
    assert set(found) <= set(asked(tasks, "key"))  # with the numbers of the key
    assert len(asked(tasks, "key")) > 20  # and the key has everything


def test_marks_are_printed() -> None:
    text = render(derive(loads(TASKS % "[{ask: [net.h1, net.h2], marks: 1.5}, loss]")), "plain", view="formulas")
    assert "net_h1 [1.5], net_h2 [1.5], E_total [1]; 4 marks in all\n" in text.partition("-- Wanted --")[2]
    assert "Name: ____" in text and "Give every result to 6 significant digits." in text


def test_a_task_that_is_no_step() -> None:
    with pytest.raises(UnknownIdError, match="net.h9"):
        asked("[net.h9]")


def test_words_between_commas() -> None:
    assert split("net.h1, W1[2,1],backward") == ["net.h1", "W1[2,1]", "backward"]


def test_a_worksheet_asks_for_the_tasks_and_nothing_else() -> None:
    """Two updates are worked line by line, the others are rows of a table; maps are grids."""
    for name, asked in (
        ("mazur-2-2-2", ("net.h1", "grad.w5", "new.w4", "new.w8")),
        ("conv-pool-dense", ("net.f1[1,1]", "out2[1,1,1]", "grad.W1[1,2,1]")),
    ):
        tasks = tuple(Task(ask, Number(place + 1), decimals=4) for place, ask in enumerate(asked))
        problem = load(name)
        text = written(derive(problem.replace(tasks=tasks)), "terminal", view="worksheet")
        assert len(re.findall("(?<!_)______(?!_)", text)) == len(asked)
        assert "Give every result to 4 decimals." in text and "more, in the table" not in text
        assert f"; {sum(range(len(asked) + 1))} marks in all\n" in text


def test_a_worksheet_says_which_digits_each_task_wants() -> None:
    tasks = (Task("net.h1", decimals=4), Task("out.h1", significant=3), Task("loss"))
    text = written(derive(load("mazur-2-2-2").replace(tasks=tasks)), "terminal", view="worksheet")
    assert "Give every result to the digits that are wanted." in text
    wanted = " ".join(text.partition("── Wanted ─")[2].split())
    assert "net_h1 (4 decimals) [1], out_h1 (3 significant digits) [1], E_total (6 significant digits) [1]; 3 marks in all" in wanted


def test_a_blank_says_its_marks() -> None:
    one = Chapter(derive(loads(TASKS % "[{ask: δ_o1, marks: 2}, {ask: net.h1, marks: 0.5}]")), UNICODE, Style(view="worksheet"))
    assert {one.derivation.step_id(*block.step): str(block.label) for block in worked(one) if block.step} == {
        "net.h1": "[0.5]",
        "grad.net.o1": "[2]",
    }
    assert all(block.label is None for block in worked(Chapter(one.derivation, UNICODE, Style())))


def test_a_worksheet_has_one_drawing() -> None:
    assert sum(isinstance(block, Picture) for block in chapter("mazur-2-2-2", "worksheet").blocks()) == 1


def test_a_worksheet_does_not_explain_formulas_it_does_not_show() -> None:
    text = {view: written(derive(load("softmax-cross-entropy")), "terminal", view=view) for view in ("worksheet", "formulas", "key")}
    assert {view: "is 1 where that is so" in found for view, found in text.items()} == {"worksheet": False, "formulas": True, "key": True}
