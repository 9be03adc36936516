"""Comparisons over the steps of a solution, such as `abs(net.*) <= 2`: `comparison(text)` reads one.

Names are ids of steps and of given numbers, or patterns of them with * and ?. The sides are formulas of core/formula.py, in which each
name is a reference of its own; nothing is ever executed. What the names mean is found where there is a solution.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from handcalc.core import formula
from handcalc.core.expr import Expr, Ref
from handcalc.core.functions import FUNCTIONS
from handcalc.core.record import Record
from handcalc.errors import Message

SIGNS: dict[str, Callable[[float, float], bool]] = {
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: left != right,
    "≤": lambda left, right: left <= right,
    "≥": lambda left, right: left >= right,
    "≠": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
}
_SIGN = re.compile("|".join(map(re.escape, SIGNS)))
# a name begins with a letter, or with * before a point; * and ? belong to it beside a point or @, or where no operand can follow
_WILD = r"(?:\?|(?<=[.@*?])\*|\*(?=[.@](?!\d))|\*(?=\s*(?:$|[<>=!≤≥≠),/^+\-−])))"
_NAME = re.compile(rf"(?:#\d+:)?(?:[^\W\d]|{_WILD})(?:[\w.'′@]|\[[^\]]*\]|{_WILD})*")


class Comparison(Record):
    """left sign right; names: the ids and patterns of its references, which are called by their places."""

    left: Expr
    sign: str
    right: Expr
    names: tuple[str, ...]

    def holds(self, left: float, right: float) -> bool:
        """Whether it holds of two numbers."""
        return SIGNS[self.sign](left, right)


def is_comparison(text: str) -> bool:
    """Whether a text compares something."""
    return _SIGN.search(text) is not None


def comparison(text: str) -> Comparison | Message:
    """The comparison a text stands for, or what is wrong with it."""
    signs = _SIGN.findall(text)
    if len(signs) != 1:
        return Message("expected one comparison, such as abs(net.*) <= 2, found {found}", found=f'"{text[:60]}"')
    places: dict[str, str] = {}
    try:
        left, right = (_read(side, places) for side in _SIGN.split(text))
    except formula.FormulaError as error:
        return Message("not a formula: {reason}", reason=Message(error.template, "", **error.values))
    return Comparison(left, signs[0], right, tuple(places))


def _read(side: str, places: dict[str, str]) -> Expr:
    """The formula of one side; places: name → what it is called in formulas. Raises FormulaError."""

    def called(found: re.Match[str]) -> str:
        name, is_called = found[0], side[found.end() :].lstrip().startswith("(")
        if name in FUNCTIONS and (is_called or not FUNCTIONS[name].arguments):
            return name
        return places.setdefault(name, f"step_{len(places) + 1}")

    text = _NAME.sub(called, side)
    known = {place: Ref(place) for place in places.values()}
    return formula.parse(text, known.get)
