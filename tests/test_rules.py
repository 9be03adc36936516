"""Updates by formulas that somebody typed: Newton, the share of an error, Widrow-Hoff, the perceptron; how they are read and marked."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from shipping import some

from handcalc import check, derive, gradcheck, loads, render
from handcalc.core.rounding import Rounding
from handcalc.errors import ProblemError, UnknownIdError
from handcalc.problem.schema import Problem
from handcalc.training.train import train
from handcalc.training.trainer import Trainer

ROOT = "given: {x: 1.5}\nequations: {f: x^2 - 2}\nminimize: f\nupdate: {x: x - f/grad.x}\n"
MINIMUM = "given: {x: 1, a: 3}\nequations: {u: x^2, f: u^2 - a*x}\nminimize: f\nupdate: {x: x - df/dx/grad2.x}\n"
SHARE = """
given: {w: 3, b: 4, goal: 150}
equations: {x: 2*w + 3*b, y: 2*b + 1, z: x*y, dz: z - goal, dz_dw: 2*y, dz_db: 3*y + 2*x}
update: {w: w - dz/2/dz_dw, b: b - dz/2/dz_db}
"""
LMS = """
given: {x1: 1, x2: -2, t: 0.5, w1: 0.2, w2: 0.1, b: 0}
equations: {net: w1*x1 + w2*x2 + b, e: t - net}
learning_rate: 0.1
update: {w1: w1 + 2*rate*e*x1, w2: w2 + 2*rate*e*x2, b: b + 2*rate*e}
"""
PERCEPTRON = """
given: {x1: 3, x2: 3, t: 1, w1: 0, w2: 0, b: 0}
equations: {net: w1*x1 + w2*x2 + b, miss: step(-t*net)}
learning_rate: 1
update: {w1: w1 + rate*miss*t*x1, w2: w2 + rate*miss*t*x2, b: b + rate*miss*t}
"""
DELTA = """
given: {x: 0.5, t: 1, w: 0.4, b: -0.2}
equations: {net: w*x + b, o: sigmoid(net), delta: (t - o)*o*(1 - o)}
learning_rate: 0.5
update: {w: w + rate*delta*x, b: b + rate*delta}
"""
ONE_BY_ONE = """
given: {x: 1, y: 1}
equations: {f: x^2 + x*y + y^2}
minimize: f
update: {x: -y/2, y: -new.x/2}
"""
BOTH = """
given: {w: 2, b: 1}
equations: {f: (3*w + b - 4)^2}
minimize: f
parameters: [w, b]
learning_rate: 0.1
schedule: {step: {every: 1, factor: 0.5}}
update: {w: w - grad.w/grad2.w}
"""


LINE_SEARCH = (Path(__file__).parent.parent / "problems" / "exact-line-search.yaml").read_text(encoding="utf-8")


def values(text: str, names: str, iteration: int = 1) -> list[float]:
    derivation = derive(loads(text), Rounding(), iteration)
    return [float(derivation[("" if iteration == 1 else f"#{iteration}:") + name].value) for name in names.split()]


@pytest.mark.parametrize(
    ("text", "names", "iteration", "wanted"),
    [
        (ROOT, "f grad.x delta.x new.x", 1, [0.25, 3, -1 / 12, 17 / 12]),
        (ROOT, "new.x", 3, [1.5 - 1 / 12 - 1 / 408 - 1 / 470832]),  # 577/408 − …: the well-known fractions
        (MINIMUM, "grad.x grad2.x new.x", 1, [1, 12, 11 / 12]),
        (SHARE, "z new.w new.b after.z", 1, [162, 8 / 3, 82 / 21, 17.047619047619047 * 8.80952380952381]),
        (LMS, "net e new.w1 new.w2 new.b", 1, [0, 0.5, 0.3, -0.1, 0.1]),
        (PERCEPTRON, "miss new.w1 new.w2 new.b after.miss", 1, [1, 3, 3, 1, 0]),
        (PERCEPTRON, "miss delta.w1 new.w1 new.b", 2, [0, 0, 3, 1]),
        (DELTA, "o delta new.w new.b", 1, [0.5, 0.125, 0.43125, -0.1375]),
        (ONE_BY_ONE, "new.x new.y", 1, [-0.5, 0.25]),
        (BOTH, "rate new.w new.b", 1, [0.1, 1, 1 - 0.1 * 2 * 3]),
        (BOTH, "rate", 3, [0.025]),
        (LINE_SEARCH.replace("grad.x", "dE_dx"), "new.x new.y", 1, [90 / 11, -9 / 11]),
        (LINE_SEARCH, "new.x new.y", 4, [10 * (9 / 11) ** 4, (9 / 11) ** 4]),  # γ·((γ − 1)/(γ + 1))^k: Boyd and Vandenberghe, 9.3.2
    ],
)
def test_the_rules_of_textbooks(text: str, names: str, iteration: int, wanted: list[float]) -> None:
    assert values(text, names, iteration) == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("formula", ["x^3", "sigmoid(x)", "exp(-x^2)", "x*sin(x)", "ln(1 + x^2)", "tanh(x)/x", "(x - 1)^4/4 + x"])
def test_second_derivatives(formula: str) -> None:
    """Against differences of the first, which are checked against differences of the function."""
    text = f"given: {{x: %r, a: 2}}\nequations: {{u: a*x, f: '{formula.replace('x', 'u').replace('eup', 'exp')}'}}\nminimize: f\n"
    rule = "update: {x: x - grad2.x}\n"
    ours = values(text % 0.7 + rule, "grad2.x")[0]
    above, below = (values(text % (0.7 + h) + rule, "grad.x")[0] for h in (1e-5, -1e-5))
    assert ours == pytest.approx((above - below) / 2e-5, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_newtons_method_for_several_samples(reduction: str) -> None:
    """Logistic regression: ∂E/∂w = Σ (p − t)·x, ∂²E/∂w² = Σ p·(1 − p)·x²; and a sum over a list."""
    text = f"""
samples: [{{inputs: {{x: 1}}, targets: {{t: 0}}}}, {{inputs: {{x: 2}}, targets: {{t: 1}}}}, {{inputs: {{x: -1}}, targets: {{t: 1}}}}]
given: {{w: 0.3, v: [1, 2]}}
equations: {{p: sigmoid(w*x), h: w*x*v, L: "-(t*ln(p) + (1 - t)*ln(1 - p)) + sum(h^2)"}}
minimize: L
sample_reduction: {reduction}
update: {{w: w - grad.w/grad2.w}}
"""
    shares = [(1 / (1 + math.exp(-0.3 * x)), x, t) for x, t in ((1, 0), (2, 1), (-1, 1))]
    first = sum((p - t) * x + 2 * 0.3 * 5 * x**2 for p, x, t in shares)
    second = sum(p * (1 - p) * x**2 + 2 * 5 * x**2 for p, x, t in shares)
    share = 3 if reduction == "mean" else 1
    assert values(text, "grad.w grad2.w new.w") == pytest.approx([first / share, second / share, 0.3 - first / second], rel=1e-10)


@pytest.mark.parametrize("text", some([ROOT, MINIMUM, SHARE, LMS, PERCEPTRON, DELTA, ONE_BY_ONE, BOTH], [MINIMUM, SHARE, BOTH]))
def test_every_reading(text: str) -> None:
    """Trained as it is solved; the key is right in every rounding; every format has every step."""
    problem = loads(text)
    derivation, trainer = derive(problem, Rounding(), 4), Trainer(problem)
    for number in range(1, 4):
        trainer.advance(1)
        known = derivation.iteration(number + 1).evaluation
        assert trainer.values() == pytest.approx({cell: float(known[cell]) for cell in trainer.values()}, rel=1e-12, abs=1e-15)
    for digits in (3, 5):
        carried = derive(problem, Rounding(decimals=digits, carry=True), 2)
        steps = [step for number in (1, 2) for step in carried.steps(number) if step.formula is not None]
        marked = check(problem, {step.id: step.shown.plain for step in steps})
        assert {answer.verdict for answer in marked.answers} <= {"correct", "rounded"}
    ids = {step["id"] for step in json.loads(str(render(derivation, "json")))["steps"]}
    assert {f"#4:new.{rule.name}" for rule in problem.rules} <= ids
    assert all(render(derivation, format) for format in ("html", "latex", "notebook"))
    if problem.minimize:
        assert gradcheck(problem).ok


def test_how_they_are_printed() -> None:
    plain, told = (str(render(derive(loads(MINIMUM)), format)) for format in ("plain", "terminal"))
    assert "x+ = x - (df/dx)/(d^2f/dx^2) = 1 - 1/12" in plain and "∂²f/∂x² = 8·x·x + 4·x²" in told
    assert r"\frac{∂^{2}f}{∂x^{2}}" in str(render(derive(loads(MINIMUM)), "latex")).replace(r"\partial ", "∂").replace(" ", "")
    assert "one after the other" in str(render(derive(loads(ONE_BY_ONE)), "plain"))
    share = str(render(derive(loads(SHARE)), "terminal"))
    assert "gradient" not in share and share.count("w⁺ = w - dz/2/dz_dw") == 1


def test_ids_and_symbols_of_a_second_derivative() -> None:
    problem = loads(MINIMUM)
    for name in ("grad2.x", "∂²f/∂x²", "d^2f/dx^2"):
        assert [answer.verdict for answer in check(problem, {name: "12"}).answers] == ["correct"]
    assert [answer.verdict for answer in check(problem, {"df/dx": "1", "grad.x": "1"}).answers][0] == "correct"
    with pytest.raises(UnknownIdError):
        derive(problem).find("grad2.a")


def test_a_wrong_sign_has_its_name() -> None:
    marked = check(loads(ROOT), {"new.x": "1.58333"})
    assert [answer.mistakes for answer in marked.answers] == [("ascent",)] or marked.answers[0].verdict == "mistake"


def test_what_is_watched_without_a_goal() -> None:
    """Without minimize, training shows the last equation."""
    found = train(
        loads(SHARE.replace(", dz_dw: 2*y, dz_db: 3*y + 2*x", "").replace("/dz_dw", "/(2*y)").replace("/dz_db", "/(3*y + 2*x)")), 4
    )
    assert found.history[0] == (0, 12.0) and abs(found.loss) < 1e-6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("x - f/grad.x", "x - f/grad.y"), r'unknown name "grad"'),
        (("{x: x -", "{y: x -"), r'there is no given number "y"'),
        (("x - f/grad.x", "x - rate*grad.x"), r'unknown name "rate"'),
        (("x - f/grad.x", "x - f/new.x"), r'unknown name "new"'),
        (("given: {x: 1.5}", "given: {x: 1.5, c: 1}\nparameters: [c]"), r"a learning_rate is missing for c"),
        (("minimize: f\n", ""), r'unknown name "grad"'),
    ],
)
def test_errors(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ProblemError) as failed:
        loads(ROOT.replace(*change))
    assert re.search(message, str(failed.value)), failed.value


def test_frozen_parameters_of_equations() -> None:
    """What `update` says of networks it says of equations, too."""
    text = "given: {x: 1, y: 2}\nequations: {f: x^2 + y^2}\nminimize: f\nparameters: [x, y]\nlearning_rate: 0.1\nupdate: {frozen: [y]}\n"
    assert values(text, "new.x") == [0.8] and derive(loads(text)).updated == {"x": "new.x"}


def test_division_by_zero_is_named() -> None:
    problem: Problem = loads(ROOT.replace("1.5", "0"))
    with pytest.raises(Exception, match=r"new\.x: division by zero|delta\.x: division by zero"):
        _ = derive(problem)["new.x"]
    assert math.isfinite(float(derive(problem)["grad.x"].value))


# --- samples ----------------------------------------------------------------------------------------------------------

LINE = """
samples:
  - {name: A, inputs: {x: 1}, targets: {t: 2}}
  - {name: B, inputs: {x: 2}, targets: {t: 3}}
  - {name: C, inputs: {x: 3}, targets: {t: 5}}
given: {w: 0.5, b: 0}
equations: {y: tanh(w*x) + b, e: t - y, f: e^2}
minimize: f
parameters: [w, b]
learning_rate: 0.1
"""
BY_HAND = LINE.replace("parameters: [w, b]\n", "") + "update: {w: w + 2*rate*e*x, b: b + 2*rate*e}\n"


MODES = ["batch", "online", "mini_batch, batch_size: 2", "online, order: shuffled, seed: 4"]


@pytest.mark.parametrize("text", [LINE, BY_HAND])
@pytest.mark.parametrize("mode", some(MODES, ["mini_batch, batch_size: 2"]))
def test_equations_over_samples(text: str, mode: str) -> None:
    """In every mode solved as it is trained; gradients agree with differences; the key marks itself right."""
    text += f"training: {{mode: {mode}}}\n"
    if text.startswith(BY_HAND) and not mode.startswith("online"):
        with pytest.raises(ProblemError, match='"e" has a number for every sample'):
            loads(text)
        return
    problem = loads(text)
    derivation, trainer = derive(problem, Rounding(), 7), Trainer(problem)
    for number in range(1, 8):
        trainer.advance(1)
        round = derivation.iteration(number).evaluation
        ours = {old: float(round[derivation.carried[old[0]], old[1]]) for old in trainer.values()}
        assert ours == pytest.approx(trainer.values(), rel=1e-12, abs=1e-14), number
    assert gradcheck(problem).ok
    steps = [step for number in (1, 2) for step in derivation.steps(number) if step.formula is not None]
    marked = check(problem, {step.id: f"{float(step.value):.5f}" for step in steps})
    assert {answer.verdict for answer in marked.answers} <= {"correct", "rounded"}
    assert all(render(derivation, format) for format in ("plain", "html", "latex", "notebook", "csv"))


def test_the_mean_of_samples() -> None:
    derivation = derive(loads(LINE))
    errors = [2 - math.tanh(0.5), 3 - math.tanh(1), 5 - math.tanh(1.5)]
    assert float(derivation["loss"].value) == pytest.approx(sum(e * e for e in errors) / 3)
    assert float(derivation["e@B"].value) == pytest.approx(errors[1]) and float(derivation["grad.b"].value) == pytest.approx(
        -2 * sum(errors) / 3
    )
    summed = derive(loads(LINE + "sample_reduction: sum\n"))
    assert float(summed["loss"].value) == pytest.approx(sum(e * e for e in errors))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("{name: B, inputs: {x: 2}", "{name: B, inputs: {z: 2}"), "every sample needs the same inputs: x, t, found z, t"),
        (("given: {w:", "given: {x: 1, w:"), '"x" is given already'),
        (("e: t - y, f", "loss: t - y, e: loss, f"), '"loss" is the id of the total loss'),
    ],
)
def test_wrong_samples(change: tuple[str, str], message: str) -> None:
    with pytest.raises(ProblemError, match=message):
        loads(LINE.replace(*change))
