"""Learning rates that change: PyTorch's over fifty steps, by hand, in both engines, counted in updates or epochs, as steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
from shipping import thinned
from small import NETWORK, quadratic, refusals

from handcalc import check, derive, loads
from handcalc.arrays.straightline import Straight
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.rounding import Rounding
from handcalc.errors import EvaluationError, ProblemError
from handcalc.problem.words import SCHEDULES
from handcalc.render import read, render
from handcalc.training import trainer as training
from handcalc.training.train import train
from handcalc.training.trainer import Trainer

QUADRATIC = quadratic(0.4)

# what is written, the rate of update t by hand, and PyTorch's scheduler with its arguments
CASES: list[tuple[str, Callable[[int], float], str, dict[str, Any]]] = [
    ("{step: {every: 10, factor: 0.5}}", lambda t: 0.4 * 0.5 ** (t // 10), "StepLR", {"step_size": 10, "gamma": 0.5}),
    ("{step: {every: 7}}", lambda t: 0.4 * 0.1 ** (t // 7), "StepLR", {"step_size": 7}),
    ("{exponential: {factor: 0.95}}", lambda t: 0.4 * 0.95**t, "ExponentialLR", {"gamma": 0.95}),
    ("{inverse_time: {decay: 0.1}}", lambda t: 0.4 / (1 + 0.1 * t), "LambdaLR", {"lr_lambda": lambda t: 1 / (1 + 0.1 * t)}),
    ("{cosine: {iterations: 50}}", lambda t: 0.2 * (1 + math.cos(math.pi * min(t, 50) / 50)), "CosineAnnealingLR", {"T_max": 50}),
    ("{cosine: {iterations: 80, lowest: 0.05}}", lambda t: 0.05 + 0.175 * (1 + math.cos(math.pi * t / 80)), "CosineAnnealingLR",
     {"T_max": 80, "eta_min": 0.05}),
    ("{linear: {iterations: 5}}", lambda t: 0.4 * (1 / 3 + 2 / 3 * min(t, 5) / 5), "LinearLR", {}),
    ("{linear: {iterations: 20, start: 0.1}}", lambda t: 0.4 * (0.1 + 0.9 * min(t, 20) / 20), "LinearLR",
     {"start_factor": 0.1, "total_iters": 20}),
    ("{linear: {iterations: 30, start: 1, end: 0}}", lambda t: 0.4 * (1 - min(t, 30) / 30), "LinearLR",
     {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30}),
    ("rate/(1 + 0.1*t)", lambda t: 0.4 / (1 + 0.1 * t), "LambdaLR", {"lr_lambda": lambda t: 1 / (1 + 0.1 * t)}),
    ("rate*min(1, (t + 1)/10)*0.9^floor(t/20)", lambda t: 0.4 * min(1, (t + 1) / 10) * 0.9 ** (t // 20), "LambdaLR",
     {"lr_lambda": lambda t: min(1, (t + 1) / 10) * 0.9 ** (t // 20)}),
]  # fmt: skip
IDS = [case[0] for case in CASES]


def test_every_schedule_is_compared() -> None:
    assert all(any(name + ":" in text for text in IDS) for name in SCHEDULES)


@pytest.mark.parametrize(("text", "rate", "_name", "_arguments"), CASES, ids=IDS)
def test_rates(text: str, rate: Callable[[int], float], _name: str, _arguments: Any) -> None:
    """Update by update, as steps of the solution, and in what they do: x⁺ = x − η·2x."""
    derivation = derive(loads(QUADRATIC + f"schedule: {text}\n"), Rounding(), 60)
    x = 2.0
    for number in range(1, 61):
        found = float(derivation.value(f"#{number}:rate"))
        assert found == pytest.approx(rate(number - 1), rel=1e-14, abs=1e-16), number
        x -= rate(number - 1) * 2 * x
        assert derivation.value(f"#{number}:new.x") == pytest.approx(x, rel=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize(("text", "_rate", "name", "arguments"), CASES, ids=IDS)
@pytest.mark.parametrize("engine", [Straight, Vectorised])
def test_as_pytorch(text: str, _rate: Any, name: str, arguments: dict[str, Any], engine: type, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty steps of a network with momentum."""
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0 if engine is Vectorised else 10**6)
    trainer = Trainer(loads(NETWORK + f"optimizer: momentum\nschedule: {text}\n"))
    assert isinstance(trainer._engine, engine)
    tensors = {}
    for quantity, shape in (("W1", (2, 2)), ("b1", (2,)), ("W2", (1, 2)), ("b2", (1,))):
        values = [value for (found, _), value in trainer.values().items() if found == quantity]
        tensors[quantity] = torch.tensor(values, dtype=torch.double).reshape(shape).requires_grad_()
    inputs = torch.tensor([[0.5, -1.2], [1.5, 0.4], [-0.7, 0.8]], dtype=torch.double)
    targets = torch.tensor([[0.3], [0.9], [0.2]], dtype=torch.double)
    optimiser = torch.optim.SGD(tensors.values(), lr=0.4, momentum=0.9)
    schedule = getattr(torch.optim.lr_scheduler, name)(optimiser, **arguments)
    for _ in range(50):
        optimiser.zero_grad()
        hidden = torch.tanh(inputs @ tensors["W1"].T + tensors["b1"])
        outputs = torch.sigmoid(hidden @ tensors["W2"].T + tensors["b2"])
        ((outputs - targets) ** 2).sum(1).mean().backward()
        optimiser.step()
        schedule.step()
    trainer.advance(50)
    expected = [float(value) for tensor in tensors.values() for value in tensor.detach().flatten()]
    assert list(trainer.parameters().values()) == pytest.approx(expected, rel=1e-12, abs=1e-13)


# --- what is counted --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("mode", "updates"), [("batch", 1), ("online", 3), ("mini_batch, batch_size: 2", 2)])
def test_epochs(mode: str, updates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate stays for an epoch, in the engines too."""
    text = NETWORK + f"training: {{mode: {mode}}}\nschedule: {{exponential: {{factor: 0.5}}, per: epoch}}\n"
    problem = loads(text)
    assert problem.schedule is not None and problem.schedule.updates == updates
    rates = []
    trainer = Trainer(problem)
    for _ in range(3 * updates):
        rates.append(float(trainer.next_step().value("rate")) if mode == "batch" else 0.4 * 0.5 ** (trainer.done // updates))
        trainer.advance(1)
    assert rates == [0.4 * 0.5**epoch for epoch in range(3) for _ in range(updates)]
    monkeypatch.setattr(training, "STRAIGHT_CELLS", 0)
    other = Trainer(problem)
    other.advance(3 * updates)
    assert isinstance(other._engine, Vectorised)
    assert list(other.parameters().values()) == pytest.approx(list(trainer.parameters().values()), rel=1e-12)
    by_hand = Trainer(loads(NETWORK + f"training: {{mode: {mode}}}\n"))
    for epoch in range(3):  # a rate of its own for every epoch
        fresh = Trainer(loads(NETWORK.replace("0.4\n", f"{0.4 * 0.5**epoch}\n") + f"training: {{mode: {mode}}}\n"))
        fresh.state, fresh.done = by_hand.state, by_hand.done
        fresh.advance(updates)
        by_hand.state = fresh.state
    assert list(by_hand.values().values()) == pytest.approx(list(trainer.parameters().values()), rel=1e-12)


def test_online_solutions_change_after_a_round() -> None:
    text = NETWORK + "training: {mode: online}\nschedule: {step: {every: 1, factor: 0.5}, per: epoch}\n"
    derivation = derive(loads(text), Rounding(), 7)
    assert [derivation.value(f"#{number}:rate") for number in range(1, 8)] == [0.4, 0.4, 0.4, 0.2, 0.2, 0.2, 0.1]


def test_with_adam_the_count_is_shared() -> None:
    text = QUADRATIC + "optimizer: adam\nschedule: {inverse_time: {decay: 1}}\n"
    derivation = derive(loads(text), Rounding(), 3)
    assert [derivation.value(f"#{number}:count") for number in (1, 2, 3)] == [1, 2, 3]
    assert derivation.value("#3:rate") == pytest.approx(0.4 / 3)
    assert sum(quantity.name == "count" for quantity in derivation.graph) == 1


@pytest.mark.parametrize("rounding", [Rounding(exact=True), Rounding(decimals=3, significant=None, carry=True)])
def test_fractions_and_rounding_on_the_way(rounding: Rounding) -> None:
    derivation = derive(loads(QUADRATIC + "schedule: {step: {every: 2, factor: 0.5}}\n"), rounding, 5)
    assert [float(derivation.value(f"#{number}:rate")) for number in (1, 2, 3, 5)] == [0.4, 0.4, 0.2, 0.1]


# --- as a step --------------------------------------------------------------------------------------------------------


def test_the_rate_is_explained() -> None:
    problem = loads(QUADRATIC + "schedule: {step: {every: 2, factor: 0.5}}\nrounding: {decimals: 4}\n")
    text = render(derive(problem, iterations=3))
    assert "η₀ = 0.4" in text and "η = η₀·0.5^⌊nᵒˡᵈ/2⌋ = 0.4·0.5^⌊2/2⌋ = 0.2" in text and "follows a schedule" in text
    step = derive(problem, iterations=3)["#3:rate"]
    assert step.phase == "update" and step.kind == "rate" and step.formula is not None
    reading = read(derive(problem, iterations=3))
    assert reading.find("η") == (("rate", ()), 1) and reading.find("η₀") == (("rate0", ()), 1)


@pytest.mark.parametrize("notation", ["mazur", "dlfs", "han", "negnevitsky"])
def test_letters_of_notations(notation: str) -> None:
    reading = read(derive(loads(QUADRATIC + "schedule: {exponential: {factor: 0.5}}\n")), notation)
    letter = {"mazur": "η", "dlfs": "lr", "han": "l", "negnevitsky": "α"}[notation]
    assert reading.symbol(derive_ref("rate")) == letter and reading.symbol(derive_ref("rate0")) == letter + "₀"


def derive_ref(name: str) -> Any:
    from handcalc.core.expr import Ref

    return Ref(name)


SHEETS = [
    ({"rate": "0.4", "#2:rate": "0.2", "#2:new.x": "0.24", "#3:rate": "0.1"}, ["correct"] * 4, ()),
    ({"#3:rate": "eta_0*0.5^2", "#2:new.x": "x - eta*2*x"}, ["correct"] * 2, ()),
    ({"#2:rate": "0.3"}, ["wrong"], ()),
    ({"delta.x": "-4", "new.x": "-2"}, ["wrong", "follow_through"], ("rate-forgotten",)),  # one digit: a hint
]


@pytest.mark.parametrize(("answers", "verdicts", "mistakes"), thinned([pytest.param(*sheet) for sheet in SHEETS], 3))
def test_students_answer_the_rate(answers: dict[str, str], verdicts: list[str], mistakes: tuple[str, ...]) -> None:
    problem = loads(QUADRATIC + "schedule: {step: {every: 1, factor: 0.5}}\n")
    found = check(problem, answers).answers
    assert [answer.verdict for answer in found] == verdicts
    assert (*found[0].mistakes, *found[0].hints) == mistakes


def test_no_schedule_no_count() -> None:
    """What is not asked for is not there, and costs nothing."""
    names = [quantity.name for quantity in derive(loads(QUADRATIC)).graph]
    assert not {"count", "old.count", "rate0"} & {*names} and "rate" in names


# --- what is wrong ----------------------------------------------------------------------------------------------------

WRONG = [
    ("{step: {factor: 0.5}}", "schedule.step: every is missing"),
    ("{step: {every: 0}}", 'schedule.step.every: expected a whole number from 1 to 100000000, found "0"'),
    ("{step: {every: 2, factor: -1}}", 'schedule.step.factor: expected a number above 0, found "-1"'),
    ("{cosine: {iterations: 5, lowest: -1}}", 'schedule.cosine.lowest: expected a number of at least 0, found "-1"'),
    ("{stepp: {every: 2}}", 'schedule.stepp: unknown key, did you mean "step"?'),
    ("{step: {every: 2}, exponential: {factor: 0.5}}", "schedule: expected one schedule such as {step: {every: 10, factor: 0.5}}"),
    ("{per: epoch}", "schedule: expected one schedule such as {step: {every: 10, factor: 0.5}}"),
    ("step", "schedule: expected numbers, such as {step: {every: …, factor: …}}"),
    ("0.5*t", 'schedule: the formula of a schedule must use rate, the learning rate at the start; found "0.5*t"'),
    ("rate*q", 'schedule: not a formula in rate, t: unknown name "q" (column 6)'),
    ("{formula: rate, per: day}", 'schedule.per: unknown value "day"; known are update, epoch'),
]


@pytest.mark.parametrize(("text", "wanted"), WRONG)
def test_wrong(text: str, wanted: str) -> None:
    assert refusals(QUADRATIC + f"schedule: {text}\n")[-1] == wanted


@pytest.mark.parametrize(
    ("more", "name"),
    [("schedule: rate/2\n", "count"), ("schedule: rate/2\n", "rate0"), ("optimizer: adam\n", "count"),
     ("optimizer: momentum\n", "momentum"),
     ("clipping: {norm: 1}\n", "norm")],
)  # fmt: skip
def test_names_of_the_update(more: str, name: str) -> None:
    text = f"given: {{x: 2, {name}: 3}}\nequations: {{f: {name}*x^2}}\nminimize: f\nparameters: [x]\nlearning_rate: 0.4\n"
    assert loads(text).given[name].numerator == 3
    with pytest.raises(ProblemError, match=f'"{name}" is the id of a quantity of the update'):
        loads(text + more)


def test_a_schedule_needs_a_rate() -> None:
    with pytest.raises(ProblemError, match="needs a learning_rate to start from"):
        loads(QUADRATIC.replace("learning_rate: 0.4\n", "schedule: rate/2\n"))


def test_a_rate_without_a_value() -> None:
    problem = loads(QUADRATIC + "schedule: rate/(3 - t)\n")
    with pytest.raises(EvaluationError, match="#?rate: division by zero"):
        derive(problem, None, 5).value("#4:rate")
    with pytest.raises(EvaluationError, match="after about 3 iterations: a function has no value there"):
        train(problem, 10)
