"""Scalar expressions: what every quantity is defined by, and what every printed formula is made of.

- Nodes: `Number`, `Ref`, `Sum`, `Product`, `Negation`, `Quotient`, `Power`, `Call`; in general formulas also
  `Total` (a bounded sum), `Entry` (one entry of a function of a whole family) and `Delta` (1 where two indices agree).
- Constructors that tidy without reordering: `number`, `add`, `neg`, `sub`, `mul`, `div`, `power`, `call`.
- Readings: `bind` (symbolic indices become concrete, totals are written out), `evaluate`, `references`;
  the derivative is in chainrule.py, printing in render/.
- Indices: `Axis`, `Index`, `Affine`; `shift_index` substitutes them.

To add a node: one class here and a line in each table keyed by node type: `_CHILDREN`, `_EVALUATE` below, the
derivative table of chainrule.py and the layout table of render/printer.py. A missing line is an error naming the node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from math import gcd
from typing import Any

from handcalc.core.functions import function
from handcalc.core.record import Record

# --- axes and indices ------------------------------------------------------------------------------------------------


class Axis(Record):
    """One direction of a family of cells.

    role: input, unit, channel, row, column, sample, time, token, head; size: number of cells along it;
    labels: their names (empty: numbered); first: the first printed number.
    """

    role: str
    size: int
    labels: tuple[str, ...] = ()
    first: int = 1

    def label(self, position: int) -> str:
        """The name of one position: its label, or its printed number."""
        return self.labels[position] if self.labels else str(position + self.first)


class Index(Record):
    """A symbolic index such as j; its letter is its identity within a definition."""

    letter: str
    axis: Axis

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Index) and self.letter == other.letter

    def __hash__(self) -> int:
        return hash(self.letter)


class Affine(Record):
    """A shifted index such as r + u or t − 1, counted from 0: the sum of coefficient·index, plus a constant."""

    terms: tuple[tuple[int, Index], ...]
    constant: int


Position = int | Index | Affine
Substitution = Mapping[str, Position]


def affine(position: Position) -> Affine:
    """Any position as an affine one."""
    if isinstance(position, Affine):
        return position
    if isinstance(position, Index):
        return Affine(((1, position),), 0)
    return Affine((), position)


def position(terms: Mapping[Index, int], constant: int) -> Position:
    """The simplest position equal to the sum of coefficient·index, plus a constant."""
    kept = tuple((coefficient, index) for index, coefficient in terms.items() if coefficient)
    if not kept:
        return constant
    if len(kept) == 1 and kept[0][0] == 1 and constant == 0:
        return kept[0][1]
    return Affine(kept, constant)


def shift_index(place: Position, substitution: Substitution) -> Position:
    """A position with indices replaced by other positions."""
    if isinstance(place, int):
        return place
    if isinstance(place, Index):
        return substitution.get(place.letter, place)
    terms: dict[Index, int] = {}
    constant = place.constant
    for coefficient, index in place.terms:
        replacement = affine(substitution.get(index.letter, index))
        constant += coefficient * replacement.constant
        for inner, other in replacement.terms:
            terms[other] = terms.get(other, 0) + coefficient * inner
    return position(terms, constant)


# --- nodes -----------------------------------------------------------------------------------------------------------


class Expr(Record):
    """Base of all nodes."""


class Number(Expr):
    """A literal, kept as an exact ratio; `text` holds the digits as typed, or is empty."""

    numerator: int
    denominator: int = 1
    text: str = ""


class Ref(Expr):
    """A cell of a quantity: its name and one position per axis."""

    quantity: str
    indices: tuple[Position, ...] = ()


class Sum(Expr):
    """a + b + …, in the order written; a subtracted term is a `Negation`."""

    terms: tuple[Expr, ...]


class Product(Expr):
    """a·b·…, in the order written."""

    factors: tuple[Expr, ...]


class Negation(Expr):
    """−a"""

    operand: Expr


class Quotient(Expr):
    """a/b"""

    above: Expr
    below: Expr


class Power(Expr):
    """a^n"""

    base: Expr
    exponent: Expr


class Call(Expr):
    """f(a, …), or entry `at` of a function of a family such as softmax(a, b, …)."""

    function: str
    arguments: tuple[Expr, ...]
    at: int = -1


class Total(Expr):
    """Σ over an index of a body: general formulas only."""

    index: Index
    body: Expr


class Entry(Expr):
    """Entry `at` of a function of the family body[index]: general formulas only. at = −1: the function is scalar."""

    function: str
    at: Position
    index: Index
    body: Expr


class Delta(Expr):
    """1 where both positions are equal, else 0: general formulas only."""

    left: Position
    right: Position


ZERO = Number(0)
ONE = Number(1)
MINUS_ONE = Number(-1)

# --- constructors: they drop zero terms and unit factors, pull signs outward, fold exact literals, never reorder -----


def number(text: str | int) -> Number:
    """A literal from its typed digits, such as "0.10" or "1e-3" or "3/8", kept exactly.

    Raises ValueError where the text is not a finite decimal number.
    """
    if isinstance(text, int):
        return Number(text)
    plain = text.strip().lower().replace("_", "?")
    if "/" in plain:
        above, below = plain.split("/")
        return Number(*_ratio(int(above), int(below)), text)
    mantissa, _, exponent = plain.partition("e")
    whole, _, decimals = mantissa.partition(".")
    scale = int(exponent or 0) - len(decimals)
    if abs(scale) > 400 or len(plain) > 400:
        raise ValueError("out of range")
    above, below = _ratio(int(whole + decimals) * 10 ** max(scale, 0), 10 ** max(-scale, 0))
    return Number(above, below, "" if below == 1 and str(above) == text else text)


def _ratio(above: int, below: int) -> tuple[int, int]:
    if below == 0:
        raise ValueError("division by zero")
    common = gcd(above, below) * (1 if below > 0 else -1)
    return above // common, below // common


def add(*terms: Expr) -> Expr:
    """a + b + …: nested sums are flattened, zeros dropped."""
    kept: list[Expr] = []
    for term in terms:
        if isinstance(term, Sum):
            kept.extend(term.terms)
        elif not _is_zero(term):
            kept.append(term)
    if not kept:
        return ZERO
    return kept[0] if len(kept) == 1 else Sum(tuple(kept))


def neg(operand: Expr) -> Expr:
    """−a; −(−a) is a, −(a − b) is b − a."""
    match operand:
        case Negation(inner):
            return inner
        case Number(above, below, text):
            return Number(-above, below, text[1:] if text.startswith("-") else "-" + text if text else "")
        case Sum(terms) if all(isinstance(term, Negation) for term in terms):
            return Sum(tuple(neg(term) for term in terms))
        case Sum((first, Negation(second))):
            return Sum((second, neg(first)))
        case Sum((Negation(first), second)):
            return Sum((first, neg(second)))
    return Negation(operand)


def sub(left: Expr, right: Expr) -> Expr:
    """a − b"""
    return add(left, neg(right))


def mul(*factors: Expr) -> Expr:
    """a·b·…: signs go outward, exact literals are folded into the first of them, a·(1/b)·c is a·c/b, zero wins."""
    flat: list[Expr] = []
    below: list[Expr] = []
    above, under, place, literals, typed = 1, 1, 0, 0, ""
    negative = False
    pending = list(reversed(factors))
    while pending:
        factor = pending.pop()
        if isinstance(factor, Negation):
            negative = not negative
            factor = factor.operand
        if isinstance(factor, Product):
            pending.extend(reversed(factor.factors))
        elif isinstance(factor, Number):
            if factor.numerator == 0:
                return ZERO
            if literals == 0:
                place, typed = len(flat), factor.text
            literals += 1
            above, under = above * factor.numerator, under * factor.denominator
        elif isinstance(factor, Quotient) and isinstance(factor.above, Number) and len(factors) > 1:
            pending.append(factor.above)
            inner = factor.below.factors if isinstance(factor.below, Product) else (factor.below,)
            for part in inner:
                if isinstance(part, Number) and part.numerator:
                    above, under, literals = above * part.denominator, under * part.numerator, literals + 1
                else:
                    below.append(part)
        else:
            flat.append(factor)
    above, under = _ratio(above, under)
    if above < 0:
        negative, above = not negative, -above
        typed = typed.removeprefix("-")
    if (above, under) != (1, 1):
        flat.insert(place, Number(above, under, typed if literals == 1 else ""))
    result: Expr = ONE if not flat else flat[0] if len(flat) == 1 else Product(tuple(flat))
    if below:
        result = div(result, below[0] if len(below) == 1 else Product(tuple(below)))
    return neg(result) if negative else result


def div(above: Expr, below: Expr) -> Expr:
    """a/b; the sign goes outward, a/1 is a, 0/b is 0."""
    if isinstance(above, Negation):
        return neg(div(above.operand, below))
    if below == ONE or _is_zero(above):
        return above
    if isinstance(above, Number) and isinstance(below, Number) and below.numerator != 0:
        return Number(*_ratio(above.numerator * below.denominator, above.denominator * below.numerator))
    return Quotient(above, below)


def power(base: Expr, exponent: Expr) -> Expr:
    """a^n; a^1 is a, a^0 is 1."""
    if exponent == ONE:
        return base
    return ONE if _is_zero(exponent) else Power(base, exponent)


def call(name: str, *arguments: Expr) -> Expr:
    """f(a, …) of a function of the table. Raises KeyError for an unknown one."""
    function(name)
    return Call(name, arguments)


def total(index: Index, body: Expr) -> Expr:
    """Σ_index body; of zero it is zero."""
    return ZERO if _is_zero(body) else Total(index, body)


def _is_zero(expr: Expr) -> bool:
    return isinstance(expr, Number) and expr.numerator == 0


# --- walking and rebuilding ------------------------------------------------------------------------------------------

_CHILDREN: dict[type[Expr], Callable[[Any], tuple[Expr, ...]]] = {
    Number: lambda e: (),
    Ref: lambda e: (),
    Delta: lambda e: (),
    Sum: lambda e: e.terms,
    Product: lambda e: e.factors,
    Negation: lambda e: (e.operand,),
    Quotient: lambda e: (e.above, e.below),
    Power: lambda e: (e.base, e.exponent),
    Call: lambda e: e.arguments,
    Total: lambda e: (e.body,),
    Entry: lambda e: (e.body,),
}

_REBUILD: dict[type[Expr], Callable[[Any, list[Expr]], Expr]] = {
    Sum: lambda e, inner: add(*inner),
    Product: lambda e, inner: mul(*inner),
    Negation: lambda e, inner: neg(inner[0]),
    Quotient: lambda e, inner: div(*inner),
    Power: lambda e, inner: power(*inner),
    Call: lambda e, inner: Call(e.function, tuple(inner), e.at),
    Total: lambda e, inner: total(e.index, inner[0]),
    Entry: lambda e, inner: Entry(e.function, e.at, e.index, inner[0]),
}


def children(expr: Expr) -> tuple[Expr, ...]:
    """The direct parts of a node, in the order written."""
    return _CHILDREN[type(expr)](expr)


def rewrite(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with `change` applied from the outside in; where it answers None, the parts are visited."""
    changed = change(expr)
    if changed is not None:
        return changed
    parts = children(expr)
    if not parts:
        return expr
    inner = [rewrite(part, change) for part in parts]
    return expr if all(new is old for new, old in zip(inner, parts)) else _REBUILD[type(expr)](expr, inner)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, outermost first, in the order written."""
    yield expr
    for part in children(expr):
        yield from walk(part)


def references(expr: Expr) -> tuple[Ref, ...]:
    """The cells an expression uses, each once, in the order written."""
    return tuple(dict.fromkeys(node for node in walk(expr) if isinstance(node, Ref)))


def reindex(expr: Expr, substitution: Substitution) -> Expr:
    """The expression with free indices replaced by other positions."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Ref):
            return Ref(node.quantity, tuple(shift_index(place, substitution) for place in node.indices))
        if isinstance(node, Delta):
            return delta(shift_index(node.left, substitution), shift_index(node.right, substitution))
        if isinstance(node, Entry):
            return Entry(node.function, shift_index(node.at, substitution), node.index, reindex(node.body, substitution))
        return None

    return rewrite(expr, change)


def delta(left: Position, right: Position) -> Expr:
    """δ(left, right): 1 or 0 as soon as both are known."""
    if isinstance(left, int) and isinstance(right, int) or left == right:
        return ONE if left == right else ZERO
    return Delta(left, right)


# --- binding: from the general formula to one cell's ------------------------------------------------------------------

Present = Callable[[str, tuple[int, ...]], bool]


def bind(expr: Expr, indices: Mapping[str, int], present: Present) -> Expr:
    """The instance of a general formula at concrete indices.

    Totals are written out term by term; a reference to a cell that does not exist (a missing edge, a place outside
    the range of a shifted index) is zero, so its term disappears.
    """
    kind = type(expr)
    if kind is Number:
        return expr
    if kind is Ref:
        places = tuple([_concrete(place, indices) for place in expr.indices])  # type: ignore[attr-defined]
        name = expr.quantity  # type: ignore[attr-defined]
        return Ref(name, places) if present(name, places) else ZERO
    if isinstance(expr, Total):
        letter, inner = expr.index.letter, dict(indices)
        terms = []
        for place in range(expr.index.axis.size):
            inner[letter] = place
            terms.append(bind(expr.body, inner, present))
        return add(*terms)
    if isinstance(expr, Entry):
        inner = dict(indices)
        arguments = []
        for place in range(expr.index.axis.size):
            inner[expr.index.letter] = place
            arguments.append(bind(expr.body, inner, present))
        return Call(expr.function, tuple(arguments), _concrete(expr.at, indices))
    if isinstance(expr, Delta):
        return ONE if _concrete(expr.left, indices) == _concrete(expr.right, indices) else ZERO
    return _REBUILD[kind](expr, [bind(part, indices, present) for part in children(expr)])


def _concrete(place: Position, indices: Mapping[str, int]) -> int:
    if isinstance(place, int):
        return place
    if isinstance(place, Index):
        return indices[place.letter]
    return place.constant + sum(coefficient * indices[index.letter] for coefficient, index in place.terms)


# --- values -----------------------------------------------------------------------------------------------------------

Value = Any  # a float, or a Fraction where the problem is worked exactly
Lookup = Callable[[Ref], Value]


def evaluate(expr: Expr, lookup: Lookup, exact: bool = False) -> Value:
    """The value of an instance: floats, or fractions with `exact`, as long as the functions used are rational.

    Raises ArithmeticError or ValueError where a function is not defined or overflows.
    """
    kind = type(expr)
    if kind is Ref:
        return lookup(expr)  # type: ignore[arg-type]
    if kind is Product:
        result = evaluate(expr.factors[0], lookup, exact)  # type: ignore[attr-defined]
        for factor in expr.factors[1:]:  # type: ignore[attr-defined]
            result = result * evaluate(factor, lookup, exact)
        return result
    if kind is Sum:
        result = evaluate(expr.terms[0], lookup, exact)  # type: ignore[attr-defined]
        for term in expr.terms[1:]:  # type: ignore[attr-defined]
            result = result + evaluate(term, lookup, exact)
        return result
    return _EVALUATE[kind](expr, lookup, exact)


def _number_value(expr: Number, lookup: Lookup, exact: bool) -> Value:
    if exact:
        from fractions import Fraction

        return Fraction(expr.numerator, expr.denominator)
    return expr.numerator / expr.denominator


def _power_value(expr: Power, lookup: Lookup, exact: bool) -> Value:
    base, exponent = evaluate(expr.base, lookup, exact), evaluate(expr.exponent, lookup, exact)
    if base == 0 and exponent < 0:
        raise ZeroDivisionError("0 to a negative power")
    result = base ** (int(exponent) if exponent == int(exponent) and abs(exponent) < 1000 else exponent)
    if isinstance(result, complex):
        raise ValueError("a negative number to a broken power")
    return result


def _call_value(expr: Call, lookup: Lookup, exact: bool) -> Value:
    record = function(expr.function)
    values = [evaluate(argument, lookup, exact) for argument in expr.arguments]
    return record.value(values, expr.at) if record.family else record.value(*values)


_EVALUATE: dict[type[Expr], Callable[[Any, Lookup, bool], Value]] = {
    Number: _number_value,
    Negation: lambda e, lookup, exact: -evaluate(e.operand, lookup, exact),
    Quotient: lambda e, lookup, exact: evaluate(e.above, lookup, exact) / evaluate(e.below, lookup, exact),
    Power: _power_value,
    Call: _call_value,
}
