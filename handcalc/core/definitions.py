"""The formulas of functions, put on arguments: what a function is in simpler ones, and its partial derivatives.

- `definition(name, arguments, at)`, `partial(name, place, arguments, y)`; both read the records of functions.py.
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.core.expr import Expr, Ref, add, call, div, mul, rewrite, sub
from handcalc.core.formula import any_name, parse
from handcalc.core.functions import FUNCTIONS

_parsed: dict[str, Expr] = {}


def _formula(text: str) -> Expr:
    if text not in _parsed:
        _parsed[text] = parse(text, any_name)
    return _parsed[text]


def put(text: str, values: dict[str, Expr]) -> Expr:
    """A formula of the table with its names replaced by expressions, in the written order and untidied."""
    return rewrite(_formula(text), lambda node: values[node.quantity] if isinstance(node, Ref) else None)


def definition(name: str, arguments: Sequence[Expr], at: int = -1) -> Expr | None:
    """f written with simpler functions, or None for a primitive."""
    record = FUNCTIONS[name]
    if record.family:
        powers = [call("exp", argument) for argument in arguments]
        whole = add(*powers)
        forms = {
            "softmax": lambda: div(powers[at], whole),
            "logsumexp": lambda: call("ln", whole),
            "log_softmax": lambda: sub(arguments[at], call("ln", whole)),
        }
        return forms[name]()
    if not record.definition:
        return None
    return put(record.definition, dict(zip(record.arguments, arguments)))


def partial(name: str, place: int, arguments: Sequence[Expr], y: Expr) -> Expr:
    """∂f/∂argument of a scalar function; `y` stands for the function's own value."""
    record = FUNCTIONS[name]
    if len(arguments) > 2 and record.variadic:  # larger than all after it, and than all before it
        sides = ((0, "a", "b", arguments[place + 1 :]), (1, "b", "a", arguments[:place]))
        return mul(
            *(
                put(record.partials[which], {own: arguments[place], other: call(name, *rest) if len(rest) > 1 else rest[0]})
                for which, own, other, rest in sides
                if rest
            )
        )
    return put(record.partials[place], {**dict(zip(record.arguments, arguments)), "y": y})
