"""Judging a formula given as the answer to a step: whether it is the same function of the given numbers.

- `names_of(reading)` is every name for a cell; `read_formula(text, reading, wanted)` is a text's formula over cells.
- `judge(derivation, wanted, formula)` compares it with the step's value.

Both are written out, to the cells the student mentions and to the given numbers: what is the same then is equal, what differs
at a random point is not, and SymPy is asked whether the rest is. To add a function, nothing is needed here; without a
definition and an entry in SYMPY of symbolic.py, nothing is known of it but its arguments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from math import isfinite
from random import Random
from unicodedata import normalize

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Negation, Ref, children, neg, references, rewrite, walk
from handcalc.core.formula import FormulaError, names, parse
from handcalc.core.functions import FUNCTIONS
from handcalc.core.instance import evaluate
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Message, near
from handcalc.proof.symbolic import difference, proved
from handcalc.render.reading import Reading

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
NODES, DEPTH = 1000, 100  # the most of what is written out


def names_of(reading: Reading) -> Mapping[str, Expr]:
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


def _aliases(reading: Reading) -> Iterator[tuple[str, Expr]]:
    for quantity in reading.graph:
        base = quantity.of and reading.graph[quantity.of.quantity].kind
        for place in reading.graph.positions(quantity.name) if base in (None, "net") and not quantity.stage else ():
            unit, number = (quantity.axes[-1].label(place[-1]), place[-1] + 1) if place else ("", 0)
            sample = "@" + quantity.axes[0].label(place[0]) if quantity.sampled else ""
            for template in ALIASES.get(quantity.kind, ()):
                yield template.format(unit=unit, number=number) + sample, _letter(reading, (quantity.name, place))


def _letter(reading: Reading, wanted: Cell) -> Expr:
    return neg(Ref(*wanted)) if reading.turned(wanted) else Ref(*wanted)


def read_formula(text: str, reading: Reading, wanted: Cell | None = None) -> Expr | Message:
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
    own = Evaluation(derivation.graph, None, derivation.evaluation.replaced)
    known = derivation.evaluation if derivation.evaluation.graph is derivation.graph else own
    known[wanted]
    apart = _apart(own, wanted, formula)
    givens = [current for current in own.values if current in own.replaced or own.graph.given_value(current) is not None]
    if wanted in givens or not references(formula):
        apart = _apart(known, wanted, formula, () if wanted in givens else [own.graph.instance(wanted)])
        return Judgement(apart is False, "differs" if apart is not False else "numeric")
    levels = [] if apart is None else list(_levels(own, wanted, formula, givens))
    if any(theirs == ours for theirs, ours in levels):
        return Judgement(True, "identical")
    if apart is None or _differ(own, wanted, formula, givens, levels[0] if levels else ()):
        return Judgement(False, "differs")
    return Judgement(True, "proved" if proved([difference(theirs, ours) for theirs, ours in levels], seconds, enough=1) else "numeric")


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
