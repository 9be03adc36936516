"""Which names are taken, and which ids a parameter has.

Ids decide what clashes (docs: step ids). Inputs and parameters are ids as they stand, so they share one space, with the
ids of quantities that have no name of their own (`loss`, `rate`, `b1` for an unnamed shared bias). Neurons are ids with
a prefix (`net.h1`), so they only clash with other neurons; an input may be called like a neuron of the last layer, as
in an autoencoder, but not like a hidden one, which would make `[x1, x1, 0.5]` hard to read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from math import prod

from handcalc.core.numbering import Weights, numbered
from handcalc.errors import Message, Template
from handcalc.problem.reader import FileNode
from handcalc.problem.schema import Layer, Problem, Tensor

RESERVED: dict[str, Template] = {"loss": "the total loss", "rate": "the learning rate"}
WIDTH = {"shared": 0, "neuron": 1, "connection": 2}  # how many places a bias has
NUMBERING = ("", "mazur")  # notations that number unnamed weights
_ID = r"([A-Za-z]+)([1-9][0-9]{0,5})(?:\[([0-9]{1,6}(?:,[0-9]{1,6})*)\])?"


class Names:
    """The names of one problem, each with the place where it was first seen."""

    def __init__(self, given: Mapping[str, tuple[int, ...]] | None = None) -> None:
        self.given = given or {}  # what is given of what would be worked out, with sizes: then inputs and weights may be unknown
        self.neurons: dict[str, FileNode] = {}
        self.hidden: set[str] = set()
        self.bare: dict[str, FileNode] = {}
        self.edges: dict[str, tuple[int, tuple[int, ...]]] = {}  # weights of dense layers: the layer, from 1, and the place
        self.shape: tuple[int, ...] = ()  # of inputs that are lists of lists
        self.tokens = False  # whether inputs are numbers of words

    @property
    def by_rows(self) -> bool:
        """Whether what comes out may be rows: of tokens, times or places."""
        return self.tokens or bool(self.shape)

    def neuron(self, name: str, item: FileNode, hidden: bool) -> None:
        """Take a name for a neuron; an error where another has it."""
        if name in self.neurons:
            _twice(name, item, self.neurons[name])
        self.neurons.setdefault(name, item)
        if hidden:
            self.hidden.add(name)

    def input(self, name: str, item: FileNode) -> None:
        """Take a name for an input; an error where another input or a hidden neuron has it."""
        if name in self.hidden:
            _twice(name, item, self.neurons[name])
        self.parameter(name, item)

    def parameter(self, name: str, item: FileNode) -> None:
        """Take a name for a parameter; an error where an input or another parameter has it, or where it is an id."""
        if name in self.bare:
            _twice(name, item, self.bare[name])
        if name in RESERVED:
            item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message(RESERVED[name]))
        self.bare.setdefault(name, item)

    def check_unnamed(self, layers: tuple[Layer, ...]) -> None:
        """An error where a name is the id of an unnamed shared bias."""
        for place, layer in enumerate(layers, 1):
            name = f"b{place}"
            if layer.bias and layer.bias.form == "shared" and not layer.bias.names and name in self.bare:
                self.bare[name].fail(
                    '"{name}" is also the id of the unnamed bias of layer {layer}; give that one a name', name=name, layer=place
                )


def _twice(name: str, item: FileNode, other: FileNode) -> None:
    item.fail('the name "{name}" is there twice; also in line {line}', name=name, line=other.place[0])


# --- ids of parameters ------------------------------------------------------------------------------------------------


def parameter_names(problem: Problem) -> list[str]:
    """Names and ids of parameters, for hints: every name, and the ids of the first places of each layer."""
    named = [name for layer in problem.layers for names in _tables(layer) for name in names]
    ids: list[str] = []
    for number in range(1, len(problem.layers) + 1):
        ids += [f"W{number}[{to},{source}]" for to in range(1, 6) for source in range(1, 6)]
        ids += [f"b{number}", *(f"b{number}[{to}]" for to in range(1, 6))]
    return named + [name for name in ids if is_parameter(name, problem)]


def check_free(item: FileNode, problem: Problem, *ids: str) -> None:
    """An error where an input or a parameter has the name of a quantity that a key of the file adds."""
    taken = {*problem.inputs, *(name for layer in problem.layers for names in _tables(layer) for name in names)}
    for name in ids:
        if name in taken:
            item.fail('"{name}" is the id of {what}; choose another name', name=name, what=Message("a quantity of the loss"))


def is_parameter(text: str, problem: Problem) -> bool:
    """Whether a text is the id of a parameter: its name, else W1[2,1], b1[2] or b1."""
    if text in problem.parameters or any(text in names for layer in problem.layers for names in _tables(layer)):
        return True
    return _numbered(text, problem) == ""


def name_of(text: str, problem: Problem) -> str:
    """The name of the parameter at W1[2,1], b1[2] or b1, where it has one."""
    return _numbered(text, problem) or ""


def may_be_printed(text: str, problem: Problem) -> bool:
    """Whether what is no parameter may be one as the notation prints it, which the graph knows: no id, and no plain word where unnamed
    weights are numbered."""
    is_id = "." in text or re.fullmatch(_ID, text)
    return not is_id and (not (text.isascii() and text.isalnum()) or problem.notation not in NUMBERING)


def printed_weights(problem: Problem) -> dict[str, str]:
    """w1, w2 …, as unnamed weights of dense layers are printed where there are not many, with their ids."""
    if problem.notation not in NUMBERING or any(layer.type != "dense" or layer.weights is None for layer in problem.layers):
        return {}
    sizes = [problem.axes[-1].size if problem.axes else 0, *(len(layer.neurons) for layer in problem.layers)]  # of tokens, the features
    matrices: dict[int, Weights] = {}
    for number, layer in enumerate(problem.layers, 1):
        places = [(to, source) for to in range(sizes[number]) for source in range(sizes[number - 1])]
        present = [place for place in places if layer.weights.get(place) is not None]
        matrices[number] = Weights(len(places), present, layer.weight_names)
    taken = {name for layer in problem.layers for names in _tables(layer) for name in names}
    found = numbered(matrices, taken, problem.conventions.weight_numbering == "by_source")
    return {name: f"W{number}[{place[0] + 1},{place[1] + 1}]" for (number, place), name in found.items()}


def _tables(layer: Layer) -> tuple[Collection[str], ...]:
    """The names of a layer's weights and biases."""
    return layer.weight_names.values(), layer.bias.names.values() if layer.bias else ()


def _numbered(text: str, problem: Problem) -> str | None:
    """The name of the parameter at W1[2,1], b1[2] or b1; "" where it has none; None where there is no parameter."""
    found = re.fullmatch(_ID, text)
    if not found or int(found[2]) > len(problem.layers):
        return None
    number = int(found[2])
    layer = problem.layers[number - 1]
    typed = tuple(int(digits) for digits in found[3].split(",")) if found[3] else ()
    if layer.weights is None:
        return "" if any(tensor.stem == found[1] and _holds(tensor, typed) for tensor in layer.tensors) else None
    place = tuple(digits - 1 for digits in typed)
    before = layer.taken(number)[0]
    inputs = prod(axis.size for axis in (problem.layers[before - 1].axes if before else problem.axes))
    if any(not 0 <= position < most for position, most in zip(place, (len(layer.neurons), inputs))):
        return None
    if found[1] == "W":
        there = len(place) == 2 and layer.weights.get(place) is not None
        return layer.weight_names.get(place, "") if there else None
    there = found[1] == "b" and layer.bias is not None and len(place) == WIDTH[layer.bias.form] and layer.bias.get(place) is not None
    return layer.bias.names.get(place, "") if there and layer.bias is not None else None


def _holds(tensor: Tensor, typed: tuple[int, ...]) -> bool:
    """Whether a tensor of parameters has a number at a place as it is printed."""
    place = tuple(number - axis.first for number, axis in zip(typed, tensor.axes))
    inside = len(typed) == len(tensor.axes) and all(0 <= position < axis.size for position, axis in zip(place, tensor.axes))
    return tensor.kind in ("weight", "bias") and inside and tensor.get(place) is not None
