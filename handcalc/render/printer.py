"""The one printer: expression → text in a dialect, with symbols or with numbers put in.

- `Printer(dialect, names).text(expr)`; `names` answers the text of a reference: its symbol, or its number.

Brackets come from one precedence table. A text that begins with a sign (a negative number, −δ) has the precedence of
unary minus, so it is bracketed wherever −a would be. A fraction of LaTeX groups its parts, which need no brackets then.

Common mistakes when adding a node: calling `text` for a part (loses the precedence: use `part`), or building a
string around `str(node)` (loses dialect and names).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from handcalc.core.definitions import definition
from handcalc.core.expr import (
    Call,
    Delta,
    Entry,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    Total,
    call,
    div,
    neg,
    reindex,
    sub,
)
from handcalc.core.functions import function
from handcalc.core.index import Index
from handcalc.render.dialects import Dialect, bracketed, function_name, sign, typed_digits, word
from handcalc.render.symbols import place_text

SUM, MINUS, PRODUCT, POWER, ATOM = 1, 2, 3, 4, 5

# A derivative still to be taken is Call(PRIME, (a,)), printed (a)', or Call(PRIME, (a, x)), printed ∂a/∂x. It has no value.
PRIME = "'"

# node → precedence of its text
_PRECEDENCE: dict[type[Expr], int] = {
    Sum: SUM,
    Negation: MINUS,
    Product: PRODUCT,
    Quotient: PRODUCT,
    Total: PRODUCT,
    Power: POWER,
    Call: ATOM,
    Entry: ATOM,
    Delta: ATOM,
    Ref: ATOM,
    Number: ATOM,
}


class Printer:
    """Prints expressions.

    worked: functions such as σ are written out, for lines with numbers; comma: a decimal comma; longest: sums of more
    terms are shortened to their beginning and end (0: never).
    """

    def __init__(self, dialect: Dialect, names: Callable[[Ref], str], worked: bool = False, comma: bool = False, longest: int = 0) -> None:
        self.longest = longest
        self.dialect = dialect
        self.names = names
        self.worked = worked
        self.comma = comma

    def text(self, expr: Expr) -> str:
        """The whole expression."""
        return self.part(expr, SUM, first=True)

    def part(self, expr: Expr, least: int, first: bool = False) -> str:
        """A part that needs at least this precedence; first: nothing stands before it, so a sign may lead."""
        if type(expr) is Ref:
            return self._name(expr, least, first)
        expr = self._written_out(expr)
        kind, typeset = type(expr), self.dialect.typeset
        text = _LAYOUT[kind](self, expr, first or least == SUM)
        precedence = _PRECEDENCE[kind]
        if precedence > MINUS and self.dialect.signed.match(text):
            precedence = MINUS
        elif typeset and kind in (Number, Quotient) and typeset.fraction in text:
            precedence = POWER
        elif not typeset and kind is Number and "/" in text:
            precedence = PRODUCT
        elif isinstance(expr, Call) and expr.function == "exp" and self._unraised(text):
            precedence = POWER
        if precedence >= least or (first and precedence == MINUS and least <= PRODUCT):
            return text
        return bracketed(text, self.dialect)

    def _name(self, expr: Ref, least: int, first: bool) -> str:
        """The part that most others consist of: a name or a number, with nothing to lay out."""
        text = self.names(expr)
        if self.dialect.signed.match(text):
            fits = least <= MINUS or (first and least <= PRODUCT)
        else:
            fits = least <= POWER or not self._unraised(text)
        return text if fits else bracketed(text, self.dialect)

    def _unraised(self, text: str) -> bool:
        return any(mark in text for mark in self.dialect.unraised)

    def _written_out(self, expr: Expr) -> Expr:
        if isinstance(expr, Entry):
            family = call("exp", expr.body)
            if expr.function != "softmax":
                logarithm = call("ln", Total(expr.index, family))
                own = reindex(expr.body, {expr.index.letter: expr.at})
                return logarithm if expr.function == "logsumexp" else sub(own, logarithm)
            return div(reindex(family, {expr.index.letter: expr.at}), Total(expr.index, family))
        if isinstance(expr, Call) and expr.function != PRIME:
            record = function(expr.function)
            if record.family or (self.worked and record.worked):
                return definition(expr.function, expr.arguments, expr.at) or expr
        return expr

    # --- one layout per node ---

    def _number(self, expr: Number, first: bool) -> str:
        if expr.text:
            return typed_digits(expr.text, self.dialect, self.comma)
        if expr.denominator == 1:
            return typed_digits(str(expr.numerator), self.dialect)
        spelled = self.dialect.fractions.get((abs(expr.numerator), expr.denominator))
        if spelled:
            return self.dialect.negative * (expr.numerator < 0) + spelled
        return typed_digits(f"{expr.numerator}/{expr.denominator}", self.dialect)

    def _sum(self, expr: Sum, first: bool) -> str:
        text = self.part(expr.terms[0], MINUS, first=first)
        terms = expr.terms[1:]
        skipped = bool(self.longest) and len(expr.terms) > self.longest
        for place, term in enumerate((*terms[:2], *terms[-2:]) if skipped else terms):
            if skipped and place == 2:
                text += self.dialect.plus + self.dialect.ellipsis
            if isinstance(term, Negation):
                text += self.dialect.minus + self.part(term.operand, PRODUCT)
            elif isinstance(term, Number) and term.numerator < 0:
                text += self.dialect.minus + self.part(neg(term), PRODUCT)
            else:
                text += self.dialect.plus + self.part(term, PRODUCT)
        return text

    def _negation(self, expr: Negation, first: bool) -> str:
        return self.dialect.negative + self.part(expr.operand, PRODUCT)

    def _product(self, expr: Product, first: bool) -> str:
        parts = [self.part(expr.factors[0], PRODUCT, first=first)]
        parts += [self.part(factor, POWER) for factor in expr.factors[1:]]
        text = self.dialect.times.join(parts)
        long = "/" in text and any("/" in part and isinstance(factor, Ref) for part, factor in zip(parts, expr.factors))
        return self.dialect.wide_times.join(parts) if long else text

    def _quotient(self, expr: Quotient, first: bool) -> str:
        if self.dialect.typeset:
            return self.dialect.quotient.format(a=self.text(expr.above), b=self.text(expr.below))
        above, below = self.part(expr.above, PRODUCT, first=first), self.part(expr.below, POWER)
        above, below = (
            bracketed(text, self.dialect) if isinstance(part, Ref) and "/" in text else text
            for part, text in ((expr.above, above), (expr.below, below))
        )
        return self.dialect.quotient.format(a=above, b=below)

    def _power(self, expr: Power, first: bool) -> str:
        base = self.part(expr.base, ATOM)
        if isinstance(expr.exponent, Number) and expr.exponent.denominator == 1 and not expr.exponent.text:
            digits = str(expr.exponent.numerator)
            if self.dialect.high and all(c in self.dialect.high for c in digits):
                return base + "".join(self.dialect.high[c] for c in digits)
        exponent = self.text(expr.exponent) if self.dialect.typeset else self.part(expr.exponent, ATOM)
        return self.dialect.power.format(a=base, b=exponent)

    def _prime(self, expr: Call) -> str:
        inner, *by = expr.arguments
        if by:
            above, below = (self.dialect.partial + self.part(part, ATOM) for part in (inner, *by))
            return self.dialect.quotient.format(a=above, b=below)
        if isinstance(inner, Ref):
            return self.dialect.prime.format(x=self.text(inner))
        if isinstance(inner, Call) and inner.function not in (PRIME, *self._forms()) and _is_of_a_name(inner):
            name = self.dialect.prime.format(x=function_name(inner.function, self.dialect))
            return name + bracketed(self.text(inner.arguments[0]), self.dialect)
        return self.dialect.prime.format(x=bracketed(self.text(inner), self.dialect))

    def _forms(self) -> dict[str, str]:
        dialect = self.dialect
        return {"exp": dialect.exponential, "sqrt": dialect.root, "abs": dialect.absolute, "floor": dialect.floor}

    def _call(self, expr: Call, first: bool) -> str:
        name, arguments = expr.function, expr.arguments
        if name == PRIME:
            return self._prime(expr)
        form = self._forms().get(name)
        if form:
            inside = self.text(arguments[0])
            plain = len(inside) == 1 or inside.replace(".", "").isdigit()
            return form.format(x=f"({inside})" if form.endswith("^{x}") and not plain else inside)
        spelled = function_name(name, self.dialect)
        shown = [self.text(argument) for argument in arguments]
        defaults = function(name).defaults
        if defaults and shown[-1] == typed_digits(defaults[-1], self.dialect) and name.endswith("'"):
            shown.pop()
        return spelled + bracketed(self.dialect.separator.join(shown), self.dialect) if arguments else spelled

    def _total(self, expr: Total, first: bool) -> str:
        body = self.text(expr.body) if self.dialect.total.endswith(")") else self.part(expr.body, PRODUCT)
        return self.dialect.total.format(i=word(expr.index.letter, self.dialect), x=body)

    def _delta(self, expr: Delta, first: bool) -> str:
        first_number = next((place.axis.first for place in (expr.right, expr.left) if isinstance(place, Index)), 1)

        def spell(place: Any) -> str:
            return word(place_text(place, first_number), self.dialect)

        equal = sign("=", self.dialect) if self.dialect.typeset else " = "
        return sign("[", self.dialect) + spell(expr.left) + equal + spell(expr.right) + sign("]", self.dialect)


def _is_of_a_name(expr: Call) -> bool:
    """Whether it is f(z), whose derivative is written f'(z)."""
    return len(expr.arguments) == 1 and isinstance(expr.arguments[0], Ref) and not function(expr.function).family


_LAYOUT: dict[type[Expr], Callable[[Printer, Any, bool], str]] = {
    Number: Printer._number,
    Ref: lambda printer, expr, first: printer.names(expr),
    Sum: Printer._sum,
    Negation: Printer._negation,
    Product: Printer._product,
    Quotient: Printer._quotient,
    Power: Printer._power,
    Call: Printer._call,
    Total: Printer._total,
    Delta: Printer._delta,
}
