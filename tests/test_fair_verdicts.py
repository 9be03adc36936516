"""Verdicts that a teacher would give, on sheets that teachers had marked: each was judged otherwise before.

Numbers are those of programs of their own (NumPy), not of handcalc.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from handcalc import load, loads
from handcalc.marking.answers import read_sheet
from handcalc.marking.audit import audit
from handcalc.marking.check import Checker, check
from handcalc.marking.marked import Marking

MINI_BATCHES = """
samples:
  - {name: A, inputs: {x: 1}, targets: [2.3]}
  - {name: B, inputs: {x: 2.5}, targets: [4.1]}
  - {name: C, inputs: {x: -1}, targets: [-0.8]}
  - {name: D, inputs: {x: 0.5}, targets: [1.9]}
layers: [{neurons: [y], weights: {w: [x, y, 0.7]}, bias: {b: 0.3}}]
loss: squared_error
sample_reduction: mean
learning_rate: 0.1
training: {mode: mini_batch, batch_size: 2}
"""
MARGIN = """
samples:
  - {name: P, inputs: {x1: 1.2, x2: 0.7}, targets: {s: 1}}
  - {name: Q, inputs: {x1: 0.4, x2: -1.5}, targets: {s: -1}}
  - {name: R, inputs: {x1: -0.9, x2: 0.3}, targets: {s: -1}}
layers: [{neurons: [s], weights: {w1: [x1, s, 0.35], w2: [x2, s, 0.25]}, bias: {b: -0.15}}]
loss: hinge
sample_reduction: mean
regularization: {l2: 0.2, form: half}
learning_rate: 0.3
"""
MOMENTUM = """
inputs: {x: 1.5}
targets: {y: 2.0}
layers: [{neurons: [y], weights: {w: [x, y, 0.4]}, bias: {b: 0.1}}]
loss: half_squared_error
optimizer: {momentum: {momentum: 0.9}}
learning_rate: 0.2
"""
LMS = """
samples:
  - {name: p1, inputs: {x1: 1.0, x2: -1.0}, targets: {a: 1}}
  - {name: p2, inputs: {x1: 0.5, x2: 1.0}, targets: {a: -1}}
layers: [{neurons: [a], weights: {w1: [x1, a, 0.2], w2: [x2, a, -0.1]}, bias: {b: 0.05}}]
loss: squared_error
learning_rate: 0.1
training: {mode: online}
"""
CLASSES = """
samples:
  - {name: A, inputs: [1.0, 2.0], targets: [1, 0, 0]}
  - {name: B, inputs: [-1.5, 0.5], targets: [0, 1, 0]}
  - {name: C, inputs: [0.3, -1.0], targets: [0, 0, 1]}
layers:
  - {neurons: [k1, k2, k3], activation: softmax, weights: [[0.2, -0.1], [0.1, 0.4], [-0.3, 0.25]], bias: [0, 0.1, -0.1]}
loss: cross_entropy
sample_reduction: mean
learning_rate: 0.6
"""
SQUARE = """
inputs: {x1: 0.5, x2: -1.2, x3: 0.8}
targets: {y: 0.7}
layers:
  - {neurons: [h1, h2], activation: tanh, weights: [[0.4, -0.3, 0.2], [-0.5, 0.1, 0.6]], bias: [0.1, -0.2]}
  - {neurons: [y], weights: [[0.9, -0.7]], bias: [0.3]}
loss: mean_squared_error
learning_rate: 0.1
"""
QUOTIENT = """
given: {x: 3, y: -4}
equations: {sx: 1/(1 + exp(-x)), den: sx + (x + y)^2, num: x + 1/(1 + exp(-y)), inv: 1/den, f: num*inv}
"""


def handed_in(problem: str, lines: str, folder: Path) -> Marking:
    path = folder / "sheet.txt"
    path.write_text(lines, "utf-8")
    return Checker(loads(problem)).mark(read_sheet(path))


@pytest.mark.parametrize(
    "heading",
    [
        "Batch {n} (A, B)",
        "Epoch 1, mini-batch {n}:",
        "Step {n}:",
        "Iteration {n}",
        "第{n}批：",
        "Iteration {n} (A, B)",
        "Iteration {n}: x = (1, 2.5), t = 2.3",
    ],
)
def test_parts_of_a_sheet_are_the_updates(heading: str, tmp_path: Path) -> None:
    """Below a heading, w = … is the new weight, of every batch."""
    batches = (
        "E = 2.94625\ndE/dw = -6.425\nw = 0.7 + 0.6425 = 1.3425\nb = 0.635\n",
        "E = 0.1805\ndE/dw = -0.3894\nw = 1.3425+0.0389 = 1.3814\nb = 0.6851\n",
    )
    text = "".join(heading.replace("{n}", str(number)) + "\n" + lines for number, lines in enumerate(batches, 1))
    marking = handed_in(MINI_BATCHES, text, tmp_path)
    assert marking.marks == (8, 8) and marking.answers[-1].id == "#2:new.b"


@pytest.mark.parametrize(
    "heading",
    ["Sample {name}:", "{name}:", "样本{name}：", "Example {name}", "Training example {n}:", "第{n}个样本：", "--- Sample {name} ---"],
)
def test_parts_of_a_sheet_are_the_samples(heading: str, tmp_path: Path) -> None:
    """The total below the last of them is of all."""
    samples = {"A": "net_k1 = 0\nnet_k2 = 1\nout_k1 = 0.2073\n", "B": "net_k1 = -0.35\nout_k1 = 0.2028\n", "C": "out_k3 = 0.2495\n"}
    headings = (heading.replace("{name}", name).replace("{n}", str(number)) for number, name in enumerate(samples, 1))
    text = "".join(f"{title}\n{lines}" for title, lines in zip(headings, samples.values()))
    marking = handed_in(CLASSES, text + "E_total = 1.3524\n", tmp_path)
    assert marking.marks == (7, 7) and [answer.id for answer in marking.answers][-2:] == ["out.k3@C", "loss"]


def test_samples_by_letters_where_each_has_its_update(tmp_path: Path) -> None:
    marking = handed_in(LMS, "Sample A\nnet_a = 0.35\nSample B\nnet_a = 0.115\n", tmp_path)
    assert marking.marks == (2, 2) and marking.answers[-1].id == "#2:net.a"


def test_a_parameter_restated_with_an_own_number_is_the_old_one(tmp_path: Path) -> None:
    """w1 = 0.07 in the second iteration is what the first has left; w1 = 0.1685 would be the next."""
    lines = "Iteration 1\nnew w1 = 0.07\nIteration 2\nw1 = 0.07\n"
    assert [answer.id for answer in handed_in(LMS, lines, tmp_path).answers] == ["new.w1", "#2:w1"]


def test_e_is_what_is_minimised() -> None:
    (found,) = check(loads(MARGIN), {"E": "0.6118"}).answers
    assert (found.id, found.marks) == ("loss", 1)


@pytest.mark.parametrize("typed", ["0.6301", "0.6363"])
def test_one_number_names_only_what_gives_it(typed: str) -> None:
    """0.5933 + 0.037 is 0.6303; and no number of four digits tells of two mistakes."""
    (found,) = check(loads(MARGIN), {"E": typed}).answers
    assert found.verdict == "wrong" and not found.mistakes


@pytest.mark.parametrize("typed", ["0.1842", "0.1822", "0.1790"])
def test_what_is_far_off_is_not_rounded(typed: str) -> None:
    """The right number is 0.1805; 31 steps before it, each rounded to three digits, may give any of these."""
    (found,) = check(loads(MINI_BATCHES), {"#2:loss": typed}).answers
    assert found.verdict == "wrong" and found.marks == 0


@pytest.mark.parametrize("sign", [1, -1])
def test_the_velocity_in_another_form(sign: int) -> None:
    """v = μ·v + η·g and w - v, v = μ·v - η·g and w + v: all weights are right; without a weight, the velocity is as it was asked."""
    velocities = {"state.velocity.w": f"{-0.39 * sign:.4f}", "#2:state.velocity.w": f"{-0.4875 * sign:.4f}"}
    names = {"state.velocity.w": "v_w", "#2:state.velocity.w": "#2:v_w"}
    sheet = {names[id]: number for id, number in velocities.items()}
    marking = check(loads(MOMENTUM), {**sheet, "new.w": "0.79", "#2:new.w": "1.2775"})
    assert marking.score == 1 and {answer.verdict for answer in marking.answers[:2]} == {"convention"}
    assert check(loads(MOMENTUM), sheet).score < 1


@pytest.mark.parametrize("factor", [-1, -0.5, 0.5])
def test_the_error_term_as_the_sheet_has_it(factor: float) -> None:
    """Widrow and Hoff: δ = t - y, w + 2·η·δ·x. The weights are right; without one, δ is ∂E/∂net."""
    sheet = {"grad.net.a": f"{-1.3 * factor:.5f}", "#2:grad.net.a": f"{2.23 * factor:.5f}"}
    weights = {"new.w1": "0.33", "new.w2": "-0.23", "#2:new.w1": "0.2185", "#2:new.w2": "-0.453"}
    assert check(loads(LMS), {**sheet, **weights}).score == 1
    assert check(loads(LMS), sheet).score < 1
    assert check(loads(LMS), {**sheet, **weights, "#2:grad.net.a": "1.2345"}).score < 1


@pytest.mark.parametrize("terms", [{"grad.net.a": "-8.06"}, {"grad.net.a": "-8.06", "#2:grad.net.a": "12.9"}, {"grad.net.a": "-0.65"}])
def test_a_wrong_error_term_beside_right_weights_is_no_convention(terms: dict[str, str]) -> None:
    """-1.3 and 2.23 are right: 6.2 and 5.8 times as much is no factor, and one number tells of none but a sign."""
    weights = {"new.w1": "0.33", "new.w2": "-0.23", "#2:new.w1": "0.2185", "#2:new.w2": "-0.453"}
    answers = check(loads(LMS), {**terms, **weights}).answers
    assert not any(answer.marks for answer in answers[: len(terms)])


def test_a_forgotten_factor_is_no_convention_of_the_loss() -> None:
    """The error on the sheet is (t - y)²; its derivative without the 2 is a mistake, which costs once."""
    sheet = {"out.y": "0.9705", "loss": "0.0732", "grad.net.y": "0.2705", "grad.net.h1": "0.1325", "grad.W2[1,1]": "0.1826"}
    answers = check(loads(SQUARE), sheet).answers
    assert [answer.marks for answer in answers] == [1, 1, 0, 1, 1]


def test_right_beside_a_number_that_was_copied_wrong() -> None:
    """inv is 0.51215; f was worked with that, though 0.52115 was written."""
    sheet = {"sx": "0.95257", "den": "1.95257", "num": "3.01799", "inv": "0.52115", "f": "1.54566"}
    assert [answer.marks for answer in check(loads(QUOTIENT), sheet).answers] == [1, 1, 1, 0, 1]


def test_a_point_moved_behind_a_rounded_number() -> None:
    """0.0822 is 0.08217 rounded; in 0.8220 its point has moved, and the decimals are four again."""
    (found,) = check(load("mazur-2-2-2"), {"grad.w5": "0.8220"}).answers
    assert found.mistakes == ("point-moved",)


DECAYED = """
inputs: {x: 1.2}
targets: {y: 1}
layers: [{neurons: [y], weights: {w: [x, y, 0.5]}}]
learning_rate: 0.5
weight_decay: 0.1
"""


def test_what_is_below_the_last_sample_may_be_of_all(tmp_path: Path) -> None:
    """The gradient of all three samples, not of R, whose own are −0.9 and 0.3."""
    lines = "Sample Q:\nnet = -0.385\nSample R:\nnet = -0.39\n\ndE/dw1 = -0.49667\ndE/dw2 = -0.58333\nw1 = 0.4990\n"
    marking = handed_in(MARGIN, lines, tmp_path)
    assert [answer.id for answer in marking.answers][2:] == ["grad.w1", "grad.w2", "new.w1"] and marking.marks == (5, 5)


def test_single_precision_of_an_exact_number() -> None:
    """0.42 is printed so by a framework that works in single precision."""
    (found,) = check(loads(DECAYED), {"new.w": "0.71499997"}).answers
    assert found.verdict == "correct" and "single precision" in str(found.note)


def test_decay_may_be_in_the_gradient_already() -> None:
    """δ = −0.4, ∂E/∂w = −0.48, λ·w = 0.05: w⁺ is the same; not where the new weight has no decay at all."""
    marking = check(loads(DECAYED), {"grad.w": "-0.43", "new.w": "0.715"})
    assert [(found.verdict, found.conventions) for found in marking.answers] == [("convention", ("decay",)), ("correct", ())]
    assert marking.marks == (2, 2)
    assert [found.status for found in audit(loads(DECAYED), {"grad.w": "-0.43", "new.w": "0.715"}).numbers] == ["convention", "exact"]
    assert check(loads(DECAYED), {"grad.w": "-0.43", "new.w": "0.74"}).marks[0] < 2
    assert check(loads(DECAYED + "tasks: {ask: [grad.w, new.w], conventions: deny}\n"), {"grad.w": "-0.43", "new.w": "0.715"}).marks[0] < 2


def test_the_share_of_a_penalty_may_be_left_for_the_update() -> None:
    sheet = {"grad.w1": "-0.56667", "grad.w2": "-0.63333", "new.w1": "0.49900", "new.w2": "0.42500"}
    marking = check(loads(MARGIN), sheet)
    assert [found.conventions for found in marking.answers] == [("decay",), ("decay",), (), ()] and marking.marks == (4, 4)
    forgotten = check(loads(MARGIN), sheet | {"new.w1": "0.52000", "new.w2": "0.44000"})
    assert forgotten.marks[0] < 4, "the penalty is forgotten in the update too"


def test_a_bias_may_come_in_with_the_activation() -> None:
    """0.2·0.697 − 0.3·0.46 = 0.0014, and its threshold 0.1 behind it; in Zhou's book α is that always."""
    problem = load("xigua-thresholds").replace(rounding=None)
    sheet = {"net.h1": "0.0014", "net.h2": "0.3248"}
    apart = check(problem, sheet | {"out.h1": "0.4754", "out.h2": "0.6283"})
    assert [found.conventions for found in apart.answers] == [("bias",), ("bias",), (), ()] and apart.marks == (4, 4)
    assert check(problem, sheet, "zhou").marks == (2, 2)
    for marking in (check(problem, sheet, "mazur"), check(problem, sheet | {"out.h1": "0.5004", "out.h2": "0.5805"}, "zhou")):
        assert marking.answers[0].verdict in ("wrong", "mistake") and not any(found.conventions for found in marking.answers)


BIASES = """
inputs: {x: 1}
targets: {y: 1}
layers:
  - {neurons: [h1, h2], weights: {w1: [x, h1, 0.5], w2: [x, h2, 0.25]}, bias: {b1: [h1, 0.1], b2: [h2, 0.2]}}
  - {neurons: [y], weights: {v1: [h1, y, 1], v2: [h2, y, 2]}, bias: {c: [y, 0]}}
learning_rate: 0.1
"""
RECURRENT = """
inputs: [[0.6], [-0.9]]
targets: [[0.3], [-0.5]]
layers:
  - {type: rnn, neurons: [h], input_weights: [[0.8]], hidden_weights: [[0.5]], bias: [-0.1], initial_state: [0.2]}
  - {neurons: [y], weights: [[1.4]], bias: [0.05]}
loss: half_squared_error
learning_rate: 0.3
"""


def test_a_letter_of_two_weights_is_asked_back() -> None:
    """W is the recurrent weight in one book, and that of the outputs in another."""
    (found,) = check(loads(RECURRENT), {"∂E/∂W": "-0.0205301"}).answers
    assert found.verdict == "unreadable" and "may be one of" in str(found.note)


@pytest.mark.parametrize(
    ("problem", "id", "answer"),
    [
        (MARGIN, "s(P)", "0.445"), (MARGIN, "J(w)", "0.61183"), (MARGIN, "E_data(Q)", "0.615"),
        (QUOTIENT + "minimize: f\nparameters: [x]\n", "J", "1.54564"), (QUOTIENT + "minimize: f\nparameters: [x]\n", "loss", "1.54564"),
        (BIASES, "db2", "1.0"), (RECURRENT, "dL/dW_hh", "-0.0205301"), (RECURRENT, "∂E/∂U", "0.383166"), (RECURRENT, "dW_hy", "0.273524"),
        (RECURRENT, "∂E/∂V", "0.273524"), (RECURRENT, "db_h", "0.141948"), (RECURRENT, "L_2", "0.01976"),
    ],
)  # fmt: skip
def test_names_as_people_write_them(problem: str, id: str, answer: str) -> None:
    assert check(loads(problem), {id: answer}).marks == (1, 1)


NAND = """
samples:
  - {name: a, inputs: {x1: 0, x2: 0}, targets: {y: 1}}
  - {name: b, inputs: {x1: 0, x2: 1}, targets: {y: 1}}
  - {name: c, inputs: {x1: 1, x2: 0}, targets: {y: 1}}
  - {name: d, inputs: {x1: 1, x2: 1}, targets: {y: 0}}
layers:
  - {neurons: [y], activation: step, weights: {w1: [x1, y, 0.3], w2: [x2, y, -0.2]}, threshold: {θ: 0.25}}
error: direct
learning_rate: 0.2
training: {mode: online}
"""
PERCEPTRON = """x1,x2,t,net,y,w1,w2,θ
0,0,1,-0.25,0,0.30,-0.20,0.05
0,1,1,-0.25,0,0.30,0.00,-0.15
1,0,1,0.45,1,0.30,0.00,-0.15
1,1,0,0.45,1,0.10,-0.20,0.05
"""
DESCENT = """
given: {x: 2, t: 1, w: -0.4}
equations: {y: w*x, E: (y - t)^2/2}
minimize: E
parameters: [w]
optimizer: {momentum: {momentum: 0.8}}
conventions: {momentum_form: textbook}
learning_rate: 0.05
"""
STEPS = "t,grad,v,w\n1,-3.6000,0.1800,-0.2200\n2,-2.8800,0.2880,0.0680\n3,-1.7280,0.3168,0.3848\n"


@pytest.mark.parametrize(("problem", "table", "count"), [(NAND, PERCEPTRON, 20), (DESCENT, STEPS, 9)])
def test_a_table_with_a_row_an_iteration(problem: str, table: str, count: int, tmp_path: Path) -> None:
    """What changes is the new value of its row. What is given, in columns of its own, is not asked."""
    path = tmp_path / "sheet.csv"
    path.write_text(table, "utf-8")
    marking = Checker(loads(problem)).mark(read_sheet(path))
    assert marking.marks[0] == marking.marks[1] >= count - 3 and {found.verdict for found in marking.answers if found.worth} <= {"correct"}


VALLEY = """
given: {u: 1.5, v: -0.8}
equations: {f: 3*u^2 + u*v + v^2}
minimize: f
parameters: [u, v]
optimizer: {rmsprop: {rho: 0.9, epsilon: 1e-6}}
learning_rate: 0.1
"""
SCORES = "given: {s1: 0.3, s2: -0.5, s3: 0.8}\nequations: {e1: exp(s1), e2: exp(s2), e3: exp(s3), sum: e1 + e2 + e3}\n"


@pytest.mark.parametrize(
    ("problem", "lines", "count"),
    [
        (SCORES, "e = [1.34986, 0.60653, 2.22554]\nsum = 4.18193\n", 4),
        (VALLEY, "grad = (8.2000, -0.1000)\ns = (6.7240, 0.0010)\n", 4),
        (SQUARE, "h1: net 0.8200 out 0.6751\nh2: net -0.0900, out -0.0898\n", 4),
    ],
)
def test_several_numbers_behind_one_name(problem: str, lines: str, count: int, tmp_path: Path) -> None:
    assert handed_in(problem, lines, tmp_path).marks == (count, count)
