"""Simulated students: sheets that are right but rounded, wrong in a known way, or nonsense in one place.

- `Exercise(problem)` has a problem's checker and makes sheets (id → number as typed) of it: `key`, `with_mistakes`,
  `rounded`, `with_nonsense`; `outcome` says whether a marking names what was done.
- `told(answer)` is what a marking says of an answer, `accused(marking)` what it says against a sheet; `accused_though_right` and
  `complaints_about_a_slip` are what is wrong with that.
- `Paper(network, wrong, keep)` works a sigmoid network in plain Python, `WRONG` are formulas of mistakes, written by hand.
  They share nothing with the checker, so that they can judge it.

To add a mistake here: its slug and the steps it changes, as one line of `WRONG`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from shipping import loaded

from handcalc.core.evaluation import Evaluation
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import HandcalcError
from handcalc.loading.loader import shipped
from handcalc.marking.answers import sheet_of
from handcalc.marking.check import Checker
from handcalc.marking.definitions import Hypothesis
from handcalc.marking.hypotheses import Hypotheses
from handcalc.marking.marked import Marked, Marking
from handcalc.marking.table import HypothesisTable
from handcalc.marking.workbook import Workbook
from handcalc.problem.schema import Problem

Answers = dict[str, str]
FOUR = Rounding(None, 4)
GRADIENTS = ("net", "weight", "bias", "threshold", "given")  # of what a sheet asks the gradients


def asked(book: Workbook) -> list[Cell]:
    """What a sheet asks: δ, gradients of parameters, new parameters."""
    found = []
    for wanted in book.cells():
        quantity = book.graph[wanted[0]]
        of = book.graph[quantity.of.quantity].kind if quantity.of else ""
        if not quantity.stage and (quantity.kind == "updated" or quantity.kind == "gradient" and of in GRADIENTS):
            found.append(wanted)
    return found


def trained() -> list[str]:
    """The shipped problems with layers, a loss and something to ask."""
    problems = {name: loaded(name) for name in shipped()}
    return [name for name, problem in problems.items() if problem.layers and problem.loss and asked(Workbook(problem))]


def told(answer: Marked) -> str:
    """What is said of an answer."""
    mistakes = " or ".join(" + ".join(slugs) for slugs in (answer.mistakes or answer.conventions, *answer.alternatives))
    because = f"because {answer.because_of}" if answer.because_of else ""
    return " ".join(part for part in (answer.verdict, mistakes, because) if part)


ACCUSED = {"wrong", "mistake", "follow_through", "unreadable", "missing"}


def accused(marking: Marking) -> list[str]:
    """What is said against the answers of a sheet."""
    bad = [answer for answer in marking.answers if answer.verdict in ACCUSED]
    return [f"{answer.id} = {answer.given}, right is {answer.expected}: {told(answer)}" for answer in bad]


def complaints_about_a_slip(wanted: Cell, marking: Marking, fits: tuple[str, ...] = ("correct",)) -> list[str]:
    """Where a sheet with one slip is not said to have one, and it alone. fits: what may be said of the other answers."""
    slip = next(answer for answer in marking.answers if answer.cell == wanted)
    said = {*fits, f"follow_through because {slip.id}"}
    bad = [slip] if slip.verdict not in ("wrong", "mistake") or slip.because_of else []
    bad += [answer for answer in marking.answers if answer is not slip and told(answer) not in said]
    return [f"{answer.id} = {answer.given} for {answer.expected} is {told(answer)}; the slip is {slip.id}" for answer in bad]


def accused_though_right(own: Exercise, seed: str, count: int) -> list[str]:
    """What is said against sheets that were rounded at every step, to 2 to 6 digits."""
    chooser = random.Random(seed)
    sheets = [own.rounded(chooser) for _ in range(count)]
    return [f"{text} in {sheet}" for sheet in sheets if sheet is not None for text in accused(own.mark(sheet))]


def rounded(value: float, decimals: int | None, significant: int | None, ties: str) -> Decimal:
    """A number rounded in decimal arithmetic, as on paper; ties: of the module decimal."""
    exact = Decimal(repr(value))
    if not exact or decimals is not None:
        return exact.quantize(Decimal(1).scaleb(-(decimals or 0)), ties)
    places = (significant or 1) - exact.adjusted() - 1
    found = exact.quantize(Decimal(1).scaleb(-places), ties)
    return found if found.adjusted() == exact.adjusted() else found.quantize(Decimal(1).scaleb(1 - places))  # 0.0997 is 0.10, not 0.100


# --- sheets of a problem -----------------------------------------------------------------------------------------------


class Exercise:
    """A problem that is set to students, and the checker that marks them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.checker = Checker(problem)
        self.desk = self.checker.desk()
        self.book = self.desk.book
        self.cells = asked(self.book)
        self.everything = self.book.cells()
        self._hypotheses: Hypotheses | None = None
        self._runs: dict[tuple[Rounding, bool], Evaluation] = {}

    def mark(self, answers: Mapping[str, Any]) -> Marking:
        """A sheet, marked."""
        return self.checker.mark(sheet_of(answers))

    def typed(self, values: Mapping[Cell, Any], rounding: Rounding = FOUR) -> Answers:
        """Numbers as a student writes them."""
        return {self.book.cell_id(wanted): rounding.shown(value).plain for wanted, value in values.items()}

    def key(self, cells: Iterable[Cell] | None = None, rounding: Rounding = FOUR) -> Answers:
        """The right numbers."""
        wanted = self.cells if cells is None else cells
        return self.typed({one: float(self.desk.right[one]) for one in wanted}, rounding)

    # --- known mistakes ---

    def mistakes(self, places: str) -> list[Hypothesis]:
        """What can be done wrong here: one mistake at all places, at one place, or two at all places."""
        if self._hypotheses is None:
            self._hypotheses = Hypotheses(self.desk.definitions, self.cells)
        single = [row for row in self._hypotheses.single if row.parts]
        if places == "two":
            return list(self._hypotheses.pairs())
        return [row for row in single if (row.rank == 0) == (places == "all")]

    def with_mistakes(self, rows: Iterable[Hypothesis], rounding: Rounding = FOUR) -> Iterator[tuple[Hypothesis, Answers]]:
        """The sheets of students who make these mistakes; none where a number is not finite, nothing is wrong or all is lost."""
        table = HypothesisTable(self.desk.definitions, tuple(rows))
        values = {wanted: table[wanted] for wanted in self.cells}
        right = self.key(rounding=rounding)
        for number, row in enumerate(table.rows):
            numbers = {wanted: float(values[wanted][number]) for wanted in self.cells}
            if all(map(math.isfinite, numbers.values())):
                answers = self.typed(numbers, rounding)
                if answers != right and any(not self._is_right(wanted, value) for wanted, value in numbers.items()):
                    yield row, answers

    def _is_right(self, wanted: Cell, value: float) -> bool:
        """Whether a number is the right one, but for the rounding errors of its computation."""
        return math.isclose(value, float(self.desk.right[wanted]), rel_tol=1e-9, abs_tol=1e-12)

    def outcome(self, row: Hypothesis, answers: Answers) -> tuple[str, tuple[str, ...]]:
        """What a marking says of a sheet with known mistakes, and the mistakes it names.

        named; tie: as few other mistakes that give the very same sheet; hint: too few digits to be sure; accepted: nothing wrong was
        seen; unnamed; misnamed.
        """
        marking = self.mark(answers)
        found = marking.explanation
        if any(row.slugs in answer.alternatives for answer in marking.answers if answer.verdict == "convention"):
            return "named", row.slugs
        if found is None:
            if any(set(answer.hints) & {*row.slugs} for answer in marking.answers):
                return "hint", row.slugs
            return "accepted" if set(marking.summary) <= {"correct", "rounded"} else "unnamed", ()
        if set(row.slugs) in (set(other.slugs) for other in (found.hypothesis, *found.alternatives)):
            return "named", found.hypothesis.slugs
        same = dict(self.with_mistakes([found.hypothesis])).get(found.hypothesis) == answers
        tie = same and len(found.hypothesis.parts) <= len(row.parts)
        return "tie" if tie else "misnamed", found.hypothesis.slugs

    # --- legitimate rounding ---

    def rounded(self, chooser: random.Random, drops_zeros: bool = False) -> dict[str, Any] | None:
        """The sheet of a student who rounds every number, to 2 to 6 digits, and uses it so; some declare it.

        drops_zeros: writes 0.612 for 0.6120, so that significant digits do not show. None where a rounded number has no
        logarithm or is divided by.
        """
        digits, decimals = chooser.randint(2, 6), chooser.random() < 0.5
        rounding = Rounding(digits if decimals else None, None if decimals else digits, True, chooser.choice(["half_up", "half_even"]))
        run = self._run(rounding, chooser.random() < 0.5)
        count = min(chooser.choice([3, 8, 20, len(self.everything)]), len(self.everything))
        form, declares = chooser.random(), chooser.random() < 0.3
        answers = {}
        try:
            for wanted in chooser.sample(self.everything, count):
                shown = rounding.replace(carry=False).shown(run[wanted], True, padded=not drops_zeros and (form < 0.6 or not decimals))
                filled_up = form < 0.3 and decimals
                answers[self.book.cell_id(wanted)] = f"{float(run[wanted]):.{digits}f}" if filled_up else shown.plain
        except HandcalcError:
            return None
        return {"answers": answers, **({"rounding": {"decimals" if decimals else "significant": digits}} if declares else {})}

    def _run(self, rounding: Rounding, by_change: bool) -> Evaluation:
        """The solution worked in a rounding; by_change: w + Δw with Δw rounded, else w − η·g."""
        if (rounding, by_change) not in self._runs:
            self._runs[rounding, by_change] = Evaluation(self.book if by_change else self.book.graph, rounding)
        return self._runs[rounding, by_change]

    # --- nonsense ---

    def with_nonsense(self, chooser: random.Random, rounding: Rounding = FOUR) -> tuple[Cell, Answers] | None:
        """A sheet with any number in one place, and what follows from it right; None where nothing came of it."""
        wanted = chooser.choice(self.cells)
        value = float(self.desk.right[wanted])
        drawn = {
            "any": chooser.uniform(-1, 1),
            "off": value * chooser.uniform(0.2, 3) * chooser.choice([1, 1, -1]),
            "size": 10 ** chooser.uniform(-3, 1) * chooser.choice([1, -1]),
        }[chooser.choice(["any", "off", "size"])]
        nonsense = float(rounding.shown(drawn).plain)
        if nonsense == 0 or abs(nonsense - value) < 1e-2 * abs(value):
            return None
        run = Evaluation(self.book, None, {wanted: nonsense})
        try:
            return wanted, self.typed({one: nonsense if one == wanted else float(run[one]) for one in self.cells}, rounding)
        except HandcalcError:
            return None


# --- a network on paper ------------------------------------------------------------------------------------------------

Matrix = list[list[float]]
Wrong = Mapping[str, Callable[..., Any]]
Keep = Callable[[float], float]


@dataclass(frozen=True)
class Network:
    """Layers of sigmoids, E = ½Σ(t − o)². weights: one matrix (unit, input) per layer; biases: a list, one per neuron, which
    are trained, or one number for the whole layer, which is not."""

    inputs: list[float]
    targets: list[float]
    weights: list[Matrix]
    biases: list[Any]
    rate: float = 0.5

    @property
    def last(self) -> int:
        """The number of the output layer."""
        return len(self.weights)

    def yaml(self) -> str:
        """The problem file."""
        lines = [f"inputs: {self.inputs}", f"targets: {self.targets}", "layers:"]
        for layer, (weights, bias) in enumerate(zip(self.weights, self.biases), 1):
            names = [self.unit(layer, unit) for unit in range(len(weights))]
            lines.append(f"  - {{neurons: [{', '.join(names)}], activation: sigmoid, weights: {weights}, bias: {bias}}}")
        trained = "true" if all(isinstance(bias, list) for bias in self.biases) else "false"
        return "\n".join([*lines, "loss: half_squared_error", f"learning_rate: {self.rate}", f"update: {{biases: {trained}}}"])

    def unit(self, layer: int, unit: int) -> str:
        """The name of a neuron."""
        return f"{'o' if layer == self.last else 'abcd'[layer - 1]}{unit + 1}"


MAZUR = Network([0.05, 0.10], [0.01, 0.99], [[[0.15, 0.20], [0.25, 0.30]], [[0.40, 0.45], [0.50, 0.55]]], [0.35, 0.60])
NETWORKS = {
    "2-2-2": MAZUR,
    "2-2-2 with four biases": Network(
        [0.9, -0.4], [0.1, 0.8], [[[0.3, -0.7], [0.6, 0.25]], [[-0.45, 0.85], [0.55, 0.2]]], [[0.15, -0.35], [0.4, -0.1]], 0.3
    ),
    "3-2-3": Network(
        [0.7, 0.2, -0.6],
        [0.9, 0.3, 0.05],
        [[[0.4, -0.2, 0.7], [-0.55, 0.35, 0.1]], [[0.6, -0.9], [0.25, 0.5], [-0.4, 0.8]]],
        [[0.12, -0.22], [0.31, -0.41, 0.05]],
        0.8,
    ),
    "2-2-2-2": Network(
        [0.35, 0.9],
        [0.2, 0.7],
        [[[0.1, 0.8], [0.4, -0.6]], [[0.9, -0.3], [0.5, 0.7]], [[-0.2, 0.6], [0.75, 0.15]]],
        [[0.2, -0.1], [0.05, 0.3], [-0.25, 0.45]],
        0.7,
    ),
}


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def slope(y: float) -> float:
    return y * (1 - y)


@dataclass
class Paper:
    """A network worked by hand: p.net(layer, unit), p.out, p.slope, p.error(unit), p.back(layer, unit), p.delta(layer, unit),
    p.gradient(layer, unit, input), p.change, p.new, p.bias_gradient(layer, unit), p.bias_change, p.new_bias, p.loss().

    wrong: steps done otherwise; keep: what becomes of a result before it is used again. Layers are counted from 1.
    """

    network: Network
    wrong: Wrong = field(default_factory=dict)
    keep: Keep = float
    known: dict[tuple[Any, ...], float] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., float]:
        rule = self.wrong.get(name) or RIGHT[name]

        def step(*places: int) -> float:
            key = (name, *places)
            if key not in self.known:
                self.known[key] = self.keep(rule(self, *places))
            return self.known[key]

        return step

    def units(self, layer: int) -> range:
        return range(len(self.network.weights[layer - 1]) if layer else len(self.network.inputs))

    def weight(self, layer: int, unit: int, source: int) -> float:
        return self.network.weights[layer - 1][unit][source]

    def bias(self, layer: int, unit: int) -> float:
        bias = self.network.biases[layer - 1]
        return bias[unit] if isinstance(bias, list) else bias

    def target(self, unit: int) -> float:
        return self.network.targets[unit]

    def source(self, layer: int, unit: int) -> float:
        """What enters a layer."""
        return self.out(layer - 1, unit) if layer > 1 else self.network.inputs[unit]

    def weighted(self, layer: int, unit: int) -> float:
        return sum(self.weight(layer, unit, source) * self.source(layer, source) for source in self.units(layer - 1))

    def is_last(self, layer: int) -> bool:
        return layer == self.network.last

    def errors(self) -> list[float]:
        """t − o"""
        return [self.target(k) - self.out(self.network.last, k) for k in self.units(self.network.last)]

    def paths(self, layer: int, unit: int) -> list[tuple[int, float]]:
        """(neuron of the next layer, weight to it)"""
        return [(k, self.weight(layer + 1, k, unit)) for k in self.units(layer + 1)]

    def numbers(self) -> dict[str, float]:
        """Every result under its id."""
        found = {"loss": self.loss()}
        for layer in range(1, self.network.last + 1):
            own = isinstance(self.network.biases[layer - 1], list)
            for k in self.units(layer):
                name = self.network.unit(layer, k)
                found |= {f"net.{name}": self.net(layer, k), f"out.{name}": self.out(layer, k), f"grad.net.{name}": self.delta(layer, k)}
                for j in self.units(layer - 1):
                    weight = f"W{layer}[{k + 1},{j + 1}]"
                    found |= {f"grad.{weight}": self.gradient(layer, k, j), f"new.{weight}": self.new(layer, k, j)}
                if own:
                    bias = f"b{layer}[{k + 1}]"
                    found |= {f"grad.{bias}": self.bias_gradient(layer, k), f"new.{bias}": self.new_bias(layer, k)}
        return found


RIGHT: dict[str, Callable[..., float]] = {
    "net": lambda p, n, k: p.weighted(n, k) + p.bias(n, k),
    "out": lambda p, n, k: sigmoid(p.net(n, k)),
    "loss": lambda p: sum(e**2 for e in p.errors()) / 2,
    "slope": lambda p, n, k: slope(p.out(n, k)),
    "error": lambda p, k: p.out(p.network.last, k) - p.target(k),
    "back": lambda p, n, j: sum(p.delta(n + 1, k) * w for k, w in p.paths(n, j)),
    "upstream": lambda p, n, k: p.error(k) if p.is_last(n) else p.back(n, k),
    "delta": lambda p, n, k: p.upstream(n, k) * p.slope(n, k),
    "gradient": lambda p, n, k, j: p.delta(n, k) * p.source(n, j),
    "change": lambda p, n, k, j: -p.network.rate * p.gradient(n, k, j),
    "new": lambda p, n, k, j: p.weight(n, k, j) + p.change(n, k, j),
    "bias_gradient": lambda p, n, k: p.delta(n, k),
    "bias_change": lambda p, n, k: -p.network.rate * p.bias_gradient(n, k),
    "new_bias": lambda p, n, k: p.bias(n, k) + p.bias_change(n, k),
}  # fmt: skip


def _last(step: str, formula: Callable[..., float]) -> Wrong:
    """A step done otherwise in the output layer only."""
    return {step: lambda p, n, *places: formula(p, n, *places) if p.is_last(n) else RIGHT[step](p, n, *places)}


def _hidden(step: str, formula: Callable[..., float]) -> Wrong:
    """A step done otherwise in hidden layers only."""
    return {step: lambda p, n, *places: RIGHT[step](p, n, *places) if p.is_last(n) else formula(p, n, *places)}


def _from(step: str, first: int, formula: Callable[..., float]) -> Wrong:
    """A step done otherwise from a layer on."""
    return {step: lambda p, n, *places: formula(p, n, *places) if n >= first else RIGHT[step](p, n, *places)}


def _turned(p: Paper, layer: int, unit: int) -> float:
    return sum(p.weight(layer, j, unit) * p.source(layer, j) for j in p.units(layer - 1)) + p.bias(layer, unit)


# (slug, what is done otherwise); every formula as in a student's notebook
WRONG: list[tuple[str, Wrong]] = [
    # forward
    ("bias-forgotten", {"net": lambda p, n, k: p.weighted(n, k)}),
    ("bias-subtracted", {"net": lambda p, n, k: p.weighted(n, k) - p.bias(n, k)}),
    ("bias-times-input", {"net": lambda p, n, k: p.weighted(n, k) + p.bias(n, k) * p.source(n, 0)}),
    ("first-weights-transposed", _hidden("net", _turned)),
    ("output-weights-transposed", _last("net", _turned)),
    ("exponent-sign", {"out": lambda p, n, k: 1 / (1 + math.exp(p.net(n, k)))}),
    ("sigmoid-parenthesis-lost", {"out": lambda p, n, k: 1 / 1 + math.exp(-p.net(n, k))}),
    ("ten-for-e", {"out": lambda p, n, k: 1 / (1 + 10 ** -p.net(n, k))}),
    ("hidden-activation-skipped", _hidden("out", lambda p, n, k: p.net(n, k))),
    ("output-activation-skipped", {**_last("out", lambda p, n, k: p.net(n, k)), **_last("slope", lambda p, n, k: 1)}),
    ("activation-twice", {"out": lambda p, n, k: sigmoid(sigmoid(p.net(n, k)))}),
    # error and output layer
    ("half-forgotten", {"loss": lambda p: sum(e**2 for e in p.errors()), "error": lambda p, k: 2 * RIGHT["error"](p, k)}),
    ("half-forgotten", {"loss": lambda p: sum(e**2 for e in p.errors())}),
    ("half-forgotten", {"error": lambda p, k: 2 * RIGHT["error"](p, k)}),
    ("mean-for-half", {"error": lambda p, k: RIGHT["error"](p, k) / len(p.network.targets)}),
    ("square-of-sum", {"loss": lambda p: sum(p.errors()) ** 2 / 2}),
    ("absolute-or-root-error", {"loss": lambda p: sum(map(abs, p.errors()))}),
    ("absolute-or-root-error", {"loss": lambda p: math.sqrt(sum(e**2 for e in p.errors()) / len(p.errors()))}),
    ("one-output-only", {"loss": lambda p: p.errors()[0] ** 2 / 2}),
    ("error-from-delta", {"loss": lambda p: sum(p.delta(p.network.last, k) ** 2 for k in p.units(p.network.last)) / 2}),
    ("error-sign-flipped", {"error": lambda p, k: p.target(k) - p.out(p.network.last, k)}),
    ("output-derivative-forgotten", _last("delta", lambda p, n, k: p.error(k))),
    ("output-derivative-from-net", _last("slope", lambda p, n, k: slope(p.net(n, k)))),
    ("output-derivative-of-activated", _last("slope", lambda p, n, k: slope(sigmoid(p.out(n, k))))),
    ("output-derivative-truncated", _last("slope", lambda p, n, k: 1 - p.out(n, k))),
    ("output-derivative-truncated", _last("slope", lambda p, n, k: p.out(n, k) - (1 - p.out(n, k)))),
    ("output-derivative-from-target", _last("slope", lambda p, n, k: slope(p.target(k)))),
    ("derivative-at-error", _last("delta", lambda p, n, k: slope(p.error(k)))),
    ("loss-for-error", {"error": lambda p, k: p.errors()[k] ** 2 / 2}),
    # the way back
    ("updated-weights-used", {"back": lambda p, n, j: sum(p.delta(n + 1, k) * p.new(n + 1, k, j) for k, _ in p.paths(n, j))}),
    ("hidden-derivative-forgotten", _hidden("delta", lambda p, n, k: p.back(n, k))),
    ("hidden-derivative-from-net", _hidden("slope", lambda p, n, k: slope(p.net(n, k)))),
    ("derivative-of-other-layer", _hidden("slope", lambda p, n, k: p.slope(n + 1, k))),
    ("sum-over-outputs-forgotten", {"back": lambda p, n, j: p.delta(n + 1, 0) * p.weight(n + 1, 0, j)}),
    ("mean-over-outputs", {"back": lambda p, n, j: RIGHT["back"](p, n, j) / len(p.paths(n, j))}),
    ("output-weights-not-transposed-back", {"back": lambda p, n, j: sum(
        p.delta(n + 1, k) * p.weight(n + 1, j, k) for k, _ in p.paths(n, j))}),
    ("raw-error-sent-back", {"back": lambda p, n, j: sum(p.upstream(n + 1, k) * w for k, w in p.paths(n, j))}),
    ("weights-left-out-of-back-sum", {"back": lambda p, n, j: sum(p.delta(n + 1, k) for k, _ in p.paths(n, j))}),
    ("gradients-summed-for-delta-times-weight", {"back": lambda p, n, j: sum(p.gradient(n + 1, k, j) for k, _ in p.paths(n, j))}),
    ("first-layer-weights-sent-back", {"back": lambda p, n, j: sum(p.delta(n + 1, k) * p.weight(n, k, j) for k, _ in p.paths(n, j))}),
    ("share-of-blame", {"back": lambda p, n, j: sum(
        p.delta(n + 1, k) * w / sum(p.weight(n + 1, k, i) for i in p.units(n)) for k, w in p.paths(n, j))}),
    ("upstream-replaced-by-derivative", _hidden("delta", lambda p, n, k: p.slope(n, k))),
    ("factor-twice", {"delta": lambda p, n, k: p.upstream(n, k) * p.slope(n, k) ** 2}),
    ("factor-twice", {"gradient": lambda p, n, k, j: p.delta(n, k) * p.source(n, j) ** 2}),
    ("input-for-hidden-output", _from("gradient", 2, lambda p, n, k, j: p.delta(n, k) * p.source(n - 1, j))),
    ("net-for-hidden-output", _from("gradient", 2, lambda p, n, k, j: p.delta(n, k) * p.net(n - 1, j))),
    ("hidden-output-for-input", _hidden("gradient", lambda p, n, k, j: p.delta(n, k) * p.out(n, k))),
    ("gradient-transposed", {"gradient": lambda p, n, k, j: p.delta(n, j) * p.source(n, k)}),
    # update
    ("plus-for-minus", {"change": lambda p, n, k, j: p.network.rate * p.gradient(n, k, j),
                        "bias_change": lambda p, n, k: p.network.rate * p.bias_gradient(n, k)}),
    ("rate-forgotten", {"change": lambda p, n, k, j: -p.gradient(n, k, j), "bias_change": lambda p, n, k: -p.bias_gradient(n, k)}),
    ("rate-twice", {"change": lambda p, n, k, j: -p.network.rate**2 * p.gradient(n, k, j),
                    "bias_change": lambda p, n, k: -p.network.rate**2 * p.bias_gradient(n, k)}),
    ("change-given-as-weight", {"new": lambda p, n, k, j: p.change(n, k, j), "new_bias": lambda p, n, k: p.bias_change(n, k)}),
    ("input-forgotten", {"gradient": lambda p, n, k, j: p.delta(n, k)}),
    ("rate-times-weight", {"new": lambda p, n, k, j: p.network.rate * p.weight(n, k, j) + p.change(n, k, j),
                           "new_bias": lambda p, n, k: p.network.rate * p.bias(n, k) + p.bias_change(n, k)}),
    ("bias-gradient-times-input", {"bias_gradient": lambda p, n, k: p.delta(n, k) * p.source(n, 0)}),
    ("bias-value-for-gradient", {"bias_gradient": lambda p, n, k: p.bias(n, k) * p.delta(n, k)}),
    ("bias-value-for-gradient", {"bias_change": lambda p, n, k: -p.network.rate * p.bias(n, k)}),
    ("bias-moved-per-weight", {"bias_change": lambda p, n, k: -p.network.rate * p.bias_gradient(n, k) * len(p.units(n - 1))}),
    ("bias-mean-or-scalar", {"bias_gradient": lambda p, n, k: sum(p.delta(n, i) for i in p.units(n)) / len(p.units(n))}),
    ("bias-mean-or-scalar", {"bias_gradient": lambda p, n, k: sum(p.delta(n, i) for i in p.units(n))}),
    ("bias-update-rule", {"new_bias": lambda p, n, k: p.bias(n, k)}),
]  # fmt: skip


def notebooks(network: str, only: tuple[str, ...], digits: int) -> Iterator[tuple[str, Answers]]:
    """The sheets of those who make each of these mistakes everywhere: what is asked of it begins with one of `only`."""
    right = Paper(NETWORKS[network]).numbers()
    names = [name for name in right if name.startswith(only)]
    key = {name: f"{right[name]:#.{digits}g}" for name in names}
    for slug, wrong in WRONG:
        try:
            numbers = Paper(NETWORKS[network], wrong).numbers()
        except IndexError:  # it needs as many neurons in one layer as in the next
            continue
        answers = {name: f"{numbers[name]:#.{digits}g}" for name in names}
        if answers != key:
            yield slug, answers


def is_named(slug: str, marking: Marking) -> bool:
    """Whether a mistake, alone or in a tie, is all that is said against a sheet."""
    said = [answer for answer in marking.answers if answer.verdict not in ("correct", "follow_through", "rounded")]
    return bool(said) and all((slug,) in (answer.mistakes, *answer.alternatives) for answer in said)
