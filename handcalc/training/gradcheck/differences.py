"""The loss as a function of one cell: its values at other places, its difference quotients, its kinks.

- `Surface(derivation).curve(gradient)` is what a gradient differentiates: a `Curve`.
- `Curve.value(x)`, `differences(h)`, `kinks(h)`.

A value at another place is that of the same graph with one cell replaced; only what depends on the cell is computed again.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Mapping
from itertools import combinations

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Number, walk
from handcalc.core.functions import function
from handcalc.core.instance import Value
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Message

NEAR = 1e-6  # a relative error that needs no excuse
CLOSE = 1e-3  # slopes on both sides that differ by less make no kink
BLURRED = 1e-2  # a difference that may be off by more than this share of itself tells nothing …
DULL = 1e-6  # … unless that is very little, beside the loss
TINY = 1e-8  # a slope this small, of a loss of 1, counts as zero
NOISE = 10 * sys.float_info.epsilon  # of a value of the loss, relative
TOUCHED = 1e-12  # this near to a kink is on it

# functions with a kink where two of their arguments are equal; those with `kinks` have theirs in the first argument
_TIES = ("max", "min")

# functions with a kink → the convention that says what their slope is there
CONVENTIONS = {"relu": "relu_at_zero", "max": "max_ties", "min": "max_ties"}


class Differences(Record):
    """Differences for one h; values: at x − h, x, x + h; uncertain: what the central one can be off by itself."""

    values: tuple[float, float, float]
    forward: float
    backward: float
    central: float
    uncertain: float
    noise: float

    @property
    def scale(self) -> float:
        """How large the loss is, 1 at least."""
        return max(1.0, *map(abs, self.values))

    def relative_error(self, slope: float) -> float:
        """The distance of the central difference from a slope, beside the larger of both."""
        return abs(slope - self.central) / max(abs(slope), abs(self.central), TINY * self.scale)

    def agrees(self, slope: float) -> bool:
        """Whether the central difference is the slope, as far as it can tell."""
        return abs(slope - self.central) <= NEAR * max(abs(slope), abs(self.central)) + self.uncertain

    def blurred(self, slope: float) -> bool:
        """Whether the central difference tells nothing about a slope."""
        return self.uncertain > max(BLURRED * max(abs(slope), abs(self.central)), DULL * self.scale)

    @property
    def bent(self) -> bool:
        """Whether the slopes on both sides are different ones."""
        return abs(self.forward - self.backward) > CLOSE * max(abs(self.forward), abs(self.backward)) + self.noise


class PassedKink(Record):
    """A place where a function on the way to the loss is not differentiable: left = right.

    step: the cell whose formula it is in; touched: it is at x itself, not only between x − h and x + h.
    """

    step: Cell
    function: str
    left: Expr
    right: Expr
    touched: bool


class Surface:
    """The values of a derivation, and which cells use which."""

    def __init__(self, derivation: Derivation) -> None:
        self.graph = derivation.graph
        self.loss = derivation.loss
        self.known = derivation.evaluation
        self._consumers: dict[Cell, dict[Cell, list[Cell]]] = {}

    def curve(self, gradient: Cell) -> Curve:
        """What a gradient differentiates: the loss (a sample's own gradient: its own loss) along one cell."""
        quantity = self.graph[gradient[0]]
        assert quantity.of is not None
        each = self.graph.in_layer(0, "loss", "each") if quantity.sampled else ""
        if self.graph.gradient(self.loss):
            each = ""  # samples are mixed: every gradient is one of the whole loss
        objective = (each, gradient[1][:1]) if each else (self.loss, ())
        return Curve(self, self.graph.at(quantity.of, gradient), objective)

    def between(self, moved: Cell, objective: Cell) -> list[Cell]:
        """The cells that depend on one, on the way to the objective."""
        consumers = self._way(objective)
        found = {moved: None}
        pending = [moved]
        while pending:
            new = [user for user in consumers.get(pending.pop(), ()) if user not in found]
            found |= dict.fromkeys(new)
            pending += new
        return list(found)[1:]

    def _way(self, objective: Cell) -> Mapping[Cell, list[Cell]]:
        """Every cell an objective depends on, with the cells among them that use it."""
        found = self._consumers.get(objective)
        if found is None:
            self.known[objective]
            found = self._consumers[objective] = {objective: []}
            pending = [objective]
            while pending:
                current = pending.pop()
                given = current in self.known.replaced or self.graph.given_value(current) is not None
                for used in () if given else self.graph.uses(current):
                    if used not in found:
                        found[used] = []
                        pending.append(used)
                    found[used].append(current)
        return found


class Curve:
    """An objective as a function of one cell; start: where the problem is."""

    def __init__(self, surface: Surface, moved: Cell, objective: Cell) -> None:
        self.surface = surface
        self.moved = moved
        self.objective = objective
        self.after = surface.between(moved, objective)
        self.start = float(surface.known[moved])
        self._runs: dict[float, Evaluation] = {}
        self._corners: list[tuple[Cell, str, Expr, Expr]] | None = None

    def value(self, x: float) -> float:
        """The objective with the cell at x. Raises EvaluationError where it has no value."""
        return float(self.run(x)[self.objective])

    def run(self, x: float) -> Evaluation:
        """The values of everything with the cell at x."""
        found = self._runs.get(x)
        if found is None:
            kept = _Kept(self.surface.known.values, {*self.after}, self.moved, x)
            found = self._runs[x] = Evaluation(self.surface.graph, None, kept)
        return found

    def differences(self, h: float) -> Differences:
        """The difference quotients, with the steps that floats can make. Raises EvaluationError where there is a value missing."""
        x = self.start
        low, high = x - h, x + h
        if low == x or high == x:
            raise EvaluationError(Message("h = {h} is too small beside {step}", h=f"{h:g}", step=self.surface.graph.cell_id(self.moved)))
        values = below, here, above = self.value(low), self.value(x), self.value(high)
        central = self._central(h)
        others = [central, *(self._central(share * h) for share in (1 / 2, 3 / 4))]
        noise = NOISE * max(map(abs, values)) / h
        uncertain = 2 * (max(others) - min(others)) + noise
        return Differences(values, (above - here) / (high - x), (here - below) / (x - low), central, uncertain, noise)

    def _central(self, h: float) -> float:
        low, high = self.start - h, self.start + h
        return (self.value(high) - self.value(low)) / (high - low) if low < high else 0.0

    def kinks(self, h: float) -> tuple[PassedKink, ...]:
        """Where functions on the way are not differentiable between x − h and x + h, each place once."""
        if self._corners is None:
            graph = self.surface.graph  # the largest z, which softmax does not depend on, makes no corner
            after = [step for step in self.after if graph[step[0]].kind != "step"]
            self._corners = [(step, *corner) for step in after for corner in _corners(graph.instance(step))]
        runs = [self.run(x) for x in (self.start - h, self.start, self.start + h)]
        found: dict[tuple[Expr, Expr], PassedKink] = {}
        for step, name, left, right in self._corners:
            sides = [(float(run.of(left, step)), float(run.of(right, step))) for run in runs]
            below, here, above = (a - b for a, b in sides)
            if below == here == above or below * above > 0 and here * above > 0:
                continue
            touched = abs(here) <= TOUCHED * max(1.0, *map(abs, sides[1]))
            found.setdefault((left, right), PassedKink(step, name, left, right, touched))
        return tuple(found.values())


def _corners(formula: Expr) -> Iterator[tuple[str, Expr, Expr]]:
    """(function, left, right): where parts of a formula are not differentiable if left = right."""
    for node in walk(formula):
        if isinstance(node, Call):
            yield from ((node.function, node.arguments[0], Number(place)) for place in function(node.function).kinks)
            if node.function in _TIES:
                yield from ((node.function, *pair) for pair in combinations(node.arguments, 2))


class _Kept(Mapping[Cell, Value]):
    """The values known already, but for one cell that is moved and the cells after it."""

    def __init__(self, known: Mapping[Cell, Value], after: Collection[Cell], moved: Cell, value: float) -> None:
        self.known = known
        self.after = after
        self.moved = moved
        self.value = value

    def __getitem__(self, wanted: Cell) -> Value:
        if wanted == self.moved:
            return self.value
        if wanted in self.after:
            raise KeyError(wanted)
        return self.known[wanted]

    def __iter__(self) -> Iterator[Cell]:
        return (wanted for wanted in self.known if wanted not in self.after)

    def __len__(self) -> int:
        return len(self.known) - len(self.after)
