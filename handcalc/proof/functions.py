"""Why the derivative of a function of the table is what its record says.

- `function_proof(call, by)`: from the definition by the rules, then to the record's own form; in cases where the function
  switches; by the inverse function, or by the limit of the difference quotient, where there is no definition.
- `formula_proof(text, expr, by)`: of any formula, by the rules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import permutations
from typing import Any

from handcalc.core.definitions import partial
from handcalc.core.derivative import RAW, differentiate
from handcalc.core.expr import ONE, Call, Expr, Ref, div, references, rewrite, sub, walk
from handcalc.core.functions import FUNCTIONS
from handcalc.core.graph import Graph
from handcalc.errors import Message
from handcalc.proof.cases import Branch, branches, is_switching, written
from handcalc.proof.checking import LIMIT, is_possible, places
from handcalc.proof.records import CaseKink, Ground, Proof, ProofPart, letters, listed
from handcalc.proof.rules import NOTHING, TIDIED, Blackboard, ProofLine, filled, free_letters, free_name, opened, put_in, replaced, spelled
from handcalc.proof.symbolic import difference, from_sympy, primitives, shorter, solved, to_sympy, vanishes
from handcalc.proof.tables import AREAS, INVERSES, LIMITS, POSITIVE, PUT_IN, REARRANGED, STARTS, KnownLine
from handcalc.render.blocks import Equal, FunctionName, Symbolic
from handcalc.training.gradcheck.differences import CONVENTIONS

DEFINITION = Message("definition")
KNOWN = Message("known")
OWN = Message("in one formula")
QUOTIENT = Message("The difference quotient, for {step} that goes to 0:")
AREA = Message("{function} is the area below {height}, from 0 to {x}: where the area ends it grows by its height there")
DECIDED = Message("in this case {facts}")
OWN_VALUE = Message("In terms of its own value:")
ITS_LIMIT = Message("its limit")
NAMES_OF_A_FORMULA = "fgFG"  # what a formula is called, if it has no such name in it


def function_proof(call: Call, by: Ref) -> Proof:
    """The derivative of f(z), each argument a name of its own."""
    work = _Function(call, by)
    return Proof(
        call.function,
        by,
        work.graph,
        Message("The derivative of {function}", function=FunctionName(call.function)),
        (Equal(call, work.start),) if work.start != call else (),
        tuple(work.parts()),
        work.slope,
        (work.ground,),
        Message(work.record.doc),
        tuple(name for name in work.names if name != by),
        tuple(work.kinks()),
    )


class _Function:
    """One function and how its derivative is found."""

    def __init__(self, call: Call, by: Ref) -> None:
        self.call, self.by = call, by
        self.record = FUNCTIONS[call.function]
        self.place = call.arguments.index(by)
        self.values: dict[str, Expr] = dict(zip(self.record.arguments, call.arguments))
        self.names = tuple(argument for argument in call.arguments if isinstance(argument, Ref))
        names = {name.quantity for name in self.names}
        self.step = Ref(free_name("h", names))
        self.letters = free_letters(names | {self.step.quantity})
        self.graph = letters(Graph(), *names, self.step.quantity, *self.letters.values())
        self.board = Blackboard(by, self.letters)
        self.slope = partial(call.function, self.place, call.arguments, call)
        self.left = opened(call) if len(call.arguments) == 1 else opened(call, by)
        text = self.record.definition or STARTS.get(self.record.name, "")
        self.start: Expr = written(put_in(text, self.values)) if text else call
        positive = POSITIVE.get(call.function, ())
        self.ground = Ground(by, positive=tuple(name for name, own in zip(self.names, self.record.arguments) if own in positive))
        cases = branches(call) if is_switching(call) else []
        self.cases = [case for case in cases if is_possible(case.conditions, self.ground)]

    def put(self, text: str, **others: Expr) -> Expr:
        """A formula of the tables in the letters of this function."""
        return put_in(text, {**self.values, "y": self.call, "h": self.step, **others}) if text else self.slope

    def parts(self) -> Iterator[ProofPart]:
        """The lines, in one of five ways."""
        name = self.record.name
        if self.cases:
            yield from map(self._case, self.cases)
        elif name in LIMITS:
            yield from self._limit(LIMITS[name])
        elif name in INVERSES:
            yield from self._inverse(INVERSES[name])
        elif name in AREAS:
            height = self.put(AREAS[name])
            reason = filled(AREA, function=Symbolic(self.call), height=Symbolic(height), x=Symbolic(self.by))
            yield ProofPart(self.left, (ProofLine(height, reason),))
        else:
            yield ProofPart(self.left, tuple(self._ruled()))

    def _ruled(self) -> Iterator[ProofLine]:
        """By the rules, and to the record's own form."""
        steps = REARRANGED.get(self.record.name, ()) if not self.place else ()
        yield from self._to_own(list(self.board.lines(self.start, DEFINITION if self.start != self.call else KNOWN)), steps)

    def _to_own(self, lines: list[ProofLine], steps: tuple[KnownLine, ...]) -> Iterator[ProofLine]:
        yield from lines
        last = lines[-1].formula
        for step in steps:
            last = self.put(step.formula)
            yield ProofLine(last, self._reason(step))
        named = isinstance(self.slope, Call) and self.slope.function == self.record.name + "'"
        if last != self.slope and not named:
            yield ProofLine(self.slope, OWN if self.cases else TIDIED)

    def _reason(self, step: KnownLine) -> Message:
        """The text of a step with its equation."""
        if not step.fact:
            return step.text
        left, *right = map(self.put, step.fact.split("="))
        return filled(step.text, fact=Equal(left, right[0]) if right else Symbolic(left))

    # --- in cases ---

    def _case(self, branch: Branch) -> ProofPart:
        """By the rules where the conditions hold."""
        lines = [ProofLine(opened(self.start), DEFINITION)] if self.start != self.call else []
        return ProofPart(self.left, tuple(self._to_own([*lines, *case_lines(self.board, branch)], ())), branch.conditions)

    # --- functions without a definition ---

    def _limit(self, steps: tuple[KnownLine, ...]) -> Iterator[ProofPart]:
        """(f(x + h) − f(x))/h and what it goes to for h → 0."""
        moved = self.call.replace(arguments=(RAW.add(self.by, self.step),))
        lines = [ProofLine(self.put(step.formula), self._reason(step)) for step in steps]
        lines[-1] = lines[-1].replace(relation=LIMIT)
        quotient = RAW.div(sub(moved, self.call), self.step)
        yield ProofPart(quotient, tuple(lines), before=filled(QUOTIENT, step=Symbolic(self.step)))
        yield ProofPart(self.left, tuple(self._to_own([ProofLine(lines[-1].formula, ITS_LIMIT)], ())))

    def _inverse(self, text: str) -> Iterator[ProofPart]:
        """Both sides of g(f(x)) = x, differentiated: g′(f(x))·f′(x) = 1."""
        whole = self.put(text)
        back = Equal(whole, self.by)
        lines = [self.board.once(opened(whole)), ProofLine(opened(self.by), filled(PUT_IN, fact=back)), ProofLine(ONE, NOTHING)]
        yield ProofPart(opened(whole), tuple(lines), before=Message("Both sides of {fact} have the same derivative.", fact=back))
        slope = differentiate(self.put(text, y=self.step), self.step)
        factor = rewrite(slope, lambda node: self.call if node == self.step else None)
        solved = ProofLine(div(ONE, factor), Message("divided by {factor}", factor=Symbolic(factor)))
        own = [ProofLine(self.slope, filled(PUT_IN, fact=back))] if self.slope != solved.formula else []
        yield ProofPart(self.left, (solved, *own))

    # --- kinks ---

    def kinks(self) -> Iterator[CaseKink]:
        """What happens where two cases meet."""
        yield from kinks(self.cases, self.ground, self.slope, CONVENTIONS.get(self.record.name, ""))


def case_lines(board: Blackboard, branch: Branch) -> Iterator[ProofLine]:
    """The derivative in one case: what is decided there, as short as can be, and by the rules."""
    reason = filled(DECIDED, facts=listed([fact for fact in branch.decided if references(fact.left)]))
    short = shorter(branch.expr)
    if short is not None:
        yield ProofLine(opened(branch.expr), reason)
    yield from shortened(list(board.lines(short or branch.expr, reason if short is None else TIDIED)))


def shortened(lines: list[ProofLine]) -> list[ProofLine]:
    """The lines with the last one as short as SymPy can write it."""
    last = lines[-1]
    short = shorter(last.formula)
    if short is None or spelled(short) == spelled(last.formula):
        return lines
    return [*(lines[:-1] if last.reason is TIDIED else lines), ProofLine(short, TIDIED)]


def kinks(cases: list[Branch], ground: Ground, slope: Expr, convention: str) -> Iterator[CaseKink]:
    """Where two cases meet and differ; slope: the derivative in one formula."""
    for above, below in permutations(cases, 2):
        for where in above.conditions:
            if where.relation != ">" or where.replace(relation="<") not in below.conditions:
                continue
            others = [other for other in (*above.conditions, *below.conditions) if (other.left, other.right) != (where.left, where.right)]
            place = next((place for place in places((where,), ground, 0) if all(_holds(other, place) for other in others)), None)
            if place is not None and ground.by in references(where.left) + references(where.right):
                yield from _kink(where, below, above, place, ground.by, slope, convention)


def _kink(
    where: Equal, below: Branch, above: Branch, place: Callable[[Any], Any], by: Ref, slope: Expr, convention: str
) -> Iterator[CaseKink]:
    """What two cases come to where they meet, unless it is the same."""

    def there(expr: Expr) -> Expr:
        cells = (*references(expr), *references(where.left), *references(where.right))
        return from_sympy(place(to_sympy(expr, primitives())), cells) or expr

    sides = [differentiate(case.expr, by) for case in (below, above)]
    jump, bend = (not vanishes(place(to_sympy(difference(*pair), primitives()))) for pair in ((below.expr, above.expr), sides))
    if jump or bend:
        yield CaseKink(where.replace(relation="="), there(sides[0]), there(sides[1]), there(slope), jump, convention)


def _holds(where: Equal, place: Callable[[Any], Any]) -> bool:
    """Whether a condition holds where cases meet."""
    gap = place(to_sympy(difference(where.left, where.right), primitives()))
    return bool(gap.is_positive if where.relation == ">" else gap.is_negative)


# --- formulas ---------------------------------------------------------------------------------------------------------


def formula_proof(text: str, expr: Expr, by: Ref) -> Proof:
    """The derivative of a formula of names."""
    names = [ref.quantity for ref in references(expr)]
    called = free_name(NAMES_OF_A_FORMULA, names)
    rules = free_letters({*names, called})
    board = Blackboard(by, rules)
    lines = shortened(list(board.lines(expr, DEFINITION)))
    left = opened(Ref(called)) if len(names) == 1 else opened(Ref(called), by)
    own = _own_value(expr, lines[-1].formula, Ref(called), left)
    return Proof(
        text,
        by,
        letters(Graph(), *names, called, *rules.values()),
        Message("The derivative of {formula}", formula=Symbolic(expr)),
        (Equal(Ref(called), expr),),
        (ProofPart(left, tuple(lines)), *own),
        lines[-1].formula,
        (Ground(by, lambda whole: rewrite(whole, lambda node: expr if node == Ref(called) else None)),),
        constants=tuple(ref for ref in references(expr) if ref != by),
    )


def _own_value(expr: Expr, slope: Expr, value: Ref, left: Expr) -> list[ProofPart]:
    """The derivative in terms of the function's own value: f = 1/(1 + E) says that E = 1/f − 1, which is put in.

    Nothing where there is no single power of e that could be expressed so, or where it makes nothing shorter.
    """
    powers = {node for node in walk(expr) if isinstance(node, Call) and node.function == "exp" and references(node)}
    place = Ref("e^")  # no name that can be typed
    if len(powers) != 1:
        return []
    (whole,) = powers

    def exchanged(expr: Expr, old: Expr, new: Expr) -> Expr:
        return replaced(expr, lambda node: new if node == old else None)

    bare, rest = (exchanged(side, whole, place) for side in (expr, slope))
    if not {*references(whole)}.isdisjoint(references(bare) + references(rest)) or place not in references(rest):
        return []
    back = solved(bare, value, place)
    found = shorter(exchanged(slope, whole, back), factors=True) if back else None
    if not back or not found or value not in references(found) or len(spelled(found)) >= len(spelled(slope)):
        return []
    put = ProofLine(exchanged(slope, whole, back), filled(PUT_IN, fact=Equal(whole, back)))
    lines = [put] if spelled(put.formula) == spelled(found) else [put, ProofLine(found, TIDIED)]
    return [ProofPart(left, tuple(lines), before=OWN_VALUE)]
