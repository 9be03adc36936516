"""Symbols as data: a letter with indices, or a derivative of one by another. How they are typeset is the printer's."""

from __future__ import annotations

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
    """∂top/∂bottom; via: what a path runs through; sample as in Symbol."""

    top: Symbol
    bottom: Symbol
    via: Symbol | None = None
    sample: str = ""


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
