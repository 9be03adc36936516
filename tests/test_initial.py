"""Initial weights that are drawn: the same everywhere, as wide as the rule says, and numbers like any others."""

from __future__ import annotations

import math
import random
from statistics import fmean, pstdev

import pytest

from handcalc import derive, loads
from handcalc.errors import ProblemError
from handcalc.layers import weights
from handcalc.problem.arrays import Array
from handcalc.problem.schema import EdgeMatrix, Problem
from handcalc.problem.words import INITIAL

UNIFORM = [0.236609, 0.789933, 0.869245, 0.952492, 0.168192, 0.238128]
NORMAL = [1.09648, 2.30966, -0.970919, -0.380418, 0.173771, -1.47505]


def network(first: str, second: str = "{random: he, seed: 1}", bias: str = "0", neurons: int = 3) -> Problem:
    return loads(f"""
inputs: [1, 2]
layers:
  - {{neurons: {neurons}, activation: tanh, weights: {first}, bias: {bias}}}
  - {{neurons: 2, weights: {second}}}
""")


def drawn(problem: Problem, layer: int, rows: int, columns: int) -> list[float]:
    found = [problem.layers[layer].weights.get((row, column)) for row in range(rows) for column in range(columns)]
    return [number.numerator / number.denominator for number in found]


def test_the_same_numbers_everywhere() -> None:
    """Written down once; anybody can make them with Python's generator and a pocket calculator."""
    assert drawn(network("{random: uniform, seed: 1}"), 0, 3, 2) == UNIFORM
    assert drawn(network("{random: normal, seed: 1}"), 0, 3, 2) == NORMAL
    draw = random.Random("1 W1").random
    assert [float(f"{2 * draw() - 1:.6g}") for _ in range(6)] == UNIFORM
    draw = random.Random("1 W1").random
    assert [float(f"{math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw()):.6g}") for _ in range(6)] == NORMAL


def test_layers_and_seeds_have_streams_of_their_own() -> None:
    one = network("{random: he, seed: 1}", "{random: he, seed: 1}")
    assert drawn(one, 0, 2, 2) != drawn(one, 1, 2, 2) != drawn(network("{random: he, seed: 2}", "{random: he, seed: 2}"), 1, 2, 2)
    assert drawn(one, 0, 3, 2) == drawn(network("{random: he, seed: 1}", "{random: xavier, seed: 5}"), 0, 3, 2)


# rule → standard deviation of a layer with 40 inputs and 60 neurons
SPREAD = {"normal": 1, "uniform": 1 / math.sqrt(3), "xavier": math.sqrt(6 / 100) / math.sqrt(3), "he": math.sqrt(2 / 40)}


@pytest.mark.parametrize("rule", INITIAL)
@pytest.mark.parametrize("scale", [1, 0.5])
def test_rules(rule: str, scale: float) -> None:
    """PyTorch's xavier_uniform_ and kaiming_normal_ have the same spread; 2,400 numbers show it to a few per cent."""
    inputs = ", ".join(["0"] * 40)
    layer = f"layers: [{{neurons: 60, weights: {{random: {rule}, scale: {scale}, seed: 3}}}}]"
    problem = loads(f"inputs: [{inputs}]\n{layer}")
    assert isinstance(problem.layers[0].weights, Array)
    found = drawn(problem, 0, 60, 40)
    assert pstdev(found) == pytest.approx(SPREAD[rule] * scale, rel=0.05) and abs(fmean(found)) < 0.1 * SPREAD[rule] * scale
    if INITIAL[rule].spread == "even":
        assert max(map(abs, found)) <= SPREAD[rule] * scale * math.sqrt(3)


def test_every_rule_is_known() -> None:
    assert {*INITIAL} == {*SPREAD}


def test_small_and_large_layers_are_drawn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    small = network("{random: normal, seed: 1}")
    monkeypatch.setattr(weights, "TYPED_LIMIT", 0)
    large = network("{random: normal, seed: 1}")
    assert isinstance(small.layers[0].weights, EdgeMatrix) and isinstance(large.layers[0].weights, Array)
    assert drawn(small, 0, 3, 2) == drawn(large, 0, 3, 2)


def test_drawn_numbers_are_given_numbers() -> None:
    """Printed with all their digits, whatever results are rounded to, so that whoever works with what is printed gets what is printed."""
    problem = network("{random: normal, seed: 1}")
    assert derive(problem)["W1[1,1]"].shown.digits == repr(NORMAL[0])
    short = derive(loads("rounding: {decimals: 2}\n" + ONE))["W1[1,1]"]
    assert short.shown.digits == repr(NORMAL[0]) and short.shown.exact
    small = derive(loads(ONE.replace("normal", "normal, scale: 1/100000")))["W1[1,1]"]
    assert small.shown.digits == "0.0000109648"


ONE = "inputs: [1, 2]\nlayers: [{neurons: 1, weights: {random: normal, seed: 1}}]\n"


def test_biases() -> None:
    zeros = network("{random: he, seed: 1}", bias="zeros")
    assert zeros.layers[0].bias is not None and zeros.layers[0].bias.form == "neuron"
    assert [derive(zeros)[f"b1[{place}]"].value for place in (1, 2, 3)] == [0, 0, 0]
    random_ones = network("{random: he, seed: 1}", bias="{random: normal, scale: 0.1, seed: 1}")
    draw = random.Random("1 b1").random
    wanted = [float(f"{0.1 * math.sqrt(-2 * math.log(1 - draw())) * math.cos(2 * math.pi * draw()):.6g}") for _ in range(3)]
    assert [derive(random_ones)[f"b1[{place}]"].value for place in (1, 2, 3)] == wanted
    shared = network("{random: he, seed: 1}", bias="{random: 0.5}")
    assert shared.layers[0].bias is not None and shared.layers[0].bias.names == {(): "random"}


def test_names_and_edges_called_random() -> None:
    named = loads(ONE.replace("seed: 1}", "seed: 1}, weight_names: [[u, v]]"))
    assert derive(named)["u"].value == NORMAL[0]
    edge = loads("inputs: [1]\nlayers: [{neurons: [y], weights: {random: [x1, y, 0.5]}}]")
    assert derive(edge)["random"].value == 0.5


WRONG = [
    ("{random: normal}", "the seed is missing: a whole number, with which everybody draws the same"),
    ("{random: cauchy, seed: 1}", 'random: unknown value "cauchy"; known are normal, uniform, xavier, he'),
    ("{random: xavir, seed: 1}", 'random: unknown value "xavir", did you mean "xavier"?'),
    ("{random: he, seed: x}", 'seed: expected a whole number from 0 to 1000000000, found "x"'),
    ("{random: he, seed: 1, scale: -1}", 'scale: expected a number above 0, found "-1"'),
    ("{random: he, sead: 1}", 'sead: unknown key, did you mean "seed"?'),
]


@pytest.mark.parametrize(("text", "wanted"), WRONG)
def test_wrong(text: str, wanted: str) -> None:
    with pytest.raises(ProblemError) as caught:
        network(text)
    assert any(str(message).endswith(wanted) and "layers[0].weights" in str(message) for message in caught.value.messages), caught.value
