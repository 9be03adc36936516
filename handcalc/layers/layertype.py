"""What a type of layer is: one record says all that the program knows about it.

- `LayerType` is the record, `LayerOption` an option of a layer that a report tells.
- The rest are keys that several types have.

The types are in the files of their families, each with keys, reading and building side by side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from handcalc.core.expr import Ref
from handcalc.core.functions import ACTIVATIONS
from handcalc.core.quantity import Letter
from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.problem.schema import Layer, Sample
from handcalc.problem.values import NUMBER, Shape

if TYPE_CHECKING:
    from handcalc.layers.site import Site
    from handcalc.problem.reader import FileNode
    from handcalc.problem.shapes import Incoming

Row = tuple[str, Shape, str, str]  # a key: its name, its shape in a JSON Schema, what it means, an example as typed
Roles = tuple[tuple[str, ...], ...]  # several forms of an input: the roles of its axes


class OptionWord(Record):
    """A word that an option may be, and what a report calls it."""

    word: str
    words: Template


class LayerOption(Record):
    """An option of a layer that a report tells.

    name: in `Layer.options`; words: what it is called, or all that is said where it is yes; plain: the value that needs no telling;
    choices: the words it may be.
    """

    name: str
    words: Template
    plain: int | None = None
    choices: tuple[OptionWord, ...] = ()

    def choice(self, word: str) -> OptionWord:
        """What a word is called."""
        found = [choice for choice in self.choices if choice.word == word]
        if not found:
            raise KeyError(f"the option {self.name} has no words for {word}")
        return found[0]


class Said(Record):
    """What a report says where a convention has a value."""

    convention: str
    value: str
    sentence: Template


class LayerType(Record):
    """A type of layer.

    word: after `type:`; title: what a heading calls it; spellings: what else may stand after `type:`
    keys: of the file, apart from `name` and `from` (`input_from`), and from `type`, which is there unless a type has a row of its own
    read: keys and what comes in → the layer, None after an error; build: defines its quantities, answers the reference to its output
    section: of the format, where it is called otherwise than the type; sections: further ones, for what stands inside its keys
    takes: the axes that may come in ("": of any role), none where all may; first: the axes of inputs where it is the first layer, by how
    many directions they have; missing directions at the end have one place
    letters: how a part is written that it works out on the way, or that is given, by role
    options: what a report tells, in this order; conventions: what it says of those that matter to it
    has_neurons: its outputs have names; merges: a dense layer after it sees all directions as one
    is_recurrent: it goes through time; mixes_samples: whether an answer of a layer depends on other samples
    carried: roles of given numbers that an update changes; predicting: the layer as it is in prediction
    check_inputs: says what is wrong with the samples that it sees
    """

    word: str
    title: Template
    keys: tuple[Row, ...]
    read: Callable[[Incoming], Layer | None]
    build: Callable[[Site], Ref]
    section: str = ""
    sections: Mapping[str, tuple[Row, ...]] = {}
    takes: Roles = ()
    first: Roles = (("input",), ("token", "input"))
    letters: Mapping[str, Letter] = {}
    options: tuple[LayerOption, ...] = ()
    conventions: tuple[Said, ...] = ()
    has_neurons: bool = False
    merges: bool = False
    is_recurrent: bool = False
    mixes_samples: Callable[[Layer], bool] | None = None
    carried: tuple[str, ...] = ()
    predicting: Callable[[Layer], Layer] | None = None
    check_inputs: Callable[[Layer, FileNode, Sequence[Sample]], None] | None = None
    spellings: tuple[str, ...] = ()

    @property
    def stem(self) -> str:
        """What layers of this type are called, before their number, unless the file names them: conv for conv2d."""
        return re.sub(r"\d+d$", "", self.word)

    @property
    def rows(self) -> tuple[Row, ...]:
        """All keys, `type` and `name` first."""
        own = any(key == "type" for key, *_ in self.keys)
        first, *others = self.keys if own else (("type", {"const": self.word}, "kind of layer", self.word), *self.keys)
        return (first, NAME, *others, (self.source_key, *SOURCE))

    @property
    def source_key(self) -> str:
        """The key that says which layer's output comes in; types that say something else with `from` have a longer word for it."""
        return "input_from" if any(key == "from" for key, *_ in self.keys) else "from"


# --- shapes and keys of several types ---------------------------------------------------------------------------------

COUNT: Shape = {"type": "integer", "minimum": 1}
WHOLE: Shape = {"type": "integer", "minimum": 0}
EARLIER: Shape = {"type": ["integer", "string"], "minimum": 0}  # a layer above, by its number or its name
NAMES: Shape = {"anyOf": [COUNT, {"type": "array", "items": {"type": ["string", "integer"]}}]}
FILE: Shape = {"type": "object", "properties": {"file": {"type": "string"}, "array": {"type": "string"}}, "required": ["file"],
               "additionalProperties": False}  # fmt: skip
ARRAY: Shape = {"anyOf": [{"type": "array"}, NUMBER, FILE]}

NAME: tuple[str, Shape, Template, str] = (
    "name",
    {"type": ["string", "integer"]},
    "what the layer is called in frozen; its type with a number if not given",
    "features",
)
FUNCTION: Shape = {
    "anyOf": [{"enum": [*ACTIVATIONS]}, {"type": "string"}, {"type": "object"}]
}  # a word of these, in any spelling, or a formula
ACTIVATION: Row = ("activation", FUNCTION, "activation function, or a formula in z", "relu")
BIAS: Row = ("bias", ARRAY, "a number for all, or a list with one each", "[0.1, 0.2]")
ROWS: Row = ("weight_rows", {"enum": ["neurons", "inputs"]}, "whether a row of the matrices belongs to a neuron or to an input", "inputs")

SOURCE = (EARLIER, "the layer whose output comes in, its number or name; 0: the inputs; if not given, the layer before", "0")

MAPS_FIRST: Roles = (("input",), ("row", "column"), ("channel", "row", "column"))  # inputs of what works on maps
ROWS_FIRST: Roles = (("column",), *MAPS_FIRST[1:])  # and on a row of numbers
