"""Slips of any calculation, made on one line of a solution: `SLIPS`.

Each is given an exercise, a step and a chooser, and yields every `Slip` of its kind that can be made on that step, also those that
change nothing. To add one: a line in `SLIPS`, with the slugs that say so, and what yields it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import NamedTuple

from handcalc.core.expr import ONE, REBUILD, Expr, Number, Power, Product, Quotient, Ref, Sum, add, children, div, mul, neg
from handcalc.core.instance import FLOATS, compute
from handcalc.core.quantity import Cell, cell
from handcalc.errors import HandcalcError
from marked.exercises import Exercise
from marked.paper import Digits, spelled

FOUR = Digits(4, significant=True)
MISREAD = Ref("misread")


class Slip(NamedTuple):
    """A wrong number. texts: as written, of the step and of others; value: what is worked on with; None: only written down wrong;
    exact: the wrong number to all digits, where it has more than are written."""

    name: str
    texts: dict[Cell, str]
    how: str
    value: float | None = None
    exact: float | None = None


# --- written down wrong -------------------------------------------------------------------------------------------------------


def point_moved(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    number = FOUR.of(own.value(wanted))
    for places in (1, -1):
        yield _written("point moved", own, wanted, spelled(number.scaleb(places)))._replace(exact=own.value(wanted) * 10.0**places)


def digits_exchanged(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    for text in _exchanged(FOUR.write(own.value(wanted))):
        yield _written("digits exchanged", own, wanted, text)


def digit_dropped(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    text = FOUR.write(own.value(wanted))
    for place in _figures(text)[:-1]:
        shorter = text[:place] + text[place + 1 :]
        if not shorter.lstrip("-").startswith("."):
            yield _written("digit dropped", own, wanted, shorter)


def sign_of_result(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield Slip("sign of the result", {wanted: FOUR.write(-own.value(wanted))}, "other sign", -own.value(wanted), -own.value(wanted))


def answers_exchanged(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    kind = own.quantity(wanted).kind
    alike = [other for other in own.ids if other != wanted and own.quantity(other).kind == kind]
    if alike:
        other = chooser.choice(alike)
        texts = {wanted: FOUR.write(own.value(other)), other: FOUR.write(own.value(wanted))}
        if texts[wanted] != texts[other]:
            yield Slip("answers exchanged", texts, f"with {own.ids[other]}", exact=own.value(other))


def _written(name: str, own: Exercise, wanted: Cell, text: str) -> Slip:
    return Slip(name, {wanted: text}, f"{FOUR.write(own.value(wanted))} → {text}")


def _figures(text: str) -> list[int]:
    """Where the significant digits of a number are."""
    mantissa = text.partition("e")[0]
    first = next((place for place, letter in enumerate(mantissa) if letter in "123456789"), len(mantissa))
    return [place for place in range(first, len(mantissa)) if mantissa[place].isdigit()]


def _exchanged(text: str) -> Iterator[str]:
    places = _figures(text)
    for one, other in zip(places, places[1:]):
        if text[one] != text[other]:
            letters = list(text)
            letters[one], letters[other] = letters[other], letters[one]
            yield "".join(letters)


# --- another number of the parameter --------------------------------------------------------------------------------------------


def old_for_new(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    of = own.quantity(wanted).of
    if own.quantity(wanted).kind == "updated" and of is not None:
        yield from _instead("old value as the new", own, wanted, (of.quantity, wanted[1]))


def new_for_gradient(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield from _related("new value as the gradient", own, wanted, "gradient", own.graph.updated)


def gradient_for_change(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    yield from _related("gradient as the change", own, wanted, "change", own.graph.gradient)


def _related(name: str, own: Exercise, wanted: Cell, kind: str, relation: Callable[[str], str]) -> Iterator[Slip]:
    quantity = own.quantity(wanted)
    other = relation(quantity.of.quantity) if quantity.kind == kind and quantity.of is not None and not quantity.stage else ""
    if other and len(own.graph[other].axes) == len(wanted[1]):
        yield from _instead(name, own, wanted, (other, wanted[1]))


def _instead(name: str, own: Exercise, wanted: Cell, other: Cell) -> Iterator[Slip]:
    given = own.graph.given_value(other)
    text = given.text if given is not None and given.text else FOUR.write(own.value(other))
    yield Slip(name, {wanted: text}, f"{own.graph.cell_id(other)} given", exact=own.value(other))


# --- worked out wrong ----------------------------------------------------------------------------------------------------------


def term_signs(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("sign of one term", own, wanted, _each_term(lambda before, term, after: add(*before, neg(term), *after)))


def term_left_out(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("term left out", own, wanted, _each_term(lambda before, term, after: add(*before, *after)))


def term_twice(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    return _on_line("term twice", own, wanted, _each_term(lambda before, term, after: add(*before, term, term, *after)))


def factor_left_out(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    def changed(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Product):
            yield from (mul(*node.factors[:place], *node.factors[place + 1 :]) for place in range(len(node.factors)))
        elif isinstance(node, Quotient):
            yield from (node.above, div(ONE, node.below))
        elif isinstance(node, Power):
            yield node.base

    return _on_line("factor left out", own, wanted, changed)


def factor_twice(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    def changed(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Product):
            yield from (mul(*node.factors, factor) for factor in node.factors if not isinstance(factor, Number))
        elif isinstance(node, Quotient):
            yield div(node.above, mul(node.below, node.below))

    return _on_line("factor twice", own, wanted, changed)


def number_misread(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    """Two of its digits exchanged, or one of them another."""
    for put, used in _numbers_of(own, wanted):
        given = own.graph.given_value(used)
        text = given.text if given is not None and given.text else FOUR.write(own.value(used))
        others = list(_exchanged(text))
        if figures := _figures(text):
            place = chooser.choice(figures)
            others.append(text[:place] + chooser.choice([digit for digit in "123456789" if digit != text[place]]) + text[place + 1 :])
        for other in others[-2:]:
            yield from _worked("number misread", own, wanted, put(MISREAD), f"{own.graph.cell_id(used)}: {text} as {other}", float(other))


def neighbour_used(own: Exercise, wanted: Cell, chooser: Random) -> Iterator[Slip]:
    """Another number of the same kind, of the same layer, in the place of one."""
    for put, used in _numbers_of(own, wanted):
        alike = [(used[0], place) for place in own.graph.positions(used[0]) if place != used[1]]
        if alike:
            other = chooser.choice(alike)
            how = f"{own.graph.cell_id(other)} for {own.graph.cell_id(used)}"
            yield from _worked("neighbour used", own, wanted, put(MISREAD), how, own.value(other))


Put = Callable[[Expr], Expr]


def _occurrences(expr: Expr) -> Iterator[tuple[Expr, Put]]:
    """Every node, and what puts another in its place."""
    yield expr, lambda other: other
    parts = children(expr)
    for place, part in enumerate(parts):
        for node, put in _occurrences(part):
            yield (
                node,
                lambda other, place=place, put=put: REBUILD[type(expr)](  # type: ignore[misc]
                    expr, [put(other) if number == place else one for number, one in enumerate(parts)]
                ),
            )


def _each_term(changed: Callable[[tuple[Expr, ...], Expr, tuple[Expr, ...]], Expr]) -> Callable[[Expr], Iterator[Expr]]:
    def each(node: Expr) -> Iterator[Expr]:
        if isinstance(node, Sum):
            for place, term in enumerate(node.terms):
                yield changed(node.terms[:place], term, node.terms[place + 1 :])

    return each


def _on_line(name: str, own: Exercise, wanted: Cell, changed: Callable[[Expr], Iterator[Expr]]) -> Iterator[Slip]:
    for node, put in _occurrences(own.graph.instance(wanted)):
        for other in changed(node):
            yield from _worked(name, own, wanted, put(other), "")


def _numbers_of(own: Exercise, wanted: Cell) -> list[tuple[Put, Cell]]:
    return [(put, cell(node)) for node, put in _occurrences(own.graph.instance(wanted)) if isinstance(node, Ref)]


def _worked(name: str, own: Exercise, wanted: Cell, line: Expr, how: str, misread: float = 0.0) -> Iterator[Slip]:
    """The line with something else in it, worked out; nothing where it has no value."""
    try:
        value = float(compute(line, lambda ref: misread if ref == MISREAD else own.value(cell(ref)), FLOATS))
        yield Slip(name, {wanted: FOUR.write(value)}, how, value, value)
    except (HandcalcError, ArithmeticError, ValueError):
        return


# name → the slugs that say so, and what yields it
SLIPS: dict[str, tuple[tuple[str, ...], Callable[[Exercise, Cell, Random], Iterator[Slip]]]] = {
    "sign of the result": (("sign-lost",), sign_of_result),
    "sign of one term": (("sign-in-sum",), term_signs),
    "point moved": (("point-moved",), point_moved),
    "digits exchanged": (("digits-exchanged",), digits_exchanged),
    "digit dropped": (("digit-dropped",), digit_dropped),
    "term left out": (("term-left-out",), term_left_out),
    "term twice": (("term-twice",), term_twice),
    "factor left out": (("factor-left-out",), factor_left_out),
    "factor twice": (("factor-twice",), factor_twice),
    "number misread": (("value-miscopied", "number-misread", "digits-exchanged"), number_misread),
    "neighbour used": (("value-miscopied", "neighbour-used", "neighbour-gradient"), neighbour_used),
    "answers exchanged": (("answers-exchanged",), answers_exchanged),
    "old value as the new": (("old-value-given",), old_for_new),
    "new value as the gradient": (("other-number-given",), new_for_gradient),
    "gradient as the change": (("other-number-given",), gradient_for_change),
}
