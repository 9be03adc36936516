"""Every line of a proof, checked by SymPy against the line before.

- `confirmed(proof, seconds)` is the proof with what could be shown of each line. Raises Refuted where a line is wrong.

A line is shown symbolically, or else by numbers at many points. In a case such as t·o < 1 one cell is expressed by how far
it is on its side (t·o = 1 − p, with p > 0), so that SymPy sees it; where it cannot, points of that side are taken. What a
reason claims, such as 1 + e^(−z) = 1/y, is checked as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from random import Random
from typing import Any

from handcalc.core.derivative import differentiate
from handcalc.core.expr import Call, Expr, Ref, references, rewrite, walk
from handcalc.core.instance import evaluate
from handcalc.errors import HandcalcError, Message
from handcalc.proof.cases import branches, switches
from handcalc.proof.records import Ground, Proof, ProofPart
from handcalc.proof.rules import spelled
from handcalc.proof.symbolic import difference, is_small, primitives, proved, symbol, taken_by, to_sympy, vanishes
from handcalc.render.blocks import Equal
from handcalc.render.printer import PRIME

POINTS, TRIES = 24, 2000  # where numbers are compared
DIGITS, CLOSE = 40, 1e-25  # of a comparison
WIDE = (3.0, 3.0, 0.3, 30.0, 300.0)  # how far from 0 numbers are
LONGEST = 200  # letters of a formula in an error
SWITCHES_LIMIT = 6  # functions that switch in an expression whose cases are gone through
LIMIT = "→"  # the relation of a line that is a limit: what it does not name any more goes to 0

NO_ANSWER = (ArithmeticError, RecursionError, TypeError, ValueError, NotImplementedError, AttributeError)  # SymPy gives up

Claim = tuple[Expr, Expr, str]  # left, right, relation


class Refuted(HandcalcError):
    """A line that is not true: a mistake in this program, or a function outside its domain, such as a huber of negative width."""

    exit_code = 3

    def __init__(self, left: Expr, right: Expr) -> None:
        text = "SymPy refutes {left} = {right}: a function outside its domain, or an error in handcalc; then please report it"
        super().__init__(Message(text, left=spelled(left)[:LONGEST], right=spelled(right)[:LONGEST]))


def confirmed(proof: Proof, seconds: float | None = None) -> Proof:
    """The proof with its lines checked. Raises Refuted.

    seconds: what SymPy may take in another process, for formulas that a user typed; None: as long as it takes, here.
    """
    return proof.replace(parts=tuple(_part(part, proof, seconds) for part in proof.parts))


def _part(part: ProofPart, proof: Proof, seconds: float | None) -> ProofPart:
    claims: list[tuple[int, Claim]] = []  # with the line they belong to
    before = part.left
    for place, line in enumerate(part.lines):
        claims.append((place, (before, line.formula, line.relation)))
        claims += [(place, (fact.left, fact.right, "=")) for fact in _facts(line.reason, proof)]
        before = line.formula
    if part.left == proof.parts[-1].left:
        _compare_with_used(before, part, proof, seconds is None)
    shown = _in_time([claim for _, claim in claims], proof, seconds) if seconds else set()
    found: dict[int, set[str]] = {}
    for number, (place, claim) in enumerate(claims):
        found.setdefault(place, set()).add("symbolic" if number in shown else _checked(claim, part, proof, seconds is None))
    return part.replace(lines=tuple(line.replace(checked=_least(found[place])) for place, line in enumerate(part.lines)))


def _least(checked: Collection[str]) -> str:
    """The weakest of several results."""
    return next(way for way in ("", "numeric", "symbolic") if way in checked)


def _in_time(claims: list[Claim], proof: Proof, seconds: float) -> set[int]:
    (ground,) = proof.grounds
    return proved([difference(ground.instance(left), ground.instance(right)) for left, right, _ in claims], seconds, ground.by)


def _compare_with_used(last: Expr, part: ProofPart, proof: Proof, thorough: bool) -> None:
    """The last line is what the solver uses: the result, and the gradient of its own chain rule."""
    if last != proof.result:
        _checked((last, proof.result, "="), part, proof, thorough)
    for ground in part.grounds or proof.grounds:
        if ground.used is not None:
            _checked((ground.instance(last), ground.used, "="), part.replace(grounds=(Ground(ground.by),)), proof, thorough)


def _checked(claim: Claim, part: ProofPart, proof: Proof, thorough: bool) -> str:
    """symbolic, numeric, or "" where there is no point at which both sides have a value. Raises Refuted."""
    (left, right, relation), conditions = claim, part.conditions
    results = []
    for ground in part.grounds or proof.grounds:
        sides = ground.instance(left), ground.instance(right)
        if relation == LIMIT:
            results.append("symbolic" if _approaches(*sides) else _refuse(claim))
        elif _shown(difference(*sides), ground, conditions, thorough):
            results.append("symbolic")
        else:
            agree = list(_compared(*sides, ground, conditions))
            results.append(_refuse(claim) if not all(agree) else "numeric" if agree else "")
    return _least(results)


def _refuse(claim: Claim) -> str:
    raise Refuted(*claim[:2])


def _facts(reason: Message, proof: Proof) -> Iterator[Equal]:
    """The equations in a reason that are claims about the letters of the proof, and no rules or names."""
    every = (side for part in proof.parts for side in (part.left, *(line.formula for line in part.lines)))
    known = {ref.quantity for side in every for ref in references(side)}
    for value in reason.values.values():
        if isinstance(value, Message):
            yield from _facts(value, proof)
        elif isinstance(value, Equal) and value.relation == "=":
            if all(ref.quantity in known for side in (value.left, value.right) for ref in references(side)):
                yield value


# --- symbolically -----------------------------------------------------------------------------------------------------


def _shown(gap: Expr, ground: Ground, conditions: tuple[Equal, ...], thorough: bool) -> bool:
    """Whether SymPy can show that a difference is zero: as it is, with the condition put in, or case by case; quickly first."""
    if not thorough and not is_small(gap):
        return False
    known = tuple(where.replace(left=ground.instance(where.left), right=ground.instance(where.right)) for where in conditions)

    def ways() -> Iterator[list[Any]]:
        """Each a list of what must be zero."""
        yield [_written(gap, ground)]
        yield from ([place(_written(gap, ground))] for place in places(conditions, ground))
        if 0 < switches(gap) <= SWITCHES_LIMIT:
            yield [_written(branch.expr, ground) for branch in branches(gap, known)]

    return any(_all_vanish(way, everything) for everything in ((False, True) if thorough else (False,)) for way in _tried(ways()))


def _all_vanish(found: list[Any], thorough: bool) -> bool:
    with suppress(*NO_ANSWER):
        return all(vanishes(expr, thorough) for expr in found)
    return False


def _tried(ways: Iterator[list[Any]]) -> Iterator[list[Any]]:
    """What SymPy can make of them; the rest ends where it cannot."""
    with suppress(*NO_ANSWER):
        yield from ways


def _written(expr: Expr, ground: Ground) -> Any:
    import sympy

    positive = {symbol(cell): sympy.Symbol(cell.quantity, positive=True) for cell in ground.positive}
    return to_sympy(expr, primitives(), ground.by).subs(positive)


def places(conditions: tuple[Equal, ...], ground: Ground, margin: Any = None) -> Iterator[Callable[[Any], Any]]:
    """Ways to say in SymPy that a condition holds: one of its cells is expressed by the others and by a positive margin."""
    import sympy

    margin = sympy.Symbol("p", positive=True) if margin is None else margin
    if len(conditions) != 1:
        return
    where = conditions[0]
    left, right = (to_sympy(ground.instance(side), primitives()) for side in (where.left, where.right))
    for cell in sorted(left.free_symbols | right.free_symbols, key=lambda cell: (cell != symbol(ground.by), cell.name)):
        gap = left - right - (margin if where.relation == ">" else -margin)
        if gap.diff(cell, 2) == 0 and not gap.diff(cell).has(sympy.Abs, sympy.sign):
            (answer,) = sympy.solve(gap, cell)

            def place(whole: Any, cell: Any = cell, answer: Any = answer) -> Any:
                return whole.subs(cell, answer)

            yield place


def _approaches(left: Expr, right: Expr) -> bool:
    import sympy

    (cell,) = {*references(left)} - {*references(right)}
    return bool(sympy.limit(to_sympy(difference(left, right), primitives()), symbol(cell), 0) == 0)


# --- by numbers -------------------------------------------------------------------------------------------------------


def _compared(left: Expr, right: Expr, ground: Ground, conditions: tuple[Equal, ...]) -> Iterator[bool]:
    """Whether both sides are equal at one point after the other, with DIGITS digits."""
    import sympy

    whole = [taken(side, ground.by) for side in (left, right)]
    cells = list(dict.fromkeys(ref for side in (left, right) for ref in references(side)))
    try:
        written = [to_sympy(side, primitives(), ground.by) for side in (left, right)]
    except OverflowError:  # numbers too large for SymPy
        return
    found = 0
    for point in _points(cells, ground, conditions):
        try:
            numbers = [float(evaluate(part, point.__getitem__)) for side in whole for part in walk(side)]
        except (ArithmeticError, ValueError):
            continue
        if all(map(math.isfinite, numbers)):
            put = {symbol(cell): sympy.Float(value, DIGITS) for cell, value in point.items()}
            ours, theirs = (side.xreplace(put).evalf(DIGITS) for side in written)
            if ours.is_number and theirs.is_number and ours.is_finite and theirs.is_finite:
                yield bool(abs(ours - theirs) <= CLOSE * max(1, *map(abs, numbers)))
                found += 1
        if found == POINTS:
            return


def is_possible(conditions: tuple[Equal, ...], ground: Ground) -> bool:
    """Whether there are points at which all conditions hold."""
    return next(_points([], ground, conditions), None) is not None


def _points(cells: list[Ref], ground: Ground, conditions: tuple[Equal, ...]) -> Iterator[dict[Ref, float]]:
    """Points of a case, the same every time."""
    random = Random(repr(cells))
    sides = [(ground.instance(where.left), ground.instance(where.right), where.relation) for where in conditions]
    every = list(dict.fromkeys((*cells, *(ref for left, right, _ in sides for side in (left, right) for ref in references(side)))))
    for _ in range(TRIES):
        wide = random.choice(WIDE)
        point = {cell: random.uniform(-wide * (cell not in ground.positive), wide) for cell in every}
        with suppress(ArithmeticError, ValueError):
            if all(
                (evaluate(left, point.__getitem__) > evaluate(right, point.__getitem__)) == (relation == ">")
                for left, right, relation in sides
            ):
                yield point


def taken(expr: Expr, by: Ref | None = None) -> Expr:
    """The expression with the derivatives taken that are still open."""

    def change(node: Expr) -> Expr | None:
        if isinstance(node, Call) and node.function == PRIME:
            inner, *named = node.arguments
            return differentiate(taken(inner, by), taken_by(named, by))
        return None

    return rewrite(expr, change)
