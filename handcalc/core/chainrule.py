"""The chain rule, once, over general formulas: ∂E/∂q[J] = Σ over consumers c of ∂E/∂c[K] · ∂c[K]/∂q[J].

- `add_gradients(graph, objective, …)` defines, for every quantity on the way to the objective, its gradient, the
  activation derivatives it needs (local.…) and, where several paths meet, the contribution of each (path.…).

Nothing here knows layers, activations or losses. The result is more quantities of the same graph, with general
formulas, so a gradient step has formula, numbers and value like any other, and can be differentiated again.

How a consumer's reference is turned round (turning.py): c[k] uses q[p(k, i)], with free indices k and summed indices i.
For a fixed J, p(k, i) = J is solved for as many of them as possible; what stays free is summed.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from math import prod
from typing import Any

from handcalc.core.derivative import differentiate, every_index, letters_of
from handcalc.core.expr import MINUS_ONE, ONE, Call, Entry, Expr, Number, Ref, Total, add, mul, references, reindex, rewrite, total, walk
from handcalc.core.graph import Graph
from handcalc.core.index import Axis, Index, Position, indices, inside, shift_index, unused
from handcalc.core.quantity import Quantity, Term
from handcalc.core.turning import apart, bounding, solve

# --- the chain rule ---------------------------------------------------------------------------------------------------

Wanted = Callable[[Quantity], bool]
Use = tuple[Quantity, Expr, Ref]  # a consumer, its definition, and a reference in it


def add_gradients(
    graph: Graph, objective: str, wanted: Wanted = lambda quantity: True, start: Expr = ONE, named: Collection[str] = ()
) -> dict[str, str]:
    """Define ∂objective/∂q for every wanted quantity the objective depends on; answers q → name of its gradient.

    objective: a quantity without axes, or with the sample axis only; then each sample's own gradients are defined,
    and a quantity that all samples share (a weight) gets one gradient per sample, axes (sample, …).
    start: ∂E/∂objective, 1 unless a rule gives the gradient of the outputs directly; named: gradients that stand in formulas by their
    names even where they are always the same number.
    """
    needed = _upstream(graph, objective, wanted)
    goal = graph[objective]
    gradients = {objective: _name(goal)}
    graph.define(_gradient(goal, goal.axes, goal.index, start, ()))
    backwards = [goal, *(quantity for quantity in reversed(list(graph)) if quantity.name in needed and quantity.name != objective)]
    formulas = [(quantity, apart(quantity.definition, quantity.index)) for quantity in backwards if quantity.definition]
    # what a penalty in the loss adds comes after what the data say
    uses = sorted(((one, formula, ref) for one, formula in formulas for ref in references(formula)), key=lambda use: use[0].kind == "loss")
    for quantity in backwards[1:]:
        _add_gradient(graph, quantity, gradients, tuple(axis for axis in goal.axes if axis.role == "sample"), uses, named)
    return gradients


def add_path(graph: Graph, consumer: str, name: str) -> Expr:
    """Define what comes to ∂E/∂q through one consumer that has no axes and is simply added to the objective, so that ∂E/∂consumer = 1;
    answers the reference to it, 0 where the consumer does not use q."""
    via, quantity = graph[consumer], graph[name]
    if _name(via) not in graph:
        graph.define(_gradient(via, (), (), ONE, ()))
    formula = apart(via.formulas[0], via.index)
    terms = [term for ref in references(formula) if ref.quantity == name for term in _term(graph, quantity, via, formula, ref, _name(via))]
    paths = [_with_path(graph, quantity, term, quantity.axes, quantity.index, ()) for term in terms]
    return add(*(path.path or mul(path.upstream, path.local) for path in paths))


def _upstream(graph: Graph, objective: str, wanted: Wanted) -> set[str]:
    """The quantities the objective depends on and that depend on something wanted, itself included."""
    uses = {quantity.name: {ref.quantity for formula in quantity.formulas for ref in references(formula)} for quantity in graph}
    below = _grown({objective}, lambda known: {used for name in known for used in uses[name]})
    wished = {name for name in below if wanted(graph[name])}
    leaves = {name for name in wished if graph[name].givens is not None or graph[name].unknown}
    return _grown(leaves, lambda known: {name for name in wished if uses[name] & known})


def _grown(known: set[str], more: Callable[[set[str]], set[str]]) -> set[str]:
    """A set with everything that follows from it, however often: quantities may use each other (a recurrence)."""
    while not (found := more(known)) <= known:
        known = known | found
    return known


def _name(base: Quantity) -> str:
    """The name of a gradient; it may be used before the gradient is defined, in a recurrence."""
    return f"grad.{base.name}"


def _gradient(base: Quantity, axes: tuple[Axis, ...], index: tuple[Index, ...], formula: Expr, terms: tuple[Term, ...]) -> Quantity:
    of = Ref(base.name, base.index)
    return Quantity(_name(base), "gradient", axes, index, formula, prefix="grad", of=of, terms=terms, layer=base.layer)


def _add_gradient(
    graph: Graph, quantity: Quantity, gradients: dict[str, str], batch: tuple[Axis, ...], uses: list[Use], named: Collection[str]
) -> None:
    """Define ∂E/∂quantity from the gradients of its consumers."""
    terms: list[Term] = []
    gradients[quantity.name] = _name(quantity)
    for consumer, formula, reference in uses:
        if reference.quantity == quantity.name:
            terms.extend(_term(graph, quantity, consumer, formula, reference, _name(consumer)))
    terms = _merged(terms)
    shared = tuple(axis for axis in batch if axis not in quantity.axes)
    kept = tuple({letter: None for term in terms for letter in term.over if letter.axis in shared})
    terms = [term.replace(over=tuple(letter for letter in term.over if letter not in kept)) for term in terms]
    count = sum(prod(letter.axis.size for letter in term.over) for term in terms)
    axes = (*(letter.axis for letter in kept), *quantity.axes)
    index = (*kept, *quantity.index)
    if count > 1:
        terms = [_with_path(graph, quantity, term, axes, index, named) for term in terms]
    terms = [term if term.path else _known(graph, term, named) for term in terms]
    parts = []
    for term in terms:
        part = term.path or mul(term.upstream, term.local)
        for letter in reversed(term.over):
            part = total(letter, part)
        parts.append(part)
    gradient = _gradient(quantity, axes, index, add(*parts), tuple(terms))
    graph.define(gradient)


def _merged(terms: list[Term]) -> list[Term]:
    """One term for each consumer: uses of a quantity at several places of one definition add up (out − t)."""
    found: dict[tuple[Ref, Expr, tuple[tuple[str, int], ...]], Term] = {}
    for term in terms:
        key = (term.through, term.upstream, tuple((index.letter, index.axis.size) for index in term.over))
        found[key] = term.replace(local=add(found[key].local, term.local)) if key in found else term
    return list(found.values())


def _term(graph: Graph, quantity: Quantity, consumer: Quantity, formula: Expr, reference: Ref, gradient: str) -> list[Term]:
    """The contribution of one consumer through one way of using the quantity."""
    wanted = {index.letter for index in quantity.index}
    own = dict.fromkeys((*consumer.index, *every_index(formula)))
    taken = wanted | {index.letter for index in own}
    fresh: dict[str, Index] = {}
    for index in own:
        if index.letter in wanted:
            fresh[index.letter] = Index(unused(index.letter, taken), index.axis)
            taken.add(fresh[index.letter].letter)
    free = tuple(fresh.get(index.letter, index) for index in consumer.index)
    whole = _rename(formula, fresh)
    source = _rename(reference, fresh)
    assert isinstance(source, Ref)
    local = _local(graph, consumer, whole, source, free)
    bounded = bounding(graph, mul(Ref(consumer.name, free), local))  # ∂E/∂consumer is where the consumer is
    solved, factors = solve(source.indices, quantity.index, {*free, *letters_of(source)}, bounded)
    ordered = dict.fromkeys((*free, *sorted(letters_of(source), key=lambda i: i.letter)))
    over = tuple(index for index in ordered if index.letter not in solved)
    local = mul(reindex(local, solved), *factors)
    if local == Number(0):
        return []
    places = tuple(shift_index(index, solved) for index in free)
    return [_few_primes(Term(Ref(consumer.name, places), Ref(gradient, places), local, over), wanted)]


def _few_primes(term: Term, taken: set[str]) -> Term:
    """The same term with summed letters as short as they can be: k' where k'' came out of the renaming."""
    shorter: dict[str, Position] = {}
    over: list[Index] = []
    for index in term.over:
        plain = unused(index.letter.rstrip("'"), taken | {other.letter for other in over})
        over.append(Index(plain, index.axis))
        shorter[index.letter] = over[-1]
    if tuple(over) == term.over:
        return term
    through, upstream, local = (reindex(part, shorter) for part in (term.through, term.upstream, term.local))
    assert isinstance(through, Ref)
    return Term(through, upstream, local, tuple(over))


def _local(graph: Graph, consumer: Quantity, formula: Expr, source: Ref, free: tuple[Index, ...]) -> Expr:
    """∂consumer/∂source; the slope of an activation is a quantity of its own."""
    called = consumer.kind == "out" or (consumer.kind == "part" and isinstance(formula, Call))  # a gate is an activation, too
    if (
        not called
        or list(references(formula)) != [source]
        or not letters_of(source) <= {*free}
        or any(isinstance(node, Entry) for node in walk(formula))
    ):
        return _slope(graph, formula, source, Ref(consumer.name, free))
    name = graph.local(consumer.name)
    if not name:
        name = f"local.{consumer.name}"
        assert consumer.definition is not None
        base, used = Ref(consumer.name, consumer.index), next(iter(references(consumer.definition)))
        formulas = {place: _slope(graph, case, used, base) for place, case in (consumer.cases or {}).items()}
        slope = _slope(graph, consumer.definition, used, base)
        shape = consumer.axes, consumer.index
        graph.define(Quantity(name, "local", *shape, slope, formulas or None, prefix="local", of=base, wrt=used, layer=consumer.layer))
    return Ref(name, free)


def _slope(graph: Graph, formula: Expr, source: Ref, itself: Ref) -> Expr:
    """∂formula/∂source, with the formula's own value and other known values called by their names."""
    return name_known(graph, rewrite(differentiate(formula, source), lambda node: itself if node == formula else None))


def _rename(expr: Expr, fresh: dict[str, Index]) -> Expr:
    """Rename free and summed indices alike."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, (Total, Entry)) and node.index.letter in fresh:
            letter, index = node.index.letter, fresh[node.index.letter]
            return rewrite(node.replace(index=index, body=reindex(node.body, {letter: index})), change)
        return None

    return reindex(rewrite(expr, change), fresh) if fresh else expr


def _known(graph: Graph, term: Term, named: Collection[str], is_path: bool = False) -> Term:
    """The term with the number that its upstream gradient always is, if the consumer is always there."""
    upstream, axes = term.upstream, graph[term.through.quantity].axes
    assert isinstance(upstream, Ref)
    constant = graph[upstream.quantity].definition if upstream.quantity in graph and upstream.quantity not in named else None
    there = is_path or all(inside(place, axis) for place, axis in zip(term.through.indices, axes))
    return term.replace(upstream=constant) if isinstance(constant, Number) and there else term


def _with_path(
    graph: Graph, quantity: Quantity, term: Term, axes: tuple[Axis, ...], index: tuple[Index, ...], named: Collection[str]
) -> Term:
    """Give a contribution a quantity of its own, unless it only passes the upstream gradient on. It has cells where the consumer has."""
    if term.local in (ONE, MINUS_ONE):
        return term
    term = _known(graph, term, named, is_path=True)
    sampled = 1 if axes and axes[0].role == "sample" else 0
    letters = (*index[:sampled], *term.over, *index[sampled:])
    name = f"path.{term.through.quantity}.{quantity.name}"
    while name in graph:
        name += "'"
    shape, of = (tuple(letter.axis for letter in letters), letters), Ref(quantity.name, quantity.index)
    formula = mul(term.upstream, term.local)
    graph.define(Quantity(name, "path", *shape, formula, prefix="path", of=of, through=term.through, layer=quantity.layer))
    return term.replace(path=Ref(name, letters))


# --- naming what already has a name -----------------------------------------------------------------------------------


def name_known(graph: Graph, expr: Expr) -> Expr:
    """Replace function values that are some quantity's definition by that quantity: softmax(net)_i is out_i."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, (Call, Entry)):
            for quantity in graph:
                named = quantity.kind == "out" or quantity.kind == "part" and isinstance(node, Entry)
                if named and type(quantity.definition) is type(node) and not quantity.cases:
                    found: dict[str, Position] = {}
                    matches = _matches(quantity.definition, node, {index.letter for index in quantity.index}, found)
                    if matches and all(index.letter in found and inside(found[index.letter], index.axis) for index in quantity.index):
                        return Ref(quantity.name, tuple(found[index.letter] for index in quantity.index))
        return None

    return rewrite(expr, change)


def _matches(pattern: Any, other: Any, unset: set[str], found: dict[str, Position], depth: int = 0) -> bool:
    """Whether `other` is `pattern` with its free indices set; `found` collects them. What is summed over has a letter of its own."""
    if isinstance(pattern, Index) and pattern.letter in unset:
        return bool(found.setdefault(pattern.letter, other) == other)
    if type(pattern) is not type(other):
        return False
    if isinstance(pattern, Index):
        return bool(pattern == other and pattern.axis.size == other.axis.size)
    if isinstance(pattern, tuple):
        return len(pattern) == len(other) and all(_matches(a, b, unset, found, depth) for a, b in zip(pattern, other))
    if isinstance(pattern, (Entry, Total)):
        if pattern.index.axis != other.index.axis or isinstance(pattern, Entry) and pattern.function != other.function:
            return False
        bound = Index(f"*{depth}", other.index.axis)
        body, its = (reindex(one.body, {one.index.letter: bound}) for one in (pattern, other))
        placed = not isinstance(pattern, Entry) or _matches(pattern.at, other.at, unset, found, depth)
        return placed and _matches(body, its, unset, found, depth + 1) and bound not in indices(found.values())
    if isinstance(pattern, Expr):
        return all(_matches(a, b, unset, found, depth) for a, b in zip(pattern.__dict__.values(), other.__dict__.values()))
    return bool(pattern == other)
