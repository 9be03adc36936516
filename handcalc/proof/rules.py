"""The derivative of an expression as on a blackboard: one rule, the derivatives that are left, the next rule.

- `Blackboard(by, letters, known).lines(expr)` are the lines; `ProofLine` is one, its reason a message with formulas in it.
- `opened(expr)` is a derivative still to be taken, `tidied(expr)` an expression with its numbers multiplied out.

RULES is the table of rules. What is printed as the reason is the entry that is applied. The derivative of a function is
its record's; constants, sums and Σ are gone through without a line of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from fractions import Fraction
from itertools import chain, count
from typing import Any, TypeGuard

from handcalc.core import formula
from handcalc.core.definitions import partial
from handcalc.core.derivative import RAW
from handcalc.core.expr import (
    ONE,
    REBUILD,
    ZERO,
    Call,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Total,
    children,
    div,
    neg,
    number,
    power,
    references,
    reindex,
    total,
    walk,
)
from handcalc.core.index import Index
from handcalc.core.record import Record
from handcalc.errors import Message
from handcalc.render.blocks import Equal, Symbolic
from handcalc.render.dialects import PLAIN
from handcalc.render.printer import PRIME, Printer


class ProofLine(Record):
    """One line: what it says, why it follows from the one before (→: in the limit), and how it was checked.

    checked: symbolic, numeric, or "" before it is.
    """

    formula: Expr
    reason: Message
    relation: str = "="
    checked: str = ""


class DerivativeRule(Record):
    """(pattern)' = result. c is constant, u and v are not; u' and v' are their derivatives."""

    pattern: str
    result: str
    text: Message


# The rules for one node; the first that fits is taken.
RULES = (
    DerivativeRule("u*v", "u'*v + u*v'", Message("product rule: {rule}")),
    DerivativeRule("u*v*w", "u'*v*w + u*v'*w + u*v*w'", Message("product rule: {rule}")),
    DerivativeRule("c/u", "-(c*u')/u^2", Message("reciprocal rule: {rule}")),
    DerivativeRule("u/v", "(u'*v - u*v')/v^2", Message("quotient rule: {rule}")),
    DerivativeRule("u^c", "c*u^(c - 1)*u'", Message("power rule: {rule}")),
    DerivativeRule("c^u", "c^u*ln(c)*u'", Message("chain rule: {rule}")),
    DerivativeRule("u^v", "u^v*(v'*ln(u) + v*u'/u)", Message("both vary: {rule}")),
)
CHAIN = Message("chain rule: {rule}")
PART = Message("{reason} with {part}")
KNOWN = Message("{rule}")
LINEAR = Message("{by} is there to the first power only")
ABSENT = Message("{by} does not occur in it")
TERMWISE = Message("term by term")
ONE_TERM = Message("{by} is in the term {index} only")
TIDIED = Message("simplified")
NOTHING = Message("")
CANDIDATES = {"u": "upqr", "v": "vsmn", "w": "wlij", "c": "ckab"}  # letters of the rules, the first that is free


def opened(expr: Expr, by: Expr | None = None) -> Expr:
    """A derivative still to be taken: (expr)', or ∂expr/∂by."""
    return Call(PRIME, (expr,) if by is None else (expr, by))


def is_open(expr: Expr) -> bool:
    """Whether there is a derivative still to be taken in an expression."""
    return any(isinstance(node, Call) and node.function == PRIME for node in walk(expr))


def free_letters(names: set[str]) -> dict[str, str]:
    """The letters of the rules, each another than the names in use, and their derivatives."""
    chosen = {letter: free_name(others, names | {name.rstrip("'") for name in names}) for letter, others in CANDIDATES.items()}
    return chosen | {letter + "'": other + "'" for letter, other in chosen.items()}


def free_name(candidates: str, names: Collection[str]) -> str:
    """The first letter that is no name in use, else the first with a number."""
    return next(name for name in chain(candidates, (f"{candidates[0]}_{number}" for number in count())) if name not in names)


def joined(reasons: list[Message]) -> Message:
    """One reason after the other."""
    whole = reasons[0] if reasons else NOTHING
    for reason in reasons[1:]:
        whole = Message("{first}; {second}", first=whole, second=reason)
    return whole


def filled(text: Message, **values: Any) -> Message:
    """A message of the tables above with what goes into it."""
    return Message(text.template, **values)


# --- rebuilding -------------------------------------------------------------------------------------------------------


def _raw_quotient(above: Expr, below: Expr) -> Expr:
    if isinstance(above, Number) and isinstance(below, Number):
        return div(above, below)
    return neg(RAW.div(above.operand, below)) if isinstance(above, Negation) else RAW.div(above, below)


def _raw_sum(*terms: Expr) -> Expr:
    """A sum; n − 1 of a number is a number."""
    match terms:
        case Number() as first, Negation(Number() as second):
            return number(f"{Fraction(first.numerator, first.denominator) - Fraction(second.numerator, second.denominator)}")
    return RAW.add(*terms)


# node → the node with other parts, as the rules give it
_RAW: dict[type[Expr], Callable[[Any, list[Expr]], Expr]] = REBUILD | {
    Sum: lambda e, inner: _raw_sum(*inner),
    Product: lambda e, inner: RAW.mul(*inner),
    Quotient: lambda e, inner: _raw_quotient(*inner),
    Power: lambda e, inner: power(*inner),
}


def replaced(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """The expression with `change` applied from the outside in, nothing multiplied out."""
    changed = change(expr)
    if changed is not None:
        return changed
    parts = children(expr)
    inner = [replaced(part, change) for part in parts]
    return expr if all(new is old for new, old in zip(inner, parts)) else _RAW[type(expr)](expr, inner)


def put_in(text: str, values: Mapping[str, Expr]) -> Expr:
    """A formula of the tables with its letters replaced."""
    return replaced(formula.parse(text, formula.any_name), lambda node: values[node.quantity] if isinstance(node, Ref) else None)


def tidied(expr: Expr) -> Expr:
    """The expression with signs and numbers multiplied out."""
    parts = [tidied(part) for part in children(expr)]
    return REBUILD[type(expr)](expr, parts) if parts else expr


KnownDerivative = Callable[[Ref], tuple[Expr, Message] | None]


def spelled(expr: Expr) -> str:
    """An expression as text, to see whether two look alike."""
    return Printer(PLAIN, _named).text(expr)


def _named(cell: Ref) -> str:
    places = ",".join(str(getattr(place, "letter", place)) for place in cell.indices)
    return f"{cell.quantity}[{places}]" if places else cell.quantity


# --- differentiating --------------------------------------------------------------------------------------------------


class Blackboard:
    """Differentiates by one cell.

    letters: those of the rules (see `free_letters`); known: a cell that depends on it, with its derivative and the reason.
    """

    def __init__(self, by: Ref, letters: Mapping[str, str], known: KnownDerivative = lambda cell: None) -> None:
        self.by = by
        self.letters = {letter: Ref(other) for letter, other in letters.items()}
        self.known = known
        self._notes: dict[str, Message] = {}
        self._used: dict[str, list[tuple[Message, Expr | None]]] = {}
        self._said: set[str] = set()

    def lines(self, expr: Expr, reason: Message) -> Iterator[ProofLine]:
        """(expr)' and what comes of it, to the last derivative, and tidied."""
        current = opened(expr)
        yield ProofLine(current, reason)
        while is_open(current):
            line = self.once(current)
            yield line
            current = line.formula
        tidy = tidied(current)
        if spelled(tidy) != spelled(current):
            yield ProofLine(tidy, TIDIED)

    def once(self, current: Expr) -> ProofLine:
        """The line after one: a rule applied to every derivative that is still to be taken."""
        self._notes, self._used = {}, {}
        found = replaced(current, lambda node: self._applied(node.arguments[0]) if _open(node) else None)
        return ProofLine(found, self._reason())

    def depends(self, expr: Expr, bound: frozenset[Index] = frozenset()) -> bool:
        """Whether the cell is in an expression; bound: indices that are summed."""
        if isinstance(expr, Ref):
            same = expr.quantity == self.by.quantity and any(place in bound for place in expr.indices)
            return expr == self.by or same or self.known(expr) is not None
        if isinstance(expr, Total):
            return self.depends(expr.body, bound | {expr.index})
        return any(self.depends(part, bound) for part in children(expr))

    def derivative(self, expr: Expr) -> Expr:
        """(expr)', worked out where it takes no rule."""
        light = self._light(expr)
        return opened(expr) if is_open(light) else light

    def _applied(self, expr: Expr) -> Expr:
        """(expr)' with one rule applied to each part that takes one."""
        light = self._light(expr, noted=True)
        if not is_open(light) and not self._notes and expr != self.by:
            text = LINEAR if self.depends(expr) else ABSENT
            self._notes[text.template] = filled(text, by=Symbolic(self.by))
        return replaced(light, lambda node: self._ruled(node.arguments[0]) if _open(node) else None)

    def _light(self, expr: Expr, noted: bool = False) -> Expr:
        """The derivative as far as constants, signs and sums go; noted: say so."""
        if not self.depends(expr):
            return ZERO
        if expr == self.by:
            return ONE
        match expr:
            case Negation(operand):
                return neg(self._light(operand, noted))
            case Sum(terms):
                if noted and sum(map(self.depends, terms)) > 1 and TERMWISE.template not in self._said:
                    self._notes[TERMWISE.template] = TERMWISE
                return RAW.add(*(self._light(term, noted) for term in terms))
            case Product(factors) if any(not self.depends(factor) for factor in factors):
                first = next(place for place, factor in enumerate(factors) if self.depends(factor))
                inner = RAW.mul(*(factor for factor in factors if self.depends(factor)))
                before, after = factors[:first], [factor for factor in factors[first:] if not self.depends(factor)]
                return RAW.mul(*before, self._light(inner, noted), *after)
            case Quotient(above, below) if not self.depends(below):
                return _raw_quotient(self._light(above, noted), below)
            case Total(index, body):
                if any(self.known(cell) for cell in references(body)):
                    return total(index, self._light(body, noted))
                place = next(place for place in self.by.indices if isinstance(place, Index))
                if noted:
                    term = Equal(Ref(index.letter), Ref(place.letter))
                    self._notes[ONE_TERM.template] = filled(ONE_TERM, by=Symbolic(self.by), index=term)
                return self._light(reindex(body, {index.letter: place}), noted)
        return opened(expr)

    # --- rules ---

    def _ruled(self, expr: Expr) -> Expr:
        """(expr)' by the rule for its outermost node."""
        if isinstance(expr, Ref):
            found = self.known(expr)
            assert found is not None
            self._note(found[1], None)
            return found[0]
        if isinstance(expr, Product) and len(expr.factors) > 3:
            expr = Product((Product(expr.factors[:-2]), *expr.factors[-2:]))
        if isinstance(expr, Call):
            return self._chain(expr)
        for rule in RULES:
            parts = self._matched(rule, expr)
            if parts is not None:
                slopes = {name + "'": self.derivative(part) for name, part in parts.items() if name != "c"}
                shown = {name: self._shown(name, part) for name, part in parts.items()}
                primes = {name + "'": ONE if part == self.by else self.letters[name + "'"] for name, part in shown.items() if name != "c"}
                fact = Equal(opened(put_in(rule.pattern, shown)), put_in(rule.result, {**shown, **primes}))
                inner = parts["u"] if len(slopes) == 1 and shown["u"] != self.by else None
                self._note(filled(rule.text, rule=fact), inner)
                return put_in(rule.result, {**parts, **slopes})
        raise KeyError(f"no rule for {type(expr).__name__}")

    def _matched(self, rule: DerivativeRule, expr: Expr) -> dict[str, Expr] | None:
        """The parts of an expression that the letters of a rule stand for."""
        pattern = formula.parse(rule.pattern, formula.any_name)
        if type(pattern) is not type(expr) or len(children(pattern)) != len(children(expr)):
            return None
        found = {letter.quantity: part for letter, part in zip(references(pattern), children(expr))}
        return found if all(self.depends(part) == (name != "c") for name, part in found.items()) else None

    def _shown(self, name: str, part: Expr) -> Expr:
        """What a rule is printed with: the cell itself, a constant as it is, else a letter."""
        return part if part == self.by or isinstance(part, Number) else self.letters[name]

    def _chain(self, expr: Call) -> Expr:
        """Σ ∂f/∂argument · (argument)'"""
        inner = [place for place, argument in enumerate(expr.arguments) if self.depends(argument)]
        terms = [RAW.mul(partial(expr.function, place, expr.arguments, expr), self.derivative(expr.arguments[place])) for place in inner]
        if len(inner) == 1:
            (place,) = inner
            part = expr.arguments[place]
            letter = self.by if part == self.by else self.letters["u"]
            arguments = (*expr.arguments[:place], letter, *expr.arguments[place + 1 :])
            general = expr.replace(arguments=arguments)
            slope = RAW.mul(partial(expr.function, place, arguments, general), ONE if part == self.by else self.letters["u'"])
            rule = Equal(opened(general), slope)
            self._note(filled(KNOWN if part == self.by else CHAIN, rule=rule), None if part == self.by else part)
        else:
            self._notes.setdefault(CHAIN.template, Message("chain rule, for each argument"))
        return RAW.add(*terms)

    # --- reasons ---

    def _note(self, reason: Message, part: Expr | None) -> None:
        """Remember a rule that was used; part: what u is."""
        self._used.setdefault(repr([(name, value) for name, value in reason.values.items()]), []).append((reason, part))

    def _reason(self) -> Message:
        """What was used for a line: rules once each, what u is where there is one only."""
        self._said |= {*self._notes}
        found = list(self._notes.values())
        for uses in self._used.values():
            reason, parts = uses[0][0], {part for _, part in uses}
            (part, *others) = parts
            if part is not None and not others:
                reason = filled(PART, reason=reason, part=Equal(self.letters["u"], part))
            found.append(reason)
        return joined(found)


def _open(node: Expr) -> TypeGuard[Call]:
    return isinstance(node, Call) and node.function == PRIME
