"""Numbers given in the place of what would be worked out: exercises that start in the middle, worked out by hand or in plain Python.

Laws: a number given as it is anyway changes nothing, in any shipped problem; gradients that are given at the outputs, without a loss, give
the gradients that the loss gives.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import exp, isclose, log, sqrt, tanh
from pathlib import Path

import pytest
from shipping import KINDS, loaded, some, thinned

from handcalc.core.derivation import Derivation
from handcalc.core.expr import number
from handcalc.deriving import derive
from handcalc.errors import EvaluationError, HandcalcError
from handcalc.loading.loader import load, loads, shipped
from handcalc.loading.saving import with_parameters
from handcalc.marking.check import check
from handcalc.problem.schema import GivenCell, Problem
from handcalc.render import read, render
from handcalc.render.matrices import matrix_numbers
from handcalc.training.gradcheck.comparing import gradcheck
from handcalc.training.trainer import Trainer

TWO_LAYERS = """
inputs: {x1: 0.5, x2: -1}
layers:
  - {neurons: [h1, h2], activation: sigmoid, weights: [[0.1, 0.2], [0.3, 0.4]], bias: [0.1, 0.2]}
  - {neurons: [o1, o2], activation: sigmoid, weights: [[0.5, 0.6], [0.7, 0.8]], bias: [0.1, 0.2]}
"""


def sigma(z: float) -> float:
    return 1 / (1 + exp(-z))


def values(text: str) -> dict[str, float]:
    """id → value of every step."""
    return values_of(derive(loads(text)))


def values_of(derivation: Derivation) -> dict[str, float]:
    return {step.id: float(step.value) for step in derivation.steps()}


def same(found: Mapping[str, float], expected: Mapping[str, float]) -> None:
    for name, value in expected.items():
        assert isclose(found[name], value, rel_tol=1e-12, abs_tol=1e-14), (name, found[name], value)


# --- exercises --------------------------------------------------------------------------------------------------------


def test_a_list_for_the_last_layer() -> None:
    """softmax of 1, 5, 3, and what cross-entropy sends back: p - t."""
    text = "targets: [0, 1, 0]\nlayers: [{neurons: 3, activation: softmax}]\nloss: cross_entropy\ngiven: {net: [1, 5, 3]}\n"
    total = exp(1) + exp(5) + exp(3)
    same(values(text), {"out.o1": exp(1) / total, "grad.net.o2": exp(5) / total - 1, "loss": -log(exp(5) / total)})


def test_what_is_minimised_has_no_gradient_from_above() -> None:
    with pytest.raises(HandcalcError) as caught:
        derive(loads("given: {c: 3, grad.f: 0.5}\nequations: {f: 2*c}\nminimize: f\n"))
    assert "grad.f is 1, since f is minimised" in str(caught.value)
    same(values("given: {c: 3, grad.f: 0.5}\nequations: {f: 2*c}\n"), {"grad.c": 1.0})


def test_one_step_of_a_recurrent_layer_back() -> None:
    """dprev_h = Wᵀ·(dnext_h·(1 - h²)) of the exercises of CS231n, with the state at the start."""
    text = """
inputs: [[1, -0.5]]
input_gradients: true
layers:
  - {type: rnn, neurons: [a], input_weights: [[0.1, 0.2]], hidden_weights: [[0.5]], bias: [0.1], initial_state: [0.3]}
given: {grad.out.a@t1: 0.7}
"""
    slope = 0.7 * (1 - tanh(0.1 - 0.1 + 0.15 + 0.1) ** 2)
    same(values(text), {"grad.out.a@t0": 0.5 * slope})


def test_quiz_from_the_middle() -> None:
    """DSC 140B, practice quiz 7: its official answers."""
    found = values_of(derive(load("quiz-from-the-middle")))
    wanted = {"grad.out.a1": -14, "grad.out.a2": -1, "grad.net.a1": -14, "grad.net.a2": 0, "grad.w11": -9, "grad.w21": 0}
    assert {name: found[name] for name in wanted} == wanted
    assert not {"net.z1", "out.z1", "grad.out.z1", "x1"} & found.keys()  # nothing needs them


def test_gradients_from_above_and_a_net_input() -> None:
    found = values(TWO_LAYERS + "given: {grad.out.o1: 0.5, grad.out.o2: -0.25, net.h1: 3}")
    h = [sigma(3), sigma(0.3 * 0.5 - 0.4 + 0.2)]
    o = [sigma(0.5 * h[0] + 0.6 * h[1] + 0.1), sigma(0.7 * h[0] + 0.8 * h[1] + 0.2)]
    deltas = [0.5 * o[0] * (1 - o[0]), -0.25 * o[1] * (1 - o[1])]
    back = (deltas[0] * 0.5 + deltas[1] * 0.7) * h[0] * (1 - h[0])
    same(found, {"net.h1": 3, "grad.net.o1": deltas[0], "grad.W2[2,1]": deltas[1] * h[0], "grad.W1[1,2]": -back, "grad.b1[1]": back})
    assert "loss" not in found


def test_a_gradient_cuts_what_is_above_it() -> None:
    found = values(TWO_LAYERS + "given: {δ_h1: 0.2, dE/dnet_h2: 0.1}")
    same(found, {"grad.net.h1": 0.2, "grad.W1[1,1]": 0.1, "grad.W1[2,2]": -0.1})
    assert not {"net.h1", "out.h1", "net.o1", "grad.W2[1,1]", "local.out.h1"} & found.keys()


def test_numbers_that_are_not_each_others_function() -> None:
    text = """
inputs: [1, 2]
targets: [1]
layers:
  - {neurons: [h], activation: relu, weights: [[1, 1]]}
  - {neurons: [y], weights: [[2]]}
given: {net.h: -0.5, out.h: 0.3}
"""
    found = values(text)
    same(found, {"out.y": 0.6, "loss": 0.08, "grad.out.h": -0.8, "local.out.h": 0, "grad.net.h": 0, "grad.W2[1,1]": -0.4 * 0.3})


def test_a_printed_forward_pass_is_the_data() -> None:
    found = values_of(derive(load("printed-forward-pass")))
    delta = (0.5083 - 1) * 0.5083 * (1 - 0.5083)
    hidden = delta * 0.7 * 0.5646 * (1 - 0.5646)
    same(found, {"loss": 0.5 * (1 - 0.5083) ** 2, "grad.net.y": delta, "grad.w5": delta * 0.5646, "grad.w1": hidden * 0.6})


def test_a_loss_from_probabilities() -> None:
    text = "layers: [{neurons: [a, b, c], activation: softmax}]\ntargets: [0, 1, 0]\nloss: cross_entropy\n"
    found = values(text + "given: {out.a: 0.2, out.b: 0.5, out.c: 0.3}")
    same(found, {"loss": -log(0.5), "grad.net.a": 0.2, "grad.net.b": -0.5, "grad.net.c": 0.3})


def test_a_velocity_and_dampening() -> None:
    """PyTorch's SGD with a momentum_buffer: v = μ·v + (1 − τ)·g."""
    text = """
given: {w: 1.2, grad.w: 0.5, old.velocity.w: 0.02}
parameters: [w]
learning_rate: 0.1
optimizer: {momentum: {momentum: 0.8, dampening: 0.4}}
"""
    found = values(text)
    same(found, {"velocity.w": 0.8 * 0.02 + 0.6 * 0.5, "new.w": 1.2 - 0.1 * 0.316})
    with pytest.raises(HandcalcError, match=r"problem:6: conventions.momentum_form: an average has"):
        loads(text + "conventions: {momentum_form: average}")
    same(values(text + "conventions: {momentum_form: textbook}"), {"velocity.w": 0.8 * 0.02 - 0.1 * 0.6 * 0.5})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "name", "arguments", "state"),
    [
        ("{momentum: {momentum: 0.8, dampening: 0.4}}", "SGD", {"momentum": 0.8, "dampening": 0.4}, {"momentum_buffer": "velocity"}),
        ("adam", "Adam", {}, {"exp_avg": "moment1", "exp_avg_sq": "moment2"}),
        ("rmsprop", "RMSprop", {}, {"square_avg": "square"}),
    ],
)
def test_what_an_optimiser_remembers_as_pytorch(typed: str, name: str, arguments: dict[str, float], state: dict[str, str]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    remembered = {ours: 0.02 + 0.1 * place for place, ours in enumerate(state.values())} | ({"count": 4} if name == "Adam" else {})
    given = "".join(f", old.{ours}{'' if ours == 'count' else '.w'}: {value}" for ours, value in remembered.items())
    found = values(f"given: {{w: 1.2, grad.w: 0.5{given}}}\nparameters: [w]\nlearning_rate: 0.1\noptimizer: {typed}")
    weight = torch.tensor([1.2], dtype=torch.double, requires_grad=True)
    optimiser = getattr(torch.optim, name)([weight], lr=0.1, **arguments)
    weight.grad = torch.tensor([0.5], dtype=torch.double)
    buffers = {theirs: torch.tensor([remembered[ours]], dtype=torch.double) for theirs, ours in state.items()}
    optimiser.state[weight] = {"step": torch.tensor(4.0), **buffers}
    optimiser.step()
    assert isclose(found["new.w"], weight.item(), rel_tol=1e-10)


def test_adam_at_the_fifth_update() -> None:
    text = "given: {w: 1.2, grad.w: 0.5, old.moment1.w: 0.1, old.moment2.w: 0.02, old.count: 4}\n"
    found = values(text + "parameters: [w]\nlearning_rate: 0.1\noptimizer: adam")
    first, second = 0.9 * 0.1 + 0.1 * 0.5, 0.999 * 0.02 + 0.001 * 0.25
    step = 0.1 * (first / (1 - 0.9**5)) / (sqrt(second / (1 - 0.999**5)) + 1e-8)
    same(found, {"moment1.w": first, "moment2.w": second, "count": 5, "new.w": 1.2 - step})


def test_a_change_that_is_given() -> None:
    found = values(TWO_LAYERS + "targets: [0, 1]\nlearning_rate: 0.5\ngiven: {Δw5: 0.25}")
    same(
        found,
        {
            "delta.W2[1,1]": 0.25,
            "new.W2[1,1]": 0.75,
            "after.net.o1": 0.75 * found["after.out.h1"] + found["new.W2[1,2]"] * found["after.out.h2"] + found["new.b2[1]"],
        },
    )


def test_attention_weights_that_are_given() -> None:
    text = (
        "inputs: [[1, 0], [0, 2], [1, 1]]\nlayers: [{type: attention}]\ngiven:\n  attention1: [[0.7, 0.2, 0.1], [0, 1, 0], [0.3, 0.3, 0.4]]"
    )
    found = values(text)
    same(found, {"out1[1,1]": 0.8, "out1[1,2]": 0.5, "out1[2,2]": 2, "out1[3,1]": 0.7, "out1[3,2]": 1})
    assert "score1[1,1]" not in found


def test_queries_keys_and_values_that_are_given() -> None:
    """Nobody needs weights, nor the inputs, but for the number of tokens."""
    text = """
input_shape: [2, 1]
layers: [{type: attention}]
given: {query1: [[1, 0], [0, 2]], key1: [[1, 1], [0, 1]], value1: [[1, 2, 3], [4, 5, 6]]}
"""
    found = values(text)
    share = 1 / (1 + exp((0 - 1) / sqrt(2)))
    same(found, {"attention1[1,1]": share, "attention1[2,1]": 0.5, "out1[1,3]": share * 3 + (1 - share) * 6, "out1[2,2]": 3.5})


def test_the_gradient_of_a_map() -> None:
    text = """
inputs: [[1, 2, 0], [0, 1, 3], [2, 1, 0]]
layers: [{type: conv2d, weights: [[1, 0], [-1, 2]], bias: 0.5}]
given: {grad.out.f1: [[0.1, -0.2], [0.3, 0.4]]}
input_gradients: true
"""
    found = values(text)
    image, above, kernel = ((1, 2, 0), (0, 1, 3), (2, 1, 0)), ((0.1, -0.2), (0.3, 0.4)), ((1, 0), (-1, 2))
    pairs = [(r, c) for r in range(2) for c in range(2)]
    for u, v in pairs:
        same(found, {f"grad.W1[1,{u + 1},{v + 1}]": sum(above[r][c] * image[r + u][c + v] for r, c in pairs)})
    middle = sum(above[r][c] * kernel[1 - r][1 - c] for r, c in pairs)
    same(found, {"grad.b1[1]": 0.6, "grad.x[2,2]": middle})


def test_the_gates_of_an_lstm_cell() -> None:
    found = values_of(derive(load("lstm-from-above")))
    cell = 0.8 * 0.5 + 0.6 * 0.3
    back = 0.1 * 0.7 * (1 - tanh(cell) ** 2) + 0.05 * 0.9
    same(found, {"cell.h@t1": cell, "grad.cell.h@t1": back, "grad.gate_o.h@t1": 0.1 * tanh(cell), "grad.gate_f.h@t1": back * 0.3})
    same(found, {"grad.gate_i.h@t1": back * 0.5, "grad.gate_g.h@t1": back * 0.8, "grad.net_g.h@t1": back * 0.8 * 0.75})


def test_a_name_with_an_equation() -> None:
    text = "equations: {z: w*x, y: z^2, f: y + w}\nminimize: f\ngiven: {x: 3, w: 2, z: 5, grad.y: 4}"
    same(values(text), {"z": 5, "y": 25, "grad.z": 40, "grad.w": 40 * 3 + 1, "grad.x": 80})
    same(values(text.replace("grad.y: 4", "y: 7").replace("minimize: f\n", "")), {"f": 9})


def test_samples_have_gradients_of_their_own() -> None:
    text = """
samples: [{name: A, inputs: [1]}, {name: B, inputs: [3]}]
layers: [{neurons: [y], weights: [[2]]}]
given: {grad.net.y@A: 0.5, grad.net.y@B: -0.1}
learning_rate: 0.1
"""
    same(values(text), {"grad.W1[1,1]@A": 0.5, "grad.W1[1,1]": 0.1, "new.W1[1,1]": 1.99})
    same(values(text + "sample_reduction: sum"), {"grad.W1[1,1]": 0.2})


def test_samples_of_equations_have_gradients_of_their_own() -> None:
    text = """
samples: [{name: A, inputs: {u: 1}}, {name: B, inputs: {u: 3}}]
given: {w: 2, grad.y@A: 0.5, grad.y@B: -0.1}
equations: {y: w*u}
parameters: [w]
learning_rate: 0.1
"""
    same(values(text), {"grad.w@A": 0.5, "grad.w": 0.1, "new.w": 1.99})
    same(values(text + "sample_reduction: sum"), {"grad.w": 0.2})


def test_signs_of_a_notation() -> None:
    """Where a letter stands for −∂E/∂net, so does the number that is typed under it."""
    text = "notation: mitchell\ninputs: [2]\nlayers: [{neurons: [o], activation: sigmoid, weights: [[0.5]]}]\n"
    same(values(text + "given: {δ_o: -0.5}"), {"grad.net.o": 0.5, "grad.W1[1,1]": 1})
    same(values(text + "given: {grad.net.o: 0.5}"), {"grad.net.o": 0.5, "grad.W1[1,1]": 1})


def test_a_given_gradient_is_not_put_into_a_change() -> None:
    """Notations of the delta rule write Δw = η·δ·x, but not where ∂E/∂w is what is known."""
    text = "notation: mitchell\ninputs: [2]\nlayers: [{neurons: [o], weights: [[0.5]]}]\nlearning_rate: 0.1\n"
    derivation = derive(loads(text + "given: {'grad.W1[1,1]': 3}"))
    assert "-" in render(derivation, "plain") and derivation.value("new.W1[1,1]") == 0.2


# --- laws -------------------------------------------------------------------------------------------------------------

KEPT = ("net", "out", "part", "variable", "loss", "local", "gradient")


def fixed(problem: Problem, cells: Mapping[str, float]) -> Problem:
    """The problem with these numbers given."""
    return problem.replace(fixed=tuple(GivenCell(name, number(f"{value:.17g}"), ":1: given: ") for name, value in cells.items()))


@pytest.mark.parametrize("name", some([name for name in shipped() if not loaded(name).fixed], KINDS[::3]))
def test_a_number_given_as_it_is_changes_nothing(name: str) -> None:
    problem = loaded(name).replace(rounding=None)
    derivation = derive(problem)
    expected = values_of(derivation)
    steps = (step for step in derivation.steps() if step.formula is not None and step.kind in KEPT)
    computed = [step.id for step in steps if not derivation.graph[step.cell[0]].stage]  # not: worked out again after the update
    for one in computed[:: max(len(computed) // 3, 1)]:
        found = derive(fixed(problem, {one: expected[one]}))
        assert found[one].formula is None and found.graph.fixed
        for step in found.steps():
            near = isclose(float(step.value), expected[step.id], rel_tol=1e-9, abs_tol=1e-12)
            assert near, f"{one} given: {step.id} is {step.value}, not {expected[step.id]}"


def has_gradients_by_outputs(problem: Problem) -> bool:
    """Whether the loss has gradients by the outputs, and nothing but them; a penalty is in the loss, not in the outputs."""
    of_outputs = problem.loss is not None and problem.loss.form == "terms" and problem.conventions.softmax_loss != "fused"
    return bool(problem.layers) and of_outputs and not problem.fixed and problem.regularization is None


@pytest.mark.parametrize("name", some([name for name in shipped() if has_gradients_by_outputs(loaded(name))], KINDS[::4]))
def test_gradients_from_above_are_those_of_the_loss(name: str) -> None:
    problem = loaded(name).replace(rounding=None)
    expected = values_of(derive(problem))
    last = [
        step
        for step in derive(problem).steps()
        if step.kind == "gradient" and derive(problem).graph[step.cell[0]].layer == len(problem.layers)
    ]
    above = {step.id: expected[step.id] for step in last if step.id.startswith("grad.out")}
    without = problem.replace(loss=None, samples=tuple(sample.replace(targets=None) for sample in problem.samples), test=())
    found = [step for step in derive(fixed(without, above)).steps() if step.kind == "gradient" and step.id not in above]
    assert above and found
    for step in found:
        assert isclose(float(step.value), expected[step.id], rel_tol=1e-9, abs_tol=1e-12), step.id


# --- what a page says -------------------------------------------------------------------------------------------------


def test_a_page_says_what_is_given() -> None:
    derivation = derive(load("quiz-from-the-middle"))
    page = render(derivation, "plain")
    assert "given, not worked out" in page and "given: net_a1 = 3" in page and "given: delta_z2 = 1" in page
    assert "No loss is given: gradients come from above" in page and "x1" not in page and "2-2 network" in page
    assert "\nnet_j = " not in page and "dE/dout_k" not in page  # no formula of what is given, and nothing above it
    steps = {step["id"]: step for step in json.loads(render(derivation, "json"))["steps"]}
    assert [name for name, step in steps.items() if step.get("given")] == ["net.a1", "net.a2", "grad.net.z1", "grad.net.z2"]
    assert steps["net.a1"]["formula"] is None and "given" not in steps["w11"]


@pytest.mark.parametrize("style", thinned(["html", "markdown", "latex", "typst", "notebook", "svg", "csv"], 7))
def test_formats_have_what_is_given(style: str) -> None:
    for name in ("lstm-from-above", "quiz-from-the-middle"):
        assert len(render(derive(load(name)), style)) > 500


def test_a_matrix_form_is_not_said_of_given_numbers() -> None:
    derivation = derive(loads(TWO_LAYERS + "given: {net.h1: 3, grad.out.o1: 1}"))
    reading = read(derivation)
    shown = {group.quantity.kind: [*matrix_numbers(reading, group, 1)] for group in derivation.groups() if group.quantity.layer == 1}
    assert not shown["net"] and shown["out"]


# --- more than one update, marking, saving ----------------------------------------------------------------------------


def test_what_cannot_be_meant_is_refused() -> None:
    problem = load("quiz-from-the-middle").replace(learning_rate=number("0.1"))
    for refused in (lambda: derive(problem, iterations=2), lambda: Trainer(problem)):
        with pytest.raises(HandcalcError, match="net.a1 is given, so it does not change with the weights"):
            refused()
    with pytest.raises(HandcalcError, match="out.h1 is given, so it does not move with what is before it"):
        gradcheck(load("printed-forward-pass"))


def test_training_goes_on_from_what_an_optimiser_remembers() -> None:
    path = Path(shipped()["adam-fifth-step"])
    whole, first = Trainer(load(path)), Trainer(load(path))
    whole.advance(5)
    first.advance(3)
    saved = with_parameters(path.read_text("utf-8"), load(path), first.whole.graph, first.values())
    rest = Trainer(loads(saved))
    rest.advance(2)
    same(rest.parameters(), whole.parameters())
    assert "old.count: 7\n" in saved
    assert derive(load(path), iterations=2)["#2:count"].value == 6


def test_an_answer_is_marked_by_what_is_given() -> None:
    problem = load("quiz-from-the-middle")
    marking = check(problem, {"grad.out.a1": "-14", "grad.out.a2": "5", "grad.net.a2": "0"})
    assert [marked.verdict for marked in marking.answers] == ["correct", "wrong", "correct"]


def test_a_forward_pass_with_a_learning_rate_is_marked() -> None:
    """No mistake is made of gradients that are not there."""
    problem = load("fausett-bipolar")
    problem = problem.replace(loss=None, samples=tuple(sample.replace(targets=None) for sample in problem.samples))
    assert [marked.verdict for marked in check(problem, {"net.Z1": "7", "out.Z2": "0.5"}).answers][0] == "wrong"


# --- errors -----------------------------------------------------------------------------------------------------------

ERRORS = [
    ("{net.h7: 3}", 'problem:6: given.net.h7: there is no step "net.h7", did you mean "net.h2"?'),
    ("{net.h1: x}", 'problem:6: given.net.h1: expected a number, found "x"'),
    ("{x1: 4}", "problem:6: given.x1: x1 is a number of the problem; change it where it stands"),
    ("{'W1[1,2]': 4}", "problem:6: given.W1[1,2]: W1[1,2] is a number of the problem; change it where it stands"),
    ("{net.h1: 1, net_h1: 2}", "problem:6: given.net_h1: net_h1 and net.h1 are the same number; give it once"),
    ("{grad.W2: [[1, 2, 3]]}", "problem:6: given.grad.W2: grad.W2 is 1×3, expected 2×2"),
    ("{grad.W2: [[1, 2]]}", "problem:6: given.grad.W2: grad.W2 is 1×2, expected 2×2"),
    ("{grad.W2: [[1, 2], [3]]}", "problem:6: given.grad.W2: rows of different lengths: 1, 2"),
    ("{loss: 1}", 'problem:6: given.loss: there is no step "loss"'),
]


@pytest.mark.parametrize(("given", "expected"), ERRORS, ids=[given for given, _ in ERRORS])
def test_errors(given: str, expected: str) -> None:
    with pytest.raises(HandcalcError) as error:
        derive(loads(TWO_LAYERS + f"given: {given}"))
    assert str(error.value) == expected


def test_what_is_needed_must_be_known() -> None:
    text = "layers:\n  - {neurons: [h], activation: relu}\n  - {neurons: [y], weights: [[2]]}\n"
    assert values(text + "given: {net.h: 3}")["out.y"] == 6
    for needed in ("given: {local.out.h: 1}", "targets: [1]\ngiven: {grad.out.y: 1}"):
        with pytest.raises(HandcalcError, match=r"problem: .* needs (x1|W1\[1,1\]), which is not given"):
            derive(loads(text + needed))
    with pytest.raises(EvaluationError, match="x is not given"):
        derive(loads(text + "given: {net.h: 3}")).evaluation["x", (0,)]


def test_a_state_is_given_by_what_it_was_before() -> None:
    text = TWO_LAYERS + "targets: [0, 1]\nlearning_rate: 0.1\noptimizer: momentum\ngiven: {'velocity.W1[1,1]': 1}"
    with pytest.raises(HandcalcError, match=r"give what it was before the update, old.velocity.W1\[1,1\]"):
        derive(loads(text))


QKV = """
GRADIENTS
LAYERS
given: {QUERY: [[1, 0], [0, 1]], KEY: [[1, 1], [0, 1]], VALUE: [[1, 2], [3, 4]], OUT: [[1, 0], [0, 1]]}
"""
AS_LAYER = {
    "GRADIENTS": "input_gradients: true\ninput_shape: [2, 2]",
    "LAYERS": "layers: [{type: attention}]",
    "QUERY": "query1", "KEY": "key1", "VALUE": "value1", "OUT": "grad.out1",
}  # fmt: skip
AS_EQUATIONS = {
    "GRADIENTS": "parameters: [Q, K, V]",
    "LAYERS": "equations: {S: Q@K^T/sqrt(2), A: softmax(S), O: A@V}",
    "QUERY": "Q", "KEY": "K", "VALUE": "V", "OUT": "grad.O",
}  # fmt: skip


@pytest.mark.parametrize("words", [AS_LAYER, AS_EQUATIONS], ids=["layer", "equations"])
def test_gradients_by_given_queries_keys_and_values(words: dict[str, str]) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    text = QKV
    for mark, word in words.items():
        text = text.replace(mark, word)
    query, key, value = (torch.tensor(rows, dtype=torch.double, requires_grad=True) for rows in ([[1, 0], [0, 1]], [[1, 1], [0, 1]],
                                                                                                 [[1, 2], [3, 4]]))  # fmt: skip
    (torch.softmax(query @ key.T / 2**0.5, -1) @ value).backward(torch.eye(2, dtype=torch.double))
    derivation = derive(loads(text))
    for name, tensor in zip(("QUERY", "KEY", "VALUE"), (query, key, value)):
        found = [float(derivation.value(f"grad.{words[name]}[{row},{column}]")) for row in (1, 2) for column in (1, 2)]
        assert found == pytest.approx(tensor.grad.flatten().tolist(), rel=1e-10, abs=1e-14)


def test_lists_in_equations_have_gradients_from_above() -> None:
    text = "given: {x: [1, 2], w: 3, grad.z: [1, 3], grad.u: 2}\nequations: {y: x^2, z: w*y, u: sum(x)}\nparameters: [x, w]\n"
    derivation = derive(loads(text))
    assert [float(derivation.value(name)) for name in ("grad.x[1]", "grad.x[2]", "grad.w")] == [8, 38, 13]
