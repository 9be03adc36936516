"""The numbers that slips give: `SlipNumbers(definitions, answers)`.

`SHARES` are the kinds of slips, each a method that yields (slug, number) for one answer, and how many of all wrong numbers it accounts for.

A slip is made on the line of the answer itself or on a line before it that was not answered, with the student's own earlier numbers or
the right ones (`run`). To add a kind: a method here, or of wrong lines one in wrongcells.py, its line in `SHARES`, and its name in
mistakes/anyline.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import isfinite, nan
from typing import Any

from handcalc.arrays.columns import array_library
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Ref, references
from handcalc.core.instance import compute
from handcalc.core.quantity import Cell, cell
from handcalc.errors import HandcalcError
from handcalc.marking.definitions import Definitions
from handcalc.marking.digits import another, decimals_of, dropped, exchanged, written
from handcalc.marking.table import ARRAYS, worked
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, beside, iteration, on_sheet
from handcalc.marking.wrongcells import WrongLines
from handcalc.marking.wronglines import Lines

LINES = 24  # lines before an answer that are tried
WAY = 3  # numbers on the way to an answer that are taken for it
USUAL = 4  # digits of a number that was not answered
PARAMETER = ("gradient", "change", "updated")  # numbers of one parameter that are given for each other

Changed = Callable[[str], Iterator[float]]
Numbers = Iterator[tuple[str, float]]


class SlipNumbers:
    """What slips give, of the answers of one sheet."""

    def __init__(self, definitions: Definitions, answers: Mapping[Cell, Typed]) -> None:
        self.definitions = definitions
        self.answers = answers
        self.lines = WrongLines(definitions, answers)
        self._wrong_lines: dict[tuple[Cell, bool], list[tuple[str, float]]] = {}

    # --- the number written down wrong ---------------------------------------------------------------------------------------

    def signs(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number with the other sign."""
        yield "sign-lost", -self._worked(wanted, run)

    def points(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number, or what it is with the decimals typed, with its point a place farther."""
        worked, decimals = self._worked(wanted, run), self.answers[wanted].places
        kept = round(worked, decimals) if decimals is not None and isfinite(worked) else worked
        yield from (("point-moved", value * 10.0**places) for value in (worked, kept) for places in (1, -1))

    def points_far(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number with its point two places farther."""
        yield from (("point-moved", self._worked(wanted, run) * 10.0**places) for places in (2, -2))

    def exchanged(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number with two digits exchanged."""
        yield from self._written("digits-exchanged", exchanged, wanted, run, 0)

    def dropped(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number without one of its digits."""
        yield from self._written("digit-dropped", dropped, wanted, run, 1)

    def _written(self, slug: str, changed: Changed, wanted: Cell, run: Evaluation, more: int) -> Numbers:
        value, places = self._worked(wanted, run), self.answers[wanted].places
        if isfinite(value) and places is not None:
            yield from ((slug, other) for other in changed(written(value, places + more)))

    def _worked(self, wanted: Cell, run: Evaluation) -> float:
        """What the line gives; no number for a given one, of which a slip is that of who uses it."""
        given = self.definitions.book.given_value(wanted) is not None
        return float("nan") if given else worked_from(run, self.definitions.right(wanted), wanted)

    # --- another number in its place ----------------------------------------------------------------------------------------

    def other_iterations(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number of the iteration before, or of the next."""
        book, round, (name, place) = self.definitions.book, iteration(wanted), base(wanted)
        for near in (round - 1, round + 1):
            if 1 <= near <= book.iterations and book.of_round(near).present(name, place):
                yield "iteration-miscounted", number_of(self.definitions.values, (on_sheet(near, name), place))
            elif near > 1:
                yield "iteration-miscounted", self.definitions.in_next_iteration(wanted)

    def other_numbers(self, wanted: Cell, run: Evaluation) -> Numbers:
        """Numbers of the same parameter: the gradient for the change, the new value for the gradient …"""
        book, round, (name, place) = self.definitions.book, iteration(wanted), base(wanted)
        quantity = book.graph[name]
        if quantity.of is None or quantity.kind not in PARAMETER or quantity.stage:
            return
        of = quantity.of.quantity
        related = {"gradient": book.graph.gradient(of), "change": book.graph.change(of), "updated": book.graph.updated(of)}
        for kind, other in related.items():
            if other and kind != quantity.kind and len(book.graph[other].axes) == len(place):
                yield "other-number-given", number_of(self.definitions.values, (on_sheet(round, other), place))

    def other_answers(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The right number of another answer, but not the same as its own."""
        own = number_of(self.definitions.values, wanted)
        for other in self.answers:
            value = number_of(self.definitions.values, other)
            if other != wanted and value != own:
                yield "other-answer-given", value

    # --- the line worked wrong -------------------------------------------------------------------------------------------------

    def of_lines(self, kind: Callable[[WrongLines, Cell], Lines], wanted: Cell, run: Evaluation) -> Numbers:
        """What lines of a kind give; none for a given number."""
        if not self.lines.is_given(wanted):
            yield from ((slug, worked_from(run, expr, wanted)) for slug, expr in kind(self.lines, wanted))

    def way_there(self, wanted: Cell, run: Evaluation) -> Numbers:
        """A number on the way to the answer, of the same place: the score for the attention, the power for the share."""
        on_way = [wanted]
        for current in on_way:
            for used in self.definitions.uses(current):
                if used[1] == wanted[1] != () and used not in on_way and len(on_way) <= WAY and not self.lines.is_given(used):
                    on_way.append(used)
                    yield "step-left-out", worked_from(run, Ref(*used), wanted)

    def of_neighbours(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The number of the place beside it: of another neuron, or another sample."""
        (name, place), graph = base(wanted), self.definitions.book.of_round(iteration(wanted))
        for other in beside(graph, name, place):
            yield "neighbour-used", number_of(run, (wanted[0], other))

    def misread(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The line with two digits of one of its numbers exchanged."""
        yield from self._with_operands(wanted, run, exchanged)

    def other_digits(self, wanted: Cell, run: Evaluation) -> Numbers:
        """The line with one digit of one of its numbers another."""
        yield from self._with_operands(wanted, run, another)

    def _with_operands(self, wanted: Cell, run: Evaluation, changed: Changed) -> Numbers:
        if self.definitions.book.given_value(wanted) is not None:
            return
        expr = self.lines.own(wanted)
        values = {ref: number_of(run, cell(ref)) for ref in references(expr)}
        for ref, value in values.items():
            if isfinite(value):
                texts = dict.fromkeys(self._as_written(cell(ref), value, self.answers.get(wanted)))
                others = list(dict.fromkeys(other for text in texts for other in changed(text)))
                yield from (("number-misread", other) for other in _with_each(expr, values, ref, others))

    def _as_written(self, used: Cell, value: float, answer: Typed | None) -> Iterator[str]:
        """A number as it stands on the exercise or on the sheet; else with as many digits, or decimals, as the answer."""
        given, typed = self.definitions.book.given_value(used), self.answers.get(used)
        if given is not None and given.text and not {*"e/"} & {*given.text}:
            yield given.text
        elif typed is not None and typed.places is not None:
            yield written(value, typed.places)
        else:
            yield written(value, decimals_of(value, answer.significant or USUAL if answer else USUAL))
            yield written(value, answer.places if answer is not None and answer.places is not None else USUAL)

    # --- a line before it worked wrong ---------------------------------------------------------------------------------------

    def lines_before(self, wanted: Cell, run: Evaluation) -> Numbers:
        """A line before it that was not answered written down or worked wrong, and the rest worked on; not in a large problem, of which
        that takes seconds."""
        if not self.definitions.book.small:
            return
        lines = self.lines_to(wanted, run)
        for current in self.definitions.between(wanted, self.answers)[1:LINES]:
            if self.definitions.book.given_value(current) is None:
                wrong = self._wrong(current, run)
                others = self.worked_on(wanted, run, lines, current, [other for _, other in wrong])
                yield from ((slug, other) for (slug, _), other in zip(wrong, others))

    def lines_to(self, wanted: Cell, run: Evaluation) -> list[Cell]:
        """The lines that an answer is worked from, each after what it uses, itself last."""
        lines: dict[Cell, None] = {}
        pending = [(wanted, False)]
        while pending:
            current, done = pending.pop()
            if done:
                lines[current] = None
            elif current not in lines and run.literal(current) is None:
                pending.append((current, True))
                pending += ((used, False) for used in self.definitions.uses(current) if used not in lines)
        return [*lines]

    def worked_on(self, wanted: Cell, run: Evaluation, lines: list[Cell], changed: Cell, others: list[float]) -> list[float]:
        """What an answer comes to with each of some numbers on a line before it; only what uses that line is worked again."""
        numpy = array_library()
        again = {changed: numpy.array(others)}

        def used(ref: Ref) -> Any:
            found = again.get(cell(ref))
            return run[cell(ref)] if found is None else found

        try:
            with numpy.errstate(all="ignore"):
                for line in lines:
                    if line != changed and any(before in again for before in self.definitions.uses(line)):
                        values = worked(self.definitions.right(line), used, self.definitions.book.is_slope(line))
                        again[line] = numpy.where(numpy.isfinite(values), values, nan)
        except (HandcalcError, ArithmeticError, ValueError):
            return []
        return [float(value) for value in again[wanted]]

    def _wrong(self, current: Cell, run: Evaluation) -> list[tuple[str, float]]:
        """What a line that was not answered may have come to; for one answer as for another, since neither is before it."""
        key = current, bool(run.replaced)
        if key not in self._wrong_lines:
            self._wrong_lines[key] = [(slug, other) for slug, other in self._wrong_line(current, run) if isfinite(other)]
        return self._wrong_lines[key]

    def _wrong_line(self, current: Cell, run: Evaluation) -> Numbers:
        value = self._worked(current, run)
        if isfinite(value):
            yield "sign-lost", -value
            yield from (("point-moved", value * 10.0**places) for places in (1, -1))
            yield from (("digits-exchanged", other) for other in exchanged(written(value, decimals_of(value, USUAL))))
        yield from self.of_lines(WrongLines.variants, current, run)
        yield from self.of_lines(WrongLines.neighbours, current, run)
        yield from self.misread(current, run)


Kind = Callable[[SlipNumbers, Cell, Evaluation], Numbers]


def number_of(run: Evaluation, wanted: Cell) -> float:
    """A number of an evaluation; not a number where there is none."""
    try:
        return float(run[wanted])
    except (HandcalcError, ArithmeticError, ValueError):
        return float("nan")


def worked_from(run: Evaluation, expr: Expr, current: Cell) -> float:
    """What a line gives; not a number where it gives none."""
    try:
        return float(run.of(expr, current))
    except (HandcalcError, ArithmeticError, ValueError):
        return float("nan")


def _with_each(expr: Expr, values: Mapping[Ref, float], ref: Ref, others: list[float]) -> list[float]:
    """What a line gives with each of some numbers in the place of one."""
    numpy = array_library()

    def used(one: Ref) -> Any:
        return numpy.array(others) if one == ref else values[one]

    try:
        with numpy.errstate(all="ignore"):
            return [float(value) for value in numpy.broadcast_to(compute(expr, used, ARRAYS), len(others))]
    except (HandcalcError, ArithmeticError, ValueError):
        return []


def _worked(kind: Callable[[WrongLines, Cell], Lines]) -> Kind:
    """The numbers of a kind of wrong lines."""
    return lambda numbers, wanted, run: numbers.of_lines(kind, wanted, run)


# slip of a line worked wrong → how many of all wrong numbers it accounts for
LINE = {
    "term-left-out": 0.10, "term-twice": 0.05, "sign-in-sum": 0.10, "factor-left-out": 0.10, "factor-twice": 0.05,
    "bracket-misplaced": 0.03, "constant-wrong": 0.04, "function-exchanged": 0.03, "function-left-out": 0.03,
    "slope-exchanged": 0.03, "one-term-only": 0.03, "complement-used": 0.02,
}  # fmt: skip

# kind of slip → how many of all wrong numbers it accounts for
SHARES: dict[Kind, Mapping[str, float] | float] = {
    SlipNumbers.signs: 0.10,
    SlipNumbers.points: 0.08,
    SlipNumbers.points_far: 0.02,
    SlipNumbers.exchanged: 0.10,
    SlipNumbers.dropped: 0.10,
    SlipNumbers.other_iterations: 0.03,
    SlipNumbers.other_numbers: 0.08,
    SlipNumbers.other_answers: 0.03,
    _worked(WrongLines.variants): LINE,
    _worked(WrongLines.neighbours): 0.06,
    _worked(WrongLines.alike): 0.02,
    _worked(WrongLines.crossed): 0.03,
    _worked(WrongLines.stages): 0.05,
    SlipNumbers.way_there: 0.02,
    _worked(WrongLines.partners): 0.03,
    _worked(WrongLines.slopes): 0.03,
    _worked(WrongLines.ahead): 0.03,
    _worked(WrongLines.exchanges): 0.03,
    _worked(WrongLines.letters): 0.02,
    SlipNumbers.of_neighbours: 0.03,
    SlipNumbers.misread: 0.05,
    SlipNumbers.other_digits: 0.05,
    SlipNumbers.lines_before: 0.08,
}
