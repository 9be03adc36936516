"""A gradient check as a document, and as JSON.

- `report(checked, reading, …)` gives the blocks: how a difference is worked out, a table of all
  gradients, the one-sided differences, what is to be said about single ones; the errors against h, and a tangent line.
- `as_json(checked, reading, …)` is the object of the contract.

Everything is shown in the letters and signs of the notation. Where a letter stands for the negative of a cell, x + h is
the cell's value less h.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from typing import Any

from handcalc.core.expr import Expr, Number, Power, Product, Ref, add, div, mul, neg, sub
from handcalc.core.expr import number as typed
from handcalc.core.quantity import Cell
from handcalc.core.rounding import DIGITS_LIMIT, Rounding, Shown
from handcalc.errors import Listing, Message, Template
from handcalc.render.blocks import MISSING, Block, Chart, Digits, Equation, Heading, Item, Name, Paragraph, Plain, Put, Symbolic, Table
from handcalc.render.dialects import function_name
from handcalc.render.items import title_item
from handcalc.render.reading import Reading
from handcalc.training.gradcheck.comparing import BAD, Checked, CheckedGradient, Sweep, Tangent
from handcalc.training.gradcheck.differences import CONVENTIONS, PassedKink
from handcalc.training.gradcheck.plots import errors, tangent

EXACT = Rounding(None, 6)  # digits of h
DIGITS = 7  # of a difference of two losses, as many as there are
NAMED = 8  # gradients named in one sentence

# verdict → the word in a table
_LABELS: dict[str, Template] = {"ok": "ok", "suspicious": "suspicious", "wrong": "wrong", "kink": "kink", "convention": "convention"}


def report(checked: Checked, reading: Reading, sweep: Sweep | None = None, tangents: Sequence[Tangent] = ()) -> Iterator[Block]:
    """The whole report."""
    header = reading.derivation.header
    yield Heading(1, title_item(header.title, header.title_zh) if header.title or header.title_zh else Message("Gradient check"))
    if not checked.rows:
        yield Paragraph(Message("The loss depends on nothing that is trained."))
        return
    yield from _worked(checked, reading)
    yield from _tables(checked, reading)
    yield from _notes(checked, reading)
    yield Heading(2, Message("Result"))
    yield _result(checked)
    if sweep is not None:
        yield from _swept(sweep, checked, reading)
    for one in tangents:
        plot = tangent(one, reading)
        yield Heading(2, plot.title)
        yield from _tangent(one.row, reading)
        yield Chart(plot)


# --- numbers in the signs of the notation -------------------------------------------------------------------------------


def _sign(row: CheckedGradient, reading: Reading) -> int:
    """−1 where the letter of the gradient stands for its negative."""
    return -1 if reading.turned(row.gradient) else 1


def _direction(row: CheckedGradient, reading: Reading) -> int:
    """−1 where the letter of what is moved stands for its negative."""
    return -1 if reading.turned(row.moved) else 1


def _sides(row: CheckedGradient, reading: Reading) -> tuple[float | None, float | None]:
    """Forward and backward difference as the letter of what is moved goes."""
    return (row.forward, row.backward) if _direction(row, reading) > 0 else (row.backward, row.forward)


def _number(value: float | None, row: CheckedGradient, reading: Reading) -> Item:
    """A gradient, in its notation's sign and its digits."""
    return MISSING if value is None else Digits(_shown(value, row, reading))


def _shown(value: float, row: CheckedGradient, reading: Reading) -> Shown:
    identifier = reading.graph.cell_id(row.gradient)
    return reading.derivation.rounding.shown(_sign(row, reading) * value, cell_id=identifier)


def _error(value: float | None) -> Item:
    return MISSING if value is None else Digits(_power(value))


def _power(value: float) -> Shown:
    """Two digits and a power of ten."""
    digits, _, exponent = f"{value:.1e}".partition("e")
    return Shown(digits, int(exponent), False) if value else Shown("0")


def _step(h: float) -> Shown:
    return EXACT.shown(h, True)


def _h(h: float, reading: Reading) -> str:
    return reading.digits(_step(h))


def _tenth(h: float) -> Shown:
    """A power of ten as one."""
    return Shown("1", round(math.log10(h)))


def _text(cell: Cell, reading: Reading) -> str:
    return reading.symbol(Ref(*cell))


# --- how a difference is worked out -------------------------------------------------------------------------------------


def _worked(checked: Checked, reading: Reading) -> Iterator[Block]:
    """The central difference of the first gradient that is not 0, with its numbers."""
    text = "Each number is moved up and down by h = {h}, and {loss} is worked out again."
    yield Paragraph(Message(text, h=_h(checked.h, reading), loss=reading.symbol(Ref(reading.derivation.loss))))
    row = next((row for row in checked.rows if row.central), checked.rows[0])
    if row.values is None:
        return
    low, _, high = row.values if _direction(row, reading) > 0 else row.values[::-1]
    sign = _sign(row, reading) * _direction(row, reading)
    lost = math.log10(max(abs(low), abs(high)) / abs(high - low)) if high != low else DIGITS
    values = Rounding(None, min(DIGITS + max(math.ceil(lost), 0), DIGITS_LIMIT))
    general = _quotient("({E}({w}+h)-{E}({w}-h))/(2h)", row, reading)
    places: dict[Cell, Shown] = {}
    quotient = div(
        sub(_placed(values.shown(high), row, places), _placed(values.shown(low), row, places)),
        mul(Number(2), _placed(_step(row.h), row, places)),
    )
    numbers = Put(quotient if sign > 0 else neg(quotient), places)
    result = _number(row.central, row, reading)
    yield Equation(Name(Ref(*row.gradient)), (("≈", general), ("≈", numbers), ("≈", result)))


def _placed(number: Shown, row: CheckedGradient, places: dict[Cell, Shown]) -> Ref:
    """A number to be put in: a reference that stands for it."""
    cell = row.objective[0], (len(places),)
    places[cell] = number
    return Ref(*cell)


# --- tables -------------------------------------------------------------------------------------------------------------


def _tables(checked: Checked, reading: Reading) -> Iterator[Block]:
    first = (Message("gradient"), Message("chain rule"), Message("central"))
    columns = (*first, Message("error"), Message("rel. error"), Message("verdict"))
    rows = []
    for row in checked.rows:
        slope = Digits(reading.shown(row.gradient))
        central = _number(row.central, row, reading)
        label = Message(_LABELS[row.verdict])
        rows.append((Name(Ref(*row.gradient)), slope, central, _error(row.difference), _error(row.relative_error), label))
    yield Table(columns, tuple(rows))
    if checked.omitted:
        yield Paragraph(Message("{count} more are not checked; --rows 0 checks all, --only ID one of them.", count=checked.omitted))
    yield Heading(2, Message("One-sided differences"))
    yield from _one_sided(checked.rows[0], reading)
    sides = []
    for row in checked.rows:
        cells: list[Item] = [Name(Ref(*row.gradient))]
        for side in _sides(row, reading):
            cells += [_number(side, row, reading), _error(None if side is None else abs(side - row.chain_rule))]
        sides.append(tuple(cells))
    sided = (Message("gradient"), Message("forward"), Message("error"), Message("backward"), Message("error"))
    yield Table(sided, tuple(sides))


def _one_sided(row: CheckedGradient, reading: Reading) -> Iterator[Block]:
    """How they are worked out."""
    yield Equation(Message("forward"), (("=", _quotient("({E}({w}+h)-{E}({w}))/h", row, reading)),), 1)
    yield Equation(Message("backward"), (("=", _quotient("({E}({w})-{E}({w}-h))/h", row, reading)),), 1)


def _quotient(form: str, row: CheckedGradient, reading: Reading) -> Item:
    """A difference quotient with the letters of the loss and of what is moved."""
    dialect = reading.dialect
    spelled = form.replace("+", dialect.plus).replace("-", dialect.minus)
    negative = dialect.negative if _sign(row, reading) != _direction(row, reading) else ""
    loss, moved = (reading.symbol(Ref(*cell), bare=True) for cell in (row.objective, row.moved))
    return Plain(negative + spelled.format(E=loss, w=moved))


# --- what is to be said about single gradients --------------------------------------------------------------------------


def _notes(checked: Checked, reading: Reading) -> Iterator[Block]:
    """One sentence for all gradients of which the same is to be said."""
    found: dict[str, tuple[Message, list[str]]] = {}
    for row in checked.rows:
        for note in notes(row, reading):
            found.setdefault(str(note), (note, []))[1].append(_text(row.gradient, reading))
    if found:
        yield Heading(2, Message("Remarks"))
    for note, names in found.values():
        yield Paragraph(Message("{step}: {note}", step=Listing(names, NAMED), note=note))


def notes(row: CheckedGradient, reading: Reading) -> Iterator[Message]:
    """What is to be said about a gradient."""
    yield from (_kink(kink, row, reading) for kink in row.kinks)
    if row.verdict == "convention":
        yield Message("no derivative, on purpose ({convention}); without the convention both agree", convention=row.convention)
    if row.verdict == "wrong":
        yield Message("the chain rule's value is not the derivative")
    if row.note is not None:
        yield row.note
    if row.reason is not None:
        text = "worked with h = {h}, because with the other one there is no difference ({reason})"
        yield Message(text, h=_h(row.h, reading), reason=row.reason)
    elif row.clear is not None and not row.kinks:
        text = "with this h the difference is too inexact to tell, so the verdict is that of h = {h}"
        yield Message(text, h=_h(row.clear, reading))


def _kink(kink: PassedKink, row: CheckedGradient, reading: Reading) -> Message:
    left, right = (reading.symbolic(reading.signed(side)) for side in (kink.left, kink.right))
    name = function_name(kink.function, reading.dialect)
    if not kink.touched:
        if row.clear is None:
            text = "{left} passes {right} within h, where {function} has a kink; take a smaller h"
            return Message(text, left=left, right=right, function=name)
        text = "{left} passes {right} within h, where {function} has a kink; with h = {h} it does not, and both agree"
        return Message(text, left=left, right=right, function=name, h=_h(row.clear, reading))
    convention = CONVENTIONS.get(kink.function)
    if convention is None:
        return Message("{left} = {right}, where {function} has a kink: there is no derivative", left=left, right=right, function=name)
    value = reading.derivation.header.conventions[convention]
    text = "{left} = {right}, where {function} has a kink: there is no derivative, the chain rule follows {convention}"
    return Message(text, left=left, right=right, function=name, convention=f"{convention}: {value}")


def _result(checked: Checked) -> Paragraph:
    bad = [row.id for row in checked.rows if row.verdict in BAD]
    good, every = sum(row.verdict == "ok" for row in checked.rows), len(checked.rows)
    if bad:
        text = "{count} of {all} {all:gradient|gradients} {count:is|are} not confirmed: {steps}."
        return Paragraph(Message(text, count=len(bad), all=every, steps=Listing(bad, NAMED)))
    if good < every:
        return Paragraph(Message("{count} of {all} gradients agree; for the others see the remarks.", count=good, all=every))
    if every == 1:
        return Paragraph(Message("The gradient agrees with the central difference."))
    return Paragraph(Message("All {count} gradients agree with the central difference.", count=good))


# --- the error against h ------------------------------------------------------------------------------------------------


def _swept(sweep: Sweep, checked: Checked, reading: Reading) -> Iterator[Block]:
    """The errors as a table and as a plot, and where they come from."""
    plot = errors(sweep, checked.h, reading)
    yield Heading(2, plot.title)
    rows = tuple((Digits(_tenth(h)), _error(forward), _error(central)) for h, forward, central in sweep.points)
    yield Table((Plain("h"), Message("forward"), Message("central")), rows)
    if any(error for _, *both in sweep.points for error in both):
        yield Chart(plot)
    yield from map(Paragraph, _reasons(sweep, checked, reading))


def _reasons(sweep: Sweep, checked: Checked, reading: Reading) -> Iterator[Message]:
    """Which h is best, and where the errors come from."""
    if any(kink.touched for row in checked.rows if row.gradient == sweep.gradient for kink in row.kinks):
        yield Message("Here is a kink: the slopes on both sides differ, and no h makes the error small.")
        return
    (h1, error1), (h2, error2) = sweep.best(1), sweep.best(2)
    best = {"h1": _tenth(h1), "error1": _power(error1), "h2": _tenth(h2), "error2": _power(error2)}
    text = "Best: the forward difference with h = {h1} (error {error1}), the central one with h = {h2} (error {error2})."
    yield Message(text, **{name: reading.digits(number) for name, number in best.items()})
    if sweep.truncated(2):
        square = f"h{reading.dialect.high.get('2', '^2')}"
        yield Message("A large h has a truncation error, proportional to h (forward) and to {square} (central).", square=square)
    elif sweep.truncated(1):
        yield Message("A large h has a truncation error, proportional to h (forward); along a parabola the central one has none.")
    else:
        yield Message("There is no truncation error along a straight line.")
    epsilon = reading.digits(_power(sys.float_info.epsilon))
    text = "A small h has round-off, about ε/h with ε = {epsilon}: nearly equal numbers are subtracted, and few of their digits are left."
    yield Message(text, epsilon=epsilon)


# --- the tangent line ---------------------------------------------------------------------------------------------------


def _tangent(row: CheckedGradient, reading: Reading) -> Iterator[Block]:
    """y = f'(a)(x − a) + f(a): with symbols, with numbers, and multiplied out."""
    loss, x = reading.symbol(Ref(*row.objective), bare=True), _text(row.moved, reading)
    if any(kink.touched for kink in row.kinks):
        left, right = (_number(side, row, reading) for side in _sides(row, reading)[::-1])
        yield Paragraph(Message("There is none: the slopes on both sides of the kink differ."))
        yield Equation(Message("from the left"), (("≈", left),), 1)
        yield Equation(Message("from the right"), (("≈", right),), 1)
        return
    start, value, slope = (reading.shown(cell) for cell in (row.moved, row.objective, row.gradient))
    slope = slope if _sign(row, reading) == _direction(row, reading) else slope.negated()
    known = reading.derivation.evaluation
    crossing = float(known[row.objective]) - row.chain_rule * float(known[row.moved])
    exact = start.exact and value.exact and slope.exact
    cut = reading.derivation.rounding.shown(crossing, exact)
    variable = Ref(*row.moved)
    a, f, m, b = map(_literal, (start, value, slope, cut))
    yield Equation(Plain("a"), ((_relation(start), Digits(start)),), 1)
    yield Equation(Plain(f"{loss}(a)"), ((_relation(value), Digits(value)),), 1)
    yield Equation(Plain(f"{loss}'(a)"), ((_relation(slope), Digits(slope)),), 1)
    sign = "=" if exact else "≈"
    dialect = reading.dialect
    general = Plain(f"{loss}'(a){dialect.times}({x}{dialect.minus}a){dialect.plus}{loss}(a)")
    put, out = add(mul(m, sub(variable, a)), f), add(mul(m, variable), b)
    yield Equation(Plain("y"), (("=", general), (sign, Symbolic(put)), ("=" if exact and cut.exact else "≈", Symbolic(out))))


def _relation(number: Shown) -> str:
    return "=" if number.exact else "≈"


def _literal(number: Shown) -> Expr:
    """A printed number as a part of a formula."""
    if not number.exponent:
        return typed(number.digits)
    size = Product((typed(number.digits.removeprefix("-")), Power(Number(10), Number(number.exponent))))
    return neg(size) if number.digits.startswith("-") else size


# --- JSON ---------------------------------------------------------------------------------------------------------------


def as_json(checked: Checked, reading: Reading, sweep: Sweep | None = None, tangents: Sequence[Tangent] = ()) -> dict[str, Any]:
    """The object of the contract; omitted, sweep and tangents only where there are some."""
    found: dict[str, Any] = {"h": checked.h, "ok": checked.ok, "rows": [_row(row, reading) for row in checked.rows]}
    if checked.omitted:
        found["omitted"] = checked.omitted
    if sweep is not None:
        points = [{"h": h, "forward_error": forward, "central_error": central} for h, forward, central in sweep.points]
        found["sweep"] = {"id": sweep.id, "best_forward": sweep.best(1)[0], "best_central": sweep.best(2)[0], "points": points}
    if tangents:
        known = reading.derivation.evaluation
        found["tangents"] = [
            {"id": row.id, "at": float(known[row.moved]), "value": float(known[row.objective]), "slope": row.chain_rule}
            for row in (one.row for one in tangents)
        ]
    return found


def _row(row: CheckedGradient, reading: Reading) -> dict[str, Any]:
    keys = ("id", "chain_rule", "central", "forward", "backward", "relative_error", "verdict")
    found = {key: getattr(row, key) for key in keys}
    note = "; ".join(map(str, notes(row, reading)))
    return found | ({"note": note} if note else {})
