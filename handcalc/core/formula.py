"""Template → expression, through a whitelisted grammar: the inverse of the plain dialect.

- `parse(text, resolve)` reads a formula; names that are no functions go to `resolve`.
- `names(symbols)` makes a resolver from a table symbol → cell, longest symbol first, so that `dE/dw5`, `w5+` and
  `W1[2,1]` are read as the names they are; `any_name` takes every identifier (for the table of functions).

Grammar: sums and differences of products and quotients of signed powers; atoms are numbers, names, function calls and
brackets. `·` and `×` are read as `*`, `−` as `-`, `**` as `^`, `²` and `³` as powers; `e` is Euler's number where it is no name, and
`e^x` is exp(x). A resolver may have a `pattern` of symbols that are no identifiers, and `functions` of its own; with `@` among these
there are products of matrices, with `[]` lists such as `[1, 0.6]`. Nothing is ever executed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import gcd

from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum, children, number
from handcalc.core.functions import FUNCTIONS, Function
from handcalc.errors import Template

Resolver = Callable[[str], Expr | None]

DEPTH_LIMIT = 60  # nested brackets, signs and powers
LENGTH_LIMIT = 2000  # characters

_SPELLINGS = str.maketrans("·×−÷（），＋－＊／＾．", "**-/(),+-*/^.")
_OPERATORS = "+-*/^(),²³@[]"
EULER = Call("exp", (Number(1),))  # e, where nothing is called so


class FormulaError(ValueError):
    """The text is no formula: a message with places to fill, and the column, counted from 1."""

    def __init__(self, template: Template, column: int, **values: object) -> None:
        super().__init__(template.format(**values))
        self.template = template
        self.values = values
        self.column = column


def any_name(name: str) -> Expr:
    """Resolver that takes every name as a quantity of its own."""
    return Ref(name)


class _Names:
    """A resolver with symbols that are no identifiers, matched before anything else."""

    def __init__(self, symbols: Mapping[str, Expr]) -> None:
        self.symbols = symbols
        longest = sorted(symbols, key=len, reverse=True)
        import re

        ends = [re.escape(symbol) + (r"(?![\w(.'])" if symbol[-1:] == "+" or symbol[-1:].isalnum() else "") for symbol in longest]
        self.pattern = re.compile("|".join(ends)) if ends else None

    def __call__(self, name: str) -> Expr | None:
        return self.symbols.get(name)


def names(symbols: Mapping[str, Expr]) -> Resolver:
    """A resolver from a table symbol → expression."""
    return _Names(symbols)


def parse(text: str, resolve: Resolver) -> Expr:
    """The expression a text stands for, in the order written and with its digits as typed.

    Raises FormulaError (a ValueError with the column) where the text is no formula of known names and functions.
    """
    if len(text) > LENGTH_LIMIT:
        raise FormulaError("longer than {limit} characters", LENGTH_LIMIT, limit=LENGTH_LIMIT)
    return _Parser(text.translate(_SPELLINGS), resolve).whole()


def _fraction(above: Expr, below: Expr) -> Number | None:
    """1/2 of two whole numbers without a common factor is the number ½."""
    match above, below:
        case Number(top, 1, ""), Number(bottom, 1, "") if top > 0 and bottom > 1 and gcd(top, bottom) == 1:
            return Number(top, bottom)
    return None


def _in_name(letter: str) -> bool:
    """Whether a character belongs to a name: letters and digits of any script, _ and combining marks; not ² and ³."""
    return letter == "_" or (letter.isalnum() and letter not in "²³") or "\u0300" <= letter <= "\u036f"


def _number_end(text: str, start: int) -> int:
    """Where the digits, point and exponent of a number end."""
    place = start
    while place < len(text) and (text[place].isdecimal() or text[place] == "."):
        place += 1
    if text[place : place + 1] in ("e", "E"):
        digits = place + 2 if text[place + 1 : place + 2] in ("+", "-") else place + 1
        if text[digits : digits + 1].isdecimal():
            while digits < len(text) and text[digits].isdecimal():
                digits += 1
            return digits
    return place


class _Parser:
    def __init__(self, text: str, resolve: Resolver) -> None:
        self.text = text
        self.resolve = resolve
        self.symbols = getattr(resolve, "pattern", None)
        self.functions: Mapping[str, Function] = getattr(resolve, "functions", FUNCTIONS)
        self.depth = 0
        self.place = 0
        self.kind, self.token, self.column = "", "", 1
        self.next()

    def next(self) -> None:
        """Read one token into kind (name, number, operator, end, stray), token and column."""
        text, start = self.text, self.place
        while start < len(text) and text[start].isspace():
            start += 1
        self.column = start + 1
        found = self.symbols.match(text, start) if self.symbols else None
        if found:
            self.kind, end = "name", found.end()
        elif start == len(text):
            self.kind, end, self.column = "end", start, self.place + 1
        elif text[start].isdecimal() or text[start] == ".":
            self.kind, end = "number", _number_end(text, start)
        elif _in_name(text[start]):
            self.kind, end = "name", start
            while end < len(text) and _in_name(text[end]):
                end += 1
            while end < len(text) and text[end] in "'′":
                end += 1
        else:
            self.kind, end = "operator" if text[start] in _OPERATORS else "stray", start + 1
            if text.startswith("**", start):
                end += 1
        self.token, self.place = text[start:end], end

    def fail(self, template: Template, **values: object) -> FormulaError:
        return FormulaError(template, self.column, **values)

    def take(self, *tokens: str) -> str:
        token = self.token if self.kind == "operator" and self.token in tokens else ""
        if token:
            self.next()
        return token

    def expect(self, token: str) -> None:
        if not self.take(token):
            raise self.fail('expected "{token}", found {found}', token=token, found=f'"{self.token}"' if self.token else "…")

    def whole(self) -> Expr:
        if self.kind == "end":
            raise self.fail("empty formula")
        result = self.sum()
        if self.kind != "end":
            raise self.fail('"{found}" is not expected here', found=self.token)
        if _height(result) > DEPTH_LIMIT:  # a/b/c/… nests without brackets
            raise self.fail("nested more than {limit} deep", limit=DEPTH_LIMIT)
        return result

    def sum(self) -> Expr:
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise self.fail("nested more than {limit} deep", limit=DEPTH_LIMIT)
        terms = [self.product()]
        while sign := self.take("+", "-"):
            term = self.product()
            terms.append(Negation(term) if sign == "-" else term)
        self.depth -= 1
        return terms[0] if len(terms) == 1 else Sum(tuple(terms))

    def product(self) -> Expr:
        result = self.signed()
        while operator := self.take(*("*/@" if "@" in self.functions else "*/")):
            right = self.signed()
            if operator == "@":
                result = Call(operator, (result, right))
            elif operator == "/":
                result = _fraction(result, right) or Quotient(result, right)
            else:
                result = Product((*result.factors, right) if isinstance(result, Product) else (result, right))
        return result

    def signed(self) -> Expr:
        self.depth += 1
        if self.depth > DEPTH_LIMIT:
            raise self.fail("nested more than {limit} deep", limit=DEPTH_LIMIT)
        sign = self.take("-", "+")
        result = Negation(self.signed()) if sign == "-" else self.signed() if sign else self.power()
        self.depth -= 1
        return result

    def power(self) -> Expr:
        base = self.atom()
        while exponent := self.take("²", "³"):
            base = _raised(base, Number(2 if exponent == "²" else 3))
        return _raised(base, self.signed()) if self.take("^", "**") else base

    def atom(self) -> Expr:
        token, kind = self.token, self.kind
        if kind == "number":
            try:
                literal = number(token)
            except ValueError:
                raise self.fail("not a number this program can hold") from None
            self.next()
            return literal
        if self.take("("):
            inside = self.sum()
            self.expect(")")
            return inside
        if "[]" in self.functions and self.take("["):
            return Call("[]", self.sums("]"))
        if kind != "name":
            raise self.fail('"{found}" is not expected here' if token else "the formula ends too early", found=token)
        known = self.resolve(token)
        record = self.functions.get(token) or (self.functions.get(token.lower()) if known is None and token.lower() != "pi" else None)
        column = self.column
        self.next()
        if record and (not record.arguments or (self.kind == "operator" and self.token == "(")):
            return self.call(record, column)
        if known is None and token != "e":
            raise FormulaError('unknown name "{found}"', column, found=token)
        return EULER if known is None else known

    def call(self, record: Function, column: int) -> Expr:
        if not record.arguments:
            return Call(record.name, ())
        self.expect("(")
        arguments = [*self.sums(")")]
        if record.family:
            raise FormulaError("{function} takes a whole layer: name it as the activation instead", column, function=record.name)
        missing = len(record.arguments) - len(arguments)
        if missing > len(record.defaults) or (missing < 0 and not record.variadic):
            values = {"function": record.name, "wanted": len(record.arguments), "found": len(arguments)}
            raise FormulaError("{function} takes {wanted} arguments, not {found}", column, **values)
        arguments += [number(text) for text in record.defaults[len(record.defaults) - missing :]] if missing > 0 else []
        return Call(record.name, tuple(arguments))

    def sums(self, end: str) -> tuple[Expr, ...]:
        """Sums between commas, up to a bracket."""
        found = [self.sum()]
        while self.take(","):
            found.append(self.sum())
        self.expect(end)
        return tuple(found)


def _raised(base: Expr, exponent: Expr) -> Expr:
    return Call("exp", (exponent,)) if base is EULER else Power(base, exponent)


def _height(expr: Expr) -> int:
    """How many nodes deep an expression is; not by recursion, for it is what bounds recursion."""
    level: tuple[Expr, ...] = (expr,)
    height = 0
    while level:
        level = tuple(part for node in level for part in children(node))
        height += 1
    return height
