"""User-written equations: every given number and every equation is a quantity, its id is its name.

- `add_equations(graph, problem)` defines them; answers the quantity whose gradients are wanted.

Shapes: (), of lists and matrices (entry) and (entry, entry); or (sample, …) for what every sample has a number of its own for, and what
follows from it; then what is minimised is the mean, or the sum, over samples.
Source: the computational graphs of CS231n (Karpathy, 2015) and micrograd.
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Number, Ref, mul, references, rewrite, total
from handcalc.core.graph import Graph
from handcalc.core.index import Index
from handcalc.core.quantity import Givens, Quantity
from handcalc.layers.site import sample_index
from handcalc.models.losses import sample_share
from handcalc.problem.dataset import givens
from handcalc.problem.schema import Problem


def add_equations(graph: Graph, problem: Problem) -> str:
    """Define givens, the data of samples, and equations; answers the quantity whose gradients are wanted ("" if none)."""
    for name, value in problem.given.items():
        graph.given(Quantity(name, "given", givens=_constant(value)))
    for name, table in problem.tables.items():
        graph.given(Quantity(name, "given", table.axes, tuple(map(Index, "ij", table.axes)), givens=table.get))
    sample = sample_index(problem)
    shape = tuple(index.axis for index in sample), sample
    for place, name in enumerate(problem.inputs):
        graph.given(Quantity(name, "given", *shape, role="column", givens=_column(problem, place)))
    each = set(problem.inputs) if sample else set()
    for equation in problem.equations:
        own = each & {ref.quantity for ref in references(equation.formula)}
        if own:
            each.add(equation.name)
        role = "each" if own and equation.name == problem.minimize else ""
        formula = _of_sample(equation.formula, each, sample)
        index = (*(sample if own else ()), *equation.index)
        graph.define(Quantity(equation.name, "variable", tuple(one.axis for one in index), index, formula, role=role))
    if problem.minimize in each:
        whole = mul(sample_share(problem), total(sample[0], Ref(problem.minimize, sample)))
        graph.define(Quantity("loss", "loss", definition=whole, names={(): ""}, prefix="loss"))
    return problem.minimize


def _of_sample(formula: Expr, each: set[str], sample: tuple[Index, ...]) -> Expr:
    return rewrite(
        formula, lambda node: Ref(node.quantity, (*sample, *node.indices)) if isinstance(node, Ref) and node.quantity in each else None
    )


def _column(problem: Problem, place: int) -> Givens:
    values = givens(problem.samples, "inputs", (len(problem.inputs),), problem.batch)
    return lambda at: values((*at, place))


def _constant(value: Number) -> Givens:
    return lambda place: value
