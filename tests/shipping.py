"""The shipped problems for laws that take their time: one of each kind in the quick run, the others in the slow one.

- `EACH` are parameters for a test, `some(all, quick)` those of any other values of which some are in the quick run, `thinned(all, each)`
  those of which every so many is.
- `slow(test)`, asked by conftest.py: of the shipped problems, all but one of each kind belong to the slow run, but for tests that are
  marked `every`, where that of every problem with dense layers is quick.
- `loaded(name)` and `solved(name)` are shipped problems, read and worked out once for all tests of a process; `own_letters(name)` are
  those that are not ASCII in the names of one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from itertools import product
from typing import Any

import pytest
from _pytest.mark import ParameterSet

from handcalc.core.derivation import Derivation
from handcalc.deriving import derive
from handcalc.loading.loader import load, shipped
from handcalc.problem.schema import Problem

KINDS = (
    "mazur-2-2-2",  # names, a shared bias
    "xigua-thresholds",  # thresholds, Chinese
    "softmax-cross-entropy",  # softmax
    "per-connection-bias-2-3-1",  # biases of connections
    "micrograd-readme",  # equations
    "minimise-x0-x1",  # equations with updates
    "han-kamber-3-2-1",  # error: direct
    "adam-logistic",  # an optimiser, samples
    "zhou-feedforward",  # a forward pass only
    "dlfs-convolution",  # maps
    "gomez-lstm",  # times
    "karim-self-attention",  # tokens
    "dropout-batch-norm",  # samples that are mixed
)
# networks of some hundred steps, of which a law of every notation or format takes minutes: only these files have tests of them
LARGE = ("small-gpt", "resnet-block", "u-shaped-skip", "bidirectional-rnn", "squeeze-and-excitation", "cross-attention")
OF_LARGE = ("test_architectures", "test_chainrule", "test_cli", "test_html", "test_ids", "test_json", "test_schema", "test_troubles")
QUICK_RUN = [False]  # whether this is the quick run, as conftest.py says
LAYERED = {name for name, path in shipped().items() if "type: " in path.read_text(encoding="utf-8")}  # other layers than dense ones
OTHERS = set(shipped()) - set(KINDS)


@cache
def loaded(name: str) -> Problem:
    """A shipped problem."""
    return load(name)


@cache
def solved(name: str) -> Derivation:
    """The solution of a shipped problem, as it asks for it."""
    return derive(loaded(name))


def own_letters(name: str) -> set[str]:
    """The letters outside ASCII in the names of inputs, neurons and columns of data, and in the words of these."""
    problem = loaded(name)
    words = [*problem.inputs, *(neuron for layer in problem.layers for neuron in layer.neurons)]
    for column, codes in problem.encoded.items():
        words += [column, *codes]
    return {letter for word in words for letter in word if not letter.isascii()}


def some(values: Iterable[Any], quick: Collection[Any]) -> list[Any]:
    """Parameters for a test: all these values, of which only some are in the quick run, where the others are not even collected."""
    found = [pytest.param(value, marks=[] if value in quick else pytest.mark.slow) for value in values]
    return at_once(found)


def at_once(params: list[Any]) -> list[Any]:
    """The parameters of a test; in the quick run those that are not slow."""
    quick = [param for param in params if not param.marks]
    assert quick, "the quick run would have none of them"
    return quick if QUICK_RUN[0] else params


def thinned(values: Sequence[Any], each: int) -> list[Any]:
    """Parameters for a test, of which every so many is in the quick run, from the first on."""
    found = [value if isinstance(value, ParameterSet) else pytest.param(value) for value in values]
    if QUICK_RUN[0]:
        return found[::each]
    return [
        pytest.param(*one.values, id=one.id, marks=one.marks if number % each == 0 else (*one.marks, pytest.mark.slow))
        for number, one in enumerate(found)
    ]


EACH = some(shipped(), KINDS)


def in_turn(each: int, *lists: Sequence[Any]) -> list[Any]:
    """Parameters for a test of several lists together: every so many of their combinations, so that every value of each list has its turn,
    with every value of every other one."""
    columns = [[value if isinstance(value, ParameterSet) else pytest.param(value) for value in values] for values in lists]
    found = []
    for places in product(*(range(len(column)) for column in columns)):
        if sum(places) % each == 0:
            row = [column[place] for column, place in zip(columns, places)]
            found.append(pytest.param(*(one.values[0] for one in row), marks=[mark for one in row for mark in one.marks]))
    return found


def too_large(item: pytest.Item) -> bool:
    """Whether a test is of a problem that is too large for it."""
    given = getattr(item, "callspec", None)
    return bool(given) and item.path.stem not in OF_LARGE and any(name in LARGE for name in given.params.values() if isinstance(name, str))


def slow(item: pytest.Item) -> bool:
    """Whether a test of a problem belongs to the slow run."""
    given = getattr(item, "callspec", None)
    names = [name for name in given.params.values() if isinstance(name, str) and name in OTHERS] if given else []
    return any(name in LAYERED for name in names) if item.get_closest_marker("every") else bool(names)
