"""Updates by formulas that somebody typed: Newton's method, the share of an error, the rule of a perceptron.

- `add_rule(graph, problem, rule)` defines the change and the new value of a given number; answers it, and its new value.

A formula may use every quantity of the equations, the rate, gradients by their ids (grad.w), second derivatives (grad2.w) and the new
values defined before (new.v). The second derivative ∂²f/∂w² is a quantity like any other: f is written out down to what is given, and
differentiated twice. Source of Newton's method: Goodfellow, Bengio, Courville, Deep Learning, 4.3.1.
"""

from __future__ import annotations

from handcalc.core.derivative import differentiate
from handcalc.core.expr import Expr, Ref, Sum, add, references, reindex, rewrite, sub, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Quantity
from handcalc.errors import Message, ProblemError
from handcalc.problem.schema import NamedFormula, Problem

NODES = 2000  # of a second derivative


def add_rule(graph: Graph, problem: Problem, rule: NamedFormula) -> tuple[str, str]:
    """w⁺ = the formula, Δw = w⁺ − w."""
    word, formula = rule.name, rule.formula
    known = {quantity.word: quantity.name for quantity in graph if quantity.of is None}
    name = known[word]
    here, shape = Ref(name, rule.index), (tuple(one.axis for one in rule.index), rule.index)
    for typed, other in list(known.items()):
        if gradient := graph.gradient(other):
            known[f"grad.{typed}"] = gradient
        if new := graph.updated(other):
            known[f"new.{typed}"] = new
        if any(used.quantity == f"grad2.{typed}" for used in references(formula)):
            whole = graph.in_layer(0, "loss") or known[problem.minimize]  # of all samples together, where there are several
            known[f"grad2.{typed}"] = graph.related("second", other) or _add_second(graph, whole, other, problem.path)
    meant = rewrite(formula, lambda node: Ref(known[node.quantity], node.indices) if isinstance(node, Ref) else None)
    if any(graph[ref.quantity].sampled for ref in references(meant)):  # all samples together are only watched: each has an update
        meant = here
    graph.define(Quantity(f"delta.{name}", "change", *shape, _without(meant, here), prefix="delta", of=here))
    graph.define(Quantity(f"new.{name}", "updated", *shape, meant, prefix="new", of=here))
    return name, f"new.{name}"


def _without(formula: Expr, here: Ref) -> Expr:
    """The formula less w: of w + …, what is added."""
    if isinstance(formula, Sum) and here in formula.terms:
        place = formula.terms.index(here)
        return add(*formula.terms[:place], *formula.terms[place + 1 :])
    return sub(formula, here)


def _add_second(graph: Graph, whole: str, name: str, path: str) -> str:
    """∂²f/∂w²: f written out, and differentiated twice; whole: f."""
    here = Ref(name)

    def depends(node: Expr) -> bool:
        definition = graph[node.quantity].definition if isinstance(node, Ref) else None
        return definition is not None and any(used == here or depends(used) for used in references(definition))

    def written(node: Expr) -> Expr | None:
        if not isinstance(node, Ref) or not depends(node):
            return None
        quantity = graph[node.quantity]
        assert quantity.definition is not None
        placed = reindex(quantity.definition, {own.letter: place for own, place in zip(quantity.index, node.indices)})
        return rewrite(placed, written)

    long = rewrite(Ref(whole), written)
    second = differentiate(differentiate(long, here), here) if _size(long) <= NODES else long
    if _size(second) > NODES:
        text = "the second derivative by {name} is too long to be written down"
        raise ProblemError(Message(text, f"{path}: " if path else "", name=graph[name].word))
    graph.define(Quantity(f"grad2.{name}", "gradient", definition=second, prefix="grad2", of=here, role="second"))
    return f"grad2.{name}"


def _size(formula: Expr) -> int:
    return sum(1 for _ in walk(formula))
