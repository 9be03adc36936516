"""The law of ids: no two steps of a solution have one id, whatever the layers, times and samples are; and an id finds its step.

Ids are made from names (graph.py); two paths with the same ends are told apart (pathids.py). Shipped problems and dense networks:
test_graph.py.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from modelproblems import MODELS
from models import CASES, Maker
from oracles import law
from shipping import loaded, some
from test_graph import check_order

from handcalc.core.derivation import Derivation
from handcalc.core.graph import Graph
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import loads


@pytest.mark.parametrize("problem", some(MODELS, list(MODELS)[::4]))
def test_order_and_ids_of_layers_of_every_kind(problem: str) -> None:
    check_order(derive(loads(MODELS[problem]), Rounding()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", some(CASES, ("dense", "lstm")))
def test_no_two_steps_of_networks_of_any_shape_have_one_id(kind: str) -> None:
    @given(st.data())
    @law(12)
    def holds(data: st.DataObject) -> None:
        counted = Counter(step.id for step in derive(CASES[kind](Maker(data.draw)).problem(), Rounding()).steps())
        assert [name for name, count in counted.items() if count > 1] == []

    holds()


PAGE = (Path(__file__).parents[1] / "docs" / "cli.in.md").read_text("utf-8")
ROWS = re.findall(r"^\| (`.*?) \| .* \| `([\w-]+)` \|$", PAGE, re.MULTILINE)  # ids, and the problem they are of


@pytest.mark.parametrize(("ids", "problem"), ROWS)
def test_ids_of_the_documentation_are_those_of_the_program(ids: str, problem: str) -> None:
    graph = loaded_graph(problem)
    for text in re.findall("`([^`]*)`", ids):
        found = graph.find(text)
        assert found is not None and graph.cell_id(found) == text


@cache
def loaded_graph(problem: str) -> Graph:
    """The graph of a shipped problem."""
    return derive(loaded(problem)).graph


def test_ids_say_place_sample_time() -> None:
    sample = "{{name: {name}, inputs: [[1], [2]], targets: [1]}}"
    text = f"""
        samples: [{sample.format(name="Ann")}, {sample.format(name="Bo")}]
        layers:
          - {{type: rnn, neurons: [h], input_weights: [[0.1]], hidden_weights: [[0.2]], returns: last}}
          - {{neurons: [y], weights: [[1]]}}"""
    graph = derive(loads(text)).graph
    for id in ("net.h@Ann@t2", "x[1]@Bo@t1", "grad.net.h@Bo@t1", "path.h.Wx1[1,1]@Ann@t1"):
        found = graph.find(id)
        assert found is not None and graph.cell_id(found) == id
    assert len(ROWS) > 15


GATES = {"rnn": 1, "lstm": 4, "gru": 3}  # type → how many blocks its weights have
HEADS = {"": 2, "- {neurons: [o], weights: [[0.4, -0.3]]}": 1, "- {type: dropout, mask: [1, 0]}": 2}  # what follows → its outputs


def recurrent(kind: str, times: int, head: str = "") -> Derivation:
    """A recurrent layer of two neurons over so many times; the loss is on every state, or on what comes after it."""
    rows = 2 * GATES[kind]
    problem = f"""
        inputs: {[[0.5 + time] for time in range(times)]}
        targets: {[[0.5] * HEADS[head]] * times}
        layers:
          - type: {kind}
            neurons: [h, g]
            input_weights: {[[0.1 + row / 10] for row in range(rows)]}
            hidden_weights: {[[0.3 - row / 20, row / 10] for row in range(rows)]}
            initial_state: [0.2, -0.4]
          {head.replace("[1, 0]", str([[1, 0]] * times))}
        learning_rate: 0.1"""
    return derive(loads(problem))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("times", some([1, 2, 3], [2]))
@pytest.mark.parametrize("kind", GATES)
def test_order_and_ids_of_a_recurrence(kind: str, times: int, head: str) -> None:
    """A state goes into the loss and into the next state: two paths from a neuron to itself."""
    check_order(recurrent(kind, times, head))


# time → the ids of the paths to the states of a recurrence over three times with the loss on every state
PATHS = {
    0: ["path.g.g", "path.g.h", "path.h.g", "path.h.h"],  # from the net inputs of time 1
    1: ["path.g.g", "path.g.h", "path.h.g", "path.h.h", "path.net.g.g", "path.net.h.h"],  # from the loss, and the net inputs of time 2
    3: ["path.g.g", "path.h.h"],  # from the loss
}


@pytest.mark.parametrize("time", PATHS)
def test_only_a_path_with_a_namesake_is_called_otherwise(time: int) -> None:
    ids = [step.id for step in recurrent("rnn", 3).steps() if step.kind == "path" and step.cell[0].endswith(".out1")]
    assert sorted(name.partition("@")[0] for name in ids if name.endswith(f"@t{time}")) == PATHS[time]
