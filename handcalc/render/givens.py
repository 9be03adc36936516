"""What stands before the calculation: title, given data, conventions in force.

- `title(header)`, `given(derivation, reading, options)`; `iteration_title(derivation, number)`, `own_samples(derivation, number)`.
- `layer_details`, `conventions` and `rounding_note` are single sentences, which drawings and pages say too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from functools import reduce
from itertools import islice
from typing import Any

from handcalc.core.derivation import About, Asked, Derivation, Header
from handcalc.core.expr import Call, Ref, references, walk
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Listing, Message, Template
from handcalc.render.blocks import Block, Equation, Heading, Paragraph, Picture, Rows, Table
from handcalc.render.document import layer_title
from handcalc.render.grids import directions, grids
from handcalc.render.items import Item, Name, Plain, Value, title_item
from handcalc.render.options import DETAILS, Options
from handcalc.render.pooling import is_pooled, is_window_path
from handcalc.render.reading import Reading
from handcalc.render.weights import NUMBERS_LIMIT, weights

_WORDS: dict[str, Template] = {  # activations that have a name of their own in other languages
    "identity": "identity", "step": "step function", "bipolar_step": "bipolar step", "bipolar_sigmoid": "bipolar sigmoid",
}  # fmt: skip

SAMPLES_LIMIT = 8  # samples named in the heading of an iteration
ACROSS_LIMIT = 24  # inputs or targets of one table
FIXED_LIMIT = 100  # numbers given in the place of what would be worked out
COLUMNS: dict[tuple[bool, str], Template] = {
    (True, "input"): "input, target", (False, "input"): "input", (False, "target"): "target",
}  # several quantities, and what the first of them is → the head of their table  # fmt: skip


def title(header: Header, asked: bool = False, student: str = "") -> Iterator[Block]:
    """Title and source; a line for the name of who fills it in, or with it."""
    yield Heading(1, title_item(header.title, header.title_zh) if header.title or header.title_zh else Message("Worked solution"))
    if header.source:
        yield Paragraph(Message("Source: {source}", source=header.source))
    if asked:
        yield Paragraph(Message("Name: {name}   Date: {line}", name=student or "_" * 20, line="_" * 20))


def iteration_title(derivation: Derivation, iteration: int) -> Message:
    """Iteration 2, with its samples where each iteration has its own."""
    samples = derivation.basis(iteration).samples
    if not samples:
        return Message("Iteration {number}", number=iteration)
    if len(samples) == 1:
        return Message("Iteration {number} (sample {sample})", number=iteration, sample=samples[0])
    return Message("Iteration {number} (samples {samples})", number=iteration, samples=Listing(samples, SAMPLES_LIMIT))


def own_samples(derivation: Derivation, iteration: int) -> Iterator[Block]:
    """The inputs and targets of an iteration that does not have those of the first."""
    here = derivation.at(iteration)
    if here.graph is not derivation.basis(1).graph:
        yield from _data(here, iteration)


# --- given ------------------------------------------------------------------------------------------------------------


def given(derivation: Derivation, reading: Reading, options: Options) -> Iterator[Block]:
    """Tables of inputs, targets, parameters; the drawing; then what is agreed."""
    yield Heading(2, Message("Given"))
    graph = derivation.graph
    if not derivation.header.sizes:
        yield from _data(derivation)
        names = [quantity for quantity in graph if quantity.kind == "given" and quantity.role != "column"]
        if rows := tuple((Name(Ref(one.name)), Value((one.name, ()))) for one in names if not one.axes):
            yield Table((Message("quantity"), Message("value")), rows)
        yield from (block for one in names if one.axes for block in given_numbers(derivation, one))
        yield from _rates(derivation)
    else:
        yield Paragraph(_architecture(derivation.header, graph[graph.inputs].unknown))
        yield from _rates(derivation)
        yield from _data(derivation)
        for layer in range(1, len(derivation.header.sizes)):
            yield from _parameters(derivation, reading, layer)
    yield from _fixed(derivation)
    for quantity in graph:
        if _is_rate(quantity) and (quantity.of is not None or quantity.axes):
            yield from given_numbers(derivation, quantity)
    yield from _memory(derivation)
    if options.pictures:
        yield Picture(values=False, gradients=False)
    for doubt in derivation.header.doubts if options.asked is None else ():
        yield Paragraph(Message("Note: {doubt}", doubt=doubt))
    sentences = [*conventions(derivation, reading)]
    if sentences:
        yield Paragraph(reduce(lambda before, after: Message("{before} {after}", before=before, after=after), sentences))
    yield Paragraph(rounding_note(derivation, options.asked))
    if options.asked:
        yield from _wanted(derivation, options.asked)


def _is_rate(quantity: Quantity) -> bool:
    """Whether it is a given number of the update."""
    return quantity.kind in ("rate", "hyper") and quantity.definition is None


def _memory(derivation: Derivation) -> Iterator[Block]:
    """What an optimiser begins with: in a sentence, where it is 0."""
    kept = [quantity for quantity in derivation.graph if quantity.kind == "memory" and quantity.definition is None]
    cells = [(quantity.name, place) for quantity in kept for place in islice(derivation.graph.positions(quantity.name), NUMBERS_LIMIT)]
    if not cells or not derivation.updated:
        return
    if all(derivation.shown(one).plain.strip("0.") == "" for one in cells):
        yield Paragraph(Message("What the optimiser keeps is 0 before the first update."))
        return
    yield Table((Message("quantity"), Message("value")), tuple((Name(Ref(*one)), Value(one)) for one in cells))


def _rates(derivation: Derivation) -> Iterator[Block]:
    """η = 0.5, and what else the update has."""
    for quantity in derivation.graph:
        if _is_rate(quantity) and quantity.of is None and not quantity.axes:
            yield Equation(Name(Ref(quantity.name)), (("=", Value((quantity.name, ()))),))


def _wanted(derivation: Derivation, asked: Mapping[tuple[Cell, int], Asked]) -> Iterator[Block]:
    """What is asked with its marks, and their sum; the digits where tasks want different ones."""
    several, wanted = len({_digits(derivation, task) for task in asked.values()}) > 1, []
    for (cell, _), task in asked.items():
        worth = Message("[{marks}]", marks=task.marks.text or str(task.marks.numerator))
        if several:
            worth = Message("({digits}) {marks}", digits=digits_of(*_digits(derivation, task)), marks=worth)
        wanted.append(Message("{name} {marks}", name=Name(Ref(*cell)), marks=worth))
    total = sum(task.marks.numerator / task.marks.denominator for task in asked.values())
    yield Heading(2, Message("Wanted"))
    yield Paragraph(Message("{names}; {total} marks in all", names=Listing(wanted, len(wanted)), total=f"{total:.10g}"))


def _digits(derivation: Derivation, task: Asked | None = None) -> tuple[int | None, int | None]:
    """The decimals or significant digits that a task, or else the problem, asks for."""
    if task is not None and (task.decimals is not None or task.significant is not None):
        return task.decimals, task.significant
    return derivation.rounding.decimals, derivation.rounding.significant


def digits_of(decimals: int | None, significant: int | None) -> Message:
    """How many digits, in words."""
    if decimals is not None:
        return Message("{count} {count:decimal|decimals}", count=decimals)
    return Message("{count} significant digits", count=significant)


def _fixed(derivation: Derivation) -> Iterator[Block]:
    """Numbers in the place of what would be worked out."""
    graph = derivation.graph
    counted = Counter(name for name, _ in graph.fixed)
    whole = [graph[name] for name, number in counted.items() if directions(graph[name]) > 1 and number == graph[name].size]
    single = [cell for cell in graph.fixed if graph[cell[0]] not in whole]
    if whole:
        yield Paragraph(Message("Given, not worked out:"))
    for quantity in whole:
        yield from grids(derivation, quantity, "full", 1)
    if single:
        rows = tuple((Name(Ref(*cell)), Value(cell)) for cell in single[:FIXED_LIMIT])
        yield Table((Message("given, not worked out"), Message("value")), rows, max(len(single) - FIXED_LIMIT, 0))


def _architecture(header: Header, unknown: bool) -> Message:
    """Sizes and types of the layers; unknown: the inputs are, and have no size."""
    if any(kind != "dense" for kind in header.kinds):
        shapes = ["×".join(map(str, shape)) for shape in header.shapes]
        every: list[Message | str] = [*shapes[: not unknown], *map(_sized, header.about, shapes[1:])]
        layers = reduce(lambda before, after: Message("{before}, {after}", before=before, after=after), every)
        functions = Listing(_said(name) for name in header.activations if name != "identity")
        if not functions.values:
            return Message("Layers: {layers}", layers=layers)
        return Message("Layers: {layers}; activation: {functions}", layers=layers, functions=functions)
    sizes = "-".join(map(str, header.sizes[unknown:]))
    return Message("{sizes} network, activation: {functions}", sizes=sizes, functions=Listing(map(_said, header.activations)))


def _sized(about: About, shape: str) -> Message:
    """A layer with the size of what it puts out, and of the window that it moves."""
    text: Template = "{kind} (window {window}) → {shape}" if about.window else "{kind} → {shape}"
    return Message(text, kind=Message(about.title), window=about.window, shape=shape)


def _said(function: str) -> Message | str:
    """An activation as words call it."""
    return Message(_WORDS[function]) if function in _WORDS else function


def _data(derivation: Derivation, iteration: int = 1) -> Iterator[Block]:
    """Inputs and targets, as far as there are any."""
    graph = derivation.graph
    if not graph.inputs:
        yield from _own_names([quantity for quantity in graph if quantity.role == "column"], iteration)
        return
    quantities = [graph[name] for name in (graph.inputs, graph.targets) if name and not graph[name].unknown]
    raw = graph.quantities.get(graph.in_layer(0, "input", "raw"))
    if raw is not None:  # the inputs are worked out of it
        if iteration == 1:
            yield sample_table_of_givens([raw])
        quantities = quantities[1:]
    if not quantities:
        return
    if any(directions(quantity) > 1 for quantity in quantities):
        for quantity in quantities:
            yield from given_numbers(derivation, quantity, "full", iteration=iteration)
        return
    if quantities[0].sampled:
        yield sample_table_of_givens(quantities, iteration)
        return
    cells = [(quantity.name, (place,)) for quantity in quantities for place in range(min(quantity.axes[-1].size, ACROSS_LIMIT))]
    hidden = sum(max(quantity.axes[-1].size - ACROSS_LIMIT, 0) for quantity in quantities)
    rows = tuple((Name(Ref(*wanted)), Value(wanted, iteration)) for wanted in cells)
    kinds = [quantity.kind for quantity in quantities]
    yield Table((Message(COLUMNS[len(kinds) > 1, kinds[0]]), Message("value")), rows, hidden)


def _own_names(quantities: list[Quantity], iteration: int) -> Iterator[Block]:
    """In equations: a column for each name that samples have numbers for."""
    if quantities and quantities[0].sampled:
        axis = quantities[0].axes[0]
        columns: tuple[Item, ...] = (Message("sample"), *(Name(Ref(one.name, (axis.places[0],)), bare=True) for one in quantities))
        shown = axis.places[: DETAILS["normal"].rows]
        rows: Rows = tuple((Plain(axis.label(place)), *(Value((one.name, (place,)), iteration) for one in quantities)) for place in shown)
        yield Table(columns, rows, axis.size - len(shown))
    elif quantities:
        rows = tuple((Name(Ref(one.name)), Value((one.name, ()), iteration)) for one in quantities)
        yield Table((Message("quantity"), Message("value")), rows)


def given_numbers(
    derivation: Derivation, quantity: Quantity, detail: str = "normal", turned: bool = False, iteration: int = 1
) -> Iterator[Block]:
    """Given numbers as grids (turned: as in `grids`), or one after the other."""
    if directions(quantity) > 1:
        yield from grids(derivation, quantity, detail, iteration, turned)
        return
    if quantity.sampled:
        yield sample_table_of_givens([quantity], iteration)
        return
    places = list(islice(derivation.graph.positions(quantity.name), NUMBERS_LIMIT))
    rows = tuple((Name(Ref(quantity.name, place)), Value((quantity.name, place), iteration)) for place in places)
    head = Message(COLUMNS[False, quantity.kind]) if (False, quantity.kind) in COLUMNS else Message("parameter")
    yield Table((head, Message("value")), rows, max(quantity.size - NUMBERS_LIMIT, 0))


def sample_table_of_givens(quantities: list[Quantity], iteration: int = 1) -> Table:
    """Inputs and targets, one row per sample."""
    axis = quantities[0].axes[0]
    inner = [(quantity.name, place) for quantity in quantities for place in range(min(quantity.axes[-1].size, ACROSS_LIMIT))]
    names: list[Item] = [Name(Ref(name, (axis.places[0], place)), bare=True) for name, place in inner]
    if axis.role == "row":  # as they are in the data, before they have letters
        names = [Plain(quantities[0].axes[-1].label(place)) for _, place in inner]
    columns: tuple[Item, ...] = (Message("sample"), *names)
    shown = min(axis.size, DETAILS["normal"].rows)
    rows: Rows = tuple(
        (Plain(axis.label(sample)), *(Value((name, (sample, place)), iteration) for name, place in inner)) for sample in axis.places[:shown]
    )
    return Table(columns, rows, axis.size - shown, sum(quantity.axes[-1].size for quantity in quantities) - len(inner))


def _parameters(derivation: Derivation, reading: Reading, layer: int) -> Iterator[Block]:
    """One row per weight: symbol, from, to, value; then the biases."""
    graph = derivation.graph
    if any(kind != "dense" for kind in derivation.header.kinds):
        own = [
            quantity
            for quantity in graph
            if quantity.layer == layer and quantity.definition is None and not quantity.unknown and not quantity.of
        ]
        told = list(layer_details(derivation.header, layer))
        if own or told:
            yield Heading(3, layer_title(reading, layer))
        if told:
            yield Paragraph(Listing(told, len(told)))
        for quantity in own:
            yield from given_numbers(derivation, quantity, turned=reading.notation.rows_are_sources(quantity))
        return
    yield Heading(3, layer_title(reading, layer))
    yield from weights(derivation, layer)


# --- conventions ------------------------------------------------------------------------------------------------------


def layer_details(header: Header, layer: int) -> Iterator[Message]:
    """How a layer works, option by option."""
    for told in header.about[layer - 1].options:
        option = Message(told.words)
        yield Message("{option}: {value}", option=option, value=told.value) if told.value else option


def conventions(derivation: Derivation, reading: Reading) -> Iterator[Message]:
    """What holds in this solution and differs between textbooks; only what matters here."""
    graph, header, chosen = derivation.graph, derivation.header, derivation.header.conventions
    if header.loss == "direct" and isinstance(header.loss_title, Message):
        yield header.loss_title
    elif header.loss and (graph.targets or derivation.loss):
        yield Message("Loss: {loss}.", loss=header.loss_title)
    bp = reading.notation.data.get("bp") and derivation.updated and len(header.samples) > 1
    if header.batch == 1:
        yield Message("Standard BP: one update after each sample (online)." if bp else "One update after each sample (online).")
    elif bp and not header.batch:
        yield Message("Accumulated BP: one update for all samples together.")
    elif header.batch:
        yield Message("One update after every {count} samples (mini-batches); its loss is that of its own samples.", count=header.batch)
    if header.batch != 1 and len(header.samples) > 1 and (derivation.loss or graph.fixed):
        mean = chosen["sample_reduction"] == "mean"
        yield Message("The loss of all samples is the mean of theirs." if mean else "The loss of all samples is the sum of theirs.")
    if graph.fixed:
        yield from _fixed_conventions(derivation)
    if derivation.updated:
        yield from _update_conventions(derivation)
    told = [quantity for quantity in graph if not is_pooled(graph, quantity) and not is_window_path(graph, quantity)]
    functions = {node.function for quantity in told for expr in quantity.formulas for node in walk(expr) if isinstance(node, Call)}
    yield from _slope_conventions(functions, chosen)
    if any((quantity.kind, quantity.role) == ("step", "max") for quantity in graph):
        yield Message("Softmax: the largest z is subtracted from each, so that no e^z is too large; the quotients stay the same.")
    if len(told) < len(graph.quantities):
        if chosen["max_ties"] == "split":
            yield Message("Equally large numbers of a window share its gradient.")
        else:
            yield Message("Of equally large numbers of a window the first gets its gradient.")
    if any(quantity.held for quantity in graph):
        yield Message("A state marked held is a copy that no gradient goes through.")
    yield from header.notes
    gradients = (quantity.name for quantity in graph if quantity.kind == "gradient")
    if int(reading.notation.data["delta_sign"]) < 0 and any(reading.turned((name, ())) for name in gradients):
        yield Message("In this notation the error term is minus the derivative: δ = −∂E/∂net.")


def _fixed_conventions(derivation: Derivation) -> Iterator[Message]:
    """What numbers in the place of results mean."""
    kinds = {derivation.graph[name].kind for name, _ in derivation.graph.fixed}
    if not derivation.loss and kinds & {"gradient", "path"}:
        yield Message("No loss is given: gradients come from above, those that are given and no others.")
    if kinds & {"net", "out", "part", "variable"}:
        yield Message("A given number takes the place of what would be worked out; slopes through it are worked as usual.")
        if derivation.graph.after(derivation.loss):
            yield Message("What is given holds before the update; after it, everything is worked out.")


def _slope_conventions(functions: set[str], chosen: Mapping[str, Any]) -> Iterator[Message]:
    """What a slope is where a function has a kink."""
    if "relu'" in functions:
        yield Message("The slope of ReLU at exactly 0 is {slope}.", slope=chosen["relu_at_zero"])
    if "max'" in functions and chosen["max_ties"] == "split":
        yield Message("max'(a, b, c) is 1 if a is larger, 0 if b is, else c: numbers that are equally the largest share the gradient.")
    elif "max'" in functions:
        yield Message("max'(a, b) is 1 if a is larger, 0 if b is: the gradient goes to the largest.")
        yield Message("Of equal ones it goes to the first: max'(a, b) is then 1, max'(b, a, 0) is 0.")


def _update_conventions(derivation: Derivation) -> Iterator[Message]:
    """What is updated, when, and with which rate."""
    graph, header = derivation.graph, derivation.header
    kinds = {quantity.kind for quantity in graph}
    if "bias" in kinds:
        yield Message("Biases are updated." if header.trained_biases else "Biases are not updated.")
    if "threshold" in kinds:
        yield Message("Thresholds are updated." if header.trained_biases else "Thresholds are not updated.")
    if header.frozen:
        yield Message("Not updated: {names}.", names=Listing(header.frozen))
    if len(header.sizes) > 2:
        if header.conventions["hidden_error_weights"] == "old":
            yield Message("The error is sent back through the old weights.")
        else:
            yield Message("The error is sent back through the already updated weights.")
    new = {*derivation.updated.values()}
    if any(ref.quantity in new for name in new for formula in graph[name].formulas for ref in references(formula)):
        yield Message("The parameters are updated one after the other: a new value is used as soon as it is there.")
    else:
        yield Message("All parameters are updated at once, after the backward pass.")
    if graph.in_layer(0, "hyper", "rate"):
        yield Message("The learning rate follows a schedule: it depends on the number of updates before.")


def rounding_note(derivation: Derivation, asked: Mapping[tuple[Cell, int], Asked] | None = None) -> Message:
    """Which mode of rounding the numbers are in; asked: not None where they are still to be worked out, with the tasks."""
    rounding = derivation.rounding
    wanted = {_digits(derivation, task) for task in asked.values()} if asked else set()
    digits = digits_of(*(wanted.pop() if len(wanted) == 1 else _digits(derivation)))
    if asked is not None:
        if wanted:
            return Message("Give every result to the digits that are wanted.")
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
