"""Symbols as data: a letter with indices, or a derivative of one by another. How they are typeset is the printer's."""

from __future__ import annotations

import re

from handcalc.core.record import Record


class Symbol(Record):
    """base with subscript, superscript, a mark (+ after an update) and the sample it belongs to.

    typed: the spelling of a name the user chose, kept where the dialect is plain text.
    """

    base: str
    sub: str = ""
    sup: str = ""
    mark: str = ""
    sample: str = ""
    typed: str = ""


class Derivative(Record):
    """∂top/∂bottom; via: the neighbour a path runs through; sample as in Symbol."""

    top: Symbol
    bottom: Symbol
    via: str = ""
    sample: str = ""


Name = Symbol | Derivative

_TYPED = re.compile(r"([^\W\d_]+)_?(\w*?)('*)$")


def typed(name: str) -> Symbol:
    """The symbol of a name the user chose: w5 is w with subscript 5."""
    found = _TYPED.match(name)
    if not found or not found[1]:
        return Symbol(name, typed=name)
    return Symbol(found[1], found[2], found[3], typed=name)
