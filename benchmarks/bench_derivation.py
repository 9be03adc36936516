"""The worked solution of the 2-2-2 example, against SymPy and micrograd.

Ours goes from the problem to every step: graph, chain rule, formulas, values, printed numbers. SymPy builds the loss from
symbols, differentiates it by every parameter, and puts the numbers in; it remembers what it has worked out, so it is
measured with a memory that was emptied before each run, as in a new process, and with one that holds everything from the
run before. micrograd only computes: forward and backward, of one number each, without a formula, a name or an order. All
three come to the same gradients.

Formulas are remembered too (models/model.py): a network of the same shape with other numbers needs only its values. Against
micrograd ours works a network with other numbers each time; the line below it is that of a shape not seen before.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import cycle
from typing import Any

import pytest

from handcalc.core.expr import number
from handcalc.deriving import derive
from handcalc.loading.loader import load
from handcalc.models import model
from handcalc.problem.schema import EdgeMatrix, Problem

COLUMNS = ("handcalc", "peer", "ratio", "target")
PROBLEM = load("mazur-2-2-2")
INPUTS, TARGETS, BIASES, RATE = (0.05, 0.10), (0.01, 0.99), (0.35, 0.60), 0.5
WEIGHTS = (0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55)

Numbers = dict[str, float]


def with_weight(text: str) -> Problem:
    """The example with another first weight."""
    first, *others = PROBLEM.layers
    rows = first.weights.rows
    weights = EdgeMatrix(((number(text), *rows[0][1:]), *rows[1:]))
    return PROBLEM.replace(layers=(first.replace(weights=weights), *others))


OTHERS = cycle([with_weight(f"0.{hundredths:02d}") for hundredths in range(16, 96)])


def by_handcalc(problem: Problem = PROBLEM) -> Numbers:
    """Every step of one iteration, with its formula, value and printed number."""
    values = {}
    for step in derive(problem).steps():
        if step.formula is not None and step.shown.digits:
            values[step.id] = step.value
    return values


def by_sympy() -> Numbers:
    """The formulas of forward pass, gradients, updates and new loss, with the numbers put in."""
    import sympy

    i1, i2, t1, t2, b1, b2, rate = sympy.symbols("i1 i2 t1 t2 b1 b2 eta")
    w = sympy.symbols("w1:9")

    def sigmoid(z: Any) -> Any:
        return 1 / (1 + sympy.exp(-z))

    net_h1, net_h2 = w[0] * i1 + w[1] * i2 + b1, w[2] * i1 + w[3] * i2 + b1
    out_h1, out_h2 = sigmoid(net_h1), sigmoid(net_h2)
    net_o1, net_o2 = w[4] * out_h1 + w[5] * out_h2 + b2, w[6] * out_h1 + w[7] * out_h2 + b2
    out_o1, out_o2 = sigmoid(net_o1), sigmoid(net_o2)
    loss = ((t1 - out_o1) ** 2 + (t2 - out_o2) ** 2) / 2
    numbers = dict(zip((i1, i2, t1, t2, b1, b2, rate, *w), (*INPUTS, *TARGETS, *BIASES, RATE, *WEIGHTS)))
    for formula in (net_h1, net_h2, out_h1, out_h2, net_o1, net_o2, out_o1, out_o2):
        formula.subs(numbers)
    slopes = [sympy.diff(loss, parameter) for parameter in (*w, b1, b2)]
    gradients = [slope.subs(numbers) for slope in slopes]
    new = [(parameter - rate * slope).subs(numbers) for parameter, slope in zip(w, slopes)]
    after = loss.subs(numbers | dict(zip(w, new)))
    return dict(
        zip(("loss", "grad.w1", "grad.w8", "new.w1", "after.loss"), (loss.subs(numbers), gradients[0], gradients[7], new[0], after))
    )


def by_micrograd() -> Numbers:
    """Forward and backward pass."""
    from micrograd.engine import Value

    def exp(z: Any) -> Any:  # micrograd has no exponential function: this is how one is added
        power = Value(math.exp(z.data), (z,), "exp")

        def backward() -> None:
            z.grad += power.data * power.grad

        power._backward = backward
        return power

    def neuron(weights: list[Any], bias: Any, sources: Any) -> Any:
        return (1 + exp(-sum((weight * source for weight, source in zip(weights, sources)), bias))) ** -1

    w, (b1, b2) = [Value(weight) for weight in WEIGHTS], [Value(bias) for bias in BIASES]
    hidden = [neuron(w[0:2], b1, INPUTS), neuron(w[2:4], b1, INPUTS)]
    outputs = [neuron(w[4:6], b2, hidden), neuron(w[6:8], b2, hidden)]
    loss = sum((target - output) ** 2 for target, output in zip(TARGETS, outputs)) * 0.5
    loss.backward()
    return {"loss": loss.data, "grad.w1": w[0].grad, "grad.w8": w[7].grad}


def is_the_same(found: Numbers) -> bool:
    """Whether a peer's numbers are ours."""
    own = by_handcalc()
    return all(math.isclose(float(number), own[name], rel_tol=1e-12) for name, number in found.items())


def bench_sympy(compare: Callable[..., None]) -> None:
    cache = pytest.importorskip("sympy.core.cache")
    assert is_the_same(by_sympy())
    compare("SymPy", by_handcalc, by_sympy, at_least=20, rounds=15, fresh=cache.clear_cache)


def bench_sympy_again(compare: Callable[..., None]) -> None:
    compare("SymPy, the same once more", by_handcalc, by_sympy, at_least=20, rounds=15)


def bench_micrograd(compare: Callable[..., None]) -> None:
    pytest.importorskip("micrograd")
    assert is_the_same(by_micrograd())
    compare("micrograd, forward and backward", lambda: by_handcalc(next(OTHERS)), by_micrograd, at_most=15, rounds=300)


def bench_micrograd_first(compare: Callable[..., None]) -> None:
    pytest.importorskip("micrograd")
    compare("micrograd, a shape not seen before", by_handcalc, by_micrograd, at_most=15, rounds=300, fresh=model.forget)
