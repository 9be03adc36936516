"""Pages of text: the same as rich would print, without it."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import law
from rich.cells import get_character_cell_size

from handcalc.render.formats import console, styled
from handcalc.render.formats.styled import Letters, Line, TableColumn, cell_len
from handcalc.render.formats.textpage import TextPage

LOADED = """
import sys
from handcalc.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(end.code, "rich" in {name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def test_letters_of_one_column_are_what_they_are_for_rich() -> None:
    assert len(styled._NARROW) > 1500
    assert not [letter for letter in styled._NARROW if get_character_cell_size(letter) != 1]


@pytest.mark.parametrize(("text", "columns"), [("w5", 2), ("∂E/∂w₅⁺ ≈ 0.3", 13), ("神经元", 6), ("x̂", 1), ("", 0)])
def test_columns_of_a_text(text: str, columns: int) -> None:
    assert cell_len(text) == columns


CELLS = st.text(st.sampled_from("ab1.∂δ₁⁺ 神x"), max_size=12)


@given(st.data(), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.sampled_from([20, 40, 100]))
@law(60)
def test_a_table_is_that_of_rich(data: st.DataObject, width: int, height: int, ascii: bool, columns: int) -> None:
    """Whether it has room or not."""
    names = [TableColumn(data.draw(CELLS), folds=place == width - 1) for place in range(width)]
    rows = [[(data.draw(CELLS), "") for _ in range(width)] for _ in range(height)]
    got = [line.plain for line in TextPage(io.StringIO(), columns).table(names, rows, ascii)]
    assert got == [line.plain for line in console.table(console.console_of(Letters("utf-8"), columns, False), names, rows, ascii)]


@pytest.mark.parametrize("text", ["Title", "a title of some words that is too long for a line", "标题很长很长很长很长"])
def test_a_heading_is_that_of_rich(text: str) -> None:
    ours, theirs = io.StringIO(), io.StringIO()
    TextPage(ours, 20).heading(Line(text, "bold"))
    console.console_of(theirs, 20, False).print(text)
    assert ours.getvalue() == theirs.getvalue()


@pytest.mark.parametrize(
    "arguments", [["solve"], ["why", "w5"], ["solve", "--format", "json"], ["check", "--answer", "w5+=0.5"]], ids=" ".join
)
def test_what_goes_to_a_pipe_imports_no_rich(arguments: list[str]) -> None:
    command, *others = arguments
    done = subprocess.run([sys.executable, "-c", LOADED, command, "mazur-2-2-2", *others], capture_output=True, text=True, encoding="utf-8")
    assert len(done.stdout) > 300
    assert done.stderr.split() == ["1" if command == "check" else "0", "False"]
