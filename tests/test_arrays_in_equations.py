"""Lists and matrices in equations: their formulas, gradients as PyTorch's, errors, updates, saving, drawings; e as Euler's number."""

from __future__ import annotations

import math
from typing import Any

import pytest
from shipping import some

from handcalc import derive, gradcheck, loads
from handcalc.errors import ProblemError
from handcalc.loading.saving import with_parameters
from handcalc.marking.check import check
from handcalc.render import render
from handcalc.render.matrices.reading import matrix_form
from handcalc.training.trainer import Trainer

LAYER = """
title: A layer in matrices
given:
  x: [1, 2]
  W: [[0.1, 0.2], [0.3, -0.4], [0.5, 0.6]]
  b: [0.1, 0, -0.1]
  v: [1, -1, 2]
  t: 0.5
equations:
  z: W@x + b
  h: 1/(1 + e^(-z))
  y: dot(v, h)
  E: 1/2*(y - t)^2
minimize: E
parameters: [W, b, v]
learning_rate: 0.1
"""

LISTED = "u[0] + 0.6 * u[1] + s * A[0, 0] - A[0, 1] + 2 * A[0, 2] + a[0] * A[1, 1] + 3 * A[1, 2]"
# a formula of A (2×3), B (3×2), a (3), b (3), s, u (2), made a single number E; the same in PyTorch
FORMULAS: dict[str, tuple[str, str]] = {
    "matrix times vector": ("sum(tanh(A@a))", "torch.tanh(A @ a).sum()"),
    "vector times matrix": ("sum(u@A)^2", "(u @ A).sum() ** 2"),
    "matrix times matrix": ("norm(A@B)", "torch.linalg.norm(A @ B)"),
    "transposed": ("mean(transpose(A)@u*b)", "(A.T @ u * b).mean()"),
    "transposed as on paper": ("u@A@B@u + sum(A^T@u*b) + dot(a, A.T@u)", "u @ A @ B @ u + (A.T @ u * b).sum() + a @ (A.T @ u)"),
    "outer product": ("sum(outer(u, a)*A)", "(torch.outer(u, a) * A).sum()"),
    "softmax": ("-ln(softmax(a)[2])", ""),
    "cross-entropy": ("-sum(b*log_softmax(A@B@u + s)[1])", ""),
    "shares of rows": ("sum(softmax(A@B)*B[1])", ""),
    "cross-entropy of all": ("-dot(u, log_softmax(A@a))", "-(u * torch.log_softmax(A @ a, 0)).sum()"),
    "rows of shares": ("sum(softmax(A)*A)", "(torch.softmax(A, -1) * A).sum()"),
    "cell by cell": ("sum((a - b)^2/(1 + abs(a*b)))", "((a - b) ** 2 / (1 + (a * b).abs())).sum()"),
    "a row, a column, a cell": ("A[1,2]*dot(A[2], B[:,1]) + sum(A[:,3])", "A[0, 1] * (A[1] @ B[:, 0]) + A[:, 2].sum()"),
    "one power for all": ("sum(s^a) + max(A[1,1], A[1,2])", "(s ** a).sum() + torch.maximum(A[0, 0], A[0, 1])"),
    "a list as it is typed": ("dot([1, 0.6], u) + sum([[s, -1, 2], [0, a[1], 3]]*A)", LISTED),
    "twice the same": ("dot(a, a) + sum(A@a)*sum(A@a)", "a @ a + (A @ a).sum() ** 2"),
}
FORMULAS = {name: pair for name, pair in FORMULAS.items() if pair[1]}
GIVEN: dict[str, Any] = {
    "A": [[0.3, -0.4, 0.7], [0.2, 0.9, -0.5]],
    "B": [[0.6, 0.1], [-0.3, 0.8], [0.4, -0.2]],
    "a": [0.5, -0.7, 1.2],
    "b": [0.9, 0.3, -0.6],
    "u": [1.1, -0.8],
    "s": 0.7,
}


def typed(formula: str) -> str:
    return f"given: {GIVEN}\nequations: {{E: '{formula}'}}\nminimize: E\nparameters: {[*GIVEN]}\nlearning_rate: 0.1\n".replace("'", '"')


@pytest.mark.parametrize("name", some(FORMULAS, ["matrix times vector", "rows of shares", "a row, a column, a cell"]))
def test_gradients_are_pytorchs(name: str) -> None:
    formula, other = FORMULAS[name]
    derivation = derive(loads(typed(formula)))
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    tensors = {key: torch.tensor(value, dtype=torch.double, requires_grad=True) for key, value in GIVEN.items()}
    found = eval(other, {"torch": torch, **tensors})  # noqa: S307 - a formula of this table
    found.backward()
    assert float(derivation.value("E")) == pytest.approx(found.item(), rel=1e-12)
    graph = derivation.graph
    for key, tensor in tensors.items():
        gradient = graph.gradient(key)
        if tensor.grad is None or not gradient:
            assert tensor.grad is None and not gradient
            continue
        values = [float(derivation.evaluation[gradient, place]) for place in graph.positions(key)]
        assert values == pytest.approx(tensor.grad.flatten().tolist(), rel=1e-10, abs=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("name", FORMULAS)
def test_gradients_are_those_of_differences_and_their_key_is_right(name: str) -> None:
    problem = loads(typed(FORMULAS[name][0]))
    assert gradcheck(problem).ok
    derivation = derive(problem)
    graph = derivation.graph
    cells = [(one.name, place) for one in graph if one.definition is not None for place in graph.positions(one.name)]
    answers = {graph.cell_id(cell): derivation.shown(cell).plain for cell in cells}
    marking = check(problem, answers)
    assert {answer.verdict for answer in marking.answers} <= {"correct", "rounded"}


def test_a_layer_is_worked_cell_by_cell_and_in_matrices() -> None:
    derivation = derive(loads(LAYER))
    plain = str(render(derivation, "plain"))
    assert "z[2] = W[2,1]*x[1] + W[2,2]*x[2] + b[2] = 0.3*1 + (-0.4)*2 + 0 = -0.5" in plain
    assert float(derivation.value("grad.W[1,2]")) == pytest.approx(0.6553081)
    assert float(derivation.value("W[3,1]")) == 0.5
    found = matrix_form(derivation.graph, derivation.graph["z"])
    assert found is not None and [part.operator for part in found.right.parts] == ["product", "name"]
    found = matrix_form(derivation.graph, derivation.graph[derivation.graph.gradient("W")])
    assert found is not None and found.right.operator == "product"


def test_answers_by_id_and_as_printed() -> None:
    answers = {"z[1]": "0.6", "h[1]": "0.6457", "∂E/∂W[1,2]": "0.6553", "dE/dW[2,1]": "-0.3366", "W[1,1]+": "0.0672", "z[3]": "1.7"}
    marking = check(loads(LAYER), answers)
    assert [answer.verdict for answer in marking.answers] == ["correct"] * 5 + ["wrong"]


def test_it_is_trained_and_saved() -> None:
    trainer = Trainer(loads(LAYER))
    before = trainer.loss()
    trainer.advance(20)
    assert trainer.loss() < before / 100
    text = with_parameters(LAYER, loads(LAYER), trainer.whole.graph, trainer.values())
    assert "x: [1, 2]" in text
    assert Trainer(loads(text)).loss() == pytest.approx(trainer.loss(), rel=1e-12)


def test_a_hopfield_network_by_its_rules() -> None:
    """A pattern learned by Hebb's rule, and put right where it is damaged."""
    text = """
given: {p: [1, -1, 1, -1], s: [1, -1, 1, 1], n: 4}
equations:
  W: outer(p, p)/n
  net: W@s
  H: -1/2*dot(s, W@s)
minimize: H
update: {s: sign(W@s)}
"""
    derivation = derive(loads(text), None, 2)
    assert [float(derivation.value(f"new.s[{place}]")) for place in range(1, 5)] == [1, -1, 1, -1]
    assert [float(derivation.value(f"#2:new.s[{place}]")) for place in range(1, 5)] == [1, -1, 1, -1]
    assert float(derivation.value("W[1,4]")) == -0.25


def test_a_step_of_kohonens_map() -> None:
    """The nearer of two units moves by a share of its distance."""
    text = """
given: {x: [1, 0.5], W: [[0.9, 0.1], [0.2, 0.8]]}
equations:
  d1: norm(x - W[1])
  d2: norm(x - W[2])
  first: step(d2 - d1)
  winner: first*W[1] + (1 - first)*W[2]
  moved: winner + 0.5*(x - winner)
"""
    derivation = derive(loads(text))
    assert float(derivation.value("d1")) == pytest.approx(math.hypot(0.1, 0.4))
    assert [float(derivation.value(f"moved[{place}]")) for place in (1, 2)] == pytest.approx([0.95, 0.3])


def test_samples_and_lists_together() -> None:
    text = """
samples: [{inputs: {x: 1}, targets: {t: 0}}, {inputs: {x: 2}, targets: {t: 1}}]
given: {w: [0.1, 0.2], v: [0.3, 0.4]}
equations: {h: tanh(w*x), y: dot(v, h), E: (y - t)^2}
minimize: E
parameters: [w, v]
learning_rate: 0.1
"""
    assert gradcheck(loads(text)).ok
    derivation = derive(loads(text))
    assert float(derivation.value("h[2]@2")) == pytest.approx(math.tanh(0.4))


@pytest.mark.parametrize(
    ("equation", "message"),
    [
        ("W@s", "a product of 2×3 and 2: the columns of the first must be as many as the rows of the second"),
        ("W*s", "2×3 and 2 do not go together cell by cell; @ is the product of matrices: W@x"),
        ("W[3,1]", '"W[3,1]" is not there: W is 2×3'),
        ("s[1,2]", '"s" has 1 direction, and not 2'),
        ("k@s", "a product of a single number and 2"),
        ("transpose(s)", "only a matrix is transposed, and this is 2"),
        ("outer(W, s)", "an outer product is one of two lists, and these are 2×3 and 2"),
        ("softmax(k)", "softmax goes over a list, and this is a single number"),
        ("Z@s", 'unknown name "Z" (column 1)'),
        ("dot(s)", "dot takes 2 arguments, not 1"),
        ("sum([1, s])", "a list has entries of one size, and these are a single number and 2"),
        ("sum([W])", "a list of lists at most, found 3 inside each other"),
        ("dot([1, 2, 3], s)", "a product of 3 and 2: the columns"),
        ("[1, 2][1]", "only a list that has a name has places in brackets"),
        ("sum([1, 2)", 'expected "]", found ")"'),
        ("2*s", '"E" is a list; what is minimised is a single number, such as a sum'),
    ],
)
def test_what_does_not_fit_is_said(equation: str, message: str) -> None:
    text = f'given: {{W: [[0, 0.5, -0.5], [0.5, 0, 0.2]], s: [1, -1], k: 2}}\nequations: {{E: "{equation}"}}\nminimize: E\n'
    with pytest.raises(ProblemError) as error:
        loads(text)
    assert message in str(error.value)


def test_a_typed_list_is_worked_term_by_term() -> None:
    text = 'given: {x: [2, 3]}\nequations: {y: "dot([1, 0.6], x)", p: "[5, 0.6]*x"}\nminimize: y\n'
    shown = str(render(derive(loads(text)), "plain"))
    assert "y = x[1] + 0.6*x[2] = 2 + 0.6*3 = 3.8" in shown and "p[1] = 5*x[1] = 5*2 = 10" in shown
    assert "p[i] = (5*[i = 1] + 0.6*[i = 2])*x[i]" in shown


def test_rows_of_different_lengths_and_cubes_are_refused() -> None:
    with pytest.raises(ProblemError, match="rows of different lengths"):
        loads("given: {W: [[1], [2, 3]]}\nequations: {E: sum(W)}\n")
    with pytest.raises(ProblemError, match="a list of lists at most"):
        loads("given: {W: [[[1]]]}\nequations: {E: sum(W)}\n")


def test_a_rule_has_the_size_of_what_it_changes() -> None:
    text = "given: {w: [1, 2], x: [1, 2, 3]}\nequations: {E: sum(w)}\nminimize: E\nupdate: {w: x}\n"
    with pytest.raises(ProblemError, match='"w" is 2, and this is 3'):
        loads(text)


def test_the_drawing_shows_lists() -> None:
    drawing = str(render(derive(loads(LAYER)), "svg"))
    assert "(3, 2)" in drawing and "0.327654" in drawing


# --- e -----------------------------------------------------------------------------------------------------------------


def test_e_is_eulers_number_where_nothing_is_called_so() -> None:
    derivation = derive(loads("given: {z: 0.5}\nequations: {f: 1/(1 + e^(-z)), g: e*z, h: e²}\n"))
    values = [float(derivation.value(name)) for name in "fgh"]
    assert values == pytest.approx([1 / (1 + math.exp(-0.5)), math.e * 0.5, math.e**2])
    own = derive(loads("given: {t: 1, y: 0.4}\nequations: {e: t - y, E: 1/2*e^2}\nminimize: E\n"))
    assert float(own.value("E")) == pytest.approx(0.18)
    with pytest.raises(ProblemError, match="only defined here or further down"):
        loads("given: {z: 0.5}\nequations: {f: e^(-z), e: f - 1}\n")


def test_e_in_an_activation_and_an_answer() -> None:
    text = "inputs: [0.5]\nlayers: [{neurons: [h], activation: 1/(1+e^(-z)), weights: [[2]]}]\n"
    assert float(derive(loads(text)).value("out.h")) == pytest.approx(1 / (1 + math.exp(-1)))
    assert check(loads(text), {"out.h": "1/(1+e^(-net_h))"}).answers[0].verdict == "correct"
