"""Columns without NumPy give what NumPy gives: every operation, every number under every hypothesis, every marking."""

from __future__ import annotations

import json
import math
import operator
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice, product
from typing import Any

import numpy
import pytest
from shipping import loaded, some
from students import Exercise

from handcalc.arrays import columns
from handcalc.arrays.columns import NumberColumn, array_library
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.report import as_json
from handcalc.marking.table import HypothesisTable

SPECIAL = (0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 1e-300, 1e300, -1e300, math.inf, -math.inf, math.nan)
ABOVE, BELOW = zip(*product(SPECIAL, SPECIAL))
PROBLEMS = ("mazur-2-2-2", "zhou-four-people", "softmax-cross-entropy", "han-kamber-3-2-1", "gomez-lstm", "adam-logistic")


@contextmanager
def without_numpy() -> Iterator[None]:
    """As where it is not installed: whoever imports it fails."""
    kept = sys.modules["numpy"]
    sys.modules["numpy"] = None  # type: ignore[assignment]
    array_library.cache_clear()
    try:
        assert array_library() is columns
        yield
    finally:
        sys.modules["numpy"] = kept
        array_library.cache_clear()


def same(found: Any, wanted: Any) -> None:
    """The same numbers, signs of 0 and nan included; logical ones where NumPy's are."""
    ours, theirs = [*found], numpy.asarray(wanted).tolist()
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs):
        assert isinstance(one, bool) == isinstance(other, bool)
        assert repr(float(one)) == repr(float(other)) or math.isclose(one, other, rel_tol=1e-15), (one, other)


OPERATIONS: list[Callable[[Any, Any], Any]] = [
    operator.add, operator.sub, operator.mul, operator.truediv,
    operator.lt, operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.__name__)
def test_operations_are_those_of_numpy(operation: Callable[[Any, Any], Any]) -> None:
    with numpy.errstate(all="ignore"):
        same(operation(NumberColumn(ABOVE), NumberColumn(BELOW)), operation(numpy.array(ABOVE), numpy.array(BELOW)))
        for single in SPECIAL:
            same(operation(NumberColumn(ABOVE), single), operation(numpy.array(ABOVE), single))
            same(operation(single, NumberColumn(ABOVE)), operation(single, numpy.array(ABOVE)))
            same(operation(NumberColumn([single]), NumberColumn(ABOVE)), operation(numpy.array([single]), numpy.array(ABOVE)))


@pytest.mark.parametrize("name", ["power", "maximum"])
def test_functions_of_two_numbers_are_those_of_numpy(name: str) -> None:
    with numpy.errstate(all="ignore"):
        same(getattr(columns, name)(NumberColumn(ABOVE), NumberColumn(BELOW)), getattr(numpy, name)(numpy.array(ABOVE), numpy.array(BELOW)))


@pytest.mark.parametrize("library", [numpy, columns], ids=["numpy", "columns"])
def test_what_marking_does_with_columns(library: Any) -> None:
    """The same lines with both."""
    values = library.full(4, math.nan)
    values[library.arange(2)] = 3.0
    values[[2, 3]] = library.array([1.0, 2.0])
    assert [*values] == [3.0, 3.0, 1.0, 2.0] and values.size == 4
    chosen = library.zeros(4, dtype=bool)
    chosen |= values > 2
    chosen[3] = True
    assert [*chosen] == [True, True, False, True] and chosen.any() and not chosen.all() and int(chosen.sum()) == 3
    chosen &= ~(values == 2)
    assert [*values[chosen]] == [3.0, 3.0] and [*library.flatnonzero(chosen)] == [0, 1]
    score = library.zeros(4, dtype=int)
    score += chosen
    score -= ~chosen
    assert [*score] == [1, 1, -1, -1] and [*library.unique(score)] == [-1, 1]
    assert [*library.where(chosen, 0.0, values)] == [0.0, 0.0, 1.0, 2.0]
    ordered = library.sort(library.array([2.0, math.nan, 1.0]))
    assert [*ordered[:2]] == [1.0, 2.0] and math.isnan(ordered[2]) and [*library.diff(ordered[:2])] == [1.0]
    assert [*library.broadcast_to(2.0, 3)] == [2.0, 2.0, 2.0] == [*library.ones(3) * 2]
    one, other = library.broadcast_arrays(1.0, values)
    assert one.tolist() == [1.0] * 4 and other.ravel().tolist() == [3.0, 3.0, 1.0, 2.0]
    assert (library.absolute(-1e-9) < 1e-6).any() and [*abs(-values)] == [*values] == [*library.asarray(values, dtype=float)]
    with library.errstate(all="ignore"):
        assert math.isnan(library.power(library.asarray(-8.0, dtype=float), 0.5))


@pytest.mark.parametrize("name", some(PROBLEMS, {"mazur-2-2-2"}))
def test_every_number_under_every_hypothesis(name: str) -> None:
    exercise = Exercise(loaded(name))
    definitions = exercise.desk.definitions
    hypotheses = Hypotheses(definitions, exercise.cells)
    rows = (*hypotheses.single, *islice(hypotheses.pairs(), 200))
    right = HypothesisTable(definitions, rows)
    values = {wanted: right[wanted] for wanted in exercise.cells}
    with without_numpy():
        table = HypothesisTable(definitions, rows)
        ours = {wanted: table[wanted] for wanted in exercise.cells}
    for wanted in exercise.cells:
        assert numpy.allclose([*ours[wanted]], values[wanted], rtol=1e-12, atol=0, equal_nan=True), wanted


@pytest.mark.slow
@pytest.mark.parametrize("name", PROBLEMS[:3])
def test_every_marking(name: str) -> None:
    """Sheets with a known mistake, and with a number that nothing explains."""
    exercise = Exercise(loaded(name))
    rows = Hypotheses(exercise.desk.definitions, exercise.cells).single
    sheets = [answers for _, answers in islice(exercise.with_mistakes(rows[1 :: len(rows) // 4]), 2)]
    key = exercise.key()
    sheets.append({**key, next(iter(key)): "0.7654"})
    marked = [as_json(exercise.mark(answers)) for answers in sheets]
    with without_numpy():
        checker = Checker(exercise.problem)
        ours = [as_json(checker.mark(sheet_of(answers))) for answers in sheets]
    assert any(answer["verdict"] == "mistake" for sheet in marked for answer in sheet["answers"])
    assert json.dumps(ours) == json.dumps(marked)
