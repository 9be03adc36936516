"""The problems of the figures, and each as what a student works on.

- `FAMILIES` lists the problems of every family; `EQUATIONS` are layers that are also set as equations ("mazur-2-2-2, equations").
- `exercise(name)` is an `Exercise`: its steps, and their right values.

To add a problem: its name in `FAMILIES`, that of a shipped one or of tests/modelproblems.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import cache, cached_property
from typing import Any

from modelproblems import MODELS

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.deriving import derive
from handcalc.loading.loader import load, loads
from handcalc.marking.check import Checker
from handcalc.problem.schema import Problem

FAMILIES: dict[str, tuple[str, ...]] = {
    "multi-layer perceptron": ("mazur-2-2-2", "per-connection-bias-2-3-1", "fausett-2-2-1", "xigua-thresholds"),
    "batch": ("zhou-four-people", "ng-linear-regression"),
    "softmax": ("softmax-cross-entropy", "dlfs-simplenet"),
    "convolution": ("conv-pool-dense", "convolution", "tensorflow-conv-backward"),
    "pooling": ("strided convolution", "deeplearning-ai-pool-backward"),
    "recurrence": ("prachub-bptt", "recurrence"),
    "long short-term memory": ("gomez-lstm",),
    "gated unit": ("gru-backward", "tensorflow-gru-cell"),
    "attention": ("attention-backward", "transformer-block"),
    "normalisation": ("normalised batch", "dropout-batch-norm", "d2l-layer-norm"),
    "optimiser": ("adam-logistic", "deeplearning-ai-momentum"),
    "equations": ("micrograd-readme", "linear-y-ax-b", "cs231n-neuron", "minimise-x0-x1"),
}
EQUATIONS = ("mazur-2-2-2", "shared-bias-2-3-2", "per-connection-bias-2-3-1", "hmkcode-linear", "custom-formulas")
TWIN = ", equations"
PROBLEMS = tuple(name for names in FAMILIES.values() for name in names)
FIRST = (*(names[0] for names in FAMILIES.values()), EQUATIONS[0] + TWIN)  # one of each family


def problem(name: str) -> Problem:
    """A problem by its name, whatever digits it asks for."""
    if name.endswith(TWIN):
        found = loads(as_equations(exercise(name.removesuffix(TWIN))))
    else:
        found = loads(MODELS[name]) if name in MODELS else load(name)
    return found.replace(rounding=None, tasks=())


@cache
def exercise(name: str) -> Exercise:
    """The exercise of a problem, once in a process."""
    return Exercise(problem(name))


class Exercise:
    """A problem that is set to students: the steps of its first iteration, their right values, and the checker that is judged."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.derivation: Derivation = derive(problem, None, 1, by_cells=True)
        self.graph = self.derivation.graph

    @cached_property
    def checker(self) -> Checker:
        """What marks the sheets; nothing else here asks it anything."""
        return Checker(self.problem)

    @cached_property
    def ids(self) -> dict[Cell, str]:
        """The steps that are computed and have an id of their own, in reading order."""
        places = [
            (group.quantity.name, place)
            for group in self.derivation.groups()
            if group.quantity.definition is not None
            for place in self.derivation.places(group)
        ]
        found = {wanted: self.graph.cell_id(wanted) for wanted in places if self.graph.given_value(wanted) is None}
        counts = Counter(found.values())
        return {wanted: id for wanted, id in found.items() if counts[id] == 1}

    @cached_property
    def right(self) -> Evaluation:
        """Every value in full precision."""
        return Evaluation(self.graph)

    def value(self, wanted: Cell) -> float:
        """A right value."""
        return float(self.right[wanted])

    def quantity(self, wanted: Cell) -> Quantity:
        """What a cell is one of."""
        return self.graph[wanted[0]]


# --- layers as equations -------------------------------------------------------------------------------------------------


def as_equations(layers: Exercise) -> str:
    """A problem file of equations that say the same: one for every step of the forward pass."""
    graph = layers.graph
    order: dict[Cell, None] = {}
    pending = [(("loss", ()), False)]
    while pending:
        current, done = pending.pop()
        if done or graph.given_value(current) is not None:
            order.setdefault(current)
        elif current not in order:
            pending.append((current, True))
            pending += ((used, False) for used in reversed(graph.uses(current)))
    given = [wanted for wanted in order if graph.given_value(wanted) is not None]
    trained = [wanted for wanted in given if wanted[0] in layers.derivation.updated]
    lines = ["given:"]
    lines += [f"  {_name(graph, wanted)}: {float(layers.right[wanted])!r}" for wanted in given]
    lines += ["equations:"]
    lines += [f'  {_name(graph, wanted)}: "{_spelled(graph, graph.instance(wanted))}"' for wanted in order if wanted not in given]
    lines += [f"minimize: {_name(graph, ('loss', ()))}"]
    lines += [f"parameters: [{', '.join(_name(graph, wanted) for wanted in trained)}]"]
    rate = layers.problem.learning_rate
    lines += [f"learning_rate: {rate.numerator / rate.denominator!r}"] if rate else []
    return "\n".join(lines)


def _name(graph: Any, wanted: Cell) -> str:
    """An id as the name of a variable."""
    return "".join(letter if letter.isalnum() else "_" for letter in graph.cell_id(wanted)).strip("_")


def _spelled(graph: Any, expr: Expr) -> str:
    return _SPELLED[type(expr)](expr, lambda part: f"({_spelled(graph, part)})", graph)


_SPELLED: dict[type[Expr], Callable[..., str]] = {
    Number: lambda e, part, graph: f"{e.numerator}/{e.denominator}" if e.denominator != 1 else str(e.numerator),
    Ref: lambda e, part, graph: _name(graph, cell(e)),
    Sum: lambda e, part, graph: " + ".join(map(part, e.terms)),
    Product: lambda e, part, graph: "*".join(map(part, e.factors)),
    Negation: lambda e, part, graph: f"-{part(e.operand)}",
    Quotient: lambda e, part, graph: f"{part(e.above)}/{part(e.below)}",
    Power: lambda e, part, graph: f"{part(e.base)}^{part(e.exponent)}",
    Call: lambda e, part, graph: f"{e.function}({', '.join(map(part, e.arguments))})",
}
