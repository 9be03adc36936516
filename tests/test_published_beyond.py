"""Law 12 beyond dense layers: published numbers of convolution, recurrence, attention, normalisation, optimisers, functions.

Each file of tests/published/beyond holds `problems` as typed in a problem file (or `file:`, a shipped one) and rows: what was
printed (`value`, with all its digits), and what it is here: `is`, a NumPy expression over the quantities of our solution (net1,
grad.W1, new.x …; `step("net.h1@t2")` by id). Optional: `problem` (several: their values one after the other), `under` (other
top-level keys), `iteration`, `given` (printed or carried numbers put in place of ours, or the name of such a set in `givens`).

A text that begins with "=" is a Python expression; `made` are names for it, made in order with NumPy's old random numbers of
`seed`. `status` is what the number is: as in test_published.py `full`, `rounding-carried` and `follows-erratum` (it follows from
`given`), `truncated`, `erratum` (`why` says what happened).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ruamel.yaml import YAML
from shipping import some
from test_published import as_cut, as_printed

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Number, mul
from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.loading.loader import loads, shipped
from handcalc.problem.schema import Problem
from handcalc.training.gradcheck.comparing import CheckedGradient as Checked
from handcalc.training.gradcheck.comparing import gradcheck

FOLDER = Path(__file__).parent / "published" / "beyond"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
# every published row, by what it turned out to be
pytestmark = pytest.mark.every
STATUS = {"full": 367, "rounding-carried": 3, "follows-erratum": 9, "erratum": 8}
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"

Row = Mapping[str, Any]
Array = Any


@cache
def published(name: str) -> dict[str, Any]:
    """A file of tests/published/beyond."""
    content: dict[str, Any] = YAML(typ="safe", pure=True).load(FOLDER / f"{name}.yaml")
    return content


# --- problems ----------------------------------------------------------------------------------------------------------


@cache
def made(name: str) -> dict[str, Any]:
    """The names that expressions of a file may use."""
    content = published(name)
    random = np.random.RandomState(content.get("seed", 0))
    known: dict[str, Any] = {"np": np, "randn": random.randn, "random": random}
    for key, text in content.get("made", {}).items():
        known[key] = eval(text, known)  # noqa: S307
    return known


def written(name: str, tree: Any) -> Any:
    """A tree with the values of its expressions in it."""
    if isinstance(tree, str) and tree.startswith("="):
        return plain(eval(tree[1:], made(name)))  # noqa: S307
    if isinstance(tree, dict):
        return {key: written(name, value) for key, value in tree.items()}
    return [written(name, value) for value in tree] if isinstance(tree, list) else tree


def plain(value: Any) -> Any:
    """NumPy's arrays and numbers as Python's, whole ones without a point."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(entry) for entry in value]
    return value.item() if isinstance(value, np.generic) else value


def problem_of(name: str, which: str, under: Mapping[str, Any]) -> str:
    """A problem of a file as text, with some of its keys changed."""
    content = published(name)["problems"][which]
    if "file" in content:
        content = YAML(typ="safe", pure=True).load(shipped()[content["file"]])
    return json.dumps(written(name, {**content, **under}), ensure_ascii=False)


# --- our numbers -------------------------------------------------------------------------------------------------------


class Solution:
    """The quantities of a solution as arrays."""

    def __init__(self, problem: Problem, iteration: int, given: Mapping[str, Any]) -> None:
        self.problem = problem
        self.derivation = derive(problem, None, iteration)
        self.graph = self.derivation.graph
        self.evaluation = self.derivation.iteration(iteration).evaluation
        if given:
            replaced: dict[Cell, Any] = dict(self.evaluation.replaced)
            for text, value in given.items():
                replaced |= self._put(text, value)
            self.evaluation = Evaluation(self.graph, None, replaced)

    def _put(self, text: str, value: Any) -> dict[Cell, float]:
        """A cell, or all cells of a quantity, with printed numbers."""
        found = self.graph.find(text)
        if found:
            return {found: float(value)}
        places = list(self.graph.positions(text))
        numbers = [float(token) for token in re.findall(NUMBER, str(value))]
        assert len(places) == len(numbers), f"{text} has {len(places)} cells"
        return {(text, place): number for place, number in zip(places, numbers)}

    def quantity(self, name: str) -> Array:
        """All cells of a quantity; NaN where there is none."""
        found = np.full([axis.size for axis in self.graph[name].axes], np.nan)
        for place in self.graph.positions(name):
            found[place] = float(self.evaluation[name, place])
        return found

    def step(self, text: str) -> float:
        """The value of an id."""
        found = self.graph.find(text)
        assert found, f"there is no step {text}"
        return float(self.evaluation[found])

    def each(self, template: str, count: int) -> list[float]:
        """The values of many ids, numbered from 0."""
        return [self.step(template.format(number)) for number in range(count)]

    def contribution(self, text: str, number: int) -> float:
        """The part of a gradient that comes along one path, counted from 1."""
        found = self.derivation.find(text)[0]
        part = self.derivation.contributions(found)[number - 1]
        return float(self.evaluation.of(mul(part.upstream, part.local), found))

    def central(self, text: str) -> float:
        """The central difference of a gradient check."""
        return _central(gradcheck(self.problem, only=[text]).rows[0])

    def descent(self, rate: float, steps: int) -> list[float]:
        """Gradient descent on the central differences."""
        problem = self.problem
        for _ in range(steps):
            rows = gradcheck(problem).rows
            moved = {row.id: _float(problem.given[row.id]) - rate * _central(row) for row in rows}
            problem = problem.replace(given={key: Number(*value.as_integer_ratio()) for key, value in moved.items()})
        return [_float(value) for value in problem.given.values()]

    def value(self, text: str) -> Array:
        """An expression over quantities."""
        known = {name: getattr(self, name) for name in ("quantity", "step", "each", "contribution", "central", "descent")}
        return np.asarray(eval(re.sub(r"'[^']*'|[A-Za-z_]\w*(?:\.\w+)*", self._named, text), {"np": np, **known}))  # noqa: S307

    def _named(self, match: re.Match[str]) -> str:
        """grad.x.sum → quantity('grad.x').sum."""
        parts = match[0].split(".")
        for count in range(len(parts), 0, -1):
            name = ".".join(parts[:count])
            if name in self.graph:
                return ".".join([f"quantity({name!r})", *parts[count:]])
        return match[0]


def _central(row: Checked) -> float:
    """(E(x + h) − E(x − h))/(2h), 0 where h is nothing beside x; the gradient check itself divides by the step that floats can make,
    and says so where there is none."""
    return (row.values[2] - row.values[0]) / (2 * row.h) if row.values else 0.0


def _float(value: Number) -> float:
    return value.numerator / value.denominator


def ours(name: str, row: Row, given: Mapping[str, Any]) -> Array:
    """Our value of a row."""
    wanted, put = row.get("problem", "main"), json.dumps(given)
    texts = [problem_of(name, which, row.get("under", {})) for which in (wanted if isinstance(wanted, list) else [wanted])]
    values = [solution(text, row.get("iteration", 1), put).value(row["is"]) for text in texts]
    return np.stack(values) if isinstance(wanted, list) else values[0]


@lru_cache(16)
def solution(text: str, iteration: int, given: str) -> Solution:
    """The solution of a problem, with given numbers put in place of ours."""
    return Solution(loads(text), iteration, json.loads(given))


def given_of(name: str, row: Row) -> dict[str, Any]:
    """The numbers put in place of ours."""
    given = row.get("given", {})
    if isinstance(given, str):
        given = published(name)["givens"][given]
    found: dict[str, Any] = written(name, given)
    return found


# --- comparing ---------------------------------------------------------------------------------------------------------


def shape_of(text: str) -> tuple[int, ...]:
    """The shape of printed numbers."""
    return np.shape(json.loads(re.sub(NUMBER, "0", text)))


def matches(value: Array, printed: str, fits: Callable[[float, str], bool]) -> bool:
    """Whether every number fits what is printed for it."""
    tokens = re.findall(NUMBER, printed)
    assert np.shape(value) == shape_of(printed), f"ours is {np.shape(value)}, printed is {shape_of(printed)}"
    return all(fits(float(number), token) for number, token in zip(value.ravel(), tokens))


def complaint(name: str, row: Row) -> str:
    """What is wrong with a row: nothing, if handcalc is right."""
    status, printed, given = row["status"], str(row["value"]), given_of(name, row)
    start = row.get("start", False)  # the given numbers belong to the problem: what an optimiser remembers
    value = ours(name, row, given if start else {})
    if (status == "full") != matches(value, printed, as_printed):
        return f"we get {value.tolist()}, printed is {printed}, marked {status}"
    if status == "full":
        return ""
    if not row.get("why") and not given and status != "truncated":
        return f"{status}, but why?"
    if given:
        value = ours(name, row, given)
    if (given or status == "truncated") and not matches(value, printed, as_printed) and not matches(value, printed, as_cut):
        return f"{value.tolist()} follows, printed is {printed}"
    return ""


# --- the law -----------------------------------------------------------------------------------------------------------


def test_every_row_is_here() -> None:
    assert Counter(row["status"] for name in FILES for row in published(name)["published"]) == STATUS


@pytest.mark.parametrize("name", some(FILES, {*FILES[::3]} - {"conv_pool_coursera", "lstm_gomez"}))  # the largest
def test_published_numbers(name: str) -> None:
    found = [f"{row['row']}: {wrong}" for row in published(name)["published"] if (wrong := complaint(name, row))]
    assert not found, "\n" + "\n".join(found)


# --- the helpers -------------------------------------------------------------------------------------------------------

PADDED = {"problem": "pad", "is": "out1[0, 0]", "value": "[0, 3, 8, 4]", "status": "full"}
CARRIED = {"is": "step('out.y@t2')", "value": "1.558", "given": "h2", "status": "follows-erratum"}
# file, row → what is said of it
FALSE = [
    ("conv_d2l_padding_stride", PADDED, ""),
    ("conv_d2l_padding_stride", {**PADDED, "value": "[0, 3, 8, 5]"}, "marked full"),
    ("conv_d2l_padding_stride", {**PADDED, "status": "erratum"}, "marked erratum"),
    ("conv_d2l_padding_stride", {**PADDED, "value": "[0, 3, 8, 5]", "status": "erratum"}, "but why?"),
    ("conv_d2l_padding_stride", {**PADDED, "value": "[0, 3, 8, 5]", "status": "truncated"}, "follows"),
    ("rnn_bptt_scalar_prachub", CARRIED, ""),
    ("rnn_bptt_scalar_prachub", {**CARRIED, "value": "1.559"}, "follows"),
    ("rnn_bptt_scalar_prachub", {**CARRIED, "status": "full"}, "marked full"),
]


@pytest.mark.parametrize(("name", "row", "said"), FALSE)
def test_wrong_rows_are_found(name: str, row: Row, said: str) -> None:
    found = complaint(name, row)
    assert said in found and bool(said) == bool(found)


def test_shapes_are_compared() -> None:
    with pytest.raises(AssertionError, match="printed is"):
        complaint("conv_d2l_padding_stride", {**PADDED, "value": "[[0, 3, 8, 4]]"})


EXPRESSIONS = [
    ("[1, -2.5e-3, .5]", (3,), ["1", "-2.5e-3", ".5"]),
    ("[[1., 2.], [3., 4.]]", (2, 2), ["1.", "2.", "3.", "4."]),
    ("7", (), ["7"]),
]


@pytest.mark.parametrize(("text", "shape", "tokens"), EXPRESSIONS)
def test_printed_arrays_are_read(text: str, shape: tuple[int, ...], tokens: list[str]) -> None:
    assert shape_of(text) == shape and re.findall(NUMBER, text) == tokens
