"""The file format, key by key.

- `SECTIONS` lists every key once, with shape, meaning and example: the loader's unknown-key check, the JSON Schema
  (`json_schema`) and docs/problem-format.md are all read from it. Sections of data and of layers other than dense ones are in
  datakeys.py and layerkeys.py.
- `keys(section)` and `choices(section, key)` ask it.

To add a key: one `Field` here, and the line that reads it in loader.py or the module it leads to.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handcalc.core.record import Record
from handcalc.errors import Template
from handcalc.layers.keys import LAYER_KEYS, LAYER_TYPES
from handcalc.loading.datakeys import DATA_KEYS


class Field(Record):
    """One key: its JSON Schema shape, what it means, an example as typed."""

    key: str
    shape: Mapping[str, Any]
    doc: Template
    example: str = ""


_TEXT = {"type": "string"}
_NAME = {"type": ["string", "integer"]}
_NUMBER: dict[str, Any] = {"type": ["number", "string"]}
_NUMBERS: dict[str, Any] = {"type": "array", "items": {"anyOf": [_NUMBER, {"type": "array"}]}}
_NAMED = {"type": "object", "additionalProperties": _NUMBER}
_EDGES = {"type": "object", "additionalProperties": {"type": "array", "minItems": 3, "maxItems": 3}}
_FILE = {"type": "object", "properties": {"file": _TEXT, "array": _TEXT}, "required": ["file"], "additionalProperties": False}


def _choice(*values: str) -> dict[str, Any]:
    return {"enum": [*values]}


def _either(*shapes: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [*shapes]}


def _list(shape: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": shape}


def _section(name: str) -> dict[str, Any]:
    return {"$ref": f"#/$defs/{name}"}


STOPS = ("loss", "change", "gradient")
INITIAL = ("normal", "uniform", "xavier", "he")
OPTIMISERS = ("sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adadelta", "adam", "adamw")
NOTATION_NAMES = (
    "mazur", "nielsen", "bishop", "goodfellow", "zhou", "han", "negnevitsky", "mitchell", "ng", "d2l", "nndl", "dlfs", "heaton",
)  # fmt: skip

_MATRIX = _list(_either(_NUMBERS, _NUMBER))
_NAMES = _list(_either(_list(_NAME), _NAME))
_BIAS = {"type": "object", "additionalProperties": _either(_NUMBER, {"type": "array", "minItems": 2, "maxItems": 3})}
_RANDOM = {"type": "object", "properties": {"random": _choice(*INITIAL), "scale": _NUMBER, "seed": {"type": "integer", "minimum": 0}},
           "required": ["random", "seed"], "additionalProperties": False}  # fmt: skip
_BIASES = _either(_NUMBER, _NUMBERS, _BIAS, _choice("zeros"), _FILE, _RANDOM, {"type": "null"})
_COUNT = {"type": "integer", "minimum": 1}
_PLACES = {"decimals": {"type": "integer", "minimum": 0, "maximum": 15}, "significant": {"type": "integer", "minimum": 1, "maximum": 17}}
_DIGITS = {"type": "object", "properties": _PLACES, "minProperties": 1, "maxProperties": 1, "additionalProperties": False}
_MARKS = {**_NUMBER, "minimum": 0}
_SHARE = {**_NUMBER, "minimum": 0, "maximum": 1}
_ASKED = _list(_either(_TEXT, _section("task")))
_STOP = {"type": "object", "properties": {**dict.fromkeys(STOPS, _NUMBER), "patience": _COUNT}, "additionalProperties": False}

SECTIONS: dict[str, tuple[Field, ...]] = {
    "problem": (
        Field("handcalc", _choice("1"), "format version, optional", "1"),
        Field("title", _NUMBER, "title of the exercise", "A step-by-step backpropagation example"),
        Field("source", _NUMBER, "where it comes from", "Matt Mazur, 2015"),
        Field("notation", _choice(*NOTATION_NAMES), "notation profile", "mazur"),
        Field("language", _choice("en", "zh"), "language of the report", "en"),
        Field("inputs", _either(_FILE, _NAMED, _NUMBERS, _TEXT), "input values; a mapping names them, a list makes x1, x2 …",
              "{i1: 0.05, i2: 0.10}"),
        Field("input_shape", _list(_COUNT), "size of the inputs in every direction, where they are one list or come from a file",
              "[1, 28, 28]"),
        Field("targets", _either(_NAMED, _NUMBERS, _NUMBER), "targets by output neuron, or in order; leave out for a forward pass only",
              "{o1: 0.01, o2: 0.99}"),
        Field("samples", _list(_section("sample")), "several samples, instead of inputs and targets",
              "[{name: Alice, inputs: [-2, -1], targets: [1]}]"),
        Field("data", _either(_TEXT, _section("data")), "CSV or NPZ file beside the problem; inputs and targets name its columns or arrays",
              "people.csv"),
        Field("test", _either(_SHARE, _TEXT, _section("test"), _list(_section("sample"))),
              "samples to test with: a share of all, another file, or a list", "0.2"),
        Field("layers", _list(_either(_section("layer"), *map(_section, LAYER_TYPES[1:]))), "layers after the inputs, in order"),
        Field("loss", _either(_TEXT, {"type": "object"}), "loss function, or a formula in o and t", "half_squared_error"),
        Field("error", _choice("direct"), "direct: no loss; only e = t − o and delta rules", "direct"),
        Field("input_gradients", {"type": "boolean"}, "whether ∂E/∂x of the inputs is worked out as well", "true"),
        Field("learning_rate", _NUMBER, "η of the update; without it there is no update", "0.5"),
        Field("schedule", _either(_TEXT, _section("schedule")), "how η changes with the updates; or a formula in rate and t",
              "{step: {every: 10, factor: 0.5}}"),
        Field("optimizer", _either(_choice(*OPTIMISERS), {"type": "object"}), "optimiser, with its numbers if they are not the usual ones",
              "{adam: {beta1: 0.9, beta2: 0.999, epsilon: 1e-8}}"),
        Field("weight_decay", _NUMBER, "λ of weight decay; added to the gradient as λ·w, apart from it with adamw", "0.01"),
        Field("clipping", _section("clipping"), "limit of the gradients", "{norm: 1}"),
        Field("update", _section("update"), "what is trained", "{biases: false}"),
        Field("training", _section("training"), "how several samples and iterations are used", "{mode: online}"),
        Field("sample_reduction", _choice("mean", "sum"), "how the losses of several samples become one", "mean"),
        Field("given", _NAMED, "equations: given numbers", "{x: 2, w: -1}"),
        Field("equations", _NAMED, "equations: quantities in order, instead of layers", "{z: w*x + b, f: sigmoid(z)}"),
        Field("minimize", _TEXT, "equations: the quantity whose gradients are wanted", "f"),
        Field("parameters", _list(_TEXT), "equations: the given names that are updated", "[w, b]"),
        Field("rounding", _section("rounding"), "digits shown, and whether rounded results are carried on", "{decimals: 4, carry: true}"),
        Field("conventions", _section("conventions"), "what teachers disagree on", "{hidden_error_weights: updated}"),
        Field("tasks", _either(_ASKED, _section("tasks")), "what is asked, and what it is worth", "[grad.w5, new.*, backward]"),
    ),
    "sample": (
        Field("name", _NAME, "name of the sample", "Alice"),
        Field("inputs", _either(_FILE, _NAMED, _NUMBERS), "input values"),
        Field("targets", _either(_NAMED, _NUMBERS, _NUMBER), "targets"),
    ),
    **{name: tuple(Field(*row) for row in rows) for name, rows in DATA_KEYS.items()},
    "layer": (
        Field("type", _choice("dense"), "kind of layer; other kinds have keys of their own", "dense"),
        Field("neurons", _either(_COUNT, _list(_NAME)), "names of the neurons, or their number", "[h1, h2]"),
        Field("activation", _either(_TEXT, {"type": "object"}, {"type": "array"}),
              "activation function, a formula in z, or a list with one per neuron", "sigmoid"),
        Field("weights", _either(_FILE, _RANDOM, _EDGES, _MATRIX), "named edges {name: [from, to, value]}, a matrix, a file, or drawn",
              "{w1: [i1, h1, 0.15]}"),
        Field("weight_names", _NAMES, "names for the entries of a weight matrix", "[[w5, w6], [w7, w8]]"),
        Field("weight_rows", _choice("neurons", "inputs"), "whether a row of the matrix belongs to a neuron or to an input", "inputs"),
        Field("bias", _BIASES,
              "a number or {name: value}: shared; a list, or zeros: one per neuron; {name: [to, value]}; {name: [from, to, value]}",
              "{b1: 0.35}"),
        Field("threshold", _BIASES, "like bias, but subtracted", "[0.5, 0.1]"),
    ),
    "update": (
        Field("biases", {"type": "boolean"}, "whether biases and thresholds are trained", "false"),
        Field("frozen", _list(_NAME), "parameters that are not trained", "[w1, b2]"),
    ),
    "clipping": (
        Field("norm", _NUMBER, "largest norm of all gradients together", "1"),
        Field("value", _NUMBER, "largest size of each gradient", "0.5"),
    ),
    "training": (
        Field("mode", _choice("batch", "online", "mini_batch"), "one update for all samples, one after each, or per mini-batch", "online"),
        Field("batch_size", _COUNT, "samples in a mini-batch", "2"),
        Field("epochs", _COUNT, "how often training goes through all samples", "1000"),
        Field("order", _choice("given", "shuffled"), "order of the samples in an epoch", "given"),
        Field("seed", {"type": "integer", "minimum": 0}, "seed of the shuffling", "1"),
        Field("stop", _STOP, "when training ends", "{loss: 1e-3, change: 1e-9, gradient: 1e-6}"),
    ),
    "rounding": (
        Field("decimals", _PLACES["decimals"], "decimal places", "4"),
        Field("significant", _PLACES["significant"], "significant digits", "6"),
        Field("carry", {"type": "boolean"}, "round each result before it is used again, as on paper", "true"),
        Field("ties", _choice("half_up", "half_even", "truncate"), "what happens to a 5", "half_up"),
        Field("overrides", {"type": "object", "additionalProperties": _DIGITS}, "other digits for some ids",
              '{"grad.*": {significant: 3}}'),
        Field("exact", {"type": "boolean"}, "compute in fractions where the problem allows it", "true"),
    ),
    "tasks": (
        Field("ask", _either(_TEXT, _ASKED), "what is asked", "[net.*, {ask: new.w5, marks: 2}]"),
        Field("marks", _MARKS, "marks for each task that does not say otherwise; 1 if not given", "2"),
        Field("decimals", _PLACES["decimals"], "decimal places wanted", "4"),
        Field("significant", _PLACES["significant"], "significant digits wanted", "3"),
        Field("follow_through", _SHARE, "share of the marks where an answer follows from an earlier wrong one; 1 if not given", "0.5"),
        Field("imprecise", _SHARE, "share of the marks for too few digits; 1/2 if not given", "0"),
        Field("rounded", _SHARE, "share of the marks where only numbers rounded on the way make the difference; 1 if not given", "0.5"),
    ),
    "task": (
        Field("ask", _either(_TEXT, _list(_TEXT)), "an id, a symbol, a pattern with * and ?, a phase, or a list of them",
              "[grad.net.o1, grad.net.o2]"),
        Field("marks", _MARKS, "marks for each of them", "2"),
        Field("decimals", _PLACES["decimals"], "decimal places wanted", "4"),
        Field("significant", _PLACES["significant"], "significant digits wanted", "3"),
    ),
    "conventions": (
        Field("bias_update", {"type": "boolean"}, "whether biases are trained (same as update: biases)", "true"),
        Field("hidden_error_weights", _choice("old", "updated"), "weights used to send the error back", "old"),
        Field("relu_at_zero", _choice("0", "1", "0.5"), "the slope of ReLU at exactly 0", "0"),
        Field("max_ties", _choice("first", "split"), "who gets the gradient where several are the largest: the first, or all", "first"),
        Field("softmax_loss", _choice("split", "fused"), "softmax and cross-entropy as two steps or one", "split"),
        Field("convolution", _choice("cross_correlation", "flipped"), "whether a kernel is laid over the input as it is, or turned round",
              "flipped"),
        Field("weight_numbering", _choice("by_target", "by_source"), "in which order unnamed weights are numbered w1, w2 …", "by_target"),
        Field("sample_reduction", _choice("mean", "sum"), "as sample_reduction", "mean"),
        Field("momentum_form", _choice("framework", "textbook", "average"),
              "velocity: μv + g, taken times η; μv − ηg, added; or μv + (1 − μ)g, taken times η", "framework"),
        Field("adam_bias_correction", {"type": "boolean"}, "whether Adam corrects its averages for their start at 0", "true"),
        Field("bias_decay", {"type": "boolean"}, "whether weight decay is for biases too", "false"),
    ),
}  # fmt: skip
SECTIONS |= {name: tuple(Field(*row) for row in rows) for name, rows in LAYER_KEYS.items()}


def keys(section: str) -> tuple[str, ...]:
    """The keys allowed in a section, in the order of the documentation."""
    return tuple(field.key for field in SECTIONS[section])


def choices(section: str, key: str) -> tuple[str, ...]:
    """The words a key may have, as typed."""
    return next(tuple(dict.fromkeys(map(str, field.shape.get("enum", ())))) for field in SECTIONS[section] if field.key == key)


def json_schema() -> dict[str, Any]:
    """The file format as a JSON Schema (draft 2020-12)."""
    from handcalc.problem import jsonschema

    return jsonschema.json_schema()
