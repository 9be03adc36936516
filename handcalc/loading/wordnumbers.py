"""Numbers that go with a word of the file, such as `{adam: {beta1: 0.8}}`: those that are given, else the usual ones.

- `word_numbers(part, usual)` reads them; `put_in(text, numbers)` is a formula with them in it.
"""

from __future__ import annotations

from collections.abc import Mapping

from handcalc.core import formula
from handcalc.core.expr import Expr, Number, Ref, number, rewrite
from handcalc.problem.values import Section


def word_numbers(part: Section, usual: Mapping[str, str]) -> dict[str, Number]:
    """The numbers of a word; without those that are wrong, or missing where no value is usual."""
    found = {key: part.value(key) if key in part else number(text) if text else None for key, text in usual.items()}
    return {key: Number(one) if isinstance(one, int) else one for key, one in found.items() if one is not None}


def put_in(text: str, numbers: Mapping[str, Number]) -> Expr:
    """A formula with numbers for some of its names."""
    return rewrite(formula.parse(text, formula.any_name), lambda node: numbers.get(node.quantity) if isinstance(node, Ref) else None)
