"""The parts of a worked solution around the calculation: title, given data, conventions in force, updates, the end."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handcalc.core.derivation import Derivation, Header
from handcalc.core.expr import Call, Ref, walk
from handcalc.core.graph import Cell, Quantity
from handcalc.core.order import Group
from handcalc.errors import Message, Template
from handcalc.render.blocks import Block, Equation, Heading, Item, Name, Paragraph, Picture, Plain, Rows, Symbolic, Table, Value
from handcalc.render.document import ROWS_LIMIT, WORKED_LIMIT, Options, layer_title, sample_table, size, worked
from handcalc.render.grids import directions, grids
from handcalc.render.reading import Reading

UPDATES_LIMIT = {"brief": 0, "normal": 2, "full": WORKED_LIMIT["full"]}  # worked lines of one quantity in the update


def title(header: Header, asked: bool = False) -> Iterator[Block]:
    """Title and source; a line for the name of who fills it in."""
    yield Heading(1, Plain(header.title) if header.title else Message("Worked solution"))
    if header.source:
        yield Paragraph(Message("Source: {source}", source=header.source))
    if asked:
        yield Paragraph(Message("Name: {line}   Date: {line}", line="_" * 20))


def iteration_title(header: Header, iteration: int) -> Message:
    """Iteration 2, with its sample where each iteration sees one."""
    if header.online:
        sample = header.samples[(iteration - 1) % len(header.samples)]
        return Message("Iteration {number} (sample {sample})", number=iteration, sample=sample)
    return Message("Iteration {number}", number=iteration)


# --- given ------------------------------------------------------------------------------------------------------------


def given(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    """Tables of inputs, targets, parameters; the drawing; then what is agreed."""
    yield Heading(2, Message("Given"))
    graph = derivation.graph
    if not derivation.header.sizes:
        names = [quantity for quantity in graph if quantity.kind == "given"]
        if names:
            rows = tuple((Name(Ref(quantity.name)), Value((quantity.name, ()))) for quantity in names)
            yield Table((Message("quantity"), Message("value")), rows)
    else:
        yield Paragraph(_architecture(derivation.header))
        yield from _data(derivation, graph["x"], graph.quantities.get("t"))
        for layer in range(1, len(derivation.header.sizes)):
            yield from _parameters(derivation, reading, layer)
    for quantity in graph:
        if quantity.kind in ("rate", "hyper") and quantity.definition is None:
            yield Equation(Name(Ref(quantity.name)), (("=", Value((quantity.name, ()))),))
    if options.pictures:
        yield Picture(values=False, gradients=False)
    yield Heading(2, Message("Conventions"))
    for text in conventions(derivation, reading):
        yield Paragraph(text)
    yield Paragraph(rounding_note(derivation, options.asked is not None))
    if options.asked:
        yield Heading(2, Message("Wanted"))
        wanted = tuple((Name(Ref(*cell)), Plain(marks)) for (cell, _), marks in options.asked.items())
        yield Table((Message("quantity"), Message("marks")), wanted)


def _architecture(header: Header) -> Message:
    if any(kind != "dense" for kind in header.kinds):
        shapes = ["×".join(map(str, shape)) for shape in header.shapes]
        layers = ", ".join((shapes[0], *(f"{kind} {shape}" for kind, shape in zip(header.kinds, shapes[1:]))))
        functions = [name for name in header.activations if name != "identity"]
        if not functions:
            return Message("Layers: {layers}", layers=layers)
        return Message("Layers: {layers}; activation: {functions}", layers=layers, functions=", ".join(functions))
    sizes = "-".join(map(str, header.sizes))
    return Message("{sizes} network, activation: {functions}", sizes=sizes, functions=", ".join(header.activations))


def _data(derivation: Derivation, inputs: Quantity, targets: Quantity | None) -> Iterator[Block]:
    quantities = [inputs, targets] if targets else [inputs]
    if any(directions(quantity) > 1 for quantity in quantities):
        for quantity in quantities:
            yield from given_numbers(derivation, quantity, "full")
        return
    if inputs.sampled:
        yield sample_table_of_givens(quantities)
        return
    cells = [(quantity.name, (place,)) for quantity in quantities for place in range(min(quantity.axes[-1].size, 12))]
    hidden = sum(max(quantity.axes[-1].size - 12, 0) for quantity in quantities)
    rows = tuple((Name(Ref(*wanted)), Value(wanted)) for wanted in cells)
    yield Table((Message("input") if targets is None else Message("input, target"), Message("value")), rows, hidden)


def given_numbers(derivation: Derivation, quantity: Quantity, detail: str = "normal", turned: bool = False) -> Iterator[Block]:
    """Given numbers as grids (turned: as in `grids`), or one after the other."""
    if directions(quantity) > 1:
        yield from grids(derivation, quantity, detail, 1, turned)
        return
    if quantity.sampled:
        yield sample_table_of_givens([quantity])
        return
    places = list(islice(derivation.graph.positions(quantity.name), 24))
    rows = tuple((Name(Ref(quantity.name, place)), Value((quantity.name, place))) for place in places)
    yield Table((Message("parameter"), Message("value")), rows, max(size(quantity) - 24, 0))


def sample_table_of_givens(quantities: list[Quantity]) -> Table:
    """Inputs and targets, one row per sample."""
    axis = quantities[0].axes[0]
    inner = [(quantity.name, place) for quantity in quantities for place in range(min(quantity.axes[-1].size, 12))]
    columns: tuple[Item, ...] = (Message("sample"), *(Name(Ref(name, (0, place)), bare=True) for name, place in inner))
    shown = min(axis.size, ROWS_LIMIT["normal"])
    rows: Rows = tuple((Plain(axis.label(sample)), *(Value((name, (sample, place))) for name, place in inner)) for sample in range(shown))
    return Table(columns, rows, axis.size - shown, sum(quantity.axes[-1].size for quantity in quantities) - len(inner))


def _parameters(derivation: Derivation, reading: Reading, layer: int) -> Iterator[Block]:
    """One row per weight: symbol, from, to, value; then the biases."""
    graph = derivation.graph
    if any(kind != "dense" for kind in derivation.header.kinds):
        own = [quantity for quantity in graph if quantity.layer == layer and quantity.definition is None and not quantity.of]
        told = list(layer_details(derivation.header, layer))
        if own or told:
            yield Heading(3, layer_title(reading, layer))
        for text in told:
            yield Paragraph(text)
        for quantity in own:
            yield from given_numbers(derivation, quantity, turned=reading.notation.rows_are_sources(quantity))
        return
    weight = graph[f"W{layer}"]
    limit = 24
    places = list(islice(graph.positions(weight.name), limit))
    rows: list[tuple[Item, ...]] = []
    for place in places:
        source, target = weight.axes[1].label(place[1]), weight.axes[0].label(place[0])
        rows.append((Name(Ref(weight.name, place)), Plain(source), Plain(target), Value((weight.name, place))))
    omitted = size(weight) - limit if len(places) == limit else 0
    if f"b{layer}" in graph:
        bias = graph[f"b{layer}"]
        for place in islice(graph.positions(bias.name), limit):
            labels = [axis.label(position) for axis, position in zip(bias.axes, place)]
            neuron = Plain(labels[0]) if labels else Message("all")
            rows.append((Name(Ref(bias.name, place)), Plain(labels[1] if len(labels) > 1 else "–"), neuron, Value((bias.name, place))))
    yield Heading(3, layer_title(reading, layer))
    columns = (Message("parameter"), Message("from"), Message("to"), Message("value"))
    yield Table(columns, tuple(rows), omitted)


# --- conventions ------------------------------------------------------------------------------------------------------

_LOSS_NAMES: dict[str, Template] = {
    "half_squared_error": "half squared error, summed over the outputs",
    "squared_error": "squared error, summed over the outputs",
    "mean_squared_error": "squared error, averaged over the outputs",
    "cross_entropy": "cross-entropy",
    "binary_cross_entropy": "binary cross-entropy, summed over the outputs",
    "softmax_cross_entropy": "softmax and cross-entropy in one step",
    "absolute_error": "absolute error, summed over the outputs",
    "huber": "Huber loss, summed over the outputs",
    "hinge": "hinge loss, summed over the outputs",
}


_VALUES: dict[str, Template] = {"old": "the old state", "new": "the new state", "eval": "the running ones"}  # what some options may be

# option of a layer → what it is called
_DETAILS: dict[str, Template] = {
    "window": "window",
    "stride": "stride",
    "padding": "zeros around the input",
    "border": "places around the input that are never the largest",
    "dilation": "dilation",
    "heads": "heads",
    "epsilon": "added to the variance",
    "kept": "share that is kept",
    "momentum": "share of a batch in the running mean and variance",
    "mode": "mean and variance",
    "reset_after": "The reset gate acts after the product with the hidden weights.",
    "update_keeps": "what the update gate keeps",
    "truncate": "times that the error goes back",
    "left_out": "The zeros around the input do not count in the mean.",
}


def layer_details(header: Header, layer: int) -> Iterator[Message]:
    """How a layer works, option by option."""
    for name, value in header.details[layer - 1]:
        spelled = Message(_VALUES[value]) if value in _VALUES else value
        option = Message(_DETAILS[name])
        yield Message("{option}: {value}", option=option, value=spelled) if value else option


def conventions(derivation: Derivation, reading: Reading) -> Iterator[Message]:
    """What holds in this solution and differs between textbooks; only what matters here."""
    graph, header, chosen = derivation.graph, derivation.header, derivation.header.conventions
    if header.loss == "direct":
        yield Message("No loss is given: the error is target minus output, and the delta rule starts from it.")
    elif header.loss and "t" in graph:
        yield Message("Loss: {loss}.", loss=Message(_LOSS_NAMES[header.loss]) if header.loss in _LOSS_NAMES else header.loss)
    if header.online:
        yield Message("One update after each sample (online).")
    elif len(header.samples) > 1 and derivation.loss:
        if chosen["sample_reduction"] == "mean":
            yield Message("The loss of all samples is the mean of theirs.")
        else:
            yield Message("The loss of all samples is the sum of theirs.")
    if derivation.updated:
        yield from _update_conventions({quantity.kind for quantity in graph}, header)
        yield Message("All parameters are updated at once, after the backward pass.")
        if "rate0" in graph:
            yield Message("The learning rate follows a schedule: it depends on the number of updates before.")
    functions = {node.function for quantity in graph for expr in quantity.formulas for node in walk(expr) if isinstance(node, Call)}
    if "relu'" in functions:
        yield Message("The slope of ReLU at exactly 0 is {slope}.", slope=chosen["relu_at_zero"])
    if "max'" in functions and chosen["max_ties"] == "split":
        yield Message("max'(a, b, c) is 1 if a is larger, 0 if b is, else c: numbers that are equally the largest share the gradient.")
    elif "max'" in functions:
        yield Message("max'(a, b) is 1 if a is larger, 0 if b is: the gradient goes to the largest.")
        yield Message("Of equal ones it goes to the first: max'(a, b) is then 1, max'(b, a, 0) is 0.")
    if any(name == "truncate" for told in header.details for name, _ in told):
        yield Message("A state marked held is a copy that no gradient goes through.")
    if {"conv2d", "conv1d"} & {*header.kinds}:
        if chosen["convolution"] == "flipped":
            yield Message("The kernel is turned round before it is laid over the input (convolution).")
        else:
            yield Message("The kernel is laid over the input as it is (cross-correlation).")
    if "step" in functions and header.loss == "direct":
        yield Message("The step function has no slope: the perceptron rule uses the error itself.")
    if int(reading.notation.data["delta_sign"]) < 0 and any(
        reading.turned((quantity.name, ())) for quantity in graph if quantity.kind == "gradient"
    ):
        yield Message("In this notation the error term is minus the derivative: δ = −∂E/∂net.")


def _update_conventions(kinds: set[str], header: Header) -> Iterator[Message]:
    if "bias" in kinds:
        yield Message("Biases are updated." if header.trained_biases else "Biases are not updated.")
    if "threshold" in kinds:
        yield Message("Thresholds are updated." if header.trained_biases else "Thresholds are not updated.")
    if header.frozen:
        yield Message("Not updated: {names}.", names=", ".join(header.frozen))
    if len(header.sizes) > 2:
        if header.conventions["hidden_error_weights"] == "old":
            yield Message("The error is sent back through the old weights.")
        else:
            yield Message("The error is sent back through the already updated weights.")


def rounding_note(derivation: Derivation, asked: bool = False) -> Message:
    """Which mode of rounding the numbers are in; asked: are to be in."""
    rounding = derivation.rounding
    digits = (
        Message("{count} decimals", count=rounding.decimals)
        if rounding.decimals is not None
        else Message("{count} significant digits", count=rounding.significant)
    )
    if asked:
        if rounding.carry:
            return Message("Round every result to {digits} before you use it again.", digits=digits)
        return Message("Give every result to {digits}.", digits=digits)
    if rounding.exact:
        return Message("Computed in fractions where possible; shown to {digits}.", digits=digits)
    if rounding.carry:
        return Message("Every result is rounded to {digits} before it is used again.", digits=digits)
    return Message(
        "Computed in full precision, shown to {digits} (= exact, ≈ rounded): a last digit may not follow from the digits printed.",
        digits=digits,
    )


# --- update -----------------------------------------------------------------------------------------------------------


def update(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """The update rule, worked lines, the table old · gradient · η·gradient · new; then the re-computed forward pass."""
    graph = derivation.graph
    if not derivation.updated and all(quantity.kind != "state" for quantity in graph):
        return
    yield Heading(2, Message("Update"))
    yield from _states(derivation, reading, options, iteration)
    if not derivation.updated:
        return
    seen = set()
    for parameter, new in derivation.updated.items():
        quantity = graph[new]
        rule = reading.general(quantity)
        change = graph["delta." + parameter]
        changed = reading.general(change)
        if rule is None or changed is None or (quantity.kind, graph[parameter].kind) in seen:
            continue
        seen.add((quantity.kind, graph[parameter].kind))
        if reading.delta_rule or options.detail == "full":
            yield Equation(Name(Ref(change.name, change.index)), (("=", Symbolic(changed)),))
        yield Equation(Name(Ref(quantity.name, quantity.index)), (("=", Symbolic(rule)),))
    yield from _worked_updates(derivation, reading, options, iteration)
    yield update_table(derivation, reading, options, iteration)
    yield from _after(derivation, reading, options, iteration)


def _states(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """What an optimiser keeps: the rule once for weights and once for biases, and worked lines as for the updates."""
    seen = set()
    for quantity in derivation.graph:
        general = reading.general(quantity) if quantity.kind in ("state", "rate") else None
        if general is None:
            continue
        base = derivation.graph[quantity.of.quantity] if quantity.of else None
        of = "" if base is None else base.name if base.kind == "input" else base.kind
        if of and (quantity.prefix, of) not in seen:
            yield Equation(Name(Ref(quantity.name, quantity.index)), (("=", Symbolic(general)),))
        seen.add((quantity.prefix, of))
        yield from _matrices(derivation, reading, options, iteration, quantity)
        if options.form == "matrix" and quantity.axes:
            continue
        for place in islice(derivation.graph.positions(quantity.name), UPDATES_LIMIT[options.detail]):
            yield worked(derivation, reading, (quantity.name, place), iteration)


def _worked_updates(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """Every update worked in full detail, the first of each quantity in normal detail."""
    for parameter, new in derivation.updated.items():
        changes = [derivation.graph["delta." + parameter]] if reading.delta_rule or options.detail == "full" else []
        for quantity in (*changes, derivation.graph[new]):
            yield from _matrices(derivation, reading, options, iteration, quantity)
        if options.form == "matrix" and derivation.graph[new].axes:
            continue
        for place in islice(derivation.graph.positions(new), UPDATES_LIMIT[options.detail]):
            if reading.delta_rule or options.detail == "full":
                yield worked(derivation, reading, ("delta." + parameter, place), iteration)
            yield worked(derivation, reading, (new, place), iteration)


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
    limit, omitted = max(ROWS_LIMIT[options.detail], 40), 0
    for parameter, new in derivation.updated.items():
        places = list(islice(graph.positions(new), limit))
        omitted += size(graph[new]) - limit if len(places) == limit else 0
        for place in places:
            wanted = (parameter, place)
            rows.append(
                (
                    Name(Ref(*wanted)),
                    Value(wanted, iteration),
                    Value(("grad." + parameter, place), iteration),
                    Value(("delta." + parameter, place), iteration),
                    Value((new, place), iteration),
                )
            )
    columns = (Message("parameter"), Message("old"), Message("gradient"), Message("change"), Message("new"))
    return Table(columns, tuple(rows), omitted)


def _after(derivation: Derivation, reading: Reading, options: Options, iteration: int) -> Iterator[Block]:
    """Outputs and loss with the updated parameters."""
    graph = derivation.graph
    groups = [quantity for quantity in graph if quantity.stage == "after"]
    if not groups:
        return
    yield Heading(2, Message("After the update"))
    for quantity in groups:
        if quantity.sampled:
            if quantity.kind in ("out", "loss"):
                yield sample_table(derivation, options, iteration, [Group(quantity, "after")])
            continue
        most = WORKED_LIMIT[options.detail] if options.detail != "brief" else (4 if quantity.kind == "loss" else 0)
        for place in islice(graph.positions(quantity.name), most):
            yield worked(derivation, reading, (quantity.name, place), iteration)
    if derivation.loss and "after." + derivation.loss in graph:
        yield _comparison(derivation, (derivation.loss, ()), ("after." + derivation.loss, ()), iteration)


def _comparison(derivation: Derivation, before: Cell, after: Cell, iteration: int) -> Block:
    """Loss before and after."""
    name = Name(Ref(*before))
    return Table((Message("loss"), Message("before"), Message("after")), ((name, Value(before, iteration), Value(after, iteration)),))
