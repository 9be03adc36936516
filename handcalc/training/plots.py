"""Plots of training, in the letters and signs of a notation.

- `history(found)` is the loss, and the accuracy where there is one; `boundary(trainer, reading)` the classes in the plane of two
  inputs; `contour(trainer, cells, found, reading)` the path of the updates between level lines of the loss.
"""

from __future__ import annotations

from collections.abc import Sequence

from handcalc.core.expr import Ref
from handcalc.core.quantity import Cell
from handcalc.core.rounding import Rounding
from handcalc.errors import Message
from handcalc.render.blocks import Digits, Name, Plain
from handcalc.render.plot.looks import CLASSES
from handcalc.render.plot.model import Area, Label, Marks, Plot, Scale, Series, fitted
from handcalc.render.reading import Reading
from handcalc.training.classes import Classes
from handcalc.training.landscape import path, regions, valley
from handcalc.training.network import Network
from handcalc.training.train import Trained
from handcalc.training.trainer import Trainer

NUMBER = Rounding(None, 6)  # digits of a level
MAP_ROWS = 18  # of a map in letters


def _number(value: float) -> Digits:
    return Digits(NUMBER.shown(value, True))


def history(found: Trained) -> Plot:
    """The loss after so many updates; the accuracy beside it, with an axis of its own."""
    loss: Label = (Message("loss"),)
    share: Label = (Message("accuracy"),)
    across = fitted((Message("iteration"),), [count for count, _ in found.history], False, 0.0)
    up = fitted(loss, [value for _, value in found.history])
    if not found.accuracy:
        return Plot(loss[0], across, up, (Series((found.history,)),))
    series = (Series((found.history,), "first", loss), Series((found.accuracy,), "second", share, right=True))
    return Plot(Message("Loss and accuracy"), across, up, series, right=Scale(share, -0.04, 1.04))


def boundary(trainer: Trainer, reading: Reading) -> Plot:
    """Where the trained network answers which class, and the samples. Raises ProblemError as `check_inputs`."""
    found = regions(trainer)
    network = Network(trainer)
    classes, inputs = network.classes, network.inputs
    assert classes is not None
    graph, (output, _) = reading.graph, trainer.whole.answers()[0]
    names = _class_names(classes, trainer, reading)
    field = found[0].field
    across, up = (fitted((_name(reading, graph.inputs, side),), (field.across, field.up)[side], False, 0.0) for side in (0, 1))
    areas = tuple(Area(region.field, region.outline, name, tone) for tone, (region, name) in enumerate(zip(found, names)))
    marks = tuple(
        Marks(tuple((row[0], row[1]) for row, own in zip(inputs, classes.each) if own == tone), CLASSES[tone % len(CLASSES)], name, tone)
        for tone, name in enumerate(names)
    )
    binary = len(classes.targets[0]) == 1
    border: Label = (_name(reading, output, 0), Plain(" = "), _number(classes.middle)) if binary else (Message("boundary"),)
    lines = tuple(line for region in found[binary:] for line in region.border)  # both of two end in the same place
    return Plot(Message("Decision boundary"), across, up, (Series(lines, "boundary", border),), marks, areas, rows=MAP_ROWS)


def _class_names(classes: Classes, trainer: Trainer, reading: Reading) -> list[Label]:
    """A target and its two numbers, or the outputs, one for each class."""
    if len(classes.targets[0]) == 1:
        return [(_name(reading, reading.graph.targets, 0), Plain(" = "), _number(value)) for value in (classes.low, classes.high)]
    return [(Plain(name),) for name in trainer.problem.layers[-1].neurons]


def _name(reading: Reading, quantity: str, place: int) -> Name:
    """The symbol of an input, a target or an output, of whichever sample."""
    return Name(Ref(quantity, (0, place) if reading.graph[quantity].sampled else (place,)), bare=True)


def contour(trainer: Trainer, cells: Sequence[Cell], found: Trained, reading: Reading) -> Plot:
    """Level lines of the loss over two parameters, and the way of the updates; other parameters as they are now."""
    signs = (-1 if reading.turned(cells[0]) else 1, -1 if reading.turned(cells[1]) else 1)
    seen = valley(trainer, cells, path(trainer.problem, cells, found.iterations), signs)
    across, up = (fitted((Name(Ref(*cells[side])),), (seen.field.across, seen.field.up)[side], False, 0.0) for side in (0, 1))
    levels = tuple(
        Series(lines, "level", (Message("level lines of the loss"),) * (place == 0), (_number(level),))
        for place, (level, lines) in enumerate(seen.levels)
    )
    way: Label = (Message("updates"),)
    marks = (
        Marks(seen.path[1:-1], "dot", way),
        Marks(seen.path[:1], "start", (Message("start"),)),
        Marks(seen.path[-1:], "end", (Message("end"),)),
    )
    note: Label = () if seen.alone else (Message("the other parameters as after training"),)
    title = Message("The loss and the path of the updates")
    return Plot(title, across, up, (*levels, Series((seen.path,), "path", way)), marks, note=note, rows=MAP_ROWS)
