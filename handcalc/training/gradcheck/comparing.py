"""Numerical differentiation: every gradient of the chain rule beside the differences it must agree with.

- `gradcheck(problem, h)` is the whole of it; `Checked` its result, a `CheckedGradient` for each gradient.
- `Differentiation(problem)` goes on from there: `gradients(only)`, `check(gradients, h)`, `sweep(gradient)`.

A gradient is checked by moving the cell it is taken by: the loss at x + h and at x − h is the value of the same graph
with that cell replaced, and nothing else is computed. So every gradient of the graph can be checked, that of a weight
like that of a net input. A verdict knows what a difference can be off by itself: it is worked out with smaller h as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from handcalc.core.chainrule import add_gradients
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.core.rounding import Rounding
from handcalc.deriving import derive
from handcalc.errors import EvaluationError, Message, ProblemError, UnknownIdError
from handcalc.models.given import NO_DIFFERENCE, refuse
from handcalc.models.optimisers import PARAMETERS
from handcalc.models.updates import frozen_places
from handcalc.problem.schema import Problem
from handcalc.render import read
from handcalc.render.plot.levels import Lines, Point
from handcalc.training.gradcheck.differences import CLOSE, NOISE, Curve, Differences, PassedKink, Surface

STEP = 1e-4  # h, as in textbooks
ROWS = 40  # gradients of one quantity that are checked if nobody asks for more
SWEEP = tuple(float(f"1e-{places}") for places in range(1, 14))  # h of the table of errors
ALONG = 60  # places of a function on either side of x …
REACH = 1.5  # … and how far they go, in sizes of x
LEAST = 1e-8  # h that is tried where a larger one cannot tell

BAD = ("suspicious", "wrong")  # verdicts that make a check fail

# conventions under which gradients are no derivatives, on purpose → the value under which they are
NO_DERIVATIVE = {"hidden_error_weights": "old"}
_FORWARD = ("input", "target", "hyper", *PARAMETERS, "net", "out", "part", "loss_term", "loss")


class CheckedGradient(Record):
    """One gradient checked.

    id: of what it is taken by (w5, W1[2,1], net.h1); gradient, moved, objective: the cells of ∂objective/∂moved; values:
    the objective at x − h, x and x + h; forward, backward, central: the differences, None where there are none; verdict:
    ok, suspicious, wrong, kink, or convention (no derivative, on purpose); kinks: those in the way; clear: a smaller h,
    with which the verdict could be found; convention: its name; note: what makes it suspicious; reason: why h is not
    the one that was asked for.
    """

    id: str
    gradient: Cell
    moved: Cell
    objective: Cell
    chain_rule: float
    h: float
    values: tuple[float, float, float] | None = None
    forward: float | None = None
    backward: float | None = None
    central: float | None = None
    difference: float | None = None
    relative_error: float | None = None
    verdict: str = "suspicious"
    kinks: tuple[PassedKink, ...] = ()
    clear: float | None = None
    convention: str = ""
    note: Message | None = None
    reason: Message | None = None

    def with_numbers(self, found: Differences) -> CheckedGradient:
        """The row with differences in it."""
        return self.replace(
            values=found.values,
            forward=found.forward,
            backward=found.backward,
            central=found.central,
            difference=abs(self.chain_rule - found.central),
            relative_error=found.relative_error(self.chain_rule),
        )


class Checked(Record):
    """All gradients checked; omitted: how many were not looked at."""

    h: float
    rows: tuple[CheckedGradient, ...]
    omitted: int = 0

    @property
    def ok(self) -> bool:
        """Whether no gradient is wrong or suspicious."""
        return not any(row.verdict in BAD for row in self.rows)


class Tangent(Record):
    """A row whose tangent line is wanted, and the function along what is moved."""

    row: CheckedGradient
    lines: Lines


class Sweep(Record):
    """The error of the differences for many h: (h, forward, central), None where there is no difference.

    scale: how large the objective is; round-off makes about ε·scale/h of it.
    """

    id: str
    gradient: Cell
    points: tuple[tuple[float, float | None, float | None], ...]
    scale: float

    def best(self, kind: int) -> tuple[float, float]:
        """(h, error) where the forward (1) or the central (2) difference is best; of equals, the largest h."""
        found = [(h, error) for h, *errors in self.points if (error := errors[kind - 1]) is not None]
        return min(found, key=lambda point: point[1])

    def truncated(self, kind: int) -> bool:
        """Whether a large h makes an error that is not round-off: not of a straight line, not of a parabola (central)."""
        h, error = self.points[0][0], self.points[0][kind]
        return error is not None and error > 10 * NOISE * max(self.scale, 1.0) / h


def gradcheck(problem: Problem, h: float | None = None, only: Sequence[str] = (), inputs: bool = False, limit: int = ROWS) -> Checked:
    """Check the gradients of everything that is trained (of equations: of every given), or only of some ids or symbols.

    h: the step, else 1e-4; inputs: those of the inputs as well; limit: so many of each quantity at most, 0 for all.
    Raises ProblemError where there is no loss, UnknownIdError, ValueError where h is not positive.
    """
    study = Differentiation(problem)
    gradients, omitted = study.gradients(only, inputs, limit)
    return study.check(gradients, STEP if h is None else h, omitted)


class Differentiation:
    """A problem's gradients and what is needed to check them; `derivation` is the problem in full precision."""

    def __init__(self, problem: Problem, rounding: Rounding | None = None) -> None:
        self.problem = problem
        full = (rounding or problem.rounding or Rounding()).replace(carry=False, exact=False)
        self.derivation = derive(problem, full, by_cells=True)
        refuse(problem, self.derivation.graph, NO_DIFFERENCE)
        if not self.derivation.loss:
            raise _no_loss(problem)
        chosen = {name: getattr(problem.conventions, name) for name in NO_DERIVATIVE}
        self.conventions = {name: value for name, value in chosen.items() if value != NO_DERIVATIVE[name]}
        plain = problem.replace(conventions=problem.conventions.replace(**{name: NO_DERIVATIVE[name] for name in self.conventions}))
        for layer in problem.layers:
            if layer.options.get("truncate"):
                self.conventions["truncate"] = str(layer.options["truncate"])
        plain = plain.replace(layers=tuple(layer.replace(options={**layer.options, "truncate": None}) for layer in plain.layers))
        self.plain = derive(plain, full, by_cells=True) if self.conventions else self.derivation
        self.surface = Surface(self.derivation)

    # --- which gradients ---

    def gradients(self, only: Sequence[str] = (), inputs: bool = False, limit: int = ROWS, notation: str = "") -> tuple[list[Cell], int]:
        """The cells of the gradients to check, and how many more there are. Raises UnknownIdError."""
        names = self._trained()
        if inputs and self.problem.inputs:
            self._add_inputs()
            names.append(self.derivation.graph.inputs)
        if only:
            return list(dict.fromkeys(self.find(text, notation) for text in only)), 0
        graph, omitted = self.derivation.graph, 0
        found: list[Cell] = []
        for name in names:
            gradient = graph.gradient(name)
            if gradient:
                frozen = {*frozen_places(graph, self.problem, graph[name])}
                places = [place for place in graph.positions(gradient) if place not in frozen]
                kept = places[:limit] if limit else places
                omitted += len(places) - len(kept)
                found += [(gradient, place) for place in kept]
        return found, omitted

    def _trained(self) -> list[str]:
        graph = self.derivation.graph
        if not self.problem.layers:
            return [quantity.name for quantity in graph if quantity.kind == "given"]
        return list(self.derivation.updated) or [quantity.name for quantity in graph if quantity.kind in PARAMETERS]

    def find(self, text: str, notation: str = "") -> Cell:
        """The gradient that an id or a symbol means: its own, or that by it. Raises UnknownIdError."""
        found, _ = read(self.derivation, notation).find(text)
        graph = self.derivation.graph
        if graph[found[0]].kind == "input":
            self._add_inputs()
        while (of := graph[found[0]].of) is not None and graph[found[0]].kind in ("change", "updated") and not graph[found[0]].stage:
            found = graph.at(of, found)
        if graph[found[0]].kind != "gradient":
            found = graph.gradient(found[0]), found[1]
        if not found[0]:
            raise UnknownIdError(Message("there is no gradient of the loss by {found}", found=f'"{text}"'))
        return found

    def _add_inputs(self) -> None:
        """Define the gradients by the inputs, which a solution does not need."""
        for graph in {id(d): d.graph for d in (self.derivation, self.plain)}.values():
            if graph.inputs and not graph.gradient(graph.inputs):
                forward = Graph()
                for quantity in graph:
                    if quantity.kind in _FORWARD and not quantity.stage:
                        forward.define(quantity)
                each, whole = graph.in_layer(0, "loss", "each"), graph.in_layer(0, "loss")
                objective = each if each and not graph.gradient(whole) else whole
                add_gradients(forward, objective, lambda quantity: quantity.kind not in ("target", "hyper"))
                for quantity in forward:
                    if quantity.name not in graph:
                        graph.define(quantity)

    # --- checking ---

    def check(self, gradients: Sequence[Cell], h: float = STEP, omitted: int = 0, progress: Callable[[int], None] | None = None) -> Checked:
        """The rows of some gradients; progress is told how many are done."""
        if not 0 < h < math.inf:
            raise ValueError("h must be a positive number")
        rows = []
        for gradient in gradients:
            rows.append(self._row(gradient, h))
            if progress:
                progress(len(rows))
        return Checked(h, tuple(rows), omitted)

    def sweep(self, gradient: Cell) -> Sweep:
        """The errors of forward and central differences for h from 1e-1 to 1e-13."""
        curve, slope = self.surface.curve(gradient), self._without_conventions(gradient)
        points: list[tuple[float, float | None, float | None]] = []
        for h in SWEEP:
            try:
                found = curve.differences(h)
                points.append((h, abs(found.forward - slope), abs(found.central - slope)))
            except EvaluationError:
                points.append((h, None, None))
        if all(central is None for _, _, central in points):
            curve.differences(SWEEP[0])  # says why
        return Sweep(self._id(gradient), gradient, tuple(points), abs(curve.value(curve.start)))

    def along(self, gradient: Cell) -> Lines:
        """The objective along what a gradient is taken by, in lines that end where it has no value."""
        curve = self.surface.curve(gradient)
        reach = REACH * max(abs(curve.start), 1.0)
        found: list[list[Point]] = [[]]
        for place in range(-ALONG, ALONG + 1):
            x = curve.start + reach * place / ALONG
            try:
                found[-1].append((x, curve.value(x)))
            except EvaluationError:
                found.append([])
        return tuple(map(tuple, filter(None, found)))

    def _without_conventions(self, gradient: Cell) -> float:
        """A gradient where no convention replaces a derivative."""
        found = self.plain.graph.find(self.derivation.graph.cell_id(gradient))
        assert found is not None, "both graphs have the same gradients"
        return float(self.plain.evaluation[found])

    def _id(self, gradient: Cell) -> str:
        graph = self.derivation.graph
        return graph.cell_id(gradient).removeprefix(graph[gradient[0]].prefix + ".")

    def _row(self, gradient: Cell, h: float) -> CheckedGradient:
        slope = float(self.derivation.evaluation[gradient]) + 0.0  # no −0
        curve = self.surface.curve(gradient)
        row = CheckedGradient(self._id(gradient), gradient, curve.moved, curve.objective, slope, h)
        found, reason = _differences(curve, h)
        if found is None:
            smaller, closer = _clear(curve, slope, h)
            if closer is None:
                return row.replace(note=Message("there is no difference ({reason})", reason=reason))
            return self._judged(row.with_numbers(closer).replace(h=smaller, reason=reason), closer)
        row, kinks = row.with_numbers(found), curve.kinks(h)
        kinked = bool(kinks) and (found.bent or not found.agrees(slope))
        if not kinked and not found.blurred(slope):
            return self._judged(row, found)
        if kinked:
            row = row.replace(kinks=kinks, verdict="kink")
        smaller, closer = (h, None) if any(kink.touched for kink in row.kinks) else _clear(curve, slope, h)
        if closer is None:
            return row if kinked else row.replace(note=Message("with this h the difference is too inexact to tell"))
        judged = self._judged(row.replace(kinks=()), closer)
        return (row if kinked and judged.verdict == "ok" else judged).replace(clear=smaller)

    def _judged(self, row: CheckedGradient, found: Differences) -> CheckedGradient:
        """The row with its verdict, where the differences can tell."""
        if found.agrees(row.chain_rule):
            return row.replace(verdict="ok")
        if self.conventions and found.agrees(self._without_conventions(row.gradient)):
            return row.replace(verdict="convention", convention=", ".join(map(": ".join, self.conventions.items())))
        if found.relative_error(row.chain_rule) > CLOSE:
            return row.replace(verdict="wrong")
        return row.replace(verdict="suspicious", note=Message("close, but further off than h explains"))


def _differences(curve: Curve, h: float) -> tuple[Differences | None, Message | None]:
    """The differences, or why there are none."""
    try:
        return curve.differences(h), None
    except EvaluationError as error:
        return None, error.messages[0]


def _clear(curve: Curve, slope: float, h: float) -> tuple[float, Differences | None]:
    """A smaller h with which differences can tell what the slope is."""
    while h > LEAST:
        h /= 10
        found, _ = _differences(curve, h)
        if found is not None and not curve.kinks(h) and not found.blurred(slope):
            return h, found
    return h, None


def _no_loss(problem: Problem) -> ProblemError:
    where = f"{problem.path}: " if problem.path else ""
    if problem.loss is not None and problem.loss.form == "direct":
        text = "error: direct has no loss to differentiate, only e = t - o and a rule; give a loss, such as half_squared_error"
        return ProblemError(Message(text, where))
    return ProblemError(Message("there is nothing to differentiate: a loss and targets, or minimize, are needed", where))
