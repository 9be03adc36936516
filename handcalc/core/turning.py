"""A use of a quantity turned round: c uses q[p(k, i)] with free indices k and summed indices i; which of them reach q[J]?

- `solve(places, wanted, unknown, bounded)`: p(k, i) = J solved for as many indices as possible, an index with coefficient ±1 each
  time; what cannot be solved becomes a δ factor.
- `bounding(graph, expr)`: the test for `bounded`: an index may be solved for only if nothing is added where it would be outside its axis.
- `apart(formula, free)`: the formula with another letter where one has two meanings that must not be mixed up.
"""

from __future__ import annotations

from collections.abc import Callable

from handcalc.core.derivative import every_index
from handcalc.core.expr import Entry, Expr, Negation, Product, Ref, Sum, Total, delta, reindex, rewrite
from handcalc.core.graph import Graph
from handcalc.core.index import Affine, Index, Position, affine, inside, position, shift_index, unused

Bounded = Callable[[Index], bool]


def solve(
    places: tuple[Position, ...], wanted: tuple[Index, ...], unknown: set[Index], bounded: Bounded
) -> tuple[dict[str, Position], list[Expr]]:
    """The indices that follow from places = wanted, and the δ factors."""
    solved: dict[str, Position] = {}
    factors: list[Expr] = []
    for place, goal in zip(places, wanted):
        current = affine(shift_index(place, solved))
        found = next((pair for pair in _answers(current, goal, unknown) if bounded(pair[0]) or inside(pair[1], pair[0].axis)), None)
        if found is None:
            factors.append(delta(shift_index(place, solved), goal))
            continue
        index, answer = found
        solved = {letter: shift_index(old, {index.letter: answer}) for letter, old in solved.items()}
        solved[index.letter] = answer
    return solved, [reindex(factor, solved) for factor in factors]


def _answers(place: Affine, goal: Index, unknown: set[Index]) -> list[tuple[Index, Position]]:
    """What place = goal says of each index that it can be solved for."""
    found = []
    for sign, index in place.terms:
        if abs(sign) == 1 and index in unknown:
            rest = {other: -sign * factor for factor, other in place.terms if other != index}
            rest[goal] = rest.get(goal, 0) + sign
            found.append((index, position(rest, -sign * place.constant)))
    return found


def bounding(graph: Graph, expr: Expr) -> Bounded:
    """Whether an expression is nothing wherever an index is outside its axis: because of a cell that is not there."""

    def bounded(index: Index) -> bool:
        return _is_nothing_outside(graph, expr, index)

    return bounded


def _is_nothing_outside(graph: Graph, expr: Expr, index: Index) -> bool:
    match expr:
        case Ref(name, places):
            return any(_bounds(place, axis.size, index) for place, axis in zip(places, graph[name].axes))
        case Product(factors):
            return any(_is_nothing_outside(graph, factor, index) for factor in factors)
        case Sum(terms):
            return all(_is_nothing_outside(graph, term, index) for term in terms)
        case Negation(operand):
            return _is_nothing_outside(graph, operand, index)
        case Total(inner, body):
            return inner != index and _is_nothing_outside(graph, body, index)
    return False


def _bounds(place: Position, size: int, index: Index) -> bool:
    """Whether a place is outside an axis wherever the index, which it alone consists of, is outside its own."""
    terms, constant = affine(place).terms, affine(place).constant
    if len(terms) != 1 or terms[0][1] != index:
        return False
    factor = terms[0][0]
    if factor < 0:  # counted from the other end
        factor, constant = -factor, size - 1 - constant
    first, last = -(constant // factor), (size - 1 - constant) // factor
    return first >= 0 and last < index.axis.size


# --- letters ----------------------------------------------------------------------------------------------------------


def apart(formula: Expr, free: tuple[Index, ...]) -> Expr:
    """The formula with new letters for summed indices whose letter is also a free one, or one of a sum around it, or of a sum beside it
    that goes over another number of places."""
    taken = {index.letter for index in (*free, *every_index(formula))}
    sizes: dict[str, int] = {}

    def renamed(expr: Expr, around: frozenset[str]) -> Expr:
        def change(node: Expr) -> Expr | None:
            if not isinstance(node, (Total, Entry)):
                return None
            index, body = node.index, node.body
            if index.letter in around or sizes.setdefault(index.letter, index.axis.size) != index.axis.size:
                index = Index(unused(index.letter, taken), index.axis)
                taken.add(index.letter)
                body = reindex(body, {node.index.letter: index})
                sizes[index.letter] = index.axis.size
            inner = renamed(body, around | {index.letter})
            return node if inner is node.body else node.replace(index=index, body=inner)

        return rewrite(expr, change)

    return renamed(formula, frozenset(index.letter for index in free))
