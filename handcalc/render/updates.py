"""The update in a worked solution: what an optimiser keeps, rule and worked lines, the table old and new, and the forward pass again.

- `update(derivation, reading, options, iteration)` is all of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby, islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref, add, references
from handcalc.core.graph import Graph
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import EvaluationError, Message
from handcalc.render.blocks import Block, Equation, Heading, Paragraph, Table
from handcalc.render.grids import directions, grids
from handcalc.render.items import MISSING, Item, Name, Numeric, Symbolic, Value
from handcalc.render.lines import worked
from handcalc.render.options import Options
from handcalc.render.reading import Reading
from handcalc.render.tables import cell_table, count, sample_table


def update(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """The update rule, worked lines, the table old · gradient · η·gradient · new; then the re-computed forward pass."""
    graph = derivation.graph
    if not derivation.updated and all(quantity.kind != "state" for quantity in graph):
        return
    yield Heading(2, Message("Update"))
    yield from _states(derivation, reading, options, iteration)
    if not derivation.updated:
        return
    yield from _rules(derivation, reading, options)
    lines = [*_worked_updates(derivation, reading, options, iteration)]
    yield from lines
    told = any(isinstance(block, Equation) for block in lines) and not isinstance(lines[-1], Paragraph)
    if not told or options.full or options.lines or options.asked is not None or derivation.rounding.carry:
        yield update_table(derivation, reading, options, iteration)
    yield from _after(derivation, reading, options, iteration)


def _rules(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    """The rule of updating, once for weights and once for biases."""
    graph = derivation.graph
    seen = set()
    for parameter, new in derivation.updated.items():
        quantity = graph[new]
        rule = reading.general(quantity)
        change = graph[graph.change(parameter)]
        changed = reading.general(change)
        kinds = quantity.kind, graph[parameter].kind
        if rule is None or changed is None or graph[parameter].word in derivation.header.ruled or kinds in seen:
            continue
        seen.add(kinds)
        if reading.delta_rule or options.full:
            yield Equation(Name(Ref(change.name, change.index)), (("=", Symbolic(changed)),))
        yield Equation(Name(Ref(quantity.name, quantity.index)), (("=", Symbolic(rule)),))


def _states(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """What an optimiser keeps: the rule once for weights and once for biases, and worked lines as for the updates."""
    seen = set()
    most = _most(derivation, reading, options)
    for quantity in derivation.graph:
        general = reading.general(quantity) if quantity.kind in ("state", "rate") else None
        if general is None:
            continue
        base = derivation.graph[quantity.of.quantity] if quantity.of else None
        of = "" if base is None else base.name if base.kind == "input" else base.kind
        if of and (quantity.role, of) not in seen:
            yield Equation(Name(Ref(quantity.name, quantity.index)), (("=", Symbolic(general)),))
        seen.add((quantity.role, of))
        yield from _matrices(derivation, reading, options, iteration, quantity)
        if options.form == "matrix" and quantity.axes:
            continue
        for place in islice(derivation.graph.positions(quantity.name), most):
            yield worked(derivation, reading, (quantity.name, place), iteration)


def _most(derivation: Derivation, reading: Reading, options: Options) -> int:
    """How many lines a parameter has in the update: as many as it has numbers, where there are few in all."""
    limits, twice = options.limits, 2 if reading.delta_rule else 1
    whole = sum(count(derivation, Group(derivation.graph[new], "update")) for new in derivation.updated.values())
    few = options.full or derivation.header.plain and whole * twice <= limits.updated
    return limits.updated if few else limits.updates


def _worked_updates(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """Every update worked where there are few, else the first of each quantity; then how many there are besides."""
    further = 0
    most = _most(derivation, reading, options)
    for parameter, new in derivation.updated.items():
        change = derivation.graph.change(parameter)
        changes = [derivation.graph[change]] if reading.delta_rule or options.full else []
        for quantity in (*changes, derivation.graph[new]):
            yield from _matrices(derivation, reading, options, iteration, quantity)
        if options.form == "matrix" and derivation.graph[new].axes:
            continue
        places = list(islice(derivation.graph.positions(new), most))
        further += count(derivation, Group(derivation.graph[new], "update")) - len(places) if places else 0
        for place in places:
            if reading.delta_rule or options.full:
                yield worked(derivation, reading, (change, place), iteration)
            yield _changed(derivation, reading, worked(derivation, reading, (new, place), iteration), (change, place))
    if further and not options.asked:
        yield Paragraph(Message("… and {count} more, in the table", count=further))


def _changed(derivation: Derivation, reading: Reading, line: Equation, change: Cell) -> Equation:
    """The line of a new value with the old one and its change before the result: w - η·g ≈ 0.15 + (-0.000219) ≈ 0.149781."""
    assert line.step is not None
    (new, place), iteration = line.step
    graph = derivation.graph
    of = graph[new].of
    if of is None or derivation.rounding.carry:  # a change that is rounded need not give the rounded result
        return line
    added = reading.line(line.step[0], add(Ref(of.quantity, place), Ref(*change)))
    if not any(isinstance(item, Numeric) for _, item in line.right) or added == reading.formula(line.step[0]):
        return line
    relation = "=" if reading.exact_inputs(added, iteration) else "≈"
    return line.replace(right=(*line.right[:-1], (relation, Numeric(added, iteration)), line.right[-1]))


def _matrices(derivation: Derivation, reading: Reading, options: Options, iteration: int, quantity: Quantity) -> Iterator[Block]:
    """The matrix form of a rule of updating, if it is wanted."""
    if options.form != "scalar":
        from handcalc.render.matrices import matrix_letters, matrix_numbers

        yield from matrix_letters(reading, quantity)
        yield from matrix_numbers(reading, Group(quantity, "update"), iteration)


def update_table(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Table:
    """old, gradient, η·gradient, new of every updated parameter."""
    graph = derivation.graph
    rows: list[tuple[Item, ...]] = []
    limit, omitted = options.limits.changes, 0
    for parameter, new in derivation.updated.items():
        places = list(islice(graph.positions(new), limit))
        omitted += count(derivation, Group(graph[new], "update")) - len(places)
        for place in places:
            wanted = (parameter, place)
            rows.append(
                (
                    Name(Ref(*wanted)),
                    Value(wanted, iteration),
                    Value((gradient, place), iteration) if (gradient := graph.gradient(parameter)) else MISSING,
                    Value((graph.change(parameter), place), iteration),
                    Value((new, place), iteration),
                )
            )
    columns = (Message("parameter"), Message("old"), Message("gradient"), Message("change"), Message("new"))
    if all(row[2] is MISSING for row in rows):  # rules that need no gradient
        return Table((*columns[:2], *columns[3:]), tuple((*row[:2], *row[3:]) for row in rows), omitted)
    return Table(columns, tuple(rows), omitted)


def _after(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """Outputs and loss with the updated parameters."""
    graph = derivation.graph
    groups = [quantity for quantity in graph if quantity.stage == "after"]
    if not groups:
        return
    tables = not options.full and not options.lines
    same = tables and derivation.header.sizes
    yield Heading(2, Message("After the update, by the same formulas") if same else Message("After the update"))
    missing = _without_value(derivation, groups, iteration)
    if missing:
        text = "There are no numbers here: {reason}. Up to here all is right; a smaller learning rate keeps the numbers smaller."
        yield Paragraph(Message(text, reason=missing))
        return
    after = graph.after(derivation.loss)
    losses = [quantity.name for quantity in graph if quantity.kind == "loss" and not quantity.sampled and graph.after(quantity.name)]
    alone = tables and options.asked is None and len(losses) == 1
    if alone:
        yield _said(losses[0], graph, iteration)
    for _, inside in groupby(groups, key=lambda quantity: quantity.layer):
        together = list(inside)
        alike: list[Quantity] = []  # columns of a table that stands before the first line that needs them
        for quantity in together:
            if tables and _in_a_row(quantity):
                alike.append(quantity)
                continue
            if tables and quantity.kind == "loss" and after:
                continue
            if alike and {*_used(quantity)} & {column.name for column in alike}:
                yield cell_table(derivation, options, iteration, alike)
                alike = []
            if tables and directions(quantity) > 1 and not quantity.sampled:
                yield from grids(derivation, quantity, options.detail, iteration)
                continue
            yield from _worked_again(derivation, reading, options, iteration, quantity)
        if alike:
            yield cell_table(derivation, options, iteration, alike)
    if after and not alone:
        yield _comparison(losses if derivation.loss in losses else [derivation.loss], graph, iteration)


def _without_value(derivation: Derivation, groups: list[Quantity], iteration: int) -> Message | None:
    """Why the loss, or what there is in its place, has no value with the updated parameters; None where it has."""
    ends = [quantity for quantity in groups if quantity.kind == "loss"] or groups[-1:]
    evaluation = derivation.iteration(iteration).evaluation
    try:
        for quantity in ends:
            for place in derivation.graph.positions(quantity.name):
                evaluation.precise((quantity.name, place))
    except EvaluationError as error:
        if error.cell is not None and derivation.graph[error.cell[0]].stage == "after":
            return error.messages[0]
        raise
    return None


def _used(quantity: Quantity) -> Iterator[str]:
    """The quantities that one is worked from."""
    return (ref.quantity for formula in quantity.formulas for ref in references(formula))


def _said(loss: str, graph: Graph, iteration: int) -> Paragraph:
    """The loss before and after in a sentence."""
    before, after = Value((loss, ()), iteration), Value((graph.after(loss), ()), iteration)
    return Paragraph(Message("{loss}: before {before}, after {after}", loss=Name(Ref(loss)), before=before, after=after))


def _in_a_row(quantity: Quantity) -> bool:
    """Whether it has a number for each neuron of a layer, and nothing else."""
    return directions(quantity) == 1 and not quantity.sampled and quantity.axes[-1].role == "unit"


def _worked_again(derivation: Derivation, reading: Reading, options: Options, iteration: int, quantity: Quantity) -> Iterator[Block]:
    """The worked lines of a quantity, or its table where there are samples."""
    if quantity.sampled:
        if quantity.kind in ("out", "loss"):
            yield sample_table(derivation, options, iteration, [Group(quantity, "after")])
        return
    of_loss, of_others = options.limits.after
    places = list(islice(derivation.graph.positions(quantity.name), of_loss if quantity.kind == "loss" else of_others))
    for place in places:
        yield worked(derivation, reading, (quantity.name, place), iteration)
    further = count(derivation, Group(quantity, "after")) - len(places)
    if further and places:
        yield Paragraph(Message("… and {count} more of these, not shown", count=further))


def _comparison(losses: list[str], graph: Graph, iteration: int) -> Block:
    """The loss before and after, with its parts and what is reported beside it."""
    rows = tuple((Name(Ref(name)), Value((name, ()), iteration), Value((graph.after(name), ()), iteration)) for name in losses)
    return Table((Message("loss"), Message("before"), Message("after")), rows)
