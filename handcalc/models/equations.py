"""User-written equations: every given number and every equation is a quantity without axes, its id is its name.

Source: the computational graphs of CS231n (Karpathy, 2015) and micrograd.
"""

from __future__ import annotations

from handcalc.core.expr import Number
from handcalc.core.graph import Graph
from handcalc.core.quantity import Givens, Quantity
from handcalc.problem.schema import Problem


def add_equations(graph: Graph, problem: Problem) -> str:
    """Define givens and equations; answers the quantity whose gradients are wanted ("" if none)."""
    for name, value in problem.given.items():
        graph.given(Quantity(name, "given", givens=_constant(value)))
    for equation in problem.equations:
        graph.define(Quantity(equation.name, "variable", definition=equation.formula))
    return problem.minimize


def _constant(value: Number) -> Givens:
    return lambda place: value
