"""Standardised inputs as steps: the mean of every input over all samples, its standard deviation, and x = (raw − mean)/deviation.

- `add_standard(graph, problem, index)` defines them; answers the formula of x.

Shapes: raw (row, input), a row for every sample; mean and deviation (input). Source: Ng, Deep Learning Specialization, course 2, week 1;
with n in the variance, or n − 1 (scikit-learn's StandardScaler, pandas).
"""

from __future__ import annotations

from handcalc.core.expr import Expr, Number, Ref, call, div, mul, power, sub, total
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index, Position
from handcalc.core.quantity import Letter, Quantity
from handcalc.problem.schema import Problem, Standard


def add_standard(graph: Graph, problem: Problem, standard: Standard, index: tuple[Index, ...]) -> Expr:
    """μ = 1/n Σ raw, σ = √(1/n Σ (raw − μ)²), x = (raw − μ)/σ."""
    *samples, feature = index
    batch, rows = problem.batch, standard.rows
    row = Index("r", Axis("row", len(rows), batch.names if batch else tuple(sample.name for sample in problem.samples)))
    graph.given(_data("raw", (row, feature), Letter("x", above="raw")).replace(givens=lambda place: rows[place[0]][place[1]]))
    raw = Ref("raw", (row, feature))
    one = (feature,)
    mean = mul(Number(1, len(rows)), total(row, raw))
    graph.define(_data("mean", one, Letter("μ")).replace(definition=mean))
    squares = total(row, power(sub(raw, Ref("mean", one)), Number(2)))
    variance = mul(Number(1, len(rows) - standard.unbiased), squares)
    graph.define(_data("deviation", one, Letter("σ")).replace(definition=call("sqrt", variance)))
    place: Position = samples[0] if samples else batch.places[0] if batch else 0
    return div(sub(Ref("raw", (place, feature)), Ref("mean", one)), Ref("deviation", one))


def _data(role: str, index: tuple[Index, ...], letter: Letter) -> Quantity:
    return Quantity(role, "input", tuple(one.axis for one in index), index, role=role, letter=letter, prefix=role)
