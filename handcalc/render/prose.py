"""What a teacher says between the lines (`--prose`): where the calculation goes next, and why a gradient is 0 or small.

- `prose(derivation, options, iteration, phase, layer, groups)` are the sentences for one phase of a layer; they follow from its numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from handcalc.core.derivation import Derivation
from handcalc.core.expr import Ref
from handcalc.core.order import Group
from handcalc.core.quantity import Cell
from handcalc.errors import Message
from handcalc.render.blocks import Paragraph
from handcalc.render.items import Name, Plain, Value
from handcalc.render.options import Options

SMALL = 0.05  # a slope that lets next to nothing through
REASONS = 4  # slopes told of in one layer
LOOKED_AT = 200  # slopes of one layer that are looked at


def prose(derivation: Derivation, options: Options, iteration: int, phase: str, layer: int, groups: list[Group]) -> Iterator[Paragraph]:
    """Where the calculation goes next, then why gradients are 0 or small."""
    if not options.prose or options.asked is not None:
        return
    last = len(derivation.header.sizes) - 1
    if phase == "error":
        yield Paragraph(Message("What comes out is compared with what was wanted."))
    if layer and derivation.header.plain:
        yield from _way(derivation, phase, layer, last)
    if phase == "backward":
        yield from islice(_reasons(derivation, iteration, groups), REASONS)


def _way(derivation: Derivation, phase: str, layer: int, last: int) -> Iterator[Paragraph]:
    if phase == "forward" and layer == 1:
        yield Paragraph(Message("The inputs go forward: each neuron adds up its weighted inputs, then comes its activation."))
    elif phase == "forward":
        yield Paragraph(Message("What the layer before puts out goes on in the same way."))
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
    """Why hardly anything goes through a neuron."""
    values = derivation.iteration(iteration).evaluation
    for group in groups:
        if group.quantity.kind != "local":
            continue
        for place in islice(derivation.places(group), LOOKED_AT):
            cell: Cell = (group.quantity.name, place)
            slope, name = abs(values[cell]), Name(Ref(*cell))
            neuron = Plain(group.quantity.axes[-1].label(place[-1])) if group.quantity.axes else name
            if slope == 0:
                yield Paragraph(
                    Message("{slope} is 0: the activation is flat there, so no gradient goes through {neuron}.", slope=name, neuron=neuron)
                )
            elif slope < SMALL:
                text = "{slope} is only {value}: {neuron} is saturated, so the gradients through it are small."
                yield Paragraph(Message(text, slope=name, value=Value(cell, iteration), neuron=neuron))
