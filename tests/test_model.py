"""Networks of one shape share their formulas, and nothing else: what is remembered never shows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from modelproblems import MODELS
from shipping import EACH, some

from handcalc.core.binding import bind
from handcalc.core.derivation import Header
from handcalc.core.expr import Expr, Number, Ref
from handcalc.core.quantity import Quantity
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads
from handcalc.models import model
from handcalc.problem.dataset import Dataset
from handcalc.problem.schema import Problem

PLAIN = """
inputs: [0.5, 1]
targets: [1]
layers:
  - {neurons: 2, activation: tanh, weights: [[0.1, 0.2], [0.3, 0.4]], bias: 0.5}
  - {neurons: 1, activation: sigmoid, weights: [[0.6, 0.7]]}
loss: half_squared_error
learning_rate: 0.5
"""


@pytest.fixture(autouse=True)
def nothing_known() -> Iterator[None]:
    model.forget()
    yield
    model.forget()


def lines(problem: Problem) -> list[tuple[str, Expr | None, Any, str, tuple[Any, ...]]]:
    """The worked solution: ids, formulas, values, printed numbers, paths."""
    found = derive(problem)
    return [(step.id, step.formula, step.value, step.shown.plain, step.contributions) for step in found.steps()]


def moved(number: Number) -> Number:
    return Number(4 * number.numerator + number.denominator, 4 * number.denominator)


def with_other_numbers(problem: Problem) -> Problem:
    """The same network with other inputs (targets, where the inputs choose rows of a table) or given numbers."""
    choosing = bool(problem.layers) and problem.layers[0].type == "embedding"
    samples = [
        sample.replace(targets=sample.targets and tuple(map(moved, sample.targets)))
        if choosing
        else sample.replace(inputs=tuple(map(moved, sample.inputs)))
        for sample in problem.samples
    ]
    if problem.standard is not None:  # the inputs are worked out of these
        first, *others = problem.standard.rows
        problem = problem.replace(standard=problem.standard.replace(rows=(tuple(map(moved, first)), *others)))
    return problem.replace(samples=tuple(samples), given={name: moved(value) for name, value in problem.given.items()})


@pytest.mark.parametrize("name", EACH)
def test_a_network_of_a_known_shape_is_worked_as_any(name: str) -> None:
    problem = load(name)
    if isinstance(problem.samples, Dataset):
        problem = problem.replace(samples=tuple(problem.samples[:3]))
    first = lines(problem)
    other = with_other_numbers(problem)
    known = lines(other)
    again = lines(problem)
    model.forget()
    assert known == lines(other)
    assert again == first and (known != first or other == problem)


def test_formulas_are_worked_out_once() -> None:
    problem = loads(PLAIN)
    first, second = derive(problem).graph, derive(with_other_numbers(problem)).graph
    assert first.known is second.known
    assert [quantity.definition for quantity in first] == [quantity.definition for quantity in second]
    assert first.given_value(("x", (0,))) != second.given_value(("x", (0,)))


# what makes another shape: the line of the example, and what stands in its place
OTHER_SHAPES = [
    ("[[0.1, 0.2], [0.3, 0.4]]", "{a: [x1, h1, 0.1], c: [x1, h2, 0.3], d: [x2, h2, 0.4]}"),  # an edge less
    ("bias: 0.5", "bias: [0.5, 0.6]"),
    ("bias: 0.5", "threshold: 0.5"),
    ("bias: 0.5", "bias: {b: 0.5}"),
    ("tanh", "sigmoid"),
    ("learning_rate: 0.5", "learning_rate: 0.25"),
    ("learning_rate: 0.5", "learning_rate: 0.5\nweight_decay: 0.1"),
    ("learning_rate: 0.5", "learning_rate: 0.5\nupdate: {biases: false}"),
    ("half_squared_error", "squared_error"),
    ("inputs: [0.5, 1]", "inputs: {u: 0.5, v: 1}"),
    ("neurons: 1", "neurons: [y]"),
]


@pytest.mark.parametrize(("old", "new"), OTHER_SHAPES, ids=[new for _, new in OTHER_SHAPES])
def test_another_shape_is_told_apart(old: str, new: str) -> None:
    assert old in PLAIN
    other = loads(PLAIN.replace(old, new))
    lines(loads(PLAIN))
    after = lines(other)
    model.forget()
    assert after == lines(other)


def test_the_order_of_names_is_told_apart() -> None:
    named = ["a: [x1, h1, 0.1]", "b: [x1, h2, 0.3]", "c: [x2, h2, 0.4]"]
    first, other = (loads(PLAIN.replace("[[0.1, 0.2], [0.3, 0.4]]", f"{{{', '.join(order)}}}")) for order in (named, named[::-1]))
    lines(first)
    after = lines(other)
    model.forget()
    assert after == lines(other)


@pytest.mark.parametrize("kind", some(MODELS, list(MODELS)[::3]))
def test_every_number_may_be_another(kind: str) -> None:
    """Parameters, first states and constants as well as inputs, also in what is worked out again after the update."""
    first = loads(MODELS[kind])
    changed = re.sub(r"(?<=[\[ ,-])(0\.\d+)(?=[],}])", lambda found: f"{float(found[0]) + 0.03:.2f}", MODELS[kind])
    lines(first)
    known = lines(loads(changed))
    model.forget()
    assert changed != MODELS[kind] and known == lines(loads(changed))


def test_whoever_goes_on_defining_does_so_alone() -> None:
    problem = loads(PLAIN)
    lines(problem)
    mine, others = derive(problem).graph, derive(problem).graph
    mine.define(Quantity("more", "loss", definition=Ref("loss"), names={(): "more"}))
    assert mine.instance(("more", ())) == Ref("loss") and "more" not in others and "more" not in derive(problem).graph
    assert mine.known is not others.known
    mine.define(Quantity("slope", "gradient", of=Ref("more"), definition=Ref("loss"), prefix="slope"))
    mine.define(Quantity("again", "loss", definition=Ref("loss"), names={(): "again"}, role="again"))
    assert (mine.gradient("more"), mine.in_layer(0, "loss", "again")) == ("slope", "again")
    for other in (others, derive(problem).graph):
        assert (other.gradient("more"), other.in_layer(0, "loss", "again")) == ("", "")


def test_only_some_shapes_are_kept() -> None:
    for size in range(1, model.KEPT + 5):
        derive(loads(f"inputs: {[1] * size}\nlayers: [{{neurons: 1, activation: tanh, weights: {[[0.5] * size]}}}]"))
        derive(loads(f"inputs: {[1] * size}\ntargets: [0]\nlayers: [{{neurons: 1, weights: {[[0.5] * size]}}}]\nloss: squared_error"))
    assert len(model._KEPT) == model.KEPT


def test_large_networks_are_not_kept() -> None:
    weights = [[0.5] * 60] * 60
    derive(loads(f"inputs: {[1] * 60}\ntargets: {[0] * 60}\nlayers: [{{neurons: 60, weights: {weights}}}]\nloss: squared_error"))
    assert not model._KEPT


def test_formulas_that_are_shared_stay_when_one_graph_gets_others() -> None:
    """What nobody has asked for yet is worked out from the formulas that are shared, not from those of whoever changed its own."""
    first = derive(loads(PLAIN)).graph
    name = first.in_layer(1, "net")
    first.redefine(first[name])  # from now on what is known is its own
    second = first.renumbered(first)
    first.redefine(first[name].replace(definition=Number(7)))
    assert first.instance((name, (0,))) == Number(7)
    assert second.instance((name, (0,))) == derive(loads(PLAIN)).graph.instance((name, (0,))) != Number(7)


@pytest.mark.parametrize("name", ["mazur-2-2-2", "conv-pool-dense", "hungyi-lee-lstm"])
def test_one_reading_of_a_formula_writes_every_cell(name: str) -> None:
    """A formula that was read once for all cells of its quantity is, at each of them, what it is when it is read for that one."""
    graph = derive(load(name)).graph
    for quantity in graph:
        if quantity.definition is not None and not quantity.stepwise:
            letters = [index.letter for index in quantity.index]
            for place in graph.positions(quantity.name):
                own = quantity.formula(place)
                assert own is not None
                assert graph.instance((quantity.name, place)) == bind(own, dict(zip(letters, place)), graph.present)


def test_what_a_report_says_is_made_when_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Problem] = []
    monkeypatch.setattr("handcalc.deriving.header_of", lambda problem: made.append(problem) or Header(title="once"))
    derivation = derive(loads(PLAIN), iterations=3)
    list(derivation)
    assert not made
    assert derivation.header.title == derivation.at(2).header.title == derivation.header.title == "once"
    assert len(made) == 1
