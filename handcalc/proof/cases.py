"""Functions in pieces: the cases of an expression, and what it is in each.

- `branches(expr)` are the cases: conditions, and the expression without the functions that switch there.
- `is_switching(expr)` says whether there are any, `switches(expr)` how many functions switch.
- `written(expr)` is the expression with the definitions put in of functions that switch.

SWITCHES says where a function switches and what it is on both sides; others switch where their definition does. The absolute
value is a case of its own only where nothing else switches: its derivative, sign(x), needs none.
"""

from __future__ import annotations

from collections.abc import Iterator

from handcalc.core.definitions import definition
from handcalc.core.expr import ZERO, Call, Expr, Negation, Number, Sum, children, div, neg, number, rewrite, walk
from handcalc.core.functions import FUNCTIONS
from handcalc.core.instance import evaluate
from handcalc.core.record import Record
from handcalc.proof.rules import put_in, tidied
from handcalc.render.blocks import Equal

# function → in its arguments: left and right side of where it switches, what it is where left > right, and where left < right
SWITCHES = {
    "max": ("a", "b", "a", "b"),
    "min": ("a", "b", "b", "a"),
    "sign": ("z", "0", "1", "-1"),
    "abs": ("x", "0", "x", "-x"),
}
ALONE = "abs"
OTHER = {">": "<", "<": ">"}


class Branch(Record):
    """What an expression is where all conditions hold; decided: what the functions are there that switch."""

    conditions: tuple[Equal, ...]
    expr: Expr
    decided: tuple[Equal, ...] = ()


def is_switching(expr: Expr) -> bool:
    """Whether an expression has cases."""
    return switches(expr) > 0


def switches(expr: Expr) -> int:
    """How many functions switch in an expression."""
    return len({node for node in walk(written(expr)) if isinstance(node, Call) and node.function in SWITCHES})


def branches(expr: Expr, conditions: tuple[Equal, ...] = ()) -> list[Branch]:
    """The cases of an expression; conditions: what is known before."""
    whole = written(expr)
    return list(_branches(Branch(conditions, whole), _has_others(whole)))


def written(expr: Expr) -> Expr:
    """The expression with the definitions put in of functions that switch."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Call) and node.function in FUNCTIONS and node.function not in SWITCHES:
            inner = definition(node.function, node.arguments, node.at)
            if inner is not None and is_switching(inner):
                return written(inner)
        return None

    return rewrite(expr, change)


def _has_others(expr: Expr) -> bool:
    return any(isinstance(node, Call) and node.function in SWITCHES and node.function != ALONE for node in walk(expr))


def _branches(branch: Branch, others: bool) -> Iterator[Branch]:
    """Decide one function after the other, the innermost first."""
    call = _next(branch.expr, others)
    if call is None:
        yield branch
        return
    if all(isinstance(argument, Number) for argument in call.arguments):
        value = number(f"{evaluate(call, lambda ref: ref, exact=True)}")
        yield from _branches(_decided(branch, call, value), others)
        return
    values = dict(zip(FUNCTIONS[call.function].arguments, call.arguments))
    left, right, above, below = (put_in(text, values) for text in SWITCHES[call.function])
    where = _normal(left, right)
    known = next((known.relation for known in branch.conditions if (known.left, known.right) == (where.left, where.right)), None)
    for relation in (known,) if known else (">", "<"):
        taken = _decided(branch, call, above if relation == where.relation else below)
        if not known:
            taken = taken.replace(conditions=(*branch.conditions, where.replace(relation=relation)))
        yield from _branches(taken, others)


def _next(expr: Expr, others: bool) -> Call | None:
    """The first function that is to be decided, with nothing inside it that is."""
    for part in children(expr):
        found = _next(part, others)
        if found is not None:
            return found
    switching = isinstance(expr, Call) and expr.function in SWITCHES
    fixed = switching and all(isinstance(part, Number) for part in children(expr))
    return expr if isinstance(expr, Call) and switching and (fixed or not others or expr.function != ALONE) else None


def _decided(branch: Branch, call: Call, chosen: Expr) -> Branch:
    expr = tidied(rewrite(branch.expr, lambda node: chosen if node == call else None))
    return branch.replace(expr=expr, decided=(*branch.decided, Equal(call, chosen)))


def _normal(left: Expr, right: Expr) -> Equal:
    """left > right with a number on the right and no sign on the left: 0 > −z is z > 0, 1 − x > 0 is x < 1,
    x + 3 > 6 is x > 3."""
    relation = ">"
    if left == ZERO:
        left, right, relation = right, left, OTHER[relation]
    if isinstance(left, Number) and not isinstance(right, Number):
        left, right, relation = right, left, OTHER[relation]
    match left, right:
        case Sum((first, second)), Number(0):
            left, right = first, neg(second)
        case Sum((first, Number(above, below))), Number(over, under):
            left, right = first, div(Number(over * below - above * under), Number(under * below))
    if isinstance(left, Number) and not isinstance(right, Number):
        left, right, relation = right, left, OTHER[relation]
    if isinstance(left, Negation) and right == ZERO:
        left, relation = left.operand, OTHER[relation]
    return Equal(left, right, relation)
