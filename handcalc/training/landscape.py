"""What training goes through: the plane of two inputs, where classes end, and the loss over two parameters.

- `regions(trainer)` are the places where a network answers each class; `check_inputs(trainer)` says whether there are any.
- `valley(trainer, cells, path)` is the loss around a path, `path(problem, cells, iterations)` the way of the updates;
  `two_parameters(trainer, reading, across, up)` are the cells to choose.

Nothing here computes a layer or a loss: all values come from the programs of the trainer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from handcalc.core.quantity import Cell
from handcalc.core.record import Record
from handcalc.errors import AmbiguousIdError, Message, ProblemError, UnknownIdError, near
from handcalc.models.updates import frozen_places
from handcalc.problem.schema import Problem
from handcalc.render.plot.levels import Function, HeightMap, Line, Lines, Point, grid, grids, level_lines, outline
from handcalc.render.plot.model import digits_and_powers, round_numbers
from handcalc.render.reading import Reading
from handcalc.training.network import Network
from handcalc.training.trainer import Trainer

MAP = 101  # places of the plane of two inputs in either direction
GRID = 61  # places of two parameters
COARSE = 31  # of a large network
AROUND = 0.2  # of the samples' range, beyond it
EACH = 100  # updates that are all on a path; after them, so many evenly spaced ones
LEVELS = 10  # level lines, about
STEEP = 30  # highest over lowest loss, from which on level lines are these times powers of ten
DIGITS = ((1, 2, 5), (1, 1.5, 2, 3, 5, 7))
DECADES = 2  # that have level lines then
SHORTEST = 6  # points of a level line that is drawn
HIGH = 0.9  # share of the places below the highest level line

# --- the plane of two inputs ------------------------------------------------------------------------------------------


class Region(Record):
    """Where a network answers one class: at or above 0 in its field; outline: around it; border: where it ends."""

    field: HeightMap
    outline: Lines
    border: Lines


def check_inputs(trainer: Trainer) -> None:
    """Whether a decision boundary can be drawn. Raises ProblemError."""
    count = len(trainer.problem.inputs)
    if count != 2:
        raise _refused(trainer, Message("a decision boundary needs two inputs, found {count}", count=count))
    classes = Network(trainer).classes
    if classes is None:
        raise _refused(trainer, Message("a decision boundary needs classes: targets that are 0 and 1, or -1 and 1"))
    if not classes.each:
        raise _refused(trainer, Message("a decision boundary needs one output, or one for each class"))


def regions(trainer: Trainer) -> tuple[Region, ...]:
    """The region of every class, with the parameters as they are; they meet where an output crosses the middle of the two
    targets, or where the two largest outputs are equal. Raises ProblemError as `check_inputs`."""
    check_inputs(trainer)
    network = Network(trainer)
    classes = network.classes
    assert classes is not None
    low, high = zip(*(_beyond([row[side] for row in network.inputs]) for side in (0, 1)))
    count = max(len(classes.targets[0]), 2)

    def exact(place: int) -> Function:
        return lambda points: _lead(network.outputs(points), place, classes.middle)

    def all_classes(points: Sequence[Point]) -> list[list[float]]:
        outputs = network.outputs(points)
        return [_lead(outputs, place, classes.middle) for place in range(count)]

    fields = enumerate(grids(low, high, MAP, all_classes))
    return tuple(Region(field, outline(field, exact(place)), level_lines(field, 0.0, exact(place))) for place, field in fields)


def _lead(outputs: Sequence[tuple[float, ...]], place: int, middle: float) -> list[float]:
    """How far the output of a class is ahead of all others; where there is one output, on the side of the middle that is the class."""
    if len(outputs[0]) == 1:
        return [(row[0] - middle) * (1 if place else -1) for row in outputs]
    return [row[place] - max(row[:place] + row[place + 1 :]) for row in outputs]


def _beyond(numbers: Sequence[float]) -> Point:
    """A range with some room around numbers."""
    low, high = float(min(numbers)), float(max(numbers))
    room = AROUND * (high - low) or 1.0
    return low - room, high + room


# --- the loss over two parameters -------------------------------------------------------------------------------------


class Valley(Record):
    """The loss over two parameters: on a grid, and where it is equal (level, lines); alone: no others are trained."""

    field: HeightMap
    levels: tuple[tuple[float, Lines], ...]
    path: Line
    alone: bool


def two_parameters(trainer: Trainer, reading: Reading, across: str | None, up: str | None) -> tuple[Cell, Cell]:
    """The two parameters that ids or symbols mean; where none are named, the only two. Raises ProblemError, UnknownIdError."""
    trained = _trained(trainer)
    if across is not None and up is not None:
        first, second = _parameters((across, up), trained, reading)
        if first == second:
            raise UnknownIdError(Message("--across and --up need two different parameters"))
        return first, second
    if len(trained) == 2:
        return trained[0], trained[1]
    names = [trainer.whole.graph.cell_id(cell) for cell in trained[:2]]
    if len(names) < 2:
        raise _refused(trainer, Message("a contour plot needs two parameters that are trained, found {names}", names=", ".join(names)))
    text = "{count} parameters are trained; choose two for the contour plot, for example --across {first} --up {second}"
    raise _refused(trainer, Message(text, count=len(trained), first=names[0], second=names[1]))


def _trained(trainer: Trainer) -> list[Cell]:
    graph, updated = trainer.whole.graph, trainer.whole.updated
    frozen = {name: {*frozen_places(graph, trainer.problem, graph[name])} for name in updated}
    return [(name, place) for name, place in trainer.values() if name in updated and place not in frozen[name]]


def _parameters(texts: Sequence[str], trained: Sequence[Cell], reading: Reading) -> list[Cell]:
    """The parameters with some ids or symbols. Raises UnknownIdError with a near match."""
    ids = {reading.graph.cell_id(cell): cell for cell in trained}
    known = {spelled: cell for cell in trained for spelled in reading.spellings(cell)} | ids
    found = [known.get(text) or _found(text, reading) for text in texts]
    for text, cell in zip(texts, found):
        if cell not in trained:
            raise UnknownIdError(Message("{found} is no parameter that is trained{near}", found=f'"{text}"', near=near(text, ids)))
    return [cell for cell in found if cell is not None]


def _found(text: str, reading: Reading) -> Cell | None:
    """The cell of any other name; None where there is none. Raises AmbiguousIdError."""
    try:
        return reading.find(text)[0]
    except AmbiguousIdError:
        raise
    except UnknownIdError:
        return None


def path(problem: Problem, cells: Sequence[Cell], iterations: int) -> Line:
    """Two parameters after 0, 1, 2 … updates; of many, after the first ones and after evenly spaced ones."""
    trainer = Trainer(problem)
    wanted = {*range(min(iterations, EACH) + 1), *(round(iterations * place / EACH) for place in range(EACH + 1))}
    found: list[Point] = []
    for count in sorted(wanted):
        if count > trainer.done:
            trainer.advance(count - trainer.done)
        found.append((trainer.value(cells[0]), trainer.value(cells[1])))
    return tuple(found)


def valley(trainer: Trainer, cells: Sequence[Cell], path: Line, signs: tuple[int, int] = (1, 1)) -> Valley:
    """The loss around a path, the other parameters as they are; signs: −1 for a parameter that is drawn as its negative."""
    turned = tuple((signs[0] * x, signs[1] * y) for x, y in path)
    (left, right), (low, high) = (_around([point[side] for point in turned]) for side in (0, 1))

    def losses(points: Sequence[Point]) -> list[float]:
        return [trainer.loss_at({cells[0]: signs[0] * x, cells[1]: signs[1] * y}) for x, y in points]

    field = grid((left, low), (right, high), GRID if trainer.straight else COARSE, losses)
    lines = ((level, tuple(line for line in level_lines(field, level) if len(line) >= SHORTEST)) for level in _levels(field))
    return Valley(field, tuple((level, found) for level, found in lines if found), turned, len(_trained(trainer)) == 2)


def _around(numbers: Sequence[float]) -> Point:
    """A range around a path, with room on both sides of its end."""
    low, high, end = min(numbers), max(numbers), numbers[-1]
    span = high - low
    if span <= 1e-9 * max(abs(end), 1.0):
        span = max(abs(end), 1.0)
    return min(low - 0.15 * span, end - 0.5 * span), max(high + 0.15 * span, end + 0.5 * span)


def _levels(field: HeightMap) -> list[float]:
    """Round numbers for level lines: evenly spaced ones, or, where the loss grows by far, closer ones further down; of a
    staircase, the middles of its steps."""
    values = sorted(value for row in field.values for value in row if math.isfinite(value))
    steps = sorted({float(f"{value:.9g}") for value in values})
    if len(steps) <= LEVELS:
        return [(low + high) / 2 for low, high in zip(steps, steps[1:])]
    low, high = values[0], values[int(HIGH * (len(values) - 1))]
    if low >= 0 and high > STEEP * low:
        some, more = (list(digits_and_powers(max(low, high / 10**DECADES), high, digits)) for digits in DIGITS)
        return some if len(more) > 1.5 * LEVELS else more
    return round_numbers(low, values[-1], LEVELS)


def _refused(trainer: Trainer, message: Message) -> ProblemError:
    path = trainer.problem.path
    return ProblemError(Message(message.template, f"{path}: " if path else "", **message.values))
