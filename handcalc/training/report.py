"""A training as a document, and as JSON.

- `report(trainer, found, reading)` gives the blocks: how it went, a table of losses, the curve, parameters, predictions.
- `as_json(found)` is the object of the contract; `history_csv(found)` the history as CSV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from handcalc.core.expr import Number, Ref
from handcalc.core.index import Axis
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding, Shown
from handcalc.errors import Message, Template
from handcalc.layers.site import places
from handcalc.problem.dataset import Dataset
from handcalc.render.blocks import Block, Chart, Digits, Heading, Item, Name, Paragraph, Plain, Table, Value
from handcalc.render.items import title_item
from handcalc.render.plot.model import Plot
from handcalc.render.reading import Reading
from handcalc.training.network import Network
from handcalc.training.plots import history as history_plot
from handcalc.training.train import Trained
from handcalc.training.trainer import Trainer

ROWS = 11  # losses in the table, if nobody asked for more
CELLS = 40  # parameters, and samples, that are listed
_WHY: dict[str, Template] = {
    "iterations": "{count} {count:update|updates}, {epochs} {epochs:epoch|epochs}.",
    "loss": "Stopped after {count} {count:update|updates} ({epochs} {epochs:epoch|epochs}): the loss is small enough.",
    "change": "Stopped after {count} {count:update|updates} ({epochs} {epochs:epoch|epochs}): the loss hardly changes any more.",
    "gradient": "Stopped after {count} {count:update|updates} ({epochs} {epochs:epoch|epochs}): the gradient is small enough.",
    "interrupted": "Interrupted after {count} {count:update|updates} ({epochs} {epochs:epoch|epochs}).",
}


def report(
    trainer: Trainer,
    found: Trained,
    reading: Reading,
    all_rows: bool = False,
    asked: Sequence[tuple[float, ...]] = (),
    plots: Sequence[Plot] = (),
) -> Iterator[Block]:
    """The whole report; all_rows: every loss of the history in the table; asked: new inputs to answer; plots: to be shown."""
    problem, graph, network = trainer.problem, trainer.whole.graph, Network(trainer)
    rounding = reading.derivation.rounding

    def number(value: float) -> Item:
        return Digits(rounding.replace(carry=False).shown(value, True))

    yield Heading(1, title_item(problem.title, problem.title_zh) if problem.title else Message("Training"))
    yield Paragraph(_how(trainer, found))
    if trainer.direct:
        yield Paragraph(Message("No loss is given: the one below is half the sum of the squared errors."))
    history, shares = list(found.history) if all_rows else _chosen(found.history), dict(found.accuracy)
    columns = (Message("iteration"), Message("loss"), *([Message("accuracy")] if shares else []))
    yield Table(columns, tuple((Plain(str(count)), number(loss), *([number(shares[count])] if shares else [])) for count, loss in history))
    if len(found.history) > 2:
        yield Chart(history_plot(found))
    yield Heading(2, Message("Parameters"))
    cells = ((name, place) for name in trainer.whole.updated for place in graph.positions(name))
    rows = [(Name(Ref(*cell)), Value(cell), number(_turned(reading, cell, trainer.value(cell)))) for cell in islice(cells, CELLS)]
    yield Table((Message("parameter"), Message("before"), Message("after")), tuple(rows), max(len(found.parameters) - CELLS, 0))
    if problem.samples and problem.layers:
        yield from _predictions(network, found, rounding)
    if asked:
        before = (0,) if graph[graph.inputs].sampled else ()
        names = [Name(Ref(graph.inputs, (*before, *place)), bare=True, timed=True) for place in places(problem.axes)]
        names += [Name(Ref(*cell), bare=True, timed=True) for cell in trainer.whole.answers()]
        answers = [(*inputs, *map(number, network.predict(inputs))) for inputs in asked]
        yield Heading(2, Message("New inputs"))
        yield Table(tuple(names), tuple(tuple(Plain(f"{one:g}") if isinstance(one, float) else one for one in row) for row in answers))
    for plot in plots:
        yield Heading(2, plot.title)
        yield Chart(plot)


def _turned(reading: Reading, cell: Cell, value: float) -> float:
    return -value if reading.turned(cell) else value


def _how(trainer: Trainer, found: Trained) -> Message:
    epochs = found.iterations // trainer.epoch
    return Message(_WHY[found.stopped], count=found.iterations, epochs=epochs)


def _chosen(history: tuple[tuple[int, float], ...]) -> list[tuple[int, float]]:
    """The first, the last, and some evenly spaced between them; of a few all."""
    if len(history) <= 2 * ROWS:
        return list(history)
    last = len(history) - 1
    places = sorted({round(last * place / (ROWS - 1)) for place in range(ROWS)})
    return [history[place] for place in places]


def _predictions(network: Network, found: Trained, rounding: Rounding) -> Iterator[Block]:
    """What the network answers for every sample, beside the targets; how many are right where there are classes."""
    model, problem = network.trainer.whole, network.problem
    targets = model.graph.targets
    outputs = network.outputs_of(problem.samples, CELLS)

    def digits(value: float) -> Item:
        return Digits(rounding.replace(carry=False).shown(value, True))

    if isinstance(problem.samples, Dataset) and problem.samples.is_classes:
        columns, rows = _classes(problem.samples, outputs, problem.layers[-1].axes[-1], digits)
    else:
        sampled = model.graph[model.answers()[0][0]].sampled
        first = (0,) if sampled else ()
        columns = [Message("sample")] if sampled else []
        columns += [Name(Ref(*cell), bare=True, timed=True) for cell in model.answers()]
        wanted = places(problem.layers[-1].axes) if targets else ()
        columns += [Name(Ref(targets, (*first, *place)), bare=True, timed=True) for place in wanted]
        rows = []
        for sample, values in zip(problem.samples[:CELLS], outputs):
            typed = [_typed(target, digits) for target in sample.targets or ()]
            rows.append((*([Plain(sample.name)] if sampled else []), *map(digits, values), *typed))
    yield Heading(2, Message("Predictions"))
    yield Table(tuple(columns), tuple(rows), max(len(problem.samples) - CELLS, 0))
    share = dict(found.accuracy).get(found.iterations)
    if share is not None:
        count = len(problem.samples)
        yield Paragraph(Message("Right: {right} of {count} {count:sample|samples}.", right=round(share * count), count=count))
    share = found.test_accuracy
    if share is not None:
        count = len(problem.test)
        yield Paragraph(Message("Right in the test: {right} of {count} {count:sample|samples}.", right=round(share * count), count=count))


def _typed(target: Number, digits: Callable[[float], Item]) -> Item:
    """A target as it was typed; rounded, where nobody typed it."""
    whole = target.text or str(target.numerator) if target.text or target.denominator == 1 else ""
    return Digits(Shown(whole)) if whole else digits(target.numerator / target.denominator)


def _classes(
    samples: Dataset, found: Sequence[Sequence[float]], units: Axis, digits: Callable[[float], Item]
) -> tuple[list[Item], list[tuple[Item, ...]]]:
    """A table of classes instead of an output and a target for each of them."""
    rows: list[tuple[Item, ...]] = []
    for place, values in enumerate(found):
        best = [*values].index(max(values))
        rows.append(
            (Plain(samples.name(place)), Plain(units.label(int(samples.targets[place]))), Plain(units.label(best)), digits(values[best]))
        )
    return [Message("sample"), Message("class"), Message("answer"), Message("output")], rows


def as_json(found: Trained) -> dict[str, Any]:
    """The object of the contract; accuracy only where targets are classes, test_accuracy where there is a test set."""
    return {
        "iterations": found.iterations,
        "loss": found.loss,
        "parameters": found.parameters,
        "history": [list(point) for point in found.history],
        "stopped": found.stopped,
        **({"accuracy": [list(point) for point in found.accuracy]} if found.accuracy else {}),
        **({"test_accuracy": found.test_accuracy} if found.test_accuracy is not None else {}),
    }


def history_csv(found: Trained) -> str:
    """iteration,loss; and accuracy, where targets are classes."""
    shares = dict(found.accuracy)
    rows = [f"{count},{loss!r}" + (f",{shares[count]!r}" if shares else "") for count, loss in found.history]
    return "\n".join(["iteration,loss" + ",accuracy" * bool(shares), *rows]) + "\n"
