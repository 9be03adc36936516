"""Scalar expressions: what every quantity is defined by, and what every printed formula is made of.

- Nodes: `Number`, `Ref`, `Sum`, `Product`, `Negation`, `Quotient`, `Power`, `Call`; in general formulas also
  `Total` (a bounded sum), `Entry` (one entry of a function of a whole family) and `Delta` (1 where two indices agree).
- Constructors that tidy without reordering: `number`, `add`, `neg`, `sub`, `mul`, `div`, `power`, `call`, `total`.
- Walking: `children`, `walk`, `references`, `rewrite`, `reindex`; other readings are in instance.py, derivative.py, render/printer.py.

To add a node: one class here and a line in each table keyed by node type: `_CHILDREN` and `REBUILD` below, and those of instance.py,
derivative.py and render/printer.py. A missing line is an error naming the node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import gcd
from operator import attrgetter, is_
from typing import Any

from handcalc.core.functions import function
from handcalc.core.index import Index, Position, Substitution, are_places, indices, shift_index, unused
from handcalc.core.record import Record

# --- nodes; the most frequent ones have constructors of their own, which take a third of the general one's time -------


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

    def __init__(self, quantity: str, indices: tuple[Position, ...] = ()) -> None:
        attributes = self.__dict__
        attributes["quantity"] = quantity
        attributes["indices"] = indices

    @property
    def places(self) -> tuple[int, ...]:
        """The indices of a cell, which are numbers. Raises TypeError where one is not: in a general formula."""
        if are_places(self.indices):
            return self.indices
        raise TypeError(f"{self!r} is no cell: its indices are not numbers")

    def __eq__(self, other: object) -> bool:
        return type(other) is Ref and self.quantity == other.quantity and self.indices == other.indices

    def __hash__(self) -> int:
        return hash((self.quantity, self.indices))


class Sum(Expr):
    """a + b + …, in the order written; a subtracted term is a `Negation`."""

    terms: tuple[Expr, ...]

    def __init__(self, terms: tuple[Expr, ...]) -> None:
        self.__dict__["terms"] = terms


class Product(Expr):
    """a·b·…, in the order written."""

    factors: tuple[Expr, ...]

    def __init__(self, factors: tuple[Expr, ...]) -> None:
        self.__dict__["factors"] = factors


class Negation(Expr):
    """−a"""

    operand: Expr

    def __init__(self, operand: Expr) -> None:
        self.__dict__["operand"] = operand


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
_REFERENCES = {Ref}  # factors with nothing to tidy

# --- constructors: they drop zero terms and unit factors, pull signs outward, fold exact literals, never reorder -----


def number(text: str | int) -> Number:
    """A literal from its typed digits, such as "0.10" or "1e-3" or "3/8", kept exactly.

    Raises ValueError where the text is not a finite decimal number or a quotient of whole ones.
    """
    if isinstance(text, int):
        return Number(text)
    plain = text.strip()
    sign, plain = (-1 if plain.startswith("-") else 1, plain[1:] if plain[:1] in ("+", "-") else plain)
    typed = "-" + plain if sign < 0 else plain
    if "/" in plain:
        first, _, second = plain.partition("/")
        below = -_whole(second[1:]) if second.startswith("-") else _whole(second)
        return Number(*_ratio(sign * _whole(first), below), typed)
    mantissa, _, power_of_ten = plain.lower().partition("e")
    whole, _, decimals = mantissa.partition(".")
    scale = -len(decimals)
    if power_of_ten or plain[-1:] in "eE":
        scale += _whole(power_of_ten.removeprefix("-").removeprefix("+")) * (-1 if power_of_ten.startswith("-") else 1)
    if abs(scale) > 400 or len(plain) > 400:
        raise ValueError("out of range")
    above, below = _ratio(sign * _whole(whole + decimals) * 10 ** max(scale, 0), 10 ** max(-scale, 0))
    return Number(above, below, "" if below == 1 and str(above) == typed else typed)


def _whole(digits: str) -> int:
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("not a number")
    return int(digits)


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
        elif type(term) is Ref or not _is_zero(term):
            kept.append(term)
    return Sum(tuple(kept)) if len(kept) > 1 else kept[0] if kept else ZERO


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
    if len(factors) > 1 and {*map(type, factors)} == _REFERENCES:
        return Product(factors)
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
            if abs(factor.numerator) == factor.denominator:  # ±1: the digits of another literal stay
                negative ^= factor.numerator < 0
                continue
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
    if below == ONE or (_is_zero(above) and not _is_zero(below)):
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
    Sum: attrgetter("terms"),
    Product: attrgetter("factors"),
    Negation: lambda e: (e.operand,),
    Quotient: attrgetter("above", "below"),
    Power: attrgetter("base", "exponent"),
    Call: attrgetter("arguments"),
    Total: lambda e: (e.body,),
    Entry: lambda e: (e.body,),
}

REBUILD: dict[type[Expr], Callable[[Any, list[Expr]], Expr]] = {
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
    parts = _CHILDREN[type(expr)](expr)
    if not parts:
        return expr
    inner = [rewrite(part, change) for part in parts]
    return expr if all(map(is_, inner, parts)) else REBUILD[type(expr)](expr, inner)


def walk(expr: Expr) -> Iterator[Expr]:
    """Every node, outermost first, in the order written."""
    yield expr
    for part in children(expr):
        yield from walk(part)


def references(expr: Expr) -> tuple[Ref, ...]:
    """The cells an expression uses, each once, in the order written."""
    found: dict[Ref, None] = {}
    _collect((expr,), found)
    return tuple(found)


def _collect(parts: tuple[Expr, ...], found: dict[Ref, None]) -> None:
    for part in parts:
        if type(part) is Ref:
            found[part] = None
        else:
            _collect(_CHILDREN[type(part)](part), found)


def reindex(expr: Expr, substitution: Substitution) -> Expr:
    """The expression with free indices replaced by other positions."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Ref):
            return Ref(node.quantity, tuple([shift_index(place, substitution) for place in node.indices]))
        if isinstance(node, Delta):
            return delta(shift_index(node.left, substitution), shift_index(node.right, substitution))
        if isinstance(node, (Total, Entry)):  # the summed index hides a free one of the same letter, and keeps clear of what is put in
            inner = free(node.body)
            inside = {index.letter: substitution[index.letter] for index in inner if index != node.index and index.letter in substitution}
            summed, coming = node.index, indices(inside.values())
            if summed in coming:
                summed = Index(unused(summed.letter, {index.letter for index in coming | inner}), summed.axis)
                inside[node.index.letter] = summed
            body = reindex(node.body, inside)
            return (
                total(summed, body) if isinstance(node, Total) else Entry(node.function, shift_index(node.at, substitution), summed, body)
            )
        return None

    return rewrite(expr, change)


def free(expr: Expr) -> set[Index]:
    """The indices that are not summed."""
    if isinstance(expr, (Ref, Delta)):
        return indices(expr.indices if isinstance(expr, Ref) else (expr.left, expr.right))
    found = {index for part in children(expr) for index in free(part)}
    summed = {expr.index} if isinstance(expr, (Total, Entry)) else set()
    return (found - summed) | (indices((expr.at,)) if isinstance(expr, Entry) else set())


def delta(left: Position, right: Position) -> Expr:
    """δ(left, right): 1 or 0 as soon as both are known."""
    if isinstance(left, int) and isinstance(right, int) or left == right:
        return ONE if left == right else ZERO
    return Delta(left, right)
