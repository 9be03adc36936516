"""Slips of any calculation, on one answer: what no rewrite of the whole solution explains may be a slip on a single line.

- `LineSlips(definitions, answers, room).explain_all(wrong)` names the slips that give answers, each a `LineSlip`: sure of it, or a hint
  where the digits are too few.
- `misplaced_answers(…)` are those that are the right number of another step: exchanged, or the old value of a parameter.

Tried are, one kind after the other (`KINDS`): the number itself, written down wrong or another in its place; the line worked wrong; the
lines it is made from that were not answered; a number of the line misread. Each with the student's own earlier numbers, which may
have been rounded, and with the right ones. What a name costs grows with how many numbers were tried: an answer must have so many bits
more than it takes to choose among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, log2
from typing import Any

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import ONE, Expr, Number, Product, Quotient, Ref, Sum, add, div, mul, neg, references, rewrite, walk
from handcalc.core.instance import compute
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import HandcalcError
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.follow import fits
from handcalc.marking.table import ARRAYS
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration, on_sheet

ANSWERS = 24  # wrong answers of a sheet for which slips are looked for
LINES = 24  # lines before an answer that are tried
USUAL = 4  # decimals of a number whose digits are not known
DIGITS = ("digit-dropped",)  # which leaves many numbers near the right one
OPERANDS = ("number-misread", "neighbour-used", "value-miscopied")
PARAMETER = ("gradient", "change", "updated")  # numbers of one parameter that are given for each other


Changed = Callable[[str], Iterator[float]]
Size = Callable[[Cell, Typed], float]
Kind = Callable[["LineSlips", Cell, Evaluation], Iterator[tuple[str, float]]]


class LineSlip(Record):
    """A slip that gives an answer; sure: whether it is no coincidence."""

    slug: str
    sure: bool


class LineSlips:
    """The slips of one sheet; room: how much there is to explain of an answer."""

    def __init__(self, definitions: Definitions, answers: Mapping[Cell, Typed], room: Size) -> None:
        self.definitions = definitions
        self.answers = answers
        self.room = room
        self._book = MistakenBook(definitions, NONE)
        self._numbers = {wanted: typed.value for wanted, typed in answers.items()}

    def explain_all(self, wrong: Sequence[Cell]) -> dict[Cell, LineSlip]:
        """The slips of wrong answers; not one that most of the wrong answers of its kind refute, since they have another reason."""
        kinds = Counter(self.definitions.book.quantity(wanted).kind for wanted in wrong)
        found = {wanted: slip for wanted in wrong[:ANSWERS] if (slip := self.explain(wanted)) is not None}
        alike = Counter((self.definitions.book.quantity(wanted).kind, slip.slug) for wanted, slip in found.items())

        def stands(wanted: Cell, slip: LineSlip) -> bool:
            kind = self.definitions.book.quantity(wanted).kind
            return 2 * alike[kind, slip.slug] >= min(kinds[kind], ANSWERS)

        return {wanted: slip for wanted, slip in found.items() if stands(wanted, slip)}

    def explain(self, wanted: Cell) -> LineSlip | None:
        """The slip that gives an answer: of the first kind that has one."""
        typed = self.answers[wanted]
        if not isfinite(_number(self.definitions.values, wanted)):
            return None
        others = {cell: value for cell, value in self._numbers.items() if cell != wanted}
        runs = [Evaluation(self._book, None, others), Evaluation(self._book)] if others else [Evaluation(self._book)]
        tried: set[float] = set()
        for kind, margin, least in KINDS:
            found = [[(slug, value) for slug, value in kind(self, wanted, run) if isfinite(value)] for run in runs]
            tried |= {value for _, value in found[0]}
            slugs = list(dict.fromkeys(slug for numbers in found for slug, value in numbers if fits(value, typed)))
            if slugs:
                room = self.room(wanted, typed)
                if kind is LineSlips.written and slugs[0] not in DIGITS:
                    room = abs(typed.value)
                bits = bits_of(typed, room) - log2(max(len(tried), 2))
                doubtful = slugs[0] in OPERANDS and self._is_one_digit_off(wanted, typed)
                return LineSlip(slugs[0], bits >= margin and len(slugs) == 1 and not doubtful) if bits >= least else None
        return None

    def _is_one_digit_off(self, wanted: Cell, typed: Typed) -> bool:
        """Whether one digit of an answer is wrong: it may also have been added up wrong."""
        off = f"{abs(typed.value - float(self.definitions.values[wanted])):.{max(typed.places or 0, 0)}f}"
        return sum(letter in "123456789" for letter in off) == 1

    def written(self, wanted: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """(slug, number): the number written down wrong, or another number in its place."""
        yield from self._given_for(wanted)
        if self.definitions.book.given_value(wanted) is None:
            yield from self._misspelled(_worked_from(run, self.definitions.right(wanted), wanted), self.answers[wanted])

    def on_its_line(self, wanted: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """The answer's own line worked wrong."""
        yield from self._of_line(wanted, run)

    def on_lines_before(self, wanted: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """A line before it worked wrong, and the rest worked on."""
        for current in self.definitions.between(wanted, self.answers)[1:LINES]:
            if self.definitions.book.given_value(current) is None:
                value = _worked_from(run, self.definitions.right(current), current)
                slips = (*self._misspelled(value, None), *self._of_line(current, run))
                for slug, other in slips:
                    if isfinite(other):
                        yield slug, _number(Evaluation(self._book, None, {**run.replaced, current: other}), wanted)

    def misread(self, wanted: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """A number of the line with another digit."""
        yield from self._with_operands(wanted, run, "number-misread", _other_digits)

    def _misspelled(self, value: float, typed: Typed | None) -> Iterator[tuple[str, float]]:
        """A number without its sign, with the point elsewhere, with two digits exchanged or one dropped."""
        if not isfinite(value):
            return
        yield "sign-lost", -value
        yield from (("point-moved", value * 10.0**places) for places in (1, -1, 2, -2))
        places = typed.places if typed is not None and typed.places is not None else USUAL
        yield from (("digits-exchanged", other) for other in _digits_exchanged(_text(value, places)))
        yield from (("digit-dropped", other) for other in _digit_dropped(_text(value, places + 1)))

    def _of_line(self, current: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """The line with a term or factor too many or too few, with a number beside the one meant, or two digits of one exchanged."""
        if self.definitions.book.given_value(current) is not None:
            return
        for slug, expr in variants(self.definitions.right(current)):
            yield slug, _worked_from(run, expr, current)
        yield from self._with_neighbours(current, run)
        yield from self._with_operands(current, run, "number-misread", _digits_exchanged)

    def _with_neighbours(self, current: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        """The line with the number next to one of its numbers."""
        expr, book = self.definitions.right(current), self.definitions.book
        for ref in references(expr):
            (name, place), graph = base(cell(ref)), book.of_round(iteration(cell(ref)))
            for axis in range(len(place)):
                for step in (1, -1):
                    beside = (*place[:axis], place[axis] + step, *place[axis + 1 :])
                    if graph.present(name, beside):
                        other = Ref(ref.quantity, beside)
                        slug = "neighbour-used" if self.definitions.book.given_value(cell(ref)) is None else "value-miscopied"
                        yield slug, _worked_from(run, _put(expr, ref, other), current)

    def _with_operands(self, current: Cell, run: Evaluation, slug: str, changed: Changed) -> Iterator[tuple[str, float]]:
        """The line with each of its numbers changed."""
        if self.definitions.book.given_value(current) is not None:
            return
        expr = self.definitions.right(current)
        values = {ref: _number(run, cell(ref)) for ref in references(expr)}
        for ref, value in values.items():
            others = list(changed(self._as_written(cell(ref), value))) if isfinite(value) else []
            yield from ((slug, other) for other in _with_each(expr, values, ref, others))

    def _as_written(self, wanted: Cell, value: float) -> str:
        """A number as it stands on the sheet, or on the exercise."""
        given, typed = self.definitions.book.given_value(wanted), self.answers.get(wanted)
        if given is not None and given.text and "e" not in given.text and "/" not in given.text:
            return given.text
        return _text(value, typed.places if typed is not None and typed.places is not None else USUAL)

    def _given_for(self, wanted: Cell) -> Iterator[tuple[str, float]]:
        """The number of another iteration; numbers of the same parameter: the old value for the new one, the gradient for the change …"""
        book, round, (name, place) = self.definitions.book, iteration(wanted), base(wanted)
        for near in (round - 1, round + 1):
            if 1 <= near <= book.iterations and book.of_round(near).present(name, place):
                yield "iteration-miscounted", _number(self.definitions.values, (on_sheet(near, name), place))
            elif near > 1:
                yield "iteration-miscounted", self.definitions.in_next_iteration(wanted)
        quantity = book.graph[name]
        if quantity.of is None or quantity.kind not in PARAMETER or quantity.stage:
            return
        of = quantity.of.quantity
        related = {"gradient": book.graph.gradient(of), "change": book.graph.change(of), "updated": book.graph.updated(of)}
        for kind, other in related.items():
            if other and kind != quantity.kind and len(book.graph[other].axes) == len(place):
                yield "other-number-given", _number(self.definitions.values, (on_sheet(round, other), place))


def _number(run: Evaluation, wanted: Cell) -> float:
    """A number of an evaluation; not a number where there is none."""
    try:
        return float(run[wanted])
    except (HandcalcError, ArithmeticError, ValueError):
        return float("nan")


def _worked_from(run: Evaluation, expr: Expr, current: Cell) -> float:
    """What a line gives; not a number where it gives none."""
    try:
        return float(run.of(expr, current))
    except (HandcalcError, ArithmeticError, ValueError):
        return float("nan")


def _with_each(expr: Expr, values: Mapping[Ref, float], ref: Ref, others: list[float]) -> list[float]:
    """What a line gives with each of some numbers in the place of one."""
    import numpy

    def used(one: Ref) -> Any:
        return numpy.array(others) if one == ref else values[one]

    try:
        with numpy.errstate(all="ignore"):
            return list(map(float, numpy.broadcast_to(compute(expr, used, ARRAYS), len(others)))) if others else []
    except (HandcalcError, ArithmeticError, ValueError):
        return []


def _put(expr: Expr, ref: Ref, other: Expr) -> Expr:
    return rewrite(expr, lambda node: other if node == ref else None)


def _text(value: float, places: int) -> str:
    return f"{value:.{max(places, 0)}f}"


def _digits_exchanged(text: str) -> Iterator[float]:
    """The number with two digits beside each other exchanged."""
    for place in range(len(text) - 1):
        one, two = text[place], text[place + 1]
        if one.isdigit() and two.isdigit() and one != two:
            yield float(text[:place] + two + one + text[place + 2 :])


def _digit_dropped(text: str) -> Iterator[float]:
    """The number without one of its digits, but the last, and zeros before the first."""
    first = next((place for place, letter in enumerate(text) if letter in "123456789"), len(text))
    for place in range(first, len(text) - 1):
        if text[place].isdigit():
            yield float(text[:place] + text[place + 1 :])


def _other_digits(text: str) -> Iterator[float]:
    """The number with another digit in the place of one, but for zeros before the first."""
    first = next((place for place, letter in enumerate(text) if letter in "123456789"), len(text))
    for place in range(first, len(text)):
        if text[place].isdigit():
            yield from (float(text[:place] + digit + text[place + 1 :]) for digit in "123456789" if digit != text[place])


def variants(expr: Expr) -> Iterator[tuple[str, Expr]]:
    """(slug, formula) of every slip on a line: in each of its sums and products."""
    for node in dict.fromkeys(walk(expr)):
        for slug, other in _slips_of(node):
            yield slug, rewrite(expr, lambda part: other if part == node else None)  # noqa: B023


def _slips_of(node: Expr) -> Iterator[tuple[str, Expr]]:
    if isinstance(node, Sum):
        for place, term in enumerate(node.terms):
            rest = (*node.terms[:place], *node.terms[place + 1 :])
            yield "term-left-out", add(*rest)
            yield "term-twice", add(*node.terms, term)
            yield "sign-in-sum", add(*node.terms[:place], neg(term), *node.terms[place + 1 :])
    elif isinstance(node, Product):
        for place, factor in enumerate(node.factors):
            rest = (*node.factors[:place], *node.factors[place + 1 :])
            yield "factor-left-out", mul(*rest)
            if not isinstance(factor, Number):
                yield "factor-twice", mul(*node.factors, factor)
    elif isinstance(node, Quotient):
        yield "factor-left-out", node.above
        yield "factor-left-out", div(ONE, node.below)


# a kind of slip, the bits by which it must beat coincidence to be named, and to be a hint
KINDS: tuple[tuple[Kind, float, float], ...] = (
    (LineSlips.written, 5.5, 0.0),
    (LineSlips.on_its_line, 5.5, 0.0),
    (LineSlips.on_lines_before, 6.5, 1.0),
    (LineSlips.misread, 6.0, 3.0),
)


def misplaced_answers(definitions: Definitions, answers: Mapping[Cell, Typed], wrong: tuple[Cell, ...]) -> dict[Cell, str]:
    """Wrong answers that are right numbers of the sheet in a wrong place: exchanged with another of their kind, or the old value."""
    found: dict[Cell, str] = {}
    right = definitions.values
    for place, first in enumerate(wrong):
        for second in wrong[place + 1 :]:
            alike = definitions.book.quantity(first).kind == definitions.book.quantity(second).kind and not {first, second} & {*found}
            if alike and fits(_number(right, second), answers[first]) and fits(_number(right, first), answers[second]):
                found |= dict.fromkeys((first, second), "answers-exchanged")
    for wanted in wrong:
        if wanted not in found and definitions.book.quantity(wanted).kind == "updated" and _is_old(definitions, wanted, answers[wanted]):
            found[wanted] = "old-value-given"
    return found


def _is_old(definitions: Definitions, wanted: Cell, typed: Typed) -> bool:
    """Whether the number of a new parameter is the old one."""
    of, number = definitions.book.quantity(wanted).of, iteration(wanted)
    return of is not None and typed.value == _number(definitions.values, (on_sheet(number, of.quantity), wanted[1]))
