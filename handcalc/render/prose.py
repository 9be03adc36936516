"""What a teacher says between the lines (`--prose`): where the calculation goes next, and why a gradient is 0, small or too large.

- `prose(derivation, options, iteration, phase, layer, groups)` are the sentences for one phase of a layer; they follow from its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Call, Ref
from handcalc.core.order import Group
from handcalc.core.quantity import Cell, Quantity
from handcalc.errors import Message
from handcalc.render.blocks import Paragraph
from handcalc.render.items import Name, Plain, Value
from handcalc.render.options import Options

LARGE = 100  # an error term that has exploded
SMALL = 0.05  # a slope that lets next to nothing through
REASONS = 4  # slopes told of in one layer
LOOKED_AT = 200  # slopes of one layer that are looked at


def prose(derivation: Derivation, options: Options, iteration: int, phase: str, layer: int, groups: list[Group]) -> Iterator[Paragraph]:
    """Where the calculation goes next, then why gradients are 0, small or too large."""
    if not options.prose or options.asked is not None:
        return
    last = len(derivation.header.sizes) - 1
    if phase == "error" and groups[0].quantity.kind == "loss_term":
        yield Paragraph(Message("What comes out is compared with what was wanted."))
    if layer and derivation.header.plain:
        yield from _way(derivation, phase, layer, last)
    if phase == "backward":
        yield from islice(_reasons(derivation, iteration, groups), REASONS)


def _way(derivation: Derivation, phase: str, layer: int, last: int) -> Iterator[Paragraph]:
    if phase == "forward" and layer == 1:
        yield Paragraph(Message("The inputs go forward: each neuron adds up its weighted inputs, then comes its activation."))
    elif phase == "backward" and layer == last:
        yield Paragraph(Message("Now the error goes back, from the outputs to the weights that made it."))
    elif phase == "backward":
        following = derivation.header.sizes[layer + 1]
        if following == 1:
            yield Paragraph(Message("Next the error goes back: each neuron gets its share from the one behind it, through its weight."))
        else:
            text = "Next the error goes back: each neuron collects from all {count} neurons behind it, through its weights."
            yield Paragraph(Message(text, count=following))


def _reasons(derivation: Derivation, iteration: int, groups: list[Group]) -> Iterator[Paragraph]:
    """Why hardly anything goes through a neuron, and which gradients have become too large."""
    for group in groups:
        reason = {"local": _flat, "gradient": _exploded}.get(group.quantity.kind)
        if reason is not None:
            for place in islice(derivation.places(group), LOOKED_AT):
                yield from reason(derivation, iteration, group.quantity, place)


def _flat(derivation: Derivation, iteration: int, slopes: Quantity, place: tuple[int, ...]) -> Iterator[Paragraph]:
    """That the slope of an activation is 0 or small."""
    cell: Cell = (slopes.name, place)
    values = derivation.iteration(iteration).evaluation
    slope, name = abs(values[cell]), Name(Ref(*cell))
    neuron = Plain(slopes.axes[-1].label(place[-1])) if slopes.axes else name
    formula = (slopes.cases or {}).get(place[-1:], slopes.definition)
    net: Cell | None = (slopes.wrt.quantity, place) if isinstance(slopes.wrt, Ref) else None
    if slope == 0 and isinstance(formula, Call) and formula.function == "relu'" and net is not None and values[net] < 0:
        text = "{net} = {value} is below 0: ReLU puts out 0 there, and no gradient goes through {neuron}; it is dead on these numbers."
        yield Paragraph(Message(text, net=Name(Ref(*net)), value=Value(net, iteration), neuron=neuron))
    elif slope == 0:
        text = "{slope} is 0: the activation is flat there, so no gradient goes through {neuron}."
        yield Paragraph(Message(text, slope=name, neuron=neuron))
    elif slope < SMALL:
        text = "{slope} is only {value}: {neuron} is saturated, so the gradients through it are small."
        yield Paragraph(Message(text, slope=name, value=Value(cell, iteration), neuron=neuron))


def _exploded(derivation: Derivation, iteration: int, errors: Quantity, place: tuple[int, ...]) -> Iterator[Paragraph]:
    """That a gradient is so large that a step along it leads away."""
    cell: Cell = (errors.name, place)
    of_net = errors.of is not None and derivation.graph[errors.of.quantity].kind == "net"
    if of_net and abs(derivation.iteration(iteration).evaluation[cell]) >= LARGE:
        text = "{error} is {value}: the gradient has exploded, and a step along it goes much too far."
        yield Paragraph(Message(text, error=Name(Ref(*cell)), value=Value(cell, iteration)))
