"""Slopes that a convention decides: ReLU at 0, and a maximum or minimum that several numbers are.

- `apply_conventions(graph, conventions)` rewrites the derivatives of a graph.

By default the first of the largest gets the gradient. With `max_ties: split` all of them get the same share of it, as PyTorch's
`amax` gives them: for the largest of a_1 … a_n the slope by a_k is max'(a_k, max of the others, 1/(1 + Σ step(a_j − a_k))), whose
last argument is the slope where a_k is as large as the others: step is 1 for each of them that is the largest too.

The chain rule writes the slope of a maximum of three or more as a product of two comparisons, with what comes before and after. So
that none is taken for another, the comparisons are those of the consumer's own formula (`_comparisons`), found again in the
gradient and replaced by the share.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.definitions import partial
from handcalc.core.expr import ONE, Call, Expr, Number, Product, add, call, div, mul, number, reindex, rewrite, sub, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity
from handcalc.problem.schema import Conventions

HALF = Number(1, 2)
Shares = dict[tuple[Expr, ...], Expr]  # comparisons in the order written → the share they are replaced by


def apply_conventions(graph: Graph, conventions: Conventions) -> None:
    """Rewrite the slopes that a convention decides, in gradients, their terms and the slopes of activations."""
    at_zero = number(conventions.relu_at_zero) if conventions.relu_at_zero != "0" else None
    split = conventions.max_ties == "split"
    if at_zero is None and not split:
        return
    for quantity in list(graph):
        if quantity.kind in ("local", "path", "gradient") and quantity.definition is not None:
            shares = _shares(graph, quantity) if split else {}
            cases = quantity.cases and {place: _changed(case, at_zero, shares) for place, case in quantity.cases.items()}
            terms = tuple(term.replace(local=_changed(term.local, at_zero, shares)) for term in quantity.terms)
            graph.redefine(quantity.replace(definition=_changed(quantity.definition, at_zero, shares), cases=cases, terms=terms))


def _changed(expr: Expr, at_zero: Number | None, shares: Shares) -> Expr:
    """A slope with the one of ReLU at 0, and with shares."""

    def change(node: Expr) -> Expr | None:
        match node:
            case Call("relu'", (z, _)) if at_zero is not None:
                return node.replace(arguments=(rewrite(z, change), at_zero))
            case Call("max'", _):
                return shares.get((node,))
            case Product(factors):
                for comparisons, share in shares.items():
                    if len(comparisons) > 1 and all(one in factors for one in comparisons):
                        rest = [rewrite(factor, change) for factor in factors if factor not in comparisons]
                        return mul(*rest, share)
        return None

    return rewrite(expr, change)


def _shares(graph: Graph, quantity: Quantity) -> Shares:
    """The comparisons that the slopes of a quantity's consumers are made of, with equal shares in their place."""
    found: Shares = {}
    for consumer in [quantity.of, quantity.through, *(term.through for term in quantity.terms)]:
        if consumer is not None:
            source = graph[consumer.quantity]
            places = {index.letter: place for index, place in zip(source.index, consumer.indices)}
            for formula in (source.definition, *(source.cases or {}).values()):
                for node in walk(reindex(formula, places)) if formula is not None else ():
                    if isinstance(node, Call) and node.function in ("max", "min"):
                        found.update(_comparisons(node))
    return found


def _comparisons(node: Call) -> Iterator[tuple[tuple[Expr, ...], Expr]]:
    """For each number of a maximum or minimum: the comparisons of its slope, and its share."""
    for place, own in enumerate(node.arguments):
        slope = partial(node.function, place, node.arguments, node)
        yield slope.factors if isinstance(slope, Product) else (slope,), _share(node.function, own, _others(node, place))


def _others(node: Call, place: int) -> tuple[Expr, ...]:
    return (*node.arguments[:place], *node.arguments[place + 1 :])


def _share(name: str, own: Expr, others: tuple[Expr, ...]) -> Expr:
    """1 where one number is the largest (smallest) alone, 1/n where n numbers are, else 0."""
    ahead = [sub(one, own) if name == "max" else sub(own, one) for one in others]
    tie = HALF if len(others) == 1 else div(ONE, add(ONE, *(call("step", lead) for lead in ahead)))
    best = others[0] if len(others) == 1 else call(name, *others)
    return call("max'", *((own, best) if name == "max" else (best, own)), tie)
