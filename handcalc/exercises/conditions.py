"""What must hold of the numbers of an exercise: one record for each word of `require` that `nice` stands for, and comparisons.

- `RULES[word]` is a rule; `Condition.complaints(worked)` says where the numbers break it: `Complaint`s with the steps and a message.
- `comparison_complaints(worked, requirement)` is the same for a comparison such as `abs(net.*) <= 2`.

lint reports what the rules say of a problem; generate draws until they say nothing. `visible` is about mistakes, and is asked of
hidden.py. To add a rule: its word in `CONDITIONS` (problem/generating.py), and a function and a line here. No rule knows a
quantity by its name: units, sums and largest numbers are found in the formulas.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from itertools import product

from handcalc.core.expr import Call, Expr, Number, references, walk
from handcalc.core.functions import function
from handcalc.core.instance import FRACTIONS, compute
from handcalc.core.patterns import fits, is_pattern
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Listing, Message, ProblemError, Template, UnknownIdError
from handcalc.exercises.asked import AskedDigits, Worked
from handcalc.marking.workbook import base
from handcalc.models.optimisers import PARAMETERS
from handcalc.problem.generating import Requirement

SLOPE = 0.1  # of a unit that is not saturated
READABLE = 2  # significant digits
SAME = 1e-9  # how near two numbers are that are the same
NUDGE = 1000  # thousandths by which numbers are changed, to tell a coincidence from an identity
BINDINGS_LIMIT = 10_000  # ways to put steps in the place of the patterns of a comparison
ALONG = ("sample", "time", "row", "column", "token")  # directions in which a unit is used again


class Complaint(Record):
    """Where numbers break a rule: the steps, and what is wrong."""

    cells: tuple[Cell, ...]
    message: Message


Complaints = Iterator[Complaint]


class Condition(Record):
    """A rule: its check, and how bad it is where a problem breaks it: error, warning or note."""

    check: Callable[[Worked, frozenset[str]], Complaints]
    level: str = "warning"

    def complaints(self, worked: Worked, dead: frozenset[str] = frozenset()) -> Complaints:
        """What is wrong with the numbers; dead: the units that are meant to be."""
        return self.check(worked, dead)


def _said(worked: Worked, template: Template, *cells: Cell, **values: str) -> Complaint:
    return Complaint(cells, Message(template, ids=Listing(worked.exercise.ids(cells)), **values))


# --- units ------------------------------------------------------------------------------------------------------------


def no_saturation(worked: Worked, dead: frozenset[str]) -> Complaints:
    """|f′(z)| < 0.1"""
    for unit in worked.exercise.units:
        if unit.is_bounded and unit.slope is not None:
            slope = _value(worked, unit.slope)
            if abs(slope) < SLOPE:
                yield _said(worked, "{ids} is saturated: its slope is {slope}", unit.cell, slope=f"{slope:.2g}")


def alive(worked: Worked, dead: frozenset[str]) -> Complaints:
    """max over samples of relu(z) ≤ 0; for those that are meant to be dead the opposite"""
    groups: dict[tuple[str, tuple[int, ...]], list[Cell]] = {}
    for unit in worked.exercise.units:
        if unit.is_rectifier:
            name, place = unit.cell
            own = tuple(at for axis, at in zip(worked.book.quantity(unit.cell).axes, place) if axis.role not in ALONG)
            groups.setdefault((name, own), []).append(unit.cell)
    for cells in groups.values():
        is_alive = any(worked.number(wanted) > 0 for wanted in cells)
        if is_alive and _is_named(worked, cells, dead):
            yield _said(worked, "{ids} is above 0, but is meant to be dead", cells[0])
        elif not is_alive and not _is_named(worked, cells, dead):
            yield _said(worked, "{ids} is dead: 0 for every sample, so nothing below it learns", cells[0])


def _is_named(worked: Worked, cells: list[Cell], names: frozenset[str]) -> bool:
    found = {name for wanted in cells for name in (worked.exercise.id(wanted), worked.book.graph.core(base(wanted)))}
    return bool(names & found)


def off_kinks(worked: Worked, dead: frozenset[str]) -> Complaints:
    """z = 0 where f has a kink; a = b where the larger of both is taken"""
    for wanted in worked.exercise.cells:
        if worked.book.quantity(wanted).stage:
            continue
        for node in walk(worked.book.instance(wanted)):
            if isinstance(node, Call) and worked.book.quantity(wanted).kind in ("out", "part", "variable", "loss_term", "loss"):
                yield from _kinks(worked, wanted, node)


def _kinks(worked: Worked, wanted: Cell, node: Call) -> Complaints:
    record = function(node.function)
    values = [_value(worked, argument) for argument in node.arguments]
    if record.variadic and len(values) > 1:
        best = (max if node.function == "max" else min)(values)
        if sum(abs(value - best) <= SAME * max(abs(best), 1) for value in values) > 1:
            yield _said(worked, "{ids}: two numbers are the largest, or the smallest", wanted)
    elif record.kinks and values and any(abs(values[0] - kink) <= SAME for kink in record.kinks):
        yield _said(worked, "{ids} is on a kink: its slope there is a convention", wanted)


def _value(worked: Worked, expr: Expr) -> float:
    return float(worked.values.of(expr))


# --- the update -------------------------------------------------------------------------------------------------------


def loss_falls(worked: Worked, dead: frozenset[str]) -> Complaints:
    """E⁺ ≥ E"""
    graph, book = worked.book.graph, worked.book
    for quantity in graph:
        if quantity.kind == "loss" and not quantity.stage and not quantity.axes:
            later = book.later.get(quantity.name, "")
            if later and worked.number((later, ())) >= worked.number((quantity.name, ())):
                yield _said(worked, "the update does not make the loss smaller", (quantity.name, ()), (later, ()))


# --- answers ----------------------------------------------------------------------------------------------------------


def readable(worked: Worked, dead: frozenset[str]) -> Complaints:
    """fewer than two significant digits are shown, and it is not exact"""
    for wanted, shown in worked.shown.items():
        value = worked.answers[wanted]
        significant = shown.partition("e")[0].replace(".", "").replace("-", "").lstrip("0")
        exact = not value or (worked.values.rational(wanted) and abs(float(shown) - value) <= SAME * abs(value))
        if len(significant) < READABLE and not exact:
            yield _said(worked, "{ids} shows {shown}", wanted, shown=shown)


def no_ties(worked: Worked, dead: frozenset[str]) -> Complaints:
    """the exact value ends in 5 just behind the digits asked"""
    for wanted, digits in worked.exercise.asked.items():
        value = worked.answers[wanted]
        if digits.is_tie(value):
            yield _said(worked, "{ids} is {value}: it ends in 5 just behind the digits asked", wanted, value=f"{value:.12g}")


def distinct(worked: Worked, dead: frozenset[str]) -> Complaints:
    """two answers, or an answer and a number given, show the same digits, though with other numbers they would not"""
    given = _given(worked)
    by_number: dict[float, list[Cell]] = {}
    rounded: dict[AskedDigits, dict[Cell, float]] = {}
    for wanted in worked.exercise.asked:
        by_number.setdefault(float(worked.shown[wanted]), []).append(wanted)
    for wanted, digits in worked.exercise.asked.items():
        shown = float(worked.shown[wanted])
        if digits not in rounded:  # once for all answers that ask for the same digits
            rounded[digits] = {other: digits.value(value) for other, value in given.items()}
        same = [other for other, value in rounded[digits].items() if abs(value - shown) <= SAME * max(abs(shown), 1)]
        by_number[shown] = [*same, *by_number[shown]] if by_number[shown][0] == wanted else by_number[shown]
    twins = {shown: cells for shown, cells in by_number.items() if len(cells) > 1}
    if twins:
        nudged = Worked(worked.exercise, _nudged(worked, given))
        for cells in twins.values():
            apart = _apart(worked, nudged, cells, given)
            if len(apart) > 1:
                yield _said(worked, "{ids} are the same number: {shown}", *apart, shown=worked.shown[cells[-1]])


def _nudged(worked: Worked, given: Collection[Cell]) -> dict[Cell, Number]:
    """The given numbers, each changed a little, by another share than the others; targets, which may be shares of 1, stay."""
    found = {}
    for place, wanted in enumerate(given, 1):
        value = worked.book.given_value(wanted)
        assert value is not None
        by = place if worked.book.quantity(wanted).kind != "target" else 0
        found[wanted] = Number(value.numerator * (NUDGE + by), value.denominator * NUDGE)
    return found


def _apart(worked: Worked, nudged: Worked, cells: list[Cell], given: Collection[Cell]) -> list[Cell]:
    """Of equal numbers one of each group that is equal whatever the numbers are, as out = net; of given numbers one at most."""
    found: list[Cell] = []
    for wanted in cells:
        if wanted in given and any(other in given for other in found):
            continue
        if not any(_is_identical(worked, nudged, wanted, other) for other in (found if wanted not in given else ())):
            found.append(wanted)
    answers = [wanted for wanted in found if wanted not in given]
    return found if answers else []


def _is_identical(worked: Worked, nudged: Worked, one: Cell, other: Cell) -> bool:
    """Whether two numbers are the same with these numbers and with others."""
    try:
        pairs = [(run.number(one), run.number(other)) for run in (worked, nudged)]
    except EvaluationError:
        return False
    return all(abs(left - right) <= SAME * max(abs(left), abs(right)) for left, right in pairs)


def _given(worked: Worked) -> Mapping[Cell, float]:
    """The numbers of the sheet."""
    kinds = (*PARAMETERS, "input", "target", "given", "rate")
    found = {}
    for quantity in worked.book.graph:
        if quantity.kind in kinds and quantity.givens is not None and not quantity.stage:
            for place in product(*(axis.places for axis in quantity.axes)):
                value = worked.book.given_value((quantity.name, place))
                if value is not None:
                    found[quantity.name, place] = value.numerator / value.denominator
    return found


def sound(worked: Worked, dead: frozenset[str]) -> Complaints:
    """Σ w = 0 over the weights that come in or go out; out = target"""
    graph = worked.book.graph
    for quantity in graph:
        if quantity.kind == "weight" and quantity.givens is not None and not quantity.stage:
            for sums in _weight_sums(worked, quantity.name):
                if sums and sum(value for _, value in sums) == 0:
                    yield _said(worked, "{ids} add up to 0", *(wanted for wanted, _ in sums))
    for wanted in worked.exercise.cells:
        quantity = worked.book.quantity(wanted)
        if quantity.stage or quantity.kind != "loss_term":
            continue
        used = [cell(ref) for ref in references(worked.book.instance(wanted))]
        targets = [one for one in used if worked.book.quantity(one).kind == "target"]
        outputs = [one for one in used if worked.book.quantity(one).kind in ("out", "net", "part")]
        digits = worked.exercise.digits
        if len(targets) == len(outputs) == 1:
            out, target = worked.number(outputs[0]), worked.number(targets[0])
            if abs(digits.value(out) - digits.value(target)) < SAME:
                yield _said(worked, "{ids} is its target: there is no error to send back", outputs[0])


def _weight_sums(worked: Worked, name: str) -> Iterator[list[tuple[Cell, Fraction]]]:
    """The weights that come into one unit, and those that go out of one."""
    axes = worked.book.graph[name].axes
    cells = [(name, place) for place in product(*(range(axis.size) for axis in axes))]
    found = ((one, worked.book.given_value(one)) for one in cells)
    given = [(one, Fraction(value.numerator, value.denominator)) for one, value in found if value is not None]
    for side in (0, 1) if len(axes) == 2 else (0,):
        groups: dict[int, list[tuple[Cell, Fraction]]] = {}
        for one, weight in given:
            groups.setdefault(one[1][side] if one[1] else 0, []).append((one, weight))
        yield from groups.values()


RULES: dict[str, Condition] = {
    "no_saturation": Condition(no_saturation),
    "alive": Condition(alive),
    "off_kinks": Condition(off_kinks),
    "loss_falls": Condition(loss_falls),
    "readable": Condition(readable),
    "no_ties": Condition(no_ties),
    "distinct": Condition(distinct, "note"),
    "sound": Condition(sound),
}


# --- comparisons ------------------------------------------------------------------------------------------------------


def comparison_complaints(worked: Worked, requirement: Requirement) -> Complaints:
    """Where a comparison does not hold: for every step that its patterns mean. Raises ProblemError for names that are none."""
    compared = requirement.comparison
    assert compared is not None
    steps = [_steps(worked, name, requirement) for name in compared.names]
    if math.prod(map(len, steps)) > BINDINGS_LIMIT:
        text = "more than {limit} ways to read {text}"
        raise ProblemError(Message(text, _where(worked, requirement), limit=BINDINGS_LIMIT, text=requirement.text))
    for bound in product(*steps):
        names = {f"step_{place}": wanted for place, wanted in enumerate(bound, 1)}
        try:
            left, right = (
                float(compute(side, lambda ref: worked.values.precise(names[ref.quantity]), FRACTIONS))  # noqa: B023
                for side in (compared.left, compared.right)
            )
        except (ArithmeticError, ValueError, EvaluationError):
            left = right = math.nan
        if not compared.holds(left, right):
            text = "{text} does not hold: {left} and {right}"
            yield Complaint(bound, Message(text, text=requirement.text, left=f"{left:.6g}", right=f"{right:.6g}"))


def _steps(worked: Worked, name: str, requirement: Requirement) -> list[Cell]:
    """The steps and given numbers that a name means."""
    if is_pattern(name):
        found = [wanted for wanted in worked.exercise.cells if fits(worked.exercise.id(wanted), name)]
        found = found or [wanted for wanted in _given(worked) if fits(worked.exercise.id(wanted), name)]
        if found:
            return found
    else:
        try:
            return [worked.exercise.desk.interpreter.find(name)[0]]
        except UnknownIdError:
            pass
    raise ProblemError(Message("no step is called {found}", _where(worked, requirement), found=f'"{name}"'))


def _where(worked: Worked, requirement: Requirement) -> str:
    return f"{worked.problem.path}:{requirement.line}: generate.require: "
