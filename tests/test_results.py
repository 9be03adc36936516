"""Parts of a solution: the results alone, with their ids; steps by patterns; without the given data."""

from __future__ import annotations

import pytest
from exports import written
from shipping import EACH, loaded, solved, some

from handcalc.core.patterns import fits
from handcalc.core.rounding import Rounding
from handcalc.errors import UnknownIdError
from handcalc.marking.check import check
from handcalc.render import read
from handcalc.render.blocks import Table
from handcalc.render.dialects import UNICODE
from handcalc.render.items import spell
from handcalc.render.report import Chapter, Style

WORKED = (
    "xigua-thresholds",
    "mazur-2-2-2",
    "softmax-cross-entropy",
    "han-kamber-3-2-1",
    "conv-pool-dense",
    "gomez-lstm",
    "zhou-four-people",
)


@pytest.mark.parametrize("problem", EACH)
def test_every_result_is_in_the_table_with_its_id(problem: str) -> None:
    derivation = solved(problem)
    words = written(derivation, "terminal", results="ids").split()
    steps = [step for step in derivation.steps() if step.phase != "given"]
    turned = read(derivation).turned
    assert {step.id for step in steps if not turned(step.cell)} <= {*words}
    either = {*words, *(word.removeprefix("-") for word in words), *("-" + word for word in words)}  # a letter may be the negative
    assert not [step.id for step in steps if not step.shown.exponent and step.shown.plain not in either]


@pytest.mark.parametrize("problem", some(WORKED, ("xigua-thresholds",)))
def test_the_table_of_ids_is_a_sheet_that_is_right(problem: str) -> None:
    """Also where a letter stands for the negative: then the letter stands in the place of the id."""
    derivation = solved(problem)
    chapter = Chapter(derivation, UNICODE, Style(results="ids"))
    tables = [block for block in chapter.blocks() if isinstance(block, Table)]
    rows = [[spell(item, chapter.reading, str) for item in row] for table in tables for row in table.rows]
    marking = check(loaded(problem), {id: value for id, _, value in rows})
    assert rows and not [answer.id for answer in marking.answers if answer.verdict not in ("correct", "rounded")]


def test_only_phases_and_patterns_together() -> None:
    text = written(solved("mazur-2-2-2"), "plain", only=("error", "grad.w*", "new.w?"), numbers=False)
    assert "E_total" in text and "net_h1 =" not in text
    assert text.count("\ndE/dw") == text.count("\nw") == 8


def test_a_pattern_with_brackets() -> None:
    """The brackets are those of the id, no set of letters."""
    assert fits("grad.W1[1,2]", "grad.W1[1,*]") and not fits("grad.W11", "grad.W1[1,*]")
    text = written(solved("conv-pool-dense"), "plain", only=("new.W1[1,1,*]",), numbers=False)
    assert text.count("w^(1)_f1,1,1+ =") == text.count("w^(1)_f1,1,2+ =") == 1
    assert Rounding(4, overrides=(("W1[1,*]", 2, None),)).digits("W1[1,2]") == (2, None)


def test_a_pattern_that_nothing_fits() -> None:
    with pytest.raises(UnknownIdError, match="no step fits"):
        written(solved("mazur-2-2-2"), "plain", only=("grad.v*",))


def test_without_the_given_data() -> None:
    text = written(solved("mazur-2-2-2"), "plain", given=False)
    assert "0.15*0.05" in text and "Given" not in text and "Conventions" not in text
