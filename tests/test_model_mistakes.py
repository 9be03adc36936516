"""Mistakes of layers that are not dense, and the laws of marking on them.

The wrong numbers are worked once more here with NumPy, by formulas as a student writes them, from the right numbers before; then
every mistake is made on sheets of small problems of each kind (modelproblems.py) and has to be named.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
from modelproblems import MODELS
from shipping import some, thinned
from students import Answers, Exercise, accused_though_right, complaints_about_a_slip, told

from handcalc.core.evaluation import Evaluation
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import EvaluationError
from handcalc.loading.loader import loads
from handcalc.marking.answers import read_sheet, sheet_of
from handcalc.marking.audit import audit
from handcalc.marking.blank import blank_sheet
from handcalc.marking.check import Checker
from handcalc.marking.definitions import FORMS, NONE, Hypothesis, MadeMistake, MistakeForm
from handcalc.marking.mistakes.attention import ATTENTION
from handcalc.marking.mistakes.joining import GATES
from handcalc.marking.mistakes.maps import MAPS
from handcalc.marking.mistakes.normalisation import NORMALISATION
from handcalc.marking.mistakes.recurrent import RECURRENT
from handcalc.marking.mistakes.sharing import SHARING
from handcalc.marking.table import HypothesisTable

SLUGS = [mistake.slug for mistake in (*MAPS, *SHARING, *RECURRENT, *ATTENTION, *NORMALISATION, *GATES)]
SLUGS.append("temperature-forgotten")  # of a softmax, which only "gated rows" has with a temperature
every_model = pytest.mark.parametrize("model", MODELS)
QUICK = ("strided convolution", "attention")
some_models = pytest.mark.parametrize("model", some(MODELS, QUICK))


@cache
def exercise(model: str, asked: str = "gradients") -> Exercise:
    """A problem set to students. asked: gradients and new parameters; sheet: what a blank sheet asks; all: every step."""
    own = Exercise(loads(MODELS[model]))
    ids = Counter(map(own.book.cell_id, own.everything))
    own.everything = [wanted for wanted in own.everything if ids[own.book.cell_id(wanted)] == 1]
    if asked != "gradients":
        own.cells = own.desk.interpreter.default() if asked == "sheet" else own.everything
    return own


# --- the numbers they give ------------------------------------------------------------------------------------------------


class Numbers:
    """The numbers of a problem as arrays by quantity, right or under a form of a mistake; 0 where there is no cell."""

    def __init__(self, model: str, form: MistakeForm | None = None) -> None:
        self.book = exercise(model).book
        self.row = NONE if form is None else Hypothesis((MadeMistake(form),))
        self.table = HypothesisTable(exercise(model).desk.definitions, (self.row,))

    def __getitem__(self, name: str) -> Any:
        quantity, given = self.book.graph[name], self.book.graph.given_value
        found = np.zeros([axis.size for axis in quantity.axes])
        for place in self.book.graph.positions(name):
            value = given((name, place))
            found[place] = self.table[name, place][0] if value is None else value.numerator / value.denominator
        return found


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def softmax(z: Any, axis: int = -1) -> Any:
    return np.exp(z) / np.exp(z).sum(axis, keepdims=True)


def at_windows(x: Any, kernel: Any, size: tuple[int, int], stride: int = 1, padding: int = 0, dilation: int = 1) -> Any:
    """Σ K[d,u,v]·x[d, s·r + e·u − p, s·c + e·v − p] for every r, c; outside x there are zeros."""
    found = np.zeros(size)
    for (r, c), (d, u, v) in ((here, inside) for here in np.ndindex(*size) for inside in np.ndindex(*kernel.shape)):
        row, column = stride * r + dilation * u - padding, stride * c + dilation * v - padding
        if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
            found[r, c] += kernel[d, u, v] * x[d, row, column]
    return found


def pooled(x: Any, stride: int, padding: int, kind: Callable[[Any], Any] = np.max) -> Any:
    """The largest number, or another, of what is there in each window of 2×2, as many times as the right pooling has windows."""
    size = {4: 3, 3: 4}[len(x)]
    begins = [(max(stride * r - padding, 0), max(stride * r - padding + 2, 0)) for r in range(size)]
    windows = [[x[slice(*rows), slice(*columns)] for columns in begins] for rows in begins]
    return np.array([[[kind(window) if window.size else np.nan for window in row] for row in windows]])


def where_there(found: Any, right: Any) -> Any:
    """A window that sees nothing is not moved: its number is the right one."""
    return np.where(np.isnan(found), right, found)


def convolved(n: Numbers, size: tuple[int, int] = (2, 2), **how: int) -> Any:
    """The net inputs of the strided convolution, with other windows."""
    return np.stack([at_windows(n["x"], kernel, size, **how) + b for kernel, b in zip(n["W1"], n["b1"])])


def spread(n: Numbers, stride: int, padding: int) -> Any:
    """The transposed convolution: every input lays its kernel over the output."""
    found = np.full((1, 3, 3), n["b1"][0])
    for (r, c), (u, v) in ((here, inside) for here in np.ndindex(2, 2) for inside in np.ndindex(3, 3)):
        row, column = stride * r + u - padding, stride * c + v - padding
        if 0 <= row < 3 and 0 <= column < 3:
            found[0, row, column] += n["W1"][0, u, v] * n["x"][r, c]
    return found


def kernel_gradient(n: Numbers, r: int, c: int) -> Any:
    """δ[r,c]·x of one window of the convolution."""
    return n["grad.net1"][0, r, c] * n["x"][None, r : r + 2, c : c + 2]


def recurrence(n: Numbers, before: Callable[[Any, int], Any]) -> Any:
    """The states of the rnn; before: from all states so far and the time to the state that is used."""
    states = [n["out1"][0]]
    for t in range(3):
        states.append(np.tanh(n["Wx1"] @ n["x"][t] + n["Wh1"] @ before(states, t) + n["b1"]))
    return np.array(states)


def decoded(n: Numbers, state: Any) -> Any:
    """The states of a decoder that begins with a state."""
    states = []
    for x in n["x"][2:]:
        state = np.tanh(n["Wx4"] @ x + n["Wh4"] @ state + n["b4"])
        states.append(state)
    return np.array(states)


def lstm(
    n: Numbers,
    nets: dict[str, str] | None = None,
    used: dict[str, str] | None = None,
    cell: Callable[[Any, int], Any] = lambda cells, t: cells[t],
    candidate: Callable[[Any], Any] = np.tanh,
    shown: Callable[[Any], Any] = np.tanh,
) -> Any:
    """The states of the lstm. nets: which net input makes a gate; used: which gate stands for which."""
    states, cells = [n["out1"][0]], [n["cell1"][0]]
    for t in range(3):
        net = {g: n[f"Wx{g}1"] @ n["x"][t] + n[f"Wh{g}1"] @ states[t] + n[f"b{g}1"] for g in "ifgo"}
        gate = {g: sigmoid(net[(nets or {}).get(g, g)]) for g in "ifo"}
        i, f, o = (gate[(used or {}).get(g, g)] for g in "ifo")
        cells.append(i * candidate(net["g"]) + f * cell(cells, t))
        states.append(o * shown(cells[t + 1]))
    return np.array(states)


def gru(
    n: Numbers,
    turned: bool = False,
    reset: Callable[[Any, Any, Any], Any] = lambda r, weights, state: weights @ (r * state),
    candidate: Callable[[Any], Any] = np.tanh,
    names: str = "rz",
) -> Any:
    """The states of the gated unit in which z keeps the new state."""
    states = [n["out1"][0]]
    for t in range(2):
        h, x = states[t], n["x"][t]
        r, z = (sigmoid(n[f"Wx{g}1"] @ x + n[f"Wh{g}1"] @ h + n[f"b{g}1"]) for g in names)
        new = candidate(n["Wxn1"] @ x + reset(r, n["Whn1"], h) + n["bn1"])
        z = 1 - z if turned else z
        states.append(z * new + (1 - z) * h)
    return np.array(states)


def seen(n: Numbers) -> Any:
    """1 where a key is seen."""
    return (n["mask2"] == 0).astype(float)


def normalised(n: Numbers, axis: Any, root: Callable[[Any], Any] = lambda v: np.sqrt(v + 0.1), degrees: int = 0) -> Any:
    """Layer normalisation of the block over any direction; ε = 0.1."""
    x = n["out3"]
    mean, variance = x.mean(axis, keepdims=True), x.var(axis, ddof=degrees, keepdims=True)
    return n["W4"] * (x - mean) / root(variance) + n["b4"]


def batch_normalised(n: Numbers, axis: Any) -> Any:
    """Batch normalisation over any direction; ε = 0.2."""
    x = n["out1"]
    return n["W2"] * (x - x.mean(axis, keepdims=True)) / np.sqrt(x.var(axis, keepdims=True) + 0.2) + n["b2"]


def positions(moved: Callable[[int, int], float]) -> Callable[[Numbers], Any]:
    """x and a wave of time and feature."""
    return lambda n: n["x"] + np.array([[moved(t, i) for i in range(3)] for t in range(3)])


def wave(t: int, i: int) -> float:
    angle = t / 10000 ** (2 * (i // 2) / 3)
    return float(np.cos(angle) if i % 2 else np.sin(angle))


def token_terms(n: Numbers) -> Any:
    """∂E/∂Wk of every token, apart."""
    return n["grad.key2"][:, :, None] * n["out1"][:, None, :]


LAST, NOTHING = (lambda states, t: states[t]), (lambda states, t: 0 * states[t])
SWAPPED = {"i": "f", "f": "i"}

# (mistake, problem, quantity, how it is worked out)
WRONG: list[tuple[str, str, str, Callable[[Numbers], Any]]] = [
    # convolution and pooling
    ("kernel-flipped", "convolution", "net1", lambda n: at_windows(n["x"][None], n["W1"][:, ::-1, ::-1], (3, 3))[None] + n["b1"][0]),
    ("kernel-flipped", "dilated row", "net1", lambda n: np.array(
        [[w @ n["x"][[c, c + 2]] + b for c in range(4)] for w, b in zip(n["W1"], n["b1"])])),
    ("kernel-flipped", "two convolutions", "grad.out1", lambda n: at_windows(
        np.pad(n["grad.net2"], ((0, 0), (1, 1), (1, 1))), n["W2"][0], (3, 3))[None]),
    ("kernel-flipped", "convolution", "grad.W1", lambda n: sum(
        d * n["x"][None, r : r + 2, c : c + 2][:, ::-1, ::-1]
        for (r, c), d in np.ndenumerate(Numbers("convolution", form_of("kernel-flipped", 2))["grad.net1"][0]))),
    ("stride-wrong", "strided convolution", "net1", lambda n: convolved(n, stride=1, padding=1)),
    ("stride-wrong", "strided convolution", "net1", lambda n: convolved(n, stride=3, padding=1)),
    ("stride-wrong", "transposed convolution", "net1", lambda n: spread(n, 1, 1)),
    ("stride-wrong", "dilated row", "out2", lambda n: (n["out1"][:, [0, 1]] + n["out1"][:, [1, 2]]) / 2),
    ("padding-forgotten", "strided convolution", "net1", lambda n: convolved(n, stride=2)),
    ("padding-forgotten", "transposed convolution", "net1", lambda n: spread(n, 2, 0)),
    ("padding-forgotten", "padded pooling", "out2", lambda n: where_there(pooled(n["out1"][0], 1, 0), n["out2"])),
    ("padding-forgotten", "padded pooling", "out3", lambda n: [
        where_there(pooled(maps, 2, 0, np.mean), pooled(maps, 2, 1, np.mean))
        for maps in Numbers("padded pooling", form_of("padding-forgotten", 0))["out2"]][0]),
    ("stride-wrong", "padded pooling", "out2", lambda n: [
        where_there(pooled(maps, 2, 1), pooled(maps, 1, 1))
        for maps in Numbers("padded pooling", form_of("stride-wrong", 0))["out1"]][0]),
    ("average-pool-summed", "padded pooling", "out3", lambda n: pooled(n["out2"][0], 2, 1, np.sum)),
    ("average-pool-summed", "padded pooling", "grad.out2", lambda n: np.repeat(np.repeat(
        Numbers("padded pooling", form_of("average-pool-summed", 1))["grad.out3"], 2, 1), 2, 2)[:, 1:5, 1:5]),
    ("padding-other-side", "causal row", "net1", lambda n: np.array(
        [[n["W1"][0] @ np.pad(n["x"], (0, 2))[c : c + 3] + n["b1"][0] for c in range(4)]])),
    ("dilation-forgotten", "dilated row", "net1", lambda n: np.array(
        [[w @ n["x"][[c + 1, c]] + b for c in range(4)] for w, b in zip(n["W1"], n["b1"])])),
    ("pooling-gradient-spread", "convolution", "grad.out1", lambda n: sum(
        np.pad(np.full((2, 2), d / 4), ((r, 1 - r), (c, 1 - c))) for (r, c), d in np.ndenumerate(n["grad.out2"][0]))[None]),
    ("pooling-gradient-spread", "convolution", "grad.out1", lambda n: sum(
        np.pad(np.full((2, 2), d), ((r, 1 - r), (c, 1 - c))) for (r, c), d in np.ndenumerate(n["grad.out2"][0]))[None]),
    ("pooling-exchanged", "convolution", "out2", lambda n: np.array(
        [[[n["out1"][0, r : r + 2, c : c + 2].mean() for c in range(2)] for r in range(2)]])),
    ("pooling-exchanged", "strided convolution", "out2", lambda n: n["out1"].max((1, 2), keepdims=True)),
    ("average-pool-summed", "strided convolution", "out2", lambda n: n["out1"].sum((1, 2), keepdims=True)),
    ("average-pool-summed", "strided convolution", "grad.out1", lambda n: np.ones((2, 2, 2)) * (
        n["W4"][:, :, 0, 0].T @ Numbers("strided convolution", form_of("average-pool-summed", 1))["grad.net4"])[:, None, None]),
    # shared weights
    ("bias-per-product", "convolution", "net1", lambda n: n["net1"] + 3 * n["b1"][0]),
    ("gradient-of-one-window", "convolution", "grad.W1", lambda n: kernel_gradient(n, 0, 0)),
    ("gradient-of-one-window", "convolution", "grad.W1", lambda n: kernel_gradient(n, 2, 2)),
    ("gradient-of-one-window", "convolution", "grad.W1", lambda n: n["grad.W1"] / 9),
    ("gradient-of-one-window", "convolution", "grad.b1", lambda n: n["grad.net1"][:, 2, 2]),
    ("gradient-of-one-time", "recurrence", "grad.Wh1", lambda n: np.outer(n["grad.net1"][2], n["out1"][2])),
    ("gradient-of-one-time", "recurrence", "grad.Wh1", lambda n: np.outer(n["grad.net1"][0], n["out1"][0])),
    ("gradient-of-one-time", "gated unit", "grad.bz1", lambda n: n["grad.net_z1"].mean(0)),
    ("gradient-of-one-token", "attention", "grad.Wk2", lambda n: token_terms(n)[0]),
    ("gradient-of-one-token", "attention", "grad.Wk2", lambda n: token_terms(n)[2]),
    ("gradient-of-one-token", "attention", "grad.Wk2", lambda n: token_terms(n).mean(0)),
    # recurrence
    ("state-not-carried", "recurrence", "out1", lambda n: recurrence(n, NOTHING)),
    ("state-not-carried", "recurrence", "out1", lambda n: recurrence(n, lambda states, t: states[0])),
    ("state-not-carried", "long short-term memory", "out1", lambda n: lstm(n, cell=NOTHING)),
    ("initial-state-forgotten", "recurrence", "out1", lambda n: recurrence(n, lambda states, t: states[t] * (t > 0))),
    ("gates-exchanged", "long short-term memory", "out1", lambda n: lstm(n, used=SWAPPED)),
    ("gates-exchanged", "long short-term memory", "out1", lambda n: lstm(n, used={"f": "o", "o": "f"})),
    ("gates-exchanged", "long short-term memory", "out1", lambda n: lstm(n, nets={"i": "o", "o": "i"})),
    ("gates-exchanged", "gated unit", "out1", lambda n: gru(n, names="zr")),
    ("update-gate-turned", "gated unit", "out1", lambda n: gru(n, turned=True)),
    ("reset-gate-misplaced", "gated unit", "out1", lambda n: gru(n, reset=lambda r, weights, state: weights @ state)),
    ("reset-gate-misplaced", "gated unit", "out1", lambda n: gru(n, reset=lambda r, weights, state: r * (weights @ state))),
    ("reset-gate-misplaced", "gated unit of PyTorch", "net_n1", lambda n: np.array([
        n["Wxn1"] @ x + n["Whn1"] @ (r * h) + n["bhn1"] + n["bn1"]
        for m in [Numbers("gated unit of PyTorch", form_of("reset-gate-misplaced", 1))]
        for x, r, h in zip(m["x"], m["gate_r1"], m["out1"])])),
    ("candidate-without-tanh", "long short-term memory", "out1", lambda n: lstm(n, candidate=lambda z: z)),
    ("candidate-without-tanh", "gated unit", "out1", lambda n: gru(n, candidate=sigmoid)),
    ("cell-without-tanh", "long short-term memory", "out1", lambda n: lstm(n, shown=lambda c: c)),
    ("handed-state-forgotten", "handed state", "out4", lambda n: decoded(n, 0 * n["out2"][2])),
    ("handed-state-forgotten", "handed state", "out4", lambda n: decoded(n, n["out2"][1])),
    ("handed-state-path-forgotten", "handed state", "grad.net2", lambda n: np.zeros((2, 2))),
    ("time-path-forgotten", "recurrence", "grad.net1", lambda n: (n["grad.net2"] @ n["W2"]) * (1 - n["out1"][1:] ** 2)),
    # attention
    ("scale-forgotten", "attention", "score2", lambda n: n["query2"] @ n["key2"].T),
    ("scale-wrong", "attention", "score2", lambda n: n["query2"] @ n["key2"].T / 2),
    ("scale-wrong", "two heads", "score2", lambda n: np.einsum("hte,hue->htu", n["query2"], n["key2"]) / 2),
    ("query-key-exchanged", "attention", "score2", lambda n: n["score2"].T),
    ("query-key-exchanged", "attention", "query2", lambda n: n["out1"] @ n["Wk2"].T),
    ("softmax-over-queries", "two heads", "attention2", lambda n: softmax(n["score2"], axis=1)),
    ("mask-forgotten", "attention", "attention2", lambda n: softmax(n["score2"])),
    ("mask-as-zero", "attention", "attention2", lambda n: softmax(n["score2"] * seen(n))),
    ("mask-after-softmax", "attention", "attention2", lambda n: softmax(n["score2"]) * seen(n)),
    ("keys-for-values", "attention", "out2", lambda n: n["attention2"] @ n["key2"]),
    ("values-not-weighted", "attention", "out2", lambda n: np.ones((3, 3)) @ n["value2"]),
    ("values-not-weighted", "attention", "out2", lambda n: np.ones((3, 3)) @ n["value2"] / 3),
    ("attention-transposed", "attention", "out2", lambda n: n["attention2"].T @ n["value2"]),
    ("word-miscounted", "two heads", "out1", lambda n: np.array([n["W1"][2], n["W1"][1]])),
    ("position-from-one", "attention", "out1", positions(lambda t, i: wave(t + 1, i))),
    ("sine-cosine-exchanged", "attention", "out1", positions(lambda t, i: wave(t, i ^ 1))),
    # normalisation
    ("norm-wrong-axis", "normalised block", "out4", lambda n: normalised(n, 0)),
    ("norm-wrong-axis", "normalised block", "out4", lambda n: normalised(n, None)),
    ("norm-wrong-axis", "normalised block", "mean4", lambda n: n["out3"].mean(0)[:2]),
    ("norm-wrong-axis", "normalised batch", "out2", lambda n: batch_normalised(n, 1)),
    ("variance-of-sample", "normalised block", "out4", lambda n: normalised(n, 1, degrees=1)),
    ("norm-epsilon-forgotten", "normalised block", "out4", lambda n: normalised(n, 1, np.sqrt)),
    ("norm-root-forgotten", "normalised block", "out4", lambda n: normalised(n, 1, lambda v: v + 0.1)),
    ("norm-epsilon-outside", "normalised block", "out4", lambda n: normalised(n, 1, lambda v: np.sqrt(v) + 0.1)),
    ("dropout-not-scaled", "normalised batch", "out3", lambda n: n["out2"]),
    ("dropout-not-scaled", "normalised batch", "out3", lambda n: n["out2"] / 0.2),
    ("residual-forgotten", "normalised block", "out3", lambda n: n["out2"]),
    ("residual-forgotten", "normalised block", "grad.out1", lambda n: n["grad.net2"] @ n["W2"]),
    # gates, and a temperature
    ("gate-forgotten", "gated rows", "out3", lambda n: n["out1"]),
    ("gate-forgotten", "gated rows", "out3", lambda n: n["out2"]),
    ("own-factor-sent-back", "gated rows", "grad.out1", lambda n: n["grad.out3"] * n["out1"]),
    ("own-factor-sent-back", "gated rows", "grad.out2", lambda n: n["grad.out3"] * n["out2"]),
    ("temperature-forgotten", "gated rows", "exp4", lambda n: np.exp(n["net4"])),
]  # fmt: skip


def form_of(slug: str, variant: int) -> MistakeForm:
    return next(form for form in FORMS if form.mistake.slug == slug and form.variant == variant)


def complaint(slug: str, model: str, name: str, wrong: Any) -> str:
    """Nothing, if a form of a mistake gives these numbers, and they are not the right ones."""
    found = {form.variant: Numbers(model, form)[name] for form in FORMS if form.mistake.slug == slug}
    named = any(np.allclose(values, wrong, rtol=1e-10, atol=1e-13) for values in found.values())
    new = not np.allclose(Numbers(model)[name], wrong, rtol=1e-6)
    return "" if named and new else f"{slug} gives {found}, expected {wrong}, right is {Numbers(model)[name]}"


@pytest.mark.parametrize(
    ("slug", "model", "name", "wrong"), thinned([pytest.param(*row, id=f"{row[0]}, {row[2]} of {row[1]}") for row in WRONG], 4)
)
def test_wrong_numbers(slug: str, model: str, name: str, wrong: Callable[[Numbers], Any]) -> None:
    assert not complaint(slug, model, name, wrong(Numbers(model)))


def test_wrong_rows_are_found() -> None:
    right = Numbers("attention")
    assert complaint("scale-forgotten", "attention", "score2", right["score2"])
    assert complaint("scale-forgotten", "attention", "score2", right["query2"] @ right["key2"].T / 2)


# the same functions without a mistake, so that they can be trusted: (problem, quantity, how it is worked out)
RIGHT: list[tuple[str, str, Callable[[Numbers], Any]]] = [
    ("convolution", "net1", lambda n: at_windows(n["x"][None], n["W1"], (3, 3))[None] + n["b1"][0]),
    ("strided convolution", "net1", lambda n: convolved(n, stride=2, padding=1)),
    ("transposed convolution", "net1", lambda n: spread(n, 2, 1)),
    ("convolution", "grad.W1", lambda n: sum(kernel_gradient(n, r, c) for r in range(3) for c in range(3))),
    ("padded pooling", "out2", lambda n: pooled(n["out1"][0], 1, 1)),
    ("padded pooling", "out3", lambda n: pooled(n["out2"][0], 2, 1, np.mean)),
    ("recurrence", "out1", lambda n: recurrence(n, LAST)),
    ("handed state", "out4", lambda n: decoded(n, n["out2"][2])),
    ("long short-term memory", "out1", lstm),
    ("gated unit", "out1", gru),
    ("attention", "out1", positions(wave)),
    ("attention", "attention2", lambda n: softmax(np.where(seen(n) > 0, n["query2"] @ n["key2"].T / np.sqrt(2), -np.inf))),
    ("attention", "grad.Wk2", lambda n: token_terms(n).sum(0)),
    ("normalised block", "out4", lambda n: normalised(n, 1)),
    ("normalised batch", "out2", lambda n: batch_normalised(n, 0)),
]


@pytest.mark.parametrize(("model", "name", "right"), RIGHT)
def test_right_numbers(model: str, name: str, right: Callable[[Numbers], Any]) -> None:
    numbers = Numbers(model)
    assert numbers[name] == pytest.approx(right(numbers), rel=1e-12)


# --- they are named -----------------------------------------------------------------------------------------------------------


def outcomes(model: str, places: str, asked: str, most: int = 1000, digits: int = 4) -> tuple[Counter[str], list[str]]:
    """How sheets with mistakes of these layers were called, and which were called nothing or something else."""
    own, found, bad = exercise(model, asked), Counter[str](), []
    rows = [row for row in own.mistakes(places) if row.slugs[0] in SLUGS]
    for row, answers in own.with_mistakes(random.Random(model).sample(rows, min(most, len(rows))), Rounding(None, digits)):
        outcome, said = own.outcome(row, answers)
        found[outcome] += 1
        if outcome not in ("named", "tie"):
            bad.append(f"{row.slugs[0]} {row.parts[0].form.variant} is {outcome} {said}")
    return found, bad


@pytest.mark.parametrize("model", QUICK)
def test_a_mistake_made_everywhere_is_named(model: str) -> None:
    """From gradients and new parameters alone; some mistakes, all of every problem in the slow run."""
    assert not outcomes(model, "all", "gradients", 3)[1]


@pytest.mark.slow
@every_model
def test_every_mistake_made_everywhere_is_named(model: str) -> None:
    assert not outcomes(model, "all", "gradients")[1]


ASKED = ("gradients", "sheet")
DIGITS = (3, 4, 6)


@pytest.mark.slow
@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize("asked", ASKED)
def test_mistakes_made_everywhere_are_named(asked: str, digits: int) -> None:
    """Every second problem in turn: each of them with both sheets and in all digits."""
    models = [*MODELS][(DIGITS.index(digits) + ASKED.index(asked)) % 2 :: 2]
    total = sum((outcomes(model, "all", asked, digits=digits)[0] for model in models), Counter[str]())
    assert total["named"] + total["tie"] >= 0.95 * total.total() and not total["misnamed"] and total.total() > 100, total


@pytest.mark.slow
def test_mistakes_made_at_one_place_are_named() -> None:
    total = sum((outcomes(model, "one", "sheet", 60)[0] for model in MODELS), Counter[str]())
    assert total["named"] + total["tie"] >= 0.95 * total.total() and total["misnamed"] <= 0.01 * total.total() > 5, total


@pytest.mark.slow
def test_every_mistake_is_here() -> None:
    """In a row with its numbers, and every form of it in a problem where it can be made."""
    made = {row.parts[0].form for model in MODELS for row in exercise(model).mistakes("all")}
    missing = [(form.mistake.slug, form.variant) for form in FORMS if form.mistake.slug in SLUGS and form not in made]
    assert {row[0] for row in WRONG} == set(SLUGS) and not missing, missing


# --- laws of marking ------------------------------------------------------------------------------------------------------------

QUICK_MODES = [Rounding(), Rounding(4, None, carry=True)]
MODES = [
    Rounding(4, None), Rounding(2, None), Rounding(None, 3), Rounding(None, 17),
    Rounding(2, None, carry=True), Rounding(None, 3, carry=True), Rounding(None, 5, carry=True, ties="half_even"),
]  # fmt: skip


def refused(model: str, rounding: Rounding) -> list[str]:
    """What is said against the answer key of a problem in a rounding. Left out is what rounding made shorter: it shows less."""
    problem = loads(MODELS[model]).replace(rounding=rounding)
    derivation, right = derive(problem), exercise(model).desk.right
    key: Answers = {}
    for wanted in exercise(model).everything:
        try:
            key[derivation.graph.cell_id(wanted)] = derivation.shown(wanted).plain
        except EvaluationError:
            continue
    allowed = {"correct", "rounded"} if rounding.carry else {"correct"}
    marking = Checker(problem).mark(sheet_of(key))
    bad = [answer for answer in marking.answers if answer.verdict not in allowed]
    shorter = [a for a in bad if rounding.carry and a.verdict == "imprecise" and a.cell and abs(float(right[a.cell])) < 1e-3]
    assert len(marking.answers) > 40
    return [f"{answer.id} = {answer.given}: {told(answer)}" for answer in bad if answer not in shorter]


@some_models
def test_the_key_is_right(model: str) -> None:
    for rounding in QUICK_MODES:
        assert not refused(model, rounding)


@pytest.mark.slow
@pytest.mark.parametrize("rounding", MODES, ids=str)
@every_model
def test_the_key_is_right_in_every_rounding(model: str, rounding: Rounding) -> None:
    assert not refused(model, rounding)


@some_models
@pytest.mark.parametrize("form", ["text", "csv"])
def test_a_blank_sheet_filled_in_is_right(model: str, form: str, tmp_path: Any) -> None:
    own = exercise(model, "sheet")
    key = [*own.key(own.desk.interpreter.default()).values()]
    lines = blank_sheet(own.desk, form).splitlines()
    asked = [number for number, line in enumerate(lines) if line.endswith(" = " if form == "text" else ",")]
    for number, answer in zip(asked, key, strict=True):
        lines[number] += answer
    (tmp_path / f"sheet.{form}").write_text("\n".join(lines), "utf-8")
    marking = own.checker.mark(read_sheet(tmp_path / f"sheet.{form}"))
    assert set(marking.summary) <= {"correct", "rounded"}, marking.summary


def slips(model: str, count: int, digits: int) -> list[str]:
    chooser, own = random.Random(model), exercise(model, "sheet")
    found = (own.with_nonsense(chooser, Rounding(None, digits)) for _ in range(count))
    fits = "correct", "rounded"  # what follows may be rounding, where it changes so little
    return [text for made in found if made is not None for text in complaints_about_a_slip(made[0], own.mark(made[1]), fits)]


@pytest.mark.parametrize("model", some(MODELS, QUICK[:1]))
def test_one_slip_is_reported_once(model: str) -> None:
    found = slips(model, 1, 6)
    assert not found, "\n".join(found)


@pytest.mark.slow
@every_model
def test_one_slip_is_reported_once_many(model: str) -> None:
    found = slips(model, 40, 6)
    assert not found, "\n".join(found)


@some_models
def test_a_rounded_sheet_is_right(model: str) -> None:
    found = accused_though_right(exercise(model), model, 5)
    assert not found, "\n".join(found)


@pytest.mark.slow
@every_model
def test_rounded_sheets_are_right(model: str) -> None:
    found = accused_though_right(exercise(model), model, 250)
    assert not found, "\n".join(found)


LARGE = f"""
    inputs: {[[(7 * r + 3 * c) % 11 / 10 for c in range(28)] for r in range(28)]}
    layers:
      - {{type: conv2d, weights: {[[[((f + 2 * u + 5 * v) % 7 - 3) / 10 for v in range(5)] for u in range(5)] for f in range(8)]}}}
      - {{type: max_pool, kernel_size: 2}}"""


def test_a_mistake_on_a_large_image_is_named() -> None:
    """Of which not all cells can be looked at."""
    own = Exercise(loads(LARGE))
    own.cells = [own.book.find(name) for name in ("net.f1[1,1]", "net.f3[5,6]", "out2[2,1,1]")]
    row = Hypothesis((MadeMistake(form_of("kernel-flipped", 0)),))
    ((_, answers),) = own.with_mistakes([row])
    assert not own.book.small and own.outcome(row, answers) == ("named", ("kernel-flipped",))


# --- audits ---------------------------------------------------------------------------------------------------------------------


def printed(model: str, form: MistakeForm | None, cells: list[str], digits: int = 5) -> Answers:
    """The numbers of a page whose author made a mistake."""
    own = exercise(model)
    table = HypothesisTable(own.desk.definitions, (NONE if form is None else Hypothesis((MadeMistake(form),)),))
    return own.typed({own.book.find(name): float(table[own.book.find(name)][0]) for name in cells}, Rounding(None, digits))


# (problem, form of a mistake, numbers on the page, what an audit says of the last)
AUDITS = [
    ("strided convolution", None, ["net.f1[1,1]", "grad.W1[1,1,1,1]"], ("rounded", ())),
    ("convolution", ("kernel-flipped", 0), ["net.f1[1,1]", "net.f1[2,2]", "net.f1[3,1]"], ("convention", ("convolution",))),
    ("normalised block", ("variance-of-sample", 0), ["out4[1,2]", "loss"], ("convention", ("variance",))),
    ("long short-term memory", ("gates-exchanged", 0), ["cell.h@t1", "out.h@t2", "loss"], ("mistake", ("gates-exchanged",))),
    ("attention", ("mask-after-softmax", 0), ["attention2[2,1]", "out2[2,1]", "net.y1[2]"], ("mistake", ("mask-after-softmax",))),
]


@pytest.mark.slow
@pytest.mark.parametrize(("model", "form", "cells", "expected"), thinned([pytest.param(*row) for row in AUDITS], 3))
def test_audit(model: str, form: tuple[str, int] | None, cells: list[str], expected: tuple[str, tuple[str, ...]]) -> None:
    page = printed(model, form and form_of(*form), cells)
    found = audit(loads(MODELS[model]), page).numbers[-1]
    assert (found.status, found.explanation) == expected, found


# --- the re-computation ---------------------------------------------------------------------------------------------------------


@some_models
def test_after_an_update_everything_is_computed_again(model: str) -> None:
    """after.loss is the loss of the same problem with the new parameters; in a recurrence with the new states."""
    own = exercise(model)
    graph, values = own.book.graph, own.desk.right
    replaced = {}
    for name, new in own.book.updated.items():
        replaced |= {(name, place): values[new, place] for place in graph.positions(name)}
    assert float(Evaluation(graph, None, replaced)["loss", ()]) == pytest.approx(float(values["after.loss", ()]), rel=1e-12)
