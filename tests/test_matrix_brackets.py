"""Brackets of matrix equations: any form, read back from what is printed, is what it was made of.

Forms are made by hand and at random, of every operator that has a sign between its parts or stands before or after one; layers need
only some of them.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np
import pytest
from matrices import Line
from shipping import solved

from handcalc.core.expr import Number
from handcalc.core.index import Axis, Index
from handcalc.render import read
from handcalc.render.blocks import GridPart, spell
from handcalc.render.dialects import PLAIN
from handcalc.render.matrices import MatrixForm
from handcalc.render.matrices.forms import MatrixNode, Places, inner, made, scalar
from handcalc.render.matrices.layout import equation, numbers, whole

Array = Any
NAMES = ("W1", "W2", "grad.W1", "grad.W2", "new.W2")  # 2×2 each, of the best known example
DERIVATION = solved("mazur-2-2-2")
READING = read(DERIVATION, "mazur", PLAIN)
TIMES = Index("t", Axis("row", 3))


def name(quantity: str) -> MatrixNode:
    return MatrixNode("name", (quantity, Places((None, None), (0,), (1,))), "k", "j")


A, B, C = map(name, NAMES[:3])


def node(operator: str, *parts: Any) -> MatrixNode:
    return made(operator, *parts, like=A)


# operator → its value from those of its parts, in NumPy
VALUES: dict[str, Callable[..., Array]] = {
    "sum": lambda *parts: sum(parts),
    "product": lambda *parts: np.linalg.multi_dot(parts) if len(parts) > 2 else parts[0] @ parts[1],
    "hadamard": lambda *parts: np.prod(parts, axis=0),
    "scale": lambda *parts: np.prod([part if np.ndim(part) else np.full((2, 2), part) for part in parts], axis=0),
    "quotient": lambda above, below: above / below,
    "negative": lambda part: -part,
    "transpose": lambda part: part.T,
    "power": lambda base: base**3,
    "call": np.tanh,
    "total": lambda body: TIMES.axis.size * body,
}


def value(form: MatrixNode) -> Array:
    """A form, worked out as a tree."""
    if form.operator == "name":
        quantity = form.parts[0]
        return np.array([[float(DERIVATION.evaluation[quantity, (row, column)]) for column in range(2)] for row in range(2)])
    if form.operator == "scalar":
        return form.parts[0].numerator / form.parts[0].denominator
    return VALUES[form.operator](*map(value, inner(form)))


def random_form(random: Random, depth: int) -> MatrixNode:
    if depth == 0 or random.random() < 0.1:
        return name(random.choice(NAMES))
    operator = random.choice([*VALUES, "sum", "product", "quotient"])
    parts = [random_form(random, depth - 1) for _ in range(random.choice((2, 2, 3)))]
    match operator:
        case "quotient":
            return node(operator, *parts[:2])
        case "negative" | "transpose":
            return node(operator, parts[0])
        case "power":
            return node(operator, parts[0], Number(3))
        case "call":
            return node(operator, "tanh", parts[0])
        case "total":
            return node(operator, Index("tuvws"[depth], TIMES.axis), parts[0])
        case "scale":
            return node(operator, scalar(Number(random.randint(2, 9), 4)), parts[0])
    return node(operator, *parts)


def said(parts: tuple[GridPart, ...]) -> str:
    """An equation as it is printed, but for its matrices."""
    return " ".join("[…]" if isinstance(part, tuple) else spell(part, READING, str) for part in parts)


def check(form: MatrixNode) -> None:
    """With letters and with numbers, what is printed has the value of the form."""
    whole_form = MatrixForm(name("W1"), form)
    wanted = value(form)
    for parts in (equation(whole_form.left, form, whole), numbers(READING, whole_form, {})):
        line = Line(DERIVATION, READING, parts, whole_form, {})
        line.left()
        assert np.allclose(line.right(), wanted, rtol=1e-9), f"{said(parts)} is {line.right().tolist()}, not {wanted.tolist()}"


# by hand, where brackets are needed and where they are not
FORMS = {
    "a - (b + c)": node("sum", A, node("negative", node("sum", B, C))),
    "a - (b - c)": node("sum", A, node("negative", node("sum", B, node("negative", C)))),
    "a + (b - c)": node("sum", A, node("sum", B, node("negative", C))),
    "(a + b) - c": node("sum", node("sum", A, B), node("negative", C)),
    "(a + b)·c": node("product", node("sum", A, B), C),
    "a·(b + c)": node("product", A, node("sum", B, C)),
    "a ⊙ (b·c)": node("hadamard", A, node("product", B, C)),
    "(a ⊙ b)·c": node("product", node("hadamard", A, B), C),
    "a/(b/c)": node("quotient", A, node("quotient", B, C)),
    "(a/b)/c": node("quotient", node("quotient", A, B), C),
    "a/(b ⊙ c)": node("quotient", A, node("hadamard", B, C)),
    "(a ⊙ b)/c": node("quotient", node("hadamard", A, B), C),
    "(a/b) ⊙ c": node("hadamard", node("quotient", A, B), C),
    "-(a·b)": node("negative", node("product", A, B)),
    "(-a)·b": node("product", node("negative", A), B),
    "a·(-b)": node("product", A, node("negative", B)),
    "(a + b)ᵀ": node("transpose", node("sum", A, B)),
    "(a·b)ᵀ": node("transpose", node("product", A, B)),
    "(aᵀ)³": node("power", node("transpose", A), Number(3)),
    "(a³)ᵀ": node("transpose", node("power", A, Number(3))),
    "(a³)³": node("power", node("power", A, Number(3)), Number(3)),
    "(-a)³": node("power", node("negative", A), Number(3)),
    "-(a³)": node("negative", node("power", A, Number(3))),
    "(a + b)³": node("power", node("sum", A, B), Number(3)),
    "Σ (a + b)": node("total", TIMES, node("sum", A, B)),
    "(Σ a) + b": node("sum", node("total", TIMES, A), B),
    "(Σ a)·b": node("product", node("total", TIMES, A), B),
    "a·(Σ b)": node("product", A, node("total", TIMES, B)),
    "½·(a + b)": node("scale", scalar(Number(1, 2)), node("sum", A, B)),
    "a - ½·b": node("sum", A, node("negative", node("scale", scalar(Number(1, 2)), B))),
}  # fmt: skip


@pytest.mark.parametrize("said", FORMS)
def test_a_form_has_the_brackets_it_needs(said: str) -> None:
    check(FORMS[said])


def test_any_form_has_the_brackets_it_needs() -> None:
    for seed in range(400):
        random = Random(seed)
        check(random_form(random, random.randint(2, 4)))
