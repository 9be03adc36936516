"""Penalties in the loss, a loss that is only reported, what is frozen, and clipping by the norm of what is trained.

The numbers are worked once more with NumPy, PyTorch, or by hand; the published exercises are in tests/published.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from modelproblems import MODELS
from shipping import some

from handcalc import check, gradcheck, load, loads, render
from handcalc.arrays.straightline import Straight
from handcalc.arrays.unrolling import NotVectorised
from handcalc.arrays.vectorised import Vectorised
from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Ref
from handcalc.deriving import derive
from handcalc.loading.saving import with_parameters
from handcalc.problem.words import PENALTY_FORMS
from handcalc.render import read
from handcalc.training.trainer import Trainer

NETWORK = """
samples:
  - {inputs: {x1: 0.5, x2: -1.2}, targets: [0.3]}
  - {inputs: {x1: 1.5, x2: 0.4}, targets: [0.9]}
  - {inputs: {x1: -0.7, x2: 0.8}, targets: [0.2]}
layers:
  - {neurons: 2, activation: tanh, weights: [[0.1, -0.4], [0.7, 0.2]], bias: [0.1, -0.2]}
  - {neurons: 1, activation: sigmoid, weights: [[0.3, -0.6]], bias: [0.2]}
loss: squared_error
learning_rate: 0.4
"""
W1, B1, W2, B2 = np.array([[0.1, -0.4], [0.7, 0.2]]), np.array([0.1, -0.2]), np.array([[0.3, -0.6]]), np.array([0.2])


def value(derivation: Derivation, wanted: str) -> float:
    return float(derivation.value(wanted))


# --- the loss and its gradient -------------------------------------------------------------------------------------------


def before_the_sum(form: str, samples: int) -> float:
    """What λ of the squares is multiplied by, once more."""
    return {"half": 1 / 2, "half_mean": 1 / (2 * samples), "mean": 1 / samples, "sum": 1.0}[form]


@pytest.mark.parametrize(("form", "biases"), [*product(PENALTY_FORMS, (False, True))])
def test_loss_and_gradients(form: str, biases: bool) -> None:
    plain = derive(loads(NETWORK))
    both = derive(loads(NETWORK + f"regularization: {{l2: 0.3, l1: 0.06, form: {form}, biases: {str(biases).lower()}}}\n"))
    squares, sizes = 0.3 * before_the_sum(form, 3), 0.06 / (3 if "mean" in form else 1)
    parts = [W1, W2, B1, B2] if biases else [W1, W2]
    l2, l1 = squares * sum((part**2).sum() for part in parts), sizes * sum(abs(part).sum() for part in parts)
    assert [value(both, one) for one in ("data_loss", "penalty.l2", "penalty.l1", "loss")] == pytest.approx(
        [value(plain, "loss"), l2, l1, value(plain, "loss") + l2 + l1], rel=1e-12
    )
    for name, numbers, is_in in (("W1", W1, True), ("W2", W2, True), ("b1", B1, biases), ("b2", B2, biases)):
        for place, number in np.ndenumerate(numbers):
            wanted = f"{name}[{','.join(str(position + 1) for position in place)}]"
            added = (2 * squares * number + sizes * np.sign(number)) * is_in
            gradient = value(plain, f"grad.{wanted}") + added
            assert value(both, f"grad.{wanted}") == pytest.approx(gradient, rel=1e-12)
            assert value(both, f"new.{wanted}") == pytest.approx(number - 0.4 * gradient, rel=1e-12)
            if is_in:
                assert value(both, f"path.l2.{wanted}") == pytest.approx(2 * squares * number, rel=1e-12)
    after = [value(both, f"after.{one}") for one in ("data_loss", "penalty.l2", "penalty.l1", "loss")]
    assert after[3] == pytest.approx(sum(after[:3])) and after[3] < value(both, "loss")


def test_as_it_is_printed() -> None:
    """λ/(2m) is 1/6·λ, and its derivative ⅓·λ·w."""
    reading = read(derive(loads(NETWORK + "regularization: {l2: 0.3, form: half_mean}\n")))

    def line(wanted: str) -> str:
        cell, _ = reading.find(wanted)
        formula = reading.formula(cell)
        assert formula is not None
        return f"{reading.symbol(Ref(*cell))} = {reading.symbolic(formula)}"

    assert line("penalty.l2") == "R_L2 = 1/6·λ·(w1² + w2² + w3² + w4² + w5² + w6²)"
    assert line("loss") == "E_total = E_data + R_L2" and line("path.l2.W2[1,1]") == "∂E/∂w5|R_L2 = ⅓·λ·w5"
    assert line("grad.w5").endswith("+ ∂E/∂w5|R_L2")
    assert {reading.find(text)[0] for text in ("R_L2", "penalty.l2")} == {reading.find("R_L2")[0]}


@pytest.mark.parametrize("model", some(MODELS, ("strided convolution", "attention")))
def test_every_layer_has_its_penalty(model: str) -> None:
    """Central differences, and both programs of training, on every type of layer."""
    problem = loads(MODELS[model] + "\n        regularization: {l2: 0.3, l1: 0.02, form: mean, biases: true}")
    assert gradcheck(problem).ok
    derivation, trainer = derive(problem), Trainer(problem)
    graph, model_of = trainer.whole.graph, trainer.whole
    known = Evaluation(graph)
    for kind in (Straight, Vectorised):
        try:
            engine = kind(graph, model_of.carried, model_of.loss, ())
        except NotVectorised:
            continue
        values = engine.values(engine.run(engine.start(lambda wanted: float(known[wanted])), [()], -np.inf)[0])
        for (name, place), number in values.items():
            new = graph.updated(name)
            assert not new or number == pytest.approx(float(derivation.evaluation[new, place]), rel=1e-12, abs=1e-15)


def test_m_is_the_number_of_all_samples() -> None:
    """Also where an update uses some of them, so that an epoch of small steps has the penalty once."""
    batch, one, two = (
        derive(loads(NETWORK + f"regularization: {{l2: 0.3, form: mean}}\ntraining: {mode}\n"))
        for mode in ("{mode: batch}", "{mode: online}", "{mode: mini_batch, batch_size: 2}")
    )
    assert (
        value(one, "path.l2.W1[1,2]") == value(two, "path.l2.W1[1,2]") == value(batch, "path.l2.W1[1,2]") == pytest.approx(2 * 0.1 * -0.4)
    )
    trainer = Trainer(loads(NETWORK + "regularization: {l2: 0.3, form: mean}\ntraining: {mode: online}\n"))
    assert trainer.loss() == pytest.approx(value(batch, "loss"), rel=1e-12)


def test_training_is_descent_of_the_whole_loss() -> None:
    """Ridge regression arrives at the coefficients that scikit-learn prints, which solve (XᵀX + λ)w = Xᵀy."""
    trainer = Trainer(load("sklearn-ridge"))
    trainer.advance(200)
    assert [round(number, 8) for number in trainer.parameters().values()] == [0.34545455, 0.34545455, 0.13636364]


def test_logistic_regression_at_zero() -> None:
    """Ng's exercise 2: at θ = 0 the cost is ln 2, with any λ; then every ∂J/∂θ is that of the data."""
    text = """
        samples: [{inputs: [0.1, -0.3], targets: [1]}, {inputs: [0.5, 0.9], targets: [0]}]
        layers: [{neurons: [h], activation: sigmoid, weights: [[0, 0]], bias: [0]}]
        loss: binary_cross_entropy
        regularization: {l2: 1, form: half_mean}"""
    derivation = derive(loads(text))
    assert value(derivation, "loss") == pytest.approx(0.693147, abs=1e-6) and value(derivation, "penalty.l2") == 0
    assert value(derivation, "grad.W1[1,1]") == pytest.approx((-0.5 * 0.1 + 0.5 * 0.5) / 2)


def test_saving_keeps_the_penalty() -> None:
    text = NETWORK + "regularization: {l2: 0.3, form: mean}  # in the loss\n"
    problem = loads(text)
    trainer = Trainer(problem)
    trainer.advance(3)
    again = with_parameters(text, problem, trainer.whole.graph, trainer.values())
    assert "regularization: {l2: 0.3, form: mean}  # in the loss" in again
    assert value(derive(loads(again)), "loss") == pytest.approx(trainer.loss(), rel=1e-12)


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("regularization: {l2: 1}", "The loss has a penalty on the weights, frozen ones too; biases are not in it."),
        ("regularization: {l1: 1, form: mean}", "λ is divided by the number of samples, 3."),
        ("weight_decay: 0.1", "Weight decay is not in the loss: λ·w is added to the gradient in the update."),
        ("optimizer: adamw", "Weight decay is not in the loss: η·λ·w is taken off in the update."),
        ("report: absolute_error", "Reported beside it, not minimised: absolute error, summed over the outputs."),
    ],
)
def test_the_page_says_what_is_in_the_loss(keys: str, said: str) -> None:
    assert said in render(derive(loads(NETWORK + keys + "\n")), "markdown").replace("\n", " ").replace("\\", "")


# --- a loss that is reported ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_a_reported_loss_is_not_minimised(reduction: str) -> None:
    """(p − t)² is printed and ½ of it descended."""
    text = NETWORK.replace("loss: squared_error", f"loss: half_squared_error\nsample_reduction: {reduction}")
    plain, beside = derive(loads(text)), derive(loads(text + "report: squared_error\n"))
    for one in ("", "after."):
        assert value(beside, f"{one}reported_loss") == pytest.approx(2 * value(plain, f"{one}loss"), rel=1e-12)
        assert value(beside, f"{one}reported_loss@2") == pytest.approx(2 * value(plain, f"{one}loss@2"), rel=1e-12)
    assert value(beside, "new.W1[1,1]") == value(plain, "new.W1[1,1]")
    assert not any(step.id.startswith("grad.reported") for step in beside.steps())


def test_a_reported_formula_and_mean() -> None:
    two = "inputs: [1]\ntargets: [1, 3]\nlayers: [{neurons: 2, weights: [[2], [2]]}]\nreport: %s\n"
    assert value(derive(loads(two % "mean_squared_error")), "reported_loss") == 1
    assert value(derive(loads(two % "(t - o)^4")), "reported_loss") == 2


# --- frozen ----------------------------------------------------------------------------------------------------------------

FROZEN = {
    "strided convolution": ["conv1", "W1", "W1[1,1,2,2]", "conv1.weights", "b1", "b1[2]", "dense1.bias", "W4[1,2]"],
    "long short-term memory": ["lstm1", "Wxi1", "Whf1[1,1]", "bo1", "lstm1.forget"],
    "normalised block": ["layer_norm1", "W4", "W4[2]", "layer_norm1.bias", "dense2"],
    "attention": ["attention1", "Wq2", "Wk2[1,2]", "attention1.value_weights"],
}


EACH_FROZEN = [f"{model}: {said}" for model, names in FROZEN.items() for said in names]


@pytest.mark.slow
@pytest.mark.parametrize("case", some(EACH_FROZEN, EACH_FROZEN[:4]))
def test_anything_can_be_frozen(case: str) -> None:
    """What is named stays, all else moves as before."""
    model, _, said = case.partition(": ")
    plain = derive(loads(MODELS[model]))
    kept = derive(loads(MODELS[model] + f"\n        update: {{frozen: ['{said}']}}"))
    changed = 0
    for parameter, new in plain.updated.items():
        for place in plain.graph.positions(parameter):
            own = kept.updated.get(parameter)
            frozen = own is None or kept.graph.instance((own, place)) == Ref(parameter, place)
            changed += frozen
            assert frozen or float(kept.evaluation[own, place]) == float(plain.evaluation[new, place])
    whole = "[" not in said
    assert changed == 1 if not whole else changed > 0
    assert said in render(kept, "markdown").replace("\\", "")


def test_a_layer_has_a_name() -> None:
    problem = loads(NETWORK.replace("{neurons: 2", "{name: features, neurons: 2") + "update: {frozen: [features]}\n")
    assert [layer.name for layer in problem.layers] == ["features", "dense2"]
    assert [*derive(problem).updated] == ["W2", "b2"] and [*Trainer(problem).parameters()] == ["W2[1,1]", "W2[1,2]", "b2[1]"]


# --- clipping --------------------------------------------------------------------------------------------------------------

ZERO = "inputs: [1]\ntargets: [2]\nlayers: [{neurons: [y], weights: {w: [x1, y, 2]}}]\nlearning_rate: 0.1\nclipping: {norm: 0.5}\n"


def test_a_zero_gradient_is_not_clipped() -> None:
    derivation = derive(loads(ZERO))
    assert (value(derivation, "norm"), value(derivation, "clipped.w"), value(derivation, "new.w")) == (0, 0, 2)
    trainer = Trainer(loads(ZERO))
    trainer.advance(3)
    assert trainer.parameters() == {"w": 2}


@pytest.mark.parametrize("update", ["frozen: [dense1]", "frozen: ['W1[2,1]', b1]", "biases: false"])
def test_only_what_is_trained_is_in_the_norm(update: str) -> None:
    derivation = derive(loads(NETWORK + f"clipping: {{norm: 0.001}}\nupdate: {{{update}}}\n"))
    moved = [step.id for step in derivation.steps() if step.id.startswith("delta.") and step.value]
    gradients = [value(derivation, wanted.replace("delta.", "grad.")) for wanted in moved]
    assert value(derivation, "norm") == pytest.approx(np.linalg.norm(gradients), rel=1e-12)
    assert np.linalg.norm([value(derivation, wanted) for wanted in moved]) == pytest.approx(0.4 * 0.001, rel=1e-12)
    assert 2 < len(moved) < 9


# --- sheets ----------------------------------------------------------------------------------------------------------------

PENALISED = NETWORK + "regularization: {l2: 0.3, form: mean}\n"


@pytest.mark.parametrize(
    ("other", "convention"), [("{l2: 0.3, form: sum}", "penalty_form"), ("{l2: 0.3, form: mean, biases: true}", "penalised_biases")]
)
def test_another_penalty_is_a_convention(other: str, convention: str) -> None:
    asked = ["loss", "grad.W2[1,1]", "grad.W2[1,2]", "grad.b2[1]", "new.b2[1]"]
    theirs = derive(loads(NETWORK + f"regularization: {other}\n"))
    found = check(loads(PENALISED), {wanted: f"{value(theirs, wanted):.7f}" for wanted in asked}).answers
    assert {answer.verdict for answer in found} <= {"convention", "correct"}
    assert {name for answer in found for name in answer.conventions} == {convention}


def test_with_one_sample_nothing_is_divided_by_m() -> None:
    one = NETWORK.replace("  - {inputs: {x1: 1.5, x2: 0.4}, targets: [0.9]}\n  - {inputs: {x1: -0.7, x2: 0.8}, targets: [0.2]}\n", "")
    whole = derive(loads(one + "regularization: {l2: 0.3, form: sum}\n"))
    sheet = {wanted: f"{value(whole, wanted):.7f}" for wanted in ("loss", "grad.W1[1,1]", "grad.W2[1,2]")}
    found = check(loads(one + "regularization: {l2: 0.3}\n"), sheet).answers
    assert {str(answer.note) for answer in found} == {"λ stands before the penalty on this sheet"}


def test_a_penalty_left_out_is_named() -> None:
    right, data = derive(loads(PENALISED)), derive(loads(NETWORK))
    asked = {"loss": right, **dict.fromkeys(("grad.W1[1,1]", "grad.W1[1,2]", "grad.W2[1,2]"), data)}
    first, *others = check(loads(PENALISED), {wanted: f"{value(source, wanted):.7f}" for wanted, source in asked.items()}).answers
    assert first.verdict == "correct" and {answer.mistakes for answer in others} == {("penalty-not-in-gradient",)}
