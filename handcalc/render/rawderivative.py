"""The line before the tidy one: a derivative as the rules give it, ½·2·(t − o)·(−1) for o − t.

- `raw_derivative(derivation, cell)`; shown in full detail.
"""

from __future__ import annotations

from handcalc.core.derivation import Derivation
from handcalc.core.derivative import RAW, differentiate
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import ONE, Expr, Number, Ref
from handcalc.core.quantity import Cell
from handcalc.errors import UnknownNumberError


def raw_derivative(derivation: Derivation, wanted: Cell) -> Expr | None:
    """A slope or gradient before tidying, None where there is no such line.

    Only for slopes and for gradients that come through one consumer with a constant upstream (a loss term), and only where it
    is worth as much as the step's own formula, which a convention may have changed.
    """
    graph = derivation.graph
    quantity = graph[wanted[0]]
    if quantity.wrt is not None and quantity.of is not None:
        consumer, target = graph.at(quantity.of, wanted), Ref(*graph.at(quantity.wrt, wanted))
        outside: Expr = ONE
    elif len(quantity.terms) == 1 and isinstance((term := quantity.terms[0]).upstream, Number) and not term.over and quantity.of:
        consumer, target = graph.at(term.through, wanted), Ref(*graph.at(quantity.of, wanted))
        outside = term.upstream
    else:
        return None
    raw = RAW.mul(outside, differentiate(graph.at_once.instance(consumer), target, RAW))
    exact = Evaluation(graph, None, derivation.evaluation.replaced)
    try:
        return raw if abs(exact.of(raw, wanted) - exact[wanted]) <= 1e-9 * abs(exact[wanted]) else None
    except UnknownNumberError:  # the tidy slope may need less, such as the value that is given
        return None
