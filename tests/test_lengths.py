"""How long solutions are, and how pooling is told: lines of a terminal, pages of a PDF, no line wider than it may be."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from shipping import EACH, solved
from test_pdf import needs_chinese, pages, pdf

from handcalc.cli import main
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.render import render
from handcalc.render.formats.styled import cell_len
from handcalc.render.report import Style

LINES = {"mazur-2-2-2": 90, "fausett-2-2-1": 87, "zhou-four-people": 230, "conv-pool-dense": 166}
PAGES = {"mazur-2-2-2": 2, "fausett-2-2-1": 2, "zhou-four-people": 6, "conv-pool-dense": 5}


@pytest.fixture(autouse=True)
def width_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred columns, whatever the terminal of the tests is."""
    monkeypatch.setenv("COLUMNS", "100")


@pytest.mark.parametrize("problem", LINES)
def test_solutions_are_short(problem: str) -> None:
    assert len(str(render(solved(problem), "terminal")).splitlines()) <= LINES[problem]


def test_a_sheet_with_four_mistakes_is_told_in_forty_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sheet = tmp_path / "sheet.txt"
    sheet.write_text("net_h1 = 0.0275\nout_h1 = 0.506875\nδ_o1 = -0.138499\nE_total = 0.596742\nw5+ = 0.441083\n", "utf-8")
    with pytest.raises(SystemExit):
        main(["check", "mazur-2-2-2", str(sheet)])
    assert len(capsys.readouterr().out.splitlines()) <= 40


@pytest.mark.slow
@pytest.mark.parametrize("problem", PAGES)
def test_solutions_take_few_pages(problem: str) -> None:
    assert len(pages(pdf(solved(problem), style=Style()))) <= PAGES[problem]


@pytest.mark.parametrize("language", ["en", pytest.param("zh", marks=[needs_chinese, pytest.mark.slow])])
def test_a_worksheet_takes_two_pages(language: str) -> None:
    """Of 45 lines to write on, and the numbers after the update; short answers stand beside each other."""
    found = pages(pdf(solved("mazur-2-2-2"), style=Style(view="worksheet"), language=language))
    assert len(found) == 2 and re.search(r"\(23\).*\(24\)", found[1])


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("problem", EACH)
def test_no_line_of_a_file_is_wider_than_a_hundred_columns(problem: str, language: str) -> None:
    """But for addresses."""
    lines = str(render(solved(problem), "terminal", language=language)).splitlines()
    assert all(cell_len(line) <= 100 or "http" in line for line in lines), max(lines, key=cell_len)


OVERLAPPING = """
inputs: [[1, 2, 3], [8, 9, 4], [7, 6, 5]]
targets: [[12, 13], [0, 0]]
layers: [{type: max_pool, kernel_size: 2, stride: 1}]
loss: t*o
input_gradients: true
"""


def test_pooling_is_told_by_position() -> None:
    """What several windows send is added, with no slope of max and no bracket in any line."""
    text = str(render(derive(loads(OVERLAPPING)), "terminal", detail="full"))
    assert "at row 2, column 2; the gradient goes there" in text
    assert re.search(r"= [\d +]*(12 \+ 13|13 \+ 12)[\d +]* = 25", text) and "max'" not in text
