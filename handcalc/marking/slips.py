"""Slips of any calculation, on one answer: what no rewrite of the whole solution explains may be a slip on a single line.

- `LineSlips(definitions, answers, size).explain_all(wrong)` names the slips that give answers, each a `LineSlip`: sure of it, or a hint
  where the digits are too few.
- `misplaced_answers(…)` are those that are the right number of another step: exchanged, or the old value of a parameter.

Tried are the answer's own line first, then the lines it is made from that were not answered, with the student's own earlier numbers:
a sign lost, the point moved, two digits exchanged, a term or a factor left out or taken twice, a number of the same parameter given
for another. What a name costs grows with how many numbers were tried: an answer must have `MARGIN` bits more than it takes to choose
among them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from math import isfinite, log2

from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import ONE, Expr, Number, Product, Quotient, Sum, add, div, mul, neg, rewrite, walk
from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import HandcalcError
from handcalc.marking.definitions import NONE, Definitions, MistakenBook
from handcalc.marking.diagnosis import bits_of
from handcalc.marking.follow import fits
from handcalc.marking.typed import Typed
from handcalc.marking.workbook import base, iteration, on_sheet

MARGIN = 7.0  # bits by which a slip must beat coincidence to be named
HINT = 1.0  # and to be a hint, where it happened on a line before
ANSWERS = 24  # wrong answers of a sheet for which slips are looked for
LINES = 24  # lines before an answer that are tried
PARAMETER = ("gradient", "change", "updated")  # numbers of one parameter that are given for each other


class LineSlip(Record):
    """A slip that gives an answer; sure: whether it is no coincidence."""

    slug: str
    sure: bool


class LineSlips:
    """The slips of one sheet; size: how large an answer is, counted from what it starts from."""

    def __init__(self, definitions: Definitions, answers: Mapping[Cell, Typed], size: Callable[[Cell, Typed], float]) -> None:
        self.definitions = definitions
        self.answers = answers
        self.size = size
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
        """The slip that gives an answer: on its own line, else on one of those before it."""
        typed, size = self.answers[wanted], self.size(wanted, self.answers[wanted])
        tried: dict[float, str] = {}
        for numbers, least in ((self._own(wanted), 0.0), (self._before(wanted), HINT)):
            tried |= {value: slug for slug, value in numbers if isfinite(value) and value not in tried}
            slugs = list(dict.fromkeys(slug for value, slug in tried.items() if fits(value, typed)))
            if slugs:
                bits = bits_of(typed, size) - log2(max(len(tried), 2))
                return LineSlip(slugs[0], bits >= MARGIN and len(slugs) == 1) if bits >= least else None
        return None

    def _own(self, wanted: Cell) -> Iterator[tuple[str, float]]:
        """(slug, number) of every slip on the answer's own line, and of what is given for it."""
        yield from self._given_for(wanted)
        others = {cell: value for cell, value in self._numbers.items() if cell != wanted}
        run = Evaluation(self._book, None, others)
        yield from self._of_line(wanted, run)

    def _before(self, wanted: Cell) -> Iterator[tuple[str, float]]:
        """The same on the lines before it, worked on to the answer."""
        others = {cell: value for cell, value in self._numbers.items() if cell != wanted}
        run = Evaluation(self._book, None, others)
        for current in self.definitions.between(wanted, self.answers)[1:LINES]:
            if self.definitions.book.given_value(current) is None:
                for slug, value in self._of_line(current, run):
                    if isfinite(value):
                        yield slug, _number(Evaluation(self._book, None, others | {current: value}), wanted)

    def _of_line(self, current: Cell, run: Evaluation) -> Iterator[tuple[str, float]]:
        if self.definitions.book.given_value(current) is not None:
            return
        value = _number(run, current)
        yield "sign-lost", -value
        yield from (("point-moved", value * 10.0**places) for places in (1, -1, 2, -2))
        yield from (("digits-exchanged", other) for other in _digits_exchanged(value, self.answers.get(current)))
        for slug, expr in variants(self.definitions.right(current)):
            try:
                yield slug, float(run.of(expr, current))
            except (HandcalcError, ArithmeticError, ValueError):
                continue

    def _given_for(self, wanted: Cell) -> Iterator[tuple[str, float]]:
        """Numbers of the same parameter: the old value for the new one, the gradient for the change …"""
        book, number, (name, place) = self.definitions.book, iteration(wanted), base(wanted)
        quantity = book.graph[name]
        if quantity.of is None or quantity.kind not in PARAMETER or quantity.stage:
            return
        of = quantity.of.quantity
        related = {"gradient": book.graph.gradient(of), "change": book.graph.change(of), "updated": book.graph.updated(of)}
        for kind, other in related.items():
            if other and kind != quantity.kind and len(book.graph[other].axes) == len(place):
                yield "other-number-given", _number(self.definitions.values, (on_sheet(number, other), place))


def _number(run: Evaluation, wanted: Cell) -> float:
    """A number of an evaluation; not a number where there is none."""
    try:
        return float(run[wanted])
    except (HandcalcError, ArithmeticError, ValueError):
        return float("nan")


def _digits_exchanged(value: float, typed: Typed | None) -> Iterator[float]:
    """The number with two digits beside each other exchanged, as many as were typed."""
    places = typed.places if typed is not None and typed.places is not None else 4
    text = f"{abs(value):.{max(places, 0)}f}"
    for place in range(len(text) - 1):
        one, two = text[place], text[place + 1]
        if "." not in (one, two) and one != two:
            yield float(text[:place] + two + one + text[place + 2 :]) * (1 if value >= 0 else -1)


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
