"""Derivation → document: the order of headings, formulas and tables of a worked solution.

- `solution(derivation, reading, options)` is the whole worked solution, phase by phase.
- `body` is its middle: forward pass, error, backward pass; `worked` one line of it.

What a reader sees follows from groups of steps: a general formula, worked lines, and a table where there are more
cells than worked lines. Given data and the update table have a form of their own (givens.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby, islice, takewhile

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Expr, Number, Ref, references, rewrite
from handcalc.core.graph import Cell, Quantity, cell
from handcalc.core.order import Group
from handcalc.core.record import Record
from handcalc.errors import Message, Template
from handcalc.render.blocks import (
    Block,
    Equation,
    Factors,
    Heading,
    Item,
    Name,
    Numeric,
    Picture,
    Plain,
    Ratio,
    Rows,
    Symbolic,
    Table,
    Value,
)
from handcalc.render.fading import fading
from handcalc.render.grids import directions, grids
from handcalc.render.rawderivative import raw_derivative
from handcalc.render.reading import Reading
from handcalc.render.windows import has_window

WORKED_LIMIT = {"brief": 0, "normal": 8, "full": 1000}  # worked lines of one quantity
COLUMNS_LIMIT = 40  # cells of one quantity side by side
PLACES_LIMIT = 4  # places named beside a formula that holds there
ROWS_LIMIT = {"brief": 20, "normal": 20, "full": 1000}  # rows of one table


Place = tuple[int, ...]


class Options(Record):
    """What is shown: detail, form, phases or cells (with their iteration) to restrict it to, drawings.

    asked: not None where the reader is to fill it in; the steps that are asked with their marks, none: all of them.
    """

    detail: str = "normal"
    form: str = "scalar"
    phases: tuple[str, ...] = ()
    cells: tuple[tuple[Cell, int], ...] = ()
    pictures: bool = False
    asked: Mapping[tuple[Cell, int], str] | None = None

    def wants(self, phase: str) -> bool:
        """Whether a phase is shown."""
        return not self.phases or phase in self.phases


# type of a layer → what a heading calls it
KIND_TITLES: dict[str, Template] = {
    "dense": "fully connected",
    "conv2d": "convolution",
    "conv1d": "convolution",
    "conv_transpose2d": "transposed convolution",
    "max_pool": "max pooling",
    "avg_pool": "average pooling",
    "flatten": "flatten",
    "rnn": "recurrent layer",
    "lstm": "LSTM",
    "gru": "GRU",
    "embedding": "embedding",
    "positional_encoding": "positional encoding",
    "attention": "attention",
    "layer_norm": "layer normalisation",
    "batch_norm": "batch normalisation",
    "dropout": "dropout",
    "residual": "residual connection",
}

# kinds that come together in one table of a layer
_TABLES = (("net", "out"), ("loss_term",), ("error",), ("gradient", "local"))


def body(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """Forward, error, backward of one round."""
    for phase, title in (("forward", Message("Forward pass")), ("error", Message("Error")), ("backward", Message("Backward pass"))):
        groups = [group for group in derivation.groups() if group.phase == phase]
        if groups and options.wants(phase):
            yield Heading(2, title)
            for layer, inside in _layers(groups):
                yield from _layer(derivation, reading, options, iteration, phase, layer, inside)


def _layers(groups: list[Group]) -> Iterator[tuple[int, list[Group]]]:
    """Groups by layer, in order; groups without one (losses, equations) under 0."""
    start = 0
    for place in range(1, len(groups) + 1):
        if place == len(groups) or groups[place].quantity.layer != groups[start].quantity.layer:
            yield groups[start].quantity.layer, groups[start:place]
            start = place


def _layer(
    derivation: Derivation, reading: Reading, options: Options, iteration: int, phase: str, layer: int, groups: list[Group]
) -> Iterator[Block]:
    if layer and phase != "error":
        yield Heading(3, layer_title(reading, layer))
    for time, inside in groupby(groups, key=lambda group: group.time):
        together = list(inside)
        if time is None:
            if together[0] is not groups[0]:  # after those of single times
                yield Heading(3, Message("All times"))
            yield from _together(derivation, reading, options, iteration, together)
        else:
            for group in together:
                if group in _firsts(groups):
                    yield from _general(reading, options, group.quantity)
            if any(group.quantity.kind != "path" and any(derivation.places(group)) for group in together):
                yield Heading(3, Message("Time {time}", time=time))
            yield from _together(derivation, reading, options, iteration, together, told=False)
    if phase == "backward" and any(group.time is not None for group in groups) and options.asked is None:
        yield from fading(derivation, layer, iteration)


def _firsts(groups: list[Group]) -> list[Group]:
    """Of the groups of every time, those that come first: only there is the general formula told."""
    return list({group.quantity.name: group for group in reversed(groups)}.values())


def _together(
    derivation: Derivation, reading: Reading, options: Options, iteration: int, groups: list[Group], told: bool = True
) -> Iterator[Block]:
    """Groups of one layer (at one time): formulas (told: general ones, too), worked lines, tables of what was not worked."""
    for group in groups:
        if told:
            yield from _general(reading, options, group.quantity)
        yield from _group(derivation, reading, options, iteration, group)
    for kinds in _TABLES:
        alike = [g for g in groups if g.time is None and _in_table(derivation, g.quantity, kinds)]
        yield from _tables(derivation, options, iteration, [g.quantity for g in alike])
    rest = [
        g
        for g in groups
        if g.quantity.axes
        and g.quantity.kind != "path"
        and (g.time is not None or not any(_in_table(derivation, g.quantity, kinds) for kinds in _TABLES))
    ]
    wide = [] if derivation.header.plain else [g for g in rest if directions(g.quantity) > 1 and g.time is None]
    for group in wide:
        turned = reading.notation.rows_are_sources(group.quantity)
        yield from grids(derivation, group.quantity, options.detail, iteration, turned)
    rest = [group for group in rest if group not in wide]
    if any(not _complete(derivation, options, group) for group in rest):
        sampled = [group for group in rest if group.quantity.sampled]
        if sampled:
            yield sample_table(derivation, options, iteration, sampled)
        if len(sampled) < len(rest):
            yield _list(derivation, options, iteration, [group for group in rest if not group.quantity.sampled])


def _in_table(derivation: Derivation, quantity: Quantity, kinds: tuple[str, ...]) -> bool:
    """Whether a quantity has one cell per neuron and shares a table with others of these kinds."""
    neuron = directions(quantity) == 1 and quantity.axes[-1].role == "unit"
    if quantity.kind == "gradient" and quantity.of is not None:
        neuron = neuron and derivation.graph[quantity.of.quantity].kind in ("out", "net")
    return neuron and quantity.kind in kinds


def layer_title(reading: Reading, layer: int) -> Message:
    """Hidden layer 1 (h1, h2), or output layer (o1, o2)."""
    kinds = reading.derivation.header.kinds
    if any(kind != "dense" for kind in kinds):
        return Message("Layer {number}: {kind}", number=layer, kind=Message(KIND_TITLES[kinds[layer - 1]]))
    net = reading.graph[f"net{layer}"]
    names = net.axes[-1].labels
    shown = ", ".join(names[:6]) + (", …" if len(names) > 6 else "")
    if layer == reading.notation.last:
        return Message("Output layer ({neurons})", neurons=shown)
    if reading.notation.last == 2:
        return Message("Hidden layer ({neurons})", neurons=shown)
    return Message("Hidden layer {number} ({neurons})", number=layer, neurons=shown)


# --- groups -----------------------------------------------------------------------------------------------------------


def _general(reading: Reading, options: Options, quantity: Quantity) -> Iterator[Block]:
    """The general formula, and the matrix form in letters."""
    if quantity.axes:
        yield from _told(reading, quantity)
    if options.form != "scalar":
        from handcalc.render.matrices import matrix_letters

        yield from matrix_letters(reading, quantity)


def _group(derivation: Derivation, reading: Reading, options: Options, iteration: int, group: Group) -> Iterator[Block]:
    """The matrix form with numbers, worked lines; paths come with the sum they belong to."""
    quantity = group.quantity
    if options.form != "scalar":
        from handcalc.render.matrices import matrix_numbers

        yield from matrix_numbers(reading, group, iteration)
        if options.form == "matrix" and quantity.axes:
            return
    if quantity.kind == "path":
        return
    paths = [term.path.quantity for term in quantity.terms if term.path]
    at_once = not derivation.header.plain and options.detail != "full"  # a sum over places of maps or over times is one line
    cells = list(islice(worked_cells(derivation, options, group), WORKED_LIMIT[options.detail]))
    laid = {cells[0], cells[-1]} if cells and options.detail == "full" and has_window(derivation.graph, quantity) else set()
    for wanted in cells:
        for reference in references(derivation.graph.instance(wanted)) if paths and not at_once else ():
            if reference.quantity in paths:
                yield worked(derivation, reading, cell(reference), iteration)
        yield worked(derivation, reading, wanted, iteration, untidied=options.detail == "full", put_in=paths if at_once else ())
        if wanted in laid:
            yield Picture(iteration, window=wanted)


def _told(reading: Reading, quantity: Quantity) -> Iterator[Block]:
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
        shown = ", ".join(places[:PLACES_LIMIT]) + ", …" * (len(places) > PLACES_LIMIT)
        label = Message("{letter} = {places}:", letter=letter, places=shown)
        yield Equation(name, (("=", Symbolic(formula if formula is general else reading.line((quantity.name, ()), formula))),), label=label)


def _own_factor(reading: Reading, quantity: Quantity) -> Iterator[Block]:
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
        if options.detail == "full" or not quantity.sampled or place[0] == 0:
            yield quantity.name, place


def worked(
    derivation: Derivation,
    reading: Reading,
    wanted: Cell,
    iteration: int,
    indent: int = 1,
    untidied: bool = False,
    put_in: Sequence[str] = (),
) -> Equation:
    """One cell: symbol = named factors = formula ≈ numbers ≈ value; untidied: with the raw derivative before it; put_in: quantities
    whose definitions stand in the line (the paths of a sum)."""
    step = derivation.step(wanted, iteration)
    formula = reading.formula(wanted)
    if formula is not None and put_in:
        formula = rewrite(formula, lambda node: reading.formula(cell(node)) if isinstance(node, Ref) and node.quantity in put_in else None)
    right: list[tuple[str, Item]] = []
    if formula is not None:
        factors = reading.chain(step)
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
    if formula is None or not isinstance(formula, Number):
        right.append(("=" if step.shown.exact else "≈", Value(wanted, iteration)))
    return Equation(Name(Ref(*wanted)), tuple(right), indent, step=(wanted, iteration))


# --- tables -----------------------------------------------------------------------------------------------------------


def _complete(derivation: Derivation, options: Options, group: Group) -> bool:
    """Whether the worked lines show every cell already."""
    quantity = group.quantity
    if options.form == "matrix" or (quantity.sampled and options.detail != "full"):
        return False
    limit = WORKED_LIMIT[options.detail]
    return len(list(islice(derivation.places(group), limit + 1))) <= limit


def _tables(derivation: Derivation, options: Options, iteration: int, quantities: list[Quantity]) -> Iterator[Block]:
    """A table of quantities with the same cells, where not every cell was worked."""
    if quantities and not _complete(derivation, options, Group(quantities[0], "")):
        alike = [quantity for quantity in quantities if quantity.axes == quantities[0].axes]
        if alike[0].sampled:
            yield sample_table(derivation, options, iteration, [Group(quantity, "") for quantity in alike])
        else:
            yield _cell_table(derivation, options, iteration, alike)


def size(quantity: Quantity) -> int:
    """Number of places of a quantity, existing or not."""
    result = 1
    for axis in quantity.axes:
        result *= axis.size
    return result


def _list(derivation: Derivation, options: Options, iteration: int, groups: list[Group]) -> Table:
    """One row per cell of quantities with different directions."""
    limit = ROWS_LIMIT[options.detail]
    rows: list[tuple[Item, ...]] = []
    omitted = 0
    for group in groups:
        quantity = group.quantity
        places = list(islice(derivation.places(group), limit))
        rows += [(Name(Ref(quantity.name, place)), Value((quantity.name, place), iteration)) for place in places]
        omitted += size(quantity) - limit if len(places) == limit else 0
    return Table((Message("quantity"), Message("value")), tuple(rows), omitted)


def _cell_table(derivation: Derivation, options: Options, iteration: int, quantities: list[Quantity]) -> Table:
    """One row per neuron, one column per quantity."""
    first = quantities[0]
    places = list(islice(derivation.graph.positions(first.name), ROWS_LIMIT[options.detail]))
    columns: tuple[Item, ...] = (Message("neuron"), *(Name(Ref(q.name, q.index)) for q in quantities))
    rows: Rows = tuple(
        (Plain(first.axes[-1].label(place[-1])), *(Value((q.name, place), iteration) for q in quantities)) for place in places
    )
    return Table(columns, rows, size(first) - len(places))


def sample_table(derivation: Derivation, options: Options, iteration: int, groups: list[Group]) -> Table:
    """One row per sample, one column per quantity and cell."""
    samples = groups[0].quantity.axes[0]
    limit = ROWS_LIMIT[options.detail]
    inner: list[tuple[Quantity, Place]] = []
    hidden = 0
    timed = all(group.time is None for group in groups)  # else a heading tells the time
    for group in groups:
        first = takewhile(lambda place: place[0] == 0, derivation.places(group))
        places = [place[1:] for place in islice(first, COLUMNS_LIMIT)]
        inner += [(group.quantity, place) for place in places]
        if len(places) == COLUMNS_LIMIT:
            times = 1 if group.time is None else next(axis.size for axis in group.quantity.axes if axis.role == "time")
            hidden += size(group.quantity) // samples.size // times - COLUMNS_LIMIT
    names = [Name(Ref(quantity.name, (0, *place)), bare=True, timed=timed) for quantity, place in inner]
    columns: tuple[Item, ...] = (Message("sample"), *names)
    rows: Rows = tuple(
        (Plain(samples.label(sample)), *(Value((quantity.name, (sample, *place)), iteration) for quantity, place in inner))
        for sample in range(min(samples.size, limit))
    )
    return Table(columns, rows, max(samples.size - limit, 0), hidden)


# --- the whole --------------------------------------------------------------------------------------------------------


def solution(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    """The worked solution: title, given data, then for every iteration forward, error, backward, update."""
    from handcalc.render import givens

    if options.cells:
        for wanted, iteration in options.cells:
            yield worked(derivation, reading, wanted, iteration, indent=0)
        return
    yield from givens.title(derivation.header, options.asked is not None)
    if options.wants("given"):
        yield from givens.given(derivation, reading, options)
    for iteration in range(1, derivation.iterations + 1):
        if derivation.iterations > 1:
            yield Heading(1, givens.iteration_title(derivation.header, iteration))
        yield from body(derivation, reading, options, iteration)
        if options.pictures and options.wants("backward"):
            yield Picture(iteration)
        if options.wants("update"):
            yield from givens.update(derivation, reading, options, iteration)
