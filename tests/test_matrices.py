"""Law 4 for matrix forms: what a matrix equation says, with letters and with numbers, is what the cells are; in every notation's manner.

The equations are read as they are printed (matrices.py): brackets, transposes, indices of times and channels, ⋆ and ∗ included.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matrices import lines, nodes
from modelproblems import MODELS
from models import CASES, Maker
from shipping import some, thinned
from test_laws import NEAR, PROBLEMS, derivation

from handcalc.cli import main
from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Delta, Ref, references, walk
from handcalc.core.index import Affine, affine
from handcalc.core.quantity import Quantity
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.loading.loader import loads
from handcalc.problem.fields import NOTATION_NAMES
from handcalc.render import read
from handcalc.render.blocks import Name, Table, Value, spell
from handcalc.render.dialects import UNICODE
from handcalc.render.matrices import matrix_form, signed_form
from handcalc.render.matrices.forms import family
from handcalc.render.matrices.layout import equation, numbers, whole
from handcalc.render.notation import profile
from handcalc.render.options import Options
from handcalc.render.solution import solution
from handcalc.render.symbols import place_text

Problem = str  # the name of a shipped or a harder problem, or of one in modelproblems.py


def _manner(name: str) -> tuple[Any, ...]:
    """What of a notation can change a matrix form: signs, the rule of updating, the order of a weight's indices, rows or columns."""
    data = profile(name)
    weights = [data["symbols"].get(role, "") for role in ("weight", "weight_output", "weight_general")]
    order = [text.find("{from}") < text.find("{to}") for text in weights]
    return data["delta_sign"], data["bias_sign"], data["update"], data.get("vectors"), *order


MANNERS = {_manner(name): name for name in reversed(NOTATION_NAMES)}  # one notation for each
every_manner = pytest.mark.parametrize("notation", MANNERS.values())


@cache
def worked(problem: Problem) -> Derivation:
    return derive(loads(MODELS[problem]), Rounding()) if problem in MODELS else derivation(problem)


def disagreeing(found: Derivation, notation: str) -> Iterator[str]:
    """The matrix equations that do not hold."""
    reading = read(found, notation, UNICODE)
    for quantity in found.graph:
        for places, *both in lines(found, reading, quantity):
            for line in both:
                if not line.holds(NEAR):
                    yield f"{quantity.name} {places}: {line.left().tolist()} = {line.right().tolist()}"


@pytest.mark.parametrize("notation", some(MANNERS.values(), list(MANNERS.values())[::3]))
@pytest.mark.parametrize("problem", thinned(PROBLEMS, 3))
def test_matrix_equations_hold(problem: Problem, notation: str) -> None:
    assert not [*disagreeing(worked(problem), notation)]


@pytest.mark.parametrize("problem", thinned([*MODELS], 3))
def test_they_hold_for_layers_of_every_kind(problem: Problem) -> None:
    assert not [*disagreeing(worked(problem), "zhou")]


@pytest.mark.slow
@pytest.mark.parametrize("kind", some(CASES, list(CASES)[::9]))
def test_they_hold_for_networks_of_any_shape(kind: str) -> None:
    @settings(max_examples=3)
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        found = derive(CASES[kind](Maker(data.draw)).problem(), Rounding())
        assert not [*disagreeing(found, "dlfs")]

    holds()


# --- as in textbooks --------------------------------------------------------------------------------------------------

# problem, quantity → its equation
SAID = {
    ("gomez-lstm", "net_i1"): "net^i_t = W^xi · x_t + W^hi · out⁽¹⁾_t-1 + b^i",
    ("gomez-lstm", "cell1"): "c_t = i_t ⊙ g_t + f_t ⊙ c_t-1",
    ("gomez-lstm", "out1"): "out⁽¹⁾_t = o_t ⊙ tanh(c_t)",
    ("gomez-lstm", "grad.Who1"): "∂E/∂W^ho = Σ_t ∂E/∂net^o_t · out⁽¹⁾_t-1ᵀ",
    ("gru-backward", "net_n1"): "net^n_t = W^xn · x_t + r_t ⊙ (W^hn · out⁽¹⁾_t-1 + b^hn) + b^n",
    ("gru-backward", "out1"): "out⁽¹⁾_t = (1 - z_t) ⊙ n_t + z_t ⊙ out⁽¹⁾_t-1",
    ("gru-backward", "path.net_n1.out1"): "∂E/∂out⁽¹⁾_:,t|net^n = diag(∂E/∂net^n_t+1 ⊙ r_t+1) · W^hn",
    ("prachub-bptt", "net2"): "net⁽²⁾_t = W⁽²⁾ · out⁽¹⁾_t",
    ("prachub-bptt", "grad.out1"): "∂E/∂out⁽¹⁾_t = W⁽²⁾ᵀ · δ⁽²⁾_t + W^hᵀ · δ⁽¹⁾_t+1",
    ("prachub-bptt", "grad.Wx1"): "∂E/∂W^x = Σ_t δ⁽¹⁾_t · x_tᵀ",
    ("conv-pool-dense", "net1"): "net⁽¹⁾_f = x ⋆ W⁽¹⁾_f + b⁽¹⁾_f",
    ("conv-pool-dense", "grad.W1"): "∂E/∂W⁽¹⁾_f = x ⋆ δ⁽¹⁾_f",
    ("conv-pool-dense", "net4"): "net⁽⁴⁾ = W⁽⁴⁾ · flatten(out⁽²⁾) + b⁽⁴⁾",
    ("conv-pool-dense", "grad.out2"): "flatten(∂E/∂out⁽²⁾) = W⁽⁴⁾ᵀ · δ⁽⁴⁾",
    ("conv-pool-dense", "grad.b1"): "∂E/∂b⁽¹⁾_f = 1ᵀ · δ⁽¹⁾_f · 1",
    ("tensorflow-conv-backward", "grad.x"): "∂E/∂x = Σ_f δ_f ∗ W_f",
    ("d2l-transposed-convolution", "net1"): "net⁽¹⁾_f = x ∗ W_f",
    ("two convolutions", "net2"): "net⁽²⁾_f = Σ_d out⁽¹⁾_d ⋆ W⁽²⁾_f,d + b⁽²⁾_f",
    ("two-heads", "attention1"): "a_h = softmax(s\u0302_h)",
    ("dropout-batch-norm", "normal2"): "x̂⁽²⁾ = (out⁽¹⁾ - μ⁽²⁾ᵀ) / √(var⁽²⁾ + 1e-5)ᵀ",
    ("two-heads", "out1"): "out⁽¹⁾ = Σ_h y_h · W^o_:,hᵀ",
    ("attention-backward", "grad.score1"): "∂E/∂s = ∂E/∂a ⊙ a - diag((∂E/∂a ⊙ a) · 1) · a",
    ("softmax-cross-entropy", "grad.net2"): "δ⁽²⁾ = (diag(out⁽²⁾) - out⁽²⁾ · out⁽²⁾ᵀ) · ∂E/∂out⁽²⁾",
    ("dropout-batch-norm", "net1"): "net⁽¹⁾ = x · W⁽¹⁾ᵀ + b⁽¹⁾ᵀ",
    ("dropout-batch-norm", "grad.normal2"): "∂E/∂x̂⁽²⁾ = ∂E/∂out⁽²⁾ · diag(W⁽²⁾)",
    ("zhou-four-people", "grad.b2@"): "∂E/∂b⁽²⁾_s = δ⁽²⁾_s",
    ("zhou-four-people", "grad.b2"): "∂E/∂b⁽²⁾ = ¼ · (δ⁽²⁾ᵀ · 1)",
    ("per-connection-bias-2-3-1", "grad.b2"): "∂E/∂b⁽²⁾ = δ⁽²⁾ · 1ᵀ",
}  # fmt: skip
# notation, problem, quantity → its equation: weights from source to target, vectors as rows, other signs
IN_NOTATIONS = {
    ("zhou", "zhou-feedforward", "net1"): "α⁽¹⁾ = V⁽¹⁾ᵀ · x - γ⁽¹⁾",
    ("zhou", "zhou-four-people", "net1"): "α⁽¹⁾ = x · V⁽¹⁾ - γ⁽¹⁾ᵀ",
    ("zhou", "zhou-four-people", "delta.W2"): "ΔW⁽²⁾ = η · ¼ · (b⁽¹⁾ᵀ · g⁽²⁾)",
    ("zhou", "zhou-four-people", "delta.b2"): "Δθ⁽²⁾ = −η · ¼ · (g⁽²⁾ᵀ · 1)",
    ("zhou", "zhou-four-people", "new.b2"): "θ⁽²⁾⁺ = θ⁽²⁾ + Δθ⁽²⁾",
    ("han", "mazur-2-2-2", "grad.out1"): "∂E/∂O⁽¹⁾ = −W⁽²⁾ · Err⁽²⁾",
    ("dlfs", "mazur-2-2-2", "net1"): "a⁽¹⁾ = x · W⁽¹⁾ + b⁽¹⁾",
    ("dlfs", "mazur-2-2-2", "grad.out1"): "∂L/∂z⁽¹⁾ = ∂L/∂a⁽²⁾ · W⁽²⁾ᵀ",
    ("dlfs", "mazur-2-2-2", "grad.W1"): "∂L/∂W⁽¹⁾ = xᵀ · ∂L/∂a⁽¹⁾",
    ("dlfs", "zhou-four-people", "loss@"): "L = L⁽²⁾ · 1",
    ("dlfs", "prachub-bptt", "grad.W2"): "∂L/∂W⁽²⁾ = Σ_t z⁽¹⁾_tᵀ · ∂L/∂a⁽²⁾_t",
    ("bishop", "mazur-2-2-2", "net1"): "a⁽¹⁾ = W⁽¹⁾ · x + w⁽¹⁾₀",
}


def said(problem: Problem, quantity: str, notation: str) -> str:
    found = worked(problem)
    reading = read(found, notation, UNICODE)
    form = signed_form(reading, found.graph[quantity])
    assert form is not None
    texts = (part if isinstance(part, str) else spell(part, reading, str) for part in equation(form.left, form.right, whole))  # type: ignore[arg-type]
    return "".join(f" {text} " if text in "=+-·⊙/⋆∗" else ", " if text == "," else text for text in texts)


@pytest.mark.parametrize(("problem", "quantity"), SAID)
def test_forms_are_those_of_textbooks(problem: Problem, quantity: str) -> None:
    assert said(problem, quantity, "mazur") == SAID[problem, quantity]


@pytest.mark.parametrize(("notation", "problem", "quantity"), IN_NOTATIONS)
def test_forms_follow_the_notation(notation: str, problem: Problem, quantity: str) -> None:
    assert said(problem, quantity, notation) == IN_NOTATIONS[notation, problem, quantity]


@pytest.mark.parametrize("notation", NOTATION_NAMES)
def test_the_indices_of_a_weight_are_its_row_and_its_column(notation: str) -> None:
    """w_12 stands in row 1 and column 2 of the matrix that is printed, whichever of them is the source."""
    found = worked("deep")
    reading = read(found, notation, UNICODE)
    if profile(notation)["units"] != "layer" or "{param}" in profile(notation)["symbols"]["weight"]:
        return
    form = signed_form(reading, found.graph["new.W2"])
    assert form is not None
    matrix = numbers(reading, form, {})[-1]
    assert isinstance(matrix, tuple) and len(matrix) * len(matrix[0]) == 6
    for row, items in enumerate(matrix, 1):
        for column, item in enumerate(items, 1):
            assert isinstance(item, Value) and reading.symbol(Ref("W2", item.cell[1])).endswith(f"{'₀₁₂₃'[row]}{'₀₁₂₃'[column]}")


@pytest.mark.parametrize(("notation", "places"), [("dlfs", [[(0, 0)], [(0, 1)], [(0, 2)]]), ("mazur", [[(0, 0), (0, 1), (0, 2)]])])
def test_a_given_weight_is_laid_out_as_in_the_equations(notation: str, places: list[list[tuple[int, ...]]]) -> None:
    found = worked("aibyhand-rnn")
    reading = read(found, notation, UNICODE)
    tables = (block for block in solution(found, reading, Options()) if isinstance(block, Table))
    rows = next(table.rows for table in tables if isinstance(table.columns[0], Name) and table.columns[0].reference.quantity == "W2")
    assert [[item.cell[1] for item in row if isinstance(item, Value)] for row in rows] == places


@pytest.mark.parametrize("problem", PROBLEMS)
def test_members_of_families_are_numbered_as_printed(problem: Problem) -> None:
    """With numbers for its letters, the h_t-1 of an equation is the h that is meant, whatever number the axis begins with."""
    found = worked(problem)
    for quantity in found.graph:
        form = matrix_form(found.graph, quantity)
        if form is None:
            continue
        own = {index.letter: index for index in family(form.left)}
        for node in nodes(form.right):
            if node.operator == "total":
                own[node.parts[0].letter] = node.parts[0]
        counted = {letter: index.axis.first for letter, index in own.items()}
        for leaf in (node for node in nodes(form.right) if node.operator == "name"):
            for place, axis in zip(leaf.parts[1].fixed, found.graph[leaf.parts[0]].axes):
                if place is not None:
                    assert _number(place_text(place, axis.first), counted) == affine(place).constant + axis.first, quantity.name


def _number(text: str, letters: dict[str, int]) -> int:
    """The number that a printed place is, such as t-1."""
    total = 0
    for sign, factor, letter, digits in re.findall(r"([+-]?)(?:(\d*)([a-z]\d*'*)|(\d+))", text):
        total += (-1 if sign == "-" else 1) * (int(factor or 1) * letters[letter] if letter else int(digits))
    return total


# --- where there is none ----------------------------------------------------------------------------------------------


def _has_none(quantity: Quantity) -> bool:
    """Whether no textbook has a matrix form for it: formulas of single places, windows of pooling, paths along shifted places."""
    formula = quantity.definition
    assert formula is not None
    shifted = {ref for ref in references(formula) if any(isinstance(place, Affine) for place in ref.indices)}
    pooled = any(isinstance(node, Call) and node.function.startswith("max") for node in walk(formula)) or len(shifted) > 1
    spread = any(isinstance(node, Delta) for node in walk(formula))
    places = [place for ref in shifted for place in ref.indices if isinstance(place, Affine)]
    beside = any(index.axis.role == "channel" for place in places for _, index in affine(place).terms)  # maps put beside others
    return bool(quantity.cases) or bool(shifted) and (pooled or beside or quantity.kind == "path") or spread


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_other_quantity_has_one(problem: Problem) -> None:
    graph = worked(problem).graph
    spread = {graph.gradient(one.quantity) for quantity in graph for one in quantity.shared.values()}  # weights of several edges
    others = [quantity for quantity in graph if quantity.definition is not None and quantity.axes and quantity.name not in spread]
    bare = [quantity for quantity in others if matrix_form(graph, quantity) is None]
    assert not [quantity.name for quantity in bare if not _has_none(quantity)]


# lines of a terminal: what is exact and what is rounded, a time, a number that is only copied, a square
PRINTED = {
    "zhou-four-people": [
        "  net⁽¹⁾ = ⎢  25   6 ⎥ · ⎡ 1  1 ⎤ᵀ + ⎡ 0 ⎤ᵀ = ⎢  31   31 ⎥",
        "  out⁽¹⁾ = σ(⎢  31   31 ⎥) ≈ ⎢ 1.00000        1.00000       ⎥",
        "  E⁽²⁾ ≈ (⎢ 0 ⎥ - ⎢ 0.880797 ⎥)² ≈ ⎢ 0.775803 ⎥",
        "  ∂E/∂b⁽²⁾_Bob ≈ [ 0.184956 ]",
    ],
    "strided convolution": ["  b⁽¹⁾_f2⁺ ≈ (-0.2) - 0.5 · (-0.00948610) ≈ -0.195257"],
    "gomez-lstm": ["  i_t=1 = σ([ 3.2 ]) ≈ [ 0.960834 ]"],
}


@pytest.mark.parametrize("problem", PRINTED)
def test_lines_of_a_terminal(problem: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    file = tmp_path / "problem.yaml"
    file.write_text(dedent(MODELS.get(problem, "")), encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["solve", str(file) if problem in MODELS else problem, "--form", "matrix", "--format", "terminal"])
    assert not {*PRINTED[problem]} - {*capsys.readouterr().out.splitlines()}
