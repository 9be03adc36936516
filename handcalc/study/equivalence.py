"""Judging a formula given as the answer to a step: whether it is the same function of the given numbers.

- `names_of(reading)` is every name for a cell; `read_formula(text, reading, wanted)` is a text's formula over cells.
- `judge(derivation, wanted, formula)` compares it with the step's value.

Both are written out, to the cells the student mentions and to the given numbers: what is the same then is equal, what differs
at a random point is not, and SymPy is asked whether the rest is. To add a function, nothing is needed here; without a
definition and an entry in SYMPY, nothing is known of it but its arguments.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from math import inf, isfinite, prod
from random import Random
from typing import Any, Protocol
from unicodedata import normalize

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Call, Expr, Negation, Number, Power, Product, Quotient, Ref, Sum, children, neg, references, rewrite, walk
from handcalc.core.formula import FormulaError, names, parse
from handcalc.core.functions import FUNCTIONS, definition
from handcalc.core.graph import Cell, Graph, cell
from handcalc.core.instance import evaluate
from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Message, near

# kind → other names of a unit's cell, where they are free; a gradient is that of a net input
ALIASES = {
    "out": ("{unit}", "out_{unit}", "a_{unit}"),
    "net": ("net_{unit}", "z_{unit}"),
    "target": ("target_{unit}", "t_{unit}", "t{number}"),
    "gradient": ("delta_{unit}", "δ_{unit}"),
    "rate": ("eta", "η", "lr", "alpha"),
}
SAME, ROUNDING = 1e-9, 1e-12  # relative difference of equal results; of rounding errors, relative to what is added up
NEAR, WIDE, TINY, OWN = (0.25, False), (0.5, True), (1e-3, False), (0.0, False)  # how far numbers move; whether signs change
POINTS = 6 * (NEAR, WIDE, WIDE)  # the problem's signs for the domains of functions, any for both sides of a ReLU's kink
NODES, DEPTH, TERMS, BITS = 1000, 100, 2000, 4096  # the most of what is written out (2), multiplied out here, a power of literals
SYMPY = {name: name for name in ("exp", "sqrt", "sin", "cos", "tan", "erf", "sign", "floor")} | {
    "ln": "log",
    "abs": "Abs",
    "max": "Max",
    "min": "Min",
}
LISTS: dict[str, Any] = {"Sum": Sum, "Product": Product}
PARTS: dict[str, Any] = {"Negation": Negation, "Quotient": Quotient, "Power": Power}
PROVED = 10  # the child's exit code where it found a proof


class Letters(Protocol):
    """What is asked of a `Reading`; rendering is another branch of the program."""

    graph: Graph

    def symbols(self) -> Mapping[str, Cell]: ...
    def turned(self, wanted: Cell) -> bool: ...


def names_of(reading: Letters) -> Mapping[str, Expr]:
    """Every name for a cell: symbols in the notation's sign, ids for the cell itself, and aliases that are free."""
    cells = [(quantity.name, place) for quantity in reading.graph for place in reading.graph.positions(quantity.name)]
    table: dict[str, Expr] = {reading.graph.cell_id(c): Ref(*c) for c in cells}
    table |= {text: Ref(*c) if text.startswith(c[0] + "[") else _letter(reading, c) for text, c in reading.symbols().items()}
    loose = {text.replace("_", ""): found for text, found in table.items()}  # y1 may be meant for y_1
    aliases: dict[str, set[Expr]] = {}
    for text, found in _aliases(reading):
        aliases.setdefault(text, set()).add(found)
    for text, (found, *others) in aliases.items():
        if not others and text not in table and text not in FUNCTIONS and loose.get(text.replace("_", ""), found) == found:
            table[text] = found
    return {text: found for text, found in table.items() if not text[0].isdecimal()}  # an input called 1 is no name


def _aliases(reading: Letters) -> Iterator[tuple[str, Expr]]:
    for quantity in reading.graph:
        base = quantity.of and reading.graph[quantity.of.quantity].kind
        for place in reading.graph.positions(quantity.name) if base in (None, "net") and not quantity.stage else ():
            unit, number = (quantity.axes[-1].label(place[-1]), place[-1] + 1) if place else ("", 0)
            sample = "@" + quantity.axes[0].label(place[0]) if quantity.sampled else ""
            for template in ALIASES.get(quantity.kind, ()):
                yield template.format(unit=unit, number=number) + sample, _letter(reading, (quantity.name, place))


def _letter(reading: Letters, wanted: Cell) -> Expr:
    return neg(Ref(*wanted)) if reading.turned(wanted) else Ref(*wanted)


def read_formula(text: str, reading: Letters, wanted: Cell | None = None) -> Expr | Message:
    """The formula of a text over cells, or what is wrong with it.

    wanted: the cell it is the answer to; where the notation's letter is the negative of that, so is the formula.
    """
    table, spelled = names_of(reading), text + normalize("NFKC", text)  # also W1[2，1]
    used = {name: found for name, found in table.items() if name.rstrip("+") in spelled}
    for known in (used, {name: found for name, found in used.items() if not name.endswith("+")}):  # w5+ b is no w5⁺
        try:
            formula = parse(text, names(known))
            return neg(formula) if wanted is not None and reading.turned(wanted) else formula
        except FormulaError as failure:
            error = failure
    word = re.split(r"[^\w.'′]", text[error.column - 1 :])[0][:40] if error.template.startswith("unknown name") else ""
    reason = Message(error.template, "", **error.values | ({"found": word} if word else {}))
    hint = near(word, sorted([*table, *FUNCTIONS], key=len)) if word else ""
    if word in FUNCTIONS:
        reason, hint = Message("{name} is a function: write {name}(…)", name=word), ""
    return Message("not a formula{within}: {reason} (column {column}){near}", within="", reason=reason, column=error.column, near=hint)


class Judgement(Record):
    """how: identical (as written out), proved (by SymPy), numeric (agrees wherever it was tried), differs."""

    equivalent: bool
    how: str


def judge(derivation: Derivation, wanted: Cell, formula: Expr, seconds: float = 3.0) -> Judgement:
    """Whether a formula over cells is a step's value, as a function of inputs, targets, parameters and rate.

    A formula of literals only, or for a given number, is judged by its value. seconds: what SymPy may take. Raises
    EvaluationError where the step itself has no value.
    """
    derivation.evaluation[wanted]
    own = Evaluation(derivation.graph, None, derivation.evaluation.replaced)
    apart = _apart(own, wanted, formula)
    givens = [current for current in own.values if current in own.replaced or own.graph.given_value(current) is not None]
    if wanted in givens or not references(formula):
        apart = _apart(derivation.evaluation, wanted, formula, () if wanted in givens else [own.graph.instance(wanted)])
        return Judgement(apart is False, "differs" if apart is not False else "numeric")
    levels = [] if apart is None else list(_levels(own, wanted, formula, givens))
    if any(theirs == ours for theirs, ours in levels):
        return Judgement(True, "identical")
    if apart is None or _differ(own, wanted, formula, givens, levels[0] if levels else ()):
        return Judgement(False, "differs")
    return Judgement(True, "proved" if _proved([Sum((theirs, Negation(ours))) for theirs, ours in levels], seconds) else "numeric")


def _levels(own: Evaluation, wanted: Cell, formula: Expr, givens: Iterable[Cell]) -> Iterator[tuple[Expr, Expr]]:
    """Formula and step written out down to the cells the formula mentions, and to the given numbers, where not too large."""
    for ends in ({*givens, *map(cell, references(formula))} - {wanted}, {*givens}):
        made: dict[Expr, Expr] = {}
        for current in own.values:  # each after what it uses
            with suppress(KeyError, OverflowError):  # what is too large may not be needed
                made[Ref(*current)] = Ref(*current) if current in ends else _put(own.graph.instance(current), made)
        with suppress(KeyError, OverflowError):
            yield _put(formula, made), made[Ref(*wanted)]


def _put(expr: Expr, made: Mapping[Expr, Expr]) -> Expr:
    """An expression with its cells replaced. Raises OverflowError beyond NODES and DEPTH."""
    result = rewrite(expr, lambda node: made[node] if isinstance(node, Ref) else None)
    count, level = 0, [result]
    for _ in range(DEPTH):
        count, level = count + len(level), [part for node in level for part in children(node)]
    if level or count > NODES:
        raise OverflowError
    return result


def _differ(own: Evaluation, wanted: Cell, formula: Expr, givens: Iterable[Cell], parts: tuple[Expr, ...]) -> bool:
    """Whether formula and step differ at a random point, of the same points every time."""
    random = Random(own.graph.cell_id(wanted))
    for points in (POINTS, 6 * (TINY,), (OWN,)):  # the later ones where the others have no value
        moved = ({current: _moved(float(own[current]), random, *point) for current in givens} for point in points)
        found = [_apart(Evaluation(own.graph, None, numbers), wanted, formula, parts) for numbers in moved]
        if found.count(None) < len(found):
            break
    return any(found)


def _moved(number: float, random: Random, spread: float, turning: bool) -> float:
    around = random.choice((-1, 1)) * min(max(abs(number), 0.5), 2) if turning else number
    return around * (1 + random.uniform(-spread, spread)) if around else random.uniform(-spread, spread)


def _apart(evaluation: Evaluation, wanted: Cell, formula: Expr, parts: Iterable[Expr] = ()) -> bool | None:
    """Whether more than rounding errors lies between formula and step; None where one of them has no finite value."""
    try:
        evaluation[wanted]
        ours, theirs = float(evaluation.unrounded[wanted]), float(evaluation.of(formula, wanted))
    except (EvaluationError, OverflowError):
        return None
    gap, allowed = abs(ours - theirs), SAME * max(abs(ours), abs(theirs))
    apart = gap > allowed and gap > allowed + ROUNDING * sum(_size(part, evaluation) for part in parts)
    return apart if isfinite(theirs) else None


def _size(expr: Expr, evaluation: Evaluation) -> float:
    """What rounding errors are relative to, however small the result: |a| + |b| for a − b."""
    while any(isinstance(node, Negation) for node in walk(expr)):
        expr = rewrite(expr, lambda node: node.operand if isinstance(node, Negation) else None)
    with suppress(ArithmeticError, ValueError):
        return abs(float(evaluate(expr, lambda ref: abs(float(evaluation[cell(ref)])))))
    return 0.0


def _proved(gaps: list[Expr], seconds: float) -> bool:
    """Whether SymPy can show in time that one of several expressions is zero.

    What has few terms is multiplied out here, the rest in a child process, the one way to stop SymPy: it looks at no clock,
    a thread cannot be killed, and signals are for the main thread of Unix. The child is not multiprocessing's, which runs
    the user's script again where it is not guarded; -P keeps out modules of the folder the user is in.
    """
    command = [sys.executable, "-P", "-m", "handcalc.study.equivalence"]
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with suppress(subprocess.TimeoutExpired, OSError, ArithmeticError, RecursionError, TypeError, ValueError):
        if any(_sympy(gap, {}).expand() == 0 for gap in gaps if _width(gap) < TERMS):
            return True
        return (
            subprocess.run(
                command, input=json.dumps([_plain(gap) for gap in gaps]).encode(), capture_output=True, timeout=seconds, env=paths
            ).returncode
            == PROVED
        )
    return False


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


def _width(expr: Expr) -> float:
    """How many terms an expression has at most when it is multiplied out."""
    widths = [_width(part) for part in children(expr)]
    if isinstance(expr, Power):
        return widths[0] ** (abs(expr.exponent.numerator) if isinstance(expr.exponent, Number) else inf)
    return prod(widths) if isinstance(expr, (Product, Quotient)) else max(1.0, sum(widths))


def _sympy(expr: Expr, known: Mapping[str, str]) -> Any:
    """SymPy's expression; functions that are neither `known` nor defined are unknown ones. Raises OverflowError as `_power`."""
    import sympy

    match expr:
        case Number(above, below):
            return sympy.Rational(above, below)
        case Ref():
            return sympy.Symbol(repr(expr), real=True)
        case Call(name, arguments, at) if written := definition(name, arguments, at):
            return _sympy(written, known)
        case Call(name, arguments):
            make: Any = getattr(sympy, known[name]) if name in known else sympy.Function(name)
            return make(*(_sympy(part, known) for part in arguments)) if arguments else sympy.pi
    make = {Sum: sympy.Add, Product: sympy.Mul, Negation: lambda a: -a, Quotient: lambda a, b: a / b, Power: _power}[type(expr)]
    return make(*(_sympy(part, known) for part in children(expr)))


def _power(base: Any, exponent: Any) -> Any:
    """base^exponent. Raises OverflowError where SymPy would write out a number of more than BITS."""
    bits = max(abs(base.p), base.q).bit_length() if base.is_Rational else 64
    if exponent.is_number and bits * abs(exponent) > BITS:
        raise OverflowError
    return base**exponent


if __name__ == "__main__":  # the child: gaps on standard input, the answer as exit code
    written = [_sympy(_rebuilt(gap), SYMPY) for gap in json.load(sys.stdin.buffer)]
    above = (gap.together().as_numer_denom()[0] for gap in written)
    sys.exit(PROVED if any(gap.expand() == 0 for gap in above) or any(gap.simplify() == 0 for gap in written) else 1)
