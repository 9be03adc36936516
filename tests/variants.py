"""Templates for tests of lint and generate, and their numbers worked out again by NumPy alone."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy
from ruamel.yaml import YAML

from handcalc.exercises.asked import Worked
from handcalc.exercises.draw import Draws
from handcalc.exercises.generate import Generator
from handcalc.exercises.numbers import ExerciseTemplate

# numbers that break no rule
SOUND = {
    "x1": "0.7", "x2": "0.4", "t": "0.9", "hidden": "sigmoid", "output": "sigmoid", "eta": "0.5", "more": "",
    "w1": "0.31", "w2": "-0.52", "w3": "0.83", "w4": "0.24", "b1": "0.15", "b2": "-0.36", "w5": "0.47", "w6": "-0.68", "b3": "0.29",
    "numbers": "keep",
}  # fmt: skip
NET = """\
title: Two inputs, two hidden neurons, one output
inputs: {{x1: {x1}, x2: {x2}}}   # a comment that stays
targets: {{y: {t}}}
layers:
  - neurons: [h1, h2]
    activation: {hidden}
    weights: {{w1: [x1, h1, {w1}], w2: [x2, h1, {w2}], w3: [x1, h2, {w3}], w4: [x2, h2, {w4}]}}
    bias: {{b1: [h1, {b1}], b2: [h2, {b2}]}}
  - neurons: [y]
    activation: {output}
    weights: {{w5: [h1, y, {w5}], w6: [h2, y, {w6}]}}
    bias: {{b3: [y, {b3}]}}
loss: half_squared_error
learning_rate: {eta}
{more}generate:
  numbers: {numbers}
"""


def net(**changes: str) -> str:
    """The network with some of its numbers changed; more: further lines."""
    return NET.format(**(SOUND | changes))


def generator(text: str, folder: Path, seed: str = "a", name: str = "net.yaml") -> Generator:
    """A generator of variants of a text."""
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return Generator(ExerciseTemplate(str(path)), seed)


def first(made: Generator) -> Worked:
    """The numbers of the first draw."""
    return made.worked(made.template.drawn(Draws(made.seed, "1"), 0))


def recomputed(text: str) -> dict[str, Any]:
    """The network above with sigmoids, read by a YAML reader and worked out with NumPy: id → number, and the numbers given."""
    tree = YAML(typ="safe", pure=True).load(text)
    weights = {name: float(edge[-1]) for layer in tree["layers"] for name, edge in (*layer["weights"].items(), *layer["bias"].items())}
    x, t, eta = numpy.array([*map(float, tree["inputs"].values())]), float(tree["targets"]["y"]), float(tree["learning_rate"])
    w, v = numpy.array([[weights["w1"], weights["w2"]], [weights["w3"], weights["w4"]]]), numpy.array([weights["w5"], weights["w6"]])
    b, c = numpy.array([weights["b1"], weights["b2"]]), weights["b3"]

    def forward(w: Any, b: Any, v: Any, c: Any) -> tuple[Any, Any]:
        h = 1 / (1 + numpy.exp(-(w @ x + b)))
        return h, 1 / (1 + numpy.exp(-(v @ h + c)))

    h, y = forward(w, b, v, c)
    delta = (y - t) * y * (1 - y)
    below = delta * v * h * (1 - h)
    new = (w - eta * numpy.outer(below, x), b - eta * below, v - eta * delta * h, c - eta * delta)
    after = forward(*new)[1]
    found = {"out.h1": h[0], "out.h2": h[1], "out.y": y, "loss": (y - t) ** 2 / 2, "grad.net.y": delta}
    found |= {"grad.net.h1": below[0], "grad.net.h2": below[1]}
    found |= {f"new.w{place + 1}": value for place, value in enumerate((*new[0].ravel(), *new[2]))}
    found |= {"new.b1": new[1][0], "new.b2": new[1][1], "new.b3": new[3]}
    return {
        "answers": {name: float(value) for name, value in found.items()},
        "given": [*weights.values(), *x, t, eta],
        "slopes": [*(h * (1 - h)), y * (1 - y)],
        "falls": (after - t) ** 2 < (y - t) ** 2,
        "sums": [Fraction(str(a)) + Fraction(str(d)) for a, d in (*w, *w.T, v)],
        "target": t,
    }


def complaints(text: str) -> list[str]:
    """The rules of nice that the numbers of the network break, by NumPy; without those of ReLUs and of mistakes."""
    found = recomputed(text)
    answers = found["answers"].values()
    shown = [f"{value:.4f}" for value in answers]
    given = [f"{value:.4f}" for value in found["given"]]
    wrong = {
        "no_saturation": min(map(abs, found["slopes"])) < 0.1,
        "loss_falls": not found["falls"],
        "readable": any(len(one.replace(".", "").lstrip("-0")) < 2 for one in shown),
        "no_ties": any(abs(abs(value) * 1e4 % 1 - 0.5) < 1e-9 for value in answers),
        "distinct": len({*shown}) < len(shown) or bool({*shown} & {*given}),
        "sound": 0 in found["sums"] or f"{found['answers']['out.y']:.4f}" == f"{found['target']:.4f}",
    }
    return [word for word, broken in wrong.items() if broken]
