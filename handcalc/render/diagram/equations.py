"""The drawing of a problem of equations: its computation graph, from what is given to what is minimised.

- `equations(derivation, reading, iteration, values, gradients)` answers the diagram.

flow.py says where everything stands. What belongs to the backward phase alone is no node: gradients are a row of
the box of their quantity.
"""

from __future__ import annotations

from itertools import product

from handcalc.core.derivation import Derivation
from handcalc.core.expr import references
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Message
from handcalc.render.diagram.flow import flow
from handcalc.render.diagram.model import CellItem, Diagram, Formula, Node, Row, Sign
from handcalc.render.diagram.plan import Plan
from handcalc.render.reading import Reading

NODES_LIMIT = 60  # quantities of a drawing that can be read
WIDEST = 760.0  # a drawing that would be wider goes from top to bottom instead of from left to right
SHOWN = 4  # rows and columns of a list or a matrix
PADDING = 8.0  # inside a box


def equations(derivation: Derivation, reading: Reading, iteration: int, values: bool, gradients: bool) -> Diagram | None:
    """The computation graph, the reading in UNICODE; None where there are too many quantities."""
    plan = Plan(derivation, reading, iteration, values, values and gradients)
    names = [quantity.name for quantity in derivation.graph if quantity.kind in ("given", "variable") and not quantity.stage]
    if not 0 < len(names) <= NODES_LIMIT:
        return None
    uses = {name: [other for other in _uses(derivation, name) if other in names] for name in names}
    drawn = flow(uses, {name: _box(plan, name) for name in names}, WIDEST)
    captions = (Message("Iteration {number}", number=iteration),) if derivation.iterations > 1 else ()
    return drawn.replace(captions=captions, iteration=iteration)


def _rows_of_list(plan: Plan, quantity: Quantity) -> list[Row]:
    """Of a list or a matrix the general formula, its first numbers in rows and columns, then those of the gradients by them."""
    shape = ", ".join(str(axis.size) for axis in quantity.axes[quantity.sampled :])
    first = tuple(quantity.axes[0].places[:1]) if quantity.sampled else ()
    *before, across = quantity.axes[quantity.sampled :]
    cells = [
        [(quantity.name, (*first, *row, column)) for column in across.places[:SHOWN]]
        for row in product(*(axis.places[:SHOWN] for axis in before))
    ]
    whole = Formula((quantity.name, first + (0,) * (len(quantity.axes) - len(first))), quantity.definition, quantity.index)
    given = quantity.definition is None and (plan.iteration == 1 or quantity.name not in plan.derivation.updated)
    rows: list[Row] = [(whole, Sign(f"({shape})"))]
    more = (Sign("…"),) * (across.size > SHOWN)
    if plan.computed or given:
        rows += [(*(CellItem(cell, named=False) for cell in line), *more) for line in cells]
    gradients = [[item for cell in line if (item := plan.gradient(cell))] for line in cells]
    return rows + [(*line, *more) for line in gradients if line]


def _uses(derivation: Derivation, name: str) -> list[str]:
    graph = derivation.graph
    drawn = _first(derivation, name)
    if len(graph[name].axes) > graph[name].sampled:  # of which cells may use different things
        return list(dict.fromkeys(ref.quantity for formula in graph[name].formulas for ref in references(formula)))
    return [] if graph[name].definition is None else list(dict.fromkeys(cell[0] for cell in graph.uses(drawn)))


def _first(derivation: Derivation, name: str) -> Cell:
    """The cell that is drawn: of the first sample."""
    return name, tuple(axis.places[0] for axis in derivation.graph[name].axes)


def _box(plan: Plan, name: str) -> Node:
    """symbol = formula, the value, the gradient; around the point 0, 0."""
    quantity, cell = plan.derivation.graph[name], _first(plan.derivation, name)
    rows: list[Row] = []
    if len(quantity.axes) > quantity.sampled:
        rows = _rows_of_list(plan, quantity)
    elif quantity.definition is None:
        rows.append((plan.parameter(cell),))
    else:
        rows.append((Formula(cell, plan.reading.formula(cell)),))
        rows += [(CellItem(cell, named=False),)] if plan.computed else []
    gradient = plan.gradient(cell) if len(quantity.axes) == quantity.sampled else None
    rows += [(gradient,)] if gradient else []
    label = plan.label("values", tuple(rows))
    kind = "loss" if name == plan.derivation.loss else quantity.kind
    return Node(kind, 0, 0.0, 0.0, label.width + 2 * PADDING, label.height + 1.5 * PADDING, cell, labels=(label,))
