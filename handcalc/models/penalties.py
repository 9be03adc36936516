"""Penalties in the loss (regularisation): L2 from the squares of the weights, L1 from their absolute values, or both (elastic net).

- `add_penalties(graph, problem)` defines λ and the penalties; losses.py adds them to the loss of the data.
- `defined(graph)` are those that a graph has; `amount` and `slope` are the formulas of one.

    R_L2 = λ/2·Σw², λ/(2m)·Σw², λ/m·Σw² or λ·Σw²        R_L1 = λ·Σ|w| or λ/m·Σ|w|

The sums run over every weight there is, of kernels and other layers as well, also over weights that are frozen: they are constants of
the loss. Biases and thresholds are in them where that is asked for. What ∂E/∂w gets from it is derived like everything else. Sources:
Hoerl and Kennard, 1970 (L2); Tibshirani, 1996 (L1); Zou and Hastie, 2005 (both); forms as in problem/words.py.

To add a penalty, add its line to `PENALTIES`, its field to `Regularization` and its key in problem/fields.py.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.derivative import differentiate
from handcalc.core.expr import Expr, Number, Ref, add, call, mul, power
from handcalc.core.graph import Graph
from handcalc.core.quantity import Letter, Quantity
from handcalc.core.record import Record
from handcalc.layers.site import totals
from handcalc.problem.schema import Problem, Regularization
from handcalc.problem.words import PENALTY_FORMS


class Penalty(Record):
    """A penalty: what it takes of one weight, how it and its λ are written, and whether its form may halve it."""

    of: Callable[[Ref], Expr]
    letter: Letter
    rate: Letter
    halved: bool


# field of Regularization, which is the id of λ and, after "penalty.", that of the penalty
PENALTIES: dict[str, Penalty] = {
    "l2": Penalty(lambda weight: power(weight, Number(2)), Letter("R", "L2"), Letter("λ", "2"), halved=True),
    "l1": Penalty(lambda weight: call("abs", weight), Letter("R", "L1"), Letter("λ", "1"), halved=False),
}


def add_penalties(graph: Graph, problem: Problem) -> list[Ref]:
    """Define the penalties a problem asks for; answers references to them, none where it asks for none."""
    chosen = problem.regularization
    wanted = [role for role in PENALTIES if chosen is not None and getattr(chosen, role) is not None]
    alone = len(wanted) == 1 and "weight_decay" not in problem.optimizer.numbers  # then λ says enough
    return [_penalty(graph, chosen, role, alone) for role in wanted] if chosen is not None else []


def defined(graph: Graph) -> list[str]:
    """The names of the penalties of a graph."""
    return [name for role in PENALTIES if (name := graph.in_layer(0, "loss", role))]


def _penalty(graph: Graph, chosen: Regularization, role: str, alone: bool) -> Ref:
    """λ times what stands before the sum, times the sum over all weights."""
    penalty, value = PENALTIES[role], getattr(chosen, role)
    letter = Letter("λ") if alone else penalty.rate
    graph.given(Quantity(f"lambda.{role}", "hyper", givens=lambda place: value, role=role, id=role, letter=letter))
    kinds = ("weight", "bias", "threshold") if chosen.biases else ("weight",)
    weights = [quantity for quantity in graph if quantity.kind in kinds and quantity.of is None]
    formula = amount(graph, chosen, role, add(*(totals(weight.index, penalty.of(Ref(weight.name, weight.index))) for weight in weights)))
    name = f"penalty.{role}"
    graph.define(Quantity(name, "loss", definition=formula, names={(): role}, prefix="penalty", role=role, letter=penalty.letter))
    return Ref(name)


def amount(graph: Graph, chosen: Regularization, role: str, size: Expr) -> Expr:
    """λ, with what the form puts below it, times the size of some weights."""
    form = PENALTY_FORMS[chosen.form]
    below = (2 if form.halved and PENALTIES[role].halved else 1) * (chosen.samples if form.averaged else 1)
    return mul(Number(1, below), Ref(graph.in_layer(0, "hyper", role)), size)


def slope(graph: Graph, chosen: Regularization, role: str, weight: Ref) -> Expr:
    """What a penalty adds to the gradient of a weight that is in it."""
    return differentiate(amount(graph, chosen, role, PENALTIES[role].of(weight)), weight)
