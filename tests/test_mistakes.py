"""The catalogue of mistakes: the wrong numbers each is known to give, where it applies, and where it says nothing new.

The numbers were collected from forum questions and published solutions of the 2-2-2 network of Matt Mazur and of small
softmax, tanh and ReLU exercises, and recomputed by hand.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from shipping import some, thinned
from students import NETWORKS, WRONG, Paper
from test_model_mistakes import SLUGS as OF_LAYERS
from test_optimiser_mistakes import PROBLEMS as OPTIMISED
from test_optimiser_mistakes import SLUGS as OF_OPTIMISERS

from handcalc.core.quantity import Cell
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads
from handcalc.marking import example
from handcalc.marking.check import check
from handcalc.marking.definitions import FORMS, NONE, Definitions, Hypothesis, MadeMistake, MistakeForm
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.mistakes import MISTAKES
from handcalc.marking.mistakes.anyline import ANY_LINE
from handcalc.marking.table import HypothesisTable
from handcalc.marking.workbook import Workbook
from handcalc.render.blocks import phrase

# --- small problems -----------------------------------------------------------------------------------------------------

MAZUR = """
    inputs: {i1: 0.05, i2: 0.10}
    targets: {o1: 0.01, o2: 0.99}
    layers:
      - {neurons: [h1, h2], activation: %s, weights: [[0.15, 0.20], [0.25, 0.30]], bias: {h: [h1, 0.35], i: [h2, 0.35]}}
      - {neurons: [o1, o2], activation: sigmoid, weights: [[0.40, 0.45], [0.50, 0.55]], bias: {b_o1: [o1, 0.60], b_o2: [o2, 0.60]}}
    loss: half_squared_error
    learning_rate: 0.5"""
SOFTMAX = """
    inputs: [2, 1, 0.1]
    targets: [1, 0, 0]
    layers: [{neurons: [p1, p2, p3], activation: softmax, weights: [[1, 0, 0], [0, 1, 0], [0, 0, 1]]}]
    loss: cross_entropy
    learning_rate: 1"""
PROBLEMS = {
    "separate biases": MAZUR % "sigmoid",
    "biases not trained": MAZUR % "sigmoid" + "\n    update: {biases: false}",
    "tanh": MAZUR % "tanh",
    "squares": MAZUR.replace("half_squared_error", "squared_error") % "sigmoid",
    "softmax": SOFTMAX,
    "softmax with its matrix": SOFTMAX.replace("activation: softmax", "activation: {softmax: {jacobian: true}}"),
    "fused softmax": SOFTMAX + "\n    conventions: {softmax_loss: fused}",
    "two steps of tanh": """
        given: {h0: 0.5, wh: 2.0, wy: 40.0}
        equations: {z1: wh*h0, h1: tanh(z1), z2: wh*h1, h2: tanh(z2), y: wy*h2}
        minimize: y
        parameters: [wh, wy]
        learning_rate: 0.001""",
    "softmax of two samples": """
        samples:
          - {inputs: [2, 1], targets: [1, 0]}
          - {inputs: [0.5, 3], targets: [0, 1]}
        layers: [{neurons: [p1, p2], activation: softmax, weights: [[1, 0], [0, 1]]}]
        loss: cross_entropy
        learning_rate: 1""",
    "binary": """
        inputs: [2]
        targets: [1]
        layers: [{neurons: [o], activation: sigmoid, weights: [[0.35]]}]
        loss: binary_cross_entropy
        learning_rate: 0.1""",
    "relu": """
        inputs: [0.5, -0.3]
        targets: [0.7, -0.4]
        layers: [{neurons: [r1, r2], activation: relu, weights: [[1, 0], [0, 1]]}]
        loss: half_squared_error
        learning_rate: 0.5""",
    "relu at zero": """
        inputs: [1]
        targets: [1]
        layers: [{neurons: [r], activation: relu, weights: [[0]]}]
        loss: half_squared_error
        learning_rate: 0.5""",
    "relu at zero is 1": """
        inputs: [1]
        targets: [1]
        layers: [{neurons: [r], activation: relu, weights: [[0]]}]
        loss: half_squared_error
        learning_rate: 0.5
        conventions: {relu_at_zero: 1}""",
    **{
        f"softmax with {loss}": SOFTMAX.replace("loss: cross_entropy", f"loss: {loss}")
        for loss in ("{cross_entropy: {smoothing: 0.1}}", "{cross_entropy: {class_weights: [2, 1, 4]}}", "cosine", "multiclass_hinge")
    },
    "shares": SOFTMAX.replace("[1, 0, 0]", "[0.7, 0.2, 0.1]", 1).replace("cross_entropy", "kl_divergence"),
    "leaky relu": """
        inputs: [-2]
        targets: [1]
        layers: [{neurons: [r], activation: {leaky_relu: {slope: 0.1}}, weights: [[1]]}]
        loss: half_squared_error
        learning_rate: 0.5""",
    "threshold": """
        inputs: [1]
        targets: [1]
        layers: [{neurons: [o], activation: identity, weights: [[0.5]], threshold: {θ: [o, 0.2]}}]
        loss: half_squared_error
        learning_rate: 0.1""",
    "penalties": """
        samples: [{inputs: [1], targets: [0]}, {inputs: [2], targets: [1]}]
        layers: [{neurons: [o], activation: identity, weights: {w: [x1, o, -0.5]}, bias: {b: [o, 0.4]}}]
        loss: half_squared_error
        regularization: {l2: 0.4, l1: 0.2, form: half_mean}
        learning_rate: 0.5""",
    "one linear neuron": """
        inputs: [2]
        targets: [1]
        layers: [{neurons: [o], activation: identity, weights: [[0.3341]], bias: {b: [o, 0]}}]
        loss: half_squared_error
        learning_rate: 0.5""",
    "three outputs": """
        inputs: [1]
        targets: [0.3, 0.2, 0.1]
        layers: [{neurons: [o1, o2, o3], activation: identity, weights: [[1], [0.5], [0.4]]}]
        loss: half_squared_error
        learning_rate: 0.5""",
    "batch": """
        samples:
          - {inputs: [1], targets: [1]}
          - {inputs: [2], targets: [0]}
        layers: [{neurons: [o], activation: identity, weights: [[0.5]]}]
        loss: half_squared_error
        learning_rate: 0.1""",
    "a short mini-batch": """
        samples:
          - {inputs: [1], targets: [1]}
          - {inputs: [2], targets: [0]}
          - {inputs: [1], targets: [0]}
        layers: [{neurons: [o], activation: identity, weights: [[0.5]]}]
        loss: half_squared_error
        learning_rate: 0.1
        training: {mode: mini_batch, batch_size: 2}""",
    **{name: network.yaml() for name, network in NETWORKS.items()},
    **OPTIMISED,
    **{f"2-2-2 with {name}": NETWORKS["2-2-2 with four biases"].yaml().replace("sigmoid", name) for name in ("tanh", "softplus", "gelu")},
}


@cache
def definitions(problem: str, iterations: int = 1) -> Definitions:
    """A problem's definitions, right and wrong."""
    return Definitions(Workbook(loads(PROBLEMS[problem]) if problem in PROBLEMS else load(problem), iterations))


def forms(slug: str) -> list[MistakeForm]:
    return [form for form in FORMS if form.mistake.slug == slug]


def value(problem: str, wanted: str, form: MistakeForm | None = None, iterations: int = 1) -> float:
    """A number of a problem, right or under a form of a mistake."""
    row = NONE if form is None else Hypothesis((MadeMistake(form),))
    found = definitions(problem, 2 if wanted.startswith("#2:") else iterations)
    return float(HypothesisTable(found, (row,))[found.book.find(wanted)][0])


def as_printed(number: float, printed: str) -> bool:
    """Whether a number, rounded to the printed digits, is the printed one."""
    places = -int(Decimal(printed).as_tuple().exponent)
    return round(number, places) == float(printed)


# --- the numbers they give ------------------------------------------------------------------------------------------------

# the right numbers of the 2-2-2 network
RIGHT = {
    "net.h1": ".3775", "out.h1": ".593270", "out.o1": ".751365", "loss": ".298371", "grad.net.o1": ".138499", "grad.w5": ".082167",
    "new.w5": ".358916", "grad.net.h1": ".008771", "grad.w1": ".000438568", "new.w1": ".149781",
}  # fmt: skip

# (mistake, what one of its variants gives)
GIVES: list[tuple[str, dict[str, str]]] = [
    # forward
    ("bias-forgotten", {"out.o1": ".606478", "new.w5": ".363921", "new.w1": ".149906"}),
    ("bias-subtracted", {"out.o1": ".439967", "new.w5": ".377749", "new.w1": ".150142"}),
    ("bias-times-input", {"net.h1": ".0450"}),
    ("first-weights-transposed", {"out.o1": ".751405", "new.w1": ".149781"}),
    ("output-weights-transposed", {"out.o1": ".756899", "new.w5": ".359233"}),
    ("exponent-sign", {"out.o1": ".280074", "new.w5": ".388926"}),
    ("sigmoid-parenthesis-lost", {"out.o1": "1.131579"}),
    ("ten-for-e", {"out.o1": ".940920", "new.w5": ".381769"}),
    ("hidden-activation-skipped", {"out.o1": ".716593", "new.w5": ".372914"}),
    ("output-activation-skipped", {"out.o1": "1.105906", "new.w5": ".074916"}),
    ("activation-twice", {"out.h1": ".644115"}),
    # error and output layer
    ("slope-of-other-function", {"local.out.o1": ".435451", "grad.net.o1": ".322828"}),  # 1 - y² for y(1 - y)
    ("half-forgotten", {"loss": ".596742", "grad.net.o1": ".276997", "new.w5": ".317833"}),
    ("half-forgotten", {"loss": ".596742", "grad.net.o1": ".138499"}),
    ("half-forgotten", {"loss": ".298371", "grad.net.o1": ".276997"}),
    ("mean-for-half", {"grad.net.o1": ".069249", "new.w5": ".379458"}),
    ("square-of-sum", {"loss": ".137442"}),
    ("absolute-or-root-error", {"loss": ".958437"}),
    ("absolute-or-root-error", {"loss": ".546234"}),
    ("one-output-only", {"loss": ".274811"}),
    ("error-from-delta", {"loss": ".010317"}),
    ("error-sign-flipped", {"grad.net.o1": "-.138499", "new.w5": ".441084"}),
    ("output-derivative-forgotten", {"grad.net.o1": ".741365", "new.w5": ".180085", "grad.net.h1": ".045367"}),
    ("output-derivative-from-net", {"grad.net.o1": "-.086830", "new.w5": ".425757"}),
    ("output-derivative-of-activated", {"grad.net.o1": ".161461", "new.w5": ".352105"}),
    ("output-derivative-truncated", {"grad.net.o1": ".184329", "new.w5": ".345321"}),
    ("output-derivative-truncated", {"grad.net.o1": ".372707", "new.w5": ".289442"}),
    ("output-derivative-from-target", {"grad.net.o1": ".007340", "new.w5": ".397823"}),
    ("derivative-at-error", {"grad.net.o1": ".191743", "new.w5": ".343122"}),
    ("loss-for-error", {"grad.net.o1": ".051339", "new.w5": ".384771"}),
    # backward pass and update
    ("updated-weights-used", {"grad.net.h1": ".007294", "new.w1": ".149818"}),
    ("hidden-derivative-forgotten", {"grad.net.h1": ".036350", "new.w1": ".149091"}),
    ("hidden-derivative-from-net", {"grad.net.h1": ".008542", "new.w1": ".149786"}),
    ("hidden-derivative-truncated", {"grad.net.h1": ".021566", "new.w1": ".149461"}),
    ("derivative-of-other-layer", {"grad.net.h1": ".006791", "new.w1": ".149830"}),
    ("sum-over-outputs-forgotten", {"grad.net.h1": ".013368", "new.w1": ".149666"}),
    ("mean-over-outputs", {"grad.net.h1": ".004386", "new.w1": ".149890"}),
    ("output-weights-not-transposed-back", {"grad.net.h1": ".009231", "new.w1": ".149769"}),
    ("raw-error-sent-back", {"grad.net.h1": ".045367", "new.w1": ".148866"}),
    ("weights-left-out-of-back-sum", {"grad.net.h1": ".024227", "new.w1": ".149394"}),
    ("gradients-summed-for-delta-times-weight", {"grad.net.h1": ".014373", "new.w1": ".149641"}),
    ("first-layer-weights-sent-back", {"grad.net.h1": ".002715", "new.w1": ".149932"}),
    ("share-of-blame", {"grad.net.h1": ".011349", "new.w1": ".149716"}),
    ("upstream-replaced-by-derivative", {"grad.net.h1": ".249917", "new.w1": ".143752"}),
    ("input-for-hidden-output", {"new.w5": ".396538"}),
    ("net-for-hidden-output", {"new.w5": ".373858"}),
    ("hidden-output-for-input", {"grad.w1": ".005204", "new.w1": ".147398"}),
    ("plus-for-minus", {"new.w5": ".441084"}),
    ("rate-forgotten", {"new.w5": ".317833"}),
    ("rate-twice", {"new.w5": ".379458"}),
    ("change-given-as-weight", {"new.w5": "-.041084"}),
    ("rate-times-weight", {"new.w5": ".158916"}),
    ("bias-update-rule", {"new.b1": ".340637", "new.b2": ".549800"}),
]  # fmt: skip

# (mistake, problem, the right numbers, what one of its variants gives)
ELSEWHERE: list[tuple[str, str, dict[str, str], dict[str, str]]] = [
    ("tan-for-tanh", "tanh", {"out.h1": ".360534"}, {"out.h1": ".396517"}),
    ("tan-for-tanh", "tanh", {"out.h1": ".360534"}, {"out.h1": ".006589"}),
    ("square-factor-forgotten", "squares", {"loss": ".596742", "grad.net.o1": ".276997"}, {"grad.net.o1": ".138499"}),
    ("activation-exchanged", "tanh", {"out.h1": ".360534", "local.out.h1": ".870015"}, {"out.h1": ".593270", "local.out.h1": ".241301"}),
    ("tanh-half-angle", "tanh", {"out.h1": ".360534"}, {"out.h1": ".186540"}),
    ("tanh-derivative-wrong", "tanh", {"local.out.h1": ".870015"}, {"local.out.h1": "1.129985"}),
    ("tanh-derivative-wrong", "tanh", {"local.out.h1": ".870015"}, {"local.out.h1": "-.129985"}),
    ("tanh-derivative-wrong", "tanh", {"local.out.h1": ".870015"}, {"local.out.h1": ".857494"}),
    ("tanh-derivative-wrong", "tanh", {"local.out.h1": ".870015"}, {"local.out.h1": ".230549"}),
    ("softmax-without-exponent", "softmax", {"out.p1": ".659"}, {"out.p1": ".645"}),
    ("softmax-without-exponent", "softmax", {"out.p1": ".659"}, {"out.p1": ".096"}),
    ("softmax-twice", "softmax", {"out.p1": ".659"}, {"out.p1": ".448", "out.p2": ".296", "out.p3": ".256"}),
    ("sigmoid-for-softmax", "softmax", {"out.p1": ".659"}, {"out.p1": ".881", "out.p2": ".731", "out.p3": ".525"}),
    ("cross-entropy-extra-derivative", "softmax", {"grad.net.p1": "-.340999"}, {"grad.net.p1": "-.076629"}),
    ("softmax-diagonal-only", "softmax", {"grad.net.p1": "-.341", "grad.net.p2": ".242", "grad.net.p3": ".099"},
     {"grad.net.p1": "-.341", "grad.net.p2": "0", "grad.net.p3": "0"}),
    ("softmax-diagonal-only", "softmax with its matrix", {"jacobian.p1.p2": "-.159764"}, {"jacobian.p1.p2": "0"}),
    ("softmax-jacobian-wrong", "softmax with its matrix", {"jacobian.p1.p2": "-.159764"}, {"jacobian.p1.p2": ".159764"}),
    ("softmax-jacobian-wrong", "softmax with its matrix", {"jacobian.p1.p1": ".224719"}, {"jacobian.p1.p1": "-.434283"}),
    ("softmax-jacobian-wrong", "softmax with its matrix", {"jacobian.p1.p2": "-.159764"}, {"jacobian.p1.p2": ".499238"}),
    ("log-base", "softmax", {"loss": ".417"}, {"loss": ".181"}),
    ("log-base", "softmax", {"loss": ".417"}, {"loss": ".602"}),
    ("log-base", "fused softmax", {"loss": ".417"}, {"loss": ".181"}),
    ("log-base", "binary", {"loss": ".403"}, {"loss": ".175"}),
    ("cross-entropy-sign-or-mean", "softmax", {"loss": ".417"}, {"loss": "-.417"}),
    ("cross-entropy-sign-or-mean", "softmax", {"loss": ".417"}, {"loss": ".139"}),
    ("binary-formula-on-softmax", "softmax", {"loss": ".417030"}, {"loss": ".798442"}),
    *(("smoothing-forgotten", "softmax with {cross_entropy: {smoothing: 0.1}}", {"smoothed.p1": ".933333", "smoothed.p2": ".033333"},
       {"smoothed.p1": first, "smoothed.p2": second}) for first, second in (("1", "0"), (".9", "0"), ("1", ".1"))),
    ("class-weight-forgotten", "softmax with {cross_entropy: {class_weights: [2, 1, 4]}}", {"loss": ".834060"}, {"loss": ".417030"}),
    ("divergence-turned-round", "shares", {"loss.p1": ".042249"}, {"loss.p1": "-.039774"}),
    ("divergence-turned-round", "shares", {"loss.p1": ".042249"}, {"loss.p1": ".291921"}),
    ("divergence-turned-round", "shares", {"loss.p1": ".042249"}, {"loss.p1": "-.042249"}),
    ("log-base", "shares", {"loss.p1": ".042249"}, {"loss.p1": ".018348"}),
    ("right-class-counted", "softmax with multiclass_hinge", {"loss": "1.022997"}, {"loss": "2.022997"}),
    ("cosine-taken-for-loss", "softmax with cosine", {"loss": ".070604"}, {"loss": ".929396"}),
    ("lengths-forgotten", "softmax with cosine", {"loss": ".070604"}, {"loss": ".340999"}),
    ("lengths-forgotten", "softmax with cosine", {"loss.q": ".709064"}, {"loss.q": ".502771"}),
    ("relu-mask-wrong", "relu", {"grad.net.r1": "-.2", "grad.net.r2": "0"}, {"grad.net.r1": "0", "grad.net.r2": ".4"}),
    ("relu-mask-wrong", "relu", {"grad.net.r1": "-.2", "grad.net.r2": "0"}, {"grad.net.r1": "1", "grad.net.r2": "0"}),
    ("relu-mask-wrong", "relu", {"grad.net.r1": "-.2", "grad.net.r2": "0"}, {"grad.net.r1": "-.1", "grad.net.r2": "0"}),
    ("relu-negative-kept", "relu", {"out.r1": ".5", "out.r2": "0"}, {"out.r1": ".5", "out.r2": "-.3"}),
    ("relu-negative-kept", "leaky relu", {"out.r": "-.2"}, {"out.r": "0"}),
    ("relu-at-zero", "relu at zero", {"local.out.r": "0"}, {"local.out.r": "1"}),
    ("relu-at-zero", "relu at zero", {"local.out.r": "0"}, {"local.out.r": ".5"}),
    ("relu-at-zero", "relu at zero is 1", {"local.out.r": "1"}, {"local.out.r": "0"}),
    ("factor-twice", "binary", {"grad.W1[1,1]": "-.6636"}, {"grad.W1[1,1]": "-1.3272"}),
    ("bias-update-rule", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".6"}),
    ("bias-update-rule", "biases not trained", {"new.b_o1": ".6"}, {"new.b_o1": ".530751"}),
    ("input-forgotten", "binary", {"grad.W1[1,1]": "-.6636"}, {"grad.W1[1,1]": "-.3318"}),
    ("bias-gradient-times-input", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".558916"}),
    ("bias-value-for-gradient", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".558450"}),
    ("bias-value-for-gradient", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".3"}),
    ("bias-moved-per-weight", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".461501"}),
    ("bias-mean-or-scalar", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".574900"}),
    ("bias-mean-or-scalar", "separate biases", {"new.b_o1": ".530751"}, {"new.b_o1": ".549800"}),
    ("threshold-sign", "threshold", {"grad.θ": ".7", "new.θ": ".13"}, {"grad.θ": ".7", "new.θ": ".27"}),
    ("two-over-n", "three outputs", {"grad.net.o1": ".7", "loss": ".335"}, {"grad.net.o1": ".466667", "loss": ".223333"}),
    ("batch-scaling", "batch", {"grad.W1[1,1]": ".75"}, {"grad.W1[1,1]": ".375"}),
    ("batch-scaling", "batch", {"grad.W1[1,1]": ".75"}, {"grad.W1[1,1]": "1.5"}),
    ("batch-scaling", "a short mini-batch", {"#2:grad.W1[1,1]": ".425"}, {"#2:grad.W1[1,1]": ".2125"}),
    ("online-for-batch", "batch", {"net.o@2": "1", "new.W1[1,1]": ".425"}, {"net.o@2": "1.1", "new.W1[1,1]": ".33"}),
    # two samples, E = ½ mean (t − o)² + 0.1·w² + 0.1·|w| with w = −0.5: o = −0.1, −0.6; E_data = 0.6425; data's ∂E/∂w −1.65, ∂E/∂b −0.85
    ("penalty-not-in-gradient", "penalties", {"grad.w": "-1.85"}, {"grad.w": "-1.65"}),
    ("penalty-not-in-loss", "penalties", {"loss": ".7175"}, {"loss": ".6425"}),
    ("penalty-factor", "penalties", {"loss": ".7175", "grad.w": "-1.85"}, {"loss": ".7925", "grad.w": "-2.05"}),
    ("penalty-factor", "penalties", {"loss": ".7175", "grad.w": "-1.85"}, {"loss": ".7175", "grad.w": "-2.05"}),
    ("penalty-factor", "penalties", {"loss": ".7175", "grad.w": "-1.85"}, {"loss": ".7175", "grad.w": "-1.75"}),
    ("penalty-factor", "penalties", {"loss": ".7175", "grad.w": "-1.85"}, {"loss": ".68", "grad.w": "-1.85"}),
    ("penalty-factor", "penalties", {"loss": ".7175", "grad.w": "-1.85"}, {"loss": ".7175", "grad.w": "-1.45"}),
    ("bias-in-penalty", "penalties", {"loss": ".7175", "grad.b": "-.85"}, {"loss": ".7735", "grad.b": "-.67"}),
    ("slope-of-absolute-value", "penalties", {"grad.w": "-1.85"}, {"grad.w": "-1.65"}),
    ("slope-of-absolute-value", "penalties", {"grad.w": "-1.85"}, {"grad.w": "-1.80"}),
    ("neighbour-gradient", "mazur-2-2-2", {"new.w1": ".149781"}, {"new.w1": ".149561"}),
]  # fmt: skip


def complaints(problem: str, slug: str, gives: Mapping[str, str]) -> str:
    """Nothing, if one variant of a mistake gives all these numbers; else what the variants give."""
    found = [{wanted: value(problem, wanted, form) for wanted in gives} for form in forms(slug)]
    fits = [all(as_printed(numbers[wanted], printed) for wanted, printed in gives.items()) for numbers in found]
    return "" if any(fits) else f"{slug} gives {found}, expected {gives}"


@pytest.mark.parametrize("wanted", RIGHT)
def test_right_numbers(wanted: str) -> None:
    assert as_printed(value("mazur-2-2-2", wanted), RIGHT[wanted])


@pytest.mark.parametrize(("slug", "gives"), [pytest.param(*row, id=f"{row[0]} {row[1]}") for row in GIVES])
def test_numbers_of_the_famous_network(slug: str, gives: dict[str, str]) -> None:
    assert not complaints("mazur-2-2-2", slug, gives)


@pytest.mark.parametrize(("slug", "problem", "right", "gives"), [pytest.param(*row, id=f"{row[0]} {row[3]}") for row in ELSEWHERE])
def test_numbers_of_small_problems(slug: str, problem: str, right: dict[str, str], gives: dict[str, str]) -> None:
    assert all(as_printed(value(problem, wanted), printed) for wanted, printed in right.items())
    assert not complaints(problem, slug, gives)


def test_wrong_rows_are_found() -> None:
    assert complaints("mazur-2-2-2", "bias-forgotten", {"out.o1": ".606478", "new.w5": ".363922"})
    assert complaints("mazur-2-2-2", "half-forgotten", {"loss": ".298371", "grad.net.o1": ".138499"})


@pytest.mark.slow
@pytest.mark.parametrize("network", NETWORKS)
def test_every_number_of_a_notebook(network: str) -> None:
    """A mistake made in plain Python gives the same numbers, all of them, in deep and oblong networks too."""
    book = Workbook(loads(NETWORKS[network].yaml()))
    known = Definitions(book)
    rows = tuple(Hypothesis((MadeMistake(form),)) for form in FORMS)
    table = HypothesisTable(known, (NONE, *rows))
    seen = 0
    for slug, wrong in WRONG:
        try:
            numbers = Paper(NETWORKS[network], wrong).numbers()
        except IndexError:  # it needs as many neurons in one layer as in the next
            assert "transposed" in slug or "weights" in slug or "layer" in slug, slug
            continue
        possible = np.array([row.slugs in ((), (slug,)) for row in table.rows])
        for wanted, number in numbers.items():
            possible &= np.isclose(table[book.find(wanted)], number, rtol=1e-10, atol=1e-14)
        assert possible.any(), f"no variant of {slug} gives {numbers}"
        seen += not possible[0]
    assert seen > 40


# --- numbers that need more than one sheet ----------------------------------------------------------------------------------


def test_a_gradient_matrix_transposed_exchanges_two_gradients() -> None:
    (form,) = forms("gradient-transposed")
    exchanged = {"grad.w5": "grad.w5", "grad.w6": "grad.w7", "grad.w7": "grad.w6", "grad.w8": "grad.w8"}
    assert {value("mazur-2-2-2", wanted, form) for wanted in exchanged} == {value("mazur-2-2-2", other) for other in exchanged.values()}
    for wanted, other in exchanged.items():
        assert value("mazur-2-2-2", wanted, form) == value("mazur-2-2-2", other)


def test_softmax_over_the_samples_sums_to_one_by_column() -> None:
    (form,) = forms("softmax-wrong-axis")
    for unit in ("p1", "p2"):
        assert sum(value("softmax of two samples", f"out.{unit}@{sample}", form) for sample in (1, 2)) == pytest.approx(1)
        assert sum(value("softmax of two samples", f"out.{unit}@{sample}") for sample in (1, 2)) != pytest.approx(1)


def test_the_second_step_from_the_old_weights_repeats_the_first() -> None:
    form = next(form for form in forms("old-weights-in-next-step") if form.variant < 0)
    for wanted in ("out.o1", "grad.w5", "new.w1"):
        assert value("mazur-2-2-2", f"#2:{wanted}", form, 2) == value("mazur-2-2-2", wanted, iterations=2)
        assert value("mazur-2-2-2", f"#2:{wanted}", iterations=2) != value("mazur-2-2-2", wanted, iterations=2)


def test_a_stale_gradient_is_added_to_the_new_one() -> None:
    form = next(form for form in forms("stale-gradient-added") if form.variant < 0)
    both = [value("mazur-2-2-2", wanted, iterations=2) for wanted in ("grad.w5", "#2:grad.w5")]
    assert value("mazur-2-2-2", "#2:grad.w5", form, 2) == pytest.approx(sum(both), rel=1e-14)
    assert value("mazur-2-2-2", "grad.w5", form, 2) == both[0]


# value-miscopied happens at one place: which number is taken for which → net.h1
MISCOPIED = [
    (("W1", (0, 0)), 0, ".3625"),
    (("W1", (0, 0)), 1, ".3800"),
    (("W1", (0, 1)), 2, ".3725"),
    (("x", (0,)), 1, ".3850"),
    (("b1", ()), 0, "-.3225"),
]


@pytest.mark.parametrize(("place", "variant", "printed"), MISCOPIED)
def test_a_number_miscopied(place: Cell, variant: int, printed: str) -> None:
    known = definitions("mazur-2-2-2")
    row = Hypothesis((MadeMistake(forms("value-miscopied")[variant], frozenset([place])),))
    assert as_printed(HypothesisTable(known, (row,))[known.book.find("net.h1")][0], printed)


# --- ties -------------------------------------------------------------------------------------------------------------------

# mistakes that give the same new weights, and what tells them apart: η = ½ in all
TIES = [
    ("half-forgotten", "rate-forgotten", "grad.net.o1"),
    ("mean-for-half", "rate-twice", "grad.net.o1"),
    ("error-sign-flipped", "plus-for-minus", "grad.net.o1"),
]
WEIGHTS = [f"new.w{number}" for number in range(1, 9)]


@pytest.mark.parametrize(("first", "second", "telling"), TIES)
def test_ties(first: str, second: str, telling: str) -> None:
    numbers = {slug: [[value("mazur-2-2-2", wanted, form) for wanted in WEIGHTS] for form in forms(slug)] for slug in (first, second)}
    shared = [(one, other) for one in numbers[first] for other in numbers[second] if one == pytest.approx(other, rel=1e-14)]
    assert shared
    told = [{value("mazur-2-2-2", telling, form) for form in forms(slug)} for slug in (first, second)]
    assert told[0] != told[1]


# --- the catalogue ----------------------------------------------------------------------------------------------------------

# Every mistake that was collected; the catalogue has more of optimisers.
COLLECTED = [
    "bias-forgotten", "bias-subtracted", "bias-times-input", "first-weights-transposed", "output-weights-transposed",
    "exponent-sign", "sigmoid-parenthesis-lost", "ten-for-e", "hidden-activation-skipped", "output-activation-skipped",
    "activation-twice", "tan-for-tanh", "tanh-half-angle", "relu-negative-kept", "softmax-without-exponent", "softmax-wrong-axis",
    "softmax-twice", "sigmoid-for-softmax", "rounded-too-early", "half-forgotten", "mean-for-half", "two-over-n", "square-of-sum",
    "absolute-or-root-error", "one-output-only", "error-from-delta", "error-sign-flipped", "output-derivative-forgotten",
    "output-derivative-from-net", "output-derivative-of-activated", "output-derivative-truncated", "output-derivative-from-target",
    "derivative-at-error", "loss-for-error", "cross-entropy-extra-derivative", "softmax-diagonal-only", "log-base",
    "cross-entropy-sign-or-mean", "binary-formula-on-softmax", "tanh-derivative-wrong", "relu-mask-wrong", "relu-at-zero",
    "updated-weights-used", "hidden-derivative-forgotten", "hidden-derivative-from-net", "derivative-of-other-layer",
    "sum-over-outputs-forgotten", "mean-over-outputs", "output-weights-not-transposed-back", "raw-error-sent-back",
    "weights-left-out-of-back-sum", "gradients-summed-for-delta-times-weight", "first-layer-weights-sent-back", "share-of-blame",
    "upstream-replaced-by-derivative", "factor-twice", "input-for-hidden-output", "net-for-hidden-output",
    "hidden-output-for-input", "gradient-transposed", "stale-gradient-added", "plus-for-minus", "rate-forgotten", "rate-twice",
    "batch-scaling", "change-given-as-weight", "neighbour-gradient", "bias-update-rule", "bias-gradient-times-input",
    "bias-value-for-gradient", "bias-moved-per-weight", "bias-mean-or-scalar", "threshold-sign", "online-for-batch",
    "old-weights-in-next-step", "value-miscopied", "weight-decay-form", "momentum-form",
]  # fmt: skip
# found from the digits, from other iterations, and on a single line (test_slips.py)
NOT_A_DEFINITION = {"rounded-too-early", "iteration-miscounted", *(mistake.slug for mistake in ANY_LINE)}


def test_every_collected_mistake_is_in_the_catalogue() -> None:
    assert len(set(COLLECTED)) == len(COLLECTED) == 78
    assert set(COLLECTED) <= set(MISTAKES)


def test_every_mistake_has_its_own_numbers_here() -> None:
    """What is in the catalogue is in a row above, or has a test of its own; those of optimisers are in test_optimiser_mistakes.py."""
    own = {"gradient-transposed", "softmax-wrong-axis", "old-weights-in-next-step", "stale-gradient-added", "value-miscopied", *OF_LAYERS}
    assert {row[0] for row in GIVES} | {row[0] for row in ELSEWHERE} | own | {*OF_OPTIMISERS} | NOT_A_DEFINITION == set(MISTAKES)


@pytest.mark.parametrize("slug", thinned([*MISTAKES], 10))
def test_entry(slug: str) -> None:
    mistake = MISTAKES[slug]
    assert mistake.slug == slug and re.fullmatch("[a-z]+(-[a-z]+)*", slug)
    assert mistake.name and "\n" not in mistake.name and not mistake.name.endswith(".")
    lines = mistake.explanation.split("\n")
    assert [phrase(line, str) for line in mistake.explanation_lines] == [[line] for line in lines]
    assert len(lines) == 2 and all(line.strip() == line and line for line in lines)
    of_definitions = any(role != "variable" for variant in mistake.variants for role in variant) or mistake.across is not None
    assert of_definitions == (slug not in NOT_A_DEFINITION)


def test_examples_of_mistakes_between_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those in docs/mistakes.md: the second iteration shows them, in the parameters it begins with as well."""
    monkeypatch.setattr(example, "shipped", lambda: {})  # the first problem only
    found = example.examples()
    shown = {slug: found[slug].book.cell_id(found[slug].cell) for slug in ("old-weights-in-next-step", "stale-gradient-added")}
    assert shown == {"old-weights-in-next-step": "#2:w1", "stale-gradient-added": "#2:grad.w5"}


@pytest.mark.parametrize(("answer", "slug"), [("-40.2152980", "hidden-derivative-from-net"), ("70.4637662", "hidden-derivative-forgotten")])
def test_equations_have_the_names_of_neurons(answer: str, slug: str) -> None:
    """A student's question: dy/dwh of two steps of tanh, with 1 − z² for 1 − h²; right is 8.18880817."""
    (found,) = check(loads(PROBLEMS["two steps of tanh"]), {"grad.wh": answer}).answers
    assert (found.verdict, found.mistakes) == ("mistake", (slug,))


@pytest.mark.slow
def test_the_sum_of_the_losses_beside_means_is_named() -> None:
    problem = load("zhou-four-people")
    right = derive(problem)
    total = f"{4 * float(right.value('loss')):.9g}"
    sheet = {"loss": total} | {id: f"{float(right.value(id)):.9g}" for id in ("grad.w1", "grad.w2", "new.w1")}
    first, *others = check(problem, sheet).answers
    assert (first.verdict, first.mistakes) == ("mistake", ("batch-scaling",)) and {answer.verdict for answer in others} == {"correct"}


def test_slugs_and_names_are_unique() -> None:
    assert len({mistake.slug for mistake in MISTAKES.values()}) == len(MISTAKES)
    assert len({mistake.name for mistake in MISTAKES.values()}) == len(MISTAKES)


@cache
def touched(problem: str) -> frozenset[MistakeForm]:
    """The forms of mistakes that can be made in two iterations of a problem."""
    known = definitions(problem, 2)
    cells = [wanted for number in (1, 2) for wanted in known.book.cells(number)]
    return frozenset(Hypotheses(known, cells).touched)


def slugs(problem: str) -> set[str]:
    return {form.mistake.slug for form in touched(problem)}


@pytest.mark.slow
def test_every_form_of_a_mistake_applies_somewhere() -> None:
    """A rule that never applies is misspelled; those of equations alone are in test_slips.py."""
    rules = {form for form in FORMS if (form.variant < 0 or {*form.variant_rules} - {"variable"}) and form.mistake.slug not in OF_LAYERS}
    for problem in (*PROBLEMS, "perceptron-or"):
        if rules:  # in the first problems that have them all
            rules -= touched(problem)
    assert not [(form.mistake.slug, form.variant) for form in rules]


# sigmoids, tanh … with numbers of no particular kind
GENERIC = [*NETWORKS, "2-2-2 with tanh", "2-2-2 with softplus", "2-2-2 with gelu"]


@pytest.mark.parametrize("problem", some(GENERIC, GENERIC[:2]))
def test_what_is_offered_changes_a_number(problem: str) -> None:
    """Where a mistake says the same as the right definition, it is no mistake."""
    known = definitions(problem, 2)
    rows = tuple(Hypothesis((MadeMistake(form),)) for form in touched(problem) if not form.mistake.single)
    table = HypothesisTable(known, (NONE, *rows))
    changed = np.zeros(len(table.rows), dtype=bool)
    for wanted in (wanted for number in (1, 2) for wanted in known.book.cells(number)):
        changed |= ~np.isclose(table[wanted], table[wanted][0], rtol=1e-12, atol=0)
    assert [row.slugs for row, differs in zip(rows, changed[1:]) if not differs] == []


# problem → mistakes for which there is nothing to be wrong
NOT_HERE = {
    "mazur-2-2-2": ["two-over-n", "batch-scaling", "online-for-batch", "threshold-sign", "bias-moved-per-weight", "log-base"],
    "mazur-updated-weights": ["updated-weights-used"],
    "one linear neuron": ["exponent-sign", "activation-twice", "output-activation-skipped", "mean-for-half", "square-of-sum"],
    "hmkcode-linear": ["bias-forgotten", "bias-subtracted", "hidden-activation-skipped"],
    "tanh": ["relu-at-zero", "relu-mask-wrong", "softmax-without-exponent"],
    "relu": ["tanh-half-angle", "updated-weights-used", "share-of-blame", "output-derivative-truncated"],
    "softmax": ["half-forgotten", "exponent-sign", "bias-forgotten", "activation-twice"],
    "fused softmax": ["half-forgotten", "output-derivative-from-net"],
    "binary": ["half-forgotten", "softmax-twice", "softmax-diagonal-only", "binary-formula-on-softmax", "output-weights-transposed"],
    "batch": ["softmax-wrong-axis", "first-weights-transposed", "sum-over-outputs-forgotten"],
    "three outputs": ["batch-scaling", "hidden-derivative-forgotten"],
}


@pytest.mark.parametrize("problem", NOT_HERE)
def test_mistakes_that_cannot_be_made_are_not_offered(problem: str) -> None:
    assert set(NOT_HERE[problem]) <= set(MISTAKES)
    assert not set(NOT_HERE[problem]) & {form.mistake.slug for form in touched(problem)}


# (problem, what looks like a mistake and is none): no derivative at an identity output, 2/n for two outputs
HARMLESS = [
    ("one linear neuron", "output-derivative-forgotten"),
    ("hmkcode-linear", "hidden-derivative-forgotten"),
    ("hmkcode-linear", "net-for-hidden-output"),
    ("mazur-2-2-2", "two-over-n"),
]


@pytest.mark.parametrize(("problem", "slug"), HARMLESS)
def test_what_is_right_is_no_mistake(problem: str, slug: str) -> None:
    known = definitions(problem)
    for form in forms(slug):
        table = HypothesisTable(known, (NONE, Hypothesis((MadeMistake(form),))))
        assert all(table[wanted][0] == table[wanted][1] for wanted in known.book.cells())
