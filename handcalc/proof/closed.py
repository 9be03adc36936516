"""A quantity of a problem as one expression of the given numbers: a gradient, say, with everything put in line by line.

- `closed_form(derivation, reading, text)` works it out and checks it: `Closed`.
- `report(closed, reading)` are its blocks, `as_json(closed, reading, translate)` its object.

Every line puts in the definitions of one quantity. SymPy checks each, by the same replacement or by numbers; the last line
has the value of the graph, and where it is a gradient, it is what SymPy finds when it differentiates the loss.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import suppress
from random import Random
from typing import Any

from handcalc.core.derivation import Derivation
from handcalc.core.evaluation import Evaluation
from handcalc.core.expr import Expr, Ref, children, mul, references, rewrite, walk
from handcalc.core.graph import Graph
from handcalc.core.quantity import Cell, cell
from handcalc.core.record import Record
from handcalc.errors import EvaluationError, Message, UnknownIdError
from handcalc.language import Translate
from handcalc.proof.cases import SWITCHES
from handcalc.proof.checking import CLOSE, DIGITS, Refuted, taken
from handcalc.proof.records import listed
from handcalc.proof.report import VERSION, marked
from handcalc.proof.rules import is_open, opened
from handcalc.proof.symbolic import is_small, primitives, symbol, to_sympy, vanishes
from handcalc.render.blocks import Block, Equation, Factors, Heading, Item, Name, Paragraph, Symbolic, Value, spell
from handcalc.render.reading import Reading
from handcalc.training.gradcheck.comparing import NO_DERIVATIVE
from handcalc.training.gradcheck.differences import Surface

NODES = 2000  # the most of an expression that is written out
NAMED = 4  # cells named in one reason
POINTS, NEAR, SAME = 6, 0.2, 1e-9  # where lines are compared, how far numbers are moved, and what is equal
STEPS = 50  # definitions that are put in to compare two lines
CHAIN = Message("chain rule")
PATHS = Message("chain rule: the sum over all paths")
FIRST = Message("in the quantities of the solution")
NUMBERS = Message("the numbers put in")


class ClosedLine(Record):
    """One line: what is printed, its expression, why, and how it was checked."""

    item: Item
    expr: Expr
    reason: Message
    checked: str = ""


class Closed(Record):
    """A quantity as one expression. by: the cell that a gradient is taken by; differentiated: whether SymPy found the same."""

    wanted: Cell
    by: Cell | None
    lines: tuple[ClosedLine, ...]
    expr: Expr
    differentiated: bool


def closed_form(derivation: Derivation, reading: Reading, text: str) -> Closed:
    """A step, or a parameter's gradient, as an expression of given numbers.

    Raises UnknownIdError; EvaluationError where it has no value, or is too long to be written in one line.
    """
    graph = derivation.graph
    wanted, _ = reading.find(text)
    if graph.given_value(wanted) is not None and graph.gradient(wanted[0]):
        wanted = graph.gradient(wanted[0]), wanted[1]
    if graph.given_value(wanted) is not None:
        raise UnknownIdError(Message("{step} is given: there is nothing to put in", step=graph.cell_id(wanted)))
    derivation.evaluation[wanted]
    count = size(graph.at_once, wanted)
    if count > NODES:
        said = "{step} as one expression has {count} names, numbers and signs, {limit} at most; handcalc why shows it step by step"
        raise EvaluationError(Message(said, step=graph.cell_id(wanted), count=count, limit=NODES))
    quantity = graph[wanted[0]]
    by = graph.at(quantity.of, wanted) if quantity.kind == "gradient" and quantity.of is not None else None
    lines = _checked(list(_lines(derivation, reading, wanted)), derivation, wanted)
    results = any(graph[name].kind != "memory" for name, _ in graph.fixed)  # then it is not the slope of what can be put in
    return Closed(wanted, by, lines, lines[-1].expr, by is not None and not results and _differentiated(derivation, wanted, by))


def size(graph: Graph, wanted: Cell, known: dict[Cell, int] | None = None) -> int:
    """How many nodes a cell has when everything is put in."""
    known = {} if known is None else known
    pending = [wanted]
    while pending:
        current = pending[-1]
        if current in known or graph.given_value(current) is not None:
            known.setdefault(current, 1)
            pending.pop()
            continue
        missing = [used for used in graph.uses(current) if used not in known]
        if missing:
            pending += missing
            continue
        parts = (known[cell(node)] if isinstance(node, Ref) else 1 for node in walk(graph.instance(current)))
        known[pending.pop()] = sum(parts)
    return known[wanted]


# --- lines ------------------------------------------------------------------------------------------------------------


def _lines(derivation: Derivation, reading: Reading, wanted: Cell) -> Iterator[ClosedLine]:
    """By the chain rule, by the step's own formula, then with one quantity after the other put in, the last defined first."""
    graph = derivation.graph.at_once
    expr = graph.instance(wanted)
    factors = reading.chain(derivation.step(wanted))
    if factors:
        (_, through), *others = factors
        slopes = (opened(graph.instance(above), Ref(*below)) for above, below in others if above is not None)
        chain = mul(Ref(graph.gradient(through[0]), through[1]), *slopes)
        if all(_agree(derivation, wanted, chain)):  # a convention may have made another gradient of it
            yield ClosedLine(Factors(factors, reading.turned(wanted)), chain, CHAIN)
    paths = not factors and len(derivation.step(wanted).contributions) > 1
    first = reading.line(wanted, expr)
    if not factors or reading.factors(factors, reading.turned(wanted)) != reading.symbolic(first):
        yield ClosedLine(Symbolic(first), expr, PATHS if paths else FIRST)
    while open_cells := [ref for ref in references(expr) if graph.given_value(cell(ref)) is None]:
        last = max((ref.quantity for ref in open_cells), key=lambda name: rank(derivation, name))
        chosen = [ref for ref in open_cells if ref.quantity == last]
        expr = put_in(graph, expr, last)
        named: list[Item] = [Name(ref) for ref in chosen[:NAMED]]
        reason = Message("{cells} put in", cells=listed(named))
        if len(chosen) > NAMED:
            reason = Message("{cells} and {count} more put in", cells=listed(named), count=len(chosen) - NAMED)
        yield ClosedLine(Symbolic(reading.line(wanted, expr)), expr, reason)


def rank(derivation: Derivation, name: str) -> int:
    """The place of a quantity in the order of the solution; what starts the chain rule is last."""
    groups = derivation.groups()
    return next((place for place, group in enumerate(groups) if group.quantity.name == name), len(groups))


def put_in(graph: Graph, expr: Expr, name: str) -> Expr:
    """The expression with the definitions of one quantity's cells put in; those that are given stay."""

    def defined(node: Expr) -> Expr | None:
        here = isinstance(node, Ref) and node.quantity == name and graph.given_value(cell(node)) is None
        return graph.instance(cell(node)) if here and isinstance(node, Ref) else None

    return rewrite(expr, defined)


# --- checking ---------------------------------------------------------------------------------------------------------


def _checked(lines: list[ClosedLine], derivation: Derivation, wanted: Cell) -> tuple[ClosedLine, ...]:
    """Each line against the one before, and the last against the step. Raises Refuted."""
    found: list[ClosedLine] = []
    before: Expr = Ref(*wanted)
    for line in lines:
        checked = "symbolic" if _same(derivation, before, line.expr) else "numeric"
        if (checked == "numeric" or line is lines[-1]) and not all(_agree(derivation, wanted, line.expr)):
            raise Refuted(before, line.expr)
        found.append(line.replace(checked=checked))
        before = line.expr
    return tuple(found)


def _same(derivation: Derivation, before: Expr, after: Expr) -> bool:
    """Whether SymPy sees that two lines are the same when it puts in the definitions of what only one of them names."""
    from sympy import powsimp

    graph = derivation.graph.at_once
    functions = {name: made for name, made in primitives().items() if is_open(before) or name not in SWITCHES}  # those take their time
    with suppress(ArithmeticError, RecursionError, TypeError, ValueError):
        sides = [to_sympy(side, functions) for side in (before, after)]
        known = {symbol(ref): ref for side in (before, after) for ref in references(side)}
        for _ in range(STEPS):
            left, right = (side.free_symbols for side in sides)
            single = [known[name] for name in left ^ right if graph.given_value(cell(known[name])) is None]
            if not single:
                break
            last = max(single, key=lambda ref: rank(derivation, ref.quantity))
            definition = graph.instance(cell(last))
            known |= {symbol(ref): ref for ref in references(definition)}
            sides = [side.xreplace({symbol(last): to_sympy(definition, functions)}) for side in sides]
        if sides[0] == sides[1] or powsimp(sides[0]) == powsimp(sides[1]):
            return True
        return is_small(after) and vanishes(sides[0] - sides[1], thorough=False)
    return False


def _agree(derivation: Derivation, wanted: Cell, line: Expr) -> Iterator[bool]:
    """Whether a line has the step's value, with the problem's numbers and with some near them."""
    expr = taken(line)
    for evaluation in _near(derivation, wanted):
        with suppress(EvaluationError):
            ours, theirs = float(evaluation.of(expr, wanted)), float(evaluation[wanted])
            yield math.isclose(ours, theirs, rel_tol=SAME, abs_tol=SAME * _largest(evaluation, expr))


def _largest(evaluation: Evaluation, expr: Expr) -> float:
    """What rounding errors are relative to: the largest part of an expression."""
    return max((abs(float(evaluation.of(part))) for part in (expr, *children(expr))), default=1.0)


def _near(derivation: Derivation, wanted: Cell) -> Iterator[Evaluation]:
    """The solution in full precision, and with other numbers near those given."""
    own = Evaluation(derivation.graph, None, derivation.evaluation.replaced)
    own[wanted]
    yield own
    random = Random(derivation.graph.cell_id(wanted))
    givens = [current for current in own.values if current in own.replaced or derivation.graph.given_value(current) is not None]
    for _ in range(POINTS):
        moved = {current: float(own[current]) * (1 + random.uniform(-NEAR, NEAR)) + random.uniform(-0.01, 0.01) for current in givens}
        yield Evaluation(derivation.graph, None, moved)


def _differentiated(derivation: Derivation, wanted: Cell, by: Cell) -> bool:
    """Whether SymPy's derivative of the loss, itself one expression, is this gradient. Raises Refuted where it is not.

    Not asked where a convention makes the gradient another one, or where the loss is too long.
    """
    graph = derivation.graph.at_once
    chosen = derivation.header.conventions
    if any(chosen.get(name, value) != value for name, value in NO_DERIVATIVE.items()) or not derivation.loss:
        return False
    curve = Surface(derivation).curve(wanted)
    if size(graph, curve.objective, {by: 1}) > NODES:
        return False
    written = _whole(graph, Ref(*curve.objective), by)
    import sympy

    functions = primitives()
    theirs = sympy.diff(to_sympy(written, functions), symbol(Ref(*by)))
    expression = _whole(graph, Ref(*wanted), by)
    ours = to_sympy(expression, functions)
    agreed = 0
    for evaluation in list(_near(derivation, wanted))[1:]:
        with suppress(EvaluationError):
            cells = {*references(written), *references(expression), Ref(*by)}
            numbers = {symbol(ref): sympy.Float(float(evaluation[cell(ref)]), DIGITS) for ref in cells}
            left, right = (side.xreplace(numbers).evalf(DIGITS) for side in (ours, theirs))
            if not abs(left - right) <= CLOSE * max(1, abs(left)):
                raise Refuted(Ref(*wanted), opened(Ref(*curve.objective), Ref(*by)))
            agreed += 1
    return agreed > 0


def _whole(graph: Graph, start: Ref, stop: Cell) -> Expr:
    """A cell with everything put in, down to given numbers and one cell."""
    made: dict[Cell, Expr] = {stop: Ref(*stop)}

    def change(node: Expr) -> Expr | None:
        if not isinstance(node, Ref):
            return None
        current = cell(node)
        if current not in made:
            given = graph.given_value(current) is not None
            made[current] = node if given else rewrite(graph.instance(current), change)
        return made[current]

    return rewrite(start, change)


# --- as a document ----------------------------------------------------------------------------------------------------


def report(closed: Closed, reading: Reading) -> Iterator[Block]:
    """The page: the lines, the value, and how they were checked."""
    name = Name(Ref(*closed.wanted))
    yield Heading(1, Message("{step} as one expression", step=name))
    exact = reading.shown(closed.wanted).exact
    right = [("=", line.item) for line in closed.lines] + [("=" if exact else "≈", Value(closed.wanted))]
    reasons = [marked(line.reason, line.checked) for line in closed.lines] + [NUMBERS]
    yield Equation(name, tuple(right), reasons=tuple(reasons))
    numeric = any(line.checked == "numeric" for line in closed.lines)
    yield Paragraph(_NUMERIC if numeric else _SYMBOLIC)
    if closed.differentiated:
        yield Paragraph(Message("The last line is also what SymPy finds when it differentiates the loss itself."))


_SYMBOLIC = Message("SymPy gets every line by the same replacement, and the last has the solution's value.")
_NUMERIC = Message(
    "SymPy gets every line by the same replacement (with a *: compared by numbers); the last has the value of the worked solution."
)


def as_json(closed: Closed, reading: Reading, translate: Translate) -> dict[str, Any]:
    """The object of the contract; value: in full precision."""

    def text(item: Item) -> str:
        return spell(item, reading, translate)

    graph = reading.graph
    lines = [{"formula": text(line.item), "reason": text(line.reason), "checked": line.checked} for line in closed.lines]
    return {
        "handcalc": VERSION,
        "of": graph.cell_id(closed.wanted),
        "by": graph.cell_id(closed.by) if closed.by else None,
        "lines": lines,
        "result": lines[-1]["formula"],
        "value": float(reading.derivation.evaluation[closed.wanted]),
        "shown": reading.number(closed.wanted),
        "differentiated": closed.differentiated,
    }
