"""Symbols as data: a letter with indices, or a derivative of one by another. How they are typeset is the printer's."""

from __future__ import annotations

from handcalc.core.index import Index, Position, affine
from handcalc.core.record import Record


class Symbol(Record):
    """base with subscript, superscript, a mark (+ after an update, old before it) and the sample it belongs to.

    hat: with a hat above; typed: the spelling of a name the user chose, kept where the dialect is plain text.
    """

    base: str
    sub: str = ""
    sup: str = ""
    mark: str = ""
    sample: str = ""
    typed: str = ""
    hat: bool = False


class Derivative(Record):
    """∂top/∂bottom, or ∂²top/∂bottom² of the order 2; via: what a path runs through; sample as in Symbol."""

    top: Symbol
    bottom: Symbol
    via: Symbol | None = None
    sample: str = ""
    order: int = 1


Name = Symbol | Derivative


def typed(name: str) -> Symbol:
    """The symbol of a name the user chose: w5 is w with subscript 5, h_1' is h with subscript 1 and a prime."""
    plain = name.rstrip("'")
    letters = 0
    while letters < len(plain) and plain[letters].isalpha():
        letters += 1
    if not letters:
        return Symbol(name, typed=name)
    return Symbol(plain[:letters], plain[letters:].removeprefix("_"), name[len(plain) :], typed=name)


def place_text(place: Position, first: int) -> str:
    """A general place along an axis whose first printed number this is: r, t-1, 2r+u-2. Inside, places are counted from 0."""
    if isinstance(place, Index) and place.axis.first == first:
        return place.letter
    terms = affine(place).terms
    constant = affine(place).constant + first - sum(factor * index.axis.first for factor, index in terms)
    parts = [f"{'+' if factor > 0 else '-'}{abs(factor) if abs(factor) > 1 else ''}{index.letter}" for factor, index in terms]
    return "".join((*parts, f"{constant:+d}" * bool(constant or not parts))).lstrip("+")
