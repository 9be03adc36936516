"""The keys of layers that are not dense: for every type its keys, each with shape, meaning and example.

loading/fileformat.py puts them into `SECTIONS`, so that unknown keys, the JSON Schema and the documentation know them. A type's reader is
in layers.
"""

from __future__ import annotations

from typing import Any

_NUMBER: dict[str, Any] = {"type": ["number", "string"]}
_COUNT: dict[str, Any] = {"type": "integer", "minimum": 1}
_PAIR: dict[str, Any] = {"anyOf": [_COUNT, {"type": "array", "items": _COUNT, "minItems": 1, "maxItems": 2}]}
_WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0}
_NAMES: dict[str, Any] = {"anyOf": [_COUNT, {"type": "array", "items": {"type": ["string", "integer"]}}]}
_FILE = {"type": "object", "properties": {"file": {"type": "string"}, "array": {"type": "string"}}, "required": ["file"]}
_ARRAY: dict[str, Any] = {"anyOf": [{"type": "array"}, _NUMBER, _FILE]}
_FUNCTION: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "object"}]}
_FLAG: dict[str, Any] = {"type": "boolean"}

Row = tuple[str, dict[str, Any], str, str]


def _type(name: str) -> Row:
    return "type", {"const": name}, "kind of layer", name


_ACTIVATION: Row = ("activation", _FUNCTION, "activation function, or a formula in z", "relu")
_STRIDE: Row = ("stride", _PAIR, "how far the window moves: a number, or rows and columns", "2")
_PADDING: Row = ("padding", {"anyOf": [_WHOLE, {"type": "array"}, {"enum": ["valid", "same"]}]},
                 "rows and columns of zeros around the input; valid: none; same: so many that the size stays", "1")  # fmt: skip
_PADDED: Row = ("padding", _PADDING[1], "rows and columns around the input, which are never the largest; valid: none", "1")
_DILATION: Row = ("dilation", _PAIR, "distance between the numbers that a kernel looks at", "2")
_BIAS: Row = ("bias", _ARRAY, "a number for all, or a list with one each", "[0.1, 0.2]")
_NEURONS: Row = ("neurons", _NAMES, "names of the neurons of the state, or their number", "[h1, h2]")
_RETURNS: Row = ("returns", {"enum": ["all", "last"]}, "the states of all times go on, or only the last", "last")
_STATE: Row = ("initial_state", _ARRAY, "state before the first time, or a row of it for every sample; 0 if not given", "[0, 0]")
_CELL: Row = ("initial_cell", _ARRAY, "cell before the first time, or a row of it for every sample; 0 if not given", "[0, 0]")
_TRUNCATE: Row = ("truncate", _COUNT, "so many times at most the error goes back; the state is handed on, its gradient not", "1")
_INPUT: Row = ("input_weights", _ARRAY, "one row per neuron, one column per input (PyTorch's weight_ih)", "[[0.5, 0.1], [0.2, 0.3]]")
_HIDDEN: Row = ("hidden_weights", _ARRAY, "one row per neuron, one column per neuron of the state before (PyTorch's weight_hh)", "[[0.8]]")
_ROWS: Row = ("weight_rows", {"enum": ["neurons", "inputs"]}, "whether a row of the matrices belongs to a neuron or to an input", "inputs")
_EPSILON: Row = ("epsilon", _NUMBER, "what is added to the variance", "1e-5")
_WINDOW: Row = ("kernel_size", _PAIR, "size of the window", "2")


def _kernel(size: str) -> Row:
    return "weights", _ARRAY, f"the kernels, {size}", "[[1, 0, -1], [1, 0, -1], [1, 0, -1]]"


def _convolution(name: str, size: str) -> tuple[Row, ...]:
    filters: Row = ("filters", _NAMES, "names of the kernels, or their number", "[edge, blob]")
    return (_type(name), filters, _kernel(size), _BIAS, _ACTIVATION, _STRIDE, _PADDING, _DILATION)


def _matrix(name: str) -> Row:
    text = f"one row per {name} feature, one column per input; heads below each other; not given: the inputs themselves"
    return f"{name}_weights", _ARRAY, text, "[[1, 0], [0, 1]]"


def _together(order: str) -> tuple[Row, ...]:
    """Keys of weights of all gates in one matrix."""
    text = f"instead of gates: all gates below each other, in the order {order} (PyTorch's "
    return (
        ("input_weights", _ARRAY, text + "weight_ih)", "{file: lstm.npz, array: weight_ih_l0}"),
        ("hidden_weights", _ARRAY, text + "weight_hh)", "{file: lstm.npz, array: weight_hh_l0}"),
        ("bias", _ARRAY, text + "bias_ih)", "{file: lstm.npz, array: bias_ih_l0}"),
        ("hidden_bias", _ARRAY, text + "bias_hh)", "{file: lstm.npz, array: bias_hh_l0}"),
    )


def _gates(*names: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"$ref": "#/$defs/gate"} for name in names}, "additionalProperties": False}


LAYER_KEYS: dict[str, tuple[Row, ...]] = {
    "conv2d": _convolution("conv2d", "filter × channel × row × column; without filter for one kernel, without channel for a plain image"),
    "conv1d": _convolution("conv1d", "filter × channel × column; without filter for one kernel, without channel for a plain row"),
    "conv_transpose2d": (_type("conv_transpose2d"), ("filters", _NAMES, "names of the kernels, or their number", "1"),
                         _kernel("channel × filter × row × column; shorter as for conv2d"), _BIAS, _ACTIVATION, _STRIDE, _PADDING),
    "max_pool": (_type("max_pool"), _WINDOW, _STRIDE, _PADDED),
    "avg_pool": (_type("avg_pool"), _WINDOW, _STRIDE, _PADDING,
                 ("count_include_pad", _FLAG, "whether the zeros around the input count in the mean", "false")),
    "flatten": (_type("flatten"),),
    "rnn": (_type("rnn"), _NEURONS, _ACTIVATION, _INPUT, _HIDDEN, _ROWS, _BIAS, _STATE, _RETURNS, _TRUNCATE),
    "lstm": (_type("lstm"), _NEURONS, ("gates", _gates("input", "forget", "candidate", "output"), "weights and bias of every gate", ""),
             *_together("input, forget, candidate, output"), _ROWS, _STATE, _CELL, _RETURNS, _TRUNCATE),
    "gru": (_type("gru"), _NEURONS, ("gates", _gates("reset", "update", "candidate"), "weights and bias of every gate", ""),
            *_together("reset, update, candidate"), _ROWS,
            ("reset_after", _FLAG, "the reset gate acts on the product with the hidden weights (PyTorch), not on the state", "false"),
            ("update_keeps", {"enum": ["old", "new"]}, "what a share of 1 of the update gate keeps: the old state (PyTorch), or the new",
             "old"), _STATE, _RETURNS, _TRUNCATE),
    "gate": (_INPUT, _HIDDEN, _BIAS, ("hidden_bias", _ARRAY, "a second bias, inside the reset (gru with reset_after)", "[0, 0]")),
    "embedding": (_type("embedding"), ("weights", _ARRAY, "one row per word, one column per feature; inputs are numbers of words from 0",
                                       "[[0.1, 0.2], [0.3, 0.4]]")),
    "positional_encoding": (_type("positional_encoding"), ("base", _NUMBER, "base of the wave lengths", "10000")),
    "attention": (_type("attention"), ("heads", _COUNT, "number of heads", "2"),
                  *(_matrix(name) for name in ("query", "key", "value")),
                  ("output_weights", _ARRAY, "one row per output feature, one column per value feature of all heads; not given: none", ""),
                  _ROWS,
                  *((f"{name}_bias", _ARRAY, f"bias of the {name}", "[0, 0]") for name in ("query", "key", "value", "output")),
                  ("scale", {"anyOf": [_FLAG, _NUMBER]}, "true: scores times 1/√d; false: not; or a number", "true"),
                  ("mask", {"anyOf": [{"enum": ["causal"]}, {"type": "array"}]}, "causal, or rows of 1 (seen) and 0 (not seen)", "causal")),
    "layer_norm": (_type("layer_norm"), ("weights", _ARRAY, "scale γ of every feature; not given: none", "[1, 1]"),
                   ("bias", _ARRAY, "shift β of every feature", "[0, 0]"), _EPSILON),
    "batch_norm": (_type("batch_norm"), ("weights", _ARRAY, "scale γ of every feature or channel; not given: none", "[1, 1]"),
                   ("bias", _ARRAY, "shift β of every feature or channel", "[0, 0]"), _EPSILON,
                   ("running_mean", _ARRAY, "running mean of every feature or channel, for prediction", "[0, 0]"),
                   ("running_var", _ARRAY, "running variance of every feature or channel, for prediction", "[1, 1]"),
                   ("momentum", _NUMBER, "share of a batch in the new running mean and variance (PyTorch)", "0.1"),
                   ("mode", {"enum": ["train", "eval"]}, "train: mean and variance of the batch; eval: the running ones", "train")),
    "dropout": (_type("dropout"), ("mask", _ARRAY, "1 where a number is kept, 0 where it is dropped", "[1, 0, 1]"),
                ("share", _NUMBER, "share that is dropped on average; what is kept is divided by 1 − share", "0.5")),
    "residual": (_type("residual"), ("from", _WHOLE, "the layer whose output is added; 0: the inputs", "0"), _ACTIVATION),
}  # fmt: skip

LAYER_TYPES = ("dense", *(name for name in LAYER_KEYS if name != "gate"))


def keys(name: str) -> tuple[str, ...]:
    """The keys of a type, or of `gate`."""
    return tuple(key for key, *_ in LAYER_KEYS[name])
