"""SymPy: expressions in it and back, and whether it can show that something is zero.

- `to_sympy(expr, functions, by)` is an expression in SymPy, `from_sympy(found, names)` the way back; `symbol(reference)` a
  cell's symbol; `primitives()` what our functions without a definition are there.
- `difference(left, right)`; `vanishes(found)` says whether SymPy can show that something is zero, `proved(gaps, seconds)` which
  expressions are, as far as it can tell in a given time.

A function with a definition is written out; one that is neither defined nor among `functions` is an unknown one. A
derivative still to be taken (PRIME) is taken by SymPy, by the variable `by`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from math import inf, prod
from typing import Any

from handcalc.core.definitions import definition
from handcalc.core.expr import (
    Call,
    Expr,
    Negation,
    Number,
    Power,
    Product,
    Quotient,
    Ref,
    Sum,
    add,
    children,
    div,
    mul,
    power,
    references,
    rewrite,
    walk,
)
from handcalc.core.functions import FUNCTIONS
from handcalc.render.printer import PRIME

TERMS, EXPONENT, BITS = 2000, 100, 4096  # the most of what is multiplied out here (2), bits of a power of literals
LONGEST = 60  # nodes of what is shortened
SYMPY = {name: name for name in ("exp", "sqrt", "sin", "cos", "tan", "erf", "sign", "floor")} | {
    "ln": "log",
    "abs": "Abs",
    "max": "Max",
    "min": "Min",
}
LISTS: dict[str, Any] = {"Sum": Sum, "Product": Product}
PARTS: dict[str, Any] = {"Negation": Negation, "Quotient": Quotient, "Power": Power}

Functions = Mapping[str, Callable[..., Any]]

# --- there ------------------------------------------------------------------------------------------------------------


def symbol(reference: Ref) -> Any:
    """The real symbol of a cell."""
    import sympy

    return sympy.Symbol(repr(reference), real=True)


def primitives() -> Functions:
    """The functions of SymPy that ours are."""
    import sympy

    return {name: getattr(sympy, known) for name, known in SYMPY.items()}


def to_sympy(expr: Expr, functions: Functions, by: Ref | None = None, symbols: Callable[[Ref], Any] = symbol) -> Any:
    """An instance in SymPy. Raises OverflowError as `_power`.

    functions: name → function of the arguments, of a family of (members, entry); symbols: what a cell is.
    """
    import sympy

    def inside(part: Expr) -> Any:
        return to_sympy(part, functions, by, symbols)

    match expr:
        case Number(above, below):
            return sympy.Rational(above, below)
        case Ref():
            return symbols(expr)
        case Call(function, (inner, *others)) if function == PRIME:
            slope = sympy.diff(inside(inner), inside(taken_by(others, by)))
            return slope.replace(lambda node: isinstance(node, sympy.Derivative) and isinstance(node.expr, sympy.floor), lambda node: 0)
        case Call(_, ()):
            return sympy.pi
        case Call(name, arguments, at) if name in functions and FUNCTIONS[name].family:
            return functions[name]([inside(part) for part in arguments], at)
        case Call(name, arguments, at) if name not in functions and (written := definition(name, arguments, at)):
            return inside(written)
        case Call(name, arguments):
            make: Any = functions.get(name) or sympy.Function(name)
            return make(*map(inside, arguments))
    make = {Sum: sympy.Add, Product: sympy.Mul, Negation: lambda a: -a, Quotient: lambda a, b: a / b, Power: _power}[type(expr)]
    return make(*map(inside, children(expr)))


def taken_by(named: Sequence[Expr], by: Ref | None) -> Ref:
    """What a derivative is taken by: what it names itself, else what all are taken by."""
    found = named[0] if named else by
    assert isinstance(found, Ref)
    return found


def _power(base: Any, exponent: Any) -> Any:
    """base^exponent. Raises OverflowError where SymPy would write out a number of more than BITS."""
    bits = max(abs(base.p), base.q).bit_length() if base.is_Rational else 64
    if exponent.is_number and bits * abs(exponent) > BITS:
        raise OverflowError
    return base**exponent


# --- and back ---------------------------------------------------------------------------------------------------------


def from_sympy(found: Any, names: Collection[Ref]) -> Expr | None:
    """What SymPy found as an expression of these cells; None where there is something in it that is no function here."""
    try:
        return _back(found, {symbol(name): name for name in names}, {known: name for name, known in SYMPY.items()})
    except KeyError:
        return None


def _back(found: Any, names: Mapping[Any, Ref], functions: Mapping[str, str]) -> Expr:
    """Raises KeyError naming what is not known."""
    import sympy

    def inside(part: Any) -> Expr:
        return _back(part, names, functions)

    if found.is_Rational:
        return Number(int(found.p), int(found.q))
    if found.is_Symbol:
        return names[found]
    if found is sympy.pi:
        return Call("pi", ())
    if found.is_Add:
        terms = sorted(found.as_ordered_terms(), key=lambda term: term.could_extract_minus_sign())
        return add(*map(inside, terms))
    above, below = sympy.fraction(found, exact=True)
    if below != 1:
        return div(inside(above), inside(below))
    if found.is_Mul:
        return mul(*map(inside, _turned(found.as_ordered_factors())))
    if found.is_Pow and found.exp == sympy.Rational(1, 2):
        return Call("sqrt", (inside(found.base),))
    if found.is_Pow:
        return power(inside(found.base), inside(found.exp))
    return Call(functions[type(found).__name__], tuple(map(inside, found.args)))


def shorter(expr: Expr, factors: bool = False) -> Expr | None:
    """The expression as SymPy collects it, or over one denominator, where that is shorter; factors: as a product, in any case."""
    import sympy

    best, least = None, _size(expr)
    if least > LONGEST or not is_small(expr):
        return None
    calls = [node for node in walk(expr) if isinstance(node, Call)]
    whole = [node for node in calls if node.function == "exp" and references(node)]  # e^(−z) is to be no 1/e^z, and |t − o| no |o − t|
    inner = [part for node in calls if node.function in ("abs", "sign") for part in node.arguments if isinstance(part, Sum)]
    aside = {node: Ref(f"{place}") for place, node in enumerate(dict.fromkeys((*whole, *inner)))}
    kept = {cell: node for node, cell in aside.items()}

    with suppress(ArithmeticError, RecursionError, TypeError, ValueError, NotImplementedError, sympy.PolynomialError):
        bare = rewrite(expr, aside.get)
        plain = to_sympy(bare, primitives())
        for change in (sympy.factor,) if factors else (lambda found: found, sympy.cancel, sympy.factor):
            found = from_sympy(change(plain), references(bare))
            if found is not None:
                found = rewrite(found, lambda node: kept.get(node) if isinstance(node, Ref) else None)
                if factors or _size(found) < least:
                    best, least = found, _size(found)
    return best


def solved(expr: Expr, value: Ref, unknown: Ref) -> Expr | None:
    """The unknown in expr = value, where it is there to the first power."""
    import sympy

    if _size(expr) > LONGEST or not is_small(expr):
        return None
    with suppress(ArithmeticError, TypeError, ValueError, NotImplementedError, sympy.PolynomialError):
        above = (to_sympy(expr, primitives()) - symbol(value)).together().as_numer_denom()[0]
        equation = sympy.Poly(above, symbol(unknown))
        if equation.degree() == 1:
            slope, rest = equation.all_coeffs()
            found = sympy.cancel(-rest / slope)
            return from_sympy(found, (value, *references(expr))) if symbol(unknown) not in found.free_symbols else None
    return None


def _size(expr: Expr) -> int:
    """How many nodes an expression has."""
    return sum(1 for _ in walk(expr))


def _turned(factors: list[Any]) -> list[Any]:
    """−(x − 1)·y is (1 − x)·y."""
    import sympy

    if factors[0].is_negative:
        for place, factor in enumerate(factors):
            if factor.is_Add and factor.as_coeff_Add()[0].is_negative:
                return [-factors[0], *factors[1:place], sympy.Add(*(-term for term in factor.args)), *factors[place + 1 :]]
    return factors


# --- what is zero -----------------------------------------------------------------------------------------------------


def difference(left: Expr, right: Expr) -> Expr:
    """left − right"""
    return Sum((left, Negation(right)))


def vanishes(found: Any, thorough: bool = True) -> bool:
    """Whether SymPy can show that something is zero; thorough: with everything it has, which may take its time."""
    if found.expand() == 0 or found.together().as_numer_denom()[0].expand() == 0:
        return True
    return thorough and bool(found.simplify() == 0)


def proved(gaps: Sequence[Expr], seconds: float, by: Ref | None = None, enough: int = 0) -> set[int]:
    """The places of those expressions that SymPy can show to be zero in time; enough: how many will do.

    What has few terms is multiplied out here, the rest in a child process, the one way to stop SymPy: it looks at no clock,
    a thread cannot be killed, and signals are for the main thread of Unix. The child is not multiprocessing's, which runs
    the user's script again where it is not guarded; -P keeps out modules of the folder the user is in.
    """
    found = {place for place, expr in enumerate(gaps) if _quickly(expr, by)}
    rest = [place for place in range(len(gaps)) if place not in found]
    enough = enough or len(gaps)
    if len(found) >= enough:
        return found
    asked = {"gaps": [_plain(gaps[place]) for place in rest], "by": _plain(by) if by else None, "enough": enough - len(found)}
    command = [sys.executable, "-P", "-m", "handcalc.proof.symbolic"]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    said: bytes | None = b""
    try:
        said = subprocess.run(command, input=json.dumps(asked).encode(), capture_output=True, timeout=seconds, env=paths).stdout
    except subprocess.TimeoutExpired as stopped:
        said = stopped.stdout
    except (OSError, RecursionError):
        pass
    return found | {rest[int(line)] for line in (said or b"").split() if line.isdigit() and int(line) < len(rest)}


def _quickly(expr: Expr, by: Ref | None) -> bool:
    with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
        return is_small(expr) and bool(to_sympy(expr, {}, by).expand() == 0)
    return False


def is_small(expr: Expr) -> bool:
    """Whether an expression can be multiplied out at once."""
    powers = (node.exponent for node in walk(expr) if isinstance(node, Power))
    tall = any(isinstance(exponent, Number) and abs(exponent.numerator) > EXPONENT * exponent.denominator for exponent in powers)
    return not tall and _width(expr) < TERMS


def _width(expr: Expr) -> float:
    """How many terms an expression has at most when it is multiplied out."""
    widths = [_width(part) for part in children(expr)]
    if isinstance(expr, Power):
        return widths[0] ** (abs(expr.exponent.numerator) if isinstance(expr.exponent, Number) else inf)
    return prod(widths) if isinstance(expr, (Product, Quotient)) else max(1.0, sum(widths))


def _plain(expr: Expr) -> list[Any]:
    """An expression as lists of texts and numbers, for another process."""
    match expr:
        case Number(above, below):
            return ["Number", above, below]
        case Ref():
            return ["Ref", repr(expr)]
        case Call(name, arguments, at):
            return ["Call", name, at, *map(_plain, arguments)]
    return [type(expr).__name__, *map(_plain, children(expr))]


def _rebuilt(plain: list[Any]) -> Expr:
    """The expression again; a cell is only a name there."""
    kind, *parts = plain
    if kind == "Number":
        return Number(*parts)
    if kind == "Ref":
        return Ref(*parts)
    if kind == "Call":
        return Call(parts[0], tuple(map(_rebuilt, parts[2:])), parts[1])
    inner = tuple(map(_rebuilt, parts))
    result: Expr = LISTS[kind](inner) if kind in LISTS else PARTS[kind](*inner)
    return result


def _answers(asked: Mapping[str, Any]) -> Iterator[int]:
    """The places of what is shown to be zero: what is quick first."""
    by = _rebuilt(asked["by"]) if asked["by"] else None
    assert by is None or isinstance(by, Ref)
    written = {}
    for place, plain in enumerate(asked["gaps"]):
        with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
            written[place] = to_sympy(_rebuilt(plain), primitives(), by)
    for thorough in (False, True):
        for place in list(written):
            with suppress(ArithmeticError, RecursionError, TypeError, ValueError, NotImplementedError):
                if vanishes(written[place], thorough):
                    del written[place]
                    yield place


if __name__ == "__main__":  # the child: gaps on standard input, their places on standard output as soon as they are shown
    wanted = json.load(sys.stdin.buffer)
    for count, shown in enumerate(_answers(wanted), 1):
        sys.stdout.write(f"{shown}\n")
        sys.stdout.flush()
        if count == wanted["enough"]:
            break
