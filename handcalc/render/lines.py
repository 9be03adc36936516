"""The lines of a quantity: its general formula, then one cell after the other, worked out.

- `general(reading, options, quantity)` is what holds for every cell; `lines(derivation, reading, options, …)` are the worked cells.
- `worked(derivation, reading, cell, iteration)` is the line of one; `left(derivation, options, group)` says how many have none,
  `vanished(…)` whether one has a value only because 0·ln 0 is 0.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import ZERO, Call, Delta, Expr, Number, Quotient, Ref, references, rewrite, walk
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity, cell
from handcalc.errors import Message
from handcalc.render.blocks import Block, Equation, Paragraph, Picture
from handcalc.render.grids import in_grids
from handcalc.render.items import Factors, Item, Name, Numeric, Ratio, Symbolic, Value
from handcalc.render.options import Options
from handcalc.render.pooling import is_averaged, is_pooled, is_window_path, settled, windows
from handcalc.render.pooling import told as pooling_told
from handcalc.render.rawderivative import raw_derivative
from handcalc.render.reading import Reading
from handcalc.render.seen import Seen
from handcalc.render.tables import count
from handcalc.render.windows import has_window

PLACES_LIMIT = 4  # places named beside a formula that holds there


def general(reading: Reading, options: Options, quantity: Quantity, told: Seen | None = None) -> Iterator[Block]:
    """The general formula, unless it was told, and the matrix form in letters; nothing where every number is given."""
    graph = reading.graph
    given = graph.fixed and all((quantity.name, place) in graph.fixed for place in graph.positions(quantity.name))
    if given or graph.fixed and isinstance(quantity.definition, Number):  # what comes from above: nothing, or what is given
        return
    if is_window_path(graph, quantity):
        return
    if is_pooled(graph, quantity) or is_averaged(graph, quantity):
        yield pooling_told(graph, quantity)
    elif quantity.axes and (told is None or told.first(quantity, graph) or options.full):
        formulas = [*_told(reading, quantity)]
        yield from formulas
        yield from _brackets(formulas, told)
    if options.form != "scalar":
        from handcalc.render.matrices import matrix_letters

        yield from matrix_letters(reading, quantity)


def lines(derivation: Derivation, reading: Reading, options: Options, iteration: int, group: Group) -> Iterator[Block]:
    """The matrix form with numbers, worked lines; paths come with the sum they belong to."""
    quantity = group.quantity
    if options.form != "scalar":
        from handcalc.render.matrices import matrix_numbers

        yield from matrix_numbers(reading, group, iteration)
        if options.form == "matrix" and quantity.axes and not _partly_given(derivation, group):
            return
    if quantity.kind == "path":
        return
    used = references(quantity.definition) if quantity.definition is not None else ()
    paths = [reference.quantity for reference in used if derivation.graph[reference.quantity].kind == "path"]
    at_once = not derivation.header.plain and not options.full or is_pooled(derivation.graph, quantity)  # a sum over places is one line
    cells = first_cells(derivation, options, group)
    seen: set[str] = set()  # paths whose named factors were told
    laid = {cells[0], cells[-1]} if cells and options.full and has_window(derivation.graph, quantity) else set()
    if is_pooled(derivation.graph, quantity):
        yield from windows(derivation, options, group, iteration)
    for wanted in cells:
        for reference in references(reading.formula(wanted) or ZERO) if paths and not at_once else ():
            if reference.quantity in paths:
                chained = options.full or reference.quantity not in seen
                seen.add(reference.quantity)
                yield worked(derivation, reading, cell(reference), iteration, chained=chained)
        chained = options.full or wanted == cells[0]
        yield worked(derivation, reading, wanted, iteration, untidied=options.full, put_in=paths if at_once else (), chained=chained)
        if wanted in laid:
            yield Picture(iteration, window=wanted)


def left(derivation: Derivation, options: Options, group: Group) -> int:
    """How many cells of a group that has worked lines have none; those of paths come with their sums."""
    if group.quantity.kind == "path" or options.form == "matrix" and group.quantity.axes:
        return 0
    cells = first_cells(derivation, options, group)
    return count(derivation, group) - len(cells) if cells else 0


def vanished(derivation: Derivation, options: Options, iteration: int, group: Group) -> bool:
    """Whether a line of a group has a value only because 0·ln 0 is 0."""
    if not any(isinstance(node, (Call, Quotient)) for formula in group.quantity.formulas for node in walk(formula)):
        return False
    evaluation = derivation.iteration(iteration).evaluation
    for wanted in first_cells(derivation, options, group):
        evaluation.precise(wanted)
    return any(name == group.quantity.name for name, _ in evaluation.vanished)


def first_cells(derivation: Derivation, options: Options, group: Group) -> list[Cell]:
    """The cells of a group that are worked line by line."""
    short = in_grids(derivation, group) and not is_pooled(derivation.graph, group.quantity)
    most = options.limits.cells if short else options.limits.lines
    return list(islice(worked_cells(derivation, options, group), most))


def _partly_given(derivation: Derivation, group: Group) -> bool:
    """Whether numbers are given in the place of some cells, so that they are not what a matrix form gives."""
    fixed = derivation.graph.fixed
    return bool(fixed) and any((group.quantity.name, place) in fixed for place in derivation.places(group))


def _brackets(formulas: list[Equation], told: Seen | None) -> Iterator[Block]:
    """What the first bracket [k' = k] of a solution means (Iverson's)."""
    shown = [item.expr for formula in formulas for _, item in formula.right if isinstance(item, Symbolic)]
    found = next((node for expr in shown for node in walk(expr) if isinstance(node, Delta)), None)
    if found is not None and (told is None or told.first_bracket()):
        yield Paragraph(Message("{bracket} is 1 where that is so, else 0.", bracket=Symbolic(found)))


def _told(reading: Reading, quantity: Quantity) -> Iterator[Equation]:
    """The general formula with its own factor; where places along the last direction differ, the formula of each with its places."""
    general = reading.general(quantity)
    if general is None:
        return
    name = Name(Ref(quantity.name, quantity.index))
    if not quantity.cases:
        yield Equation(name, (("=", Symbolic(general)),))
        yield from _own_factor(reading, quantity)
        return
    axis, letter = quantity.axes[-1], quantity.index[-1].letter
    alike: dict[Expr, list[str]] = {}
    for place in range(axis.size):
        alike.setdefault(quantity.cases.get((place,), general), []).append(axis.label(place))
    for formula, places in alike.items():
        label = Message(
            "{letter} = {places}:", letter=letter, places=", ".join(places[:PLACES_LIMIT]) + (", …" if len(places) > PLACES_LIMIT else "")
        )
        yield Equation(name, (("=", Symbolic(formula if formula is general else reading.line((quantity.name, ()), formula))),), label=label)


def _own_factor(reading: Reading, quantity: Quantity) -> Iterator[Equation]:
    """∂net_k/∂w_kj = out_j: the last factor of a gradient that comes through one consumer."""
    if quantity.kind == "gradient" and len(quantity.terms) == 1 and quantity.of is not None:
        term = quantity.terms[0]
        named = isinstance(term.local, Ref) and reading.graph[term.local.quantity].kind == "local"
        if term.path is None and not named and not isinstance(term.upstream, Number):
            yield Equation(Ratio(term.through, quantity.of), (("=", Symbolic(reading.signed(term.local))),))


def worked_cells(derivation: Derivation, options: Options, group: Group) -> Iterator[Cell]:
    """The cells worked line by line: those of the first sample, unless everything is wanted."""
    quantity = group.quantity
    for place in derivation.places(group):
        if options.full or not quantity.sampled or place[0] == quantity.axes[0].places[0]:
            yield quantity.name, place


def worked(
    derivation: Derivation,
    reading: Reading,
    wanted: Cell,
    iteration: int,
    indent: int = 1,
    untidied: bool = False,
    put_in: Sequence[str] = (),
    chained: bool = True,
) -> Equation:
    """One cell: symbol = named factors = formula ≈ numbers ≈ value; untidied: with the raw derivative before it; put_in: quantities
    whose definitions stand in the line (the paths of a sum); chained: with its named factors."""
    derivation, reading = derivation.at(iteration), reading.at(iteration)
    step = derivation.step(wanted, iteration)
    formula = summed = reading.formula(wanted)
    pooled = is_pooled(derivation.graph, derivation.graph[wanted[0]])
    if formula is not None and put_in:
        formula = rewrite(formula, lambda node: reading.formula(cell(node)) if isinstance(node, Ref) and node.quantity in put_in else None)
    if formula is not None and pooled:
        formula, chained = settled(derivation, formula, iteration), False
    right: list[tuple[str, Item]] = []
    if formula is not None:
        factors = reading.chain(step) if chained else ()
        chain = Factors(factors, reading.turned(wanted))
        if factors and reading.factors(factors, chain.negative) != reading.symbolic(formula):
            right.append(("=", chain))
        raw = raw_derivative(derivation, wanted) if untidied else None
        if raw is not None and reading.symbolic(reading.signed(raw)) != reading.symbolic(formula) and not reading.turned(wanted):
            right.append(("=", Symbolic(reading.signed(raw))))
        right.append(("=", Symbolic(formula)))
        relation = "=" if reading.exact_inputs(formula, iteration) else "≈"
        if not isinstance(formula, (Ref, Number)):
            right.append((relation, Numeric(formula, iteration)))
    exact = step.shown.exact
    if put_in and derivation.rounding.carry and summed is not None and formula != summed:  # each path was rounded before they were added
        if isinstance(summed, Ref):
            exact = exact and reading.shown(cell(summed), iteration).exact
        else:
            right.append(("≈", Numeric(summed, iteration, rounded=True)))
    if formula is None or not isinstance(formula, Number):
        right.append(("=" if exact else "≈", Value(wanted, iteration)))
    label = Message("given:") if wanted in derivation.graph.fixed else None
    return Equation(Name(Ref(*wanted)), tuple(right), indent, step=(wanted, iteration), label=label)
